// The text of single values, as SQL prints them.
#include "base/date_text.h"
#include "base/half.h"
#include "base/number_text.h"
#include "base/zone.h"
#include "column/column.h"

#define PRINTED(call)                                                                              \
    do {                                                                                           \
        char digits[NUMBER_DECIMAL_SIZE_MAX];                                                      \
        const size_t size = call;                                                                  \
        text_append(out, (text){.data = digits, .size = size});                                    \
    } while (0)

static void print_decimal(const column *self, uint32_t lane, text_builder *out) {
    const uint32_t scale = self->type->scale;
    switch ((int)type_physical(self->type)) {
    case PHYSICAL_I32:
        PRINTED(number_print_decimal128(COLUMN_VALUES(self, int32_t)[lane], scale, digits));
        break;
    case PHYSICAL_I64:
        PRINTED(number_print_decimal128(COLUMN_VALUES(self, int64_t)[lane], scale, digits));
        break;
    case PHYSICAL_I128:
        PRINTED(number_print_decimal128(COLUMN_VALUES(self, i128)[lane], scale, digits));
        break;
    default:
        PRINTED(number_print_decimal256(COLUMN_VALUES(self, i256)[lane], scale, digits));
    }
}

static void print_blob(text value, text_builder *out) {
    text_append(out, TEXT("\\x"));
    text_append_hex(out, bytes_of_text(value));
}

static void print_uuid(text value, text_builder *out) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < value.size; i++) {
        const uint8_t byte = (uint8_t)value.data[i];
        const char pair[] = {'-', digits[byte >> 4], digits[byte & 15]};
        const size_t skipped = i == 4 || i == 6 || i == 8 || i == 10 ? 0 : 1;
        text_append(out, (text){.data = pair + skipped, .size = sizeof pair - skipped});
    }
}

#define LOOK_EVERY 4096 // Elements of one value.

// Is the text cut already? Of many elements each would try in vain.
static bool is_cut(text_builder *self, uint32_t element) {
    if (element % LOOK_EVERY == LOOK_EVERY - 1) {
        self->is_full |= cancel_is_raised(self->memory->cancel);
    }
    return self->is_full;
}

// ---- Nested values -----------------------------------------------------------------------------
//
// Texts in them stand in quotes if they would be read as something else without: what is read back
// is what was written.

static bool is_sign_of_nesting(char byte) {
    return byte != '\0' && strchr("\"'(),:=[\\]{}", byte) != NULL;
}

