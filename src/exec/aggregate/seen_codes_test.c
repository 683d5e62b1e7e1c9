#include "exec/aggregate/seen_codes.h"

#include "base/test.h"

static column entries_of(arena *memory, uint32_t size) {
    column values;
    firn_error err = ERR_INIT;
    CHECK(column_new(memory, TYPE_OF(INTEGER), size, &values, &err) == FIRN_OK);
    return values;
}

static column codes_of(const dictionary *entries, const uint32_t *codes, uint32_t count) {
    return (column){.type = TYPE_OF(INTEGER),
                    .form = FORM_DICTIONARY,
                    .length = count,
                    .values = codes,
                    .dictionary = entries};
}

// How many of `count` rows are left.
static uint32_t drop(seen_codes *self, const column *keys, uint32_t key_count, uint32_t count,
                     arena *scratch, const uint16_t **rows) {
    *rows = NULL;
    seen_codes_drop(self, keys, key_count, rows, &count, scratch);
    return count;
}

TEST(seen_codes_leave_the_first_row_of_each_entry_while_the_dictionary_stays) {
    arena memory = arena_open(1 << 20);
    seen_codes self = seen_codes_open(&memory);
    const column values = entries_of(&memory, 3);
    const dictionary first = {.identity = 7, .size = 3, .values = &values};
    const dictionary other = {.identity = 8, .size = 3, .values = &values};
    const uint32_t codes[] = {2, 2, 0, 2, 0};
    const uint16_t *rows;
    const column key = codes_of(&first, codes, 5);
    CHECK(drop(&self, &key, 1, 5, &memory, &rows) == 2 && rows[0] == 0 && rows[1] == 2);
    CHECK(drop(&self, &key, 1, 5, &memory, &rows) == 0);
    const uint32_t more[] = {0, 1, 1};
    const column next = codes_of(&first, more, 3);
    const uint16_t listed[] = {0, 2};
    uint32_t count = 2;
    rows = listed;
    seen_codes_drop(&self, &next, 1, &rows, &count, &memory);
    CHECK(count == 1 && rows[0] == 2);
    CHECK(drop(&self, &next, 1, 3, &memory, &rows) == 0); // All entries came.
    const column changed = codes_of(&other, more, 3);
    CHECK(drop(&self, &changed, 1, 3, &memory, &rows) == 2 && rows[0] == 0 && rows[1] == 1);
    CHECK(drop(&self, &next, 1, 3, &memory, &rows) == 2);
    arena_close(&memory);
}

TEST(seen_codes_tell_combinations_of_several_keys_apart) {
    arena memory = arena_open(1 << 22);
    seen_codes self = seen_codes_open(&memory);
    const column values = entries_of(&memory, 300);
    dictionary entries[3];
    uint32_t codes[3][256];
    column keys[3];
    const uint32_t sizes[] = {3, 40, 300};
    for (uint32_t i = 0; i < 3; i++) {
        entries[i] = (dictionary){.identity = i + 1, .size = sizes[i], .values = &values};
        keys[i] = codes_of(&entries[i], codes[i], 256);
    }
    bool came[3][40][300] = {{{false}}};
    uint64_t seed = 1;
    for (uint32_t round = 0; round < 100; round++) {
        bool is_fresh[256];
        for (uint32_t row = 0; row < 256; row++) {
            for (uint32_t i = 0; i < 3; i++) {
                codes[i][row] = (uint32_t)(test_random(&seed) % sizes[i]);
            }
            bool *each = &came[codes[0][row]][codes[1][row]][codes[2][row]];
            is_fresh[row] = !*each;
            *each = true;
        }
        const uint16_t *rows;
        const uint32_t count = drop(&self, keys, 3, 256, &memory, &rows);
        uint32_t at = 0;
        for (uint32_t row = 0; row < 256; row++) {
            if (is_fresh[row]) {
                REQUIRE(at < count && rows[at] == row);
                at++;
            }
        }
        CHECK(at == count);
    }
    arena_close(&memory);
}

TEST(seen_codes_leave_all_rows_of_what_they_cannot_tell) {
    arena memory = arena_open(1 << 20);
    arena little = arena_open(16);
    const column values = entries_of(&memory, 300);
    const uint32_t codes[] = {0, 0};
    const uint64_t validity = 3;
    const dictionary good = {.identity = 1, .size = 300, .values = &values};
    const dictionary unknown = {.identity = 0, .size = 300, .values = &values};
    const column flat = {.type = TYPE_OF(INTEGER), .form = FORM_FLAT, .length = 2, .values = codes};
    column nullable = codes_of(&good, codes, 2);
    nullable.validity = &validity;
    const column key = codes_of(&good, codes, 2);
    const column many[] = {key, key};
    const column nameless = codes_of(&unknown, codes, 2);
    const struct {
        const column *keys;
        uint32_t count;
        arena *memory;
    } cases[] = {{&flat, 1, &memory},     {&nullable, 1, &memory}, {many, 2, &memory},
                 {&nameless, 1, &memory}, {&key, 0, &memory},      {&key, 1, &little}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        seen_codes self = seen_codes_open(cases[i].memory);
        const uint16_t *rows;
        for (uint32_t round = 0; round < 2; round++) {
            CHECK(drop(&self, cases[i].keys, cases[i].count, 2, &memory, &rows) == 2 &&
                  rows == NULL);
        }
    }
    arena_close(&memory);
    arena_close(&little);
}
