#include "tables/iceberg/iceberg_manifest_list_write.h"

#define OPTION(kind) "[\"null\",\"" kind "\"],\"default\":null"
#define FIELD(name, kind, id) "{\"name\":\"" name "\",\"type\":" kind ",\"field-id\":" id "}"
#define SUMMARIES                                                                                  \
    "[\"null\",{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"r508\","              \
    "\"fields\":[" FIELD("contains_null", "\"boolean\"", "509") "," FIELD(                         \
        "contains_nan", OPTION("boolean"),                                                         \
        "518") "," FIELD("lower_bound", OPTION("bytes"),                                           \
                         "510") "," FIELD("upper_bound", OPTION("bytes"),                          \
                                          "511") "]},\"element-id\":508}],\"default\":null"
#define HEAD                                                                                       \
    "{\"type\":\"record\",\"name\":\"manifest_file\",\"fields\":[" FIELD(                          \
        "manifest_path", "\"string\"", "500") "," FIELD("manifest_length", "\"long\"",             \
                                                        "501") "," FIELD("partition_spec_id",      \
                                                                         "\"int\"", "502") ","
#define TAIL                                                                                       \
    "," FIELD("partitions", SUMMARIES, "507") "," FIELD("key_metadata", OPTION("bytes"), "519") "]}"
#define COUNTS(int_kind, long_kind)                                                                \
    FIELD("added_snapshot_id", "\"long\"", "503")                                                  \
    "," FIELD("added_files_count", int_kind, "504") "," FIELD(                                     \
        "existing_files_count", int_kind,                                                          \
        "505") "," FIELD("deleted_files_count", int_kind,                                          \
                         "506") "," FIELD("added_rows_count", long_kind,                           \
                                          "512") "," FIELD("existing_rows_count", long_kind,       \
                                                           "513") "," FIELD("deleted_rows_count",  \
                                                                            long_kind, "514")

static const char schema_v1[] = HEAD COUNTS(OPTION("int"), OPTION("long")) TAIL;
static const char schema_v2[] = HEAD FIELD("content", "\"int\"", "517") "," FIELD(
    "sequence_number", "\"long\"", "515") "," FIELD("min_sequence_number", "\"long\"",
                                                    "516") "," COUNTS("\"int\"", "\"long\"") TAIL;

static bool put_bound(byte_output *out, bytes value, bool is_there) {
    return avro_put_branch(out, is_there ? 1 : 0) && (!is_there || avro_put_bytes(out, value));
}

static bool put_summaries(byte_output *out, const ice_manifest *of) {
    const uint32_t count = of->summary_count;
    if (count == 0) { // Not an empty array: for a spec with fields Java would look into it.
        return avro_put_branch(out, 0);
    }
    bool fits = avro_put_branch(out, 1) && avro_put_count(out, count);
    for (uint32_t i = 0; i < count && fits; i++) {
        const ice_summary *each = &of->summaries[i];
        fits = avro_put_boolean(out, each->has_null) && avro_put_branch(out, 1) &&
               avro_put_boolean(out, each->has_nan) && put_bound(out, each->low, each->has_low) &&
               put_bound(out, each->high, each->has_high);
    }
    return fits && avro_put_count(out, 0);
}

// The counts in the order of their fields.
static bool put_counts(byte_output *out, const ice_manifest *of, bool is_v1) {
    const exact_u64 counts[] = {of->files.added, of->files.existing, of->files.deleted,
                                of->rows.added,  of->rows.existing,  of->rows.deleted};
    bool fits = true;
    for (size_t i = 0; i < sizeof counts / sizeof *counts && fits; i++) {
        const bool is_known = counts[i].is_known;
        fits = (!is_v1 || avro_put_branch(out, is_known ? 1 : 0)) &&
               (!is_known || avro_put_long(out, (int64_t)counts[i].value));
    }
    return fits;
}

