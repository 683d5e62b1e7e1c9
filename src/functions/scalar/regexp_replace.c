// regexp_replace: the first match, or all with the flag g, or the Nth from some character on,
// replaced; \1 to \9 stand for groups and \& or \0 for the match.
#include "functions/scalar/regular.h"

// A text under construction in pieces of the scratch arena.
typedef struct growing_text {
    arena *memory;
    char *data;
    size_t size;
    size_t capacity;
} growing_text;

static bool grow_by(const function_call *call, growing_text *self, text part) {
    if (part.size > self->capacity - self->size) {
        const size_t capacity = (self->size + part.size) * 2 + 64;
        char *data = ARENA_NEW(self->memory, char, capacity);
        if (data == NULL) {
            return false;
        }
        if (!text_put(call, data, (text){.data = self->data, .size = self->size})) {
            return false;
        }
        self->data = data;
        self->capacity = capacity;
    }
    if (part.size > 0 && !text_put(call, self->data + self->size, part)) {
        return false;
    }
    self->size += part.size;
    return true;
}

static bool add_replacement(const function_call *call, growing_text *out, text value,
                            text replacement) {
    const regular *with = call->local;
    size_t from = 0;
    for (size_t at = 0; at + 1 < replacement.size; at++) {
        if (replacement.data[at] != '\\') {
            continue;
        }
        const char byte = replacement.data[at + 1];
        const bool is_group = (byte >= '0' && byte <= '9') || byte == '&';
        text part = {.data = replacement.data + at + 1, .size = byte == '\\' ? 1 : 0};
        if (is_group) {
            const uint32_t group = byte == '&' ? 0 : (uint32_t)(byte - '0');
            if (group > regular_group_count(with) || !regular_group(with, value, group, &part)) {
                part = TEXT("");
            }
        } else if (byte != '\\') {
            continue; // The backslash stands for itself.
        }
        if (!grow_by(call, out, text_slice(replacement, from, at)) || !grow_by(call, out, part)) {
            return false;
        }
        from = at + 2;
        at++;
    }
    return grow_by(call, out, text_slice(replacement, from, replacement.size));
}

// Which matches are replaced: the Nth of those from byte `from` on, or all with N = 0.
typedef struct replaced_matches {
    size_t from;
    int64_t nth;
} replaced_matches;

// Replaces in one text; REGULAR_NOT_FOUND at its good end.
static regular_answer replace_in(const function_call *call, text value, text replacement,
                                 replaced_matches which, growing_text *out) {
    const regular *with = call->local;
    size_t copied = 0;
    size_t from = which.from;
    int64_t seen = 0;
    regular_answer answer = REGULAR_FOUND;
    while (answer == REGULAR_FOUND) {
        text found;
        answer = regular_find(call, value, from);
        if (answer != REGULAR_FOUND || !regular_group(with, value, 0, &found)) {
            break;
        }
        seen += 1;
        if (seen < which.nth) {
            from = regular_next_start(with, value);
            continue;
        }
        const size_t at = (size_t)(found.data - value.data);
        if (!grow_by(call, out, text_slice(value, copied, at)) ||
            !add_replacement(call, out, value, replacement)) {
            return REGULAR_NO_MEMORY;
        }
        if (out->size > TEXT_RESULT_SIZE_MAX) {
            return REGULAR_TOO_LONG;
        }
        copied = at + found.size;
        from = regular_next_start(with, value);
        answer = which.nth == 0 ? REGULAR_FOUND : REGULAR_NOT_FOUND;
    }
    if (answer == REGULAR_NOT_FOUND && !grow_by(call, out, text_slice(value, copied, value.size))) {
        return REGULAR_NO_MEMORY;
    }
    return answer;
}

// (s, pattern, replacement [, flags]) or (s, pattern, replacement, start [, N [, flags]]).
static bool has_start(const function_call *call, const column *const *args) {
    return call->arg_count > 3 && type_physical(args[3]->type) == PHYSICAL_I64;
}

static text flags_at(const function_call *call, const column *const *args, uint32_t row) {
    const uint32_t place = has_start(call, args) ? 5 : 3;
    return call->arg_count > place ? text_at(text_rows_of(args[place]), row) : TEXT("");
}

// False: a start or a number of a match that cannot be. As in PostgreSQL the flag g says nothing
// beside a start.
static bool matches_at(const function_call *call, const column *const *args, uint32_t row,
                       text value, replaced_matches *out) {
    *out = (replaced_matches){.nth = 1};
    if (!has_start(call, args)) {
        const text flags = flags_at(call, args, row);
        out->nth = flags.size > 0 && memchr(flags.data, 'g', flags.size) != NULL ? 0 : 1;
        return true;
    }
    const int64_t start = i64_at(i64_rows_of(args[3]), row);
    out->nth = call->arg_count > 4 ? i64_at(i64_rows_of(args[4]), row) : 1;
    if (start < 1 || out->nth < 0) {
        return false;
    }
    // Behind the end is not even an empty match.
    const size_t skipped = (size_t)start - 1;
    out->from = skipped > value.size ? value.size + 1 : text_code_offset(call, value, skipped);
    out->from += out->from == value.size && skipped > text_code_count(call, value) ? 1 : 0;
    return true;
}

