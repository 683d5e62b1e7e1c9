#include "formats/parquet/pq_convert.h"

#include <assert.h>
#include <string.h>

#include "base/compiler.h"
#include "base/number_text.h"
#include "formats/parquet/pq_convert_kernels.h"

#define JULIAN_DAY_OF_EPOCH 2440588
#define SECONDS_PER_DAY INT64_C(86400)
#define NANOS_PER_DAY INT64_C(86400000000000)
#define NANOS_PER_MILLI 1000000
#define NANOS_PER_MICRO 1000

// Where a function converts all values in a loop without a check, it returns `count`.

static uint64_t load_u64(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static int64_t load_i64(const uint8_t *at) {
    return (int64_t)load_u64(at);
}

static int32_t load_i32(const uint8_t *at) {
    int32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

// ---- Integers and floats -----------------------------------------------------------------------

// Small integers: the low bits, whatever the writer put above them.
static uint32_t convert_i32_i8(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                               void *out) {
    pq_convert_kernels_best()->i32_i8(raw, count, out);
    (void)self;
    return count;
}

static uint32_t convert_i32_i16(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                                void *out) {
    pq_convert_kernels_best()->i32_i16(raw, count, out);
    (void)self;
    return count;
}

static uint32_t convert_i32_i64(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                                void *out) {
    pq_convert_kernels_best()->i32_i64(raw, count, out);
    (void)self;
    return count;
}

static uint32_t convert_u32_u64(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                                void *out) {
    pq_convert_kernels_best()->u32_u64(raw, count, out);
    (void)self;
    return count;
}

// UINT32 that old writers stored in INT64.
static uint32_t convert_i64_u32(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                                void *out) {
    uint32_t *values = out;
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t value = load_u64(raw + i * sizeof value);
        if (value > UINT32_MAX) {
            return i;
        }
        values[i] = (uint32_t)value;
    }
    (void)self;
    return count;
}

static uint32_t convert_f32_f64(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                                void *out) {
    pq_convert_kernels_best()->f32_f64(raw, count, out);
    (void)self;
    return count;
}

// ---- Times -------------------------------------------------------------------------------------

static uint32_t convert_units(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                              void *out) {
    int64_t *values = out;
    for (uint32_t i = 0; i < count; i++) {
        if (__builtin_mul_overflow(load_i64(raw + i * sizeof(int64_t)), self->factor, &values[i])) {
            return i;
        }
    }
    return count;
}

// Times, which lie within a day, to the same or a finer unit.
static uint32_t convert_time(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                             void *out) {
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *at = raw + (size_t)i * self->width;
        const int64_t value = self->width == sizeof(int64_t) ? load_i64(at) : load_i32(at);
        if (value < 0 || value > self->limit) {
            return i;
        }
        if (self->size == sizeof(int32_t)) {
            ((int32_t *)out)[i] = (int32_t)value;
        } else {
            ((int64_t *)out)[i] = value * self->factor;
        }
    }
    return count;
}

// Nanoseconds of the day, then the Julian day. `factor` is nanoseconds a unit.
static uint32_t convert_int96(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                              void *out) {
    int64_t *values = out;
    const int64_t units_per_day = NANOS_PER_DAY / self->factor;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *at = raw + (size_t)i * 12;
        const int64_t nanos = load_i64(at);
        const int64_t days = (int64_t)load_i32(at + 8) - JULIAN_DAY_OF_EPOCH;
        int64_t quotient = nanos / self->factor;
        quotient -= nanos % self->factor < 0; // Toward the past.
        const bool is_far = __builtin_mul_overflow(days, units_per_day, &values[i]);
        const bool is_beyond = __builtin_add_overflow(values[i], quotient, &values[i]);
        if (is_far || is_beyond) {
            // Spark writes days that wrapped around, and reads them back as microseconds that wrap
            // around once more: years far away come out right. Nanoseconds it never has.
            if (self->factor != NANOS_PER_MICRO) {
                return i;
            }
        }
    }
    return count;
}

