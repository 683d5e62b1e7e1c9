// Files that are written to memory and read back with the reader, value by value; and what remains
// when memory or a write is refused.
#include "formats/parquet/write/pw_file.h"

#include "formats/parquet/pq_reader.h"
#include "formats/parquet/write/pw_sample.h"
#include "io/memory_input.h"
#include "io/memory_output.h"
#include "io/test_folder.h"

#define MEMORY_LIMIT ((uint64_t)512 << 20)
#define BATCHES_MAX 4
#define RANDOM_FILES 1000

typedef struct scene {
    arena memory;
    io *io;
    pool *engine;
    pool *query;
    codec_scratch codecs;
    pw_options options;
    const pw_schema *schema;
    uint32_t batch_count;
    batch batches[BATCHES_MAX];
    memory_output output;
    const pw_report *report;
    firn_error err;
} scene;

static void must(const scene *self, firn_status status) {
    if (status != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", self->err.text);
        abort();
    }
}

static void scene_open(scene *self) {
    *self = (scene){.memory = arena_open(MEMORY_LIMIT),
                    .codecs = codec_scratch_open((size_t)64 << 20),
                    .output = {.memory = arena_open(MEMORY_LIMIT)},
                    .err = ERR_INIT};
    self->options = pw_options_default();
    const pool_options options = {.kind = POOL_QUERY, .name = "test"};
    must(self, io_open(&(io_options){.has_thread = false}, &self->io, &self->err));
    must(self, pool_open_engine(MEMORY_LIMIT, &self->engine, &self->err));
    must(self, pool_open(self->engine, &options, &self->query, &self->err));
}

static void scene_close(scene *self) {
    codec_scratch_close(&self->codecs);
    CHECK(pool_used(self->query) == 0);
    pool_close(self->query);
    pool_close(self->engine);
    io_close(self->io);
    arena_close(&self->output.memory);
    arena_close(&self->memory);
}

static void random_scene(scene *self, uint64_t seed) {
    pw_source from = {.seed = seed};
    dictionary *shared[PW_SAMPLE_COLUMNS_MAX] = {NULL};
    const schema columns = pw_sample_schema(&self->memory, &from);
    self->options = pw_sample_options(&from);
    must(self, pw_schema_make(&columns, &self->memory, &self->schema, &self->err));
    self->batch_count = pw_pick(&from, BATCHES_MAX + 1);
    for (uint32_t i = 0; i < self->batch_count; i++) {
        const uint32_t rows = pw_pick(&from, 2) == 0 ? pw_pick(&from, 20) : pw_pick(&from, 256) * 8;
        self->batches[i] = pw_sample_batch(&self->memory, &columns, rows, shared, &from);
    }
}

// ---- Writing -----------------------------------------------------------------------------------

static firn_status end_group(pw_file *file, pw_group **group, pw_worker *with, firn_error *err) {
    TRY(pw_group_finish(*group, with, err));
    TRY(pw_file_add(file, *group, err));
    pw_group_close(*group);
    *group = NULL;
    return FIRN_OK;
}

static firn_status put_all(scene *self, pw_file *file, pw_group **group, pw_worker *with,
                           firn_error *err) {
    for (uint32_t i = 0; i < self->batch_count; i++) {
        if (*group == NULL) {
            TRY(pw_group_open(self->schema, &self->options, self->query, group, err));
        }
        TRY(pw_group_put(*group, &self->batches[i], with, err));
        if (pw_group_is_full(*group)) {
            TRY(end_group(file, group, with, err));
        }
    }
    if (*group != NULL) {
        TRY(end_group(file, group, with, err));
    }
    return FIRN_OK;
}

