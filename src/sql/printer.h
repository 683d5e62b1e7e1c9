// Syntax tree to SQL text, on one line: for views, column names, EXPLAIN and tests. The text parses
// back to an equal tree. Keywords in capitals, names as they were written, functions in lower case,
// no more parentheses than are needed.
//
// Recursion is bounded by SQL_DEPTH_MAX. Running out of memory shows in text_builder_finish.
#ifndef FIRN_SQL_PRINTER_H
#define FIRN_SQL_PRINTER_H

#include "memory/text_builder.h"
#include "sql/ast.h"

void sql_print_statement(text_builder *out, const sql_statement *statement);
void sql_print_query(text_builder *out, const sql_query *query);
void sql_print_expr(text_builder *out, const sql_expr *expr);
void sql_print_type(text_builder *out, const sql_type *type);

/// Any node, also a relation or a piece such as a sql_order_item.
void sql_print_node(text_builder *out, const sql_node *node);

/// A name as it must be written: as it is, or "quoted" if it was quoted or could not be read back
/// otherwise.
void sql_print_name(text_builder *out, const sql_name *name);

/// A name that was not written but is known: quoted where it could not be read back anywhere.
void sql_print_known_name(text_builder *out, text name);

/// Is an option of ATTACH known to hold no secret? All others are printed as '***', whatever they
/// are called: it may be a misspelled one.
bool sql_is_harmless_option(text name);

/// A text as a literal: 'it''s'.
void sql_print_string(text_builder *out, text value);

#endif
