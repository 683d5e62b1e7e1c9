#include "tables/iceberg/iceberg_manifest_write.h"

#include <math.h>

#include "base/checked.h"
#include "tables/iceberg/iceberg_manifest_schema.h"
#include "tables/iceberg/iceberg_schema_write.h"

#define BLOCK_SIZE_V1 ((int64_t)64 << 20) // Means nothing since long, and must be there.

// ---- Partitions --------------------------------------------------------------------------------

firn_status ice_spec_sources(const ice_metadata *metadata, const ice_schema *first,
                             const ice_spec *spec, arena *memory, const type *const **out,
                             firn_error *err) {
    const type **sources = ARENA_NEW(memory, const type *, (size_t)spec->count + 1);
    if (sources == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < spec->count; i++) {
        const field *found = ice_metadata_field(metadata, first, spec->fields[i].source_id);
        sources[i] = found == NULL ? NULL : found->type;
    }
    *out = sources;
    return FIRN_OK;
}

const type *ice_partition_type(const ice_partition_field *of, const type *source) {
    if (source == NULL) {
        return TYPE_OF(INTEGER);
    }
    if (of->transform.kind == ICE_DAY) {
        return TYPE_OF(DATE);
    }
    const type *result =
        of->transform.kind == ICE_VOID ? source : ice_transform_result(&of->transform, source);
    return result == NULL || ice_scalar_kind_of(result) == ICE_SCALAR_NONE ? TYPE_OF(INTEGER)
                                                                           : result;
}

