#include "tables/iceberg/iceberg_manifest_list.h"

#include "formats/avro/avro_file.h"
#include "formats/avro/avro_plan.h"
#include "io/io_path.h"
#include "memory/arena_grow.h"
#include "memory/text_builder.h"

#define CODEC_BYTES_MAX ((size_t)16 << 20)

// Member of the list's record, its field id, what it is read as.
#define LIST_SLOTS(X)                                                                              \
    X(PATH, 500, BYTES)                                                                            \
    X(LENGTH, 501, NUMBER)                                                                         \
    X(SPEC, 502, NUMBER)                                                                           \
    X(CONTENT, 517, NUMBER)                                                                        \
    X(SEQUENCE, 515, NUMBER)                                                                       \
    X(MIN_SEQUENCE, 516, NUMBER)                                                                   \
    X(SNAPSHOT, 503, NUMBER)                                                                       \
    X(ADDED_FILES, 504, NUMBER)                                                                    \
    X(EXISTING_FILES, 505, NUMBER)                                                                 \
    X(DELETED_FILES, 506, NUMBER)                                                                  \
    X(ADDED_ROWS, 512, NUMBER)                                                                     \
    X(EXISTING_ROWS, 513, NUMBER)                                                                  \
    X(DELETED_ROWS, 514, NUMBER)                                                                   \
    X(KEY_METADATA, 519, BYTES)                                                                    \
    X(PARTITIONS, 507, SLICE)

typedef enum list_slot {
#define X(name, id, want) LIST_##name,
    LIST_SLOTS(X)
#undef X
        LIST_SLOT_COUNT
} list_slot;

static const int32_t list_paths[][1] = {
#define X(name, id, want) {id},
    LIST_SLOTS(X)
#undef X
};

static const avro_slot list_slots[] = {
#define X(name, id, want) {list_paths[LIST_##name], 1, AVRO_WANT_##want},
    LIST_SLOTS(X)
#undef X
};

static firn_status read_summary(const avro_plan *plan, byte_reader *in, arena *memory,
                                ice_summary *out, firn_error *err) {
    avro_value values[4];
    TRY(avro_plan_read(plan, in, values, err));
    *out = (ice_summary){.has_null = values[0].is_null || values[0].number != 0,
                         .has_nan = values[1].is_null || values[1].number != 0,
                         .has_low = !values[2].is_null,
                         .has_high = !values[3].is_null};
    if (out->has_low) {
        TRY(bytes_copy(memory, values[2].data, &out->low, err));
    }
    return out->has_high ? bytes_copy(memory, values[3].data, &out->high, err) : FIRN_OK;
}

// The summaries of a manifest, an array of records.
static firn_status read_summaries(const avro_schema *list, bytes slice, const avro_plan *plan,
                                  arena *memory, ice_manifest *out, firn_error *err) {
    byte_reader in = reader_open(slice);
    avro_items items = {.item_size_min = list->element->size_min};
    bool has_item;
    ice_summary *summaries = NULL;
    uint32_t capacity = 0;
    TRY(avro_items_next(&items, &in, &has_item, err));
    while (has_item) {
        summaries = ARENA_GROW(memory, ice_summary, summaries, out->summary_count, 1, &capacity);
        if (summaries == NULL) {
            return ARENA_FULL(memory, err);
        }
        TRY(read_summary(plan, &in, memory, &summaries[out->summary_count++], err));
        TRY(avro_items_next(&items, &in, &has_item, err));
    }
    out->summaries = summaries;
    return FIRN_OK;
}

static exact_u64 count_of(const avro_value *value) {
    const bool is_known = !value->is_null && value->number >= 0;
    return (exact_u64){.is_known = is_known, .value = is_known ? (uint64_t)value->number : 0};
}

static exact_u64 live_of(const ice_status_counts *counts) {
    if (!counts->added.is_known || !counts->existing.is_known) {
        return (exact_u64){.is_known = false};
    }
    return (exact_u64){.is_known = true, .value = counts->added.value + counts->existing.value};
}

static firn_status take_manifest(const avro_value *values, arena *memory, ice_manifest *out,
                                 firn_error *err) {
    if (values[LIST_PATH].is_null || values[LIST_SPEC].is_null) {
        return FAIL(err, FIRN_CORRUPT, "a manifest has no path or no partition spec");
    }
    const int64_t spec = values[LIST_SPEC].number;
    const int64_t content = values[LIST_CONTENT].is_null ? 0 : values[LIST_CONTENT].number;
    const int64_t length = values[LIST_LENGTH].is_null ? 0 : values[LIST_LENGTH].number;
    if (spec < INT32_MIN || spec > INT32_MAX || content < 0 || content > 1 || length < 0) {
        return FAIL(err, FIRN_CORRUPT, "a manifest has spec %lld, content %lld, length %lld",
                    (long long)spec, (long long)content, (long long)length);
    }
    *out = (ice_manifest){
        .length = (uint64_t)length,
        .spec_id = (int32_t)spec,
        .has_deletes = content == 1,
        .sequence_number = values[LIST_SEQUENCE].is_null ? 0 : values[LIST_SEQUENCE].number,
        .added_snapshot_id =
            values[LIST_SNAPSHOT].is_null ? ICE_NO_SNAPSHOT : values[LIST_SNAPSHOT].number,
        .min_sequence_number =
            values[LIST_MIN_SEQUENCE].is_null ? 0 : values[LIST_MIN_SEQUENCE].number,
        .files = {.existing = count_of(&values[LIST_EXISTING_FILES]),
                  .added = count_of(&values[LIST_ADDED_FILES]),
                  .deleted = count_of(&values[LIST_DELETED_FILES])},
        .rows = {.existing = count_of(&values[LIST_EXISTING_ROWS]),
                 .added = count_of(&values[LIST_ADDED_ROWS]),
                 .deleted = count_of(&values[LIST_DELETED_ROWS])},
    };
    out->live_files = live_of(&out->files);
    out->live_rows = live_of(&out->rows);
    if (!values[LIST_KEY_METADATA].is_null) {
        TRY(bytes_copy(memory, values[LIST_KEY_METADATA].data, &out->key_metadata, err));
    }
    return text_copy(memory, text_of_bytes(values[LIST_PATH].data), &out->path, err);
}

