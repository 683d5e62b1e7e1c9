// Avro schemas: the JSON text of one as a tree.
//
// A tree is read-only and lies in one arena. A named type that refers to itself makes it a graph
// with cycles, so whoever walks it counts the depth. Names are taken as they are: Java writes such
// as `日付`, which Avro's own rules forbid. Unknown attributes are ignored, and so are logical
// types that do not fit what they stand on, as the specification asks.
//
// Specification: Apache Avro 1.12, "Schema Declaration" and "Logical Types"; Apache Iceberg,
// Appendix A, "Avro", for the attributes with field ids.
#ifndef FIRN_FORMATS_AVRO_AVRO_SCHEMA_H
#define FIRN_FORMATS_AVRO_AVRO_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/text.h"
#include "memory/arena.h"

// Kind, word in schemas.
#define AVRO_KIND_LIST(X)                                                                          \
    X(NULL, "null")                                                                                \
    X(BOOLEAN, "boolean")                                                                          \
    X(INT, "int")                                                                                  \
    X(LONG, "long")                                                                                \
    X(FLOAT, "float")                                                                              \
    X(DOUBLE, "double")                                                                            \
    X(BYTES, "bytes")                                                                              \
    X(STRING, "string")                                                                            \
    X(RECORD, "record")                                                                            \
    X(ENUM, "enum")                                                                                \
    X(ARRAY, "array")                                                                              \
    X(MAP, "map")                                                                                  \
    X(UNION, "union")                                                                              \
    X(FIXED, "fixed")

#define X(name, word) AVRO_##name,
typedef enum avro_kind { AVRO_KIND_LIST(X) AVRO_KIND_COUNT } avro_kind;
#undef X

// Logical type, word in schemas.
#define AVRO_LOGICAL_LIST(X)                                                                       \
    X(DECIMAL, "decimal")                                                                          \
    X(UUID, "uuid")                                                                                \
    X(DATE, "date")                                                                                \
    X(TIME_MILLIS, "time-millis")                                                                  \
    X(TIME_MICROS, "time-micros")                                                                  \
    X(TIME_NANOS, "time-nanos")                                                                    \
    X(TIMESTAMP_MILLIS, "timestamp-millis")                                                        \
    X(TIMESTAMP_MICROS, "timestamp-micros")                                                        \
    X(TIMESTAMP_NANOS, "timestamp-nanos")                                                          \
    X(LOCAL_TIMESTAMP_MILLIS, "local-timestamp-millis")                                            \
    X(LOCAL_TIMESTAMP_MICROS, "local-timestamp-micros")                                            \
    X(LOCAL_TIMESTAMP_NANOS, "local-timestamp-nanos")                                              \
    X(DURATION, "duration")                                                                        \
    X(MAP, "map")                                                                                  \
    X(VARIANT, "variant")

#define X(name, word) AVRO_LOGICAL_##name,
typedef enum avro_logical {
    AVRO_LOGICAL_NONE,
    AVRO_LOGICAL_LIST(X) AVRO_LOGICAL_COUNT
} avro_logical;
#undef X

/// Whether an instant or a wall clock is meant, by Iceberg's attribute adjust-to-utc.
typedef enum avro_adjust { AVRO_ADJUST_UNSAID, AVRO_ADJUST_TO_UTC, AVRO_ADJUST_NOT } avro_adjust;

#define AVRO_ID_NONE (-1)
#define AVRO_DEPTH_MAX 128 // Types inside each other, as they are written down.

typedef struct avro_schema avro_schema;

/// A field of a record.
typedef struct avro_field {
    text name;
    text original_name; // Attribute iceberg-field-name, else `name`.
    const avro_schema *schema;
    int32_t id; // Attribute field-id, else AVRO_ID_NONE.
    uint32_t alias_count;
    const text *aliases;
} avro_field;

struct avro_schema {
    avro_kind kind;
    avro_logical logical;
    avro_adjust adjust;  // Of timestamps.
    uint32_t precision;  // Of decimals: at least 1.
    uint32_t scale;      // At most the precision.
    uint32_t size;       // Of fixed, in bytes.
    uint32_t size_min;   // The fewest bytes a value takes. 0: every value takes none.
    uint32_t count;      // Of fields, symbols, branches.
    uint32_t number;     // Counts the records of a tree.
    bool is_shared;      // A record to which some other place refers by name.
    text name;           // Full name, with namespace, of record, enum, fixed; else "".
    const text *aliases; // Full names; of the same.
    uint32_t alias_count;
    const avro_field *fields;          // Of a record.
    const text *symbols;               // Of an enum.
    const avro_schema *const *choices; // The branches of a union.
    const avro_schema *element;        // Items of an array, values of a map.
    int32_t element_id;                // Attribute element-id of an array, ...
    int32_t key_id;                    // ... key-id of a map, ...
    int32_t value_id;                  // ... and value-id; else AVRO_ID_NONE.
};

/// Reads a schema.
///
/// Borrows: `json` as long as the tree is used.
/// Errors:  FIRN_CORRUPT if it is no JSON or no schema, FIRN_UNSUPPORTED if it is nested more than
///          AVRO_DEPTH_MAX deep, FIRN_NO_MEMORY.
firn_status avro_schema_read(arena *memory, bytes json, const avro_schema **out, firn_error *err);

/// "string", or the full name of a named type: for messages.
text avro_schema_text(const avro_schema *self);

/// The field with an id; NULL if `self` is no record or has none.
const avro_field *avro_field_by_id(const avro_schema *self, int32_t id);

/// The field with a name: its original name, else its own. NULL if there is none.
const avro_field *avro_field_by_name(const avro_schema *self, text name);

/// If `self` is a union of null and one other type: that type, and which branch null is.
/// NULL for everything else.
const avro_schema *avro_option_of(const avro_schema *self, uint32_t *null_branch);

/// Whether any field, element, key or value has an id.
bool avro_schema_has_ids(const avro_schema *self);

#endif
