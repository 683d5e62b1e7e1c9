// Makes an Iceberg table of Parquet files that firn writes, by the steps of a change
// (src/tables/iceberg/iceberg_change.h) that are committed through a catalog of one variable: for
// tests/interop/iceberg_write_test.py, which has other readers open it. On internals; columns are
// flat.
//
//     iceberg_write FOLDER VERSION IN.parquet… [--by COLUMN=TRANSFORM]…
//
// Each file is one snapshot that appends its rows; all its rows are in one partition, that of the
// first. One snapshot more, if there are several files, deletes the first; and in version 2 another
// one the first row of the last, by position. Manifests are merged at once. A column by void is
// partitioned by its values, and then no more. Prints the last metadata file.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/parquet/pq_reader.h"
#include "formats/parquet/write/pw_file.h"
#include "tables/iceberg/iceberg_change.h"
#include "tables/iceberg/iceberg_snapshot.h"
#include "tables/iceberg/iceberg_transform_column.h"

#define MEMORY_LIMIT (UINT64_C(4) << 30)
#define FILES_MAX 16
#define FIELDS_MAX 32

typedef struct making {
    io *io;
    pool *engine;
    pool *query;
    codec_scratch codecs;
    arena memory;
    catalog catalog;
    statement_context context;
    transaction_env env;
    transaction *owner;
    const char *folder;
    const char *version;
    uint32_t by_count;
    char *by[FIELDS_MAX];
    text location; // Of the metadata.
    ice_metadata metadata;
    schema columns;
    const ice_spec *spec;
    text first_path;
    ice_file last;
} making;

// ---- The catalog -------------------------------------------------------------------------------

static firn_status commit(making *self, table_change *change, firn_error *err) {
    commit_part part;
    bytes file;
    const firn_status status =
        ice_table_changes.prepare(change, COMMIT_POINTER, &self->memory, &part, err);
    if (status == FIRN_OK) {
        self->location = part.pointer.new_location;
        ice_table_changes.settle(change, COMMIT_DONE);
    }
    ice_table_changes.close(change);
    TRY(status);
    TRY(io_get(self->io, self->location, ICE_METADATA_BYTES_MAX, NULL, &self->memory, &file, err));
    TRY(ice_metadata_read(file, &self->memory, &self->metadata, err));
    self->columns = ice_metadata_schema(&self->metadata, self->metadata.current_schema_id)->columns;
    self->spec = ice_metadata_spec(&self->metadata, self->metadata.default_spec_id);
    return FIRN_OK;
}

static firn_status begin(making *self, table_change **out, firn_error *err) {
    const ice_open what = {.pool = self->query, .location = self->location};
    table_snapshot *head;
    TRY(ice_table_open(self->io, &what, NULL, &head, err));
    const firn_status status =
        ice_table_changes.open(self->owner, &self->env, head, NULL, out, err);
    table_snapshot_release(head);
    return status;
}

// COLUMN=TRANSFORM.
static firn_status take_by(making *self, char *by, partition_field *out, bool *is_void,
                           firn_error *err) {
    char *equal = strchr(by, '=');
    if (equal == NULL) {
        return FAIL(err, FIRN_INVALID, "--by %s: no transform", by);
    }
    text *name = ARENA_NEW(&self->memory, text, 1);
    *name = (text){.data = by, .size = (size_t)(equal - by)};
    *is_void = strcmp(equal + 1, "void") == 0;
    *out = (partition_field){.path = {.count = 1, .items = name},
                             .transform = *is_void ? TEXT("identity") : text_of(equal + 1)};
    return FIRN_OK;
}

static firn_status create(making *self, const schema *wanted, firn_error *err) {
    const firn_option properties[] = {{"format-version", self->version},
                                      {"commit.manifest.min-count-to-merge", "2"}};
    partition_field fields[FIELDS_MAX];
    alteration drops[FIELDS_MAX];
    uint32_t drop_count = 0;
    table_change *change;
    for (uint32_t i = 0; i < self->by_count; i++) {
        bool is_void;
        TRY(take_by(self, self->by[i], &fields[i], &is_void, err));
        if (is_void) {
            drops[drop_count++] =
                (alteration){.kind = ALTER_DROP_PARTITION, .partition = fields[i]};
        }
    }
    const table_definition definition = {.columns = *wanted,
                                         .location = text_of(self->folder),
                                         .partition_count = self->by_count,
                                         .partitions = fields,
                                         .property_count = 2,
                                         .properties = properties};
    TRY(ice_table_changes.open(self->owner, &self->env, NULL, &definition, &change, err));
    const firn_status status = ice_table_changes.alter(change, drops, drop_count, err);
    if (status != FIRN_OK) {
        ice_table_changes.close(change);
        return status;
    }
    return commit(self, change, err);
}

