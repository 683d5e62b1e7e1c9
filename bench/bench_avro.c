// Milliseconds for an Iceberg manifest of 10,000 entries with metrics of 20 columns, by what is
// wanted of it; and nanoseconds a value of an Avro data file read into columns.
//
// The fastest of several rounds counts: noise only ever adds time.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "formats/avro/avro_columns.h"
#include "formats/avro/avro_file.h"
#include "formats/avro/avro_pairs.h"
#include "formats/avro/avro_plan.h"
#include "formats/avro/avro_types.h"

#define ENTRIES 10000
#define METRIC_COLUMNS 20
#define DATA_ROWS 200000
#define BATCH 2048
#define ROUNDS 9
#define BUFFER_MAX ((size_t)64 << 20)

#define OPTIONAL(json) "[\"null\"," json "]"
#define METRIC(name, id, key, value, value_json)                                                   \
    "{\"name\":\"" name "\",\"field-id\":" id ",\"type\":" OPTIONAL(                               \
        "{\"type\":\"array\",\"logicalType\":\"map\",\"items\":{\"type\":\"record\","              \
        "\"name\":\"k" key "\",\"fields\":[{\"name\":\"key\",\"type\":\"int\",\"field-id\":" key   \
        "},{\"name\":\"value\",\"type\":" value_json ",\"field-id\":" value "}]}}") "}"

static const char manifest_json[] =
    "{\"type\":\"record\",\"name\":\"manifest_entry\",\"fields\":["
    "{\"name\":\"status\",\"type\":\"int\",\"field-id\":0},"
    "{\"name\":\"snapshot_id\",\"type\":[\"null\",\"long\"],\"field-id\":1},"
    "{\"name\":\"sequence_number\",\"type\":[\"null\",\"long\"],\"field-id\":3},"
    "{\"name\":\"data_file\",\"field-id\":2,\"type\":{\"type\":\"record\","
    "\"name\":\"r2\","
    "\"fields\":["
    "{\"name\":\"content\",\"type\":\"int\",\"field-id\":134},"
    "{\"name\":\"file_path\",\"type\":\"string\",\"field-id\":100},"
    "{\"name\":\"file_format\",\"type\":\"string\",\"field-id\":101},"
    "{\"name\":\"partition\",\"field-id\":102,\"type\":{\"type\":\"record\","
    "\"name\":\"r102\","
    "\"fields\":[{\"name\":\"day\",\"type\":[\"null\",\"int\"],\"field-id\":1000}"
    "]}},"
    "{\"name\":\"record_count\",\"type\":\"long\",\"field-id\":103},"
    "{\"name\":\"file_size_in_bytes\",\"type\":\"long\",\"field-id\":104}"
    "," METRIC("column_sizes", "108", "117", "118", "\"long\"") "," METRIC(
        "value_counts", "109", "119", "120",
        "\"long\"") "," METRIC("null_value_counts", "110", "121", "122",
                               "\"long\"") "," METRIC("lower_bounds", "125", "126", "127",
                                                      "\"bytes\"") "," METRIC("up"
                                                                              "pe"
                                                                              "r_"
                                                                              "bo"
                                                                              "un"
                                                                              "d"
                                                                              "s",
                                                                              "12"
                                                                              "8",
                                                                              "12"
                                                                              "9",
                                                                              "13"
                                                                              "0",
                                                                              "\""
                                                                              "by"
                                                                              "te"
                                                                              "s"
                                                                              "\"") ","
                                                                                    "{\"name\":"
                                                                                    "\"split_"
                                                                                    "offsets\","
                                                                                    "\"field-id\":"
                                                                                    "132,\"type\":["
                                                                                    "\"null\",{"
                                                                                    "\"type\":"
                                                                                    "\"array\","
                                                                                    "\"items\":"
                                                                                    "\"long\","
                                                                                    "\"element-"
                                                                                    "id\":133}]}]}}"
                                                                                    "]}";

