#include "tables/iceberg/iceberg_sink.h"

#include "base/host.h"
#include "memory/arena_grow.h"
#include "memory/pool.h"
#include "tables/files/parquet_lines.h"
#include "tables/iceberg/iceberg_partition.h"
#include "tables/iceberg/iceberg_snapshot.h"
#include "tables/iceberg/iceberg_write_options.h"
#include "tables/row_check.h"

#define FORMAT_VERSION_MAX 2

struct row_sink {
    const ice_sink_end *to;
    table_change *change;
    table_snapshot *base; // Retained.
    io *io;
    const cancel_flag *cancel;
    const uint32_t *positions;
    arena memory; // Of the files, too: of who is writing.
    ice_partitioner partitions;
    ice_write_options options;
    parquet_lines *lines;
    int32_t order_id; // That the files are sorted by.
    uint32_t file_count;
    uint32_t file_capacity;
    ice_added_file *files; // The last one may not be finished.
    bool is_handed_over;   // They are the change's.
};

struct row_sink_worker {
    row_sink *owner;
    parquet_lines_worker *lines;
};

static const ice_spec *spec_of(const ice_metadata *metadata) {
    return ice_metadata_spec(metadata, metadata->default_spec_id);
}

// ---- How rows should come ----------------------------------------------------------------------

typedef struct wishing {
    const schema *columns;
    arena *memory;
    row_wish_key *keys;
    uint32_t count;
} wishing;

// What is wrong with a field is said when the sink is opened.
static firn_status add_wish(wishing *self, int32_t source_id, const ice_transform *transform,
                            bool is_descending, bool nulls_first, firn_error *err) {
    ice_source source;
    bool is_found;
    TRY(ice_source_find(self->columns, source_id, self->memory, &source, &is_found, err));
    if (!is_found || ice_transform_result(transform, source.type) == NULL) {
        return FIRN_OK;
    }
    text_builder word = text_builder_open(self->memory);
    row_wish_key *key = &self->keys[self->count];
    *key = (row_wish_key){.column = source.column,
                          .path_count = source.path_count,
                          .path = source.path,
                          .is_descending = is_descending,
                          .nulls_first = nulls_first};
    ice_transform_print(transform, &word);
    TRY(text_builder_finish(&word, &key->transform, err));
    self->count++;
    return FIRN_OK;
}

static firn_status wish(table_snapshot *base, change_kind kind, arena *memory, row_wish *out,
                        firn_error *err) {
    (void)kind;
    const ice_metadata *table = ice_table_metadata(base);
    const ice_spec *spec = spec_of(table);
    const ice_order *order = &table->order;
    wishing self = {
        .columns = &base->columns,
        .memory = memory,
        .keys = ARENA_NEW(memory, row_wish_key, (size_t)spec->count + (size_t)order->count + 1)};
    if (self.keys == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < spec->count; i++) {
        const ice_partition_field *of = &spec->fields[i];
        TRY(add_wish(&self, of->source_id, &of->transform, false, true, err));
    }
    const uint32_t cluster_count = self.count;
    for (uint32_t i = 0; i < order->count; i++) {
        const ice_order_field *by = &order->fields[i];
        TRY(add_wish(&self, by->source_id, &by->transform, by->is_descending, by->nulls_first,
                     err));
    }
    *out = (row_wish){.cluster_count = cluster_count, .key_count = self.count, .keys = self.keys};
    return FIRN_OK;
}

// ---- Files -------------------------------------------------------------------------------------

static firn_status split(void *user, const batch *rows, arena *memory, arena *scratch,
                         parquet_runs *out, firn_error *err) {
    const ice_partitioner *by = &((const row_sink *)user)->partitions;
    const column *values;
    TRY(ice_partition_columns(by, rows, scratch, &values, err));
    for (uint32_t k = 0; k < rows->selected_count; k++) {
        const uint32_t row = batch_row(rows, k);
        if (k > 0 && ice_partition_is_same(by, values, batch_row(rows, k - 1), row)) {
            continue;
        }
        if (k > 0) {
            out->ends[out->count++] = k;
        }
        TRY(ice_partition_pack(by, values, row, memory, &out->partitions[out->count], err));
    }
    out->ends[out->count++] = rows->selected_count;
    return FIRN_OK;
}

