#define _GNU_SOURCE
#include "clinux.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <unistd.h>

int sm_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
int sm_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC); }
int sm_thread_name(const char *name) {
    char cut[16] = {0};
    strncpy(cut, name, sizeof cut - 1);
    return pthread_setname_np(pthread_self(), cut);
}
void sm_tune_allocator(void) {
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_TRIM_THRESHOLD, 128 * 1024);
}
uint64_t sm_allocated_bytes(void) {
    struct mallinfo2 use = mallinfo2();
    return use.uordblks + use.hblkhd;
}
void sm_trim_memory(void) { malloc_trim(0); }
int sm_signalfd(const sigset_t *signals) { return signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK); }
int sm_clock_timer(void) { return timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK); }
int sm_clock_timer_arm(int descriptor) {
    struct itimerspec when = {.it_value = {.tv_sec = (time_t)1 << 40}};
    return timerfd_settime(descriptor, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL);
}
int sm_open(const char *path, int flags, unsigned mode) { return open(path, flags | O_CLOEXEC, mode); }
int sm_undumpable(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
int sm_fallocate(int descriptor, int64_t bytes) { return posix_fallocate(descriptor, 0, bytes); }
const char *sm_error_text(int code, char *buffer, unsigned long capacity) { return strerror_r(code, buffer, capacity); }
int sm_close_on_exec(int descriptor) { return fcntl(descriptor, F_SETFD, FD_CLOEXEC); }
int sm_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }
int sm_clock_is_synchronised(void) {
    struct timex state = {0};
    int answer = adjtimex(&state);
    return answer >= 0 && answer != TIME_ERROR;
}
