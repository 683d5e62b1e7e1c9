// What a file says about its columns, as facts: for pruning row groups and pages, and for planners.
//
// Believed is what pq_bounds.h believes; everything else stays unknown.
#ifndef FIRN_FORMATS_PARQUET_PQ_FACTS_H
#define FIRN_FORMATS_PARQUET_PQ_FACTS_H

#include "expr/facts.h"
#include "formats/parquet/pq_bounds.h"
#include "formats/parquet/pq_pick.h"

/// Facts about `pick` in a unit of `row_count` rows, of which the file says `bounds`. Values are of
/// the pick's type. For anything but a leaf outside lists nothing is known. Lack of memory makes a
/// fact unknown.
column_facts pq_facts_of_bounds(const pq_pick *pick, const pq_bounds *bounds, uint64_t row_count,
                                arena *memory);

/// Facts about `pick` in a row group, by its statistics; constants know themselves.
column_facts pq_facts_of_row_group(const pq_file *file, const pq_pick *pick, uint32_t row_group,
                                   arena *memory);

/// Whether a pick is a leaf that has one value or NULL a row, so that statistics speak of rows.
static inline bool pq_pick_is_flat(const pq_pick *pick) {
    return pick->kind == PQ_PICK_LEAF && pick->target.leaf->repetition_max == 0;
}

#define PQ_PLAIN_BYTES_MAX 64

/// The bytes that PLAIN encoding stores for a value of the pick's type (of byte arrays without the
/// size), in `room` or in the value. False if they are not known: for the types whose equal values
/// may have different bytes, and where the value is one the file cannot hold.
bool pq_plain_bytes_of(const pq_pick *pick, const column *value, uint32_t row,
                       uint8_t room[PQ_PLAIN_BYTES_MAX], bytes *out);

#endif
