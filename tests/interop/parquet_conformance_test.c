// Reads every file of shared/conformance/parquet and compares its rows with the expected ones. On
// internals: formats/parquet as it is, without a table or SQL above.
//
//     parquet_conformance_test              all files, if ../shared (or $FIRN_SHARED) is there
//     parquet_conformance_test FILE         prints the rows of one file
//     parquet_conformance_test --name PART  the files with PART in their name
//     parquet_conformance_test --damage N   each file N times with some bytes changed: no crash, no
//                                           hang (needs a build with sanitizers to mean much)
//
// Files without expected rows must not crash; those called bad_... must fail.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/host.h"
#include "base/test.h"
#include "canonical_rows.h"
#include "formats/parquet/pq_reader.h"

#define MEMORY_LIMIT (UINT64_C(1) << 30)
#define SCRATCH_LIMIT ((size_t)1 << 30)
#define PATH_MAX_BYTES 1000

typedef struct world {
    io *io;
    pool *engine;
    pool *query;
    codec_scratch codecs;
    pq_file_options file_options;
    uint32_t batch_rows;
    bool verify_checksums;
} world;

// What is done with the lines of a file.
typedef struct lines {
    FILE *expected;       // NULL: nothing is compared.
    bool prints;          // To stdout.
    uint64_t sample_skip; // The expected lines are the first and the last of the rows: how many
    uint64_t sample_from; // there are at the start, and where those at the end begin.
    uint64_t line;
    uint64_t wrong;
    char *buffer;
    size_t capacity;
} lines;

static void check_line(lines *self, text line) {
    const uint64_t number = self->line++;
    if (self->prints) {
        printf("%.*s\n", TEXT_ARGS(line));
    }
    const bool is_in_sample = number < self->sample_skip || number >= self->sample_from;
    if (self->expected == NULL || !is_in_sample) {
        return;
    }
    ssize_t size = getline(&self->buffer, &self->capacity, self->expected);
    if (size > 0 && self->buffer[size - 1] == '\n') {
        size -= 1;
    }
    const bool is_right =
        size >= 0 && (size_t)size == line.size && memcmp(self->buffer, line.data, line.size) == 0;
    if (!is_right && self->wrong++ < 2) {
        printf("  row %llu\n    is   %.*s\n    want %.*s\n", (unsigned long long)number,
               (int)(line.size < 600 ? line.size : 600), line.data, (int)(size < 600 ? size : 600),
               size < 0 ? "" : self->buffer);
    }
}

static firn_status check_batch(const pq_file *file, const batch *rows, bool has_repeated_names,
                               lines *out, firn_error *err) {
    arena memory = arena_open(SCRATCH_LIMIT);
    firn_status status = FIRN_OK;
    for (uint32_t k = 0; k < rows->selected_count && status == FIRN_OK; k++) {
        arena_reset(&memory);
        text_builder line = text_builder_open(&memory);
        text printed;
        canonical_row(&file->types.columns, has_repeated_names, rows, batch_row(rows, k), &line);
        status = text_builder_finish(&line, &printed, err);
        if (status == FIRN_OK) {
            check_line(out, printed);
        }
    }
    arena_close(&memory);
    return status;
}

static firn_status read_batches(const pq_file *file, pq_reader *reader, lines *out,
                                firn_error *err) {
    arena scratch = arena_open(SCRATCH_LIMIT);
    const bool has_repeated_names = canonical_has_repeated_names(&file->types.columns);
    pq_answer answer = PQ_READY;
    firn_status status = FIRN_OK;
    pq_reader_start(reader, 0, pq_file_row_group_count(file));
    while (status == FIRN_OK && answer != PQ_END) {
        arena_reset(&scratch);
        batch rows;
        status = pq_reader_next(reader, &rows, &answer, err);
        if (status == FIRN_OK && answer == PQ_READY) {
            status = check_batch(file, &rows, has_repeated_names, out, err);
        }
    }
    arena_close(&scratch);
    return status;
}

