// Columns of ALTER TABLE: paths, types, defaults, places.
#include <string.h>

#include "engine/command_alter.h"

static firn_status written_path(altering *to, const sql_names *path, text_list *out,
                                firn_error *err) {
    text *items = ARENA_NEW(&to->self->memory, text, path->count + 1);
    if (items == NULL) {
        return ARENA_FULL(&to->self->memory, err);
    }
    for (size_t i = 0; i < path->count; i++) {
        items[i] = path->items[i].value;
    }
    *out = (text_list){.count = (uint32_t)path->count, .items = items};
    return FIRN_OK;
}

// Whether an action before this one made or renamed the column, or one that it is in: its first
// name that the table does not have.
static bool is_made_before(const altering *to, const sql_names *path) {
    for (uint32_t i = 0; i < to->count; i++) {
        const alteration *step = &to->steps[i];
        const bool makes = step->kind == ALTER_ADD_COLUMN || step->kind == ALTER_RENAME_COLUMN;
        const text made = step->kind == ALTER_RENAME_COLUMN ? step->name
                          : makes                           ? step->path.items[step->path.count - 1]
                                                            : TEXT("");
        for (size_t level = 0; makes && level < path->count; level++) {
            if (text_equal_nocase(made, path->items[level].value)) {
                return true;
            }
        }
    }
    return false;
}

// Whether an action before this one drops or renames it.
static bool is_gone_before(const altering *to, const text_list *path) {
    for (uint32_t i = 0; i < to->count; i++) {
        const alteration *step = &to->steps[i];
        bool is_gone = (step->kind == ALTER_DROP_COLUMN || step->kind == ALTER_RENAME_COLUMN) &&
                       step->path.count == path->count;
        for (uint32_t level = 0; is_gone && level < path->count; level++) {
            is_gone = text_equal(step->path.items[level], path->items[level]);
        }
        if (is_gone) {
            return true;
        }
    }
    return false;
}

// The path of a column that is there; *found is NULL if it comes of an action before.
firn_status alter_find_column(altering *to, const sql_names *written, text_list *out,
                              const field **found, firn_error *err) {
    TRY(define_path(&to->table->columns, written, &to->self->memory, out, found, err));
    if (*found != NULL && !is_gone_before(to, out)) {
        return FIRN_OK;
    }
    *found = NULL;
    return is_made_before(to, written) ? written_path(to, written, out, err)
                                       : define_say_no_column(&to->table->columns, written, err);
}

static bool has_column(altering *to, const sql_names *written, bool *out, firn_error *err) {
    text_list path;
    const field *found;
    const bool is_known =
        define_path(&to->table->columns, written, &to->self->memory, &path, &found, err) == FIRN_OK;
    *out = is_known && found != NULL ? !is_gone_before(to, &path) : is_made_before(to, written);
    return is_known;
}

// FIRST, AFTER x: beside a column of the same level.
static firn_status place_of(altering *to, const sql_names *of, bool is_first, const sql_name *after,
                            column_place *out, firn_error *err) {
    *out = (column_place){.kind = is_first ? PLACE_FIRST : PLACE_LAST};
    if (is_first || after->value.size == 0) {
        return FIRN_OK;
    }
    sql_name *names = ARENA_NEW(&to->self->memory, sql_name, of->count);
    text_list path;
    const field *found;
    if (names == NULL) {
        return ARENA_FULL(&to->self->memory, err);
    }
    memcpy(names, of->items, of->count * sizeof *names);
    names[of->count - 1] = *after;
    const sql_names beside = {.count = of->count, .items = names};
    TRY(alter_find_column(to, &beside, &path, &found, err));
    *out = (column_place){.kind = PLACE_AFTER, .beside = path.items[path.count - 1]};
    return FIRN_OK;
}

