// Partitions whose row groups are being filled: without fan-out one, which is another one each
// time.
//
// With it many are at once. Their number is bounded, and so is their memory: beyond that the group
// that had no rows for longest, or the largest one, ends. So what was expected of the rows may be
// wrong: then there are more files.
#include "memory/arena_grow.h"
#include "tables/files/parquet_lines_private.h"

#define GROUP_SHARE 8 // Of the limit, for the pages of row groups, and …
#define FREE_SHARE 4  // … of what nobody has.
#define OPEN_MAX 256  // Groups.
#define KEPT_MAX 256  // Files that wait for more of them.

firn_status lines_find_place(parquet_lines *self, text key, uint32_t *number, firn_error *err)
    REQUIRES(&self->lock) {
    uint32_t found = name_index_first(&self->keys, key);
    while (found != NO_NAME && !text_equal(self->keys.entries[found].name, key)) {
        found = name_index_next(&self->keys, found);
    }
    *number = found == NO_NAME ? self->keys.count : found;
    if (found != NO_NAME) {
        return FIRN_OK;
    }
    place **places =
        ARENA_GROW(&self->memory, place *, self->places, *number, 1, &self->place_capacity);
    place *made = ARENA_NEW(&self->memory, place, 1);
    if (places == NULL || made == NULL) {
        self->places = places == NULL ? self->places : places;
        return ARENA_FULL(&self->memory, err);
    }
    self->places = places;
    *made = (place){.touched = 0};
    TRY(text_copy(&self->memory, key, &made->partition, err));
    TRY(name_index_add(&self->keys, made->partition, &self->memory, err));
    places[*number] = made;
    return FIRN_OK;
}

// ---- Memory ------------------------------------------------------------------------------------

// What open groups may hold: a part of the limit, and more while nobody else wants it.
static uint64_t group_budget(const parquet_lines *self) {
    pool_report now;
    pool_describe(self->keeper, &now);
    const uint64_t promised = lines_at_least(now.committed, now.used);
    const bool is_free = now.limit > promised && pool_excess(self->keeper) == 0;
    const uint64_t left = is_free ? now.limit - promised : 0;
    const uint64_t budget = now.limit / GROUP_SHARE + left / FREE_SHARE;
    return self->fan_out == 0 ? budget : lines_at_least(budget, self->min_bytes / 2);
}

bool lines_is_short(const parquet_lines *self) REQUIRES(&self->lock) {
    return self->open_memory > group_budget(self);
}

place *lines_largest_place(const parquet_lines *self) REQUIRES(&self->lock) {
    place *found = self->open;
    for (place *each = self->open; each != NULL; each = each->open) {
        found = each->group->whole.memory > found->group->whole.memory ? each : found;
    }
    return found;
}

void lines_measure(parquet_lines *self, out_group *group, uint32_t lane, lane_measure now)
    REQUIRES(&self->lock) {
    lane_measure *before = &group->measures[lane];
    group->whole.size = group->whole.size - before->size + now.size;
    group->whole.memory = group->whole.memory - before->memory + now.memory;
    if (!group->is_ended) {
        self->open_memory = self->open_memory - before->memory + now.memory;
    }
    *before = now;
}

// ---- Groups ------------------------------------------------------------------------------------

static void set_open(parquet_lines *self, place *at) REQUIRES(&self->lock) {
    at->previous = NULL;
    at->open = self->open;
    if (at->open != NULL) {
        at->open->previous = at;
    }
    self->open = at;
    self->open_count++;
}

static void set_closed(parquet_lines *self, place *at) REQUIRES(&self->lock) {
    if (at->open != NULL) {
        at->open->previous = at->previous;
    }
    *(at->previous == NULL ? &self->open : &at->previous->open) = at->open;
    self->open_count--;
}

static place *stalest_place(const parquet_lines *self) REQUIRES(&self->lock) {
    place *found = self->open;
    for (place *each = self->open; each != NULL; each = each->open) {
        found = each->touched < found->touched ? each : found;
    }
    return found;
}

static void keep_file(parquet_lines *self, place *at, bool keeps) REQUIRES(&self->lock) {
    self->kept_count += keeps && !at->keeps_file;
    self->kept_count -= !keeps && at->keeps_file;
    at->keeps_file = keeps;
}

// A file is as large as its groups were when they ended, about; lanes that are far behind show less
// than there will be, and who writes looks again.
firn_status lines_end_group(parquet_lines *self, place *at, bool ends_file, firn_error *err)
    REQUIRES(&self->lock) {
    out_group *group = at->group;
    at->file_bytes += group->whole.size;
    group->ends_file = ends_file || (self->file_size > 0 && at->file_bytes >= self->file_size) ||
                       (!at->keeps_file && self->kept_count >= KEPT_MAX);
    if (group->ends_file) {
        at->file_bytes = 0;
    }
    keep_file(self, at, !group->ends_file);
    group->is_ended = true;
    self->open_memory -= group->whole.memory;
    self->ended_count++;
    at->group = NULL;
    set_closed(self, at);
    return lines_add_item(self, &(item){.group = group}, err);
}

static firn_status open_group(parquet_lines *self, text partition, out_group **out, firn_error *err)
    REQUIRES(&self->lock) {
    out_group *made = ARENA_NEW(&self->memory, out_group, 1);
    lane_measure *measures = ARENA_NEW(&self->memory, lane_measure, (size_t)self->width + 1);
    if (made == NULL || measures == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    *made = (out_group){.lanes_left = self->width, .measures = measures};
    TRY(text_copy(&self->memory, partition, &made->partition, err));
    TRY(pw_group_open(self->schema, &self->options, self->keeper, &made->group, err));
    for (uint32_t i = 0; i < self->width; i++) {
        measures[i] = (lane_measure){.size = 0};
    }
    *out = made;
    return FIRN_OK;
}

firn_status lines_begin_group(parquet_lines *self, place *at, text partition, firn_error *err)
    REQUIRES(&self->lock) {
    if (self->open_count >= OPEN_MAX) {
        TRY(lines_end_group(self, stalest_place(self), true, err));
    }
    TRY(open_group(self, partition, &at->group, err));
    at->group->of = at;
    for (uint32_t i = 0; i < self->width; i++) {
        lane_measure now;
        lines_measure_lane(self, i, at->group, &now);
        lines_measure(self, at->group, i, now);
    }
    if (!text_equal(at->partition, partition)) {
        at->file_bytes = 0; // The group before may have ended without its file.
    }
    at->partition = at->group->partition;
    at->group_rows = 0;
    set_open(self, at);
    return FIRN_OK;
}

void lines_note_written(parquet_lines *self, place *at) REQUIRES(&self->lock) {
    if (at->file == NULL) {
        keep_file(self, at, false);
    }
}

firn_status lines_end_groups(parquet_lines *self, firn_error *err) REQUIRES(&self->lock) {
    while (self->open != NULL) {
        TRY(lines_end_group(self, self->open, true, err));
    }
    return FIRN_OK;
}
