#include "formats/parquet/write/pw_shred.h"

#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "formats/parquet/pq_bytes.h"
#include "formats/parquet/pq_nest.h"

#define ENTRIES_MAX 200000
#define LEAVES_MAX 64

static void must(bool condition) {
    if (!condition) {
        abort();
    }
}

// ---- Random types and columns ------------------------------------------------------------------

static const type *random_type(arena *memory, uint32_t depth, uint64_t *seed) {
    static const type_id leaves[] = {TYPE_INTEGER, TYPE_VARCHAR, TYPE_BOOLEAN, TYPE_NULL};
    const uint64_t random = test_random(seed);
    const uint32_t kind = depth == 0 ? 0 : (uint32_t)(random % 5);
    if (kind <= 1) {
        return &type_constants[leaves[(random >> 8) % 4]];
    }
    const uint32_t count = kind == 2 ? 1 : kind == 3 ? 2 : (uint32_t)(random >> 8) % 3 + 1;
    static const char *const names[] = {"f", "g", "h"};
    field *fields = ARENA_NEW(memory, field, count);
    must(fields != NULL);
    for (uint32_t i = 0; i < count; i++) {
        fields[i] = (field){.name = text_of(names[i]),
                            .type = random_type(memory, depth - 1, seed),
                            .is_nullable = !(kind == 3 && i == 0) && test_random(seed) % 3 != 0,
                            .id = -1};
        // Without NULLs there are no values of type NULL.
        fields[i].type = !fields[i].is_nullable && fields[i].type->id == TYPE_NULL
                             ? TYPE_OF(INTEGER)
                             : fields[i].type;
    }
    type *made = ARENA_NEW(memory, type, 1);
    must(made != NULL);
    *made = (type){.id = kind == 2   ? TYPE_LIST
                         : kind == 3 ? TYPE_MAP
                                     : TYPE_STRUCT,
                   .child_count = count,
                   .children = fields};
    return made;
}

static column random_column(arena *memory, const type *of, bool is_nullable, uint32_t length,
                            uint64_t *seed);

// Slices of the children: one behind the other, or anywhere.
static void random_lists(arena *memory, column *out, uint64_t *seed) {
    list_value *lists = COLUMN_OUT(out, list_value);
    const bool are_in_order = test_random(seed) % 2 == 0;
    const uint32_t most = (uint32_t)(test_random(seed) % 5 * (1 + test_random(seed) % 4 / 3));
    uint32_t count = are_in_order ? (uint32_t)(test_random(seed) % 2) : 20;
    for (uint32_t i = 0; i < out->length; i++) {
        const uint32_t size = (uint32_t)(test_random(seed) % (most + 1));
        lists[i] = (list_value){
            .offset = are_in_order ? count : (uint32_t)(test_random(seed) % (20 - size)),
            .size = size};
        count += are_in_order ? size : 0;
    }
    column *children = ARENA_NEW(memory, column, out->type->child_count);
    must(children != NULL);
    for (uint32_t i = 0; i < out->type->child_count; i++) {
        const field *child = &out->type->children[i];
        children[i] = random_column(memory, child->type, child->is_nullable, count, seed);
    }
    out->children = children;
}

static void random_values(arena *memory, column *out, uint64_t *seed) {
    switch ((int)out->type->id) {
    case TYPE_INTEGER:
        for (uint32_t i = 0; i < out->length; i++) {
            COLUMN_OUT(out, int32_t)[i] = (int32_t)(test_random(seed) % 1000);
        }
        break;
    case TYPE_BOOLEAN:
        for (uint32_t i = 0; i < out->length; i++) {
            bitmap_put(COLUMN_OUT(out, uint64_t), i, test_random(seed) % 2 != 0);
        }
        break;
    case TYPE_VARCHAR:
        for (uint32_t i = 0; i < out->length; i++) {
            char number[30];
            const int size =
                snprintf(number, sizeof number, "%llu",
                         (unsigned long long)(test_random(seed) >> test_random(seed) % 64));
            must(string_new(memory, number, (size_t)size, &COLUMN_OUT(out, string_value)[i]));
        }
        break;
    default:
        break;
    }
}

