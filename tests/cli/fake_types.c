// The values that the tests of the command line look at. Each column has three rows; the last one
// is NULL.
#include <math.h>

#include "fake_columns.h"

enum { ROWS = 3 };

static const uint8_t VALID[] = {0x03};

#define FLAT(column_name, column_format, values)                                                   \
    {.name = (column_name),                                                                        \
     .format = (column_format),                                                                    \
     .buffers = {VALID, (values)},                                                                 \
     .buffer_count = 2,                                                                            \
     .length = ROWS,                                                                               \
     .null_count = 1}
#define OFFSETS(column_name, column_format, offsets, data)                                         \
    {.name = (column_name),                                                                        \
     .format = (column_format),                                                                    \
     .buffers = {VALID, (offsets), (data)},                                                        \
     .buffer_count = 3,                                                                            \
     .length = ROWS,                                                                               \
     .null_count = 1}

static const uint8_t BITS[] = {0x01};
static const int8_t I8[] = {-128, 127, 0};
static const int16_t I16[] = {-32768, 32767, 0};
static const int32_t I32[] = {INT32_MIN, INT32_MAX, 0};
static const int64_t I64[] = {INT64_MIN, INT64_MAX, 0};
static const uint8_t U8[] = {0, 255, 0};
static const uint16_t U16[] = {0, 65535, 0};
static const uint32_t U32[] = {0, UINT32_MAX, 0};
static const uint64_t U64[] = {0, UINT64_MAX, 0};
static const uint16_t F16[] = {0x2E66, 0xFC00, 0}; // 0.1, -inf
static const float F32[] = {0.1F, 16777216.0F, 0};
static const double F64[] = {1e-5, -0.0, 0};
static const double F64_MORE[] = {0.30000000000000004, 1e16, 0};
static const double F64_ODD[] = {(double)NAN, (double)INFINITY, 0};
static const double F64_WHOLE[] = {100.0, 123456789012345678.0, 0};
static const int32_t D32[] = {-123, 99999, 0};
static const int64_t D64[] = {-5, 1234567890, 0};
static const int64_t D128[] = {-1, -1, 1000, 1, 0, 0}; // Low half, high half.
static const int64_t D256[] = {-12345, -1, -1, -1, 0, 0, 0, 1, 0, 0, 0, 0};
static const int32_t DATE[] = {-719528 - 366, 18262, 0}; // -0001-01-01, 2020-01-01
static const int64_t DATE_MS[] = {-86400000, 1577836800000, 0};
static const int32_t TIME_MS[] = {0, 86399999, 0};
static const int64_t TIME_US[] = {3600000000, 86399500000, 0};
static const int64_t TIME_NS[] = {1, 45296123456789, 0};
static const int64_t TS_S[] = {-1, 253402300800, 0}; // 1969-12-31 23:59:59, 10000-01-01
static const int64_t TS_US[] = {1577934245000000, 1577934245678900, 0};
static const int64_t TS_NS[] = {-1, 1577934245000000001, 0};
static const struct {
    int32_t months;
    int32_t days;
    int64_t nanoseconds;
} SPANS[] = {{14, 3, 14706789000000}, {-14, 3, -14706000000000}, {0, 0, 0}};
static const int64_t DURATION[] = {0, -90061000001, 0};
static const int32_t MONTHS[] = {-1, 24, 0};

static const int32_t TEXT_OFFSETS[] = {0, 5, 5, 5};
static const char TEXT[] = "h\xC3\xA9\n\xE2\x82";
static const int32_t PLAIN_OFFSETS[] = {0, 5, 12, 12};
static const char PLAIN[] = "abcdea,\"b\"|c";
static const int32_t BLOB_OFFSETS[] = {0, 2, 2, 2};
static const char BLOB[] = "\x0A\xFF";
static const char FIXED[] = "\x01\x02\x03\x04\x05\x06\0\0\0";
static const char UUID[] = "\x12\x34\x56\x78\x9A\xBC\xDE\xF0\x12\x34\x56\x78\x9A\xBC\xDE\xF0"
                           "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                           "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
static const int32_t JSON_OFFSETS[] = {0, 7, 11, 11};
static const char JSON[] = "{\"a\":1}null";
static const char UUID_METADATA[] = "\x01\0\0\0\x14\0\0\0ARROW:extension:name\x0A\0\0\0arrow.uuid";
static const char JSON_METADATA[] = "\x01\0\0\0\x14\0\0\0ARROW:extension:name\x0A\0\0\0arrow.json";

