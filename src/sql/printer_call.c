// Calls in the syntax in which they were written, their arguments, windows.
#include "sql/printer_private.h"

// ---- Arguments ---------------------------------------------------------------------------------

static bool is_bare_column(const sql_expr *expr) {
    return sql_is_expr(expr, SQL_COLUMN) && sql_column_of(expr)->path.count == 1;
}

// Whether the text of `expr` begins with a token behind which "x ->" is no lambda: see the parser.
static bool begins_with_literal(const sql_expr *expr) {
    const sql_expr *parent;
    const sql_expr *first = behind_postfix(first_operand(expr, &parent));
    return sql_is_expr(first, SQL_LITERAL) || sql_is_expr(first, SQL_PARAMETER);
}

// Whether an argument would be read as a lambda although it begins with a use of the operator "->".
static bool looks_like_lambda(const sql_expr *expr) {
    const sql_expr *parent;
    const sql_expr *first = first_operand(expr, &parent);
    if (first == NULL || parent == NULL || !sql_is_expr(parent, SQL_BINARY) ||
        sql_binary_of(parent)->op != SQL_OP_ARROW) {
        return false;
    }
    const sql_expr *right = sql_binary_of(parent)->right;
    const bool is_literal =
        sql_is_expr(right, SQL_PARAMETER) ||
        (sql_is_expr(right, SQL_LITERAL) && (sql_literal_of(right)->kind == SQL_LITERAL_STRING ||
                                             sql_literal_of(right)->kind == SQL_LITERAL_INTEGER));
    if (is_bare_column(first)) {
        return !is_literal;
    }
    return sql_is_expr(first, SQL_ROW);
}

void print_argument(text_builder *out, const sql_expr *argument) {
    const bool is_guarded = looks_like_lambda(argument);
    put_if(out, is_guarded, "(");
    print_expr(out, argument);
    put_if(out, is_guarded, ")");
}

void print_arguments(text_builder *out, sql_list arguments) {
    for (size_t i = 0; i < arguments.count; i++) {
        put_if(out, i > 0, ", ");
        print_argument(out, arguments.items[i]);
    }
}

// LAMBDA x, y: body or (x, y) -> body.
static void print_lambda_as(text_builder *out, const sql_lambda *lambda, bool is_word) {
    const bool is_row = !is_word && lambda->parameters.count > 1;
    put(out, is_word ? "LAMBDA " : is_row ? "(" : "");
    for (size_t i = 0; i < lambda->parameters.count; i++) {
        put_if(out, i > 0, ", ");
        sql_print_name(out, &lambda->parameters.items[i]);
    }
    put(out, is_word ? ": " : is_row ? ") -> " : " -> ");
    print_expr(out, lambda->body);
}

void print_lambda(text_builder *out, const sql_expr *expr) {
    const sql_lambda *lambda = sql_lambda_of(expr);
    print_lambda_as(out, lambda,
                    lambda->parameters.count == 1 && begins_with_literal(lambda->body));
}

void print_named_argument(text_builder *out, const sql_expr *expr) {
    const sql_named_argument *argument = sql_named_argument_of(expr);
    sql_print_name(out, &argument->name);
    print_expr_clause(out, " => ", argument->value);
}

// ---- Functions with a syntax of their own ------------------------------------------------------

static const sql_expr *argument_of(const sql_call *call, size_t index) {
    return index < call->arguments.count ? call->arguments.items[index] : NULL;
}

static void print_extract(text_builder *out, const sql_call *call) {
    const sql_name field = {.value = sql_literal_of(call->arguments.items[0])->value};
    put(out, "(");
    if (sql_name_is_word(field.value)) {
        text_append(out, field.value);
    } else {
        sql_print_string(out, field.value);
    }
    print_expr_clause(out, " FROM ", argument_of(call, 1));
    put(out, ")");
}

static void print_substring(text_builder *out, const sql_call *call) {
    put(out, "(");
    print_argument(out, argument_of(call, 0));
    print_expr_clause(out, " FROM ", argument_of(call, 1));
    print_expr_clause(out, " FOR ", argument_of(call, 2));
    put(out, ")");
}

