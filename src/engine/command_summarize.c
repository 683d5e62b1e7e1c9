// SUMMARIZE t | query: a row for every column with its extremes, mean, quartiles and NULLs, under
// the names that DuckDB gives them (approx_unique is exact).
//
// It is a query, made as text and run like any other: one aggregation over all columns, whose
// values are gathered in lists and unnested in step.
//
//     SELECT unnest(['a', 'b']) AS column_name, …, unnest([min("a")::VARCHAR, …]) AS min, …
//     FROM (query) AS summarized
#include "engine/objects.h"
#include "sql/parser.h"
#include "sql/printer.h"

// What a column's type allows.
typedef enum summary_needs { NEEDS_NOTHING, NEEDS_ORDER, NEEDS_NUMBER, NEEDS_RANGE } summary_needs;

typedef struct summary_value {
    const char *name;
    summary_needs needs;
    const char *before, *after; // Around the column.
} summary_value;

static const summary_value summary_values[] = {
    {"min", NEEDS_ORDER, "CAST(min(", ") AS VARCHAR)"},
    {"max", NEEDS_ORDER, "CAST(max(", ") AS VARCHAR)"},
    {"approx_unique", NEEDS_NOTHING, "count(DISTINCT ", ")"},
    {"avg", NEEDS_NUMBER, "CAST(avg(", ") AS VARCHAR)"},
    {"std", NEEDS_NUMBER, "CAST(stddev(", ") AS VARCHAR)"},
    {"q25", NEEDS_RANGE, "CAST(quantile_disc(", ", 0.25) AS VARCHAR)"},
    {"q50", NEEDS_RANGE, "CAST(quantile_disc(", ", 0.5) AS VARCHAR)"},
    {"q75", NEEDS_RANGE, "CAST(quantile_disc(", ", 0.75) AS VARCHAR)"},
};

static bool fulfils(const type *of, summary_needs needs) {
    const type_category category = type_category_of(of);
    const bool is_number =
        category == CATEGORY_INTEGER || category == CATEGORY_FLOAT || category == CATEGORY_DECIMAL;
    const bool is_range = is_number || (category == CATEGORY_DATETIME && of->id != TYPE_INTERVAL);
    switch (needs) {
    case NEEDS_ORDER:
        return of->child_count == 0 && of->id != TYPE_NULL;
    case NEEDS_NUMBER:
        return is_number;
    case NEEDS_RANGE:
        return is_range;
    case NEEDS_NOTHING:
        break;
    }
    return true;
}

static void print_column(text_builder *out, text name) {
    const sql_name quoted = {.value = name, .is_quoted = true};
    sql_print_name(out, &quoted);
}

static void print_list(text_builder *out, const schema *columns, const summary_value *value) {
    text_append(out, TEXT(", unnest(["));
    for (uint32_t i = 0; i < columns->count; i++) {
        text_append(out, i > 0 ? TEXT(", ") : TEXT(""));
        if (!fulfils(columns->fields[i].type, value->needs)) {
            text_append(out, TEXT("NULL::VARCHAR"));
            continue;
        }
        text_append(out, text_of(value->before));
        print_column(out, columns->fields[i].name);
        text_append(out, text_of(value->after));
    }
    text_append_format(out, "]) AS \"%s\"", value->name);
}

static firn_status print_query(run *self, const sql_describe *written, const schema *columns,
                               text *out, firn_error *err) {
    text_builder builder = text_builder_open(&self->memory);
    text_append(&builder, TEXT("SELECT unnest(["));
    for (uint32_t i = 0; i < columns->count; i++) {
        text_append(&builder, i > 0 ? TEXT(", ") : TEXT(""));
        sql_print_string(&builder, columns->fields[i].name);
    }
    text_append(&builder, TEXT("]) AS column_name, unnest(["));
    for (uint32_t i = 0; i < columns->count; i++) {
        text_append(&builder, i > 0 ? TEXT(", ") : TEXT(""));
        sql_print_string(&builder, type_text(columns->fields[i].type, &self->memory));
    }
    text_append(&builder, TEXT("]) AS column_type"));
    for (size_t i = 0; i < sizeof summary_values / sizeof summary_values[0]; i++) {
        print_list(&builder, columns, &summary_values[i]);
    }
    text_append(&builder, TEXT(", count(*) AS \"count\", unnest(["));
    for (uint32_t i = 0; i < columns->count; i++) {
        text_append(&builder, i > 0 ? TEXT(", ") : TEXT(""));
        text_append(&builder, TEXT("CAST((count(*) - count("));
        print_column(&builder, columns->fields[i].name);
        text_append(&builder, TEXT(")) * 100.0 / nullif(count(*), 0) AS DECIMAL(9, 2))"));
    }
    text_append(&builder, TEXT("]) AS null_percentage FROM "));
    if (written->query != NULL) {
        text_append_char(&builder, '(');
        sql_print_query(&builder, written->query);
        text_append(&builder, TEXT(") AS summarized"));
    } else {
        sql_print_node(&builder, &written->table->node);
    }
    return text_builder_finish(&builder, out, err);
}

firn_status command_summarize(run *self, const sql_describe *written, const schema *columns,
                              firn_error *err) {
    text made;
    const sql_statement *statement;
    size_t used;
    for (uint32_t i = 0; i < columns->count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (text_equal_nocase(columns->fields[i].name, columns->fields[k].name)) {
                return FAIL_SQL(err, FIRN_INVALID, "42701", written->node.position,
                                "two columns are called \"%.*s\"",
                                TEXT_ARGS(columns->fields[i].name));
            }
        }
    }
    TRY(print_query(self, written, columns, &made, err));
    TRY(sql_parse_statement(made, 0, &self->memory, &statement, &used, err));
    const bind_env env = session_bind_env(self);
    TRY(bind_query(sql_query_statement_of(statement)->query, &env, NULL, &self->memory,
                   &self->bound, err));
    bind_forget_places(&self->bound);
    return run_start(self, NULL, 0, false, err);
}
