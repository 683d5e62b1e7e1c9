// Targets: max-min fair shares. Whoever wants less than an equal share gets what it wants, and the
// rest is shared equally by the others; nobody gets less than its minimum.
//
//     what keepers may have = limit - headroom - fixed - waited for, in line or while running
//     states   first between queries, then between the keepers of a query
//     read-ahead of what is left, caches of what is left then
//
// A target is an upper bound. While everybody gets what it wants, each one's is all that the others
// do not want, so growing needs no new sharing.
#include "memory/pool_private.h"

#define WANT_MAX ((uint64_t)1 << 48)
#define NOT_SEEN UINT64_MAX

typedef struct portion {
    uint64_t level;    // UINT64_MAX: there is enough for all.
    uint64_t spare;    // With enough for all: what nobody wants.
    uint64_t expected; // What they will hold together.
} portion;

static uint64_t clamp(uint64_t level, const pool *self) {
    return most(self->floor, least(level, self->want));
}

// The members are either groups (a list by next_group) or the keepers of a kind, in a group or all.
typedef struct members {
    pool *groups;  // If not NULL.
    pool *keepers; // Else.
    pool_kind kind;
    const pool *parent; // NULL: any.
} members;

static pool *next_member(const members *self, pool *after) {
    if (self->groups != NULL) {
        return after == NULL ? self->groups : after->next_group;
    }
    pool *at = after == NULL ? self->keepers : after->next_keeper;
    while (at != NULL && (at->options.kind != self->kind ||
                          (self->parent != NULL && at->parent != self->parent))) {
        at = at->next_keeper;
    }
    return at;
}

static uint64_t sum_at(const members *self, uint64_t level) {
    uint64_t sum = 0;
    for (pool *at = next_member(self, NULL); at != NULL; at = next_member(self, at)) {
        sum += clamp(level, at);
    }
    return sum;
}

// Finds the level up to which everybody may go.
static portion divide(const members *self, uint64_t available) {
    const uint64_t wanted = sum_at(self, UINT64_MAX);
    if (wanted <= available) {
        return (portion){UINT64_MAX, available - wanted, wanted};
    }
    uint64_t low = 0; // The level is at least this, and below `high`.
    uint64_t high = available + 1;
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        if (sum_at(self, middle) <= available) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (portion){low, 0, sum_at(self, low)};
}

// What one member may have at most.
static uint64_t bound_of(const portion *self, const pool *member) {
    if (self->level == UINT64_MAX) {
        return member->want + self->spare;
    }
    return most(member->floor, self->level);
}

// Sets the targets of the members, who are keepers. Returns what they will hold together.
static uint64_t set_targets(const members *self, uint64_t available) {
    const portion found = divide(self, available);
    for (pool *at = next_member(self, NULL); at != NULL; at = next_member(self, at)) {
        store(&at->target, bound_of(&found, at));
    }
    return found.expected;
}

// Fills in floor and want of all keepers and makes the list of groups.
static pool *prepare(pool_root *root) {
    for (pool *at = root->keepers; at != NULL; at = at->next_keeper) {
        at->floor = at->held;
        at->want = most(at->floor, least(at->demand, WANT_MAX));
        at->parent->floor = NOT_SEEN;
    }
    pool *groups = NULL;
    for (pool *at = root->keepers; at != NULL; at = at->next_keeper) {
        pool *group = at->parent;
        if (at->options.kind != POOL_STATE) {
            continue;
        }
        if (group->floor == NOT_SEEN) {
            group->floor = 0;
            group->want = 0;
            group->next_group = groups;
            groups = group;
        }
        group->floor += at->floor;
        group->want += at->want;
    }
    for (pool *at = groups; at != NULL; at = at->next_group) {
        const uint64_t limit = minus(load(&at->limit), at->own_used);
        at->want = most(at->floor, least(at->want, limit));
    }
    return groups;
}

static uint64_t share_states(pool_root *root, pool *groups, uint64_t available) {
    const members queries = {.groups = groups};
    if (groups == NULL) {
        return 0;
    }
    const portion found = divide(&queries, available);
    for (pool *at = groups; at != NULL; at = at->next_group) {
        const members inside = {.keepers = root->keepers, .kind = POOL_STATE, .parent = at};
        const uint64_t limit = minus(load(&at->limit), at->own_used);
        (void)set_targets(&inside, least(bound_of(&found, at), most(limit, at->floor)));
    }
    return found.expected;
}

void pool_share(pool_root *root) {
    const uint64_t fixed = committed_fixed(root);
    const uint64_t waited_for = root->first_waiter == NULL ? 0 : root->first_waiter->bytes;
    uint64_t left = least(root_limit(root), WANT_MAX);
    left = minus(left, pool_headroom(root));
    left = minus(left, fixed);
    left = minus(left, waited_for + root->pressing);
    pool *groups = prepare(root);
    const members ahead = {.keepers = root->keepers, .kind = POOL_READ_AHEAD};
    const members caches = {.keepers = root->keepers, .kind = POOL_CACHE};
    const uint64_t ahead_floor = sum_at(&ahead, 0);
    const uint64_t caches_floor = sum_at(&caches, 0);
    left = minus(left, share_states(root, groups, minus(left, ahead_floor + caches_floor)));
    left = minus(left, set_targets(&ahead, minus(left, caches_floor)));
    (void)set_targets(&caches, left);
    root->shared_fixed = fixed;
    root->is_stale = false;
}
