#include "tables/iceberg/iceberg_delete.h"

#include <stdlib.h>

#include "base/hash.h"
#include "memory/text_builder.h"

// A row of the index: all delete files under one name.
typedef struct delete_row {
    text name;
    uint64_t hash;
    uint32_t count;
    uint32_t capacity;
    ice_delete_file **items;
} delete_row;

struct ice_delete_index {
    const ice_metadata *metadata;
    const ice_schema *schema;
    arena *memory;
    ice_delete_file *files;
    ice_key *keys;
    uint32_t key_count;
    uint32_t row_count;
    uint32_t slot_count; // A power of two, more than row_count.
    delete_row **slots;
    // Of the data file that is looked at, made by ice_delete_index_finish.
    ice_delete_file **kept;
    ice_metrics **metrics; // By key number.
    bool *has_metrics;
};

firn_status ice_delete_index_open(const ice_metadata *metadata, const ice_schema *schema,
                                  arena *memory, ice_delete_index **out, firn_error *err) {
    ice_delete_index *self = ARENA_NEW(memory, ice_delete_index, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (ice_delete_index){.metadata = metadata, .schema = schema, .memory = memory};
    *out = self;
    return FIRN_OK;
}

void ice_delete_index_close(ice_delete_index *self) {
    for (ice_delete_file *each = self == NULL ? NULL : self->files; each != NULL;
         each = each->next) {
        ice_deleted_close(atomic_load_explicit(&each->loaded, memory_order_acquire));
    }
}

uint64_t ice_delete_index_opened(const ice_delete_index *self) {
    uint64_t count = 0;
    for (ice_delete_file *each = self->files; each != NULL; each = each->next) {
        count += atomic_load_explicit(&each->loaded, memory_order_acquire) != NULL;
    }
    return count;
}

// ---- Rows by name ------------------------------------------------------------------------------

static delete_row **slot_of(delete_row **slots, uint32_t count, text name, uint64_t hash) {
    uint32_t at = (uint32_t)(hash & (count - 1));
    while (slots[at] != NULL && (slots[at]->hash != hash || !text_equal(slots[at]->name, name))) {
        at = (at + 1) & (count - 1);
    }
    return &slots[at];
}

static const delete_row *find_row(const ice_delete_index *self, text name) {
    return self->slot_count == 0
               ? NULL
               : *slot_of(self->slots, self->slot_count, name, hash_bytes(name.data, name.size));
}

static firn_status grow(ice_delete_index *self, firn_error *err) {
    if (self->row_count * 2 < self->slot_count) {
        return FIRN_OK;
    }
    const uint32_t count = self->slot_count == 0 ? 64 : self->slot_count * 2;
    delete_row **slots = ARENA_NEW(self->memory, delete_row *, count);
    if (slots == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    memset(slots, 0, count * sizeof *slots);
    for (uint32_t i = 0; i < self->slot_count; i++) {
        if (self->slots[i] != NULL) {
            *slot_of(slots, count, self->slots[i]->name, self->slots[i]->hash) = self->slots[i];
        }
    }
    self->slots = slots;
    self->slot_count = count;
    return FIRN_OK;
}

static firn_status put(ice_delete_index *self, text name, ice_delete_file *file, firn_error *err) {
    TRY(grow(self, err));
    const uint64_t hash = hash_bytes(name.data, name.size);
    delete_row **slot = slot_of(self->slots, self->slot_count, name, hash);
    if (*slot == NULL) {
        delete_row *made = ARENA_NEW(self->memory, delete_row, 1);
        if (made == NULL) {
            return ARENA_FULL(self->memory, err);
        }
        *made = (delete_row){.hash = hash};
        TRY(text_copy(self->memory, name, &made->name, err));
        *slot = made;
        self->row_count++;
    }
    delete_row *row = *slot;
    if (row->count == row->capacity) {
        const uint32_t capacity = row->capacity * 2 + 2;
        ice_delete_file **grown = ARENA_NEW(self->memory, ice_delete_file *, capacity);
        if (grown == NULL) {
            return ARENA_FULL(self->memory, err);
        }
        if (row->count > 0) {
            memcpy(grown, row->items, row->count * sizeof(ice_delete_file *));
        }
        row->items = grown;
        row->capacity = capacity;
    }
    row->items[row->count++] = file;
    return FIRN_OK;
}

static int compare_sequence(const void *left, const void *right) {
    const ice_delete_file *const *l = left;
    const ice_delete_file *const *r = right;
    return ((*l)->sequence_number > (*r)->sequence_number) -
           ((*l)->sequence_number < (*r)->sequence_number);
}

firn_status ice_delete_index_finish(ice_delete_index *self, firn_error *err) {
    uint32_t most = 0;
    for (uint32_t i = 0; i < self->slot_count; i++) {
        const delete_row *row = self->slots[i];
        if (row != NULL) {
            qsort(row->items, row->count, sizeof(ice_delete_file *), compare_sequence);
            most = row->count > most ? row->count : most;
        }
    }
    self->kept = ARENA_NEW(self->memory, ice_delete_file *, (size_t)most + 1);
    self->metrics = ARENA_NEW(self->memory, ice_metrics *, (size_t)self->key_count + 1);
    self->has_metrics = ARENA_NEW(self->memory, bool, (size_t)self->key_count + 1);
    if (self->kept == NULL || self->metrics == NULL || self->has_metrics == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (const ice_key *each = self->keys; each != NULL; each = each->next) {
        self->metrics[each->number] = ARENA_NEW(self->memory, ice_metrics, each->count);
        if (self->metrics[each->number] == NULL) {
            return ARENA_FULL(self->memory, err);
        }
    }
    return FIRN_OK;
}

// ---- Names -------------------------------------------------------------------------------------

// The type of a partition value, by the source column; NULL if nothing is known of it.
static const type *value_type(const ice_delete_index *self, const ice_partition_field *by) {
    const field *source = ice_metadata_field(self->metadata, self->schema, by->source_id);
    return source == NULL ? NULL : ice_transform_result(&by->transform, source->type);
}

// A value as it is encoded: what stands for it where its transform is unknown.
static bytes encoded_value(const avro_value *value, const avro_schema *found) {
    switch (found == NULL ? (int)AVRO_NULL : (int)found->kind) {
    case AVRO_BYTES:
    case AVRO_STRING:
    case AVRO_FIXED:
        return value->data;
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
        return (bytes){.size = sizeof value->real, .data = (const uint8_t *)&value->real};
    case AVRO_BOOLEAN:
    case AVRO_INT:
    case AVRO_LONG:
        return (bytes){.size = sizeof value->number, .data = (const uint8_t *)&value->number};
    default:
        return (bytes){.size = 0};
    }
}

// "e" or "p" (equality, position), the spec, the values of the partition.
static firn_status partition_name(const ice_delete_index *self, char kind, const ice_walk *walk,
                                  const ice_entry *entry, text *out, firn_error *err) {
    text_builder name = text_builder_open(self->memory);
    text_append_format(&name, "%c%d:", kind, walk->spec->id);
    for (uint32_t i = 0; i < walk->spec->count; i++) {
        const ice_partition_field *by = &walk->spec->fields[i];
        const type *of = value_type(self, by);
        const avro_value *value = &entry->partition[i];
        const avro_schema *found = ice_walk_partition_schema(walk, i);
        if (of != NULL) {
            const ice_scalar scalar = ice_scalar_of_avro(of, value, found);
            ice_scalar_key(&scalar, &name);
        } else if (by->transform.kind != ICE_VOID && !value->is_null) {
            text_append(&name, text_of_bytes(encoded_value(value, found)));
        }
        text_append_char(&name, '/');
    }
    return text_builder_finish(&name, out, err);
}

static firn_status path_name(const ice_delete_index *self, text path, text *out, firn_error *err) {
    return text_format(self->memory, out, err, "f%.*s", TEXT_ARGS(path));
}

static bool is_unpartitioned(const ice_spec *spec) {
    for (uint32_t i = 0; i < spec->count; i++) {
        if (spec->fields[i].transform.kind != ICE_VOID) {
            return false;
        }
    }
    return true;
}

// Keeps a bound, if there is one.
static firn_status keep_bound(arena *memory, bytes *value, firn_error *err) {
    return value->data == NULL ? FIRN_OK : bytes_copy(memory, *value, value, err);
}

// The one data file that position deletes are about: said, or both bounds of file_path.
static firn_status referenced_file(const ice_delete_index *self, const ice_walk *walk,
                                   const ice_entry *entry, ice_delete_file *made, text *out,
                                   firn_error *err) {
    static const int32_t path_id = ICE_DELETE_PATH_ID;
    ice_metrics bounds;
    *out = entry->referenced_file;
    if (out->size > 0) {
        return FIRN_OK;
    }
    TRY(ice_metrics_read(walk, entry, &path_id, 1, &bounds, err));
    if (bounds.low.size > 0 && bounds.low.size == bounds.high.size &&
        memcmp(bounds.low.data, bounds.high.data, bounds.low.size) == 0) {
        *out = text_of_bytes(bounds.low);
        return FIRN_OK;
    }
    made->path_low = bounds.low;
    made->path_high = bounds.high;
    TRY(keep_bound(self->memory, &made->path_low, err));
    return keep_bound(self->memory, &made->path_high, err);
}

// ---- Keys --------------------------------------------------------------------------------------

// The path of ids down to a field, below structs only. 0: it is not there.
static uint32_t path_of(const schema *from, int32_t id, int32_t *out, uint32_t depth) {
    for (uint32_t i = 0; i < from->count; i++) {
        const field *each = &from->fields[i];
        out[depth] = each->id;
        if (each->id == id) {
            return depth + 1;
        }
        if (each->type->id == TYPE_STRUCT && depth + 1 < TYPE_DEPTH_MAX) {
            const schema below = {.count = each->type->child_count, .fields = each->type->children};
            const uint32_t length = path_of(&below, id, out, depth + 1);
            if (length > 0) {
                return length;
            }
        }
    }
    return 0;
}

// A column that may have been dropped since is found in older schemas, the newest first.
static firn_status key_column(const ice_delete_index *self, int32_t id, ice_wanted *out,
                              firn_error *err) {
    int32_t *path = ARENA_NEW(self->memory, int32_t, TYPE_DEPTH_MAX);
    if (path == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    uint32_t length = path_of(&self->schema->columns, id, path, 0);
    for (uint32_t i = self->metadata->schema_count; i > 0 && length == 0; i--) {
        length = path_of(&self->metadata->schemas[i - 1].columns, id, path, 0);
    }
    if (length == 0) {
        return FAIL(err, FIRN_CORRUPT, "equality deletes compare field %d, no schema has it", id);
    }
    *out = (ice_wanted){.id = UINT32_MAX,
                        .path_length = length,
                        .path = path,
                        .type = ice_metadata_field(self->metadata, self->schema, id)->type};
    return FIRN_OK;
}

static int compare_u32(const void *left, const void *right) {
    const uint32_t l = *(const uint32_t *)left;
    const uint32_t r = *(const uint32_t *)right;
    return (l > r) - (l < r);
}

static firn_status take_key(ice_delete_index *self, u32_list ids, const ice_key **out,
                            firn_error *err) {
    qsort(ids.items, ids.count, sizeof *ids.items, compare_u32);
    for (const ice_key *each = self->keys; each != NULL; each = each->next) {
        if (each->count == ids.count &&
            memcmp(each->ids, ids.items, ids.count * sizeof *ids.items) == 0) {
            *out = each;
            return FIRN_OK;
        }
    }
    ice_key *made = ARENA_NEW(self->memory, ice_key, 1);
    int32_t *numbers = ARENA_NEW(self->memory, int32_t, ids.count);
    ice_wanted *columns = ARENA_NEW(self->memory, ice_wanted, ids.count);
    if (made == NULL || numbers == NULL || columns == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (uint32_t i = 0; i < ids.count; i++) {
        numbers[i] = (int32_t)ids.items[i];
        TRY(key_column(self, numbers[i], &columns[i], err));
    }
    *made = (ice_key){.next = self->keys,
                      .number = self->key_count++,
                      .count = ids.count,
                      .ids = numbers,
                      .columns = columns};
    self->keys = made;
    *out = made;
    return FIRN_OK;
}

static firn_status take_metrics(ice_delete_index *self, const ice_walk *walk,
                                const ice_entry *entry, ice_delete_file *made, firn_error *err) {
    const ice_key *key = made->key;
    ice_metrics *metrics = ARENA_NEW(self->memory, ice_metrics, key->count);
    if (metrics == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    TRY(ice_metrics_read(walk, entry, key->ids, key->count, metrics, err));
    for (uint32_t i = 0; i < key->count; i++) {
        TRY(keep_bound(self->memory, &metrics[i].low, err));
        TRY(keep_bound(self->memory, &metrics[i].high, err));
    }
    made->metrics = metrics;
    return FIRN_OK;
}

// ---- Adding and finding ------------------------------------------------------------------------

firn_status ice_delete_index_add(ice_delete_index *self, const ice_walk *walk,
                                 const ice_entry *entry, firn_error *err) {
    ice_delete_file *made = ARENA_NEW(self->memory, ice_delete_file, 1);
    if (made == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    *made = (ice_delete_file){.next = self->files,
                              .content = entry->content,
                              .sequence_number = entry->sequence_number,
                              .row_count = entry->row_count};
    TRY(text_copy(self->memory, entry->path, &made->path, err));
    TRY(text_copy(self->memory, entry->format, &made->format, err));
    self->files = made;
    text name;
    if (entry->content == ICE_EQUALITY_DELETES) {
        u32_list ids;
        TRY(ice_walk_equality_ids(walk, entry, self->memory, &ids, err));
        TRY(take_key(self, ids, &made->key, err));
        TRY(take_metrics(self, walk, entry, made, err));
        if (is_unpartitioned(walk->spec)) {
            return put(self, TEXT("g"), made, err);
        }
        TRY(partition_name(self, 'e', walk, entry, &name, err));
        return put(self, name, made, err);
    }
    if (entry->content == ICE_DATA) {
        return FAIL(err, FIRN_CORRUPT, "a delete manifest has the data file %.*s",
                    TEXT_ARGS(entry->path));
    }
    text file;
    TRY(referenced_file(self, walk, entry, made, &file, err));
    TRY(file.size > 0 ? path_name(self, file, &name, err)
                      : partition_name(self, 'p', walk, entry, &name, err));
    return put(self, name, made, err);
}

// Those from a sequence number on.
static ice_delete_slice slice_from(const delete_row *row, int64_t sequence) {
    uint32_t low = 0;
    uint32_t high = row == NULL ? 0 : row->count;
    const uint32_t count = high;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (row->items[middle]->sequence_number < sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == count ? (ice_delete_slice){.count = 0}
                        : (ice_delete_slice){.count = count - low, .items = row->items + low};
}

// Does the key of equality deletes occur in a data file? What is known of the data file's columns
// is read for the first delete file with that key.
static firn_status may_equal(ice_delete_index *self, const ice_walk *walk, const ice_entry *entry,
                             const ice_delete_file *file, bool *out, firn_error *err) {
    const ice_key *key = file->key;
    ice_metrics *data = self->metrics[key->number];
    if (!self->has_metrics[key->number]) {
        TRY(ice_metrics_read(walk, entry, key->ids, key->count, data, err));
        self->has_metrics[key->number] = true;
    }
    *out = true;
    for (uint32_t i = 0; i < key->count && *out; i++) {
        *out = ice_metrics_may_meet(key->columns[i].type, &data[i], entry->row_count,
                                    &file->metrics[i], file->row_count);
    }
    return FIRN_OK;
}

static bool is_path_inside(const ice_delete_file *file, text path) {
    const text low = text_of_bytes(file->path_low);
    const text high = text_of_bytes(file->path_high);
    return (low.data == NULL || text_compare(low, path) <= 0) &&
           (high.data == NULL || text_compare(path, high) <= 0);
}

// Takes out of a slice what cannot apply.
static firn_status narrow_slice(ice_delete_index *self, const ice_walk *walk,
                                const ice_entry *entry, ice_delete_slice *slice, firn_error *err) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < slice->count; i++) {
        const ice_delete_file *file = slice->items[i];
        bool may_apply = file->key != NULL || is_path_inside(file, entry->path);
        if (file->key != NULL) {
            TRY(may_equal(self, walk, entry, file, &may_apply, err));
        }
        if (may_apply) {
            self->kept[count++] = slice->items[i];
        }
    }
    if (count == slice->count) {
        return FIRN_OK;
    }
    ice_delete_file **items = ARENA_NEW(self->memory, ice_delete_file *, (size_t)count + 1);
    if (items == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    if (count > 0) {
        memcpy(items, self->kept, count * sizeof(ice_delete_file *));
    }
    *slice = (ice_delete_slice){.count = count, .items = items};
    return FIRN_OK;
}

firn_status ice_delete_index_find(ice_delete_index *self, const ice_walk *walk,
                                  const ice_entry *entry, ice_deletes *out, firn_error *err) {
    *out = (ice_deletes){{0}, {0}, {0}, {0}};
    if (self->row_count == 0 || entry->sequence_number == INT64_MAX) {
        return FIRN_OK;
    }
    const int64_t sequence = entry->sequence_number;
    const arena_mark mark = arena_mark_take(self->memory);
    text name;
    TRY(path_name(self, entry->path, &name, err));
    out->by_path = slice_from(find_row(self, name), sequence);
    TRY(partition_name(self, 'p', walk, entry, &name, err));
    out->by_partition = slice_from(find_row(self, name), sequence);
    TRY(partition_name(self, 'e', walk, entry, &name, err));
    out->equal = slice_from(find_row(self, name), sequence + 1);
    out->equal_global = slice_from(find_row(self, TEXT("g")), sequence + 1);
    arena_rewind(self->memory, mark);
    for (uint32_t i = 0; i < self->key_count; i++) {
        self->has_metrics[i] = false;
    }
    TRY(narrow_slice(self, walk, entry, &out->by_partition, err));
    TRY(narrow_slice(self, walk, entry, &out->equal, err));
    return narrow_slice(self, walk, entry, &out->equal_global, err);
}
