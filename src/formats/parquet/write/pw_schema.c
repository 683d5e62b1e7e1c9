#include "formats/parquet/write/pw_schema.h"

#include <assert.h>

#include "base/wide.h"
#include "memory/name_index.h"

#define NO_CONVERTED (-1)
#define UUID_WIDTH 16
#define INTERVAL_WIDTH 12
#define FLOAT16_WIDTH 2

// What a type without parameters is stored as.
typedef struct leaf_form {
    pq_type type;
    uint32_t width;                    // PQ_FIXED
    void (*mark)(pq_logical_type *of); // The logical type, if it is without parameters.
    int8_t bits;                       // The INTEGER that it is, or 0.
    bool is_signed;
    int32_t converted; // A pq_converted or NO_CONVERTED.
} leaf_form;

#define INTEGER_FORM(physical, width_bits, sign, word)                                             \
    {.type = (physical),                                                                           \
     .bits = (width_bits),                                                                         \
     .is_signed = (sign),                                                                          \
     .converted = PQ_CONVERTED_##word}
static const leaf_form forms[TYPE_COUNT] = {
    [TYPE_NULL] = {PQ_INT32, 0, pq_logical_type_set_unknown, .converted = NO_CONVERTED},
    [TYPE_BOOLEAN] = {PQ_BOOLEAN, .converted = NO_CONVERTED},
    [TYPE_TINYINT] = INTEGER_FORM(PQ_INT32, 8, true, INT_8),
    [TYPE_SMALLINT] = INTEGER_FORM(PQ_INT32, 16, true, INT_16),
    [TYPE_INTEGER] = {PQ_INT32, .converted = NO_CONVERTED},
    [TYPE_BIGINT] = {PQ_INT64, .converted = NO_CONVERTED},
    [TYPE_UTINYINT] = INTEGER_FORM(PQ_INT32, 8, false, UINT_8),
    [TYPE_USMALLINT] = INTEGER_FORM(PQ_INT32, 16, false, UINT_16),
    [TYPE_UINTEGER] = INTEGER_FORM(PQ_INT32, 32, false, UINT_32),
    [TYPE_UBIGINT] = INTEGER_FORM(PQ_INT64, 64, false, UINT_64),
    [TYPE_FLOAT16] = {PQ_FIXED, FLOAT16_WIDTH, pq_logical_type_set_float16,
                      .converted = NO_CONVERTED},
    [TYPE_REAL] = {PQ_FLOAT, .converted = NO_CONVERTED},
    [TYPE_DOUBLE] = {PQ_DOUBLE, .converted = NO_CONVERTED},
    [TYPE_DATE] = {PQ_INT32, 0, pq_logical_type_set_date, .converted = PQ_CONVERTED_DATE},
    [TYPE_INTERVAL] = {PQ_FIXED, INTERVAL_WIDTH, NULL, .converted = PQ_CONVERTED_INTERVAL},
    [TYPE_VARCHAR] = {PQ_BYTE_ARRAY, 0, pq_logical_type_set_string, .converted = PQ_CONVERTED_UTF8},
    [TYPE_JSON] = {PQ_BYTE_ARRAY, 0, pq_logical_type_set_json, .converted = PQ_CONVERTED_JSON},
    [TYPE_BINARY] = {PQ_BYTE_ARRAY, .converted = NO_CONVERTED},
    [TYPE_UUID] = {PQ_FIXED, UUID_WIDTH, pq_logical_type_set_uuid, .converted = NO_CONVERTED},
};

typedef struct making {
    arena *memory;
    pq_schema_element *elements;
    uint32_t count;
    const type **leaf_types;
    pw_path *leaf_paths;
    uint32_t leaf_count;
    uint32_t depth; // Of the element at hand: how many `names` count.
    text names[PQ_SCHEMA_DEPTH_MAX];
} making;

// ---- Leaves ------------------------------------------------------------------------------------

static void set_physical(pq_schema_element *element, pq_type kind, uint32_t width) {
    element->type = (int32_t)kind;
    pq_schema_element_set_type(element);
    if (kind == PQ_FIXED) {
        element->type_length = (int32_t)width;
        pq_schema_element_set_type_length(element);
    }
}

static void set_converted(pq_schema_element *element, int32_t converted) {
    if (converted != NO_CONVERTED) {
        element->converted_type = converted;
        pq_schema_element_set_converted_type(element);
    }
}

static pq_logical_type *set_logical(pq_schema_element *element) {
    pq_schema_element_set_logical_type(element);
    return &element->logical_type;
}

// Bytes that any number of so many digits fits.
static uint32_t decimal_width(uint32_t precision) {
    i256 most = I256_ZERO;
    const bool fits = i256_sub_fits(i256_power_of_ten[precision], i256_from_i64(1), &most);
    assert(fits);
    (void)fits;
    return (uint32_t)i256_big_endian_size(most);
}

static void set_decimal(pq_schema_element *element, const type *of) {
    if (of->precision <= 9) {
        set_physical(element, PQ_INT32, 0);
    } else if (of->precision <= DECIMAL64_DIGITS_MAX) {
        set_physical(element, PQ_INT64, 0);
    } else {
        set_physical(element, PQ_FIXED, decimal_width(of->precision));
    }
    set_converted(element, PQ_CONVERTED_DECIMAL);
    element->precision = of->precision;
    element->scale = of->scale;
    pq_schema_element_set_precision(element);
    pq_schema_element_set_scale(element);
    pq_decimal_type *decimal = &set_logical(element)->decimal;
    pq_logical_type_set_decimal(&element->logical_type);
    decimal->precision = of->precision;
    decimal->scale = of->scale;
    pq_decimal_type_set_precision(decimal);
    pq_decimal_type_set_scale(decimal);
}

static pq_time_type time_type(time_unit unit, bool is_utc) {
    pq_time_type out = {.is_adjusted_to_utc = is_utc};
    pq_time_type_set_is_adjusted_to_utc(&out);
    pq_time_type_set_unit(&out);
    if (unit == UNIT_NANO) {
        pq_time_unit_set_nanos(&out.unit);
    } else if (unit == UNIT_MICRO) {
        pq_time_unit_set_micros(&out.unit);
    } else {
        pq_time_unit_set_millis(&out.unit);
    }
    return out;
}

static void set_time(pq_schema_element *element, const type *of) {
    pq_logical_type *logical = set_logical(element);
    if (of->id == TYPE_TIME) {
        set_physical(element, of->unit <= UNIT_MILLI ? PQ_INT32 : PQ_INT64, 0);
        logical->time = time_type(of->unit, false);
        pq_logical_type_set_time(logical);
        set_converted(element, of->unit == UNIT_NANO    ? NO_CONVERTED
                               : of->unit == UNIT_MICRO ? PQ_CONVERTED_TIME_MICROS
                                                        : PQ_CONVERTED_TIME_MILLIS);
        return;
    }
    set_physical(element, PQ_INT64, 0);
    logical->timestamp = time_type(of->unit, of->id == TYPE_TIMESTAMPTZ);
    pq_logical_type_set_timestamp(logical);
    set_converted(element, of->unit == UNIT_NANO    ? NO_CONVERTED
                           : of->unit == UNIT_MICRO ? PQ_CONVERTED_TIMESTAMP_MICROS
                                                    : PQ_CONVERTED_TIMESTAMP_MILLIS);
}

static void set_plain(pq_schema_element *element, const type *of) {
    const leaf_form *form = &forms[of->id];
    const bool is_fixed_binary = of->id == TYPE_BINARY && of->width > 0;
    set_physical(element, is_fixed_binary ? PQ_FIXED : form->type,
                 is_fixed_binary ? of->width : form->width);
    set_converted(element, form->converted);
    if (form->mark != NULL) {
        form->mark(set_logical(element));
    }
    if (form->bits > 0) {
        pq_integer_type *integer = &set_logical(element)->integer;
        pq_logical_type_set_integer(&element->logical_type);
        *integer = (pq_integer_type){.bit_width = form->bits, .is_signed = form->is_signed};
        pq_integer_type_set_bit_width(integer);
        pq_integer_type_set_is_signed(integer);
    }
}

static firn_status put_leaf(making *self, pq_schema_element *element, const type *of,
                            firn_error *err) {
    if (of->width > INT32_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "BINARY(%u): Parquet has at most %d bytes", of->width,
                    INT32_MAX);
    }
    if (of->id == TYPE_DECIMAL) {
        set_decimal(element, of);
    } else if (of->id == TYPE_TIME || of->id == TYPE_TIMESTAMP || of->id == TYPE_TIMESTAMPTZ) {
        set_time(element, of);
    } else {
        set_plain(element, of);
    }
    text *names = ARENA_NEW(self->memory, text, self->depth);
    if (names == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    memcpy(names, self->names, self->depth * sizeof *names);
    self->leaf_types[self->leaf_count] = of;
    self->leaf_paths[self->leaf_count] = (pw_path){.count = self->depth, .names = names};
    self->leaf_count += 1;
    return FIRN_OK;
}

// ---- Groups ------------------------------------------------------------------------------------

// The next element; whoever calls leaves it with self->depth -= 1.
static firn_status enter(making *self, text name, pq_repetition repetition, pq_schema_element **out,
                         firn_error *err) {
    if (self->depth == PQ_SCHEMA_DEPTH_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "nested deeper than %d groups of a Parquet file",
                    PQ_SCHEMA_DEPTH_MAX);
    }
    self->names[self->depth] = name;
    self->depth += 1;
    pq_schema_element *element = &self->elements[self->count];
    self->count += 1;
    *element = (pq_schema_element){.name = bytes_of_text(name), .repetition = (int32_t)repetition};
    pq_schema_element_set_name(element);
    pq_schema_element_set_repetition(element);
    *out = element;
    return FIRN_OK;
}

