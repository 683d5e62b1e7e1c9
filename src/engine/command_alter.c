// ALTER TABLE and COMMENT ON as steps of a change (tables/transaction.h): all actions of a
// statement are one call of table_change_kind.alter, which does all of them or none.
//
// Paths of columns are spelled here, as the table has them when the statement begins; a column that
// an action before it makes or renames is left as it is written. What is right beyond that, the
// format says.
#include "engine/command_alter.h"
#include "base/number_text.h"
#include "engine/transactions.h"
#include "memory/text_builder.h"

#define STEPS_MIN 16
#define MS_PER_MINUTE INT64_C(60000)

firn_status alter_add_step(altering *to, const alteration *step, firn_error *err) {
    if (to->count == to->capacity) {
        const uint32_t capacity = to->capacity == 0 ? STEPS_MIN : to->capacity * 2;
        alteration *larger = ARENA_NEW(&to->self->memory, alteration, capacity);
        if (larger == NULL) {
            return ARENA_FULL(&to->self->memory, err);
        }
        if (to->count > 0) {
            memcpy(larger, to->steps, to->count * sizeof *larger);
        }
        to->steps = larger;
        to->capacity = capacity;
    }
    to->steps[to->count++] = *step;
    return FIRN_OK;
}

// ---- Partitions and order ----------------------------------------------------------------------

// A field that is there: by what it is made of, or by its name. A bare name may be either.
static firn_status existing_field(altering *to, const sql_expr *written, alteration *step,
                                  firn_error *err) {
    const bool is_bare =
        sql_is_expr(written, SQL_COLUMN) && sql_column_of(written)->path.count == 1;
    if (is_bare) {
        const sql_names *path = &sql_column_of(written)->path;
        const field *found;
        step->name = path->items[0].value;
        TRY(define_path(&to->table->columns, path, &to->self->memory, &step->partition.path, &found,
                        err));
        step->partition.transform = found == NULL ? TEXT("") : TEXT("identity");
        return FIRN_OK;
    }
    return define_key(to->self, written, &to->table->columns, &step->partition, err);
}

static firn_status change_partitions(altering *to, const sql_alter_action *action,
                                     firn_error *err) {
    alteration step = {.position = action->value->position};
    const schema *columns = &to->table->columns;
    switch ((uint32_t)action->kind) {
    case SQL_ALTER_ADD_PARTITION_FIELD:
        step.kind = ALTER_ADD_PARTITION;
        TRY(define_key(to->self, action->value, columns, &step.partition, err));
        step.partition.name = action->name.value;
        break;
    case SQL_ALTER_DROP_PARTITION_FIELD:
        step.kind = ALTER_DROP_PARTITION;
        TRY(existing_field(to, action->value, &step, err));
        break;
    default:
        step.kind = ALTER_REPLACE_PARTITION;
        TRY(existing_field(to, action->value, &step, err));
        TRY(define_key(to->self, action->new_value, columns, &step.replacement, err));
        step.replacement.name = action->name.value;
        break;
    }
    return alter_add_step(to, &step, err);
}

// As Spark has it: NULLs are first, in descending order last.
static firn_status order_key_of(altering *to, const sql_order_item *written, order_key *out,
                                firn_error *err) {
    partition_field key;
    if (written->value == NULL) {
        return FAIL_SQL(err, FIRN_INVALID, "42601", written->node.position,
                        "ORDERED BY wants columns, not ALL");
    }
    TRY(define_key(to->self, written->value, &to->table->columns, &key, err));
    const bool is_descending = written->direction == SQL_DIRECTION_DESC;
    *out = (order_key){.path = key.path,
                       .transform = key.transform,
                       .is_descending = is_descending,
                       .nulls_first = written->nulls == SQL_NULL_ORDER_UNSAID
                                          ? !is_descending
                                          : written->nulls == SQL_NULL_ORDER_FIRST};
    return FIRN_OK;
}

