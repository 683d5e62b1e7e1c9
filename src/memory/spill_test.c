#include "memory/spill.h"

#include <string.h>

#include "base/host.h"
#include "base/test.h"
#include "memory/page.h"
#include "memory/spill_private.h"

#define K ((size_t)1024)
#define M (K * 1024)

static firn_error err = FIRN_ERROR_INIT;

typedef struct fixture {
    pool *engine;
    pool *query;
    spill_area *area;
    spill *file;
    spill_desk desk;
} fixture;

static bool fixture_open(fixture *self, const spill_options *options) {
    *self = (fixture){0};
    CHECK(pool_open_engine(64 * M, &self->engine, &err) == FIRN_OK);
    const pool_options query = {.kind = POOL_QUERY, .name = "query"};
    CHECK(pool_open(self->engine, &query, &self->query, &err) == FIRN_OK);
    CHECK(spill_area_open(self->engine, options, &self->area, &err) == FIRN_OK);
    CHECK(spill_open(self->area, self->query, &self->file, &err) == FIRN_OK);
    self->desk = spill_desk_open(self->query);
    return self->file != NULL;
}

static void fixture_close(fixture *self) {
    spill_desk_close(&self->desk);
    spill_close(self->file);
    spill_area_close(self->area);
    CHECK(pool_used(self->engine) == 0);
    pool_close(self->query);
    pool_close(self->engine);
}

static const spill_options raw = {.folder = "/tmp", .form = SPILL_RAW};
static const spill_options lz4 = {.folder = "/tmp", .form = SPILL_LZ4};

// A page that LZ4 halves, or one that it cannot pack.
static void fill_page(uint8_t *page, size_t size, uint64_t seed, bool is_packable) {
    for (size_t i = 0; i < size; i++) {
        page[i] = is_packable && i % 16 > 4 ? (uint8_t)seed : (uint8_t)test_random(&seed);
    }
}

TEST(spill_pages_come_back_as_they_were) {
    static uint8_t page[1024 * 1024];
    static uint8_t back[1024 * 1024];
    const size_t sizes[] = {1,     5,      100,    511,        512,    513,  16 * K,
                            20000, 32 * K, 64 * K, 64 * K + 1, 300000, 1 * M};
    for (size_t round = 0; round < 4; round++) {
        fixture self;
        REQUIRE(fixture_open(&self, round < 2 ? &raw : &lz4));
        spill_slot slots[13];
        for (size_t i = 0; i < 13; i++) {
            fill_page(page, sizes[i], i, round % 2 == 0);
            CHECK(spill_write(self.file, &self.desk, (bytes){.data = page, .size = sizes[i]},
                              &slots[i], &err) == FIRN_OK);
            CHECK(!spill_slot_is_none(slots[i]));
            CHECK(slots[i].is_packed == (round == 2 && sizes[i] >= 100 && sizes[i] <= 64 * K));
        }
        for (size_t i = 0; i < 13; i++) {
            size_t size = 0;
            fill_page(page, sizes[i], i, round % 2 == 0);
            if (!slots[i].is_packed && sizes[i] > 7) { // A part of it, first.
                CHECK(spill_read_part(self.file, slots[i], 7, sizes[i] - 7, back, &err) == FIRN_OK);
                CHECK(memcmp(page + 7, back, sizes[i] - 7) == 0);
                CHECK(spill_read_part(self.file, slots[i], 7, sizes[i] - 6, back, &err) ==
                      FIRN_CORRUPT);
            }
            CHECK(spill_read(self.file, &self.desk, slots[i], back, sizeof back, &size, &err) ==
                  FIRN_OK);
            CHECK(size == sizes[i] && memcmp(page, back, size) == 0);
        }
        spill_report report;
        spill_describe(self.file, &report);
        CHECK(report.page_count == 13 && report.is_packing == (round >= 2));
        CHECK(report.read_bytes >= report.written_bytes);
        CHECK(round == 2 ? report.written_bytes < report.page_bytes
                         : report.written_bytes == report.page_bytes);
        fixture_close(&self);
    }
}

