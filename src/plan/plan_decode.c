// Bytes to plans. The bytes may come from anywhere: lengths and counts are checked against what is
// left, recursion is bounded, names are looked up, and calls are resolved again by the types of
// their arguments, so that no kernel ever meets a type it was not written for. plan_check then
// proves that every column that is mentioned is made below, with that type.
#include "base/calendar.h"
#include "expr/cast.h"
#include "functions/overload.h"
#include "plan/plan.h"
#include "plan/plan_format.h"

typedef struct decoder {
    byte_reader in;
    arena *memory;
    const struct function_lookup *functions;
    firn_error *err;
    uint32_t depth;
} decoder;

static firn_status full(decoder *self) {
    return ARENA_FULL(self->memory, self->err);
}

static firn_status corrupt(decoder *self, const char *what) {
    return FAIL(self->err, FIRN_CORRUPT, "an encoded plan with %s", what);
}

static firn_status get_u64(decoder *self, uint64_t *out) {
    *out = 0;
    for (uint32_t shift = 0; shift < 64; shift += 7) {
        bytes byte;
        TRY(reader_take(&self->in, 1, &byte, self->err));
        const uint64_t part = byte.data[0] & 0x7f;
        if (shift == 63 && part > 1) {
            break;
        }
        *out |= part << shift;
        if ((byte.data[0] & 0x80) == 0) {
            return FIRN_OK;
        }
    }
    return corrupt(self, "a number of more than 64 bits");
}

static firn_status get_u32(decoder *self, uint32_t *out) {
    uint64_t wide;
    TRY(get_u64(self, &wide));
    if (wide > UINT32_MAX) {
        return corrupt(self, "a number of more than 32 bits");
    }
    *out = (uint32_t)wide;
    return FIRN_OK;
}

static firn_status get_bool(decoder *self, bool *out) {
    uint64_t value;
    TRY(get_u64(self, &value));
    *out = value != 0;
    return value <= 1 ? FIRN_OK : corrupt(self, "a flag that is neither 0 nor 1");
}

// A count of items that take at least `least` bytes each.
static firn_status get_count(decoder *self, size_t least, uint32_t *out) {
    TRY(get_u32(self, out));
    return *out <= reader_left(&self->in) / least ? FIRN_OK
                                                  : corrupt(self, "a count beyond its end");
}

static firn_status get_text(decoder *self, text *out) {
    uint32_t size;
    bytes data;
    TRY(get_u32(self, &size));
    TRY(reader_take(&self->in, size, &data, self->err));
    return text_copy(self->memory, (text){.data = (const char *)data.data, .size = size}, out,
                     self->err);
}

static firn_status enter(decoder *self) {
    return ++self->depth <= PLAN_DEPTH_MAX ? FIRN_OK : corrupt(self, "too deep a nesting");
}

// ---- Types and data -----------------------------------------------------------------------------

static firn_status get_type(decoder *self, const type **out);

static firn_status get_field(decoder *self, field *out) {
    uint32_t id;
    TRY(get_text(self, &out->name));
    TRY(get_type(self, &out->type));
    TRY(get_bool(self, &out->is_nullable));
    TRY(get_u32(self, &id));
    out->id = (int32_t)id;
    return FIRN_OK;
}

static bool children_fit(const type *self) {
    switch ((int)self->id) {
    case TYPE_LIST:
        return self->child_count == 1;
    case TYPE_MAP:
        return self->child_count == 2;
    case TYPE_STRUCT:
        return true;
    default:
        return self->child_count == 0;
    }
}

static bool parameters_fit(const type *self) {
    if (self->id == TYPE_DECIMAL) {
        return self->precision >= 1 && self->precision <= DECIMAL_PRECISION_MAX &&
               self->scale <= self->precision;
    }
    return self->unit <= UNIT_NANO && !(self->id == TYPE_TIME && self->unit == UNIT_SECOND);
}

