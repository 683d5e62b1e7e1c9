// Names and literals as SQL writes them.
#ifndef FIRN_FUNCTIONS_SCALAR_TEXT_QUOTE_H
#define FIRN_FUNCTIONS_SCALAR_TEXT_QUOTE_H

#include "expr/function.h"
#include "memory/text_builder.h"

/// Can a name only stand in quotes? All but small letters, digits and _ asks for them, and words
/// that PostgreSQL or firn reads as something else.
bool name_needs_quotes(text name);

/// Adds a name, in quotes if it needs them. Leaves off where the statement was stopped.
void put_name(const function_call *call, text name, text_builder *out);
/// Adds a literal; one with a backslash is E'...'.
void put_literal(const function_call *call, text value, text_builder *out);

#endif
