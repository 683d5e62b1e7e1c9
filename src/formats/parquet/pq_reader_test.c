// The reader as a whole, on files made here. What others wrote is read by tests/interop.
#include "formats/parquet/pq_reader.h"

#include <string.h>

#include "base/test.h"
#include "expr/expr.h"
#include "formats/parquet/pq_sample.h"
#include "io/fake_net.h"
#include "io/memory_input.h"

#define MEMORY_LIMIT ((size_t)256 << 20)
#define COLUMNS_MAX 4
#define ROW_COUNT 5000

// A file of a sample, and what a reader of it needs.
typedef struct scene {
    arena memory;
    io *io;
    pool *engine;
    pool *query;
    codec_scratch codecs;
    bytes content;
    memory_input input;
    io_file *source;
    pq_file *file;
    pq_pick picks[COLUMNS_MAX];
    uint32_t ids[COLUMNS_MAX];
    uint32_t count;
    pq_reader_options options;
    statement_context context;
    expr *conjuncts[COLUMNS_MAX];
    firn_error err;
} scene;

// What a reading gave: rows, and the sum of the first column's values weighted by their order.
typedef struct outcome {
    firn_status status;
    uint64_t rows;
    uint64_t sum;
    uint64_t nulls;
    uint64_t waits;
    pq_reader_counters counters;
} outcome;

static int64_t row_itself(uint64_t row) {
    return (int64_t)row;
}

static int64_t few_values(uint64_t row) {
    return row % 7 == 3 ? PQ_SAMPLE_NULL : (int64_t)(row / 100 % 11);
}

static int64_t mixed_values(uint64_t row) {
    return row % 5 == 0 ? PQ_SAMPLE_NULL : (int64_t)(row * 7919 % 1000);
}

// Four columns: numbers in order, numbers of few values, texts, texts of few values.
static const pq_sample_column four_columns[] = {
    {.name = "n", .type = PQ_INT64, .value = row_itself, .page_rows = 300},
    {.name = "few", .type = PQ_INT64, .value = few_values, .has_dictionary = true},
    {.name = "t", .type = PQ_BYTE_ARRAY, .value = mixed_values, .page_rows = 170},
    {.name = "word",
     .type = PQ_BYTE_ARRAY,
     .value = few_values,
     .has_dictionary = true,
     .page_rows = 1000},
};

static void scene_open(scene *self, bytes content, uint32_t waits) {
    *self =
        (scene){.memory = arena_open(MEMORY_LIMIT),
                .codecs = codec_scratch_open((size_t)16 << 20),
                .content = content,
                .input = {.content = content, .waits = waits, .seed = 7, .is_remote = waits > 1},
                .err = ERR_INIT};
    REQUIRE(io_open(&(io_options){.has_thread = false}, &self->io, &self->err) == FIRN_OK);
    REQUIRE(pool_open_engine(MEMORY_LIMIT, &self->engine, &self->err) == FIRN_OK);
    const pool_options options = {.kind = POOL_QUERY, .name = "test"};
    REQUIRE(pool_open(self->engine, &options, &self->query, &self->err) == FIRN_OK);
    self->options = (pq_reader_options){.owner = self->query, .codecs = &self->codecs};
    self->source = memory_input_open(&self->input, self->io, "made.parquet");
}

// Opens the file, with all of its columns picked; FIRN_OK or what opening said.
static firn_status scene_open_file(scene *self) {
    TRY(pq_file_open(self->source, &(pq_file_options){.tail_size = 0}, self->query, NULL,
                     &self->file, &self->err));
    self->count = self->file->types.columns.count;
    for (uint32_t i = 0; i < self->count; i++) {
        const pq_file_field from = pq_file_column(self->file, i);
        self->ids[i] = i;
        TRY(pq_pick_make(self->file, &from, NULL, PQ_MATCH_NAME, &self->memory, &self->picks[i],
                         &self->err));
    }
    return FIRN_OK;
}

static void scene_close(scene *self) {
    pq_file_release(self->file);
    io_file_release(self->source);
    CHECK(self->input.tickets_moving == 0);
    codec_scratch_close(&self->codecs);
    CHECK(pool_used(self->query) == 0);
    pool_close(self->query);
    pool_close(self->engine);
    io_close(self->io);
    arena_close(&self->memory);
}