static column random_column(arena *memory, const type *of, bool is_nullable, uint32_t length,
                            uint64_t *seed) {
    firn_error err = ERR_INIT;
    column out;
    must(column_new(memory, of, length, &out, &err) == FIRN_OK);
    if (of->id == TYPE_STRUCT) {
        column *children = ARENA_NEW(memory, column, of->child_count);
        must(children != NULL);
        for (uint32_t i = 0; i < of->child_count; i++) {
            children[i] = random_column(memory, of->children[i].type, of->children[i].is_nullable,
                                        length, seed);
        }
        out.children = children;
    } else if (type_is_nested(of)) {
        random_lists(memory, &out, seed);
    } else {
        random_values(memory, &out, seed);
    }
    const uint64_t rate = test_random(seed) % 6; // No bitmap, no NULLs, few, many, all.
    if (rate == 0 || of->id == TYPE_NULL) {
        return out;
    }
    uint64_t *bits = column_validity_out(memory, &out);
    must(bits != NULL);
    for (uint32_t i = 0; i < length && is_nullable; i++) {
        bitmap_put(bits, i, rate == 1 || (rate < 5 && test_random(seed) % 8 >= rate * 2 - 2));
    }
    return out;
}

// The same column, or another one, in some form of `length` rows.
static column random_form(arena *memory, const type *of, bool is_nullable, uint32_t length,
                          uint64_t *seed) {
    const uint32_t form = (uint32_t)(test_random(seed) % 5);
    column out = {.type = of, .length = length};
    if (form == FORM_CONSTANT) {
        out = random_column(memory, of, is_nullable, 1, seed);
        out.form = FORM_CONSTANT;
        out.length = length;
        return out;
    }
    if (form == FORM_DICTIONARY && of->id != TYPE_NULL) {
        const uint32_t size = (uint32_t)(test_random(seed) % 10) + 1;
        column *entries = ARENA_NEW(memory, column, 1);
        dictionary *entry_list = ARENA_NEW(memory, dictionary, 1);
        uint32_t *codes = ARENA_NEW(memory, uint32_t, (size_t)length + 1);
        must(entries != NULL && entry_list != NULL && codes != NULL);
        *entries = random_column(memory, of, false, size, seed);
        *entry_list =
            (dictionary){.identity = dictionary_identity_new(), .size = size, .values = entries};
        for (uint32_t i = 0; i < length; i++) {
            codes[i] = (uint32_t)(test_random(seed) % size);
        }
        out.form = FORM_DICTIONARY;
        out.values = codes;
        out.dictionary = entry_list;
        out.children = entries->children;
        out.validity = random_column(memory, TYPE_OF(INTEGER), is_nullable, length, seed).validity;
        return out;
    }
    if (form == FORM_RUNS && !type_is_nested(of) && of->id != TYPE_NULL && length > 0) {
        const uint32_t run_count = (uint32_t)(test_random(seed) % length) + 1;
        out = random_column(memory, of, is_nullable, run_count, seed);
        uint32_t *ends = ARENA_NEW(memory, uint32_t, run_count);
        must(ends != NULL);
        for (uint32_t i = 0; i < run_count; i++) {
            ends[i] = i + 1 == run_count ? length : i + 1;
        }
        out.form = FORM_RUNS;
        out.length = length;
        out.run_ends = ends;
        out.run_count = run_count;
        return out;
    }
    return random_column(memory, of, is_nullable, length, seed);
}

// ---- The plainest shredder ---------------------------------------------------------------------

typedef struct expected_leaf {
    uint32_t entry_count;
    uint32_t value_count;
    uint8_t definitions[ENTRIES_MAX];
    uint8_t repetitions[ENTRIES_MAX];
    const column *values[ENTRIES_MAX];
    uint32_t rows[ENTRIES_MAX];
} expected_leaf;

