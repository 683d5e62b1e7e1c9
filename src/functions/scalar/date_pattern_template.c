// Taking PostgreSQL's templates apart.
//
// A field is a word in capitals or in small letters, and the names of months and days capitalised;
// in other mixtures a word is none. FM or TM may stand in front of a field, TH, th or SP (which
// PostgreSQL takes and forgets) behind it. All else is literal; "text in quotes" is, whatever is in
// it.
#include "base/date_cursor.h"
#include "base/utf8.h"
#include "functions/scalar/date_pattern.h"

#define HAS_TITLE 1    // Capitalised it is a word as well.
#define NUMERIC 2      // It reads digits and nothing else.
#define GREGORIAN 4    // It is of the years that begin on January 1st ...
#define ISO_YEAR 8     // ... or on the Monday nearest to it.
#define ALWAYS_WIDE 16 // FM changes nothing.

typedef struct template_word {
    const char *word;
    pattern_field field;
    uint8_t flags;
    uint8_t digits;
} template_word;

// Longer ones come before those that they begin with.
static const template_word words[] = {
    {"SSSSS", PATTERN_FIELD_SECOND_OF_DAY, NUMERIC, 0},
    {"SSSS", PATTERN_FIELD_SECOND_OF_DAY, NUMERIC, 0},
    {"SS", PATTERN_FIELD_SECOND, NUMERIC, 0},
    {"Y,YYY", PATTERN_FIELD_YEAR_COMMA, NUMERIC | GREGORIAN, 0},
    {"YYYY", PATTERN_FIELD_YEAR, NUMERIC | GREGORIAN, 0},
    {"YYY", PATTERN_FIELD_YEAR_3, NUMERIC | GREGORIAN, 0},
    {"YY", PATTERN_FIELD_YEAR_2, NUMERIC | GREGORIAN, 0},
    {"Y", PATTERN_FIELD_YEAR_1, NUMERIC | GREGORIAN, 0},
    {"IYYY", PATTERN_FIELD_ISOYEAR, NUMERIC | ISO_YEAR, 0},
    {"IYY", PATTERN_FIELD_ISOYEAR_3, NUMERIC | ISO_YEAR, 0},
    {"IY", PATTERN_FIELD_ISOYEAR_2, NUMERIC | ISO_YEAR, 0},
    {"IDDD", PATTERN_FIELD_DAY_OF_ISOYEAR, NUMERIC | ISO_YEAR, 0},
    {"ID", PATTERN_FIELD_ISODOW, NUMERIC | ISO_YEAR, 0},
    {"IW", PATTERN_FIELD_ISOWEEK, NUMERIC | ISO_YEAR, 0},
    {"I", PATTERN_FIELD_ISOYEAR_1, NUMERIC | ISO_YEAR, 0},
    {"CC", PATTERN_FIELD_CENTURY, NUMERIC, 0},
    {"Q", PATTERN_FIELD_QUARTER, NUMERIC, 0},
    {"DDD", PATTERN_FIELD_DAY_OF_YEAR, NUMERIC | GREGORIAN, 0},
    {"DD", PATTERN_FIELD_DAY, NUMERIC | GREGORIAN, 0},
    {"DAY", PATTERN_FIELD_DAY_NAME, HAS_TITLE, 0},
    {"DY", PATTERN_FIELD_DAY_SHORT, HAS_TITLE, 0},
    {"D", PATTERN_FIELD_DOW_FROM_1, NUMERIC | GREGORIAN, 0},
    {"J", PATTERN_FIELD_JULIAN, NUMERIC, 0},
    {"WW", PATTERN_FIELD_WEEK, NUMERIC | GREGORIAN, 0},
    {"W", PATTERN_FIELD_WEEK_OF_MONTH, NUMERIC | GREGORIAN, 0},
    {"HH24", PATTERN_FIELD_HOUR, NUMERIC, 0},
    {"HH12", PATTERN_FIELD_HOUR_12, NUMERIC, 0},
    {"HH", PATTERN_FIELD_HOUR_12, NUMERIC, 0},
    {"MONTH", PATTERN_FIELD_MONTH_NAME, HAS_TITLE | GREGORIAN, 0},
    {"MON", PATTERN_FIELD_MONTH_SHORT, HAS_TITLE | GREGORIAN, 0},
    {"MM", PATTERN_FIELD_MONTH, NUMERIC | GREGORIAN, 0},
    {"MI", PATTERN_FIELD_MINUTE, NUMERIC, 0},
    {"MS", PATTERN_FIELD_MILLI, NUMERIC | ALWAYS_WIDE, 3},
    {"US", PATTERN_FIELD_FRACTION, NUMERIC | ALWAYS_WIDE, 6},
    {"FF1", PATTERN_FIELD_FRACTION, ALWAYS_WIDE, 1},
    {"FF2", PATTERN_FIELD_FRACTION, ALWAYS_WIDE, 2},
    {"FF3", PATTERN_FIELD_FRACTION, ALWAYS_WIDE, 3},
    {"FF4", PATTERN_FIELD_FRACTION, ALWAYS_WIDE, 4},
    {"FF5", PATTERN_FIELD_FRACTION, ALWAYS_WIDE, 5},
    {"FF6", PATTERN_FIELD_FRACTION, ALWAYS_WIDE, 6},
    {"FX", PATTERN_FIELD_FIXED, 0, 0},
    {"AM", PATTERN_FIELD_MERIDIEM, 0, 0},
    {"PM", PATTERN_FIELD_MERIDIEM, 0, 0},
    {"A.M.", PATTERN_FIELD_MERIDIEM_DOTS, 0, 0},
    {"P.M.", PATTERN_FIELD_MERIDIEM_DOTS, 0, 0},
    {"BC", PATTERN_FIELD_ERA, 0, 0},
    {"AD", PATTERN_FIELD_ERA, 0, 0},
    {"B.C.", PATTERN_FIELD_ERA_DOTS, 0, 0},
    {"A.D.", PATTERN_FIELD_ERA_DOTS, 0, 0},
    {"RM", PATTERN_FIELD_MONTH_ROMAN, GREGORIAN, 0},
    {"TZH", PATTERN_FIELD_ZONE_HOURS, ALWAYS_WIDE, 0},
    {"TZM", PATTERN_FIELD_ZONE_MINUTES, NUMERIC | ALWAYS_WIDE, 0},
    {"TZ", PATTERN_FIELD_ZONE_WORD, 0, 0},
    {"OF", PATTERN_FIELD_ZONE_OFFSET, 0, 0},
};

