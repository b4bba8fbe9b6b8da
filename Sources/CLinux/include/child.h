/* What it takes to run a child process that may turn out hostile: starting it (the parent's side) and giving up every
 * right that it does not need (the child's own side, before it loads anything foreign). Results are 0 or an errno
 * unless said otherwise. */
#pragma once
#include <stdint.h>
#include <sys/types.h>

/* Starts `program` in a session and process group of its own, with no signal blocked or ignored: /dev/null is its
 * standard input, `output` its standard output and error, `first` and `second` its descriptors 3 and 4, and it has no
 * others. */
int sm_spawn(const char *program, char *const arguments[], char *const environment[], int first, int second, int output,
             pid_t *child);
/* pidfd_open: a descriptor that becomes readable when the process has ended; -1 with errno. */
int sm_pidfd_open(pid_t process);
/* prctl(PR_SET_CHILD_SUBREAPER): orphans of our children become our children. */
int sm_adopt_orphans(void);
/* setrlimit(RLIMIT_NOFILE) to what is allowed at most: each child costs its parent some descriptors. */
void sm_raise_descriptor_limit(void);

/* Ends with the parent (unless it is gone already: ESRCH), gains no privileges, has none, leaves no core dump, and has
 * at most so many bytes of private memory and so many descriptors. */
int sm_confine(pid_t parent, uint64_t memory_bytes, uint64_t descriptors);

/* Version of the kernel's Landlock; 0 = none. */
int sm_landlock_version(void);
#define SM_LANDLOCK_READ 1
#define SM_LANDLOCK_EXECUTE 2
#define SM_LANDLOCK_WRITE 4 /* To files that are there: devices. */
/* A ruleset that forbids all of the file system, and signals to other processes; -1 with errno. */
int sm_landlock_ruleset(void);
/* What is at and below `path` is allowed. A path that is not there is no error. */
int sm_landlock_allow(int ruleset, const char *path, int rights);
/* From now on, for the calling thread and whatever it starts. */
int sm_landlock_enforce(int ruleset);

/* fcntl(F_DUPFD_CLOEXEC): a copy with a number of at least `least`; -1 with errno. */
int sm_duplicate(int descriptor, int least);

/* A fatal signal writes one line to standard error before it kills: SM_CRASH_PREFIX, the signal, and where it was, if
 * that is to be had, in terms of the library at `path`, which lives for good. */
#define SM_CRASH_PREFIX "adapter-runner: caught "
/* Follows the signal where the last system call had failed for want of memory. */
#define SM_CRASH_MEMORY " for want of memory"
void sm_report_crashes(const char *path);
/* Signal 11 is "SEGV"; NULL for one without a name. */
const char *sm_signal_abbreviation(int signal);
