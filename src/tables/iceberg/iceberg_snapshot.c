#include "tables/iceberg/iceberg_snapshot.h"

#include "base/checked.h"
#include "io/io_path.h"
#include "memory/text_builder.h"
#include "tables/iceberg/iceberg_sink.h"
#include "tables/iceberg/iceberg_snapshot_private.h"
#include "tables/iceberg/iceberg_version.h"

#define TABLE_BYTES_MAX ((size_t)8 << 30)
#define CONTENT_SLACK ((size_t)64 << 20) // Remote stores gather a file in pieces.

// ---- Incremental ranges ------------------------------------------------------------------------

// The appends from `to` back to `from`, which is not among them.
static firn_status take_appends(ice_table *self, int64_t from, firn_error *err) {
    const ice_metadata *metadata = &self->metadata;
    self->added = ARENA_NEW(&self->base.memory, int64_t, (size_t)metadata->snapshot_count + 1);
    if (self->added == NULL) {
        return ARENA_FULL(&self->base.memory, err);
    }
    const ice_snapshot *at = self->snapshot;
    for (uint32_t i = 0; i < metadata->snapshot_count && at != NULL && at->id != from; i++) {
        if (at->operation.size == 0 || text_equal(at->operation, TEXT("append"))) {
            self->added[self->added_count++] = at->id;
        }
        at = ice_metadata_parent(metadata, at);
    }
    return FIRN_OK;
}

// The data manifests that each of the appends made.
static firn_status append_manifests(ice_table *self, io *files, const cancel_flag *cancel,
                                    firn_error *err) {
    arena *memory = &self->base.memory;
    for (uint32_t i = 0; i < self->added_count; i++) {
        const int64_t id = self->added[i];
        ice_manifest_list list;
        TRY(ice_manifests_of(files, ice_metadata_snapshot(&self->metadata, id), cancel, memory,
                             &list, err));
        ice_manifest *all =
            ARENA_NEW(memory, ice_manifest, (size_t)self->manifests.count + list.count + 1);
        if (all == NULL) {
            return ARENA_FULL(memory, err);
        }
        if (self->manifests.count > 0) {
            memcpy(all, self->manifests.items, self->manifests.count * sizeof *all);
        }
        self->manifests.items = all;
        for (uint32_t j = 0; j < list.count; j++) {
            const ice_manifest *each = &list.items[j];
            if (!each->has_deletes && each->added_snapshot_id == id) {
                all[self->manifests.count++] = *each;
            }
        }
    }
    return FIRN_OK;
}

// ---- Opening -----------------------------------------------------------------------------------

// Rows are known exactly only where nothing is deleted and every manifest says how many it has.
// Facts would be read from all of them.
static void count_rows(ice_table *self) {
    exact_u64 rows = {.is_known = !self->is_incremental};
    bound_u64 most = {.is_known = true}; // With the deleted ones.
    for (uint32_t i = 0; i < self->manifests.count; i++) {
        const ice_manifest *each = &self->manifests.items[i];
        const bool is_empty = each->live_files.is_known && each->live_files.value == 0;
        const bool is_counted = !each->is_bare && each->live_rows.is_known;
        rows.is_known &= each->has_deletes ? is_empty : is_counted;
        if (!each->has_deletes) {
            most.is_known &= is_counted;
            most.value = sum_capped(most.value, each->live_rows.value);
        }
        self->base.facts_bytes = sum_capped(self->base.facts_bytes, each->length);
    }
    most.is_known &= most.value < UINT64_MAX;
    rows.is_known &= most.value < UINT64_MAX;
    rows.value = most.value;
    self->base.row_count = rows;
    self->base.rows = most.is_known            ? estimate_of_bound(most)
                      : self->snapshot == NULL ? (estimate){.is_known = true}
                                               : self->snapshot->rows;
}

static firn_status read_metadata(ice_table *self, io *files, const ice_open *what,
                                 const cancel_flag *cancel, firn_error *err) {
    arena *memory = &self->base.memory;
    if (what->metadata.size > 0) {
        return ice_metadata_read(what->metadata, memory, &self->metadata, err);
    }
    arena content = arena_open_in(memory->owner, (size_t)ICE_METADATA_BYTES_MAX + CONTENT_SLACK);
    content.cancel = cancel;
    bytes file;
    firn_status status =
        io_get(files, what->location, ICE_METADATA_BYTES_MAX, cancel, &content, &file, err);
    status = status == FIRN_OK ? ice_metadata_read(file, memory, &self->metadata, err) : status;
    arena_close(&content);
    return status;
}

static firn_status describe(ice_table *self, const ice_open *what, firn_error *err) {
    arena *memory = &self->base.memory;
    table_ref *ref = &self->base.ref;
    text_builder options = text_builder_open(memory);
    json_writer json = json_writer_into(&options, 0);
    json_begin_object(&json);
    json_write_key(&json, TEXT("metadata"));
    json_write_text(&json, what->location);
    if (self->is_incremental) {
        json_write_key(&json, TEXT("from-snapshot-id"));
        json_write_i64(&json, what->version->from_snapshot_id);
    }
    json_end_object(&json);
    json_writer_finish(&json);
    *ref = (table_ref){.kind = TEXT("iceberg"),
                       .snapshot_id = self->snapshot == NULL ? ICE_NO_SNAPSHOT : self->snapshot->id,
                       .schema_id = self->schema->id};
    TRY(text_builder_finish(&options, &ref->options, err));
    TRY(text_copy(memory, what->catalog, &ref->catalog, err));
    return text_copy(memory, what->name, &ref->name, err);
}