// Into memory, or into a file of a folder.
static firn_status write_file(scene *self, const char *path, pw_report *report) {
    pw_worker worker = pw_worker_open(self->query, NULL);
    pw_file *file = NULL;
    pw_group *group = NULL;
    const pw_report *made = NULL;
    io_writer *to = NULL;
    firn_status status = FIRN_OK;
    if (path == NULL) {
        to = memory_output_open(&self->output, self->io);
    } else {
        status = io_writer_open(self->io, text_of(path), true, &to, &self->err);
    }
    if (status == FIRN_OK) {
        status = pw_file_open(to, self->schema, &self->options, self->query, &file, &self->err);
    }
    if (status == FIRN_OK) {
        status = put_all(self, file, &group, &worker, &self->err);
    }
    if (status == FIRN_OK) {
        status = pw_file_finish(file, &made, &self->err);
    }
    if (status == FIRN_OK && report != NULL) {
        *report = *made;
    }
    pw_group_close(group);
    pw_file_close(file);
    pw_worker_close(&worker);
    return status;
}

// ---- Reading back ------------------------------------------------------------------------------

// Where the next row that is expected lies.
typedef struct cursor {
    uint32_t batch;
    uint32_t row;
} cursor;

static bool are_expected(const scene *self, const batch *rows, cursor *at) {
    for (uint32_t k = 0; k < rows->selected_count; k++, at->row++) {
        while (at->batch < self->batch_count &&
               at->row == self->batches[at->batch].selected_count) {
            *at = (cursor){.batch = at->batch + 1};
        }
        if (at->batch == self->batch_count) {
            return false;
        }
        const batch *put = &self->batches[at->batch];
        for (uint32_t i = 0; i < rows->column_count; i++) {
            if (!pw_same_value(&put->columns[i], batch_row(put, at->row), &rows->columns[i],
                               batch_row(rows, k))) {
                return false;
            }
        }
    }
    return true;
}

static bool is_end(const scene *self, cursor at) {
    while (at.batch < self->batch_count && at.row == self->batches[at.batch].selected_count) {
        at = (cursor){.batch = at.batch + 1};
    }
    return at.batch == self->batch_count;
}

static firn_status read_rows(scene *self, pq_file *file, bool *is_same) {
    const uint32_t count = file->types.columns.count;
    pq_pick picks[PW_SAMPLE_COLUMNS_MAX];
    pq_reader *reader = NULL;
    for (uint32_t i = 0; i < count; i++) {
        const pq_file_field field = pq_file_column(file, i);
        TRY(pq_pick_make(file, &field, NULL, PQ_MATCH_NAME, &self->memory, &picks[i], &self->err));
    }
    const pq_reader_options options = {
        .owner = self->query, .codecs = &self->codecs, .verify_checksums = true};
    TRY(pq_reader_open(file, picks, count, &options, &reader, &self->err));
    pq_reader_start(reader, 0, pq_file_row_group_count(file));
    pq_answer answer = PQ_READY;
    firn_status status = FIRN_OK;
    cursor at = {0};
    while (status == FIRN_OK && answer != PQ_END && *is_same) {
        batch rows;
        status = pq_reader_next(reader, &rows, &answer, &self->err);
        if (status == FIRN_OK && answer == PQ_READY) {
            *is_same = are_expected(self, &rows, &at);
        }
    }
    *is_same = *is_same && is_end(self, at);
    pq_reader_close(reader);
    return status;
}

static bool reads_back(scene *self) {
    memory_input input = {.content = byte_output_bytes(&self->output.content)};
    io_file *source = memory_input_open(&input, self->io, "written.parquet");
    pq_file *file = NULL;
    bool is_same = true;
    firn_status status = pq_file_open(source, &(pq_file_options){.tail_size = 0}, self->query, NULL,
                                      &file, &self->err);
    if (status == FIRN_OK) {
        status = read_rows(self, file, &is_same);
    }
    pq_file_release(file);
    io_file_release(source);
    return status == FIRN_OK && is_same;
}

static uint64_t rows_put(const scene *self) {
    uint64_t rows = 0;
    for (uint32_t i = 0; i < self->batch_count; i++) {
        rows += self->batches[i].selected_count;
    }
    return rows;
}

