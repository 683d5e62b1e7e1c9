#include "formats/parquet/pq_reader.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "base/host.h"
#include "formats/parquet/pq_nested.h"

#define READER_MEMORY_MAX ((size_t)256 << 20)
// What all windows of a reader may take together, and one of them, at least and at most.
#define WINDOWS_BYTES ((size_t)16 << 20)
#define WINDOW_BYTES_MIN ((size_t)32 << 10)
#define WINDOW_BYTES_LOCAL ((size_t)256 << 10)
#define WINDOW_BYTES_REMOTE ((size_t)4 << 20)

typedef enum reader_stage {
    STAGE_GROUP, // A row group is to be begun.
    STAGE_PLAN,  // The next batch is to be begun.
    STAGE_PULL,  // Its length is known; leaves inside lists gather.
} reader_stage;

struct pq_reader {
    pq_file *file;
    pq_reader_options options;
    pq_pick *picks;
    uint32_t pick_count;
    uint32_t leaf_count;
    pq_leaf_reader **leaves;
    column *columns; // Of the batch handed out.
    arena memory;
    uint64_t identity; // Of the next dictionary.
    size_t step;       // Bytes a window reads at once.
    // The task.
    uint32_t group;
    uint32_t group_end;
    reader_stage stage;
    uint64_t group_start; // Number in the file of the row group's first row.
    uint64_t group_rows;
    uint64_t row;         // The next row of the row group.
    uint32_t batch_max;   // Rows of a batch, by what rows of this row group take.
    uint32_t batch_count; // Rows of the batch that is being made.
    uint32_t pulled;      // Leaf readers that have gathered them.
    uint32_t part;
    pq_reader_counters counters;
};

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
    const pq_pages_options options = {
        .input = self->file->input,
        .owner = self->options.owner,
        .codecs = self->options.codecs,
        .request = self->options.request,
        .verify_checksums = self->options.verify_checksums,
    };
    pq_leaf_open(reader, target, leaf, is_nested, &options);
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

static firn_status open_leaves(pq_reader *self, firn_error *err) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->pick_count; i++) {
        count += count_leaves(&self->picks[i]);
    }
    self->leaves = ARENA_NEW(&self->memory, pq_leaf_reader *, (size_t)count + 1);
    self->columns = ARENA_NEW(&self->memory, column, (size_t)self->pick_count + 1);
    if (self->leaves == NULL || self->columns == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < self->pick_count; i++) {
        uint32_t ignored;
        TRY(add_readers(self, &self->picks[i], false, &ignored, err));
    }
    assert(self->leaf_count <= count);
    const bool is_remote = io_file_is_remote(self->file->input);
    const size_t most = is_remote ? WINDOW_BYTES_REMOTE : WINDOW_BYTES_LOCAL;
    const size_t share = WINDOWS_BYTES / (self->leaf_count + 1);
    self->step = share < WINDOW_BYTES_MIN ? WINDOW_BYTES_MIN : share > most ? most : share;
    return FIRN_OK;
}

