// What is written is read back by our own readers: random schemas, specs and values; and the Avro
// schema is the one that other writers give the same table.
#include "tables/iceberg/iceberg_manifest_write.h"

#include <stdio.h>

#include "base/test.h"
#include "tables/iceberg/iceberg_manifest_list_write.h"
#include "tables/iceberg/iceberg_manifest_schema.h"
#include "tables/iceberg/iceberg_schema_write.h"

#define MEMORY_LIMIT ((size_t)64 << 20)
#define FIELDS_MAX 12
#define ENTRIES_MAX 40

typedef struct scene {
    arena memory;
    arena block;
    codec_scratch codecs;
    uint64_t seed;
    firn_error err;
    ice_metadata metadata;
    ice_schema schema;
    ice_spec spec;
    field fields[FIELDS_MAX];
    ice_partition_field parts[FIELDS_MAX];
    const type *const *sources;
    ice_manifest_wanted wanted;
    uint32_t count;
    ice_new_entry entries[ENTRIES_MAX];
} scene;

static uint64_t below(scene *self, uint64_t limit) {
    return test_random(&self->seed) % limit;
}

static const type *random_type(scene *self) {
    const uint8_t precision = (uint8_t)(1 + below(self, 38));
    const type *all[] = {
        TYPE_OF(BOOLEAN),
        TYPE_OF(INTEGER),
        TYPE_OF(BIGINT),
        TYPE_OF(REAL),
        TYPE_OF(DOUBLE),
        TYPE_OF(DATE),
        TYPE_OF(TIME),
        TYPE_OF(TIMESTAMP),
        TYPE_OF(TIMESTAMPTZ),
        TYPE_OF(VARCHAR),
        TYPE_OF(UUID),
        TYPE_OF(BINARY),
        type_binary(&self->memory, 1 + (uint32_t)below(self, 9)),
        type_decimal(&self->memory, precision, (uint8_t)below(self, precision + 1u)),
    };
    return all[below(self, sizeof all / sizeof *all)];
}

static ice_transform random_transform(scene *self, const type *source) {
    for (;;) {
        const ice_transform out = {.kind = (ice_transform_kind)below(self, ICE_UNKNOWN),
                                   .width = 1 + (int32_t)below(self, 20)};
        if (out.kind == ICE_VOID || ice_transform_result(&out, source) != NULL) {
            return out;
        }
    }
}

static bytes random_bytes(scene *self, size_t size, bool is_text) {
    uint8_t *data = ARENA_NEW(&self->memory, uint8_t, size + 1);
    for (size_t i = 0; i < size; i++) {
        data[i] = (uint8_t)(is_text ? 'a' + below(self, 26) : below(self, 256));
    }
    return (bytes){.data = data, .size = size};
}

static i128 random_number(scene *self, const type *of) {
    i128 out = (int64_t)test_random(&self->seed) >> below(self, 64);
    if (of->id == TYPE_BOOLEAN) {
        return out & 1;
    }
    if (of->id == TYPE_DECIMAL) {
        i128 limit = 1;
        for (int i = 0; i < of->precision; i++) {
            limit *= 10;
        }
        return out * (int64_t)(below(self, 1000000) + 1) % limit;
    }
    return type_physical(of) == PHYSICAL_I32 ? (int32_t)(out & INT32_MAX) - (out < 0) : out;
}

static ice_scalar random_value(scene *self, const type *of) {
    const ice_scalar_kind kind = ice_scalar_kind_of(of);
    ice_scalar out = {.kind = below(self, 5) == 0 ? ICE_SCALAR_NULL : kind};
    if (out.kind == ICE_SCALAR_NUMBER) {
        out.number = random_number(self, of);
    } else if (out.kind == ICE_SCALAR_REAL) {
        out.real = (double)(float)((double)(int64_t)test_random(&self->seed) / 3e15);
    } else if (out.kind == ICE_SCALAR_BYTES) {
        const uint32_t fixed = of->id == TYPE_UUID ? 16 : of->id == TYPE_BINARY ? of->width : 0;
        out.data = random_bytes(self, fixed > 0 ? fixed : below(self, 30), of->id == TYPE_VARCHAR);
    }
    return out;
}

