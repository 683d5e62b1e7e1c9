#include "formats/parquet/pq_types.h"

#include <string.h>

#include "base/test.h"

// One leaf "a" with the given annotations, in a file without anything else.
static firn_status type_of(const pq_schema_element *leaf, const pq_type_options *options,
                           arena *memory, const type **out, firn_error *err) {
    pq_schema_element elements[2] = {{.present = 0x30, .child_count = 1}, *leaf};
    elements[1].name = (bytes){.data = (const uint8_t *)"a", .size = 1};
    elements[1].present |= 1 << 1 | 1 << 3 | 1 << 4;
    pq_metadata file = {.file = {.schema = {.count = 2, .items = elements}}};
    pq_file_types types;
    TRY(pq_schema_build(&file.file.schema, memory, &file.schema, err));
    TRY(pq_types_find(&file, options, memory, &types, err));
    *out = types.columns.fields[0].type;
    return *out == types.leaves[0] ? FIRN_OK : FIRN_INTERNAL;
}

#define LOGICAL(bit, ...) .logical_type = {.present = UINT32_C(1) << (bit), __VA_ARGS__}
#define HAS_CONVERTED (1 << 6)
#define HAS_LOGICAL (1 << 10)

typedef struct type_case {
    pq_schema_element leaf;
    const char *expected;
} type_case;

static void check_types(const type_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        arena memory = arena_open(1 << 16);
        firn_error err = ERR_INIT;
        const type *found;
        const pq_type_options options = {0};
        REQUIRE(type_of(&cases[i].leaf, &options, &memory, &found, &err) == FIRN_OK);
        const text printed = type_text(found, &memory);
        CHECK(text_equal(printed, text_of(cases[i].expected)));
        if (!text_equal(printed, text_of(cases[i].expected))) {
            printf("is %.*s, want %s\n", TEXT_ARGS(printed), cases[i].expected);
        }
        arena_close(&memory);
    }
}

TEST(pq_types_follow_converted_types) {
    const type_case cases[] = {
        {{.type = PQ_BOOLEAN}, "BOOLEAN"},
        {{.type = PQ_INT32}, "INTEGER"},
        {{.type = PQ_INT64}, "BIGINT"},
        {{.type = PQ_INT96}, "TIMESTAMP_NS"},
        {{.type = PQ_FLOAT}, "REAL"},
        {{.type = PQ_DOUBLE}, "DOUBLE"},
        {{.type = PQ_BYTE_ARRAY}, "BINARY"},
        {{.type = PQ_FIXED, .type_length = 7}, "BINARY(7)"},
        {{.type = PQ_INT32, .present = HAS_CONVERTED, .converted_type = PQ_CONVERTED_INT_8},
         "TINYINT"},
        {{.type = PQ_INT32, .present = HAS_CONVERTED, .converted_type = PQ_CONVERTED_UINT_16},
         "USMALLINT"},
        {{.type = PQ_INT64, .present = HAS_CONVERTED, .converted_type = PQ_CONVERTED_UINT_64},
         "UBIGINT"},
        {{.type = PQ_INT64,
          .present = HAS_CONVERTED,
          .converted_type = PQ_CONVERTED_TIMESTAMP_MILLIS},
         "TIMESTAMPTZ_MS"},
        {{.type = PQ_BYTE_ARRAY, .present = HAS_CONVERTED, .converted_type = PQ_CONVERTED_UTF8},
         "VARCHAR"},
        {{.type = PQ_BYTE_ARRAY, .present = HAS_CONVERTED, .converted_type = PQ_CONVERTED_JSON},
         "JSON"},
        {{.type = PQ_FIXED,
          .type_length = 12,
          .present = HAS_CONVERTED,
          .converted_type = PQ_CONVERTED_INTERVAL},
         "INTERVAL"},
        {{.type = PQ_INT32,
          .present = HAS_CONVERTED,
          .converted_type = PQ_CONVERTED_DECIMAL,
          .precision = 5,
          .scale = 2},
         "DECIMAL(5,2)"},
    };
    check_types(cases, sizeof cases / sizeof *cases);
}

