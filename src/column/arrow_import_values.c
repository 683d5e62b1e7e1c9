// Values of foreign Arrow arrays, buffer by buffer: bits, numbers, times, decimals, texts.
#include "base/calendar.h"
#include "base/checked.h"
#include "base/utf8.h"
#include "column/arrow_private.h"

firn_status arrow_broken(const arrow_source *self, const char *what, firn_error *err) {
    return FAIL(err, FIRN_INVALID, "the Arrow array of column \"%s\" has %s",
                self->schema->name == NULL ? "" : self->schema->name, what);
}

// What every array must hold: its rows and, if `buffers` of them are looked at, a second buffer.
firn_status arrow_check_array(const arrow_source *self, int64_t buffers, firn_error *err) {
    const struct ArrowArray *array = self->array;
    if (array == NULL || array->release == NULL) {
        return arrow_broken(self, "been released", err);
    }
    if (array->length < 0 || array->offset < 0 || array->n_buffers < buffers ||
        (array->n_buffers > 0 && array->buffers == NULL) ||
        (uint64_t)array->length + (uint64_t)array->offset < self->from + self->count) {
        return arrow_broken(self, "too few rows or buffers", err);
    }
    if (buffers > 1 && self->count > 0 && array->buffers[1] == NULL) {
        return arrow_broken(self, "no values", err);
    }
    return FIRN_OK;
}

uint64_t arrow_offset_at(const void *offsets, uint64_t row, bool is_large) {
    if (is_large) {
        int64_t value;
        memcpy(&value, (const uint8_t *)offsets + row * 8, 8);
        return (uint64_t)value;
    }
    int32_t value;
    memcpy(&value, (const uint8_t *)offsets + row * 4, 4);
    return (uint64_t)(int64_t)value;
}

static firn_status import_bits(const arrow_source *self, column *out, firn_error *err) {
    TRY(arrow_check_array(self, 2, err));
    const uint8_t *bits = self->array->buffers[1];
    for (uint32_t i = 0; i < self->count; i++) {
        const uint64_t bit = self->from + i;
        if ((bits[bit / 8] >> (bit % 8) & 1) != 0) {
            bitmap_set(COLUMN_OUT(out, uint64_t), i);
        }
    }
    return FIRN_OK;
}

// Decimals narrow to the width that their precision has here.
static firn_status import_decimal(const arrow_source *self, column *out, firn_error *err) {
    const uint8_t *data = self->array->buffers[1];
    const physical kind = type_physical(out->type);
    const uint32_t width = arrow_decimal_width(self->schema->format);
    for (uint32_t i = 0; i < self->count; i++) {
        i256 wide = I256_ZERO;
        i128 value = 0;
        if (!column_is_valid(out, i)) {
            memset(COLUMN_OUT(out, uint8_t) + (size_t)i * physical_size(kind), 0,
                   physical_size(kind));
            continue;
        }
        const uint8_t *at = data + (self->from + i) * width;
        int64_t narrow;
        int32_t narrower;
        switch (width) {
        case 4:
            memcpy(&narrower, at, sizeof narrower);
            wide = i256_from_i64(narrower);
            break;
        case 8:
            memcpy(&narrow, at, sizeof narrow);
            wide = i256_from_i64(narrow);
            break;
        case 16:
            memcpy(&value, at, sizeof value);
            wide = i256_from_i128(value);
            break;
        default:
            memcpy(&wide, at, sizeof wide);
            break;
        }
        if (!i256_has_digits(wide, out->type->precision)) {
            return arrow_broken(self, "a decimal of more digits than its type", err);
        }
        if (kind != PHYSICAL_I256 && !i256_to_i128_fits(wide, &value)) {
            return arrow_broken(self, "a decimal of more digits than its type", err);
        }
        switch ((int)kind) {
        case PHYSICAL_I32:
            COLUMN_OUT(out, int32_t)[i] = (int32_t)value;
            break;
        case PHYSICAL_I64:
            COLUMN_OUT(out, int64_t)[i] = (int64_t)value;
            break;
        case PHYSICAL_I128:
            COLUMN_OUT(out, i128)[i] = value;
            break;
        default:
            COLUMN_OUT(out, i256)[i] = wide;
        }
    }
    return FIRN_OK;
}

