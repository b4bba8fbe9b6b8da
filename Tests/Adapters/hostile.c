/* An adapter that misbehaves: the setting `misdeed` says how. What does not end the process is followed by an ordinary
 * reading, so that one sees whether it goes on. Macros make libraries that misbehave before there is a setting. */
#define _GNU_SOURCE
#include "meter_adapter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef METER_TYPE_NAME
#define METER_TYPE_NAME "hostile"
#endif
/* Statements that run where the name says. */
#ifndef IN_CONSTRUCTOR
#define IN_CONSTRUCTOR (void)0
#endif
#ifndef IN_ENTRY
#define IN_ENTRY (void)0
#endif

struct meter_instance {
    const meter_host *host;
    char misdeed[32];
    char prey[1024];
    int reads;
};

/* What a thread that outlives its instance still knows. */
static const meter_host *survivor;

static void crash(void) {
    volatile int *nowhere = (volatile int *)8;
    *nowhere = 1;
}

static void sleep_for_ever(void) {
    for (;;) {
        pause();
    }
}

static void spin(void) {
    for (volatile unsigned long i = 0;; i++) {
    }
}

__attribute__((constructor)) static void construct(void) { IN_CONSTRUCTOR; }

static void say(const meter_host *host, const char *words) {
    host->log(host->context, METER_LOG_INFO, meter_text_of(words));
}

static meter_reading ordinary(void) {
    meter_reading reading = meter_reading_make();
    reading.known = METER_CONSUMPTION_POWER;
    meter_set_consumption_power_w(&reading, 1000);
    return reading;
}

static int32_t emit(const meter_host *host, const meter_reading *reading) {
    return host->emit(host->context, reading);
}

static void emit_ordinary(const meter_host *host) {
    meter_reading reading = ordinary();
    emit(host, &reading);
}

/* ------------------------------------------------------------------------------------------ ends -- */

static void *crash_soon(void *nothing) {
    (void)nothing;
    crash();
    return NULL;
}

static void crash_in_thread(meter_instance *instance) {
    (void)instance;
    pthread_t thread;
    pthread_create(&thread, NULL, crash_soon, NULL);
    sleep_for_ever();
}

static void do_crash(meter_instance *instance) { (void)instance; crash(); }
static void do_abort(meter_instance *instance) { (void)instance; abort(); }
static void do_exit(meter_instance *instance) { (void)instance; exit(0); }
static void do_loop(meter_instance *instance) { (void)instance; spin(); }
static void do_sleep(meter_instance *instance) {
    say(instance->host, "sleeps");
    sleep_for_ever();
}

/* ------------------------------------------------------------------------------------- resources -- */

static void allocate(meter_instance *instance) {
    (void)instance;
    volatile char *memory = malloc((size_t)4 << 30);
    memory[0] = 1;
}

static void leak(meter_instance *instance) {
    (void)instance;
    for (;;) {
        volatile char *memory = malloc(8 << 20);
        for (int i = 0; i < 8 << 20; i += 4096) {
            memory[i] = 1;
        }
    }
}

static void open_files(meter_instance *instance) {
    int opened = 0;
    for (int i = 0; i < 100000; i++) {
        opened += open("/dev/null", O_RDONLY) >= 0;
    }
    char words[64];
    snprintf(words, sizeof words, "opened %s files", opened < 100000 ? "not all" : "all");
    say(instance->host, words);
}

static void fork_bomb(meter_instance *instance) {
    if (instance->reads > 1) {
        return;
    }
    int made = 0;
    for (int i = 0; i < 100; i++) {
        pid_t child = fork();
        if (child == 0) {
            sleep_for_ever();
        }
        made += child > 0;
    }
    char words[64];
    snprintf(words, sizeof words, "forked %d", made);
    say(instance->host, words);
}

/* On the line to the host, wherever that is. */
static void write_garbage(meter_instance *instance) {
    (void)instance;
    char bytes[4096];
    memset(bytes, 0xA5, sizeof bytes);
    for (int i = 3; i < 200; i++) {
        (void)!write(i, bytes, sizeof bytes);
    }
    sleep_for_ever();
}

/* In a session of its own: a signal to the group does not reach it. */
static void leave_orphans(meter_instance *instance) {
    (void)instance;
    for (int i = 0; i < 3; i++) {
        if (fork() == 0) {
            setsid();
            if (fork() == 0) {
                sleep_for_ever();
            }
            _exit(0);
        }
    }
    _exit(3);
}

static void write_much(meter_instance *instance) {
    if (instance->reads > 1) {
        return;
    }
    static char line[1024];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < 100 * 1024; i++) {
        if (write(STDOUT_FILENO, line, sizeof line) < 0) {
            return;
        }
    }
    say(instance->host, "wrote 100 MB");
}

