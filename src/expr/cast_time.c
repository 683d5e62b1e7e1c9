// Casts between dates, times and intervals. Units round to the nearest; what leaves its type fails.
// With and without zone: through the session's time zone.
#include "base/date_text.h"
#include "base/zone.h"
#include "expr/cast_private.h"
#include "expr/session_zone.h"

#define NANOS_PER_DAY CALENDAR_DAY_NANOS

static int64_t units_per_day(time_unit unit) {
    return CALENDAR_DAY_SECONDS * calendar_units_per_second(unit);
}

// ---- Values of 32 and 64 bits ------------------------------------------------------------------

static int64_t load(const column *values, uint32_t lane) {
    return type_physical(values->type) == PHYSICAL_I32 ? COLUMN_VALUES(values, int32_t)[lane]
                                                       : COLUMN_VALUES(values, int64_t)[lane];
}

static bool store(column *out, uint32_t row, int64_t value) {
    if (type_physical(out->type) == PHYSICAL_I64) {
        COLUMN_OUT(out, int64_t)[row] = value;
        return true;
    }
    if (value < INT32_MIN || value > INT32_MAX) {
        return false;
    }
    COLUMN_OUT(out, int32_t)[row] = (int32_t)value;
    return true;
}

// ---- One value, as a timestamp without zone in between -----------------------------------------

// What a value is on a local clock, in units of its own type (a DATE: in `unit`).
static bool to_local(const type *from, int64_t value, time_unit unit, zone_cursor *cursor,
                     int64_t *out) {
    if (from->id == TYPE_DATE) {
        return !__builtin_mul_overflow(value, units_per_day(unit), out);
    }
    if (from->id == TYPE_TIMESTAMPTZ) {
        return zone_to_local_fits(cursor, value, from->unit, out);
    }
    *out = value;
    return true;
}

// From a local clock in `unit` to the wanted type.
static bool from_local(const type *to, int64_t local, time_unit unit, zone_cursor *cursor,
                       int64_t *out) {
    switch ((int)to->id) {
    case TYPE_DATE:
        *out = calendar_floor_div(local, units_per_day(unit));
        return true;
    case TYPE_TIME: {
        const int64_t time = calendar_floor_mod(local, units_per_day(unit));
        return calendar_rescale_fits(time, unit, to->unit, out);
    }
    case TYPE_TIMESTAMPTZ:
        return calendar_rescale_fits(local, unit, to->unit, &local) &&
               zone_to_utc_fits(cursor, local, to->unit, out);
    default:
        return calendar_rescale_fits(local, unit, to->unit, out);
    }
}

