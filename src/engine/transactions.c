#include "engine/transactions.h"

#include <assert.h>
#include <stdio.h>

#include "base/host.h"
#include "tables/iceberg/iceberg_change.h"

#define MEMORY_MAX ((size_t)1 << 30)

// The transaction of one catalog.
typedef struct joined {
    struct joined *next;
    catalog *of;
    transaction *open;
} joined;

struct transaction_block {
    atomic_uint references;
    caller_check caller;
    transaction_env env; // Its context is that of the statement that runs; NULL: none does.
    joined *joined;
    bool is_read_only;
    bool is_over;      // Committed or rolled back.
    uint32_t changing; // Statements that are about to change tables: a callback of one may run
                       // others.
    isolation isolation;
    bool says_isolation;
    atomic_bool is_failed; // A statement failed.
};

// The formats that new tables can have.
static const table_change_kind *const formats[] = {&ice_table_changes, NULL};

// ---- Blocks ------------------------------------------------------------------------------------

static firn_status block_open(firn_session *of, transaction_block **out, firn_error *err) {
    transaction_block *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    *self =
        (transaction_block){.env = {.io = of->engine->io, .pool = of->pool, .formats = formats}};
    atomic_init(&self->references, 1);
    atomic_init(&self->is_failed, false);
    *out = self;
    return FIRN_OK;
}

transaction_block *block_retain(transaction_block *self) {
    if (self != NULL) {
        (void)atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    }
    return self;
}

// Undoes what is not committed.
static void block_end(transaction_block *self) {
    self->is_over = true;
    while (self->joined != NULL) {
        joined *gone = self->joined;
        self->joined = gone->next;
        transaction_close(gone->open);
        host_free(gone);
    }
}

void block_release(transaction_block *self) {
    if (self == NULL ||
        atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    block_end(self);
    host_free(self);
}

static firn_status block_join(transaction_block *self, catalog *of, transaction **out,
                              firn_error *err) {
    for (joined *each = self->joined; each != NULL; each = each->next) {
        if (each->of == of) {
            *out = each->open;
            return FIRN_OK;
        }
    }
    joined *made = host_alloc(sizeof *made);
    if (made == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *made);
    }
    *made = (joined){.next = self->joined, .of = of};
    const firn_status status = transaction_begin(of, &self->env, &made->open, err);
    if (status != FIRN_OK) {
        host_free(made);
        return status;
    }
    self->joined = made;
    *out = made->open;
    return FIRN_OK;
}

// Commits the changes, and is over whatever comes of it.
static firn_status block_commit(transaction_block *self, firn_error *err) {
    // Not the run's, which hands out nothing more when that is stopped: the commit that was sent is
    // seen through.
    arena memory = arena_open_in(self->env.pool, MEMORY_MAX);
    firn_status status = FIRN_OK;
    for (joined *each = self->joined; each != NULL; each = each->next) {
        if (transaction_has_changes(each->open)) { // One at most.
            commit_report report;
            status = transaction_commit(each->open, NULL, &memory, &report, err);
        }
    }
    block_end(self);
    arena_close(&memory);
    return status;
}

// ---- Of a session ------------------------------------------------------------------------------

static void session_set_block(firn_session *self, transaction_block *now) {
    mutex_lock(&self->lock);
    transaction_block *before = self->block;
    self->block = now;
    mutex_unlock(&self->lock);
    block_release(before);
}

void session_end_block(firn_session *self) {
    transaction_block *block = self->block;
    firn_error ignored = ERR_INIT;
    // Else the statement that runs is the last who has it.
    if (block != NULL && caller_enter(&block->caller, "transaction", &ignored) == FIRN_OK) {
        if (block->changing == 0) {
            block_end(block);
        }
        caller_leave(&block->caller);
    }
    session_set_block(self, NULL);
}

bool session_block_has(const firn_session *self, const catalog *of) {
    const joined *each = self->block == NULL ? NULL : self->block->joined;
    while (each != NULL && each->of != of) {
        each = each->next;
    }
    return each != NULL;
}

// ---- Around a statement ------------------------------------------------------------------------

// What it does, if it does something to catalogs that can only be done at once; else NULL.
static const char *at_once(const sql_statement *statement) {
    switch ((int)sql_statement_kind_of(statement)) {
    case SQL_CREATE_SCHEMA:
        return "CREATE SCHEMA";
    case SQL_CREATE_VIEW:
        return "CREATE VIEW";
    case SQL_DROP: {
        const sql_object what = sql_drop_of(statement)->object;
        return what == SQL_OBJECT_SCHEMA ? "DROP SCHEMA"
               : what == SQL_OBJECT_VIEW ? "DROP VIEW"
                                         : NULL;
    }
    default:
        return NULL;
    }
}

