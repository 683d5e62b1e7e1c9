// Reads a Parquet file and writes its rows as another one: for the scripts that compare the two
// with other readers, and for bench/. On internals.
//
//     parquet_rewrite IN OUT [option=value]...
//
//     codec=zstd|snappy|gzip|lz4|none  level=N  given=1     compresses all pages
//     encodings=java|all|none  page_rows=N  page_bytes=N  group_rows=N  dictionary_bytes=N
//     bound_bytes=N  statistics=none|counts|bounds  bloom=RATE  checksums=1  index=0  batch_rows=N
//
// Prints rows, bytes, row groups and how long writing took: seconds of the processors, and by the
// clock.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "formats/parquet/pq_reader.h"
#include "formats/parquet/write/pw_file.h"

#define MEMORY_LIMIT (UINT64_C(4) << 30)

typedef struct rewriting {
    io *io;
    pool *engine;
    pool *query;
    codec_scratch codecs;
    arena memory;
    pw_options options;
    uint32_t batch_rows;
    const pw_schema *schema;
    pw_file *out;
    pw_group *group;
    pw_worker worker;
    double cpu_seconds;
    double wall_seconds;
} rewriting;

static double now(clockid_t clock) {
    struct timespec at;
    (void)clock_gettime(clock, &at);
    return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

static void begin_time(rewriting *self) {
    self->cpu_seconds -= now(CLOCK_PROCESS_CPUTIME_ID);
    self->wall_seconds -= now(CLOCK_MONOTONIC);
}

static void end_time(rewriting *self) {
    self->cpu_seconds += now(CLOCK_PROCESS_CPUTIME_ID);
    self->wall_seconds += now(CLOCK_MONOTONIC);
}

static bool is(const char *key, const char *name) {
    return strncmp(key, name, strlen(name)) == 0 && key[strlen(name)] == '=';
}

static bool set_option(rewriting *self, const char *argument) {
    pw_options *options = &self->options;
    const char *value = strchr(argument, '=');
    if (value == NULL) {
        return false;
    }
    value++;
    const uint32_t number = (uint32_t)strtoul(value, NULL, 10);
    if (is(argument, "codec")) {
        return codec_find(text_of(value), &options->codec);
    }
    if (is(argument, "level")) {
        options->codec_level = (int)number;
    } else if (is(argument, "given")) {
        options->codec_choice = number != 0 ? PW_CODEC_GIVEN : PW_CODEC_CHOSEN;
    } else if (is(argument, "encodings")) {
        options->leaf.encodings = strcmp(value, "all") == 0    ? PW_ENCODINGS_ALL
                                  : strcmp(value, "java") == 0 ? PW_ENCODINGS_JAVA
                                                               : 0;
    } else if (is(argument, "page_rows")) {
        options->page_rows = number;
    } else if (is(argument, "page_bytes")) {
        options->page_bytes = number;
    } else if (is(argument, "group_rows")) {
        options->group_rows = number;
    } else if (is(argument, "dictionary_bytes")) {
        options->dictionary_bytes = number;
    } else if (is(argument, "bound_bytes")) {
        options->leaf.bound_bytes = number;
    } else if (is(argument, "statistics")) {
        options->leaf.statistics = strcmp(value, "none") == 0     ? PW_STATISTICS_NONE
                                   : strcmp(value, "counts") == 0 ? PW_STATISTICS_COUNTS
                                                                  : PW_STATISTICS_BOUNDS;
    } else if (is(argument, "bloom")) {
        options->leaf.has_bloom = true;
        options->leaf.bloom_rate = strtod(value, NULL);
    } else if (is(argument, "checksums")) {
        options->has_checksums = number != 0;
    } else if (is(argument, "index")) {
        options->has_page_index = number != 0;
    } else if (is(argument, "batch_rows")) {
        self->batch_rows = number;
    } else {
        return false;
    }
    return true;
}

static firn_status end_group(rewriting *self, firn_error *err) {
    if (self->group == NULL || self->group->row_count == 0) {
        return FIRN_OK;
    }
    TRY(pw_group_finish(self->group, &self->worker, err));
    TRY(pw_file_add(self->out, self->group, err));
    pw_group_close(self->group);
    self->group = NULL;
    return FIRN_OK;
}

static firn_status put(rewriting *self, const batch *rows, firn_error *err) {
    begin_time(self);
    if (self->group == NULL) {
        TRY(pw_group_open(self->schema, &self->options, self->query, &self->group, err));
    }
    TRY(pw_group_put(self->group, rows, &self->worker, err));
    if (pw_group_is_full(self->group)) {
        TRY(end_group(self, err));
    }
    end_time(self);
    return FIRN_OK;
}

static firn_status copy_rows(rewriting *self, const pq_file *file, pq_reader *reader,
                             firn_error *err) {
    pq_answer answer = PQ_READY;
    pq_reader_start(reader, 0, pq_file_row_group_count(file));
    while (answer != PQ_END) {
        batch rows;
        TRY(pq_reader_next(reader, &rows, &answer, err));
        if (answer == PQ_READY) {
            TRY(put(self, &rows, err));
        }
    }
    begin_time(self);
    const pw_report *report;
    TRY(end_group(self, err));
    TRY(pw_file_finish(self->out, &report, err));
    end_time(self);
    printf("%llu rows, %llu bytes, %u row groups, %.3f s, %.3f s\n",
           (unsigned long long)report->row_count, (unsigned long long)report->size,
           report->group_count, self->cpu_seconds, self->wall_seconds);
    return FIRN_OK;
}

static firn_status rewrite(rewriting *self, const char *from, const char *to, firn_error *err) {
    io_file *input = NULL;
    pq_file *file = NULL;
    pq_reader *reader = NULL;
    const pq_file_options file_options = {.types = {.int96_in_micros = true}};
    firn_status status =
        io_file_open(self->io, text_of(from), &(io_open_options){.cancel = NULL}, &input, err);
    if (status == FIRN_OK) {
        status = pq_file_open(input, &file_options, self->query, NULL, &file, err);
    }
    const uint32_t count = file == NULL ? 0 : file->types.columns.count;
    pq_pick *picks = ARENA_NEW(&self->memory, pq_pick, (size_t)count + 1);
    for (uint32_t i = 0; i < count && status == FIRN_OK; i++) {
        const pq_file_field field = pq_file_column(file, i);
        status = pq_pick_make(file, &field, NULL, PQ_MATCH_NAME, &self->memory, &picks[i], err);
    }
    if (status == FIRN_OK) {
        const pq_reader_options options = {
            .owner = self->query, .codecs = &self->codecs, .batch_rows = self->batch_rows};
        status = pq_reader_open(file, picks, count, &options, &reader, err);
    }
    if (status == FIRN_OK) {
        status = pw_schema_make(&file->types.columns, &self->memory, &self->schema, err);
    }
    if (status == FIRN_OK) {
        status = pw_options_check(&self->options, (uint32_t)self->schema->tree->leaf_count, err);
    }
    io_writer *writer = NULL;
    if (status == FIRN_OK) {
        status = io_writer_open(self->io, text_of(to), true, &writer, err);
    }
    if (status == FIRN_OK) {
        status = pw_file_open(writer, self->schema, &self->options, self->query, &self->out, err);
    }
    if (status == FIRN_OK) {
        status = copy_rows(self, file, reader, err);
    }
    pw_group_close(self->group);
    pw_file_close(self->out);
    pq_reader_close(reader);
    pq_file_release(file);
    io_file_release(input);
    return status;
}

int main(int count, char **arguments) {
    rewriting self = {.options = pw_options_default(), .codecs = codec_scratch_open(64 << 20)};
    firn_error err = ERR_INIT;
    if (count < 3) {
        (void)fprintf(stderr, "usage: parquet_rewrite IN OUT [option=value]...\n");
        return 2;
    }
    for (int i = 3; i < count; i++) {
        if (!set_option(&self, arguments[i])) {
            (void)fprintf(stderr, "%s: unknown, or a wrong value\n", arguments[i]);
            return 2;
        }
    }
    const pool_options options = {.kind = POOL_QUERY, .name = "rewrite"};
    if (io_open(&(io_options){.has_thread = false}, &self.io, &err) != FIRN_OK ||
        pool_open_engine(MEMORY_LIMIT, &self.engine, &err) != FIRN_OK ||
        pool_open(self.engine, &options, &self.query, &err) != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    self.memory = arena_open_in(self.query, SIZE_MAX);
    self.worker = pw_worker_open(self.query, NULL);
    const firn_status status = rewrite(&self, arguments[1], arguments[2], &err);
    if (status != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
    }
    pw_worker_close(&self.worker);
    arena_close(&self.memory);
    codec_scratch_close(&self.codecs);
    pool_close(self.query);
    pool_close(self.engine);
    io_close(self.io);
    return status == FIRN_OK ? 0 : 1;
}
