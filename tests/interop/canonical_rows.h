// Rows as the conformance files write them: one JSON object a line, keys in column order; see
// shared/conformance/parquet/README.md. For test programs on internals.
#ifndef FIRN_TESTS_INTEROP_CANONICAL_ROWS_H
#define FIRN_TESTS_INTEROP_CANONICAL_ROWS_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number_text.h"
#include "base/utf8.h"
#include "column/batch.h"

static inline void canonical_hex(const char *data, size_t size, text_builder *out) {
    text_append_char(out, '"');
    for (size_t i = 0; i < size; i++) {
        text_append_format(out, "%02x", (unsigned)(unsigned char)data[i]);
    }
    text_append_char(out, '"');
}

static inline void canonical_text(text value, text_builder *out) {
    text_append_char(out, '"');
    for (size_t i = 0; i < value.size; i++) {
        const char c = value.data[i];
        switch (c) {
        case '"':
            text_append(out, TEXT("\\\""));
            break;
        case '\\':
            text_append(out, TEXT("\\\\"));
            break;
        case '\n':
            text_append(out, TEXT("\\n"));
            break;
        case '\r':
            text_append(out, TEXT("\\r"));
            break;
        case '\t':
            text_append(out, TEXT("\\t"));
            break;
        case '\b':
            text_append(out, TEXT("\\b"));
            break;
        case '\f':
            text_append(out, TEXT("\\f"));
            break;
        default:
            if ((unsigned char)c < 0x20) {
                text_append_format(out, "\\u%04x", (unsigned)(unsigned char)c);
            } else {
                text_append_char(out, c);
            }
        }
    }
    text_append_char(out, '"');
}

static inline void canonical_float(double value, bool is_single, text_builder *out) {
    char printed[NUMBER_F64_SIZE_MAX];
    const size_t size = is_single ? number_print_f32((float)value, NUMBER_JSON, printed)
                                  : number_print_f64(value, NUMBER_JSON, printed);
    const bool is_number = isfinite(value);
    text_append(out, is_number ? TEXT("") : TEXT("\""));
    text_append(out, (text){.data = printed, .size = size});
    text_append(out, is_number ? TEXT("") : TEXT("\""));
}

static inline double canonical_half(uint16_t bits) {
    const int exponent = bits >> 10 & 0x1f;
    const int fraction = bits & 0x3ff;
    double value = exponent == 31  ? (fraction == 0 ? (double)INFINITY : (double)NAN)
                   : exponent == 0 ? ldexp(fraction, -24)
                                   : ldexp(fraction + 1024, exponent - 25);
    return (bits & 0x8000) != 0 ? -value : value;
}

// Days since 1970 as YYYY-MM-DD, with a sign and more digits beyond the years 0 to 9999.
static inline void canonical_date(int64_t days, text_builder *out) {
    days += 719468; // From the first of March of the year 0; years begin in March.
    const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const int64_t day_of_era = days - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t month_number = (5 * day_of_year + 2) / 153;
    const int64_t day = day_of_year - (153 * month_number + 2) / 5 + 1;
    const int64_t month = month_number < 10 ? month_number + 3 : month_number - 9;
    const int64_t year = year_of_era + era * 400 + (month <= 2);
    const char *sign = year < 0 ? "-" : year > 9999 ? "+" : "";
    text_append_format(out, "%s%04lld-%02lld-%02lld", sign, (long long)(year < 0 ? -year : year),
                       (long long)month, (long long)day);
}

static inline int64_t canonical_unit(const type *kind) {
    return kind->unit == UNIT_SECOND  ? 1
           : kind->unit == UNIT_MILLI ? 1000
           : kind->unit == UNIT_MICRO ? 1000000
                                      : 1000000000;
}

