// Single rows of columns of any type: order, equality, hash. The plain definition that the kernels
// are tested against, and what nested values use.
#include <math.h>

#include "base/hash.h"
#include "column/column.h"

static int order_of(bool is_less, bool is_greater) {
    return (int)is_greater - (int)is_less;
}

// NaN equals NaN and is above everything; -0.0 equals 0.0.
static int compare_doubles(double left, double right) {
    if (isnan(left) || isnan(right)) {
        return order_of(!isnan(left), !isnan(right));
    }
    return order_of(left<right, left> right);
}

// Halves have 5 bits of exponent and 10 of fraction.
static double double_of_half(uint16_t half) {
    const int exponent = half >> 10 & 0x1f;
    const double fraction = half & 0x3ff;
    const double sign = (half & 0x8000) != 0 ? -1 : 1;
    if (exponent == 0x1f) {
        return fraction > 0 ? (double)NAN : sign * (double)INFINITY;
    }
    return sign * (exponent == 0 ? ldexp(fraction, -24) : ldexp(fraction + 1024, exponent - 25));
}

// Inside nested values NULL is above everything, as engines agree.
static int compare_children(const column *left, uint32_t left_row, const column *right,
                            uint32_t right_row, cancel_watch *watch) {
    const bool left_valid = column_is_valid(left, left_row);
    const bool right_valid = column_is_valid(right, right_row);
    return left_valid && right_valid
               ? column_compare_rows_watched(left, left_row, right, right_row, watch)
               : (int)right_valid - (int)left_valid;
}

static int compare_lists(const column *left, list_value l, const column *right, list_value r,
                         cancel_watch *watch) {
    const uint32_t shorter = l.size < r.size ? l.size : r.size;
    for (uint32_t i = 0; i < shorter && !cancel_watch_is_raised(watch, 1); i++) {
        for (uint32_t child = 0; child < left->type->child_count; child++) {
            const int order = compare_children(&left->children[child], l.offset + i,
                                               &right->children[child], r.offset + i, watch);
            if (order != 0) {
                return order;
            }
        }
    }
    return order_of(l.size<r.size, l.size> r.size);
}

#define NUMBER_CASE(NAME, c_type)                                                                  \
    case PHYSICAL_##NAME: {                                                                        \
        const c_type l = COLUMN_VALUES(left, c_type)[left_lane];                                   \
        const c_type r = COLUMN_VALUES(right, c_type)[right_lane];                                 \
        return order_of(l<r, l> r);                                                                \
    }

static int compare_lanes(const column *left, uint32_t left_lane, const column *right,
                         uint32_t right_lane, cancel_watch *watch) {
    switch (type_physical(left->type)) {
        NUMBER_CASE(I8, int8_t)
        NUMBER_CASE(I16, int16_t)
        NUMBER_CASE(I32, int32_t)
        NUMBER_CASE(I64, int64_t)
        NUMBER_CASE(U8, uint8_t)
        NUMBER_CASE(U16, uint16_t)
        NUMBER_CASE(U32, uint32_t)
        NUMBER_CASE(U64, uint64_t)
        NUMBER_CASE(I128, i128)
    case PHYSICAL_I256:
        return i256_compare(COLUMN_VALUES(left, i256)[left_lane],
                            COLUMN_VALUES(right, i256)[right_lane]);
    case PHYSICAL_F16:
        return compare_doubles(double_of_half(COLUMN_VALUES(left, uint16_t)[left_lane]),
                               double_of_half(COLUMN_VALUES(right, uint16_t)[right_lane]));
    case PHYSICAL_F32:
        return compare_doubles((double)COLUMN_VALUES(left, float)[left_lane],
                               (double)COLUMN_VALUES(right, float)[right_lane]);
    case PHYSICAL_F64:
        return compare_doubles(COLUMN_VALUES(left, double)[left_lane],
                               COLUMN_VALUES(right, double)[right_lane]);
    case PHYSICAL_BIT:
        return (int)bitmap_get(left->values, left_lane) -
               (int)bitmap_get(right->values, right_lane);
    case PHYSICAL_STRING:
        return string_compare_watched(&COLUMN_VALUES(left, string_value)[left_lane],
                                      &COLUMN_VALUES(right, string_value)[right_lane], watch);
    case PHYSICAL_INTERVAL: {
        const i128 l = interval_length(COLUMN_VALUES(left, interval_value)[left_lane]);
        const i128 r = interval_length(COLUMN_VALUES(right, interval_value)[right_lane]);
        return order_of(l<r, l> r);
    }
    case PHYSICAL_LIST:
        return compare_lists(left, COLUMN_VALUES(left, list_value)[left_lane], right,
                             COLUMN_VALUES(right, list_value)[right_lane], watch);
    case PHYSICAL_STRUCT:
        for (uint32_t child = 0; child < left->type->child_count; child++) {
            const int order = compare_children(&left->children[child], left_lane,
                                               &right->children[child], right_lane, watch);
            if (order != 0) {
                return order;
            }
        }
        return 0;
    case PHYSICAL_NONE:
    case PHYSICAL_COUNT:
        break;
    }
    return 0;
}

