#include "column/column.h"

#include <math.h>

#include "base/test.h"
#include "column/batch.h"

static arena memory;

static column integers(const int32_t *values, uint32_t count) {
    firn_error err = ERR_INIT;
    column out;
    if (column_new(&memory, TYPE_OF(INTEGER), count, &out, &err) == FIRN_OK) {
        memcpy(COLUMN_OUT(&out, int32_t), values, count * sizeof *values);
    }
    return out;
}

static void begin(void) {
    memory = arena_open((size_t)1 << 26);
}

TEST(column_types_print_as_sql) {
    begin();
    const field fields[] = {{TEXT("a"), type_decimal(&memory, 12, 2), true, -1},
                            {TEXT("b"), type_list(&memory, TYPE_OF(VARCHAR)), true, -1},
                            {TEXT("c"), type_temporal(TYPE_TIMESTAMPTZ, UNIT_NANO), true, -1},
                            {TEXT("d"), type_map(&memory, TYPE_OF(UUID), TYPE_OF(DATE)), true, -1}};
    const type *whole = type_struct(&memory, 4, fields);
    CHECK(text_equal(
        type_text(whole, &memory),
        TEXT("STRUCT(a DECIMAL(12,2), b VARCHAR[], c TIMESTAMPTZ_NS, d MAP(UUID, DATE))")));
    const type *copy;
    firn_error err = ERR_INIT;
    REQUIRE(type_copy(&memory, whole, &copy, &err) == FIRN_OK);
    CHECK(type_equal(whole, copy) && type_hash(whole) == type_hash(copy));
    CHECK(!type_equal(TYPE_OF(TIMESTAMP), type_temporal(TYPE_TIMESTAMP, UNIT_NANO)));
    CHECK(type_equal(TYPE_OF(TIMESTAMP), type_temporal(TYPE_TIMESTAMP, UNIT_MICRO)));
    arena_close(&memory);
}

TEST(column_decimal_width_follows_the_declared_precision) {
    begin();
    CHECK(type_physical(type_decimal(&memory, 9, 0)) == PHYSICAL_I32);
    CHECK(type_physical(type_decimal(&memory, 10, 0)) == PHYSICAL_I64);
    CHECK(type_physical(type_decimal(&memory, 19, 0)) == PHYSICAL_I128);
    CHECK(type_physical(type_decimal(&memory, 39, 0)) == PHYSICAL_I256);
    arena_close(&memory);
}