static bool is_outside(const catalog *of) {
    return of != NULL && of->kind->committer == NULL && of->kind->create_table != NULL;
}

// CREATE and DROP TABLE: of which catalog they are says whether they can be taken back.
static firn_status check_tables(run *self, const sql_statement *statement, firn_error *err) {
    object_places places = {.count = 1};
    if (sql_statement_kind_of(statement) == SQL_CREATE_TABLE) {
        const sql_create_table *written = sql_create_table_of(statement);
        TRY(session_place(self, &written->table, written->is_temporary, &places.items[0], err));
        return is_outside(places.items[0].catalog)
                   ? run_refuse_in_block(self, "CREATE TABLE of a table in memory",
                                         statement->position, err)
                   : FIRN_OK;
    }
    const sql_drop *written = sql_drop_of(statement);
    for (size_t i = 0; i < written->names.count; i++) {
        const sql_names *path = &sql_object_name_of(written->names.items[i])->path;
        object_place place = {.catalog = NULL};
        catalog_object found = {.snapshot = NULL};
        firn_error ignored = ERR_INIT; // The statement itself tells what is missing.
        const firn_status status = session_find(self, path, &place, &found, &ignored);
        table_snapshot_release(found.snapshot);
        if (status == FIRN_OK && is_outside(place.catalog)) {
            return run_refuse_in_block(self, "DROP TABLE of a table in memory", statement->position,
                                       err);
        }
    }
    return FIRN_OK;
}

static bool is_of_tables(const sql_statement *statement) {
    const int kind = (int)sql_statement_kind_of(statement);
    return kind == SQL_CREATE_TABLE || kind == SQL_DROP;
}

static bool writes(const sql_statement *statement) {
    switch ((int)sql_statement_kind_of(statement)) {
    case SQL_INSERT:
    case SQL_DELETE:
    case SQL_UPDATE:
    case SQL_MERGE:
    case SQL_TRUNCATE:
    case SQL_ALTER:
    case SQL_COMMENT_ON:
        return true;
    default:
        return is_of_tables(statement) || at_once(statement) != NULL;
    }
}

// EXPLAIN ANALYZE does what it explains.
static const sql_statement *what_is_done(const sql_statement *statement) {
    return sql_statement_kind_of(statement) == SQL_EXPLAIN && sql_explain_of(statement)->is_analyze
               ? sql_explain_of(statement)->statement
               : statement;
}

firn_status run_enter_transaction(run *self, const sql_statement *statement, firn_error *err) {
    const transaction_block *block = self->block;
    if (block == NULL) {
        return FIRN_OK;
    }
    if (sql_statement_kind_of(statement) == SQL_TRANSACTION &&
        sql_transaction_of(statement)->action == SQL_TRANSACTION_ROLLBACK) {
        return FIRN_OK;
    }
    if (atomic_load(&block->is_failed)) {
        const firn_status status =
            FAIL_SQL(err, FIRN_INVALID, "25P02", statement->position,
                     "a statement of this transaction failed: it can only be rolled back");
        err_hint(err, "ROLLBACK ends it");
        return status;
    }
    statement = what_is_done(statement);
    if (block->is_read_only && writes(statement)) {
        return FAIL_SQL(err, FIRN_INVALID, "25006", statement->position,
                        "the transaction was begun as READ ONLY");
    }
    const char *what = at_once(statement);
    if (what != NULL) {
        return run_refuse_in_block(self, what, statement->position, err);
    }
    return is_of_tables(statement) ? check_tables(self, statement, err) : FIRN_OK;
}

firn_status run_leave_transaction(run *self, firn_status status) {
    transaction_block *block = self->block;
    assert(self->change == NULL || self->execution == NULL); // It would write into what is undone.
    if (self->is_changing) {
        block->changing -= 1;
        self->is_changing = false;
    }
    self->change = NULL;
    block_release(self->own); // Committed, or undone.
    self->own = NULL;
    if (self->is_inside) {
        block->env.context = self->outer_context;
        self->is_inside = false;
        caller_leave(&block->caller);
    }
    if (status != FIRN_OK) {
        run_fail_transaction(self);
    }
    return status;
}

