// Reads SQL as far as needed to know what is a word, a comment, a text in quotes. It may be wrong
// SQL: that is why it is shown.
#include "masked_sql.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define WORD_SIZE_MAX 16 // Of words that are compared by their spelling.

typedef struct masker {
    char *sql;
    size_t size;
    bool is_first_word; // None of the statement was read yet.
    bool is_attach;     // The statement is, or was meant to be.
    bool has_place;     // Of ATTACH: AS or the bracket of options has come.
    bool is_name;       // Of an option: its value follows.
    bool is_secret;     // A value that may be one, until it ends …
    size_t depth;       // … outside so many brackets in it.
    size_t options;     // Brackets of ATTACH around its options: 0 or 1.
} masker;

typedef struct span {
    size_t begin, end;   // With quotes.
    size_t inner, outer; // Without them.
    bool is_literal;     // A text, and no name.
} span;

static bool is_word_byte(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || ((unsigned char)byte & 0x80) != 0;
}

static size_t word_end(const char *sql, size_t size, size_t at) {
    while (at < size && is_word_byte(sql[at])) {
        at += 1;
    }
    return at;
}

static bool is_same(const char *word, size_t size, const char *known) {
    return strlen(known) == size && strncasecmp(known, word, size) == 0;
}

static bool has_part(const char *word, size_t size, const char *part) {
    const size_t length = strlen(part);
    for (size_t i = 0; i + length <= size; i++) {
        if (strncasecmp(word + i, part, length) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_secret_name(const char *word, size_t size) {
    static const char *const parts[] = {"TOKEN", "SECRET", "PASSW", "CREDENTIAL", "HEADERS"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (has_part(word, size, parts[i])) {
            return true;
        }
    }
    return false;
}

// Options of ATTACH whose values may be shown; the library's own list is in printer_statement.c.
static bool is_harmless_option(const char *word, size_t size) {
    static const char *const names[] = {
        "TYPE",  "WAREHOUSE",         "CATALOG_NAME",    "CONNECT_TIMEOUT",
        "SCOPE", "OAUTH2_SERVER_URI", "REQUEST_TIMEOUT", "READ_ONLY",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (is_same(word, size, names[i])) {
            return true;
        }
    }
    return false;
}

// Is a word ATTACH, or with up to two letters wrong?
static bool is_like_attach(const char *word, size_t size) {
    static const char attach[] = "ATTACH";
    if (size > WORD_SIZE_MAX) {
        return false;
    }
    size_t before[sizeof attach];
    for (size_t i = 0; i < sizeof attach; i++) {
        before[i] = i;
    }
    for (size_t k = 0; k < size; k++) {
        size_t corner = before[0];
        before[0] = k + 1;
        for (size_t i = 1; i < sizeof attach; i++) {
            const size_t kept = corner + (strncasecmp(&attach[i - 1], word + k, 1) != 0);
            const size_t dropped = before[i] + 1;
            const size_t added = before[i - 1] + 1;
            corner = before[i];
            before[i] = kept < dropped ? kept : dropped;
            before[i] = before[i] < added ? before[i] : added;
        }
    }
    return before[sizeof attach - 1] <= 2;
}

/// The text in quotes that begins at `at`; two quotes in it are one, and where `has_escapes` also
/// what follows '\'.
static span quoted_span(const masker *self, size_t at, bool has_escapes) {
    const char *sql = self->sql;
    const char quote = sql[at];
    size_t end = at + 1;
    while (end < self->size &&
           (sql[end] != quote || (end + 1 < self->size && sql[end + 1] == quote))) {
        end += sql[end] == quote || (has_escapes && sql[end] == '\\') ? 2 : 1;
    }
    const bool is_closed = end < self->size;
    end = is_closed ? end : self->size;
    return (span){.begin = at,
                  .end = is_closed ? end + 1 : end,
                  .inner = at + 1,
                  .outer = end,
                  .is_literal = quote == '\''};
}

/// $$text$$ or $tag$text$tag$; end is 0 where it is none.
static span dollar_span(const masker *self, size_t at) {
    const size_t tag_end = word_end(self->sql, self->size, at + 1);
    const bool is_number =
        at + 1 < self->size && self->sql[at + 1] >= '0' && self->sql[at + 1] <= '9';
    if (tag_end >= self->size || self->sql[tag_end] != '$' || is_number) {
        return (span){0};
    }
    const size_t length = tag_end + 1 - at;
    size_t outer = tag_end + 1;
    while (outer + length <= self->size && memcmp(self->sql + outer, self->sql + at, length) != 0) {
        outer += 1;
    }
    const bool is_closed = outer + length <= self->size;
    return (span){.begin = at,
                  .end = is_closed ? outer + length : self->size,
                  .inner = tag_end + 1,
                  .outer = is_closed ? outer : self->size,
                  .is_literal = true};
}

/// The place behind the comment that begins at `at`; `at` where none does. Blocks nest.
static size_t comment_end(const masker *self, size_t at) {
    const char *sql = self->sql;
    if (at + 1 >= self->size) {
        return at;
    }
    if (sql[at] == '-' && sql[at + 1] == '-') {
        while (at < self->size && sql[at] != '\n') {
            at += 1;
        }
        return at;
    }
    size_t depth = 0;
    while (at + 1 < self->size && (depth > 0 || (sql[at] == '/' && sql[at + 1] == '*'))) {
        const bool is_begin = sql[at] == '/' && sql[at + 1] == '*';
        const bool is_end = sql[at] == '*' && sql[at + 1] == '/';
        depth = depth + is_begin - is_end;
        at += is_begin || is_end ? 2 : 1;
        if (depth == 0) {
            return at;
        }
    }
    return depth > 0 ? self->size : at;
}

/// Of each 'scheme://user:password@host/…?query': user and password, and the query, where
/// signatures are.
static void mask_addresses(char *text, size_t size) {
    for (size_t at = 0; at + 3 <= size; at++) {
        if (memcmp(text + at, "://", 3) != 0) {
            continue;
        }
        const size_t begin = at + 3;
        size_t host = begin;
        size_t end = begin;
        while (end < size && memchr("/?#", text[end], 3) == NULL) {
            host = text[end] == '@' ? end : host;
            end += 1;
        }
        memset(text + begin, '*', host - begin);
        while (end < size && memchr("?# ", text[end], 3) == NULL) {
            end += 1;
        }
        if (end < size && text[end] != ' ') {
            memset(text + end + 1, '*', size - end - 1);
            return;
        }
    }
}

// Letters and digits of a value that is in no quotes.
static void mask_words(char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        text[i] = is_word_byte(text[i]) ? '*' : text[i];
    }
}

static void begin_value(masker *self, const char *name, size_t size) {
    self->is_name = false;
    self->is_secret = !is_harmless_option(name, size);
    self->depth = 0;
}

static void see_text(masker *self, const span *found) {
    char *inner = self->sql + found->inner;
    const size_t size = found->outer - found->inner;
    if (self->is_name && !found->is_literal) {
        begin_value(self, inner, size);
    } else if (self->is_secret || self->is_name ||
               (self->has_place && found->is_literal && self->options == 0)) {
        memset(inner, '*', size);
    } else {
        if (!found->is_literal && is_secret_name(inner, size)) {
            self->is_secret = true;
            self->depth = 0;
        }
        mask_addresses(inner, size);
    }
    self->is_first_word = false;
}

static void see_word(masker *self, size_t at, size_t end) {
    char *word = self->sql + at;
    const size_t size = end - at;
    const bool is_first = self->is_first_word;
    self->is_first_word = false;
    if (self->is_attach && self->is_name) {
        begin_value(self, word, size);
    } else if (self->is_attach && self->is_secret) {
        mask_words(word, size);
    } else if (is_same(word, size, "ATTACH") || (is_first && is_like_attach(word, size))) {
        self->is_attach = true;
    } else if (!self->is_secret && is_secret_name(word, size)) {
        self->is_secret = true;
        self->depth = 0;
    }
    self->has_place = self->has_place || (self->is_attach && is_same(word, size, "AS"));
}

static void see_sign(masker *self, char byte) {
    const bool is_open = byte == '{' || byte == '(' || byte == '[';
    const bool is_close = byte == '}' || byte == ')' || byte == ']';
    if (byte == ';') {
        *self = (masker){.sql = self->sql, .size = self->size, .is_first_word = true};
    } else if (self->is_attach && self->options == 0 && byte == '(') {
        self->options = 1;
        self->has_place = true;
        self->is_name = true;
        self->is_secret = false;
    } else if (self->depth == 0 && (byte == ',' || is_close)) {
        self->is_secret = false;
        self->is_name = self->options > 0 && byte == ',';
        self->options = is_close ? 0 : self->options;
    } else {
        self->depth += is_open;
        self->depth -= is_close && self->depth > 0;
    }
}

void cli_mask_secrets(char *sql, size_t size) {
    masker self = {.sql = sql, .size = size, .is_first_word = true};
    for (size_t at = 0; at < size;) {
        const char byte = sql[at];
        const size_t behind = comment_end(&self, at);
        span found = {0};
        if (behind > at) {
            if (self.is_attach) {
                mask_words(sql + at, behind - at);
            }
            at = behind;
            continue;
        }
        if (byte == '\'' || byte == '"') {
            const bool has_escapes = at > 0 && (sql[at - 1] == 'e' || sql[at - 1] == 'E') &&
                                     (at == 1 || !is_word_byte(sql[at - 2]));
            found = quoted_span(&self, at, has_escapes);
        } else if (byte == '$') {
            found = dollar_span(&self, at);
        }
        if (found.end > 0) {
            see_text(&self, &found);
            at = found.end;
        } else if (is_word_byte(byte)) {
            const size_t end = word_end(sql, size, at);
            // The letters before a quote are of the text: E'…', X'…'.
            if (end == size || sql[end] != '\'') {
                see_word(&self, at, end);
            }
            at = end;
        } else {
            see_sign(&self, byte);
            at += 1;
        }
    }
}
