#include "io/uri.h"

static bool is_unreserved(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

static bool is_allowed(char byte) {
    return byte > ' ' && byte < 0x7f && memchr("\"<>\\^`{|}", byte, 9) == NULL;
}

static void append_byte(text_builder *self, char byte) {
    static const char digits[] = "0123456789ABCDEF";
    const unsigned char value = (unsigned char)byte;
    text_append_char(self, '%');
    text_append_char(self, digits[value >> 4]);
    text_append_char(self, digits[value & 15]);
}

static void append(text_builder *self, text value, bool (*stays)(char byte)) {
    for (size_t i = 0; i < value.size; i++) {
        if (stays(value.data[i])) {
            text_append_char(self, value.data[i]);
        } else {
            append_byte(self, value.data[i]);
        }
    }
}

void uri_append_encoded(text_builder *self, text value) {
    append(self, value, is_unreserved);
}

void uri_append_repaired(text_builder *self, text url) {
    append(self, url, is_allowed);
}

// 0 to 15, or -1.
static int hex_digit(char byte) {
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    if (byte >= 'a' && byte <= 'f') {
        return byte - 'a' + 10;
    }
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

firn_status uri_decode(text value, arena *memory, text *out, firn_error *err) {
    *out = value;
    if (text_find(value, TEXT("%")) == value.size) {
        return FIRN_OK;
    }
    char *decoded = ARENA_NEW(memory, char, value.size);
    if (decoded == NULL) {
        return ARENA_FULL(memory, err);
    }
    size_t size = 0;
    for (size_t i = 0; i < value.size; i++) {
        const bool has_two = value.data[i] == '%' && value.size - i > 2;
        const int high = has_two ? hex_digit(value.data[i + 1]) : -1;
        const int low = has_two ? hex_digit(value.data[i + 2]) : -1;
        if (high >= 0 && low >= 0) {
            decoded[size++] = (char)(unsigned char)(high * 16 + low);
            i += 2;
        } else {
            decoded[size++] = value.data[i];
        }
    }
    *out = (text){.data = decoded, .size = size};
    return FIRN_OK;
}
