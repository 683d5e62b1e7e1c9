// A Parquet file that is written to memory and read back, for fuzz targets of the writer: the
// batches of a scene, as its options say.
//
// Oracle: the reader gets back what was written, value by value.
#ifndef FIRN_FUZZ_WRITTEN_FILE_H
#define FIRN_FUZZ_WRITTEN_FILE_H

#include <stdint.h>
#include <stdlib.h>

#include "formats/parquet/pq_reader.h"
#include "formats/parquet/write/pw_file.h"
#include "formats/parquet/write/pw_sample.h"
#include "io/memory_input.h"
#include "io/memory_output.h"

#define MEMORY_LIMIT ((uint64_t)256 << 20)
#define BATCHES_MAX 3

typedef struct scene {
    arena memory;
    io *io;
    pool *engine;
    pool *query;
    codec_scratch codecs;
    pw_options options;
    const pw_schema *schema;
    uint32_t batch_count;
    batch batches[BATCHES_MAX];
    memory_output output;
    firn_error err;
} scene;

static inline void scene_open(scene *self) {
    const pool_options options = {.kind = POOL_QUERY, .name = "fuzz"};
    *self = (scene){.memory = arena_open(MEMORY_LIMIT),
                    .codecs = codec_scratch_open((size_t)64 << 20),
                    .output = {.memory = arena_open(MEMORY_LIMIT)},
                    .err = ERR_INIT};
    pw_must(io_open(&(io_options){.has_thread = false}, &self->io, &self->err) == FIRN_OK);
    pw_must(pool_open_engine(MEMORY_LIMIT, &self->engine, &self->err) == FIRN_OK);
    pw_must(pool_open(self->engine, &options, &self->query, &self->err) == FIRN_OK);
}

static inline void scene_close(scene *self) {
    codec_scratch_close(&self->codecs);
    pw_must(pool_used(self->query) == 0);
    pool_close(self->query);
    pool_close(self->engine);
    io_close(self->io);
    arena_close(&self->output.memory);
    arena_close(&self->memory);
}

static inline void end_group(pw_file *file, pw_group *group, pw_worker *worker, firn_error *err) {
    pw_must(pw_group_finish(group, worker, err) == FIRN_OK);
    pw_must(pw_file_add(file, group, err) == FIRN_OK);
    pw_group_close(group);
}

static inline void write_file(scene *self) {
    firn_error *err = &self->err;
    pw_worker worker = pw_worker_open(self->query, NULL);
    pw_file *file = NULL;
    pw_group *group = NULL;
    pw_must(pw_file_open(memory_output_open(&self->output, self->io), self->schema, &self->options,
                         self->query, &file, err) == FIRN_OK);
    for (uint32_t i = 0; i < self->batch_count; i++) {
        pw_must(group != NULL ||
                pw_group_open(self->schema, &self->options, self->query, &group, err) == FIRN_OK);
        pw_must(pw_group_put(group, &self->batches[i], &worker, err) == FIRN_OK);
        if (pw_group_is_full(group)) {
            end_group(file, group, &worker, err);
            group = NULL;
        }
    }
    if (group != NULL) {
        end_group(file, group, &worker, err);
    }
    pw_must(pw_file_finish(file, NULL, err) == FIRN_OK);
    pw_file_close(file);
    pw_worker_close(&worker);
}

// The next row that is expected: `*batch` and `*row` name it.
static inline void check_row(const scene *self, uint32_t *at, uint32_t *row, const batch *read,
                             uint32_t k) {
    while (*at < self->batch_count && *row == self->batches[*at].selected_count) {
        *at += 1;
        *row = 0;
    }
    pw_must(*at < self->batch_count);
    const batch *put = &self->batches[*at];
    for (uint32_t i = 0; i < read->column_count; i++) {
        pw_must(pw_same_value(&put->columns[i], batch_row(put, *row), &read->columns[i],
                              batch_row(read, k)));
    }
    *row += 1;
}

static inline void read_file(scene *self) {
    firn_error *err = &self->err;
    memory_input input = {.content = byte_output_bytes(&self->output.content)};
    io_file *source = memory_input_open(&input, self->io, "written.parquet");
    pq_file *file = NULL;
    pw_must(pq_file_open(source, &(pq_file_options){.tail_size = 0}, self->query, NULL, &file,
                         err) == FIRN_OK);
    const uint32_t count = file->types.columns.count;
    pq_pick picks[PW_SAMPLE_COLUMNS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        const pq_file_field field = pq_file_column(file, i);
        pw_must(pq_pick_make(file, &field, NULL, PQ_MATCH_NAME, &self->memory, &picks[i], err) ==
                FIRN_OK);
    }
    const pq_reader_options options = {
        .owner = self->query, .codecs = &self->codecs, .verify_checksums = true};
    pq_reader *reader;
    pq_answer answer = PQ_READY;
    uint64_t left = 0;
    uint32_t at = 0;
    uint32_t row = 0;
    for (uint32_t i = 0; i < self->batch_count; i++) {
        left += self->batches[i].selected_count;
    }
    pw_must(pq_reader_open(file, picks, count, &options, &reader, err) == FIRN_OK);
    pq_reader_start(reader, 0, pq_file_row_group_count(file));
    while (answer != PQ_END) {
        batch read;
        pw_must(pq_reader_next(reader, &read, &answer, err) == FIRN_OK);
        for (uint32_t k = 0; answer == PQ_READY && k < read.selected_count; k++) {
            check_row(self, &at, &row, &read, k);
            left -= 1;
        }
    }
    pw_must(left == 0);
    pq_reader_close(reader);
    pq_file_release(file);
    io_file_release(source);
}

#endif