TEST(spill_file_is_made_at_the_first_write_and_its_room_is_used_again) {
    static uint8_t page[64 * 1024];
    fixture self;
    host_fault_set(HOST_OPEN, 0);
    REQUIRE(fixture_open(&self, &raw));
    CHECK(host_fault_count(HOST_OPEN) == 0);
    spill_slot slots[100];
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < 100; i++) {
            const bytes data = {.data = page, .size = (i % 4 + 1) * 16 * K};
            CHECK(spill_write(self.file, &self.desk, data, &slots[i], &err) == FIRN_OK);
        }
        for (size_t i = 0; i < 100; i++) {
            spill_free(self.file, slots[i]);
        }
    }
    spill_free(self.file, SPILL_SLOT_NONE);
    CHECK(host_fault_count(HOST_OPEN) == 1);
    spill_report report;
    spill_describe(self.file, &report);
    CHECK(report.file_bytes == 4000 * K && spill_area_bytes(self.area) == 4000 * K);
    fixture_close(&self);
}

TEST(spill_room_of_wide_pages_is_used_again) {
    static uint8_t page[1024 * 1024];
    fixture self;
    REQUIRE(fixture_open(&self, &raw));
    for (size_t round = 0; round < 5; round++) {
        spill_slot slots[16];
        for (size_t i = 0; i < 16; i++) { // Of any size up to so many times 64 KiB.
            const bytes data = {.data = page, .size = (i + 1) * 64 * K - round};
            CHECK(spill_write(self.file, &self.desk, data, &slots[i], &err) == FIRN_OK);
        }
        for (size_t i = 0; i < 16; i++) {
            spill_free(self.file, slots[i]);
        }
    }
    spill_run run = spill_run_open(self.query); // Its extents are as large as the largest pages.
    const bytes unit = {.data = page, .size = 1 * M};
    CHECK(spill_run_write(self.file, &self.desk, &run, unit, &err) == FIRN_OK);
    spill_run_free(self.file, &run);
    spill_report report;
    spill_describe(self.file, &report);
    CHECK(report.file_bytes == 16 * 17 / 2 * 64 * K);
    fixture_close(&self);
}

TEST(spill_space_cuts_slots_that_are_a_little_larger) {
    fixture self;
    REQUIRE(fixture_open(&self, &raw));
    spill_space space = {.owner = self.query};
    uint64_t first = 0;
    uint64_t second = 0;
    CHECK(spill_space_take(&space, 36, &first) && first == 0);
    spill_space_give(&space, first, 36);
    CHECK(spill_space_take(&space, 30, &second) && second == 36); // 36 is more than an eighth.
    CHECK(spill_space_take(&space, 32, &first) && first == 0);
    CHECK(spill_space_take(&space, 4, &second) && second == 32); // What was cut off.
    CHECK(spill_space_take(&space, SPILL_EXTENT_STEPS, &first) && first == 66);
    spill_space_give(&space, first, SPILL_EXTENT_STEPS);
    CHECK(spill_space_take(&space, SPILL_EXTENT_STEPS, &second) && second == 66);
    space.end_steps = SPILL_STEPS_END - 1;
    CHECK(!spill_space_take(&space, 2, &first));
    CHECK(spill_space_take(&space, 1, &first));
    host_fault_set(HOST_ALLOC, 1); // No memory to remember it: the room is lost, nothing else.
    spill_space_give(&space, first, 1);
    host_fault_set(HOST_ALLOC, 0);
    spill_space_close(&space);
    fixture_close(&self);
}

