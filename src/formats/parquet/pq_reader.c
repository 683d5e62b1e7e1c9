#include "formats/parquet/pq_reader.h"

#include <assert.h>

#include "base/host.h"
#include "formats/parquet/pq_reader_private.h"
#include "io/io_path.h"

#define READER_MEMORY_MAX ((size_t)256 << 20)
#define WORK_MEMORY_MAX ((size_t)1 << 30)

// What a reader's leaves may take together, about: windows and decoded pages; and what one of them
// may take of it, at least and at most.
#define PAGES_BYTES ((uint64_t)48 << 20)
#define WINDOW_BYTES_MIN ((size_t)32 << 10)
#define WINDOW_BYTES_LOCAL ((size_t)256 << 10)
#define WINDOW_BYTES_REMOTE ((size_t)4 << 20)
#define WINDOW_BYTES_MAX ((size_t)4 << 20)
#define AHEAD_BYTES_MAX ((size_t)4 << 20)
// A chunk that is begun ahead takes a window and its dictionary.
#define CHUNK_AHEAD_BYTES ((size_t)1 << 20)
#define TEXT_GROUP_BYTES ((size_t)4 << 20)

#define NO_GROUP UINT32_MAX

// ---- Opening -----------------------------------------------------------------------------------

static bool is_below_list_or_struct(const pq_pick *pick) {
    return pick->kind == PQ_PICK_STRUCT || pick->kind == PQ_PICK_LIST;
}

static uint32_t count_leaves(const pq_pick *pick) {
    uint32_t count = pick->kind == PQ_PICK_LEAF || is_below_list_or_struct(pick) ? 1 : 0;
    for (uint32_t i = 0; i < pick->child_count; i++) {
        count += count_leaves(&pick->children[i]);
    }
    return count;
}

static firn_status add_leaf(pq_reader *self, const pq_target *target, uint32_t leaf, bool is_nested,
                            uint32_t *out, firn_error *err) {
    pq_leaf_reader *reader = ARENA_NEW(&self->memory, pq_leaf_reader, 1);
    if (reader == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    pq_leaf_open(reader, target, leaf, is_nested);
    *out = self->leaf_count;
    self->leaves[self->leaf_count++] = reader;
    return FIRN_OK;
}

// Gives every leaf of a pick a reader, and every list and struct one that tells its shape. `*shape`
// is UINT32_MAX if nothing of it is in the file.
static firn_status add_readers(pq_reader *self, pq_pick *pick, bool is_nested, uint32_t *shape,
                               firn_error *err) {
    *shape = UINT32_MAX;
    if (pick->kind == PQ_PICK_LEAF) {
        const uint32_t leaf = pick->node->first_leaf;
        is_nested = is_nested || pick->target.leaf->repetition_max > 0;
        TRY(add_leaf(self, &pick->target, leaf, is_nested, &pick->reader, err));
        *shape = pick->reader;
        return FIRN_OK;
    }
    if (!is_below_list_or_struct(pick)) {
        return FIRN_OK;
    }
    for (uint32_t i = 0; i < pick->child_count; i++) {
        uint32_t child_shape;
        TRY(add_readers(self, &pick->children[i], true, &child_shape, err));
        *shape = *shape == UINT32_MAX ? child_shape : *shape;
    }
    if (*shape == UINT32_MAX) { // None of its leaves is wanted: one is read for its levels.
        const uint32_t leaf = pick->node->first_leaf;
        const pq_target target = {.leaf = &self->file->metadata->schema->leaves[leaf],
                                  .type = TYPE_OF(NULL)};
        TRY(add_leaf(self, &target, leaf, true, shape, err));
        self->leaves[*shape]->reads_values = false;
    }
    pick->reader = *shape;
    return FIRN_OK;
}

static size_t clamp(size_t value, size_t least, size_t most) {
    return value < least ? least : value > most ? most : value;
}

// Divides what the reader may take among its leaves.
static void set_pages(pq_reader *self, uint32_t leaf_count) {
    const bool is_remote = io_file_is_remote(self->file->input);
    const size_t most = is_remote ? WINDOW_BYTES_REMOTE : WINDOW_BYTES_LOCAL;
    const uint64_t asked = self->options.memory_bytes;
    const size_t share =
        (size_t)(asked == 0 || asked > PAGES_BYTES ? PAGES_BYTES : asked) / (leaf_count + 1);
    self->pages = (pq_pages_options){
        .input = self->file->input,
        .owner = self->options.owner,
        .codecs = self->options.codecs,
        .request = self->options.request,
        .verify_checksums = self->options.verify_checksums,
        .cache = self->options.cache,
        .cache_query = self->options.cache_query,
        // Who wants checksums verified wants the bytes as they are in the file now.
        .cache_file = self->options.verify_checksums
                          ? 0
                          : block_cache_file(self->options.cache, self->file->input),
        .window_bytes = clamp(share / 8, WINDOW_BYTES_MIN, most),
        .window_bytes_max = clamp(share / 4, WINDOW_BYTES_MIN, WINDOW_BYTES_MAX),
        .ahead_bytes = clamp(share / 2, 1, AHEAD_BYTES_MAX),
        .is_thrifty = asked != 0 && asked < PAGES_BYTES,
    };
    self->slot_count = (uint32_t)clamp(share / CHUNK_AHEAD_BYTES, 1, PQ_GROUPS_AHEAD);
}

// Row groups that are begun together hold a dictionary and pages each. Where memory is short there
// are no more of them than fit, as if all that text brings were at its largest.
static void bound_groups(pq_reader *self) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        const bool is_text = self->leaves[i]->target.leaf->type == PQ_BYTE_ARRAY;
        bytes += is_text ? TEXT_GROUP_BYTES : CHUNK_AHEAD_BYTES;
    }
    if (self->pages.is_thrifty) {
        const uint64_t count = self->options.memory_bytes / (bytes + 1);
        self->slot_count = (uint32_t)clamp((size_t)count, 1, self->slot_count);
    }
}

