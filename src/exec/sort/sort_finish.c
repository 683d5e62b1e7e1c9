// From what the workers of a sort left to runs that one merge can read, and ranges of keys to merge
// side by side.
//
// Rounds of tasks, one after the other:
//     1      each run in memory is sorted, and written out where the merge needs the room
//     2 …    while there are more spilled runs than can be read at once: the smallest are merged,
//            just as many as must be
#include <assert.h>
#include <stdlib.h>

#include "exec/sort/sort_state.h"
#include "memory/page.h"
#include "memory/pool.h"

#define RANGE_ROWS 65536      // Of a range at least,
#define RANGE_UNITS_PER_RUN 8 // and as many units of it: its borders cost one of each run.
#define RANGES_MAX 1024
#define SAMPLES_PER_RANGE 8
#define MERGE_ROWS 1024 // Taken at a time.

// ---- Sizes --------------------------------------------------------------------------------------

// What all workers together may take for units: nine tenths of what the keeper may hold, less what
// it holds.
static uint64_t free_bytes(const sort_state *self, uint64_t used) {
    const uint64_t target = pool_target(self->keeper) / 10 * 9;
    return target > used ? target - used : 0;
}

static uint64_t units_bytes(const sort_state *self, uint64_t runs) {
    return runs * self->store.page_size * self->run->worker_count;
}

// How many spilled runs a worker can read at once.
static uint32_t fan_in(const sort_state *self) {
    const uint64_t bytes = free_bytes(self, pool_used(self->keeper));
    const uint64_t count = bytes / units_bytes(self, 1);
    return count < 2 ? 2 : count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

static uint64_t bytes_in_memory(const sort_state *self, const sort_run *run) {
    return run->pages.page_count * (uint64_t)self->store.page_size + run->entries_bytes;
}

static uint32_t count_spilled(const sort_state *self) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->run_count; i++) {
        count += self->ordered[i]->is_spilled;
    }
    return count;
}

// In memory first, large ones first; spilled ones behind, small ones first.
static int compare_runs(const void *left, const void *right) {
    const sort_run *l = *(sort_run *const *)left;
    const sort_run *r = *(sort_run *const *)right;
    if (l->is_spilled != r->is_spilled) {
        return l->is_spilled ? 1 : -1;
    }
    const int order = l->count < r->count ? -1 : l->count > r->count;
    return l->is_spilled ? order : -order;
}

// ---- Ranges -------------------------------------------------------------------------------------

static int compare_prefixes(const void *left, const void *right) {
    const uint64_t l = ((const sort_entry *)left)->prefix;
    const uint64_t r = ((const sort_entry *)right)->prefix;
    return l < r ? -1 : l > r;
}

static uint64_t rows_of_range(const sort_state *self, uint64_t row_count, uint64_t unit_count) {
    if (unit_count == 0) {
        return RANGE_ROWS;
    }
    const uint64_t units = (uint64_t)self->run_count * RANGE_UNITS_PER_RUN;
    const uint64_t rows = row_count / unit_count * units; // Of all units the average.
    return rows < RANGE_ROWS ? RANGE_ROWS : rows;
}

// Every `step`-th entry of a run in memory, or the first key of every so manieth unit.
static uint32_t take_samples(const sort_run *run, uint64_t step, sort_entry *out) {
    uint32_t count = 0;
    if (!run->is_spilled) {
        for (uint64_t i = step / 2; i < run->count; i += step) {
            out[count++] = run->entries[i];
        }
        return count;
    }
    const uint64_t unit_count = run->units.units.count;
    const uint64_t units = unit_count == 0 ? 1 : step / (run->count / unit_count + 1) + 1;
    for (uint64_t i = units / 2; i < unit_count; i += units) {
        out[count++] = (sort_entry){.prefix = run->heads[i]};
    }
    return count;
}

