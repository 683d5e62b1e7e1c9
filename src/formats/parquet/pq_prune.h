// Which rows of a row group can be left out, and which filters need not run there: by statistics,
// bloom filters and the page index.
//
//     pq_pruner_begin   asks the statistics of the footer
//     pq_pruner_next    asks bloom filters and page indexes, where the footer says that there are
//                       some and the filters ask for them; reads them, so it may have to wait
//
// All questions go to facts_evaluate; this only finds the facts.
#ifndef FIRN_FORMATS_PARQUET_PQ_PRUNE_H
#define FIRN_FORMATS_PARQUET_PQ_PRUNE_H

#include "formats/parquet/pq_bloom.h"
#include "formats/parquet/pq_facts.h"
#include "formats/parquet/pq_fetch.h"
#include "formats/parquet/pq_filter.h"
#include "formats/parquet/pq_page_index.h"

/// What a reader reads.
typedef struct pq_pick_list {
    const pq_pick *const *items;
    uint32_t count;
} pq_pick_list;

/// What is left of a row group.
typedef struct pq_group_plan {
    uint32_t row_group;
    arena memory;                    // Of what follows.
    pq_row_spans spans;              // Rows that may pass; none: the group is left out.
    bool *is_always;                 // By filter stage: true for all of its rows.
    const pq_offset_index **indexes; // By leaf of the schema; NULL: not read.
} pq_group_plan;

typedef struct pq_prune_counters {
    uint64_t seen; // Row groups; of one that is read in pieces only the first counts.
    uint64_t by_statistics;
    uint64_t by_dynamic; // Filters, with statistics.
    uint64_t by_bloom;
    uint64_t pages;
} pq_prune_counters;

typedef struct pq_pruner {
    const pq_file *file;
    const pq_filter_options *options;
    const pq_filter *filter;
    pq_pick_list picks;
    pq_fetch fetch;
    pq_group_plan *plan; // Of the row group at hand.
    bool is_counted;     // It is not a later piece of a row group.
    bool is_whole;       // All of its rows are read.
    int stage;
    column_facts *facts; // By pick, in the plan's memory, ...
    bool *is_known;      // ... if this says so.
    bool *is_asked;      // By pick: a filter asks whether it contains a value.
    pq_bloom *blooms;    // By pick; no bytes: there is none.
    uint32_t *ranges;    // By pick: number in `fetch` of its bloom filter or column index.
    arena scratch;
    pq_prune_counters counters;
} pq_pruner;

/// Sets up; must not move afterwards.
///
/// Keeps:  everything, until it is closed.
/// Errors: FIRN_NO_MEMORY.
firn_status pq_pruner_open(pq_pruner *self, const pq_file *file, const pq_filter_options *options,
                           const pq_filter *filter, pq_pick_list picks, arena *memory,
                           firn_error *err);

/// Sets up what reads indexes. Before the first row group.
firn_status pq_pruner_attach(pq_pruner *self, pool *owner, const io_request *request, arena *memory,
                             firn_error *err);
void pq_pruner_close(pq_pruner *self);

/// Begins with a row group. The plan is for all of its rows; `piece` says which of them are read
/// now, so that it is known whether pages are passed over.
///
/// Keeps:  `plan` until the next call.
/// Errors: FIRN_NO_MEMORY.
firn_status pq_pruner_begin(pq_pruner *self, uint32_t row_group, pq_row_span piece,
                            pq_group_plan *plan, firn_error *err);

/// Goes on until the plan is final. To be called again after PQ_WAIT.
///
/// Errors: FIRN_IO, FIRN_NO_MEMORY. Indexes that are damaged are not believed, and no error.
firn_status pq_pruner_next(pq_pruner *self, pq_answer *answer, firn_error *err);

#endif