static inline void canonical_clock(int64_t units, const type *kind, text_builder *out) {
    const int64_t per_second = canonical_unit(kind);
    const int64_t seconds = units / per_second;
    text_append_format(out, "%02lld:%02lld:%02lld", (long long)(seconds / 3600),
                       (long long)(seconds / 60 % 60), (long long)(seconds % 60));
    const int digits = kind->unit == UNIT_MILLI ? 3 : kind->unit == UNIT_MICRO ? 6 : 9;
    if (per_second > 1) {
        text_append_format(out, ".%0*lld", digits, (long long)(units % per_second));
    }
}

static inline void canonical_datetime(int64_t value, const type *kind, text_builder *out) {
    text_append_char(out, '"');
    if (kind->id == TYPE_DATE) {
        canonical_date(value, out);
    } else if (kind->id == TYPE_TIME) {
        canonical_clock(value, kind, out);
    } else {
        const int64_t per_day = canonical_unit(kind) * 86400;
        const int64_t rest = value % per_day;
        canonical_date(value / per_day - (rest < 0), out);
        text_append_char(out, 'T');
        canonical_clock(rest < 0 ? rest + per_day : rest, kind, out);
        text_append(out, kind->id == TYPE_TIMESTAMPTZ ? TEXT("Z") : TEXT(""));
    }
    text_append_char(out, '"');
}

static inline void canonical_string(const type *kind, const string_value *value,
                                    text_builder *out) {
    const text bytes_of_it = string_text(value);
    if (kind->id == TYPE_UUID) {
        const unsigned char *b = (const unsigned char *)bytes_of_it.data;
        text_append_format(
            out, "\"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x\"", b[0],
            b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
            b[15]);
    } else if (kind->id == TYPE_BINARY) {
        canonical_hex(bytes_of_it.data, bytes_of_it.size, out);
    } else {
        canonical_text(bytes_of_it, out);
    }
}

static inline void canonical_interval(const interval_value *value, text_builder *out) {
    const uint32_t words[3] = {(uint32_t)value->months, (uint32_t)value->days,
                               (uint32_t)(value->nanos / 1000000)};
    canonical_hex((const char *)words, sizeof words, out);
}

static inline void canonical_decimal(const column *self, uint32_t lane, text_builder *out) {
    char printed[NUMBER_DECIMAL_SIZE_MAX];
    const uint8_t scale = self->type->scale;
    size_t size = 0;
    const physical layout = type_physical(self->type);
    if (layout == PHYSICAL_I256) {
        size = number_print_decimal256(COLUMN_VALUES(self, i256)[lane], scale, printed);
    } else {
        const i128 value = layout == PHYSICAL_I32   ? COLUMN_VALUES(self, int32_t)[lane]
                           : layout == PHYSICAL_I64 ? COLUMN_VALUES(self, int64_t)[lane]
                                                    : COLUMN_VALUES(self, i128)[lane];
        size = number_print_decimal128(value, scale, printed);
    }
    text_append_format(out, "\"%.*s\"", (int)size, printed);
}

static inline void canonical_value(const column *self, uint32_t row, text_builder *out);

static inline void canonical_nested(const column *self, uint32_t lane, text_builder *out) {
    if (self->type->id == TYPE_STRUCT) {
        for (uint32_t i = 0; i < self->type->child_count; i++) {
            text_append(out, i == 0 ? TEXT("{") : TEXT(","));
            canonical_text(self->type->children[i].name, out);
            text_append_char(out, ':');
            canonical_value(&self->children[i], lane, out);
        }
        text_append_char(out, '}');
        return;
    }
    const list_value slice = COLUMN_VALUES(self, list_value)[lane];
    text_append_char(out, '[');
    for (uint32_t i = 0; i < slice.size; i++) {
        text_append(out, i == 0 ? TEXT("") : TEXT(","));
        if (self->type->id == TYPE_MAP) {
            text_append_char(out, '[');
            canonical_value(&self->children[0], slice.offset + i, out);
            text_append_char(out, ',');
            canonical_value(&self->children[1], slice.offset + i, out);
            text_append_char(out, ']');
        } else {
            canonical_value(&self->children[0], slice.offset + i, out);
        }
    }
    text_append_char(out, ']');
}