TEST(column_integers_are_read_by_their_width) {
    begin();
    firn_error err = ERR_INIT;
    static const struct {
        type of;
        uint64_t bits; // As they lie in memory, little end first.
        int64_t number;
    } rows[] = {
        {{.id = TYPE_TINYINT}, 0x80, -128},        {{.id = TYPE_UTINYINT}, 0x80, 128},
        {{.id = TYPE_SMALLINT}, 0xffff, -1},       {{.id = TYPE_USMALLINT}, 0xffff, 65535},
        {{.id = TYPE_INTEGER}, 0xfffffffe, -2},    {{.id = TYPE_UINTEGER}, 0xfffffffe, 4294967294},
        {{.id = TYPE_BIGINT}, UINT64_MAX - 1, -2}, {{.id = TYPE_UBIGINT}, UINT64_MAX - 1, -2},
        {{.id = TYPE_DATE}, 0xffffffff, -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const physical kind = type_physical(&rows[i].of);
        column values;
        REQUIRE(column_new(&memory, &rows[i].of, 2, &values, &err) == FIRN_OK);
        memset(COLUMN_OUT(&values, uint8_t), 0, (size_t)physical_size(kind) * 2);
        memcpy(COLUMN_OUT(&values, uint8_t) + physical_size(kind), &rows[i].bits,
               physical_size(kind));
        CHECK(physical_is_integer(kind));
        CHECK(column_lane_integer(&values, 0) == 0);
        CHECK(column_lane_integer(&values, 1) == rows[i].number);
    }
    arena_close(&memory);
}

TEST(column_take_gathers_and_makes_nulls) {
    begin();
    firn_error err = ERR_INIT;
    const int32_t values[] = {10, 11, 12, 13};
    column in = integers(values, 4);
    REQUIRE(column_set_null(&memory, &in, 2));
    const uint32_t rows[] = {3, 2, UINT32_MAX, 0, 3};
    column out;
    REQUIRE(column_take(&memory, &in, rows, 5, &out, &err) == FIRN_OK);
    CHECK(COLUMN_VALUES(&out, int32_t)[0] == 13 && COLUMN_VALUES(&out, int32_t)[4] == 13);
    CHECK(column_is_valid(&out, 0) && !column_is_valid(&out, 1) && !column_is_valid(&out, 2));
    CHECK(COLUMN_VALUES(&out, int32_t)[3] == 10);
    arena_close(&memory);
}

TEST(column_forms_flatten_to_the_same_rows) {
    begin();
    firn_error err = ERR_INIT;
    const int32_t entries[] = {7, 8, 9};
    const column values = integers(entries, 3);
    const dictionary words = {.identity = 1, .size = 3, .values = &values};
    const uint32_t codes[] = {2, 0, 1, 2};
    const uint64_t valid[] = {0xb}; // Row 2 is NULL.
    const column coded = {.type = TYPE_OF(INTEGER),
                          .form = FORM_DICTIONARY,
                          .length = 4,
                          .validity = valid,
                          .values = codes,
                          .dictionary = &words};
    column flat;
    REQUIRE(column_flatten(&memory, &coded, &flat, &err) == FIRN_OK);
    CHECK(COLUMN_VALUES(&flat, int32_t)[0] == 9 && COLUMN_VALUES(&flat, int32_t)[1] == 7);
    const uint32_t ends[] = {1, 3, 4};
    const column runs = {.type = TYPE_OF(INTEGER),
                         .form = FORM_RUNS,
                         .length = 4,
                         .values = entries,
                         .run_ends = ends,
                         .run_count = 3};
    column expanded;
    REQUIRE(column_flatten(&memory, &runs, &expanded, &err) == FIRN_OK);
    const int32_t wanted[] = {7, 8, 8, 9};
    CHECK(memcmp(expanded.values, wanted, sizeof wanted) == 0);
    for (uint32_t row = 0; row < 4; row++) {
        CHECK(column_rows_equal(&coded, row, &flat, row));
        CHECK(column_hash_row(&coded, row) == column_hash_row(&flat, row));
        CHECK(column_rows_equal(&runs, row, &expanded, row));
    }
    column part;
    REQUIRE(column_slice(&memory, &runs, 1, 2, &part, &err) == FIRN_OK);
    CHECK(part.length == 2 && COLUMN_VALUES(&part, int32_t)[1] == 8);
    REQUIRE(column_slice(&memory, &coded, 1, 3, &part, &err) == FIRN_OK);
    CHECK(part.form == FORM_DICTIONARY && !column_is_valid(&part, 1) && column_is_valid(&part, 2));
    arena_close(&memory);
}

TEST(column_copy_depends_on_nothing_but_its_arena) {
    begin();
    firn_error err = ERR_INIT;
    char long_text[] = "a text of more than twelve bytes";
    column strings;
    REQUIRE(column_new(&memory, TYPE_OF(VARCHAR), 2, &strings, &err) == FIRN_OK);
    COLUMN_OUT(&strings, string_value)[0] = string_of("short", 5);
    COLUMN_OUT(&strings, string_value)[1] = string_of(long_text, sizeof long_text - 1);
    const type *lists = type_list(&memory, TYPE_OF(VARCHAR));
    column list;
    REQUIRE(column_new(&memory, lists, 2, &list, &err) == FIRN_OK);
    list.children = &strings;
    COLUMN_OUT(&list, list_value)[0] = (list_value){.offset = 1, .size = 1};
    COLUMN_OUT(&list, list_value)[1] = (list_value){.offset = 0, .size = 2};
    column copy;
    REQUIRE(column_copy(&memory, &list, &copy, &err) == FIRN_OK);
    memset(long_text, 'x', sizeof long_text - 1);
    CHECK(copy.children[0].length == 3);
    const string_value *first = &COLUMN_VALUES(&copy.children[0], string_value)[0];
    CHECK(text_equal(string_text(first), TEXT("a text of more than twelve bytes")));
    CHECK(!column_rows_equal(&list, 0, &copy, 0));
    arena_close(&memory);
}

#define REPEATED_ROWS 2000
#define WIDE_SIZE 20000 // Elements of a list, bytes of a text.

// Rows that have one of two long values each, by turns; every tenth is NULL.
static column repeated(const column *two) {
    firn_error err = ERR_INIT;
    uint32_t *rows = ARENA_NEW(&memory, uint32_t, REPEATED_ROWS);
    for (uint32_t i = 0; i < REPEATED_ROWS; i++) {
        rows[i] = i % 10 == 0 ? UINT32_MAX : i % 2;
    }
    column out = {0};
    CHECK(column_take(&memory, two, rows, REPEATED_ROWS, &out, &err) == FIRN_OK);
    return out;
}

static column two_lists(void) {
    firn_error err = ERR_INIT;
    column *elements = ARENA_NEW(&memory, column, 1);
    column out = {0};
    CHECK(column_new(&memory, TYPE_OF(BIGINT), 2 * WIDE_SIZE, elements, &err) == FIRN_OK);
    for (uint32_t i = 0; i < 2 * WIDE_SIZE; i++) {
        COLUMN_OUT(elements, int64_t)[i] = i;
    }
    CHECK(column_new(&memory, type_list(&memory, TYPE_OF(BIGINT)), 2, &out, &err) == FIRN_OK);
    out.children = elements;
    COLUMN_OUT(&out, list_value)[0] = (list_value){.offset = 0, .size = WIDE_SIZE};
    COLUMN_OUT(&out, list_value)[1] = (list_value){.offset = WIDE_SIZE, .size = WIDE_SIZE};
    return out;
}

static column two_texts(void) {
    firn_error err = ERR_INIT;
    column out = {0};
    CHECK(column_new(&memory, TYPE_OF(VARCHAR), 2, &out, &err) == FIRN_OK);
    for (uint32_t i = 0; i < 2; i++) {
        char *text = ARENA_NEW(&memory, char, WIDE_SIZE);
        memset(text, 'a' + (int)i, WIDE_SIZE);
        COLUMN_OUT(&out, string_value)[i] = string_of(text, WIDE_SIZE);
    }
    return out;
}

static void check_same(const column *left, const column *right) {
    REQUIRE(left->length == right->length);
    for (uint32_t i = 0; i < left->length; i += 97) {
        CHECK(column_rows_equal(left, i, right, i));
    }
}

TEST(column_copy_keeps_in_common_what_rows_have_in_common) {
    begin();
    firn_error err = ERR_INIT;
    const column wide[] = {two_lists(), two_texts()};
    for (size_t i = 0; i < 2; i++) {
        const column rows = repeated(&wide[i]);
        arena kept = arena_open((size_t)1 << 20); // Each value once, not in each row.
        column copy;
        REQUIRE(column_copy(&kept, &rows, &copy, &err) == FIRN_OK);
        check_same(&rows, &copy);
        arena_close(&kept);
    }
    arena_close(&memory);
}

// Texts that lie one behind the other, apart, in reverse, and in one place; some inline, some NULL.
static column scattered_texts(const char *bytes, uint32_t turn) {
    firn_error err = ERR_INIT;
    column out = {0};
    CHECK(column_new(&memory, TYPE_OF(VARCHAR), 300, &out, &err) == FIRN_OK);
    for (uint32_t i = 0; i < 300; i++) {
        const uint32_t size = i % 7 == 0 ? i % 13 : 13 + i % 80;
        const uint32_t from = turn == 0   ? i * 100
                              : turn == 1 ? (299 - i) * 100
                              : turn == 2 ? 50 * (i % 3)
                                          : 0;
        COLUMN_OUT(&out, string_value)[i] = string_of(bytes + from, size);
        if (i % 11 == 0) {
            CHECK(column_set_null(&memory, &out, i));
        }
    }
    if (turn == 3) { // One behind the other, with a gap at times.
        const char *at = bytes;
        for (uint32_t i = 0; i < 300; i++) {
            string_value *value = &COLUMN_OUT(&out, string_value)[i];
            *value = string_of(at, value->size);
            at += value->size + i / 20 % 2;
        }
    }
    return out;
}

TEST(column_copy_copies_texts_wherever_they_lie) {
    begin();
    char bytes[30100];
    for (uint32_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)('a' + i * 31 % 26);
    }
    for (uint32_t turn = 0; turn < 4; turn++) {
        firn_error err = ERR_INIT;
        const column texts = scattered_texts(bytes, turn);
        column copy;
        REQUIRE(column_copy(&memory, &texts, &copy, &err) == FIRN_OK);
        CHECK(copy.validity != texts.validity);
        for (uint32_t i = 0; i < 300; i++) {
            CHECK(column_rows_equal(&texts, i, &copy, i));
            const string_value *value = &COLUMN_VALUES(&copy, string_value)[i];
            CHECK(string_is_inline(value) || value->data < bytes ||
                  value->data >= bytes + sizeof bytes);
        }
    }
    arena_close(&memory);
}

