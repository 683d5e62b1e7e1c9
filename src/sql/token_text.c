// Every function first looks whether the text can be used as it stands, which is nearly always.
#include "sql/token_text.h"

#include <assert.h>

#include "base/bytes.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "base/wide.h"

#define SYNTAX "42601"
#define NOT_IN_REPERTOIRE "22021"
#define OUT_OF_RANGE "22003"

// `position` is where `value` begins in the SQL text, at least roughly: escapes move it.
static firn_status check_text(text value, uint32_t position, firn_error *err) {
    const size_t valid = utf8_valid_size(bytes_of_text(value));
    const char *nul = value.size == 0 ? NULL : memchr(value.data, 0, value.size);
    const size_t wrong =
        nul == NULL || (size_t)(nul - value.data) > valid ? valid : (size_t)(nul - value.data);
    if (wrong == value.size) {
        return FIRN_OK;
    }
    return FAIL_SQL(err, FIRN_INVALID, NOT_IN_REPERTOIRE, position + wrong,
                    "the byte 0x%02x is not UTF-8 text", (uint8_t)value.data[wrong]);
}

// Whether all bytes are ASCII and none is NUL: what nearly every name is, and quick to see.
static bool is_plain(text value) {
    size_t at = 0;
    for (; at + sizeof(uint64_t) <= value.size; at += sizeof(uint64_t)) {
        uint64_t block;
        memcpy(&block, value.data + at, sizeof block);
        if ((block & UINT64_C(0x8080808080808080)) != 0) {
            return false;
        }
    }
    for (; at < value.size; at++) {
        if (((uint8_t)value.data[at] & 0x80) != 0) {
            return false;
        }
    }
    return value.size == 0 || memchr(value.data, 0, value.size) == NULL;
}

static firn_status check_utf8(text value, uint32_t position, firn_error *err) {
    return is_plain(value) ? FIRN_OK : check_text(value, position, err);
}

static firn_status new_bytes(arena *memory, size_t size, char **out, firn_error *err) {
    char *copy = ARENA_NEW(memory, char, size == 0 ? 1 : size);
    if (copy == NULL) {
        return ARENA_FULL(memory, err);
    }
    *out = copy;
    return FIRN_OK;
}

static firn_status unicode_text(text sql, const sql_token *token, arena *memory, text *out,
                                firn_error *err);

firn_status sql_token_name(text sql, const sql_token *token, arena *memory, text *out,
                           firn_error *err) {
    const text raw = sql_token_raw(sql, token);
    if (token->kind == TOKEN_WORD) {
        *out = raw;
        return token->is_ascii ? FIRN_OK : check_utf8(raw, token->position, err);
    }
    if (token->escape != 0) {
        return unicode_text(sql, token, memory, out, err);
    }
    const char quote = raw.data[0];
    const text inside = text_slice(raw, 1, raw.size - 1);
    *out = inside;
    if (memchr(inside.data, quote, inside.size) != NULL) {
        char *copy;
        TRY(new_bytes(memory, inside.size, &copy, err));
        size_t size = 0;
        for (size_t i = 0; i < inside.size; i++) {
            copy[size] = inside.data[i];
            size += 1;
            i += inside.data[i] == quote ? 1 : 0; // The other one of the pair.
        }
        *out = (text){.data = copy, .size = size};
    }
    return check_utf8(*out, token->position + 1, err);
}

static uint32_t digit_value(char digit) {
    const uint8_t byte = (uint8_t)digit;
    return (uint32_t)(byte <= '9' ? byte - '0' : (byte | 0x20) - 'a' + 10);
}

static bool is_digit_of(char byte, uint32_t base) {
    const bool is_alphanumeric = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') ||
                                 (byte >= 'A' && byte <= 'F');
    return is_alphanumeric && digit_value(byte) < base;
}

