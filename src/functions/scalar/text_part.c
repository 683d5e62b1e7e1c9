// Parts of texts: substr, left, right, trim and its kin, split_part. Results point into the text.
//
// Places are code points, counted from 1. Where a part ends within a text's first bytes only those
// are looked at, and while they are ASCII, places are bytes.
#include "base/utf8.h"
#include "functions/scalar/code_map.h"
#include "functions/scalar/row_values.h"
#include "functions/scalar/text_seek.h"

// ---- substr ----------------------------------------------------------------------------------

// Code points [from, to) of a text, 0 <= from <= to.
static text slice_codes(const function_call *call, text value, uint64_t from, uint64_t to) {
    const size_t seen = to < value.size ? (size_t)to : value.size;
    if (seen <= TEXT_LOOK_EVERY && utf8_is_ascii(text_slice(value, 0, seen))) {
        return text_slice(value, from < seen ? (size_t)from : seen, seen);
    }
    const size_t start =
        text_code_offset(call, value, from < value.size ? (size_t)from : value.size);
    const text rest = text_slice(value, start, value.size);
    const uint64_t count = to - from;
    const size_t size = text_code_offset(call, rest, count < rest.size ? (size_t)count : rest.size);
    return text_slice(rest, 0, size);
}

// Bytes of a BINARY likewise.
static text slice_bytes(const function_call *call, text value, uint64_t from, uint64_t to) {
    (void)call;
    const size_t end = to < value.size ? (size_t)to : value.size;
    return text_slice(value, from < end ? (size_t)from : end, end);
}

typedef text (*slicer)(const function_call *call, text value, uint64_t from, uint64_t to);

// Places below 1 are counted but hold nothing: substr(s, 0, 3) is two characters.
static uint32_t substr(function_call *call, const column *const *args, slicer slice, column *out) {
    const text_rows values = text_rows_of(args[0]);
    const i64_rows froms = i64_rows_of(args[1]);
    const bool has_count = call->arg_count == 3;
    const i64_rows counts = i64_rows_of(args[has_count ? 2 : 1]);
    FOR_ROWS(call, row) {
        const int64_t first = i64_at(froms, row);
        int64_t end = INT64_MAX;
        if (has_count) {
            const int64_t count = i64_at(counts, row);
            if (count < 0) {
                return ROW_VISIT(row);
            }
            if (__builtin_add_overflow(first, count, &end)) {
                end = INT64_MAX;
            }
        }
        const uint64_t from = first > 1 ? (uint64_t)(first - 1) : 0;
        const uint64_t to = end > 1 ? (uint64_t)(end - 1) : 0;
        put_slice(out, row, slice(call, text_at(values, row), from, to < from ? from : to));
    }
    return call->count;
}

static uint32_t substr_text(function_call *call, const column *const *args, column *out) {
    return substr(call, args, slice_codes, out);
}

static uint32_t substr_binary(function_call *call, const column *const *args, column *out) {
    return substr(call, args, slice_bytes, out);
}

static bool has_good_count(const expr *call) {
    const column *count;
    return literal_column(call->call_.args.items[2], &count) &&
           type_physical(count->type) == PHYSICAL_I64 && *COLUMN_VALUES(count, int64_t) >= 0;
}

static void explain_count(const function_call *call, const column *const *args, uint32_t row,
                          firn_error *err) {
    (void)call;
    err_set_sql(err, FIRN_INVALID, "22011", NO_POSITION, "a length of %lld, at least 0 is allowed",
                (long long)i64_at(i64_rows_of(args[2]), row));
}

