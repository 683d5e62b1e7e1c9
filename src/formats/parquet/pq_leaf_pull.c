// The half of pq_leaf.h for leaves inside lists.
#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "column/column.h"
#include "formats/parquet/pq_leaf.h"
#include "formats/parquet/pq_level_kernels.h"

#define ENTRIES_MIN 4096

void pq_leaf_pull_begin(pq_leaf_reader *self) {
    arena_reset(&self->memory);
    self->gathered = (pq_gathered){.count = 0};
    self->rows_begun = 0;
    self->page_value_start = 0;
}

static bool is_bits(const pq_leaf_reader *self) {
    return self->target.leaf->type == PQ_BOOLEAN;
}

// A larger array with the old content, `count` items of `size` bytes, and a pad.
static void *grow(arena *memory, const void *old, size_t count, size_t capacity, size_t size) {
    uint8_t *grown = arena_alloc(memory, 1, capacity * size + PQ_PAD + PQ_UNPACK_SPARE * size);
    if (grown != NULL && count > 0) {
        memcpy(grown, old, count * size);
    }
    return grown;
}

static uint32_t doubled(uint32_t capacity, uint32_t wanted) {
    uint32_t grown = capacity < ENTRIES_MIN ? ENTRIES_MIN : capacity;
    while (grown < wanted) {
        grown = grown > UINT32_MAX / 2 ? wanted : grown * 2;
    }
    return grown;
}

static firn_status check_count(uint32_t count, uint32_t more, firn_error *err) {
    if (more > INT32_MAX - count) {
        return FAIL(err, FIRN_UNSUPPORTED, "more than %d list elements in a batch", INT32_MAX);
    }
    return FIRN_OK;
}

