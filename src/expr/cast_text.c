// Casts to and from VARCHAR. Parsing is base/number_text's, base/hex's, base/json's and the
// calendar's; blanks around a value are fine everywhere but in text itself.
#include "base/half.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/number_text.h"
#include "expr/cast_private.h"
#include "expr/session_zone.h"

#define UUID_SIZE 16
#define PRINTED_LARGE ((size_t)1 << 16)

// ---- To text ---------------------------------------------------------------------------------

#define PRINT_INTEGER(NAME, c_type)                                                                \
    case PHYSICAL_##NAME:                                                                          \
        size = number_print_i64((int64_t)COLUMN_VALUES(args[0], c_type)[lane], digits);            \
        break;

// Numbers need no builder: their text is short.
static uint32_t integer_to_text(function_call *call, const column *const *args, column *out) {
    const uint32_t mask = column_mask(args[0]);
    const physical layout = type_physical(args[0]->type);
    FOR_ROWS(call, row) {
        char digits[NUMBER_I64_SIZE_MAX];
        const uint32_t lane = row & mask;
        size_t size = 0;
        switch ((int)layout) {
            PRINT_INTEGER(I8, int8_t)
            PRINT_INTEGER(I16, int16_t)
            PRINT_INTEGER(I32, int32_t)
            PRINT_INTEGER(I64, int64_t)
            PRINT_INTEGER(U8, uint8_t)
            PRINT_INTEGER(U16, uint16_t)
            PRINT_INTEGER(U32, uint32_t)
        default:
            size = number_print_u64(COLUMN_VALUES(args[0], uint64_t)[lane], digits);
        }
        if (!string_new(call->scratch, digits, size, &COLUMN_OUT(out, string_value)[row])) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

static uint32_t text_to_text(function_call *call, const column *const *args, column *out) {
    const uint32_t mask = column_mask(args[0]);
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, string_value)[row] = COLUMN_VALUES(args[0], string_value)[row & mask];
    }
    return call->count;
}

// A copy of what was printed, so that the builder can be used again; what is large is not copied.
static bool keep_printed(text_builder *self, string_value *out) {
    if (self->is_full || self->size < PRINTED_LARGE) {
        return !self->is_full && string_new(self->memory, self->data, self->size, out);
    }
    const bool fits = self->size <= UINT32_MAX;
    *out = string_of(self->data, (uint32_t)self->size);
    *self = text_builder_open(self->memory);
    return fits;
}

