// Many nested values at a time: struct by struct field, lists element by element, in loops that
// know the type. What is seldom or may be long goes the way of rows_nested.c.
#include "exec/rows/rows_private.h"

#define LIST_SHORT                                                                                 \
    4096 // Elements that a loop handles without looking whether the query was stopped.

static bool is_leaf(physical kind) {
    return kind != PHYSICAL_LIST && kind != PHYSICAL_STRUCT;
}

static bool lane_is_valid(const column *self, uint32_t lane) {
    return self->type->id != TYPE_NULL &&
           (self->validity == NULL || bitmap_get(self->validity, lane));
}

static list_value list_of(const column *self, uint32_t lane) {
    return COLUMN_VALUES(self, list_value)[lane];
}

// Has a list column one child of a fixed width without NULLs? Its width, else 0.
static uint32_t dense_width(const column *self) {
    const column *child = &self->children[0];
    const physical kind = type_physical(child->type);
    const bool is_dense = self->type->child_count == 1 && child->validity == NULL &&
                          is_leaf(kind) && kind != PHYSICAL_STRING && kind != PHYSICAL_BIT;
    return is_dense ? physical_size(kind) : 0;
}

// ---- Sizes --------------------------------------------------------------------------------------

static void add_fixed_sizes(const column *self, const uint32_t *lanes, uint32_t count,
                            uint64_t *sizes) {
    const uint64_t width = row_value_size(self->type);
    for (uint32_t i = 0; i < count; i++) {
        sizes[i] += lane_is_valid(self, lanes[i]) ? width : 0;
    }
}

static void add_string_sizes(const column *self, const uint32_t *lanes, uint32_t count,
                             uint64_t *sizes) {
    const string_value *values = self->values;
    for (uint32_t i = 0; i < count; i++) {
        const bool has_value = lane_is_valid(self, lanes[i]);
        sizes[i] += has_value ? sizeof(uint32_t) + (uint64_t)values[lanes[i]].size : 0;
    }
}

static void add_long_sizes(const column *self, const uint32_t *lanes, uint32_t count,
                           uint64_t *sizes, cancel_watch *watch) {
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t size =
            lane_is_valid(self, lanes[i]) ? row_nested_size(self, lanes[i], watch) : 0;
        sizes[i] = size > UINT64_MAX - sizes[i] ? UINT64_MAX : sizes[i] + size;
    }
}

static void add_list_sizes(const column *self, const uint32_t *lanes, uint32_t count,
                           uint64_t *sizes, cancel_watch *watch) {
    const uint64_t width = dense_width(self);
    if (width == 0) {
        add_long_sizes(self, lanes, count, sizes, watch);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        sizes[i] += lane_is_valid(self, lanes[i])
                        ? sizeof(uint32_t) + list_of(self, lanes[i]).size * (1 + width)
                        : 0;
    }
}

void row_nested_add_sizes(const column *self, const uint32_t *lanes, uint32_t count,
                          uint64_t *sizes, cancel_watch *watch) {
    const physical kind = type_physical(self->type);
    if (kind == PHYSICAL_STRING) {
        add_string_sizes(self, lanes, count, sizes);
    } else if (is_leaf(kind)) {
        add_fixed_sizes(self, lanes, count, sizes);
    } else if (kind == PHYSICAL_LIST) {
        add_list_sizes(self, lanes, count, sizes, watch);
    } else if (self->validity != NULL) {
        add_long_sizes(self, lanes, count, sizes, watch);
    } else {
        const uint32_t fields = self->type->child_count;
        for (uint32_t i = 0; i < count; i++) {
            sizes[i] += fields;
        }
        for (uint32_t field = 0; field < fields; field++) {
            row_nested_add_sizes(&self->children[field], lanes, count, sizes, watch);
        }
    }
}

// ---- Writing ------------------------------------------------------------------------------------

#define PUT_WIDTH(width)                                                                           \
    case width:                                                                                    \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            uint8_t *at = out[i];                                                                  \
            const bool has_value = lane_is_valid(self, lanes[i]);                                  \
            *at++ = has_value;                                                                     \
            if (has_value) { /* Nothing is written behind the last field. */                       \
                memcpy(at, in + (size_t)lanes[i] * (width), (width));                              \
                at += (width);                                                                     \
            }                                                                                      \
            out[i] = at;                                                                           \
        }                                                                                          \
        return;

