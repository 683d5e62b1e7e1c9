#include "tables/files/table_refs.h"

#include "base/test.h"
#include "memory/pool.h"

#define LINES "tests/data/parquet/lines/*.parquet"
#define SALES "tests/data/iceberg/sales/metadata/v1.metadata.json"

typedef struct scene {
    arena memory;
    io *io;
    pool *engine;
    file_env env;
    firn_error err;
} scene;

static bool scene_open(scene *self) {
    *self = (scene){.memory = arena_open((size_t)64 << 20), .err = ERR_INIT};
    const bool is_open =
        io_open(&(io_options){.has_thread = false}, &self->io, &self->err) == FIRN_OK &&
        pool_open_engine((size_t)64 << 20, &self->engine, &self->err) == FIRN_OK;
    self->env = (file_env){.io = self->io, .pool = self->engine};
    return is_open;
}

static void scene_close(scene *self) {
    CHECK(pool_used(self->engine) == 0);
    pool_close(self->engine);
    io_close(self->io);
    arena_close(&self->memory);
}

// The table of a ref, whose own ref must be the same.
static bool opens(scene *self, const table_ref *ref, uint32_t *columns) {
    table_snapshot *found;
    if (table_ref_open(ref, &self->env, &self->memory, &found, &self->err) != FIRN_OK) {
        printf("%s\n", self->err.text);
        return false;
    }
    *columns = found->columns.count;
    const table_ref *again = &found->ref;
    const bool is_same = text_equal(again->kind, ref->kind) && text_equal(again->name, ref->name) &&
                         text_equal(again->options, ref->options) &&
                         again->snapshot_id == ref->snapshot_id &&
                         again->schema_id == ref->schema_id;
    table_snapshot_release(found);
    return is_same;
}

TEST(table_refs_open_files_with_their_options) {
    scene s;
    uint32_t columns = 0;
    REQUIRE(scene_open(&s));
    text pattern = TEXT(LINES);
    const io_paths patterns = {.count = 1, .items = &pattern};
    const parquet_files_options options = {.hive = HIVE_OFF, .with_filename = true};
    table_ref ref = {
        .kind = TEXT("parquet"), .name = TEXT(LINES), .snapshot_id = -1, .schema_id = -1};
    REQUIRE(parquet_ref_options(&patterns, &options, &s.memory, &ref.options, &s.err) == FIRN_OK);
    CHECK(text_equal(ref.options, TEXT("{\"paths\":[\"" LINES "\"],\"hive_partitioning\":false,"
                                       "\"filename\":true}")));
    CHECK(opens(&s, &ref, &columns));
    const uint32_t with_filename = columns;
    ref.options = TEXT("{\"paths\":[\"" LINES "\"]}");
    CHECK(opens(&s, &ref, &columns));
    CHECK(columns + 1 == with_filename);
    scene_close(&s);
}

TEST(table_refs_open_iceberg_tables_in_their_snapshot) {
    scene s;
    uint32_t columns = 0;
    REQUIRE(scene_open(&s));
    table_ref ref = {.kind = TEXT("iceberg"),
                     .name = TEXT("db.sales"),
                     .options = TEXT("{\"metadata\":\"" SALES "\"}")};
    table_snapshot *found;
    CHECK(table_ref_open(&ref, &s.env, &s.memory, &found, &s.err) == FIRN_NOT_FOUND);
    ref.snapshot_id = 50; // The current one.
    ref.schema_id = 1;
    for (int32_t schema_id = 0; schema_id < 4 && !opens(&s, &ref, &columns); schema_id++) {
        ref.schema_id = schema_id;
    }
    CHECK(opens(&s, &ref, &columns));
    ref.options = TEXT("{\"metadata\":\"" SALES "\",\"from-snapshot-id\":10}");
    CHECK(opens(&s, &ref, &columns));
    scene_close(&s);
}

TEST(table_refs_say_what_they_cannot_open) {
    const struct {
        table_ref ref;
        firn_status status;
        const char *words;
    } cases[] = {
        {{.kind = TEXT("memory"), .name = TEXT("t"), .local = 1},
         FIRN_UNSUPPORTED,
         "the table \"t\" belongs to a session"},
        {{.kind = TEXT("lance")}, FIRN_UNSUPPORTED, "a table of the unknown kind \"lance\""},
        {{.kind = TEXT("parquet"), .options = TEXT("{\"paths\":[\"no/such.parquet\"]}")},
         FIRN_NOT_FOUND,
         "no/such.parquet"},
        {{.kind = TEXT("parquet"), .options = TEXT("{}")}, FIRN_CORRUPT, "missing \"paths\""},
        {{.kind = TEXT("parquet"), .options = TEXT("{\"paths\":[7]}")}, FIRN_CORRUPT, "paths[0]"},
        {{.kind = TEXT("iceberg"), .options = TEXT("[")}, FIRN_CORRUPT, "line 1"},
    };
    scene s;
    REQUIRE(scene_open(&s));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        table_snapshot *found;
        CHECK(table_ref_open(&cases[i].ref, &s.env, &s.memory, &found, &s.err) == cases[i].status);
        if (strstr(s.err.text, cases[i].words) == NULL) {
            printf("%s: %s\n", cases[i].words, s.err.text);
        }
        CHECK(strstr(s.err.text, cases[i].words) != NULL);
    }
    scene_close(&s);
}
