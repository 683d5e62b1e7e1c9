// Parquet's metadata as C structs, made from pq_format.def.
//
// Every struct begins with `present`: bit n is set when field n of the format's definition was
// there. `pq_statistics_has_null_count(&s)` asks for one; what is not there is zero. Strings borrow
// from the bytes that were read, lists lie in the arena of the reading call.
#ifndef FIRN_FORMATS_PARQUET_PQ_FORMAT_H
#define FIRN_FORMATS_PARQUET_PQ_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/compiler.h"

typedef enum pq_type {
    PQ_BOOLEAN = 0,
    PQ_INT32 = 1,
    PQ_INT64 = 2,
    PQ_INT96 = 3,
    PQ_FLOAT = 4,
    PQ_DOUBLE = 5,
    PQ_BYTE_ARRAY = 6,
    PQ_FIXED = 7, // FIXED_LEN_BYTE_ARRAY
    PQ_TYPE_COUNT
} pq_type;

typedef enum pq_converted {
    PQ_CONVERTED_UTF8 = 0,
    PQ_CONVERTED_MAP = 1,
    PQ_CONVERTED_MAP_KEY_VALUE = 2,
    PQ_CONVERTED_LIST = 3,
    PQ_CONVERTED_ENUM = 4,
    PQ_CONVERTED_DECIMAL = 5,
    PQ_CONVERTED_DATE = 6,
    PQ_CONVERTED_TIME_MILLIS = 7,
    PQ_CONVERTED_TIME_MICROS = 8,
    PQ_CONVERTED_TIMESTAMP_MILLIS = 9,
    PQ_CONVERTED_TIMESTAMP_MICROS = 10,
    PQ_CONVERTED_UINT_8 = 11,
    PQ_CONVERTED_UINT_16 = 12,
    PQ_CONVERTED_UINT_32 = 13,
    PQ_CONVERTED_UINT_64 = 14,
    PQ_CONVERTED_INT_8 = 15,
    PQ_CONVERTED_INT_16 = 16,
    PQ_CONVERTED_INT_32 = 17,
    PQ_CONVERTED_INT_64 = 18,
    PQ_CONVERTED_JSON = 19,
    PQ_CONVERTED_BSON = 20,
    PQ_CONVERTED_INTERVAL = 21
} pq_converted;

typedef enum pq_repetition { PQ_REQUIRED = 0, PQ_OPTIONAL = 1, PQ_REPEATED = 2 } pq_repetition;

// Number, name in the format's definition and in messages.
#define PQ_ENCODING_LIST(X)                                                                        \
    X(0, PLAIN)                                                                                    \
    X(2, PLAIN_DICTIONARY)                                                                         \
    X(3, RLE)                                                                                      \
    X(4, BIT_PACKED)                                                                               \
    X(5, DELTA_BINARY_PACKED)                                                                      \
    X(6, DELTA_LENGTH_BYTE_ARRAY)                                                                  \
    X(7, DELTA_BYTE_ARRAY)                                                                         \
    X(8, RLE_DICTIONARY)                                                                           \
    X(9, BYTE_STREAM_SPLIT)

#define PQ_CODEC_LIST(X)                                                                           \
    X(0, UNCOMPRESSED)                                                                             \
    X(1, SNAPPY)                                                                                   \
    X(2, GZIP)                                                                                     \
    X(3, LZO)                                                                                      \
    X(4, BROTLI)                                                                                   \
    X(5, LZ4)                                                                                      \
    X(6, ZSTD)                                                                                     \
    X(7, LZ4_RAW)

#define X(number, name) PQ_ENCODING_##name = (number),
typedef enum pq_encoding { PQ_ENCODING_LIST(X) } pq_encoding;
#undef X

#define X(number, name) PQ_CODEC_##name = (number),
typedef enum pq_codec { PQ_CODEC_LIST(X) } pq_codec;
#undef X

typedef enum pq_page_type {
    PQ_PAGE_DATA = 0,
    PQ_PAGE_INDEX = 1,
    PQ_PAGE_DICTIONARY = 2,
    PQ_PAGE_DATA_V2 = 3
} pq_page_type;

typedef enum pq_boundary_order {
    PQ_BOUNDARY_UNORDERED = 0,
    PQ_BOUNDARY_ASCENDING = 1,
    PQ_BOUNDARY_DESCENDING = 2
} pq_boundary_order;

// The C types of the kinds in pq_format.def, and the lists of them.

#define PQ_VALUE_BOOL bool
#define PQ_VALUE_I8 int8_t
#define PQ_VALUE_I16 int16_t
#define PQ_VALUE_I32 int32_t
#define PQ_VALUE_I64 int64_t
#define PQ_VALUE_DOUBLE double
#define PQ_VALUE_BINARY bytes

#define PQ_LIST_TYPE(name, item)                                                                   \
    typedef struct name {                                                                          \
        size_t count;                                                                              \
        item *items COUNTED_BY(count);                                                             \
    } name
PQ_LIST_TYPE(pq_list_BOOL, bool);
PQ_LIST_TYPE(pq_list_I32, int32_t);
PQ_LIST_TYPE(pq_list_I64, int64_t);
PQ_LIST_TYPE(pq_list_BINARY, bytes);

// The structs, each with the type of a list of them.
#define STRUCT(s)                                                                                  \
    typedef struct pq_##s {                                                                        \
        uint32_t present;
#define VALUE(s, id, need, KIND, n) PQ_VALUE_##KIND n;
#define GROUP(s, id, need, t, n) pq_##t n;
#define RARE(s, id, t, n) const pq_##t *n;
#define MARK(s, id, n)
#define VALUES(s, id, need, KIND, n) pq_list_##KIND n;
#define GROUPS(s, id, need, t, n) pq_##t##_list n;
#define LAZY(s, id, WIRE, n) bytes n;
#define UNREAD(s, id, n)
#define END(s)                                                                                     \
    }                                                                                              \
    pq_##s;                                                                                        \
    PQ_LIST_TYPE(pq_##s##_list, pq_##s);
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

// pq_statistics_has_null_count and its siblings; pq_statistics_set_null_count says that it is
// there, for who fills a structure to write it.
#define PQ_HAS(s, id, n)                                                                           \
    static inline bool pq_##s##_has_##n(const pq_##s *self) {                                      \
        return (self->present >> (id) & 1) != 0;                                                   \
    }                                                                                              \
    static inline void pq_##s##_set_##n(pq_##s *self) {                                            \
        self->present |= UINT32_C(1) << (id);                                                      \
    }
#define STRUCT(s)
#define VALUE(s, id, need, KIND, n) PQ_HAS(s, id, n)
#define GROUP(s, id, need, t, n) PQ_HAS(s, id, n)
#define RARE(s, id, t, n) PQ_HAS(s, id, n)
#define MARK(s, id, n) PQ_HAS(s, id, n)
#define VALUES(s, id, need, KIND, n) PQ_HAS(s, id, n)
#define GROUPS(s, id, need, t, n) PQ_HAS(s, id, n)
#define LAZY(s, id, WIRE, n) PQ_HAS(s, id, n)
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

/// The name of an encoding or a codec, such as "PLAIN"; "unknown" for another number. Static.
const char *pq_encoding_name(int32_t encoding);
const char *pq_codec_name(int32_t codec);
const char *pq_type_name(int32_t type);

#endif
