// Time zones: UTC to local clocks and back, from compiled files (TZif, RFC 8536) and fixed offsets.
//
// A zone is read-only and may be shared by threads; a zone_cursor, one per thread and column, keeps
// the period last used, so that timestamps that come roughly in order cost a comparison each. A
// file is checked once by zone_open and then read in place: memory/zone_load.h finds and keeps it.
//
// Local times that a clock shows never or twice mean what they mean in PostgreSQL: in the gap, the
// offset before it counts (02:30 becomes 03:30); in the overlap, the one after it (winter time).
#ifndef FIRN_BASE_ZONE_H
#define FIRN_BASE_ZONE_H

#include "base/bytes.h"
#include "base/date_text.h"
#include "base/interval.h"
#include "base/text.h"

/// A day on which clocks change, every year: as POSIX says it in TZ.
typedef enum zone_day_kind {
    ZONE_DAY_OF_WEEK,  // Mm.w.d: the w-th weekday d of month m; week 5 is the last.
    ZONE_DAY_NO_LEAP,  // Jn: day n of the year, from 1; February 29th is never counted.
    ZONE_DAY_FROM_ZERO // n: day n of the year, from 0.
} zone_day_kind;

typedef struct zone_change {
    zone_day_kind kind;
    int32_t month; // ZONE_DAY_OF_WEEK only.
    int32_t week;
    int32_t day;
    int32_t seconds; // On the clock before the change; below 0 and above a day are allowed.
} zone_change;

/// The rule for all time after the last transition of a file.
typedef struct zone_rule {
    int32_t offset_seconds; // Ahead of UTC.
    int32_t summer_offset_seconds;
    bool has_summer;
    zone_change summer_start;
    zone_change summer_end;
    text word; // Such as CET, in the file.
    text summer_word;
} zone_rule;

/// Plain data. A fixed offset has no transitions and a rule without summer.
typedef struct zone {
    uint32_t transition_count;
    uint32_t kind_count;     // Of offsets that occur; 0 in a fixed zone.
    uint32_t time_size;      // Bytes of a transition's time: 4 or 8.
    const uint8_t *times;    // Of the transitions, big-endian, rising.
    const uint8_t *kinds_at; // One byte each: the kind that begins.
    const uint8_t *kinds;    // Six bytes each: offset, is it summer, where its word begins.
    bytes words;             // Words one behind another, each with a NUL.
    bool has_rule;
    zone_rule rule;
    text name; // As the data base spells it, or such as +05:30; empty if nobody asked by name.
} zone;

/// A stretch of time with one offset: [from, until) in seconds since 1970 UTC.
typedef struct zone_period {
    int64_t from;  // INT64_MIN: always so far.
    int64_t until; // INT64_MAX: for ever.
    int32_t offset_seconds;
    bool is_summer;
    text word; // CET, CEST, +0530 ...
} zone_period;

// ---- Making ------------------------------------------------------------------------------------

/// UTC.
extern const zone zone_utc;

/// A zone that is always so far ahead of UTC; less than a day.
zone zone_fixed(int32_t offset_seconds);

/// UTC, GMT, Z, Zulu in any case; +05:30, -03, +0530 (ahead of UTC: to the east).
bool zone_of_offset(text name, zone *out);

/// EST, CEST and their like, as PostgreSQL has them by default; each is a fixed offset.
bool zone_of_abbreviation(text name, zone *out);

/// Checks a TZif file of version 1 to 4.
///
/// Borrows: `file`, as long as the zone is used.
/// Errors:  FIRN_CORRUPT; FIRN_UNSUPPORTED for a file that counts leap seconds.
firn_status zone_open(zone *self, bytes file, firn_error *err);

/// Reads the TZ notation of POSIX, such as CET-1CEST,M3.5.0,M10.5.0/3. Borrows `input`.
bool zone_rule_parse(text input, zone_rule *out);

#define ZONE_FILE_SIZE_MAX ((size_t)16384) // Four times the largest there is.
#define ZONE_NAME_SIZE_MAX 64

/// Reads the file of a zone, such as Europe/Berlin, of the system's data base into `out`, which has
/// room for ZONE_FILE_SIZE_MAX bytes. Names in any case are found if the file's name is made of
/// capitalised words or of capitals; `spelling`, of ZONE_NAME_SIZE_MAX + 1 bytes, is the file's
/// name.
///
/// Errors:  FIRN_NOT_FOUND if there is no such zone or the name could lead out of the data base.
firn_status zone_file_read(text name, char *spelling, uint8_t *out, size_t *size, firn_error *err);

// ---- Asking ------------------------------------------------------------------------------------

/// The period in which a second lies.
void zone_period_of(const zone *self, int64_t utc_seconds, zone_period *out);

typedef struct zone_cursor {
    const zone *zone;
    zone_period period; // In which the last one was.
} zone_cursor;

zone_cursor zone_cursor_open(const zone *of);

/// What local clocks are ahead of UTC at an instant.
static inline int32_t zone_offset_of_utc(zone_cursor *self, int64_t utc_seconds) {
    if (utc_seconds < self->period.from || utc_seconds >= self->period.until) {
        zone_period_of(self->zone, utc_seconds, &self->period);
    }
    return self->period.offset_seconds;
}

/// The same for what a local clock shows.
int32_t zone_offset_of_local(zone_cursor *self, int64_t local_seconds);

// ---- Timestamps --------------------------------------------------------------------------------

/// instant AT TIME ZONE, and its reverse.
bool zone_to_local_fits(zone_cursor *self, int64_t instant, time_unit unit, int64_t *out);
bool zone_to_utc_fits(zone_cursor *self, int64_t local, time_unit unit, int64_t *out);

/// Adds months and days on the local clock and then the time as it passes.
bool zone_add_interval_fits(zone_cursor *self, interval_value value, int64_t instant,
                            time_unit unit, int64_t *out);

/// date_trunc on the local clock, back as an instant.
bool zone_truncate_fits(zone_cursor *self, calendar_field field, int64_t instant, time_unit unit,
                        int64_t *out);

/// Parts of a text as an instant: without a zone in it they are local in `self`. A zone by name
/// needs `named`, which the caller has looked up; NULL makes it DATE_SYNTAX.
date_answer zone_timestamp_of_parts(zone_cursor *self, const date_parts *parts, const zone *named,
                                    time_unit unit, int64_t *out);

#endif
