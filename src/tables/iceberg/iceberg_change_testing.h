// For tests of changes: a folder, a catalog that is one variable, tables of one BIGINT column `id`
// (and one INTEGER `part`) whose data files are real.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_CHANGE_TESTING_H
#define FIRN_TABLES_ICEBERG_ICEBERG_CHANGE_TESTING_H

#include <stdlib.h>

#include "base/test.h"
#include "formats/parquet/write/pw_file.h"
#include "io/test_folder.h"
#include "tables/iceberg/iceberg_change.h"
#include "tables/iceberg/iceberg_metadata_write.h"
#include "tables/iceberg/iceberg_snapshot.h"

#define SCENE_VALUES_MAX 512

typedef struct ice_scene {
    test_folder folder;
    io *io;
    pool *engine;
    pool *query;
    arena memory;
    statement_context context;
    transaction_env env;
    catalog catalog;
    transaction *owner;
    commit_form form;
    text location; ///< Of the current metadata file: the catalog. Size 0: there is no table.
    uint32_t file_count;
    text first_file;   ///< Of ice_scene_append.
    uint32_t attempts; ///< Of the last commit.
    firn_error err;
} ice_scene;

static inline void ice_scene_open(ice_scene *self, const char *name, commit_form form) {
    *self = (ice_scene){.folder = test_folder_open(name),
                        .memory = arena_open((size_t)1 << 30),
                        .context = {.version = TEXT("0.0")},
                        .form = form,
                        .err = ERR_INIT};
    const pool_options options = {.kind = POOL_QUERY, .name = "test"};
    REQUIRE(io_open(&(io_options){.has_thread = false}, &self->io, &self->err) == FIRN_OK);
    REQUIRE(pool_open_engine((uint64_t)512 << 20, &self->engine, &self->err) == FIRN_OK);
    REQUIRE(pool_open(self->engine, &options, &self->query, &self->err) == FIRN_OK);
    self->env = (transaction_env){.io = self->io, .pool = self->query, .context = &self->context};
    REQUIRE(transaction_begin(&self->catalog, &self->env, &self->owner, &self->err) == FIRN_OK);
}

static inline void ice_scene_close(ice_scene *self) {
    transaction_close(self->owner);
    CHECK(pool_used(self->query) == 0);
    pool_close(self->query);
    pool_close(self->engine);
    io_close(self->io);
    arena_close(&self->memory);
    test_folder_close(&self->folder);
}

static inline bool ice_scene_is_ok(const ice_scene *self, firn_status status) {
    if (status != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", self->err.text);
    }
    return status == FIRN_OK;
}

// ---- Tables ------------------------------------------------------------------------------------

static inline firn_status ice_scene_head(ice_scene *self, table_snapshot **out, firn_error *err) {
    *out = NULL;
    if (self->location.size == 0) {
        return FIRN_OK;
    }
    const ice_open what = {.pool = self->query, .location = self->location};
    return ice_table_open(self->io, &what, NULL, out, err);
}

/// A change of the current table.
static inline firn_status ice_scene_change(ice_scene *self, table_change **out, firn_error *err) {
    table_snapshot *head;
    TRY(ice_scene_head(self, &head, err));
    const firn_status status =
        ice_table_changes.open(self->owner, &self->env, head, NULL, out, err);
    table_snapshot_release(head);
    return status;
}

/// A change that makes the table. `by` NULL: without partitions, else part through it.
static inline firn_status ice_scene_create(ice_scene *self, const char *by, size_t property_count,
                                           const firn_option *properties, table_change **out,
                                           firn_error *err) {
    static const field fields[] = {
        {.name = {.data = "id", .size = 2}, .type = TYPE_OF(BIGINT), .is_nullable = true, .id = -1},
        {.name = {.data = "part", .size = 4},
         .type = TYPE_OF(INTEGER),
         .is_nullable = true,
         .id = -1},
    };
    text part = TEXT("part");
    const partition_field partition = {.path = {.count = 1, .items = &part},
                                       .transform = by == NULL ? (text){.size = 0} : text_of(by)};
    const table_definition definition = {.columns = {.count = 2, .fields = fields},
                                         .location = text_of(self->folder.path),
                                         .partition_count = by == NULL ? 0 : 1,
                                         .partitions = &partition,
                                         .property_count = property_count,
                                         .properties = properties};
    return ice_table_changes.open(self->owner, &self->env, NULL, &definition, out, err);
}

// ---- Files -------------------------------------------------------------------------------------