static firn_status get_type(decoder *self, const type **out) {
    uint32_t parts[5];
    type *made = ARENA_NEW(self->memory, type, 1);
    if (made == NULL) {
        return full(self);
    }
    TRY(enter(self));
    for (int i = 0; i < 5; i++) {
        TRY(get_u32(self, &parts[i]));
    }
    if (parts[0] >= TYPE_COUNT || parts[1] > UINT8_MAX || parts[2] > UINT8_MAX ||
        parts[3] > UNIT_NANO || parts[4] > INT32_MAX) {
        return corrupt(self, "an unknown type");
    }
    *made = (type){.id = (type_id)parts[0],
                   .precision = (uint8_t)parts[1],
                   .scale = (uint8_t)parts[2],
                   .unit = (time_unit)parts[3],
                   .width = parts[4]};
    TRY(get_count(self, 8, &made->child_count));
    field *children = ARENA_NEW(self->memory, field, made->child_count + 1);
    if (children == NULL) {
        return full(self);
    }
    for (uint32_t i = 0; i < made->child_count; i++) {
        TRY(get_field(self, &children[i]));
    }
    made->children = children;
    if (!children_fit(made) || !parameters_fit(made)) {
        return corrupt(self, "a type whose parameters do not fit");
    }
    self->depth--;
    *out = made;
    return FIRN_OK;
}

static firn_status get_schema(decoder *self, schema *out) {
    TRY(get_count(self, 8, &out->count));
    field *fields = ARENA_NEW(self->memory, field, out->count + 1);
    if (fields == NULL) {
        return full(self);
    }
    for (uint32_t i = 0; i < out->count; i++) {
        TRY(get_field(self, &fields[i]));
    }
    out->fields = fields;
    return FIRN_OK;
}

static firn_status copy_raw(decoder *self, size_t size, void *out) {
    bytes data;
    TRY(reader_take(&self->in, size, &data, self->err));
    if (size > 0) {
        memcpy(out, data.data, size);
    }
    return FIRN_OK;
}

static firn_status get_strings(decoder *self, column *out) {
    for (uint32_t i = 0; i < out->length; i++) {
        text value;
        TRY(get_text(self, &value));
        COLUMN_OUT(out, string_value)[i] = string_of(value.data, (uint32_t)value.size);
    }
    return FIRN_OK;
}

static firn_status get_slices(decoder *self, column *out, uint64_t *end) {
    *end = 0;
    for (uint32_t i = 0; i < out->length; i++) {
        list_value *slice = &COLUMN_OUT(out, list_value)[i];
        TRY(get_u32(self, &slice->offset));
        TRY(get_u32(self, &slice->size));
        const uint64_t last = (uint64_t)slice->offset + slice->size;
        *end = last > *end ? last : *end;
    }
    return FIRN_OK;
}

// Whoever prints a time relies on it.
static firn_status check_times(decoder *self, const column *times) {
    const int64_t day = CALENDAR_DAY_SECONDS * calendar_units_per_second(times->type->unit);
    const bool is_narrow = type_physical(times->type) == PHYSICAL_I32;
    for (uint32_t i = 0; i < times->length; i++) {
        const int64_t value =
            is_narrow ? COLUMN_VALUES(times, int32_t)[i] : COLUMN_VALUES(times, int64_t)[i];
        if (column_is_valid(times, i) && (value < 0 || value > day)) {
            return corrupt(self, "a time of no day");
        }
    }
    return FIRN_OK;
}

static firn_status get_column(decoder *self, column *out);

static firn_status get_values(decoder *self, column *out, uint64_t *child_rows) {
    const physical kind = type_physical(out->type);
    *child_rows = out->length;
    switch ((int)kind) {
    case PHYSICAL_NONE:
    case PHYSICAL_STRUCT:
        return FIRN_OK;
    case PHYSICAL_BIT:
        return copy_raw(self, BITMAP_WORDS(out->length) * sizeof(uint64_t),
                        COLUMN_OUT(out, uint8_t));
    case PHYSICAL_STRING:
        return get_strings(self, out);
    case PHYSICAL_LIST:
        return get_slices(self, out, child_rows);
    default:
        TRY(copy_raw(self, (size_t)out->length * physical_size(kind), COLUMN_OUT(out, uint8_t)));
        return out->type->id == TYPE_TIME ? check_times(self, out) : FIRN_OK;
    }
}

