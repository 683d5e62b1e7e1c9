// Reading compiled time zones in place, and the conversions.
//
// A file is a header and a block with 32-bit times, for programs of long ago; from version 2 on the
// same again with 64-bit times, and a line with the rule for what comes after (RFC 8536):
//
//     "TZif" version 15 zeros, six counts, times[], kinds of times[], kinds[], words, leap
//     seconds[], standard/wall indicators[], UTC/local indicators[]
#include "base/zone.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "base/zone_private.h"

#define KIND_SIZE 6
#define KINDS_MAX 256
#define OFFSET_MAX 93599 // 25:59:59, as the format allows.
#define OFFSET_MIN (-89999)
#define TIME_MAX (INT64_C(1) << 59) // 18 billion years, the bound of the format.
#define FAR (INT64_C(1) << 62)      // Sums of offsets and days with it fit.

// ---- Reading -----------------------------------------------------------------------------------

typedef struct zone_header {
    uint8_t version; // As the byte stands: 0, or '2' and above.
    uint32_t utc_count;
    uint32_t standard_count;
    uint32_t leap_count;
    uint32_t transition_count;
    uint32_t kind_count;
    uint32_t word_bytes;
} zone_header;

static uint32_t load_u32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t load_time(const zone *self, uint32_t index) {
    const uint8_t *at = self->times + (size_t)index * self->time_size;
    if (self->time_size == 4) {
        return (int32_t)load_u32(at);
    }
    return (int64_t)((uint64_t)load_u32(at) << 32 | load_u32(at + 4));
}

static firn_status read_header(byte_reader *in, zone_header *out, firn_error *err) {
    bytes raw;
    TRY(reader_take(in, 44, &raw, err));
    if (memcmp(raw.data, "TZif", 4) != 0) {
        return FAIL(err, FIRN_CORRUPT, "no time zone: the file does not begin with \"TZif\"");
    }
    *out = (zone_header){
        .version = raw.data[4],
        .utc_count = load_u32(raw.data + 20),
        .standard_count = load_u32(raw.data + 24),
        .leap_count = load_u32(raw.data + 28),
        .transition_count = load_u32(raw.data + 32),
        .kind_count = load_u32(raw.data + 36),
        .word_bytes = load_u32(raw.data + 40),
    };
    if (out->kind_count == 0 || out->kind_count > KINDS_MAX || out->word_bytes == 0) {
        return FAIL(err, FIRN_CORRUPT, "time zone with %u offsets and %u bytes of names",
                    out->kind_count, out->word_bytes);
    }
    return FIRN_OK;
}

// Takes count * size bytes.
static firn_status take_rows(byte_reader *in, uint32_t count, size_t size, bytes *out,
                             firn_error *err) {
    size_t total;
    if (!mul_fits(count, size, &total)) {
        return FAIL(err, FIRN_CORRUPT, "time zone with %u rows", count);
    }
    return reader_take(in, total, out, err);
}

// The block behind a header, unchecked.
static firn_status read_block(byte_reader *in, const zone_header *header, uint32_t time_size,
                              zone *out, firn_error *err) {
    bytes times;
    bytes kinds_at;
    bytes kinds;
    bytes words;
    bytes unused;
    TRY(take_rows(in, header->transition_count, time_size, &times, err));
    TRY(take_rows(in, header->transition_count, 1, &kinds_at, err));
    TRY(take_rows(in, header->kind_count, KIND_SIZE, &kinds, err));
    TRY(take_rows(in, header->word_bytes, 1, &words, err));
    TRY(take_rows(in, header->leap_count, (size_t)time_size + 4, &unused, err));
    TRY(take_rows(in, header->standard_count, 1, &unused, err));
    TRY(take_rows(in, header->utc_count, 1, &unused, err));
    *out = (zone){
        .transition_count = header->transition_count,
        .kind_count = header->kind_count,
        .time_size = time_size,
        .times = times.data,
        .kinds_at = kinds_at.data,
        .kinds = kinds.data,
        .words = words,
    };
    return FIRN_OK;
}

static int32_t kind_offset(const zone *self, uint32_t kind) {
    return (int32_t)load_u32(self->kinds + (size_t)kind * KIND_SIZE);
}

