#include "exec/rows/rows.h"

#include <math.h>

#include "base/test.h"
#include "kernels/hash_column.h"

#define K ((size_t)1024)
#define M (K * 1024)

static firn_error err = FIRN_ERROR_INIT;
static arena memory;

typedef struct fixture {
    pool *engine;
    pool *query;
    pool *keeper;
    spill_area *area;
    spill *file;
    row_layout layout;
    row_store store;
} fixture;

static bool fixture_open(fixture *self, const type *const *types, uint32_t count, bool has_hash,
                         uint32_t extra_size) {
    *self = (fixture){0};
    memory = arena_open(SIZE_MAX);
    const spill_options options = {.folder = "/tmp", .form = SPILL_RAW};
    CHECK(pool_open_engine(64 * M, &self->engine, &err) == FIRN_OK);
    const pool_options query = {.kind = POOL_QUERY, .name = "query"};
    CHECK(pool_open(self->engine, &query, &self->query, &err) == FIRN_OK);
    page_size_set(self->query, 16 * K);
    CHECK(spill_area_open(self->engine, &options, &self->area, &err) == FIRN_OK);
    CHECK(spill_open(self->area, self->query, &self->file, &err) == FIRN_OK);
    CHECK(row_layout_make(types, count, has_hash, extra_size, &memory, &self->layout, &err) ==
          FIRN_OK);
    CHECK(row_keeper_open(self->query, "rows", 0, row_page_bytes(&self->layout), &self->keeper,
                          &err) == FIRN_OK);
    return row_store_open(&self->layout, self->keeper, self->file, &self->store, &err) == FIRN_OK;
}

static void fixture_close(fixture *self) {
    row_store_close(&self->store);
    spill_close(self->file);
    spill_area_close(self->area);
    CHECK(pool_used(self->engine) == 0);
    pool_close(self->keeper);
    pool_close(self->query);
    pool_close(self->engine);
    arena_close(&memory);
}

#define WIDE_ROWS 20

// ---- Columns of any type with random values -----------------------------------------------------

static uint64_t seed = 1;

static string_value random_string(uint32_t size_max) {
    const uint32_t size = (uint32_t)(test_random(&seed) % (size_max + 1));
    char *data = ARENA_NEW(&memory, char, size + 1);
    for (uint32_t i = 0; i < size; i++) {
        data[i] = (char)('a' + test_random(&seed) % 3);
    }
    return string_of(data, size);
}

static void fill_fixed(column *out, physical kind) {
    for (uint32_t i = 0; i < out->length; i++) {
        const uint64_t value = test_random(&seed) % 4;
        if (kind == PHYSICAL_STRING) {
            COLUMN_OUT(out, string_value)[i] = random_string(value < 2 ? 3 : 40);
        } else if (kind == PHYSICAL_BIT) {
            bitmap_put(COLUMN_OUT(out, uint64_t), i, value > 1);
        } else if (kind == PHYSICAL_F64) {
            const double some[] = {-0.0, 0.0, (double)NAN, 1.5};
            COLUMN_OUT(out, double)[i] = some[value];
        } else {
            const size_t width = physical_size(kind);
            memset(COLUMN_OUT(out, uint8_t) + i * width, 0, width);
            memset(COLUMN_OUT(out, uint8_t) + i * width, (int)value, width == 16 ? 4 : 1);
        }
    }
}

static column random_column(const type *type, uint32_t length, bool has_nulls) {
    column out;
    CHECK(column_new(&memory, type, length, &out, &err) == FIRN_OK);
    const physical kind = type_physical(type);
    uint32_t child_length = length;
    if (kind == PHYSICAL_LIST) {
        child_length = 0;
        for (uint32_t i = 0; i < length; i++) {
            const list_value slice = {.offset = child_length,
                                      .size = (uint32_t)(test_random(&seed) % 3)};
            COLUMN_OUT(&out, list_value)[i] = slice;
            child_length += slice.size;
        }
    } else if (kind != PHYSICAL_STRUCT && kind != PHYSICAL_NONE) {
        fill_fixed(&out, kind);
    }
    if (type->child_count > 0) {
        column *children = ARENA_NEW(&memory, column, type->child_count);
        for (uint32_t i = 0; i < type->child_count; i++) {
            const bool may_be_null = test_random(&seed) % 3 != 0;
            children[i] = random_column(type->children[i].type, child_length, may_be_null);
        }
        out.children = children;
    }
    for (uint32_t i = 0; has_nulls && kind != PHYSICAL_NONE && i < length; i++) {
        if (test_random(&seed) % 4 == 0) {
            CHECK(column_set_null(&memory, &out, i));
        }
    }
    return out;
}