// Reads up to `digits_max` digits from `*at` on; how many there were.
static uint32_t read_digits(text raw, size_t *at, uint32_t base, uint32_t digits_max,
                            uint32_t *value) {
    uint32_t count = 0;
    *value = 0;
    while (count < digits_max && *at < raw.size && is_digit_of(raw.data[*at], base)) {
        *value = *value * base + digit_value(raw.data[*at]);
        *at += 1;
        count += 1;
    }
    return count;
}

// \uXXXX or \UXXXXXXXX, `*at` behind the letter; two halves of a surrogate pair count as one.
static bool read_unicode(text raw, size_t *at, uint32_t digits, uint32_t *code) {
    if (read_digits(raw, at, 16, digits, code) != digits) {
        return false;
    }
    if (*code >= 0xd800 && *code < 0xdc00 && raw.size - *at >= 6 && raw.data[*at] == '\\' &&
        raw.data[*at + 1] == 'u') {
        size_t behind = *at + 2;
        uint32_t low;
        if (read_digits(raw, &behind, 16, 4, &low) == 4 && low >= 0xdc00 && low < 0xe000) {
            *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
            *at = behind;
        }
    }
    return utf8_is_code(*code);
}

// What a backslash and the byte behind it, at `*at`, stand for. Writes at most as many bytes as it
// reads. 0 bytes written: no such escape.
static size_t read_escape(text raw, size_t *at, char *out) {
    static const char letters[] = "bfnrt";
    static const char meanings[] = "\b\f\n\r\t";
    const char byte = raw.data[*at];
    *at += 1;
    const char *simple = memchr(letters, byte, sizeof letters - 1);
    uint32_t value;
    if (simple != NULL) {
        out[0] = meanings[simple - letters];
        return 1;
    }
    if (byte >= '0' && byte <= '7') {
        *at -= 1;
        (void)read_digits(raw, at, 8, 3, &value);
        out[0] = (char)(value & 0xff);
        return 1;
    }
    if (byte == 'x') {
        if (read_digits(raw, at, 16, 2, &value) == 0) {
            out[0] = byte;
            return 1;
        }
        out[0] = (char)value;
        return 1;
    }
    if (byte == 'u' || byte == 'U') {
        return read_unicode(raw, at, byte == 'u' ? 4 : 8, &value) ? utf8_encode(value, out) : 0;
    }
    out[0] = byte; // Any other byte stands for itself: \\ and \'.
    return 1;
}

// From one closing quote that is not the last to behind the quote that goes on the text.
static size_t skip_gap(text raw, size_t at) {
    while (raw.data[at] != '\'') {
        at += 1;
    }
    return at + 1;
}

// Text in single quotes with something in it that must be undone. `raw` begins with the quote and
// ends with the last quote; the lexer saw to that and to a byte behind every backslash.
static firn_status unquote(text raw, uint32_t position, bool has_escapes, arena *memory, text *out,
                           firn_error *err) {
    char *copy;
    TRY(new_bytes(memory, raw.size, &copy, err));
    size_t size = 0;
    size_t at = 1;
    while (at < raw.size - 1) {
        const char byte = raw.data[at];
        at += 1;
        if (byte == '\'') {
            if (raw.data[at] != '\'') {
                at = skip_gap(raw, at);
                continue;
            }
            at += 1;
        } else if (byte == '\\' && has_escapes) {
            const size_t escape = at - 1;
            const size_t added = read_escape(raw, &at, copy + size);
            if (added == 0) {
                return FAIL_SQL(err, FIRN_INVALID, SYNTAX, position + escape,
                                "a wrong Unicode escape, allowed are \\uXXXX and \\UXXXXXXXX up to "
                                "\\U0010FFFF");
            }
            size += added;
            continue;
        }
        copy[size] = byte;
        size += 1;
    }
    *out = (text){.data = copy, .size = size};
    return FIRN_OK;
}

