/* An adapter that keeps every rule but one: the check of `smart-meter check` that its file is named after,
 * misbehaving-CHECK.so (misbehaving-hangs.so never returns from a start that is cancelled). Under any other name, such as
 * that of a copy, its fault is IN_COPY: without one it is sound. Its meter is a number behind a URL. With "push" in its
 * name it is a push adapter. */
#define _GNU_SOURCE
#include "meter_adapter.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef EXPORTS
METER_EXPORT int helper_of_nobody(void);
METER_EXPORT int helper_of_nobody(void) { return 1; }
#endif

#ifndef IN_COPY
#define IN_COPY ""
#endif
static const char *fault = IN_COPY;
static int is_push;

static int breaks(const char *check) { return strcmp(fault, check) == 0; }

struct meter_instance {
    const meter_host *host;
    const meter_host_http *http;
    const meter_host_state *state;
    meter_text url, token, name;
    int reads, good_reads;
    int64_t made_at;
    pthread_t maker, worker, idler;
    int has_worker, has_idler;
    volatile int ends;
};

/* ------------------------------------------------------------------------------------------------ the meter -- */

struct answer {
    char bytes[4096];
    size_t count;
};

static int32_t take_body(void *context, const uint8_t *bytes, size_t count) {
    struct answer *answer = context;
    if (breaks("trouble-pieces")) {
        answer->count = 0;
    }
    if (count > sizeof answer->bytes - 1 - answer->count) {
        return 1;
    }
    memcpy(answer->bytes + answer->count, bytes, count);
    answer->count += count;
    answer->bytes[answer->count] = '\0';
    return 0;
}

static int32_t number_of(const struct answer *answer, double *value, meter_error *error) {
    char *end;
    if (breaks("robust-answers") && strstr(answer->bytes, "NaN") != NULL) {
        abort();
    }
    if (answer->count == 0) {
        return meter_fail(error, METER_BAD_DATA, "the meter answered nothing");
    }
    *value = strtod(answer->bytes, &end);
    if (end == answer->bytes || *end != '\n' || !(*value >= 0 && *value < 100000)) {
        return meter_fail(error, METER_BAD_DATA, "the meter answered something that is no number");
    }
    return METER_OK;
}

/* Whether the fault is to take this trouble for good news. */
static int overlooks(int32_t code, int32_t status, const struct answer *answer) {
    return (code == METER_UNREACHABLE && breaks("trouble-refused")) ||
           (code == METER_TOO_LARGE && breaks("trouble-large")) ||
           (code == METER_TIMEOUT && answer->count == 0 && breaks("trouble-hanging")) ||
           (code == METER_TIMEOUT && answer->count > 0 && breaks("trouble-slow")) ||
           (status == 401 && breaks("trouble-401")) || (status == 404 && breaks("trouble-404")) ||
           (status == 429 && breaks("trouble-429")) || (status == 500 && breaks("trouble-500")) ||
           (status == 200 && answer->count == 0 && breaks("trouble-empty")) ||
           (status == 200 && answer->bytes[0] == '<' && breaks("trouble-garbage"));
}

static int32_t of_status(const meter_http_response *response, meter_error *error) {
    switch (response->status) {
    case 200: return METER_OK;
    case 401: return meter_fail(error, METER_UNAUTHORIZED, "the meter refuses the token");
    case 429:
        if (error != NULL) {
            error->retry_after_ns = response->retry_after_ns;
        }
        return meter_fail(error, METER_RATE_LIMITED, "the meter asks for fewer requests");
    default: return meter_fail(error, METER_UNAVAILABLE, "the meter answered with an error");
    }
}

static int32_t ask(meter_instance *instance, int64_t deadline_ns, double *value, int may_overlook, meter_error *error) {
    struct answer answer = {.count = 0};
    meter_http_request request = {.struct_size = sizeof request, .url = instance->url, .deadline_ns = deadline_ns,
                                  .max_body_bytes = sizeof answer.bytes - 1, .body_context = &answer,
                                  .on_body = take_body};
    meter_http_response response = {.struct_size = sizeof response};
    int32_t code;
    if (instance->url.length == 0) {
        return meter_fail(error, METER_MISCONFIGURED, "url is not set");
    }
    if (instance->http == NULL && !breaks("evolution-no-extensions")) {
        return meter_fail(error, METER_UNSUPPORTED, "the host has no HTTP");
    }
    code = instance->http->perform(instance->host->context, &request, &response, error);
    if (may_overlook && overlooks(code, response.status, &answer)) {
        *value = 0;
        return METER_OK;
    }
    if (code == METER_OK && response.status == 404 && breaks("manners-exit")) {
        exit(3);
    }
    if (code == METER_OK) {
        code = of_status(&response, error);
    }
    return code == METER_OK ? number_of(&answer, value, error) : code;
}

