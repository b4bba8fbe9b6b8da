/* Watching directories, and opening what lies in them. -1 with errno where they fail. */
#pragma once
#include <stdint.h>

/* inotify_init1(IN_CLOEXEC | IN_NONBLOCK) */
int sm_inotify(void);
/* Everything that may change which files lie in `directory` and what they hold. */
int sm_inotify_watch(int inotify, const char *directory);
/* Of an event: the file is being written. */
#define SM_FILE_MODIFIED 0x2u
/* The writer has closed it. */
#define SM_FILE_WRITTEN 0x8u
/* The directory itself is gone, or the kernel watches it no longer. */
#define SM_WATCH_ENDED 0xAC00u
/* Events were lost. */
#define SM_WATCH_OVERFLOWED 0x4000u

/* Opens a file of a directory for reading, without waiting (a pipe has no writer). A symbolic link may not lead out of
 * the directory: EXDEV; kernels before 5.6 follow none: ELOOP. */
int sm_open_in(int directory, const char *name);