static firn_status check_block(const zone *self, firn_error *err) {
    for (uint32_t i = 0; i < self->transition_count; i++) {
        const int64_t time = load_time(self, i);
        if (time < -TIME_MAX || time > TIME_MAX) {
            return FAIL(err, FIRN_CORRUPT, "transition %u of a time zone is out of all time", i);
        }
        if (i > 0 && time <= load_time(self, i - 1)) {
            return FAIL(err, FIRN_CORRUPT, "transition %u of a time zone is not after the last", i);
        }
        if (self->kinds_at[i] >= self->kind_count) {
            return FAIL(err, FIRN_CORRUPT, "transition %u of a time zone to offset %u of %u", i,
                        self->kinds_at[i], self->kind_count);
        }
    }
    for (uint32_t i = 0; i < self->kind_count; i++) {
        const uint8_t *kind = self->kinds + (size_t)i * KIND_SIZE;
        const int32_t offset = kind_offset(self, i);
        if (offset < OFFSET_MIN || offset > OFFSET_MAX || kind[4] > 1) {
            return FAIL(err, FIRN_CORRUPT, "time zone with an offset of %d seconds", offset);
        }
        if (kind[5] >= self->words.size ||
            memchr(self->words.data + kind[5], 0, self->words.size - kind[5]) == NULL) {
            return FAIL(err, FIRN_CORRUPT, "time zone whose offset %u has no name", i);
        }
    }
    return FIRN_OK;
}

// The last line of a file.
static firn_status read_rule(byte_reader *in, zone *out, firn_error *err) {
    bytes line;
    TRY(reader_take(in, reader_left(in), &line, err));
    const uint8_t *end = line.size > 1 ? memchr(line.data + 1, '\n', line.size - 1) : NULL;
    if (end == NULL || line.data[0] != '\n') {
        return FAIL(err, FIRN_CORRUPT, "time zone without a last line");
    }
    const text rule = {.data = (const char *)line.data + 1, .size = (size_t)(end - line.data) - 1};
    out->has_rule = rule.size > 0;
    if (out->has_rule && !zone_rule_parse(rule, &out->rule)) {
        return FAIL(err, FIRN_CORRUPT, "time zone with the rule \"%.*s\"",
                    (int)(rule.size < 80 ? rule.size : 80), rule.data);
    }
    return FIRN_OK;
}

firn_status zone_open(zone *self, bytes file, firn_error *err) {
    byte_reader in = reader_open(file);
    zone_header header;
    TRY(read_header(&in, &header, err));
    TRY(read_block(&in, &header, 4, self, err));
    if (header.version != 0) {
        TRY(read_header(&in, &header, err));
        TRY(read_block(&in, &header, 8, self, err));
        TRY(read_rule(&in, self, err));
    }
    if (header.leap_count > 0) {
        return FAIL(err, FIRN_UNSUPPORTED, "time zone that counts leap seconds");
    }
    return check_block(self, err);
}

// ---- Asking ------------------------------------------------------------------------------------

static void take_kind(const zone *self, uint32_t kind, zone_period *out) {
    const uint8_t *row = self->kinds + (size_t)kind * KIND_SIZE;
    out->offset_seconds = kind_offset(self, kind);
    out->is_summer = row[4] != 0;
    out->word = text_of((const char *)self->words.data + row[5]);
}

// Beyond hundred billion years, seconds count as the last ones before that.
static int64_t not_too_far(int64_t seconds) {
    const int64_t least = seconds < -FAR ? -FAR : seconds;
    return least > FAR ? FAR : least;
}

void zone_period_of(const zone *self, int64_t any_utc_seconds, zone_period *out) {
    const int64_t utc_seconds = not_too_far(any_utc_seconds);
    uint32_t low = 0; // Transitions at or before the second.
    uint32_t high = self->transition_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (load_time(self, middle) <= utc_seconds) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const int64_t from = low > 0 ? load_time(self, low - 1) : INT64_MIN;
    const bool is_last = low == self->transition_count;
    if (is_last && self->has_rule) {
        zone_rule_period(&self->rule, utc_seconds, out);
        out->from = out->from > from ? out->from : from;
        return;
    }
    *out = (zone_period){.from = from, .until = is_last ? INT64_MAX : load_time(self, low)};
    take_kind(self, low > 0 ? self->kinds_at[low - 1] : 0, out);
}

zone_cursor zone_cursor_open(const zone *of) {
    return (zone_cursor){.zone = of, .period = {.from = 0, .until = 0}};
}

