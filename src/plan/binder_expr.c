// Expressions: syntax → typed trees. One function per shape; calls and casts have files of their
// own.
#include <assert.h>

#include "expr/cast.h"
#include "plan/binder_private.h"

#define ALIAS_DEPTH_MAX 32
#define ALIAS_USES_MAX 100000
#define OPERATOR_CHAIN_MAX 900 // If it is not constant: evaluation recurses.

firn_status bind_and_or(binder *self, expr_kind kind, expr *left, expr *right, expr **out) {
    *out = expr_new(self->memory, kind, TYPE_OF(BOOLEAN));
    if (*out == NULL) {
        return binder_full(self);
    }
    expr_list *args = kind == EXPR_AND ? &(*out)->and_.args : &(*out)->or_.args;
    TRY(expr_list_add(self, args, left));
    return expr_list_add(self, args, right);
}

firn_status bind_not(binder *self, expr *value, uint32_t position, expr **out) {
    return bind_function(self, "not", &value, 1, position, out);
}

firn_status bind_not_if(binder *self, bool is_negated, uint32_t position, expr **value) {
    return is_negated ? bind_not(self, *value, position, value) : FIRN_OK;
}

firn_status bind_call2(binder *self, const char *name, expr *left, expr *right, uint32_t position,
                       expr **out) {
    expr *args[2] = {left, right};
    if (left == NULL || right == NULL) { // It did not fit where it was made.
        return binder_full(self);
    }
    TRY(bind_beyond_range(self, name, left, right, position, out));
    return *out != NULL ? FIRN_OK : bind_function(self, name, args, 2, position, out);
}

// ---- Columns ---------------------------------------------------------------------------------

static firn_status index_aliases(binder *self, select_state *state) {
    const sql_list *items = &state->written->items;
    while (state->aliases.count < items->count) {
        const sql_select_item *item = sql_select_item_of(items->items[state->aliases.count]);
        TRY(name_index_add(&state->aliases, item->alias.value, self->memory, self->err));
    }
    return FIRN_OK;
}

// An alias of the select list, where no input column has the name: its expression, bound again.
static firn_status bind_alias(binder *self, scope *names, const sql_column *written, expr **out,
                              bool *found) {
    select_state *state = names->select;
    *found = false;
    if (state == NULL || written->path.count != 1 || state->input != names) {
        return FIRN_OK;
    }
    TRY(index_aliases(self, state));
    for (uint32_t i = name_index_first(&state->aliases, written->path.items[0].value); i != NO_NAME;
         i = name_index_next(&state->aliases, i)) {
        const sql_select_item *item = sql_select_item_of(state->written->items.items[i]);
        if (item->alias.value.size == 0 ||
            !name_matches(&written->path.items[0], item->alias.value) ||
            (const sql_node *)item->value == &written->node) {
            continue;
        }
        if (state->alias_depth == ALIAS_DEPTH_MAX) {
            return FAIL_SQL(self->err, FIRN_INVALID, "42P20", written->node.position,
                            "the alias \"%.*s\" mentions itself", TEXT_ARGS(item->alias.value));
        }
        if (state->alias_uses++ == ALIAS_USES_MAX) {
            return FAIL_SQL(self->err, FIRN_INVALID, "54001", written->node.position,
                            "aliases stand for aliases more than %d times", ALIAS_USES_MAX);
        }
        state->alias_depth++;
        firn_status status = bind_expr(self, names, item->value, out);
        state->alias_depth--;
        *found = true;
        return status;
    }
    return FIRN_OK;
}

uint32_t bind_find_field(const type *of, const sql_name *name) {
    uint32_t found = UINT32_MAX;
    for (uint32_t i = 0; i < of->child_count; i++) {
        const text field = of->children[i].name;
        if (name_matches(name, field) && (found == UINT32_MAX || text_equal(name->value, field))) {
            found = i;
        }
    }
    return found;
}

