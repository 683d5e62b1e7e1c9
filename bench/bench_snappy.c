// Gigabytes of output a second of the Snappy decoder, by content, shape and blocks at once, with
// libsnappy beside it; and of the encoder.
//
// The content is made to be like columns of TPC-H, in pages of 20,000 rows. The fastest of several
// rounds counts: noise only ever adds time.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/compiler.h"
#include "base/test.h"
#include "codecs/snappy.h"

#ifdef FIRN_ORACLE_SNAPPY
#include <snappy-c.h>
#endif

#define PAGES 12
#define ROWS 20000
#define PAGE_BYTES ((size_t)ROWS * 8)
#define ROUNDS 15

typedef struct page {
    size_t plain_size;
    size_t block_size;
    uint8_t plain[PAGE_BYTES];
    uint8_t block[PAGE_BYTES + PAGE_BYTES / 4 + 64];
    uint8_t out[PAGE_BYTES];
} page;

static page pages[PAGES];
static uint64_t seed = 1;

static uint64_t random_below(uint64_t bound) {
    return test_random(&seed) % bound;
}

static size_t put(uint8_t *to, int64_t value) {
    memcpy(to, &value, sizeof value);
    return sizeof value;
}

static size_t fill_price(uint8_t *out) {
    size_t at = 0;
    while (at < PAGE_BYTES) {
        const int64_t part = 1 + (int64_t)random_below(200000);
        const int64_t retail = 90000 + part / 10 % 20001 + 100 * (part % 1000);
        at += put(out + at, (1 + (int64_t)random_below(50)) * retail);
    }
    return at;
}

static size_t fill_key(uint8_t *out) {
    size_t at = 0;
    while (at < PAGE_BYTES) {
        at += put(out + at, 1 + (int64_t)random_below(200000));
    }
    return at;
}

static size_t fill_sorted_key(uint8_t *out) {
    size_t at = 0;
    int64_t key = 0;
    while (at < PAGE_BYTES) {
        key += key % 32 == 7 ? 25 : 1;
        for (uint64_t i = 1 + random_below(7); i > 0 && at < PAGE_BYTES; i--) {
            at += put(out + at, key);
        }
    }
    return at;
}

static size_t fill_date(uint8_t *out) {
    for (size_t at = 0; at < PAGE_BYTES; at += 4) {
        const int32_t day = 8036 + (int32_t)random_below(2526);
        memcpy(out + at, &day, sizeof day);
    }
    return PAGE_BYTES;
}

static size_t fill_text(uint8_t *out) {
    static const char *const words[] = {
        "carefully", "final",    "deposits",    "detect",   "slyly",   "agai",     "furiously",
        "regular",   "ideas",    "above",       "the",      "express", "haggle",   "quickly",
        "bold",      "requests", "sleep",       "blithely", "ironic",  "packages", "pending",
        "are",       "among",    "theodolites", "special",  "foxes",   "wake",     "even",
    };
    size_t at = 0;
    while (at + 64 < PAGE_BYTES) {
        const uint32_t size = 10 + (uint32_t)random_below(34);
        memcpy(out + at, &size, sizeof size);
        const size_t end = at + sizeof size + size;
        at += sizeof size;
        while (at < end) {
            const char *word = words[random_below(sizeof words / sizeof *words)];
            const size_t left = end - at;
            const size_t take = strlen(word) < left ? strlen(word) : left;
            memcpy(out + at, word, take);
            at += take;
            if (at < end) {
                out[at++] = ' ';
            }
        }
    }
    return at;
}

static size_t fill_random(uint8_t *out) {
    size_t at = 0;
    while (at < PAGE_BYTES) {
        at += put(out + at, (int64_t)test_random(&seed));
    }
    return at;
}

