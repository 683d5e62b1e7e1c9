// Avro files of a table, block by block.
#include <assert.h>

#include "formats/avro/avro_columns.h"
#include "formats/avro/avro_file.h"
#include "formats/avro/avro_types.h"
#include "formats/parquet/pq_window.h"
#include "io/io_path.h"
#include "io/io_wakeup.h"
#include "tables/iceberg/iceberg_data.h"
#include "tables/row_pick.h"

#define READER_BYTES_MAX ((size_t)2 << 30)
#define WINDOW_BYTES ((size_t)1 << 20)

typedef struct avro_data {
    ice_data_reader base;
    const ice_read *what;
    const scan_env *env;
    io_file *file;
    pq_window window;
    arena memory;
    arena block_memory;
    avro_header header;
    bool has_header;
    // Top-level columns that are decoded, and where in them each wanted column is.
    schema tops;
    uint32_t *top_of;  // Per wanted column; UINT32_MAX: the position.
    uint32_t **places; // Per wanted column: child numbers below the top.
    const avro_columns *columns;
    expr_state *filter;
    column *out;
    // The block.
    byte_reader in;
    uint64_t left;
    size_t stored; // Bytes of the block in the window, to be passed behind its last row.
    size_t size_hint;
    uint64_t position;
    scan_counters counted;
} avro_data;

static void close_reader(ice_data_reader *base) {
    avro_data *self = (avro_data *)base; // Its first member.
    expr_close(self->filter);
    pq_window_close(&self->window);
    io_file_release(self->file);
    arena_close(&self->block_memory);
    arena memory = self->memory;
    arena_close(&memory);
}

static firn_status open_file(avro_data *self, text path, firn_error *err) {
    const scan_env *env = self->env;
    const io_open_options options = {.cancel = env->cancel, .is_immutable = true};
    uint64_t size;
    TRY(io_file_open(env->io, path, &options, &self->file, err));
    TRY(io_file_size(self->file, env->cancel, &size, err));
    const io_request request = {.cancel = env->cancel, .waker = io_waker_of(env->wakeup)};
    pq_window_open(&self->window, self->file, env->pool, &request);
    pq_window_begin(&self->window, (pq_chunk_range){.size = size}, WINDOW_BYTES);
    return FIRN_OK;
}

