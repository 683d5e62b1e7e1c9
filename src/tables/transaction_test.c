// Transactions (tables/transaction.h) are a contract that nobody fulfils yet, and of changed rows
// (tables/row_change.h) only what is added. Here a small table format and a small catalog, both in
// memory, fulfil them, so that what they declare can be filled as it is: own changes are seen,
// commits are all or nothing, conflicts are put on top of what others did, and an unknown answer is
// cleared up.
//
// The functions have other names here: the engine's own come under theirs. It is one file because a
// format, a catalog and their transaction only mean something together, and go when real ones come.
// NOLINTBEGIN(readability-identifier-naming): they are names of functions.
#define transaction_begin fake_transaction_begin
#define transaction_load fake_transaction_load
#define transaction_change fake_transaction_change
#define transaction_create fake_transaction_create
#define transaction_drop fake_transaction_drop
#define transaction_has_changes fake_transaction_has_changes
#define transaction_mark_take fake_transaction_mark_take
#define transaction_undo_to fake_transaction_undo_to
#define transaction_commit fake_transaction_commit
#define transaction_close fake_transaction_close
// NOLINTEND(readability-identifier-naming)
#include "tables/transaction.h"

#include <string.h>

#include "base/host.h"
#include "base/test.h"

#define ROWS_MAX 64
#define STEPS_MAX 64
#define TABLES_MAX 4
#define MEMORY_LIMIT ((size_t)1 << 20)

// ---- Tables and the catalog that holds them ----------------------------------------------------

// A state of a table: numbers, and the ids of the commits that made it.
typedef struct state {
    uint32_t count;
    int64_t values[ROWS_MAX];
    uint64_t version; // Also how many ids there are.
    uint64_t ids[ROWS_MAX];
    uint64_t deletions; // Versions that took rows away.
} state;

typedef struct snapshot {
    table_snapshot base;
    state state;
} snapshot;

static void snapshot_free(table_snapshot *self) {
    host_free(self);
}

static const table_change_kind fake_changes;
static const row_sink_kind fake_sink;
static const table_kind fake_tables = {
    .name = "fake", .free = snapshot_free, .sink = &fake_sink, .changes = &fake_changes};

static table_snapshot *snapshot_of(const state *from) {
    snapshot *made = host_alloc(sizeof *made);
    *made = (snapshot){.base = {.kind = &fake_tables}, .state = *from};
    atomic_init(&made->base.references, 1);
    return &made->base;
}

static const state *state_of(const table_snapshot *self) {
    return &((const snapshot *)(const void *)self)->state;
}

typedef struct stored {
    text name; // Of size 0: none.
    state now;
} stored;

// What the next commits come to: done or not, and what the server says of it.
typedef struct script {
    bool is_lost;  // No answer comes.
    bool does_not; // Though it would fit.
} script;

typedef struct fake_catalog {
    catalog base;
    stored tables[TABLES_MAX];
    uint32_t table_count_max;
    const script *scripts;
    uint32_t script_count;
    uint32_t commit_count;
    uint64_t last_id;
} fake_catalog;

static fake_catalog *fake_of(catalog *self) {
    return (fake_catalog *)(void *)self;
}

static stored *find(fake_catalog *self, text name) {
    for (uint32_t i = 0; i < TABLES_MAX; i++) {
        if (text_equal(self->tables[i].name, name)) {
            return &self->tables[i];
        }
    }
    return NULL;
}

static firn_status fake_load(catalog *self, object_name name, const table_version *version,
                             arena *memory, catalog_object *out, const cancel_flag *cancel,
                             firn_error *err) {
    (void)version;
    (void)memory;
    (void)cancel;
    const stored *found = find(fake_of(self), name.name);
    if (found == NULL) {
        return FAIL(err, FIRN_NOT_FOUND, "there is no table \"%.*s\"", TEXT_ARGS(name.name));
    }
    *out = (catalog_object){.snapshot = snapshot_of(&found->now)};
    return FIRN_OK;
}

// COMMIT_LOCAL of this format.
typedef struct local_part {
    uint64_t seen_version; // UINT64_MAX: there was none.
    state made;
} local_part;

static firn_status committer_form(catalog *self, text format, commit_form *out, bool *is_known,
                                  const cancel_flag *cancel, firn_error *err) {
    (void)self;
    (void)cancel;
    (void)err;
    *out = COMMIT_LOCAL;
    *is_known = text_equal(format, TEXT("fake"));
    return FIRN_OK;
}

static uint32_t committer_count_max(catalog *self) {
    return fake_of(self)->table_count_max;
}

