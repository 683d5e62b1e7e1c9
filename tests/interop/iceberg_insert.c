// Makes an Iceberg table of the rows of Parquet files through the sink and the change that INSERT
// uses: for tests/interop/iceberg_insert_test.py, which has other readers open it. On internals.
//
//     iceberg_insert FOLDER VERSION IN.parquet… [--by COLUMN=TRANSFORM]… [--order
//     COLUMN=TRANSFORM]…
//                    [--set KEY=VALUE]…
//
// COLUMN may name a field of a struct: "s.x". All files are one INSERT, whose rows come as they lie
// in the files. Prints the metadata file.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/parquet/pq_reader.h"
#include "memory/pool.h"
#include "tables/iceberg/iceberg_sink.h"
#include "tables/iceberg/iceberg_snapshot.h"

#define MEMORY_LIMIT (UINT64_C(4) << 30)
#define ITEMS_MAX 32

typedef struct words {
    uint32_t count;
    const char *items[ITEMS_MAX];
} words;

typedef struct making {
    io *io;
    pool *engine;
    pool *query;
    codec_scratch codecs;
    arena memory;
    statement_context context;
    transaction_env env;
    catalog catalog;
    transaction *owner;
    table_change *change;
    words files;
    words by;
    words order;
    words properties;
    const char *folder;
    const char *version;
    row_sink *sink;
    row_sink_worker *worker;
    scan_env scan;
} making;

// ---- The table ---------------------------------------------------------------------------------

