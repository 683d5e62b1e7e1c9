// Makes an Iceberg table of Parquet files that firn writes, by what src/tables/iceberg writes of
// manifests, lists and metadata: for tests/interop/iceberg_write_test.py, which has other readers
// open it. On internals; columns are flat.
//
//     iceberg_write FOLDER VERSION IN.parquet… [--by COLUMN=TRANSFORM]…
//
// Each file is one snapshot that appends its rows; all its rows are in one partition, that of the
// first. One snapshot more, if there are several files, writes all entries anew into one manifest,
// in which the first file is deleted. Prints the last metadata file.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "formats/parquet/pq_reader.h"
#include "formats/parquet/write/pw_file.h"
#include "tables/iceberg/iceberg_manifest_list_write.h"
#include "tables/iceberg/iceberg_manifest_write.h"
#include "tables/iceberg/iceberg_metadata_write.h"
#include "tables/iceberg/iceberg_transform_column.h"

#define MEMORY_LIMIT (UINT64_C(4) << 30)
#define FILES_MAX 16
#define FIELDS_MAX 32
#define SNAPSHOT_FIRST 1000

typedef struct making {
    io *io;
    pool *engine;
    pool *query;
    codec_scratch codecs;
    arena memory;
    arena block;
    const char *folder;
    int32_t version;
    uint32_t by_count;
    const char *by[FIELDS_MAX];
    schema columns;
    text schema_json;
    ice_schema table_schema;
    ice_spec spec;
    ice_partition_field fields[FIELDS_MAX];
    const type *sources[FIELDS_MAX];
    const json_node *root; // Of the metadata.
    ice_metadata metadata;
    int64_t snapshot; // The last.
    int64_t sequence;
    uint32_t manifest_count; // Of the last snapshot.
    ice_manifest manifests[FILES_MAX];
    bytes manifest_files[FILES_MAX];
    text metadata_path;
    uint32_t file_number;
} making;

static firn_status put_file(making *self, bytes content, const char *word, uint32_t number,
                            const char *ending, text *path, firn_error *err) {
    TRY(text_format(&self->memory, path, err, "%s/metadata/%s%u%s", self->folder, word, number,
                    ending));
    FILE *out = fopen(path->data, "wbe");
    if (out == NULL || fwrite(content.data, 1, content.size, out) != content.size) {
        return FAIL(err, FIRN_IO, "%s: not written", path->data);
    }
    return fclose(out) == 0 ? FIRN_OK : FAIL(err, FIRN_IO, "%s: not written", path->data);
}

static bytes bytes_of(text value) {
    return (bytes){.data = (const uint8_t *)value.data, .size = value.size};
}

// ---- Metadata ----------------------------------------------------------------------------------

static firn_status commit(making *self, text updates, firn_error *err) {
    const ice_change how = {.now_ms = (int64_t)time(NULL) * 1000,
                            .old_location = self->metadata_path};
    ice_changed changed;
    TRY(ice_metadata_change(self->root, updates, &how, &self->memory, &changed, err));
    TRY(put_file(self, bytes_of(changed.json), "v", ++self->file_number, ".metadata.json",
                 &self->metadata_path, err));
    TRY(ice_json_read(bytes_of(changed.json), &self->memory, &self->root, err));
    return ice_metadata_read(bytes_of(changed.json), &self->memory, &self->metadata, err);
}

static firn_status choose_partition(making *self, const char *by, firn_error *err) {
    const char *equal = strchr(by, '=');
    const uint32_t index = self->spec.count++;
    for (uint32_t i = 0; i < self->columns.count && equal != NULL; i++) {
        const field *column = &self->columns.fields[i];
        if (text_equal(column->name, (text){.data = by, .size = (size_t)(equal - by)})) {
            ice_partition_field *made = &self->fields[index];
            *made = (ice_partition_field){.source_id = column->id,
                                          .field_id = 1000 + (int32_t)index,
                                          .transform = ice_transform_read(text_of(equal + 1))};
            self->sources[index] = column->type;
            return text_format(&self->memory, &made->name, err, "p %s", by);
        }
    }
    return FAIL(err, FIRN_INVALID, "--by %s: no such column", by);
}

