/* Preloaded into aigen by the tests of crashes: counts the calls that change something lasting, and kills the process at
 * one of them, or logs them with their data, so that what a power cut may leave can be rebuilt.
 *
 * FAULT_ROOT   only files below this folder count
 * FAULT_AT     kill at this call; with FAULT_TORN, after half of it if it writes
 * FAULT_LOG    append each call to this file: name, file, other file or offset, length of data, then the data
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int calls;
static int enabled, kill_at, torn, log_file = -1;
static const char *root;

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void start(void) {
    char line[4096];
    int file = open("/proc/self/cmdline", O_RDONLY), length = file < 0 ? 0 : (int)read(file, line, sizeof line - 1);
    if (file >= 0) close(file);
    for (int at = 0; at < length; at++) if (!line[at]) line[at] = ' ';
    line[length > 0 ? length : 0] = 0;
    root = getenv("FAULT_ROOT");
    /* The helpers that draw write pixels only. */
    if (!root || !strstr(line, "-m aigen ") || strstr(line, "storybook.pool")) return;
    kill_at = getenv("FAULT_AT") ? atoi(getenv("FAULT_AT")) : 0;
    torn = getenv("FAULT_TORN") != NULL;
    if (getenv("FAULT_LOG")) log_file = open(getenv("FAULT_LOG"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    enabled = 1;
}

static int is_ours(const char *path) { return path && strncmp(path, root, strlen(root)) == 0; }

static const char *path_of(int file, char *buffer, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, buffer, size - 1);
    if (length < 0) return NULL;
    buffer[length] = 0;
    return buffer;
}

/* Log a call; return whether it is the one to die at. */
static int count(const char *name, const char *path, const char *other, long offset, const void *data, size_t size) {
    if (!enabled || !is_ours(path)) return 0;
    int call = atomic_fetch_add(&calls, 1) + 1;
    if (log_file >= 0) {
        char head[9000];
        int length = snprintf(head, sizeof head, "%s\t%s\t%s\t%ld\t%zu\n", name, path, other ? other : "", offset, data ? size : 0);
        REAL(ssize_t, write, int, const void *, size_t);
        if (real(log_file, head, length) < 0) abort();
        if (data && size && real(log_file, data, size) < 0) abort();
    }
    return call == kill_at;
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

#define WRITER(name, offset_type) \
    ssize_t name(int file, const void *data, size_t size, offset_type offset) { \
        REAL(ssize_t, name, int, const void *, size_t, offset_type); \
        char buffer[4096]; \
        if (enabled && count("write", path_of(file, buffer, sizeof buffer), NULL, (long)offset, data, size)) { \
            if (torn) real(file, data, size / 2, offset); \
            die(); \
        } \
        return real(file, data, size, offset); \
    }
WRITER(pwrite, off_t)
WRITER(pwrite64, off64_t)

/* Files that are written from their beginning to their end: only logged, for they count by their fsync and rename. */
ssize_t write(int file, const void *data, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t);
    struct stat found;
    if (enabled && log_file >= 0 && file != log_file && fstat(file, &found) == 0 && S_ISREG(found.st_mode)) {
        char buffer[4096];
        int at = atomic_load(&calls);
        count("write", path_of(file, buffer, sizeof buffer), NULL, (long)lseek(file, 0, SEEK_CUR), data, size);
        atomic_store(&calls, at);
    }
    return real(file, data, size);
}

#define BY_FILE(name) \
    int name(int file) { \
        REAL(int, name, int); \
        char buffer[4096]; \
        if (enabled && count("sync", path_of(file, buffer, sizeof buffer), NULL, 0, NULL, 0)) die(); \
        return real(file); \
    }
BY_FILE(fsync)
BY_FILE(fdatasync)

#define TRUNCATE(name, type) \
    int name(int file, type length) { \
        REAL(int, name, int, type); \
        char buffer[4096]; \
        if (enabled && count("truncate", path_of(file, buffer, sizeof buffer), NULL, (long)length, NULL, 0)) die(); \
        return real(file, length); \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    if (enabled && count("rename", from, to, 0, NULL, 0)) die();
    return real(from, to);
}

int unlink(const char *path) {
    REAL(int, unlink, const char *);
    if (enabled && count("unlink", path, NULL, 0, NULL, 0)) die();
    return real(path);
}

int rmdir(const char *path) {
    REAL(int, rmdir, const char *);
    if (enabled && count("rmdir", path, NULL, 0, NULL, 0)) die();
    return real(path);
}

int mkdir(const char *path, mode_t mode) {
    REAL(int, mkdir, const char *, mode_t);
    if (enabled && count("mkdir", path, NULL, 0, NULL, 0)) die();
    return real(path, mode);
}

int unlinkat(int folder, const char *name, int flags) {
    REAL(int, unlinkat, int, const char *, int);
    char buffer[4096], path[8192];
    const char *base = enabled ? path_of(folder, buffer, sizeof buffer) : NULL;
    if (base) {
        snprintf(path, sizeof path, "%s/%s", base, name);
        if (count(flags & AT_REMOVEDIR ? "rmdir" : "unlink", path, NULL, 0, NULL, 0)) die();
    }
    return real(folder, name, flags);
}

int flock(int file, int operation) {
    REAL(int, flock, int, int);
    char buffer[4096];
    if (enabled && count("lock", path_of(file, buffer, sizeof buffer), NULL, 0, NULL, 0)) die();
    return real(file, operation);
}
