#include "formats/parquet/pq_facts.h"

#include <string.h>

#include "formats/parquet/pq_annotation.h"
#include "formats/parquet/pq_unpack.h"

// ---- Bounds ------------------------------------------------------------------------------------

// Integers that are stored wider than their type: a bound beyond the type would wrap around.
static bool fits_type(const type *kind, const uint8_t *stored) {
    int32_t value;
    memcpy(&value, stored, sizeof value);
    switch ((int)kind->id) {
    case TYPE_TINYINT:
        return value >= INT8_MIN && value <= INT8_MAX;
    case TYPE_SMALLINT:
        return value >= INT16_MIN && value <= INT16_MAX;
    case TYPE_UTINYINT:
        return value >= 0 && value <= UINT8_MAX;
    case TYPE_USMALLINT:
        return value >= 0 && value <= UINT16_MAX;
    default:
        return true;
    }
}

// One stored value as a column of one row of the pick's type; NULL if it has none.
static const column *value_of(const pq_pick *pick, bytes stored, arena *memory) {
    const pq_target *target = &pick->target;
    const pq_conversion *conversion = &target->conversion;
    column *out = ARENA_NEW(memory, column, 1);
    uint8_t *padded = ARENA_NEW(memory, uint8_t, stored.size + PQ_PAD);
    uint8_t *value = ARENA_NEW(memory, uint8_t, 32 + PQ_PAD);
    if (out == NULL || padded == NULL || value == NULL) {
        return NULL;
    }
    memset(padded + stored.size, 0, PQ_PAD);
    if (stored.size > 0) {
        memcpy(padded, stored.data, stored.size);
    }
    *out = (column){.type = pick->type, .form = FORM_CONSTANT, .length = 1, .values = value};
    if (target->leaf->type == PQ_BOOLEAN) {
        const uint64_t bit = padded[0] & 1;
        memcpy(value, &bit, sizeof bit);
        return out;
    }
    if (target->leaf->type == PQ_BYTE_ARRAY) {
        const string_value text_value = string_of((const char *)padded, (uint32_t)stored.size);
        if (conversion->strings == NULL) {
            memcpy(value, &text_value, sizeof text_value);
            return out;
        }
        return conversion->strings(conversion, &text_value, 1, value) == 1 ? out : NULL;
    }
    if (conversion->fixed == NULL) {
        memcpy(value, padded, conversion->width);
        return out;
    }
    if (target->leaf->type == PQ_INT32 && !fits_type(pick->type, padded)) {
        return NULL;
    }
    return conversion->fixed(conversion, padded, 1, value) == 1 ? out : NULL;
}

static exact_u64 known_u64(bool is_known, uint64_t value) {
    return (exact_u64){.is_known = is_known, .value = is_known ? value : 0};
}

column_facts pq_facts_of_bounds(const pq_pick *pick, const pq_bounds *bounds, uint64_t row_count,
                                arena *memory) {
    column_facts out = {.may_have_null = true};
    if (!pq_pick_is_flat(pick) || pick->type->id == TYPE_NULL) {
        return out;
    }
    if (bounds->has_minimum) {
        out.minimum = value_of(pick, bounds->minimum, memory);
        out.minimum_is_exact = out.minimum != NULL && bounds->minimum_is_exact;
    }
    if (bounds->has_maximum) {
        out.maximum = value_of(pick, bounds->maximum, memory);
        out.maximum_is_exact = out.maximum != NULL && bounds->maximum_is_exact;
    }
    const bool is_required = pick->target.leaf->definition_max == 0;
    const bool has_nulls = bounds->has_null_count && bounds->null_count <= row_count;
    out.null_count = is_required ? known_u64(true, 0) : known_u64(has_nulls, bounds->null_count);
    // Integers that are read as DOUBLE are never NaN.
    const bool is_integer =
        pick->target.leaf->type == PQ_INT32 || pick->target.leaf->type == PQ_INT64;
    out.nan_count = known_u64(bounds->has_nan_count || is_integer,
                              bounds->has_nan_count ? bounds->nan_count : 0);
    out.may_have_null = !out.null_count.is_known || out.null_count.value > 0;
    return out;
}

// A column that is the same in all rows.
static column_facts facts_of_constant(const column *value, uint64_t row_count) {
    if (!column_is_valid(value, 0)) {
        return (column_facts){.null_count = known_u64(true, row_count), .may_have_null = true};
    }
    return (column_facts){
        .minimum = value,
        .maximum = value,
        .minimum_is_exact = row_count > 0,
        .maximum_is_exact = row_count > 0,
        .null_count = known_u64(true, 0),
        .may_have_null = false,
    };
}

