// The part of the reader that begins row groups.
#include <assert.h>

#include "base/checked.h"
#include "formats/parquet/pq_reader_private.h"
#include "formats/parquet/pq_thrift.h"

// A batch of rows that take more than this each has fewer rows. An estimate by the footer: what the
// strings of a dictionary take together is not known.
#define BATCH_BYTES_ABOUT (16 * (uint64_t)BATCH_BYTES)
#define ENTRY_BYTES_ABOUT 16
// A dictionary with at most one entry in so many rows is asked before its row group is read, ...
#define ROWS_PER_TRIED_ENTRY 16
// ... but no more when that did not help so many times.
#define DICTIONARY_TRIES 4

// Says where an error happened; `row` is UINT64_MAX before the first one.
static void name_place(const pq_reader *self, const pq_leaf_reader *leaf, uint32_t group,
                       uint64_t row, firn_error *err) {
    arena memory = arena_open(1 << 16);
    text path;
    firn_error ignored = ERR_INIT;
    if (pq_schema_leaf_path(self->file->metadata->schema, leaf->index, &memory, &path, &ignored) !=
        FIRN_OK) {
        path = TEXT("?");
    }
    if (row == UINT64_MAX) {
        err_while(err, "reading column \"%.*s\" of row group %u", TEXT_ARGS(path), group);
    } else {
        err_while(err, "reading column \"%.*s\" of row group %u, rows from %llu on",
                  TEXT_ARGS(path), group, (unsigned long long)row);
    }
    arena_close(&memory);
}

firn_status pq_reader_in_column(const pq_reader *self, const pq_leaf_reader *leaf,
                                firn_status status, firn_error *err) {
    if (status != FIRN_OK) {
        name_place(self, leaf, self->group, self->row, err);
    }
    return status;
}

firn_status pq_reader_in_chunk(const pq_reader *self, const pq_block_source *source,
                               firn_status status, firn_error *err) {
    if (status != FIRN_OK) {
        const uint32_t group = self->plans[source->slot].row_group;
        const bool has_row = self->stage >= STAGE_PLAN; // Else the row is one of the group before.
        name_place(self, source->leaf, group, has_row ? self->row : UINT64_MAX, err);
    }
    return status;
}

// ---- Blocks ------------------------------------------------------------------------------------

firn_status pq_reader_flush_blocks(const pq_reader *self, pq_block_list *list, firn_error *err) {
    const uint32_t count = list->count;
    const codec kind = list->like == NULL ? CODEC_NONE : list->like->codec;
    list->count = 0;
    if (count == 0) {
        return FIRN_OK;
    }
    firn_error together = ERR_INIT;
    const firn_status status = codec_decode_many(kind, list->items, count, list->like->hint,
                                                 self->options.codecs, &together);
    // Nobody says which block is damaged, so each is decoded by itself.
    for (uint32_t i = 0; i < count && status != FIRN_OK; i++) {
        const firn_status alone = codec_decode_many(kind, &list->items[i], 1, list->like->hint,
                                                    self->options.codecs, err);
        if (alone != FIRN_OK) {
            return pq_reader_in_chunk(self, &list->sources[i], alone, err);
        }
    }
    if (status != FIRN_OK) {
        *err = together;
    }
    return status;
}

firn_status pq_reader_add_blocks(const pq_reader *self, pq_block_list *list,
                                 const pq_block_source *source, const pq_blocks *blocks,
                                 firn_error *err) {
    const pq_pages *pages = &source->leaf->chunks[source->slot].pages;
    const bool is_other =
        list->count > 0 && (list->like->codec != pages->codec || list->like->hint != pages->hint);
    if (is_other || list->count + blocks->count > PQ_BLOCKS_MAX) {
        TRY(pq_reader_flush_blocks(self, list, err));
    }
    for (uint32_t i = 0; i < blocks->count; i++) {
        list->sources[list->count] = *source;
        list->items[list->count++] = blocks->items[i];
    }
    list->like = pages;
    return FIRN_OK;
}

// ---- Row groups --------------------------------------------------------------------------------

