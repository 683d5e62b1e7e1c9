#include "formats/avro/avro_plan.h"

#include <string.h>

#include "base/test.h"
#include "formats/avro/avro_pairs.h"
#include "formats/avro/avro_plain_read.h"

#define BYTES(...)                                                                                 \
    ((bytes){.data = (const uint8_t[]){__VA_ARGS__}, .size = sizeof((uint8_t[]){__VA_ARGS__})})
#define PATH(...)                                                                                  \
    .path = (const int32_t[]){__VA_ARGS__},                                                        \
    .path_length = sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t)

static const avro_schema *schema_of(arena *memory, const char *json) {
    const avro_schema *schema = NULL;
    firn_error err = ERR_INIT;
    const bytes input = {.data = (const uint8_t *)json, .size = strlen(json)};
    if (avro_schema_read(memory, input, &schema, &err) != FIRN_OK) {
        test_fail(__FILE__, __LINE__, err.text);
        return NULL;
    }
    return schema;
}

// A record with everything that a manifest has, and more.
static const char entry_json[] =
    "{\"type\":\"record\",\"name\":\"entry\",\"fields\":["
    "{\"name\":\"status\",\"type\":\"int\",\"field-id\":0},"
    "{\"name\":\"snapshot_id\",\"type\":[\"null\",\"long\"],\"field-id\":1},"
    "{\"name\":\"flag\",\"type\":\"boolean\",\"field-id\":5},"
    "{\"name\":\"ratio\",\"type\":[\"double\",\"null\"],\"field-id\":6},"
    "{\"name\":\"file\",\"field-id\":2,\"type\":{\"type\":\"record\",\"name\":\"r2\",\"fields\":["
    "  {\"name\":\"path\",\"type\":\"string\",\"field-id\":100},"
    "  {\"name\":\"sizes\",\"field-id\":108,\"type\":[\"null\",{\"type\":\"array\",\"items\":"
    "    {\"type\":\"record\",\"name\":\"k117\",\"fields\":["
    "      {\"name\":\"key\",\"type\":\"int\",\"field-id\":117},"
    "      {\"name\":\"value\",\"type\":\"long\",\"field-id\":118}]}}]},"
    "  "
    "{\"name\":\"key\",\"type\":{\"type\":\"fixed\",\"name\":\"f3\",\"size\":3},\"field-id\":131},"
    "  {\"name\":\"color\",\"type\":{\"type\":\"enum\",\"name\":\"c\",\"symbols\":[\"R\",\"G\"]},"
    "   \"field-id\":140},"
    "  {\"name\":\"tags\",\"type\":{\"type\":\"map\",\"values\":\"float\"},\"field-id\":141}]}}]}";

#define ENTRY                                                                                      \
    2, 2, 0x54, 1, 0, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 6, 'a', '/', 'b', 2, 4, 1, 2, 3, 4, 0, 7, 8,   \
        9, 2, 2, 2, 't', 0, 0, 0x80, 0x3f, 0

TEST(avro_plan_picks_parts_by_field_id) {
    arena memory = arena_open(1 << 20);
    const avro_schema *schema = schema_of(&memory, entry_json);
    REQUIRE(schema != NULL);
    const avro_slot slots[] = {
        {PATH(2, 100), .want = AVRO_WANT_BYTES},  {PATH(1), .want = AVRO_WANT_NUMBER},
        {PATH(2, 108), .want = AVRO_WANT_SLICE},  {PATH(6), .want = AVRO_WANT_REAL},
        {PATH(2, 131), .want = AVRO_WANT_BYTES},  {PATH(5), .want = AVRO_WANT_NUMBER},
        {PATH(2, 140), .want = AVRO_WANT_NUMBER}, {PATH(2, 99), .want = AVRO_WANT_NUMBER},
        {PATH(0), .want = AVRO_WANT_NUMBER},
    };
    enum { COUNT = sizeof slots / sizeof *slots };
    firn_error err = ERR_INIT;
    const avro_plan *plan = NULL;
    REQUIRE(avro_plan_compile(&memory, schema, slots, COUNT, 0, &plan, &err) == FIRN_OK);
    CHECK(plan->found[7] == NULL);
    CHECK(plan->found[2]->kind == AVRO_ARRAY);

    byte_reader in = reader_open(BYTES(ENTRY, ENTRY));
    for (int i = 0; i < 2; i++) {
        avro_value values[COUNT];
        REQUIRE(avro_plan_read(plan, &in, values, &err) == FIRN_OK);
        CHECK(!values[0].is_null && values[0].data.size == 3);
        CHECK(memcmp(values[0].data.data, "a/b", 3) == 0);
        CHECK(!values[1].is_null && values[1].number == 42);
        CHECK(!values[2].is_null && values[2].data.size == 6);
        CHECK(!values[3].is_null && values[3].real == 1.5);
        CHECK(!values[4].is_null && values[4].data.size == 3 && values[4].data.data[2] == 9);
        CHECK(!values[5].is_null && values[5].number == 1);
        CHECK(!values[6].is_null && values[6].number == 1);
        CHECK(values[7].is_null);
        CHECK(!values[8].is_null && values[8].number == 1);
    }
    CHECK(reader_left(&in) == 0);
    arena_close(&memory);
}

