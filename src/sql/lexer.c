// A table says what each byte may begin or continue; one function per kind of token does the rest.
// `at` only moves forward and never past the end, so every loop ends with the text.
#include "sql/lexer.h"

#include <assert.h>

#define SYNTAX "42601"

enum {
    START = 1, // Begins a word: letters, _, every byte of UTF-8 beyond ASCII.
    WORD = 2,  // Goes on a word: the same, digits and $.
    DIGIT = 4,
    HEX = 8,
    BLANK = 16,
};

// clang-format off
#define N 0
#define B BLANK
#define D (WORD | DIGIT | HEX)
#define H (START | WORD | HEX)
#define L (START | WORD)
#define LETTERS_16 L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L
static const uint8_t byte_classes[256] = {
    N, N, N, N, N, N, N, N, N, B, B, B, B, B, N, N,
    N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N,
    B, N, N, N, WORD, N, N, N, N, N, N, N, N, N, N, N,
    D, D, D, D, D, D, D, D, D, D, N, N, N, N, N, N,
    N, H, H, H, H, H, H, L, L, L, L, L, L, L, L, L,
    L, L, L, L, L, L, L, L, L, L, L, N, N, N, N, L,
    N, H, H, H, H, H, H, L, L, L, L, L, L, L, L, L,
    L, L, L, L, L, L, L, L, L, L, L, N, N, N, N, N,
    LETTERS_16, LETTERS_16, LETTERS_16, LETTERS_16,
    LETTERS_16, LETTERS_16, LETTERS_16, LETTERS_16,
};
#undef N
#undef B
#undef D
#undef H
#undef L

// Bytes that are a token wherever they stand: what most symbols are.
static const uint8_t single_kinds[256] = {
    [','] = TOKEN_COMMA,        ['('] = TOKEN_LEFT_PAREN,    [')'] = TOKEN_RIGHT_PAREN,
    ['.'] = TOKEN_DOT,          [';'] = TOKEN_SEMICOLON,     ['['] = TOKEN_LEFT_BRACKET,
    [']'] = TOKEN_RIGHT_BRACKET, ['{'] = TOKEN_LEFT_BRACE,   ['}'] = TOKEN_RIGHT_BRACE,
    ['?'] = TOKEN_PARAMETER,
};