static void print_position(text_builder *out, const sql_call *call) {
    put(out, "(");
    print_operand(out, argument_of(call, 0), sql_binding_above(SQL_BIND_LIKE));
    print_expr_clause(out, " IN ", argument_of(call, 1));
    put(out, ")");
}

// ltrim(a, b) was TRIM(LEADING b FROM a).
static void print_trim(text_builder *out, const sql_call *call) {
    const char side = call->path.items[0].value.data[0];
    const sql_expr *characters = argument_of(call, 1);
    put(out, side == 'l' ? "trim(LEADING " : side == 'r' ? "trim(TRAILING " : "trim(BOTH ");
    if (characters != NULL) {
        // BOTH + x FROM s would add to a column of that name.
        const bool is_plain =
            sql_is_expr(characters, SQL_LITERAL) || sql_is_expr(characters, SQL_COLUMN) ||
            sql_is_expr(characters, SQL_CALL) || sql_is_expr(characters, SQL_PARAMETER);
        put_if(out, !is_plain, "(");
        print_expr(out, characters);
        put(out, is_plain ? " " : ") ");
    }
    print_expr_clause(out, "FROM ", argument_of(call, 0));
    put(out, ")");
}

static void print_overlay(text_builder *out, const sql_call *call) {
    put(out, "(");
    print_argument(out, argument_of(call, 0));
    print_expr_clause(out, " PLACING ", argument_of(call, 1));
    print_expr_clause(out, " FROM ", argument_of(call, 2));
    print_expr_clause(out, " FOR ", argument_of(call, 3));
    put(out, ")");
}

// ---- Calls -------------------------------------------------------------------------------------

// trim(leading, ...): the name of a column that would be read as a side.
static bool is_side_word(const sql_call *call) {
    const sql_name *function = &call->path.items[0];
    const sql_expr *parent;
    const sql_expr *first =
        call->arguments.count == 0 ? NULL : first_operand(call->arguments.items[0], &parent);
    if (first == NULL || !is_bare_column(first) || call->path.count > 1 || function->is_quoted ||
        !text_equal(function->value, TEXT("trim"))) {
        return false;
    }
    const sql_name *name = &sql_column_of(first)->path.items[0];
    return !name->is_quoted && (text_equal_nocase(name->value, TEXT("leading")) ||
                                text_equal_nocase(name->value, TEXT("trailing")) ||
                                text_equal_nocase(name->value, TEXT("both")));
}

// position((x, y) -> ... may go on with IN, so there the lambda is written with its word.
static bool is_lambda_in_position(const sql_call *call) {
    const sql_name *function = &call->path.items[0];
    return call->path.count == 1 && !function->is_quoted &&
           text_equal(function->value, TEXT("position")) && call->arguments.count > 0 &&
           sql_is_expr(call->arguments.items[0], SQL_LAMBDA);
}

static void print_first_argument(text_builder *out, const sql_call *call) {
    const sql_expr *argument = call->arguments.items[0];
    if (is_lambda_in_position(call)) {
        print_lambda_as(out, sql_lambda_of(argument), true);
    } else if (is_side_word(call)) {
        put(out, "(");
        print_argument(out, argument);
        put(out, ")");
    } else {
        print_argument(out, argument);
    }
}

static void print_plain(text_builder *out, const sql_call *call) {
    put(out, "(");
    put_if(out, call->is_distinct, "DISTINCT ");
    for (size_t i = 0; i < call->arguments.count; i++) {
        put_if(out, i > 0, ", ");
        if (i == 0) {
            print_first_argument(out, call);
        } else {
            print_argument(out, call->arguments.items[i]);
        }
    }
    put_if(out, call->order_by.count > 0 && call->arguments.count > 0, " ");
    print_order_by(out, call->order_by);
    put(out, ")");
}

