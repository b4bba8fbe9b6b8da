/* Meters of 20 circuits that cost nothing by themselves: what is measured with them is the host. `steady` emits a reading
 * a read, `bursty` fifty. */
#include "meter_adapter.h"

#include <stdio.h>
#include <stdlib.h>

#define CIRCUITS 20
#define BURST 50

struct meter_instance {
    const meter_host *host;
    char ids[CIRCUITS][24];
    char names[CIRCUITS][24];
    meter_circuit circuits[CIRCUITS];
    double watts;
};

static int32_t create(const meter_descriptor *self, const meter_host *host, meter_instance **made, meter_error *error) {
    (void)self;
    meter_instance *instance = calloc(1, sizeof *instance);
    if (instance == NULL) {
        return meter_fail(error, METER_FAILED, "out of memory");
    }
    instance->host = host;
    for (int i = 0; i < CIRCUITS; i++) {
        snprintf(instance->ids[i], sizeof instance->ids[i], "circuit-%d", i);
        snprintf(instance->names[i], sizeof instance->names[i], "Circuit %d", i);
        instance->circuits[i] = meter_circuit_make(instance->ids[i], instance->names[i], METER_KIND_LOAD);
    }
    *made = instance;
    return METER_OK;
}

static int32_t start(meter_instance *instance, meter_error *error) {
    (void)instance;
    (void)error;
    return METER_OK;
}

static void emit(meter_instance *instance) {
    instance->watts += 0.25;
    meter_reading reading = meter_reading_make();
    reading.known = METER_GRID_POWER;
    meter_set_grid_power_w(&reading, instance->watts);
    meter_set_total_import_kwh(&reading, 1000 + instance->watts);
    for (int i = 0; i < CIRCUITS; i++) {
        meter_circuit_set_power_w(&instance->circuits[i], instance->watts / (i + 1));
        meter_circuit_set_total_energy_kwh(&instance->circuits[i], 100 + instance->watts);
    }
    reading.circuits = instance->circuits;
    reading.circuit_count = CIRCUITS;
    instance->host->emit(instance->host->context, &reading);
}

static int32_t read_one(meter_instance *instance, int64_t deadline_ns, meter_error *error) {
    (void)deadline_ns;
    (void)error;
    emit(instance);
    return METER_OK;
}

static int32_t read_many(meter_instance *instance, int64_t deadline_ns, meter_error *error) {
    (void)deadline_ns;
    (void)error;
    for (int i = 0; i < BURST; i++) {
        emit(instance);
    }
    return METER_OK;
}

static void stop(meter_instance *instance) { (void)instance; }
static void destroy(meter_instance *instance) { free(instance); }

#define DESCRIPTOR(type, reads)                 \
    {                                           \
        .magic = METER_MAGIC,                   \
        .abi_major = METER_ABI_MAJOR,           \
        .abi_minor = METER_ABI_MINOR,           \
        .struct_size = sizeof(meter_descriptor), \
        .meter_type = METER_TEXT(type),         \
        .name = METER_TEXT("Benchmark"),        \
        .version = METER_TEXT("1.0"),           \
        .delivery = METER_DELIVERY_PULL,        \
        .default_sampling_ns = 1000000000,      \
        .minimum_sampling_ns = 1000000,         \
        .create = create,                       \
        .start = start,                         \
        .read = reads,                          \
        .stop = stop,                           \
        .destroy = destroy,                     \
    }

static const meter_descriptor steady = DESCRIPTOR("steady", read_one);
static const meter_descriptor bursty = DESCRIPTOR("bursty", read_many);

static const meter_descriptor *const descriptors[] = {&steady, &bursty};

static const meter_library library = {
    .magic = METER_MAGIC,
    .abi_major = METER_ABI_MAJOR,
    .abi_minor = METER_ABI_MINOR,
    .struct_size = sizeof(meter_library),
    .descriptors = descriptors,
    .descriptor_count = 2,
};

const meter_library *meter_adapter_entry(uint32_t host_abi) {
    (void)host_abi;
    return &library;
}
