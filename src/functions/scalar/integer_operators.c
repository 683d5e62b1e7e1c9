// Bits of integers: & | # << >> ~ (bit_not), bit_count; gcd, lcm, factorial;
// random numbers.
#include "base/hash.h"
#include "base/host.h"
#include "functions/scalar/row_values.h"

// ---- Bits ---------------------------------------------------------------------------------------

#define BITS(word, c_type, operation)                                                              \
    static uint32_t word(function_call *call, const column *const *args, column *out) {            \
        const c_type *lefts = args[0]->values;                                                     \
        const c_type *rights = args[1]->values;                                                    \
        const uint32_t left_mask = column_mask(args[0]);                                           \
        const uint32_t right_mask = column_mask(args[1]);                                          \
        FOR_ROWS(call, row) {                                                                      \
            COLUMN_OUT(out, c_type)                                                                \
            [row] = (c_type)(lefts[row & left_mask] operation rights[row & right_mask]);           \
        }                                                                                          \
        return call->count;                                                                        \
    }
BITS(and_i32, int32_t, &)
BITS(and_i64, int64_t, &)
BITS(and_u64, uint64_t, &)
BITS(or_i32, int32_t, |)
BITS(or_i64, int64_t, |)
BITS(or_u64, uint64_t, |)
BITS(xor_i32, int32_t, ^)
BITS(xor_i64, int64_t, ^)
BITS(xor_u64, uint64_t, ^)

#define BIT_FUNCTION(word, sign, aliases_, summary_, ...)                                          \
    const scalar_function function_bit_##word = {                                                  \
        .name = sign,                                                                              \
        .aliases = aliases_,                                                                       \
        .category = "math",                                                                        \
        .summary = summary_,                                                                       \
        .examples = (const char *const[]){__VA_ARGS__, NULL},                                      \
        .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY | FUNCTION_COMMUTES,                   \
        .overloads =                                                                               \
            (const overload[]){                                                                    \
                {.signature = "INTEGER <- INTEGER, INTEGER", .kernel = word##_i32},                \
                {.signature = "BIGINT <- BIGINT, BIGINT", .kernel = word##_i64},                   \
                {.signature = "UBIGINT <- UBIGINT, UBIGINT", .kernel = word##_u64},                \
                {0},                                                                               \
            },                                                                                     \
    };
BIT_FUNCTION(and, "&", NULL, "the bits that are set in both", "5 & 3", "1", "-1 & 255", "255",
             "6 & NULL", "NULL", "4294967296 & 4294967297", "4294967296", "1.5 & 1",
             "error: no \"&\" takes")
BIT_FUNCTION(or, "|", NULL, "the bits that are set in either", "5 | 3", "7", "0 | 0", "0",
             "6 | NULL", "NULL", "1 | 4294967296", "4294967297", "1.5 | 1", "error: no \"|\" takes")
BIT_FUNCTION(xor, "#", "xor", "the bits that are set in one only", "5 # 3", "6", "xor(-1, 0)", "-1",
             "6 # NULL", "NULL", "1.5 # 1", "error: no \"#\" takes")

static uint32_t not_i32(function_call *call, const column *const *args, column *out) {
    const i32_rows values = i32_rows_of(args[0]);
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, int32_t)[row] = ~i32_at(values, row);
    }
    return call->count;
}

static uint32_t not_i64(function_call *call, const column *const *args, column *out) {
    const i64_rows values = i64_rows_of(args[0]);
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, int64_t)[row] = ~i64_at(values, row);
    }
    return call->count;
}

const scalar_function function_bit_not = {
    .name = "bit_not",
    .category = "math",
    .summary = "~: the bits that are not set",
    .examples = (const char *const[]){"~5", "-6", "~0", "-1", "bit_not(4294967296)", "-4294967297",
                                      "~NULL::INTEGER", "NULL", "~1.5",
                                      "error: no \"bit_not\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){
            {.signature = "INTEGER <- INTEGER", .kernel = not_i32},
            {.signature = "BIGINT <- BIGINT", .kernel = not_i64},
            {0},
        },
};