// About how many bytes a row of what is read takes: leaves of text, and elements of lists.
static uint64_t bytes_per_row(const pq_reader *self) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        const pq_leaf_reader *leaf = self->leaves[i];
        const pq_column_metadata *chunk =
            pq_chunk_metadata(self->file->metadata, self->group, leaf->index);
        const bool is_text = leaf->target.leaf->type == PQ_BYTE_ARRAY;
        const uint64_t values = (uint64_t)chunk->value_count;
        total += is_text && chunk->uncompressed_size > 0 ? (uint64_t)chunk->uncompressed_size : 0;
        total += leaf->is_nested && values < UINT32_MAX ? values * ENTRY_BYTES_ABOUT : 0;
    }
    return self->group_rows == 0 ? 0 : total / self->group_rows;
}

static uint64_t rows_before(const pq_reader *self, uint32_t group) {
    uint64_t rows = 0;
    for (uint32_t i = 0; i < group; i++) {
        rows += pq_file_rows_of(self->file, i);
    }
    return rows;
}

static void enter_group(pq_reader *self) {
    const pq_group_plan *plan = &self->plans[self->slot];
    self->group = plan->row_group;
    self->group_rows = pq_file_rows_of(self->file, self->group);
    self->group_start = rows_before(self, self->group);
    self->row = 0;
    self->span_at = 0;
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        pq_leaf_reader *leaf = self->leaves[i];
        pq_leaf_enter(leaf, self->slot, plan->indexes[leaf->index]);
    }
    const uint64_t size = bytes_per_row(self);
    const uint64_t fitting = size == 0 ? UINT32_MAX : BATCH_BYTES_ABOUT / size;
    self->batch_max = self->options.batch_rows;
    if (fitting < self->batch_max) {
        self->batch_max = fitting == 0 ? 1 : (uint32_t)fitting;
    }
    self->counters.row_groups += self->piece.from == 0 && plan->spans.count > 0;
    self->stage = STAGE_PLAN;
}

void pq_reader_next_group(pq_reader *self) {
    const bool is_piece = self->piece.from > 0 || self->piece.to < self->group_rows;
    if (self->slot_end > 0 && is_piece) {
        self->open_group = self->group;
    }
    if (self->slot + 1 < self->slot_end) {
        self->slot += 1;
        enter_group(self);
        return;
    }
    self->slot_end = 0;
    self->stage = STAGE_PRUNE;
}

// Snappy gains by decoding dictionaries of several row groups together; reading from far away does
// by asking for them together.
static bool is_snappy(const pq_reader *self, uint32_t group) {
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        const uint32_t leaf = self->leaves[i]->index;
        if (pq_chunk_metadata(self->file->metadata, group, leaf)->codec == PQ_CODEC_SNAPPY) {
            return true;
        }
    }
    return false;
}

// Begins the chunks of the row groups that are planned, and asks for their first bytes all at once.
static firn_status begin_chunks(pq_reader *self, firn_error *err) {
    self->slot = 0;
    for (uint32_t slot = 0; slot < self->slot_end; slot++) {
        self->group = self->plans[slot].row_group;
        for (uint32_t i = 0; i < self->leaf_count; i++) {
            pq_leaf_reader *leaf = self->leaves[i];
            const pq_block_source source = {.leaf = leaf, .slot = slot};
            const firn_status status =
                pq_leaf_begin(leaf, self->file->metadata, self->group, slot, self->identity++, err);
            TRY(pq_reader_in_chunk(self, &source, status, err));
        }
    }
    self->stage = STAGE_DICTIONARIES;
    return FIRN_OK;
}