/* As many as it can for some seconds: more than a million a second, where nothing holds it back. */
static void flood(meter_instance *instance) {
    long counts[4] = {0, 0, 0, 0};
    meter_reading reading = ordinary();
    int64_t end = instance->host->now_monotonic(instance->host->context) + 4000000000;
    while (instance->host->now_monotonic(instance->host->context) < end) {
        counts[emit(instance->host, &reading) & 3]++;
    }
    char words[128];
    snprintf(words, sizeof words, "flood: %s (%ld queued, %ld busy)",
             counts[METER_EMIT_QUEUED] < 40000 && counts[METER_EMIT_BUSY] > 0 ? "held back" : "let through",
             counts[METER_EMIT_QUEUED], counts[METER_EMIT_BUSY]);
    say(instance->host, words);
}

static void reserve(meter_instance *instance) {
    size_t size = (size_t)600 << 20;
    char *memory = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int works = memory != MAP_FAILED && mprotect(memory, 1 << 20, PROT_READ | PROT_WRITE) == 0;
    if (works) {
        memory[4096] = 1;
        munmap(memory, size);
    }
    say(instance->host, works ? "reserved 600 MB" : "could not reserve");
}

/* ------------------------------------------------------------------------------------------ data -- */

/* Says what emit answered, and goes on with an ordinary reading. */
static void told(meter_instance *instance, int32_t answer) {
    char words[64];
    snprintf(words, sizeof words, "%s: emit answered %d", instance->misdeed, answer);
    say(instance->host, words);
}

static void emit_power(meter_instance *instance, double watts) {
    meter_reading reading = ordinary();
    meter_set_grid_power_w(&reading, watts);
    meter_set_total_import_kwh(&reading, watts);
    meter_set_frequency_hz(&reading, watts);
    told(instance, emit(instance->host, &reading));
}

static void emit_nan(meter_instance *instance) { emit_power(instance, NAN); }
static void emit_infinity(meter_instance *instance) { emit_power(instance, -INFINITY); }
static void emit_huge(meter_instance *instance) { emit_power(instance, 1e308); }

static void emit_at(meter_instance *instance, int64_t seconds) {
    meter_reading reading = ordinary();
    reading.timestamp_ns = seconds * 1000000000;
    told(instance, emit(instance->host, &reading));
}

static void emit_1970(meter_instance *instance) { emit_at(instance, 1); }
static void emit_2100(meter_instance *instance) { emit_at(instance, 4102444800); }

static void emit_circuits(meter_instance *instance, const meter_circuit *circuits, uint32_t count, uint32_t stride) {
    meter_reading reading = ordinary();
    reading.circuits = circuits;
    reading.circuit_count = count;
    reading.circuit_stride = stride;
    told(instance, emit(instance->host, &reading));
}

static void emit_many_circuits(meter_instance *instance) {
    meter_circuit circuit = meter_circuit_make("one", "One", METER_KIND_LOAD);
    emit_circuits(instance, &circuit, 10000000, sizeof circuit);
}

static void emit_long_name(meter_instance *instance) {
    static char name[1 << 20];
    memset(name, 'n', sizeof name - 1);
    meter_circuit circuit = meter_circuit_make("one", name, METER_KIND_LOAD);
    emit_circuits(instance, &circuit, 1, sizeof circuit);
}

static void emit_no_utf8(meter_instance *instance) {
    meter_circuit circuit = meter_circuit_make("\xff\xfe\x80", "One", METER_KIND_LOAD);
    emit_circuits(instance, &circuit, 1, sizeof circuit);
}

static void emit_strides(meter_instance *instance) {
    meter_circuit circuits[3] = {meter_circuit_make("a", "A", 1), meter_circuit_make("b", "B", 1),
                                 meter_circuit_make("c", "C", 1)};
    const uint32_t wrong[] = {0, 8, 128, 132, 135, 137, 4104, UINT32_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        emit_circuits(instance, circuits, 3, wrong[i]);
    }
}

static void emit_size(meter_instance *instance, uint32_t size) {
    meter_reading reading = ordinary();
    reading.struct_size = size;
    told(instance, emit(instance->host, &reading));
}

static void emit_size_0(meter_instance *instance) { emit_size(instance, 0); }
static void emit_size_max(meter_instance *instance) { emit_size(instance, UINT32_MAX); }