static column with_form(column values, column_form form, uint32_t length) {
    if (form == FORM_FLAT) {
        return values;
    }
    column out = {.type = values.type, .form = form, .length = length};
    if (form == FORM_CONSTANT) {
        out.values = values.values;
        out.validity = values.validity;
        out.children = values.children;
        return out;
    }
    uint32_t *codes = ARENA_NEW(&memory, uint32_t, length);
    for (uint32_t i = 0; i < length; i++) {
        codes[i] = (uint32_t)(test_random(&seed) % values.length);
    }
    column *entries = ARENA_NEW(&memory, column, 1);
    *entries = values;
    entries->validity = NULL;
    dictionary *words = ARENA_NEW(&memory, dictionary, 1);
    *words = (dictionary){.identity = seed, .size = values.length, .values = entries};
    out.values = codes;
    out.dictionary = words;
    out.validity = values.validity;
    return out;
}

#define TYPES_MAX 24

// All kinds of columns: the types that differ in how they are kept.
static uint32_t all_types(const type **out) {
    const field fields[] = {{TEXT("a"), TYPE_OF(BIGINT), true, -1},
                            {TEXT("b"), type_list(&memory, TYPE_OF(VARCHAR)), true, -1},
                            {TEXT("c"), TYPE_OF(BOOLEAN), true, -1}};
    // A loop each, and structs inside.
    const field others[] = {{TEXT("a"), TYPE_OF(TINYINT), true, -1},
                            {TEXT("b"), TYPE_OF(SMALLINT), true, -1},
                            {TEXT("c"), TYPE_OF(DATE), true, -1},
                            {TEXT("d"), TYPE_OF(REAL), true, -1},
                            {TEXT("e"), TYPE_OF(DOUBLE), true, -1},
                            {TEXT("f"), type_decimal(&memory, 38, 0), true, -1},
                            {TEXT("g"), TYPE_OF(VARCHAR), true, -1},
                            {TEXT("h"), TYPE_OF(INTERVAL), true, -1},
                            {TEXT("i"), TYPE_OF(NULL), true, -1}};
    const type *inner = type_struct(&memory, 3, fields);
    const field outer[] = {{TEXT("a"), inner, true, -1}, {TEXT("b"), TYPE_OF(DOUBLE), true, -1}};
    const type *some[] = {
        TYPE_OF(BIGINT),
        TYPE_OF(VARCHAR),
        TYPE_OF(BOOLEAN),
        TYPE_OF(SMALLINT),
        TYPE_OF(DOUBLE),
        TYPE_OF(TINYINT),
        TYPE_OF(REAL),
        TYPE_OF(INTERVAL),
        type_decimal(&memory, 38, 0),
        type_decimal(&memory, 60, 0),
        type_list(&memory, TYPE_OF(DOUBLE)),
        type_struct(&memory, 3, fields),
        type_map(&memory, TYPE_OF(VARCHAR), TYPE_OF(INTEGER)),
        TYPE_OF(NULL),
        TYPE_OF(DATE),
        type_struct(&memory, 9, others),
        type_struct(&memory, 2, outer),
        type_list(&memory, TYPE_OF(BIGINT)),
        type_list(&memory, TYPE_OF(VARCHAR)),
        type_list(&memory, TYPE_OF(SMALLINT)),
        type_list(&memory, inner),
    };
    memcpy(out, some, sizeof some);
    return sizeof some / sizeof *some;
}

