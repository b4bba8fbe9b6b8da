/* A meter behind an account: it reads with a token, which it gets by a login that asks a person for a name, a password
 * and a code, and keeps in the host's state. CLOUD_MODE says how it misbehaves. */
#define _DEFAULT_SOURCE
#include "library.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct meter_instance {
    const meter_host *host;
    const meter_host_state *state;
    atomic_int has_enough;
    char mode[32];
};

static int32_t create(const meter_descriptor *self, const meter_host *host, meter_instance **made, meter_error *error) {
    (void)self;
    meter_text mode;
    meter_instance *instance = calloc(1, sizeof *instance);
    if (instance == NULL) {
        return meter_fail(error, METER_FAILED, "out of memory");
    }
    instance->host = host;
    instance->state = host->extension(host->context, meter_text_of(METER_HOST_STATE));
    if (host->setting(host->context, meter_text_of("mode"), &mode) == METER_OK && mode.length < sizeof instance->mode) {
        memcpy(instance->mode, mode.data, mode.length);
    }
    if (strcmp(instance->mode, "misconfigured") == 0) {
        free(instance);
        return meter_fail(error, METER_MISCONFIGURED, "CLOUD_MODE makes no sense");
    }
    *made = instance;
    return METER_OK;
}

static int is(const meter_instance *instance, const char *mode) { return strcmp(instance->mode, mode) == 0; }

static int has_token(const meter_instance *instance) {
    uint8_t token[64];
    uint32_t needed = 0;
    return instance->state->get(instance->host->context, meter_text_of("token"), token, sizeof token, &needed) ==
           METER_OK;
}

static int32_t check_token(const meter_instance *instance, meter_error *error) {
    return has_token(instance) ? METER_OK : meter_fail(error, METER_LOGIN_REQUIRED, "the account wants a person");
}

static void emit(const meter_instance *instance) {
    meter_reading reading = meter_reading_make();
    reading.known = METER_CONSUMPTION_POWER;
    meter_set_consumption_power_w(&reading, 321);
    instance->host->emit(instance->host->context, &reading);
}

static int32_t start(meter_instance *instance, meter_error *error) {
    return is(instance, "start") ? check_token(instance, error) : METER_OK;
}

static int32_t take_sample(meter_instance *instance, int64_t deadline_ns, meter_error *error) {
    (void)deadline_ns;
    if (!is(instance, "reads") && check_token(instance, error) != METER_OK) {
        return METER_LOGIN_REQUIRED;
    }
    emit(instance);
    return METER_OK;
}

static void stop(meter_instance *instance) { (void)instance; }
static void destroy(meter_instance *instance) { free(instance); }

static int32_t ask(const meter_login_prompter *prompter, uint32_t kind, const char *question, char *answer,
                   uint32_t capacity) {
    uint32_t length = 0;
    int32_t code = prompter->prompt(prompter->context, kind, meter_text_of(question), answer, capacity - 1, &length);
    answer[code == METER_OK ? length : 0] = '\0';
    return code;
}

static void say(const meter_instance *instance, const char *name, const char *password, const char *code) {
    char words[512];
    snprintf(words, sizeof words, "heard name=%s password=%s code=%s", name, password, code);
    instance->host->log(instance->host->context, METER_LOG_WARNING, meter_text_of(words));
}

/* As one that hands over readings by itself, whatever else goes on. */
static void *emit_on(void *context) {
    meter_instance *instance = context;
    while (!atomic_load(&instance->has_enough)) {
        emit(instance);
        usleep(5000);
    }
    return NULL;
}

static int32_t converse(meter_instance *instance, const meter_login_prompter *prompter, meter_login_result *result,
                     meter_error *error) {
    char name[128], password[128], code[128], words[400];
    int32_t answer = METER_OK;
    /* As one that takes no for no answer, until it is to stop. */
    while (is(instance, "asks for ever") && !instance->host->cancelled(instance->host->context)) {
        ask(prompter, METER_PROMPT_TEXT, "And now?", name, sizeof name);
        usleep(1000);
    }
    if (is(instance, "rude")) {
        answer = ask(prompter, METER_PROMPT_TEXT, "\033[31mred\033]0;title\007\nline\rback\xc2\x9b" "31m\xe2\x80\xaeRLO",
                     name, sizeof name);
    } else {
        answer = ask(prompter, METER_PROMPT_TEXT, "E-mail", name, sizeof name);
    }
    if (answer == METER_OK) {
        answer = ask(prompter, METER_PROMPT_SECRET, "Password", password, sizeof password);
    }
    if (answer == METER_OK) {
        answer = ask(prompter, METER_PROMPT_CODE, "Code from the app", code, sizeof code);
    }
    if (answer != METER_OK) {
        return meter_fail(error, answer, "nobody answers");
    }
    say(instance, name, password, code);
    if (is(instance, "crashes")) {
        abort();
    }
    if (strcmp(password, "correct horse & battery=\xc3\xa9") != 0 || strcmp(code, "924613") != 0) {
        snprintf(words, sizeof words, "the account does not know %s with %s", password, code);
        return meter_fail(error, METER_CREDENTIALS_REFUSED, words);
    }
    if (instance->state->set(instance->host->context, meter_text_of("token"), (const uint8_t *)"t0ken", 5, error) !=
        METER_OK) {
        return METER_FAILED;
    }
    result->text_length = (uint32_t)snprintf(result->text, sizeof result->text, "account %s, 1 monitor%s", name,
                                             is(instance, "rude") ? " \033[2J" : "");
    return METER_OK;
}

static int32_t login(meter_instance *instance, const meter_login_prompter *prompter, meter_login_result *result,
                     meter_error *error) {
    pthread_t emitter;
    int emits = is(instance, "emits") && pthread_create(&emitter, NULL, emit_on, instance) == 0;
    int32_t code = converse(instance, prompter, result, error);
    if (emits) {
        atomic_store(&instance->has_enough, 1);
        pthread_join(emitter, NULL);
    }
    return code;
}

static const meter_login login_table = {.login = login};

static const void *extension(meter_text id) { return meter_text_is(id, METER_LOGIN) ? &login_table : NULL; }

static const meter_setting settings[] = {
    {.name = METER_TEXT("mode"), .help = METER_TEXT("How it misbehaves"), .kind = METER_SETTING_TEXT},
    {.name = METER_TEXT("password"), .help = METER_TEXT("Instead of a login"), .kind = METER_SETTING_SECRET},
    {.name = METER_TEXT("code"), .help = METER_TEXT("Instead of a login"), .kind = METER_SETTING_SECRET},
};

static const meter_descriptor descriptor = {
    DESCRIBES("cloud", "Cloud"),
    .delivery = METER_DELIVERY_PULL,
    .default_sampling_ns = 100000000,
    .minimum_sampling_ns = 10000000,
    HAS_SETTINGS,
    .read = take_sample,
    .extension = extension,
};

EXPORTS(&descriptor)