static firn_status committer_stage(catalog *self, object_name name, const table_definition *wanted,
                                   arena *memory, table_definition *out, const cancel_flag *cancel,
                                   firn_error *err) {
    (void)self;
    (void)cancel;
    *out = *wanted;
    return text_copy(memory, name.name, &out->location, err);
}

static bool fits(fake_catalog *self, const commit_part *part) {
    const local_part *local = part->local;
    const stored *found = find(self, part->name.name);
    return found == NULL ? local->seen_version == UINT64_MAX
                         : found->now.version == local->seen_version;
}

static void take_part(fake_catalog *self, const commit_part *part) {
    stored *at = find(self, part->name.name);
    at = at != NULL ? at : find(self, (text){.size = 0});
    at->name = part->kind == PART_DROP ? (text){.size = 0} : part->name.name;
    at->now = ((const local_part *)part->local)->made;
}

static firn_status committer_commit(catalog *self, const commit_parts *parts, uint32_t deadline_ms,
                                    commit_answer *answer, firn_error *err) {
    fake_catalog *own = fake_of(self);
    const uint32_t number = own->commit_count++;
    const script says = number < own->script_count ? own->scripts[number] : (script){false, false};
    bool all_fit = true;
    (void)deadline_ms;
    (void)err;
    for (uint32_t i = 0; i < parts->count; i++) {
        all_fit = all_fit && fits(own, &parts->items[i]);
    }
    for (uint32_t i = 0; all_fit && !says.does_not && i < parts->count; i++) {
        take_part(own, &parts->items[i]);
    }
    *answer = says.is_lost ? COMMIT_UNKNOWN : all_fit ? COMMIT_DONE : COMMIT_CONFLICT;
    return FIRN_OK;
}

static firn_status committer_purge(catalog *self, object_name name, text location,
                                   const cancel_flag *cancel, firn_error *err) {
    (void)self;
    (void)name;
    (void)location;
    (void)cancel;
    (void)err;
    return FIRN_OK;
}

static const catalog_committer fake_committer = {.form = committer_form,
                                                 .table_count_max = committer_count_max,
                                                 .stage = committer_stage,
                                                 .commit = committer_commit,
                                                 .purge = committer_purge};
static const catalog_kind fake_catalogs = {
    .name = "fake", .load = fake_load, .committer = &fake_committer};

// ---- Changes of a table ------------------------------------------------------------------------

// Steps of one statement have one number, so that they can be undone together.
typedef struct step {
    enum { STEP_ADD, STEP_TAKE } kind;
    int64_t value; // Of STEP_TAKE: the position.
    uint64_t number;
} step;

typedef struct change {
    table_change base;
    bool is_dropped;
    uint32_t step_count;
    step steps[STEPS_MAX];
    uint64_t id; // Of the commit that it is part of.
    commit_answer settled;
    bool is_settled;
} change;

struct transaction {
    catalog *of;
    arena memory;
    uint64_t step_number;
    uint32_t change_count;
    change *changes[TABLES_MAX];
    uint32_t pin_count;
    object_name pinned[TABLES_MAX];
    table_snapshot *pins[TABLES_MAX];
};

static change *change_of(table_change *self) {
    return (change *)(void *)self;
}

static firn_status change_open(transaction *owner, table_snapshot *base,
                               const table_definition *definition, table_change **out,
                               firn_error *err) {
    change *self = ARENA_NEW(&owner->memory, change, 1);
    (void)definition;
    if (self == NULL) {
        return ARENA_FULL(&owner->memory, err);
    }
    *self = (change){.base = {.kind = &fake_changes, .owner = owner}};
    self->base.base = base == NULL ? NULL : table_snapshot_retain(base);
    *out = &self->base;
    return FIRN_OK;
}

// The base with the steps: rows that are taken away go, new ones come behind.
static void apply(const change *self, state *out) {
    const state *base = self->base.base == NULL ? NULL : state_of(self->base.base);
    bool is_taken[ROWS_MAX] = {false};
    *out = (state){.version = base == NULL ? 0 : base->version};
    if (base != NULL) {
        memcpy(out->ids, base->ids, sizeof out->ids);
        out->deletions = base->deletions;
    }
    for (uint32_t i = 0; i < self->step_count; i++) {
        if (self->steps[i].kind == STEP_TAKE) {
            is_taken[self->steps[i].value] = true;
        }
    }
    for (uint32_t i = 0; base != NULL && !self->base.is_replaced && i < base->count; i++) {
        if (!is_taken[i]) {
            out->values[out->count++] = base->values[i];
        }
    }
    for (uint32_t i = 0; i < self->step_count; i++) {
        if (self->steps[i].kind == STEP_ADD) {
            out->values[out->count++] = self->steps[i].value;
        }
    }
}

