// Column by column and node by node, not row by row: from the column down, the places of a node's
// values are made from those of the node around it, in loops over arrays.
//
//     places of a node    an entry for each value that there could be, and for each list around
//                         that is empty or NULL; levels say which; the lanes are those of the
//                         entries that came as far as the node
//
//     nullable            of the lanes, the NULLs are dropped; the others' level rises by one
//     list                each lane becomes its elements, or stays an entry if it has none
//     struct              the lanes are those of the children
//     leaf                done: the lanes are its values
//
// Where all entries came that far there is no array of levels, and where lanes are 0, 1, 2, …
// there is none of them. Arrays are never changed once made: the children of a struct share them.
#include "formats/parquet/write/pw_shred.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "memory/text_builder.h"

#define ENTRIES_AT_ONCE ((uint32_t)1 << 16) // Between two looks at the arena's flag.

typedef struct shredding {
    const pq_node *column;
    uint32_t row_count;
    arena *scratch;
    pw_entries *out;
} shredding;

// Where the values of a node are.
typedef struct places {
    uint32_t count;             // Entries.
    uint32_t lane_count;        // Entries that came as far as this: their level is `level`.
    uint8_t level;              // The definition level so far; the others' are lower.
    const uint8_t *definitions; // NULL: all are `level`.
    const uint8_t *repetitions; // NULL: not in a list.
    const uint32_t *lanes;      // Rows of the node's column; NULL: rows 0, 1, 2, …
} places;

// ---- NULLs -------------------------------------------------------------------------------------

// Levels are handled eight at a time; they are below 128.
static const uint64_t ones = UINT64_C(0x0101010101010101);
static const uint64_t sevens = UINT64_C(0x7f7f7f7f7f7f7f7f);

// Byte i is `level` plus bit i.
static void levels_of_bits(const uint64_t *bits, uint32_t count, uint8_t level, uint8_t *out) {
    const uint32_t whole = count / 8 * 8;
    for (uint32_t i = 0; i < whole; i += 8) {
        const uint64_t eight = bits[i / 64] >> (i % 64) & 0xff;
        // Byte k has bit k left, at its place k; adding 127 carries it to the highest.
        const uint64_t apart = eight * ones & UINT64_C(0x8040201008040201);
        const uint64_t levels = (((apart + sevens) >> 7) & ones) + level * ones;
        memcpy(out + i, &levels, sizeof levels);
    }
    for (uint32_t i = whole; i < count; i++) {
        out[i] = (uint8_t)(level + bitmap_get(bits, i));
    }
}

// Byte i is in[i], or one more where that is `level`.
static void levels_raised(const uint8_t *in, size_t count, uint8_t level, uint8_t *out) {
    const size_t whole = count / 8 * 8;
    for (size_t i = 0; i < whole; i += 8) {
        uint64_t levels;
        memcpy(&levels, in + i, sizeof levels);
        // Others have a bit left, which adding 127 carries to the highest.
        const uint64_t others = (levels ^ level * ones) + sevens;
        levels += ~others >> 7 & ones;
        memcpy(out + i, &levels, sizeof levels);
    }
    for (size_t i = whole; i < count; i++) {
        out[i] = (uint8_t)(in[i] + (in[i] == level));
    }
}

// `first` plus the numbers of the bits that are set; room for `count`. How many.
static uint32_t rows_of_bits(const uint64_t *bits, uint32_t first, uint32_t count, uint32_t *out) {
    uint32_t found = 0;
    for (uint32_t from = 0; from < count; from += 64) {
        const uint32_t size = min_u32(count - from, 64);
        const uint64_t word = bits[from / 64];
        for (uint32_t i = 0; i < size; i++) {
            out[found] = first + from + i;
            found += word >> i & 1;
        }
    }
    return found;
}

