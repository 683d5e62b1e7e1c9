#include "slt_compare.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    NUMBER_SIZE_MAX = 400,
    MOMENT_SIZE_MAX = 128,
    TOKENS_MAX = 4096,
    DEPTH_MAX = 4,
    SPLITS_MAX = 200,
    VALUES_MAX = 512,
};

slt_text slt_trim(slt_text text) {
    while (text.size > 0 && strchr(" \t\r\n", text.data[0]) != NULL && text.data[0] != '\0') {
        text.data += 1;
        text.size -= 1;
    }
    while (text.size > 0 && strchr(" \t\r\n", text.data[text.size - 1]) != NULL &&
           text.data[text.size - 1] != '\0') {
        text.size -= 1;
    }
    return text;
}

static slt_text trim_end(slt_text text) {
    const slt_text trimmed = slt_trim(text);
    text.size = trimmed.size == 0 ? 0 : (size_t)(trimmed.data - text.data) + trimmed.size;
    return text;
}

bool slt_same(slt_text left, slt_text right) {
    return left.size == right.size &&
           (left.size == 0 || memcmp(left.data, right.data, left.size) == 0);
}

static slt_text text_of(const char *text) {
    return (slt_text){.data = text, .size = strlen(text)};
}

static bool same_word(slt_text text, const char *word) {
    return text.size == strlen(word) && strncasecmp(text.data, word, text.size) == 0;
}

// ---- Numbers -----------------------------------------------------------------------------------

typedef enum number_form { NUMBER_NONE, NUMBER_INTEGER, NUMBER_REAL } number_form;

static number_form form_of_number(slt_text text) {
    size_t at = 0;
    size_t digits = 0;
    bool is_real = false;
    at += at < text.size && (text.data[0] == '-' || text.data[0] == '+');
    while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9') {
        at += 1;
        digits += 1;
    }
    if (at < text.size && text.data[at] == '.') {
        is_real = true;
        at += 1;
        while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9') {
            at += 1;
            digits += 1;
        }
    }
    if (digits > 0 && at + 1 < text.size && (text.data[at] == 'e' || text.data[at] == 'E')) {
        is_real = true;
        at += 1;
        at += text.data[at] == '-' || text.data[at] == '+';
        const size_t begin = at;
        while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9') {
            at += 1;
        }
        digits = at > begin ? digits : 0;
    }
    if (digits == 0 || at != text.size || text.size >= NUMBER_SIZE_MAX) {
        return NUMBER_NONE;
    }
    return is_real ? NUMBER_REAL : NUMBER_INTEGER;
}

static double value_of(slt_text text) {
    char copy[NUMBER_SIZE_MAX];
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return strtod(copy, NULL);
}

/// A decimal without exponent as sign and digits: no plus, no zeros in front or at the end behind
/// a point. False if there is an exponent.
static bool plain_digits(slt_text text, char *out, size_t *size) {
    *size = 0;
    size_t at = 0;
    bool is_negative = false;
    if (text.data[0] == '-' || text.data[0] == '+') {
        is_negative = text.data[0] == '-';
        at = 1;
    }
    while (at < text.size && text.data[at] == '0') {
        at += 1;
    }
    size_t end = text.size;
    if (memchr(text.data, '.', text.size) != NULL) {
        while (text.data[end - 1] == '0') {
            end -= 1;
        }
        end -= text.data[end - 1] == '.';
    }
    if (is_negative && end > at) {
        out[0] = '-';
        *size = 1;
    }
    for (; at < end; at++) {
        if (text.data[at] == 'e' || text.data[at] == 'E') {
            return false;
        }
        out[*size] = text.data[at];
        *size += 1;
    }
    return true;
}

static bool same_digits(slt_text left, slt_text right) {
    char left_digits[NUMBER_SIZE_MAX];
    char right_digits[NUMBER_SIZE_MAX];
    size_t left_size = 0;
    size_t right_size = 0;
    return plain_digits(left, left_digits, &left_size) &&
           plain_digits(right, right_digits, &right_size) && left_size == right_size &&
           memcmp(left_digits, right_digits, left_size) == 0;
}

