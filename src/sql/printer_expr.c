// Expressions. Parentheses stand exactly where the parser needs them to come to the same tree.
#include "sql/printer_private.h"

// ---- How tightly an expression holds together --------------------------------------------------

static sql_binding binding_of(const sql_expr *expr) {
    switch (sql_expr_kind_of(expr)) {
    case SQL_UNARY:
        switch (sql_unary_of(expr)->op) {
        case SQL_UNARY_MINUS:
        case SQL_UNARY_PLUS:
            return SQL_BIND_UNARY;
        case SQL_UNARY_NOT:
            return SQL_BIND_NOT;
        case SQL_UNARY_BIT_NOT:
            return SQL_BIND_OTHER;
        }
        break;
    case SQL_BINARY:
        return sql_operator_binding(sql_binary_of(expr)->op);
    case SQL_QUANTIFIED:
        return sql_operator_binding(sql_quantified_of(expr)->op);
    case SQL_LOGICAL:
        return sql_logical_of(expr)->is_or ? SQL_BIND_OR : SQL_BIND_AND;
    case SQL_IS:
        return SQL_BIND_IS;
    case SQL_BETWEEN:
    case SQL_IN:
    case SQL_LIKE:
        return SQL_BIND_LIKE;
    case SQL_COLLATE:
        return SQL_BIND_COLLATE;
    case SQL_NAMED_ARGUMENT:
    case SQL_LAMBDA:
        return SQL_BIND_NONE;
    case SQL_LITERAL:
    case SQL_TYPED_LITERAL:
    case SQL_INTERVAL:
    case SQL_COLUMN:
    case SQL_STAR:
    case SQL_PARAMETER:
    case SQL_CASE:
    case SQL_CAST:
    case SQL_CALL:
    case SQL_ROW:
    case SQL_ARRAY:
    case SQL_STRUCT:
    case SQL_MAP:
    case SQL_SUBSCRIPT:
    case SQL_SLICE:
    case SQL_FIELD:
    case SQL_SUBQUERY:
    case SQL_GROUPING:
    case SQL_DEFAULT:
        break;
    }
    return SQL_BIND_PRIMARY;
}

// What the left operand of an operator must bind: comparisons do not chain.
static sql_binding left_binding(sql_operator op) {
    const sql_binding binding = sql_operator_binding(op);
    return binding == SQL_BIND_COMPARISON ? sql_binding_above(binding) : binding;
}

// Whether [ or a dot behind the text of `operand` goes to all of it.
static bool is_before_postfix(const sql_expr *operand, bool is_dot) {
    switch (sql_expr_kind_of(operand)) {
    case SQL_COLUMN:
        return !is_dot; // a.b is one name.
    case SQL_CALL:
        return sql_call_of(operand)->over == NULL && sql_call_of(operand)->filter == NULL;
    case SQL_PARAMETER:
    case SQL_CAST:
    case SQL_ROW:
    case SQL_ARRAY:
    case SQL_STRUCT:
    case SQL_MAP:
    case SQL_SUBSCRIPT:
    case SQL_SLICE:
    case SQL_FIELD:
    case SQL_SUBQUERY:
        return true;
    case SQL_LITERAL:
    case SQL_TYPED_LITERAL:
    case SQL_INTERVAL:
    case SQL_STAR:
    case SQL_UNARY:
    case SQL_BINARY:
    case SQL_LOGICAL:
    case SQL_IS:
    case SQL_BETWEEN:
    case SQL_IN:
    case SQL_LIKE:
    case SQL_QUANTIFIED:
    case SQL_CASE:
    case SQL_NAMED_ARGUMENT:
    case SQL_LAMBDA:
    case SQL_COLLATE:
    case SQL_GROUPING:
    case SQL_DEFAULT:
        break;
    }
    return false;
}

static void print_in_parentheses(text_builder *out, const sql_expr *expr) {
    put(out, "(");
    print_expr(out, expr);
    put(out, ")");
}

void print_operand(text_builder *out, const sql_expr *expr, sql_binding least) {
    if (binding_of(expr) < least) {
        print_in_parentheses(out, expr);
    } else {
        print_expr(out, expr);
    }
}

void print_before_postfix(text_builder *out, const sql_expr *operand, bool is_dot) {
    if (is_before_postfix(operand, is_dot)) {
        print_expr(out, operand);
    } else {
        print_in_parentheses(out, operand);
    }
}

