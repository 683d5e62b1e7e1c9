#include "exec/aggregate/aggregate_totals.h"

#include <assert.h>

#include "kernels/number_codes.h"
#include "kernels/reduce.h"

#define COMBINATIONS_MAX UINT32_C(4096)
#define CELLS_MAX UINT32_C(32768) // They stay in a worker's cache.
#define COPIES 4                  // Of few cells: neighbouring rows do not wait for each other.
#define COPIED_MAX UINT32_C(64)   // So many combinations are few.
#define ROWS_A_COMBINATION 2      // Fewer, and cells do not pay;
#define PAUSE_BATCHES 64          // then the next batches go the common way.
#define ENTRIES_BYTES_MAX ((size_t)64 << 20)

// Factors of a term, multiplied, by combination.
typedef struct term_products {
    int64_t *values; // NULL: the term has no factor.
    bool *is_null;
} term_products;

struct aggregate_totals {
    const totals_plan *plan;
    arena *memory;
    expr_state *factors;
    // The dictionaries that cells are of.
    bool is_begun;
    bool is_usable; // Else their factors cannot be computed.
    uint64_t identities[TOTALS_DIMENSIONS_MAX];
    uint32_t sizes[TOTALS_DIMENSIONS_MAX];
    uint32_t strides[TOTALS_DIMENSIONS_MAX]; // In combinations; the first key's is the largest.
    uint32_t combinations;
    arena entries;    // Of the keys: cells are emptied when the dictionaries are gone.
    dictionary *keys; // By key.
    // Their cells: by copy, by combination: rows, measures.
    uint32_t width;
    uint32_t copies;
    uint32_t cell_capacity;
    int64_t *cells;
    uint32_t product_capacity;
    term_products *products; // By slot.
    uint32_t *key_starts;    // While they are emptied: the first combination of each key with rows.
    // What is in them.
    uint64_t rows;
    uint64_t bounds[TOTALS_MEASURES_MAX]; // No sum of values is further from 0.
    // A measure's dictionary that was looked at.
    uint64_t measured[TOTALS_MEASURES_MAX];
    uint64_t measured_bounds[TOTALS_MEASURES_MAX];
    uint32_t pause;
};

