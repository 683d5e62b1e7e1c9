// A hash join while it runs: what its build sink, probe step and drain source share.
//
//     build   rows of the right side, by hash, into partitions; refused memory sends the largest
//             partitions to the spill file, of all workers alike
//     finish  decides which partitions stay, with the memory of all that follows; a bloom filter of
//             the others, which go to the file first; then a directory for each that stays, and
//             runs of its long chains, in parallel; dynamic filters
//     probe   left rows find their partners; those of a spilled partition follow it to the file,
//             if the bloom filter lets them through
//     drain   spilled partitions one by one, and right rows that found no partner
//
// The sink's open makes it, the sink's close frees it. Nothing changes while the probe runs, but
// the marks in rows, and the lists of spilled probe rows when a worker hands its own over (under
// lock).
#ifndef FIRN_EXEC_JOIN_STATE_H
#define FIRN_EXEC_JOIN_STATE_H

#include "base/hash.h"
#include "exec/join/join_runs.h"
#include "exec/join/join_table.h"

typedef struct join_part {
    row_pages rows;
    row_pages probe;        ///< Left rows that wait for it. Under the state's lock.
    atomic_bool is_spilled; ///< Its rows go to the file.
    join_part_runs runs;
} join_part;

/// A dynamic filter in the making: one key of the join.
typedef struct join_filter {
    uint32_t key;
    uint32_t slot;
    directory memory;
    uint64_t *bitmap; ///< One of the two, or neither.
    uint64_t *bloom;
    uint64_t bits;  ///< Of the bitmap.
    uint64_t words; ///< Of the bloom filter.
    dynamic_content content;
} join_filter;

/// A spilled partition, or a part of one, that waits in the drain.
typedef struct join_job {
    row_pages rows;
    row_pages probe;
    uint32_t bits_before; ///< Top bits of the hash that all its rows have in common.
    uint32_t depth;       ///< How often it was split.
    bool is_hot;          ///< Splitting does not help: one key.
    struct join_job *next;
} join_job;

typedef struct join_state {
    join_plan plan;
    execution *run;
    arena memory; ///< Changed by one thread at a time: opening, finish, or under `lock`.
    mutex lock;
    // Made when the first build worker begins: then the query's share of memory is known.
    bool is_begun GUARDED_BY(&lock);
    pool *keeper;
    row_page *kept GUARDED_BY(&lock); ///< Pages that each worker can count on: see join_state_lend.
    row_store rows;
    row_store probe_rows;
    uint32_t part_count;              ///< Of `parts`, a power of two. At most, until has_parts.
    bool has_parts GUARDED_BY(&lock); ///< Some worker needed partitions: there are so many.
    uint32_t lent_count GUARDED_BY(&lock); ///< Kept pages that each worker then borrows.
    bool is_partitioned;   ///< False: all rows lie in parts[0], which is the only one.
    bool decides_by_group; ///< null_aware with other keys or a residual: see join_probe.h.
    join_part *parts;
    atomic_uint_fast32_t given_up_count; ///< Of parts, while rows come in.
    row_pages loose;                     ///< Of workers that never needed partitions.
    join_bounds *bounds;                 ///< By key.
    uint64_t row_count;                  ///< Rows kept.
    uint64_t seen_count;                 ///< Rows of the right side.
    uint64_t null_count;                 ///< null_aware: rows that have a NULL key.
    uint64_t budget;                     ///< What it may keep while left rows go by; set by finish.
    atomic_bool is_probing;              ///< Built: what it keeps is held until then.
    join_table table;
    join_runs runs;
    uint64_t run_count;
    uint64_t no_slot; ///< What spilled partitions have for a directory.
    uint32_t filter_count;
    join_filter *filters;
    directory bloom_memory; ///< Of the hashes of all rows that are in the file.
    uint64_t *bloom;
    uint64_t bloom_words;
    bool bloom_is_sparse; ///< It has few bits a key, so that each key sets two of them.
    // Drain.
    atomic_uint_fast64_t next_task;
    atomic_uint_fast32_t next_part; ///< In memory, for rows without partner.
    bool has_jobs GUARDED_BY(&lock);
    join_job *jobs GUARDED_BY(&lock);
    uint32_t busy_count GUARDED_BY(&lock); ///< Workers that have a job.
    uint64_t job_share;                    ///< Bytes that one worker may take for a job.
    // What it did.
    atomic_uint_fast64_t read_back_pages; ///< Of partitions that stayed, or became bits.
    atomic_uint_fast64_t probe_spilled_rows;
    atomic_uint_fast64_t bloom_dropped_rows;
    atomic_uint_fast32_t split_count;
    atomic_uint_fast32_t block_count;
    uint32_t split_depth GUARDED_BY(&lock); ///< How often a row's partition was split, at most.
    uint32_t spilled_part_count;
    uint64_t spilled_bytes; ///< Of stores that are closed; and of its keeper.
    uint64_t peak_bytes;
} join_state;

