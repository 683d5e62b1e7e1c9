// upper, lower, initcap. ASCII is done eight bytes at a time, the rest by utf8proc's tables.
#include "functions/scalar/text_case.h"

#include <utf8proc.h>

#include "functions/scalar/row_values.h"

// Bit 7 of each byte set where an ASCII byte lies in [first, first + 25].
static uint64_t letters_from(uint64_t word, char first) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t low = word & (ones * 0x7f); // No carry from byte to byte.
    const uint64_t from = low + ones * (uint64_t)(0x80 - first);
    const uint64_t behind = low + ones * (uint64_t)(0x80 - first - 26);
    return from & ~behind & ~word & (ones * 0x80);
}

static size_t write_ascii(text value, text_case to, char *out) {
    const char first = to == TEXT_LOWER ? 'A' : 'a';
    size_t at = 0;
    for (; value.size - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, value.data + at, sizeof word);
        word ^= letters_from(word, first) >> 2; // 0x80 >> 2 is the bit of the case.
        memcpy(out + at, &word, sizeof word);
    }
    for (; at < value.size; at++) {
        const char byte = value.data[at];
        const bool is_letter = byte >= first && byte <= first + 25;
        out[at] = (char)(is_letter ? byte ^ 0x20 : byte);
    }
    return value.size;
}

static uint32_t code_in_case(uint32_t code, text_case to) {
    if (code == 0xdf) {
        return code; // The sharp s stays: its capital is two letters to most people.
    }
    return (uint32_t)(to == TEXT_LOWER ? utf8proc_tolower((utf8proc_int32_t)code)
                                       : utf8proc_toupper((utf8proc_int32_t)code));
}

size_t text_case_write(text value, text_case to, char *out) {
    if (utf8_is_ascii(value)) {
        return write_ascii(value, to, out);
    }
    size_t at = 0;
    size_t size = 0;
    while (at < value.size) {
        size += utf8_encode(code_in_case(utf8_next(value, &at), to), out + size);
    }
    return size;
}

static bool is_word_code(uint32_t code) {
    if (code < 0x80) {
        const uint32_t lower = code | 0x20;
        return (lower >= 'a' && lower <= 'z') || (code >= '0' && code <= '9');
    }
    const utf8proc_category_t kind = utf8proc_category((utf8proc_int32_t)code);
    return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_NO;
}

// ---- Kernels ---------------------------------------------------------------------------------

// Each word begins with an upper case letter. `is_inside`: of one, at the piece's start, then at
// its end.
static size_t write_initcap(text piece, bool *is_inside, char *out) {
    size_t at = 0;
    size_t size = 0;
    while (at < piece.size) {
        const uint32_t code = utf8_next(piece, &at);
        size += utf8_encode(code_in_case(code, *is_inside ? TEXT_LOWER : TEXT_UPPER), out + size);
        *is_inside = is_word_code(code);
    }
    return size;
}

// `to` is what a letter becomes, unless words are capitalized.
static uint32_t rewrite(function_call *call, const column *arg, const text_case *to, column *out) {
    const text_rows values = text_rows_of(arg);
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        const text value = text_at(values, row);
        char *room = text_sink_room(&sink, text_case_size_max(value.size));
        if (room == NULL) {
            return KERNEL_NO_MEMORY;
        }
        bool is_inside = false;
        size_t size = 0;
        size_t at = 0;
        text piece;
        while (text_next_piece(call, value, &at, &piece)) {
            size += to == NULL ? write_initcap(piece, &is_inside, room + size)
                               : text_case_write(piece, *to, room + size);
        }
        COLUMN_OUT(out, string_value)[row] = text_sink_take(&sink, size);
    }
    return call->count;
}

static uint32_t lower(function_call *call, const column *const *args, column *out) {
    return rewrite(call, args[0], &(text_case){TEXT_LOWER}, out);
}

static uint32_t upper(function_call *call, const column *const *args, column *out) {
    return rewrite(call, args[0], &(text_case){TEXT_UPPER}, out);
}

static uint32_t initcap(function_call *call, const column *const *args, column *out) {
    return rewrite(call, args[0], NULL, out);
}

const scalar_function function_lower = {
    .name = "lower",
    .aliases = "lcase",
    .category = "string",
    .summary = "the text in lower case, one character for each",
    .examples = (const char *const[]){"lower('ÄbC-1')", "äbc-1", "lower('')", "", "lower(NULL)",
                                      "NULL", "lower('ABCDEFGHIJKLMNOPQRSTUVWXYZ[@`{')",
                                      "abcdefghijklmnopqrstuvwxyz[@`{", "lower(1)",
                                      "error: no \"lower\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,
    .overloads = (const overload[]){{.signature = "VARCHAR <- VARCHAR", .kernel = lower}, {0}},
};

const scalar_function function_upper = {
    .name = "upper",
    .aliases = "ucase",
    .category = "string",
    .summary = "the text in upper case, one character for each: ß stays",
    .examples = (const char *const[]){"upper('straße')", "STRAßE", "upper('é')", "É", "upper('')",
                                      "", "upper(NULL)", "NULL", "upper('az{`AZ09 quick brown')",
                                      "AZ{`AZ09 QUICK BROWN", "upper(DATE '2020-01-01')",
                                      "error: no \"upper\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,
    .overloads = (const overload[]){{.signature = "VARCHAR <- VARCHAR", .kernel = upper}, {0}},
};

const scalar_function function_initcap = {
    .name = "initcap",
    .category = "string",
    .summary = "the first letter of each word in upper case, the others in lower case",
    .examples = (const char *const[]){"initcap('hello big WORLD')", "Hello Big World",
                                      "initcap('o''neil 2nd')", "O'Neil 2nd", "initcap('')", "",
                                      "initcap(NULL)", "NULL", "initcap('éA b')", "Éa B",
                                      "initcap(1)", "error: no \"initcap\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,
    .overloads = (const overload[]){{.signature = "VARCHAR <- VARCHAR", .kernel = initcap}, {0}},
};
