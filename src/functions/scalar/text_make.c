// Texts made of others: repeat, lpad, rpad, reverse, replace, translate, overlay.
//
// A result above TEXT_RESULT_SIZE_MAX is a failing row.
#include "base/checked.h"
#include "base/utf8.h"
#include "functions/scalar/code_map.h"
#include "functions/scalar/row_values.h"
#include "functions/scalar/text_seek.h"

static void explain_size(const function_call *call, const column *const *args, uint32_t row,
                         firn_error *err) {
    (void)call;
    (void)args;
    (void)row;
    err_set_sql(err, FIRN_INVALID, "54000", NO_POSITION,
                "the text would be longer than 1 GiB, the most that is allowed");
}

// ---- repeat, lpad, rpad ------------------------------------------------------------------------

// Writes `size` bytes of a text that repeats. False: stopped.
static bool fill(const function_call *call, char *out, size_t size, text with) {
    size_t done = with.size < size ? with.size : size;
    if (!text_put(call, out, text_slice(with, 0, done))) {
        return false;
    }
    while (done < size) { // Each turn doubles what is there, up to a piece.
        const size_t whole = done < TEXT_LOOK_EVERY ? done : done / with.size * with.size;
        const size_t piece = whole < TEXT_LOOK_EVERY ? whole : TEXT_LOOK_EVERY;
        const size_t more = piece < size - done ? piece : size - done;
        if (more == TEXT_LOOK_EVERY && function_is_stopped(call)) {
            return false;
        }
        memcpy(out + done, out + done % with.size, more);
        done += more;
    }
    return true;
}

static uint32_t repeat(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    const i64_rows counts = i64_rows_of(args[1]);
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        const text value = text_at(values, row);
        const int64_t count = i64_at(counts, row);
        size_t size;
        if (!mul_fits(value.size, count < 0 ? 0 : (size_t)count, &size) ||
            size > TEXT_RESULT_SIZE_MAX) {
            return ROW_VISIT(row);
        }
        char *room = text_sink_room(&sink, size);
        if (room == NULL || !fill(call, room, size, value)) {
            return KERNEL_NO_MEMORY;
        }
        COLUMN_OUT(out, string_value)[row] = text_sink_take(&sink, size);
    }
    return call->count;
}

const scalar_function function_repeat = {
    .name = "repeat",
    .category = "string",
    .summary = "the text n times",
    .examples =
        (const char *const[]){"repeat('ab', 3)", "ababab", "repeat('é', 2)", "éé", "repeat('a', 0)",
                              "", "repeat('a', -1)", "", "repeat('', 9223372036854775807)", "",
                              "repeat(NULL, 1)", "NULL", "repeat('ab', 1000000000)",
                              "error: longer than 1 GiB", "repeat(1, 2)",
                              "error: no \"repeat\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){{.signature = "VARCHAR <- VARCHAR, BIGINT", .kernel = repeat}, {0}},
    .explain_failure = explain_size,
};

// What fills `count` code points: whole fills and the start of one more, in bytes.
static bool pad_size(const function_call *call, text with, uint64_t count, size_t *out) {
    const size_t codes = text_code_count(call, with);
    size_t whole;
    return codes > 0 && mul_fits(with.size, (size_t)(count / codes), &whole) &&
           add_fits(whole, text_code_offset(call, with, (size_t)(count % codes)), out);
}

static uint32_t pad(function_call *call, const column *const *args, bool at_start, column *out) {
    const text_rows values = text_rows_of(args[0]);
    const i64_rows counts = i64_rows_of(args[1]);
    const bool has_fill = call->arg_count == 3;
    const text_rows fills = text_rows_of(args[has_fill ? 2 : 0]);
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        const text value = text_at(values, row);
        const text with = has_fill ? text_at(fills, row) : TEXT(" ");
        const int64_t given = i64_at(counts, row);
        const uint64_t wanted = given < 0 ? 0 : (uint64_t)given;
        const size_t codes = text_code_count(call, value);
        if (wanted <= codes || with.size == 0) {
            const size_t kept =
                wanted < codes ? text_code_offset(call, value, (size_t)wanted) : value.size;
            put_slice(out, row, text_slice(value, 0, kept));
            continue;
        }
        size_t padding;
        if (wanted > TEXT_RESULT_SIZE_MAX || !pad_size(call, with, wanted - codes, &padding) ||
            padding > TEXT_RESULT_SIZE_MAX) {
            return ROW_VISIT(row);
        }
        char *room = text_sink_room(&sink, value.size + padding);
        if (room == NULL || !fill(call, room + (at_start ? 0 : value.size), padding, with) ||
            !text_put(call, room + (at_start ? padding : 0), value)) {
            return KERNEL_NO_MEMORY;
        }
        COLUMN_OUT(out, string_value)[row] = text_sink_take(&sink, value.size + padding);
    }
    return call->count;
}

