#include "kernels/hash_column.h"

#include <math.h>

#include "base/hash.h"
#include "base/test.h"

#define ROWS 150

static void put(column *self, uint32_t row, uint64_t *seed) {
    const int64_t bits = (int64_t)(test_random(seed) % 5) - 2;
    const double number = bits == 0 ? (double)NAN : bits == 1 ? -0.0 : (double)bits;
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    const uint32_t width = physical_size(type_physical(self->type));
    switch ((int)type_physical(self->type)) {
    case PHYSICAL_BIT:
        bitmap_put(COLUMN_OUT(self, uint64_t), row, bits % 2 == 0);
        break;
    case PHYSICAL_F32:
        COLUMN_OUT(self, float)[row] = (float)number;
        break;
    case PHYSICAL_F64:
        COLUMN_OUT(self, double)[row] = number;
        break;
    case PHYSICAL_STRING:
        COLUMN_OUT(self, string_value)[row] = string_of(letters, (uint32_t)(row % 26));
        break;
    default:
        memset(COLUMN_OUT(self, uint8_t) + (size_t)row * width, 0, width);
        memcpy(COLUMN_OUT(self, uint8_t) + (size_t)row * width, &bits, width < 8 ? width : 8);
    }
}

static void check_hashes(const column *values, const uint16_t *rows, uint32_t count,
                         arena *memory) {
    uint64_t hashes[ROWS];
    REQUIRE(hash_column(values, rows, count, false, memory, hashes));
    for (uint32_t k = 0; k < count; k++) {
        REQUIRE(hashes[k] == column_hash_row(values, rows == NULL ? k : rows[k]));
    }
    REQUIRE(hash_column(values, rows, count, true, memory, hashes));
    for (uint32_t k = 0; k < count; k++) {
        const uint64_t one = column_hash_row(values, rows == NULL ? k : rows[k]);
        REQUIRE(hashes[k] == hash_combine(one, one));
    }
}

// All forms over the same values.
static void check_type(const type *of, bool has_nulls) {
    arena memory = arena_open(1 << 22);
    firn_error err = ERR_INIT;
    uint64_t seed = 4;
    column flat;
    REQUIRE(column_new(&memory, of, ROWS, &flat, &err) == FIRN_OK);
    uint32_t codes[ROWS];
    uint16_t rows[ROWS];
    uint32_t count = 0;
    for (uint32_t row = 0; row < ROWS; row++) {
        put(&flat, row, &seed);
        codes[row] = (uint32_t)(test_random(&seed) % 7);
        rows[count] = (uint16_t)row;
        count += test_random(&seed) % 4 == 0 ? 1 : 0;
    }
    column entries = flat;
    entries.length = 7;
    dictionary words = {.identity = 1, .size = 7, .values = &entries};
    column coded = {.type = of, .form = FORM_DICTIONARY, .length = ROWS, .values = codes};
    coded.dictionary = &words;
    uint32_t ends[] = {3, 50, 51, ROWS};
    column runs = flat;
    runs.form = FORM_RUNS;
    runs.run_ends = ends;
    runs.run_count = 4;
    column constant = flat;
    constant.form = FORM_CONSTANT;
    for (uint32_t row = 1; row < ROWS && has_nulls; row += 3) {
        REQUIRE(column_set_null(&memory, &flat, row));
        coded.validity = flat.validity;
        runs.validity = flat.validity;
    }
    const column *const all[] = {&flat, &coded, &runs, &constant};
    for (int form = 0; form < 4; form++) {
        check_hashes(all[form], NULL, ROWS, &memory);
        check_hashes(all[form], rows, count, &memory);
    }
    check_hashes(&coded, rows, 3, &memory); // Fewer rows than entries.
    check_hashes(&coded, rows, 6, &memory);
    arena_close(&memory);
}

TEST(hash_column_agrees_with_the_hash_of_single_rows) {
    static const type decimal38 = {.id = TYPE_DECIMAL, .precision = 38};
    static const type decimal76 = {.id = TYPE_DECIMAL, .precision = 76};
    for (int id = TYPE_BOOLEAN; id <= TYPE_JSON; id++) {
        if (id != TYPE_DECIMAL) {
            check_type(&type_constants[id], false);
            check_type(&type_constants[id], true);
        }
    }
    check_type(&decimal38, true);
    check_type(&decimal76, true);
}

// A struct of two fields and a struct, lists of which rows have some in common, all with NULLs.
static column nested_column(arena *memory, const type *of, uint32_t length, uint64_t *seed) {
    column out;
    firn_error err = ERR_INIT;
    CHECK(column_new(memory, of, length, &out, &err) == FIRN_OK);
    uint32_t child_length = length;
    if (type_physical(of) == PHYSICAL_LIST) {
        child_length = 0;
        for (uint32_t row = 0; row < length; row++) {
            list_value *list = &COLUMN_OUT(&out, list_value)[row];
            const bool is_long = test_random(seed) % 20 == 0;
            *list = (list_value){.offset = child_length,
                                 .size = is_long ? 9000 : (uint32_t)(test_random(seed) % 12)};
            if (row > 0 && test_random(seed) % 5 == 0) {
                *list = list[-1];
            }
            const uint32_t end = list->offset + list->size;
            // Elements of no list, now and then.
            const uint32_t gap = test_random(seed) % 30 == 0 ? 500 : (uint32_t)(row % 3);
            child_length = (child_length > end ? child_length : end) + gap;
        }
    }
    column *children = ARENA_NEW(memory, column, of->child_count + 1);
    for (uint32_t i = 0; i < of->child_count; i++) {
        children[i] = nested_column(memory, of->children[i].type, child_length, seed);
    }
    if (of->child_count > 0) {
        out.children = children;
    } else {
        for (uint32_t row = 0; row < length; row++) {
            put(&out, row, seed);
        }
    }
    for (uint32_t row = (uint32_t)(test_random(seed) % 4); row < length && row > 0; row += 5) {
        CHECK(column_set_null(memory, &out, row));
    }
    return out;
}

TEST(hash_column_agrees_with_the_hash_of_nested_rows) {
    uint64_t seed = 9;
    for (int round = 0; round < 30; round++) {
        arena memory = arena_open(SIZE_MAX);
        const field fields[] = {{TEXT("a"), &type_constants[TYPE_DOUBLE], true, -1},
                                {TEXT("b"), &type_constants[TYPE_VARCHAR], true, -1},
                                {TEXT("c"), &type_constants[TYPE_BOOLEAN], true, -1}};
        const type *inner = type_struct(&memory, 3, fields);
        const field outer[] = {{TEXT("a"), inner, true, -1},
                               {TEXT("b"), &type_constants[TYPE_SMALLINT], true, -1}};
        const type *const some[] = {
            inner,
            type_struct(&memory, 2, outer),
            type_list(&memory, &type_constants[TYPE_DOUBLE]),
            type_list(&memory, &type_constants[TYPE_VARCHAR]),
            type_list(&memory, &type_constants[TYPE_BOOLEAN]),
        };
        for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
            const column values = nested_column(&memory, some[i], ROWS, &seed);
            uint16_t rows[ROWS];
            uint32_t count = 0;
            for (uint32_t row = 0; row < ROWS; row++) {
                rows[count] = (uint16_t)row;
                count += test_random(&seed) % 3 == 0 ? 1 : 0;
            }
            check_hashes(&values, NULL, ROWS, &memory);
            check_hashes(&values, rows, count, &memory);
        }
        arena_close(&memory);
    }
}
