// Rows into Iceberg tables, with a change that only remembers what it was given.
#include "tables/iceberg/iceberg_sink.h"

#include "base/host.h"
#include "io/test_folder.h"
#include "memory/pool.h"
#include "tables/iceberg/iceberg_snapshot.h"

#define MEMORY_LIMIT ((size_t)256 << 20)
#define FILES_MAX 4000
#define ROWS 512

// What the change was given.
typedef struct outcome {
    table_change base; // The first member.
    const char *folder;
    uint32_t calls;
    uint32_t file_count;
    uint64_t row_count;
    uint64_t partition_sum; // Of the first field's numbers.
    ice_file first;         // Of memory that is gone later: looked at in `add` only.
    void (*look)(struct outcome *self, const ice_row_step *step);
    bool refuses;
} outcome;

static firn_status path_of(const table_change *change, text partition, uint64_t number,
                           const char *ending, arena *memory, text *out, firn_error *err) {
    const outcome *self = (const outcome *)(const void *)change;
    return text_format(memory, out, err, "%s/data/%.*s%s%llu%s", self->folder, TEXT_ARGS(partition),
                       partition.size > 0 ? "/" : "", (unsigned long long)number, ending);
}

static firn_status add_rows(table_change *change, const ice_row_step *step,
                            const cancel_flag *cancel, firn_error *err) {
    outcome *self = (outcome *)(void *)change;
    (void)cancel;
    self->calls++;
    CHECK(step->kind == CHANGE_APPEND && step->removed_count == 0);
    for (uint32_t i = 0; i < step->added_count; i++) {
        const ice_file *file = &step->added[i].file;
        CHECK(file->content == ICE_DATA && file->row_count > 0 && file->split_count > 0);
        self->row_count += file->row_count;
    }
    self->file_count += step->added_count;
    if (self->look != NULL) {
        self->look(self, step);
    }
    return self->refuses ? FAIL(err, FIRN_IO, "the disk is full") : FIRN_OK;
}

static const ice_sink_end fake_end = {.path = path_of, .add = add_rows};

typedef struct scene {
    test_folder folder;
    io *io;
    pool *engine;
    pool *query;
    table_snapshot *table;
    statement_context context;
    scan_env env;
    outcome change;
    arena memory;
    uint32_t fan_out;
    uint32_t days; // In turn, row by row; 0: rows are an hour apart.
    firn_error err;
} scene;

// id INTEGER NOT NULL, at TIMESTAMP, word VARCHAR
static void open_scene(scene *self, const char *name, int version, const char *spec,
                       const char *order, const char *properties) {
    char json[4096];
    *self = (scene){.folder = test_folder_open(name), .err = ERR_INIT};
    (void)snprintf(
        json, sizeof json,
        "{\"format-version\":%d,\"table-uuid\":\"u\",\"location\":\"%s\",\"last-updated-ms\":1,"
        "\"last-column-id\":3,\"last-sequence-number\":0,\"next-row-id\":0,\"current-schema-id\":0,"
        "\"schemas\":[{\"type\":\"struct\",\"schema-id\":0,\"fields\":["
        "{\"id\":1,\"name\":\"id\",\"required\":true,\"type\":\"int\"},"
        "{\"id\":2,\"name\":\"at\",\"required\":false,\"type\":\"timestamp\"},"
        "{\"id\":3,\"name\":\"word\",\"required\":false,\"type\":\"string\"}]}],"
        "\"default-spec-id\":4,\"last-partition-id\":1000,\"partition-specs\":[{\"spec-id\":4,"
        "\"fields\":[%s]}],\"sort-orders\":[{\"order-id\":%d,\"fields\":[%s]}],"
        "\"default-sort-order-id\":%d,\"properties\":{%s}}",
        version, self->folder.path, spec, order[0] == '\0' ? 0 : 2, order, order[0] == '\0' ? 0 : 2,
        properties);
    REQUIRE(io_open(&(io_options){.has_thread = false}, &self->io, &self->err) == FIRN_OK);
    REQUIRE(pool_open_engine(MEMORY_LIMIT, &self->engine, &self->err) == FIRN_OK);
    const pool_options options = {.kind = POOL_QUERY, .name = "test"};
    REQUIRE(pool_open(self->engine, &options, &self->query, &self->err) == FIRN_OK);
    const ice_open what = {.location = TEXT("m.json"),
                           .metadata = {.data = (const uint8_t *)json, .size = strlen(json)}};
    REQUIRE(ice_table_open(self->io, &what, NULL, &self->table, &self->err) == FIRN_OK);
    self->context = (statement_context){.version = TEXT("test")};
    self->env =
        (scan_env){.io = self->io, .pool = self->query, .context = &self->context, .workers = 1};
    self->change = (outcome){.folder = self->folder.path};
    self->memory = arena_open(64 << 20);
}

