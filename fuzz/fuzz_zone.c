// Arbitrary bytes as the file of a time zone, as a rule, and as the name of a zone.
//
// Oracles: the period of an instant holds it and is the one that a walk over all transitions finds;
// the period that begins where one ends begins there; and a local clock read at an instant goes
// back to an instant at which the clock shows the same, where no second change is near. A name that
// is found is spelled as it is given but for the case, and so found again.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FAR (INT64_C(1) << 61)
#define NAME_SIZE_MAX (ZONE_NAME_SIZE_MAX + 2) // One that is too long as well.

static void must(bool condition) {
    if (!condition) {
        abort();
    }
}

static int64_t transition(const zone *self, uint32_t index) {
    uint64_t value = 0;
    for (uint32_t i = 0; i < self->time_size; i++) {
        value = (value & (UINT64_MAX >> 8)) << 8 | self->times[index * self->time_size + i];
    }
    return self->time_size == 4 ? (int32_t)(uint32_t)value : (int64_t)value;
}

// By walking: how many transitions are at or before the instant.
static uint32_t count_before(const zone *self, int64_t at) {
    uint32_t count = 0;
    while (count < self->transition_count && transition(self, count) <= at) {
        count += 1;
    }
    return count;
}

static void check_instant(const zone *self, int64_t at) {
    zone_period period;
    zone_period_of(self, at, &period);
    if (at < period.from || at >= period.until) {
        abort();
    }
    const uint32_t count = count_before(self, at);
    if (count > 0 && period.from < transition(self, count - 1)) {
        abort();
    }
    if (count < self->transition_count && period.until != transition(self, count)) {
        abort();
    }
    zone_period next = period;
    if (period.until < FAR) {
        zone_period_of(self, period.until, &next);
        if (next.from != period.until) {
            abort();
        }
    }
    zone_cursor cursor = zone_cursor_open(self);
    const int64_t local = at + period.offset_seconds;
    const int64_t back = local - zone_offset_of_local(&cursor, local);
    const bool is_calm =
        period.from < at - 4 * CALENDAR_DAY_SECONDS && at + 4 * CALENDAR_DAY_SECONDS < next.until;
    if (is_calm && back + zone_offset_of_utc(&cursor, back) != local) {
        abort();
    }
}

static void check_units(const zone *self, int64_t at, time_unit unit) {
    const int64_t units = calendar_units_per_second(unit);
    zone_cursor cursor = zone_cursor_open(self);
    const int32_t offset = zone_offset_of_utc(&cursor, at);
    int64_t instant;
    int64_t moved;
    if (__builtin_mul_overflow(at, units, &instant)) {
        return;
    }
    if (zone_to_local_fits(&cursor, instant, unit, &moved) && moved != instant + offset * units) {
        abort();
    }
    // Within the period: hours are those of the clock before and behind.
    if (zone_truncate_fits(&cursor, CALENDAR_HOUR, instant, unit, &moved) &&
        (moved > instant || instant - moved >= 3600 * units)) {
        abort();
    }
    for (int field = 0; field < (int)CALENDAR_FIELD_COUNT; field++) {
        if (calendar_field_is_truncated((calendar_field)field)) {
            (void)zone_truncate_fits(&cursor, (calendar_field)field, instant, unit, &moved);
        }
    }
    const interval_value second = {.nanos = 1000000000};
    const interval_value month = {.months = 1, .days = -3};
    if (zone_add_interval_fits(&cursor, second, instant, unit, &moved) &&
        moved != instant + units) {
        abort();
    }
    (void)zone_add_interval_fits(&cursor, month, instant, unit, &moved);
}

// Texts with an offset or the word of another zone mean the same in every zone.
static void check_texts(const zone *self) {
    static const struct {
        const char *text;
        int64_t seconds; // -1: what the zone says.
    } texts[] = {
        {"2020-10-25 02:30:00", -1},
        {"2020-10-25 02:30:00+05:30", 1603573200},
        {"2020-10-25 02:30:00 EST", 1603611000},
        {"2020-03-29 02:30:00", -1},
        {"2020-10-25 02:30:00 XQZ", -2},
        {"2020-10-25 25:30:00", -2},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        zone_cursor cursor = zone_cursor_open(self);
        int64_t seconds = 0;
        date_parts parts;
        zone named;
        const bool is_read = date_parse_parts(text_of(texts[i].text), &parts) == DATE_OK;
        const bool is_known = is_read && parts.zone == DATE_ZONE_NAME &&
                              zone_of_abbreviation(parts.zone_name, &named);
        const bool is_ok =
            is_read && zone_timestamp_of_parts(&cursor, &parts, is_known ? &named : NULL,
                                               UNIT_SECOND, &seconds) == DATE_OK;
        if (is_ok != (texts[i].seconds != -2) ||
            (texts[i].seconds > 0 && seconds != texts[i].seconds)) {
            abort();
        }
    }
}

// What the name of a zone of the system's data base leads to.
static void check_name(text name) {
    static uint8_t file[2][ZONE_FILE_SIZE_MAX];
    char spelling[2][ZONE_NAME_SIZE_MAX + 1];
    size_t size[2];
    zone found;
    firn_error err = ERR_INIT;
    if (zone_of_abbreviation(name, &found) || zone_of_offset(name, &found)) {
        zone_period period;
        zone_period_of(&found, 0, &period);
        must(period.offset_seconds > -CALENDAR_DAY_SECONDS);
        must(period.offset_seconds < CALENDAR_DAY_SECONDS);
    }
    if (zone_file_read(name, spelling[0], file[0], &size[0], &err) != FIRN_OK) {
        must(err.status == FIRN_NOT_FOUND);
        return;
    }
    const text spelled = text_of(spelling[0]);
    must(text_equal_nocase(spelled, name));
    must(zone_file_read(spelled, spelling[1], file[1], &size[1], &err) == FIRN_OK);
    must(text_equal(spelled, text_of(spelling[1])));
    must(size[0] == size[1] && memcmp(file[0], file[1], size[0]) == 0);
    (void)zone_open(&found, (bytes){.data = file[0], .size = size[0]}, &err); // Or a table.
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size <= NAME_SIZE_MAX) {
        check_name((text){.data = (const char *)data, .size = size});
    }
    const bytes input = {.data = data, .size = size};
    firn_error err = ERR_INIT;
    zone found = {.has_rule = true};
    if (zone_open(&found, input, &err) != FIRN_OK &&
        !zone_rule_parse((text){.data = (const char *)data, .size = size}, &found.rule)) {
        return 0;
    }
    static const int64_t instants[] = {-FAR,       -5000000000, -1,         0,      1000000000,
                                       1603587599, 1603587600,  4000000000, FAR / 2};
    for (size_t i = 0; i < sizeof instants / sizeof *instants; i++) {
        check_instant(&found, instants[i]);
        check_units(&found, instants[i], UNIT_MICRO);
        check_units(&found, instants[i], UNIT_NANO);
        check_units(&found, instants[i], UNIT_SECOND);
    }
    check_texts(&found);
    for (uint32_t i = 0; i < found.transition_count; i++) {
        for (int64_t near = -1; near <= 1; near++) {
            check_instant(&found, transition(&found, i) + near);
        }
    }
    return 0;
}