static bool check_random(uint64_t seed) {
    scene s;
    scene_open(&s);
    random_scene(&s, seed);
    pw_report report;
    const bool is_true = write_file(&s, NULL, &report) == FIRN_OK && s.output.is_finished &&
                         report.size == s.output.content.size && report.row_count == rows_put(&s) &&
                         reads_back(&s);
    if (!is_true) {
        (void)fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, s.err.text);
    }
    scene_close(&s);
    return is_true;
}

TEST(pw_file_reads_back_as_it_was_written) {
    for (uint64_t seed = 1; seed <= RANDOM_FILES; seed++) {
        REQUIRE(check_random(seed));
    }
}

// ---- Edges -------------------------------------------------------------------------------------

// Numbers, one column, in batches of `rows`.
static void number_scene(scene *self, uint32_t batches, uint32_t rows) {
    const field fields[] = {
        {.name = TEXT("a"), .type = TYPE_OF(INTEGER), .is_nullable = true, .id = -1}};
    must(self, pw_schema_make(&(schema){.count = 1, .fields = fields}, &self->memory, &self->schema,
                              &self->err));
    self->batch_count = batches;
    for (uint32_t b = 0; b < batches; b++) {
        column *numbers = pw_take(&self->memory, 1, sizeof *numbers);
        must(self, column_new(&self->memory, TYPE_OF(INTEGER), rows, numbers, &self->err));
        for (uint32_t i = 0; i < rows; i++) {
            COLUMN_OUT(numbers, int32_t)[i] = (int32_t)(b * rows + i);
        }
        self->batches[b] = batch_of(numbers, 1, rows);
    }
}

TEST(pw_file_without_rows_has_a_schema_and_no_row_group) {
    scene s;
    scene_open(&s);
    for (uint32_t batches = 0; batches < 2; batches++) { // Without a group, with an empty one.
        number_scene(&s, batches, 0);
        s.output.content.size = 0;
        pw_report report;
        REQUIRE(write_file(&s, NULL, &report) == FIRN_OK);
        CHECK(report.group_count == 0 && report.row_count == 0);
        CHECK(reads_back(&s));
    }
    scene_close(&s);
}

// A row group's number has 16 bits in the file; those beyond go without.
TEST(pw_file_has_more_row_groups_than_numbers_for_them) {
    scene s;
    scene_open(&s);
    number_scene(&s, 1, 1);
    pw_worker worker = pw_worker_open(s.query, NULL);
    pw_file *file = NULL;
    const pw_report *report = NULL;
    REQUIRE(pw_file_open(memory_output_open(&s.output, s.io), s.schema, &s.options, s.query, &file,
                         &s.err) == FIRN_OK);
    pw_group *group = NULL;
    const uint32_t count = 33000;
    REQUIRE(pw_group_open(s.schema, &s.options, s.query, &group, &s.err) == FIRN_OK);
    REQUIRE(pw_group_put(group, &s.batches[0], &worker, &s.err) == FIRN_OK);
    REQUIRE(pw_group_finish(group, &worker, &s.err) == FIRN_OK);
    for (uint32_t i = 0; i < count; i++) { // The same one again and again.
        REQUIRE(pw_file_add(file, group, &s.err) == FIRN_OK);
    }
    REQUIRE(pw_file_finish(file, &report, &s.err) == FIRN_OK);
    CHECK(report->group_count == count && report->row_count == count);
    pw_group_close(group);
    pw_file_close(file);
    pw_worker_close(&worker);
    memory_input input = {.content = byte_output_bytes(&s.output.content)};
    io_file *source = memory_input_open(&input, s.io, "written.parquet");
    pq_file *read = NULL;
    CHECK(pq_file_open(source, &(pq_file_options){.tail_size = 0}, s.query, NULL, &read, &s.err) ==
          FIRN_OK);
    CHECK(read != NULL && pq_file_row_group_count(read) == count);
    pq_file_release(read);
    io_file_release(source);
    scene_close(&s);
}