TEST(column_gather_keeps_in_common_what_rows_have_in_common) {
    begin();
    firn_error err = ERR_INIT;
    const column lists[] = {two_lists(), two_lists()};
    const column *sources[REPEATED_ROWS];
    uint32_t rows[REPEATED_ROWS];
    for (uint32_t turn = 1; turn <= 2; turn++) { // Of one column, and of two by turns.
        for (uint32_t i = 0; i < REPEATED_ROWS; i++) {
            sources[i] = i % 10 == 0 ? NULL : &lists[i % turn];
            rows[i] = i / 3 % 2;
        }
        const gathered_rows from = {.sources = sources, .rows = rows, .count = REPEATED_ROWS};
        arena kept = arena_open((size_t)4 << 20);
        column out;
        REQUIRE(column_gather(&kept, lists[0].type, &from, &out, &err) == FIRN_OK);
        CHECK(turn > 1 || out.children == lists[0].children);
        for (uint32_t i = 0; i < REPEATED_ROWS; i += 97) {
            CHECK(column_is_valid(&out, i) == (sources[i] != NULL));
            CHECK(sources[i] == NULL || column_rows_equal(&out, i, sources[i], rows[i]));
        }
        arena_close(&kept);
    }
    arena_close(&memory);
}

TEST(column_of_entries_has_the_rows_that_its_codes_say) {
    begin();
    firn_error err = ERR_INIT;
    column lists = two_lists();
    REQUIRE(column_set_null(&memory, &lists, 1));
    const uint32_t codes[] = {1, 0, 0, 1, 0};
    column out;
    column flat;
    REQUIRE(column_of_entries(&memory, &lists, codes, 5, &out, &err) == FIRN_OK);
    CHECK(out.form == FORM_DICTIONARY && out.dictionary->size == 2 && out.dictionary->identity > 0);
    CHECK(out.dictionary->values->validity == NULL);
    REQUIRE(column_flatten(&memory, &out, &flat, &err) == FIRN_OK);
    REQUIRE(flat.length == 5);
    for (uint32_t i = 0; i < 5; i++) {
        CHECK(column_rows_equal(&out, i, &lists, codes[i]));
        CHECK(column_rows_equal(&flat, i, &lists, codes[i]));
    }
    arena_close(&memory);
}

