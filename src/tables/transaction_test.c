// Transactions over the table format and the catalog of transaction_testing.h: own changes are
// seen, commits are all or nothing, conflicts are put on top of what others did, and an unknown
// answer is cleared up; whatever allocation fails.
#include "tables/transaction_private.h"
#include "tables/transaction_testing.h"

static firn_error err = FIRN_ERROR_INIT;
static arena scratch = {.limit = MEMORY_LIMIT};

static const table_change_kind *const formats[] = {&fake_changes, NULL};
static cancel_flag stop;
static const statement_context now = {.cancel = &stop};
static const transaction_env env = {.context = &now, .formats = formats};

static fake_catalog catalog_of(uint32_t table_count_max) {
    return (fake_catalog){.base = {.kind = &fake_catalogs, .alias = TEXT("lake")},
                          .table_count_max = table_count_max,
                          .tables = {{.name = TEXT("t"), .now = {.count = 3, .values = {1, 2, 3}}},
                                     {.name = TEXT("u"), .now = {.count = 1, .values = {7}}}}};
}

static object_name named(const char *name) {
    return (object_name){.name = text_of(name)};
}

static transaction *begin(fake_catalog *of) {
    transaction *made = NULL;
    CHECK(transaction_begin(&of->base, &env, &made, &err) == FIRN_OK);
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
    if (transaction_load(by, named(table), &current, &scratch, &found, &err) != FIRN_OK) {
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
    return transaction_commit(self, NULL, &scratch, out, &err);
}

static void close_all(transaction *one, transaction *other) {
    transaction_close(one);
    transaction_close(other);
    CHECK(fake_open_count == 0);
    arena_close(&scratch);
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
    close_all(ours, theirs);
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
    CHECK(stored_sum(&lake, "t") == 1106 && fake_settled == COMMIT_DONE);
    close_all(ours, theirs);
}

TEST(transactions_look_at_what_others_did_after_the_pause) {
    // Heads are loaded as late as can be: of what others do in the pause a commit would fail again.
    static const commit_options options = {.pause_ms_min = 40};
    fake_catalog lake = catalog_of(1);
    transaction *ours = begin(&lake);
    commit_report report;
    append(ours, "t", 100);
    lake.others = OTHERS_ADD;
    lake.others_count = 1;
    CHECK(transaction_commit(ours, &options, &scratch, &report, &err) == FIRN_OK);
    CHECK(report.attempts == 2 && lake.pause_ns >= INT64_C(20000000)); // At least half of it.
    close_all(ours, NULL);
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
    CHECK(fake_settled == COMMIT_CONFLICT && err.retryable && strcmp(err.sqlstate, "40001") == 0);
    CHECK(strcmp(err.hint, "run the statements again") == 0);
    close_all(ours, theirs);
}

TEST(transactions_clear_up_answers_that_do_not_come) {
#define LOST                                                                                       \
    {                                                                                              \
        .is_lost = true, .does_not = true                                                          \
    }
    static const script done[] = {{.is_lost = true}};
    static const script not_done[] = {LOST};
    static const script never[] = {LOST, LOST, LOST};
    static const script refused[] = {LOST, {.fails = FIRN_IO}};
    static const struct {
        const script *scripts;
        uint32_t count;
        firn_status status;
        uint32_t attempts;
        int64_t sum;
    } cases[] = {{done, 1, FIRN_OK, 1, 106},
                 {not_done, 1, FIRN_OK, 2, 106},
                 {never, 3, FIRN_COMMIT_UNKNOWN, 3, 6},
                 {refused, 2, FIRN_COMMIT_UNKNOWN, 2, 6}};
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
        // As long as it may be done yet nothing that was written may go.
        CHECK(fake_settled == (cases[i].status == FIRN_OK ? COMMIT_DONE : COMMIT_UNKNOWN));
        CHECK(report.answer == fake_settled);
        if (cases[i].status != FIRN_OK) {
            CHECK(strcmp(err.sqlstate, "40003") == 0 && !err.retryable);
            CHECK(strstr(err.hint, "read the table") != NULL);
        }
        close_all(ours, NULL);
    }
}

