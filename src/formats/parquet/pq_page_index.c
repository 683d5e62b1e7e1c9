#include "formats/parquet/pq_page_index.h"

#include <assert.h>
#include <string.h>

pq_row_span pq_page_rows(const pq_offset_index *index, size_t page, uint64_t row_count) {
    assert(page < index->pages.count);
    const uint64_t from = (uint64_t)index->pages.items[page].first_row;
    const uint64_t to = page + 1 < index->pages.count
                            ? (uint64_t)index->pages.items[page + 1].first_row
                            : row_count;
    return (pq_row_span){.from = from, .to = to};
}

size_t pq_page_of_row(const pq_offset_index *index, uint64_t row) {
    size_t low = 0;
    size_t high = index->pages.count; // The answer is in [low, high).
    while (high > low + 1) {
        const size_t middle = low + (high - low) / 2;
        if ((uint64_t)index->pages.items[middle].first_row <= row) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

void pq_row_spans_remove(pq_row_spans *spans, uint64_t from, uint64_t to) {
    if (from >= to) {
        return;
    }
    size_t i = 0;
    while (i < spans->count) {
        pq_row_span *span = &spans->items[i];
        const bool begins_before = span->from < from;
        const bool ends_behind = span->to > to;
        if (span->to <= from || span->from >= to) {
            i += 1;
        } else if (begins_before && ends_behind) { // A hole: two spans.
            memmove(span + 2, span + 1, (spans->count - i - 1) * sizeof *span);
            span[1] = (pq_row_span){.from = to, .to = span->to};
            span->to = from;
            spans->count += 1;
            return;
        } else if (begins_before) {
            span->to = from;
            i += 1;
        } else if (ends_behind) {
            span->from = to;
            i += 1;
        } else {
            memmove(span, span + 1, (spans->count - i - 1) * sizeof *span);
            spans->count -= 1;
        }
    }
}

uint64_t pq_row_spans_rows(const pq_row_spans *spans) {
    uint64_t rows = 0;
    for (size_t i = 0; i < spans->count; i++) {
        rows += spans->items[i].to - spans->items[i].from;
    }
    return rows;
}