firn_status bind_field(binder *self, expr *value, const sql_name *name, expr **out) {
    if (value->type->id == TYPE_MAP) {
        expr *key = expr_string(self->memory, TYPE_OF(VARCHAR), name->value);
        return key == NULL ? binder_full(self)
                           : bind_call2(self, "map_value", value, key, name->position, out);
    }
    if (value->type->id != TYPE_STRUCT) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42703", name->position,
                        "\"%.*s\": a value of type %.*s has no fields", TEXT_ARGS(name->value),
                        TEXT_ARGS(type_text(value->type, self->memory)));
    }
    const uint32_t found = bind_find_field(value->type, name);
    if (found == UINT32_MAX) {
        firn_status status = FAIL_SQL(self->err, FIRN_INVALID, "42703", name->position,
                                      "there is no field \"%.*s\" in %.*s", TEXT_ARGS(name->value),
                                      TEXT_ARGS(type_text(value->type, self->memory)));
        nearest_name near = nearest_to(name->value);
        for (uint32_t i = 0; i < value->type->child_count; i++) {
            nearest_offer(&near, value->type->children[i].name);
        }
        (void)nearest_hint(&near, self->err);
        return status;
    }
    expr *args[2] = {
        value, expr_string(self->memory, TYPE_OF(VARCHAR), value->type->children[found].name)};
    return args[1] == NULL ? binder_full(self)
                           : bind_function(self, "struct_extract", args, 2, name->position, out);
}

// The rows of a table by its name, where no column has it: structs of its columns.
static firn_status bind_whole_row(binder *self, scope *names, const sql_column *written, expr **out,
                                  bool *found) {
    const scope *owner = NULL;
    const scope_relation *relation =
        written->path.count == 1 ? scope_find_relation(names, &written->path.items[0], &owner)
                                 : NULL;
    *found = relation != NULL && relation->count > 0;
    if (!*found) {
        return FIRN_OK;
    }
    expr_list args = {0};
    for (uint32_t i = relation->first; i < relation->first + relation->count; i++) {
        const scope_column *column = &owner->columns[i];
        expr *name = expr_string(self->memory, TYPE_OF(VARCHAR), column->name);
        expr *value = expr_column(self->memory, column->id, column->name, column->type);
        if (name == NULL || value == NULL) {
            return binder_full(self);
        }
        value->position = written->node.position;
        TRY(expr_list_add(self, &args, name));
        TRY(expr_list_add(self, &args, value));
    }
    return bind_function(self, "named_struct", args.items, args.count, written->node.position, out);
}

static firn_status bind_column(binder *self, scope *names, const sql_column *written, expr **out) {
    scope_column column = {0};
    size_t used = 0;
    bool found = false;
    TRY(scope_find(self, names, &written->path, &column, &used, &found));
    // An alias of this SELECT wins over columns of outer queries.
    if (!found || names->outer != NULL) {
        if (!found || !id_set_has(&names->ids, column.id)) {
            bool is_alias;
            TRY(bind_alias(self, names, written, out, &is_alias));
            if (is_alias) {
                return FIRN_OK;
            }
        }
    }
    if (!found) {
        bool is_row;
        TRY(bind_whole_row(self, names, written, out, &is_row));
        if (is_row) {
            return FIRN_OK;
        }
        return scope_say_missing(self, names, &written->path);
    }
    expr *value = expr_column(self->memory, column.id, column.name, column.type);
    if (value == NULL) {
        return binder_full(self);
    }
    value->position = written->node.position;
    for (size_t i = used; i < written->path.count; i++) {
        TRY(bind_field(self, value, &written->path.items[i], &value));
    }
    *out = value;
    return FIRN_OK;
}

static firn_status bind_parameter(binder *self, const sql_parameter *written, expr **out) {
    if (written->number == 0) {
        return FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", written->node.position,
                        "parameters with names are not supported; write $1, $2 or ?");
    }
    const uint32_t index = written->number - 1;
    if (index >= 65535) {
        return FAIL_SQL(self->err, FIRN_INVALID, "54000", written->node.position,
                        "parameter $%u, at most $65535 is allowed", written->number);
    }
    bind_parameters *parameters = &self->parameters;
    if (index >= parameters->count) {
        const type **types = ARENA_NEW(self->memory, const type *, index + 1);
        if (types == NULL) {
            return binder_full(self);
        }
        for (uint32_t i = 0; i <= index; i++) {
            types[i] = i < parameters->count ? parameters->types[i] : NULL;
        }
        *parameters = (bind_parameters){.count = index + 1, .types = types};
    }
    const type *known = parameters->types[index];
    *out = expr_new(self->memory, EXPR_PARAMETER, known == NULL ? &type_unknown : known);
    if (*out == NULL) {
        return binder_full(self);
    }
    (*out)->parameter_.index = index;
    (*out)->position = written->node.position;
    return FIRN_OK;
}

// ---- Operators -------------------------------------------------------------------------------

