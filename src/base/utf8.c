#include "base/utf8.h"

#include <string.h>

#include "base/utf8_table.h"

#define SHORT_SIZE 16 // Up to here a loop over bytes beats the call.

static const utf8_table *const tables[ISA_COUNT] = {
    [ISA_BASE] = &utf8_table_base,
#if defined(__x86_64__)
    [ISA_V3] = &utf8_table_v3,
    [ISA_V4] = &utf8_table_v4,
#endif
};

bool utf8_is_valid_at(isa_level level, bytes input) {
    assert(level < ISA_COUNT && tables[level] != NULL);
    return input.size == 0 || tables[level]->is_valid(input.data, input.size);
}

// 8 to 16 bytes: two words, which may overlap.
static bool is_short_ascii(bytes input) {
    uint64_t words[2];
    memcpy(&words[0], input.data, sizeof words[0]);
    memcpy(&words[1], input.data + input.size - sizeof words[1], sizeof words[1]);
    return ((words[0] | words[1]) & UINT64_C(0x8080808080808080)) == 0;
}

bool utf8_is_valid(bytes input) {
    if (input.size <= SHORT_SIZE) {
        return (input.size >= sizeof(uint64_t) && is_short_ascii(input)) ||
               utf8_valid_size(input) == input.size;
    }
    return utf8_is_valid_at(isa_best(), input);
}

size_t utf8_valid_size(bytes input) {
    if (input.size > SHORT_SIZE && utf8_is_valid_at(isa_best(), input)) {
        return input.size;
    }
    size_t at = 0;
    while (at < input.size) {
        const size_t step = utf8_sequence(input.data + at, input.size - at);
        if (step == 0) {
            break;
        }
        at += step;
    }
    return at;
}

bool utf8_is_ascii(text input) {
    return input.size == 0 || tables[isa_best()]->is_ascii((const uint8_t *)input.data, input.size);
}

size_t utf8_count(text input) {
    return input.size == 0 ? 0 : tables[isa_best()]->count((const uint8_t *)input.data, input.size);
}

size_t utf8_offset(text input, size_t index) {
    size_t at = 0;
    while (at < input.size && index > 0) {
        // Words of ASCII are the common case; anything else goes byte by byte.
        uint64_t word;
        if (index >= sizeof word && input.size - at >= sizeof word) {
            memcpy(&word, input.data + at, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof word;
                index -= sizeof word;
                continue;
            }
        }
        (void)utf8_next(input, &at);
        index -= 1;
    }
    return at;
}

size_t utf8_encode(uint32_t code, char out[UTF8_SIZE_MAX]) {
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (!utf8_is_code(code)) {
        return 0;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

size_t utf8_raise(char *data, size_t size, size_t capacity) {
    while (size > 0) {
        uint32_t code = utf8_previous((text){.data = data, .size = size}, &size) + 1;
        code = code == 0xd800 ? 0xe000 : code; // Behind the surrogates.
        char raised[UTF8_SIZE_MAX];
        const size_t more = utf8_encode(code, raised);
        if (more > 0 && more <= capacity - size) {
            memcpy(data + size, raised, more);
            return size + more;
        }
    }
    return 0;
}
