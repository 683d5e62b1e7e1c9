#include "functions/scalar/date_pattern.h"

#include "base/utf8.h"

typedef struct pattern_word {
    const char *word;
    pattern_field field;
    pattern_case letters;
} pattern_word;

// Longer ones come before those that they begin with. Names of months and days are as they are
// written; all others in any case.
static const pattern_word words[] = {
    {"SSSSS", PATTERN_FIELD_SECOND_OF_DAY, PATTERN_UPPER},
    {"SSSS", PATTERN_FIELD_SECOND_OF_DAY, PATTERN_UPPER},
    {"SS", PATTERN_FIELD_SECOND, PATTERN_UPPER},
    {"Y,YYY", PATTERN_FIELD_YEAR, PATTERN_UPPER},
    {"YYYY", PATTERN_FIELD_YEAR, PATTERN_UPPER},
    {"YYY", PATTERN_FIELD_YEAR_3, PATTERN_UPPER},
    {"YY", PATTERN_FIELD_YEAR_2, PATTERN_UPPER},
    {"Y", PATTERN_FIELD_YEAR_1, PATTERN_UPPER},
    {"IYYY", PATTERN_FIELD_ISOYEAR, PATTERN_UPPER},
    {"IDDD", PATTERN_FIELD_DAY_OF_YEAR, PATTERN_UPPER},
    {"ID", PATTERN_FIELD_ISODOW, PATTERN_UPPER},
    {"IW", PATTERN_FIELD_ISOWEEK, PATTERN_UPPER},
    {"CC", PATTERN_FIELD_CENTURY, PATTERN_UPPER},
    {"Q", PATTERN_FIELD_QUARTER, PATTERN_UPPER},
    {"DDD", PATTERN_FIELD_DAY_OF_YEAR, PATTERN_UPPER},
    {"DD", PATTERN_FIELD_DAY, PATTERN_UPPER},
    {"DAY", PATTERN_FIELD_DAY_NAME, PATTERN_UPPER},
    {"Day", PATTERN_FIELD_DAY_NAME, PATTERN_TITLE},
    {"day", PATTERN_FIELD_DAY_NAME, PATTERN_LOWER},
    {"DY", PATTERN_FIELD_DAY_SHORT, PATTERN_UPPER},
    {"Dy", PATTERN_FIELD_DAY_SHORT, PATTERN_TITLE},
    {"dy", PATTERN_FIELD_DAY_SHORT, PATTERN_LOWER},
    {"D", PATTERN_FIELD_DOW_FROM_1, PATTERN_UPPER},
    {"J", PATTERN_FIELD_JULIAN, PATTERN_UPPER},
    {"WW", PATTERN_FIELD_WEEK, PATTERN_UPPER},
    {"HH24", PATTERN_FIELD_HOUR, PATTERN_UPPER},
    {"HH12", PATTERN_FIELD_HOUR_12, PATTERN_UPPER},
    {"HH", PATTERN_FIELD_HOUR_12, PATTERN_UPPER},
    {"MONTH", PATTERN_FIELD_MONTH_NAME, PATTERN_UPPER},
    {"Month", PATTERN_FIELD_MONTH_NAME, PATTERN_TITLE},
    {"month", PATTERN_FIELD_MONTH_NAME, PATTERN_LOWER},
    {"MON", PATTERN_FIELD_MONTH_SHORT, PATTERN_UPPER},
    {"Mon", PATTERN_FIELD_MONTH_SHORT, PATTERN_TITLE},
    {"mon", PATTERN_FIELD_MONTH_SHORT, PATTERN_LOWER},
    {"MM", PATTERN_FIELD_MONTH, PATTERN_UPPER},
    {"MI", PATTERN_FIELD_MINUTE, PATTERN_UPPER},
    {"MS", PATTERN_FIELD_MILLI, PATTERN_UPPER},
    {"US", PATTERN_FIELD_MICRO, PATTERN_UPPER},
    {"FF3", PATTERN_FIELD_MILLI, PATTERN_UPPER},
    {"FF6", PATTERN_FIELD_MICRO, PATTERN_UPPER},
    {"AM", PATTERN_FIELD_MERIDIEM, PATTERN_UPPER},
    {"PM", PATTERN_FIELD_MERIDIEM, PATTERN_UPPER},
    {"A.M.", PATTERN_FIELD_MERIDIEM_DOTS, PATTERN_UPPER},
    {"P.M.", PATTERN_FIELD_MERIDIEM_DOTS, PATTERN_UPPER},
    {"am", PATTERN_FIELD_MERIDIEM, PATTERN_LOWER},
    {"pm", PATTERN_FIELD_MERIDIEM, PATTERN_LOWER},
    {"a.m.", PATTERN_FIELD_MERIDIEM_DOTS, PATTERN_LOWER},
    {"p.m.", PATTERN_FIELD_MERIDIEM_DOTS, PATTERN_LOWER},
    {"BC", PATTERN_FIELD_ERA, PATTERN_UPPER},
    {"AD", PATTERN_FIELD_ERA, PATTERN_UPPER},
    {"bc", PATTERN_FIELD_ERA, PATTERN_LOWER},
    {"ad", PATTERN_FIELD_ERA, PATTERN_LOWER},
    {"TZH", PATTERN_FIELD_ZONE_OFFSET, PATTERN_UPPER},
    {"TZ", PATTERN_FIELD_ZONE_WORD, PATTERN_UPPER},
    {"tz", PATTERN_FIELD_ZONE_WORD, PATTERN_LOWER},
    {"OF", PATTERN_FIELD_ZONE_OFFSET, PATTERN_UPPER},
};

