#include "kernels/decimal.h"

#include "kernels/widen.h"

#define CHUNK 256 // Values at a time: 8 KiB at most, on the stack.

decimal_format decimal_format_of(const type *self) {
    if (self->id == TYPE_DECIMAL) {
        return (decimal_format){type_physical(self), self->precision, self->scale};
    }
    return (decimal_format){type_physical(self), 0, 0};
}

// Digits that a value of the format may have.
static uint32_t digits_of(const decimal_format *self) {
    if (self->precision > 0) {
        return self->precision;
    }
    static const uint8_t digits[PHYSICAL_COUNT] = {
        [PHYSICAL_I8] = 3,    [PHYSICAL_I16] = 5,   [PHYSICAL_I32] = 10, [PHYSICAL_I64] = 19,
        [PHYSICAL_U8] = 3,    [PHYSICAL_U16] = 5,   [PHYSICAL_U32] = 10, [PHYSICAL_U64] = 20,
        [PHYSICAL_I128] = 39, [PHYSICAL_I256] = 77,
    };
    return digits[self->layout];
}

static bool is_64_bits(physical layout) {
    return layout <= PHYSICAL_U32;
}

static bool is_128_bits(physical layout) {
    return layout <= PHYSICAL_U64 || layout == PHYSICAL_I128;
}

// ---- Loading ---------------------------------------------------------------------------------

// The visits [first, first + count) of a conversion.
typedef struct chunk {
    const decimal_conversion *call;
    uint32_t first;
    uint32_t count;
} chunk;

static uint32_t row_of(const chunk *self, uint32_t i) {
    const uint32_t visit = self->first + i;
    return self->call->rows == NULL ? visit : self->call->rows[visit];
}

// A loop over all rows of a flat column is simple enough for the compiler to vectorise.
#define LOAD(NAME, c_type, widened)                                                                \
    case PHYSICAL_##NAME: {                                                                        \
        const c_type *in = self->call->in;                                                         \
        if (self->call->rows == NULL && self->call->mask != 0) {                                   \
            for (uint32_t i = 0; i < self->count; i++) {                                           \
                out[i] = widened(in[self->first + i]);                                             \
            }                                                                                      \
        } else {                                                                                   \
            for (uint32_t i = 0; i < self->count; i++) {                                           \
                out[i] = widened(in[row_of(self, i) & self->call->mask]);                          \
            }                                                                                      \
        }                                                                                          \
        break;                                                                                     \
    }

static void load_i64(const chunk *self, int64_t *out) {
    switch ((int)self->call->from.layout) {
        LOAD(I8, int8_t, (int64_t))
        LOAD(I16, int16_t, (int64_t))
        LOAD(I32, int32_t, (int64_t))
        LOAD(I64, int64_t, (int64_t))
        LOAD(U8, uint8_t, (int64_t))
        LOAD(U16, uint16_t, (int64_t))
        LOAD(U32, uint32_t, (int64_t))
    default:
        assert(false);
    }
}

static void load_i128(const chunk *self, i128 *out) {
    switch ((int)self->call->from.layout) {
        LOAD(I8, int8_t, (i128))
        LOAD(I16, int16_t, (i128))
        LOAD(I32, int32_t, (i128))
        LOAD(I64, int64_t, (i128))
        LOAD(U8, uint8_t, (i128))
        LOAD(U16, uint16_t, (i128))
        LOAD(U32, uint32_t, (i128))
        LOAD(U64, uint64_t, (i128))
        LOAD(I128, i128, (i128))
    default:
        assert(false);
    }
}

static void load_i256(const chunk *self, i256 *out) {
    if (self->call->from.layout == PHYSICAL_I256) {
        const i256 *in = self->call->in;
        for (uint32_t i = 0; i < self->count; i++) {
            out[i] = in[row_of(self, i) & self->call->mask];
        }
        return;
    }
    i128 narrow[CHUNK];
    load_i128(self, narrow);
    for (uint32_t i = 0; i < self->count; i++) {
        out[i] = i256_from_i128(narrow[i]);
    }
}

