// Types that a fuzz target wants values as that were written as another.
#ifndef FIRN_FUZZ_OTHER_TYPES_H
#define FIRN_FUZZ_OTHER_TYPES_H

#include "column/type.h"

/// A type that all values of `own` may become; itself if there is none. Decimals get `more_scale`.
static inline const type *wider_type(const type *own, uint8_t more_scale, arena *memory) {
    switch ((int)own->id) {
    case TYPE_INTEGER:
        return TYPE_OF(BIGINT);
    case TYPE_UINTEGER:
        return TYPE_OF(UBIGINT);
    case TYPE_REAL:
        return TYPE_OF(DOUBLE);
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return type_temporal(own->id, UNIT_NANO);
    case TYPE_DECIMAL:
        return type_decimal(memory, own->precision < 60 ? (uint8_t)(own->precision + 13) : 76,
                            (uint8_t)(own->scale + more_scale));
    default:
        return own;
    }
}

#define OTHER_KINDS 4

static inline const type *other_type(const type *own, uint32_t number, arena *memory);

/// The fields in reverse, each of another type, and one that is nowhere; NULL: no memory.
static inline const type *other_struct(const type *own, uint32_t number, arena *memory) {
    const uint32_t count = own->child_count;
    field *fields = ARENA_NEW(memory, field, (size_t)count + 1);
    if (fields == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        fields[i] = own->children[count - 1 - i];
        fields[i].type = other_type(fields[i].type, number, memory);
        if (fields[i].type == NULL) {
            return NULL;
        }
    }
    fields[count] = (field){
        .name = TEXT("nowhere"), .type = TYPE_OF(BIGINT), .is_nullable = true, .id = INT32_MAX};
    return type_struct(memory, count + 1, fields);
}

/// A type of another kind that values of `own` might become, or might not; NULL: no memory. Depth
/// is that of `own`.
static inline const type *other_type(const type *own, uint32_t number, arena *memory) {
    switch ((int)type_category_of(own)) {
    case CATEGORY_INTEGER:
        return number == 0   ? TYPE_OF(DOUBLE)
               : number == 1 ? type_decimal(memory, 38, 5)
               : number == 2 ? type_decimal(memory, 70, 10)
                             : TYPE_OF(BIGINT);
    case CATEGORY_DECIMAL:
        return TYPE_OF(DOUBLE);
    case CATEGORY_DATETIME:
        return own->id != TYPE_DATE
                   ? own
                   : type_temporal(TYPE_TIMESTAMP, number == 0 ? UNIT_NANO : UNIT_MICRO);
    case CATEGORY_NESTED:
        if (number == 0) { // A struct is no list, and a list no number.
            return own->id == TYPE_STRUCT ? type_list(memory, own) : TYPE_OF(BIGINT);
        }
        if (own->id == TYPE_STRUCT) {
            return other_struct(own, number, memory);
        }
        if (own->id == TYPE_LIST) {
            const type *element = other_type(own->children[0].type, number, memory);
            return element == NULL ? NULL : type_list(memory, element);
        }
        return own;
    default:
        return own;
    }
}

#endif
