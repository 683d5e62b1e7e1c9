#include "base/json.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/compiler.h"
#include "base/utf8.h"

#define FAIL_TEXT_MAX 256

// What may come next.
enum {
    STATE_VALUE,        // A value.
    STATE_FIRST_VALUE,  // A value, or the end of the array that has just begun.
    STATE_FIRST_KEY,    // A key, or the end of the object that has just begun.
    STATE_BEHIND_VALUE, // A comma and more, or the end of what is open.
};

// ---- Messages ----------------------------------------------------------------------------------

const char *json_kind_words(json_kind kind) {
    static const char *const words[JSON_KIND_COUNT] = {
#define X(name, words) [JSON_##name] = words,
        JSON_KIND_LIST(X)
#undef X
    };
    return words[kind];
}

firn_status json_fail(const json_reader *self, size_t position, firn_error *err, const char *format,
                      ...) {
    char what[FAIL_TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    size_t line = 1;
    size_t line_start = 0;
    for (size_t at = 0; at < position; at++) {
        if (self->start[at] == '\n') {
            line += 1;
            line_start = at + 1;
        }
    }
    return FAIL(err, FIRN_CORRUPT, "JSON line %zu, column %zu: %s", line, position - line_start + 1,
                what);
}

// "x is here" for what stands at `at`, be it printable or not.
static firn_status fail_here(const json_reader *self, const uint8_t *at, firn_error *err,
                             const char *required) {
    const size_t position = (size_t)(at - self->start);
    if (at == self->end) {
        return json_fail(self, position, err, "the text ends, %s is required", required);
    }
    if (*at > ' ' && *at < 0x7f) {
        return json_fail(self, position, err, "\"%c\" is here, %s is required", *at, required);
    }
    return json_fail(self, position, err, "the byte 0x%02x is here, %s is required", *at, required);
}

// ---- Strings -----------------------------------------------------------------------------------

static bool is_special(uint8_t byte) {
    return byte == '"' || byte == '\\' || byte < 0x20;
}

// Runs to the next quote, backslash or control character. *high keeps a bit if a byte above 0x7f
// was passed.
static inline const uint8_t *run_string(const uint8_t *at, const uint8_t *end, uint32_t *high) {
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1f);
    for (; end - at >= 16; at += 16) {
        const __m128i input = _mm_loadu_si128((const __m128i *)(const void *)at);
        const __m128i found = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(input, quote), _mm_cmpeq_epi8(input, backslash)),
            _mm_cmpeq_epi8(_mm_min_epu8(input, control), input));
        const uint32_t mask = (uint32_t)_mm_movemask_epi8(found);
        const uint32_t top = (uint32_t)_mm_movemask_epi8(input);
        if (mask != 0) {
            *high |= top & (mask - 1); // Only of the bytes before the first that was found.
            return at + __builtin_ctz(mask);
        }
        *high |= top;
    }
#endif
    for (; at < end && !is_special(*at); at++) {
        *high |= *at & 0x80;
    }
    return at;
}

// The number of four hexadecimal digits, or -1.
static int32_t read_hex4(const uint8_t *at, const uint8_t *end) {
    if (end - at < 4) {
        return -1;
    }
    int32_t value = 0;
    for (size_t i = 0; i < 4; i++) {
        const uint8_t byte = at[i];
        const uint8_t letter = byte | 0x20;
        if (byte >= '0' && byte <= '9') {
            value = value << 4 | (byte - '0');
        } else if (letter >= 'a' && letter <= 'f') {
            value = value << 4 | (letter - 'a' + 10);
        } else {
            return -1;
        }
    }
    return value;
}

// Reads what follows `\`; the code point, and `*at` behind it. -1 if that is no escape, or half of
// a surrogate pair.
static int32_t read_escape(const uint8_t **at, const uint8_t *end) {
    const uint8_t *from = *at;
    if (from == end) {
        return -1;
    }
    *at = from + 1;
    switch (*from) {
    case '"':
    case '\\':
    case '/':
        return *from;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'u':
        break;
    default:
        return -1;
    }
    const int32_t first = read_hex4(from + 1, end);
    if (first < 0 || (first >= 0xdc00 && first <= 0xdfff)) {
        return -1;
    }
    *at = from + 5;
    if (first < 0xd800 || first > 0xdbff) {
        return first;
    }
    if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u') {
        return -1;
    }
    const int32_t second = read_hex4(*at + 2, end);
    *at += 6;
    return second < 0xdc00 || second > 0xdfff
               ? -1
               : 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

