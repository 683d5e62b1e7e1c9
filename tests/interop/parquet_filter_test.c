// Reads files of shared/conformance/parquet with random filters, columns and deleted rows, and
// compares with reading everything and filtering afterwards. On internals.
//
//     parquet_filter_test            every file 3 times, if ../shared (or $FIRN_SHARED) is there
//     parquet_filter_test N [PART]   N times; the files with PART in their name
//     parquet_filter_test --damage N [PART]   each file N times, every time with some bytes changed
//                                    or cut off: no crash, no hang, nothing compared
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/host.h"
#include "base/test.h"
#include "canonical_rows.h"
#include "expr/expr.h"
#include "formats/parquet/pq_reader.h"
#include "functions/overload.h"
#include "io/memory_input.h"

#define MEMORY_LIMIT (UINT64_C(1) << 30)
#define ARENA_LIMIT ((size_t)1 << 30)
#define PATH_BYTES 1000
#define FILE_SIZE_MAX 400000
#define COLUMNS_MAX 200
#define CONJUNCTS_MAX 3
#define DAMAGED_MS_MAX 5000

typedef struct world {
    io *io;
    pool *engine;
    pool *query;
    codec_scratch codecs;
    const char *folder;
    const char *part;
    uint32_t times;
    uint64_t seed;
    bool damages;
    uint32_t runs;
    uint32_t refused; // Of damaged ones.
    uint32_t failed;
    uint64_t rows_in;
    uint64_t rows_out;
    pq_reader_counters counters;
} world;

// One run: a file, what is read of it, what is asked of the rows.
typedef struct run {
    world *here;
    pq_file *file;
    arena *memory;
    pq_pick *picks; // All columns of the file in random order: the first ones are handed out.
    uint32_t *ids;
    uint32_t count;
    uint32_t output_count;
    expr *conjuncts[CONJUNCTS_MAX];
    uint32_t conjunct_count;
    uint64_t delete_seed; // 0: nothing is deleted.
    uint64_t piece_rows;  // 0: row groups are read whole, else in pieces of so many rows.
    uint32_t batch_rows;
} run;

// What came out: the rows as text, hashed in order.
typedef struct outcome {
    uint64_t rows;
    uint64_t hash;
    pq_reader_counters counters;
} outcome;

static bool is_deleted(uint64_t seed, uint64_t row) {
    uint64_t mixed = seed + row;
    return test_random(&mixed) % 4 == 0;
}

static bool find_deleted(void *user, uint64_t first, uint32_t count, uint64_t *bits) {
    const run *self = user;
    bool has_any = false;
    for (uint32_t i = 0; i < count; i++) {
        if (is_deleted(self->delete_seed, first + i)) {
            bitmap_set(bits, i);
            has_any = true;
        }
    }
    return has_any;
}