// tiM: months; tiD: days and milliseconds; durations: a count of units as nanoseconds.
static firn_status import_interval(const arrow_source *self, column *out, firn_error *err) {
    const char *format = self->schema->format;
    const uint8_t *data = self->array->buffers[1];
    static const int64_t nanos[] = {1000000000, 1000000, 1000, 1};
    for (uint32_t i = 0; i < self->count; i++) {
        interval_value value = {0};
        const uint64_t row = self->from + i;
        if (format[1] == 'D') {
            int64_t units;
            time_unit unit = UNIT_MICRO;
            memcpy(&units, data + row * 8, 8);
            (void)arrow_unit_of(format[2], &unit);
            if (column_is_valid(out, i) &&
                __builtin_mul_overflow(units, nanos[unit], &value.nanos)) {
                return arrow_broken(self, "a duration beyond 292 years", err);
            }
        } else if (format[2] == 'M') {
            memcpy(&value.months, data + row * 4, 4);
        } else if (format[2] == 'D') {
            int32_t millis;
            memcpy(&value.days, data + row * 8, 4);
            memcpy(&millis, data + row * 8 + 4, 4);
            value.nanos = (int64_t)millis * nanos[UNIT_MILLI];
        } else {
            memcpy(&value, data + row * 16, 16);
        }
        COLUMN_OUT(out, interval_value)[i] = value;
    }
    return FIRN_OK;
}

// Times lie within a day; seconds (tts) become milliseconds.
static firn_status check_times(const arrow_source *self, column *out, firn_error *err) {
    const bool is_seconds = strcmp(self->schema->format, "tts") == 0;
    const int64_t units = is_seconds ? 1 : calendar_units_per_second(out->type->unit);
    const bool is_narrow = type_physical(out->type) == PHYSICAL_I32;
    for (uint32_t i = 0; i < self->count; i++) {
        const int64_t value = is_narrow ? COLUMN_OUT(out, int32_t)[i] : COLUMN_OUT(out, int64_t)[i];
        const bool fits = value >= 0 && value <= CALENDAR_DAY_SECONDS * units;
        if (!fits && column_is_valid(out, i)) {
            return arrow_broken(self, "a time that is of no day", err);
        }
        if (is_seconds) {
            COLUMN_OUT(out, int32_t)[i] = fits ? (int32_t)value * 1000 : 0;
        }
    }
    return FIRN_OK;
}

// tdm: dates as milliseconds.
static firn_status import_millis(const arrow_source *self, column *out, firn_error *err) {
    const uint8_t *data = self->array->buffers[1];
    const int64_t day = CALENDAR_DAY_SECONDS * INT64_C(1000);
    for (uint32_t i = 0; i < self->count; i++) {
        int64_t millis;
        memcpy(&millis, data + (self->from + i) * sizeof millis, sizeof millis);
        const int64_t days = millis / day - (millis % day < 0);
        const bool fits = days == (int32_t)days;
        if (!fits && column_is_valid(out, i)) {
            return arrow_broken(self, "a date beyond all years", err);
        }
        COLUMN_OUT(out, int32_t)[i] = fits ? (int32_t)days : 0;
    }
    return FIRN_OK;
}

// Numbers and moments, most of them as they are.
static firn_status import_fixed(const arrow_source *self, column *out, firn_error *err) {
    TRY(arrow_check_array(self, 2, err));
    if (self->count == 0) {
        return FIRN_OK;
    }
    if (out->type->id == TYPE_DECIMAL) {
        return import_decimal(self, out, err);
    }
    if (out->type->id == TYPE_INTERVAL) {
        return import_interval(self, out, err);
    }
    if (strcmp(self->schema->format, "tdm") == 0) {
        return import_millis(self, out, err);
    }
    const uint32_t width = physical_size(type_physical(out->type));
    memcpy(COLUMN_OUT(out, uint8_t), (const uint8_t *)self->array->buffers[1] + self->from * width,
           (size_t)self->count * width);
    return out->type->id == TYPE_TIME ? check_times(self, out, err) : FIRN_OK;
}

