#include "sql/lexer.h"

#include <string.h>

#include "base/test.h"
#include "sql/token_text.h"

// One letter per kind of token, to write expectations with.
static const char kind_letters[TOKEN_KIND_COUNT] = {
    [TOKEN_END] = '.',           [TOKEN_WRONG] = '!',       [TOKEN_WORD] = 'w',
    [TOKEN_QUOTED] = 'q',        [TOKEN_INTEGER] = 'i',     [TOKEN_DECIMAL] = 'd',
    [TOKEN_DOUBLE] = 'f',        [TOKEN_STRING] = 's',      [TOKEN_ESCAPE_STRING] = 'e',
    [TOKEN_DOLLAR_STRING] = '$', [TOKEN_BLOB] = 'x',        [TOKEN_BITS] = 'b',
    [TOKEN_PARAMETER] = '?',     [TOKEN_OPERATOR] = 'o',    [TOKEN_COMMA] = ',',
    [TOKEN_DOT] = '\'',          [TOKEN_SEMICOLON] = ';',   [TOKEN_COLON] = ':',
    [TOKEN_CAST] = 'c',          [TOKEN_ASSIGN] = 'a',      [TOKEN_NAMED] = 'n',
    [TOKEN_LEFT_PAREN] = '(',    [TOKEN_RIGHT_PAREN] = ')', [TOKEN_LEFT_BRACKET] = '[',
    [TOKEN_RIGHT_BRACKET] = ']', [TOKEN_LEFT_BRACE] = '{',  [TOKEN_RIGHT_BRACE] = '}',
};

#define KINDS_MAX 64

// The letters of all tokens of `sql` without the end; "!" at the first error.
static firn_status lex_all(const char *sql, char *kinds, firn_error *err) {
    sql_lexer lexer = {.sql = text_of(sql)};
    size_t count = 0;
    for (;;) {
        sql_token token;
        TRY(sql_lexer_next(&lexer, &token, err));
        kinds[count] = '\0';
        if (token.kind == TOKEN_END || count == KINDS_MAX - 1) {
            return FIRN_OK;
        }
        kinds[count] = kind_letters[token.kind];
        count += 1;
    }
}

