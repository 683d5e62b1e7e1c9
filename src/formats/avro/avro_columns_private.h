// The compiled form of avro_columns: a tree of nodes, one for each value that is decoded.
#ifndef FIRN_FORMATS_AVRO_AVRO_COLUMNS_PRIVATE_H
#define FIRN_FORMATS_AVRO_AVRO_COLUMNS_PRIVATE_H

#include "formats/avro/avro_columns.h"
#include "formats/avro/avro_plan.h"

// How a value is read, and what it is written as.
typedef enum avro_node_kind {
    AVRO_NODE_MISSING,       // The file has no such field.
    AVRO_NODE_NULL,          // Nothing; NULL.
    AVRO_NODE_BIT,           // boolean
    AVRO_NODE_I32,           // int
    AVRO_NODE_I64,           // int or long, times `factor`
    AVRO_NODE_F32,           // float
    AVRO_NODE_F64,           // double
    AVRO_NODE_F64_OF_F32,    // float
    AVRO_NODE_TEXT,          // string or bytes, as VARCHAR
    AVRO_NODE_BYTES,         // string or bytes, as BINARY; `size` bytes if that is not 0
    AVRO_NODE_FIXED,         // fixed of `size` bytes
    AVRO_NODE_UUID_TEXT,     // string
    AVRO_NODE_ENUM,          // enum of symbol_count `symbols`
    AVRO_NODE_DECIMAL_BYTES, // bytes
    AVRO_NODE_DECIMAL_FIXED, // fixed of `size` bytes
    AVRO_NODE_INTERVAL,      // fixed(12): months, days, milliseconds
    AVRO_NODE_LIST,          // array; child 0
    AVRO_NODE_MAP,           // map; child 1 is the value, child 0 its key
    AVRO_NODE_PAIRS,         // array of records; `pair` is the record, with children 0 and 1
    AVRO_NODE_STRUCT,        // record
    AVRO_NODE_CHOICE,        // union of values that all become this column's type
    AVRO_NODE_MEMBERS,       // union, a child for each branch that is not null
} avro_node_kind;

typedef struct avro_node avro_node;

// A run of fields of a record that nobody wants, or one that somebody wants.
typedef struct avro_step {
    const avro_plan *skip; // NULL: a wanted field.
    uint32_t child;
    text name;
} avro_step;

#define AVRO_NO_BRANCH UINT32_MAX

struct avro_node {
    avro_node_kind kind;
    const type *type;  // Of the column; children have those of its children.
    physical physical; // Of the same.
    bool is_nullable;
    // The value is in a union of two, this one null. AVRO_NO_BRANCH: it isn't.
    uint32_t null_branch;
    uint32_t size;
    uint32_t precision;
    int64_t factor;
    uint32_t item_size_min; // LIST, MAP, PAIRS.
    uint32_t symbol_count;
    const string_value *symbols;
    uint32_t child_count;
    const avro_node *children; // As type->children.
    uint32_t step_count;       // STRUCT and PAIRS: of the record.
    const avro_step *steps;
    uint32_t branch_count;            // CHOICE, MEMBERS: of the union.
    const uint32_t *branch_children;  // MEMBERS: per branch the child, AVRO_NO_BRANCH for null.
    const avro_node *const *branches; // CHOICE: per branch how it is read, NULL for null.
    const column *missing;            // MISSING: one row; NULL: null.
};

struct avro_columns {
    avro_node root; // A STRUCT of the wanted columns.
    const avro_plan *skip;
};

#endif
