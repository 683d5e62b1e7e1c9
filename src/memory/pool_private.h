// What the files pool*.c share: the tree, and how a request is granted.
//
//     pool.c          the tree; what is asked about it; the limit
//     pool_take.c     taking and giving: the test of a request
//     pool_share.c    targets: max-min shares of what is there
//     pool_reserve.c  reserves, and the line of queries that wait for theirs
//     pool_block.c    blocks and pages out of slabs; giving free memory back
#ifndef FIRN_MEMORY_POOL_PRIVATE_H
#define FIRN_MEMORY_POOL_PRIVATE_H

#include <stdatomic.h>

#include "base/mutex.h"
#include "memory/pool.h"
#include "memory/slab.h"

typedef struct pool_root pool_root;
typedef struct pool_waiter pool_waiter;

// Everything but the atomics is guarded by root->lock. Those are written under it and read without:
// they are numbers that are right a moment ago, nothing else hangs on them.
struct pool {
    pool_options options;
    pool *parent; // NULL: the root.
    pool_root *root;
    atomic_uint_fast64_t used; // Of the pool and all its children.
    atomic_uint_fast64_t peak;
    atomic_uint_fast64_t limit; // Of its own: UINT64_MAX for most.
    atomic_uint_fast64_t target;
    uint64_t own_used; // Without children.
    uint64_t held;     // Keepers: what they can always have; min_bytes or more.
    uint64_t demand;   // Keepers only.
    uint64_t minima;   // Queries: what their keepers can count on, and …
    uint64_t reserve;  // … what they can take themselves.
    uint64_t min_sum;  // Minima of the open keepers right below.
    uint64_t debt; // Queries: what they took of their promises for something else. Not committed.
    size_t page_size;
    uint32_t child_count;
    bool is_closed;
    bool is_shrinking;         // Its callback is being called.
    uint64_t shrink_round;     // The newest request that has asked it.
    bool refuses_next;         // FIRN_TEST=spill.
    const cancel_flag *cancel; // Queries: NULL: never waits for keepers.
    pool *next_keeper;         // All open keepers of the tree.
    pool *next_group;     // All pools that have open POOL_STATE keepers; made anew by each sharing.
    uint64_t floor, want; // For pool_share.c.
};

struct pool_root {
    pool top;
    mutex lock;
    condition changed; // Something was given back, or a callback has returned.
    slab_store slabs;
    uint64_t outside;    // Taken, but not in slabs: small blocks, mappings, lists.
    uint64_t handed_out; // Of both: what the caller of the library has now. Not resident for us.
    uint64_t committed;  // See pool.h.
    uint64_t committed_keepers;
    uint64_t resident_peak;
    uint64_t refused_count;
    uint64_t shared_fixed; // committed_fixed when targets were last set.
    uint64_t pressing;     // What queries wait for that keepers are to give back.
    uint64_t activity;     // How often memory was taken or given back.
    uint64_t shrink_round; // Number of the newest request that asked caches.
    pool *favoured;        // The query that may use the headroom while others run; or NULL.
    bool is_stale;         // Targets must be set anew.
    bool refuses_for_test;
    pool *keepers;
    pool_waiter *first_waiter; // The next one in line is first.
    pool_waiter *last_waiter;
    uint32_t waiting_count;
    uint32_t query_count; // Open ones.
};

struct pool_waiter {
    uint64_t bytes; // More than the query has reserved already.
    pool_waiter *next;
};

#define POOL_BYTES_MAX ((uint64_t)1 << 48) // Of one request: sums of a few thousand cannot wrap.

typedef enum take_mode {
    TAKE_NORMAL,
    TAKE_URGENT, // May pass the target and use the headroom.
} take_mode;

static inline uint64_t minus(uint64_t left, uint64_t right) { // Not below 0.
    return left > right ? left - right : 0;
}

static inline uint64_t least(uint64_t left, uint64_t right) {
    return left < right ? left : right;
}

static inline uint64_t most(uint64_t left, uint64_t right) {
    return left > right ? left : right;
}

static inline bool is_keeper(const pool *self) {
    return self->options.kind >= POOL_STATE;
}

static inline uint64_t load(const atomic_uint_fast64_t *number) {
    return atomic_load_explicit(number, memory_order_relaxed);
}

static inline void store(atomic_uint_fast64_t *number, uint64_t value) {
    atomic_store_explicit(number, value, memory_order_relaxed);
}

static inline uint64_t root_limit(const pool_root *root) {
    return load(&root->top.limit);
}

// What is committed but to open keepers. Debts are off it, of what keepers were promised too.
static inline uint64_t committed_fixed(const pool_root *root) {
    return minus(root->committed, root->committed_keepers);
}

// All of the following are called under root->lock.

/// What is closed to keepers.
uint64_t pool_headroom(const pool_root *root);

/// Takes `size` bytes from the numbers of the tree; nothing is allocated. May let go of the lock
/// while caches shrink.
bool pool_charge(pool *self, uint64_t size, take_mode mode);
/// The same, and waits while others give back, until `cancel` is raised; NULL: does not.
bool pool_charge_patient(pool *self, uint64_t size, take_mode mode, const cancel_flag *cancel);
void pool_uncharge(pool *self, uint64_t size);

/// What the pool itself has promised, without children; and the change of it from `before`.
uint64_t pool_own_commitment(const pool *self);
void pool_commitment_changed(pool *self, uint64_t before);

/// After anything of a query was given back, or is promised no more: its debt is paid from that.
void pool_debt_changed(pool *query, uint64_t committed_before);

/// Asks a cache that this request, number `round`, has not asked yet to give `size` bytes back.
/// False if there is none. Lets go of the lock meanwhile.
bool pool_shrink_a_cache(pool_root *root, uint64_t size, uint64_t round);

/// Asks caches until `size` bytes more can be committed, or they have no more. Lets go of the lock
/// meanwhile.
void pool_shrink_caches(pool_root *root, uint64_t size);

/// Lets go of the lock, after freeing `self` and pools above it that are closed and empty. Neither
/// may be touched afterwards, unless the caller owns it and has not closed it.
void pool_unlock(pool *self);

/// Sets all targets anew.
void pool_share(pool_root *root);

/// Gives free memory back so that `size` bytes more can become resident.
void pool_make_room(pool_root *root, uint64_t size);
uint64_t pool_resident(const pool_root *root);
void pool_note_resident(pool_root *root);

/// Wakes those in line if the first of them can have what it waits for.
void pool_look_at_line(pool_root *root);

#endif
