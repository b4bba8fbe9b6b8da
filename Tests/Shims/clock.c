/* LD_PRELOAD: a wall clock that a test sets while a program runs. The file that TEST_CLOCK names holds two numbers:
 * nanoseconds to add to the time, and whether something such as NTP holds the clock for right. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

struct setting {
    int64_t offset;
    int64_t is_synchronised;
};

static volatile struct setting *shared;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("TEST_CLOCK");
    int file = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) {
        return;
    }
    void *memory = mmap(NULL, sizeof *shared, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (memory != MAP_FAILED) {
        shared = memory;
    }
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    long result = syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && clock == CLOCK_REALTIME && shared != NULL) {
        int64_t now = time->tv_sec * INT64_C(1000000000) + time->tv_nsec + shared->offset;
        time->tv_sec = now / INT64_C(1000000000);
        time->tv_nsec = now % INT64_C(1000000000);
    }
    return (int)result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    (void)zone;
    struct timespec now;
    int result = clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return result;
}

time_t time(time_t *seconds) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (seconds != NULL) {
        *seconds = now.tv_sec;
    }
    return now.tv_sec;
}

int adjtimex(struct timex *state) {
    (void)state;
    return shared != NULL && shared->is_synchronised ? TIME_OK : TIME_ERROR;
}
