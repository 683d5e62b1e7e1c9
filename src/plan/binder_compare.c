// Comparisons of more than two values: rows, BETWEEN, IN and quantified comparisons.
#include "expr/cast.h"
#include "plan/binder_private.h"

static bool is_row(const sql_expr *written) {
    return sql_is_expr(written, SQL_ROW);
}

// ---- Comparisons of rows ---------------------------------------------------------------------

// The values of a row written (a, b), or of one value.
firn_status bind_row_items(binder *self, scope *names, const sql_expr *written, expr_list *out) {
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
        TRY(bind_call2(self, name, l, right->items[i], position, &equal));
        if (*out == NULL) {
            *out = equal;
        } else {
            TRY(bind_and_or(self, EXPR_AND, *out, equal, out));
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
        TRY(bind_call2(self, is_last ? last : strict, l, r, position, &less));
        if (is_last) {
            *out = less;
            continue;
        }
        expr *equal;
        TRY(bind_call2(self, "=", left->items[i], right->items[i], position, &equal));
        TRY(bind_and_or(self, EXPR_AND, equal, *out, out));
        TRY(bind_and_or(self, EXPR_OR, less, *out, out));
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
            TRY(bind_call2(self, "+", start, args[2 * i + 1], position, &args[2 * i + 1]));
        }
    }
    return bind_function(self, "overlaps", args, 4, position, out);
}

// left op right, of rows written (a, b).
static firn_status compare_lists(binder *self, sql_operator op, const expr_list *left,
                                 const expr_list *right, uint32_t position, expr **out) {
    if (op == SQL_OP_OVERLAPS) {
        return rows_overlap(self, left, right, position, out);
    }
    TRY(same_width(self, left, right, position));
    switch ((int)op) {
    case SQL_OP_EQUAL:
        return rows_equal(self, left, right, "=", position, out);
    case SQL_OP_NOT_EQUAL:
        TRY(rows_equal(self, left, right, "=", position, out));
        return bind_not(self, *out, position, out);
    case SQL_OP_IS_NOT_DISTINCT:
        return rows_equal(self, left, right, "is_not_distinct_from", position, out);
    case SQL_OP_IS_DISTINCT:
        TRY(rows_equal(self, left, right, "is_not_distinct_from", position, out));
        return bind_not(self, *out, position, out);
    case SQL_OP_LESS:
    case SQL_OP_LESS_EQUAL:
        return rows_ordered(self, left, right, "<", sql_operator_text(op), position, out);
    case SQL_OP_GREATER:
    case SQL_OP_GREATER_EQUAL:
        return rows_ordered(self, left, right, ">", sql_operator_text(op), position, out);
    default:
        return FAIL_SQL(self->err, FIRN_INVALID, "42883", position, "rows cannot be operands of %s",
                        sql_operator_text(op));
    }
}

// The query of a scalar subquery, as one side of a comparison with a row; NULL for other values.
static const sql_query *row_query(const sql_expr *written) {
    return sql_is_expr(written, SQL_SUBQUERY) &&
                   sql_subquery_of(written)->kind == SQL_SUBQUERY_SCALAR
               ? sql_subquery_of(written)->query
               : NULL;
}

// The comparison with its sides exchanged.
static sql_operator mirrored(sql_operator op) {
    switch ((int)op) {
    case SQL_OP_LESS:
        return SQL_OP_GREATER;
    case SQL_OP_LESS_EQUAL:
        return SQL_OP_GREATER_EQUAL;
    case SQL_OP_GREATER:
        return SQL_OP_LESS;
    case SQL_OP_GREATER_EQUAL:
        return SQL_OP_LESS_EQUAL;
    default:
        return op;
    }
}

