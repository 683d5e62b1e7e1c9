// The memory limit: a tree of pools, engine → session → query → operator, that every byte of data
// and operator state is taken from before it is allocated.
//
//     engine (limit)
//       ├─ cache of decoded columns                 POOL_CACHE       shrinks first
//       └─ session
//            └─ query (reserve: what it can count on)
//                 ├─ plan, scratch arenas, buffers  taken from the query itself
//                 ├─ read-ahead of a scan           POOL_READ_AHEAD  shrinks second
//                 ├─ hash join                      POOL_STATE       spills
//                 └─ sort                           POOL_STATE
//
// The leaves are *keepers*. A keeper has
//     min     what it can always have: taken from the query's reserve when it opens,
//     used    what it holds,
//     demand  the most it used or was refused,
//     target  what it may hold now: max-min fair shares between queries, then between the keepers
//             of a query, set anew when somebody is refused, closes, or the limit changes.
// The protocol: ask; told no, write out the page that just filled and reuse it; at each look, while
// pool_excess says so, write out more. A keeper that is told no never waits. A query waits in line
// before it holds anything (pool_reserve_wait), first come, first served; and what it cannot do
// without later it waits for while others give back, a quarter of a second after the last of it at
// most, so that two that wait for each other end in an error and not in silence. So does what a
// statement takes before it has a reserve: for its plan.
//
// Two numbers are kept. *Committed* is what was promised: reserves, minima and what is used above
// them. *Resident* is what the system gave us: slabs with their free pages, mappings, everything
// else that was taken. Both stay within the limit: what is free goes back to the system before
// something new is mapped. Only a query that could not go on may take what it was promised for
// something else: its debt, which is not promised to it again until that is given back. A sixteenth
// of the limit (at most 8 MiB), the headroom, is closed to keepers, so that the small things of a
// query do not fail because another's join took the last page. Of queries that run at once it is
// for one, the first that needs it, to its end: the others wait, and so that one goes on.
//
// A pool lives until it is closed *and* nothing is taken from it or its children any more, so
// buffers may outlive the query they came from.
//
// Threads: everything here may be called from any thread; one lock a tree, of rank POOL. Because
// caches may be asked to shrink, whoever takes memory holds no lock of rank CACHE or above; caches
// and read-ahead themselves, and the urgent calls, never ask a cache, so that is only about others.
#ifndef FIRN_MEMORY_POOL_H
#define FIRN_MEMORY_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mutex.h"

typedef struct pool pool;

typedef enum pool_kind {
    POOL_ENGINE,
    POOL_SESSION,
    POOL_QUERY,
    POOL_STATE,      // Keeper: state of an operator, which it can write out.
    POOL_READ_AHEAD, // Keeper: what was fetched before it was needed.
    POOL_CACHE,      // Keeper: what can be fetched again.
} pool_kind;

typedef struct pool_options {
    pool_kind kind;
    const char *name;   // For messages and EXPLAIN ANALYZE: "hash join". Outlives the pool.
    uint64_t min_bytes; // Keepers: see above. Comes out of the query's reserve while it lasts.
    size_t page_size;   // Keepers: of their pages; 0: the query's.

    /// POOL_CACHE only: gives `size` bytes or more back now, if it can. Called without locks of
    /// memory/ by whoever needs the memory, never by a request of a cache or of read-ahead, and by
    /// one thread at a time. It may take locks of rank CACHE and above.
    void (*shrink)(void *user, uint64_t size);
    void *user;
} pool_options;

// ---- The tree ----------------------------------------------------------------------------------

/// Opens the root. `limit_bytes` is the setting memory_limit. Maps nothing yet.
firn_status pool_open_engine(uint64_t limit_bytes, pool **out, firn_error *err);

/// Opens a pool below another. Only a keeper with min_bytes needs memory for it.
///
/// Errors: FIRN_NO_MEMORY with the numbers if the minimum does not fit now.
firn_status pool_open(pool *parent, const pool_options *options, pool **out, firn_error *err);

/// Ends the owner's use of a pool. A keeper's minimum goes back to its query; when a query closes,
/// free slabs above the floor go back to the system. What is still taken stays valid and counted.
/// Closing NULL does nothing.
void pool_close(pool *self);

// ---- Before a query starts ---------------------------------------------------------------------

/// Raises the reserves of a query in one step: `minima` for those of the keepers that are open at
/// once, at most, and `own` for what it takes itself: pages of scans, batches on their way. Neither
/// can use up the other's. False if that is not free now or others wait in line: try with fewer
/// workers.
bool pool_reserve(pool *query, uint64_t minima, uint64_t own);

/// The same, but stands in line until it is granted. The query must hold nothing else.
///
/// Errors: FIRN_NO_MEMORY with both numbers if it can never fit beside what is held for good, or if
/// nobody took or gave back
///         anything for `timeout_ms` (UINT32_MAX: for ever): others may hold results that the same
///         thread would have to read; FIRN_CANCELLED.
firn_status pool_reserve_wait(pool *query, uint64_t minima, uint64_t own, uint32_t timeout_ms,
                              const cancel_flag *cancel, firn_error *err);

/// Lowers what a query takes itself to `own`, where more was reserved: a phase is over.
void pool_reserve_lower(pool *query, uint64_t own);

/// From now on pool_take of the query, and pool_take_urgent of its keepers, wait while others give
/// back what they cannot do without, until `cancel` is raised, which lives as long as the pool is
/// open; not when nobody has anything to give or gives it. What the query takes beyond its reserve
/// is reserved for it from then on. Before that, and after NULL, they are refused at once.
void pool_cancel_set(pool *query, const cancel_flag *cancel);

