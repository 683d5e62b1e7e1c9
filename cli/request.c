#include "request.h"

#include <string.h>

enum { REQUEST_DEPTH_MAX = 32 };

typedef struct json_cursor {
    const char *data;
    size_t size;
    size_t at;
} json_cursor;

static char peek(json_cursor *self) {
    while (self->at < self->size && strchr(" \t\r\n", self->data[self->at]) != NULL &&
           self->data[self->at] != '\0') {
        self->at += 1;
    }
    return self->at < self->size ? self->data[self->at] : '\0';
}

static bool take(json_cursor *self, char letter) {
    if (peek(self) != letter) {
        return false;
    }
    self->at += 1;
    return true;
}

static bool read_hex(json_cursor *self, uint32_t *out) {
    *out = 0;
    for (int i = 0; i < 4; i++) {
        if (self->at >= self->size) {
            return false;
        }
        const char letter = self->data[self->at];
        const char *digits = "0123456789abcdef";
        const char lower = letter >= 'A' && letter <= 'F' ? (char)(letter + 32) : letter;
        const char *digit = strchr(digits, lower);
        if (digit == NULL || letter == '\0') {
            return false;
        }
        *out = *out << 4 | (uint32_t)(digit - digits);
        self->at += 1;
    }
    return true;
}

static void write_utf8(cli_sink *out, uint32_t code) {
    if (code < 0x80) {
        cli_sink_char(out, (char)code);
    } else if (code < 0x800) {
        cli_sink_char(out, (char)(0xC0 | code >> 6));
        cli_sink_char(out, (char)(0x80 | (code & 0x3F)));
    } else if (code < 0x10000) {
        cli_sink_char(out, (char)(0xE0 | code >> 12));
        cli_sink_char(out, (char)(0x80 | (code >> 6 & 0x3F)));
        cli_sink_char(out, (char)(0x80 | (code & 0x3F)));
    } else {
        cli_sink_char(out, (char)(0xF0 | code >> 18));
        cli_sink_char(out, (char)(0x80 | (code >> 12 & 0x3F)));
        cli_sink_char(out, (char)(0x80 | (code >> 6 & 0x3F)));
        cli_sink_char(out, (char)(0x80 | (code & 0x3F)));
    }
}

/// What follows \u: one code point, or two halves of one. A half alone becomes U+FFFD.
static bool read_code(json_cursor *self, cli_sink *out) {
    uint32_t code = 0;
    if (!read_hex(self, &code)) {
        return false;
    }
    if (code >= 0xD800 && code < 0xDC00 && self->at + 1 < self->size &&
        self->data[self->at] == '\\' && self->data[self->at + 1] == 'u') {
        const size_t before = self->at;
        uint32_t low = 0;
        self->at += 2;
        if (!read_hex(self, &low)) {
            return false;
        }
        if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        } else {
            self->at = before;
        }
    }
    write_utf8(out, code >= 0xD800 && code < 0xE000 ? 0xFFFD : code);
    return true;
}

static bool read_string(json_cursor *self, cli_sink *out) {
    static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    if (!take(self, '"')) {
        return false;
    }
    (void)cli_sink_reserve(out, 1); // Present, also when empty.
    while (self->at < self->size) {
        const char letter = self->data[self->at];
        self->at += 1;
        if (letter == '"') {
            return true;
        }
        if (letter != '\\') {
            cli_sink_char(out, letter);
            continue;
        }
        const char escaped = self->at < self->size ? self->data[self->at] : '\0';
        self->at += 1;
        if (escaped == 'u') {
            if (!read_code(self, out)) {
                return false;
            }
            continue;
        }
        size_t found = 0;
        while (escapes[found] != '\0' && escapes[found] != escaped) {
            found += 2;
        }
        if (escaped == '\0' || escapes[found] == '\0') {
            return false;
        }
        cli_sink_char(out, escapes[found + 1]);
    }
    return false;
}

/// Any value; texts go to `out`.
static bool read_value(json_cursor *self, cli_sink *out, int depth) {
    const char first = peek(self);
    if (first == '"') {
        return read_string(self, out);
    }
    if (first != '{' && first != '[') {
        const size_t begin = self->at;
        while (self->at < self->size && strchr(",]} \t\r\n", self->data[self->at]) == NULL) {
            self->at += 1;
        }
        return self->at > begin;
    }
    const char end = first == '{' ? '}' : ']';
    self->at += 1;
    if (depth == REQUEST_DEPTH_MAX) {
        return false;
    }
    cli_sink ignored = CLI_SINK_MEMORY;
    bool is_valid = true;
    bool is_ended = take(self, end);
    while (is_valid && !is_ended) {
        if (first == '{') {
            is_valid = read_string(self, &ignored) && take(self, ':');
        }
        is_valid = is_valid && read_value(self, &ignored, depth + 1);
        is_ended = is_valid && take(self, end);
        is_valid = is_valid && (is_ended || take(self, ','));
    }
    cli_sink_close(&ignored);
    return is_valid;
}

static cli_sink *member_of(cli_request *self, const cli_sink *name, const char **known) {
    const struct {
        const char *name;
        cli_sink *value;
    } members[] = {{"sql", &self->sql}, {"conn", &self->connection}, {"op", &self->operation}};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (cli_sink_is(name, members[i].name)) {
            *known = members[i].name;
            return members[i].value;
        }
    }
    return NULL;
}

cli_request_answer cli_request_read(const char *line, size_t size, cli_request *out,
                                    const char **wrong) {
    *out = (cli_request){CLI_SINK_MEMORY, CLI_SINK_MEMORY, CLI_SINK_MEMORY};
    *wrong = NULL;
    json_cursor cursor = {.data = line, .size = size};
    cli_sink name = CLI_SINK_MEMORY;
    cli_sink ignored = CLI_SINK_MEMORY;
    bool is_valid = take(&cursor, '{');
    bool is_ended = is_valid && take(&cursor, '}');
    while (is_valid && !is_ended) {
        cli_sink_reset(&name);
        is_valid = read_string(&cursor, &name) && take(&cursor, ':');
        const char *known = NULL;
        cli_sink *member = is_valid ? member_of(out, &name, &known) : NULL;
        if (member != NULL) {
            cli_sink_reset(member);
            *wrong = *wrong == NULL && peek(&cursor) != '"' ? known : *wrong;
        }
        is_valid = is_valid && read_value(&cursor, member == NULL ? &ignored : member, 0);
        is_ended = is_valid && take(&cursor, '}');
        is_valid = is_valid && (is_ended || take(&cursor, ','));
    }
    is_valid = is_valid && peek(&cursor) == '\0' && cursor.at == size;
    cli_sink_close(&name);
    cli_sink_close(&ignored);
    if (!is_valid) {
        return CLI_REQUEST_NO_OBJECT;
    }
    return *wrong == NULL ? CLI_REQUEST_READ : CLI_REQUEST_NO_TEXT;
}

void cli_request_close(cli_request *self) {
    cli_sink_close(&self->sql);
    cli_sink_close(&self->connection);
    cli_sink_close(&self->operation);
}
