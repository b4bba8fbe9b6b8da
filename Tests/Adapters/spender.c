/* A meter that every request costs something: each request that the host lets it make is a line of a book, `live` or
 * `history`, which a test compares with what the host has counted. */
#define _POSIX_C_SOURCE 200809L

#include "library.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct meter_instance {
    const meter_host *host;
    int book;
    int cost;
};

static int32_t create(const meter_descriptor *self, const meter_host *host, meter_instance **made, meter_error *error) {
    (void)self;
    meter_text path, cost;
    char name[1024], digits[16] = "";
    if (host->setting(host->context, meter_text_of("book"), &path) != METER_OK || path.length >= sizeof name ||
        host->setting(host->context, meter_text_of("cost"), &cost) != METER_OK || cost.length >= sizeof digits) {
        return meter_fail(error, METER_MISCONFIGURED, "SPENDER_BOOK or SPENDER_COST is not set");
    }
    memcpy(name, path.data, path.length);
    name[path.length] = '\0';
    memcpy(digits, cost.data, cost.length);
    meter_instance *instance = malloc(sizeof *instance);
    if (instance == NULL) {
        return meter_fail(error, METER_FAILED, "out of memory");
    }
    instance->host = host;
    instance->cost = atoi(digits);
    instance->book = open(name, O_WRONLY | O_APPEND | O_CLOEXEC);
    *made = instance;
    return METER_OK;
}

static int32_t start(meter_instance *instance, meter_error *error) {
    return instance->book >= 0 ? METER_OK : meter_fail(error, METER_MISCONFIGURED, "SPENDER_BOOK cannot be written");
}

static int32_t spend(const meter_instance *instance, int requests, const char *line, meter_error *error) {
    while (requests-- > 0) {
        if (instance->host->spend(instance->host->context, 1) != METER_OK) {
            return meter_fail(error, METER_RATIONED, "no more requests");
        }
        if (write(instance->book, line, strlen(line)) < 0) {
            return meter_fail(error, METER_FAILED, "the book is full");
        }
    }
    return METER_OK;
}

static int32_t take_sample(meter_instance *instance, int64_t deadline_ns, meter_error *error) {
    (void)deadline_ns;
    int32_t code = spend(instance, instance->cost, "live\n", error);
    if (code != METER_OK) {
        return code;
    }
    meter_reading reading = meter_reading_make();
    reading.known = METER_CONSUMPTION_POWER;
    meter_set_consumption_power_w(&reading, 200);
    instance->host->emit(instance->host->context, &reading);
    return METER_OK;
}

/* A minute costs a hundred requests. */
static int32_t history(meter_instance *instance, const meter_history_request *request, const meter_history_sink *sink,
                       meter_history_result *result, meter_error *error) {
    int32_t code = spend(instance, 100, "history\n", error);
    int64_t at = request->from_ns;
    int64_t end = at + 60000000000 < request->to_ns ? at + 60000000000 : request->to_ns;
    uint32_t count = 0;
    if (code != METER_OK) {
        return code;
    }
    while (at + request->step_ns <= end && count++ < request->max_records) {
        meter_reading record = meter_reading_make();
        at += request->step_ns;
        record.known = METER_CONSUMPTION_POWER;
        record.timestamp_ns = at;
        record.period_ns = request->step_ns;
        record.quality = METER_QUALITY_BACKFILLED;
        meter_set_consumption_power_w(&record, 200);
        sink->put(sink->context, &record);
    }
    result->covered_to_ns = at;
    result->outcome = at == request->to_ns ? METER_HISTORY_COMPLETE : METER_HISTORY_MORE;
    return METER_OK;
}

static void stop(meter_instance *instance) { (void)instance; }

static void destroy(meter_instance *instance) {
    close(instance->book);
    free(instance);
}

static const meter_history history_table = {.history = history};

static const void *extension(meter_text id) { return meter_text_is(id, METER_HISTORY) ? &history_table : NULL; }

static const meter_setting settings[] = {
    {.name = METER_TEXT("book"), .help = METER_TEXT("Where requests are noted"), .kind = METER_SETTING_FILE},
    {.name = METER_TEXT("cost"), .help = METER_TEXT("Requests of a reading"), .kind = METER_SETTING_NUMBER},
};

static const meter_descriptor descriptor = {
    DESCRIBES("spender", "Spender"),
    .delivery = METER_DELIVERY_PULL,
    .requests_per_day = 92000,
    .default_sampling_ns = 1000000000,
    .minimum_sampling_ns = 10000000,
    .late_ns = 1000000000,
    .history_step_ns = 1000000000,
    HAS_SETTINGS,
    .read = take_sample,
    .extension = extension,
};

EXPORTS(&descriptor)
