#include "formats/parquet/pq_page_index.h"

#include "base/test.h"
#include "formats/parquet/pq_bloom.h"

TEST(pq_page_index_finds_rows_and_pages) {
    pq_page_location pages[] = {
        {.first_row = 0}, {.first_row = 10}, {.first_row = 10}, {.first_row = 25}};
    const pq_offset_index index = {.pages = {.count = 4, .items = pages}};
    CHECK(pq_page_of_row(&index, 0) == 0 && pq_page_of_row(&index, 9) == 0);
    CHECK(pq_page_of_row(&index, 10) == 2 && pq_page_of_row(&index, 24) == 2);
    CHECK(pq_page_of_row(&index, 25) == 3 && pq_page_of_row(&index, 1000) == 3);
    CHECK(pq_page_rows(&index, 1, 40).from == 10 && pq_page_rows(&index, 1, 40).to == 10);
    CHECK(pq_page_rows(&index, 3, 40).from == 25 && pq_page_rows(&index, 3, 40).to == 40);
    const pq_offset_index empty = {.pages = {.count = 0}};
    CHECK(pq_page_of_row(&empty, 3) == 0);
}

#define ROWS 60

TEST(pq_row_spans_lose_what_is_removed) {
    uint64_t seed = 4;
    for (int round = 0; round < 200; round++) {
        bool is_left[ROWS];
        for (size_t i = 0; i < ROWS; i++) {
            is_left[i] = true;
        }
        pq_row_span items[40] = {{.from = 0, .to = ROWS}};
        pq_row_spans spans = {.count = 1, .items = items};
        for (int step = 0; step < 12; step++) {
            const uint64_t from = test_random(&seed) % ROWS;
            const uint64_t to = from + test_random(&seed) % 12;
            pq_row_spans_remove(&spans, from, to);
            for (uint64_t i = from; i < to && i < ROWS; i++) {
                is_left[i] = false;
            }
            bool listed[ROWS] = {false};
            uint64_t rows = 0;
            for (size_t s = 0; s < spans.count; s++) {
                CHECK(items[s].from < items[s].to && (s == 0 || items[s - 1].to < items[s].from));
                for (uint64_t i = items[s].from; i < items[s].to; i++) {
                    listed[i] = true;
                    rows += 1;
                }
            }
            bool same = true;
            for (size_t i = 0; i < ROWS; i++) {
                same = same && listed[i] == is_left[i];
            }
            CHECK(same && rows == pq_row_spans_rows(&spans));
        }
    }
}

TEST(pq_bloom_contains_what_was_inserted) {
    uint8_t bitset[64 * PQ_BLOOM_BLOCK_BYTES] = {0};
    for (uint64_t i = 0; i < 500; i++) {
        const bytes value = {.data = (const uint8_t *)&i, .size = sizeof i};
        pq_bloom_insert(bitset, sizeof bitset, pq_bloom_hash_of(value));
    }
    const pq_bloom bloom = {.bitset = {.data = bitset, .size = sizeof bitset}};
    uint32_t wrong = 0;
    for (uint64_t i = 0; i < 10500; i++) {
        const bytes value = {.data = (const uint8_t *)&i, .size = sizeof i};
        const bool may_contain = pq_bloom_may_contain(&bloom, pq_bloom_hash_of(value));
        CHECK(i >= 500 || may_contain);
        wrong += i >= 500 && may_contain;
    }
    CHECK(wrong < 100); // 32 bits a value: one in a thousand or so.
}

TEST(pq_bloom_hashes_as_xxh64_does) {
    const bytes hello = {.data = (const uint8_t *)"hello", .size = 5};
    CHECK(pq_bloom_hash_of(hello) == UINT64_C(0x26c7827d889f6da3));
}
