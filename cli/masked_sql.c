#include "masked_sql.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool is_word_byte(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_';
}

static bool is_secret_word(const char *word, size_t size) {
    static const char *const words[] = {"TOKEN", "CREDENTIAL", "HEADERS"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i]) == size && strncasecmp(words[i], word, size) == 0) {
            return true;
        }
    }
    return false;
}

/// The place behind the quoted text that begins at `at`; two quotes in it are one.
static size_t quoted_end(const char *sql, size_t size, size_t at) {
    const char quote = sql[at];
    at += 1;
    while (at < size && (sql[at] != quote || (at + 1 < size && sql[at + 1] == quote))) {
        at += sql[at] == quote ? 2 : 1;
    }
    return at < size ? at + 1 : size;
}

/// Of 'scheme://user:password@host/…?query': user and password, and the query, where signatures
/// are.
static void mask_address(char *text, size_t size) {
    size_t begin = 0;
    while (begin + 3 <= size && memcmp(text + begin, "://", 3) != 0) {
        begin += 1;
    }
    if (begin + 3 > size) {
        return;
    }
    begin += 3;
    size_t end = begin;
    for (size_t i = begin; i < size && text[i] != '/'; i++) {
        end = text[i] == '@' ? i : end;
    }
    memset(text + begin, '*', end - begin);
    const char *query = memchr(text + end, '?', size - end);
    if (query != NULL) {
        const size_t at = (size_t)(query - text) + 1;
        memset(text + at, '*', size - at);
    }
}

void cli_mask_secrets(char *sql, size_t size) {
    bool is_secret = false; // Behind such a word, until its value ends.
    size_t depth = 0;       // Of brackets in that value.
    for (size_t at = 0; at < size;) {
        const char byte = sql[at];
        if (byte == '\'' || byte == '"') {
            const size_t end = quoted_end(sql, size, at);
            const size_t last = end > at + 1 && sql[end - 1] == byte ? end - 1 : end;
            if (is_secret) {
                memset(sql + at + 1, '*', last - at - 1);
            } else if (byte == '\'') {
                mask_address(sql + at + 1, last - at - 1);
            }
            at = end;
        } else if (is_word_byte(byte)) {
            size_t end = at;
            while (end < size && is_word_byte(sql[end])) {
                end += 1;
            }
            if (!is_secret && is_secret_word(sql + at, end - at)) {
                is_secret = true;
                depth = 0;
            }
            at = end;
        } else {
            depth += byte == '{' || byte == '(' || byte == '[';
            const bool is_closed = byte == '}' || byte == ')' || byte == ']';
            is_secret = is_secret && byte != ';' && (depth > 0 || (byte != ',' && !is_closed));
            depth -= is_closed && depth > 0;
            at += 1;
        }
    }
}