// Months, days and milliseconds, unsigned.
static uint32_t convert_interval(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                                 void *out) {
    interval_value *values = out;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *at = raw + (size_t)i * 12;
        const int32_t months = load_i32(at);
        const int32_t days = load_i32(at + 4);
        const uint32_t millis = (uint32_t)load_i32(at + 8);
        if (months < 0 || days < 0) {
            return i;
        }
        values[i] = (interval_value){
            .months = months, .days = days, .nanos = (int64_t)millis * NANOS_PER_MILLI};
    }
    (void)self;
    return count;
}

// ---- Bytes -------------------------------------------------------------------------------------

static uint32_t convert_view(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                             void *out) {
    pq_fixed_bytes_view(raw, self->width, count, out);
    return count;
}

// ---- Decimals ----------------------------------------------------------------------------------

// Big-endian two's complement of up to 8 bytes: one load, which reads beyond the value.
static ALWAYS_INLINE int64_t big_endian_i64(const uint8_t *at, uint32_t width) {
    return (int64_t)__builtin_bswap64(load_u64(at)) >> (64 - 8 * width);
}

static ALWAYS_INLINE i128 big_endian_i128(const uint8_t *at, uint32_t width) {
    const u128 high = __builtin_bswap64(load_u64(at));
    const u128 low = __builtin_bswap64(load_u64(at + 8));
    return (i128)(high << 64 | low) >> (128 - 8 * width);
}

// Stores a decimal of the target's width; false if it has more digits.
static bool store_decimal(const pq_conversion *self, i128 value, void *out, size_t i) {
    if (!i128_has_digits(value, self->precision < DECIMAL_PRECISION_I128
                                    ? self->precision
                                    : DECIMAL_PRECISION_I128)) {
        return false;
    }
    if (self->size == sizeof(int32_t)) {
        ((int32_t *)out)[i] = (int32_t)value;
    } else if (self->size == sizeof(int64_t)) {
        ((int64_t *)out)[i] = (int64_t)value;
    } else if (self->size == sizeof(i128)) {
        ((i128 *)out)[i] = value;
    } else {
        ((i256 *)out)[i] = i256_from_i128(value);
    }
    return true;
}

// The general case: any width to any width, with digits added behind the point.
static bool store_big(const pq_conversion *self, bytes raw, void *out, size_t i) {
    i256 value;
    if (!i256_from_big_endian(raw, &value) ||
        !i256_rescale_fits(value, 0, self->scale_step, &value)) {
        return false;
    }
    if (self->size == sizeof(i256)) {
        if (!i256_has_digits(value, self->precision)) {
            return false;
        }
        ((i256 *)out)[i] = value;
        return true;
    }
    i128 narrow;
    return i256_to_i128_fits(value, &narrow) && store_decimal(self, narrow, out, i);
}

static uint32_t convert_big_any(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                                void *out) {
    for (uint32_t i = 0; i < count; i++) {
        const bytes value = {.data = raw + (size_t)i * self->width, .size = self->width};
        if (!store_big(self, value, out, i)) {
            return i;
        }
    }
    return count;
}

static uint32_t convert_string_any(const pq_conversion *self, const string_value *raw,
                                   uint32_t count, void *out) {
    for (uint32_t i = 0; i < count; i++) {
        const bytes value = {.data = (const uint8_t *)string_data(&raw[i]), .size = raw[i].size};
        // Some writers store 0 as no bytes; lanes of NULLs have none either.
        const bytes zero = {.data = (const uint8_t *)"", .size = 1};
        if (!store_big(self, value.size == 0 ? zero : value, out, i)) {
            return i;
        }
    }
    return count;
}

// Whether all values lie within +-limit. One pass over the batch instead of a branch per value.
static uint32_t first_beyond(const int64_t *values, uint32_t count, int64_t limit) {
    if (!pq_convert_kernels_best()->is_beyond_i64(values, count, limit)) {
        return count;
    }
    uint32_t first = 0;
    while (values[first] <= limit && values[first] >= -limit) {
        first += 1;
    }
    return first;
}

