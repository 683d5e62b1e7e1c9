// Expressions: syntax → typed trees. One function per shape; calls and casts have files of their
// own.
#include <assert.h>

#include "expr/cast.h"
#include "plan/binder_private.h"

#define ALIAS_DEPTH_MAX 32

static firn_status bool_call(binder *self, expr_kind kind, expr *left, expr *right, expr **out) {
    *out = expr_new(self->memory, kind, TYPE_OF(BOOLEAN));
    if (*out == NULL) {
        return binder_full(self);
    }
    expr_list *args = kind == EXPR_AND ? &(*out)->and_.args : &(*out)->or_.args;
    TRY(expr_list_add(self, args, left));
    return expr_list_add(self, args, right);
}

static firn_status negate(binder *self, expr *value, uint32_t position, expr **out) {
    return bind_function(self, "not", &value, 1, position, out);
}

static firn_status maybe_negate(binder *self, bool is_negated, uint32_t position, expr **value) {
    return is_negated ? negate(self, *value, position, value) : FIRN_OK;
}

static firn_status call2(binder *self, const char *name, expr *left, expr *right, uint32_t position,
                         expr **out) {
    expr *args[2] = {left, right};
    return bind_function(self, name, args, 2, position, out);
}

// A subquery that stands twice is two subqueries: unnesting rewrites each in its place.
static bool copy_subquery(void *user, expr **slot) {
    binder *self = user;
    if ((*slot)->kind != EXPR_SUBQUERY) {
        return expr_visit_children(*slot, copy_subquery, user);
    }
    const uint32_t id_count = self->next_id;
    uint32_t *renamed = ARENA_NEW(self->memory, uint32_t, id_count + 1);
    if (renamed == NULL) {
        return binder_full(self) == FIRN_OK;
    }
    for (uint32_t i = 0; i < id_count; i++) {
        renamed[i] = i;
    }
    return plan_copy_renamed(self->memory, (*slot)->subquery_.plan, &self->next_id, renamed,
                             id_count, &(*slot)->subquery_.plan, self->err) == FIRN_OK &&
           expr_visit_children(*slot, copy_subquery, user);
}

firn_status bind_copy(binder *self, const expr *value, expr **out) {
    *out = expr_copy(self->memory, value);
    if (*out == NULL) {
        return binder_full(self);
    }
    return copy_subquery(self, out) ? FIRN_OK : self->err->status;
}

// ---- Columns ---------------------------------------------------------------------------------

// An alias of the select list, where no input column has the name: its expression, bound again.
static firn_status bind_alias(binder *self, scope *names, const sql_column *written, expr **out,
                              bool *found) {
    select_state *state = names->select;
    *found = false;
    if (state == NULL || written->path.count != 1 || state->input != names) {
        return FIRN_OK;
    }
    for (size_t i = 0; i < state->written->items.count; i++) {
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
        state->alias_depth++;
        firn_status status = bind_expr(self, names, item->value, out);
        state->alias_depth--;
        *found = true;
        return status;
    }
    return FIRN_OK;
}

firn_status bind_field(binder *self, expr *value, const sql_name *name, expr **out) {
    if (value->type->id == TYPE_MAP) {
        expr *key = expr_string(self->memory, TYPE_OF(VARCHAR), name->value);
        return key == NULL ? binder_full(self)
                           : call2(self, "map_value", value, key, name->position, out);
    }
    if (value->type->id != TYPE_STRUCT) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42703", name->position,
                        "\"%.*s\": a value of type %.*s has no fields", TEXT_ARGS(name->value),
                        TEXT_ARGS(type_text(value->type, self->memory)));
    }
    uint32_t found = UINT32_MAX;
    for (uint32_t i = 0; i < value->type->child_count; i++) {
        const text field = value->type->children[i].name;
        if (name_matches(name, field) && (found == UINT32_MAX || text_equal(name->value, field))) {
            found = i;
        }
    }
    if (found == UINT32_MAX) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42703", name->position,
                        "there is no field \"%.*s\" in %.*s", TEXT_ARGS(name->value),
                        TEXT_ARGS(type_text(value->type, self->memory)));
    }
    expr *args[2] = {
        value, expr_string(self->memory, TYPE_OF(VARCHAR), value->type->children[found].name)};
    return args[1] == NULL ? binder_full(self)
                           : bind_function(self, "struct_extract", args, 2, name->position, out);
}

