// NOT, IS [NOT] NULL, IS TRUE, IS FALSE. (AND and OR are kinds of expressions.)
#include "expr/function.h"
#include "kernels/bits.h"

static uint32_t not(function_call *call, const column *const *args, column *out) {
    bits_not(args[0]->values, call->length, COLUMN_OUT(out, uint64_t));
    return call->count;
}

const scalar_function function_not = {
    .name = "not",
    .category = "logic",
    .summary = "NOT: true of false, false of true",
    .examples = (const char *const[]){"NOT true", "false", "NOT NULL::BOOLEAN", "NULL", NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){
            {.signature = "BOOLEAN <- BOOLEAN", .kernel = not},
            {0},
        },
};

static bool is_all_null(const column *arg) {
    return arg->type->id == TYPE_NULL ||
           (arg->form == FORM_CONSTANT && !column_row_is_valid(arg, 0));
}

static uint32_t is_not_null(function_call *call, const column *const *args, column *out) {
    uint64_t *bits = COLUMN_OUT(out, uint64_t);
    if (is_all_null(args[0])) {
        bits_clear(bits, call->length);
        return call->count;
    }
    bits_fill(bits, call->length);
    if (args[0]->validity != NULL && args[0]->form == FORM_FLAT) {
        bits_and(bits, args[0]->validity, call->length, bits);
    }
    return call->count;
}

static uint32_t is_null(function_call *call, const column *const *args, column *out) {
    (void)is_not_null(call, args, out);
    bits_not(out->values, call->length, COLUMN_OUT(out, uint64_t));
    return call->count;
}

const scalar_function function_is_null = {
    .name = "is_null",
    .category = "logic",
    .summary = "IS NULL: whether there is no value",
    .examples = (const char *const[]){"NULL IS NULL", "true", "1 IS NULL", "false", NULL},
    .flags = FUNCTION_VALIDITY_ONLY,
    .overloads =
        (const overload[]){
            {.signature = "BOOLEAN <- ANY", .kernel = is_null},
            {0},
        },
};

const scalar_function function_is_not_null = {
    .name = "is_not_null",
    .category = "logic",
    .summary = "IS NOT NULL: whether there is a value",
    .examples = (const char *const[]){"NULL IS NOT NULL", "false", "1 IS NOT NULL", "true", NULL},
    .flags = FUNCTION_VALIDITY_ONLY,
    .overloads =
        (const overload[]){
            {.signature = "BOOLEAN <- ANY", .kernel = is_not_null},
            {0},
        },
};

// True where there is a value and it is `wanted`.
static uint32_t is_value(function_call *call, const column *arg, bool wanted, column *out) {
    uint64_t *bits = COLUMN_OUT(out, uint64_t);
    const column *const args[] = {arg};
    (void)is_not_null(call, args, out);
    if (is_all_null(arg)) {
        return call->count;
    }
    const uint64_t *values = arg->values;
    const bool is_constant = arg->form == FORM_CONSTANT;
    const uint64_t constant = is_constant && bitmap_get(values, 0) ? UINT64_MAX : 0;
    for (size_t word = 0; word < BITMAP_WORDS(call->length); word++) {
        const uint64_t value = is_constant ? constant : values[word];
        bits[word] &= wanted ? value : ~value;
    }
    return call->count;
}

static uint32_t is_true(function_call *call, const column *const *args, column *out) {
    return is_value(call, args[0], true, out);
}

static uint32_t is_false(function_call *call, const column *const *args, column *out) {
    return is_value(call, args[0], false, out);
}

const scalar_function function_is_true = {
    .name = "is_true",
    .category = "logic",
    .summary = "IS TRUE: true of true, false of false and NULL",
    .examples =
        (const char *const[]){"NULL::BOOLEAN IS TRUE", "false", "true IS TRUE", "true", NULL},
    .flags = 0,
    .overloads =
        (const overload[]){
            {.signature = "BOOLEAN <- BOOLEAN", .kernel = is_true},
            {0},
        },
};

const scalar_function function_is_false = {
    .name = "is_false",
    .category = "logic",
    .summary = "IS FALSE: true of false, false of true and NULL",
    .examples =
        (const char *const[]){"NULL::BOOLEAN IS FALSE", "false", "false IS FALSE", "true", NULL},
    .flags = 0,
    .overloads =
        (const overload[]){
            {.signature = "BOOLEAN <- BOOLEAN", .kernel = is_false},
            {0},
        },
};
