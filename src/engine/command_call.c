// CALL: procedures that change tables, with the names, arguments and results that Spark has for
// them: CALL lake.system.rollback_to_snapshot(table => 'db.t', snapshot_id => 123).
//
// Each is some steps of a change (tables/transaction.h), and one row that says what it came to; or
// it looks after the files of a table, with a row for each.
#include "base/host.h"
#include "base/nearest.h"
#include "engine/command_define.h"
#include "engine/transactions.h"
#include "memory/text_builder.h"
#include "sql/parser.h"
#include "sql/printer.h"
#include "tables/iceberg/iceberg_orphans.h"
#include "tables/iceberg/iceberg_snapshot.h"

#define ARGUMENTS_MAX 4
#define RESULTS_MAX 3
#define NO_SNAPSHOT (-1)

typedef struct argument {
    const char *name;
    const type *type;
    bool is_optional;
} argument;

// What a call says, and what it found.
typedef struct calling {
    run *self;
    const sql_call *written;
    const struct procedure *procedure;
    const sql_expr *given[ARGUMENTS_MAX]; // By argument; NULL: not given.
    const literal *values[ARGUMENTS_MAX]; // Likewise; the first, the table, is read as a text.
    object_place place;
    int64_t current; // Snapshot before; NO_SNAPSHOT: none.
    alteration step;
    int64_t after; // Snapshot afterwards.
} calling;

typedef struct procedure {
    const char *name;
    argument arguments[ARGUMENTS_MAX]; // The first is the table.
    struct {
        const char *name;
        const type *type;
    } results[RESULTS_MAX];
    firn_status (*plan)(calling *self, firn_error *err); // Fills `step`; NULL: it has none.
    /// What the row says, in the order of `results`; texts in `memory`.
    firn_status (*tell)(calling *self, text *out, firn_error *err);
    firn_status (*run)(calling *self, firn_error *err); // Instead of both: does it, and the result.
} procedure;

// ---- Snapshots ---------------------------------------------------------------------------------

// The snapshot of a version of the table, as the transaction sees it; NO_SNAPSHOT if it has none.
static firn_status snapshot_of(calling *self, const table_version *version, int64_t *out,
                               firn_error *err) {
    catalog_object found = {0};
    TRY(run_load(self->self, self->place.catalog, self->place.object, version, &self->self->memory,
                 &found, err));
    *out = found.snapshot == NULL ? NO_SNAPSHOT : found.snapshot->ref.snapshot_id;
    table_snapshot_release(found.snapshot);
    return FIRN_OK;
}

static firn_status snapshot_of_ref(calling *self, uint32_t index, text name, int64_t *out,
                                   firn_error *err) {
    const table_version version = {.kind = VERSION_REF, .ref = name};
    firn_status status = snapshot_of(self, &version, out, err);
    if (status != FIRN_OK && err->position == NO_POSITION) {
        err->position = self->given[index]->position;
    }
    return status;
}

static int64_t number_of(const calling *self, uint32_t index) {
    return *COLUMN_VALUES(self->values[index]->value, int64_t);
}

static text text_at(const calling *self, uint32_t index) {
    return string_text(COLUMN_VALUES(self->values[index]->value, string_value));
}

// ---- Procedures --------------------------------------------------------------------------------

static firn_status plan_rollback(calling *self, firn_error *err) {
    (void)err;
    self->step.kind = ALTER_ROLLBACK;
    self->step.snapshot_id = number_of(self, 1);
    return FIRN_OK;
}

static firn_status plan_rollback_to_time(calling *self, firn_error *err) {
    const table_version version = {.kind = VERSION_TIMESTAMP, .number = number_of(self, 1)};
    self->step.kind = ALTER_ROLLBACK;
    return snapshot_of(self, &version, &self->step.snapshot_id, err);
}

static firn_status plan_set_current(calling *self, firn_error *err) {
    if ((self->values[1] == NULL) == (self->values[2] == NULL)) {
        return FAIL_SQL(err, FIRN_INVALID, "22023", self->written->node.position,
                        "set_current_snapshot wants either snapshot_id or ref");
    }
    self->step.kind = ALTER_SET_REF;
    self->step.name = TEXT("main");
    self->step.only_if = REF_ANY;
    if (self->values[1] != NULL) {
        self->step.snapshot_id = number_of(self, 1);
        return FIRN_OK;
    }
    return snapshot_of_ref(self, 2, text_at(self, 2), &self->step.snapshot_id, err);
}