// ---- Tests --------------------------------------------------------------------------------------

#define ROWS 500

// Appends all rows of a batch and checks that every column comes back.
static void round_trip(column_form form, bool has_nulls) {
    arena types_memory = arena_open(SIZE_MAX);
    memory = types_memory;
    const type *types[TYPES_MAX];
    const uint32_t count = all_types(types);
    types_memory = memory;
    fixture self;
    REQUIRE(fixture_open(&self, types, count, true, 8));
    column columns[TYPES_MAX];
    for (uint32_t i = 0; i < count; i++) {
        columns[i] = with_form(random_column(types[i], ROWS, has_nulls), form, ROWS);
    }
    uint16_t selection[ROWS / 2];
    uint64_t hashes[ROWS / 2];
    for (uint32_t i = 0; i < ROWS / 2; i++) {
        selection[i] = (uint16_t)(i * 2 + 1);
        hashes[i] = i;
    }
    row_writer writer;
    REQUIRE(row_writer_open(&self.store, 1, 0, &memory, &writer, &err) == FIRN_OK);
    row_input in = {.columns = columns, .rows = selection, .count = ROWS / 2, .hashes = hashes};
    uint8_t *rows[ROWS / 2];
    REQUIRE(row_writer_append(&writer, &in, rows, &memory, &err) == FIRN_OK);
    REQUIRE(in.next == ROWS / 2);
    for (uint32_t i = 0; i < count; i++) {
        column back;
        REQUIRE(rows_gather(&self.store, i, (const uint8_t *const *)rows, ROWS / 2, &memory, &back,
                            &err) == FIRN_OK);
        for (uint32_t k = 0; k < ROWS / 2; k++) {
            CHECK(column_rows_equal(&back, k, &columns[i], selection[k]));
            CHECK(row_hash(rows[k]) == k);
        }
    }
    row_writer_close(&writer);
    fixture_close(&self);
    arena_close(&types_memory);
}

TEST(rows_give_columns_back_as_they_were) {
    for (int has_nulls = 0; has_nulls < 2; has_nulls++) {
        round_trip(FORM_FLAT, has_nulls != 0);
        round_trip(FORM_CONSTANT, has_nulls != 0);
        round_trip(FORM_DICTIONARY, has_nulls != 0);
    }
}

// Every pair of a row and a row of another batch, against column_rows_equal.
static void match_all(const type *type, column_form form, bool null_equal) {
    fixture self;
    REQUIRE(fixture_open(&self, &type, 1, false, 0));
    const column stored = random_column(type, 40, true);
    const column probe = with_form(random_column(type, 40, true), form, 40);
    row_writer writer;
    REQUIRE(row_writer_open(&self.store, 1, 0, &memory, &writer, &err) == FIRN_OK);
    row_input in = {.columns = &stored, .count = 40};
    uint8_t *rows[40];
    REQUIRE(row_writer_append(&writer, &in, rows, &memory, &err) == FIRN_OK);
    const uint8_t *left[1600];
    uint16_t lanes[1600];
    uint16_t pairs[1600];
    uint16_t rest[1600];
    for (uint16_t k = 0; k < 1600; k++) {
        left[k] = rows[k % 40];
        lanes[k] = k / 40;
        pairs[k] = k;
    }
    const row_pairs all = {
        .store = &self.store,
        .key_count = 1,
        .keys = &probe,
        .null_equal = null_equal ? NULL : &(bool){false},
        .rows = left,
        .lanes = lanes,
    };
    uint32_t count = 0;
    REQUIRE(rows_match(&all, pairs, 1600, rest, &count, &memory, &err) == FIRN_OK);
    uint32_t at = 0;
    for (uint16_t k = 0; k < 1600; k++) {
        const bool equal = column_rows_equal(&stored, k % 40, &probe, k / 40) &&
                           (null_equal || column_is_valid(&stored, k % 40));
        const bool kept = at < count && pairs[at] == k;
        CHECK(kept == equal);
        at += kept;
    }
    CHECK(at == count);
    for (uint32_t k = 0; k < 1600; k++) {
        bool equal = false;
        REQUIRE(rows_equal(&self.store, rows[k % 40], rows[k / 40], &memory, &equal, &err) ==
                FIRN_OK);
        CHECK(equal == column_rows_equal(&stored, k % 40, &stored, k / 40));
    }
    row_writer_close(&writer);
    fixture_close(&self);
}