// Function names where they are not the operator's spelling.
const char *bind_operator_name(sql_operator op) {
    switch ((int)op) {
    case SQL_OP_IS_DISTINCT:
        return "is_distinct_from";
    case SQL_OP_IS_NOT_DISTINCT:
        return "is_not_distinct_from";
    case SQL_OP_NOT_MATCH:
        return "~";
    case SQL_OP_NOT_MATCH_NOCASE:
        return "~*";
    case SQL_OP_AT_TIME_ZONE:
        return "timezone";
    case SQL_OP_LIKE:
    case SQL_OP_NOT_LIKE:
        return "like";
    case SQL_OP_ILIKE:
    case SQL_OP_NOT_ILIKE:
        return "ilike";
    case SQL_OP_OVERLAPS:
        return "overlaps";
    default:
        return sql_operator_text(op);
    }
}

static bool operator_is_negated(sql_operator op) {
    return op == SQL_OP_NOT_MATCH || op == SQL_OP_NOT_MATCH_NOCASE || op == SQL_OP_NOT_LIKE ||
           op == SQL_OP_NOT_ILIKE;
}

// A whole number written out beside a UBIGINT is one, where only integers will do: no signed type
// holds both.
static firn_status as_unsigned(binder *self, const expr *beside, expr **value) {
    if (beside->type->id != TYPE_UBIGINT || (*value)->kind != EXPR_LITERAL ||
        (*value)->literal_.value.is_null || (*value)->type->id == TYPE_UBIGINT ||
        type_category_of((*value)->type) != CATEGORY_INTEGER ||
        column_lane_integer((*value)->literal_.value.value, 0) < 0) {
        return FIRN_OK;
    }
    return bind_cast(self, *value, TYPE_OF(UBIGINT), false, (*value)->position, value);
}

firn_status bind_operator(binder *self, sql_operator op, expr *left, expr *right, uint32_t position,
                          expr **out) {
    const char *name = bind_operator_name(op);
    if (op == SQL_OP_DIVIDE || op == SQL_OP_INTEGER_DIVIDE || op == SQL_OP_BIT_AND ||
        op == SQL_OP_BIT_OR || op == SQL_OP_BIT_XOR) {
        TRY(as_unsigned(self, left, &right));
        TRY(as_unsigned(self, right, &left));
    }
    if (function_find(text_of(name)) == NULL) {
        return FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", position,
                        "the operator %s is not supported", sql_operator_text(op));
    }
    if (op == SQL_OP_AT_TIME_ZONE) { // timezone(zone, value)
        TRY(bind_call2(self, name, right, left, position, out));
    } else {
        TRY(bind_call2(self, name, left, right, position, out));
    }
    return bind_not_if(self, operator_is_negated(op), position, out);
}

static bool is_row(const sql_expr *written) {
    return sql_is_expr(written, SQL_ROW);
}

// A long chain becomes a literal if it is constant; evaluation recurses over the others.
static firn_status shorten_chain(binder *self, uint32_t position, expr **value) {
    expr *folded = NULL;
    if (expr_is_constant(*value)) {
        TRY(expr_try_fold(*value, self->env->context, self->memory, &folded, self->err));
    }
    if (folded == NULL) {
        return FAIL_SQL(self->err, FIRN_INVALID, "54001", position,
                        "a chain of more than %d operators", OPERATOR_CHAIN_MAX);
    }
    *value = folded;
    return FIRN_OK;
}

// A chain a + b + c leans to the left: bound from its innermost operand outwards, in a loop.
static firn_status bind_binary(binder *self, scope *names, const sql_binary *written, expr **out) {
    uint32_t depth = 1;
    const sql_expr *innermost = written->left;
    while (sql_is_expr(innermost, SQL_BINARY) && !is_row(sql_binary_of(innermost)->right)) {
        innermost = sql_binary_of(innermost)->left;
        depth++;
    }
    const sql_binary **chain = ARENA_NEW(self->memory, const sql_binary *, depth);
    if (chain == NULL) {
        return binder_full(self);
    }
    chain[0] = written;
    for (uint32_t i = 1; i < depth; i++) {
        chain[i] = sql_binary_of(chain[i - 1]->left);
    }
    expr *value;
    uint32_t next = depth;
    if (is_row(innermost) || is_row(chain[depth - 1]->right)) {
        TRY(bind_compare_rows(self, names, chain[depth - 1], &value));
        next--;
    } else {
        TRY(bind_expr(self, names, innermost, &value));
    }
    for (uint32_t rest = next; rest > 0; rest--) {
        const uint32_t i = rest - 1;
        expr *right;
        if ((next - rest) % OPERATOR_CHAIN_MAX == OPERATOR_CHAIN_MAX - 1) {
            TRY(shorten_chain(self, chain[i]->node.position, &value));
        }
        TRY(bind_expr(self, names, chain[i]->right, &right));
        TRY(bind_operator(self, chain[i]->op, value, right, chain[i]->node.position, &value));
    }
    *out = value;
    return FIRN_OK;
}

