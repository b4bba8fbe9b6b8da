#define _GNU_SOURCE
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers from 10 on: none of them is one that the child is to have. */
static int out_of_the_way(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, 10); }

int sm_spawn(const char *program, char *const arguments[], char *const environment[], int first, int second, int output,
             pid_t *child) {
    const int given[] = {first, second, output};
    int moved[3];
    for (int i = 0; i < 3; i++) {
        moved[i] = out_of_the_way(given[i]);
        if (moved[i] < 0) {
            int code = errno;
            while (i-- > 0) {
                close(moved[i]);
            }
            return code;
        }
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, moved[2], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, moved[2], STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions, moved[0], 3);
    posix_spawn_file_actions_adddup2(&actions, moved[1], 4);
    posix_spawn_file_actions_addclosefrom_np(&actions, 5);

    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    int code = posix_spawn(child, program, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    for (int i = 0; i < 3; i++) {
        close(moved[i]);
    }
    return code;
}

int sm_duplicate(int descriptor, int least) { return fcntl(descriptor, F_DUPFD_CLOEXEC, least); }

int sm_pidfd_open(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int sm_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 ? 0 : errno; }

void sm_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int limit_to(int resource, rlim_t most) {
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0) {
        return errno;
    }
    /* The administrator's own limit may be lower. */
    limit.rlim_max = limit.rlim_max < most ? limit.rlim_max : most;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit((__rlimit_resource_t)resource, &limit) == 0 ? 0 : errno;
}

/* A child of root is root; without capabilities that means little. */
static int drop_capabilities(void) {
    for (unsigned long capability = 0; capability < 64; capability++) {
        /* Needs CAP_SETPCAP; without it there is nothing worth dropping. */
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    }
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct nothing[2] = {{0}, {0}};
    return syscall(SYS_capset, &header, nothing) == 0 ? 0 : errno;
}

int sm_confine(pid_t parent, uint64_t memory_bytes, uint64_t descriptors) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
        return errno;
    }
    /* It may have died before that call: nobody would have told. */
    if (getppid() != parent) {
        return ESRCH;
    }
    /* Where memory runs out, this goes before anything else. */
    int preference = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (preference >= 0) {
        (void)!write(preference, "500", 3);
        close(preference);
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return errno;
    }
    int code = limit_to(RLIMIT_CORE, 0);
    if (code == 0) {
        code = limit_to(RLIMIT_DATA, memory_bytes);
    }
    if (code == 0) {
        code = limit_to(RLIMIT_NOFILE, descriptors);
    }
    return code == 0 ? drop_capabilities() : code;
}
