// Manifest lists and manifests from any bytes; the first byte chooses, and in a manifest the spec.
//
// Oracle: walking twice gives the same entries, and the delete index finds for a data file only
// delete files that it was given, of the right kind and age; where a file may be cut is in it.
#include <stdlib.h>

#include "base/hash.h"
#include "input_folder.h"
#include "tables/iceberg/iceberg_delete.h"

#define MEMORY_MAX ((size_t)256 << 20)
#define ENTRIES_MAX 10000
#define UNKNOWN_SPEC 3

enum { CHOOSE_BARE = 3, CHOOSE_LIST, CHOOSE_UNKNOWN, CHOICES }; // Below: the spec.

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true) {
    if (!is_true) {
        abort();
    }
}

static const char table[] =
    "{\"format-version\":2,\"table-uuid\":\"9c12d441-03fe-4693-9a96-a0705ddf69c1\","
    "\"location\":\"/t\",\"last-sequence-number\":9,\"last-updated-ms\":1,\"last-column-id\":9,"
    "\"current-schema-id\":0,\"schemas\":[{\"type\":\"struct\",\"schema-id\":0,\"fields\":["
    "{\"id\":1,\"name\":\"a\",\"required\":false,\"type\":\"long\"},"
    "{\"id\":2,\"name\":\"b\",\"required\":false,\"type\":\"string\"},"
    "{\"id\":3,\"name\":\"c\",\"required\":false,\"type\":\"timestamptz\"},"
    "{\"id\":4,\"name\":\"d\",\"required\":false,\"type\":\"decimal(9, 2)\"},"
    "{\"id\":5,\"name\":\"e\",\"required\":false,\"type\":\"double\"},"
    "{\"id\":6,\"name\":\"f\",\"required\":false,\"type\":\"fixed[4]\"},"
    "{\"id\":7,\"name\":\"g\",\"required\":false,\"type\":\"uuid\"}]}],\"default-spec-id\":0,"
    "\"partition-specs\":[{\"spec-id\":0,\"fields\":[]},{\"spec-id\":1,\"fields\":["
    "{\"source-id\":2,\"field-id\":1000,\"name\":\"b\",\"transform\":\"identity\"},"
    "{\"source-id\":1,\"field-id\":1001,\"name\":\"a_b\",\"transform\":\"bucket[16]\"}]},"
    "{\"spec-id\":2,\"fields\":[{\"source-id\":3,\"field-id\":1002,\"name\":\"c_day\","
    "\"transform\":\"day\"},{\"source-id\":6,\"field-id\":1003,\"name\":\"f\","
    "\"transform\":\"identity\"}]},"
    "{\"spec-id\":3,\"fields\":[{\"source-id\":2,\"field-id\":1000,\"name\":\"b\","
    "\"transform\":\"later\"},{\"source-id\":1,\"field-id\":1001,\"name\":\"a_b\","
    "\"transform\":\"later[16]\"},{\"source-id\":0,\"field-id\":1002,\"name\":\"c_day\","
    "\"transform\":\"\"},{\"source-id\":6,\"field-id\":1003,\"name\":\"f\","
    "\"transform\":\"later\"}]}],\"last-partition-id\":1003,\"default-sort-order-id\":0,"
    "\"sort-orders\":[{\"order-id\":0,\"fields\":[]}],\"properties\":{},\"snapshots\":[]}";

// A snapshot of version 1 may name its manifests itself: here each line is one.
static void check_bare(bytes file, arena *memory) {
    text names[16];
    uint32_t count = 0;
    text rest = text_of_bytes(file);
    while (rest.size > 0 && count < sizeof names / sizeof *names) {
        const size_t end = text_find(rest, TEXT("\n"));
        names[count++] = text_slice(rest, 0, end);
        rest = text_slice(rest, end < rest.size ? end + 1 : end, rest.size);
    }
    const ice_snapshot snapshot = {.id = 5, .manifests = {.count = count, .items = names}};
    ice_manifest_list list;
    firn_error err = ERR_INIT;
    if (ice_manifests_of(NULL, &snapshot, NULL, memory, &list, &err) == FIRN_OK) {
        require(list.count == count);
        for (uint32_t i = 0; i < count; i++) {
            require(list.items[i].is_bare && text_equal(list.items[i].path, names[i]));
        }
    }
}