static firn_status open_columns(pq_reader *self, pq_pick *picks, firn_error *err) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->pick_count; i++) {
        count += count_leaves(&picks[i]);
    }
    self->leaves = ARENA_NEW(&self->memory, pq_leaf_reader *, (size_t)count + 1);
    self->picks = ARENA_NEW(&self->memory, reader_column, (size_t)self->pick_count + 1);
    self->columns = ARENA_NEW(&self->memory, column, (size_t)self->pick_count + 1);
    if (self->leaves == NULL || self->picks == NULL || self->columns == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    set_pages(self, count);
    for (uint32_t i = 0; i < self->pick_count; i++) {
        uint32_t shape;
        const uint32_t from = self->leaf_count;
        TRY(add_readers(self, &picks[i], false, &shape, err));
        self->columns[i] = (column){.type = picks[i].type};
        self->picks[i] = (reader_column){
            .pick = &picks[i],
            .leaf_from = from,
            .leaf_to = self->leaf_count,
            .is_nested = shape != UINT32_MAX && self->leaves[shape]->is_nested,
        };
    }
    assert(self->leaf_count <= count);
    bound_groups(self);
    return FIRN_OK;
}

static firn_status open_filter(pq_reader *self, firn_error *err) {
    const pq_filter_options *options = &self->options.filter;
    self->pick_list = ARENA_NEW(&self->memory, const pq_pick *, (size_t)self->pick_count + 1);
    if (self->pick_list == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < self->pick_count; i++) {
        self->pick_list[i] = self->picks[i].pick;
    }
    TRY(pq_filter_open(&self->filter, options, self->pick_count, &self->memory, err));
    const pq_pick_list picks = {.items = self->pick_list, .count = self->pick_count};
    TRY(pq_pruner_open(&self->pruner, self->file, options, &self->filter, picks, &self->memory,
                       err));
    return pq_pruner_attach(&self->pruner, self->options.owner, &self->options.request,
                            &self->memory, err);
}

// What leaves read with, in one piece that has no slack: of a table of thousands of columns it may
// be more than what is read.
static firn_status attach_leaves(pq_reader *self, firn_error *err) {
    const uint32_t slots = self->slot_count;
    pq_chunk *chunks = ARENA_NEW(&self->memory, pq_chunk, (size_t)self->leaf_count * slots);
    if (chunks == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        TRY(pq_leaf_attach(self->leaves[i], &self->pages, chunks + (size_t)i * slots, slots,
                           &self->memory, err));
    }
    return FIRN_OK;
}

