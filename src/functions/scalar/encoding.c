// Bytes as text and back: md5, sha256, encode, decode; levenshtein.
#include "base/base64.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "functions/scalar/digest.h"
#include "functions/scalar/row_values.h"

// ---- Digests -----------------------------------------------------------------------------------

// The digest of a value; its size.
static size_t digest_of(const function_call *call, digest_kind kind, text value,
                        uint8_t out[DIGEST_SHA256_SIZE]) {
    digest self = digest_begin(kind);
    size_t at = 0;
    while (value.size - at > TEXT_LOOK_EVERY && !function_is_stopped(call)) {
        digest_add(&self, bytes_of_text(text_slice(value, at, at + TEXT_LOOK_EVERY)));
        at += TEXT_LOOK_EVERY;
    }
    const size_t end = value.size - at > TEXT_LOOK_EVERY ? at : value.size;
    return digest_end(&self, bytes_of_text(text_slice(value, at, end)), out);
}

static uint32_t md5(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        uint8_t made[DIGEST_SHA256_SIZE];
        const size_t size = digest_of(call, DIGEST_MD5, text_at(values, row), made);
        char *room = text_sink_room(&sink, 2 * size);
        if (room == NULL) {
            return KERNEL_NO_MEMORY;
        }
        hex_print((bytes){.data = made, .size = size}, room);
        COLUMN_OUT(out, string_value)[row] = text_sink_take(&sink, 2 * size);
    }
    return call->count;
}

