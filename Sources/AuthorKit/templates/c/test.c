/* Takes the adapter through one reading, without a host and without a device: a host in 40 lines. */
#define _POSIX_C_SOURCE 200809L
#include "meter_adapter.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *watts;        /* the setting; NULL = not given */
static meter_reading last;       /* what was emitted; its circuits are gone with the call */
static int emitted, failures;

#define CHECK(condition) \
    ((condition) ? (void)0 : (void)(failures++, printf("test.c:%d: not so: %s\n", __LINE__, #condition)))

static int64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}
static void say(void *context, uint32_t level, meter_text message) {
    (void)context;
    printf("log %u: %.*s\n", level, (int)message.length, message.data);
}
static int32_t setting(void *context, meter_text name, meter_text *value) {
    (void)context;
    if (!meter_text_is(name, "watts")) return METER_INVALID;
    if (watts == NULL) return METER_NOT_FOUND;
    *value = meter_text_of(watts);
    return METER_OK;
}
static const void *extension(void *context, meter_text id) { return (void)context, (void)id, NULL; }
static int32_t emit(void *context, const meter_reading *reading) {
    (void)context;
    last = *reading;
    emitted++;
    return METER_EMIT_QUEUED;
}
static void condition(void *context, int32_t code, int64_t retry_after_ns, meter_text message) {
    (void)context, (void)code, (void)retry_after_ns, (void)message;
}
static int64_t now_wall(void *context) { return (void)context, now(CLOCK_REALTIME); }
static int64_t now_monotonic(void *context) { return (void)context, now(CLOCK_MONOTONIC); }
static int32_t cancelled(void *context) { return (void)context, 0; }
static int32_t cancel_fd(void *context) { return (void)context, -1; }
static int32_t spend(void *context, uint32_t requests) { return (void)context, (void)requests, METER_OK; }

static const meter_host host = {
    .abi_major = METER_ABI_MAJOR, .abi_minor = METER_ABI_MINOR, .struct_size = sizeof(meter_host),
    .name = METER_TEXT("test"), .instance = METER_TEXT("my_meter"),
    .log = say, .setting = setting, .extension = extension, .emit = emit, .condition = condition,
    .now_wall = now_wall, .now_monotonic = now_monotonic, .cancelled = cancelled, .cancel_fd = cancel_fd,
    .spend = spend,
};

int main(int count, char **words) {
    const meter_library *(*entry)(uint32_t) = NULL, *library;
    const meter_descriptor *adapter;
    meter_instance *instance = NULL;
    meter_error error = {.struct_size = sizeof error};
    void *file = dlopen(count > 1 ? words[1] : "", RTLD_NOW | RTLD_LOCAL), *symbol;
    if (file == NULL || (symbol = dlsym(file, "meter_adapter_entry")) == NULL) return printf("%s\n", dlerror()), 1;
    memcpy(&entry, &symbol, sizeof entry);
    if ((library = entry(METER_ABI)) == NULL) return printf("it does not serve this version\n"), 1;
    adapter = library->descriptors[0];

    watts = "412.5";
    CHECK(adapter->create(adapter, &host, &instance, &error) == METER_OK);
    if (instance == NULL) return 1;
    CHECK(adapter->start(instance, &error) == METER_OK);
    CHECK(adapter->read(instance, now(CLOCK_MONOTONIC) + 5000000000, &error) == METER_OK);
    CHECK(emitted == 1);
    CHECK(last.present == METER_CONSUMPTION_POWER && last.consumption_power_w == 412.5);
    adapter->stop(instance);
    adapter->destroy(instance);

    watts = "a lot";
    instance = NULL;
    CHECK(adapter->create(adapter, &host, &instance, &error) == METER_MISCONFIGURED);
    CHECK(instance == NULL && error.message_length > 0);

    printf(failures == 0 ? "ok\n" : "%d failures\n", failures);
    return failures != 0;
}
