#include "formats/parquet/write/pw_stored.h"

#include <assert.h>
#include <string.h>

#include "base/calendar.h"
#include "kernels/gather.h"

#define MILLIS_PER_SECOND 1000
#define NANOS_PER_MILLI 1000000
#define INTERVAL_WIDTH 12
#define UUID_WIDTH 16

typedef struct storing {
    const pq_leaf *leaf;
    const type *of;
    arena *scratch;
    pw_values *out;
} storing;

// ---- Rows one behind the other -----------------------------------------------------------------

static firn_status take_bits(const storing *self, const column *from, const uint32_t *rows,
                             uint32_t count, firn_error *err) {
    if (from->form == FORM_FLAT && rows == NULL) {
        self->out->data = from->values;
        return FIRN_OK;
    }
    const uint64_t *in = from->values;
    uint64_t *bits = ARENA_NEW(self->scratch, uint64_t, BITMAP_WORDS(count));
    if (bits == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    self->out->bits = bits;
    if (from->form == FORM_CONSTANT) {
        memset(bits, bitmap_get(in, 0) ? 0xff : 0, BITMAP_WORDS(count) * sizeof *bits);
        return FIRN_OK;
    }
    for (uint32_t at = 0; at < count; at += 64) {
        const uint32_t size = count - at < 64 ? count - at : 64;
        uint64_t word = 0;
        for (uint32_t i = 0; i < size; i++) {
            word |= (uint64_t)bitmap_get(in, rows[at + i]) << i;
        }
        bits[at / 64] = word;
    }
    return FIRN_OK;
}

// The values of the rows, as the column has them.
static firn_status take_values(const storing *self, const column *from, const uint32_t *rows,
                               uint32_t count, const void **out, firn_error *err) {
    if (rows == NULL && (from->form == FORM_FLAT || count == 1)) {
        *out = from->values;
        return FIRN_OK;
    }
    const uint32_t size = physical_size(type_physical(self->of));
    void *values = arena_alloc(self->scratch, count, size);
    if (values == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    if (from->form == FORM_CONSTANT) {
        gather_repeat(size, from->values, count, values);
    } else {
        gather_codes(size, from->values, rows, count, values);
    }
    *out = values;
    return FIRN_OK;
}

// ---- Conversions -------------------------------------------------------------------------------

static int32_t *new_i32(const storing *self, uint32_t count) {
    return ARENA_NEW(self->scratch, int32_t, count);
}

#define WIDEN(word, c_type)                                                                        \
    static firn_status widen_##word(const storing *self, const void *values, uint32_t count,       \
                                    firn_error *err) {                                             \
        const c_type *in = values;                                                                 \
        int32_t *out = new_i32(self, count);                                                       \
        if (out == NULL) {                                                                         \
            return ARENA_FULL(self->scratch, err);                                                 \
        }                                                                                          \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            out[i] = +in[i];                                                                       \
        }                                                                                          \
        self->out->i32 = out;                                                                      \
        return FIRN_OK;                                                                            \
    }
WIDEN(i8, int8_t)
WIDEN(i16, int16_t)
WIDEN(u8, uint8_t)
WIDEN(u16, uint16_t)

static firn_status say_far(const storing *self, int64_t seconds, firn_error *err) {
    const text of = type_text(self->of, self->scratch);
    return FAIL_SQL(err, FIRN_INVALID, "22003", NO_POSITION,
                    "%.*s of %lld seconds in \"%.*s\": too many milliseconds for Parquet",
                    TEXT_ARGS(of), (long long)seconds, TEXT_ARGS(self->leaf->node->name));
}

// A TIME may be 24:00:00, which ends a day; those of the format, and of Iceberg, are before it.
static firn_status say_late(const storing *self, firn_error *err) {
    const text of = type_text(self->of, self->scratch);
    return FAIL_SQL(err, FIRN_INVALID, "22003", NO_POSITION,
                    "%.*s 24:00:00 in \"%.*s\": in Parquet a time of the day is before 24:00",
                    TEXT_ARGS(of), TEXT_ARGS(self->leaf->node->name));
}

// Seconds of the day.
static firn_status store_time_seconds(const storing *self, const void *values, uint32_t count,
                                      firn_error *err) {
    const int32_t *in = values;
    int32_t *out = new_i32(self, count);
    if (out == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (in[i] >= CALENDAR_DAY_SECONDS) {
            return say_late(self, err);
        }
        out[i] = in[i] * MILLIS_PER_SECOND;
    }
    self->out->i32 = out;
    return FIRN_OK;
}

