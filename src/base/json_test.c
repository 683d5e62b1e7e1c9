#include "base/json.h"

#include <string.h>

#include "base/test.h"

// The tokens of a document, one letter each, with keys, strings and numbers in full.
typedef struct trace {
    char data[600];
    size_t size;
} trace;

static void trace_text(trace *self, const char *data, size_t size) {
    if (size <= sizeof self->data - self->size) {
        memcpy(self->data + self->size, data, size);
        self->size += size;
    }
}

static firn_status trace_tokens(text input, trace *out, firn_error *err) {
    static const char letters[JSON_KIND_COUNT] = {
        [JSON_END] = '.',       [JSON_OBJECT] = '{', [JSON_OBJECT_END] = '}', [JSON_ARRAY] = '[',
        [JSON_ARRAY_END] = ']', [JSON_KEY] = 'k',    [JSON_STRING] = 's',     [JSON_NUMBER] = 'n',
        [JSON_TRUE] = 't',      [JSON_FALSE] = 'f',  [JSON_NULL] = '0'};
    json_reader in = json_reader_open(bytes_of_text(input));
    out->size = 0;
    for (;;) {
        json_token token;
        TRY(json_next(&in, &token, err));
        trace_text(out, &letters[token.kind], 1);
        if (token.kind == JSON_KEY || token.kind == JSON_STRING) {
            char plain[200];
            if (token.raw.size > sizeof plain) {
                return FAIL(err, FIRN_INTERNAL, "the test's buffer is too small");
            }
            trace_text(out, "'", 1);
            trace_text(out, plain, json_unescape(&token, plain));
            trace_text(out, "'", 1);
            CHECK(
                json_token_is(&token, (text){.data = plain, .size = json_unescape(&token, plain)}));
            CHECK(!json_token_is(&token, TEXT("something else")));
        } else if (token.kind == JSON_NUMBER) {
            trace_text(out, token.raw.data, token.raw.size);
        } else if (token.kind == JSON_END) {
            TRY(json_next(&in, &token, err));
            CHECK(token.kind == JSON_END);
            return FIRN_OK;
        }
    }
}

