#include "exec/planning_clock.h"

#define TOLD_NS 10000

void planning_clock_enter(planning_clock *self, int64_t now_ns, int64_t cpu_ns) {
    if (!self->is_begun) {
        self->is_begun = true;
        self->first_enter_ns = now_ns;
    }
    if (self->is_waiting) {
        self->wall_ns += now_ns - self->leave_ns;
        self->is_waiting = false;
    }
    self->enter_ns = now_ns;
    self->enter_cpu_ns = cpu_ns;
}

void planning_clock_leave(planning_clock *self, planning_answer answer, int64_t now_ns,
                          int64_t cpu_ns) {
    self->wall_ns += now_ns - self->enter_ns;
    self->cpu_ns += cpu_ns - self->enter_cpu_ns;
    self->leave_ns = now_ns;
    self->is_waiting = answer == PLANNING_WAIT;
    if (answer == PLANNING_TASK && !self->has_first) {
        self->has_first = true;
        self->first_task_ns = now_ns - self->first_enter_ns;
    }
}

static void tell(text_builder *out, const char *what, int64_t nanoseconds) {
    text_append_format(out, " %s=%.2fms", what, (double)nanoseconds / 1e6);
}

void planning_clock_report(const planning_clock *self, text_builder *out) {
    if (self->wall_ns < TOLD_NS) {
        return;
    }
    tell(out, "planning", self->wall_ns);
    tell(out, "planning CPU", self->cpu_ns);
    if (self->has_first) {
        tell(out, "first task after", self->first_task_ns);
    }
}
