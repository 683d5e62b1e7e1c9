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
