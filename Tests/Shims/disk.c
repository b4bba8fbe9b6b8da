/* LD_PRELOAD: a disk that fails while a test says so. The file that TEST_DISK names holds an errno (0 = all is well), with
 * which writes to files below TEST_DISK_DIR then fail, and opening them for writing. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static volatile const int32_t *shared;
static const char *directory;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("TEST_DISK");
    directory = getenv("TEST_DISK_DIR");
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

static int is_below(const char *path) {
    return shared != NULL && *shared != 0 && directory != NULL && strncmp(path, directory, strlen(directory)) == 0;
}

static int fails(int file) {
    char link[64];
    char path[PATH_MAX];
    if (shared == NULL || *shared == 0) {
        return 0;
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) {
        return 0;
    }
    path[length] = '\0';
    return is_below(path);
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

ssize_t write(int file, const void *bytes, size_t length) {
    if (fails(file)) {
        errno = *shared;
        return -1;
    }
    return REAL("write", ssize_t(*)(int, const void *, size_t))(file, bytes, length);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t offset) {
    if (fails(file)) {
        errno = *shared;
        return -1;
    }
    return REAL("pwrite64", ssize_t(*)(int, const void *, size_t, off64_t))(file, bytes, length, offset);
}

int ftruncate64(int file, off64_t length) {
    if (fails(file)) {
        errno = *shared;
        return -1;
    }
    return REAL("ftruncate64", int (*)(int, off64_t))(file, length);
}

int open64(const char *path, int flags, ...) {
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list more;
        va_start(more, flags);
        mode = va_arg(more, mode_t);
        va_end(more);
    }
    if ((flags & O_ACCMODE) != O_RDONLY && is_below(path)) {
        errno = *shared;
        return -1;
    }
    return REAL("open64", int (*)(const char *, int, ...))(path, flags, mode);
}
