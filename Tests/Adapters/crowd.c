/* A meter with many circuits, all of which change with every reading. */
#include "library.h"

#include <stdio.h>
#include <stdlib.h>

#ifndef CIRCUITS
#define CIRCUITS 500
#endif

struct meter_instance {
    const meter_host *host;
    meter_circuit circuits[CIRCUITS];
    char ids[CIRCUITS][16];
    char names[CIRCUITS][32];
    uint32_t readings;
};

static int32_t create(const meter_descriptor *descriptor, const meter_host *host, meter_instance **instance,
                      meter_error *error) {
    (void)descriptor;
    meter_instance *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return meter_fail(error, METER_FAILED, "out of memory");
    }
    made->host = host;
    for (uint32_t index = 0; index < CIRCUITS; index++) {
        snprintf(made->ids[index], sizeof made->ids[index], "circuit-%u", index);
        snprintf(made->names[index], sizeof made->names[index], "Circuit number %u", index);
        made->circuits[index] = meter_circuit_make(made->ids[index], made->names[index], METER_KIND_LOAD);
    }
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
    double sum = 0;
    for (uint32_t index = 0; index < CIRCUITS; index++) {
        double power = (double)((instance->readings * 7919 + index * 104729) % 4000) / 10;
        meter_circuit_set_power_w(&instance->circuits[index], power);
        sum += power;
    }
    instance->readings++;
    meter_reading reading = meter_reading_make();
    reading.known = METER_CONSUMPTION_POWER;
    reading.quality = METER_QUALITY_MEASURED;
    meter_set_consumption_power_w(&reading, sum + 100);
    reading.circuits = instance->circuits;
    reading.circuit_count = CIRCUITS;
    if (instance->host->emit(instance->host->context, &reading) == METER_EMIT_INVALID) {
        return meter_fail(error, METER_FAILED, "the host did not take the reading");
    }
    return METER_OK;
}

static void stop(meter_instance *instance) { (void)instance; }

static void destroy(meter_instance *instance) { free(instance); }

static const meter_descriptor descriptor = {
    DESCRIBES("crowd", "Crowd"),
    .delivery = METER_DELIVERY_PULL,
    .default_sampling_ns = 1000000000,
    .minimum_sampling_ns = 100000000,
    .read = take_sample,
};

EXPORTS(&descriptor)