static firn_status bind_column(binder *self, scope *names, const sql_column *written, expr **out) {
    scope_column column = {0};
    size_t used = 0;
    bool found = false;
    TRY(scope_find(self, names, &written->path, &column, &used, &found));
    // An alias of this SELECT wins over columns of outer queries.
    if (!found || names->outer != NULL) {
        bool is_inner = false;
        for (uint32_t i = 0; found && i < names->count; i++) {
            is_inner |= names->columns[i].id == column.id;
        }
        if (!is_inner) {
            bool is_alias;
            TRY(bind_alias(self, names, written, out, &is_alias));
            if (is_alias) {
                return FIRN_OK;
            }
        }
    }
    if (!found) {
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

// ---- Comparisons of rows ---------------------------------------------------------------------

// The values of a row written (a, b), or of one value.
static firn_status row_items(binder *self, scope *names, const sql_expr *written, expr_list *out) {
    if (sql_is_expr(written, SQL_ROW)) {
        return bind_exprs(self, names, &sql_row_of(written)->items, out);
    }
    expr *value;
    TRY(bind_expr(self, names, written, &value));
    return expr_list_add(self, out, value);
}

static firn_status same_width(binder *self, const expr_list *left, const expr_list *right,
                              uint32_t position) {
    if (left->count != right->count) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42601", position,
                        "rows of %u and %u values are compared", left->count, right->count);
    }
    return FIRN_OK;
}

// (a, b) = (c, d): a = c AND b = d, three-valued.
static firn_status rows_equal(binder *self, const expr_list *left, const expr_list *right,
                              const char *name, uint32_t position, expr **out) {
    *out = NULL;
    for (uint32_t i = 0; i < left->count; i++) {
        expr *l;
        expr *equal;
        TRY(bind_copy(self, left->items[i], &l));
        TRY(call2(self, name, l, right->items[i], position, &equal));
        if (*out == NULL) {
            *out = equal;
        } else {
            TRY(bool_call(self, EXPR_AND, *out, equal, out));
        }
    }
    return FIRN_OK;
}

// (a, b) < (c, d): a < c OR (a = c AND (b < d)); the last pair decides with the operator itself.
static firn_status rows_ordered(binder *self, const expr_list *left, const expr_list *right,
                                const char *strict, const char *last, uint32_t position,
                                expr **out) {
    *out = NULL;
    for (uint32_t rest = left->count; rest > 0; rest--) {
        const uint32_t i = rest - 1;
        const bool is_last = i + 1 == left->count;
        expr *l;
        expr *r;
        expr *less;
        TRY(bind_copy(self, left->items[i], &l));
        TRY(bind_copy(self, right->items[i], &r));
        TRY(call2(self, is_last ? last : strict, l, r, position, &less));
        if (is_last) {
            *out = less;
            continue;
        }
        expr *equal;
        TRY(call2(self, "=", left->items[i], right->items[i], position, &equal));
        TRY(bool_call(self, EXPR_AND, equal, *out, out));
        TRY(bool_call(self, EXPR_OR, less, *out, out));
    }
    return FIRN_OK;
}

// (a, b) OVERLAPS (c, d): overlaps(a, b, c, d); an interval in the second place counts from the
// first.
static firn_status rows_overlap(binder *self, const expr_list *left, const expr_list *right,
                                uint32_t position, expr **out) {
    const expr_list *const sides[2] = {left, right};
    expr *args[4];
    if (left->count != 2 || right->count != 2) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42601", position,
                        "OVERLAPS compares rows of 2 values, not of %u and %u", left->count,
                        right->count);
    }
    for (size_t i = 0; i < 2; i++) {
        expr *start;
        args[2 * i] = sides[i]->items[0];
        args[2 * i + 1] = sides[i]->items[1];
        if (args[2 * i + 1]->type->id == TYPE_INTERVAL) {
            TRY(bind_copy(self, args[2 * i], &start));
            TRY(call2(self, "+", start, args[2 * i + 1], position, &args[2 * i + 1]));
        }
    }
    return bind_function(self, "overlaps", args, 4, position, out);
}