static firn_status change_see(table_change *self, table_snapshot **out, firn_error *err) {
    state seen;
    (void)err;
    apply(change_of(self), &seen);
    *out = snapshot_of(&seen);
    return FIRN_OK;
}

static firn_status change_alter(table_change *self, const alteration *steps, uint32_t count,
                                firn_error *err) {
    (void)self;
    (void)count;
    return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", steps[0].position,
                    "tables of numbers are not "
                    "altered");
}

static bool takes_rows(const change *self) {
    bool takes = false;
    for (uint32_t i = 0; i < self->step_count; i++) {
        takes = takes || self->steps[i].kind == STEP_TAKE;
    }
    return takes;
}

static firn_status change_prepare(table_change *self, commit_form form, arena *memory,
                                  commit_part *out, firn_error *err) {
    change *own = change_of(self);
    local_part *local = ARENA_NEW(memory, local_part, 1);
    if (local == NULL || form != COMMIT_LOCAL) {
        return FAIL(err, FIRN_UNSUPPORTED, "a table of numbers is committed in memory");
    }
    if (own->id == 0) { // The same in each attempt: what is_in looks for.
        own->id = ++fake_of(self->owner->of)->last_id;
    }
    apply(own, &local->made);
    local->seen_version = self->base == NULL ? UINT64_MAX : state_of(self->base)->version;
    local->made.deletions += takes_rows(own);
    local->made.ids[local->made.version++] = own->id;
    *out = (commit_part){.name = self->name, .form = form, .local = local};
    out->kind = own->is_dropped      ? PART_DROP
                : self->base == NULL ? PART_CREATE
                : self->is_replaced  ? PART_REPLACE
                                     : PART_CHANGE;
    return FIRN_OK;
}

static firn_status change_rebase(table_change *self, table_snapshot *head, firn_error *err) {
    if (head == NULL || self->base == NULL) {
        return FAIL(err, FIRN_CONFLICT, "the table is gone, or another of that name has come");
    }
    if (takes_rows(change_of(self)) &&
        state_of(head)->deletions != state_of(self->base)->deletions) {
        return FAIL(err, FIRN_CONFLICT, "rows that this changes were changed by others");
    }
    table_snapshot_release(self->base);
    self->base = table_snapshot_retain(head);
    return FIRN_OK;
}

static firn_status change_is_in(table_change *self, table_snapshot *head, bool *out,
                                firn_error *err) {
    const state *now = state_of(head);
    *out = false;
    (void)err;
    for (uint64_t i = 0; i < now->version; i++) {
        *out = *out || now->ids[i] == change_of(self)->id;
    }
    return FIRN_OK;
}

static void change_settle(table_change *self, commit_answer answer) {
    change_of(self)->settled = answer;
    change_of(self)->is_settled = true;
}

static void change_close(table_change *self) {
    table_snapshot_release(self->base);
}

static const table_change_kind fake_changes = {.name = "fake",
                                               .open = change_open,
                                               .see = change_see,
                                               .alter = change_alter,
                                               .prepare = change_prepare,
                                               .rebase = change_rebase,
                                               .is_in = change_is_in,
                                               .settle = change_settle,
                                               .close = change_close};

// ---- The sink ----------------------------------------------------------------------------------

struct row_sink {
    change *change;
    change_kind kind;
    uint32_t step_count;
    step steps[STEPS_MAX];
};

struct row_sink_worker {
    row_sink *owner;
    uint32_t step_count;
    step steps[STEPS_MAX];
};

static firn_status sink_wish(table_snapshot *base, change_kind kind, arena *memory, row_wish *out,
                             firn_error *err) {
    (void)base;
    (void)memory;
    (void)err;
    *out = (row_wish){.by_row_id = kind != CHANGE_APPEND};
    return FIRN_OK;
}

static firn_status sink_open(const row_sink_request *request, const scan_env *env, row_sink **out,
                             firn_error *err) {
    (void)env;
    *out = host_alloc(sizeof **out);
    if (*out == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "no memory");
    }
    **out = (row_sink){.change = change_of(request->change), .kind = request->kind};
    return FIRN_OK;
}

static firn_status sink_open_worker(row_sink *self, const scan_env *env, row_sink_worker **out,
                                    firn_error *err) {
    (void)env;
    *out = host_alloc(sizeof **out);
    if (*out == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "no memory");
    }
    **out = (row_sink_worker){.owner = self};
    return FIRN_OK;
}

