#include "io/io.h"

#include <assert.h>
#include <string.h>

#include "io/exchange.h"
#include "io/io_path.h"
#include "io/io_storages.h"
#include "io/store.h"
#include "memory/text_builder.h"

// Memory of one io without its files, and that of its transfers, about 3 KB each.
#define MEMORY_LIMIT ((size_t)1 << 20)
#define TRANSFER_MEMORY_LIMIT ((size_t)64 << 20)
// A file's or a writer's own memory: itself and a path.
#define OBJECT_LIMIT ((size_t)1 << 20)
// Open handles of immutable files that nobody uses. Each holds a descriptor.
#define KEPT_COUNT_MAX 64
#define TIMEOUT_MS 30000

#define STORE(name) extern const io_store io_store_##name;
#include "io/stores.def"
#undef STORE

static const io_store *const stores[] = {
#define STORE(name) &io_store_##name,
#include "io/stores.def"
#undef STORE
};

struct io {
    arena memory;
    io_options options;
    mutex lock;
    atomic_bool thread_allowed;
    atomic_uint timeout_ms;
    exchange_driver *driver; // NULL until the first remote call.
    transfer_pool transfers;
    io_storages storages;
    // Handles with no reference, newest first.
    io_file *kept_newest;
    io_file *kept_oldest;
    uint32_t kept_count;
};

// ---- The io itself -----------------------------------------------------------------------------

firn_status io_open(const io_options *options, io **out, firn_error *err) {
    *out = NULL;
    arena memory = arena_open(MEMORY_LIMIT);
    io *self = ARENA_NEW(&memory, io, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (io){.memory = memory,
                 .options = *options,
                 .transfers = {.memory = arena_open(TRANSFER_MEMORY_LIMIT)}};
    mutex_begin(&self->lock, MUTEX_IO);
    io_storages_open(&self->storages);
    atomic_init(&self->thread_allowed, options->has_thread);
    io_set_timeout(self, options->timeout_ms);
    *out = self;
    return FIRN_OK;
}

static void file_close(io_file *file) {
    file->store->close(file);
    arena memory = file->memory; // The file lies in it.
    arena_close(&memory);
}

void io_close(io *self) {
    if (self == NULL) {
        return;
    }
    io_file *kept = self->kept_newest;
    while (kept != NULL) {
        io_file *older = kept->older;
        file_close(kept);
        kept = older;
    }
    exchange_driver_close(self->driver);
    io_storages_close(&self->storages);
    arena_close(&self->transfers.memory);
    mutex_end(&self->lock);
    arena memory = self->memory;
    arena_close(&memory);
}

void io_set_timeout(io *self, uint32_t timeout_ms) {
    const uint32_t chosen = timeout_ms == 0 ? TIMEOUT_MS : timeout_ms;
    atomic_store_explicit(&self->timeout_ms, chosen, memory_order_relaxed);
}

uint32_t io_timeout_ms(io *self) {
    return (uint32_t)atomic_load_explicit(&self->timeout_ms, memory_order_relaxed);
}

void io_allow_thread(io *self, bool allowed) {
    atomic_store_explicit(&self->thread_allowed, allowed, memory_order_relaxed);
}

firn_status io_driver(io *self, exchange_driver **out, firn_error *err) {
    firn_status status = FIRN_OK;
    mutex_lock(&self->lock);
    if (self->driver == NULL) {
        const exchange_settings settings = {
            .net = self->options.net,
            .thread_allowed = &self->thread_allowed,
            .connection_count = self->options.connection_count,
            .connect_timeout_ms = self->options.connect_timeout_ms,
            .timeout_ms = &self->timeout_ms,
            .retry_count = self->options.retry_count,
            .retry_pause_ms = self->options.retry_pause_ms,
        };
        status = exchange_driver_open(&settings, &self->memory, &self->driver, err);
    }
    *out = self->driver;
    mutex_unlock(&self->lock);
    return status;
}

transfer_pool *io_transfer_pool(io *self) {
    return &self->transfers;
}

io_storages *io_storages_of(io *self) {
    return &self->storages;
}

static firn_status find_store(const io *self, text path, const io_store **out, firn_error *err) {
    if (self->options.store != NULL && self->options.store->takes(path)) {
        *out = self->options.store;
        return FIRN_OK;
    }
    for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++) {
        if (stores[i]->takes(path)) {
            *out = stores[i];
            return FIRN_OK;
        }
    }
    char buffer[256];
    const text scheme = io_path_scheme(path);
    const text shown = io_path_shown(path, buffer, sizeof buffer);
    return FAIL(err, FIRN_UNSUPPORTED,
                "\"%.*s\": no store for \"%.*s:\", there are file:, http: and https:",
                TEXT_ARGS(shown), TEXT_ARGS(scheme));
}