static bytes make(arena *memory, const pq_sample_column *columns, uint32_t count,
                  uint64_t group_rows) {
    const pq_sample sample = {.columns = columns,
                              .column_count = count,
                              .row_count = ROW_COUNT,
                              .group_rows = group_rows};
    return pq_sample_make(&sample, memory);
}

WRAPS static void add_rows(const batch *rows, outcome *out) {
    arena memory = arena_open(MEMORY_LIMIT);
    firn_error err = ERR_INIT;
    for (uint32_t i = 0; i < rows->column_count; i++) {
        column flat;
        REQUIRE(column_flatten(&memory, &rows->columns[i], &flat, &err) == FIRN_OK);
        for (uint32_t k = 0; k < rows->selected_count; k++) {
            const uint32_t row = batch_row(rows, k);
            uint64_t value = 0;
            if (!column_is_valid(&flat, row)) {
                out->nulls += 1;
            } else if (flat.type->id == TYPE_BIGINT) {
                value = (uint64_t)COLUMN_VALUES(&flat, int64_t)[row];
            } else {
                const text shown = string_text(&COLUMN_VALUES(&flat, string_value)[row]);
                for (size_t at = 0; at < shown.size; at++) {
                    value = value * 31 + (uint8_t)shown.data[at];
                }
            }
            out->sum = out->sum * 3 + value + i;
        }
    }
    out->rows += rows->selected_count;
    arena_close(&memory);
}

static void read_rest(pq_reader *reader, outcome *out, firn_error *err) {
    pq_answer answer = PQ_READY;
    while (out->status == FIRN_OK && answer != PQ_END) {
        batch rows;
        out->status = pq_reader_next(reader, &rows, &answer, err);
        out->waits += answer == PQ_WAIT;
        if (out->status == FIRN_OK && answer == PQ_READY) {
            CHECK(rows.selected_count > 0);
            add_rows(&rows, out);
        }
    }
}

// Reads the whole file with the scene's options.
static outcome read_all(scene *self) {
    pq_reader *reader;
    outcome out = {.status = pq_reader_open(self->file, self->picks, self->count, &self->options,
                                            &reader, &self->err)};
    if (out.status == FIRN_OK) {
        pq_reader_start(reader, 0, pq_file_row_group_count(self->file));
        read_rest(reader, &out, &self->err);
        out.counters = pq_reader_count(reader);
    }
    pq_reader_close(reader);
    return out;
}

static void set_conjunct(scene *self, expr *conjunct, const dynamic_filters *dynamic) {
    self->conjuncts[0] = conjunct;
    self->options.filter = (pq_filter_options){.conjuncts = {.count = 1, .items = self->conjuncts},
                                               .ids = self->ids,
                                               .context = &self->context,
                                               .dynamic = dynamic};
}

// Asks for rows where a column is one value; of texts it is its digits.
static void set_filter(scene *self, uint32_t at, int64_t value) {
    column *made = ARENA_NEW(&self->memory, column, 1);
    const type *kind = self->picks[at].type;
    expr *test = expr_new(&self->memory, EXPR_IN, TYPE_OF(BOOLEAN));
    REQUIRE(made != NULL && test != NULL);
    REQUIRE(column_new(&self->memory, kind, 1, made, &self->err) == FIRN_OK);
    if (kind->id == TYPE_VARCHAR) {
        char *digits = ARENA_NEW(&self->memory, char, 24);
        (void)snprintf(digits, 24, "%lld", (long long)value);
        *COLUMN_OUT(made, string_value) = string_of(digits, (uint32_t)strlen(digits));
    } else {
        *COLUMN_OUT(made, int64_t) = value;
    }
    test->in_.arg = expr_column(&self->memory, at, TEXT("c"), kind);
    test->in_.values = made;
    set_conjunct(self, test, NULL);
}

// Asks the dynamic filter in slot 0 about the first column.
static void set_dynamic(scene *self, const dynamic_filters *filters) {
    expr *test = expr_new(&self->memory, EXPR_DYNAMIC, TYPE_OF(BOOLEAN));
    expr **key = ARENA_NEW(&self->memory, expr *, 1);
    REQUIRE(test != NULL && key != NULL);
    *key = expr_column(&self->memory, 0, TEXT("n"), self->picks[0].type);
    test->dynamic_.args = (expr_list){.count = 1, .items = key};
    set_conjunct(self, test, filters);
}