// ---- Scaling: how many of the values fit -------------------------------------------------------

// The quotient, a half rounded away from zero; divisor is a power of ten above 1.
static int64_t divide_i64(int64_t value, int64_t divisor) {
    const int64_t quotient = value / divisor;
    const int64_t rest = value % divisor;
    const int64_t half = divisor / 2; // Powers of ten are even.
    return quotient + (rest >= half ? 1 : rest <= -half ? -1 : 0);
}

static uint32_t scale_i64(int64_t *values, uint32_t count, int32_t by) {
    if (by > DECIMAL64_DIGITS_MAX) { // Anything but zero overflows.
        uint32_t i = 0;
        while (i < count && values[i] == 0) {
            i++;
        }
        return i;
    }
    if (by > 0) {
        const int64_t factor = (int64_t)u64_power_of_ten[by];
        for (uint32_t i = 0; i < count; i++) {
            if (__builtin_mul_overflow(values[i], factor, &values[i])) {
                return i;
            }
        }
    } else if (by < -DECIMAL64_DIGITS_MAX) {
        // Below 10^19 / 2 all becomes 0; only a scale of 19 could leave a 1.
        const bool rounds = by == -DECIMAL64_DIGITS_MAX - 1;
        for (uint32_t i = 0; i < count; i++) {
            const bool is_one = rounds && (values[i] >= INT64_C(5000000000000000000) ||
                                           values[i] <= -INT64_C(5000000000000000000));
            values[i] = is_one ? (values[i] > 0 ? 1 : -1) : 0;
        }
    } else if (by < 0) {
        const int64_t divisor = (int64_t)u64_power_of_ten[-by];
        for (uint32_t i = 0; i < count; i++) {
            values[i] = divide_i64(values[i], divisor);
        }
    }
    return count;
}

static uint32_t scale_i128(i128 *values, uint32_t count, uint32_t from, uint32_t to) {
    for (uint32_t i = 0; from != to && i < count; i++) {
        if (!i128_rescale_fits(values[i], (int32_t)from, (int32_t)to, &values[i])) {
            return i;
        }
    }
    return count;
}

static uint32_t scale_i256(i256 *values, uint32_t count, uint32_t from, uint32_t to) {
    for (uint32_t i = 0; from != to && i < count; i++) {
        if (!i256_rescale_fits(values[i], (int32_t)from, (int32_t)to, &values[i])) {
            return i;
        }
    }
    return count;
}

// ---- Storing: how many of the values fit -------------------------------------------------------

#define STORE(NAME, word, c_type)                                                                  \
    case PHYSICAL_##NAME: {                                                                        \
        c_type *to = out;                                                                          \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            c_type narrow;                                                                         \
            if (__builtin_add_overflow(values[i], 0, &narrow)) {                                   \
                return i;                                                                          \
            }                                                                                      \
            to[row_of(self, i)] = narrow;                                                          \
        }                                                                                          \
        return count;                                                                              \
    }

static uint32_t store_i64(const chunk *self, const int64_t *values, uint32_t count, void *out) {
    const uint32_t precision = self->call->to.precision;
    const bool is_checked = precision > 0 && precision <= DECIMAL64_DIGITS_MAX;
    const int64_t limit = is_checked ? (int64_t)u64_power_of_ten[precision] : INT64_MAX;
    for (uint32_t i = 0; is_checked && i < count; i++) {
        if (values[i] >= limit || values[i] <= -limit) {
            count = i;
        }
    }
    switch ((int)self->call->to.layout) {
        PHYSICAL_INTEGER_LIST(STORE)
        STORE(I128, i128, i128)
    default:
        break;
    }
    i256 *to = out;
    for (uint32_t i = 0; i < count; i++) {
        to[row_of(self, i)] = i256_from_i64(values[i]);
    }
    return count;
}

