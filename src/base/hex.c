#include "base/hex.h"

// 0 to 15, or -1.
static int digit_value(char byte) {
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    const char lower = (char)(byte | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

void hex_print(bytes input, char *out) {
    static const char digits[17] = "0123456789abcdef";
    for (size_t i = 0; i < input.size; i++) {
        out[2 * i] = digits[input.data[i] >> 4];
        out[2 * i + 1] = digits[input.data[i] & 15];
    }
}

// The byte of two digits, or -1.
static int byte_of(const char *pair) {
    const int high = digit_value(pair[0]);
    const int low = digit_value(pair[1]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool hex_parse(text input, uint8_t *out) {
    if (input.size % 2 != 0) {
        return false;
    }
    for (size_t i = 0; i < input.size / 2; i++) {
        const int byte = byte_of(input.data + 2 * i);
        if (byte < 0) {
            return false;
        }
        out[i] = (uint8_t)byte;
    }
    return true;
}

size_t blob_print(bytes input, char *out) {
    out[0] = '\\';
    out[1] = 'x';
    hex_print(input, out + 2);
    return 2 + 2 * input.size;
}

static bool is_blank(char byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

// What follows `\x`.
static bool parse_digits(text input, uint8_t *out, size_t *size) {
    size_t count = 0;
    size_t at = 0;
    while (at < input.size) {
        if (is_blank(input.data[at])) {
            at += 1;
            continue;
        }
        const int byte = input.size - at < 2 ? -1 : byte_of(input.data + at);
        if (byte < 0) {
            return false;
        }
        out[count++] = (uint8_t)byte;
        at += 2;
    }
    *size = count;
    return true;
}

// The byte of three octal digits, or -1.
static int octal_byte(const char *digits) {
    int value = 0;
    for (size_t i = 0; i < 3; i++) {
        if (digits[i] < '0' || digits[i] > '7') {
            return -1;
        }
        value = value * 8 + (digits[i] - '0');
    }
    return value <= 0xff ? value : -1;
}

bool blob_parse(text input, uint8_t *out, size_t *size) {
    if (text_starts_with(input, TEXT("\\x"))) {
        return parse_digits(text_slice(input, 2, input.size), out, size);
    }
    size_t count = 0;
    for (size_t at = 0; at < input.size; at++) {
        if (input.data[at] != '\\') {
            out[count++] = (uint8_t)input.data[at];
        } else if (input.size - at > 1 && input.data[at + 1] == '\\') {
            out[count++] = '\\';
            at += 1;
        } else {
            const int byte = input.size - at > 3 ? octal_byte(input.data + at + 1) : -1;
            if (byte < 0) {
                return false;
            }
            out[count++] = (uint8_t)byte;
            at += 3;
        }
    }
    *size = count;
    return true;
}