TEST(pw_file_reports_what_a_table_keeps) {
    scene s;
    scene_open(&s);
    number_scene(&s, 3, 100);
    s.options.group_rows = 100;
    REQUIRE(column_set_null(&s.memory, (column *)(uintptr_t)s.batches[1].columns, 7));
    pw_worker worker = pw_worker_open(s.query, NULL);
    pw_file *file = NULL;
    pw_group *group = NULL;
    const pw_report *report = NULL;
    REQUIRE(pw_file_open(memory_output_open(&s.output, s.io), s.schema, &s.options, s.query, &file,
                         &s.err) == FIRN_OK);
    REQUIRE(put_all(&s, file, &group, &worker, &s.err) == FIRN_OK);
    REQUIRE(pw_file_finish(file, &report, &s.err) == FIRN_OK);
    const int32_t low = 0;
    const int32_t high = 299;
    CHECK(report->group_count == 3 && report->group_offsets[0] == 4);
    CHECK(report->leaf_count == 1 && report->leaves[0].entry_count == 300);
    CHECK(report->leaves[0].null_count == 1 && report->leaves[0].has_minimum);
    CHECK(report->leaves[0].has_maximum);
    CHECK(memcmp(report->leaves[0].minimum.data, &low, sizeof low) == 0);
    CHECK(memcmp(report->leaves[0].maximum.data, &high, sizeof high) == 0);
    pw_file_close(file);
    pw_worker_close(&worker);
    CHECK(reads_back(&s));
    scene_close(&s);
}

// ---- Faults ------------------------------------------------------------------------------------

#define FAULT_SEEDS 4

TEST(pw_file_survives_the_failure_of_any_write) {
    for (uint64_t seed = 11; seed < 11 + FAULT_SEEDS; seed++) {
        firn_status status = FIRN_IO;
        for (uint64_t n = 1; status != FIRN_OK && n < 100; n++) {
            scene s;
            scene_open(&s);
            random_scene(&s, seed);
            s.output.fails_at = n;
            status = write_file(&s, NULL, NULL);
            CHECK(status == FIRN_OK || status == FIRN_IO);
            CHECK(s.output.is_closed && s.output.is_finished == (status == FIRN_OK));
            scene_close(&s);
        }
        CHECK(status == FIRN_OK);
    }
}

static firn_status count_entry(void *user, const char *name, bool is_folder, firn_error *err) {
    (void)name;
    (void)is_folder;
    (void)err;
    *(uint32_t *)user += 1;
    return FIRN_OK;
}

// Into a folder, while a call to the system fails: the file is there whole, or nothing is.
static firn_status write_with_fault(uint64_t seed, host_call kind, uint64_t n,
                                    const test_folder *folder) {
    scene s;
    scene_open(&s);
    random_scene(&s, seed);
    char path[300];
    (void)snprintf(path, sizeof path, "%s/written.parquet", folder->path);
    host_fault_set(kind, n);
    const firn_status status = write_file(&s, path, NULL);
    host_fault_set(kind, 0);
    uint32_t files = 0;
    CHECK(host_list(folder->path, count_entry, &files, &s.err) == FIRN_OK);
    // The last sync is that of the folder: the file is there, only nobody knows for how long.
    CHECK(files == (status == FIRN_OK) || (files == 1 && kind == HOST_SYNC));
    CHECK(files == 0 || host_remove(path, &s.err) == FIRN_OK);
    scene_close(&s);
    return status;
}

TEST(pw_file_is_there_whole_or_not_at_all) {
    static const host_call kinds[] = {HOST_ALLOC, HOST_MAP,  HOST_OPEN,
                                      HOST_WRITE, HOST_SYNC, HOST_RENAME};
    const test_folder folder = test_folder_open("pw_file");
    for (uint64_t seed = 21; seed < 21 + FAULT_SEEDS; seed++) {
        for (uint32_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            firn_status status = FIRN_NO_MEMORY;
            for (uint64_t n = 1; status != FIRN_OK && n < 3000; n++) {
                status = write_with_fault(seed, kinds[i], n, &folder);
                CHECK(status == FIRN_OK || status == FIRN_NO_MEMORY || status == FIRN_IO);
            }
            CHECK(status == FIRN_OK);
        }
    }
    test_folder_close(&folder);
}
