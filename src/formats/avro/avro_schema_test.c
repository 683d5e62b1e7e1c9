#include "formats/avro/avro_schema.h"

#include <string.h>

#include "base/test.h"
#include "memory/text_builder.h"

static firn_status read_schema(arena *memory, const char *json, const avro_schema **out,
                               firn_error *err) {
    const bytes input = {.data = (const uint8_t *)json, .size = strlen(json)};
    return avro_schema_read(memory, input, out, err);
}

TEST(avro_schema_reads_primitives_in_both_forms) {
    static const char *const words[] = {
#define X(name, word) word,
        AVRO_KIND_LIST(X)
#undef X
    };
    arena memory = arena_open(1 << 20);
    for (int kind = AVRO_NULL; kind <= AVRO_STRING; kind++) {
        for (int form = 0; form < 2; form++) {
            char json[64];
            (void)snprintf(json, sizeof json,
                           form == 0 ? "\"%s\"" : "{\"type\": {\"type\":\"%s\"}}", words[kind]);
            firn_error err = ERR_INIT;
            const avro_schema *schema = NULL;
            REQUIRE(read_schema(&memory, json, &schema, &err) == FIRN_OK);
            CHECK(schema->kind == (avro_kind)kind);
            CHECK(text_equal(avro_schema_text(schema), text_of(words[kind])));
        }
    }
    arena_close(&memory);
}

TEST(avro_schema_keeps_what_iceberg_adds) {
    static const char json[] =
        "{\"type\":\"record\",\"name\":\"table\",\"fields\":["
        "{\"name\":\"_x2Fa\",\"type\":[\"null\",\"int\"],\"default\":null,\"field-id\":7,"
        " \"iceberg-field-name\":\"/a\"},"
        "{\"name\":\"日付\",\"type\":{\"type\":\"array\",\"items\":\"long\",\"element-id\":9},"
        " \"field-id\":8},"
        "{\"name\":\"m\",\"field-id\":1,\"type\":{\"type\":\"map\",\"values\":\"bytes\","
        " \"key-id\":2,\"value-id\":3}},"
        "{\"name\":\"p\",\"field-id\":4,\"type\":{\"type\":\"array\",\"logicalType\":\"map\","
        " \"items\":{\"type\":\"record\",\"name\":\"k5_v6\",\"fields\":["
        "  {\"name\":\"key\",\"type\":\"int\",\"field-id\":5},"
        "  {\"name\":\"value\",\"type\":\"long\",\"field-id\":6}]}}},"
        "{\"name\":\"t\",\"field-id\":\"x\",\"type\":{\"type\":\"long\","
        " \"logicalType\":\"timestamp-micros\",\"adjust-to-utc\":true}}]}";
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    const avro_schema *schema = NULL;
    REQUIRE(read_schema(&memory, json, &schema, &err) == FIRN_OK);
    REQUIRE(schema->kind == AVRO_RECORD && schema->count == 5);
    CHECK(avro_schema_has_ids(schema));

    const avro_field *field = avro_field_by_id(schema, 7);
    REQUIRE(field == &schema->fields[0]);
    CHECK(avro_field_by_name(schema, TEXT("/a")) == field);
    CHECK(text_equal(field->name, TEXT("_x2Fa")));
    uint32_t null_branch = 9;
    const avro_schema *option = avro_option_of(field->schema, &null_branch);
    REQUIRE(option != NULL);
    CHECK(option->kind == AVRO_INT && null_branch == 0);

    CHECK(avro_field_by_name(schema, TEXT("日付"))->schema->element_id == 9);
    CHECK(schema->fields[2].schema->key_id == 2 && schema->fields[2].schema->value_id == 3);
    CHECK(schema->fields[3].schema->logical == AVRO_LOGICAL_MAP);
    CHECK(schema->fields[3].schema->element->fields[1].id == 6);
    CHECK(schema->fields[4].id == AVRO_ID_NONE);
    CHECK(schema->fields[4].schema->adjust == AVRO_ADJUST_TO_UTC);
    CHECK(avro_field_by_id(schema, 99) == NULL);
    arena_close(&memory);
}

