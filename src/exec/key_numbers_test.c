#include "exec/key_numbers.h"

#include "base/test.h"

#define ROWS_MAX 64

typedef struct fixture {
    arena memory;
    pool *engine;
    pool *query;
    column columns[3];
    key_numbers *numbers;
    int64_t out[ROWS_MAX];
} fixture;

static fixture open_fixture(const type *const *types, uint32_t count) {
    fixture out = {.memory = arena_open(1 << 24)};
    firn_error err = ERR_INIT;
    const pool_options query = {.kind = POOL_QUERY, .name = "query"};
    CHECK(pool_open_engine(UINT64_C(1) << 26, &out.engine, &err) == FIRN_OK);
    CHECK(pool_open(out.engine, &query, &out.query, &err) == FIRN_OK);
    CHECK(key_numbers_open(types, count, out.query, &out.numbers, &err) == FIRN_OK);
    return out;
}

static void close_fixture(fixture *self) {
    key_numbers_close(self->numbers);
    pool_close(self->query);
    pool_close(self->engine);
    arena_close(&self->memory);
}

static column integers(fixture *self, const int64_t *values, uint32_t count) {
    column out = {.type = TYPE_OF(BIGINT)};
    firn_error err = ERR_INIT;
    CHECK(column_new(&self->memory, out.type, count, &out, &err) == FIRN_OK);
    memcpy(COLUMN_OUT(&out, int64_t), values, count * sizeof *values);
    return out;
}

// Words behind codes; the rows in `nulls` (bits) are NULL.
static column words(fixture *self, const char *const *entries, uint32_t entry_count,
                    const uint32_t *codes, uint32_t count, uint64_t nulls) {
    firn_error err = ERR_INIT;
    column *values = ARENA_NEW(&self->memory, column, 1);
    dictionary *all = ARENA_NEW(&self->memory, dictionary, 1);
    CHECK(column_new(&self->memory, TYPE_OF(VARCHAR), entry_count, values, &err) == FIRN_OK);
    for (uint32_t i = 0; i < entry_count; i++) {
        COLUMN_OUT(values, string_value)[i] = string_of(entries[i], (uint32_t)strlen(entries[i]));
    }
    *all =
        (dictionary){.identity = dictionary_identity_new(), .size = entry_count, .values = values};
    column out = {.type = TYPE_OF(VARCHAR),
                  .form = FORM_DICTIONARY,
                  .length = count,
                  .values = codes,
                  .dictionary = all};
    for (uint32_t row = 0; row < count; row++) {
        if ((nulls >> row & 1) != 0) {
            CHECK(column_set_null(&self->memory, &out, row));
        }
    }
    return out;
}

static key_answer ask(fixture *self, uint32_t count, bool allows_text) {
    key_answer answer = KEYS_TOO_MANY;
    firn_error err = ERR_INIT;
    const key_rows in = {.columns = self->columns, .count = count, .allows_text = allows_text};
    CHECK(key_numbers_of(self->numbers, &in, self->out, &answer, &self->memory, &err) == FIRN_OK);
    return answer;
}

// Whether two rows have the same number exactly where `same` (by row) is the same.
static bool tells_apart(const fixture *self, const int *same, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < count; k++) {
            if ((self->out[i] == self->out[k]) != (same[i] == same[k])) {
                return false;
            }
        }
    }
    return true;
}

TEST(key_numbers_are_equal_exactly_for_equal_keys) {
    const type *const types[] = {TYPE_OF(VARCHAR), TYPE_OF(BIGINT)};
    fixture f = open_fixture(types, 2);
    const char *const entries[] = {"ship", "rail", "air"};
    const uint32_t codes[] = {0, 1, 2, 0, 1, 2, 0, 0};
    f.columns[0] = words(&f, entries, 3, codes, 8, 1u << 6);
    f.columns[1] = integers(&f, (const int64_t[]){5, 5, 5, 5, -7, 5, 5, -7}, 8);
    CHECK(ask(&f, 8, false) == KEYS_MOVED);
    CHECK(ask(&f, 8, false) == KEYS_NUMBERED);
    CHECK(tells_apart(&f, (const int[]){0, 1, 2, 0, 3, 2, 4, 5}, 8));
    close_fixture(&f);
}

