// The byte door between formats and the world: named objects in, ranges of bytes out.
//
//     path ─ store (stores.def: local, http …) ─ io_file ─ io_submit(ranges) ─ io_collect ─ bytes
//
// A reader opens a file, submits the ranges it will need and collects them one after the other. It
// never blocks: io_collect says IO_WAIT while a range is on its way, and the waker given with the
// request is called when something arrived. A reader therefore looks like this, and the same lines
// serve a local disk and a far server:
//
//     io_range ranges[2] = {{.offset = 4, .size = 100, .into = a}, {.offset = 900, ...}};
//     io_ticket ticket = IO_TICKET_NONE;
//     TRY(io_submit(file, ranges, 2, &request, &ticket, err));
//     ...
//     io_answer answer;
//     status = io_collect(&ticket, 0, &answer, err); // IO_READY: a is filled
//     ...
//     io_ticket_close(&ticket);                      // always; stops what is still on its way
//
// What is promised:
//   - Bytes land in the caller's memory (`into`), nowhere else: io allocates no data. The caller
//     reserved and charged that memory to the pool before it submitted; if the pool said no, it
//     submits less. After io_ticket_close nobody writes there any more.
//   - Local ranges never wait: io_collect reads each when it is first asked for, so the bytes are
//     warm in the cache when they are decoded.
//   - Remote ranges that lie near each other become one request, long ones several; at most
//     `connection_count` are in flight. Requests that may be repeated are, with growing pauses.
//   - A file that changes between open and the last read is an error, never a mixture.
//   - One I/O thread, started by the first remote request, or none (io_options.has_thread): then
//     whoever waits (io_wait, io_drive) moves all transfers of this io meanwhile.
//   - Cancelling is seen within 50 ms, also while a server hangs. A server that hangs, drips or has
//     no end is given up, with all repeats after 60 s (exchange_time.h).
//
// Paths: `/x`, `x` (relative), `file:/x`, `file:///x`, `file://localhost/x` are local and are never
// URL-decoded; `http://…` and `https://…` are web servers (module firn_net.so, loaded then).
#ifndef FIRN_IO_IO_H
#define FIRN_IO_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mutex.h"
#include "base/text.h"
#include "memory/arena.h"

/// All of an engine's input and output: settings, handle cache, transfers. Any thread, any time.
typedef struct io io;

/// An object that can be read in ranges. Reference-counted; any number of threads may submit.
typedef struct io_file io_file;

struct net_module;
struct io_store;

/// Zero is the default for each.
typedef struct io_options {
    bool has_thread;              // May start an I/O thread; false when the engine has threads = 1.
    uint32_t connection_count;    // Requests in flight; 64.
    uint32_t connect_timeout_ms;  // 10,000.
    uint32_t timeout_ms;          // Of silence, and of slowness: exchange_time.h; 30,000.
    uint32_t retry_count;         // Repeats of a request that may be repeated; 4.
    uint32_t retry_pause_ms;      // Before the first repeat; doubles, with chance; 100.
    const struct net_module *net; // Instead of firn_net.so (tests); outlives the io.
    const struct io_store *store; // Asked before those of stores.def (tests); outlives the io.
} io_options;

/// Starts no thread and loads no module. Errors: FIRN_NO_MEMORY.
firn_status io_open(const io_options *options, io **out, firn_error *err);
/// Stops the I/O thread. Every file must have been released and every ticket closed.
void io_close(io *self);
/// io_options.timeout_ms from now on, of what is on its way too. 0 is the default.
void io_set_timeout(io *self, uint32_t timeout_ms);
uint32_t io_timeout_ms(io *self); ///< The newest one.
/// Whether an I/O thread may be started from now on; one that runs goes on.
void io_allow_thread(io *self, bool allowed);

// ---- Files -------------------------------------------------------------------------------------

#define IO_ETAG_MAX 127
#define IO_SIZE_UNKNOWN UINT64_MAX

/// What tells one content of a path from another. Plain data: a cache key, beside the path.
typedef struct io_identity {
    uint64_t size; // IO_SIZE_UNKNOWN until a remote file was read for the first time.
    // Local files:
    uint64_t inode;
    int64_t mtime_ns;
    int64_t ctime_ns;
    // Remote files: the strong ETag, else the date of the last change, else "".
    char version[IO_ETAG_MAX + 1];
} io_identity;

bool io_identity_equal(const io_identity *left, const io_identity *right);
/// False if nothing but the size is known, or not even that: such a file must not be cached.
bool io_identity_is_exact(const io_identity *self);

