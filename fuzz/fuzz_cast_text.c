// Arbitrary text cast to the type that the first byte chooses, nested ones above all.
//
// Oracle: a value that was read, printed and read again is the same value. (Not for text inside
// nested values, which is printed without quotes.) Bytes that are a UUID's are the same bytes
// again.
#include <stdint.h>
#include <stdlib.h>

#include "expr/cast.h"

#define MEMORY_MAX ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition) {
    if (!condition) {
        abort();
    }
}

static const type *const plain_types[] = {
    TYPE_OF(BINARY),  TYPE_OF(UUID),    TYPE_OF(BOOLEAN),  TYPE_OF(TINYINT),   TYPE_OF(SMALLINT),
    TYPE_OF(INTEGER), TYPE_OF(BIGINT),  TYPE_OF(UTINYINT), TYPE_OF(USMALLINT), TYPE_OF(UINTEGER),
    TYPE_OF(UBIGINT), TYPE_OF(FLOAT16), TYPE_OF(REAL),     TYPE_OF(DOUBLE),    TYPE_OF(JSON),
};
#define PLAIN_TYPES (sizeof plain_types / sizeof *plain_types)
#define MADE_TYPES 10
#define LIST_OF_TEXTS 9

static const type *type_of(arena *memory, size_t which) {
    const field fields[] = {{.name = TEXT("a"), .type = TYPE_OF(INTEGER)},
                            {.name = TEXT("b c"), .type = type_list(memory, TYPE_OF(DOUBLE))}};
    if (which >= MADE_TYPES) {
        return plain_types[which - MADE_TYPES];
    }
    switch (which) {
    case 0:
        return type_list(memory, TYPE_OF(BIGINT));
    case 1:
        return type_list(memory, type_list(memory, TYPE_OF(INTEGER)));
    case 2:
        return type_struct(memory, 2, fields);
    case 3:
        return type_map(memory, TYPE_OF(INTEGER), TYPE_OF(BOOLEAN));
    case 4:
        return type_list(memory, type_struct(memory, 1, fields));
    case 5:
        return type_decimal(memory, 20, 5);
    case 6:
        return type_decimal(memory, 9, 2);
    case 7:
        return type_decimal(memory, 60, 10);
    case 8:
        return type_binary(memory, 3);
    default:
        return type_list(memory, TYPE_OF(VARCHAR));
    }
}

// Casts the one row of `in`; false if it is no value of the type.
static bool cast_one(arena *memory, const column *in, const type *to, column *out) {
    firn_error err = ERR_INIT;
    function_call call = {.scratch = memory,
                          .result = to,
                          .types = &in->type,
                          .arg_count = 1,
                          .count = 1,
                          .length = 1};
    if (column_new(memory, to, 1, out, &err) != FIRN_OK) {
        return false;
    }
    const uint32_t done = cast_kernel(in->type, to)(&call, &in, out);
    if (done == 0) {
        cast_explain(&call, &in, 0, &err);
        expect(err.status == FIRN_INVALID);
    }
    return done == 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    arena memory = arena_open(MEMORY_MAX);
    const size_t which = data[0] % (MADE_TYPES + PLAIN_TYPES);
    const type *to = type_of(&memory, which);
    const string_value value = string_of((const char *)data + 1, (uint32_t)(size - 1));
    const column input = {
        .type = TYPE_OF(VARCHAR), .form = FORM_FLAT, .length = 1, .values = &value};
    column read;
    column printed;
    column again;
    if (cast_one(&memory, &input, to, &read) && which != LIST_OF_TEXTS) {
        expect(cast_one(&memory, &read, TYPE_OF(VARCHAR), &printed));
        expect(cast_one(&memory, &printed, to, &again));
        expect(column_rows_equal(&read, 0, &again, 0));
        if (to == TYPE_OF(BINARY) && cast_one(&memory, &read, TYPE_OF(UUID), &printed)) {
            expect(cast_one(&memory, &printed, to, &again));
            expect(column_rows_equal(&read, 0, &again, 0));
        }
    }
    arena_close(&memory);
    return 0;
}
