// The line of rows and ends of groups, and what waits to come into it.
#include "tables/files/parquet_lines_private.h"

#define QUEUE_BYTES_MIN (UINT64_C(256) << 10)
#define QUEUE_BYTES_MAX (UINT64_C(32) << 20)
#define QUEUE_SHARE 64 // Of the limit.
#define GROUP_SHARE 8  // Of the limit, for the pages of a row group, and …
#define FREE_SHARE 4   // … of what nobody has.
#define LINE_SHARE 8   // Of a row group's size, what waits for it at most.
#define GROUPS_MAX 2   // One that is being filled, one whose last columns are being encoded.

static firn_status add_item(parquet_lines *self, const item *content, firn_error *err)
    REQUIRES(&self->lock) {
    item *made = self->spare_items;
    if (made != NULL) {
        self->spare_items = made->following;
    } else {
        made = ARENA_NEW(&self->memory, item, 1);
    }
    if (made == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    *made = *content;
    made->lanes_left = self->width;
    made->following = NULL;
    *(self->last == NULL ? &self->first : &self->last->following) = made;
    self->last = made;
    for (uint32_t i = 0; i < self->width; i++) {
        if (self->lanes[i].next == NULL) {
            self->lanes[i].next = made;
        }
    }
    return FIRN_OK;
}

// Of the group that is being filled, as far as lanes have come.
static uint64_t group_size(const parquet_lines *self) {
    uint64_t size = 0;
    for (uint32_t i = 0; i < self->width; i++) {
        size += self->lanes[i].measured == self->group ? self->lanes[i].size : 0;
    }
    return size;
}

// What the group may hold: a part of the limit, and more while nobody else wants it.
static uint64_t group_budget(const parquet_lines *self) {
    pool_report now;
    pool_describe(self->keeper, &now);
    const uint64_t promised = lines_at_least(now.committed, now.used);
    const bool is_free = now.limit > promised && pool_excess(self->keeper) == 0;
    const uint64_t left = is_free ? now.limit - promised : 0;
    return now.limit / GROUP_SHARE + left / FREE_SHARE;
}

// Is there so little memory that the group should end?
static bool is_short(const parquet_lines *self) {
    uint64_t held = 0;
    for (uint32_t i = 0; i < self->width; i++) {
        held += self->lanes[i].measured == self->group ? self->lanes[i].memory : 0;
    }
    return held > group_budget(self);
}

// A file is as large as its groups were when they ended, about; lanes that are far behind show less
// than there will be, and who writes looks again.
static firn_status end_group(parquet_lines *self, bool ends_file, firn_error *err)
    REQUIRES(&self->lock) {
    out_group *group = self->group;
    self->file_bytes += group_size(self);
    group->ends_file = ends_file || (self->file_size > 0 && self->file_bytes >= self->file_size);
    if (group->ends_file) {
        self->file_bytes = 0;
    }
    self->group = NULL;
    return add_item(self, &(item){.group = group}, err);
}

static firn_status begin_group(parquet_lines *self, text partition, firn_error *err)
    REQUIRES(&self->lock) {
    out_group *made = ARENA_NEW(&self->memory, out_group, 1);
    if (made == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    *made = (out_group){.lanes_left = self->width};
    TRY(text_copy(&self->memory, partition, &made->partition, err));
    TRY(pw_group_open(self->schema, &self->options, self->keeper, &made->group, err));
    if (!text_equal(self->partition, partition)) {
        self->file_bytes = 0; // The group before may have ended without its file.
    }
    self->partition = made->partition;
    self->group = made;
    self->group_rows = 0;
    self->group_count++;
    return FIRN_OK;
}

uint64_t lines_queue_bytes(const parquet_lines *self) {
    const uint64_t share = pool_limit(pool_engine(self->env.pool)) / QUEUE_SHARE;
    return lines_at_least(lines_at_most(share, QUEUE_BYTES_MAX), QUEUE_BYTES_MIN);
}

static void drop_staged(parquet_lines *self, staged *rows) REQUIRES(&self->lock) {
    rows->use_count--;
    if (rows->use_count > 0) {
        return;
    }
    self->held_bytes -= rows->bytes;
    if (rows->is_borrowed) {
        return;
    }
    arena memory = rows->memory; // It holds `rows`.
    if (self->spare_count < SPARE_COUNT &&
        self->held_bytes + self->spare_bytes < lines_queue_bytes(self)) {
        arena_reset(&memory);
        self->spare_bytes += memory.used;
        self->spares[self->spare_count++] = memory;
    } else {
        arena_close(&memory);
    }
}

firn_status lines_admit(parquet_lines *self, staged *rows, bool *did, firn_error *err)
    REQUIRES(&self->lock) {
    const text partition =
        rows->runs.partitions == NULL ? TEXT("") : rows->runs.partitions[rows->run];
    const uint32_t left = rows->runs.ends[rows->run] - rows->admitted;
    if (self->group != NULL && !text_equal(self->group->partition, partition)) {
        TRY(end_group(self, true, err));
    }
    // How large the group is shows behind the line only.
    const uint64_t bytes = rows->bytes * left / rows->rows.selected_count;
    const bool is_ahead =
        self->line_bytes > 0 && self->line_bytes + bytes > self->options.group_bytes / LINE_SHARE;
    *did = !is_ahead && (self->group != NULL || self->group_count < GROUPS_MAX);
    if (!*did) {
        return FIRN_OK;
    }
    if (self->group == NULL) {
        TRY(begin_group(self, partition, err));
    }
    const uint64_t room = self->options.group_rows - self->group_rows;
    const item made = {.rows = rows,
                       .from = rows->admitted,
                       .count = (uint32_t)lines_at_most(left, room),
                       .bytes = bytes,
                       .group = self->group};
    TRY(add_item(self, &made, err));
    self->line_bytes += bytes;
    rows->use_count++;
    rows->admitted += made.count;
    rows->run += made.count == left;
    self->group_rows += made.count;
    self->group->group->row_count += made.count;
    const bool is_full = self->group_rows >= self->options.group_rows ||
                         group_size(self) >= self->options.group_bytes || is_short(self);
    return is_full ? end_group(self, false, err) : FIRN_OK;
}

firn_status lines_admit_early(parquet_lines *self, firn_error *err) REQUIRES(&self->lock) {
    bool did = true;
    while (did && self->early != NULL && self->early->rows.sequence.task <= self->complete) {
        staged *next = self->early;
        TRY(lines_admit(self, next, &did, err));
        if (next->run == next->runs.count) {
            self->early = next->following;
            drop_staged(self, next);
        }
    }
    return FIRN_OK;
}

static bool is_before(const staged *left, const staged *right) {
    const batch_sequence l = left->rows.sequence;
    const batch_sequence r = right->rows.sequence;
    // Batches of one task come from one worker, in order.
    return l.task != r.task ? l.task < r.task : left->arrival < right->arrival;
}

void lines_add_early(parquet_lines *self, staged *made) REQUIRES(&self->lock) {
    made->arrival = self->arrivals++;
    staged **place = &self->early;
    while (*place != NULL && is_before(*place, made)) {
        place = &(*place)->following;
    }
    made->following = *place;
    *place = made;
}

void lines_retire_first(parquet_lines *self) REQUIRES(&self->lock) {
    item *done = self->first;
    self->first = done->following;
    if (self->first == NULL) {
        self->last = NULL;
    }
    if (done->rows == NULL) {
        *(self->ready_last == NULL ? &self->ready : &self->ready_last->following) = done->group;
        self->ready_last = done->group;
    } else {
        self->line_bytes -= done->bytes;
        drop_staged(self, done->rows);
    }
    done->following = self->spare_items;
    self->spare_items = done;
}

firn_status lines_end_line(parquet_lines *self, firn_error *err) REQUIRES(&self->lock) {
    self->complete = UINT64_MAX;
    TRY(lines_admit_early(self, err));
    return self->early == NULL && self->group != NULL ? end_group(self, true, err) : FIRN_OK;
}