static firn_status put_string(const arrow_source *self, column *out, uint32_t row, const char *data,
                              uint64_t size, firn_error *err) {
    if (size > UINT32_MAX) {
        return arrow_broken(self, "a text of over 4 GiB", err);
    }
    const bytes raw = {.data = (const uint8_t *)data, .size = size};
    if (out->type->id != TYPE_BINARY && out->type->id != TYPE_UUID && !utf8_is_valid(raw)) {
        firn_status status = arrow_broken(self, "text that is not UTF-8", err);
        err_hint(err, "hand it over as binary");
        return status;
    }
    COLUMN_OUT(out, string_value)[row] = string_of(data, (uint32_t)size);
    return FIRN_OK;
}

static firn_status import_strings(const arrow_source *self, column *out, bool is_large,
                                  firn_error *err) {
    TRY(arrow_check_array(self, 3, err));
    if (self->count == 0) {
        return FIRN_OK;
    }
    const void *offsets = self->array->buffers[1];
    const char *data = self->array->buffers[2];
    // The last offset of the array is where its bytes end.
    const uint64_t rows = (uint64_t)self->array->length + (uint64_t)self->array->offset;
    const uint64_t size = arrow_offset_at(offsets, rows, is_large);
    for (uint32_t i = 0; i < self->count; i++) {
        const uint64_t begin = arrow_offset_at(offsets, self->from + i, is_large);
        const uint64_t end = arrow_offset_at(offsets, self->from + i + 1, is_large);
        if (!column_is_valid(out, i)) {
            continue;
        }
        if (begin > end || end > size || size > INT64_MAX || (end > begin && data == NULL)) {
            return arrow_broken(self, "offsets that fall", err);
        }
        TRY(put_string(self, out, i, data == NULL ? "" : data + begin, end - begin, err));
    }
    return FIRN_OK;
}

static firn_status import_views(const arrow_source *self, column *out, firn_error *err) {
    TRY(arrow_check_array(self, 3, err));
    const uint8_t *views = self->array->buffers[1];
    const int64_t data_count = self->array->n_buffers - 3;
    const uint8_t *sizes = self->array->buffers[self->array->n_buffers - 1];
    for (uint32_t i = 0; i < self->count; i++) {
        const uint8_t *view = views + (self->from + i) * 16;
        int32_t parts[4];
        memcpy(parts, view, 16);
        if (!column_is_valid(out, i)) {
            continue;
        }
        if (parts[0] < 0) {
            return arrow_broken(self, "a view of negative size", err);
        }
        if (parts[0] <= 12) {
            TRY(put_string(self, out, i, (const char *)view + 4, (uint64_t)parts[0], err));
            continue;
        }
        int64_t size = 0;
        if (parts[2] >= 0 && parts[2] < data_count && sizes != NULL) {
            memcpy(&size, sizes + (size_t)parts[2] * sizeof size, sizeof size);
        }
        if (parts[3] < 0 || (int64_t)parts[3] + parts[0] > size ||
            self->array->buffers[2 + parts[2]] == NULL) {
            return arrow_broken(self, "a view that points outside of its buffers", err);
        }
        const char *data = self->array->buffers[2 + parts[2]];
        TRY(put_string(self, out, i, data + parts[3], (uint64_t)parts[0], err));
    }
    return FIRN_OK;
}

static firn_status import_fixed_bytes(const arrow_source *self, column *out, firn_error *err) {
    TRY(arrow_check_array(self, 2, err));
    const char *data = self->array->buffers[1];
    const uint32_t width = out->type->id == TYPE_UUID ? 16 : out->type->width;
    uint64_t size;
    if (!mul_fits(self->from + self->count, (uint64_t)width, &size)) {
        return arrow_broken(self, "rows behind all memory", err);
    }
    for (uint32_t i = 0; i < self->count; i++) {
        if (column_is_valid(out, i)) {
            TRY(put_string(self, out, i, data + (self->from + i) * width, width, err));
        }
    }
    return FIRN_OK;
}

firn_status arrow_import_values(const arrow_source *self, column *out, firn_error *err) {
    const char first = self->schema->format[0];
    switch ((int)type_physical(out->type)) {
    case PHYSICAL_BIT:
        return import_bits(self, out, err);
    case PHYSICAL_STRING:
        if (first == 'w') {
            return import_fixed_bytes(self, out, err);
        }
        return first == 'v' ? import_views(self, out, err)
                            : import_strings(self, out, first == 'U' || first == 'Z', err);
    default:
        return import_fixed(self, out, err);
    }
}
