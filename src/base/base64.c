#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_print(bytes input, char *out) {
    size_t size = 0;
    for (size_t at = 0; at < input.size; at += 3) {
        const size_t left = input.size - at;
        const uint32_t word = (uint32_t)input.data[at] << 16 |
                              (left > 1 ? (uint32_t)input.data[at + 1] << 8 : 0) |
                              (left > 2 ? (uint32_t)input.data[at + 2] : 0);
        out[size++] = digits[word >> 18];
        out[size++] = digits[word >> 12 & 63];
        out[size++] = left > 1 ? digits[word >> 6 & 63] : '=';
        out[size++] = left > 2 ? digits[word & 63] : '=';
    }
    return size;
}

int32_t base64_value(char digit) {
    return digit >= 'A' && digit <= 'Z'   ? digit - 'A'
           : digit >= 'a' && digit <= 'z' ? digit - 'a' + 26
           : digit >= '0' && digit <= '9' ? digit - '0' + 52
           : digit == '+'                 ? 62
           : digit == '/'                 ? 63
                                          : -1;
}
