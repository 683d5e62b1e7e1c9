// Borrowed UTF-8 text: pointer and size, never NUL-terminated by promise. The counterpart of
// `bytes` for names and literals. Compare with text_equal, print with "%.*s" and TEXT_ARGS(text).
#ifndef FIRN_BASE_TEXT_H
#define FIRN_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct text {
    const char *data; // May be NULL when size is 0.
    size_t size;
} text;

/// A text of a string literal: `TEXT("main")`.
#define TEXT(literal) ((text){.data = "" literal, .size = sizeof(literal) - 1})

/// The two arguments behind a "%.*s".
#define TEXT_ARGS(value) (int)(value).size, (value).data == NULL ? "" : (value).data

static inline text text_of(const char *nul_terminated) {
    return (text){.data = nul_terminated, .size = strlen(nul_terminated)};
}

static inline bool text_equal(text left, text right) {
    return left.size == right.size &&
           (left.size == 0 || memcmp(left.data, right.data, left.size) == 0);
}

/// Bytewise order, a prefix before what it begins: negative, 0 or positive as memcmp.
int text_compare(text left, text right);

/// Equal but for the case of ASCII letters: keywords, option names.
bool text_equal_nocase(text left, text right);
/// A hash that texts which are equal in this way have in common.
uint64_t text_hash_nocase(text self);

bool text_starts_with(text whole, text prefix);
bool text_ends_with(text whole, text suffix);
bool text_ends_with_nocase(text whole, text suffix); ///< ASCII letters whatever their case.

/// Where `needle` begins in `whole`, or `whole.size` if nowhere. An empty needle is at 0.
size_t text_find(text whole, text needle);

/// The slice [from, to) of a text; both at most its size.
text text_slice(text whole, size_t from, size_t to);

/// Edit distance (insert, delete, replace, swap of neighbours; ASCII case free) for "did you mean".
/// Texts longer than 64 bytes count as far away: the answer is then SIZE_MAX.
size_t text_distance(text left, text right);

#endif