static firn_status choose_borders(sort_state *self, uint64_t row_count, uint64_t range_rows,
                                  arena *scratch, firn_error *err) {
    uint64_t ranges = row_count / range_rows;
    ranges = ranges > RANGES_MAX ? RANGES_MAX : ranges;
    if (ranges < 2) {
        return FIRN_OK;
    }
    const uint64_t step = row_count / (ranges * SAMPLES_PER_RANGE) + 1;
    uint64_t room = 0;
    for (uint32_t i = 0; i < self->run_count; i++) {
        room += self->ordered[i]->count / step + 2;
    }
    sort_entry *samples = ARENA_NEW(scratch, sort_entry, room);
    self->borders = ARENA_NEW(&self->memory, sort_entry, ranges);
    if (samples == NULL || self->borders == NULL) {
        return ARENA_FULL(samples == NULL ? scratch : &self->memory, err);
    }
    uint64_t count = 0;
    bool is_by_prefix = false;
    for (uint32_t i = 0; i < self->run_count; i++) {
        is_by_prefix |= self->ordered[i]->is_spilled;
        count += take_samples(self->ordered[i], step, &samples[count]);
        assert(count <= room);
    }
    if (is_by_prefix) {
        qsort(samples, count, sizeof *samples, compare_prefixes);
    } else {
        TRY(sort_entries(&self->store, samples, count, &self->run->cancel, scratch, err));
    }
    for (uint64_t i = 1; i < ranges && count > 0; i++) {
        const sort_entry *sample = &samples[count * i / ranges];
        self->borders[self->border_count++] =
            (sort_entry){.prefix = sample->prefix, .row = is_by_prefix ? NULL : sample->row};
    }
    return FIRN_OK;
}

// With one worker, with LIMIT or OFFSET over spilled runs, in which rows can't be counted, or with
// keys of which the file knows nothing there is one range: all.
static firn_status cut_ranges(sort_state *self, firn_error *err) {
    uint64_t row_count = 0;
    uint64_t unit_count = 0;
    const bool is_cut = self->wanted != UINT64_MAX || self->offset > 0;
    bool is_one = self->run->worker_count == 1;
    for (uint32_t i = 0; i < self->run_count; i++) {
        row_count += self->ordered[i]->count;
        unit_count += self->ordered[i]->units.units.count;
        is_one |= self->ordered[i]->has_blob_keys || (self->ordered[i]->is_spilled && is_cut);
    }
    if (is_one) {
        return FIRN_OK;
    }
    arena scratch = execution_arena(self->run, SIZE_MAX);
    const uint64_t range_rows = rows_of_range(self, row_count, unit_count);
    const firn_status status = choose_borders(self, row_count, range_rows, &scratch, err);
    arena_close(&scratch);
    return status;
}

firn_status sort_state_range(sort_state *self, uint32_t range, const sort_run *run, arena *scratch,
                             sort_range *out, firn_error *err) {
    *out = SORT_RANGE_ALL;
    if (range > 0) {
        const sort_entry *first = &self->borders[range - 1];
        out->first = first->prefix;
        if (!run->is_spilled) {
            TRY(sort_lower_bound(&self->store, run, first, scratch, &out->from, err));
        }
    }
    if (range < self->border_count) {
        const sort_entry *behind = &self->borders[range];
        out->goes_to_end = false;
        out->behind = behind->prefix;
        if (!run->is_spilled) {
            TRY(sort_lower_bound(&self->store, run, behind, scratch, &out->end, err));
        }
    }
    return FIRN_OK;
}

// ---- Merging spilled runs until they can be read at once ----------------------------------------

static firn_status reduce(void *shared, finish_plan *out, firn_error *err);

// Runs of one task: they become the first of them.
typedef struct merge_group {
    sort_state *owner;
    sort_run **runs;
    uint32_t count;
} merge_group;