static uint32_t any_to_text(function_call *call, const column *const *args, column *out) {
    const uint32_t mask = column_mask(args[0]);
    text_builder builder = text_builder_open(call->scratch);
    FOR_ROWS(call, row) {
        builder.size = 0;
        column_print_row_at(args[0], row & mask, call->context == NULL ? NULL : call->context->zone,
                            &builder);
        if (!keep_printed(&builder, &COLUMN_OUT(out, string_value)[row])) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

scalar_kernel cast_to_text_kernel(const type *from) {
    if (from->id == TYPE_JSON) {
        return text_to_text;
    }
    return type_category_of(from) == CATEGORY_INTEGER ? integer_to_text : any_to_text;
}

// ---- From text: one value ----------------------------------------------------------------------

static text trimmed(text value) {
    size_t from = 0;
    size_t to = value.size;
    while (from < to &&
           (value.data[from] == ' ' || (value.data[from] >= '\t' && value.data[from] <= '\r'))) {
        from++;
    }
    while (to > from && (value.data[to - 1] == ' ' ||
                         (value.data[to - 1] >= '\t' && value.data[to - 1] <= '\r'))) {
        to--;
    }
    return text_slice(value, from, to);
}

static bool read_boolean(text input, bool *out) {
    static const char *const words[2][5] = {{"false", "f", "no", "off", "0"},
                                            {"true", "t", "yes", "on", "1"}};
    // As PostgreSQL, "n" and "y" too.
    static const char *const letters[2] = {"n", "y"};
    const text word = trimmed(input);
    for (int value = 0; value < 2; value++) {
        bool is_it = text_equal_nocase(word, text_of(letters[value]));
        for (int i = 0; i < 5; i++) {
            is_it |= text_equal_nocase(word, text_of(words[value][i]));
        }
        if (is_it) {
            *out = value == 1;
            return true;
        }
    }
    return false;
}

#define STORE_NARROW(NAME, c_type, wide)                                                           \
    case PHYSICAL_##NAME: {                                                                        \
        c_type narrow;                                                                             \
        if (__builtin_add_overflow(wide, 0, &narrow)) {                                            \
            return false;                                                                          \
        }                                                                                          \
        COLUMN_OUT(out, c_type)[row] = narrow;                                                     \
        return true;                                                                               \
    }

static bool read_integer(text input, column *out, uint32_t row) {
    const physical layout = type_physical(out->type);
    if (layout == PHYSICAL_U64) {
        return number_parse_u64(input, &COLUMN_OUT(out, uint64_t)[row]) == NUMBER_OK;
    }
    int64_t value;
    if (number_parse_i64(input, &value) != NUMBER_OK) {
        return false;
    }
    switch ((int)layout) {
        STORE_NARROW(I8, int8_t, value)
        STORE_NARROW(I16, int16_t, value)
        STORE_NARROW(I32, int32_t, value)
        STORE_NARROW(I64, int64_t, value)
        STORE_NARROW(U8, uint8_t, value)
        STORE_NARROW(U16, uint16_t, value)
        STORE_NARROW(U32, uint32_t, value)
    default:
        return false;
    }
}

static bool read_float(text input, column *out, uint32_t row) {
    if (out->type->id == TYPE_DOUBLE) {
        return number_parse_f64(input, &COLUMN_OUT(out, double)[row]) == NUMBER_OK;
    }
    float value;
    if (number_parse_f32(input, &value) != NUMBER_OK) {
        return false;
    }
    if (out->type->id == TYPE_REAL) {
        COLUMN_OUT(out, float)[row] = value;
    } else {
        COLUMN_OUT(out, uint16_t)[row] = half_of_float(value);
    }
    return true;
}

static bool read_decimal(text input, column *out, uint32_t row) {
    const type *to = out->type;
    const uint32_t width = physical_size(type_physical(to));
    uint8_t *place = COLUMN_OUT(out, uint8_t) + (size_t)row * width;
    if (to->precision > DECIMAL128_DIGITS_MAX) {
        i256 wide;
        if (number_parse_decimal256(input, to->precision, to->scale, &wide) != NUMBER_OK) {
            return false;
        }
        memcpy(place, &wide, sizeof wide);
        return true;
    }
    i128 value;
    if (number_parse_decimal128(input, to->precision, to->scale, &value) != NUMBER_OK) {
        return false;
    }
    memcpy(place, &value, width); // Little-endian: the low bytes are the narrower number.
    return true;
}

static bool read_blob(arena *memory, text input, column *out, uint32_t row) {
    uint8_t *place = ARENA_NEW(memory, uint8_t, input.size + 1);
    size_t size;
    const uint32_t width = out->type->width;
    if (place == NULL || !blob_parse(input, place, &size) || (width != 0 && size != width)) {
        return false;
    }
    return string_new(memory, (const char *)place, size, &COLUMN_OUT(out, string_value)[row]);
}

// 32 hexadecimal digits, with dashes between any pairs, perhaps in braces.
static bool read_uuid(arena *memory, text input, column *out, uint32_t row) {
    text word = trimmed(input);
    if (word.size >= 2 && word.data[0] == '{' && word.data[word.size - 1] == '}') {
        word = text_slice(word, 1, word.size - 1);
    }
    char digits[2 * UUID_SIZE];
    size_t count = 0;
    for (size_t i = 0; i < word.size; i++) {
        if (word.data[i] == '-') {
            if (count == 0 || count % 4 != 0) {
                return false;
            }
            continue;
        }
        if (count == sizeof digits) {
            return false;
        }
        digits[count++] = word.data[i];
    }
    uint8_t raw[UUID_SIZE];
    return count == sizeof digits && hex_parse((text){.data = digits, .size = count}, raw) &&
           string_new(memory, (const char *)raw, UUID_SIZE, &COLUMN_OUT(out, string_value)[row]);
}

static bool is_json(text input) {
    json_reader in = json_reader_open(bytes_of_text(input));
    json_token token = {.kind = JSON_NULL};
    firn_error ignored = ERR_INIT;
    do {
        if (json_next(&in, &token, &ignored) != FIRN_OK) {
            return false;
        }
    } while (token.kind != JSON_END);
    return true;
}

// Strings that do not change keep pointing to where they are.
static bool keep_text(text input, column *out, uint32_t row) {
    COLUMN_OUT(out, string_value)[row] = string_of(input.data, (uint32_t)input.size);
    return true;
}

// What one call reads with.
typedef struct value_reader {
    arena *memory;
    zone_cursor cursor;
    zone_memo zones;
} value_reader;

static bool read_value(value_reader *self, text input, column *out, uint32_t row) {
    bool truth;
    switch (type_category_of(out->type)) {
    case CATEGORY_BOOLEAN:
        if (!read_boolean(input, &truth)) {
            return false;
        }
        bitmap_put(COLUMN_OUT(out, uint64_t), row, truth);
        return true;
    case CATEGORY_INTEGER:
        return read_integer(input, out, row);
    case CATEGORY_FLOAT:
        return read_float(input, out, row);
    case CATEGORY_DECIMAL:
        return read_decimal(input, out, row);
    case CATEGORY_BINARY:
        return read_blob(self->memory, input, out, row);
    case CATEGORY_UUID:
        return read_uuid(self->memory, input, out, row);
    case CATEGORY_TEXT:
        return (out->type->id != TYPE_JSON || is_json(input)) && keep_text(input, out, row);
    case CATEGORY_DATETIME:
        return cast_read_time(&self->cursor, &self->zones, input, out, row);
    case CATEGORY_NULL:
    case CATEGORY_NESTED:
        break;
    }
    return false;
}

static uint32_t text_to_value(function_call *call, const column *const *args, column *out) {
    const uint32_t mask = column_mask(args[0]);
    const string_value *values = args[0]->values;
    value_reader reader = {.memory = call->scratch,
                           .cursor = session_zone_cursor(call->context),
                           .zones = zone_memo_make(call->scratch)};
    FOR_ROWS(call, row) {
        if (!read_value(&reader, string_text(&values[row & mask]), out, row)) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

scalar_kernel cast_from_text_kernel(const type *to) {
    return type_is_nested(to) ? cast_text_to_nested : text_to_value;
}

// ---- Bytes -----------------------------------------------------------------------------------

uint32_t cast_bytes(function_call *call, const column *const *args, column *out) {
    const uint32_t mask = column_mask(args[0]);
    const uint32_t width = call->result->id == TYPE_UUID ? UUID_SIZE : call->result->width;
    FOR_ROWS(call, row) {
        const string_value value = COLUMN_VALUES(args[0], string_value)[row & mask];
        if (width != 0 && value.size != width) {
            return ROW_VISIT(row);
        }
        COLUMN_OUT(out, string_value)[row] = value;
    }
    return call->count;
}
