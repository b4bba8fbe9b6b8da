/* Linux calls that Swift's Glibc module hides (they need _GNU_SOURCE, which would break that module) or cannot import
 * (variadic). Each is the call it is named after; results and errno as there. */
#pragma once
#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

int sm_eventfd(void);                      /* eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) */
int sm_accept(int listener);               /* accept4(SOCK_CLOEXEC) */
int sm_thread_name(const char *name);      /* pthread_setname_np of the calling thread, cut to 15 bytes */
void sm_tune_allocator(void);              /* mallopt: 2 arenas, mmap and trim thresholds 128 KB */
void sm_trim_memory(void);                 /* malloc_trim(0) */
/* What mallinfo2 counts as given away, in blocks of either kind. */
uint64_t sm_allocated_bytes(void);
int sm_signalfd(const sigset_t *signals);  /* signalfd(SFD_CLOEXEC | SFD_NONBLOCK) */
/* A CLOCK_REALTIME timer that also fires when the clock is set. Returns the timerfd. */
int sm_clock_timer(void);
/* Arms it for an absolute wall time far away, with TFD_TIMER_CANCEL_ON_SET. */
int sm_clock_timer_arm(int descriptor);
/* 1 where the kernel holds the clock for right (adjtimex), else 0. */
int sm_clock_is_synchronised(void);
/* open with O_CLOEXEC added; a variadic call. */
int sm_open(const char *path, int flags, unsigned mode);
/* prctl(PR_SET_DUMPABLE, 0): neither core dump nor /proc/PID/environ for other processes of the user. */
int sm_undumpable(void);
int sm_fallocate(int descriptor, int64_t bytes);
/* What the system calls an errno; the text lives in `buffer` or for good. */
const char *sm_error_text(int code, char *buffer, unsigned long capacity);
/* pipe2(O_CLOEXEC) */
int sm_pipe(int ends[2]);
/* fcntl(F_SETFD, FD_CLOEXEC); a variadic call. */
int sm_close_on_exec(int descriptor);