static firn_status plan_cherrypick(calling *self, firn_error *err) {
    (void)err;
    self->step.kind = ALTER_CHERRYPICK;
    self->step.snapshot_id = number_of(self, 1);
    return FIRN_OK;
}

static firn_status plan_fast_forward(calling *self, firn_error *err) {
    self->step.kind = ALTER_FAST_FORWARD;
    self->step.name = text_at(self, 1);
    self->step.comment = text_at(self, 2);
    TRY(snapshot_of_ref(self, 2, self->step.comment, &self->after, err));
    const firn_status status = snapshot_of_ref(self, 1, self->step.name, &self->current, err);
    if (status == FIRN_NOT_FOUND) { // Then the branch is made.
        self->current = NO_SNAPSHOT;
    }
    return err_forgive(err, status, FIRN_NOT_FOUND);
}

static firn_status print_id(calling *self, int64_t id, text *out, firn_error *err) {
    if (id <= 0) {
        *out = TEXT("NULL");
        return FIRN_OK;
    }
    return text_format(&self->self->memory, out, err, "%lld", (long long)id);
}

// previous_snapshot_id, current_snapshot_id
static firn_status tell_move(calling *self, text *out, firn_error *err) {
    TRY(print_id(self, self->current, &out[0], err));
    return print_id(self, self->after, &out[1], err);
}

static firn_status tell_cherrypick(calling *self, text *out, firn_error *err) {
    TRY(print_id(self, self->step.snapshot_id, &out[0], err));
    return print_id(self, self->after, &out[1], err);
}

static firn_status tell_fast_forward(calling *self, text *out, firn_error *err) {
    text_builder quoted = text_builder_open(&self->self->memory);
    sql_print_string(&quoted, self->step.name);
    TRY(text_builder_finish(&quoted, &out[0], err));
    TRY(print_id(self, self->current, &out[1], err));
    return print_id(self, self->after, &out[2], err);
}

// ---- Files -------------------------------------------------------------------------------------

#define HOUR_US (INT64_C(3600) * INT64_C(1000000))
#define ORPHAN_AGE_US (INT64_C(72) * HOUR_US)
#define ORPHAN_AGE_US_MIN                                                                          \
    (INT64_C(24) * HOUR_US) // What is younger may be of a commit that is under way.

static bool flag_at(const calling *self, uint32_t index) {
    return self->values[index] != NULL && bitmap_get(self->values[index]->value->values, 0);
}

static firn_status check_orphan_age(const calling *self, const ice_orphan_search *wanted,
                                    int64_t now_us, firn_error *err) {
    if (wanted->older_than_us <= now_us - ORPHAN_AGE_US_MIN) {
        return FIRN_OK;
    }
    const firn_status status =
        FAIL_SQL(err, FIRN_INVALID, "22023", self->given[1]->position,
                 "files of the last 24 hours are not removed: they may be of commits under way");
    err_hint(err, "dry_run => true lists them");
    return status;
}

static firn_status list_orphans(const calling *self, const text_list *orphans, firn_error *err) {
    static const char *const names[] = {"orphan_file_location"};
    listing *rows;
    TRY(listing_open(self->self, names, 1, &rows, err));
    for (uint32_t i = 0; i < orphans->count; i++) {
        TRY(listing_add(rows, &orphans->items[i], err));
    }
    TRY(listing_finish(rows, err));
    // Nothing is asked for then when they are read; more of them are an answer of several batches.
    const bool are_few = orphans->count <= self->self->settings.arrow.batch_rows;
    return orphans->count > 0 && are_few ? run_keep_rows(self->self, err) : FIRN_OK;
}