TEST(spill_space_remembers_many_slots_in_counted_memory) {
    fixture self;
    REQUIRE(fixture_open(&self, &raw));
    const uint64_t before = pool_used(self.query);
    const uint64_t count = 10 * SPILL_FREE_COUNT + 1;
    spill_space space = {.owner = self.query};
    uint64_t offset = 0;
    for (uint64_t i = 0; i < count; i++) {
        CHECK(spill_space_take(&space, 2, &offset) && offset == 2 * i);
    }
    for (uint64_t i = 0; i < count; i++) {
        spill_space_give(&space, 2 * i, 2);
    }
    CHECK(pool_used(self.query) - before == 11 * sizeof(spill_free_part));
    for (uint64_t i = count; i > 0; i--) {
        CHECK(spill_space_take(&space, 2, &offset) && offset == 2 * (i - 1));
    }
    CHECK(pool_used(self.query) == before);
    CHECK(spill_space_take(&space, 2, &offset) && offset == 2 * count);
    spill_space_close(&space);
    fixture_close(&self);
}

TEST(spill_errors_name_the_folder_the_bytes_and_the_way_out) {
    uint8_t page[1000] = {1};
    const bytes data = {.data = page, .size = sizeof page};
    spill_slot slot;
    size_t size = 0;
    fixture self;
    REQUIRE(fixture_open(&self, &raw));
    host_fault_set(HOST_OPEN, 1);
    CHECK(spill_write(self.file, &self.desk, data, &slot, &err) == FIRN_IO);
    CHECK(strstr(err.text, "making a spill file in temp_directory \"/tmp\"") != NULL);
    CHECK(spill_write(self.file, &self.desk, data, &slot, &err) == FIRN_OK);
    host_fault_set(HOST_WRITE, 1);
    spill_slot other;
    CHECK(spill_write(self.file, &self.desk, data, &other, &err) == FIRN_IO);
    CHECK(spill_slot_is_none(other) && strcmp(err.sqlstate, "53100") == 0);
    CHECK(strstr(err.text, "writing 1000 bytes") != NULL);
    CHECK(strstr(err.text, "temp_directory \"/tmp\" after 1000 bytes") != NULL);
    CHECK(strstr(err.hint, "temp_directory") != NULL);
    host_fault_set(HOST_READ, 1);
    CHECK(spill_read(self.file, &self.desk, slot, page, sizeof page, &size, &err) == FIRN_IO);
    CHECK(strstr(err.text, "reading the spill file") != NULL);
    CHECK(spill_read(self.file, &self.desk, slot, page, 999, &size, &err) == FIRN_CORRUPT);
    slot.offset_steps = 100;
    CHECK(spill_read(self.file, &self.desk, slot, page, sizeof page, &size, &err) == FIRN_CORRUPT);
    host_fault_set(HOST_READ, 0);
    fixture_close(&self);
}

TEST(spill_unpack_refuses_what_was_not_packed) {
    uint8_t out[100];
    size_t size = 0;
    const uint8_t junk[] = {0xff, 0xff, 0xff, 0xff, 0x01, 0x02};
    const spill_slot slot = {.offset_steps = 1, .size = sizeof junk, .is_packed = true};
    CHECK(spill_unpack(slot, junk, out, sizeof out, &size, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "6 packed bytes cannot be unpacked") != NULL);
}

TEST(spill_packs_when_page_cache_runs_short) {
    static uint8_t page[64 * 1024];
    fill_page(page, sizeof page, 1, true);
    fixture self; // 64 MiB are the engine's, so the cache has 8; half of it is the mark.
    const spill_options options = {.folder = "/tmp", .memory_bytes = 72 * M};
    REQUIRE(fixture_open(&self, &options));
    spill_slot slot;
    for (size_t i = 0; i < 65; i++) {
        CHECK(spill_write(self.file, &self.desk, (bytes){.data = page, .size = sizeof page}, &slot,
                          &err) == FIRN_OK);
        CHECK(!slot.is_packed);
    }
    CHECK(spill_write(self.file, &self.desk, (bytes){.data = page, .size = sizeof page}, &slot,
                      &err) == FIRN_OK);
    CHECK(slot.is_packed);
    fixture_close(&self);
}

