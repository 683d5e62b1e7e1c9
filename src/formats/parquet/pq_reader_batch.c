// The part of the reader that makes batches.
#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "base/host.h"
#include "formats/parquet/pq_nested.h"
#include "formats/parquet/pq_reader_private.h"
#include "kernels/bits.h"

// With at most one lane in so many left, columns are made of the rows that are left alone.
#define COMPACT_BELOW 4

// ---- Planning ----------------------------------------------------------------------------------

// Goes to the next row that may pass; false if the row group, or the piece of it, has no more.
static bool find_row(pq_reader *self) {
    const pq_row_spans *spans = &self->plans[self->slot].spans;
    const uint64_t next = self->row > self->piece.from ? self->row : self->piece.from;
    while (self->span_at < spans->count && next >= spans->items[self->span_at].to) {
        self->span_at += 1;
    }
    if (self->span_at == spans->count) {
        return false;
    }
    const uint64_t first = spans->items[self->span_at].from;
    const uint64_t from = next > first ? next : first;
    if (from >= self->piece.to) {
        return false;
    }
    if (self->row < from) {
        for (uint32_t i = 0; i < self->leaf_count; i++) {
            pq_leaf_skip(self->leaves[i], from - self->row);
        }
        self->row = from;
    }
    return true;
}

// How many rows the batch spans: what the shortest page of a flat leaf has left.
static firn_status find_span(pq_reader *self, pq_answer *answer, firn_error *err) {
    const uint64_t span_to = self->plans[self->slot].spans.items[self->span_at].to;
    const uint64_t left = (span_to < self->piece.to ? span_to : self->piece.to) - self->row;
    uint32_t span = left < self->batch_max ? (uint32_t)left : self->batch_max;
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        pq_leaf_reader *leaf = self->leaves[i];
        if (leaf->is_nested) {
            continue;
        }
        uint32_t available;
        const firn_status status = pq_leaf_available(leaf, &available, answer, err);
        TRY(pq_reader_in_column(self, leaf, status, err));
        if (*answer != PQ_READY) {
            return FIRN_OK;
        }
        span = min_u32(span, available);
    }
    self->span = span;
    return FIRN_OK;
}

// Leaves out the rows that are deleted.
static firn_status drop_deleted(pq_reader *self, firn_error *err) {
    const pq_deletes *deletes = &self->options.deletes;
    if (deletes->find == NULL) {
        return FIRN_OK;
    }
    const uint32_t span = self->span;
    uint64_t *bits = ARENA_NEW(&self->work, uint64_t, BITMAP_WORDS(span) + 1);
    uint16_t *rows = ARENA_NEW(&self->work, uint16_t, (size_t)span + 1);
    if (bits == NULL || rows == NULL) {
        return ARENA_FULL(&self->work, err);
    }
    bits_clear(bits, span);
    if (deletes->find(deletes->user, self->group_start + self->row, span, bits)) {
        bits_not(bits, span, bits);
        self->selected = bits_to_rows(bits, span, rows);
        self->selection = self->selected == span ? NULL : rows;
        self->counters.rows_deleted += span - self->selected;
    }
    return FIRN_OK;
}

firn_status pq_reader_plan_batch(pq_reader *self, pq_answer *answer, firn_error *err) {
    if (!find_row(self)) {
        self->stage = STAGE_GROUP;
        return FIRN_OK;
    }
    TRY(find_span(self, answer, err));
    if (*answer != PQ_READY) {
        return FIRN_OK;
    }
    arena_reset(&self->work);
    for (uint32_t i = 0; i < self->pick_count; i++) {
        self->picks[i].is_read = false;
        self->picks[i].pulled = self->picks[i].leaf_from;
    }
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        if (self->leaves[i]->is_nested) {
            pq_leaf_pull_begin(self->leaves[i]);
        }
    }
    self->lanes = self->span;
    self->rows = NULL;
    self->selection = NULL;
    self->selected = self->span;
    self->filter_at = 0;
    TRY(drop_deleted(self, err));
    self->alive = self->selected;
    self->stage = self->filter.stage_count > 0 ? STAGE_FILTER : STAGE_OUTPUT;
    return FIRN_OK;
}

// ---- Reading columns ---------------------------------------------------------------------------

static bool is_flat_leaf(const reader_column *wanted) {
    return wanted->pick->kind == PQ_PICK_LEAF && !wanted->is_nested;
}

