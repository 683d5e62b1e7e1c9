// What a chunk says about its values is compared with the values, one by one; that its pages can be
// read is in pw_file_test.c.
#include "formats/parquet/write/pw_chunk.h"

#include "formats/parquet/pq_bloom.h"
#include "formats/parquet/write/pw_sample.h"

#define MEMORY_LIMIT ((uint64_t)512 << 20)
#define LEAVES_MAX 64
#define RANDOM_CHUNKS 1200

// An entry that was put.
typedef struct put_entry {
    bool is_value;
    bool begins_row;
    bool is_nan;
    bytes stored;
} put_entry;

typedef struct put_leaf {
    uint32_t count;
    uint32_t capacity;
    put_entry *entries;
} put_leaf;

typedef struct scene {
    arena memory;
    pool *engine;
    pool *query;
    pw_worker worker;
    pw_options options;
    const pw_schema *schema;
    pw_chunk *chunks[LEAVES_MAX];
    put_leaf leaves[LEAVES_MAX];
    firn_error err;
} scene;

static void scene_open(scene *self) {
    *self = (scene){.memory = arena_open(MEMORY_LIMIT), .err = ERR_INIT};
    self->options = pw_options_default();
    const pool_options options = {.kind = POOL_QUERY, .name = "test"};
    pw_must(pool_open_engine(MEMORY_LIMIT, &self->engine, &self->err) == FIRN_OK);
    pw_must(pool_open(self->engine, &options, &self->query, &self->err) == FIRN_OK);
    self->worker = pw_worker_open(self->query, NULL);
}

static void open_chunks(scene *self, const schema *columns) {
    pw_must(pw_schema_make(columns, &self->memory, &self->schema, &self->err) == FIRN_OK);
    const uint32_t count = (uint32_t)self->schema->tree->leaf_count;
    pw_must(count <= LEAVES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        pw_must(pw_chunk_open(self->schema, &self->options, i, self->query, &self->chunks[i],
                              &self->err) == FIRN_OK);
    }
}

static void scene_close(scene *self) {
    for (uint32_t i = 0; i < LEAVES_MAX; i++) {
        pw_chunk_close(self->chunks[i]);
    }
    pw_worker_close(&self->worker);
    CHECK(pool_used(self->query) == 0);
    pool_close(self->query);
    pool_close(self->engine);
    arena_close(&self->memory);
}

// ---- What is put -------------------------------------------------------------------------------

// The status of what cannot fail but by a mistake of the test.
static void must(const scene *self, firn_status status) {
    if (status != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", self->err.text);
        abort();
    }
}

static bool is_nan(const pq_leaf *leaf, bytes value) {
    uint64_t bits = 0;
    memcpy(&bits, value.data, value.size < 8 ? value.size : 8);
    switch ((int)pq_order_of(leaf)) {
    case PQ_ORDER_FLOAT16:
        return (bits & 0x7fff) > 0x7c00;
    case PQ_ORDER_FLOAT:
        return leaf->type == PQ_FLOAT ? (bits & INT32_MAX) > 0x7f800000
                                      : (bits & INT64_MAX) > UINT64_C(0x7ff0000000000000);
    default:
        return false;
    }
}

static void keep(scene *self, uint32_t leaf, const pw_entries *entries) {
    put_leaf *to = &self->leaves[leaf];
    const pq_leaf *of = &self->schema->tree->leaves[leaf];
    column flat;
    pw_values values;
    pw_must(column_flatten(&self->memory, entries->values, &flat, &self->err) == FIRN_OK);
    must(self, pw_store(of, &flat, entries->rows, entries->value_count, &self->memory, &values,
                        &self->err));
    const size_t size = pw_values_size(values.type, values.width);
    uint32_t next = 0;
    for (uint32_t i = 0; i < entries->entry_count; i++) {
        if (to->count == to->capacity) {
            put_entry *grown = pw_take(&self->memory, to->capacity * 2 + 1024, sizeof *grown);
            if (to->count > 0) {
                memcpy(grown, to->entries, to->count * sizeof *grown);
            }
            to->entries = grown;
            to->capacity = to->capacity * 2 + 1024;
        }
        put_entry *entry = &to->entries[to->count++];
        entry->begins_row = entries->repetitions == NULL || entries->repetitions[i] == 0;
        entry->is_value =
            entries->definitions == NULL || entries->definitions[i] == of->definition_max;
        if (!entry->is_value) {
            continue;
        }
        if (of->type == PQ_BYTE_ARRAY) {
            const string_value *value = &values.strings[next];
            entry->stored =
                (bytes){.data = (const uint8_t *)string_data(value), .size = value->size};
        } else if (of->type == PQ_BOOLEAN) {
            uint8_t *bit = pw_take(&self->memory, 1, 1);
            *bit = bitmap_get(values.bits, next);
            entry->stored = (bytes){.data = bit, .size = 1};
        } else {
            entry->stored = (bytes){.data = values.fixed + next * size, .size = size};
        }
        entry->is_nan = is_nan(of, entry->stored);
        next++;
    }
}

