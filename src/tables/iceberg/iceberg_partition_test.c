#include "tables/iceberg/iceberg_partition.h"

#include "base/test.h"
#include "tables/files/parquet_lines.h"

#define MEMORY_LIMIT ((size_t)4 << 20)

// The folder of one value.
static text folder_of(const char *transform, const type *of, ice_scalar value, arena *memory) {
    const ice_partition_field by = {.source_id = 1,
                                    .field_id = 1000,
                                    .name = TEXT("a b"),
                                    .transform = ice_transform_read(text_of(transform))};
    const ice_spec spec = {.count = 1, .fields = &by};
    const field column = {.name = TEXT("a"), .type = of, .id = 1};
    const schema columns = {.count = 1, .fields = &column};
    ice_partitioner partitions;
    text out = {.size = 0};
    firn_error err = ERR_INIT;
    CHECK(ice_partitioner_open(&columns, &spec, memory, &partitions, &err) == FIRN_OK);
    CHECK(ice_partition_folder(&partitions, &value, memory, &out, &err) == FIRN_OK);
    return out;
}

static ice_scalar number(int64_t value) {
    return (ice_scalar){.kind = ICE_SCALAR_NUMBER, .number = value};
}

static ice_scalar word(const char *value) {
    return (ice_scalar){.kind = ICE_SCALAR_BYTES,
                        .data = {.data = (const uint8_t *)value, .size = strlen(value)}};
}

