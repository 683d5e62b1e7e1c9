// Name mapping: field ids for files that have none, by the names of their columns.
//
//     [{"field-id": 1, "names": ["id", "record_id"]},
//      {"field-id": 2, "names": ["loc"], "fields": [{"field-id": 3, "names": ["x"]}]}]
//
// A file without ids is read by name: ice_mapping_rename makes of the type that is wanted one with
// the names that the file has for the same ids.
//
// Specification: apache/iceberg, format/spec.md, "Column Projection", "Name Mapping Serialization".
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_MAPPING_H
#define FIRN_TABLES_ICEBERG_ICEBERG_MAPPING_H

#include "column/column.h"
#include "memory/json_tree.h"

typedef struct ice_mapping ice_mapping;
typedef struct ice_mapped {
    int32_t field_id; ///< -1: the name is known, but of no field.
    uint32_t name_count;
    const text *names;
    const ice_mapping *fields; ///< NULL: none.
} ice_mapped;

struct ice_mapping {
    uint32_t count;
    const ice_mapped *items;
};

/// Reads the JSON of a mapping. Errors: FIRN_CORRUPT, FIRN_NO_MEMORY.
firn_status ice_mapping_read(const json_node *list, arena *memory, const ice_mapping **out,
                             firn_error *err);

/// The field of `file` whose mapped id is `id`, or NULL; *below is the mapping of its children.
const field *ice_mapping_find(const ice_mapping *self, const schema *file, int32_t id,
                              const ice_mapping **below);

/// `wanted` with the names that its fields have in `file`, a type of the file; fields that the file
/// lacks get a name that it lacks too. In `memory`, NULL when it is full.
const type *ice_mapping_rename(const ice_mapping *self, const type *file, const type *wanted,
                               arena *memory);

/// Whether any field of a file's schema has an id.
bool ice_schema_has_ids(const schema *file);

#endif
