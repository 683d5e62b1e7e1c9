// One spilled partition of a join, from the file to its output.
//
//     rows fit into the worker's share ─► a directory, then all left rows of the partition
//     a few times larger, or one key   ─► block by block: the left rows are read once for each
//     larger                           ─► both sides are split by four more bits of the hash, and
//                                         the parts wait as jobs of their own
#ifndef FIRN_EXEC_JOIN_DRAIN_H
#define FIRN_EXEC_JOIN_DRAIN_H

#include "exec/join/join_probe.h"

typedef enum join_drain_phase {
    JOIN_DRAIN_LOAD,      ///< The next block of build rows.
    JOIN_DRAIN_READ,      ///< The next page of left rows.
    JOIN_DRAIN_PROBE,     ///< A batch of it is being probed.
    JOIN_DRAIN_UNMATCHED, ///< Build rows of the block that found no partner.
    JOIN_DRAIN_DONE,
} join_drain_phase;

typedef struct join_drain {
    join_state *state;
    join_table table;
    join_slots slots;
    join_probe probe;
    spill_desk desk;
    arena held;     ///< The batch that is being probed.
    row_page *kept; ///< Pages for a time when the keeper refuses: one to read, one for a block.
    uint32_t kept_count;
    void *read;     ///< The page of left rows.
    join_job *job;  ///< NULL: none.
    bool has_split; ///< The job has been, or in part.
    bool has_left;  ///< Others do the rest: there was no room for a job of its own.
    bool is_urgent; ///< The job goes on although memory was refused.
    join_drain_phase phase;
    // Block:
    row_page *block;   ///< Its pages.
    size_t next_build; ///< Page of the job's rows that the next block begins with.
    bool is_last;      ///< The block is the last one.
    row_page *page;    ///< UNMATCHED: where it is …
    uint32_t page_at;  ///< … in the page.
    // Left rows:
    size_t next_probe;   ///< Page to be read next.
    uint32_t read_at;    ///< In the page.
    uint64_t first_row;  ///< Number of the batch's first row in the partition.
    uint32_t batch_size; ///< Its rows.
    batch left;
    directory carry; ///< Two bits for each left row; see join_probe.h.
    uint64_t carry_rows;
} join_drain;

firn_status join_drain_open(join_drain *self, join_state *state, arena *memory, firn_error *err);
void join_drain_close(join_drain *self);
/// Takes over a job and works on it; NULL: there is none to take.
firn_status join_drain_take(join_drain *self, bool *found, firn_error *err);
/// Goes on until there is output, or the job is at its end (phase DONE).
firn_status join_drain_next(join_drain *self, arena *scratch, batch *output, firn_error *err);
/// Gives back what the job held.
void join_drain_end(join_drain *self);

#endif
