/* LD_PRELOAD: a machine that starts no process for a while. The file that TEST_SPAWN names holds two numbers: what
 * posix_spawn answers (0: it does what it is asked for), and how often it was asked in vain. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct setting {
    int64_t answer;
    _Atomic int64_t refused;
};

static volatile struct setting *shared;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("TEST_SPAWN");
    int file = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) {
        return;
    }
    void *memory = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory != MAP_FAILED) {
        shared = memory;
    }
}

int posix_spawn(pid_t *restrict child, const char *restrict path, const posix_spawn_file_actions_t *restrict actions,
                const posix_spawnattr_t *restrict attributes, char *const arguments[restrict],
                char *const environment[restrict]) {
    if (shared != NULL && shared->answer != 0) {
        atomic_fetch_add(&shared->refused, 1);
        return (int)shared->answer;
    }
    int (*next)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, char *const[],
                char *const[]) = (int (*)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                                          const posix_spawnattr_t *, char *const[], char *const[]))
        dlsym(RTLD_NEXT, "posix_spawn");
    return next(child, path, actions, attributes, arguments, environment);
}
