#include "exec/aggregate/aggregate_rank.h"

#include <assert.h>

#include "exec/sort/sort_key.h"
#include "functions/aggregate/value_order.h"

#define DIGIT_COUNT 256
#define BYTES_A_KEY 40           // Beside its own.
#define KEPT_MAX UINT64_C(65536) // Keys that are brought together, at most.

typedef struct digit_count {
    uint64_t rows;
    uint64_t bytes; // Of their keys.
} digit_count;

// A key that is held: a copy.
typedef struct held_key {
    char *data;
    uint32_t size;
    uint32_t capacity;
} held_key;

typedef struct ranking ranking;

// Sees keys with the prefix, in `keys` by number; rows[k] is the row of the k-th.
typedef firn_status (*key_visit)(ranking *self, const string_value *keys, uint8_t *const *rows,
                                 const uint16_t *numbers, uint32_t count);

struct ranking {
    const ranked_rows *from;
    arena *memory;  // Of what stays.
    arena *scratch; // Of a chunk.
    firn_error *err;
    key_visit visit;
    bool is_done; // The visit has seen enough.
    held_key prefix;
    uint64_t rank; // Among those with the prefix.
    held_key lowest;
    held_key highest;
    bool has_extremes;
    digit_count seen; // With the prefix, by the last extremes.
    digit_count digits[DIGIT_COUNT];
    uint32_t digits_at; // Behind how much of the prefix they are.
    column kept;        // Keys.
    uint32_t kept_count;
    column found; // The value of a row whose key is the prefix.
};

// ---- Passes -------------------------------------------------------------------------------------

static bool begins_with(const string_value *key, const held_key *prefix) {
    return key->size >= prefix->size &&
           (prefix->size == 0 || memcmp(string_data(key), prefix->data, prefix->size) == 0);
}

static firn_status visit_page(const ranked_rows *from, row_page *page, ranked_visit visit,
                              void *user, bool *is_done, arena *scratch, firn_error *err) {
    uint8_t *rows[RANKED_CHUNK];
    uint32_t at = 0;
    TRY(cancel_check(scratch->cancel, err));
    for (uint32_t n; !*is_done &&
                     (n = row_page_rows(page, from->store->layout, &at, rows, RANKED_CHUNK)) > 0;) {
        const arena_mark mark = arena_mark_take(scratch);
        TRY(visit(user, rows, n, is_done, err));
        arena_rewind(scratch, mark);
    }
    return FIRN_OK;
}

firn_status aggregate_rank_visit(const ranked_rows *from, ranked_visit visit, void *user,
                                 arena *scratch, firn_error *err) {
    bool is_done = false;
    for (row_page *page = from->pages->first; page != NULL && !is_done; page = page->next) {
        TRY(visit_page(from, page, visit, user, &is_done, scratch, err));
    }
    for (size_t i = 0; i < from->pages->spilled.count && !is_done; i++) {
        TRY(row_pages_peek(from->store, from->pages, i, from->desk, from->buffer, err));
        TRY(visit_page(from, from->buffer, visit, user, &is_done, scratch, err));
    }
    return FIRN_OK;
}

// The numbers of the rows that the filter lets through.
static firn_status filter_rows(const ranked_rows *from, uint8_t *const *rows, uint32_t count,
                               uint16_t *out, uint32_t *out_count, arena *scratch,
                               firn_error *err) {
    if (from->filter != NULL) {
        return from->filter(from->user, rows, count, out, out_count, scratch, err);
    }
    for (uint32_t k = 0; k < count; k++) {
        out[k] = (uint16_t)k;
    }
    *out_count = count;
    return FIRN_OK;
}

static firn_status visit_keys(void *user, uint8_t *const *rows, uint32_t count, bool *is_done,
                              firn_error *err) {
    ranking *self = user;
    const ranked_rows *from = self->from;
    arena *scratch = self->scratch;
    static const sort_order ascending = {.is_descending = false};
    column values;
    column keys;
    uint16_t numbers[RANKED_CHUNK];
    uint32_t passed;
    TRY(filter_rows(from, rows, count, numbers, &passed, scratch, err));
    if (passed == 0) {
        return FIRN_OK;
    }
    uint8_t *gathered[RANKED_CHUNK];
    for (uint32_t i = 0; i < passed; i++) {
        gathered[i] = rows[numbers[i]];
    }
    TRY(rows_gather(from->store, from->column, (const uint8_t *const *)gathered, passed, scratch,
                    &values, err));
    const batch in = batch_of(&values, 1, passed);
    TRY(sort_keys_encode(&values, &ascending, 1, &in, scratch, &keys, err));
    const string_value *texts = COLUMN_VALUES(&keys, string_value);
    uint32_t taken = 0;
    for (uint32_t i = 0; i < passed; i++) {
        numbers[taken] = (uint16_t)i;
        taken += begins_with(&texts[i], &self->prefix);
    }
    TRY(taken == 0 ? FIRN_OK : self->visit(self, texts, gathered, numbers, taken));
    *is_done = self->is_done;
    return FIRN_OK;
}