void print_guarded(text_builder *out, const sql_expr *expr) {
    if (sql_is_expr(expr, SQL_COLUMN)) {
        print_in_parentheses(out, expr);
    } else {
        print_expr(out, expr);
    }
}

// The operand that `expr` begins with and what it must bind; NULL if it begins with something else.
static const sql_expr *left_operand(const sql_expr *expr, sql_binding *least) {
    switch (sql_expr_kind_of(expr)) {
    case SQL_BINARY:
        *least = left_binding(sql_binary_of(expr)->op);
        return sql_binary_of(expr)->left;
    case SQL_QUANTIFIED:
        *least = left_binding(sql_quantified_of(expr)->op);
        return sql_quantified_of(expr)->left;
    case SQL_LOGICAL:
        *least = sql_binding_above(binding_of(expr));
        return sql_logical_of(expr)->operands.items[0];
    case SQL_IS:
        *least = SQL_BIND_IS;
        return sql_is_of(expr)->operand;
    case SQL_BETWEEN:
        *least = SQL_BIND_LIKE;
        return sql_between_of(expr)->operand;
    case SQL_IN:
        *least = SQL_BIND_LIKE;
        return sql_in_of(expr)->operand;
    case SQL_LIKE:
        *least = SQL_BIND_LIKE;
        return sql_like_of(expr)->operand;
    case SQL_COLLATE:
        *least = SQL_BIND_COLLATE;
        return sql_collate_of(expr)->operand;
    case SQL_LITERAL:
    case SQL_TYPED_LITERAL:
    case SQL_INTERVAL:
    case SQL_COLUMN:
    case SQL_STAR:
    case SQL_PARAMETER:
    case SQL_UNARY:
    case SQL_CASE:
    case SQL_CAST:
    case SQL_CALL:
    case SQL_NAMED_ARGUMENT:
    case SQL_LAMBDA:
    case SQL_ROW:
    case SQL_ARRAY:
    case SQL_STRUCT:
    case SQL_MAP:
    case SQL_SUBSCRIPT:
    case SQL_SLICE:
    case SQL_FIELD:
    case SQL_SUBQUERY:
    case SQL_GROUPING:
    case SQL_DEFAULT:
        break;
    }
    return NULL;
}

const sql_expr *first_operand(const sql_expr *expr, const sql_expr **parent) {
    *parent = NULL;
    for (;;) {
        sql_binding least = SQL_BIND_NONE;
        const sql_expr *left = left_operand(expr, &least);
        if (left == NULL) {
            return expr;
        }
        if (binding_of(left) < least) {
            return NULL;
        }
        *parent = expr;
        expr = left;
    }
}

const sql_expr *behind_postfix(const sql_expr *operand) {
    for (;;) {
        if (sql_is_expr(operand, SQL_SUBSCRIPT)) {
            operand = sql_subscript_of(operand)->operand;
        } else if (sql_is_expr(operand, SQL_SLICE)) {
            operand = sql_slice_of(operand)->operand;
        } else if (sql_is_expr(operand, SQL_FIELD)) {
            operand = sql_field_of(operand)->operand;
        } else if (sql_is_expr(operand, SQL_STAR) && sql_star_of(operand)->operand != NULL) {
            operand = sql_star_of(operand)->operand;
        } else {
            return operand;
        }
    }
}

// ---- Operators ---------------------------------------------------------------------------------

// a + b * c - d ...: the left sides may go down without a bound, so they are listed first.
static void print_binary(text_builder *out, const sql_expr *expr) {
    size_t count = 1;
    for (const sql_expr *at = sql_binary_of(expr)->left; sql_is_expr(at, SQL_BINARY);
         at = sql_binary_of(at)->left) {
        count += 1;
    }
    const sql_binary **chain = ARENA_NEW(out->memory, const sql_binary *, count);
    if (chain == NULL) {
        out->is_full = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        chain[i] = sql_binary_of(i == 0 ? expr : chain[i - 1]->left);
        const bool is_last = i == count - 1;
        put_if(out, !is_last && binding_of(chain[i]->left) < left_binding(chain[i]->op), "(");
    }
    print_operand(out, chain[count - 1]->left, left_binding(chain[count - 1]->op));
    for (size_t i = count; i > 0; i--) {
        const sql_binary *binary = chain[i - 1];
        const sql_binding binding = sql_operator_binding(binary->op);
        put_if(out, i < count && binding_of(binary->left) < left_binding(binary->op), ")");
        text_append_format(out, " %s ", sql_operator_text(binary->op));
        print_operand(out, binary->right, sql_binding_above(binding));
    }
}

