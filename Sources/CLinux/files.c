#define _GNU_SOURCE
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(SM_FILE_MODIFIED == IN_MODIFY && SM_FILE_WRITTEN == IN_CLOSE_WRITE, "inotify");
_Static_assert(SM_WATCH_ENDED == (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED), "inotify");
_Static_assert(SM_WATCH_OVERFLOWED == IN_Q_OVERFLOW, "inotify");

int sm_inotify(void) { return inotify_init1(IN_CLOEXEC | IN_NONBLOCK); }

int sm_inotify_watch(int inotify, const char *directory) {
    return inotify_add_watch(inotify, directory,
                             IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                 IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
}

int sm_open_in(int directory, const char *name) {
    const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    struct open_how how = {.flags = flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    int descriptor = (int)syscall(SYS_openat2, directory, name, &how, sizeof how);
    if (descriptor < 0 && (errno == ENOSYS || errno == EPERM)) {
        descriptor = openat(directory, name, flags | O_NOFOLLOW);
    }
    return descriptor;
}
