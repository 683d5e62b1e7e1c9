// Reads and writes Thrift's compact protocol, driven by tables: pq_format.c holds one per structure
// of Parquet's metadata, made from pq_format.def.
//
//     structure   fields, then a zero byte
//     field       (number - previous number) << 4 | type, or 0 << 4 | type and a zigzag number
//     true/false  the types 1 and 2, without further bytes
//     integer     zigzag varint; an i8 is one byte
//     double      8 bytes, little-endian
//     string      varint size, bytes
//     list, set   size << 4 | type (from 15 on: 15 << 4 | type, varint size), elements
//     map         varint size, then if it is not 0: key type << 4 | value type, pairs
//
// The bytes come from a file that nobody vouches for. Unknown fields are skipped, structures nest
// PQ_THRIFT_DEPTH_MAX deep at most, a list is believed only as far as the bytes that are left can
// hold its elements, and a required field that is missing is an error.
//
// Specification: apache/thrift, doc/specs/thrift-compact-protocol.md.
#ifndef FIRN_FORMATS_PARQUET_PQ_THRIFT_H
#define FIRN_FORMATS_PARQUET_PQ_THRIFT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "memory/arena.h"
#include "memory/byte_output.h"

#define PQ_THRIFT_DEPTH_MAX 32

// What a field holds and how its C member looks.
typedef enum pq_thrift_kind {
    PQ_THRIFT_NONE,   // Not in the table: skipped.
    PQ_THRIFT_BOOL,   // bool
    PQ_THRIFT_I8,     // int8_t
    PQ_THRIFT_I16,    // int16_t
    PQ_THRIFT_I32,    // int32_t
    PQ_THRIFT_I64,    // int64_t
    PQ_THRIFT_DOUBLE, // double
    PQ_THRIFT_BINARY, // bytes, borrowed from the input
    PQ_THRIFT_GROUP,  // a struct in place
    PQ_THRIFT_RARE,   // a pointer to a struct in the arena
    PQ_THRIFT_MARK,   // a struct whose content nobody wants: no member
    PQ_THRIFT_VALUES, // {size_t count; T *items} of one of the kinds BOOL, I32, I64, BINARY
    PQ_THRIFT_GROUPS, // {size_t count; struct *items}
    PQ_THRIFT_LAZY,   // bytes, borrowed from the input: a struct or list as it is encoded
    PQ_THRIFT_UNREAD  // a list whose content nobody wants: no member
} pq_thrift_kind;

typedef struct pq_thrift_struct pq_thrift_struct;

typedef struct pq_thrift_field {
    const char *name;               // For messages.
    const pq_thrift_struct *nested; // Of GROUP, RARE and GROUPS.
    uint16_t offset;                // Of the member in the C struct.
    uint8_t kind;                   // A pq_thrift_kind.
    uint8_t item;                   // Of VALUES: the kind of an element.
    uint8_t wire;                   // The compact type that is expected.
} pq_thrift_field;

// A structure: `present` (uint32_t) is its first member, a field's number is its index in `fields`.
struct pq_thrift_struct {
    const char *name;
    const pq_thrift_field *fields;
    uint32_t field_count; // At most 32.
    uint32_t required;    // A bit per field that must be there.
    uint32_t size;        // sizeof the C struct.
};

/// Reads one structure at `in` into `out`, which is of the C struct that `type` describes, and
/// leaves `in` behind it.
///
/// Borrows: strings in `out` point into the input.
/// Errors:  FIRN_CORRUPT with the name of structure and field; FIRN_NO_MEMORY.
firn_status pq_thrift_read(byte_reader *in, const pq_thrift_struct *type, void *out, arena *memory,
                           firn_error *err);

/// Reads a list of structures that is all of `input`, such as a LAZY member.
///
/// Borrows: as pq_thrift_read.
/// Errors:  as pq_thrift_read.
firn_status pq_thrift_read_list(bytes input, const pq_thrift_struct *type, arena *memory,
                                void **items, size_t *count, firn_error *err);

/// Appends one structure. Which optional fields are written is said by its `present` words.
///
/// Errors:  FIRN_NO_MEMORY. A required field that is not present is a mistake of the caller.
firn_status pq_thrift_write(byte_output *out, const pq_thrift_struct *type, const void *value,
                            firn_error *err);

// pq_statistics_table and its siblings, one per structure of pq_format.def.
#define STRUCT(s) extern const pq_thrift_struct pq_##s##_table;
#define VALUE(s, id, need, KIND, n)
#define GROUP(s, id, need, t, n)
#define RARE(s, id, t, n)
#define MARK(s, id, n)
#define VALUES(s, id, need, KIND, n)
#define GROUPS(s, id, need, t, n)
#define LAZY(s, id, WIRE, n)
#define UNREAD(s, id, n)
#define END(s)
#include "formats/parquet/pq_format.def"
#undef STRUCT
#undef VALUE
#undef GROUP
#undef RARE
#undef MARK
#undef VALUES
#undef GROUPS
#undef LAZY
#undef UNREAD
#undef END

#endif
