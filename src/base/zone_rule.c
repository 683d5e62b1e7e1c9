// The TZ notation of POSIX, which says how clocks change in all years after a file's last
// transition:
//
//     std offset [dst [offset] , start [/time] , end [/time]]
//
// Offsets count to the west of UTC, and times may be anything from -167 to 167 hours (RFC 8536,
// 3.3.1). The word is three letters or more, or anything in angle brackets.
#include "base/calendar.h"
#include "base/date_cursor.h"
#include "base/zone_private.h"

#define HOURS_MAX 167
#define OFFSET_HOURS_MAX 24

// ---- Reading -----------------------------------------------------------------------------------

static bool read_word(date_cursor *at, text *out) {
    if (date_take(at, '<')) {
        const char *from = at->at;
        while (at->at < at->end && *at->at != '>') {
            at->at += 1;
        }
        *out = (text){.data = from, .size = (size_t)(at->at - from)};
        return out->size > 0 && date_take(at, '>');
    }
    *out = date_take_word(at);
    return out->size >= 3;
}

// [+-]hh[:mm[:ss]]
static bool read_seconds(date_cursor *at, int64_t hours_max, int32_t *out) {
    const bool is_negative = date_peek(at) == '-';
    at->at += is_negative || date_peek(at) == '+';
    int64_t hours;
    int64_t minutes = 0;
    int64_t seconds = 0;
    if (date_take_digits(at, &hours) == 0 ||
        (date_take(at, ':') && date_take_digits(at, &minutes) != 2) ||
        (date_take(at, ':') && date_take_digits(at, &seconds) != 2)) {
        return false;
    }
    if (hours > hours_max || minutes > 59 || seconds > 59) {
        return false;
    }
    const int64_t total = (hours * 60 + minutes) * 60 + seconds;
    *out = (int32_t)(is_negative ? -total : total);
    return true;
}

static bool read_number(date_cursor *at, int64_t least, int64_t most, int32_t *out) {
    int64_t value;
    if (date_take_digits(at, &value) == 0 || value < least || value > most) {
        return false;
    }
    *out = (int32_t)value;
    return true;
}

static bool read_change(date_cursor *at, zone_change *out) {
    *out = (zone_change){.seconds = 2 * 3600};
    bool is_right;
    if (date_take(at, 'M')) {
        out->kind = ZONE_DAY_OF_WEEK;
        is_right = read_number(at, 1, 12, &out->month) && date_take(at, '.') &&
                   read_number(at, 1, 5, &out->week) && date_take(at, '.') &&
                   read_number(at, 0, 6, &out->day);
    } else if (date_take(at, 'J')) {
        out->kind = ZONE_DAY_NO_LEAP;
        is_right = read_number(at, 1, 365, &out->day);
    } else {
        out->kind = ZONE_DAY_FROM_ZERO;
        is_right = read_number(at, 0, 365, &out->day);
    }
    return is_right && (!date_take(at, '/') || read_seconds(at, HOURS_MAX, &out->seconds));
}

bool zone_rule_parse(text input, zone_rule *out) {
    date_cursor at = {.at = input.data, .end = input.data};
    if (input.size > 0) {
        at.end += input.size;
    }
    *out = (zone_rule){0};
    int32_t west;
    if (!read_word(&at, &out->word) || !read_seconds(&at, OFFSET_HOURS_MAX, &west)) {
        return false;
    }
    out->offset_seconds = -west;
    out->summer_offset_seconds = -west;
    if (date_at_end(&at)) {
        return true;
    }
    out->has_summer = true;
    out->summer_offset_seconds += 3600;
    if (!read_word(&at, &out->summer_word)) {
        return false;
    }
    if (date_peek(&at) != ',') {
        if (!read_seconds(&at, OFFSET_HOURS_MAX, &west)) {
            return false;
        }
        out->summer_offset_seconds = -west;
    }
    return date_take(&at, ',') && read_change(&at, &out->summer_start) && date_take(&at, ',') &&
           read_change(&at, &out->summer_end) && date_at_end(&at);
}

// ---- Applying ----------------------------------------------------------------------------------

static int64_t first_day_of(int64_t year) {
    return calendar_days_of((calendar_date){.year = year, .month = 1, .day = 1});
}

