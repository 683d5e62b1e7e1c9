// The dynamic filters of a join: what its build rows say about the left side's keys.
#include "exec/join/join_state.h"
#include "kernels/hash_column.h"

#define BITS_A_ROW 64                        // A bitmap of so many bits a row is worth it …
#define BITMAP_FREE_BITS (UINT64_C(1) << 23) // … and one of 1 MiB, which stays in L2, always.
#define BLOOM_ROWS_MAX (UINT64_C(1) << 26)
// The bloom filter of what is in the file takes this part of the budget, or, where that would be
// fewer than so many bits a key, up to the other. With too few bits it lets everything pass.
#define BLOOM_SHARE 8
#define BLOOM_SHARE_MAX 3
#define BLOOM_BITS 8
#define BLOOM_BITS_MIN 2

// Several threads at once.
static void set_bits(uint64_t *at, uint64_t bits) {
    _Atomic(uint64_t) *word = (_Atomic(uint64_t) *)at;
    if ((atomic_load_explicit(word, memory_order_relaxed) & bits) != bits) {
        atomic_fetch_or_explicit(word, bits, memory_order_relaxed);
    }
}

firn_status join_filters_begin(join_state *self, firn_error *err) {
    const u32_list *slots = &self->plan.node->join_.dynamic_slots;
    dynamic_filters *all = &self->run->dynamic;
    self->filters = ARENA_NEW(&self->memory, join_filter, slots->count + 1);
    if (self->filters == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; self->plan.may_prune && i < slots->count; i++) {
        const uint32_t slot = slots->items[i];
        if (i < self->plan.right.key_count && slot < all->count) {
            self->filters[self->filter_count++] = (join_filter){.key = i, .slot = slot};
            atomic_store(&all->slots[slot].will_come, true);
        }
    }
    return FIRN_OK;
}

static uint64_t bloom_words_for(uint64_t row_count) {
    uint64_t words = 8;
    while (words * 4 < row_count) { // 16 bits a row.
        words *= 2;
    }
    return words;
}

uint64_t join_bloom_words(const join_state *self, uint64_t row_count) {
    const uint64_t share = self->budget / BLOOM_SHARE / 8;
    const uint64_t most = self->budget / BLOOM_SHARE_MAX / 8;
    const uint64_t wanted = row_count / 4 + 8; // 16 bits a row.
    const uint64_t enough = row_count / 64 * BLOOM_BITS;
    const uint64_t allowed = enough <= share ? share : enough < most ? enough : most;
    const uint64_t words = wanted < allowed ? wanted : allowed;
    return words * 64 >= row_count * BLOOM_BITS_MIN ? words : 0;
}

static void open_filter(join_state *self, join_filter *filter) {
    const uint64_t range = join_bounds_range(&self->bounds[filter->key]);
    const uint64_t limit = pool_limit(pool_engine(self->run->pool));
    const uint64_t rows = self->row_count;
    const bool is_dense = range != UINT64_MAX &&
                          (range / BITS_A_ROW <= rows || range <= BITMAP_FREE_BITS) &&
                          range / 8 <= limit / 32;
    if (is_dense && directory_open(self->keeper, BITMAP_WORDS(range) * 8, &filter->memory)) {
        filter->bitmap = filter->memory.data;
        filter->bits = range;
        return;
    }
    const uint64_t words = bloom_words_for(rows);
    if (rows <= BLOOM_ROWS_MAX && words * 8 <= limit / 16 &&
        directory_open(self->keeper, words * 8, &filter->memory)) {
        filter->bloom = filter->memory.data;
        filter->words = words;
    }
}

void join_filters_open(join_state *self) {
    for (uint32_t i = 0; self->row_count > 0 && i < self->filter_count; i++) {
        open_filter(self, &self->filters[i]);
    }
}

WRAPS static void add_to_bitmap(join_state *self, join_filter *filter, uint8_t *const *rows,
                                uint32_t count) {
    const join_side *side = &self->plan.right;
    const uint64_t low = (uint64_t)self->bounds[filter->key].low;
    for (uint32_t k = 0; k < count; k++) {
        if (row_is_valid(&side->layout, rows[k], filter->key)) {
            const uint64_t value = (uint64_t)join_key_of_row(
                &side->layout, side->column_types[filter->key], filter->key, rows[k]);
            const uint64_t bit = value - low;
            if (bit < filter->bits) {
                _Atomic(uint64_t) *word = (_Atomic(uint64_t) *)&filter->bitmap[bit / 64];
                atomic_fetch_or_explicit(word, UINT64_C(1) << (bit % 64), memory_order_relaxed);
            }
        }
    }
}

