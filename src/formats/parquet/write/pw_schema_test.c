#include "formats/parquet/write/pw_schema.h"

#include <string.h>

#include "base/test.h"
#include "base/wide.h"
#include "formats/parquet/pq_annotation.h"
#include "formats/parquet/pq_thrift.h"
#include "formats/parquet/pq_types.h"

typedef struct sample {
    arena memory;
    firn_error err;
    const pw_schema *made;
} sample;

static sample sample_open(void) {
    return (sample){.memory = arena_open(1 << 22), .err = ERR_INIT};
}

static field column_of(const char *name, const type *of) {
    return (field){.name = text_of(name), .type = of, .is_nullable = true, .id = -1};
}

// Writes the elements into a footer, reads it, and finds the types.
static firn_status read_back(sample *self, pq_file_types *out, const pq_metadata **metadata) {
    pq_file_metadata file = {.version = 2, .schema = self->made->elements};
    pq_file_metadata_set_version(&file);
    pq_file_metadata_set_schema(&file);
    pq_file_metadata_set_row_count(&file);
    pq_file_metadata_set_row_groups(&file);
    byte_output written = {.memory = &self->memory};
    TRY(pq_thrift_write(&written, &pq_file_metadata_table, &file, &self->err));
    const bytes footer = {.data = written.data, .size = written.size};
    const pq_type_options options = {0};
    TRY(pq_metadata_read(footer, 1000, &self->memory, metadata, &self->err));
    return pq_types_find(*metadata, &options, &self->memory, out, &self->err);
}

static bool is_same_node(const pq_node *left, const pq_node *right) {
    bool same = left->kind == right->kind && left->is_nullable == right->is_nullable &&
                left->definition == right->definition && left->repetition == right->repetition &&
                left->first_leaf == right->first_leaf && left->leaf_count == right->leaf_count &&
                left->has_field_id == right->has_field_id && left->field_id == right->field_id &&
                left->child_count == right->child_count && text_equal(left->name, right->name);
    for (size_t i = 0; i < left->child_count && same; i++) {
        same = is_same_node(&left->children[i], &right->children[i]);
    }
    return same;
}

// One column of a type; what a reader finds, printed.
static void check_type(const type *given, const char *expected) {
    sample s = sample_open();
    const field column = column_of("a", given);
    const schema columns = {.count = 1, .fields = &column};
    pq_file_types types;
    const pq_metadata *metadata;
    REQUIRE(pw_schema_make(&columns, &s.memory, &s.made, &s.err) == FIRN_OK);
    REQUIRE(read_back(&s, &types, &metadata) == FIRN_OK);
    CHECK(is_same_node(&metadata->schema->root, &s.made->tree->root));
    REQUIRE(types.columns.count == 1);
    const text printed = type_text(types.columns.fields[0].type, &s.memory);
    CHECK(text_equal(printed, text_of(expected)));
    if (!text_equal(printed, text_of(expected))) {
        printf("is %.*s, want %s\n", TEXT_ARGS(printed), expected);
    }
    CHECK(s.made->leaf_types[0]->id == given->id);
    arena_close(&s.memory);
}