static firn_status sink_push(row_sink_worker *self, const batch *rows, bool *must_wait,
                             firn_error *err) {
    *must_wait = false;
    for (uint32_t k = 0; k < rows->selected_count; k++) {
        const uint32_t row = batch_row(rows, k);
        row_action action = ROW_INSERT;
        if (self->owner->kind != CHANGE_APPEND) {
            action = (row_action)COLUMN_VALUES(&rows->columns[1], int8_t)[row];
        }
        if (action != ROW_DELETE && !column_is_valid(&rows->columns[0], row)) {
            return FAIL_SQL(err, FIRN_INVALID, "23502", NO_POSITION, "NULL in a table of numbers");
        }
        if (action == ROW_DELETE || action == ROW_UPDATE) {
            const uint64_t id = COLUMN_VALUES(&rows->columns[2], uint64_t)[row];
            self->steps[self->step_count++] =
                (step){.kind = STEP_TAKE, .value = (int64_t)row_id_position(id)};
        }
        if (action == ROW_INSERT || action == ROW_UPDATE) {
            self->steps[self->step_count++] =
                (step){.kind = STEP_ADD, .value = COLUMN_VALUES(&rows->columns[0], int64_t)[row]};
        }
    }
    return FIRN_OK;
}

static firn_status sink_finish_worker(row_sink_worker *self, firn_error *err) {
    row_sink *owner = self->owner;
    (void)err;
    memcpy(owner->steps + owner->step_count, self->steps, self->step_count * sizeof(step));
    owner->step_count += self->step_count;
    return FIRN_OK;
}

static void sink_close_worker(row_sink_worker *self) {
    host_free(self);
}

static firn_status sink_finish(row_sink *self, uint32_t *piece_count, firn_error *err) {
    (void)err;
    *piece_count = self->step_count > 0 ? 1 : 0;
    return FIRN_OK;
}

static firn_status sink_run_piece(row_sink *self, uint32_t piece, const scan_env *env,
                                  bool *must_wait, firn_error *err) {
    (void)env;
    (void)err;
    CHECK(piece == 0 && self->step_count > 0);
    *must_wait = false;
    return FIRN_OK;
}

static firn_status sink_end(row_sink *self, uint64_t *changed_rows, firn_error *err) {
    change *to = self->change;
    const uint64_t number = to->base.owner->step_number++;
    (void)err;
    for (uint32_t i = 0; i < self->step_count; i++) {
        to->steps[to->step_count] = self->steps[i];
        to->steps[to->step_count++].number = number;
    }
    *changed_rows = self->step_count;
    return FIRN_OK;
}

static void sink_close(row_sink *self) {
    host_free(self);
}

static const row_sink_kind fake_sink = {.name = "fake",
                                        .wish = sink_wish,
                                        .open = sink_open,
                                        .open_worker = sink_open_worker,
                                        .push = sink_push,
                                        .finish_worker = sink_finish_worker,
                                        .close_worker = sink_close_worker,
                                        .finish = sink_finish,
                                        .run_piece = sink_run_piece,
                                        .end = sink_end,
                                        .close = sink_close};

// ---- The transaction ---------------------------------------------------------------------------

firn_status transaction_begin(catalog *of, const transaction_env *env, transaction **out,
                              firn_error *err) {
    (void)env;
    *out = host_alloc(sizeof **out);
    if (*out == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "no memory");
    }
    **out = (transaction){.of = of, .memory = arena_open(MEMORY_LIMIT)};
    return FIRN_OK;
}

static change *changed(transaction *self, text name) {
    for (uint32_t i = 0; i < self->change_count; i++) {
        if (text_equal(self->changes[i]->base.name.name, name)) {
            return self->changes[i];
        }
    }
    return NULL;
}

firn_status transaction_load(transaction *self, object_name name, const table_version *version,
                             arena *memory, catalog_object *out, firn_error *err) {
    change *own = changed(self, name.name);
    if (own != NULL && own->is_dropped) {
        return FAIL(err, FIRN_NOT_FOUND, "there is no table \"%.*s\"", TEXT_ARGS(name.name));
    }
    *out = (catalog_object){.view = NULL};
    if (own != NULL) {
        return own->base.kind->see(&own->base, &out->snapshot, err);
    }
    for (uint32_t i = 0; i < self->pin_count; i++) {
        if (text_equal(self->pinned[i].name, name.name)) {
            out->snapshot = table_snapshot_retain(self->pins[i]);
            return FIRN_OK;
        }
    }
    TRY(self->of->kind->load(self->of, name, version, memory, out, NULL, err));
    self->pinned[self->pin_count] = name;
    self->pins[self->pin_count++] = table_snapshot_retain(out->snapshot);
    return FIRN_OK;
}

static firn_status begin_change(transaction *self, object_name name, table_snapshot *base,
                                table_change **out, firn_error *err) {
    const catalog_committer *committer = self->of->kind->committer;
    if (self->change_count >= committer->table_count_max(self->of)) {
        const firn_status status =
            FAIL(err, FIRN_UNSUPPORTED, "one commit of this catalog changes one table");
        err_hint(err, "COMMIT first");
        return status;
    }
    TRY(fake_tables.changes->open(self, base, NULL, out, err));
    (*out)->name = name;
    self->changes[self->change_count++] = change_of(*out);
    return FIRN_OK;
}