// ---- Data files --------------------------------------------------------------------------------

// Bounds as Iceberg has them: of decimals in another order.
static firn_status bound_of(making *self, const type *of, bytes stored, bytes *out,
                            firn_error *err) {
    if (of->id != TYPE_DECIMAL) {
        *out = stored;
        return FIRN_OK;
    }
    uint8_t turned[16];
    const bool is_little = of->precision <= 18;
    for (size_t i = 0; i < stored.size && i < sizeof turned; i++) {
        turned[i] = stored.data[is_little ? stored.size - 1 - i : i];
    }
    const ice_scalar value = ice_scalar_of_bytes(of, (bytes){.data = turned, .size = stored.size});
    return ice_scalar_bytes(of, &value, &self->memory, out, err);
}

static firn_status take_metrics(making *self, const pw_report *report, ice_file *out,
                                firn_error *err) {
    ice_column_metric *made = ARENA_NEW(&self->memory, ice_column_metric, report->leaf_count);
    uint64_t *offsets = ARENA_NEW(&self->memory, uint64_t, report->group_count);
    for (uint32_t i = 0; i < report->leaf_count; i++) {
        const pw_leaf_report *leaf = &report->leaves[i];
        const type *of = self->columns.fields[i].type;
        const bool is_real = type_category_of(of) == CATEGORY_FLOAT;
        made[i] = (ice_column_metric){.field_id = self->columns.fields[i].id,
                                      .size = (int64_t)leaf->size,
                                      .value_count = (int64_t)leaf->entry_count,
                                      .null_count = (int64_t)leaf->null_count,
                                      .nan_count = is_real ? (int64_t)leaf->nan_count : -1};
        if (leaf->has_minimum) {
            TRY(bytes_copy(&self->memory, leaf->minimum, &made[i].low, err));
            TRY(bound_of(self, of, made[i].low, &made[i].low, err));
        }
        if (leaf->has_maximum) {
            TRY(bytes_copy(&self->memory, leaf->maximum, &made[i].high, err));
            TRY(bound_of(self, of, made[i].high, &made[i].high, err));
        }
    }
    for (uint32_t i = 0; i < report->group_count; i++) {
        offsets[i] = (uint64_t)report->group_offsets[i];
    }
    out->metrics = made;
    out->metric_count = report->leaf_count;
    out->split_offsets = offsets;
    out->split_count = report->group_count;
    out->row_count = report->row_count;
    out->size = report->size;
    return FIRN_OK;
}

static firn_status take_partition(making *self, const batch *rows, ice_file *out, firn_error *err) {
    ice_scalar *values = ARENA_NEW(&self->memory, ice_scalar, FIELDS_MAX);
    for (uint32_t i = 0; i < self->spec->count; i++) {
        const ice_partition_field *of = &self->spec->fields[i];
        const column *source = &rows->columns[of->source_id - 1];
        column flat;
        column keys;
        TRY(column_flatten(&self->memory, source, &flat, err));
        TRY(ice_transform_column(&of->transform, &flat, of->name, &self->memory, &keys, err));
        values[i] = ice_scalar_of_column(&keys, 0);
        if (values[i].kind == ICE_SCALAR_BYTES) {
            TRY(bytes_copy(&self->memory, values[i].data, &values[i].data, err));
        }
    }
    out->partition = values;
    return FIRN_OK;
}

typedef struct copying {
    pq_file *input;
    io_file *file;
    pq_reader *reader;
    const pw_schema *schema;
    pw_options options;
    pw_group *group;
    pw_worker worker;
    pw_file *out;
} copying;

static firn_status open_input(making *self, const char *from, copying *copy, firn_error *err) {
    const pq_file_options options = {.types = {.int96_in_micros = true}};
    TRY(io_file_open(self->io, text_of(from), &(io_open_options){.cancel = NULL}, &copy->file,
                     err));
    TRY(pq_file_open(copy->file, &options, self->query, NULL, &copy->input, err));
    const uint32_t count = copy->input->types.columns.count;
    pq_pick *picks = ARENA_NEW(&self->memory, pq_pick, (size_t)count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const pq_file_field of = pq_file_column(copy->input, i);
        TRY(pq_pick_make(copy->input, &of, NULL, PQ_MATCH_NAME, &self->memory, &picks[i], err));
    }
    const pq_reader_options reading = {.owner = self->query, .codecs = &self->codecs};
    return pq_reader_open(copy->input, picks, count, &reading, &copy->reader, err);
}

