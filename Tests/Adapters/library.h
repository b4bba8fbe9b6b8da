/* What the adapters of the tests have in common: the functions of a life by their usual names, and a library that the
 * host can load. */
#pragma once
#include "meter_adapter.h"

/* The first lines of a descriptor. */
#define DESCRIBES(type, shown)                                                                          \
    .magic = METER_MAGIC, .abi_major = METER_ABI_MAJOR, .abi_minor = METER_ABI_MINOR,                   \
    .struct_size = sizeof(meter_descriptor), .meter_type = METER_TEXT(type), .name = METER_TEXT(shown), \
    .version = METER_TEXT("1.0"), .create = create, .start = start, .stop = stop, .destroy = destroy

/* The settings of a descriptor, from an array of that name. */
#define HAS_SETTINGS                                                                           \
    .settings = settings, .setting_count = sizeof settings / sizeof settings[0],               \
    .setting_stride = sizeof(meter_setting)

/* A library of these descriptors, given as addresses. */
#define EXPORTS(...)                                                          \
    static const meter_descriptor *const descriptors[] = {__VA_ARGS__};       \
    static const meter_library library = {                                    \
        .magic = METER_MAGIC,                                                 \
        .abi_major = METER_ABI_MAJOR,                                         \
        .abi_minor = METER_ABI_MINOR,                                         \
        .struct_size = sizeof(meter_library),                                 \
        .descriptors = descriptors,                                           \
        .descriptor_count = sizeof descriptors / sizeof descriptors[0],       \
    };                                                                        \
    METER_EXPORT const meter_library *meter_adapter_entry(uint32_t host_abi); \
    const meter_library *meter_adapter_entry(uint32_t host_abi) { return host_abi == METER_ABI ? &library : NULL; }
