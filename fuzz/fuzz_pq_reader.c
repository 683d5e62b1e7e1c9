// Arbitrary bytes as a Parquet file: footer, indexes, bloom filters, all pages of all columns.
//
// It is read whole, then in other batches with an input that makes the reader wait, then in pieces
// of row groups forwards and backwards, several times with a cache of pages, as wider types, and
// with filters and deleted rows.
//
// Oracle: a row has the same values however it is read, and readings that meet no damage end
// equally. Of what is filtered only the values are compared: statistics may lie, and then other
// rows come out; offset indexes that lie lead to other pages, so files with such are not compared
// then.
#include <stdlib.h>
#include <string.h>

#include "column/batch.h"
#include "expr/expr.h"
#include "formats/parquet/pq_page_starts.h"
#include "formats/parquet/pq_reader.h"
#include "functions/overload.h"
#include "io/memory_input.h"
#include "other_types.h"

#define ROWS_MAX 1500
#define COLUMNS_MAX 24
#define EQUAL_MAX 8                  // Columns that are asked for one of their values.
#define WIDE_FILE ((size_t)64 << 10) // More than is read at a time.
#define ARENA_LIMIT ((size_t)64 << 20)
#define POOL_LIMIT (UINT64_C(256) << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
    if (!condition) {
        abort();
    }
}

// One for all inputs: what is opened once in a process.
typedef struct world {
    io *io;
    pool *engine;
    pool *query;
    codec_scratch codecs;
    block_cache *cache;
    int64_t input_count;
} world;

// One input, its file, and how its rows look.
typedef struct run {
    world *here;
    pq_file *file;
    arena *memory;
    uint64_t seed;
    uint32_t file_count; // Columns of the file.
    uint32_t count;      // Those, one that is the same in all rows, and the number of the row.
    pq_pick *picks;
    uint32_t *ids;
    bool has_offsets;
} run;

// The rows of a reading: a hash of the values by the number of the row in the file.
typedef struct reading {
    firn_status status;
    uint32_t count;
    bool is_cut; // Not read to the end.
    uint64_t numbers[ROWS_MAX];
    uint64_t hashes[ROWS_MAX];
} reading;

