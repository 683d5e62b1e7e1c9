// Any bytes as UTF-8.
//
// Oracle: the valid part is what a walk over code points, each encoded anew, finds; every
// instruction set says the same of all bytes, and counts and offsets are those of the walk.
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition) {
    if (!condition) {
        abort();
    }
}

static void check_valid(text input) {
    size_t count = 0;
    bool is_ascii = true;
    for (size_t at = 0; at < input.size; count++) {
        const size_t before = at;
        char encoded[UTF8_SIZE_MAX];
        expect(count % 7 != 0 || utf8_offset(input, count) == at);
        const uint32_t code = utf8_next(input, &at);
        const size_t size = utf8_encode(code, encoded);
        expect(size == at - before && memcmp(encoded, input.data + before, size) == 0);
        size_t back = at;
        expect(utf8_previous(input, &back) == code && back == before);
        is_ascii = is_ascii && code < 0x80;
    }
    expect(utf8_count(input) == count && utf8_is_ascii(input) == is_ascii);
    expect(utf8_offset(input, count) == input.size && utf8_offset(input, count + 1) == input.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const bytes input = {.data = data, .size = size};
    const size_t valid = utf8_valid_size(input);
    const bytes part = {.data = data, .size = valid};
    expect(valid <= size && utf8_is_valid(part) && utf8_is_valid(input) == (valid == size));
    for (isa_level level = ISA_BASE; level <= isa_best(); level++) {
        expect(utf8_is_valid_at(level, input) == (valid == size));
        expect(utf8_is_valid_at(level, part));
    }
    check_valid((text){.data = (const char *)data, .size = valid});
    // Any number is a code point or none.
    if (size >= sizeof(uint32_t)) {
        uint32_t code;
        char encoded[UTF8_SIZE_MAX];
        memcpy(&code, data, sizeof code);
        expect((utf8_encode(code, encoded) > 0) == utf8_is_code(code));
    }
    return 0;
}
