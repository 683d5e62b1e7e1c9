// A folder of its own for a test that needs files. For test files only.
#ifndef FIRN_IO_TEST_FOLDER_H
#define FIRN_IO_TEST_FOLDER_H

#include <stdio.h>
#include <string.h>

#include "base/host.h"
#include "base/test.h"
#include "base/text.h"

typedef struct test_folder {
    char path[256];
} test_folder;

static inline firn_status test_folder_empty(const char *path, firn_error *err);

static inline firn_status test_folder_remove_entry(void *user, const char *name, bool is_folder,
                                                   firn_error *err) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", (const char *)user, name);
    // A link to a folder is no folder: removing it succeeds at once.
    firn_error ignored = ERR_INIT;
    if (host_remove(path, &ignored) == FIRN_OK) {
        return FIRN_OK;
    }
    if (is_folder) {
        TRY(test_folder_empty(path, err));
    }
    return host_remove(path, err);
}

// A folder that is being listed is listed again after each removal: some file systems skip entries.
static inline firn_status test_folder_empty(const char *path, firn_error *err) {
    char copy[512];
    (void)snprintf(copy, sizeof copy, "%s", path);
    return host_list(path, test_folder_remove_entry, copy, err);
}

/// Makes an empty folder. `name` tells the tests of a run apart.
static inline test_folder test_folder_open(const char *name) {
    test_folder self;
    const char *parent = host_environment("TMPDIR");
    (void)snprintf(self.path, sizeof self.path, "%s/firn-test-%u-%s",
                   parent == NULL ? "/tmp" : parent, host_process_id(), name);
    firn_error err = ERR_INIT;
    CHECK(host_make_folder(self.path, &err) == FIRN_OK);
    CHECK(test_folder_empty(self.path, &err) == FIRN_OK);
    return self;
}

static inline void test_folder_close(const test_folder *self) {
    firn_error err = ERR_INIT;
    CHECK(test_folder_empty(self->path, &err) == FIRN_OK);
    CHECK(host_remove(self->path, &err) == FIRN_OK);
}

/// Writes a file below the folder, making the folders between.
static inline void test_folder_write(const test_folder *self, const char *name,
                                     const char *content) {
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s", self->path, name);
    firn_error err = ERR_INIT;
    char *slash = strrchr(path, '/');
    *slash = '\0';
    CHECK(host_make_folder(path, &err) == FIRN_OK);
    *slash = '/';
    host_file file;
    CHECK(host_open(path, HOST_MODE_CREATE, &file, &err) == FIRN_OK);
    const bytes data = {.data = (const uint8_t *)content, .size = strlen(content)};
    CHECK(host_write(file, 0, data, &err) == FIRN_OK);
    host_close(&file);
}

#endif
