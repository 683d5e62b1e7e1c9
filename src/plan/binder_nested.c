// CASE, lists, structs, maps, rows, subscripts, and written casts.
#include "expr/cast.h"
#include "plan/binder_private.h"
#include <assert.h>

firn_status bind_case(binder *self, scope *names, const sql_case *written, expr **out) {
    const uint32_t position = written->node.position;
    const uint32_t count = (uint32_t)written->whens.count;
    expr **values = ARENA_NEW(self->memory, expr *, count + 1);
    *out = expr_new(self->memory, EXPR_CASE, NULL);
    if (values == NULL || *out == NULL) {
        return binder_full(self);
    }
    (*out)->position = position;
    expr *operand = NULL;
    if (written->operand != NULL) {
        TRY(bind_expr(self, names, written->operand, &operand));
    }
    for (uint32_t i = 0; i < count; i++) {
        const sql_when *when = sql_when_of(written->whens.items[i]);
        expr *condition;
        if (operand == NULL) {
            TRY(bind_predicate(self, names, when->condition, TEXT("WHEN"), &condition));
        } else {
            expr *again;
            expr *value;
            TRY(bind_copy(self, operand, &again));
            TRY(bind_expr(self, names, when->condition, &value));
            expr *sides[2] = {again, value};
            TRY(bind_function(self, "=", sides, 2, when->node.position, &condition));
        }
        TRY(expr_list_add(self, &(*out)->case_.conditions, condition));
        TRY(bind_expr(self, names, when->result, &values[i]));
    }
    if (written->otherwise != NULL) {
        TRY(bind_expr(self, names, written->otherwise, &values[count]));
    } else {
        values[count] = expr_null(self->memory, TYPE_OF(NULL));
        if (values[count] == NULL) {
            return binder_full(self);
        }
    }
    TRY(bind_common(self, values, count + 1, "CASE", position, &(*out)->type));
    (*out)->case_.otherwise = values[count];
    for (uint32_t i = 0; i < count; i++) {
        TRY(expr_list_add(self, &(*out)->case_.values, values[i]));
    }
    return FIRN_OK;
}

static bool have_no_type(const expr_list *values) {
    for (uint32_t i = 0; i < values->count; i++) {
        if (values->items[i]->type->id != TYPE_NULL) {
            return false;
        }
    }
    return true;
}

firn_status bind_array(binder *self, scope *names, const sql_list *items, uint32_t position,
                       expr **out) {
    expr_list values = {0};
    const type *common;
    TRY(bind_exprs(self, names, items, &values));
    if (values.count > 0) {
        TRY(bind_common(self, values.items, values.count, "a list", position, &common));
    }
    const bool is_untyped = have_no_type(&values);
    TRY(bind_function(self, "list_value", values.items, values.count, position, out));
    if (is_untyped) { // Any other list takes it in.
        (*out)->type = type_list(self->memory, TYPE_OF(NULL));
    }
    return (*out)->type == NULL ? binder_full(self) : FIRN_OK;
}

firn_status bind_struct(binder *self, scope *names, const sql_struct *written, expr **out) {
    expr_list args = {0};
    for (size_t i = 0; i < written->fields.count; i++) {
        const sql_named_argument *field = sql_named_argument_of(written->fields.items[i]);
        expr *name = expr_string(self->memory, TYPE_OF(VARCHAR), field->name.value);
        expr *value;
        if (name == NULL) {
            return binder_full(self);
        }
        TRY(bind_expr(self, names, field->value, &value));
        TRY(bind_settle(self, &value));
        TRY(expr_list_add(self, &args, name));
        TRY(expr_list_add(self, &args, value));
    }
    return bind_function(self, "named_struct", args.items, args.count, written->node.position, out);
}

