#include "formats/parquet/pq_annotation.h"

#define UUID_SIZE 16
#define INTERVAL_SIZE 12
#define FLOAT16_SIZE 2

static pq_unit unit_of(const pq_time_unit *unit) {
    return pq_time_unit_has_nanos(unit)    ? PQ_NANOS
           : pq_time_unit_has_micros(unit) ? PQ_MICROS
                                           : PQ_MILLIS;
}

static pq_annotation integer(uint32_t bits, bool is_signed) {
    return (pq_annotation){
        .meaning = PQ_MEANS_INTEGER, .bits = (uint8_t)bits, .is_signed = is_signed};
}

static pq_annotation temporal(pq_meaning meaning, pq_unit unit, bool is_utc) {
    return (pq_annotation){.meaning = meaning, .unit = unit, .is_utc = is_utc};
}

static pq_annotation plain(pq_meaning meaning) {
    return (pq_annotation){.meaning = meaning};
}

// Those with parameters.
static pq_annotation from_logical_group(const pq_logical_type *type) {
    if (pq_logical_type_has_decimal(type)) {
        return (pq_annotation){.meaning = PQ_MEANS_DECIMAL,
                               .precision = type->decimal.precision,
                               .scale = type->decimal.scale};
    }
    if (pq_logical_type_has_time(type)) {
        return temporal(PQ_MEANS_TIME, unit_of(&type->time.unit), type->time.is_adjusted_to_utc);
    }
    if (pq_logical_type_has_timestamp(type)) {
        return temporal(PQ_MEANS_TIMESTAMP, unit_of(&type->timestamp.unit),
                        type->timestamp.is_adjusted_to_utc);
    }
    if (pq_logical_type_has_integer(type)) {
        return integer((uint8_t)type->integer.bit_width, type->integer.is_signed);
    }
    return plain(PQ_MEANS_PLAIN);
}

static pq_annotation from_logical(const pq_logical_type *type) {
    const struct {
        bool is_it;
        pq_meaning meaning;
    } marks[] = {
        {pq_logical_type_has_string(type), PQ_MEANS_STRING},
        {pq_logical_type_has_enumeration(type), PQ_MEANS_ENUM},
        {pq_logical_type_has_date(type), PQ_MEANS_DATE},
        {pq_logical_type_has_unknown(type), PQ_MEANS_NULL},
        {pq_logical_type_has_json(type), PQ_MEANS_JSON},
        {pq_logical_type_has_bson(type), PQ_MEANS_BSON},
        {pq_logical_type_has_uuid(type), PQ_MEANS_UUID},
        {pq_logical_type_has_float16(type), PQ_MEANS_FLOAT16},
        {pq_logical_type_has_geometry(type), PQ_MEANS_GEOMETRY},
        {pq_logical_type_has_geography(type), PQ_MEANS_GEOGRAPHY},
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (marks[i].is_it) {
            return plain(marks[i].meaning);
        }
    }
    return from_logical_group(type);
}

static pq_annotation from_converted(const pq_schema_element *leaf) {
    switch (leaf->converted_type) {
    case PQ_CONVERTED_UTF8:
        return plain(PQ_MEANS_STRING);
    case PQ_CONVERTED_ENUM:
        return plain(PQ_MEANS_ENUM);
    case PQ_CONVERTED_JSON:
        return plain(PQ_MEANS_JSON);
    case PQ_CONVERTED_BSON:
        return plain(PQ_MEANS_BSON);
    case PQ_CONVERTED_DATE:
        return plain(PQ_MEANS_DATE);
    case PQ_CONVERTED_INTERVAL:
        return plain(PQ_MEANS_INTERVAL);
    case PQ_CONVERTED_DECIMAL:
        return (pq_annotation){
            .meaning = PQ_MEANS_DECIMAL, .precision = leaf->precision, .scale = leaf->scale};
    // Times of old writers are UTC by the format's definition.
    case PQ_CONVERTED_TIME_MILLIS:
        return temporal(PQ_MEANS_TIME, PQ_MILLIS, true);
    case PQ_CONVERTED_TIME_MICROS:
        return temporal(PQ_MEANS_TIME, PQ_MICROS, true);
    case PQ_CONVERTED_TIMESTAMP_MILLIS:
        return temporal(PQ_MEANS_TIMESTAMP, PQ_MILLIS, true);
    case PQ_CONVERTED_TIMESTAMP_MICROS:
        return temporal(PQ_MEANS_TIMESTAMP, PQ_MICROS, true);
    case PQ_CONVERTED_UINT_8:
        return integer(8, false);
    case PQ_CONVERTED_UINT_16:
        return integer(16, false);
    case PQ_CONVERTED_UINT_32:
        return integer(32, false);
    case PQ_CONVERTED_UINT_64:
        return integer(64, false);
    case PQ_CONVERTED_INT_8:
        return integer(8, true);
    case PQ_CONVERTED_INT_16:
        return integer(16, true);
    case PQ_CONVERTED_INT_32:
        return integer(32, true);
    case PQ_CONVERTED_INT_64:
        return integer(64, true);
    default:
        return plain(PQ_MEANS_PLAIN);
    }
}

static bool is_integer_allowed(const pq_annotation *self, int32_t type) {
    const bool is_known = self->bits == 8 || self->bits == 16 || self->bits == 32;
    return (type == PQ_INT32 && is_known) || (type == PQ_INT64 && self->bits == 64);
}

// Whether the format allows this meaning on the leaf's physical type.
static bool is_allowed(const pq_annotation *self, const pq_schema_element *leaf) {
    const int32_t type = leaf->type;
    const int32_t width = type == PQ_FIXED ? leaf->type_length : 0;
    switch (self->meaning) {
    case PQ_MEANS_PLAIN:
    case PQ_MEANS_NULL:
        return true;
    case PQ_MEANS_STRING:
    case PQ_MEANS_ENUM:
    case PQ_MEANS_JSON:
    case PQ_MEANS_BSON:
    case PQ_MEANS_GEOMETRY:
    case PQ_MEANS_GEOGRAPHY:
        return type == PQ_BYTE_ARRAY;
    case PQ_MEANS_UUID:
        return width == UUID_SIZE;
    case PQ_MEANS_INTERVAL:
        return width == INTERVAL_SIZE;
    case PQ_MEANS_FLOAT16:
        return width == FLOAT16_SIZE;
    case PQ_MEANS_DECIMAL:
        return type == PQ_INT32 || type == PQ_INT64 || type == PQ_FIXED || type == PQ_BYTE_ARRAY;
    case PQ_MEANS_DATE:
        return type == PQ_INT32;
    case PQ_MEANS_TIME:
        return type == (self->unit == PQ_MILLIS ? PQ_INT32 : PQ_INT64);
    case PQ_MEANS_TIMESTAMP:
        return type == PQ_INT64;
    case PQ_MEANS_INTEGER:
        return is_integer_allowed(self, type);
    }
    return false;
}

pq_annotation pq_annotation_of(const pq_schema_element *leaf) {
    if (pq_schema_element_has_logical_type(leaf)) {
        const pq_annotation logical = from_logical(&leaf->logical_type);
        if (logical.meaning != PQ_MEANS_PLAIN && is_allowed(&logical, leaf)) {
            return logical;
        }
    }
    if (pq_schema_element_has_converted_type(leaf)) {
        const pq_annotation converted = from_converted(leaf);
        if (is_allowed(&converted, leaf)) {
            return converted;
        }
    }
    return plain(PQ_MEANS_PLAIN);
}