static const char data_json[] =
    "{\"type\":\"record\",\"name\":\"t\",\"fields\":["
    "{\"name\":\"id\",\"type\":\"long\",\"field-id\":1},"
    "{\"name\":\"name\",\"type\":[\"null\",\"string\"],\"field-id\":2},"
    "{\"name\":\"price\",\"type\":\"double\",\"field-id\":3},"
    "{\"name\":\"day\",\"type\":[\"null\",{\"type\":\"int\",\"logicalType\":\"date\"}],"
    "\"field-id\":4},"
    "{\"name\":\"tags\",\"type\":[\"null\",{\"type\":\"array\",\"items\":\"int\"}],"
    "\"field-id\":5}]}";

static uint8_t *buffer;
static size_t buffer_size;

static void put(const void *data, size_t size) {
    if (size > BUFFER_MAX - buffer_size) {
        abort();
    }
    memcpy(buffer + buffer_size, data, size);
    buffer_size += size;
}

static void put_number(uint64_t value) {
    uint8_t raw[AVRO_NUMBER_BYTES_MAX];
    size_t size = 0;
    for (value <<= 1; value >= 0x80; value >>= 7) {
        raw[size++] = (uint8_t)((value & 0x7f) | 0x80);
    }
    raw[size++] = (uint8_t)value;
    put(raw, size);
}

static void put_text(const char *value) {
    put_number(strlen(value));
    put(value, strlen(value));
}

static void put_entry(uint32_t entry) {
    char path[128];
    (void)snprintf(path, sizeof path,
                   "s3://lake/db/table/data/day=2024-01-%02u/%05u-%u-part.parquet", entry % 31,
                   entry, entry * 7);
    put_number(1);
    put_number(1);
    put_number(UINT64_C(5811434121233445));
    put_number(0);
    put_number(0);
    put_text(path);
    put_text("PARQUET");
    put_number(1);
    put_number(19000 + entry % 31);
    put_number(100000 + entry);
    put_number(12345678 + entry);
    for (uint32_t metric = 0; metric < 5; metric++) {
        put_number(1);
        put_number(METRIC_COLUMNS);
        for (uint32_t i = 1; i <= METRIC_COLUMNS; i++) {
            put_number(i);
            if (metric < 3) {
                put_number(100000 + i * entry);
            } else {
                const uint64_t bound = (uint64_t)i * entry;
                put_number(sizeof bound);
                put(&bound, sizeof bound);
            }
        }
        put_number(0);
    }
    put_number(1);
    put_number(1);
    put_number(4);
    put_number(0);
}

static void put_row(uint32_t row) {
    char name[32];
    (void)snprintf(name, sizeof name, "customer number %u", row * 31 % 5000);
    const double price = (double)row * 0.25;
    put_number(row);
    put_number(row % 10 == 0 ? 0 : 1);
    if (row % 10 != 0) {
        put_text(name);
    }
    put(&price, sizeof price);
    put_number(1);
    put_number(19000 + row % 365);
    put_number(1);
    put_number(2);
    put_number(row % 100);
    put_number(row % 7);
    put_number(0);
}