static firn_status bind_unary(binder *self, scope *names, const sql_unary *written, expr **out) {
    const uint32_t position = written->node.position;
    expr *value;
    // -9223372036854775808: the sign belongs to the literal.
    if (written->op == SQL_UNARY_MINUS && sql_is_expr(written->operand, SQL_LITERAL)) {
        const sql_literal *literal = sql_literal_of(written->operand);
        if (literal->kind == SQL_LITERAL_INTEGER) {
            text digits;
            TRY(text_format(self->memory, &digits, self->err, "-%.*s", TEXT_ARGS(literal->value)));
            sql_literal signed_literal = *literal;
            signed_literal.value = digits;
            return bind_literal(self, &signed_literal, out);
        }
    }
    TRY(bind_expr(self, names, written->operand, &value));
    switch (written->op) {
    case SQL_UNARY_MINUS:
        return bind_function(self, "-", &value, 1, position, out);
    case SQL_UNARY_PLUS:
        *out = value;
        return FIRN_OK;
    case SQL_UNARY_NOT:
        TRY(bind_coerce(self, value, TYPE_OF(BOOLEAN), position, &value));
        return bind_not(self, value, position, out);
    case SQL_UNARY_BIT_NOT:
        return bind_function(self, "bit_not", &value, 1, position, out);
    }
    return FIRN_OK;
}

static firn_status bind_logical(binder *self, scope *names, const sql_logical *written,
                                expr **out) {
    *out = expr_new(self->memory, written->is_or ? EXPR_OR : EXPR_AND, TYPE_OF(BOOLEAN));
    if (*out == NULL) {
        return binder_full(self);
    }
    (*out)->position = written->node.position;
    expr_list *args = written->is_or ? &(*out)->or_.args : &(*out)->and_.args;
    for (size_t i = 0; i < written->operands.count; i++) {
        expr *value;
        TRY(bind_predicate(self, names, written->operands.items[i],
                           written->is_or ? TEXT("OR") : TEXT("AND"), &value));
        if (value->kind == (*out)->kind) { // Arguments of an AND are no ANDs.
            const expr_list *inner = written->is_or ? &value->or_.args : &value->and_.args;
            for (uint32_t k = 0; k < inner->count; k++) {
                TRY(expr_list_add(self, args, inner->items[k]));
            }
        } else {
            TRY(expr_list_add(self, args, value));
        }
    }
    return FIRN_OK;
}

// x IS TRUE is x, with false for NULL.
static firn_status is_true(binder *self, expr *value, uint32_t position, expr **out) {
    *out = expr_new(self->memory, EXPR_COALESCE, TYPE_OF(BOOLEAN));
    expr *otherwise = expr_bool(self->memory, false);
    if (*out == NULL || otherwise == NULL) {
        return binder_full(self);
    }
    (*out)->position = position;
    TRY(expr_list_add(self, &(*out)->coalesce_.args, value));
    return expr_list_add(self, &(*out)->coalesce_.args, otherwise);
}

static firn_status bind_is(binder *self, scope *names, const sql_is *written, expr **out) {
    const uint32_t position = written->node.position;
    if (is_row(written->operand)) { // A row IS NULL if all its values are; IS NOT NULL likewise.
        expr_list items = {0};
        TRY(bind_row_items(self, names, written->operand, &items));
        *out = NULL;
        for (uint32_t i = 0; i < items.count; i++) {
            expr *test;
            TRY(bind_function(self, written->is_negated ? "is_not_null" : "is_null",
                              &items.items[i], 1, position, &test));
            *out = expr_and(self->memory, *out, test);
            if (*out == NULL) {
                return binder_full(self);
            }
        }
        return FIRN_OK;
    }
    expr *value;
    TRY(bind_expr(self, names, written->operand, &value));
    if (written->test == SQL_IS_NULL) {
        TRY(bind_settle(self, &value));
        return bind_function(self, written->is_negated ? "is_not_null" : "is_null", &value, 1,
                             position, out);
    }
    TRY(bind_coerce(self, value, TYPE_OF(BOOLEAN), position, &value));
    if (written->test == SQL_IS_UNKNOWN) {
        return bind_function(self, written->is_negated ? "is_not_null" : "is_null", &value, 1,
                             position, out);
    }
    if (written->test == SQL_IS_FALSE) {
        TRY(bind_not(self, value, position, &value));
    }
    TRY(is_true(self, value, position, out));
    return bind_not_if(self, written->is_negated, position, out);
}

