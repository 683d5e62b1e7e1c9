#include "exec/sort/sort_key.h"

#include "base/test.h"

#define ROWS 200

static firn_error err = FIRN_ERROR_INIT;

// Values of any type: bytes at random, few enough of them for equal values and common beginnings.
static void fill(arena *memory, const type *of, uint64_t *seed, column *out) {
    REQUIRE(column_new(memory, of, ROWS, out, &err) == FIRN_OK);
    const uint32_t size = physical_size(type_physical(of));
    for (uint32_t i = 0; i < ROWS; i++) {
        uint8_t *value = COLUMN_OUT(out, uint8_t) + (size_t)i * size;
        for (uint32_t b = 0; b < size; b++) {
            static const uint8_t bytes[4] = {0, 1, 0x7f, 0xff};
            value[b] = bytes[test_random(seed) % 4];
        }
        if (type_physical(of) == PHYSICAL_BIT) {
            bitmap_put(COLUMN_OUT(out, uint64_t), i, test_random(seed) % 2 == 0);
        }
        if (of->id != TYPE_NULL && test_random(seed) % 10 == 0) {
            REQUIRE(column_set_null(memory, out, i));
        }
    }
}

static int sign_of(int order) {
    return order < 0 ? -1 : order > 0;
}

// What can be read back is what was written.
static void check_decoded(const column *keys, const sort_order *orders, const batch *rows,
                          const uint8_t *fixed, arena *memory) {
    const type *types[2] = {keys[0].type, keys[1].type};
    const uint32_t size = sort_keys_fixed_size(types, 2);
    const uint8_t *starts[ROWS];
    for (uint32_t k = 0; k < rows->selected_count; k++) {
        starts[k] = fixed + (size_t)k * size;
    }
    for (uint32_t i = 0; i < 2; i++) {
        column found;
        if (!sort_key_is_exact(types[i])) {
            continue;
        }
        const sort_key_place place = {
            .type = types[i], .order = orders[i], .offset = sort_key_offset(types, i)};
        REQUIRE(sort_key_decode(&place, starts, rows->selected_count, memory, &found, &err) ==
                FIRN_OK);
        for (uint32_t k = 0; k < rows->selected_count; k++) {
            CHECK(column_rows_equal(&found, k, &keys[i], batch_row(rows, k)));
        }
    }
}

// Keys of a fixed size order as those that are written value by value.
static void check_same_order(const column *keys, const sort_order *orders, const batch *rows,
                             arena *memory) {
    const type *types[2] = {keys[0].type, keys[1].type};
    const uint32_t size = sort_keys_fixed_size(types, 2);
    REQUIRE(size > 0 && size % 8 == 0);
    column plain;
    REQUIRE(sort_keys_encode(keys, orders, 2, rows, memory, &plain, &err) == FIRN_OK);
    uint8_t *fixed = ARENA_NEW(memory, uint8_t, (size_t)ROWS *size);
    uint32_t *lanes = ARENA_NEW(memory, uint32_t, ROWS);
    REQUIRE(fixed != NULL && lanes != NULL);
    memset(fixed, 0xee, (size_t)ROWS * size);
    sort_keys_encode_fixed(keys, orders, 2, rows, size, lanes, fixed);
    const string_value *values = COLUMN_VALUES(&plain, string_value);
    for (uint32_t i = 0; i < rows->selected_count; i++) {
        const uint32_t k = (i * 7 + 1) % rows->selected_count;
        const int order = text_compare(string_text(&values[batch_row(rows, i)]),
                                       string_text(&values[batch_row(rows, k)]));
        const int found = memcmp(fixed + (size_t)i * size, fixed + (size_t)k * size, size);
        CHECK(sign_of(found) == sign_of(order));
    }
    check_decoded(keys, orders, rows, fixed, memory);
}

TEST(sort_keys_of_fixed_size_order_as_others_do) {
    const type *const types[] = {
        TYPE_OF(TINYINT),   TYPE_OF(SMALLINT),  TYPE_OF(INTEGER),  TYPE_OF(BIGINT),
        TYPE_OF(UTINYINT),  TYPE_OF(USMALLINT), TYPE_OF(UINTEGER), TYPE_OF(UBIGINT),
        TYPE_OF(DOUBLE),    TYPE_OF(REAL),      TYPE_OF(BOOLEAN),  TYPE_OF(DATE),
        TYPE_OF(TIMESTAMP), TYPE_OF(NULL),      TYPE_OF(FLOAT16),  TYPE_OF(DECIMAL),
        TYPE_OF(INTERVAL),
    };
    const uint32_t count = sizeof types / sizeof *types;
    uint64_t seed = 3;
    arena memory = arena_open(SIZE_MAX);
    for (uint32_t i = 0; i < count * 4; i++) {
        column keys[2];
        fill(&memory, types[i % count], &seed, &keys[0]);
        fill(&memory, types[(i + 3) % count], &seed, &keys[1]);
        const sort_order orders[2] = {{.is_descending = i % 2 == 0, .nulls_first = i % 3 == 0},
                                      {.is_descending = i % 3 == 0, .nulls_first = i % 2 == 0}};
        batch rows = batch_of(keys, 2, ROWS);
        check_same_order(keys, orders, &rows, &memory);
        uint16_t selection[ROWS / 2];
        for (uint16_t k = 0; k < ROWS / 2; k++) {
            selection[k] = (uint16_t)(k * 2 + 1);
        }
        rows.selection = selection;
        rows.selected_count = ROWS / 2;
        check_same_order(keys, orders, &rows, &memory);
        arena_reset(&memory);
    }
    arena_close(&memory);
}

TEST(sort_keys_of_fixed_size_come_from_any_form) {
    arena memory = arena_open(SIZE_MAX);
    uint64_t seed = 5;
    column values;
    column keys[2];
    fill(&memory, TYPE_OF(INTEGER), &seed, &values);
    values.validity = NULL;
    uint32_t *codes = ARENA_NEW(&memory, uint32_t, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) {
        codes[i] = (uint32_t)(test_random(&seed) % ROWS);
    }
    const dictionary entries = {.values = &values};
    keys[0] = (column){.type = values.type,
                       .form = FORM_DICTIONARY,
                       .length = ROWS,
                       .values = codes,
                       .dictionary = &entries};
    keys[1] = values;
    keys[1].form = FORM_CONSTANT;
    const sort_order orders[2] = {{.nulls_first = true}, {.is_descending = true}};
    const batch rows = batch_of(keys, 2, ROWS);
    check_same_order(keys, orders, &rows, &memory);
    arena_close(&memory);
}

TEST(sort_keys_without_a_width_or_too_many_are_of_no_fixed_size) {
    const type *types[20] = {TYPE_OF(BIGINT), TYPE_OF(VARCHAR)};
    CHECK(sort_keys_fixed_size(types, 1) == 16);
    CHECK(sort_keys_fixed_size(types, 2) == 0);
    CHECK(sort_keys_fixed_size(types, 0) == 0);
    for (uint32_t i = 0; i < 20; i++) {
        types[i] = TYPE_OF(BIGINT);
    }
    CHECK(sort_keys_fixed_size(types, 2) == 24);
    CHECK(sort_keys_fixed_size(types, 20) == 0);
}
