// DEFAULT of columns: checked and printed when a table is made, bound anew by each INSERT.
#include "plan/binder_private.h"
#include "sql/parser.h"
#include "sql/printer.h"

// What a default may not hold, as it would be asked of nobody: a query, a parameter.
static bool is_plain(void *user, expr **slot) {
    const char **what = user;
    if ((*slot)->kind == EXPR_SUBQUERY) {
        *what = "a query";
    } else if ((*slot)->kind == EXPR_PARAMETER) {
        *what = "a parameter";
    }
    return *what == NULL && expr_visit_children(*slot, is_plain, user);
}

static firn_status bind_value(binder *self, const sql_expr *written, const type *to, expr **out) {
    scope *nothing = scope_new(self, NULL);
    if (nothing == NULL) {
        return binder_full(self);
    }
    TRY(bind_expr(self, nothing, written, out));
    return bind_cast(self, *out, to, false, written->position, out);
}

firn_status bind_default(const sql_expr *written, const type *to, const bind_env *env,
                         arena *memory, text *out, firn_error *err) {
    binder self = {.memory = memory, .env = env, .err = err};
    expr *value;
    firn_status status = bind_value(&self, written, to, &value);
    if (status == FIRN_OK && expr_is_constant(value) && !expr_is_volatile(value)) {
        status = expr_fold(value, env->context, memory, &value, err); // Is it a value at all?
    }
    for (uint32_t i = 0; i < self.table_count; i++) {
        table_snapshot_release(self.snapshots[i]);
    }
    TRY(status);
    const char *what = NULL;
    if (!is_plain(&what, &value)) {
        return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", written->position,
                        "%s is not allowed in DEFAULT", what);
    }
    text_builder printed = text_builder_open(memory);
    sql_print_expr(&printed, written);
    return text_builder_finish(&printed, out, err);
}

firn_status bind_default_value(binder *self, const table_snapshot *table, uint32_t column,
                               uint32_t position, expr **out) {
    const type *to = table->columns.fields[column].type;
    const text sql = table->notes == NULL ? TEXT("") : table->notes[column].default_value;
    if (sql.size == 0) {
        *out = expr_null(self->memory, to);
        if (*out == NULL) {
            return binder_full(self);
        }
        (*out)->position = position;
        return FIRN_OK;
    }
    text copy; // The plan may outlive the table.
    const sql_expr *written;
    TRY(text_copy(self->memory, sql, &copy, self->err));
    firn_status status = sql_parse_expression(copy, self->memory, &written, self->err);
    status = status == FIRN_OK ? bind_value(self, written, to, out) : status;
    if (status != FIRN_OK) {
        self->err->position = NO_POSITION; // It is a place in the default's text.
        err_while(self->err, "binding the default of column \"%.*s\"",
                  TEXT_ARGS(table->columns.fields[column].name));
        return status;
    }
    binder_place_all(out, position);
    return FIRN_OK;
}
