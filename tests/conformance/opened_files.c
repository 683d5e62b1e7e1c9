// Loaded with LD_PRELOAD: writes the path of every file that a process opens to read into the file
// that OPENED_FILES names, a line each. conformance_iceberg.py compares it with a plan.
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE_MAX 4096

int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);

typedef int open_function(const char *path, int flags, ...);

static void note(const char *path, open_function *next) {
    const char *list = getenv("OPENED_FILES");
    char line[PATH_SIZE_MAX + 1];
    const size_t size = strlen(path);
    if (list == NULL || size > PATH_SIZE_MAX) {
        return;
    }
    memcpy(line, path, size);
    line[size] = '\n';
    const int fd = next(list, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    // One write, so that lines of threads do not mix. A list that lacks a line is found out: its
    // reader wants every file that rows came from.
    if (fd >= 0) {
        (void)!write(fd, line, size + 1);
        close(fd);
    }
}

static int open_and_note(const char *path, int flags, unsigned mode, const char *name) {
    open_function *next;
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(&next, &found, sizeof next); // ISO C has no cast for it.
    if ((flags & O_ACCMODE) == O_RDONLY) {
        note(path, next);
    }
    return next(path, flags, mode);
}

static unsigned mode_of(int flags, va_list rest) {
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, unsigned) : 0;
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const unsigned mode = mode_of(flags, rest);
    va_end(rest);
    return open_and_note(path, flags, mode, "open");
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const unsigned mode = mode_of(flags, rest);
    va_end(rest);
    return open_and_note(path, flags, mode, "open64");
}
