#include "tables/iceberg/iceberg_manifest.h"

#include "formats/avro/avro_pairs.h"
#include "memory/arena_grow.h"

// Member of an entry, its path of field ids, what it is read as.
#define ENTRY_SLOTS(X)                                                                             \
    X(STATUS, 0, -1, NUMBER)                                                                       \
    X(SNAPSHOT, 1, -1, NUMBER)                                                                     \
    X(SEQUENCE, 3, -1, NUMBER)                                                                     \
    X(CONTENT, 2, 134, NUMBER)                                                                     \
    X(PATH, 2, 100, BYTES)                                                                         \
    X(FORMAT, 2, 101, BYTES)                                                                       \
    X(ROWS, 2, 103, NUMBER)                                                                        \
    X(SIZE, 2, 104, NUMBER)                                                                        \
    X(VALUE_COUNTS, 2, 109, SLICE)                                                                 \
    X(NULL_COUNTS, 2, 110, SLICE)                                                                  \
    X(NAN_COUNTS, 2, 137, SLICE)                                                                   \
    X(LOW, 2, 125, SLICE)                                                                          \
    X(HIGH, 2, 128, SLICE)                                                                         \
    X(SPLIT_OFFSETS, 2, 132, SLICE)                                                                \
    X(EQUALITY_IDS, 2, 135, SLICE)                                                                 \
    X(REFERENCED, 2, 143, BYTES)

typedef enum entry_slot {
#define X(name, outer, inner, want) ENTRY_##name,
    ENTRY_SLOTS(X)
#undef X
        ENTRY_SLOT_COUNT
} entry_slot;

static const int32_t entry_paths[][2] = {
#define X(name, outer, inner, want) {outer, inner},
    ENTRY_SLOTS(X)
#undef X
};

