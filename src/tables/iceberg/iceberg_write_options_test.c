#include "tables/iceberg/iceberg_write_options.h"

#include "base/test.h"

#define MEMORY_LIMIT ((size_t)4 << 20)

#define P(name, word) {.key = TEXT(name), .value = TEXT(word)}

static const field fields[] = {
    {.name = {.data = "id", .size = 2}, .type = TYPE_OF(BIGINT), .is_nullable = true, .id = 1},
    {.name = {.data = "word", .size = 4}, .type = TYPE_OF(VARCHAR), .is_nullable = true, .id = 2},
    {.name = {.data = "flag", .size = 4}, .type = TYPE_OF(BOOLEAN), .is_nullable = true, .id = 3}};
static const schema columns = {.count = 3, .fields = fields};

typedef struct scene {
    arena memory;
    ice_metadata metadata;
    ice_write_options options;
    firn_error err;
} scene;

static firn_status make(scene *self, uint32_t count, const ice_property *properties) {
    self->memory = arena_open(MEMORY_LIMIT);
    self->metadata.property_count = count;
    self->metadata.properties = properties;
    self->err = ERR_INIT;
    return ice_write_options_make(&self->metadata, NULL, 0, &columns, &self->memory, &self->options,
                                  &self->err);
}

TEST(ice_write_options_have_defaults) {
    scene s = {.err = ERR_INIT};
    REQUIRE(make(&s, 0, NULL) == FIRN_OK);
    CHECK(s.options.file_size == UINT64_C(512) << 20);
    CHECK(s.options.writer.group_bytes == UINT64_C(128) << 20);
    CHECK(s.options.writer.codec == CODEC_ZSTD);
    CHECK(s.options.writer.codec_choice == PW_CODEC_CHOSEN);
    CHECK(s.options.writer.leaves[0].encodings == PW_ENCODINGS_JAVA);
    CHECK(s.options.writer.leaves[1].bound_bytes >= 68); // 17 code points.
    CHECK(!s.options.writer.leaves[1].has_bloom);
    CHECK(s.options.leaves.items[1].mode.kind == ICE_METRICS_TRUNCATE);
    CHECK(pw_options_check(&s.options.writer, 3, &s.err) == FIRN_OK);
    arena_close(&s.memory);
}

TEST(ice_write_options_obey_properties) {
    const ice_property properties[] = {
        P("write.target-file-size-bytes", "1000000"),
        P("write.parquet.row-group-size-bytes", "2000"),
        P("write.parquet.row-group-limit", "77"),
        P("write.parquet.page-size-bytes", "9999999999"),
        P("write.parquet.page-row-limit", "50"),
        P("write.parquet.dict-size-bytes", "60"),
        P("write.parquet.compression-codec", "GZIP"),
        P("write.parquet.compression-level", "5"),
        P("write.parquet.bloom-filter-enabled.column.word", "TRUE"),
        P("write.parquet.bloom-filter-enabled.column.flag", "true"),
        P("write.parquet.bloom-filter-fpp.column.word", "0.2"),
        P("write.parquet.bloom-filter-ndv.column.word", "12"),
        P("write.parquet.bloom-filter-max-bytes", "1"),
        P("write.parquet.stats-enabled.column.id", "false"),
        P("write.metadata.metrics.default", "counts"),
        P("write.metadata.metrics.column.word", "full"),
    };
    scene s = {.err = ERR_INIT};
    REQUIRE(make(&s, sizeof properties / sizeof *properties, properties) == FIRN_OK);
    const pw_options *writer = &s.options.writer;
    CHECK(s.options.file_size == 1000000 && writer->group_bytes == 2000);
    CHECK(writer->group_rows == 77 && writer->page_bytes == PW_PAGE_BYTES_MAX);
    CHECK(writer->page_rows == 50 && writer->dictionary_bytes == 60);
    CHECK(writer->codec == CODEC_GZIP && writer->codec_level == 5);
    CHECK(writer->codec_choice == PW_CODEC_GIVEN && writer->bloom_bytes_max == 32);
    CHECK(writer->leaves[1].has_bloom && writer->leaves[1].bloom_values == 12);
    CHECK(writer->leaves[1].bloom_rate > 0.19 && writer->leaves[1].bloom_rate < 0.21);
    CHECK(!writer->leaves[0].has_bloom && !writer->leaves[2].has_bloom);
    CHECK(writer->leaves[0].statistics == PW_STATISTICS_COUNTS);
    CHECK(writer->leaves[1].bound_bytes == UINT32_MAX);
    CHECK(s.options.leaves.items[0].mode.kind == ICE_METRICS_COUNTS);
    CHECK(s.options.leaves.items[1].mode.kind == ICE_METRICS_FULL);
    CHECK(pw_options_check(writer, 3, &s.err) == FIRN_OK);
    arena_close(&s.memory);
}

TEST(ice_write_options_of_a_statement_come_first) {
    const ice_property property = P("write.target-file-size-bytes", "5");
    static const firn_option options[] = {{"write.target-file-size-bytes", "6"}};
    scene s = {.memory = arena_open(MEMORY_LIMIT), .err = ERR_INIT};
    s.metadata.property_count = 1;
    s.metadata.properties = &property;
    CHECK(ice_write_options_make(&s.metadata, options, 1, &columns, &s.memory, &s.options,
                                 &s.err) == FIRN_OK);
    CHECK(s.options.file_size == 6);
    arena_close(&s.memory);
}