static void make_table(scene *self, uint64_t seed) {
    *self = (scene){.memory = arena_open(MEMORY_LIMIT),
                    .block = arena_open(MEMORY_LIMIT),
                    .codecs = codec_scratch_open(MEMORY_LIMIT),
                    .seed = seed,
                    .err = ERR_INIT};
    const uint32_t columns = 1 + (uint32_t)below(self, FIELDS_MAX);
    for (uint32_t i = 0; i < columns; i++) {
        self->fields[i] = (field){
            .name = random_value(self, TYPE_OF(VARCHAR)).kind == 0 ? TEXT("a b") : TEXT("column"),
            .type = random_type(self),
            .is_nullable = true,
            .id = (int32_t)i + 1};
    }
    self->schema = (ice_schema){.columns = {.count = columns, .fields = self->fields}};
    self->spec = (ice_spec){.id = 3, .count = (uint32_t)below(self, 6), .fields = self->parts};
    for (uint32_t i = 0; i < self->spec.count; i++) {
        const uint32_t source = (uint32_t)below(self, columns);
        text name;
        CHECK(text_format(&self->memory, &name, &self->err, "%u p\xc3\xa4%u", i % 3, i) == FIRN_OK);
        self->parts[i] =
            (ice_partition_field){.source_id = (int32_t)source + 1,
                                  .field_id = 1000 + (int32_t)i,
                                  .name = name,
                                  .transform = random_transform(self, self->fields[source].type)};
    }
    self->metadata = (ice_metadata){.format_version = 2,
                                    .schema_count = 1,
                                    .schemas = &self->schema,
                                    .spec_count = 1,
                                    .specs = &self->spec};
    CHECK(ice_spec_sources(&self->metadata, &self->schema, &self->spec, &self->memory,
                           &self->sources, &self->err) == FIRN_OK);
}

static void make_metrics(scene *self, ice_file *out) {
    const uint32_t count = (uint32_t)below(self, self->schema.columns.count + 1);
    ice_column_metric *made = ARENA_NEW(&self->memory, ice_column_metric, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const type *of = self->fields[i].type;
        made[i] = (ice_column_metric){.field_id = self->fields[i].id,
                                      .size = (int64_t)below(self, 1000) - 1,
                                      .value_count = (int64_t)below(self, 1000) - 1,
                                      .null_count = (int64_t)below(self, 3) - 1,
                                      .nan_count = (int64_t)below(self, 3) - 1};
        ice_scalar low = random_value(self, of);
        if (low.kind != ICE_SCALAR_NULL) {
            CHECK(ice_scalar_bytes(of, &low, &self->memory, &made[i].low, &self->err) == FIRN_OK);
            made[i].high = made[i].low;
        }
    }
    out->metrics = made;
    out->metric_count = count;
}

static void make_entry(scene *self, bool has_deletes, bool is_v1, ice_new_entry *out) {
    const bool is_new = below(self, 2) == 0;
    static const uint64_t offsets[] = {4, 1000, 100000};
    static const int32_t ids[] = {1, 7};
    *out = (ice_new_entry){
        .status = is_new                ? ICE_ADDED
                  : below(self, 2) == 0 ? ICE_EXISTING
                                        : ICE_DELETED,
        .snapshot_id = is_new ? 77 : 70 + (int64_t)below(self, 5),
        .sequence_number = is_v1    ? 0
                           : is_new ? ICE_NO_SEQUENCE
                                    : 5 + (int64_t)below(self, 4),
        .file_sequence_number = is_v1    ? 0
                                : is_new ? ICE_NO_SEQUENCE
                                         : 9,
    };
    ice_file *file = &out->file;
    *file = (ice_file){.content = has_deletes ? (ice_content)(1 + below(self, 2)) : ICE_DATA,
                       .path = text_of_bytes(random_bytes(self, 40, true)),
                       .format = TEXT("PARQUET"),
                       .row_count = below(self, 1000000),
                       .size = 200000 + below(self, 1000000),
                       .split_count = (uint32_t)below(self, 4),
                       .split_offsets = offsets,
                       .sort_order_id = (int32_t)below(self, 3) - 1};
    if (file->content == ICE_EQUALITY_DELETES) {
        file->equality_ids = ids;
        file->equality_count = 2;
    } else if (file->content == ICE_POSITION_DELETES && below(self, 2) == 0) {
        file->referenced_file = TEXT("file:/t/data/x.parquet");
    }
    if (below(self, 8) == 0) {
        file->key_metadata = random_bytes(self, 9, false);
    }
    ice_scalar *values = ARENA_NEW(&self->memory, ice_scalar, self->spec.count + 1u);
    for (uint32_t i = 0; i < self->spec.count; i++) {
        const ice_partition_field *of = &self->parts[i];
        values[i] = of->transform.kind == ICE_VOID
                        ? (ice_scalar){.kind = ICE_SCALAR_NULL}
                        : random_value(self, ice_partition_type(of, self->sources[i]));
    }
    file->partition = values;
    make_metrics(self, file);
}