firn_status aggregate_totals_open(const totals_plan *plan, const statement_context *statement,
                                  arena *memory, aggregate_totals **out, firn_error *err) {
    *out = NULL;
    if (!plan->is_possible) {
        return FIRN_OK;
    }
    aggregate_totals *self = ARENA_NEW(memory, aggregate_totals, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (aggregate_totals){.plan = plan,
                               .memory = memory,
                               .entries = arena_open(ENTRIES_BYTES_MAX),
                               .width = plan->measure_count + 1};
    *out = self;
    return expr_open(plan->program, statement, NULL, memory, &self->factors, err);
}

void aggregate_totals_close(aggregate_totals *self) {
    if (self != NULL) {
        expr_close(self->factors);
        arena_close(&self->entries);
    }
}

// ---- Which batches -----------------------------------------------------------------------------

static bool is_known(const column *each) {
    return each->form == FORM_DICTIONARY && each->validity == NULL &&
           each->dictionary->identity != 0 && each->dictionary->values->form == FORM_FLAT &&
           each->dictionary->values->validity == NULL;
}

// How many combinations of entries there are; 0: the columns are of another kind, or too many.
static uint32_t count_combinations(const aggregate_totals *self, const batch *input) {
    const totals_plan *plan = self->plan;
    uint64_t combinations = 1;
    for (uint32_t i = 0; i < plan->dimension_count && combinations > 0; i++) {
        const column *each = &input->columns[plan->dimensions[i]];
        combinations *= is_known(each) ? each->dictionary->size : 0;
        combinations = combinations > COMBINATIONS_MAX ? 0 : combinations;
    }
    return combinations * self->width > CELLS_MAX ? 0 : (uint32_t)combinations;
}

static bool are_present(const totals_plan *plan, const batch *input) {
    for (uint32_t i = 0; i < plan->present_count; i++) {
        const column *each = &input->columns[plan->present[i]];
        if (each->validity != NULL || each->form == FORM_RUNS || each->type->id == TYPE_NULL) {
            return false;
        }
    }
    for (uint32_t i = 0; i < plan->measure_count; i++) {
        const column *each = &input->columns[plan->measures[i]];
        if (each->validity != NULL || (each->form != FORM_FLAT && !is_known(each))) {
            return false;
        }
    }
    return true;
}

static bool is_same(const aggregate_totals *self, const batch *input) {
    bool same = self->is_begun;
    for (uint32_t i = 0; i < self->plan->dimension_count && same; i++) {
        const column *each = &input->columns[self->plan->dimensions[i]];
        same = self->identities[i] == each->dictionary->identity;
    }
    return same;
}

// ---- Factors -----------------------------------------------------------------------------------

#define WHOLE_CASE(NAME, c_type)                                                                   \
    case PHYSICAL_##NAME:                                                                          \
        *out = (int64_t)COLUMN_VALUES(values, c_type)[lane];                                       \
        return true;

// The value of a lane, as a whole number. False if it needs more than 64 bits.
static bool whole_at(const column *values, uint32_t lane, int64_t *out) {
    switch ((int)type_physical(values->type)) {
        WHOLE_CASE(I8, int8_t)
        WHOLE_CASE(I16, int16_t)
        WHOLE_CASE(I32, int32_t)
        WHOLE_CASE(I64, int64_t)
    case PHYSICAL_I128: {
        const i128 value = COLUMN_VALUES(values, i128)[lane];
        *out = (int64_t)value;
        return value >= INT64_MIN && value <= INT64_MAX;
    }
    default:
        return false;
    }
}

// Multiplies the factors of a term for combinations [from, from + count). False if a product needs
// more than 64 bits: then the common way has to find out whether SQL allows it. A measure has 64
// bits, and so no product with it, or with some of the factors only, has more than 38 digits.
static bool multiply(const totals_term *term, const column *factors, uint32_t from, uint32_t count,
                     term_products *out) {
    for (uint32_t k = 0; k < count; k++) {
        int64_t product = 1;
        int64_t bound = 1; // As if no factor were 0.
        bool is_null = false;
        for (uint32_t i = 0; i < term->factor_count; i++) {
            const column *factor = &factors[term->factors[i]];
            const uint32_t lane = k & column_mask(factor);
            int64_t value = 1;
            const bool is_there = column_is_valid(factor, lane);
            if (is_there && !whole_at(factor, lane, &value)) {
                return false;
            }
            is_null = is_null || !is_there;
            if (__builtin_mul_overflow(bound, value == 0 ? 1 : value, &bound)) {
                return false;
            }
            product = value == 0 || product == 0 ? 0 : bound;
        }
        out->values[from + k] = product;
        out->is_null[from + k] = is_null;
    }
    return true;
}

// The columns of combinations [from, from + count): those of the dimensions, as codes.
static bool combinations_batch(const aggregate_totals *self, const batch *input, uint32_t from,
                               uint32_t count, arena *scratch, batch *out) {
    const totals_plan *plan = self->plan;
    column *columns = ARENA_NEW(scratch, column, (size_t)plan->input_count + 1);
    for (uint32_t i = 0; i < plan->input_count && columns != NULL; i++) {
        columns[i] = (column){.type = TYPE_OF(NULL), .form = FORM_CONSTANT, .length = count};
    }
    for (uint32_t i = 0; i < plan->dimension_count && columns != NULL; i++) {
        uint32_t *codes = ARENA_NEW(scratch, uint32_t, count);
        if (codes == NULL) {
            return false;
        }
        for (uint32_t k = 0; k < count; k++) {
            codes[k] = (from + k) / self->strides[i] % self->sizes[i];
        }
        column *each = &columns[plan->dimensions[i]];
        *each = input->columns[plan->dimensions[i]];
        each->length = count;
        each->values = codes;
    }
    *out = batch_of(columns, plan->input_count, count);
    return columns != NULL;
}

// Computes the factors of all combinations. False if one cannot be: then the common way says why,
// if a row needs it.
static bool compute_factors(aggregate_totals *self, const batch *input, arena *scratch) {
    const totals_plan *plan = self->plan;
    column *factors = ARENA_NEW(scratch, column, (size_t)plan->factor_count + 1);
    for (uint32_t from = 0; from < self->combinations && factors != NULL; from += BATCH_ROWS) {
        const uint32_t left = self->combinations - from;
        const uint32_t count = left < BATCH_ROWS ? left : BATCH_ROWS;
        batch some;
        firn_error ignored = ERR_INIT;
        if (!combinations_batch(self, input, from, count, scratch, &some) ||
            expr_run(self->factors, &some, scratch, factors, &ignored) != FIRN_OK) {
            return false;
        }
        for (uint32_t i = 0; i < plan->factor_count; i++) {
            if (factors[i].form != FORM_FLAT && factors[i].form != FORM_CONSTANT &&
                column_flatten(scratch, &factors[i], &factors[i], &ignored) != FIRN_OK) {
                return false;
            }
        }
        for (uint32_t i = 0; i < plan->slot_count; i++) {
            const totals_term *term = &plan->terms[i];
            if (term->factor_count > 0 &&
                !multiply(term, factors, from, count, &self->products[i])) {
                return false;
            }
        }
    }
    return factors != NULL;
}

// ---- Dictionaries ------------------------------------------------------------------------------

// Twice as much as before: an arena gives nothing back, and dictionaries may grow by an entry each.
static uint32_t grown(uint32_t capacity, uint32_t needed) {
    return needed > capacity * 2 ? needed : capacity * 2;
}

static bool reserve_cells(aggregate_totals *self) {
    const uint32_t needed = self->combinations * self->copies * self->width;
    if (needed > self->cell_capacity) {
        const uint32_t capacity = grown(self->cell_capacity, needed);
        self->cells = ARENA_NEW(self->memory, int64_t, capacity);
        self->cell_capacity = self->cells == NULL ? 0 : capacity;
    }
    return self->cells != NULL;
}

static bool reserve_products(aggregate_totals *self) {
    const totals_plan *plan = self->plan;
    if (self->products != NULL && self->combinations <= self->product_capacity) {
        return true;
    }
    const uint32_t capacity = grown(self->product_capacity, self->combinations);
    term_products *products = ARENA_NEW(self->memory, term_products, (size_t)plan->slot_count + 1);
    for (uint32_t i = 0; i < plan->slot_count && products != NULL; i++) {
        products[i] = (term_products){.values = NULL};
        if (plan->terms[i].factor_count == 0) {
            continue;
        }
        products[i].values = ARENA_NEW(self->memory, int64_t, capacity);
        products[i].is_null = ARENA_NEW(self->memory, bool, capacity);
        if (products[i].values == NULL || products[i].is_null == NULL) {
            return false;
        }
    }
    self->products = products;
    self->product_capacity = capacity;
    return products != NULL;
}

// Entries of the keys are copied: theirs are gone when the groups are made.
static firn_status keep_keys(aggregate_totals *self, const batch *input, firn_error *err) {
    const totals_plan *plan = self->plan;
    arena_reset(&self->entries);
    self->keys = ARENA_NEW(&self->entries, dictionary, (size_t)plan->key_count + 1);
    for (uint32_t i = 0; i < plan->key_count && self->keys != NULL; i++) {
        const dictionary *from = input->columns[plan->dimensions[i]].dictionary;
        column values = *from->values;
        values.length = from->size;
        const batch entries = batch_of(&values, 1, from->size);
        batch kept;
        TRY(batch_copy(&self->entries, &entries, &kept, err));
        self->keys[i] =
            (dictionary){.identity = from->identity, .size = from->size, .values = kept.columns};
    }
    return self->keys == NULL ? ARENA_FULL(&self->entries, err) : FIRN_OK;
}

static firn_status begin(aggregate_totals *self, const batch *input, uint32_t combinations,
                         arena *scratch, firn_error *err) {
    const totals_plan *plan = self->plan;
    assert(self->rows == 0);
    uint32_t stride = combinations;
    for (uint32_t i = 0; i < plan->dimension_count; i++) {
        const dictionary *entries = input->columns[plan->dimensions[i]].dictionary;
        self->identities[i] = entries->identity;
        self->sizes[i] = entries->size;
        stride /= entries->size;
        self->strides[i] = stride;
    }
    self->combinations = combinations;
    self->copies = combinations <= COPIED_MAX ? COPIES : 1;
    self->is_begun = true;
    self->is_usable = false;
    TRY(keep_keys(self, input, err));
    if (!reserve_cells(self) || !reserve_products(self)) {
        return ARENA_FULL(self->memory, err);
    }
    self->is_usable = compute_factors(self, input, scratch);
    aggregate_totals_clear(self);
    return FIRN_OK;
}

// ---- Bounds ------------------------------------------------------------------------------------

static uint64_t further(int64_t low, int64_t high) {
    const uint64_t below = low < 0 ? ~(uint64_t)low + 1 : 0;
    const uint64_t above = high > 0 ? (uint64_t)high : 0;
    return below > above ? below : above;
}

// How far from 0 a value of `count` ones can be.
static uint64_t bound_of(const column *values, uint32_t count) {
    if (type_physical(values->type) == PHYSICAL_I32) {
        const int32_t *each = values->values;
        return further(reduce_min_i32(each, NULL, count), reduce_max_i32(each, NULL, count));
    }
    const int64_t *each = values->values;
    return further(reduce_min_i64(each, NULL, count), reduce_max_i64(each, NULL, count));
}

// How far from 0 the sum of a batch's rows can be; false if that takes more than 63 bits. Lanes
// that are not selected count as well: the bound is only wider for it.
static bool bound_sum(aggregate_totals *self, uint32_t measure, const batch *input, uint64_t *out) {
    const column *each = &input->columns[self->plan->measures[measure]];
    uint64_t bound;
    if (each->form == FORM_FLAT) {
        bound = bound_of(each, input->row_count);
    } else {
        const dictionary *entries = each->dictionary;
        if (self->measured[measure] != entries->identity) {
            self->measured[measure] = entries->identity;
            self->measured_bounds[measure] = bound_of(entries->values, entries->size);
        }
        bound = self->measured_bounds[measure];
    }
    return !__builtin_mul_overflow(bound, (uint64_t)input->selected_count, out) &&
           *out <= INT64_MAX;
}

// ---- Rows into cells ---------------------------------------------------------------------------

// Rows of a batch and their cells.
typedef struct row_cells {
    const uint16_t *rows; // NULL: 0 to count - 1.
    uint32_t count;
    bool is_by_lane; // cells[row]; else cells[k] of the k-th row.
    uint32_t *cells;
} row_cells;

static void number_listed(const aggregate_totals *self, const batch *input, row_cells *out) {
    const totals_plan *plan = self->plan;
    number_copies(self->copies, self->combinations * self->width, out->count, out->cells);
    for (uint32_t i = 0; i < plan->dimension_count; i++) {
        const uint32_t *codes = input->columns[plan->dimensions[i]].values;
        const uint32_t stride = self->strides[i] * self->width;
        for (uint32_t k = 0; k < out->count; k++) {
            out->cells[k] += codes[out->rows[k]] * stride;
        }
    }
}

// Where most rows are selected all lanes are numbered.
static bool number_rows(const aggregate_totals *self, const batch *input, arena *scratch,
                        row_cells *out) {
    const totals_plan *plan = self->plan;
    *out = (row_cells){.rows = input->selection, .count = input->selected_count};
    out->is_by_lane = out->rows == NULL || out->count > input->row_count / 2;
    const uint32_t count = out->is_by_lane ? input->row_count : out->count;
    out->cells = ARENA_NEW(scratch, uint32_t, count);
    if (out->cells == NULL) {
        return false;
    }
    if (!out->is_by_lane) {
        number_listed(self, input, out);
        return true;
    }
    number_copies(self->copies, self->combinations * self->width, count, out->cells);
    for (uint32_t i = 0; i < plan->dimension_count; i++) {
        number_codes(input->columns[plan->dimensions[i]].values, self->strides[i] * self->width,
                     count, out->cells);
    }
    return true;
}

// Adds value(row) of each row to the member of its cell.
#define ADD_VALUES(value)                                                                          \
    do {                                                                                           \
        if (rows == NULL) {                                                                        \
            for (uint32_t k = 0; k < self->count; k++) {                                           \
                to[cells[k]] += value(k);                                                          \
            }                                                                                      \
        } else if (self->is_by_lane) {                                                             \
            for (uint32_t k = 0; k < self->count; k++) {                                           \
                to[cells[rows[k]]] += value(rows[k]);                                              \
            }                                                                                      \
        } else {                                                                                   \
            for (uint32_t k = 0; k < self->count; k++) {                                           \
                to[cells[k]] += value(rows[k]);                                                    \
            }                                                                                      \
        }                                                                                          \
    } while (0)

static void add_ones(const row_cells *self, int64_t *to) {
    const uint16_t *rows = self->rows;
    const uint32_t *cells = self->cells;
#define ONE(row) 1
    ADD_VALUES(ONE);
}

static void add_measure(const row_cells *self, const column *measure, int64_t *to) {
    const uint16_t *rows = self->rows;
    const uint32_t *cells = self->cells;
    const bool is_wide = type_physical(measure->type) == PHYSICAL_I64;
    if (measure->form == FORM_FLAT) {
        const int32_t *narrow = measure->values;
        const int64_t *wide = measure->values;
#define NARROW(row) narrow[row]
#define WIDE(row) wide[row]
        if (is_wide) {
            ADD_VALUES(WIDE);
        } else {
            ADD_VALUES(NARROW);
        }
        return;
    }
    const uint32_t *codes = measure->values;
    const int32_t *narrow = measure->dictionary->values->values;
    const int64_t *wide = measure->dictionary->values->values;
#define NARROW_ENTRY(row) narrow[codes[row]]
#define WIDE_ENTRY(row) wide[codes[row]]
    if (is_wide) {
        ADD_VALUES(WIDE_ENTRY);
    } else {
        ADD_VALUES(NARROW_ENTRY);
    }
}

static bool add_rows(aggregate_totals *self, const batch *input, arena *scratch) {
    const totals_plan *plan = self->plan;
    row_cells numbered;
    if (!number_rows(self, input, scratch, &numbered)) {
        return false;
    }
    add_ones(&numbered, self->cells);
    for (uint32_t i = 0; i < plan->measure_count; i++) {
        add_measure(&numbered, &input->columns[plan->measures[i]], self->cells + 1 + i);
    }
    self->rows += numbered.count;
    return true;
}

firn_status aggregate_totals_add(aggregate_totals *self, const batch *input, arena *scratch,
                                 totals_answer *answer, firn_error *err) {
    const totals_plan *plan = self->plan;
    *answer = TOTALS_REFUSED;
    if (self->pause > 0) {
        self->pause--;
        return FIRN_OK;
    }
    const uint32_t combinations = count_combinations(self, input);
    if (combinations == 0 || input->selected_count == 0 || !are_present(plan, input)) {
        return FIRN_OK;
    }
    if (!is_same(self, input)) {
        if (self->rows > 0) {
            *answer = TOTALS_FULL;
            return FIRN_OK;
        }
        TRY(begin(self, input, combinations, scratch, err));
    }
    if (!self->is_usable) {
        return FIRN_OK;
    }
    uint64_t sums[TOTALS_MEASURES_MAX];
    for (uint32_t i = 0; i < plan->measure_count; i++) {
        if (!bound_sum(self, i, input, &sums[i])) {
            return FIRN_OK;
        }
        if (sums[i] > INT64_MAX - self->bounds[i]) {
            *answer = TOTALS_FULL;
            return FIRN_OK;
        }
    }
    if (!add_rows(self, input, scratch)) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < plan->measure_count; i++) {
        self->bounds[i] += sums[i];
    }
    *answer = TOTALS_TAKEN;
    return FIRN_OK;
}

