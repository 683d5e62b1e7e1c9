#include "formats/avro/avro_columns.h"

#include <assert.h>

#include "formats/avro/avro_columns_private.h"
#include "formats/avro/avro_types.h"

#define MILLIS_PER_DAY INT64_C(86400000)

typedef struct column_compiler {
    arena *memory;
    avro_columns_options options;
    uint32_t depth;
} column_compiler;

static firn_status compile_node(column_compiler *self, const avro_schema *value,
                                const field *wanted, avro_node *out, firn_error *err);

// ---- Single values ------------------------------------------------------------------------------

// Units a second has.
static int64_t per_second(time_unit unit) {
    static const int64_t counts[] = {
        [UNIT_SECOND] = 1,
        [UNIT_MILLI] = 1000,
        [UNIT_MICRO] = 1000000,
        [UNIT_NANO] = 1000000000,
    };
    return counts[unit];
}

static bool is_timestamp(const type *wanted) {
    return wanted->id == TYPE_TIMESTAMP || wanted->id == TYPE_TIMESTAMPTZ;
}

static bool is_time_of_day(avro_logical logical) {
    return logical == AVRO_LOGICAL_TIME_MILLIS || logical == AVRO_LOGICAL_TIME_MICROS ||
           logical == AVRO_LOGICAL_TIME_NANOS;
}

// int and long: plain numbers, dates, times.
static bool bind_integer(const avro_schema *value, const type *wanted, avro_node *out) {
    out->factor = 1;
    time_unit unit;
    switch ((int)wanted->id) {
    case TYPE_INTEGER:
        out->kind = AVRO_NODE_I32;
        return value->kind == AVRO_INT;
    case TYPE_BIGINT:
        out->kind = AVRO_NODE_I64;
        return true;
    case TYPE_DATE:
        out->kind = AVRO_NODE_I32;
        return value->kind == AVRO_INT && !is_time_of_day(value->logical);
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        out->kind = AVRO_NODE_I64;
        if (value->logical == AVRO_LOGICAL_DATE && is_timestamp(wanted)) {
            out->factor = per_second(wanted->unit) * (MILLIS_PER_DAY / 1000);
            return true;
        }
        if (!avro_unit_of(value->logical, &unit) ||
            is_time_of_day(value->logical) != (wanted->id == TYPE_TIME) || unit > wanted->unit) {
            return false;
        }
        out->factor = per_second(wanted->unit) / per_second(unit);
        return true;
    default:
        return false;
    }
}

static bool bind_decimal(const avro_schema *value, const type *wanted, avro_node *out) {
    out->kind = value->kind == AVRO_FIXED ? AVRO_NODE_DECIMAL_FIXED : AVRO_NODE_DECIMAL_BYTES;
    out->size = value->size;
    out->precision = wanted->precision;
    return value->logical == AVRO_LOGICAL_DECIMAL && wanted->scale == value->scale &&
           wanted->precision >= value->precision;
}

// string and bytes.
static bool bind_bytes(const avro_schema *value, const type *wanted, avro_node *out) {
    switch ((int)wanted->id) {
    case TYPE_VARCHAR:
    case TYPE_JSON:
        out->kind = AVRO_NODE_TEXT;
        return true;
    case TYPE_BINARY:
        out->kind = AVRO_NODE_BYTES;
        out->size = wanted->width;
        return true;
    case TYPE_UUID:
        out->kind = AVRO_NODE_UUID_TEXT;
        return value->kind == AVRO_STRING;
    case TYPE_DECIMAL:
        return bind_decimal(value, wanted, out);
    default:
        return false;
    }
}

static bool bind_fixed(const avro_schema *value, const type *wanted, avro_node *out) {
    out->kind = AVRO_NODE_FIXED;
    out->size = value->size;
    switch ((int)wanted->id) {
    case TYPE_BINARY:
        return wanted->width == 0 || wanted->width == value->size;
    case TYPE_UUID:
        return value->size == 16;
    case TYPE_DECIMAL:
        return bind_decimal(value, wanted, out);
    case TYPE_INTERVAL:
        out->kind = AVRO_NODE_INTERVAL;
        return value->logical == AVRO_LOGICAL_DURATION;
    default:
        return false;
    }
}

static bool bind_real(const avro_schema *value, const type *wanted, avro_node *out) {
    if (wanted->id == TYPE_DOUBLE) {
        out->kind = value->kind == AVRO_FLOAT ? AVRO_NODE_F64_OF_F32 : AVRO_NODE_F64;
        return true;
    }
    out->kind = AVRO_NODE_F32;
    return wanted->id == TYPE_REAL && value->kind == AVRO_FLOAT;
}

