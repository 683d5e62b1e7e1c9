#include "formats/parquet/write/pw_strings.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "formats/parquet/write/pw_delta.h"

#define SHORT_MAX 64
#define SIZE_BYTES sizeof(uint32_t)

// ---- Sizes -------------------------------------------------------------------------------------

// Bytes of all strings without their sizes; at most 2^64 - 2^33 + 1.
static uint64_t strings_size(const string_value *values, uint32_t count) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += values[i].size;
    }
    return sum;
}

uint64_t pw_plain_size(const pw_values *values) {
    switch (values->type) {
    case PQ_BOOLEAN:
        return ((uint64_t)values->count + 7) / 8;
    case PQ_BYTE_ARRAY:
        return sum_capped(strings_size(values->strings, values->count),
                          values->count * (uint64_t)SIZE_BYTES);
    case PQ_INT32:
    case PQ_INT64:
    case PQ_INT96:
    case PQ_FLOAT:
    case PQ_DOUBLE:
    case PQ_FIXED:
    case PQ_TYPE_COUNT:
        break;
    }
    return (uint64_t)pw_values_size(values->type, values->width) * values->count;
}

// A size that is too large; all sizes are looked at together, so this seldom looks for it.
static firn_status check_sizes(const pw_values *values, firn_error *err) {
    uint32_t any = 0;
    for (uint32_t i = 0; i < values->count; i++) {
        any |= values->strings[i].size;
    }
    for (uint32_t i = 0; any > INT32_MAX && i < values->count; i++) {
        if (values->strings[i].size > INT32_MAX) {
            return FAIL(err, FIRN_INVALID, "a value of %u bytes, Parquet takes at most %d",
                        values->strings[i].size, INT32_MAX);
        }
    }
    return FIRN_OK;
}

// ---- Bytes -------------------------------------------------------------------------------------

// memcpy without a call, for up to SHORT_MAX bytes: as two halves that may overlap.
static ALWAYS_INLINE void copy_short(uint8_t *to, const char *from, size_t size) {
    if (size > 32) {
        memcpy(to, from, 32);
        memcpy(to + size - 32, from + size - 32, 32);
    } else if (size >= 16) {
        memcpy(to, from, 16);
        memcpy(to + size - 16, from + size - 16, 16);
    } else if (size >= 8) {
        memcpy(to, from, 8);
        memcpy(to + size - 8, from + size - 8, 8);
    } else if (size >= 4) {
        memcpy(to, from, 4);
        memcpy(to + size - 4, from + size - 4, 4);
    } else if (size > 0) {
        to[0] = (uint8_t)from[0];
        to[size / 2] = (uint8_t)from[size / 2];
        to[size - 1] = (uint8_t)from[size - 1];
    }
}

// False if the query was cancelled meanwhile.
static ALWAYS_INLINE bool copy(const arena *memory, uint8_t *to, const char *from, size_t size) {
    if (size <= SHORT_MAX) {
        copy_short(to, from, size);
        return true;
    }
    return cancel_copy(memory->cancel, to, from, size);
}

// ---- PLAIN -------------------------------------------------------------------------------------

static firn_status put_strings(byte_output *out, const pw_values *values, firn_error *err) {
    TRY(check_sizes(values, err));
    const uint64_t size = pw_plain_size(values);
    size_t room;
    uint8_t *to = add_fits(size, sizeof(string_value), &room) ? byte_output_room(out, room) : NULL;
    if (to == NULL) {
        return BYTE_OUTPUT_FULL(out, err);
    }
    for (uint32_t i = 0; i < values->count; i++) {
        const string_value *value = &values->strings[i];
        memcpy(to, value, sizeof *value); // Of an inline one that is all: its size, its bytes.
        to += SIZE_BYTES;
        if (!string_is_inline(value) && !copy(out->memory, to, value->data, value->size)) {
            return BYTE_OUTPUT_FULL(out, err);
        }
        to += value->size;
    }
    out->size += (size_t)size;
    return FIRN_OK;
}

static firn_status put_booleans(byte_output *out, const pw_values *values, firn_error *err) {
    const size_t size = (size_t)pw_plain_size(values);
    const uint32_t left = values->count % 8;
    if (!byte_output_put(out, (bytes){.data = (const uint8_t *)values->bits, .size = size})) {
        return BYTE_OUTPUT_FULL(out, err);
    }
    if (left > 0) {
        out->data[out->size - 1] &= (uint8_t)((1u << left) - 1);
    }
    return FIRN_OK;
}

firn_status pw_put_plain(byte_output *out, const pw_values *values, firn_error *err) {
    if (values->type == PQ_BYTE_ARRAY) {
        return put_strings(out, values, err);
    }
    if (values->type == PQ_BOOLEAN) {
        return put_booleans(out, values, err);
    }
    const bytes all = {.data = values->data, .size = (size_t)pw_plain_size(values)};
    return byte_output_put(out, all) ? FIRN_OK : BYTE_OUTPUT_FULL(out, err);
}

// ---- DELTA_LENGTH_BYTE_ARRAY -------------------------------------------------------------------