/// Half a unit of the last place that the expected text shows, from three places on.
static double shown_precision(slt_text expected) {
    const char *point = memchr(expected.data, '.', expected.size);
    if (point == NULL) {
        return 0;
    }
    const size_t places = expected.size - (size_t)(point - expected.data) - 1;
    for (size_t i = 1; i <= places; i++) {
        if (point[i] < '0' || point[i] > '9') {
            return 0;
        }
    }
    return places < 3 ? 0 : 0.51 * pow(10.0, -(double)places);
}

static bool same_number(slt_text expected, slt_text actual, bool is_float) {
    if (same_digits(expected, actual)) {
        return true;
    }
    const bool are_integers =
        form_of_number(expected) == NUMBER_INTEGER && form_of_number(actual) == NUMBER_INTEGER;
    if (are_integers && !is_float) {
        return false;
    }
    const double left = value_of(expected);
    const double right = value_of(actual);
    const double size = fmax(fabs(left), fabs(right));
    if (left == right) {
        // Long decimals that only agree as doubles do not agree.
        return is_float || size <= 9007199254740992.0 ||
               memchr(expected.data, 'e', expected.size) != NULL;
    }
    if (isinf(left) || isinf(right)) {
        return false;
    }
    const double distance = fabs(left - right);
    if (!is_float) {
        return distance <= 1e-12 * size;
    }
    return distance <= 1e-8 * size + 1e-11 || distance <= shown_precision(expected);
}