static firn_status put_rows(scene *self, const batch *rows) {
    for (uint32_t c = 0; c < rows->column_count; c++) {
        const pq_node *node = &self->schema->tree->root.children[c];
        pw_entries entries[LEAVES_MAX];
        TRY(pw_shred(self->schema, c, rows, &self->memory, entries, &self->err));
        for (uint32_t i = 0; i < node->leaf_count; i++) {
            const uint32_t leaf = node->first_leaf + i;
            keep(self, leaf, &entries[i]);
            TRY(pw_chunk_put(self->chunks[leaf], &entries[i], &self->worker, &self->err));
        }
    }
    return FIRN_OK;
}

// ---- What a chunk says -------------------------------------------------------------------------

// Of some of the entries.
typedef struct said {
    const pq_leaf *leaf;
    const put_entry *entries;
    uint32_t count;
    const pq_bounds *bounds;
    bool is_whole; // Nothing was shortened: bounds are values.
} said;

static bool are_bounds_true(const said *self) {
    bool is_true = true;
    bool has_low = false;
    bool has_high = false;
    bool has_value = false;
    for (uint32_t i = 0; i < self->count; i++) {
        const put_entry *entry = &self->entries[i];
        if (!entry->is_value || entry->is_nan) {
            continue;
        }
        has_value = true;
        if (self->bounds->has_minimum) {
            const int order =
                pw_statistics_compare(self->leaf, self->bounds->minimum, entry->stored);
            is_true = is_true && order <= 0;
            has_low = has_low || order == 0;
        }
        if (self->bounds->has_maximum) {
            const int order =
                pw_statistics_compare(self->leaf, self->bounds->maximum, entry->stored);
            is_true = is_true && order >= 0;
            has_high = has_high || order == 0;
        }
    }
    const bool has_order = pq_order_of(self->leaf) != PQ_ORDER_NONE;
    if (self->is_whole) {
        is_true = is_true && self->bounds->has_minimum == (has_value && has_order) &&
                  self->bounds->has_maximum == (has_value && has_order);
        is_true = is_true && has_low == self->bounds->has_minimum &&
                  has_high == self->bounds->has_maximum;
    }
    return is_true && (!self->bounds->minimum_is_exact || !self->bounds->has_minimum || has_low) &&
           (!self->bounds->maximum_is_exact || !self->bounds->has_maximum || has_high);
}

static uint32_t size_max(const put_leaf *put) {
    size_t most = 0;
    for (uint32_t i = 0; i < put->count; i++) {
        most = put->entries[i].stored.size > most ? put->entries[i].stored.size : most;
    }
    return (uint32_t)most;
}

// The entries of the next rows.
static uint32_t entries_of_rows(const put_leaf *put, uint32_t from, uint32_t row_count) {
    uint32_t rows = 0;
    uint32_t at = from;
    while (at < put->count && (rows < row_count || !put->entries[at].begins_row)) {
        rows += put->entries[at].begins_row;
        at++;
    }
    return rows == row_count ? at - from : UINT32_MAX;
}

static bool is_order_true(const pq_leaf *leaf, const pq_column_index *index) {
    const bool ascends = index->boundary_order == PQ_BOUNDARY_ASCENDING;
    size_t before = SIZE_MAX;
    for (size_t i = 0; i < index->null_pages.count; i++) {
        if (index->null_pages.items[i] || index->boundary_order == PQ_BOUNDARY_UNORDERED) {
            continue;
        }
        if (before != SIZE_MAX) {
            const bytes *low = index->min_values.items;
            const bytes *high = index->max_values.items;
            const int lows = pw_statistics_compare(leaf, low[before], low[i]);
            const int highs = pw_statistics_compare(leaf, high[before], high[i]);
            if (ascends ? lows > 0 || highs > 0 : lows < 0 || highs < 0) {
                return false;
            }
        }
        before = i;
    }
    return true;
}

