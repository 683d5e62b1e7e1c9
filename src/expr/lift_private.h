// Private to expr/lift*: a call that is being made, and what its ways share.
#ifndef FIRN_EXPR_LIFT_PRIVATE_H
#define FIRN_EXPR_LIFT_PRIVATE_H

#include "expr/program_state.h"

#define LIFT_PACKED_SHARE 4 ///< Fewer than one in so many entries are taken out first.

typedef struct lifted_call {
    const expr_run_call *run;
    const program_node *node;
    const call_info *info;
    call_state *state;
    row_scope *scope;
    const column **args; ///< By argument; NULL for a lambda.
    uint32_t varying;    ///< How many are not constant …
    uint32_t varying_at; ///< … and which one is, if one is.
} lifted_call;

static inline firn_status lift_full(const lifted_call *self) {
    return ARENA_FULL(self->run->scratch, self->run->err);
}

static inline bool lift_can_fail(const lifted_call *self) {
    return (self->info->flags & FUNCTION_CAN_FAIL) != 0;
}

static inline bool lift_is_under_try(const lifted_call *self) {
    return self->node->try_index != NO_INDEX && !self->info->fails_to_null;
}

/// Do failing rows become NULL, rather than the call fail?
static inline bool lift_tolerates(const lifted_call *self) {
    return lift_can_fail(self) && (self->info->fails_to_null || self->node->try_index != NO_INDEX);
}

/// The rows of the TRY around the call that have failed, for setting more; NULL without memory.
uint64_t *lift_failures_of_try(const lifted_call *self);

/// The call whose one varying argument is a dictionary: once for each entry.
firn_status lift_dictionary(const lifted_call *self, column *out, bool *is_everywhere);

#endif
