// Arbitrary bytes as a number.
//
// Oracles: strtod rounds doubles the same way; what was read is printed and reads back as the same
// value; a decimal of 128 bits is the same as one of 256.
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/number_text.h"

#define SIZE_MAX_HERE 4000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Equal to the sign of zero; any two NaN.
static bool same_double(double left, double right) {
    uint64_t left_bits;
    uint64_t right_bits;
    memcpy(&left_bits, &left, sizeof left);
    memcpy(&right_bits, &right, sizeof right);
    return left_bits == right_bits || (isnan(left) && isnan(right));
}

static void check_double(text input) {
    double value = 0;
    const number_answer answer = number_parse_f64(input, &value);
    if (answer == NUMBER_SYNTAX) {
        return;
    }
    char copy[SIZE_MAX_HERE + 1];
    for (size_t i = 0; i < input.size; i++) {
        copy[i] = input.data[i];
    }
    copy[input.size] = '\0';
    if (!same_double(value, strtod(copy, NULL))) {
        abort();
    }
    char out[NUMBER_F64_SIZE_MAX];
    double back = 0;
    const text printed = {.data = out, .size = number_print_f64(value, NUMBER_SQL, out)};
    if (number_parse_f64(printed, &back) != NUMBER_OK || !same_double(back, value)) {
        abort();
    }
}

static void check_decimal(text input, uint32_t precision, uint32_t scale) {
    i128 narrow = 0;
    i256 wide = I256_ZERO;
    const number_answer answer = number_parse_decimal128(input, precision, scale, &narrow);
    if (answer != number_parse_decimal256(input, precision, scale, &wide)) {
        abort();
    }
    if (answer != NUMBER_OK) {
        return;
    }
    char out[NUMBER_DECIMAL_SIZE_MAX];
    i128 back = 0;
    const text printed = {.data = out, .size = number_print_decimal128(narrow, scale, out)};
    if (!i256_equal(wide, i256_from_i128(narrow)) ||
        number_parse_decimal128(printed, precision, scale, &back) != NUMBER_OK || back != narrow) {
        abort();
    }
}

static void check_integer(text input) {
    int64_t value = 0;
    i128 wide = 0;
    const number_answer answer = number_parse_i64(input, &value);
    const number_answer wide_answer = number_parse_i128(input, &wide);
    if (answer == NUMBER_OK ? wide_answer != NUMBER_OK || wide != value
                            : (answer == NUMBER_SYNTAX) != (wide_answer == NUMBER_SYNTAX)) {
        abort();
    }
}

static void check_blob(text input) {
    uint8_t bytes_out[SIZE_MAX_HERE];
    uint8_t back[2 + 2 * SIZE_MAX_HERE];
    char printed[2 + 2 * SIZE_MAX_HERE];
    size_t size = 0;
    size_t back_size = 0;
    if (!blob_parse(input, bytes_out, &size)) {
        return;
    }
    const size_t printed_size = blob_print((bytes){.data = bytes_out, .size = size}, printed);
    if (!blob_parse((text){.data = printed, .size = printed_size}, back, &back_size) ||
        back_size != size || memcmp(back, bytes_out, size) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2 || size > SIZE_MAX_HERE) {
        return 0;
    }
    const text input = {.data = (const char *)data + 2, .size = size - 2};
    const uint32_t precision = 1 + data[0] % DECIMAL128_DIGITS_MAX;
    check_double(input);
    check_decimal(input, precision, data[1] % (precision + 1));
    check_integer(input);
    check_blob(input);
    return 0;
}
