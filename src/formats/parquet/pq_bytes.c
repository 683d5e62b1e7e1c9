#include "formats/parquet/pq_bytes.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "base/compiler.h"

#define SIZE_BYTES 4
#define STEP_VALUES 256

// Masks that keep the first n bytes of a word.
static const uint64_t first_bytes[9] = {
    0,
    UINT64_C(0xff),
    UINT64_C(0xffff),
    UINT64_C(0xffffff),
    UINT64_C(0xffffffff),
    UINT64_C(0xffffffffff),
    UINT64_C(0xffffffffffff),
    UINT64_C(0xffffffffffffff),
    UINT64_MAX,
};

static uint32_t load_u32(const uint8_t *at) {
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

// A string value without a loop or a branch that depends on the size: whole words are loaded, which
// the pad behind every page allows, and masked. What `string_of` does, faster.
static ALWAYS_INLINE string_value view_of(const uint8_t *data, uint32_t size) {
    uint64_t tail;
    memcpy(&tail, data + 4, sizeof tail);
    const uint32_t tail_size = size < 4 ? 0 : size - 4;
    const bool is_inline = size <= STRING_INLINE_MAX;
    const uint64_t words[2] = {
        size | (load_u32(data) & first_bytes[size < 4 ? size : 4]) << 32,
        is_inline ? tail & first_bytes[tail_size < 8 ? tail_size : 8] : (uint64_t)(uintptr_t)data,
    };
    string_value out;
    memcpy(&out, words, sizeof out);
    return out;
}

// ---- PLAIN --------------------------------------------------------------------------------------

static firn_status fail_short(uint32_t size, size_t left, firn_error *err) {
    return FAIL(err, FIRN_CORRUPT, "value of %u bytes, %zu are left in the page", size, left);
}

firn_status pq_plain_bytes_read(byte_reader *page, uint32_t count, string_value *out,
                                firn_error *err) {
    const uint8_t *at = page->at;
    size_t left = reader_left(page);
    for (uint32_t i = 0; i < count; i++) {
        if (left < SIZE_BYTES) {
            return FAIL(err, FIRN_CORRUPT, "the page ends before value %u of %u", i, count);
        }
        const uint32_t size = load_u32(at);
        left -= SIZE_BYTES;
        if (size > left) {
            return fail_short(size, left, err);
        }
        out[i] = view_of(at + SIZE_BYTES, size);
        at += SIZE_BYTES + (size_t)size;
        left -= size;
    }
    page->at = at;
    return FIRN_OK;
}

firn_status pq_plain_bytes_skip(byte_reader *page, uint64_t count, firn_error *err) {
    const uint8_t *at = page->at;
    size_t left = reader_left(page);
    for (uint64_t i = 0; i < count; i++) {
        if (left < SIZE_BYTES) {
            return FAIL(err, FIRN_CORRUPT, "the page ends before value %llu of %llu",
                        (unsigned long long)i, (unsigned long long)count);
        }
        const uint32_t size = load_u32(at);
        left -= SIZE_BYTES;
        if (size > left) {
            return fail_short(size, left, err);
        }
        at += SIZE_BYTES + (size_t)size;
        left -= size;
    }
    page->at = at;
    return FIRN_OK;
}

firn_status pq_plain_bytes_take(byte_reader *page, uint32_t count, const uint16_t *wanted,
                                uint32_t wanted_count, string_value *out, firn_error *err) {
    uint32_t at = 0;
    for (uint32_t k = 0; k < wanted_count; k++) {
        assert(wanted[k] >= at && wanted[k] < count);
        TRY(pq_plain_bytes_skip(page, wanted[k] - at, err));
        TRY(pq_plain_bytes_read(page, 1, &out[k], err));
        at = (uint32_t)wanted[k] + 1;
    }
    return pq_plain_bytes_skip(page, count - at, err);
}

void pq_fixed_bytes_view(const uint8_t *values, uint32_t width, uint32_t count, string_value *out) {
    for (uint32_t i = 0; i < count; i++) {
        out[i] = view_of(values + (size_t)i * width, width);
    }
}

// ---- DELTA_LENGTH_BYTE_ARRAY --------------------------------------------------------------------

firn_status pq_delta_lengths_open(pq_delta_lengths *self, bytes page, firn_error *err) {
    bytes data;
    TRY(pq_delta_open(&self->sizes, page, err));
    TRY(pq_delta_rest(&self->sizes, &data, err));
    self->data = reader_open(data);
    return FIRN_OK;
}

// Takes the next value's bytes.
static inline firn_status take_bytes(byte_reader *data, int32_t size, const uint8_t **out,
                                     firn_error *err) {
    const size_t left = reader_left(data);
    if (size < 0 || (uint32_t)size > left) {
        return FAIL(err, FIRN_CORRUPT, "value of %d bytes, %zu are left in the page", size, left);
    }
    *out = data->at;
    data->at += size;
    return FIRN_OK;
}

firn_status pq_delta_lengths_read(pq_delta_lengths *self, uint32_t count, string_value *out,
                                  firn_error *err) {
    while (count > 0) {
        UNINITIALISED int32_t sizes[STEP_VALUES];
        const uint32_t step = min_u32(count, STEP_VALUES);
        TRY(pq_delta_read_i32(&self->sizes, step, sizes, err));
        for (uint32_t i = 0; i < step; i++) {
            const uint8_t *data;
            TRY(take_bytes(&self->data, sizes[i], &data, err));
            out[i] = view_of(data, (uint32_t)sizes[i]);
        }
        out += step;
        count -= step;
    }
    return FIRN_OK;
}

firn_status pq_delta_lengths_skip(pq_delta_lengths *self, uint64_t count, firn_error *err) {
    while (count > 0) {
        UNINITIALISED int32_t sizes[STEP_VALUES];
        const uint32_t step = count < STEP_VALUES ? (uint32_t)count : STEP_VALUES;
        TRY(pq_delta_read_i32(&self->sizes, step, sizes, err));
        for (uint32_t i = 0; i < step; i++) {
            const uint8_t *data;
            TRY(take_bytes(&self->data, sizes[i], &data, err));
        }
        count -= step;
    }
    return FIRN_OK;
}

// ---- DELTA_BYTE_ARRAY ---------------------------------------------------------------------------

firn_status pq_delta_bytes_open(pq_delta_bytes *self, bytes page, uint8_t *room, firn_error *err) {
    bytes rest;
    bytes data;
    self->prefix_sizes = (int32_t *)(void *)room;
    self->suffix_sizes = self->prefix_sizes + PQ_DELTA_BYTES_WINDOW;
    self->last = (uint8_t *)(self->suffix_sizes + PQ_DELTA_BYTES_WINDOW);
    self->last_size = 0;
    self->window_at = 0;
    self->window_end = 0;
    TRY(pq_delta_open(&self->prefixes, page, err));
    TRY(pq_delta_rest(&self->prefixes, &rest, err));
    TRY(pq_delta_open(&self->suffixes, rest, err));
    TRY(pq_delta_rest(&self->suffixes, &data, err));
    self->data = reader_open(data);
    return FIRN_OK;
}

// Decodes more sizes behind those in the window that were not taken yet; at least one.
static firn_status fill_window(pq_delta_bytes *self, firn_error *err) {
    const uint32_t kept = self->window_end - self->window_at;
    assert(kept < PQ_DELTA_BYTES_WINDOW);
    memmove(self->prefix_sizes, self->prefix_sizes + self->window_at, kept * sizeof(int32_t));
    memmove(self->suffix_sizes, self->suffix_sizes + self->window_at, kept * sizeof(int32_t));
    self->window_at = 0;
    self->window_end = kept;
    const uint64_t left =
        self->prefixes.left < self->suffixes.left ? self->prefixes.left : self->suffixes.left;
    if (left == 0) {
        return FAIL(err, FIRN_CORRUPT, "no more values in the page");
    }
    const uint32_t room = PQ_DELTA_BYTES_WINDOW - kept;
    const uint32_t step = left < room ? (uint32_t)left : room;
    TRY(pq_delta_read_i32(&self->prefixes, step, self->prefix_sizes + kept, err));
    TRY(pq_delta_read_i32(&self->suffixes, step, self->suffix_sizes + kept, err));
    self->window_end += step;
    return FIRN_OK;
}

firn_status pq_delta_bytes_measure(pq_delta_bytes *self, uint32_t count, size_t limit_bytes,
                                   uint32_t *out, firn_error *err) {
    size_t size = 0;
    uint32_t i = 0;
    while (i < count) {
        if (self->window_at + i == self->window_end) {
            if (i == PQ_DELTA_BYTES_WINDOW || (i > 0 && self->prefixes.left == 0)) {
                break; // Measure again behind these.
            }
            TRY(fill_window(self, err));
        }
        const int64_t value = (int64_t)self->prefix_sizes[self->window_at + i] +
                              self->suffix_sizes[self->window_at + i];
        const size_t value_size = value > 0 ? (size_t)value : 0; // Garbage fails when it is read.
        if (i > 0 && size + value_size > limit_bytes) {
            break;
        }
        size += value_size;
        i += 1;
    }
    *out = i;
    return FIRN_OK;
}

// Makes self->last the next value. The room holds any value: each byte of one came from a suffix of
// the page.
static firn_status next_value(pq_delta_bytes *self, firn_error *err) {
    if (self->window_at == self->window_end) {
        TRY(fill_window(self, err));
    }
    const int32_t prefix = self->prefix_sizes[self->window_at];
    const int32_t suffix = self->suffix_sizes[self->window_at];
    const uint8_t *data;
    if (prefix < 0 || (uint32_t)prefix > self->last_size) {
        return FAIL(err, FIRN_CORRUPT, "value begins with %d bytes of the one before, which has %u",
                    prefix, self->last_size);
    }
    TRY(take_bytes(&self->data, suffix, &data, err));
    if (suffix > 0) {
        memcpy(self->last + prefix, data, (size_t)suffix);
    }
    self->last_size = (uint32_t)prefix + (uint32_t)suffix;
    self->window_at += 1;
    return FIRN_OK;
}

// Checks the next `count` values of the window and says how many bytes they have in all.
static firn_status check_window(const pq_delta_bytes *self, uint32_t count, size_t *size,
                                firn_error *err) {
    uint32_t last_size = self->last_size;
    size_t left = reader_left(&self->data);
    *size = 0;
    for (uint32_t i = 0; i < count; i++) {
        const int32_t prefix = self->prefix_sizes[self->window_at + i];
        const int32_t suffix = self->suffix_sizes[self->window_at + i];
        if (prefix < 0 || (uint32_t)prefix > last_size) {
            return FAIL(err, FIRN_CORRUPT,
                        "value begins with %d bytes of the one before, which has %u", prefix,
                        last_size);
        }
        if (suffix < 0 || (uint32_t)suffix > left) {
            return FAIL(err, FIRN_CORRUPT, "value of %d bytes, %zu are left in the page", suffix,
                        left);
        }
        left -= (uint32_t)suffix;
        last_size = (uint32_t)prefix + (uint32_t)suffix;
        *size += last_size;
    }
    return FIRN_OK;
}

// Takes `count` values that lie in the window: one behind the other in `room`.
static void join_window(pq_delta_bytes *self, uint32_t count, uint8_t *room, string_value *out) {
    const uint8_t *last = self->last;
    uint32_t size = self->last_size;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t prefix = (uint32_t)self->prefix_sizes[self->window_at + i];
        const uint32_t suffix = (uint32_t)self->suffix_sizes[self->window_at + i];
        memcpy(room, last, prefix);
        memcpy(room + prefix, self->data.at, suffix);
        self->data.at += suffix;
        last = room;
        size = prefix + suffix;
        room += size;
        out[i] = view_of(last, size);
    }
    memmove(self->last, last, size);
    self->last_size = size;
    self->window_at += count;
}

