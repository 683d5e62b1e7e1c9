#include "formats/parquet/write/pw_page_index.h"

#include <string.h>

#include "formats/parquet/pq_thrift.h"
#include "memory/arena_grow.h"

static firn_status copy(pw_page_index *self, bytes from, bytes *out, firn_error *err) {
    uint8_t *data = ARENA_NEW(self->memory, uint8_t, from.size + 1);
    if (data == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    if (from.size > 0) {
        memcpy(data, from.data, from.size);
    }
    *out = (bytes){.data = data, .size = from.size};
    return FIRN_OK;
}

firn_status pw_page_index_add(pw_page_index *self, const pw_statistics *page, arena *scratch,
                              firn_error *err) {
    if (self->has_gap) {
        return FIRN_OK;
    }
    pq_bounds bounds;
    TRY(pw_statistics_bounds(page, self->leaf, self->bound_bytes, scratch, &bounds, err));
    pw_page_bounds made = {.is_null = page->value_count == 0,
                           .null_count = (int64_t)page->null_count,
                           .nan_count = (int64_t)page->nan_count};
    if (!made.is_null && (!bounds.has_minimum || !bounds.has_maximum)) {
        self->has_gap = true;
        return FIRN_OK;
    }
    if (!made.is_null) { // The statistics' own bounds change with the next page.
        TRY(copy(self, bounds.minimum, &made.minimum, err));
        TRY(copy(self, bounds.maximum, &made.maximum, err));
    }
    pw_page_bounds *grown =
        ARENA_GROW(self->memory, pw_page_bounds, self->pages, self->count, 1, &self->capacity);
    if (grown == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    self->pages = grown;
    self->pages[self->count++] = made;
    return FIRN_OK;
}

// Of pages that are not null, both bounds never fall, or never rise.
static pq_boundary_order order_of(const pw_page_index *self) {
    const pw_page_bounds *before = NULL;
    bool ascends = true;
    bool descends = true;
    for (uint32_t i = 0; i < self->count; i++) {
        const pw_page_bounds *page = &self->pages[i];
        if (page->is_null) {
            continue;
        }
        if (before != NULL) {
            const int low = pw_statistics_compare(self->leaf, before->minimum, page->minimum);
            const int high = pw_statistics_compare(self->leaf, before->maximum, page->maximum);
            ascends = ascends && low <= 0 && high <= 0;
            descends = descends && low >= 0 && high >= 0;
        }
        before = page;
    }
    return ascends    ? PQ_BOUNDARY_ASCENDING
           : descends ? PQ_BOUNDARY_DESCENDING
                      : PQ_BOUNDARY_UNORDERED;
}

firn_status pw_page_index_finish(pw_page_index *self, arena *scratch, bytes *out, firn_error *err) {
    *out = (bytes){0};
    if (self->has_gap) {
        return FIRN_OK;
    }
    const size_t count = self->count;
    bool *nulls = ARENA_NEW(scratch, bool, count + 1);
    bytes *minimums = ARENA_NEW(scratch, bytes, count + 1);
    bytes *maximums = ARENA_NEW(scratch, bytes, count + 1);
    int64_t *null_counts = ARENA_NEW(scratch, int64_t, count + 1);
    if (nulls == NULL || minimums == NULL || maximums == NULL || null_counts == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (size_t i = 0; i < count; i++) {
        nulls[i] = self->pages[i].is_null;
        minimums[i] = self->pages[i].minimum;
        maximums[i] = self->pages[i].maximum;
        null_counts[i] = self->pages[i].null_count;
    }
    pq_column_index index = {.null_pages = {.count = count, .items = nulls},
                             .min_values = {.count = count, .items = minimums},
                             .max_values = {.count = count, .items = maximums},
                             .boundary_order = (int32_t)order_of(self),
                             .null_counts = {.count = count, .items = null_counts}};
    pq_column_index_set_null_pages(&index);
    pq_column_index_set_min_values(&index);
    pq_column_index_set_max_values(&index);
    pq_column_index_set_boundary_order(&index);
    pq_column_index_set_null_counts(&index);
    byte_output encoded = {.memory = scratch};
    TRY(pq_thrift_write(&encoded, &pq_column_index_table, &index, err));
    return encoded.size > INT32_MAX
               ? FIRN_OK
               : copy(self, (bytes){.data = encoded.data, .size = encoded.size}, out, err);
}