static int64_t decimal_limit(uint8_t precision) {
    return (int64_t)u64_power_of_ten[precision] - 1;
}

static uint32_t convert_big_i64(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                                void *out) {
    pq_convert_kernels_best()->big_i64(raw, self->width, count, out);
    return first_beyond(out, count, decimal_limit(self->precision));
}

static uint32_t convert_big_i32(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                                void *out) {
    int32_t *values = out;
    const int64_t limit = decimal_limit(self->precision);
    for (uint32_t i = 0; i < count; i++) {
        const int64_t value = big_endian_i64(raw + (size_t)i * self->width, self->width);
        if (value > limit || value < -limit) {
            return i;
        }
        values[i] = (int32_t)value;
    }
    return count;
}

static uint32_t convert_big_i128(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                                 void *out) {
    i128 *values = out;
    const i128 limit = i128_power_of_ten[self->precision] - 1;
    for (uint32_t i = 0; i < count; i++) {
        const i128 value = big_endian_i128(raw + (size_t)i * self->width, self->width);
        if (value > limit || value < -limit) {
            return i;
        }
        values[i] = value;
    }
    return count;
}

// Decimals in INT32 and INT64 of the target's own width: checked, since the width allows more.
static uint32_t convert_decimal_same(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                                     void *out) {
    const int64_t limit = decimal_limit(self->precision);
    if (count > 0 && out != raw) {
        memcpy(out, raw, (size_t)count * self->width);
    }
    if (self->width == sizeof(int64_t)) {
        return first_beyond(out, count, limit);
    }
    const int32_t *values = out;
    if (pq_convert_kernels_best()->is_beyond_i32(values, count, (int32_t)limit)) {
        uint32_t first = 0;
        while (values[first] <= limit && values[first] >= -limit) {
            first += 1;
        }
        return first;
    }
    return count;
}

// Decimals in INT32 and INT64 to another width or scale.
static uint32_t convert_decimal_any(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                                    void *out) {
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *at = raw + (size_t)i * self->width;
        const int64_t value = self->width == sizeof(int64_t) ? load_i64(at) : load_i32(at);
        i128 scaled;
        if (self->size == sizeof(i256)) {
            i256 wide;
            if (!i256_rescale_fits(i256_from_i64(value), 0, self->scale_step, &wide) ||
                !i256_has_digits(wide, self->precision)) {
                return i;
            }
            ((i256 *)out)[i] = wide;
        } else if (!i128_rescale_fits(value, 0, self->scale_step, &scaled) ||
                   !store_decimal(self, scaled, out, i)) {
            return i;
        }
    }
    return count;
}

// ---- Other kinds of number ---------------------------------------------------------------------
//
// One value at a time: it takes files of several types to need these.

static bool load_integer(const pq_conversion *self, const uint8_t *raw, size_t i, i128 *out) {
    const uint8_t *at = raw + i * self->width;
    if (self->width == sizeof(int64_t)) {
        *out = self->is_unsigned ? (i128)load_u64(at) : (i128)load_i64(at);
        return true;
    }
    const int64_t value = self->is_unsigned && self->limit == UINT32_MAX
                              ? (int64_t)(uint32_t)load_i32(at)
                              : load_i32(at);
    *out = value;
    return value <= self->limit && value >= (self->is_unsigned ? 0 : -self->limit - 1);
}

static uint32_t convert_integer_wider(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                                      void *out) {
    for (uint32_t i = 0; i < count; i++) {
        i128 value;
        if (!load_integer(self, raw, i, &value)) {
            return i;
        }
        memcpy((uint8_t *)out + (size_t)i * self->size, &value, self->size); // The low bytes.
    }
    return count;
}