static bool is_index_true(scene *self, uint32_t leaf, const pw_chunk_result *result) {
    const pq_leaf *of = &self->schema->tree->leaves[leaf];
    const put_leaf *put = &self->leaves[leaf];
    const bool has_index = result->column_index.size > 0;
    pq_column_index index = {.null_pages.count = 0};
    if (has_index && pq_column_index_read(result->column_index, result->page_count, &self->memory,
                                          &index, &self->err) != FIRN_OK) {
        return false;
    }
    bool is_true = !has_index || is_order_true(of, &index);
    const bool is_whole = self->options.leaf.bound_bytes >= size_max(put);
    uint32_t at = 0;
    for (uint32_t page = 0; page < result->page_count && is_true; page++) {
        const uint32_t count = entries_of_rows(put, at, result->pages[page].row_count);
        if (count == UINT32_MAX || count == 0) {
            return false;
        }
        uint32_t nulls = 0;
        for (uint32_t i = 0; i < count; i++) {
            nulls += !put->entries[at + i].is_value;
        }
        if (has_index) {
            const bool is_null = index.null_pages.items[page];
            const pq_bounds bounds = {.has_minimum = !is_null,
                                      .has_maximum = !is_null,
                                      .minimum = index.min_values.items[page],
                                      .maximum = index.max_values.items[page]};
            const said one = {.leaf = of,
                              .entries = put->entries + at,
                              .count = count,
                              .bounds = &bounds,
                              .is_whole = is_whole};
            is_true = is_null == (nulls == count) && are_bounds_true(&one) &&
                      index.null_counts.items[page] == nulls;
        }
        at += count;
    }
    return is_true && at == put->count;
}

static bool is_bloom_true(const scene *self, uint32_t leaf, const pw_chunk_result *result) {
    const put_leaf *put = &self->leaves[leaf];
    const pq_bloom bloom = {.bitset = result->bloom};
    bool is_true = true;
    for (uint32_t i = 0; i < put->count && is_true && result->bloom.size > 0; i++) {
        is_true = !put->entries[i].is_value ||
                  pq_bloom_may_contain(&bloom, pq_bloom_hash_of(put->entries[i].stored));
    }
    const bool can = self->schema->tree->leaves[leaf].type != PQ_BOOLEAN;
    return is_true && (result->bloom.size > 0) == (can && self->options.leaf.has_bloom) &&
           result->bloom.size <= self->options.bloom_bytes_max;
}

static bool are_counts_true(const scene *self, uint32_t leaf, const pw_chunk_result *result) {
    const put_leaf *put = &self->leaves[leaf];
    const pw_statistics_mode mode = self->options.leaf.statistics;
    uint64_t nulls = 0;
    uint64_t nans = 0;
    uint64_t size = result->dictionary_page.size;
    uint32_t pages = 0;
    for (uint32_t i = 0; i < put->count; i++) {
        nulls += !put->entries[i].is_value;
        nans += put->entries[i].is_nan;
    }
    for (uint32_t i = 0; i < result->page_count; i++) {
        size += result->pages[i].content.size;
        if (result->pages[i].row_count > self->options.page_rows) {
            return false;
        }
    }
    for (uint32_t i = 0; i < PW_ENCODING_COUNT; i++) {
        pages += result->pages_of[i];
    }
    // A dictionary page is there exactly where codes are, and not for NULLs alone.
    const bool has_codes = result->pages_of[PQ_ENCODING_RLE_DICTIONARY] > 0;
    return result->entry_count == put->count && result->null_count == nulls &&
           result->size == size && pages == result->page_count &&
           has_codes == (result->dictionary_page.size > 0) &&
           (nulls < put->count || result->pages_of[PQ_ENCODING_PLAIN] == pages) &&
           result->bounds.has_null_count == (mode != PW_STATISTICS_NONE) &&
           (mode == PW_STATISTICS_NONE ||
            (result->bounds.null_count == nulls && result->bounds.nan_count == nans)) &&
           (mode == PW_STATISTICS_BOUNDS ||
            (!result->bounds.has_minimum && !result->bounds.has_maximum));
}

