// Nanoseconds a value of Parquet's encoders, and how many bits a value takes, by content.
//
// The content is made to be like columns of TPC-H and others, in pages of 20,000 values; codes are
// those of a dictionary that has seen the page before. The fastest of several rounds counts: noise
// only ever adds time.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/compiler.h"
#include "base/test.h"
#include "formats/parquet/write/pw_delta.h"
#include "formats/parquet/write/pw_dictionary.h"
#include "formats/parquet/write/pw_hybrid.h"
#include "formats/parquet/write/pw_split.h"
#include "formats/parquet/write/pw_strings.h"

#define ROWS 20000
#define ROUNDS 50
#define DICTIONARY_BYTES (UINT64_C(1) << 20)
#define MEMORY_LIMIT ((size_t)1 << 30)

static uint64_t seed = 1;

static uint64_t random_below(uint64_t bound) {
    return test_random(&seed) % bound;
}

static void must(bool condition) {
    if (!condition) {
        abort();
    }
}

// ---- Content -----------------------------------------------------------------------------------

static int32_t dates[ROWS];
static int64_t quantities[ROWS];
static int64_t prices[ROWS];
static int64_t sorted_keys[ROWS];
static uint64_t doubles[ROWS];
static uint8_t identifiers[ROWS * 16];
static string_value flags[ROWS];
static string_value brands[ROWS];
static string_value comments[ROWS];
static string_value paths[ROWS];

static string_value numbered(arena *memory, const char *before, uint64_t number,
                             const char *behind) {
    char *data = ARENA_NEW(memory, char, 64);
    must(data != NULL);
    const int size = snprintf(data, 64, "%s%llu%s", before, (unsigned long long)number, behind);
    return string_of(data, (uint32_t)size);
}

static string_value random_text(arena *memory, uint32_t size) {
    char *data = ARENA_NEW(memory, char, size);
    must(data != NULL);
    for (uint32_t i = 0; i < size; i++) {
        data[i] = (char)('a' + random_below(26));
    }
    return string_of(data, size);
}

static void fill(arena *memory) {
    int64_t key = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        const int64_t part = 1 + (int64_t)random_below(200000);
        const int64_t retail = 90000 + part / 10 % 20001 + 100 * (part % 1000);
        quantities[i] = 100 * (1 + (int64_t)random_below(50));
        prices[i] = quantities[i] / 100 * retail;
        key += random_below(4) == 0 ? key % 32 == 7 ? 25 : 1 : 0;
        sorted_keys[i] = key;
        dates[i] = 8036 + (int32_t)random_below(2526);
        const double value = (double)prices[i] / 7;
        memcpy(&doubles[i], &value, sizeof value);
        flags[i] = string_of(&"ANR"[random_below(3)], 1);
        brands[i] = numbered(memory, "MEDIUM ANODIZED No.", random_below(150), "");
        comments[i] = random_text(memory, 10 + (uint32_t)random_below(34));
        paths[i] =
            numbered(memory, "/warehouse/sales/day=2024-01-05/part-", 100000 + i, ".parquet");
    }
    for (size_t i = 0; i < sizeof identifiers; i++) {
        identifiers[i] = (uint8_t)random_below(256);
    }
}

// ---- Measuring ---------------------------------------------------------------------------------

typedef enum encoder {
    ENCODER_PLAIN,
    ENCODER_DELTA,
    ENCODER_DELTA_LENGTHS,
    ENCODER_DELTA_BYTES,
    ENCODER_SPLIT,
    ENCODER_CODES, // Looking them up.
    ENCODER_RUNS,  // Writing them.
} encoder;