static const avro_slot entry_slots[] = {
#define X(name, outer, inner, want)                                                                \
    {entry_paths[ENTRY_##name], (inner) < 0 ? 1 : 2, AVRO_WANT_##want},
    ENTRY_SLOTS(X)
#undef X
};

// What only whole walks read: behind the partition values.
typedef enum whole_slot {
    WHOLE_FILE_SEQUENCE,
    WHOLE_COLUMN_SIZES,
    WHOLE_SORT_ORDER,
    WHOLE_KEY_METADATA,
    WHOLE_SLOT_COUNT
} whole_slot;

static const int32_t whole_paths[][2] = {{4, -1}, {2, 108}, {2, 140}, {2, 131}};
static const avro_slot whole_slots[] = {
    [WHOLE_FILE_SEQUENCE] = {whole_paths[WHOLE_FILE_SEQUENCE], 1, AVRO_WANT_NUMBER},
    [WHOLE_COLUMN_SIZES] = {whole_paths[WHOLE_COLUMN_SIZES], 2, AVRO_WANT_SLICE},
    [WHOLE_SORT_ORDER] = {whole_paths[WHOLE_SORT_ORDER], 2, AVRO_WANT_NUMBER},
    [WHOLE_KEY_METADATA] = {whole_paths[WHOLE_KEY_METADATA], 2, AVRO_WANT_BYTES},
};

#define DATA_FILE_ID 2
#define PARTITION_ID 102

static const avro_schema *field_schema(const avro_schema *of, int32_t id) {
    const avro_field *found = of == NULL ? NULL : avro_field_by_id(of, id);
    if (found == NULL) {
        return NULL;
    }
    const avro_schema *inner = avro_option_of(found->schema, &(uint32_t){0});
    return inner == NULL ? found->schema : inner;
}

static avro_want want_of(const avro_schema *value) {
    const avro_kind kind = value == NULL ? AVRO_NULL : value->kind;
    switch (kind) {
    case AVRO_BOOLEAN:
    case AVRO_INT:
    case AVRO_LONG:
        return AVRO_WANT_NUMBER;
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
        return AVRO_WANT_REAL;
    case AVRO_BYTES:
    case AVRO_STRING:
    case AVRO_FIXED:
        return AVRO_WANT_BYTES;
    case AVRO_NULL:
    case AVRO_RECORD:
    case AVRO_ENUM:
    case AVRO_ARRAY:
    case AVRO_MAP:
    case AVRO_UNION:
    case AVRO_KIND_COUNT:
        break;
    }
    return AVRO_WANT_SLICE;
}

// Slots of an entry, of its partition values, and of whole walks.
static firn_status compile(ice_walk *self, uint32_t flags, bool *has_fixed, firn_error *err) {
    const uint32_t whole = ENTRY_SLOT_COUNT + self->spec->count;
    const uint32_t count = whole + (self->is_whole ? WHOLE_SLOT_COUNT : 0);
    avro_slot *slots = ARENA_NEW(self->memory, avro_slot, count);
    int32_t (*paths)[3] = arena_alloc(self->memory, (size_t)self->spec->count + 1, sizeof *paths);
    self->values = ARENA_NEW(self->memory, avro_value, count);
    if (slots == NULL || paths == NULL || self->values == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    memcpy(slots, entry_slots, sizeof entry_slots);
    if (self->is_whole) {
        memcpy(slots + whole, whole_slots, sizeof whole_slots);
    }
    const avro_schema *partition =
        field_schema(field_schema(self->avro.schema, DATA_FILE_ID), PARTITION_ID);
    *has_fixed = false;
    for (uint32_t i = 0; i < self->spec->count; i++) {
        const int32_t id = self->spec->fields[i].field_id;
        const avro_schema *value = field_schema(partition, id);
        paths[i][0] = DATA_FILE_ID;
        paths[i][1] = PARTITION_ID;
        paths[i][2] = id;
        slots[ENTRY_SLOT_COUNT + i] = (avro_slot){paths[i], 3, want_of(value)};
        *has_fixed |=
            value != NULL && value->kind == AVRO_FIXED && value->logical == AVRO_LOGICAL_NONE;
    }
    return avro_plan_compile(self->memory, self->avro.schema, slots, count, flags, &self->plan,
                             err);
}

// Whether the file decodes: with Java's fixed values it does not.
static bool can_read(bytes file, const ice_walk *self, const ice_walk_memory *in) {
    firn_error ignored = ERR_INIT;
    arena memory = arena_open_in(self->memory->owner, ICE_MANIFEST_BYTES_MAX);
    avro_walk walk;
    firn_status status = avro_walk_open(&walk, file, &memory, in->block, in->codecs, &ignored);
    status = status == FIRN_OK ? avro_walk_next(&walk, &ignored) : status;
    while (status == FIRN_OK && walk.has_value) {
        status = avro_plan_read(self->plan, &walk.in, self->values, &ignored);
        status = status == FIRN_OK ? avro_walk_next(&walk, &ignored) : status;
    }
    arena_close(&memory);
    return status == FIRN_OK;
}

// The spec that a manifest says it has: for lists of version 1 that do not.
static int32_t spec_of_header(const avro_header *header) {
    const bytes *value = avro_header_find(header, TEXT("partition-spec-id"));
    int64_t id = 0;
    if (value == NULL || number_parse_i64(text_of_bytes(*value), &id) != NUMBER_OK ||
        id < INT32_MIN || id > INT32_MAX) {
        return 0;
    }
    return (int32_t)id;
}

static firn_status open_walk(ice_walk *self, bytes file, const ice_metadata *metadata,
                             const ice_walk_memory *memory, firn_error *err) {
    const ice_manifest *manifest = self->manifest;
    TRY(avro_walk_open(&self->avro, file, memory->walk, memory->block, memory->codecs, err));
    const int32_t spec = manifest->is_bare ? spec_of_header(&self->avro.header) : manifest->spec_id;
    self->spec = ice_metadata_spec(metadata, spec);
    if (self->spec == NULL) {
        return FAIL(err, FIRN_CORRUPT, "a manifest has partition spec %d, the table has none such",
                    spec);
    }
    bool has_fixed;
    TRY(compile(self, 0, &has_fixed, err));
    if (has_fixed && !can_read(file, self, memory)) {
        TRY(compile(self, AVRO_PLAN_FIXED_IS_BYTES, &has_fixed, err));
    }
    return FIRN_OK;
}

firn_status ice_walk_open(ice_walk *self, bytes file, const ice_manifest *manifest,
                          const ice_metadata *metadata, const ice_walk_memory *memory,
                          firn_error *err) {
    *self = (ice_walk){.manifest = manifest, .memory = memory->walk};
    return open_walk(self, file, metadata, memory, err);
}

firn_status ice_walk_open_whole(ice_walk *self, bytes file, const ice_manifest *manifest,
                                const ice_metadata *metadata, const ice_walk_memory *memory,
                                firn_error *err) {
    *self = (ice_walk){.is_whole = true, .manifest = manifest, .memory = memory->walk};
    return open_walk(self, file, metadata, memory, err);
}

static void take_rest(const ice_walk *self, ice_entry *out) {
    const avro_value *values = self->values + ENTRY_SLOT_COUNT + self->spec->count;
    const avro_value *order = &values[WHOLE_SORT_ORDER];
    out->file_sequence_number = values[WHOLE_FILE_SEQUENCE].is_null
                                    ? self->manifest->sequence_number
                                    : values[WHOLE_FILE_SEQUENCE].number;
    out->column_sizes = values[WHOLE_COLUMN_SIZES];
    out->sort_order_id = order->is_null || order->number < 0 || order->number > INT32_MAX
                             ? -1
                             : (int32_t)order->number;
    if (!values[WHOLE_KEY_METADATA].is_null) {
        out->key_metadata = values[WHOLE_KEY_METADATA].data;
    }
}

static firn_status take_entry(const ice_walk *self, ice_entry *out, firn_error *err) {
    const avro_value *values = self->values;
    if (values[ENTRY_PATH].is_null || values[ENTRY_FORMAT].is_null || values[ENTRY_ROWS].is_null) {
        return FAIL(err, FIRN_CORRUPT, "an entry has no path, no format or no record count");
    }
    const int64_t content = values[ENTRY_CONTENT].is_null ? 0 : values[ENTRY_CONTENT].number;
    const int64_t size = values[ENTRY_SIZE].is_null ? 0 : values[ENTRY_SIZE].number;
    if (content < 0 || content > ICE_EQUALITY_DELETES || values[ENTRY_ROWS].number < 0 ||
        size < 0) {
        return FAIL(err, FIRN_CORRUPT, "an entry has content %lld, %lld rows, %lld bytes",
                    (long long)content, (long long)values[ENTRY_ROWS].number, (long long)size);
    }
    *out = (ice_entry){
        .status = (uint32_t)values[ENTRY_STATUS].number,
        .snapshot_id = values[ENTRY_SNAPSHOT].is_null ? self->manifest->added_snapshot_id
                                                      : values[ENTRY_SNAPSHOT].number,
        .sequence_number = values[ENTRY_SEQUENCE].is_null ? self->manifest->sequence_number
                                                          : values[ENTRY_SEQUENCE].number,
        .content = (ice_content)content,
        .path = text_of_bytes(values[ENTRY_PATH].data),
        .format = text_of_bytes(values[ENTRY_FORMAT].data),
        .row_count = (uint64_t)values[ENTRY_ROWS].number,
        .size = (uint64_t)size,
        .partition = values + ENTRY_SLOT_COUNT,
        .value_counts = values[ENTRY_VALUE_COUNTS],
        .null_counts = values[ENTRY_NULL_COUNTS],
        .nan_counts = values[ENTRY_NAN_COUNTS],
        .low = values[ENTRY_LOW],
        .high = values[ENTRY_HIGH],
        .equality_ids = values[ENTRY_EQUALITY_IDS],
        .split_offsets = values[ENTRY_SPLIT_OFFSETS],
    };
    if (!values[ENTRY_REFERENCED].is_null) {
        out->referenced_file = text_of_bytes(values[ENTRY_REFERENCED].data);
    }
    if (self->is_whole) {
        take_rest(self, out);
    }
    // A null number is inherited by added entries; older versions have none at all.
    if (values[ENTRY_SEQUENCE].is_null && out->status == 0 &&
        self->plan->found[ENTRY_SEQUENCE] != NULL && self->manifest->sequence_number > 0) {
        return FAIL(err, FIRN_CORRUPT, "an existing entry has no sequence number");
    }
    return FIRN_OK;
}

firn_status ice_walk_next(ice_walk *self, ice_entry *out, bool *has_entry, firn_error *err) {
    *has_entry = false;
    TRY(avro_walk_next(&self->avro, err));
    while (self->avro.has_value) {
        TRY(avro_plan_read(self->plan, &self->avro.in, self->values, err));
        const avro_value *status = &self->values[ENTRY_STATUS];
        if (status->is_null || status->number < 0 || status->number > 2) {
            return FAIL(err, FIRN_CORRUPT, "an entry has no status of 0, 1 or 2");
        }
        if (self->is_whole || status->number != ICE_DELETED) {
            *has_entry = true;
            return take_entry(self, out, err);
        }
        TRY(avro_walk_next(&self->avro, err));
    }
    return FIRN_OK;
}

const avro_schema *ice_walk_partition_schema(const ice_walk *self, uint32_t index) {
    return self->plan->found[ENTRY_SLOT_COUNT + index];
}

firn_status ice_walk_pairs(const ice_walk *self, const ice_entry *entry, ice_map map,
                           ice_pair_visit visit, void *user, firn_error *err) {
    const avro_value *slices[] = {&entry->value_counts, &entry->null_counts, &entry->nan_counts,
                                  &entry->low,          &entry->high,        &entry->column_sizes};
    const uint32_t slots[] = {
        ENTRY_VALUE_COUNTS, ENTRY_NULL_COUNTS,
        ENTRY_NAN_COUNTS,   ENTRY_LOW,
        ENTRY_HIGH,         ENTRY_SLOT_COUNT + self->spec->count + WHOLE_COLUMN_SIZES};
    assert(map != ICE_MAP_COLUMN_SIZES || self->is_whole);
    const avro_schema *of = self->plan->found[slots[map]];
    avro_pairs pairs;
    if (slices[map]->is_null || of == NULL || !avro_pairs_open(&pairs, of, slices[map]->data) ||
        pairs.has_data != (map == ICE_MAP_LOW || map == ICE_MAP_HIGH)) {
        return FIRN_OK;
    }
    TRY(avro_pairs_next(&pairs, err));
    while (pairs.has_pair) {
        if (pairs.key >= 0 && pairs.key <= INT32_MAX) {
            visit(user, map, (int32_t)pairs.key,
                  pairs.has_data ? (ice_pair){.data = pairs.data}
                                 : (ice_pair){.number = pairs.number});
        }
        TRY(avro_pairs_next(&pairs, err));
    }
    return FIRN_OK;
}

firn_status ice_walk_equality_ids(const ice_walk *self, const ice_entry *entry, arena *memory,
                                  u32_list *out, firn_error *err) {
    *out = (u32_list){.count = 0};
    const avro_schema *of = self->plan->found[ENTRY_EQUALITY_IDS];
    if (entry->equality_ids.is_null || of == NULL || of->kind != AVRO_ARRAY ||
        want_of(of->element) != AVRO_WANT_NUMBER) {
        return FAIL(err, FIRN_CORRUPT, "an equality delete file has no field ids");
    }
    const bytes slice = entry->equality_ids.data;
    out->items = ARENA_NEW(memory, uint32_t, slice.size + 1); // An id takes a byte or more.
    if (out->items == NULL) {
        return ARENA_FULL(memory, err);
    }
    byte_reader in = reader_open(slice);
    avro_items items = {.item_size_min = 1};
    bool has_item;
    TRY(avro_items_next(&items, &in, &has_item, err));
    while (has_item) {
        int32_t id;
        TRY(avro_read_int(&in, &id, err));
        out->items[out->count++] = (uint32_t)id;
        TRY(avro_items_next(&items, &in, &has_item, err));
    }
    return out->count > 0 ? FIRN_OK
                          : FAIL(err, FIRN_CORRUPT, "an equality delete file has no field ids");
}

uint32_t ice_walk_split_offsets(const ice_walk *self, const ice_entry *entry, arena *memory,
                                const uint64_t **out) {
    const avro_schema *of = self->plan->found[ENTRY_SPLIT_OFFSETS];
    if (entry->split_offsets.is_null || of == NULL || of->kind != AVRO_ARRAY ||
        want_of(of->element) != AVRO_WANT_NUMBER) {
        return 0;
    }
    const bytes slice = entry->split_offsets.data;
    uint64_t *offsets = ARENA_NEW(memory, uint64_t, slice.size + 1); // One takes a byte or more.
    byte_reader in = reader_open(slice);
    avro_items items = {.item_size_min = 1};
    firn_error ignored = ERR_INIT; // It is a hint only.
    bool has_item = true;
    uint32_t count = 0;
    int64_t before = -1;
    while (offsets != NULL && avro_items_next(&items, &in, &has_item, &ignored) == FIRN_OK) {
        int64_t offset;
        if (!has_item) {
            *out = offsets;
            return count;
        }
        if (avro_read_long(&in, &offset, &ignored) != FIRN_OK || offset <= before ||
            (uint64_t)offset >= entry->size) {
            return 0;
        }
        offsets[count++] = (uint64_t)offset;
        before = offset;
    }
    return 0;
}
