// Statements of any width, for tests: a text that stands there again and again, where "#" is which
// time it is, between what opens and what closes.
#ifndef FIRN_TESTS_API_WIDE_TEXT_H
#define FIRN_TESTS_API_WIDE_TEXT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct wide_text {
    const char *before, *repeated, *after;
} wide_text;

static inline char *wide_text_add(char *at, const char *from, uint32_t number) {
    for (; *from != '\0'; from++) {
        if (*from == '#') {
            at += snprintf(at, 11, "%u", number);
        } else {
            *at++ = *from;
        }
    }
    return at;
}

/// A text of its own, which the caller frees; NULL without memory.
static inline char *wide_text_spell(const wide_text *of, uint32_t count) {
    size_t size = strlen(of->before) + strlen(of->after) + 32;
    for (const char *each = of->repeated; *each != '\0'; each++) {
        size += (size_t)count * (*each == '#' ? 10 : 1);
    }
    char *out = malloc(size);
    char *at = out;
    if (out == NULL) {
        return NULL;
    }
    at = wide_text_add(at, of->before, 0);
    for (uint32_t i = 1; i <= count; i++) {
        at = wide_text_add(at, of->repeated, i);
    }
    *wide_text_add(at, of->after, count) = '\0';
    return out;
}

#endif