typedef struct io_open_options {
    const cancel_flag *cancel;   // May be NULL.
    bool is_immutable;           // Never changes under this name (Iceberg, Delta): the open handle
                                 // may be kept and shared after its release.
    bool has_size;               // `size` is known from metadata: saves a remote file's question.
    uint64_t size;               // A file of another size is FIRN_CORRUPT.
    const io_identity *expected; // NULL, or what an earlier open saw: another one is FIRN_IO.
} io_open_options;

/// Opens `path` for reading. A local file is opened and measured here. A remote one costs no
/// request here: its size is known when `has_size`, else after the first range arrived; a range
/// at IO_FROM_END needs no size, so opening and reading a footer is one request.
///
/// Owns:   the caller releases *out.
/// Errors: FIRN_NOT_FOUND, FIRN_CORRUPT (size), FIRN_IO, FIRN_INVALID (no such scheme, a folder).
firn_status io_file_open(io *self, text path, const io_open_options *options, io_file **out,
                         firn_error *err);
io_file *io_file_retain(io_file *self);
void io_file_release(io_file *self); // NULL: nothing.

text io_file_path(const io_file *self);
/// A copy, since a remote file's identity becomes known with the first range. Any thread.
io_identity io_file_identity(io_file *self);
/// The size, asking a remote server for it if it is not known yet. Waits.
firn_status io_file_size(io_file *self, const cancel_flag *cancel, uint64_t *out, firn_error *err);
/// FIRN_IO if the content is no longer the one that was opened. Local reads check it by themselves
/// after every range (size and mtime of the open handle), remote ones with every request.
firn_status io_file_check(io_file *self, const cancel_flag *cancel, firn_error *err);
/// Ranges of it are worth submitting ahead of their use: it is not on this machine.
bool io_file_is_remote(const io_file *self);

// ---- Ranges ------------------------------------------------------------------------------------

/// As an offset: the last `size` bytes, or the whole file if it is shorter; `filled` says which.
#define IO_FROM_END UINT64_MAX

/// One piece of a file. Caller's memory from io_submit to io_ticket_close.
typedef struct io_range {
    uint64_t offset; // Or IO_FROM_END.
    size_t size;     // Not 0. Beyond the end of the file: FIRN_CORRUPT at collect.
    uint8_t *into;   // Room for `size` bytes.
    size_t filled;   // Out: bytes that lie at `into`; `size`, but for IO_FROM_END.
    // io's own:
    uint64_t placed;    // Where it begins, also of IO_FROM_END once that is known.
    size_t left;        // Bytes still to come; SIZE_MAX of a range nothing is known of yet.
    uint32_t next;      // Index of the range behind it in the order of offsets; UINT32_MAX: none.
    firn_status status; // FIRN_OK as long as nothing failed.
} io_range;

/// How a waiting reader learns that something arrived. `wake` may be called from any thread, from
/// within any io function, also before io_submit returned and more often than needed; never under a
/// lock of io's. It must not block, nor call io_. A ticket is not closed under a lock `wake` takes.
typedef struct io_waker {
    void (*wake)(void *user); // NULL: nobody is told.
    void *user;
} io_waker;

typedef struct io_request {
    const cancel_flag *cancel; // May be NULL; outlives the ticket.
    io_waker waker;
} io_request;

/// Ranges that were submitted together. Caller's memory; must stay where it is until it is closed.
typedef struct io_ticket {
    io_file *file; // NULL: nothing is submitted. Retained.
    io_range *ranges;
    uint32_t count;
    io_request request;
    // Of a remote file, guarded by the lock of the transfers:
    struct io_transfer *transfers; // On their way.
    struct io_ticket *next_waking;
    bool is_waking; // Its waker is to be called.
    uint32_t waking_count;
    firn_error error; // The first failure of a transfer.
} io_ticket;
#define IO_TICKET_NONE ((io_ticket){.file = NULL})

typedef enum io_answer {
    IO_READY, // The bytes are there.
    IO_WAIT,  // Not yet; the waker will be called.
} io_answer;

/// Asks for `count` ranges, in any order, overlapping or not. Remote ones start on their way.
///
/// Keeps:  `ranges`, `*ticket` and `request->cancel` until io_ticket_close; copies the rest.
/// Errors: FIRN_INVALID (a range of 0 bytes), FIRN_NO_MEMORY (too many requests wait; nothing was
///         submitted), FIRN_IO. After an error the ticket is IO_TICKET_NONE.
firn_status io_submit(io_file *file, io_range *ranges, uint32_t count, const io_request *request,
                      io_ticket *ticket, firn_error *err);

#define IO_ALL UINT32_MAX

/// Says whether range `index` (or IO_ALL of them) is there. Without an I/O thread it moves the
/// transfers on by as much as is possible without waiting. One thread at a time per ticket.
///
/// Errors: FIRN_IO, FIRN_NOT_FOUND, FIRN_CORRUPT (the file ends before the range), FIRN_CANCELLED.
firn_status io_collect(io_ticket *self, uint32_t index, io_answer *out, firn_error *err);

