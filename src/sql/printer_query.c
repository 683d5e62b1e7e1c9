// Queries and what stands in FROM.
#include "sql/printer_private.h"

// ---- FROM --------------------------------------------------------------------------------------

void print_sample(text_builder *out, const sql_sample *sample) {
    put(out, "TABLESAMPLE ");
    if (sample->method.value.size > 0) {
        sql_print_name(out, &sample->method);
        put(out, " ");
    }
    print_expr_clause(out, "(", sample->amount);
    put(out, sample->is_rows ? " ROWS)" : " PERCENT)");
    print_expr_clause(out, " REPEATABLE (", sample->seed);
    put_if(out, sample->seed != NULL, ")");
}

static void print_alias(text_builder *out, const sql_name *alias, sql_names columns,
                        const sql_sample *sample) {
    if (alias->value.size > 0) {
        put(out, " AS ");
        sql_print_name(out, alias);
        print_columns(out, columns);
    }
    if (sample != NULL) {
        put(out, " ");
        print_sample(out, sample);
    }
}

static void print_table(text_builder *out, const sql_table *table) {
    print_literal_clause(out, "", table->file);
    print_path(out, table->path);
    if (table->version != NULL) {
        put(out, " FOR VERSION AS OF ");
        print_operand(out, table->version, SQL_BIND_OTHER);
    }
    if (table->timestamp != NULL) {
        put(out, " FOR TIMESTAMP AS OF ");
        print_operand(out, table->timestamp, SQL_BIND_OTHER);
    }
    print_alias(out, &table->alias, table->columns, table->sample);
}

static void print_derived(text_builder *out, const sql_derived *derived) {
    put(out, derived->is_lateral ? "LATERAL (" : "(");
    sql_print_query(out, derived->query);
    put(out, ")");
    print_alias(out, &derived->alias, derived->columns, derived->sample);
}

static void print_table_function(text_builder *out, const sql_table_function *function) {
    put_if(out, function->is_lateral, "LATERAL ");
    print_call(out, &function->call->node);
    put_if(out, function->with_ordinality, " WITH ORDINALITY");
    print_alias(out, &function->alias, function->columns, function->sample);
}

static const char *join_words(sql_join_kind kind) {
    switch (kind) {
    case SQL_JOIN_INNER:
        return "JOIN ";
    case SQL_JOIN_LEFT:
        return "LEFT JOIN ";
    case SQL_JOIN_RIGHT:
        return "RIGHT JOIN ";
    case SQL_JOIN_FULL:
        return "FULL JOIN ";
    case SQL_JOIN_CROSS:
        return "CROSS JOIN ";
    case SQL_JOIN_LEFT_SEMI:
        return "LEFT SEMI JOIN ";
    case SQL_JOIN_RIGHT_SEMI:
        return "RIGHT SEMI JOIN ";
    case SQL_JOIN_LEFT_ANTI:
        return "LEFT ANTI JOIN ";
    case SQL_JOIN_RIGHT_ANTI:
        return "RIGHT ANTI JOIN ";
    case SQL_JOIN_POSITIONAL:
        return "POSITIONAL JOIN ";
    }
    return "JOIN ";
}

static bool is_join(const sql_relation *relation) {
    return sql_relation_kind_of(relation) == SQL_JOIN;
}

// What stands behind the left side of a join.
static void print_join_rest(text_builder *out, const sql_join *join) {
    put(out, join->is_natural ? " NATURAL " : join->is_asof ? " ASOF " : " ");
    put(out, join_words(join->kind));
    // A join with an alias brings its own parentheses.
    const bool has_parentheses =
        is_join(join->right) && sql_join_of(join->right)->alias.value.size == 0;
    put_if(out, has_parentheses, "(");
    print_relation(out, join->right);
    put_if(out, has_parentheses, ")");
    print_expr_clause(out, " ON ", join->on);
    put_if(out, join->using.count > 0, " USING");
    print_columns(out, join->using);
}

// a JOIN b JOIN c ...: the left sides may go down without a bound, so they are listed first.
static void print_join(text_builder *out, const sql_relation *relation) {
    size_t count = 1;
    for (const sql_relation *at = sql_join_of(relation)->left; is_join(at);
         at = sql_join_of(at)->left) {
        count += 1;
    }
    const sql_join **chain = ARENA_NEW(out->memory, const sql_join *, count);
    if (chain == NULL) {
        out->is_full = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        chain[i] = sql_join_of(i == 0 ? relation : chain[i - 1]->left);
        put_if(out, chain[i]->alias.value.size > 0, "(");
    }
    print_relation(out, chain[count - 1]->left);
    for (size_t i = count; i > 0; i--) {
        print_join_rest(out, chain[i - 1]);
        put_if(out, chain[i - 1]->alias.value.size > 0, ")");
        print_alias(out, &chain[i - 1]->alias, chain[i - 1]->columns, NULL);
    }
}

void print_relation(text_builder *out, const sql_relation *relation) {
    switch (sql_relation_kind_of(relation)) {
    case SQL_TABLE:
        print_table(out, sql_table_of(relation));
        break;
    case SQL_DERIVED:
        print_derived(out, sql_derived_of(relation));
        break;
    case SQL_TABLE_FUNCTION:
        print_table_function(out, sql_table_function_of(relation));
        break;
    case SQL_JOIN:
        print_join(out, relation);
        break;
    }
}

// ---- SELECT ------------------------------------------------------------------------------------