static firn_status open_partition(ice_manifest_writer *self, firn_error *err) {
    const ice_spec *spec = self->wanted->spec;
    self->results = ARENA_NEW(self->memory, const type *, (size_t)spec->count + 1);
    self->ranges = ARENA_NEW(self->memory, ice_partition_range, (size_t)spec->count + 1);
    if (self->results == NULL || self->ranges == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (uint32_t i = 0; i < spec->count; i++) {
        const ice_partition_field *of = &spec->fields[i];
        if (of->transform.kind == ICE_UNKNOWN) {
            return FAIL(err, FIRN_UNSUPPORTED,
                        "the transform of partition field \"%.*s\" is not known, so that nothing "
                        "can be written to it",
                        TEXT_ARGS(of->name));
        }
        self->results[i] = ice_partition_type(of, self->wanted->sources[i]);
        self->ranges[i] = (ice_partition_range){.has_null = false};
    }
    return FIRN_OK;
}

static firn_status widen_to(ice_partition_range *self, const ice_scalar *value, arena *memory,
                            firn_error *err) {
    if (value->kind == ICE_SCALAR_NULL) {
        self->has_null = true;
        return FIRN_OK;
    }
    if (value->kind == ICE_SCALAR_REAL && isnan(value->real)) {
        self->has_nan = true;
        return FIRN_OK;
    }
    const bool is_first = self->low.kind == ICE_SCALAR_NONE;
    const bool is_lower = is_first || ice_scalar_compare(value, &self->low) < 0;
    const bool is_higher = is_first || ice_scalar_compare(value, &self->high) > 0;
    ice_scalar kept = *value;
    if ((is_lower || is_higher) && value->kind == ICE_SCALAR_BYTES) {
        TRY(bytes_copy(memory, value->data, &kept.data, err));
    }
    self->low = is_lower ? kept : self->low;
    self->high = is_higher ? kept : self->high;
    return FIRN_OK;
}

// ---- Values ------------------------------------------------------------------------------------

static bool put_decimal(byte_output *out, i128 value, size_t size) {
    uint8_t fewest[16];
    uint8_t all[16];
    const size_t count = ice_decimal_bytes(value, fewest);
    if (count > size) {
        return false;
    }
    memset(all, value < 0 ? 0xff : 0, sizeof all);
    memcpy(all + size - count, fewest, count);
    return avro_put_fixed(out, (bytes){.data = all, .size = size});
}

// A value that ice_scalar_bytes takes, so that it is one of its type.
static bool put_scalar(byte_output *out, const type *of, const ice_scalar *value) {
    switch ((int)of->id) {
    case TYPE_BOOLEAN:
        return avro_put_boolean(out, value->number != 0);
    case TYPE_REAL:
        return avro_put_float(out, (float)value->real);
    case TYPE_DOUBLE:
        return avro_put_double(out, value->real);
    case TYPE_DECIMAL:
        return put_decimal(out, value->number, ice_avro_fixed_size(of));
    case TYPE_VARCHAR:
    case TYPE_BINARY:
    case TYPE_UUID:
        return ice_avro_fixed_size(of) > 0 ? avro_put_fixed(out, value->data)
                                           : avro_put_bytes(out, value->data);
    default: // Integers, dates and times.
        return avro_put_long(out, (int64_t)value->number);
    }
}

static firn_status put_partition(ice_manifest_writer *self, const ice_new_entry *entry,
                                 firn_error *err) {
    byte_output *out = &self->avro.block;
    const ice_spec *spec = self->wanted->spec;
    for (uint32_t i = 0; i < spec->count; i++) {
        const ice_scalar *value = &entry->file.partition[i];
        const type *of = self->results[i];
        bytes unused;
        if (value->kind != ICE_SCALAR_NULL) {
            const firn_status status = ice_scalar_bytes(of, value, self->memory, &unused, err);
            if (status != FIRN_OK) {
                err_while(err, "writing partition field \"%.*s\"", TEXT_ARGS(spec->fields[i].name));
                return status;
            }
        }
        if (of->id == TYPE_DECIMAL && value->kind == ICE_SCALAR_NUMBER) {
            uint8_t room[16];
            if (ice_decimal_bytes(value->number, room) > ice_avro_fixed_size(of)) {
                return FAIL(err, FIRN_INVALID,
                            "a value of partition field \"%.*s\" has more than %u digits",
                            TEXT_ARGS(spec->fields[i].name), of->precision);
            }
        }
        const bool is_null = value->kind == ICE_SCALAR_NULL;
        if (!avro_put_branch(out, is_null ? 0 : 1) || (!is_null && !put_scalar(out, of, value))) {
            return BYTE_OUTPUT_FULL(out, err);
        }
    }
    return FIRN_OK;
}

static bool put_optional_bytes(byte_output *out, bytes value, bool is_there) {
    return avro_put_branch(out, is_there ? 1 : 0) && (!is_there || avro_put_bytes(out, value));
}

static bool put_optional_long(byte_output *out, int64_t value, bool is_there) {
    return avro_put_branch(out, is_there ? 1 : 0) && (!is_there || avro_put_long(out, value));
}

// One of the maps of metrics: a count, ...
static bool put_counts(byte_output *out, const ice_file *file, size_t member) {
    uint32_t count = 0;
    bool fits = true;
    for (int pass = 0; pass < 2 && fits; pass++) {
        if (pass == 1) {
            fits = avro_put_branch(out, count > 0 ? 1 : 0) &&
                   (count == 0 || avro_put_count(out, count));
        }
        for (uint32_t i = 0; i < file->metric_count && fits; i++) {
            const ice_column_metric *of = &file->metrics[i];
            int64_t value;
            memcpy(&value, (const uint8_t *)of + member, sizeof value);
            if (value >= 0 && pass == 0) {
                count++;
            } else if (value >= 0) {
                fits = avro_put_long(out, of->field_id) && avro_put_long(out, value);
            }
        }
    }
    return fits && (count == 0 || avro_put_count(out, 0));
}

// ... or a bound.
static bool put_bounds(byte_output *out, const ice_file *file, bool is_high) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < file->metric_count; i++) {
        count += (is_high ? file->metrics[i].high : file->metrics[i].low).data != NULL;
    }
    bool fits =
        avro_put_branch(out, count > 0 ? 1 : 0) && (count == 0 || avro_put_count(out, count));
    for (uint32_t i = 0; i < file->metric_count && fits; i++) {
        const bytes value = is_high ? file->metrics[i].high : file->metrics[i].low;
        if (value.data != NULL) {
            fits = avro_put_long(out, file->metrics[i].field_id) && avro_put_bytes(out, value);
        }
    }
    return fits && (count == 0 || avro_put_count(out, 0));
}

static bool put_metrics(byte_output *out, const ice_file *file) {
    return put_counts(out, file, offsetof(ice_column_metric, size)) &&
           put_counts(out, file, offsetof(ice_column_metric, value_count)) &&
           put_counts(out, file, offsetof(ice_column_metric, null_count)) &&
           put_counts(out, file, offsetof(ice_column_metric, nan_count)) &&
           put_bounds(out, file, false) && put_bounds(out, file, true);
}

static bool put_split_offsets(byte_output *out, const ice_file *file) {
    const uint32_t count = file->split_count;
    bool fits =
        avro_put_branch(out, count > 0 ? 1 : 0) && (count == 0 || avro_put_count(out, count));
    for (uint32_t i = 0; i < count && fits; i++) {
        fits = avro_put_long(out, (int64_t)file->split_offsets[i]);
    }
    return fits && (count == 0 || avro_put_count(out, 0));
}

static bool put_equality_ids(byte_output *out, const ice_file *file) {
    const uint32_t count = file->equality_count;
    bool fits =
        avro_put_branch(out, count > 0 ? 1 : 0) && (count == 0 || avro_put_count(out, count));
    for (uint32_t i = 0; i < count && fits; i++) {
        fits = avro_put_long(out, file->equality_ids[i]);
    }
    return fits && (count == 0 || avro_put_count(out, 0));
}