static firn_status compare_rows(binder *self, scope *names, const sql_binary *written, expr **out) {
    expr_list left = {0};
    expr_list right = {0};
    const uint32_t position = written->node.position;
    TRY(row_items(self, names, written->left, &left));
    TRY(row_items(self, names, written->right, &right));
    if (written->op == SQL_OP_OVERLAPS) {
        return rows_overlap(self, &left, &right, position, out);
    }
    TRY(same_width(self, &left, &right, position));
    switch ((int)written->op) {
    case SQL_OP_EQUAL:
        return rows_equal(self, &left, &right, "=", position, out);
    case SQL_OP_NOT_EQUAL:
        TRY(rows_equal(self, &left, &right, "=", position, out));
        return negate(self, *out, position, out);
    case SQL_OP_IS_NOT_DISTINCT:
        return rows_equal(self, &left, &right, "is_not_distinct_from", position, out);
    case SQL_OP_IS_DISTINCT:
        TRY(rows_equal(self, &left, &right, "is_not_distinct_from", position, out));
        return negate(self, *out, position, out);
    case SQL_OP_LESS:
    case SQL_OP_LESS_EQUAL:
        return rows_ordered(self, &left, &right, "<", sql_operator_text(written->op), position,
                            out);
    case SQL_OP_GREATER:
    case SQL_OP_GREATER_EQUAL:
        return rows_ordered(self, &left, &right, ">", sql_operator_text(written->op), position,
                            out);
    default:
        return FAIL_SQL(self->err, FIRN_INVALID, "42883", position, "rows cannot be operands of %s",
                        sql_operator_text(written->op));
    }
}

// ---- Operators -------------------------------------------------------------------------------

// Function names where they are not the operator's spelling.
static const char *operator_function(sql_operator op) {
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

static firn_status apply_operator(binder *self, sql_operator op, expr *left, expr *right,
                                  uint32_t position, expr **out) {
    const char *name = operator_function(op);
    if (function_find(text_of(name)) == NULL) {
        return FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", position,
                        "the operator %s is not supported", sql_operator_text(op));
    }
    if (op == SQL_OP_AT_TIME_ZONE) { // timezone(zone, value)
        TRY(call2(self, name, right, left, position, out));
    } else {
        TRY(call2(self, name, left, right, position, out));
    }
    return maybe_negate(self, operator_is_negated(op), position, out);
}

static bool is_row(const sql_expr *written) {
    return sql_is_expr(written, SQL_ROW);
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
        TRY(compare_rows(self, names, chain[depth - 1], &value));
        next--;
    } else {
        TRY(bind_expr(self, names, innermost, &value));
    }
    for (uint32_t rest = next; rest > 0; rest--) {
        const uint32_t i = rest - 1;
        expr *right;
        TRY(bind_expr(self, names, chain[i]->right, &right));
        TRY(apply_operator(self, chain[i]->op, value, right, chain[i]->node.position, &value));
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
        return negate(self, value, position, out);
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
        TRY(row_items(self, names, written->operand, &items));
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
        TRY(negate(self, value, position, &value));
    }
    TRY(is_true(self, value, position, out));
    return maybe_negate(self, written->is_negated, position, out);
}

static firn_status between(binder *self, expr *value, expr *low, expr *high, uint32_t position,
                           expr **out) {
    expr *again;
    expr *left;
    expr *right;
    TRY(bind_copy(self, value, &again));
    TRY(call2(self, ">=", value, low, position, &left));
    TRY(call2(self, "<=", again, high, position, &right));
    return bool_call(self, EXPR_AND, left, right, out);
}