// Where a new column goes: what is before its last name is there.
static firn_status path_of_new(altering *to, const sql_names *written, text_list *out,
                               firn_error *err) {
    TRY(written_path(to, written, out, err));
    if (written->count == 1) {
        return FIRN_OK;
    }
    const sql_names above = {.count = written->count - 1, .items = written->items};
    text_list path;
    const field *found;
    TRY(alter_find_column(to, &above, &path, &found, err));
    if (found != NULL && found->type->id != TYPE_STRUCT) {
        firn_status status = FAIL_SQL(err, FIRN_INVALID, "42809", written->items[0].position,
                                      "\"%.*s\" is no STRUCT, which a column could be added to",
                                      TEXT_ARGS(found->name));
        if (found->type->id == TYPE_LIST || found->type->id == TYPE_MAP) {
            err_hint(err, "its %s is named by a path: %.*s.%s.%.*s",
                     found->type->id == TYPE_LIST ? "element" : "value", TEXT_ARGS(found->name),
                     found->type->id == TYPE_LIST ? "element" : "value",
                     TEXT_ARGS(written->items[written->count - 1].value));
        }
        return status;
    }
    memcpy(out->items, path.items, path.count * sizeof *path.items);
    return FIRN_OK;
}

// ---- Comments inside of types ------------------------------------------------------------------

static firn_status comment_inside(altering *to, const sql_type *written, const text_list *above,
                                  text name, uint32_t position, firn_error *err);

// STRUCT(x INTEGER COMMENT 'c'): of each field.
static firn_status comment_fields(altering *to, const sql_type *written, const text_list *path,
                                  firn_error *err) {
    for (size_t i = 0; i < written->fields.count; i++) {
        const sql_field_definition *each = sql_field_definition_of(written->fields.items[i]);
        const uint32_t position = each->node.position;
        text *items = ARENA_NEW(&to->self->memory, text, (size_t)path->count + 1);
        if (items == NULL) {
            return ARENA_FULL(&to->self->memory, err);
        }
        memcpy(items, path->items, path->count * sizeof *items);
        items[path->count] = each->name.value;
        const alteration step = {.kind = ALTER_COLUMN_COMMENT,
                                 .path = {.count = path->count + 1, .items = items},
                                 .comment = each->comment == NULL ? TEXT("") : each->comment->value,
                                 .position = position};
        if (step.comment.size > 0) {
            TRY(alter_add_step(to, &step, err));
        }
        TRY(comment_inside(to, each->type, path, each->name.value, position, err));
    }
    return FIRN_OK;
}

static firn_status comment_inside(altering *to, const sql_type *written, const text_list *above,
                                  text name, uint32_t position, firn_error *err) {
    text *items = ARENA_NEW(&to->self->memory, text, (size_t)above->count + 1);
    if (items == NULL) {
        return ARENA_FULL(&to->self->memory, err);
    }
    if (above->count > 0) {
        memcpy(items, above->items, above->count * sizeof *items);
    }
    items[above->count] = name;
    const text_list path = {.count = above->count + 1, .items = items};
    switch (written->kind) {
    case SQL_TYPE_STRUCT:
        return comment_fields(to, written, &path, err);
    case SQL_TYPE_LIST:
        return comment_inside(to, written->element, &path, TEXT("element"), position, err);
    case SQL_TYPE_MAP:
        TRY(comment_inside(to, written->key, &path, TEXT("key"), position, err));
        return comment_inside(to, written->element, &path, TEXT("value"), position, err);
    case SQL_TYPE_NAMED:
    case SQL_TYPE_INTERVAL:
        break;
    }
    return FIRN_OK;
}

// The type was bound, so its depth is bounded.
firn_status alter_add_comments(altering *to, const sql_column_definition *written,
                               const text_list *path, firn_error *err) {
    const text_list above = {.count = path->count - 1, .items = path->items};
    return written->type == NULL
               ? FIRN_OK
               : comment_inside(to, written->type, &above, path->items[path->count - 1],
                                written->node.position, err);
}

// ---- ADD, DROP, ALTER --------------------------------------------------------------------------