static uint32_t through_local(function_call *call, const column *const *args, column *out) {
    const type *from = args[0]->type;
    const type *to = call->result;
    const time_unit unit = from->id == TYPE_DATE ? to->unit : from->unit;
    const uint32_t mask = column_mask(args[0]);
    zone_cursor cursor = session_zone_cursor(call->context);
    FOR_ROWS(call, row) {
        int64_t local;
        int64_t value;
        if (!to_local(from, load(args[0], row & mask), unit, &cursor, &local) ||
            !from_local(to, local, unit, &cursor, &value) || !store(out, row, value)) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

// The same kind of type in another unit.
static uint32_t between_units(function_call *call, const column *const *args, column *out) {
    const uint32_t mask = column_mask(args[0]);
    FOR_ROWS(call, row) {
        int64_t value;
        if (!calendar_rescale_fits(load(args[0], row & mask), args[0]->type->unit,
                                   call->result->unit, &value) ||
            !store(out, row, value)) {
            return ROW_VISIT(row);
        }
    }
    return call->count;
}

static uint32_t time_to_interval(function_call *call, const column *const *args, column *out) {
    const uint32_t mask = column_mask(args[0]);
    FOR_ROWS(call, row) {
        int64_t nanos = 0; // A day's worth always fits.
        (void)calendar_rescale_fits(load(args[0], row & mask), args[0]->type->unit, UNIT_NANO,
                                    &nanos);
        COLUMN_OUT(out, interval_value)[row] = (interval_value){.nanos = nanos};
    }
    return call->count;
}

static uint32_t interval_to_time(function_call *call, const column *const *args, column *out) {
    const uint32_t mask = column_mask(args[0]);
    FOR_ROWS(call, row) {
        const int64_t nanos = COLUMN_VALUES(args[0], interval_value)[row & mask].nanos;
        int64_t value = 0;
        (void)calendar_rescale_fits(calendar_floor_mod(nanos, NANOS_PER_DAY), UNIT_NANO,
                                    call->result->unit, &value);
        (void)store(out, row, value);
    }
    return call->count;
}

scalar_kernel cast_time_kernel(const type *from, const type *to) {
    if (from->id == to->id) {
        return between_units;
    }
    if (to->id == TYPE_INTERVAL) {
        return time_to_interval;
    }
    return from->id == TYPE_INTERVAL ? interval_to_time : through_local;
}

// ---- Text ------------------------------------------------------------------------------------

// The parts of a text whose zone, if it names one, is known: `*named`.
static bool read_parts(zone_memo *zones, text input, date_parts *parts, const zone **named) {
    *named = NULL;
    if (date_parse_parts(input, parts) != DATE_OK) {
        return false;
    }
    if (parts->zone == DATE_ZONE_NAME) {
        const zone_cursor *found = zone_memo_find(zones, parts->zone_name);
        *named = found == NULL ? NULL : found->zone;
    }
    return parts->zone != DATE_ZONE_NAME || *named != NULL;
}

// What the clock shows in a text; its zone doesn't count.
static bool read_local(zone_memo *zones, text input, time_unit unit, int64_t *out) {
    date_parts parts;
    const zone *named;
    return read_parts(zones, input, &parts, &named) &&
           date_parts_timestamp(&parts, 0, unit, out) == DATE_OK;
}

static bool read_instant(zone_cursor *cursor, zone_memo *zones, text input, time_unit unit,
                         int64_t *out) {
    date_parts parts;
    const zone *named;
    return read_parts(zones, input, &parts, &named) &&
           zone_timestamp_of_parts(cursor, &parts, named, unit, out) == DATE_OK;
}

static bool read_date(zone_memo *zones, text input, int64_t *out) {
    date_parts parts;
    const zone *named;
    const bool is_read = read_parts(zones, input, &parts, &named);
    *out = is_read ? parts.moment.days : 0;
    return is_read;
}

// A time, or that of a timestamp.
static bool read_time(zone_memo *zones, text input, time_unit unit, int64_t *out) {
    if (date_parse_time(input, unit, out) == DATE_OK) {
        return true;
    }
    if (input.size == 0 || memchr(input.data, ':', input.size) == NULL ||
        !read_local(zones, input, unit, out)) {
        return false;
    }
    const int64_t day = CALENDAR_DAY_SECONDS * calendar_units_per_second(unit);
    *out -= calendar_floor_div(*out, day) * day;
    return true;
}

bool cast_read_time(zone_cursor *cursor, zone_memo *zones, text input, column *out, uint32_t row) {
    const type *to = out->type;
    int64_t value = 0;
    switch ((int)to->id) {
    case TYPE_DATE:
        return read_date(zones, input, &value) && store(out, row, value);
    case TYPE_INTERVAL:
        return date_parse_interval(input, &COLUMN_OUT(out, interval_value)[row]) == DATE_OK;
    case TYPE_TIME:
        return read_time(zones, input, to->unit, &value) && store(out, row, value);
    case TYPE_TIMESTAMP:
        return read_local(zones, input, to->unit, &value) && store(out, row, value);
    default:
        return read_instant(cursor, zones, input, to->unit, &value) && store(out, row, value);
    }
}