TEST(avro_schema_finds_named_types_through_namespaces) {
    static const char json[] =
        "{\"type\":\"record\",\"name\":\"a.b.outer\",\"aliases\":[\"old\",\"x.older\"],\"fields\":["
        "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"color\",\"symbols\":[\"RED\"]}},"
        "{\"name\":\"f\",\"type\":{\"type\":\"fixed\",\"name\":\"c.hash\",\"size\":3}},"
        "{\"name\":\"g\",\"type\":\"a.b.color\",\"aliases\":[\"gg\"]},"
        "{\"name\":\"h\",\"type\":\"color\"},"
        "{\"name\":\"i\",\"type\":\"c.hash\"},"
        "{\"name\":\"j\",\"type\":[\"null\",\"outer\"]},"
        "{\"name\":\"k\",\"type\":{\"type\":\"record\",\"name\":\"in\",\"namespace\":\"d\","
        "  \"fields\":[{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":\"in\"}}]}}]}";
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    const avro_schema *schema = NULL;
    REQUIRE(read_schema(&memory, json, &schema, &err) == FIRN_OK);
    CHECK(text_equal(schema->name, TEXT("a.b.outer")));
    REQUIRE(schema->alias_count == 2);
    CHECK(text_equal(schema->aliases[0], TEXT("a.b.old")));
    CHECK(text_equal(schema->aliases[1], TEXT("x.older")));
    CHECK(schema->fields[2].schema == schema->fields[0].schema);
    CHECK(schema->fields[2].alias_count == 1);
    CHECK(schema->fields[3].schema == schema->fields[0].schema);
    CHECK(schema->fields[4].schema == schema->fields[1].schema);
    CHECK(schema->fields[5].schema->choices[1] == schema && schema->is_shared);
    const avro_schema *inner = schema->fields[6].schema;
    CHECK(text_equal(inner->name, TEXT("d.in")));
    CHECK(inner->fields[0].schema->element == inner);
    CHECK(!avro_schema_has_ids(schema));
    CHECK(schema->size_min == 1 + 3 + 1 + 1 + 3 + 1 + 1);
    arena_close(&memory);
}

TEST(avro_schema_takes_logical_types_where_they_fit) {
    const struct {
        const char *json;
        avro_logical wanted;
    } cases[] = {
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":4,\"scale\":2}",
         AVRO_LOGICAL_DECIMAL},
        {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":2,\"logicalType\":\"decimal\",\"precision\":"
         "4}",
         AVRO_LOGICAL_DECIMAL},
        {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":2,\"logicalType\":\"decimal\",\"precision\":"
         "5}",
         AVRO_LOGICAL_NONE},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":4,\"scale\":5}",
         AVRO_LOGICAL_NONE},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\"}", AVRO_LOGICAL_NONE},
        {"{\"type\":\"string\",\"logicalType\":\"uuid\"}", AVRO_LOGICAL_UUID},
        {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":16,\"logicalType\":\"uuid\"}",
         AVRO_LOGICAL_UUID},
        {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":15,\"logicalType\":\"uuid\"}",
         AVRO_LOGICAL_NONE},
        {"{\"type\":\"int\",\"logicalType\":\"date\"}", AVRO_LOGICAL_DATE},
        {"{\"type\":\"long\",\"logicalType\":\"date\"}", AVRO_LOGICAL_NONE},
        {"{\"type\":\"int\",\"logicalType\":\"time-millis\"}", AVRO_LOGICAL_TIME_MILLIS},
        {"{\"type\":\"long\",\"logicalType\":\"timestamp-nanos\"}", AVRO_LOGICAL_TIMESTAMP_NANOS},
        {"{\"type\":\"long\",\"logicalType\":\"what\"}", AVRO_LOGICAL_NONE},
        {"{\"type\":\"long\",\"logicalType\":5}", AVRO_LOGICAL_NONE},
        {"{\"type\":\"array\",\"items\":\"int\",\"logicalType\":\"map\"}", AVRO_LOGICAL_NONE},
        {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":12,\"logicalType\":\"duration\"}",
         AVRO_LOGICAL_DURATION},
    };
    arena memory = arena_open(1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        firn_error err = ERR_INIT;
        const avro_schema *schema = NULL;
        REQUIRE(read_schema(&memory, cases[i].json, &schema, &err) == FIRN_OK);
        CHECK(schema->logical == cases[i].wanted);
    }
    arena_close(&memory);
}