static firn_status bind_between(binder *self, scope *names, const sql_between *written,
                                expr **out) {
    const uint32_t position = written->node.position;
    expr *value;
    expr *low;
    expr *high;
    TRY(bind_expr(self, names, written->operand, &value));
    TRY(bind_expr(self, names, written->low, &low));
    TRY(bind_expr(self, names, written->high, &high));
    if (!written->is_symmetric) {
        TRY(between(self, value, low, high, position, out));
    } else {
        expr *again[3];
        expr *straight;
        expr *swapped;
        TRY(bind_copy(self, value, &again[0]));
        TRY(bind_copy(self, low, &again[1]));
        TRY(bind_copy(self, high, &again[2]));
        TRY(between(self, value, low, high, position, &straight));
        TRY(between(self, again[0], again[2], again[1], position, &swapped));
        TRY(bool_call(self, EXPR_OR, straight, swapped, out));
    }
    return maybe_negate(self, written->is_negated, position, out);
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
    return maybe_negate(self, written->is_negated, written->node.position, out);
}

// ---- IN --------------------------------------------------------------------------------------

// The type in which a value is compared with all items; NULL if OR of equalities must decide.
static firn_status in_type(binder *self, const expr *value, const expr_list *items,
                           const type **out) {
    const type *common = bind_is_unknown(value) ? NULL : value->type;
    for (uint32_t i = 0; i < items->count; i++) {
        const expr *item = items->items[i];
        if (bind_is_unknown(item)) {
            continue;
        }
        if (common == NULL) {
            common = item->type;
            continue;
        }
        TRY(type_common_compared(common, item->type, self->memory, &common, self->err));
        if (common == NULL) {
            break;
        }
    }
    *out = common == NULL || common->id == TYPE_NULL ? TYPE_OF(VARCHAR) : common;
    return FIRN_OK;
}

// Items that are all constants become data of the plan. *done is false if one is not, or cannot be
// cast: then its failure must wait until a row gets there.
static firn_status in_constants(binder *self, expr *value, const expr_list *items,
                                const sql_in *written, expr **out, bool *done) {
    *done = false;
    for (uint32_t i = 0; i < items->count; i++) {
        if (!expr_is_constant(items->items[i]) || expr_is_volatile(items->items[i])) {
            return FIRN_OK;
        }
    }
    const type *common;
    TRY(in_type(self, value, items, &common));
    const column **sources = ARENA_NEW(self->memory, const column *, items->count + 1);
    uint32_t *rows = ARENA_NEW(self->memory, uint32_t, items->count + 1);
    if (sources == NULL || rows == NULL) {
        return binder_full(self);
    }
    uint32_t count = 0;
    bool has_null = false;
    firn_error ignored = ERR_INIT;
    for (uint32_t i = 0; i < items->count; i++) {
        expr *item;
        TRY(bind_copy(self, items->items[i], &item));
        TRY(bind_cast(self, item, common, false, item->position, &item));
        if (expr_fold(item, self->env->context, self->memory, &item, &ignored) != FIRN_OK) {
            return FIRN_OK;
        }
        has_null |= item->literal_.value.is_null;
        if (!item->literal_.value.is_null) {
            sources[count] = item->literal_.value.value;
            rows[count++] = 0;
        }
    }
    column *values = ARENA_NEW(self->memory, column, 1);
    *out = expr_new(self->memory, EXPR_IN, TYPE_OF(BOOLEAN));
    if (values == NULL || *out == NULL) {
        return binder_full(self);
    }
    TRY(column_gather(self->memory, common, sources, rows, count, values, self->err));
    TRY(bind_cast(self, value, common, false, value->position, &value));
    (*out)->in_.arg = value;
    (*out)->in_.values = values;
    (*out)->in_.has_null = has_null;
    (*out)->in_.is_negated = written->is_negated;
    (*out)->position = written->node.position;
    *done = true;
    return FIRN_OK;
}