// The flat column behind a row: a dictionary's entries, else the column itself.
int column_compare_rows_watched(const column *left, uint32_t left_row, const column *right,
                                uint32_t right_row, cancel_watch *watch) {
    const bool left_valid = column_is_valid(left, left_row);
    const bool right_valid = column_is_valid(right, right_row);
    if (!left_valid || !right_valid) {
        return (int)left_valid - (int)right_valid;
    }
    return compare_lanes(column_lanes(left), column_lane(left, left_row), column_lanes(right),
                         column_lane(right, right_row), watch);
}

int column_compare_rows(const column *left, uint32_t left_row, const column *right,
                        uint32_t right_row) {
    return column_compare_rows_watched(left, left_row, right, right_row, NULL);
}

bool column_rows_equal(const column *left, uint32_t left_row, const column *right,
                       uint32_t right_row) {
    return column_compare_rows(left, left_row, right, right_row) == 0;
}

bool column_rows_alike(const column *self, uint32_t left_row, uint32_t right_row) {
    if (self->form == FORM_CONSTANT || left_row == right_row) {
        return true;
    }
    if (self->form == FORM_RUNS || !column_is_valid(self, left_row) ||
        !column_is_valid(self, right_row)) {
        return false;
    }
    if (self->form == FORM_DICTIONARY) {
        const uint32_t *codes = self->values;
        return codes[left_row] == codes[right_row];
    }
    const size_t left = left_row;
    const size_t right = right_row;
    const physical kind = type_physical(self->type);
    if (kind == PHYSICAL_STRUCT) {
        return false;
    }
    if (kind == PHYSICAL_BIT) {
        return bitmap_get(self->values, left) == bitmap_get(self->values, right);
    }
    const uint32_t width = physical_size(kind);
    const uint8_t *values = self->values;
    return memcmp(values + left * width, values + right * width, width) == 0;
}

static uint64_t hash_double(double value) {
    if (isnan(value)) {
        value = (double)NAN;
    }
    value += 0.0; // -0.0 + 0.0 is 0.0.
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return hash_u64(isnan(value) ? UINT64_C(0x7ff8000000000000) : bits);
}

static uint64_t hash_wide(u128 value) {
    return hash_combine(hash_u64((uint64_t)(value & UINT64_MAX)),
                        hash_u64((uint64_t)(value >> 64)));
}

static uint64_t hash_list(const column *self, list_value slice, cancel_watch *watch) {
    uint64_t hash = hash_u64(slice.size);
    for (uint32_t i = 0; i < slice.size && !cancel_watch_is_raised(watch, 1); i++) {
        for (uint32_t child = 0; child < self->type->child_count; child++) {
            hash = hash_combine(
                hash, column_hash_row_watched(&self->children[child], slice.offset + i, watch));
        }
    }
    return hash;
}

#define INTEGER_CASE(NAME, word, c_type)                                                           \
    case PHYSICAL_##NAME:                                                                          \
        return hash_u64((uint64_t)(int64_t)COLUMN_VALUES(self, c_type)[lane]);

static uint64_t hash_lane(const column *self, uint32_t lane, cancel_watch *watch) {
    switch (type_physical(self->type)) {
        PHYSICAL_INTEGER_LIST(INTEGER_CASE)
    case PHYSICAL_I128:
        return hash_wide((u128)COLUMN_VALUES(self, i128)[lane]);
    case PHYSICAL_I256: {
        const i256 value = COLUMN_VALUES(self, i256)[lane];
        return hash_bytes(&value, sizeof value);
    }
    case PHYSICAL_F16:
        return hash_double(double_of_half(COLUMN_VALUES(self, uint16_t)[lane]));
    case PHYSICAL_F32:
        return hash_double((double)COLUMN_VALUES(self, float)[lane]);
    case PHYSICAL_F64:
        return hash_double(COLUMN_VALUES(self, double)[lane]);
    case PHYSICAL_BIT:
        return hash_u64(bitmap_get(self->values, lane) ? 1 : 0);
    case PHYSICAL_STRING: {
        const string_value *value = &COLUMN_VALUES(self, string_value)[lane];
        return hash_bytes_watched(string_data(value), value->size, watch);
    }
    case PHYSICAL_INTERVAL:
        return hash_wide((u128)interval_length(COLUMN_VALUES(self, interval_value)[lane]));
    case PHYSICAL_LIST:
        return hash_list(self, COLUMN_VALUES(self, list_value)[lane], watch);
    case PHYSICAL_STRUCT: {
        uint64_t hash = hash_u64(self->type->child_count);
        for (uint32_t child = 0; child < self->type->child_count; child++) {
            hash = hash_combine(hash, column_hash_row_watched(&self->children[child], lane, watch));
        }
        return hash;
    }
    case PHYSICAL_NONE:
    case PHYSICAL_COUNT:
        break;
    }
    return HASH_NULL;
}

uint64_t column_hash_row_watched(const column *self, uint32_t row, cancel_watch *watch) {
    if (!column_is_valid(self, row)) {
        return HASH_NULL;
    }
    return hash_lane(column_lanes(self), column_lane(self, row), watch);
}

uint64_t column_hash_row(const column *self, uint32_t row) {
    return column_hash_row_watched(self, row, NULL);
}