void run_fail_transaction(run *self) {
    if (self->block != NULL) {
        atomic_store(&self->block->is_failed, true);
    }
}

firn_status run_refuse_in_block(run *self, const char *what, uint32_t position, firn_error *err) {
    if (self->block == NULL) {
        return FIRN_OK;
    }
    const firn_status status =
        FAIL_SQL(err, FIRN_UNSUPPORTED, "25001", position,
                 "%s takes effect at once and cannot be done inside of a transaction", what);
    err_hint(err, "COMMIT or ROLLBACK first");
    return status;
}

isolation run_isolation(const run *self) {
    return self->block != NULL && self->block->says_isolation ? self->block->isolation
                                                              : self->settings.isolation;
}

// ---- What a statement reads and changes --------------------------------------------------------

// A block for this thread alone until leave(): `outer` is whose it was, if a callback of that one
// runs this statement.
static firn_status enter(const run *self, transaction_block *block, const statement_context **outer,
                         firn_error *err) {
    TRY(caller_enter(&block->caller, "transaction", err));
    if (block->is_over) {
        caller_leave(&block->caller);
        return FAIL_SQL(err, FIRN_INVALID, "25P01", NO_POSITION,
                        "the transaction that the statement began in is over");
    }
    *outer = block->env.context;
    block->env.context = &self->context;
    return FIRN_OK;
}

static void leave(transaction_block *block, const statement_context *outer) {
    block->env.context = outer;
    caller_leave(&block->caller);
}

static transaction_block *block_of(const run *self) {
    return self->block != NULL ? self->block : self->own;
}

firn_status run_begin_transaction(run *self, firn_error *err) {
    return block_of(self) != NULL ? FIRN_OK : block_open(self->session, &self->own, err);
}

// Whose tables are changed; NULL: none.
static const catalog *changed_catalog(const transaction_block *self) {
    const joined *each = self->joined;
    while (each != NULL && !transaction_has_changes(each->open)) {
        each = each->next;
    }
    return each == NULL ? NULL : each->of;
}

static firn_status change_catalog(transaction_block *block, catalog *of, transaction **out,
                                  firn_error *err) {
    if (block->is_read_only) {
        return FAIL_SQL(err, FIRN_INVALID, "25006", NO_POSITION,
                        "the transaction was begun as READ ONLY");
    }
    const catalog *changed = changed_catalog(block);
    if (changed != NULL && changed != of) {
        const firn_status status = FAIL_SQL(
            err, FIRN_UNSUPPORTED, "0A000", NO_POSITION,
            "a transaction changes tables of one catalog: this one those of \"%.*s\", not of "
            "\"%.*s\"",
            TEXT_ARGS(changed->alias), TEXT_ARGS(of->alias));
        err_hint(err, "COMMIT first");
        return status;
    }
    return block_join(block, of, out, err);
}

firn_status run_transaction_of(run *self, catalog *of, transaction **out, firn_error *err) {
    TRY(run_begin_transaction(self, err));
    transaction_block *block = block_of(self);
    if (block == self->block && !self->is_inside) { // What is handed out is used until its end.
        TRY(enter(self, block, &self->outer_context, err));
        self->is_inside = true;
    }
    block->env.context = &self->context;
    block->env.isolation = run_isolation(self);
    return change_catalog(block, of, out, err);
}

firn_status run_load(run *self, catalog *of, object_name name, const table_version *version,
                     arena *memory, catalog_object *out, firn_error *err) {
    transaction_block *block = block_of(self);
    if (block == NULL || is_outside(of)) {
        return of->kind->load(of, name, version, memory, out, &self->cancel, err);
    }
    transaction *from;
    const statement_context *outer;
    TRY(enter(self, block, &outer, err));
    firn_status status = block_join(block, of, &from, err);
    if (status == FIRN_OK) {
        status = transaction_load(from, name, version, memory, out, err);
    }
    leave(block, outer);
    return status;
}

void run_set_change(run *self, table_change *change) {
    self->change = change;
    if (self->block != NULL && !self->is_changing) {
        self->block->changing += 1;
        self->is_changing = true;
    }
}

// The table that a change makes, at a branch.
static firn_status see_branch(const run *self, text branch, table_snapshot **seen,
                              firn_error *err) {
    table_snapshot *whole = *seen;
    const table_version version = {.kind = VERSION_REF, .ref = branch};
    if (branch.size == 0) {
        return FIRN_OK;
    }
    const firn_status status =
        whole->kind->at == NULL ? FAIL(err, FIRN_UNSUPPORTED,
                                       "tables of the kind %s have no branches", whole->kind->name)
                                : whole->kind->at(whole, &version, &self->cancel, seen, err);
    table_snapshot_release(whole);
    return status;
}

