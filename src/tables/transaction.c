// A transaction until its commit: what is pinned, and which changes there are.
#include "base/host.h"
#include "tables/transaction_private.h"

#define MEMORY_MAX ((size_t)1 << 30)

// ---- Names -------------------------------------------------------------------------------------

static bool is_same_word(const transaction *self, text left, bool is_left_exact, text right,
                         bool is_right_exact) {
    return self->of->kind->finds_any_case && !(is_left_exact && is_right_exact)
               ? text_equal_nocase(left, right)
               : text_equal(left, right);
}

static bool is_same(const transaction *self, const object_name *left, const object_name *right) {
    bool is_same = left->space.count == right->space.count &&
                   is_same_word(self, left->name, left->is_exact, right->name, right->is_exact);
    for (uint32_t i = 0; is_same && i < left->space.count; i++) {
        is_same = is_same_word(self, left->space.items[i], namespace_is_exact(left->space, i),
                               right->space.items[i], namespace_is_exact(right->space, i));
    }
    return is_same;
}

static firn_status copy_name(transaction *self, const object_name *name, object_name *out,
                             firn_error *err) {
    const uint32_t count = name->space.count;
    text *levels = ARENA_NEW(&self->memory, text, (size_t)count + 1);
    bool *are_exact = ARENA_NEW(&self->memory, bool, (size_t)count + 1);
    if (levels == NULL || are_exact == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        TRY(text_copy(&self->memory, name->space.items[i], &levels[i], err));
        are_exact[i] = namespace_is_exact(name->space, i);
    }
    *out = (object_name){.space = {.count = count, .items = levels, .are_exact = are_exact},
                         .is_exact = name->is_exact};
    return text_copy(&self->memory, name->name, &out->name, err);
}

static firn_status say_missing(object_name name, firn_error *err) {
    return FAIL_SQL(err, FIRN_NOT_FOUND, "42P01", NO_POSITION, "there is no table \"%.*s\"",
                    TEXT_ARGS(name.name));
}

// ---- Begin and end -----------------------------------------------------------------------------

firn_status transaction_begin(catalog *of, const transaction_env *env, transaction **out,
                              firn_error *err) {
    transaction *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    *self = (transaction){.of = of, .env = env, .memory = arena_open_in(env->pool, MEMORY_MAX)};
    *out = self;
    return FIRN_OK;
}

static void close_last(transaction *self) {
    changed_table *gone = self->last;
    self->last = gone->before;
    self->change_count -= 1;
    gone->change->kind->close(gone->change);
}

void transaction_close(transaction *self) {
    if (self == NULL) {
        return;
    }
    while (self->last != NULL) {
        close_last(self);
    }
    for (pinned_table *each = self->pins; each != NULL; each = each->next) {
        table_snapshot_release(each->snapshot);
    }
    arena_close(&self->memory);
    host_free(self);
}

bool transaction_has_changes(const transaction *self) {
    return self->change_count > 0;
}

uint64_t transaction_next_step(transaction *self) {
    return self->step_count++;
}

// ---- Looking -----------------------------------------------------------------------------------

changed_table *transaction_find(const transaction *self, object_name name) {
    changed_table *each = self->last;
    while (each != NULL && !is_same(self, &each->name, &name)) {
        each = each->before;
    }
    return each;
}

