// Columns get the ids and types that Java gives them, and come back from the JSON as they were.
#include "tables/iceberg/iceberg_schema_write.h"

#include "base/test.h"

TEST(ice_schema_assign_numbers_columns_before_what_is_inside) {
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    const field inside[] = {{TEXT("x"), TYPE_OF(TINYINT), true, -1},
                            {TEXT("y"), TYPE_OF(UBIGINT), false, -1}};
    const field columns[] = {
        {TEXT("a"), TYPE_OF(INTEGER), false, -1},
        {TEXT("s"), type_struct(&memory, 2, inside), true, -1},
        {TEXT("m"), type_map(&memory, TYPE_OF(VARCHAR), TYPE_OF(JSON)), true, -1},
        {TEXT("l"), type_list(&memory, type_decimal(&memory, 9, 2)), true, -1},
        {TEXT("t"), type_temporal(TYPE_TIMESTAMP, UNIT_MILLI), true, -1},
    };
    ice_schema made = {.id = 4};
    ice_schema read;
    int32_t last = 0;
    const schema wanted = {.count = 5, .fields = columns};
    REQUIRE(ice_schema_assign(&wanted, NULL, 2, &memory, &last, &made.columns, &err) == FIRN_OK);
    CHECK(last == 10 && ice_schema_last_id(&made.columns) == 10);
    text_builder builder = text_builder_open(&memory);
    json_writer json = json_writer_into(&builder, 0);
    ice_schema_write(&json, &made);
    json_writer_finish(&json);
    const text written = {.data = builder.data, .size = builder.size};
    CHECK(text_equal(
        written,
        TEXT("{\"type\":\"struct\",\"schema-id\":4,\"fields\":[{\"id\":1,\"name\":\"a\","
             "\"required\":true,\"type\":\"int\"},{\"id\":2,\"name\":\"s\",\"required\":false,"
             "\"type\":{\"type\":\"struct\",\"fields\":[{\"id\":6,\"name\":\"x\","
             "\"required\":false,\"type\":\"int\"},{\"id\":7,\"name\":\"y\",\"required\":true,"
             "\"type\":\"decimal(20, 0)\"}]}},{\"id\":3,\"name\":\"m\",\"required\":false,"
             "\"type\":{\"type\":\"map\",\"key-id\":8,\"key\":\"string\",\"value-id\":9,"
             "\"value\":\"string\",\"value-required\":false}},{\"id\":4,\"name\":\"l\","
             "\"required\":false,\"type\":{\"type\":\"list\",\"element-id\":10,"
             "\"element\":\"decimal(9, 2)\",\"element-required\":false}},{\"id\":5,"
             "\"name\":\"t\",\"required\":false,\"type\":\"timestamp\"}]}")));
    const json_node *root;
    const bytes input = {.data = (const uint8_t *)written.data, .size = written.size};
    REQUIRE(json_tree_read(&memory, input, &root, &err) == FIRN_OK);
    REQUIRE(ice_schema_read(root, &memory, &read, &err) == FIRN_OK);
    CHECK(read.id == 4 && read.columns.count == 5);
    for (uint32_t i = 0; i < read.columns.count; i++) {
        CHECK(read.columns.fields[i].id == made.columns.fields[i].id);
        CHECK(type_equal(read.columns.fields[i].type, made.columns.fields[i].type));
    }
    arena_close(&memory);
}

// As Java's replaced tables: ids go by names, at every depth; a part of a list or map by its place.
TEST(ice_schema_assign_keeps_ids_of_what_is_called_alike) {
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    const field old_inside[] = {{TEXT("x"), TYPE_OF(INTEGER), true, 7}};
    const type list = {.id = TYPE_LIST,
                       .child_count = 1,
                       .children = &(field){TEXT("element"), TYPE_OF(INTEGER), true, 8}};
    const type structure = {.id = TYPE_STRUCT, .child_count = 1, .children = old_inside};
    const field old[] = {{TEXT("a"), TYPE_OF(INTEGER), true, 1},
                         {TEXT("A"), TYPE_OF(INTEGER), true, 2},
                         {TEXT("s"), &structure, true, 3},
                         {TEXT("l"), &list, true, 4},
                         {TEXT("k"), &list, true, 5}};
    const field inside[] = {{TEXT("y"), TYPE_OF(INTEGER), true, -1},
                            {TEXT("x"), TYPE_OF(BIGINT), true, -1}};
    const field columns[] = {{TEXT("k"), type_struct(&memory, 2, inside), true, -1},
                             {TEXT("l"), type_list(&memory, TYPE_OF(VARCHAR)), true, -1},
                             {TEXT("s"), type_struct(&memory, 2, inside), true, -1},
                             {TEXT("A"), TYPE_OF(VARCHAR), true, -1},
                             {TEXT("b"), TYPE_OF(INTEGER), true, -1}};
    schema out;
    int32_t last = 9;
    REQUIRE(ice_schema_assign(&(schema){.count = 5, .fields = columns},
                              &(schema){.count = 5, .fields = old}, 2, &memory, &last, &out,
                              &err) == FIRN_OK);
    const int32_t ids[] = {5, 4, 3, 2, 10};
    for (uint32_t i = 0; i < 5; i++) {
        CHECK(out.fields[i].id == ids[i]);
    }
    CHECK(out.fields[0].type->children[0].id == 11 && out.fields[0].type->children[1].id == 12);
    CHECK(out.fields[1].type->children[0].id == 8);
    CHECK(out.fields[2].type->children[0].id == 13 && out.fields[2].type->children[1].id == 7);
    CHECK(last == 13);
    arena_close(&memory);
}

TEST(ice_schema_assign_refuses_types_that_iceberg_has_not) {
    arena memory = arena_open(1 << 20);
    const type *const types[] = {TYPE_OF(INTERVAL), type_decimal(&memory, 39, 0),
                                 type_temporal(TYPE_TIMESTAMPTZ, UNIT_NANO),
                                 type_temporal(TYPE_TIME, UNIT_NANO)};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        firn_error err = ERR_INIT;
        schema out;
        int32_t last = 0;
        const field column = {TEXT("the column"), types[i], true, -1};
        CHECK(ice_schema_assign(&(schema){.count = 1, .fields = &column}, NULL, 2, &memory, &last,
                                &out, &err) == FIRN_UNSUPPORTED);
        CHECK(strstr(err.text, "the column") != NULL);
    }
    arena_close(&memory);
}