static firn_status copy_rows(making *self, copying *copy, ice_file *out, firn_error *err) {
    pq_answer answer = PQ_READY;
    const pw_report *report;
    pq_reader_start(copy->reader, 0, pq_file_row_group_count(copy->input));
    TRY(pw_group_open(copy->schema, &copy->options, self->query, &copy->group, err));
    while (answer != PQ_END) {
        batch rows;
        TRY(pq_reader_next(copy->reader, &rows, &answer, err));
        if (answer == PQ_READY) {
            if (out->partition == NULL) {
                TRY(take_partition(self, &rows, out, err));
            }
            TRY(pw_group_put(copy->group, &rows, &copy->worker, err));
        }
    }
    TRY(pw_group_finish(copy->group, &copy->worker, err));
    TRY(pw_file_add(copy->out, copy->group, err));
    TRY(pw_file_finish(copy->out, &report, err));
    return take_metrics(self, report, out, err);
}

static firn_status write_data(making *self, const char *from, uint32_t number,
                              table_change **change, ice_file *out, firn_error *err) {
    copying copy = {.options = pw_options_default(), .worker = pw_worker_open(self->query, NULL)};
    *out = (ice_file){.format = TEXT("PARQUET"), .sort_order_id = 0};
    firn_status status = open_input(self, from, &copy, err);
    if (status == FIRN_OK && number == 0) {
        status = create(self, &copy.input->types.columns, err);
    }
    if (status == FIRN_OK) {
        status = begin(self, change, err);
    }
    if (status == FIRN_OK) {
        status = ice_change_data_path(*change, (text){.size = 0}, number, "parquet", &self->memory,
                                      &out->path, err);
    }
    if (status == FIRN_OK) {
        status = pw_schema_make(&self->columns, &self->memory, &copy.schema, err);
    }
    io_writer *writer = NULL;
    if (status == FIRN_OK) {
        status = io_writer_open(self->io, out->path, true, &writer, err);
    }
    if (status == FIRN_OK) {
        status = pw_file_open(writer, copy.schema, &copy.options, self->query, &copy.out, err);
    }
    if (status == FIRN_OK) {
        status = copy_rows(self, &copy, out, err);
    }
    pw_group_close(copy.group);
    pw_file_close(copy.out);
    pw_worker_close(&copy.worker);
    pq_reader_close(copy.reader);
    pq_file_release(copy.input);
    io_file_release(copy.file);
    return status;
}

// ---- Snapshots ---------------------------------------------------------------------------------

static firn_status add_rows(making *self, table_change *change, const ice_row_step *step,
                            firn_error *err) {
    const firn_status status = ice_change_add_rows(change, step, NULL, err);
    if (status != FIRN_OK) {
        ice_table_changes.close(change);
        return status;
    }
    return commit(self, change, err);
}

static firn_status append(making *self, const char *from, uint32_t number, firn_error *err) {
    table_change *change = NULL;
    ice_added_file file;
    const firn_status status = write_data(self, from, number, &change, &file.file, err);
    if (status != FIRN_OK) {
        if (change != NULL) {
            ice_table_changes.close(change);
        }
        return status;
    }
    file.spec_id = self->spec->id;
    self->last = file.file;
    self->first_path = number == 0 ? file.file.path : self->first_path;
    const ice_row_step step = {.kind = CHANGE_APPEND, .added_count = 1, .added = &file};
    return add_rows(self, change, &step, err);
}

static firn_status delete_first(making *self, firn_error *err) {
    table_change *change;
    const ice_row_step step = {
        .kind = CHANGE_DELETE, .removed_count = 1, .removed = &self->first_path};
    TRY(begin(self, &change, err));
    return add_rows(self, change, &step, err);
}