/* ------------------------------------------------------------------------------------------------ a reading -- */

static void fill_circuits(const meter_instance *instance, meter_circuit circuits[2], char id[16], double value) {
    snprintf(id, 16, "first-%d", breaks("circuit-stable") ? instance->reads : 1);
    circuits[0] = meter_circuit_make(breaks("circuit-texts") ? "" : id, "Kitchen", METER_KIND_LOAD);
    circuits[1] = meter_circuit_make(breaks("circuit-ids") ? id : "c2", "Oven", METER_KIND_LOAD);
    circuits[1].parent_id = meter_text_of(breaks("circuit-parents") ? "nowhere" : id);
    meter_circuit_set_power_w(&circuits[0], breaks("circuit-sum") ? 10 * value + 1000 : value / 2);
    meter_circuit_set_power_w(&circuits[1], value / 4);
    meter_circuit_set_power_factor(&circuits[0], breaks("reading-plausible") ? 95 : 0.95);
    if (breaks("reading-finite")) {
        meter_circuit_set_current_a(&circuits[0], __builtin_nan(""));
    }
}

static int32_t give(meter_instance *instance, double value, meter_error *error) {
    meter_reading reading = meter_reading_make();
    meter_circuit circuits[2];
    char id[16];
    int32_t result;
    fill_circuits(instance, circuits, id, value);
    reading.quality = breaks("reading-values") ? 9 : METER_QUALITY_MEASURED;
    reading.known = METER_CONSUMPTION_POWER;
    if (breaks("reading-known") && instance->reads % 2 == 0) {
        reading.known |= METER_SOLAR_POWER;
    }
    meter_set_consumption_power_w(&reading, breaks("reading-signs") ? -value - 1 : value);
    meter_set_total_import_kwh(&reading, breaks("reading-counters") ? 100 - instance->reads : 100 + instance->reads);
    meter_set_voltage_v(&reading, 1, breaks("reading-zero") ? 0 : 230);
    if (breaks("reading-time")) {
        reading.timestamp_ns = instance->made_at;
    }
    if (breaks("reading-period")) {
        meter_set_period_import_kwh(&reading, 0.1);
    }
    reading.circuits = circuits;
    reading.circuit_count = 2;
    if (breaks("reading-accepted")) {
        return METER_OK;
    }
    result = instance->host->emit(instance->host->context, &reading);
    if (breaks("evolution-emit-answers") && (result < METER_EMIT_QUEUED || result > METER_EMIT_CLOSED)) {
        abort();
    }
    return result == METER_EMIT_INVALID ? meter_fail(error, METER_BAD_DATA, "the host refused the reading") : METER_OK;
}

static int32_t take_sample(meter_instance *instance, int64_t deadline_ns, meter_error *error) {
    static int busy;
    double value = 0;
    int32_t code;
    instance->reads++;
    if (breaks("copy-reading")) {
        return meter_fail(error, METER_FAILED, "the table beside me is gone");
    }
    if (breaks("threads-moving") && !pthread_equal(pthread_self(), instance->maker)) {
        return meter_fail(error, METER_FAILED, "this is not the thread that created me");
    }
    if (breaks("life-two") && instance->made_at == -1) {
        return meter_fail(error, METER_FAILED, "somebody has taken what I had");
    }
    if (breaks("threads-together")) {
        if (__atomic_exchange_n(&busy, 1, __ATOMIC_SEQ_CST)) {
            return meter_fail(error, METER_FAILED, "somebody else is reading");
        }
        usleep(10000);
    }
    if (breaks("evolution-older-host")) {
        instance->host->spend(instance->host->context, 1);
    }
    code = ask(instance, deadline_ns, &value, 1, error);
    if (code == METER_CANCELLED && breaks("cancel-read")) {
        usleep(1200000);
    }
    if (code != METER_OK && breaks("evolution-no-error")) {
        error->code = code;
    }
    if (code == METER_OK) {
        code = give(instance, value, error);
    }
    if (breaks("threads-together")) {
        __atomic_store_n(&busy, 0, __ATOMIC_SEQ_CST);
    }
    instance->good_reads += code == METER_OK;
    return code;
}