static firn_status remove_orphans(calling *self, firn_error *err) {
    run *of = self->self;
    const table_version now = {.kind = VERSION_CURRENT};
    const int64_t now_us = host_time_us();
    const ice_orphan_search wanted = {
        .of = self->place.catalog,
        .name = self->place.object,
        .older_than_us = self->values[1] == NULL ? now_us - ORPHAN_AGE_US : number_of(self, 1),
        .location = self->values[2] == NULL ? (text){.size = 0} : text_at(self, 2)};
    const bool is_dry_run = flag_at(self, 3);
    catalog_object found = {0};
    text_list orphans;
    TRY(run_refuse_in_block(of, "remove_orphan_files", self->written->node.position, err));
    TRY(is_dry_run ? FIRN_OK : check_orphan_age(self, &wanted, now_us, err));
    TRY(run_load(of, self->place.catalog, self->place.object, &now, &of->memory, &found, err));
    const firn_status status =
        found.snapshot != NULL && found.snapshot->kind == &iceberg_table_kind
            ? ice_find_orphans(of->session->engine->io, found.snapshot, &wanted, &of->cancel,
                               &of->memory, &orphans, err)
            : FAIL(err, FIRN_UNSUPPORTED, "remove_orphan_files is for Iceberg tables");
    table_snapshot_release(found.snapshot);
    if (status != FIRN_OK) {
        err->position = err->position == NO_POSITION ? self->written->node.position : err->position;
        return status;
    }
    TRY(list_orphans(self, &orphans, err)); // Before anything is gone that it may fail to tell.
    return is_dry_run ? FIRN_OK
                      : ice_remove_orphans(of->session->engine->io, &orphans, &of->cancel, err);
}

static const procedure procedures[] = {
    {"rollback_to_snapshot",
     {{"table", TYPE_OF(VARCHAR), false}, {"snapshot_id", TYPE_OF(BIGINT), false}},
     {{"previous_snapshot_id", TYPE_OF(BIGINT)}, {"current_snapshot_id", TYPE_OF(BIGINT)}},
     plan_rollback,
     tell_move,
     NULL},
    {"rollback_to_timestamp",
     {{"table", TYPE_OF(VARCHAR), false}, {"timestamp", TYPE_OF(TIMESTAMPTZ), false}},
     {{"previous_snapshot_id", TYPE_OF(BIGINT)}, {"current_snapshot_id", TYPE_OF(BIGINT)}},
     plan_rollback_to_time,
     tell_move,
     NULL},
    {"set_current_snapshot",
     {{"table", TYPE_OF(VARCHAR), false},
      {"snapshot_id", TYPE_OF(BIGINT), true},
      {"ref", TYPE_OF(VARCHAR), true}},
     {{"previous_snapshot_id", TYPE_OF(BIGINT)}, {"current_snapshot_id", TYPE_OF(BIGINT)}},
     plan_set_current,
     tell_move,
     NULL},
    {"cherrypick_snapshot",
     {{"table", TYPE_OF(VARCHAR), false}, {"snapshot_id", TYPE_OF(BIGINT), false}},
     {{"source_snapshot_id", TYPE_OF(BIGINT)}, {"current_snapshot_id", TYPE_OF(BIGINT)}},
     plan_cherrypick,
     tell_cherrypick,
     NULL},
    {"fast_forward",
     {{"table", TYPE_OF(VARCHAR), false},
      {"branch", TYPE_OF(VARCHAR), false},
      {"to", TYPE_OF(VARCHAR), false}},
     {{"branch_updated", TYPE_OF(VARCHAR)},
      {"previous_ref", TYPE_OF(BIGINT)},
      {"updated_ref", TYPE_OF(BIGINT)}},
     plan_fast_forward,
     tell_fast_forward,
     NULL},
    {"remove_orphan_files",
     {{"table", TYPE_OF(VARCHAR), false},
      {"older_than", TYPE_OF(TIMESTAMPTZ), true},
      {"location", TYPE_OF(VARCHAR), true},
      {"dry_run", TYPE_OF(BOOLEAN), true}},
     {{"orphan_file_location", TYPE_OF(VARCHAR)}},
     NULL,
     NULL,
     remove_orphans},
};
#define PROCEDURE_COUNT (sizeof procedures / sizeof procedures[0])

static firn_status find_procedure(const sql_call *written, const procedure **out, firn_error *err) {
    const sql_names *path = &written->path;
    const text name = path->items[path->count - 1].value;
    nearest_name near = nearest_to(name);
    const bool is_system = path->count > 1 && path->count <= 3 &&
                           text_equal_nocase(path->items[path->count - 2].value, TEXT("system"));
    for (size_t i = 0; i < PROCEDURE_COUNT; i++) {
        if (is_system && text_equal_nocase(name, text_of(procedures[i].name))) {
            *out = &procedures[i];
            return FIRN_OK;
        }
        nearest_offer(&near, text_of(procedures[i].name));
    }
    firn_status status = FAIL_SQL(
        err, FIRN_INVALID, "42883", path->items[0].position, "there is no procedure \"%.*s\"%s",
        TEXT_ARGS(name),
        is_system ? "" : " here: they are of \"system\", such as lake.system.fast_forward");
    if (is_system) {
        (void)nearest_hint(&near, err);
    }
    return status;
}

