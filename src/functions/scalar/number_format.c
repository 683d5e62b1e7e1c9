// Numbers as the digits that patterns write.
#include "functions/scalar/number_format.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>

#include "base/number_text.h"
#include "base/wide.h"
#include "functions/scalar/number_pattern.h"
#include "functions/scalar/row_values.h"

// ---- Digits ------------------------------------------------------------------------------------

// The digits of an integer or decimal, without sign and point; zero is one 0.
typedef struct number_digits {
    char data[NUMBER_DECIMAL_SIZE_MAX];
    size_t size;
    uint32_t scale;
    bool is_negative;
} number_digits;

static number_digits digits_of(const column *arg, uint32_t row) {
    number_digits out = {.scale = arg->type->id == TYPE_DECIMAL ? arg->type->scale : 0};
    const uint32_t lane = row & column_mask(arg);
    char printed[NUMBER_DECIMAL_SIZE_MAX];
    size_t size;
    switch ((int)type_physical(arg->type)) {
    case PHYSICAL_I32:
        size = number_print_i64(COLUMN_VALUES(arg, int32_t)[lane], printed);
        break;
    case PHYSICAL_I64:
        size = number_print_i64(COLUMN_VALUES(arg, int64_t)[lane], printed);
        break;
    case PHYSICAL_I128:
        size = number_print_i128(COLUMN_VALUES(arg, i128)[lane], printed);
        break;
    default:
        size = number_print_decimal256(COLUMN_VALUES(arg, i256)[lane], 0, printed);
        break;
    }
    out.is_negative = printed[0] == '-';
    out.size = size - out.is_negative;
    memcpy(out.data, printed + out.is_negative, out.size);
    return out;
}

static bool are_zeros(const char *digits, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (digits[i] != '0' && digits[i] != '.') {
            return false;
        }
    }
    return true;
}

// Rounds to the first `keep` of digits, half away from zero. Answers whether one came in front of
// them, so that they are one more.
static bool round_to(char *digits, size_t size, size_t keep) {
    if (keep >= size || digits[keep] < '5') {
        return false;
    }
    for (size_t i = keep; i > 0; i--) {
        if (digits[i - 1] < '9') {
            digits[i - 1]++;
            return false;
        }
        digits[i - 1] = '0';
    }
    memmove(digits + 1, digits, keep);
    digits[0] = '1';
    return true;
}

// The number times ten to the `shift`, with `behind` digits behind the point. NULL data: memory is
// full.
static text fixed_digits(number_digits *self, uint32_t shift, uint32_t behind, arena *memory) {
    // Zeros in front, so that a digit is before the point, and behind.
    const size_t room = self->size + self->scale + (size_t)shift + behind + 4;
    char *data = ARENA_NEW(memory, char, room);
    if (data == NULL) {
        return (text){0};
    }
    const size_t places = (size_t)self->scale + 1;
    const size_t front = self->size < places ? places - self->size : 0;
    memset(data, '0', room);
    memcpy(data + front, self->data, self->size);
    size_t before = front + self->size - self->scale + shift; // Digits before the point.
    const size_t size = front + self->size;
    if (before + behind < size && round_to(data, size, before + behind)) {
        before++;
    }
    size_t skip = 0;
    while (skip + 1 < before && data[skip] == '0') {
        skip++;
    }
    memmove(data, data + skip, room - skip);
    before -= skip;
    memmove(data + before + 1, data + before, behind);
    data[before] = '.';
    const text out = {.data = data, .size = behind == 0 ? before : before + 1 + behind};
    self->is_negative = self->is_negative && !are_zeros(data, out.size);
    return out;
}

// -1.50e+03
static text exponent_digits(number_digits *self, uint32_t behind, arena *memory) {
    const size_t room = self->size + (size_t)behind + 16;
    char *data = ARENA_NEW(memory, char, room);
    if (data == NULL) {
        return (text){0};
    }
    char *digits = data + 2; // Behind the sign and a place for the point.
    memset(data, '0', room);
    memcpy(digits, self->data, self->size);
    const bool is_zero = are_zeros(self->data, self->size);
    int64_t exponent = is_zero ? 0 : (int64_t)self->size - 1 - (int64_t)self->scale;
    exponent += round_to(digits, self->size, (size_t)behind + 1);
    data[0] = self->is_negative ? '-' : ' ';
    data[1] = digits[0];
    data[2] = '.';
    size_t size = behind == 0 ? 2 : (size_t)behind + 3;
    char printed[NUMBER_I64_SIZE_MAX];
    const uint64_t magnitude = (uint64_t)(exponent < 0 ? -exponent : exponent);
    const size_t count = number_print_u64(magnitude, printed);
    data[size++] = 'e';
    data[size++] = exponent < 0 ? '-' : '+';
    data[size] = '0';
    size += count < 2;
    memcpy(data + size, printed, count);
    return (text){.data = data, .size = size + count};
}

// As printf writes it by "%.*f" or "%+.*e", with a point whatever the process's locale has.
static text printed_double(bool is_exponent, uint32_t behind, double value, arena *memory) {
    const size_t room = (size_t)behind + DBL_MAX_10_EXP + 32;
    char *data = ARENA_NEW(memory, char, room);
    if (data == NULL) {
        return (text){0};
    }
    const int precision = behind > INT_MAX / 2 ? INT_MAX / 2 : (int)behind;
    if (is_exponent) {
        (void)snprintf(data, room, "%+.*e", precision, value);
    } else {
        (void)snprintf(data, room, "%.*f", precision, value);
    }
    size_t size = 0;
    for (size_t i = 0; data[i] != '\0'; i++) {
        const bool is_known = (data[i] >= '0' && data[i] <= '9') || data[i] == '+' ||
                              data[i] == '-' || data[i] == 'e';
        if (is_known || (size > 0 && data[size - 1] != '.')) {
            data[size++] = is_known ? data[i] : '.';
        }
    }
    return (text){.data = data, .size = size};
}