static bool is_name(pattern_field field) {
    switch ((int)field) {
    case PATTERN_FIELD_MONTH_NAME:
    case PATTERN_FIELD_MONTH_SHORT:
    case PATTERN_FIELD_DAY_NAME:
    case PATTERN_FIELD_DAY_SHORT:
    case PATTERN_FIELD_MERIDIEM:
    case PATTERN_FIELD_MERIDIEM_DOTS:
    case PATTERN_FIELD_ERA:
    case PATTERN_FIELD_ZONE_WORD:
        return true;
    default:
        return false;
    }
}

static const pattern_word *word_at(text rest) {
    const pattern_word *near = NULL; // The right word in another case.
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const text word = text_of(words[i].word);
        if (rest.size < word.size) {
            continue;
        }
        const text start = text_slice(rest, 0, word.size);
        if (text_equal(start, word)) {
            return near != NULL && !is_name(words[i].field) ? near : &words[i];
        }
        if (near == NULL && text_equal_nocase(start, word)) {
            if (!is_name(words[i].field)) {
                return &words[i];
            }
            near = &words[i];
        }
    }
    return near;
}

static void add(date_pattern *out, pattern_item *items, pattern_item item) {
    // Literals that follow each other are one.
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

static pattern_item literal_item(text pattern, size_t from, size_t to) {
    return (pattern_item){.literal = text_slice(pattern, from, to)};
}

// "Text in quotes"; the place behind it.
static size_t add_quoted(date_pattern *out, pattern_item *items, text pattern, size_t at) {
    const size_t from = at + 1;
    size_t to = from;
    while (to < pattern.size && pattern.data[to] != '"') {
        to++;
    }
    if (to > from) {
        add(out, items, literal_item(pattern, from, to));
    }
    return to < pattern.size ? to + 1 : to;
}

bool date_pattern_make(text pattern, arena *memory, date_pattern *out) {
    if (memchr(pattern.data == NULL ? "" : pattern.data, '%', pattern.size) != NULL) {
        return date_pattern_make_percent(pattern, memory, out);
    }
    pattern_item *items = ARENA_NEW(memory, pattern_item, pattern.size + 1);
    *out = (date_pattern){.items = items};
    bool is_bare = false;
    size_t at = 0;
    while (items != NULL && at < pattern.size) {
        const text rest = text_slice(pattern, at, pattern.size);
        if (rest.data[0] == '"') {
            at = add_quoted(out, items, pattern, at);
            continue;
        }
        if (rest.size >= 2 && text_equal_nocase(text_slice(rest, 0, 2), TEXT("FM"))) {
            is_bare = true;
            at += 2;
            continue;
        }
        const pattern_word *word = word_at(rest);
        if (word == NULL) {
            const size_t from = at;
            (void)utf8_next(pattern, &at);
            add(out, items, literal_item(pattern, from, at));
            continue;
        }
        at += strlen(word->word);
        pattern_item item = {.field = word->field, .letters = word->letters, .is_bare = is_bare};
        if (pattern.size - at >= 2 && !is_name(word->field) &&
            text_equal_nocase(text_slice(pattern, at, at + 2), TEXT("TH"))) {
            item.has_ordinal = true;
            at += 2;
        }
        add(out, items, item);
        is_bare = false;
    }
    return items != NULL;
}

// ---- strftime ----------------------------------------------------------------------------------

static bool percent_field(char letter, pattern_item *out) {
    static const struct {
        char letter;
        bool is_bare;
        pattern_field field;
        pattern_case letters;
    } letters[] = {
        {'Y', false, PATTERN_FIELD_YEAR, PATTERN_UPPER},
        {'y', false, PATTERN_FIELD_YEAR_2, PATTERN_UPPER},
        {'m', false, PATTERN_FIELD_MONTH, PATTERN_UPPER},
        {'B', true, PATTERN_FIELD_MONTH_NAME, PATTERN_TITLE},
        {'b', true, PATTERN_FIELD_MONTH_SHORT, PATTERN_TITLE},
        {'h', true, PATTERN_FIELD_MONTH_SHORT, PATTERN_TITLE},
        {'d', false, PATTERN_FIELD_DAY, PATTERN_UPPER},
        {'e', true, PATTERN_FIELD_DAY, PATTERN_UPPER},
        {'j', false, PATTERN_FIELD_DAY_OF_YEAR, PATTERN_UPPER},
        {'A', true, PATTERN_FIELD_DAY_NAME, PATTERN_TITLE},
        {'a', true, PATTERN_FIELD_DAY_SHORT, PATTERN_TITLE},
        {'w', true, PATTERN_FIELD_DOW, PATTERN_UPPER},
        {'u', true, PATTERN_FIELD_ISODOW, PATTERN_UPPER},
        {'U', false, PATTERN_FIELD_WEEK_SUNDAY, PATTERN_UPPER},
        {'W', false, PATTERN_FIELD_WEEK_MONDAY, PATTERN_UPPER},
        {'V', false, PATTERN_FIELD_ISOWEEK, PATTERN_UPPER},
        {'G', false, PATTERN_FIELD_ISOYEAR, PATTERN_UPPER},
        {'H', false, PATTERN_FIELD_HOUR, PATTERN_UPPER},
        {'I', false, PATTERN_FIELD_HOUR_12, PATTERN_UPPER},
        {'M', false, PATTERN_FIELD_MINUTE, PATTERN_UPPER},
        {'S', false, PATTERN_FIELD_SECOND, PATTERN_UPPER},
        {'f', false, PATTERN_FIELD_MICRO, PATTERN_UPPER},
        {'g', false, PATTERN_FIELD_MILLI, PATTERN_UPPER},
        {'n', false, PATTERN_FIELD_NANO, PATTERN_UPPER},
        {'p', true, PATTERN_FIELD_MERIDIEM, PATTERN_UPPER},
        {'s', true, PATTERN_FIELD_EPOCH, PATTERN_UPPER},
        {'z', false, PATTERN_FIELD_ZONE_OFFSET, PATTERN_UPPER},
        {'Z', true, PATTERN_FIELD_ZONE_WORD, PATTERN_UPPER},
    };
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        if (letters[i].letter == letter) {
            *out = (pattern_item){.field = letters[i].field,
                                  .letters = letters[i].letters,
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
            add(out, items, literal_item(pattern, from, at));
            continue;
        }
        const bool is_bare = pattern.data[at + 1] == '-' && at + 2 < pattern.size;
        at += is_bare ? 2 : 1;
        const char letter = pattern.data[at];
        const char *group = is_inner ? NULL : percent_group(letter);
        pattern_item item;
        if (letter == '%') {
            add(out, items, literal_item(pattern, at, at + 1));
        } else if (group != NULL) {
            add_percents(out, items, text_of(group), true); // One level: groups hold no groups.
        } else if (percent_field(letter, &item)) {
            item.is_bare |= is_bare;
            add(out, items, item);
        } else if (out->unknown.size == 0) {
            out->unknown = text_slice(pattern, from, pattern.size);
        }
        at++;
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
