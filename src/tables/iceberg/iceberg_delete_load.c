// The content of delete files: positions by data file, or keys in a hash table.
#include "base/hash.h"
#include "io/io_path.h"
#include "memory/arena_grow.h"
#include "tables/iceberg/iceberg_delete.h"
#include "tables/iceberg/iceberg_position_list.h"

#define DELETED_BYTES_MAX ((size_t)1 << 36)

typedef struct key_slot {
    uint64_t hash;
    uint32_t batch; // UINT32_MAX: free.
    uint32_t row;
} key_slot;

struct ice_deleted {
    arena memory;
    ice_position_list positions;
    // Equality deletes.
    uint32_t key_count;
    uint32_t batch_count;
    uint32_t batch_capacity;
    batch *batches;
    uint64_t row_count;
    uint64_t slot_count;
    key_slot *slots;
};

void ice_deleted_close(ice_deleted *self) {
    if (self != NULL) {
        arena memory = self->memory;
        arena_close(&memory);
    }
}

struct ice_delete_loader {
    ice_delete_file *file;
    const scan_env *env;
    ice_deleted *made;
    ice_read read;
    ice_data_reader *reader;
    arena memory;
};

// ---- Opening -----------------------------------------------------------------------------------

static const int32_t path_id[] = {ICE_DELETE_PATH_ID};
static const int32_t position_id[] = {ICE_DELETE_POSITION_ID};

// Files without ids are taken by the names that the specification gives.
static const text path_names[] = {{"file_path", 9}};
static const text position_names[] = {{"pos", 3}};
static const ice_mapped position_mapped[] = {
    {.field_id = ICE_DELETE_PATH_ID, .name_count = 1, .names = path_names},
    {.field_id = ICE_DELETE_POSITION_ID, .name_count = 1, .names = position_names}};
static const ice_mapping position_mapping = {.count = 2, .items = position_mapped};