const scalar_function function_substr = {
    .name = "substr",
    .aliases = "substring",
    .category = "string",
    .summary = "some characters from a place on, counted from 1",
    .examples = (const char *const[]){"substr('abcdef', 2, 3)",
                                      "bcd",
                                      "substr('abcdef', 4)",
                                      "def",
                                      "substr('abcdef', 0, 3)",
                                      "ab",
                                      "substr('abcdef', -1, 3)",
                                      "a",
                                      "substring('Grüße' FROM 3 FOR 2)",
                                      "üß",
                                      "substr('abc', 9)",
                                      "",
                                      "substr('abc', 2, 9223372036854775807)",
                                      "bc",
                                      "substr('abc', NULL)",
                                      "NULL",
                                      "substr('abc', 1, -1)",
                                      "error: a length of -1",
                                      "substr(X'010203', 2, 1)",
                                      "\\x02",
                                      "substr(5, 1)",
                                      "error: no \"substr\" takes",
                                      NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){
            {.signature = "VARCHAR <- VARCHAR, BIGINT",
             .kernel = substr_text,
             .flags_cleared = FUNCTION_CAN_FAIL},
            {.signature = "VARCHAR <- VARCHAR, BIGINT, BIGINT",
             .kernel = substr_text,
             .cannot_fail = has_good_count},
            {.signature = "BINARY <- BINARY, BIGINT",
             .kernel = substr_binary,
             .flags_cleared = FUNCTION_CAN_FAIL},
            {.signature = "BINARY <- BINARY, BIGINT, BIGINT",
             .kernel = substr_binary,
             .cannot_fail = has_good_count},
            {0},
        },
    .explain_failure = explain_count,
};

// ---- left, right -------------------------------------------------------------------------------

// Before the last `count` code points.
static size_t offset_from_end(const function_call *call, text value, uint64_t count) {
    cancel_watch watch = {.cancel = function_cancel(call)};
    size_t at = value.size;
    if (count >= value.size) {
        return 0;
    }
    for (uint64_t i = 0; i < count && at > 0 && !cancel_watch_is_raised(&watch, 1); i++) {
        (void)utf8_previous(value, &at);
    }
    return at;
}

static uint64_t magnitude(int64_t value) {
    return value < 0 ? (uint64_t)-(value + 1) + 1 : (uint64_t)value;
}

static uint32_t left(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    const i64_rows counts = i64_rows_of(args[1]);
    FOR_ROWS(call, row) {
        const text value = text_at(values, row);
        const int64_t count = i64_at(counts, row);
        const size_t end = count >= 0 ? slice_codes(call, value, 0, (uint64_t)count).size
                                      : offset_from_end(call, value, magnitude(count));
        put_slice(out, row, text_slice(value, 0, end));
    }
    return call->count;
}

static uint32_t right(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    const i64_rows counts = i64_rows_of(args[1]);
    FOR_ROWS(call, row) {
        const text value = text_at(values, row);
        const int64_t count = i64_at(counts, row);
        const size_t from = count < 0 ? slice_codes(call, value, 0, magnitude(count)).size
                                      : offset_from_end(call, value, (uint64_t)count);
        put_slice(out, row, text_slice(value, from, value.size));
    }
    return call->count;
}

const scalar_function function_left = {
    .name = "left",
    .category = "string",
    .summary = "the first n characters; all but the last -n if n is negative",
    .examples = (const char *const[]){"left('abcde', 2)", "ab", "left('abcde', -2)", "abc",
                                      "left('üöä', 1)", "ü", "left('ab', 9)", "ab",
                                      "left('ab', -9)", "", "left('ab', 0)", "", "left(NULL, 1)",
                                      "NULL", "left('ab', 'x')", "error: ", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){{.signature = "VARCHAR <- VARCHAR, BIGINT", .kernel = left}, {0}},
};