static firn_status read_path(making *self, const char *written, text_list *path, text *transform,
                             firn_error *err) {
    const char *equal = strchr(written, '=');
    if (equal == NULL) {
        return FAIL(err, FIRN_INVALID, "%s: no =", written);
    }
    *transform = text_of(equal + 1);
    path->items = ARENA_NEW(&self->memory, text, ITEMS_MAX);
    if (path->items == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    const char *from = written;
    for (const char *at = written; at <= equal && path->count < ITEMS_MAX; at++) {
        if (*at == '.' || at == equal) {
            path->items[path->count++] = (text){.data = from, .size = (size_t)(at - from)};
            from = at + 1;
        }
    }
    return FIRN_OK;
}

static firn_status define(making *self, const schema *columns, table_definition *out,
                          firn_error *err) {
    partition_field *partitions = ARENA_NEW(&self->memory, partition_field, ITEMS_MAX);
    order_key *order = ARENA_NEW(&self->memory, order_key, ITEMS_MAX);
    firn_option *properties = ARENA_NEW(&self->memory, firn_option, ITEMS_MAX + 1);
    if (partitions == NULL || order == NULL || properties == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    *out = (table_definition){.format = TEXT("iceberg"),
                              .columns = *columns,
                              .location = text_of(self->folder),
                              .partition_count = self->by.count,
                              .partitions = partitions,
                              .order_count = self->order.count,
                              .order = order,
                              .property_count = self->properties.count + 1,
                              .properties = properties};
    for (uint32_t i = 0; i < self->by.count; i++) {
        partitions[i] = (partition_field){.name = {.size = 0}};
        TRY(read_path(self, self->by.items[i], &partitions[i].path, &partitions[i].transform, err));
    }
    for (uint32_t i = 0; i < self->order.count; i++) {
        order[i] = (order_key){.nulls_first = true};
        TRY(read_path(self, self->order.items[i], &order[i].path, &order[i].transform, err));
    }
    properties[0] = (firn_option){.key = "format-version", .value = self->version};
    for (uint32_t i = 0; i < self->properties.count; i++) {
        const char *each = self->properties.items[i];
        const char *equal = strchr(each, '=');
        text key;
        if (equal == NULL) {
            return FAIL(err, FIRN_INVALID, "--set %s: no =", each);
        }
        TRY(text_format(&self->memory, &key, err, "%.*s", (int)(equal - each), each));
        properties[i + 1] = (firn_option){.key = key.data, .value = equal + 1};
    }
    return FIRN_OK;
}

static firn_status create(making *self, const schema *columns, firn_error *err) {
    table_definition definition;
    table_snapshot *table;
    TRY(define(self, columns, &definition, err));
    TRY(transaction_begin(&self->catalog, &self->env, &self->owner, err));
    TRY(ice_table_changes.open(self->owner, &self->env, NULL, &definition, &self->change, err));
    TRY(ice_table_changes.see(self->change, &table, err));
    const row_sink_request request = {
        .change = self->change, .base = table, .kind = CHANGE_APPEND, .columns = &table->columns};
    const firn_status status = table->kind->sink->open(&request, &self->scan, &self->sink, err);
    table_snapshot_release(table);
    TRY(status);
    return ice_sink_kind.open_worker(self->sink, &self->scan, &self->worker, err);
}

// ---- Rows --------------------------------------------------------------------------------------

static firn_status push_file(making *self, const char *from, firn_error *err) {
    const pq_file_options options = {.types = {.int96_in_micros = true}};
    const pq_reader_options reading = {.owner = self->query, .codecs = &self->codecs};
    io_file *file = NULL;
    pq_file *input = NULL;
    pq_reader *reader = NULL;
    pq_answer answer = PQ_READY;
    firn_status status =
        io_file_open(self->io, text_of(from), &(io_open_options){.cancel = NULL}, &file, err);
    status =
        status == FIRN_OK ? pq_file_open(file, &options, self->query, NULL, &input, err) : status;
    const uint32_t count = status == FIRN_OK ? input->types.columns.count : 0;
    pq_pick *picks = ARENA_NEW(&self->memory, pq_pick, (size_t)count + 1);
    for (uint32_t i = 0; i < count && status == FIRN_OK; i++) {
        const pq_file_field of = pq_file_column(input, i);
        status = pq_pick_make(input, &of, NULL, PQ_MATCH_NAME, &self->memory, &picks[i], err);
    }
    if (status == FIRN_OK && self->sink == NULL) {
        status = create(self, &input->types.columns, err);
    }
    status =
        status == FIRN_OK ? pq_reader_open(input, picks, count, &reading, &reader, err) : status;
    if (status == FIRN_OK) {
        pq_reader_start(reader, 0, pq_file_row_group_count(input));
    }
    while (status == FIRN_OK && answer != PQ_END) {
        batch rows;
        bool must_wait = false;
        status = pq_reader_next(reader, &rows, &answer, err);
        if (status == FIRN_OK && answer == PQ_READY) {
            status = ice_sink_kind.push(self->worker, &rows, &must_wait, err);
        }
    }
    pq_reader_close(reader);
    pq_file_release(input);
    io_file_release(file);
    return status;
}

static firn_status commit(making *self, firn_error *err) {
    uint32_t pieces;
    uint64_t rows;
    commit_part part;
    TRY(ice_sink_kind.finish(self->sink, &pieces, err));
    for (uint32_t i = 0; i < pieces; i++) {
        bool must_wait;
        TRY(ice_sink_kind.run_piece(self->sink, i, &self->scan, &must_wait, err));
    }
    TRY(ice_sink_kind.end(self->sink, &rows, err));
    TRY(ice_table_changes.prepare(self->change, COMMIT_POINTER, &self->memory, &part, err));
    ice_table_changes.settle(self->change, COMMIT_DONE);
    printf("%.*s\n", TEXT_ARGS(part.pointer.new_location));
    return FIRN_OK;
}

static firn_status run(making *self, firn_error *err) {
    firn_status status = FIRN_OK;
    for (uint32_t i = 0; i < self->files.count && status == FIRN_OK; i++) {
        status = push_file(self, self->files.items[i], err);
    }
    status = status == FIRN_OK ? commit(self, err) : status;
    ice_sink_kind.close_worker(self->worker);
    ice_sink_kind.close(self->sink);
    if (self->change != NULL) {
        ice_table_changes.close(self->change);
    }
    transaction_close(self->owner);
    return status;
}

static void add_word(words *to, const char *word) {
    if (to->count < ITEMS_MAX) {
        to->items[to->count++] = word;
    }
}

int main(int count, char **arguments) {
    static making self;
    firn_error err = ERR_INIT;
    for (int i = 3; i < count; i++) {
        words *to = strcmp(arguments[i], "--by") == 0      ? &self.by
                    : strcmp(arguments[i], "--order") == 0 ? &self.order
                    : strcmp(arguments[i], "--set") == 0   ? &self.properties
                                                           : NULL;
        if (to != NULL && i + 1 < count) {
            add_word(to, arguments[++i]);
        } else {
            add_word(&self.files, arguments[i]);
        }
    }
    if (self.files.count == 0) {
        (void)fprintf(stderr, "usage: iceberg_insert FOLDER VERSION IN.parquet... [--by "
                              "COLUMN=TRANSFORM]... [--order COLUMN=TRANSFORM]... [--set "
                              "KEY=VALUE]...\n");
        return 2;
    }
    self.folder = arguments[1];
    self.version = arguments[2];
    self.codecs = codec_scratch_open(64 << 20);
    const pool_options options = {.kind = POOL_QUERY, .name = "iceberg_insert"};
    if (io_open(&(io_options){.has_thread = false}, &self.io, &err) != FIRN_OK ||
        pool_open_engine(MEMORY_LIMIT, &self.engine, &err) != FIRN_OK ||
        pool_open(self.engine, &options, &self.query, &err) != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    self.memory = arena_open_in(self.query, SIZE_MAX);
    self.context = (statement_context){.version = TEXT("0.0")};
    self.env = (transaction_env){.io = self.io, .pool = self.query, .context = &self.context};
    self.scan =
        (scan_env){.io = self.io, .pool = self.query, .context = &self.context, .workers = 1};
    const firn_status status = run(&self, &err);
    if (status != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
    }
    arena_close(&self.memory);
    codec_scratch_close(&self.codecs);
    pool_close(self.query);
    pool_close(self.engine);
    io_close(self.io);
    return status == FIRN_OK ? 0 : 1;
}
