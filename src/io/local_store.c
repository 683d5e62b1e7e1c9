// Files of this machine. Reading is pread into the reader's memory at the moment the reader asks:
// no read is ever "on its way", and the bytes are in the cache when the decoder begins.
//
// A new object is written beside its place under a name nobody lists (".<name>.<chance>.tmp") and
// gets its name when it is complete and on the disk: by rename, or by link when nothing may be
// replaced, because link fails if the name is taken, whoever took it. One that is synced later has
// its name before it is on the disk: nobody is told of it before io_sync.
#include <assert.h>
#include <stdlib.h>

#include "io/io_path.h"
#include "io/store.h"
#include "memory/text_builder.h"

#define DEPTH_MAX 64
#define CREATE_TRIES 4
#define LATER_BYTES_MAX ((uint64_t)1 << 20) // Of a file that is left to local_sync.
// Names of one folder while it is listed; about a million.
#define LIST_MEMORY_LIMIT ((size_t)256 << 20)

static io_identity identity_of(const host_stat *stat) {
    return (io_identity){.size = stat->size,
                         .inode = stat->inode,
                         .mtime_ns = stat->mtime_ns,
                         .ctime_ns = stat->ctime_ns};
}

// ---- Reading -----------------------------------------------------------------------------------

static firn_status local_open(io_file *file, const io_open_options *options, firn_error *err) {
    (void)options;
    char path[IO_LOCAL_PATH_MAX];
    TRY(io_path_local(file->path, path, err));
    TRY(host_open(path, HOST_MODE_READ, &file->handle, err));
    host_stat stat;
    firn_status status = host_file_stat(file->handle, &stat, err);
    if (status == FIRN_OK && stat.is_folder) {
        status = FAIL(err, FIRN_INVALID, "\"%s\" is a folder, a file is needed", path);
    }
    if (status != FIRN_OK) {
        host_close(&file->handle);
        return status;
    }
    file->identity = identity_of(&stat);
    return FIRN_OK;
}

static void local_close(io_file *file) {
    host_close(&file->handle);
}

// Whether the content behind the open handle is the one that was opened. The inode is the same by
// nature. The ctime also changes when the file gets another name, which is how commits make files
// appear, and is left out.
static firn_status local_check(io_file *file, const cancel_flag *cancel, firn_error *err) {
    (void)cancel;
    host_stat stat;
    TRY(host_file_stat(file->handle, &stat, err));
    if (stat.size != file->identity.size || stat.mtime_ns != file->identity.mtime_ns) {
        return io_file_changed(file, err);
    }
    return FIRN_OK;
}

static bool local_is_current(io_file *file) {
    char path[IO_LOCAL_PATH_MAX];
    firn_error ignored = ERR_INIT;
    host_stat stat;
    return io_path_local(file->path, path, &ignored) == FIRN_OK &&
           host_path_stat(path, &stat, &ignored) == FIRN_OK && stat.inode == file->identity.inode &&
           stat.size == file->identity.size && stat.mtime_ns == file->identity.mtime_ns;
}

static firn_status local_size(io_file *file, const cancel_flag *cancel, uint64_t *out,
                              firn_error *err) {
    (void)cancel;
    (void)err;
    *out = file->identity.size;
    return FIRN_OK;
}

static firn_status local_submit(io_ticket *ticket, firn_error *err) {
    (void)ticket;
    (void)err;
    return FIRN_OK;
}

static firn_status read_range(io_file *file, io_range *range, firn_error *err) {
    const uint64_t file_size = file->identity.size;
    uint64_t offset = range->offset;
    size_t size = range->size;
    if (offset == IO_FROM_END) {
        size = size < file_size ? size : (size_t)file_size;
        offset = file_size - size;
    } else if (offset + size > file_size) { // The sum was checked by io_submit.
        return FAIL(err, FIRN_CORRUPT, "%zu bytes at %llu wanted of \"%.*s\", which ends at %llu",
                    size, (unsigned long long)offset, TEXT_ARGS(file->path),
                    (unsigned long long)file_size);
    }
    if (size > 0) {
        const firn_status status = host_read(file->handle, offset, size, range->into, err);
        // That it changed explains a short read, so it is said first.
        firn_error changed = ERR_INIT;
        if (local_check(file, NULL, &changed) != FIRN_OK) {
            *err = changed;
            return changed.status;
        }
        TRY(status);
    }
    range->filled = size;
    range->left = 0;
    return FIRN_OK;
}