// [1, NULL, 3], []; the elements are 1, NULL, 3.
static const int32_t LIST_OFFSETS[] = {0, 3, 3, 3};
static const uint8_t ELEMENTS_VALID[] = {0x05};
static const int32_t ELEMENTS[] = {1, 0, 3};
static const fake_column LIST_CHILD[] = {{.name = "element",
                                          .format = "i",
                                          .buffers = {ELEMENTS_VALID, ELEMENTS},
                                          .buffer_count = 2,
                                          .length = 3,
                                          .null_count = 1}};
// ['a b', '', 'null'], ['x, y']
static const int32_t WORDS_OFFSETS[] = {0, 3, 4, 4};
static const int32_t WORD_OFFSETS[] = {0, 3, 3, 7, 11};
static const char WORDS[] = "a bnullx, y";
static const fake_column WORDS_CHILD[] = {{.name = "element",
                                           .format = "u",
                                           .buffers = {NULL, WORD_OFFSETS, WORDS},
                                           .buffer_count = 3,
                                           .length = 4}};
static const fake_column STRUCT_CHILDREN[] = {FLAT("a", "i", I32),
                                              OFFSETS("b c", "u", PLAIN_OFFSETS, PLAIN)};
static const fake_column MAP_PAIR[] = {{.name = "key",
                                        .is_required = 1,
                                        .format = "u",
                                        .buffers = {NULL, WORD_OFFSETS, WORDS},
                                        .buffer_count = 3,
                                        .length = 3},
                                       FLAT("value", "i", I32)};
static const fake_column MAP_CHILD[] = {{.name = "entries",
                                         .is_required = 1,
                                         .format = "+s",
                                         .buffer_count = 1,
                                         .length = 3,
                                         .children = MAP_PAIR,
                                         .child_count = 2}};
static const int32_t MAP_OFFSETS[] = {0, 2, 3, 3};

static const fake_column TYPES[] = {
    {.name = "nothing", .format = "n", .length = ROWS, .null_count = ROWS},
    FLAT("bool", "b", BITS),
    FLAT("i8", "c", I8),
    FLAT("i16", "s", I16),
    FLAT("i32", "i", I32),
    FLAT("i64", "l", I64),
    FLAT("u8", "C", U8),
    FLAT("u16", "S", U16),
    FLAT("u32", "I", U32),
    FLAT("u64", "L", U64),
    FLAT("f16", "e", F16),
    FLAT("f32", "f", F32),
    FLAT("f64", "g", F64),
    FLAT("f64_more", "g", F64_MORE),
    FLAT("f64_odd", "g", F64_ODD),
    FLAT("f64_whole", "g", F64_WHOLE),
    FLAT("d32", "d:5,2,32", D32),
    FLAT("d64", "d:10,9,64", D64),
    FLAT("d128", "d:38,2", D128),
    FLAT("d256", "d:76,3,256", D256),
    FLAT("date", "tdD", DATE),
    FLAT("date_ms", "tdm", DATE_MS),
    FLAT("time_ms", "ttm", TIME_MS),
    FLAT("time", "ttu", TIME_US),
    FLAT("time_ns", "ttn", TIME_NS),
    FLAT("ts_s", "tss:", TS_S),
    FLAT("ts", "tsu:", TS_US),
    FLAT("ts_ns", "tsn:", TS_NS),
    FLAT("tstz", "tsu:UTC", TS_US),
    FLAT("span", "tin", SPANS),
    FLAT("duration", "tDu", DURATION),
    FLAT("months", "tiM", MONTHS),
    OFFSETS("text", "u", TEXT_OFFSETS, TEXT),
    OFFSETS("plain", "u", PLAIN_OFFSETS, PLAIN),
    OFFSETS("blob", "z", BLOB_OFFSETS, BLOB),
    FLAT("fixed", "w:3", FIXED),
    {.name = "uuid",
     .format = "w:16",
     .metadata = UUID_METADATA,
     .buffers = {VALID, UUID},
     .buffer_count = 2,
     .length = ROWS,
     .null_count = 1},
    {.name = "json",
     .format = "u",
     .metadata = JSON_METADATA,
     .buffers = {VALID, JSON_OFFSETS, JSON},
     .buffer_count = 3,
     .length = ROWS,
     .null_count = 1},
    {.name = "list",
     .format = "+l",
     .buffers = {VALID, LIST_OFFSETS},
     .buffer_count = 2,
     .length = ROWS,
     .null_count = 1,
     .children = LIST_CHILD,
     .child_count = 1},
    {.name = "words",
     .format = "+l",
     .buffers = {VALID, WORDS_OFFSETS},
     .buffer_count = 2,
     .length = ROWS,
     .null_count = 1,
     .children = WORDS_CHILD,
     .child_count = 1},
    {.name = "struct",
     .format = "+s",
     .buffers = {VALID},
     .buffer_count = 1,
     .length = ROWS,
     .null_count = 1,
     .children = STRUCT_CHILDREN,
     .child_count = 2},
    {.name = "map",
     .format = "+m",
     .buffers = {VALID, MAP_OFFSETS},
     .buffer_count = 2,
     .length = ROWS,
     .null_count = 1,
     .children = MAP_CHILD,
     .child_count = 1},
};