static bool is_blank(char byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool needs_quotes(text value, text_builder *out) {
    if (value.size == 0 || is_blank(value.data[0]) || is_blank(value.data[value.size - 1])) {
        return true;
    }
    for (size_t i = 0; i < value.size && !is_cut(out, (uint32_t)i); i++) {
        if (is_sign_of_nesting(value.data[i])) {
            return true;
        }
    }
    return text_equal_nocase(value, TEXT("NULL"));
}

static void print_text(text value, text_builder *out) {
    if (!needs_quotes(value, out)) {
        text_append(out, value);
        return;
    }
    text_append_char(out, '\'');
    for (size_t i = 0; i < value.size && !is_cut(out, (uint32_t)i); i++) {
        if (value.data[i] == '\'' || value.data[i] == '\\') {
            text_append_char(out, '\\');
        }
        text_append_char(out, value.data[i]);
    }
    text_append_char(out, '\'');
}

static void print_element(const column *self, uint32_t row, const zone *at, text_builder *out) {
    if (self->type->id != TYPE_VARCHAR || !column_is_valid(self, row)) {
        column_print_row_at(self, row, at, out);
        return;
    }
    const column *values = self->form == FORM_DICTIONARY ? self->dictionary->values : self;
    print_text(string_text(&COLUMN_VALUES(values, string_value)[column_lane(self, row)]), out);
}

// A key ends at a colon, which times have too.
static void print_key(const column *self, uint32_t row, const zone *at, text_builder *out) {
    const type_id id = self->type->id;
    const bool has_colon =
        id == TYPE_TIME || id == TYPE_TIMESTAMP || id == TYPE_TIMESTAMPTZ || id == TYPE_INTERVAL;
    text_append(out, has_colon ? TEXT("'") : TEXT(""));
    print_element(self, row, at, out);
    text_append(out, has_colon ? TEXT("'") : TEXT(""));
}

static void print_list(const column *self, list_value slice, const zone *at, text_builder *out) {
    text_append_char(out, '[');
    for (uint32_t i = 0; i < slice.size && !is_cut(out, i); i++) {
        text_append(out, i > 0 ? TEXT(", ") : TEXT(""));
        print_element(&self->children[0], slice.offset + i, at, out);
    }
    text_append_char(out, ']');
}

static void print_map(const column *self, list_value slice, const zone *at, text_builder *out) {
    text_append_char(out, '{');
    for (uint32_t i = 0; i < slice.size && !is_cut(out, i); i++) {
        text_append(out, i > 0 ? TEXT(", ") : TEXT(""));
        print_key(&self->children[0], slice.offset + i, at, out);
        text_append(out, TEXT(": "));
        print_element(&self->children[1], slice.offset + i, at, out);
    }
    text_append_char(out, '}');
}

static void print_struct(const column *self, uint32_t lane, const zone *at, text_builder *out) {
    text_append_char(out, '{');
    for (uint32_t i = 0; i < self->type->child_count; i++) {
        text_append(out, i > 0 ? TEXT(", ") : TEXT(""));
        print_text(self->type->children[i].name, out);
        text_append(out, TEXT(": "));
        print_element(&self->children[i], lane, at, out);
    }
    text_append_char(out, '}');
}

#define INTEGER_CASE(NAME, c_type)                                                                 \
    case PHYSICAL_##NAME:                                                                          \
        PRINTED(number_print_i64((int64_t)COLUMN_VALUES(self, c_type)[lane], digits));             \
        break;

// By physical type alone: numbers, BOOLEAN, nested values.
static void print_physical(const column *self, uint32_t lane, const zone *at, text_builder *out) {
    switch (type_physical(self->type)) {
        INTEGER_CASE(I8, int8_t)
        INTEGER_CASE(I16, int16_t)
        INTEGER_CASE(I32, int32_t)
        INTEGER_CASE(I64, int64_t)
        INTEGER_CASE(U8, uint8_t)
        INTEGER_CASE(U16, uint16_t)
        INTEGER_CASE(U32, uint32_t)
    case PHYSICAL_U64:
        PRINTED(number_print_u64(COLUMN_VALUES(self, uint64_t)[lane], digits));
        break;
    case PHYSICAL_F16:
        PRINTED(number_print_f32(half_to_float(COLUMN_VALUES(self, uint16_t)[lane]), NUMBER_SQL,
                                 digits));
        break;
    case PHYSICAL_F32:
        PRINTED(number_print_f32(COLUMN_VALUES(self, float)[lane], NUMBER_SQL, digits));
        break;
    case PHYSICAL_F64:
        PRINTED(number_print_f64(COLUMN_VALUES(self, double)[lane], NUMBER_SQL, digits));
        break;
    case PHYSICAL_BIT:
        text_append(out, bitmap_get(self->values, lane) ? TEXT("true") : TEXT("false"));
        break;
    case PHYSICAL_STRUCT:
        print_struct(self, lane, at, out);
        break;
    case PHYSICAL_LIST: {
        const list_value slice = COLUMN_VALUES(self, list_value)[lane];
        if (self->type->id == TYPE_MAP) {
            print_map(self, slice, at, out);
        } else {
            print_list(self, slice, at, out);
        }
        break;
    }
    case PHYSICAL_I128:
    case PHYSICAL_I256:
    case PHYSICAL_INTERVAL:
    case PHYSICAL_STRING:
    case PHYSICAL_NONE:
    case PHYSICAL_COUNT:
        break;
    }
}

static int64_t time_value(const column *self, uint32_t lane) {
    return type_physical(self->type) == PHYSICAL_I32 ? COLUMN_VALUES(self, int32_t)[lane]
                                                     : COLUMN_VALUES(self, int64_t)[lane];
}

static void print_instant(const column *self, uint32_t lane, const zone *at, text_builder *out) {
    const int64_t value = time_value(self, lane);
    zone_cursor cursor = zone_cursor_open(at == NULL ? &zone_utc : at);
    date_style style = DATE_STYLE_SQL;
    style.has_offset = true;
    style.offset_seconds = zone_offset_of_utc(
        &cursor, calendar_floor_div(value, calendar_units_per_second(self->type->unit)));
    PRINTED(date_print_timestamp(value, self->type->unit, &style, digits));
}

static void print_lane(const column *self, uint32_t lane, const zone *at, text_builder *out) {
    const date_style style = DATE_STYLE_SQL;
    switch ((int)self->type->id) {
    case TYPE_DECIMAL:
        print_decimal(self, lane, out);
        break;
    case TYPE_DATE:
        PRINTED(date_print_date(COLUMN_VALUES(self, int32_t)[lane], digits));
        break;
    case TYPE_TIME:
        PRINTED(date_print_time(time_value(self, lane), self->type->unit, &style, digits));
        break;
    case TYPE_TIMESTAMP:
        PRINTED(date_print_timestamp(time_value(self, lane), self->type->unit, &style, digits));
        break;
    case TYPE_TIMESTAMPTZ:
        print_instant(self, lane, at, out);
        break;
    case TYPE_INTERVAL:
        PRINTED(date_print_interval(COLUMN_VALUES(self, interval_value)[lane], digits));
        break;
    case TYPE_VARCHAR:
    case TYPE_JSON:
        text_append(out, string_text(&COLUMN_VALUES(self, string_value)[lane]));
        break;
    case TYPE_BINARY:
        print_blob(string_text(&COLUMN_VALUES(self, string_value)[lane]), out);
        break;
    case TYPE_UUID:
        print_uuid(string_text(&COLUMN_VALUES(self, string_value)[lane]), out);
        break;
    default:
        print_physical(self, lane, at, out);
    }
}

void column_print_row_at(const column *self, uint32_t row, const struct zone *at,
                         text_builder *out) {
    if (!column_is_valid(self, row)) {
        text_append(out, TEXT("NULL"));
        return;
    }
    print_lane(self->form == FORM_DICTIONARY ? self->dictionary->values : self,
               column_lane(self, row), at, out);
}

void column_print_row(const column *self, uint32_t row, text_builder *out) {
    column_print_row_at(self, row, NULL, out);
}
