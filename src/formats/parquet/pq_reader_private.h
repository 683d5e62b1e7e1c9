// What pq_reader.c (opening, batches) and pq_reader_group.c (row groups) share.
#ifndef FIRN_FORMATS_PARQUET_PQ_READER_PRIVATE_H
#define FIRN_FORMATS_PARQUET_PQ_READER_PRIVATE_H

#include "formats/parquet/pq_reader.h"

typedef enum reader_stage {
    STAGE_GROUP,        // A row group is to be begun.
    STAGE_DICTIONARIES, // Chunks of some row groups are begun, their dictionaries to be decoded.
    STAGE_PLAN,         // The next batch is to be begun.
    STAGE_PULL,         // Its length is known; leaves inside lists gather.
} reader_stage;

struct pq_reader {
    pq_file *file;
    pq_reader_options options;
    pq_pick *picks;
    uint32_t pick_count;
    uint32_t leaf_count;
    pq_leaf_reader **leaves;
    column *columns; // Of the batch handed out.
    arena memory;
    pq_pages_options pages;
    uint64_t identity;   // Of the next dictionary.
    uint32_t slot_count; // Row groups that are begun together: 1 to PQ_GROUPS_AHEAD.
    // The task.
    reader_stage stage;
    uint32_t group; // The row group that is read, or begun next.
    uint32_t group_end;
    uint32_t slot;        // Where its chunks are, ...
    uint32_t slot_end;    // ... and how many row groups are begun.
    uint64_t group_start; // Number in the file of the row group's first row.
    uint64_t group_rows;
    uint64_t row;         // The next row of the row group.
    uint32_t batch_max;   // Rows of a batch, by what rows of this row group take.
    uint32_t batch_count; // Rows of the batch that is being made.
    uint32_t pulled;      // Leaf readers that have gathered them.
    uint32_t part;
    pq_reader_counters counters;
};

// Blocks of several leaves that are decoded together: 64 at a time, of one codec.
#define PQ_BLOCKS_MAX 64
typedef struct pq_block_list {
    codec_block items[PQ_BLOCKS_MAX];
    uint32_t count;
    const pq_pages *like; // The codec and the hint are its.
} pq_block_list;

/// Adds what the reader knows to the error of a leaf.
firn_status pq_reader_in_column(const pq_reader *self, const pq_leaf_reader *leaf,
                                firn_status status, firn_error *err);

/// Appends blocks; decodes the list when it is full or the blocks are of another kind.
firn_status pq_reader_add_blocks(const pq_reader *self, pq_block_list *list, const pq_pages *pages,
                                 const pq_blocks *blocks, firn_error *err);
/// Decodes what is in the list.
firn_status pq_reader_flush_blocks(const pq_reader *self, pq_block_list *list, firn_error *err);

/// Begins the next row group; those behind it as well, if there is room.
firn_status pq_reader_begin_group(pq_reader *self, firn_error *err);
/// Decodes the dictionaries of the row groups that were begun and enters the first one.
firn_status pq_reader_load_dictionaries(pq_reader *self, pq_answer *answer, firn_error *err);

#endif
