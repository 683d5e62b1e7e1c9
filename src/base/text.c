#include "base/text.h"

#include <assert.h>
#include <stdint.h>

#include "base/hash.h"

#define DISTANCE_SIZE_MAX 64
#define HASHED_SIZE 64 // Bytes that are made small at once.

static char lower(char byte) {
    return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

int text_compare(text left, text right) {
    const size_t shorter = left.size < right.size ? left.size : right.size;
    const int order = shorter == 0 ? 0 : memcmp(left.data, right.data, shorter);
    if (order != 0) {
        return order;
    }
    return (left.size > right.size) - (left.size < right.size);
}

bool text_equal_nocase(text left, text right) {
    if (left.size != right.size) {
        return false;
    }
    for (size_t i = 0; i < left.size; i++) {
        if (lower(left.data[i]) != lower(right.data[i])) {
            return false;
        }
    }
    return true;
}

uint64_t text_hash_nocase(text self) {
    uint64_t hash = self.size;
    for (size_t from = 0; from < self.size; from += HASHED_SIZE) {
        char small[HASHED_SIZE];
        const size_t left = self.size - from;
        const size_t size = left < HASHED_SIZE ? left : HASHED_SIZE;
        for (size_t i = 0; i < size; i++) {
            small[i] = lower(self.data[from + i]);
        }
        hash = hash_combine(hash, hash_bytes(small, size));
    }
    return hash;
}

text text_slice(text whole, size_t from, size_t to) {
    assert(from <= to && to <= whole.size);
    return (text){.data = whole.data == NULL ? NULL : whole.data + from, .size = to - from};
}

bool text_starts_with(text whole, text prefix) {
    return whole.size >= prefix.size && text_equal(text_slice(whole, 0, prefix.size), prefix);
}

bool text_ends_with(text whole, text suffix) {
    return whole.size >= suffix.size &&
           text_equal(text_slice(whole, whole.size - suffix.size, whole.size), suffix);
}

bool text_ends_with_nocase(text whole, text suffix) {
    return whole.size >= suffix.size &&
           text_equal_nocase(text_slice(whole, whole.size - suffix.size, whole.size), suffix);
}

size_t text_find(text whole, text needle) {
    if (needle.size == 0) {
        return 0;
    }
    if (needle.size > whole.size) {
        return whole.size;
    }
    const char *found = memmem(whole.data, whole.size, needle.data, needle.size);
    return found == NULL ? whole.size : (size_t)(found - whole.data);
}

// Optimal string alignment (Damerau-Levenshtein without overlapping swaps), three rows of the
// table.
size_t text_distance(text left, text right) {
    if (left.size > DISTANCE_SIZE_MAX || right.size > DISTANCE_SIZE_MAX) {
        return SIZE_MAX;
    }
    size_t rows[3][DISTANCE_SIZE_MAX + 1] = {{0}};
    for (size_t j = 0; j <= right.size; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= left.size; i++) {
        size_t *row = rows[i % 3];
        const size_t *before = rows[(i - 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= right.size; j++) {
            const char l = lower(left.data[i - 1]);
            const char r = lower(right.data[j - 1]);
            size_t best = before[j - 1] + (l != r);
            best = best < before[j] + 1 ? best : before[j] + 1;
            best = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
            if (i > 1 && j > 1 && l == lower(right.data[j - 2]) && lower(left.data[i - 2]) == r &&
                rows[(i - 2) % 3][j - 2] + 1 < best) {
                best = rows[(i - 2) % 3][j - 2] + 1;
            }
            row[j] = best;
        }
    }
    return rows[left.size % 3][right.size];
}