static firn_status cannot(const io_store *store, const char *what, text path, firn_error *err) {
    char buffer[256];
    const text shown = io_path_shown(path, buffer, sizeof buffer);
    return FAIL(err, FIRN_UNSUPPORTED, "the store \"%s\" cannot %s \"%.*s\"", store->name, what,
                TEXT_ARGS(shown));
}

// ---- Identity ----------------------------------------------------------------------------------

bool io_identity_equal(const io_identity *left, const io_identity *right) {
    return left->size == right->size && left->inode == right->inode &&
           left->mtime_ns == right->mtime_ns && left->ctime_ns == right->ctime_ns &&
           strcmp(left->version, right->version) == 0;
}

bool io_identity_is_exact(const io_identity *self) {
    return self->size != IO_SIZE_UNKNOWN && (self->mtime_ns != 0 || self->version[0] != '\0');
}

// ---- Kept handles ------------------------------------------------------------------------------
// A handle without references stays open if its file is immutable. The caller holds the lock.

static void unlink_kept(io *self, io_file *file) REQUIRES(&self->lock) {
    if (file->newer == NULL) {
        self->kept_newest = file->older;
    } else {
        file->newer->older = file->older;
    }
    if (file->older == NULL) {
        self->kept_oldest = file->newer;
    } else {
        file->older->newer = file->newer;
    }
    file->newer = NULL;
    file->older = NULL;
    self->kept_count -= 1;
}

static void link_kept(io *self, io_file *file) REQUIRES(&self->lock) {
    file->newer = NULL;
    file->older = self->kept_newest;
    if (self->kept_newest == NULL) {
        self->kept_oldest = file;
    } else {
        self->kept_newest->newer = file;
    }
    self->kept_newest = file;
    self->kept_count += 1;
}

// Takes the kept handle of `path`, if there is one and it still is what the path names.
static io_file *take_kept(io *self, text path) {
    io_file *file;
    mutex_lock(&self->lock);
    for (file = self->kept_newest; file != NULL; file = file->older) {
        if (text_equal(file->path, path)) {
            unlink_kept(self, file);
            file->reference_count = 1;
            break;
        }
    }
    mutex_unlock(&self->lock);
    if (file != NULL && !file->store->is_current(file)) {
        file_close(file);
        return NULL;
    }
    return file;
}

io_file *io_file_retain(io_file *self) {
    mutex_lock(&self->owner->lock);
    self->reference_count += 1;
    mutex_unlock(&self->owner->lock);
    return self;
}

void io_file_release(io_file *self) {
    if (self == NULL) {
        return;
    }
    io *owner = self->owner;
    io_file *unwanted = NULL;
    mutex_lock(&owner->lock);
    assert(self->reference_count > 0);
    self->reference_count -= 1;
    if (self->reference_count == 0) {
        if (self->is_immutable && !atomic_load_explicit(&self->has_changed, memory_order_relaxed)) {
            link_kept(owner, self);
        } else {
            unwanted = self;
        }
        if (owner->kept_count > KEPT_COUNT_MAX) {
            unwanted = owner->kept_oldest;
            unlink_kept(owner, unwanted);
        }
    }
    mutex_unlock(&owner->lock);
    if (unwanted != NULL) {
        file_close(unwanted);
    }
}

firn_status io_file_changed(io_file *self, firn_error *err) {
    atomic_store_explicit(&self->has_changed, true, memory_order_relaxed);
    char buffer[512];
    const text shown = io_path_shown(self->path, buffer, sizeof buffer);
    return FAIL(err, FIRN_IO, "\"%.*s\" changed while it was read", TEXT_ARGS(shown));
}

// ---- Files -------------------------------------------------------------------------------------