// The bytes between the single quotes of a token, `prefix` bytes behind its start.
static firn_status take_quoted(text sql, const sql_token *token, uint32_t prefix, arena *memory,
                               text *out, firn_error *err) {
    const text raw = text_slice(sql_token_raw(sql, token), prefix, token->length);
    const text inside = text_slice(raw, 1, raw.size - 1);
    const bool has_escapes = token->kind == TOKEN_ESCAPE_STRING;
    if (inside.size == 0 || (memchr(inside.data, '\'', inside.size) == NULL &&
                             !(has_escapes && memchr(inside.data, '\\', inside.size) != NULL))) {
        *out = inside;
        return FIRN_OK;
    }
    return unquote(raw, token->position + prefix, has_escapes, memory, out, err);
}

firn_status sql_token_string(text sql, const sql_token *token, arena *memory, text *out,
                             firn_error *err) {
    if (token->kind == TOKEN_DOLLAR_STRING) {
        const text raw = sql_token_raw(sql, token);
        const char *tag_end = memchr(raw.data + 1, '$', raw.size - 1);
        assert(tag_end != NULL); // The lexer found it.
        const size_t tag_size = (size_t)(tag_end - raw.data) + 1;
        *out = text_slice(raw, tag_size, raw.size - tag_size);
        return check_utf8(*out, token->position + (uint32_t)tag_size, err);
    }
    if (token->escape != 0) {
        return unicode_text(sql, token, memory, out, err);
    }
    const uint32_t prefix = token->kind == TOKEN_ESCAPE_STRING ? 1 : 0;
    TRY(take_quoted(sql, token, prefix, memory, out, err));
    return check_utf8(*out, token->position + prefix + 1, err);
}

// ---- U&'text', U&"name" -------------------------------------------------------------------------

// Whether a text goes on behind its closing quote, as in the lexer; `*at` then is behind the next.
static bool goes_on(text raw, size_t *at, char quote) {
    bool has_line_break = false;
    size_t next = *at;
    while (next < raw.size && memchr(" \t\n\v\f\r", raw.data[next], 6) != NULL) {
        has_line_break |= raw.data[next] == '\n';
        next += 1;
    }
    if (quote != '\'' || !has_line_break || next >= raw.size || raw.data[next] != quote) {
        return false;
    }
    *at = next + 1;
    return true;
}

// XXXX or +XXXXXX behind an escape sign, read from `*at` on. False: no such escape.
static bool read_code(text raw, size_t *at, uint32_t *code) {
    const bool is_long = *at < raw.size && raw.data[*at] == '+';
    const uint32_t digits = is_long ? 6 : 4;
    *at += is_long ? 1 : 0;
    return read_digits(raw, at, 16, digits, code) == digits;
}

