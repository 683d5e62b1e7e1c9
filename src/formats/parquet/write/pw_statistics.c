#include "formats/parquet/write/pw_statistics.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "base/half.h"
#include "base/utf8.h"
#include "formats/parquet/pq_annotation.h"
#include "formats/parquet/write/pw_statistics_table.h"
#include "kernels/reduce.h"

// The lowest and the highest of some values.
typedef struct extremes {
    bool exist; // False: all are NaN.
    uint32_t nan_count;
    bytes low;
    bytes high;
    uint8_t numbers[2][sizeof(uint64_t)]; // What they point to, of numbers.
} extremes;

const pw_statistics_kernels *pw_statistics_kernels_at(isa_level level) {
    static const pw_statistics_kernels *const kernels[ISA_COUNT] = {
        [ISA_BASE] = &pw_statistics_kernels_base,
#if defined(__x86_64__)
        [ISA_V3] = &pw_statistics_kernels_v3,
        [ISA_V4] = &pw_statistics_kernels_v4,
#endif
    };
    assert(level < ISA_COUNT && kernels[level] != NULL);
    return kernels[level];
}

static bytes bytes_of(const void *data, size_t size) {
    return (bytes){.data = data, .size = size};
}

void pw_statistics_reset(pw_statistics *self) {
    self->value_count = 0;
    self->null_count = 0;
    self->nan_count = 0;
    self->has_bounds = false;
    self->minimum.size = 0;
    self->maximum.size = 0;
}

// ---- The order of two values -------------------------------------------------------------------

#define COMPARE_AS(c_type)                                                                         \
    do {                                                                                           \
        c_type l;                                                                                  \
        c_type r;                                                                                  \
        memcpy(&l, left.data, sizeof l);                                                           \
        memcpy(&r, right.data, sizeof r);                                                          \
        return (l > r) - (l < r);                                                                  \
    } while (0)

static int compare_halves(bytes left, bytes right) {
    uint16_t l;
    uint16_t r;
    memcpy(&l, left.data, sizeof l);
    memcpy(&r, right.data, sizeof r);
    const float low = half_to_float(l);
    const float high = half_to_float(r);
    return (low > high) - (low < high);
}

static int compare_bytes(bytes left, bytes right) {
    const int order = text_compare(text_of_bytes(left), text_of_bytes(right));
    return (order > 0) - (order < 0);
}

// Of the same size.
static int compare_big_endian(bytes left, bytes right) {
    assert(left.size == right.size && left.size > 0);
    const int8_t l = (int8_t)left.data[0];
    const int8_t r = (int8_t)right.data[0];
    return l != r ? (l > r) - (l < r) : compare_bytes(left, right);
}

static int compare(pq_order order, bytes left, bytes right) {
    const bool is_small = left.size == sizeof(int32_t);
    switch (order) {
    case PQ_ORDER_BOOLEAN:
        COMPARE_AS(uint8_t);
    case PQ_ORDER_SIGNED:
        if (is_small) {
            COMPARE_AS(int32_t);
        }
        COMPARE_AS(int64_t);
    case PQ_ORDER_UNSIGNED:
        if (is_small) {
            COMPARE_AS(uint32_t);
        }
        COMPARE_AS(uint64_t);
    case PQ_ORDER_FLOAT:
        if (is_small) {
            COMPARE_AS(float);
        }
        COMPARE_AS(double);
    case PQ_ORDER_FLOAT16:
        return compare_halves(left, right);
    case PQ_ORDER_BYTES:
        return compare_bytes(left, right);
    case PQ_ORDER_BIG_ENDIAN:
        return compare_big_endian(left, right);
    case PQ_ORDER_NONE:
    case PQ_ORDER_INT96: // Which is never written.
        break;
    }
    return 0;
}

int pw_statistics_compare(const pq_leaf *leaf, bytes left, bytes right) {
    return compare(pq_order_of(leaf), left, right);
}

// ---- Extremes of many values -------------------------------------------------------------------

static void set_numbers(extremes *out, const void *low, const void *high, size_t size) {
    memcpy(out->numbers[0], low, size);
    memcpy(out->numbers[1], high, size);
    out->low = bytes_of(out->numbers[0], size);
    out->high = bytes_of(out->numbers[1], size);
    out->exist = true;
}

static void find_booleans(const pw_values *values, extremes *out) {
    const size_t set = bitmap_count(values->bits, values->count);
    const uint8_t low = set == values->count;
    const uint8_t high = set > 0;
    set_numbers(out, &low, &high, sizeof low);
}