firn_status pw_put_delta_lengths(byte_output *out, const pw_values *values, arena *scratch,
                                 firn_error *err) {
    assert(values->type == PQ_BYTE_ARRAY);
    TRY(check_sizes(values, err));
    int32_t *sizes = ARENA_NEW(scratch, int32_t, values->count);
    if (sizes == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < values->count; i++) {
        sizes[i] = (int32_t)values->strings[i].size;
    }
    TRY(pw_delta_put_i32(out, sizes, values->count, err));
    const uint64_t size = strings_size(values->strings, values->count);
    size_t room;
    uint8_t *to = add_fits(size, sizeof(string_value), &room) ? byte_output_room(out, room) : NULL;
    if (to == NULL) {
        return BYTE_OUTPUT_FULL(out, err);
    }
    for (uint32_t i = 0; i < values->count; i++) {
        const string_value *value = &values->strings[i];
        if (string_is_inline(value)) {
            memcpy(to, value->inlined, sizeof value->inlined);
        } else if (!copy(out->memory, to, value->data, value->size)) {
            return BYTE_OUTPUT_FULL(out, err);
        }
        to += value->size;
    }
    out->size += (size_t)size;
    return FIRN_OK;
}

// ---- DELTA_BYTE_ARRAY --------------------------------------------------------------------------

static ALWAYS_INLINE uint64_t load_u64(const char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

// How many first bytes are the same, of `size` from `at` on.
static ALWAYS_INLINE size_t equal_bytes(const char *left, const char *right, size_t at,
                                        size_t size) {
    for (; size - at >= 8; at += 8) {
        const uint64_t differ = load_u64(left + at) ^ load_u64(right + at);
        if (differ != 0) {
            return at + (size_t)__builtin_ctzll(differ) / 8;
        }
    }
    while (at < size && left[at] == right[at]) {
        at += 1;
    }
    return at;
}

// The same of texts; whatever once the flag is raised.
static uint32_t common_prefix(const arena *memory, text left, text right) {
    const size_t size = left.size < right.size ? left.size : right.size;
    size_t at = 0;
    while (at < size) {
        const size_t step = size - at < CANCEL_COPY_STEP ? size : at + CANCEL_COPY_STEP;
        at = equal_bytes(left.data, right.data, at, step);
        if (at < step || cancel_is_raised(memory->cancel)) {
            break;
        }
    }
    return (uint32_t)at;
}

// Most neighbours that are not sorted differ in their first four bytes, which need no pointer.
static ALWAYS_INLINE uint32_t common_prefix_of(const arena *memory, const string_value *left,
                                               const string_value *right) {
    uint32_t heads[2];
    memcpy(&heads[0], left->prefix, 4);
    memcpy(&heads[1], right->prefix, 4);
    const uint32_t differ = heads[0] ^ heads[1];
    if (differ != 0) { // Behind the end of a value are zeros.
        const uint32_t same = (uint32_t)__builtin_ctz(differ) / 8;
        return min_u32(same, min_u32(left->size, right->size));
    }
    return common_prefix(memory, string_text(left), string_text(right));
}

static ALWAYS_INLINE text value_at(const pw_values *values, uint32_t i) {
    if (values->type == PQ_BYTE_ARRAY) {
        return string_text(&values->strings[i]);
    }
    return (text){.data = (const char *)values->fixed + (size_t)i * values->width,
                  .size = values->width};
}

// Returns the bytes that are left.
static uint64_t measure(const pw_values *values, const arena *memory, int32_t *prefixes,
                        int32_t *suffixes) {
    uint64_t left = 0;
    for (uint32_t i = 0; i < values->count; i++) {
        uint32_t prefix = 0;
        uint32_t size = values->width;
        if (values->type == PQ_BYTE_ARRAY) {
            const string_value *value = &values->strings[i];
            size = value->size;
            prefix = i == 0 ? 0 : common_prefix_of(memory, value - 1, value);
        } else if (i > 0) {
            prefix = common_prefix(memory, value_at(values, i - 1), value_at(values, i));
        }
        prefixes[i] = (int32_t)prefix;
        suffixes[i] = (int32_t)(size - prefix);
        left += size - prefix;
    }
    return left;
}

firn_status pw_put_delta_bytes(byte_output *out, const pw_values *values, arena *scratch,
                               firn_error *err) {
    assert(values->type == PQ_BYTE_ARRAY || values->type == PQ_FIXED);
    if (values->type == PQ_BYTE_ARRAY) {
        TRY(check_sizes(values, err));
    }
    int32_t *prefixes = ARENA_NEW(scratch, int32_t, values->count);
    int32_t *suffixes = ARENA_NEW(scratch, int32_t, values->count);
    if (prefixes == NULL || suffixes == NULL) {
        return ARENA_FULL(scratch, err);
    }
    const uint64_t size = measure(values, scratch, prefixes, suffixes);
    TRY(cancel_check(scratch->cancel, err)); // The prefixes are whatever.
    TRY(pw_delta_put_i32(out, prefixes, values->count, err));
    TRY(pw_delta_put_i32(out, suffixes, values->count, err));
    uint8_t *to = size > SIZE_MAX ? NULL : byte_output_room(out, (size_t)size);
    if (to == NULL) {
        return BYTE_OUTPUT_FULL(out, err);
    }
    for (uint32_t i = 0; i < values->count; i++) {
        const text value = value_at(values, i);
        const size_t prefix = (size_t)prefixes[i];
        if (!copy(out->memory, to, value.data + prefix, value.size - prefix)) {
            return BYTE_OUTPUT_FULL(out, err);
        }
        to += value.size - prefix;
    }
    out->size += (size_t)size;
    return FIRN_OK;
}
