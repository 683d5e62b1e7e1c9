#include "exec/sort/sort_state.h"

#include "base/hash.h"
#include "base/test.h"
#include "memory/page.h"

#define K ((size_t)1024)
#define M (K * 1024)

static firn_error err = FIRN_ERROR_INIT;

// A sort without a plan: keys and numbers beside them.
typedef struct fixture {
    pool *engine;
    execution run;
    spill_area *area;
    sort_state *state;
    arena scratch;
} fixture;

static void fixture_open(fixture *self, uint64_t limit_bytes, uint32_t workers) {
    *self = (fixture){.run = {.worker_count = workers}, .scratch = arena_open(SIZE_MAX)};
    const spill_options options = {.folder = "/tmp", .form = SPILL_RAW};
    CHECK(pool_open_engine(limit_bytes, &self->engine, &err) == FIRN_OK);
    const pool_options query = {.kind = POOL_QUERY, .name = "query"};
    CHECK(pool_open(self->engine, &query, &self->run.pool, &err) == FIRN_OK);
    page_size_set(self->run.pool, 16 * K);
    CHECK(spill_area_open(self->engine, &options, &self->area, &err) == FIRN_OK);
    CHECK(spill_open(self->area, self->run.pool, &self->run.spill, &err) == FIRN_OK);
    arena memory = arena_open(SIZE_MAX);
    sort_state *state = ARENA_NEW(&memory, sort_state, 1);
    self->state = state;
    *state = (sort_state){
        .run = &self->run, .memory = memory, .width = 1, .limit = UINT64_MAX, .wanted = UINT64_MAX};
    mutex_begin(&state->lock, MUTEX_OPERATOR);
    const type **types = ARENA_NEW(&state->memory, const type *, 2);
    state->columns = ARENA_NEW(&state->memory, sort_column, 1);
    state->columns[0] = (sort_column){.number = 1};
    types[0] = TYPE_OF(BINARY);
    types[1] = TYPE_OF(BIGINT);
    CHECK(row_layout_make(types, 2, false, 0, &state->memory, &state->layout, &err) == FIRN_OK);
    state->rooms = ARENA_NEW(&state->memory, sort_room, workers);
    memset(state->rooms, 0, workers * sizeof *state->rooms);
    CHECK(sort_state_begin(state, &err) == FIRN_OK);
}

// From now on keys are the 16 or 8 bytes of a number in the rows' extra bytes; those of 16 differ
// in more bits than one number has.
static void use_fixed_keys(fixture *self, uint32_t key_bytes) {
    sort_state *state = self->state;
    state->columns[0].number = 0;
    state->key_bytes = key_bytes;
    mutex_lock(&state->lock);
    state->bits.word_count = key_bytes / 8;
    mutex_unlock(&state->lock);
    const type *const *types = &state->layout.types[1];
    CHECK(row_layout_make(types, 1, false, key_bytes, &state->memory, &state->layout, &err) ==
          FIRN_OK);
}

// Bytes of a number that order like it; whatever comes behind it differs in all bits.
static void put_fixed_key(fixture *self, int64_t number, uint8_t *row) {
    const uint64_t words[2] = {__builtin_bswap64((uint64_t)number), hash_u64((uint64_t)number)};
    memcpy(row, words, self->state->key_bytes);
    sort_bits bits = {.word_count = self->state->key_bytes / 8};
    sort_bits_note(&bits, row, 1);
    sort_state_add_bits(self->state, &bits);
}

static void fixture_close(fixture *self) {
    arena_close(&self->scratch);
    sort_state_close(self->state);
    spill_close(self->run.spill);
    spill_area_close(self->area);
    CHECK(pool_used(self->engine) == 0);
    pool_close(self->run.pool);
    pool_close(self->engine);
}

static uint64_t seed = 7;