static void close_scene(scene *self) {
    arena_close(&self->memory);
    table_snapshot_release(self->table);
    CHECK(pool_used(self->query) == 0);
    pool_close(self->query);
    pool_close(self->engine);
    io_close(self->io);
    test_folder_close(&self->folder);
}

static firn_status count_file(void *user, const char *name, bool is_folder, firn_error *err) {
    (void)name;
    (void)is_folder;
    (void)err;
    (*(int *)user)++;
    return FIRN_OK;
}

// Of files in a folder below the scene's; 0 without it.
static int files_in(const scene *self, const char *below) {
    char path[512];
    int count = 0;
    firn_error ignored = ERR_INIT;
    (void)snprintf(path, sizeof path, "%s/%s", self->folder.path, below);
    (void)(host_list(path, count_file, &count, &ignored) == FIRN_OK);
    return count;
}

// Rows `from` …: id is the row's number, `at` so many hours after 1970, every seventh `word` NULL.
static firn_status make_rows(scene *self, uint32_t from, uint32_t count, column columns[3],
                             firn_error *err) {
    arena *memory = &self->memory;
    TRY(column_new(memory, TYPE_OF(INTEGER), count, &columns[0], err));
    TRY(column_new(memory, TYPE_OF(TIMESTAMP), count, &columns[1], err));
    TRY(column_new(memory, TYPE_OF(VARCHAR), count, &columns[2], err));
    for (uint32_t i = 0; i < count; i++) {
        char word[32];
        const uint32_t n = from + i;
        const int64_t hour = self->days == 0 ? n : n % self->days * 24;
        (void)snprintf(word, sizeof word, "a word of many letters %05u", n);
        COLUMN_OUT(&columns[0], int32_t)[i] = (int32_t)n;
        COLUMN_OUT(&columns[1], int64_t)[i] = hour * 3600 * 1000000;
        if (!string_new(memory, word, strlen(word), &COLUMN_OUT(&columns[2], string_value)[i]) ||
            (n % 7 == 0 && !column_set_null(memory, &columns[2], i))) {
            return ARENA_FULL(memory, err);
        }
    }
    return FIRN_OK;
}

static firn_status push_rows(scene *self, row_sink_worker *worker, uint32_t rows, firn_error *err) {
    for (uint32_t from = 0; from < rows; from += ROWS) {
        column columns[3];
        bool must_wait;
        const uint32_t count = rows - from < ROWS ? rows - from : ROWS;
        const arena_mark mark = arena_mark_take(&self->memory);
        TRY(make_rows(self, from, count, columns, err));
        const batch all = batch_of(columns, 3, count);
        TRY(ice_sink_kind.push(worker, &all, &must_wait, err));
        CHECK(!must_wait);
        arena_rewind(&self->memory, mark);
    }
    return FIRN_OK;
}

static firn_status run_pieces(scene *self, row_sink *sink, firn_error *err) {
    uint32_t pieces;
    TRY(ice_sink_kind.finish(sink, &pieces, err));
    for (uint32_t i = 0; i < pieces; i++) {
        bool must_wait;
        TRY(ice_sink_kind.run_piece(sink, i, &self->env, &must_wait, err));
        CHECK(!must_wait);
    }
    return FIRN_OK;
}

// An INSERT of so many rows; the sink is closed.
static firn_status insert(scene *self, uint32_t rows, uint64_t *changed, firn_error *err) {
    const row_sink_request request = {.change = &self->change.base,
                                      .base = self->table,
                                      .kind = CHANGE_APPEND,
                                      .columns = &self->table->columns,
                                      .fan_out = self->fan_out};
    row_sink *sink;
    row_sink_worker *worker = NULL;
    TRY(ice_sink_open(&request, &self->env, &fake_end, &sink, err));
    firn_status status = ice_sink_kind.open_worker(sink, &self->env, &worker, err);
    status = status == FIRN_OK ? push_rows(self, worker, rows, err) : status;
    status = status == FIRN_OK ? ice_sink_kind.finish_worker(worker, err) : status;
    ice_sink_kind.close_worker(worker);
    status = status == FIRN_OK ? run_pieces(self, sink, err) : status;
    status = status == FIRN_OK ? ice_sink_kind.end(sink, changed, err) : status;
    ice_sink_kind.close(sink);
    return status;
}