static void print_unary(text_builder *out, const sql_expr *expr) {
    const sql_unary *unary = sql_unary_of(expr);
    static const char *const spellings[] = {
        [SQL_UNARY_MINUS] = "-",
        [SQL_UNARY_PLUS] = "+",
        [SQL_UNARY_NOT] = "NOT ",
        [SQL_UNARY_BIT_NOT] = "~",
    };
    put(out, spellings[unary->op]);
    if (unary->op == SQL_UNARY_NOT) {
        print_operand(out, unary->operand, SQL_BIND_NOT);
    } else if (sql_is_expr(unary->operand, SQL_UNARY)) {
        print_in_parentheses(out, unary->operand); // -(-1), not the comment --1.
    } else {
        print_operand(out, unary->operand,
                      unary->op == SQL_UNARY_BIT_NOT ? sql_binding_above(SQL_BIND_OTHER)
                                                     : SQL_BIND_UNARY);
    }
}

static void print_logical(text_builder *out, const sql_expr *expr) {
    const sql_logical *logical = sql_logical_of(expr);
    const sql_binding least = logical->is_or ? SQL_BIND_AND : SQL_BIND_NOT;
    for (size_t i = 0; i < logical->operands.count; i++) {
        put_if(out, i > 0, logical->is_or ? " OR " : " AND ");
        print_operand(out, logical->operands.items[i], least);
    }
}

static void print_is(text_builder *out, const sql_expr *expr) {
    const sql_is *is = sql_is_of(expr);
    static const char *const tests[] = {
        [SQL_IS_NULL] = "NULL",
        [SQL_IS_TRUE] = "TRUE",
        [SQL_IS_FALSE] = "FALSE",
        [SQL_IS_UNKNOWN] = "UNKNOWN",
    };
    print_operand(out, is->operand, SQL_BIND_IS);
    put(out, is->is_negated ? " IS NOT " : " IS ");
    put(out, tests[is->test]);
}

static void print_between(text_builder *out, const sql_expr *expr) {
    const sql_between *between = sql_between_of(expr);
    print_operand(out, between->operand, SQL_BIND_LIKE);
    put(out, between->is_negated ? " NOT BETWEEN " : " BETWEEN ");
    put_if(out, between->is_symmetric, "SYMMETRIC ");
    print_operand(out, between->low, sql_binding_above(SQL_BIND_LIKE));
    put(out, " AND ");
    print_operand(out, between->high, sql_binding_above(SQL_BIND_LIKE));
}

// (query) or (items), whichever there is.
static void print_candidates(text_builder *out, const sql_query *query, sql_list items) {
    put(out, "(");
    if (query != NULL) {
        sql_print_query(out, query);
    } else {
        print_list(out, items);
    }
    put(out, ")");
}

static void print_in(text_builder *out, const sql_expr *expr) {
    const sql_in *in = sql_in_of(expr);
    print_operand(out, in->operand, SQL_BIND_LIKE);
    put(out, in->is_negated ? " NOT IN " : " IN ");
    print_candidates(out, in->query, in->items);
}

static void print_quantified(text_builder *out, const sql_expr *expr) {
    const sql_quantified *quantified = sql_quantified_of(expr);
    print_operand(out, quantified->left, left_binding(quantified->op));
    text_append_format(out, " %s %s ", sql_operator_text(quantified->op),
                       quantified->is_all ? "ALL" : "ANY");
    print_candidates(out, quantified->query, quantified->items);
}

static void print_like(text_builder *out, const sql_expr *expr) {
    const sql_like *like = sql_like_of(expr);
    static const char *const words[] = {
        [SQL_LIKE_LIKE] = "LIKE ",
        [SQL_LIKE_ILIKE] = "ILIKE ",
        [SQL_LIKE_SIMILAR] = "SIMILAR TO ",
    };
    print_operand(out, like->operand, SQL_BIND_LIKE);
    put(out, like->is_negated ? " NOT " : " ");
    put(out, words[like->kind]);
    print_operand(out, like->pattern, sql_binding_above(SQL_BIND_LIKE));
    if (like->escape != NULL) {
        put(out, " ESCAPE ");
        print_operand(out, like->escape, sql_binding_above(SQL_BIND_LIKE));
    }
}

