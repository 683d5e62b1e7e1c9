// What pages, blocks, arenas, hashes, the spill file and a slice of the scheduler cost.
//
//     build/release/bench_memory
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/host.h"
#include "memory/arena.h"
#include "memory/page.h"
#include "memory/spill.h"
#include "threads/scheduler.h"

#define M ((uint64_t)1 << 20)
#define PAGE_COUNT 1000

static firn_error err = FIRN_ERROR_INIT;

static void must(firn_status status) {
    if (status != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

static void show(const char *what, int64_t begin_ns, double count, const char *unit) {
    printf("%-44s %9.2f ns per %s\n", what, (double)(host_clock_ns() - begin_ns) / count, unit);
}

static pool *open_pool(pool *parent, pool_kind kind) {
    pool *out = NULL;
    if (parent == NULL) {
        must(pool_open_engine(1024 * M, &out, &err));
    } else {
        must(pool_open(parent, &(pool_options){.kind = kind, .name = "bench"}, &out, &err));
    }
    return out;
}

static void measure_pages(pool *keeper) {
    static void *pages[PAGE_COUNT];
    for (int round = 0; round < 2; round++) {
        const int64_t begin_ns = host_clock_ns();
        for (size_t i = 0; i < PAGE_COUNT; i++) {
            pages[i] = page_get(keeper);
            memset(pages[i], 1, page_size_of(keeper));
        }
        show(round == 0 ? "page of 64 KiB, fresh, filled" : "page, used before, filled", begin_ns,
             PAGE_COUNT, "page");
        for (size_t i = 0; i < PAGE_COUNT; i++) {
            page_put(keeper, pages[i]);
        }
    }
    const int64_t begin_ns = host_clock_ns();
    for (size_t i = 0; i < 1000000; i++) {
        page_put(keeper, page_get(keeper));
    }
    show("page_get and page_put", begin_ns, 1000000, "pair");
}

static void measure_blocks(pool *keeper) {
    const size_t sizes[] = {1000, 100000, 600000, 3000000};
    for (size_t i = 0; i < 4; i++) {
        const int64_t begin_ns = host_clock_ns();
        for (size_t j = 0; j < 10000; j++) {
            size_t capacity = 0;
            void *block = pool_block_take(keeper, sizes[i], &capacity);
            memset(block, 1, 64);
            pool_block_give(keeper, block, capacity);
        }
        char what[64];
        (void)snprintf(what, sizeof what, "block of %zu bytes, taken and given", sizes[i]);
        show(what, begin_ns, 10000, "pair");
    }
}

static void measure_arena(pool *query) {
    arena scratch = arena_open_in(query, SIZE_MAX);
    const arena_mark mark = arena_mark_take(&scratch);
    const int64_t begin_ns = host_clock_ns();
    for (size_t batch = 0; batch < 100000; batch++) {
        for (size_t i = 0; i < 20; i++) {
            uint64_t *values = ARENA_NEW(&scratch, uint64_t, 2048);
            values[0] = i;
        }
        arena_rewind(&scratch, mark);
    }
    show("arena, 20 vectors of 2,048 values and a rewind", begin_ns, 100000, "batch");
    arena_close(&scratch);
}

static void measure_hashes(void) {
    static uint64_t values[4096];
    static uint64_t hashes[4096];
    uint64_t sum = 0;
    int64_t begin_ns = host_clock_ns();
    for (size_t round = 0; round < 10000; round++) {
        values[0] = round;
        for (size_t i = 0; i < 4096; i++) {
            hashes[i] = hash_u64(values[i]);
        }
        sum += hashes[round % 4096];
    }
    show("hash_u64", begin_ns, 10000.0 * 4096, "value");
    static const size_t sizes[] = {5, 12, 24, 100};
    for (size_t size = 0; size < 4; size++) {
        const char *bytes_of = (const char *)values;
        begin_ns = host_clock_ns();
        for (size_t i = 0; i < 10000000; i++) {
            sum += hash_bytes(bytes_of + i % 4096, sizes[size]);
        }
        char what[64];
        (void)snprintf(what, sizeof what, "hash_bytes of %zu bytes", sizes[size]);
        show(what, begin_ns, 10000000, "value");
    }
    printf("(%llu)\n", (unsigned long long)(sum & 1));
}

static void measure_spill(pool *engine, pool *query) {
    static uint8_t page[64 * 1024];
    static spill_slot slots[4000];
    for (size_t i = 0; i < sizeof page; i++) { // Rows: half of the bytes repeat.
        page[i] = (uint8_t)(i % 8 < 4 ? 0 : hash_u32((uint32_t)i));
    }
    for (int form = SPILL_RAW; form <= SPILL_LZ4; form++) {
        spill_area *area = NULL;
        spill *file = NULL;
        const char *folder = host_environment("TMPDIR");
        const spill_options options = {.folder = folder == NULL ? "/tmp" : folder,
                                       .form = (spill_form)form};
        must(spill_area_open(engine, &options, &area, &err));
        must(spill_open(area, query, &file, &err));
        spill_desk desk = spill_desk_open(query);
        const double bytes_in_all = 4000.0 * sizeof page;
        for (int round = 0; round < 2; round++) {
            const int64_t begin_ns = host_clock_ns();
            for (size_t i = 0; i < 4000; i++) {
                spill_free(file, slots[i]);
                must(spill_write(file, &desk, (bytes){.data = page, .size = sizeof page}, &slots[i],
                                 &err));
            }
            printf("spill, %s, %s%26.2f GB/s\n", form == SPILL_RAW ? "raw" : "LZ4",
                   round == 0 ? "first write" : "reused slot",
                   bytes_in_all / (double)(host_clock_ns() - begin_ns));
        }
        const int64_t begin_ns = host_clock_ns();
        for (size_t i = 0; i < 4000; i++) {
            size_t size = 0;
            must(spill_read(file, &desk, slots[i], page, sizeof page, &size, &err));
            slots[i] = SPILL_SLOT_NONE;
        }
        printf("spill, %s, read%33.2f GB/s\n", form == SPILL_RAW ? "raw" : "LZ4",
               bytes_in_all / (double)(host_clock_ns() - begin_ns));
        spill_desk_close(&desk);
        spill_close(file);
        spill_area_close(area);
    }
}

typedef struct slicer {
    task task; // First.
    unsigned left;
    atomic_uint *open;
} slicer;

static task_answer run_slicer(task *self) {
    slicer *one = (slicer *)self;
    one->left -= 1;
    if (one->left > 0) {
        return TASK_AGAIN;
    }
    atomic_fetch_sub(one->open, 1);
    return TASK_DONE;
}

static bool is_zero(void *user) {
    return atomic_load((atomic_uint *)user) == 0;
}

static void measure_scheduler(uint32_t threads) {
    scheduler *owner = NULL;
    task_group *group = NULL;
    must(scheduler_open(&(scheduler_options){.threads = threads}, &owner, &err));
    must(task_group_open(owner, &group, &err));
    atomic_uint open = 4;
    slicer tasks[4];
    const int64_t begin_ns = host_clock_ns();
    for (size_t i = 0; i < 4; i++) {
        tasks[i] = (slicer){.task = {.run = run_slicer}, .left = 100000, .open = &open};
        task_group_submit(group, &tasks[i].task, true);
    }
    task_group_run_until(group, is_zero, &open);
    char what[64];
    (void)snprintf(what, sizeof what, "scheduler, an empty slice, %u threads", threads);
    show(what, begin_ns, 400000, "slice");
    task_group_close(group);
    scheduler_close(owner);
}

int main(void) {
    pool *engine = open_pool(NULL, POOL_ENGINE);
    pool *query = open_pool(engine, POOL_QUERY);
    pool *keeper = open_pool(query, POOL_STATE);
    measure_pages(keeper);
    measure_blocks(keeper);
    measure_arena(query);
    measure_hashes();
    measure_spill(engine, query);
    measure_scheduler(1);
    measure_scheduler(2);
    pool_close(keeper);
    pool_close(query);
    pool_close(engine);
    return 0;
}