static bool starts_with(text pattern, size_t at, const char *word) {
    const size_t size = strlen(word);
    return pattern.size - at >= size && memcmp(pattern.data + at, word, size) == 0;
}

// Whether letters are all capitals, or all small, or a capital and small ones.
static bool spelling_of(text word, pattern_case *out) {
    uint32_t capitals = 0;
    uint32_t letters = 0;
    for (size_t i = 0; i < word.size; i++) {
        letters += date_is_letter(word.data[i]);
        capitals += word.data[i] >= 'A' && word.data[i] <= 'Z';
    }
    const bool is_title = capitals == 1 && word.data[0] <= 'Z';
    *out = capitals == letters ? PATTERN_UPPER : capitals == 0 ? PATTERN_LOWER : PATTERN_TITLE;
    return *out != PATTERN_TITLE || is_title;
}

static const template_word *word_at(text rest, pattern_case *letters) {
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const text word = text_of(words[i].word);
        if (rest.size < word.size) {
            continue;
        }
        const text start = text_slice(rest, 0, word.size);
        if (text_equal_nocase(start, word) && spelling_of(start, letters) &&
            (*letters != PATTERN_TITLE || (words[i].flags & HAS_TITLE) != 0)) {
            return &words[i];
        }
    }
    return NULL;
}

static bool has_blanks_behind(pattern_field field) {
    return field == PATTERN_FIELD_MONTH_NAME || field == PATTERN_FIELD_DAY_NAME;
}

// The field at a place and what stands around it; false if there is none. Moves behind what it
// takes, which may be a modifier that changes nothing.
static bool take_field(text pattern, size_t *at, pattern_item *out) {
    const bool is_bare = starts_with(pattern, *at, "FM") || starts_with(pattern, *at, "fm");
    const bool is_local = starts_with(pattern, *at, "TM") || starts_with(pattern, *at, "tm");
    *at += is_bare || is_local ? 2 : 0;
    pattern_case letters = PATTERN_UPPER;
    const template_word *word = word_at(text_slice(pattern, *at, pattern.size), &letters);
    if (word == NULL) {
        return false;
    }
    const size_t size = strlen(word->word);
    *out = (pattern_item){
        .field = word->field,
        .letters = letters,
        .calendar = (word->flags & GREGORIAN) != 0  ? PATTERN_GREGORIAN_YEAR
                    : (word->flags & ISO_YEAR) != 0 ? PATTERN_ISO_YEAR
                                                    : PATTERN_ANY_YEAR,
        .digits = word->digits,
        .is_bare = is_bare || (is_local && has_blanks_behind(word->field)),
        .is_wide = (word->flags & ALWAYS_WIDE) != 0,
        .is_numeric = (word->flags & NUMERIC) != 0,
        .literal = text_slice(pattern, *at, *at + size),
    };
    *at += size;
    if (starts_with(pattern, *at, "TH")) {
        out->ordinal = PATTERN_ORDINAL_UPPER;
    } else if (starts_with(pattern, *at, "th")) {
        out->ordinal = PATTERN_ORDINAL_LOWER;
    }
    *at += out->ordinal != PATTERN_NO_ORDINAL || starts_with(pattern, *at, "SP") ? 2 : 0;
    return true;
}