static bool is_chunk_true(scene *self, uint32_t leaf, const pw_chunk_result *result) {
    const put_leaf *put = &self->leaves[leaf];
    const said whole = {.leaf = &self->schema->tree->leaves[leaf],
                        .entries = put->entries,
                        .count = put->count,
                        .bounds = &result->bounds,
                        .is_whole = self->options.leaf.statistics == PW_STATISTICS_BOUNDS &&
                                    self->options.leaf.bound_bytes >= size_max(put)};
    return are_counts_true(self, leaf, result) && are_bounds_true(&whole) &&
           is_index_true(self, leaf, result) && is_bloom_true(self, leaf, result);
}

static bool finish_chunks(scene *self) {
    bool is_true = true;
    for (uint32_t i = 0; i < self->schema->tree->leaf_count && is_true; i++) {
        const pw_chunk_result *result;
        is_true = pw_chunk_finish(self->chunks[i], &self->worker, &result, &self->err) == FIRN_OK &&
                  is_chunk_true(self, i, result);
    }
    return is_true;
}

// ---- Random chunks -----------------------------------------------------------------------------

static bool check_random(uint64_t seed) {
    scene s;
    scene_open(&s);
    pw_source from = {.seed = seed};
    dictionary *shared[PW_SAMPLE_COLUMNS_MAX] = {NULL};
    const schema columns = pw_sample_schema(&s.memory, &from);
    s.options = pw_sample_options(&from);
    open_chunks(&s, &columns);
    const uint32_t batches = pw_pick(&from, 4);
    bool is_true = true;
    for (uint32_t i = 0; i < batches && is_true; i++) {
        const uint32_t rows = pw_pick(&from, 2) == 0 ? pw_pick(&from, 20) : pw_pick(&from, 256) * 8;
        const batch put = pw_sample_batch(&s.memory, &columns, rows, shared, &from);
        is_true = put_rows(&s, &put) == FIRN_OK;
    }
    is_true = is_true && finish_chunks(&s);
    if (!is_true) {
        (void)fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, s.err.text);
    }
    scene_close(&s);
    return is_true;
}

TEST(pw_chunk_says_what_is_true_of_random_values) {
    for (uint64_t seed = 1; seed <= RANDOM_CHUNKS; seed++) {
        REQUIRE(check_random(seed));
    }
}

// ---- Choices and edges -------------------------------------------------------------------------

static schema one_column(arena *memory, const type *of, bool is_nullable) {
    field *fields = pw_take(memory, 1, sizeof *fields);
    *fields = (field){.name = TEXT("a"), .type = of, .is_nullable = is_nullable, .id = -1};
    return (schema){.count = 1, .fields = fields};
}

// Rows of numbers that `value` makes; NULL where it is INT64_MIN.
static bool put_numbers(scene *self, uint64_t rows, int64_t (*value)(uint64_t row)) {
    for (uint64_t row = 0; row < rows;) {
        const uint32_t count = rows - row < 1000 ? (uint32_t)(rows - row) : 1000;
        column numbers;
        pw_must(column_new(&self->memory, TYPE_OF(BIGINT), count, &numbers, &self->err) == FIRN_OK);
        for (uint32_t i = 0; i < count; i++, row++) {
            COLUMN_OUT(&numbers, int64_t)[i] = value(row);
            if (value(row) == INT64_MIN) {
                pw_must(column_set_null(&self->memory, &numbers, i));
            }
        }
        const batch put = batch_of(&numbers, 1, count);
        if (put_rows(self, &put) != FIRN_OK) {
            return false;
        }
    }
    return true;
}

static const pw_chunk_result *result_of_numbers(scene *self, uint64_t rows,
                                                int64_t (*value)(uint64_t row)) {
    const pw_chunk_result *result = NULL;
    const schema columns = one_column(&self->memory, TYPE_OF(BIGINT), true);
    open_chunks(self, &columns);
    CHECK(put_numbers(self, rows, value));
    CHECK(pw_chunk_finish(self->chunks[0], &self->worker, &result, &self->err) == FIRN_OK);
    CHECK(result != NULL && is_chunk_true(self, 0, result));
    return result;
}

