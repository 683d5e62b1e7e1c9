// What stands in a token: quotes, escapes, underscores and number systems undone.
//
// The results point into the SQL text where nothing had to be changed, else into `memory`.
// Errors name the place inside the token; texts and names must be UTF-8 without NUL (22021).
#ifndef FIRN_SQL_TOKEN_TEXT_H
#define FIRN_SQL_TOKEN_TEXT_H

#include "memory/arena.h"
#include "sql/lexer.h"

/// The bytes of the token as they were written.
static inline text sql_token_raw(text sql, const sql_token *token) {
    return text_slice(sql, token->position, (size_t)token->position + token->length);
}

/// The name of a TOKEN_WORD or TOKEN_QUOTED.
firn_status sql_token_name(text sql, const sql_token *token, arena *memory, text *out,
                           firn_error *err);

/// The text of a TOKEN_STRING, TOKEN_ESCAPE_STRING or TOKEN_DOLLAR_STRING.
firn_status sql_token_string(text sql, const sql_token *token, arena *memory, text *out,
                             firn_error *err);

/// The digits of a TOKEN_INTEGER (decimal, whatever was written), TOKEN_DECIMAL or TOKEN_DOUBLE.
/// 22003 when 0x, 0o or 0b stands before more than 128 bits.
firn_status sql_token_number(text sql, const sql_token *token, arena *memory, text *out,
                             firn_error *err);

/// The bytes of a TOKEN_BLOB, or the digits 0 and 1 of a TOKEN_BITS.
firn_status sql_token_bytes(text sql, const sql_token *token, arena *memory, text *out,
                            firn_error *err);

#endif