TEST(transactions_read_back_until_they_can) {
    static const script lost[] = {{.is_lost = true}};
    for (uint32_t away = 1; away <= 3; away++) {
        fake_catalog lake = catalog_of(1);
        lake.scripts = lost;
        lake.script_count = 1;
        transaction *ours = begin(&lake);
        commit_report report;
        append(ours, "t", 100);
        lake.load_fails = FIRN_IO;
        lake.load_fail_count = away;
        // It was done at once; found out at the second or third look, or not before time is over.
        CHECK(commit(ours, &report) == (away < 3 ? FIRN_OK : FIRN_COMMIT_UNKNOWN));
        CHECK(lake.commit_count == 1 && report.attempts == (away < 3 ? away + 1 : 3));
        CHECK(away < 3 || strstr(err.text, "the server is away") != NULL);
        CHECK(stored_sum(&lake, "t") == 106);
        close_all(ours, NULL);
    }
}

TEST(transactions_believe_a_conflict_after_a_lost_answer_only_if_it_is_not_their_own) {
    // The first is lost and done, which is not seen at once; others come on top of it.
    static const script lost_done[] = {{.is_lost = true}};
    fake_catalog lake = catalog_of(1);
    lake.scripts = lost_done;
    lake.script_count = 1;
    transaction *ours = begin(&lake);
    commit_report report;
    append(ours, "t", 100);
    lake.load_fails = FIRN_IO;
    lake.load_fail_count = 1;
    CHECK(commit(ours, &report) == FIRN_OK && stored_sum(&lake, "t") == 106);
    close_all(ours, NULL);
    // The first is lost and not done, others come before the second: that is a conflict, and the
    // third goes on top of them.
    static const script lost[] = {LOST};
    lake = catalog_of(1);
    lake.scripts = lost;
    lake.script_count = 1;
    lake.others = OTHERS_ADD;
    lake.others_count = 1;
    ours = begin(&lake);
    append(ours, "t", 100);
    CHECK(commit(ours, &report) == FIRN_OK && report.attempts == 2);
    CHECK(stored_sum(&lake, "t") == 1106);
    close_all(ours, NULL);
    // The same where what others did stands in the way: a conflict, whose files stay for now.
    lake = catalog_of(1);
    lake.scripts = lost;
    lake.script_count = 1;
    lake.others = OTHERS_TAKE;
    lake.others_count = 1;
    ours = begin(&lake);
    const pushed row = {.action = ROW_DELETE, .position = 0};
    run(ours, "t", CHANGE_DELETE, &row, 1);
    CHECK(commit(ours, &report) == FIRN_CONFLICT && report.answer == COMMIT_CONFLICT);
    CHECK(fake_settled == COMMIT_UNKNOWN && stored_sum(&lake, "t") == 5);
    close_all(ours, NULL);
}

TEST(transactions_do_not_repeat_what_nobody_was_asked) {
    static const script refused[] = {{.fails = FIRN_INVALID}};
    fake_catalog lake = catalog_of(1);
    lake.scripts = refused;
    lake.script_count = 1;
    transaction *ours = begin(&lake);
    commit_report report;
    append(ours, "t", 100);
    CHECK(commit(ours, &report) == FIRN_INVALID && report.attempts == 1);
    CHECK(report.answer == COMMIT_CONFLICT && fake_settled == COMMIT_CONFLICT);
    CHECK(commit(ours, &report) == FIRN_INVALID && strcmp(err.sqlstate, "25P02") == 0);
    close_all(ours, NULL);
}

TEST(transactions_give_up_after_so_many_attempts_or_so_long) {
    static const struct {
        commit_options options;
        uint32_t attempts_least, attempts_most;
    } cases[] = {{{0}, 3, 3},
                 {{.attempts_max = 7}, 7, 7},
                 {{.attempts_max = 1}, 1, 1},
                 {{.attempts_max = 1000000, .pause_ms_min = 2, .deadline_ms = 20}, 2, 30}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fake_catalog lake = catalog_of(1);
        lake.others = OTHERS_ADD;
        lake.others_count = UINT32_MAX;
        transaction *ours = begin(&lake);
        commit_report report;
        append(ours, "t", 100);
        CHECK(transaction_commit(ours, &cases[i].options, &scratch, &report, &err) ==
              FIRN_CONFLICT);
        CHECK(report.attempts >= cases[i].attempts_least);
        CHECK(report.attempts <= cases[i].attempts_most && err.retryable);
        CHECK(stored_sum(&lake, "t") == 6 + 1000 * (int64_t)report.attempts);
        close_all(ours, NULL);
    }
}

