// Nanoseconds a row of what stands before Parquet's encoders: columns taken apart, values as they
// are stored, statistics; by type and by what makes it slower.
//
// In batches of 2,048 rows; statistics are per value. The fastest of many rounds counts: noise only
// ever adds time.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/test.h"
#include "formats/parquet/write/pw_shred.h"
#include "formats/parquet/write/pw_statistics.h"
#include "formats/parquet/write/pw_stored.h"

#define ROWS BATCH_ROWS
#define ROUNDS 300
#define MEMORY_LIMIT ((size_t)1 << 28)

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

typedef enum content {
    CONTENT_NUMBERS, // Of any type.
    CONTENT_CUSTOMERS,
    CONTENT_PATHS,
    CONTENT_FLAGS,
    CONTENT_COMMENTS,
} content;

static string_value text_value(arena *memory, content kind) {
    static const char *const flags[] = {"AIR", "MAIL", "RAIL", "SHIP", "TRUCK"};
    char data[100];
    int size = 0;
    switch (kind) {
    case CONTENT_CUSTOMERS:
        size = snprintf(data, sizeof data, "Customer#%09u", (uint32_t)random_below(150000));
        break;
    case CONTENT_PATHS:
        size = snprintf(data, sizeof data, "/warehouse/sales/day=2024-01-05/part-%u.parquet",
                        (uint32_t)random_below(100000));
        break;
    case CONTENT_FLAGS:
        size = snprintf(data, sizeof data, "%s", flags[random_below(5)]);
        break;
    case CONTENT_COMMENTS:
    case CONTENT_NUMBERS:
        for (size = 0; size < 43; size++) {
            data[size] = (char)('a' + random_below(26));
        }
        break;
    }
    string_value out;
    must(string_new(memory, data, (size_t)size, &out));
    return out;
}

static void fill(arena *memory, const type *of, content kind, column *out) {
    firn_error err = ERR_INIT;
    must(column_new(memory, of, ROWS, out, &err) == FIRN_OK);
    const uint32_t size = physical_size(type_physical(of));
    for (uint32_t i = 0; i < ROWS; i++) {
        const uint64_t random = test_random(&seed);
        if (of->id == TYPE_BOOLEAN) {
            bitmap_put(COLUMN_OUT(out, uint64_t), i, random % 2 != 0);
        } else if (of->id == TYPE_UUID) {
            const uint64_t both[] = {random, test_random(&seed)};
            must(string_new(memory, (const char *)both, sizeof both,
                            &COLUMN_OUT(out, string_value)[i]));
        } else if (type_physical(of) == PHYSICAL_STRING) {
            COLUMN_OUT(out, string_value)[i] = text_value(memory, kind);
        } else if (of->id == TYPE_INTERVAL) {
            COLUMN_OUT(out, interval_value)
            [i] = (interval_value){.months = (int32_t)(random & 0xff),
                                   .nanos = (int64_t)(random >> 40) * 1000000};
        } else if (of->id == TYPE_DOUBLE) {
            COLUMN_OUT(out, double)[i] = (double)(int64_t)random;
        } else if (of->id == TYPE_REAL) {
            COLUMN_OUT(out, float)[i] = (float)(int64_t)random;
        } else {
            const i128 number = (int64_t)random >> 14; // Seconds may be thousandfold.
            memcpy(COLUMN_OUT(out, uint8_t) + (size_t)i * size, &number, size);
        }
    }
}

// ---- Measuring ---------------------------------------------------------------------------------