firn_status pq_reader_plan_groups(pq_reader *self, pq_answer *answer, firn_error *err) {
    *answer = PQ_READY;
    while (self->is_pruning || self->group_next < self->group_end) {
        if (!self->is_pruning) {
            const bool are_together =
                is_snappy(self, self->group_next) || io_file_is_remote(self->file->input);
            const uint32_t slots = are_together ? self->slot_count : 1;
            if (self->slot_end > 0 && self->slot_end >= slots) {
                break;
            }
            self->group = self->group_next++;
            TRY(pq_pruner_begin(&self->pruner, self->group, self->piece,
                                &self->plans[self->slot_end], err));
            self->is_pruning = true;
        }
        TRY(pq_pruner_next(&self->pruner, answer, err));
        if (*answer != PQ_READY) {
            return FIRN_OK;
        }
        self->is_pruning = false;
        if (self->plans[self->slot_end].spans.count > 0) {
            self->slot_end += 1;
        }
    }
    if (self->slot_end == 0) {
        *answer = PQ_END;
        return FIRN_OK;
    }
    return begin_chunks(self, err);
}

static firn_status peek_all(pq_reader *self, pq_answer *answer, firn_error *err) {
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        for (uint32_t slot = 0; slot < self->slot_end; slot++) {
            pq_leaf_reader *leaf = self->leaves[i];
            const pq_block_source source = {.leaf = leaf, .slot = slot};
            const firn_status status = pq_leaf_peek_first(leaf, slot, answer, err);
            TRY(pq_reader_in_chunk(self, &source, status, err));
            if (*answer == PQ_WAIT) {
                return FIRN_OK;
            }
        }
    }
    *answer = PQ_READY;
    return FIRN_OK;
}

// ---- Pruning by dictionaries -------------------------------------------------------------------

// Whether all data pages of a chunk are known to hold dictionary indexes.
static bool is_only_dictionary(const pq_column_metadata *chunk, arena *scratch) {
    void *items = NULL;
    size_t count = 0;
    firn_error ignored = ERR_INIT; // Then it is not known.
    if (!pq_column_metadata_has_page_encodings(chunk) ||
        pq_thrift_read_list(chunk->page_encodings, &pq_page_encoding_statistics_table, scratch,
                            &items, &count, &ignored) != FIRN_OK) {
        return false;
    }
    bool has_data = false;
    for (size_t i = 0; i < count; i++) {
        const pq_page_encoding_statistics *pages = (const pq_page_encoding_statistics *)items + i;
        const bool is_data =
            pages->page_type == PQ_PAGE_DATA || pages->page_type == PQ_PAGE_DATA_V2;
        const bool is_code = pages->encoding == PQ_ENCODING_PLAIN_DICTIONARY ||
                             pages->encoding == PQ_ENCODING_RLE_DICTIONARY;
        if (is_data && pages->count > 0 && !is_code) {
            return false;
        }
        has_data = has_data || is_data;
    }
    return has_data;
}

// Whether the predicate holds for any row of a column of one pick.
static firn_status holds_for_any(pq_reader *self, pq_filter_stage *filter, const column *values,
                                 bool *out, firn_error *err) {
    arena_reset(&self->work);
    column *columns = ARENA_NEW(&self->work, column, self->pick_count);
    if (columns == NULL) {
        return ARENA_FULL(&self->work, err);
    }
    columns[filter->columns[0]] = *values;
    const batch in = batch_of(columns, self->pick_count, values->length);
    const uint16_t *selection;
    uint32_t selected;
    TRY(expr_filter(filter->state, &in, &self->work, &selection, &selected, err));
    *out = selected > 0;
    return FIRN_OK;
}

// Whether the predicate holds for an entry of the dictionary, or for NULL.
static firn_status holds_for_entry(pq_reader *self, pq_filter_stage *filter,
                                   const pq_leaf_reader *leaf, const dictionary *entries, bool *out,
                                   firn_error *err) {
    *out = false;
    for (uint32_t from = 0; from < entries->size && !*out; from += BATCH_ROWS) {
        column some;
        arena slice = arena_open(1 << 16);
        firn_status status = column_slice(&slice, entries->values, from,
                                          min_u32(BATCH_ROWS, entries->size - from), &some, err);
        if (status == FIRN_OK) {
            status = holds_for_any(self, filter, &some, out, err);
        }
        arena_close(&slice);
        TRY(status);
    }
    if (!*out && leaf->target.leaf->definition_max > 0) {
        column null;
        arena one = arena_open(1 << 16);
        firn_status status = column_new_null(&one, leaf->target.type, 1, &null, err);
        if (status == FIRN_OK) {
            status = holds_for_any(self, filter, &null, out, err);
        }
        arena_close(&one);
        return status;
    }
    return FIRN_OK;
}