// The part of read_string that few strings need: from the first byte that is not plain.
static firn_status finish_string(json_reader *self, const uint8_t *at, uint32_t *high,
                                 json_token *out, firn_error *err) {
    while (at < self->end && *at != '"') {
        const size_t position = (size_t)(at - self->start);
        if (*at != '\\') {
            return json_fail(self, position, err, "the control character 0x%02x is not escaped",
                             *at);
        }
        at += 1;
        if (read_escape(&at, self->end) < 0) {
            return json_fail(self, position, err, "this escape does not exist or is cut off");
        }
        out->has_escapes = true;
        at = run_string(at, self->end, high);
    }
    if (at == self->end) {
        return json_fail(self, out->position, err, "the string has no end");
    }
    self->at = at;
    return FIRN_OK;
}

// Reads a string whose first quote is at self->at, up to behind its last.
static inline firn_status read_string(json_reader *self, json_kind kind, json_token *out,
                                      firn_error *err) {
    const uint8_t *from = self->at + 1;
    uint32_t high = 0;
    out->kind = kind;
    out->has_escapes = false;
    const uint8_t *at = run_string(from, self->end, &high);
    if (LIKELY(at < self->end && *at == '"')) {
        self->at = at;
    } else {
        TRY(finish_string(self, at, &high, out, err));
    }
    const size_t size = (size_t)(self->at - from);
    out->raw = (text){.data = (const char *)from, .size = size};
    self->at += 1;
    if (high != 0) {
        const bytes raw = {.data = from, .size = size};
        const size_t valid = utf8_valid_size(raw);
        if (valid < size) {
            return json_fail(self, (size_t)(from - self->start) + valid, err,
                             "the bytes from 0x%02x on are not UTF-8", from[valid]);
        }
    }
    return FIRN_OK;
}

// ---- Other tokens ------------------------------------------------------------------------------

static bool is_digit(const uint8_t *at, const uint8_t *end) {
    return at < end && *at >= '0' && *at <= '9';
}

static const uint8_t *run_digits(const uint8_t *at, const uint8_t *end) {
    while (is_digit(at, end)) {
        at += 1;
    }
    return at;
}

static firn_status read_number(json_reader *self, json_token *out, firn_error *err) {
    const uint8_t *from = self->at;
    const uint8_t *end = self->end;
    const uint8_t *at = from;
    at += *at == '-';
    if (!is_digit(at, end)) {
        return fail_here(self, at, err, "a digit");
    }
    at = *at == '0' ? at + 1 : run_digits(at, end); // No other digit follows a leading zero.
    if (at < end && *at == '.') {
        if (!is_digit(at + 1, end)) {
            return fail_here(self, at + 1, err, "a digit");
        }
        at = run_digits(at + 1, end);
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at += 1;
        at += at < end && (*at == '+' || *at == '-');
        if (!is_digit(at, end)) {
            return fail_here(self, at, err, "a digit");
        }
        at = run_digits(at, end);
    }
    out->kind = JSON_NUMBER;
    out->raw = (text){.data = (const char *)from, .size = (size_t)(at - from)};
    self->at = at;
    return FIRN_OK;
}

static firn_status read_word(json_reader *self, text word, json_kind kind, json_token *out,
                             firn_error *err) {
    if ((size_t)(self->end - self->at) < word.size || memcmp(self->at, word.data, word.size) != 0) {
        return fail_here(self, self->at, err, "a value");
    }
    out->kind = kind;
    self->at += word.size;
    return FIRN_OK;
}

static firn_status begin_nested(json_reader *self, bool is_object, json_token *out,
                                firn_error *err) {
    if (self->depth == JSON_DEPTH_MAX) {
        return json_fail(self, out->position, err, "more than %d levels are nested",
                         JSON_DEPTH_MAX);
    }
    uint64_t *word = &self->is_object[self->depth / 64];
    const uint64_t bit = UINT64_C(1) << (self->depth % 64);
    *word = is_object ? *word | bit : *word & ~bit;
    self->depth += 1;
    self->at += 1;
    self->state = is_object ? STATE_FIRST_KEY : STATE_FIRST_VALUE;
    out->kind = is_object ? JSON_OBJECT : JSON_ARRAY;
    return FIRN_OK;
}

