/* A meter that does what its settings say: `mode` is the way in which it behaves, `gate` a file that lets a call that
 * waits go on, `url` a server to ask. */
#define _POSIX_C_SOURCE 200809L
#include "library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef MINIMUM
#define MINIMUM 10000000
#endif

struct meter_instance {
    const meter_host *host;
    char mode[32];
    char gate[512];
    char url[512];
};

static void copy_setting(const meter_host *host, const char *name, char *target, size_t size) {
    meter_text value;
    target[0] = '\0';
    if (host->setting(host->context, meter_text_of(name), &value) == METER_OK && value.length < size) {
        memcpy(target, value.data, value.length);
        target[value.length] = '\0';
    }
}

static int is(const meter_instance *instance, const char *mode) { return strcmp(instance->mode, mode) == 0; }

static int gate_is_open(const meter_instance *instance) { return access(instance->gate, F_OK) == 0; }

/* As an adapter that has forgotten about deadlines and cancellation. */
static void wait_for_gate(const meter_instance *instance) {
    while (!gate_is_open(instance)) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static void say(const meter_instance *instance, const char *words) {
    instance->host->log(instance->host->context, METER_LOG_INFO, meter_text_of(words));
}

static int32_t emit(const meter_instance *instance) {
    meter_reading reading = meter_reading_make();
    reading.known = METER_CONSUMPTION_POWER;
    meter_set_consumption_power_w(&reading, 1000);
    return instance->host->emit(instance->host->context, &reading);
}

static int32_t fetch(const meter_instance *instance, meter_error *error) {
    const meter_host_http *http =
        instance->host->extension(instance->host->context, meter_text_of(METER_HOST_HTTP));
    meter_http_request request = {.struct_size = sizeof request, .method = METER_HTTP_GET};
    meter_http_response response = {.struct_size = sizeof response};
    request.url = meter_text_of(instance->url);
    return http->perform(instance->host->context, &request, &response, error);
}

static int32_t create(const meter_descriptor *descriptor, const meter_host *host, meter_instance **instance,
                      meter_error *error) {
    (void)descriptor;
    meter_instance *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return meter_fail(error, METER_FAILED, "out of memory");
    }
    made->host = host;
    copy_setting(host, "mode", made->mode, sizeof made->mode);
    copy_setting(host, "gate", made->gate, sizeof made->gate);
    copy_setting(host, "url", made->url, sizeof made->url);
    if (is(made, "misconfigured")) {
        free(made);
        return meter_fail(error, METER_MISCONFIGURED, "the setting mode makes no sense");
    }
    if (is(made, "create hangs")) {
        wait_for_gate(made);
    }
    *instance = made;
    return METER_OK;
}

static int32_t start(meter_instance *instance, meter_error *error) {
    if (is(instance, "start fails") && !gate_is_open(instance)) {
        return meter_fail(error, METER_UNREACHABLE, "nobody is there");
    }
    if (is(instance, "push")) {
        instance->host->condition(instance->host->context, METER_UNREACHABLE, 0, meter_text_of("the line is dead"));
        emit(instance);
    }
    return METER_OK;
}

static int32_t take_sample(meter_instance *instance, int64_t deadline_ns, meter_error *error) {
    (void)deadline_ns;
    if (is(instance, "silent")) {
        return METER_OK;
    }
    if (is(instance, "refused")) {
        return meter_fail(error, METER_CREDENTIALS_REFUSED, "the account does not know this password");
    }
    if (is(instance, "fails") && !gate_is_open(instance)) {
        return meter_fail(error, METER_UNREACHABLE, "nobody is there");
    }
    if (is(instance, "read hangs")) {
        wait_for_gate(instance);
    }
    if (is(instance, "fetches")) {
        int32_t code = fetch(instance, error);
        if (code != METER_OK) {
            return code;
        }
    }
    emit(instance);
    return METER_OK;
}

/* Says what the host's services answer to an instance that is being stopped. */
static void stop(meter_instance *instance) {
    const meter_host_state *state =
        instance->host->extension(instance->host->context, meter_text_of(METER_HOST_STATE));
    char words[128];
    if (state != NULL) {
        int32_t stored = state->set(instance->host->context, meter_text_of("cursor"), (const uint8_t *)"9", 1, NULL);
        snprintf(words, sizeof words, "in stop: emit %d, fetch %d, state %d, cancelled %d", emit(instance),
                 fetch(instance, NULL), stored, instance->host->cancelled(instance->host->context));
        say(instance, words);
    }
}

static void destroy(meter_instance *instance) {
    say(instance, "destroyed");
    free(instance);
}

static const meter_setting settings[] = {
    {.name = METER_TEXT("mode"), .help = METER_TEXT("How it behaves."), .kind = METER_SETTING_TEXT},
    {.name = METER_TEXT("gate"), .help = METER_TEXT("What it waits for."), .kind = METER_SETTING_FILE},
    {.name = METER_TEXT("url"), .help = METER_TEXT("What it asks."), .kind = METER_SETTING_URL},
};

#define LIVES .default_sampling_ns = 100000000, .minimum_sampling_ns = MINIMUM, HAS_SETTINGS

static const meter_descriptor pulled = {
    DESCRIBES("scripted", "Scripted"),
    LIVES,
    .delivery = METER_DELIVERY_PULL,
    .read = take_sample,
};
static const meter_descriptor pushing = {
    DESCRIBES("pushing", "Scripted"),
    LIVES,
    .delivery = METER_DELIVERY_PUSH,
};

EXPORTS(&pulled, &pushing)