column_facts pq_facts_of_row_group(const pq_file *file, const pq_pick *pick, uint32_t row_group,
                                   arena *memory) {
    const uint64_t row_count = pq_file_rows_of(file, row_group);
    if (pick->kind == PQ_PICK_CONSTANT && !type_is_nested(pick->type)) {
        return facts_of_constant(pick->constant, row_count);
    }
    if (!pq_pick_is_flat(pick)) {
        return (column_facts){.may_have_null = true};
    }
    const uint32_t leaf = pick->node->first_leaf;
    const pq_statistics statistics = pq_chunk_statistics(file->metadata, row_group, leaf);
    const pq_bounds bounds = pq_bounds_of(file->metadata, leaf, &statistics);
    return pq_facts_of_bounds(pick, &bounds, row_count, memory);
}

// ---- Stored bytes ------------------------------------------------------------------------------

static bool plain_string(const pq_pick *pick, const string_value *value, bytes *out) {
    *out = (bytes){.data = (const uint8_t *)string_data(value), .size = value->size};
    return pick->target.leaf->type == PQ_BYTE_ARRAY || value->size == pick->target.leaf->width;
}

static bool plain_decimal(const pq_pick *pick, const column *value, uint32_t lane,
                          uint8_t room[PQ_PLAIN_BYTES_MAX], bytes *out) {
    const pq_leaf *leaf = pick->target.leaf;
    const physical layout = type_physical(pick->type);
    if (pick->target.conversion.scale_step != 0 || layout == PHYSICAL_I256 ||
        leaf->type == PQ_BYTE_ARRAY) { // Byte arrays may hold one number in several lengths.
        return false;
    }
    const i128 number = layout == PHYSICAL_I32   ? COLUMN_VALUES(value, int32_t)[lane]
                        : layout == PHYSICAL_I64 ? COLUMN_VALUES(value, int64_t)[lane]
                                                 : COLUMN_VALUES(value, i128)[lane];
    *out = (bytes){.data = room, .size = leaf->width};
    if (leaf->type == PQ_FIXED) {
        return leaf->width <= 32 && i128_to_big_endian(number, leaf->width, room);
    }
    const i128 most = leaf->type == PQ_INT32 ? INT32_MAX : INT64_MAX;
    if (number > most || number < -most - 1) {
        return false;
    }
    memcpy(room, &number, leaf->width); // Little-endian: the low bytes come first.
    return true;
}

static bool plain_integer(const pq_pick *pick, const column *value, uint32_t lane,
                          uint8_t room[PQ_PLAIN_BYTES_MAX], bytes *out) {
    const pq_leaf *leaf = pick->target.leaf;
    if (!physical_is_integer(type_physical(pick->type))) {
        return false;
    }
    // The bits of a UINTEGER are the same in INT32; in INT64 it is the number.
    const int64_t number = column_lane_integer(value, lane);
    const bool is_wider = physical_size(type_physical(pick->type)) > leaf->width;
    if (is_wider && (number > INT32_MAX || number < INT32_MIN)) {
        return false;
    }
    memcpy(room, &number, sizeof number);
    *out = (bytes){.data = room, .size = leaf->width};
    return true;
}

bool pq_plain_bytes_of(const pq_pick *pick, const column *value, uint32_t row,
                       uint8_t room[PQ_PLAIN_BYTES_MAX], bytes *out) {
    const pq_leaf *leaf = pick->target.leaf;
    const uint32_t lane = column_lane(value, row);
    if (value->form == FORM_DICTIONARY || !type_same_values(value->type, pick->type)) {
        return false;
    }
    const bool is_integer = leaf->type == PQ_INT32 || leaf->type == PQ_INT64;
    switch (type_category_of(pick->type)) {
    case CATEGORY_DECIMAL:
        return plain_decimal(pick, value, lane, room, out);
    case CATEGORY_INTEGER:
        return is_integer && plain_integer(pick, value, lane, room, out);
    case CATEGORY_DATETIME:
        // Not INT96 or intervals; not times that were converted to another unit.
        return is_integer && pick->target.conversion.factor == 1 &&
               plain_integer(pick, value, lane, room, out);
    case CATEGORY_TEXT:
    case CATEGORY_BINARY:
    case CATEGORY_UUID:
        return plain_string(pick, &COLUMN_VALUES(value, string_value)[lane], out);
    case CATEGORY_NULL:
    case CATEGORY_BOOLEAN:
    case CATEGORY_FLOAT: // Zeros of both signs are equal, and all NaN.
    case CATEGORY_NESTED:
        break;
    }
    return false;
}
