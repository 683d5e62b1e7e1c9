// The values that need a C type of their own: strings, list slices, intervals, wide integers.
#ifndef FIRN_COLUMN_VALUE_H
#define FIRN_COLUMN_VALUE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/interval.h" // interval_value
#include "base/mutex.h"    // cancel_watch
#include "base/text.h"
#include "base/wide.h" // i128, u128, i256

#ifndef STRING_INLINE_MAX
#define STRING_INLINE_MAX 12 // The test mode `inline` builds with 0: no string is inline.
#endif

/// Text or bytes: 16 bytes. Up to STRING_INLINE_MAX bytes lie inside and the rest of `inlined` is
/// zero, so that two inline strings are equal exactly if their 16 bytes are. Longer ones point to
/// bytes that somebody else keeps: a page, an arena, a buffer. The first four bytes are at the same
/// place in both forms.
typedef union string_value {
    struct {
        uint32_t size;
        char inlined[12];
    };
    struct {
        uint32_t size_too; // The same bytes as `size`.
        char prefix[4];
        const char *data;
    };
} string_value;
_Static_assert(sizeof(string_value) == 16, "a string value is 16 bytes");

/// One row of a LIST or MAP column: rows [offset, offset + size) of its children.
typedef struct list_value {
    uint32_t offset;
    uint32_t size;
} list_value;

static inline bool string_is_inline(const string_value *self) {
    return self->size <= STRING_INLINE_MAX;
}

/// The bytes. Borrowed from `self` when inline, so `self` must stay where it is.
static inline const char *string_data(const string_value *self) {
    return string_is_inline(self) ? self->inlined : self->data;
}

static inline text string_text(const string_value *self) {
    return (text){.data = string_data(self), .size = self->size};
}

/// A value over bytes that the caller keeps alive as long as the value is used.
static inline string_value string_of(const char *data, uint32_t size) {
    string_value out = {.size = size};
    if (size <= STRING_INLINE_MAX) {
        if (size > 0) {
            memcpy(out.inlined, data, size);
        }
    } else {
        memcpy(out.prefix, data, size < 4 ? size : 4);
        out.data = data;
    }
    return out;
}

/// Any answer once the flag of `watch` is raised; it may be NULL.
static inline bool string_equal_watched(const string_value *left, const string_value *right,
                                        cancel_watch *watch) {
    uint64_t head[2];
    memcpy(&head[0], left, 8); // Size and first four bytes in one comparison.
    memcpy(&head[1], right, 8);
    if (head[0] != head[1]) {
        return false;
    }
    if (string_is_inline(left)) {
        return memcmp(left->inlined, right->inlined, sizeof left->inlined) == 0;
    }
    return cancel_watch_compare(watch, left->data, right->data, left->size) == 0;
}

static inline bool string_equal(const string_value *left, const string_value *right) {
    return string_equal_watched(left, right, NULL);
}

/// Unsigned bytewise order, a prefix first: the order of code points, and of Parquet's statistics.
static inline int string_compare(const string_value *left, const string_value *right) {
    return text_compare(string_text(left), string_text(right));
}

/// The same as string_equal_watched is.
static inline int string_compare_watched(const string_value *left, const string_value *right,
                                         cancel_watch *watch) {
    const uint32_t shorter = left->size < right->size ? left->size : right->size;
    const int order = cancel_watch_compare(watch, string_data(left), string_data(right), shorter);
    return order != 0 ? order : (left->size > right->size) - (left->size < right->size);
}

#endif