static firn_status copy_merged(sort_state *self, sort_merge *merge, sort_run_writer *writer,
                               op_call *call, firn_error *err) {
    uint8_t **rows = ARENA_NEW(call->scratch, uint8_t *, MERGE_ROWS);
    if (rows == NULL) {
        return ARENA_FULL(call->scratch, err);
    }
    uint64_t left = self->wanted;
    for (;;) {
        uint32_t count;
        TRY(cancel_check(&call->run->cancel, err));
        TRY(sort_merge_take(merge, rows, MERGE_ROWS, &count, call->scratch, err));
        count = count < left ? count : (uint32_t)left;
        if (count == 0) {
            return sort_run_writer_finish(writer, err);
        }
        for (uint32_t i = 0; i < count; i++) {
            TRY(sort_run_writer_add(writer, rows[i], err));
        }
        left -= count;
    }
}

static firn_status run_merge(finish_task *task, op_call *call, firn_error *err) {
    merge_group *group = &((merge_group *)task->shared)[task->index];
    sort_state *self = group->owner;
    sort_input *inputs = ARENA_NEW(call->scratch, sort_input, group->count);
    if (inputs == NULL) {
        return ARENA_FULL(call->scratch, err);
    }
    for (uint32_t i = 0; i < group->count; i++) {
        inputs[i] = (sort_input){.run = group->runs[i], .range = SORT_RANGE_ALL};
    }
    sort_run made;
    sort_merge merge = {0};
    spill_desk desk = spill_desk_open(self->keeper);
    sort_run_writer writer =
        sort_run_writer_open(&self->store, &desk, self->rooms[call->worker].unit, &made);
    firn_status status =
        sort_merge_open(&self->store, inputs, group->count, call->scratch, &merge, err);
    if (status == FIRN_OK) {
        status = copy_merged(self, &merge, &writer, call, err);
    }
    sort_merge_close(&merge);
    spill_desk_close(&desk);
    if (status != FIRN_OK) {
        sort_run_close(&self->store, &made);
        return status;
    }
    for (uint32_t i = 0; i < group->count; i++) {
        sort_run_close(&self->store, group->runs[i]);
        group->runs[i]->count = 0;
    }
    made.following = group->runs[0]->following;
    *group->runs[0] = made;
    return FIRN_OK;
}

// Merges the `run_count` runs from `smallest` on in groups of at most `group_max`.
static firn_status plan_merges(sort_state *self, sort_run **smallest, uint32_t run_count,
                               uint32_t group_max, finish_plan *out, firn_error *err) {
    const uint32_t count = (run_count + group_max - 1) / group_max;
    finish_task *tasks = ARENA_NEW(out->memory, finish_task, count);
    merge_group *groups = ARENA_NEW(out->memory, merge_group, count);
    sort_run **runs = ARENA_NEW(out->memory, sort_run *, run_count);
    if (tasks == NULL || groups == NULL || runs == NULL) {
        return ARENA_FULL(out->memory, err);
    }
    memcpy(runs, smallest, run_count * sizeof(sort_run *));
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t from = i * group_max;
        const uint32_t left = run_count - from;
        groups[i] = (merge_group){
            .owner = self, .runs = &runs[from], .count = left < group_max ? left : group_max};
        tasks[i] = (finish_task){.run = run_merge, .shared = groups, .index = i};
    }
    out->count = count;
    out->tasks = tasks;
    out->then = reduce;
    self->merged_run_count += run_count;
    self->round_count++;
    return FIRN_OK;
}

// Runs that became part of others leave the list.
static void drop_merged(sort_state *self) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->run_count; i++) {
        if (self->ordered[i]->count > 0) {
            self->ordered[count++] = self->ordered[i];
        }
    }
    self->run_count = count;
}

static firn_status reduce(void *shared, finish_plan *out, firn_error *err) {
    sort_state *self = shared;
    drop_merged(self);
    const uint32_t spilled = count_spilled(self);
    const uint32_t most = fan_in(self);
    if (spilled <= most) {
        return cut_ranges(self, err);
    }
    qsort(self->ordered, self->run_count, sizeof(sort_run *), compare_runs);
    sort_run **smallest = &self->ordered[self->run_count - spilled];
    const uint32_t excess = spilled - most;
    const uint32_t groups = excess / (most - 1) + (excess % (most - 1) > 0);
    const uint32_t merged = excess + groups < spilled ? excess + groups : spilled;
    return plan_merges(self, smallest, merged, most, out, err);
}

