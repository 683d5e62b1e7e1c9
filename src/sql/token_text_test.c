#include "sql/token_text.h"

#include <string.h>

#include "base/test.h"

// Takes the one token of `sql` apart with the function for its kind.
static firn_status take_token(text sql, arena *memory, text *out, firn_error *err) {
    sql_lexer lexer = {.sql = sql};
    sql_token token;
    TRY(sql_lexer_next(&lexer, &token, err));
    switch ((uint32_t)token.kind) {
    case TOKEN_WORD:
    case TOKEN_QUOTED:
        return sql_token_name(sql, &token, memory, out, err);
    case TOKEN_INTEGER:
    case TOKEN_DECIMAL:
    case TOKEN_DOUBLE:
        return sql_token_number(sql, &token, memory, out, err);
    case TOKEN_BLOB:
    case TOKEN_BITS:
        return sql_token_bytes(sql, &token, memory, out, err);
    default:
        return sql_token_string(sql, &token, memory, out, err);
    }
}

TEST(token_text_undoes_quotes_and_escapes) {
    static const struct {
        const char *sql;
        const char *value;
    } cases[] = {
        {"abc", "abc"},
        {"\"a b\"", "a b"},
        {"\"a\"\"b\"", "a\"b"},
        {"\"\"\"\"", "\""},
        {"`a``b\"`", "a`b\""},
        {"'abc'", "abc"},
        {"''", ""},
        {"''''", "'"},
        {"'it''s'", "it's"},
        {"'a\\nb'", "a\\nb"},
        {"'a'\n'b'", "ab"},
        {"'a' \r\n\t'b''c'\n''\n'd'", "ab'cd"},
        {"E'a\\tb\\n\\r\\b\\f'", "a\tb\n\r\b\f"},
        {"E'\\\\ \\' '' \\q'", "\\ ' ' q"},
        {"E'\\101\\x41\\x4a\\60x'", "AAJ0x"},
        {"E'\\xg'", "xg"},
        {"E'\\u00e4\\U0001F600'", "\xc3\xa4\xf0\x9f\x98\x80"},
        {"E'\\uD83D\\uDE00'", "\xf0\x9f\x98\x80"},
        {"E'\\xc3\\xa4'", "\xc3\xa4"},
        {"E'a'\n'\\t'", "a\t"},
        {"$$it's \\n$$", "it's \\n"},
        {"$q$a$$b$q$", "a$$b"},
        {"$$$$", ""},
        {"0x1F", "31"},
        {"0o17", "15"},
        {"0b1_01", "5"},
        {"0xffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff", "340282366920938463463374607431768211455"},
        {"0x0", "0"},
        {"1_000_000", "1000000"},
        {"007", "007"},
        {"1_0.5_0", "10.50"},
        {"1_0e1_0", "10e10"},
        {"U&'d\\0061t\\+000061'", "data"},
        {"u&'d!0061!!\\' uescape '!'", "da!\\"},
        {"U&'\\D83D\\DE00\\+01F600\\D83D\\+00DE00'",
         "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"},
        {"U&'a''b\\0027' /* c */ UESCAPE /* d */ '\\'", "a'b'"},
        {"U&'a' \n '\\0062'\n'c'", "abc"},
        {"U&''", ""},
        {"U&'a UESCAPE ''b'", "a UESCAPE 'b"},
        {"U&\"d\\0061t\"\"x\"", "dat\"x"},
        {"U&\"d*0061\" UESCAPE '*'", "da"},
        {"X'1f4A'", "\x1fJ"},
        {"B'0101'", "0101"},
        {"B''", ""},
    };
    arena memory = arena_open((size_t)1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        firn_error err = ERR_INIT;
        text value;
        if (take_token(text_of(cases[i].sql), &memory, &value, &err) != FIRN_OK ||
            !text_equal(value, text_of(cases[i].value))) {
            test_fail(__FILE__, __LINE__, cases[i].sql);
        }
    }
    arena_close(&memory);
}