// What a snapshot's file says is what its bytes say.
static void check_file(bytes file, const ice_manifest_list *read, arena *memory) {
    static io *files;
    static uint64_t number;
    char name[32];
    char path[INPUT_PATH_MAX];
    firn_error err = ERR_INIT;
    if (files == NULL) {
        require(io_open(&(io_options){.has_thread = false}, &files, &err) == FIRN_OK);
    }
    (void)snprintf(name, sizeof name, "%llu", (unsigned long long)++number);
    input_folder_write(name, file, path);
    const ice_snapshot snapshot = {.id = 5, .manifest_list = text_of(path)};
    ice_manifest_list list;
    const firn_status status = ice_manifests_of(files, &snapshot, NULL, memory, &list, &err);
    require(status == FIRN_NO_MEMORY || (status == FIRN_OK) == (read != NULL));
    require(status != FIRN_OK || list.count == read->count);
    require(host_remove(path, &err) == FIRN_OK);
}

static void fuzz_list(bytes file, arena *memory) {
    ice_manifest_list list;
    firn_error err = ERR_INIT;
    check_bare(file, memory);
    if (ice_manifest_list_read(file, memory, &list, &err) != FIRN_OK) {
        check_file(file, NULL, memory);
        return;
    }
    check_file(file, &list, memory);
    uint64_t sum = 0; // Reads every byte, for the sanitizers to look.
    for (uint32_t i = 0; i < list.count; i++) {
        const ice_manifest *each = &list.items[i];
        sum = hash_combine(sum, hash_bytes(each->path.data, each->path.size));
        for (uint32_t k = 0; k < each->summary_count; k++) {
            const ice_summary *field = &each->summaries[k];
            sum = hash_combine(sum,
                               field->has_low ? hash_bytes(field->low.data, field->low.size) : 1);
            sum = hash_combine(sum, field->has_high ? hash_bytes(field->high.data, field->high.size)
                                                    : 2);
        }
    }
    require(list.count > 0 || sum == 0);
}

typedef struct walked {
    uint64_t hash;
    uint64_t count;
} walked;

static void touch_metrics(const ice_walk *walk, const ice_entry *entry, walked *out) {
    static const int32_t ids[] = {1, 2, 5, ICE_DELETE_PATH_ID};
    ice_metrics found[sizeof ids / sizeof *ids];
    firn_error err = ERR_INIT;
    if (ice_metrics_read(walk, entry, ids, sizeof ids / sizeof *ids, found, &err) != FIRN_OK) {
        return;
    }
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        require(found[i].null_count >= -1 && found[i].nan_count >= -1);
        out->hash = hash_combine(out->hash, hash_bytes(found[i].low.data, found[i].low.size));
        out->hash = hash_combine(out->hash, hash_bytes(found[i].high.data, found[i].high.size));
        const bool meets = ice_metrics_may_meet(TYPE_OF(BIGINT), &found[i], 1, &found[0], 1);
        out->hash = hash_combine(out->hash, meets);
    }
}

static void touch_offsets(const ice_walk *walk, const ice_entry *entry, walked *out) {
    const uint64_t *offsets = NULL;
    arena memory = arena_open(MEMORY_MAX);
    const uint32_t count = ice_walk_split_offsets(walk, entry, &memory, &offsets);
    for (uint32_t i = 0; i < count; i++) {
        require(offsets[i] < entry->size && (i == 0 || offsets[i - 1] < offsets[i]));
        out->hash = hash_combine(out->hash, hash_u64(offsets[i]));
    }
    arena_close(&memory);
}

