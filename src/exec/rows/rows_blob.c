// Heap bytes of rows that do not fit into a page. A blob is a block of the keeper's while it can be
// had, else pieces in the spill file, of which each use reads into scratch memory what it needs.
// Blobs are named by number, so rows that name them can be moved and written out; they go with the
// store.
#include <assert.h>

#include "exec/rows/rows_private.h"

#define LEFT_SHARE 4
#define PIECE_BYTES ((uint32_t)SPILL_PACK_BYTES_MAX)
#define BLOBS_MIN 64

struct row_blob {
    uint8_t *block; // NULL: in the file.
    size_t capacity;
    uint32_t size;
    spill_list pieces;
};

firn_status row_keeper_open(pool *query, const char *name, uint64_t min_bytes, uint64_t page_bytes,
                            pool **out, firn_error *err) {
    const pool_options options = {.kind = POOL_STATE,
                                  .name = name,
                                  .min_bytes = min_bytes,
                                  .page_size = page_size_fit(page_size_of(query), page_bytes)};
    return pool_open(query, &options, out, err);
}

firn_status row_store_open(const row_layout *layout, pool *keeper, spill *spill, row_store *out,
                           firn_error *err) {
    const size_t page_size = page_size_of(keeper);
    if (row_page_bytes(layout) > page_size) {
        return FAIL_SQL(err, FIRN_UNSUPPORTED, "54000", NO_POSITION,
                        "a row that must be kept takes %u bytes without its texts and lists, and "
                        "no more than %zu fit into a page",
                        layout->size, PAGE_BYTES_WIDEST - ROW_PAGE_HEADER);
    }
    *out = (row_store){.layout = layout, .keeper = keeper, .spill = spill, .page_size = page_size};
    mutex_begin(&out->lock, MUTEX_OPERATOR);
    return FIRN_OK;
}

NO_LOCK_CHECK void row_store_close(row_store *self) {
    if (self->layout == NULL) {
        return;
    }
    for (uint32_t i = 0; i < self->blob_count; i++) {
        row_blob *blob = &self->blobs[i];
        pool_block_give(self->keeper, blob->block, blob->capacity);
        for (size_t k = 0; k < blob->pieces.count; k++) {
            spill_free(self->spill, blob->pieces.slots[k]);
        }
        spill_list_close(&blob->pieces);
    }
    pool_block_give(self->keeper, self->blobs, self->blob_capacity);
    mutex_end(&self->lock);
    *self = (row_store){0};
}

static firn_status add_blob(row_store *self, row_blob blob, uint32_t *number, firn_error *err)
    REQUIRES(&self->lock) {
    if (self->blob_count == self->blob_room) {
        if (self->blob_room > UINT32_MAX / 2) {
            return FAIL(err, FIRN_NO_MEMORY, "more than %u rows are longer than a page",
                        self->blob_room);
        }
        const uint32_t room = self->blob_room == 0 ? BLOBS_MIN : self->blob_room * 2;
        const size_t wanted = room * sizeof blob;
        size_t capacity;
        row_blob *grown = pool_block_take_urgent(self->keeper, wanted, &capacity);
        if (grown == NULL) {
            return POOL_FULL(self->keeper, wanted, err);
        }
        if (self->blob_count > 0) {
            memcpy(grown, self->blobs, self->blob_count * sizeof blob);
        }
        pool_block_give(self->keeper, self->blobs, self->blob_capacity);
        self->blobs = grown;
        self->blob_room = room;
        self->blob_capacity = capacity;
    }
    *number = self->blob_count;
    self->blobs[self->blob_count++] = blob;
    return FIRN_OK;
}