static uint32_t convert_integer_f64(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                                    void *out) {
    for (uint32_t i = 0; i < count; i++) {
        i128 value;
        if (!load_integer(self, raw, i, &value)) {
            return i;
        }
        ((double *)out)[i] = value > INT64_MAX ? (double)(uint64_t)value : (double)(int64_t)value;
    }
    return count;
}

static uint32_t convert_integer_decimal(const pq_conversion *self, const uint8_t *raw,
                                        uint32_t count, void *out) {
    for (uint32_t i = 0; i < count; i++) {
        i128 value;
        i256 wide;
        if (!load_integer(self, raw, i, &value)) {
            return i;
        }
        if (self->size == sizeof(i256)) {
            if (!i256_rescale_fits(i256_from_i128(value), 0, self->scale_step, &wide) ||
                !i256_has_digits(wide, self->precision)) {
                return i;
            }
            ((i256 *)out)[i] = wide;
        } else if (!i128_rescale_fits(value, 0, self->scale_step, &value) ||
                   !store_decimal(self, value, out, i)) {
            return i;
        }
    }
    return count;
}

static uint32_t convert_decimal_f64(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                                    void *out) {
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *at = raw + (size_t)i * self->width;
        const int64_t value = self->width == sizeof(int64_t) ? load_i64(at) : load_i32(at);
        ((double *)out)[i] = number_decimal128_to_f64(value, (uint32_t)self->scale_step);
    }
    return count;
}

static bool store_big_f64(const pq_conversion *self, bytes raw, void *out, size_t i) {
    i256 value;
    if (!i256_from_big_endian(raw, &value)) {
        return false;
    }
    ((double *)out)[i] = number_decimal256_to_f64(value, (uint32_t)self->scale_step);
    return true;
}

static uint32_t convert_big_f64(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                                void *out) {
    for (uint32_t i = 0; i < count; i++) {
        const bytes value = {.data = raw + (size_t)i * self->width, .size = self->width};
        if (!store_big_f64(self, value, out, i)) {
            return i;
        }
    }
    return count;
}

static uint32_t convert_string_f64(const pq_conversion *self, const string_value *raw,
                                   uint32_t count, void *out) {
    for (uint32_t i = 0; i < count; i++) {
        const bytes value = {.data = (const uint8_t *)string_data(&raw[i]), .size = raw[i].size};
        const bytes zero = {.data = (const uint8_t *)"", .size = 1}; // As above.
        if (!store_big_f64(self, value.size == 0 ? zero : value, out, i)) {
            return i;
        }
    }
    return count;
}

static uint32_t convert_days(const pq_conversion *self, const uint8_t *raw, uint32_t count,
                             void *out) {
    for (uint32_t i = 0; i < count; i++) {
        if (__builtin_mul_overflow((int64_t)load_i32(raw + (size_t)i * sizeof(int32_t)),
                                   self->factor, &((int64_t *)out)[i])) {
            return i;
        }
    }
    return count;
}

// ---- Choice ------------------------------------------------------------------------------------

static void find_decimal(const pq_leaf *leaf, const type *own, const type *target,
                         pq_conversion *out) {
    const bool is_integer = leaf->type == PQ_INT32 || leaf->type == PQ_INT64;
    out->precision = target->precision;
    out->scale_step = target->scale - own->scale;
    out->strings = leaf->type == PQ_BYTE_ARRAY ? convert_string_any : NULL;
    if (is_integer) {
        const bool is_same = out->size == out->width && out->scale_step == 0;
        out->fixed = is_same ? convert_decimal_same : convert_decimal_any;
        out->keeps_bytes = is_same;
        return;
    }
    if (leaf->type == PQ_BYTE_ARRAY) {
        return;
    }
    out->fixed = convert_big_any;
    if (out->scale_step == 0 && out->width <= sizeof(int64_t)) {
        out->fixed = out->size == sizeof(int32_t)   ? convert_big_i32
                     : out->size == sizeof(int64_t) ? convert_big_i64
                                                    : out->fixed;
    }
    if (out->scale_step == 0 && out->width <= sizeof(i128) && out->size == sizeof(i128)) {
        out->fixed = convert_big_i128;
    }
}

