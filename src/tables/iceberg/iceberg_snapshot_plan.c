// Planning: manifests to tasks, as a stream. Delete manifests come first, all of them, since any
// could be about the first data file; then data manifests, one entry at a time.
//
// A Parquet file is several tasks: the first local ones are cut as their footers say, which their
// readers then share; remote ones where their writers say that row groups begin, each part a footer
// more to ask for; others by size, whatever lies in it.
#include <math.h>

#include "formats/parquet/pq_window.h"
#include "io/io_path.h"
#include "io/io_wakeup.h"
#include "memory/text_builder.h"
#include "tables/iceberg/iceberg_snapshot_private.h"

#define PLANNER_BYTES_MAX ((size_t)16 << 30)
#define CODEC_BYTES_MAX ((size_t)16 << 20)
// Parquet files longer than this are several tasks; a row group goes to the part it begins in.
#define TASK_BYTES ((uint64_t)64 << 20)
#define TASKS_MAX 65536 // Of one of these; a manifest may say anything of its size.
// Parts of remote files have so many bytes at least, so that the footer is little beside them.
#define REMOTE_BYTES_MIN ((uint64_t)4 << 20)
// So many files are cut by their footers, or where row groups begin.
#define CUT_MAX 16

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
    // What is left of the file at hand, which becomes several tasks: by its footer ...
    ice_task *last;
    parquet_cutter cutter;
    pq_file_field *fields; // By column of the request.
    uint32_t cut_count;
    pq_file *cut_files[CUT_MAX]; // Tasks borrow them.
    // ... or by size, where row groups begin if that is known.
    uint64_t rest_from;
    uint64_t rest_end;
    uint64_t rest_step;
    const uint64_t *starts; // Of row groups; NULL: not known.
    uint32_t start_count;
    uint64_t number;
    uint64_t file_number;
    scan_counters counters;
};

