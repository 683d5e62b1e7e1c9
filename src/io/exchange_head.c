#include "io/exchange_head.h"

// Reads the decimal digits at `*at` and moves behind them. False: none, or more than 64 bits.
static bool read_number(text value, size_t *at, uint64_t *out) {
    uint64_t number = 0;
    size_t i = *at;
    for (; i < value.size && value.data[i] >= '0' && value.data[i] <= '9'; i++) {
        if (__builtin_mul_overflow(number, UINT64_C(10), &number) ||
            __builtin_add_overflow(number, (uint64_t)(value.data[i] - '0'), &number)) {
            return false;
        }
    }
    const bool has_digits = i > *at;
    *at = i;
    *out = number;
    return has_digits;
}

static bool read_whole_number(text value, uint64_t *out) {
    size_t at = 0;
    return read_number(value, &at, out) && at == value.size;
}

static bool skip(text value, size_t *at, char byte) {
    if (*at < value.size && value.data[*at] == byte) {
        *at += 1;
        return true;
    }
    return false;
}

// "bytes 0-99/1000", "bytes 0-99/*", "bytes */1000"
static void read_content_range(exchange_head *self, text value) {
    if (value.size < 6 || !text_equal_nocase(text_slice(value, 0, 6), TEXT("bytes "))) {
        return;
    }
    const text range = text_slice(value, 6, value.size);
    size_t at = 0;
    uint64_t first = 0;
    uint64_t last = 0;
    bool has_range = false;
    if (!skip(range, &at, '*')) {
        if (!read_number(range, &at, &first) || !skip(range, &at, '-') ||
            !read_number(range, &at, &last) || last < first) {
            return;
        }
        has_range = true;
    }
    if (!skip(range, &at, '/')) {
        return;
    }
    uint64_t total = 0;
    const bool has_total = !skip(range, &at, '*');
    if ((has_total && !read_number(range, &at, &total)) || at != range.size ||
        (has_total && has_range && last >= total)) {
        return;
    }
    self->has_range = has_range;
    self->range_first = first;
    self->range_last = last;
    self->has_total = has_total;
    self->range_total = total;
}

static bool read_two_digits(text value, size_t at, int64_t *out) {
    if (value.data[at] < '0' || value.data[at] > '9' || value.data[at + 1] < '0' ||
        value.data[at + 1] > '9') {
        return false;
    }
    *out = (int64_t)(value.data[at] - '0') * 10 + (value.data[at + 1] - '0');
    return true;
}

// Days from 1970-01-01 to a day of the Gregorian calendar, counted from March, when the leap day is
// the last of its year.
static int64_t days_to(int64_t year, int64_t month, int64_t day) {
    const int64_t years = month <= 2 ? year - 1 : year;
    const int64_t months = month <= 2 ? month + 9 : month - 3;
    return years * 365 + years / 4 - years / 100 + years / 400 + (months * 153 + 2) / 5 + day - 1 -
           719468;
}

bool exchange_date_read(text value, int64_t *out) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (value.size != 29 || !text_equal(text_slice(value, 25, 29), TEXT(" GMT")) ||
        value.data[3] != ',' || value.data[19] != ':' || value.data[22] != ':') {
        return false;
    }
    const size_t found = text_find(text_of(months), text_slice(value, 8, 11));
    int64_t day;
    int64_t century;
    int64_t year;
    int64_t hour;
    int64_t minute;
    int64_t second;
    if (found % 3 != 0 || found >= sizeof months - 1 || !read_two_digits(value, 5, &day) ||
        !read_two_digits(value, 12, &century) || !read_two_digits(value, 14, &year) ||
        !read_two_digits(value, 17, &hour) || !read_two_digits(value, 20, &minute) ||
        !read_two_digits(value, 23, &second)) {
        return false;
    }
    *out = days_to(century * 100 + year, (int64_t)found / 3 + 1, day) * 86400 + hour * 3600 +
           minute * 60 + second;
    return true;
}

static void read_retry_after(exchange_head *self, text value, int64_t now_s) {
    uint64_t seconds;
    int64_t date;
    if (!read_whole_number(value, &seconds)) {
        if (!exchange_date_read(value, &date)) {
            return;
        }
        seconds = date > now_s ? (uint64_t)(date - now_s) : 0;
    }
    self->has_retry_after = true;
    self->retry_after_ms = seconds > UINT64_MAX / 1000 ? UINT64_MAX : seconds * 1000;
}

// A weak ETag promises equal meaning, not equal bytes: the date of the last change says more.
static void keep_version(exchange_head *self, text value, bool is_etag) {
    if (value.size == 0 || value.size > EXCHANGE_VERSION_MAX || (is_etag && value.data[0] != '"') ||
        (!is_etag && self->version_is_etag)) {
        return;
    }
    memcpy(self->version, value.data, value.size);
    self->version[value.size] = '\0';
    self->version_is_etag = is_etag;
}

void exchange_head_add(exchange_head *self, text name, text value, int64_t now_s) {
    if (text_equal_nocase(name, TEXT("Content-Length"))) {
        self->has_length = read_whole_number(value, &self->length);
    } else if (text_equal_nocase(name, TEXT("Content-Range"))) {
        read_content_range(self, value);
    } else if (text_equal_nocase(name, TEXT("Accept-Ranges"))) {
        self->refuses_ranges = text_equal_nocase(value, TEXT("none"));
    } else if (text_equal_nocase(name, TEXT("Content-Encoding"))) {
        self->is_encoded = value.size > 0 && !text_equal_nocase(value, TEXT("identity"));
    } else if (text_equal_nocase(name, TEXT("ETag"))) {
        keep_version(self, value, true);
    } else if (text_equal_nocase(name, TEXT("Last-Modified"))) {
        keep_version(self, value, false);
    } else if (text_equal_nocase(name, TEXT("Retry-After"))) {
        read_retry_after(self, value, now_s);
    }
}