static int64_t units_per_second(time_unit unit) {
    static const int64_t counts[] = {
        [UNIT_SECOND] = 1, [UNIT_MILLI] = 1000, [UNIT_MICRO] = 1000000, [UNIT_NANO] = 1000000000};
    return counts[unit];
}

// The most that an integer type holds; of UBIGINT, what is asked of nobody.
static int64_t integer_limit(type_id id) {
    switch ((int)id) {
    case TYPE_TINYINT:
        return INT8_MAX;
    case TYPE_SMALLINT:
        return INT16_MAX;
    case TYPE_INTEGER:
        return INT32_MAX;
    case TYPE_UTINYINT:
        return UINT8_MAX;
    case TYPE_USMALLINT:
        return UINT16_MAX;
    case TYPE_UINTEGER:
        return UINT32_MAX;
    default:
        return INT64_MAX;
    }
}

static uint32_t integer_digits(type_id id) {
    switch ((int)id) {
    case TYPE_TINYINT:
    case TYPE_UTINYINT:
        return 3;
    case TYPE_SMALLINT:
    case TYPE_USMALLINT:
        return 5;
    case TYPE_INTEGER:
    case TYPE_UINTEGER:
        return 10;
    default:
        return id == TYPE_UBIGINT ? 20 : 19;
    }
}

// From an integer to a number type that has room for all of its values; DOUBLE rounds those of 64
// bits, as CAST does.
static bool find_wider(const type *own, const type *target, pq_conversion *out) {
    out->is_unsigned = own->id >= TYPE_UTINYINT && own->id <= TYPE_UBIGINT;
    out->limit = integer_limit(own->id);
    if (target->id == TYPE_DOUBLE) {
        out->fixed = convert_integer_f64;
        return true;
    }
    if (target->id == TYPE_DECIMAL) {
        out->fixed = convert_integer_decimal;
        out->precision = target->precision;
        out->scale_step = target->scale;
        return (uint32_t)target->precision - target->scale >= integer_digits(own->id);
    }
    out->fixed = convert_integer_wider;
    const bool fits_sign =
        out->is_unsigned || (target->id >= TYPE_TINYINT && target->id <= TYPE_BIGINT);
    return type_category_of(target) == CATEGORY_INTEGER && fits_sign &&
           out->size > physical_size(type_physical(own));
}

// Integer and float types: by the width of the target.
static bool find_number(const pq_leaf *leaf, const type *own, const type *target,
                        pq_conversion *out) {
    if (target->id == own->id) {
        const bool is_small = leaf->type == PQ_INT32 && out->size < sizeof(int32_t);
        out->fixed = is_small ? (out->size == 1 ? convert_i32_i8 : convert_i32_i16) : NULL;
        if (leaf->type == PQ_INT64 && out->size == sizeof(int32_t)) {
            out->fixed = convert_i64_u32;
        }
        return true;
    }
    if (own->id == TYPE_INTEGER && target->id == TYPE_BIGINT) {
        out->fixed = convert_i32_i64;
        return true;
    }
    if (own->id == TYPE_UINTEGER && leaf->type == PQ_INT32 &&
        (target->id == TYPE_UBIGINT || target->id == TYPE_BIGINT)) {
        out->fixed = convert_u32_u64;
        return true;
    }
    if (own->id == TYPE_REAL && target->id == TYPE_DOUBLE) {
        out->fixed = convert_f32_f64;
        return true;
    }
    return type_category_of(own) == CATEGORY_INTEGER && find_wider(own, target, out);
}

static bool find_decimal_f64(const pq_leaf *leaf, const type *own, pq_conversion *out) {
    const bool is_integer = leaf->type == PQ_INT32 || leaf->type == PQ_INT64;
    out->scale_step = own->scale;
    out->strings = leaf->type == PQ_BYTE_ARRAY ? convert_string_f64 : NULL;
    out->fixed = is_integer                    ? convert_decimal_f64
                 : leaf->type == PQ_BYTE_ARRAY ? NULL
                                               : convert_big_f64;
    return true;
}