// Of those that begin alike, the longer stand first. SQL_OP_NONE: a mistake, see wrong_operator.
static const struct {
    char spelling[5];
    uint8_t size;
    uint8_t kind;
    uint8_t op;
} symbols[] = {
    {"==", 2, TOKEN_OPERATOR, SQL_OP_NONE},
    {"=>", 2, TOKEN_NAMED, 0},
    {"=", 1, TOKEN_OPERATOR, SQL_OP_EQUAL},
    {"*", 1, TOKEN_OPERATOR, SQL_OP_MULTIPLY},
    {"->>", 3, TOKEN_OPERATOR, SQL_OP_ARROW_TEXT},
    {"->", 2, TOKEN_OPERATOR, SQL_OP_ARROW},
    {"-", 1, TOKEN_OPERATOR, SQL_OP_SUBTRACT},
    {"+", 1, TOKEN_OPERATOR, SQL_OP_ADD},
    {"<=", 2, TOKEN_OPERATOR, SQL_OP_LESS_EQUAL},
    {"<>", 2, TOKEN_OPERATOR, SQL_OP_NOT_EQUAL},
    {"<<", 2, TOKEN_OPERATOR, SQL_OP_SHIFT_LEFT},
    {"<@", 2, TOKEN_OPERATOR, SQL_OP_CONTAINED},
    {"<", 1, TOKEN_OPERATOR, SQL_OP_LESS},
    {">=", 2, TOKEN_OPERATOR, SQL_OP_GREATER_EQUAL},
    {">>", 2, TOKEN_OPERATOR, SQL_OP_SHIFT_RIGHT},
    {">", 1, TOKEN_OPERATOR, SQL_OP_GREATER},
    {"//", 2, TOKEN_OPERATOR, SQL_OP_INTEGER_DIVIDE},
    {"/", 1, TOKEN_OPERATOR, SQL_OP_DIVIDE},
    {"||", 2, TOKEN_OPERATOR, SQL_OP_CONCAT},
    {"|", 1, TOKEN_OPERATOR, SQL_OP_BIT_OR},
    {"%", 1, TOKEN_OPERATOR, SQL_OP_MODULO},
    {"::", 2, TOKEN_CAST, 0},
    {":=", 2, TOKEN_ASSIGN, 0},
    {":", 1, TOKEN_COLON, 0},
    {"!=", 2, TOKEN_OPERATOR, SQL_OP_NOT_EQUAL},
    {"!~~*", 4, TOKEN_OPERATOR, SQL_OP_NOT_ILIKE},
    {"!~~", 3, TOKEN_OPERATOR, SQL_OP_NOT_LIKE},
    {"!~*", 3, TOKEN_OPERATOR, SQL_OP_NOT_MATCH_NOCASE},
    {"!~", 2, TOKEN_OPERATOR, SQL_OP_NOT_MATCH},
    {"~~*", 3, TOKEN_OPERATOR, SQL_OP_ILIKE},
    {"~~", 2, TOKEN_OPERATOR, SQL_OP_LIKE},
    {"~*", 2, TOKEN_OPERATOR, SQL_OP_MATCH_NOCASE},
    {"~", 1, TOKEN_OPERATOR, SQL_OP_MATCH},
    {"^@", 2, TOKEN_OPERATOR, SQL_OP_STARTS_WITH},
    {"^", 1, TOKEN_OPERATOR, SQL_OP_POWER},
    {"#>>", 3, TOKEN_OPERATOR, SQL_OP_HASH_ARROW_TEXT},
    {"#>", 2, TOKEN_OPERATOR, SQL_OP_HASH_ARROW},
    {"#", 1, TOKEN_OPERATOR, SQL_OP_BIT_XOR},
    {"&&", 2, TOKEN_OPERATOR, SQL_OP_OVERLAP},
    {"&", 1, TOKEN_OPERATOR, SQL_OP_BIT_AND},
    {"@>", 2, TOKEN_OPERATOR, SQL_OP_CONTAINS},
};
// clang-format on

static bool is_end(const sql_lexer *self) {
    return self->at == self->sql.size;
}

// The byte `ahead` of the next one, 0 behind the end. A NUL in the text belongs to no class either.
static uint8_t byte_at(const sql_lexer *self, uint32_t ahead) {
    return ahead < self->sql.size - self->at ? (uint8_t)self->sql.data[self->at + ahead] : 0;
}

static bool is_class(uint8_t byte, uint32_t class) {
    return (byte_classes[byte] & class) != 0;
}

static void skip_class(sql_lexer *self, uint32_t class) {
    while (!is_end(self) && is_class((uint8_t)self->sql.data[self->at], class)) {
        self->at += 1;
    }
}

static firn_status never_closed(const sql_token *token, const char *what, const char *hint,
                                firn_error *err) {
    firn_status status = FAIL_SQL(err, FIRN_INVALID, SYNTAX, token->position,
                                  "the %s that begins here is never closed", what);
    err_hint(err, "%s", hint);
    return status;
}

static firn_status skip_comment(sql_lexer *self, firn_error *err) {
    const sql_token start = {.position = self->at};
    uint32_t depth = 0;
    do {
        if (is_end(self)) {
            return never_closed(&start, "comment", "close it with */, as often as it was opened",
                                err);
        }
        const uint8_t first = byte_at(self, 0);
        const uint8_t second = byte_at(self, 1);
        if (first == '/' && second == '*') {
            depth += 1;
            self->at += 2;
        } else if (first == '*' && second == '/') {
            depth -= 1;
            self->at += 2;
        } else {
            self->at += 1;
        }
    } while (depth > 0);
    return FIRN_OK;
}

static firn_status skip_blanks(sql_lexer *self, firn_error *err) {
    for (;;) {
        skip_class(self, BLANK);
        const uint8_t first = byte_at(self, 0);
        if (first == '-' && byte_at(self, 1) == '-') {
            const char *from = self->sql.data + self->at;
            const size_t left = self->sql.size - self->at;
            const char *end = memchr(from, '\n', left);
            self->at += (uint32_t)(end == NULL ? left : (size_t)(end - from));
        } else if (first == '/' && byte_at(self, 1) == '*') {
            TRY(skip_comment(self, err));
        } else {
            return FIRN_OK;
        }
    }
}

