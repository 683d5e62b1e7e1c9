#include "tables/iceberg/iceberg_transform_column.h"

#include "base/calendar.h"
#include "memory/text_builder.h"

// What one transform of one column goes by.
typedef struct column_transform {
    const ice_transform *transform;
    const column *source;
    column *out;
} column_transform;

// ---- Numbers -----------------------------------------------------------------------------------

static int64_t floor_of(int64_t value, int64_t divisor) {
    assert(divisor > 0);
    return value / divisor - (value % divisor < 0);
}

static int64_t lane_number(const column *source, uint32_t lane) {
    return type_physical(source->type) == PHYSICAL_I32 ? COLUMN_VALUES(source, int32_t)[lane]
                                                       : COLUMN_VALUES(source, int64_t)[lane];
}

// Years and months are found day by day; rows that lie together mostly have the same day.
static void put_dates(const column_transform *self, int64_t units_per_day) {
    int32_t *out = COLUMN_OUT(self->out, int32_t);
    const bool is_year = self->transform->kind == ICE_YEAR;
    int64_t known_day = INT64_MIN;
    int32_t known = 0;
    for (uint32_t i = 0; i < self->out->length; i++) {
        const int64_t day = floor_of(lane_number(self->source, i), units_per_day);
        if (day != known_day) {
            const calendar_date date = calendar_date_of(day);
            const int64_t year = date.year - 1970;
            known = (int32_t)(is_year ? year : year * 12 + date.month - 1);
            known_day = day;
        }
        out[i] = known;
    }
}

// Rows up to the first that is beyond the range: hours of times far away are.
static uint32_t put_units(const column_transform *self, int64_t unit) {
    int32_t *out = COLUMN_OUT(self->out, int32_t);
    for (uint32_t i = 0; i < self->out->length; i++) {
        const int64_t units = floor_of(lane_number(self->source, i), unit);
        const bool fits = units >= INT32_MIN && units <= INT32_MAX;
        if (!fits && column_row_is_valid(self->source, i)) {
            return i;
        }
        out[i] = fits ? (int32_t)units : 0;
    }
    return self->out->length;
}

static uint32_t put_times(const column_transform *self) {
    const type *of = self->source->type;
    const int64_t day = of->id == TYPE_DATE
                            ? 1
                            : calendar_units_per_second(of->unit) * (int64_t)CALENDAR_DAY_SECONDS;
    if (self->transform->kind == ICE_DAY || self->transform->kind == ICE_HOUR) {
        return put_units(self, self->transform->kind == ICE_DAY ? day : day / 24);
    }
    put_dates(self, day);
    return self->out->length;
}

// Rows up to the first whose value is below the least of its type; all if there is none.
static uint32_t cut_numbers(const column_transform *self) {
    const column *source = self->source;
    const uint32_t length = self->out->length;
    const int64_t width = self->transform->width;
    const bool is_small = type_physical(source->type) == PHYSICAL_I32;
    const int64_t least = is_small ? INT32_MIN : INT64_MIN;
    for (uint32_t i = 0; i < length; i++) {
        const int64_t value = lane_number(source, i);
        const int64_t above = value % width < 0 ? value % width + width : value % width;
        const bool fits = value >= 0 || value - least >= above;
        if (!fits && column_row_is_valid(source, i)) {
            return i;
        }
        const int64_t cut = fits ? value - above : 0;
        if (is_small) {
            COLUMN_OUT(self->out, int32_t)[i] = (int32_t)cut;
        } else {
            COLUMN_OUT(self->out, int64_t)[i] = cut;
        }
    }
    return length;
}

static uint32_t cut_wide(const column_transform *self) {
    const i128 *values = COLUMN_VALUES(self->source, i128);
    for (uint32_t i = 0; i < self->out->length; i++) {
        const i128 rest = values[i] % self->transform->width;
        COLUMN_OUT(self->out, i128)
        [i] = values[i] - (rest < 0 ? rest + self->transform->width : rest);
    }
    return self->out->length;
}

