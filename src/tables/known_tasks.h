// The planner of a scan whose tasks are all known when it begins: rows in memory, or a table that
// is one task. A kind fills `plan` with a function that opens it and writes the tasks:
//
//     TRY(known_tasks_open(sizeof(scan_task), 1, out, err));
//     *known_tasks_at(*out, 0) = (scan_task){.name = self->ref.name};
//
// and names the other functions in its `table_kind` as they are.
#ifndef FIRN_TABLES_KNOWN_TASKS_H
#define FIRN_TABLES_KNOWN_TASKS_H

#include "tables/table.h"

/// Opens a planner that hands out `count` tasks of `task_size` bytes, each of which begins with its
/// scan_task. They are zero until the caller fills them, before the first known_tasks_next.
firn_status known_tasks_open(size_t task_size, uint64_t count, scan_planner **out, firn_error *err);

/// A task, to be filled.
scan_task *known_tasks_at(scan_planner *self, uint64_t index);

// As in table_kind; nothing is counted, as nothing is read.
firn_status known_tasks_next(scan_planner *self, const scan_task **out, scan_answer *answer,
                             firn_error *err);
void known_tasks_counters(const scan_planner *self, scan_counters *add_to);
void known_tasks_close(scan_planner *self); ///< NULL does nothing.

#endif