TEST(ice_folders_are_as_java_names_them) {
    arena memory = arena_open(MEMORY_LIMIT);
    const type *price = type_decimal(&memory, 9, 2);
    const struct {
        const char *transform;
        const type *of;
        ice_scalar value;
        const char *wanted;
    } rows[] = {
        {"identity", TYPE_OF(INTEGER), number(-5), "a+b=-5"},
        {"identity", TYPE_OF(BOOLEAN), number(1), "a+b=true"},
        {"identity", TYPE_OF(INTEGER), {.kind = ICE_SCALAR_NULL}, "a+b=null"},
        {"identity", TYPE_OF(VARCHAR), word("x y/z=\xc3\xa4%*-._"), "a+b=x+y%2Fz%3D%C3%A4%25*-._"},
        {"identity", TYPE_OF(VARCHAR), word(""), "a+b="},
        {"identity", TYPE_OF(DATE), number(-1), "a+b=1969-12-31"},
        {"identity", TYPE_OF(TIME), number(INT64_C(36610000001)), "a+b=10%3A10%3A10.000001"},
        {"identity", TYPE_OF(TIME), number(INT64_C(36600000000)), "a+b=10%3A10"},
        {"identity", TYPE_OF(TIMESTAMP), number(-1), "a+b=1969-12-31T23%3A59%3A59.999999"},
        {"identity", TYPE_OF(TIMESTAMP), number(1500000), "a+b=1970-01-01T00%3A00%3A01.500"},
        {"identity", TYPE_OF(TIMESTAMPTZ), number(1000000), "a+b=1970-01-01T00%3A00%3A01Z"},
        {"identity", TYPE_OF(BINARY), word("abcd"), "a+b=YWJjZA%3D%3D"},
        {"identity", price, number(-105), "a+b=-1.05"},
        {"truncate[10]", price, number(100), "a+b=1.00"},
        {"truncate[2]", TYPE_OF(VARCHAR), word("ab"), "a+b=ab"},
        {"bucket[16]", TYPE_OF(VARCHAR), number(7), "a+b=7"},
        {"year", TYPE_OF(DATE), number(-1), "a+b=1969"},
        {"month", TYPE_OF(DATE), number(-1), "a+b=1969-12"},
        {"month", TYPE_OF(TIMESTAMP), number(624), "a+b=2022-01"},
        {"day", TYPE_OF(TIMESTAMP), number(19000), "a+b=2022-01-08"},
        {"hour", TYPE_OF(TIMESTAMP), number(-1), "a+b=1969-12-31-23"},
        {"void", TYPE_OF(VARCHAR), {.kind = ICE_SCALAR_NULL}, "a+b=null"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const text got = folder_of(rows[i].transform, rows[i].of, rows[i].value, &memory);
        CHECK(text_equal(got, text_of(rows[i].wanted)));
        if (!text_equal(got, text_of(rows[i].wanted))) {
            printf("  \"%.*s\", not \"%s\"\n", TEXT_ARGS(got), rows[i].wanted);
        }
    }
    char all[400];
    memset(all, '/', sizeof all - 1);
    all[sizeof all - 1] = '\0';
    const text got = folder_of("identity", TYPE_OF(VARCHAR), word(all), &memory);
    CHECK(got.size == strlen("a+b=") + 150 && text_ends_with(got, TEXT("%2F%2F")));
    arena_close(&memory);
}

TEST(ice_partition_keys_give_their_values_again) {
    arena memory = arena_open(MEMORY_LIMIT);
    firn_error err = ERR_INIT;
    const field fields[] = {{.name = TEXT("n"), .type = TYPE_OF(BIGINT), .id = 1},
                            {.name = TEXT("w"), .type = TYPE_OF(VARCHAR), .id = 2},
                            {.name = TEXT("x"), .type = TYPE_OF(DOUBLE), .id = 3}};
    const ice_partition_field by[] = {
        {.source_id = 2, .name = TEXT("w"), .transform = {.kind = ICE_TRUNCATE, .width = 2}},
        {.source_id = 3, .name = TEXT("x"), .transform = {.kind = ICE_IDENTITY, .width = 1}},
        {.source_id = 9, .name = TEXT("v"), .transform = {.kind = ICE_VOID, .width = 1}},
        {.source_id = 1, .name = TEXT("n"), .transform = {.kind = ICE_TRUNCATE, .width = 10}}};
    const ice_spec spec = {.count = 4, .fields = by};
    const schema of = {.count = 3, .fields = fields};
    ice_partitioner partitions;
    REQUIRE(ice_partitioner_open(&of, &spec, &memory, &partitions, &err) == FIRN_OK);
    column columns[3];
    for (uint32_t i = 0; i < 3; i++) {
        REQUIRE(column_new(&memory, fields[i].type, 4, &columns[i], &err) == FIRN_OK);
    }
    for (uint32_t i = 0; i < 4; i++) {
        COLUMN_OUT(&columns[0], int64_t)[i] = (int64_t)i - 10;
        COLUMN_OUT(&columns[1], string_value)
        [i] = string_of(i < 2 ? "alpha" : "beta", i < 2 ? 5 : 4);
        COLUMN_OUT(&columns[2], double)[i] = i % 2 == 0 ? 0.0 : -0.0;
    }
    REQUIRE(column_set_null(&memory, &columns[1], 3));
    const batch rows = batch_of(columns, 3, 4);
    const column *values;
    REQUIRE(ice_partition_columns(&partitions, &rows, &memory, &values, &err) == FIRN_OK);
    CHECK(parquet_lines_is_same(values, spec.count, 0, 1));
    CHECK(!parquet_lines_is_same(values, spec.count, 1, 2));
    CHECK(!parquet_lines_is_same(values, spec.count, 2, 3));
    text keys[4];
    for (uint32_t i = 0; i < 4; i++) {
        REQUIRE(ice_partition_pack(&partitions, values, i, &memory, &keys[i], &err) == FIRN_OK);
    }
    CHECK(text_equal(keys[0], keys[1]) && !text_equal(keys[1], keys[2]));
    const ice_scalar *tuple;
    REQUIRE(ice_partition_unpack(&partitions, keys[0], &memory, &tuple, &err) == FIRN_OK);
    CHECK(tuple[0].kind == ICE_SCALAR_BYTES && tuple[0].data.size == 2);
    CHECK(memcmp(tuple[0].data.data, "al", 2) == 0);
    CHECK(tuple[1].kind == ICE_SCALAR_REAL && tuple[1].real == 0);
    CHECK(tuple[2].kind == ICE_SCALAR_NULL);
    CHECK(tuple[3].kind == ICE_SCALAR_NUMBER && tuple[3].number == -10);
    REQUIRE(ice_partition_unpack(&partitions, keys[3], &memory, &tuple, &err) == FIRN_OK);
    CHECK(tuple[0].kind == ICE_SCALAR_NULL && tuple[3].number == -10);
    arena_close(&memory);
}

TEST(ice_partitions_come_from_fields_of_structs) {
    arena memory = arena_open(MEMORY_LIMIT);
    firn_error err = ERR_INIT;
    const field inner = {.name = TEXT("x"), .type = TYPE_OF(INTEGER), .is_nullable = true, .id = 5};
    const field fields[] = {{.name = TEXT("a"), .type = TYPE_OF(INTEGER), .id = 1},
                            {.name = TEXT("s"), .type = type_struct(&memory, 1, &inner), .id = 2}};
    const schema of = {.count = 2, .fields = fields};
    ice_source source;
    bool is_found;
    REQUIRE(ice_source_find(&of, 5, &memory, &source, &is_found, &err) == FIRN_OK);
    REQUIRE(is_found && source.column == 1 && source.path_count == 1);
    CHECK(text_equal(source.path[0], TEXT("x")));
    column child;
    REQUIRE(column_new(&memory, TYPE_OF(INTEGER), 2, &child, &err) == FIRN_OK);
    COLUMN_OUT(&child, int32_t)[0] = 7;
    COLUMN_OUT(&child, int32_t)[1] = 8;
    column columns[] = {{.length = 2}, {.type = fields[1].type, .length = 2, .children = &child}};
    REQUIRE(column_set_null(&memory, &columns[1], 1));
    column got;
    REQUIRE(ice_source_column(&source, columns, &memory, &got, &err) == FIRN_OK);
    CHECK(column_is_valid(&got, 0) && COLUMN_VALUES(&got, int32_t)[0] == 7);
    CHECK(!column_is_valid(&got, 1));
    REQUIRE(ice_source_find(&of, 6, &memory, &source, &is_found, &err) == FIRN_OK);
    CHECK(!is_found);
    arena_close(&memory);
}

TEST(ice_partitioners_refuse_what_cannot_be_written) {
    static const struct {
        const char *transform;
        int32_t source_id;
        firn_status status;
    } rows[] = {{"zorder[3]", 1, FIRN_UNSUPPORTED},
                {"day", 1, FIRN_UNSUPPORTED},
                {"identity", 4, FIRN_INVALID}};
    const field column = {.name = TEXT("a"), .type = TYPE_OF(INTEGER), .id = 1};
    const schema of = {.count = 1, .fields = &column};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        arena memory = arena_open(MEMORY_LIMIT);
        firn_error err = ERR_INIT;
        const ice_partition_field by = {.source_id = rows[i].source_id,
                                        .name = TEXT("p"),
                                        .transform =
                                            ice_transform_read(text_of(rows[i].transform))};
        const ice_spec spec = {.count = 1, .fields = &by};
        ice_partitioner partitions;
        CHECK(ice_partitioner_open(&of, &spec, &memory, &partitions, &err) == rows[i].status);
        CHECK(strstr(err.text, "\"p\"") != NULL);
        arena_close(&memory);
    }
}