// Whether `expr` begins with a call that GROUP BY would take for something else.
static bool looks_like_grouping(const sql_expr *expr) {
    const sql_expr *parent;
    const sql_expr *first = behind_postfix(first_operand(expr, &parent));
    if (!sql_is_expr(first, SQL_CALL)) {
        return false;
    }
    const sql_names path = sql_call_of(first)->path;
    return path.count == 1 && !path.items[0].is_quoted &&
           (text_equal(path.items[0].value, TEXT("rollup")) ||
            text_equal(path.items[0].value, TEXT("cube")));
}

void print_grouping_items(text_builder *out, sql_list items) {
    for (size_t i = 0; i < items.count; i++) {
        const bool is_guarded = looks_like_grouping(items.items[i]);
        put_if(out, i > 0, ", ");
        put_if(out, is_guarded, "(");
        print_expr(out, items.items[i]);
        put_if(out, is_guarded, ")");
    }
}

static void print_select(text_builder *out, const sql_select *select) {
    put(out, select->is_distinct ? "SELECT DISTINCT " : "SELECT ");
    if (select->distinct_on.count > 0) {
        put(out, "ON ");
        print_list_in_parentheses(out, select->distinct_on);
        put(out, " ");
    }
    print_list(out, select->items);
    put_if(out, select->from.count > 0, " FROM ");
    print_list(out, select->from);
    print_expr_clause(out, " WHERE ", select->where);
    put_if(out, select->is_group_all, " GROUP BY ALL");
    put_if(out, select->group_by.count > 0, " GROUP BY ");
    print_grouping_items(out, select->group_by);
    print_expr_clause(out, " HAVING ", select->having);
    put_if(out, select->windows.count > 0, " WINDOW ");
    print_list(out, select->windows);
    print_expr_clause(out, " QUALIFY ", select->qualify);
}

static void print_values(text_builder *out, const sql_values *values) {
    put(out, "VALUES ");
    for (size_t i = 0; i < values->rows.count; i++) {
        put_if(out, i > 0, ", ");
        print_list_in_parentheses(out, sql_row_of(values->rows.items[i])->items);
    }
}

// ---- Set operations ----------------------------------------------------------------------------

static bool is_set_operation(const sql_body *body) {
    return sql_body_kind_of(body) == SQL_SET_OPERATION;
}

// INTERSECT binds tighter than the others.
static uint32_t set_binding(const sql_body *body) {
    return sql_set_operation_of(body)->op == SQL_INTERSECT ? 2 : 1;
}

// Whether a side of an operation that binds by `binding` needs parentheses; those of a whole query
// are its own.
static bool needs_parentheses(const sql_body *side, uint32_t binding) {
    return is_set_operation(side) && set_binding(side) < binding;
}

static void print_side(text_builder *out, const sql_body *side, bool has_parentheses) {
    has_parentheses |= sql_body_kind_of(side) == SQL_QUERY;
    put_if(out, has_parentheses, "(");
    print_body(out, side);
    put_if(out, has_parentheses, ")");
}

static void print_set_operation(text_builder *out, const sql_body *body) {
    static const char *const words[] = {
        [SQL_UNION] = " UNION ",
        [SQL_INTERSECT] = " INTERSECT ",
        [SQL_EXCEPT] = " EXCEPT ",
    };
    size_t count = 1;
    for (const sql_body *at = sql_set_operation_of(body)->left; is_set_operation(at);
         at = sql_set_operation_of(at)->left) {
        count += 1;
    }
    const sql_set_operation **chain = ARENA_NEW(out->memory, const sql_set_operation *, count);
    if (chain == NULL) {
        out->is_full = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        chain[i] = sql_set_operation_of(i == 0 ? body : chain[i - 1]->left);
        put_if(out, needs_parentheses(chain[i]->left, set_binding(&chain[i]->node)), "(");
    }
    print_side(out, chain[count - 1]->left, false);
    for (size_t i = count; i > 0; i--) {
        const sql_set_operation *operation = chain[i - 1];
        const uint32_t binding = set_binding(&operation->node);
        put_if(out, needs_parentheses(operation->left, binding), ")");
        put(out, words[operation->op]);
        put_if(out, operation->is_all, "ALL ");
        put_if(out, operation->is_by_name, "BY NAME ");
        print_side(out, operation->right, needs_parentheses(operation->right, binding + 1));
    }
}

// ---- Queries -----------------------------------------------------------------------------------

void print_with(text_builder *out, const sql_with *with) {
    put(out, with->is_recursive ? "WITH RECURSIVE " : "WITH ");
    print_list(out, with->ctes);
}

static void print_limit(text_builder *out, const sql_query *query) {
    if (query->limit != NULL) {
        put(out, query->with_ties ? " FETCH FIRST " : " LIMIT ");
        if (query->with_ties) {
            print_guarded(out, query->limit); // FETCH FIRST row ROWS: if that is a column.
        } else {
            print_expr(out, query->limit);
        }
        put_if(out, query->is_limit_percent, " PERCENT");
        put_if(out, query->with_ties, " ROWS WITH TIES");
    }
    print_expr_clause(out, " OFFSET ", query->offset);
}

static void print_query(text_builder *out, const sql_query *query) {
    if (query->with != NULL) {
        print_with(out, query->with);
        put(out, " ");
    }
    print_side(out, query->body, false);
    put_if(out, query->order_by.count > 0, " ");
    print_order_by(out, query->order_by);
    print_limit(out, query);
}

void print_body(text_builder *out, const sql_body *body) {
    switch (sql_body_kind_of(body)) {
    case SQL_QUERY:
        print_query(out, sql_query_of(body));
        break;
    case SQL_SELECT:
        print_select(out, sql_select_of(body));
        break;
    case SQL_SET_OPERATION:
        print_set_operation(out, body);
        break;
    case SQL_VALUES:
        print_values(out, sql_values_of(body));
        break;
    }
}