static firn_status write_delete(making *self, const batch *rows, ice_file *out, firn_error *err) {
    static const field fields[] = {
        {.name = {.data = "file_path", .size = 9}, .type = TYPE_OF(VARCHAR), .id = 2147483546},
        {.name = {.data = "pos", .size = 3}, .type = TYPE_OF(BIGINT), .id = 2147483545},
    };
    const pw_options options = pw_options_default();
    const pw_schema *schema;
    const pw_report *report = NULL;
    io_writer *writer;
    pw_file *file = NULL;
    pw_group *group = NULL;
    pw_worker worker = pw_worker_open(self->query, NULL);
    TRY(pw_schema_make(&(struct schema){.count = 2, .fields = fields}, &self->memory, &schema,
                       err));
    TRY(io_writer_open(self->io, out->path, true, &writer, err));
    firn_status status = pw_file_open(writer, schema, &options, self->query, &file, err);
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

static firn_status add_delete(making *self, table_change *change, firn_error *err) {
    const text of = self->last.path;
    const ice_scalar path = {.kind = ICE_SCALAR_BYTES,
                             .data = {.data = (const uint8_t *)of.data, .size = of.size}};
    const ice_scalar first = {.kind = ICE_SCALAR_NUMBER};
    const column columns[] = {*ice_scalar_try_column(TYPE_OF(VARCHAR), &path, &self->memory),
                              *ice_scalar_try_column(TYPE_OF(BIGINT), &first, &self->memory)};
    const batch rows = batch_of(columns, 2, 1);
    ice_added_file file = {.spec_id = self->spec->id,
                           .file = {.content = ICE_POSITION_DELETES,
                                    .format = TEXT("PARQUET"),
                                    .partition = self->last.partition,
                                    .sort_order_id = -1,
                                    .referenced_file = of}};
    TRY(ice_change_data_path(change, (text){.size = 0}, 0, "deletes.parquet", &self->memory,
                             &file.file.path, err));
    TRY(write_delete(self, &rows, &file.file, err));
    const ice_row_step step = {.kind = CHANGE_DELETE,
                               .added_count = 1,
                               .added = &file,
                               .referenced_count = 1,
                               .referenced = &of};
    return ice_change_add_rows(change, &step, NULL, err);
}

static firn_status delete_row(making *self, firn_error *err) {
    table_change *change;
    TRY(begin(self, &change, err));
    const firn_status status = add_delete(self, change, err);
    if (status != FIRN_OK) {
        ice_table_changes.close(change);
        return status;
    }
    return commit(self, change, err);
}

static firn_status make(making *self, uint32_t count, char **files, firn_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        TRY(append(self, files[i], i, err));
    }
    TRY(count > 1 ? delete_first(self, err) : FIRN_OK);
    return self->metadata.format_version > 1 ? delete_row(self, err) : FIRN_OK;
}

int main(int count, char **arguments) {
    static making self;
    char *files[FILES_MAX];
    uint32_t file_count = 0;
    firn_error err = ERR_INIT;
    for (int i = 3; i < count; i++) {
        if (strcmp(arguments[i], "--by") == 0 && i + 1 < count && self.by_count < FIELDS_MAX) {
            self.by[self.by_count++] = arguments[++i];
        } else if (file_count < FILES_MAX) {
            files[file_count++] = arguments[i];
        }
    }
    if (count < 4 || file_count == 0) {
        (void)fprintf(
            stderr, "usage: iceberg_write FOLDER VERSION IN.parquet... [--by COLUMN=TRANSFORM]\n");
        return 2;
    }
    self.folder = arguments[1];
    self.version = arguments[2];
    self.codecs = codec_scratch_open(64 << 20);
    const pool_options options = {.kind = POOL_QUERY, .name = "iceberg_write"};
    if (io_open(&(io_options){.has_thread = false}, &self.io, &err) != FIRN_OK ||
        pool_open_engine(MEMORY_LIMIT, &self.engine, &err) != FIRN_OK ||
        pool_open(self.engine, &options, &self.query, &err) != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    self.memory = arena_open_in(self.query, SIZE_MAX);
    self.env = (transaction_env){.io = self.io, .pool = self.query, .context = &self.context};
    firn_status status = transaction_begin(&self.catalog, &self.env, &self.owner, &err);
    status = status == FIRN_OK ? make(&self, file_count, files, &err) : status;
    if (status != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
    } else {
        printf("%.*s\n", TEXT_ARGS(self.location));
    }
    transaction_close(self.owner);
    arena_close(&self.memory);
    codec_scratch_close(&self.codecs);
    pool_close(self.query);
    pool_close(self.engine);
    io_close(self.io);
    return status == FIRN_OK ? 0 : 1;
}
