// What the files spill*.c share.
//
//     spill.c        area and file; writing and reading; when to pack
//     spill_space.c  which parts of the file are free
//     spill_pack.c   LZ4 and the desk
//     spill_list.c   lists of slots; runs
#ifndef FIRN_MEMORY_SPILL_PRIVATE_H
#define FIRN_MEMORY_SPILL_PRIVATE_H

#include <stdatomic.h>

#include "base/host.h"
#include "base/mutex.h"
#include "memory/spill.h"

#define SPILL_STEP ((size_t)512)
#define SPILL_EXTENT_STEPS (SPILL_EXTENT_BYTES / SPILL_STEP)
#define SPILL_PACK_STEPS (SPILL_PACK_BYTES_MAX / SPILL_STEP)
#define SPILL_STEPS_END ((uint64_t)1 << 40) // Of the largest file.

static inline uint64_t spill_steps(uint64_t size) {
    return (size + SPILL_STEP - 1) / SPILL_STEP;
}

// Of a slot that is reused by its size: those of wide rows' pages come in 16 sizes only.
static inline uint64_t spill_slot_steps(uint64_t size) {
    const uint64_t steps = spill_steps(size);
    return steps <= SPILL_PACK_STEPS
               ? steps
               : (steps + SPILL_PACK_STEPS - 1) / SPILL_PACK_STEPS * SPILL_PACK_STEPS;
}

static inline spill_slot spill_slot_at(uint64_t offset_steps, size_t size, bool is_packed) {
    return (spill_slot){.offset_steps = offset_steps & (SPILL_STEPS_END - 1),
                        .size = size & 0x7fffff,
                        .is_packed = is_packed};
}

// ---- Space: what is free in the file. The caller locks. -----------------------------------------

// Sizes of slots: one step, two, … as many as a packed page may have, then multiples of that up to
// an extent, or the page that is as large.
#define SPILL_LIST_COUNT (SPILL_PACK_STEPS + SPILL_EXTENT_STEPS / SPILL_PACK_STEPS)

#define SPILL_FREE_COUNT 62 // So that one takes 512 bytes: most sizes have few.

// Offsets of free slots of one size: parts that never move, as millions may come when a partition
// is done, just where memory is short.
typedef struct spill_free_part {
    struct spill_free_part *below;
    uint64_t count;
    uint64_t offsets[SPILL_FREE_COUNT];
} spill_free_part;

typedef struct spill_space {
    pool *owner;
    uint64_t end_steps;                       // Of the file.
    spill_free_part *lists[SPILL_LIST_COUNT]; // From the smallest size to the largest; their tops.
} spill_space;

/// Finds room for `steps`, of a slot or of an extent. False if no file can be that large.
bool spill_space_take(spill_space *self, uint64_t steps, uint64_t *offset);

/// Makes it free for others. When there is no memory to remember it, it is lost until the file
/// goes.
void spill_space_give(spill_space *self, uint64_t offset, uint64_t steps);
void spill_space_close(spill_space *self);

// ---- Packing ------------------------------------------------------------------------------------

/// Packs a page into the desk. False if that saves less than a fifth, or there is no memory for it.
bool spill_pack(spill_desk *desk, bytes page, bytes *out);

/// Room for a packed page as it lies in the file; NULL without memory.
uint8_t *spill_desk_room(spill_desk *self);

// ---- The file -----------------------------------------------------------------------------------

struct spill_area {
    pool *engine;
    char *folder;
    spill_form form;
    uint64_t memory_bytes;
    uint64_t cgroup_bytes;           // UINT64_MAX: none.
    atomic_uint_fast64_t file_bytes; // Of all files.
};

// What was written since the last step of write-behind: a range of the file.
typedef struct spill_range {
    uint64_t from;
    uint64_t to; // Not above `from`: nothing.
} spill_range;

struct spill {
    spill_area *area;
    mutex lock;
    host_file file GUARDED_BY(&lock); // Opened once; afterwards it stays the same.
    spill_space space GUARDED_BY(&lock);
    spill_report report GUARDED_BY(&lock);
    uint64_t window_bytes GUARDED_BY(&lock); // Since the speed was last looked at.
    uint64_t window_ns GUARDED_BY(&lock);    // Of writes that waited.
    uint64_t behind_bytes GUARDED_BY(&lock);
    spill_range written GUARDED_BY(&lock); // In this step of write-behind,
    spill_range started GUARDED_BY(&lock); // and in the one before.
    atomic_bool is_packing;
};

/// Writes bytes to a place that was taken, and counts.
firn_status spill_put(spill *self, uint64_t offset_steps, bytes stored, size_t page_size,
                      firn_error *err);

/// Chooses the form of a page: packed into the desk, or as it is.
bytes spill_choose(spill *self, spill_desk *desk, bytes page, bool *is_packed);

/// Reads bytes as they are in the file from `offset` on, and counts.
firn_status spill_get(spill *self, uint64_t offset, size_t size, void *out, firn_error *err);

/// Takes room in the file, which is made if need be.
firn_status spill_take(spill *self, uint64_t steps, uint64_t *offset, firn_error *err);
void spill_give(spill *self, uint64_t offset, uint64_t steps);

#endif
