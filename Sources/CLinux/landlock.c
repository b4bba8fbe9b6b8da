#define _GNU_SOURCE
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From the kernel's documentation (userspace-api/landlock): headers of an older kernel lack the newer parts. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1
#define FS_EXECUTE (1ull << 0)
#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE (1ull << 2)
#define FS_READ_DIR (1ull << 3)
#define FS_REFER (1ull << 13)
#define FS_TRUNCATE (1ull << 14)
#define FS_IOCTL_DEV (1ull << 15)
#define SCOPE_SIGNAL (1ull << 1)

struct ruleset_attr {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

struct path_beneath_attr {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

int sm_landlock_version(void) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
    return version > 0 ? (int)version : 0;
}

/* Every right over files that this kernel can take away. */
static uint64_t known_rights(void) {
    int version = sm_landlock_version();
    uint64_t rights = FS_REFER - 1;
    if (version >= 2) {
        rights |= FS_REFER;
    }
    if (version >= 3) {
        rights |= FS_TRUNCATE;
    }
    if (version >= 5) {
        rights |= FS_IOCTL_DEV;
    }
    return rights;
}

int sm_landlock_ruleset(void) {
    int version = sm_landlock_version();
    struct ruleset_attr attributes = {.handled_access_fs = known_rights(), .scoped = version >= 6 ? SCOPE_SIGNAL : 0};
    size_t size = version >= 6 ? sizeof attributes : sizeof attributes.handled_access_fs;
    return (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
}

int sm_landlock_allow(int ruleset, const char *path, int rights) {
    int descriptor = open(path, O_PATH | O_CLOEXEC);
    if (descriptor < 0) {
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : errno;
    }
    struct stat status;
    if (fstat(descriptor, &status) != 0) {
        int code = errno;
        close(descriptor);
        return code;
    }
    struct path_beneath_attr rule = {.parent_fd = descriptor};
    if (rights & SM_LANDLOCK_READ) {
        rule.allowed_access |= FS_READ_FILE | (S_ISDIR(status.st_mode) ? FS_READ_DIR : 0);
    }
    if (rights & SM_LANDLOCK_EXECUTE) {
        rule.allowed_access |= FS_EXECUTE;
    }
    if (rights & SM_LANDLOCK_WRITE) {
        rule.allowed_access |= FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV;
    }
    rule.allowed_access &= known_rights();
    int code = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0 ? 0 : errno;
    close(descriptor);
    return code;
}

int sm_landlock_enforce(int ruleset) {
    return syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ? 0 : errno;
}