static void write_manifest(scene *self, int32_t version, bool has_deletes, bytes *file,
                           ice_manifest *made) {
    self->wanted = (ice_manifest_wanted){.format_version = version,
                                         .has_deletes = has_deletes,
                                         .path = TEXT("file:/t/metadata/m0.avro"),
                                         .snapshot_id = 77,
                                         .schema_json = TEXT("{}"),
                                         .spec = &self->spec,
                                         .sources = self->sources,
                                         .sync = "0123456789abcde"};
    ice_manifest_writer writer;
    REQUIRE(ice_manifest_writer_open(&writer, &self->wanted, &self->memory, &self->codecs,
                                     &self->err) == FIRN_OK);
    self->count = (uint32_t)below(self, ENTRIES_MAX);
    for (uint32_t i = 0; i < self->count; i++) {
        make_entry(self, has_deletes, version == 1, &self->entries[i]);
        const firn_status status = ice_manifest_writer_add(&writer, &self->entries[i], &self->err);
        if (status != FIRN_OK) {
            (void)fprintf(stderr, "%s\n", self->err.text);
        }
        REQUIRE(status == FIRN_OK);
    }
    REQUIRE(ice_manifest_writer_finish(&writer, file, made, &self->err) == FIRN_OK);
}

static bool bytes_equal(bytes left, bytes right) {
    return text_equal(text_of_bytes(left), text_of_bytes(right));
}

static const ice_column_metric *metric_of(const ice_file *file, int32_t id) {
    for (uint32_t i = 0; i < file->metric_count; i++) {
        if (file->metrics[i].field_id == id) {
            return &file->metrics[i];
        }
    }
    return NULL;
}

static void check_metrics(const ice_file *want, const ice_file *got) {
    for (uint32_t i = 0; i < want->metric_count; i++) {
        const ice_column_metric *wanted = &want->metrics[i];
        const ice_column_metric *found = metric_of(got, wanted->field_id);
        if (found == NULL) {
            CHECK(wanted->size < 0 && wanted->value_count < 0 && wanted->null_count < 0 &&
                  wanted->nan_count < 0 && wanted->low.data == NULL);
            continue;
        }
        CHECK(found->size == wanted->size && found->value_count == wanted->value_count);
        CHECK(found->null_count == wanted->null_count && found->nan_count == wanted->nan_count);
        CHECK((found->low.data == NULL) == (wanted->low.data == NULL));
        CHECK(bytes_equal(found->low, wanted->low) && bytes_equal(found->high, wanted->high));
    }
}

static void check_file(const scene *self, const ice_file *want, const ice_file *got) {
    CHECK(got->content == want->content && text_equal(got->path, want->path));
    CHECK(text_equal(got->format, want->format) && got->row_count == want->row_count);
    CHECK(got->size == want->size && got->sort_order_id == want->sort_order_id);
    CHECK(got->split_count == want->split_count);
    CHECK(want->split_count == 0 || memcmp(got->split_offsets, want->split_offsets,
                                           want->split_count * sizeof(uint64_t)) == 0);
    CHECK(got->equality_count == want->equality_count);
    CHECK(want->equality_count == 0 || memcmp(got->equality_ids, want->equality_ids,
                                              want->equality_count * sizeof(int32_t)) == 0);
    CHECK(text_equal(got->referenced_file, want->referenced_file));
    CHECK(bytes_equal(got->key_metadata, want->key_metadata));
    for (uint32_t i = 0; i < self->spec.count; i++) {
        CHECK(got->partition[i].kind == want->partition[i].kind);
        CHECK(want->partition[i].kind == ICE_SCALAR_NULL ||
              ice_scalar_compare(&got->partition[i], &want->partition[i]) == 0);
    }
    check_metrics(want, got);
}