// ---- Rows --------------------------------------------------------------------------------------

static uint64_t count_rows(int64_t (*value)(uint64_t row), int64_t from, int64_t to) {
    uint64_t count = 0;
    for (uint64_t row = 0; row < ROW_COUNT; row++) {
        const int64_t at = value(row);
        count += at != PQ_SAMPLE_NULL && at >= from && at <= to;
    }
    return count;
}

TEST(pq_reader_reads_what_was_written) {
    const pq_codec codecs[] = {PQ_CODEC_UNCOMPRESSED, PQ_CODEC_SNAPPY};
    const uint64_t group_rows[] = {0, 1300, 64};
    outcome first = {.rows = 0};
    for (size_t i = 0; i < 6; i++) {
        arena memory = arena_open(MEMORY_LIMIT);
        pq_sample_column columns[4];
        for (size_t k = 0; k < 4; k++) {
            columns[k] = four_columns[k];
            columns[k].codec = codecs[i % 2];
            columns[k].has_index = i > 3;
        }
        scene s;
        scene_open(&s, make(&memory, columns, 4, group_rows[i / 2]), 0);
        REQUIRE(scene_open_file(&s) == FIRN_OK);
        s.options.batch_rows = ROW_COUNT; // The sum goes by columns: batches must be the same.
        uint64_t rows = 0;
        uint64_t nulls = 0;
        const outcome out = read_all(&s);
        for (uint64_t row = 0; row < ROW_COUNT; row++) {
            rows += 1;
            nulls += few_values(row) == PQ_SAMPLE_NULL ? 2 : 0;
            nulls += mixed_values(row) == PQ_SAMPLE_NULL ? 1 : 0;
        }
        CHECK(out.status == FIRN_OK && out.rows == rows && out.nulls == nulls);
        first = i % 2 == 0 ? out : first;
        CHECK(out.sum == first.sum);
        scene_close(&s);
        arena_close(&memory);
    }
}

TEST(pq_reader_gives_the_same_when_its_bytes_are_late) {
    arena memory = arena_open(MEMORY_LIMIT);
    pq_sample_column columns[4];
    for (size_t k = 0; k < 4; k++) {
        columns[k] = four_columns[k];
        columns[k].has_statistics = true;
        columns[k].has_index = true;
        columns[k].has_bloom = true;
    }
    const bytes content = make(&memory, columns, 4, 1300);
    outcome expected = {.rows = 0};
    for (uint32_t waits = 0; waits < 4; waits++) {
        for (uint32_t filter = 0; filter < 2; filter++) {
            scene s;
            scene_open(&s, content, waits);
            REQUIRE(scene_open_file(&s) == FIRN_OK);
            if (filter == 1) {
                set_filter(&s, 2, 38);
            }
            const outcome out = read_all(&s);
            CHECK(out.status == FIRN_OK);
            CHECK(out.rows == (filter == 0 ? ROW_COUNT : count_rows(mixed_values, 38, 38)));
            CHECK((out.waits > 0) == (waits > 0));
            if (filter == 0) {
                expected = waits == 0 ? out : expected;
                CHECK(out.sum == expected.sum);
            }
            scene_close(&s);
        }
    }
    arena_close(&memory);
}

// Reads a file five times with a cache of `limit` bytes; how many readings asked for no byte.
static void read_with_cache(bytes content, uint32_t waits, bool has_filter, uint64_t limit,
                            uint32_t *without_reading) {
    scene s;
    scene_open(&s, content, waits);
    s.source->identity.mtime_ns = 7; // Else it might be another file every time.
    pool_limit_set(s.engine, limit);
    REQUIRE(block_cache_open(s.engine, &s.options.cache, &s.err) == FIRN_OK);
    REQUIRE(scene_open_file(&s) == FIRN_OK);
    if (has_filter) {
        set_filter(&s, 1, 4);
    }
    outcome first = {.rows = 0};
    *without_reading = 0;
    for (uint32_t reading = 0; reading < 5; reading++) {
        const uint64_t before = s.input.bytes_asked;
        s.options.cache_query = block_cache_query(s.options.cache);
        const outcome out = read_all(&s);
        CHECK(out.status == FIRN_OK);
        first = reading == 0 ? out : first;
        CHECK(out.rows == first.rows && out.sum == first.sum && out.nulls == first.nulls);
        CHECK(reading > 1 || s.input.bytes_asked > before);
        const bool has_read = s.input.bytes_asked > before;
        *without_reading += !has_read;
        CHECK(reading > 1 || out.counters.pages_cached == 0);
        CHECK(has_read || out.counters.pages_cached == out.counters.pages);
    }
    const block_cache_report report = block_cache_describe(s.options.cache);
    CHECK(report.used_bytes < limit);
    block_cache_close(s.options.cache);
    scene_close(&s);
}