static firn_status create(making *self, const schema *wanted, firn_error *err) {
    ice_updates updates;
    text json;
    int32_t last = 0;
    schema kept;
    TRY(schema_copy(&self->memory, wanted, &kept, err));
    TRY(ice_schema_assign(&kept, self->version, &self->memory, &last, &self->columns, err));
    self->spec.fields = self->fields;
    for (uint32_t i = 0; i < self->by_count; i++) {
        TRY(choose_partition(self, self->by[i], err));
    }
    self->table_schema = (ice_schema){.columns = self->columns};
    text_builder builder = text_builder_open(&self->memory);
    json_writer writer = json_writer_into(&builder, 0);
    ice_schema_write(&writer, &self->table_schema);
    json_writer_finish(&writer);
    TRY(text_builder_finish(&builder, &self->schema_json, err));
    ice_updates_open(&updates, &self->memory);
    ice_update_assign_uuid(&updates, TEXT("9c12d441-03fe-4693-9a96-a0705ddf69c1"));
    ice_update_upgrade(&updates, self->version);
    ice_update_add_schema(&updates, &self->table_schema, last);
    ice_update_set_current_schema(&updates, -1);
    ice_update_add_spec(&updates, &self->spec, &self->memory);
    ice_update_set_default_spec(&updates, -1);
    ice_update_add_order(&updates, &(ice_order){.id = 0}, &self->memory);
    ice_update_set_default_order(&updates, -1);
    ice_update_set_location(&updates, text_of(self->folder));
    TRY(ice_updates_finish(&updates, &json, err));
    return commit(self, json, err);
}