TEST(transactions_of_a_table_that_went_are_conflicts) {
    fake_catalog lake = catalog_of(2);
    lake.others = OTHERS_DROP;
    lake.others_count = 1;
    transaction *ours = begin(&lake);
    commit_report report;
    append(ours, "t", 1);
    append(ours, "u", 1);
    CHECK(commit(ours, &report) == FIRN_CONFLICT && strstr(err.text, "gone") != NULL);
    CHECK(strstr(err.text, "while committing changes of the table \"t\"") != NULL);
    CHECK(stored_sum(&lake, "u") == 7);
    close_all(ours, NULL);
    lake = catalog_of(1);
    lake.others = OTHERS_DROP;
    lake.others_count = 1;
    ours = begin(&lake);
    CHECK(transaction_drop(ours, named("t"), true, &err) == FIRN_OK);
    CHECK(commit(ours, &report) == FIRN_CONFLICT && strstr(err.text, "others dropped") != NULL);
    CHECK(lake.purge_count == 0);
    close_all(ours, NULL);
}

TEST(transactions_are_stopped_between_attempts) {
    fake_catalog lake = catalog_of(1);
    transaction *ours = begin(&lake);
    commit_report report;
    append(ours, "t", 100);
    cancel_raise(&stop);
    CHECK(commit(ours, &report) == FIRN_CANCELLED && lake.commit_count == 0);
    CHECK(report.answer == COMMIT_CONFLICT && fake_settled == COMMIT_CONFLICT);
    stop = (cancel_flag){.parent = NULL};
    close_all(ours, NULL);
    // A commit without an answer that was stopped may have been done.
    static const script lost[] = {{.is_lost = true}};
    lake.scripts = lost;
    lake.script_count = 1;
    ours = begin(&lake);
    append(ours, "t", 100);
    lake.stopped_by_commit = &stop;
    lake.load_fails = FIRN_IO;
    lake.load_fail_count = 1;
    CHECK(commit(ours, &report) == FIRN_COMMIT_UNKNOWN && strstr(err.text, "stopped") != NULL);
    CHECK(fake_settled == COMMIT_UNKNOWN && lake.commit_count == 1);
    stop = (cancel_flag){.parent = NULL};
    close_all(ours, NULL);
    // One that can be read back is not.
    lake = catalog_of(1);
    lake.scripts = lost;
    lake.script_count = 1;
    lake.stopped_by_commit = &stop;
    ours = begin(&lake);
    append(ours, "t", 100);
    CHECK(commit(ours, &report) == FIRN_OK && stored_sum(&lake, "t") == 106);
    stop = (cancel_flag){.parent = NULL};
    close_all(ours, NULL);
}

TEST(transactions_undo_a_statement_that_failed) {
    fake_catalog lake = catalog_of(2);
    transaction *ours = begin(&lake);
    commit_report report;
    append(ours, "t", 100);
    const transaction_mark mark = transaction_mark_take(ours);
    append(ours, "t", 1000);
    append(ours, "u", 1000);
    CHECK(transaction_drop(ours, named("t"), false, &err) == FIRN_OK && seen(ours, "t") == -1);
    transaction_undo_to(ours, mark);
    CHECK(seen(ours, "t") == 106 && seen(ours, "u") == 7);
    append(ours, "t", 1000);
    transaction_undo_to(ours, mark);
    transaction_undo_to(ours, mark);
    CHECK(commit(ours, &report) == FIRN_OK && report.table_count == 1);
    CHECK(stored_sum(&lake, "t") == 106 && stored_sum(&lake, "u") == 7);
    close_all(ours, NULL);
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
    CHECK(report.snapshot_ids[0] > 0 && report.snapshot_ids[2] == -1); // The last is dropped.
    CHECK(stored_sum(&lake, "new") == 9 && stored_sum(&lake, "u") == 8);
    CHECK(stored_sum(&lake, "t") == -1);
    close_all(ours, NULL);
}