TEST(spill_writes_behind_in_a_tight_cgroup) {
    static uint8_t page[64 * 1024];
    static uint8_t back[64 * 1024];
    fixture self;
    const spill_options options = {.folder = "/tmp", .form = SPILL_RAW, .cgroup_bytes = 100 * M};
    REQUIRE(fixture_open(&self, &options));
    static spill_slot slots[800]; // 50 MiB: three steps.
    for (size_t i = 0; i < 800; i++) {
        fill_page(page, 4096, i, false);
        CHECK(spill_write(self.file, &self.desk, (bytes){.data = page, .size = sizeof page},
                          &slots[i], &err) == FIRN_OK);
    }
    for (size_t i = 0; i < 800; i += 50) {
        size_t size = 0;
        fill_page(page, 4096, i, false);
        CHECK(spill_read(self.file, &self.desk, slots[i], back, sizeof back, &size, &err) ==
              FIRN_OK);
        CHECK(memcmp(page, back, 4096) == 0);
    }
    fixture_close(&self);
}

// ---- Lists and runs ----------------------------------------------------------------------------

TEST(spill_lists_grow_are_counted_and_join) {
    fixture self;
    REQUIRE(fixture_open(&self, &raw));
    const uint64_t before = pool_used(self.query);
    spill_list one = {.owner = self.query};
    spill_list two = {.owner = self.query};
    for (uint64_t i = 1; i <= 1000; i++) {
        const spill_slot slot = spill_slot_at(i, 1, false);
        CHECK(spill_list_push(i <= 400 ? &one : &two, slot, &err) == FIRN_OK);
    }
    CHECK(pool_used(self.query) == before + (512 + 1024) * sizeof(spill_slot));
    CHECK(spill_list_append(&one, &two, &err) == FIRN_OK);
    CHECK(one.count == 1000 && two.count == 0);
    CHECK(spill_list_append(&two, &one, &err) == FIRN_OK); // Just handed over.
    for (uint64_t i = 1; i <= 1000; i++) {
        CHECK(two.slots[i - 1].offset_steps == i);
    }
    spill_list_close(&one);
    spill_list_close(&two);
    CHECK(pool_used(self.query) == before);
    host_fault_set(HOST_ALLOC, 1);
    CHECK(spill_list_push(&one, (spill_slot){.size = 1}, &err) == FIRN_NO_MEMORY);
    host_fault_set(HOST_ALLOC, 0);
    fixture_close(&self);
}

static void check_run(fixture *self, const spill_run *run, size_t capacity, uint8_t *buffer) {
    static uint8_t unit[32 * 1024];
    static uint8_t back[32 * 1024];
    size_t at = 0;
    size_t calls = 0;
    while (at < run->units.count) {
        const size_t count = spill_run_span(run, at, capacity);
        REQUIRE(count > 0 && at + count <= run->units.count);
        REQUIRE(spill_run_read(self->file, run, at, count, buffer, &err) == FIRN_OK);
        for (size_t i = at; i < at + count; i++) {
            size_t size = 0;
            fill_page(unit, 32 * K - i, i, true);
            REQUIRE(spill_unpack(run->units.slots[i], buffer + spill_run_offset(run, at, i), back,
                                 sizeof back, &size, &err) == FIRN_OK);
            CHECK(size == 32 * K - i && memcmp(unit, back, size) == 0);
        }
        at += count;
        calls += 1;
    }
    CHECK(calls <= run->units.count * 64 * K / capacity + 2); // Many units a call.
    CHECK(spill_run_span(run, at, capacity) == 0);
}

