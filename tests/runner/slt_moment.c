// Dates, times, timestamps and intervals as test files write them.
#include "slt_compare.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

static const long long second_ns = 1000000000LL;

typedef struct cursor {
    slt_text text;
    size_t at;
} cursor;

static char peek(const cursor *self) {
    return self->at < self->text.size ? self->text.data[self->at] : '\0';
}

static bool is_digit(char letter) {
    return letter >= '0' && letter <= '9';
}

static bool is_letter(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
}

/// How many digits begin at the cursor; moves behind them if there are `least` to `most`.
static size_t take_digits(cursor *self, size_t least, size_t most) {
    size_t count = 0;
    while (count < most && self->at + count < self->text.size &&
           is_digit(self->text.data[self->at + count])) {
        count += 1;
    }
    if (count < least) {
        return 0;
    }
    self->at += count;
    return count;
}

static bool take(cursor *self, char letter) {
    if (peek(self) != letter || letter == '\0') {
        return false;
    }
    self->at += 1;
    return true;
}

/// A growing text of a fixed buffer; what does not fit makes it invalid.
typedef struct writer {
    char *out;
    size_t size;
    size_t capacity;
} writer;

static void put(writer *self, const char *data, size_t size) {
    if (self->capacity - self->size >= size) {
        memcpy(self->out + self->size, data, size);
        self->size += size;
    }
}

static bool read_date(cursor *in, writer *out) {
    const size_t begin = in->at;
    (void)(take(in, '+') || take(in, '-'));
    if (take_digits(in, 4, 6) == 0 || !take(in, '-') || take_digits(in, 2, 2) == 0 ||
        !take(in, '-') || take_digits(in, 2, 2) == 0) {
        in->at = begin;
        return false;
    }
    const size_t first = in->text.data[begin] == '+' ? begin + 1 : begin;
    put(out, in->text.data + first, in->at - first);
    return true;
}

/// `03:04`, `03:04:05` or `03:04:05.678`: always with seconds, without trailing zeros.
static bool read_clock(cursor *in, writer *out) {
    const size_t begin = in->at;
    if (take_digits(in, 2, 2) == 0 || !take(in, ':') || take_digits(in, 2, 2) == 0) {
        in->at = begin;
        return false;
    }
    bool has_seconds = false;
    if (take(in, ':')) {
        has_seconds = take_digits(in, 2, 2) > 0;
        if (!has_seconds) {
            return false;
        }
    }
    put(out, in->text.data + begin, in->at - begin);
    if (!has_seconds) {
        put(out, ":00", 3);
    }
    const size_t point = in->at;
    if (take(in, '.')) {
        (void)take_digits(in, 0, 12);
        size_t end = in->at;
        while (end > point && (in->text.data[end - 1] == '0' || in->text.data[end - 1] == '.')) {
            end -= 1;
        }
        put(out, in->text.data + point, end - point);
    }
    return true;
}

/// `Z`, `+02`, `+02:00`, `+0200`; minutes of zero are left out.
static void read_zone(cursor *in, writer *out) {
    while (take(in, ' ')) {
    }
    if (take(in, 'Z')) {
        put(out, "+00", 3);
        return;
    }
    const size_t begin = in->at;
    if ((take(in, '+') || take(in, '-')) && take_digits(in, 2, 2) > 0) {
        put(out, strncmp(in->text.data + begin, "-00", 3) == 0 ? "+00" : in->text.data + begin, 3);
        (void)take(in, ':');
        const size_t minutes = in->at;
        if (take_digits(in, 2, 2) > 0 && strncmp(in->text.data + minutes, "00", 2) != 0) {
            put(out, ":", 1);
            put(out, in->text.data + minutes, 2);
        }
    } else {
        in->at = begin;
    }
}

size_t slt_moment_canonical(slt_text text, char *out, size_t capacity) {
    cursor in = {.text = text};
    writer to = {.out = out, .capacity = capacity};
    if (text.size + 16 > capacity) {
        return 0;
    }
    const bool has_date = read_date(&in, &to);
    bool has_clock = false;
    if (!has_date || peek(&in) == 'T' || peek(&in) == ' ') {
        if (has_date) {
            in.at += 1;
            put(&to, " ", 1);
        }
        has_clock = read_clock(&in, &to);
        if (has_clock) {
            read_zone(&in, &to);
        }
    }
    return in.at == text.size && (has_clock || (has_date && peek(&in) == '\0')) ? to.size : 0;
}