static uint32_t store_i128(const chunk *self, const i128 *values, uint32_t count, void *out) {
    const uint32_t precision = self->call->to.precision;
    for (uint32_t i = 0; precision > 0 && precision <= DECIMAL128_DIGITS_MAX && i < count; i++) {
        if (!i128_has_digits(values[i], precision)) {
            count = i;
        }
    }
    switch ((int)self->call->to.layout) {
        PHYSICAL_INTEGER_LIST(STORE)
        STORE(I128, i128, i128)
    default:
        break;
    }
    i256 *to = out;
    for (uint32_t i = 0; i < count; i++) {
        to[row_of(self, i)] = i256_from_i128(values[i]);
    }
    return count;
}

static uint32_t store_i256(const chunk *self, const i256 *values, uint32_t count, void *out) {
    const decimal_format *to = &self->call->to;
    if (to->layout == PHYSICAL_I256) {
        i256 *wide = out;
        for (uint32_t i = 0; i < count; i++) {
            if (to->precision > 0 && !i256_has_digits(values[i], to->precision)) {
                return i;
            }
            wide[row_of(self, i)] = values[i];
        }
        return count;
    }
    i128 narrow[CHUNK];
    for (uint32_t i = 0; i < count; i++) {
        if (!i256_to_i128_fits(values[i], &narrow[i])) {
            count = i;
        }
    }
    return store_i128(self, narrow, count, out);
}

// ---- Chunks ----------------------------------------------------------------------------------

static uint32_t convert_i64(const chunk *self, void *out) {
    int64_t values[CHUNK];
    load_i64(self, values);
    const int32_t by = (int32_t)self->call->to.scale - (int32_t)self->call->from.scale;
    return store_i64(self, values, scale_i64(values, self->count, by), out);
}

static uint32_t convert_i128(const chunk *self, void *out) {
    i128 values[CHUNK];
    load_i128(self, values);
    const uint32_t fit =
        scale_i128(values, self->count, self->call->from.scale, self->call->to.scale);
    return store_i128(self, values, fit, out);
}

static uint32_t convert_i256(const chunk *self, void *out) {
    i256 values[CHUNK];
    load_i256(self, values);
    const uint32_t fit =
        scale_i256(values, self->count, self->call->from.scale, self->call->to.scale);
    return store_i256(self, values, fit, out);
}

// Whole columns that only become wider.
static bool convert_by_widening(const decimal_conversion *call, void *out) {
    const bool keeps_scale = call->from.scale == call->to.scale;
    const bool fits = call->to.precision == 0 || digits_of(&call->from) <= call->to.precision;
    if (call->rows != NULL || call->mask == 0 || !keeps_scale || !fits) {
        return false;
    }
    const widen_kernel kernel = widen_kernel_for(call->from.layout, call->to.layout);
    if (kernel != NULL) {
        kernel(call->in, call->count, out);
    }
    return kernel != NULL;
}

uint32_t decimal_convert(const decimal_conversion *call, void *out) {
    if (convert_by_widening(call, out)) {
        return call->count;
    }
    const uint32_t up = call->to.scale > call->from.scale ? call->to.scale - call->from.scale : 0;
    const uint32_t digits = digits_of(&call->from) + up;
    // Work in a width that holds every scaled value, or in the target's own: then what does not
    // fit there does not fit the target either.
    const bool in_64 = is_64_bits(call->from.layout) &&
                       (digits <= DECIMAL64_DIGITS_MAX || is_64_bits(call->to.layout));
    const bool in_128 = is_128_bits(call->from.layout) &&
                        (digits <= DECIMAL128_DIGITS_MAX || is_128_bits(call->to.layout));
    for (uint32_t first = 0; first < call->count; first += CHUNK) {
        const uint32_t left = call->count - first;
        const chunk part = {call, first, left < CHUNK ? left : CHUNK};
        const uint32_t done = in_64    ? convert_i64(&part, out)
                              : in_128 ? convert_i128(&part, out)
                                       : convert_i256(&part, out);
        if (done < part.count) {
            return first + done;
        }
    }
    return call->count;
}