// ---- Bytes -------------------------------------------------------------------------------------

static uint32_t cut_strings(const column_transform *self) {
    const string_value *values = COLUMN_VALUES(self->source, string_value);
    const type *of = self->source->type;
    for (uint32_t i = 0; i < self->out->length; i++) {
        const text all = string_text(&values[i]);
        const bytes cut = ice_transform_cut(self->transform, of, bytes_of_text(all));
        // A short one lies inside its value, a long one where the source has it.
        COLUMN_OUT(self->out, string_value)
        [i] = string_of((const char *)cut.data, (uint32_t)cut.size);
    }
    return self->out->length;
}

static void put_buckets(const column_transform *self) {
    int32_t *out = COLUMN_OUT(self->out, int32_t);
    const type *of = self->source->type;
    for (uint32_t i = 0; i < self->out->length; i++) {
        const ice_scalar value = ice_scalar_of_column(self->source, i);
        out[i] = 0;
        (void)ice_bucket_of(of, &value, self->transform->width, &out[i]); // Not of NULLs.
    }
}

// ---- All ---------------------------------------------------------------------------------------

// Rows before the first that has no value.
static uint32_t fill(const column_transform *self) {
    const ice_transform_kind kind = self->transform->kind;
    const physical layout = type_physical(self->source->type);
    if (kind == ICE_BUCKET) {
        put_buckets(self);
        return self->out->length;
    }
    return kind != ICE_TRUNCATE        ? put_times(self)
           : layout == PHYSICAL_STRING ? cut_strings(self)
           : layout == PHYSICAL_I128   ? cut_wide(self)
                                       : cut_numbers(self);
}

firn_status ice_transform_column_until(const ice_transform *self, const column *source,
                                       arena *memory, column *out, uint32_t *done,
                                       firn_error *err) {
    const type *result = ice_transform_result(self, source->type);
    *done = source->length;
    if (self->kind == ICE_VOID) {
        return column_new_null(memory, source->type, source->length, out, err);
    }
    if (result == NULL) {
        const text is = type_text(source->type, memory);
        const text word = ice_transform_name(self);
        return FAIL(err, FIRN_UNSUPPORTED, "type %.*s has no partition transform \"%.*s\"",
                    TEXT_ARGS(is), TEXT_ARGS(word));
    }
    if (self->kind == ICE_IDENTITY) {
        *out = *source;
        return FIRN_OK;
    }
    // A constant has one lane.
    const uint32_t lanes = source->form == FORM_CONSTANT ? 1 : source->length;
    TRY(column_new(memory, result, lanes, out, err));
    const column_transform all = {.transform = self, .source = source, .out = out};
    const uint32_t filled = fill(&all);
    *done = filled == lanes ? source->length : filled;
    out->form = source->form;
    out->length = source->length;
    out->validity = source->validity;
    return FIRN_OK;
}

firn_status ice_transform_beyond(const ice_transform *self, const column *source, uint32_t row,
                                 text name, arena *memory, firn_error *err) {
    text_builder value = text_builder_open(memory);
    text shown = TEXT("?");
    firn_error ignored = ERR_INIT;
    column_print_row(source, row & column_mask(source), &value);
    (void)text_builder_finish(&value, &shown, &ignored);
    const text word = ice_transform_name(self);
    const text range = type_text(ice_transform_result(self, source->type), memory);
    return FAIL_SQL(err, FIRN_INVALID, "22003", NO_POSITION,
                    "%.*s in column \"%.*s\" has no partition: %.*s of it is beyond the range of "
                    "%.*s",
                    TEXT_ARGS(shown), TEXT_ARGS(name), TEXT_ARGS(word), TEXT_ARGS(range));
}

firn_status ice_transform_column(const ice_transform *self, const column *source, text name,
                                 arena *memory, column *out, firn_error *err) {
    uint32_t done;
    TRY(ice_transform_column_until(self, source, memory, out, &done, err));
    return done == source->length ? FIRN_OK
                                  : ice_transform_beyond(self, source, done, name, memory, err);
}