// ---- Intervals ---------------------------------------------------------------------------------

typedef struct interval_unit {
    const char *name;
    int months;
    int days;
    long long nanoseconds;
} interval_unit;

static const interval_unit units[] = {
    {"year", 12, 0, 0},
    {"yr", 12, 0, 0},
    {"mon", 1, 0, 0},
    {"month", 1, 0, 0},
    {"week", 0, 7, 0},
    {"day", 0, 1, 0},
    {"hour", 0, 0, 3600 * second_ns},
    {"hr", 0, 0, 3600 * second_ns},
    {"minute", 0, 0, 60 * second_ns},
    {"min", 0, 0, 60 * second_ns},
    {"second", 0, 0, second_ns},
    {"sec", 0, 0, second_ns},
    {"millisecond", 0, 0, 1000000},
    {"microsecond", 0, 0, 1000},
    {"nanosecond", 0, 0, 1},
};

static const interval_unit *find_unit(const char *name, size_t size) {
    if (size < 2) {
        return NULL;
    }
    for (int plural = 0; plural < 2; plural++) {
        const size_t wanted = size - (size_t)plural;
        for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
            if (strlen(units[i].name) == wanted && strncasecmp(units[i].name, name, wanted) == 0 &&
                (plural == 0 || name[wanted] == 's')) {
                return &units[i];
            }
        }
    }
    return NULL;
}

static long long number_at(const cursor *in, size_t begin, size_t size) {
    long long value = 0;
    for (size_t i = 0; i < size && i < 18; i++) {
        value = value * 10 + (in->text.data[begin + i] - '0');
    }
    return value;
}

/// Digits behind a point as nanoseconds of a second.
static long long take_fraction(cursor *in) {
    long long value = 0;
    if (take(in, '.')) {
        const size_t begin = in->at;
        const size_t size = take_digits(in, 1, 12);
        for (size_t i = 0; i < 9; i++) {
            value = value * 10 + (i < size ? in->text.data[begin + i] - '0' : 0);
        }
    }
    return value;
}

static bool read_interval_part(cursor *in, slt_interval *out) {
    const bool is_negative = take(in, '-');
    if (!is_negative) {
        (void)take(in, '+');
    }
    const long long sign = is_negative ? -1 : 1;
    const size_t begin = in->at;
    const size_t size = take_digits(in, 1, 18);
    if (size == 0) {
        return false;
    }
    const long long value = number_at(in, begin, size);
    if (take(in, ':')) {
        const size_t minutes = in->at;
        if (take_digits(in, 2, 2) == 0) {
            return false;
        }
        long long seconds = value * 3600 + number_at(in, minutes, 2) * 60;
        if (take(in, ':')) {
            const size_t rest = in->at;
            if (take_digits(in, 2, 2) == 0) {
                return false;
            }
            seconds += number_at(in, rest, 2);
        }
        out->nanoseconds += sign * (seconds * second_ns + take_fraction(in));
        return true;
    }
    const long long fraction = take_fraction(in);
    while (take(in, ' ')) {
    }
    const size_t name = in->at;
    while (is_letter(peek(in))) {
        in->at += 1;
    }
    const interval_unit *unit = find_unit(in->text.data + name, in->at - name);
    if (unit == NULL || (fraction != 0 && unit->nanoseconds == 0)) {
        return false;
    }
    out->months += sign * value * unit->months;
    out->days += sign * value * unit->days;
    out->nanoseconds +=
        sign *
        (value * unit->nanoseconds +
         (fraction == 0 ? 0 : fraction / (second_ns / 1000) * (unit->nanoseconds / 1000) / 1000));
    return true;
}

bool slt_interval_read(slt_text text, slt_interval *out) {
    cursor in = {.text = slt_trim(text)};
    *out = (slt_interval){0};
    bool has_part = false;
    while (in.at < in.text.size) {
        if (!read_interval_part(&in, out)) {
            return false;
        }
        has_part = true;
        (void)take(&in, ',');
        while (take(&in, ' ')) {
        }
    }
    return has_part;
}
