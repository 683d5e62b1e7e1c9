// Loaded with LD_PRELOAD: ends the process, as kill -9 would, right before its n-th call that
// changes a file, a folder or what is on disk, or that sends something; its own end is the last of
// them. KILLED_AT is n; a process that ends writes into the file that KILLED_COUNT names how many
// there were. Calls that only read leave nothing behind to differ by.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long calls;

static void *next_of(const char *name) {
    return dlsym(RTLD_NEXT, name);
}

// Looks the wish up each time: it is a few calls, and the environment of firn does not change.
static void call(void) {
    const char *wish = getenv("KILLED_AT");
    if (atomic_fetch_add(&calls, 1) + 1 == (wish == NULL ? 0 : strtol(wish, NULL, 10))) {
        (void)kill(getpid(), SIGKILL);
        for (;;) {
            (void)pause(); // Until it has arrived.
        }
    }
}

__attribute__((destructor)) static void tell(void) {
    const char *path = getenv("KILLED_COUNT");
    call();
    const long count = atomic_load(&calls);
    FILE *out = path == NULL ? NULL : fopen(path, "w");
    if (out != NULL) {
        (void)fprintf(out, "%ld", count);
        (void)fclose(out);
    }
}

// ISO C has no cast from an object's address to a function's.
#define FORWARD(result, name, parameters, arguments)                                               \
    result name parameters;                                                                        \
    result name parameters {                                                                       \
        result(*next) parameters;                                                                  \
        void *found = next_of(#name);                                                              \
        memcpy(&next, &found, sizeof next);                                                        \
        call();                                                                                    \
        return next arguments;                                                                     \
    }

FORWARD(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t offset),
        (fd, data, size, offset))
FORWARD(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t offset),
        (fd, data, size, offset))
FORWARD(int, fsync, (int fd), (fd))
FORWARD(int, fdatasync, (int fd), (fd))
FORWARD(int, ftruncate, (int fd, off_t size), (fd, size))
FORWARD(int, ftruncate64, (int fd, off64_t size), (fd, size))
FORWARD(int, rename, (const char *from, const char *to), (from, to))
FORWARD(int, link, (const char *from, const char *to), (from, to))
FORWARD(int, linkat, (int from_folder, const char *from, int to_folder, const char *to, int flags),
        (from_folder, from, to_folder, to, flags))
FORWARD(int, unlink, (const char *path), (path))
FORWARD(int, remove, (const char *path), (path))
FORWARD(int, rmdir, (const char *path), (path))
FORWARD(int, mkdir, (const char *path, mode_t mode), (path, mode))
FORWARD(ssize_t, send, (int fd, const void *data, size_t size, int flags), (fd, data, size, flags))
FORWARD(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))

static int open_with(const char *name, const char *path, int flags, unsigned mode) {
    int (*next)(const char *path, int flags, ...);
    void *found = next_of(name);
    memcpy(&next, &found, sizeof next);
    if ((flags & (O_CREAT | O_TRUNC | O_TMPFILE)) != 0) {
        call();
    }
    return next(path, flags, mode);
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...);                                                    \
    int name(const char *path, int flags, ...) {                                                   \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        const unsigned mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, unsigned) : 0;   \
        va_end(rest);                                                                              \
        return open_with(#name, path, flags, mode);                                                \
    }

OPEN(open)
OPEN(open64)