TEST(column_floats_compare_as_sql) {
    begin();
    firn_error err = ERR_INIT;
    column in;
    REQUIRE(column_new(&memory, TYPE_OF(DOUBLE), 4, &in, &err) == FIRN_OK);
    double *values = COLUMN_OUT(&in, double);
    values[0] = -0.0;
    values[1] = 0.0;
    values[2] = (double)NAN;
    values[3] = (double)INFINITY;
    CHECK(column_rows_equal(&in, 0, &in, 1) && column_hash_row(&in, 0) == column_hash_row(&in, 1));
    CHECK(column_rows_equal(&in, 2, &in, 2));
    CHECK(column_compare_rows(&in, 2, &in, 3) > 0);
    arena_close(&memory);
}

TEST(batch_copy_takes_only_the_rows_that_count) {
    begin();
    firn_error err = ERR_INIT;
    const int32_t values[] = {1, 2, 3, 4};
    const column in = integers(values, 4);
    const uint16_t selection[] = {1, 3};
    batch rows = batch_of(&in, 1, 4);
    rows.selection = selection;
    rows.selected_count = 2;
    batch copy;
    REQUIRE(batch_copy(&memory, &rows, &copy, &err) == FIRN_OK);
    CHECK(copy.row_count == 2 && COLUMN_VALUES(&copy.columns[0], int32_t)[1] == 4);
    arena_close(&memory);
}

