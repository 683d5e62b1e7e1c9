// Integers read back out of keys of a fixed size.
#include <assert.h>

#include "exec/sort/sort_key.h"

bool sort_key_is_exact(const type *of) {
    return physical_is_integer(type_physical(of));
}

// `width` is a constant where this is inlined.
static inline void decode_integers(const uint8_t *const *keys, uint32_t at, uint32_t count,
                                   uint64_t flip, uint32_t width, uint8_t *out) {
    const uint32_t above = 64 - width * 8;
    for (uint32_t k = 0; k < count; k++) {
        uint64_t value = 0;
        memcpy(&value, keys[k] + at, width);
        value = (__builtin_bswap64(value) ^ flip) >> above;
        memcpy(out + (size_t)k * width, &value, width);
    }
}

static firn_status decode_validity(const sort_key_place *place, const uint8_t *const *keys,
                                   uint32_t count, arena *memory, column *out, firn_error *err) {
    const uint8_t valid = place->order.nulls_first;
    uint8_t others = 0;
    for (uint32_t k = 0; k < count; k++) {
        others |= keys[k][place->offset] ^ valid;
    }
    uint64_t *validity = others == 0 ? NULL : column_validity_out(memory, out);
    if (others != 0 && validity == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t k = 0; others != 0 && k < count; k++) {
        bitmap_put(validity, k, keys[k][place->offset] == valid);
    }
    return FIRN_OK;
}

firn_status sort_key_decode(const sort_key_place *place, const uint8_t *const *keys, uint32_t count,
                            arena *memory, column *out, firn_error *err) {
    TRY(column_new(memory, place->type, count, out, err));
    const physical kind = type_physical(place->type);
    const bool is_signed =
        kind == PHYSICAL_I8 || kind == PHYSICAL_I16 || kind == PHYSICAL_I32 || kind == PHYSICAL_I64;
    const uint64_t sign = is_signed ? UINT64_C(1) << 63 : 0;
    const uint64_t flip = place->order.is_descending ? ~sign : sign;
    const uint32_t at = place->offset + 1;
    uint8_t *values = COLUMN_OUT(out, uint8_t);
    switch (physical_size(kind)) {
    case 1:
        decode_integers(keys, at, count, flip, 1, values);
        break;
    case 2:
        decode_integers(keys, at, count, flip, 2, values);
        break;
    case 4:
        decode_integers(keys, at, count, flip, 4, values);
        break;
    default:
        assert(sort_key_is_exact(place->type));
        decode_integers(keys, at, count, flip, 8, values);
        break;
    }
    return decode_validity(place, keys, count, memory, out, err);
}
