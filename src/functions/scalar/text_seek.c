#include "functions/scalar/text_seek.h"

#include <stdint.h>

typedef uint8_t byte_block __attribute__((vector_size(16)));

typedef union block_words {
    byte_block block;
    uint64_t words[2];
} block_words;

// Its first and last byte are.
static bool is_there(const char *at, text needle) {
    return needle.size <= 2 || memcmp(at + 1, needle.data + 1, needle.size - 2) == 0;
}

// The candidates of a block in order: places whose mask byte is set.
static size_t check_block(const char *from, text needle, block_words hits) {
    for (size_t half = 0; half < 2; half++) {
        uint64_t word = hits.words[half];
        while (word != 0) {
            const unsigned place = (unsigned)__builtin_ctzll(word) / 8;
            const size_t at = half * 8 + place;
            if (is_there(from + at, needle)) {
                return at;
            }
            word &= ~(UINT64_C(0xff) << (place * 8));
        }
    }
    return TEXT_NOWHERE;
}

size_t text_seek(text whole, text needle, size_t from) {
    if (needle.size == 0) {
        return from;
    }
    if (needle.size > whole.size - from) {
        return TEXT_NOWHERE;
    }
    const size_t last_place = whole.size - needle.size;
    const uint8_t first = (uint8_t)needle.data[0];
    const uint8_t last = (uint8_t)needle.data[needle.size - 1];
    const byte_block firsts = first - (byte_block){0};
    const byte_block lasts = last - (byte_block){0};
    size_t at = from;
    while (at <= last_place && last_place - at >= sizeof(byte_block) - 1) {
        byte_block head;
        byte_block tail;
        memcpy(&head, whole.data + at, sizeof head);
        memcpy(&tail, whole.data + at + needle.size - 1, sizeof tail);
        const block_words hits = {.block =
                                      (byte_block)(head == firsts) & (byte_block)(tail == lasts)};
        if ((hits.words[0] | hits.words[1]) != 0) {
            const size_t found = check_block(whole.data + at, needle, hits);
            if (found != TEXT_NOWHERE) {
                return at + found;
            }
        }
        at += sizeof(byte_block);
    }
    for (; at <= last_place; at++) {
        if ((uint8_t)whole.data[at] == first && (uint8_t)whole.data[at + needle.size - 1] == last &&
            is_there(whole.data + at, needle)) {
            return at;
        }
    }
    return TEXT_NOWHERE;
}

size_t text_find_place_far(const function_call *call, text whole, text needle, size_t from) {
    const size_t places = TEXT_SOUGHT_AT_ONCE / needle.size + 1;
    while (needle.size <= whole.size - from) {
        const size_t left = whole.size - from - (needle.size - 1); // Places where it may begin.
        const size_t seen = (left < places ? left : places) + needle.size - 1;
        const size_t found = text_seek(text_slice(whole, 0, from + seen), needle, from);
        if (found != TEXT_NOWHERE || left <= places || function_is_stopped(call)) {
            return found;
        }
        from += places;
    }
    return TEXT_NOWHERE;
}

size_t text_count_places(const function_call *call, text whole, text needle) {
    cancel_watch watch = {.cancel = function_cancel(call)};
    size_t count = 0;
    size_t at = needle.size == 0 ? TEXT_NOWHERE : text_find_place(call, whole, needle, 0);
    while (at != TEXT_NOWHERE && !cancel_watch_is_raised(&watch, needle.size)) {
        count++;
        at = text_find_place(call, whole, needle, at + needle.size);
    }
    return count;
}