// What must hold of an opened file, whether its handle is new or was kept.
static firn_status check_opened(io_file *file, const io_open_options *options, firn_error *err) {
    const io_identity identity = io_file_identity(file);
    char buffer[512];
    const text shown = io_path_shown(file->path, buffer, sizeof buffer);
    if (options->has_size && identity.size != IO_SIZE_UNKNOWN && identity.size != options->size) {
        return FAIL(err, FIRN_CORRUPT, "\"%.*s\" has %llu bytes, its table says %llu",
                    TEXT_ARGS(shown), (unsigned long long)identity.size,
                    (unsigned long long)options->size);
    }
    const io_identity *expected = options->expected;
    if (expected != NULL && !file->store->is_remote &&
        (expected->size != identity.size || expected->inode != identity.inode ||
         expected->mtime_ns != identity.mtime_ns)) {
        return FAIL(err, FIRN_IO, "\"%.*s\" changed since it was planned", TEXT_ARGS(shown));
    }
    return FIRN_OK;
}

static firn_status open_new(io *self, const io_store *store, text path,
                            const io_open_options *options, io_file **out, firn_error *err) {
    arena memory = arena_open(OBJECT_LIMIT);
    io_file *file = ARENA_NEW(&memory, io_file, 1);
    text copy;
    firn_status status = FIRN_OK;
    if (file == NULL) {
        status = ARENA_FULL(&memory, err);
        goto done;
    }
    status = text_copy(&memory, path, &copy, err);
    if (status != FIRN_OK) {
        goto done;
    }
    *file = (io_file){.owner = self,
                      .store = store,
                      .path = copy,
                      .is_immutable = options->is_immutable,
                      .reference_count = 1,
                      .identity = {.size = IO_SIZE_UNKNOWN},
                      .handle = HOST_FILE_NONE};
    file->memory = memory; // From here on the file's own.
    status = store->open(file, options, err);
    if (status == FIRN_OK) {
        *out = file;
        return FIRN_OK;
    }
    memory = file->memory;
done:
    arena_close(&memory);
    return status;
}

firn_status io_file_open(io *self, text path, const io_open_options *options, io_file **out,
                         firn_error *err) {
    *out = NULL;
    TRY(cancel_check(options->cancel, err));
    const io_store *store;
    TRY(find_store(self, path, &store, err));
    io_file *file = options->is_immutable ? take_kept(self, path) : NULL;
    if (file == NULL) {
        TRY(open_new(self, store, path, options, &file, err));
    }
    const firn_status status = check_opened(file, options, err);
    if (status != FIRN_OK) {
        io_file_release(file);
        return status;
    }
    *out = file;
    return FIRN_OK;
}

text io_file_path(const io_file *self) {
    return self->path;
}

bool io_file_is_remote(const io_file *self) {
    return self->store->is_remote;
}

io_identity io_file_identity(io_file *self) {
    return self->store->identity == NULL ? self->identity : self->store->identity(self);
}

firn_status io_file_size(io_file *self, const cancel_flag *cancel, uint64_t *out, firn_error *err) {
    return self->store->size(self, cancel, out, err);
}

firn_status io_file_check(io_file *self, const cancel_flag *cancel, firn_error *err) {
    return self->store->check(self, cancel, err);
}

// ---- Ranges ------------------------------------------------------------------------------------

firn_status io_submit(io_file *file, io_range *ranges, uint32_t count, const io_request *request,
                      io_ticket *ticket, firn_error *err) {
    *ticket = IO_TICKET_NONE;
    TRY(cancel_check(request->cancel, err));
    for (uint32_t i = 0; i < count; i++) {
        io_range *range = &ranges[i];
        if (range->size == 0) {
            return FAIL(err, FIRN_INVALID, "range %u of %u is empty", i, count);
        }
        uint64_t end;
        if (range->offset != IO_FROM_END &&
            __builtin_add_overflow(range->offset, range->size, &end)) {
            return FAIL(err, FIRN_CORRUPT, "a range of %zu bytes at %llu ends beyond any file",
                        range->size, (unsigned long long)range->offset);
        }
        range->filled = 0;
        range->placed = range->offset;
        range->left = SIZE_MAX;
        range->next = UINT32_MAX;
        range->status = FIRN_OK;
    }
    ticket->ranges = ranges;
    ticket->count = count;
    ticket->request = *request;
    ticket->file = io_file_retain(file);
    const firn_status status = file->store->submit(ticket, err);
    if (status != FIRN_OK) {
        io_file_release(file);
        *ticket = IO_TICKET_NONE;
    }
    return status;
}

