// What pq_reader.c (opening, batches) and pq_reader_group.c (row groups) share.
#ifndef FIRN_FORMATS_PARQUET_PQ_READER_PRIVATE_H
#define FIRN_FORMATS_PARQUET_PQ_READER_PRIVATE_H

#include "formats/parquet/pq_prune.h"
#include "formats/parquet/pq_reader.h"

typedef enum reader_stage {
    STAGE_GROUP,        // A row group is to be begun.
    STAGE_PRUNE,        // Row groups are looked at: those that are worth it are planned.
    STAGE_DICTIONARIES, // Chunks of some row groups are begun, their dictionaries to be decoded.
    STAGE_PLAN,         // The next batch is to be begun.
    STAGE_FILTER,       // Its length is known; filters run.
    STAGE_OUTPUT,       // What is left of it is to be read.
} reader_stage;

// A pick and what is known of it in the batch that is being made.
typedef struct reader_column {
    pq_pick *pick;
    uint32_t leaf_from; // Its leaf readers.
    uint32_t leaf_to;
    bool is_nested;  // They gather.
    bool is_read;    // `column` in reader.columns is there.
    uint32_t pulled; // So many of its leaf readers have gathered.
} reader_column;

struct pq_reader {
    pq_file *file;
    pq_reader_options options;
    uint32_t pick_count;
    uint32_t output_count; // Of picks that are handed out.
    reader_column *picks;
    uint32_t leaf_count;
    pq_leaf_reader **leaves;
    pq_filter filter;
    pq_pruner pruner;
    const pq_pick **pick_list; // The picks, for the pruner.
    arena memory;              // Of the reader.
    arena work;                // Of the batch that is being made or was handed out.
    pq_pages_options pages;
    uint64_t identity;   // Of the next dictionary.
    uint32_t slot_count; // Row groups that are begun together: 1 to PQ_GROUPS_AHEAD.
    // The task.
    reader_stage stage;
    uint32_t group; // The row group that is read or was looked at last.
    uint32_t group_next;
    uint32_t group_end;
    pq_row_span piece;   // Of the row group, when only that is read; else to UINT64_MAX.
    uint32_t open_group; // The row group a piece of which was read to its end: the next goes on.
    bool is_pruning;     // The one in plans[slot_end] is being looked at.
    uint32_t slot;       // Where its chunks and its plan are, ...
    uint32_t slot_end;   // ... and how many row groups are planned.
    pq_group_plan plans[PQ_GROUPS_AHEAD];
    size_t span_at;       // The span of the plan that `row` is in.
    uint64_t group_start; // Number in the file of the row group's first row.
    uint64_t group_rows;
    uint64_t row;       // The next row of the row group.
    uint32_t batch_max; // Rows of a batch, by what rows of this row group take.
    uint32_t part;
    // The batch that is being made: `span` rows of the file, of which `lanes` rows became columns:
    // all, or those numbered in `rows`. Of the lanes those in `selection` are left, or all.
    column *columns;
    uint32_t span;
    uint32_t lanes;
    const uint16_t *rows;
    const uint16_t *selection;
    uint32_t selected;
    uint32_t alive;     // Rows that are not deleted.
    uint32_t filter_at; // The next filter stage to run.
    pq_reader_counters counters;
};

// Where blocks come from: a leaf's chunk in the row group in `slot`.
typedef struct pq_block_source {
    const pq_leaf_reader *leaf;
    uint32_t slot;
} pq_block_source;

// Blocks of several leaves that are decoded together: 64 at a time, of one codec.
#define PQ_BLOCKS_MAX 64
typedef struct pq_block_list {
    codec_block items[PQ_BLOCKS_MAX];
    pq_block_source sources[PQ_BLOCKS_MAX];
    uint32_t count;
    const pq_pages *like; // The codec and the hint are its.
} pq_block_list;

/// Adds what the reader knows to the error of a leaf in the row group that is read.
firn_status pq_reader_in_column(const pq_reader *self, const pq_leaf_reader *leaf,
                                firn_status status, firn_error *err);
/// The same where the chunk in a slot is begun.
firn_status pq_reader_in_chunk(const pq_reader *self, const pq_block_source *source,
                               firn_status status, firn_error *err);

/// Appends blocks; decodes the list when it is full or the blocks are of another kind.
firn_status pq_reader_add_blocks(const pq_reader *self, pq_block_list *list,
                                 const pq_block_source *source, const pq_blocks *blocks,
                                 firn_error *err);
/// Decodes what is in the list. Errors name the column whose block is damaged.
firn_status pq_reader_flush_blocks(const pq_reader *self, pq_block_list *list, firn_error *err);

/// Plans the next batch: how many rows it spans, which of them are deleted.
firn_status pq_reader_plan_batch(pq_reader *self, pq_answer *answer, firn_error *err);
/// Runs the next filter stage.
firn_status pq_reader_run_filter(pq_reader *self, pq_answer *answer, firn_error *err);
/// Reads what is to be handed out and makes the batch; `*is_made` is false if no row is left.
firn_status pq_reader_make_batch(pq_reader *self, batch *out, bool *is_made, pq_answer *answer,
                                 firn_error *err);

/// Leaves the row group and enters the next one, if one is begun already.
void pq_reader_next_group(pq_reader *self);
/// Finds row groups that are worth reading and begins their chunks. PQ_END: there are none.
firn_status pq_reader_plan_groups(pq_reader *self, pq_answer *answer, firn_error *err);
/// Decodes the dictionaries of the row groups that were begun and enters the first one.
firn_status pq_reader_load_dictionaries(pq_reader *self, pq_answer *answer, firn_error *err);

#endif