TEST(pq_reader_finds_pages_in_the_cache_from_the_third_reading_on) {
    const pq_codec codecs[] = {PQ_CODEC_UNCOMPRESSED, PQ_CODEC_SNAPPY};
    for (size_t i = 0; i < 4; i++) {
        arena memory = arena_open(MEMORY_LIMIT);
        pq_sample_column columns[4];
        for (size_t k = 0; k < 4; k++) {
            columns[k] = four_columns[k];
            columns[k].codec = codecs[i / 2];
            columns[k].has_index = i % 2 == 1;
        }
        const bytes content = make(&memory, columns, 4, 1300);
        uint32_t without_reading;
        read_with_cache(content, 0, false, MEMORY_LIMIT, &without_reading);
        CHECK(without_reading == 3);
        read_with_cache(content, 3, false, MEMORY_LIMIT, &without_reading);
        CHECK(without_reading == 3);
        // Pages that a filter skips are not kept, and a small limit keeps few.
        read_with_cache(content, 2, true, MEMORY_LIMIT, &without_reading);
        read_with_cache(content, 0, false, (uint64_t)2 << 20, &without_reading);
        arena_close(&memory);
    }
}

// Reads all with a cache, as the next query.
static firn_status read_as_query(scene *self) {
    self->options.cache_query = block_cache_query(self->options.cache);
    return read_all(self).status;
}

TEST(pq_reader_believes_no_footer_that_lays_chunks_over_what_the_cache_has) {
    for (int is_short = 0; is_short < 2; is_short++) {
        arena memory = arena_open(MEMORY_LIMIT);
        scene s;
        scene_open(&s, make(&memory, four_columns, 4, 0), 0);
        s.source->identity.mtime_ns = 7;
        REQUIRE(block_cache_open(s.engine, &s.options.cache, &s.err) == FIRN_OK);
        REQUIRE(scene_open_file(&s) == FIRN_OK);
        for (int i = 0; i < 3; i++) {
            CHECK(read_as_query(&s) == FIRN_OK);
        }
        // The first chunk ends within its first page, or goes on over the next one's dictionary.
        pq_row_group *group = &s.file->metadata->file.row_groups.items[0];
        pq_column_metadata *first = &group->columns.items[0].metadata;
        first->compressed_size = is_short == 1 ? 100 : first->compressed_size + 200;
        first->value_count += 100;
        group->row_count += 100;
        s.count = 1;
        CHECK(read_as_query(&s) == FIRN_CORRUPT);
        CHECK(strstr(s.err.text,
                     is_short == 1 ? "its column chunk has 80" : "dictionary page behind") != NULL);
        block_cache_close(s.options.cache);
        scene_close(&s);
        arena_close(&memory);
    }
}

TEST(pq_reader_passes_on_the_failure_of_any_read) {
    arena memory = arena_open(MEMORY_LIMIT);
    pq_sample_column columns[4];
    for (size_t k = 0; k < 4; k++) {
        columns[k] = four_columns[k];
        columns[k].codec = PQ_CODEC_SNAPPY;
        columns[k].has_index = true;
        columns[k].has_bloom = true;
    }
    const bytes content = make(&memory, columns, 4, 1300);
    uint64_t fails_at = 1;
    for (bool has_failed = true; has_failed; fails_at++) {
        scene s;
        scene_open(&s, content, 1);
        s.input.fails_at = fails_at;
        firn_status status = scene_open_file(&s);
        if (status == FIRN_OK) {
            set_filter(&s, 0, 2000);
            s.options.deletes = (pq_deletes){.find = NULL};
            status = read_all(&s).status;
        }
        has_failed = status != FIRN_OK;
        CHECK(!has_failed || status == FIRN_IO);
        CHECK(!has_failed || strstr(s.err.text, "made.parquet") != NULL);
        scene_close(&s);
    }
    CHECK(fails_at > 8);
    arena_close(&memory);
}