static void pass_null(meter_instance *instance) {
    const meter_host *host = instance->host;
    const meter_text nothing = {NULL, 12, 0};
    const meter_host_http *http = host->extension(host->context, meter_text_of(METER_HOST_HTTP));
    const meter_host_state *state = host->extension(host->context, meter_text_of(METER_HOST_STATE));
    for (int i = 0; i < 2; i++) {
        void *context = i == 0 ? host->context : NULL;
        host->log(context, METER_LOG_ERROR, nothing);
        host->setting(context, nothing, NULL);
        host->extension(context, nothing);
        host->emit(context, NULL);
        host->condition(context, METER_OK, INT64_MIN, nothing);
        host->now_wall(context);
        host->now_monotonic(context);
        host->cancelled(context);
        host->cancel_fd(context);
        host->spend(context, UINT32_MAX);
        http->perform(context, NULL, NULL, NULL);
        state->get(context, nothing, NULL, 7, NULL);
        state->set(context, nothing, NULL, 7, NULL);
    }
    emit_circuits(instance, NULL, 5, sizeof(meter_circuit));
}

/* --------------------------------------------------------------------------------------- manners -- */

static void *call_host(void *pointer) {
    const meter_host *host = pointer;
    for (int i = 0; i < 50; i++) {
        meter_text value;
        emit_ordinary(host);
        host->setting(host->context, meter_text_of("misdeed"), &value);
        host->spend(host->context, 1);
        host->log(host->context, METER_LOG_DEBUG, meter_text_of("one of many"));
        host->condition(host->context, i % 2 ? METER_OK : METER_FAILED, 0, meter_text_of("it flickers"));
        host->cancelled(host->context);
    }
    return NULL;
}

static void call_from_threads(meter_instance *instance) {
    pthread_t threads[16];
    for (int i = 0; i < 16; i++) {
        pthread_create(&threads[i], NULL, call_host, (void *)instance->host);
    }
    for (int i = 0; i < 16; i++) {
        pthread_join(threads[i], NULL);
    }
    instance->host->condition(instance->host->context, METER_OK, 0, meter_text_of(""));
    say(instance->host, "called from 16 threads");
}

static void *call_for_ever(void *nothing) {
    (void)nothing;
    for (;;) {
        call_host((void *)survivor);
        usleep(1000);
    }
    return NULL;
}

static void call_after_destroy(meter_instance *instance) {
    if (instance->reads == 1) {
        pthread_t thread;
        survivor = instance->host;
        pthread_create(&thread, NULL, call_for_ever, NULL);
    }
}

static void change_locale(meter_instance *instance) {
    setenv("LC_ALL", "de_DE.UTF-8", 1);
    setlocale(LC_ALL, "");
    setlocale(LC_ALL, "C.UTF-8");
    say(instance->host, "changed the locale");
}

static void change_mask(meter_instance *instance) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    say(instance->host, "blocked all signals");
}

static void change_zone(meter_instance *instance) {
    setenv("TZ", "Pacific/Kiritimati", 1);
    tzset();
    say(instance->host, "changed the zone");
}

static void change_directory(meter_instance *instance) {
    say(instance->host, chdir("/proc") == 0 ? "changed the directory" : "could not change the directory");
}

static void close_descriptors(meter_instance *instance) {
    for (int i = 0; i <= 10; i++) {
        close(i);
    }
    say(instance->host, "closed 0 to 10");
}

/* Each of `prey`, colon-separated; PARENT stands for the number of the parent's process. */
static void steal(meter_instance *instance) {
    char paths[sizeof instance->prey];
    strcpy(paths, instance->prey);
    for (char *path = strtok(paths, ":"); path != NULL; path = strtok(NULL, ":")) {
        char real[PATH_MAX], words[PATH_MAX + 64], byte;
        const char *parent = strstr(path, "PARENT");
        if (parent != NULL) {
            snprintf(real, sizeof real, "%.*s%d%s", (int)(parent - path), path, getppid(), parent + 6);
        } else {
            snprintf(real, sizeof real, "%s", path);
        }
        int file = open(real, O_RDONLY);
        int got = file >= 0 && read(file, &byte, 1) == 1;
        snprintf(words, sizeof words, "%s %s (%s)", got ? "stole" : "did not get", path, got ? "" : strerror(errno));
        say(instance->host, words);
        close(file);
    }
    say(instance->host, kill(getppid(), 0) == 0 ? "could signal the host" : "could not signal the host");
    char words[64];
    snprintf(words, sizeof words, "environment: %s", getenv("DATA_DIR") == NULL ? "without secrets" : "with secrets");
    say(instance->host, words);
}

static void change_descriptor(meter_instance *instance);