#define FIND_INTEGERS(word, c_type)                                                                \
    static void find_##word(const pw_values *values, extremes *out) {                              \
        const c_type *in = values->data;                                                           \
        const c_type low = reduce_min_##word(in, NULL, values->count);                             \
        const c_type high = reduce_max_##word(in, NULL, values->count);                            \
        set_numbers(out, &low, &high, sizeof low);                                                 \
    }
FIND_INTEGERS(i32, int32_t)
FIND_INTEGERS(i64, int64_t)
FIND_INTEGERS(u32, uint32_t)
FIND_INTEGERS(u64, uint64_t)

// Zeros: either may be meant.
#define FIND_FLOATS(word, c_type, member, c_bits, most)                                            \
    static void find_##word(const pw_values *values, extremes *out) {                              \
        const pw_float_keys keys =                                                                 \
            pw_statistics_kernels_at(isa_best())->word(values->member, values->count);             \
        out->nan_count = keys.nan_count;                                                           \
        if (keys.nan_count == values->count) {                                                     \
            return;                                                                                \
        }                                                                                          \
        const c_bits low_bits = (c_bits)(keys.low < 0 ? keys.low ^ (most) : keys.low);             \
        const c_bits high_bits = (c_bits)(keys.high < 0 ? keys.high ^ (most) : keys.high);         \
        c_type low;                                                                                \
        c_type high;                                                                               \
        memcpy(&low, &low_bits, sizeof low);                                                       \
        memcpy(&high, &high_bits, sizeof high);                                                    \
        low = low == 0 ? -(c_type)0 : low;                                                         \
        high = high == 0 ? (c_type)0 : high;                                                       \
        set_numbers(out, &low, &high, sizeof low);                                                 \
    }
FIND_FLOATS(f32, float, i32, int32_t, INT32_MAX)
FIND_FLOATS(f64, double, i64, int64_t, INT64_MAX)

// Halves as integers of the same order; NaNs are the ones beyond the infinities.
#define HALF_INFINITY 0x7c00
static void find_halves(const pw_values *values, extremes *out) {
    int32_t low = INT16_MAX;
    int32_t high = INT16_MIN;
    for (uint32_t i = 0; i < values->count; i++) {
        uint16_t half;
        memcpy(&half, values->fixed + (size_t)i * sizeof half, sizeof half);
        const int32_t magnitude = half & 0x7fff;
        const int32_t key = (half & 0x8000) != 0 ? -magnitude : magnitude; // -0 is 0.
        const bool is_nan = magnitude > HALF_INFINITY;
        out->nan_count += is_nan;
        low = !is_nan && key < low ? key : low;
        high = !is_nan && key > high ? key : high;
    }
    if (out->nan_count == values->count) {
        return;
    }
    const uint16_t low_half = (uint16_t)(low <= 0 ? 0x8000 | -low : low);
    const uint16_t high_half = (uint16_t)(high < 0 ? 0x8000 | -high : high);
    set_numbers(out, &low_half, &high_half, sizeof low_half);
}

// The first four bytes as a number: where it differs, so do the strings. (Short strings have zeros
// behind their end.)
static ALWAYS_INLINE uint32_t head_of(const string_value *value) {
    uint32_t head;
    memcpy(&head, value->prefix, sizeof head);
    return __builtin_bswap32(head);
}

static ALWAYS_INLINE uint64_t load_big(const void *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return __builtin_bswap64(word);
}

// The same with sixteen bytes.
static ALWAYS_INLINE u128 long_head_of(const string_value *value) {
    if (value->size >= 16) {
        return (u128)load_big(value->data) << 64 | load_big(value->data + 8);
    }
    if (string_is_inline(value)) {
        uint32_t last;
        memcpy(&last, value->inlined + 8, sizeof last);
        return (u128)load_big(value->inlined) << 64 | (u128)__builtin_bswap32(last) << 32;
    }
    char padded[16] = {0};
    memcpy(padded, value->data, value->size);
    return (u128)load_big(padded) << 64 | load_big(padded + 8);
}

#define TAIL_MAX 80

// Of strings with the same long head: what follows, eight bytes at a time as far as that pays.
static ALWAYS_INLINE int compare_tails(const string_value *left, const string_value *right,
                                       cancel_watch *watch) {
    const uint32_t shorter = min_u32(left->size, right->size);
    if (shorter < 16 || shorter > TAIL_MAX) {
        return left->size == right->size && shorter < 16
                   ? 0
                   : string_compare_watched(left, right, watch);
    }
    for (uint32_t at = 16; at < shorter; at += 8) {
        const uint32_t from = min_u32(at, shorter - 8); // The last ones once more.
        const uint64_t l = load_big(left->data + from);
        const uint64_t r = load_big(right->data + from);
        if (l != r) {
            return l < r ? -1 : 1;
        }
    }
    return (left->size > right->size) - (left->size < right->size);
}

