// Values as bytes and their order, for whoever writes bounds.
#include <assert.h>
#include <string.h>

#include "tables/iceberg/iceberg_value.h"

size_t ice_decimal_bytes(i128 value, uint8_t out[16]) {
    const size_t size = i128_big_endian_size(value);
    const bool fits = i128_to_big_endian(value, size, out);
    assert(fits);
    (void)fits;
    return size;
}

// Numbers that are not decimals, lowest byte first: how many bytes, 0 if the number does not fit.
static size_t integer_bytes(const type *of, i128 value, uint8_t out[16]) {
    if (of->id == TYPE_BOOLEAN) {
        out[0] = value != 0;
        return 1;
    }
    const bool is_small = type_physical(of) == PHYSICAL_I32;
    if (value < (is_small ? INT32_MIN : INT64_MIN) || value > (is_small ? INT32_MAX : INT64_MAX)) {
        return 0;
    }
    uint64_t rest = (uint64_t)(int64_t)value;
    const size_t size = is_small ? 4 : 8;
    for (size_t i = 0; i < size; i++) {
        out[i] = (uint8_t)(rest & 0xff);
        rest >>= 8;
    }
    return size;
}

static size_t real_bytes(const type *of, double value, uint8_t out[16]) {
    uint64_t bits = 0;
    const size_t size = of->id == TYPE_DOUBLE ? 8 : 4;
    if (size == 8) {
        memcpy(&bits, &value, sizeof value);
    } else {
        const float narrow = (float)value;
        uint32_t small;
        memcpy(&small, &narrow, sizeof small);
        bits = small;
    }
    for (size_t i = 0; i < size; i++) {
        out[i] = (uint8_t)(bits & 0xff);
        bits >>= 8;
    }
    return size;
}

firn_status ice_scalar_bytes(const type *of, const ice_scalar *value, arena *memory, bytes *out,
                             firn_error *err) {
    uint8_t room[16];
    size_t size = 0;
    const bool is_bytes = value->kind == ICE_SCALAR_BYTES;
    if (value->kind == ice_scalar_kind_of(of) && is_bytes) {
        const size_t wanted = of->id == TYPE_UUID ? 16 : of->id == TYPE_BINARY ? of->width : 0;
        if (wanted == 0 || wanted == value->data.size) {
            // Never NULL: that is how bounds say that there are none.
            *out = value->data.size > 0 ? value->data
                                        : (bytes){.data = (const uint8_t *)"", .size = 0};
            return FIRN_OK;
        }
    } else if (value->kind == ice_scalar_kind_of(of)) {
        size = value->kind == ICE_SCALAR_REAL     ? real_bytes(of, value->real, room)
               : of->id == TYPE_DECIMAL           ? ice_decimal_bytes(value->number, room)
               : value->kind == ICE_SCALAR_NUMBER ? integer_bytes(of, value->number, room)
                                                  : 0;
    }
    if (size == 0) {
        const text is = type_text(of, memory);
        return FAIL(err, FIRN_INVALID, "a value is none of type %.*s", TEXT_ARGS(is));
    }
    return bytes_copy(memory, (bytes){.data = room, .size = size}, out, err);
}

int ice_scalar_compare(const ice_scalar *left, const ice_scalar *right) {
    assert(left->kind == right->kind);
    if (left->kind == ICE_SCALAR_NUMBER) {
        return (left->number > right->number) - (left->number < right->number);
    }
    if (left->kind == ICE_SCALAR_REAL) {
        return (left->real > right->real) - (left->real < right->real);
    }
    return text_compare(text_of_bytes(left->data), text_of_bytes(right->data));
}