static void set_child_count(pq_schema_element *element, uint32_t count) {
    element->child_count = (int32_t)count;
    pq_schema_element_set_child_count(element);
}

// Recursion follows the type, whose depth is bounded where types come in, and by `enter`.
static firn_status put_field(making *self, text name, const field *of, bool may_be_null,
                             firn_error *err);

static firn_status put_children(making *self, const type *of, firn_error *err) {
    static const char *const entry_names[] = {"key", "value"};
    for (uint32_t i = 0; i < of->child_count; i++) {
        const field *child = &of->children[i];
        const bool is_key = of->id == TYPE_MAP && i == 0;
        const text name = of->id == TYPE_STRUCT ? child->name
                          : of->id == TYPE_MAP  ? text_of(entry_names[i])
                                                : TEXT("element");
        TRY(put_field(self, name, child, !is_key, err));
    }
    return FIRN_OK;
}

// The repeated group between a list or a map and what it holds.
static firn_status put_entries(making *self, pq_schema_element *outer, const type *of,
                               firn_error *err) {
    const bool is_map = of->id == TYPE_MAP;
    set_child_count(outer, 1);
    set_converted(outer, is_map ? PQ_CONVERTED_MAP : PQ_CONVERTED_LIST);
    (is_map ? pq_logical_type_set_map : pq_logical_type_set_list)(set_logical(outer));
    pq_schema_element *repeated;
    TRY(enter(self, is_map ? TEXT("key_value") : TEXT("list"), PQ_REPEATED, &repeated, err));
    set_child_count(repeated, of->child_count);
    TRY(put_children(self, of, err));
    self->depth -= 1;
    return FIRN_OK;
}