static firn_status read_file(world *self, const char *path, lines *out, firn_error *err) {
    io_file *input = NULL;
    pq_file *file = NULL;
    pq_reader *reader = NULL;
    arena memory = arena_open(SCRATCH_LIMIT);
    firn_status status =
        io_file_open(self->io, text_of(path), &(io_open_options){.cancel = NULL}, &input, err);
    if (status == FIRN_OK) {
        status = pq_file_open(input, &self->file_options, self->query, NULL, &file, err);
    }
    pq_pick *picks = NULL;
    const uint32_t count = file == NULL ? 0 : file->types.columns.count;
    if (status == FIRN_OK) {
        picks = ARENA_NEW(&memory, pq_pick, (size_t)count + 1);
        for (uint32_t i = 0; i < count && status == FIRN_OK; i++) {
            const pq_file_field from = pq_file_column(file, i);
            status = pq_pick_make(file, &from, NULL, PQ_MATCH_NAME, &memory, &picks[i], err);
        }
    }
    if (status == FIRN_OK) {
        const pq_reader_options options = {.owner = self->query,
                                           .codecs = &self->codecs,
                                           .batch_rows = self->batch_rows,
                                           .verify_checksums = self->verify_checksums};
        status = pq_reader_open(file, picks, count, &options, &reader, err);
    }
    if (status == FIRN_OK) {
        status = read_batches(file, reader, out, err);
    }
    pq_reader_close(reader);
    pq_file_release(file);
    io_file_release(input);
    arena_close(&memory);
    return status;
}

static firn_status world_open(world *self, firn_error *err) {
    *self = (world){.codecs = codec_scratch_open((size_t)64 << 20)};
    TRY(io_open(&(io_options){.has_thread = false}, &self->io, err));
    TRY(pool_open_engine(MEMORY_LIMIT, &self->engine, err));
    return pool_open(self->engine, &(pool_options){.kind = POOL_QUERY, .name = "test"},
                     &self->query, err);
}

static void world_close(world *self) {
    codec_scratch_close(&self->codecs);
    pool_close(self->query);
    pool_close(self->engine);
    io_close(self->io);
}

// ---- All files ---------------------------------------------------------------------------------

typedef struct run {
    world *here;
    const char *folder;   // Of the data files.
    const char *expected; // Of the expected rows: folder and a prefix for their names.
    const char *part;     // Of names.
    uint32_t files;
    uint32_t failed;
} run;

static bool ends_with(const char *name, const char *end) {
    return text_ends_with(text_of(name), text_of(end));
}

// Names of files whose values reach beyond what is read by default, or that are known to be odd.
static void set_options(run *self, const char *name) {
    self->here->file_options.types.int96_in_micros = strstr(name, "int96_from_spark") != NULL;
    self->here->verify_checksums = strcmp(name, "feat_checksum_bad.parquet") == 0;
}

static uint64_t count_rows(world *self, const char *path) {
    lines counted = {.expected = NULL};
    firn_error err = ERR_INIT;
    return read_file(self, path, &counted, &err) == FIRN_OK ? counted.line : 0;
}

static uint64_t count_lines(FILE *file) {
    uint64_t count = 0;
    for (int c = fgetc(file); c != EOF; c = fgetc(file)) {
        count += c == '\n';
    }
    rewind(file);
    return count;
}

// Opens the expected rows of a file: all, or a sample of the first and last ones.
static void open_expected(run *self, const char *path, const char *name, lines *out) {
    char expected[PATH_MAX_BYTES];
    const int stem = (int)(strlen(name) - strlen(".parquet"));
    if (strcmp(name, "feat_long_strings.parquet") == 0 || strstr(name, "6229-LEVELS") != NULL) {
        return; // The sample lacks the long rows; DuckDB reads a row of a page that is cut off.
    }
    (void)snprintf(expected, sizeof expected, "%s%.*s.jsonl", self->expected, stem, name);
    out->expected = fopen(expected, "rb");
    out->sample_skip = UINT64_MAX;
    out->sample_from = UINT64_MAX;
    if (out->expected != NULL) {
        return;
    }
    (void)snprintf(expected, sizeof expected, "%s%.*s.sample.jsonl", self->expected, stem, name);
    out->expected = fopen(expected, "rb");
    if (out->expected != NULL) {
        const uint64_t half = count_lines(out->expected) / 2;
        out->sample_skip = half;
        out->sample_from = count_rows(self->here, path) - half;
    }
}