static inline firn_status ice_scene_batch(ice_scene *self, int64_t first, uint32_t count,
                                          int32_t part, batch *out, firn_error *err) {
    column *columns = ARENA_NEW(&self->memory, column, 2);
    TRY(column_new(&self->memory, TYPE_OF(BIGINT), count, &columns[0], err));
    TRY(column_new(&self->memory, TYPE_OF(INTEGER), count, &columns[1], err));
    for (uint32_t i = 0; i < count; i++) {
        ((int64_t *)(uintptr_t)columns[0].values)[i] = first + i;
        ((int32_t *)(uintptr_t)columns[1].values)[i] = part;
    }
    *out = batch_of(columns, 2, count);
    return FIRN_OK;
}

static inline firn_status ice_scene_put(ice_scene *self, text path, const batch *rows,
                                        const schema *columns, ice_file *out, firn_error *err) {
    const pw_options options = pw_options_default();
    const pw_schema *schema;
    io_writer *writer = NULL;
    pw_file *file = NULL;
    pw_group *group = NULL;
    pw_worker worker = pw_worker_open(self->query, NULL);
    const pw_report *report = NULL;
    firn_status status = pw_schema_make(columns, &self->memory, &schema, err);
    status = status == FIRN_OK ? io_writer_open(self->io, path, true, &writer, err) : status;
    status = status == FIRN_OK ? pw_file_open(writer, schema, &options, self->query, &file, err)
                               : status;
    status = status == FIRN_OK ? pw_group_open(schema, &options, self->query, &group, err) : status;
    status = status == FIRN_OK ? pw_group_put(group, rows, &worker, err) : status;
    status = status == FIRN_OK ? pw_group_finish(group, &worker, err) : status;
    status = status == FIRN_OK ? pw_file_add(file, group, err) : status;
    status = status == FIRN_OK ? pw_file_finish(file, &report, err) : status;
    if (status == FIRN_OK) {
        out->row_count = report->row_count;
        out->size = report->size;
    }
    pw_group_close(group);
    pw_file_close(file);
    pw_worker_close(&worker);
    return status;
}

/// A data file of rows first, first + 1 … that are all in one part; -1: of a table without
/// partitions.
static inline firn_status ice_scene_file(ice_scene *self, const table_change *change, int64_t first,
                                         uint32_t count, int32_t part, ice_added_file *out,
                                         firn_error *err) {
    static const field fields[] = {
        {.name = {.data = "id", .size = 2}, .type = TYPE_OF(BIGINT), .is_nullable = true, .id = 1},
        {.name = {.data = "part", .size = 4},
         .type = TYPE_OF(INTEGER),
         .is_nullable = true,
         .id = 2},
    };
    ice_scalar *partition = ARENA_NEW(&self->memory, ice_scalar, 1);
    ice_column_metric *metric = ARENA_NEW(&self->memory, ice_column_metric, 1);
    batch rows;
    *partition = (ice_scalar){.kind = ICE_SCALAR_NUMBER, .number = part};
    *metric = (ice_column_metric){
        .field_id = 1, .size = -1, .value_count = count, .null_count = 0, .nan_count = -1};
    const ice_scalar low = {.kind = ICE_SCALAR_NUMBER, .number = first};
    const ice_scalar high = {.kind = ICE_SCALAR_NUMBER, .number = first + count - 1};
    TRY(ice_scalar_bytes(TYPE_OF(BIGINT), &low, &self->memory, &metric->low, err));
    TRY(ice_scalar_bytes(TYPE_OF(BIGINT), &high, &self->memory, &metric->high, err));
    *out = (ice_added_file){.file = {.format = TEXT("PARQUET"),
                                     .partition = part < 0 ? NULL : partition,
                                     .metric_count = 1,
                                     .metrics = metric,
                                     .sort_order_id = 0}};
    TRY(ice_change_data_path(change, (text){.size = 0}, self->file_count++, "parquet",
                             &self->memory, &out->file.path, err));
    TRY(ice_scene_batch(self, first, count, part, &rows, err));
    return ice_scene_put(self, out->file.path, &rows, &(schema){.count = 2, .fields = fields},
                         &out->file, err);
}

static inline firn_status ice_scene_append(ice_scene *self, table_change *change, int64_t first,
                                           uint32_t count, firn_error *err) {
    ice_added_file file;
    TRY(ice_scene_file(self, change, first, count, -1, &file, err));
    self->first_file = self->first_file.size == 0 ? file.file.path : self->first_file;
    const ice_row_step step = {.kind = CHANGE_APPEND,
                               .isolation = ISOLATION_SERIALIZABLE,
                               .added_count = 1,
                               .added = &file};
    return ice_change_add_rows(change, &step, NULL, err);
}

