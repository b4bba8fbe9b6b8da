/* An adapter with one defect: the macro DEFECT is a statement that spoils what the host is about to get. */
#include "meter_adapter.h"

#ifndef DEFECT
#define DEFECT (void)0
#endif

/* Defined nowhere: a library that calls it does not load. */
void missing_function(void);

static int32_t create(const meter_descriptor *descriptor, const meter_host *host, meter_instance **instance,
                      meter_error *error) {
    (void)descriptor;
    (void)host;
    (void)instance;
    return meter_fail(error, METER_FAILED, "never to be created");
}

static int32_t start(meter_instance *instance, meter_error *error) {
    (void)instance;
    return meter_fail(error, METER_FAILED, "never to be started");
}

static int32_t take_sample(meter_instance *instance, int64_t deadline_ns, meter_error *error) {
    (void)instance;
    (void)deadline_ns;
    return meter_fail(error, METER_FAILED, "never to be read");
}

static void end(meter_instance *instance) { (void)instance; }

static meter_setting settings[] = {
    {.name = METER_TEXT("first"), .help = METER_TEXT("A setting."), .kind = METER_SETTING_TEXT},
    {.name = METER_TEXT("second"), .help = METER_TEXT("Another."), .kind = METER_SETTING_TEXT},
};

static meter_descriptor descriptor = {
    .magic = METER_MAGIC,
    .abi_major = METER_ABI_MAJOR,
    .abi_minor = METER_ABI_MINOR,
    .struct_size = sizeof(meter_descriptor),
    .meter_type = METER_TEXT("broken"),
    .name = METER_TEXT("Broken"),
    .version = METER_TEXT("1.0"),
    .delivery = METER_DELIVERY_PULL,
    .minimum_sampling_ns = 1000000000,
    .settings = settings,
    .setting_count = 2,
    .setting_stride = sizeof(meter_setting),
    .create = create,
    .start = start,
    .read = take_sample,
    .stop = end,
    .destroy = end,
};

static const meter_descriptor *descriptors[] = {&descriptor, &descriptor};

static meter_library library = {
    .magic = METER_MAGIC,
    .abi_major = METER_ABI_MAJOR,
    .abi_minor = METER_ABI_MINOR,
    .struct_size = sizeof(meter_library),
    .descriptors = descriptors,
    .descriptor_count = 1,
};

const meter_library *meter_adapter_entry(uint32_t host_abi) {
    (void)host_abi;
    DEFECT;
    return &library;
}
