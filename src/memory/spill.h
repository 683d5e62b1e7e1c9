// The spill file: where pages go that do not fit into memory.
//
// One nameless file a query, made at the first write in `temp_directory` and gone with the query or
// the process. It is divided into slots of 512-byte steps that are reused by size; runs of a sort
// lie in extents of 1 MiB, so that several of their units can be read at once. The calling worker
// writes and reads, through the page cache. Pages are written as they are while the page cache has
// room, and packed with LZ4 after that, but for those of wide rows; the slot says which.
//
// Threads: a spill file may be used by all workers of its query at once; a desk, a list and a run
// by one at a time.
#ifndef FIRN_MEMORY_SPILL_H
#define FIRN_MEMORY_SPILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "memory/pool.h"

/// The largest page or unit that can be written; and the largest that is packed.
#define SPILL_PAGE_BYTES_MAX ((size_t)1 << 20)
#define SPILL_PACK_BYTES_MAX ((size_t)64 << 10)
#define SPILL_EXTENT_BYTES ((size_t)1 << 20)

typedef enum spill_form {
    SPILL_AUTO, // Raw while the page cache is roomy, then LZ4.
    SPILL_RAW,
    SPILL_LZ4,
} spill_form;

// ---- The area: what all spill files of an engine share ------------------------------------------

typedef struct spill_area spill_area;

typedef struct spill_options {
    const char *folder;    // The setting temp_directory; copied.
    spill_form form;       // Forced by tests and settings.
    uint64_t memory_bytes; // What page cache and engine share; 0: ask the system.
    uint64_t cgroup_bytes; // UINT64_MAX: no cgroup; 0: ask the system.
} spill_options;

/// Opens the area of an engine. Touches no file. Errors: FIRN_NO_MEMORY.
firn_status spill_area_open(pool *engine, const spill_options *options, spill_area **out,
                            firn_error *err);

/// Ends it. All its spill files are closed before.
void spill_area_close(spill_area *self);

/// Bytes in all spill files of the engine now.
uint64_t spill_area_bytes(const spill_area *self);

// ---- The file -----------------------------------------------------------------------------------

typedef struct spill spill;

/// Opens the spill file of a query. Makes nothing on disk yet. The lists of free slots are counted
/// against `query`. Errors: FIRN_NO_MEMORY.
firn_status spill_open(spill_area *area, pool *query, spill **out, firn_error *err);

/// Closes and thereby removes the file. Closing NULL does nothing.
void spill_close(spill *self);

/// Where a page lies. Plain data of 8 bytes; SPILL_SLOT_NONE is no page.
typedef struct spill_slot {
    uint64_t offset_steps : 40; // In 512 bytes.
    uint64_t size : 23;         // Bytes in the file.
    uint64_t is_packed : 1;     // LZ4.
} spill_slot;
#define SPILL_SLOT_NONE ((spill_slot){0})

static inline bool spill_slot_is_none(spill_slot slot) {
    return slot.size == 0;
}

/// What a worker needs to pack and unpack, 80 KiB of its keeper's minimum: taken at the first
/// packed page, past the keeper's target if need be.
typedef struct spill_desk {
    pool *owner;
    uint8_t *block; // State of LZ4, then a packed page; NULL until it is needed.
    size_t capacity;
} spill_desk;

spill_desk spill_desk_open(pool *owner);
void spill_desk_close(spill_desk *self);

/// Writes a page of 1 byte to SPILL_PAGE_BYTES_MAX. `page` may be reused when the call is back.
///
/// Errors: FIRN_IO; a full disk names bytes and temp_directory (SQLSTATE 53100). FIRN_NO_MEMORY.
firn_status spill_write(spill *self, spill_desk *desk, bytes page, spill_slot *out,
                        firn_error *err);

/// Reads a page back; `*size` is as long as it was. The slot stays.
///
/// Errors: FIRN_IO; FIRN_CORRUPT if the file does not hold what was written or it does not fit into
///         `capacity`.
firn_status spill_read(spill *self, spill_desk *desk, spill_slot slot, void *out, size_t capacity,
                       size_t *size, firn_error *err);

/// Reads `size` bytes of a page from `from` on; the page is not packed. Errors as spill_read.
firn_status spill_read_part(spill *self, spill_slot slot, size_t from, size_t size, void *out,
                            firn_error *err);

/// Makes the room of a page free for others. Not for units of a run.
void spill_free(spill *self, spill_slot slot);

typedef struct spill_report {
    uint64_t page_count;    // Pages and units written.
    uint64_t page_bytes;    // Their size in memory.
    uint64_t written_bytes; // What went to the file.
    uint64_t read_bytes;    // What came back.
    uint64_t file_bytes;    // Size of the file.
    uint64_t write_ns;      // Time in write calls, all workers together.
    uint64_t read_ns;
    bool is_packing; // LZ4 has begun.
} spill_report;

void spill_describe(spill *self, spill_report *out);

// ---- Lists of spilled pages ---------------------------------------------------------------------

/// A list of slots, counted in a pool. Zeroed memory with `owner` set is an empty list.
typedef struct spill_list {
    pool *owner;
    spill_slot *slots;
    size_t count;
    size_t capacity;
} spill_list;

/// Errors: FIRN_NO_MEMORY only if nothing is left even of what is closed to keepers.
firn_status spill_list_push(spill_list *self, spill_slot slot, firn_error *err);

/// Moves all of `from` behind `self`; `from` is empty afterwards.
firn_status spill_list_append(spill_list *self, spill_list *from, firn_error *err);

void spill_list_close(spill_list *self);

// ---- Runs: units one behind another -------------------------------------------------------------

/// A sorted run while it is written and read: units of up to SPILL_PAGE_BYTES_MAX in extents.
typedef struct spill_run {
    spill_list units;   // In the order of writing.
    spill_list extents; // For spill_run_free.
    uint64_t end_steps; // Where the next unit would lie in the newest extent.
} spill_run;

/// Starts a run whose lists are counted in `owner`.
spill_run spill_run_open(pool *owner);

/// Writes the next unit; errors as spill_write.
firn_status spill_run_write(spill *self, spill_desk *desk, spill_run *run, bytes unit,
                            firn_error *err);

/// How many units from `first` on lie one behind another and fit into `capacity` as they are in the
/// file: at least 1 if there is one.
size_t spill_run_span(const spill_run *run, size_t first, size_t capacity);

/// Reads `count` such units as they are in the file with one call. Unit i then begins at
/// spill_run_offset(run, first, i); spill_unpack makes a page of it.
firn_status spill_run_read(spill *self, const spill_run *run, size_t first, size_t count, void *out,
                           firn_error *err);
size_t spill_run_offset(const spill_run *run, size_t first, size_t index);

/// Makes a page of what lay in the file: copies or unpacks. Errors: FIRN_CORRUPT.
firn_status spill_unpack(spill_slot slot, const void *stored, void *out, size_t capacity,
                         size_t *size, firn_error *err);

/// Frees the room and the lists of a run.
void spill_run_free(spill *self, spill_run *run);

#endif
