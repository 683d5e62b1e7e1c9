// Reading a task: the content of its delete files first, then the data file, in which deleted
// positions never count; rows that equality deletes hold are taken out of the batches.
#include "memory/text_builder.h"
#include "tables/iceberg/iceberg_snapshot_private.h"
#include "tables/row_change.h"

#define READER_BYTES_MAX ((size_t)1 << 30)

// Equality deletes over the same columns: those of the task, and where the batch has the columns.
typedef struct key_group {
    const ice_key *key;
    uint32_t *columns; // Of the data file's.
    uint32_t set_count;
    const ice_deleted **sets;
} key_group;

struct scan_reader {
    ice_table *table;
    const scan_request *request;
    const ice_task *task;
    const scan_env *env;
    arena memory;
    arena_mark start; // Behind this struct.
    arena work;       // Batches of delete files.
    ice_read read;
    ice_data_reader *data;
    // Delete files that are still to be read.
    uint32_t file_count;
    ice_delete_file **files;
    uint32_t next_file;
    bool takes_all; // Also those that others have begun to read.
    ice_delete_loader *loader;
    bool is_begun;
    uint32_t list_count;
    ice_positions *lists; // Deleted positions.
    uint32_t group_count;
    key_group *groups;
    uint32_t part;
    scan_counters counted; // By equality deletes, and of files before this one.
    column *columns;       // Handed out, if a row id is.
};

// ---- Columns -----------------------------------------------------------------------------------

// What a column is in files that lack it: the partition's value, its default, or null.
static firn_status missing_value(scan_reader *self, const ice_wanted *wanted, const column **out,
                                 firn_error *err) {
    const ice_task *task = self->task;
    const int32_t id = wanted->path[wanted->path_length - 1];
    for (uint32_t i = 0; task->partition != NULL && i < task->spec->count; i++) {
        if (task->spec->fields[i].source_id == id && task->partition[i].kind != ICE_SCALAR_NONE) {
            TRY(ice_scalar_column(wanted->type, &task->partition[i], &self->memory, out, err));
            if (*out != NULL) {
                return FIRN_OK;
            }
        }
    }
    *out = ice_schema_default(self->table->schema, id);
    return FIRN_OK;
}