TEST(rows_match_as_columns_do) {
    arena types_memory = arena_open(SIZE_MAX);
    memory = types_memory;
    const type *types[TYPES_MAX];
    const uint32_t count = all_types(types);
    types_memory = memory;
    for (uint32_t i = 0; i < count; i++) {
        match_all(types[i], FORM_FLAT, true);
        match_all(types[i], FORM_FLAT, false);
        match_all(types[i], FORM_CONSTANT, true);
        match_all(types[i], FORM_DICTIONARY, false);
    }
    arena_close(&types_memory);
}

// Counts rows of a list and checks that they belong there; takes the pages away.
static uint64_t drain(fixture *self, row_writer *writer, uint32_t part, uint64_t *sum) {
    row_pages *pages = &writer->parts[part];
    _Alignas(16) static uint8_t buffer[64 * 1024];
    uint64_t count = 0;
    for (;;) {
        row_page *page = row_pages_pop(pages);
        row_page *taken = page;
        if (page == NULL) {
            bool found = false;
            CHECK(row_pages_read(&self->store, pages, &writer->desk, buffer, &found, &err) ==
                  FIRN_OK);
            if (!found) {
                break;
            }
            page = (row_page *)(void *)buffer;
        }
        uint32_t at = 0;
        uint8_t *rows[100];
        for (uint32_t n; (n = row_page_rows(page, &self->layout, &at, rows, 100)) > 0;) {
            column keys;
            CHECK(rows_gather(&self->store, 0, (const uint8_t *const *)rows, n, &memory, &keys,
                              &err) == FIRN_OK);
            column texts;
            CHECK(rows_gather(&self->store, 1, (const uint8_t *const *)rows, n, &memory, &texts,
                              &err) == FIRN_OK);
            for (uint32_t i = 0; i < n; i++) {
                CHECK(row_writer_part(writer, row_hash(rows[i])) == part);
                const int64_t key = COLUMN_VALUES(&keys, int64_t)[i];
                const string_value *value = &COLUMN_VALUES(&texts, string_value)[i];
                CHECK(value->size == (uint32_t)(key % 1000 == 7 ? 100000 : key % 50));
                CHECK(value->size == 0 || string_data(value)[value->size - 1] == 'a' + key % 26);
                *sum += (uint64_t)key;
            }
            count += n;
        }
        page_put(self->keeper, taken);
    }
    return count;
}

static void append_numbers(row_writer *writer, uint64_t from) {
    arena scratch = arena_open(SIZE_MAX);
    column columns[2];
    CHECK(column_new(&scratch, TYPE_OF(BIGINT), ROWS, &columns[0], &err) == FIRN_OK);
    CHECK(column_new(&scratch, TYPE_OF(VARCHAR), ROWS, &columns[1], &err) == FIRN_OK);
    for (uint32_t i = 0; i < ROWS; i++) {
        const int64_t key = (int64_t)from + i;
        const uint32_t size = (uint32_t)(key % 1000 == 7 ? 100000 : key % 50);
        char *data = ARENA_NEW(&scratch, char, size + 1);
        memset(data, (int)('a' + key % 26), size + 1);
        COLUMN_OUT(&columns[0], int64_t)[i] = key;
        COLUMN_OUT(&columns[1], string_value)[i] = string_of(data, size);
    }
    uint64_t hashes[ROWS];
    CHECK(hash_column(&columns[0], NULL, ROWS, false, &scratch, hashes));
    row_input in = {.columns = columns, .count = ROWS, .hashes = hashes};
    uint8_t *rows[ROWS];
    while (in.next < in.count) {
        const uint32_t before = in.next;
        CHECK(row_writer_append(writer, &in, rows, &scratch, &err) == FIRN_OK);
        if (in.next == before) {
            fprintf(stderr, "%s\n", err.text);
        }
        CHECK(in.next > before);
        CHECK(row_hash(rows[before]) == hashes[before]);
    }
    arena_close(&scratch);
}