TEST(key_numbers_hold_for_another_dictionary_and_for_flat_text) {
    const type *const types[] = {TYPE_OF(VARCHAR)};
    fixture f = open_fixture(types, 1);
    const char *const entries[] = {"one", "two", "a word that is longer than twelve bytes"};
    const uint32_t codes[] = {0, 1, 2};
    f.columns[0] = words(&f, entries, 3, codes, 3, 0);
    CHECK(ask(&f, 3, false) == KEYS_MOVED);
    CHECK(ask(&f, 3, false) == KEYS_NUMBERED);
    const int64_t before[] = {f.out[0], f.out[1], f.out[2]};
    const char *const others[] = {"a word that is longer than twelve bytes", "two", "one"};
    f.columns[0] = words(&f, others, 3, codes, 3, 0);
    CHECK(ask(&f, 3, false) == KEYS_NUMBERED);
    CHECK(f.out[0] == before[2] && f.out[1] == before[1] && f.out[2] == before[0]);
    column flat;
    firn_error err = ERR_INIT;
    CHECK(column_flatten(&f.memory, &f.columns[0], &flat, &err) == FIRN_OK);
    f.columns[0] = flat;
    CHECK(ask(&f, 3, false) == KEYS_TOO_MANY); // Row by row it is not worth it.
    CHECK(ask(&f, 3, true) == KEYS_NUMBERED);
    CHECK(f.out[0] == before[2] && f.out[1] == before[1] && f.out[2] == before[0]);
    close_fixture(&f);
}

TEST(key_numbers_move_when_a_range_grows_and_not_inside_it) {
    const type *const types[] = {TYPE_OF(BIGINT), TYPE_OF(BIGINT)};
    fixture f = open_fixture(types, 2);
    f.columns[0] = integers(&f, (const int64_t[]){100, 200}, 2);
    f.columns[1] = integers(&f, (const int64_t[]){-1, 1}, 2);
    CHECK(ask(&f, 2, false) == KEYS_MOVED);
    CHECK(ask(&f, 2, false) == KEYS_NUMBERED);
    f.columns[0] = integers(&f, (const int64_t[]){150, 101}, 2);
    CHECK(ask(&f, 2, false) == KEYS_NUMBERED);
    uint32_t moves = 0;
    for (int64_t i = 0; i < 2000; i++) { // Upwards and downwards: each time twice the room.
        f.columns[0] = integers(&f, (const int64_t[]){150 + i * 1000, 150 - i * 1000}, 2);
        const key_answer answer = ask(&f, 2, false);
        moves += answer == KEYS_MOVED;
        CHECK(answer != KEYS_TOO_MANY);
    }
    CHECK(moves < 40);
    close_fixture(&f);
}

TEST(key_numbers_have_an_end) {
    const type *const types[] = {TYPE_OF(BIGINT), TYPE_OF(BIGINT)};
    fixture f = open_fixture(types, 2);
    f.columns[0] = integers(&f, (const int64_t[]){INT64_MIN, INT64_MAX}, 2);
    f.columns[1] = integers(&f, (const int64_t[]){0, 0}, 2);
    CHECK(ask(&f, 2, false) == KEYS_TOO_MANY);
    close_fixture(&f);
    f = open_fixture(types, 2); // Each alone would do.
    f.columns[0] = integers(&f, (const int64_t[]){0, INT64_C(1) << 40}, 2);
    f.columns[1] = f.columns[0];
    CHECK(ask(&f, 2, false) == KEYS_TOO_MANY);
    close_fixture(&f);
}

TEST(key_numbers_of_null_are_zero) {
    const type *const types[] = {TYPE_OF(BIGINT), TYPE_OF(BOOLEAN)};
    fixture f = open_fixture(types, 2);
    firn_error err = ERR_INIT;
    CHECK(column_new_null(&f.memory, TYPE_OF(BIGINT), 3, &f.columns[0], &err) == FIRN_OK);
    CHECK(column_new_null(&f.memory, TYPE_OF(BOOLEAN), 3, &f.columns[1], &err) == FIRN_OK);
    CHECK(ask(&f, 3, false) == KEYS_NUMBERED);
    CHECK(f.out[0] == 0 && f.out[2] == 0);
    close_fixture(&f);
}