static int64_t no_number(uint64_t row) {
    (void)row;
    return INT64_MIN;
}

WRAPS static int64_t few_numbers(uint64_t row) {
    return (int64_t)(row * row % 7) * INT64_C(1000000007);
}

WRAPS static int64_t all_different(uint64_t row) {
    return (int64_t)(row * UINT64_C(0x9e3779b97f4a7c15) >> 3);
}

// NULLs in front, then values that are all different.
static int64_t late_numbers(uint64_t row) {
    return row < 40000 ? INT64_MIN : all_different(row);
}

// One of a thousand is a value, one of five.
static int64_t sparse_numbers(uint64_t row) {
    return row % 1000 == 0 ? (int64_t)(row / 1000 % 5) * INT64_C(1000000007) : INT64_MIN;
}

// Few at first, then so many that the dictionary becomes too large.
static int64_t ever_more_numbers(uint64_t row) {
    return row < 60000 ? few_numbers(row) : all_different(row);
}

TEST(pw_chunk_of_nulls_has_neither_dictionary_nor_codes) {
    scene s;
    scene_open(&s);
    const pw_chunk_result *result = result_of_numbers(&s, 50000, no_number);
    REQUIRE(result != NULL);
    CHECK(result->dictionary_page.size == 0 && result->page_count == 3);
    CHECK(result->pages_of[PQ_ENCODING_PLAIN] == 3 && result->codec == CODEC_NONE);
    CHECK(result->size < 100);
    scene_close(&s);
}

TEST(pw_chunk_has_codes_where_values_are_few) {
    scene s;
    scene_open(&s);
    const pw_chunk_result *result = result_of_numbers(&s, 50000, few_numbers);
    REQUIRE(result != NULL);
    CHECK(result->pages_of[PQ_ENCODING_RLE_DICTIONARY] == 3 && result->page_count == 3);
    CHECK(result->size < 50000 / 2);
    scene_close(&s);
}

// Random ones of 10,000: the first page meets 8,600 of them.
WRAPS static int64_t many_numbers(uint64_t row) {
    uint64_t seed = row;
    return (int64_t)(test_random(&seed) % 10000);
}

TEST(pw_chunk_foresees_how_large_its_dictionary_becomes) {
    scene s;
    scene_open(&s);
    s.options.leaf.encodings = PW_ENCODINGS_JAVA;
    const pw_chunk_result *result = result_of_numbers(&s, 400000, many_numbers);
    REQUIRE(result != NULL);
    CHECK(result->pages_of[PQ_ENCODING_RLE_DICTIONARY] == 20 && result->page_count == 20);
    scene_close(&s);
}

TEST(pw_chunk_has_no_codes_where_values_differ) {
    scene s;
    scene_open(&s);
    const pw_chunk_result *result = result_of_numbers(&s, 50000, all_different);
    REQUIRE(result != NULL);
    CHECK(result->pages_of[PQ_ENCODING_RLE_DICTIONARY] == 0);
    CHECK(result->dictionary_page.size == 0);
    scene_close(&s);
}

TEST(pw_chunk_without_dictionary_has_no_codes_in_pages_of_nulls_before) {
    scene s;
    scene_open(&s);
    const pw_chunk_result *result = result_of_numbers(&s, 100000, late_numbers);
    REQUIRE(result != NULL);
    CHECK(result->dictionary_page.size == 0 && result->pages_of[PQ_ENCODING_PLAIN] >= 2);
    CHECK(result->pages_of[PQ_ENCODING_RLE_DICTIONARY] == 0);
    scene_close(&s);
}

TEST(pw_chunk_does_not_decide_by_a_handful_of_values) {
    scene s;
    scene_open(&s);
    const pw_chunk_result *result = result_of_numbers(&s, 2000000, sparse_numbers);
    REQUIRE(result != NULL);
    CHECK(result->pages_of[PQ_ENCODING_RLE_DICTIONARY] == result->page_count);
    CHECK(result->dictionary_page.size > 0);
    scene_close(&s);
}

