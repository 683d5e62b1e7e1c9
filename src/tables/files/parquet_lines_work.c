// What workers do: lanes that are behind, and finished groups that go into files.
#include "tables/files/parquet_lines_private.h"

// That a worker takes of a lane at once.
#define LANE_ROWS 16384
#define LANE_ITEMS 64

// ---- Lanes -------------------------------------------------------------------------------------

static firn_status work_on(parquet_lines *self, uint32_t column, const item *what, pw_worker *with,
                           firn_error *err) {
    pw_group *group = what->group->group;
    if (what->rows == NULL) {
        return pw_group_finish_column(group, column, with, err);
    }
    const arena_mark mark = arena_mark_take(&with->scratch);
    batch rows;
    TRY(batch_part(&with->scratch, &what->rows->rows, what->from, what->count, &rows, err));
    TRY(pw_group_put_column(group, column, &rows, with, err));
    arena_rewind(&with->scratch, mark);
    return cancel_check(self->env.cancel, err);
}

void lines_measure_lane(const parquet_lines *self, uint32_t column, const out_group *at,
                        lane_measure *out) {
    const pq_node *node = &self->schema->tree->root.children[column];
    *out = (lane_measure){.size = 0};
    for (uint32_t i = node->first_leaf; i < node->first_leaf + node->leaf_count; i++) {
        out->size += pw_chunk_size(at->group->chunks[i]);
        out->memory += pw_chunk_memory(at->group->chunks[i]);
    }
}

// The lane that is behind the others, of those that nobody has.
static uint32_t find_lane(const parquet_lines *self) {
    uint32_t found = self->width;
    for (uint32_t i = 0; i < self->width; i++) {
        const lane *each = &self->lanes[i];
        if (!each->is_claimed && each->next != NULL &&
            (found == self->width || each->done < self->lanes[found].done)) {
            found = i;
        }
    }
    return found;
}

// The next items of a lane: until a group ends, for others may go on with it before the next one
// begins here.
static uint32_t take_items(const lane *self, item **items) {
    uint32_t count = 0;
    uint32_t rows = 0;
    bool is_end = false;
    for (item *each = self->next; each != NULL && count < LANE_ITEMS && rows < LANE_ROWS && !is_end;
         each = each->following) {
        items[count++] = each;
        rows += each->count;
        is_end = each->rows == NULL;
    }
    return count;
}

static firn_status run_lane(parquet_lines *self, uint32_t column, pw_worker *with, firn_error *err)
    REQUIRES(&self->lock) {
    lane *mine = &self->lanes[column];
    item *items[LANE_ITEMS];
    lane_measure measures[LANE_ITEMS];
    const uint32_t count = take_items(mine, items);
    mine->is_claimed = true;
    mutex_unlock(&self->lock);
    firn_status status = FIRN_OK;
    for (uint32_t i = 0; i < count && status == FIRN_OK; i++) {
        status = work_on(self, column, items[i], with, err);
        lines_measure_lane(self, column, items[i]->group, &measures[i]);
    }
    mutex_lock(&self->lock);
    if (status != FIRN_OK) {
        return status; // The query ends; until then nobody goes on here.
    }
    mine->is_claimed = false;
    mine->next = items[count - 1]->following;
    mine->done += count;
    for (uint32_t i = 0; i < count; i++) {
        lines_measure(self, items[i]->group, column, measures[i]);
        items[i]->lanes_left--;
    }
    while (self->first != NULL && self->first->lanes_left == 0) {
        lines_retire_first(self);
    }
    return FIRN_OK;
}

// ---- Files -------------------------------------------------------------------------------------

firn_status lines_open_file(const parquet_lines *self, place *at, text partition, firn_error *err) {
    text path;
    TRY(self->user->next(self->of_user, partition, &path, &at->file_token, err));
    io_writer *writer;
    TRY(io_writer_open(self->env.io, path, false, &writer, err));
    if (self->syncs_later) {
        io_writer_sync_later(writer);
    }
    at->file_partition = partition;
    return pw_file_open(writer, self->schema, &self->options, self->keeper, &at->file, err);
}

firn_status lines_finish_file(const parquet_lines *self, place *at, firn_error *err) {
    const pw_report *report;
    TRY(pw_file_finish(at->file, &report, err));
    if (self->user->finished != NULL) {
        TRY(self->user->finished(self->of_user, at->file_token, report, err));
    }
    pw_file_close(at->file);
    at->file = NULL;
    return FIRN_OK;
}

// A group that was full just where its partition ended did not know that its file ends, too.
static firn_status write_group(const parquet_lines *self, out_group *group, firn_error *err) {
    place *at = group->of;
    if (at->file != NULL && !text_equal(at->file_partition, group->partition)) {
        TRY(lines_finish_file(self, at, err));
    }
    if (at->file == NULL) {
        TRY(lines_open_file(self, at, group->partition, err));
    }
    TRY(pw_file_add(at->file, group->group, err));
    pw_group_close(group->group);
    group->group = NULL;
    const bool is_large = self->file_size > 0 && pw_file_size(at->file) >= self->file_size;
    return group->ends_file || is_large ? lines_finish_file(self, at, err) : FIRN_OK;
}

static firn_status write_ready(parquet_lines *self, firn_error *err) REQUIRES(&self->lock) {
    out_group *group = self->ready;
    self->is_writing = true;
    mutex_unlock(&self->lock);
    const firn_status status = write_group(self, group, err);
    mutex_lock(&self->lock);
    if (status != FIRN_OK) {
        return status; // As above.
    }
    self->is_writing = false;
    lines_note_written(self, group->of);
    self->ready = group->following;
    self->ready_last = self->ready == NULL ? NULL : self->ready_last;
    self->ended_count--;
    return FIRN_OK;
}

firn_status lines_work(parquet_lines *self, pw_worker *with, bool *did, firn_error *err)
    REQUIRES(&self->lock) {
    *did = true;
    firn_status status = FIRN_OK;
    if (self->ready != NULL && !self->is_writing) {
        status = write_ready(self, err);
    } else {
        const uint32_t column = find_lane(self);
        *did = column < self->width;
        status = *did ? run_lane(self, column, with, err) : FIRN_OK;
    }
    if (status == FIRN_OK) {
        status = lines_admit_early(self, err);
    }
    if (*did) {
        wakeup_list_fire(&self->waiting);
    }
    return status;
}

bool lines_is_idle(const parquet_lines *self) {
    return self->first == NULL && self->ready == NULL && !self->is_writing;
}