// The leaf reader of a stage that asks about one flat column whose chunk has nothing but dictionary
// indexes, of a small dictionary; else NULL.
static const pq_leaf_reader *dictionary_leaf(pq_reader *self, const pq_filter_stage *filter,
                                             uint32_t slot) {
    if (filter->can_fail || filter->column_count != 1 ||
        (filter->dictionary_tries >= DICTIONARY_TRIES && filter->dictionary_hits == 0)) {
        return NULL;
    }
    const reader_column *pick = &self->picks[filter->columns[0]];
    if (!pq_pick_is_flat(pick->pick) || pick->is_nested) {
        return NULL;
    }
    const pq_leaf_reader *leaf = self->leaves[pick->leaf_from];
    const pq_chunk *chunk = &leaf->chunks[slot];
    const bool is_small = chunk->dictionary.is_there &&
                          chunk->dictionary.view.size <= chunk->row_count / ROWS_PER_TRIED_ENTRY;
    const uint32_t group = self->plans[slot].row_group;
    const pq_column_metadata *metadata =
        pq_chunk_metadata(self->file->metadata, group, leaf->index);
    return is_small && is_only_dictionary(metadata, &self->work) ? leaf : NULL;
}

// Leaves out row groups where a filter holds for no entry of its column's dictionary.
static firn_status prune_by_dictionaries(pq_reader *self, firn_error *err) {
    for (uint32_t slot = 0; slot < self->slot_end; slot++) {
        pq_group_plan *plan = &self->plans[slot];
        for (uint32_t i = 0; i < self->filter.stage_count && plan->spans.count > 0; i++) {
            pq_filter_stage *filter = &self->filter.stages[i];
            const pq_leaf_reader *leaf = dictionary_leaf(self, filter, slot);
            if (leaf == NULL || plan->is_always[i]) {
                continue;
            }
            bool holds;
            TRY(holds_for_entry(self, filter, leaf, &leaf->chunks[slot].dictionary.view, &holds,
                                err));
            filter->dictionary_tries += 1;
            filter->dictionary_hits += !holds;
            if (!holds) {
                plan->spans.count = 0;
                self->counters.pruned_dictionary += self->piece.from == 0;
            }
        }
    }
    return FIRN_OK;
}

firn_status pq_reader_load_dictionaries(pq_reader *self, pq_answer *answer, firn_error *err) {
    TRY(peek_all(self, answer, err));
    if (*answer == PQ_WAIT) {
        return FIRN_OK;
    }
    pq_block_list list = {.count = 0};
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        for (uint32_t slot = 0; slot < self->slot_end; slot++) {
            pq_leaf_reader *leaf = self->leaves[i];
            const pq_block_source source = {.leaf = leaf, .slot = slot};
            pq_blocks blocks;
            const firn_status status = pq_leaf_prepare_dictionary(leaf, slot, &blocks, err);
            TRY(pq_reader_in_chunk(self, &source, status, err));
            TRY(pq_reader_add_blocks(self, &list, &source, &blocks, err));
        }
    }
    TRY(pq_reader_flush_blocks(self, &list, err));
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        for (uint32_t slot = 0; slot < self->slot_end; slot++) {
            pq_leaf_reader *leaf = self->leaves[i];
            const pq_block_source source = {.leaf = leaf, .slot = slot};
            const firn_status status = pq_leaf_commit_dictionary(leaf, slot, err);
            TRY(pq_reader_in_chunk(self, &source, status, err));
            const pq_dictionary *entries = &leaf->chunks[slot].dictionary;
            if (leaf->target.leaf->type == PQ_BYTE_ARRAY || !pq_dictionary_is_in_place(entries)) {
                self->counters.values_decoded += entries->view.size;
            }
        }
    }
    TRY(prune_by_dictionaries(self, err));
    enter_group(self);
    return FIRN_OK;
}