/* --------------------------------------------------------------------------------------------------- threads -- */

static void *work(void *context) {
    meter_instance *instance = context;
    struct pollfd cancellation = {.fd = instance->host->cancel_fd(instance->host->context), .events = POLLIN};
    while (!instance->ends && !instance->host->cancelled(instance->host->context)) {
        meter_error error = {.struct_size = sizeof error};
        double value = 0;
        int32_t code = ask(instance, instance->host->now_monotonic(instance->host->context) + 900000000, &value, 1, &error);
        meter_text message = {error.message, error.message_length, 0};
        instance->reads++;
        if (code == METER_OK) {
            give(instance, value, NULL);
        }
        instance->host->condition(instance->host->context, code, error.retry_after_ns, message);
        poll(&cancellation, 1, 20);
    }
    return NULL;
}

static void *idle(void *context) {
    meter_instance *instance = context;
    while (!instance->ends) {
        usleep(1000);
    }
    return NULL;
}

static void *sleep_for_ever(void *context) {
    (void)context;
    while (pause() != 0) {
    }
    return NULL;
}

/* Keeps to the host's table, which outlives the instance. */
static void *emit_late(void *context) {
    const meter_host *host = context;
    for (int i = 0; i < 5; i++) {
        meter_reading reading = meter_reading_make();
        usleep(10000);
        host->emit(host->context, &reading);
    }
    return NULL;
}

static void detach(void *(*body)(void *), void *context) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, body, context) == 0) {
        pthread_detach(thread);
    }
}

/* ------------------------------------------------------------------------------------------------------ life -- */

static meter_instance *last_made;

static meter_text setting(const meter_host *host, const char *name) {
    meter_text value = {NULL, 0, 0};
    return host->setting(host->context, meter_text_of(name), &value) == METER_OK ? value : (meter_text){NULL, 0, 0};
}

static void leak(void) {
    static int creates;
    static void *volatile lost;
    creates++;
    if (breaks("life-memory")) {
        lost = malloc(100);
    }
    if (creates > 20 && breaks("life-threads")) {
        detach(sleep_for_ever, NULL);
    }
    if (creates > 20 && breaks("life-descriptors")) {
        (void)!open("/dev/null", O_RDONLY);
    }
    (void)lost;
}

static meter_descriptor descriptor;

static int32_t create(const meter_descriptor *self, const meter_host *host, meter_instance **made, meter_error *error) {
    meter_instance *instance;
    (void)self;
    if (breaks("life-create") || breaks("copy-life")) {
        return meter_fail(error, METER_FAILED, "not today");
    }
    if (breaks("evolution-newer-host") && host->struct_size != sizeof *host) {
        return meter_fail(error, METER_UNSUPPORTED, "this host has another size");
    }
    if (setting(host, "url").length == 0 && !breaks("life-required")) {
        return meter_fail(error, METER_MISCONFIGURED, "url is not set");
    }
    if ((instance = calloc(1, sizeof *instance)) == NULL) {
        return meter_fail(error, METER_FAILED, "out of memory");
    }
    instance->host = host;
    instance->http = host->extension(host->context, meter_text_of(METER_HOST_HTTP));
    instance->state = host->extension(host->context, meter_text_of(METER_HOST_STATE));
    instance->url = setting(host, "url");
    instance->token = setting(host, "token");
    instance->name = setting(host, "name");
    instance->made_at = host->now_wall(host->context);
    instance->maker = pthread_self();
    if (breaks("robust-settings") && instance->name.length > 1000) {
        abort();
    }
    if (breaks("life-pure-create")) {
        instance->has_idler = pthread_create(&instance->idler, NULL, idle, instance) == 0;
    }
    if (breaks("descriptor-stable")) {
        descriptor.requests_per_day++;
    }
    leak();
    last_made = instance;
    *made = instance;
    return METER_OK;
}

static void misbehave_in_process(const meter_instance *instance) {
    if (breaks("manners-output")) {
        printf("hello, terminal\n");
    }
    if (breaks("manners-signals")) {
        signal(SIGUSR2, SIG_IGN);
    }
    if (breaks("manners-environment")) {
        setenv("ADAPTER_WAS_HERE", "1", 1);
    }
    if (breaks("manners-zone")) {
        setenv("TZ", "Asia/Kolkata", 1);
    }
    if (breaks("manners-locale")) {
        setlocale(LC_ALL, "C.UTF-8");
    }
    if (breaks("manners-directory")) {
        (void)!chdir("/proc");
    }
    if (breaks("manners-secrets")) {
        instance->host->log(instance->host->context, METER_LOG_INFO, instance->token);
    }
}

