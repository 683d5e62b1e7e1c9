// Planning: manifests to tasks, as a stream. Delete manifests come first, all of them, since any
// could be about the first data file; then data manifests, one entry at a time.
#include "formats/parquet/pq_window.h"
#include "io/io_path.h"
#include "io/io_wakeup.h"
#include "memory/text_builder.h"
#include "tables/iceberg/iceberg_snapshot_private.h"

#define PLANNER_BYTES_MAX ((size_t)16 << 30)
#define CODEC_BYTES_MAX ((size_t)16 << 20)
// Parquet files longer than this are several tasks; a row group goes to the part it begins in.
#define TASK_BYTES ((uint64_t)64 << 20)

struct scan_planner {
    ice_table *table;
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
    // The rest of a file that becomes several tasks.
    ice_task *last;
    uint64_t rest_from;
    uint64_t rest_end;
    uint64_t number;
    uint64_t file_number;
    scan_counters counters;
};

firn_status ice_plan(table_snapshot *base, const scan_request *request, const scan_env *env,
                     scan_planner **out, firn_error *err) {
    ice_table *table = ice_table_of(base);
    arena memory = arena_open(PLANNER_BYTES_MAX);
    scan_planner *self = ARENA_NEW(&memory, scan_planner, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (scan_planner){.table = table,
                           .env = env,
                           .memory = memory,
                           .walk_memory = arena_open(PLANNER_BYTES_MAX),
                           .block = arena_open(PLANNER_BYTES_MAX),
                           .codecs = codec_scratch_open(CODEC_BYTES_MAX),
                           .is_in_data = table->is_incremental};
    firn_status status =
        ice_delete_index_open(&table->metadata, table->schema, &self->memory, &self->deletes, err);
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
    arena_reset(&self->walk_memory);
    arena_reset(&self->block);
}

void ice_planner_close(scan_planner *self) {
    if (self != NULL) {
        end_manifest(self);
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
    add_to->files += self->counters.files;
    add_to->files_pruned_partition += self->counters.files_pruned_partition;
    add_to->files_pruned_bounds += self->counters.files_pruned_bounds;
    add_to->files_pruned_dynamic += self->counters.files_pruned_dynamic;
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
            err_while(err, "reading the manifest %.*s", TEXT_ARGS(each->path));
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
            text copy;
            TRY(text_copy(
                &self->memory,
                (text){.data = (const char *)values[i].data.data, .size = values[i].data.size},
                &copy, err));
            values[i].data.data = (const uint8_t *)copy.data;
        }
    }
    task->partition = values;
    return FIRN_OK;
}

static bool can_split(const ice_task *task) {
    return text_equal_nocase(task->format, TEXT("parquet"));
}

static firn_status make_task(scan_planner *self, const ice_entry *entry, firn_error *err) {
    ice_task *task = ARENA_NEW(&self->memory, ice_task, 1);
    if (task == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    *task = (ice_task){.to = UINT64_MAX, .file_number = self->file_number++};
    TRY(text_copy(&self->memory, entry->path, &task->path, err));
    TRY(text_copy(&self->memory, entry->format, &task->format, err));
    TRY(take_partition(self, entry, task, err));
    if (!self->table->is_incremental) {
        TRY(ice_delete_index_find(self->deletes, &self->walk, entry, &task->deletes, err));
    }
    const uint64_t count = can_split(task) ? entry->size / TASK_BYTES + 1 : 1;
    task->base = (scan_task){.number = self->number++,
                             .row_estimate = entry->row_count / count,
                             .bytes = entry->size / count,
                             .name = task->path};
    if (count > 1) {
        task->to = TASK_BYTES;
        self->rest_from = TASK_BYTES;
        self->rest_end = entry->size;
    }
    self->last = task;
    return FIRN_OK;
}

// The next part of a long file.
static firn_status make_rest(scan_planner *self, firn_error *err) {
    ice_task *task = ARENA_NEW(&self->memory, ice_task, 1);
    if (task == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    *task = *self->last;
    task->base.number = self->number++;
    task->from = self->rest_from;
    self->rest_from += TASK_BYTES;
    task->to = self->rest_from < self->rest_end ? self->rest_from : UINT64_MAX;
    self->rest_from = task->to == UINT64_MAX ? 0 : self->rest_from;
    self->last = task;
    return FIRN_OK;
}

// ---- The stream --------------------------------------------------------------------------------

// Walks to the next entry that counts. `*has_task` is false at the end of the manifest.
static firn_status walk_on(scan_planner *self, bool *has_task, firn_error *err) {
    *has_task = false;
    bool has_entry = true;
    while (has_entry && !*has_task) {
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
            TRY(make_task(self, &entry, err));
            *has_task = true;
        }
    }
    return FIRN_OK;
}

static firn_status read_on(scan_planner *self, bool *has_task, scan_answer *answer,
                           firn_error *err) {
    *has_task = false;
    *answer = SCAN_READY;
    if (!self->has_walk) {
        TRY(begin_walk(self, answer, err));
    }
    return *answer == SCAN_WAIT ? FIRN_OK : walk_on(self, has_task, err);
}

firn_status ice_planner_next(scan_planner *self, const scan_task **out, scan_answer *answer,
                             firn_error *err) {
    bool has_task = false;
    *answer = SCAN_READY;
    if (self->rest_from > 0) {
        TRY(make_rest(self, err));
        has_task = true;
    }
    while (!has_task) {
        bool has_manifest = self->has_file;
        if (!has_manifest) {
            TRY(begin_manifest(self, &has_manifest, err));
        }
        if (has_manifest) {
            const firn_status status = read_on(self, &has_task, answer, err);
            if (status != FIRN_OK) {
                err_while(err, "reading the manifest %.*s",
                          TEXT_ARGS(self->table->manifests.items[self->next_manifest - 1].path));
                return status;
            }
            if (*answer == SCAN_WAIT) {
                return FIRN_OK;
            }
            if (!has_task) {
                end_manifest(self);
            }
        } else if (self->is_in_data) {
            *answer = SCAN_END;
            return FIRN_OK;
        } else {
            TRY(ice_delete_index_finish(self->deletes, err));
            self->is_in_data = true;
            self->next_manifest = 0;
        }
    }
    *out = &self->last->base;
    return FIRN_OK;
}