// ---- Cells into states -------------------------------------------------------------------------

// Combinations of one key lie side by side.
static uint32_t combinations_a_key(const aggregate_totals *self) {
    return self->plan->key_count == 0 ? self->combinations
                                      : self->strides[self->plan->key_count - 1];
}

static int64_t cell_of(const aggregate_totals *self, uint32_t combination, uint32_t member) {
    int64_t sum = 0; // Of a cell's copies: bounds are of all of them.
    for (uint32_t copy = 0; copy < self->copies; copy++) {
        const uint32_t cell = (copy * self->combinations + combination) * self->width;
        sum += self->cells[cell + member];
    }
    return sum;
}

static bool has_rows(const aggregate_totals *self, uint32_t from, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (cell_of(self, from + i, 0) > 0) {
            return true;
        }
    }
    return false;
}

bool aggregate_totals_has_rows(const aggregate_totals *self) {
    return self->rows > 0;
}

firn_status aggregate_totals_keys(aggregate_totals *self, arena *scratch, column **keys,
                                  uint32_t *count, firn_error *err) {
    const totals_plan *plan = self->plan;
    const uint32_t each = combinations_a_key(self);
    *count = 0;
    self->key_starts = ARENA_NEW(scratch, uint32_t, (size_t)self->combinations / each + 1);
    *keys = ARENA_NEW(scratch, column, (size_t)plan->key_count + 1);
    if (self->key_starts == NULL || *keys == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t from = 0; from < self->combinations; from += each) {
        self->key_starts[*count] = from;
        *count += has_rows(self, from, each);
    }
    for (uint32_t i = 0; i < plan->key_count; i++) {
        uint32_t *codes = ARENA_NEW(scratch, uint32_t, (size_t)*count + 1);
        if (codes == NULL) {
            return ARENA_FULL(scratch, err);
        }
        for (uint32_t k = 0; k < *count; k++) {
            codes[k] = self->key_starts[k] / self->strides[i] % self->sizes[i];
        }
        (*keys)[i] = (column){.type = self->keys[i].values->type,
                              .form = FORM_DICTIONARY,
                              .length = *count,
                              .values = codes,
                              .dictionary = &self->keys[i]};
    }
    return FIRN_OK;
}