static uint32_t sha256(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        uint8_t made[DIGEST_SHA256_SIZE];
        const size_t size = digest_of(call, DIGEST_SHA256, text_at(values, row), made);
        if (!text_sink_put(&sink, out, row, (text){.data = (const char *)made, .size = size})) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

#define DIGEST_FLAGS (FUNCTION_NULL_STRICT | FUNCTION_DICTIONARY)

const scalar_function function_md5 = {
    .name = "md5",
    .category = "hash",
    .summary = "the MD5 digest as hexadecimal text",
    .examples =
        (const char *const[]){"md5('')", "d41d8cd98f00b204e9800998ecf8427e", "md5('abc')",
                              "900150983cd24fb0d6963f7d28e17f72", "md5(repeat('1234567890', 8))",
                              "57edf4a22be3c955ac49da2e2107b67a", "md5(X'616263')",
                              "900150983cd24fb0d6963f7d28e17f72", "md5(NULL)", "NULL", "md5(1)",
                              "error: no \"md5\" takes", NULL},
    .flags = DIGEST_FLAGS,
    .overloads =
        (const overload[]){
            {.signature = "VARCHAR <- VARCHAR", .kernel = md5},
            {.signature = "VARCHAR <- BINARY", .kernel = md5},
            {0},
        },
};

const scalar_function function_sha256 = {
    .name = "sha256",
    .category = "hash",
    .summary = "the SHA-256 digest as BINARY",
    .examples =
        (const char *const[]){
            "sha256('')", "\\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "sha256('abc')", "\\xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "encode(sha256('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'), 'hex')",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", "sha256(NULL)",
            "NULL", "sha256(1)", "error: no \"sha256\" takes", NULL},
    .flags = DIGEST_FLAGS,
    .overloads =
        (const overload[]){
            {.signature = "BINARY <- VARCHAR", .kernel = sha256},
            {.signature = "BINARY <- BINARY", .kernel = sha256},
            {0},
        },
};

// ---- base64 ------------------------------------------------------------------------------------

// Blanks and line ends between digits don't count. False if it is no base64.
static bool base64_read(const function_call *call, text input, uint8_t *out, size_t *size) {
    cancel_watch watch = {.cancel = function_cancel(call)};
    uint32_t word = 0;
    uint32_t digits = 0;
    uint32_t paddings = 0;
    *size = 0;
    for (size_t at = 0; at < input.size && !cancel_watch_is_raised(&watch, 1); at++) {
        const char byte = input.data[at];
        if (byte == ' ' || (byte >= '\t' && byte <= '\r')) {
            continue;
        }
        const int32_t digit = base64_value(byte);
        if (byte == '=') {
            paddings++;
        }
        if ((digit < 0 && byte != '=') || (digit >= 0 && paddings > 0) || paddings > 2) {
            return false;
        }
        word = (word & 0x3ffff) << 6 | (digit < 0 ? 0U : (uint32_t)digit);
        if (++digits % 4 == 0) {
            for (uint32_t i = 0; i + paddings < 3; i++) {
                out[(*size)++] = (uint8_t)(word >> (16 - 8 * i) & 0xff);
            }
        }
    }
    return digits % 4 == 0;
}

// ---- encode, decode ----------------------------------------------------------------------------

typedef enum encoding { ENCODING_NONE, ENCODING_HEX, ENCODING_BASE64, ENCODING_ESCAPE } encoding;

static encoding encoding_of(text word) {
    return text_equal_nocase(word, TEXT("hex"))      ? ENCODING_HEX
           : text_equal_nocase(word, TEXT("base64")) ? ENCODING_BASE64
           : text_equal_nocase(word, TEXT("escape")) ? ENCODING_ESCAPE
                                                     : ENCODING_NONE;
}

// PostgreSQL's escape form: NUL and bytes above 127 as \ooo, a backslash doubled.
static size_t escape_write(bytes input, char *out) {
    size_t size = 0;
    for (size_t at = 0; at < input.size; at++) {
        const uint8_t byte = input.data[at];
        if (byte == 0 || byte >= 0x80) {
            out[size++] = '\\';
            out[size++] = (char)('0' + (byte >> 6));
            out[size++] = (char)('0' + (byte >> 3 & 7));
            out[size++] = (char)('0' + (byte & 7));
            continue;
        }
        if (byte == '\\') {
            out[size++] = '\\';
        }
        out[size++] = (char)byte;
    }
    return size;
}

static size_t encode_bytes(bytes input, encoding as, char *out) {
    switch (as) {
    case ENCODING_HEX:
        hex_print(input, out);
        return 2 * input.size;
    case ENCODING_BASE64:
        return base64_print(input, out);
    case ENCODING_ESCAPE:
    case ENCODING_NONE:
        break;
    }
    return escape_write(input, out);
}

static bool hex_read(const function_call *call, text input, uint8_t *out, size_t *size) {
    bool is_good = true;
    *size = input.size / 2;
    for (size_t at = 0; is_good && at < input.size; at += TEXT_LOOK_EVERY) {
        const size_t left = input.size - at;
        const text piece =
            text_slice(input, at, at + (left < TEXT_LOOK_EVERY ? left : TEXT_LOOK_EVERY));
        is_good = !function_is_stopped(call) && hex_parse(piece, out + at / 2);
    }
    return is_good;
}

static bool decode_text(const function_call *call, text input, encoding as, uint8_t *out,
                        size_t *size) {
    switch (as) {
    case ENCODING_HEX:
        return hex_read(call, input, out, size);
    case ENCODING_BASE64:
        return base64_read(call, input, out, size);
    case ENCODING_ESCAPE:
    case ENCODING_NONE:
        break;
    }
    // `\x` in front is blob_parse's other form, and no escape.
    return !text_starts_with(input, TEXT("\\x")) && blob_parse(input, out, size);
}

#define ENCODED_AT_ONCE (TEXT_LOOK_EVERY * 3 / 4) // A multiple of 3: base64 has no rest between.

static uint32_t encode(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    const text_rows words = text_rows_of(args[1]);
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        const bytes value = bytes_of_text(text_at(values, row));
        const encoding as = encoding_of(text_at(words, row));
        if (as == ENCODING_NONE || value.size > TEXT_RESULT_SIZE_MAX / 4) {
            return ROW_VISIT(row);
        }
        char *room = text_sink_room(&sink, value.size * 4 + 4);
        if (room == NULL) {
            return KERNEL_NO_MEMORY;
        }
        size_t size = 0;
        for (size_t at = 0; at < value.size && !function_is_stopped(call); at += ENCODED_AT_ONCE) {
            const size_t left = value.size - at;
            const bytes piece = {.data = value.data + at,
                                 .size = left < ENCODED_AT_ONCE ? left : ENCODED_AT_ONCE};
            size += encode_bytes(piece, as, room + size);
        }
        COLUMN_OUT(out, string_value)[row] = text_sink_take(&sink, size);
    }
    return call->count;
}

static uint32_t decode(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    const text_rows words = text_rows_of(args[1]);
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        const text value = text_at(values, row);
        const encoding as = encoding_of(text_at(words, row));
        char *room = text_sink_room(&sink, value.size + 4);
        size_t size = 0;
        if (room == NULL) {
            return KERNEL_NO_MEMORY;
        }
        if (as == ENCODING_NONE || !decode_text(call, value, as, (uint8_t *)room, &size)) {
            return ROW_VISIT(row);
        }
        COLUMN_OUT(out, string_value)[row] = text_sink_take(&sink, size);
    }
    return call->count;
}

static void explain_encoding(const function_call *call, const column *const *args, uint32_t row,
                             firn_error *err) {
    const text word = text_at(text_rows_of(args[1]), row);
    (void)call;
    if (encoding_of(word) == ENCODING_NONE) {
        err_set_sql(err, FIRN_INVALID, "22023", NO_POSITION,
                    "the encoding \"%.*s\", there are hex, base64 and escape", TEXT_ARGS(word));
        return;
    }
    err_set_sql(err, FIRN_INVALID, "22023", NO_POSITION, "the value is no %.*s, or too long",
                TEXT_ARGS(word));
}

