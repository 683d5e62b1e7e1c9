// A store whose objects are bytes in memory, below "s3://", for test files: it asks what is known
// of the storage of each path that it is asked for (io_storage.h), and tells that to the test. Put
// it into io_options.store.
//
//     memory_store store;
//     memory_store_begin(&store, tell, user);
//     io_open(&(io_options){.store = memory_store_kind()}, &self, &err);
//     ...
//     memory_store_end(&store);
//
// One at a time: it is a global, as a real storage is.
#ifndef FIRN_IO_MEMORY_STORE_H
#define FIRN_IO_MEMORY_STORE_H

#include "base/test.h"
#include "io/io_path.h"
#include "io/io_storage.h"
#include "io/store.h"
#include "memory/byte_output.h"
#include "memory/text_builder.h"

#define MEMORY_STORE_OBJECT_COUNT_MAX 256

typedef struct memory_object {
    text path; // Size 0: free.
    byte_output content;
    bool is_there; // Its writer has finished.
} memory_object;

/// Called for each request, under the store's lock: "open", "read", "list", "write" or "remove".
typedef void (*memory_store_tell)(void *user, const char *what, text path,
                                  const io_storage_found *known);

typedef struct memory_store {
    mutex lock;
    arena memory;
    memory_store_tell tell;
    void *user;
    memory_object objects[MEMORY_STORE_OBJECT_COUNT_MAX];
} memory_store;

static memory_store *memory_store_in_use;

static inline void memory_store_begin(memory_store *self, memory_store_tell tell, void *user) {
    *self = (memory_store){.memory = arena_open((size_t)64 << 20), .tell = tell, .user = user};
    mutex_begin(&self->lock, MUTEX_LEAF);
    memory_store_in_use = self;
}

static inline void memory_store_end(memory_store *self) {
    memory_store_in_use = NULL;
    mutex_end(&self->lock);
    arena_close(&self->memory);
}

static inline bool memory_store_takes(text path) {
    return memory_store_in_use != NULL && text_equal(io_path_scheme(path), TEXT("s3"));
}

// What a store of the network would do before it signs a request.
static inline void memory_store_ask(io *owner, const char *what, text path) {
    memory_store *self = memory_store_in_use;
    arena memory = arena_open((size_t)1 << 20);
    firn_error err = FIRN_ERROR_INIT;
    io_storage_found known;
    CHECK(io_storage_find(owner, path, &memory, &known, &err) == FIRN_OK);
    mutex_lock(&self->lock);
    self->tell(self->user, what, path, &known);
    mutex_unlock(&self->lock);
    arena_close(&memory);
}

static inline memory_object *memory_store_object(text path, bool is_there) {
    memory_store *self = memory_store_in_use;
    memory_object *out = NULL;
    mutex_lock(&self->lock);
    for (size_t i = 0; i < MEMORY_STORE_OBJECT_COUNT_MAX && out == NULL; i++) {
        memory_object *each = &self->objects[i];
        out = each->path.size > 0 && each->is_there == is_there && text_equal(each->path, path)
                  ? each
                  : NULL;
    }
    mutex_unlock(&self->lock);
    return out;
}

static inline memory_object *memory_store_new(text path, firn_error *err) {
    memory_store *self = memory_store_in_use;
    memory_object *out = NULL;
    mutex_lock(&self->lock);
    for (size_t i = 0; i < MEMORY_STORE_OBJECT_COUNT_MAX && out == NULL; i++) {
        out = self->objects[i].path.size == 0 ? &self->objects[i] : NULL;
    }
    if (out != NULL && text_copy(&self->memory, path, &out->path, err) == FIRN_OK) {
        out->content = (byte_output){.memory = &self->memory};
    }
    mutex_unlock(&self->lock);
    return out;
}

static inline firn_status memory_store_add(memory_object *object, bytes content, firn_error *err) {
    memory_store *self = memory_store_in_use;
    mutex_lock(&self->lock);
    const bool is_added = object != NULL && byte_output_put(&object->content, content);
    mutex_unlock(&self->lock);
    return is_added ? FIRN_OK : FAIL(err, FIRN_IO, "the store is full");
}

// ---- Reading -----------------------------------------------------------------------------------

static inline bytes memory_store_content(const io_file *file) {
    const memory_object *object = memory_store_object(file->path, true);
    return object == NULL ? (bytes){.size = 0} : byte_output_bytes(&object->content);
}

static inline firn_status memory_store_open(io_file *file, const io_open_options *options,
                                            firn_error *err) {
    (void)options;
    memory_store_ask(file->owner, "open", file->path);
    if (memory_store_object(file->path, true) == NULL) {
        return FAIL(err, FIRN_NOT_FOUND, "\"%.*s\" is not there", TEXT_ARGS(file->path));
    }
    file->identity = (io_identity){.size = memory_store_content(file).size, .version = "1"};
    return FIRN_OK;
}

static inline void memory_store_close(io_file *file) {
    (void)file;
}

static inline firn_status memory_store_check(io_file *file, const cancel_flag *cancel,
                                             firn_error *err) {
    (void)file;
    return cancel_check(cancel, err);
}

static inline bool memory_store_is_current(io_file *file) {
    return memory_store_object(file->path, true) != NULL;
}