TEST(avro_plan_reads_the_items_of_a_slice) {
    arena memory = arena_open(1 << 20);
    const avro_schema *schema = schema_of(&memory, entry_json);
    REQUIRE(schema != NULL);
    const avro_slot slot = {PATH(2, 108), .want = AVRO_WANT_SLICE};
    firn_error err = ERR_INIT;
    const avro_plan *plan = NULL;
    REQUIRE(avro_plan_compile(&memory, schema, &slot, 1, 0, &plan, &err) == FIRN_OK);
    const avro_slot parts[] = {{PATH(118), .want = AVRO_WANT_NUMBER},
                               {PATH(117), .want = AVRO_WANT_NUMBER}};
    const avro_plan *item_plan = NULL;
    const avro_schema *element = plan->found[0]->element;
    REQUIRE(avro_plan_compile(&memory, element, parts, 2, 0, &item_plan, &err) == FIRN_OK);

    byte_reader in = reader_open(BYTES(ENTRY));
    avro_value value;
    REQUIRE(avro_plan_read(plan, &in, &value, &err) == FIRN_OK);
    byte_reader slice = reader_open(value.data);
    avro_items items = {.item_size_min = element->size_min};
    int64_t sum = 0;
    bool has_item = false;
    REQUIRE(avro_items_next(&items, &slice, &has_item, &err) == FIRN_OK);
    while (has_item) {
        avro_value pair[2];
        REQUIRE(avro_plan_read(item_plan, &slice, pair, &err) == FIRN_OK);
        sum += pair[0].number * 100 + pair[1].number;
        REQUIRE(avro_items_next(&items, &slice, &has_item, &err) == FIRN_OK);
    }
    CHECK(sum == 100 - 1 + 200 - 2 + 0);

    avro_pairs pairs;
    REQUIRE(avro_pairs_open(&pairs, plan->found[0], value.data) && !pairs.has_data);
    REQUIRE(avro_pairs_next(&pairs, &err) == FIRN_OK);
    while (pairs.has_pair) {
        sum -= pairs.number * 100 + pairs.key;
        REQUIRE(avro_pairs_next(&pairs, &err) == FIRN_OK);
    }
    CHECK(sum == 0);
    CHECK(!avro_pairs_open(&pairs, schema, value.data));
    arena_close(&memory);
}

TEST(avro_plan_passes_nulls_and_other_branches) {
    arena memory = arena_open(1 << 20);
    const avro_schema *schema = schema_of(
        &memory, "{\"type\":\"record\",\"name\":\"r\",\"fields\":["
                 "{\"name\":\"a\",\"type\":[\"null\",\"int\",\"long\"],\"field-id\":1},"
                 "{\"name\":\"b\",\"type\":[\"null\",\"string\"],\"field-id\":2},"
                 "{\"name\":\"c\",\"type\":[\"int\",{\"type\":\"array\",\"items\":\"int\"}],"
                 " \"field-id\":3}]}");
    REQUIRE(schema != NULL);
    const avro_slot slots[] = {{PATH(1), .want = AVRO_WANT_NUMBER},
                               {PATH(2), .want = AVRO_WANT_BYTES},
                               {PATH(3), .want = AVRO_WANT_SLICE}};
    firn_error err = ERR_INIT;
    const avro_plan *plan = NULL;
    REQUIRE(avro_plan_compile(&memory, schema, slots, 3, 0, &plan, &err) == FIRN_OK);
    byte_reader in = reader_open(BYTES(0, 0, 0, 6, 4, 10, 2, 2, 'x', 2, 2, 8, 0));
    avro_value values[3];
    REQUIRE(avro_plan_read(plan, &in, values, &err) == FIRN_OK);
    CHECK(values[0].is_null && values[1].is_null);
    CHECK(!values[2].is_null && values[2].data.size == 2);
    REQUIRE(avro_plan_read(plan, &in, values, &err) == FIRN_OK);
    CHECK(!values[0].is_null && values[0].number == 5);
    CHECK(!values[1].is_null && values[1].data.size == 1);
    CHECK(!values[2].is_null && values[2].data.size == 4); // Branch, count, item, end.
    CHECK(reader_left(&in) == 0);
    arena_close(&memory);
}