TEST(transactions_replace_a_table_where_it_is) {
    fake_catalog lake = catalog_of(TABLES_MAX);
    const table_definition usual = {.format = TEXT("fake")};
    const table_definition placed = {.format = TEXT("fake"), .location = TEXT("elsewhere")};
    transaction *ours = begin(&lake);
    table_change *made;
    REQUIRE(transaction_create(ours, named("new"), &usual, true, &made, &err) == FIRN_OK);
    CHECK(change_of(made)->has_place); // The catalog's choice.
    REQUIRE(transaction_create(ours, named("t"), &usual, true, &made, &err) == FIRN_OK);
    CHECK(!change_of(made)->has_place);
    REQUIRE(transaction_create(ours, named("u"), &placed, true, &made, &err) == FIRN_OK);
    CHECK(change_of(made)->has_place);
    close_all(ours, NULL);
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
    close_all(ours, NULL);
    CHECK(stored_sum(&lake, "t") == 6);
}

// In one transaction, to see what the last state of a name is.
TEST(transactions_create_and_drop_the_same_table) {
    fake_catalog lake = catalog_of(1);
    const table_definition definition = {.format = TEXT("FAKE")};
    const table_definition other = {.format = TEXT("other")};
    transaction *ours = begin(&lake);
    commit_report report;
    table_change *made;
    // New and gone again: nothing. Room for one table is left.
    CHECK(transaction_create(ours, named("x"), &other, false, &made, &err) == FIRN_UNSUPPORTED);
    CHECK(transaction_create(ours, named("x"), &definition, false, &made, &err) == FIRN_OK);
    CHECK(!made->is_replaced);
    append(ours, "x", 5);
    CHECK(transaction_drop(ours, named("x"), true, &err) == FIRN_OK);
    CHECK(transaction_drop(ours, named("x"), true, &err) == FIRN_NOT_FOUND);
    CHECK(seen(ours, "x") == -1 && strcmp(err.sqlstate, "42P01") == 0);
    CHECK(transaction_change(ours, named("x"), &made, &err) == FIRN_NOT_FOUND);
    CHECK(transaction_create(ours, named("x"), &definition, false, &made, &err) == FIRN_OK);
    CHECK(transaction_drop(ours, named("x"), true, &err) == FIRN_OK);
    // What others see until the commit is not new again: a commit would only replace it.
    CHECK(transaction_drop(ours, named("t"), false, &err) == FIRN_OK && seen(ours, "t") == -1);
    CHECK(transaction_create(ours, named("t"), &definition, false, &made, &err) == FIRN_INVALID);
    CHECK(strcmp(err.sqlstate, "55000") == 0);
    CHECK(transaction_create(ours, named("t"), &definition, true, &made, &err) == FIRN_INVALID);
    CHECK(commit(ours, &report) == FIRN_OK && report.table_count == 1);
    CHECK(stored_sum(&lake, "t") == -1 && stored_sum(&lake, "x") == -1);
    CHECK(lake.purge_count == 0);
    close_all(ours, NULL);
}

// Replaced twice in one transaction: the last state counts.
TEST(transactions_replace_a_table_twice) {
    fake_catalog lake = catalog_of(1);
    const table_definition definition = {.format = TEXT("FAKE")};
    transaction *ours = begin(&lake);
    commit_report report;
    table_change *made;
    CHECK(transaction_create(ours, named("t"), &definition, true, &made, &err) == FIRN_OK);
    CHECK(made->is_replaced && seen(ours, "t") == 0);
    append(ours, "t", 50);
    CHECK(transaction_create(ours, named("t"), &definition, true, &made, &err) == FIRN_OK);
    append(ours, "t", 60);
    CHECK(made->is_replaced && seen(ours, "t") == 60);
    CHECK(commit(ours, &report) == FIRN_OK && report.table_count == 1);
    CHECK(stored_sum(&lake, "t") == 60);
    close_all(ours, NULL);
}

