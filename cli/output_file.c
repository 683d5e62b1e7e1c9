#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "byte_sink.h"

enum { OUTPUT_MODE = 0666 };

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

bool cli_output_open(output_file *self, const char *path) {
    struct stat there;
    *self = (output_file){.path = path, .descriptor = -1};
    self->is_direct = stat(path, &there) == 0 && !S_ISREG(there.st_mode);
    if (self->is_direct) {
        self->descriptor = open(path, O_WRONLY | O_CLOEXEC);
        return self->descriptor >= 0;
    }
    self->descriptor = open_folder_of(path);
    if (self->descriptor < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        self->temporary = temporary_name(path);
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
    *self = (output_file){.descriptor = -1};
}
