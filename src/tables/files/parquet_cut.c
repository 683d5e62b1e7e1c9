#include "tables/files/parquet_cut.h"

#define SCRATCH_MAX ((size_t)64 << 20)
// A piece has at least so many batches: 128 Ki rows.
#define PIECE_BATCHES_MIN 64
#define GROUPS_MAX 3 // Row groups of a task.
// Rows of a task, about, beyond which it does not get more row groups: 512 Ki.
#define TASK_BATCHES 256
#define NO_LEAF UINT32_MAX

parquet_cut_sizes parquet_cut_sizes_for(uint64_t rows, uint64_t groups, uint64_t wanted,
                                        const scan_env *env) {
    parquet_cut_sizes out = {.task_groups = 1};
    wanted = wanted == 0 ? 1 : wanted; // Of a file that is said to have no rows.
    if (groups < wanted && env->workers > 1) {
        const uint64_t least = (uint64_t)env->batch_rows * PIECE_BATCHES_MIN;
        out.piece_rows = rows / wanted > least ? rows / wanted : least;
    } else if (groups > wanted) {
        const uint64_t group_rows = rows / groups + 1;
        const uint64_t fitting = (uint64_t)env->batch_rows * TASK_BATCHES / group_rows;
        const uint64_t even = groups / wanted;
        out.task_groups = even < fitting ? even : fitting;
        out.task_groups = out.task_groups < 1            ? 1
                          : out.task_groups > GROUPS_MAX ? GROUPS_MAX
                                                         : out.task_groups;
    }
    return out;
}

// ---- Pieces ------------------------------------------------------------------------------------

// The leaf that takes most bytes in the row group; NO_LEAF if that can't be read in pieces cheaply:
// a leaf inside lists has no rows that can be counted by page headers.
static uint32_t heaviest_leaf(const parquet_cutter *self) {
    const pq_metadata *metadata = self->file->metadata;
    uint32_t out = NO_LEAF;
    int64_t most = -1;
    for (uint32_t i = 0; i < self->field_count; i++) {
        const pq_file_field *field = &self->fields[i];
        const uint32_t count = field->node == NULL ? 0 : field->node->leaf_count;
        for (uint32_t k = 0; k < count; k++) {
            const uint32_t leaf = field->node->first_leaf + k;
            const pq_column_metadata *chunk = pq_chunk_metadata(metadata, self->row_group, leaf);
            if (metadata->schema->leaves[leaf].repetition_max > 0) {
                return NO_LEAF;
            }
            if (chunk->uncompressed_size > most) {
                most = chunk->uncompressed_size;
                out = leaf;
            }
        }
    }
    return out;
}

// Begins the row group at hand: finds out where it may be cut.
static firn_status begin_row_group(parquet_cutter *self, firn_error *err) {
    const uint64_t piece_rows = self->sizes.piece_rows;
    self->row = 0;
    self->starts = (pq_page_starts){.count = 0};
    const uint64_t rows = pq_file_rows_of(self->file, self->row_group);
    if (piece_rows == 0 || rows < piece_rows + piece_rows / 2 ||
        io_file_is_remote(self->file->input)) {
        return FIRN_OK;
    }
    const uint32_t leaf = heaviest_leaf(self);
    if (leaf == NO_LEAF) {
        return FIRN_OK;
    }
    arena_reset(&self->scratch);
    return pq_page_starts_read(self->file, self->row_group, leaf, self->env->cancel, &self->scratch,
                               &self->starts, err);
}

static uint64_t distance(uint64_t left, uint64_t right) {
    return left > right ? left - right : right - left;
}

// Where the piece that begins at self->row ends: at the page nearest to the wanted size. What would
// be left as a small last piece belongs to the one before.
static uint64_t piece_end(const parquet_cutter *self, uint64_t rows) {
    const uint64_t wanted = self->row + self->sizes.piece_rows;
    uint64_t end = self->starts.is_any ? wanted : rows;
    for (uint32_t i = 0; i < self->starts.count && !self->starts.is_any; i++) {
        const uint64_t start = self->starts.rows[i];
        if (start > self->row && distance(start, wanted) < distance(end, wanted)) {
            end = start;
        }
    }
    return end >= rows || rows - end < self->sizes.piece_rows / 2 ? rows : end;
}

// ---- Parts -------------------------------------------------------------------------------------

void parquet_cutter_open(parquet_cutter *self, const scan_env *env) {
    *self = (parquet_cutter){.env = env, .scratch = arena_open_in(env->pool, SCRATCH_MAX)};
}

void parquet_cutter_close(parquet_cutter *self) {
    arena_close(&self->scratch);
}

firn_status parquet_cutter_begin(parquet_cutter *self, const pq_file *file, parquet_cut_sizes sizes,
                                 const pq_file_field *fields, uint32_t field_count,
                                 firn_error *err) {
    self->file = file;
    self->sizes = sizes;
    self->fields = fields;
    self->field_count = field_count;
    self->row_group = 0;
    return pq_file_row_group_count(file) > 0 ? begin_row_group(self, err) : FIRN_OK;
}

// Some whole row groups.
static void take_groups(parquet_cutter *self, parquet_part *out, uint64_t *rows) {
    const uint32_t left = pq_file_row_group_count(self->file) - self->row_group;
    out->row_group_count =
        self->sizes.task_groups < left ? (uint32_t)self->sizes.task_groups : left;
    *rows = 0;
    for (uint32_t i = 0; i < out->row_group_count; i++) {
        *rows += pq_file_rows_of(self->file, self->row_group++);
    }
}

// The next piece of the row group at hand, or all of it.
static firn_status take_piece(parquet_cutter *self, parquet_part *out, uint64_t *rows,
                              firn_error *err) {
    const uint64_t all = pq_file_rows_of(self->file, self->row_group);
    const uint64_t end = piece_end(self, all);
    out->row_group_count = 1;
    out->from = self->row;
    out->to = end == all ? UINT64_MAX : end;
    *rows = end - self->row;
    self->row = end;
    if (end == all) {
        self->row_group++;
        if (self->row_group < pq_file_row_group_count(self->file)) {
            return begin_row_group(self, err);
        }
    }
    return FIRN_OK;
}

firn_status parquet_cutter_next(parquet_cutter *self, parquet_part *out, uint64_t *rows,
                                bool *has_one, firn_error *err) {
    *has_one = self->file != NULL && self->row_group < pq_file_row_group_count(self->file);
    if (!*has_one) {
        self->file = NULL;
        return FIRN_OK;
    }
    *out = (parquet_part){.first_row_group = self->row_group, .to = UINT64_MAX};
    if (self->sizes.piece_rows > 0) {
        return take_piece(self, out, rows, err);
    }
    take_groups(self, out, rows);
    return FIRN_OK;
}