static double cpu_seconds(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void decode(size_t at_once, snappy_shape shape) {
    for (size_t first = 0; first < PAGES; first += at_once) {
        snappy_block blocks[PAGES];
        for (size_t i = 0; i < at_once; i++) {
            page *from = &pages[first + i];
            blocks[i] = (snappy_block){
                .in = {.data = from->block, .size = from->block_size},
                .out = from->out,
                .out_size = from->plain_size,
            };
        }
        firn_error err = ERR_INIT;
        if (snappy_decode(blocks, at_once, shape, &err) != FIRN_OK) {
            (void)fprintf(stderr, "%s\n", err.text);
            abort();
        }
    }
}

static void decode_by_library(size_t at_once, snappy_shape shape) {
    (void)at_once;
    (void)shape;
#ifdef FIRN_ORACLE_SNAPPY
    for (size_t i = 0; i < PAGES; i++) {
        size_t size = PAGE_BYTES;
        if (snappy_uncompress((const char *)pages[i].block, pages[i].block_size,
                              (char *)pages[i].out, &size) != SNAPPY_OK) {
            abort();
        }
    }
#endif
}

static void encode(size_t at_once, snappy_shape shape) {
    (void)at_once;
    (void)shape;
    static snappy_table table;
    for (size_t i = 0; i < PAGES; i++) {
        const bytes plain = {.data = pages[i].plain, .size = pages[i].plain_size};
        pages[i].block_size = snappy_encode(plain, pages[i].block, &table);
    }
}

static void encode_by_library(size_t at_once, snappy_shape shape) {
    (void)at_once;
    (void)shape;
#ifdef FIRN_ORACLE_SNAPPY
    for (size_t i = 0; i < PAGES; i++) {
        pages[i].block_size = sizeof pages[i].block;
        if (snappy_compress((const char *)pages[i].plain, pages[i].plain_size,
                            (char *)pages[i].block, &pages[i].block_size) != SNAPPY_OK) {
            abort();
        }
    }
#endif
}

typedef void (*work)(size_t at_once, snappy_shape shape);

static void show(size_t size, work run, size_t at_once, snappy_shape shape) {
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        const double start = cpu_seconds();
        run(at_once, shape);
        const double seconds = cpu_seconds() - start;
        best = seconds < best ? seconds : best;
    }
    printf("%8.2f", (double)size / best * 1e-9);
}

int main(void) {
    const struct {
        const char *name;
        size_t (*fill)(uint8_t *out);
    } contents[] = {
        {"price", fill_price}, {"key", fill_key},   {"sorted key", fill_sorted_key},
        {"date", fill_date},   {"text", fill_text}, {"random", fill_random},
    };
    printf("GB/s         ratio library  tags 1  tags 2  tags 3 pairs 1 pairs 2 pairs 3   guess"
           "  encode library   ratio\n");
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        size_t plain_size = 0;
        for (size_t k = 0; k < PAGES; k++) {
            pages[k].plain_size = contents[i].fill(pages[k].plain);
            plain_size += pages[k].plain_size;
        }
        encode(1, SNAPPY_SHAPE_GUESS);
        encode_by_library(1, SNAPPY_SHAPE_GUESS); // Most files are written by it.
        size_t block_size = 0;
        for (size_t k = 0; k < PAGES; k++) {
            block_size += pages[k].block_size;
        }
        printf("%-11s %6.2f", contents[i].name, (double)plain_size / (double)block_size);
        show(plain_size, decode_by_library, 1, SNAPPY_SHAPE_GUESS);
        for (size_t at_once = 1; at_once <= 3; at_once++) {
            show(plain_size, decode, at_once, SNAPPY_SHAPE_TAGS);
        }
        for (size_t at_once = 1; at_once <= 3; at_once++) {
            show(plain_size, decode, at_once, SNAPPY_SHAPE_PAIRS);
        }
        show(plain_size, decode, PAGES, SNAPPY_SHAPE_GUESS);
        show(plain_size, encode_by_library, 1, SNAPPY_SHAPE_GUESS);
        show(plain_size, encode, 1, SNAPPY_SHAPE_GUESS);
        block_size = 0;
        for (size_t k = 0; k < PAGES; k++) {
            block_size += pages[k].block_size;
            if (memcmp(pages[k].plain, pages[k].out, pages[k].plain_size) != 0) {
                (void)fprintf(stderr, "wrong bytes\n");
                return 1;
            }
        }
        printf("%8.2f\n", (double)plain_size / (double)block_size);
    }
    return 0;
}