TEST(spill_runs_are_read_in_spans_of_units) {
    static uint8_t unit[32 * 1024];
    static uint8_t buffer[1024 * 1024];
    for (size_t round = 0; round < 2; round++) {
        fixture self;
        REQUIRE(fixture_open(&self, round == 0 ? &raw : &lz4));
        spill_run runs[2] = {spill_run_open(self.query), spill_run_open(self.query)};
        for (size_t i = 0; i < 200; i++) { // Two runs grow at the same time.
            fill_page(unit, 32 * K - i, i, true);
            for (size_t j = 0; j < 2; j++) {
                CHECK(spill_run_write(self.file, &self.desk, &runs[j],
                                      (bytes){.data = unit, .size = 32 * K - i}, &err) == FIRN_OK);
            }
        }
        check_run(&self, &runs[0], 64 * K, buffer);
        check_run(&self, &runs[1], M, buffer);
        spill_report report;
        spill_describe(self.file, &report);
        const uint64_t file_bytes = report.file_bytes;
        spill_run_free(self.file, &runs[0]);
        spill_run_free(self.file, &runs[1]);
        for (size_t i = 0; i < 200; i++) { // Into the extents of the others.
            CHECK(spill_run_write(self.file, &self.desk, &runs[1],
                                  (bytes){.data = unit, .size = sizeof unit}, &err) == FIRN_OK);
        }
        spill_describe(self.file, &report);
        CHECK(report.file_bytes == file_bytes);
        spill_run_free(self.file, &runs[1]);
        fixture_close(&self);
    }
}

// Whatever call of a kind fails: an error or success, and nothing is lost.
TEST(spill_survives_each_refused_allocation_and_write) {
    static uint8_t unit[16 * 1024];
    const host_call kinds[] = {HOST_ALLOC, HOST_MAP, HOST_WRITE, HOST_OPEN};
    for (size_t kind = 0; kind < 4; kind++) {
        for (uint64_t n = 1; n < 40; n++) {
            fixture self;
            REQUIRE(fixture_open(&self, &lz4));
            spill_run run = spill_run_open(self.query);
            firn_status status = FIRN_OK;
            host_fault_set(kinds[kind], n);
            for (size_t i = 0; i < 40 && status == FIRN_OK; i++) {
                spill_slot slot;
                fill_page(unit, sizeof unit, i, i % 3 != 0);
                const bytes page = {.data = unit, .size = sizeof unit};
                status = spill_write(self.file, &self.desk, page, &slot, &err);
                if (status == FIRN_OK) {
                    spill_free(self.file, slot);
                    status = spill_run_write(self.file, &self.desk, &run, page, &err);
                }
            }
            CHECK(status == FIRN_OK || status == FIRN_IO || status == FIRN_NO_MEMORY);
            host_fault_set(kinds[kind], 0);
            spill_run_free(self.file, &run);
            fixture_close(&self);
        }
    }
}

typedef struct writer {
    spill *file;
    pool *query;
    uint64_t seed;
    uint64_t wrong;
} writer;

static void write_and_read(void *user) {
    writer *self = user;
    firn_error own = FIRN_ERROR_INIT;
    spill_desk desk = spill_desk_open(self->query);
    uint8_t page[16 * 1024];
    uint8_t back[16 * 1024];
    spill_slot slots[20] = {{0}};
    for (uint64_t i = 0; i < 200; i++) {
        const size_t at = i % 20;
        size_t size = 0;
        if (!spill_slot_is_none(slots[at])) {
            fill_page(page, sizeof page, self->seed + i - 20, true);
            self->wrong +=
                spill_read(self->file, &desk, slots[at], back, sizeof back, &size, &own) != FIRN_OK;
            self->wrong += memcmp(page, back, sizeof page) != 0;
            spill_free(self->file, slots[at]);
        }
        fill_page(page, sizeof page, self->seed + i, true);
        self->wrong += spill_write(self->file, &desk, (bytes){.data = page, .size = sizeof page},
                                   &slots[at], &own) != FIRN_OK;
    }
    spill_desk_close(&desk);
}

TEST(spill_file_serves_many_workers) {
    fixture self;
    REQUIRE(fixture_open(&self, &lz4));
    writer writers[4];
    host_thread *threads[4];
    for (size_t i = 0; i < 4; i++) {
        writers[i] = (writer){.file = self.file, .query = self.query, .seed = i * 1000};
        REQUIRE(host_thread_start(write_and_read, &writers[i], &threads[i], &err) == FIRN_OK);
    }
    for (size_t i = 0; i < 4; i++) {
        host_thread_join(threads[i]);
        CHECK(writers[i].wrong == 0);
    }
    fixture_close(&self);
}