// The order, and how rows come together before they are sorted.
static firn_status change_order(altering *to, const sql_alter_action *action, firn_error *err) {
    const size_t count = action->order_by.count;
    order_key *keys = ARENA_NEW(&to->self->memory, order_key, count + 1);
    if (keys == NULL) {
        return ARENA_FULL(&to->self->memory, err);
    }
    for (size_t i = 0; i < count; i++) {
        TRY(order_key_of(to, sql_order_item_of(action->order_by.items[i]), &keys[i], err));
    }
    const alteration order = {.kind = ALTER_WRITE_ORDER,
                              .order_count = (uint32_t)count,
                              .order = keys,
                              .position = action->node.position};
    const alteration mode = {.kind = ALTER_SET_PROPERTY,
                             .name = TEXT("write.distribution-mode"),
                             .comment = action->is_by_partition            ? TEXT("hash")
                                        : count == 0 || action->is_locally ? TEXT("none")
                                                                           : TEXT("range"),
                             .position = action->node.position};
    TRY(alter_add_step(to, &order, err));
    return alter_add_step(to, &mode, err);
}

// ---- Properties --------------------------------------------------------------------------------

static firn_status set_properties(altering *to, const sql_alter_action *action, firn_error *err) {
    const firn_option *properties;
    size_t count;
    TRY(define_properties(to->self, &action->options, &properties, &count, err));
    for (size_t i = 0; i < count; i++) {
        alteration step = {.kind = ALTER_SET_PROPERTY,
                           .name = text_of(properties[i].key),
                           .comment = text_of(properties[i].value),
                           .position = sql_option_of(action->options.items[i])->key.position};
        if (text_equal(step.name, TEXT("format-version"))) {
            step.kind = ALTER_UPGRADE;
            step.name = step.comment;
        }
        TRY(alter_add_step(to, &step, err));
    }
    return FIRN_OK;
}

// With or without IF EXISTS: as Spark has it, one that is not there is no error.
static firn_status unset_properties(altering *to, const sql_alter_action *action, firn_error *err) {
    for (size_t i = 0; i < action->options.count; i++) {
        const sql_name *key = &sql_option_of(action->options.items[i])->key;
        const alteration step = {
            .kind = ALTER_UNSET_PROPERTY, .name = key->value, .position = key->position};
        TRY(alter_add_step(to, &step, err));
    }
    return FIRN_OK;
}

static firn_status set_location(altering *to, const sql_alter_action *action, firn_error *err) {
    alteration step = {.kind = ALTER_SET_LOCATION, .position = action->value->position};
    TRY(command_constant_text(to->self, action->value, &step.name, err));
    return alter_add_step(to, &step, err);
}

// ---- Branches and tags -------------------------------------------------------------------------

static firn_status read_number(const sql_literal *written, int64_t times, int64_t *out,
                               firn_error *err) {
    int64_t number;
    const number_answer answer = written->kind == SQL_LITERAL_INTEGER
                                     ? number_parse_i64(written->value, &number)
                                     : NUMBER_SYNTAX;
    if (answer == NUMBER_SYNTAX) {
        return FAIL_SQL(err, FIRN_INVALID, "22023", written->node.position,
                        "a whole number is expected here, not %.*s", TEXT_ARGS(written->value));
    }
    if (answer == NUMBER_OVERFLOW || number <= 0 || number > INT64_MAX / times) {
        return FAIL_SQL(err, FIRN_INVALID, "22003", written->node.position,
                        "%.*s is out of range here", TEXT_ARGS(written->value));
    }
    *out = number * times;
    return FIRN_OK;
}

static int64_t ms_of(sql_unit unit) {
    const int64_t minutes = unit == SQL_UNIT_DAY ? 24 * 60 : unit == SQL_UNIT_HOUR ? 60 : 1;
    return minutes * MS_PER_MINUTE;
}

