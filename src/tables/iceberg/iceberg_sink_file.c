#include "tables/iceberg/iceberg_sink_file.h"

#include "memory/arena_grow.h"

// ---- The list ----------------------------------------------------------------------------------

void ice_sink_files_begin(ice_sink_files *self, const ice_sink_end *to, table_change *change,
                          const scan_env *env) {
    *self = (ice_sink_files){
        .to = to, .change = change, .io = env->io, .memory = arena_open_in(env->pool, SIZE_MAX)};
    mutex_begin(&self->lock, MUTEX_OPERATOR);
}

void ice_sink_files_end(ice_sink_files *self) {
    while (!self->is_handed_over && self->count > 0) {
        firn_error ignored = ERR_INIT; // It was not finished, or stays as an orphan.
        const text path = self->items[--self->count]->file.path;
        (void)io_remove(self->io, path, &ignored);
        if (self->to->removed != NULL) {
            self->to->removed(self->change, path);
        }
    }
    arena_close(&self->memory);
    mutex_end(&self->lock);
}

static firn_status add(ice_sink_files *self, const ice_added_file *like, text folder,
                       const char *ending, ice_added_file **out, firn_error *err) {
    ice_added_file **items =
        ARENA_GROW(&self->memory, ice_added_file *, self->items, self->count, 1, &self->capacity);
    ice_added_file *made = ARENA_NEW(&self->memory, ice_added_file, 1);
    if (items == NULL || made == NULL) {
        self->items = items == NULL ? self->items : items;
        return ARENA_FULL(&self->memory, err);
    }
    self->items = items;
    *made = *like;
    TRY(self->to->path(self->change, folder, self->count, ending, &self->memory, &made->file.path,
                       err));
    items[self->count++] = made;
    *out = made;
    return FIRN_OK;
}

firn_status ice_sink_files_add(ice_sink_files *self, const ice_added_file *like, text folder,
                               const char *ending, ice_added_file **out, firn_error *err) {
    mutex_lock(&self->lock);
    const firn_status status = add(self, like, folder, ending, out, err);
    mutex_unlock(&self->lock);
    return status;
}

firn_status ice_sink_files_measure(ice_sink_files *self, ice_added_file *made,
                                   const ice_leaf_list *leaves, const pw_report *report,
                                   firn_error *err) {
    mutex_lock(&self->lock);
    const firn_status status = ice_metrics_of(leaves, report, &self->memory, &made->file, err);
    mutex_unlock(&self->lock);
    return status;
}

firn_status ice_sink_files_hand_over(ice_sink_files *self, const ice_row_step *step,
                                     const cancel_flag *cancel, firn_error *err) {
    ice_added_file *all = ARENA_NEW(&self->memory, ice_added_file, (size_t)self->count + 1);
    if (all == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < self->count; i++) {
        all[i] = *self->items[i];
    }
    ice_row_step whole = *step;
    whole.added_count = self->count;
    whole.added = all;
    self->is_handed_over = true;
    return self->to->add(self->change, &whole, cancel, err);
}

// ---- One writer --------------------------------------------------------------------------------

static firn_status next_file(void *user, text partition, text *path, void **file, firn_error *err) {
    (void)partition;
    ice_file_writer *self = user;
    ice_added_file *made;
    TRY(ice_sink_files_add(self->files, &self->like, self->folder, self->form->ending, &made, err));
    *path = made->file.path;
    *file = made;
    return FIRN_OK;
}

static firn_status finished(void *user, void *file, const pw_report *report, firn_error *err) {
    ice_file_writer *self = user;
    return ice_sink_files_measure(self->files, file, &self->form->options->leaves, report, err);
}

firn_status ice_file_writer_open(ice_file_writer *self, ice_sink_files *files,
                                 const ice_file_form *form, const ice_added_file *like, text folder,
                                 const scan_env *env, firn_error *err) {
    static const parquet_lines_user user = {.next = next_file, .finished = finished};
    *self = (ice_file_writer){
        .files = files, .form = form, .like = *like, .folder = folder, .env = *env};
    self->env.workers = 1;
    const parquet_lines_options wanted = {.schema = form->schema,
                                          .writer = &form->options->writer,
                                          .file_size = form->file_size,
                                          .syncs_later = true,
                                          .user = &user,
                                          .of_user = self};
    firn_status status = parquet_lines_open(&wanted, &self->env, &self->lines, err);
    if (status == FIRN_OK) {
        status = parquet_lines_open_worker(self->lines, &self->env, &self->worker, err);
    }
    if (status != FIRN_OK) {
        ice_file_writer_close(self);
    }
    return status;
}

firn_status ice_file_writer_push(ice_file_writer *self, const batch *rows, firn_error *err) {
    bool must_wait;
    return parquet_lines_push(self->worker, rows, &must_wait, err);
}

firn_status ice_file_writer_finish(ice_file_writer *self, firn_error *err) {
    uint32_t piece_count;
    uint64_t row_count;
    bool must_wait;
    TRY(parquet_lines_finish(self->lines, &piece_count, err));
    TRY(parquet_lines_run_piece(self->lines, &self->env, &must_wait, err));
    return parquet_lines_end(self->lines, &row_count, err);
}

void ice_file_writer_close(ice_file_writer *self) {
    parquet_lines_close_worker(self->worker);
    parquet_lines_close(self->lines);
    self->worker = NULL;
    self->lines = NULL;
}