static firn_status visit_all(ranking *self, key_visit visit) {
    self->visit = visit;
    self->is_done = false;
    return aggregate_rank_visit(self->from, visit_keys, self, self->scratch, self->err);
}

// ---- Held keys ----------------------------------------------------------------------------------

static firn_status hold(ranking *self, held_key *out, const string_value *key) {
    if (out->capacity < key->size || out->data == NULL) {
        const uint32_t capacity = key->size > UINT32_MAX / 2 ? key->size : key->size * 2 + 16;
        out->data = ARENA_NEW(self->memory, char, capacity);
        out->capacity = out->data == NULL ? 0 : capacity;
    }
    if (out->data == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    out->size = key->size;
    (void)cancel_copy(self->scratch->cancel, out->data, string_data(key), key->size);
    return FIRN_OK;
}

static string_value value_of(const held_key *self) {
    return string_of(self->data, self->size);
}

// Counts a key by the byte behind the prefix, where it has one.
static void count_digit(ranking *self, const string_value *key) {
    if (key->size > self->prefix.size) {
        digit_count *digit = &self->digits[(uint8_t)string_data(key)[self->prefix.size]];
        digit->rows++;
        digit->bytes += key->size;
    }
}

static void clear_digits(ranking *self) {
    memset(self->digits, 0, sizeof self->digits);
    self->digits_at = self->prefix.size;
}

static firn_status see_extremes(ranking *self, const string_value *keys, uint8_t *const *rows,
                                const uint16_t *numbers, uint32_t count) {
    (void)rows;
    self->seen.rows += count;
    for (uint32_t i = 0; i < count; i++) {
        const string_value *key = &keys[numbers[i]];
        self->seen.bytes += key->size;
        count_digit(self, key);
        if (!self->has_extremes) {
            TRY(hold(self, &self->lowest, key));
            TRY(hold(self, &self->highest, key));
            self->has_extremes = true;
            continue;
        }
        const string_value lowest = value_of(&self->lowest);
        const string_value highest = value_of(&self->highest);
        if (string_compare(key, &lowest) < 0) {
            TRY(hold(self, &self->lowest, key));
        } else if (string_compare(key, &highest) > 0) {
            TRY(hold(self, &self->highest, key));
        }
    }
    return FIRN_OK;
}

// Makes the prefix what all keys with it begin with. *is_same: they are equal.
static firn_status extend_prefix(ranking *self, bool *is_same) {
    self->has_extremes = false;
    self->seen = (digit_count){0};
    clear_digits(self); // Good as they are if the prefix stays.
    TRY(visit_all(self, see_extremes));
    assert(self->has_extremes);
    const held_key *low = &self->lowest;
    const held_key *high = &self->highest;
    const uint32_t shorter = low->size < high->size ? low->size : high->size;
    uint32_t size = 0;
    while (size < shorter && low->data[size] == high->data[size]) {
        size++;
    }
    *is_same = low->size == high->size && size == shorter;
    const string_value prefix = string_of(low->data, size);
    return hold(self, &self->prefix, &prefix);
}

// ---- Counting -----------------------------------------------------------------------------------

// Keys differ behind the prefix, and none is the beginning of another: each has a byte there.
static firn_status count_digits(ranking *self, const string_value *keys, uint8_t *const *rows,
                                const uint16_t *numbers, uint32_t count) {
    (void)rows;
    for (uint32_t i = 0; i < count; i++) {
        count_digit(self, &keys[numbers[i]]);
    }
    return FIRN_OK;
}

// Adds the byte that keys of the wanted rank have to the prefix. *left: those that have it.
static firn_status choose_digit(ranking *self, digit_count *left) {
    if (self->digits_at != self->prefix.size) {
        clear_digits(self);
        TRY(visit_all(self, count_digits));
    }
    uint32_t digit = 0;
    while (digit + 1 < DIGIT_COUNT && self->rank >= self->digits[digit].rows) {
        self->rank -= self->digits[digit++].rows;
    }
    *left = self->digits[digit];
    const uint32_t size = self->prefix.size;
    char *longer = ARENA_NEW(self->memory, char, (size_t)size + 1);
    if (longer == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    memcpy(longer, self->prefix.data, size);
    longer[size] = (char)digit;
    self->prefix = (held_key){.data = longer, .size = size + 1, .capacity = size + 1};
    return FIRN_OK;
}

// ---- Bringing keys together ---------------------------------------------------------------------

static firn_status keep_keys(ranking *self, const string_value *keys, uint8_t *const *rows,
                             const uint16_t *numbers, uint32_t count) {
    (void)rows;
    for (uint32_t i = 0; i < count; i++) {
        const string_value *key = &keys[numbers[i]];
        string_value *out = &COLUMN_OUT(&self->kept, string_value)[self->kept_count++];
        if (!string_new(self->memory, string_data(key), key->size, out)) {
            return ARENA_FULL(self->memory, self->err);
        }
    }
    return FIRN_OK;
}

// Makes the prefix the key of the wanted rank.
static firn_status select_key(ranking *self, uint32_t count) {
    TRY(column_new(self->memory, TYPE_OF(BINARY), count, &self->kept, self->err));
    self->kept_count = 0;
    TRY(visit_all(self, keep_keys));
    assert(self->kept_count == count && self->rank < count);
    ordered_value *items = ARENA_NEW(self->memory, ordered_value, count);
    if (items == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    value_order order = value_order_of(&self->kept, self->scratch->cancel);
    value_order_list(&order, 0, count, items);
    value_order_select(&order, items, count, (uint32_t)self->rank);
    return hold(self, &self->prefix,
                &COLUMN_VALUES(&self->kept, string_value)[items[self->rank].row]);
}

static firn_status take_value(ranking *self, const string_value *keys, uint8_t *const *rows,
                              const uint16_t *numbers, uint32_t count) {
    (void)keys;
    (void)count;
    column value;
    self->is_done = true;
    TRY(rows_gather(self->from->store, self->from->column,
                    (const uint8_t *const[]){rows[numbers[0]]}, 1, self->scratch, &value,
                    self->err));
    return column_copy(self->memory, &value, &self->found, self->err);
}

static bool are_few(const ranking *self, digit_count keys) {
    return keys.rows <= KEPT_MAX && keys.bytes + keys.rows * BYTES_A_KEY <= self->from->bytes_max;
}

static firn_status find_value(ranking *self) {
    const string_value nothing = {.size = 0};
    TRY(hold(self, &self->prefix, &nothing));
    for (bool is_found = false; !is_found;) {
        TRY(extend_prefix(self, &is_found));
        digit_count left = self->seen;
        if (!is_found && !are_few(self, left)) {
            TRY(choose_digit(self, &left));
        }
        if (!is_found && are_few(self, left)) {
            TRY(select_key(self, (uint32_t)left.rows));
            is_found = true;
        }
    }
    return visit_all(self, take_value);
}

// ---- The first row ------------------------------------------------------------------------------

typedef struct taking {
    const ranked_rows *from;
    arena *scratch;
    arena *memory;
    uint32_t count;
    column *out;
} taking;

static firn_status take_args(void *user, uint8_t *const *rows, uint32_t count, bool *is_done,
                             firn_error *err) {
    const taking *self = user;
    uint16_t numbers[RANKED_CHUNK];
    uint32_t passed;
    TRY(filter_rows(self->from, rows, count, numbers, &passed, self->scratch, err));
    *is_done = passed > 0;
    for (uint32_t i = 0; *is_done && i < self->count; i++) {
        column value;
        TRY(rows_gather(self->from->store, self->from->column + i,
                        (const uint8_t *const[]){rows[numbers[0]]}, 1, self->scratch, &value, err));
        TRY(column_copy(self->memory, &value, &self->out[i], err));
    }
    return FIRN_OK;
}

firn_status aggregate_rank_args(const ranked_rows *from, uint32_t count, arena *scratch,
                                arena *out_memory, column *out, firn_error *err) {
    taking state = {
        .from = from, .scratch = scratch, .memory = out_memory, .count = count, .out = out};
    return aggregate_rank_visit(from, take_args, &state, scratch, err);
}

firn_status aggregate_rank_values(const ranked_rows *from, uint64_t rank, uint32_t count,
                                  arena *scratch, arena *out_memory, column *out, firn_error *err) {
    const type *of = from->store->layout->types[from->column];
    if (value_order_is_exact(of)) {
        return aggregate_rank_numbers(from, rank, count, scratch, out_memory, out, err);
    }
    ranking *self = ARENA_NEW(out_memory, ranking, 1);
    column found[2];
    const column *sources[2];
    const uint32_t rows[2] = {0};
    if (self == NULL) {
        return ARENA_FULL(out_memory, err);
    }
    assert(count <= 2);
    for (uint32_t i = 0; i < count; i++) {
        *self = (ranking){
            .from = from, .memory = out_memory, .scratch = scratch, .err = err, .rank = rank + i};
        TRY(find_value(self));
        found[i] = self->found;
        sources[i] = &found[i];
    }
    const gathered_rows gathered = {.sources = sources, .rows = rows, .count = count};
    return column_gather(out_memory, of, &gathered, out, err);
}