static uint32_t count_bits(function_call *call, const column *const *args, column *out) {
    const i64_rows values = i64_rows_of(args[0]);
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, int32_t)
        [row] = __builtin_popcountll((unsigned long long)i64_at(values, row));
    }
    return call->count;
}

static uint32_t count_bits_i32(function_call *call, const column *const *args, column *out) {
    const i32_rows values = i32_rows_of(args[0]);
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, int32_t)
        [row] = __builtin_popcount((unsigned)i32_at(values, row));
    }
    return call->count;
}

const scalar_function function_bit_count = {
    .name = "bit_count",
    .category = "math",
    .summary = "how many bits are set",
    .examples =
        (const char *const[]){"bit_count(7)", "3", "bit_count(0)", "0", "bit_count(-1)", "32",
                              "bit_count(-1::BIGINT)", "64", "bit_count(NULL)", "NULL",
                              "bit_count(1.5)", "error: no \"bit_count\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){
            {.signature = "INTEGER <- INTEGER", .kernel = count_bits_i32},
            {.signature = "INTEGER <- BIGINT", .kernel = count_bits},
            {0},
        },
};

// A shift by the width or more leaves nothing; by less than 0 there is none.
WRAPS static uint32_t shift(function_call *call, const column *const *args, bool is_left,
                            column *out) {
    const i64_rows values = i64_rows_of(args[0]);
    const i64_rows counts = i64_rows_of(args[1]);
    FOR_ROWS(call, row) {
        const int64_t value = i64_at(values, row);
        const int64_t count = i64_at(counts, row);
        if (count < 0) {
            return ROW_VISIT(row);
        }
        const int64_t emptied = !is_left && value < 0 ? -1 : 0;
        COLUMN_OUT(out, int64_t)
        [row] = count >= 64 ? emptied
                : is_left   ? (int64_t)((uint64_t)value << count)
                            : value >> count;
    }
    return call->count;
}

static uint32_t shift_left(function_call *call, const column *const *args, column *out) {
    return shift(call, args, true, out);
}

static uint32_t shift_right(function_call *call, const column *const *args, column *out) {
    return shift(call, args, false, out);
}

static void explain_shift(const function_call *call, const column *const *args, uint32_t row,
                          firn_error *err) {
    (void)call;
    err_set_sql(err, FIRN_INVALID, "22003", NO_POSITION,
                "a shift by %lld bits, at least 0 are allowed",
                (long long)i64_at(i64_rows_of(args[1]), row));
}