static inline firn_status memory_store_size(io_file *file, const cancel_flag *cancel, uint64_t *out,
                                            firn_error *err) {
    *out = file->identity.size;
    return cancel_check(cancel, err);
}

static inline firn_status memory_store_submit(io_ticket *ticket, firn_error *err) {
    (void)err;
    memory_store_ask(ticket->file->owner, "read", ticket->file->path);
    return FIRN_OK;
}

static inline firn_status memory_store_wait(io_ticket *ticket, uint32_t index, firn_error *err) {
    const bytes content = memory_store_content(ticket->file);
    for (uint32_t i = 0; i < ticket->count; i++) {
        io_range *range = &ticket->ranges[i];
        if (index != IO_ALL && index != i) {
            continue;
        }
        size_t size = range->size;
        size_t from = (size_t)range->offset;
        if (range->offset == IO_FROM_END) {
            size = size < content.size ? size : content.size;
            from = content.size - size;
        } else if (from > content.size || size > content.size - from) {
            return FAIL(err, FIRN_CORRUPT, "\"%.*s\" is shorter", TEXT_ARGS(ticket->file->path));
        }
        if (size > 0) {
            memcpy(range->into, content.data + from, size);
        }
        range->filled = size;
        range->left = 0;
    }
    return FIRN_OK;
}

static inline firn_status memory_store_collect(io_ticket *ticket, uint32_t index, io_answer *out,
                                               firn_error *err) {
    *out = IO_READY;
    return memory_store_wait(ticket, index, err);
}

static inline void memory_store_withdraw(io_ticket *ticket) {
    (void)ticket;
}

// ---- Whole objects, lists ----------------------------------------------------------------------

static inline firn_status memory_store_exists(io *owner, text path, const cancel_flag *cancel,
                                              bool *out, firn_error *err) {
    memory_store_ask(owner, "open", path);
    *out = memory_store_object(path, true) != NULL;
    return cancel_check(cancel, err);
}

static inline firn_status memory_store_list(io *owner, text folder, const io_list_options *options,
                                            io_visit visit, void *user, firn_error *err) {
    memory_store_ask(owner, "list", folder);
    for (size_t i = 0; i < MEMORY_STORE_OBJECT_COUNT_MAX; i++) {
        const memory_object *each = &memory_store_in_use->objects[i];
        if (each->is_there && text_starts_with(each->path, folder)) {
            const io_entry entry = {.path = each->path, .size = each->content.size};
            TRY(visit(user, &entry, err));
        }
    }
    return cancel_check(options->cancel, err);
}

static inline firn_status memory_store_remove(io *owner, text path, firn_error *err) {
    memory_store_ask(owner, "remove", path);
    memory_object *object = memory_store_object(path, true);
    if (object == NULL) {
        return FAIL(err, FIRN_NOT_FOUND, "\"%.*s\" is not there", TEXT_ARGS(path));
    }
    *object = (memory_object){.is_there = false};
    return FIRN_OK;
}

// ---- Writing -----------------------------------------------------------------------------------

static inline firn_status memory_store_finish(text path, bool replace, firn_error *err) {
    memory_object *old = memory_store_object(path, true);
    if (old != NULL && !replace) {
        return FAIL(err, FIRN_CONFLICT, "\"%.*s\" is there", TEXT_ARGS(path));
    }
    if (old != NULL) {
        *old = (memory_object){.is_there = false};
    }
    memory_store_object(path, false)->is_there = true;
    return FIRN_OK;
}

static inline firn_status memory_store_put(io *owner, text path, bytes content, bool replace,
                                           firn_error *err) {
    memory_store_ask(owner, "write", path);
    TRY(memory_store_add(memory_store_new(path, err), content, err));
    return memory_store_finish(path, replace, err);
}

static inline firn_status memory_store_writer_open(io_writer *writer, firn_error *err) {
    memory_store_ask(writer->owner, "write", writer->path);
    return memory_store_new(writer->path, err) != NULL ? FIRN_OK
                                                       : FAIL(err, FIRN_IO, "the store is full");
}

static inline firn_status memory_store_writer_write(io_writer *writer, bytes content,
                                                    firn_error *err) {
    return memory_store_add(memory_store_object(writer->path, false), content, err);
}

static inline firn_status memory_store_writer_finish(io_writer *writer, firn_error *err) {
    return memory_store_finish(writer->path, writer->replace, err);
}

static inline void memory_store_writer_close(io_writer *writer) {
    memory_object *object = memory_store_object(writer->path, false);
    if (object != NULL) {
        *object = (memory_object){.is_there = false};
    }
}

static inline const io_store *memory_store_kind(void) {
    static const io_store kind = {
        .name = "memory",
        .takes = memory_store_takes,
        .open = memory_store_open,
        .close = memory_store_close,
        .check = memory_store_check,
        .is_current = memory_store_is_current,
        .size = memory_store_size,
        .submit = memory_store_submit,
        .collect = memory_store_collect,
        .wait = memory_store_wait,
        .withdraw = memory_store_withdraw,
        .exists = memory_store_exists,
        .list = memory_store_list,
        .remove = memory_store_remove,
        .put = memory_store_put,
        .writer_open = memory_store_writer_open,
        .writer_write = memory_store_writer_write,
        .writer_finish = memory_store_writer_finish,
        .writer_close = memory_store_writer_close,
    };
    return &kind;
}

#endif