static double cpu_seconds(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void check(firn_status status, const firn_error *err) {
    if (status != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", err->text);
        exit(1);
    }
}

static const avro_schema *read_schema(arena *memory, const char *json) {
    const avro_schema *out = NULL;
    firn_error err = ERR_INIT;
    const bytes input = {.data = (const uint8_t *)json, .size = strlen(json)};
    check(avro_schema_read(memory, input, &out, &err), &err);
    return out;
}

// Reads all pairs of a metric.
static int64_t sum_pairs(const avro_schema *of, bytes slice) {
    avro_pairs pairs;
    firn_error err = ERR_INIT;
    int64_t sum = 0;
    if (avro_pairs_open(&pairs, of, slice)) {
        check(avro_pairs_next(&pairs, &err), &err);
        while (pairs.has_pair) {
            sum += pairs.key + pairs.data.data[0];
            check(avro_pairs_next(&pairs, &err), &err);
        }
    }
    return sum;
}

// `slot_count` of: path, count, partition, sizes, and then the bounds, which are also taken apart.
static double bench_manifest(arena *memory, const avro_schema *root, uint32_t slot_count) {
    static const int32_t paths[][2] = {{2, 100}, {2, 103}, {2, 102}, {2, 104}, {2, 125}, {2, 128}};
    static const avro_want wants[] = {AVRO_WANT_BYTES,  AVRO_WANT_NUMBER, AVRO_WANT_SLICE,
                                      AVRO_WANT_NUMBER, AVRO_WANT_SLICE,  AVRO_WANT_SLICE};
    avro_slot slots[6];
    for (uint32_t i = 0; i < 6; i++) {
        slots[i] = (avro_slot){.path = paths[i], .path_length = 2, .want = wants[i]};
    }
    firn_error err = ERR_INIT;
    const avro_plan *plan;
    check(avro_plan_compile(memory, root, slots, slot_count, 0, &plan, &err), &err);
    double best = 1e9;
    volatile int64_t sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        const double start = cpu_seconds();
        byte_reader in = reader_open((bytes){.data = buffer, .size = buffer_size});
        for (uint32_t entry = 0; entry < ENTRIES; entry++) {
            avro_value values[6];
            check(avro_plan_read(plan, &in, values, &err), &err);
            for (uint32_t i = 4; i < slot_count; i++) {
                sum += sum_pairs(plan->found[i], values[i].data);
            }
        }
        const double seconds = cpu_seconds() - start;
        best = seconds < best ? seconds : best;
    }
    return best * 1e3;
}

static double bench_columns(arena *memory, const avro_schema *root, uint32_t column_count) {
    firn_error err = ERR_INIT;
    schema wanted;
    const avro_columns *plan;
    check(avro_types_of(memory, root, &wanted, &err), &err);
    wanted.count = column_count;
    check(avro_columns_compile(memory, root, &wanted, &(avro_columns_options){0}, &plan, &err),
          &err);
    arena scratch = arena_open(BUFFER_MAX);
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        const double start = cpu_seconds();
        byte_reader in = reader_open((bytes){.data = buffer, .size = buffer_size});
        for (uint32_t row = 0; row < DATA_ROWS; row += BATCH) {
            const uint32_t left = DATA_ROWS - row;
            avro_rows *rows;
            const column *columns;
            arena_reset(&scratch);
            check(avro_rows_begin(plan, &scratch, BATCH, &rows, &err), &err);
            check(avro_rows_read(rows, &in, left < BATCH ? left : BATCH, &err), &err);
            check(avro_rows_finish(rows, &columns, &err), &err);
        }
        const double seconds = cpu_seconds() - start;
        best = seconds < best ? seconds : best;
    }
    arena_close(&scratch);
    return best * 1e9 / DATA_ROWS;
}

int main(void) {
    buffer = malloc(BUFFER_MAX);
    arena memory = arena_open((size_t)16 << 20);
    if (buffer == NULL) {
        return 1;
    }
    const avro_schema *manifest = read_schema(&memory, manifest_json);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        put_entry(i);
    }
    printf("manifest of %d entries, metrics of %d columns, %.1f MB\n", ENTRIES, METRIC_COLUMNS,
           (double)buffer_size * 1e-6);
    printf("%8.2f ms  passed over\n", bench_manifest(&memory, manifest, 0));
    printf("%8.2f ms  path, partition, counts\n", bench_manifest(&memory, manifest, 4));
    printf("%8.2f ms  and all bounds\n", bench_manifest(&memory, manifest, 6));

    buffer_size = 0;
    const avro_schema *data = read_schema(&memory, data_json);
    for (uint32_t i = 0; i < DATA_ROWS; i++) {
        put_row(i);
    }
    printf("data file of %d rows, %.1f MB\n", DATA_ROWS, (double)buffer_size * 1e-6);
    printf("%8.1f ns/row  no columns\n", bench_columns(&memory, data, 0));
    printf("%8.1f ns/row  long\n", bench_columns(&memory, data, 1));
    printf("%8.1f ns/row  long, string, double, date\n", bench_columns(&memory, data, 4));
    printf("%8.1f ns/row  and a list of two ints\n", bench_columns(&memory, data, 5));
    arena_close(&memory);
    free(buffer);
    return 0;
}
