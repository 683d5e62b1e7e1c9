#include "memory/pool.h"

#include <assert.h>

#include "base/host.h"
#include "memory/pool_private.h"

#define BYTES_MAX ((uint64_t)1 << 48) // Of one request: sums of a few thousand cannot wrap.
#define HEADROOM_MAX ((uint64_t)8 << 20)
#define HEADROOM_SHARE 16
#define FREE_FLOOR_MAX ((uint64_t)64 << 20)
#define FREE_FLOOR_SHARE 8
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

// How many bytes are missing for the request; 0: it can be granted.
static uint64_t missing_for(const pool *self, uint64_t size, take_mode mode) {
    const pool_root *root = self->root;
    uint64_t cap = root_limit(root);
    if (is_keeper(self) && mode == TAKE_NORMAL) {
        const uint64_t waited_for = root->first_waiter == NULL ? 0 : root->first_waiter->bytes;
        cap = minus(cap, pool_headroom(root) + waited_for);
    }
    const uint64_t more = commitment_with(self, size) - pool_own_commitment(self);
    return more == 0 ? 0 : minus(more, minus(cap, root->committed));
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

// Whether the pool's query has taken what it was promised for something else: of it nothing that
// was promised is there for certain.
static bool is_overdrawn(const pool *self) {
    const pool *query = is_keeper(self) ? self->parent : self;
    return query->has_overdrawn && self->root->committed > root_limit(self->root);
}

// Whether `size` bytes can be had if nobody else of the query takes what it was promised: nothing
// of what others were promised goes.
static bool is_left_by_query(const pool *self, uint64_t size) {
    const pool_root *root = self->root;
    return size <= minus(root_limit(root) + promised_to_query(self), root->committed);
}

static bool can_grant(const pool *self, uint64_t size, take_mode mode) {
    const bool may_grow = !is_keeper(self) || mode == TAKE_URGENT ||
                          self->own_used + size <= most(load(&self->target), self->held);
    if (!may_grow || !fits_limits_above(self, size)) {
        return false;
    }
    const bool is_free = missing_for(self, size, mode) == 0;
    return is_free && !is_overdrawn(self)
               ? true
               : (is_free || mode == TAKE_URGENT) && is_left_by_query(self, size);
}

static void grant(pool *self, uint64_t size) {
    self->root->activity++;
    const uint64_t before = pool_own_commitment(self);
    self->own_used += size;
    pool_commitment_changed(self, before);
    pool *query = is_keeper(self) ? self->parent : self;
    query->has_overdrawn = self->root->committed > root_limit(self->root) &&
                           (query->has_overdrawn || pool_own_commitment(self) > before);
    for (pool *at = self; at != NULL; at = at->parent) {
        const uint64_t used = load(&at->used) + size;
        store(&at->used, used);
        if (used > load(&at->peak)) {
            store(&at->peak, used);
        }
    }
}

// ---- Charges -----------------------------------------------------------------------------------

// Asks a cache that this request has not asked yet to give `size` bytes back. False if there is
// none. Lets go of the lock meanwhile.
NO_LOCK_CHECK static bool shrink_a_cache(pool_root *root, uint64_t size, uint64_t round) {
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
    while (missing > 0 && shrink_a_cache(root, missing, round)) {
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
    if (root->is_stale || root->committed - root->committed_keepers != root->shared_fixed) {
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
    while (!is_granted && missing > 0 && shrink_a_cache(root, missing, round)) {
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
NO_LOCK_CHECK static bool wait_for_keepers(pool *self, uint64_t size, take_mode mode) {
    pool_root *root = self->root;
    const cancel_flag *cancel = ends_with_refusal(self, mode);
    bool is_granted = false;
    uint64_t activity = root->activity;
    int64_t quiet_from_ns = host_clock_ns();
    int64_t now_ns = quiet_from_ns;
    root->pressing += size;
    pool_share(root);
    while (!is_granted && (root->query_count > 1 || may_be_given(root)) &&
           now_ns - quiet_from_ns < QUIET_NS && !cancel_is_raised(cancel)) {
        condition_wait(&root->changed, &root->lock, LOOK_MS);
        is_granted = can_grant(self, size, mode);
        now_ns = host_clock_ns();
        quiet_from_ns = root->activity == activity ? quiet_from_ns : now_ns;
        activity = root->activity;
    }
    root->pressing -= size;
    root->is_stale = true;
    return is_granted;
}

bool pool_charge(pool *self, uint64_t size, take_mode mode) {
    pool_root *root = self->root;
    if (size > BYTES_MAX || is_refused_for_test(self, size, mode) ||
        !(can_grant(self, size, mode) || insist(self, size, mode) ||
          (ends_with_refusal(self, mode) != NULL && wait_for_keepers(self, size, mode)))) {
        root->refused_count += is_keeper(self);
        return false;
    }
    grant(self, size);
    if (self->cancel != NULL && self->own_used > self->reserve && !self->has_overdrawn) {
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
    const uint64_t before = pool_own_commitment(self);
    self->own_used -= size;
    pool_commitment_changed(self, before);
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

// ---- The tree ----------------------------------------------------------------------------------

static void begin(pool *self, pool *parent, pool_root *root, const pool_options *options) {
    *self = (pool){.options = *options, .parent = parent, .root = root, .held = options->min_bytes};
    atomic_init(&self->used, 0);
    atomic_init(&self->peak, 0);
    atomic_init(&self->limit, UINT64_MAX);
    atomic_init(&self->target, options->min_bytes);
}

firn_status pool_open_engine(uint64_t limit_bytes, pool **out, firn_error *err) {
    *out = NULL;
    pool_root *root = host_alloc(sizeof *root);
    if (root == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "no memory for an engine");
    }
    *root = (pool_root){0};
    begin(&root->top, NULL, root, &(pool_options){.kind = POOL_ENGINE, .name = "engine"});
    store(&root->top.limit, limit_bytes);
    mutex_begin(&root->lock, MUTEX_POOL);
    condition_begin(&root->changed);
    *out = &root->top;
    return FIRN_OK;
}

// Enters a keeper; false if its minimum does not fit.
static bool enter_keeper(pool *self) {
    pool *parent = self->parent;
    pool_root *root = self->root;
    const uint64_t before = pool_own_commitment(parent);
    parent->min_sum += self->options.min_bytes;
    // The minimum moves from the reserve to the keeper: only what goes beyond it is new.
    const uint64_t more = minus(pool_own_commitment(parent) + self->options.min_bytes, before);
    if (more > minus(root_limit(root), root->committed)) {
        parent->min_sum -= self->options.min_bytes;
        return false;
    }
    pool_commitment_changed(parent, before);
    root->committed += self->options.min_bytes;
    root->committed_keepers += self->options.min_bytes;
    self->demand = self->options.min_bytes;
    self->next_keeper = root->keepers;
    root->keepers = self;
    pool_share(root);
    return true;
}

firn_status pool_open(pool *parent, const pool_options *options, pool **out, firn_error *err) {
    assert(options->kind != POOL_ENGINE && !is_keeper(parent));
    *out = NULL;
    pool *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "no memory for %s", options->name);
    }
    pool_root *root = parent->root;
    begin(self, parent, root, options);
    mutex_lock(&root->lock);
    const bool is_entered = !is_keeper(self) || enter_keeper(self);
    parent->child_count += is_entered;
    root->query_count += options->kind == POOL_QUERY;
    mutex_unlock(&root->lock);
    if (!is_entered) {
        host_free(self);
        pool_say_full(parent, options->min_bytes, err);
        err_while(err, "reserving the minimum of %s", options->name);
        return FIRN_NO_MEMORY;
    }
    *out = self;
    return FIRN_OK;
}

NO_LOCK_CHECK static void leave_keeper(pool *self) {
    pool_root *root = self->root;
    while (self->is_shrinking) {
        condition_wait(&root->changed, &root->lock, UINT32_MAX);
    }
    pool **link = &root->keepers;
    while (*link != self) {
        link = &(*link)->next_keeper;
    }
    *link = self->next_keeper;
    const uint64_t before = pool_own_commitment(self);
    root->committed_keepers -= before;
    self->is_closed = true;
    pool_commitment_changed(self, before);
    const uint64_t parent_before = pool_own_commitment(self->parent);
    self->parent->min_sum -= self->options.min_bytes;
    pool_commitment_changed(self->parent, parent_before);
    root->is_stale = true;
    if (root->keepers != NULL) {
        pool_share(root);
    }
}

NO_LOCK_CHECK void pool_close(pool *self) {
    if (self == NULL) {
        return;
    }
    pool_root *root = self->root;
    mutex_lock(&root->lock);
    assert(!self->is_closed);
    if (is_keeper(self)) {
        leave_keeper(self);
    } else {
        const uint64_t before = pool_own_commitment(self);
        self->is_closed = true;
        self->cancel = NULL;
        self->minima = 0;
        self->reserve = 0;
        pool_commitment_changed(self, before);
    }
    if (self->options.kind == POOL_QUERY) {
        root->query_count -= 1;
        const uint64_t floor = least(root_limit(root) / FREE_FLOOR_SHARE, FREE_FLOOR_MAX);
        const uint64_t idle = root->slabs.resident - root->slabs.taken;
        (void)slab_release_empty(&root->slabs, minus(idle, floor));
    } else if (self->options.kind == POOL_ENGINE) {
        (void)slab_release_empty(&root->slabs, UINT64_MAX);
    }
    pool_look_at_line(root);
    pool_unlock(self);
}

static bool is_over(const pool *self) {
    return self->is_closed && self->child_count == 0 && load(&self->used) == 0 &&
           (self->parent != NULL || self->root->handed_out == 0);
}

NO_LOCK_CHECK void pool_unlock(pool *self) {
    pool_root *root = self->root;
    pool *at = self;
    while (at->parent != NULL && is_over(at)) { // The root goes with its lock, below.
        pool *parent = at->parent;
        parent->child_count -= 1;
        host_free(at);
        at = parent;
    }
    const bool is_last = is_over(&root->top);
    mutex_unlock(&root->lock);
    if (is_last) {
        slab_store_end(&root->slabs);
        condition_end(&root->changed);
        mutex_end(&root->lock);
        host_free(root);
    }
}

// ---- Numbers -----------------------------------------------------------------------------------

uint64_t pool_excess(const pool *self) {
    return minus(load(&self->used), load(&self->target));
}

uint64_t pool_target(const pool *self) {
    return load(&self->target);
}

void pool_want(pool *self, uint64_t size) {
    assert(is_keeper(self));
    mutex_lock(&self->root->lock);
    if (size > self->demand) {
        self->demand = size;
        pool_share(self->root);
    }
    mutex_unlock(&self->root->lock);
}

void pool_settle(pool *self) {
    assert(is_keeper(self));
    mutex_lock(&self->root->lock);
    self->demand = most(self->held, self->own_used);
    pool_share(self->root);
    mutex_unlock(&self->root->lock);
}

bool pool_hold(pool *self, uint64_t size) {
    assert(is_keeper(self));
    pool_root *root = self->root;
    const uint64_t held = most(size, self->options.min_bytes);
    mutex_lock(&root->lock);
    const uint64_t before = pool_own_commitment(self);
    const uint64_t more = minus(most(held, self->own_used), before);
    const uint64_t cap = minus(root_limit(root), pool_headroom(root));
    const bool is_granted = more == 0 || (size <= BYTES_MAX && more <= minus(cap, root->committed));
    if (is_granted) {
        self->held = held;
        pool_commitment_changed(self, before);
        pool_share(root);
        pool_look_at_line(root);
    }
    mutex_unlock(&root->lock);
    return is_granted;
}

uint64_t pool_room(const pool *self) {
    assert(is_keeper(self));
    pool_root *root = self->root;
    uint64_t taken = 0;
    mutex_lock(&root->lock);
    for (const pool *at = root->keepers; at != NULL; at = at->next_keeper) {
        taken += at == self ? 0 : at->held;
    }
    taken += root->committed - root->committed_keepers;
    uint64_t room = minus(minus(root_limit(root), pool_headroom(root)), taken);
    for (const pool *at = self->parent; at->parent != NULL; at = at->parent) {
        room = least(room, minus(load(&at->limit), load(&at->used) - self->own_used));
    }
    mutex_unlock(&root->lock);
    return room;
}

uint64_t pool_used(const pool *self) {
    return load(&self->used);
}

uint64_t pool_peak(const pool *self) {
    return load(&self->peak);
}

const char *pool_name(const pool *self) {
    return self->options.name;
}

pool *pool_engine(pool *self) {
    return &self->root->top;
}

void pool_describe(pool *self, pool_report *out) {
    pool_root *root = self->root;
    mutex_lock(&root->lock);
    *out = (pool_report){
        .limit = root_limit(root),
        .committed = root->committed,
        .used = load(&root->top.used),
        .resident = pool_resident(root),
        .resident_peak = root->resident_peak,
        .refused_count = root->refused_count,
        .waiting_count = root->waiting_count,
    };
    mutex_unlock(&root->lock);
}

// ---- The limit ---------------------------------------------------------------------------------

void pool_limit_set(pool *self, uint64_t limit_bytes) {
    pool_root *root = self->root;
    mutex_lock(&root->lock);
    store(&self->limit, limit_bytes);
    pool_share(root);
    pool_make_room(root, 0);
    condition_wake_all(&root->changed);
    mutex_unlock(&root->lock);
}

uint32_t pool_query_count(pool *self) {
    mutex_lock(&self->root->lock);
    const uint32_t count = self->root->query_count;
    mutex_unlock(&self->root->lock);
    return count;
}

void pool_cancel_set(pool *query, const cancel_flag *cancel) {
    assert(query->options.kind == POOL_QUERY);
    mutex_lock(&query->root->lock);
    query->cancel = cancel;
    mutex_unlock(&query->root->lock);
}

uint64_t pool_limit(const pool *self) {
    return load(&self->limit);
}

void pool_trim(pool *engine, uint64_t keep_bytes) {
    pool_root *root = engine->root;
    mutex_lock(&root->lock);
    root->shrink_round += 1;
    const uint64_t round = root->shrink_round;
    for (uint64_t used = load(&root->top.used);
         used > keep_bytes && shrink_a_cache(root, used - keep_bytes, round);) {
        used = load(&root->top.used);
    }
    uint64_t excess = minus(pool_resident(root), keep_bytes);
    excess = minus(excess, slab_release_empty(&root->slabs, excess));
    (void)slab_release_granules(&root->slabs, excess);
    mutex_unlock(&root->lock);
}

void pool_refuse_for_test(pool *engine, bool is_on) {
    mutex_lock(&engine->root->lock);
    engine->root->refuses_for_test = is_on;
    mutex_unlock(&engine->root->lock);
}
