// Every way through dynamic_pass against the plain meaning of a filter, row by row.
#include "base/test.h"
#include "expr/dynamic.h"
#include "kernels/hash_column.h"

#define ROWS 2000
#define ENTRIES 300

typedef struct random_keys {
    int64_t values[ROWS]; // What each row means, whatever the form.
    column key;
    dictionary entries;
} random_keys;

WRAPS static uint64_t next_random(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void put(column *out, uint32_t row, int64_t value) {
    if (type_physical(out->type) == PHYSICAL_I16) {
        COLUMN_OUT(out, int16_t)[row] = (int16_t)value;
    } else if (type_physical(out->type) == PHYSICAL_I32) {
        COLUMN_OUT(out, int32_t)[row] = (int32_t)value;
    } else {
        COLUMN_OUT(out, int64_t)[row] = value;
    }
}

static void make_keys(random_keys *self, const type *of, bool is_dictionary, bool has_nulls,
                      arena *memory, uint64_t *seed) {
    firn_error err = ERR_INIT;
    column *values = ARENA_NEW(memory, column, 1);
    REQUIRE(column_new(memory, of, is_dictionary ? ENTRIES : ROWS, values, &err) == FIRN_OK);
    uint32_t *codes = ARENA_NEW(memory, uint32_t, ROWS);
    for (uint32_t i = 0; i < values->length; i++) {
        put(values, i, (int64_t)(next_random(seed) % 4000) - 1000);
    }
    for (uint32_t row = 0; row < ROWS; row++) {
        codes[row] = is_dictionary ? (uint32_t)(next_random(seed) % ENTRIES) : row;
        self->values[row] =
            type_physical(of) == PHYSICAL_I16   ? COLUMN_VALUES(values, int16_t)[codes[row]]
            : type_physical(of) == PHYSICAL_I32 ? COLUMN_VALUES(values, int32_t)[codes[row]]
                                                : COLUMN_VALUES(values, int64_t)[codes[row]];
    }
    self->key = *values;
    if (is_dictionary) {
        self->entries =
            (dictionary){.identity = dictionary_identity_new(), .size = ENTRIES, .values = values};
        self->key = (column){.type = of,
                             .form = FORM_DICTIONARY,
                             .length = ROWS,
                             .values = codes,
                             .dictionary = &self->entries};
    }
    if (has_nulls) {
        uint64_t *validity = ARENA_NEW(memory, uint64_t, BITMAP_WORDS(ROWS));
        for (uint32_t row = 0; row < ROWS; row++) {
            bitmap_put(validity, row, next_random(seed) % 5 != 0);
        }
        self->key.validity = validity;
    }
}

// A filter that lets every third number from 0 to 1,500 through, by way of `kind`.
enum { BY_BITMAP, BY_BLOOM, BY_BOUNDS, KINDS };

static bool is_let_through(int64_t value, int kind) {
    return value >= 0 && value <= 1500 && (kind == BY_BOUNDS || value % 3 == 0);
}

static void make_content(dynamic_content *out, int kind, const type *of, arena *memory) {
    firn_error err = ERR_INIT;
    column *bounds = ARENA_NEW(memory, column, 2);
    const column **lists = ARENA_NEW(memory, const column *, 2);
    for (int side = 0; side < 2; side++) {
        REQUIRE(column_new(memory, of, 1, &bounds[side], &err) == FIRN_OK);
        put(&bounds[side], 0, side == 0 ? 0 : 1500);
        lists[side] = &bounds[side];
    }
    *out = (dynamic_content){.key_count = 1, .minimum = &lists[0], .maximum = &lists[1]};
    uint64_t *words = ARENA_NEW(memory, uint64_t, 256);
    memset(words, 0, 256 * sizeof *words);
    column one;
    REQUIRE(column_new(memory, of, 1, &one, &err) == FIRN_OK);
    for (int64_t value = 0; value <= 1500; value += 3) {
        if (kind == BY_BITMAP) {
            bitmap_set(words, (uint64_t)value);
        } else if (kind == BY_BLOOM) {
            uint64_t hash;
            put(&one, 0, value);
            REQUIRE(hash_column(&one, NULL, 1, false, memory, &hash));
            dynamic_bloom_add(words, 256, hash);
        }
    }
    out->bitmap = kind == BY_BITMAP ? words : NULL;
    out->bitmap_bits = 1501;
    out->bloom = kind == BY_BLOOM ? words : NULL;
    out->bloom_blocks = 256;
}

static row_scope make_scope(uint32_t one_in, arena *memory, uint64_t *seed) {
    uint64_t *bits = ARENA_NEW(memory, uint64_t, BITMAP_WORDS(ROWS));
    memset(bits, 0, BITMAP_WORDS(ROWS) * sizeof *bits);
    row_scope out = {.serial = 1, .length = ROWS, .bits = bits};
    for (uint32_t row = 0; row < ROWS; row++) {
        if (next_random(seed) % one_in == 0) {
            bitmap_set(bits, row);
            out.count++;
        }
    }
    return out;
}

// How many rows pass that should not; none that should may be missing.
static uint32_t check_rows(const random_keys *keys, const row_scope *scope, int kind,
                           bool passes_null, const uint64_t *out) {
    uint32_t wrong = 0;
    uint32_t missing = 0;
    for (uint32_t row = 0; row < ROWS; row++) {
        const bool is_null = keys->key.validity != NULL && !bitmap_get(keys->key.validity, row);
        const bool wanted = bitmap_get(scope->bits, row) &&
                            (is_null ? passes_null : is_let_through(keys->values[row], kind));
        wrong += bitmap_get(out, row) && !wanted;
        missing += wanted && !bitmap_get(out, row);
    }
    CHECK(missing == 0);
    return wrong;
}

TEST(dynamic_pass_lets_through_what_the_filter_says_in_every_form) {
    uint64_t seed = 11;
    uint32_t unwanted = 0;
    uint32_t cases = 0;
    const type *types[] = {TYPE_OF(INTEGER), TYPE_OF(BIGINT), TYPE_OF(SMALLINT)};
    for (uint32_t mask = 0; mask < 24; mask++) {
        const type *of = types[mask / 8];
        for (int kind = 0; kind < KINDS; kind++) {
            for (uint32_t one_in = 1; one_in < 40; one_in = one_in * 3 + 1) {
                arena memory = arena_open(SIZE_MAX);
                random_keys *keys = ARENA_NEW(&memory, random_keys, 1);
                dynamic_content content;
                make_keys(keys, of, (mask & 1) != 0, (mask & 2) != 0, &memory, &seed);
                make_content(&content, kind, of, &memory);
                content.passes_null = (mask & 4) != 0;
                dynamic_memo memo = {.memory = arena_open(SIZE_MAX)};
                const column *list[] = {&keys->key};
                uint64_t out[BITMAP_WORDS(ROWS)];
                for (int batch = 0; batch < 3; batch++) { // The dictionary is remembered.
                    row_scope scope = make_scope(one_in, &memory, &seed);
                    CHECK(dynamic_pass(&content, &memo, list, &scope, &memory, out));
                    unwanted += check_rows(keys, &scope, kind, content.passes_null, out);
                    cases++;
                }
                arena_close(&memo.memory);
                arena_close(&memory);
            }
        }
    }
    CHECK(unwanted < cases * ROWS / 500); // Bloom filters may let some through.
}

TEST(dynamic_pass_fails_cleanly_without_memory) {
    uint64_t seed = 5;
    arena memory = arena_open(SIZE_MAX);
    random_keys *keys = ARENA_NEW(&memory, random_keys, 1);
    dynamic_content content;
    make_keys(keys, TYPE_OF(BIGINT), false, true, &memory, &seed);
    make_content(&content, BY_BLOOM, TYPE_OF(BIGINT), &memory);
    const column *list[] = {&keys->key};
    uint64_t out[BITMAP_WORDS(ROWS)];
    arena full = arena_open(1);
    row_scope scope = make_scope(1, &memory, &seed);
    CHECK(!dynamic_pass(&content, NULL, list, &scope, &full, out));
    arena_close(&full);
    arena_close(&memory);
}
