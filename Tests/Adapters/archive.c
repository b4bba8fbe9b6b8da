/* A meter with a log of its own and an account: it puts a record for each step that it is asked for, and asks a person
 * for a name and a code. */
#include "library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct meter_instance {
    const meter_host *host;
};

static int32_t create(const meter_descriptor *self, const meter_host *host, meter_instance **made, meter_error *error) {
    (void)self;
    *made = malloc(sizeof **made);
    if (*made == NULL) {
        return meter_fail(error, METER_FAILED, "out of memory");
    }
    (*made)->host = host;
    return METER_OK;
}

static int32_t start(meter_instance *instance, meter_error *error) {
    (void)instance;
    (void)error;
    return METER_OK;
}

static int32_t take_sample(meter_instance *instance, int64_t deadline_ns, meter_error *error) {
    (void)deadline_ns;
    (void)error;
    meter_reading reading = meter_reading_make();
    meter_set_grid_power_w(&reading, 1);
    instance->host->emit(instance->host->context, &reading);
    return METER_OK;
}

static void stop(meter_instance *instance) { (void)instance; }
static void destroy(meter_instance *instance) { free(instance); }

static int32_t history(meter_instance *instance, const meter_history_request *request, const meter_history_sink *sink,
                       meter_history_result *result, meter_error *error) {
    (void)instance;
    if (request->to_ns <= request->from_ns) {
        return meter_fail(error, METER_NO_DATA, "there is nothing in an empty span");
    }
    meter_circuit circuit = meter_circuit_make("boiler", "Boiler", METER_KIND_LOAD);
    int64_t at = request->from_ns;
    uint32_t count = 0;
    int32_t answer = METER_SINK_CONTINUE;
    while (at + request->step_ns <= request->to_ns && answer == METER_SINK_CONTINUE && count < request->max_records) {
        at += request->step_ns;
        count++;
        meter_reading record = meter_reading_make();
        record.timestamp_ns = at;
        record.period_ns = request->step_ns;
        record.quality = METER_QUALITY_BACKFILLED;
        meter_set_grid_power_w(&record, count);
        meter_circuit_set_power_w(&circuit, count);
        record.circuits = &circuit;
        record.circuit_count = 1;
        answer = sink->put(sink->context, &record);
    }
    result->covered_to_ns = at;
    result->outcome = at == request->to_ns ? METER_HISTORY_COMPLETE : METER_HISTORY_MORE;
    result->retry_after_ns = 11;
    result->none_before_ns = 22;
    return METER_OK;
}

static int32_t login(meter_instance *instance, const meter_login_prompter *prompter, meter_login_result *result,
                     meter_error *error) {
    (void)instance;
    char name[16], code[4];
    uint32_t name_length = 0, code_length = 0;
    int32_t answer = prompter->prompt(prompter->context, METER_PROMPT_TEXT, meter_text_of("Your name?"), name,
                                      sizeof name, &name_length);
    if (answer != METER_OK) {
        return meter_fail(error, answer, "nobody answers");
    }
    answer = prompter->prompt(prompter->context, METER_PROMPT_CODE, meter_text_of("The code?"), code, sizeof code,
                              &code_length);
    if (answer == METER_BUFFER_TOO_SMALL) {
        return meter_fail(error, METER_CREDENTIALS_REFUSED, "a code has four digits");
    }
    result->text_length = (uint32_t)snprintf(result->text, sizeof result->text, "Hello %.*s, code %.*s",
                                             (int)name_length, name, (int)code_length, code);
    return METER_OK;
}

static const meter_history history_table = {.history = history};
static const meter_login login_table = {.login = login};

static const void *extension(meter_text id) {
    if (meter_text_is(id, METER_HISTORY)) {
        return &history_table;
    }
    return meter_text_is(id, METER_LOGIN) ? &login_table : NULL;
}

static const meter_descriptor descriptor = {
    DESCRIBES("archive", "Archive"),
    .delivery = METER_DELIVERY_PULL,
    .minimum_sampling_ns = 10000000,
    .history_step_ns = 60000000000,
    .read = take_sample,
    .extension = extension,
};

EXPORTS(&descriptor)
