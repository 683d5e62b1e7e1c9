// Reads the columns of Parquet files one by one and all together: CPU time a row, and per column
// which of its pages' bytes it took.
//
//     bench_parquet_reader FILE...
#include <stdio.h>
#include <string.h>

#include "base/host.h"
#include "formats/parquet/pq_reader.h"

#define REPEATS 3
#define MEMORY_LIMIT (UINT64_C(2) << 30)

typedef struct world {
    io *io;
    pool *engine;
    pool *query;
    codec_scratch codecs;
} world;

// One pass over all row groups; the batches are looked at only by their size.
static firn_status pass(world *here, pq_file *file, pq_pick *picks, uint32_t count,
                        uint64_t *batches, firn_error *err) {
    const pq_reader_options options = {.owner = here->query, .codecs = &here->codecs};
    pq_reader *reader = NULL;
    arena scratch = arena_open((size_t)256 << 20);
    firn_status status = pq_reader_open(file, picks, count, &options, &reader, err);
    pq_answer answer = PQ_READY;
    *batches = 0;
    if (status == FIRN_OK) {
        pq_reader_start(reader, 0, pq_file_row_group_count(file));
    }
    while (status == FIRN_OK && answer != PQ_END) {
        arena_reset(&scratch);
        batch rows;
        status = pq_reader_next(reader, &rows, &answer, err);
        *batches += 1;
    }
    pq_reader_close(reader);
    arena_close(&scratch);
    return status;
}

static firn_status measure(world *here, pq_file *file, pq_pick *picks, uint32_t count, text name,
                           firn_error *err) {
    const uint64_t rows = (uint64_t)file->metadata->file.row_count;
    int64_t best_ns = INT64_MAX;
    uint64_t batches = 0;
    for (int i = 0; i < REPEATS; i++) {
        const int64_t start = host_cpu_ns();
        TRY(pass(here, file, picks, count, &batches, err));
        const int64_t took_ns = host_cpu_ns() - start;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    uint64_t stored = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t group = 0; group < pq_file_row_group_count(file); group++) {
            const pq_node *node = picks[i].node;
            for (uint32_t leaf = 0; leaf < node->leaf_count; leaf++) {
                stored += pq_chunk_place(file->metadata, group, node->first_leaf + leaf).size;
            }
        }
    }
    printf("  %-18.*s %8.2f ms %7.2f ns/row %8.1f MB %6llu batches\n", TEXT_ARGS(name),
           (double)best_ns / 1e6, rows == 0 ? 0.0 : (double)best_ns / (double)rows,
           (double)stored / 1e6, (unsigned long long)batches);
    return FIRN_OK;
}

static firn_status measure_file(world *here, const char *path, firn_error *err) {
    io_file *input = NULL;
    pq_file *file = NULL;
    arena memory = arena_open((size_t)64 << 20);
    TRY(io_file_open(here->io, text_of(path), &(io_open_options){.cancel = NULL}, &input, err));
    const int64_t start = host_cpu_ns();
    TRY(pq_file_open(input, &(pq_file_options){.tail_size = 0}, here->query, NULL, &file, err));
    const uint32_t count = file->types.columns.count;
    printf("%s: %lld rows, %u row groups, footer %.3f ms\n", path,
           (long long)file->metadata->file.row_count, pq_file_row_group_count(file),
           (double)(host_cpu_ns() - start) / 1e6);
    pq_pick *picks = ARENA_NEW(&memory, pq_pick, (size_t)count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const pq_file_field from = pq_file_column(file, i);
        TRY(pq_pick_make(file, &from, NULL, PQ_MATCH_NAME, &memory, &picks[i], err));
        TRY(measure(here, file, &picks[i], 1, from.node->name, err));
    }
    TRY(measure(here, file, picks, count, TEXT("all"), err));
    pq_file_release(file);
    io_file_release(input);
    arena_close(&memory);
    return FIRN_OK;
}

int main(int argc, char **argv) {
    firn_error err = ERR_INIT;
    world here = {.codecs = codec_scratch_open((size_t)64 << 20)};
    firn_status status = io_open(&(io_options){.has_thread = false}, &here.io, &err);
    if (status == FIRN_OK) {
        status = pool_open_engine(MEMORY_LIMIT, &here.engine, &err);
    }
    if (status == FIRN_OK) {
        status = pool_open(here.engine, &(pool_options){.kind = POOL_QUERY, .name = "bench"},
                           &here.query, &err);
    }
    for (int i = 1; i < argc && status == FIRN_OK; i++) {
        status = measure_file(&here, argv[i], &err);
    }
    if (status != FIRN_OK) {
        printf("%s\n", err.text);
    }
    codec_scratch_close(&here.codecs);
    pool_close(here.query);
    pool_close(here.engine);
    io_close(here.io);
    return status == FIRN_OK ? 0 : 1;
}