static firn_status describe(ice_delete_loader *self, firn_error *err) {
    self->read = (ice_read){.part = {.part = PARQUET_WHOLE}, .row_count = self->file->row_count};
    if (self->file->content == ICE_EQUALITY_DELETES) {
        self->read.columns = self->file->key->columns;
        self->read.count = self->file->key->count;
        self->read.output_count = self->read.count;
        return FIRN_OK;
    }
    ice_wanted *columns = ARENA_NEW(&self->memory, ice_wanted, 2);
    if (columns == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    columns[0] =
        (ice_wanted){.id = UINT32_MAX, .path_length = 1, .path = path_id, .type = TYPE_OF(VARCHAR)};
    columns[1] = (ice_wanted){
        .id = UINT32_MAX, .path_length = 1, .path = position_id, .type = TYPE_OF(BIGINT)};
    self->read.columns = columns;
    self->read.count = 2;
    self->read.output_count = 2;
    self->read.mapping = &position_mapping;
    return FIRN_OK;
}

static firn_status new_deleted(const scan_env *env, const ice_delete_file *file, ice_deleted **out,
                               firn_error *err) {
    arena memory = arena_open_in(env->pool, DELETED_BYTES_MAX);
    ice_deleted *self = ARENA_NEW(&memory, ice_deleted, 1);
    if (self == NULL) {
        firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    *self = (ice_deleted){.memory = memory};
    *out = self;
    if (file->key != NULL) {
        self->key_count = file->key->count;
        return FIRN_OK;
    }
    return ice_position_list_open(&self->memory, (uint64_t)file->row_count, &self->positions, err);
}

firn_status ice_delete_loader_open(ice_delete_file *file, const scan_env *env,
                                   ice_delete_loader **out, firn_error *err) {
    arena memory = arena_open_in(env->pool, DELETED_BYTES_MAX);
    ice_delete_loader *self = ARENA_NEW(&memory, ice_delete_loader, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (ice_delete_loader){.file = file, .env = env, .memory = memory};
    firn_status status = describe(self, err);
    status = status == FIRN_OK ? new_deleted(env, file, &self->made, err) : status;
    status = status == FIRN_OK
                 ? ice_data_open(file->path, file->format, &self->read, env, &self->reader, err)
                 : status;
    if (status != FIRN_OK) {
        ice_delete_loader_close(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

void ice_delete_loader_close(ice_delete_loader *self) {
    if (self != NULL) {
        ice_data_close(self->reader);
        ice_deleted_close(self->made);
        arena memory = self->memory;
        arena_close(&memory);
    }
}

// ---- Content -----------------------------------------------------------------------------------

ice_positions ice_deleted_positions(const ice_deleted *self, text path) {
    return ice_position_list_find(&self->positions, path);
}

// ---- Keys --------------------------------------------------------------------------------------

static firn_status add_keys(ice_deleted *self, const batch *rows, firn_error *err) {
    batch *batches = ARENA_GROW(&self->memory, batch, self->batches, self->batch_count, 1,
                                &self->batch_capacity);
    if (batches == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    self->batches = batches;
    TRY(batch_copy(&self->memory, rows, &self->batches[self->batch_count], err));
    self->row_count += self->batches[self->batch_count++].row_count;
    return FIRN_OK;
}

uint64_t ice_key_hash(const column *const *keys, uint32_t count, uint32_t row) {
    uint64_t hash = HASH_SECRET_A;
    for (uint32_t i = 0; i < count; i++) {
        hash = hash_combine(hash, column_hash_row(keys[i], row));
    }
    return hash_u64(hash);
}

static bool equal_keys(const ice_deleted *self, const key_slot *slot, const column *const *keys,
                       uint32_t row) {
    const batch *rows = &self->batches[slot->batch];
    for (uint32_t i = 0; i < self->key_count; i++) {
        if (!column_rows_equal(&rows->columns[i], slot->row, keys[i], row)) {
            return false;
        }
    }
    return true;
}

static key_slot *key_slot_of(const ice_deleted *self, uint64_t hash, const column *const *keys,
                             uint32_t row) {
    uint64_t at = hash & (self->slot_count - 1);
    while (self->slots[at].batch != UINT32_MAX &&
           (self->slots[at].hash != hash || !equal_keys(self, &self->slots[at], keys, row))) {
        at = (at + 1) & (self->slot_count - 1);
    }
    return &self->slots[at];
}

bool ice_deleted_has_key(const ice_deleted *self, uint64_t hash, const column *const *keys,
                         uint32_t row) {
    return self->row_count > 0 && key_slot_of(self, hash, keys, row)->batch != UINT32_MAX;
}

static firn_status finish_keys(ice_deleted *self, firn_error *err) {
    self->slot_count = 16;
    while (self->slot_count < self->row_count * 2) {
        self->slot_count *= 2;
    }
    self->slots = ARENA_NEW(&self->memory, key_slot, self->slot_count);
    const column **keys = ARENA_NEW(&self->memory, const column *, (size_t)self->key_count + 1);
    if (self->slots == NULL || keys == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint64_t i = 0; i < self->slot_count; i++) {
        self->slots[i] = (key_slot){.batch = UINT32_MAX};
    }
    for (uint32_t i = 0; i < self->batch_count; i++) {
        for (uint32_t k = 0; k < self->key_count; k++) {
            keys[k] = &self->batches[i].columns[k];
        }
        for (uint32_t row = 0; row < self->batches[i].row_count; row++) {
            const uint64_t hash = ice_key_hash(keys, self->key_count, row);
            *key_slot_of(self, hash, keys, row) = (key_slot){.hash = hash, .batch = i, .row = row};
        }
    }
    return FIRN_OK;
}

// ---- Reading -----------------------------------------------------------------------------------

static firn_status finish(ice_delete_loader *self, firn_error *err) {
    const bool has_keys = self->file->key != NULL;
    TRY(has_keys ? finish_keys(self->made, err)
                 : ice_position_list_finish(&self->made->positions, err));
    // Two tasks may have read the same file at once; the first one's content is kept.
    ice_deleted *nobody = NULL;
    if (atomic_compare_exchange_strong_explicit(&self->file->loaded, &nobody, self->made,
                                                memory_order_release, memory_order_relaxed)) {
        self->made = NULL;
    }
    return FIRN_OK;
}

static firn_status load(ice_delete_loader *self, arena *scratch, scan_answer *answer,
                        firn_error *err) {
    *answer = SCAN_READY;
    while (*answer == SCAN_READY) {
        batch rows;
        arena_reset(scratch);
        TRY(self->reader->kind->next(self->reader, scratch, &rows, answer, err));
        if (*answer == SCAN_READY) {
            TRY(self->file->key != NULL
                    ? add_keys(self->made, &rows, err)
                    : ice_position_list_add(&self->made->positions, &rows, scratch, err));
        }
    }
    return *answer == SCAN_END ? finish(self, err) : FIRN_OK;
}

firn_status ice_delete_loader_next(ice_delete_loader *self, arena *scratch, scan_answer *answer,
                                   firn_error *err) {
    const firn_status status = load(self, scratch, answer, err);
    if (status != FIRN_OK) {
        io_path_while(err, "reading the delete file", self->file->path);
    }
    return status;
}