static firn_status read_retention(const sql_alter_action *action, bool is_tag, ref_retention *out,
                                  firn_error *err) {
    const sql_retention *written = action->retention;
    *out = (ref_retention){0};
    if (written == NULL) {
        return FIRN_OK;
    }
    if (is_tag && (written->snapshots != NULL || written->age != NULL)) {
        return FAIL_SQL(err, FIRN_INVALID, "42601", written->node.position,
                        "a tag has one snapshot: WITH SNAPSHOT RETENTION is of branches");
    }
    if (written->retain != NULL) {
        TRY(read_number(written->retain, ms_of(written->retain_unit), &out->ref_age_ms_max, err));
    }
    if (written->snapshots != NULL) {
        TRY(read_number(written->snapshots, 1, &out->snapshots_min, err));
    }
    return written->age == NULL ? FIRN_OK
                                : read_number(written->age, ms_of(written->age_unit),
                                              &out->snapshot_age_ms_max, err);
}

// Is there a branch or tag of that name? Which of both is not told.
static firn_status has_ref(altering *to, text name, bool *out, firn_error *err) {
    const table_version version = {.kind = VERSION_REF, .ref = name};
    catalog_object found = {0};
    const firn_status status = run_load(to->self, to->place.catalog, to->place.object, &version,
                                        &to->self->memory, &found, err);
    *out = status == FIRN_OK;
    table_snapshot_release(found.snapshot);
    return err_forgive(err, status, FIRN_NOT_FOUND);
}

static firn_status change_ref(altering *to, const sql_alter_action *action, firn_error *err) {
    const sql_alter_kind kind = action->kind;
    const bool is_drop = kind == SQL_ALTER_DROP_BRANCH || kind == SQL_ALTER_DROP_TAG;
    const bool is_create = kind == SQL_ALTER_CREATE_BRANCH || kind == SQL_ALTER_CREATE_TAG;
    alteration step = {.kind = is_drop ? ALTER_DROP_REF : ALTER_SET_REF,
                       .name = action->name.value,
                       .is_tag = kind == SQL_ALTER_CREATE_TAG || kind == SQL_ALTER_REPLACE_TAG ||
                                 kind == SQL_ALTER_DROP_TAG,
                       .only_if = !is_create           ? REF_EXISTING
                                  : action->or_replace ? REF_ANY
                                                       : REF_NEW,
                       .snapshot_id = -1,
                       .position = action->name.position};
    if (action->if_exists || action->if_not_exists) {
        bool is_there;
        TRY(has_ref(to, step.name, &is_there, err));
        if (is_there == action->if_not_exists) {
            return FIRN_OK;
        }
    }
    TRY(read_retention(action, step.is_tag, &step.retention, err));
    if (action->value != NULL) {
        const literal *number;
        TRY(define_value(to->self, action->value, TYPE_OF(BIGINT), &number, err));
        if (number->is_null) {
            return FAIL_SQL(err, FIRN_INVALID, "22004", action->value->position,
                            "NULL is no snapshot");
        }
        step.snapshot_id = *COLUMN_VALUES(number->value, int64_t);
    }
    return alter_add_step(to, &step, err);
}

// ---- ALTER -------------------------------------------------------------------------------------

static firn_status refuse_action(const sql_alter_action *action, firn_error *err) {
    const uint32_t position = action->node.position;
    if (action->kind == SQL_ALTER_ADD_CONSTRAINT) {
        const sql_node *items[] = {&action->constraint->node};
        const sql_list list = {.count = 1, .items = items};
        return define_refuse_constraints(&list, err);
    }
    return action->kind == SQL_ALTER_RENAME
               ? FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", position,
                          "RENAME TO stands alone: it takes effect at once")
               : FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", position, "%s is not supported",
                          action->kind == SQL_ALTER_DROP_CONSTRAINT ? "DROP CONSTRAINT"
                                                                    : "IDENTIFIER FIELDS");
}