static const struct {
    const char *name;
    void (*function)(meter_instance *instance);
} misdeeds[] = {
    {"crash in read", do_crash}, {"crash in a thread", crash_in_thread}, {"abort", do_abort}, {"exit", do_exit},
    {"loop", do_loop}, {"sleep", do_sleep}, {"4 GB", allocate}, {"leak", leak}, {"files", open_files},
    {"forks", fork_bomb}, {"garbage", write_garbage}, {"orphans", leave_orphans}, {"output", write_much}, {"flood", flood}, {"reserve", reserve},
    {"nan", emit_nan}, {"infinity", emit_infinity}, {"1e308", emit_huge}, {"1970", emit_1970}, {"2100", emit_2100},
    {"10,000,000 circuits", emit_many_circuits}, {"a name of 1 MB", emit_long_name}, {"no UTF-8", emit_no_utf8},
    {"strides", emit_strides}, {"size 0", emit_size_0}, {"size max", emit_size_max}, {"NULL", pass_null},
    {"threads", call_from_threads}, {"after destroy", call_after_destroy}, {"locale", change_locale},
    {"mask", change_mask}, {"zone", change_zone}, {"directory", change_directory}, {"close", close_descriptors},
    {"steal", steal}, {"descriptor", change_descriptor},
};

static int is(const meter_instance *instance, const char *misdeed) { return strcmp(instance->misdeed, misdeed) == 0; }

static void copy_setting(const meter_host *host, const char *name, char *target, size_t size) {
    meter_text value;
    target[0] = '\0';
    if (host->setting(host->context, meter_text_of(name), &value) == METER_OK && value.length < size) {
        memcpy(target, value.data, value.length);
        target[value.length] = '\0';
    }
}

static int32_t create(const meter_descriptor *self, const meter_host *host, meter_instance **made, meter_error *error) {
    (void)self;
    meter_instance *instance = calloc(1, sizeof *instance);
    if (instance == NULL) {
        return meter_fail(error, METER_FAILED, "out of memory");
    }
    instance->host = host;
    copy_setting(host, "misdeed", instance->misdeed, sizeof instance->misdeed);
    copy_setting(host, "prey", instance->prey, sizeof instance->prey);
    if (is(instance, "crash in create")) {
        crash();
    }
    *made = instance;
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
    instance->reads++;
    for (size_t i = 0; i < sizeof misdeeds / sizeof *misdeeds; i++) {
        if (is(instance, misdeeds[i].name)) {
            misdeeds[i].function(instance);
        }
    }
    emit_ordinary(instance->host);
    return METER_OK;
}

static void stop(meter_instance *instance) { (void)instance; }

static void destroy(meter_instance *instance) {
    if (is(instance, "crash in destroy")) {
        crash();
    }
    free(instance);
}

static const meter_setting settings[] = {
    {.name = METER_TEXT("misdeed"), .help = METER_TEXT("What it does."), .kind = METER_SETTING_TEXT},
    {.name = METER_TEXT("prey"), .help = METER_TEXT("What it tries to read."), .kind = METER_SETTING_TEXT},
};

/* Writable on purpose: an adapter may break its word that it never changes. */
static meter_descriptor descriptor = {
    .magic = METER_MAGIC,
#ifdef OF_THE_FUTURE
    .abi_major = 9,
#else
    .abi_major = METER_ABI_MAJOR,
#endif
    .abi_minor = METER_ABI_MINOR,
    .struct_size = sizeof(meter_descriptor),
    .meter_type = METER_TEXT(METER_TYPE_NAME),
    .name = METER_TEXT("Hostile"),
    .version = METER_TEXT("1.0"),
    .delivery = METER_DELIVERY_PULL,
    .default_sampling_ns = 1000000000,
    .minimum_sampling_ns = 10000000,
    /* Readings are kept for as long as they may be late. */
    .late_ns = 1000000000,
    .settings = settings,
    .setting_count = 2,
    .setting_stride = sizeof(meter_setting),
    .create = create,
    .start = start,
    .read = take_sample,
    .stop = stop,
    .destroy = destroy,
};

static void change_descriptor(meter_instance *instance) {
    memset(&descriptor, 0xFF, sizeof descriptor);
    say(instance->host, "changed the descriptor");
}

static const meter_descriptor *const descriptors[] = {&descriptor};

static const meter_library library = {
    .magic = METER_MAGIC,
    .abi_major = METER_ABI_MAJOR,
    .abi_minor = METER_ABI_MINOR,
    .struct_size = sizeof(meter_library),
    .descriptors = descriptors,
    .descriptor_count = 1,
};

#ifdef NEEDS_WHAT_IS_MISSING
extern int function_of_a_missing_library(void);
int (*needed)(void) = function_of_a_missing_library;
#endif

METER_EXPORT const meter_library *meter_adapter_entry(uint32_t host_abi);
const meter_library *meter_adapter_entry(uint32_t host_abi) {
    (void)host_abi;
    IN_ENTRY;
    return &library;
}