static firn_status in_items(binder *self, scope *names, const sql_in *written, expr **out) {
    const uint32_t position = written->node.position;
    const bool of_rows = is_row(written->operand);
    expr_list left = {0};
    TRY(row_items(self, names, written->operand, &left));
    if (!of_rows) {
        expr_list items = {0};
        bool done;
        TRY(bind_exprs(self, names, &written->items, &items));
        TRY(in_constants(self, left.items[0], &items, written, out, &done));
        if (done) {
            return FIRN_OK;
        }
    }
    *out = NULL;
    for (size_t i = 0; i < written->items.count; i++) {
        expr_list right = {0};
        expr *equal;
        TRY(row_items(self, names, written->items.items[i], &right));
        TRY(same_width(self, &left, &right, position));
        TRY(rows_equal(self, &left, &right, "=", position, &equal));
        if (*out == NULL) {
            *out = equal;
        } else if ((*out)->kind == EXPR_OR) {
            TRY(expr_list_add(self, &(*out)->or_.args, equal));
        } else {
            TRY(bool_call(self, EXPR_OR, *out, equal, out));
        }
    }
    return maybe_negate(self, written->is_negated, position, out);
}

// ---- Subqueries ------------------------------------------------------------------------------

static firn_status new_subquery(binder *self, scope *names, const sql_query *query,
                                subquery_kind kind, bound_query *rows, expr **out) {
    TRY(bind_query_body(self, query, names, rows));
    const bool is_scalar = kind == SUBQUERY_SCALAR;
    if (is_scalar && rows->columns.count != 1) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42601", query->node.position,
                        "a subquery used as a value gives %u columns, one is needed",
                        rows->columns.count);
    }
    const type *result = is_scalar ? rows->columns.items[0].type : TYPE_OF(BOOLEAN);
    *out =
        expr_new(self->memory, EXPR_SUBQUERY, result == &type_unknown ? TYPE_OF(VARCHAR) : result);
    if (*out == NULL) {
        return binder_full(self);
    }
    (*out)->subquery_.subquery = kind;
    (*out)->subquery_.plan = rows->node;
    (*out)->position = query->node.position;
    return FIRN_OK;
}

// The rows keep only the columns that the subquery is about, first; sort columns behind them go.
static firn_status narrow(binder *self, bound_query *rows) {
    plan_columns made;
    TRY(plan_outputs(rows->node, self->memory, &made, self->err));
    if (made.count == rows->columns.count) {
        return FIRN_OK;
    }
    expr_list values = {0};
    u32_list ids = {0};
    for (uint32_t i = 0; i < rows->columns.count; i++) {
        const plan_column *column = &rows->columns.items[i];
        expr *value = expr_column(self->memory, column->id, column->name, column->type);
        if (value == NULL) {
            return binder_full(self);
        }
        TRY(expr_list_add(self, &values, value));
        TRY(u32_list_add(self, &ids, column->id));
    }
    return binder_project(self, rows->node, &values, &ids, &rows->node);
}

// left op ANY|ALL (query): both sides brought to what they are compared as.
static firn_status compare_query(binder *self, scope *names, const sql_expr *left,
                                 const sql_query *query, const char *comparison, subquery_kind kind,
                                 expr **out) {
    expr_list args = {0};
    bound_query rows = {0};
    TRY(row_items(self, names, left, &args));
    TRY(new_subquery(self, names, query, kind, &rows, out));
    if (rows.columns.count != args.count) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42601", query->node.position,
                        "the subquery gives %u columns, %u are compared", rows.columns.count,
                        args.count);
    }
    const type **types = ARENA_NEW(self->memory, const type *, args.count + 1);
    if (types == NULL) {
        return binder_full(self);
    }
    for (uint32_t i = 0; i < args.count; i++) {
        const plan_column *column = &rows.columns.items[i];
        expr *side = expr_column(self->memory, column->id, column->name, column->type);
        expr_list one = {0};
        if (side == NULL) {
            return binder_full(self);
        }
        TRY(expr_list_add(self, &one, side));
        TRY(in_type(self, args.items[i], &one, &types[i]));
        TRY(bind_cast(self, args.items[i], types[i], false, left->position, &args.items[i]));
    }
    // Casts of the subquery's side may be explicit ones: text compared with a number.
    expr_list values = {0};
    u32_list ids = {0};
    for (uint32_t i = 0; i < args.count; i++) {
        const plan_column *column = &rows.columns.items[i];
        expr *value = expr_column(self->memory, column->id, column->name, column->type);
        if (value == NULL) {
            return binder_full(self);
        }
        TRY(bind_cast(self, value, types[i], false, query->node.position, &value));
        TRY(expr_list_add(self, &values, value));
        TRY(u32_list_add(self, &ids, binder_new_id(self)));
    }
    TRY(binder_project(self, rows.node, &values, &ids, &rows.node));
    (*out)->subquery_.plan = rows.node;
    (*out)->subquery_.args = args;
    (*out)->subquery_.comparison = text_of(comparison);
    return FIRN_OK;
}