firn_status transaction_change(transaction *self, object_name name, table_change **out,
                               firn_error *err) {
    change *own = changed(self, name.name);
    if (own != NULL) {
        *out = &own->base;
        return FIRN_OK;
    }
    const table_version current = {.kind = VERSION_CURRENT};
    catalog_object found;
    TRY(transaction_load(self, name, &current, &self->memory, &found, err));
    const firn_status status = begin_change(self, name, found.snapshot, out, err);
    table_snapshot_release(found.snapshot);
    return status;
}

firn_status transaction_create(transaction *self, object_name name,
                               const table_definition *definition, bool replace, table_change **out,
                               firn_error *err) {
    const table_version current = {.kind = VERSION_CURRENT};
    catalog_object found = {.snapshot = NULL};
    table_definition staged;
    const firn_status status = transaction_load(self, name, &current, &self->memory, &found, err);
    if (status == FIRN_OK && !replace) {
        table_snapshot_release(found.snapshot);
        return FAIL_SQL(err, FIRN_INVALID, "42P07", NO_POSITION, "there is a table \"%.*s\"",
                        TEXT_ARGS(name.name));
    }
    TRY(err_forgive(err, status, FIRN_NOT_FOUND));
    firn_status made = self->of->kind->committer->stage(self->of, name, definition, &self->memory,
                                                        &staged, NULL, err);
    if (made == FIRN_OK) {
        made = begin_change(self, name, found.snapshot, out, err);
    }
    if (made == FIRN_OK) {
        (*out)->is_replaced = found.snapshot != NULL;
    }
    table_snapshot_release(found.snapshot);
    return made;
}

firn_status transaction_drop(transaction *self, object_name name, bool purge, firn_error *err) {
    table_change *made;
    (void)purge;
    TRY(transaction_change(self, name, &made, err));
    change_of(made)->is_dropped = true;
    return FIRN_OK;
}

bool transaction_has_changes(const transaction *self) {
    return self->change_count > 0;
}

transaction_mark transaction_mark_take(const transaction *self) {
    return (transaction_mark){.change_count = self->change_count, .step_count = self->step_number};
}

void transaction_undo_to(transaction *self, transaction_mark mark) {
    while (self->change_count > mark.change_count) {
        table_change *last = &self->changes[--self->change_count]->base;
        last->kind->close(last);
    }
    for (uint32_t i = 0; i < self->change_count; i++) {
        change *each = self->changes[i];
        while (each->step_count > 0 &&
               each->steps[each->step_count - 1].number >= mark.step_count) {
            each->step_count -= 1;
        }
    }
    self->step_number = mark.step_count;
}

static firn_status load_head(transaction *self, const change *of, table_snapshot **out,
                             firn_error *err) {
    const table_version current = {.kind = VERSION_CURRENT};
    catalog_object found = {.snapshot = NULL};
    const firn_status status =
        self->of->kind->load(self->of, of->base.name, &current, &self->memory, &found, NULL, err);
    *out = found.snapshot;
    return err_forgive(err, status, FIRN_NOT_FOUND);
}

// Puts every change on top of what others did.
static firn_status rebase_all(transaction *self, firn_error *err) {
    for (uint32_t i = 0; i < self->change_count; i++) {
        table_snapshot *head;
        TRY(load_head(self, self->changes[i], &head, err));
        table_change *each = &self->changes[i]->base;
        const firn_status status = each->kind->rebase(each, head, err);
        table_snapshot_release(head);
        TRY(status);
    }
    return FIRN_OK;
}

// What an answer that did not come would have been: done, a conflict, or still unknown.
static firn_status clear_up(transaction *self, commit_answer *answer, firn_error *err) {
    bool all_in = true;
    bool has_moved = false;
    for (uint32_t i = 0; i < self->change_count; i++) {
        table_snapshot *head;
        bool is_in = false;
        TRY(load_head(self, self->changes[i], &head, err));
        table_change *each = &self->changes[i]->base;
        firn_status status = head == NULL ? FIRN_OK : each->kind->is_in(each, head, &is_in, err);
        const uint64_t seen = each->base == NULL ? UINT64_MAX : state_of(each->base)->version;
        has_moved = has_moved || (head != NULL && state_of(head)->version != seen);
        all_in = all_in && is_in;
        table_snapshot_release(head);
        TRY(status);
    }
    *answer = all_in ? COMMIT_DONE : has_moved ? COMMIT_CONFLICT : COMMIT_UNKNOWN;
    return FIRN_OK;
}