static firn_status pin(transaction *self, const object_name *name, table_snapshot *snapshot,
                       firn_error *err) {
    pinned_table *made = ARENA_NEW(&self->memory, pinned_table, 1);
    if (made == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    *made = (pinned_table){.next = self->pins};
    TRY(copy_name(self, name, &made->name, err));
    made->snapshot = table_snapshot_retain(snapshot);
    self->pins = made;
    return FIRN_OK;
}

static firn_status load_current(transaction *self, object_name name, arena *memory,
                                catalog_object *out, firn_error *err) {
    const table_version now = {.kind = VERSION_CURRENT};
    *out = (catalog_object){.snapshot = NULL};
    const changed_table *own = transaction_find(self, name);
    if (own != NULL) {
        return changed_is_dropped(own) ? say_missing(name, err)
                                       : own->change->kind->see(own->change, &out->snapshot, err);
    }
    for (const pinned_table *each = self->pins; each != NULL; each = each->next) {
        if (is_same(self, &each->name, &name)) {
            out->snapshot = table_snapshot_retain(each->snapshot);
            return FIRN_OK;
        }
    }
    TRY(self->of->kind->load(self->of, name, &now, memory, out, transaction_cancel(self), err));
    const firn_status status =
        out->snapshot == NULL ? FIRN_OK : pin(self, &name, out->snapshot, err);
    if (status != FIRN_OK) {
        table_snapshot_release(out->snapshot);
        out->snapshot = NULL;
    }
    return status;
}

firn_status transaction_load(transaction *self, object_name name, const table_version *version,
                             arena *memory, catalog_object *out, firn_error *err) {
    if (version == NULL || (version->kind == VERSION_CURRENT && !version->is_incremental)) {
        return load_current(self, name, memory, out, err);
    }
    TRY(load_current(self, name, memory, out, err));
    table_snapshot *seen = out->snapshot;
    if (seen == NULL) { // What a view says to that.
        return self->of->kind->load(self->of, name, version, memory, out, transaction_cancel(self),
                                    err);
    }
    out->snapshot = NULL;
    firn_status status;
    if (seen->kind->at != NULL) {
        status = seen->kind->at(seen, version, transaction_cancel(self), &out->snapshot, err);
    } else {
        status = self->of->kind->load(self->of, name, version, memory, out,
                                      transaction_cancel(self), err);
    }
    table_snapshot_release(seen);
    return status;
}

// ---- Changing ----------------------------------------------------------------------------------

bool transaction_counts(const transaction *self, const changed_table *each) {
    return transaction_find(self, each->name) == each &&
           !(changed_is_dropped(each) && each->change->base == NULL);
}

// May one more table be changed? `taken`: what has the name of that table now is counted anyway.
static firn_status check_room(transaction *self, const changed_table *taken, firn_error *err) {
    const uint32_t most = self->of->kind->committer->table_count_max(self->of);
    uint32_t count = 0;
    for (const changed_table *each = most == UINT32_MAX ? NULL : self->last;
         each != NULL && count < most; each = each->before) {
        count += each != taken && transaction_counts(self, each) ? 1 : 0;
    }
    if (count < most) {
        return FIRN_OK;
    }
    const firn_status status = FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", NO_POSITION,
                                        "the catalog \"%.*s\" cannot change another table in the "
                                        "same commit",
                                        TEXT_ARGS(self->of->alias));
    err_hint(err, "COMMIT first");
    return status;
}

static firn_status check_usable(const transaction *self, firn_error *err) {
    return self->is_broken || self->is_over ? FAIL_SQL(err, FIRN_INVALID, "25P02", NO_POSITION,
                                                       "the transaction can only be rolled back")
                                            : FIRN_OK;
}

// How the catalog commits tables of that format.
static firn_status find_form(transaction *self, text format, commit_form *out, firn_error *err) {
    bool is_known = false;
    TRY(self->of->kind->committer->form(self->of, format, out, &is_known, transaction_cancel(self),
                                        err));
    return is_known ? FIRN_OK
                    : FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", NO_POSITION,
                               "the catalog \"%.*s\" cannot change tables of the format \"%.*s\"",
                               TEXT_ARGS(self->of->alias), TEXT_ARGS(format));
}

static firn_status open_change(transaction *self, const object_name *name,
                               const table_change_kind *kind, table_snapshot *base,
                               const table_definition *definition, changed_table **out,
                               firn_error *err) {
    changed_table *made = ARENA_NEW(&self->memory, changed_table, 1);
    if (made == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    *made = (changed_table){.before = self->last, .dropped_by = NOT_DROPPED};
    TRY(find_form(self, text_of(kind->name), &made->form, err));
    TRY(copy_name(self, name, &made->name, err));
    TRY(kind->open(self, self->env, base, definition, &made->change, err));
    made->change->owner = self;
    made->change->name = made->name;
    made->change->is_replaced = base != NULL && definition != NULL;
    self->last = made;
    self->change_count += 1;
    *out = made;
    return FIRN_OK;
}

// The change of a table that is there and not dropped.
static firn_status find_or_open(transaction *self, object_name name, changed_table **out,
                                firn_error *err) {
    TRY(check_usable(self, err));
    changed_table *own = transaction_find(self, name);
    if (own != NULL) {
        *out = own;
        return changed_is_dropped(own) ? say_missing(name, err) : FIRN_OK;
    }
    catalog_object found;
    TRY(transaction_load(self, name, NULL, &self->memory, &found, err));
    if (found.snapshot == NULL) {
        return catalog_say_other_kind(name.name, false, NULL, err);
    }
    const table_change_kind *kind = found.snapshot->kind->changes;
    firn_status status = FIRN_OK;
    if (kind == NULL) {
        status = FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", NO_POSITION,
                          "\"%.*s\" can only be read: it is a table of the kind %s",
                          TEXT_ARGS(name.name), found.snapshot->kind->name);
    }
    status = status == FIRN_OK ? check_room(self, NULL, err) : status;
    if (status == FIRN_OK) {
        status = open_change(self, &name, kind, found.snapshot, NULL, out, err);
    }
    table_snapshot_release(found.snapshot);
    return status;
}

firn_status transaction_change(transaction *self, object_name name, table_change **out,
                               firn_error *err) {
    changed_table *own;
    TRY(find_or_open(self, name, &own, err));
    *out = own->change;
    return FIRN_OK;
}

// ---- Create and drop ---------------------------------------------------------------------------