// ---- What comes of rows ------------------------------------------------------------------------

static void look_at_whole(outcome *self, const ice_row_step *step) {
    (void)self;
    REQUIRE(step->added_count == 1);
    const ice_file *file = &step->added[0].file;
    CHECK(step->added[0].spec_id == 4 && file->row_count == 1000 && file->sort_order_id == 0);
    CHECK(text_equal(file->format, TEXT("PARQUET")) && file->metric_count == 3);
    CHECK(file->metrics[0].field_id == 1 && file->metrics[0].value_count == 1000);
    CHECK(file->metrics[0].high.size == 4 && file->metrics[0].high.data[0] == (999 & 0xff));
    CHECK(file->metrics[2].null_count == 143);
    CHECK(file->metrics[2].low.size == 16 && file->metrics[2].high.size == 16);
    CHECK(memcmp(file->metrics[2].low.data, "a word of many l", 16) == 0);
    CHECK(memcmp(file->metrics[2].high.data, "a word of many m", 16) == 0);
    uint64_t size = 0;
    FILE *there = fopen(file->path.data, "rb");
    REQUIRE(there != NULL);
    CHECK(fseek(there, 0, SEEK_END) == 0);
    size = (uint64_t)ftell(there);
    (void)fclose(there);
    CHECK(size == file->size && file->split_offsets[0] == 4);
}

TEST(ice_sink_writes_a_file_with_its_metrics) {
    for (int version = 1; version <= 2; version++) {
        scene s;
        uint64_t changed = 0;
        open_scene(&s, "ice_sink", version, "", "", "");
        s.change.look = look_at_whole;
        CHECK(insert(&s, 1000, &changed, &s.err) == FIRN_OK);
        CHECK(changed == 1000 && s.change.calls == 1);
        CHECK(files_in(&s, "data") == 1);
        close_scene(&s);
    }
}

TEST(ice_sink_of_no_rows_changes_nothing) {
    scene s;
    uint64_t changed = 7;
    open_scene(&s, "ice_none", 2, "", "", "");
    CHECK(insert(&s, 0, &changed, &s.err) == FIRN_OK);
    CHECK(changed == 0 && s.change.calls == 0 && files_in(&s, "data") == 0);
    close_scene(&s);
}

#define BY_DAY "{\"name\":\"day\",\"transform\":\"day\",\"source-id\":2,\"field-id\":1000}"

static void look_at_days(outcome *self, const ice_row_step *step) {
    for (uint32_t i = 0; i < step->added_count; i++) {
        const ice_file *file = &step->added[i].file;
        CHECK(file->partition[0].kind == ICE_SCALAR_NUMBER);
        CHECK(file->partition[0].number == i);
        CHECK(file->row_count == (i == 41 ? 16 : 24));
        CHECK(text_find(file->path, TEXT("/day=1970-0")) < file->path.size);
        self->partition_sum += (uint64_t)file->partition[0].number;
    }
}

TEST(ice_sink_writes_a_file_a_partition) {
    scene s;
    uint64_t changed = 0;
    open_scene(&s, "ice_days", 2, BY_DAY, "", "");
    s.change.look = look_at_days;
    CHECK(insert(&s, 1000, &changed, &s.err) == FIRN_OK);
    CHECK(changed == 1000 && s.change.file_count == 42 && s.change.partition_sum == 41 * 42 / 2);
    CHECK(files_in(&s, "data") == 42 && files_in(&s, "data/day=1970-01-01") == 1);
    close_scene(&s);
}

TEST(ice_sink_ends_files_at_their_size) {
    scene s;
    uint64_t changed = 0;
    open_scene(&s, "ice_size", 2, "", "",
               "\"write.target-file-size-bytes\":\"2000\",\"write.parquet.row-group-limit\":\"99\","
               "\"write.parquet.compression-codec\":\"snappy\"");
    CHECK(insert(&s, 5000, &changed, &s.err) == FIRN_OK);
    CHECK(changed == 5000 && s.change.row_count == 5000 && s.change.file_count > 10);
    CHECK((uint32_t)files_in(&s, "data") == s.change.file_count);
    close_scene(&s);
}