/// "NaN", "inf", "-inf" for any spelling of them, NULL for other texts.
static const char *special_number(slt_text text) {
    static const char *const names[][2] = {
        {"nan", "NaN"},      {"-nan", "NaN"},      {"inf", "inf"},   {"+inf", "inf"},
        {"infinity", "inf"}, {"+infinity", "inf"}, {"-inf", "-inf"}, {"-infinity", "-inf"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (same_word(text, names[i][0])) {
            return names[i][1];
        }
    }
    return NULL;
}

static int truth_of(slt_text text) {
    if (same_word(text, "true") || same_word(text, "t") || same_word(text, "1")) {
        return 1;
    }
    return same_word(text, "false") || same_word(text, "f") || same_word(text, "0") ? 0 : -1;
}

// ---- Nested values -----------------------------------------------------------------------------

typedef struct token {
    char mark; // One of []{},: or 0 for a text.
    slt_text text;
} token;

static bool is_mark(char letter) {
    return letter != '\0' && strchr("[]{}(),:=", letter) != NULL;
}

static char plain_mark(char letter) {
    return letter == '=' ? ':' : letter == '(' ? '{' : letter == ')' ? '}' : letter;
}

/// The next token: a mark, a quoted text without its quotes, or what stands up to the next mark.
static bool next_token(slt_text text, size_t *at, token *out) {
    while (*at < text.size && text.data[*at] == ' ') {
        *at += 1;
    }
    if (*at == text.size) {
        return false;
    }
    const char first = text.data[*at];
    if (is_mark(first)) {
        *out = (token){.mark = plain_mark(first), .text = {text.data + *at, 1}};
        *at += 1;
        return true;
    }
    const size_t begin = *at;
    if (first == '\'' || first == '"') {
        size_t end = begin + 1;
        while (end < text.size && text.data[end] != first) {
            end += text.data[end] == '\\' ? 2 : 1;
        }
        if (end < text.size) {
            *out = (token){.text = {text.data + begin + 1, end - begin - 1}};
            *at = end + 1;
            return true;
        }
    }
    while (*at < text.size && !is_mark(text.data[*at])) {
        *at += 1;
    }
    *out = (token){.text = slt_trim((slt_text){text.data + begin, *at - begin})};
    return true;
}

static bool ends_in_two_digits(slt_text text) {
    return text.size >= 2 && text.data[text.size - 1] >= '0' && text.data[text.size - 1] <= '9' &&
           text.data[text.size - 2] >= '0' && text.data[text.size - 2] <= '9';
}

/// Puts the parts of a time, which the marks cut, together again.
static bool joins_clock(const token *tokens, size_t count, const token *next) {
    if (count < 2 || next->mark != 0 || tokens[count - 1].mark != ':' ||
        tokens[count - 2].mark != 0) {
        return false;
    }
    const slt_text before = tokens[count - 2].text;
    const bool is_clock = before.size == 2 || memchr(before.data, ':', before.size) != NULL ||
                          (before.size > 2 && strchr("T ", before.data[before.size - 3]) != NULL);
    return is_clock && ends_in_two_digits(before) && next->text.size >= 2 &&
           next->text.data[0] >= '0' && next->text.data[0] <= '9' && next->text.data[1] >= '0' &&
           next->text.data[1] <= '9' && next->text.data > before.data;
}

/// The tokens of a list, struct or map; 0 if the text is none.
static size_t tokens_of(slt_text text, token *out) {
    const slt_text whole = slt_trim(text);
    if (whole.size < 2 || strchr("[{(", whole.data[0]) == NULL ||
        strchr("]})", whole.data[whole.size - 1]) == NULL) {
        return 0;
    }
    size_t at = 0;
    size_t count = 0;
    token next = {0};
    while (next_token(whole, &at, &next)) {
        if (count == TOKENS_MAX) {
            return 0;
        }
        if (joins_clock(out, count, &next)) {
            slt_text *before = &out[count - 2].text;
            before->size = (size_t)(next.text.data + next.text.size - before->data);
            count -= 1;
            continue;
        }
        out[count] = next;
        count += 1;
    }
    return count;
}

static bool text_agrees(slt_text expected, slt_text actual, slt_class class, int depth);

static bool nested_agrees(slt_text expected, slt_text actual, int depth, bool *is_nested) {
    token *left = malloc(2 * TOKENS_MAX * sizeof *left);
    if (left == NULL) {
        abort();
    }
    token *right = left + TOKENS_MAX;
    const size_t count = tokens_of(expected, left);
    *is_nested = count > 0;
    bool agrees = count > 0 && tokens_of(actual, right) == count;
    for (size_t i = 0; agrees && i < count; i++) {
        if (left[i].mark != 0 || right[i].mark != 0) {
            agrees = left[i].mark == right[i].mark;
        } else if (!slt_same(left[i].text, right[i].text)) {
            agrees = (same_word(left[i].text, "null") && same_word(right[i].text, "null")) ||
                     (depth < DEPTH_MAX &&
                      text_agrees(left[i].text, right[i].text, SLT_NONE, depth + 1));
        }
    }
    free(left);
    return agrees;
}

// ---- Values ------------------------------------------------------------------------------------

static bool same_moment(slt_text left, slt_text right) {
    char left_form[MOMENT_SIZE_MAX];
    char right_form[MOMENT_SIZE_MAX];
    const size_t size = slt_moment_canonical(left, left_form, sizeof left_form);
    return size > 0 && slt_moment_canonical(right, right_form, sizeof right_form) == size &&
           memcmp(left_form, right_form, size) == 0;
}

/// Days folded into hours or not: both are brought to whole days and a rest of one day at most.
static void fold_days(slt_interval *interval) {
    static const long long day_ns = 86400LL * 1000000000LL;
    const long long days = interval->nanoseconds / day_ns;
    interval->days += days;
    interval->nanoseconds -= days * day_ns;
    if (interval->nanoseconds < 0) {
        interval->days -= 1;
        interval->nanoseconds += day_ns;
    }
}

static bool same_interval(slt_text left, slt_text right) {
    slt_interval a;
    slt_interval b;
    if (!slt_interval_read(left, &a) || !slt_interval_read(right, &b)) {
        return false;
    }
    fold_days(&a);
    fold_days(&b);
    return a.months == b.months && a.days == b.days && a.nanoseconds == b.nanoseconds;
}

/// A text with line ends and tabs agrees with one where they are written \n and \t.
static bool same_escaped(slt_text expected, slt_text actual) {
    size_t at = 0;
    for (size_t i = 0; i < actual.size; i++) {
        const char letter = actual.data[i];
        const char escape = letter == '\n'   ? 'n'
                            : letter == '\t' ? 't'
                            : letter == '\r' ? 'r'
                                             : '\0';
        if (escape != '\0' && at + 1 < expected.size && expected.data[at] == '\\' &&
            expected.data[at + 1] == escape) {
            at += 2;
        } else if (at < expected.size && expected.data[at] == letter) {
            at += 1;
        } else {
            return false;
        }
    }
    return at == expected.size;
}

static bool plain_text_agrees(slt_text expected, slt_text actual) {
    const number_form left = form_of_number(expected);
    const number_form right = form_of_number(actual);
    if (left != NUMBER_NONE && right != NUMBER_NONE) {
        return left == NUMBER_REAL && right == NUMBER_REAL && same_number(expected, actual, true);
    }
    return same_escaped(expected, actual) || same_moment(expected, actual);
}

static bool text_agrees(slt_text expected, slt_text actual, slt_class class, int depth) {
    if (slt_same(expected, actual)) {
        return true;
    }
    const slt_text left = slt_trim(expected);
    const slt_text right = slt_trim(actual);
    if (slt_same(left, right)) {
        return class != SLT_TEXT || depth > 0 || slt_same(trim_end(expected), trim_end(actual));
    }
    if (class == SLT_BOOLEAN || (depth > 0 && truth_of(right) >= 0)) {
        if (truth_of(left) >= 0 && truth_of(left) == truth_of(right)) {
            return true;
        }
    }
    const char *special = special_number(right);
    if (special != NULL && class != SLT_TEXT) {
        const char *wanted = special_number(left);
        return wanted != NULL && strcmp(wanted, special) == 0;
    }
    if (form_of_number(left) != NUMBER_NONE && form_of_number(right) != NUMBER_NONE &&
        class != SLT_TEXT) {
        return same_number(left, right, class == SLT_FLOAT || class == SLT_NONE);
    }
    if (class == SLT_BLOB) {
        return left.size == right.size && strncasecmp(left.data, right.data, left.size) == 0;
    }
    const bool may_be_nested = right.size > 1 && strchr("[{(", right.data[0]) != NULL;
    if (class == SLT_TEXT && depth == 0 && !may_be_nested) {
        return plain_text_agrees(left, right);
    }
    bool is_nested = false;
    return same_moment(left, right) || nested_agrees(left, right, depth, &is_nested) ||
           (!is_nested && same_interval(left, right));
}

bool slt_cell_agrees(slt_text expected, slt_value actual) {
    if (actual.text.data == NULL) {
        return slt_same(expected, text_of("NULL"));
    }
    if (actual.text.size == 0) {
        return expected.size == 0 || slt_same(expected, text_of("(empty)"));
    }
    return text_agrees(expected, actual.text, actual.class, 0);
}

// ---- Lines -------------------------------------------------------------------------------------

static slt_text shown(slt_value value) {
    return value.text.data == NULL ? text_of("NULL")
           : value.text.size == 0  ? text_of("(empty)")
                                   : value.text;
}

typedef struct line_match {
    slt_text line;
    const slt_value *values;
    size_t count;
    size_t tries; // Bounds the ways of cutting a line that are tried.
} line_match;

static slt_text part(slt_text text, size_t from, size_t until) {
    return (slt_text){.data = text.data + from, .size = until - from};
}

/// Whether values from `index` on are what stands in the line from `at` on.
static bool rest_agrees(line_match *match, size_t index, size_t at) {
    const slt_text line = match->line;
    const slt_value value = match->values[index];
    if (index + 1 == match->count) {
        return slt_cell_agrees(part(line, at, line.size), value);
    }
    const slt_text own = shown(value);
    if (line.size - at > own.size && line.data[at + own.size] == ' ' &&
        memcmp(line.data + at, own.data, own.size) == 0 &&
        rest_agrees(match, index + 1, at + own.size + 1)) {
        return true;
    }
    const bool is_one_word =
        value.text.data == NULL || (value.class >= SLT_BOOLEAN && value.class <= SLT_FLOAT);
    for (size_t end = at; match->tries < SPLITS_MAX * match->count; end++) {
        while (end < line.size && line.data[end] != ' ') {
            end += 1;
        }
        if (end == line.size) {
            // Values behind a line that ends here are empty texts.
            return slt_cell_agrees(part(line, at, end), value) &&
                   rest_agrees(match, index + 1, line.size);
        }
        match->tries += 1;
        if (slt_cell_agrees(part(line, at, end), value) && rest_agrees(match, index + 1, end + 1)) {
            return true;
        }
        if (is_one_word) {
            return false;
        }
    }
    return false;
}

bool slt_line_agrees(slt_text line, const slt_value *values, size_t count) {
    if (count == 0 || count > VALUES_MAX) {
        return false;
    }
    line_match match = {.line = trim_end(line), .values = values, .count = count};
    return rest_agrees(&match, 0, 0);
}