// ---- Rows --------------------------------------------------------------------------------------

// The pattern of a row: taken apart again only when it changes.
typedef struct pattern_rows {
    text_rows texts;
    text last;
    number_pattern made;
} pattern_rows;

static const number_pattern *pattern_at(pattern_rows *self, uint32_t row, arena *memory) {
    const text pattern = text_at(self->texts, row);
    if (self->made.items == NULL || !text_equal(pattern, self->last)) {
        self->last = pattern;
        return number_pattern_make(pattern, memory, &self->made) ? &self->made : NULL;
    }
    return &self->made;
}

static void write_exact(const number_pattern *pattern, const column *arg, uint32_t row,
                        text_builder *out) {
    number_digits digits = digits_of(arg, row);
    if (pattern->is_roman) {
        const text whole = fixed_digits(&digits, 0, 0, out->memory);
        int64_t number = 0;
        for (size_t i = 0; i < whole.size && number < 10000; i++) {
            number = number * 10 + (whole.data[i] - '0');
        }
        number_pattern_write_roman(pattern, digits.is_negative ? -number : number, out);
        return;
    }
    const text made =
        pattern->is_exponent
            ? exponent_digits(&digits, pattern->digits_behind, out->memory)
            : fixed_digits(&digits, pattern->shift, pattern->digits_behind, out->memory);
    if (made.data == NULL) {
        out->is_full = true;
        return;
    }
    number_pattern_write(pattern, made, digits.is_negative, out);
}

static void write_exponent(const number_pattern *pattern, double value, text_builder *out) {
    if (!isfinite(value)) {
        text_append_char(out, ' ');
        for (uint64_t i = 0; i < (uint64_t)pattern->digits_before + pattern->digits_behind + 5;
             i++) {
            text_append_char(out, i == pattern->digits_before ? '.' : '#');
        }
        return;
    }
    const text made = printed_double(true, pattern->digits_behind, value, out->memory);
    if (made.data == NULL) {
        out->is_full = true;
        return;
    }
    text_append_char(out, made.data[0] == '+' ? ' ' : '-');
    text_append(out, text_slice(made, 1, made.size));
}

// `digits`: how many a value of the type has at most that mean something.
static void write_double(const number_pattern *pattern, double value, size_t digits,
                         text_builder *out) {
    if (pattern->is_roman) {
        const double whole = rint(value);
        number_pattern_write_roman(pattern, whole >= 1 && whole < 4000 ? (int64_t)whole : 0, out);
        return;
    }
    if (pattern->is_exponent) {
        write_exponent(pattern, value, out);
        return;
    }
    number_pattern shown = *pattern;
    text made;
    value = pattern->shift == 0 ? value : value * pow(10, pattern->shift);
    if (isfinite(value)) {
        const text whole = printed_double(false, 0, fabs(value), out->memory);
        const size_t behind = whole.size >= digits ? 0 : digits - whole.size;
        shown.digits_behind = shown.digits_behind < behind ? shown.digits_behind : (uint32_t)behind;
        made = printed_double(false, shown.digits_behind, value, out->memory);
    } else {
        made = isnan(value) ? TEXT("NaN") : value < 0 ? TEXT("-Infinity") : TEXT("Infinity");
    }
    if (made.data == NULL) {
        out->is_full = true;
        return;
    }
    const bool is_negative = made.data[0] == '-';
    number_pattern_write(&shown, text_slice(made, is_negative, made.size), is_negative, out);
}

static void write_row(const number_pattern *pattern, const column *arg, uint32_t row,
                      text_builder *out) {
    switch ((int)arg->type->id) {
    case TYPE_REAL:
        write_double(pattern, (double)f32_at(f32_rows_of(arg), row), FLT_DIG, out);
        break;
    case TYPE_DOUBLE:
        write_double(pattern, f64_at(f64_rows_of(arg), row), DBL_DIG, out);
        break;
    case TYPE_INTEGER:
        if (pattern->is_exponent) { // PostgreSQL takes the short way for these.
            write_exponent(pattern, i32_at(i32_rows_of(arg), row), out);
            break;
        }
        write_exact(pattern, arg, row, out);
        break;
    default:
        write_exact(pattern, arg, row, out);
        break;
    }
}

uint32_t number_format_rows(function_call *call, const column *const *args, column *out) {
    pattern_rows patterns = {.texts = text_rows_of(args[1])};
    FOR_ROWS(call, row) {
        const number_pattern *pattern = pattern_at(&patterns, row, call->scratch);
        if (pattern == NULL) {
            return KERNEL_NO_MEMORY;
        }
        if (pattern->fault != NULL) {
            return ROW_VISIT(row);
        }
        text_builder builder = text_builder_open(call->scratch);
        write_row(pattern, args[0], row, &builder);
        text made;
        firn_error ignored = ERR_INIT;
        if (text_builder_finish(&builder, &made, &ignored) != FIRN_OK) {
            return KERNEL_NO_MEMORY;
        }
        put_slice(out, row, made);
    }
    return call->count;
}

void number_format_explain(const function_call *call, const column *const *args, uint32_t row,
                           firn_error *err) {
    pattern_rows patterns = {.texts = text_rows_of(args[1])};
    const number_pattern *pattern = pattern_at(&patterns, row, call->scratch);
    if (pattern != NULL && pattern->fault != NULL) {
        err_set_sql(err, FIRN_INVALID, "42601", NO_POSITION,
                    "\"%.*s\" is no pattern of numbers: %s",
                    TEXT_ARGS(text_at(text_rows_of(args[1]), row)), pattern->fault);
    }
}
