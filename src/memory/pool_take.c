// How a request is granted: what it commits, how far who asks may go, and what is tried before no.
#include <assert.h>

#include "base/host.h"
#include "memory/pool_private.h"

#define HEADROOM_MAX ((uint64_t)8 << 20)
#define HEADROOM_SHARE 16
// How often who waits for keepers looks at its cancel flag, and how long nobody may take or give
// back anything meanwhile.
#define LOOK_MS 10
#define QUIET_NS ((int64_t)250 * 1000000)

uint64_t pool_headroom(const pool_root *root) {
    return least(root_limit(root) / HEADROOM_SHARE, HEADROOM_MAX);
}

// ---- Commitments -------------------------------------------------------------------------------

uint64_t pool_own_commitment(const pool *self) {
    if (is_keeper(self)) {
        return most(self->is_closed ? 0 : self->held, self->own_used);
    }
    return minus(self->minima, self->min_sum) + most(self->reserve, self->own_used);
}

void pool_commitment_changed(pool *self, uint64_t before) {
    pool_root *root = self->root;
    const uint64_t now = pool_own_commitment(self);
    root->committed = root->committed + now - before;
    if (is_keeper(self) && !self->is_closed) { // What a closed one still holds is fixed.
        root->committed_keepers = root->committed_keepers + now - before;
    }
}

// What the own commitment would be with `size` bytes more in use.
static uint64_t commitment_with(const pool *self, uint64_t size) {
    if (is_keeper(self)) {
        return most(self->is_closed ? 0 : self->held, self->own_used + size);
    }
    return minus(self->minima, self->min_sum) + most(self->reserve, self->own_used + size);
}

static bool fits_limits_above(const pool *self, uint64_t size) {
    for (const pool *at = self; at->parent != NULL; at = at->parent) {
        const uint64_t limit = load(&at->limit);
        if (limit != UINT64_MAX && size > minus(limit, load(&at->used))) {
            return false;
        }
    }
    return true;
}

static pool *query_of(pool *self) {
    return is_keeper(self) ? self->parent : self;
}

// Whether a query that runs beside others has to leave the headroom to one of them.
static bool leaves_headroom(const pool *self) {
    const pool_root *root = self->root;
    const pool *query = is_keeper(self) ? self->parent : self;
    return query->cancel != NULL && root->query_count > 1 && root->favoured != NULL &&
           root->favoured != query;
}

// Up to where memory may be committed for the request.
static uint64_t cap_for(const pool *self, take_mode mode) {
    const pool_root *root = self->root;
    const uint64_t limit = root_limit(root);
    if (is_keeper(self) && mode == TAKE_NORMAL) {
        const uint64_t waited_for = root->first_waiter == NULL ? 0 : root->first_waiter->bytes;
        return minus(limit, pool_headroom(root) + waited_for);
    }
    return leaves_headroom(self) ? minus(limit, pool_headroom(root)) : limit;
}

// What the pool's query was promised and does not use.
static uint64_t promised_to_query(const pool *self) {
    const pool *query = is_keeper(self) ? self->parent : self;
    uint64_t unused = pool_own_commitment(query) - query->own_used;
    for (const pool *at = self->root->keepers; at != NULL; at = at->next_keeper) {
        unused += at->parent == query ? pool_own_commitment(at) - at->own_used : 0;
    }
    return unused;
}

void pool_debt_changed(pool *query, uint64_t committed_before) {
    pool_root *root = query->root;
    if (query->debt == 0) {
        return;
    }
    const uint64_t freed = minus(committed_before, root->committed);
    const uint64_t left = least(minus(query->debt, freed), promised_to_query(query));
    root->committed += query->debt - left;
    query->debt = left;
}

// What a request commits more, of the pool itself and in all: what the query was promised and took
// for something else is not there a second time.
typedef struct take_cost {
    uint64_t own;
    uint64_t all;
    uint64_t promised; // Of what the query was promised, left to it afterwards.
} take_cost;

static take_cost cost_of(const pool *self, uint64_t size) {
    const pool *query = is_keeper(self) ? self->parent : self;
    const uint64_t own = commitment_with(self, size) - pool_own_commitment(self);
    if (query->debt == 0) {
        return (take_cost){.own = own, .all = own, .promised = UINT64_MAX};
    }
    const uint64_t left = minus(promised_to_query(self), size - own);
    return (take_cost){.own = own, .all = own + minus(query->debt, left), .promised = left};
}

// How many bytes are missing for the request; 0: it can be granted.
static uint64_t missing_for(const pool *self, uint64_t size, take_mode mode) {
    const uint64_t more = cost_of(self, size).all;
    return more == 0 ? 0 : minus(more, minus(cap_for(self, mode), self->root->committed));
}

// Whether `size` bytes can be had if nobody else of the query takes what it was promised: nothing
// of what others were promised goes.
static bool is_left_by_query(const pool *self, uint64_t size) {
    const pool *query = is_keeper(self) ? self->parent : self;
    const uint64_t unused = minus(promised_to_query(self), query->debt);
    return size <= minus(cap_for(self, TAKE_URGENT) + unused, self->root->committed);
}

