// The kinds of fields that expressions and plan nodes are made of, and the generic walks over them.
//
// A node's fields are listed once (expr/expr.h, plan/plan.h). From the lists come the struct
// members and a table of descriptors (kind, offset); from the descriptors come equality, hash,
// copy, print, encode and decode: plan/node_fields.c has one function per walk with one case per
// kind of field.
#ifndef FIRN_PLAN_NODE_FIELDS_H
#define FIRN_PLAN_NODE_FIELDS_H

#include "plan/plan.h"

#define FIELD_KIND_LIST(X)                                                                         \
    X(U32)                                                                                         \
    X(U64)                                                                                         \
    X(I64)                                                                                         \
    X(BOOL)                                                                                        \
    X(TEXT)                                                                                        \
    X(BYTES)                                                                                       \
    X(TYPE)                                                                                        \
    X(SCHEMA)                                                                                      \
    X(LITERAL)                                                                                     \
    X(COLUMN_DATA)                                                                                 \
    X(EXPR)                                                                                        \
    X(EXPRS)                                                                                       \
    X(U32S)                                                                                        \
    X(SORT_KEYS)                                                                                   \
    X(FUNCTION)                                                                                    \
    X(AGGREGATE)                                                                                   \
    X(PLAN)                                                                                        \
    X(PLANS)                                                                                       \
    X(SCAN_COLUMNS)                                                                                \
    X(COLUMNS_DATA)

#define X(name) FIELD_##name,
typedef enum field_kind { FIELD_KIND_LIST(X) FIELD_KIND_COUNT } field_kind;
#undef X

typedef struct field_descriptor {
    field_kind kind;
    uint32_t offset; ///< In struct expr or struct plan_node.
    const char *name;
} field_descriptor;

typedef struct node_descriptor {
    const char *name; ///< As EXPLAIN shows it and as it is encoded.
    uint32_t field_count;
    const field_descriptor *fields;
} node_descriptor;

extern const node_descriptor expr_descriptors[EXPR_KIND_COUNT];
extern const node_descriptor plan_descriptors[PLAN_KIND_COUNT];

#endif