static firn_status bind_in(binder *self, scope *names, const sql_in *written, expr **out) {
    if (written->query == NULL) {
        return in_items(self, names, written, out);
    }
    TRY(compare_query(self, names, written->operand, written->query, "=", SUBQUERY_ANY, out));
    return maybe_negate(self, written->is_negated, written->node.position, out);
}

// a op ANY (b, c), or of an array: OR or AND of the comparisons.
static firn_status quantify_items(binder *self, scope *names, const sql_quantified *written,
                                  expr **out) {
    const uint32_t position = written->node.position;
    expr *left;
    TRY(bind_expr(self, names, written->left, &left));
    const sql_list *items = &written->items;
    if (items->count == 1 && sql_is_expr(items->items[0], SQL_ARRAY)) {
        items = &sql_array_of(items->items[0])->items;
    } else if (items->count == 1) {
        expr *args[2];
        args[0] = left;
        TRY(bind_expr(self, names, items->items[0], &args[1]));
        const bool is_contains = written->op == SQL_OP_EQUAL && !written->is_all;
        if (args[1]->type->id == TYPE_LIST && is_contains) {
            expr *swapped[2] = {args[1], args[0]};
            return bind_function(self, "equals_any", swapped, 2, position, out);
        }
        return FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", position,
                        "%s with %s over an array value is not supported",
                        sql_operator_text(written->op), written->is_all ? "ALL" : "ANY");
    }
    *out = NULL;
    for (size_t i = 0; i < items->count; i++) {
        expr *again;
        expr *right;
        expr *test;
        TRY(bind_copy(self, left, &again));
        TRY(bind_expr(self, names, items->items[i], &right));
        TRY(apply_operator(self, written->op, again, right, position, &test));
        if (*out == NULL) {
            *out = test;
        } else {
            TRY(bool_call(self, written->is_all ? EXPR_AND : EXPR_OR, *out, test, out));
        }
    }
    if (*out == NULL) { // Over nothing: ALL is true, ANY false.
        *out = expr_bool(self->memory, written->is_all);
    }
    return *out == NULL ? binder_full(self) : FIRN_OK;
}

static firn_status bind_quantified(binder *self, scope *names, const sql_quantified *written,
                                   expr **out) {
    if (written->query == NULL) {
        return quantify_items(self, names, written, out);
    }
    return compare_query(self, names, written->left, written->query, operator_function(written->op),
                         written->is_all ? SUBQUERY_ALL : SUBQUERY_ANY, out);
}

static firn_status bind_subquery(binder *self, scope *names, const sql_subquery *written,
                                 expr **out) {
    bound_query rows = {0};
    if (written->kind == SQL_SUBQUERY_EXISTS) {
        return new_subquery(self, names, written->query, SUBQUERY_EXISTS, &rows, out);
    }
    if (written->kind == SQL_SUBQUERY_SCALAR) {
        TRY(new_subquery(self, names, written->query, SUBQUERY_SCALAR, &rows, out));
        TRY(narrow(self, &rows));
        (*out)->subquery_.plan = rows.node;
        return FIRN_OK;
    }
    // ARRAY(query): array_agg over its rows, an empty list for none.
    return FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", written->node.position,
                    "ARRAY(query) is not supported; write (SELECT array_agg(...) FROM ...)");
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