static double cpu_nanos(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

#define AT_ONCE 10 // So often between two looks at the clock.

static double least(double left, double right) {
    return left < right ? left : right;
}

static void measure(const char *name, const field *top, const batch *rows) {
    arena memory = arena_open(MEMORY_LIMIT);
    arena scratch = arena_open(MEMORY_LIMIT);
    firn_error err = ERR_INIT;
    const schema columns = {.count = 1, .fields = top};
    const pw_schema *made;
    must(pw_schema_make(&columns, &memory, &made, &err) == FIRN_OK);
    const pq_leaf *leaf = &made->tree->leaves[0];
    double shred = 1e18;
    double store = 1e18;
    double statistics = 1e18;
    pw_entries entries = {0};
    pw_values values = {0};
    for (int round = 0; round < ROUNDS; round++) {
        arena_reset(&scratch);
        pw_statistics known = pw_statistics_open(&memory);
        const double start = cpu_nanos();
        for (int i = 0; i < AT_ONCE; i++) {
            arena_reset(&scratch);
            must(pw_shred(made, 0, rows, &scratch, &entries, &err) == FIRN_OK);
        }
        const double shredded = cpu_nanos();
        const arena_mark mark = arena_mark_take(&scratch);
        for (int i = 0; i < AT_ONCE; i++) {
            arena_rewind(&scratch, mark);
            must(pw_store(leaf, entries.values, entries.rows, entries.value_count, &scratch,
                          &values, &err) == FIRN_OK);
        }
        const double stored = cpu_nanos();
        for (int i = 0; i < AT_ONCE; i++) {
            must(pw_statistics_add(&known, leaf, &values, 0, &err) == FIRN_OK);
        }
        shred = least(shred, shredded - start);
        store = least(store, stored - shredded);
        statistics = least(statistics, cpu_nanos() - stored);
    }
    printf("%-22s %8.3f %8.3f %10.3f\n", name, shred / AT_ONCE / entries.entry_count,
           store / AT_ONCE / values.count, statistics / AT_ONCE / values.count);
    arena_close(&scratch);
    arena_close(&memory);
}

typedef struct flat_case {
    const char *name;
    const type *of;
    content kind;
} flat_case;

typedef enum trouble { TROUBLE_NONE, TROUBLE_NULLS, TROUBLE_SELECTION } trouble;

static void measure_flat(const flat_case *of, trouble kind) {
    arena memory = arena_open(MEMORY_LIMIT);
    const field top = {.name = TEXT("a"), .type = of->of, .is_nullable = true, .id = -1};
    column given;
    fill(&memory, of->of, of->kind, &given);
    batch rows = batch_of(&given, 1, ROWS);
    uint16_t selection[ROWS];
    if (kind == TROUBLE_NULLS) {
        for (uint32_t i = 0; i < ROWS; i++) {
            must(random_below(10) > 0 || column_set_null(&memory, &given, i));
        }
    }
    if (kind == TROUBLE_SELECTION) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < ROWS; i++) {
            selection[count] = (uint16_t)i;
            count += random_below(2) == 0;
        }
        rows.selection = selection;
        rows.selected_count = count;
    }
    measure(of->name, &top, &rows);
    arena_close(&memory);
}

static void measure_lists(const char *name, uint32_t elements, bool has_nulls) {
    arena memory = arena_open(MEMORY_LIMIT);
    firn_error err = ERR_INIT;
    const field top = {.name = TEXT("a"),
                       .type = type_list(&memory, TYPE_OF(INTEGER)),
                       .is_nullable = true,
                       .id = -1};
    list_value lists[ROWS];
    uint32_t count = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        lists[i] = (list_value){.offset = count,
                                .size = (uint32_t)random_below(2 * (uint64_t)elements + 1)};
        count += lists[i].size;
    }
    column child;
    must(column_new(&memory, TYPE_OF(INTEGER), count, &child, &err) == FIRN_OK);
    memset(COLUMN_OUT(&child, int32_t), 0, count * sizeof(int32_t));
    for (uint32_t i = 0; i < count && has_nulls; i++) {
        must(random_below(10) > 0 || column_set_null(&memory, &child, i));
    }
    const column given = {.type = top.type, .length = ROWS, .values = lists, .children = &child};
    const batch rows = batch_of(&given, 1, ROWS);
    measure(name, &top, &rows);
    arena_close(&memory);
}

int main(void) {
    arena memory = arena_open(MEMORY_LIMIT);
    const flat_case cases[] = {
        {"BOOLEAN", TYPE_OF(BOOLEAN), CONTENT_NUMBERS},
        {"TINYINT", TYPE_OF(TINYINT), CONTENT_NUMBERS},
        {"INTEGER", TYPE_OF(INTEGER), CONTENT_NUMBERS},
        {"BIGINT", TYPE_OF(BIGINT), CONTENT_NUMBERS},
        {"FLOAT16", TYPE_OF(FLOAT16), CONTENT_NUMBERS},
        {"REAL", TYPE_OF(REAL), CONTENT_NUMBERS},
        {"DOUBLE", TYPE_OF(DOUBLE), CONTENT_NUMBERS},
        {"DECIMAL(38,2)", type_decimal(&memory, 38, 2), CONTENT_NUMBERS},
        {"TIMESTAMP_S", type_temporal(TYPE_TIMESTAMP, UNIT_SECOND), CONTENT_NUMBERS},
        {"INTERVAL", TYPE_OF(INTERVAL), CONTENT_NUMBERS},
        {"UUID", TYPE_OF(UUID), CONTENT_NUMBERS},
        {"customers", TYPE_OF(VARCHAR), CONTENT_CUSTOMERS},
        {"paths", TYPE_OF(VARCHAR), CONTENT_PATHS},
        {"flags", TYPE_OF(VARCHAR), CONTENT_FLAGS},
        {"comments", TYPE_OF(VARCHAR), CONTENT_COMMENTS},
    };
    static const char *const titles[] = {"no NULLs", "10 % NULLs", "half selected"};
    for (int kind = TROUBLE_NONE; kind <= TROUBLE_SELECTION; kind++) {
        printf("%-22s %8s %8s %10s  ns\n", titles[kind], "shred", "stored", "statistics");
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            measure_flat(&cases[i], (trouble)kind);
        }
    }
    printf("%-22s %8s %8s %10s  ns\n", "lists of INTEGER", "shred", "stored", "statistics");
    measure_lists("of 1", 1, false);
    measure_lists("of 1, NULLs", 1, true);
    measure_lists("of 30", 30, false);
    measure_lists("of 30, NULLs", 30, true);
    arena_close(&memory);
    return 0;
}