static firn_status get_column(decoder *self, column *out) {
    const type *kind;
    uint32_t length;
    bool has_validity;
    TRY(enter(self));
    TRY(get_type(self, &kind));
    TRY(get_u32(self, &length));
    TRY(get_bool(self, &has_validity));
    // A row takes at least a bit, but for rows without values (NULLs, empty structs).
    if (length / 8 > reader_left(&self->in) && kind->id != TYPE_NULL) {
        return corrupt(self, "a column beyond its end");
    }
    TRY(column_new(self->memory, kind, length, out, self->err));
    if (has_validity) {
        uint64_t *bits = ARENA_NEW(self->memory, uint64_t, BITMAP_WORDS(length) + 1);
        if (bits == NULL) {
            return full(self);
        }
        TRY(copy_raw(self, BITMAP_WORDS(length) * sizeof(uint64_t), bits));
        if (kind->id != TYPE_NULL) {
            out->validity = bits;
        }
    }
    uint64_t child_rows;
    TRY(get_values(self, out, &child_rows));
    column *children = ARENA_NEW(self->memory, column, kind->child_count + 1);
    if (children == NULL) {
        return full(self);
    }
    for (uint32_t i = 0; i < kind->child_count; i++) {
        TRY(get_column(self, &children[i]));
        if (children[i].length < child_rows ||
            !type_equal(children[i].type, kind->children[i].type)) {
            return corrupt(self, "a nested column that is too short");
        }
    }
    out->children = children;
    self->depth--;
    return FIRN_OK;
}

static firn_status get_column_data(decoder *self, const column **out) {
    column *made = ARENA_NEW(self->memory, column, 1);
    if (made == NULL) {
        return full(self);
    }
    *out = made;
    return get_column(self, made);
}

static firn_status get_literal(decoder *self, literal *out) {
    *out = (literal){0};
    TRY(get_bool(self, &out->is_null));
    if (out->is_null) {
        return FIRN_OK;
    }
    column *made = ARENA_NEW(self->memory, column, 1);
    if (made == NULL) {
        return full(self);
    }
    TRY(get_column(self, made));
    if (made->length != 1) {
        return corrupt(self, "a constant of several rows");
    }
    made->form = FORM_CONSTANT;
    out->value = made;
    return FIRN_OK;
}

// ---- Lists --------------------------------------------------------------------------------------

static firn_status get_expr(decoder *self, expr **out);
static firn_status get_plan(decoder *self, plan_node **out);

static firn_status get_exprs(decoder *self, expr_list *out) {
    TRY(get_count(self, 1, &out->count));
    out->items = ARENA_NEW(self->memory, expr *, out->count + 1);
    if (out->items == NULL) {
        return full(self);
    }
    for (uint32_t i = 0; i < out->count; i++) {
        TRY(get_expr(self, &out->items[i]));
        if (out->items[i] == NULL) {
            return corrupt(self, "an expression missing in a list");
        }
    }
    return FIRN_OK;
}

static firn_status get_u32s(decoder *self, u32_list *out) {
    TRY(get_count(self, 1, &out->count));
    out->items = ARENA_NEW(self->memory, uint32_t, out->count + 1);
    if (out->items == NULL) {
        return full(self);
    }
    for (uint32_t i = 0; i < out->count; i++) {
        TRY(get_u32(self, &out->items[i]));
    }
    return FIRN_OK;
}