firn_status row_blob_new(row_store *self, uint32_t size, uint32_t *number, uint8_t **memory,
                         firn_error *err) {
    row_blob blob = {.size = size, .pieces = {.owner = self->keeper}};
    // Half of what the keeper may have is left to pages, which cannot do without; and a part of
    // what it could have to others, since blobs go out only when all rows are there. Caches give
    // way.
    const uint64_t wanted = pool_used(self->keeper) + size;
    const uint64_t room = pool_room(self->keeper);
    if (wanted <= pool_target(self->keeper) / 2 && wanted <= room - room / LEFT_SHARE) {
        blob.block = pool_block_take(self->keeper, size, &blob.capacity);
    }
    *memory = blob.block;
    mutex_lock(&self->lock);
    const firn_status status = add_blob(self, blob, number, err);
    mutex_unlock(&self->lock);
    if (status != FIRN_OK) {
        pool_block_give(self->keeper, blob.block, blob.capacity);
    }
    return status;
}

static row_blob blob_of(const row_store *self, uint32_t number) {
    row_store *store = (row_store *)(uintptr_t)self; // Only the lock is changed.
    mutex_lock(&store->lock);
    assert(number < store->blob_count);
    const row_blob blob = store->blobs[number];
    mutex_unlock(&store->lock);
    return blob;
}

bool row_blob_is_in_memory(const row_store *self, uint32_t number) {
    return blob_of(self, number).block != NULL;
}

static void put_blob(row_store *self, uint32_t number, row_blob blob) {
    mutex_lock(&self->lock);
    self->blobs[number] = blob;
    mutex_unlock(&self->lock);
}

firn_status row_blob_write(row_store *self, uint32_t number, bytes content, firn_error *err) {
    row_blob blob = blob_of(self, number);
    assert(content.size == blob.size);
    spill_desk desk = spill_desk_open(self->keeper);
    firn_status status = FIRN_OK;
    for (size_t at = 0; at < content.size && status == FIRN_OK; at += PIECE_BYTES) {
        const size_t left = content.size - at;
        const bytes piece = {.data = content.data + at,
                             .size = left < PIECE_BYTES ? left : PIECE_BYTES};
        spill_slot slot;
        status = spill_write(self->spill, &desk, piece, &slot, err);
        if (status == FIRN_OK) {
            atomic_fetch_add_explicit(&self->spilled_bytes, slot.size, memory_order_relaxed);
            status = spill_list_push(&blob.pieces, slot, err);
        }
    }
    spill_desk_close(&desk);
    put_blob(self, number, blob); // Also what was written before a fault is freed with the store.
    return status;
}

// A part of one piece. One that is packed is unpacked as a whole.
static firn_status read_piece(const row_store *self, spill_slot slot, row_slice part,
                              arena *scratch, uint8_t *out, firn_error *err) {
    if (!slot.is_packed) {
        return spill_read_part(self->spill, slot, part.offset, part.size, out, err);
    }
    uint8_t *whole = ARENA_NEW(scratch, uint8_t, PIECE_BYTES);
    if (whole == NULL) {
        return ARENA_FULL(scratch, err);
    }
    size_t size = 0;
    spill_desk desk = spill_desk_open(self->keeper);
    const firn_status status = spill_read(self->spill, &desk, slot, whole, PIECE_BYTES, &size, err);
    spill_desk_close(&desk);
    if (status == FIRN_OK && (size_t)part.offset + part.size > size) {
        return FAIL(err, FIRN_CORRUPT, "a piece of a long row came back from the spill file as %zu",
                    size);
    }
    memcpy(out, whole + part.offset, status == FIRN_OK ? part.size : 0);
    return status;
}

static firn_status read_blob(const row_store *self, const row_blob *blob, row_slice part,
                             arena *scratch, uint8_t *out, firn_error *err) {
    for (uint32_t at = 0; at < part.size;) {
        const uint32_t from = part.offset + at;
        const uint32_t within = from % PIECE_BYTES;
        const uint32_t left = part.size - at;
        const uint32_t size = left < PIECE_BYTES - within ? left : PIECE_BYTES - within;
        if (from / PIECE_BYTES >= blob->pieces.count) {
            return FAIL(err, FIRN_CORRUPT,
                        "a long row of %u bytes ends in the spill file before %u", blob->size,
                        from);
        }
        const arena_mark mark = arena_mark_take(scratch);
        TRY(read_piece(self, blob->pieces.slots[from / PIECE_BYTES],
                       (row_slice){.offset = within, .size = size}, scratch, out + at, err));
        arena_rewind(scratch, mark);
        at += size;
    }
    return FIRN_OK;
}