static firn_status find_format(const transaction *self, text name, const table_change_kind **out,
                               firn_error *err) {
    const table_change_kind *const *each = self->env->formats;
    for (; each != NULL && *each != NULL; each++) {
        if (text_equal_nocase(text_of((*each)->name), name)) {
            *out = *each;
            return FIRN_OK;
        }
    }
    return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", NO_POSITION,
                    "tables of the format \"%.*s\" cannot be created", TEXT_ARGS(name));
}

// A commit says one thing of a name, and "replaced" would keep what was to be gone: branches, tags,
// properties, and of PURGE the files.
static firn_status refuse_dropped(object_name name, firn_error *err) {
    const firn_status status = FAIL_SQL(
        err, FIRN_INVALID, "55000", NO_POSITION,
        "the table \"%.*s\" was dropped in this transaction, and is there until it commits",
        TEXT_ARGS(name.name));
    err_hint(err, "COMMIT first; or CREATE OR REPLACE TABLE instead of DROP, which keeps the "
                  "table's history");
    return status;
}

// What has the name of a new table. *out is to be released: NULL if there is nothing, or nothing
// that is there any more when this commits.
static firn_status find_replaced(transaction *self, object_name name, bool replace,
                                 table_snapshot **out, firn_error *err) {
    const changed_table *own = transaction_find(self, name);
    catalog_object found = {.snapshot = NULL};
    bool is_there = own != NULL && !changed_is_dropped(own);
    *out = NULL;
    if (own == NULL) {
        const firn_status status = transaction_load(self, name, NULL, &self->memory, &found, err);
        is_there = status == FIRN_OK;
        TRY(err_forgive(err, status, FIRN_NOT_FOUND));
    } else if (own->change->base != NULL) {
        found.snapshot = table_snapshot_retain(own->change->base);
    }
    firn_status status = FIRN_OK;
    if (own != NULL && !is_there && own->change->base != NULL) {
        status = refuse_dropped(name, err);
    } else if (is_there && !replace) {
        status = FAIL_SQL(err, FIRN_INVALID, "42P07", NO_POSITION,
                          "a table or view \"%.*s\" exists already", TEXT_ARGS(name.name));
    } else if (found.view != NULL) {
        status = catalog_say_other_kind(name.name, false, NULL, err);
    }
    if (status != FIRN_OK) {
        table_snapshot_release(found.snapshot);
        return status;
    }
    *out = found.snapshot;
    return FIRN_OK;
}

static firn_status stage(transaction *self, object_name name, const table_definition *definition,
                         table_snapshot *replaced, table_change **out, firn_error *err) {
    table_definition staged;
    const table_change_kind *kind;
    changed_table *made;
    TRY(check_room(self, transaction_find(self, name), err));
    TRY(self->of->kind->committer->stage(self->of, name, definition, &self->memory, &staged,
                                         transaction_cancel(self), err));
    TRY(find_format(self, staged.format, &kind, err));
    if (replaced != NULL && definition->location.size == 0) {
        // As in Java a replaced table stays where it is; the catalog speaks of a new one.
        staged.location = (text){.size = 0};
    }
    TRY(open_change(self, &name, kind, replaced, &staged, &made, err));
    *out = made->change;
    return FIRN_OK;
}

firn_status transaction_create(transaction *self, object_name name,
                               const table_definition *definition, bool replace, table_change **out,
                               firn_error *err) {
    table_snapshot *replaced;
    TRY(check_usable(self, err));
    TRY(find_replaced(self, name, replace, &replaced, err));
    const firn_status status = stage(self, name, definition, replaced, out, err);
    table_snapshot_release(replaced);
    return status;
}

firn_status transaction_drop(transaction *self, object_name name, bool purge, firn_error *err) {
    changed_table *own;
    TRY(find_or_open(self, name, &own, err));
    const table_snapshot *base = own->change->base;
    if (purge && base != NULL && base->kind->define != NULL) {
        table_definition was;
        TRY(base->kind->define(base, &self->memory, &was, err));
        TRY(text_copy(&self->memory, was.location, &own->location, err));
    }
    own->is_purged = purge;
    own->dropped_by = transaction_next_step(self);
    own->change->is_dropped = true;
    return FIRN_OK;
}

// ---- Undo --------------------------------------------------------------------------------------

transaction_mark transaction_mark_take(const transaction *self) {
    return (transaction_mark){.change_count = self->change_count, .step_count = self->step_count};
}

void transaction_undo_to(transaction *self, transaction_mark mark) {
    while (self->change_count > mark.change_count) {
        close_last(self);
    }
    for (changed_table *each = self->last; each != NULL; each = each->before) {
        if (changed_is_dropped(each) && each->dropped_by >= mark.step_count) {
            each->dropped_by = NOT_DROPPED;
            each->is_purged = false;
            each->change->is_dropped = false;
        }
        if (self->step_count == mark.step_count) {
            continue; // Nothing was done since.
        }
        if (each->change->kind->undo == NULL) {
            self->is_broken = true;
        } else {
            each->change->kind->undo(each->change, mark.step_count);
        }
    }
    // Numbers are not given twice: a later mark must not take these for its own.
}
