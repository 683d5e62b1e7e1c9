#include "tables/table.h"

table_snapshot *table_snapshot_retain(table_snapshot *self) {
    (void)atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    return self;
}

void table_snapshot_release(table_snapshot *self) {
    // Release: what this thread did with it happens before it is freed (by whom acquires it).
    if (self != NULL &&
        atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) == 1) {
        self->kind->free(self);
    }
}
