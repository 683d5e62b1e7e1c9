// Plans to bytes. Everything is written by the field lists: varints for numbers, lengths before
// texts, names for nodes and functions (so that an unknown one can be refused by its name). The
// reader is plan_decode.c; the two are kept side by side.
//
//     plan     magic, version, counts, tables, root
//     node     word, fields            expr   word, type, fields        list   count, items
//     type     id, parameters, children
//     column   type, length, validity flag and words, values by physical type, children
#include "plan/plan.h"
#include "plan/plan_format.h"

typedef struct writer {
    arena *memory;
    uint8_t *data;
    size_t size, capacity;
    firn_error *err;
    firn_status status;
} writer;

static void put_bytes(writer *self, const void *data, size_t size) {
    if (self->status != FIRN_OK || size == 0) {
        return;
    }
    if (size > self->capacity - self->size) {
        size_t capacity = self->capacity == 0 ? 1024 : self->capacity * 2;
        capacity = capacity < self->size + size ? self->size + size : capacity;
        uint8_t *grown = ARENA_NEW(self->memory, uint8_t, capacity);
        if (grown == NULL) {
            self->status = ARENA_FULL(self->memory, self->err);
            return;
        }
        if (self->size > 0) {
            memcpy(grown, self->data, self->size);
        }
        self->data = grown;
        self->capacity = capacity;
    }
    memcpy(self->data + self->size, data, size);
    self->size += size;
}