TEST(avro_plan_reads_fixed_as_bytes_where_java_wrote_so) {
    arena memory = arena_open(1 << 20);
    const avro_schema *schema = schema_of(
        &memory, "{\"type\":\"record\",\"name\":\"r102\",\"fields\":["
                 "{\"name\":\"f\",\"type\":[\"null\",{\"type\":\"fixed\",\"name\":\"f2\","
                 " \"size\":2}],\"field-id\":1000},"
                 "{\"name\":\"u\",\"type\":{\"type\":\"fixed\",\"name\":\"u\",\"size\":16,"
                 " \"logicalType\":\"uuid\"},\"field-id\":1001}]}");
    REQUIRE(schema != NULL);
    const avro_slot slot = {PATH(1000), .want = AVRO_WANT_BYTES};
    firn_error err = ERR_INIT;
    const avro_plan *plan = NULL;
    REQUIRE(avro_plan_compile(&memory, schema, &slot, 1, AVRO_PLAN_FIXED_IS_BYTES, &plan, &err) ==
            FIRN_OK);
    byte_reader in =
        reader_open(BYTES(2, 4, 'x', 'y', 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    avro_value value;
    REQUIRE(avro_plan_read(plan, &in, &value, &err) == FIRN_OK);
    CHECK(!value.is_null && value.data.size == 2 && value.data.data[0] == 'x');
    CHECK(reader_left(&in) == 0);
    arena_close(&memory);
}

TEST(avro_plan_follows_records_that_refer_to_themselves) {
    arena memory = arena_open(1 << 20);
    const avro_schema *schema =
        schema_of(&memory, "{\"type\":\"record\",\"name\":\"list\",\"fields\":["
                           "{\"name\":\"value\",\"type\":\"long\",\"field-id\":1},"
                           "{\"name\":\"next\",\"type\":[\"null\",\"list\"],\"field-id\":2}]}");
    REQUIRE(schema != NULL);
    const avro_slot slot = {PATH(2, 2, 1), .want = AVRO_WANT_NUMBER};
    firn_error err = ERR_INIT;
    const avro_plan *plan = NULL;
    REQUIRE(avro_plan_compile(&memory, schema, &slot, 1, 0, &plan, &err) == FIRN_OK);
    byte_reader in = reader_open(BYTES(2, 2, 4, 2, 6, 2, 8, 2, 10, 0));
    avro_value value;
    REQUIRE(avro_plan_read(plan, &in, &value, &err) == FIRN_OK);
    CHECK(!value.is_null && value.number == 3);
    CHECK(reader_left(&in) == 0);

    uint8_t endless[2000];
    memset(endless, 2, sizeof endless);
    in = reader_open((bytes){.data = endless, .size = sizeof endless});
    CHECK(avro_plan_read(plan, &in, &value, &err) == FIRN_UNSUPPORTED);
    CHECK(strstr(err.text, "nested more than 256 deep") != NULL);
    arena_close(&memory);
}

TEST(avro_plan_refuses_slots_of_the_wrong_kind) {
    const struct {
        avro_slot slots[2];
        uint32_t count;
        const char *message;
    } cases[] = {
        {{{PATH(0), .want = AVRO_WANT_BYTES}},
         1,
         "\"int\" where bytes, string or fixed is wanted\n  while compiling field \"status\""},
        {{{PATH(2, 100), .want = AVRO_WANT_NUMBER}}, 1, "\"string\" where boolean, int, long"},
        {{{PATH(2, 108), .want = AVRO_WANT_NUMBER}}, 1, "\"array\" where boolean, int, long"},
        {{{PATH(1), .want = AVRO_WANT_REAL}}, 1, "\"long\" where float or double"},
        {{{PATH(2), .want = AVRO_WANT_BYTES}}, 1, "\"r2\" where bytes"},
        {{{PATH(0), .want = AVRO_WANT_NUMBER}, {PATH(0), .want = AVRO_WANT_NUMBER}},
         2,
         "two slots for an Avro value"},
        {{{PATH(2), .want = AVRO_WANT_SLICE}, {PATH(2, 100), .want = AVRO_WANT_BYTES}},
         2,
         "two slots for an Avro value"},
    };
    arena memory = arena_open(1 << 20);
    const avro_schema *schema = schema_of(&memory, entry_json);
    REQUIRE(schema != NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        firn_error err = ERR_INIT;
        const avro_plan *plan = NULL;
        CHECK(avro_plan_compile(&memory, schema, cases[i].slots, cases[i].count, 0, &plan, &err) !=
              FIRN_OK);
        CHECK(strstr(err.text, cases[i].message) != NULL);
    }
    arena_close(&memory);
}

TEST(avro_plan_refuses_every_value_that_is_cut_off) {
    arena memory = arena_open(1 << 20);
    const avro_schema *schema = schema_of(&memory, entry_json);
    REQUIRE(schema != NULL);
    const avro_slot slots[] = {{PATH(2, 100), .want = AVRO_WANT_BYTES},
                               {PATH(2, 141), .want = AVRO_WANT_SLICE}};
    firn_error err = ERR_INIT;
    const avro_plan *plans[2] = {NULL, NULL};
    REQUIRE(avro_plan_compile(&memory, schema, slots, 0, 0, &plans[0], &err) == FIRN_OK);
    REQUIRE(avro_plan_compile(&memory, schema, slots, 2, 0, &plans[1], &err) == FIRN_OK);
    const bytes whole = BYTES(ENTRY);
    for (size_t i = 0; i < 2; i++) {
        for (size_t size = 0; size <= whole.size; size++) {
            avro_value values[2];
            byte_reader in = reader_open((bytes){.data = whole.data, .size = size});
            CHECK((avro_plan_read(plans[i], &in, values, &err) == FIRN_OK) == (size == whole.size));
        }
    }
    arena_close(&memory);
}

// Random values of a schema with everything, passed by the plan and read by the plainest reader.
TEST(avro_plan_passes_what_the_plain_reader_reads) {
    arena memory = arena_open(1 << 20);
    const avro_schema *schema = schema_of(
        &memory, "{\"type\":\"record\",\"name\":\"r\",\"fields\":["
                 "{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":\"int\"}},"
                 "{\"name\":\"b\",\"type\":{\"type\":\"array\",\"items\":\"double\"}},"
                 "{\"name\":\"c\",\"type\":{\"type\":\"map\",\"values\":[\"null\",\"r\"]}},"
                 "{\"name\":\"d\",\"type\":{\"type\":\"array\",\"items\":\"null\"}},"
                 "{\"name\":\"e\",\"type\":[\"null\",\"string\",{\"type\":\"array\",\"items\":"
                 " {\"type\":\"array\",\"items\":\"bytes\"}}]},"
                 "{\"name\":\"f\",\"type\":\"null\"}]}");
    REQUIRE(schema != NULL);
    firn_error err = ERR_INIT;
    const avro_plan *plan = NULL;
    REQUIRE(avro_plan_compile(&memory, schema, NULL, 0, 0, &plan, &err) == FIRN_OK);
    uint64_t seed = 4;
    uint32_t good_count = 0;
    for (int round = 0; round < 20000; round++) {
        uint8_t data[64];
        for (size_t i = 0; i < sizeof data; i++) {
            const uint64_t random = test_random(&seed);
            // Even numbers: a negative count comes with a size, which here would be wrong.
            data[i] = (uint8_t)(random % 3 == 0 ? (random >> 8) % 3 * 2 : 0);
        }
        byte_reader plain = reader_open((bytes){.data = data, .size = sizeof data});
        byte_reader in = plain;
        uint64_t count = 0;
        if (avro_plain_read(schema, &plain, 0, &count, &err) == FIRN_OK) {
            good_count += count > 10;
            REQUIRE(avro_plan_read(plan, &in, NULL, &err) == FIRN_OK);
            CHECK(in.at == plain.at);
        }
    }
    CHECK(good_count > 1000);
    arena_close(&memory);
}