// Row by row, as the Dremel paper has it. `definition` counts what is there on the way.
static void put_value(const pq_node *node, const column *of, uint32_t row, uint8_t repetition,
                      uint8_t definition, expected_leaf *leaves);

static void put_missing(const pq_node *node, uint8_t repetition, uint8_t definition,
                        expected_leaf *leaves) {
    for (uint32_t i = node->first_leaf; i < node->first_leaf + node->leaf_count; i++) {
        expected_leaf *leaf = &leaves[i];
        must(leaf->entry_count < ENTRIES_MAX);
        leaf->definitions[leaf->entry_count] = definition;
        leaf->repetitions[leaf->entry_count] = repetition;
        leaf->entry_count += 1;
    }
}

static void put_value(const pq_node *node, const column *of, uint32_t row, uint8_t repetition,
                      uint8_t definition, expected_leaf *leaves) {
    if (!column_is_valid(of, row)) {
        must(node->is_nullable);
        put_missing(node, repetition, definition, leaves);
        return;
    }
    definition = (uint8_t)(definition + node->is_nullable);
    if (node->kind == PQ_NODE_LEAF) {
        expected_leaf *leaf = &leaves[node->first_leaf];
        put_missing(node, repetition, definition, leaves);
        leaf->values[leaf->value_count] = of;
        leaf->rows[leaf->value_count] = row;
        leaf->value_count += 1;
        return;
    }
    const column *flat = of->form == FORM_DICTIONARY ? of->dictionary->values : of;
    const uint32_t lane = column_lane(of, row);
    if (node->kind == PQ_NODE_STRUCT) {
        for (uint32_t i = 0; i < node->child_count; i++) {
            put_value(&node->children[i], &flat->children[i], lane, repetition, definition, leaves);
        }
        return;
    }
    const list_value list = COLUMN_VALUES(flat, list_value)[lane];
    if (list.size == 0) {
        put_missing(node, repetition, definition, leaves);
    }
    for (uint32_t k = 0; k < list.size; k++) {
        const uint8_t start = k == 0 ? repetition : (uint8_t)(node->repetition + 1);
        for (uint32_t i = 0; i < node->child_count; i++) {
            put_value(&node->children[i], &flat->children[i], list.offset + k, start,
                      (uint8_t)(definition + 1), leaves);
        }
    }
}

static bool is_as_expected(const pw_entries *made, const expected_leaf *leaf,
                           uint8_t definition_max, uint32_t row_count) {
    bool same = made->entry_count == leaf->entry_count && made->value_count == leaf->value_count &&
                made->row_count == row_count;
    for (uint32_t i = 0; i < leaf->entry_count && same; i++) {
        same = (made->definitions == NULL ? definition_max : made->definitions[i]) ==
                   leaf->definitions[i] &&
               (made->repetitions == NULL ? 0 : made->repetitions[i]) == leaf->repetitions[i];
    }
    for (uint32_t i = 0; i < leaf->value_count && same; i++) {
        same = made->values == leaf->values[i] &&
               (made->rows == NULL ? i : made->rows[i]) == leaf->rows[i];
    }
    return same;
}

// ---- Back again, with the reader's code --------------------------------------------------------

static uint8_t *padded(arena *memory, const uint8_t *levels, uint8_t all, uint32_t count) {
    uint8_t *out = ARENA_NEW(memory, uint8_t, (size_t)count + PQ_PAD);
    must(out != NULL);
    memset(out, all, (size_t)count + PQ_PAD);
    if (levels != NULL && count > 0) {
        memcpy(out, levels, count);
    }
    return out;
}

// The values of a leaf, which are where `validity` has a bit.
static column leaf_column(arena *memory, const pw_entries *from, const type *of, uint32_t count,
                          const uint64_t *validity) {
    firn_error err = ERR_INIT;
    uint32_t *rows = ARENA_NEW(memory, uint32_t, (size_t)count + 1);
    must(rows != NULL);
    uint32_t value = 0;
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = UINT32_MAX;
        if (bitmap_get(validity, i)) {
            rows[i] = from->rows == NULL ? value : from->rows[value];
            value += 1;
        }
    }
    must(value == from->value_count);
    column out;
    if (of->id == TYPE_NULL) {
        must(column_new_null(memory, of, count, &out, &err) == FIRN_OK);
        return out;
    }
    column taken;
    must(column_take(memory, from->values, rows, count, &taken, &err) == FIRN_OK);
    must(column_flatten(memory, &taken, &out, &err) == FIRN_OK);
    return out;
}