const scalar_function function_shift_left = {
    .name = "<<",
    .category = "math",
    .summary = "the bits moved up",
    .examples = (const char *const[]){"1 << 4", "16", "1 << 40", "1099511627776", "1 << 64", "0",
                                      "NULL << 1", "NULL", "1 << -1", "error: a shift by -1 bits",
                                      "1.5 << 1", "error: no \"<<\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY | FUNCTION_CAN_FAIL,
    .overloads =
        (const overload[]){{.signature = "BIGINT <- BIGINT, BIGINT", .kernel = shift_left}, {0}},
    .explain_failure = explain_shift,
};

const scalar_function function_shift_right = {
    .name = ">>",
    .category = "math",
    .summary = "the bits moved down, the sign kept",
    .examples =
        (const char *const[]){"16 >> 2", "4", "-8 >> 1", "-4", "1 >> 64", "0", "-1 >> 99", "-1",
                              "1 >> NULL", "NULL", "1 >> -1", "error: a shift by -1 bits",
                              "1.5 >> 1", "error: no \">>\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY | FUNCTION_CAN_FAIL,
    .overloads =
        (const overload[]){{.signature = "BIGINT <- BIGINT, BIGINT", .kernel = shift_right}, {0}},
    .explain_failure = explain_shift,
};

// ---- gcd, lcm, factorial ------------------------------------------------------------------------

static uint64_t magnitude(int64_t value) {
    return value < 0 ? (uint64_t)-(value + 1) + 1 : (uint64_t)value;
}

static uint64_t common_divisor(int64_t left, int64_t right) {
    uint64_t a = magnitude(left);
    uint64_t b = magnitude(right);
    while (b != 0) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static uint32_t gcd(function_call *call, const column *const *args, column *out) {
    const i64_rows lefts = i64_rows_of(args[0]);
    const i64_rows rights = i64_rows_of(args[1]);
    FOR_ROWS(call, row) {
        const uint64_t divisor = common_divisor(i64_at(lefts, row), i64_at(rights, row));
        if (divisor > INT64_MAX) {
            return ROW_VISIT(row);
        }
        COLUMN_OUT(out, int64_t)[row] = (int64_t)divisor;
    }
    return call->count;
}

static uint32_t lcm(function_call *call, const column *const *args, column *out) {
    const i64_rows lefts = i64_rows_of(args[0]);
    const i64_rows rights = i64_rows_of(args[1]);
    FOR_ROWS(call, row) {
        const int64_t left = i64_at(lefts, row);
        const int64_t right = i64_at(rights, row);
        const uint64_t divisor = common_divisor(left, right);
        uint64_t multiple = 0;
        if (divisor != 0 &&
            (__builtin_mul_overflow(magnitude(left) / divisor, magnitude(right), &multiple) ||
             multiple > INT64_MAX)) {
            return ROW_VISIT(row);
        }
        COLUMN_OUT(out, int64_t)[row] = (int64_t)multiple;
    }
    return call->count;
}

#define FACTORIAL_MAX 33 // 34! has 39 digits.

static uint32_t factorial(function_call *call, const column *const *args, column *out) {
    const i64_rows values = i64_rows_of(args[0]);
    FOR_ROWS(call, row) {
        const int64_t value = i64_at(values, row);
        if (value < 0 || value > FACTORIAL_MAX) {
            return ROW_VISIT(row);
        }
        i128 product = 1;
        for (int64_t i = 2; i <= value; i++) {
            product *= i;
        }
        COLUMN_OUT(out, i128)[row] = product;
    }
    return call->count;
}

static void explain_range(const function_call *call, const column *const *args, uint32_t row,
                          firn_error *err) {
    (void)args;
    (void)row;
    err_set_sql(err, FIRN_INVALID, "22003", NO_POSITION, "the result is out of range for %.*s",
                TEXT_ARGS(type_text(call->result, call->scratch)));
}

static void explain_factorial(const function_call *call, const column *const *args, uint32_t row,
                              firn_error *err) {
    (void)call;
    err_set_sql(err, FIRN_INVALID, "22003", NO_POSITION,
                "the factorial of %lld, only 0 to %d have one that fits",
                (long long)i64_at(i64_rows_of(args[0]), row), FACTORIAL_MAX);
}

const scalar_function function_gcd = {
    .name = "gcd",
    .aliases = "greatest_common_divisor",
    .category = "math",
    .summary = "the greatest common divisor, never negative",
    .examples = (const char *const[]){"gcd(1071, 462)", "21", "gcd(-4, 6)", "2", "gcd(0, 0)", "0",
                                      "gcd(0, 5)", "5", "gcd(NULL, 1)", "NULL",
                                      "gcd(-9223372036854775808, 0)", "error: out of range",
                                      "gcd(1.5, 1)", "error: no \"gcd\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_COMMUTES | FUNCTION_DICTIONARY,
    .overloads = (const overload[]){{.signature = "BIGINT <- BIGINT, BIGINT", .kernel = gcd}, {0}},
    .explain_failure = explain_range,
};

const scalar_function function_lcm = {
    .name = "lcm",
    .aliases = "least_common_multiple",
    .category = "math",
    .summary = "the least common multiple, never negative",
    .examples = (const char *const[]){"lcm(4, 6)", "12", "lcm(-3, 5)", "15", "lcm(0, 5)", "0",
                                      "lcm(NULL, 1)", "NULL",
                                      "lcm(9223372036854775807, 9223372036854775806)",
                                      "error: out of range", "lcm(1.5, 1)",
                                      "error: no \"lcm\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_COMMUTES | FUNCTION_DICTIONARY,
    .overloads = (const overload[]){{.signature = "BIGINT <- BIGINT, BIGINT", .kernel = lcm}, {0}},
    .explain_failure = explain_range,
};

const scalar_function function_factorial = {
    .name = "factorial",
    .category = "math",
    .summary = "the product of the whole numbers up to the argument, as DECIMAL(38,0)",
    .examples = (const char *const[]){"factorial(5)", "120", "factorial(0)", "1", "factorial(33)",
                                      "8683317618811886495518194401280000000", "factorial(NULL)",
                                      "NULL", "factorial(34)", "error: the factorial of 34",
                                      "factorial(-1)", "error: the factorial of -1",
                                      "factorial(1.5)", "error: no \"factorial\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){{.signature = "DECIMAL(38,0) <- BIGINT", .kernel = factorial}, {0}},
    .explain_failure = explain_factorial,
};

// ---- Random -------------------------------------------------------------------------------------

typedef struct random_state {
    uint64_t salt; // Of this worker.
    uint64_t count;
} random_state;

static firn_status open_random(const function_bind_call *bound, arena *memory, void **local,
                               firn_error *err) {
    (void)bound;
    random_state *state = ARENA_NEW(memory, random_state, 1);
    *local = state;
    if (state == NULL) {
        return ARENA_FULL(memory, err);
    }
    state->count = 0;
    return host_random(&state->salt, sizeof state->salt, err);
}

static uint64_t next_random(const function_call *call) {
    random_state *state = call->local;
    const uint64_t seed = call->context == NULL ? 0 : call->context->seed;
    state->count++;
    return hash_u64(hash_combine(seed ^ state->salt, hash_u64(state->count)));
}

static uint32_t random_kernel(function_call *call, const column *const *args, column *out) {
    (void)args;
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, double)[row] = (double)(next_random(call) >> 11) * 0x1p-53;
    }
    return call->count;
}

static uint32_t random_uuid(function_call *call, const column *const *args, column *out) {
    (void)args;
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        uint64_t words[2] = {next_random(call), next_random(call)};
        uint8_t bytes[16];
        memcpy(bytes, words, sizeof bytes);
        bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); // Version 4,
        bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80); // variant of RFC 9562.
        if (!text_sink_put(&sink, out, row,
                           (text){.data = (const char *)bytes, .size = sizeof bytes})) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

const scalar_function function_random = {
    .name = "random",
    .category = "math",
    .summary = "a random number of [0, 1), another one in each row",
    .examples = (const char *const[]){"random() BETWEEN 0 AND 1", "true", "random() < 1", "true",
                                      "random(1)", "error: no \"random\" takes", NULL},
    .flags = FUNCTION_VOLATILE,
    .overloads = (const overload[]){{.signature = "DOUBLE <-", .kernel = random_kernel}, {0}},
    .open = open_random,
};

const scalar_function function_uuid = {
    .name = "uuid",
    .aliases = "gen_random_uuid",
    .category = "other",
    .summary = "a random UUID (version 4), another one in each row",
    .examples = (const char *const[]){"length(gen_random_uuid()::VARCHAR)", "36",
                                      "substr(uuid()::VARCHAR, 15, 1)", "4", "uuid(1)",
                                      "error: no \"uuid\" takes", NULL},
    .flags = FUNCTION_VOLATILE,
    .overloads = (const overload[]){{.signature = "UUID <-", .kernel = random_uuid}, {0}},
    .open = open_random,
};