TEST(pw_chunk_gives_a_dictionary_up_that_grows_too_large) {
    scene s;
    scene_open(&s);
    s.options.dictionary_bytes = 10000;
    const pw_chunk_result *result = result_of_numbers(&s, 100000, ever_more_numbers);
    REQUIRE(result != NULL);
    CHECK(result->pages_of[PQ_ENCODING_RLE_DICTIONARY] >= 3);
    CHECK(result->pages_of[PQ_ENCODING_RLE_DICTIONARY] < result->page_count);
    CHECK(result->dictionary_page.size > 0 && result->dictionary_page.size < 10100);
    scene_close(&s);
}

WRAPS static int64_t any_of_a_thousand(uint64_t row) {
    return (int64_t)(row * 7919 % 997);
}

TEST(pw_chunk_compresses_all_pages_where_it_is_told_to) {
    static int64_t (*const values[])(uint64_t) = {any_of_a_thousand, all_different, no_number,
                                                  ever_more_numbers};
    for (uint32_t i = 0; i < sizeof values / sizeof *values; i++) {
        scene s;
        scene_open(&s);
        s.options.codec = CODEC_SNAPPY;
        s.options.codec_choice = PW_CODEC_GIVEN;
        const pw_chunk_result *result = result_of_numbers(&s, 70000, values[i]);
        REQUIRE(result != NULL);
        CHECK(result->codec == CODEC_SNAPPY);
        scene_close(&s);
    }
}

// Drawn at random: what the default level of zstd finds in them costs more than it saves.
WRAPS static int64_t below_a_million(uint64_t row) {
    uint64_t seed = row;
    return (int64_t)(test_random(&seed) % 1000000);
}

// Every number stands eight times in a row, of runs that come again.
WRAPS static int64_t by_eights(uint64_t row) {
    uint64_t seed = row / 8 % 4000;
    return (int64_t)(test_random(&seed) >> 8);
}

static uint64_t size_at_level(int64_t (*value)(uint64_t row), int level) {
    scene s;
    scene_open(&s);
    s.options.codec_level = level;
    s.options.leaf.encodings = 0;
    const pw_chunk_result *result = result_of_numbers(&s, 50000, value);
    const uint64_t size = result == NULL ? 0 : result->size;
    CHECK(result != NULL && result->codec == CODEC_ZSTD);
    scene_close(&s);
    return size;
}

TEST(pw_chunk_compresses_quickly_what_is_not_sorted) {
    CHECK(size_at_level(below_a_million, 0) < size_at_level(below_a_million, 1));
    CHECK(size_at_level(by_eights, 0) == size_at_level(by_eights, 1));
}

TEST(pw_chunk_without_rows_is_empty) {
    scene s;
    scene_open(&s);
    const pw_chunk_result *result = result_of_numbers(&s, 0, no_number);
    REQUIRE(result != NULL);
    CHECK(result->page_count == 0 && result->size == 0 && result->column_index.size == 0);
    scene_close(&s);
}

// Texts of `size` bytes, all different.
static bool put_texts(scene *self, uint32_t count, uint32_t size) {
    char *made = pw_take(&self->memory, size, 1);
    column texts;
    pw_must(column_new(&self->memory, TYPE_OF(VARCHAR), count, &texts, &self->err) == FIRN_OK);
    for (uint32_t i = 0; i < count; i++) {
        memset(made, 'x', size);
        (void)snprintf(made, size, "%u", i);
        pw_must(string_new(&self->memory, made, size, &COLUMN_OUT(&texts, string_value)[i]));
    }
    const batch put = batch_of(&texts, 1, count);
    return put_rows(self, &put) == FIRN_OK;
}

TEST(pw_chunk_ends_pages_by_their_bytes) {
    scene s;
    scene_open(&s);
    const schema columns = one_column(&s.memory, TYPE_OF(VARCHAR), false);
    open_chunks(&s, &columns);
    const pw_chunk_result *result;
    REQUIRE(put_texts(&s, 100, 300000));
    REQUIRE(pw_chunk_finish(s.chunks[0], &s.worker, &result, &s.err) == FIRN_OK);
    CHECK(is_chunk_true(&s, 0, result));
    CHECK(result->page_count == 25); // Four fill a page of a mebibyte.
    scene_close(&s);
}

