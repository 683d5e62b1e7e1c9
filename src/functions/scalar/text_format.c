// format(pattern, ...): PostgreSQL's %s, %I and %L, with positions (%2$s) and widths (%-10s).
#include "base/utf8.h"
#include "functions/scalar/row_values.h"
#include "functions/scalar/text_quote.h"

#define WIDTH_MAX 100000

typedef struct format_piece {
    char kind; // s, I, L
    uint32_t argument;
    uint32_t width;
    bool is_left;
} format_piece;

typedef struct format_state {
    const function_call *call;
    const column *const *args;
    uint32_t row;
    uint32_t next; // The argument after the last one taken.
} format_state;

static uint32_t take_digits(text pattern, size_t *at) {
    uint32_t value = 0;
    while (*at < pattern.size && pattern.data[*at] >= '0' && pattern.data[*at] <= '9') {
        value = value > WIDTH_MAX ? value : value * 10 + (uint32_t)(pattern.data[*at] - '0');
        (*at)++;
    }
    return value;
}

// What stands behind a %. False if it is nothing that is known or has no argument.
static bool read_piece(format_state *self, text pattern, size_t *at, format_piece *out) {
    size_t place = *at;
    const uint32_t position = take_digits(pattern, &place);
    *out = (format_piece){.argument = self->next};
    if (place < pattern.size && pattern.data[place] == '$') {
        if (position == 0) {
            return false;
        }
        out->argument = position;
        *at = place + 1;
    }
    if (*at < pattern.size && pattern.data[*at] == '-') {
        out->is_left = true;
        (*at)++;
    }
    out->width = take_digits(pattern, at);
    out->kind = *at < pattern.size ? pattern.data[*at] : '\0';
    (*at)++;
    self->next = out->argument + 1;
    return (out->kind == 's' || out->kind == 'I' || out->kind == 'L') &&
           out->argument < self->call->arg_count && out->width <= WIDTH_MAX;
}

// False for a name that is NULL.
static bool put_piece(const format_state *self, const format_piece *piece, text_builder *out) {
    const column *arg = self->args[piece->argument];
    const bool is_there = column_row_is_valid(arg, self->row);
    const text value = is_there ? text_at(text_rows_of(arg), self->row) : TEXT("");
    const size_t from = out->size;
    if (piece->kind == 'I' && !is_there) {
        return false;
    }
    if (piece->kind == 'L') {
        if (is_there) {
            put_literal(self->call, value, out);
        } else {
            text_append(out, TEXT("NULL"));
        }
    } else if (piece->kind == 'I') {
        put_name(self->call, value, out);
    } else {
        size_t at = 0;
        text part;
        while (text_next_piece(self->call, value, &at, &part)) {
            text_append(out, part);
        }
    }
    if (out->is_full) {
        return true;
    }
    const text made = {.data = out->data + from, .size = out->size - from};
    const size_t codes = piece->width == 0 ? 0 : text_code_count(self->call, made);
    const size_t blanks = codes < piece->width ? piece->width - codes : 0;
    for (size_t i = 0; i < blanks; i++) {
        text_append_char(out, ' ');
    }
    if (!piece->is_left && blanks > 0 && !out->is_full) {
        memmove(out->data + from + blanks, out->data + from, out->size - from - blanks);
        memset(out->data + from, ' ', blanks);
    }
    return true;
}

static bool format_row(format_state *self, text pattern, text_builder *out) {
    cancel_watch watch = {.cancel = function_cancel(self->call)};
    size_t at = 0;
    while (at < pattern.size && !cancel_watch_is_raised(&watch, 1)) {
        const char byte = pattern.data[at++];
        if (byte != '%') {
            text_append_char(out, byte);
            continue;
        }
        if (at < pattern.size && pattern.data[at] == '%') {
            text_append_char(out, '%');
            at++;
            continue;
        }
        format_piece piece;
        if (!read_piece(self, pattern, &at, &piece) || !put_piece(self, &piece, out) ||
            out->size > TEXT_RESULT_SIZE_MAX) {
            return false;
        }
    }
    return true;
}

static uint32_t format(function_call *call, const column *const *args, column *out) {
    FOR_ROWS(call, row) {
        if (!column_row_is_valid(args[0], row)) {
            if (!column_set_null(call->scratch, out, row)) {
                return KERNEL_NO_MEMORY;
            }
            continue;
        }
        format_state state = {.call = call, .args = args, .row = row, .next = 1};
        text_builder builder = text_builder_open(call->scratch);
        if (!format_row(&state, text_at(text_rows_of(args[0]), row), &builder)) {
            return ROW_VISIT(row);
        }
        text made;
        firn_error ignored = ERR_INIT;
        if (text_builder_finish(&builder, &made, &ignored) != FIRN_OK) {
            return KERNEL_NO_MEMORY;
        }
        put_slice(out, row, made);
    }
    return call->count;
}

static void explain(const function_call *call, const column *const *args, uint32_t row,
                    firn_error *err) {
    err_set_sql(err, FIRN_INVALID, "22023", NO_POSITION,
                "the pattern \"%.*s\" with %u values: it takes %%s, %%I (not of NULL), %%L and "
                "%%%%, each with a value, and makes at most %zu bytes",
                TEXT_ARGS(text_at(text_rows_of(args[0]), row)), call->arg_count - 1,
                TEXT_RESULT_SIZE_MAX);
}

const scalar_function function_format = {
    .name = "format",
    .category = "string",
    .summary = "the pattern with values in it: %s as text, %I as a name, %L as a literal of SQL",
    .examples =
        (const char *const[]){"format('Hello %s, %1$s', 'World')", "Hello World, World",
                              "format('INSERT INTO %I VALUES(%L)', 'My table', 'O''Reilly')",
                              "INSERT INTO \"My table\" VALUES('O''Reilly')",
                              "format('|%5s|%-5s|', 'é', 1)", "|    é|1    |", "format('100%%')",
                              "100%", "format('%s|%L', NULL, NULL)", "|NULL", "format('')", "",
                              "format(NULL, 1)", "NULL", "format('%s')",
                              "error: the pattern \"%s\" with 0 values", "format('%d', 1)",
                              "error: it takes %s", NULL},
    .flags = FUNCTION_CAN_FAIL,
    .overloads =
        (const overload[]){
            {.signature = "VARCHAR <- VARCHAR, ANY...?", .kernel = format, .bind = bind_as_text},
            {0}},
    .explain_failure = explain,
};
