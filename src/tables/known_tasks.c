#include "tables/known_tasks.h"

#include <assert.h>

struct scan_planner {
    size_t task_size;
    uint64_t count;
    uint64_t next;
    uint8_t *tasks;
    arena memory;
};

firn_status known_tasks_open(size_t task_size, uint64_t count, scan_planner **out,
                             firn_error *err) {
    assert(task_size >= sizeof(scan_task) && task_size % _Alignof(scan_task) == 0);
    arena memory = arena_open(SIZE_MAX);
    scan_planner *self = ARENA_NEW(&memory, scan_planner, 1);
    uint8_t *tasks = arena_alloc(&memory, count + 1, task_size);
    if (self == NULL || tasks == NULL) {
        firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    memset(tasks, 0, count * task_size);
    *self =
        (scan_planner){.task_size = task_size, .count = count, .tasks = tasks, .memory = memory};
    *out = self;
    return FIRN_OK;
}

scan_task *known_tasks_at(scan_planner *self, uint64_t index) {
    assert(index < self->count);
    return (scan_task *)(void *)(self->tasks + index * self->task_size);
}

firn_status known_tasks_next(scan_planner *self, const scan_task **out, scan_answer *answer,
                             firn_error *err) {
    (void)err;
    *answer = self->next == self->count ? SCAN_END : SCAN_READY;
    if (*answer == SCAN_READY) {
        *out = known_tasks_at(self, self->next++);
    }
    return FIRN_OK;
}

void known_tasks_counters(const scan_planner *self, scan_counters *add_to) {
    (void)self;
    (void)add_to;
}

void known_tasks_close(scan_planner *self) {
    if (self != NULL) {
        arena memory = self->memory; // It holds `self`.
        arena_close(&memory);
    }
}