// A key: 1 for "not NULL", then a number of 12 digits, then many letters if it is long.
static string_value make_key(arena *memory, uint64_t number, bool is_long) {
    const size_t size = is_long ? 20000 : 13;
    char *data = ARENA_NEW(memory, char, size + 1);
    memset(data, 'k', size);
    data[0] = 1;
    for (size_t i = 0; i < 12; i++) {
        data[12 - i] = (char)('0' + number % 10);
        number /= 10;
    }
    return string_of(data, (uint32_t)size);
}

// A sorted run of `count` random keys, in memory.
static void make_run(fixture *self, uint32_t count, uint32_t long_every, sort_run *out) {
    sort_state *state = self->state;
    column columns[2];
    CHECK(column_new(&self->scratch, TYPE_OF(BINARY), count, &columns[0], &err) == FIRN_OK);
    CHECK(column_new(&self->scratch, TYPE_OF(BIGINT), count, &columns[1], &err) == FIRN_OK);
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t number = test_random(&seed) % 1000000;
        const bool is_long = long_every > 0 && i % long_every == 0;
        COLUMN_OUT(&columns[0], string_value)[i] = make_key(&self->scratch, number, is_long);
        COLUMN_OUT(&columns[1], int64_t)[i] = (int64_t)number;
    }
    row_writer writer;
    CHECK(row_writer_open(&state->store, 1, 0, &self->scratch, &writer, &err) == FIRN_OK);
    writer.may_spill = false;
    uint8_t **rows = ARENA_NEW(&self->scratch, uint8_t *, count);
    row_input in = {.columns = &columns[1 - state->columns[0].number], .count = count};
    CHECK(row_writer_append(&writer, &in, rows, &self->scratch, &err) == FIRN_OK);
    REQUIRE(in.next == count);
    *out = (sort_run){.pages = writer.parts[0], .count = count};
    writer.parts[0] = (row_pages){.spilled = {.owner = state->keeper}};
    row_writer_close(&writer);
    out->entries = pool_block_take(state->keeper, count * sizeof(sort_entry), &out->entries_bytes);
    REQUIRE(out->entries != NULL);
    for (uint32_t i = 0; i < count; i++) {
        text key = string_text(&COLUMN_VALUES(&columns[0], string_value)[i]);
        if (state->key_bytes > 0) {
            put_fixed_key(self, COLUMN_VALUES(&columns[1], int64_t)[i], rows[i]);
            key = sort_row_key(&state->store, rows[i]);
        }
        out->entries[i] = (sort_entry){.prefix = sort_key_prefix(key), .row = rows[i]};
    }
}

static void add_spilled(fixture *self, sort_run *run) {
    sort_state *state = self->state;
    CHECK(sort_entries(&state->store, run->entries, run->count, NULL, &self->scratch, &err) ==
          FIRN_OK);
    sort_run spilled;
    CHECK(sort_state_spill(state, 0, run->entries, run->count, &spilled, &err) == FIRN_OK);
    CHECK(spilled.count == run->count);
    sort_run_close(&state->store, run);
    CHECK(sort_state_add(state, &spilled, &err) == FIRN_OK);
}

// Runs the rounds of finish, one task after the other.
static void finish(fixture *self) {
    arena memory = arena_open(SIZE_MAX);
    finish_plan plan = {.memory = &memory};
    CHECK(sort_state_finish(self->state, &plan, &err) == FIRN_OK);
    while (plan.count > 0 || plan.then != NULL) {
        for (uint32_t i = 0; i < plan.count; i++) {
            op_call call = {
                .run = &self->run, .scratch = &self->scratch, .worker = i % self->run.worker_count};
            CHECK(plan.tasks[i].run(&plan.tasks[i], &call, &err) == FIRN_OK);
        }
        firn_status (*then)(void *, finish_plan *, firn_error *) = plan.then;
        plan = (finish_plan){.memory = &memory};
        CHECK(then == NULL || then(self->state, &plan, &err) == FIRN_OK);
    }
    arena_close(&memory);
}

