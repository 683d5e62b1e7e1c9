// Planning: manifests to tasks, as a stream. Delete manifests come first, all of them, since any
// could be about the first data file; then data manifests, one entry at a time. What tasks a data
// file becomes is iceberg_snapshot_cut.h's.
#include "formats/parquet/pq_window.h"
#include "io/io_path.h"
#include "io/io_wakeup.h"
#include "memory/text_builder.h"
#include "tables/iceberg/iceberg_manifest_write.h"
#include "tables/iceberg/iceberg_snapshot_cut.h"
#include "tables/row_change.h"

#define PLANNER_BYTES_MAX ((size_t)16 << 30)
#define CODEC_BYTES_MAX ((size_t)16 << 20)

struct scan_planner {
    ice_table *table;
    const scan_request *request;
    const scan_env *env; // Its wakeup is that of whoever asks.
    arena memory;        // Of tasks and the delete index.
    arena walk_memory;
    arena block;
    codec_scratch codecs;
    ice_pruner *pruner;
    ice_delete_index *deletes;
    bool is_in_data; // The delete manifests are done.
    uint32_t next_manifest;
    bool has_file; // A manifest is being read, ...
    bool has_walk; // ... and its entries are being walked through.
    io_file *file;
    pq_window window;
    ice_walk walk;
    const type *const *sources; // Of its spec; NULL: nobody has asked.
    ice_file_cutter cutter;     // Of the file at hand.
    scan_counters counters;
};