// What stands behind an escape sign at `*at`, written as UTF-8, which is never longer. 0: wrong.
static size_t unescape(text raw, size_t *at, char escape, char *out) {
    if (*at < raw.size && raw.data[*at] == escape) {
        *at += 1;
        out[0] = escape;
        return 1;
    }
    uint32_t code;
    if (!read_code(raw, at, &code)) {
        return 0;
    }
    if (code >= 0xd800 && code < 0xdc00 && *at < raw.size && raw.data[*at] == escape) {
        uint32_t low;
        *at += 1;
        if (!read_code(raw, at, &low) || low < 0xdc00 || low > 0xdfff) {
            return 0;
        }
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    return code == 0 ? 0 : utf8_encode(code, out);
}

// The lexer saw that the quote is closed; behind it may stand UESCAPE.
static firn_status unicode_text(text sql, const sql_token *token, arena *memory, text *out,
                                firn_error *err) {
    const text raw = sql_token_raw(sql, token);
    const char escape = (char)token->escape;
    const char quote = raw.data[2];
    char *copy;
    TRY(new_bytes(memory, raw.size, &copy, err));
    size_t size = 0;
    size_t at = 3;
    for (;;) {
        const size_t from = at;
        const char byte = raw.data[at];
        at += 1;
        if (byte == escape) {
            const size_t added = unescape(raw, &at, escape, copy + size);
            if (added == 0) {
                return FAIL_SQL(err, FIRN_INVALID, SYNTAX, token->position + from,
                                "a wrong Unicode escape, allowed are %cXXXX and %c+XXXXXX from 1 "
                                "to 10FFFF, and both halves of a pair",
                                escape, escape);
            }
            size += added;
            continue;
        }
        if (byte == quote && at < raw.size && raw.data[at] == quote) {
            at += 1;
        } else if (byte == quote) {
            if (!goes_on(raw, &at, quote)) {
                break;
            }
            continue;
        }
        copy[size] = byte;
        size += 1;
    }
    *out = (text){.data = copy, .size = size};
    return check_utf8(*out, token->position + 3, err);
}

static firn_status radix_number(text raw, const sql_token *token, arena *memory, text *out,
                                firn_error *err) {
    const char letter = (char)(raw.data[1] | 0x20);
    const uint32_t base = letter == 'x' ? 16 : letter == 'o' ? 8 : 2;
    u128 value = 0;
    for (size_t i = 2; i < raw.size; i++) {
        if (raw.data[i] == '_') {
            continue;
        }
        if (!is_digit_of(raw.data[i], base)) {
            return FAIL_SQL(err, FIRN_INVALID, SYNTAX, token->position + i,
                            "\"%c\" is no digit of a number that begins with 0%c", raw.data[i],
                            letter);
        }
        if (__builtin_mul_overflow(value, (u128)base, &value) ||
            __builtin_add_overflow(value, (u128)digit_value(raw.data[i]), &value)) {
            return FAIL_SQL(err, FIRN_INVALID, OUT_OF_RANGE, token->position,
                            "the number \"%.*s\" has more than 128 bits", TEXT_ARGS(raw));
        }
    }
    char digits[40];
    size_t at = sizeof digits;
    do {
        at -= 1;
        digits[at] = (char)('0' + (uint32_t)(value % 10));
        value /= 10;
    } while (value > 0);
    const size_t size = sizeof digits - at;
    char *copy;
    TRY(new_bytes(memory, size, &copy, err));
    memcpy(copy, digits + at, size);
    *out = (text){.data = copy, .size = size};
    return FIRN_OK;
}

firn_status sql_token_number(text sql, const sql_token *token, arena *memory, text *out,
                             firn_error *err) {
    const text raw = sql_token_raw(sql, token);
    if (token->kind == TOKEN_INTEGER && raw.size > 2 && raw.data[1] > '9' && raw.data[1] != '_') {
        return radix_number(raw, token, memory, out, err);
    }
    *out = raw;
    if (memchr(raw.data, '_', raw.size) == NULL) {
        return FIRN_OK;
    }
    char *copy;
    TRY(new_bytes(memory, raw.size, &copy, err));
    size_t size = 0;
    for (size_t i = 0; i < raw.size; i++) {
        if (raw.data[i] != '_') {
            copy[size] = raw.data[i];
            size += 1;
        }
    }
    *out = (text){.data = copy, .size = size};
    return FIRN_OK;
}

firn_status sql_token_bytes(text sql, const sql_token *token, arena *memory, text *out,
                            firn_error *err) {
    text digits;
    TRY(take_quoted(sql, token, 1, memory, &digits, err));
    if (token->kind == TOKEN_BITS) {
        for (size_t i = 0; i < digits.size; i++) {
            if (digits.data[i] != '0' && digits.data[i] != '1') {
                return FAIL_SQL(err, FIRN_INVALID, SYNTAX, token->position,
                                "a bit text holds only 0 and 1");
            }
        }
        *out = digits;
        return FIRN_OK;
    }
    char *copy;
    TRY(new_bytes(memory, digits.size / 2, &copy, err));
    if (!hex_parse(digits, (uint8_t *)copy)) {
        return FAIL_SQL(err, FIRN_INVALID, SYNTAX, token->position,
                        "a binary text holds an even number of the digits 0 to 9 and A to F");
    }
    *out = (text){.data = copy, .size = digits.size / 2};
    return FIRN_OK;
}
