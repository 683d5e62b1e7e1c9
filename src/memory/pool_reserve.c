// Reserves of queries, and the line of those that wait for theirs.
#include <assert.h>

#include "base/host.h"
#include "memory/pool_private.h"

// How long a waiter sleeps before it looks at its cancel flag.
#define LOOK_MS 20

// What raising the reserve to `size` bytes would commit more.
static uint64_t more_for(const pool *self, uint64_t size) {
    const uint64_t floor = minus(most(size, self->reserve), self->min_sum);
    return minus(floor, pool_own_commitment(self));
}

static bool is_free(const pool_root *root, uint64_t size) {
    return size <= minus(root_limit(root), root->committed);
}

static void raise_reserve(pool *self, uint64_t size) {
    const uint64_t before = pool_own_commitment(self);
    self->reserve = most(self->reserve, size);
    pool_commitment_changed(self, before);
    self->root->is_stale = true;
    pool_share(self->root);
}

bool pool_reserve(pool *query, uint64_t size) {
    assert(query->options.kind == POOL_QUERY);
    pool_root *root = query->root;
    mutex_lock(&root->lock);
    const bool is_granted = size <= load(&query->limit) && root->first_waiter == NULL &&
                            is_free(root, more_for(query, size));
    if (is_granted) {
        raise_reserve(query, size);
    }
    mutex_unlock(&root->lock);
    return is_granted;
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

// What can never be had: the limit, less what the engine and its sessions hold themselves.
static bool can_ever_fit(const pool *query, uint64_t size) {
    uint64_t fixed = 0;
    for (const pool *at = query->parent; at != NULL; at = at->parent) {
        fixed += at->own_used;
    }
    return size <= load(&query->limit) && size <= minus(root_limit(query->root), fixed);
}

firn_status pool_reserve_wait(pool *query, uint64_t size, uint32_t timeout_ms,
                              const cancel_flag *cancel, firn_error *err) {
    assert(query->options.kind == POOL_QUERY);
    pool_root *root = query->root;
    const int64_t begin_ns = host_clock_ns();
    firn_status status = FIRN_OK;
    bool is_late = false;
    mutex_lock(&root->lock);
    pool_waiter self = {.bytes = more_for(query, size)};
    enter_line(root, &self);
    bool fits = can_ever_fit(query, size);
    while (fits && !is_late && !cancel_is_raised(cancel) &&
           !(root->first_waiter == &self && is_free(root, self.bytes))) {
        condition_wait(&root->changed, &root->lock, LOOK_MS);
        fits = can_ever_fit(query, size);
        is_late =
            timeout_ms != UINT32_MAX && host_clock_ns() - begin_ns >= (int64_t)timeout_ms * 1000000;
    }
    const bool is_granted = fits && root->first_waiter == &self && is_free(root, self.bytes);
    if (is_granted) {
        raise_reserve(query, size);
    }
    const unsigned long long limit = least(root_limit(root), load(&query->limit));
    const unsigned long long committed = root->committed;
    leave_line(root, &self);
    mutex_unlock(&root->lock);
    if (is_granted) {
        return FIRN_OK;
    }
    if (!fits) {
        status =
            FAIL(err, FIRN_NO_MEMORY, "the query needs at least %llu bytes, memory_limit is %llu",
                 (unsigned long long)size, limit);
    } else if (is_late) {
        status = FAIL(err, FIRN_NO_MEMORY,
                      "the query needs %llu bytes to start and waited %u ms for them; of "
                      "memory_limit %llu, others hold %llu",
                      (unsigned long long)size, timeout_ms, limit, committed);
    } else {
        return cancel_check(cancel, err);
    }
    err_hint(err, "raise memory_limit, or lower threads");
    return status;
}