firn_status pq_reader_open(pq_file *file, pq_pick *picks, uint32_t pick_count,
                           const pq_reader_options *options, pq_reader **out, firn_error *err) {
    *out = NULL;
    arena memory = arena_open_in(options->owner, READER_MEMORY_MAX);
    pq_reader *self = ARENA_NEW(&memory, pq_reader, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (pq_reader){
        .file = pq_file_retain(file),
        .options = *options,
        .pick_count = pick_count,
        .output_count = pick_count - options->filter_only_count,
        .open_group = NO_GROUP,
        .memory = memory,
        .work = arena_open_in(options->owner, WORK_MEMORY_MAX),
    };
    if (self->options.batch_rows == 0) {
        self->options.batch_rows = BATCH_ROWS;
    }
    firn_status status = host_random(&self->identity, sizeof self->identity, err);
    if (status == FIRN_OK) {
        status = open_columns(self, picks, err);
    }
    if (status == FIRN_OK) {
        status = open_filter(self, err);
    }
    if (status == FIRN_OK) {
        status = attach_leaves(self, err);
    }
    if (status != FIRN_OK) {
        io_path_while(err, "beginning to read", pq_file_path(file));
        pq_reader_close(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

void pq_reader_close(pq_reader *self) {
    if (self == NULL) {
        return;
    }
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        pq_leaf_close(self->leaves[i]);
    }
    pq_filter_close(&self->filter);
    pq_pruner_close(&self->pruner);
    for (uint32_t i = 0; i < PQ_GROUPS_AHEAD; i++) {
        arena_close(&self->plans[i].memory);
    }
    arena_close(&self->work);
    pq_file_release(self->file);
    arena memory = self->memory; // It holds the reader itself.
    arena_close(&memory);
}

void pq_reader_start(pq_reader *self, uint32_t from, uint32_t count) {
    assert(from + count <= pq_file_row_group_count(self->file));
    self->group = from;
    self->group_next = from;
    self->group_end = from + count;
    self->piece = (pq_row_span){.from = 0, .to = UINT64_MAX};
    self->open_group = NO_GROUP;
    self->is_pruning = false;
    self->slot = 0;
    self->slot_end = 0;
    self->stage = STAGE_GROUP;
    self->part = 0;
}

void pq_reader_start_rows(pq_reader *self, uint32_t row_group, uint64_t from, uint64_t to) {
    const bool goes_on = self->open_group == row_group && from >= self->row;
    if (goes_on) { // The plan and the chunks are those of the piece before.
        assert(self->slot == 0);
        self->slot_end = 1;
        self->span_at = 0;
        self->stage = STAGE_PLAN;
        self->part = 0;
        self->open_group = NO_GROUP;
    } else {
        pq_reader_start(self, row_group, 1);
    }
    self->piece = (pq_row_span){.from = from, .to = to};
}

// ---- Batches -----------------------------------------------------------------------------------

// One step of the way to a batch; `*is_made` says that it is there.
static firn_status step(pq_reader *self, batch *out, bool *is_made, pq_answer *answer,
                        firn_error *err) {
    *answer = PQ_READY;
    switch (self->stage) {
    case STAGE_GROUP:
        pq_reader_next_group(self);
        return FIRN_OK;
    case STAGE_PRUNE:
        return pq_reader_plan_groups(self, answer, err);
    case STAGE_DICTIONARIES:
        return pq_reader_load_dictionaries(self, answer, err);
    case STAGE_PLAN:
        return pq_reader_plan_batch(self, answer, err);
    case STAGE_FILTER:
        return pq_reader_run_filter(self, answer, err);
    case STAGE_OUTPUT:
        break;
    }
    return pq_reader_make_batch(self, out, is_made, answer, err);
}

firn_status pq_reader_next(pq_reader *self, batch *out, pq_answer *answer, firn_error *err) {
    bool is_made = false;
    *answer = PQ_READY;
    while (!is_made && *answer == PQ_READY) {
        const firn_status status = step(self, out, &is_made, answer, err);
        if (status != FIRN_OK) {
            self->open_group = NO_GROUP;
            io_path_while(err, "reading", pq_file_path(self->file));
            return status;
        }
    }
    return FIRN_OK;
}

firn_status pq_reader_wait(pq_reader *self, firn_error *err) {
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        for (uint32_t slot = 0; slot < self->slot_count; slot++) {
            TRY(pq_window_wait(&self->leaves[i]->chunks[slot].pages.window, err));
        }
    }
    io_ticket *indexes = &self->pruner.fetch.ticket;
    return indexes->file == NULL ? FIRN_OK : io_wait(indexes, IO_ALL, err);
}

pq_reader_counters pq_reader_count(const pq_reader *self) {
    pq_reader_counters out = self->counters;
    out.row_groups_seen = self->pruner.counters.seen;
    out.pruned_statistics = self->pruner.counters.by_statistics;
    out.pruned_dynamic = self->pruner.counters.by_dynamic;
    out.pruned_bloom = self->pruner.counters.by_bloom;
    out.pages_pruned = self->pruner.counters.pages;
    for (uint32_t i = 0; i < self->filter.stage_count; i++) {
        out.values_decoded += expr_values_decoded(self->filter.stages[i].state);
    }
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        for (uint32_t slot = 0; slot < self->slot_count; slot++) {
            const pq_pages *pages = &self->leaves[i]->chunks[slot].pages;
            out.bytes += pages->window.arrived_bytes;
            out.pages += (uint64_t)pages->decoded_count;
            out.pages_cached += (uint64_t)pages->cached_count;
            out.pages_skipped += (uint64_t)pages->skipped_count;
        }
    }
    return out;
}