static firn_status visit(void *user, const char *name, bool is_folder, firn_error *err) {
    run *self = user;
    (void)err;
    if (is_folder || !(ends_with(name, ".parquet") || ends_with(name, ".encrypted")) ||
        strstr(name, self->part) == NULL) {
        return FIRN_OK;
    }
    char path[PATH_MAX_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", self->folder, name);
    set_options(self, name);
    lines out = {.prints = false};
    open_expected(self, path, name, &out);
    firn_error error = ERR_INIT;
    const firn_status status = read_file(self->here, path, &out, &error);
    uint64_t missing = 0;
    if (out.expected != NULL) {
        missing = status == FIRN_OK && getline(&out.buffer, &out.capacity, out.expected) >= 0;
        (void)fclose(out.expected);
    }
    free(out.buffer);
    const bool must_fail = strncmp(name, "bad_", 4) == 0 || self->here->verify_checksums ||
                           ends_with(name, ".encrypted");
    const bool is_right = out.expected != NULL ? status == FIRN_OK && out.wrong + missing == 0
                                               : !must_fail || status != FIRN_OK;
    self->files += 1;
    self->failed += !is_right;
    if (!is_right) {
        printf("FAIL %s: %llu rows, %llu wrong, %s\n", path, (unsigned long long)out.line,
               (unsigned long long)out.wrong, status == FIRN_OK ? "read" : error.text);
    } else if (out.expected == NULL) {
        printf("  %s: %s\n", name, status == FIRN_OK ? "read" : error.text);
    }
    return FIRN_OK;
}

static int run_all(world *here, const char *shared, const char *part) {
    static const struct {
        const char *folder;
        const char *expected;
    } folders[] = {
        {"generated", "generated/"},
        {"parquet-testing/data", "parquet-testing/expected/data__"},
        {"parquet-testing/data/geospatial", "parquet-testing/expected/data__geospatial__"},
        {"parquet-testing/bad_data", "parquet-testing/expected/bad_data__"},
        {"parquet-testing/shredded_variant", "parquet-testing/expected/shredded_variant__"},
    };
    uint32_t failed = 0;
    uint32_t files = 0;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char folder[PATH_MAX_BYTES];
        char expected[PATH_MAX_BYTES];
        (void)snprintf(folder, sizeof folder, "%s/conformance/parquet/%s", shared,
                       folders[i].folder);
        (void)snprintf(expected, sizeof expected, "%s/conformance/parquet/%s", shared,
                       folders[i].expected);
        run self = {.here = here, .folder = folder, .expected = expected, .part = part};
        firn_error err = ERR_INIT;
        if (host_list(folder, visit, &self, &err) != FIRN_OK) {
            printf("%s\n", err.text);
            return 1;
        }
        printf("%s: %u files, %u failed\n", folders[i].folder, self.files, self.failed);
        failed += self.failed;
        files += self.files;
    }
    printf("%u passed, %u failed, 0 skipped\n", files - failed, failed);
    return failed == 0 ? 0 : 1;
}

// ---- Damage ------------------------------------------------------------------------------------

#define DAMAGED_SIZE_MAX 300000

typedef struct damaging {
    world *here;
    const char *folder;
    uint32_t times;
    uint64_t seed;
    uint64_t read;
    uint64_t refused;
} damaging;

// Some bytes become others, mostly near the end of the file, where the metadata is.
static void change_bytes(uint8_t *data, size_t size, uint64_t *seed) {
    const uint64_t changes = 1 + test_random(seed) % 6;
    for (uint64_t i = 0; i < changes && size > 0; i++) {
        const size_t range = test_random(seed) % 2 == 0 ? size : size / 4 + 1;
        const size_t at = size - 1 - test_random(seed) % range;
        const uint64_t random = test_random(seed);
        data[at] = random % 3 == 0 ? (uint8_t)(data[at] ^ 1 << random / 3 % 8)
                                   : (uint8_t)(random >> 16 & 0xff);
    }
}

