/* A push meter that reads its readings from a file, and hands each over once its time has come:
 *
 *     circuit ID KIND PHASE PARENT NAME
 *     at SECONDS GRID SOLAR BATTERY POWER...
 *
 * A reading is the mean of the five minutes before it. PARENT, and a power that is not measured, is `-`. */
#define _POSIX_C_SOURCE 200809L

#include "library.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CIRCUITS 16
#define PERIOD INT64_C(300)
#ifndef QUALITY
#define QUALITY METER_QUALITY_MEASURED
#endif

struct names {
    char id[32];
    char parent[32];
    char name[64];
};

struct meter_instance {
    const meter_host *host;
    char file[1024];
    pthread_t thread;
    meter_circuit circuits[CIRCUITS];
    struct names names[CIRCUITS];
    uint32_t count;
};

static int32_t create(const meter_descriptor *descriptor, const meter_host *host, meter_instance **instance,
                      meter_error *error) {
    (void)descriptor;
    meter_text path;
    meter_instance *made = calloc(1, sizeof *made);
    if (made == NULL || host->setting(host->context, meter_text_of("file"), &path) != METER_OK ||
        path.length >= sizeof made->file) {
        free(made);
        return meter_fail(error, METER_MISCONFIGURED, "DIARY_FILE is not set");
    }
    made->host = host;
    memcpy(made->file, path.data, path.length);
    *instance = made;
    return METER_OK;
}

static void add_circuit(meter_instance *instance, const char *line) {
    struct names *names = &instance->names[instance->count];
    meter_circuit *circuit = &instance->circuits[instance->count];
    if (instance->count == CIRCUITS ||
        sscanf(line, "circuit %31s %u %u %31s %63[^\n]", names->id, &circuit->kind, &circuit->phase, names->parent,
               names->name) != 5) {
        return;
    }
    circuit->id = meter_text_of(names->id);
    circuit->name = meter_text_of(names->name);
    if (strcmp(names->parent, "-") != 0) {
        circuit->parent_id = meter_text_of(names->parent);
    }
    instance->count++;
}

/* A number, or 0 where there is a `-`. */
static int take_number(char **text, double *number) {
    char *word = strtok_r(NULL, " \n", text);
    if (word == NULL || strcmp(word, "-") == 0) {
        return 0;
    }
    *number = strtod(word, NULL);
    return 1;
}

/* 0 where the host is done with this instance. */
static int wait_until(const meter_host *host, int64_t wall) {
    while (host->now_wall(host->context) < wall) {
        if (host->cancelled(host->context)) {
            return 0;
        }
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return !host->cancelled(host->context);
}

static int hand_over(meter_instance *instance, char *line) {
    const meter_host *host = instance->host;
    meter_reading reading = meter_reading_make();
    char *rest = NULL;
    double number = 0;
    strtok_r(line, " ", &rest);
    take_number(&rest, &number);
    reading.timestamp_ns = (int64_t)number * INT64_C(1000000000);
    reading.period_ns = PERIOD * INT64_C(1000000000);
    reading.quality = QUALITY;
    reading.known = METER_GRID_POWER | METER_SOLAR_POWER | METER_BATTERY_POWER;
    if (take_number(&rest, &number)) {
        meter_set_grid_power_w(&reading, number);
    }
    if (take_number(&rest, &number)) {
        meter_set_solar_power_w(&reading, number);
    }
    if (take_number(&rest, &number)) {
        meter_set_battery_power_w(&reading, number);
    }
    for (uint32_t index = 0; index < instance->count; index++) {
        meter_circuit *circuit = &instance->circuits[index];
        circuit->present = take_number(&rest, &circuit->power_w) ? METER_CIRCUIT_POWER : 0;
    }
    reading.circuits = instance->circuits;
    reading.circuit_count = instance->count;
    reading.circuit_stride = sizeof(meter_circuit);
    if (!wait_until(host, reading.timestamp_ns)) {
        return 0;
    }
    while (host->emit(host->context, &reading) == METER_EMIT_BUSY) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return 1;
}

static void *push(void *argument) {
    meter_instance *instance = argument;
    char line[512];
    FILE *file = fopen(instance->file, "r");
    if (file == NULL) {
        instance->host->condition(instance->host->context, METER_FAILED, 0, meter_text_of("the diary is not there"));
        return NULL;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "circuit ", 8) == 0) {
            add_circuit(instance, line);
        } else if (strncmp(line, "at ", 3) == 0 && !hand_over(instance, line)) {
            break;
        }
    }
    fclose(file);
    return NULL;
}

static int32_t start(meter_instance *instance, meter_error *error) {
    return pthread_create(&instance->thread, NULL, push, instance) == 0
               ? METER_OK
               : meter_fail(error, METER_FAILED, "no thread");
}

static void stop(meter_instance *instance) { pthread_join(instance->thread, NULL); }

static void destroy(meter_instance *instance) { free(instance); }

static const meter_setting settings[] = {{
    .name = METER_TEXT("file"),
    .help = METER_TEXT("The readings"),
    .kind = METER_SETTING_FILE,
    .required = 1,
}};

static const meter_descriptor descriptor = {
    DESCRIBES("diary", "Diary"),
    .delivery = METER_DELIVERY_PUSH,
    .default_sampling_ns = PERIOD * INT64_C(1000000000),
    .minimum_sampling_ns = INT64_C(1000000000),
    HAS_SETTINGS,
};

EXPORTS(&descriptor)