/// A delete file of one row of a data file.
static inline firn_status ice_scene_delete(ice_scene *self, const table_change *change, text of,
                                           int64_t position, ice_added_file *out, firn_error *err) {
    static const field fields[] = {
        {.name = {.data = "file_path", .size = 9}, .type = TYPE_OF(VARCHAR), .id = 2147483546},
        {.name = {.data = "pos", .size = 3}, .type = TYPE_OF(BIGINT), .id = 2147483545},
    };
    const ice_scalar path = {
        .kind = ICE_SCALAR_BYTES,
        .data = {.data = (const uint8_t *)of.data, .size = of.size},
    };
    const ice_scalar number = {.kind = ICE_SCALAR_NUMBER, .number = position};
    column *columns = ARENA_NEW(&self->memory, column, 2);
    columns[0] = *ice_scalar_try_column(TYPE_OF(VARCHAR), &path, &self->memory);
    columns[1] = *ice_scalar_try_column(TYPE_OF(BIGINT), &number, &self->memory);
    const batch rows = batch_of(columns, 2, 1);
    *out = (ice_added_file){.file = {.content = ICE_POSITION_DELETES,
                                     .format = TEXT("PARQUET"),
                                     .sort_order_id = -1,
                                     .referenced_file = of}};
    TRY(ice_change_data_path(change, (text){.size = 0}, self->file_count++, "deletes.parquet",
                             &self->memory, &out->file.path, err));
    return ice_scene_put(self, out->file.path, &rows, &(schema){.count = 2, .fields = fields},
                         &out->file, err);
}

// ---- Committing --------------------------------------------------------------------------------

static inline firn_status ice_scene_root(ice_scene *self, const json_node **out, firn_error *err) {
    bytes file;
    *out = NULL;
    if (self->location.size == 0) {
        return FIRN_OK;
    }
    TRY(io_get(self->io, self->location, ICE_METADATA_BYTES_MAX, NULL, &self->memory, &file, err));
    return ice_json_read(file, &self->memory, out, err);
}

// As a REST server does it.
static inline firn_status ice_scene_apply(ice_scene *self, const commit_part *part,
                                          commit_answer *answer, firn_error *err) {
    const json_node *root;
    ice_changed changed;
    text path;
    const ice_change how = {.now_ms = host_time_us() / 1000, .old_location = self->location};
    TRY(ice_scene_root(self, &root, err));
    const firn_status status =
        ice_metadata_require(root, part->updates.requirements, &self->memory, err);
    if (status == FIRN_CONFLICT) {
        *answer = COMMIT_CONFLICT;
        return err_forgive(err, status, status);
    }
    TRY(status);
    TRY(ice_metadata_change(root, part->updates.updates, &how, &self->memory, &changed, err));
    TRY(text_format(&self->memory, &path, err, "%s/metadata/server-%u.metadata.json",
                    self->folder.path, self->file_count++));
    TRY(io_put(self->io, path, bytes_of_text(changed.json), err));
    self->location = path;
    return FIRN_OK;
}

static inline firn_status ice_scene_try(ice_scene *self, table_change *change,
                                        commit_answer *answer, firn_error *err) {
    commit_part part;
    *answer = COMMIT_DONE;
    TRY(ice_table_changes.prepare(change, self->form, &self->memory, &part, err));
    if (self->form == COMMIT_UPDATES) {
        host_fault_set(HOST_ALLOC, 0); // The server is another machine.
        return ice_scene_apply(self, &part, answer, err);
    }
    if (!text_equal(part.pointer.old_location, self->location)) {
        *answer = COMMIT_CONFLICT;
        return FIRN_OK;
    }
    self->location = part.pointer.new_location;
    return FIRN_OK;
}

/// Commits and closes.
static inline firn_status ice_scene_commit(ice_scene *self, table_change *change, firn_error *err) {
    commit_answer answer = COMMIT_CONFLICT;
    firn_status status = FIRN_OK;
    for (self->attempts = 1; status == FIRN_OK; self->attempts++) {
        table_snapshot *head;
        status = ice_scene_try(self, change, &answer, err);
        if (status != FIRN_OK || answer == COMMIT_DONE) {
            break;
        }
        status = ice_scene_head(self, &head, err);
        status = status == FIRN_OK ? ice_table_changes.rebase(change, head, err) : status;
        table_snapshot_release(head);
    }
    ice_table_changes.settle(change, status == FIRN_OK ? COMMIT_DONE : COMMIT_CONFLICT);
    ice_table_changes.close(change);
    return status;
}

// ---- Looking -----------------------------------------------------------------------------------

typedef struct ice_values {
    uint32_t count;
    int64_t items[SCENE_VALUES_MAX];
} ice_values;

static inline int ice_values_compare(const void *left, const void *right) {
    const int64_t l = *(const int64_t *)left;
    const int64_t r = *(const int64_t *)right;
    return (l > r) - (l < r);
}