WRAPS static uint64_t mix_in(uint64_t hash, text printed) {
    for (size_t i = 0; i < printed.size; i++) {
        hash = (hash ^ (uint8_t)printed.data[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static firn_status add_rows(const run *self, const batch *rows, outcome *out, firn_error *err) {
    arena memory = arena_open(ARENA_LIMIT);
    firn_status status = FIRN_OK;
    for (uint32_t k = 0; k < rows->selected_count && status == FIRN_OK; k++) {
        arena_reset(&memory);
        text_builder line = text_builder_open(&memory);
        text printed;
        for (uint32_t i = 0; i < self->output_count; i++) {
            canonical_value(&rows->columns[i], batch_row(rows, k), &line);
            text_append_char(&line, ' ');
        }
        status = text_builder_finish(&line, &printed, err);
        out->hash = status == FIRN_OK ? mix_in(out->hash, printed) : 0;
        out->rows += 1;
    }
    arena_close(&memory);
    return status;
}

// Reads everything and filters afterwards.
static firn_status read_plainly(const run *self, outcome *out, firn_error *err) {
    const pq_reader_options options = {.owner = self->here->query, .codecs = &self->here->codecs};
    const input_layout layout = {.count = self->count, .ids = self->ids};
    pq_reader *reader;
    TRY(pq_reader_open(self->file, self->picks, self->count, &options, &reader, err));
    expr *sum = NULL;
    for (uint32_t i = 0; i < self->conjunct_count; i++) {
        sum = expr_and(self->memory, sum, expr_copy(self->memory, self->conjuncts[i]));
    }
    const expr *root = sum;
    expr_program *program = NULL;
    expr_state *state = NULL;
    const statement_context context = {.now_us = 0};
    firn_status status = expr_compile(&root, 1, &layout, self->memory, &program, err);
    if (status == FIRN_OK) {
        status = expr_open(program, &context, NULL, self->memory, &state, err);
    }
    uint64_t position = 0;
    pq_answer answer = PQ_READY;
    arena scratch = arena_open(ARENA_LIMIT);
    pq_reader_start(reader, 0, pq_file_row_group_count(self->file));
    while (status == FIRN_OK && answer != PQ_END) {
        arena_reset(&scratch);
        batch rows;
        status = pq_reader_next(reader, &rows, &answer, err);
        if (status != FIRN_OK || answer != PQ_READY) {
            continue;
        }
        uint16_t *alive = ARENA_NEW(&scratch, uint16_t, (size_t)rows.row_count + 1);
        rows.selected_count = 0;
        for (uint32_t i = 0; i < rows.row_count; i++) {
            if (self->delete_seed == 0 || !is_deleted(self->delete_seed, position + i)) {
                alive[rows.selected_count++] = (uint16_t)i;
            }
        }
        rows.selection = alive;
        position += rows.row_count;
        const uint16_t *left;
        status = expr_filter(state, &rows, &scratch, &left, &rows.selected_count, err);
        rows.selection = left;
        if (status == FIRN_OK) {
            status = add_rows(self, &rows, out, err);
        }
    }
    expr_close(state);
    arena_close(&scratch);
    pq_reader_close(reader);
    return status;
}

static firn_status read_rest(const run *self, pq_reader *reader, outcome *out, firn_error *err) {
    pq_answer answer = PQ_READY;
    while (answer != PQ_END) {
        batch rows;
        TRY(pq_reader_next(reader, &rows, &answer, err));
        if (answer == PQ_READY) {
            CHECK(rows.selected_count > 0);
            TRY(add_rows(self, &rows, out, err));
        }
    }
    return FIRN_OK;
}

// Lets the reader filter.
static firn_status read_filtered(run *self, outcome *out, firn_error *err) {
    const statement_context context = {.now_us = 0};
    const pq_reader_options options = {
        .owner = self->here->query,
        .codecs = &self->here->codecs,
        .batch_rows = self->batch_rows,
        .filter = {.conjuncts = {.count = self->conjunct_count, .items = self->conjuncts},
                   .ids = self->ids,
                   .context = &context},
        .deletes = {.find = self->delete_seed == 0 ? NULL : find_deleted, .user = self},
        .filter_only_count = self->count - self->output_count,
    };
    pq_reader *reader;
    TRY(pq_reader_open(self->file, self->picks, self->count, &options, &reader, err));
    firn_status status = FIRN_OK;
    if (self->piece_rows == 0) {
        pq_reader_start(reader, 0, pq_file_row_group_count(self->file));
        status = read_rest(self, reader, out, err);
    }
    for (uint32_t group = 0; self->piece_rows > 0 && group < pq_file_row_group_count(self->file);
         group++) {
        const uint64_t rows = pq_file_rows_of(self->file, group);
        for (uint64_t from = 0; from < rows && status == FIRN_OK; from += self->piece_rows) {
            pq_reader_start_rows(reader, group, from, from + self->piece_rows);
            status = read_rest(self, reader, out, err);
        }
    }
    out->counters = pq_reader_count(reader);
    pq_reader_close(reader);
    return status;
}

// ---- Random runs -------------------------------------------------------------------------------

static uint64_t random_below(run *self, uint64_t limit) {
    return limit == 0 ? 0 : test_random(&self->here->seed) % limit;
}

// A value of the column from a random place of the file, as a literal; NULL if there is none.
static firn_status random_value(run *self, uint32_t column_at, expr **out, firn_error *err) {
    const pq_reader_options options = {.owner = self->here->query, .codecs = &self->here->codecs};
    pq_reader *reader;
    *out = NULL;
    const uint32_t groups = pq_file_row_group_count(self->file);
    TRY(pq_reader_open(self->file, &self->picks[column_at], 1, &options, &reader, err));
    const uint32_t group = (uint32_t)random_below(self, groups);
    pq_reader_start(reader, group, groups == 0 ? 0 : 1);
    batch rows;
    pq_answer answer = PQ_READY;
    firn_status status = FIRN_OK;
    for (uint64_t i = 0; i <= random_below(self, 4) && status == FIRN_OK && answer == PQ_READY;
         i++) {
        status = pq_reader_next(reader, &rows, &answer, err);
        if (status == FIRN_OK && answer == PQ_READY) {
            const uint32_t row = (uint32_t)random_below(self, rows.row_count);
            status = expr_literal_of(self->memory, &rows.columns[0], row, out, err);
        }
    }
    pq_reader_close(reader);
    return status;
}

static bool is_comparable(const type *kind) {
    return kind->id != TYPE_NULL && kind->id != TYPE_INTERVAL && !type_is_nested(kind);
}

static firn_status add_conjunct(run *self, firn_error *err) {
    static const char *const operators[] = {
        "=", "<", "<=", ">", ">=", "<>", "=", "is_null", "is_not_null"};
    const uint32_t at = (uint32_t)random_below(self, self->count);
    const type *kind = self->picks[at].type;
    if (!is_comparable(kind)) {
        return FIRN_OK;
    }
    const uint64_t op = random_below(self, sizeof operators / sizeof *operators);
    expr *args[2] = {expr_column(self->memory, self->ids[at], TEXT("c"), kind), NULL};
    uint32_t arg_count = 1;
    if (op < 7) {
        TRY(random_value(self, at, &args[1], err));
        arg_count = 2;
        if (args[1] == NULL) {
            return FIRN_OK;
        }
    }
    TRY(function_call_named(text_of(operators[op]), args, arg_count, self->memory,
                            &self->conjuncts[self->conjunct_count], err));
    self->conjunct_count += 1;
    return FIRN_OK;
}

static firn_status prepare(run *self, firn_error *err) {
    const uint32_t count = self->file->types.columns.count;
    self->count = count;
    self->picks = ARENA_NEW(self->memory, pq_pick, (size_t)count + 1);
    self->ids = ARENA_NEW(self->memory, uint32_t, (size_t)count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const pq_file_field from = pq_file_column(self->file, i);
        TRY(pq_pick_make(self->file, &from, NULL, PQ_MATCH_NAME, self->memory, &self->picks[i],
                         err));
        self->ids[i] = 100 + i;
    }
    for (uint32_t i = count; i > 1; i--) {
        const uint64_t other = random_below(self, i);
        const pq_pick moved = self->picks[other];
        self->picks[other] = self->picks[i - 1];
        self->picks[i - 1] = moved;
    }
    self->output_count = (uint32_t)random_below(self, count + 1);
    self->delete_seed = random_below(self, 3) == 0 ? 1 + random_below(self, 1000) : 0;
    self->batch_rows = random_below(self, 4) == 0 ? 1 + (uint32_t)random_below(self, 50) : 0;
    const bool is_small = self->file->metadata->file.row_count < 3000;
    self->piece_rows = is_small && random_below(self, 4) == 0 ? 1 + random_below(self, 200) : 0;
    const uint64_t wanted = 1 + random_below(self, CONJUNCTS_MAX);
    for (uint64_t i = 0; i < 10 && self->conjunct_count < wanted; i++) {
        TRY(add_conjunct(self, err));
    }
    return FIRN_OK;
}

static void report(const run *self, const outcome *plain, const outcome *filtered,
                   const char *path) {
    printf("FAIL %s: %llu rows, %llu filtered, %u columns of %u, deletes %llu, batches of %u\n",
           path, (unsigned long long)plain->rows, (unsigned long long)filtered->rows,
           self->output_count, self->count, (unsigned long long)self->delete_seed,
           self->batch_rows);
    for (uint32_t i = 0; i < self->conjunct_count; i++) {
        const text printed = expr_text(self->conjuncts[i], self->memory);
        printf("  %.*s\n", TEXT_ARGS(printed));
    }
}

static firn_status run_once(world *here, pq_file *file, const char *path, firn_error *err) {
    arena memory = arena_open(ARENA_LIMIT);
    run self = {.here = here, .file = file, .memory = &memory};
    outcome plain = {.rows = 0};
    outcome filtered = {.rows = 0};
    firn_status status = prepare(&self, err);
    if (status == FIRN_OK && self.conjunct_count > 0) {
        status = read_plainly(&self, &plain, err);
        if (status == FIRN_OK) {
            status = read_filtered(&self, &filtered, err);
        }
        const bool is_same =
            status == FIRN_OK && plain.rows == filtered.rows && plain.hash == filtered.hash;
        here->runs += 1;
        here->failed += !is_same;
        here->rows_in += (uint64_t)file->metadata->file.row_count;
        here->rows_out += filtered.rows;
        here->counters.pages += filtered.counters.pages;
        here->counters.pages_skipped += filtered.counters.pages_skipped;
        here->counters.row_groups += filtered.counters.row_groups;
        here->counters.pruned_statistics += filtered.counters.pruned_statistics;
        here->counters.pruned_bloom += filtered.counters.pruned_bloom;
        here->counters.pruned_dictionary += filtered.counters.pruned_dictionary;
        here->counters.pages_pruned += filtered.counters.pages_pruned;
        if (!is_same) {
            report(&self, &plain, &filtered, path);
        }
    }
    arena_close(&memory);
    return status;
}

// ---- Damage ------------------------------------------------------------------------------------

// Changes some bytes, mostly near the end of the file, where the metadata is, or cuts it off.
static size_t damage(uint8_t *data, size_t size, uint64_t *seed) {
    const uint64_t changes = 1 + test_random(seed) % 6;
    if (test_random(seed) % 12 == 0) { // The tail stays, so that it is found to be a file.
        const size_t kept = size / 4;
        const size_t cut = 1 + test_random(seed) % (size - kept);
        memmove(data + size - kept - cut, data + size - kept, kept);
        return size - cut;
    }
    for (uint64_t i = 0; i < changes; i++) {
        const size_t range = test_random(seed) % 2 == 0 ? size : size / 4 + 1;
        const size_t at = size - 1 - test_random(seed) % range;
        const uint64_t random = test_random(seed);
        data[at] = random % 3 == 0 ? (uint8_t)(data[at] ^ 1 << random / 3 % 8)
                                   : (uint8_t)(random >> 16 & 0xff);
    }
    return size;
}

static firn_status read_damaged(world *here, bytes content, firn_error *err) {
    arena memory = arena_open(ARENA_LIMIT);
    const uint32_t waits = (uint32_t)(test_random(&here->seed) % 3);
    memory_input input = {
        .content = content, .waits = waits, .seed = here->seed, .is_remote = waits > 1};
    io_file *file = memory_input_open(&input, here->io, "damaged.parquet");
    run self = {.here = here, .memory = &memory};
    outcome out = {.rows = 0};
    firn_status status =
        pq_file_open(file, &(pq_file_options){.tail_size = 0}, here->query, NULL, &self.file, err);
    const uint32_t columns = status == FIRN_OK ? self.file->types.columns.count : 0;
    if (columns > 0 && columns < COLUMNS_MAX) {
        status = prepare(&self, err);
        if (status == FIRN_OK) {
            status = read_filtered(&self, &out, err);
        }
    }
    pq_file_release(self.file);
    io_file_release(file);
    arena_close(&memory);
    return status;
}

// Reads a file again and again, with other damage each time.
static void run_damaged(world *here, const char *path) {
    arena memory = arena_open(ARENA_LIMIT);
    bytes whole = {.size = 0};
    firn_error err = ERR_INIT;
    if (io_get(here->io, text_of(path), FILE_SIZE_MAX, NULL, &memory, &whole, &err) == FIRN_OK) {
        uint8_t *changed = ARENA_NEW(&memory, uint8_t, whole.size + 1);
        for (uint32_t i = 0; i < here->times && whole.size > 1; i++) {
            memcpy(changed, whole.data, whole.size);
            const uint64_t seed = here->seed;
            const size_t size = damage(changed, whole.size, &here->seed);
            const int64_t start = host_cpu_ns();
            here->runs += 1;
            firn_error damaged = ERR_INIT;
            here->refused +=
                read_damaged(here, (bytes){.data = changed, .size = size}, &damaged) != FIRN_OK;
            const int64_t took_ms = (host_cpu_ns() - start) / 1000000;
            if (took_ms > DAMAGED_MS_MAX) {
                printf("FAIL %s, seed %llu: %lld ms\n", path, (unsigned long long)seed,
                       (long long)took_ms);
                here->failed += 1;
            }
        }
    }
    arena_close(&memory);
}

static firn_status visit_damaged(void *user, const char *name, bool is_folder, firn_error *err) {
    world *here = user;
    (void)err;
    if (!is_folder && text_ends_with(text_of(name), TEXT(".parquet")) &&
        strstr(name, here->part) != NULL) {
        char path[PATH_BYTES];
        (void)snprintf(path, sizeof path, "%s/%s", here->folder, name);
        run_damaged(here, path);
    }
    return FIRN_OK;
}

// ---- All files ---------------------------------------------------------------------------------

static firn_status visit(void *user, const char *name, bool is_folder, firn_error *err) {
    world *here = user;
    (void)err;
    if (is_folder || !text_ends_with(text_of(name), TEXT(".parquet")) ||
        strstr(name, here->part) == NULL || strncmp(name, "fuzz_", 5) == 0 ||
        strstr(name, "int96_from_spark") != NULL) { // Reaches beyond nanoseconds.
        return FIRN_OK;
    }
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", here->folder, name);
    firn_error error = ERR_INIT;
    io_file *input = NULL;
    pq_file *file = NULL;
    const io_open_options options = {.cancel = NULL};
    firn_status status = io_file_open(here->io, text_of(path), &options, &input, &error);
    if (status == FIRN_OK && io_file_identity(input).size < FILE_SIZE_MAX) {
        status = pq_file_open(input, &(pq_file_options){.tail_size = 0}, here->query, NULL, &file,
                              &error);
    }
    const bool is_fit = status == FIRN_OK && file != NULL && file->types.columns.count > 0 &&
                        file->types.columns.count < COLUMNS_MAX;
    for (uint32_t i = 0; i < here->times && is_fit && status == FIRN_OK; i++) {
        status = run_once(here, file, path, &error);
    }
    pq_file_release(file);
    io_file_release(input);
    return FIRN_OK;
}

static void print_counters(const pq_reader_counters *counters) {
    printf(
        "row groups: %llu read, pruned: %llu statistics, %llu bloom, %llu dictionary; pages: %llu, "
        "%llu pruned, %llu skipped\n",
        (unsigned long long)counters->row_groups, (unsigned long long)counters->pruned_statistics,
        (unsigned long long)counters->pruned_bloom, (unsigned long long)counters->pruned_dictionary,
        (unsigned long long)counters->pages, (unsigned long long)counters->pages_pruned,
        (unsigned long long)counters->pages_skipped);
}

static int run_all(world *here, const char *shared) {
    static const char *const folders[] = {"generated", "parquet-testing/data"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char folder[PATH_BYTES];
        (void)snprintf(folder, sizeof folder, "%s/conformance/parquet/%s", shared, folders[i]);
        here->folder = folder;
        firn_error err = ERR_INIT;
        if (host_list(folder, here->damages ? visit_damaged : visit, here, &err) != FIRN_OK) {
            printf("%s\n", err.text);
            return 1;
        }
    }
    printf("%u runs, %u failed; %llu of %llu rows\n", here->runs, here->failed,
           (unsigned long long)here->rows_out, (unsigned long long)here->rows_in);
    if (here->damages) {
        printf("%u of %u refused\n", here->refused, here->runs);
    } else {
        print_counters(&here->counters);
    }
    printf("%u passed, %u failed, 0 skipped\n", here->runs - here->failed, here->failed);
    return here->failed == 0 && here->runs > 0 ? 0 : 1;
}

// CHECK of base/test.h reports here; test_main.c is not linked.
void test_fail(const char *file, int line, const char *what) {
    printf("%s:%d: not true: %s\n", file, line, what);
    exit(1);
}

int main(int argc, char **argv) {
    world here = {
        .codecs = codec_scratch_open((size_t)64 << 20), .times = 3, .part = "", .seed = 1};
    firn_error err = ERR_INIT;
    firn_status status = io_open(&(io_options){.has_thread = false}, &here.io, &err);
    if (status == FIRN_OK) {
        status = pool_open_engine(MEMORY_LIMIT, &here.engine, &err);
    }
    if (status == FIRN_OK) {
        status = pool_open(here.engine, &(pool_options){.kind = POOL_QUERY, .name = "test"},
                           &here.query, &err);
    }
    if (status != FIRN_OK) {
        printf("%s\n", err.text);
        return 1;
    }
    const char *shared = host_environment("FIRN_SHARED");
    shared = shared == NULL ? "../shared" : shared;
    const char *seed = host_environment("FIRN_SEED");
    here.seed = seed == NULL ? 1 : strtoull(seed, NULL, 10);
    here.damages = argc > 1 && strcmp(argv[1], "--damage") == 0;
    argc -= here.damages;
    argv += here.damages;
    here.times = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : here.times;
    here.part = argc > 2 ? argv[2] : here.part;
    host_stat found;
    int result = 0;
    if (host_path_stat(shared, &found, &err) == FIRN_OK) {
        result = run_all(&here, shared);
    } else {
        printf("%s is not here: nothing to compare with\n0 passed, 0 failed, 1 skipped\n", shared);
    }
    codec_scratch_close(&here.codecs);
    pool_close(here.query);
    pool_close(here.engine);
    io_close(here.io);
    return result;
}