TEST(avro_schema_refuses_what_is_none) {
    const struct {
        const char *json;
        const char *message;
    } cases[] = {
        {"{", "while reading the Avro schema"},
        {"3", "is a number, a type is required"},
        {"\"thing\"", "\"thing\", which is no type that was declared before"},
        {"{\"name\":\"x\"}", "has no \"type\""},
        {"{\"type\":\"record\",\"name\":\"x\"}", "fields"},
        {"{\"type\":\"record\",\"fields\":[]}", "name"},
        {"{\"type\":\"record\",\"name\":\"x\",\"fields\":[{\"name\":\"a\"}]}", "has no \"type\""},
        {"{\"type\":\"record\",\"name\":\"x\",\"fields\":[3]}", "object"},
        {"{\"type\":\"fixed\",\"name\":\"x\",\"size\":-1}", "is -1, at least 0 is allowed"},
        {"{\"type\":\"fixed\",\"name\":\"x\",\"size\":3000000000}", "size"},
        {"{\"type\":\"enum\",\"name\":\"x\",\"symbols\":[1]}", "string"},
        {"{\"type\":\"array\"}", "has no \"items\""},
        {"{\"type\":\"map\"}", "has no \"values\""},
        {"{\"type\":\"union\"}", "a union is written as an array"},
        {"[\"null\", 4]", "is a number"},
    };
    arena memory = arena_open(1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        firn_error err = ERR_INIT;
        const avro_schema *schema = NULL;
        CHECK(read_schema(&memory, cases[i].json, &schema, &err) == FIRN_CORRUPT);
        CHECK(strstr(err.text, cases[i].message) != NULL);
    }
    arena_close(&memory);
}

TEST(avro_schema_bounds_its_depth) {
    arena memory = arena_open(1 << 22);
    for (int depth = AVRO_DEPTH_MAX - 1; depth <= AVRO_DEPTH_MAX; depth++) {
        text_builder json = text_builder_open(&memory);
        for (int i = 0; i < depth; i++) {
            text_append(&json, TEXT("{\"type\":\"array\",\"items\":"));
        }
        text_append(&json, TEXT("\"int\""));
        for (int i = 0; i < depth; i++) {
            text_append(&json, TEXT("}"));
        }
        firn_error err = ERR_INIT;
        text done = {0};
        REQUIRE(text_builder_finish(&json, &done, &err) == FIRN_OK);
        const avro_schema *schema = NULL;
        const bool accepted = read_schema(&memory, done.data, &schema, &err) == FIRN_OK;
        CHECK(accepted == (depth < AVRO_DEPTH_MAX));
    }
    arena_close(&memory);
}

TEST(avro_schema_finds_many_named_types) {
    enum { COUNT = 500 };
    arena memory = arena_open(1 << 22);
    text_builder json = text_builder_open(&memory);
    text_append(&json, TEXT("["));
    for (int i = 0; i < COUNT; i++) {
        text_append_format(&json, "%s{\"type\":\"fixed\",\"name\":\"f%d\",\"size\":%d}",
                           i == 0 ? "" : ",", i, i);
    }
    for (int i = 0; i < COUNT; i++) {
        text_append_format(&json, ",\"f%d\"", i);
    }
    text_append(&json, TEXT("]"));
    firn_error err = ERR_INIT;
    text done = {0};
    REQUIRE(text_builder_finish(&json, &done, &err) == FIRN_OK);
    const avro_schema *schema = NULL;
    REQUIRE(read_schema(&memory, done.data, &schema, &err) == FIRN_OK);
    REQUIRE(schema->count == 2 * COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        CHECK(schema->choices[COUNT + i] == schema->choices[i]);
    }
    arena_close(&memory);
}
