// What a store is: the functions behind the paths of one kind. A new one is a file with a constant
// `io_store_<name>` and a line in stores.def; nobody outside io/ sees which store serves a path.
// Keys that it needs it asks for by the path, at each request (io_storage.h).
#ifndef FIRN_IO_STORE_H
#define FIRN_IO_STORE_H

#include "base/host.h"
#include "io/io.h"

struct exchange_driver;

typedef struct io_store {
    const char *name; // For messages.
    bool (*takes)(text path);

    /// Fills in file->identity (a remote store only what `options` tells) and file->handle.
    firn_status (*open)(io_file *file, const io_open_options *options, firn_error *err);
    void (*close)(io_file *file);
    /// FIRN_IO if the content is not that of file->identity any more.
    firn_status (*check)(io_file *file, const cancel_flag *cancel, firn_error *err);
    /// Whether a kept handle of an immutable file still is what its path names.
    bool (*is_current)(io_file *file);
    /// NULL: file->identity, which never changes after open.
    io_identity (*identity)(io_file *file);
    firn_status (*size)(io_file *file, const cancel_flag *cancel, uint64_t *out, firn_error *err);

    /// The four calls of a ticket, see io.h. `withdraw` leaves nothing on its way.
    firn_status (*submit)(io_ticket *ticket, firn_error *err);
    firn_status (*collect)(io_ticket *ticket, uint32_t index, io_answer *out, firn_error *err);
    firn_status (*wait)(io_ticket *ticket, uint32_t index, firn_error *err);
    void (*withdraw)(io_ticket *ticket);
    bool is_remote;

    /// Whole objects. NULL: io_file_open, io_file_size and io_read do it.
    firn_status (*get)(io *owner, text path, uint64_t limit_bytes, const cancel_flag *cancel,
                       arena *memory, bytes *out, firn_error *err);

    /// NULL: the store cannot, and the caller gets FIRN_UNSUPPORTED with its name.
    firn_status (*exists)(io *owner, text path, const cancel_flag *cancel, bool *out,
                          firn_error *err);
    firn_status (*list)(io *owner, text folder, const io_list_options *options, io_visit visit,
                        void *user, firn_error *err);
    firn_status (*rename)(io *owner, text from, text to, firn_error *err);
    firn_status (*link)(io *owner, text from, text to, firn_error *err);
    firn_status (*remove)(io *owner, text path, firn_error *err);
    /// NULL: a writer does it, if there is one.
    firn_status (*put)(io *owner, text path, bytes content, bool replace, firn_error *err);
    /// NULL: what is put or finished is durable.
    firn_status (*sync)(io *owner, const text *paths, size_t count, const cancel_flag *cancel,
                        firn_error *err);
    firn_status (*writer_open)(io_writer *writer, firn_error *err);
    firn_status (*writer_write)(io_writer *writer, bytes content, firn_error *err);
    firn_status (*writer_finish)(io_writer *writer, firn_error *err);
    void (*writer_close)(io_writer *writer);
} io_store;

struct io_file {
    io *owner;
    const io_store *store;
    arena memory; // Holds the file itself and its path.
    text path;    // With a NUL behind.
    bool is_immutable;
    atomic_bool has_changed;  // Its handle is of no use to anybody else.
    uint32_t reference_count; // Guarded by the owner's lock, like the links.
    io_file *newer;           // Neighbours among the kept handles.
    io_file *older;
    io_identity identity; // Of a remote file: guarded by the driver's lock.
    host_file handle;     // Of a local file.
    // Of a remote file:
    const char *url; // The path with what a URL may not have encoded.
    text shown;      // The path without what may be secret, for messages.
};

struct io_writer {
    io *owner;
    const io_store *store;
    arena memory; // Holds the writer itself and its texts.
    text path;
    bool replace;
    bool syncs_later;
    bool is_finished;
    host_file handle; // Of a local file.
    text temporary;   // Its path until it is finished, with a NUL behind; empty: none.
    uint64_t size;    // Bytes written so far.
};

/// The transfers of an io, with the module loaded. One for its life, made at the first call.
firn_status io_driver(io *self, struct exchange_driver **out, firn_error *err);

/// FIRN_IO, "changed while it was read", and the handle is not kept.
firn_status io_file_changed(io_file *self, firn_error *err);

/// Transfers that are not in use, to be used again. Guarded by the driver's lock.
typedef struct transfer_pool {
    arena memory;
    struct io_transfer *unused;
} transfer_pool;
transfer_pool *io_transfer_pool(io *self);

#endif