// Names from the column down to a node.
static firn_status say_null(const shredding *self, const pq_node *of, firn_error *err) {
    text_builder path = text_builder_open(self->scratch);
    const pq_node *node = self->column;
    while (node != of) {
        text_append(&path, node->name);
        text_append_char(&path, '.');
        size_t i = 0;
        while (of->first_leaf >= node->children[i].first_leaf + node->children[i].leaf_count) {
            i += 1;
        }
        node = &node->children[i];
    }
    text_append(&path, of->name);
    text whole;
    TRY(text_builder_finish(&path, &whole, err));
    return FAIL_SQL(err, FIRN_INVALID, "23502", NO_POSITION,
                    "NULL in %s \"%.*s\", which is NOT NULL",
                    of == self->column ? "column" : "field", TEXT_ARGS(whole));
}

// A bit for each row of a column: not NULL. NULL: all of them, or if *is_all_null none.
static firn_status find_validity(const shredding *self, const column *of, const uint64_t **out,
                                 bool *is_all_null, firn_error *err) {
    *out = of->form == FORM_CONSTANT ? NULL : of->validity;
    *is_all_null = of->length > 0 && (of->type->id == TYPE_NULL ||
                                      (of->form == FORM_CONSTANT && !column_is_valid(of, 0)));
    if (of->form != FORM_RUNS || of->validity == NULL || *is_all_null) {
        return FIRN_OK;
    }
    uint64_t *bits = ARENA_NEW(self->scratch, uint64_t, BITMAP_WORDS(of->length) + 1);
    if (bits == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    uint32_t row = 0;
    for (uint32_t run = 0; run < of->run_count; run++) {
        const bool is_valid = bitmap_get(of->validity, run);
        for (; row < of->run_ends[run]; row++) {
            bitmap_put(bits, row, is_valid);
        }
    }
    *out = bits;
    return FIRN_OK;
}

static uint32_t count_valid(const places *at, const uint64_t *bits, cancel_watch *watch) {
    if (at->lanes == NULL) {
        return (uint32_t)bitmap_count(bits, at->lane_count);
    }
    uint32_t count = 0;
    for (uint32_t from = 0; from < at->lane_count; from += ENTRIES_AT_ONCE) {
        const uint32_t end = from + min_u32(at->lane_count - from, ENTRIES_AT_ONCE);
        for (uint32_t k = from; k < end; k++) {
            count += bitmap_get(bits, at->lanes[k]);
        }
        if (cancel_watch_is_raised(watch, end - from)) {
            break;
        }
    }
    return count;
}

// No lane is NULL: the level rises.
static firn_status raise_all(const shredding *self, places *at, firn_error *err) {
    if (at->definitions != NULL) {
        uint8_t *levels = ARENA_NEW(self->scratch, uint8_t, at->count);
        if (levels == NULL) {
            return ARENA_FULL(self->scratch, err);
        }
        levels_raised(at->definitions, at->count, at->level, levels);
        at->definitions = levels;
    }
    at->level += 1;
    return FIRN_OK;
}

// All are: what has the level so far came no further.
static firn_status raise_none(const shredding *self, places *at, firn_error *err) {
    if (at->definitions == NULL) {
        uint8_t *levels = ARENA_NEW(self->scratch, uint8_t, at->count);
        if (levels == NULL) {
            return ARENA_FULL(self->scratch, err);
        }
        memset(levels, at->level, at->count);
        at->definitions = levels;
    }
    at->level += 1;
    at->lane_count = 0;
    return FIRN_OK;
}

// Entries that all came as far.
static void raise_dense(const places *at, const uint64_t *bits, uint8_t *levels, uint32_t *lanes,
                        cancel_watch *watch) {
    uint32_t found = 0;
    for (uint32_t from = 0; from < at->count; from += ENTRIES_AT_ONCE) {
        const uint32_t size = min_u32(at->count - from, ENTRIES_AT_ONCE);
        if (cancel_watch_is_raised(watch, size)) {
            return;
        }
        if (at->lanes == NULL) {
            levels_of_bits(bits + from / 64, size, at->level, levels + from);
            found += rows_of_bits(bits + from / 64, from, size, lanes + found);
            continue;
        }
        for (uint32_t i = from; i < from + size; i++) {
            const bool is_valid = bitmap_get(bits, at->lanes[i]);
            levels[i] = (uint8_t)(at->level + is_valid);
            lanes[found] = at->lanes[i];
            found += is_valid;
        }
    }
}

// Without branches: whether an entry came as far is as good as random. Behind the last one that
// did, the last lane is looked at in vain.
static void raise_sparse(const places *at, const uint64_t *bits, uint8_t *levels, uint32_t *lanes,
                         cancel_watch *watch) {
    uint32_t found = 0; // Less than there is room for, as not all lanes are valid.
    uint32_t k = 0;     // Of the lanes.
    for (uint32_t from = 0; from < at->count; from += ENTRIES_AT_ONCE) {
        const uint32_t end = from + min_u32(at->count - from, ENTRIES_AT_ONCE);
        for (uint32_t i = from; i < end; i++) {
            const uint32_t place = min_u32(k, at->lane_count - 1);
            const uint32_t lane = at->lanes == NULL ? place : at->lanes[place];
            const bool is_here = at->definitions[i] == at->level;
            const bool is_valid = is_here & bitmap_get(bits, lane);
            levels[i] = (uint8_t)(at->definitions[i] + is_valid);
            lanes[found] = lane;
            found += is_valid;
            k += is_here;
        }
        if (cancel_watch_is_raised(watch, end - from)) {
            return;
        }
    }
}

// Drops the lanes that are NULL.
static firn_status drop_nulls(const shredding *self, const pq_node *node, const column *of,
                              places *at, firn_error *err) {
    cancel_watch watch = {.cancel = self->scratch->cancel};
    const uint64_t *bits;
    bool is_all_null;
    TRY(find_validity(self, of, &bits, &is_all_null, err));
    const uint32_t valid_count = is_all_null    ? 0
                                 : bits == NULL ? at->lane_count
                                                : count_valid(at, bits, &watch);
    TRY(cancel_check(watch.cancel, err));
    if (!node->is_nullable) {
        return valid_count == at->lane_count ? FIRN_OK : say_null(self, node, err);
    }
    if (valid_count == at->lane_count) {
        return raise_all(self, at, err);
    }
    if (valid_count == 0) {
        return raise_none(self, at, err);
    }
    uint8_t *levels = ARENA_NEW(self->scratch, uint8_t, at->count);
    uint32_t *lanes = ARENA_NEW(self->scratch, uint32_t, at->lane_count);
    if (levels == NULL || lanes == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    (at->definitions == NULL ? raise_dense : raise_sparse)(at, bits, levels, lanes, &watch);
    at->definitions = levels;
    at->lanes = lanes;
    at->lane_count = valid_count;
    at->level += 1;
    return cancel_check(watch.cancel, err);
}

// ---- Nested columns ----------------------------------------------------------------------------

// Rows of a nested column in any form become rows of a flat one, whose children count.
static firn_status make_flat(const shredding *self, const column **of, places *at,
                             firn_error *err) {
    const column *from = *of;
    if (from->form == FORM_FLAT) {
        return FIRN_OK;
    }
    assert(from->form != FORM_RUNS); // Whose values are not nested.
    uint32_t *lanes = ARENA_NEW(self->scratch, uint32_t, (size_t)at->lane_count + 1);
    if (lanes == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    if (from->form == FORM_CONSTANT) {
        memset(lanes, 0, at->lane_count * sizeof *lanes);
    } else {
        const uint32_t *codes = from->values;
        for (uint32_t k = 0; k < at->lane_count; k++) {
            lanes[k] = codes[at->lanes == NULL ? k : at->lanes[k]];
        }
        *of = from->dictionary->values;
    }
    at->lanes = lanes;
    return FIRN_OK;
}

// What the lists of a node hold together.
typedef struct list_sizes {
    uint64_t element_count;
    uint32_t empty_count;
    bool are_in_order; // Their elements are rows 0, 1, 2, … of the children.
} list_sizes;

static list_sizes measure_lists(const places *at, const list_value *lists, cancel_watch *watch) {
    uint64_t element_count = 0;
    uint32_t empty_count = 0;
    bool are_in_order = true;
    for (uint32_t from = 0; from < at->lane_count; from += ENTRIES_AT_ONCE) {
        const uint32_t end = from + min_u32(at->lane_count - from, ENTRIES_AT_ONCE);
        for (uint32_t k = from; k < end; k++) {
            const list_value list = lists[at->lanes == NULL ? k : at->lanes[k]];
            are_in_order &= (list.size == 0) | (list.offset == element_count);
            element_count += list.size;
            empty_count += list.size == 0;
        }
        if (cancel_watch_is_raised(watch, end - from)) {
            break;
        }
    }
    return (list_sizes){
        .element_count = element_count, .empty_count = empty_count, .are_in_order = are_in_order};
}

static void fill(uint8_t *out, uint8_t value, size_t count, const cancel_flag *cancel) {
    for (; count > CANCEL_COPY_STEP && !cancel_is_raised(cancel); count -= CANCEL_COPY_STEP) {
        memset(out, value, CANCEL_COPY_STEP);
        out += CANCEL_COPY_STEP;
    }
    memset(out, value, count < CANCEL_COPY_STEP ? count : CANCEL_COPY_STEP);
}

#define LANES_AT_ONCE 4 // Most lists are short: so many lanes are written without asking.

// `from`, from + 1, …; there is room for LANES_AT_ONCE in any case.
WRAPS static void count_up(uint32_t *out, uint32_t from, uint32_t count, cancel_watch *watch) {
    for (uint32_t i = 0; i < LANES_AT_ONCE; i++) {
        out[i] = from + i;
    }
    for (uint32_t done = LANES_AT_ONCE; done < count; done += ENTRIES_AT_ONCE) {
        const uint32_t size = min_u32(count - done, ENTRIES_AT_ONCE);
        for (uint32_t i = 0; i < size; i++) {
            out[done + i] = from + done + i;
        }
        if (cancel_watch_is_raised(watch, size)) {
            return;
        }
    }
}

// The entries of the elements. `levels` and `lanes` may be NULL, where nobody needs them; `levels`
// and `repetitions` are filled with what they are within lists.
static void put_elements(const places *at, const list_value *lists, uint8_t *levels,
                         uint8_t *repetitions, uint32_t *lanes, cancel_watch *watch) {
    uint32_t k = 0;       // Of the lanes.
    uint32_t entry = 0;   // Of the elements, ...
    uint32_t element = 0; // ... those that are there.
    for (uint32_t i = 0; i < at->count; i++) {
        const bool is_here = at->definitions == NULL || at->definitions[i] == at->level;
        list_value list = {.size = 0};
        if (is_here) {
            list = lists[at->lanes == NULL ? k : at->lanes[k]];
            k += 1;
        }
        repetitions[entry] = at->repetitions == NULL ? 0 : at->repetitions[i];
        if (levels != NULL) { // An entry that came no further stays what it is.
            const uint8_t level = at->definitions == NULL ? at->level : at->definitions[i];
            levels[entry] = list.size > 0 ? levels[entry] : level;
        }
        if (lanes != NULL) {
            count_up(lanes + element, list.offset, list.size, watch);
        }
        entry += list.size + (list.size == 0);
        element += list.size;
        if (i % ENTRIES_AT_ONCE == 0 && cancel_watch_is_raised(watch, ENTRIES_AT_ONCE)) {
            return;
        }
    }
}

// Lists become their elements.
static firn_status enter_lists(const shredding *self, const pq_node *node, const column *of,
                               places *at, firn_error *err) {
    cancel_watch watch = {.cancel = self->scratch->cancel};
    const list_value *lists = COLUMN_VALUES(of, list_value);
    const list_sizes sizes = measure_lists(at, lists, &watch);
    TRY(cancel_check(watch.cancel, err));
    const uint64_t others = (uint64_t)(at->count - at->lane_count) + sizes.empty_count;
    if (sizes.element_count > UINT32_MAX - others) {
        return FAIL_SQL(err, FIRN_INVALID, "54000", NO_POSITION,
                        "%llu elements in lists of \"%.*s\" in %u rows",
                        (unsigned long long)sizes.element_count, TEXT_ARGS(node->name),
                        self->row_count);
    }
    const size_t count = (size_t)(sizes.element_count + others);
    uint8_t *repetitions = ARENA_NEW(self->scratch, uint8_t, count + 1);
    uint8_t *levels = others == 0 ? NULL : ARENA_NEW(self->scratch, uint8_t, count);
    uint32_t *lanes = NULL;
    if (!sizes.are_in_order) {
        lanes = ARENA_NEW(self->scratch, uint32_t, (size_t)sizes.element_count + LANES_AT_ONCE);
    }
    if (repetitions == NULL || (levels == NULL && others > 0) ||
        (lanes == NULL && !sizes.are_in_order)) {
        return ARENA_FULL(self->scratch, err);
    }
    fill(repetitions, (uint8_t)(node->repetition + 1), count, watch.cancel);
    if (levels != NULL) {
        fill(levels, node->element_definition, count, watch.cancel);
    }
    TRY(cancel_check(watch.cancel, err));
    put_elements(at, lists, levels, repetitions, lanes, &watch);
    *at = (places){
        .count = (uint32_t)count,
        .lane_count = (uint32_t)sizes.element_count,
        .level = node->element_definition,
        .definitions = levels,
        .repetitions = repetitions,
        .lanes = lanes,
    };
    return cancel_check(watch.cancel, err);
}

// Recursion follows the type, whose depth pw_schema_make bounded.
static firn_status shred(const shredding *self, const pq_node *node, const column *of, places at,
                         firn_error *err) {
    assert(at.repetitions == NULL || node->repetition > 0);
    TRY(drop_nulls(self, node, of, &at, err));
    assert(at.level == node->definition);
    if (node->kind == PQ_NODE_LEAF) {
        self->out[node->first_leaf - self->column->first_leaf] = (pw_entries){
            .row_count = self->row_count,
            .entry_count = at.count,
            .value_count = at.lane_count,
            .definitions = at.definitions,
            .repetitions = at.repetitions,
            .values = of,
            .rows = at.lanes,
        };
        return FIRN_OK;
    }
    TRY(make_flat(self, &of, &at, err));
    if (node->kind != PQ_NODE_STRUCT) {
        TRY(enter_lists(self, node, of, &at, err));
    }
    for (uint32_t i = 0; i < node->child_count; i++) {
        TRY(shred(self, &node->children[i], &of->children[i], at, err));
    }
    return FIRN_OK;
}

firn_status pw_shred(const pw_schema *schema, uint32_t column_index, const batch *rows,
                     arena *scratch, pw_entries *out, firn_error *err) {
    assert(column_index < schema->columns.count && column_index < rows->column_count);
    const shredding self = {
        .column = &schema->tree->root.children[column_index],
        .row_count = rows->selected_count,
        .scratch = scratch,
        .out = out,
    };
    places at = {.count = rows->selected_count, .lane_count = rows->selected_count};
    if (rows->selection != NULL) {
        uint32_t *lanes = ARENA_NEW(scratch, uint32_t, (size_t)at.count + 1);
        if (lanes == NULL) {
            return ARENA_FULL(scratch, err);
        }
        for (uint32_t k = 0; k < at.count; k++) {
            lanes[k] = rows->selection[k];
        }
        at.lanes = lanes;
    }
    return shred(&self, self.column, &rows->columns[column_index], at, err);
}
