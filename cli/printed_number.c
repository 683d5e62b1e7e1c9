#include "printed_number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INTEGER_DIGITS_MAX = 20, FLOAT_DIGITS_MAX = 17, DECIMAL_DIGITS_MAX = 80 };

static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

// ---- Integers ----------------------------------------------------------------------------------

void cli_number_uint(cli_sink *out, uint64_t value) {
    char text[INTEGER_DIGITS_MAX];
    size_t at = sizeof text;
    do {
        at -= 1;
        text[at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    cli_sink_write(out, text + at, sizeof text - at);
}

void cli_number_int(cli_sink *out, int64_t value) {
    if (value < 0) {
        cli_sink_char(out, '-');
        cli_number_uint(out, ~(uint64_t)value + 1);
    } else {
        cli_number_uint(out, (uint64_t)value);
    }
}

void cli_number_padded(cli_sink *out, uint64_t value, int digits) {
    char text[INTEGER_DIGITS_MAX];
    for (int i = digits - 1; i >= 0; i--) {
        text[i] = (char)('0' + value % 10);
        value /= 10;
    }
    cli_sink_write(out, text, (size_t)digits);
}

// ---- Floats ------------------------------------------------------------------------------------

/// Digits without a point, and the exponent of ten of the first one.
typedef struct shortest {
    char digits[FLOAT_DIGITS_MAX + 1];
    int count;
    int exponent;
} shortest;

/// Numbers that were written with few digits, which most are: the fewest places after the point
/// that give the value back. Dividing two exact integers rounds once, so the test is exact.
static bool shortest_by_scaling(double value, shortest *out) {
    if (value < 1e-4 || value >= 1e15) {
        return false;
    }
    for (int places = 0; places < 16; places++) {
        const double scaled = value * powers[places];
        if (scaled >= 1e15) {
            return false;
        }
        const uint64_t whole = (uint64_t)(scaled + 0.5);
        if ((double)whole / powers[places] == value) {
            char text[INTEGER_DIGITS_MAX + 1];
            const int size = snprintf(text, sizeof text, "%llu", (unsigned long long)whole);
            memcpy(out->digits, text, (size_t)size);
            out->count = size;
            out->exponent = size - 1 - places;
            return true;
        }
    }
    return false;
}

static bool reads_back(const char *text, double value, float_width width) {
    if (width == FLOAT_SINGLE) {
        return strtof(text, NULL) == (float)value;
    }
    const double read = strtod(text, NULL);
    if (width == FLOAT_DOUBLE) {
        return read == value;
    }
    // Half: nearer than half the distance to the neighbour, of which a power of two has one that
    // is closer below.
    int exponent = 0;
    const bool is_power = frexp(value, &exponent) == 0.5 && exponent > -13;
    exponent = (exponent < -13 ? -13 : exponent) - (is_power && read < value ? 13 : 12);
    return fabs(read - value) < ldexp(1.0, exponent);
}

static void shortest_by_trying(double value, float_width width, shortest *out) {
    static const int first[] = {1, 6, 15};
    static const int last[] = {5, 9, 17};
    // Numbers below the smallest normal one have fewer bits.
    const bool is_subnormal = value < (width == FLOAT_DOUBLE ? DBL_MIN : (double)FLT_MIN);
    char text[40] = "";
    for (int precision = is_subnormal ? 1 : first[width]; precision <= last[width]; precision++) {
        (void)snprintf(text, sizeof text, "%.*e", precision - 1, value);
        if (reads_back(text, value, width)) {
            break;
        }
    }
    const char *mark = strchr(text, 'e');
    out->exponent = (int)strtol(mark + 1, NULL, 10);
    out->count = 0;
    for (const char *at = text; at < mark; at++) {
        if (*at != '.') {
            out->digits[out->count] = *at;
            out->count += 1;
        }
    }
}

static void write_exponent_form(cli_sink *out, const shortest *number) {
    cli_sink_char(out, number->digits[0]);
    if (number->count > 1) {
        cli_sink_char(out, '.');
        cli_sink_write(out, number->digits + 1, (size_t)number->count - 1);
    }
    cli_sink_format(out, "e%c%02d", number->exponent < 0 ? '-' : '+', abs(number->exponent));
}

void cli_number_float(cli_sink *out, double value, float_width width) {
    if (signbit(value)) {
        cli_sink_char(out, '-');
        value = -value;
    }
    if (value == 0) {
        cli_sink_text(out, "0.0");
        return;
    }
    shortest number = {0};
    if (width != FLOAT_DOUBLE || !shortest_by_scaling(value, &number)) {
        shortest_by_trying(value, width, &number);
    }
    while (number.count > 1 && number.digits[number.count - 1] == '0') {
        number.count -= 1;
    }
    if (number.exponent < -4 || number.exponent >= 16) {
        write_exponent_form(out, &number);
        return;
    }
    const int before = number.exponent + 1; // Digits before the point.
    if (before <= 0) {
        cli_sink_text(out, "0.");
        cli_sink_fill(out, '0', (size_t)-before);
        cli_sink_write(out, number.digits, (size_t)number.count);
    } else if (number.count <= before) {
        cli_sink_write(out, number.digits, (size_t)number.count);
        cli_sink_fill(out, '0', (size_t)(before - number.count));
        cli_sink_text(out, ".0");
    } else {
        cli_sink_write(out, number.digits, (size_t)before);
        cli_sink_char(out, '.');
        cli_sink_write(out, number.digits + before, (size_t)(number.count - before));
    }
}

// ---- Decimals ----------------------------------------------------------------------------------

/// Divides the number in `limbs` (least first) by 10^9 and returns the rest.
static uint32_t divide_by_billion(uint32_t *limbs, size_t count) {
    uint64_t rest = 0;
    for (size_t i = count; i > 0; i--) {
        const uint64_t part = rest << 32 | limbs[i - 1];
        limbs[i - 1] = (uint32_t)(part / 1000000000);
        rest = part % 1000000000;
    }
    return (uint32_t)rest;
}

/// The digits of a magnitude into the end of `text`; returns how many, at least one.
static size_t magnitude_digits(uint32_t *limbs, size_t count, char text[DECIMAL_DIGITS_MAX]) {
    size_t digits = 0;
    while (count > 0) {
        while (count > 0 && limbs[count - 1] == 0) {
            count -= 1;
        }
        uint32_t part = divide_by_billion(limbs, count);
        for (int i = 0; i < 9 && digits < DECIMAL_DIGITS_MAX; i++) {
            digits += 1;
            text[DECIMAL_DIGITS_MAX - digits] = (char)('0' + part % 10);
            part /= 10;
        }
    }
    while (digits > 1 && text[DECIMAL_DIGITS_MAX - digits] == '0') {
        digits -= 1;
    }
    if (digits == 0) {
        text[DECIMAL_DIGITS_MAX - 1] = '0';
        digits = 1;
    }
    return digits;
}

void cli_number_decimal(cli_sink *out, const void *bytes, size_t size, int32_t scale) {
    uint32_t limbs[8] = {0};
    memcpy(limbs, bytes, size);
    const size_t count = size / 4;
    const bool is_negative = limbs[count - 1] >> 31 != 0;
    uint64_t carry = 1;
    for (size_t i = 0; is_negative && i < count; i++) {
        carry += (uint32_t)~limbs[i];
        limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    char text[DECIMAL_DIGITS_MAX];
    size_t digits = magnitude_digits(limbs, count, text);
    const char *first = text + DECIMAL_DIGITS_MAX - digits;
    if (is_negative) {
        cli_sink_char(out, '-');
    }
    if (scale <= 0) {
        cli_sink_write(out, first, digits);
        if (!(digits == 1 && *first == '0')) {
            cli_sink_fill(out, '0', (size_t)-(int64_t)scale);
        }
        return;
    }
    if (digits > (size_t)scale) {
        cli_sink_write(out, first, digits - (size_t)scale);
        cli_sink_char(out, '.');
        cli_sink_write(out, first + digits - (size_t)scale, (size_t)scale);
    } else {
        cli_sink_text(out, "0.");
        cli_sink_fill(out, '0', (size_t)scale - digits);
        cli_sink_write(out, first, digits);
    }
}