firn_status join_state_open(const plan_node *node, execution *run, join_state **out,
                            firn_error *err);
void join_state_close(join_state *self);
/// All its left rows have gone by: gives back all memory but what `report` needs.
void join_state_release(join_state *self);
uint64_t join_state_spilled_bytes(const join_state *self);
uint64_t join_state_peak_bytes(const join_state *self); ///< The most it ever kept.
/// What its keeper can never do without.
uint64_t join_state_min_bytes(const join_state *self, uint32_t workers);
/// What needs the query's memory, once; any worker.
firn_status join_state_begin(join_state *self, firn_error *err);

/// A worker begins to partition its rows: how many partitions there are. *spares becomes pages
/// that it can count on, for each partition and more, as far as there were any: nobody can take
/// them while others fill the memory.
uint32_t join_state_partition(join_state *self, row_page **spares);

#define JOIN_PAGES_KEPT 3 ///< A worker's.
/// Keeps as many pages as all workers can count on and gives the others back, writing out build
/// rows if need be. By one thread, while nobody has borrowed.
firn_status join_state_keep(join_state *self, firn_error *err);
/// Adds up to `count` of the kept pages to a list: whoever has a page can write rows out and go on.
void join_state_lend(join_state *self, uint32_t count, row_page **list);
/// Puts borrowed pages back; *list is empty then.
void join_state_take_back(join_state *self, row_page **list);
/// Puts pages of the keeper among the kept ones, as far as the keeper gives some.
void join_state_refill(join_state *self, uint32_t count);

/// Hashes of rows of one side, one for each of `lanes`. Deciding by group, their top bits are the
/// group's, and the others all keys' or, of a row with a NULL, those of join_open_hash.
firn_status join_state_hash(const join_state *self, const column *keys, const uint16_t *lanes,
                            uint32_t count, arena *scratch, uint64_t *out, firn_error *err);

/// Deciding by group: which of the lanes have a NULL among the keys that do not take it as a value.
/// `is_open` is by lane.
void join_state_find_open(const join_state *self, const column *keys, const uint16_t *lanes,
                          uint32_t count, bool *is_open);
/// The hash of right rows that have, in the group of a row with this hash.
static inline uint64_t join_open_hash(uint64_t hash) {
    const uint64_t group = hash >> JOIN_GROUP_SHIFT;
    const uint64_t below = (UINT64_C(1) << JOIN_GROUP_SHIFT) - 1;
    return group << JOIN_GROUP_SHIFT | (hash_u64(group ^ HASH_NULL) & below);
}

/// What the join may keep while its left rows go by, beside what works in the same pipeline.
uint64_t join_state_budget(const join_state *self);

/// All build workers are merged: directories, filters.
firn_status join_state_finish(join_state *self, finish_plan *out, firn_error *err);

// ---- Dynamic filters (join_filter.c) -----------------------------------------------------------

/// Learns which keys have a slot, and says that their filters will come.
firn_status join_filters_begin(join_state *self, firn_error *err);
/// Decides their form; all rows are counted.
void join_filters_open(join_state *self);
/// Adds rows; several threads at once.
firn_status join_filters_add(join_state *self, uint8_t *const *rows, uint32_t count, arena *scratch,
                             firn_error *err);
firn_status join_filters_publish(join_state *self, firn_error *err);
void join_filters_close(join_state *self);

/// Words of the bloom filter of so many spilled rows; 0: none is worth its memory.
uint64_t join_bloom_words(const join_state *self, uint64_t row_count);
// The bloom filter of spilled rows. A partition's words lie together, as its hashes do: they stay
// in the cache while its rows are added. Left rows come in any order, so a word is asked for first.
static inline uint64_t join_bloom_hash(const join_state *self, uint64_t hash) {
    return self->decides_by_group ? join_open_hash(hash) : hash; // All of a group count.
}
static inline uint64_t *join_bloom_word(const join_state *self, uint64_t hash) {
    const u128 product = (u128)join_bloom_hash(self, hash) * self->bloom_words;
    return &self->bloom[(uint64_t)(product >> 64)];
}
static inline uint64_t join_bloom_bits(const join_state *self, uint64_t hash) {
    const uint64_t held = join_bloom_hash(self, hash);
    return self->bloom_is_sparse ? UINT64_C(1) << (held & 63) | UINT64_C(1) << (held >> 6 & 63)
                                 : dynamic_bloom_bits(held);
}
static inline bool join_bloom_has(const join_state *self, uint64_t hash) {
    const uint64_t bits = join_bloom_bits(self, hash);
    return (*join_bloom_word(self, hash) & bits) == bits;
}

#endif