static firn_status get_keys(decoder *self, sort_key_list *out) {
    TRY(get_count(self, 3, &out->count));
    out->items = ARENA_NEW(self->memory, sort_key, out->count + 1);
    if (out->items == NULL) {
        return full(self);
    }
    for (uint32_t i = 0; i < out->count; i++) {
        TRY(get_expr(self, &out->items[i].value));
        TRY(get_bool(self, &out->items[i].is_descending));
        TRY(get_bool(self, &out->items[i].nulls_first));
        if (out->items[i].value == NULL) {
            return corrupt(self, "a sort key without an expression");
        }
    }
    return FIRN_OK;
}

static firn_status get_plans(decoder *self, plan_list *out) {
    TRY(get_count(self, 1, &out->count));
    out->items = ARENA_NEW(self->memory, plan_node *, out->count + 1);
    if (out->items == NULL) {
        return full(self);
    }
    for (uint32_t i = 0; i < out->count; i++) {
        TRY(get_plan(self, &out->items[i]));
    }
    return FIRN_OK;
}

static firn_status get_scan_columns(decoder *self, scan_column_list *out) {
    TRY(get_count(self, 8, &out->count));
    out->items = ARENA_NEW(self->memory, scan_column, out->count + 1);
    if (out->items == NULL) {
        return full(self);
    }
    for (uint32_t i = 0; i < out->count; i++) {
        scan_column *column = &out->items[i];
        u32_list path;
        TRY(get_u32(self, &column->id));
        TRY(get_u32s(self, &path));
        column->path = path.items;
        column->path_length = path.count;
        TRY(get_type(self, &column->type));
        TRY(get_text(self, &column->name));
        if (path.count == 0) {
            return corrupt(self, "a scan column without a path");
        }
    }
    return FIRN_OK;
}

static firn_status get_data(decoder *self, column_data_list *out) {
    TRY(get_count(self, 8, &out->count));
    column *items = ARENA_NEW(self->memory, column, out->count + 1);
    if (items == NULL) {
        return full(self);
    }
    for (uint32_t i = 0; i < out->count; i++) {
        TRY(get_column(self, &items[i]));
    }
    out->items = items;
    return FIRN_OK;
}

static firn_status get_function(decoder *self, const scalar_function **out) {
    text name;
    TRY(get_text(self, &name));
    *out = self->functions->scalar(name);
    return *out != NULL ? FIRN_OK
                        : FAIL(self->err, FIRN_UNSUPPORTED,
                               "a plan with the unknown function \"%.*s\"", TEXT_ARGS(name));
}

static firn_status get_aggregate(decoder *self, const struct aggregate_function **out) {
    text name;
    TRY(get_text(self, &name));
    *out = self->functions->aggregate(name);
    return *out != NULL ? FIRN_OK
                        : FAIL(self->err, FIRN_UNSUPPORTED,
                               "a plan with the unknown aggregate \"%.*s\"", TEXT_ARGS(name));
}

static firn_status get_nothing(bytes *out) {
    *out = (bytes){0};
    return FIRN_OK;
}

#define GET_U32(slot) get_u32(self, slot)
#define GET_U64(slot) get_u64(self, slot)
#define GET_BOOL(slot) get_bool(self, slot)
#define GET_TEXT(slot) get_text(self, slot)
#define GET_BYTES(slot) get_nothing(slot)
#define GET_SCHEMA(slot) get_schema(self, slot)
#define GET_LITERAL(slot) get_literal(self, slot)
#define GET_COLUMN_DATA(slot) get_column_data(self, slot)
#define GET_EXPR(slot) get_expr(self, slot)
#define GET_EXPRS(slot) get_exprs(self, slot)
#define GET_U32S(slot) get_u32s(self, slot)
#define GET_SORT_KEYS(slot) get_keys(self, slot)
#define GET_FUNCTION(slot) get_function(self, slot)
#define GET_AGGREGATE(slot) get_aggregate(self, slot)
#define GET_PLAN(slot) get_plan(self, slot)
#define GET_PLANS(slot) get_plans(self, slot)
#define GET_SCAN_COLUMNS(slot) get_scan_columns(self, slot)
#define GET_COLUMNS_DATA(slot) get_data(self, slot)

