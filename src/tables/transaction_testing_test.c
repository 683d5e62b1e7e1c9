// The table format and the catalog of transaction_testing.h.
#include "tables/known_tasks.h"
#include "tables/row_pick.h"
#include "tables/transaction_testing.h"

// ---- Tables and the catalog that holds them ----------------------------------------------------

static void snapshot_free(table_snapshot *self) {
    host_free(self);
}

static firn_status scan_plan(table_snapshot *self, const scan_request *request, const scan_env *env,
                             scan_planner **out, firn_error *err) {
    (void)request;
    (void)env;
    TRY(known_tasks_open(sizeof(scan_task), 1, out, err));
    *known_tasks_at(*out, 0) = (scan_task){.name = self->ref.name};
    return FIRN_OK;
}

struct scan_reader {
    const state *rows;
    arena memory;
    row_pick pick;
    bool is_done;
};

static void scan_close(scan_reader *self) {
    if (self != NULL) {
        row_pick_close(&self->pick);
        arena memory = self->memory;
        arena_close(&memory);
    }
}

static firn_status scan_open(table_snapshot *table, const scan_request *request,
                             const scan_task *task, const scan_env *scan, scan_reader **out,
                             firn_error *err) {
    arena memory = arena_open(MEMORY_LIMIT);
    scan_reader *self = ARENA_NEW(&memory, scan_reader, 1);
    (void)task;
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (scan_reader){.rows = state_of(table), .memory = memory};
    const firn_status status = row_pick_open(&self->pick, request, scan, &self->memory, err);
    if (status != FIRN_OK) {
        scan_close(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

static firn_status scan_next(scan_reader *self, arena *scratch, batch *out, scan_answer *answer,
                             firn_error *err) {
    *answer = self->is_done || self->rows->count == 0 ? SCAN_END : SCAN_READY;
    if (*answer == SCAN_END) {
        return FIRN_OK;
    }
    column *values = ARENA_NEW(scratch, column, 1);
    batch *rows = ARENA_NEW(scratch, batch, 1);
    if (values == NULL || rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    TRY(column_new(scratch, TYPE_OF(BIGINT), self->rows->count, values, err));
    memcpy(COLUMN_OUT(values, int64_t), self->rows->values, self->rows->count * sizeof(int64_t));
    *rows = batch_of(values, 1, self->rows->count);
    self->is_done = true;
    return row_pick_apply(&self->pick, rows, 0, self->rows->count, scratch, out, err);
}

static void count_nothing(const scan_reader *self, scan_counters *add_to) {
    (void)self;
    (void)add_to;
}

const table_kind fake_tables = {.name = "fake",
                                .plan = scan_plan,
                                .planner_next = known_tasks_next,
                                .planner_counters = known_tasks_counters,
                                .planner_close = known_tasks_close,
                                .open = scan_open,
                                .next = scan_next,
                                .counters = count_nothing,
                                .close = scan_close,
                                .free = snapshot_free,
                                .sink = &fake_sink,
                                .changes = &fake_changes};

static firn_status snapshot_of(const state *from, table_snapshot **out, firn_error *err) {
    snapshot *made = host_alloc(sizeof *made);
    if (made == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "no memory");
    }
    static const field number = {
        .name = {.data = "x", .size = 1}, .type = TYPE_OF(BIGINT), .id = -1};
    *made = (snapshot){.base = {.kind = &fake_tables,
                                .columns = {.count = 1, .fields = &number},
                                .ref = {.kind = TEXT("fake"),
                                        .name = TEXT("numbers"),
                                        .snapshot_id = (int64_t)from->version}},
                       .state = *from};
    atomic_init(&made->base.references, 1);
    *out = &made->base;
    return FIRN_OK;
}

static fake_catalog *fake_of(catalog *self) {
    return (fake_catalog *)(void *)self;
}

stored *fake_find(fake_catalog *self, text name) {
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
    TRY(cancel_check(cancel, err));
    fake_catalog *own = fake_of(self);
    own->load_count += 1;
    own->pause_ns = own->refused_ns == 0 ? own->pause_ns : host_clock_ns() - own->refused_ns;
    own->refused_ns = 0;
    if (own->load_fail_count > 0) {
        own->load_fail_count -= 1;
        return FAIL(err, own->load_fails, "the server is away");
    }
    const stored *found = fake_find(own, name.name);
    if (found == NULL) {
        return FAIL(err, FIRN_NOT_FOUND, "there is no table \"%.*s\"", TEXT_ARGS(name.name));
    }
    *out = (catalog_object){.view = NULL};
    return snapshot_of(&found->now, &out->snapshot, err);
}

static firn_status fake_list_namespaces(catalog *self, namespace_path parent, arena *memory,
                                        namespace_path **out, uint32_t *count,
                                        const cancel_flag *cancel, firn_error *err) {
    (void)self;
    (void)parent;
    (void)memory;
    (void)cancel;
    (void)err;
    *out = NULL;
    *count = 0;
    return FIRN_OK;
}

static firn_status fake_has_namespace(catalog *self, namespace_path space, bool *out,
                                      const cancel_flag *cancel, firn_error *err) {
    (void)self;
    (void)cancel;
    (void)err;
    *out = space.count == 0;
    return FIRN_OK;
}

static firn_status fake_list(catalog *self, namespace_path space, arena *memory,
                             catalog_entry_list *out, const cancel_flag *cancel, firn_error *err) {
    (void)space;
    (void)cancel;
    *out = (catalog_entry_list){.items = ARENA_NEW(memory, catalog_entry, TABLES_MAX)};
    if (out->items == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < TABLES_MAX; i++) {
        if (fake_of(self)->tables[i].name.size > 0) {
            out->items[out->count++] = (catalog_entry){.name = fake_of(self)->tables[i].name};
        }
    }
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
    const stored *found = fake_find(self, part->name.name);
    return found == NULL ? local->seen_version == UINT64_MAX
                         : found->now.version == local->seen_version;
}

static void take_part(fake_catalog *self, const commit_part *part) {
    stored *at = fake_find(self, part->name.name);
    at = at != NULL ? at : fake_find(self, (text){.size = 0});
    if (at->name.size == 0) {
        memcpy(at->spelled, part->name.name.data, part->name.name.size);
        at->name = (text){.data = at->spelled, .size = part->name.name.size};
    }
    at->name.size = part->kind == PART_DROP ? 0 : at->name.size;
    at->now = ((const local_part *)part->local)->made;
}

static uint64_t new_id(void) {
    static uint64_t last;
    return ++last;
}

static void do_what_others_do(fake_catalog *self) {
    stored *table = fake_find(self, TEXT("t"));
    if (self->others_count == 0 || table == NULL) {
        return;
    }
    self->others_count -= 1;
    state *now = &table->now;
    if (self->others == OTHERS_ADD) {
        now->values[now->count++] = 1000;
    } else if (self->others == OTHERS_TAKE) {
        memmove(now->values, now->values + 1, --now->count * sizeof now->values[0]);
        now->deletions += 1;
    } else {
        table->name = (text){.size = 0};
    }
    now->ids[now->version++] = new_id();
}

static firn_status committer_commit(catalog *self, const commit_parts *parts, uint32_t deadline_ms,
                                    commit_answer *answer, firn_error *err) {
    fake_catalog *own = fake_of(self);
    const uint32_t number = own->commit_count++;
    const script says =
        number < own->script_count ? own->scripts[number] : (script){.is_lost = false};
    bool all_fit = true;
    do_what_others_do(own);
    if (own->stopped_by_commit != NULL) {
        cancel_raise(own->stopped_by_commit);
    }
    if (says.fails != FIRN_OK) {
        return FAIL(err, says.fails, "the server refuses after %u ms", deadline_ms);
    }
    for (uint32_t i = 0; i < parts->count; i++) {
        all_fit = all_fit && fits(own, &parts->items[i]);
    }
    for (uint32_t i = 0; all_fit && !says.does_not && i < parts->count; i++) {
        take_part(own, &parts->items[i]);
    }
    *answer = says.is_lost ? COMMIT_UNKNOWN : all_fit ? COMMIT_DONE : COMMIT_CONFLICT;
    own->refused_ns = *answer == COMMIT_CONFLICT ? host_clock_ns() : 0;
    return FIRN_OK;
}

static firn_status committer_purge(catalog *self, object_name name, text location,
                                   const cancel_flag *cancel, firn_error *err) {
    (void)location;
    fake_of(self)->purge_count += 1;
    TRY(cancel_check(cancel, err));
    return text_equal(name.name, TEXT("u")) ? FAIL(err, FIRN_IO, "a file cannot be removed")
                                            : FIRN_OK;
}

static const catalog_committer fake_committer = {.form = committer_form,
                                                 .table_count_max = committer_count_max,
                                                 .stage = committer_stage,
                                                 .commit = committer_commit,
                                                 .purge = committer_purge};
const catalog_kind fake_catalogs = {.name = "fake",
                                    .list_namespaces = fake_list_namespaces,
                                    .has_namespace = fake_has_namespace,
                                    .list = fake_list,
                                    .load = fake_load,
                                    .committer = &fake_committer};

// ---- Changes of a table ------------------------------------------------------------------------

commit_answer fake_settled;
uint32_t fake_settle_count;
uint32_t fake_open_count;

static firn_status change_open(transaction *owner, const transaction_env *env, table_snapshot *base,
                               const table_definition *definition, table_change **out,
                               firn_error *err) {
    change *self = host_alloc(sizeof *self);
    (void)env;
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "no memory");
    }
    *self = (change){.base = {.kind = &fake_changes, .owner = owner},
                     .has_place = definition != NULL && definition->location.size > 0};
    fake_open_count += 1;
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
    apply(change_of(self), &seen);
    return snapshot_of(&seen, out, err);
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
        own->id = new_id();
    }
    own->prepare_count += 1;
    apply(own, &local->made);
    local->seen_version = self->base == NULL ? UINT64_MAX : state_of(self->base)->version;
    local->made.deletions += takes_rows(own);
    local->made.ids[local->made.version++] = own->id;
    *out = (commit_part){.form = form, .snapshot_id = (int64_t)own->id, .local = local};
    out->kind = self->is_dropped       ? PART_DROP
                : self->base == NULL   ? PART_CREATE
                : self->is_replaced    ? PART_REPLACE
                : own->step_count == 0 ? PART_NOTHING
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
    (void)self;
    fake_settled = answer;
    fake_settle_count += 1;
}

static void change_close(table_change *self) {
    table_snapshot_release(self->base);
    fake_open_count -= 1;
    host_free(self);
}

static void change_undo(table_change *self, uint64_t step) {
    change *own = change_of(self);
    while (own->step_count > 0 && own->steps[own->step_count - 1].number >= step) {
        own->step_count -= 1;
    }
}

static void change_options(const table_change *self, commit_options *in_out) {
    (void)self;
    in_out->attempts_max = 3;
    in_out->pause_ms_min = 1;
    in_out->pause_ms_max = 2;
}

const table_change_kind fake_changes = {.name = "fake",
                                        .open = change_open,
                                        .see = change_see,
                                        .alter = change_alter,
                                        .undo = change_undo,
                                        .options = change_options,
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

isolation fake_isolation;

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
    fake_isolation = request->isolation;
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
    const uint64_t number = transaction_next_step(to->base.owner);
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

const row_sink_kind fake_sink = {.name = "fake",
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