static void find_strings(const pw_values *values, cancel_watch *watch, extremes *out) {
    const string_value *in = values->strings;
    const string_value *low = in;
    const string_value *high = in;
    u128 low_head = long_head_of(low);
    u128 high_head = low_head;
    for (uint32_t i = 1; i < values->count; i++) {
        const uint32_t start = head_of(&in[i]);
        if (LIKELY(start > (uint32_t)(low_head >> 96) && start < (uint32_t)(high_head >> 96))) {
            continue;
        }
        const u128 head = long_head_of(&in[i]);
        if (LIKELY(head > low_head && head < high_head)) {
            continue;
        }
        if (head < low_head || (head == low_head && compare_tails(&in[i], low, watch) < 0)) {
            low = &in[i];
            low_head = head;
        }
        if (head > high_head || (head == high_head && compare_tails(&in[i], high, watch) > 0)) {
            high = &in[i];
            high_head = head;
        }
    }
    out->low = bytes_of(string_data(low), low->size);
    out->high = bytes_of(string_data(high), high->size);
    out->exist = true;
}

// The first and the last eight bytes as a number, or the first sixteen: the order of values of one
// width, up to 16. `flip` turns the sign around.
static ALWAYS_INLINE u128 key_of(const uint8_t *at, uint32_t width, uint64_t flip) {
    if (width < 8) {
        uint64_t first = 0;
        memcpy(&first, at, width);
        return (u128)(__builtin_bswap64(first) ^ flip) << 64;
    }
    return (u128)(load_big(at) ^ flip) << 64 | load_big(at + (width < 16 ? width - 8 : 8));
}

static int compare_rest(const uint8_t *left, const uint8_t *right, uint32_t width) {
    return width <= 16 ? 0 : memcmp(left + 16, right + 16, width - 16);
}

static void find_fixed(const pw_values *values, bool is_signed, extremes *out) {
    const uint32_t width = values->width;
    const uint64_t flip = is_signed ? UINT64_C(1) << 63 : 0;
    const uint8_t *low = values->fixed;
    const uint8_t *high = low;
    u128 low_key = key_of(low, width, flip);
    u128 high_key = low_key;
    for (uint32_t i = 1; i < values->count; i++) {
        const uint8_t *at = values->fixed + (size_t)i * width;
        const u128 key = key_of(at, width, flip);
        if (LIKELY(key > low_key && key < high_key)) {
            continue;
        }
        if (key < low_key || (key == low_key && compare_rest(at, low, width) < 0)) {
            low = at;
            low_key = key;
        }
        if (key > high_key || (key == high_key && compare_rest(at, high, width) > 0)) {
            high = at;
            high_key = key;
        }
    }
    out->low = bytes_of(low, width);
    out->high = bytes_of(high, width);
    out->exist = true;
}

static void find_extremes(pq_order order, const pw_values *values, cancel_watch *watch,
                          extremes *out) {
    switch (order) {
    case PQ_ORDER_BOOLEAN:
        find_booleans(values, out);
        break;
    case PQ_ORDER_SIGNED:
        (values->type == PQ_INT32 ? find_i32 : find_i64)(values, out);
        break;
    case PQ_ORDER_UNSIGNED:
        (values->type == PQ_INT32 ? find_u32 : find_u64)(values, out);
        break;
    case PQ_ORDER_FLOAT:
        (values->type == PQ_FLOAT ? find_f32 : find_f64)(values, out);
        break;
    case PQ_ORDER_FLOAT16:
        find_halves(values, out);
        break;
    case PQ_ORDER_BYTES:
        if (values->type == PQ_BYTE_ARRAY) {
            find_strings(values, watch, out);
        } else {
            find_fixed(values, false, out);
        }
        break;
    case PQ_ORDER_BIG_ENDIAN:
        find_fixed(values, true, out);
        break;
    case PQ_ORDER_NONE:
    case PQ_ORDER_INT96:
        break;
    }
}

// ---- Adding ------------------------------------------------------------------------------------

static firn_status set_bound(byte_output *bound, bytes value, firn_error *err) {
    bound->size = 0;
    return byte_output_put(bound, value) ? FIRN_OK : ARENA_FULL(bound->memory, err);
}

static firn_status widen(pw_statistics *self, pq_order order, bytes low, bytes high,
                         firn_error *err) {
    if (!self->has_bounds || compare(order, low, byte_output_bytes(&self->minimum)) < 0) {
        TRY(set_bound(&self->minimum, low, err));
    }
    if (!self->has_bounds || compare(order, high, byte_output_bytes(&self->maximum)) > 0) {
        TRY(set_bound(&self->maximum, high, err));
    }
    self->has_bounds = true;
    return FIRN_OK;
}

