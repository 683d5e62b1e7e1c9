#include "memory/pool.h"

#include <assert.h>

#include "base/host.h"
#include "memory/pool_private.h"

#define FREE_FLOOR_MAX ((uint64_t)64 << 20)
#define FREE_FLOOR_SHARE 8

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
    const uint64_t committed_before = root->committed;
    const uint64_t before = pool_own_commitment(self);
    root->committed_keepers -= before;
    self->is_closed = true;
    pool_commitment_changed(self, before);
    const uint64_t parent_before = pool_own_commitment(self->parent);
    self->parent->min_sum -= self->options.min_bytes;
    pool_commitment_changed(self->parent, parent_before);
    pool_debt_changed(self->parent, committed_before);
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
        const uint64_t committed_before = root->committed;
        const uint64_t before = pool_own_commitment(self);
        self->is_closed = true;
        self->cancel = NULL;
        root->favoured = root->favoured == self ? NULL : root->favoured;
        self->minima = 0;
        self->reserve = 0;
        pool_commitment_changed(self, before);
        pool_debt_changed(self, committed_before);
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
    const bool is_granted =
        more == 0 || (size <= POOL_BYTES_MAX && more <= minus(cap, root->committed));
    if (is_granted) {
        const uint64_t committed_before = root->committed;
        self->held = held;
        pool_commitment_changed(self, before);
        pool_debt_changed(self->parent, committed_before);
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
    taken += committed_fixed(root);
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
         used > keep_bytes && pool_shrink_a_cache(root, used - keep_bytes, round);) {
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