const fake_column *fake_types(int64_t *count) {
    *count = (int64_t)(sizeof TYPES / sizeof TYPES[0]);
    return TYPES;
}

// ---- Rarer forms -------------------------------------------------------------------------------

static const int64_t LARGE_OFFSETS[] = {0, 5, 12, 12};
// An inline view of "abc", one of 14 bytes in the data buffer, and an empty one.
static const struct {
    int32_t size;
    char prefix[4];
    int32_t buffer;
    int32_t at;
} VIEWS[] = {{3, "abc", 0, 0}, {14, {'l', 'o', 'n', 'g'}, 0, 2}, {0, "", 0, 0}};
static const char VIEW_DATA[] = "..long text here";
static const int64_t VIEW_SIZES[] = {sizeof VIEW_DATA - 1};
static const int8_t INDEXES[] = {1, 0, 0};
static const fake_column DICTIONARY = {.name = "",
                                       .format = "u",
                                       .buffers = {NULL, PLAIN_OFFSETS, PLAIN},
                                       .buffer_count = 3,
                                       .length = 2};
// The same values as above, two rows later: what lies before an offset must not be seen.
static const uint8_t SLICED_VALID[] = {0x0C};
static const int32_t SLICED[] = {7, 7, 41, 42, 0};
static const uint8_t SLICED_BITS[] = {0x04};
static const int32_t SLICED_OFFSETS[] = {0, 1, 2, 5, 12, 12};
static const int32_t VIEW_LIST_OFFSETS[] = {1, 0, 0};
static const int32_t VIEW_LIST_SIZES[] = {2, 1, 0};
static const int32_t SIX[] = {1, 2, 3, 4, 5, 6};
static const fake_column SIX_CHILD[] = {
    {.name = "element", .format = "i", .buffers = {NULL, SIX}, .buffer_count = 2, .length = 6}};

#define SLICE(column_name, column_format, values)                                                  \
    {.name = (column_name),                                                                        \
     .format = (column_format),                                                                    \
     .buffers = {SLICED_VALID, (values)},                                                          \
     .buffer_count = 2,                                                                            \
     .length = ROWS,                                                                               \
     .offset = 2,                                                                                  \
     .null_count = -1}

static const fake_column SLICED_CHILDREN[] = {SLICE("inner", "i", SLICED)};

static const fake_column FORMS[] = {
    OFFSETS("large_text", "U", LARGE_OFFSETS, PLAIN),
    {.name = "view",
     .format = "vu",
     .buffers = {VALID, VIEWS, VIEW_DATA, VIEW_SIZES},
     .buffer_count = 4,
     .length = ROWS,
     .null_count = 1},
    {.name = "dictionary",
     .format = "c",
     .buffers = {VALID, INDEXES},
     .buffer_count = 2,
     .length = ROWS,
     .null_count = 1,
     .dictionary = &DICTIONARY},
    SLICE("sliced_int", "i", SLICED),
    SLICE("sliced_bool", "b", SLICED_BITS),
    {.name = "sliced_text",
     .format = "u",
     .buffers = {SLICED_VALID, SLICED_OFFSETS, PLAIN},
     .buffer_count = 3,
     .length = ROWS,
     .offset = 2,
     .null_count = -1},
    {.name = "sliced_struct",
     .format = "+s",
     .buffers = {VALID},
     .buffer_count = 1,
     .length = ROWS,
     .null_count = 1,
     .children = SLICED_CHILDREN,
     .child_count = 1},
    {.name = "list_view",
     .format = "+vl",
     .buffers = {VALID, VIEW_LIST_OFFSETS, VIEW_LIST_SIZES},
     .buffer_count = 3,
     .length = ROWS,
     .null_count = 1,
     .children = SIX_CHILD,
     .child_count = 1},
    {.name = "list_fixed",
     .format = "+w:2",
     .buffers = {VALID},
     .buffer_count = 1,
     .length = ROWS,
     .null_count = 1,
     .children = SIX_CHILD,
     .child_count = 1},
};

const fake_column *fake_forms(int64_t *count) {
    *count = (int64_t)(sizeof FORMS / sizeof FORMS[0]);
    return FORMS;
}