/// io_collect until it is there: for planning and catalogs, which may wait.
firn_status io_wait(io_ticket *self, uint32_t index, firn_error *err);

/// Stops what is on its way and forgets the ticket. On return nobody writes into the ranges.
/// Closing IO_TICKET_NONE does nothing.
void io_ticket_close(io_ticket *self);

/// For a scheduler that has nothing else to do and no I/O thread: moves the transfers of all
/// tickets until something arrived or `timeout_ms` passed. Returns at once when nothing moves.
firn_status io_drive(io *self, uint32_t timeout_ms, firn_error *err);

// ---- Whole objects -----------------------------------------------------------------------------

/// Reads `size` bytes at `offset` and waits for them.
firn_status io_read(io_file *file, uint64_t offset, size_t size, const cancel_flag *cancel,
                    uint8_t *out, firn_error *err);

/// Reads a whole object of at most `limit_bytes` into `memory`. Waits.
/// Errors: as io_file_open and io_collect; FIRN_INVALID if it is larger.
firn_status io_get(io *self, text path, uint64_t limit_bytes, const cancel_flag *cancel,
                   arena *memory, bytes *out, firn_error *err);

/// Whether something can be read there. A folder is no object.
firn_status io_exists(io *self, text path, const cancel_flag *cancel, bool *out, firn_error *err);

typedef struct io_entry {
    text path; // As the store names it: what io_file_open takes. Borrowed for the visit.
    text name; // The part of `path` behind the folder that is listed.
    bool is_folder;
    bool is_link;  // Of a folder: it is found by a symbolic link, and may be one above.
    uint64_t size; // Of an object.
    int64_t mtime_ns;
} io_entry;

/// Called for each entry, in bytewise order of names within a folder, until it fails.
typedef firn_status (*io_visit)(void *user, const io_entry *entry, firn_error *err);

typedef struct io_list_options {
    const cancel_flag *cancel;
    bool is_deep;   // Objects of all folders below, and no folders. More than 64 levels (a loop of
                    // links, usually) are FIRN_INVALID.
    bool no_detail; // `size` and `mtime_ns` may be missing (0): saves a question per local file.
    bool tells_links; // `is_link` is wanted: a question per local folder.
} io_list_options;

/// Lists what is in a folder.
/// Errors: FIRN_NOT_FOUND if it does not exist; FIRN_UNSUPPORTED by a store that cannot (http).
firn_status io_list(io *self, text folder, const io_list_options *options, io_visit visit,
                    void *user, firn_error *err);

// ---- Writing -----------------------------------------------------------------------------------

/// Makes an object with this content, unless there is one: FIRN_CONFLICT. Atomic, and durable on
/// return. An answer that got lost is FIRN_COMMIT_UNKNOWN.
firn_status io_put_if_absent(io *self, text path, bytes content, firn_error *err);
/// Makes or replaces an object at once: readers see the old content or the new one.
firn_status io_put(io *self, text path, bytes content, firn_error *err);
/// As io_put, but it may be durable only after io_sync: for many small objects that nobody knows of
/// before that, which are synced together in about the time of one.
firn_status io_put_later(io *self, text path, bytes content, firn_error *err);
/// Makes objects durable that were put or finished for later. Stores whose objects always are have
/// nothing to do.
firn_status io_sync(io *self, const text *paths, size_t count, const cancel_flag *cancel,
                    firn_error *err);
/// FIRN_UNSUPPORTED by a store that cannot do it atomically.
firn_status io_rename(io *self, text from, text to, firn_error *err);
/// Gives an object a second name, by which it stays if the first one becomes another's. Errors:
/// FIRN_CONFLICT (there is such an object), FIRN_NOT_FOUND, FIRN_UNSUPPORTED by a store that
/// cannot; FIRN_IO where a file system cannot.
firn_status io_link(io *self, text from, text to, firn_error *err);
firn_status io_remove(io *self, text path, firn_error *err);

/// A new object that is written piece by piece and appears under its name when it is finished.
typedef struct io_writer io_writer;
/// Missing folders of a local path are made. FIRN_CONFLICT at finish if `path` exists by then and
/// `replace` is false.
firn_status io_writer_open(io *self, text path, bool replace, io_writer **out, firn_error *err);
firn_status io_writer_write(io_writer *self, bytes content, firn_error *err);
/// Leaves it to io_sync to make the object durable.
void io_writer_sync_later(io_writer *self);
/// Makes it durable and visible. The writer must still be closed.
firn_status io_writer_finish(io_writer *self, firn_error *err);
/// Ends the writer; what was not finished never appears. NULL: nothing.
void io_writer_close(io_writer *self);

#endif
