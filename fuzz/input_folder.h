// A folder of its own for a fuzz target whose decoder opens files by their paths. Made at the first
// use, gone when the process ends well.
#ifndef FIRN_FUZZ_INPUT_FOLDER_H
#define FIRN_FUZZ_INPUT_FOLDER_H

#include <stdio.h>
#include <stdlib.h>

#include "base/host.h"
#include "base/text.h"

#define INPUT_PATH_MAX 512

static inline char *input_folder_room(void) {
    static char path[INPUT_PATH_MAX / 2];
    return path;
}

static inline void input_folder_remove(void) {
    firn_error err = ERR_INIT;
    (void)(host_remove(input_folder_room(), &err) == FIRN_OK);
}

/// Without '/' at its end. In memory where there is /dev/shm, as searching writes many files.
static inline const char *input_folder(void) {
    char *path = input_folder_room();
    firn_error err = ERR_INIT;
    if (path[0] != '\0') {
        return path;
    }
    const char *parent = host_environment("TMPDIR");
    const char *parents[] = {parent == NULL ? "/dev/shm" : parent, "/tmp"};
    for (size_t i = 0; i < sizeof parents / sizeof *parents; i++) {
        (void)snprintf(path, INPUT_PATH_MAX / 2, "%s/firn-fuzz-%u", parents[i], host_process_id());
        if (host_make_folder(path, &err) == FIRN_OK) {
            (void)atexit(input_folder_remove);
            return path;
        }
    }
    abort();
}

/// Writes a file of the folder; `out` gets its path.
static inline void input_folder_write(const char *name, bytes content, char out[INPUT_PATH_MAX]) {
    firn_error err = ERR_INIT;
    host_file file;
    (void)snprintf(out, INPUT_PATH_MAX, "%s/%s", input_folder(), name);
    if (host_open(out, HOST_MODE_CREATE, &file, &err) != FIRN_OK ||
        host_write(file, 0, content, &err) != FIRN_OK) {
        abort();
    }
    host_close(&file);
}

#endif
