#include "tables/iceberg/iceberg_row_set.h"

#include <assert.h>
#include <string.h>

#include "column/column.h"

#define PAGE_BITS 16
#define PAGE_ROWS (UINT32_C(1) << PAGE_BITS)
#define FEW_FIRST 8
#define FEW_MAX 2048 // Their list is half as large as the bits are.

struct ice_row_page {
    uint32_t count;
    uint32_t capacity; // Of `few`.
    uint16_t *few;     // Ascending.
    uint64_t *bits;    // NULL: they are few.
};

firn_status ice_row_set_open(ice_row_set *self, uint64_t row_count, arena *memory,
                             firn_error *err) {
    const uint64_t count = (row_count >> PAGE_BITS) + 1;
    ice_row_page *pages =
        count > SIZE_MAX / sizeof *pages ? NULL : ARENA_NEW(memory, ice_row_page, (size_t)count);
    if (pages == NULL) {
        return ARENA_FULL(memory, err);
    }
    memset(pages, 0, (size_t)count * sizeof *pages);
    *self = (ice_row_set){.row_count = row_count, .pages = pages};
    return FIRN_OK;
}

// Where the first one that is not below `row` is.
static uint32_t find_few(const ice_row_page *page, uint32_t row) {
    uint32_t low = 0;
    uint32_t high = page->count;
    if (high > 0 && page->few[high - 1] < row) {
        return high; // Most come in order.
    }
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (page->few[middle] < row) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static firn_status grow(ice_row_page *page, arena *memory, firn_error *err) {
    if (page->count < page->capacity) {
        return FIRN_OK;
    }
    if (page->count == FEW_MAX) {
        uint64_t *bits = ARENA_NEW(memory, uint64_t, BITMAP_WORDS(PAGE_ROWS));
        if (bits == NULL) {
            return ARENA_FULL(memory, err);
        }
        memset(bits, 0, PAGE_ROWS / 8);
        for (uint32_t i = 0; i < page->count; i++) {
            bitmap_set(bits, page->few[i]);
        }
        page->bits = bits;
        return FIRN_OK;
    }
    const uint32_t capacity = page->capacity == 0 ? FEW_FIRST : page->capacity * 2;
    uint16_t *few = ARENA_NEW(memory, uint16_t, capacity);
    if (few == NULL) {
        return ARENA_FULL(memory, err);
    }
    if (page->count > 0) {
        memcpy(few, page->few, page->count * sizeof *few);
    }
    page->few = few;
    page->capacity = capacity;
    return FIRN_OK;
}

static bool page_has(const ice_row_page *page, uint32_t row) {
    if (page->bits != NULL) {
        return bitmap_get(page->bits, row);
    }
    const uint32_t at = find_few(page, row);
    return at < page->count && page->few[at] == row;
}

bool ice_row_set_has(const ice_row_set *self, uint64_t position) {
    return position < self->row_count &&
           page_has(&self->pages[position >> PAGE_BITS], position & (PAGE_ROWS - 1));
}

firn_status ice_row_set_add(ice_row_set *self, uint64_t position, arena *memory, bool *is_new,
                            firn_error *err) {
    assert(position < self->row_count);
    ice_row_page *page = &self->pages[position >> PAGE_BITS];
    const uint32_t row = position & (PAGE_ROWS - 1);
    *is_new = !page_has(page, row);
    if (!*is_new) {
        return FIRN_OK;
    }
    TRY(page->bits == NULL ? grow(page, memory, err) : FIRN_OK);
    if (page->bits != NULL) {
        bitmap_set(page->bits, row);
    } else {
        const uint32_t at = find_few(page, row);
        memmove(page->few + at + 1, page->few + at, (page->count - at) * sizeof *page->few);
        page->few[at] = (uint16_t)row;
    }
    page->count++;
    self->count++;
    return FIRN_OK;
}

static uint32_t take_few(const ice_row_page *page, uint64_t *from, int64_t *out, uint32_t room) {
    const uint64_t first = *from & ~(uint64_t)(PAGE_ROWS - 1);
    const uint32_t at = find_few(page, *from & (PAGE_ROWS - 1));
    const uint32_t left = page->count - at;
    const uint32_t count = left < room ? left : room;
    for (uint32_t i = 0; i < count; i++) {
        out[i] = (int64_t)(first + page->few[at + i]);
    }
    *from = left <= room ? first + PAGE_ROWS : first + page->few[at + count];
    return count;
}

static uint32_t take_bits(const ice_row_page *page, uint64_t *from, int64_t *out, uint32_t room) {
    const uint64_t first = *from & ~(uint64_t)(PAGE_ROWS - 1);
    const uint32_t begin = *from & (PAGE_ROWS - 1);
    uint32_t count = 0;
    for (uint32_t word = begin / 64; word < PAGE_ROWS / 64; word++) {
        const uint64_t before = word == begin / 64 ? (UINT64_C(1) << (begin % 64)) - 1 : 0;
        for (uint64_t left = page->bits[word] & ~before; left != 0; left &= left - 1) {
            const uint64_t position = first + (uint64_t)word * 64 + (uint64_t)__builtin_ctzll(left);
            if (count == room) {
                *from = position;
                return count;
            }
            out[count++] = (int64_t)position;
        }
    }
    *from = first + PAGE_ROWS;
    return count;
}

uint32_t ice_row_set_take(const ice_row_set *self, uint64_t *from, int64_t *out, uint32_t room) {
    uint32_t count = 0;
    while (*from < self->row_count && count < room) {
        const ice_row_page *page = &self->pages[*from >> PAGE_BITS];
        count += page->bits == NULL ? take_few(page, from, out + count, room - count)
                                    : take_bits(page, from, out + count, room - count);
    }
    return count;
}