// A field: whether there is a value, and the value.
static void write_field(const column *self, const uint32_t *lanes, uint32_t count, uint8_t **out,
                        cancel_watch *watch) {
    const physical kind = type_physical(self->type);
    const uint8_t *in = self->values;
    switch (is_leaf(kind) && kind != PHYSICAL_STRING ? physical_size(kind) : 0) {
        PUT_WIDTH(1)
        PUT_WIDTH(2)
        PUT_WIDTH(4)
        PUT_WIDTH(8)
        PUT_WIDTH(16)
        PUT_WIDTH(32)
    default:
        break;
    }
    if (kind == PHYSICAL_STRUCT && self->validity == NULL) {
        for (uint32_t i = 0; i < count; i++) {
            *out[i]++ = 1;
        }
        row_nested_write_all(self, lanes, count, out, watch);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const bool has_value = lane_is_valid(self, lanes[i]);
        *out[i]++ = has_value;
        out[i] = has_value ? row_nested_write(self, lanes[i], out[i], watch) : out[i];
    }
}

#define PUT_ELEMENTS(width)                                                                        \
    case width:                                                                                    \
        for (uint32_t i = 0; i < slice.size; i++) {                                                \
            *out++ = 1;                                                                            \
            memcpy(out, in + (size_t)i * (width), (width));                                        \
            out += (width);                                                                        \
        }                                                                                          \
        return out;

// A list of dense elements.
static uint8_t *write_elements(const column *self, list_value slice, uint32_t width, uint8_t *out) {
    const uint8_t *in = COLUMN_VALUES(&self->children[0], uint8_t) + (size_t)slice.offset * width;
    memcpy(out, &slice.size, sizeof slice.size);
    out += sizeof slice.size;
    switch (width) {
        PUT_ELEMENTS(1)
        PUT_ELEMENTS(2)
        PUT_ELEMENTS(4)
        PUT_ELEMENTS(8)
        PUT_ELEMENTS(16)
        PUT_ELEMENTS(32)
    default:
        return out;
    }
}

void row_nested_write_all(const column *self, const uint32_t *lanes, uint32_t count, uint8_t **out,
                          cancel_watch *watch) {
    if (type_physical(self->type) == PHYSICAL_STRUCT) {
        for (uint32_t field = 0; field < self->type->child_count; field++) {
            write_field(&self->children[field], lanes, count, out, watch);
        }
        return;
    }
    const uint32_t width = dense_width(self);
    for (uint32_t i = 0; i < count; i++) {
        const list_value slice = list_of(self, lanes[i]);
        out[i] = width > 0 && slice.size <= LIST_SHORT
                     ? write_elements(self, slice, width, out[i])
                     : row_nested_write(self, lanes[i], out[i], watch);
    }
}

// ---- Equality -----------------------------------------------------------------------------------

// Keeps the pairs for which `equal` holds; it moves `at` behind what it compared. What is behind
// the first difference of a pair is never looked at: its bytes may end there.
#define KEEP_EQUAL(self, equal)                                                                    \
    do {                                                                                           \
        uint32_t kept = 0;                                                                         \
        for (uint32_t i = 0; i < (self)->count; i++) {                                             \
            const uint8_t *at = (self)->at[i];                                                     \
            const uint32_t lane = (self)->lanes[i];                                                \
            const uint16_t number = (self)->numbers[i];                                            \
            const bool is_equal = (equal);                                                         \
            (self)->at[kept] = at;                                                                 \
            (self)->lanes[kept] = lane;                                                            \
            (self)->numbers[kept] = number;                                                        \
            kept += is_equal;                                                                      \
        }                                                                                          \
        (self)->count = kept;                                                                      \
    } while (0)

#define SAME_NUMBER(word, c_type, equal)                                                           \
    static bool same_##word(const uint8_t **at, const void *values, uint32_t lane) {               \
        c_type held;                                                                               \
        memcpy(&held, *at, sizeof held);                                                           \
        *at += sizeof held;                                                                        \
        const c_type other = ((const c_type *)values)[lane];                                       \
        return (equal);                                                                            \
    }
SAME_NUMBER(1, uint8_t, held == other)
SAME_NUMBER(2, uint16_t, held == other)
SAME_NUMBER(4, uint32_t, held == other)
SAME_NUMBER(8, uint64_t, held == other)
SAME_NUMBER(16, u128, held == other)
// NaN is one value, whatever its bits; -0.0 equals 0.0 anyway.
SAME_NUMBER(f32, float, held == other || (held != held && other != other))
SAME_NUMBER(f64, double, held == other || (held != held && other != other))