// ---- Operands ----------------------------------------------------------------------------------

// Whether it needs no parentheses between INTERVAL and the unit.
static bool is_interval_value(const sql_expr *value) {
    if (!sql_is_expr(value, SQL_LITERAL)) {
        return sql_is_expr(value, SQL_PARAMETER);
    }
    const sql_literal_kind kind = sql_literal_of(value)->kind;
    return kind == SQL_LITERAL_STRING || kind == SQL_LITERAL_INTEGER ||
           kind == SQL_LITERAL_DECIMAL || kind == SQL_LITERAL_DOUBLE;
}

static void print_interval(text_builder *out, const sql_expr *expr) {
    const sql_interval *interval = sql_interval_of(expr);
    put(out, "INTERVAL ");
    if (is_interval_value(interval->value)) {
        print_expr(out, interval->value);
    } else {
        print_in_parentheses(out, interval->value);
    }
    print_units(out, interval->unit, interval->to_unit);
}

static void print_star(text_builder *out, const sql_expr *expr) {
    const sql_star *star = sql_star_of(expr);
    if (star->operand != NULL) {
        print_before_postfix(out, star->operand, true);
        put(out, ".");
    } else if (star->qualifier.count > 0) {
        print_path(out, star->qualifier);
        put(out, ".");
    }
    put(out, "*");
    print_expr_clause(out, star->is_pattern_nocase ? " ILIKE " : " LIKE ", star->pattern);
    print_options(out, " EXCLUDE ", star->exclude);
    print_options(out, " REPLACE ", star->replace);
    print_options(out, " RENAME ", star->rename);
}

static void print_parameter(text_builder *out, const sql_expr *expr) {
    const sql_parameter *parameter = sql_parameter_of(expr);
    if (parameter->number > 0) {
        text_append_format(out, "$%u", parameter->number);
    } else {
        put(out, "$");
        text_append(out, parameter->name.value);
    }
}

static void print_case(text_builder *out, const sql_expr *expr) {
    const sql_case *whole = sql_case_of(expr);
    put(out, "CASE");
    print_expr_clause(out, " ", whole->operand);
    for (size_t i = 0; i < whole->whens.count; i++) {
        put(out, " ");
        sql_print_node(out, whole->whens.items[i]);
    }
    print_expr_clause(out, " ELSE ", whole->otherwise);
    put(out, " END");
}

static void print_cast(text_builder *out, const sql_expr *expr) {
    const sql_cast *cast = sql_cast_of(expr);
    put(out, cast->is_try ? "TRY_CAST(" : "CAST(");
    print_expr(out, cast->operand);
    put(out, " AS ");
    print_type(out, cast->type);
    put(out, ")");
}

// (a, b), ROW(a): one in parentheses would be no row.
static void print_row(text_builder *out, const sql_expr *expr) {
    const sql_row *row = sql_row_of(expr);
    put_if(out, row->items.count < 2, "ROW");
    print_list_in_parentheses(out, row->items);
}

static void print_struct(text_builder *out, const sql_expr *expr) {
    const sql_struct *fields = sql_struct_of(expr);
    for (size_t i = 0; i < fields->fields.count; i++) {
        const sql_named_argument *field = sql_named_argument_of(fields->fields.items[i]);
        put(out, i == 0 ? "{" : ", ");
        if (field->name.is_quoted) {
            sql_print_string(out, field->name.value);
        } else {
            sql_print_name(out, &field->name);
        }
        print_expr_clause(out, ": ", field->value);
    }
    put(out, "}");
}

static void print_slice(text_builder *out, const sql_expr *expr) {
    const sql_slice *slice = sql_slice_of(expr);
    print_before_postfix(out, slice->operand, false);
    print_expr_clause(out, "[", slice->from);
    put(out, slice->from == NULL ? "[:" : ":");
    if (slice->to != NULL) {
        print_expr(out, slice->to);
    }
    put_if(out, slice->step != NULL && slice->to == NULL, " "); // :: would be a cast.
    print_expr_clause(out, ":", slice->step);
    put(out, "]");
}