static firn_status open_change(run *self, const object_place *place, text ref,
                               table_snapshot **seen, firn_error *err) {
    transaction *owner;
    table_change *change;
    TRY(run_transaction_of(self, place->catalog, &owner, err));
    TRY(transaction_change(owner, place->object, &change, err));
    TRY(change->kind->see(change, seen, err));
    TRY(see_branch(self, ref, seen, err));
    run_set_change(self, change);
    return FIRN_OK;
}

firn_status run_open_target(run *self, const object_place *place, text ref, const char *what,
                            uint32_t position, table_snapshot **table, firn_error *err) {
    catalog *of = place->catalog;
    if (is_outside(of)) {
        char words[64];
        (void)snprintf(words, sizeof words, "%s of a table in memory", what);
        return run_refuse_in_block(self, words, position, err);
    }
    if (of == NULL || of->kind->committer == NULL || of->is_read_only) {
        return command_refuse_catalog(of, position, what, err);
    }
    if (self->is_description) { // The change is opened by the run that makes it.
        self->needs_change = true;
        return FIRN_OK;
    }
    table_snapshot *seen;
    const firn_status status = open_change(self, place, ref, &seen, err);
    if (status != FIRN_OK) {
        if (err->position == NO_POSITION) {
            err->position = position;
        }
        return status;
    }
    table_snapshot_release(*table);
    *table = seen;
    return FIRN_OK;
}

firn_status run_commit_transaction(run *self, firn_error *err) {
    transaction_block *own = self->own;
    if (own == NULL) {
        return FIRN_OK;
    }
    assert(self->change == NULL || self->execution == NULL);
    own->env.context = &self->context;
    const firn_status status = block_commit(own, err);
    block_release(own);
    self->own = NULL;
    self->change = NULL; // Closed.
    return status;
}

// ---- BEGIN, COMMIT, ROLLBACK -------------------------------------------------------------------

static firn_status begin(run *self, const sql_transaction *written, firn_error *err) {
    transaction_block *made;
    if (self->block != NULL) {
        const firn_status status =
            FAIL_SQL(err, FIRN_INVALID, "25001", written->node.position,
                     "there is a transaction already, and there are none inside of others");
        err_hint(err, "COMMIT or ROLLBACK ends it");
        return status;
    }
    TRY(block_open(self->session, &made, err));
    made->is_read_only = written->access == SQL_ACCESS_READ_ONLY;
    // Weaker ones get more than they ask for, as the standard allows.
    made->says_isolation = written->isolation != SQL_ISOLATION_UNSAID;
    made->isolation = written->isolation == SQL_ISOLATION_SERIALIZABLE ? ISOLATION_SERIALIZABLE
                                                                       : ISOLATION_SNAPSHOT;
    session_set_block(self->session, made);
    return FIRN_OK;
}

static firn_status end(run *self, bool is_commit, firn_error *err) {
    transaction_block *block = self->block;
    const statement_context *outer;
    TRY(enter(self, block, &outer, err));
    if (block->changing > 0) {
        leave(block, outer);
        return FAIL_SQL(err, FIRN_INVALID, "25001", NO_POSITION,
                        "a statement of the transaction still runs");
    }
    firn_status status = FIRN_OK;
    if (is_commit) {
        status = block_commit(block, err);
    } else {
        block_end(block);
    }
    leave(block, outer);
    session_set_block(self->session, NULL);
    return status;
}

firn_status command_transaction(run *self, const sql_transaction *written, firn_error *err) {
    const sql_transaction_action action = written->action;
    if (action == SQL_TRANSACTION_BEGIN) {
        return begin(self, written, err);
    }
    if (action != SQL_TRANSACTION_COMMIT && action != SQL_TRANSACTION_ROLLBACK) {
        const firn_status status = FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", written->node.position,
                                            "savepoints are not supported");
        err_hint(err, "a transaction is committed or rolled back as a whole");
        return status;
    }
    if (self->block == NULL) {
        const firn_status status = FAIL_SQL(err, FIRN_INVALID, "25P01", written->node.position,
                                            "there is no transaction: none was begun");
        err_hint(err, "outside of BEGIN and COMMIT each statement is a transaction of its own");
        return status;
    }
    return end(self, action == SQL_TRANSACTION_COMMIT, err);
}