// ---- Taking and giving back --------------------------------------------------------------------

/// Takes `size` bytes that the caller then allocates with host_alloc. For a keeper false means:
/// over its target, or nothing left; shrink, then ask again or do without. For other pools it is
/// the end.
bool pool_take(pool *self, uint64_t size);

/// As pool_take, but may pass a keeper's target and use what is closed to keepers, and in the end
/// what its query was promised and does not use yet: for the records of what was spilled, which
/// grow when a keeper shrinks, and where refusal would be the end. The next look makes up for it.
bool pool_take_urgent(pool *self, uint64_t size);

/// Gives back what pool_take or pool_take_urgent took.
void pool_give(pool *self, uint64_t size);

/// Memory of at least `size` bytes, taken and allocated in one: not initialised, aligned to 64
/// bytes. From 16 KiB up it comes from slabs and is reused hot; above 1 MiB it is a mapping of its
/// own. `*capacity` is what was taken; give the same back. NULL as false in pool_take, or in
/// pool_take_urgent.
void *pool_block_take(pool *self, size_t size, size_t *capacity);
void *pool_block_take_urgent(pool *self, size_t size, size_t *capacity);
/// As pool_block_take_urgent, but waits while other queries go on, as pool_take of a query that
/// runs does, until `cancel` is raised: for what a statement needs before it has a reserve.
void *pool_block_take_patient(pool *self, size_t size, size_t *capacity, const cancel_flag *cancel);
void pool_block_give(pool *self, void *block, size_t capacity);

/// Frees a block and takes another of `size` bytes: no moment needs both, and only the difference
/// is asked for. False: refused, and everything is as it was; or the system refused, and *block is
/// NULL.
bool pool_block_replace(pool *self, void **block, size_t *capacity, size_t size);
bool pool_block_replace_urgent(pool *self, void **block, size_t *capacity, size_t size);

/// Moves what was taken as a block from one pool to another of the same tree, without copying.
/// False if the other may not have it; then nothing changed.
bool pool_block_move(pool *from, pool *to, size_t capacity);

/// Stops counting a block: it belongs to the caller of the library now and may outlive the engine.
/// Returns whom to give it to: the root, which lives on until then.
pool *pool_block_hand_out(pool *self, size_t capacity);
void pool_block_give_handed_out(pool *engine, void *block, size_t capacity);

/// What to leave with when memory was refused: `return POOL_FULL(self, size, err);`
#define POOL_FULL(self, size, err) (pool_say_full((self), (size), (err)), FIRN_NO_MEMORY)
void pool_say_full(const pool *self, uint64_t size, firn_error *err);

// ---- Keepers -----------------------------------------------------------------------------------

/// How many bytes a keeper holds above its target; 0 in peace. Two loads: look at every page and
/// every morsel.
uint64_t pool_excess(const pool *self);

/// What a keeper may hold now. A worker's or task's share S is this divided by their number.
uint64_t pool_target(const pool *self);

/// Says that a keeper expects to hold `size` bytes in all. Better than finding out by refusals.
void pool_want(pool *self, uint64_t size);

/// Says that a phase is over: demand falls to what is used, and others may grow.
void pool_settle(pool *self);

/// Changes what a keeper can always have, from min_bytes up: for a phase in which it cannot shrink,
/// what it holds and what it will surely need. Others' shares are then made of what is left. False
/// if that is not free; nothing changed then.
bool pool_hold(pool *self, uint64_t size);

/// What a keeper could have if all others had no more than they can always have.
uint64_t pool_room(const pool *self);

// ---- Numbers -----------------------------------------------------------------------------------

uint64_t pool_used(const pool *self); // With all children.
uint64_t pool_peak(const pool *self); // The most it ever was.
const char *pool_name(const pool *self);

/// The root of the tree.
pool *pool_engine(pool *self);
/// How many queries are open in the tree.
uint32_t pool_query_count(pool *self);

typedef struct pool_report {
    uint64_t limit;
    uint64_t committed;     // Promised: reserves, minima, and what is used above them.
    uint64_t used;          // Taken by somebody.
    uint64_t resident;      // From the system: `used` and what is free in slabs.
    uint64_t resident_peak; // Most of it so far.
    uint64_t refused_count; // Requests of keepers that were told no.
    uint32_t waiting_count; // Queries in line.
} pool_report;

void pool_describe(pool *self, pool_report *out);

// ---- The engine's pool -------------------------------------------------------------------------

/// Changes the limit of the engine, or sets one for a session or a query. A smaller one makes
/// keepers shrink at their next look; what is reserved stays.
void pool_limit_set(pool *self, uint64_t limit_bytes);
uint64_t pool_limit(const pool *self);

/// Shrinks caches and gives free memory back to the system until at most `keep_bytes` are resident
/// or nothing more is free. For firn_engine_trim.
void pool_trim(pool *engine, uint64_t keep_bytes);

/// FIRN_TEST=spill: every second request of a POOL_STATE keeper above its minimum is refused.
void pool_refuse_for_test(pool *engine, bool is_on);

// ---- Pages (page.h is the interface; these are for it) ------------------------------------------

/// One unit of `size` bytes, a power of two from 16 KiB to 1 MiB; up to 64 KiB it is aligned to
/// itself.
void *pool_page_take(pool *self, size_t size);
void *pool_page_take_urgent(pool *self, size_t size);
void pool_page_give(pool *self, void *page, size_t size);

/// The page size of a keeper, or of the pool's query: 0 until it was set, then it stays.
size_t pool_page_size(const pool *self);
void pool_page_size_set(pool *query, size_t size);

#endif