static void print_subquery(text_builder *out, const sql_expr *expr) {
    const sql_subquery *subquery = sql_subquery_of(expr);
    put_if(out, subquery->kind == SQL_SUBQUERY_EXISTS, "EXISTS ");
    put_if(out, subquery->kind == SQL_SUBQUERY_ARRAY, "ARRAY");
    put(out, "(");
    sql_print_query(out, subquery->query);
    put(out, ")");
}

static void print_grouping(text_builder *out, const sql_expr *expr) {
    const sql_grouping *grouping = sql_grouping_of(expr);
    static const char *const words[] = {
        [SQL_GROUPING_EMPTY] = "",
        [SQL_GROUPING_SETS] = "GROUPING SETS ",
        [SQL_GROUPING_ROLLUP] = "ROLLUP ",
        [SQL_GROUPING_CUBE] = "CUBE ",
    };
    put(out, words[grouping->kind]);
    put(out, "(");
    print_grouping_items(out, grouping->items);
    put(out, ")");
}

static void print_typed_literal(text_builder *out, const sql_expr *expr) {
    print_type(out, sql_typed_literal_of(expr)->type);
    put(out, " ");
    sql_print_string(out, sql_typed_literal_of(expr)->value);
}

static void print_column(text_builder *out, const sql_expr *expr) {
    print_path(out, sql_column_of(expr)->path);
}

static void print_array(text_builder *out, const sql_expr *expr) {
    put(out, "[");
    print_list(out, sql_array_of(expr)->items);
    put(out, "]");
}

static void print_map(text_builder *out, const sql_expr *expr) {
    put(out, "MAP {");
    print_list(out, sql_map_of(expr)->entries);
    put(out, "}");
}

static void print_subscript(text_builder *out, const sql_expr *expr) {
    print_before_postfix(out, sql_subscript_of(expr)->operand, false);
    print_expr_clause(out, "[", sql_subscript_of(expr)->index);
    put(out, "]");
}

static void print_field(text_builder *out, const sql_expr *expr) {
    print_before_postfix(out, sql_field_of(expr)->operand, true);
    put(out, ".");
    sql_print_name(out, &sql_field_of(expr)->name);
}

static void print_collate(text_builder *out, const sql_expr *expr) {
    print_operand(out, sql_collate_of(expr)->operand, SQL_BIND_COLLATE);
    put(out, " COLLATE ");
    print_path(out, sql_collate_of(expr)->collation);
}

static void print_default(text_builder *out, const sql_expr *expr) {
    (void)expr;
    put(out, "DEFAULT");
}

void print_expr(text_builder *out, const sql_expr *expr) {
    static void (*const printers[])(text_builder *out, const sql_expr *expr) = {
        [SQL_LITERAL] = sql_print_node,  [SQL_TYPED_LITERAL] = print_typed_literal,
        [SQL_INTERVAL] = print_interval, [SQL_COLUMN] = print_column,
        [SQL_STAR] = print_star,         [SQL_PARAMETER] = print_parameter,
        [SQL_UNARY] = print_unary,       [SQL_BINARY] = print_binary,
        [SQL_LOGICAL] = print_logical,   [SQL_IS] = print_is,
        [SQL_BETWEEN] = print_between,   [SQL_IN] = print_in,
        [SQL_LIKE] = print_like,         [SQL_QUANTIFIED] = print_quantified,
        [SQL_CASE] = print_case,         [SQL_CAST] = print_cast,
        [SQL_CALL] = print_call,         [SQL_NAMED_ARGUMENT] = print_named_argument,
        [SQL_LAMBDA] = print_lambda,     [SQL_ROW] = print_row,
        [SQL_ARRAY] = print_array,       [SQL_STRUCT] = print_struct,
        [SQL_MAP] = print_map,           [SQL_SUBSCRIPT] = print_subscript,
        [SQL_SLICE] = print_slice,       [SQL_FIELD] = print_field,
        [SQL_COLLATE] = print_collate,   [SQL_SUBQUERY] = print_subquery,
        [SQL_GROUPING] = print_grouping, [SQL_DEFAULT] = print_default,
    };
    printers[sql_expr_kind_of(expr)](out, expr);
}