static firn_status local_wait(io_ticket *ticket, uint32_t index, firn_error *err) {
    const uint32_t begin = index == IO_ALL ? 0 : index;
    const uint32_t end = index == IO_ALL ? ticket->count : index + 1;
    for (uint32_t i = begin; i < end; i++) {
        if (ticket->ranges[i].left != 0) {
            TRY(cancel_check(ticket->request.cancel, err));
            TRY(read_range(ticket->file, &ticket->ranges[i], err));
        }
    }
    return FIRN_OK;
}

static firn_status local_collect(io_ticket *ticket, uint32_t index, io_answer *out,
                                 firn_error *err) {
    TRY(local_wait(ticket, index, err));
    *out = IO_READY;
    return FIRN_OK;
}

static void local_withdraw(io_ticket *ticket) {
    (void)ticket;
}

static firn_status local_exists(io *owner, text path, const cancel_flag *cancel, bool *out,
                                firn_error *err) {
    (void)owner;
    (void)cancel;
    char local[IO_LOCAL_PATH_MAX];
    TRY(io_path_local(path, local, err));
    host_stat stat;
    const firn_status status = host_path_stat(local, &stat, err);
    *out = status == FIRN_OK && !stat.is_folder;
    return err_forgive(err, status, FIRN_NOT_FOUND);
}

// ---- Listing -----------------------------------------------------------------------------------

typedef struct folder_item {
    text name;
    bool is_folder;
} folder_item;

typedef struct folder_items {
    arena *memory;
    folder_item *items;
    size_t count;
    size_t capacity;
    const cancel_flag *cancel;
} folder_items;

static firn_status keep_item(void *user, const char *name, bool is_folder, firn_error *err) {
    folder_items *self = user;
    if (self->count == self->capacity) {
        TRY(cancel_check(self->cancel, err));
        const size_t capacity = self->capacity == 0 ? 64 : self->capacity * 2;
        folder_item *items = ARENA_NEW(self->memory, folder_item, capacity);
        if (items == NULL) {
            return ARENA_FULL(self->memory, err);
        }
        if (self->count > 0) {
            memcpy(items, self->items, self->count * sizeof *items);
        }
        self->items = items;
        self->capacity = capacity;
    }
    folder_item *item = &self->items[self->count];
    TRY(text_copy(self->memory, text_of(name), &item->name, err));
    item->is_folder = is_folder;
    self->count += 1;
    return FIRN_OK;
}

static int compare_items(const void *left, const void *right) {
    return text_compare(((const folder_item *)left)->name, ((const folder_item *)right)->name);
}

typedef struct lister {
    const io_list_options *options;
    io_visit visit;
    void *user;
    size_t root_size; // Bytes of the listed folder and its '/' in front of every entry's name.
    uint32_t depth;
} lister;

static firn_status list_folder(lister *self, text folder, firn_error *err);

static firn_status visit_item(lister *self, text folder, const folder_item *item, arena *memory,
                              firn_error *err) {
    text path;
    const bool has_slash = text_ends_with(folder, TEXT("/"));
    TRY(text_format(memory, &path, err, "%.*s%s%.*s", TEXT_ARGS(folder), has_slash ? "" : "/",
                    TEXT_ARGS(item->name)));
    if (item->is_folder && self->options->is_deep) {
        return list_folder(self, path, err);
    }
    io_entry entry = {.path = path,
                      .name = text_slice(path, self->root_size, path.size),
                      .is_folder = item->is_folder};
    char local[IO_LOCAL_PATH_MAX];
    if (item->is_folder && self->options->tells_links) {
        TRY(io_path_local(path, local, err));
        entry.is_link = host_path_is_link(local);
    } else if (!item->is_folder && !self->options->no_detail) {
        TRY(io_path_local(path, local, err));
        host_stat stat;
        const firn_status status = host_path_stat(local, &stat, err);
        if (status == FIRN_NOT_FOUND) { // Removed since its folder was read, or a link to nowhere.
            return err_forgive(err, status, FIRN_NOT_FOUND);
        }
        TRY(status);
        entry.size = stat.size;
        entry.mtime_ns = stat.mtime_ns;
    }
    return self->visit(self->user, &entry, err);
}