static firn_status attempt(transaction *self, arena *memory, uint32_t deadline_ms,
                           commit_answer *answer, firn_error *err) {
    const catalog_committer *committer = self->of->kind->committer;
    commit_part parts[TABLES_MAX];
    for (uint32_t i = 0; i < self->change_count; i++) {
        commit_form form;
        bool is_known;
        TRY(committer->form(self->of, TEXT("fake"), &form, &is_known, NULL, err));
        CHECK(is_known);
        table_change *each = &self->changes[i]->base;
        TRY(each->kind->prepare(each, form, memory, &parts[i], err));
    }
    const commit_parts all = {.count = self->change_count, .items = parts};
    TRY(committer->commit(self->of, &all, deadline_ms, answer, err));
    return *answer == COMMIT_UNKNOWN ? clear_up(self, answer, err) : FIRN_OK;
}

firn_status transaction_commit(transaction *self, const commit_options *options, arena *memory,
                               commit_report *out, firn_error *err) {
    firn_status status = FIRN_OK;
    *out = (commit_report){.answer = COMMIT_CONFLICT, .table_count = self->change_count};
    while (status == FIRN_OK && out->attempts < options->attempts_max) {
        out->attempts += 1;
        status = attempt(self, memory, options->deadline_ms, &out->answer, err);
        if (status != FIRN_OK || out->answer == COMMIT_DONE) {
            break;
        }
        if (out->answer == COMMIT_CONFLICT) {
            status = rebase_all(self, err);
        }
    }
    for (uint32_t i = 0; i < self->change_count; i++) {
        self->changes[i]->base.kind->settle(&self->changes[i]->base, out->answer);
    }
    if (status == FIRN_OK && out->answer == COMMIT_CONFLICT) {
        return FAIL(err, FIRN_CONFLICT, "others committed %u times", out->attempts);
    }
    if (status == FIRN_OK && out->answer == COMMIT_UNKNOWN) {
        return FAIL(err, FIRN_COMMIT_UNKNOWN, "no answer came %u times", out->attempts);
    }
    return status;
}

void transaction_close(transaction *self) {
    if (self == NULL) {
        return;
    }
    for (uint32_t i = 0; i < self->change_count; i++) {
        self->changes[i]->base.kind->close(&self->changes[i]->base);
    }
    for (uint32_t i = 0; i < self->pin_count; i++) {
        table_snapshot_release(self->pins[i]);
    }
    arena_close(&self->memory);
    host_free(self);
}

// ---- Tests -------------------------------------------------------------------------------------

static firn_error err = FIRN_ERROR_INIT;

static const transaction_env no_env = {.io = NULL};
static const commit_options three_times = {.attempts_max = 3, .deadline_ms = UINT32_MAX};

static fake_catalog catalog_of(uint32_t table_count_max) {
    return (fake_catalog){.base = {.kind = &fake_catalogs, .alias = TEXT("lake")},
                          .table_count_max = table_count_max,
                          .tables = {{TEXT("t"), {.count = 3, .values = {1, 2, 3}, .version = 0}},
                                     {TEXT("u"), {.count = 1, .values = {7}, .version = 0}}}};
}

static object_name named(const char *name) {
    return (object_name){.name = text_of(name)};
}

static transaction *begin(fake_catalog *of) {
    transaction *made = NULL;
    CHECK(transaction_begin(&of->base, &no_env, &made, &err) == FIRN_OK);
    return made;
}

// One statement: rows of (value, action, position), pushed by two workers in turn.
typedef struct pushed {
    int64_t value;
    row_action action;
    uint64_t position;
} pushed;

static void push_row(row_sink_worker *to, arena *memory, const pushed *row, change_kind kind) {
    column columns[3];
    bool must_wait = true;
    CHECK(column_new(memory, TYPE_OF(BIGINT), 1, &columns[0], &err) == FIRN_OK);
    CHECK(column_new(memory, TYPE_OF(TINYINT), 1, &columns[1], &err) == FIRN_OK);
    CHECK(column_new(memory, TYPE_OF(UBIGINT), 1, &columns[2], &err) == FIRN_OK);
    COLUMN_OUT(&columns[0], int64_t)[0] = row->value;
    COLUMN_OUT(&columns[1], int8_t)[0] = (int8_t)row->action;
    COLUMN_OUT(&columns[2], uint64_t)[0] = row_id_make(0, row->position);
    const batch rows = batch_of(columns, kind == CHANGE_APPEND ? 1 : 3, 1);
    CHECK(fake_sink.push(to, &rows, &must_wait, &err) == FIRN_OK && !must_wait);
}

