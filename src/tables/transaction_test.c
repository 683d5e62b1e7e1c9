// Transactions (tables/transaction.h) are a contract that nobody fulfils yet, and of changed rows
// (tables/row_change.h) only what is added. Here a small table format and a small catalog, both in
// memory, fulfil them, so that what they declare can be filled as it is: own changes are seen,
// commits are all or nothing, conflicts are put on top of what others did, and an unknown answer is
// cleared up.
#include "tables/transaction_testing.h"

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
    TRY(fake_tables.changes->open(self, NULL, base, NULL, out, err));
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
    const stored *found = fake_find(in, text_of(table));
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
