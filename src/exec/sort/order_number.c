#include "exec/sort/order_number.h"

#include "base/half.h"
#include "base/interval.h"
#include "base/wide.h"
#include "exec/key_numbers.h"
#include "exec/sort/sort_key.h"

#define SIGN_BIT (UINT64_C(1) << 63)

bool order_number_is_exact(const type *of) {
    const physical layout = type_physical(of);
    return physical_is_integer(layout) || layout == PHYSICAL_BIT || layout == PHYSICAL_F16 ||
           layout == PHYSICAL_F32 || layout == PHYSICAL_F64;
}

static uint64_t number_of_signed(int64_t value) {
    return (uint64_t)value ^ SIGN_BIT;
}

static uint64_t number_of_i128(i128 value) {
    const i128 low = value < INT64_MIN ? INT64_MIN : value;
    return number_of_signed((int64_t)(low > INT64_MAX ? INT64_MAX : low));
}

static uint64_t number_of_i256(const i256 *value) {
    const bool is_negative = value->limb[3] >> 63 != 0;
    const uint64_t above = is_negative ? UINT64_MAX : 0;
    const bool fits = value->limb[3] == above && value->limb[2] == above &&
                      value->limb[1] == above && value->limb[0] >> 63 == above >> 63;
    return fits ? value->limb[0] ^ SIGN_BIT : ~above;
}

static uint64_t number_of_text(const string_value *value) {
    uint8_t bytes[8] = {0};
    const text content = string_text(value);
    const size_t size = content.size < sizeof bytes ? content.size : sizeof bytes;
    if (size > 0) {
        memcpy(bytes, content.data, size);
    }
    uint64_t number;
    memcpy(&number, bytes, sizeof number);
    return __builtin_bswap64(number);
}

// out[k] = the number of the value in lane `lane`.
#define EACH(number)                                                                               \
    for (uint32_t k = 0; k < count; k++) {                                                         \
        const uint32_t lane = lanes[k];                                                            \
        out[k] = (number);                                                                         \
    }                                                                                              \
    break;

static void numbers_of_lanes(const column *flat, const uint32_t *lanes, uint32_t count,
                             uint64_t *out) {
    const physical layout = type_physical(flat->type);
    switch ((int)layout) {
    case PHYSICAL_U64:
        EACH(COLUMN_VALUES(flat, uint64_t)[lane])
    case PHYSICAL_F16:
        EACH(sort_key_of_double((double)half_to_float(COLUMN_VALUES(flat, uint16_t)[lane])))
    case PHYSICAL_F32:
        EACH(sort_key_of_double((double)COLUMN_VALUES(flat, float)[lane]))
    case PHYSICAL_F64:
        EACH(sort_key_of_double(COLUMN_VALUES(flat, double)[lane]))
    case PHYSICAL_I128:
        EACH(number_of_i128(COLUMN_VALUES(flat, i128)[lane]))
    case PHYSICAL_I256:
        EACH(number_of_i256(&COLUMN_VALUES(flat, i256)[lane]))
    case PHYSICAL_INTERVAL:
        EACH(number_of_i128(interval_length(COLUMN_VALUES(flat, interval_value)[lane])))
    case PHYSICAL_STRING:
        EACH(number_of_text(&COLUMN_VALUES(flat, string_value)[lane]))
    default: {
        int64_t *wide = (int64_t *)out;
        key_widen(layout, flat->values, lanes, count, wide);
        for (uint32_t k = 0; k < count; k++) {
            out[k] ^= SIGN_BIT;
        }
        break;
    }
    }
}
#undef EACH

void order_numbers_of(const column *values, const uint16_t *rows, uint32_t count, uint32_t *lanes,
                      uint64_t *out, bool *is_null) {
    const bool is_encoded = values->form == FORM_DICTIONARY;
    const column *flat = is_encoded ? values->dictionary->values : values;
    if (values->type->id == TYPE_NULL) {
        memset(is_null, true, count * sizeof *is_null);
        return;
    }
    for (uint32_t k = 0; k < count; k++) {
        lanes[k] = column_lane(values, rows[k]);
    }
    numbers_of_lanes(flat, lanes, count, out);
    if (values->validity == NULL && flat->validity == NULL) {
        return;
    }
    for (uint32_t k = 0; k < count; k++) {
        is_null[k] = is_null[k] || !column_is_valid(values, rows[k]);
    }
}