// In order of column/types.def.
TEST(pw_schema_says_every_type_that_has_no_parts) {
    arena memory = arena_open(1 << 20);
    const struct {
        const type *given;
        const char *read;
    } cases[] = {
        {TYPE_OF(NULL), "NULL"},
        {TYPE_OF(BOOLEAN), "BOOLEAN"},
        {TYPE_OF(TINYINT), "TINYINT"},
        {TYPE_OF(SMALLINT), "SMALLINT"},
        {TYPE_OF(INTEGER), "INTEGER"},
        {TYPE_OF(BIGINT), "BIGINT"},
        {TYPE_OF(UTINYINT), "UTINYINT"},
        {TYPE_OF(USMALLINT), "USMALLINT"},
        {TYPE_OF(UINTEGER), "UINTEGER"},
        {TYPE_OF(UBIGINT), "UBIGINT"},
        {TYPE_OF(FLOAT16), "FLOAT16"},
        {TYPE_OF(REAL), "REAL"},
        {TYPE_OF(DOUBLE), "DOUBLE"},
        {type_decimal(&memory, 9, 2), "DECIMAL(9,2)"},
        {type_decimal(&memory, 18, 0), "DECIMAL(18,0)"},
        {type_decimal(&memory, 38, 38), "DECIMAL(38,38)"},
        {type_decimal(&memory, 76, 10), "DECIMAL(76,10)"},
        {TYPE_OF(DATE), "DATE"},
        {type_temporal(TYPE_TIME, UNIT_SECOND), "TIME_MS"},
        {type_temporal(TYPE_TIME, UNIT_MILLI), "TIME_MS"},
        {type_temporal(TYPE_TIME, UNIT_MICRO), "TIME"},
        {type_temporal(TYPE_TIME, UNIT_NANO), "TIME_NS"},
        {type_temporal(TYPE_TIMESTAMP, UNIT_SECOND), "TIMESTAMP_MS"},
        {type_temporal(TYPE_TIMESTAMP, UNIT_MILLI), "TIMESTAMP_MS"},
        {type_temporal(TYPE_TIMESTAMP, UNIT_MICRO), "TIMESTAMP"},
        {type_temporal(TYPE_TIMESTAMP, UNIT_NANO), "TIMESTAMP_NS"},
        {type_temporal(TYPE_TIMESTAMPTZ, UNIT_SECOND), "TIMESTAMPTZ_MS"},
        {type_temporal(TYPE_TIMESTAMPTZ, UNIT_MILLI), "TIMESTAMPTZ_MS"},
        {type_temporal(TYPE_TIMESTAMPTZ, UNIT_MICRO), "TIMESTAMP WITH TIME ZONE"},
        {type_temporal(TYPE_TIMESTAMPTZ, UNIT_NANO), "TIMESTAMPTZ_NS"},
        {TYPE_OF(INTERVAL), "INTERVAL"},
        {TYPE_OF(VARCHAR), "VARCHAR"},
        {TYPE_OF(BINARY), "BINARY"},
        {type_binary(&memory, 7), "BINARY(7)"},
        {TYPE_OF(UUID), "UUID"},
        {TYPE_OF(JSON), "JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_type(cases[i].given, cases[i].read);
    }
    arena_close(&memory);
}

// As apache/parquet-format, LogicalTypes.md has them for readers that know no logical types.
TEST(pw_schema_says_converted_types_for_old_readers) {
    arena memory = arena_open(1 << 20);
    const struct {
        const type *given;
        pq_type type;
        int32_t width;
        int32_t converted; // -1: none.
        bool has_logical;
    } cases[] = {
        {TYPE_OF(NULL), PQ_INT32, 0, -1, true},
        {TYPE_OF(BOOLEAN), PQ_BOOLEAN, 0, -1, false},
        {TYPE_OF(TINYINT), PQ_INT32, 0, PQ_CONVERTED_INT_8, true},
        {TYPE_OF(SMALLINT), PQ_INT32, 0, PQ_CONVERTED_INT_16, true},
        {TYPE_OF(INTEGER), PQ_INT32, 0, -1, false},
        {TYPE_OF(BIGINT), PQ_INT64, 0, -1, false},
        {TYPE_OF(UTINYINT), PQ_INT32, 0, PQ_CONVERTED_UINT_8, true},
        {TYPE_OF(USMALLINT), PQ_INT32, 0, PQ_CONVERTED_UINT_16, true},
        {TYPE_OF(UINTEGER), PQ_INT32, 0, PQ_CONVERTED_UINT_32, true},
        {TYPE_OF(UBIGINT), PQ_INT64, 0, PQ_CONVERTED_UINT_64, true},
        {TYPE_OF(FLOAT16), PQ_FIXED, 2, -1, true},
        {TYPE_OF(REAL), PQ_FLOAT, 0, -1, false},
        {TYPE_OF(DOUBLE), PQ_DOUBLE, 0, -1, false},
        {type_decimal(&memory, 9, 2), PQ_INT32, 0, PQ_CONVERTED_DECIMAL, true},
        {type_decimal(&memory, 10, 2), PQ_INT64, 0, PQ_CONVERTED_DECIMAL, true},
        {type_decimal(&memory, 19, 2), PQ_FIXED, 9, PQ_CONVERTED_DECIMAL, true},
        {type_decimal(&memory, 38, 2), PQ_FIXED, 16, PQ_CONVERTED_DECIMAL, true},
        {type_decimal(&memory, 39, 2), PQ_FIXED, 17, PQ_CONVERTED_DECIMAL, true},
        {type_decimal(&memory, 76, 2), PQ_FIXED, 32, PQ_CONVERTED_DECIMAL, true},
        {TYPE_OF(DATE), PQ_INT32, 0, PQ_CONVERTED_DATE, true},
        {type_temporal(TYPE_TIME, UNIT_SECOND), PQ_INT32, 0, PQ_CONVERTED_TIME_MILLIS, true},
        {type_temporal(TYPE_TIME, UNIT_MILLI), PQ_INT32, 0, PQ_CONVERTED_TIME_MILLIS, true},
        {type_temporal(TYPE_TIME, UNIT_MICRO), PQ_INT64, 0, PQ_CONVERTED_TIME_MICROS, true},
        {type_temporal(TYPE_TIME, UNIT_NANO), PQ_INT64, 0, -1, true},
        {type_temporal(TYPE_TIMESTAMP, UNIT_MICRO), PQ_INT64, 0, PQ_CONVERTED_TIMESTAMP_MICROS,
         true},
        {type_temporal(TYPE_TIMESTAMP, UNIT_NANO), PQ_INT64, 0, -1, true},
        {type_temporal(TYPE_TIMESTAMPTZ, UNIT_SECOND), PQ_INT64, 0, PQ_CONVERTED_TIMESTAMP_MILLIS,
         true},
        {TYPE_OF(INTERVAL), PQ_FIXED, 12, PQ_CONVERTED_INTERVAL, false},
        {TYPE_OF(VARCHAR), PQ_BYTE_ARRAY, 0, PQ_CONVERTED_UTF8, true},
        {TYPE_OF(JSON), PQ_BYTE_ARRAY, 0, PQ_CONVERTED_JSON, true},
        {TYPE_OF(BINARY), PQ_BYTE_ARRAY, 0, -1, false},
        {type_binary(&memory, 7), PQ_FIXED, 7, -1, false},
        {TYPE_OF(UUID), PQ_FIXED, 16, -1, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        firn_error err = ERR_INIT;
        const field column = column_of("a", cases[i].given);
        const schema columns = {.count = 1, .fields = &column};
        const pw_schema *made;
        REQUIRE(pw_schema_make(&columns, &memory, &made, &err) == FIRN_OK);
        const pq_schema_element *element = &made->elements.items[1];
        CHECK(element->type == (int32_t)cases[i].type);
        CHECK(element->type_length == cases[i].width &&
              pq_schema_element_has_type_length(element) == (cases[i].width > 0));
        CHECK(pq_schema_element_has_converted_type(element) == (cases[i].converted >= 0));
        CHECK(cases[i].converted < 0 || element->converted_type == cases[i].converted);
        CHECK(pq_schema_element_has_logical_type(element) == cases[i].has_logical);
        // An old reader understands the same, but for zones.
        pq_schema_element old = *element;
        old.present &= ~(UINT32_C(1) << 10);
        const pq_annotation now = pq_annotation_of(element);
        const pq_annotation then = pq_annotation_of(&old);
        CHECK(cases[i].converted < 0 ||
              (now.meaning == then.meaning && now.unit == then.unit && now.bits == then.bits &&
               now.is_signed == then.is_signed && now.precision == then.precision &&
               now.scale == then.scale));
        CHECK(element->repetition == PQ_OPTIONAL);
    }
    arena_close(&memory);
}

// The smallest width whose largest number has at least so many digits.
TEST(pw_schema_makes_decimals_as_narrow_as_they_can_be) {
    arena memory = arena_open(1 << 20);
    for (uint8_t precision = 19; precision <= DECIMAL_PRECISION_MAX; precision++) {
        firn_error err = ERR_INIT;
        const field column = column_of("a", type_decimal(&memory, precision, 0));
        const schema columns = {.count = 1, .fields = &column};
        const pw_schema *made;
        REQUIRE(pw_schema_make(&columns, &memory, &made, &err) == FIRN_OK);
        const uint32_t width = made->tree->leaves[0].width;
        uint8_t raw[32];
        i256 most = I256_ZERO;
        i256 least = I256_ZERO;
        CHECK(i256_sub_fits(i256_power_of_ten[precision], i256_from_i64(1), &most));
        CHECK(i256_neg_fits(most, &least));
        CHECK(i256_to_big_endian(most, width, raw) && i256_to_big_endian(least, width, raw));
        CHECK(!i256_to_big_endian(most, width - 1, raw));
    }
    arena_close(&memory);
}

TEST(pw_schema_nests) {
    sample s = sample_open();
    const field point[] = {
        {.name = TEXT("x"), .type = TYPE_OF(DOUBLE), .id = 11},
        {.name = TEXT("y"), .type = TYPE_OF(DOUBLE), .is_nullable = true, .id = 12},
    };
    const field element = {.name = TEXT("item"), .type = TYPE_OF(INTEGER), .id = 5};
    const type required_list = {.id = TYPE_LIST, .child_count = 1, .children = &element};
    const type *points = type_list(&s.memory, type_struct(&s.memory, 2, point));
    const type *map =
        type_map(&s.memory, TYPE_OF(VARCHAR), type_list(&s.memory, type_list(&s.memory, points)));
    const field fields[] = {
        {.name = TEXT("id"), .type = TYPE_OF(BIGINT), .id = 1},
        {.name = TEXT("lists"), .type = &required_list, .is_nullable = true, .id = 2},
        {.name = TEXT("tags"), .type = map, .id = -1},
        {.name = TEXT("list"), .type = points, .is_nullable = true, .id = 0},
        {.name = TEXT("nothing"), .type = TYPE_OF(NULL), .id = -1},
    };
    const schema columns = {.count = 5, .fields = fields};
    REQUIRE(pw_schema_make(&columns, &s.memory, &s.made, &s.err) == FIRN_OK);
    pq_file_types types;
    const pq_metadata *metadata;
    REQUIRE(read_back(&s, &types, &metadata) == FIRN_OK);
    CHECK(is_same_node(&metadata->schema->root, &s.made->tree->root));
    REQUIRE(types.columns.count == 5 && s.made->tree->leaf_count == 8);
    for (uint32_t i = 0; i < 5; i++) {
        const field *found = &types.columns.fields[i];
        CHECK(text_equal(found->name, fields[i].name) && found->id == fields[i].id);
        CHECK(found->is_nullable == (fields[i].is_nullable || i == 4));
        CHECK(i == 1 || type_equal(found->type, fields[i].type));
    }
    const field *found = &types.columns.fields[1].type->children[0];
    CHECK(text_equal(found->name, TEXT("element")) && !found->is_nullable && found->id == 5);
    CHECK(types.columns.fields[3].type->children[0].type->children[1].id == 12);
    // Paths, as path_in_schema has them.
    const char *const paths[] = {
        "id",
        "lists.list.element",
        "tags.key_value.key",
        "tags.key_value.value.list.element.list.element.list.element.x",
        "tags.key_value.value.list.element.list.element.list.element.y",
        "list.list.element.x",
        "list.list.element.y",
        "nothing",
    };
    for (uint32_t leaf = 0; leaf < 8; leaf++) {
        char joined[200] = "";
        const pw_path *path = &s.made->leaf_paths[leaf];
        size_t size = 0;
        for (uint32_t i = 0; i < path->count; i++) {
            size += (size_t)snprintf(joined + size, sizeof joined - size, "%s%.*s",
                                     i == 0 ? "" : ".", TEXT_ARGS(path->names[i]));
        }
        CHECK(strcmp(joined, paths[leaf]) == 0);
        CHECK(type_equal(s.made->leaf_types[leaf], types.leaves[leaf]));
    }
    CHECK(s.made->tree->leaves[3].definition_max == 8 &&
          s.made->tree->leaves[3].repetition_max == 4);
    arena_close(&s.memory);
}

// Whatever the type says: the format wants keys.
TEST(pw_schema_requires_keys) {
    sample s = sample_open();
    const field entries[] = {column_of("k", TYPE_OF(INTEGER)), column_of("v", TYPE_OF(INTEGER))};
    const type map = {.id = TYPE_MAP, .child_count = 2, .children = entries};
    const field column = column_of("a", &map);
    const schema columns = {.count = 1, .fields = &column};
    REQUIRE(pw_schema_make(&columns, &s.memory, &s.made, &s.err) == FIRN_OK);
    const pq_node *node = &s.made->tree->root.children[0];
    CHECK(node->kind == PQ_NODE_MAP && node->child_count == 2);
    CHECK(!node->children[0].is_nullable && node->children[1].is_nullable);
    CHECK(text_equal(node->children[0].name, TEXT("key")));
    arena_close(&s.memory);
}

// What was given may go before what was made.
TEST(pw_schema_keeps_copies) {
    sample s = sample_open();
    arena given = arena_open(1 << 20);
    char name[] = "gone";
    const field column = column_of(name, type_list(&given, type_decimal(&given, 5, 1)));
    const schema columns = {.count = 1, .fields = &column};
    REQUIRE(pw_schema_make(&columns, &s.memory, &s.made, &s.err) == FIRN_OK);
    arena_close(&given);
    memset(name, 'x', sizeof name - 1);
    CHECK(text_equal(s.made->columns.fields[0].name, TEXT("gone")));
    CHECK(text_equal(s.made->leaf_paths[0].names[0], TEXT("gone")));
    CHECK(text_equal(s.made->tree->root.children[0].name, TEXT("gone")));
    CHECK(s.made->leaf_types[0]->precision == 5);
    arena_close(&s.memory);
}

TEST(pw_schema_takes_no_columns) {
    sample s = sample_open();
    const schema columns = {.count = 0};
    REQUIRE(pw_schema_make(&columns, &s.memory, &s.made, &s.err) == FIRN_OK);
    CHECK(s.made->tree->leaf_count == 0 && s.made->elements.count == 1);
    arena_close(&s.memory);
}

TEST(pw_schema_refuses_what_has_no_form) {
    sample s = sample_open();
    const type *lists = TYPE_OF(INTEGER); // Of two names each.
    for (int i = 0; i < 49; i++) {
        lists = type_list(&s.memory, lists);
    }
    const field inner = column_of("f", lists);
    const type *deepest = type_struct(&s.memory, 1, &inner);
    const type *deep = type_list(&s.memory, lists);
    const field twice[] = {column_of("b", TYPE_OF(DATE)), column_of("B", TYPE_OF(DATE)),
                           column_of("b", TYPE_OF(DATE))};
    const struct {
        field columns[2];
        uint32_t count;
        firn_status status;
        const char *state;
        const char *message;
    } cases[] = {
        {{column_of("a", type_struct(&s.memory, 0, NULL))},
         1,
         FIRN_UNSUPPORTED,
         "0A000",
         "STRUCT without fields has no form in Parquet\n  while finding a form for column \"a\""},
        {{column_of("a", type_list(&s.memory, type_struct(&s.memory, 3, twice)))},
         1,
         FIRN_INVALID,
         "42701",
         "two fields of a STRUCT with the name \"b\""},
        {{column_of("a", TYPE_OF(DATE)), column_of("a", TYPE_OF(REAL))},
         2,
         FIRN_INVALID,
         "42701",
         "two columns with the name \"a\""},
        {{column_of("a", deep)}, 1, FIRN_UNSUPPORTED, "0A000", "nested deeper than 100"},
        {{column_of("a", type_binary(&s.memory, UINT32_MAX))},
         1,
         FIRN_UNSUPPORTED,
         "0A000",
         "BINARY(4294967295)"},
        {{column_of("a", type_struct(&s.memory, 2, twice)), column_of("A", deepest)},
         2,
         FIRN_OK,
         "",
         ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const schema columns = {.count = cases[i].count, .fields = cases[i].columns};
        firn_error err = ERR_INIT;
        CHECK(pw_schema_make(&columns, &s.memory, &s.made, &err) == cases[i].status);
        CHECK(strcmp(err.sqlstate, cases[i].state) == 0);
        CHECK(strstr(err.text, cases[i].message) != NULL);
    }
    arena_close(&s.memory);
}

TEST(pw_schema_says_when_memory_is_full) {
    arena given = arena_open(1 << 20);
    const field column = column_of("a", type_list(&given, TYPE_OF(INTEGER)));
    const schema columns = {.count = 1, .fields = &column};
    arena memory = arena_open(100);
    firn_error err = ERR_INIT;
    const pw_schema *made;
    CHECK(pw_schema_make(&columns, &memory, &made, &err) == FIRN_NO_MEMORY);
    arena_close(&memory);
    arena_close(&given);
}
