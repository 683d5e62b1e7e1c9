// quote_ident, quote_literal, quote_nullable: PostgreSQL's.
#include "functions/scalar/text_quote.h"

#include <stdlib.h>

#include "functions/scalar/row_values.h"

// Words that PostgreSQL or firn reserves, be it only in some places. In order.
static const char *const reserved_words[] = {
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "filter",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "over",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "qualify",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "within",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
};

static int compare_word(const void *key, const void *entry) {
    return text_compare(*(const text *)key, text_of(*(const char *const *)entry));
}

static bool is_reserved(text word) {
    return bsearch(&word, reserved_words, sizeof reserved_words / sizeof reserved_words[0],
                   sizeof reserved_words[0], compare_word) != NULL;
}

bool name_needs_quotes(text name) {
    for (size_t i = 0; i < name.size; i++) {
        const char byte = name.data[i];
        const bool is_digit = byte >= '0' && byte <= '9';
        if (!((byte >= 'a' && byte <= 'z') || byte == '_' || (is_digit && i > 0))) {
            return true;
        }
    }
    return name.size == 0 || is_reserved(name);
}

// Doubles quotes and, if `is_escaped`, backslashes.
static void put_quoted(const function_call *call, text value, char quote, bool is_escaped,
                       text_builder *out) {
    cancel_watch watch = {.cancel = function_cancel(call)};
    text_append_char(out, quote);
    for (size_t i = 0; i < value.size && !cancel_watch_is_raised(&watch, 1); i++) {
        const char byte = value.data[i];
        if (byte == quote || (is_escaped && byte == '\\')) {
            text_append_char(out, byte);
        }
        text_append_char(out, byte);
    }
    text_append_char(out, quote);
}

static void put_plain(const function_call *call, text value, text_builder *out) {
    size_t at = 0;
    text part;
    while (text_next_piece(call, value, &at, &part)) {
        text_append(out, part);
    }
}

void put_name(const function_call *call, text name, text_builder *out) {
    if (name_needs_quotes(name)) {
        put_quoted(call, name, '"', false, out);
    } else {
        put_plain(call, name, out);
    }
}

void put_literal(const function_call *call, text value, text_builder *out) {
    const bool is_escaped =
        value.size > 0 && memchr(value.data, '\\', value.size) != NULL; // In large pieces.
    if (is_escaped) {
        text_append_char(out, 'E');
    }
    put_quoted(call, value, '\'', is_escaped, out);
}

typedef void (*put_form)(const function_call *call, text value, text_builder *out);

static uint32_t quote_rows(function_call *call, const column *arg, put_form put, column *out) {
    FOR_ROWS(call, row) {
        text_builder builder = text_builder_open(call->scratch);
        if (column_row_is_valid(arg, row)) {
            put(call, text_at(text_rows_of(arg), row), &builder);
        } else {
            text_append(&builder, TEXT("NULL")); // quote_nullable; others see no NULL.
        }
        text made;
        firn_error ignored = ERR_INIT;
        if (text_builder_finish(&builder, &made, &ignored) != FIRN_OK) {
            return KERNEL_NO_MEMORY;
        }
        if (made.size > TEXT_RESULT_SIZE_MAX) {
            return ROW_VISIT(row);
        }
        put_slice(out, row, made);
    }
    return call->count;
}

static uint32_t quote_ident(function_call *call, const column *const *args, column *out) {
    return quote_rows(call, args[0], put_name, out);
}

static uint32_t quote_literal(function_call *call, const column *const *args, column *out) {
    return quote_rows(call, args[0], put_literal, out);
}

static void explain_size(const function_call *call, const column *const *args, uint32_t row,
                         firn_error *err) {
    (void)call;
    (void)args;
    (void)row;
    err_set_sql(err, FIRN_INVALID, "54000", NO_POSITION,
                "the text would be longer than 1 GiB, the most that is allowed");
}

const scalar_function function_quote_ident = {
    .name = "quote_ident",
    .category = "string",
    .summary = "a text as a name of SQL, in quotes if it needs them",
    .examples = (const char *const[]){"quote_ident('city')", "city", "quote_ident('My table')",
                                      "\"My table\"", "quote_ident('select')", "\"select\"",
                                      "quote_ident('a\"b')", "\"a\"\"b\"", "quote_ident('')",
                                      "\"\"", "quote_ident(NULL)", "NULL", "quote_ident(1)",
                                      "error: no \"quote_ident\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){{.signature = "VARCHAR <- VARCHAR", .kernel = quote_ident}, {0}},
    .explain_failure = explain_size,
};

const scalar_function function_quote_literal = {
    .name = "quote_literal",
    .category = "string",
    .summary = "a value as a literal of SQL, in quotes; NULL if it is NULL",
    .examples =
        (const char *const[]){"quote_literal('O''Reilly')", "'O''Reilly'", "quote_literal(1.5)",
                              "'1.5'", "quote_literal('a\\b')", "E'a\\\\b'", "quote_literal('')",
                              "''", "quote_literal(NULL)", "NULL", "quote_literal(1, 2)",
                              "error: no \"quote_literal\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){
            {.signature = "VARCHAR <- ANY", .kernel = quote_literal, .bind = bind_as_text}, {0}},
    .explain_failure = explain_size,
};

const scalar_function function_quote_nullable = {
    .name = "quote_nullable",
    .category = "string",
    .summary = "a value as a literal of SQL, in quotes; the word NULL if it is NULL",
    .examples =
        (const char *const[]){"quote_nullable('O''Reilly')", "'O''Reilly'", "quote_nullable(42)",
                              "'42'", "quote_nullable('')", "''", "quote_nullable(NULL) IS NULL",
                              "false", "quote_nullable(NULL) || ''", "NULL", "quote_nullable()",
                              "error: no \"quote_nullable\" takes", NULL},
    .flags = FUNCTION_CAN_FAIL,
    .overloads =
        (const overload[]){
            {.signature = "VARCHAR <- ANY", .kernel = quote_literal, .bind = bind_as_text}, {0}},
    .explain_failure = explain_size,
};