static firn_status bind_enum(column_compiler *self, const avro_schema *value, avro_node *out,
                             firn_error *err) {
    string_value *symbols = ARENA_NEW(self->memory, string_value, value->count);
    if (symbols == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (uint32_t i = 0; i < value->count; i++) {
        const text symbol = value->symbols[i];
        if (symbol.size > UINT32_MAX) {
            return FAIL(err, FIRN_UNSUPPORTED, "Avro symbol of %zu bytes", symbol.size);
        }
        symbols[i] = string_of(symbol.data, (uint32_t)symbol.size);
    }
    out->kind = AVRO_NODE_ENUM;
    out->symbol_count = value->count;
    out->symbols = symbols;
    return FIRN_OK;
}

// ---- Nested values ------------------------------------------------------------------------------

static avro_node *new_nodes(column_compiler *self, uint32_t count) {
    avro_node *nodes = ARENA_NEW(self->memory, avro_node, count);
    for (uint32_t i = 0; nodes != NULL && i < count; i++) {
        nodes[i] = (avro_node){0};
    }
    return nodes;
}

static firn_status compile_list(column_compiler *self, const avro_schema *value, avro_node *out,
                                firn_error *err) {
    avro_node *child = new_nodes(self, 1);
    if (child == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    out->kind = AVRO_NODE_LIST;
    out->item_size_min = value->element->size_min;
    out->child_count = 1;
    out->children = child;
    return compile_node(self, value->element, &out->type->children[0], child, err);
}

static firn_status compile_map(column_compiler *self, const avro_schema *value, avro_node *out,
                               firn_error *err) {
    static const avro_schema key = {.kind = AVRO_STRING, .size_min = 1};
    avro_node *children = new_nodes(self, 2);
    if (children == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    out->kind = AVRO_NODE_MAP;
    out->item_size_min =
        value->element->size_min < UINT32_MAX ? value->element->size_min + 1 : UINT32_MAX;
    out->child_count = 2;
    out->children = children;
    TRY(compile_node(self, &key, &out->type->children[0], &children[0], err));
    return compile_node(self, value->element, &out->type->children[1], &children[1], err);
}

// Fills in the node of a child that the record lacks.
static void compile_missing(const column_compiler *self, const field *wanted, avro_node *out) {
    *out = (avro_node){
        .kind = AVRO_NODE_MISSING,
        .type = wanted->type,
        .physical = type_physical(wanted->type),
        .is_nullable = wanted->is_nullable,
        .null_branch = AVRO_NO_BRANCH,
    };
    if (self->options.missing != NULL) {
        out->missing = self->options.missing(self->options.user, wanted);
    }
}

// Which of the wanted fields a field of the file is; `count` if none.
static uint32_t find_wanted(const column_compiler *self, const avro_field *from,
                            const field *wanted, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const bool is_same = self->options.by_name ? text_equal(from->original_name, wanted[i].name)
                                                   : from->id >= 0 && from->id == wanted[i].id;
        if (is_same) {
            return i;
        }
    }
    return count;
}

// The step that passes over fields [from, to) of a record.
static firn_status compile_skip(column_compiler *self, const avro_schema *record, uint32_t from,
                                uint32_t to, avro_step *out, firn_error *err) {
    avro_schema *part = ARENA_NEW(self->memory, avro_schema, 1);
    if (part == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    *part = (avro_schema){
        .kind = AVRO_RECORD,
        .count = to - from,
        .fields = record->fields + from,
    };
    *out = (avro_step){.name = record->fields[from].name};
    return avro_plan_compile(self->memory, part, NULL, 0, 0, &out->skip, err);
}

// The steps through a record, in the order of the file. `positions` says for each field of the
// record which of `wanted` it is, or `count`.
static firn_status compile_steps(column_compiler *self, const avro_schema *record,
                                 const uint32_t *positions, avro_node *out, firn_error *err) {
    const uint32_t count = out->child_count;
    avro_step *steps = ARENA_NEW(self->memory, avro_step, record->count);
    if (steps == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    uint32_t at = 0;
    while (at < record->count) {
        const uint32_t from = at;
        while (at < record->count && positions[at] == count) {
            at += 1;
        }
        if (at > from) {
            TRY(compile_skip(self, record, from, at, &steps[out->step_count], err));
        } else {
            steps[out->step_count] =
                (avro_step){.child = positions[at], .name = record->fields[at].name};
            at += 1;
        }
        out->step_count += 1;
    }
    out->steps = steps;
    return FIRN_OK;
}

// Fills in the children of a node from the fields of a record. With `by_position` the first field
// is the first child, and so on.
static firn_status compile_fields(column_compiler *self, const avro_schema *record,
                                  bool by_position, avro_node *out, firn_error *err) {
    const uint32_t count = out->type->child_count;
    const field *wanted = out->type->children;
    avro_node *children = new_nodes(self, count);
    uint32_t *positions = ARENA_NEW(self->memory, uint32_t, record->count);
    bool *is_found = ARENA_NEW(self->memory, bool, count);
    if (children == NULL || positions == NULL || is_found == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    memset(is_found, 0, count * sizeof *is_found);
    for (uint32_t i = 0; i < record->count; i++) {
        const avro_field *from = &record->fields[i];
        const uint32_t at = by_position && i < count ? i : find_wanted(self, from, wanted, count);
        positions[i] = at < count && !is_found[at] ? at : count; // Of two the first.
        if (positions[i] == count) {
            continue;
        }
        is_found[at] = true;
        const firn_status status =
            compile_node(self, from->schema, &wanted[at], &children[at], err);
        if (status != FIRN_OK) {
            err_while(err, "reading Avro field \"%.*s\"", TEXT_ARGS(from->name));
            return status;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!is_found[i]) {
            compile_missing(self, &wanted[i], &children[i]);
        }
    }
    out->child_count = count;
    out->children = children;
    return compile_steps(self, record, positions, out, err);
}

// A struct of "member0", "member1", ... for the branches of a union.
static firn_status compile_members(column_compiler *self, const avro_schema *value, avro_node *out,
                                   firn_error *err) {
    const uint32_t count = out->type->child_count;
    avro_node *children = new_nodes(self, count);
    uint32_t *positions = ARENA_NEW(self->memory, uint32_t, value->count);
    if (children == NULL || positions == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    uint32_t used = 0;
    for (uint32_t i = 0; i < value->count; i++) {
        positions[i] = AVRO_NO_BRANCH;
        if (value->choices[i]->kind != AVRO_NULL) {
            positions[i] = used;
            TRY(compile_node(self, value->choices[i], &out->type->children[used], &children[used],
                             err));
            used += 1;
        }
    }
    assert(used == count);
    out->kind = AVRO_NODE_MEMBERS;
    out->child_count = count;
    out->children = children;
    out->branch_count = value->count;
    out->branch_children = positions;
    return FIRN_OK;
}

// A union whose branches all become one type without children.
static firn_status compile_choice(column_compiler *self, const avro_schema *value,
                                  const field *wanted, avro_node *out, firn_error *err) {
    const avro_node **branches = ARENA_NEW(self->memory, const avro_node *, value->count);
    avro_node *nodes = new_nodes(self, value->count);
    if (branches == NULL || nodes == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (uint32_t i = 0; i < value->count; i++) {
        branches[i] = NULL;
        if (value->choices[i]->kind != AVRO_NULL) {
            TRY(compile_node(self, value->choices[i], wanted, &nodes[i], err));
            branches[i] = &nodes[i];
        }
    }
    out->kind = AVRO_NODE_CHOICE;
    out->branch_count = value->count;
    out->branches = branches;
    return FIRN_OK;
}

static firn_status refuse(column_compiler *self, const avro_schema *value, const type *wanted,
                          firn_error *err) {
    const type *natural = NULL;
    bool is_nullable;
    firn_error ignored = ERR_INIT;
    if (avro_type_of(self->memory, value, &natural, &is_nullable, &ignored) != FIRN_OK) {
        natural = TYPE_OF(NULL);
    }
    const text wanted_text = type_text(wanted, self->memory);
    const text natural_text = type_text(natural, self->memory);
    return FAIL(err, FIRN_UNSUPPORTED, "Avro type \"%.*s\" (%.*s) cannot become %.*s",
                TEXT_ARGS(avro_schema_text(value)), TEXT_ARGS(natural_text),
                TEXT_ARGS(wanted_text));
}

static firn_status compile_union(column_compiler *self, const avro_schema *value,
                                 const field *wanted, avro_node *out, firn_error *err) {
    uint32_t null_branch;
    const avro_schema *option = avro_option_of(value, &null_branch);
    if (option != NULL && option->kind != AVRO_UNION) {
        TRY(compile_node(self, option, wanted, out, err));
        out->null_branch = null_branch;
        return FIRN_OK;
    }
    const uint32_t count = avro_choice_count(value);
    if (wanted->type->id == TYPE_STRUCT && count > 1 && wanted->type->child_count == count) {
        return compile_members(self, value, out, err);
    }
    if (!type_is_nested(wanted->type)) {
        return compile_choice(self, value, wanted, out, err);
    }
    return refuse(self, value, wanted->type, err);
}

// ---- All kinds ----------------------------------------------------------------------------------

static bool is_pair(const avro_schema *value) {
    return value->element->kind == AVRO_RECORD && value->element->count == 2;
}

static firn_status compile_nested(column_compiler *self, const avro_schema *value,
                                  const type *wanted, avro_node *out, firn_error *err) {
    if (value->kind == AVRO_ARRAY && wanted->id == TYPE_LIST) {
        return compile_list(self, value, out, err);
    }
    if (value->kind == AVRO_MAP && wanted->id == TYPE_MAP) {
        return compile_map(self, value, out, err);
    }
    if (value->kind == AVRO_ARRAY && wanted->id == TYPE_MAP && is_pair(value)) {
        out->kind = AVRO_NODE_PAIRS;
        out->item_size_min = value->element->size_min;
        return compile_fields(self, value->element, true, out, err);
    }
    if (value->kind == AVRO_RECORD && wanted->id == TYPE_STRUCT) {
        out->kind = AVRO_NODE_STRUCT;
        return compile_fields(self, value, false, out, err);
    }
    return refuse(self, value, wanted, err);
}

static bool bind_scalar(const avro_schema *value, const type *wanted, avro_node *out) {
    switch ((int)value->kind) {
    case AVRO_NULL:
        out->kind = AVRO_NODE_NULL;
        return true;
    case AVRO_BOOLEAN:
        out->kind = AVRO_NODE_BIT;
        return wanted->id == TYPE_BOOLEAN;
    case AVRO_INT:
    case AVRO_LONG:
        return bind_integer(value, wanted, out);
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
        return bind_real(value, wanted, out);
    case AVRO_BYTES:
    case AVRO_STRING:
        return bind_bytes(value, wanted, out);
    default:
        return value->kind == AVRO_FIXED && bind_fixed(value, wanted, out);
    }
}

static firn_status compile_kind(column_compiler *self, const avro_schema *value,
                                const field *wanted, avro_node *out, firn_error *err) {
    switch ((int)value->kind) {
    case AVRO_UNION:
        return compile_union(self, value, wanted, out, err);
    case AVRO_ARRAY:
    case AVRO_MAP:
    case AVRO_RECORD:
        return compile_nested(self, value, wanted->type, out, err);
    case AVRO_ENUM:
        return wanted->type->id == TYPE_VARCHAR ? bind_enum(self, value, out, err)
                                                : refuse(self, value, wanted->type, err);
    default:
        return bind_scalar(value, wanted->type, out) ? FIRN_OK
                                                     : refuse(self, value, wanted->type, err);
    }
}

// A node of kind NULL may have a nested type: its children are filled with nulls as well.
static firn_status compile_null_children(column_compiler *self, avro_node *out, firn_error *err) {
    out->child_count = out->type->child_count;
    avro_node *children = new_nodes(self, out->child_count);
    if (children == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    static const avro_schema null = {.kind = AVRO_NULL};
    for (uint32_t i = 0; i < out->child_count; i++) {
        TRY(compile_node(self, &null, &out->type->children[i], &children[i], err));
    }
    out->children = children;
    return FIRN_OK;
}

static firn_status compile_node(column_compiler *self, const avro_schema *value,
                                const field *wanted, avro_node *out, firn_error *err) {
    // Twice, because a union and what is in it are two nodes.
    if (self->depth == 2 * TYPE_DEPTH_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "types nested more than %d deep", TYPE_DEPTH_MAX);
    }
    *out = (avro_node){
        .type = wanted->type,
        .physical = type_physical(wanted->type),
        .is_nullable = wanted->is_nullable,
        .null_branch = AVRO_NO_BRANCH,
    };
    self->depth += 1;
    firn_status status = compile_kind(self, value, wanted, out, err);
    if (status == FIRN_OK && out->kind == AVRO_NODE_NULL) {
        status = compile_null_children(self, out, err);
    }
    self->depth -= 1;
    return status;
}

firn_status avro_columns_compile(arena *memory, const avro_schema *file, const schema *wanted,
                                 const avro_columns_options *options, const avro_columns **out,
                                 firn_error *err) {
    column_compiler self = {.memory = memory, .options = *options};
    avro_columns *plan = ARENA_NEW(memory, avro_columns, 1);
    const type *whole = type_struct(memory, wanted->count, wanted->fields);
    if (plan == NULL || whole == NULL) {
        return ARENA_FULL(memory, err);
    }
    const avro_schema *record;
    TRY(avro_record_of(memory, file, &record, err));
    const field top = {.name = TEXT(""), .type = whole};
    TRY(compile_node(&self, record, &top, &plan->root, err));
    TRY(avro_plan_compile(memory, record, NULL, 0, 0, &plan->skip, err));
    *out = plan;
    return FIRN_OK;
}

bool avro_columns_has(const avro_columns *self, uint32_t index) {
    assert(index < self->root.child_count);
    return self->root.children[index].kind != AVRO_NODE_MISSING;
}