static column rebuild(arena *memory, const pq_node *node, const type *of, const pw_entries *leaves,
                      pq_slots slots, uint32_t expected) {
    const pw_entries *from = &leaves[node->first_leaf];
    const pq_entries entries = {
        .repetition = padded(memory, from->repetitions, 0, from->entry_count),
        .definition = padded(memory, from->definitions, UINT8_MAX, from->entry_count),
        .count = from->entry_count};
    uint64_t *validity = ARENA_NEW(memory, uint64_t, BITMAP_WORDS(entries.count) + 1);
    must(validity != NULL);
    uint32_t valid_count;
    const uint32_t count =
        pq_nest()->validity(&entries, slots, node->definition, validity, &valid_count);
    must(count == expected);
    if (node->kind == PQ_NODE_LEAF) {
        return leaf_column(memory, from, of, count, validity);
    }
    column out = {.type = of, .form = FORM_FLAT, .length = count, .validity = validity};
    pq_slots inner = slots;
    uint32_t inner_count = count;
    if (node->kind != PQ_NODE_STRUCT) {
        inner = (pq_slots){.repetition = (uint8_t)(node->repetition + 1),
                           .definition = node->element_definition};
        list_value *lists = ARENA_NEW(memory, list_value, (size_t)entries.count + 1);
        must(lists != NULL);
        must(pq_nest()->lists(&entries, slots, inner, lists, &inner_count) == count);
        out.values = lists;
    }
    column *children = ARENA_NEW(memory, column, node->child_count);
    must(children != NULL);
    for (uint32_t i = 0; i < node->child_count; i++) {
        children[i] =
            rebuild(memory, &node->children[i], of->children[i].type, leaves, inner, inner_count);
    }
    out.children = children;
    return out;
}

// The largest number of rows by trying all of them.
static uint32_t rows_by_trying(const pw_schema *made, const batch *rows, uint32_t entries,
                               expected_leaf *leaves) {
    const pq_node *node = &made->tree->root.children[0];
    for (size_t i = 0; i < node->leaf_count; i++) {
        leaves[i].entry_count = 0;
        leaves[i].value_count = 0;
    }
    for (uint32_t k = 0; k < rows->selected_count; k++) {
        put_value(node, &rows->columns[0], batch_row(rows, k), 0, 0, leaves);
        for (size_t i = 0; i < node->leaf_count; i++) {
            if (leaves[i].entry_count > entries) {
                return k == 0 ? 1 : k;
            }
        }
    }
    return rows->selected_count;
}

static batch random_batch(arena *memory, const column *of, uint64_t *seed) {
    batch out = batch_of(of, 1, of->length);
    const uint64_t keep = test_random(seed) % 4; // All of them, few, many, none.
    if (keep == 0) {
        return out;
    }
    uint16_t *selection = ARENA_NEW(memory, uint16_t, (size_t)of->length + 1);
    must(selection != NULL);
    out.selected_count = 0;
    for (uint32_t row = 0; row < of->length; row++) {
        if (keep < 3 && test_random(seed) % 4 < keep * 2 - 1) {
            selection[out.selected_count] = (uint16_t)row;
            out.selected_count += 1;
        }
    }
    out.selection = selection;
    return out;
}