firn_status io_collect(io_ticket *self, uint32_t index, io_answer *out, firn_error *err) {
    assert(self->file != NULL && (index < self->count || index == IO_ALL));
    *out = IO_WAIT;
    TRY(cancel_check(self->request.cancel, err));
    return self->file->store->collect(self, index, out, err);
}

firn_status io_wait(io_ticket *self, uint32_t index, firn_error *err) {
    assert(self->file != NULL && (index < self->count || index == IO_ALL));
    TRY(cancel_check(self->request.cancel, err));
    return self->file->store->wait(self, index, err);
}

void io_ticket_close(io_ticket *self) {
    if (self->file != NULL) {
        self->file->store->withdraw(self);
        io_file_release(self->file);
        *self = IO_TICKET_NONE;
    }
}

firn_status io_drive(io *self, uint32_t timeout_ms, firn_error *err) {
    mutex_lock(&self->lock);
    exchange_driver *driver = self->driver;
    mutex_unlock(&self->lock);
    return driver == NULL ? FIRN_OK : exchange_drive(driver, timeout_ms, err);
}

// ---- Whole objects -----------------------------------------------------------------------------

firn_status io_read(io_file *file, uint64_t offset, size_t size, const cancel_flag *cancel,
                    uint8_t *out, firn_error *err) {
    io_range range = {.offset = offset, .size = size, .into = out};
    io_ticket ticket;
    TRY(io_submit(file, &range, 1, &(io_request){.cancel = cancel}, &ticket, err));
    const firn_status status = io_wait(&ticket, 0, err);
    io_ticket_close(&ticket);
    return status;
}

static firn_status read_whole(io_file *file, uint64_t limit_bytes, const cancel_flag *cancel,
                              arena *memory, bytes *out, firn_error *err) {
    uint64_t size;
    TRY(io_file_size(file, cancel, &size, err));
    if (size > limit_bytes) {
        char limit[IO_SIZE_TEXT];
        return FAIL(err, FIRN_INVALID, "\"%.*s\" has %llu bytes, at most %s are allowed",
                    TEXT_ARGS(file->path), (unsigned long long)size,
                    io_size_shown(limit_bytes, limit));
    }
    if (size == 0) {
        *out = (bytes){.size = 0};
        return FIRN_OK;
    }
    uint8_t *data = ARENA_NEW(memory, uint8_t, (size_t)size);
    if (data == NULL) {
        const firn_status status = ARENA_FULL(memory, err);
        err_while(err, "making room for a file of %llu bytes", (unsigned long long)size);
        return status;
    }
    TRY(io_read(file, 0, (size_t)size, cancel, data, err));
    *out = (bytes){.data = data, .size = (size_t)size};
    return FIRN_OK;
}

firn_status io_get(io *self, text path, uint64_t limit_bytes, const cancel_flag *cancel,
                   arena *memory, bytes *out, firn_error *err) {
    const io_store *store;
    TRY(find_store(self, path, &store, err));
    if (store->get != NULL) {
        return store->get(self, path, limit_bytes, cancel, memory, out, err);
    }
    io_file *file;
    TRY(io_file_open(self, path, &(io_open_options){.cancel = cancel}, &file, err));
    const firn_status status = read_whole(file, limit_bytes, cancel, memory, out, err);
    io_file_release(file);
    return status;
}

firn_status io_exists(io *self, text path, const cancel_flag *cancel, bool *out, firn_error *err) {
    const io_store *store;
    TRY(find_store(self, path, &store, err));
    return store->exists(self, path, cancel, out, err);
}

firn_status io_list(io *self, text folder, const io_list_options *options, io_visit visit,
                    void *user, firn_error *err) {
    const io_store *store;
    TRY(find_store(self, folder, &store, err));
    if (store->list == NULL) {
        return cannot(store, "list", folder, err);
    }
    return store->list(self, folder, options, visit, user, err);
}

// ---- Writing -----------------------------------------------------------------------------------

static firn_status put_by_writer(io *self, text path, bytes content, bool replace, bool later,
                                 firn_error *err) {
    io_writer *writer;
    TRY(io_writer_open(self, path, replace, &writer, err));
    writer->syncs_later = later;
    firn_status status = io_writer_write(writer, content, err);
    if (status == FIRN_OK) {
        status = io_writer_finish(writer, err);
    }
    io_writer_close(writer);
    return status;
}