static void add_to_words(const join_filter *filter, uint64_t hash) {
    set_bits(&filter->bloom[dynamic_bloom_block(hash, filter->words)], dynamic_bloom_bits(hash));
}

static firn_status add_to_bloom(join_state *self, join_filter *filter, uint8_t *const *rows,
                                uint32_t count, arena *scratch, firn_error *err) {
    if (self->plan.right.key_count == 1 && !self->decides_by_group) {
        for (uint32_t k = 0; k < count; k++) {
            add_to_words(filter, row_hash(rows[k]));
        }
        return FIRN_OK;
    }
    const arena_mark mark = arena_mark_take(scratch);
    uint64_t *hashes = ARENA_NEW(scratch, uint64_t, count + 1);
    column keys;
    if (hashes == NULL) {
        return ARENA_FULL(scratch, err);
    }
    TRY(rows_gather(&self->rows, filter->key, (const uint8_t *const *)rows, count, scratch, &keys,
                    err));
    if (!hash_column(&keys, NULL, count, false, scratch, hashes)) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t k = 0; k < count; k++) {
        add_to_words(filter, hashes[k]);
    }
    arena_rewind(scratch, mark);
    return FIRN_OK;
}

firn_status join_filters_add(join_state *self, uint8_t *const *rows, uint32_t count, arena *scratch,
                             firn_error *err) {
    for (uint32_t i = 0; i < self->filter_count; i++) {
        join_filter *filter = &self->filters[i];
        if (filter->bitmap != NULL) {
            add_to_bitmap(self, filter, rows, count);
        } else if (filter->bloom != NULL) {
            TRY(add_to_bloom(self, filter, rows, count, scratch, err));
        }
    }
    for (uint32_t k = 0; self->bloom != NULL && k < count; k++) {
        const uint64_t hash = row_hash(rows[k]);
        set_bits(join_bloom_word(self, hash), join_bloom_bits(self, hash));
    }
    return FIRN_OK;
}

#define VALUE_CASE(NAME, word, c_type)                                                             \
    case PHYSICAL_##NAME:                                                                          \
        *COLUMN_OUT(out, c_type) = (c_type)value;                                                  \
        break;

// One row of a column that holds a bound.
static firn_status bound_column(join_state *self, const type *of, int64_t value,
                                const column *const **out_list, firn_error *err) {
    column *out = ARENA_NEW(&self->memory, column, 1);
    const column **list = ARENA_NEW(&self->memory, const column *, 1);
    if (out == NULL || list == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    TRY(column_new(&self->memory, of, 1, out, err));
    switch ((int)type_physical(of)) {
        PHYSICAL_INTEGER_LIST(VALUE_CASE)
    default:
        break;
    }
    list[0] = out;
    *out_list = list;
    return FIRN_OK;
}

firn_status join_filters_publish(join_state *self, firn_error *err) {
    for (uint32_t i = 0; i < self->filter_count; i++) {
        join_filter *filter = &self->filters[i];
        const join_bounds *bounds = &self->bounds[filter->key];
        const type *of = self->plan.right.column_types[filter->key];
        dynamic_content *content = &filter->content;
        *content = (dynamic_content){.key_count = 1,
                                     .passes_null = self->plan.null_equal[filter->key],
                                     .is_empty = self->row_count == 0,
                                     .bitmap = filter->bitmap,
                                     .bitmap_first = bounds->low,
                                     .bitmap_bits = filter->bits,
                                     .bloom = filter->bloom,
                                     .bloom_blocks = filter->words,
                                     .row_estimate = self->row_count};
        if (bounds->is_known && bounds->count > 0) {
            TRY(bound_column(self, of, bounds->low, &content->minimum, err));
            TRY(bound_column(self, of, bounds->high, &content->maximum, err));
        }
        atomic_store_explicit(&self->run->dynamic.slots[filter->slot].content, content,
                              memory_order_release);
    }
    return FIRN_OK;
}

void join_filters_close(join_state *self) {
    for (uint32_t i = 0; i < self->filter_count; i++) {
        join_filter *filter = &self->filters[i];
        atomic_store(&self->run->dynamic.slots[filter->slot].content, NULL);
        if (filter->memory.data != NULL) {
            directory_close(&filter->memory);
        }
    }
    self->filter_count = 0;
}
