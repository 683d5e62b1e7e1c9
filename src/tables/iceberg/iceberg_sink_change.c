#include "tables/iceberg/iceberg_sink_change.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/host.h"
#include "memory/arena_grow.h"
#include "tables/iceberg/iceberg_change_rows.h"
#include "tables/iceberg/iceberg_partition.h"
#include "tables/iceberg/iceberg_sink_change_private.h"
#include "tables/iceberg/iceberg_snapshot.h"

// ---- Properties --------------------------------------------------------------------------------

static const char *name_of(change_kind kind) {
    return kind == CHANGE_DELETE ? "delete" : kind == CHANGE_UPDATE ? "update" : "merge";
}

// Whether a property is `other` and not `usual`, which it is where nobody says anything.
static firn_status read_choice(const row_sink_request *request, const char *ending,
                               const char *usual, const char *other, bool *is_other,
                               firn_error *err) {
    char key[64];
    text value = text_of(usual);
    (void)snprintf(key, sizeof key, "write.%s.%s", name_of(request->kind), ending);
    (void)ice_metadata_property(ice_table_metadata(request->base), text_of(key), &value);
    for (size_t i = 0; i < request->option_count; i++) {
        if (strcmp(request->options[i].key, key) == 0) {
            value = text_of(request->options[i].value);
        }
    }
    return ice_choice_read(text_of(key), value, usual, other, is_other, err);
}

firn_status ice_sink_isolation(const row_sink_request *request, isolation *out, firn_error *err) {
    bool is_snapshot;
    *out = request->isolation;
    if (request->kind == CHANGE_APPEND || request->kind == CHANGE_OVERWRITE) {
        // Nothing was read.
        *out = *out == ISOLATION_SERIALIZABLE && request->kind == CHANGE_OVERWRITE
                   ? ISOLATION_SERIALIZABLE
                   : ISOLATION_SNAPSHOT;
        return FIRN_OK;
    }
    if (*out != ISOLATION_TABLE) {
        return FIRN_OK;
    }
    TRY(read_choice(request, "isolation-level", ICE_ISOLATIONS, &is_snapshot, err));
    *out = is_snapshot ? ISOLATION_SNAPSHOT : ISOLATION_SERIALIZABLE;
    return FIRN_OK;
}

static firn_status read_mode(ice_sink_change *self, const row_sink_request *request,
                             firn_error *err) {
    const ice_metadata *table = ice_table_metadata(request->base);
    text granularity;
    TRY(read_choice(request, "mode", ICE_MODES, &self->merges_on_read, err));
    self->merges_on_read &= table->format_version > 1;
    self->by_partition = ice_metadata_property(table, TEXT(ICE_GRANULARITY), &granularity) &&
                         text_equal_nocase(granularity, TEXT("partition"));
    return FIRN_OK;
}

// ---- Opening -----------------------------------------------------------------------------------