static firn_status put(io *self, text path, bytes content, bool replace, bool later,
                       firn_error *err) {
    const io_store *store;
    TRY(find_store(self, path, &store, err));
    return store->put == NULL ? put_by_writer(self, path, content, replace, later, err)
                              : store->put(self, path, content, replace, err);
}

firn_status io_put_if_absent(io *self, text path, bytes content, firn_error *err) {
    return put(self, path, content, false, false, err);
}

firn_status io_put(io *self, text path, bytes content, firn_error *err) {
    return put(self, path, content, true, false, err);
}

firn_status io_put_later(io *self, text path, bytes content, firn_error *err) {
    return put(self, path, content, true, true, err);
}

firn_status io_sync(io *self, const text *paths, size_t count, const cancel_flag *cancel,
                    firn_error *err) {
    for (size_t from = 0, to; from < count; from = to) {
        const io_store *store;
        TRY(find_store(self, paths[from], &store, err));
        for (to = from + 1; to < count; to++) {
            const io_store *next;
            TRY(find_store(self, paths[to], &next, err));
            if (next != store) {
                break;
            }
        }
        TRY(store->sync == NULL ? FIRN_OK
                                : store->sync(self, paths + from, to - from, cancel, err));
    }
    return FIRN_OK;
}

// The store that both lie in.
static firn_status find_common_store(const io *self, text from, text to, const io_store **out,
                                     bool *is_common, firn_error *err) {
    const io_store *other;
    TRY(find_store(self, from, out, err));
    TRY(find_store(self, to, &other, err));
    *is_common = *out == other;
    return FIRN_OK;
}

firn_status io_rename(io *self, text from, text to, firn_error *err) {
    const io_store *store;
    bool is_common;
    TRY(find_common_store(self, from, to, &store, &is_common, err));
    return is_common && store->rename != NULL ? store->rename(self, from, to, err)
                                              : cannot(store, "rename", from, err);
}

firn_status io_link(io *self, text from, text to, firn_error *err) {
    const io_store *store;
    bool is_common;
    TRY(find_common_store(self, from, to, &store, &is_common, err));
    return is_common && store->link != NULL ? store->link(self, from, to, err)
                                            : cannot(store, "link", from, err);
}

firn_status io_remove(io *self, text path, firn_error *err) {
    const io_store *store;
    TRY(find_store(self, path, &store, err));
    if (store->remove == NULL) {
        return cannot(store, "remove", path, err);
    }
    return store->remove(self, path, err);
}

firn_status io_writer_open(io *self, text path, bool replace, io_writer **out, firn_error *err) {
    *out = NULL;
    const io_store *store;
    TRY(find_store(self, path, &store, err));
    if (store->writer_open == NULL) {
        return cannot(store, "write", path, err);
    }
    arena memory = arena_open(OBJECT_LIMIT);
    io_writer *writer = ARENA_NEW(&memory, io_writer, 1);
    text copy;
    firn_status status = FIRN_OK;
    if (writer == NULL) {
        status = ARENA_FULL(&memory, err);
        goto done;
    }
    status = text_copy(&memory, path, &copy, err);
    if (status != FIRN_OK) {
        goto done;
    }
    *writer = (io_writer){.owner = self,
                          .store = store,
                          .memory = memory,
                          .path = copy,
                          .replace = replace,
                          .handle = HOST_FILE_NONE};
    status = store->writer_open(writer, err);
    if (status == FIRN_OK) {
        *out = writer;
        return FIRN_OK;
    }
    memory = writer->memory;
done:
    arena_close(&memory);
    return status;
}

firn_status io_writer_write(io_writer *self, bytes content, firn_error *err) {
    assert(!self->is_finished);
    return self->store->writer_write(self, content, err);
}

void io_writer_sync_later(io_writer *self) {
    self->syncs_later = true;
}

firn_status io_writer_finish(io_writer *self, firn_error *err) {
    assert(!self->is_finished);
    TRY(self->store->writer_finish(self, err));
    self->is_finished = true;
    return FIRN_OK;
}

void io_writer_close(io_writer *self) {
    if (self != NULL) {
        self->store->writer_close(self);
        arena memory = self->memory;
        arena_close(&memory);
    }
}