static firn_status next_file(void *user, text partition, text *path, firn_error *err) {
    row_sink *self = user;
    ice_added_file *files = ARENA_GROW(&self->memory, ice_added_file, self->files, self->file_count,
                                       1, &self->file_capacity);
    if (files == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    self->files = files;
    ice_added_file *made = &files[self->file_count];
    text folder;
    *made = (ice_added_file){
        .spec_id = self->partitions.spec->id,
        .file = {.content = ICE_DATA, .format = TEXT("PARQUET"), .sort_order_id = self->order_id}};
    TRY(ice_partition_unpack(&self->partitions, partition, &self->memory, &made->file.partition,
                             err));
    TRY(ice_partition_folder(&self->partitions, made->file.partition, &self->memory, &folder, err));
    TRY(self->to->path(self->change, folder, self->file_count, ".parquet", &self->memory,
                       &made->file.path, err));
    self->file_count++;
    *path = made->file.path;
    return FIRN_OK;
}

static firn_status finished(void *user, const pw_report *report, firn_error *err) {
    row_sink *self = user;
    return ice_metrics_of(&self->options.leaves, report, &self->memory,
                          &self->files[self->file_count - 1].file, err);
}

// ---- Opening -----------------------------------------------------------------------------------

// Leading columns of the table's order that the rows are sorted by as they are.
static firn_status set_sorting(row_sink *self, const ice_order *order, firn_error *err) {
    pw_sorting *made = ARENA_NEW(&self->memory, pw_sorting, (size_t)order->count + 1);
    pw_options *writer = &self->options.writer;
    const ice_leaf_list *leaves = &self->options.leaves;
    if (made == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    writer->sorting = made;
    for (uint32_t i = 0; i < order->count; i++) {
        const ice_order_field *by = &order->fields[i];
        uint32_t leaf = 0;
        while (leaf < leaves->count && leaves->items[leaf].is->id != by->source_id) {
            leaf++;
        }
        bool is_new = leaf < leaves->count && by->transform.kind == ICE_IDENTITY;
        for (uint32_t k = 0; k < writer->sorting_count; k++) {
            is_new &= made[k].leaf != leaf;
        }
        if (!is_new) {
            break;
        }
        made[writer->sorting_count++] = (pw_sorting){
            .leaf = leaf, .is_descending = by->is_descending, .nulls_first = by->nulls_first};
    }
    return FIRN_OK;
}

// Whether all of the table's order is what the rows come by.
static firn_status take_order(row_sink *self, const ice_metadata *table, firn_error *err) {
    const ice_order *order = &table->order;
    for (uint32_t i = 0; i < order->count; i++) {
        ice_source source;
        bool is_found;
        TRY(ice_source_find(&self->base->columns, order->fields[i].source_id, &self->memory,
                            &source, &is_found, err));
        if (!is_found || ice_transform_result(&order->fields[i].transform, source.type) == NULL) {
            return FIRN_OK;
        }
    }
    self->order_id = order->id;
    return set_sorting(self, order, err);
}

static firn_status check_request(const row_sink_request *request, const ice_metadata *table,
                                 firn_error *err) {
    if (table->format_version > FORMAT_VERSION_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED,
                    "the table is of format version %d, versions 1 and 2 are written",
                    table->format_version);
    }
    if (request->change == NULL) {
        return FAIL(err, FIRN_INVALID, "the table \"%.*s\" can only be read",
                    TEXT_ARGS(request->base->ref.name));
    }
    if (ice_table_branch(request->base).size == 0) {
        return FAIL(err, FIRN_UNSUPPORTED,
                    "a tag or a version of the past cannot be changed, only branches can");
    }
    return request->kind == CHANGE_APPEND
               ? FIRN_OK
               : FAIL(err, FIRN_UNSUPPORTED, "rows of Iceberg tables are appended only");
}

static firn_status prepare(row_sink *self, const row_sink_request *request, const scan_env *env,
                           firn_error *err) {
    static const parquet_lines_user whole = {.next = next_file, .finished = finished};
    static const parquet_lines_user by_partition = {
        .split = split, .next = next_file, .finished = finished};
    const ice_metadata *table = ice_table_metadata(self->base);
    const ice_spec *spec = spec_of(table);
    const schema *columns = &self->base->columns;
    parquet_lines_options wanted = {.writer = &self->options.writer,
                                    .user = spec->count == 0 ? &whole : &by_partition,
                                    .of_user = self};
    TRY(check_request(request, table, err));
    TRY(ice_write_options_make(table, request->options, request->option_count, columns,
                               &self->memory, &self->options, err));
    TRY(take_order(self, table, err));
    TRY(ice_partitioner_open(columns, spec, &self->memory, &self->partitions, err));
    TRY(pw_schema_make(columns, &self->memory, &wanted.schema, err));
    wanted.file_size = self->options.file_size;
    return parquet_lines_open(&wanted, env, &self->lines, err);
}

// Files that are nobody's.
static void remove_files(row_sink *self) {
    while (!self->is_handed_over && self->file_count > 0) {
        firn_error ignored = ERR_INIT; // It was not finished, or stays as an orphan.
        (void)io_remove(self->io, self->files[--self->file_count].file.path, &ignored);
    }
}

static void close_sink(row_sink *self) {
    if (self != NULL) {
        table_snapshot *base = self->base;
        parquet_lines_close(self->lines);
        remove_files(self);
        arena_close(&self->memory);
        host_free(self);
        table_snapshot_release(base);
    }
}

firn_status ice_sink_open(const row_sink_request *request, const scan_env *env,
                          const ice_sink_end *to, row_sink **out, firn_error *err) {
    row_sink *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    *self = (row_sink){.to = to,
                       .change = request->change,
                       .base = table_snapshot_retain(request->base),
                       .io = env->io,
                       .cancel = env->cancel,
                       .positions = request->positions,
                       .memory = arena_open_in(env->pool, SIZE_MAX)};
    const firn_status status = prepare(self, request, env, err);
    if (status != FIRN_OK) {
        close_sink(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

// ---- Steps -------------------------------------------------------------------------------------

static uint64_t min_bytes(const row_sink *self) {
    return parquet_lines_min_bytes(self->lines);
}

static firn_status open_worker(row_sink *self, const scan_env *env, row_sink_worker **out,
                               firn_error *err) {
    row_sink_worker *made = host_alloc(sizeof *made);
    if (made == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *made);
    }
    *made = (row_sink_worker){.owner = self};
    const firn_status status = parquet_lines_open_worker(self->lines, env, &made->lines, err);
    if (status != FIRN_OK) {
        host_free(made);
        return status;
    }
    *out = made;
    return FIRN_OK;
}

static void close_worker(row_sink_worker *self) {
    if (self != NULL) {
        parquet_lines_close_worker(self->lines);
        host_free(self);
    }
}

static void advance(row_sink *self, uint64_t complete) {
    parquet_lines_advance(self->lines, complete);
}

static firn_status push(row_sink_worker *self, const batch *rows, bool *must_wait,
                        firn_error *err) {
    const row_sink *owner = self->owner;
    TRY(row_check_nulls(&owner->base->columns, owner->positions, rows, err));
    return parquet_lines_push(self->lines, rows, must_wait, err);
}

static firn_status finish_worker(row_sink_worker *self, firn_error *err) {
    (void)self;
    (void)err;
    return FIRN_OK;
}

static firn_status finish(row_sink *self, uint32_t *piece_count, firn_error *err) {
    return parquet_lines_finish(self->lines, piece_count, err);
}

static firn_status run_piece(row_sink *self, uint32_t piece, const scan_env *env, bool *must_wait,
                             firn_error *err) {
    (void)piece;
    return parquet_lines_run_piece(self->lines, env, must_wait, err);
}

static firn_status end(row_sink *self, uint64_t *changed_rows, firn_error *err) {
    TRY(parquet_lines_end(self->lines, changed_rows, err));
    if (self->file_count == 0) {
        return FIRN_OK;
    }
    const ice_row_step step = {.kind = CHANGE_APPEND,
                               .branch = ice_table_branch(self->base),
                               .isolation = ISOLATION_SNAPSHOT, // Nothing was read.
                               .added_count = self->file_count,
                               .added = self->files};
    self->is_handed_over = true;
    return self->to->add(self->change, &step, self->cancel, err);
}

static firn_status open_sink(const row_sink_request *request, const scan_env *env, row_sink **out,
                             firn_error *err) {
    static const ice_sink_end change = {.path = ice_change_data_path, .add = ice_change_add_rows};
    return ice_sink_open(request, env, &change, out, err);
}

const row_sink_kind ice_sink_kind = {
    .name = "iceberg",
    .needs_order = true,
    .wish = wish,
    .open = open_sink,
    .min_bytes = min_bytes,
    .open_worker = open_worker,
    .advance = advance,
    .push = push,
    .finish_worker = finish_worker,
    .close_worker = close_worker,
    .finish = finish,
    .run_piece = run_piece,
    .end = end,
    .close = close_sink,
};