static inline firn_status ice_scene_read_task(table_snapshot *table, const scan_request *request,
                                              const scan_task *task, const scan_env *env,
                                              ice_values *out, firn_error *err) {
    scan_reader *reader;
    scan_answer answer = SCAN_READY;
    arena scratch = arena_open((size_t)64 << 20);
    firn_status status = table->kind->open(table, request, task, env, &reader, err);
    if (status != FIRN_OK) {
        return status;
    }
    while (status == FIRN_OK && answer != SCAN_END) {
        batch rows;
        status = table->kind->next(reader, &scratch, &rows, &answer, err);
        column flat;
        if (status == FIRN_OK && answer == SCAN_READY) {
            status = column_flatten(&scratch, &rows.columns[0], &flat, err);
            for (uint32_t i = 0;
                 status == FIRN_OK && i < rows.selected_count && out->count < SCENE_VALUES_MAX;
                 i++) {
                out->items[out->count++] = ((const int64_t *)flat.values)[batch_row(&rows, i)];
            }
        }
    }
    table->kind->close(reader);
    arena_close(&scratch);
    return status;
}

/// All values of `id`, sorted.
static inline firn_status ice_scene_read(ice_scene *self, table_snapshot *table, ice_values *out,
                                         firn_error *err) {
    const uint32_t path = 0;
    const scan_column column = {
        .path = &path, .path_length = 1, .type = TYPE_OF(BIGINT), .name = TEXT("id")};
    const scan_request request = {
        .column_count = 1, .columns = &column, .output_count = 1, .limit = UINT64_MAX};
    codec_scratch codecs = codec_scratch_open((size_t)64 << 20);
    const scan_env env = {.io = self->io,
                          .pool = self->query,
                          .codecs = &codecs,
                          .context = &self->context,
                          .batch_rows = 2048,
                          .workers = 1};
    scan_planner *planner;
    const scan_task *task;
    scan_answer answer = SCAN_READY;
    out->count = 0;
    firn_status status = table->kind->plan(table, &request, &env, &planner, err);
    if (status == FIRN_OK) {
        while (status == FIRN_OK && answer != SCAN_END) {
            status = table->kind->planner_next(planner, &task, &answer, err);
            if (status == FIRN_OK && answer == SCAN_READY) {
                status = ice_scene_read_task(table, &request, task, &env, out, err);
            }
        }
        table->kind->planner_close(planner);
    }
    codec_scratch_close(&codecs);
    qsort(out->items, out->count, sizeof *out->items, ice_values_compare);
    return status;
}

/// Whether the table has exactly these values: pairs of first and last ones.
static inline bool ice_scene_holds(ice_scene *self, table_snapshot *table, uint32_t range_count,
                                   const int64_t (*ranges)[2]) {
    ice_values values;
    uint32_t at = 0;
    if (!ice_scene_is_ok(self, ice_scene_read(self, table, &values, &self->err))) {
        return false;
    }
    for (uint32_t i = 0; i < range_count; i++) {
        for (int64_t value = ranges[i][0]; value <= ranges[i][1]; value++) {
            if (at >= values.count || values.items[at] != value) {
                (void)fprintf(stderr, "value %lld is missing (of %u)\n", (long long)value,
                              values.count);
                return false;
            }
            at++;
        }
    }
    if (at != values.count) {
        (void)fprintf(stderr, "%u values too many\n", values.count - at);
    }
    return at == values.count;
}

/// The same of the table as it is now.
static inline bool ice_scene_head_holds(ice_scene *self, uint32_t range_count,
                                        const int64_t (*ranges)[2]) {
    table_snapshot *head;
    if (!ice_scene_is_ok(self, ice_scene_head(self, &head, &self->err)) || head == NULL) {
        return false;
    }
    const bool holds = ice_scene_holds(self, head, range_count, ranges);
    table_snapshot_release(head);
    return holds;
}

static inline firn_status ice_scene_count_file(void *user, const io_entry *entry, firn_error *err) {
    (void)entry;
    (void)err;
    *(uint32_t *)user += 1;
    return FIRN_OK;
}

/// How many files lie in the folder, temporary ones too.
static inline uint32_t ice_scene_files(ice_scene *self) {
    uint32_t count = 0;
    const io_list_options options = {.is_deep = true, .no_detail = true};
    // The folder is the table's: it goes with a table that comes to nothing, and is needed again.
    CHECK(host_make_folder(self->folder.path, &self->err) == FIRN_OK);
    CHECK(io_list(self->io, text_of(self->folder.path), &options, ice_scene_count_file, &count,
                  &self->err) == FIRN_OK);
    return count;
}

#endif