static bool check_random(uint64_t seed, expected_leaf *leaves) {
    arena memory = arena_open(UINT32_C(1) << 28);
    firn_error err = ERR_INIT;
    field top = {.name = TEXT("a"), .is_nullable = test_random(&seed) % 3 != 0, .id = -1};
    top.type = random_type(&memory, (uint32_t)(test_random(&seed) % 5), &seed);
    top.is_nullable = top.is_nullable || top.type->id == TYPE_NULL;
    const schema columns = {.count = 1, .fields = &top};
    const pw_schema *made;
    must(pw_schema_make(&columns, &memory, &made, &err) == FIRN_OK);
    must(made->tree->leaf_count <= LEAVES_MAX);
    const uint32_t length = (uint32_t)(test_random(&seed) % 300);
    const column given = random_form(&memory, top.type, top.is_nullable, length, &seed);
    const batch rows = random_batch(&memory, &given, &seed);
    const uint32_t entries = (uint32_t)(test_random(&seed) % 600);
    bool same =
        pw_shred_rows(made, 0, &rows, entries) == rows_by_trying(made, &rows, entries, leaves);
    (void)rows_by_trying(made, &rows, UINT32_MAX, leaves);
    pw_entries out[LEAVES_MAX];
    same = same && pw_shred(made, 0, &rows, &memory, out, &err) == FIRN_OK;
    for (uint32_t i = 0; i < made->tree->leaf_count && same; i++) {
        same = is_as_expected(&out[i], &leaves[i], made->tree->leaves[i].definition_max,
                              rows.selected_count);
    }
    if (same) {
        const column back = rebuild(&memory, &made->tree->root.children[0], top.type, out,
                                    (pq_slots){0}, rows.selected_count);
        for (uint32_t k = 0; k < rows.selected_count && same; k++) {
            same = column_rows_equal(&given, batch_row(&rows, k), &back, k);
        }
    }
    arena_close(&memory);
    return same;
}

TEST(pw_shred_does_as_the_plainest_shredder_and_can_be_read_back) {
    expected_leaf *leaves = calloc(LEAVES_MAX, sizeof *leaves);
    REQUIRE(leaves != NULL);
    for (uint64_t seed = 1; seed <= 5000; seed++) {
        const bool same = check_random(seed, leaves);
        CHECK(same);
        if (!same) {
            printf("seed %llu\n", (unsigned long long)seed);
        }
    }
    free(leaves);
}

// ---- By hand -----------------------------------------------------------------------------------

typedef struct sample {
    arena memory;
    firn_error err;
    const pw_schema *made;
    pw_entries out[4];
} sample;

static firn_status shred_one(sample *self, const field *of, const column *given) {
    const schema columns = {.count = 1, .fields = of};
    const batch rows = batch_of(given, 1, given->length);
    TRY(pw_schema_make(&columns, &self->memory, &self->made, &self->err));
    return pw_shred(self->made, 0, &rows, &self->memory, self->out, &self->err);
}

static sample sample_open(void) {
    return (sample){.memory = arena_open(1 << 22), .err = ERR_INIT};
}

TEST(pw_shred_of_numbers_without_nulls_costs_nothing) {
    sample s = sample_open();
    const field top = {.name = TEXT("a"), .type = TYPE_OF(INTEGER), .is_nullable = true, .id = -1};
    const int32_t values[] = {1, 2, 3};
    const uint64_t all = 7;
    column given = {.type = top.type, .length = 3, .values = values};
    const schema columns = {.count = 1, .fields = &top};
    const batch rows = batch_of(&given, 1, 3);
    REQUIRE(pw_schema_make(&columns, &s.memory, &s.made, &s.err) == FIRN_OK);
    for (int with_bits = 0; with_bits < 2; with_bits++) {
        given.validity = with_bits ? &all : NULL;
        const arena_mark before = arena_mark_take(&s.memory);
        REQUIRE(pw_shred(s.made, 0, &rows, &s.memory, s.out, &s.err) == FIRN_OK);
        const arena_mark after = arena_mark_take(&s.memory);
        CHECK(before.chunk == after.chunk && before.filled == after.filled);
        CHECK(s.out[0].entry_count == 3 && s.out[0].value_count == 3 &&
              s.out[0].definitions == NULL && s.out[0].repetitions == NULL &&
              s.out[0].rows == NULL && s.out[0].values == &given);
    }
    arena_close(&s.memory);
}