// Decodes the pages that the wanted flat columns stand before, all together.
static firn_status load_pages(pq_reader *self, const uint32_t *wanted, uint32_t count,
                              firn_error *err) {
    pq_block_list list = {.count = 0};
    bool has_any = false;
    for (uint32_t i = 0; i < count; i++) {
        const reader_column *pick = &self->picks[wanted[i]];
        if (pick->is_read || !is_flat_leaf(pick)) {
            continue;
        }
        pq_leaf_reader *leaf = self->leaves[pick->leaf_from];
        pq_pages *pages = &leaf->chunk->pages;
        if (!pq_pages_is_loaded(pages)) {
            const pq_block_source source = {.leaf = leaf, .slot = self->slot};
            pq_blocks blocks;
            const firn_status status = pq_pages_prepare(pages, &blocks, err);
            TRY(pq_reader_in_column(self, leaf, status, err));
            TRY(pq_reader_add_blocks(self, &list, &source, &blocks, err));
            has_any = true;
        }
    }
    TRY(pq_reader_flush_blocks(self, &list, err));
    for (uint32_t i = 0; has_any && i < count; i++) {
        const reader_column *pick = &self->picks[wanted[i]];
        if (is_flat_leaf(pick) && self->leaves[pick->leaf_from]->chunk->pages.is_prepared) {
            pq_pages_commit(&self->leaves[pick->leaf_from]->chunk->pages);
        }
    }
    return FIRN_OK;
}

static firn_status make_positions(pq_reader *self, column *out, firn_error *err) {
    TRY(column_new(&self->work, TYPE_OF(UBIGINT), self->lanes, out, err));
    uint64_t *values = COLUMN_OUT(out, uint64_t);
    const uint64_t first = self->group_start + self->row;
    for (uint32_t i = 0; i < self->lanes; i++) {
        values[i] = first + (self->rows == NULL ? i : self->rows[i]);
    }
    return FIRN_OK;
}

// Gathers the rows of a column inside lists or structs, and makes it.
static firn_status make_nested(pq_reader *self, reader_column *wanted, column *out,
                               pq_answer *answer, firn_error *err) {
    for (; wanted->pulled < wanted->leaf_to; wanted->pulled++) {
        pq_leaf_reader *leaf = self->leaves[wanted->pulled];
        const firn_status status = pq_leaf_pull(leaf, self->span, answer, err);
        TRY(pq_reader_in_column(self, leaf, status, err));
        if (*answer != PQ_READY) {
            return FIRN_OK;
        }
        self->counters.values_decoded += leaf->gathered.value_count;
    }
    column all;
    const firn_status status =
        pq_nested_column(wanted->pick, self->leaves, self->span, &self->work, &all, err);
    TRY(pq_reader_in_column(self, self->leaves[wanted->leaf_from], status, err));
    if (self->rows == NULL) {
        *out = all;
        return FIRN_OK;
    }
    return column_take_selection(&self->work, &all, self->rows, self->lanes, out, err);
}

static firn_status make_flat(pq_reader *self, const reader_column *wanted, column *out,
                             firn_error *err) {
    pq_leaf_reader *leaf = self->leaves[wanted->leaf_from];
    const firn_status status =
        self->rows == NULL
            ? pq_leaf_read(leaf, self->span, &self->work, out, err)
            : pq_leaf_read_rows(leaf, self->span, self->rows, self->lanes, &self->work, out, err);
    if (status == FIRN_OK && out->form == FORM_FLAT) {
        self->counters.values_decoded += self->lanes;
    }
    return pq_reader_in_column(self, leaf, status, err);
}

static firn_status read_column(pq_reader *self, uint32_t index, pq_answer *answer,
                               firn_error *err) {
    reader_column *wanted = &self->picks[index];
    column *out = &self->columns[index];
    if (wanted->is_read) {
        return FIRN_OK;
    }
    switch (wanted->pick->kind) {
    case PQ_PICK_CONSTANT:
        *out = *wanted->pick->constant;
        out->form = FORM_CONSTANT;
        out->length = self->lanes;
        break;
    case PQ_PICK_POSITION:
        TRY(make_positions(self, out, err));
        out->type = wanted->pick->type; // UBIGINT, or BIGINT, which lies alike.
        break;
    case PQ_PICK_LEAF:
    case PQ_PICK_STRUCT:
    case PQ_PICK_LIST:
        if (wanted->leaf_from == wanted->leaf_to) { // A struct without fields.
            return FAIL(err, FIRN_INTERNAL, "a column without leaves");
        }
        if (is_flat_leaf(wanted)) {
            TRY(make_flat(self, wanted, out, err));
        } else {
            TRY(make_nested(self, wanted, out, answer, err));
        }
        break;
    }
    wanted->is_read = *answer == PQ_READY;
    return FIRN_OK;
}

