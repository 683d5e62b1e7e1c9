#include "formats/parquet/pq_bounds.h"

#include <string.h>

#include "formats/parquet/pq_annotation.h"

// Bounds of floating-point columns that must be widened point to these instead.
static const uint8_t minus_zero_f32[4] = {0, 0, 0, 0x80};
static const uint8_t minus_zero_f64[8] = {0, 0, 0, 0, 0, 0, 0, 0x80};
static const uint8_t minus_zero_f16[2] = {0, 0x80};
static const uint8_t plus_zero[8] = {0};

static pq_order order_of_plain(const pq_leaf *leaf) {
    static const pq_order orders[PQ_TYPE_COUNT] = {
        [PQ_BOOLEAN] = PQ_ORDER_BOOLEAN,  [PQ_INT32] = PQ_ORDER_SIGNED,
        [PQ_INT64] = PQ_ORDER_SIGNED,     [PQ_INT96] = PQ_ORDER_INT96,
        [PQ_FLOAT] = PQ_ORDER_FLOAT,      [PQ_DOUBLE] = PQ_ORDER_FLOAT,
        [PQ_BYTE_ARRAY] = PQ_ORDER_BYTES, [PQ_FIXED] = PQ_ORDER_BYTES,
    };
    return orders[leaf->type];
}

// A logical type this version does not know may have any order.
static bool is_meaning_unknown(const pq_leaf *leaf, const pq_annotation *annotation) {
    return annotation->meaning == PQ_MEANS_PLAIN &&
           pq_schema_element_has_logical_type(leaf->element) &&
           !pq_schema_element_has_converted_type(leaf->element);
}

pq_order pq_order_of(const pq_leaf *leaf) {
    const pq_annotation annotation = pq_annotation_of(leaf->element);
    if (is_meaning_unknown(leaf, &annotation)) {
        return PQ_ORDER_NONE;
    }
    const bool is_bytes = leaf->type == PQ_BYTE_ARRAY || leaf->type == PQ_FIXED;
    switch (annotation.meaning) {
    case PQ_MEANS_PLAIN:
    case PQ_MEANS_STRING:
    case PQ_MEANS_ENUM:
    case PQ_MEANS_JSON:
    case PQ_MEANS_BSON:
    case PQ_MEANS_UUID:
    case PQ_MEANS_DATE:
    case PQ_MEANS_TIME:
    case PQ_MEANS_TIMESTAMP:
        return order_of_plain(leaf);
    case PQ_MEANS_DECIMAL:
        return is_bytes ? PQ_ORDER_BIG_ENDIAN : PQ_ORDER_SIGNED;
    case PQ_MEANS_INTEGER:
        return annotation.is_signed ? PQ_ORDER_SIGNED : PQ_ORDER_UNSIGNED;
    case PQ_MEANS_FLOAT16:
        return PQ_ORDER_FLOAT16;
    case PQ_MEANS_INTERVAL:
    case PQ_MEANS_NULL:
    case PQ_MEANS_GEOMETRY:
    case PQ_MEANS_GEOGRAPHY:
        break;
    }
    return PQ_ORDER_NONE;
}

// Whether the file says that min_value and max_value of this leaf follow `order`.
static bool is_order_named(const pq_metadata *metadata, uint32_t leaf, pq_order order) {
    const pq_column_order_list *orders = &metadata->file.column_orders;
    if (order == PQ_ORDER_NONE || leaf >= orders->count) {
        return false;
    }
    const pq_column_order *named = &orders->items[leaf];
    if (order == PQ_ORDER_INT96) {
        return pq_column_order_has_int96_timestamp(named);
    }
    if (order == PQ_ORDER_FLOAT || order == PQ_ORDER_FLOAT16) {
        return pq_column_order_has_type_defined(named) || pq_column_order_has_ieee754_total(named);
    }
    return pq_column_order_has_type_defined(named);
}

// Whether the deprecated min and max, compared as signed physical values, follow `order`.
static bool is_signed_order(pq_order order) {
    return order == PQ_ORDER_BOOLEAN || order == PQ_ORDER_SIGNED || order == PQ_ORDER_FLOAT;
}

static bool is_nan(pq_order order, bytes value) {
    if (order == PQ_ORDER_FLOAT16) {
        return (value.data[1] & 0x7c) == 0x7c && ((value.data[1] & 0x03) | value.data[0]) != 0;
    }
    if (value.size == sizeof(float)) {
        float single;
        memcpy(&single, value.data, sizeof single);
        return single != single;
    }
    double number;
    memcpy(&number, value.data, sizeof number);
    return number != number;
}

// Plus or minus zero.
static bool is_zero(bytes value) {
    for (size_t i = 0; i + 1 < value.size; i++) {
        if (value.data[i] != 0) {
            return false;
        }
    }
    return (value.data[value.size - 1] & 0x7f) == 0;
}

