// The part of the reader that begins row groups.
#include <assert.h>

#include "base/checked.h"
#include "formats/parquet/pq_reader_private.h"

// A batch of rows that take more than this each has fewer rows. An estimate by the footer: what the
// strings of a dictionary take together is not known.
#define BATCH_BYTES_ABOUT (16 * (uint64_t)BATCH_BYTES)
#define ENTRY_BYTES_ABOUT 16

firn_status pq_reader_in_column(const pq_reader *self, const pq_leaf_reader *leaf,
                                firn_status status, firn_error *err) {
    if (status != FIRN_OK) {
        arena memory = arena_open(1 << 16);
        text path;
        firn_error ignored = ERR_INIT;
        if (pq_schema_leaf_path(self->file->metadata->schema, leaf->index, &memory, &path,
                                &ignored) == FIRN_OK) {
            err_while(err, "reading column \"%.*s\" of row group %u, rows from %llu on",
                      TEXT_ARGS(path), self->group, (unsigned long long)self->row);
        }
        arena_close(&memory);
    }
    return status;
}

// ---- Blocks ------------------------------------------------------------------------------------

firn_status pq_reader_flush_blocks(const pq_reader *self, pq_block_list *list, firn_error *err) {
    const uint32_t count = list->count;
    list->count = 0;
    if (count == 0) {
        return FIRN_OK;
    }
    return codec_decode_many(list->like->codec, list->items, count, list->like->hint,
                             self->options.codecs, err);
}

firn_status pq_reader_add_blocks(const pq_reader *self, pq_block_list *list, const pq_pages *pages,
                                 const pq_blocks *blocks, firn_error *err) {
    const bool is_other =
        list->count > 0 && (list->like->codec != pages->codec || list->like->hint != pages->hint);
    if (is_other || list->count + blocks->count > PQ_BLOCKS_MAX) {
        TRY(pq_reader_flush_blocks(self, list, err));
    }
    for (uint32_t i = 0; i < blocks->count; i++) {
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
    self->group_rows = pq_file_rows_of(self->file, self->group);
    self->group_start = rows_before(self, self->group);
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        pq_leaf_enter(self->leaves[i], self->slot);
    }
    const uint64_t size = bytes_per_row(self);
    const uint64_t fitting = size == 0 ? UINT32_MAX : BATCH_BYTES_ABOUT / size;
    self->batch_max = self->options.batch_rows;
    if (fitting < self->batch_max) {
        self->batch_max = fitting == 0 ? 1 : (uint32_t)fitting;
    }
    self->counters.row_groups += 1;
    self->stage = STAGE_PLAN;
}

// Snappy gains by decoding dictionaries of several row groups together.
static bool is_snappy(const pq_reader *self) {
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        const uint32_t leaf = self->leaves[i]->index;
        if (pq_chunk_metadata(self->file->metadata, self->group, leaf)->codec == PQ_CODEC_SNAPPY) {
            return true;
        }
    }
    return false;
}

// Begins the chunks of some row groups, and asks for their first bytes all at once.
static firn_status begin_chunks(pq_reader *self, firn_error *err) {
    self->slot = 0;
    self->slot_end = is_snappy(self) ? min_u32(self->group_end - self->group, self->slot_count) : 1;
    for (uint32_t slot = 0; slot < self->slot_end; slot++) {
        for (uint32_t i = 0; i < self->leaf_count; i++) {
            pq_leaf_reader *leaf = self->leaves[i];
            const firn_status status = pq_leaf_begin(leaf, self->file->metadata, self->group + slot,
                                                     slot, self->identity++, err);
            TRY(pq_reader_in_column(self, leaf, status, err));
        }
    }
    self->stage = STAGE_DICTIONARIES;
    return FIRN_OK;
}

firn_status pq_reader_begin_group(pq_reader *self, firn_error *err) {
    self->row = 0;
    if (self->slot + 1 >= self->slot_end) {
        return begin_chunks(self, err);
    }
    self->slot += 1;
    enter_group(self);
    return FIRN_OK;
}

static firn_status peek_all(pq_reader *self, pq_answer *answer, firn_error *err) {
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        for (uint32_t slot = 0; slot < self->slot_end; slot++) {
            pq_leaf_reader *leaf = self->leaves[i];
            const firn_status status = pq_leaf_peek_first(leaf, slot, answer, err);
            TRY(pq_reader_in_column(self, leaf, status, err));
            if (*answer == PQ_WAIT) {
                return FIRN_OK;
            }
        }
    }
    *answer = PQ_READY;
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
            pq_blocks blocks;
            firn_status status = pq_leaf_prepare_dictionary(leaf, slot, &blocks, err);
            TRY(pq_reader_in_column(self, leaf, status, err));
            status = pq_reader_add_blocks(self, &list, &leaf->chunks[slot].pages, &blocks, err);
            TRY(pq_reader_in_column(self, leaf, status, err));
        }
    }
    TRY(pq_reader_flush_blocks(self, &list, err));
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        for (uint32_t slot = 0; slot < self->slot_end; slot++) {
            pq_leaf_reader *leaf = self->leaves[i];
            const firn_status status = pq_leaf_commit_dictionary(leaf, slot, err);
            TRY(pq_reader_in_column(self, leaf, status, err));
        }
    }
    enter_group(self);
    return FIRN_OK;
}