firn_status pw_statistics_add(pw_statistics *self, const pq_leaf *leaf, const pw_values *values,
                              uint32_t null_count, firn_error *err) {
    self->value_count += values->count;
    self->null_count += null_count;
    if (values->count == 0) {
        return FIRN_OK;
    }
    cancel_watch watch = {.cancel = self->minimum.memory->cancel};
    const pq_order order = pq_order_of(leaf);
    extremes found = {.exist = false};
    find_extremes(order, values, &watch, &found);
    TRY(cancel_check(watch.cancel, err));
    self->nan_count += found.nan_count;
    return found.exist ? widen(self, order, found.low, found.high, err) : FIRN_OK;
}

firn_status pw_statistics_merge(pw_statistics *self, const pq_leaf *leaf,
                                const pw_statistics *other, firn_error *err) {
    self->value_count += other->value_count;
    self->null_count += other->null_count;
    self->nan_count += other->nan_count;
    return other->has_bounds ? widen(self, pq_order_of(leaf), byte_output_bytes(&other->minimum),
                                     byte_output_bytes(&other->maximum), err)
                             : FIRN_OK;
}

// ---- Shortening --------------------------------------------------------------------------------

// Where to cut text so that at most so many bytes are left; it is longer than that.
static size_t whole_codes(bytes value, size_t bytes_max) {
    size_t size = bytes_max;
    while (size > 0 && !utf8_is_boundary(value.data[size])) {
        size -= 1;
    }
    return size;
}

// The last code point or byte that can be raised is; what is behind it is dropped.
static firn_status raise_start(bytes value, size_t bytes_max, bool is_utf8, arena *memory,
                               pq_bounds *out, firn_error *err) {
    size_t size = is_utf8 ? whole_codes(value, bytes_max) : bytes_max;
    uint8_t *copy = ARENA_NEW(memory, uint8_t, bytes_max + 1);
    if (copy == NULL) {
        return ARENA_FULL(memory, err);
    }
    memcpy(copy, value.data, size);
    size = is_utf8 ? utf8_raise((char *)copy, size, bytes_max) : bytes_raise(copy, size);
    out->maximum = bytes_of(copy, size);
    out->has_maximum = size > 0;
    return FIRN_OK;
}

static bool is_text(const pq_leaf *leaf) {
    const pq_meaning meaning = pq_annotation_of(leaf->element).meaning;
    return meaning == PQ_MEANS_STRING || meaning == PQ_MEANS_ENUM || meaning == PQ_MEANS_JSON;
}

static firn_status shorten(const pq_leaf *leaf, size_t bytes_max, arena *memory, pq_bounds *out,
                           firn_error *err) {
    const bool is_fixed = leaf->type == PQ_FIXED;
    const bool is_utf8 = !is_fixed && is_text(leaf);
    if (out->minimum.size > bytes_max) {
        const size_t size = is_fixed  ? 0
                            : is_utf8 ? whole_codes(out->minimum, bytes_max)
                                      : bytes_max;
        out->minimum = bytes_of(out->minimum.data, size);
        out->has_minimum = size > 0;
        out->minimum_is_exact = false;
    }
    if (out->maximum.size > bytes_max) {
        const bytes whole = out->maximum;
        out->maximum = (bytes){.size = 0};
        out->has_maximum = false;
        out->maximum_is_exact = false;
        if (!is_fixed) {
            TRY(raise_start(whole, bytes_max, is_utf8, memory, out, err));
        }
    }
    return FIRN_OK;
}

firn_status pw_statistics_bounds(const pw_statistics *self, const pq_leaf *leaf, uint32_t bytes_max,
                                 arena *memory, pq_bounds *out, firn_error *err) {
    const pq_order order = pq_order_of(leaf);
    *out = (pq_bounds){
        .has_minimum = self->has_bounds,
        .has_maximum = self->has_bounds,
        .minimum_is_exact = self->has_bounds,
        .maximum_is_exact = self->has_bounds,
        .has_null_count = true,
        .has_nan_count = order == PQ_ORDER_FLOAT || order == PQ_ORDER_FLOAT16,
        .null_count = self->null_count,
        .nan_count = self->nan_count,
    };
    if (!self->has_bounds) {
        return FIRN_OK;
    }
    out->minimum = byte_output_bytes(&self->minimum);
    out->maximum = byte_output_bytes(&self->maximum);
    return order == PQ_ORDER_BYTES ? shorten(leaf, bytes_max, memory, out, err) : FIRN_OK;
}