static void put_u64(writer *self, uint64_t value) {
    uint8_t out[10];
    size_t size = 0;
    while (value >= 0x80) {
        out[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[size++] = (uint8_t)value;
    put_bytes(self, out, size);
}

static void put_text(writer *self, text value) {
    put_u64(self, value.size);
    put_bytes(self, value.data, value.size);
}

// ---- Types and data -----------------------------------------------------------------------------

static void put_type(writer *self, const type *value);

static void put_field(writer *self, const field *value) {
    put_text(self, value->name);
    put_type(self, value->type);
    put_u64(self, value->is_nullable ? 1 : 0);
    put_u64(self, (uint32_t)value->id);
}

static void put_type(writer *self, const type *value) {
    put_u64(self, value->id);
    put_u64(self, value->precision);
    put_u64(self, value->scale);
    put_u64(self, value->unit);
    put_u64(self, value->width);
    put_u64(self, value->child_count);
    for (uint32_t i = 0; i < value->child_count; i++) {
        put_field(self, &value->children[i]);
    }
}

static void put_schema(writer *self, schema value) {
    put_u64(self, value.count);
    for (uint32_t i = 0; i < value.count; i++) {
        put_field(self, &value.fields[i]);
    }
}

static void put_strings(writer *self, const column *value) {
    for (uint32_t i = 0; i < value->length; i++) {
        put_text(self, string_text(&COLUMN_VALUES(value, string_value)[i]));
    }
}

static void put_lists(writer *self, const column *value) {
    for (uint32_t i = 0; i < value->length; i++) {
        const list_value slice = COLUMN_VALUES(value, list_value)[i];
        put_u64(self, slice.offset);
        put_u64(self, slice.size);
    }
}

// A flat column, or the one row of a constant.
static void put_column(writer *self, const column *value) {
    // Of type NULL there is nothing but a length, whatever the form.
    const bool is_null = value->type->id == TYPE_NULL;
    const uint32_t length = value->form == FORM_CONSTANT && !is_null ? 1 : value->length;
    const bool has_validity = value->validity != NULL && !is_null;
    put_type(self, value->type);
    put_u64(self, length);
    put_u64(self, has_validity ? 1 : 0);
    if (has_validity) {
        put_bytes(self, value->validity, BITMAP_WORDS(length) * sizeof(uint64_t));
    }
    column flat = *value;
    flat.length = length;
    switch ((int)type_physical(value->type)) {
    case PHYSICAL_NONE:
    case PHYSICAL_STRUCT:
        break;
    case PHYSICAL_BIT:
        put_bytes(self, value->values, BITMAP_WORDS(length) * sizeof(uint64_t));
        break;
    case PHYSICAL_STRING:
        put_strings(self, &flat);
        break;
    case PHYSICAL_LIST:
        put_lists(self, &flat);
        break;
    default:
        put_bytes(self, value->values, (size_t)length * physical_size(type_physical(value->type)));
    }
    for (uint32_t i = 0; i < value->type->child_count; i++) {
        put_column(self, &value->children[i]);
    }
}

// ---- Fields -------------------------------------------------------------------------------------

static void put_expr(writer *self, const expr *value);
static void put_plan(writer *self, const plan_node *value);

static void put_exprs(writer *self, expr_list list) {
    put_u64(self, list.count);
    for (uint32_t i = 0; i < list.count; i++) {
        put_expr(self, list.items[i]);
    }
}

static void put_u32s(writer *self, u32_list list) {
    put_u64(self, list.count);
    for (uint32_t i = 0; i < list.count; i++) {
        put_u64(self, list.items[i]);
    }
}

static void put_keys(writer *self, sort_key_list list) {
    put_u64(self, list.count);
    for (uint32_t i = 0; i < list.count; i++) {
        put_expr(self, list.items[i].value);
        put_u64(self, list.items[i].is_descending ? 1 : 0);
        put_u64(self, list.items[i].nulls_first ? 1 : 0);
    }
}

static void put_plans(writer *self, plan_list list) {
    put_u64(self, list.count);
    for (uint32_t i = 0; i < list.count; i++) {
        put_plan(self, list.items[i]);
    }
}

static void put_scan_columns(writer *self, scan_column_list list) {
    put_u64(self, list.count);
    for (uint32_t i = 0; i < list.count; i++) {
        const scan_column *column = &list.items[i];
        put_u64(self, column->id);
        put_u64(self, column->path_length);
        for (uint32_t k = 0; k < column->path_length; k++) {
            put_u64(self, column->path[k]);
        }
        put_type(self, column->type);
        put_text(self, column->name);
    }
}

static void put_data(writer *self, column_data_list list) {
    put_u64(self, list.count);
    for (uint32_t i = 0; i < list.count; i++) {
        put_column(self, &list.items[i]);
    }
}

static void put_literal(writer *self, literal value) {
    put_u64(self, value.is_null ? 1 : 0);
    if (!value.is_null) {
        put_column(self, value.value);
    }
}

#define PUT_U32(value) put_u64(self, value)
#define PUT_U64(value) put_u64(self, value)
#define PUT_BOOL(value) put_u64(self, (value) ? 1 : 0)
#define PUT_TEXT(value) put_text(self, value)
#define PUT_BYTES(value) (void)(value) // Bound state is made again by whoever decodes.
#define PUT_SCHEMA(value) put_schema(self, value)
#define PUT_LITERAL(value) put_literal(self, value)
#define PUT_COLUMN_DATA(value) put_column(self, value)
#define PUT_EXPR(value) put_expr(self, value)
#define PUT_EXPRS(value) put_exprs(self, value)
#define PUT_U32S(value) put_u32s(self, value)
#define PUT_SORT_KEYS(value) put_keys(self, value)
#define PUT_FUNCTION(value) put_text(self, text_of((value)->name))
#define PUT_AGGREGATE(value) put_text(self, text_of((value)->name))
#define PUT_PLAN(value) put_plan(self, value)
#define PUT_PLANS(value) put_plans(self, value)
#define PUT_SCAN_COLUMNS(value) put_scan_columns(self, value)
#define PUT_COLUMNS_DATA(value) put_data(self, value)

static void put_expr(writer *self, const expr *value) {
    if (value == NULL) {
        put_text(self, TEXT(""));
        return;
    }
    switch (value->kind) {
#define X(NAME, word, explanation)                                                                 \
    case EXPR_##NAME:                                                                              \
        put_text(self, TEXT(#word));                                                               \
        put_type(self, value->type);                                                               \
        EXPR_##NAME##_FIELDS(PUT_##NAME##_FIELD);                                                  \
        break;
#define PUT_COLUMN_FIELD(kind, name) PUT_##kind(value->column_.name);
#define PUT_LITERAL_FIELD(kind, name) PUT_##kind(value->literal_.name);
#define PUT_PARAMETER_FIELD(kind, name) PUT_##kind(value->parameter_.name);
#define PUT_CALL_FIELD(kind, name) PUT_##kind(value->call_.name);
#define PUT_CAST_FIELD(kind, name) PUT_##kind(value->cast_.name);
#define PUT_AND_FIELD(kind, name) PUT_##kind(value->and_.name);
#define PUT_OR_FIELD(kind, name) PUT_##kind(value->or_.name);
#define PUT_CASE_FIELD(kind, name) PUT_##kind(value->case_.name);
#define PUT_COALESCE_FIELD(kind, name) PUT_##kind(value->coalesce_.name);
#define PUT_IN_FIELD(kind, name) PUT_##kind(value->in_.name);
#define PUT_TRY_FIELD(kind, name) PUT_##kind(value->try_.name);
#define PUT_DYNAMIC_FIELD(kind, name) PUT_##kind(value->dynamic_.name);
#define PUT_LAMBDA_FIELD(kind, name) PUT_##kind(value->lambda_.name);
#define PUT_SUBQUERY_FIELD(kind, name) PUT_##kind(value->subquery_.name);
#define PUT_AGGREGATE_FIELD(kind, name) PUT_##kind(value->aggregate_.name);
        EXPR_KIND_LIST(X)
#undef X
    case EXPR_KIND_COUNT:
        break;
    }
}

static void put_plan(writer *self, const plan_node *value) {
    if (value == NULL) {
        put_text(self, TEXT(""));
        return;
    }
    put_bytes(self, &value->row_estimate, sizeof value->row_estimate);
    switch (value->kind) {
#define PUT_NODE(kind, name) PUT_##kind(node->name);
#define X(NAME, word, label, explanation)                                                          \
    case PLAN_##NAME: {                                                                            \
        const __typeof__(value->word##_) *node = &value->word##_;                                  \
        put_text(self, TEXT(label));                                                               \
        PLAN_##NAME##_FIELDS(PUT_NODE) break;                                                      \
    }
        PLAN_KIND_LIST(X)
#undef X
    case PLAN_KIND_COUNT:
        break;
    }
    if (plan_has_position(value)) {
        put_u64(self, value->position);
    }
}

firn_status plan_encode(const plan *self, arena *memory, bytes *out, firn_error *err) {
    writer state = {.memory = memory, .err = err, .status = FIRN_OK};
    put_bytes(&state, PLAN_MAGIC, sizeof PLAN_MAGIC - 1);
    put_u64(&state, PLAN_ENCODING_VERSION);
    put_u64(&state, self->id_count);
    put_u64(&state, self->slot_count);
    put_u64(&state, self->shared_count);
    put_u64(&state, self->table_count);
    for (uint32_t i = 0; i < self->table_count; i++) {
        const table_ref *table = &self->tables[i];
        put_text(&state, table->kind);
        put_text(&state, table->catalog);
        put_text(&state, table->name);
        put_text(&state, table->options);
        put_u64(&state, (uint64_t)table->snapshot_id);
        put_u64(&state, (uint32_t)table->schema_id);
        put_u64(&state, table->local);
    }
    put_plan(&state, self->root);
    *out = (bytes){.data = state.data, .size = state.size};
    return state.status;
}