firn_status ice_sink_change_open(const row_sink_request *request, const scan_env *env,
                                 ice_sink_files *files, const ice_file_form *data,
                                 ice_sink_change **out, firn_error *err) {
    ice_sink_change *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    *self = (ice_sink_change){.base = request->base,
                              .row_files = request->files,
                              .files = files,
                              .data = data,
                              .env = *env,
                              .memory = arena_open_in(env->pool, SIZE_MAX)};
    mutex_begin(&self->lock, MUTEX_OPERATOR);
    const firn_status status = read_mode(self, request, err);
    if (status != FIRN_OK) {
        ice_sink_change_close(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

void ice_sink_change_close(ice_sink_change *self) {
    if (self != NULL) {
        ice_rewrites_close(self);
        arena_close(&self->memory);
        mutex_end(&self->lock);
        host_free(self);
    }
}

// ---- Rows --------------------------------------------------------------------------------------

static int8_t action_of(const batch *rows, uint32_t row) {
    const column *actions = &rows->columns[rows->column_count - 2];
    return COLUMN_VALUES(column_lanes(actions), int8_t)[column_lane(actions, row)];
}

static uint64_t id_of(const batch *rows, uint32_t row) {
    const column *ids = &rows->columns[rows->column_count - 1];
    return COLUMN_VALUES(column_lanes(ids), uint64_t)[column_lane(ids, row)];
}

batch ice_sink_change_added(const batch *rows, uint16_t *selection) {
    batch added = *rows;
    uint32_t count = 0;
    for (uint32_t k = 0; k < rows->selected_count; k++) {
        const uint32_t row = batch_row(rows, k);
        const int8_t action = action_of(rows, row);
        selection[count] = (uint16_t)row;
        count += action == ROW_INSERT || action == ROW_UPDATE;
    }
    added.column_count -= 2;
    added.selection = selection;
    added.selected_count = count;
    return added;
}

static firn_status find_set(ice_sink_change *self, uint64_t file, ice_row_set **out,
                            firn_error *err) {
    if (file < self->set_count && self->sets[file] != NULL) {
        *out = self->sets[file];
        return FIRN_OK;
    }
    if (self->row_files == NULL || file >= row_files_count(self->row_files)) {
        return FAIL(err, FIRN_INTERNAL, "file %llu is none of the scan's",
                    (unsigned long long)file);
    }
    const uint32_t ordinal = (uint32_t)file;
    if (ordinal >= self->set_count) {
        const uint32_t count = ordinal < 32 ? 64 : ordinal * 2;
        ice_row_set **sets = ARENA_NEW(&self->memory, ice_row_set *, count);
        if (sets == NULL) {
            return ARENA_FULL(&self->memory, err);
        }
        for (uint32_t i = 0; i < count; i++) {
            sets[i] = i < self->set_count ? self->sets[i] : NULL;
        }
        self->sets = sets;
        self->set_count = count;
    }
    if (self->sets[ordinal] == NULL) {
        ice_row_set *made = ARENA_NEW(&self->memory, ice_row_set, 1);
        if (made == NULL) {
            return ARENA_FULL(&self->memory, err);
        }
        TRY(ice_row_set_open(made, ice_row_file_at(self->row_files, ordinal).row_count,
                             &self->memory, err));
        self->sets[ordinal] = made;
    }
    *out = self->sets[ordinal];
    return FIRN_OK;
}

static firn_status take_row(ice_sink_change *self, uint64_t id, bool is_deleted, firn_error *err) {
    ice_row_set *set;
    bool is_new;
    TRY(find_set(self, row_id_file(id), &set, err));
    if (row_id_position(id) >= set->row_count) {
        return FAIL(err, FIRN_INTERNAL, "row %llu of a file of %llu",
                    (unsigned long long)row_id_position(id), (unsigned long long)set->row_count);
    }
    TRY(ice_row_set_add(set, row_id_position(id), &self->memory, &is_new, err));
    self->changed_rows += is_new;
    return is_new || is_deleted ? FIRN_OK
                                : FAIL_SQL(err, FIRN_INVALID, "21000", NO_POSITION,
                                           "a row of the table \"%.*s\" would be changed twice",
                                           TEXT_ARGS(self->base->ref.name));
}

firn_status ice_sink_change_tell(ice_sink_change *self, ice_noted_rows *noted, firn_error *err) {
    firn_status status = FIRN_OK;
    mutex_lock(&self->lock);
    self->changed_rows += noted->inserted;
    for (uint32_t i = 0; i < noted->count && status == FIRN_OK; i++) {
        status = take_row(self, noted->ids[i], noted->are_deleted[i], err);
    }
    mutex_unlock(&self->lock);
    noted->inserted = 0;
    noted->count = 0;
    return status;
}

firn_status ice_sink_change_take(ice_sink_change *self, ice_noted_rows *noted, const batch *rows,
                                 firn_error *err) {
    if (rows->selected_count > ICE_NOTED_MAX - noted->count) {
        TRY(ice_sink_change_tell(self, noted, err));
    }
    for (uint32_t k = 0; k < rows->selected_count; k++) {
        const uint32_t row = batch_row(rows, k);
        const int8_t action = action_of(rows, row);
        noted->inserted += action == ROW_INSERT;
        noted->ids[noted->count] = id_of(rows, row);
        noted->are_deleted[noted->count] = action == ROW_DELETE;
        noted->count += action == ROW_UPDATE || action == ROW_DELETE; // ROW_KEEP stays.
    }
    return FIRN_OK;
}

// ---- What is to be written ---------------------------------------------------------------------

firn_status ice_pending_prepare(ice_sink_change *self, uint32_t count, firn_error *err) {
    self->pending = ARENA_NEW(&self->memory, uint32_t, (size_t)count + 1);
    if (self->pending == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (; self->pending_count < count; self->pending_count++) {
        self->pending[self->pending_count] = count - 1 - self->pending_count;
    }
    return FIRN_OK;
}

bool ice_pending_take(ice_sink_change *self, uint32_t *out) {
    mutex_lock(&self->lock);
    const bool has_any = self->pending_count > 0;
    if (has_any) {
        *out = self->pending[--self->pending_count];
        self->active_count++;
    }
    mutex_unlock(&self->lock);
    return has_any;
}

void ice_pending_done(ice_sink_change *self) {
    mutex_lock(&self->lock);
    self->active_count--;
    mutex_unlock(&self->lock);
}

bool ice_pending_give_back(ice_sink_change *self, uint32_t which) {
    mutex_lock(&self->lock);
    const bool is_left = self->active_count > 1; // Who comes for it, being through.
    if (is_left) {
        self->active_count--;
        self->pending[self->pending_count++] = which;
    }
    mutex_unlock(&self->lock);
    return is_left;
}

uint32_t ice_pending_workers(const ice_sink_change *self) {
    return self->pending_count < self->env.workers ? self->pending_count : self->env.workers;
}

// ---- What comes of them ------------------------------------------------------------------------

// Old specs may name columns that the table has no more. Names of folders are for people.
firn_status ice_sink_change_folder(const ice_sink_change *self, const ice_row_file *of,
                                   arena *memory, text *out, firn_error *err) {
    ice_partitioner by;
    firn_error local = ERR_INIT;
    const firn_status status =
        ice_partitioner_open(&self->base->columns, of->spec, memory, &by, &local);
    *out = TEXT("");
    if (status_is_refusal(status)) {
        *err = local;
        return status;
    }
    return status == FIRN_OK ? ice_partition_folder(&by, of->partition, memory, out, err) : FIRN_OK;
}

static int compare_touched(const void *left, const void *right) {
    const ice_touched *l = left;
    const ice_touched *r = right;
    const int partition = text_compare(l->partition, r->partition);
    return partition != 0 ? partition : text_compare(l->path, r->path);
}

static firn_status describe(ice_sink_change *self, uint32_t ordinal, ice_touched *out,
                            firn_error *err) {
    *out = (ice_touched){.ordinal = ordinal,
                         .path = row_files_path(self->row_files, ordinal),
                         .is = ice_row_file_at(self->row_files, ordinal),
                         .rows = self->sets[ordinal]};
    text_builder key = text_builder_open(&self->memory);
    ice_partition_key(out->is.spec->id, out->is.spec->count, out->is.partition, &key);
    return text_builder_finish(&key, &out->partition, err);
}

// Takes in a file of which rows go, or all.
static firn_status add_file(ice_sink_change *self, uint32_t ordinal, firn_error *err) {
    const ice_row_set *rows = ordinal < self->set_count ? self->sets[ordinal] : NULL;
    const ice_row_file is = ice_row_file_at(self->row_files, ordinal);
    const text path = row_files_path(self->row_files, ordinal);
    self->changed_rows += is.is_covered ? is.row_count : 0;
    if (!is.is_covered && rows == NULL) {
        return FIRN_OK;
    }
    const bool is_gone = is.is_covered || rows->count == is.row_count;
    if (is_gone || !self->merges_on_read) {
        self->removed[self->removed_count++] = path;
    } else {
        self->referenced[self->referenced_count++] = path;
    }
    return is_gone ? FIRN_OK : describe(self, ordinal, &self->touched[self->touched_count++], err);
}

firn_status ice_sink_change_finish(ice_sink_change *self, uint32_t *piece_count, firn_error *err) {
    const uint32_t count = self->row_files == NULL ? 0 : row_files_count(self->row_files);
    self->touched = ARENA_NEW(&self->memory, ice_touched, (size_t)count + 1);
    self->removed = ARENA_NEW(&self->memory, text, (size_t)count + 1);
    self->referenced = ARENA_NEW(&self->memory, text, (size_t)count + 1);
    if (self->touched == NULL || self->removed == NULL || self->referenced == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        TRY(add_file(self, i, err));
    }
    if (self->touched_count > 0) {
        qsort(self->touched, self->touched_count, sizeof *self->touched, compare_touched);
    }
    TRY(self->merges_on_read ? ice_deletes_prepare(self, err) : ice_rewrites_prepare(self, err));
    *piece_count = self->merges_on_read ? ice_pending_workers(self) : self->rewriter_count;
    return FIRN_OK;
}

firn_status ice_sink_change_run(ice_sink_change *self, uint32_t piece, const scan_env *env,
                                bool *must_wait, firn_error *err) {
    *must_wait = false;
    return self->merges_on_read ? ice_deletes_run(self, env, err)
                                : ice_rewrites_run(self, piece, env, must_wait, err);
}

void ice_sink_change_end(const ice_sink_change *self, ice_row_step *step, uint64_t *changed_rows) {
    step->removed_count = self->removed_count;
    step->removed = self->removed;
    step->referenced_count = self->referenced_count;
    step->referenced = self->referenced;
    *changed_rows = self->changed_rows;
}
