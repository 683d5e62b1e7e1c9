// How long a scan's planner takes, for EXPLAIN ANALYZE: it is asked for task after task by whatever
// worker needs one, and may answer that it waits for bytes.
//
//     enter ─ leave      enter ─ leave(waits) · · · · enter ─ leave      enter ─ leave
//     ├─ wall ───┤       ├─ wall ─────────────────────────────────┤      ├─ wall ───┤
//     ├─ first task after ────────────────────────────────────────┤
//
// Between two tasks the planner has nothing to do: that is not its time. One caller at a time.
#ifndef FIRN_EXEC_PLANNING_CLOCK_H
#define FIRN_EXEC_PLANNING_CLOCK_H

#include "memory/text_builder.h"

/// Zeroed at first.
typedef struct planning_clock {
    bool is_begun;
    bool is_waiting; ///< Since the last leave.
    bool has_first;
    int64_t first_enter_ns;
    int64_t enter_ns;
    int64_t enter_cpu_ns; ///< Of the thread that asks.
    int64_t leave_ns;
    int64_t wall_ns; ///< In calls and between those that waited.
    int64_t cpu_ns;
    int64_t first_task_ns; ///< From the first call until there was a task.
} planning_clock;

typedef enum planning_answer {
    PLANNING_TASK,
    PLANNING_WAIT,
    PLANNING_OVER, ///< No more tasks, or it failed.
} planning_answer;

void planning_clock_enter(planning_clock *self, int64_t now_ns, int64_t cpu_ns);
void planning_clock_leave(planning_clock *self, planning_answer answer, int64_t now_ns,
                          int64_t cpu_ns);

/// " planning=0.80ms planning CPU=0.51ms first task after=0.42ms", if there is a hundredth of a
/// millisecond to tell of.
void planning_clock_report(const planning_clock *self, text_builder *out);

#endif