// Merges range after range; the rows are in order, and as many as there were.
static void check_ranges(fixture *self, uint64_t count) {
    sort_state *state = self->state;
    uint64_t found = 0;
    int64_t last = -1;
    for (uint32_t range = 0; range < sort_state_range_count(state); range++) {
        sort_input *inputs = ARENA_NEW(&self->scratch, sort_input, state->run_count);
        for (uint32_t i = 0; i < state->run_count; i++) {
            inputs[i].run = state->ordered[i];
            CHECK(sort_state_range(state, range, inputs[i].run, &self->scratch, &inputs[i].range,
                                   &err) == FIRN_OK);
        }
        sort_merge merge = {0};
        REQUIRE(sort_merge_open(&state->store, inputs, state->run_count, &self->scratch, &merge,
                                &err) == FIRN_OK);
        for (;;) {
            uint8_t *rows[100];
            uint32_t taken;
            REQUIRE(sort_merge_take(&merge, rows, 100, &taken, &self->scratch, &err) == FIRN_OK);
            if (taken == 0) {
                break;
            }
            for (uint32_t i = 0; i < taken; i++) {
                int64_t number;
                memcpy(&number, rows[i] + state->layout.offsets[state->columns[0].number],
                       sizeof number);
                CHECK(number >= last);
                last = number;
            }
            found += taken;
        }
        sort_merge_close(&merge);
    }
    CHECK(found == count);
}

TEST(sort_more_runs_than_can_be_read_at_once_are_merged_in_rounds) {
    fixture self;
    fixture_open(&self, 2 * M, 1);
    for (uint32_t i = 0; i < 400; i++) {
        sort_run run;
        make_run(&self, 20 + i % 30, 0, &run);
        add_spilled(&self, &run);
    }
    uint64_t count = 0;
    for (uint32_t i = 0; i < 400; i++) {
        count += 20 + i % 30;
    }
    finish(&self);
    CHECK(self.state->round_count >= 1);
    CHECK(self.state->run_count < 120); // So many pages are in 2 MB.
    CHECK(self.state->run_count > 1);   // No more than must be were merged.
    check_ranges(&self, count);
    fixture_close(&self);
}

TEST(sort_spilled_runs_are_read_by_ranges_of_their_keys) {
    fixture self;
    fixture_open(&self, 64 * M, 2);
    for (uint32_t i = 0; i < 3; i++) {
        sort_run run;
        make_run(&self, 60000, 0, &run);
        add_spilled(&self, &run);
    }
    sort_run run;
    make_run(&self, 60000, 0, &run);
    CHECK(sort_state_add(self.state, &run, &err) == FIRN_OK);
    finish(&self);
    CHECK(sort_state_range_count(self.state) == 3); // Of 65536 rows at least.
    check_ranges(&self, 240000);
    fixture_close(&self);
}

TEST(sort_runs_in_memory_are_read_by_ranges_though_their_prefixes_are_equal) {
    fixture self;
    fixture_open(&self, 256 * M, 4);
    for (uint32_t i = 0; i < 4; i++) {
        sort_run run;
        make_run(&self, 50000, 0, &run); // Their prefixes hold two of six digits.
        CHECK(sort_state_add(self.state, &run, &err) == FIRN_OK);
    }
    finish(&self);
    CHECK(sort_state_range_count(self.state) == 3);
    check_ranges(&self, 200000);
    fixture_close(&self);
}

TEST(sort_keys_of_fixed_size_are_merged_in_memory_and_with_the_file) {
    for (uint32_t i = 0; i < 4; i++) {
        const bool is_wide = i % 2 == 1;
        const bool has_spilled = i >= 2;
        fixture self;
        fixture_open(&self, 256 * M, 4);
        use_fixed_keys(&self, is_wide ? 16 : 8);
        for (uint32_t k = 0; k < 4; k++) {
            sort_run run;
            make_run(&self, 40000, 0, &run);
            if (has_spilled && k == 2) {
                add_spilled(&self, &run);
            } else {
                CHECK(sort_state_add(self.state, &run, &err) == FIRN_OK);
            }
        }
        finish(&self);
        CHECK(self.state->is_packed != has_spilled);
        CHECK(self.state->packing.is_whole != is_wide);
        CHECK(has_spilled || sort_state_range_count(self.state) == 2);
        check_ranges(&self, 160000);
        fixture_close(&self);
    }
}

