// SQL text to tokens, one at a time, on demand. The tokens hold no text: position and length in the
// SQL text say all, the parser takes out what it needs (sql/token_text.h).
//
// Skipped between tokens: blanks, `-- to the end of the line`, `/* nested /* comments */ */`.
#ifndef FIRN_SQL_LEXER_H
#define FIRN_SQL_LEXER_H

#include "base/error.h"
#include "base/text.h"
#include "sql/ast.h"
#include "sql/keywords.h"

typedef enum sql_token_kind {
    TOKEN_END,           // Of the text.
    TOKEN_WRONG,         // Never from the lexer: the parser's mark where the lexer failed.
    TOKEN_WORD,          // An unquoted name or a keyword.
    TOKEN_QUOTED,        // "name", `name` or U&"name"
    TOKEN_INTEGER,       // 1, 1_000, 0x1F, 0o17, 0b11
    TOKEN_DECIMAL,       // 1.5, .5, 5.
    TOKEN_DOUBLE,        // 1e3
    TOKEN_STRING,        // 'text', and more of them behind line breaks
    TOKEN_ESCAPE_STRING, // E'text\n'
    TOKEN_DOLLAR_STRING, // $tag$text$tag$
    TOKEN_BLOB,          // X'1F'
    TOKEN_BITS,          // B'101'
    TOKEN_PARAMETER,     // ?, $1, $name
    TOKEN_OPERATOR,      // `op` says which
    TOKEN_COMMA,
    TOKEN_DOT,
    TOKEN_SEMICOLON,
    TOKEN_COLON,
    TOKEN_CAST,   // ::
    TOKEN_ASSIGN, // :=
    TOKEN_NAMED,  // =>
    TOKEN_LEFT_PAREN,
    TOKEN_RIGHT_PAREN,
    TOKEN_LEFT_BRACKET,
    TOKEN_RIGHT_BRACKET,
    TOKEN_LEFT_BRACE,
    TOKEN_RIGHT_BRACE,
    TOKEN_KIND_COUNT,
} sql_token_kind;

typedef struct sql_token {
    uint8_t kind;     // A sql_token_kind.
    uint8_t op;       // A sql_operator, SQL_OP_NONE unless kind is TOKEN_OPERATOR.
    uint16_t keyword; // A sql_keyword, KW_NONE unless kind is TOKEN_WORD.
    uint32_t position;
    uint32_t length;
    bool is_ascii;  // Of a TOKEN_WORD: no byte of it is beyond ASCII.
    uint8_t escape; // Of U&'text' and U&"name": what begins an escape there; else 0.
} sql_token;

typedef struct sql_lexer {
    text sql;    // At most UINT32_MAX bytes.
    uint32_t at; // Where the next token, or what is skipped before it, begins.
} sql_lexer;

/// Reads the next token. At the end of the text it is TOKEN_END, again and again.
///
/// Errors: FIRN_INVALID with SQLSTATE 42601 and position: quotes and comments that never end,
///         letters behind a number, characters that begin nothing.
firn_status sql_lexer_next(sql_lexer *self, sql_token *out, firn_error *err);

#endif