static firn_status end_nested(json_reader *self, json_kind kind, json_token *out) {
    assert(self->depth > 0);
    self->depth -= 1;
    self->at += 1;
    self->state = STATE_BEHIND_VALUE;
    out->kind = kind;
    return FIRN_OK;
}

static inline void skip_blanks(json_reader *self) {
    const uint8_t *at = self->at;
    while (at < self->end && *at <= ' ' &&
           (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) {
        at += 1;
    }
    self->at = at;
}

static firn_status read_value(json_reader *self, json_token *out, firn_error *err) {
    self->state = STATE_BEHIND_VALUE;
    switch (self->at < self->end ? *self->at : 0) {
    case '"':
        return read_string(self, JSON_STRING, out, err);
    case '{':
        return begin_nested(self, true, out, err);
    case '[':
        return begin_nested(self, false, out, err);
    case 't':
        return read_word(self, TEXT("true"), JSON_TRUE, out, err);
    case 'f':
        return read_word(self, TEXT("false"), JSON_FALSE, out, err);
    case 'n':
        return read_word(self, TEXT("null"), JSON_NULL, out, err);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return read_number(self, out, err);
    default:
        return fail_here(self, self->at, err, "a value");
    }
}

// Reads a key and the colon behind it.
static firn_status read_key(json_reader *self, json_token *out, firn_error *err) {
    if (self->at == self->end || *self->at != '"') {
        return fail_here(self, self->at, err, "a key in quotes");
    }
    TRY(read_string(self, JSON_KEY, out, err));
    if (self->at < self->end && *self->at != ':') {
        skip_blanks(self);
    }
    if (self->at == self->end || *self->at != ':') {
        return fail_here(self, self->at, err, "\":\"");
    }
    self->at += 1;
    self->state = STATE_VALUE;
    return FIRN_OK;
}

// Behind a value: the comma and what follows it, or the end of the object, array or document.
static firn_status read_on(json_reader *self, json_token *out, firn_error *err) {
    const uint8_t next = self->at < self->end ? *self->at : 0;
    if (self->depth == 0) {
        if (self->at == self->end) {
            out->kind = JSON_END;
            return FIRN_OK;
        }
        return self->takes_many ? read_value(self, out, err)
                                : fail_here(self, self->at, err, "the end");
    }
    const uint32_t level = self->depth - 1;
    const bool is_object = (self->is_object[level / 64] >> (level % 64) & 1) != 0;
    if (next == ',') {
        self->at += 1;
        skip_blanks(self);
        out->position = (size_t)(self->at - self->start);
        return is_object ? read_key(self, out, err) : read_value(self, out, err);
    }
    if (next == (is_object ? '}' : ']')) {
        return end_nested(self, is_object ? JSON_OBJECT_END : JSON_ARRAY_END, out);
    }
    return fail_here(self, self->at, err, is_object ? "\",\" or \"}\"" : "\",\" or \"]\"");
}

// ---- Interface: reading ------------------------------------------------------------------------

json_reader json_reader_open(bytes input) {
    const byte_reader whole = reader_open(input);
    return (json_reader){.start = whole.at, .at = whole.at, .end = whole.end, .state = STATE_VALUE};
}

json_reader json_reader_open_many(bytes input) {
    json_reader self = json_reader_open(input);
    self.takes_many = true;
    self.state = STATE_BEHIND_VALUE;
    return self;
}

firn_status json_next(json_reader *self, json_token *out, firn_error *err) {
    skip_blanks(self);
    out->position = (size_t)(self->at - self->start);
    switch (self->state) {
    case STATE_BEHIND_VALUE:
        return read_on(self, out, err);
    case STATE_FIRST_KEY:
        if (self->at < self->end && *self->at == '}') {
            return end_nested(self, JSON_OBJECT_END, out);
        }
        return read_key(self, out, err);
    case STATE_FIRST_VALUE:
        if (self->at < self->end && *self->at == ']') {
            return end_nested(self, JSON_ARRAY_END, out);
        }
        return read_value(self, out, err);
    default:
        return read_value(self, out, err);
    }
}

firn_status json_read(json_reader *self, json_kind kind, json_token *out, firn_error *err) {
    TRY(json_next(self, out, err));
    if (out->kind != kind) {
        return json_fail(self, out->position, err, "%s is here, %s is required",
                         json_kind_words(out->kind), json_kind_words(kind));
    }
    return FIRN_OK;
}

firn_status json_read_i64(json_reader *self, int64_t *out, firn_error *err) {
    json_token token = {.kind = JSON_END};
    TRY(json_read(self, JSON_NUMBER, &token, err));
    const number_answer answer = json_token_i64(&token, out);
    if (answer != NUMBER_OK) {
        return json_fail(self, token.position, err, "%.*s is here, %s is required",
                         (int)(token.raw.size < 40 ? token.raw.size : 40), token.raw.data,
                         answer == NUMBER_SYNTAX ? "a whole number" : "a number of 64 bits");
    }
    return FIRN_OK;
}

firn_status json_read_bool(json_reader *self, bool *out, firn_error *err) {
    json_token token = {.kind = JSON_END};
    TRY(json_next(self, &token, err));
    if (token.kind != JSON_TRUE && token.kind != JSON_FALSE) {
        return json_fail(self, token.position, err, "%s is here, true or false is required",
                         json_kind_words(token.kind));
    }
    *out = token.kind == JSON_TRUE;
    return FIRN_OK;
}

firn_status json_read_f64(json_reader *self, double *out, firn_error *err) {
    json_token token = {.kind = JSON_END};
    TRY(json_read(self, JSON_NUMBER, &token, err));
    if (number_parse_f64(token.raw, out) != NUMBER_OK) {
        return json_fail(self, token.position, err, "%.*s is above every double",
                         (int)(token.raw.size < 40 ? token.raw.size : 40), token.raw.data);
    }
    return FIRN_OK;
}

firn_status json_skip(json_reader *self, const json_token *token, firn_error *err) {
    json_token passed = *token;
    if (token->kind == JSON_KEY) {
        TRY(json_next(self, &passed, err));
    }
    if (passed.kind != JSON_OBJECT && passed.kind != JSON_ARRAY) {
        return FIRN_OK;
    }
    const uint32_t depth = self->depth - 1;
    while (self->depth > depth) { // Each round reads a token.
        TRY(json_next(self, &passed, err));
    }
    return FIRN_OK;
}

bool json_token_is(const json_token *token, text value) {
    if (!token->has_escapes) {
        return text_equal(token->raw, value);
    }
    const uint8_t *at = (const uint8_t *)token->raw.data;
    const uint8_t *end = at + token->raw.size;
    size_t matched = 0;
    while (at < end) {
        char code[UTF8_SIZE_MAX] = {(char)*at};
        size_t size = 1;
        at += 1;
        if (code[0] == '\\') {
            size = utf8_encode((uint32_t)read_escape(&at, end), code);
        }
        if (value.size - matched < size || memcmp(value.data + matched, code, size) != 0) {
            return false;
        }
        matched += size;
    }
    return matched == value.size;
}

size_t json_unescape(const json_token *token, char *out) {
    const uint8_t *at = (const uint8_t *)token->raw.data;
    const uint8_t *end = at + token->raw.size;
    size_t size = 0;
    while (at < end) {
        const uint8_t *backslash = token->has_escapes ? memchr(at, '\\', (size_t)(end - at)) : NULL;
        const size_t plain = (size_t)((backslash == NULL ? end : backslash) - at);
        memcpy(out + size, at, plain);
        size += plain;
        at += plain;
        if (at < end) {
            at += 1;
            char code[UTF8_SIZE_MAX];
            const size_t code_size = utf8_encode((uint32_t)read_escape(&at, end), code);
            memcpy(out + size, code, code_size);
            size += code_size;
        }
    }
    return size;
}

number_answer json_token_i64(const json_token *token, int64_t *out) {
    assert(token->kind == JSON_NUMBER);
    return number_parse_i64(token->raw, out);
}
