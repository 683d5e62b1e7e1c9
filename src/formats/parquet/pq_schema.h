// The schema of a Parquet file as a tree of values, lists, maps and structs.
//
// The file lists its schema elements in depth-first order; a list is written as two or three nested
// elements. Here a list is one node:
//
//     optional group tags (LIST) {            LIST "tags", nullable
//         repeated group list {                    definition 1: not NULL
//             optional binary element;             element_definition 2: an element is there
//         }                                   LEAF "element", nullable
//     }                                            definition 3: not NULL
//
// Levels: the definition level of an entry says how far down its path is there. A node is not NULL
// where the level is at least its `definition`; a list has an element where it is at least
// `element_definition`. The repetition level says which list goes on: 0 starts a row, `repetition`
// of a node counts the lists around it.
//
// Recognised besides the three-level form: two-level lists of old writers (the repeated field is
// the element when it is a leaf, has several children or is called "array" or "<list>_tuple"),
// repeated fields outside any list (a list without NULLs), maps by either annotation, and maps
// without values. A LIST or MAP annotation on a group of another shape is ignored.
//
// Specification: apache/parquet-format, LogicalTypes.md, "Nested Types".
#ifndef FIRN_FORMATS_PARQUET_PQ_SCHEMA_H
#define FIRN_FORMATS_PARQUET_PQ_SCHEMA_H

#include "base/text.h"
#include "formats/parquet/pq_format.h"
#include "memory/arena.h"

// How deep schema elements may nest, the root not counted. Levels fit a byte with room to spare.
#define PQ_SCHEMA_DEPTH_MAX 100

typedef enum pq_node_kind { PQ_NODE_LEAF, PQ_NODE_STRUCT, PQ_NODE_LIST, PQ_NODE_MAP } pq_node_kind;

typedef struct pq_node {
    pq_node_kind kind;
    bool is_nullable;
    bool has_field_id;
    uint8_t definition;         // Not NULL from this definition level on.
    uint8_t repetition;         // How many lists and maps this node lies in.
    uint8_t element_definition; // LIST, MAP: an element is there from this level on.
    int32_t field_id;           // Valid with has_field_id.
    uint32_t first_leaf;        // The leaves below are first_leaf ... first_leaf + leaf_count - 1.
    uint32_t leaf_count;
    text name;
    // Where its annotations are; for LIST and MAP the outer group.
    const pq_schema_element *element;
    size_t child_count; // STRUCT: any; LIST: 1; MAP: 2, or 1 when it has no values.
    struct pq_node *children COUNTED_BY(child_count);
} pq_node;

// A column of the file.
typedef struct pq_leaf {
    const pq_node *node;
    const pq_schema_element *element;
    pq_type type;
    uint32_t width;         // Bytes a value: 0 for BYTE_ARRAY, 1 for BOOLEAN.
    uint8_t definition_max; // Equal to node->definition.
    uint8_t repetition_max; // Equal to node->repetition.
} pq_leaf;

typedef struct pq_schema {
    pq_node root; // STRUCT, not nullable.
    size_t leaf_count;
    pq_leaf *leaves COUNTED_BY(leaf_count);
} pq_schema;

/// Builds the tree in `memory`, which it borrows `elements` from.
///
/// Errors:  FIRN_CORRUPT if child counts do not fit the list, an element is neither a leaf nor a
///          group, a type or repetition is unknown, or elements nest too deeply; FIRN_NO_MEMORY.
firn_status pq_schema_build(const pq_schema_element_list *elements, arena *memory,
                            const pq_schema **out, firn_error *err);

/// The name of a leaf with those of the nodes above it, such as "address.tags.element".
firn_status pq_schema_leaf_path(const pq_schema *self, uint32_t leaf, arena *memory, text *out,
                                firn_error *err);

#endif