// ---- Arguments ---------------------------------------------------------------------------------

static uint32_t argument_count(const procedure *self) {
    uint32_t count = 0;
    while (count < ARGUMENTS_MAX && self->arguments[count].name != NULL) {
        count++;
    }
    return count;
}

static firn_status find_argument(const calling *self, const sql_name *name, uint32_t *out,
                                 firn_error *err) {
    const procedure *of = self->procedure;
    nearest_name near = nearest_to(name->value);
    for (*out = 0; *out < argument_count(of); (*out)++) {
        if (text_equal_nocase(name->value, text_of(of->arguments[*out].name))) {
            return FIRN_OK;
        }
        nearest_offer(&near, text_of(of->arguments[*out].name));
    }
    firn_status status = FAIL_SQL(err, FIRN_INVALID, "42883", name->position,
                                  "%s has no argument \"%.*s\"", of->name, TEXT_ARGS(name->value));
    (void)nearest_hint(&near, err);
    return status;
}

static firn_status place_argument(calling *self, uint32_t order, const sql_expr *written,
                                  firn_error *err) {
    const procedure *of = self->procedure;
    uint32_t index = order;
    const sql_expr *value = written;
    if (sql_is_expr(written, SQL_NAMED_ARGUMENT)) {
        const sql_named_argument *named = sql_named_argument_of(written);
        TRY(find_argument(self, &named->name, &index, err));
        value = named->value;
    }
    if (index >= argument_count(of) || self->given[index] != NULL) {
        return index >= argument_count(of)
                   ? FAIL_SQL(err, FIRN_INVALID, "42883", written->position, "%s has %u arguments",
                              of->name, argument_count(of))
                   : FAIL_SQL(err, FIRN_INVALID, "42601", written->position,
                              "the argument \"%s\" is given twice", of->arguments[index].name);
    }
    self->given[index] = value;
    return FIRN_OK;
}

static firn_status read_argument(calling *self, uint32_t index, firn_error *err) {
    const argument *of = &self->procedure->arguments[index];
    const sql_expr *written = self->given[index];
    if (written == NULL) {
        return of->is_optional ? FIRN_OK
                               : FAIL_SQL(err, FIRN_INVALID, "42883", self->written->node.position,
                                          "%s wants %s => …", self->procedure->name, of->name);
    }
    TRY(define_value(self->self, written, of->type, &self->values[index], err));
    if (self->values[index]->is_null) {
        return FAIL_SQL(err, FIRN_INVALID, "22004", written->position, "%s is NULL", of->name);
    }
    return FIRN_OK;
}

static firn_status read_arguments(calling *self, firn_error *err) {
    const sql_list *written = &self->written->arguments;
    for (size_t i = 0; i < written->count; i++) {
        const uint32_t order = i < ARGUMENTS_MAX ? (uint32_t)i : ARGUMENTS_MAX;
        TRY(place_argument(self, order, written->items[i], err));
    }
    for (uint32_t i = 0; i < argument_count(self->procedure); i++) {
        TRY(read_argument(self, i, err));
    }
    return FIRN_OK;
}

// ---- The table ---------------------------------------------------------------------------------

// 'db.t' of the catalog that the procedure is called in, which may stand in front of it.
static firn_status table_name(calling *self, sql_names *out, firn_error *err) {
    const uint32_t position = self->given[0]->position;
    const sql_names *path = &self->written->path;
    const sql_expr *parsed;
    text copy;
    TRY(text_copy(&self->self->memory, text_at(self, 0), &copy, err));
    const firn_status status = sql_parse_expression(copy, &self->self->memory, &parsed, err);
    if (status != FIRN_OK || !sql_is_expr(parsed, SQL_COLUMN)) {
        return FAIL_SQL(err, FIRN_INVALID, "42602", position,
                        "\"%.*s\" is no name of a table, such as db.t", TEXT_ARGS(copy));
    }
    const sql_names *said = &sql_column_of(parsed)->path;
    const bool has_catalog = path->count == 3;
    const bool is_said = said->count > 1 && has_catalog &&
                         text_equal_nocase(said->items[0].value, path->items[0].value);
    const size_t before = has_catalog && !is_said ? 1 : 0;
    sql_name *names = ARENA_NEW(&self->self->memory, sql_name, said->count + 1);
    if (names == NULL) {
        return ARENA_FULL(&self->self->memory, err);
    }
    names[0] = path->items[0];
    for (size_t i = 0; i < said->count; i++) {
        names[before + i] = said->items[i];
        names[before + i].position = position;
    }
    *out = (sql_names){.count = said->count + before, .items = names};
    return FIRN_OK;
}

