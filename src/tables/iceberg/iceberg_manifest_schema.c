#include "tables/iceberg/iceberg_manifest_schema.h"

#include <stdio.h>

#include "base/utf8.h"

typedef enum member_kind {
    MEMBER_INT,
    MEMBER_LONG,
    MEMBER_STRING,
    MEMBER_BYTES,
    MEMBER_INTS,
    MEMBER_LONGS,
    MEMBER_COUNTS, // int to long
    MEMBER_BOUNDS, // int to bytes
    MEMBER_PARTITION,
} member_kind;

// A field of a record: of which versions it is, and the ids of its elements, or keys and values.
typedef struct member {
    const char *name;
    int32_t id;
    member_kind kind;
    bool is_optional;
    int32_t version_min;
    int32_t version_max;
    int32_t inner_id;
    int32_t value_id;
} member;

static const member file_members[] = {
    {"content", 134, MEMBER_INT, false, 2, 9, 0, 0},
    {"file_path", 100, MEMBER_STRING, false, 1, 9, 0, 0},
    {"file_format", 101, MEMBER_STRING, false, 1, 9, 0, 0},
    {"partition", 102, MEMBER_PARTITION, false, 1, 9, 0, 0},
    {"record_count", 103, MEMBER_LONG, false, 1, 9, 0, 0},
    {"file_size_in_bytes", 104, MEMBER_LONG, false, 1, 9, 0, 0},
    {"block_size_in_bytes", 105, MEMBER_LONG, false, 1, 1, 0, 0},
    {"column_sizes", 108, MEMBER_COUNTS, true, 1, 9, 117, 118},
    {"value_counts", 109, MEMBER_COUNTS, true, 1, 9, 119, 120},
    {"null_value_counts", 110, MEMBER_COUNTS, true, 1, 9, 121, 122},
    {"nan_value_counts", 137, MEMBER_COUNTS, true, 1, 9, 138, 139},
    {"lower_bounds", 125, MEMBER_BOUNDS, true, 1, 9, 126, 127},
    {"upper_bounds", 128, MEMBER_BOUNDS, true, 1, 9, 129, 130},
    {"key_metadata", 131, MEMBER_BYTES, true, 1, 9, 0, 0},
    {"split_offsets", 132, MEMBER_LONGS, true, 1, 9, 133, 0},
    {"equality_ids", 135, MEMBER_INTS, true, 2, 9, 136, 0},
    {"sort_order_id", 140, MEMBER_INT, true, 1, 9, 0, 0},
    {"referenced_data_file", 143, MEMBER_STRING, true, 2, 9, 0, 0},
};

static const member entry_members[] = {
    {"status", 0, MEMBER_INT, false, 1, 9, 0, 0},
    {"snapshot_id", 1, MEMBER_LONG, true, 1, 9, 0, 0},
    {"sequence_number", 3, MEMBER_LONG, true, 2, 9, 0, 0},
    {"file_sequence_number", 4, MEMBER_LONG, true, 2, 9, 0, 0},
};

typedef struct schema_printer {
    json_writer json;
    const ice_spec *spec;
    const type *const *results;
    arena *memory;
} schema_printer;

static void write_pair(json_writer *json, const char *key, const char *value) {
    json_write_key(json, text_of(key));
    json_write_text(json, text_of(value));
}

static void write_number(json_writer *json, const char *key, int64_t value) {
    json_write_key(json, text_of(key));
    json_write_i64(json, value);
}

// ---- Partition values --------------------------------------------------------------------------

