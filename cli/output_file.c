#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "byte_sink.h"

enum {
    OUTPUT_MODE = 0666,
    LINKS_MAX = 40, // As many as Linux follows.
};

static char *temporary_name(const char *path) {
    const size_t size = strlen(path) + 32;
    char *name = cli_allocate(size, 1);
    (void)snprintf(name, size, "%s.%ld.part", path, (long)getpid());
    return name;
}

static int open_folder_of(const char *path) {
    char *folder = cli_allocate(strlen(path) + 2, 1);
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        folder[0] = '.';
    } else {
        memcpy(folder, path, (size_t)(slash - path) + 1);
    }
    // Without a name the file is gone with the process, however that ends.
    const int descriptor = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, OUTPUT_MODE);
    free(folder);
    return descriptor;
}

/// What `link` means, whose text is `text`: relative texts start at its folder.
static char *target_of(const char *link, const char *text) {
    const char *slash = strrchr(link, '/');
    const size_t folder = text[0] == '/' || slash == NULL ? 0 : (size_t)(slash - link) + 1;
    const size_t length = strlen(text) + 1;
    char *name = cli_allocate(folder + length, 1);
    memcpy(name, link, folder);
    memcpy(name + folder, text, length);
    return name;
}

/// A name of an open descriptor, such as what /dev/stdout leads to: its text is no path to replace.
static bool is_descriptor_name(const char *path) {
    return strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/dev/fd/", 8) == 0;
}

/// The name at the end of the symbolic links at `path`, which need not exist yet. Replacing a link
/// itself would leave the file that it names as it was. NULL: they lead round, as errno says.
static char *follow_links(const char *path) {
    char text[PATH_MAX];
    char *name = cli_allocate(strlen(path) + 1, 1);
    memcpy(name, path, strlen(path) + 1);
    for (int links = 0; !is_descriptor_name(name); links++) {
        const ssize_t length = readlink(name, text, sizeof text - 1);
        if (length < 0) {
            break;
        }
        if (links == LINKS_MAX) {
            free(name);
            errno = ELOOP;
            return NULL;
        }
        text[length] = '\0';
        char *next = target_of(name, text);
        free(name);
        name = next;
    }
    return name;
}

bool cli_output_open(output_file *self, const char *path) {
    struct stat there;
    *self = (output_file){.path = follow_links(path), .descriptor = -1};
    if (self->path == NULL) {
        return false;
    }
    self->is_direct =
        stat(path, &there) == 0 && (!S_ISREG(there.st_mode) || is_descriptor_name(self->path));
    if (self->is_direct) {
        // What a descriptor's file holds already stays, as if it were written through.
        const int append = S_ISREG(there.st_mode) ? O_APPEND : 0;
        self->descriptor = open(path, O_WRONLY | O_CLOEXEC | append);
        return self->descriptor >= 0;
    }
    self->descriptor = open_folder_of(self->path);
    if (self->descriptor < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        self->temporary = temporary_name(self->path);
        self->descriptor =
            open(self->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, OUTPUT_MODE);
    }
    return self->descriptor >= 0;
}

/// Names a nameless file, because only what has a name can replace another.
static bool name_temporary(output_file *self) {
    char link[64];
    char *name = temporary_name(self->path);
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", self->descriptor);
    if (linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW) != 0) {
        free(name);
        return false;
    }
    self->temporary = name;
    return true;
}

bool cli_output_commit(output_file *self) {
    if (self->is_direct) {
        return true;
    }
    if (self->temporary == NULL && !name_temporary(self)) {
        return false;
    }
    if (fsync(self->descriptor) != 0 || rename(self->temporary, self->path) != 0) {
        return false;
    }
    free(self->temporary);
    self->temporary = NULL;
    return true;
}

void cli_output_close(output_file *self) {
    if (self->path == NULL) {
        return;
    }
    if (self->temporary != NULL) {
        (void)unlink(self->temporary);
        free(self->temporary);
    }
    if (self->descriptor >= 0) {
        (void)close(self->descriptor);
    }
    free(self->path);
    *self = (output_file){.descriptor = -1};
}