static firn_status open_table(calling *self, firn_error *err) {
    sql_names name;
    catalog_object found = {0};
    TRY(table_name(self, &name, err));
    TRY(run_begin_transaction(self->self, err));
    TRY(session_find(self->self, &name, &self->place, &found, err));
    const bool is_view = found.snapshot == NULL;
    self->current = is_view ? NO_SNAPSHOT : found.snapshot->ref.snapshot_id;
    table_snapshot_release(found.snapshot);
    const catalog *of = self->place.catalog;
    if (is_view) {
        const firn_status status =
            catalog_say_other_kind(self->place.object.name, false, NULL, err);
        err->position = self->given[0]->position;
        return status;
    }
    return of->kind->committer == NULL || of->is_read_only
               ? command_refuse_catalog(of, self->written->node.position, self->procedure->name,
                                        err)
               : FIRN_OK;
}

// ---- The call ----------------------------------------------------------------------------------

static firn_status apply(calling *self, firn_error *err) {
    transaction *owner;
    table_change *change;
    table_snapshot *seen;
    TRY(run_transaction_of(self->self, self->place.catalog, &owner, err));
    TRY(transaction_change(owner, self->place.object, &change, err));
    firn_status status = change->kind->alter(change, &self->step, 1, err);
    if (status != FIRN_OK) {
        err->position = err->position == NO_POSITION ? self->written->node.position : err->position;
        return status;
    }
    TRY(change->kind->see(change, &seen, err));
    if (self->step.kind != ALTER_FAST_FORWARD) {
        self->after = seen->ref.snapshot_id;
    }
    table_snapshot_release(seen);
    return FIRN_OK;
}

// The row, as a query that has run before anything is committed.
static firn_status tell(calling *self, firn_error *err) {
    run *of = self->self;
    text cells[RESULTS_MAX];
    text sql;
    const sql_statement *query;
    size_t used;
    TRY(self->procedure->tell(self, cells, err));
    text_builder out = text_builder_open(&of->memory);
    for (uint32_t i = 0; i < RESULTS_MAX && self->procedure->results[i].name != NULL; i++) {
        text_append_format(&out, "%s CAST(%.*s AS ", i == 0 ? "SELECT" : ",", TEXT_ARGS(cells[i]));
        type_print(self->procedure->results[i].type, &out);
        text_append_format(&out, ") AS %s", self->procedure->results[i].name);
    }
    TRY(text_builder_finish(&out, &sql, err));
    TRY(sql_parse_statement(sql, 0, &of->memory, &query, &used, err));
    const bind_env env = session_bind_env(of);
    TRY(bind_query(sql_query_statement_of(query)->query, &env, NULL, &of->memory, &of->bound, err));
    TRY(run_start(of, NULL, 0, false, err));
    return run_keep_rows(of, err);
}

firn_status command_call(run *self, const sql_call_statement *written, firn_error *err) {
    calling call = {.self = self,
                    .written = written->call,
                    .after = NO_SNAPSHOT,
                    .step = {.snapshot_id = NO_SNAPSHOT, .position = written->call->node.position}};
    TRY(find_procedure(call.written, &call.procedure, err));
    TRY(read_arguments(&call, err));
    TRY(open_table(&call, err));
    if (call.procedure->run != NULL) {
        return call.procedure->run(&call, err);
    }
    TRY(call.procedure->plan(&call, err));
    TRY(apply(&call, err));
    return tell(&call, err);
}

firn_status command_call_columns(const sql_call_statement *written, arena *memory, schema *out,
                                 firn_error *err) {
    const procedure *found;
    field *fields = ARENA_NEW(memory, field, RESULTS_MAX);
    TRY(find_procedure(written->call, &found, err));
    if (fields == NULL) {
        return ARENA_FULL(memory, err);
    }
    *out = (schema){.fields = fields};
    for (uint32_t i = 0; i < RESULTS_MAX && found->results[i].name != NULL; i++) {
        fields[out->count++] = (field){.name = text_of(found->results[i].name),
                                       .type = found->results[i].type,
                                       .is_nullable = true,
                                       .id = -1};
    }
    return FIRN_OK;
}