firn_status pq_reader_open(pq_file *file, pq_pick *picks, uint32_t pick_count,
                           const pq_reader_options *options, pq_reader **out, firn_error *err) {
    *out = NULL;
    arena memory = arena_open(READER_MEMORY_MAX);
    pq_reader *self = ARENA_NEW(&memory, pq_reader, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (pq_reader){
        .file = pq_file_retain(file),
        .options = *options,
        .picks = picks,
        .pick_count = pick_count,
        .memory = memory,
    };
    if (self->options.batch_rows == 0) {
        self->options.batch_rows = BATCH_ROWS;
    }
    firn_status status = host_random(&self->identity, sizeof self->identity, err);
    if (status == FIRN_OK) {
        status = open_leaves(self, err);
    }
    if (status != FIRN_OK) {
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
    pq_file_release(self->file);
    arena memory = self->memory; // It holds the reader itself.
    arena_close(&memory);
}

void pq_reader_start(pq_reader *self, uint32_t from, uint32_t count) {
    assert(from + count <= pq_file_row_group_count(self->file));
    self->group = from;
    self->group_end = from + count;
    self->stage = STAGE_GROUP;
    self->part = 0;
}

// ---- Row groups --------------------------------------------------------------------------------

// Adds what the readers know of a failure.
static firn_status in_column(const pq_reader *self, const pq_leaf_reader *leaf, firn_status status,
                             firn_error *err) {
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

// About how many bytes a row of what is read takes, for batches that end early: leaves of text, and
// elements of lists.
static uint64_t bytes_per_row(const pq_reader *self) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        const pq_leaf_reader *leaf = self->leaves[i];
        const pq_column_metadata *chunk =
            pq_chunk_metadata(self->file->metadata, self->group, leaf->index);
        const bool is_text = leaf->target.leaf->type == PQ_BYTE_ARRAY;
        const uint64_t values = (uint64_t)chunk->value_count;
        total += is_text && chunk->uncompressed_size > 0 ? (uint64_t)chunk->uncompressed_size : 0;
        total += leaf->is_nested && values < UINT32_MAX ? values * 16 : 0;
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

static firn_status begin_group(pq_reader *self, firn_error *err) {
    self->group_rows = pq_file_rows_of(self->file, self->group);
    self->group_start = rows_before(self, self->group);
    self->row = 0;
    for (uint32_t i = 0; i < self->leaf_count && self->group_rows > 0; i++) {
        pq_leaf_reader *leaf = self->leaves[i];
        const firn_status status = pq_leaf_begin(leaf, self->file->metadata, self->group,
                                                 self->identity++, self->step, err);
        TRY(in_column(self, leaf, status, err));
    }
    // Lists and text of many batches' worth of bytes a row make batches of few rows.
    const uint64_t size = bytes_per_row(self);
    const uint64_t fitting = size == 0 ? UINT32_MAX : 16 * (uint64_t)BATCH_BYTES / size;
    self->batch_max = self->options.batch_rows;
    if (fitting < self->batch_max) {
        self->batch_max = fitting == 0 ? 1 : (uint32_t)fitting;
    }
    self->counters.row_groups += 1;
    self->stage = STAGE_PLAN;
    return FIRN_OK;
}

// ---- Batches -----------------------------------------------------------------------------------

// How many rows the next batch has: what the shortest page of a flat leaf has left.
static firn_status plan_batch(pq_reader *self, pq_answer *answer, firn_error *err) {
    const uint64_t left = self->group_rows - self->row;
    uint32_t count = left < self->batch_max ? (uint32_t)left : self->batch_max;
    *answer = PQ_READY;
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        pq_leaf_reader *leaf = self->leaves[i];
        if (leaf->is_nested) {
            continue;
        }
        uint32_t available;
        const firn_status status = pq_leaf_available(leaf, &available, answer, err);
        TRY(in_column(self, leaf, status, err));
        if (*answer != PQ_READY) {
            return FIRN_OK;
        }
        count = min_u32(count, available);
    }
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        if (self->leaves[i]->is_nested) {
            pq_leaf_pull_begin(self->leaves[i]);
        }
    }
    self->batch_count = count;
    self->pulled = 0;
    self->stage = STAGE_PULL;
    return FIRN_OK;
}

static firn_status pull(pq_reader *self, pq_answer *answer, firn_error *err) {
    *answer = PQ_READY;
    for (; self->pulled < self->leaf_count; self->pulled++) {
        pq_leaf_reader *leaf = self->leaves[self->pulled];
        if (leaf->is_nested) {
            const firn_status status = pq_leaf_pull(leaf, self->batch_count, answer, err);
            TRY(in_column(self, leaf, status, err));
            if (*answer != PQ_READY) {
                return FIRN_OK;
            }
        }
    }
    return FIRN_OK;
}

static firn_status make_positions(const pq_reader *self, arena *scratch, column *out,
                                  firn_error *err) {
    TRY(column_new(scratch, TYPE_OF(UBIGINT), self->batch_count, out, err));
    uint64_t *values = COLUMN_OUT(out, uint64_t);
    const uint64_t first = self->group_start + self->row;
    for (uint32_t i = 0; i < self->batch_count; i++) {
        values[i] = first + i;
    }
    return FIRN_OK;
}

static firn_status make_column(pq_reader *self, const pq_pick *pick, arena *scratch, column *out,
                               firn_error *err) {
    switch (pick->kind) {
    case PQ_PICK_CONSTANT:
        *out = *pick->constant;
        out->form = FORM_CONSTANT;
        out->length = self->batch_count;
        return FIRN_OK;
    case PQ_PICK_POSITION:
        return make_positions(self, scratch, out, err);
    case PQ_PICK_LEAF:
    case PQ_PICK_STRUCT:
    case PQ_PICK_LIST:
        break;
    }
    pq_leaf_reader *leaf = self->leaves[pick->reader];
    const firn_status status =
        leaf->is_nested ? pq_nested_column(pick, self->leaves, self->batch_count, scratch, out, err)
                        : pq_leaf_read(leaf, self->batch_count, scratch, out, err);
    return in_column(self, leaf, status, err);
}

static firn_status make_batch(pq_reader *self, arena *scratch, batch *out, firn_error *err) {
    for (uint32_t i = 0; i < self->pick_count; i++) {
        TRY(make_column(self, &self->picks[i], scratch, &self->columns[i], err));
    }
    *out = batch_of(self->columns, self->pick_count, self->batch_count);
    out->sequence.part = self->part++;
    self->row += self->batch_count;
    self->counters.rows += self->batch_count;
    self->stage = STAGE_PLAN;
    return FIRN_OK;
}

// One step of the way to a batch; `*is_made` says that it is there.
static firn_status step(pq_reader *self, arena *scratch, batch *out, bool *is_made,
                        pq_answer *answer, firn_error *err) {
    *answer = PQ_READY;
    switch (self->stage) {
    case STAGE_GROUP:
        if (self->group == self->group_end) {
            *answer = PQ_END;
            return FIRN_OK;
        }
        return begin_group(self, err);
    case STAGE_PLAN:
        if (self->row == self->group_rows) {
            self->group += 1;
            self->stage = STAGE_GROUP;
            return FIRN_OK;
        }
        return plan_batch(self, answer, err);
    case STAGE_PULL:
        break;
    }
    TRY(pull(self, answer, err));
    if (*answer == PQ_READY) {
        TRY(make_batch(self, scratch, out, err));
        *is_made = true;
    }
    return FIRN_OK;
}

firn_status pq_reader_next(pq_reader *self, arena *scratch, batch *out, pq_answer *answer,
                           firn_error *err) {
    bool is_made = false;
    *answer = PQ_READY;
    while (!is_made && *answer == PQ_READY) {
        const firn_status status = step(self, scratch, out, &is_made, answer, err);
        if (status != FIRN_OK) {
            err_while(err, "reading %.*s", TEXT_ARGS(pq_file_path(self->file)));
            return status;
        }
    }
    return FIRN_OK;
}

uint64_t pq_reader_position(const pq_reader *self) {
    return self->group_start + self->row - self->batch_count;
}

pq_reader_counters pq_reader_count(const pq_reader *self) {
    pq_reader_counters out = self->counters;
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        out.pages += (uint64_t)self->leaves[i]->pages.page_count;
        out.pages_skipped += (uint64_t)self->leaves[i]->pages.skipped_count;
    }
    return out;
}