// (a, b) op (SELECT c, d …), on either side.
static firn_status compare_row_query(binder *self, scope *names, const sql_binary *written,
                                     expr **out) {
    const bool is_left = row_query(written->left) != NULL;
    const sql_operator op = is_left ? mirrored(written->op) : written->op;
    switch ((int)op) {
    case SQL_OP_EQUAL:
    case SQL_OP_NOT_EQUAL:
    case SQL_OP_IS_DISTINCT:
    case SQL_OP_IS_NOT_DISTINCT:
    case SQL_OP_LESS:
    case SQL_OP_LESS_EQUAL:
    case SQL_OP_GREATER:
    case SQL_OP_GREATER_EQUAL:
        return bind_compare_query(self, names, is_left ? written->right : written->left,
                                  row_query(is_left ? written->left : written->right),
                                  bind_operator_name(op), SUBQUERY_SCALAR, out);
    default:
        return FAIL_SQL(self->err, FIRN_INVALID, "42883", written->node.position,
                        "rows cannot be operands of %s", sql_operator_text(op));
    }
}

firn_status bind_compare_rows(binder *self, scope *names, const sql_binary *written, expr **out) {
    if (row_query(written->left) != NULL || row_query(written->right) != NULL) {
        return compare_row_query(self, names, written, out);
    }
    expr_list left = {0};
    expr_list right = {0};
    TRY(bind_row_items(self, names, written->left, &left));
    TRY(bind_row_items(self, names, written->right, &right));
    return compare_lists(self, written->op, &left, &right, written->node.position, out);
}

// ---- BETWEEN ---------------------------------------------------------------------------------

static firn_status between(binder *self, expr *value, expr *low, expr *high, uint32_t position,
                           expr **out) {
    expr *again;
    expr *left;
    expr *right;
    TRY(bind_copy(self, value, &again));
    TRY(bind_call2(self, ">=", value, low, position, &left));
    TRY(bind_call2(self, "<=", again, high, position, &right));
    return bind_and_or(self, EXPR_AND, left, right, out);
}

firn_status bind_between(binder *self, scope *names, const sql_between *written, expr **out) {
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
        TRY(bind_and_or(self, EXPR_OR, straight, swapped, out));
    }
    return bind_not_if(self, written->is_negated, position, out);
}

// ---- IN --------------------------------------------------------------------------------------

firn_status bind_compared_type(binder *self, const expr *value, const expr_list *items,
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
            *out = NULL;
            return FIRN_OK;
        }
    }
    *out = common == NULL || common->id == TYPE_NULL ? TYPE_OF(VARCHAR) : common;
    for (uint32_t i = 0; i <= items->count; i++) { // Untyped literals keep all their digits.
        const type *exact;
        TRY(bind_exact_type(self, i == items->count ? value : items->items[i], *out, &exact));
        TRY(type_common_compared(*out, exact, self->memory, &common, self->err));
        *out = common == NULL ? *out : common;
    }
    return FIRN_OK;
}