static void find_deletes(ice_delete_index *index, const ice_walk *walk, const ice_entry *entry) {
    firn_error err = ERR_INIT;
    ice_deletes found;
    if (ice_delete_index_find(index, walk, entry, &found, &err) != FIRN_OK) {
        return;
    }
    const ice_delete_slice slices[] = {found.by_path, found.by_partition, found.equal,
                                       found.equal_global};
    for (size_t i = 0; i < sizeof slices / sizeof *slices; i++) {
        for (uint32_t k = 0; k < slices[i].count; k++) {
            require((slices[i].items[k]->key != NULL) == (i >= 2));
            require(slices[i].items[k]->sequence_number >= entry->sequence_number);
        }
    }
}

static void take_entry(const ice_walk *walk, const ice_entry *entry, ice_delete_index *index,
                       bool finds) {
    firn_error err = ERR_INIT;
    if (finds) {
        find_deletes(index, walk, entry);
    } else if (entry->content != ICE_DATA) {
        (void)(ice_delete_index_add(index, walk, entry, &err) == FIRN_OK);
    }
}

static walked walk_all(bytes file, const ice_manifest *manifest, const ice_metadata *metadata,
                       ice_delete_index *index, bool finds) {
    arena memory = arena_open(MEMORY_MAX);
    arena block = arena_open(MEMORY_MAX);
    codec_scratch codecs = codec_scratch_open((size_t)16 << 20);
    const ice_walk_memory parts = {.walk = &memory, .block = &block, .codecs = &codecs};
    walked out = {0, 0};
    firn_error err = ERR_INIT;
    ice_walk walk;
    ice_entry entry;
    bool has_entry = true;
    firn_status status = ice_walk_open(&walk, file, manifest, metadata, &parts, &err);
    while (status == FIRN_OK && has_entry && out.count < ENTRIES_MAX) {
        status = ice_walk_next(&walk, &entry, &has_entry, &err);
        if (status == FIRN_OK && has_entry) {
            out.hash = hash_combine(out.hash, hash_bytes(entry.path.data, entry.path.size));
            out.hash = hash_combine(out.hash, hash_u64(entry.row_count));
            out.count++;
            touch_metrics(&walk, &entry, &out);
            touch_offsets(&walk, &entry, &out);
            take_entry(&walk, &entry, index, finds);
        }
    }
    codec_scratch_close(&codecs);
    arena_close(&block);
    arena_close(&memory);
    return out;
}

static void fuzz_manifest(bytes file, int32_t spec, bool is_bare, arena *memory) {
    const bytes json = {.data = (const uint8_t *)table, .size = sizeof table - 1};
    firn_error err = ERR_INIT;
    ice_metadata metadata;
    ice_delete_index *index;
    require(ice_metadata_read(json, memory, &metadata, &err) == FIRN_OK);
    const ice_manifest manifest = {
        .spec_id = spec, .sequence_number = 3, .added_snapshot_id = 7, .is_bare = is_bare};
    require(ice_delete_index_open(&metadata, &metadata.schemas[0], memory, &index, &err) ==
            FIRN_OK);
    const walked first = walk_all(file, &manifest, &metadata, index, false);
    if (ice_delete_index_finish(index, &err) == FIRN_OK) {
        const walked second = walk_all(file, &manifest, &metadata, index, true);
        require(first.count == second.count && first.hash == second.hash);
        require(ice_delete_index_opened(index) == 0); // Nobody read one.
    }
    ice_delete_index_close(index);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    const bytes file = {.data = data + 1, .size = size - 1};
    arena memory = arena_open(MEMORY_MAX);
    switch (data[0] % CHOICES) {
    case CHOOSE_BARE: // The manifest itself says its spec.
        fuzz_manifest(file, UNKNOWN_SPEC, true, &memory);
        break;
    case CHOOSE_LIST:
        fuzz_list(file, &memory);
        break;
    case CHOOSE_UNKNOWN: // Transforms that nobody knows.
        fuzz_manifest(file, UNKNOWN_SPEC, false, &memory);
        break;
    default:
        fuzz_manifest(file, data[0] % CHOICES, false, &memory);
        break;
    }
    arena_close(&memory);
    return 0;
}
