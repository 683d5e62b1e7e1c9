// An entry of an older manifest as one of a new manifest.
#include "memory/arena_grow.h"
#include "tables/iceberg/iceberg_manifest_write.h"

// Metrics by field id, gathered from one map after the other.
typedef struct metric_list {
    arena *memory;
    ice_column_metric *items;
    uint32_t count;
    uint32_t capacity;
    uint32_t at; // Where the last one was found: maps mostly have the same keys in the same order.
    int32_t highest; // Of the ids; keys mostly rise, and one above it need not be looked for.
    bool is_full;
} metric_list;

static ice_column_metric *metric_of(metric_list *self, int32_t id) {
    const bool is_new = self->count == 0 || id > self->highest;
    for (uint32_t i = 0; !is_new && i < self->count; i++) {
        const uint32_t k = (self->at + i) % self->count;
        if (self->items[k].field_id == id) {
            self->at = k + 1;
            return &self->items[k];
        }
    }
    ice_column_metric *items =
        ARENA_GROW(self->memory, ice_column_metric, self->items, self->count, 1, &self->capacity);
    if (items == NULL) {
        self->is_full = true;
        return NULL;
    }
    self->items = items;
    self->highest = is_new ? id : self->highest;
    items[self->count] = (ice_column_metric){
        .field_id = id, .size = -1, .value_count = -1, .null_count = -1, .nan_count = -1};
    return &items[self->count++];
}

static void take_pair(void *user, ice_map map, int32_t key, ice_pair value) {
    metric_list *self = user;
    ice_column_metric *of = metric_of(self, key);
    firn_error ignored = ERR_INIT;
    if (of == NULL) {
        return;
    }
    switch (map) {
    case ICE_MAP_VALUE_COUNTS:
        of->value_count = value.number;
        break;
    case ICE_MAP_NULL_COUNTS:
        of->null_count = value.number;
        break;
    case ICE_MAP_NAN_COUNTS:
        of->nan_count = value.number;
        break;
    case ICE_MAP_COLUMN_SIZES:
        of->size = value.number;
        break;
    case ICE_MAP_LOW:
    case ICE_MAP_HIGH: {
        bytes copy;
        if (bytes_copy(self->memory, value.data, &copy, &ignored) != FIRN_OK) {
            self->is_full = true;
            return;
        }
        *(map == ICE_MAP_LOW ? &of->low : &of->high) = copy;
        break;
    }
    }
}

static firn_status copy_metrics(const ice_walk *walk, const ice_entry *entry, arena *memory,
                                ice_file *out, firn_error *err) {
    metric_list list = {.memory = memory};
    static const ice_map maps[] = {ICE_MAP_COLUMN_SIZES, ICE_MAP_VALUE_COUNTS, ICE_MAP_NULL_COUNTS,
                                   ICE_MAP_NAN_COUNTS,   ICE_MAP_LOW,          ICE_MAP_HIGH};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        TRY(ice_walk_pairs(walk, entry, maps[i], take_pair, &list, err));
        list.at = 0;
    }
    out->metrics = list.items;
    out->metric_count = list.count;
    return list.is_full ? ARENA_FULL(memory, err) : FIRN_OK;
}

firn_status ice_entry_partition(const ice_walk *walk, const ice_entry *entry,
                                const type *const *sources, arena *memory, const ice_scalar **out,
                                firn_error *err) {
    ice_scalar *values = ARENA_NEW(memory, ice_scalar, (size_t)walk->spec->count + 1);
    if (values == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < walk->spec->count; i++) {
        const avro_schema *found = ice_walk_partition_schema(walk, i);
        const type *of = ice_partition_type(&walk->spec->fields[i], sources[i]);
        values[i] = found == NULL ? (ice_scalar){.kind = ICE_SCALAR_NULL}
                                  : ice_scalar_of_avro(of, &entry->partition[i], found);
        if (values[i].kind == ICE_SCALAR_NONE) {
            return FAIL(err, FIRN_CORRUPT,
                        "the value of partition field \"%.*s\" is none of its type",
                        TEXT_ARGS(walk->spec->fields[i].name));
        }
        if (values[i].kind == ICE_SCALAR_BYTES) {
            TRY(bytes_copy(memory, values[i].data, &values[i].data, err));
        }
    }
    *out = values;
    return FIRN_OK;
}

firn_status ice_entry_copy(const ice_walk *walk, const ice_entry *entry, const ice_copy *how,
                           arena *memory, ice_new_entry *out, firn_error *err) {
    assert(walk->is_whole);
    assert(how->status != ICE_ADDED);
    *out = (ice_new_entry){.status = how->status,
                           .snapshot_id =
                               how->status == ICE_DELETED ? how->snapshot_id : entry->snapshot_id,
                           .sequence_number = entry->sequence_number,
                           .file_sequence_number = entry->file_sequence_number,
                           .file = {.content = entry->content,
                                    .row_count = entry->row_count,
                                    .size = entry->size,
                                    .sort_order_id = entry->sort_order_id}};
    ice_file *file = &out->file;
    TRY(text_copy(memory, entry->path, &file->path, err));
    TRY(text_copy(memory, entry->format, &file->format, err));
    TRY(text_copy(memory, entry->referenced_file, &file->referenced_file, err));
    TRY(bytes_copy(memory, entry->key_metadata, &file->key_metadata, err));
    TRY(ice_entry_partition(walk, entry, how->sources, memory, &file->partition, err));
    TRY(copy_metrics(walk, entry, memory, file, err));
    file->split_count = ice_walk_split_offsets(walk, entry, memory, &file->split_offsets);
    if (entry->content == ICE_EQUALITY_DELETES) {
        u32_list ids;
        TRY(ice_walk_equality_ids(walk, entry, memory, &ids, err));
        int32_t *copy = ARENA_NEW(memory, int32_t, ids.count);
        if (copy == NULL) {
            return ARENA_FULL(memory, err);
        }
        memcpy(copy, ids.items, ids.count * sizeof *copy);
        file->equality_ids = copy;
        file->equality_count = ids.count;
    }
    return FIRN_OK;
}
