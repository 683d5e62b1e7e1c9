// regexp_replace: the first match, or all with the flag g, replaced; \1 to \9 stand for groups and
// \& or \0 for the match.
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

// Replaces in one text; REGULAR_NOT_FOUND at its good end.
static regular_answer replace_in(const function_call *call, text value, text replacement,
                                 bool replaces_all, growing_text *out) {
    const regular *with = call->local;
    size_t copied = 0;
    size_t from = 0;
    regular_answer answer = REGULAR_FOUND;
    while (answer == REGULAR_FOUND) {
        text found;
        answer = regular_find(call, value, from);
        if (answer != REGULAR_FOUND || !regular_group(with, value, 0, &found)) {
            break;
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
        answer = replaces_all ? REGULAR_FOUND : REGULAR_NOT_FOUND;
    }
    if (answer == REGULAR_NOT_FOUND && !grow_by(call, out, text_slice(value, copied, value.size))) {
        return REGULAR_NO_MEMORY;
    }
    return answer;
}

static text flags_at(const function_call *call, const column *const *args, uint32_t row) {
    return call->arg_count > 3 ? text_at(text_rows_of(args[3]), row) : TEXT("");
}

static uint32_t regexp_replace(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    const text_rows patterns = text_rows_of(args[1]);
    const text_rows replacements = text_rows_of(args[2]);
    FOR_ROWS(call, row) {
        const text value = text_at(values, row);
        const text flags = flags_at(call, args, row);
        growing_text made = {.memory = call->scratch};
        regular_answer answer = regular_use(call->local, value, text_at(patterns, row),
                                            REGULAR_PLAIN, flags, TEXT("\\"));
        if (answer == REGULAR_FOUND) {
            answer = regular_find(call, value, 0);
            if (answer == REGULAR_NOT_FOUND) {
                put_slice(out, row, value);
                continue;
            }
        }
        if (answer == REGULAR_FOUND) {
            answer = replace_in(
                call, value, text_at(replacements, row),
                memchr(flags.data == NULL ? "" : flags.data, 'g', flags.size) != NULL, &made);
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
    regular_explain(call->local, text_at(text_rows_of(args[1]), row), REGULAR_PLAIN,
                    flags_at(call, args, row), TEXT("\\"), err);
}

const scalar_function function_regexp_replace = {
    .name = "regexp_replace",
    .category = "regex",
    .summary = "the text with the first match of a regular expression replaced, all with the flag "
               "g; \\1 stands for a group",
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
            {0},
        },
    .open = open,
    .close = regular_close,
    .explain_failure = explain,
};
