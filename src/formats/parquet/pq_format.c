// The tables of pq_format.def for the Thrift reader and writer, and names for messages.
#include "formats/parquet/pq_format.h"

#include <stddef.h>

#include "formats/parquet/pq_thrift.h"

// Compact types on the wire; see pq_thrift.h.
#define WIRE_BOOL 1
#define WIRE_I8 3
#define WIRE_I16 4
#define WIRE_I32 5
#define WIRE_I64 6
#define WIRE_DOUBLE 7
#define WIRE_BINARY 8
#define WIRE_LIST 9
#define WIRE_STRUCT 12

// The field tables: a field's number is its index.
#define STRUCT(s) static const pq_thrift_field fields_##s[] = {
#define VALUE(s, id, need, KIND, n)                                                                \
    [id] = {                                                                                       \
        .name = #n, .offset = offsetof(pq_##s, n), .kind = PQ_THRIFT_##KIND, .wire = WIRE_##KIND},
#define GROUP(s, id, need, t, n)                                                                   \
    [id] = {.name = #n,                                                                            \
            .nested = &pq_##t##_table,                                                             \
            .offset = offsetof(pq_##s, n),                                                         \
            .kind = PQ_THRIFT_GROUP,                                                               \
            .wire = WIRE_STRUCT},
#define RARE(s, id, t, n)                                                                          \
    [id] = {.name = #n,                                                                            \
            .nested = &pq_##t##_table,                                                             \
            .offset = offsetof(pq_##s, n),                                                         \
            .kind = PQ_THRIFT_RARE,                                                                \
            .wire = WIRE_STRUCT},
#define MARK(s, id, n) [id] = {.name = #n, .kind = PQ_THRIFT_MARK, .wire = WIRE_STRUCT},
#define VALUES(s, id, need, KIND, n)                                                               \
    [id] = {.name = #n,                                                                            \
            .offset = offsetof(pq_##s, n),                                                         \
            .kind = PQ_THRIFT_VALUES,                                                              \
            .item = PQ_THRIFT_##KIND,                                                              \
            .wire = WIRE_LIST},
#define GROUPS(s, id, need, t, n)                                                                  \
    [id] = {.name = #n,                                                                            \
            .nested = &pq_##t##_table,                                                             \
            .offset = offsetof(pq_##s, n),                                                         \
            .kind = PQ_THRIFT_GROUPS,                                                              \
            .wire = WIRE_LIST},
#define LAZY(s, id, WIRE, n)                                                                       \
    [id] = {.name = #n, .offset = offsetof(pq_##s, n), .kind = PQ_THRIFT_LAZY, .wire = WIRE_##WIRE},
#define UNREAD(s, id, n) [id] = {.name = #n, .kind = PQ_THRIFT_UNREAD, .wire = WIRE_LIST},
#define END(s)                                                                                     \
    }                                                                                              \
    ;
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

// The structures: `required` is a sum of bits, one term per field.
#define BIT_REQUIRED(id) +(UINT32_C(1) << (id))
#define BIT_OPTIONAL(id)
#define STRUCT(s)                                                                                  \
    const pq_thrift_struct pq_##s##_table = {.name = #s,                                           \
                                             .fields = fields_##s,                                 \
                                             .field_count =                                        \
                                                 sizeof fields_##s / sizeof *fields_##s,           \
                                             .size = sizeof(pq_##s),                               \
                                             .required = 0
#define VALUE(s, id, need, KIND, n) BIT_##need(id)
#define GROUP(s, id, need, t, n) BIT_##need(id)
#define RARE(s, id, t, n)
#define MARK(s, id, n)
#define VALUES(s, id, need, KIND, n) BIT_##need(id)
#define GROUPS(s, id, need, t, n) BIT_##need(id)
#define LAZY(s, id, WIRE, n)
#define UNREAD(s, id, n) BIT_REQUIRED(id)
#define END(s)                                                                                     \
    }                                                                                              \
    ;
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

#define X(number, name)                                                                            \
    case number:                                                                                   \
        return #name;
const char *pq_encoding_name(int32_t encoding) {
    switch (encoding) {
        PQ_ENCODING_LIST(X)
    default:
        return "unknown";
    }
}

const char *pq_codec_name(int32_t codec) {
    switch (codec) {
        PQ_CODEC_LIST(X)
    default:
        return "unknown";
    }
}
#undef X

const char *pq_type_name(int32_t type) {
    static const char *const names[PQ_TYPE_COUNT] = {
        [PQ_BOOLEAN] = "BOOLEAN",       [PQ_INT32] = "INT32",
        [PQ_INT64] = "INT64",           [PQ_INT96] = "INT96",
        [PQ_FLOAT] = "FLOAT",           [PQ_DOUBLE] = "DOUBLE",
        [PQ_BYTE_ARRAY] = "BYTE_ARRAY", [PQ_FIXED] = "FIXED_LEN_BYTE_ARRAY",
    };
    return type >= 0 && type < PQ_TYPE_COUNT ? names[type] : "unknown";
}
