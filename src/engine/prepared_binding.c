// What preparing a statement found out, kept for the run that follows at once.
//
// Most statements run right after they were prepared. That first run takes the run that prepare
// made, with its plan and its snapshots, so that footers are read and catalogs are asked once. It
// does so only while nothing can have happened in between that the caller knows of: no statement
// or call that changes tables, names or settings, in any session of the engine; no other content
// of local files; and, since commits of others to catalogs and far files cannot be seen without
// asking, no more than FRESH_MS. All other runs bind again.
#include "base/host.h"
#include "engine/objects.h"

#define FRESH_MS 20

void engine_note_change(firn_engine *self) {
    (void)atomic_fetch_add_explicit(&self->changes, 1, memory_order_acq_rel);
}

uint64_t engine_changes(const firn_engine *self) {
    return atomic_load_explicit(&self->changes, memory_order_acquire);
}

void prepared_keep(firn_statement *self, run *taken, uint64_t changes) {
    const prepared_binding made = {.run = taken, .changes = changes, .made_ns = host_clock_ns()};
    mutex_lock(&self->lock);
    self->prepared = made;
    mutex_unlock(&self->lock);
}

static prepared_binding take(firn_statement *self) {
    mutex_lock(&self->lock);
    const prepared_binding found = self->prepared;
    self->prepared = (prepared_binding){.run = NULL};
    mutex_unlock(&self->lock);
    return found;
}

void prepared_drop(firn_statement *self) {
    run_release(take(self).run);
}

// Would binding with these types give the same? Where nothing is given, what was found stands.
static bool has_types(const bind_parameters *found, const bind_parameters *given) {
    for (uint32_t i = 0; i < given->count; i++) {
        const type *known = given->types[i];
        if (known != NULL &&
            (i >= found->count || found->types[i] == NULL || !type_equal(known, found->types[i]))) {
            return false;
        }
    }
    return true;
}

static bool are_current(const run *self) {
    for (uint32_t i = 0; i < self->bound.snapshot_count; i++) {
        const table_snapshot *snapshot = self->bound.snapshots[i];
        if (snapshot->kind->is_current != NULL &&
            !snapshot->kind->is_current(snapshot, self->session->engine->io, &self->cancel)) {
            return false;
        }
    }
    return true;
}

run *prepared_take(firn_statement *self, const bind_parameters *given) {
    const prepared_binding found = take(self);
    if (found.run == NULL) {
        return NULL;
    }
    if (host_clock_ns() - found.made_ns <= (int64_t)FRESH_MS * 1000000 &&
        engine_changes(self->session->engine) == found.changes &&
        !cancel_is_raised(&found.run->cancel) && has_types(&found.run->bound.parameters, given) &&
        are_current(found.run)) {
        found.run->is_description = false;
        return found.run;
    }
    run_release(found.run);
    return NULL;
}