// ---- Expressions --------------------------------------------------------------------------------

// A list or map written out whose elements have no type is one of NULLs to whoever takes it in
// (bind_array, bind_map), though its function makes texts of them.
static bool is_untyped(const expr *value, const type *made) {
    if (value->kind != EXPR_CALL || value->type->id != made->id ||
        (strcmp(value->call_.function->name, "list_value") != 0 &&
         strcmp(value->call_.function->name, "map") != 0)) {
        return false;
    }
    bool fits = true;
    for (uint32_t i = 0; i < made->child_count && fits; i++) {
        const type *child = value->type->children[i].type;
        fits = type_same_values(made->children[i].type, child) ||
               (child->id == TYPE_NULL && made->children[i].type->id == TYPE_VARCHAR);
    }
    return fits;
}

// The types of a call's arguments must be those of the overload that is named, casts included.
static firn_status check_call(decoder *self, expr *value) {
    const bool is_aggregate = value->kind == EXPR_AGGREGATE;
    const expr_list *args = is_aggregate ? &value->aggregate_.args : &value->call_.args;
    const uint32_t wanted = is_aggregate ? value->aggregate_.overload : value->call_.overload;
    const type **types = ARENA_NEW(self->memory, const type *, args->count + 1);
    uint32_t *lambdas = ARENA_NEW(self->memory, uint32_t, args->count + 1);
    if (types == NULL || lambdas == NULL) {
        return full(self);
    }
    for (uint32_t i = 0; i < args->count; i++) {
        types[i] = args->items[i]->type;
        lambdas[i] =
            args->items[i]->kind == EXPR_LAMBDA ? args->items[i]->lambda_.parameters.count : 0;
    }
    const overload_request request = {.types = types,
                                      .args = args->items,
                                      .arg_count = args->count,
                                      .lambda_parameters = lambdas,
                                      .only = &wanted,
                                      .position = UINT32_MAX};
    overload_choice choice;
    if (is_aggregate) {
        TRY(aggregate_resolve(value->aggregate_.function, &request, self->memory, &choice,
                              self->err));
        value->aggregate_.bound = choice.bound;
    } else {
        TRY(function_resolve(value->call_.function, &request, self->memory, &choice, self->err));
        value->call_.bound = choice.bound;
    }
    bool fits = type_same_values(choice.result, value->type) || is_untyped(value, choice.result);
    for (uint32_t i = 0; i < args->count && fits; i++) {
        fits = types[i] == NULL || type_same_values(types[i], choice.types[i]);
    }
    return fits ? FIRN_OK : corrupt(self, "a call whose types do not fit its function");
}

static firn_status check_expr(decoder *self, expr *value) {
    switch ((int)value->kind) {
    case EXPR_CALL:
    case EXPR_AGGREGATE:
        return check_call(self, value);
    case EXPR_CAST:
        return value->cast_.arg != NULL &&
                       cast_find(value->cast_.arg->type, value->type).kind != CAST_NONE
                   ? FIRN_OK
                   : corrupt(self, "a cast that does not exist");
    case EXPR_LITERAL:
        return value->literal_.value.is_null ||
                       type_equal(value->literal_.value.value->type, value->type)
                   ? FIRN_OK
                   : corrupt(self, "a constant of another type");
    case EXPR_IN:
        return value->in_.arg != NULL &&
                       (type_same_values(value->in_.arg->type, value->in_.values->type) ||
                        type_are_bytes(value->in_.arg->type, value->in_.values->type))
                   ? FIRN_OK
                   : corrupt(self, "an IN list of another type");
    case EXPR_CASE: {
        bool fits = value->case_.conditions.count == value->case_.values.count &&
                    value->case_.otherwise != NULL &&
                    type_same_values(value->case_.otherwise->type, value->type);
        for (uint32_t i = 0; i < value->case_.values.count && fits; i++) {
            fits = value->case_.conditions.items[i]->type->id == TYPE_BOOLEAN &&
                   type_same_values(value->case_.values.items[i]->type, value->type);
        }
        return fits ? FIRN_OK : corrupt(self, "a CASE whose arms do not fit");
    }
    case EXPR_SUBQUERY:
    case EXPR_PARAMETER:
        return corrupt(self, "an expression that no plan that runs has");
    default:
        return FIRN_OK;
    }
}