TEST(token_text_copies_only_what_it_changes) {
    static const char *const unchanged[] = {"abc",   "\"a b\"", "'abc'", "E'abc'",
                                            "$$a$$", "12",      "1.5",   "B'01'"};
    arena memory = arena_open(0);
    for (size_t i = 0; i < sizeof unchanged / sizeof unchanged[0]; i++) {
        firn_error err = ERR_INIT;
        text value;
        CHECK(take_token(text_of(unchanged[i]), &memory, &value, &err) == FIRN_OK);
    }
    arena_close(&memory);
}

TEST(token_text_refuses_what_is_no_text_or_number) {
    static const struct {
        const char *sql;
        const char *state;
        uint64_t position;
        const char *words;
    } cases[] = {
        {"'a\xff'", "22021", 2, "the byte 0xff is not UTF-8"},
        {"'\xc3'", "22021", 1, "0xc3"},
        {"'\xc0\x80'", "22021", 1, "0xc0"},
        {"'\xed\xa0\x80'", "22021", 1, "0xed"},
        {"'\xf4\x90\x80\x80'", "22021", 1, "0xf4"},
        {"'\xe4\xb8'", "22021", 1, "0xe4"},
        {"'\xf0\x9f\x98 '", "22021", 1, "0xf0"},
        {"\"\x80\"", "22021", 1, "0x80"},
        {"\xc3", "22021", 0, "0xc3"},
        {"$$\xc3$$", "22021", 2, "0xc3"},
        {"E'\\0'", "22021", 2, "0x00"},
        {"E'\\xff'", "22021", 2, "0xff"},
        {"E'ab\\u12'", "42601", 4, "a wrong Unicode escape"},
        {"E'\\U00110000'", "42601", 2, "a wrong Unicode escape"},
        {"E'\\uD800'", "42601", 2, "a wrong Unicode escape"},
        {"U&'ab\\006'", "42601", 5, "a wrong Unicode escape"},
        {"U&'\\D83D'", "42601", 3, "a wrong Unicode escape"},
        {"U&'\\D83Dx'", "42601", 3, "a wrong Unicode escape"},
        {"U&'\\DE00'", "42601", 3, "a wrong Unicode escape"},
        {"U&'\\0000'", "42601", 3, "a wrong Unicode escape"},
        {"U&'\\+110000'", "42601", 3, "a wrong Unicode escape"},
        {"U&'a\\'", "42601", 4, "a wrong Unicode escape"},
        {"U&\"!00zz\" uescape '!'", "42601", 3, "!XXXX and !+XXXXXX"},
        {"U&'a\xff'", "22021", 4, "0xff"},
        {"0x1_0000_0000_0000_0000_0000_0000_0000_0000", "22003", 0, "more than 128 bits"},
        {"0b12", "42601", 3, "\"2\" is no digit of a number that begins with 0b"},
        {"0o18", "42601", 3, "0o"},
        {"X'1'", "42601", 0, "an even number of the digits"},
        {"X'1G'", "42601", 0, "an even number of the digits"},
        {"B'012'", "42601", 0, "holds only 0 and 1"},
    };
    arena memory = arena_open((size_t)1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        firn_error err = ERR_INIT;
        text value;
        if (take_token(text_of(cases[i].sql), &memory, &value, &err) != FIRN_INVALID ||
            strcmp(err.sqlstate, cases[i].state) != 0 || err.position != cases[i].position ||
            strstr(err.text, cases[i].words) == NULL) {
            test_fail(__FILE__, __LINE__, cases[i].sql);
        }
    }
    arena_close(&memory);
}

TEST(token_text_takes_all_of_utf8) {
    static const char *const valid[] = {
        "'\xc2\x80'",         "'\xdf\xbf'",         "'\xe0\xa0\x80'",
        "'\xed\x9f\xbf'",     "'\xee\x80\x80'",     "'\xef\xbf\xbf'",
        "'\xf0\x90\x80\x80'", "'\xf4\x8f\xbf\xbf'", "'\x7f\x01'"};
    arena memory = arena_open(0);
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++) {
        firn_error err = ERR_INIT;
        text value;
        CHECK(take_token(text_of(valid[i]), &memory, &value, &err) == FIRN_OK);
    }
    arena_close(&memory);
}