static firn_status add_action(altering *to, const sql_alter_action *action, firn_error *err) {
    switch (action->kind) {
    case SQL_ALTER_ADD_COLUMNS:
        return alter_add_columns(to, action, err);
    case SQL_ALTER_DROP_COLUMN:
        return alter_drop_column(to, action, err);
    case SQL_ALTER_RENAME_COLUMN:
    case SQL_ALTER_COLUMN_TYPE:
    case SQL_ALTER_COLUMN_SET_DEFAULT:
    case SQL_ALTER_COLUMN_DROP_DEFAULT:
    case SQL_ALTER_COLUMN_SET_NOT_NULL:
    case SQL_ALTER_COLUMN_DROP_NOT_NULL:
    case SQL_ALTER_COLUMN_COMMENT:
    case SQL_ALTER_COLUMN_MOVE:
        return alter_change_column(to, action, err);
    case SQL_ALTER_ADD_PARTITION_FIELD:
    case SQL_ALTER_DROP_PARTITION_FIELD:
    case SQL_ALTER_REPLACE_PARTITION_FIELD:
        return change_partitions(to, action, err);
    case SQL_ALTER_WRITE_ORDER:
        return change_order(to, action, err);
    case SQL_ALTER_SET_PROPERTIES:
        return set_properties(to, action, err);
    case SQL_ALTER_UNSET_PROPERTIES:
        return unset_properties(to, action, err);
    case SQL_ALTER_SET_LOCATION:
        return set_location(to, action, err);
    case SQL_ALTER_CREATE_BRANCH:
    case SQL_ALTER_REPLACE_BRANCH:
    case SQL_ALTER_DROP_BRANCH:
    case SQL_ALTER_CREATE_TAG:
    case SQL_ALTER_REPLACE_TAG:
    case SQL_ALTER_DROP_TAG:
        return change_ref(to, action, err);
    case SQL_ALTER_RENAME:
    case SQL_ALTER_SET_IDENTIFIER_FIELDS:
    case SQL_ALTER_DROP_IDENTIFIER_FIELDS:
    case SQL_ALTER_ADD_CONSTRAINT:
    case SQL_ALTER_DROP_CONSTRAINT:
        break;
    }
    return refuse_action(action, err);
}

// The table that is to be changed, in a catalog that can. `word`: ALTER or COMMENT ON.
static firn_status open_table(altering *to, const sql_names *name, uint32_t position,
                              const char *word, firn_error *err) {
    catalog_object found = {0};
    TRY(run_begin_transaction(to->self, err));
    TRY(session_find(to->self, name, &to->place, &found, err));
    catalog *of = to->place.catalog;
    const firn_status status = command_check_kind(&found, false, to->place.object.name, word, err);
    if (status != FIRN_OK) {
        err->position = name->items[0].position;
        return status;
    }
    to->table = found.snapshot;
    return of->kind->committer == NULL || of->is_read_only
               ? command_refuse_catalog(of, position,
                                        strcmp(word, "ALTER") == 0 ? "ALTER TABLE" : word, err)
               : FIRN_OK;
}

static firn_status apply(altering *to, uint32_t position, firn_error *err) {
    transaction *owner;
    table_change *change;
    if (to->count == 0) {
        return FIRN_OK;
    }
    TRY(run_transaction_of(to->self, to->place.catalog, &owner, err));
    TRY(transaction_change(owner, to->place.object, &change, err));
    const firn_status status = change->kind->alter(change, to->steps, to->count, err);
    if (status != FIRN_OK && err->position == NO_POSITION) {
        err->position = position;
    }
    return status;
}

static firn_status alter(altering *to, const sql_alter *written, firn_error *err) {
    TRY(open_table(to, &written->name, written->node.position, "ALTER", err));
    for (size_t i = 0; i < written->actions.count; i++) {
        TRY(add_action(to, sql_alter_action_of(written->actions.items[i]), err));
    }
    return apply(to, written->name.items[0].position, err);
}