static firn_status add_manifest(ice_manifest_list *list, uint32_t *capacity, arena *memory,
                                ice_manifest **out, firn_error *err) {
    ice_manifest *items = ARENA_GROW(memory, ice_manifest, list->items, list->count, 1, capacity);
    if (items == NULL) {
        return ARENA_FULL(memory, err);
    }
    list->items = items;
    *out = &list->items[list->count++];
    return FIRN_OK;
}

static firn_status read_list(avro_walk *walk, arena *memory, ice_manifest_list *out,
                             firn_error *err) {
    static const int32_t null_path[] = {509};
    static const int32_t nan_path[] = {518};
    static const int32_t low_path[] = {510};
    static const int32_t high_path[] = {511};
    static const avro_slot summary_slots[] = {{null_path, 1, AVRO_WANT_NUMBER},
                                              {nan_path, 1, AVRO_WANT_NUMBER},
                                              {low_path, 1, AVRO_WANT_BYTES},
                                              {high_path, 1, AVRO_WANT_BYTES}};
    const avro_plan *plan;
    const avro_plan *summaries = NULL;
    uint32_t capacity = 0;
    *out = (ice_manifest_list){.count = 0};
    TRY(avro_plan_compile(memory, walk->schema, list_slots, LIST_SLOT_COUNT, 0, &plan, err));
    const avro_schema *list = plan->found[LIST_PARTITIONS];
    if (list != NULL && list->kind == AVRO_ARRAY) {
        TRY(avro_plan_compile(memory, list->element, summary_slots, 4, 0, &summaries, err));
    }
    TRY(avro_walk_next(walk, err));
    while (walk->has_value) {
        avro_value values[LIST_SLOT_COUNT];
        ice_manifest *made;
        TRY(avro_plan_read(plan, &walk->in, values, err));
        TRY(add_manifest(out, &capacity, memory, &made, err));
        TRY(take_manifest(values, memory, made, err));
        if (summaries != NULL && !values[LIST_PARTITIONS].is_null) {
            TRY(read_summaries(list, values[LIST_PARTITIONS].data, summaries, memory, made, err));
        }
        TRY(avro_walk_next(walk, err));
    }
    return FIRN_OK;
}

firn_status ice_manifest_list_read(bytes file, arena *memory, ice_manifest_list *out,
                                   firn_error *err) {
    codec_scratch codecs = codec_scratch_open_in(memory->owner, CODEC_BYTES_MAX);
    arena block = arena_open_in(memory->owner, ICE_MANIFEST_BYTES_MAX);
    avro_walk walk;
    firn_status status = avro_walk_open(&walk, file, memory, &block, &codecs, err);
    if (status == FIRN_OK) {
        status = read_list(&walk, memory, out, err);
    }
    arena_close(&block);
    codec_scratch_close(&codecs);
    return status;
}

// Version 1 allowed snapshots that name their manifests.
static firn_status bare_manifests(const ice_snapshot *snapshot, arena *memory,
                                  ice_manifest_list *out, firn_error *err) {
    out->items = ARENA_NEW(memory, ice_manifest, (size_t)snapshot->manifests.count + 1);
    if (out->items == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < snapshot->manifests.count; i++) {
        out->items[out->count++] = (ice_manifest){.path = snapshot->manifests.items[i],
                                                  .is_bare = true,
                                                  .added_snapshot_id = snapshot->id};
    }
    return FIRN_OK;
}

firn_status ice_manifests_of(io *files, const ice_snapshot *snapshot, const cancel_flag *cancel,
                             arena *memory, ice_manifest_list *out, firn_error *err) {
    *out = (ice_manifest_list){.count = 0};
    if (snapshot == NULL) {
        return FIRN_OK;
    }
    if (snapshot->manifest_list.size == 0) {
        return bare_manifests(snapshot, memory, out, err);
    }
    bytes file;
    firn_status status =
        io_get(files, snapshot->manifest_list, ICE_MANIFEST_BYTES_MAX, cancel, memory, &file, err);
    if (status == FIRN_OK) {
        status = ice_manifest_list_read(file, memory, out, err);
    }
    if (status != FIRN_OK) {
        io_path_while(err, "reading the manifest list", snapshot->manifest_list);
    }
    return status;
}