#define GET_FIELD_COLUMN(kind, name) TRY(GET_##kind(&made->column_.name));
#define GET_FIELD_LITERAL(kind, name) TRY(GET_##kind(&made->literal_.name));
#define GET_FIELD_PARAMETER(kind, name) TRY(GET_##kind(&made->parameter_.name));
#define GET_FIELD_CALL(kind, name) TRY(GET_##kind(&made->call_.name));
#define GET_FIELD_CAST(kind, name) TRY(GET_##kind(&made->cast_.name));
#define GET_FIELD_AND(kind, name) TRY(GET_##kind(&made->and_.name));
#define GET_FIELD_OR(kind, name) TRY(GET_##kind(&made->or_.name));
#define GET_FIELD_CASE(kind, name) TRY(GET_##kind(&made->case_.name));
#define GET_FIELD_COALESCE(kind, name) TRY(GET_##kind(&made->coalesce_.name));
#define GET_FIELD_IN(kind, name) TRY(GET_##kind(&made->in_.name));
#define GET_FIELD_TRY(kind, name) TRY(GET_##kind(&made->try_.name));
#define GET_FIELD_DYNAMIC(kind, name) TRY(GET_##kind(&made->dynamic_.name));
#define GET_FIELD_LAMBDA(kind, name) TRY(GET_##kind(&made->lambda_.name));
#define GET_FIELD_SUBQUERY(kind, name) TRY(GET_##kind(&made->subquery_.name));
#define GET_FIELD_AGGREGATE(kind, name) TRY(GET_##kind(&made->aggregate_.name));

static firn_status get_expr_fields(decoder *self, expr *made) {
    switch (made->kind) {
#define X(NAME, word, explanation)                                                                 \
    case EXPR_##NAME:                                                                              \
        EXPR_##NAME##_FIELDS(GET_FIELD_##NAME) return FIRN_OK;
        EXPR_KIND_LIST(X)
#undef X
    case EXPR_KIND_COUNT:
        break;
    }
    return FIRN_OK;
}

static firn_status expr_kind_of(decoder *self, text word, expr_kind *out) {
    static const text words[EXPR_KIND_COUNT] = {
#define X(NAME, word, explanation) [EXPR_##NAME] = {.data = #word, .size = sizeof(#word) - 1},
        EXPR_KIND_LIST(X)
#undef X
    };
    for (int kind = 0; kind < EXPR_KIND_COUNT; kind++) {
        if (text_equal(words[kind], word)) {
            *out = (expr_kind)kind;
            return FIRN_OK;
        }
    }
    return FAIL(self->err, FIRN_UNSUPPORTED, "a plan with the unknown expression \"%.*s\"",
                TEXT_ARGS(word));
}

static firn_status get_expr(decoder *self, expr **out) {
    text word;
    expr_kind kind;
    const type *result;
    TRY(enter(self));
    TRY(get_text(self, &word));
    *out = NULL;
    if (word.size > 0) {
        TRY(expr_kind_of(self, word, &kind));
        TRY(get_type(self, &result));
        *out = expr_new(self->memory, kind, result);
        if (*out == NULL) {
            return full(self);
        }
        TRY(get_expr_fields(self, *out));
        TRY(check_expr(self, *out));
    }
    self->depth--;
    return FIRN_OK;
}

// ---- Nodes --------------------------------------------------------------------------------------