static firn_status check_manifest(const ice_list_wanted *wanted, const ice_manifest *of,
                                  firn_error *err) {
    const exact_u64 counts[] = {of->files.added, of->files.existing, of->files.deleted,
                                of->rows.added,  of->rows.existing,  of->rows.deleted};
    bool are_known = true;
    bool fit = of->length <= INT64_MAX;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        are_known &= counts[i].is_known;
        fit &= !counts[i].is_known || counts[i].value <= (i < 3 ? INT32_MAX : INT64_MAX);
    }
    if (of->length == 0 || of->is_bare || (wanted->format_version > 1 && !are_known)) {
        return FAIL(err, FIRN_UNSUPPORTED,
                    "of the manifest \"%.*s\" its size or its counts are not known",
                    TEXT_ARGS(of->path));
    }
    if (!fit || (wanted->format_version == 1 && of->has_deletes)) {
        return FAIL(err, FIRN_INVALID, "the manifest \"%.*s\" cannot be in a list of version %d",
                    TEXT_ARGS(of->path), wanted->format_version);
    }
    return FIRN_OK;
}

static firn_status put_manifest(avro_writer *writer, const ice_list_wanted *wanted,
                                const ice_manifest *of, firn_error *err) {
    byte_output *out = &writer->block;
    const bool is_v1 = wanted->format_version == 1;
    const int64_t sequence =
        of->sequence_number == ICE_NO_SEQUENCE ? wanted->sequence_number : of->sequence_number;
    const int64_t least =
        of->min_sequence_number == ICE_NO_SEQUENCE ? sequence : of->min_sequence_number;
    TRY(check_manifest(wanted, of, err));
    const bool fits = avro_put_text(out, of->path) && avro_put_long(out, (int64_t)of->length) &&
                      avro_put_long(out, of->spec_id) &&
                      (is_v1 || (avro_put_long(out, of->has_deletes ? 1 : 0) &&
                                 avro_put_long(out, sequence) && avro_put_long(out, least))) &&
                      avro_put_long(out, of->added_snapshot_id) && put_counts(out, of, is_v1) &&
                      put_summaries(out, of) &&
                      put_bound(out, of->key_metadata, of->key_metadata.size > 0);
    return fits ? avro_writer_end_record(writer, err) : BYTE_OUTPUT_FULL(out, err);
}

firn_status ice_manifest_list_write(const ice_list_wanted *wanted, arena *memory,
                                    codec_scratch *codecs, bytes *out, firn_error *err) {
    const bool is_v1 = wanted->format_version == 1;
    if (wanted->format_version < 1 || wanted->format_version > 2) {
        return FAIL(err, FIRN_UNSUPPORTED, "manifest lists of version %d are not written",
                    wanted->format_version);
    }
    text numbers[4];
    TRY(text_format(memory, &numbers[0], err, "%lld", (long long)wanted->snapshot_id));
    TRY(text_format(memory, &numbers[1], err, "%lld", (long long)wanted->parent_id));
    TRY(text_format(memory, &numbers[2], err, "%d", wanted->format_version));
    TRY(text_format(memory, &numbers[3], err, "%lld", (long long)wanted->sequence_number));
    numbers[1] = wanted->parent_id == ICE_NO_SNAPSHOT ? TEXT("null") : numbers[1];
    const avro_property properties[] = {
        {TEXT("snapshot-id"), bytes_of_text(numbers[0])},
        {TEXT("parent-snapshot-id"), bytes_of_text(numbers[1])},
        {TEXT("format-version"), bytes_of_text(numbers[2])},
        {TEXT("sequence-number"), bytes_of_text(numbers[3])}, // The last: v1 has none.
    };
    avro_wanted file = {.schema_json = is_v1 ? text_of(schema_v1) : text_of(schema_v2),
                        .codec = CODEC_DEFLATE,
                        .property_count = is_v1 ? 3 : 4,
                        .properties = properties};
    memcpy(file.sync, wanted->sync, sizeof file.sync);
    avro_writer writer;
    TRY(avro_writer_open(&writer, &file, memory, codecs, err));
    for (uint32_t i = 0; i < wanted->count; i++) {
        TRY(put_manifest(&writer, wanted, &wanted->manifests[i], err));
    }
    return avro_writer_finish(&writer, out, err);
}