static void run(transaction *in, const char *table, change_kind kind, const pushed *rows,
                uint32_t count) {
    arena memory = arena_open(MEMORY_LIMIT);
    table_change *change = NULL;
    row_sink *sink = NULL;
    row_sink_worker *workers[2] = {NULL, NULL};
    uint32_t pieces = 0;
    uint64_t changed_rows = 0;
    bool must_wait = true;
    REQUIRE(transaction_change(in, named(table), &change, &err) == FIRN_OK && change != NULL);
    const row_sink_request request = {.change = change, .base = change->base, .kind = kind};
    REQUIRE(fake_sink.open(&request, NULL, &sink, &err) == FIRN_OK && sink != NULL);
    for (int i = 0; i < 2; i++) {
        CHECK(fake_sink.open_worker(sink, NULL, &workers[i], &err) == FIRN_OK);
    }
    for (uint32_t i = 0; i < count; i++) {
        push_row(workers[i % 2], &memory, &rows[i], kind);
    }
    for (int i = 0; i < 2; i++) {
        CHECK(fake_sink.finish_worker(workers[i], &err) == FIRN_OK);
        fake_sink.close_worker(workers[i]);
    }
    CHECK(fake_sink.finish(sink, &pieces, &err) == FIRN_OK && pieces == 1);
    CHECK(fake_sink.run_piece(sink, 0, NULL, &must_wait, &err) == FIRN_OK && !must_wait);
    CHECK(fake_sink.end(sink, &changed_rows, &err) == FIRN_OK && changed_rows >= count);
    fake_sink.close(sink);
    arena_close(&memory);
}

static void append(transaction *in, const char *table, int64_t value) {
    const pushed row = {.value = value, .action = ROW_INSERT};
    run(in, table, CHANGE_APPEND, &row, 1);
}

static int64_t sum_of(const state *self) {
    int64_t sum = 0;
    for (uint32_t i = 0; i < self->count; i++) {
        sum += self->values[i];
    }
    return sum;
}

// The sum of what a transaction sees; -1: it sees no such table.
static int64_t seen(transaction *by, const char *table) {
    const table_version current = {.kind = VERSION_CURRENT};
    catalog_object found = {.snapshot = NULL};
    if (transaction_load(by, named(table), &current, &by->memory, &found, &err) != FIRN_OK) {
        return -1;
    }
    const int64_t sum = sum_of(state_of(found.snapshot));
    table_snapshot_release(found.snapshot);
    return sum;
}

static int64_t stored_sum(fake_catalog *in, const char *table) {
    const stored *found = find(in, text_of(table));
    return found == NULL ? -1 : sum_of(&found->now);
}

static firn_status commit(transaction *self, commit_report *out) {
    return transaction_commit(self, &three_times, &self->memory, out, &err);
}

TEST(transactions_see_their_own_changes_and_one_snapshot) {
    fake_catalog lake = catalog_of(2);
    transaction *ours = begin(&lake);
    transaction *theirs = begin(&lake);
    commit_report report;
    const pushed rows[] = {{10, ROW_INSERT, 0}, {0, ROW_DELETE, 1}, {30, ROW_UPDATE, 2}};
    CHECK(seen(theirs, "t") == 6 && !transaction_has_changes(ours));
    run(ours, "t", CHANGE_MERGE, rows, 3);
    append(ours, "u", 5);
    CHECK(transaction_has_changes(ours));
    CHECK(seen(ours, "t") == 1 + 10 + 30 && seen(ours, "u") == 12);
    CHECK(stored_sum(&lake, "t") == 6 && stored_sum(&lake, "u") == 7);
    CHECK(commit(ours, &report) == FIRN_OK);
    CHECK(report.answer == COMMIT_DONE && report.attempts == 1 && report.table_count == 2);
    CHECK(stored_sum(&lake, "t") == 41 && stored_sum(&lake, "u") == 12);
    CHECK(seen(theirs, "t") == 6 && seen(theirs, "u") == 12); // What it had seen stays.
    transaction_close(ours);
    transaction_close(theirs);
}

TEST(transactions_go_on_top_of_what_others_added) {
    fake_catalog lake = catalog_of(2);
    transaction *ours = begin(&lake);
    transaction *theirs = begin(&lake);
    commit_report report;
    append(ours, "t", 100);
    append(theirs, "t", 1000);
    CHECK(commit(theirs, &report) == FIRN_OK);
    CHECK(commit(ours, &report) == FIRN_OK && report.attempts == 2);
    CHECK(stored_sum(&lake, "t") == 1106 && ours->changes[0]->settled == COMMIT_DONE);
    transaction_close(ours);
    transaction_close(theirs);
}