static int64_t day_of_change(const zone_change *change, int64_t year) {
    if (change->kind == ZONE_DAY_FROM_ZERO) {
        return first_day_of(year) + change->day;
    }
    if (change->kind == ZONE_DAY_NO_LEAP) {
        return first_day_of(year) + change->day - (change->day < 60 || !calendar_is_leap(year));
    }
    const calendar_date month = {.year = year, .month = change->month, .day = 1};
    const int64_t start = calendar_days_of(month);
    int32_t day = (change->day - calendar_weekday(start) + 7) % 7 + (change->week - 1) * 7;
    if (day >= calendar_month_days(year, change->month)) {
        day -= 7; // There is no fifth one.
    }
    return start + day;
}

static int64_t second_of_change(const zone_change *change, int64_t year, int32_t offset_seconds) {
    return day_of_change(change, year) * CALENDAR_DAY_SECONDS + change->seconds - offset_seconds;
}

static void take_state(const zone_rule *rule, bool is_summer, zone_period *out) {
    out->is_summer = is_summer;
    out->offset_seconds = is_summer ? rule->summer_offset_seconds : rule->offset_seconds;
    out->word = is_summer ? rule->summer_word : rule->word;
}

// The two changes of a year. Their times may put them up to a week outside of it.
typedef struct year_changes {
    int64_t start; // Of summer.
    int64_t end;
} year_changes;

static year_changes changes_of(const zone_rule *rule, int64_t year) {
    return (year_changes){
        .start = second_of_change(&rule->summer_start, year, rule->offset_seconds),
        .end = second_of_change(&rule->summer_end, year, rule->summer_offset_seconds),
    };
}

// Whether both changes lie well inside the year, where those of other years don't come.
static bool are_inside(year_changes changes, int64_t first_day) {
    const int64_t low = (first_day + 9) * CALENDAR_DAY_SECONDS;
    const int64_t high = (first_day + 365 - 9) * CALENDAR_DAY_SECONDS;
    return changes.start > low && changes.start < high && changes.end > low && changes.end < high &&
           changes.start != changes.end;
}

// The usual case: the changes of the year, and of the one before or after, are well inside theirs.
static bool find_near(const zone_rule *rule, int64_t utc_seconds, int64_t year, zone_period *out) {
    const year_changes near = changes_of(rule, year);
    if (!are_inside(near, first_day_of(year))) {
        return false;
    }
    const bool is_northern = near.start < near.end;
    const int64_t first = is_northern ? near.start : near.end;
    const int64_t second = is_northern ? near.end : near.start;
    const bool is_between = utc_seconds >= first && utc_seconds < second;
    take_state(rule, is_between == is_northern, out);
    if (is_between) {
        out->from = first;
        out->until = second;
        return true;
    }
    const int64_t other_year = utc_seconds < first ? year - 1 : year + 1;
    const year_changes other = changes_of(rule, other_year);
    if (!are_inside(other, first_day_of(other_year))) {
        return false;
    }
    if (utc_seconds < first) {
        out->from = is_northern ? other.end : other.start;
        out->until = first;
    } else {
        out->from = second;
        out->until = is_northern ? other.start : other.end;
    }
    return true;
}

void zone_rule_period(const zone_rule *rule, int64_t utc_seconds, zone_period *out) {
    const int64_t days = calendar_floor_div(utc_seconds, CALENDAR_DAY_SECONDS);
    const int64_t year = calendar_date_of(days).year;
    if (rule->has_summer && find_near(rule, utc_seconds, year, out)) {
        return;
    }
    *out = (zone_period){.from = INT64_MIN, .until = INT64_MAX};
    take_state(rule, false, out);
    if (!rule->has_summer) {
        return;
    }
    // Two years on each side: one for changes that lie outside of their year, one for the end of a
    // period that begins there.
    for (int64_t other = year - 2; other <= year + 2; other++) {
        const year_changes changes = changes_of(rule, other);
        // Of two changes at once the one to summer holds: "all year" is written as such a pair.
        if (changes.start <= utc_seconds && changes.start >= out->from) {
            out->from = changes.start;
            take_state(rule, true, out);
        }
        if (changes.end <= utc_seconds &&
            (changes.end > out->from || (changes.end == out->from && !out->is_summer))) {
            out->from = changes.end;
            take_state(rule, false, out);
        }
        if (changes.start > utc_seconds && changes.start < out->until) {
            out->until = changes.start;
        }
        if (changes.end > utc_seconds && changes.end < out->until) {
            out->until = changes.end;
        }
    }
}
