// States that hold one value of any type that is not nested: the lowest, the highest, the first.
//
//     fixed width   has_value, then the value as in a flat column (BOOLEAN: a byte)
//     strings       a held_string; the bytes of long ones in the call's heap
//
// Both go out as one column of the type, NULL for no value.
#ifndef FIRN_FUNCTIONS_AGGREGATE_HELD_VALUE_H
#define FIRN_FUNCTIONS_AGGREGATE_HELD_VALUE_H

#include "functions/aggregate/fold.h"

typedef struct held_fixed {
    uint64_t has_value; ///< 0 or HELD_VALUE.
    uint64_t value[4];  ///< As many bytes as the type has.
} held_fixed;

typedef struct held_string {
    string_value value;
    uint32_t has_value;
    uint32_t capacity; ///< Bytes at value.data, if it is long.
} held_string;

#define HELD_VALUE 1

/// state_size_for of held_fixed.
uint32_t held_size(const type *const *types);

/// Copies a lane of a flat or constant column of fixed width.
static inline void held_take(const column *values, uint32_t lane, void *out) {
    const physical kind = type_physical(values->type);
    const size_t width = physical_size(kind);
    if (kind == PHYSICAL_BIT) {
        *(uint8_t *)out = bitmap_get(values->values, lane);
    } else if (width > 0) {
        memcpy(out, COLUMN_VALUES(values, char) + lane * width, width);
    }
}

/// What a state asks its heap for when a value of `size` bytes takes the place of those of another
/// `capacity`: twice as much, so that all it ever asked for is at most twice what it has. The first
/// value, and most groups have but one, gets what it needs.
static inline uint32_t held_room(uint32_t capacity, uint32_t size) {
    const uint32_t twice = capacity > UINT32_MAX / 2 ? 0 : capacity * 2;
    return twice > size ? twice : size;
}

/// Puts a copy of a string into a state. False when the heap is full.
bool held_string_put(held_string *self, const string_value *value, const aggregate_call *call);

/// Negative, 0 or positive, as the value of one state is below, equal to or above the other's.
int held_compare(const type *type, const void *left, const void *right);

// finish and export_state; held_*_export goes out as one column.
uint32_t held_fixed_finish(aggregate_call *call, void *const *states, uint32_t offset, column *out);
uint32_t held_fixed_export(aggregate_call *call, void *const *states, uint32_t offset, column *out);
uint32_t held_string_finish(aggregate_call *call, void *const *states, uint32_t offset,
                            column *out);
uint32_t held_string_export(aggregate_call *call, void *const *states, uint32_t offset,
                            column *out);
/// Overloads for every type: which##_update and so on of a held_fixed, which##_string_update … of a
/// held_string; which##_choice of nested values and of calls with ORDER BY.
#define HELD_OVERLOADS(which)                                                                      \
    (const aggregate_overload[]) {                                                                 \
        HELD_STRING("VARCHAR", which), HELD_STRING("BINARY", which), HELD_STRING("UUID", which),   \
            HELD_STRING("JSON", which), HELD_FIXED("BOOLEAN", which),                              \
            HELD_FIXED("TINYINT", which), HELD_FIXED("SMALLINT", which),                           \
            HELD_FIXED("INTEGER", which), HELD_FIXED("BIGINT", which),                             \
            HELD_FIXED("UTINYINT", which), HELD_FIXED("USMALLINT", which),                         \
            HELD_FIXED("UINTEGER", which), HELD_FIXED("UBIGINT", which),                           \
            HELD_FIXED("FLOAT16", which), HELD_FIXED("REAL", which), HELD_FIXED("DOUBLE", which),  \
            HELD_FIXED("DECIMAL(p,s)", which), HELD_FIXED("DATE", which),                          \
            HELD_FIXED("TIME(u)", which), HELD_FIXED("TIMESTAMP(u)", which),                       \
            HELD_FIXED("TIMESTAMPTZ(u)", which), HELD_FIXED("INTERVAL", which),                    \
            {.signature = "T <- T", .choice = &which##_choice}, {0},                               \
    }
#define HELD_STRING(type_name, which)                                                              \
    {.signature = type_name " <- " type_name,                                                      \
     .state_size = sizeof(held_string),                                                            \
     .state_columns = type_name,                                                                   \
     .state_has_heap = true,                                                                       \
     .choice = &which##_choice,                                                                    \
     .update = which##_string_update,                                                              \
     .update_one = which##_string_update_one,                                                      \
     .combine = which##_string_combine,                                                            \
     .finish = held_string_finish,                                                                 \
     .export_state = held_string_export,                                                           \
     .import_state = which##_string_import}
#define HELD_FIXED(type_name, which)                                                               \
    {.signature = type_name " <- " type_name,                                                      \
     .state_size = sizeof(held_fixed),                                                             \
     .state_size_for = held_size,                                                                  \
     .choice = &which##_choice,                                                                    \
     .state_columns = type_name,                                                                   \
     .update = which##_update,                                                                     \
     .update_one = which##_update_one,                                                             \
     .combine = which##_combine,                                                                   \
     .finish = held_fixed_finish,                                                                  \
     .export_state = held_fixed_export,                                                            \
     .import_state = which##_import}

/// The k-th state of an imported column. A string points to the column's bytes.
held_fixed held_fixed_import(const column *values, uint32_t k);
held_string held_string_import(const column *values, uint32_t k);

#endif
