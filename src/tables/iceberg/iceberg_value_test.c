#include "tables/iceberg/iceberg_schema.h"
#include "tables/iceberg/iceberg_value.h"

#include "base/test.h"

TEST(ice_scalar_of_bytes_takes_dates_of_columns_that_are_timestamps_now) {
    static const uint8_t before[] = {0xfe, 0xff, 0xff, 0xff};
    static const uint8_t wide[] = {2, 0, 0, 0, 0, 0, 0, 0};
    const bytes days = {.size = sizeof before, .data = before};
    const bytes micros = {.size = sizeof wide, .data = wide};
    const int64_t day = INT64_C(86400000000);
    CHECK(ice_scalar_of_bytes(TYPE_OF(DATE), days).number == -2);
    CHECK(ice_scalar_of_bytes(TYPE_OF(TIMESTAMP), days).number == -2 * day);
    const type *nanos = type_temporal(TYPE_TIMESTAMP, UNIT_NANO);
    CHECK(ice_scalar_of_bytes(nanos, days).number == -2 * day * 1000);
    CHECK(ice_scalar_of_bytes(TYPE_OF(TIMESTAMP), micros).number == 2);
}

TEST(ice_scalar_of_avro_takes_dates_of_columns_that_are_timestamps_now) {
    const avro_schema was = {.kind = AVRO_INT};
    const avro_schema now = {.kind = AVRO_LONG};
    const avro_value value = {.number = -3};
    const ice_scalar days = ice_scalar_of_avro(TYPE_OF(TIMESTAMP), &value, &was);
    CHECK(days.kind == ICE_SCALAR_NUMBER && days.number == -INT64_C(259200000000));
    CHECK(ice_scalar_of_avro(TYPE_OF(TIMESTAMP), &value, &now).number == -3);
    CHECK(ice_scalar_of_avro(TYPE_OF(DATE), &value, &was).number == -3);
    CHECK(ice_scalar_of_avro(TYPE_OF(BIGINT), &value, &was).number == -3);
}

TEST(ice_scalars_of_geometry_are_none) {
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    const text written = TEXT(
        "{\"fields\": [{\"id\": 1, \"name\": \"a\", \"type\": \"geometry\", \"required\": false}, "
        "{\"id\": 2, \"name\": \"b\", \"type\": \"geography(srid:4326, vincenty)\", \"required\": "
        "false}, {\"id\": 3, \"name\": \"c\", \"type\": \"binary\", \"required\": false}]}");
    const bytes json = {.data = (const uint8_t *)written.data, .size = written.size};
    const json_node *node;
    ice_schema schema;
    REQUIRE(json_tree_read(&memory, json, &node, &err) == FIRN_OK);
    REQUIRE(ice_schema_read(node, &memory, &schema, &err) == FIRN_OK);
    static const ice_scalar_kind kinds[] = {ICE_SCALAR_NONE, ICE_SCALAR_NONE, ICE_SCALAR_BYTES};
    for (uint32_t i = 0; i < 3; i++) {
        const type *is = schema.columns.fields[i].type;
        CHECK(type_equal(is, TYPE_OF(BINARY)) && ice_scalar_kind_of(is) == kinds[i]);
    }
    arena_close(&memory);
}