// Items that are all constants become data of the plan. *done is false if one is not, or cannot be
// cast: then its failure must wait until a row gets there; or if they have no type in common: then
// "=" says which it does not compare.
static firn_status in_constants(binder *self, expr *value, const expr_list *items,
                                const sql_in *written, expr **out, bool *done) {
    *done = false;
    for (uint32_t i = 0; i < items->count; i++) {
        if (!expr_is_constant(items->items[i]) || expr_is_volatile(items->items[i])) {
            return FIRN_OK;
        }
    }
    const type *common;
    TRY(bind_compared_type(self, value, items, &common));
    if (common == NULL) {
        return FIRN_OK;
    }
    const column **sources = ARENA_NEW(self->memory, const column *, items->count + 1);
    uint32_t *rows = ARENA_NEW(self->memory, uint32_t, items->count + 1);
    if (sources == NULL || rows == NULL) {
        return binder_full(self);
    }
    uint32_t count = 0;
    bool has_null = false;
    for (uint32_t i = 0; i < items->count; i++) {
        expr *item;
        TRY(bind_copy(self, items->items[i], &item));
        TRY(bind_cast(self, item, common, false, item->position, &item));
        TRY(expr_try_fold(item, self->env->context, self->memory, &item, self->err));
        if (item == NULL) {
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
    const gathered_rows from = {.sources = sources, .rows = rows, .count = count};
    TRY(column_gather(self->memory, common, &from, values, self->err));
    TRY(bind_cast(self, value, common, false, value->position, &value));
    (*out)->in_.arg = value;
    (*out)->in_.values = values;
    (*out)->in_.has_null = has_null;
    (*out)->in_.is_negated = written->is_negated;
    (*out)->position = written->node.position;
    *done = true;
    return FIRN_OK;
}

// Tests joined by AND or OR, of any number side by side.
static firn_status add_test(binder *self, expr_kind kind, expr *test, expr **all) {
    if (*all == NULL) {
        *all = test;
        return FIRN_OK;
    }
    if ((*all)->kind == kind) {
        return expr_list_add(self, kind == EXPR_AND ? &(*all)->and_.args : &(*all)->or_.args, test);
    }
    return bind_and_or(self, kind, *all, test, all);
}

static firn_status in_items(binder *self, scope *names, const sql_in *written, expr **out) {
    const uint32_t position = written->node.position;
    const bool of_rows = is_row(written->operand);
    expr_list left = {0};
    expr_list items = {0};
    TRY(bind_row_items(self, names, written->operand, &left));
    if (!of_rows) {
        bool done;
        TRY(bind_exprs(self, names, &written->items, &items));
        TRY(in_constants(self, left.items[0], &items, written, out, &done));
        if (done) {
            return FIRN_OK;
        }
    }
    expr *any = NULL;
    for (size_t i = 0; i < written->items.count; i++) {
        const sql_expr *item = written->items.items[i];
        expr_list right = {0};
        expr *equal;
        if (of_rows || is_row(item)) {
            TRY(bind_row_items(self, names, item, &right));
        } else {
            TRY(expr_list_add(self, &right, items.items[i]));
        }
        TRY(same_width(self, &left, &right, position));
        TRY(rows_equal(self, &left, &right, "=", position, &equal));
        TRY(add_test(self, EXPR_OR, equal, &any));
    }
    *out = any;
    return bind_not_if(self, written->is_negated, position, out);
}

firn_status bind_in(binder *self, scope *names, const sql_in *written, expr **out) {
    if (written->query == NULL) {
        return in_items(self, names, written, out);
    }
    TRY(bind_compare_query(self, names, written->operand, written->query, "=", SUBQUERY_ANY, out));
    return bind_not_if(self, written->is_negated, written->node.position, out);
}

// ---- ANY, ALL --------------------------------------------------------------------------------

// The name of a quantified comparison, "not like" for NOT LIKE.
static const char *quantified_name(sql_operator op) {
    switch ((int)op) {
    case SQL_OP_NOT_LIKE:
        return "not like";
    case SQL_OP_NOT_ILIKE:
        return "not ilike";
    case SQL_OP_NOT_MATCH:
        return "not ~";
    case SQL_OP_NOT_MATCH_NOCASE:
        return "not ~*";
    default:
        return bind_operator_name(op);
    }
}

// a op ANY (list): a subquery over its elements; NULL for a list that is NULL.
static firn_status quantify_list(binder *self, const sql_quantified *written, expr *left,
                                 expr *list, expr **out) {
    const uint32_t position = written->node.position;
    expr *again;
    expr *is_null;
    expr *query;
    TRY(bind_copy(self, list, &again));
    TRY(bind_function(self, "is_null", &again, 1, position, &is_null));
    TRY(bind_compare_list(self, left, list, quantified_name(written->op),
                          written->is_all ? SUBQUERY_ALL : SUBQUERY_ANY, position, &query));
    expr *nothing = expr_null(self->memory, TYPE_OF(BOOLEAN));
    *out = expr_new(self->memory, EXPR_CASE, TYPE_OF(BOOLEAN));
    if (nothing == NULL || *out == NULL) {
        return binder_full(self);
    }
    (*out)->position = position;
    TRY(expr_list_add(self, &(*out)->case_.conditions, is_null));
    TRY(expr_list_add(self, &(*out)->case_.values, nothing));
    (*out)->case_.otherwise = query;
    return FIRN_OK;
}

// left op right, one of the comparisons of ANY or ALL.
static firn_status quantify_item(binder *self, const sql_quantified *written, const expr_list *left,
                                 const expr_list *right, expr **out) {
    const uint32_t position = written->node.position;
    if (is_row(written->left)) {
        return compare_lists(self, written->op, left, right, position, out);
    }
    expr *again;
    TRY(same_width(self, left, right, position));
    TRY(bind_copy(self, left->items[0], &again));
    return bind_operator(self, written->op, again, right->items[0], position, out);
}

// a op ANY (b, c), or of an array written out: OR or AND of the comparisons.
static firn_status quantify_items(binder *self, scope *names, const sql_quantified *written,
                                  const sql_list *items, expr **out) {
    const bool is_in = written->op == SQL_OP_EQUAL && !written->is_all;
    const bool is_not_in = written->op == SQL_OP_NOT_EQUAL && written->is_all;
    if (items->count > 0 && (is_in || is_not_in)) {
        const sql_in in = {.node = written->node,
                           .operand = written->left,
                           .items = *items,
                           .is_negated = is_not_in};
        return in_items(self, names, &in, out);
    }
    expr_list left = {0};
    expr *all = NULL;
    TRY(bind_row_items(self, names, written->left, &left));
    for (size_t i = 0; i < items->count; i++) {
        expr_list right = {0};
        expr *test;
        TRY(bind_row_items(self, names, items->items[i], &right));
        TRY(quantify_item(self, written, &left, &right, &test));
        TRY(add_test(self, written->is_all ? EXPR_AND : EXPR_OR, test, &all));
    }
    // Over nothing ALL is true, ANY false.
    *out = all == NULL ? expr_bool(self->memory, written->is_all) : all;
    return *out == NULL ? binder_full(self) : FIRN_OK;
}

// a op ANY (b): b is a list, or the only value that a is compared with.
static firn_status quantify_value(binder *self, scope *names, const sql_quantified *written,
                                  expr **out) {
    expr_list left = {0};
    expr_list right = {0};
    TRY(bind_row_items(self, names, written->left, &left));
    TRY(bind_row_items(self, names, written->items.items[0], &right));
    return !is_row(written->left) && right.count == 1 && right.items[0]->type->id == TYPE_LIST
               ? quantify_list(self, written, left.items[0], right.items[0], out)
               : quantify_item(self, written, &left, &right, out);
}

// Operators that answer true or false.
static bool is_test(sql_operator op) {
    switch ((int)op) {
    case SQL_OP_EQUAL:
    case SQL_OP_NOT_EQUAL:
    case SQL_OP_LESS:
    case SQL_OP_LESS_EQUAL:
    case SQL_OP_GREATER:
    case SQL_OP_GREATER_EQUAL:
    case SQL_OP_MATCH:
    case SQL_OP_MATCH_NOCASE:
    case SQL_OP_NOT_MATCH:
    case SQL_OP_NOT_MATCH_NOCASE:
    case SQL_OP_CONTAINS:
    case SQL_OP_CONTAINED:
    case SQL_OP_OVERLAP:
    case SQL_OP_STARTS_WITH:
    case SQL_OP_LIKE:
    case SQL_OP_NOT_LIKE:
    case SQL_OP_ILIKE:
    case SQL_OP_NOT_ILIKE:
        return true;
    default:
        return false;
    }
}

firn_status bind_quantified(binder *self, scope *names, const sql_quantified *written, expr **out) {
    const sql_list *items = &written->items;
    if (!is_test(written->op)) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42809", written->node.position,
                        "%s before %s: an operator that answers true or false is needed there",
                        sql_operator_text(written->op), written->is_all ? "ALL" : "ANY");
    }
    if (written->query == NULL && items->count == 1) {
        return sql_is_expr(items->items[0], SQL_ARRAY)
                   ? quantify_items(self, names, written, &sql_array_of(items->items[0])->items,
                                    out)
                   : quantify_value(self, names, written, out);
    }
    if (written->query == NULL) {
        return quantify_items(self, names, written, items, out);
    }
    return bind_compare_query(self, names, written->left, written->query,
                              quantified_name(written->op),
                              written->is_all ? SUBQUERY_ALL : SUBQUERY_ANY, out);
}