// The same bytes, if no time is 24:00.
#define STORE_TIMES(word, c_type)                                                                  \
    static firn_status store_times_##word(const storing *self, const void *values, uint32_t count, \
                                          firn_error *err) {                                       \
        const c_type *in = values;                                                                 \
        const c_type day =                                                                         \
            (c_type)(CALENDAR_DAY_SECONDS * calendar_units_per_second(self->of->unit));            \
        bool is_late = false;                                                                      \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            is_late |= in[i] >= day;                                                               \
        }                                                                                          \
        self->out->data = values;                                                                  \
        return is_late ? say_late(self, err) : FIRN_OK;                                            \
    }
STORE_TIMES(i32, int32_t)
STORE_TIMES(i64, int64_t)

static firn_status store_seconds(const storing *self, const void *values, uint32_t count,
                                 firn_error *err) {
    const int64_t *in = values;
    int64_t *out = ARENA_NEW(self->scratch, int64_t, count);
    if (out == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (__builtin_mul_overflow(in[i], MILLIS_PER_SECOND, &out[i])) {
            return say_far(self, in[i], err);
        }
    }
    self->out->i64 = out;
    return FIRN_OK;
}

// Not inlined: where the compiler sees how large the room is, _FORTIFY_SOURCE makes each of the
// small copies into it a call.
NEVER_INLINE static uint8_t *new_fixed(const storing *self, uint32_t count) {
    return arena_alloc(self->scratch, count, self->leaf->width);
}

static firn_status say_digits(const storing *self, firn_error *err) {
    const text of = type_text(self->of, self->scratch);
    return FAIL_SQL(err, FIRN_INVALID, "22003", NO_POSITION,
                    "a number in \"%.*s\" has more digits than %.*s",
                    TEXT_ARGS(self->leaf->node->name), TEXT_ARGS(of));
}

static void store_u64(uint8_t *out, uint64_t value) {
    const uint64_t swapped = __builtin_bswap64(value);
    memcpy(out, &swapped, sizeof swapped);
}

// The high half moved up to the first bytes; then the low half, over those that were too many.
WRAPS static firn_status store_i128(const storing *self, const void *values, uint32_t count,
                                    firn_error *err) {
    const i128 *in = values;
    const uint32_t width = self->leaf->width;
    assert(width > 8 && width <= sizeof(i128));
    uint8_t *out = new_fixed(self, count);
    if (out == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    const uint32_t shift = 128 - 8 * width;
    uint64_t lost = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t high = (uint64_t)((u128)in[i] >> 64);
        const uint64_t first = high << shift;
        lost |= (uint64_t)((int64_t)first >> shift) ^ high;
        uint8_t *at = out + (size_t)i * width;
        store_u64(at, first);
        store_u64(at + width - 8, (uint64_t)((u128)in[i] & UINT64_MAX));
    }
    self->out->fixed = out;
    return lost == 0 ? FIRN_OK : say_digits(self, err);
}

static firn_status store_i256(const storing *self, const void *values, uint32_t count,
                              firn_error *err) {
    const i256 *in = values;
    const uint32_t width = self->leaf->width;
    uint8_t *out = new_fixed(self, count);
    if (out == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!i256_to_big_endian(in[i], width, out + (size_t)i * width)) {
            return say_digits(self, err);
        }
    }
    self->out->fixed = out;
    return FIRN_OK;
}

static bool interval_fits(interval_value value, uint32_t *millis) {
    const uint64_t whole = (uint64_t)value.nanos / NANOS_PER_MILLI; // Too large if it is negative.
    *millis = (uint32_t)(whole & UINT32_MAX);
    return (value.months | value.days) >= 0 && whole <= UINT32_MAX &&
           whole * NANOS_PER_MILLI == (uint64_t)value.nanos;
}