static void look_at_order(outcome *self, const ice_row_step *step) {
    (void)self;
    CHECK(step->added[0].file.sort_order_id == 2);
}

TEST(ice_sink_wishes_for_partitions_then_order) {
    scene s;
    uint64_t changed = 0;
    open_scene(&s, "ice_wish", 2, BY_DAY,
               "{\"transform\":\"bucket[4]\",\"source-id\":1,\"direction\":\"desc\","
               "\"null-order\":\"nulls-last\"},{\"transform\":\"identity\",\"source-id\":3,"
               "\"direction\":\"asc\",\"null-order\":\"nulls-first\"}",
               "");
    row_wish wish;
    REQUIRE(ice_sink_kind.wish(s.table, CHANGE_APPEND, &s.memory, &wish, &s.err) == FIRN_OK);
    REQUIRE(wish.cluster_count == 1 && wish.key_count == 3);
    CHECK(wish.keys[0].column == 1 && text_equal(wish.keys[0].transform, TEXT("day")));
    CHECK(wish.keys[1].column == 0 && text_equal(wish.keys[1].transform, TEXT("bucket[4]")));
    CHECK(wish.keys[1].is_descending && !wish.keys[1].nulls_first);
    CHECK(wish.keys[2].column == 2 && text_equal(wish.keys[2].transform, TEXT("identity")));
    s.change.look = look_at_order;
    CHECK(insert(&s, 24, &changed, &s.err) == FIRN_OK);
    close_scene(&s);
}

TEST(ice_sink_keeps_little_of_many_partitions) {
    scene s;
    uint64_t changed = 0;
    open_scene(&s, "ice_many", 2, BY_DAY, "", "");
    CHECK(insert(&s, 2500 * 24, &changed, &s.err) == FIRN_OK);
    CHECK(changed == 60000 && s.change.file_count == 2500);
    CHECK(pool_peak(s.engine) < (UINT64_C(64) << 20));
    close_scene(&s);
}

// ---- Partitions side by side -------------------------------------------------------------------

static void look_at_fan(outcome *self, const ice_row_step *step) {
    for (uint32_t i = 0; i < step->added_count; i++) {
        self->partition_sum += (uint64_t)step->added[i].file.partition[0].number;
    }
}

TEST(ice_sink_takes_few_partitions_side_by_side) {
    scene s;
    uint64_t changed = 0;
    open_scene(&s, "ice_fan", 2, BY_DAY, "", "\"write.parquet.row-group-limit\":\"700\"");
    s.fan_out = 9;
    s.days = 9;
    s.change.look = look_at_fan;
    CHECK(insert(&s, 90000, &changed, &s.err) == FIRN_OK); // Gathered twice, in 15 groups each.
    CHECK(changed == 90000 && s.change.row_count == 90000);
    CHECK(s.change.file_count == 9 && s.change.partition_sum == 8 * 9 / 2);
    close_scene(&s);
}

TEST(ice_sink_ends_files_early_where_partitions_are_not_few) {
    scene s;
    uint64_t changed = 0;
    open_scene(&s, "ice_fan_many", 2, BY_DAY, "", "");
    s.fan_out = 2;
    s.days = 700;
    CHECK(insert(&s, 70000, &changed, &s.err) == FIRN_OK);
    CHECK(changed == 70000 && s.change.row_count == 70000);
    CHECK(s.change.file_count >= 700 && s.change.file_count < 14000);
    CHECK((uint32_t)files_in(&s, "data") == 700);
    CHECK(pool_peak(s.engine) < (UINT64_C(128) << 20));
    close_scene(&s);
}

// ---- What is refused ---------------------------------------------------------------------------