// A snapshot of the manifests that `self` has.
static firn_status add_snapshot(making *self, const char *operation, firn_error *err) {
    ice_updates updates;
    text json;
    bytes file;
    ice_list_wanted wanted = {.format_version = self->version,
                              .snapshot_id = self->snapshot + 1,
                              .parent_id = self->snapshot < SNAPSHOT_FIRST ? ICE_NO_SNAPSHOT
                                                                           : self->snapshot,
                              .sequence_number = ++self->sequence,
                              .count = self->manifest_count,
                              .manifests = self->manifests,
                              .sync = "sync of a list."};
    text path;
    TRY(ice_manifest_list_write(&wanted, &self->memory, &self->codecs, &file, err));
    TRY(put_file(self, file, "snap-", (uint32_t)wanted.snapshot_id, ".avro", &path, err));
    ice_updates_open(&updates, &self->memory);
    ice_update_add_snapshot(
        &updates, &(ice_new_snapshot){.id = wanted.snapshot_id,
                                      .parent_id = wanted.parent_id,
                                      .sequence_number = self->version == 1 ? 0 : self->sequence,
                                      .timestamp_ms =
                                          ice_metadata_time(self->root, (int64_t)time(NULL) * 1000),
                                      .manifest_list = path,
                                      .operation = text_of(operation)});
    ice_update_set_ref(&updates,
                       &(ice_new_ref){.name = TEXT("main"), .snapshot_id = wanted.snapshot_id});
    TRY(ice_updates_finish(&updates, &json, err));
    self->snapshot = wanted.snapshot_id;
    ice_manifest_list list; // As the next snapshot would see them.
    TRY(ice_manifest_list_read(file, &self->memory, &list, err));
    memcpy(self->manifests, list.items, list.count * sizeof *list.items);
    return commit(self, json, err);
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
    for (uint32_t i = 0; i < self->spec.count; i++) {
        const ice_partition_field *of = &self->fields[i];
        const column *source = &rows->columns[of->source_id - 1];
        column flat;
        column keys;
        TRY(column_flatten(&self->memory, source, &flat, err));
        TRY(ice_transform_column(&of->transform, &flat, &self->memory, &keys, err));
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

static firn_status write_data(making *self, const char *from, uint32_t number, ice_file *out,
                              firn_error *err) {
    copying copy = {.options = pw_options_default(), .worker = pw_worker_open(self->query, NULL)};
    *out = (ice_file){.format = TEXT("PARQUET"), .sort_order_id = 0};
    firn_status status = open_input(self, from, &copy, err);
    if (status == FIRN_OK && number == 0) {
        status = create(self, &copy.input->types.columns, err);
    }
    if (status == FIRN_OK) {
        status =
            text_format(&self->memory, &out->path, err, "%s/data/%u.parquet", self->folder, number);
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

static ice_manifest_wanted wanted_manifest(making *self, text path) {
    return (ice_manifest_wanted){.format_version = self->version,
                                 .path = path,
                                 .snapshot_id = self->snapshot + 1,
                                 .schema_json = self->schema_json,
                                 .spec = &self->spec,
                                 .sources = self->sources,
                                 .sync = "of a manifest.."};
}

static firn_status append(making *self, const char *from, uint32_t number, firn_error *err) {
    ice_new_entry entry = {.status = ICE_ADDED,
                           .sequence_number = ICE_NO_SEQUENCE,
                           .file_sequence_number = ICE_NO_SEQUENCE};
    ice_manifest_writer writer;
    text path;
    bytes file;
    TRY(write_data(self, from, number, &entry.file, err));
    TRY(text_format(&self->memory, &path, err, "%s/metadata/m%u.avro", self->folder, number));
    const ice_manifest_wanted wanted = wanted_manifest(self, path);
    entry.snapshot_id = wanted.snapshot_id;
    TRY(ice_manifest_writer_open(&writer, &wanted, &self->memory, &self->codecs, err));
    TRY(ice_manifest_writer_add(&writer, &entry, err));
    memmove(self->manifests + 1, self->manifests, self->manifest_count * sizeof(ice_manifest));
    memmove(self->manifest_files + 1, self->manifest_files, self->manifest_count * sizeof(bytes));
    TRY(ice_manifest_writer_finish(&writer, &file, &self->manifests[0], err));
    self->manifest_files[0] = file;
    self->manifest_count++;
    TRY(put_file(self, file, "m", number, ".avro", &path, err));
    return add_snapshot(self, "append", err);
}

static firn_status copy_manifest(making *self, uint32_t index, ice_manifest_writer *writer,
                                 firn_error *err) {
    const ice_walk_memory in = {&self->memory, &self->block, &self->codecs};
    ice_walk walk;
    ice_entry entry;
    bool has_entry = true;
    TRY(ice_walk_open_whole(&walk, self->manifest_files[index], &self->manifests[index],
                            &self->metadata, &in, err));
    while (has_entry) {
        ice_new_entry copy;
        TRY(ice_walk_next(&walk, &entry, &has_entry, err));
        const bool is_last = index + 1 == self->manifest_count;
        const ice_copy how = {.status = is_last ? ICE_DELETED : ICE_EXISTING,
                              .snapshot_id = self->snapshot + 1,
                              .sources = self->sources};
        if (has_entry) {
            TRY(ice_entry_copy(&walk, &entry, &how, &self->memory, &copy, err));
            TRY(ice_manifest_writer_add(writer, &copy, err));
        }
    }
    return FIRN_OK;
}

static firn_status delete_first(making *self, firn_error *err) {
    ice_manifest_writer writer;
    text path;
    bytes file;
    TRY(text_format(&self->memory, &path, err, "%s/metadata/m%u.avro", self->folder, 99U));
    const ice_manifest_wanted wanted = wanted_manifest(self, path);
    TRY(ice_manifest_writer_open(&writer, &wanted, &self->memory, &self->codecs, err));
    for (uint32_t i = 0; i < self->manifest_count; i++) {
        TRY(copy_manifest(self, i, &writer, err));
    }
    TRY(ice_manifest_writer_finish(&writer, &file, &self->manifests[0], err));
    self->manifest_count = 1;
    TRY(put_file(self, file, "m", 99, ".avro", &path, err));
    return add_snapshot(self, "delete", err);
}

static firn_status make(making *self, uint32_t count, char **files, firn_error *err) {
    self->snapshot = SNAPSHOT_FIRST - 1;
    for (uint32_t i = 0; i < count; i++) {
        TRY(append(self, files[i], i, err));
    }
    return count > 1 ? delete_first(self, err) : FIRN_OK;
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
    self.version = (int32_t)strtol(arguments[2], NULL, 10);
    self.codecs = codec_scratch_open(64 << 20);
    const pool_options options = {.kind = POOL_QUERY, .name = "iceberg_write"};
    if (io_open(&(io_options){.has_thread = false}, &self.io, &err) != FIRN_OK ||
        pool_open_engine(MEMORY_LIMIT, &self.engine, &err) != FIRN_OK ||
        pool_open(self.engine, &options, &self.query, &err) != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    self.memory = arena_open_in(self.query, SIZE_MAX);
    self.block = arena_open_in(self.query, SIZE_MAX);
    const firn_status status = make(&self, file_count, files, &err);
    if (status != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
    } else {
        printf("%s\n", self.metadata_path.data);
    }
    arena_close(&self.block);
    arena_close(&self.memory);
    codec_scratch_close(&self.codecs);
    pool_close(self.query);
    pool_close(self.engine);
    io_close(self.io);
    return status == FIRN_OK ? 0 : 1;
}