static const type *const number_and_text[] = {TYPE_OF(BIGINT), TYPE_OF(VARCHAR)};

// 20,000 rows of 60 bytes into 16 partitions, with memory for some of the pages.
static void spill_with_limit(uint64_t limit_bytes, bool must_spill) {
    fixture self;
    REQUIRE(fixture_open(&self, number_and_text, 2, true, 0));
    row_writer writer;
    REQUIRE(row_writer_open(&self.store, 16, 0, &memory, &writer, &err) == FIRN_OK);
    CHECK(row_writer_keep(&writer, 2));
    pool_limit_set(self.engine, limit_bytes);
    for (uint64_t from = 0; from < 20000; from += ROWS) {
        append_numbers(&writer, from);
        CHECK(row_writer_look(&writer, &err) == FIRN_OK);
    }
    CHECK(writer.row_count == 20000);
    CHECK((atomic_load(&self.store.spilled_bytes) > 0) == must_spill);
    pool_limit_set(self.engine, 64 * M);
    uint64_t count = 0;
    uint64_t sum = 0;
    for (uint32_t part = 0; part < 16; part++) {
        count += drain(&self, &writer, part, &sum);
    }
    CHECK(count == 20000 && sum == UINT64_C(20000) * 19999 / 2);
    row_writer_close(&writer);
    fixture_close(&self);
}

TEST(rows_spill_and_come_back) {
    spill_with_limit(64 * M, false);
    spill_with_limit(1 * M, true);
    spill_with_limit(300 * K, true); // Not even a page per partition.
}

static uint64_t spilled_pages(const row_writer *writer) {
    uint64_t count = 0;
    for (uint32_t part = 0; part < writer->part_count; part++) {
        count += writer->parts[part].spilled.count;
    }
    return count;
}

TEST(rows_of_a_writer_with_fewer_pages_than_partitions_share_pages) {
    fixture self;
    REQUIRE(fixture_open(&self, (const type *[]){TYPE_OF(BIGINT)}, 1, true, 0));
    row_writer writer;
    row_writer copies;
    REQUIRE(row_writer_open(&self.store, 16, 0, &memory, &writer, &err) == FIRN_OK);
    REQUIRE(row_writer_open(&self.store, 16, 0, &memory, &copies, &err) == FIRN_OK);
    CHECK(row_writer_keep(&writer, 2) && row_writer_keep(&copies, 2));
    pool_limit_set(self.engine, 1); // No third page.
    enum { COUNT = 2000 };
    column keys;
    REQUIRE(column_new(&memory, TYPE_OF(BIGINT), COUNT, &keys, &err) == FIRN_OK);
    for (uint32_t i = 0; i < COUNT; i++) {
        COLUMN_OUT(&keys, int64_t)[i] = i;
    }
    uint64_t *hashes = ARENA_NEW(&memory, uint64_t, COUNT);
    uint8_t **rows = ARENA_NEW(&memory, uint8_t *, COUNT);
    REQUIRE(hash_column(&keys, NULL, COUNT, false, &memory, hashes));
    row_input in = {.columns = &keys, .count = COUNT, .hashes = hashes};
    while (writer.page_count < 2) { // Until it has all pages that it gets.
        REQUIRE(row_writer_append(&writer, &in, rows, &memory, &err) == FIRN_OK);
    }
    pool_limit_set(self.engine, 1 * M); // For the list of what is spilled.
    REQUIRE(row_writer_order(&writer, &in, &memory, &err) == FIRN_OK);
    writer.page_max = 2;
    while (in.next < in.count) {
        REQUIRE(row_writer_append(&writer, &in, rows, &memory, &err) == FIRN_OK);
    }
    CHECK(spilled_pages(&writer) < 40 && writer.row_count == COUNT);
    copies.page_max = 2;
    uint8_t *made = ARENA_NEW(&memory, uint8_t, (size_t)COUNT *self.layout.size);
    for (uint32_t i = 0; i < COUNT; i++) {
        rows[i] = made + (size_t)i * self.layout.size;
        memcpy(rows[i], &hashes[i], sizeof hashes[i]);
    }
    uint32_t next = 0;
    REQUIRE(row_writer_copy(&copies, rows, NULL, COUNT, &next, &err) == FIRN_OK && next == COUNT);
    CHECK(spilled_pages(&copies) < 40 && copies.row_count == COUNT);
    row_writer_close(&copies);
    row_writer_close(&writer);
    fixture_close(&self);
}