static firn_status write_file(const char *path, bytes data, firn_error *err) {
    host_file file;
    TRY(host_open(path, HOST_MODE_CREATE, &file, err));
    const firn_status status = host_write(file, 0, data, err);
    host_close(&file);
    return status;
}

static firn_status damage(void *user, const char *name, bool is_folder, firn_error *err) {
    damaging *self = user;
    if (is_folder || !ends_with(name, ".parquet")) {
        return FIRN_OK;
    }
    char path[PATH_MAX_BYTES];
    char copy[PATH_MAX_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", self->folder, name);
    (void)snprintf(copy, sizeof copy, "/tmp/firn-damaged-%u.parquet", host_process_id());
    arena memory = arena_open(SCRATCH_LIMIT);
    bytes whole = {.size = 0};
    if (io_get(self->here->io, text_of(path), DAMAGED_SIZE_MAX, NULL, &memory, &whole, err) ==
        FIRN_OK) {
        uint8_t *changed = ARENA_NEW(&memory, uint8_t, whole.size + 1);
        for (uint32_t i = 0; i < self->times && whole.size > 0; i++) {
            memcpy(changed, whole.data, whole.size);
            change_bytes(changed, whole.size, &self->seed);
            const bytes data = {.data = changed, .size = whole.size};
            lines out = {.prints = false};
            firn_error error = ERR_INIT;
            const uint64_t seed = self->seed;
            const int64_t start = host_cpu_ns();
            const firn_status status = write_file(copy, data, &error) == FIRN_OK
                                           ? read_file(self->here, copy, &out, &error)
                                           : FIRN_IO;
            self->read += status == FIRN_OK;
            self->refused += status != FIRN_OK;
            const int64_t took_ms = (host_cpu_ns() - start) / 1000000;
            if (took_ms > 2000) {
                printf("%s, seed %llu: %lld ms\n", name, (unsigned long long)seed,
                       (long long)took_ms);
            }
        }
    }
    arena_close(&memory);
    return FIRN_OK;
}

static int damage_all(world *here, const char *shared, uint32_t times) {
    static const char *const folders[] = {"generated", "parquet-testing/data",
                                          "parquet-testing/shredded_variant"};
    damaging self = {.here = here, .times = times, .seed = 1};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char folder[PATH_MAX_BYTES];
        (void)snprintf(folder, sizeof folder, "%s/conformance/parquet/%s", shared, folders[i]);
        self.folder = folder;
        firn_error err = ERR_INIT;
        if (host_list(folder, damage, &self, &err) != FIRN_OK) {
            printf("%s\n", err.text);
            return 1;
        }
    }
    printf("%llu read, %llu refused\n", (unsigned long long)self.read,
           (unsigned long long)self.refused);
    return 0;
}

static int print_file(world *here, const char *path) {
    lines out = {.prints = true};
    firn_error err = ERR_INIT;
    here->file_options.types.int96_in_micros = host_environment("INT96_MICROS") != NULL;
    const firn_status status = read_file(here, path, &out, &err);
    if (status != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
    }
    return status == FIRN_OK ? 0 : 1;
}

int main(int argc, char **argv) {
    world here;
    firn_error err = ERR_INIT;
    if (world_open(&here, &err) != FIRN_OK) {
        printf("%s\n", err.text);
        return 1;
    }
    const char *shared = host_environment("FIRN_SHARED");
    shared = shared == NULL ? "../shared" : shared;
    const char *rows = host_environment("FIRN_BATCH_ROWS");
    here.batch_rows = rows == NULL ? 0 : (uint32_t)strtoul(rows, NULL, 10);
    const char *part = argc > 2 && strcmp(argv[1], "--name") == 0 ? argv[2] : "";
    int result = 0;
    host_stat found;
    if (argc > 2 && strcmp(argv[1], "--damage") == 0) {
        result = damage_all(&here, shared, (uint32_t)strtoul(argv[2], NULL, 10));
    } else if (argc == 2) {
        result = print_file(&here, argv[1]);
    } else if (host_path_stat(shared, &found, &err) == FIRN_OK) {
        result = run_all(&here, shared, part);
    } else {
        printf("%s is not here: nothing to compare with\n0 passed, 0 failed, 1 skipped\n", shared);
    }
    world_close(&here);
    return result;
}