firn_status row_heap_read(const row_store *self, const uint8_t *row, row_slice part, arena *scratch,
                          const uint8_t **out, firn_error *err) {
    *out = row + self->layout->size + part.offset;
    if (self->layout->heap_offset == ROW_NONE) {
        return FIRN_OK;
    }
    const row_heap heap = row_heap_of(self->layout, row);
    if (heap.blob == ROW_NONE) {
        return FIRN_OK;
    }
    const row_blob blob = blob_of(self, heap.blob);
    if (blob.block != NULL) {
        *out = blob.block + part.offset;
        return FIRN_OK;
    }
    uint8_t *copy = ARENA_NEW(scratch, uint8_t, (size_t)part.size + 1);
    if (copy == NULL) {
        return ARENA_FULL(scratch, err);
    }
    *out = copy;
    return read_blob(self, &blob, part, scratch, copy, err);
}

NO_LOCK_CHECK uint32_t rows_readable(const row_store *self, const uint8_t *const *rows,
                                     uint32_t count, uint64_t most) {
    uint64_t bytes = 0;
    // Blobs of rows that are being gathered are there: of none there is nothing to look at.
    for (uint32_t k = 0; self->blob_count > 0 && k < count; k++) {
        const row_heap heap = row_heap_of(self->layout, rows[k]);
        if (heap.blob == ROW_NONE) {
            continue;
        }
        const row_blob blob = blob_of(self, heap.blob);
        bytes += blob.block == NULL ? blob.size : 0;
        if (bytes > most) {
            return k == 0 ? 1 : k;
        }
    }
    return count;
}

NO_LOCK_CHECK firn_status row_store_shrink(row_store *self, firn_error *err) {
    for (uint32_t i = 0; i < self->blob_count && pool_excess(self->keeper) > 0; i++) {
        row_blob blob = self->blobs[i];
        if (blob.block != NULL) {
            TRY(row_blob_write(self, i, (bytes){.data = blob.block, .size = blob.size}, err));
            pool_block_give(self->keeper, blob.block, blob.capacity);
            self->blobs[i].block = NULL;
            self->blobs[i].capacity = 0;
        }
    }
    return FIRN_OK;
}

static bool has_blob(const row_store *self, const uint8_t *row) {
    return self->layout->heap_offset != ROW_NONE && row_heap_of(self->layout, row).blob != ROW_NONE;
}

firn_status row_store_write_blob(row_store *self, const uint8_t *row, firn_error *err) {
    if (!has_blob(self, row)) {
        return FIRN_OK;
    }
    const uint32_t number = row_heap_of(self->layout, row).blob;
    row_blob blob = blob_of(self, number);
    if (blob.block == NULL) {
        return FIRN_OK;
    }
    TRY(row_blob_write(self, number, (bytes){.data = blob.block, .size = blob.size}, err));
    void *block = blob.block;
    const size_t capacity = blob.capacity;
    blob = blob_of(self, number);
    blob.block = NULL;
    blob.capacity = 0;
    put_blob(self, number, blob);
    pool_block_give(self->keeper, block, capacity);
    return FIRN_OK;
}

void row_store_drop_blob(row_store *self, const uint8_t *row) {
    if (!has_blob(self, row)) {
        return;
    }
    const uint32_t number = row_heap_of(self->layout, row).blob;
    row_blob blob = blob_of(self, number);
    put_blob(self, number, (row_blob){.size = blob.size, .pieces = {.owner = self->keeper}});
    pool_block_give(self->keeper, blob.block, blob.capacity);
    for (size_t i = 0; i < blob.pieces.count; i++) {
        spill_free(self->spill, blob.pieces.slots[i]);
    }
    spill_list_close(&blob.pieces);
}
