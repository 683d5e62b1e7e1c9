// In front of a worker's table: keys that are dictionary codes, constants or small integers find
// their group by a number instead of a hash, and the rows of each group go into its states
// together.
#ifndef FIRN_EXEC_AGGREGATE_CACHE_H
#define FIRN_EXEC_AGGREGATE_CACHE_H

#include "exec/aggregate/aggregate_stage.h"
#include "exec/aggregate/aggregation.h"

typedef struct aggregate_cache aggregate_cache;

firn_status aggregate_cache_open(const aggregate_shape *shape, arena *memory, aggregate_cache **out,
                                 firn_error *err);
/// Forgets all groups: their table has been emptied.
void aggregate_cache_clear(aggregate_cache *self);
/// Adds the rows to the groups and their states, if their keys are of that kind; *is_done tells.
/// `owner` is what the stage needs for groups that are new. in->hashes are not looked at.
firn_status aggregate_cache_add(aggregate_cache *self, aggregate_stage *stage,
                                const stage_input *in, const stage_owner *owner,
                                const aggregate_context *context, aggregate_values *values,
                                bool *is_done);

#endif