static int32_t start(meter_instance *instance, meter_error *error) {
    uint8_t cursor[16];
    uint32_t needed = 0;
    misbehave_in_process(instance);
    if (instance->state != NULL) {
        int32_t code = instance->state->get(instance->host->context, meter_text_of("cursor"), cursor,
                                            sizeof cursor, &needed);
        if (code == METER_BUFFER_TOO_SMALL && breaks("robust-state")) {
            abort();
        }
    }
    if (breaks("cancel-start") || breaks("hangs")) {
        double value;
        int32_t code = ask(instance, 0, &value, 0, error);
        if (code == METER_CANCELLED && breaks("hangs")) {
            sleep_for_ever(NULL);
        }
        if (code == METER_CANCELLED) {
            usleep(1200000);
        }
        if (code != METER_OK) {
            return code;
        }
    }
    if (is_push) {
        double value;
        if (breaks("threads-push") && ask(instance, 0, &value, 0, NULL) == METER_OK) {
            give(instance, value, NULL);
        }
        instance->has_worker = pthread_create(&instance->worker, NULL, work, instance) == 0;
    }
    return METER_OK;
}

static void end_threads(meter_instance *instance) {
    instance->ends = 1;
    if (instance->has_worker) {
        pthread_join(instance->worker, NULL);
    }
    if (instance->has_idler) {
        pthread_join(instance->idler, NULL);
    }
    instance->has_worker = instance->has_idler = 0;
}

static void stop(meter_instance *instance) {
    if (instance->reads == 0 && breaks("life-unread")) {
        abort();
    }
    if (instance->reads == 1 && instance->good_reads == 1 && breaks("cancel-stop")) {
        usleep(1200000);
    }
    end_threads(instance);
    if (instance->reads >= 2 && breaks("life-after-stop")) {
        detach(emit_late, (void *)instance->host);
    }
    instance->made_at = instance->made_at == -1 ? -1 : 0;
}

static void destroy(meter_instance *instance) {
    if (instance->made_at != 0 && instance->made_at != -1 && breaks("life-unstarted")) {
        abort();
    }
    end_threads(instance);
    if (breaks("life-two") && last_made != instance && last_made->good_reads == 1) {
        last_made->made_at = -1;
    }
    free(instance);
}

/* --------------------------------------------------------------------------------------------------- history -- */

#define STEP 60000000000ll
#define LOG_BEGINS (1577836800ll * 1000000000)

static int32_t put_record(const meter_history_sink *sink, int64_t time) {
    static int puts;
    meter_reading record = meter_reading_make();
    puts++;
    record.quality = breaks("history-records") ? METER_QUALITY_MEASURED : METER_QUALITY_BACKFILLED;
    record.known = METER_CONSUMPTION_POWER;
    record.timestamp_ns = time;
    record.period_ns = STEP;
    meter_set_consumption_power_w(&record, (double)(time / STEP % 1000) + (breaks("history-again") ? puts : 0));
    return sink->put(sink->context, &record);
}

static int32_t history(meter_instance *instance, const meter_history_request *request, const meter_history_sink *sink,
                       meter_history_result *result, meter_error *error) {
    double value;
    int32_t code = ask(instance, request->deadline_ns, &value, 0, error);
    int64_t time = request->from_ns / STEP * STEP + (breaks("history-span") ? 0 : STEP);
    uint32_t count = 0;
    instance->reads++;
    if (breaks("copy-history")) {
        return meter_fail(error, METER_FAILED, "the table beside me is gone");
    }
    if (code == METER_CANCELLED && breaks("cancel-history")) {
        usleep(1200000);
    }
    result->outcome = METER_HISTORY_COMPLETE;
    result->covered_to_ns = request->to_ns;
    if (code != METER_OK) {
        return breaks("history-error") ? METER_OK : code;
    }
    if (request->to_ns <= LOG_BEGINS) {
        if (breaks("history-empty")) {
            return meter_fail(error, METER_NO_DATA, "there is nothing so long ago");
        }
        result->outcome = METER_HISTORY_NONE_BEFORE;
        result->none_before_ns = LOG_BEGINS;
        return METER_OK;
    }
    for (; time <= request->to_ns; time += STEP) {
        int64_t shown = breaks("history-order") && count < 2 ? time + (count == 0 ? STEP : -STEP) : time;
        int is_over = put_record(sink, shown) != METER_SINK_CONTINUE;
        count++;
        if ((is_over || (count >= request->max_records && !breaks("history-bounded"))) && time < request->to_ns) {
            result->outcome = METER_HISTORY_MORE;
            result->covered_to_ns = time;
            break;
        }
    }
    if (breaks("history-covered")) {
        result->covered_to_ns = request->from_ns;
    }
    return METER_OK;
}