// ---- Runs in memory -----------------------------------------------------------------------------

typedef struct sort_job {
    sort_state *owner;
    sort_run *run;
    bool is_written; // Its pages are wanted.
} sort_job;

// Sorts a run in memory. What is merged with runs from the file goes by the prefixes that those
// have.
static firn_status sort_run_in_memory(const sort_job *job, op_call *call, firn_error *err) {
    const sort_state *self = job->owner;
    sort_run *run = job->run;
    const cancel_flag *cancel = &call->run->cancel;
    if (self->key_bytes == 0) {
        return sort_entries(&self->store, run->entries, run->count, cancel, call->scratch, err);
    }
    TRY(sort_entries_packed(&self->store, &self->packing, run->entries, run->count, cancel,
                            call->scratch, err));
    run->prefix_decides = self->is_packed && self->packing.is_whole;
    return self->is_packed || job->is_written
               ? FIRN_OK
               : sort_entries_unpack(&self->store, run->entries, run->count, cancel, err);
}

static firn_status run_job(finish_task *task, op_call *call, firn_error *err) {
    sort_job *job = &((sort_job *)task->shared)[task->index];
    sort_state *self = job->owner;
    sort_run *run = job->run;
    TRY(sort_run_in_memory(job, call, err));
    if (!job->is_written) {
        run->count = run->count < self->wanted ? run->count : self->wanted;
        return FIRN_OK;
    }
    sort_run made;
    TRY(sort_state_spill(self, call->worker, run->entries, run->count, &made, err));
    sort_run_close(&self->store, run);
    made.following = run->following;
    *run = made;
    return FIRN_OK;
}

// Must one more run be written out, so that the spilled ones can be read?
static bool is_short(const sort_state *self, uint64_t used, uint32_t spilled) {
    return spilled == 0 ? used > pool_target(self->keeper)
                        : free_bytes(self, used) < units_bytes(self, spilled);
}

static firn_status list_runs(sort_state *self, firn_error *err) NO_LOCK_CHECK {
    for (const sort_run *run = self->runs; run != NULL; run = run->following) {
        self->run_count++;
    }
    self->ordered = ARENA_NEW(&self->memory, sort_run *, self->run_count + 1);
    if (self->ordered == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    uint32_t count = 0;
    for (sort_run *run = self->runs; run != NULL; run = run->following) {
        self->ordered[count++] = run;
    }
    qsort(self->ordered, self->run_count, sizeof(sort_run *), compare_runs);
    return FIRN_OK;
}

firn_status sort_state_finish(sort_state *self, finish_plan *out, firn_error *err) NO_LOCK_CHECK {
    TRY(list_runs(self, err));
    if (!self->is_open) {
        return FIRN_OK;
    }
    TRY(row_store_shrink(&self->store, err));
    uint32_t spilled = count_spilled(self);
    const uint32_t count = self->run_count - spilled;
    finish_task *tasks = ARENA_NEW(out->memory, finish_task, count + 1);
    sort_job *jobs = ARENA_NEW(out->memory, sort_job, count + 1);
    if (tasks == NULL || jobs == NULL) {
        return ARENA_FULL(out->memory, err);
    }
    uint64_t used = pool_used(self->keeper);
    for (uint32_t i = 0; i < count; i++) {
        sort_run *run = self->ordered[i];
        jobs[i] =
            (sort_job){.owner = self, .run = run, .is_written = is_short(self, used, spilled)};
        if (jobs[i].is_written) {
            const uint64_t freed = bytes_in_memory(self, run);
            used -= freed < used ? freed : used;
            spilled++;
        }
        tasks[i] = (finish_task){.run = run_job, .shared = jobs, .index = i};
    }
    self->packing = sort_packing_of(&self->bits);
    self->is_packed = self->key_bytes > 0 && spilled == 0;
    out->count = count;
    out->tasks = tasks;
    out->then = reduce;
    return FIRN_OK;
}