firn_status bind_map(binder *self, scope *names, const sql_map *written, expr **out) {
    const uint32_t position = written->node.position;
    expr_list sides[2] = {{0}, {0}};
    for (size_t i = 0; i < written->entries.count; i++) {
        const sql_map_entry *entry = sql_map_entry_of(written->entries.items[i]);
        expr *key;
        expr *value;
        TRY(bind_expr(self, names, entry->key, &key));
        TRY(bind_expr(self, names, entry->value, &value));
        TRY(expr_list_add(self, &sides[0], key));
        TRY(expr_list_add(self, &sides[1], value));
    }
    expr *lists[2];
    bool is_untyped[2];
    for (int side = 0; side < 2; side++) {
        const type *common;
        is_untyped[side] = have_no_type(&sides[side]);
        if (sides[side].count > 0) {
            TRY(bind_common(self, sides[side].items, sides[side].count, "a map", position,
                            &common));
        }
        TRY(bind_function(self, "list_value", sides[side].items, sides[side].count, position,
                          &lists[side]));
    }
    TRY(bind_function(self, "map", lists, 2, position, out));
    if (is_untyped[0] || is_untyped[1]) { // Any other map takes it in.
        const type *made = (*out)->type;
        (*out)->type =
            type_map(self->memory, is_untyped[0] ? TYPE_OF(NULL) : made->children[0].type,
                     is_untyped[1] ? TYPE_OF(NULL) : made->children[1].type);
    }
    return (*out)->type == NULL ? binder_full(self) : FIRN_OK;
}

firn_status bind_row(binder *self, scope *names, const sql_row *written, expr **out) {
    expr_list values = {0};
    TRY(bind_exprs(self, names, &written->items, &values));
    for (uint32_t i = 0; i < values.count; i++) {
        TRY(bind_settle(self, &values.items[i]));
    }
    return bind_function(self, "row", values.items, values.count, written->node.position, out);
}

firn_status bind_subscript(binder *self, scope *names, const sql_subscript *written, expr **out) {
    const uint32_t position = written->node.position;
    expr *args[2];
    TRY(bind_expr(self, names, written->operand, &args[0]));
    TRY(bind_expr(self, names, written->index, &args[1]));
    if (args[0]->type->id == TYPE_STRUCT && args[1]->kind == EXPR_LITERAL &&
        type_category_of(args[1]->type) == CATEGORY_TEXT && !args[1]->literal_.value.is_null) {
        const sql_name name = {
            .value = string_text(COLUMN_VALUES(args[1]->literal_.value.value, string_value)),
            .position = position};
        return bind_field(self, args[0], &name, out);
    }
    return bind_function(self, args[0]->type->id == TYPE_MAP ? "map_value" : "list_element", args,
                         2, position, out);
}

firn_status bind_slice(binder *self, scope *names, const sql_slice *written, expr **out) {
    const sql_expr *const bounds[3] = {written->from, written->to, written->step};
    expr *args[4];
    uint32_t count = written->step == NULL ? 3 : 4;
    TRY(bind_expr(self, names, written->operand, &args[0]));
    for (uint32_t i = 0; i + 1 < count; i++) {
        if (bounds[i] != NULL) {
            TRY(bind_expr(self, names, bounds[i], &args[i + 1]));
            continue;
        }
        // With a step it hangs on its sign where a list begins and ends.
        const int64_t ends[2] = {count == 3 ? 1 : INT64_MIN, count == 3 ? -1 : INT64_MAX};
        args[i + 1] = expr_i64(self->memory, TYPE_OF(BIGINT), ends[i]);
        if (args[i + 1] == NULL) {
            return binder_full(self);
        }
    }
    return bind_function(self, "list_slice", args, count, written->node.position, out);
}

firn_status bind_collate(binder *self, scope *names, const sql_collate *written, expr **out) {
    static const char *const binary[] = {"c", "posix", "binary", "ucs_basic", "default"};
    const text name = written->collation.items[written->collation.count - 1].value;
    for (size_t i = 0; i < sizeof binary / sizeof binary[0]; i++) {
        if (text_equal_nocase(name, text_of(binary[i]))) {
            return bind_expr(self, names, written->operand, out);
        }
    }
    firn_status status = FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", written->node.position,
                                  "the collation \"%.*s\" is not supported", TEXT_ARGS(name));
    err_hint(self->err, "text is ordered by code point (COLLATE \"C\")");
    return status;
}

firn_status bind_written_cast(binder *self, scope *names, const sql_cast *written, expr **out) {
    const type *to;
    expr *value;
    TRY(bind_type(written->type, self->memory, &to, self->err));
    TRY(bind_expr(self, names, written->operand, &value));
    return bind_cast(self, value, to, written->is_try, written->node.position, out);
}
