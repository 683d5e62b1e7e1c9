// Position deletes: the paths of data files and positions in them, sorted by both.
//
// Specification: apache/iceberg, format/spec.md, "Position Delete Files".
#include "tables/iceberg/iceberg_delete.h"
#include "tables/iceberg/iceberg_sink_change_private.h"
#include "tables/iceberg/iceberg_snapshot.h"

#define OPEN_TRIES 3

// Readers find the data file by the bounds of the paths: whole ones.
static firn_status set_metrics(ice_sink_change *self, firn_error *err) {
    ice_leaf_list *leaves = &self->delete_options.leaves;
    pw_leaf_options *options = ARENA_NEW(&self->memory, pw_leaf_options, (size_t)leaves->count + 1);
    if (options == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < leaves->count; i++) {
        leaves->items[i].mode = (ice_metrics_mode){.kind = ICE_METRICS_FULL};
        options[i] = self->delete_options.writer.leaf;
        options[i].statistics = PW_STATISTICS_BOUNDS;
        options[i].bound_bytes = ice_leaf_bound_bytes(&leaves->items[i]);
    }
    // Positions rise, and none comes twice. Java reads them by parquet-mr, which has the encoding,
    // and not by the readers of columns of Spark, which lack it.
    options[leaves->count - 1].encodings = PW_DELTA_INTEGERS;
    self->delete_options.writer.leaves = options;
    return FIRN_OK;
}

static firn_status make_form(ice_sink_change *self, firn_error *err) {
    static const field fields[] = {
        {.name = {.data = "file_path", .size = 9}, .id = ICE_DELETE_PATH_ID},
        {.name = {.data = "pos", .size = 3}, .id = ICE_DELETE_POSITION_ID},
    };
    field *made = ARENA_NEW(&self->memory, field, 2);
    schema *columns = ARENA_NEW(&self->memory, schema, 1);
    if (made == NULL || columns == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    made[0] = fields[0];
    made[1] = fields[1];
    made[0].type = TYPE_OF(VARCHAR);
    made[1].type = TYPE_OF(BIGINT);
    *columns = (schema){.count = 2, .fields = made};
    TRY(ice_delete_options_make(ice_table_metadata(self->base), columns, &self->memory,
                                &self->delete_options, err));
    TRY(set_metrics(self, err));
    self->deletes = (ice_file_form){.options = &self->delete_options, .ending = ".deletes.parquet"};
    return pw_schema_make(columns, &self->memory, &self->deletes.schema, err);
}

firn_status ice_deletes_prepare(ice_sink_change *self, firn_error *err) {
    self->groups = ARENA_NEW(&self->memory, ice_delete_group, (size_t)self->touched_count + 1);
    if (self->groups == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < self->touched_count; i++) {
        const bool is_same = i > 0 && self->by_partition &&
                             text_equal(self->touched[i].partition, self->touched[i - 1].partition);
        if (!is_same) {
            self->groups[self->group_count++] = (ice_delete_group){.first = i};
        }
        self->groups[self->group_count - 1].count++;
    }
    TRY(ice_pending_prepare(self, self->group_count, err));
    return self->group_count == 0 ? FIRN_OK : make_form(self, err);
}

// The next positions; *from becomes where those behind them begin.
static firn_status fill_batch(const ice_touched *of, uint64_t *from, arena *memory,
                              column columns[2], batch *out, firn_error *err) {
    string_value *path = ARENA_NEW(memory, string_value, 1);
    if (path == NULL || !string_new(memory, of->path.data, of->path.size, path)) {
        return ARENA_FULL(memory, err);
    }
    TRY(column_new(memory, TYPE_OF(BIGINT), BATCH_ROWS, &columns[1], err));
    const uint32_t count =
        ice_row_set_take(of->rows, from, COLUMN_OUT(&columns[1], int64_t), BATCH_ROWS);
    columns[0] =
        (column){.type = TYPE_OF(VARCHAR), .form = FORM_CONSTANT, .length = count, .values = path};
    columns[1].length = count;
    *out = batch_of(columns, 2, count);
    return FIRN_OK;
}

static firn_status write_one(const ice_touched *of, ice_file_writer *to, arena *scratch,
                             firn_error *err) {
    uint64_t from = 0;
    batch rows = {.selected_count = 1};
    while (rows.selected_count > 0) {
        column columns[2];
        const arena_mark mark = arena_mark_take(scratch);
        TRY(fill_batch(of, &from, scratch, columns, &rows, err));
        TRY(ice_file_writer_push(to, &rows, err));
        arena_rewind(scratch, mark);
    }
    return FIRN_OK;
}

static firn_status open_group(ice_sink_change *self, const ice_delete_group *group,
                              const scan_env *env, arena *scratch, ice_file_writer *to,
                              firn_error *err) {
    const ice_touched *first = &self->touched[group->first];
    const ice_added_file like = {
        .spec_id = first->is.spec->id,
        .file = {.content = ICE_POSITION_DELETES,
                 .format = TEXT("PARQUET"),
                 .partition = first->is.partition,
                 .sort_order_id = -1, // Readers know it, and Java says none.
                 .referenced_file = group->count == 1 ? first->path : TEXT("")}};
    text folder;
    TRY(ice_sink_change_folder(self, &first->is, scratch, &folder, err));
    return ice_file_writer_open(to, self->files, &self->deletes, &like, folder, env, err);
}

static firn_status write_group(ice_sink_change *self, const ice_delete_group *group, arena *scratch,
                               ice_file_writer *to, firn_error *err) {
    for (uint32_t i = 0; i < group->count; i++) {
        TRY(write_one(&self->touched[group->first + i], to, scratch, err));
    }
    return ice_file_writer_finish(to, err);
}

// One file after the other; one that finds no room leaves them to others.
firn_status ice_deletes_run(ice_sink_change *self, const scan_env *env, firn_error *err) {
    arena scratch = arena_open_in(env->pool, SIZE_MAX);
    firn_status status = FIRN_OK;
    uint32_t at;
    while (status == FIRN_OK && ice_pending_take(self, &at)) {
        const ice_delete_group *group = &self->groups[at];
        ice_file_writer writer = {.files = NULL};
        firn_error local = ERR_INIT;
        status = open_group(self, group, env, &scratch, &writer, &local);
        for (uint32_t i = 0; i < OPEN_TRIES && status == FIRN_NO_MEMORY; i++) {
            if (ice_pending_give_back(self, at)) {
                arena_close(&scratch);
                return FIRN_OK;
            }
            local = ERR_INIT;
            status = open_group(self, group, env, &scratch, &writer, &local);
        }
        status = status == FIRN_OK ? write_group(self, group, &scratch, &writer, &local) : status;
        ice_file_writer_close(&writer);
        arena_reset(&scratch);
        if (status == FIRN_OK) {
            ice_pending_done(self);
        } else {
            *err = local;
        }
    }
    arena_close(&scratch);
    return status;
}