firn_status pq_delta_bytes_read(pq_delta_bytes *self, uint32_t count, arena *memory,
                                string_value *out, firn_error *err) {
    while (count > 0) {
        if (self->window_at == self->window_end) {
            TRY(fill_window(self, err));
        }
        const uint32_t step = min_u32(count, self->window_end - self->window_at);
        size_t size;
        TRY(check_window(self, step, &size, err));
        uint8_t *room = ARENA_NEW(memory, uint8_t, size + PQ_PAD);
        if (room == NULL) {
            return ARENA_FULL(memory, err);
        }
        join_window(self, step, room, out);
        out += step;
        count -= step;
    }
    return FIRN_OK;
}

firn_status pq_delta_bytes_read_fixed(pq_delta_bytes *self, uint32_t count, uint32_t width,
                                      uint8_t *out, firn_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        TRY(next_value(self, err));
        if (self->last_size != width) {
            return FAIL(err, FIRN_CORRUPT, "value of %u bytes in a column of %u", self->last_size,
                        width);
        }
        memcpy(out + (size_t)i * width, self->last, width);
    }
    return FIRN_OK;
}

firn_status pq_delta_bytes_skip(pq_delta_bytes *self, uint64_t count, firn_error *err) {
    for (uint64_t i = 0; i < count; i++) {
        TRY(next_value(self, err));
    }
    return FIRN_OK;
}