static uint32_t lpad(function_call *call, const column *const *args, column *out) {
    return pad(call, args, true, out);
}

static uint32_t rpad(function_call *call, const column *const *args, column *out) {
    return pad(call, args, false, out);
}

#define PAD_OVERLOADS(kernel_)                                                                     \
    (const overload[]) {                                                                           \
        {.signature = "VARCHAR <- VARCHAR, BIGINT", .kernel = kernel_},                            \
            {.signature = "VARCHAR <- VARCHAR, BIGINT, VARCHAR", .kernel = kernel_}, {0},          \
    }

const scalar_function function_lpad = {
    .name = "lpad",
    .category = "string",
    .summary = "the text filled at its start to n characters, or cut to them",
    .examples = (const char *const[]){"lpad('hi', 5, 'xy')", "xyxhi", "lpad('hello', 2)", "he",
                                      "lpad('ü', 3, 'ä')", "ääü", "lpad('a', 3)", "  a",
                                      "lpad('a', 3, '')", "a", "lpad('a', -1)", "", "lpad(NULL, 3)",
                                      "NULL", "lpad('a', 9999999999)", "error: longer than 1 GiB",
                                      "lpad(1, 2)", "error: no \"lpad\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_DICTIONARY,
    .overloads = PAD_OVERLOADS(lpad),
    .explain_failure = explain_size,
};

const scalar_function function_rpad = {
    .name = "rpad",
    .category = "string",
    .summary = "the text filled at its end to n characters, or cut to them",
    .examples = (const char *const[]){"rpad('hi', 5, 'xy')", "hixyx", "rpad('hello', 2)", "he",
                                      "rpad('é', 2, '€')", "é€", "rpad('', 2, '-')", "--",
                                      "rpad('a', NULL)", "NULL", "rpad(1, 2)",
                                      "error: no \"rpad\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_DICTIONARY,
    .overloads = PAD_OVERLOADS(rpad),
    .explain_failure = explain_size,
};

// ---- reverse ---------------------------------------------------------------------------------

static void reverse_piece(text value, char *out) {
    size_t at = 0;
    while (at < value.size) {
        const size_t from = at;
        (void)utf8_next(value, &at);
        memcpy(out + value.size - at, value.data + from, at - from);
    }
}

static uint32_t reverse(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        const text value = text_at(values, row);
        char *room = text_sink_room(&sink, value.size);
        if (room == NULL) {
            return KERNEL_NO_MEMORY;
        }
        size_t at = 0;
        text piece;
        while (text_next_piece(call, value, &at, &piece)) {
            reverse_piece(piece, room + value.size - at);
        }
        COLUMN_OUT(out, string_value)[row] = text_sink_take(&sink, value.size);
    }
    return call->count;
}

const scalar_function function_reverse = {
    .name = "reverse",
    .category = "string",
    .summary = "the characters (code points) in the opposite order",
    .examples = (const char *const[]){"reverse('abc')", "cba", "reverse('aü€')", "€üa",
                                      "reverse('')", "", "reverse('a long text of words')",
                                      "sdrow fo txet gnol a", "reverse(NULL)", "NULL",
                                      "reverse(12)", "error: no \"reverse\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,
    .overloads = (const overload[]){{.signature = "VARCHAR <- VARCHAR", .kernel = reverse}, {0}},
};

// ---- replace ---------------------------------------------------------------------------------

// Writes the text with each `from` replaced to `out`, or nothing if that is NULL; `*size` is how
// long it is. False: stopped, or too long.
static bool replace_all(const function_call *call, text value, text from, text to, char *out,
                        size_t *size) {
    size_t at = 0;
    size_t look_at = TEXT_LOOK_EVERY;
    *size = 0;
    while (at < value.size) {
        if (at >= look_at) {
            look_at = at + TEXT_LOOK_EVERY;
            if (function_is_stopped(call)) {
                return false;
            }
        }
        const size_t found = text_find_place(call, value, from, at);
        if (found == TEXT_NOWHERE && value.size - at > TEXT_SOUGHT_AT_ONCE &&
            function_is_stopped(call)) {
            return false; // It may be there.
        }
        const text kept = text_slice(value, at, found == TEXT_NOWHERE ? value.size : found);
        const text added = found == TEXT_NOWHERE ? TEXT("") : to;
        if (kept.size + added.size > TEXT_RESULT_SIZE_MAX - *size) {
            return false;
        }
        if (out != NULL && (!text_put(call, out + *size, kept) ||
                            !text_put(call, out + *size + kept.size, added))) {
            return false;
        }
        *size += kept.size + added.size;
        at += kept.size + (found == TEXT_NOWHERE ? 0 : from.size);
    }
    return true;
}

#define REPLACED_AT_ONCE ((size_t)4 << 10) // Longer texts are measured first.

// How long the text becomes if it is nothing but places.
static size_t longest_replaced(text value, text from, text to) {
    const size_t added = to.size > from.size ? to.size - from.size : 0;
    size_t size;
    if (__builtin_mul_overflow(value.size / from.size, added, &size) ||
        __builtin_add_overflow(size, value.size, &size)) {
        return SIZE_MAX;
    }
    return size;
}

static uint32_t replace(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    const text_rows froms = text_rows_of(args[1]);
    const text_rows tos = text_rows_of(args[2]);
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        const text value = text_at(values, row);
        const text from = text_at(froms, row);
        const text to = text_at(tos, row);
        if (from.size == 0 || text_find_place(call, value, from, 0) == TEXT_NOWHERE) {
            put_slice(out, row, value);
            continue;
        }
        size_t size = longest_replaced(value, from, to);
        if (size > REPLACED_AT_ONCE && !replace_all(call, value, from, to, NULL, &size)) {
            return function_is_stopped(call) ? KERNEL_NO_MEMORY : ROW_VISIT(row);
        }
        char *room = text_sink_room(&sink, size);
        if (room == NULL || !replace_all(call, value, from, to, room, &size)) {
            return KERNEL_NO_MEMORY;
        }
        COLUMN_OUT(out, string_value)[row] = text_sink_take(&sink, size);
    }
    return call->count;
}

// Never longer than it was.
static bool shrinks(const expr *call) {
    text from;
    text to;
    return literal_text(call->call_.args.items[1], &from) &&
           literal_text(call->call_.args.items[2], &to) && to.size <= from.size;
}

const scalar_function function_replace = {
    .name = "replace",
    .category = "string",
    .summary = "the text with another one in all places of a part",
    .examples =
        (const char *const[]){"replace('abcabc', 'bc', 'X')", "aXaX", "replace('aaa', 'aa', 'b')",
                              "ba", "replace('abc', '', 'x')", "abc", "replace('abc', 'b', '')",
                              "ac", "replace('', 'a', 'b')", "", "replace('a', NULL, 'b')", "NULL",
                              "replace('die Straße', 'ß', 'ss')", "die Strasse",
                              "replace(1, '1', '2')", "error: no \"replace\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_DICTIONARY,
    .overloads = (const overload[]){{.signature = "VARCHAR <- VARCHAR, VARCHAR, VARCHAR",
                                     .kernel = replace,
                                     .cannot_fail = shrinks},
                                    {0}},
    .explain_failure = explain_size,
};

// ---- translate -------------------------------------------------------------------------------

// Writes the text translated; the size.
static size_t translate_into(const function_call *call, text value, const code_map *map,
                             char *out) {
    cancel_watch watch = {.cancel = function_cancel(call)};
    size_t at = 0;
    size_t size = 0;
    while (at < value.size && !cancel_watch_is_raised(&watch, 1)) {
        const size_t start = at;
        const code_entry *found = code_map_find(map, utf8_next(value, &at));
        if (found == NULL) {
            memcpy(out + size, value.data + start, at - start);
            size += at - start;
        } else if (found->has_other) {
            size += utf8_encode(found->other, out + size);
        }
    }
    return size;
}

static uint32_t translate(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    const text_rows froms = text_rows_of(args[1]);
    const text_rows tos = text_rows_of(args[2]);
    text_sink sink = text_sink_of(call);
    code_map map = {0};
    FOR_ROWS(call, row) {
        const text value = text_at(values, row);
        size_t room_size;
        if (!code_map_fill(&map, call, text_at(froms, row), text_at(tos, row)) ||
            !mul_fits(value.size, UTF8_SIZE_MAX, &room_size)) {
            return KERNEL_NO_MEMORY;
        }
        char *room = text_sink_room(&sink, room_size);
        if (room == NULL) {
            return KERNEL_NO_MEMORY;
        }
        const size_t size = translate_into(call, value, &map, room);
        COLUMN_OUT(out, string_value)[row] = text_sink_take(&sink, size);
    }
    return call->count;
}

const scalar_function function_translate = {
    .name = "translate",
    .category = "string",
    .summary = "each character that is in the second text becomes the one at its place in the "
               "third, or vanishes",
    .examples =
        (const char *const[]){"translate('12345', '143', 'ax')", "a2x5",
                              "translate('häuser', 'äö', 'ao')", "hauser",
                              "translate('aab', 'aa', 'xy')", "xxb", "translate('abc', '', 'x')",
                              "abc", "translate('', 'a', 'b')", "", "translate(NULL, 'a', 'b')",
                              "NULL", "translate('ab', 'ab', '€')", "€", "translate(1, '1', '2')",
                              "error: no \"translate\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){
            {.signature = "VARCHAR <- VARCHAR, VARCHAR, VARCHAR", .kernel = translate}, {0}},
};

// ---- overlay ---------------------------------------------------------------------------------

static uint32_t overlay(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    const text_rows insertions = text_rows_of(args[1]);
    const i64_rows froms = i64_rows_of(args[2]);
    const bool has_count = call->arg_count == 4;
    const i64_rows counts = i64_rows_of(args[has_count ? 3 : 2]);
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        const text value = text_at(values, row);
        const text insertion = text_at(insertions, row);
        const int64_t from = i64_at(froms, row);
        const int64_t count =
            has_count ? i64_at(counts, row) : (int64_t)text_code_count(call, insertion);
        int64_t behind; // The place, from 1, where the text goes on.
        if (from < 1 || __builtin_add_overflow(from, count, &behind)) {
            return ROW_VISIT(row);
        }
        const size_t start = text_code_offset(call, value, (size_t)from - 1);
        const size_t rest = behind <= 1 ? 0 : text_code_offset(call, value, (size_t)behind - 1);
        const size_t size = start + insertion.size + (value.size - rest);
        char *room = text_sink_room(&sink, size);
        if (room == NULL || !text_put(call, room, text_slice(value, 0, start)) ||
            !text_put(call, room + start, insertion) ||
            !text_put(call, room + start + insertion.size, text_slice(value, rest, value.size))) {
            return KERNEL_NO_MEMORY;
        }
        COLUMN_OUT(out, string_value)[row] = text_sink_take(&sink, size);
    }
    return call->count;
}

static void explain_overlay(const function_call *call, const column *const *args, uint32_t row,
                            firn_error *err) {
    (void)call;
    err_set_sql(err, FIRN_INVALID, "22011", NO_POSITION, "the place %lld, from 1 on is allowed",
                (long long)i64_at(i64_rows_of(args[2]), row));
}

const scalar_function function_overlay = {
    .name = "overlay",
    .category = "string",
    .summary = "the text with another one over some of its characters",
    .examples =
        (const char *const[]){
            "overlay('Txxxxas' PLACING 'hom' FROM 2 FOR 4)", "Thomas",
            "overlay('abcdef' PLACING 'XY' FROM 3)", "abXYef", "overlay('äöü' PLACING 'o' FROM 2)",
            "äoü", "overlay('ab' PLACING 'x' FROM 9)", "abx", "overlay(NULL PLACING 'x' FROM 1)",
            "NULL", "overlay('ab' PLACING 'x' FROM 0)", "error: the place 0",
            "overlay(1 PLACING 'x' FROM 1)", "error: no \"overlay\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){
            {.signature = "VARCHAR <- VARCHAR, VARCHAR, BIGINT", .kernel = overlay},
            {.signature = "VARCHAR <- VARCHAR, VARCHAR, BIGINT, BIGINT", .kernel = overlay},
            {0},
        },
    .explain_failure = explain_overlay,
};
