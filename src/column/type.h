// What a value is: a logical type (Arrow's), and how it lies in memory.
//
// A `type` is plain immutable data, passed by pointer. Types without parameters are static
// constants (TYPE_OF(BIGINT)); the others live in the arena of whoever made them: the plan's, the
// table's. Compare with type_equal, never by pointer.
#ifndef FIRN_COLUMN_TYPE_H
#define FIRN_COLUMN_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/calendar.h" // time_unit
#include "base/error.h"
#include "base/text.h"
#include "memory/arena.h"
#include "memory/text_builder.h"

#define TYPE(id, name, physical, category, equal_is_bytes) TYPE_##id,
typedef enum type_id {
#include "column/types.def"
    TYPE_COUNT
} type_id;
#undef TYPE

// Physical layout of one value: name, word in kernel names, C type. A kernel template is included
// once per row that it can handle. NONE (type NULL) and STRUCT have no values of their own.
#define PHYSICAL_INTEGER_LIST(X)                                                                   \
    X(I8, i8, int8_t)                                                                              \
    X(I16, i16, int16_t)                                                                           \
    X(I32, i32, int32_t)                                                                           \
    X(I64, i64, int64_t)                                                                           \
    X(U8, u8, uint8_t)                                                                             \
    X(U16, u16, uint16_t)                                                                          \
    X(U32, u32, uint32_t)                                                                          \
    X(U64, u64, uint64_t)
#define PHYSICAL_FIXED_LIST(X)                                                                     \
    PHYSICAL_INTEGER_LIST(X)                                                                       \
    X(F16, f16, uint16_t)                                                                          \
    X(F32, f32, float)                                                                             \
    X(F64, f64, double)                                                                            \
    X(I128, i128, i128)                                                                            \
    X(I256, i256, i256)                                                                            \
    X(INTERVAL, interval, interval_value)                                                          \
    X(STRING, string, string_value)                                                                \
    X(LIST, list, list_value)

#define X(name, word, c_type) PHYSICAL_##name,
typedef enum physical {
    PHYSICAL_NONE, ///< Type NULL: no values, every row is NULL.
    PHYSICAL_BIT,  ///< One bit a value, row 0 is bit 0 of word 0 (uint64_t words).
    PHYSICAL_FIXED_LIST(X) PHYSICAL_STRUCT, ///< Children only.
    PHYSICAL_COUNT
} physical;
#undef X

typedef enum type_category {
    CATEGORY_NULL,
    CATEGORY_BOOLEAN,
    CATEGORY_INTEGER,
    CATEGORY_FLOAT,
    CATEGORY_DECIMAL,
    CATEGORY_DATETIME,
    CATEGORY_TEXT,
    CATEGORY_BINARY,
    CATEGORY_UUID,
    CATEGORY_NESTED
} type_category;

typedef struct type type;

/// A named child of a nested type, or a column of a schema.
typedef struct field {
    text name;
    const type *type;
    bool is_nullable;
    int32_t id; ///< Field id of the table format or file, -1 if none.
} field;

struct type {
    type_id id;
    uint8_t precision; ///< DECIMAL: 1 to 76.
    uint8_t scale;     ///< DECIMAL: 0 to precision (38 or 76 at most).
    time_unit unit;    ///< TIME (milli, micro, nano), TIMESTAMP, TIMESTAMPTZ.
    uint32_t width;    ///< BINARY(n): n bytes; 0 for any length. UUID: 16.
    uint32_t child_count;
    const field *children; ///< LIST: "element". MAP: "key", "value". STRUCT: its fields.
};

/// The columns of a table, a plan node or a result.
typedef struct schema {
    uint32_t count;
    const field *fields;
} schema;

#define DECIMAL_PRECISION_MAX 76
#define DECIMAL_PRECISION_I128 38
#define TYPE_DEPTH_MAX 64 ///< Nested deeper than this is refused wherever types come in.

extern const type type_constants[TYPE_COUNT];

/// The type without parameters: `TYPE_OF(BIGINT)`. TIME and TIMESTAMP are in microseconds, BINARY
/// has any length. Not for DECIMAL, LIST, STRUCT, MAP.
#define TYPE_OF(id) (&type_constants[TYPE_##id])

/// Types with parameters, in `memory`; NULL when it is full.
const type *type_decimal(arena *memory, uint8_t precision, uint8_t scale);
const type *type_binary(arena *memory, uint32_t width);
const type *type_temporal(type_id id, time_unit unit); ///< TIME, TIMESTAMP, TIMESTAMPTZ: static.
const type *type_list(arena *memory, const type *element);
const type *type_map(arena *memory, const type *key, const type *value);
const type *type_struct(arena *memory, uint32_t count, const field *fields); ///< Copies `fields`.
/// A deep copy, names included: for whatever outlives the type's first arena.
firn_status type_copy(arena *memory, const type *self, const type **out, firn_error *err);
firn_status schema_copy(arena *memory, const schema *self, schema *out, firn_error *err);

/// Same type with the same parameters, field names and nullability of children included; field ids
/// are not compared.
bool type_equal(const type *left, const type *right);
/// As type_equal, but names and nullability of children are not compared: same layout and meaning.
bool type_same_values(const type *left, const type *right);
/// Whether both are bytes, of any widths: these compare as they are.
bool type_are_bytes(const type *left, const type *right);
/// Whether structs of two types with the same children have other field names, at any depth.
bool type_names_differ(const type *left, const type *right);
uint64_t type_hash(const type *self);

physical type_physical(const type *self);
type_category type_category_of(const type *self);
bool type_equal_is_bytes(const type *self); ///< Children included.
/// Do values have an order that fits into numbers of 64 bits, if not exactly
/// (exec/sort/order_number.h)?
bool type_has_order_number(const type *self);
/// Do all equal values show the same, those of nested types too? Not 0.0 and -0.0.
bool type_equal_is_same(const type *self);
/// Bytes of one value in a flat column; 0 for NONE, BIT and STRUCT.
uint32_t physical_size(physical kind);
bool physical_is_integer(physical kind); ///< Of at most 64 bits.

static inline bool type_is_nested(const type *self) {
    return self->child_count > 0 || self->id == TYPE_STRUCT;
}
/// Are its values of any length: texts, bytes, lists, structs?
static inline bool type_has_any_length(const type *self) {
    return type_is_nested(self) || type_physical(self) == PHYSICAL_STRING;
}

/// SQL text of a type, such as `DECIMAL(12,2)` or `STRUCT(a INTEGER, b VARCHAR[])`.
void type_print(const type *self, text_builder *out);
/// The same in `memory`, for messages; "?" when it is full.
text type_text(const type *self, arena *memory);

#endif
