// The files of a scan by ordinal: a list in the query's memory, and an index by path.
#include "base/host.h"
#include "base/mutex.h"
#include "memory/arena_grow.h"
#include "memory/name_index.h"
#include "memory/pool.h"
#include "memory/text_builder.h"
#include "tables/row_change.h"

#define MEMORY_MAX ((size_t)1 << 40) // The pool is what limits it.

typedef struct row_file {
    text path;
    bytes data;
} row_file;

struct row_files {
    mutex lock;
    arena memory GUARDED_BY(&lock);
    uint32_t count, capacity;
    row_file *items;
    name_index paths; // Numbers are ordinals.
    bool drops_covered;
};

firn_status row_files_open(struct pool *pool, row_files **out, firn_error *err) {
    row_files *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    *self = (row_files){.memory = pool == NULL ? arena_open(MEMORY_MAX)
                                               : arena_open_in(pool, MEMORY_MAX)};
    mutex_begin(&self->lock, MUTEX_CACHE);
    *out = self;
    return FIRN_OK;
}

void row_files_close(row_files *self) {
    if (self != NULL) {
        mutex_end(&self->lock);
        arena_close(&self->memory);
        host_free(self);
    }
}

// The ordinal of a path; NO_NAME if it is new.
static uint32_t find(const row_files *self, text path) {
    uint32_t found = name_index_first(&self->paths, path);
    while (found != NO_NAME && !text_equal(self->items[found].path, path)) {
        found = name_index_next(&self->paths, found);
    }
    return found;
}

// Its number becomes an ordinal with the last step, which adds it to the index.
static firn_status add(row_files *self, text path, uint64_t row_count, bytes data, firn_error *err)
    REQUIRES(&self->lock) {
    TRY(row_id_check_file(self->count, row_count, err));
    row_file *items =
        ARENA_GROW(&self->memory, row_file, self->items, self->count, 1, &self->capacity);
    if (items == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    self->items = items;
    row_file *made = &items[self->count];
    TRY(text_copy(&self->memory, path, &made->path, err));
    TRY(bytes_copy(&self->memory, data, &made->data, err));
    TRY(name_index_add(&self->paths, made->path, &self->memory, err));
    self->count++;
    return FIRN_OK;
}

firn_status row_files_add(row_files *self, text path, uint64_t row_count, bytes data,
                          uint32_t *ordinal, firn_error *err) {
    mutex_lock(&self->lock);
    *ordinal = find(self, path);
    firn_status status = FIRN_OK;
    if (*ordinal == NO_NAME) {
        *ordinal = self->count;
        status = add(self, path, row_count, data, err);
    }
    mutex_unlock(&self->lock);
    return status;
}

uint32_t row_files_count(row_files *self) {
    mutex_lock(&self->lock);
    const uint32_t count = self->count;
    mutex_unlock(&self->lock);
    return count;
}

void row_files_drop_covered(row_files *self) {
    mutex_lock(&self->lock);
    self->drops_covered = true;
    mutex_unlock(&self->lock);
}

bool row_files_drops_covered(row_files *self) {
    mutex_lock(&self->lock);
    const bool drops = self->drops_covered;
    mutex_unlock(&self->lock);
    return drops;
}

// The list may move while files come, what it says of each stays where it is.
static row_file at(row_files *self, uint32_t ordinal) {
    mutex_lock(&self->lock);
    assert(ordinal < self->count);
    const row_file file = self->items[ordinal];
    mutex_unlock(&self->lock);
    return file;
}

text row_files_path(row_files *self, uint32_t ordinal) {
    return at(self, ordinal).path;
}

bytes row_files_data(row_files *self, uint32_t ordinal) {
    return at(self, ordinal).data;
}