const scalar_function function_right = {
    .name = "right",
    .category = "string",
    .summary = "the last n characters; all but the first -n if n is negative",
    .examples =
        (const char *const[]){"right('abcde', 2)", "de", "right('abcde', -2)", "cde",
                              "right('üöä', 1)", "ä", "right('ab', 9)", "ab", "right('ab', -9)", "",
                              "right('ab', 0)", "", "right('ab', NULL)", "NULL", "right(1, 1)",
                              "error: no \"right\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){{.signature = "VARCHAR <- VARCHAR, BIGINT", .kernel = right}, {0}},
};

// ---- trim ------------------------------------------------------------------------------------

#define SHORT_SET 16 // Bytes of a set that is looked through rather than made a map of.

// What is cut off: the characters of a text.
typedef struct trimmed {
    text set;
    code_map map; // Of longer ones.
} trimmed;

static bool holds_code(const trimmed *self, uint32_t code) {
    if (self->set.size > SHORT_SET) {
        return code_map_find(&self->map, code) != NULL;
    }
    size_t at = 0;
    while (at < self->set.size) {
        if (utf8_next(self->set, &at) == code) {
            return true;
        }
    }
    return false;
}

static size_t trim_start(const function_call *call, text value, const trimmed *set) {
    cancel_watch watch = {.cancel = function_cancel(call)};
    size_t at = 0;
    while (at < value.size && !cancel_watch_is_raised(&watch, 1)) {
        size_t next = at;
        if (!holds_code(set, utf8_next(value, &next))) {
            break;
        }
        at = next;
    }
    return at;
}

static size_t trim_end(const function_call *call, text value, size_t from, const trimmed *set) {
    cancel_watch watch = {.cancel = function_cancel(call)};
    size_t at = value.size;
    while (at > from && !cancel_watch_is_raised(&watch, 1)) {
        size_t before = at;
        if (!holds_code(set, utf8_previous(value, &before))) {
            break;
        }
        at = before;
    }
    return at;
}

static uint32_t trim(function_call *call, const column *const *args, bool at_start, bool at_end,
                     column *out) {
    const text_rows values = text_rows_of(args[0]);
    const bool has_set = call->arg_count == 2;
    const text_rows sets = text_rows_of(args[has_set ? 1 : 0]);
    trimmed set = {.set = TEXT(" ")};
    FOR_ROWS(call, row) {
        const text value = text_at(values, row);
        set.set = has_set ? text_at(sets, row) : set.set;
        if (set.set.size > SHORT_SET && !code_map_fill(&set.map, call, set.set, TEXT(""))) {
            return KERNEL_NO_MEMORY;
        }
        const size_t from = at_start ? trim_start(call, value, &set) : 0;
        const size_t to = at_end ? trim_end(call, value, from, &set) : value.size;
        put_slice(out, row, text_slice(value, from, to));
    }
    return call->count;
}

static uint32_t trim_both(function_call *call, const column *const *args, column *out) {
    return trim(call, args, true, true, out);
}

static uint32_t trim_left(function_call *call, const column *const *args, column *out) {
    return trim(call, args, true, false, out);
}

static uint32_t trim_right(function_call *call, const column *const *args, column *out) {
    return trim(call, args, false, true, out);
}

#define TRIM_OVERLOADS(kernel_)                                                                    \
    (const overload[]) {                                                                           \
        {.signature = "VARCHAR <- VARCHAR", .kernel = kernel_},                                    \
            {.signature = "VARCHAR <- VARCHAR, VARCHAR", .kernel = kernel_}, {0},                  \
    }

const scalar_function function_btrim = {
    .name = "btrim",
    .aliases = "trim",
    .category = "string",
    .summary = "the text without blanks, or without any of some characters, at both ends",
    .examples = (const char *const[]){"trim('  a b ')", "a b", "btrim('xyabyx', 'yx')", "ab",
                                      "trim(BOTH 'ä' FROM 'äaä')", "a", "trim('xx', 'x')", "",
                                      "trim('')", "", "btrim('a', '')", "a", "trim(NULL)", "NULL",
                                      "trim(1)", "error: no \"btrim\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,
    .overloads = TRIM_OVERLOADS(trim_both),
};

const scalar_function function_ltrim = {
    .name = "ltrim",
    .category = "string",
    .summary = "the text without blanks, or without any of some characters, at its start",
    .examples =
        (const char *const[]){"ltrim('  a ')", "a ", "ltrim('zzzytest', 'xyz')", "test",
                              "trim(LEADING 'x' FROM 'xax')", "ax", "ltrim('')", "", "ltrim(NULL)",
                              "NULL", "ltrim(1)", "error: no \"ltrim\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,
    .overloads = TRIM_OVERLOADS(trim_left),
};

const scalar_function function_rtrim = {
    .name = "rtrim",
    .category = "string",
    .summary = "the text without blanks, or without any of some characters, at its end",
    .examples =
        (const char *const[]){"rtrim(' a  ')", " a", "rtrim('testxxzx', 'xyz')", "test",
                              "trim(TRAILING 'é' FROM 'aéé')", "a", "rtrim('')", "", "rtrim(NULL)",
                              "NULL", "rtrim(1)", "error: no \"rtrim\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,
    .overloads = TRIM_OVERLOADS(trim_right),
};

// ---- split_part --------------------------------------------------------------------------------

// Field `index`, counted from 0; an empty text if there are not so many.
static text field_at(const function_call *call, text value, text separator, uint64_t index) {
    cancel_watch watch = {.cancel = function_cancel(call)};
    size_t from = 0;
    for (uint64_t i = 0;; i++) {
        const size_t end =
            separator.size == 0 ? TEXT_NOWHERE : text_find_place(call, value, separator, from);
        if (i == index || cancel_watch_is_raised(&watch, separator.size)) {
            return text_slice(value, from, end == TEXT_NOWHERE ? value.size : end);
        }
        if (end == TEXT_NOWHERE) {
            return text_slice(value, value.size, value.size);
        }
        from = end + separator.size;
    }
}

static uint32_t split_part(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    const text_rows separators = text_rows_of(args[1]);
    const i64_rows indexes = i64_rows_of(args[2]);
    FOR_ROWS(call, row) {
        const text value = text_at(values, row);
        const text separator = text_at(separators, row);
        const int64_t index = i64_at(indexes, row);
        if (index == 0) {
            return ROW_VISIT(row);
        }
        uint64_t wanted = magnitude(index) - 1;
        if (index < 0) {
            const uint64_t last = text_count_places(call, value, separator);
            if (wanted > last) {
                put_slice(out, row, text_slice(value, 0, 0));
                continue;
            }
            wanted = last - wanted;
        }
        put_slice(out, row, field_at(call, value, separator, wanted));
    }
    return call->count;
}

static bool has_good_index(const expr *call) {
    const column *index;
    return literal_column(call->call_.args.items[2], &index) &&
           type_physical(index->type) == PHYSICAL_I64 && *COLUMN_VALUES(index, int64_t) != 0;
}

static void explain_index(const function_call *call, const column *const *args, uint32_t row,
                          firn_error *err) {
    (void)call;
    (void)args;
    (void)row;
    err_set_sql(err, FIRN_INVALID, "22023", NO_POSITION,
                "the field 0: fields are counted from 1, or from -1 at the end");
}

const scalar_function function_split_part = {
    .name = "split_part",
    .category = "string",
    .summary = "the n-th part between separators; from the end if n is negative",
    .examples =
        (const char *const[]){"split_part('a,b,c', ',', 2)", "b", "split_part('a--b', '--', -1)",
                              "b", "split_part('a,b', ',', 3)", "", "split_part('', ',', 1)", "",
                              "split_part('abc', '', 1)", "abc", "split_part('a,b', ',', -3)", "",
                              "split_part(NULL, ',', 1)", "NULL", "split_part('a', ',', 0)",
                              "error: the field 0", "split_part(1, ',', 1)",
                              "error: no \"split_part\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_DICTIONARY,
    .overloads = (const overload[]){{.signature = "VARCHAR <- VARCHAR, VARCHAR, BIGINT",
                                     .kernel = split_part,
                                     .cannot_fail = has_good_index},
                                    {0}},
    .explain_failure = explain_index,
};
