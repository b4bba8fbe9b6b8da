/* An adapter as somebody wrote it against the recorded header. It uses every part of the interface that one can, and is
 * not changed when the header is: what it says must reach the host of today. */
#include "meter_adapter.h"

#include <stdlib.h>
#include <string.h>

struct meter_instance {
    const meter_host *host;
    double watts;
    uint8_t starts;
};

static const char body[] = "412.5";

static int32_t create(const meter_descriptor *self, const meter_host *host, meter_instance **made, meter_error *error) {
    meter_text text = METER_TEXT("");
    meter_instance *instance;
    if (!meter_text_is(self->meter_type, "recorded")) return meter_fail(error, METER_INVALID, "another descriptor");
    if (host->setting(host->context, meter_text_of("unknown"), &text) == METER_OK)
        return meter_fail(error, METER_FAILED, "an undeclared setting has a value");
    if (host->setting(host->context, meter_text_of("watts"), &text) != METER_OK || text.length != strlen(body)
        || memcmp(text.data, body, text.length) != 0)
        return meter_fail(error, METER_MISCONFIGURED, "RECORDED_WATTS must be 412.5");
    if ((instance = calloc(1, sizeof *instance)) == NULL) return meter_fail(error, METER_FAILED, "out of memory");
    instance->host = host;
    instance->watts = 412.5;
    *made = instance;
    return METER_OK;
}

/* Counts its starts, in the host's state. */
static int32_t start(meter_instance *instance, meter_error *error) {
    const meter_host *host = instance->host;
    const meter_host_state *state = host->extension(host->context, meter_text_of(METER_HOST_STATE));
    uint32_t needed = 0;
    if (state == NULL) return meter_fail(error, METER_UNSUPPORTED, "no state");
    if (state->get(host->context, meter_text_of("starts"), &instance->starts, 1, &needed) != METER_OK)
        instance->starts = 0;
    instance->starts++;
    host->log(host->context, METER_LOG_INFO, meter_text_of("started"));
    host->condition(host->context, METER_OK, 0, meter_text_of(""));
    return state->set(host->context, meter_text_of("starts"), &instance->starts, 1, error);
}

static meter_reading reading_of(const meter_instance *instance, meter_circuit *circuit) {
    meter_reading reading = meter_reading_make();
    *circuit = meter_circuit_make("one", "Circuit One", METER_KIND_HEATING);
    circuit->phase = 2;
    meter_circuit_set_power_w(circuit, 12.5);
    meter_circuit_set_total_energy_kwh(circuit, 34.5);
    meter_circuit_set_power_factor(circuit, 0.75);
    reading.quality = METER_QUALITY_MEASURED;
    reading.known = METER_GRID_POWER | METER_SOLAR_POWER;
    reading.circuits = circuit;
    reading.circuit_count = 1;
    meter_set_grid_power_w(&reading, instance->watts);
    meter_set_solar_power_w(&reading, 1000);
    meter_set_total_import_kwh(&reading, 101.25);
    meter_set_total_export_kwh(&reading, 202.25);
    meter_set_day_energy_kwh(&reading, 3.5);
    meter_set_voltage_v(&reading, 3, 231.5);
    meter_set_frequency_hz(&reading, 49.98);
    return reading;
}

static int32_t take_sample(meter_instance *instance, int64_t deadline_ns, meter_error *error) {
    const meter_host *host = instance->host;
    meter_circuit circuit;
    meter_reading reading = reading_of(instance, &circuit);
    if (host->now_monotonic(host->context) > deadline_ns) return meter_fail(error, METER_TIMEOUT, "too late");
    if (host->cancelled(host->context) != 0) return meter_fail(error, METER_CANCELLED, "cancelled");
    if (host->spend(host->context, 1) != METER_OK) return meter_fail(error, METER_RATIONED, "no ration");
    reading.timestamp_ns = host->now_wall(host->context);
    return host->emit(host->context, &reading) == METER_EMIT_QUEUED
        ? METER_OK : meter_fail(error, METER_BAD_DATA, "the reading was not taken");
}

/* A record for every step of the span. */
static int32_t history(meter_instance *instance, const meter_history_request *request, const meter_history_sink *sink,
                       meter_history_result *result, meter_error *error) {
    meter_circuit circuit;
    int64_t end = (request->from_ns / request->step_ns + 1) * request->step_ns;
    uint32_t count = 0;
    (void)error;
    result->covered_to_ns = request->to_ns;
    result->outcome = METER_HISTORY_COMPLETE;
    for (; end <= request->to_ns; end += request->step_ns) {
        meter_reading record = reading_of(instance, &circuit);
        record.quality = METER_QUALITY_BACKFILLED;
        record.timestamp_ns = end;
        record.period_ns = request->step_ns;
        if (sink->put(sink->context, &record) == METER_SINK_STOP || ++count == request->max_records) {
            result->outcome = METER_HISTORY_MORE;
            result->covered_to_ns = end;
            break;
        }
    }
    return METER_OK;
}

static void stop(meter_instance *instance) { (void)instance; }
static void destroy(meter_instance *instance) { free(instance); }

static const meter_history histories = {history};
static const void *extension(meter_text id) { return meter_text_is(id, METER_HISTORY) ? &histories : NULL; }

static const meter_setting settings[] = {
    {.name = METER_TEXT("watts"), .kind = METER_SETTING_NUMBER, .required = 1, .help = METER_TEXT("412.5")},
    {.name = METER_TEXT("mode"), .kind = METER_SETTING_CHOICE, .choices = METER_TEXT("a,b"),
     .default_value = METER_TEXT("a"), .help = METER_TEXT("a or b")},
};
static const meter_descriptor recorded = {
    .magic = METER_MAGIC, .abi_major = METER_ABI_MAJOR, .abi_minor = METER_ABI_MINOR,
    .struct_size = sizeof(meter_descriptor),
    .meter_type = METER_TEXT("recorded"), .name = METER_TEXT("Recorded"), .vendor = METER_TEXT("tests"),
    .version = METER_TEXT("1.0.0"), .url = METER_TEXT("http://example.com"),
    .description = METER_TEXT("An adapter of the recorded interface"),
    .delivery = METER_DELIVERY_PULL,
    .default_sampling_ns = 1000000000, .minimum_sampling_ns = 100000000, .history_step_ns = 1000000000,
    .settings = settings, .setting_count = 2, .setting_stride = sizeof(meter_setting),
    .create = create, .start = start, .read = take_sample, .stop = stop, .destroy = destroy, .extension = extension,
};
static const meter_descriptor *const descriptors[] = {&recorded};
static const meter_library library = {
    .magic = METER_MAGIC, .abi_major = METER_ABI_MAJOR, .abi_minor = METER_ABI_MINOR,
    .struct_size = sizeof(meter_library), .descriptors = descriptors, .descriptor_count = 1,
};

METER_EXPORT const meter_library *meter_adapter_entry(uint32_t host_abi) {
    return meter_serves(host_abi) ? &library : NULL;
}