static bool is_timestamp(const type *self) {
    return self->id == TYPE_TIMESTAMP || self->id == TYPE_TIMESTAMPTZ;
}

// Times and timestamps: to the same or a finer unit. INT96 says nothing of time zones.
static bool find_time(const pq_leaf *leaf, const type *own, const type *target,
                      pq_conversion *out) {
    if (leaf->type == PQ_INT96 && is_timestamp(target)) {
        out->fixed = convert_int96;
        out->factor = 1000000000 / units_per_second(target->unit);
        return true;
    }
    if (own->id != target->id || units_per_second(target->unit) < units_per_second(own->unit)) {
        return false;
    }
    out->factor = units_per_second(target->unit) / units_per_second(own->unit);
    if (own->id == TYPE_TIME) {
        out->fixed = convert_time;
        out->limit = SECONDS_PER_DAY * units_per_second(own->unit);
        out->keeps_bytes = out->factor == 1 && out->size == out->width;
        return true;
    }
    out->fixed = out->factor == 1 ? NULL : convert_units;
    return true;
}

static bool is_text(const type *self) {
    return self->id == TYPE_VARCHAR || self->id == TYPE_BINARY || self->id == TYPE_JSON ||
           self->id == TYPE_UUID;
}

static bool find(const pq_leaf *leaf, const type *own, const type *target, pq_conversion *out) {
    *out = (pq_conversion){
        .width = leaf->width,
        .size = physical_size(type_physical(target)),
        .factor = 1,
    };
    switch (type_category_of(own)) {
    case CATEGORY_NULL:
    case CATEGORY_BOOLEAN:
        return own->id == target->id;
    case CATEGORY_INTEGER:
    case CATEGORY_FLOAT:
        return find_number(leaf, own, target, out);
    case CATEGORY_DECIMAL:
        if (target->id == TYPE_DOUBLE) {
            return find_decimal_f64(leaf, own, out);
        }
        find_decimal(leaf, own, target, out);
        return target->id == TYPE_DECIMAL && out->scale_step >= 0 &&
               target->precision - target->scale >= own->precision - own->scale;
    case CATEGORY_DATETIME:
        if (own->id == TYPE_DATE && target->id == TYPE_TIMESTAMP) {
            out->fixed = convert_days;
            out->factor = SECONDS_PER_DAY * units_per_second(target->unit);
            return true;
        }
        if (own->id == TYPE_DATE) {
            return target->id == TYPE_DATE;
        }
        if (own->id == TYPE_INTERVAL) {
            out->fixed = convert_interval;
            return target->id == TYPE_INTERVAL;
        }
        return find_time(leaf, own, target, out);
    case CATEGORY_TEXT:
    case CATEGORY_BINARY:
    case CATEGORY_UUID:
        out->fixed = leaf->type == PQ_FIXED ? convert_view : NULL;
        return is_text(target) && (target->width == 0 || target->width == own->width);
    case CATEGORY_NESTED:
        break;
    }
    return false;
}

bool pq_can_convert(const pq_leaf *leaf, const type *own, const type *target) {
    pq_conversion ignored;
    return find(leaf, own, target, &ignored);
}

firn_status pq_conversion_find(const pq_leaf *leaf, const type *own, const type *target,
                               pq_conversion *out, firn_error *err) {
    if (find(leaf, own, target, out)) {
        return FIRN_OK;
    }
    arena memory = arena_open(1 << 16);
    const text from = type_text(own, &memory);
    const text to = type_text(target, &memory);
    const firn_status status = FAIL(err, FIRN_UNSUPPORTED, "column \"%.*s\" is %.*s, not %.*s",
                                    TEXT_ARGS(leaf->node->name), TEXT_ARGS(from), TEXT_ARGS(to));
    arena_close(&memory);
    return status;
}