static firn_status bind_like(binder *self, scope *names, const sql_like *written, expr **out) {
    static const char *const functions[] = {"like", "ilike", "similar_to"};
    expr *args[3];
    uint32_t count = 2;
    TRY(bind_expr(self, names, written->operand, &args[0]));
    TRY(bind_expr(self, names, written->pattern, &args[1]));
    if (written->escape != NULL) {
        TRY(bind_expr(self, names, written->escape, &args[count++]));
    }
    TRY(bind_function(self, functions[written->kind], args, count, written->node.position, out));
    return bind_not_if(self, written->is_negated, written->node.position, out);
}

// ---- The whole -------------------------------------------------------------------------------

firn_status bind_exprs(binder *self, scope *names, const sql_list *written, expr_list *out) {
    for (size_t i = 0; i < written->count; i++) {
        expr *value;
        TRY(bind_expr(self, names, written->items[i], &value));
        TRY(expr_list_add(self, out, value));
    }
    return FIRN_OK;
}

firn_status bind_predicate(binder *self, scope *names, const sql_expr *written, text clause,
                           expr **out) {
    TRY(bind_expr(self, names, written, out));
    if (bind_is_unknown(*out) || (*out)->type->id == TYPE_NULL) {
        return bind_coerce(self, *out, TYPE_OF(BOOLEAN), written->position, out);
    }
    if ((*out)->type->id != TYPE_BOOLEAN) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42804", written->position,
                        "%.*s needs a BOOLEAN, not %.*s", TEXT_ARGS(clause),
                        TEXT_ARGS(type_text((*out)->type, self->memory)));
    }
    return FIRN_OK;
}

firn_status bind_expr(binder *self, scope *names, const sql_expr *written, expr **out) {
    TRY(binder_check(self));
    switch (sql_expr_kind_of(written)) {
    case SQL_LITERAL:
        return bind_literal(self, sql_literal_of(written), out);
    case SQL_TYPED_LITERAL:
        return bind_typed_literal(self, sql_typed_literal_of(written), out);
    case SQL_INTERVAL:
        return bind_interval(self, names, sql_interval_of(written), out);
    case SQL_COLUMN:
        return bind_column(self, names, sql_column_of(written), out);
    case SQL_PARAMETER:
        return bind_parameter(self, sql_parameter_of(written), out);
    case SQL_UNARY:
        return bind_unary(self, names, sql_unary_of(written), out);
    case SQL_BINARY:
        return bind_binary(self, names, sql_binary_of(written), out);
    case SQL_LOGICAL:
        return bind_logical(self, names, sql_logical_of(written), out);
    case SQL_IS:
        return bind_is(self, names, sql_is_of(written), out);
    case SQL_BETWEEN:
        return bind_between(self, names, sql_between_of(written), out);
    case SQL_IN:
        return bind_in(self, names, sql_in_of(written), out);
    case SQL_LIKE:
        return bind_like(self, names, sql_like_of(written), out);
    case SQL_QUANTIFIED:
        return bind_quantified(self, names, sql_quantified_of(written), out);
    case SQL_CASE:
        return bind_case(self, names, sql_case_of(written), out);
    case SQL_CAST:
        return bind_written_cast(self, names, sql_cast_of(written), out);
    case SQL_CALL:
        return bind_call(self, names, sql_call_of(written), out);
    case SQL_ROW:
        return bind_row(self, names, sql_row_of(written), out);
    case SQL_ARRAY:
        return bind_array(self, names, &sql_array_of(written)->items, written->position, out);
    case SQL_STRUCT:
        return bind_struct(self, names, sql_struct_of(written), out);
    case SQL_MAP:
        return bind_map(self, names, sql_map_of(written), out);
    case SQL_SUBSCRIPT:
        return bind_subscript(self, names, sql_subscript_of(written), out);
    case SQL_SLICE:
        return bind_slice(self, names, sql_slice_of(written), out);
    case SQL_FIELD: {
        expr *value;
        TRY(bind_expr(self, names, sql_field_of(written)->operand, &value));
        return bind_field(self, value, &sql_field_of(written)->name, out);
    }
    case SQL_COLLATE:
        return bind_collate(self, names, sql_collate_of(written), out);
    case SQL_SUBQUERY:
        return bind_subquery(self, names, sql_subquery_of(written), out);
    case SQL_STAR:
    case SQL_NAMED_ARGUMENT:
    case SQL_LAMBDA:
    case SQL_GROUPING:
    case SQL_DEFAULT:
        break;
    }
    return FAIL_SQL(self->err, FIRN_INVALID, "42601", written->position, "%s cannot stand here",
                    sql_is_expr(written, SQL_STAR) ? "*" : sql_node_name(written));
}