// ---- Entries -----------------------------------------------------------------------------------

static firn_status check_entry(const ice_manifest_writer *self, const ice_new_entry *entry,
                               firn_error *err) {
    const ice_file *file = &entry->file;
    const char *wrong = NULL;
    if ((file->content != ICE_DATA) != self->wanted->has_deletes) {
        wrong = "is not of the content of its manifest";
    } else if (file->content == ICE_EQUALITY_DELETES && file->equality_count == 0) {
        wrong = "has equality deletes and no field ids";
    } else if (file->row_count > INT64_MAX || file->size > INT64_MAX) {
        wrong = "has more rows or bytes than can be said";
    } else if (entry->snapshot_id == ICE_NO_SNAPSHOT) {
        wrong = "has no snapshot";
    } else if (self->wanted->format_version > 1 && entry->status != ICE_ADDED &&
               (entry->sequence_number == ICE_NO_SEQUENCE ||
                entry->file_sequence_number == ICE_NO_SEQUENCE)) {
        wrong = "is not new and has no sequence number";
    }
    for (uint32_t i = 0; i < file->split_count && wrong == NULL; i++) {
        wrong = file->split_offsets[i] > INT64_MAX ? "may be split beyond its end" : NULL;
    }
    return wrong == NULL
               ? FIRN_OK
               : FAIL(err, FIRN_INVALID, "the entry of \"%.*s\" %s", TEXT_ARGS(file->path), wrong);
}

static firn_status put_file(ice_manifest_writer *self, const ice_new_entry *entry,
                            firn_error *err) {
    byte_output *out = &self->avro.block;
    const ice_file *file = &entry->file;
    const bool is_v1 = self->wanted->format_version == 1;
    if (!(is_v1 || avro_put_long(out, file->content)) || !avro_put_text(out, file->path) ||
        !avro_put_text(out, file->format)) {
        return BYTE_OUTPUT_FULL(out, err);
    }
    TRY(put_partition(self, entry, err));
    const bytes referenced = {.data = (const uint8_t *)file->referenced_file.data,
                              .size = file->referenced_file.size};
    if (!avro_put_long(out, (int64_t)file->row_count) || !avro_put_long(out, (int64_t)file->size) ||
        !(!is_v1 || avro_put_long(out, BLOCK_SIZE_V1)) || !put_metrics(out, file) ||
        !put_optional_bytes(out, file->key_metadata, file->key_metadata.size > 0) ||
        !put_split_offsets(out, file) || !(is_v1 || put_equality_ids(out, file)) ||
        !put_optional_long(out, file->sort_order_id, file->sort_order_id >= 0) ||
        !(is_v1 || put_optional_bytes(out, referenced, referenced.size > 0))) {
        return BYTE_OUTPUT_FULL(out, err);
    }
    return FIRN_OK;
}

static firn_status put_entry(ice_manifest_writer *self, const ice_new_entry *entry,
                             firn_error *err) {
    byte_output *out = &self->avro.block;
    const bool is_v1 = self->wanted->format_version == 1;
    const int64_t sequence = entry->sequence_number;
    const int64_t file_sequence = entry->file_sequence_number;
    if (!avro_put_long(out, entry->status) || !put_optional_long(out, entry->snapshot_id, true) ||
        !(is_v1 || put_optional_long(out, sequence, sequence != ICE_NO_SEQUENCE)) ||
        !(is_v1 || put_optional_long(out, file_sequence, file_sequence != ICE_NO_SEQUENCE))) {
        return BYTE_OUTPUT_FULL(out, err);
    }
    return put_file(self, entry, err);
}

firn_status ice_manifest_writer_add(ice_manifest_writer *self, const ice_new_entry *entry,
                                    firn_error *err) {
    const size_t before = self->avro.block.size;
    const int64_t sequence = entry->sequence_number;
    TRY(check_entry(self, entry, err));
    const firn_status status = put_entry(self, entry, err);
    if (status != FIRN_OK) {
        self->avro.block.size = before; // As if it had not come.
        return status;
    }
    TRY(avro_writer_end_record(&self->avro, err));
    for (uint32_t i = 0; i < self->wanted->spec->count; i++) {
        TRY(widen_to(&self->ranges[i], &entry->file.partition[i], self->memory, err));
    }
    self->files[entry->status]++;
    self->rows[entry->status] = sum_capped(self->rows[entry->status], entry->file.row_count);
    if (entry->status != ICE_DELETED && sequence != ICE_NO_SEQUENCE &&
        (self->min_sequence_number == ICE_NO_SEQUENCE || sequence < self->min_sequence_number)) {
        self->min_sequence_number = sequence;
    }
    return FIRN_OK;
}

// ---- The file ----------------------------------------------------------------------------------

