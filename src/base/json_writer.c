// The writing half of json.h: commas, indentation and escapes.
#include <assert.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"

static void flush(json_writer *self) {
    if (self->used > 0) {
        self->sink.append(self->sink.user, self->buffer, self->used);
        self->used = 0;
    }
}

static void put(json_writer *self, const char *data, size_t size) {
    if (size > sizeof self->buffer - self->used) {
        flush(self);
        if (size > sizeof self->buffer) {
            self->sink.append(self->sink.user, data, size);
            return;
        }
    }
    if (size > 0) {
        memcpy(self->buffer + self->used, data, size);
        self->used += size;
    }
}

static void put_char(json_writer *self, char byte) {
    put(self, &byte, 1);
}

static void put_line(json_writer *self) {
    if (self->indent_blanks == 0) {
        return;
    }
    put_char(self, '\n');
    static const char blanks[] = "                                ";
    size_t left = (size_t)self->indent_blanks * self->depth;
    while (left > 0) {
        const size_t some = left < sizeof blanks - 1 ? left : sizeof blanks - 1;
        put(self, blanks, some);
        left -= some;
    }
}

// What stands between the value before and the next one.
static void begin_value(json_writer *self) {
    if (self->is_behind_key) {
        self->is_behind_key = false;
        return;
    }
    if (self->needs_comma) {
        put_char(self, ',');
    }
    if (self->depth > 0) {
        put_line(self);
    }
}

static void end_value(json_writer *self) {
    self->needs_comma = self->depth > 0;
}

static void begin_nested(json_writer *self, char bracket) {
    begin_value(self);
    put_char(self, bracket);
    assert(self->depth < JSON_DEPTH_MAX);
    self->depth += 1;
    self->needs_comma = false;
}

static void end_nested(json_writer *self, char bracket) {
    assert(self->depth > 0 && !self->is_behind_key);
    self->depth -= 1;
    if (self->needs_comma) { // Something is inside.
        put_line(self);
    }
    put_char(self, bracket);
    end_value(self);
}

// ---- Strings -----------------------------------------------------------------------------------

// The escape of a byte that needs one; its size.
static size_t escape_of(uint8_t byte, bool by_number, char out[6]) {
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    out[0] = '\\';
    if (byte >= 0x20) {
        out[1] = (char)byte;
        return 2;
    }
    if (letters[byte] != 0 && !by_number) {
        out[1] = letters[byte];
        return 2;
    }
    memcpy(out + 1, "u00", 3);
    hex_print((bytes){.data = &byte, .size = 1}, out + 4);
    return 6;
}

static bool is_special(uint8_t byte) {
    return byte == '"' || byte == '\\' || byte < 0x20;
}

static void put_string(json_writer *self, text value) {
    put_char(self, '"');
    size_t from = 0;
    for (size_t at = 0; at < value.size; at++) {
        const uint8_t byte = (uint8_t)value.data[at];
        if (is_special(byte)) {
            put(self, value.data + from, at - from);
            char escape[6];
            put(self, escape, escape_of(byte, self->escapes_by_number, escape));
            from = at + 1;
        }
    }
    if (from < value.size) {
        put(self, value.data + from, value.size - from);
    }
    put_char(self, '"');
}

// ---- Interface: writing ------------------------------------------------------------------------

json_writer json_writer_open(json_sink sink, uint32_t indent_blanks) {
    return (json_writer){.sink = sink, .indent_blanks = indent_blanks};
}

void json_writer_finish(json_writer *self) {
    assert(self->depth == 0 && !self->is_behind_key);
    flush(self);
}

void json_begin_object(json_writer *self) {
    begin_nested(self, '{');
}

void json_end_object(json_writer *self) {
    end_nested(self, '}');
}

void json_begin_array(json_writer *self) {
    begin_nested(self, '[');
}

void json_end_array(json_writer *self) {
    end_nested(self, ']');
}

void json_write_key(json_writer *self, text key) {
    assert(self->depth > 0 && !self->is_behind_key);
    begin_value(self);
    put_string(self, key);
    put(self, ": ", self->indent_blanks > 0 ? 2 : 1);
    self->is_behind_key = true;
}

void json_write_raw(json_writer *self, text json) {
    begin_value(self);
    put(self, json.data, json.size);
    end_value(self);
}

void json_write_text(json_writer *self, text value) {
    begin_value(self);
    put_string(self, value);
    end_value(self);
}

void json_write_i64(json_writer *self, int64_t value) {
    char out[NUMBER_I64_SIZE_MAX];
    json_write_raw(self, (text){.data = out, .size = number_print_i64(value, out)});
}

void json_write_u64(json_writer *self, uint64_t value) {
    char out[NUMBER_I64_SIZE_MAX];
    json_write_raw(self, (text){.data = out, .size = number_print_u64(value, out)});
}

void json_write_f64(json_writer *self, double value) {
    char out[NUMBER_F64_SIZE_MAX];
    const text printed = {.data = out, .size = number_print_f64(value, NUMBER_JSON, out)};
    if (__builtin_isfinite(value)) {
        json_write_raw(self, printed);
    } else {
        json_write_text(self, printed);
    }
}

void json_write_bool(json_writer *self, bool value) {
    json_write_raw(self, value ? TEXT("true") : TEXT("false"));
}

void json_write_null(json_writer *self) {
    json_write_raw(self, TEXT("null"));
}

void json_escape(json_sink sink, text value) {
    json_writer writer = json_writer_open(sink, 0);
    json_write_text(&writer, value);
    json_writer_finish(&writer);
}