TEST(pq_reader_reads_a_row_group_in_pieces) {
    arena memory = arena_open(MEMORY_LIMIT);
    pq_sample_column columns[4];
    for (size_t with_index = 0; with_index < 2; with_index++) {
        for (size_t k = 0; k < 4; k++) {
            columns[k] = four_columns[k];
            columns[k].has_index = with_index == 1;
        }
        scene s;
        scene_open(&s, make(&memory, columns, 4, 0), 1);
        REQUIRE(scene_open_file(&s) == FIRN_OK);
        pq_reader *reader;
        REQUIRE(pq_reader_open(s.file, s.picks, s.count, &s.options, &reader, &s.err) == FIRN_OK);
        outcome out = {.rows = 0};
        const uint64_t bytes_before = s.input.bytes_asked;
        for (uint64_t at = 0; at < ROW_COUNT && out.status == FIRN_OK; at += 700) {
            const uint64_t before = out.rows;
            pq_reader_start_rows(reader, 0, at, at + 700);
            read_rest(reader, &out, &s.err);
            CHECK(out.rows - before == (at + 700 < ROW_COUNT ? 700 : ROW_COUNT - at));
        }
        CHECK(out.status == FIRN_OK && out.rows == ROW_COUNT);
        // One went on where the other ended, so that no byte was asked for twice.
        CHECK(s.input.bytes_asked - bytes_before < s.content.size + 4096);
        // Backwards each piece is begun anew; between them some rows are left out.
        for (uint64_t at = 4200; at >= 1400 && out.status == FIRN_OK; at -= 1400) {
            const uint64_t before = out.rows;
            pq_reader_start_rows(reader, 0, at, at + 100);
            read_rest(reader, &out, &s.err);
            pq_reader_start_rows(reader, 0, at + 650, at + 700);
            read_rest(reader, &out, &s.err);
            CHECK(out.rows - before == 150);
        }
        // One that was left in the middle does not go on.
        batch rows;
        pq_answer answer = PQ_WAIT;
        pq_reader_start_rows(reader, 0, 0, 700);
        while (answer == PQ_WAIT) {
            REQUIRE(pq_reader_next(reader, &rows, &answer, &s.err) == FIRN_OK);
        }
        const uint64_t before = out.rows;
        pq_reader_start_rows(reader, 0, 700, 1400);
        read_rest(reader, &out, &s.err);
        CHECK(out.status == FIRN_OK && out.rows - before == 700);
        pq_reader_close(reader);
        scene_close(&s);
    }
    arena_close(&memory);
}

// ---- What need not be read ---------------------------------------------------------------------