static void print_call_clauses(text_builder *out, const sql_call *call) {
    if (call->within_group.count > 0) {
        put(out, " WITHIN GROUP (");
        print_order_by(out, call->within_group);
        put(out, ")");
    }
    print_expr_clause(out, " FILTER (WHERE ", call->filter);
    put_if(out, call->filter != NULL, ")");
    put_if(out, call->nulls == SQL_NULLS_IGNORE, " IGNORE NULLS");
    put_if(out, call->nulls == SQL_NULLS_RESPECT, " RESPECT NULLS");
    if (call->over != NULL) {
        put(out, " OVER ");
        print_window(out, call->over);
    }
}

void print_call(text_builder *out, const sql_expr *expr) {
    const sql_call *call = sql_call_of(expr);
    if (call->syntax != SQL_CALL_TRIM) {
        print_path(out, call->path);
    }
    switch (call->syntax) {
    case SQL_CALL_PLAIN:
        print_plain(out, call);
        break;
    case SQL_CALL_WORD:
        if (call->arguments.count > 0) {
            print_list_in_parentheses(out, call->arguments);
        }
        break;
    case SQL_CALL_EXTRACT:
        print_extract(out, call);
        break;
    case SQL_CALL_SUBSTRING:
        print_substring(out, call);
        break;
    case SQL_CALL_POSITION:
        print_position(out, call);
        break;
    case SQL_CALL_TRIM:
        print_trim(out, call);
        break;
    case SQL_CALL_OVERLAY:
        print_overlay(out, call);
        break;
    }
    print_call_clauses(out, call);
}

// ---- Windows -----------------------------------------------------------------------------------

void print_order_by(text_builder *out, sql_list order_by) {
    put_if(out, order_by.count > 0, "ORDER BY ");
    print_list(out, order_by);
}

static void print_bound(text_builder *out, sql_frame_bound bound, const sql_expr *offset) {
    if (offset != NULL) {
        print_guarded(out, offset); // unbounded PRECEDING: if that is a column.
    }
    switch (bound) {
    case SQL_BOUND_UNBOUNDED_PRECEDING:
        put(out, "UNBOUNDED PRECEDING");
        break;
    case SQL_BOUND_PRECEDING:
        put(out, " PRECEDING");
        break;
    case SQL_BOUND_CURRENT_ROW:
        put(out, "CURRENT ROW");
        break;
    case SQL_BOUND_FOLLOWING:
        put(out, " FOLLOWING");
        break;
    case SQL_BOUND_UNBOUNDED_FOLLOWING:
        put(out, "UNBOUNDED FOLLOWING");
        break;
    }
}

void print_frame(text_builder *out, const sql_frame *frame) {
    put(out, frame->unit == SQL_FRAME_ROWS    ? "ROWS BETWEEN "
             : frame->unit == SQL_FRAME_RANGE ? "RANGE BETWEEN "
                                              : "GROUPS BETWEEN ");
    print_bound(out, frame->start, frame->start_offset);
    put(out, " AND ");
    print_bound(out, frame->end, frame->end_offset);
    put_if(out, frame->exclude == SQL_EXCLUDE_CURRENT_ROW, " EXCLUDE CURRENT ROW");
    put_if(out, frame->exclude == SQL_EXCLUDE_GROUP, " EXCLUDE GROUP");
    put_if(out, frame->exclude == SQL_EXCLUDE_TIES, " EXCLUDE TIES");
}

void print_window(text_builder *out, const sql_window *window) {
    if (window->is_reference) {
        sql_print_name(out, &window->base);
        return;
    }
    const char *separator = "(";
    if (window->base.value.size > 0) {
        put(out, separator);
        sql_print_name(out, &window->base);
        separator = " ";
    }
    if (window->partition_by.count > 0) {
        put(out, separator);
        put(out, "PARTITION BY ");
        print_list(out, window->partition_by);
        separator = " ";
    }
    if (window->order_by.count > 0) {
        put(out, separator);
        print_order_by(out, window->order_by);
        separator = " ";
    }
    if (window->frame != NULL) {
        put(out, separator);
        print_frame(out, window->frame);
        separator = " ";
    }
    put_if(out, separator[0] == '(', "(");
    put(out, ")");
}