TEST(pw_shred_names_the_field_that_is_null) {
    sample s = sample_open();
    const field key = {.name = TEXT("key"), .type = TYPE_OF(INTEGER), .id = -1};
    const field value = {.name = TEXT("value"), .type = TYPE_OF(INTEGER), .id = -1};
    const field entries[] = {key, value};
    const type map = {.id = TYPE_MAP, .child_count = 2, .children = entries};
    const field members[] = {{.name = TEXT("n"), .type = TYPE_OF(INTEGER), .id = -1},
                             {.name = TEXT("m"), .type = &map, .is_nullable = true, .id = -1}};
    const type *pair = type_struct(&s.memory, 2, members);
    const field top = {.name = TEXT("a"), .type = pair, .is_nullable = true, .id = -1};
    const int32_t numbers[] = {1, 2, 3, 4};
    const uint64_t all = 15;
    const uint64_t one_missing = 13; // Row 1.
    const list_value lists[] = {{0, 1}, {1, 1}};
    column leaves[] = {{.type = TYPE_OF(INTEGER), .length = 2, .values = numbers},
                       {.type = TYPE_OF(INTEGER), .length = 2, .values = numbers}};
    column parts[] = {
        {.type = TYPE_OF(INTEGER), .length = 2, .values = numbers, .validity = &all},
        {.type = &map, .length = 2, .values = lists, .children = leaves, .validity = &all}};
    column given = {.type = pair, .length = 2, .children = parts, .validity = &all};
    struct {
        column *where;
        const char *message;
    } cases[] = {
        {&parts[0], "NULL in field \"a.n\", which is NOT NULL"},
        {&leaves[0], "NULL in field \"a.m.key\", which is NOT NULL"},
        {&leaves[1], "NULL in field \"a.m.value\", which is NOT NULL"},
    };
    CHECK(shred_one(&s, &top, &given) == FIRN_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cases[i].where->validity = &one_missing;
        CHECK(shred_one(&s, &top, &given) == FIRN_INVALID);
        CHECK(strcmp(s.err.sqlstate, "23502") == 0);
        CHECK(strstr(s.err.text, cases[i].message) != NULL);
        // Where the struct itself is NULL, nobody asks.
        given.validity = &one_missing;
        CHECK(shred_one(&s, &top, &given) == FIRN_OK);
        CHECK(s.out[0].entry_count == 2 && s.out[0].value_count == 1 &&
              s.out[0].definitions[1] == 0);
        given.validity = &all;
        cases[i].where->validity = NULL;
    }
    const field plain = {.name = TEXT("b"), .type = TYPE_OF(INTEGER), .id = -1};
    parts[0].validity = &one_missing;
    CHECK(shred_one(&s, &plain, &parts[0]) == FIRN_INVALID);
    CHECK(strstr(s.err.text, "NULL in column \"b\", which is NOT NULL") != NULL);
    arena_close(&s.memory);
}

// 70,000 lists of the same 70,000 elements.
TEST(pw_shred_refuses_more_entries_than_can_be_counted) {
    sample s = sample_open();
    const type *inner = type_list(&s.memory, TYPE_OF(NULL));
    const field top = {
        .name = TEXT("a"), .type = type_list(&s.memory, inner), .is_nullable = true, .id = -1};
    list_value *lists = ARENA_NEW(&s.memory, list_value, 70000);
    REQUIRE(lists != NULL);
    for (uint32_t i = 0; i < 70000; i++) {
        lists[i] = (list_value){.offset = 0, .size = 70000};
    }
    column nulls;
    REQUIRE(column_new_null(&s.memory, TYPE_OF(NULL), 70000, &nulls, &s.err) == FIRN_OK);
    const column middle = {.type = inner, .length = 70000, .values = lists, .children = &nulls};
    const column given = {.type = top.type, .length = 1, .values = lists, .children = &middle};
    CHECK(shred_one(&s, &top, &given) == FIRN_INVALID);
    CHECK(strcmp(s.err.sqlstate, "54000") == 0);
    CHECK(strstr(s.err.text, "4900000000 elements in lists of \"element\"") != NULL);
    const batch rows = batch_of(&given, 1, 1);
    CHECK(pw_shred_rows(s.made, 0, &rows, 1000) == 1);
    arena_close(&s.memory);
}