static bool same_string(const uint8_t **at, const void *values, uint32_t lane) {
    const string_value *other = &((const string_value *)values)[lane];
    uint32_t size;
    memcpy(&size, *at, sizeof size);
    const uint8_t *data = *at + sizeof size;
    *at = data + size;
    return size == other->size && memcmp(data, string_data(other), size) == 0;
}

// Physical types with a comparison of their own: NAME, word of same_word.
#define SAME_LIST(X)                                                                               \
    X(I8, 1)                                                                                       \
    X(U8, 1)                                                                                       \
    X(I16, 2)                                                                                      \
    X(U16, 2)                                                                                      \
    X(I32, 4)                                                                                      \
    X(U32, 4)                                                                                      \
    X(I64, 8)                                                                                      \
    X(U64, 8)                                                                                      \
    X(I128, 16)                                                                                    \
    X(F32, f32)                                                                                    \
    X(F64, f64)                                                                                    \
    X(STRING, string)

// A value with the byte before it.
static bool same_any(const uint8_t **at, const column *self, uint32_t lane, cancel_watch *watch) {
    const bool has_value = *(*at)++ != 0;
    return has_value == lane_is_valid(self, lane) &&
           (!has_value || row_nested_equal_at(at, self, lane, watch));
}

#define SAME_FIELD_FUNCTION(NAME, word)                                                            \
    static inline bool same_field_##NAME(const uint8_t **at, const column *values,                 \
                                         uint32_t lane) {                                          \
        const bool has_value = *(*at)++ != 0;                                                      \
        return has_value == lane_is_valid(values, lane) &&                                         \
               (!has_value || same_##word(at, values->values, lane));                              \
    }
SAME_LIST(SAME_FIELD_FUNCTION)

#define SAME_FIELD(NAME, word)                                                                     \
    case PHYSICAL_##NAME:                                                                          \
        KEEP_EQUAL(self, same_field_##NAME(&at, values, lane));                                    \
        return;

static void match_field(row_nested_pairs *self, const column *values) {
    const physical kind = type_physical(values->type);
    switch ((int)kind) {
        SAME_LIST(SAME_FIELD)
    default:
        break;
    }
    if (is_leaf(kind) || values->validity != NULL) {
        KEEP_EQUAL(self, same_any(&at, values, lane, self->watch));
        return;
    }
    KEEP_EQUAL(self, *at++ == 1);
    row_nested_match(self, values);
}

#define SAME_ELEMENTS(NAME, word)                                                                  \
    case PHYSICAL_##NAME:                                                                          \
        for (uint32_t i = 0; i < slice.size && is_same; i++) {                                     \
            const bool has_value = *(*at)++ != 0;                                                  \
            is_same = has_value == lane_is_valid(elements, slice.offset + i) &&                    \
                      (!has_value || same_##word(at, elements->values, slice.offset + i));         \
        }                                                                                          \
        return is_same;

// A list whose elements are of one column; `kind` is theirs.
static inline bool same_elements(const uint8_t **at, list_value slice, const column *elements,
                                 physical kind, cancel_watch *watch) {
    uint32_t size;
    memcpy(&size, *at, sizeof size);
    *at += sizeof size;
    bool is_same = size == slice.size;
    switch ((int)kind) {
        SAME_LIST(SAME_ELEMENTS)
    default:
        break;
    }
    for (uint32_t i = 0; i < slice.size && is_same; i++) {
        is_same = same_any(at, elements, slice.offset + i, watch);
    }
    return is_same;
}

void row_nested_match(row_nested_pairs *self, const column *values) {
    if (type_physical(values->type) == PHYSICAL_STRUCT) {
        for (uint32_t field = 0; field < values->type->child_count; field++) {
            match_field(self, &values->children[field]);
        }
    } else if (values->type->child_count == 1) {
        const column *elements = &values->children[0];
        const physical kind = type_physical(elements->type);
        KEEP_EQUAL(self, same_elements(&at, list_of(values, lane), elements, kind, self->watch));
    } else { // Maps: keys and values by turns.
        KEEP_EQUAL(self, row_nested_equal_at(&at, values, lane, self->watch));
    }
}