TEST(rows_whose_page_is_being_filled_go_to_the_file_last) {
    fixture self;
    REQUIRE(fixture_open(&self, number_and_text, 2, true, 0));
    row_writer writer;
    REQUIRE(row_writer_open(&self.store, 1, 0, &memory, &writer, &err) == FIRN_OK);
    for (uint64_t from = 0; from < 5000; from += ROWS) {
        append_numbers(&writer, from);
    }
    row_pages *pages = &writer.parts[0];
    row_page *open = pages->first;
    const uint32_t page_count = pages->page_count;
    REQUIRE(page_count > 2);
    REQUIRE(row_pages_spill(&self.store, pages, &writer.desk, 1, &err) == FIRN_OK);
    CHECK(pages->first == open && pages->last == open && pages->page_count == 1);
    CHECK(pages->spilled.count == page_count - 1);
    CHECK(pages->row_count == open->row_count);
    CHECK(pages->row_count + pages->spilled_rows == 5000);
    append_numbers(&writer, 5000); // The list is one still: they come behind the open page.
    uint64_t sum = 0;
    CHECK(drain(&self, &writer, 0, &sum) == 5500 && sum == UINT64_C(5500) * 5499 / 2);
    row_writer_close(&writer);
    fixture_close(&self);
}

TEST(rows_split_by_further_bits_of_the_hash) {
    fixture self;
    REQUIRE(fixture_open(&self, number_and_text, 2, true, 0));
    row_writer whole;
    row_writer parts;
    REQUIRE(row_writer_open(&self.store, 1, 0, &memory, &whole, &err) == FIRN_OK);
    REQUIRE(row_writer_open(&self.store, 16, 7, &memory, &parts, &err) == FIRN_OK);
    for (uint64_t from = 0; from < 5000; from += ROWS) {
        append_numbers(&whole, from);
    }
    for (row_page *page; (page = row_pages_pop(&whole.parts[0])) != NULL;) {
        uint32_t at = 0;
        uint8_t *rows[64];
        for (uint32_t n; (n = row_page_rows(page, &self.layout, &at, rows, 64)) > 0;) {
            uint32_t next = 0;
            while (next < n) {
                REQUIRE(row_writer_copy(&parts, rows, NULL, n, &next, &err) == FIRN_OK);
            }
        }
        page_put(self.keeper, page);
    }
    uint64_t count = 0;
    uint64_t sum = 0;
    for (uint32_t part = 0; part < 16; part++) {
        CHECK(parts.parts[part].row_count > 200);
        count += drain(&self, &parts, part, &sum);
    }
    CHECK(count == 5000 && sum == UINT64_C(5000) * 4999 / 2);
    row_writer_close(&parts);
    row_writer_close(&whole);
    fixture_close(&self);
}