static firn_status plan_kind_of(decoder *self, text label, plan_kind *out) {
    for (int kind = 0; kind < PLAN_KIND_COUNT; kind++) {
        if (text_equal(text_of(plan_kind_label((plan_kind)kind)), label)) {
            *out = (plan_kind)kind;
            return FIRN_OK;
        }
    }
    return FAIL(self->err, FIRN_UNSUPPORTED, "a plan with the unknown node \"%.*s\"",
                TEXT_ARGS(label));
}

static firn_status get_plan_fields(decoder *self, plan_node *made) {
    switch (made->kind) {
#define GET_NODE(kind, name) TRY(GET_##kind(&node->name));
#define X(NAME, word, label, explanation)                                                          \
    case PLAN_##NAME: {                                                                            \
        __typeof__(made->word##_) *node = &made->word##_;                                          \
        PLAN_##NAME##_FIELDS(GET_NODE) return FIRN_OK;                                             \
    }
        PLAN_KIND_LIST(X)
#undef X
    case PLAN_KIND_COUNT:
        break;
    }
    return FIRN_OK;
}

static firn_status get_plan(decoder *self, plan_node **out) {
    double estimate;
    text label;
    plan_kind kind;
    TRY(enter(self));
    TRY(copy_raw(self, sizeof estimate, &estimate));
    TRY(get_text(self, &label));
    TRY(plan_kind_of(self, label, &kind));
    *out = plan_new(self->memory, kind);
    if (*out == NULL) {
        return full(self);
    }
    (*out)->row_estimate = estimate;
    TRY(get_plan_fields(self, *out));
    if (plan_has_position(*out)) {
        TRY(get_u32(self, &(*out)->position));
    }
    self->depth--;
    return FIRN_OK;
}

static firn_status get_tables(decoder *self, plan *out) {
    TRY(get_count(self, 7, &out->table_count));
    out->tables = ARENA_NEW(self->memory, table_ref, out->table_count + 1);
    if (out->tables == NULL) {
        return full(self);
    }
    for (uint32_t i = 0; i < out->table_count; i++) {
        table_ref *table = &out->tables[i];
        uint64_t snapshot;
        uint32_t schema_id;
        TRY(get_text(self, &table->kind));
        TRY(get_text(self, &table->catalog));
        TRY(get_text(self, &table->name));
        TRY(get_text(self, &table->options));
        TRY(get_u64(self, &snapshot));
        TRY(get_u32(self, &schema_id));
        TRY(get_u32(self, &table->local));
        table->snapshot_id = (int64_t)snapshot;
        table->schema_id = (int32_t)schema_id;
    }
    return FIRN_OK;
}

firn_status plan_decode(bytes encoded, const struct function_lookup *functions, arena *memory,
                        plan *out, firn_error *err) {
    decoder state = {
        .in = reader_open(encoded), .memory = memory, .functions = functions, .err = err};
    bytes magic;
    uint64_t version;
    *out = (plan){0};
    TRY(reader_take(&state.in, sizeof PLAN_MAGIC - 1, &magic, err));
    if (memcmp(magic.data, PLAN_MAGIC, magic.size) != 0) {
        return FAIL(err, FIRN_CORRUPT, "this is no encoded plan");
    }
    TRY(get_u64(&state, &version));
    if (version != PLAN_ENCODING_VERSION) {
        return FAIL(err, FIRN_UNSUPPORTED, "a plan of encoding version %llu, this firn reads %d",
                    (unsigned long long)version, PLAN_ENCODING_VERSION);
    }
    TRY(get_u32(&state, &out->id_count));
    TRY(get_u32(&state, &out->slot_count));
    TRY(get_u32(&state, &out->shared_count));
    TRY(get_tables(&state, out));
    TRY(get_plan(&state, &out->root));
    if (reader_left(&state.in) > 0) {
        return corrupt(&state, "something behind its end");
    }
    return plan_check(out, memory, err);
}
