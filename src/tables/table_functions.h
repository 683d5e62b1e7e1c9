// What functions stand in FROM, and which named arguments they take: for SHOW FUNCTIONS and hints.
#ifndef FIRN_TABLES_TABLE_FUNCTIONS_H
#define FIRN_TABLES_TABLE_FUNCTIONS_H

#include "base/nearest.h"

/// One signature of one of them.
typedef struct table_function {
    const char *name;
    const char *signature;
    const char *summary;
} table_function;

/// A named argument.
typedef struct table_option {
    const char *function;
    const char *name;
    const char *takes;
    const char *summary;
} table_option;

uint32_t table_function_count(void);
const table_function *table_function_at(uint32_t index);
uint32_t table_option_count(void);
const table_option *table_option_at(uint32_t index);

/// Adds to an error, which says that there is no such function: the nearest, else all there are.
void table_function_hint(text name, firn_error *err);
/// The same for a named argument of a function.
void table_option_hint(const char *function, text name, firn_error *err);

#endif
