#include "memory/slab.h"

#include <string.h>

#include "base/compiler.h"
#include "base/host.h"
#include "base/test.h"

#define K ((size_t)1024)
#define NO_ROOM_LIMIT UINT64_MAX

TEST(slab_pieces_are_aligned_apart_and_writable) {
    slab_store store = {0};
    static const struct {
        slab_class class;
        size_t size;
    } kinds[] = {{SLAB_PAGES_16K, 16 * K}, {SLAB_PAGES_32K, 32 * K}, {SLAB_PAGES_64K, 64 * K}};
    for (size_t kind = 0; kind < 3; kind++) {
        const size_t size = kinds[kind].size;
        uint8_t *pieces[200];
        for (size_t i = 0; i < 200; i++) {
            pieces[i] = slab_take(&store, kinds[kind].class, size, NO_ROOM_LIMIT);
            REQUIRE(pieces[i] != NULL);
            CHECK((uintptr_t)pieces[i] % size == 0);
            memset(pieces[i], (int)i, size);
        }
        CHECK(store.taken == 200 * size);
        CHECK(store.resident >= store.taken && store.resident < store.taken + 2 * SLAB_BYTES);
        for (size_t i = 0; i < 200; i++) {
            CHECK(pieces[i][0] == (uint8_t)i && pieces[i][size - 1] == (uint8_t)i);
            slab_give(&store, pieces[i], size);
        }
        CHECK(store.taken == 0);
    }
    slab_store_end(&store);
    CHECK(store.resident == 0 && store.slab_count == 0);
}

TEST(slab_blocks_find_runs_between_others) {
    slab_store store = {0};
    uint8_t *blocks[8];
    for (size_t i = 0; i < 8; i++) { // 8 times 16 granules fill a slab.
        blocks[i] = slab_take(&store, SLAB_BLOCKS, 256 * K, NO_ROOM_LIMIT);
        REQUIRE(blocks[i] != NULL);
    }
    CHECK(store.slab_count == 1);
    slab_give(&store, blocks[1], 256 * K);
    slab_give(&store, blocks[3], 256 * K);
    uint8_t *small = slab_take(&store, SLAB_BLOCKS, 16 * K, NO_ROOM_LIMIT);
    CHECK(small == blocks[1]);
    uint8_t *same = slab_take(&store, SLAB_BLOCKS, 256 * K, NO_ROOM_LIMIT);
    CHECK(same == blocks[3]);
    uint8_t *rest = slab_take(&store, SLAB_BLOCKS, 240 * K, NO_ROOM_LIMIT);
    CHECK(rest == blocks[1] + 16 * K);
    CHECK(store.slab_count == 1);
    slab_give(&store, small, 16 * K);
    slab_give(&store, same, 256 * K);
    slab_give(&store, rest, 240 * K);
    uint8_t *largest = slab_take(&store, SLAB_BLOCKS, SLAB_PIECE_MAX, NO_ROOM_LIMIT);
    CHECK(largest != NULL && store.slab_count == 2);
    slab_give(&store, largest, SLAB_PIECE_MAX);
    for (size_t i = 0; i < 8; i++) {
        if (i != 1 && i != 3) {
            slab_give(&store, blocks[i], 256 * K);
        }
    }
    slab_store_end(&store);
}

TEST(slab_take_prefers_the_fullest_slab_so_that_empty_ones_appear) {
    slab_store store = {0};
    void *pages[64];
    for (size_t i = 0; i < 64; i++) { // Two slabs of 32 pages.
        pages[i] = slab_take(&store, SLAB_PAGES_64K, 64 * K, NO_ROOM_LIMIT);
    }
    for (size_t i = 0; i < 64; i++) { // The first keeps 24, the second 2.
        if (i < 32 ? i % 4 == 0 : i % 16 != 0) {
            slab_give(&store, pages[i], 64 * K);
            pages[i] = NULL;
        }
    }
    for (size_t i = 0; i < 8; i++) {
        void *page = slab_take(&store, SLAB_PAGES_64K, 64 * K, NO_ROOM_LIMIT);
        CHECK((uintptr_t)page / SLAB_BYTES == (uintptr_t)pages[1] / SLAB_BYTES);
        pages[i * 4] = page;
    }
    slab_give(&store, pages[32], 64 * K);
    slab_give(&store, pages[48], 64 * K);
    CHECK(slab_release_empty(&store, 1) == SLAB_BYTES);
    CHECK(slab_release_empty(&store, 1) == 0);
    CHECK(store.slab_count == 1 && store.resident == SLAB_BYTES);
    for (size_t i = 0; i < 32; i++) {
        slab_give(&store, pages[i], 64 * K);
    }
    slab_store_end(&store);
}

TEST(slab_empty_ones_serve_another_class) {
    slab_store store = {0};
    void *page = slab_take(&store, SLAB_PAGES_64K, 64 * K, NO_ROOM_LIMIT);
    slab_give(&store, page, 64 * K);
    void *other = slab_take(&store, SLAB_PAGES_16K, 16 * K, 0);
    CHECK(other != NULL && store.slab_count == 1);
    slab_give(&store, other, 16 * K);
    slab_store_end(&store);
}