// Keys in blobs have a prefix in memory and none in the file.
TEST(sort_keys_longer_than_a_page_are_merged_with_short_ones) {
    fixture self;
    fixture_open(&self, 64 * M, 2);
    for (uint32_t i = 0; i < 4; i++) {
        sort_run run;
        make_run(&self, 100, 3, &run);
        if (i % 2 == 0) {
            add_spilled(&self, &run);
        } else {
            CHECK(sort_state_add(self.state, &run, &err) == FIRN_OK);
        }
    }
    finish(&self);
    CHECK(sort_state_range_count(self.state) == 1);
    check_ranges(&self, 400);
    fixture_close(&self);
}

TEST(sort_is_stopped_by_the_cancel_flag) {
    fixture self;
    fixture_open(&self, 64 * M, 1);
    sort_run run;
    make_run(&self, 100000, 0, &run);
    CHECK(sort_state_add(self.state, &run, &err) == FIRN_OK);
    cancel_raise(&self.run.cancel);
    firn_error stopped = FIRN_ERROR_INIT;
    CHECK(sort_entries(&self.state->store, run.entries, run.count, &self.run.cancel, &self.scratch,
                       &stopped) == FIRN_CANCELLED);
    fixture_close(&self);
}

TEST(sort_tells_scans_a_bound_that_only_tightens) {
    for (uint32_t is_descending = 0; is_descending < 2; is_descending++) {
        fixture self;
        fixture_open(&self, 64 * M, 1);
        dynamic_filter slot = {.content = NULL};
        self.run.dynamic = (dynamic_filters){.count = 1, .slots = &slot};
        expr key = {.kind = EXPR_COLUMN, .type = TYPE_OF(BIGINT), .column_ = {.id = 9}};
        sort_key keys[] = {{.value = &key}};
        const plan_node node = {.kind = PLAN_SORT, .sort_ = {.keys = {.count = 1, .items = keys}}};
        sort_order order = {.is_descending = is_descending == 1};
        const uint32_t id = 9;
        sort_state *state = self.state;
        state->node = &node;
        state->is_top = true;
        state->key_count = 1;
        state->orders = &order;
        sort_bound_open(state, &(input_layout){.count = 1, .ids = &id});
        sort_run run;
        make_run(&self, 500, 0, &run);
        int64_t tightest = 0;
        uint32_t count = 0;
        for (uint32_t i = 0; i < run.count; i++) {
            const uint8_t *row = run.entries[i].row;
            int64_t value;
            memcpy(&value, row + state->layout.offsets[1], sizeof value);
            const bool is_tighter = i == 0 || (is_descending ? value > tightest : value < tightest);
            tightest = is_tighter ? value : tightest;
            const dynamic_content *before = dynamic_content_of(&self.run.dynamic, 0);
            CHECK(sort_bound_tighten(state, row, &self.scratch, &err) == FIRN_OK);
            const dynamic_content *content = dynamic_content_of(&self.run.dynamic, 0);
            REQUIRE(content != NULL && !content->passes_null);
            CHECK((content != before) == is_tighter);
            count += is_tighter;
            CHECK((is_descending ? content->maximum : content->minimum) == NULL);
            const column *bound = (is_descending ? content->minimum : content->maximum)[0];
            CHECK(COLUMN_VALUES(bound, int64_t)[0] == tightest);
        }
        CHECK(count > 1 && count < 50);
        sort_run_close(&state->store, &run);
        fixture_close(&self);
    }
}