firn_status ice_plan(table_snapshot *base, const scan_request *request, const scan_env *env,
                     scan_planner **out, firn_error *err) {
    ice_table *table = ice_table_of(base);
    arena memory = arena_open(PLANNER_BYTES_MAX);
    scan_planner *self = ARENA_NEW(&memory, scan_planner, 1);
    pq_file_field *fields = ARENA_NEW(&memory, pq_file_field, (size_t)request->column_count + 1);
    if (self == NULL || fields == NULL) {
        firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    *self = (scan_planner){.table = table,
                           .request = request,
                           .fields = fields,
                           .env = env,
                           .memory = memory,
                           .walk_memory = arena_open(PLANNER_BYTES_MAX),
                           .block = arena_open(PLANNER_BYTES_MAX),
                           .codecs = codec_scratch_open(CODEC_BYTES_MAX),
                           .is_in_data = table->is_incremental};
    parquet_cutter_open(&self->cutter, env);
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
        parquet_cutter_close(&self->cutter);
        for (uint32_t i = 0; i < self->cut_count; i++) {
            pq_file_release(self->cut_files[i]);
        }
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

// Opens the file of a task, to be cut as its footer says. What can't be opened is left to the
// reader, which says why.
static pq_file *open_to_cut(scan_planner *self, const ice_task *task) {
    const pq_file_options parquet = ice_parquet_options();
    const io_open_options options = {.cancel = self->env->cancel, .is_immutable = true};
    io_file *input = NULL;
    pq_file *file = NULL;
    firn_error ignored = ERR_INIT;
    if (self->cut_count < CUT_MAX && io_path_is_local(task->path) &&
        io_file_open(self->env->io, task->path, &options, &input, &ignored) == FIRN_OK &&
        pq_file_open(input, &parquet, self->env->pool, self->env->cancel, &file, &ignored) ==
            FIRN_OK) {
        self->cut_files[self->cut_count++] = file;
    }
    io_file_release(input);
    return file;
}

// Of the tasks that the table should have, a file's are as many as it has rows of all: the nearest
// number, for three files rounded up would be cut where their row groups are enough.
static uint64_t wanted_tasks(const scan_planner *self, const ice_entry *entry) {
    const ice_table *table = self->table;
    const double tasks = self->env->workers * (double)PARQUET_TASKS_PER_WORKER;
    const double rows = (double)entry->row_count;
    const bool is_part = table->base.rows.is_known && table->base.rows.value > rows;
    const double wanted = is_part ? round(tasks * (rows / table->base.rows.value)) : tasks;
    return wanted > 1 ? (uint64_t)wanted : 1;
}

static firn_status begin_cut(scan_planner *self, const ice_entry *entry, const pq_file *file,
                             firn_error *err) {
    const ice_table *table = self->table;
    const parquet_cut_sizes sizes = parquet_cut_sizes_for(
        entry->row_count, pq_file_row_group_count(file), wanted_tasks(self, entry), self->env);
    for (uint32_t i = 0; i < self->request->column_count; i++) {
        const uint32_t number = self->request->columns[i].path[0];
        const ice_mapping *below;
        self->fields[i] = ice_parquet_find(file, table->metadata.mapping,
                                           &table->schema->columns.fields[number].id, 1, &below);
    }
    return parquet_cutter_begin(&self->cutter, file, sizes, self->fields,
                                self->request->column_count, err);
}

// Another task for the file at hand.
static firn_status add_task(scan_planner *self, firn_error *err) {
    ice_task *task = ARENA_NEW(&self->memory, ice_task, 1);
    if (task == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    *task = *self->last;
    task->base.number = self->number++;
    self->last = task;
    return FIRN_OK;
}

// Where the part that begins at rest_from ends: at the first row group that is far enough.
static uint64_t end_of_part(const scan_planner *self) {
    const uint64_t to = self->rest_from + self->rest_step;
    for (uint32_t i = 0; i < self->start_count; i++) {
        if (self->starts[i] >= to) {
            return self->starts[i];
        }
    }
    return self->start_count > 0 ? self->rest_end : to;
}

// Cuts the file at hand by size. The number of its parts, about; 1: it stays whole.
static uint64_t begin_split(scan_planner *self, const ice_entry *entry) {
    const uint64_t least = entry->size / TASKS_MAX + 1;
    const bool may_know = self->env->workers > 1 && self->file_number <= CUT_MAX &&
                          entry->size >= 2 * REMOTE_BYTES_MIN;
    uint64_t step = TASK_BYTES;
    self->start_count =
        may_know ? ice_walk_split_offsets(&self->walk, entry, &self->memory, &self->starts) : 0;
    if (self->start_count > 1) {
        const uint64_t even = entry->size / wanted_tasks(self, entry) + 1;
        step = even < REMOTE_BYTES_MIN ? REMOTE_BYTES_MIN : even;
        step = step < TASK_BYTES ? step : TASK_BYTES;
    } else {
        self->start_count = 0;
    }
    self->rest_step = step > least ? step : least;
    self->rest_from = 0;
    self->rest_end = entry->size;
    return entry->size / self->rest_step + 1;
}

// The next task of the file at hand; *has_task is false behind its last.
static firn_status go_on(scan_planner *self, bool *has_task, firn_error *err) {
    parquet_part part;
    uint64_t rows;
    *has_task = false;
    if (self->cutter.file != NULL) {
        TRY(parquet_cutter_next(&self->cutter, &part, &rows, has_task, err));
        if (*has_task) {
            TRY(add_task(self, err));
            self->last->part.part = part;
            self->last->base.row_estimate = rows;
        }
    } else if (self->rest_from < self->rest_end) {
        TRY(add_task(self, err));
        const uint64_t to = end_of_part(self);
        self->last->part.begins_from = self->rest_from;
        self->last->part.begins_to = to < self->rest_end ? to : UINT64_MAX;
        self->rest_from = to;
        *has_task = true;
    }
    return FIRN_OK;
}

// Enters a data file: its first task, which may have no rows.
static firn_status make_task(scan_planner *self, const ice_entry *entry, bool *has_task,
                             firn_error *err) {
    ice_task *task = ARENA_NEW(&self->memory, ice_task, 1);
    if (task == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    *task = (ice_task){.part = {.part = PARQUET_WHOLE},
                       .row_count = entry->row_count,
                       .file_number = self->file_number++};
    TRY(text_copy(&self->memory, entry->path, &task->path, err));
    TRY(text_copy(&self->memory, entry->format, &task->format, err));
    TRY(take_partition(self, entry, task, err));
    if (!self->table->is_incremental) {
        TRY(ice_delete_index_find(self->deletes, &self->walk, entry, &task->deletes, err));
    }
    const bool is_parquet = text_equal_nocase(task->format, TEXT("parquet"));
    task->part.file = is_parquet ? open_to_cut(self, task) : NULL;
    const uint64_t count = is_parquet && task->part.file == NULL ? begin_split(self, entry) : 1;
    task->base = (scan_task){
        .row_estimate = entry->row_count / count, .bytes = entry->size / count, .name = task->path};
    self->last = task;
    if (task->part.file != NULL) {
        TRY(begin_cut(self, entry, task->part.file, err));
    }
    if (task->part.file != NULL || count > 1) {
        return go_on(self, has_task, err);
    }
    self->rest_end = 0;
    task->base.number = self->number++;
    *has_task = true;
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
            TRY(make_task(self, &entry, has_task, err));
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
    TRY(go_on(self, &has_task, err));
    while (!has_task) {
        bool has_manifest = self->has_file;
        if (!has_manifest) {
            TRY(begin_manifest(self, &has_manifest, err));
        }
        if (has_manifest) {
            const firn_status status = read_on(self, &has_task, answer, err);
            if (status != FIRN_OK) {
                io_path_while(err, "reading the manifest",
                              self->table->manifests.items[self->next_manifest - 1].path);
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