TEST(pw_shred_stops_when_told_and_when_memory_is_full) {
    sample s = sample_open();
    const field top = {.name = TEXT("a"),
                       .type = type_list(&s.memory, TYPE_OF(INTEGER)),
                       .is_nullable = true,
                       .id = -1};
    const schema columns = {.count = 1, .fields = &top};
    const uint32_t count = 300000;
    int32_t *numbers = ARENA_NEW(&s.memory, int32_t, count);
    uint64_t *bits = ARENA_NEW(&s.memory, uint64_t, BITMAP_WORDS(count));
    REQUIRE(numbers != NULL && bits != NULL);
    memset(numbers, 0, count * sizeof *numbers);
    memset(bits, 0x55, BITMAP_WORDS(count) * sizeof *bits);
    const list_value list = {.offset = 1, .size = count - 1};
    const column child = {
        .type = TYPE_OF(INTEGER), .length = count, .values = numbers, .validity = bits};
    const column given = {
        .type = top.type, .form = FORM_CONSTANT, .length = 2, .values = &list, .children = &child};
    const batch rows = batch_of(&given, 1, 2);
    REQUIRE(pw_schema_make(&columns, &s.memory, &s.made, &s.err) == FIRN_OK);
    cancel_flag flag = {0};
    cancel_raise(&flag);
    arena scratch = arena_open(UINT32_C(1) << 26);
    REQUIRE(arena_alloc(&scratch, 1, UINT32_C(1) << 24) != NULL);
    arena_reset(&scratch); // Chunks that are there are handed out after the flag is raised, too.
    CHECK(pw_shred(s.made, 0, &rows, &scratch, s.out, &s.err) == FIRN_OK);
    CHECK(s.out[0].entry_count == 2 * count - 2);
    arena_reset(&scratch);
    scratch.cancel = &flag;
    CHECK(pw_shred(s.made, 0, &rows, &scratch, s.out, &s.err) == FIRN_CANCELLED);
    arena_close(&scratch);
    arena small = arena_open(100000);
    CHECK(pw_shred(s.made, 0, &rows, &small, s.out, &s.err) == FIRN_NO_MEMORY);
    arena_close(&small);
    arena_close(&s.memory);
}

// More than are taken between two looks at the flag; from the first element on, and from the
// second.
TEST(pw_shred_takes_long_lists) {
    sample s = sample_open();
    const field top = {.name = TEXT("a"), .type = type_list(&s.memory, TYPE_OF(INTEGER)), .id = -1};
    const uint32_t count = 200001;
    uint64_t *bits = ARENA_NEW(&s.memory, uint64_t, BITMAP_WORDS(count));
    REQUIRE(bits != NULL);
    uint64_t seed = 4;
    for (uint32_t word = 0; word < BITMAP_WORDS(count); word++) {
        bits[word] = test_random(&seed);
    }
    const column child = {
        .type = TYPE_OF(INTEGER), .length = count, .values = bits, .validity = bits};
    for (uint32_t from = 0; from < 2; from++) {
        const list_value list = {.offset = from, .size = count - from};
        const column given = {.type = top.type, .length = 1, .values = &list, .children = &child};
        REQUIRE(shred_one(&s, &top, &given) == FIRN_OK);
        const pw_entries *out = &s.out[0];
        REQUIRE(out->entry_count == count - from);
        uint32_t value = 0;
        bool same = true;
        for (uint32_t i = 0; i < out->entry_count && same; i++) {
            const bool is_valid = bitmap_get(bits, from + i);
            same = out->definitions[i] == 1 + is_valid && out->repetitions[i] == (i > 0) &&
                   (!is_valid || out->rows[value] == from + i);
            value += is_valid;
        }
        CHECK(same && value == out->value_count);
    }
    arena_close(&s.memory);
}