TEST(pq_types_follow_logical_types) {
    const type_case cases[] = {
        {{.type = PQ_INT32, .present = HAS_LOGICAL, LOGICAL(6, )}, "DATE"},
        {{.type = PQ_BYTE_ARRAY,
          .present = HAS_LOGICAL,
          LOGICAL(5, .decimal = {.scale = 20, .precision = 60})},
         "DECIMAL(60,20)"},
        {{.type = PQ_INT64,
          .present = HAS_LOGICAL,
          LOGICAL(8, .timestamp = {.is_adjusted_to_utc = false, .unit = {.present = 1 << 3}})},
         "TIMESTAMP_NS"},
        {{.type = PQ_INT64,
          .present = HAS_LOGICAL,
          LOGICAL(8, .timestamp = {.is_adjusted_to_utc = true, .unit = {.present = 1 << 2}})},
         "TIMESTAMP WITH TIME ZONE"},
        {{.type = PQ_INT32,
          .present = HAS_LOGICAL,
          LOGICAL(7, .time = {.is_adjusted_to_utc = true, .unit = {.present = 1 << 1}})},
         "TIME_MS"},
        {{.type = PQ_FIXED, .type_length = 16, .present = HAS_LOGICAL, LOGICAL(14, )}, "UUID"},
        {{.type = PQ_FIXED, .type_length = 2, .present = HAS_LOGICAL, LOGICAL(15, )}, "FLOAT16"},
        {{.type = PQ_INT32, .present = HAS_LOGICAL, LOGICAL(11, )}, "NULL"},
        // Annotations that the physical type cannot have, or that nobody knows.
        {{.type = PQ_INT32, .present = HAS_LOGICAL, LOGICAL(1, )}, "INTEGER"},
        {{.type = PQ_FIXED, .type_length = 5, .present = HAS_LOGICAL, LOGICAL(14, )}, "BINARY(5)"},
        {{.type = PQ_BYTE_ARRAY, .present = HAS_LOGICAL, LOGICAL(25, )}, "BINARY"},
    };
    check_types(cases, sizeof cases / sizeof *cases);
}

TEST(pq_types_have_options) {
    arena memory = arena_open(1 << 16);
    firn_error err = ERR_INIT;
    const type *found;
    const pq_schema_element binary = {.type = PQ_BYTE_ARRAY};
    const pq_schema_element int96 = {.type = PQ_INT96};
    const pq_type_options options = {.binary_as_string = true, .int96_in_micros = true};
    REQUIRE(type_of(&binary, &options, &memory, &found, &err) == FIRN_OK);
    CHECK(found->id == TYPE_VARCHAR);
    REQUIRE(type_of(&int96, &options, &memory, &found, &err) == FIRN_OK);
    CHECK(found->id == TYPE_TIMESTAMP && found->unit == UNIT_MICRO);
    arena_close(&memory);
}

TEST(pq_types_refuse_impossible_decimals) {
    const struct {
        int32_t precision, scale;
        firn_status status;
        const char *message;
    } cases[] = {
        {0, 0, FIRN_CORRUPT, "DECIMAL(0,0)"},
        {5, 6, FIRN_CORRUPT, "DECIMAL(5,6)"},
        {5, -1, FIRN_CORRUPT, "DECIMAL(5,-1)"},
        {77, 2, FIRN_UNSUPPORTED, "at most 76 digits"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arena memory = arena_open(1 << 16);
        firn_error err = ERR_INIT;
        const type *found;
        const pq_type_options options = {0};
        const pq_schema_element leaf = {.type = PQ_BYTE_ARRAY,
                                        .present = HAS_CONVERTED,
                                        .converted_type = PQ_CONVERTED_DECIMAL,
                                        .precision = cases[i].precision,
                                        .scale = cases[i].scale};
        CHECK(type_of(&leaf, &options, &memory, &found, &err) == cases[i].status);
        CHECK(strstr(err.text, cases[i].message) != NULL);
        CHECK(strstr(err.text, "finding the type of column \"a\"") != NULL);
        arena_close(&memory);
    }
}