static bool can_grant(const pool *self, uint64_t size, take_mode mode) {
    const bool may_grow = !is_keeper(self) || mode == TAKE_URGENT ||
                          self->own_used + size <= most(load(&self->target), self->held);
    return may_grow && fits_limits_above(self, size) &&
           (missing_for(self, size, mode) == 0 ||
            (mode == TAKE_URGENT && is_left_by_query(self, size)));
}

// The first that needs the headroom while others run has it to its end.
static void favour(pool *query) {
    pool_root *root = query->root;
    if (root->favoured == NULL && query->cancel != NULL &&
        root->committed > minus(root_limit(root), pool_headroom(root))) {
        root->favoured = query;
    }
}

static void grant(pool *self, uint64_t size, take_mode mode) {
    pool_root *root = self->root;
    pool *query = query_of(self);
    const uint64_t room = minus(cap_for(self, mode), root->committed);
    const take_cost cost = cost_of(self, size);
    const uint64_t before = pool_own_commitment(self);
    self->own_used += size;
    pool_commitment_changed(self, before);
    const uint64_t debt =
        most(least(query->debt, cost.promised), minus(query->debt + cost.own, room));
    root->committed = root->committed + query->debt - debt;
    query->debt = debt;
    root->activity++;
    for (pool *at = self; at != NULL; at = at->parent) {
        const uint64_t used = load(&at->used) + size;
        store(&at->used, used);
        if (used > load(&at->peak)) {
            store(&at->peak, used);
        }
    }
    favour(query);
}

// ---- Charges -----------------------------------------------------------------------------------

NO_LOCK_CHECK bool pool_shrink_a_cache(pool_root *root, uint64_t size, uint64_t round) {
    pool *cache = root->keepers;
    while (cache != NULL &&
           (cache->options.shrink == NULL || cache->is_shrinking || cache->shrink_round >= round ||
            cache->own_used <= cache->options.min_bytes)) {
        cache = cache->next_keeper;
    }
    if (cache == NULL) {
        return false;
    }
    const uint64_t above_target = minus(cache->own_used, load(&cache->target));
    cache->is_shrinking = true;
    cache->shrink_round = round;
    mutex_unlock(&root->lock);
    cache->options.shrink(cache->options.user, most(size, above_target));
    mutex_lock(&root->lock);
    cache->is_shrinking = false;
    condition_wake_all(&root->changed);
    return true;
}

void pool_shrink_caches(pool_root *root, uint64_t size) {
    root->shrink_round += 1;
    const uint64_t round = root->shrink_round;
    uint64_t missing = minus(size, minus(root_limit(root), root->committed));
    while (missing > 0 && pool_shrink_a_cache(root, missing, round)) {
        missing = minus(size, minus(root_limit(root), root->committed));
    }
}

// A refused keeper wants more than it asked for: it grows by doubling, so that others make room in
// a few steps and not page by page.
static void raise_demand(pool *self, uint64_t size) {
    const uint64_t wanted = most(self->own_used + size, self->own_used * 2);
    if (wanted > self->demand) {
        self->demand = wanted;
        self->root->is_stale = true;
    }
}

static void share_if_stale(pool_root *root) {
    if (root->is_stale || committed_fixed(root) != root->shared_fixed) {
        pool_share(root);
    }
}

static bool is_refused_for_test(pool *self, uint64_t size, take_mode mode) {
    if (!self->root->refuses_for_test || self->options.kind != POOL_STATE || mode == TAKE_URGENT ||
        self->own_used + size <= self->held) {
        return false;
    }
    self->refuses_next = !self->refuses_next;
    return self->refuses_next;
}

// Tries everything that may make a refused request possible: new targets, then caches.
static bool insist(pool *self, uint64_t size, take_mode mode) {
    pool_root *root = self->root;
    if (is_keeper(self)) {
        raise_demand(self, size);
    }
    share_if_stale(root);
    bool is_granted = can_grant(self, size, mode);
    // Nobody who is called by a cache, and nobody who holds a lock, may wait for a cache.
    if (self->options.kind > POOL_STATE || mode == TAKE_URGENT) {
        return is_granted;
    }
    root->shrink_round += 1;
    const uint64_t round = root->shrink_round;
    uint64_t missing = missing_for(self, size, mode);
    while (!is_granted && missing > 0 && pool_shrink_a_cache(root, missing, round)) {
        is_granted = can_grant(self, size, mode);
        missing = missing_for(self, size, mode);
    }
    return is_granted;
}

// Whether a keeper holds more than it can always have, and may be made to give it back.
static bool may_be_given(const pool_root *root) {
    for (const pool *at = root->keepers; at != NULL; at = at->next_keeper) {
        if (at->options.kind == POOL_STATE && at->own_used > at->held) {
            return true;
        }
    }
    return false;
}

// Whose refusal would be its end: what the query itself asks for, and urgent requests. NULL: not,
// or it is not to wait.
static const cancel_flag *ends_with_refusal(const pool *self, take_mode mode) {
    const bool is_urgent = mode == TAKE_URGENT && self->options.kind == POOL_STATE;
    return is_urgent                                                 ? self->parent->cancel
           : self->options.kind == POOL_QUERY && mode == TAKE_NORMAL ? self->cancel
                                                                     : NULL;
}

