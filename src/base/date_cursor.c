#include "base/date_cursor.h"

#define OFFSET_HOURS_MAX 15

void date_skip_blanks(date_cursor *self) {
    while (self->at < self->end && date_is_blank(*self->at)) {
        self->at += 1;
    }
}

date_cursor date_cursor_open(text input) {
    date_cursor self = {.at = input.data, .end = input.data};
    if (input.size > 0) {
        self.end += input.size;
    }
    date_skip_blanks(&self);
    while (self.end > self.at && date_is_blank(self.end[-1])) {
        self.end -= 1;
    }
    return self;
}

int64_t date_take_digits(date_cursor *self, int64_t *value) {
    int64_t count = 0;
    int64_t sum = 0;
    for (; self->at < self->end && date_is_digit(*self->at); self->at++) {
        count += 1;
        sum = count > 18 ? INT64_MAX : sum * 10 + (*self->at - '0');
    }
    *value = sum;
    return count;
}

int64_t date_take_fraction(date_cursor *self, int64_t *billionths, bool *has_tenth) {
    int64_t count = 0;
    int64_t sum = 0;
    *has_tenth = false;
    for (; self->at < self->end && date_is_digit(*self->at); self->at++) {
        if (count < 9) {
            sum = sum * 10 + (*self->at - '0');
        } else if (count == 9) {
            *has_tenth = *self->at >= '5';
        }
        count += 1;
    }
    for (int64_t missing = count; missing < 9; missing++) {
        sum *= 10;
    }
    *billionths = sum;
    return count;
}

text date_take_word(date_cursor *self) {
    const char *from = self->at;
    while (self->at < self->end && date_is_letter(*self->at)) {
        self->at += 1;
    }
    return (text){.data = from, .size = (size_t)(self->at - from)};
}

bool date_take_this_word(date_cursor *self, const char *wanted) {
    if (!date_is_letter(date_peek(self))) {
        return false;
    }
    date_cursor ahead = *self;
    if (!text_equal_nocase(date_take_word(&ahead), text_of(wanted))) {
        return false;
    }
    *self = ahead;
    return true;
}

bool date_take_offset(date_cursor *self, int32_t *seconds, bool *is_known) {
    const bool is_negative = date_peek(self) == '-';
    *is_known = false;
    if (!is_negative && date_peek(self) != '+') {
        return false;
    }
    self->at += 1;
    int64_t hours;
    int64_t minutes = 0;
    int64_t rest = 0;
    const int64_t digits = date_take_digits(self, &hours);
    if (digits == 4 || digits == 6) {
        rest = digits == 6 ? hours % 100 : 0;
        minutes = digits == 6 ? hours / 100 % 100 : hours % 100;
        hours /= digits == 6 ? 10000 : 100;
    } else if (digits != 1 && digits != 2) {
        return false;
    } else if (date_take(self, ':')) {
        if (date_take_digits(self, &minutes) != 2 ||
            (date_take(self, ':') && date_take_digits(self, &rest) != 2)) {
            return false;
        }
    }
    *is_known = true;
    const int64_t total = (hours * 60 + minutes) * 60 + rest;
    *seconds = (int32_t)(is_negative ? -total : total);
    return hours <= OFFSET_HOURS_MAX && minutes <= 59 && rest <= 59;
}