static uint32_t regexp_replace(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    const text_rows patterns = text_rows_of(args[1]);
    const text_rows replacements = text_rows_of(args[2]);
    FOR_ROWS(call, row) {
        const text value = text_at(values, row);
        const text flags = flags_at(call, args, row);
        growing_text made = {.memory = call->scratch};
        replaced_matches which;
        if (!matches_at(call, args, row, value, &which)) {
            return ROW_VISIT(row);
        }
        regular_answer answer = regular_use(call->local, value, text_at(patterns, row),
                                            REGULAR_PLAIN, flags, TEXT("\\"));
        if (answer == REGULAR_FOUND) {
            answer = regular_find(call, value, which.from);
            if (answer == REGULAR_NOT_FOUND) {
                put_slice(out, row, value);
                continue;
            }
        }
        if (answer == REGULAR_FOUND) {
            answer = replace_in(call, value, text_at(replacements, row), which, &made);
        }
        if (answer != REGULAR_NOT_FOUND) {
            return answer == REGULAR_NO_MEMORY ? KERNEL_NO_MEMORY : ROW_VISIT(row);
        }
        put_slice(out, row, (text){.data = made.data, .size = made.size});
    }
    return call->count;
}

static firn_status open(const function_bind_call *bound, arena *memory, void **local,
                        firn_error *err) {
    (void)bound;
    return regular_open(memory, local, err);
}

static void explain(const function_call *call, const column *const *args, uint32_t row,
                    firn_error *err) {
    replaced_matches ignored;
    if (!matches_at(call, args, row, TEXT(""), &ignored)) {
        const bool is_start = i64_at(i64_rows_of(args[3]), row) < 1;
        err_set_sql(err, FIRN_INVALID, "22023", NO_POSITION,
                    is_start ? "regexp_replace begins at character %lld, the first is 1"
                             : "regexp_replace replaces match %lld, 1 is the first and 0 are all",
                    (long long)i64_at(i64_rows_of(args[is_start ? 3 : 4]), row));
        return;
    }
    regular_explain(call->local, text_at(text_rows_of(args[1]), row), REGULAR_PLAIN,
                    flags_at(call, args, row), TEXT("\\"), err);
}

const scalar_function function_regexp_replace = {
    .name = "regexp_replace",
    .category = "regex",
    .summary =
        "the text with the first match of a regular expression replaced, all with the flag "
        "g; \\1 stands for a group; with a start and N only the Nth from that character on, 0 "
        "for all",
    .examples = (const char *const[]){"regexp_replace('foobar', 'o', 'X')",
                                      "fXobar",
                                      "regexp_replace('foobar', 'o', 'X', 'g')",
                                      "fXXbar",
                                      "regexp_replace('Thomas', '.[mN]a.', 'M')",
                                      "ThM",
                                      "regexp_replace('ab12', '([a-z]+)(\\d+)', '\\2-\\1')",
                                      "12-ab",
                                      "regexp_replace('aBc', 'b', '[\\&]', 'gi')",
                                      "a[B]c",
                                      "regexp_replace('abc', '', '-', 'g')",
                                      "-a-b-c-",
                                      "regexp_replace('abc', 'x', 'y')",
                                      "abc",
                                      "regexp_replace('foobar', 'o', 'X', 3)",
                                      "foXbar",
                                      "regexp_replace('foobaro', 'o', 'X', 1, 3)",
                                      "foobarX",
                                      "regexp_replace('A vowel', 'a|e|i|o|u', 'X', 1, 0, 'i')",
                                      "X vXwXl",
                                      "regexp_replace('foobar', 'o', 'X', 0)",
                                      "error: begins at character 0",
                                      "regexp_replace(NULL, 'a', 'b')",
                                      "NULL",
                                      "regexp_replace('a', '(', 'b')",
                                      "error: the regular expression",
                                      "regexp_replace('a', 'a', 'b', 'z')",
                                      "error: the flags \"z\"",
                                      "regexp_replace(1, 'a', 'b')",
                                      "error: no \"regexp_replace\" takes",
                                      NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){
            {.signature = "VARCHAR <- VARCHAR, VARCHAR, VARCHAR", .kernel = regexp_replace},
            {.signature = "VARCHAR <- VARCHAR, VARCHAR, VARCHAR, VARCHAR",
             .kernel = regexp_replace},
            {.signature = "VARCHAR <- VARCHAR, VARCHAR, VARCHAR, BIGINT", .kernel = regexp_replace},
            {.signature = "VARCHAR <- VARCHAR, VARCHAR, VARCHAR, BIGINT, BIGINT",
             .kernel = regexp_replace},
            {.signature = "VARCHAR <- VARCHAR, VARCHAR, VARCHAR, BIGINT, BIGINT, VARCHAR",
             .kernel = regexp_replace},
            {0},
        },
    .open = open,
    .close = regular_close,
    .explain_failure = explain,
};