void ice_avro_name(text name, text_builder *out) {
    size_t at = 0;
    if (name.size == 0) {
        text_append_char(out, '_');
    }
    while (at < name.size) {
        const bool is_first = at == 0;
        const uint32_t code = utf8_next(name, &at);
        const bool is_letter =
            (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') || code == '_';
        const bool is_digit = code >= '0' && code <= '9';
        if (is_letter || (is_digit && !is_first)) {
            text_append_char(out, (char)code);
        } else if (is_digit) {
            text_append_format(out, "_%c", (char)code);
        } else if (code < 0x10000) {
            text_append_format(out, "_x%X", code);
        } else { // As in UTF-16: what Java's characters are.
            text_append_format(out, "_x%X_x%X", 0xd800 + ((code - 0x10000) >> 10),
                               0xdc00 + ((code - 0x10000) & 0x3ff));
        }
    }
}

// A type with more attributes than its name.
static void begin_logical(json_writer *json, const char *kind, const char *logical) {
    json_begin_object(json);
    write_pair(json, "type", kind);
    if (logical != NULL) {
        write_pair(json, "logicalType", logical);
    }
}

static void write_timestamp(json_writer *json, const type *of) {
    begin_logical(json, "long", of->unit == UNIT_NANO ? "timestamp-nanos" : "timestamp-micros");
    json_write_key(json, TEXT("adjust-to-utc"));
    json_write_bool(json, of->id == TYPE_TIMESTAMPTZ);
    json_end_object(json);
}

// The fewest bytes that hold every decimal of a precision.
static uint32_t decimal_size(uint8_t precision) {
    static const uint8_t sizes[] = {1,  1,  1,  2,  2,  3,  3,  4,  4,  4,  5,  5,  6,
                                    6,  6,  7,  7,  8,  8,  9,  9,  9,  10, 10, 11, 11,
                                    11, 12, 12, 13, 13, 13, 14, 14, 15, 15, 16, 16, 16};
    return sizes[precision <= DECIMAL_PRECISION_I128 ? precision : DECIMAL_PRECISION_I128];
}

uint32_t ice_avro_fixed_size(const type *of) {
    return of->id == TYPE_DECIMAL  ? decimal_size(of->precision)
           : of->id == TYPE_UUID   ? 16
           : of->id == TYPE_BINARY ? of->width
                                   : 0;
}

// A named type of Avro: the name must be new, for some readers know no references to older ones.
static void write_fixed(schema_printer *self, const type *of, uint32_t index) {
    json_writer *json = &self->json;
    text_builder name = text_builder_open(self->memory);
    bool is_known = false;
    for (uint32_t i = 0; i < index; i++) {
        is_known |= self->results[i]->id == of->id && type_equal(self->results[i], of);
    }
    begin_logical(json, "fixed",
                  of->id == TYPE_UUID      ? "uuid"
                  : of->id == TYPE_DECIMAL ? "decimal"
                                           : NULL);
    write_number(json, "size", ice_avro_fixed_size(of));
    if (of->id == TYPE_UUID) {
        text_append(&name, TEXT("uuid_fixed"));
    } else if (of->id == TYPE_DECIMAL) {
        write_number(json, "precision", of->precision);
        write_number(json, "scale", of->scale);
        text_append_format(&name, "decimal_%u_%u", of->precision, of->scale);
    } else {
        text_append_format(&name, "fixed_%u", of->width);
    }
    if (is_known) {
        text_append_format(&name, "_of_%d", self->spec->fields[index].field_id);
    }
    json_write_key(json, TEXT("name"));
    json_write_text(json, (text){.data = name.data, .size = name.size});
    json_end_object(json);
}

static void write_result(schema_printer *self, const type *of, uint32_t index) {
    json_writer *json = &self->json;
    const char *plain = NULL;
    switch ((int)of->id) {
    case TYPE_BOOLEAN:
        plain = "boolean";
        break;
    case TYPE_INTEGER:
        plain = "int";
        break;
    case TYPE_BIGINT:
        plain = "long";
        break;
    case TYPE_REAL:
        plain = "float";
        break;
    case TYPE_DOUBLE:
        plain = "double";
        break;
    case TYPE_VARCHAR:
        plain = "string";
        break;
    case TYPE_DATE:
        begin_logical(json, "int", "date");
        json_end_object(json);
        return;
    case TYPE_TIME:
        begin_logical(json, "long", "time-micros");
        json_end_object(json);
        return;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        write_timestamp(json, of);
        return;
    default:
        if (ice_avro_fixed_size(of) > 0) {
            write_fixed(self, of, index);
            return;
        }
        plain = "bytes";
        break;
    }
    json_write_text(json, text_of(plain));
}

// Another field before it may have got the same name.
static void write_partition_name(schema_printer *self, uint32_t index) {
    const ice_partition_field *fields = self->spec->fields;
    text_builder name = text_builder_open(self->memory);
    ice_avro_name(fields[index].name, &name);
    bool is_known = false;
    for (uint32_t i = 0; i < index; i++) {
        text_builder other = text_builder_open(self->memory);
        ice_avro_name(fields[i].name, &other);
        is_known |= text_equal((text){.data = other.data, .size = other.size},
                               (text){.data = name.data, .size = name.size});
    }
    if (is_known) {
        text_append_format(&name, "_of_%d", fields[index].field_id);
    }
    const text made = {.data = name.data, .size = name.size};
    json_write_key(&self->json, TEXT("name"));
    json_write_text(&self->json, made);
    if (!text_equal(made, fields[index].name)) {
        json_write_key(&self->json, TEXT("iceberg-field-name"));
        json_write_text(&self->json, fields[index].name);
    }
}

static void write_partition(schema_printer *self) {
    json_writer *json = &self->json;
    json_begin_object(json);
    write_pair(json, "type", "record");
    write_pair(json, "name", "r102");
    json_write_key(json, TEXT("fields"));
    json_begin_array(json);
    for (uint32_t i = 0; i < self->spec->count; i++) {
        json_begin_object(json);
        write_partition_name(self, i);
        json_write_key(json, TEXT("type"));
        json_begin_array(json);
        json_write_text(json, TEXT("null"));
        write_result(self, self->results[i], i);
        json_end_array(json);
        json_write_key(json, TEXT("default"));
        json_write_null(json);
        write_number(json, "field-id", self->spec->fields[i].field_id);
        json_end_object(json);
    }
    json_end_array(json);
    json_end_object(json);
}

// ---- Members -----------------------------------------------------------------------------------

static void write_list(json_writer *json, const member *of) {
    json_begin_object(json);
    write_pair(json, "type", "array");
    write_pair(json, "items", of->kind == MEMBER_INTS ? "int" : "long");
    write_number(json, "element-id", of->inner_id);
    json_end_object(json);
}

// Maps whose keys are no texts are arrays of pairs; without the logical type Java reads a list.
static void write_map(json_writer *json, const member *of) {
    char name[32];
    const int size = snprintf(name, sizeof name, "k%d_v%d", of->inner_id, of->value_id);
    json_begin_object(json);
    write_pair(json, "type", "array");
    json_write_key(json, TEXT("items"));
    json_begin_object(json);
    write_pair(json, "type", "record");
    json_write_key(json, TEXT("name"));
    json_write_text(json, (text){.data = name, .size = (size_t)size});
    json_write_key(json, TEXT("fields"));
    json_begin_array(json);
    for (int i = 0; i < 2; i++) {
        json_begin_object(json);
        write_pair(json, "name", i == 0 ? "key" : "value");
        write_pair(json, "type", i == 0 ? "int" : of->kind == MEMBER_BOUNDS ? "bytes" : "long");
        write_number(json, "field-id", i == 0 ? of->inner_id : of->value_id);
        json_end_object(json);
    }
    json_end_array(json);
    json_end_object(json);
    write_pair(json, "logicalType", "map");
    json_end_object(json);
}

static void write_member_type(schema_printer *self, const member *of) {
    json_writer *json = &self->json;
    switch (of->kind) {
    case MEMBER_INT:
        json_write_text(json, TEXT("int"));
        break;
    case MEMBER_LONG:
        json_write_text(json, TEXT("long"));
        break;
    case MEMBER_STRING:
        json_write_text(json, TEXT("string"));
        break;
    case MEMBER_BYTES:
        json_write_text(json, TEXT("bytes"));
        break;
    case MEMBER_INTS:
    case MEMBER_LONGS:
        write_list(json, of);
        break;
    case MEMBER_COUNTS:
    case MEMBER_BOUNDS:
        write_map(json, of);
        break;
    case MEMBER_PARTITION:
        write_partition(self);
        break;
    }
}

static void write_member(schema_printer *self, const member *of) {
    json_writer *json = &self->json;
    json_begin_object(json);
    write_pair(json, "name", of->name);
    json_write_key(json, TEXT("type"));
    if (of->is_optional) {
        json_begin_array(json);
        json_write_text(json, TEXT("null"));
    }
    write_member_type(self, of);
    if (of->is_optional) {
        json_end_array(json);
        json_write_key(json, TEXT("default"));
        json_write_null(json);
    }
    write_number(json, "field-id", of->id);
    json_end_object(json);
}

static void write_members(schema_printer *self, const member *all, size_t count, int32_t version) {
    for (size_t i = 0; i < count; i++) {
        if (version >= all[i].version_min && version <= all[i].version_max) {
            write_member(self, &all[i]);
        }
    }
}

firn_status ice_manifest_schema(int32_t format_version, const ice_spec *spec,
                                const type *const *results, arena *memory, text *out,
                                firn_error *err) {
    text_builder builder = text_builder_open(memory);
    schema_printer self = {.spec = spec, .results = results, .memory = memory};
    self.json = json_writer_into(&builder, 0);
    json_writer *json = &self.json;
    json_begin_object(json);
    write_pair(json, "type", "record");
    write_pair(json, "name", "manifest_entry");
    json_write_key(json, TEXT("fields"));
    json_begin_array(json);
    write_members(&self, entry_members, sizeof entry_members / sizeof *entry_members,
                  format_version);
    json_begin_object(json);
    write_pair(json, "name", "data_file");
    json_write_key(json, TEXT("type"));
    json_begin_object(json);
    write_pair(json, "type", "record");
    write_pair(json, "name", "r2");
    json_write_key(json, TEXT("fields"));
    json_begin_array(json);
    write_members(&self, file_members, sizeof file_members / sizeof *file_members, format_version);
    json_end_array(json);
    json_end_object(json);
    write_number(json, "field-id", 2);
    json_end_object(json);
    json_end_array(json);
    json_end_object(json);
    json_writer_finish(json);
    return text_builder_finish(&builder, out, err);
}
