// INSERT OVERWRITE and INSERT … REPLACE WHERE: rows in the place of others.
#include "plan/binder_change.h"
#include "tables/transaction.h"

firn_status bind_overwrite(binder *self, const insert_target *into, expr_list *values,
                           plan_node *insert) {
    table_snapshot *table = into->table;
    table_definition said = {0};
    expr *more[2] = {change_action(self, ROW_INSERT), change_no_row(self)};
    for (int i = 0; i < 2; i++) {
        if (more[i] == NULL) {
            return binder_full(self);
        }
        TRY(expr_list_add(self, values, more[i]));
        TRY(u32_list_add(self, &insert->insert_.input_ids, binder_new_id(self)));
        TRY(u32_list_add(self, &insert->insert_.positions, UINT32_MAX));
    }
    if (into->replaced != NULL) { // Row by row: bind_replaced.
        insert->insert_.change = CHANGE_MERGE;
        return FIRN_OK;
    }
    if (table->kind->define != NULL) {
        TRY(table->kind->define(table, self->memory, &said, self->err));
    }
    insert->insert_.change = CHANGE_OVERWRITE;
    insert->insert_.overwrite =
        said.partition_count > 0 && !into->is_empty ? OVERWRITE_PARTITIONS : OVERWRITE_ALL;
    return FIRN_OK;
}

firn_status bind_replaced(binder *self, const insert_target *into, plan_node *insert,
                          plan_node **node) {
    const change_target target = {.table = into->table, .place = into->place};
    change_build build;
    column_values gone;
    expr *predicate;
    TRY(change_begin(self, into->written, &target, &build));
    TRY(bind_predicate(self, build.rows, into->replaced, TEXT("REPLACE WHERE"), &predicate));
    TRY(change_filter(self, &build, predicate));
    TRY(change_deleted(self, &build, CHANGE_MERGE, &gone));
    const u32_list added = insert->insert_.input_ids;
    field *fields = ARENA_NEW(self->memory, field, added.count);
    plan_node **inputs = ARENA_NEW(self->memory, plan_node *, 2);
    expr *action = change_action(self, ROW_DELETE);
    if (fields == NULL || inputs == NULL || action == NULL) {
        return binder_full(self);
    }
    expr_list values = {0};
    u32_list deleted = {0};
    u32_list ids = {0};
    plan_node *all;
    TRY(binder_node(self, PLAN_UNION, &all));
    for (uint32_t i = 0; i < added.count; i++) {
        expr *value = i < build.own.count    ? gone.items[i]
                      : i == build.own.count ? action
                                             : build.row_id;
        fields[i] = (field){.name = i < build.own.count ? build.own.items[i].name : TEXT(""),
                            .type = value->type,
                            .is_nullable = true,
                            .id = -1};
        TRY(expr_list_add(self, &values, value));
        TRY(u32_list_add(self, &deleted, binder_new_id(self)));
        TRY(u32_list_add(self, &ids, binder_new_id(self)));
    }
    TRY(binder_project(self, build.node, &values, &deleted, &inputs[0]));
    inputs[1] = *node;
    for (uint32_t i = 0; i < 2 * added.count; i++) {
        TRY(u32_list_add(self, &all->union_.input_ids,
                         i < added.count ? deleted.items[i] : added.items[i - added.count]));
    }
    all->union_.inputs = (plan_list){.count = 2, .items = inputs};
    all->union_.ids = ids;
    all->union_.columns = (schema){.count = added.count, .fields = fields};
    insert->insert_.input_ids = ids;
    insert->insert_.input_ids.capacity = 0;
    *node = all;
    return FIRN_OK;
}
