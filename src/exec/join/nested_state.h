// A join without keys while it runs: all right rows on pages, every left row beside each of them.
//
//     build   right rows, into one list of pages; some of them may go to the spill file
//     finish  an index of them, if the condition has bounds and all are in memory
//     probe   for each left batch what the index finds; or pages one after the other: the longer of
//             (left batch, right rows) is the vector, the other one's rows are constants beside it
//     drain   right rows that found no partner
#ifndef FIRN_EXEC_NESTED_STATE_H
#define FIRN_EXEC_NESTED_STATE_H

#include "exec/join/join_plan.h"
#include "exec/join/range_index.h"

typedef struct nested_page {
    row_page *page;     ///< NULL: it is in the file,
    size_t spilled;     ///< page number `spilled` of the list.
    uint64_t first_row; ///< Number of its first row; of pages in the file only if marks are kept.
} nested_page;

typedef struct nested_state {
    join_plan plan;
    execution *run;
    arena memory;
    mutex lock;
    bool is_begun GUARDED_BY(&lock);
    pool *keeper;
    row_store rows;
    row_pages pages;
    uint64_t row_count;
    bool keeps_marks; ///< Then rows hold their numbers, in memory.
    directory marks;  ///< A bit a right row: it found a partner. Atomic while the probe runs.
    bool has_index;
    range_index index;
    // Where some are asked first, and only the others are handed out: those that may have partners.
    directory chosen_memory;
    uint64_t chosen_count;
    uint8_t **chosen; ///< NULL: all are asked whenever they come by.
    size_t list_count;
    nested_page *list;
    atomic_uint_fast64_t next_page; ///< Of the drain.
} nested_state;

firn_status nested_state_open(const plan_node *node, execution *run, nested_state **out,
                              firn_error *err);
void nested_state_close(nested_state *self);
/// What its keeper can never do without.
static inline uint64_t nested_state_min_bytes(const nested_state *self, uint32_t workers) {
    return keeper_min_bytes(workers, row_page_bytes(&self->plan.right.layout));
}
firn_status nested_state_begin(nested_state *self, firn_error *err);
/// All right rows are there. `scratch` is left as it was.
firn_status nested_state_finish(nested_state *self, arena *scratch, firn_error *err);

static inline bool nested_is_marked(const nested_state *self, uint64_t row) {
    const _Atomic(uint64_t) *words = self->marks.data;
    return (atomic_load_explicit(&words[row / 64], memory_order_relaxed) >> (row % 64) & 1) != 0;
}
/// Marks a row; was it marked before? Whoever reads all marks comes after all workers.
static inline bool nested_mark(nested_state *self, uint64_t row) {
    _Atomic(uint64_t) *words = self->marks.data;
    const uint64_t bit = UINT64_C(1) << (row % 64);
    return nested_is_marked(self, row) ||
           (atomic_fetch_or_explicit(&words[row / 64], bit, memory_order_relaxed) & bit) != 0;
}

/// The number of a row in memory, for its mark.
static inline uint64_t nested_row_number(const nested_state *self, const uint8_t *row) {
    uint64_t number;
    memcpy(&number, row + self->plan.right.layout.extra_offset, sizeof number);
    return number;
}

/// A place among the right rows: a worker's.
typedef struct nested_cursor {
    nested_state *state;
    spill_desk desk;
    void *read; ///< A page for those in the file.
    size_t page;
    size_t end;  ///< Pages before it.
    uint32_t at; ///< In the page.
    row_page *current;
    uint64_t next_row;
} nested_cursor;

firn_status nested_cursor_open(nested_cursor *self, nested_state *state, arena *memory,
                               firn_error *err);
void nested_cursor_close(nested_cursor *self);
/// Pages from `page` up to and excluding `end`.
void nested_cursor_seek(nested_cursor *self, size_t page, size_t end);
/// The next rows, at most `max`, all on one page, and the number of the first. 0: the end.
firn_status nested_cursor_next(nested_cursor *self, uint8_t **rows, uint32_t max, uint32_t *count,
                               uint64_t *first_row, firn_error *err);

#endif
