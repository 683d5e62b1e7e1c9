#include "exec/batch_slicer.h"

#include "exec/rows/rows_nested.h"
#include "memory/pool.h"

#define BYTES_MAX ((uint64_t)4 << 20)
#define LIMIT_SHARE 16 // Of the memory limit, for all workers.

batch_slicer batch_slicer_open(const execution *run) {
    const uint64_t share = pool_limit(pool_engine(run->pool)) / LIMIT_SHARE / run->worker_count;
    const uint64_t most = share < BYTES_MAX ? share : BYTES_MAX;
    return (batch_slicer){.most = most > BATCH_BYTES ? most : BATCH_BYTES};
}

// Bytes of a lane of a flat column that are not the same for all values of the type.
static uint64_t bytes_at(const column *flat, uint32_t lane) {
    if (type_physical(flat->type) == PHYSICAL_STRING) {
        return COLUMN_VALUES(flat, string_value)[lane].size;
    }
    cancel_watch watch = {0}; // Of a value that may be huge, and is looked at once.
    return row_nested_size(flat, lane, &watch);
}

static uint64_t longest_of(const column *values, uint32_t lanes) {
    uint64_t longest = 0;
    for (uint32_t i = 0; i < lanes; i++) {
        const bool is_valid = values->validity == NULL || bitmap_get(values->validity, i);
        const uint64_t bytes = is_valid ? bytes_at(values, i) : 0;
        longest = bytes > longest ? bytes : longest;
    }
    return longest;
}

// The longest value of a column whose values may be fewer than its rows; 0 of others.
static uint64_t longest_in(batch_slicer *self, const column *values) {
    if (!type_has_any_length(values->type) || values->form == FORM_FLAT) {
        return 0;
    }
    if (values->form != FORM_DICTIONARY) {
        return longest_of(values, values->form == FORM_CONSTANT ? 1 : values->run_count);
    }
    const dictionary *entries = values->dictionary;
    const size_t at = entries->identity % SLICER_DICTIONARIES;
    if (self->known[at].identity != entries->identity) {
        self->known[at].longest = longest_of(entries->values, entries->size);
        self->known[at].identity = entries->identity;
    }
    return self->known[at].longest;
}

static uint64_t bytes_of(const column *values, const batch *input) {
    const column *flat = values->form == FORM_DICTIONARY ? values->dictionary->values : values;
    uint64_t bytes = 0;
    for (uint32_t k = 0; k < input->selected_count; k++) {
        const uint32_t row = batch_row(input, k);
        bytes += column_is_valid(values, row) ? bytes_at(flat, column_lane(values, row)) : 0;
    }
    return bytes;
}

uint32_t batch_slicer_rows(batch_slicer *self, const batch *input) {
    uint64_t bytes = 0; // At most.
    for (uint32_t i = 0; i < input->column_count; i++) {
        bytes += longest_in(self, &input->columns[i]) * input->selected_count;
    }
    if (bytes <= self->most) {
        return input->selected_count;
    }
    bytes = 0;
    for (uint32_t i = 0; i < input->column_count; i++) {
        const column *each = &input->columns[i];
        bytes += longest_in(self, each) > 0 ? bytes_of(each, input) : 0;
    }
    const uint64_t rows = self->most / (bytes / input->selected_count + 1);
    return rows >= input->selected_count ? input->selected_count : rows == 0 ? 1 : (uint32_t)rows;
}