TEST(rows_stop_short_when_they_may_not_spill) {
    fixture self;
    REQUIRE(fixture_open(&self, number_and_text, 2, true, 0));
    row_writer writer;
    REQUIRE(row_writer_open(&self.store, 1, 0, &memory, &writer, &err) == FIRN_OK);
    writer.may_spill = false;
    pool_limit_set(self.engine, 1); // Nothing more.
    column columns[2];
    for (uint32_t i = 0; i < 2; i++) {
        columns[i] = random_column(number_and_text[i], 3, false);
    }
    const uint64_t hashes[3] = {1, 2, 3};
    row_input in = {.columns = columns, .count = 3, .hashes = hashes};
    uint8_t *rows[3];
    CHECK(row_writer_append(&writer, &in, rows, &memory, &err) == FIRN_OK);
    CHECK(in.next == 0);
    pool_limit_set(self.engine, 64 * M);
    CHECK(row_writer_append(&writer, &in, rows, &memory, &err) == FIRN_OK);
    CHECK(in.next == 3);
    row_writer_close(&writer);
    fixture_close(&self);
}

// Of so many columns of texts, each at most `text_size` long: rows go to the file, with their blobs
// if they have any, and come back.
static void check_wide(uint32_t width, uint32_t text_size, size_t page_size) {
    static const type *types[5000];
    static column columns[5000];
    for (uint32_t i = 0; i < width; i++) {
        types[i] = TYPE_OF(VARCHAR);
    }
    fixture self;
    REQUIRE(fixture_open(&self, types, width, false, 0));
    CHECK(self.store.page_size == page_size);
    for (uint32_t i = 0; i < width; i++) {
        REQUIRE(column_new(&memory, TYPE_OF(VARCHAR), WIDE_ROWS, &columns[i], &err) == FIRN_OK);
        for (uint32_t k = 0; k < WIDE_ROWS; k++) {
            COLUMN_OUT(&columns[i], string_value)[k] = random_string(text_size);
        }
    }
    row_writer writer;
    REQUIRE(row_writer_open(&self.store, 1, 0, &memory, &writer, &err) == FIRN_OK);
    row_input in = {.columns = columns, .count = WIDE_ROWS};
    uint8_t *rows[WIDE_ROWS];
    while (in.next < in.count) {
        const uint32_t from = in.next;
        REQUIRE(row_writer_append(&writer, &in, rows, &memory, &err) == FIRN_OK);
        for (uint32_t k = from; k < in.next; k++) {
            REQUIRE(row_store_write_blob(&self.store, rows[k], &err) == FIRN_OK);
        }
    }
    REQUIRE(row_writer_spill(&writer, 0, &err) == FIRN_OK);
    row_pages *pages = &writer.parts[0];
    CHECK(pages->page_count == 0 && pages->spilled_rows == WIDE_ROWS);
    void *into = page_get(self.keeper);
    uint32_t done = 0; // The newest page was written first, and is read last.
    for (bool found = true; found;) {
        REQUIRE(row_pages_read(&self.store, pages, &writer.desk, into, &found, &err) == FIRN_OK);
        uint32_t at = 0;
        const uint32_t n = found ? row_page_rows(into, &self.layout, &at, rows, WIDE_ROWS) : 0;
        done += n;
        for (uint32_t i = 0; i < width; i++) {
            const arena_mark mark = arena_mark_take(&memory);
            column out;
            REQUIRE(rows_gather(&self.store, i, (const uint8_t *const *)rows, n, &memory, &out,
                                &err) == FIRN_OK);
            for (uint32_t k = 0; k < n; k++) {
                CHECK(column_compare_rows(&out, k, &columns[i], done - n + k) == 0);
            }
            arena_rewind(&memory, mark);
        }
    }
    CHECK(done == WIDE_ROWS);
    page_put(self.keeper, into);
    row_writer_close(&writer);
    fixture_close(&self);
}

TEST(wide_rows_have_larger_pages) {
    check_wide(1000, 10, 16 * K);
    check_wide(1200, 10, 32 * K);
    check_wide(1200, 100, 32 * K); // In blobs.
    check_wide(5000, 10, 128 * K);
    check_wide(5000, 40, 128 * K);
}