firn_status ice_plan(table_snapshot *base, const scan_request *request, const scan_env *env,
                     scan_planner **out, firn_error *err) {
    ice_table *table = ice_table_of(base);
    arena memory = arena_open_in(env->pool, PLANNER_BYTES_MAX);
    scan_planner *self = ARENA_NEW(&memory, scan_planner, 1);
    if (self == NULL) {
        firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    *self = (scan_planner){.table = table,
                           .request = request,
                           .env = env,
                           .memory = memory,
                           .walk_memory = arena_open_in(env->pool, PLANNER_BYTES_MAX),
                           .block = arena_open_in(env->pool, PLANNER_BYTES_MAX),
                           .codecs = codec_scratch_open_in(env->pool, CODEC_BYTES_MAX),
                           .is_in_data = table->is_incremental};
    firn_status status =
        ice_file_cutter_open(&self->cutter, table, request, env, &self->memory, err);
    status = status == FIRN_OK ? ice_delete_index_open(&table->metadata, table->schema,
                                                       &self->memory, &self->deletes, err)
                               : status;
    status = status == FIRN_OK ? ice_pruner_make(&table->metadata, table->schema, request,
                                                 env->dynamic, &self->memory, &self->pruner, err)
                               : status;
    if (status != FIRN_OK) {
        ice_planner_close(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

static void end_manifest(scan_planner *self) {
    if (self->has_file) {
        pq_window_close(&self->window);
        io_file_release(self->file);
    }
    self->has_file = false;
    self->has_walk = false;
    self->sources = NULL;
    arena_reset(&self->walk_memory);
    arena_reset(&self->block);
}

void ice_planner_close(scan_planner *self) {
    if (self != NULL) {
        end_manifest(self);
        ice_file_cutter_close(&self->cutter);
        ice_pruner_close(self->pruner);
        ice_delete_index_close(self->deletes);
        codec_scratch_close(&self->codecs);
        arena_close(&self->block);
        arena_close(&self->walk_memory);
        arena memory = self->memory;
        arena_close(&memory);
    }
}

void ice_planner_counters(const scan_planner *self, scan_counters *add_to) {
    add_to->manifests += self->counters.manifests;
    add_to->manifests_pruned += self->counters.manifests_pruned;
    add_to->manifest_bytes += self->counters.manifest_bytes;
    add_to->files += self->counters.files;
    add_to->files_pruned_partition += self->counters.files_pruned_partition;
    add_to->files_pruned_bounds += self->counters.files_pruned_bounds;
    add_to->files_pruned_dynamic += self->counters.files_pruned_dynamic;
    add_to->files_covered += self->counters.files_covered;
    add_to->delete_files += ice_delete_index_opened(self->deletes);
}

// ---- Manifests ---------------------------------------------------------------------------------

static firn_status open_manifest(scan_planner *self, const ice_manifest *manifest,
                                 firn_error *err) {
    io_open_options options = {.cancel = self->env->cancel, .is_immutable = true};
    if (!io_path_is_local(manifest->path) && manifest->length > 0) {
        options.has_size = true; // Spares a question to the server.
        options.size = manifest->length;
    }
    uint64_t size;
    TRY(io_file_open(self->env->io, manifest->path, &options, &self->file, err));
    firn_status status = io_file_size(self->file, self->env->cancel, &size, err);
    if (status == FIRN_OK && (size == 0 || size > ICE_MANIFEST_BYTES_MAX)) {
        status = FAIL(err, FIRN_CORRUPT, "a manifest of %llu bytes, 1 to %llu are read",
                      (unsigned long long)size, (unsigned long long)ICE_MANIFEST_BYTES_MAX);
    }
    if (status != FIRN_OK) {
        io_file_release(self->file);
        return status;
    }
    io_request request = {.cancel = self->env->cancel};
    if (self->env->wakeup != NULL) {
        request.waker = io_waker_of(self->env->wakeup);
    }
    pq_window_open(&self->window, self->file, self->env->pool, &request);
    pq_window_begin(&self->window, (pq_chunk_range){.size = size}, (size_t)size);
    self->has_file = true;
    self->counters.manifests++;
    self->counters.manifest_bytes += size;
    return FIRN_OK;
}

// Begins the next manifest of this pass that may have files; *has_one is false behind the last.
static firn_status begin_manifest(scan_planner *self, bool *has_one, firn_error *err) {
    const ice_manifest_list *list = &self->table->manifests;
    *has_one = false;
    while (self->next_manifest < list->count) {
        const ice_manifest *each = &list->items[self->next_manifest++];
        const bool is_empty = each->live_files.is_known && each->live_files.value == 0;
        if (each->has_deletes == self->is_in_data || is_empty) {
            continue;
        }
        if (self->pruner != NULL && ice_prune_manifest(self->pruner, each)) {
            self->counters.manifests_pruned++;
            continue;
        }
        const firn_status status = open_manifest(self, each, err);
        if (status != FIRN_OK) {
            io_path_while(err, "reading the manifest", each->path);
        }
        *has_one = status == FIRN_OK;
        return status;
    }
    return FIRN_OK;
}

static firn_status begin_walk(scan_planner *self, scan_answer *answer, firn_error *err) {
    const ice_manifest *manifest = &self->table->manifests.items[self->next_manifest - 1];
    pq_answer got;
    TRY(pq_window_want(&self->window, (size_t)pq_window_left(&self->window), &got, err));
    *answer = got == PQ_WAIT ? SCAN_WAIT : SCAN_READY;
    if (got == PQ_WAIT) {
        return FIRN_OK;
    }
    const ice_walk_memory memory = {
        .walk = &self->walk_memory, .block = &self->block, .codecs = &self->codecs};
    TRY(ice_walk_open(&self->walk, pq_window_bytes(&self->window), manifest, &self->table->metadata,
                      &memory, err));
    self->has_walk = true;
    return FIRN_OK;
}

// ---- Tasks -------------------------------------------------------------------------------------

static bool is_added(const ice_table *table, const ice_entry *entry) {
    bool is_one = false;
    for (uint32_t i = 0; i < table->added_count; i++) {
        is_one |= table->added[i] == entry->snapshot_id;
    }
    return entry->status == 1 && is_one;
}

static firn_status is_kept(scan_planner *self, const ice_entry *entry, bool *out, firn_error *err) {
    ice_pruned why = ICE_KEPT;
    *out = entry->row_count > 0 && (!self->table->is_incremental || is_added(self->table, entry));
    if (*out && self->pruner != NULL) {
        TRY(ice_prune_file(self->pruner, &self->walk, entry, &why, err));
        *out = why == ICE_KEPT;
    }
    if (entry->content == ICE_DATA) {
        self->counters.files += *out;
        self->counters.files_pruned_partition += why == ICE_BY_PARTITION;
        self->counters.files_pruned_bounds += why == ICE_BY_BOUNDS;
        self->counters.files_pruned_dynamic += why == ICE_BY_DYNAMIC;
    }
    return FIRN_OK;
}

// Identity values stand for columns that the file lacks.
static firn_status take_partition(scan_planner *self, const ice_entry *entry, ice_task *task,
                                  firn_error *err) {
    const ice_spec *spec = self->walk.spec;
    task->spec = spec;
    if (spec->count == 0) {
        return FIRN_OK;
    }
    ice_scalar *values = ARENA_NEW(&self->memory, ice_scalar, spec->count);
    if (values == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < spec->count; i++) {
        values[i] = (ice_scalar){.kind = ICE_SCALAR_NONE};
        const field *source = spec->fields[i].transform.kind == ICE_IDENTITY
                                  ? ice_metadata_field(&self->table->metadata, self->table->schema,
                                                       spec->fields[i].source_id)
                                  : NULL;
        if (source != NULL) {
            values[i] = ice_scalar_of_avro(source->type, &entry->partition[i],
                                           ice_walk_partition_schema(&self->walk, i));
        }
        if (values[i].kind == ICE_SCALAR_BYTES) {
            TRY(bytes_copy(&self->memory, values[i].data, &values[i].data, err));
        }
    }
    task->partition = values;
    return FIRN_OK;
}

// Whether no row of a file has to be looked at to know that all go. Of one that has deletes it is
// not known how many there are.
static firn_status find_covered(scan_planner *self, const ice_entry *entry, ice_task *task,
                                firn_error *err) {
    bool *out = &task->is_covered;
    *out = ice_deletes_is_empty(&task->deletes) && row_files_drops_covered(self->env->row_files);
    if (*out && self->request->filters.count > 0) {
        *out = self->pruner != NULL;
        TRY(*out ? ice_prune_covers(self->pruner, &self->walk, entry, out, err) : FIRN_OK);
    }
    self->counters.files_covered += *out;
    return FIRN_OK;
}

// Enters a data file, which may have no task; *is_entered is false if no row of it is to be read.
static firn_status enter_file(scan_planner *self, const ice_entry *entry, bool *is_entered,
                              firn_error *err) {
    ice_task *task;
    *is_entered = false;
    TRY(ice_file_cutter_task(&self->cutter, entry, &task, err));
    TRY(take_partition(self, entry, task, err));
    if (!self->table->is_incremental) {
        TRY(ice_delete_index_find(self->deletes, &self->walk, entry, &task->deletes, err));
    }
    if (self->request->needs_row_ids) {
        TRY(find_covered(self, entry, task, err));
        TRY(self->sources != NULL
                ? FIRN_OK
                : ice_spec_sources(&self->table->metadata, self->table->schema, self->walk.spec,
                                   &self->walk_memory, &self->sources, err));
        TRY(ice_row_file_add(&self->walk, entry, self->sources, self->env->row_files, task,
                             &self->memory, err));
    }
    if (task->is_covered) {
        return FIRN_OK;
    }
    *is_entered = true;
    return ice_file_cutter_begin(&self->cutter, &self->walk, entry, task, err);
}

// ---- The stream --------------------------------------------------------------------------------

// Walks to the next data file and enters it. `*has_file` is false at the end of the manifest.
static firn_status walk_on(scan_planner *self, bool *has_file, firn_error *err) {
    *has_file = false;
    bool has_entry = true;
    while (has_entry && !*has_file) {
        ice_entry entry;
        bool is_wanted = false;
        TRY(ice_walk_next(&self->walk, &entry, &has_entry, err));
        if (has_entry) {
            TRY(is_kept(self, &entry, &is_wanted, err));
        }
        if (is_wanted && !self->is_in_data) {
            TRY(ice_delete_index_add(self->deletes, &self->walk, &entry, err));
        } else if (is_wanted && entry.content != ICE_DATA) {
            return FAIL(err, FIRN_CORRUPT, "a data manifest has the delete file %.*s",
                        TEXT_ARGS(entry.path));
        } else if (is_wanted) {
            TRY(enter_file(self, &entry, has_file, err));
        }
    }
    return FIRN_OK;
}

static firn_status read_on(scan_planner *self, scan_answer *answer, firn_error *err) {
    bool has_file = false;
    if (!self->has_walk) {
        TRY(begin_walk(self, answer, err));
    }
    if (*answer != SCAN_WAIT) {
        TRY(walk_on(self, &has_file, err));
        if (!has_file) {
            end_manifest(self);
        }
    }
    return FIRN_OK;
}

// Goes on in the manifest at hand, begins the next one, or says that there is no more.
static firn_status go_on(scan_planner *self, scan_answer *answer, firn_error *err) {
    bool has_manifest = self->has_file;
    *answer = SCAN_READY;
    if (!has_manifest) {
        TRY(begin_manifest(self, &has_manifest, err));
    }
    if (has_manifest) {
        const firn_status status = read_on(self, answer, err);
        if (status != FIRN_OK) {
            io_path_while(err, "reading the manifest",
                          self->table->manifests.items[self->next_manifest - 1].path);
        }
        return status;
    }
    if (self->is_in_data) {
        *answer = SCAN_END;
        return FIRN_OK;
    }
    self->is_in_data = true;
    self->next_manifest = 0;
    return ice_delete_index_finish(self->deletes, err);
}

firn_status ice_planner_next(scan_planner *self, const scan_task **out, scan_answer *answer,
                             firn_error *err) {
    const ice_task *task = NULL;
    *answer = SCAN_READY;
    while (*answer == SCAN_READY) {
        TRY(ice_file_cutter_next(&self->cutter, &task, answer, err));
        if (task != NULL) {
            *out = &task->base;
            return FIRN_OK;
        }
        if (*answer == SCAN_WAIT) {
            return FIRN_OK;
        }
        TRY(go_on(self, answer, err));
    }
    return FIRN_OK;
}
