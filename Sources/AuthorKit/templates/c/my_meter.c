/* My meter: says the power that its setting gives, until you ask a device instead. */
#include "meter_adapter.h"

#include <stdlib.h>
#include <string.h>

struct meter_instance {
    const meter_host *host;
    double watts;
};

/* The number in a text from 0 to `most`; 0 where there is none. */
static int32_t number(meter_text text, double most, double *value) {
    char copy[64], *end;
    if (text.length == 0 || text.length >= sizeof copy) return 0;
    memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    *value = strtod(copy, &end);
    return end != copy && *end == '\0' && *value >= 0 && *value <= most;
}

/* Checks the settings. No I/O, no threads: those begin in start. */
static int32_t create(const meter_descriptor *self, const meter_host *host, meter_instance **made, meter_error *error) {
    meter_text text = METER_TEXT("");
    double watts;
    meter_instance *instance;
    (void)self;
    if (host->setting(host->context, meter_text_of("watts"), &text) != METER_OK || !number(text, 100000, &watts))
        return meter_fail(error, METER_MISCONFIGURED, "MY_METER_WATTS must be a number from 0 to 100000");
    if ((instance = calloc(1, sizeof *instance)) == NULL) return meter_fail(error, METER_FAILED, "out of memory");
    instance->host = host;
    instance->watts = watts;
    *made = instance;
    return METER_OK;
}

/* Connects. What fails here is tried again later. */
static int32_t start(meter_instance *instance, meter_error *error) {
    (void)instance, (void)error;
    return METER_OK;
}

/* One sample: ask the device here, and answer meter_fail(error, METER_UNREACHABLE, "...") where it does not answer. */
static int32_t take_sample(meter_instance *instance, int64_t deadline_ns, meter_error *error) {
    meter_reading reading = meter_reading_make();
    (void)deadline_ns;
    reading.quality = METER_QUALITY_MEASURED;
    reading.known = METER_CONSUMPTION_POWER;
    meter_set_consumption_power_w(&reading, instance->watts);
    if (instance->host->emit(instance->host->context, &reading) == METER_EMIT_INVALID)
        return meter_fail(error, METER_BAD_DATA, "the host refused the reading; its log says why");
    return METER_OK;
}

static void stop(meter_instance *instance) { (void)instance; }
static void destroy(meter_instance *instance) { free(instance); }

static const meter_setting settings[] = {
    {.name = METER_TEXT("watts"), .kind = METER_SETTING_NUMBER, .default_value = METER_TEXT("250"),
     .help = METER_TEXT("Watts that the house uses, 0 to 100000")},
};
static const meter_descriptor adapter = {
    .magic = METER_MAGIC, .abi_major = METER_ABI_MAJOR, .abi_minor = METER_ABI_MINOR,
    .struct_size = sizeof(meter_descriptor),
    .meter_type = METER_TEXT("my_meter"), .name = METER_TEXT("My meter"), .vendor = METER_TEXT("you"),
    .version = METER_TEXT("0.1.0"), .description = METER_TEXT("Says the power that MY_METER_WATTS gives"),
    .delivery = METER_DELIVERY_PULL,
    .default_sampling_ns = 10000000000, .minimum_sampling_ns = 1000000000,
    .settings = settings, .setting_count = sizeof settings / sizeof *settings, .setting_stride = sizeof *settings,
    .create = create, .start = start, .read = take_sample, .stop = stop, .destroy = destroy,
};
static const meter_descriptor *const descriptors[] = {&adapter};
static const meter_library library = {
    .magic = METER_MAGIC, .abi_major = METER_ABI_MAJOR, .abi_minor = METER_ABI_MINOR,
    .struct_size = sizeof(meter_library), .descriptors = descriptors, .descriptor_count = 1,
};

METER_EXPORT const meter_library *meter_adapter_entry(uint32_t host_abi) {
    return meter_serves(host_abi) ? &library : NULL;
}
