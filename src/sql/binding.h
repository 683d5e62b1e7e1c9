// How tightly the forms of expressions hold their operands, as PostgreSQL has it (manual, 4.1.6):
// the parser and the printer agree on it by sharing it.
#ifndef FIRN_SQL_BINDING_H
#define FIRN_SQL_BINDING_H

#include "sql/ast.h"

// A greater number binds tighter. Operators of one level are taken from left to right, but
// comparisons do not chain: a < b < c is an error.
typedef enum sql_binding {
    SQL_BIND_NONE, // No operator.
    SQL_BIND_OR,
    SQL_BIND_AND,
    SQL_BIND_NOT,
    SQL_BIND_IS,
    SQL_BIND_COMPARISON,
    SQL_BIND_LIKE,  // BETWEEN, IN, LIKE, ILIKE, SIMILAR TO, OVERLAPS
    SQL_BIND_OTHER, // All operators that are not named here.
    SQL_BIND_ADDITIVE,
    SQL_BIND_MULTIPLICATIVE,
    SQL_BIND_POWER,
    SQL_BIND_TIME_ZONE,
    SQL_BIND_COLLATE,
    SQL_BIND_UNARY, // + and - before an operand: -2 ^ 2 is 4.
    SQL_BIND_CAST,
    SQL_BIND_PRIMARY, // Names, literals, calls, whatever stands in brackets.
} sql_binding;

/// One step tighter, for the right operand of what is taken from left to right.
static inline sql_binding sql_binding_above(sql_binding binding) {
    return (sql_binding)(binding + 1);
}

static inline sql_binding sql_operator_binding(sql_operator op) {
    static const uint8_t bindings[] = {
#define X(constant, spelling, binding) [constant] = SQL_BIND_##binding,
        SQL_OPERATORS(X)
#undef X
    };
    return (sql_binding)bindings[op];
}

#endif
