#include <stdio.h>

#include "tables/row_change.h"

#include "base/test.h"
#include "memory/pool.h"

#define NO_DATA ((bytes){.size = 0})

TEST(row_files_have_ordinals_that_row_ids_carry) {
    firn_error err = FIRN_ERROR_INIT;
    row_files *files;
    uint32_t ordinals[3];
    char kept[] = "partition";
    const bytes data = {.data = (const uint8_t *)kept, .size = 9};
    REQUIRE(row_files_open(NULL, &files, &err) == FIRN_OK);
    CHECK(row_files_add(files, TEXT("/a"), 10, data, &ordinals[0], &err) == FIRN_OK);
    memset(kept, 'x', 9); // It was copied.
    CHECK(row_files_add(files, TEXT("/A"), 10, NO_DATA, &ordinals[1], &err) == FIRN_OK);
    CHECK(row_files_add(files, TEXT("/a"), 10, data, &ordinals[2], &err) == FIRN_OK);
    CHECK(ordinals[0] == 0 && ordinals[1] == 1 && ordinals[2] == 0 && row_files_count(files) == 2);
    CHECK(text_equal(row_files_path(files, 0), TEXT("/a")));
    CHECK(text_equal(row_files_path(files, 1), TEXT("/A")));
    CHECK(row_files_data(files, 0).size == 9 && row_files_data(files, 1).size == 0);
    CHECK(memcmp(row_files_data(files, 0).data, "partition", 9) == 0);
    CHECK(row_id_make(1, 0) > row_id_make(0, 5) && row_id_position(row_id_make(3, 77)) == 77);
    row_files_close(files);
    row_files_close(NULL);
}

TEST(row_files_stay_where_they_are_while_more_come) {
    firn_error err = FIRN_ERROR_INIT;
    row_files *files;
    uint32_t ordinal;
    char path[32];
    REQUIRE(row_files_open(NULL, &files, &err) == FIRN_OK);
    CHECK(row_files_add(files, TEXT("first"), 1, NO_DATA, &ordinal, &err) == FIRN_OK);
    const text first = row_files_path(files, 0);
    for (uint32_t i = 1; i < 1000; i++) {
        (void)snprintf(path, sizeof path, "/file-%u", i);
        REQUIRE(row_files_add(files, text_of(path), i, NO_DATA, &ordinal, &err) == FIRN_OK);
        REQUIRE(ordinal == i);
    }
    CHECK(row_files_count(files) == 1000 && row_files_path(files, 0).data == first.data);
    CHECK(text_equal(row_files_path(files, 999), TEXT("/file-999")));
    // What is refused gets no ordinal.
    CHECK(row_files_add(files, TEXT("large"), ROW_ID_ROWS_MAX + 1, NO_DATA, &ordinal, &err) ==
          FIRN_UNSUPPORTED);
    CHECK(row_files_count(files) == 1000);
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