TEST(ice_sink_refuses_what_it_cannot_write) {
    static const struct {
        int version;
        const char *spec;
        const char *properties;
        firn_status status;
        const char *words;
    } rows[] = {
        {3, "", "", FIRN_UNSUPPORTED, "version 3"},
        {2, "", "\"write.format.default\":\"orc\"", FIRN_UNSUPPORTED, "only parquet"},
        {2, "", "\"write.target-file-size-bytes\":\"x\"", FIRN_INVALID, "target-file-size"},
        {2, "{\"name\":\"z\",\"transform\":\"zorder\",\"source-id\":2,\"field-id\":1000}", "",
         FIRN_UNSUPPORTED, "not known"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scene s;
        uint64_t changed = 0;
        open_scene(&s, "ice_refused", rows[i].version, rows[i].spec, "", rows[i].properties);
        CHECK(insert(&s, 10, &changed, &s.err) == rows[i].status);
        CHECK(strstr(s.err.text, rows[i].words) != NULL);
        CHECK(s.change.calls == 0 && files_in(&s, "data") == 0);
        close_scene(&s);
    }
}

TEST(ice_sink_takes_no_null_where_there_may_be_none) {
    scene s;
    uint32_t positions[] = {17, UINT32_MAX, UINT32_MAX};
    open_scene(&s, "ice_null", 2, BY_DAY, "", "");
    const row_sink_request request = {.change = &s.change.base,
                                      .base = s.table,
                                      .kind = CHANGE_APPEND,
                                      .columns = &s.table->columns,
                                      .positions = positions};
    row_sink *sink;
    row_sink_worker *worker;
    REQUIRE(ice_sink_open(&request, &s.env, &fake_end, &sink, &s.err) == FIRN_OK);
    REQUIRE(ice_sink_kind.open_worker(sink, &s.env, &worker, &s.err) == FIRN_OK);
    column columns[3];
    bool must_wait;
    REQUIRE(push_rows(&s, worker, 600, &s.err) == FIRN_OK);
    REQUIRE(make_rows(&s, 600, 10, columns, &s.err) == FIRN_OK);
    REQUIRE(column_set_null(&s.memory, &columns[0], 9));
    const batch rows = batch_of(columns, 3, 10);
    CHECK(ice_sink_kind.push(worker, &rows, &must_wait, &s.err) == FIRN_INVALID);
    CHECK(strcmp(s.err.sqlstate, "23502") == 0 && strstr(s.err.text, "\"id\"") != NULL);
    CHECK(files_in(&s, "data/day=1970-01-01") == 1);
    ice_sink_kind.close_worker(worker);
    ice_sink_kind.close(sink);
    CHECK(files_in(&s, "data/day=1970-01-01") == 0 && s.change.calls == 0);
    close_scene(&s);
}

TEST(ice_sink_leaves_files_to_a_change_that_fails) {
    scene s;
    uint64_t changed = 0;
    open_scene(&s, "ice_fails", 2, "", "", "");
    s.change.refuses = true;
    CHECK(insert(&s, 100, &changed, &s.err) == FIRN_IO);
    CHECK(files_in(&s, "data") == 1);
    close_scene(&s);
}

// The n-th call fails, for each n: there is an error and no file, or all rows.
static void sweep(host_call kind, uint64_t most, uint32_t fan_out) {
    scene s;
    bool is_done = false;
    open_scene(&s, "ice_faults", 2, BY_DAY, "", "");
    s.fan_out = fan_out;
    for (uint64_t n = 1; n <= most && !is_done; n++) {
        uint64_t changed = 0;
        s.change.file_count = 0;
        s.change.calls = 0;
        s.err = ERR_INIT;
        host_fault_set(kind, n);
        const firn_status status = insert(&s, 60, &changed, &s.err);
        is_done = host_fault_count(kind) < n;
        host_fault_set(kind, 0);
        CHECK(status == FIRN_OK ? changed == 60 && s.change.file_count == 3 : s.change.calls == 0);
        for (int day = 1; day <= 3; day++) {
            char folder[64];
            (void)snprintf(folder, sizeof folder, "data/day=1970-01-%02d", day);
            CHECK(files_in(&s, folder) == (status == FIRN_OK ? 1 : 0));
        }
        firn_error ignored = ERR_INIT;
        char data[512];
        (void)snprintf(data, sizeof data, "%s/data", s.folder.path);
        (void)(test_folder_empty(data, &ignored) == FIRN_OK);
    }
    close_scene(&s);
}

TEST(nothing_is_left_of_an_ice_sink_that_fails_anywhere) {
    for (uint32_t fan_out = 0; fan_out <= 4; fan_out += 4) {
        sweep(HOST_ALLOC, 600, fan_out);
        sweep(HOST_MAP, 100, fan_out);
        sweep(HOST_OPEN, 60, fan_out);
        sweep(HOST_WRITE, 60, fan_out);
        sweep(HOST_RENAME, 20, fan_out);
        sweep(HOST_SYNC, 60, fan_out);
    }
}