static firn_status check_names(making *self, const schema *fields, const char *what,
                               firn_error *err) {
    name_index index = {0};
    for (uint32_t i = 0; i < fields->count; i++) {
        const text name = fields->fields[i].name;
        uint32_t other = name_index_first(&index, name);
        while (other != NO_NAME && !text_equal(fields->fields[other].name, name)) {
            other = name_index_next(&index, other); // The same but for upper and lower case.
        }
        if (other != NO_NAME) {
            return FAIL_SQL(err, FIRN_INVALID, "42701", NO_POSITION,
                            "two %s with the name \"%.*s\"", what, TEXT_ARGS(name));
        }
        TRY(name_index_add(&index, name, self->memory, err));
    }
    return FIRN_OK;
}

static firn_status put_struct(making *self, pq_schema_element *element, const type *of,
                              firn_error *err) {
    if (of->child_count == 0) {
        return FAIL(err, FIRN_UNSUPPORTED, "a STRUCT without fields has no form in Parquet");
    }
    const schema fields = {.count = of->child_count, .fields = of->children};
    TRY(check_names(self, &fields, "fields of a STRUCT", err));
    set_child_count(element, of->child_count);
    return put_children(self, of, err);
}

static firn_status put_field(making *self, text name, const field *of, bool may_be_null,
                             firn_error *err) {
    const bool is_optional = may_be_null && (of->is_nullable || of->type->id == TYPE_NULL);
    pq_schema_element *element;
    TRY(enter(self, name, is_optional ? PQ_OPTIONAL : PQ_REQUIRED, &element, err));
    if (of->id != -1) {
        element->field_id = of->id;
        pq_schema_element_set_field_id(element);
    }
    switch ((int)of->type->id) {
    case TYPE_LIST:
    case TYPE_MAP:
        TRY(put_entries(self, element, of->type, err));
        break;
    case TYPE_STRUCT:
        TRY(put_struct(self, element, of->type, err));
        break;
    default:
        TRY(put_leaf(self, element, of->type, err));
    }
    self->depth -= 1;
    return FIRN_OK;
}