static firn_status store_interval(const storing *self, const void *values, uint32_t count,
                                  firn_error *err) {
    const interval_value *in = values;
    assert(self->leaf->width == INTERVAL_WIDTH);
    uint8_t *out = new_fixed(self, count);
    if (out == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t millis;
        if (!interval_fits(in[i], &millis)) {
            return FAIL_SQL(err, FIRN_INVALID, "22003", NO_POSITION,
                            "INTERVAL of %d months, %d days, %lld nanoseconds in \"%.*s\": Parquet "
                            "has months, days and milliseconds from 0 to 4294967295",
                            in[i].months, in[i].days, (long long)in[i].nanos,
                            TEXT_ARGS(self->leaf->node->name));
        }
        uint8_t *at = out + (size_t)i * INTERVAL_WIDTH;
        memcpy(at, &in[i].months, 4);
        memcpy(at + 4, &in[i].days, 4);
        memcpy(at + 8, &millis, 4);
    }
    self->out->fixed = out;
    return FIRN_OK;
}

// Copies values of one width; the number of the first that has another, or `count`.
static ALWAYS_INLINE uint32_t copy_fixed(const string_value *in, uint32_t width, uint32_t count,
                                         uint8_t *out) {
    for (uint32_t i = 0; i < count; i++) {
        if (in[i].size != width) {
            return i;
        }
        memcpy(out + (size_t)i * width, string_data(&in[i]), width);
    }
    return count;
}

static firn_status store_fixed(const storing *self, const void *values, uint32_t count,
                               firn_error *err) {
    const string_value *in = values;
    const uint32_t width = self->leaf->width;
    uint8_t *out = new_fixed(self, count);
    if (out == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    // A UUID is two moves.
    const uint32_t done = width == UUID_WIDTH ? copy_fixed(in, UUID_WIDTH, count, out)
                                              : copy_fixed(in, width, count, out);
    if (done < count) {
        return FAIL_SQL(err, FIRN_INVALID, "22026", NO_POSITION,
                        "%u bytes in \"%.*s\", each value has %u", in[done].size,
                        TEXT_ARGS(self->leaf->node->name), width);
    }
    self->out->fixed = out;
    return FIRN_OK;
}

typedef firn_status (*conversion)(const storing *self, const void *values, uint32_t count,
                                  firn_error *err);

// NULL: the same bytes.
static conversion conversion_of(const storing *self) {
    switch ((int)type_physical(self->of)) {
    case PHYSICAL_I8:
        return widen_i8;
    case PHYSICAL_I16:
        return widen_i16;
    case PHYSICAL_U8:
        return widen_u8;
    case PHYSICAL_U16:
        return widen_u16;
    case PHYSICAL_I32:
        if (self->of->id != TYPE_TIME) {
            return NULL;
        }
        return self->of->unit == UNIT_SECOND ? store_time_seconds : store_times_i32;
    case PHYSICAL_I64:
        if (self->of->id == TYPE_TIME) {
            return store_times_i64;
        }
        return (self->of->id == TYPE_TIMESTAMP || self->of->id == TYPE_TIMESTAMPTZ) &&
                       self->of->unit == UNIT_SECOND
                   ? store_seconds
                   : NULL;
    case PHYSICAL_I128:
        return store_i128;
    case PHYSICAL_I256:
        return store_i256;
    case PHYSICAL_INTERVAL:
        return store_interval;
    case PHYSICAL_STRING:
        return self->leaf->type == PQ_FIXED ? store_fixed : NULL;
    default:
        return NULL;
    }
}

firn_status pw_store(const pq_leaf *leaf, const column *values, const uint32_t *rows,
                     uint32_t count, arena *scratch, pw_values *out, firn_error *err) {
    assert(values->form == FORM_FLAT || values->form == FORM_CONSTANT);
    assert(values->type->id != TYPE_NULL || count == 0);
    const storing self = {.leaf = leaf, .of = values->type, .scratch = scratch, .out = out};
    *out = (pw_values){
        .type = leaf->type, .width = leaf->type == PQ_FIXED ? leaf->width : 0, .count = count};
    if (count == 0) {
        return FIRN_OK;
    }
    if (leaf->type == PQ_BOOLEAN) {
        return take_bits(&self, values, rows, count, err);
    }
    const void *taken;
    TRY(take_values(&self, values, rows, count, &taken, err));
    const conversion convert = conversion_of(&self);
    if (convert != NULL) {
        return convert(&self, taken, count, err);
    }
    out->data = taken;
    assert(pw_values_size(out->type, out->width) == physical_size(type_physical(self.of)));
    return FIRN_OK;
}