static firn_status open_reader(text path, const ice_read *what, const scan_env *env,
                               ice_data_reader **out, firn_error *err) {
    arena memory = arena_open_in(env->pool, READER_BYTES_MAX);
    avro_data *self = ARENA_NEW(&memory, avro_data, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (avro_data){.base = {.kind = &ice_avro_data},
                        .what = what,
                        .env = env,
                        .block_memory = arena_open_in(env->pool, READER_BYTES_MAX),
                        .memory = memory};
    const firn_status status = open_file(self, path, err);
    if (status != FIRN_OK) {
        close_reader(&self->base);
        return status;
    }
    *out = &self->base;
    return FIRN_OK;
}

// ---- Columns -----------------------------------------------------------------------------------

// What a field is that the file lacks.
static const column *missing(void *user, const field *wanted) {
    const avro_data *self = user;
    for (uint32_t i = 0; i < self->what->count; i++) {
        const ice_wanted *each = &self->what->columns[i];
        if (!each->is_position && each->path_length == 1 && each->path[0] == wanted->id) {
            return each->missing;
        }
    }
    return self->what->schema == NULL ? NULL : ice_schema_default(self->what->schema, wanted->id);
}

// What is wanted as the type of its top-level column: structs around it that have nothing else.
static const type *type_from_top(const ice_wanted *wanted, arena *memory) {
    const type *of = wanted->type;
    for (uint32_t i = wanted->path_length; i > 1 && of != NULL; i--) {
        const field inner = {.id = wanted->path[i - 1], .type = of, .is_nullable = true};
        of = type_struct(memory, 1, &inner);
    }
    return of;
}

static uint32_t child_of(const type *self, int32_t id) {
    uint32_t child = 0;
    while (child < self->child_count && self->children[child].id != id) {
        child++;
    }
    return child;
}

// A type with the fields that either has. Recursion follows types, whose depth is bounded. NULL if
// there is no memory.
static const type *unite(const type *left, const type *right, arena *memory) {
    if (left == right || !type_is_nested(left) || left->id != right->id) {
        return left;
    }
    type *made = ARENA_NEW(memory, type, 1);
    field *children = ARENA_NEW(memory, field, (size_t)left->child_count + right->child_count + 1);
    if (made == NULL || children == NULL) {
        return NULL;
    }
    *made = *left;
    made->children = children;
    if (left->child_count > 0) {
        memcpy(children, left->children, left->child_count * sizeof *children);
    }
    for (uint32_t i = 0; i < right->child_count; i++) {
        const field *more = &right->children[i];
        const uint32_t at = left->id == TYPE_STRUCT ? child_of(left, more->id) : i;
        if (at == left->child_count) {
            children[made->child_count++] = *more;
            continue;
        }
        children[at].type = unite(children[at].type, more->type, memory);
        if (children[at].type == NULL) {
            return NULL;
        }
    }
    return made;
}

// Whether a column of type `from` has all that `as` wants of it. Types from two schemas of a table
// may differ, if its metadata is damaged. Recursion follows types, whose depth is bounded.
static bool can_project(const type *from, const type *as) {
    if (as == from) {
        return true;
    }
    if (as->id != from->id || !type_is_nested(as)) {
        return type_equal(from, as);
    }
    for (uint32_t i = 0; i < as->child_count; i++) {
        const uint32_t at = as->id == TYPE_STRUCT ? child_of(from, as->children[i].id) : i;
        if (at >= from->child_count ||
            !can_project(from->children[at].type, as->children[i].type)) {
            return false;
        }
    }
    return true;
}

static firn_status take_place(avro_data *self, uint32_t index, const type *top, firn_error *err) {
    const ice_wanted *wanted = &self->what->columns[index];
    self->places[index] = ARENA_NEW(&self->memory, uint32_t, wanted->path_length);
    if (self->places[index] == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 1; i < wanted->path_length; i++) {
        const uint32_t child = child_of(top, wanted->path[i]);
        if (child == top->child_count || top->id != TYPE_STRUCT) {
            return FAIL(err, FIRN_CORRUPT, "field %d is in a struct and is in none",
                        wanted->path[i]);
        }
        self->places[index][i - 1] = child;
        top = top->children[child].type;
    }
    if (!can_project(top, wanted->type)) {
        return FAIL(err, FIRN_CORRUPT, "field %d is of two types",
                    wanted->path[wanted->path_length - 1]);
    }
    return FIRN_OK;
}

static firn_status take_tops(avro_data *self, firn_error *err) {
    const uint32_t count = self->what->count;
    field *fields = ARENA_NEW(&self->memory, field, (size_t)count + 1);
    self->top_of = ARENA_NEW(&self->memory, uint32_t, (size_t)count + 1);
    self->places = ARENA_NEW(&self->memory, uint32_t *, (size_t)count + 1);
    self->out = ARENA_NEW(&self->memory, column, (size_t)count + 1);
    if (fields == NULL || self->top_of == NULL || self->places == NULL || self->out == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    self->tops = (schema){.fields = fields};
    for (uint32_t i = 0; i < count; i++) {
        const ice_wanted *wanted = &self->what->columns[i];
        self->top_of[i] = UINT32_MAX;
        if (wanted->is_position) {
            continue;
        }
        uint32_t top = 0;
        while (top < self->tops.count && fields[top].id != wanted->path[0]) {
            top++;
        }
        const type *own = type_from_top(wanted, &self->memory);
        if (top == self->tops.count) {
            fields[self->tops.count++] =
                (field){.id = wanted->path[0], .type = own, .is_nullable = true};
        } else if (own != NULL) {
            fields[top].type = unite(fields[top].type, own, &self->memory);
        }
        if (own == NULL || fields[top].type == NULL) {
            return ARENA_FULL(&self->memory, err);
        }
        self->top_of[i] = top;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (self->top_of[i] != UINT32_MAX) {
            TRY(take_place(self, i, fields[self->top_of[i]].type, err));
        }
    }
    return FIRN_OK;
}

// Gives the wanted columns the names that a file without ids has.
static firn_status rename_tops(avro_data *self, const avro_schema *file, firn_error *err) {
    schema columns;
    TRY(avro_types_of(&self->memory, file, &columns, err));
    for (uint32_t i = 0; i < self->tops.count; i++) {
        field *top = (field *)(uintptr_t)&self->tops.fields[i]; // Ours.
        const ice_mapping *below = NULL;
        const field *found = ice_mapping_find(self->what->mapping, &columns, top->id, &below);
        top->name = found == NULL ? (text){.data = "\0", .size = 1} : found->name;
        if (found != NULL) {
            top->type = ice_mapping_rename(below, found->type, top->type, &self->memory);
        }
        if (top->type == NULL) {
            return ARENA_FULL(&self->memory, err);
        }
    }
    return FIRN_OK;
}

static firn_status open_filter(avro_data *self, firn_error *err) {
    const ice_read *what = self->what;
    uint32_t *ids = ARENA_NEW(&self->memory, uint32_t, (size_t)what->count + 1);
    if (ids == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < what->count; i++) {
        ids[i] = what->columns[i].id;
    }
    return row_filter_open(what->filters, ids, what->count, self->env, &self->memory, &self->filter,
                           err);
}

static firn_status begin(avro_data *self, firn_error *err) {
    const avro_schema *file;
    TRY(avro_schema_read(&self->memory, self->header.schema_json, &file, err));
    TRY(take_tops(self, err));
    avro_columns_options options = {.missing = missing, .user = self};
    if (!avro_schema_has_ids(file)) {
        options.by_name = true;
        TRY(rename_tops(self, file, err));
    }
    TRY(avro_columns_compile(&self->memory, file, &self->tops, &options, &self->columns, err));
    return open_filter(self, err);
}

// ---- Blocks ------------------------------------------------------------------------------------

// Has at least `wanted` bytes of the file at hand.
static firn_status want(avro_data *self, size_t wanted, bool *is_there, firn_error *err) {
    pq_answer got;
    const uint64_t left = pq_window_left(&self->window);
    if (wanted > left) {
        return avro_cut_fail(wanted, (size_t)left, err);
    }
    TRY(pq_window_want(&self->window, wanted, &got, err));
    *is_there = got != PQ_WAIT;
    return FIRN_OK;
}

static firn_status read_header(avro_data *self, bool *is_there, firn_error *err) {
    size_t wanted = 1;
    while (wanted > 0) {
        TRY(want(self, wanted, is_there, err));
        if (!*is_there) {
            return FIRN_OK;
        }
        TRY(avro_header_read(pq_window_bytes(&self->window), &self->memory, &self->header, &wanted,
                             err));
    }
    pq_window_pass(&self->window, self->header.size);
    self->has_header = true;
    return begin(self, err);
}

// Enters the next block that has rows; `left` stays 0 behind the last.
static firn_status read_block(avro_data *self, bool *is_there, firn_error *err) {
    *is_there = true;
    while (self->left == 0 && pq_window_left(&self->window) > self->stored) {
        pq_window_pass(&self->window, self->stored);
        self->stored = 0;
        size_t wanted = 1;
        avro_block block = {0};
        while (wanted > 0) {
            TRY(want(self, wanted, is_there, err));
            if (!*is_there) {
                return FIRN_OK;
            }
            TRY(avro_block_read(&self->header, pq_window_bytes(&self->window), &block, &wanted,
                                err));
        }
        arena_reset(&self->block_memory);
        const codec_growth growth = {.memory = &self->block_memory,
                                     .size_max = AVRO_BLOCK_BYTES_MAX,
                                     .size_hint = self->size_hint};
        bytes values;
        TRY(avro_block_decode(&self->header, &block, &growth, self->env->codecs, &values, err));
        self->size_hint = values.size;
        self->in = reader_open(values);
        self->left = block.count;
        self->stored = block.size;
    }
    return FIRN_OK;
}

// ---- Rows --------------------------------------------------------------------------------------

// Leaves a column with the fields that are wanted of it, under their names in the table.
static firn_status project(column *self, const type *as, arena *scratch, firn_error *err) {
    const type *from = self->type;
    self->type = as;
    if (as->child_count == 0 || self->children == NULL || as == from) {
        return FIRN_OK;
    }
    column *children = ARENA_NEW(scratch, column, as->child_count);
    if (children == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < as->child_count; i++) {
        const uint32_t at = as->id == TYPE_STRUCT ? child_of(from, as->children[i].id) : i;
        assert(at < from->child_count); // All that is wanted was decoded.
        children[i] = self->children[at];
        TRY(project(&children[i], as->children[i].type, scratch, err));
    }
    self->children = children;
    return FIRN_OK;
}

// A field below a column.
static firn_status descend(const column *from, const uint32_t *places, uint32_t count,
                           arena *scratch, column *out, firn_error *err) {
    *out = *from;
    for (uint32_t i = 0; i < count; i++) {
        const column parent = *out;
        TRY(row_field(&parent, places[i], scratch, out, err));
    }
    return FIRN_OK;
}

static firn_status make_position(avro_data *self, uint32_t count, arena *scratch, column *out,
                                 firn_error *err) {
    TRY(column_new(scratch, TYPE_OF(UBIGINT), count, out, err));
    for (uint32_t i = 0; i < count; i++) {
        COLUMN_OUT(out, uint64_t)[i] = self->position + i;
    }
    return FIRN_OK;
}

static firn_status make_columns(avro_data *self, uint32_t count, arena *scratch, firn_error *err) {
    avro_rows *rows;
    const column *tops;
    TRY(avro_rows_begin(self->columns, scratch, count, &rows, err));
    TRY(avro_rows_read(rows, &self->in, count, err));
    TRY(avro_rows_finish(rows, &tops, err));
    for (uint32_t i = 0; i < self->what->count; i++) {
        const uint32_t top = self->top_of[i];
        if (top == UINT32_MAX) {
            TRY(make_position(self, count, scratch, &self->out[i], err));
            continue;
        }
        const ice_wanted *wanted = &self->what->columns[i];
        TRY(descend(&tops[top], self->places[i], wanted->path_length - 1, scratch, &self->out[i],
                    err));
        TRY(project(&self->out[i], wanted->type, scratch, err));
    }
    return FIRN_OK;
}

// Leaves deleted rows out of the batch.
static firn_status drop_deleted(avro_data *self, arena *scratch, batch *out, firn_error *err) {
    if (self->what->is_deleted == NULL) {
        return FIRN_OK;
    }
    const size_t words = BITMAP_WORDS(out->row_count);
    uint64_t *bits = ARENA_NEW(scratch, uint64_t, words + 1);
    uint16_t *rows = ARENA_NEW(scratch, uint16_t, (size_t)out->row_count + 1);
    if (bits == NULL || rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    memset(bits, 0, words * sizeof *bits);
    if (!self->what->is_deleted(self->what->user, self->position, out->row_count, bits)) {
        return FIRN_OK;
    }
    uint32_t count = 0;
    for (uint32_t row = 0; row < out->row_count; row++) {
        rows[count] = (uint16_t)row;
        count += !bitmap_get(bits, row);
    }
    out->selection = rows;
    out->selected_count = count;
    self->counted.rows_deleted += out->row_count - count;
    return FIRN_OK;
}

static firn_status make_batch(avro_data *self, arena *scratch, batch *out, firn_error *err) {
    const uint32_t most = self->env->batch_rows == 0 ? BATCH_ROWS : self->env->batch_rows;
    const uint32_t count = self->left < most ? (uint32_t)self->left : most;
    TRY(make_columns(self, count, scratch, err));
    *out = batch_of(self->out, self->what->count, count);
    TRY(drop_deleted(self, scratch, out, err));
    const uint32_t alive = out->selected_count;
    if (self->filter != NULL && alive > 0) {
        TRY(expr_filter(self->filter, out, scratch, &out->selection, &out->selected_count, err));
    }
    out->column_count = self->what->output_count;
    self->left -= count;
    self->position += count;
    self->counted.rows_read += count;
    self->counted.rows_filtered += alive - out->selected_count;
    return FIRN_OK;
}

static firn_status step(avro_data *self, arena *scratch, batch *out, scan_answer *answer,
                        firn_error *err) {
    bool is_there = true;
    if (!self->has_header) {
        TRY(read_header(self, &is_there, err));
    }
    if (is_there) {
        TRY(read_block(self, &is_there, err));
    }
    if (!is_there) {
        *answer = SCAN_WAIT;
        return FIRN_OK;
    }
    if (self->left == 0) { // A file that ends early, between two blocks, looks whole.
        *answer = SCAN_END;
        return ice_data_check_rows(self->what, self->position, err);
    }
    *answer = SCAN_READY;
    return make_batch(self, scratch, out, err);
}

static firn_status next(ice_data_reader *base, arena *scratch, batch *out, scan_answer *answer,
                        firn_error *err) {
    avro_data *self = (avro_data *)base;
    const firn_status status = step(self, scratch, out, answer, err);
    if (status != FIRN_OK) {
        io_path_while(err, "reading", io_file_path(self->file));
    }
    return status;
}

static void counters(const ice_data_reader *base, scan_counters *add_to) {
    const avro_data *self = (const avro_data *)base;
    add_to->rows_read += self->counted.rows_read;
    add_to->rows_deleted += self->counted.rows_deleted;
    add_to->rows_filtered += self->counted.rows_filtered;
}

const ice_data_kind ice_avro_data = {
    .format = "avro",
    .open = open_reader,
    .next = next,
    .counters = counters,
    .close = close_reader,
};