TEST(json_reads_what_the_standard_allows) {
    const struct {
        text input;
        text tokens;
    } rows[] = {
        {TEXT("null"), TEXT("0.")},
        {TEXT(" \t\r\n true \n"), TEXT("t.")},
        {TEXT("false"), TEXT("f.")},
        {TEXT("[]"), TEXT("[].")},
        {TEXT("{ }"), TEXT("{}.")},
        {TEXT("[1, -2.5e+3,0]"), TEXT("[n1n-2.5e+3n0].")},
        {TEXT("[-0,0.0,1E5,10,9223372036854775808]"),
         TEXT("[n-0n0.0n1E5n10n9223372036854775808].")},
        {TEXT("{\"a\":1,\"a\" : [ {} , {\"b\":null} ] }"), TEXT("{k'a'n1k'a'[{}{k'b'0}]}.")},
        {TEXT("\"\""), TEXT("s''.")},
        {TEXT("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\""), TEXT("s'a\"\\/\b\f\n\r\t'.")},
        {TEXT("\"\\u0041\\u00e4\\u20AC\\ud83d\\ude00\\u0000\""),
         TEXT("s'A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\0'.")},
        {TEXT("\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\x7f\""),
         TEXT("s'\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\x7f'.")},
        {TEXT("{\"0123456789abcdef\\n0123456789abcdef\":\"0123456789abcdef0123456789abcdef\"}"),
         TEXT("{k'0123456789abcdef\n0123456789abcdef's'0123456789abcdef0123456789abcdef'}.")},
        {TEXT("[[[\"x\"],\"y\"],\"z\"]"), TEXT("[[[s'x']s'y']s'z'].")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        trace found;
        firn_error err = ERR_INIT;
        CHECK(trace_tokens(rows[i].input, &found, &err) == FIRN_OK);
        CHECK(text_equal((text){.data = found.data, .size = found.size}, rows[i].tokens));
    }
}

// The literal may hold NUL.
#define ROW(literal, words) {literal, sizeof(literal) - 1, words}
static const struct refused_row {
    const char *input;
    size_t size;
    const char *message;
} refused_rows[] = {
    ROW("", "line 1, column 1: the text ends, a value is required"),
    ROW("\n \n ", "line 3, column 2: the text ends, a value is required"),
    ROW("nul", "\"n\" is here, a value is required"),
    ROW("nulL", "a value is required"),
    ROW("True", "\"T\" is here"),
    ROW("\x01", "the byte 0x01 is here, a value is required"),
    ROW("\xef\xbb\xbf{}", "the byte 0xef is here"),
    ROW("1 2", "column 3: \"2\" is here, the end is required"),
    ROW("[1,]", "column 4: \"]\" is here, a value is required"),
    ROW("[,1]", "\",\" is here, a value is required"),
    ROW("[1 2]", "\"2\" is here, \",\" or \"]\" is required"),
    ROW("[1}", "\"}\" is here, \",\" or \"]\" is required"),
    ROW("{]", "\"]\" is here, a key in quotes is required"),
    ROW("{\"a\":1]", "\"]\" is here, \",\" or \"}\" is required"),
    ROW("{\"a\":1,}", "\"}\" is here, a key in quotes is required"),
    ROW("{\"a\"}", "\"}\" is here, \":\" is required"),
    ROW("{\"a\" 1}", "\"1\" is here, \":\" is required"),
    ROW("{\"a\":}", "\"}\" is here, a value is required"),
    ROW("{a:1}", "\"a\" is here, a key in quotes is required"),
    ROW("{1:1}", "a key in quotes"),
    ROW("{\"a\":1,,}", "a key in quotes"),
    ROW("{", "the text ends, a key in quotes is required"),
    ROW("[", "the text ends, a value is required"),
    ROW("{\"a\"", "the text ends, \":\" is required"),
    ROW("[1", "the text ends, \",\" or \"]\" is required"),
    ROW("]", "\"]\" is here, a value is required"),
    ROW("01", "column 2: \"1\" is here, the end is required"),
    ROW("-", "the text ends, a digit is required"),
    ROW("+1", "\"+\" is here, a value is required"),
    ROW("-a", "\"a\" is here, a digit is required"),
    ROW(".5", "\".\" is here"),
    ROW("5.", "the text ends, a digit is required"),
    ROW("[1.]", "\"]\" is here, a digit is required"),
    ROW("1e", "a digit is required"),
    ROW("1e+", "a digit is required"),
    ROW("0x10", "\"x\" is here, the end is required"),
    ROW("NaN", "\"N\" is here"),
    ROW("\"abc", "column 1: the string has no end"),
    ROW("\"abc\\", "column 5: this escape does not exist or is cut off"),
    ROW("\"abc\\\"", "the string has no end"),
    ROW("\"\\x41\"", "this escape does not exist"),
    ROW("\"\\u12\"", "this escape does not exist"),
    ROW("\"\\u12g4\"", "this escape does not exist"),
    ROW("\"\\ud800\"", "this escape does not exist"),
    ROW("\"\\ud800\\n\"", "this escape does not exist"),
    ROW("\"\\ud800\\u0041\"", "this escape does not exist"),
    ROW("\"\\udc00\"", "this escape does not exist"),
    ROW("\"a\nb\"", "line 1, column 3: the control character 0x0a is not escaped"),
    ROW("\"a\0b\"", "the control character 0x00 is not escaped"),
    ROW("\"0123456789abcdef\x1f\"", "column 18: the control character 0x1f"),
    ROW("\"ab\xff\"", "column 4: the bytes from 0xff on are not UTF-8"),
    ROW("\"\xc3\"", "not UTF-8"),
    ROW("\"\xed\xa0\x80\"", "not UTF-8"),
    ROW("\"\xc0\x80 0123456789abcdef0123456789abcdef\"", "column 2: the bytes from 0xc0"),
    ROW("{\"\x80\":1}", "not UTF-8"),
    ROW("[1]//x", "\"/\" is here, the end is required"),
    ROW("['a']", "\"'\" is here, a value is required"),
    ROW("\x0c null", "the byte 0x0c is here"),
};
#undef ROW

TEST(json_refuses_what_the_standard_forbids) {
    for (size_t i = 0; i < sizeof refused_rows / sizeof *refused_rows; i++) {
        const struct refused_row *row = &refused_rows[i];
        trace found;
        firn_error err = ERR_INIT;
        CHECK(trace_tokens((text){.data = row->input, .size = row->size}, &found, &err) ==
              FIRN_CORRUPT);
        if (strstr(err.text, row->message) == NULL) {
            (void)fprintf(stderr, "row %zu: %s\n", i, err.text);
            CHECK(false);
        }
    }
}

TEST(json_nests_to_its_limit_and_no_further) {
    static char input[2 * (JSON_DEPTH_MAX + 1)];
    for (size_t depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        for (size_t i = 0; i < depth; i++) {
            input[i] = '[';
            input[depth + i] = ']';
        }
        json_reader in = json_reader_open(bytes_of_text((text){.data = input, .size = 2 * depth}));
        json_token token;
        firn_error err = ERR_INIT;
        firn_status status = FIRN_OK;
        size_t count = 0;
        do {
            status = json_next(&in, &token, &err);
            count += 1;
        } while (status == FIRN_OK && token.kind != JSON_END);
        CHECK((status == FIRN_OK) == (depth == JSON_DEPTH_MAX));
        CHECK(status == FIRN_OK ? count == 2 * depth + 1
                                : strstr(err.text, "more than 1024 levels") != NULL);
    }
}

TEST(json_reads_members_by_hand_and_skips_the_others) {
    json_reader in = json_reader_open(bytes_of_text(TEXT(
        "{\"skip\":{\"a\":[1,{\"size\":5}]},\"si\\u007ae\":42,\"x\":[],\"on\":true,\"r\":1.5}")));
    firn_error err = ERR_INIT;
    json_token token;
    int64_t size = 0;
    bool is_on = false;
    double ratio = 0;
    REQUIRE(json_read(&in, JSON_OBJECT, &token, &err) == FIRN_OK);
    REQUIRE(json_next(&in, &token, &err) == FIRN_OK);
    int keys = 0;
    while (token.kind == JSON_KEY) {
        keys += 1;
        if (json_token_is(&token, TEXT("size"))) {
            REQUIRE(json_read_i64(&in, &size, &err) == FIRN_OK);
        } else if (json_token_is(&token, TEXT("on"))) {
            REQUIRE(json_read_bool(&in, &is_on, &err) == FIRN_OK);
        } else if (json_token_is(&token, TEXT("r"))) {
            REQUIRE(json_read_f64(&in, &ratio, &err) == FIRN_OK);
        } else {
            REQUIRE(json_skip(&in, &token, &err) == FIRN_OK);
        }
        REQUIRE(json_next(&in, &token, &err) == FIRN_OK);
    }
    CHECK(token.kind == JSON_OBJECT_END && keys == 5);
    CHECK(size == 42 && is_on && ratio == 1.5);
    REQUIRE(json_read(&in, JSON_END, &token, &err) == FIRN_OK);
}

TEST(json_typed_reads_say_what_is_required) {
    const struct {
        text input;
        int wanted; // 0: text, 1: whole number, 2: bool, 3: double.
        const char *message;
    } rows[] = {
        {TEXT(" 1"), 0, "line 1, column 2: a number is here, a string is required"},
        {TEXT("[]"), 0, "an array is here, a string is required"},
        {TEXT("\"1\""), 1, "a string is here, a number is required"},
        {TEXT("1.0"), 1, "1.0 is here, a whole number is required"},
        {TEXT("1e2"), 1, "1e2 is here, a whole number is required"},
        {TEXT("9223372036854775808"), 1, "9223372036854775808 is here, a number of 64 bits"},
        {TEXT("null"), 2, "null is here, true or false is required"},
        {TEXT("1e999"), 3, "1e999 is above every double"},
        {TEXT("{}"), 3, "an object is here, a number is required"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_reader in = json_reader_open(bytes_of_text(rows[i].input));
        firn_error err = ERR_INIT;
        json_token token;
        int64_t whole = 0;
        bool flag = false;
        double number = 0;
        const firn_status status = rows[i].wanted == 0   ? json_read(&in, JSON_STRING, &token, &err)
                                   : rows[i].wanted == 1 ? json_read_i64(&in, &whole, &err)
                                   : rows[i].wanted == 2 ? json_read_bool(&in, &flag, &err)
                                                         : json_read_f64(&in, &number, &err);
        CHECK(status == FIRN_CORRUPT && strstr(err.text, rows[i].message) != NULL);
    }
    int64_t whole = 0;
    firn_error err = ERR_INIT;
    json_reader in = json_reader_open(bytes_of_text(TEXT("-9223372036854775808")));
    CHECK(json_read_i64(&in, &whole, &err) == FIRN_OK && whole == INT64_MIN);
}

TEST(json_reads_many_documents_one_behind_another) {
    json_reader in = json_reader_open_many(bytes_of_text(TEXT("{\"a\":1}\n{\"a\":2}\n\n[3] 4")));
    firn_error err = ERR_INIT;
    json_token token;
    int documents = 0;
    for (;;) {
        REQUIRE(json_next(&in, &token, &err) == FIRN_OK);
        if (token.kind == JSON_END) {
            break;
        }
        documents += 1;
        REQUIRE(json_skip(&in, &token, &err) == FIRN_OK);
    }
    CHECK(documents == 4);
    in = json_reader_open_many((bytes){0});
    CHECK(json_next(&in, &token, &err) == FIRN_OK && token.kind == JSON_END);
    in = json_reader_open_many(bytes_of_text(TEXT("1 x")));
    CHECK(json_next(&in, &token, &err) == FIRN_OK);
    CHECK(json_next(&in, &token, &err) == FIRN_CORRUPT);
}

static void collect(void *user, const char *data, size_t size) {
    trace_text(user, data, size);
}

static void write_sample(json_writer *out) {
    json_begin_object(out);
    json_write_key(out, TEXT("a\n\""));
    json_begin_array(out);
    json_write_i64(out, INT64_MIN);
    json_write_u64(out, UINT64_MAX);
    json_write_f64(out, 1.5e-7);
    json_write_f64(out, -__builtin_inf());
    json_begin_array(out);
    json_end_array(out);
    json_begin_object(out);
    json_end_object(out);
    json_end_array(out);
    json_write_key(out, TEXT(""));
    json_write_bool(out, true);
    json_write_key(out, TEXT("b"));
    json_write_null(out);
    json_write_key(out, TEXT("c"));
    json_write_raw(out, TEXT("1.50"));
    json_end_object(out);
    json_writer_finish(out);
}

TEST(json_writes_in_one_line_or_indented) {
    trace found = {.size = 0};
    json_writer out = json_writer_open((json_sink){.user = &found, .append = collect}, 0);
    write_sample(&out);
    CHECK(text_equal((text){.data = found.data, .size = found.size},
                     TEXT("{\"a\\n\\\"\":[-9223372036854775808,18446744073709551615,1.5e-07,"
                          "\"-Infinity\",[],{}],\"\":true,\"b\":null,\"c\":1.50}")));
    found.size = 0;
    out = json_writer_open((json_sink){.user = &found, .append = collect}, 2);
    write_sample(&out);
    CHECK(text_equal((text){.data = found.data, .size = found.size},
                     TEXT("{\n  \"a\\n\\\"\": [\n    -9223372036854775808,\n"
                          "    18446744073709551615,\n    1.5e-07,\n    \"-Infinity\",\n    [],\n"
                          "    {}\n  ],\n  \"\": true,\n  \"b\": null,\n  \"c\": 1.50\n}")));
}

TEST(json_escapes_what_must_be_and_nothing_else) {
    trace found = {.size = 0};
    const json_sink sink = {.user = &found, .append = collect};
    const text plain = TEXT("\0\x1f\b\t\n\f\r\"\\/\x7f\xc3\xa4");
    json_escape(sink, plain);
    CHECK(text_equal((text){.data = found.data, .size = found.size},
                     TEXT("\"\\u0000\\u001f\\b\\t\\n\\f\\r\\\"\\\\/\x7f\xc3\xa4\"")));
    found.size = 0;
    json_writer out = json_writer_open(sink, 0);
    out.escapes_by_number = true;
    json_write_text(&out, TEXT("\n\x1f\""));
    json_writer_finish(&out);
    CHECK(
        text_equal((text){.data = found.data, .size = found.size}, TEXT("\"\\u000a\\u001f\\\"\"")));
}

static void count_bytes(void *user, const char *data, size_t size) {
    size_t *counts = user;
    for (size_t i = 0; i < size; i++) {
        counts[(uint8_t)data[i]] += 1;
    }
}

TEST(json_writer_passes_on_more_than_its_buffer_holds) {
    static char long_text[5000];
    memset(long_text, 'x', sizeof long_text);
    size_t counts[256] = {0};
    json_writer out = json_writer_open((json_sink){.user = counts, .append = count_bytes}, 0);
    json_begin_array(&out);
    for (size_t size = 0; size < sizeof long_text; size += 37) {
        json_write_text(&out, (text){.data = long_text, .size = size});
    }
    json_end_array(&out);
    json_writer_finish(&out);
    const size_t rows = (sizeof long_text + 36) / 37;
    CHECK(counts['"'] == 2 * rows && counts[','] == rows - 1);
    CHECK(counts['x'] == rows * (rows - 1) / 2 * 37);
    CHECK(counts['['] == 1 && counts[']'] == 1);
}
