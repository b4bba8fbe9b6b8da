/* A meter that is a file: it reads a number of watts from the file that FILE_PATH names. */
#include "meter_adapter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct meter_instance {
    const meter_host *host;
    char path[4096];
};

static int32_t create(const meter_descriptor *self, const meter_host *host, meter_instance **made, meter_error *error) {
    meter_text path = METER_TEXT("");
    meter_instance *instance = calloc(1, sizeof *instance);
    (void)self;
    if (instance == NULL) return meter_fail(error, METER_FAILED, "out of memory");
    if (host->setting(host->context, meter_text_of("path"), &path) != METER_OK || path.length >= sizeof instance->path) {
        free(instance);
        return meter_fail(error, METER_MISCONFIGURED, "FILE_PATH is missing or too long");
    }
    memcpy(instance->path, path.data, path.length);
    instance->host = host;
    *made = instance;
    return METER_OK;
}

static int32_t start(meter_instance *instance, meter_error *error) { return (void)instance, (void)error, METER_OK; }

static int32_t take_sample(meter_instance *instance, int64_t deadline_ns, meter_error *error) {
    char line[64] = "", *end = line;
    meter_reading reading = meter_reading_make();
    FILE *file = fopen(instance->path, "r");
    double watts;
    (void)deadline_ns;
    if (file == NULL) return meter_fail(error, METER_UNREACHABLE, "cannot open the file that FILE_PATH names");
    if (fgets(line, sizeof line, file) == NULL) line[0] = '\0';
    fclose(file);
    watts = strtod(line, &end);
    if (end == line || strspn(end, " \t\r\n") != strlen(end) || !isfinite(watts))
        return meter_fail(error, METER_BAD_DATA, "the file does not hold a number of watts");
    reading.quality = METER_QUALITY_MEASURED;
    reading.known = METER_CONSUMPTION_POWER;
    meter_set_consumption_power_w(&reading, watts);
    if (instance->host->emit(instance->host->context, &reading) == METER_EMIT_INVALID)
        return meter_fail(error, METER_BAD_DATA, "the host refused the reading; its log says why");
    return METER_OK;
}

static void stop(meter_instance *instance) { (void)instance; }
static void destroy(meter_instance *instance) { free(instance); }

static const meter_setting settings[] = {
    {.name = METER_TEXT("path"), .help = METER_TEXT("The file with the watts"), .kind = METER_SETTING_FILE, .required = 1},
};
static const meter_descriptor file_meter = {
    .magic = METER_MAGIC, .abi_major = METER_ABI_MAJOR, .abi_minor = METER_ABI_MINOR,
    .struct_size = sizeof(meter_descriptor),
    .meter_type = METER_TEXT("file"), .name = METER_TEXT("File meter"), .version = METER_TEXT("1.0.0"),
    .description = METER_TEXT("Reads a number of watts from a file"),
    .delivery = METER_DELIVERY_PULL,
    .default_sampling_ns = 10000000000, .minimum_sampling_ns = 1000000000,
    .settings = settings, .setting_count = 1, .setting_stride = sizeof(meter_setting),
    .create = create, .start = start, .read = take_sample, .stop = stop, .destroy = destroy,
};
static const meter_descriptor *const descriptors[] = {&file_meter};
static const meter_library library = {
    .magic = METER_MAGIC, .abi_major = METER_ABI_MAJOR, .abi_minor = METER_ABI_MINOR,
    .struct_size = sizeof(meter_library), .descriptors = descriptors, .descriptor_count = 1,
};

METER_EXPORT const meter_library *meter_adapter_entry(uint32_t host_abi) {
    return meter_serves(host_abi) ? &library : NULL;
}
