// The files of a scan by ordinal (tables/row_change.h) are a contract that nobody fulfils yet. Here
// a small list fulfils it. Its functions have other names: the engine's own come under theirs.
// NOLINTBEGIN(readability-identifier-naming): they are names of functions.
#define row_files_open fake_row_files_open
#define row_files_close fake_row_files_close
#define row_files_add fake_row_files_add
#define row_files_count fake_row_files_count
#define row_files_path fake_row_files_path
#define row_files_data fake_row_files_data
// NOLINTEND(readability-identifier-naming)
#include "tables/row_change.h"

#include "base/host.h"
#include "base/test.h"

#define FILES_MAX 4
#define MEMORY_LIMIT ((size_t)1 << 20)

struct row_files {
    arena memory;
    uint32_t count;
    text paths[FILES_MAX];
    bytes data[FILES_MAX];
};

firn_status row_files_open(struct pool *pool, row_files **out, firn_error *err) {
    (void)pool;
    *out = host_alloc(sizeof **out);
    if (*out == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "no memory");
    }
    **out = (row_files){.memory = arena_open(MEMORY_LIMIT)};
    return FIRN_OK;
}

void row_files_close(row_files *self) {
    if (self != NULL) {
        arena_close(&self->memory);
        host_free(self);
    }
}

firn_status row_files_add(row_files *self, text path, bytes data, uint32_t *ordinal,
                          firn_error *err) {
    for (*ordinal = 0; *ordinal < self->count; *ordinal += 1) {
        if (text_equal(self->paths[*ordinal], path)) {
            return FIRN_OK;
        }
    }
    if (self->count == FILES_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "more than %d files are changed at a time", FILES_MAX);
    }
    text copy;
    TRY(text_copy(&self->memory, path, &self->paths[self->count], err));
    TRY(text_copy(&self->memory, (text){.data = (const char *)data.data, .size = data.size}, &copy,
                  err));
    self->data[self->count++] = (bytes){.data = (const uint8_t *)copy.data, .size = copy.size};
    return FIRN_OK;
}

uint32_t row_files_count(row_files *self) {
    return self->count;
}

text row_files_path(row_files *self, uint32_t ordinal) {
    return self->paths[ordinal];
}

bytes row_files_data(row_files *self, uint32_t ordinal) {
    return self->data[ordinal];
}

TEST(row_files_have_ordinals_that_row_ids_carry) {
    firn_error err = FIRN_ERROR_INIT;
    row_files *files;
    uint32_t ordinals[3];
    const bytes data = {.data = (const uint8_t *)"partition", .size = 9};
    REQUIRE(row_files_open(NULL, &files, &err) == FIRN_OK);
    CHECK(row_files_add(files, TEXT("/a"), data, &ordinals[0], &err) == FIRN_OK);
    CHECK(row_files_add(files, TEXT("/b"), (bytes){.size = 0}, &ordinals[1], &err) == FIRN_OK);
    CHECK(row_files_add(files, TEXT("/a"), data, &ordinals[2], &err) == FIRN_OK);
    CHECK(ordinals[0] == 0 && ordinals[1] == 1 && ordinals[2] == 0 && row_files_count(files) == 2);
    CHECK(text_equal(row_files_path(files, 1), TEXT("/b")));
    CHECK(row_files_data(files, 0).size == 9);
    CHECK(row_files_add(files, TEXT("/c"), data, &ordinals[1], &err) == FIRN_OK);
    CHECK(row_files_add(files, TEXT("/d"), data, &ordinals[1], &err) == FIRN_OK);
    CHECK(row_files_add(files, TEXT("/e"), data, &ordinals[1], &err) == FIRN_UNSUPPORTED);
    const uint64_t id = row_id_make(ROW_ID_FILE_MAX, (UINT64_C(1) << ROW_ID_POSITION_BITS) - 1);
    CHECK(row_id_file(id) == ROW_ID_FILE_MAX && row_id_file(id >> 1) < ROW_ID_FILE_MAX);
    CHECK(row_id_make(1, 0) > row_id_make(0, 5) && row_id_position(row_id_make(3, 77)) == 77);
    row_files_close(files);
}