TEST(rows_that_fit_no_page_are_refused_with_the_numbers) {
    static const type *types[70000];
    for (uint32_t i = 0; i < 70000; i++) {
        types[i] = TYPE_OF(VARCHAR);
    }
    fixture self;
    CHECK(!fixture_open(&self, types, 70000, true, 0));
    CHECK(err.status == FIRN_UNSUPPORTED && strcmp(err.sqlstate, "54000") == 0);
    CHECK(strstr(err.text, "takes 1128768 bytes without its texts and lists, and no more than "
                           "1048560 fit into a page") != NULL);
    fixture_close(&self);
}

TEST(rows_without_match_are_null) {
    fixture self;
    REQUIRE(fixture_open(&self, number_and_text, 2, true, 0));
    const uint8_t *rows[] = {self.layout.null_row, self.layout.null_row};
    for (uint32_t i = 0; i < 2; i++) {
        column out;
        REQUIRE(rows_gather(&self.store, i, rows, 2, &memory, &out, &err) == FIRN_OK);
        CHECK(!column_is_valid(&out, 0) && !column_is_valid(&out, 1));
    }
    fixture_close(&self);
}

TEST(rows_compare_in_the_order_of_columns) {
    fixture self;
    REQUIRE(fixture_open(&self, number_and_text, 2, false, 0));
    const column columns[2] = {random_column(TYPE_OF(BIGINT), 20, true),
                               random_column(TYPE_OF(VARCHAR), 20, true)};
    row_writer writer;
    REQUIRE(row_writer_open(&self.store, 1, 0, &memory, &writer, &err) == FIRN_OK);
    row_input in = {.columns = columns, .count = 20};
    uint8_t *rows[20];
    REQUIRE(row_writer_append(&writer, &in, rows, &memory, &err) == FIRN_OK);
    for (uint32_t i = 0; i < 400; i++) {
        int order = 0;
        REQUIRE(rows_compare(&self.store, i % 2, rows[i / 20], rows[i % 20], &memory, &order,
                             &err) == FIRN_OK);
        CHECK((order > 0) - (order < 0) ==
              (column_compare_rows(&columns[i % 2], i / 20, &columns[i % 2], i % 20) > 0) -
                  (column_compare_rows(&columns[i % 2], i / 20, &columns[i % 2], i % 20) < 0));
    }
    row_writer_close(&writer);
    fixture_close(&self);
}

TEST(rows_have_validity_in_the_hash_where_it_leaves_room) {
    fixture self;
    REQUIRE(fixture_open(&self, number_and_text, 2, true, 0));
    const uint32_t size = self.layout.size;
    row_layout_move_validity(&self.layout, 3, 0);
    REQUIRE(self.layout.size == size && self.layout.validity_offset >= 8);
    row_layout_move_validity(&self.layout, 3, 2);
    CHECK(self.layout.size < size && self.layout.validity_offset == 3);
    const column columns[2] = {random_column(TYPE_OF(BIGINT), 20, true),
                               random_column(TYPE_OF(VARCHAR), 20, true)};
    uint64_t hashes[20];
    uint8_t *rows[20];
    for (uint32_t i = 0; i < 20; i++) {
        hashes[i] = UINT64_C(0xabcd000000000001) + i;
    }
    row_writer writer;
    REQUIRE(row_writer_open(&self.store, 4, 0, &memory, &writer, &err) == FIRN_OK);
    row_input in = {.columns = columns, .count = 20, .hashes = hashes};
    REQUIRE(row_writer_append(&writer, &in, rows, &memory, &err) == FIRN_OK);
    for (uint32_t i = 0; i < 2; i++) {
        column back;
        REQUIRE(rows_gather(&self.store, i, (const uint8_t *const *)rows, 20, &memory, &back,
                            &err) == FIRN_OK);
        for (uint32_t k = 0; k < 20; k++) {
            CHECK(row_is_valid(&self.layout, rows[k], i) == column_row_is_valid(&columns[i], k));
            CHECK(column_compare_rows(&columns[i], k, &back, k) == 0);
            CHECK((row_hash(rows[k]) & UINT64_C(0xffffff0000ffffff)) ==
                  (hashes[k] & UINT64_C(0xffffff0000ffffff)));
        }
    }
    row_writer_close(&writer);
    fixture_close(&self);
}