// One code point.
static void add_literal(date_pattern *out, pattern_item *items, text pattern, size_t *at,
                        bool is_quoted) {
    const size_t from = *at;
    (void)utf8_next(pattern, at);
    date_pattern_add(
        out, items,
        (pattern_item){.is_quoted = is_quoted, .literal = text_slice(pattern, from, *at)});
}

// "Text in quotes", where a backslash makes the next character literal; the place behind it.
static size_t add_quoted(date_pattern *out, pattern_item *items, text pattern, size_t at) {
    at++;
    while (at < pattern.size) {
        if (pattern.data[at] == '"') {
            return at + 1;
        }
        at += pattern.data[at] == '\\' && at + 1 < pattern.size;
        add_literal(out, items, pattern, &at, true);
    }
    return at;
}

bool date_pattern_make_template(text pattern, arena *memory, date_pattern *out) {
    pattern_item *items = ARENA_NEW(memory, pattern_item, pattern.size + 1);
    *out = (date_pattern){.items = items, .is_template = true};
    size_t at = 0;
    while (items != NULL && at < pattern.size) {
        pattern_item item;
        if (take_field(pattern, &at, &item)) {
            date_pattern_add(out, items, item);
        } else if (at < pattern.size && pattern.data[at] == '"') {
            at = add_quoted(out, items, pattern, at);
        } else if (at < pattern.size) {
            at += starts_with(pattern, at, "\\\"");
            add_literal(out, items, pattern, &at, false);
        }
    }
    return items != NULL;
}

const pattern_item *date_pattern_beyond_time(const date_pattern *self) {
    for (uint32_t i = 0; i < self->count && self->is_template; i++) {
        switch ((int)self->items[i].field) {
        case PATTERN_FIELD_MONTH_NAME:
        case PATTERN_FIELD_MONTH_SHORT:
        case PATTERN_FIELD_DAY_NAME:
        case PATTERN_FIELD_DAY_SHORT:
        case PATTERN_FIELD_DOW_FROM_1:
        case PATTERN_FIELD_ISODOW:
        case PATTERN_FIELD_ISOYEAR:
        case PATTERN_FIELD_ISOYEAR_3:
        case PATTERN_FIELD_ISOYEAR_2:
        case PATTERN_FIELD_ISOYEAR_1:
        case PATTERN_FIELD_DAY_OF_ISOYEAR:
        case PATTERN_FIELD_ISOWEEK:
        case PATTERN_FIELD_JULIAN:
        case PATTERN_FIELD_ERA:
        case PATTERN_FIELD_ERA_DOTS:
        case PATTERN_FIELD_ZONE_WORD:
        case PATTERN_FIELD_ZONE_OFFSET:
        case PATTERN_FIELD_ZONE_HOURS:
        case PATTERN_FIELD_ZONE_MINUTES:
            return &self->items[i];
        default:
            break;
        }
    }
    return NULL;
}

const pattern_item *date_pattern_beyond_interval(const date_pattern *self) {
    for (uint32_t i = 0; i < self->count; i++) {
        switch ((int)self->items[i].field) {
        case PATTERN_FIELD_MONTH_NAME:
        case PATTERN_FIELD_MONTH_SHORT:
        case PATTERN_FIELD_DAY_NAME:
        case PATTERN_FIELD_DAY_SHORT:
        case PATTERN_FIELD_DOW:
        case PATTERN_FIELD_DOW_FROM_1:
        case PATTERN_FIELD_ISODOW:
        case PATTERN_FIELD_ISOYEAR:
        case PATTERN_FIELD_ISOYEAR_3:
        case PATTERN_FIELD_ISOYEAR_2:
        case PATTERN_FIELD_ISOYEAR_1:
        case PATTERN_FIELD_DAY_OF_ISOYEAR:
        case PATTERN_FIELD_ISOWEEK:
        case PATTERN_FIELD_WEEK_SUNDAY:
        case PATTERN_FIELD_WEEK_MONDAY:
        case PATTERN_FIELD_JULIAN:
        case PATTERN_FIELD_ERA:
        case PATTERN_FIELD_ERA_DOTS:
        case PATTERN_FIELD_EPOCH:
        case PATTERN_FIELD_ZONE_WORD:
        case PATTERN_FIELD_ZONE_OFFSET:
        case PATTERN_FIELD_ZONE_HOURS:
        case PATTERN_FIELD_ZONE_MINUTES:
            return &self->items[i];
        default:
            break;
        }
    }
    return NULL;
}
