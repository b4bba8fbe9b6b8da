/* A meter that always says the same, written against meter_adapter.h alone. The macros make the broken variants that
 * the host has to refuse. */
#include "meter_adapter.h"

#include <stdlib.h>

#ifndef METER_TYPE_NAME
#define METER_TYPE_NAME "constant"
#endif
#ifndef MAJOR
#define MAJOR METER_ABI_MAJOR
#endif
#ifndef VERSION
#define VERSION "1.0"
#endif
#ifndef ENTRY
#define ENTRY meter_adapter_entry
#endif

struct meter_instance {
    const meter_host *host;
};

static int32_t create(const meter_descriptor *descriptor, const meter_host *host, meter_instance **instance,
                      meter_error *error) {
    (void)descriptor;
    meter_instance *made = malloc(sizeof *made);
    if (made == NULL) {
        return meter_fail(error, METER_FAILED, "out of memory");
    }
    made->host = host;
    *instance = made;
    return METER_OK;
}

static int32_t start(meter_instance *instance, meter_error *error) {
    (void)instance;
    (void)error;
    return METER_OK;
}

static int32_t take_sample(meter_instance *instance, int64_t deadline_ns, meter_error *error) {
    (void)deadline_ns;
    meter_circuit circuit = meter_circuit_make("boiler", "Boiler, \"big\" = hot", METER_KIND_HEATING);
    meter_circuit_set_power_w(&circuit, 250);
    meter_reading reading = meter_reading_make();
    reading.known = METER_CONSUMPTION_POWER;
    reading.quality = METER_QUALITY_MEASURED;
    meter_set_consumption_power_w(&reading, 1000);
    reading.circuits = &circuit;
    reading.circuit_count = 1;
    if (instance->host->emit(instance->host->context, &reading) == METER_EMIT_INVALID) {
        return meter_fail(error, METER_FAILED, "the host did not take the reading");
    }
    return METER_OK;
}

static void stop(meter_instance *instance) { (void)instance; }

static void destroy(meter_instance *instance) { free(instance); }

static const meter_descriptor descriptor = {
    .magic = METER_MAGIC,
    .abi_major = MAJOR,
    .abi_minor = METER_ABI_MINOR,
    .struct_size = sizeof(meter_descriptor),
    .meter_type = METER_TEXT(METER_TYPE_NAME),
    .name = METER_TEXT("Constant"),
    .version = METER_TEXT(VERSION),
    .delivery = METER_DELIVERY_PULL,
    .default_sampling_ns = 1000000000,
    .minimum_sampling_ns = 100000000,
    .create = create,
    .start = start,
    .read = take_sample,
    .stop = stop,
    .destroy = destroy,
};

static const meter_descriptor *const descriptors[] = {&descriptor};

static const meter_library library = {
    .magic = METER_MAGIC,
    .abi_major = MAJOR,
    .abi_minor = METER_ABI_MINOR,
    .struct_size = sizeof(meter_library),
    .descriptors = descriptors,
    .descriptor_count = 1,
};

METER_EXPORT const meter_library *ENTRY(uint32_t host_abi);
const meter_library *ENTRY(uint32_t host_abi) {
    (void)host_abi;
    return &library;
}