static inline int64_t canonical_integer(const column *self, uint32_t lane) {
    const physical layout = type_physical(self->type);
    return layout == PHYSICAL_I8    ? COLUMN_VALUES(self, int8_t)[lane]
           : layout == PHYSICAL_I16 ? COLUMN_VALUES(self, int16_t)[lane]
           : layout == PHYSICAL_I32 ? COLUMN_VALUES(self, int32_t)[lane]
           : layout == PHYSICAL_U8  ? COLUMN_VALUES(self, uint8_t)[lane]
           : layout == PHYSICAL_U16 ? COLUMN_VALUES(self, uint16_t)[lane]
           : layout == PHYSICAL_U32 ? (int64_t)COLUMN_VALUES(self, uint32_t)[lane]
                                    : COLUMN_VALUES(self, int64_t)[lane];
}

// One value of a column of any form.
static inline void canonical_value(const column *self, uint32_t row, text_builder *out) {
    if (!column_is_valid(self, row)) {
        text_append(out, TEXT("null"));
        return;
    }
    const uint32_t lane = column_lane(self, row);
    column flat = *self; // Where the lanes are.
    if (self->form == FORM_DICTIONARY) {
        flat = *self->dictionary->values;
    }
    flat.validity = NULL;
    switch (type_category_of(self->type)) {
    case CATEGORY_NULL:
        text_append(out, TEXT("null"));
        break;
    case CATEGORY_BOOLEAN:
        text_append(out, bitmap_get(flat.values, lane) ? TEXT("true") : TEXT("false"));
        break;
    case CATEGORY_INTEGER:
        if (self->type->id == TYPE_UBIGINT) {
            text_append_format(out, "%llu",
                               (unsigned long long)COLUMN_VALUES(&flat, uint64_t)[lane]);
        } else {
            text_append_format(out, "%lld", (long long)canonical_integer(&flat, lane));
        }
        break;
    case CATEGORY_FLOAT:
        if (self->type->id == TYPE_REAL) {
            canonical_float((double)COLUMN_VALUES(&flat, float)[lane], true, out);
        } else if (self->type->id == TYPE_DOUBLE) {
            canonical_float(COLUMN_VALUES(&flat, double)[lane], false, out);
        } else {
            canonical_float(canonical_half(COLUMN_VALUES(&flat, uint16_t)[lane]), false, out);
        }
        break;
    case CATEGORY_DECIMAL:
        canonical_decimal(&flat, lane, out);
        break;
    case CATEGORY_DATETIME:
        if (self->type->id == TYPE_INTERVAL) {
            canonical_interval(&COLUMN_VALUES(&flat, interval_value)[lane], out);
        } else {
            canonical_datetime(canonical_integer(&flat, lane), self->type, out);
        }
        break;
    case CATEGORY_TEXT:
    case CATEGORY_BINARY:
    case CATEGORY_UUID:
        canonical_string(self->type, &COLUMN_VALUES(&flat, string_value)[lane], out);
        break;
    case CATEGORY_NESTED:
        canonical_nested(&flat, lane, out);
        break;
    }
}

static inline bool canonical_has_repeated_names(const schema *fields) {
    for (uint32_t i = 0; i < fields->count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (text_equal(fields->fields[i].name, fields->fields[k].name)) {
                return true;
            }
        }
    }
    return false;
}

/// One row as a line without its end.
static inline void canonical_row(const schema *fields, bool has_repeated_names, const batch *rows,
                                 uint32_t row, text_builder *out) {
    text_append_char(out, has_repeated_names ? '[' : '{');
    for (uint32_t i = 0; i < fields->count; i++) {
        text_append(out, i == 0 ? TEXT("") : TEXT(","));
        text_append(out, has_repeated_names ? TEXT("[") : TEXT(""));
        canonical_text(fields->fields[i].name, out);
        text_append_char(out, has_repeated_names ? ',' : ':');
        canonical_value(&rows->columns[i], row, out);
        text_append(out, has_repeated_names ? TEXT("]") : TEXT(""));
    }
    text_append_char(out, has_repeated_names ? ']' : '}');
}

#endif