static firn_status reserve_entries(pq_leaf_reader *self, uint32_t more, firn_error *err) {
    pq_gathered *gathered = &self->gathered;
    TRY(check_count(gathered->count, more, err));
    const uint32_t wanted = gathered->count + more;
    if (wanted <= gathered->capacity) {
        return FIRN_OK;
    }
    const uint32_t capacity = doubled(gathered->capacity, wanted);
    uint8_t *repetition = grow(&self->memory, gathered->repetition, gathered->count, capacity, 1);
    uint8_t *definition = grow(&self->memory, gathered->definition, gathered->count, capacity, 1);
    if (repetition == NULL || definition == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    gathered->repetition = repetition;
    gathered->definition = definition;
    gathered->capacity = capacity;
    return FIRN_OK;
}

static firn_status reserve_values(pq_leaf_reader *self, uint32_t more, firn_error *err) {
    pq_gathered *gathered = &self->gathered;
    TRY(check_count(gathered->value_count, more, err));
    const uint32_t wanted = gathered->value_count + more;
    if (gathered->values != NULL && wanted <= gathered->value_capacity) {
        return FIRN_OK;
    }
    const uint32_t capacity = doubled(gathered->value_capacity, wanted);
    void *values;
    if (is_bits(self)) {
        values = grow(&self->memory, gathered->values, BITMAP_WORDS(gathered->value_count),
                      BITMAP_WORDS(capacity) + 1, sizeof(uint64_t));
    } else {
        values = grow(&self->memory, gathered->values, gathered->value_count, capacity,
                      self->target.conversion.size);
    }
    if (values == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    gathered->values = values;
    gathered->value_capacity = capacity;
    return FIRN_OK;
}

// Reads `count` more values behind those gathered.
static firn_status gather_values(pq_leaf_reader *self, uint32_t count, firn_error *err) {
    if (self->target.type->id == TYPE_NULL) {
        return pq_values_skip(&self->values, count, err);
    }
    TRY(reserve_values(self, count, err));
    pq_gathered *gathered = &self->gathered;
    uint8_t *to = gathered->values;
    if (!is_bits(self)) {
        to += (size_t)gathered->value_count * self->target.conversion.size;
    }
    if (count > 0) {
        TRY(pq_leaf_read_values(self, count, &self->memory, to, gathered->value_count, err));
    }
    gathered->value_count += count;
    return FIRN_OK;
}

// Values that point into the page at hand get bytes of their own before the page goes.
static firn_status keep_strings(pq_leaf_reader *self, firn_error *err) {
    pq_gathered *gathered = &self->gathered;
    const bool points_into_page = self->reads_values && self->is_open &&
                                  type_physical(self->target.type) == PHYSICAL_STRING &&
                                  self->values.form != PQ_VALUES_CODES;
    string_value *values = gathered->values;
    for (uint32_t i = self->page_value_start; points_into_page && i < gathered->value_count; i++) {
        if (!string_is_inline(&values[i])) {
            char *copy = ARENA_NEW(&self->memory, char, values[i].size);
            if (copy == NULL) {
                return ARENA_FULL(&self->memory, err);
            }
            memcpy(copy, values[i].data, values[i].size);
            values[i].data = copy;
        }
    }
    self->page_value_start = gathered->value_count;
    return FIRN_OK;
}

// Makes levels available in [level_from, level_to). PQ_END: the chunk has no more.
static firn_status fill_levels(pq_leaf_reader *self, pq_answer *answer, firn_error *err) {
    *answer = PQ_READY;
    while (self->level_from == self->level_to) {
        if (self->is_open && self->levels.left == 0) {
            TRY(keep_strings(self, err));
            pq_leaf_pass_page(self);
        }
        if (!self->is_open) {
            TRY(pq_leaf_peek(self, answer, err));
            if (*answer != PQ_READY) {
                return FIRN_OK;
            }
            TRY(pq_leaf_open_page(self, err));
        }
        const uint32_t step = min_u32(self->levels.left, PQ_LEVEL_STEP);
        TRY(pq_levels_read(&self->levels, step, self->repetition, self->definition, err));
        self->level_from = 0;
        self->level_to = step;
    }
    return FIRN_OK;
}

// Takes the next `count` entries of those whose levels were read, keeping them or not.
static firn_status take_entries(pq_leaf_reader *self, uint32_t count, bool is_kept,
                                firn_error *err) {
    const uint8_t *repetition = self->repetition + self->level_from;
    const uint8_t *definition = self->definition + self->level_from;
    uint64_t bits[PQ_LEVEL_STEP / 64];
    const uint32_t present = (uint32_t)pq_level_kernels_best()->at_least(
        definition, count, self->target.leaf->definition_max, bits);
    self->level_from += count;
    if (!is_kept) {
        return self->reads_values ? pq_values_skip(&self->values, present, err) : FIRN_OK;
    }
    TRY(reserve_entries(self, count, err));
    pq_gathered *gathered = &self->gathered;
    memcpy(gathered->repetition + gathered->count, repetition, count);
    memcpy(gathered->definition + gathered->count, definition, count);
    gathered->count += count;
    return self->reads_values ? gather_values(self, present, err) : FIRN_OK;
}

// True if the entries taken last end a row, without a look at the next entry: always outside lists,
// and at the end of a v2 page.
static bool is_row_end(const pq_leaf_reader *self) {
    const bool is_page_end = self->level_from == self->level_to && self->levels.left == 0;
    return self->target.leaf->repetition_max == 0 || (is_page_end && self->chunk->pages.page.is_v2);
}

// Takes entries until `rows` rows are whole: until the next one begins, or the chunk ends.
static firn_status take_rows(pq_leaf_reader *self, uint32_t rows, bool is_kept, pq_answer *answer,
                             firn_error *err) {
    const pq_level_kernels *kernels = pq_level_kernels_best();
    for (;;) {
        TRY(fill_levels(self, answer, err));
        if (*answer == PQ_WAIT) {
            return FIRN_OK;
        }
        if (*answer == PQ_END) {
            if (self->rows_begun < rows) {
                return FAIL(err, FIRN_CORRUPT, "the column ends after %llu of %llu rows",
                            (unsigned long long)(self->rows_taken + self->rows_begun),
                            (unsigned long long)self->chunk->row_count);
            }
            break;
        }
        const uint8_t *repetition = self->repetition + self->level_from;
        const uint32_t at_hand = self->level_to - self->level_from;
        if (self->rows_begun == 0 && self->rows_taken == 0 && repetition[0] != 0) {
            return FAIL(err, FIRN_CORRUPT, "the first row begins in the middle of a list");
        }
        const uint32_t to =
            (uint32_t)kernels->find_zero(repetition, at_hand, rows - self->rows_begun);
        self->rows_begun += (uint32_t)kernels->count_zero(repetition, to);
        if (to > 0) {
            TRY(take_entries(self, to, is_kept, err));
        }
        if (to < at_hand || (self->rows_begun == rows && is_row_end(self))) {
            break;
        }
    }
    *answer = PQ_READY;
    return FIRN_OK;
}

// Rows that begin in the page that was peeked, 0 if its header does not say.
static uint32_t rows_of_page(const pq_leaf_reader *self) {
    const pq_page *page = &self->chunk->pages.page;
    const bool is_flat = self->target.leaf->repetition_max == 0;
    return is_flat ? page->value_count : page->is_v2 ? page->row_count : 0;
}

// Passes over rows: pages that hold nothing else are not loaded where their header counts rows.
static firn_status skip_rows(pq_leaf_reader *self, pq_answer *answer, firn_error *err) {
    *answer = PQ_READY;
    while (self->skip > 0) {
        const bool is_page_end = self->level_from == self->level_to && self->levels.left == 0;
        if (self->is_open && is_page_end && self->rows_begun == 0) {
            pq_leaf_pass_page(self);
        }
        if (!self->is_open && self->rows_begun == 0) {
            pq_leaf_seek(self);
            TRY(pq_pages_peek_header(&self->chunk->pages, answer, err));
            if (*answer == PQ_WAIT) {
                return FIRN_OK;
            }
            const uint32_t rows = *answer == PQ_READY ? rows_of_page(self) : 0;
            if (rows > 0 && rows <= self->skip) {
                self->skip -= rows;
                self->rows_taken += rows;
                pq_leaf_pass_page(self);
                continue;
            }
        }
        const uint32_t step = self->skip < INT32_MAX ? (uint32_t)self->skip : INT32_MAX;
        TRY(take_rows(self, step, false, answer, err));
        if (*answer == PQ_WAIT) {
            return FIRN_OK;
        }
        self->skip -= step;
        self->rows_taken += step;
        self->rows_begun = 0;
    }
    return FIRN_OK;
}

firn_status pq_leaf_pull(pq_leaf_reader *self, uint32_t rows, pq_answer *answer, firn_error *err) {
    if (self->skip > 0) {
        assert(self->gathered.count == 0);
        TRY(skip_rows(self, answer, err));
        if (*answer != PQ_READY) {
            return FIRN_OK;
        }
    }
    if (self->gathered.capacity == 0) {
        TRY(reserve_entries(self, ENTRIES_MIN, err));
    }
    TRY(take_rows(self, rows, true, answer, err));
    if (*answer == PQ_READY) {
        self->rows_taken += rows;
    }
    return FIRN_OK;
}
