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

firn_status row_files_add(row_files *self, text path, uint64_t row_count, bytes data,
                          uint32_t *ordinal, firn_error *err) {
    for (*ordinal = 0; *ordinal < self->count; *ordinal += 1) {
        if (text_equal(self->paths[*ordinal], path)) {
            return FIRN_OK;
        }
    }
    // Its few files stand for the last ones that a scan may have.
    TRY(row_id_check_file(ROW_ID_FILE_MAX + 1 - FILES_MAX + self->count, row_count, err));
    TRY(text_copy(&self->memory, path, &self->paths[self->count], err));
    TRY(bytes_copy(&self->memory, data, &self->data[self->count], err));
    self->count++;
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
    CHECK(row_files_add(files, TEXT("/a"), 10, data, &ordinals[0], &err) == FIRN_OK);
    CHECK(row_files_add(files, TEXT("/b"), 10, (bytes){.size = 0}, &ordinals[1], &err) == FIRN_OK);
    CHECK(row_files_add(files, TEXT("/a"), 10, data, &ordinals[2], &err) == FIRN_OK);
    CHECK(ordinals[0] == 0 && ordinals[1] == 1 && ordinals[2] == 0 && row_files_count(files) == 2);
    CHECK(text_equal(row_files_path(files, 1), TEXT("/b")));
    CHECK(row_files_data(files, 0).size == 9);
    CHECK(row_files_add(files, TEXT("/c"), 10, data, &ordinals[1], &err) == FIRN_OK);
    CHECK(row_files_add(files, TEXT("/d"), 10, data, &ordinals[1], &err) == FIRN_OK);
    CHECK(row_files_add(files, TEXT("/e"), 10, data, &ordinals[1], &err) == FIRN_UNSUPPORTED);
    CHECK(row_id_make(1, 0) > row_id_make(0, 5) && row_id_position(row_id_make(3, 77)) == 77);
    row_files_close(files);
}

TEST(row_ids_end_before_that_of_no_row) {
    const uint64_t last = row_id_make(ROW_ID_FILE_MAX, ROW_ID_ROWS_MAX - 1);
    CHECK(row_id_file(last) == ROW_ID_FILE_MAX && row_id_position(last) == ROW_ID_ROWS_MAX - 1);
    CHECK(last < ROW_ID_NONE && row_id_file(ROW_ID_NONE) > ROW_ID_FILE_MAX);
    static const struct {
        uint64_t file, row_count;
        const char *words; // NULL: all of its rows have ids.
    } cases[] = {
        {0, 0, NULL},
        {ROW_ID_FILE_MAX, ROW_ID_ROWS_MAX, NULL},
        {ROW_ID_FILE_MAX + 1, 1, "more than 16777215 files"},
        {UINT64_MAX, 0, "more than 16777215 files"},
        {0, ROW_ID_ROWS_MAX + 1, "1099511627777 rows, those of up to 1099511627776"},
        {1, UINT64_MAX, "18446744073709551615 rows"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        firn_error err = FIRN_ERROR_INIT;
        const firn_status status = row_id_check_file(cases[i].file, cases[i].row_count, &err);
        CHECK(status == (cases[i].words == NULL ? FIRN_OK : FIRN_UNSUPPORTED));
        CHECK(cases[i].words == NULL || strstr(err.text, cases[i].words) != NULL);
    }
}
