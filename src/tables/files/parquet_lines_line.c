// The line of rows and ends of groups, and what waits to come into it.
#include "tables/files/parquet_lines_private.h"

#define QUEUE_BYTES_MIN (UINT64_C(256) << 10)
#define QUEUE_BYTES_MAX (UINT64_C(32) << 20)
#define QUEUE_SHARE 64 // Of the limit.
#define LINE_SHARE 8   // Of a row group's size, what waits for it at most.

firn_status lines_add_item(parquet_lines *self, const item *content, firn_error *err)
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

// Where the next rows go.
static place *place_of(parquet_lines *self, const staged *rows) {
    return rows->places == NULL ? &self->only : rows->places[rows->run];
}

// May rows go there now? Without fan-out a group that has little memory is the only one, and ends
// when it has taken rows.
static bool may_admit(const parquet_lines *self, const place *at, uint64_t bytes)
    REQUIRES(&self->lock) {
    // How large the group is shows behind the line only.
    const bool is_ahead =
        self->line_bytes > 0 && self->line_bytes + bytes > self->options.group_bytes / LINE_SHARE;
    const bool must_write = self->ended_count >= LINES_GROUPS_MAX;
    return !is_ahead &&
           !(must_write && (at->group == NULL || (self->fan_out > 0 && lines_is_short(self))));
}

static firn_status end_full_groups(parquet_lines *self, place *at, firn_error *err)
    REQUIRES(&self->lock) {
    if (at->group_rows >= self->options.group_rows ||
        at->group->whole.size >= self->options.group_bytes) {
        return lines_end_group(self, at, false, err);
    }
    return lines_is_short(self) ? lines_end_group(self, lines_largest_place(self), false, err)
                                : FIRN_OK;
}

firn_status lines_admit(parquet_lines *self, staged *rows, bool *did, firn_error *err)
    REQUIRES(&self->lock) {
    const text partition =
        rows->runs.partitions == NULL ? TEXT("") : rows->runs.partitions[rows->run];
    const uint32_t left = rows->runs.ends[rows->run] - rows->admitted;
    place *at = place_of(self, rows);
    if (at->group != NULL && !text_equal(at->group->partition, partition)) {
        TRY(lines_end_group(self, at, true, err));
    }
    const uint64_t bytes = rows->bytes * left / rows->rows.selected_count;
    *did = may_admit(self, at, bytes);
    if (!*did) {
        return FIRN_OK;
    }
    if (at->group == NULL) {
        TRY(lines_begin_group(self, at, partition, err));
    }
    const uint64_t room = self->options.group_rows - at->group_rows;
    const item made = {.rows = rows,
                       .from = rows->admitted,
                       .count = (uint32_t)lines_at_most(left, room),
                       .bytes = bytes,
                       .group = at->group};
    TRY(lines_add_item(self, &made, err));
    self->line_bytes += bytes;
    rows->use_count++;
    rows->admitted += made.count;
    rows->run += made.count == left;
    at->touched = ++self->touches;
    at->group_rows += made.count;
    at->group->group->row_count += made.count;
    return end_full_groups(self, at, err);
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
    return self->early == NULL ? lines_end_groups(self, err) : FIRN_OK;
}
