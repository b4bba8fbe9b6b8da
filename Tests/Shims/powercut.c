/* LD_PRELOAD: a disk that loses power. What a program writes below POWERCUT_DIR and has not synced is remembered; with
 * the write whose number POWERCUT_AFTER names, the disk goes back to what was synced, of the rest keeps what chance
 * (POWERCUT_SEED) had brought to it, sector by sector and in any order, and the process is gone. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define SECTOR 512

/* A write that may not have reached the disk. */
struct pending {
    struct pending *before;
    off_t offset;
    size_t length;
    /* The file's length before it. */
    off_t size;
    /* What was there (zeros beyond the end), and what was written. */
    unsigned char *old_bytes;
    unsigned char *new_bytes;
};

/* A file below POWERCUT_DIR. */
struct tracked {
    struct tracked *next;
    dev_t device;
    ino_t inode;
    /* A descriptor of our own, for the end. */
    int file;
    struct pending *newest;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct tracked *files;
static long writes;
static long cut_after;
static uint64_t chance;
static const char *directory;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);

__attribute__((constructor)) static void begin(void) {
    real_write = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    real_pwrite = (ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite64");
    real_fsync = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = (int (*)(int, off_t))dlsym(RTLD_NEXT, "ftruncate64");
    const char *after = getenv("POWERCUT_AFTER");
    const char *seed = getenv("POWERCUT_SEED");
    cut_after = after != NULL ? atol(after) : 0;
    chance = seed != NULL ? strtoull(seed, NULL, 10) | 1 : 1;
    directory = getenv("POWERCUT_DIR");
}

static uint64_t draw(void) {
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return chance;
}

/* With the lock held. NULL for what does not lie below the directory. */
static struct tracked *tracked_file(int file) {
    struct stat status;
    if (cut_after <= 0 || directory == NULL || fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        return NULL;
    }
    for (struct tracked *each = files; each != NULL; each = each->next) {
        if (each->inode == status.st_ino && each->device == status.st_dev) {
            return each;
        }
    }
    char link[64];
    char path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) {
        return NULL;
    }
    path[length] = '\0';
    if (strncmp(path, directory, strlen(directory)) != 0) {
        return NULL;
    }
    struct tracked *made = calloc(1, sizeof *made);
    made->device = status.st_dev;
    made->inode = status.st_ino;
    made->file = open(link, O_RDWR | O_CLOEXEC);
    made->next = files;
    files = made;
    return made;
}

static void forget(struct tracked *file) {
    while (file->newest != NULL) {
        struct pending *write = file->newest;
        file->newest = write->before;
        free(write->old_bytes);
        free(write->new_bytes);
        free(write);
    }
}

static void restore(struct tracked *file) {
    for (struct pending *write = file->newest; write != NULL; write = write->before) {
        real_pwrite(file->file, write->old_bytes, write->length, write->offset);
        real_ftruncate(file->file, write->size);
    }
    /* In half of the cuts nothing of it had arrived. */
    if (draw() & 1) {
        return;
    }
    for (struct pending *write = file->newest; write != NULL; write = write->before) {
        for (size_t at = 0; at < write->length; at += SECTOR) {
            size_t count = write->length - at < SECTOR ? write->length - at : SECTOR;
            if (draw() & 1) {
                real_pwrite(file->file, write->new_bytes + at, count, write->offset + (off_t)at);
            }
        }
    }
}

/* Whether no thread of the process runs any more. */
static int are_stopped(pid_t process) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    DIR *threads = opendir(path);
    int result = threads != NULL;
    for (struct dirent *each; result && (each = readdir(threads)) != NULL;) {
        char text[256] = "";
        snprintf(path, sizeof path, "%.20s/stat", each->d_name);
        int file = each->d_name[0] == '.' ? -1 : openat(dirfd(threads), path, O_RDONLY | O_CLOEXEC);
        if (file >= 0 && read(file, text, sizeof text - 1) > 0) {
            const char *name_end = strrchr(text, ')');
            result = name_end == NULL || strncmp(name_end, ") T", 3) == 0;
        }
        if (file >= 0) {
            close(file);
        }
    }
    if (threads != NULL) {
        closedir(threads);
    }
    return result;
}

/* With the lock held, which is never given back. Power fails for all threads at once: none of them is to see the disk as
 * it is made to be afterwards, least of all in a library that it runs from there. A child does it, and is gone before
 * the process is. */
static void cut(void) {
    pid_t process = getpid();
    pid_t child = fork();
    if (child < 0) {
        abort();
    }
    if (child > 0) {
        for (;;) {
            pause();
        }
    }
    kill(process, SIGSTOP);
    while (!are_stopped(process)) {
        usleep(200);
    }
    for (struct tracked *each = files; each != NULL; each = each->next) {
        restore(each);
    }
    /* Its locks on the store and its ports are the process's own: they end with it. */
    close_range(0, ~0u, 0);
    kill(process, SIGKILL);
    _exit(0);
}

static void remember(struct tracked *file, const void *bytes, size_t length, off_t offset) {
    struct stat status;
    fstat(file->file, &status);
    struct pending *write = calloc(1, sizeof *write);
    write->offset = offset;
    write->length = length;
    write->size = status.st_size;
    write->old_bytes = calloc(1, length + 1);
    write->new_bytes = malloc(length + 1);
    memcpy(write->new_bytes, bytes, length);
    if (pread(file->file, write->old_bytes, length, offset) < 0) {
        abort();
    }
    write->before = file->newest;
    file->newest = write;
}

static ssize_t put(int file, const void *bytes, size_t length, off_t offset) {
    pthread_mutex_lock(&lock);
    struct tracked *known = tracked_file(file);
    ssize_t result;
    if (known == NULL) {
        pthread_mutex_unlock(&lock);
        return offset < 0 ? real_write(file, bytes, length) : real_pwrite(file, bytes, length, offset);
    }
    remember(known, bytes, length, offset < 0 ? lseek(file, 0, SEEK_CUR) : offset);
    result = offset < 0 ? real_write(file, bytes, length) : real_pwrite(file, bytes, length, offset);
    if (++writes >= cut_after) {
        cut();
    }
    pthread_mutex_unlock(&lock);
    return result;
}

ssize_t write(int file, const void *bytes, size_t length) { return put(file, bytes, length, -1); }
ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) { return put(file, bytes, length, offset); }
ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t offset) {
    return put(file, bytes, length, offset);
}

static int sync_file(int file, int (*real)(int)) {
    pthread_mutex_lock(&lock);
    int result = real(file);
    struct tracked *known = tracked_file(file);
    if (result == 0 && known != NULL) {
        forget(known);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int fsync(int file) { return sync_file(file, real_fsync); }
int fdatasync(int file) { return sync_file(file, real_fdatasync); }

/* Cutting a file off is taken for durable, and what is pending for it with it. */
static int shorten(int file, off_t length) {
    pthread_mutex_lock(&lock);
    struct tracked *known = tracked_file(file);
    if (known != NULL) {
        forget(known);
    }
    int result = real_ftruncate(file, length);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int file, off_t length) { return shorten(file, length); }
int ftruncate64(int file, off64_t length) { return shorten(file, length); }