static firn_status read_columns(pq_reader *self, const uint32_t *wanted, uint32_t count,
                                pq_answer *answer, firn_error *err) {
    *answer = PQ_READY;
    TRY(load_pages(self, wanted, count, err));
    for (uint32_t i = 0; i < count && *answer == PQ_READY; i++) {
        TRY(read_column(self, wanted[i], answer, err));
    }
    return FIRN_OK;
}

// ---- Filtering ---------------------------------------------------------------------------------

// Makes the rows that are left the only lanes, if they are few: columns read so far are taken
// together, those read from now on are read for these rows only.
static firn_status compact(pq_reader *self, firn_error *err) {
    if (self->selection == NULL || self->selected > self->lanes / COMPACT_BELOW) {
        return FIRN_OK;
    }
    const uint16_t *rows = self->selection;
    for (uint32_t i = 0; i < self->pick_count; i++) {
        if (self->picks[i].is_read) {
            column taken;
            TRY(column_take_selection(&self->work, &self->columns[i], rows, self->selected, &taken,
                                      err));
            self->columns[i] = taken;
        }
    }
    if (self->rows != NULL) {
        uint16_t *numbers = ARENA_NEW(&self->work, uint16_t, (size_t)self->selected + 1);
        if (numbers == NULL) {
            return ARENA_FULL(&self->work, err);
        }
        for (uint32_t i = 0; i < self->selected; i++) {
            numbers[i] = self->rows[rows[i]];
        }
        rows = numbers;
    }
    self->rows = rows;
    self->lanes = self->selected;
    self->selection = NULL;
    return FIRN_OK;
}

static batch batch_of_lanes(const pq_reader *self, uint32_t column_count) {
    return (batch){
        .row_count = self->lanes,
        .column_count = column_count,
        .columns = self->columns,
        .selection = self->selection,
        .selected_count = self->selected,
    };
}

firn_status pq_reader_run_filter(pq_reader *self, pq_answer *answer, firn_error *err) {
    pq_filter_stage *filter = pq_filter_stage_at(&self->filter, self->filter_at);
    *answer = PQ_READY;
    const bool *is_always = self->plans[self->slot].is_always;
    if (self->selected > 0 && !is_always[self->filter.order[self->filter_at]]) {
        const int64_t start_ns = host_clock_ns();
        TRY(compact(self, err));
        TRY(read_columns(self, filter->columns, filter->column_count, answer, err));
        if (*answer != PQ_READY) {
            return FIRN_OK;
        }
        const batch in = batch_of_lanes(self, self->pick_count);
        const uint16_t *selection;
        filter->rows_in += self->selected;
        TRY(expr_filter(filter->state, &in, &self->work, &selection, &self->selected, err));
        // NULL stands for all lanes of the batch.
        self->selection = selection;
        filter->rows_out += self->selected;
        filter->time_ns += host_clock_ns() - start_ns;
    }
    self->filter_at += 1;
    if (self->filter_at == self->filter.stage_count || self->selected == 0) {
        pq_filter_watch(&self->filter);
        self->stage = STAGE_OUTPUT;
    }
    return FIRN_OK;
}

// ---- Output ------------------------------------------------------------------------------------

// The batch is done: columns that were not read pass over its rows.
static void finish_batch(pq_reader *self) {
    for (uint32_t i = 0; i < self->pick_count; i++) {
        const reader_column *pick = &self->picks[i];
        for (uint32_t leaf = pick->leaf_from; !pick->is_read && leaf < pick->leaf_to; leaf++) {
            pq_leaf_skip(self->leaves[leaf], self->span);
        }
    }
    self->row += self->span;
    self->counters.rows += self->span;
    self->counters.rows_filtered += self->alive - self->selected;
    self->stage = STAGE_PLAN;
}

static firn_status read_output(pq_reader *self, pq_answer *answer, firn_error *err) {
    uint32_t *wanted = ARENA_NEW(&self->work, uint32_t, (size_t)self->output_count + 1);
    if (wanted == NULL) {
        return ARENA_FULL(&self->work, err);
    }
    bool has_unread = false;
    for (uint32_t i = 0; i < self->output_count; i++) {
        wanted[i] = i;
        has_unread = has_unread || !self->picks[i].is_read;
    }
    if (has_unread) {
        TRY(compact(self, err));
    }
    return read_columns(self, wanted, self->output_count, answer, err);
}

firn_status pq_reader_make_batch(pq_reader *self, batch *out, bool *is_made, pq_answer *answer,
                                 firn_error *err) {
    if (self->selected > 0) {
        TRY(read_output(self, answer, err));
        if (*answer != PQ_READY) {
            return FIRN_OK;
        }
        *out = batch_of_lanes(self, self->output_count);
        out->sequence.part = self->part++;
        *is_made = true;
    }
    finish_batch(self);
    return FIRN_OK;
}