static firn_status add_column(altering *to, const sql_alter_action *action,
                              const sql_column_definition *written, firn_error *err) {
    alteration step = {.kind = ALTER_ADD_COLUMN,
                       .is_nullable = !written->is_not_null,
                       .position = written->node.position};
    bool is_there = false;
    TRY(define_refuse_column(written, err));
    if (action->if_not_exists && !has_column(to, &written->path, &is_there, err)) {
        return err->status;
    }
    if (is_there) {
        return FIRN_OK;
    }
    TRY(path_of_new(to, &written->path, &step.path, err));
    TRY(bind_type(written->type, &to->self->memory, &step.type, err));
    if (written->default_value != NULL) {
        TRY(define_value(to->self, written->default_value, step.type, &step.value, err));
    }
    step.comment = written->comment == NULL ? TEXT("") : written->comment->value;
    TRY(place_of(to, &written->path, written->is_first, &written->after, &step.place, err));
    TRY(alter_add_step(to, &step, err));
    return alter_add_comments(to, written, &step.path, err);
}

firn_status alter_add_columns(altering *to, const sql_alter_action *action, firn_error *err) {
    for (size_t i = 0; i < action->definitions.count; i++) {
        TRY(add_column(to, action, sql_column_definition_of(action->definitions.items[i]), err));
    }
    return FIRN_OK;
}

firn_status alter_drop_column(altering *to, const sql_alter_action *action, firn_error *err) {
    alteration step = {.kind = ALTER_DROP_COLUMN, .position = action->column.items[0].position};
    const field *found;
    bool is_there = true;
    if (action->if_exists && !has_column(to, &action->column, &is_there, err)) {
        return err->status;
    }
    if (!is_there) {
        return FIRN_OK;
    }
    TRY(alter_find_column(to, &action->column, &step.path, &found, err));
    return alter_add_step(to, &step, err);
}

static firn_status new_type(altering *to, const sql_alter_action *action, alteration *step,
                            firn_error *err) {
    step->kind = ALTER_COLUMN_TYPE;
    if (action->value != NULL) {
        firn_status status = FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", action->value->position,
                                      "USING is not supported: rows are not rewritten");
        err_hint(err, "types can be widened, such as INTEGER to BIGINT");
        return status;
    }
    return bind_type(action->type, &to->self->memory, &step->type, err);
}

static firn_status new_default(altering *to, const sql_alter_action *action, const field *column,
                               alteration *step, firn_error *err) {
    step->kind = ALTER_COLUMN_DEFAULT;
    if (action->kind == SQL_ALTER_COLUMN_DROP_DEFAULT) {
        return FIRN_OK;
    }
    if (column == NULL) {
        return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", step->position,
                        "the default of a column that the same statement adds stands behind its "
                        "type");
    }
    return define_value(to->self, action->value, column->type, &step->value, err);
}

firn_status alter_change_column(altering *to, const sql_alter_action *action, firn_error *err) {
    alteration step = {.position = action->column.items[0].position};
    const field *found;
    TRY(alter_find_column(to, &action->column, &step.path, &found, err));
    switch ((uint32_t)action->kind) {
    case SQL_ALTER_RENAME_COLUMN:
        step.kind = ALTER_RENAME_COLUMN;
        step.name = action->name.value;
        break;
    case SQL_ALTER_COLUMN_TYPE:
        TRY(new_type(to, action, &step, err));
        break;
    case SQL_ALTER_COLUMN_SET_DEFAULT:
    case SQL_ALTER_COLUMN_DROP_DEFAULT:
        TRY(new_default(to, action, found, &step, err));
        break;
    case SQL_ALTER_COLUMN_SET_NOT_NULL:
    case SQL_ALTER_COLUMN_DROP_NOT_NULL:
        step.kind = ALTER_COLUMN_NULLABLE;
        step.is_nullable = action->kind == SQL_ALTER_COLUMN_DROP_NOT_NULL;
        break;
    case SQL_ALTER_COLUMN_COMMENT:
        step.kind = ALTER_COLUMN_COMMENT;
        step.comment = action->comment->value;
        break;
    default:
        step.kind = ALTER_COLUMN_PLACE;
        TRY(place_of(to, &action->column, action->is_first, &action->after, &step.place, err));
        break;
    }
    return alter_add_step(to, &step, err);
}
