// SQL text to syntax tree. PostgreSQL's grammar and precedence, with what people who query lakes
// also write: FROM first, * EXCLUDE, QUALIFY, [1, 2], {'a': 1}, time travel, ASOF JOIN ...
//
// Errors of the three functions: FIRN_INVALID with SQLSTATE 42601 (syntax), 22003 (a number that is
// too large), 22021 (text that is not UTF-8), 54001 (nested too deeply) or 54000 (a text longer
// than 4 GiB), with the byte of the text that is at fault, what stands there and what was expected,
// and a hint where one helps. FIRN_NO_MEMORY when the arena is full.
//
// Borrows: the tree points into `sql`, which must live as long as the tree does.
// Threads: nothing is shared.
#ifndef FIRN_SQL_PARSER_H
#define FIRN_SQL_PARSER_H

#include "memory/arena.h"
#include "sql/ast.h"

/// Parses the statement that begins at byte `offset` of `sql` and the `;` behind it. Positions in
/// the tree and in errors count from the start of `sql`.
///
/// `*out` is NULL when nothing but blanks, comments and `;` is left. `*used` is where the next
/// statement begins: `sql.size` when this was the last one.
///
///     for (size_t at = 0; at < sql.size;) {
///         const sql_statement *statement;
///         TRY(sql_parse_statement(sql, at, memory, &statement, &at, err));
///         if (statement != NULL) { ... }
///     }
firn_status sql_parse_statement(text sql, size_t offset, arena *memory, const sql_statement **out,
                                size_t *used, firn_error *err);

/// Parses a text that is one expression, such as a filter or a default.
firn_status sql_parse_expression(text sql, arena *memory, const sql_expr **out, firn_error *err);

/// Parses a text that is one type, such as "DECIMAL(10, 2)[]".
firn_status sql_parse_type(text sql, arena *memory, const sql_type **out, firn_error *err);

#endif