int32_t zone_offset_of_local(zone_cursor *self, int64_t any_local_seconds) {
    const int64_t local_seconds = not_too_far(any_local_seconds);
    // No offset is more than 26 hours, so two days before, the change that matters is still to come
    // or long past, and instants further than that from both ends of a period are inside it.
    const int64_t margin = 2 * CALENDAR_DAY_SECONDS;
    const zone_period *near = &self->period;
    if (local_seconds > near->from + margin && local_seconds < near->until - margin &&
        near->from < near->until) {
        return near->offset_seconds;
    }
    (void)zone_offset_of_utc(self, local_seconds - CALENDAR_DAY_SECONDS);
    const zone_period before = self->period;
    if (before.until == INT64_MAX) {
        return before.offset_seconds;
    }
    zone_period after;
    zone_period_of(self->zone, before.until, &after);
    const int64_t by_before = local_seconds - before.offset_seconds;
    const int64_t by_after = local_seconds - after.offset_seconds;
    if (by_before < before.until && by_after < before.until) {
        return before.offset_seconds;
    }
    if (by_before > before.until && by_after >= before.until) {
        self->period = after;
        return after.offset_seconds;
    }
    // The clock shows it never (the offset grows), or twice: the lesser offset in both cases.
    return by_before > by_after ? before.offset_seconds : after.offset_seconds;
}

// ---- Timestamps --------------------------------------------------------------------------------

static int64_t seconds_of(int64_t value, time_unit unit) {
    return calendar_floor_div(value, calendar_units_per_second(unit));
}

static bool shift_fits(int64_t value, int32_t seconds, time_unit unit, int64_t *out) {
    int64_t moved;
    if (__builtin_add_overflow(value, seconds * calendar_units_per_second(unit), &moved)) {
        return false;
    }
    *out = moved;
    return true;
}

bool zone_to_local_fits(zone_cursor *self, int64_t instant, time_unit unit, int64_t *out) {
    return shift_fits(instant, zone_offset_of_utc(self, seconds_of(instant, unit)), unit, out);
}

bool zone_to_utc_fits(zone_cursor *self, int64_t local, time_unit unit, int64_t *out) {
    return shift_fits(local, -zone_offset_of_local(self, seconds_of(local, unit)), unit, out);
}

bool zone_add_interval_fits(zone_cursor *self, interval_value value, int64_t instant,
                            time_unit unit, int64_t *out) {
    int64_t moved = instant;
    if (value.months != 0 || value.days != 0) {
        const interval_value whole_days = {.months = value.months, .days = value.days};
        int64_t local;
        if (!zone_to_local_fits(self, instant, unit, &local) ||
            !interval_add_to_timestamp_fits(whole_days, local, unit, &local) ||
            !zone_to_utc_fits(self, local, unit, &moved)) {
            return false;
        }
    }
    const interval_value time = {.nanos = value.nanos};
    return interval_add_to_timestamp_fits(time, moved, unit, out);
}

bool zone_truncate_fits(zone_cursor *self, calendar_field field, int64_t instant, time_unit unit,
                        int64_t *out) {
    int64_t local;
    if (!zone_to_local_fits(self, instant, unit, &local) ||
        !calendar_truncate_fits(field, local, unit, &local)) {
        return false;
    }
    if (field < CALENDAR_DAY) {
        // The offset of the instant stays: in the hour that comes twice, each keeps its own.
        const int32_t offset = zone_offset_of_utc(self, seconds_of(instant, unit));
        return shift_fits(local, -offset, unit, out);
    }
    return zone_to_utc_fits(self, local, unit, out);
}

date_answer zone_timestamp_of_parts(zone_cursor *self, const date_parts *parts, const zone *named,
                                    time_unit unit, int64_t *out) {
    if (parts->zone == DATE_ZONE_OFFSET) {
        return date_parts_timestamp(parts, parts->offset_seconds, unit, out);
    }
    zone_cursor other = {.zone = named};
    zone_cursor *at = self;
    if (parts->zone == DATE_ZONE_NAME) {
        if (named == NULL) {
            return DATE_SYNTAX;
        }
        at = &other;
    }
    const int64_t local = parts->moment.days * CALENDAR_DAY_SECONDS +
                          parts->moment.nanos / (CALENDAR_DAY_NANOS / CALENDAR_DAY_SECONDS);
    return date_parts_timestamp(parts, zone_offset_of_local(at, local), unit, out);
}
