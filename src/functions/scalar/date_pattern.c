// Taking patterns apart: which kind they are, and strftime's.
#include "functions/scalar/date_pattern.h"

#include "base/utf8.h"

void date_pattern_add(date_pattern *out, pattern_item *items, pattern_item item) {
    if (item.field == PATTERN_FIELD_LITERAL && out->count > 0) {
        pattern_item *last = &items[out->count - 1];
        if (last->field == PATTERN_FIELD_LITERAL &&
            last->literal.data + last->literal.size == item.literal.data) {
            last->literal.size += item.literal.size;
            return;
        }
    }
    items[out->count++] = item;
}

bool date_pattern_make(text pattern, arena *memory, date_pattern *out) {
    return memchr(pattern.data == NULL ? "" : pattern.data, '%', pattern.size) != NULL
               ? date_pattern_make_percent(pattern, memory, out)
               : date_pattern_make_template(pattern, memory, out);
}

// ---- strftime ----------------------------------------------------------------------------------

static pattern_item literal_item(text pattern, size_t from, size_t to) {
    return (pattern_item){.literal = text_slice(pattern, from, to)};
}

static bool percent_field(char letter, pattern_item *out) {
    static const struct {
        char letter;
        bool is_bare;
        pattern_field field;
        pattern_case letters;
        uint8_t digits;
    } letters[] = {
        {'Y', false, PATTERN_FIELD_YEAR, PATTERN_UPPER, 0},
        {'y', false, PATTERN_FIELD_YEAR_2, PATTERN_UPPER, 0},
        {'m', false, PATTERN_FIELD_MONTH, PATTERN_UPPER, 0},
        {'B', true, PATTERN_FIELD_MONTH_NAME, PATTERN_TITLE, 0},
        {'b', true, PATTERN_FIELD_MONTH_SHORT, PATTERN_TITLE, 0},
        {'h', true, PATTERN_FIELD_MONTH_SHORT, PATTERN_TITLE, 0},
        {'d', false, PATTERN_FIELD_DAY, PATTERN_UPPER, 0},
        {'e', true, PATTERN_FIELD_DAY, PATTERN_UPPER, 0},
        {'j', false, PATTERN_FIELD_DAY_OF_YEAR, PATTERN_UPPER, 0},
        {'A', true, PATTERN_FIELD_DAY_NAME, PATTERN_TITLE, 0},
        {'a', true, PATTERN_FIELD_DAY_SHORT, PATTERN_TITLE, 0},
        {'w', true, PATTERN_FIELD_DOW, PATTERN_UPPER, 0},
        {'u', true, PATTERN_FIELD_ISODOW, PATTERN_UPPER, 0},
        {'U', false, PATTERN_FIELD_WEEK_SUNDAY, PATTERN_UPPER, 0},
        {'W', false, PATTERN_FIELD_WEEK_MONDAY, PATTERN_UPPER, 0},
        {'V', false, PATTERN_FIELD_ISOWEEK, PATTERN_UPPER, 0},
        {'G', false, PATTERN_FIELD_ISOYEAR, PATTERN_UPPER, 0},
        {'H', false, PATTERN_FIELD_HOUR, PATTERN_UPPER, 0},
        {'I', false, PATTERN_FIELD_HOUR_12, PATTERN_UPPER, 0},
        {'M', false, PATTERN_FIELD_MINUTE, PATTERN_UPPER, 0},
        {'S', false, PATTERN_FIELD_SECOND, PATTERN_UPPER, 0},
        {'f', false, PATTERN_FIELD_FRACTION, PATTERN_UPPER, 6},
        {'g', false, PATTERN_FIELD_FRACTION, PATTERN_UPPER, 3},
        {'n', false, PATTERN_FIELD_FRACTION, PATTERN_UPPER, 9},
        {'p', true, PATTERN_FIELD_MERIDIEM, PATTERN_UPPER, 0},
        {'s', true, PATTERN_FIELD_EPOCH, PATTERN_UPPER, 0},
        {'z', false, PATTERN_FIELD_ZONE_OFFSET, PATTERN_UPPER, 0},
        {'Z', true, PATTERN_FIELD_ZONE_WORD, PATTERN_UPPER, 0},
    };
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        if (letters[i].letter == letter) {
            *out = (pattern_item){.field = letters[i].field,
                                  .letters = letters[i].letters,
                                  .digits = letters[i].digits,
                                  .is_bare = letters[i].is_bare};
            return true;
        }
    }
    return false;
}

// What letters stand for that are several fields at once.
static const char *percent_group(char letter) {
    switch (letter) {
    case 'F':
    case 'x':
        return "%Y-%m-%d";
    case 'T':
    case 'X':
        return "%H:%M:%S";
    case 'c':
        return "%Y-%m-%d %H:%M:%S";
    case 'R':
        return "%H:%M";
    case 'D':
        return "%m/%d/%y";
    default:
        return NULL;
    }
}

static void add_percents(date_pattern *out, pattern_item *items, text pattern, bool is_inner) {
    size_t at = 0;
    while (at < pattern.size) {
        const size_t from = at;
        const bool is_escape = pattern.data[at] == '%' && at + 1 < pattern.size;
        if (!is_escape) {
            (void)utf8_next(pattern, &at);
            date_pattern_add(out, items, literal_item(pattern, from, at));
            continue;
        }
        const bool is_bare = pattern.data[at + 1] == '-' && at + 2 < pattern.size;
        at += is_bare ? 2 : 1;
        const char letter = pattern.data[at];
        const char *group = is_inner ? NULL : percent_group(letter);
        pattern_item item;
        if (letter == '%') {
            date_pattern_add(out, items, literal_item(pattern, at, at + 1));
        } else if (group != NULL) {
            add_percents(out, items, text_of(group), true); // One level: groups hold no groups.
        } else if (percent_field(letter, &item)) {
            item.is_bare |= is_bare;
            date_pattern_add(out, items, item);
        } else if (out->unknown.size == 0) {
            out->unknown = text_slice(pattern, from, pattern.size);
        }
        (void)utf8_next(pattern, &at); // All of a letter that is none of these.
    }
}

bool date_pattern_make_percent(text pattern, arena *memory, date_pattern *out) {
    // A group of two bytes is eleven items at most.
    pattern_item *items = ARENA_NEW(memory, pattern_item, pattern.size * 6 + 1);
    *out = (date_pattern){.items = items};
    if (items != NULL) {
        add_percents(out, items, pattern, false);
    }
    return items != NULL;
}