static firn_status list_folder(lister *self, text folder, firn_error *err) {
    if (self->depth == DEPTH_MAX) {
        return FAIL(err, FIRN_INVALID,
                    "\"%.*s\" is %d folders deep, more are not listed (a loop of links?)",
                    TEXT_ARGS(folder), DEPTH_MAX);
    }
    char local[IO_LOCAL_PATH_MAX];
    TRY(io_path_local(folder, local, err));
    arena memory = arena_open(LIST_MEMORY_LIMIT);
    folder_items items = {.memory = &memory, .cancel = self->options->cancel};
    firn_status status = host_list(local, keep_item, &items, err);
    if (status == FIRN_OK && items.count > 0) {
        qsort(items.items, items.count, sizeof *items.items, compare_items);
    }
    self->depth += 1;
    for (size_t i = 0; i < items.count && status == FIRN_OK; i++) {
        status = cancel_check(self->options->cancel, err);
        if (status == FIRN_OK) {
            status = visit_item(self, folder, &items.items[i], &memory, err);
        }
    }
    self->depth -= 1;
    arena_close(&memory);
    return status;
}

static firn_status local_list(io *owner, text folder, const io_list_options *options,
                              io_visit visit, void *user, firn_error *err) {
    (void)owner;
    lister self = {.options = options, .visit = visit, .user = user};
    self.root_size = folder.size + (text_ends_with(folder, TEXT("/")) ? 0 : 1);
    return list_folder(&self, folder, err);
}

// ---- Writing -----------------------------------------------------------------------------------

typedef firn_status naming(const char *from, const char *to, firn_error *err);

static firn_status local_name(naming *with, text from, text to, firn_error *err) {
    char local_from[IO_LOCAL_PATH_MAX];
    char local_to[IO_LOCAL_PATH_MAX];
    TRY(io_path_local(from, local_from, err));
    TRY(io_path_local(to, local_to, err));
    TRY(with(local_from, local_to, err));
    return host_sync_folder_of(local_to, err);
}

static firn_status local_rename(io *owner, text from, text to, firn_error *err) {
    (void)owner;
    return local_name(host_rename, from, to, err);
}

static firn_status local_link(io *owner, text from, text to, firn_error *err) {
    (void)owner;
    return local_name(host_link, from, to, err);
}

static firn_status local_remove(io *owner, text path, firn_error *err) {
    (void)owner;
    char local[IO_LOCAL_PATH_MAX];
    TRY(io_path_local(path, local, err));
    return host_remove(local, err);
}

// In a folder that is made if need be. Who gives up a table that it was making takes empty folders
// of it away, perhaps between the two calls.
static firn_status create_in(const char *folder, const char *path, host_file *out,
                             firn_error *err) {
    firn_status status = FIRN_NOT_FOUND;
    for (int tries = 0; tries < CREATE_TRIES && status == FIRN_NOT_FOUND; tries++) {
        *err = tries == 0 ? *err : ERR_INIT;
        TRY(host_make_folder(folder, err));
        status = host_open(path, HOST_MODE_CREATE_NEW, out, err);
    }
    return status;
}

static firn_status local_writer_open(io_writer *writer, firn_error *err) {
    char local[IO_LOCAL_PATH_MAX];
    TRY(io_path_local(writer->path, local, err));
    const text folder = io_path_folder(text_of(local));
    text folder_path;
    TRY(text_copy(&writer->memory, folder, &folder_path, err));
    uint64_t chance;
    TRY(host_random(&chance, sizeof chance, err));
    TRY(text_format(&writer->memory, &writer->temporary, err, "%.*s/.%.*s.%016llx.tmp",
                    TEXT_ARGS(folder), TEXT_ARGS(io_path_name(text_of(local))),
                    (unsigned long long)chance));
    return create_in(folder_path.data, writer->temporary.data, &writer->handle, err);
}