// Keepers, whose targets fall by `size` meanwhile, give it back at their next look. Waits as long
// as that goes on; whoever holds a lock that one of them needs waits for QUIET_NS in vain. Lets go
// of the lock meanwhile.
NO_LOCK_CHECK static bool wait_for_keepers(pool *self, uint64_t size, take_mode mode,
                                           const cancel_flag *cancel) {
    pool_root *root = self->root;
    const uint32_t own_count = query_of(self)->options.kind == POOL_QUERY ? 1 : 0;
    bool is_granted = false;
    uint64_t activity = root->activity;
    int64_t quiet_from_ns = host_clock_ns();
    int64_t now_ns = quiet_from_ns;
    root->pressing += size;
    pool_share(root);
    while (!is_granted && (root->query_count > own_count || may_be_given(root)) &&
           now_ns - quiet_from_ns < QUIET_NS && !cancel_is_raised(cancel)) {
        condition_wait_holding(&root->changed, &root->lock, LOOK_MS);
        is_granted = can_grant(self, size, mode);
        now_ns = host_clock_ns();
        quiet_from_ns = root->activity == activity ? quiet_from_ns : now_ns;
        activity = root->activity;
    }
    root->pressing -= size;
    root->is_stale = true;
    if (!is_granted && leaves_headroom(self)) { // The favoured one stands still.
        root->favoured = query_of(self);
        is_granted = can_grant(self, size, mode);
    }
    return is_granted;
}

bool pool_charge(pool *self, uint64_t size, take_mode mode) {
    return pool_charge_patient(self, size, mode, ends_with_refusal(self, mode));
}

bool pool_charge_patient(pool *self, uint64_t size, take_mode mode, const cancel_flag *cancel) {
    pool_root *root = self->root;
    const bool may_ask = size <= POOL_BYTES_MAX && !is_refused_for_test(self, size, mode);
    bool is_granted = may_ask && (can_grant(self, size, mode) || insist(self, size, mode) ||
                                  (cancel != NULL && wait_for_keepers(self, size, mode, cancel)));
    if (may_ask && !is_granted && ends_with_refusal(self, mode) != NULL) {
        mode = TAKE_URGENT; // Its keepers may need less than they were promised.
        is_granted = can_grant(self, size, mode);
    }
    if (!is_granted) {
        root->refused_count += is_keeper(self);
        return false;
    }
    grant(self, size, mode);
    if (self->cancel != NULL && self->own_used > self->reserve && self->debt == 0) {
        self->reserve = self->own_used; // It will be wanted again: keepers grow around it.
    }
    if (is_keeper(self)) {
        self->demand = most(self->demand, self->own_used);
    }
    if (root->committed > minus(root_limit(root), pool_headroom(root) / 2)) {
        share_if_stale(root); // Keepers must give back what the headroom lent.
    }
    return true;
}

void pool_uncharge(pool *self, uint64_t size) {
    assert(size <= self->own_used);
    self->root->activity++;
    const uint64_t committed_before = self->root->committed;
    const uint64_t before = pool_own_commitment(self);
    self->own_used -= size;
    pool_commitment_changed(self, before);
    pool_debt_changed(query_of(self), committed_before);
    for (pool *at = self; at != NULL; at = at->parent) {
        store(&at->used, load(&at->used) - size);
    }
    if (self->root->pressing > 0) {
        condition_wake_all(&self->root->changed);
    }
    pool_look_at_line(self->root);
}

static bool take(pool *self, uint64_t size, take_mode mode) {
    pool_root *root = self->root;
    mutex_lock(&root->lock);
    const bool is_taken = pool_charge(self, size, mode);
    if (is_taken) {
        pool_make_room(root, size);
        root->outside += size;
        pool_note_resident(root);
    }
    mutex_unlock(&root->lock);
    return is_taken;
}

bool pool_take(pool *self, uint64_t size) {
    return take(self, size, TAKE_NORMAL);
}

bool pool_take_urgent(pool *self, uint64_t size) {
    return take(self, size, TAKE_URGENT);
}

NO_LOCK_CHECK void pool_give(pool *self, uint64_t size) {
    pool_root *root = self->root;
    mutex_lock(&root->lock);
    assert(size <= root->outside);
    root->outside -= size;
    pool_uncharge(self, size);
    pool_unlock(self);
}

void pool_say_full(const pool *self, uint64_t size, firn_error *err) {
    pool_root *root = self->root;
    mutex_lock(&root->lock);
    const unsigned long long used = load(&root->top.used);
    const unsigned long long committed = root->committed;
    const unsigned long long limit = root_limit(root);
    mutex_unlock(&root->lock);
    err_set(err, FIRN_NO_MEMORY,
            "%s asks for %llu bytes; of memory_limit %llu, %llu are in use and %llu promised",
            self->options.name, (unsigned long long)size, limit, used, committed);
    err_hint(err, "raise memory_limit, or lower threads");
}
