// What of a file becomes a column: a tree that follows the wanted type.
//
// The wanted type may have fewer struct fields than the file has (they are not read), more (they
// are NULL), or wider numbers. Fields are matched by name or by field id.
#ifndef FIRN_FORMATS_PARQUET_PQ_PICK_H
#define FIRN_FORMATS_PARQUET_PQ_PICK_H

#include "column/column.h"
#include "formats/parquet/pq_dictionary.h"
#include "formats/parquet/pq_file.h"

typedef enum pq_pick_kind {
    PQ_PICK_LEAF,
    PQ_PICK_STRUCT,
    PQ_PICK_LIST,     // LIST and MAP.
    PQ_PICK_CONSTANT, // Not in the file: one value for all rows.
    PQ_PICK_POSITION  // The row's number in the file, from 0.
} pq_pick_kind;

typedef struct pq_pick {
    pq_pick_kind kind;
    const type *type;
    const pq_node *node;    // NULL for CONSTANT and POSITION.
    pq_target target;       // LEAF
    const column *constant; // CONSTANT: a column of one row.
    uint32_t reader;        // The reader's: which leaf reader gives the values, or the shape.
    uint32_t child_count;
    struct pq_pick *children;
} pq_pick;

typedef enum pq_match { PQ_MATCH_NAME, PQ_MATCH_ID } pq_match;

/// The place of something in a file: a node, and its type there.
typedef struct pq_file_field {
    const pq_node *node; // NULL: the file has none.
    const type *type;
} pq_file_field;

/// The i-th top-level column of a file.
pq_file_field pq_file_column(const pq_file *self, uint32_t i);

/// The top-level column with this name or id; of several with one name the first. {NULL} if none.
pq_file_field pq_file_find(const pq_file *self, pq_match match, text name, int32_t id);

/// The child of a struct likewise.
pq_file_field pq_file_find_child(const pq_file_field *parent, pq_match match, text name,
                                 int32_t id);

/// A column of type `wanted` (NULL: as it is in the file) made of `from`, in `memory`.
///
/// Errors: FIRN_UNSUPPORTED with both types if one cannot become the other; FIRN_NO_MEMORY.
firn_status pq_pick_make(const pq_file *file, const pq_file_field *from, const type *wanted,
                         pq_match match, arena *memory, pq_pick *out, firn_error *err);

/// A column that is NULL in all rows.
firn_status pq_pick_null(const type *kind, arena *memory, pq_pick *out, firn_error *err);

/// A column of one value; `value` is a column of one row that lives as long as the pick.
pq_pick pq_pick_constant(const column *value);

/// The number of each row in the file, as UBIGINT.
pq_pick pq_pick_position(void);

#endif