static firn_status spec_json(const ice_spec *spec, arena *memory, text *out, firn_error *err) {
    text_builder builder = text_builder_open(memory);
    json_writer json = json_writer_into(&builder, 0);
    ice_spec_write_fields(&json, spec, memory);
    json_writer_finish(&json);
    return text_builder_finish(&builder, out, err);
}

firn_status ice_manifest_writer_open(ice_manifest_writer *self, const ice_manifest_wanted *wanted,
                                     arena *memory, codec_scratch *codecs, firn_error *err) {
    *self = (ice_manifest_writer){
        .wanted = wanted, .memory = memory, .min_sequence_number = ICE_NO_SEQUENCE};
    if (wanted->format_version < 1 || wanted->format_version > 2 ||
        (wanted->format_version == 1 && wanted->has_deletes)) {
        return FAIL(err, FIRN_UNSUPPORTED, "manifests%s of version %d are not written",
                    wanted->has_deletes ? " of deletes" : "", wanted->format_version);
    }
    TRY(open_partition(self, err));
    text fields;
    text numbers[3];
    TRY(spec_json(wanted->spec, memory, &fields, err));
    TRY(text_format(memory, &numbers[0], err, "%d", wanted->schema_id));
    TRY(text_format(memory, &numbers[1], err, "%d", wanted->spec->id));
    TRY(text_format(memory, &numbers[2], err, "%d", wanted->format_version));
    const avro_property properties[] = {
        {TEXT("schema"), bytes_of_text(wanted->schema_json)},
        {TEXT("schema-id"), bytes_of_text(numbers[0])},
        {TEXT("partition-spec"), bytes_of_text(fields)},
        {TEXT("partition-spec-id"), bytes_of_text(numbers[1])},
        {TEXT("format-version"), bytes_of_text(numbers[2])},
        {TEXT("content"), bytes_of_text(wanted->has_deletes ? TEXT("deletes") : TEXT("data"))},
    };
    avro_wanted file = {.codec = CODEC_DEFLATE,
                        .property_count = sizeof properties / sizeof *properties,
                        .properties = properties};
    memcpy(file.sync, wanted->sync, sizeof file.sync);
    TRY(ice_manifest_schema(wanted->format_version, wanted->spec, self->results, memory,
                            &file.schema_json, err));
    return avro_writer_open(&self->avro, &file, memory, codecs, err);
}

static firn_status finish_summaries(const ice_manifest_writer *self, ice_manifest *out,
                                    firn_error *err) {
    const uint32_t count = self->wanted->spec->count;
    ice_summary *made = ARENA_NEW(self->memory, ice_summary, (size_t)count + 1);
    if (made == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        const ice_partition_range *of = &self->ranges[i];
        const bool has_bounds = of->low.kind != ICE_SCALAR_NONE;
        made[i] = (ice_summary){.has_null = of->has_null,
                                .has_nan = of->has_nan,
                                .has_low = has_bounds,
                                .has_high = has_bounds};
        if (has_bounds) {
            TRY(ice_scalar_bytes(self->results[i], &of->low, self->memory, &made[i].low, err));
            TRY(ice_scalar_bytes(self->results[i], &of->high, self->memory, &made[i].high, err));
        }
    }
    out->summary_count = count;
    out->summaries = made;
    return FIRN_OK;
}

static exact_u64 known(uint64_t value) {
    return (exact_u64){.is_known = true, .value = value};
}

static ice_status_counts counts_of(const uint64_t *by_status) {
    return (ice_status_counts){.existing = known(by_status[ICE_EXISTING]),
                               .added = known(by_status[ICE_ADDED]),
                               .deleted = known(by_status[ICE_DELETED])};
}

firn_status ice_manifest_writer_finish(ice_manifest_writer *self, bytes *file, ice_manifest *out,
                                       firn_error *err) {
    const ice_manifest_wanted *wanted = self->wanted;
    TRY(avro_writer_finish(&self->avro, file, err));
    *out = (ice_manifest){
        .length = file->size,
        .spec_id = wanted->spec->id,
        .has_deletes = wanted->has_deletes,
        .sequence_number = wanted->format_version == 1 ? 0 : ICE_NO_SEQUENCE,
        .min_sequence_number = wanted->format_version == 1 ? 0 : self->min_sequence_number,
        .added_snapshot_id = wanted->snapshot_id,
        .files = counts_of(self->files),
        .rows = counts_of(self->rows),
        .live_files = known(self->files[ICE_EXISTING] + self->files[ICE_ADDED]),
        .live_rows = known(sum_capped(self->rows[ICE_EXISTING], self->rows[ICE_ADDED])),
    };
    TRY(text_copy(self->memory, wanted->path, &out->path, err));
    return finish_summaries(self, out, err);
}
