// What a hash join may keep while its left rows go by: a fair share among the operators that work
// beside it, the other joins that the same rows go through and the sink at the end. Those that are
// built already hold what they have; of the others only the optimizer's estimates are known.
#include "exec/join/join_state.h"
#include "exec/pipeline.h"

#define CLAIMS_MAX 32
#define ESTIMATE_FACTOR 2  // Estimates are rather too low than too high, …
#define CLAIM_SHARE_MIN 16 // … and nobody is counted with less than this part of the room.
#define STATE_ROW_BYTES 64 // Of aggregates and sorts, about.

typedef struct claims {
    uint64_t items[CLAIMS_MAX];
    uint32_t count;
} claims;

static uint64_t bytes_for(double rows, uint64_t row_bytes) {
    const double bytes = rows * (double)row_bytes * ESTIMATE_FACTOR;
    return rows < 0 || bytes > 1e15 ? UINT64_MAX : (uint64_t)bytes; // Unknown: all it can get.
}

static uint64_t join_claim(const join_state *other) {
    return other->is_probing ? 0
                             : bytes_for(other->plan.node->join_.right->row_estimate,
                                         other->plan.right.layout.size + sizeof(uint64_t));
}

static uint64_t claim_of(const op_instance *each) {
    if (each->kind == &operator_join_probe_step || each->kind == &operator_join_build_sink) {
        return join_claim(each->shared);
    }
    if (each->kind == &operator_nested_probe_step) {
        return bytes_for(each->node->join_.right->row_estimate, STATE_ROW_BYTES);
    }
    return each->kind->min_bytes == NULL ? 0 : bytes_for(each->node->row_estimate, STATE_ROW_BYTES);
}

static const pipeline *probe_pipeline(const join_state *self) {
    const op_instance *each = self->run->instances;
    while (each != NULL && !(each->kind == &operator_join_probe_step && each->shared == self)) {
        each = each->listed;
    }
    return each == NULL ? NULL : each->pipeline;
}

static void find_claims(const join_state *self, uint64_t room, claims *out) {
    const pipeline *where = probe_pipeline(self);
    const op_instance *first = where == NULL ? NULL : where->instances;
    for (const op_instance *each = first; each != NULL; each = each->beside) {
        const uint64_t claim = each->shared != self ? claim_of(each) : 0;
        if (claim > 0 && out->count < CLAIMS_MAX) {
            const uint64_t least = room / CLAIM_SHARE_MIN;
            out->items[out->count++] = claim > least ? claim : least;
        }
    }
}

// Who claims less than an equal share gets it, the others share the rest equally.
static uint64_t equal_share(uint64_t room, claims *all) {
    uint32_t sharers = all->count + 1;
    bool is_stable = false;
    while (!is_stable) {
        is_stable = true;
        for (uint32_t i = 0; i < all->count; i++) {
            if (all->items[i] != 0 && all->items[i] < room / sharers) {
                room -= all->items[i];
                all->items[i] = 0;
                sharers--;
                is_stable = false;
            }
        }
    }
    return room / sharers;
}

uint64_t join_state_budget(const join_state *self) {
    const uint64_t room = pool_room(self->keeper);
    claims all = {.count = 0};
    find_claims(self, room, &all);
    const uint64_t share = equal_share(room, &all);
    const uint64_t least = join_state_min_bytes(self, self->run->worker_count);
    return share > least ? share : least;
}