static bytes minus_zero(size_t size) {
    const uint8_t *data = size == 2 ? minus_zero_f16 : size == 4 ? minus_zero_f32 : minus_zero_f64;
    return (bytes){.data = data, .size = size};
}

static bool has_right_size(const pq_leaf *leaf, bytes value) {
    return leaf->type == PQ_BYTE_ARRAY || value.size == leaf->width;
}

// Drops what breaks the rules of floating point, widens zeros.
static void check_floats(pq_order order, pq_bounds *bounds) {
    if (bounds->has_minimum && is_nan(order, bounds->minimum)) {
        bounds->has_minimum = false;
    }
    if (bounds->has_maximum && is_nan(order, bounds->maximum)) {
        bounds->has_maximum = false;
    }
    if (bounds->has_minimum && is_zero(bounds->minimum)) {
        bounds->minimum = minus_zero(bounds->minimum.size);
    }
    if (bounds->has_maximum && is_zero(bounds->maximum)) {
        bounds->maximum = (bytes){.data = plus_zero, .size = bounds->maximum.size};
    }
}

// The last checks, the same for chunks and pages.
static void check_bounds(const pq_leaf *leaf, pq_order order, pq_bounds *bounds) {
    bounds->has_minimum = bounds->has_minimum && has_right_size(leaf, bounds->minimum);
    bounds->has_maximum = bounds->has_maximum && has_right_size(leaf, bounds->maximum);
    if (order == PQ_ORDER_FLOAT || order == PQ_ORDER_FLOAT16) {
        check_floats(order, bounds);
    }
    bounds->minimum_is_exact = bounds->minimum_is_exact && bounds->has_minimum;
    bounds->maximum_is_exact = bounds->maximum_is_exact && bounds->has_maximum;
}

// Where the writer does not say: numbers are not shortened, bytes may be.
static bool is_never_shortened(const pq_leaf *leaf, pq_order order) {
    return (leaf->type != PQ_BYTE_ARRAY && leaf->type != PQ_FIXED) ||
           order == PQ_ORDER_BIG_ENDIAN || order == PQ_ORDER_FLOAT16;
}

pq_bounds pq_bounds_of(const pq_metadata *metadata, uint32_t leaf,
                       const pq_statistics *statistics) {
    const pq_leaf *column = &metadata->schema->leaves[leaf];
    const pq_order order = pq_order_of(column);
    pq_bounds out = {
        .has_null_count = pq_statistics_has_null_count(statistics) && statistics->null_count >= 0,
        .has_nan_count = pq_statistics_has_nan_count(statistics) && statistics->nan_count >= 0,
    };
    out.null_count = out.has_null_count ? (uint64_t)statistics->null_count : 0;
    out.nan_count = out.has_nan_count ? (uint64_t)statistics->nan_count : 0;
    const bool has_new =
        pq_statistics_has_min_value(statistics) || pq_statistics_has_max_value(statistics);
    if (has_new && is_order_named(metadata, leaf, order)) {
        out.has_minimum = pq_statistics_has_min_value(statistics);
        out.has_maximum = pq_statistics_has_max_value(statistics);
        out.minimum = statistics->min_value;
        out.maximum = statistics->max_value;
    } else if (is_signed_order(order)) {
        out.has_minimum = pq_statistics_has_min(statistics);
        out.has_maximum = pq_statistics_has_max(statistics);
        out.minimum = statistics->min;
        out.maximum = statistics->max;
    }
    const bool is_whole = is_never_shortened(column, order);
    out.minimum_is_exact = pq_statistics_has_is_min_value_exact(statistics)
                               ? statistics->is_min_value_exact
                               : is_whole;
    out.maximum_is_exact = pq_statistics_has_is_max_value_exact(statistics)
                               ? statistics->is_max_value_exact
                               : is_whole;
    check_bounds(column, order, &out);
    return out;
}

pq_bounds pq_bounds_of_page(const pq_metadata *metadata, uint32_t leaf,
                            const pq_column_index *index, size_t page, bool *is_null_page) {
    const pq_leaf *column = &metadata->schema->leaves[leaf];
    const pq_order order = pq_order_of(column);
    *is_null_page = index->null_pages.items[page];
    pq_bounds out = {
        .has_null_count = index->null_counts.count > 0 && index->null_counts.items[page] >= 0,
        .has_nan_count = index->nan_counts.count > 0 && index->nan_counts.items[page] >= 0,
    };
    out.null_count = out.has_null_count ? (uint64_t)index->null_counts.items[page] : 0;
    out.nan_count = out.has_nan_count ? (uint64_t)index->nan_counts.items[page] : 0;
    const bool has_bounds = !*is_null_page && is_order_named(metadata, leaf, order);
    out.has_minimum = has_bounds;
    out.has_maximum = has_bounds;
    if (has_bounds) {
        out.minimum = index->min_values.items[page];
        out.maximum = index->max_values.items[page];
    }
    check_bounds(column, order, &out); // Page bounds may always be shortened: never exact.
    return out;
}