// What a term's combinations of one key come to. False if that takes more than 128 bits.
static bool add_up(const aggregate_totals *self, uint32_t slot, uint32_t from, i128 *total,
                   int64_t *rows) {
    const totals_term *term = &self->plan->terms[slot];
    const term_products *products = &self->products[slot];
    const uint32_t end = from + combinations_a_key(self);
    *total = 0;
    *rows = 0;
    for (uint32_t i = from; i < end; i++) {
        const int64_t count = cell_of(self, i, 0);
        if (count == 0 || (term->factor_count > 0 && products->is_null[i])) {
            continue;
        }
        const i128 sum = term->measure == ROW_NONE ? count : cell_of(self, i, 1 + term->measure);
        const i128 factor = term->factor_count == 0 ? 1 : products->values[i];
        if (!i128_add_fits(*total, sum * factor, total)) { // 64 bits each.
            return false;
        }
        *rows += count;
    }
    return true;
}

firn_status aggregate_totals_put(const aggregate_totals *self, const aggregate_context *context,
                                 uint32_t k, uint8_t *group) {
    const aggregate_shape *shape = context->shape;
    for (uint32_t i = 0; i < shape->slot_count; i++) {
        const aggregate_slot *slot = &shape->slots[i];
        i128 total;
        int64_t rows;
        const bool fits = add_up(self, i, self->key_starts[k], &total, &rows);
        if (rows == 0 && fits) {
            continue;
        }
        uint8_t *state = group + shape->table.extra_offset + slot->state_offset;
        if (!fits || !slot->overload->update_total(total, rows, state)) {
            return aggregate_fail(context, slot, 0);
        }
    }
    return FIRN_OK;
}

void aggregate_totals_clear(aggregate_totals *self) {
    if (self->rows > 0 && self->rows < (uint64_t)self->combinations * ROWS_A_COMBINATION) {
        self->pause = PAUSE_BATCHES;
    }
    memset(self->cells, 0,
           (size_t)self->combinations * self->copies * self->width * sizeof *self->cells);
    memset(self->bounds, 0, sizeof self->bounds);
    self->rows = 0;
}