TEST(batch_part_is_a_part_of_the_rows_that_count) {
    begin();
    firn_error err = ERR_INIT;
    const int32_t values[] = {1, 2, 3, 4};
    const column in = integers(values, 4);
    batch rows = batch_of(&in, 1, 4);
    batch part;
    REQUIRE(batch_part(&memory, &rows, 1, 2, &part, &err) == FIRN_OK);
    CHECK(part.row_count == 4 && part.selected_count == 2 && batch_row(&part, 1) == 2);
    REQUIRE(batch_part(&memory, &rows, 0, 4, &part, &err) == FIRN_OK);
    CHECK(part.selection == NULL && part.selected_count == 4);
    REQUIRE(batch_part(&memory, &rows, 4, 0, &part, &err) == FIRN_OK);
    CHECK(part.selected_count == 0);
    const uint16_t selection[] = {0, 1, 3};
    rows.selection = selection;
    rows.selected_count = 3;
    REQUIRE(batch_part(&memory, &rows, 1, 2, &part, &err) == FIRN_OK);
    CHECK(part.selected_count == 2 && batch_row(&part, 0) == 1 && batch_row(&part, 1) == 3);
    arena_close(&memory);
}

TEST(batch_slice_is_a_batch_of_its_own) {
    begin();
    firn_error err = ERR_INIT;
    const int32_t values[] = {1, 2, 3, 4, 5};
    const column in = integers(values, 5);
    batch rows = batch_of(&in, 1, 5);
    batch slice;
    REQUIRE(batch_slice(&memory, &rows, 0, 5, &slice, &err) == FIRN_OK);
    CHECK(slice.columns == rows.columns && slice.sequence.first == 0);
    REQUIRE(batch_slice(&memory, &rows, 1, 2, &slice, &err) == FIRN_OK);
    CHECK(slice.row_count == 2 && slice.selected_count == 2 && slice.selection == NULL);
    CHECK(COLUMN_VALUES(&slice.columns[0], int32_t)[1] == 3 && slice.sequence.first == 1);
    REQUIRE(batch_slice(&memory, &rows, 5, 0, &slice, &err) == FIRN_OK);
    CHECK(slice.row_count == 0 && slice.selected_count == 0);
    const uint16_t selection[] = {0, 1, 3, 4};
    rows.selection = selection;
    rows.selected_count = 4;
    rows.sequence.first = 7; // It is a slice itself.
    REQUIRE(batch_slice(&memory, &rows, 1, 2, &slice, &err) == FIRN_OK);
    CHECK(slice.row_count == 3 && slice.selected_count == 2 && slice.sequence.first == 8);
    CHECK(batch_row(&slice, 0) == 0 && batch_row(&slice, 1) == 2);
    CHECK(COLUMN_VALUES(&slice.columns[0], int32_t)[2] == 4);
    REQUIRE(batch_slice(&memory, &rows, 2, 2, &slice, &err) == FIRN_OK);
    CHECK(slice.selection == NULL && COLUMN_VALUES(&slice.columns[0], int32_t)[0] == 4);
    arena_close(&memory);
}

TEST(physical_integers_are_those_of_at_most_64_bits) {
    uint32_t count = 0;
    for (physical kind = PHYSICAL_NONE; kind < PHYSICAL_COUNT; kind++) {
        count += physical_is_integer(kind);
        CHECK(!physical_is_integer(kind) || physical_size(kind) <= 8);
    }
    CHECK(count == 8 && physical_is_integer(PHYSICAL_I8) && physical_is_integer(PHYSICAL_U64));
    CHECK(!physical_is_integer(PHYSICAL_F64) && !physical_is_integer(PHYSICAL_BIT));
}

TEST(column_new_null_has_no_rows_inside_its_lists) {
    begin();
    firn_error err = ERR_INIT;
    const field members[] = {{TEXT("a"), TYPE_OF(BOOLEAN), true, -1}};
    const type *lists = type_list(&memory, type_struct(&memory, 1, members));
    column nulls;
    column flat;
    REQUIRE(column_new_null(&memory, lists, 3, &nulls, &err) == FIRN_OK);
    REQUIRE(column_flatten(&memory, &nulls, &flat, &err) == FIRN_OK);
    CHECK(flat.length == 3 && flat.children[0].length == 0);
    CHECK(flat.children[0].children[0].length == 0);
    arena_close(&memory);
}