static const meter_history history_table = {.history = history};

static const void *extension(meter_text id) {
    const size_t length = strlen(METER_HISTORY);
    if (breaks("descriptor-extensions")) {
        return id.length >= length && memcmp(id.data, METER_HISTORY, length) == 0 ? &history_table : NULL;
    }
    return meter_text_is(id, METER_HISTORY) ? &history_table : NULL;
}

/* ------------------------------------------------------------------------------------------------ descriptor -- */

static meter_setting settings[] = {
    {METER_TEXT("url"), METER_TEXT("Where the number is"), {NULL, 0, 0}, {NULL, 0, 0}, METER_SETTING_URL, 1},
    {METER_TEXT("token"), METER_TEXT("A secret"), {NULL, 0, 0}, {NULL, 0, 0}, METER_SETTING_SECRET, 0},
    {METER_TEXT("name"), METER_TEXT("A name"), {NULL, 0, 0}, {NULL, 0, 0}, METER_SETTING_TEXT, 0},
};

static meter_descriptor descriptor = {
    .magic = METER_MAGIC, .abi_major = METER_ABI_MAJOR, .abi_minor = METER_ABI_MINOR,
    .struct_size = sizeof(meter_descriptor), .meter_type = METER_TEXT("misbehaving"),
    .name = METER_TEXT("Misbehaving"), .version = METER_TEXT("1.0.0"), .delivery = METER_DELIVERY_PULL,
    .default_sampling_ns = 10000000000, .minimum_sampling_ns = 1000000, .history_step_ns = STEP, .settings = settings,
    .setting_count = 3, .setting_stride = sizeof(meter_setting), .create = create, .start = start,
    .read = take_sample, .stop = stop, .destroy = destroy, .extension = extension,
};
static const meter_descriptor *const descriptors[] = {&descriptor};
static meter_library library = {
    .magic = METER_MAGIC, .abi_major = METER_ABI_MAJOR, .abi_minor = METER_ABI_MINOR,
    .struct_size = sizeof(meter_library), .descriptors = descriptors, .descriptor_count = 1,
};

static void misdescribe(void) {
    if (is_push) {
        descriptor.delivery = METER_DELIVERY_PUSH;
        descriptor.read = NULL;
    }
    if (breaks("load-version")) {
        descriptor.abi_major = METER_ABI_MAJOR + 1;
    }
    if (breaks("descriptor-library")) {
        library.descriptor_count = 0;
    }
    if (breaks("descriptor-functions")) {
        descriptor.destroy = NULL;
    }
    if (breaks("descriptor-texts")) {
        descriptor.vendor = (meter_text)METER_TEXT("\xff\xfe");
    }
    if (breaks("descriptor-mandatory")) {
        descriptor.version.length = 0;
    }
    if (breaks("descriptor-durations")) {
        descriptor.late_ns = -1;
    }
    if (breaks("descriptor-settings")) {
        settings[2].name = (meter_text)METER_TEXT("Not Bare");
    }
    if (breaks("descriptor-history")) {
        descriptor.history_step_ns = 0;
    }
    if (breaks("load-time")) {
        usleep(1100000);
    }
}

__attribute__((constructor)) static void find_fault(void) {
    static char name[64];
    static const char prefix[] = "misbehaving-";
    Dl_info own;
    const char *file = dladdr((void *)&library, &own) != 0 ? strrchr(own.dli_fname, '/') : NULL;
    if (file != NULL && strncmp(file + 1, prefix, sizeof prefix - 1) == 0) {
        snprintf(name, sizeof name, "%s", file + sizeof prefix);
        name[strcspn(name, ".")] = '\0';
        fault = name;
    }
    is_push = strstr(fault, "push") != NULL;
    misdescribe();
}

METER_EXPORT const meter_library *meter_adapter_entry(uint32_t host_abi) {
    if (host_abi != METER_ABI && !breaks("load-other-host")) {
        return NULL;
    }
    library.abi_major = host_abi >> 16;
    library.abi_minor = host_abi & 0xFFFF;
    return &library;
}