TEST(slab_without_room_for_all_is_resident_piece_by_piece) {
    slab_store store = {0};
    CHECK(slab_take(&store, SLAB_PAGES_16K, 16 * K, 15 * K) == NULL);
    void *first = slab_take(&store, SLAB_PAGES_16K, 16 * K, 100 * K);
    REQUIRE(first != NULL);
    CHECK(store.resident == 16 * K);
    CHECK(slab_take(&store, SLAB_PAGES_16K, 16 * K, 0) == NULL);
    void *second = slab_take(&store, SLAB_PAGES_16K, 16 * K, 16 * K);
    REQUIRE(second != NULL);
    CHECK(store.resident == 32 * K);
    slab_give(&store, first, 16 * K);
    CHECK(slab_take(&store, SLAB_PAGES_16K, 16 * K, 0) == first); // It still is resident.
    slab_give(&store, first, 16 * K);
    slab_give(&store, second, 16 * K);
    CHECK(store.resident == 0 && store.slab_count == 0); // Small pages are not worth keeping.
    slab_store_end(&store);
}

TEST(slab_gives_free_granules_of_used_slabs_back) {
    slab_store store = {0};
    uint8_t *pages[32];
    for (size_t i = 0; i < 32; i++) {
        pages[i] = slab_take(&store, SLAB_PAGES_64K, 64 * K, NO_ROOM_LIMIT);
        memset(pages[i], 1, 64 * K);
    }
    for (size_t i = 0; i < 32; i += 2) {
        slab_give(&store, pages[i], 64 * K);
    }
    CHECK(slab_release_empty(&store, UINT64_MAX) == 0);
    CHECK(slab_release_granules(&store, 100 * K) == 128 * K); // Two runs of 64 KiB.
    CHECK(store.resident == SLAB_BYTES - 128 * K);
    CHECK(slab_release_granules(&store, UINT64_MAX) == 14 * 64 * K);
    CHECK(store.resident == 16 * 64 * K);
    CHECK(pages[1][0] == 1 && pages[31][64 * K - 1] == 1); // The neighbours are untouched.
    CHECK(slab_take(&store, SLAB_PAGES_64K, 64 * K, 63 * K) == NULL);
    uint8_t *again = slab_take(&store, SLAB_PAGES_64K, 64 * K, 64 * K);
    REQUIRE(again != NULL);
    CHECK(again[0] == 0 && store.resident == 17 * 64 * K);
    slab_give(&store, again, 64 * K);
    for (size_t i = 1; i < 32; i += 2) {
        slab_give(&store, pages[i], 64 * K);
    }
    slab_store_end(&store);
}

TEST(slab_survives_a_system_that_refuses) {
    slab_store store = {0};
    for (uint64_t n = 1; n <= 2; n++) { // The table, then the slab.
        host_fault_set(HOST_ALLOC, n);
        CHECK(slab_take(&store, SLAB_PAGES_64K, 64 * K, NO_ROOM_LIMIT) == NULL);
    }
    host_fault_set(HOST_MAP, 1);
    CHECK(slab_take(&store, SLAB_PAGES_64K, 64 * K, NO_ROOM_LIMIT) == NULL);
    host_fault_set(HOST_MAP, 0);
    CHECK(store.resident == 0 && store.taken == 0);
    slab_store_end(&store);
}

// Any sequence of takes and gives: pieces never overlap, the numbers always agree.
TEST(slab_chance_keeps_pieces_apart) {
    enum { PIECES = 300 };
    slab_store store = {0};
    uint8_t *pieces[PIECES] = {0};
    size_t sizes[PIECES] = {0};
    uint64_t seed = 7;
    uint64_t expected = 0;
    for (uint32_t step = 0; step < 6000; step++) {
        const size_t at = test_random(&seed) % PIECES;
        const size_t choice = test_random(&seed) % 100000;
        if (pieces[at] != NULL) {
            CHECK(pieces[at][0] == (uint8_t)at && pieces[at][sizes[at] - 1] == (uint8_t)at);
            slab_give(&store, pieces[at], sizes[at]);
            expected -= sizes[at];
            pieces[at] = NULL;
        } else {
            const slab_class class = (slab_class)(choice % 4);
            sizes[at] = class == SLAB_BLOCKS ? (choice % 64 + 1) * 16 * K : 16 * K << class;
            pieces[at] = slab_take(&store, class, sizes[at], NO_ROOM_LIMIT);
            REQUIRE(pieces[at] != NULL);
            pieces[at][0] = (uint8_t)at;
            pieces[at][sizes[at] - 1] = (uint8_t)at;
            expected += sizes[at];
        }
        CHECK(store.taken == expected && store.resident >= expected);
        if (choice % 97 == 0) {
            (void)slab_release_empty(&store, SLAB_BYTES);
            (void)slab_release_granules(&store, (choice % 5) * 64 * K);
        }
    }
    for (size_t i = 0; i < PIECES; i++) {
        if (pieces[i] != NULL) {
            slab_give(&store, pieces[i], sizes[i]);
        }
    }
    slab_store_end(&store);
}
