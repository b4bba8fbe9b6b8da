/* A meter that keeps a book of its own: each reading that the host took is a line of a file, which a test compares
 * with what came out at the other end. With LEDGER_ACKNOWLEDGE a reading is written down once it is durable: a value of
 * the state never becomes durable before what was emitted before it. */
#define _POSIX_C_SOURCE 200809L

#include "library.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct meter_instance {
    const meter_host *host;
    /* NULL: readings are written down as soon as they are taken. */
    const meter_host_state *state;
    int file;
    uint32_t noise;
};

static int32_t create(const meter_descriptor *descriptor, const meter_host *host, meter_instance **instance,
                      meter_error *error) {
    (void)descriptor;
    meter_text path;
    char name[1024];
    if (host->setting(host->context, meter_text_of("file"), &path) != METER_OK || path.length >= sizeof name) {
        return meter_fail(error, METER_MISCONFIGURED, "LEDGER_FILE is not set");
    }
    memcpy(name, path.data, path.length);
    name[path.length] = '\0';
    meter_instance *made = malloc(sizeof *made);
    if (made == NULL) {
        return meter_fail(error, METER_FAILED, "out of memory");
    }
    made->host = host;
    made->state = NULL;
    meter_text acknowledge;
    if (host->setting(host->context, meter_text_of("acknowledge"), &acknowledge) == METER_OK &&
        acknowledge.length == 1 && acknowledge.data[0] == '1') {
        made->state = host->extension(host->context, meter_text_of(METER_HOST_STATE));
    }
    made->noise = (uint32_t)host->now_monotonic(host->context);
    made->file = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    *instance = made;
    return METER_OK;
}

static int32_t start(meter_instance *instance, meter_error *error) {
    return instance->file >= 0 ? METER_OK : meter_fail(error, METER_MISCONFIGURED, "LEDGER_FILE cannot be written");
}

static int32_t take_one(meter_instance *instance, meter_error *error) {
    meter_reading reading = meter_reading_make();
    char line[64];
    instance->noise = instance->noise * 1664525u + 1013904223u;
    double power = 100 + (double)(instance->noise >> 20);
    reading.known = METER_CONSUMPTION_POWER;
    reading.quality = METER_QUALITY_MEASURED;
    reading.timestamp_ns = instance->host->now_wall(instance->host->context);
    meter_set_consumption_power_w(&reading, power);
    if (instance->host->emit(instance->host->context, &reading) != METER_EMIT_QUEUED) {
        return meter_fail(error, METER_FAILED, "the host did not take the reading");
    }
    if (instance->state != NULL &&
        instance->state->set(instance->host->context, meter_text_of("newest"),
                             (const uint8_t *)&reading.timestamp_ns, sizeof reading.timestamp_ns, error) != METER_OK) {
        return METER_FAILED;
    }
    int length = snprintf(line, sizeof line, "%lld %.0f\n", (long long)reading.timestamp_ns, power);
    return write(instance->file, line, (size_t)length) == length ? METER_OK
                                                                  : meter_fail(error, METER_FAILED, "the book is full");
}

/* One reading, or some, one after the other, where each waits until it is durable. */
static int32_t take_sample(meter_instance *instance, int64_t deadline_ns, meter_error *error) {
    (void)deadline_ns;
    int32_t code = METER_OK;
    for (int count = instance->state != NULL ? 5 : 1; count > 0 && code == METER_OK; count--) {
        code = take_one(instance, error);
    }
    return code;
}

static void stop(meter_instance *instance) { (void)instance; }

static void destroy(meter_instance *instance) {
    close(instance->file);
    free(instance);
}

static const meter_setting settings[] = {
    {
        .name = METER_TEXT("file"),
        .help = METER_TEXT("Where the book is kept"),
        .kind = METER_SETTING_FILE,
        .required = 1,
    },
    {
        .name = METER_TEXT("acknowledge"),
        .help = METER_TEXT("Write down what is durable only"),
        .kind = METER_SETTING_FLAG,
    },
};

static const meter_descriptor descriptor = {
    DESCRIBES("ledger", "Ledger"),
    .delivery = METER_DELIVERY_PULL,
    .default_sampling_ns = 100000000,
    .minimum_sampling_ns = 10000000,
    .late_ns = 1000000000,
    HAS_SETTINGS,
    .read = take_sample,
};

EXPORTS(&descriptor)
