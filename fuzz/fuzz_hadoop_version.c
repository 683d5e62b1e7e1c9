// A folder of metadata files, each line a name; the first line is the text of the version hint.
//
// Oracle: what is found is a file of the folder whose name is that of a metadata file; without a
// hint it is a numbered one ("v3") if there are such, and none of these has a greater version;
// nothing is found only where no file has such a name.
#include <stdlib.h>
#include <string.h>

#include "input_folder.h"
#include "tables/iceberg/hadoop_version.h"

#define FILES_MAX 24
#define NAME_MAX_SIZE 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
    if (!condition) {
        abort();
    }
}

typedef struct folder {
    uint32_t count;
    char paths[FILES_MAX + 1][INPUT_PATH_MAX]; // The last one may be the hint's.
    uint64_t versions[2];                      // The greatest: of "00003-…" and of "v3".
    bool has_versions[2];
} folder;

// A line as the name of a file; false for what is none.
static bool take_name(text line, char out[NAME_MAX_SIZE + 16]) {
    if (line.size == 0 || line.size > NAME_MAX_SIZE || line.data[0] == '.') {
        return false;
    }
    for (size_t i = 0; i < line.size; i++) {
        if (line.data[i] == '/' || line.data[i] <= ' ' || line.data[i] > '~') {
            return false;
        }
    }
    (void)snprintf(out, NAME_MAX_SIZE + 16, "metadata/%.*s", TEXT_ARGS(line));
    return true;
}

static text take_line(text *rest) {
    const size_t end = text_find(*rest, TEXT("\n"));
    const text line = text_slice(*rest, 0, end);
    *rest = text_slice(*rest, end < rest->size ? end + 1 : end, rest->size);
    return line;
}

static void fill(text files, folder *out) {
    *out = (folder){.count = 0};
    while (files.size > 0 && out->count < FILES_MAX) {
        const text line = take_line(&files);
        char name[NAME_MAX_SIZE + 16];
        uint64_t version;
        if (take_name(line, name)) {
            input_folder_write(name, (bytes){.size = 0}, out->paths[out->count++]);
            if (hadoop_version_of(line, &version)) {
                const bool is_numbered = line.data[0] == 'v';
                uint64_t *greatest = &out->versions[is_numbered];
                *greatest = version > *greatest ? version : *greatest; // 0 before.
                out->has_versions[is_numbered] = true;
            }
        }
    }
}

static void check(io *files, const folder *self, bool has_hint, arena *memory) {
    firn_error err = ERR_INIT;
    text found;
    if (hadoop_current_metadata(files, text_of(input_folder()), NULL, memory, &found, &err) !=
        FIRN_OK) {
        must(err.status == FIRN_NO_MEMORY || err.status == FIRN_NOT_FOUND);
        must(err.status == FIRN_NO_MEMORY || !(self->has_versions[0] || self->has_versions[1]));
        return;
    }
    uint64_t version;
    const size_t start = strlen(input_folder()) + strlen("/metadata/");
    must(found.size > start);
    must(hadoop_version_of(text_slice(found, start, found.size), &version));
    const bool is_numbered = found.data[start] == 'v';
    must(has_hint ||
         (is_numbered == self->has_versions[1] && version == self->versions[is_numbered]));
    bool is_there = false;
    for (uint32_t i = 0; i < self->count; i++) {
        is_there = is_there || text_equal(found, text_of(self->paths[i]));
    }
    must(is_there);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static io *files;
    static folder here;
    firn_error err = ERR_INIT;
    char parent[INPUT_PATH_MAX];
    if (files == NULL) {
        must(io_open(&(io_options){.has_thread = false}, &files, &err) == FIRN_OK);
    }
    (void)snprintf(parent, sizeof parent, "%s/metadata", input_folder());
    must(host_make_folder(parent, &err) == FIRN_OK);
    text rest = {.data = (const char *)data, .size = size};
    const text hint = take_line(&rest);
    fill(rest, &here);
    if (hint.size > 0) {
        input_folder_write("metadata/version-hint.text",
                           (bytes){.data = (const uint8_t *)hint.data, .size = hint.size},
                           here.paths[here.count]);
    }
    arena memory = arena_open((size_t)16 << 20);
    check(files, &here, hint.size > 0, &memory);
    arena_close(&memory);
    for (uint32_t i = 0; i < here.count + (hint.size > 0); i++) { // A name may be there twice.
        (void)(host_remove(here.paths[i], &err) == FIRN_OK);
    }
    must(host_remove(parent, &err) == FIRN_OK);
    return 0;
}
