// Reserves of queries, and the line of those that wait for theirs.
#include <assert.h>

#include "base/host.h"
#include "memory/pool_private.h"

// How long a waiter sleeps before it looks at its cancel flag.
#define LOOK_MS 20

// What raising the reserves would commit more.
static uint64_t more_for(const pool *self, uint64_t minima, uint64_t own) {
    const uint64_t after = minus(most(minima, self->minima), self->min_sum) +
                           most(most(own, self->reserve), self->own_used);
    return minus(after, pool_own_commitment(self));
}

// Beside others the headroom stays free, for the one of them that needs it to go on.
static bool is_free(const pool_root *root, uint64_t size) {
    const uint64_t headroom = root->query_count > 1 ? pool_headroom(root) : 0;
    return size <= minus(minus(root_limit(root), headroom), root->committed);
}

static void raise_reserve(pool *self, uint64_t minima, uint64_t own) {
    const uint64_t before = pool_own_commitment(self);
    self->minima = most(self->minima, minima);
    self->reserve = most(self->reserve, own);
    pool_commitment_changed(self, before);
    self->root->is_stale = true;
    pool_share(self->root);
}

bool pool_reserve(pool *query, uint64_t minima, uint64_t own) {
    assert(query->options.kind == POOL_QUERY);
    pool_root *root = query->root;
    mutex_lock(&root->lock);
    if (root->first_waiter == NULL) {
        pool_shrink_caches(root, more_for(query, minima, own));
    }
    const bool is_granted = minima <= load(&query->limit) && own <= load(&query->limit) - minima &&
                            root->first_waiter == NULL &&
                            is_free(root, more_for(query, minima, own));
    if (is_granted) {
        raise_reserve(query, minima, own);
    }
    mutex_unlock(&root->lock);
    return is_granted;
}

void pool_reserve_lower(pool *query, uint64_t own) {
    pool_root *root = query->root;
    mutex_lock(&root->lock);
    const uint64_t committed_before = root->committed;
    const uint64_t before = pool_own_commitment(query);
    query->reserve = least(query->reserve, own);
    pool_commitment_changed(query, before);
    pool_debt_changed(query, committed_before);
    pool_share(root);
    pool_look_at_line(root);
    mutex_unlock(&root->lock);
}

void pool_look_at_line(pool_root *root) {
    if (root->first_waiter != NULL && is_free(root, root->first_waiter->bytes)) {
        condition_wake_all(&root->changed);
    }
}

static void enter_line(pool_root *root, pool_waiter *self) {
    if (root->last_waiter == NULL) {
        root->first_waiter = self;
        pool_share(root); // Keepers make room for the first one.
    } else {
        root->last_waiter->next = self;
    }
    root->last_waiter = self;
    root->waiting_count += 1;
}

static void leave_line(pool_root *root, const pool_waiter *self) {
    pool_waiter *before = NULL;
    pool_waiter *at = root->first_waiter;
    while (at != self) {
        before = at;
        at = at->next;
    }
    if (before == NULL) {
        root->first_waiter = at->next;
    } else {
        before->next = at->next;
    }
    if (root->last_waiter == at) {
        root->last_waiter = before;
    }
    root->waiting_count -= 1;
    pool_share(root);
    condition_wake_all(&root->changed); // Another one is first now.
}

// What nobody gives back while the query waits: what the engine and its sessions hold themselves,
// and tables in memory where there is no other query that might drop one.
static uint64_t held_for_good(const pool *query) {
    uint64_t bytes = 0;
    for (const pool *at = query->parent; at != NULL; at = at->parent) {
        bytes += at->own_used;
    }
    return query->root->query_count > 1
               ? bytes
               : minus(committed_fixed(query->root), pool_own_commitment(query));
}

static bool can_ever_fit(const pool *query, uint64_t size) {
    return size <= load(&query->limit) &&
           size <= minus(root_limit(query->root), held_for_good(query));
}

firn_status pool_reserve_wait(pool *query, uint64_t minima, uint64_t own, uint32_t timeout_ms,
                              const cancel_flag *cancel, firn_error *err) {
    assert(query->options.kind == POOL_QUERY);
    pool_root *root = query->root;
    int64_t quiet_from_ns = host_clock_ns();
    firn_status status = FIRN_OK;
    bool is_late = false;
    mutex_lock(&root->lock);
    const uint64_t size = minima + own;
    pool_waiter self = {.bytes = more_for(query, minima, own)};
    enter_line(root, &self);
    pool_shrink_caches(root, self.bytes);
    uint64_t activity = root->activity;
    bool fits = can_ever_fit(query, size);
    while (fits && !is_late && !cancel_is_raised(cancel) &&
           !(root->first_waiter == &self && is_free(root, self.bytes))) {
        condition_wait(&root->changed, &root->lock, LOOK_MS);
        fits = can_ever_fit(query, size);
        const int64_t now_ns = host_clock_ns();
        quiet_from_ns = root->activity == activity ? quiet_from_ns : now_ns;
        activity = root->activity;
        is_late =
            timeout_ms != UINT32_MAX && now_ns - quiet_from_ns >= (int64_t)timeout_ms * 1000000;
    }
    const bool is_next = fits && root->first_waiter == &self;
    const bool is_granted =
        is_next && (is_free(root, self.bytes) || // Others stand still: nobody needs the headroom.
                    (is_late && self.bytes <= minus(root_limit(root), root->committed)));
    if (is_granted) {
        raise_reserve(query, minima, own);
    }
    const unsigned long long limit = least(root_limit(root), load(&query->limit));
    const unsigned long long committed = root->committed;
    const unsigned long long needed = size + held_for_good(query);
    leave_line(root, &self);
    mutex_unlock(&root->lock);
    if (is_granted) {
        return FIRN_OK;
    }
    if (!fits) {
        status = FAIL(err, FIRN_NO_MEMORY,
                      "the query needs at least %llu bytes, memory_limit is %llu", needed, limit);
    } else if (is_late) {
        status = FAIL(err, FIRN_NO_MEMORY,
                      "the query needs %llu bytes to start; of memory_limit %llu others hold %llu, "
                      "and none of them went on for %u ms",
                      (unsigned long long)size, limit, committed, timeout_ms);
    } else {
        return cancel_check(cancel, err);
    }
    err_hint(err, is_late ? "read the results of other queries to their ends, or close them"
                          : "raise memory_limit, or lower threads");
    return status;
}