TEST(transactions_purge_what_they_dropped_after_the_commit) {
    fake_catalog lake = catalog_of(2);
    transaction *ours = begin(&lake);
    commit_report report;
    CHECK(transaction_drop(ours, named("t"), true, &err) == FIRN_OK && lake.purge_count == 0);
    CHECK(transaction_drop(ours, named("u"), true, &err) == FIRN_OK);
    CHECK(commit(ours, &report) == FIRN_IO && report.answer == COMMIT_DONE);
    CHECK(strstr(err.text, "of the table \"u\", which was dropped") != NULL);
    CHECK(lake.purge_count == 2 && stored_sum(&lake, "t") == -1);
    close_all(ours, NULL);
}

TEST(transactions_without_a_step_ask_nobody) {
    fake_catalog lake = catalog_of(1);
    transaction *ours = begin(&lake);
    commit_report report;
    table_change *made;
    CHECK(commit(ours, &report) == FIRN_OK && report.answer == COMMIT_DONE);
    close_all(ours, NULL);
    ours = begin(&lake);
    CHECK(transaction_change(ours, named("t"), &made, &err) == FIRN_OK);
    CHECK(commit(ours, &report) == FIRN_OK && lake.commit_count == 0);
    close_all(ours, NULL);
    transaction_close(NULL);
}

TEST(transactions_that_cannot_be_undone_are_good_for_nothing_else) {
    fake_catalog lake = catalog_of(1);
    transaction *ours = begin(&lake);
    commit_report report;
    table_change *made;
    table_change_kind stubborn = fake_changes;
    stubborn.undo = NULL;
    append(ours, "t", 1);
    REQUIRE(transaction_change(ours, named("t"), &made, &err) == FIRN_OK);
    made->kind = &stubborn;
    const transaction_mark mark = transaction_mark_take(ours);
    append(ours, "t", 2);
    transaction_undo_to(ours, mark);
    CHECK(transaction_change(ours, named("t"), &made, &err) == FIRN_INVALID);
    CHECK(transaction_drop(ours, named("t"), false, &err) == FIRN_INVALID);
    CHECK(commit(ours, &report) == FIRN_INVALID && lake.commit_count == 0);
    close_all(ours, NULL);
}

// All that can be done, in one go; what fails leaves the tables as they were.
static firn_status do_all(fake_catalog *lake) {
    const table_definition definition = {.format = TEXT("fake")};
    transaction *ours = NULL;
    commit_report report;
    table_change *made;
    firn_status status = transaction_begin(&lake->base, &env, &ours, &err);
    status = status == FIRN_OK ? transaction_change(ours, named("t"), &made, &err) : status;
    if (status == FIRN_OK) {
        const uint64_t number = transaction_next_step(ours);
        change_of(made)->steps[change_of(made)->step_count++] =
            (step){.kind = STEP_ADD, .value = 100, .number = number};
        status = transaction_create(ours, named("new"), &definition, false, &made, &err);
    }
    status = status == FIRN_OK ? transaction_drop(ours, named("u"), false, &err) : status;
    status = status == FIRN_OK ? commit(ours, &report) : status;
    close_all(ours, NULL);
    return status;
}

TEST(transactions_are_whole_or_nothing_whatever_allocation_fails) {
    static const script lost[] = {LOST, {.is_lost = true}};
    uint64_t failed = 0;
    uint64_t count = 0;
    for (uint64_t n = 0; n <= count; n++) {
        fake_catalog lake = catalog_of(TABLES_MAX);
        lake.others = OTHERS_ADD;
        lake.others_count = 1;
        lake.scripts = lost;
        lake.script_count = 2;
        host_fault_set(HOST_ALLOC, n == 0 ? UINT64_MAX : n);
        const firn_status status = do_all(&lake);
        count = n == 0 ? host_fault_count(HOST_ALLOC) : count;
        host_fault_set(HOST_ALLOC, 0);
        const bool is_done = stored_sum(&lake, "u") == -1;
        const int64_t others = lake.others_count == 0 ? 1000 : 0;
        CHECK(stored_sum(&lake, "t") == 6 + others + (is_done ? 100 : 0));
        CHECK(stored_sum(&lake, "new") == (is_done ? 0 : -1));
        CHECK(status == FIRN_OK ? is_done : status == FIRN_COMMIT_UNKNOWN || !is_done);
        failed += status != FIRN_OK ? 1 : 0;
    }
    CHECK(count > 10 && failed > 10);
}
