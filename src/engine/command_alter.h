// Actions of ALTER TABLE on their way to be steps: shared by command_alter.c,
// command_alter_column.c, and CREATE TABLE, which comments what is inside of columns.
#ifndef FIRN_ENGINE_COMMAND_ALTER_H
#define FIRN_ENGINE_COMMAND_ALTER_H

#include "engine/command_define.h"

typedef struct altering {
    run *self;
    object_place place;
    table_snapshot *table; ///< As it was before.
    uint32_t count, capacity;
    alteration *steps;
} altering;

firn_status alter_add_step(altering *to, const alteration *step, firn_error *err);

/// The path of a column that is there; *found is NULL if it comes of an action before.
firn_status alter_find_column(altering *to, const sql_names *written, text_list *out,
                              const field **found, firn_error *err);

/// Comments of what is inside of a column that is made: its type has them, a `type` not.
firn_status alter_add_comments(altering *to, const sql_column_definition *written,
                               const text_list *path, firn_error *err);

// Actions of columns.
firn_status alter_add_columns(altering *to, const sql_alter_action *action, firn_error *err);
firn_status alter_drop_column(altering *to, const sql_alter_action *action, firn_error *err);
firn_status alter_change_column(altering *to, const sql_alter_action *action, firn_error *err);

#endif
