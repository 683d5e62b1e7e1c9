// The state of encoded rows on their way into files. Its parts: rows that come in (copy_sink.c),
// blocks and files (copy_sink_blocks.c).
#ifndef FIRN_TABLES_FILES_COPY_SINK_PRIVATE_H
#define FIRN_TABLES_FILES_COPY_SINK_PRIVATE_H

#include "codecs/codec.h"
#include "io/io.h"
#include "memory/pool.h"
#include "tables/files/copy_outputs.h"
#include "tables/files/copy_sink.h"
#include "tables/files/copy_split.h"
#include "threads/wakeup_list.h"

// Rows of one folder, encoded.
typedef struct piece {
    struct encoded *of;
    text folder;
    text content;
    uint32_t prefix; // Of a message of IPC.
    struct piece *following;
} piece;

// Rows that were pushed at once.
typedef struct encoded {
    arena memory; // Holds this.
    batch_sequence sequence;
    uint64_t arrival;
    uint64_t bytes;
    uint32_t left; // Pieces that somebody needs.
    uint32_t row_count;
    uint32_t count;
    piece *pieces;
    struct encoded *following;
} encoded;

typedef enum block_state { BLOCK_FULL, BLOCK_PACKING, BLOCK_READY } block_state;

// What is compressed and written at once: pieces of one folder.
typedef struct block {
    arena memory; // Holds this, and `packed`.
    block_state state;
    text folder;
    piece *first;
    piece *last;
    uint64_t size; // Of the pieces.
    text packed;   // Of a compressed one: instead of the pieces.
    struct block *following;
} block;

struct row_sink {
    const copy_target *target;
    scan_env env;
    arena memory; // Under the lock, but for what is there when it is opened.
    copy_encoder encoder;
    copy_written written;
    codec codec;
    uint64_t min_bytes;
    uint64_t block_bytes;
    uint64_t queue_bytes; // That may wait.
    copy_outputs *outputs;
    mutex lock;
    pool *keeper; // NULL until the first worker comes.
    uint64_t complete;
    uint64_t arrivals;
    uint64_t held_bytes;
    uint64_t row_count;
    encoded *early; // In order.
    block *filling;
    block *first; // Full ones, in order.
    block *last;
    wakeup_list waiting;
    uint32_t idle_count;
    codec_scratch *idle; // Of pieces that wait; one a worker at most.
    bool is_writing;
    // Of who is writing:
    io_writer *file;
    arena of_file; // Holds its folder and blocks.
    text folder;
    uint64_t file_size;
    bool has_rows;
    ipc_blocks blocks;
    size_t block_capacity;
};

struct row_sink_worker {
    row_sink *owner;
    const scan_env *env;
    arena scratch;
    codec_scratch codecs;
    column *columns;
};

// ---- copy_sink_blocks.c ------------------------------------------------------------------------

/// Whose turn has come goes into blocks.
firn_status copy_admit(row_sink *self, firn_error *err) REQUIRES(&self->lock);
/// No more rows come: the last block is as full as it will be.
void copy_end_block(row_sink *self) REQUIRES(&self->lock);
/// Does one thing that is to be done; *did is false if there is nothing that nobody does.
firn_status copy_work(row_sink *self, codec_scratch *codecs, bool *did, firn_error *err)
    REQUIRES(&self->lock);
bool copy_is_idle(const row_sink *self);
/// Of who is writing, or when nobody is.
firn_status copy_open_file(row_sink *self, text folder, firn_error *err);
firn_status copy_finish_file(row_sink *self, codec_scratch *codecs, firn_error *err);
void copy_release(encoded *rows);
void copy_close_blocks(row_sink *self);

#endif