// Moves behind the next `quote` that is not doubled. With `has_escapes` a backslash protects the
// byte behind it. False when there is none.
static bool skip_quoted(sql_lexer *self, char quote, bool has_escapes) {
    while (!is_end(self)) {
        const char byte = self->sql.data[self->at];
        self->at += 1;
        if (byte == quote) {
            if (byte_at(self, 0) != (uint8_t)quote) {
                return true;
            }
            self->at += 1;
        } else if (byte == '\\' && has_escapes && !is_end(self)) {
            self->at += 1;
        }
    }
    return false;
}

// Whether behind the closing quote come blanks with a line break and another quote: then the text
// goes on there, as SQL has it.
static bool skip_to_continuation(sql_lexer *self) {
    const uint32_t closed = self->at;
    bool has_line_break = false;
    for (; is_class(byte_at(self, 0), BLANK); self->at++) {
        has_line_break |= byte_at(self, 0) == '\n';
    }
    if (has_line_break && byte_at(self, 0) == '\'') {
        self->at += 1;
        return true;
    }
    self->at = closed;
    return false;
}

// `self` stands behind the opening quote.
static firn_status lex_string(sql_lexer *self, sql_token *out, firn_error *err) {
    const bool has_escapes = out->kind == TOKEN_ESCAPE_STRING;
    do {
        if (!skip_quoted(self, '\'', has_escapes)) {
            return never_closed(out, "text", "close it with '; inside a text ' is written ''", err);
        }
    } while (skip_to_continuation(self));
    return FIRN_OK;
}

static firn_status lex_quoted_name(sql_lexer *self, sql_token *out, firn_error *err) {
    const uint32_t opened = self->at;
    const char quote = self->sql.data[opened];
    self->at += 1;
    out->kind = TOKEN_QUOTED;
    if (!skip_quoted(self, quote, false)) {
        return never_closed(out, "quoted name", "close it; inside a name the quote is doubled",
                            err);
    }
    if (self->at - opened == 2) {
        return FAIL_SQL(err, FIRN_INVALID, SYNTAX, out->position, "a quoted name without a letter");
    }
    return FIRN_OK;
}

// E'..', X'..', B'..': the letter was read as a word of its own.
static firn_status lex_prefixed(sql_lexer *self, sql_token *out, firn_error *err) {
    const uint8_t letter = (uint8_t)self->sql.data[out->position] | 0x20;
    out->kind = letter == 'e' ? TOKEN_ESCAPE_STRING : letter == 'x' ? TOKEN_BLOB : TOKEN_BITS;
    self->at += 1;
    return lex_string(self, out, err);
}

// [UESCAPE 'c'] behind U&'text' or U&"name", which takes it in.
static firn_status lex_uescape(sql_lexer *self, sql_token *out, firn_error *err) {
    const text word = TEXT("UESCAPE");
    const uint32_t closed = self->at;
    TRY(skip_blanks(self, err));
    const uint32_t begin = self->at;
    skip_class(self, WORD);
    if (!text_equal_nocase(text_slice(self->sql, begin, self->at), word)) {
        self->at = closed;
        return FIRN_OK;
    }
    TRY(skip_blanks(self, err));
    const uint8_t sign = byte_at(self, 1);
    const bool is_closed =
        byte_at(self, 0) == '\'' && byte_at(self, 2) == '\'' && byte_at(self, 3) != '\'';
    if (!is_closed || sign <= ' ' || sign >= 0x7f || is_class(sign, HEX) || sign == '+' ||
        sign == '\'' || sign == '"') {
        const firn_status status =
            FAIL_SQL(err, FIRN_INVALID, SYNTAX, self->at, "behind UESCAPE stands no escape sign");
        err_hint(err, "it is one character in quotes such as '!', no digit 0 to 9 or A to F, no "
                      "+, quote or blank");
        return status;
    }
    self->at += 3;
    out->escape = sign;
    return FIRN_OK;
}