// Writes entries anew as they are read, and reads the copies.
static void check_entries(scene *self, bytes file, const ice_manifest *of) {
    const ice_walk_memory in = {&self->memory, &self->block, &self->codecs};
    ice_walk walk;
    ice_entry entry;
    bool has_entry;
    REQUIRE(ice_walk_open_whole(&walk, file, of, &self->metadata, &in, &self->err) == FIRN_OK);
    for (uint32_t i = 0; i < self->count; i++) {
        const ice_new_entry *want = &self->entries[i];
        ice_new_entry got;
        REQUIRE(ice_walk_next(&walk, &entry, &has_entry, &self->err) == FIRN_OK && has_entry);
        const ice_copy how = {.status = i % 2 == 0 ? ICE_EXISTING : ICE_DELETED,
                              .snapshot_id = 99,
                              .sources = self->sources};
        REQUIRE(ice_entry_copy(&walk, &entry, &how, &self->memory, &got, &self->err) == FIRN_OK);
        CHECK(entry.status == (uint32_t)want->status && got.status == how.status);
        CHECK(got.snapshot_id == (i % 2 == 0 ? want->snapshot_id : 99));
        CHECK(got.sequence_number == (want->sequence_number == ICE_NO_SEQUENCE
                                          ? of->sequence_number
                                          : want->sequence_number));
        CHECK(got.file_sequence_number == (want->file_sequence_number == ICE_NO_SEQUENCE
                                               ? of->sequence_number
                                               : want->file_sequence_number));
        check_file(self, &want->file, &got.file);
    }
    CHECK(ice_walk_next(&walk, &entry, &has_entry, &self->err) == FIRN_OK && !has_entry);
}

static void check_counts(const scene *self, const ice_manifest *got) {
    uint64_t files[3] = {0};
    uint64_t rows[3] = {0};
    int64_t least = INT64_MAX;
    for (uint32_t i = 0; i < self->count; i++) {
        const ice_new_entry *each = &self->entries[i];
        files[each->status]++;
        rows[each->status] += each->file.row_count;
        if (each->status == ICE_EXISTING && each->sequence_number < least) {
            least = each->sequence_number;
        }
    }
    CHECK(got->files.existing.value == files[0] && got->files.added.value == files[1]);
    CHECK(got->files.deleted.value == files[2] && got->rows.existing.value == rows[0]);
    CHECK(got->rows.added.value == rows[1] && got->rows.deleted.value == rows[2]);
    CHECK(got->live_files.value == files[0] + files[1]);
    CHECK(got->min_sequence_number == (self->wanted.format_version == 1 ? 0
                                       : least == INT64_MAX             ? 12
                                                                        : least));
    CHECK(got->sequence_number == (self->wanted.format_version == 1 ? 0 : 12));
    CHECK(got->summary_count == self->spec.count);
    for (uint32_t i = 0; i < got->summary_count; i++) {
        bool has_null = false;
        const type *of = ice_partition_type(&self->parts[i], self->sources[i]);
        const ice_summary *summary = &got->summaries[i];
        const ice_scalar low = ice_scalar_of_bytes(of, summary->low);
        const ice_scalar high = ice_scalar_of_bytes(of, summary->high);
        CHECK(!summary->has_nan);
        for (uint32_t k = 0; k < self->count; k++) {
            const ice_scalar *value = &self->entries[k].file.partition[i];
            has_null |= value->kind == ICE_SCALAR_NULL;
            CHECK(value->kind == ICE_SCALAR_NULL ||
                  (summary->has_low && ice_scalar_compare(&low, value) <= 0 &&
                   ice_scalar_compare(&high, value) >= 0));
        }
        CHECK(summary->has_null == has_null);
    }
}

