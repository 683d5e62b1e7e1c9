// length, octet_length, bit_length, ascii, chr, to_hex, bit_count's kin: texts and numbers.
#include "base/utf8.h"
#include "functions/scalar/row_values.h"

static uint32_t count_codes(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, int64_t)[row] = (int64_t)text_code_count(call, text_at(values, row));
    }
    return call->count;
}

static uint32_t count_bytes(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, int64_t)[row] = values.values[row & values.mask].size;
    }
    return call->count;
}

static uint32_t count_bits(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, int64_t)[row] = (int64_t)values.values[row & values.mask].size * 8;
    }
    return call->count;
}

static uint32_t count_elements(function_call *call, const column *const *args, column *out) {
    const list_rows values = list_rows_of(args[0]);
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, int64_t)[row] = list_at(values, row).size;
    }
    return call->count;
}

static uint32_t first_code(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    FOR_ROWS(call, row) {
        const text value = text_at(values, row);
        size_t at = 0;
        COLUMN_OUT(out, int32_t)[row] = value.size == 0 ? 0 : (int32_t)utf8_next(value, &at);
    }
    return call->count;
}

static uint32_t text_of_code(function_call *call, const column *const *args, column *out) {
    const i64_rows codes = i64_rows_of(args[0]);
    FOR_ROWS(call, row) {
        const int64_t code = i64_at(codes, row);
        char bytes[UTF8_SIZE_MAX];
        if (code <= 0 || code > UTF8_CODE_MAX || !utf8_is_code((uint32_t)code)) {
            return ROW_VISIT(row);
        }
        const size_t size = utf8_encode((uint32_t)code, bytes);
        if (!string_new(call->scratch, bytes, size, &COLUMN_OUT(out, string_value)[row])) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

static void explain_code(const function_call *call, const column *const *args, uint32_t row,
                         firn_error *err) {
    (void)call;
    err_set_sql(err, FIRN_INVALID, "54000", NO_POSITION,
                "there is no character %lld, only 1 to 1114111 without surrogates",
                (long long)i64_at(i64_rows_of(args[0]), row));
}

static uint32_t print_hex(function_call *call, const column *const *args, column *out) {
    const i64_rows values = i64_rows_of(args[0]);
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        char digits[16];
        size_t from = sizeof digits;
        uint64_t rest = (uint64_t)i64_at(values, row);
        do {
            digits[--from] = "0123456789abcdef"[rest & 15];
            rest >>= 4;
        } while (rest != 0);
        const text made = {.data = digits + from, .size = sizeof digits - from};
        if (!text_sink_put(&sink, out, row, made)) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

// 32 bits of a negative INTEGER are 8 digits.
static uint32_t print_hex_i32(function_call *call, const column *const *args, column *out) {
    const i32_rows values = i32_rows_of(args[0]);
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        char digits[8];
        size_t from = sizeof digits;
        uint32_t rest = (uint32_t)i32_at(values, row);
        do {
            digits[--from] = "0123456789abcdef"[rest & 15];
            rest >>= 4;
        } while (rest != 0);
        const text made = {.data = digits + from, .size = sizeof digits - from};
        if (!text_sink_put(&sink, out, row, made)) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

const scalar_function function_length = {
    .name = "length",
    .aliases = "char_length character_length len",
    .category = "string",
    .summary = "the count of characters (code points) of a text, bytes of a BINARY, elements of a "
               "list",
    .examples = (const char *const[]){"length('Grüße')", "5", "length('')", "0", "length(NULL)",
                                      "NULL", "char_length('日本語')", "3", "length(X'00FF')", "2",
                                      "len([1, NULL])", "2", "length(12)",
                                      "error: no \"length\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){
            {.signature = "BIGINT <- VARCHAR", .kernel = count_codes},
            {.signature = "BIGINT <- BINARY", .kernel = count_bytes},
            {.signature = "BIGINT <- LIST<T>", .kernel = count_elements},
            {0},
        },
};

const scalar_function function_octet_length = {
    .name = "octet_length",
    .aliases = "strlen",
    .category = "string",
    .summary = "the count of bytes",
    .examples = (const char *const[]){"octet_length('Grüße')", "7", "octet_length('')", "0",
                                      "octet_length(NULL)", "NULL", "octet_length(X'0102')", "2",
                                      "octet_length(1)", "error: no \"octet_length\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){
            {.signature = "BIGINT <- VARCHAR", .kernel = count_bytes},
            {.signature = "BIGINT <- BINARY", .kernel = count_bytes},
            {0},
        },
};

const scalar_function function_bit_length = {
    .name = "bit_length",
    .category = "string",
    .summary = "the count of bits: eight times the bytes",
    .examples = (const char *const[]){"bit_length('jose')", "32", "bit_length('é')", "16",
                                      "bit_length('')", "0", "bit_length(NULL)", "NULL",
                                      "bit_length(1)", "error: no \"bit_length\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){
            {.signature = "BIGINT <- VARCHAR", .kernel = count_bits},
            {.signature = "BIGINT <- BINARY", .kernel = count_bits},
            {0},
        },
};

const scalar_function function_ascii = {
    .name = "ascii",
    .aliases = "unicode ord",
    .category = "string",
    .summary = "the code point of the first character, 0 of an empty text",
    .examples = (const char *const[]){"ascii('x')", "120", "ascii('é')", "233", "ascii('')", "0",
                                      "ascii('😀')", "128512", "ascii(NULL)", "NULL", "ascii(1)",
                                      "error: no \"ascii\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,
    .overloads = (const overload[]){{.signature = "INTEGER <- VARCHAR", .kernel = first_code}, {0}},
};

const scalar_function function_chr = {
    .name = "chr",
    .category = "string",
    .summary = "the character of a code point",
    .examples =
        (const char *const[]){"chr(65)", "A", "chr(8364)", "€", "chr(128512)", "😀", "chr(NULL)",
                              "NULL", "chr(0)", "error: no character 0", "chr(55296)",
                              "error: no character 55296", "chr('x')", "error: ", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){{.signature = "VARCHAR <- BIGINT", .kernel = text_of_code}, {0}},
    .explain_failure = explain_code,
};

const scalar_function function_to_hex = {
    .name = "to_hex",
    .category = "string",
    .summary = "hexadecimal digits of a number, in two's complement if it is negative",
    .examples =
        (const char *const[]){"to_hex(255)", "ff", "to_hex(0)", "0", "to_hex(-1)", "ffffffff",
                              "to_hex(-1::BIGINT)", "ffffffffffffffff", "to_hex(NULL)", "NULL",
                              "to_hex(1.5)", "error: no \"to_hex\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){
            {.signature = "VARCHAR <- INTEGER", .kernel = print_hex_i32},
            {.signature = "VARCHAR <- BIGINT", .kernel = print_hex},
            {0},
        },
};