// U&'text', U&"name": the letter was read as a word of its own.
static firn_status lex_unicode(sql_lexer *self, sql_token *out, firn_error *err) {
    self->at += 1;
    if (byte_at(self, 0) == '"') {
        TRY(lex_quoted_name(self, out, err));
    } else {
        self->at += 1;
        out->kind = TOKEN_STRING;
        TRY(lex_string(self, out, err));
    }
    out->escape = '\\';
    return lex_uescape(self, out, err);
}

static firn_status lex_word(sql_lexer *self, sql_token *out, firn_error *err) {
    const uint8_t *bytes = (const uint8_t *)self->sql.data;
    const size_t size = self->sql.size;
    uint32_t at = self->at;
    uint32_t hash = KEYWORD_HASH_START;
    uint8_t all_bits = 0;
    while (at < size && is_class(bytes[at], WORD)) {
        hash = sql_keyword_hash_add(hash, bytes[at]);
        all_bits |= bytes[at];
        at += 1;
    }
    const text word = {.data = self->sql.data + self->at, .size = at - self->at};
    self->at = at;
    if (word.size == 1 && byte_at(self, 0) == '\'') {
        const uint8_t letter = (uint8_t)word.data[0] | 0x20;
        if (letter == 'e' || letter == 'x' || letter == 'b') {
            return lex_prefixed(self, out, err);
        }
    }
    if (word.size == 1 && byte_at(self, 0) == '&' && ((uint8_t)word.data[0] | 0x20) == 'u' &&
        (byte_at(self, 1) == '\'' || byte_at(self, 1) == '"')) {
        return lex_unicode(self, out, err);
    }
    out->kind = TOKEN_WORD;
    out->is_ascii = all_bits < 0x80;
    out->keyword = (uint16_t)sql_keyword_find(word, hash);
    return FIRN_OK;
}

// Digits with single _ between them.
static void skip_digits(sql_lexer *self, uint32_t class) {
    skip_class(self, class);
    while (byte_at(self, 0) == '_' && is_class(byte_at(self, 1), class)) {
        self->at += 1;
        skip_class(self, class);
    }
}

// The class of the digits behind 0x, 0o, 0b; 0 if none of them begins here.
static uint32_t radix_digits(const sql_lexer *self) {
    const uint8_t letter = byte_at(self, 1) | 0x20;
    if (byte_at(self, 0) != '0' || (letter != 'x' && letter != 'o' && letter != 'b')) {
        return 0;
    }
    const uint32_t class = letter == 'x' ? HEX : DIGIT;
    return is_class(byte_at(self, 2), class) ? class : 0;
}

// After a number comes no letter: 12abc is neither a number nor a name.
static firn_status refuse_junk(sql_lexer *self, const sql_token *token, firn_error *err) {
    const uint32_t end = self->at;
    skip_class(self, WORD);
    if (self->at == end) {
        return FIRN_OK;
    }
    const text junk = text_slice(self->sql, end, self->at);
    firn_status status = FAIL_SQL(err, FIRN_INVALID, SYNTAX, end,
                                  "a number is followed at once by \"%.*s\"", TEXT_ARGS(junk));
    err_hint(err, "a name that begins with a digit must be quoted: \"%.*s\"",
             (int)(self->at - token->position), self->sql.data + token->position);
    return status;
}

static firn_status lex_number(sql_lexer *self, sql_token *out, firn_error *err) {
    out->kind = TOKEN_INTEGER;
    const uint32_t radix_class = radix_digits(self);
    if (radix_class != 0) {
        self->at += 2;
        skip_digits(self, radix_class);
    } else {
        skip_digits(self, DIGIT);
        if (byte_at(self, 0) == '.') {
            out->kind = TOKEN_DECIMAL;
            self->at += 1;
            skip_digits(self, DIGIT);
        }
        if ((byte_at(self, 0) | 0x20) == 'e') {
            const uint32_t sign = byte_at(self, 1) == '+' || byte_at(self, 1) == '-' ? 1 : 0;
            if (is_class(byte_at(self, 1 + sign), DIGIT)) {
                out->kind = TOKEN_DOUBLE;
                self->at += 1 + sign;
                skip_digits(self, DIGIT);
            }
        }
    }
    return refuse_junk(self, out, err);
}

