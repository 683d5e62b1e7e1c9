// Copy-on-write: the rows that a data file keeps, in their order, in a file in its place. A
// rewriter is at one file, each worker has one.
#include "base/host.h"
#include "codecs/codec.h"
#include "tables/iceberg/iceberg_sink_change_private.h"

#define CODEC_BYTES_MAX ((size_t)64 << 20)
#define OPEN_TRIES 3

struct ice_rewriter {
    ice_sink_change *of;
    scan_env env;
    codec_scratch codecs;
    arena scratch;
    const ice_touched *file; // NULL: it is at none.
    scan_reader *reader;
    ice_file_writer writer;
};

firn_status ice_rewrites_prepare(ice_sink_change *self, firn_error *err) {
    const schema *columns = &self->base->columns;
    scan_column *made = ARENA_NEW(&self->memory, scan_column, (size_t)columns->count + 1);
    uint32_t *paths = ARENA_NEW(&self->memory, uint32_t, (size_t)columns->count + 1);
    self->rewriters = ARENA_NEW(&self->memory, ice_rewriter *, (size_t)self->env.workers + 1);
    if (made == NULL || paths == NULL || self->rewriters == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < columns->count; i++) {
        paths[i] = i;
        made[i] = (scan_column){.id = i,
                                .path = &paths[i],
                                .path_length = 1,
                                .type = columns->fields[i].type,
                                .name = columns->fields[i].name};
    }
    self->reads = (scan_request){.column_count = columns->count,
                                 .columns = made,
                                 .output_count = columns->count,
                                 .limit = UINT64_MAX,
                                 .needs_row_ids = true};
    TRY(ice_pending_prepare(self, self->touched_count, err));
    while (self->rewriter_count < ice_pending_workers(self)) {
        ice_rewriter *each = ARENA_NEW(&self->memory, ice_rewriter, 1);
        if (each == NULL) {
            return ARENA_FULL(&self->memory, err);
        }
        *each = (ice_rewriter){.of = self,
                               .env = self->env,
                               .codecs = codec_scratch_open_in(self->env.pool, CODEC_BYTES_MAX),
                               .scratch = arena_open_in(self->env.pool, SIZE_MAX)};
        each->env.codecs = &each->codecs;
        each->env.batch_rows = BATCH_ROWS;
        self->rewriters[self->rewriter_count++] = each;
    }
    return FIRN_OK;
}

// ---- A file ------------------------------------------------------------------------------------

static void leave_file(ice_rewriter *self) {
    if (self->reader != NULL) {
        self->of->base->kind->close(self->reader);
        self->reader = NULL;
    }
    ice_file_writer_close(&self->writer);
    self->file = NULL;
}

static firn_status open_file(ice_rewriter *self, const ice_touched *file, firn_error *err) {
    ice_sink_change *of = self->of;
    const ice_added_file like = {
        .spec_id = file->is.spec->id,
        .file = {.content = ICE_DATA, .format = TEXT("PARQUET"), .partition = file->is.partition}};
    text folder;
    self->file = file;
    arena_reset(&self->scratch);
    TRY(ice_sink_change_folder(of, &file->is, &self->scratch, &folder, err));
    TRY(ice_file_writer_open(&self->writer, of->files, of->data, &like, folder, &self->env, err));
    return of->base->kind->open(of->base, &of->reads, file->is.whole, &self->env, &self->reader,
                                err);
}

// Takes one of those that nobody has; *has_file is false if there is none, or no room for another
// rewriter: who is at a file comes for those that are left.
static firn_status next_file(ice_rewriter *self, bool *has_file, firn_error *err) {
    ice_sink_change *of = self->of;
    firn_error local = ERR_INIT;
    uint32_t at;
    *has_file = ice_pending_take(of, &at);
    if (!*has_file) {
        return FIRN_OK;
    }
    firn_status status = open_file(self, &of->touched[at], &local);
    for (uint32_t i = 0; i < OPEN_TRIES && status == FIRN_NO_MEMORY; i++) {
        leave_file(self);
        if (ice_pending_give_back(of, at)) {
            *has_file = false;
            return FIRN_OK;
        }
        local = ERR_INIT;
        status = open_file(self, &of->touched[at], &local);
    }
    if (status != FIRN_OK) {
        *err = local;
    }
    return status;
}

static firn_status copy_rows(ice_rewriter *self, bool *must_wait, firn_error *err) {
    const ice_sink_change *of = self->of;
    const uint32_t width = of->reads.output_count;
    scan_answer answer = SCAN_READY;
    const arena_mark mark = arena_mark_take(&self->scratch);
    while (answer == SCAN_READY) {
        batch rows;
        uint16_t selection[BATCH_ROWS];
        uint32_t count = 0;
        arena_rewind(&self->scratch, mark);
        TRY(cancel_check(self->env.cancel, err));
        TRY(of->base->kind->next(self->reader, &self->scratch, &rows, &answer, err));
        if (answer != SCAN_READY) {
            break;
        }
        const uint64_t *ids = COLUMN_VALUES(&rows.columns[width], uint64_t);
        for (uint32_t k = 0; k < rows.selected_count; k++) {
            const uint32_t row = batch_row(&rows, k);
            selection[count] = (uint16_t)row;
            count += !ice_row_set_has(self->file->rows, row_id_position(ids[row]));
        }
        rows.column_count = width;
        rows.selection = count == rows.row_count ? NULL : selection;
        rows.selected_count = count;
        TRY(ice_file_writer_push(&self->writer, &rows, err));
    }
    arena_rewind(&self->scratch, mark);
    *must_wait = answer == SCAN_WAIT;
    return FIRN_OK;
}

static firn_status run(ice_rewriter *self, bool *must_wait, firn_error *err) {
    bool has_file = true;
    *must_wait = false;
    while (has_file) {
        if (self->file == NULL) {
            TRY(next_file(self, &has_file, err));
        }
        if (has_file) {
            TRY(copy_rows(self, must_wait, err));
            if (*must_wait) {
                return FIRN_OK;
            }
            TRY(ice_file_writer_finish(&self->writer, err));
            leave_file(self);
            ice_pending_done(self->of);
        }
    }
    return FIRN_OK;
}

firn_status ice_rewrites_run(ice_sink_change *self, uint32_t rewriter, const scan_env *env,
                             bool *must_wait, firn_error *err) {
    ice_rewriter *of = self->rewriters[rewriter];
    of->env.wakeup = env->wakeup;
    of->writer.env.wakeup = env->wakeup;
    return run(of, must_wait, err);
}

void ice_rewrites_close(ice_sink_change *self) {
    for (uint32_t i = 0; i < self->rewriter_count; i++) {
        ice_rewriter *each = self->rewriters[i];
        leave_file(each);
        codec_scratch_close(&each->codecs);
        arena_close(&each->scratch);
    }
    self->rewriter_count = 0;
}