const scalar_function function_encode = {
    .name = "encode",
    .category = "binary",
    .summary = "bytes as text: 'hex', 'base64' or 'escape'",
    .examples =
        (const char *const[]){"encode(X'00ff', 'hex')", "00ff", "encode('Hello', 'base64')",
                              "SGVsbG8=", "encode(X'61005cff', 'escape')", "a\\000\\\\\\377",
                              "encode('', 'hex')", "", "encode(NULL, 'hex')", "NULL",
                              "encode('a', 'morse')", "error: the encoding \"morse\"",
                              "encode(1, 'hex')", "error: no \"encode\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){
            {.signature = "VARCHAR <- BINARY, VARCHAR", .kernel = encode},
            {.signature = "VARCHAR <- VARCHAR, VARCHAR", .kernel = encode},
            {0},
        },
    .explain_failure = explain_encoding,
};

const scalar_function function_decode = {
    .name = "decode",
    .category = "binary",
    .summary = "the bytes of a text in 'hex', 'base64' or 'escape'",
    .examples =
        (const char *const[]){"decode('00FF', 'hex')", "\\x00ff", "decode('SGVs bG8=', 'base64')",
                              "\\x48656c6c6f", "decode('a\\000b', 'escape')", "\\x610062",
                              "decode('', 'base64')", "\\x", "decode(NULL, 'hex')", "NULL",
                              "decode('0', 'hex')", "error: the value is no hex",
                              "decode('SGVs=G8=', 'base64')", "error: the value is no base64",
                              "decode('a', 'morse')", "error: the encoding \"morse\"", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_DICTIONARY,
    .overloads =
        (const overload[]){{.signature = "BINARY <- VARCHAR, VARCHAR", .kernel = decode}, {0}},
    .explain_failure = explain_encoding,
};

// ---- levenshtein -------------------------------------------------------------------------------

#define DISTANCE_SIZE_MAX 65536 // Code points of the longer text times that of the other.

// The least count of insertions, deletions and replacements of code points: one row of the table at
// a time.
static bool distance_of(const function_call *call, text left, text right, int64_t *out) {
    const size_t width = utf8_count(right);
    int64_t *costs = ARENA_NEW(call->scratch, int64_t, width + 1);
    if (costs == NULL) {
        return false;
    }
    for (size_t i = 0; i <= width; i++) {
        costs[i] = (int64_t)i;
    }
    size_t at = 0;
    for (int64_t height = 1; at < left.size; height++) {
        if (function_is_stopped(call)) {
            return false;
        }
        const uint32_t code = utf8_next(left, &at);
        int64_t diagonal = costs[0];
        size_t other = 0;
        costs[0] = height;
        for (size_t i = 1; i <= width; i++) {
            const int64_t above = costs[i];
            const int64_t replaced = diagonal + (utf8_next(right, &other) != code);
            const int64_t moved = (above < costs[i - 1] ? above : costs[i - 1]) + 1;
            costs[i] = replaced < moved ? replaced : moved;
            diagonal = above;
        }
    }
    *out = costs[width];
    return true;
}

static uint32_t levenshtein(function_call *call, const column *const *args, column *out) {
    const text_rows lefts = text_rows_of(args[0]);
    const text_rows rights = text_rows_of(args[1]);
    const arena_mark mark = arena_mark_take(call->scratch);
    FOR_ROWS(call, row) {
        const text left = text_at(lefts, row);
        const text right = text_at(rights, row);
        if (left.size > DISTANCE_SIZE_MAX || right.size > DISTANCE_SIZE_MAX) {
            return ROW_VISIT(row);
        }
        const bool is_good = distance_of(call, left, right, &COLUMN_OUT(out, int64_t)[row]);
        arena_rewind(call->scratch, mark);
        if (!is_good) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

static void explain_distance(const function_call *call, const column *const *args, uint32_t row,
                             firn_error *err) {
    (void)call;
    (void)args;
    (void)row;
    err_set_sql(err, FIRN_INVALID, "54000", NO_POSITION,
                "a text of more than %d bytes is too long to be compared", DISTANCE_SIZE_MAX);
}

const scalar_function function_levenshtein = {
    .name = "levenshtein",
    .aliases = "editdist3",
    .category = "string",
    .summary = "how many characters must be inserted, deleted or replaced to make one text the "
               "other",
    .examples = (const char *const[]){"levenshtein('kitten', 'sitting')", "3",
                                      "levenshtein('', 'abc')", "3", "levenshtein('äb', 'ab')", "1",
                                      "levenshtein('', '')", "0", "levenshtein(NULL, 'a')", "NULL",
                                      "levenshtein(repeat('a', 70000), 'a')",
                                      "error: too long to be compared", "levenshtein(1, 'a')",
                                      "error: no \"levenshtein\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL,
    .overloads =
        (const overload[]){{.signature = "BIGINT <- VARCHAR, VARCHAR", .kernel = levenshtein}, {0}},
    .explain_failure = explain_distance,
};