firn_status command_alter(run *self, const sql_alter *written, firn_error *err) {
    altering to = {.self = self};
    const sql_alter_action *first =
        written->actions.count == 1 ? sql_alter_action_of(written->actions.items[0]) : NULL;
    firn_status status;
    if (first != NULL && first->kind == SQL_ALTER_RENAME && written->object != SQL_OBJECT_SCHEMA) {
        status = command_rename(self, written, &first->new_path, err);
    } else if (written->object == SQL_OBJECT_SCHEMA) {
        status = command_alter_schema(self, written, err);
    } else if (written->object == SQL_OBJECT_VIEW) {
        status = command_alter_view(self, written, err);
    } else {
        status = alter(&to, written, err);
        table_snapshot_release(to.table);
    }
    // What the query of a view does not find is missed.
    const bool is_missing =
        status == FIRN_NOT_FOUND && written->if_exists && written->query == NULL &&
        (strcmp(err->sqlstate, "42P01") == 0 || strcmp(err->sqlstate, "3F000") == 0);
    return is_missing ? err_forgive(err, status, FIRN_NOT_FOUND) : status;
}

// ---- COMMENT ON --------------------------------------------------------------------------------

// COMMENT ON COLUMN c.s.t.a.b: the longest name that is a table, and what is behind it is in it.
static firn_status open_of_column(altering *to, const sql_comment_on *written, sql_names *column,
                                  firn_error *err) {
    const sql_names *whole = &written->name;
    firn_error first = ERR_INIT;
    firn_status status = FIRN_NOT_FOUND;
    if (whole->count < 2) {
        return FAIL_SQL(err, FIRN_INVALID, "42601", whole->items[0].position,
                        "COMMENT ON COLUMN wants a table and a column, such as t.a");
    }
    for (size_t count = whole->count - 1; count > 0 && status == FIRN_NOT_FOUND; count--) {
        const sql_names table = {.count = count, .items = whole->items};
        *err = ERR_INIT;
        status = open_table(to, &table, written->node.position, "COMMENT ON", err);
        first = count == whole->count - 1 ? *err : first;
        *column = (sql_names){.count = whole->count - count, .items = whole->items + count};
    }
    if (status == FIRN_NOT_FOUND) {
        *err = first;
    }
    return status;
}

static firn_status comment_on(altering *to, const sql_comment_on *written, firn_error *err) {
    const sql_names *name = &written->name;
    alteration step = {.comment = written->comment == NULL ? TEXT("") : written->comment->value,
                       .position = name->items[0].position};
    if (written->object == SQL_OBJECT_COLUMN) {
        sql_names column;
        const field *found;
        step.kind = ALTER_COLUMN_COMMENT;
        TRY(open_of_column(to, written, &column, err));
        TRY(alter_find_column(to, &column, &step.path, &found, err));
    } else {
        step.kind = step.comment.size == 0 ? ALTER_UNSET_PROPERTY : ALTER_SET_PROPERTY;
        step.name = TEXT("comment");
        TRY(open_table(to, name, written->node.position, "COMMENT ON", err));
    }
    TRY(alter_add_step(to, &step, err));
    return apply(to, step.position, err);
}

// Of a schema or view.
static firn_status comment_as_property(run *self, const sql_comment_on *written, firn_error *err) {
    static const char *const removed[] = {"comment"};
    text value = TEXT("");
    if (written->comment != NULL) {
        TRY(text_copy(&self->memory, written->comment->value, &value, err));
    }
    const firn_option comment = {.key = "comment", .value = value.data};
    const bool is_set = value.size > 0;
    const namespace_change change = {.properties = {.set_count = is_set ? 1 : 0,
                                                    .set = &comment,
                                                    .removed_count = is_set ? 0 : 1,
                                                    .removed = removed}};
    return written->object == SQL_OBJECT_VIEW
               ? command_change_view(self, &written->name, "COMMENT ON", &change.properties, err)
               : command_change_schema(self, &written->name, written->node.position, &change, err);
}

firn_status command_comment_on(run *self, const sql_comment_on *written, firn_error *err) {
    altering to = {.self = self};
    if (written->object == SQL_OBJECT_SCHEMA || written->object == SQL_OBJECT_VIEW) {
        return comment_as_property(self, written, err);
    }
    const firn_status status = comment_on(&to, written, err);
    table_snapshot_release(to.table);
    return status;
}