static firn_status wanted_of(scan_reader *self, const scan_column *from, ice_wanted *out,
                             firn_error *err) {
    int32_t *path = ARENA_NEW(&self->memory, int32_t, from->path_length);
    if (path == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    const field *at = &self->table->schema->columns.fields[from->path[0]];
    path[0] = at->id;
    for (uint32_t i = 1; i < from->path_length; i++) {
        at = &at->type->children[from->path[i]];
        path[i] = at->id;
    }
    *out = (ice_wanted){
        .id = from->id, .path_length = from->path_length, .path = path, .type = from->type};
    return missing_value(self, out, &out->missing, err);
}

static bool is_same(const ice_wanted *left, const ice_wanted *right) {
    return !left->is_position && left->path_length == right->path_length &&
           memcmp(left->path, right->path, left->path_length * sizeof *left->path) == 0 &&
           type_same_values(left->type, right->type);
}

// Columns that equality deletes compare are handed out by the data file too, behind the others.
static firn_status add_keys(scan_reader *self, ice_wanted *columns, uint32_t *count,
                            firn_error *err) {
    for (uint32_t g = 0; g < self->group_count; g++) {
        key_group *group = &self->groups[g];
        for (uint32_t i = 0; i < group->key->count; i++) {
            uint32_t at = 0;
            while (at < *count && !is_same(&columns[at], &group->key->columns[i])) {
                at++;
            }
            if (at == *count) {
                columns[at] = group->key->columns[i];
                TRY(missing_value(self, &columns[at], &columns[at].missing, err));
                *count += 1;
            }
            group->columns[i] = at;
        }
    }
    return FIRN_OK;
}

static firn_status describe(scan_reader *self, firn_error *err) {
    const scan_request *request = self->request;
    size_t most = (size_t)request->column_count + 1;
    for (uint32_t g = 0; g < self->group_count; g++) {
        most += self->groups[g].key->count;
    }
    ice_wanted *columns = ARENA_NEW(&self->memory, ice_wanted, most);
    self->columns = ARENA_NEW(&self->memory, column, most);
    if (columns == NULL || self->columns == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    uint32_t count = 0;
    for (; count < request->output_count; count++) {
        TRY(wanted_of(self, &request->columns[count], &columns[count], err));
    }
    if (request->needs_row_ids) {
        columns[count++] =
            (ice_wanted){.id = UINT32_MAX, .is_position = true, .type = TYPE_OF(UBIGINT)};
    }
    TRY(add_keys(self, columns, &count, err));
    const uint32_t output_count = count;
    for (uint32_t i = request->output_count; i < request->column_count; i++) {
        TRY(wanted_of(self, &request->columns[i], &columns[count++], err));
    }
    self->read = (ice_read){.count = count,
                            .columns = columns,
                            .output_count = output_count,
                            .filters = request->filters,
                            .schema = self->table->schema,
                            .mapping = self->table->metadata.mapping,
                            .part = self->task->part,
                            .row_count = self->task->row_count,
                            .user = self};
    return FIRN_OK;
}

// ---- Opening -----------------------------------------------------------------------------------

static void take_files(scan_reader *self, ice_delete_slice slice) {
    for (uint32_t i = 0; i < slice.count; i++) {
        self->files[self->file_count++] = slice.items[i];
    }
}

static firn_status take_deletes(scan_reader *self, firn_error *err) {
    const ice_deletes *deletes = &self->task->deletes;
    const uint32_t count = deletes->by_path.count + deletes->by_partition.count +
                           deletes->equal.count + deletes->equal_global.count;
    self->files = ARENA_NEW(&self->memory, ice_delete_file *, (size_t)count + 1);
    if (self->files == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    take_files(self, deletes->by_path);
    take_files(self, deletes->by_partition);
    take_files(self, deletes->equal);
    take_files(self, deletes->equal_global);
    return FIRN_OK;
}

firn_status ice_reader_open(table_snapshot *base, const scan_request *request,
                            const scan_task *task, const scan_env *env, scan_reader **out,
                            firn_error *err) {
    arena memory = arena_open_in(env->pool, READER_BYTES_MAX);
    scan_reader *self = ARENA_NEW(&memory, scan_reader, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (scan_reader){.table = ice_table_of(base),
                          .request = request,
                          .task = (const ice_task *)task,
                          .env = env,
                          .memory = memory,
                          .work = arena_open_in(env->pool, READER_BYTES_MAX)};
    self->start = arena_mark_take(&self->memory);
    const firn_status status = take_deletes(self, err);
    if (status != FIRN_OK) {
        ice_reader_close(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

void ice_reader_close(scan_reader *self) {
    if (self != NULL) {
        ice_data_close(self->data);
        ice_delete_loader_close(self->loader);
        arena_close(&self->work);
        arena memory = self->memory;
        arena_close(&memory);
    }
}

// Goes on with another file: all that was of the one before goes, but what was counted.
static firn_status change_file(scan_reader *self, const ice_task *task, firn_error *err) {
    scan_counters counted = {0};
    ice_reader_counters(self, &counted);
    ice_data_close(self->data);
    ice_delete_loader_close(self->loader);
    arena_rewind(&self->memory, self->start);
    *self = (scan_reader){.table = self->table,
                          .request = self->request,
                          .task = task,
                          .env = self->env,
                          .memory = self->memory,
                          .start = self->start,
                          .work = self->work,
                          .counted = counted};
    return take_deletes(self, err);
}

firn_status ice_reader_reopen(scan_reader *self, const scan_task *task, firn_error *err) {
    const ice_task *next = (const ice_task *)task;
    const bool is_same = self->is_begun && next->file_number == self->task->file_number &&
                         self->data->kind->reopen != NULL;
    if (!is_same) {
        return change_file(self, next, err);
    }
    self->task = next;
    self->part = 0;
    self->read.part = next->part;
    return self->data->kind->reopen(self->data, err);
}

// ---- Deletes -----------------------------------------------------------------------------------

// Whether this reader is to read a delete file. Readers of one data file begin at once and share
// them; what is left then is not waited for.
static bool claim(scan_reader *self, ice_delete_file *file) {
    return atomic_load_explicit(&file->loaded, memory_order_acquire) == NULL &&
           (self->loader != NULL || self->takes_all ||
            !atomic_exchange_explicit(&file->is_begun, true, memory_order_relaxed));
}

// Reads the content of delete files that nobody has read yet.
static firn_status load_deletes(scan_reader *self, scan_answer *answer, firn_error *err) {
    *answer = SCAN_READY;
    while (self->next_file < self->file_count || !self->takes_all) {
        if (self->next_file == self->file_count) {
            self->takes_all = true;
            self->next_file = 0;
            continue;
        }
        ice_delete_file *file = self->files[self->next_file];
        if (claim(self, file)) {
            if (self->loader == NULL) {
                TRY(ice_delete_loader_open(file, self->env, &self->loader, err));
            }
            TRY(ice_delete_loader_next(self->loader, &self->work, answer, err));
            if (*answer == SCAN_WAIT) {
                return FIRN_OK;
            }
        }
        ice_delete_loader_close(self->loader);
        self->loader = NULL;
        self->next_file++;
    }
    *answer = SCAN_READY;
    return FIRN_OK;
}

static firn_status add_to_group(scan_reader *self, const ice_delete_file *file,
                                const ice_deleted *content, firn_error *err) {
    uint32_t at = 0;
    while (at < self->group_count && self->groups[at].key != file->key) {
        at++;
    }
    key_group *group = &self->groups[at];
    if (at == self->group_count) {
        *group = (key_group){.key = file->key};
        group->columns = ARENA_NEW(&self->memory, uint32_t, file->key->count);
        group->sets = ARENA_NEW(&self->memory, const ice_deleted *, self->file_count);
        if (group->columns == NULL || group->sets == NULL) {
            return ARENA_FULL(&self->memory, err);
        }
        self->group_count++;
    }
    group->sets[group->set_count++] = content;
    return FIRN_OK;
}

// Which of the loaded deletes are about this file.
static firn_status sort_deletes(scan_reader *self, firn_error *err) {
    self->lists = ARENA_NEW(&self->memory, ice_positions, (size_t)self->file_count + 1);
    self->groups = ARENA_NEW(&self->memory, key_group, (size_t)self->file_count + 1);
    if (self->lists == NULL || self->groups == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < self->file_count; i++) {
        const ice_delete_file *file = self->files[i];
        const ice_deleted *content = atomic_load_explicit(&file->loaded, memory_order_acquire);
        if (file->key != NULL) {
            TRY(add_to_group(self, file, content, err));
            continue;
        }
        self->lists[self->list_count] = ice_deleted_positions(content, self->task->path);
        self->list_count += self->lists[self->list_count].count > 0;
    }
    return FIRN_OK;
}

static bool find_deleted(void *user, uint64_t first, uint32_t count, uint64_t *bits) {
    const scan_reader *self = user;
    bool has_any = false;
    for (uint32_t i = 0; i < self->list_count; i++) {
        const ice_positions *list = &self->lists[i];
        uint64_t low = 0;
        uint64_t high = list->count;
        while (low < high) {
            const uint64_t middle = low + (high - low) / 2;
            if (list->items[middle] < first) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        for (; low < list->count && list->items[low] - first < count; low++) {
            bitmap_set(bits, (size_t)(list->items[low] - first));
            has_any = true;
        }
    }
    return has_any;
}

static firn_status begin(scan_reader *self, firn_error *err) {
    TRY(sort_deletes(self, err));
    TRY(describe(self, err));
    if (self->list_count > 0) {
        self->read.is_deleted = find_deleted;
    }
    TRY(ice_data_open(self->task->path, self->task->format, &self->read, self->env, &self->data,
                      err));
    self->is_begun = true;
    return FIRN_OK;
}

static bool is_in_sets(const key_group *group, const column *const *keys, uint32_t row) {
    const uint64_t hash = ice_key_hash(keys, group->key->count, row);
    for (uint32_t i = 0; i < group->set_count; i++) {
        if (ice_deleted_has_key(group->sets[i], hash, keys, row)) {
            return true;
        }
    }
    return false;
}

// Takes rows whose key is deleted out of the batch.
static firn_status drop_equal(scan_reader *self, arena *scratch, batch *rows, firn_error *err) {
    for (uint32_t g = 0; g < self->group_count; g++) {
        const key_group *group = &self->groups[g];
        const column **keys = ARENA_NEW(scratch, const column *, group->key->count);
        column *flat = ARENA_NEW(scratch, column, group->key->count);
        uint16_t *left = ARENA_NEW(scratch, uint16_t, (size_t)rows->selected_count + 1);
        if (keys == NULL || flat == NULL || left == NULL) {
            return ARENA_FULL(scratch, err);
        }
        for (uint32_t i = 0; i < group->key->count; i++) {
            TRY(column_flatten(scratch, &rows->columns[group->columns[i]], &flat[i], err));
            keys[i] = &flat[i];
        }
        uint32_t count = 0;
        for (uint32_t k = 0; k < rows->selected_count; k++) {
            const uint32_t row = batch_row(rows, k);
            left[count] = (uint16_t)row;
            count += !is_in_sets(group, keys, row);
        }
        if (count < rows->selected_count) {
            self->counted.rows_deleted += rows->selected_count - count;
            rows->selection = left;
            rows->selected_count = count;
        }
    }
    return FIRN_OK;
}

// ---- Batches -----------------------------------------------------------------------------------

// The row's number: its file's in the scan, and its position there.
static firn_status make_row_ids(scan_reader *self, arena *scratch, batch *rows, firn_error *err) {
    const uint32_t at = self->request->output_count;
    column position;
    column *ids = &self->columns[at];
    for (uint32_t i = 0; i < at; i++) {
        self->columns[i] = rows->columns[i];
    }
    TRY(column_flatten(scratch, &rows->columns[at], &position, err));
    TRY(column_new(scratch, TYPE_OF(UBIGINT), rows->row_count, ids, err));
    const uint64_t *positions = COLUMN_VALUES(&position, uint64_t);
    for (uint32_t k = 0; k < rows->selected_count; k++) { // Of others there may be no position.
        const uint32_t row = batch_row(rows, k);
        if (positions[row] >= self->task->row_count) {
            return FAIL(err, FIRN_CORRUPT, "%.*s: more rows than the %llu that its manifest says",
                        TEXT_ARGS(self->task->path), (unsigned long long)self->task->row_count);
        }
        COLUMN_OUT(ids, uint64_t)[row] = row_id_make(self->task->file_number, positions[row]);
    }
    rows->columns = self->columns;
    return FIRN_OK;
}

static firn_status read_batch(scan_reader *self, arena *scratch, batch *out, scan_answer *answer,
                              firn_error *err) {
    const scan_request *request = self->request;
    const arena_mark mark = arena_mark_take(scratch);
    do {
        arena_rewind(scratch, mark); // Batches without a row leave nothing behind.
        TRY(self->data->kind->next(self->data, scratch, out, answer, err));
        if (*answer != SCAN_READY) {
            return FIRN_OK;
        }
        TRY(drop_equal(self, scratch, out, err));
    } while (out->selected_count == 0);
    if (request->needs_row_ids) {
        TRY(make_row_ids(self, scratch, out, err));
    }
    out->column_count = request->output_count + request->needs_row_ids;
    out->sequence.part = self->part++;
    return FIRN_OK;
}

firn_status ice_reader_next(scan_reader *self, arena *scratch, batch *out, scan_answer *answer,
                            firn_error *err) {
    if (!self->is_begun) {
        TRY(load_deletes(self, answer, err));
        if (*answer == SCAN_WAIT) {
            return FIRN_OK;
        }
        TRY(begin(self, err));
    }
    return read_batch(self, scratch, out, answer, err);
}

void ice_reader_counters(const scan_reader *self, scan_counters *add_to) {
#define X(member, words) add_to->member += self->counted.member;
    SCAN_COUNTER_LIST(X)
#undef X
    if (self->data != NULL) {
        self->data->kind->counters(self->data, add_to);
    }
}