TEST(ice_manifests_and_lists_are_read_back) {
    const uint64_t first = UINT64_C(20261127);
    printf("    seeds from %llu\n", (unsigned long long)first);
    for (uint64_t i = 0; i < 300; i++) {
        static scene self;
        bytes file;
        bytes list_file;
        ice_manifest made[2];
        ice_manifest_list list;
        make_table(&self, first + i);
        const int32_t version = 1 + (int32_t)(i % 2);
        write_manifest(&self, version, version == 2 && i % 4 == 1, &file, &made[0]);
        made[1] = made[0];
        const ice_list_wanted wanted = {.format_version = version,
                                        .snapshot_id = 77,
                                        .parent_id = ICE_NO_SNAPSHOT,
                                        .sequence_number = 12,
                                        .count = 2,
                                        .manifests = made,
                                        .sync = "0123456789abcde"};
        REQUIRE(ice_manifest_list_write(&wanted, &self.memory, &self.codecs, &list_file,
                                        &self.err) == FIRN_OK);
        REQUIRE(ice_manifest_list_read(list_file, &self.memory, &list, &self.err) == FIRN_OK);
        REQUIRE(list.count == 2);
        const ice_manifest *got = &list.items[1];
        CHECK(text_equal(got->path, self.wanted.path) && got->length == file.size);
        CHECK(got->spec_id == 3 && got->added_snapshot_id == 77);
        CHECK(got->has_deletes == self.wanted.has_deletes);
        check_counts(&self, got);
        check_entries(&self, file, got);
        arena_close(&self.memory);
        arena_close(&self.block);
        codec_scratch_close(&self.codecs);
    }
}

TEST(ice_manifest_writer_refuses_what_readers_would) {
    static scene self;
    make_table(&self, 5);
    self.spec.count = 0;
    bytes file;
    ice_manifest made;
    write_manifest(&self, 2, false, &file, &made);
    ice_manifest_writer writer;
    REQUIRE(ice_manifest_writer_open(&writer, &self.wanted, &self.memory, &self.codecs,
                                     &self.err) == FIRN_OK);
    ice_new_entry right;
    make_entry(&self, false, false, &right);
    const struct {
        ice_status status;
        ice_content content;
        int64_t sequence_number;
        const char *words;
    } rows[] = {
        {ICE_EXISTING, ICE_DATA, ICE_NO_SEQUENCE, "no sequence number"},
        {ICE_DELETED, ICE_DATA, ICE_NO_SEQUENCE, "no sequence number"},
        {ICE_ADDED, ICE_POSITION_DELETES, ICE_NO_SEQUENCE, "not of the content"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ice_new_entry wrong = right;
        wrong.status = rows[i].status;
        wrong.sequence_number = rows[i].sequence_number;
        wrong.file.content = rows[i].content;
        self.err = ERR_INIT;
        CHECK(ice_manifest_writer_add(&writer, &wrong, &self.err) == FIRN_INVALID);
        CHECK(strstr(self.err.text, rows[i].words) != NULL);
    }
    self.wanted.format_version = 3;
    CHECK(ice_manifest_writer_open(&writer, &self.wanted, &self.memory, &self.codecs, &self.err) ==
          FIRN_UNSUPPORTED);
    arena_close(&self.memory);
    arena_close(&self.block);
    codec_scratch_close(&self.codecs);
}

TEST(ice_avro_names_are_valid_and_tell_what_they_were) {
    static const char *const rows[][2] = {
        {"plain_1", "plain_1"}, {"a b", "a_x20b"},
        {"1u/x", "_1u_x2Fx"},   {"", "_"},
        {"\xc3\xa4", "_xE4"},   {"\xf0\x9f\x98\x80", "_xD83D_xDE00"},
    };
    arena memory = arena_open(MEMORY_LIMIT);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        text_builder out = text_builder_open(&memory);
        ice_avro_name(text_of(rows[i][0]), &out);
        CHECK(text_equal((text){.data = out.data, .size = out.size}, text_of(rows[i][1])));
    }
    arena_close(&memory);
}