static firn_status take_branch(ice_table *self, const table_version *version, firn_error *err) {
    if (version == NULL || (version->kind == VERSION_CURRENT && !version->is_incremental)) {
        self->branch = TEXT("main");
        return FIRN_OK;
    }
    for (uint32_t i = 0; i < self->metadata.ref_count; i++) {
        const ice_ref *each = &self->metadata.refs[i];
        if (version->kind == VERSION_REF && !version->is_incremental && !each->is_tag &&
            text_equal(each->name, version->ref)) {
            return text_copy(&self->base.memory, each->name, &self->branch, err);
        }
    }
    return FIRN_OK;
}

static firn_status open_table(ice_table *self, io *files, const ice_open *what,
                              const cancel_flag *cancel, firn_error *err) {
    const table_version *version = what->version;
    TRY(self->source == NULL ? read_metadata(self, files, what, cancel, err) : FIRN_OK);
    TRY(ice_version_resolve(&self->metadata, version, &self->snapshot, &self->schema, err));
    self->base.columns = self->schema->columns;
    self->base.notes = self->schema->notes;
    self->is_incremental = version != NULL && version->is_incremental;
    if (self->is_incremental) {
        TRY(take_appends(self, version->from_snapshot_id, err));
        TRY(append_manifests(self, files, cancel, err));
    } else {
        TRY(ice_manifests_of(files, self->snapshot, cancel, &self->base.memory, &self->manifests,
                             err));
    }
    count_rows(self);
    TRY(take_branch(self, version, err));
    TRY(text_copy(&self->base.memory, what->location, &self->location, err));
    return describe(self, what, err);
}

static void free_table(table_snapshot *base) {
    ice_facts_close(atomic_load_explicit(&ice_table_of(base)->facts, memory_order_acquire));
    table_snapshot *source = ice_table_of(base)->source;
    arena memory = base->memory; // It holds the table.
    arena_close(&memory);
    table_snapshot_release(source);
}

// `source`: whose metadata it has; NULL: it is read.
static firn_status open_with(io *files, const ice_open *what, table_snapshot *source,
                             const cancel_flag *cancel, table_snapshot **out, firn_error *err) {
    arena memory = arena_open_in(what->pool, TABLE_BYTES_MAX);
    memory.cancel = cancel;
    ice_table *self = ARENA_NEW(&memory, ice_table, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (ice_table){.base = {.kind = &iceberg_table_kind, .memory = memory}, .files = files};
    atomic_init(&self->base.references, 1);
    if (source != NULL) {
        self->source = table_snapshot_retain(source);
        self->metadata = ice_table_of(source)->metadata;
    }
    const firn_status status = open_table(self, files, what, cancel, err);
    self->base.memory.cancel = NULL; // The table may live longer than the query that opens it.
    if (status != FIRN_OK) {
        io_path_while(err, "opening the Iceberg table", what->location);
        free_table(&self->base);
        return status;
    }
    *out = &self->base;
    return FIRN_OK;
}

firn_status ice_table_open(io *files, const ice_open *what, const cancel_flag *cancel,
                           table_snapshot **out, firn_error *err) {
    return open_with(files, what, NULL, cancel, out, err);
}

static firn_status at(table_snapshot *base, const table_version *version, const cancel_flag *cancel,
                      table_snapshot **out, firn_error *err) {
    const ice_table *self = ice_table_of(base);
    const ice_open what = {.pool = base->memory.owner,
                           .location = self->location,
                           .catalog = base->ref.catalog,
                           .name = base->ref.name,
                           .version = version};
    return open_with(self->files, &what, base, cancel, out, err);
}

static const ice_table *table_of(const table_snapshot *self) {
    return (const ice_table *)(const void *)self; // Its first member.
}

const ice_metadata *ice_table_metadata(const table_snapshot *self) {
    return &table_of(self)->metadata;
}

text ice_table_location(const table_snapshot *self) {
    return table_of(self)->location;
}

text ice_table_branch(const table_snapshot *self) {
    return table_of(self)->branch;
}

uint32_t ice_table_manifest_count(const table_snapshot *self) {
    return table_of(self)->manifests.count;
}

const table_kind iceberg_table_kind = {
    .name = "iceberg",
    .keeps_pages = true,
    .define = ice_table_define,
    .facts = ice_column_facts,
    .at = at,
    .plan = ice_plan,
    .planner_next = ice_planner_next,
    .planner_counters = ice_planner_counters,
    .planner_close = ice_planner_close,
    .open = ice_reader_open,
    .reopen = ice_reader_reopen,
    .next = ice_reader_next,
    .counters = ice_reader_counters,
    .close = ice_reader_close,
    .free = free_table,
    .sink = &ice_sink_kind,
    .changes = &ice_table_changes,
};