WRAPS static uint64_t mix(uint64_t hash, const void *data, size_t size) {
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ ((const uint8_t *)data)[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

WRAPS static uint64_t random_below(run *self, uint64_t limit) {
    self->seed ^= self->seed << 13;
    self->seed ^= self->seed >> 7;
    self->seed ^= self->seed << 17;
    return self->seed % limit;
}

// The hash does not hang on the order of the columns, so that they may be read in any.
WRAPS static void add_row(const batch *rows, uint32_t row, const uint32_t *ids, uint32_t number_at,
                          reading *out) {
    arena memory = arena_open(ARENA_LIMIT);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < rows->column_count; i++) {
        if (i == number_at) {
            continue;
        }
        text_builder line = text_builder_open(&memory);
        firn_error err = ERR_INIT;
        text printed;
        column_print_row(&rows->columns[i], row, &line);
        if (text_builder_finish(&line, &printed, &err) == FIRN_OK) {
            sum += mix(UINT64_C(0xcbf29ce484222325) + ids[i], printed.data, printed.size);
        }
    }
    arena_close(&memory);
    const column *numbers = &rows->columns[number_at];
    out->numbers[out->count] =
        COLUMN_VALUES(numbers, uint64_t)[numbers->form == FORM_CONSTANT ? 0 : row];
    out->hashes[out->count++] = sum;
}

static void read_all(pq_reader *reader, const uint32_t *ids, uint32_t number_at, reading *out) {
    firn_error err = ERR_INIT;
    pq_answer answer = PQ_READY;
    out->status = FIRN_OK;
    while (out->status == FIRN_OK && answer != PQ_END) {
        batch rows;
        out->status = pq_reader_next(reader, &rows, &answer, &err);
        if (out->status != FIRN_OK || answer != PQ_READY) {
            continue;
        }
        must(rows.selected_count > 0 && rows.selected_count <= rows.row_count);
        for (uint32_t k = 0; k < rows.selected_count; k++) {
            if (out->count == ROWS_MAX) {
                out->is_cut = true;
                return;
            }
            add_row(&rows, batch_row(&rows, k), ids, number_at, out);
        }
    }
}

static pq_reader *open_reader(const run *self, pq_pick *picks, uint32_t count,
                              const pq_reader_options *options) {
    pq_reader *reader = NULL;
    firn_error err = ERR_INIT;
    const firn_status status = pq_reader_open(self->file, picks, count, options, &reader, &err);
    must((status == FIRN_OK) == (reader != NULL));
    return reader;
}

static reading *read_whole(const run *self, uint32_t batch_rows, bool verifies,
                           block_cache *cache) {
    reading *out = ARENA_NEW(self->memory, reading, 1);
    must(out != NULL);
    *out = (reading){.status = FIRN_NO_MEMORY};
    const pq_reader_options options = {.owner = self->here->query,
                                       .codecs = &self->here->codecs,
                                       .batch_rows = batch_rows,
                                       .cache = cache,
                                       .cache_query = block_cache_query(cache),
                                       .verify_checksums = verifies};
    pq_reader *reader = open_reader(self, self->picks, self->count, &options);
    if (reader != NULL) {
        pq_reader_start(reader, 0, pq_file_row_group_count(self->file));
        read_all(reader, self->ids, self->count - 1, out);
    }
    pq_reader_close(reader);
    return out;
}

// Each row group in pieces, the first or the last one first.
static reading *read_pieces(run *self, uint64_t piece_rows, bool is_backwards) {
    reading *out = ARENA_NEW(self->memory, reading, 1);
    must(out != NULL);
    *out = (reading){.status = FIRN_NO_MEMORY};
    const pq_reader_options options = {.owner = self->here->query, .codecs = &self->here->codecs};
    pq_reader *reader = open_reader(self, self->picks, self->count, &options);
    out->status = reader == NULL ? FIRN_NO_MEMORY : FIRN_OK;
    const uint32_t groups = pq_file_row_group_count(self->file);
    for (uint32_t group = 0; out->status == FIRN_OK && group < groups; group++) {
        const uint64_t rows = pq_file_rows_of(self->file, group);
        const uint64_t count = rows / piece_rows < 20 ? rows / piece_rows + 1 : 20;
        for (uint64_t i = 0; i < count && out->status == FIRN_OK && !out->is_cut; i++) {
            const uint64_t at = (is_backwards ? count - 1 - i : i) * piece_rows;
            pq_reader_start_rows(reader, group, at, at + piece_rows);
            read_all(reader, self->ids, self->count - 1, out);
        }
    }
    pq_reader_close(reader);
    return out;
}

// Rows of `part` have the values that they have in `whole`, in which rows ascend from 0.
static void check_values(const run *self, const reading *whole, const reading *part) {
    if (self->has_offsets) {
        return;
    }
    for (uint32_t i = 0; i < part->count; i++) {
        if (part->numbers[i] < whole->count) {
            must(part->hashes[i] == whole->hashes[part->numbers[i]]);
        }
    }
}

static void check_whole(const reading *whole, const reading *other) {
    if (whole->status == FIRN_NO_MEMORY || other->status == FIRN_NO_MEMORY) {
        return;
    }
    must(whole->status == other->status || whole->is_cut || other->is_cut);
    must(whole->status != FIRN_OK || whole->count == other->count);
}

// ---- Filters -----------------------------------------------------------------------------------

static bool is_comparable(const type *kind) {
    return kind->id != TYPE_NULL && kind->id != TYPE_INTERVAL && !type_is_nested(kind);
}

// A value of the column from the first batch, as a literal: no NULL if there are others. NULL if
// there is none.
static expr *some_value(run *self, uint32_t at) {
    const pq_reader_options options = {.owner = self->here->query, .codecs = &self->here->codecs};
    pq_reader *reader = open_reader(self, &self->picks[at], 1, &options);
    expr *out = NULL;
    firn_error err = ERR_INIT;
    pq_answer answer = PQ_WAIT;
    firn_status status = FIRN_OK;
    if (reader != NULL) {
        pq_reader_start(reader, 0, pq_file_row_group_count(self->file));
    }
    batch rows;
    while (reader != NULL && status == FIRN_OK && answer == PQ_WAIT) {
        status = pq_reader_next(reader, &rows, &answer, &err);
    }
    if (reader != NULL && status == FIRN_OK && answer == PQ_READY) {
        uint32_t row = (uint32_t)random_below(self, rows.row_count);
        for (uint32_t i = 0; i < rows.row_count && !column_is_valid(&rows.columns[0], row); i++) {
            row = (row + 1) % rows.row_count; // Nothing is equal to NULL.
        }
        if (expr_literal_of(self->memory, &rows.columns[0], row, &out, &err) != FIRN_OK) {
            out = NULL;
        }
    }
    pq_reader_close(reader);
    return out;
}

#define OPERATOR_COUNT 8
#define OPERATOR_EQUAL 0

// What a column is compared with is one of its values. NULL: there is none.
static expr *conjunct_of(run *self, uint32_t at, uint64_t op) {
    static const char *const operators[OPERATOR_COUNT] = {"=",  "<",  "<=",      ">",
                                                          ">=", "<>", "is_null", "is_not_null"};
    const type *kind = self->picks[at].type;
    const uint32_t arg_count = op < 6 ? 2 : 1;
    if (!is_comparable(kind)) {
        return NULL;
    }
    expr *args[2] = {expr_column(self->memory, self->ids[at], TEXT("c"), kind), NULL};
    args[1] = arg_count == 2 ? some_value(self, at) : NULL;
    expr *out = NULL;
    firn_error err = ERR_INIT;
    if ((arg_count == 2 && args[1] == NULL) ||
        function_call_named(text_of(operators[op]), args, arg_count, self->memory, &out, &err) !=
            FIRN_OK) {
        return NULL;
    }
    return out;
}

static expr *random_conjunct(run *self) {
    const uint32_t at = (uint32_t)random_below(self, self->count - 1);
    return conjunct_of(self, at, random_below(self, OPERATOR_COUNT));
}

// Every third row or so is deleted.
WRAPS static bool find_deleted(void *user, uint64_t first, uint32_t count, uint64_t *bits) {
    bool has_any = false;
    (void)user;
    for (uint32_t i = 0; i < count; i++) {
        if ((first + i) * UINT64_C(0x9e3779b97f4a7c15) >> 62 == 0) {
            bitmap_set(bits, i);
            has_any = true;
        }
    }
    return has_any;
}

static reading *read_where(run *self, uint32_t conjunct_count, expr **conjuncts) {
    reading *out = ARENA_NEW(self->memory, reading, 1);
    must(out != NULL);
    *out = (reading){.status = FIRN_NO_MEMORY};
    const statement_context context = {.now_us = 0};
    const pq_reader_options options = {
        .owner = self->here->query,
        .codecs = &self->here->codecs,
        .batch_rows = (uint32_t)random_below(self, 3) * 17,
        .filter = {.conjuncts = {.count = conjunct_count, .items = conjuncts},
                   .ids = self->ids,
                   .context = &context},
        .deletes = {.find = random_below(self, 2) == 0 ? NULL : find_deleted},
    };
    pq_reader *reader = open_reader(self, self->picks, self->count, &options);
    if (reader != NULL) {
        pq_reader_start(reader, 0, pq_file_row_group_count(self->file));
        read_all(reader, self->ids, self->count - 1, out);
    }
    pq_reader_close(reader);
    return out;
}

static reading *read_filtered(run *self) {
    expr *conjuncts[2];
    uint32_t count = 0;
    for (int i = 0; i < 4 && count < 2; i++) {
        conjuncts[count] = random_conjunct(self);
        count += conjuncts[count] != NULL;
    }
    return read_where(self, count, conjuncts);
}

// One value of a column is what bloom filters are asked for.
static reading *read_equal(run *self, uint32_t at) {
    expr *conjunct = conjunct_of(self, at, OPERATOR_EQUAL);
    return conjunct == NULL ? NULL : read_where(self, 1, &conjunct);
}

// ---- Other types -------------------------------------------------------------------------------

// Reads all columns as wider types, those of another kind with `number` below OTHER_KINDS: values
// may not fit, so nothing is compared.
static void read_wider(run *self, uint32_t number) {
    firn_error err = ERR_INIT;
    pq_pick *picks = ARENA_NEW(self->memory, pq_pick, self->count);
    reading *out = ARENA_NEW(self->memory, reading, 1);
    must(picks != NULL && out != NULL);
    *out = (reading){.status = FIRN_OK};
    memcpy(picks, self->picks, self->count * sizeof *picks);
    for (uint32_t i = 0; i < self->file_count; i++) {
        const pq_file_field from = pq_file_column(self->file, i);
        const type *wanted =
            number < OTHER_KINDS
                ? other_type(from.type, number, self->memory)
                : wider_type(from.type, (uint8_t)random_below(self, 3), self->memory);
        if (wanted == NULL || pq_pick_make(self->file, &from, wanted, PQ_MATCH_NAME, self->memory,
                                           &picks[i], &err) != FIRN_OK) {
            picks[i] = self->picks[i];
        }
    }
    const pq_reader_options options = {.owner = self->here->query, .codecs = &self->here->codecs};
    pq_reader *reader = open_reader(self, picks, self->count, &options);
    if (reader != NULL) {
        pq_reader_start(reader, 0, pq_file_row_group_count(self->file));
        read_all(reader, self->ids, self->count - 1, out);
    }
    pq_reader_close(reader);
}

// Where row groups may be cut: ascending rows.
static void check_page_starts(const run *self) {
    const pq_schema *schema = self->file->metadata->schema;
    for (uint32_t leaf = 0; leaf < schema->leaf_count && leaf < COLUMNS_MAX; leaf++) {
        for (uint32_t group = 0; group < pq_file_row_group_count(self->file) && group < 2;
             group++) {
            arena memory = arena_open(ARENA_LIMIT);
            pq_page_starts starts;
            firn_error err = ERR_INIT;
            if (schema->leaves[leaf].repetition_max == 0 &&
                pq_page_starts_read(self->file, group, leaf, NULL, &memory, &starts, &err) ==
                    FIRN_OK) {
                for (uint32_t i = 1; i < starts.count; i++) {
                    must(starts.rows[i] > starts.rows[i - 1]);
                }
            }
            arena_close(&memory);
        }
    }
}

// ---- Files -------------------------------------------------------------------------------------

// A number, or NULL: what tables have that the file lacks.
static pq_pick pick_constant(run *self) {
    static const int64_t number = 7;
    static const column value = {
        .type = TYPE_OF(BIGINT), .form = FORM_CONSTANT, .length = 1, .values = &number};
    pq_pick out = pq_pick_constant(&value);
    firn_error err = ERR_INIT;
    must(random_below(self, 3) > 0 ||
         pq_pick_null(value.type, self->memory, &out, &err) == FIRN_OK);
    return out;
}

static bool prepare(run *self) {
    const schema *columns = &self->file->types.columns;
    const uint32_t count = columns->count < COLUMNS_MAX ? columns->count : COLUMNS_MAX;
    firn_error err = ERR_INIT;
    self->picks = ARENA_NEW(self->memory, pq_pick, (size_t)count + 2);
    self->ids = ARENA_NEW(self->memory, uint32_t, (size_t)count + 2);
    must(self->picks != NULL && self->ids != NULL);
    for (uint32_t i = 0; i < count; i++) {
        const pq_file_field from = pq_file_column(self->file, i);
        self->ids[i] = 100 + i;
        if (pq_pick_make(self->file, &from, NULL, PQ_MATCH_NAME, self->memory, &self->picks[i],
                         &err) != FIRN_OK) {
            return false;
        }
    }
    self->picks[count] = pick_constant(self);
    self->ids[count] = 100 + count;
    self->picks[count + 1] = pq_pick_position();
    self->ids[count + 1] = 101 + count;
    self->file_count = count;
    self->count = count + 2;
    const pq_row_group_list *groups = &self->file->metadata->file.row_groups;
    for (size_t group = 0; group < groups->count; group++) {
        for (size_t i = 0; i < groups->items[group].columns.count; i++) {
            self->has_offsets = self->has_offsets || pq_column_chunk_has_offset_index_offset(
                                                         &groups->items[group].columns.items[i]);
        }
    }
    return count > 0;
}

static void check_file(run *self) {
    if (!prepare(self)) {
        return;
    }
    const reading *whole = read_whole(self, 0, false, NULL);
    check_whole(whole, read_whole(self, 1 + (uint32_t)random_below(self, 60), false, NULL));
    check_values(self, whole, read_whole(self, 0, true, NULL));
    for (int i = 0; i < 3; i++) { // What was decoded the second time is found the third time.
        check_whole(whole, read_whole(self, 0, false, self->here->cache));
    }
    check_values(self, whole, read_pieces(self, 1 + random_below(self, 300), false));
    check_values(self, whole, read_pieces(self, 1 + random_below(self, 30), true));
    for (int i = 0; i < 6; i++) {
        check_values(self, whole, read_filtered(self));
    }
    for (uint32_t at = 0; at + 1 < self->count && at < EQUAL_MAX; at++) {
        const reading *part = read_equal(self, at);
        if (part != NULL) {
            check_values(self, whole, part);
        }
    }
    for (uint32_t number = 0; number <= OTHER_KINDS; number++) {
        read_wider(self, number);
    }
    check_page_starts(self);
}

static void open_world(world *here) {
    firn_error err = ERR_INIT;
    must(io_open(&(io_options){.has_thread = false}, &here->io, &err) == FIRN_OK);
    must(pool_open_engine(POOL_LIMIT, &here->engine, &err) == FIRN_OK);
    const pool_options options = {.kind = POOL_QUERY, .name = "fuzz"};
    must(pool_open(here->engine, &options, &here->query, &err) == FIRN_OK);
    here->codecs = codec_scratch_open((size_t)64 << 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static world here;
    if (here.io == NULL) {
        open_world(&here);
    }
    firn_error err = ERR_INIT;
    // Of this input only: a leak is told by what the checker can reach, which is not what lies in a
    // block of the pool.
    must(block_cache_open(here.engine, &here.cache, &err) == FIRN_OK);
    arena memory = arena_open(ARENA_LIMIT);
    run self = {.here = &here, .memory = &memory, .seed = mix(size + 1, data, size) | 1};
    // What does not fit a window is read ahead, which only is done of what is far away.
    const uint32_t waits = size > WIDE_FILE ? 2 : (uint32_t)random_below(&self, 3);
    memory_input input = {.content = {.data = data, .size = size},
                          .waits = waits,
                          .seed = self.seed,
                          .is_remote = waits > 1};
    io_file *file = memory_input_open(&input, here.io, "fuzzed.parquet");
    file->identity.mtime_ns = ++here.input_count; // Another file for the cache.
    const pq_file_options options = {.types = {.binary_as_string = random_below(&self, 4) == 0,
                                               .int96_in_micros = random_below(&self, 2) == 0,
                                               .ignore_arrow_hint = random_below(&self, 4) == 0},
                                     .tail_size = random_below(&self, 2) == 0 ? 16 : 0};
    if (pq_file_open(file, &options, here.query, NULL, &self.file, &err) == FIRN_OK) {
        check_file(&self);
    }
    pq_file_release(self.file);
    must(input.tickets_moving == 0);
    io_file_release(file);
    block_cache_close(here.cache);
    arena_close(&memory);
    return 0;
}
