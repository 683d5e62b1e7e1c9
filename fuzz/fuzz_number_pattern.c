// A pattern of numbers and digits, with a newline between them: the number is written by the
// pattern.
//
// Oracle: what is written is UTF-8, as the pattern is, and of no more than the pattern's signs and
// the digits.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "functions/scalar/number_pattern.h"

#define MEMORY_MAX ((size_t)16 << 20)
#define DIGITS_MAX 64
#define SIGN_BYTES_MAX                                                                             \
    32 // Of what an item becomes beside its literal: the sign, L, a Roman number.

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition) {
    if (!condition) {
        abort();
    }
}

static void finish(const number_pattern *pattern, size_t most, text_builder *out) {
    firn_error err = ERR_INIT;
    text made = {0};
    expect(text_builder_finish(out, &made, &err) == FIRN_OK);
    expect(utf8_is_valid((bytes){.data = (const uint8_t *)made.data, .size = made.size}));
    expect(made.size <= most + ((size_t)pattern->count + 1) * SIGN_BYTES_MAX);
}

// The digits of the input as the caller of the writer hands them over.
static text digits_for(const number_pattern *pattern, text input, arena *memory) {
    const size_t behind = pattern->digits_behind;
    char *out = arena_alloc(memory, DIGITS_MAX + behind + 16, 1);
    expect(out != NULL);
    size_t size = 0;
    for (size_t i = 0; i < input.size && size < DIGITS_MAX; i++) {
        out[size] = input.data[i];
        size += input.data[i] >= '0' && input.data[i] <= '9';
    }
    out[size] = '0';
    size += size == 0;
    if (pattern->is_exponent) {
        size = 2;
        out[0] = ' ';
        out[1] = '1';
    }
    if (behind > 0) {
        out[size++] = '.';
        memset(out + size, '7', behind);
        size += behind;
    }
    if (pattern->is_exponent) {
        memcpy(out + size, "e+12", 4);
        size += 4;
    }
    return (text){.data = out, .size = size};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || !utf8_is_valid((bytes){.data = data, .size = size})) {
        return 0;
    }
    const uint8_t *newline = memchr(data, '\n', size);
    const size_t split = newline == NULL ? size : (size_t)(newline - data);
    const text pattern = {.data = (const char *)data, .size = split};
    const text input = newline == NULL
                           ? (text){0}
                           : (text){.data = (const char *)newline + 1, .size = size - split - 1};
    arena memory = arena_open(MEMORY_MAX);
    number_pattern made;
    if (number_pattern_make(pattern, &memory, &made) && made.fault == NULL) {
        const text digits = digits_for(&made, input, &memory);
        const text shown[] = {digits, TEXT("NaN"), TEXT("Infinity")};
        for (uint32_t i = 0; i < 6; i++) {
            text_builder out = text_builder_open(&memory);
            if (made.is_roman) {
                number_pattern_write_roman(&made, (int64_t)input.size * 17 - 20 + i, &out);
            } else {
                number_pattern_write(&made, shown[i / 2], i % 2 == 1, &out);
            }
            finish(&made, split + digits.size, &out);
        }
    }
    arena_close(&memory);
    return 0;
}