static firn_status local_writer_write(io_writer *writer, bytes content, firn_error *err) {
    if (content.size > 0) {
        TRY(host_write(writer->handle, writer->size, content, err));
        writer->size += content.size;
    }
    return FIRN_OK;
}

static firn_status local_writer_finish(io_writer *writer, firn_error *err) {
    char local[IO_LOCAL_PATH_MAX];
    TRY(io_path_local(writer->path, local, err));
    if (writer->syncs_later && writer->size <= LATER_BYTES_MAX) {
        host_write_behind(writer->handle, 0, 0);
    } else { // Else all of a statement's would be written out at its end, by one thread.
        TRY(host_sync(writer->handle, err));
    }
    host_close(&writer->handle);
    if (writer->replace) {
        TRY(host_rename(writer->temporary.data, local, err));
        writer->temporary.size = 0;
    } else { // local_writer_close removes the other name.
        TRY(host_link(writer->temporary.data, local, err));
    }
    return writer->syncs_later ? FIRN_OK : host_sync_folder_of(local, err);
}

static void local_writer_close(io_writer *writer) {
    host_close(&writer->handle);
    if (writer->temporary.size > 0) {
        // What cannot be removed is an orphan, which listing and clean-up know by its name.
        firn_error ignored = ERR_INIT;
        (void)(host_remove(writer->temporary.data, &ignored) == FIRN_OK);
    }
}

// ---- Syncing -----------------------------------------------------------------------------------

// One that was removed meanwhile is nobody's.
static firn_status sync_file(text path, firn_error *err) {
    char local[IO_LOCAL_PATH_MAX];
    host_file file;
    TRY(io_path_local(path, local, err));
    firn_status status = host_open(local, HOST_MODE_READ, &file, err);
    if (status != FIRN_OK) {
        return err_forgive(err, status, FIRN_NOT_FOUND);
    }
    status = host_sync(file, err);
    host_close(&file);
    return status;
}

static int compare_folders(const void *left, const void *right) {
    return text_compare(io_path_folder(*(const text *)left), io_path_folder(*(const text *)right));
}

// Their data are on the way: the first file waits for most of it, and for the file system to note
// the names of all.
static firn_status local_sync(io *owner, const text *paths, size_t count, const cancel_flag *cancel,
                              firn_error *err) {
    (void)owner;
    for (size_t i = 0; i < count; i++) {
        TRY(cancel_check(cancel, err));
        TRY(sync_file(paths[i], err));
    }
    arena memory = arena_open(LIST_MEMORY_LIMIT);
    text *sorted = ARENA_NEW(&memory, text, count + 1);
    firn_status status = sorted == NULL ? ARENA_FULL(&memory, err) : FIRN_OK;
    if (status == FIRN_OK && count > 0) {
        memcpy(sorted, paths, count * sizeof *paths);
        qsort(sorted, count, sizeof *sorted, compare_folders);
    }
    for (size_t i = 0; i < count && status == FIRN_OK; i++) {
        char local[IO_LOCAL_PATH_MAX];
        if (i > 0 && compare_folders(&sorted[i - 1], &sorted[i]) == 0) {
            continue;
        }
        status = io_path_local(sorted[i], local, err);
        status = status == FIRN_OK ? host_sync_folder_of(local, err) : status;
    }
    arena_close(&memory);
    return status;
}

const io_store io_store_local = {
    .name = "local",
    .takes = io_path_is_local,
    .open = local_open,
    .close = local_close,
    .check = local_check,
    .is_current = local_is_current,
    .size = local_size,
    .submit = local_submit,
    .collect = local_collect,
    .wait = local_wait,
    .withdraw = local_withdraw,
    .is_remote = false,
    .exists = local_exists,
    .list = local_list,
    .rename = local_rename,
    .link = local_link,
    .remove = local_remove,
    .sync = local_sync,
    .writer_open = local_writer_open,
    .writer_write = local_writer_write,
    .writer_finish = local_writer_finish,
    .writer_close = local_writer_close,
};