TEST(pw_chunk_gives_back_the_memory_of_a_huge_value) {
    scene s;
    scene_open(&s);
    s.options.leaf.statistics =
        PW_STATISTICS_COUNTS; // Bounds are kept whole until they are written.
    const schema columns = one_column(&s.memory, TYPE_OF(VARCHAR), false);
    open_chunks(&s, &columns);
    const pw_chunk_result *result;
    REQUIRE(put_texts(&s, 1, 60 << 20));
    CHECK(pw_chunk_memory(s.chunks[0]) < (uint64_t)8 << 20);
    REQUIRE(pw_chunk_finish(s.chunks[0], &s.worker, &result, &s.err) == FIRN_OK);
    CHECK(result->codec == CODEC_ZSTD && result->size < 1 << 20);
    CHECK(s.worker.scratch.used < (size_t)8 << 20);
    scene_close(&s);
}

TEST(pw_chunk_bounds_wide_pages_of_one_width) {
    scene s;
    scene_open(&s);
    const uint32_t width = 100000;
    const schema columns = one_column(&s.memory, type_binary(&s.memory, width), false);
    s.options.leaf.encodings = 0;
    open_chunks(&s, &columns);
    column values;
    REQUIRE(column_new(&s.memory, columns.fields[0].type, 100, &values, &s.err) == FIRN_OK);
    char *made = pw_take(&s.memory, width, 1);
    for (uint32_t i = 0; i < 100; i++) {
        REQUIRE(string_new(&s.memory, made, width, &COLUMN_OUT(&values, string_value)[i]));
    }
    const batch put = batch_of(&values, 1, 100);
    const pw_chunk_result *result;
    REQUIRE(put_rows(&s, &put) == FIRN_OK);
    REQUIRE(pw_chunk_finish(s.chunks[0], &s.worker, &result, &s.err) == FIRN_OK);
    CHECK(result->page_count == 10); // Eleven are more than a mebibyte.
    scene_close(&s);
}

// Readers take 0.0 and -0.0 for the same, and all NaNs, but hash their bits.
TEST(pw_bloom_has_all_zeros_and_nans_where_there_is_one) {
    static const uint64_t zeros[] = {0, UINT64_C(1) << 63};
    static const uint64_t nans[] = {UINT64_C(0x7ff8000000000000), UINT64_C(0xfff8000000000000)};
    for (uint32_t i = 0; i < 4; i++) {
        scene s;
        scene_open(&s);
        s.options.leaf.has_bloom = true;
        s.options.leaf.encodings = i % 2 == 0 ? PW_ENCODINGS_ALL : 0;
        const schema columns = one_column(&s.memory, TYPE_OF(DOUBLE), false);
        open_chunks(&s, &columns);
        column value;
        REQUIRE(column_new(&s.memory, TYPE_OF(DOUBLE), 1, &value, &s.err) == FIRN_OK);
        const uint64_t bits = i < 2 ? zeros[i] : UINT64_C(0x7ff0000000000001) + i;
        memcpy(COLUMN_OUT(&value, double), &bits, sizeof bits);
        const batch put = batch_of(&value, 1, 1);
        const pw_chunk_result *result;
        REQUIRE(put_rows(&s, &put) == FIRN_OK);
        REQUIRE(pw_chunk_finish(s.chunks[0], &s.worker, &result, &s.err) == FIRN_OK);
        CHECK(is_chunk_true(&s, 0, result));
        const pq_bloom bloom = {.bitset = result->bloom};
        for (uint32_t k = 0; k < 2; k++) {
            const bytes equal = {.data = (const uint8_t *)(i < 2 ? &zeros[k] : &nans[k]),
                                 .size = 8};
            CHECK(pq_bloom_may_contain(&bloom, pq_bloom_hash_of(equal)));
        }
        scene_close(&s);
    }
}

TEST(pw_bloom_is_as_small_as_its_rate_allows) {
    scene s;
    scene_open(&s);
    s.options.leaf.has_bloom = true;
    const pw_chunk_result *result = result_of_numbers(&s, 10000, all_different);
    REQUIRE(result != NULL);
    CHECK(result->bloom.size >= 8192 && result->bloom.size <= 32768); // 10 bits a value or so.
    const pq_bloom bloom = {.bitset = result->bloom};
    uint32_t wrong = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        const int64_t other = all_different(i + 10000);
        wrong += pq_bloom_may_contain(
            &bloom, pq_bloom_hash_of((bytes){.data = (const uint8_t *)&other, .size = 8}));
    }
    CHECK(wrong < 150); // A hundredth is asked for.
    scene_close(&s);
}
