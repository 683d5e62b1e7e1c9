// Whether and where a text stands in another: position, starts_with, ends_with, contains.
#include "base/utf8.h"
#include "functions/scalar/row_values.h"
#include "functions/scalar/text_seek.h"

static uint32_t find_place(function_call *call, const column *wholes, const column *parts,
                           column *out) {
    const text_rows whole_rows = text_rows_of(wholes);
    const text_rows part_rows = text_rows_of(parts);
    FOR_ROWS(call, row) {
        const text whole = text_at(whole_rows, row);
        const size_t found = text_find_place(call, whole, text_at(part_rows, row), 0);
        COLUMN_OUT(out, int64_t)
        [row] = found == TEXT_NOWHERE
                    ? 0
                    : (int64_t)text_code_count(call, text_slice(whole, 0, found)) + 1;
    }
    return call->count;
}

static uint32_t position(function_call *call, const column *const *args, column *out) {
    return find_place(call, args[1], args[0], out);
}

static uint32_t strpos(function_call *call, const column *const *args, column *out) {
    return find_place(call, args[0], args[1], out);
}

// Is the part where the whole begins, or where it ends?
static uint32_t test(function_call *call, const column *const *args, bool at_end, column *out) {
    const text_rows wholes = text_rows_of(args[0]);
    const text_rows parts = text_rows_of(args[1]);
    cancel_watch watch = {.cancel = function_cancel(call)};
    FOR_ROWS(call, row) {
        const text whole = text_at(wholes, row);
        const text part = text_at(parts, row);
        const bool fits = part.size <= whole.size;
        const size_t from = at_end && fits ? whole.size - part.size : 0;
        put_bit(out, row,
                fits && cancel_watch_compare(&watch, whole.data + from, part.data, part.size) == 0);
    }
    return call->count;
}

static uint32_t starts_with(function_call *call, const column *const *args, column *out) {
    return test(call, args, false, out);
}

static uint32_t ends_with(function_call *call, const column *const *args, column *out) {
    return test(call, args, true, out);
}

static uint32_t contains(function_call *call, const column *const *args, column *out) {
    const text_rows wholes = text_rows_of(args[0]);
    const text_rows parts = text_rows_of(args[1]);
    FOR_ROWS(call, row) {
        const text whole = text_at(wholes, row);
        put_bit(out, row, text_find_place(call, whole, text_at(parts, row), 0) != TEXT_NOWHERE);
    }
    return call->count;
}

const scalar_function function_position = {
    .name = "position",
    .category = "string",
    .summary = "where a text stands in another, counted from 1; 0 if it does not",
    .examples = (const char *const[]){"position('b' IN 'abc')", "2", "position('c' IN 'äöc')", "3",
                                      "position('x' IN 'abc')", "0", "position('' IN 'abc')", "1",
                                      "position('a' IN '')", "0", "position(NULL IN 'a')", "NULL",
                                      "position(1 IN 'a')", "error: no \"position\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){{.signature = "BIGINT <- VARCHAR, VARCHAR", .kernel = position}, {0}},
};

const scalar_function function_strpos = {
    .name = "strpos",
    .aliases = "instr",
    .category = "string",
    .summary = "where the second text stands in the first one, counted from 1; 0 if it does not",
    .examples = (const char *const[]){"strpos('high', 'ig')", "2",
                                      "strpos('0123456789abcdefXYZ0123456789', 'XYZ')", "17",
                                      "strpos('äb', 'b')", "2", "strpos('', '')", "1",
                                      "strpos('ab', 'abc')", "0", "strpos('a', NULL)", "NULL",
                                      "strpos(1, '1')", "error: no \"strpos\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){{.signature = "BIGINT <- VARCHAR, VARCHAR", .kernel = strpos}, {0}},
};

const scalar_function function_starts_with = {
    .name = "starts_with",
    .aliases = "^@ prefix startswith",
    .category = "string",
    .summary = "whether the first text begins with the second one",
    .examples =
        (const char *const[]){"starts_with('alphabet', 'alph')", "true", "starts_with('a', 'alph')",
                              "false", "starts_with('a', '')", "true", "'abc' ^@ 'ab'", "true",
                              "starts_with('', NULL)", "NULL", "starts_with(1, '1')",
                              "error: no \"starts_with\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){{.signature = "BOOLEAN <- VARCHAR, VARCHAR", .kernel = starts_with},
                           {0}},
};

const scalar_function function_ends_with = {
    .name = "ends_with",
    .aliases = "suffix endswith",
    .category = "string",
    .summary = "whether the first text ends with the second one",
    .examples =
        (const char *const[]){"ends_with('alphabet', 'bet')", "true", "ends_with('t', 'bet')",
                              "false", "ends_with('a', '')", "true", "ends_with(NULL, 'a')", "NULL",
                              "ends_with(1, '1')", "error: no \"ends_with\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){{.signature = "BOOLEAN <- VARCHAR, VARCHAR", .kernel = ends_with}, {0}},
};

const scalar_function function_contains = {
    .name = "contains",
    .category = "string",
    .summary = "whether the second text stands anywhere in the first one",
    .examples =
        (const char *const[]){"contains('abc', 'bc')", "true", "contains('abc', 'd')", "false",
                              "contains('', '')", "true", "contains('a', NULL)", "NULL",
                              "contains(1, '1')", "error: no \"contains\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){{.signature = "BOOLEAN <- VARCHAR, VARCHAR", .kernel = contains}, {0}},
};