TEST(pq_reader_leaves_out_what_indexes_rule_out) {
    // What the column that is asked has, what is asked, and what that leaves out of 4 row groups.
    static const struct {
        bool has_statistics, has_index, has_bloom;
        int64_t value;
        uint64_t by_statistics, by_bloom, pages;
    } cases[] = {
        {false, false, false, 2000, 0, 0, 0}, // Nothing is known.
        {true, false, false, 2000, 3, 0, 0},  // The second row group may have it.
        {true, true, true, -1, 4, 0, 0},
        {false, true, false, 2000, 0, 0, 18}, // Of 19 pages of 300 rows.
        {true, true, false, 4900, 3, 0, 3},
        {false, false, true, 2000, 0, 3, 0},
        {false, true, true, 2000, 0, 3, 4},
        {false, false, true, 70000, 0, 4, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arena memory = arena_open(MEMORY_LIMIT);
        const pq_sample_column columns[] = {{.name = "n",
                                             .type = PQ_INT64,
                                             .value = row_itself,
                                             .page_rows = 300,
                                             .has_statistics = cases[i].has_statistics,
                                             .has_index = cases[i].has_index,
                                             .has_bloom = cases[i].has_bloom}};
        scene s;
        scene_open(&s, make(&memory, columns, 1, 1300), 0);
        REQUIRE(scene_open_file(&s) == FIRN_OK);
        set_filter(&s, 0, cases[i].value);
        const outcome out = read_all(&s);
        CHECK(out.status == FIRN_OK);
        CHECK(out.counters.pruned_statistics == cases[i].by_statistics);
        CHECK(out.counters.pruned_bloom == cases[i].by_bloom);
        CHECK(out.counters.pages_pruned == cases[i].pages);
        scene_close(&s);
        arena_close(&memory);
    }
}

static int64_t even_words(uint64_t row) {
    return (int64_t)(row % 20) * 2 + (row < 1300 ? 0 : 100);
}

TEST(pq_reader_leaves_out_row_groups_by_their_dictionaries) {
    arena memory = arena_open(MEMORY_LIMIT);
    const pq_sample_column columns[] = {
        {.name = "w", .type = PQ_BYTE_ARRAY, .value = even_words, .has_dictionary = true}};
    scene s;
    scene_open(&s, make(&memory, columns, 1, 1300), 0);
    REQUIRE(scene_open_file(&s) == FIRN_OK);
    set_filter(&s, 0, 138);
    const outcome out = read_all(&s);
    CHECK(out.status == FIRN_OK && out.rows == count_rows(even_words, 138, 138));
    CHECK(out.counters.pruned_dictionary == 1); // Of 4: the first has smaller numbers only.
    scene_close(&s);
    arena_close(&memory);
}

// ---- Dynamic filters ---------------------------------------------------------------------------

static const column *number_column(scene *self, int64_t value) {
    column *made = ARENA_NEW(&self->memory, column, 1);
    if (made == NULL ||
        column_new(&self->memory, TYPE_OF(BIGINT), 1, made, &self->err) != FIRN_OK) {
        return NULL;
    }
    *COLUMN_OUT(made, int64_t) = value;
    return made;
}

TEST(pq_reader_applies_what_a_dynamic_filter_learned) {
    arena memory = arena_open(MEMORY_LIMIT);
    pq_sample_column columns[4];
    memcpy(columns, four_columns, sizeof columns);
    columns[0].has_statistics = true;
    columns[0].has_index = true;
    scene s;
    scene_open(&s, make(&memory, columns, 4, 1300), 1);
    REQUIRE(scene_open_file(&s) == FIRN_OK);
    dynamic_filter slot = {.content = NULL};
    const dynamic_filters filters = {.count = 1, .slots = &slot};
    set_dynamic(&s, &filters);
    outcome out = read_all(&s); // Nothing is published: everything passes.
    CHECK(out.status == FIRN_OK && out.rows == ROW_COUNT && out.counters.pruned_statistics == 0);

    const column *low = number_column(&s, 2700);
    const column *high = number_column(&s, 2709);
    const uint64_t bits[] = {0x155}; // 2700, 2702 ... 2708.
    const dynamic_content range = {.key_count = 1, .minimum = &low, .maximum = &high};
    const dynamic_content some = {.key_count = 1,
                                  .minimum = &low,
                                  .maximum = &high,
                                  .bitmap = bits,
                                  .bitmap_first = 2700,
                                  .bitmap_bits = 10};
    const dynamic_content none = {.key_count = 1, .is_empty = true};
    atomic_store(&slot.content, &range);
    out = read_all(&s);
    CHECK(out.status == FIRN_OK && out.rows == 10 && out.counters.pruned_dynamic == 3);
    CHECK(out.counters.pages_pruned == 4);
    atomic_store(&slot.content, &some);
    out = read_all(&s);
    CHECK(out.status == FIRN_OK && out.rows == 5);
    atomic_store(&slot.content, &none);
    out = read_all(&s);
    CHECK(out.status == FIRN_OK && out.rows == 0 && out.counters.row_groups == 0);
    scene_close(&s);
    arena_close(&memory);
}

TEST(pq_reader_takes_a_dynamic_filter_that_comes_while_it_reads) {
    arena memory = arena_open(MEMORY_LIMIT);
    scene s;
    scene_open(&s, make(&memory, four_columns, 4, 0), 0);
    s.options.batch_rows = 30;
    REQUIRE(scene_open_file(&s) == FIRN_OK);
    dynamic_filter slot = {.content = NULL};
    const dynamic_filters filters = {.count = 1, .slots = &slot};
    set_dynamic(&s, &filters);
    pq_reader *reader;
    REQUIRE(pq_reader_open(s.file, s.picks, s.count, &s.options, &reader, &s.err) == FIRN_OK);
    pq_reader_start(reader, 0, 1);
    batch rows;
    pq_answer answer;
    outcome out = {.rows = 0};
    REQUIRE(pq_reader_next(reader, &rows, &answer, &s.err) == FIRN_OK && answer == PQ_READY);
    const uint32_t first = rows.selected_count;
    const column *low = number_column(&s, 4990);
    const dynamic_content above = {.key_count = 1, .minimum = &low};
    atomic_store(&slot.content, &above);
    read_rest(reader, &out, &s.err);
    // A filter that dropped nothing is asked again after some batches only.
    CHECK(first > 0 && out.status == FIRN_OK && out.rows >= 10 && out.rows < ROW_COUNT / 2);
    pq_reader_close(reader);
    scene_close(&s);
    arena_close(&memory);
}

// ---- Far away ----------------------------------------------------------------------------------

TEST(pq_reader_asks_a_server_for_what_it_needs) {
    for (int has_thread = 0; has_thread < 2; has_thread++) {
        arena memory = arena_open(MEMORY_LIMIT);
        pq_sample_column columns[4];
        for (size_t k = 0; k < 4; k++) {
            columns[k] = four_columns[k];
            columns[k].has_statistics = true;
            columns[k].page_rows = 0;
        }
        fake_net net;
        fake_object object = {.content = make(&memory, columns, 4, 1300), .etag = "\"1\""};
        fake_net_begin(&net, fake_object_script, &object);
        scene s;
        scene_open(&s, object.content, 0);
        io_file_release(s.source);
        io_close(s.io);
        const io_options options = {.has_thread = has_thread == 1, .net = fake_net_module()};
        const io_open_options defaults = {.has_size = false};
        REQUIRE(io_open(&options, &s.io, &s.err) == FIRN_OK);
        REQUIRE(io_file_open(s.io, TEXT("http://server/far.parquet"), &defaults, &s.source,
                             &s.err) == FIRN_OK);
        REQUIRE(scene_open_file(&s) == FIRN_OK);
        s.count = 1;
        set_filter(&s, 0, 2000);
        pq_reader *reader;
        REQUIRE(pq_reader_open(s.file, s.picks, s.count, &s.options, &reader, &s.err) == FIRN_OK);
        pq_reader_start(reader, 0, 4);
        pq_answer answer = PQ_WAIT;
        batch rows;
        while (answer == PQ_WAIT) {
            REQUIRE(pq_reader_next(reader, &rows, &answer, &s.err) == FIRN_OK);
            REQUIRE(pq_reader_wait(reader, &s.err) == FIRN_OK);
        }
        CHECK(answer == PQ_READY && rows.selected_count == 1);
        CHECK(COLUMN_VALUES(&rows.columns[0], int64_t)[batch_row(&rows, 0)] == 2000);
        // The footer, and one chunk of the row group that is left.
        CHECK(net.request_count == 2);
        pq_reader_close(reader);
        scene_close(&s);
        fake_net_end(&net);
        arena_close(&memory);
    }
}

// ---- Errors ------------------------------------------------------------------------------------

// Overwrites the page of a column that begins behind `before` of its first bytes.
static void damage_chunk(scene *self, uint8_t *content, uint32_t group, uint32_t leaf) {
    const pq_chunk_range place = pq_chunk_place(self->file->metadata, group, leaf);
    memset(content + place.offset + place.size / 2, 0xff, 24);
}

TEST(pq_reader_names_the_column_whose_page_is_damaged) {
    for (uint32_t leaf = 0; leaf < 4; leaf++) {
        for (uint32_t group = 0; group < 4; group += 3) {
            arena memory = arena_open(MEMORY_LIMIT);
            pq_sample_column columns[4];
            for (size_t k = 0; k < 4; k++) {
                columns[k] = four_columns[k];
                columns[k].codec = PQ_CODEC_SNAPPY;
                columns[k].page_rows = 0;
            }
            const bytes content = make(&memory, columns, 4, 1300);
            scene s;
            scene_open(&s, content, 0);
            REQUIRE(scene_open_file(&s) == FIRN_OK);
            damage_chunk(&s, (uint8_t *)(uintptr_t)content.data, group, leaf);
            const outcome out = read_all(&s);
            char wanted[100];
            (void)snprintf(wanted, sizeof wanted, "reading column \"%s\" of row group %u",
                           columns[leaf].name, group);
            CHECK(out.status == FIRN_CORRUPT);
            CHECK(strstr(s.err.text, wanted) != NULL);
            CHECK(strstr(s.err.text, "reading made.parquet") != NULL);
            scene_close(&s);
            arena_close(&memory);
        }
    }
}