// Elements that a type takes. The type was copied, so there are no more than memory holds.
static size_t element_count(const type *of) {
    size_t count = of->id == TYPE_LIST || of->id == TYPE_MAP ? 2 : 1;
    for (uint32_t i = 0; i < of->child_count; i++) {
        count += element_count(of->children[i].type);
    }
    return count;
}

static firn_status make_room(making *self, const schema *columns, firn_error *err) {
    size_t count = 1;
    for (uint32_t i = 0; i < columns->count; i++) {
        count += element_count(columns->fields[i].type);
    }
    if (count > INT32_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "%zu columns and fields", count);
    }
    self->elements = ARENA_NEW(self->memory, pq_schema_element, count);
    self->leaf_types = ARENA_NEW(self->memory, const type *, count);
    self->leaf_paths = ARENA_NEW(self->memory, pw_path, count);
    return self->elements == NULL || self->leaf_types == NULL || self->leaf_paths == NULL
               ? ARENA_FULL(self->memory, err)
               : FIRN_OK;
}

static firn_status put_columns(making *self, const schema *columns, firn_error *err) {
    TRY(check_names(self, columns, "columns", err));
    self->elements[0] = (pq_schema_element){.name = bytes_of_text(TEXT("schema"))};
    pq_schema_element_set_name(&self->elements[0]);
    set_child_count(&self->elements[0], columns->count);
    self->count = 1;
    for (uint32_t i = 0; i < columns->count; i++) {
        const field *column = &columns->fields[i];
        const firn_status status = put_field(self, column->name, column, true, err);
        if (status != FIRN_OK) {
            err_while(err, "finding a form for column \"%.*s\" in a Parquet file",
                      TEXT_ARGS(column->name));
            return status;
        }
    }
    return FIRN_OK;
}

firn_status pw_schema_make(const schema *columns, arena *memory, const pw_schema **out,
                           firn_error *err) {
    pw_schema *made = ARENA_NEW(memory, pw_schema, 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    *made = (pw_schema){.tree = NULL};
    TRY(schema_copy(memory, columns, &made->columns, err));
    making self = {.memory = memory};
    TRY(make_room(&self, &made->columns, err));
    TRY(put_columns(&self, &made->columns, err));
    made->elements = (pq_schema_element_list){.count = self.count, .items = self.elements};
    made->leaf_types = self.leaf_types;
    made->leaf_paths = self.leaf_paths;
    TRY(pq_schema_build(&made->elements, memory, &made->tree, err));
    assert(made->tree->leaf_count == self.leaf_count);
    *out = made;
    return FIRN_OK;
}