TEST(transactions_whose_rows_others_changed_are_conflicts_and_leave_nothing) {
    fake_catalog lake = catalog_of(2);
    transaction *ours = begin(&lake);
    transaction *theirs = begin(&lake);
    commit_report report;
    const pushed row = {.action = ROW_DELETE, .position = 0};
    run(ours, "t", CHANGE_DELETE, &row, 1);
    append(ours, "u", 1);
    run(theirs, "t", CHANGE_DELETE, &row, 1);
    CHECK(commit(theirs, &report) == FIRN_OK);
    CHECK(commit(ours, &report) == FIRN_CONFLICT && strstr(err.text, "by others") != NULL);
    CHECK(stored_sum(&lake, "t") == 5 && stored_sum(&lake, "u") == 7);
    CHECK(ours->changes[1]->is_settled && ours->changes[1]->settled == COMMIT_CONFLICT);
    transaction_close(ours);
    transaction_close(theirs);
}

TEST(transactions_clear_up_answers_that_do_not_come) {
    static const script done[] = {{.is_lost = true}};
    static const script not_done[] = {{.is_lost = true, .does_not = true}};
    static const script never[] = {{true, true}, {true, true}, {true, true}};
    static const struct {
        const script *scripts;
        uint32_t count;
        firn_status status;
        uint32_t attempts;
        int64_t sum;
    } cases[] = {{done, 1, FIRN_OK, 1, 106},
                 {not_done, 1, FIRN_OK, 2, 106},
                 {never, 3, FIRN_COMMIT_UNKNOWN, 3, 6}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fake_catalog lake = catalog_of(1);
        lake.scripts = cases[i].scripts;
        lake.script_count = cases[i].count;
        transaction *ours = begin(&lake);
        commit_report report;
        append(ours, "t", 100);
        CHECK(commit(ours, &report) == cases[i].status);
        CHECK(report.attempts == cases[i].attempts && lake.commit_count == cases[i].attempts);
        CHECK(stored_sum(&lake, "t") == cases[i].sum);
        transaction_close(ours);
    }
}

TEST(transactions_undo_a_statement_that_failed) {
    fake_catalog lake = catalog_of(2);
    transaction *ours = begin(&lake);
    commit_report report;
    append(ours, "t", 100);
    const transaction_mark mark = transaction_mark_take(ours);
    append(ours, "t", 1000);
    append(ours, "u", 1000);
    transaction_undo_to(ours, mark);
    CHECK(seen(ours, "t") == 106 && seen(ours, "u") == 7);
    CHECK(commit(ours, &report) == FIRN_OK && report.table_count == 1);
    CHECK(stored_sum(&lake, "t") == 106 && stored_sum(&lake, "u") == 7);
    transaction_close(ours);
}

TEST(transactions_create_replace_and_drop) {
    fake_catalog lake = catalog_of(TABLES_MAX);
    const table_definition definition = {.format = TEXT("fake")};
    transaction *ours = begin(&lake);
    commit_report report;
    table_change *made;
    CHECK(transaction_create(ours, named("t"), &definition, false, &made, &err) == FIRN_INVALID);
    CHECK(strcmp(err.sqlstate, "42P07") == 0);
    CHECK(transaction_create(ours, named("new"), &definition, false, &made, &err) == FIRN_OK);
    append(ours, "new", 9);
    CHECK(transaction_create(ours, named("u"), &definition, true, &made, &err) == FIRN_OK);
    append(ours, "u", 8);
    CHECK(transaction_drop(ours, named("t"), false, &err) == FIRN_OK);
    CHECK(seen(ours, "new") == 9 && seen(ours, "u") == 8 && seen(ours, "t") == -1);
    CHECK(stored_sum(&lake, "new") == -1 && stored_sum(&lake, "t") == 6);
    CHECK(commit(ours, &report) == FIRN_OK && report.table_count == 3);
    CHECK(stored_sum(&lake, "new") == 9 && stored_sum(&lake, "u") == 8);
    CHECK(stored_sum(&lake, "t") == -1);
    transaction_close(ours);
}

TEST(transactions_refuse_a_second_table_where_a_commit_has_one) {
    fake_catalog lake = catalog_of(1);
    transaction *ours = begin(&lake);
    table_change *made = NULL;
    append(ours, "t", 1);
    CHECK(transaction_change(ours, named("u"), &made, &err) == FIRN_UNSUPPORTED);
    CHECK(strcmp(err.hint, "COMMIT first") == 0);
    const alteration step = {.kind = ALTER_DROP_COLUMN, .position = 4};
    REQUIRE(transaction_change(ours, named("t"), &made, &err) == FIRN_OK && made != NULL);
    CHECK(made->kind->alter(made, &step, 1, &err) == FIRN_UNSUPPORTED);
    transaction_close(ours);
    CHECK(stored_sum(&lake, "t") == 6);
}
