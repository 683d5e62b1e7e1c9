#include "tables/iceberg/iceberg_sink.h"

#include "base/host.h"
#include "memory/arena_grow.h"
#include "memory/pool.h"
#include "tables/iceberg/iceberg_partition.h"
#include "tables/iceberg/iceberg_sink_change.h"
#include "tables/iceberg/iceberg_snapshot.h"
#include "tables/row_check.h"

#define FORMAT_VERSION_MAX 2

struct row_sink {
    row_sink_request request;
    table_snapshot *base; // Retained.
    const cancel_flag *cancel;
    arena memory; // Of who is writing the line's files, too.
    ice_partitioner partitions;
    ice_write_options options;
    ice_write_options kept_options; // Of rewritten files: nothing is said of their order.
    ice_file_form kept;
    isolation isolation;
    parquet_lines *lines;
    uint32_t line_pieces;
    int32_t order_id; // That the files are sorted by.
    ice_sink_files files;
    ice_sink_change *change; // NULL: no row goes, or all of a partition or of the table.
};

struct row_sink_worker {
    row_sink *owner;
    parquet_lines_worker *lines;
    ice_noted_rows noted;
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

static firn_status values_of(void *user, const batch *rows, arena *memory, const column **out,
                             uint32_t *count, firn_error *err) {
    const ice_partitioner *by = &((const row_sink *)user)->partitions;
    *count = by->spec->count;
    return ice_partition_columns(by, rows, memory, out, err);
}

static firn_status key_of(void *user, const column *values, uint32_t row, arena *memory, text *out,
                          firn_error *err) {
    const ice_partitioner *by = &((const row_sink *)user)->partitions;
    return ice_partition_pack(by, values, row, memory, out, err);
}

static firn_status next_file(void *user, text partition, text *path, void **file, firn_error *err) {
    row_sink *self = user;
    ice_added_file *made;
    ice_added_file like = {
        .spec_id = self->partitions.spec->id,
        .file = {.content = ICE_DATA, .format = TEXT("PARQUET"), .sort_order_id = self->order_id}};
    text folder;
    TRY(ice_partition_unpack(&self->partitions, partition, &self->memory, &like.file.partition,
                             err));
    TRY(ice_partition_folder(&self->partitions, like.file.partition, &self->memory, &folder, err));
    TRY(ice_sink_files_add(&self->files, &like, folder, ".parquet", &made, err));
    *path = made->file.path;
    *file = made;
    return FIRN_OK;
}

static firn_status finished(void *user, void *file, const pw_report *report, firn_error *err) {
    row_sink *self = user;
    return ice_sink_files_measure(&self->files, file, &self->options.leaves, report, err);
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
    return FIRN_OK;
}

// Of INSERT OVERWRITE it is the step that takes rows away.
static bool takes_ids(const row_sink_request *request) {
    return request->kind != CHANGE_APPEND && request->kind != CHANGE_OVERWRITE;
}

static firn_status open_change(row_sink *self, const pw_schema *schema, const scan_env *env,
                               firn_error *err) {
    self->kept_options = self->options;
    self->kept_options.writer.sorting_count = 0;
    self->kept = (ice_file_form){.schema = schema,
                                 .options = &self->kept_options,
                                 .file_size = self->options.file_size,
                                 .ending = ".parquet"};
    TRY(ice_sink_isolation(&self->request, &self->isolation, err));
    return takes_ids(&self->request) ? ice_sink_change_open(&self->request, env, &self->files,
                                                            &self->kept, &self->change, err)
                                     : FIRN_OK;
}

static firn_status prepare(row_sink *self, const scan_env *env, firn_error *err) {
    static const parquet_lines_user whole = {.next = next_file, .finished = finished};
    static const parquet_lines_user by_partition = {
        .values = values_of, .key = key_of, .next = next_file, .finished = finished};
    const row_sink_request *request = &self->request;
    const ice_metadata *table = ice_table_metadata(self->base);
    const ice_spec *spec = spec_of(table);
    const schema *columns = &self->base->columns;
    parquet_lines_options wanted = {.writer = &self->options.writer,
                                    .user = spec->count == 0 ? &whole : &by_partition,
                                    .fan_out = spec->count == 0 ? 0 : request->fan_out,
                                    .syncs_later = true,
                                    .of_user = self};
    TRY(check_request(request, table, err));
    TRY(ice_write_options_make(table, request->options, request->option_count, columns,
                               &self->memory, &self->options, err));
    TRY(take_order(self, table, err));
    TRY(ice_partitioner_open(columns, spec, &self->memory, &self->partitions, err));
    TRY(pw_schema_make(columns, &self->memory, &wanted.schema, err));
    wanted.file_size = self->options.file_size;
    TRY(open_change(self, wanted.schema, env, err));
    return parquet_lines_open(&wanted, env, &self->lines, err);
}

static void close_sink(row_sink *self) {
    if (self != NULL) {
        table_snapshot *base = self->base;
        parquet_lines_close(self->lines);
        ice_sink_change_close(self->change);
        ice_sink_files_end(&self->files);
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
    *self = (row_sink){.request = *request,
                       .base = table_snapshot_retain(request->base),
                       .cancel = env->cancel,
                       .memory = arena_open_in(env->pool, SIZE_MAX)};
    ice_sink_files_begin(&self->files, to, request->change, env);
    const firn_status status = prepare(self, env, err);
    if (status != FIRN_OK) {
        close_sink(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

// ---- Steps -------------------------------------------------------------------------------------

// DELETE brings no rows.
static bool has_line(const row_sink *self) {
    return self->request.kind != CHANGE_DELETE;
}

// Of the line, and of one writer of rewritten files or deletes.
static uint64_t min_bytes(const row_sink *self) {
    const uint64_t each = parquet_lines_min_bytes(self->lines);
    return (has_line(self) ? each : 0) + (self->change == NULL ? 0 : each);
}

static firn_status open_worker(row_sink *self, const scan_env *env, row_sink_worker **out,
                               firn_error *err) {
    row_sink_worker *made = host_alloc(sizeof *made);
    if (made == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *made);
    }
    *made = (row_sink_worker){.owner = self};
    const firn_status status =
        has_line(self) ? parquet_lines_open_worker(self->lines, env, &made->lines, err) : FIRN_OK;
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

static firn_status push_new(row_sink_worker *self, const batch *rows, bool *must_wait,
                            firn_error *err) {
    const row_sink *owner = self->owner;
    TRY(row_check_nulls(&owner->base->columns, owner->request.positions, rows, err));
    return parquet_lines_push(self->lines, rows, must_wait, err);
}

// Rows that go are noted last: those that must wait come again.
static firn_status push(row_sink_worker *self, const batch *rows, bool *must_wait,
                        firn_error *err) {
    const row_sink *owner = self->owner;
    *must_wait = false;
    if (owner->request.kind == CHANGE_APPEND) {
        return push_new(self, rows, must_wait, err);
    }
    if (has_line(owner)) {
        uint16_t selection[BATCH_ROWS];
        const batch added = ice_sink_change_added(rows, selection);
        TRY(added.selected_count > 0 ? push_new(self, &added, must_wait, err) : FIRN_OK);
    }
    return *must_wait || owner->change == NULL
               ? FIRN_OK
               : ice_sink_change_take(owner->change, &self->noted, rows, err);
}

static firn_status finish_worker(row_sink_worker *self, firn_error *err) {
    if (self->owner->change != NULL) {
        TRY(ice_sink_change_tell(self->owner->change, &self->noted, err));
    }
    return self->lines == NULL ? FIRN_OK : parquet_lines_finish_worker(self->lines, err);
}

static firn_status finish(row_sink *self, uint32_t *piece_count, firn_error *err) {
    uint32_t more = 0;
    TRY(has_line(self) ? parquet_lines_finish(self->lines, &self->line_pieces, err) : FIRN_OK);
    TRY(self->change == NULL ? FIRN_OK : ice_sink_change_finish(self->change, &more, err));
    *piece_count = self->line_pieces + more;
    return FIRN_OK;
}

static firn_status run_piece(row_sink *self, uint32_t piece, const scan_env *env, bool *must_wait,
                             firn_error *err) {
    return piece < self->line_pieces
               ? parquet_lines_run_piece(self->lines, env, must_wait, err)
               : ice_sink_change_run(self->change, piece - self->line_pieces, env, must_wait, err);
}

static firn_status end(row_sink *self, uint64_t *changed_rows, firn_error *err) {
    ice_row_step step = {.kind = self->request.kind,
                         .overwrite = self->request.overwrite,
                         .isolation = self->isolation,
                         .filters = self->request.filters};
    *changed_rows = 0;
    TRY(has_line(self) ? parquet_lines_end(self->lines, changed_rows, err) : FIRN_OK);
    if (self->change != NULL) {
        ice_sink_change_end(self->change, &step, changed_rows);
    }
    if (self->files.count == 0 && step.removed_count == 0 && step.kind != CHANGE_OVERWRITE) {
        return FIRN_OK;
    }
    step.branch = ice_table_branch(self->request.base);
    return ice_sink_files_hand_over(&self->files, &step, self->cancel, err);
}

static firn_status open_sink(const row_sink_request *request, const scan_env *env, row_sink **out,
                             firn_error *err) {
    static const ice_sink_end change = {.path = ice_change_data_path,
                                        .add = ice_change_add_rows,
                                        .removed = ice_change_remove_folders};
    return ice_sink_open(request, env, &change, out, err);
}

const row_sink_kind ice_sink_kind = {
    .name = "iceberg",
    .needs_order = true,
    .fans_out = true,
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