TEST(ice_write_options_refuse_what_is_wrong) {
    const struct {
        ice_property of;
        firn_status status;
        const char *words;
    } rows[] = {
        {P("write.format.default", "avro"), FIRN_UNSUPPORTED, "only parquet"},
        {P("write.parquet.compression-codec", "brotli"), FIRN_UNSUPPORTED, "brotli"},
        {P("write.parquet.compression-level", "99"), FIRN_INVALID, "a level"},
        {P("write.parquet.compression-level", "much"), FIRN_INVALID, "a level"},
        {P("write.target-file-size-bytes", "0"), FIRN_INVALID, "above 0"},
        {P("write.parquet.page-row-limit", "-3"), FIRN_INVALID, "above 0"},
        {P("write.parquet.dict-size-bytes", "2MB"), FIRN_INVALID, "2MB"},
        {P("write.parquet.bloom-filter-enabled.column.word", "yes"), FIRN_INVALID, "true or"},
        {P("write.parquet.stats-enabled.column.word", ""), FIRN_INVALID, "true or false"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scene s = {.err = ERR_INIT};
        CHECK(make(&s, 1, &rows[i].of) == rows[i].status);
        CHECK(strstr(s.err.text, rows[i].words) != NULL);
        arena_close(&s.memory);
    }
    const ice_property rates[] = {P("write.parquet.bloom-filter-enabled.column.word", "true"),
                                  P("write.parquet.bloom-filter-fpp.column.word", "1")};
    scene s = {.err = ERR_INIT};
    CHECK(make(&s, 2, rates) == FIRN_INVALID);
    arena_close(&s.memory);
}

TEST(ice_write_options_limit_usual_metrics) {
    const ice_property limit[] = {P("write.metadata.metrics.max-inferred-column-defaults", "1"),
                                  P("write.metadata.metrics.column.flag", "nonsense")};
    const ice_order_field by = {.source_id = 2, .transform = {.kind = ICE_TRUNCATE, .width = 3}};
    scene s = {.metadata = {.order = {.id = 1, .count = 1, .fields = &by}}};
    REQUIRE(make(&s, 2, limit) == FIRN_OK);
    CHECK(s.options.leaves.items[0].mode.kind == ICE_METRICS_TRUNCATE);
    CHECK(s.options.leaves.items[1].mode.kind == ICE_METRICS_TRUNCATE); // Sorted by.
    CHECK(s.options.leaves.items[2].mode.kind == ICE_METRICS_TRUNCATE); // Said, though wrong.
    arena_close(&s.memory);
    REQUIRE(make(&s, 1, limit) == FIRN_OK);
    CHECK(s.options.leaves.items[2].mode.kind == ICE_METRICS_NONE);
    arena_close(&s.memory);
}

TEST(ice_delete_options_prefer_their_own_properties) {
    const ice_property properties[] = {
        P("write.parquet.page-row-limit", "50"),
        P("write.parquet.compression-codec", "gzip"),
        P("write.delete.parquet.compression-codec", "snappy"),
        P("write.format.default", "orc"),
        P("write.delete.format.default", "parquet"),
    };
    scene s = {.memory = arena_open(MEMORY_LIMIT),
               .metadata = {.property_count = 5, .properties = properties},
               .err = ERR_INIT};
    REQUIRE(ice_delete_options_make(&s.metadata, &columns, &s.memory, &s.options, &s.err) ==
            FIRN_OK);
    CHECK(s.options.writer.codec == CODEC_SNAPPY);
    CHECK(s.options.writer.page_rows == 50);
    CHECK(ice_write_options_make(&s.metadata, NULL, 0, &columns, &s.memory, &s.options, &s.err) ==
          FIRN_UNSUPPORTED); // The data's own are not meant.
    arena_close(&s.memory);
}

// Of a table that others made: what is wrong with it already is no reason against something else.
TEST(ice_write_properties_are_checked_for_themselves) {
    const ice_property properties[] = {
        P("write.format.default", "orc"),
        P("write.target-file-size-bytes", "0"),
        P("write.parquet.compression-codec", "gzip"),
        P("write.parquet.compression-level", "20"),
        P("write.delete.parquet.page-row-limit", "-3"),
        P("write.metadata.metrics.column.flag", "some"),
        P("write.merge.isolation-level", "none"),
        P("write.parquet.page-row-limit", "7"),
        P("write.parquet.row-group-limit", "1000"),
        P("owner", ""),
    };
    const size_t right_count = 3; // The last ones.
    const size_t count = sizeof properties / sizeof *properties;
    const ice_metadata metadata = {.property_count = (uint32_t)count, .properties = properties};
    for (size_t i = 0; i < count; i++) {
        arena memory = arena_open(MEMORY_LIMIT);
        firn_error err = ERR_INIT;
        const ice_property *each = &properties[i];
        const firn_status status =
            ice_write_property_check(&metadata, &columns, each->key, each->value, &memory, &err);
        CHECK((status == FIRN_OK) == (i + right_count >= count));
        // The level is wrong for the codec, which answers for it as well.
        CHECK(status == FIRN_OK || i == 2 || strstr(err.text, each->key.data) != NULL);
        arena_close(&memory);
    }
}