static double cpu_seconds(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void encode(encoder which, const pw_values *values, pw_dictionary *dictionary,
                   uint32_t *codes, byte_output *out, arena *scratch) {
    firn_error err = ERR_INIT;
    firn_status status = FIRN_OK;
    uint32_t taken;
    switch (which) {
    case ENCODER_PLAIN:
        status = pw_put_plain(out, values, &err);
        break;
    case ENCODER_DELTA:
        status = values->type == PQ_INT32 ? pw_delta_put_i32(out, values->i32, values->count, &err)
                                          : pw_delta_put_i64(out, values->i64, values->count, &err);
        break;
    case ENCODER_DELTA_LENGTHS:
        status = pw_put_delta_lengths(out, values, scratch, &err);
        break;
    case ENCODER_DELTA_BYTES:
        status = pw_put_delta_bytes(out, values, scratch, &err);
        break;
    case ENCODER_SPLIT:
        status = pw_put_split(out, values, &err);
        break;
    case ENCODER_CODES:
        status = pw_dictionary_codes(dictionary, values, codes, &taken, &err);
        break;
    case ENCODER_RUNS:
        status = pw_hybrid_put_u32(out, codes, values->count,
                                   pw_width_of(pw_dictionary_entries(dictionary).count - 1), &err);
        break;
    }
    must(status == FIRN_OK);
}

static void measure(const char *column, const char *how, encoder which, pw_values values) {
    static uint32_t codes[ROWS];
    firn_error err = ERR_INIT;
    values.count = ROWS;
    arena memory = arena_open(MEMORY_LIMIT);
    arena scratch = arena_open(MEMORY_LIMIT);
    pw_dictionary *dictionary;
    uint32_t taken;
    must(pw_dictionary_open(&memory, values.type, values.width, DICTIONARY_BYTES, &dictionary,
                            &err) == FIRN_OK);
    if (which == ENCODER_CODES || which == ENCODER_RUNS) {
        must(pw_dictionary_codes(dictionary, &values, codes, &taken, &err) == FIRN_OK);
        must(taken == ROWS);
    }
    byte_output out = {.memory = &memory};
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        out.size = 0;
        arena_reset(&scratch);
        const double start = cpu_seconds();
        encode(which, &values, dictionary, codes, &out, &scratch);
        const double spent = cpu_seconds() - start;
        best = spent < best ? spent : best;
    }
    printf("%-12s %-22s %6.2f ns", column, how, best * 1e9 / ROWS);
    if (out.size > 0) {
        printf(" %7.2f bits of %.0f", (double)out.size * 8 / ROWS,
               (double)pw_plain_size(&values) * 8 / ROWS);
    }
    printf("\n");
    arena_close(&scratch);
    arena_close(&memory);
}

int main(void) {
    arena memory = arena_open(MEMORY_LIMIT);
    fill(&memory);
    const struct {
        const char *name;
        pw_values values;
        encoder how[5]; // Up to the first ENCODER_PLAIN, which all have.
    } columns[] = {
        {"date", {.type = PQ_INT32, .i32 = dates}, {ENCODER_CODES, ENCODER_RUNS, ENCODER_DELTA}},
        {"quantity",
         {.type = PQ_INT64, .i64 = quantities},
         {ENCODER_CODES, ENCODER_RUNS, ENCODER_DELTA}},
        {"price", {.type = PQ_INT64, .i64 = prices}, {ENCODER_DELTA, ENCODER_SPLIT}},
        {"sorted key",
         {.type = PQ_INT64, .i64 = sorted_keys},
         {ENCODER_CODES, ENCODER_RUNS, ENCODER_DELTA}},
        {"double", {.type = PQ_DOUBLE, .data = doubles}, {ENCODER_SPLIT}},
        {"identifier",
         {.type = PQ_FIXED, .width = 16, .fixed = identifiers},
         {ENCODER_CODES, ENCODER_DELTA_BYTES, ENCODER_SPLIT}},
        {"flag", {.type = PQ_BYTE_ARRAY, .strings = flags}, {ENCODER_CODES, ENCODER_RUNS}},
        {"brand", {.type = PQ_BYTE_ARRAY, .strings = brands}, {ENCODER_CODES, ENCODER_RUNS}},
        {"comment",
         {.type = PQ_BYTE_ARRAY, .strings = comments},
         {ENCODER_DELTA_LENGTHS, ENCODER_DELTA_BYTES}},
        {"path",
         {.type = PQ_BYTE_ARRAY, .strings = paths},
         {ENCODER_DELTA_LENGTHS, ENCODER_DELTA_BYTES}},
    };
    static const char *const names[] = {
        [ENCODER_PLAIN] = "PLAIN",
        [ENCODER_DELTA] = "DELTA_BINARY_PACKED",
        [ENCODER_DELTA_LENGTHS] = "DELTA_LENGTH",
        [ENCODER_DELTA_BYTES] = "DELTA_BYTE_ARRAY",
        [ENCODER_SPLIT] = "BYTE_STREAM_SPLIT",
        [ENCODER_CODES] = "codes",
        [ENCODER_RUNS] = "RLE_DICTIONARY",
    };
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
        measure(columns[c].name, names[ENCODER_PLAIN], ENCODER_PLAIN, columns[c].values);
        for (size_t i = 0; columns[c].how[i] != ENCODER_PLAIN; i++) {
            measure(columns[c].name, names[columns[c].how[i]], columns[c].how[i],
                    columns[c].values);
        }
    }
    arena_close(&memory);
    return 0;
}