// $1, $name, $$text$$, $tag$text$tag$.
static firn_status lex_dollar(sql_lexer *self, sql_token *out, firn_error *err) {
    self->at += 1;
    out->kind = TOKEN_PARAMETER;
    if (is_class(byte_at(self, 0), DIGIT)) {
        skip_class(self, DIGIT);
        return refuse_junk(self, out, err);
    }
    const uint32_t name = self->at;
    while (is_class(byte_at(self, 0), WORD) && byte_at(self, 0) != '$') {
        self->at += 1;
    }
    if (byte_at(self, 0) != '$') {
        if (self->at == name) {
            return FAIL_SQL(err, FIRN_INVALID, SYNTAX, out->position,
                            "\"$\" without the number or name of a parameter behind it");
        }
        return FIRN_OK;
    }
    self->at += 1;
    out->kind = TOKEN_DOLLAR_STRING;
    const text tag = text_slice(self->sql, out->position, self->at);
    const text rest = text_slice(self->sql, self->at, self->sql.size);
    const size_t end = text_find(rest, tag);
    if (end == rest.size) {
        return never_closed(out, "text", "close it with the same $tag$", err);
    }
    self->at += (uint32_t)(end + tag.size);
    return FIRN_OK;
}

static firn_status wrong_operator(const sql_token *token, firn_error *err) {
    firn_status status =
        FAIL_SQL(err, FIRN_INVALID, SYNTAX, token->position, "\"==\" is no operator of SQL");
    err_hint(err, "equality is written =");
    return status;
}

static firn_status lex_symbol(sql_lexer *self, sql_token *out, firn_error *err) {
    const char *at = self->sql.data + self->at;
    const size_t left = self->sql.size - self->at;
    out->kind = single_kinds[(uint8_t)at[0]];
    if (out->kind != TOKEN_END) {
        self->at += 1;
        return FIRN_OK;
    }
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        const size_t size = symbols[i].size;
        if (symbols[i].spelling[0] == at[0] && size <= left &&
            memcmp(symbols[i].spelling, at, size) == 0) {
            out->kind = symbols[i].kind;
            out->op = symbols[i].op;
            self->at += symbols[i].size;
            return out->kind == TOKEN_OPERATOR && out->op == SQL_OP_NONE ? wrong_operator(out, err)
                                                                         : FIRN_OK;
        }
    }
    const uint8_t byte = (uint8_t)at[0];
    if (byte < ' ' || byte == 0x7f) {
        return FAIL_SQL(err, FIRN_INVALID, SYNTAX, out->position,
                        "the control character 0x%02x stands outside of any text", byte);
    }
    return FAIL_SQL(err, FIRN_INVALID, SYNTAX, out->position, "\"%c\" begins nothing in SQL", byte);
}

firn_status sql_lexer_next(sql_lexer *self, sql_token *out, firn_error *err) {
    assert(self->sql.size <= UINT32_MAX && self->at <= self->sql.size);

    if (self->at == 0 && text_starts_with(self->sql, TEXT("\xef\xbb\xbf"))) {
        self->at = 3;
    }
    TRY(skip_blanks(self, err));
    *out = (sql_token){.kind = TOKEN_END, .position = self->at};
    if (is_end(self)) {
        return FIRN_OK;
    }
    const uint8_t first = byte_at(self, 0);
    firn_status status = FIRN_OK;
    if (is_class(first, START)) {
        status = lex_word(self, out, err);
    } else if (is_class(first, DIGIT) || (first == '.' && is_class(byte_at(self, 1), DIGIT))) {
        status = lex_number(self, out, err);
    } else if (first == '\'') {
        self->at += 1;
        out->kind = TOKEN_STRING;
        status = lex_string(self, out, err);
    } else if (first == '"' || first == '`') {
        status = lex_quoted_name(self, out, err);
    } else if (first == '$') {
        status = lex_dollar(self, out, err);
    } else {
        status = lex_symbol(self, out, err);
    }
    out->length = self->at - out->position;
    return status;
}