TEST(lexer_tells_the_kinds_of_tokens_apart) {
    static const struct {
        const char *sql;
        const char *kinds;
    } cases[] = {
        {"", ""},
        {" \t\r\n\f\v", ""},
        {"\xef\xbb\xbfSELECT", "w"},
        {"select a1_$ \xc3\xbc"
         "ber _x",
         "wwww"},
        {"\"a\" \"a\"\"b\" `c d`", "qqq"},
        {"1 12 1_000 0x1F 0o17 0b11", "iiiiii"},
        {"1.5 .5 5. 1_0.2_5", "dddd"},
        {"1e3 1E+3 1.5e-3 .5e1 5.e0", "fffff"},
        {"'a' 'it''s' '' 'a'\n 'b'", "ssss"},
        {"E'a\\'b' e'\\\\'", "ee"},
        {"$$it's$$ $t$a $$ b$t$ $\xc3\xa4$x$\xc3\xa4$", "$$$"},
        {"X'1F' x'' B'101' b''", "xxbb"},
        {"? $1 $12 $name", "????"},
        {"a.b, c; (d) [1:2] {x: y}", "w'w,w;(w)[i:i]{w:w}"},
        {"a::b := c => d", "wcwawnw"},
        {"+ - * / // % ^ & | # ~", "ooooooooooo"},
        {"= <> != < <= > >= << >>", "ooooooooo"},
        {"|| && -> ->> #> #>> @> <@ ^@", "ooooooooo"},
        {"~~ ~~* !~~ !~~* ~* !~ !~*", "ooooooo"},
        {"a-1 a - -1 1-1", "woiwooiioi"},
        {"a -- comment\n b", "ww"},
        {"a /* b /* c */ d */ e", "ww"},
        {"-- only a comment", ""},
        {"a/*b*/c", "ww"},
        {"1--2", "i"},
        {"e x b", "www"},
        {"ex'a'", "ws"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char kinds[KINDS_MAX] = "";
        firn_error err = ERR_INIT;
        if (lex_all(cases[i].sql, kinds, &err) != FIRN_OK || strcmp(kinds, cases[i].kinds) != 0) {
            test_fail(__FILE__, __LINE__, cases[i].sql);
        }
    }
}

TEST(lexer_says_where_a_token_lies) {
    const text sql = TEXT("  abc /* x */ 'it''s';");
    sql_lexer lexer = {.sql = sql};
    firn_error err = ERR_INIT;
    sql_token token;
    REQUIRE(sql_lexer_next(&lexer, &token, &err) == FIRN_OK);
    CHECK(token.position == 2 && token.length == 3);
    REQUIRE(sql_lexer_next(&lexer, &token, &err) == FIRN_OK);
    CHECK(token.position == 14 && token.length == 7);
    REQUIRE(sql_lexer_next(&lexer, &token, &err) == FIRN_OK);
    CHECK(token.kind == TOKEN_SEMICOLON && token.position == 21);
    REQUIRE(sql_lexer_next(&lexer, &token, &err) == FIRN_OK);
    CHECK(token.kind == TOKEN_END && token.position == 22 && token.length == 0);
    REQUIRE(sql_lexer_next(&lexer, &token, &err) == FIRN_OK);
    CHECK(token.kind == TOKEN_END);
}

TEST(lexer_refuses_what_no_token_begins_with) {
    static const struct {
        const char *sql;
        uint64_t position;
        const char *words;
        const char *hint;
    } cases[] = {
        {"a 'bc", 2, "the text that begins here is never closed", "''"},
        {"'a\\'", 0, NULL, NULL},
        {"E'a\\'", 0, "the text that begins here", "close it with '"},
        {"a \"bc", 2, "the quoted name that begins here is never closed", "doubled"},
        {"`bc", 0, "quoted name", "doubled"},
        {"\"\"", 0, "a quoted name without a letter", ""},
        {"U&\"\"", 0, "a quoted name without a letter", ""},
        {"U&'a", 0, "the text that begins here is never closed", ""},
        {"U&'a' uescape 'ab'", 14, "no escape sign", "no digit"},
        {"U&'a' uescape '0'", 14, "no escape sign", "no digit"},
        {"U&'a' uescape '+'", 14, "no escape sign", ""},
        {"U&'a' uescape ' '", 14, "no escape sign", ""},
        {"U&'a' uescape ''''", 14, "no escape sign", ""},
        {"U&'a' uescape", 13, "no escape sign", ""},
        {"U&'a' uescape x", 14, "no escape sign", ""},
        {"$$abc", 0, "the text that begins here is never closed", "$tag$"},
        {"$a$abc$b$", 0, "never closed", "$tag$"},
        {"x /* /* */", 2, "the comment that begins here is never closed", "*/"},
        {"X'1", 0, "never closed", ""},
        {"12abc", 2, "a number is followed at once by \"abc\"", "must be quoted: \"12abc\""},
        {"0X_1", 1, "followed at once by \"X_1\"", ""},
        {"0x", 1, "followed at once by \"x\"", ""},
        {"1_", 1, "followed at once by \"_\"", ""},
        {"1__0", 1, "followed at once by \"__0\"", ""},
        {"1e", 1, "followed at once by \"e\"", ""},
        {"$1a", 2, "followed at once by \"a\"", ""},
        {"$", 0, "without the number or name of a parameter", ""},
        {"a == b", 2, "\"==\" is no operator", "equality is written ="},
        {"a ! b", 2, "\"!\" begins nothing", ""},
        {"a @ b", 2, "\"@\" begins nothing", ""},
        {"a \\ b", 2, "begins nothing", ""},
        {"a \x01", 2, "the control character 0x01", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char kinds[KINDS_MAX];
        firn_error err = ERR_INIT;
        const firn_status status = lex_all(cases[i].sql, kinds, &err);
        if (cases[i].words == NULL) { // A backslash is nothing special without E.
            CHECK(status == FIRN_OK);
            continue;
        }
        if (status != FIRN_INVALID || strcmp(err.sqlstate, "42601") != 0 ||
            err.position != cases[i].position || strstr(err.text, cases[i].words) == NULL ||
            strstr(err.hint, cases[i].hint) == NULL) {
            test_fail(__FILE__, __LINE__, cases[i].sql);
        }
    }
}

TEST(lexer_takes_nul_as_a_byte_like_others) {
    const text sql = {.data = "a\0b", .size = 3};
    sql_lexer lexer = {.sql = sql};
    firn_error err = ERR_INIT;
    sql_token token;
    REQUIRE(sql_lexer_next(&lexer, &token, &err) == FIRN_OK);
    CHECK(sql_lexer_next(&lexer, &token, &err) == FIRN_INVALID);
    CHECK(strstr(err.text, "0x00") != NULL);
}

// ---- Keywords ----------------------------------------------------------------------------------

static sql_keyword find(text word) {
    uint32_t hash = KEYWORD_HASH_START;
    for (size_t i = 0; i < word.size; i++) {
        hash = sql_keyword_hash_add(hash, (uint8_t)word.data[i]);
    }
    return sql_keyword_find(word, hash);
}

TEST(keywords_are_found_in_any_case) {
    for (uint32_t i = KW_NONE + 1; i < KW_COUNT; i++) {
        const text word = sql_keyword_text((sql_keyword)i);
        char lower[64];
        char mixed[64];
        REQUIRE(word.size < sizeof lower);
        for (size_t at = 0; at < word.size; at++) {
            const char byte = word.data[at];
            lower[at] = byte == '_' ? '_' : (char)(byte | 0x20);
            mixed[at] = at % 2 == 0 ? byte : lower[at];
        }
        CHECK(find(word) == (sql_keyword)i);
        CHECK(find((text){.data = lower, .size = word.size}) == (sql_keyword)i);
        CHECK(find((text){.data = mixed, .size = word.size}) == (sql_keyword)i);
        CHECK(find(text_slice(word, 0, word.size - 1)) != (sql_keyword)i);
    }
}

TEST(keywords_are_not_found_in_other_words) {
    static const char *const others[] = {"",          "a",    "selec",      "selects", "zzz",
                                         "sel\005ct", "fr0m", "as\xc3\xbc", "\x01s",   "group\x7f"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        CHECK(find(text_of(others[i])) == KW_NONE);
    }
}

TEST(keywords_stand_in_order_and_once) {
    for (uint32_t i = KW_NONE + 2; i < KW_COUNT; i++) {
        CHECK(text_compare(sql_keyword_text((sql_keyword)(i - 1)),
                           sql_keyword_text((sql_keyword)i)) < 0);
    }
    CHECK(sql_keyword_use_of(KW_NONE) == KEYWORD_FREE);
    CHECK(sql_keyword_use_of(KW_SELECT) == KEYWORD_RESERVED);
    CHECK(sql_keyword_use_of(KW_LEFT) == KEYWORD_JOIN);
    CHECK(sql_keyword_use_of(KW_OFFSET) == KEYWORD_LABEL);
}
