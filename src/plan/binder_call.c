// Calls: scalar functions, aggregates, operators.
#include <assert.h>

#include "expr/cast.h"
#include "plan/binder_private.h"

static uint64_t place(uint32_t position) {
    return position == UINT32_MAX ? NO_POSITION : position;
}

static firn_status types_of(binder *self, expr *const *args, uint32_t count, const type ***types,
                            bool **unknown) {
    *types = ARENA_NEW(self->memory, const type *, count + 1);
    *unknown = ARENA_NEW(self->memory, bool, count + 1);
    if (*types == NULL || *unknown == NULL) {
        return binder_full(self);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (args[i] == NULL) { // It did not fit where it was made.
            return binder_full(self);
        }
        (*types)[i] = args[i]->type;
        (*unknown)[i] = bind_is_unknown(args[i]);
    }
    return FIRN_OK;
}

// Unknown arguments become what was chosen, or a wider type that does not round them.
static firn_status coerce_all(binder *self, expr **args, uint32_t count, const type *const *types,
                              uint32_t position) {
    for (uint32_t i = 0; i < count; i++) {
        if (bind_is_unknown(args[i])) {
            const type *exact;
            TRY(bind_exact_type(self, args[i], types[i], &exact));
            TRY(bind_coerce(self, args[i], exact, position, &args[i]));
        }
    }
    return FIRN_OK;
}

// Unknown arguments get the type that the cheapest overload gives them, then the call is made.
static firn_status make_call(binder *self, const scalar_function *function, expr **args,
                             uint32_t count, const uint32_t *lambdas, uint32_t position,
                             expr **out) {
    const type **types;
    bool *unknown;
    TRY(types_of(self, args, count, &types, &unknown));
    overload_request request = {.types = types,
                                .args = args,
                                .arg_count = count,
                                .is_unknown = unknown,
                                .lambda_parameters = lambdas,
                                .position = position,
                                .context = self->env->context};
    bool has_unknown = false;
    for (uint32_t i = 0; i < count; i++) {
        has_unknown |= unknown[i];
    }
    if (has_unknown) {
        overload_choice choice;
        TRY(function_resolve(function, &request, self->memory, &choice, self->err));
        TRY(coerce_all(self, args, count, choice.types, position));
        TRY(types_of(self, args, count, &types, &unknown));
        request.types = types;
        request.is_unknown = unknown;
    }
    TRY(function_call_new(function, &request, self->memory, out, self->err));
    (*out)->position = position;
    return FIRN_OK;
}

firn_status bind_function(binder *self, const char *name, expr **args, uint32_t count,
                          uint32_t position, expr **out) {
    const scalar_function *function = function_find(text_of(name));
    if (function == NULL) {
        return FAIL_SQL(self->err, FIRN_INTERNAL, "42883", place(position),
                        "the function \"%s\" is missing", name);
    }
    return make_call(self, function, args, count, NULL, position, out);
}

// ---- Lambdas ---------------------------------------------------------------------------------

// Binds x -> body: the parameters are columns of a scope around the body.
static firn_status bind_lambda(binder *self, scope *names, const sql_lambda *written,
                               const type *const *types, expr **out) {
    scope *inner = scope_new(self, names);
    expr *made = expr_new(self->memory, EXPR_LAMBDA, NULL);
    if (inner == NULL || made == NULL) {
        return binder_full(self);
    }
    inner->select = names->select;
    inner->is_lambda = true;
    for (size_t i = 0; i < written->parameters.count; i++) {
        const uint32_t id = binder_new_id(self);
        TRY(u32_list_add(self, &made->lambda_.parameters, id));
        TRY(scope_add(self, inner,
                      (scope_column){
                          .name = written->parameters.items[i].value, .id = id, .type = types[i]}));
    }
    TRY(bind_expr(self, inner, written->body, &made->lambda_.body));
    TRY(bind_settle(self, &made->lambda_.body));
    made->type = made->lambda_.body->type;
    made->position = written->node.position;
    *out = made;
    return FIRN_OK;
}

static firn_status bind_lambdas(binder *self, scope *names, const sql_call *written,
                                const scalar_function *function, expr_list *args,
                                const uint32_t *lambdas) {
    const type **types;
    bool *unknown;
    TRY(types_of(self, args->items, args->count, &types, &unknown));
    for (uint32_t i = 0; i < args->count; i++) {
        if (lambdas[i] == 0) {
            continue;
        }
        types[i] = NULL;
        const overload_request request = {.types = types,
                                          .args = args->items,
                                          .arg_count = args->count,
                                          .is_unknown = unknown,
                                          .lambda_parameters = lambdas,
                                          .position = written->node.position};
        const type *const *parameters;
        TRY(function_lambda_types(function, &request, i, self->memory, &parameters, self->err));
        TRY(bind_lambda(self, names, sql_lambda_of(written->arguments.items[i]), parameters,
                        &args->items[i]));
        types[i] = args->items[i]->type;
    }
    return FIRN_OK;
}

// ---- Aggregates ------------------------------------------------------------------------------

bool bind_has_any(const id_set *used, const u32_list *ids) {
    for (uint32_t id = 0; id_set_next(used, &id); id++) {
        uint32_t low = 0;           // It is not before this one, …
        uint32_t high = ids->count; // … and not at or behind that one.
        while (low < high) {
            const uint32_t middle = low + (high - low) / 2;
            if (ids->items[middle] == id) {
                return true;
            }
            const bool is_before = ids->items[middle] < id;
            low = is_before ? middle + 1 : low;
            high = is_before ? high : middle;
        }
    }
    return false;
}

firn_status bind_mentions(binder *self, const expr *value, const u32_list *ids, bool *out) {
    id_set used = id_set_open(self->memory);
    *out = false;
    if (ids->count == 0) {
        return FIRN_OK;
    }
    TRY(expr_columns(value, &used, self->err));
    *out = bind_has_any(&used, ids);
    return FIRN_OK;
}

static firn_status check_aggregate(binder *self, const select_state *owner, const expr *call) {
    const uint64_t position = place(call->position);
    bool is_nested;
    bool is_multiplied;
    bool is_grouping;
    if (owner == NULL || !owner->allows_aggregates) {
        const bool is_named = owner != NULL && owner->clause.size > 0;
        return FAIL_SQL(self->err, FIRN_INVALID, "42803", position,
                        "aggregate functions are not allowed %s%.*s", is_named ? "in " : "",
                        TEXT_ARGS(is_named ? owner->clause : TEXT("here")));
    }
    TRY(bind_mentions(self, call, &owner->aggregate_ids, &is_nested));
    TRY(bind_mentions(self, call, &owner->unnested_ids, &is_multiplied));
    TRY(bind_mentions(self, call, &owner->grouping_ids, &is_grouping));
    if (is_nested || is_multiplied || is_grouping) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42803", position,
                        "%s inside an aggregate function",
                        is_nested       ? "an aggregate function"
                        : is_multiplied ? "unnest"
                                        : "GROUPING");
    }
    return FIRN_OK;
}

static firn_status bind_aggregate_parts(binder *self, scope *names, const sql_call *written,
                                        expr *call) {
    call->aggregate_.is_distinct = written->is_distinct;
    if (written->filter != NULL) {
        TRY(bind_predicate(self, names, written->filter, TEXT("FILTER"), &call->aggregate_.filter));
    }
    sort_key *keys = ARENA_NEW(self->memory, sort_key, written->order_by.count + 1);
    if (keys == NULL) {
        return binder_full(self);
    }
    for (size_t i = 0; i < written->order_by.count; i++) {
        const sql_order_item *item = sql_order_item_of(written->order_by.items[i]);
        expr *value;
        if (item->value == NULL) {
            return FAIL_SQL(self->err, FIRN_INVALID, "42601", item->node.position,
                            "ORDER BY ALL has no meaning here");
        }
        TRY(bind_expr(self, names, item->value, &value));
        TRY(bind_settle(self, &value));
        keys[i] = sort_key_of(item, value);
    }
    call->aggregate_.order =
        (sort_key_list){.count = (uint32_t)written->order_by.count, .items = keys};
    return FIRN_OK;
}

// The call as a column of the aggregate node; equal calls are one.
static firn_status add_aggregate(binder *self, select_state *state, expr *call, uint32_t position,
                                 expr **out) {
    uint32_t found = expr_index_find(&state->aggregate_index, call);
    if (found == NO_EXPR) {
        found = state->aggregates.count;
        TRY(expr_index_add(&state->aggregate_index, call, self->memory, self->err));
        TRY(expr_list_add(self, &state->aggregates, call));
        TRY(u32_list_add(self, &state->aggregate_ids, binder_new_id(self)));
    }
    *out = expr_column(self->memory, state->aggregate_ids.items[found], TEXT(""), call->type);
    if (*out == NULL) {
        return binder_full(self);
    }
    (*out)->position = position;
    return FIRN_OK;
}

static firn_status refuse_window(binder *self, uint32_t position) {
    return FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", position,
                    "a window function is not supported");
}

static firn_status bind_aggregate(binder *self, scope *names, const sql_call *written,
                                  const aggregate_function *function, expr **out) {
    const uint32_t position = written->node.position;
    const inlined_cte *const before = self->inlined;
    if (written->over != NULL) {
        return refuse_window(self, position);
    }
    if (written->within_group.count > 0) {
        return FAIL_SQL(self->err, FIRN_UNSUPPORTED, "0A000", position,
                        "WITHIN GROUP is not supported");
    }
    const bool is_star =
        written->arguments.count == 1 && sql_is_expr(written->arguments.items[0], SQL_STAR);
    expr_list args = {0};
    if (!is_star) {
        TRY(bind_exprs(self, names, &written->arguments, &args));
    }
    const type **types;
    bool *unknown;
    TRY(types_of(self, args.items, args.count, &types, &unknown));
    overload_request request = {.types = types,
                                .args = args.items,
                                .arg_count = args.count,
                                .is_unknown = unknown,
                                .position = position,
                                .context = self->env->context};
    overload_choice choice;
    TRY(aggregate_resolve(function, &request, self->memory, &choice, self->err));
    TRY(coerce_all(self, args.items, args.count, choice.types, position));
    TRY(types_of(self, args.items, args.count, &types, &unknown));
    request.types = types;
    request.is_unknown = unknown;
    expr *call;
    TRY(aggregate_call_new(function, &request, self->memory, &call, self->err));
    TRY(bind_aggregate_parts(self, names, written, call));
    select_state *owner;
    TRY(bind_find_owner(self, names, call, before, &owner));
    TRY(check_aggregate(self, owner, call));
    return add_aggregate(self, owner, call, position, out);
}

// ---- unnest ----------------------------------------------------------------------------------

// unnest(list) in a select list: a column of the UNNEST node that goes below the projection.
static firn_status bind_unnest_item(binder *self, scope *names, const sql_call *written,
                                    expr **out) {
    select_state *state = names->select;
    const uint32_t position = written->node.position;
    if (state == NULL || state->input != names || !state->allows_unnest) {
        firn_status status = FAIL_SQL(self->err, FIRN_INVALID, "0A000", position,
                                      "unnest is allowed in FROM and in a select list only");
        err_hint(self->err, "write FROM …, unnest(…) AS u(x)");
        return status;
    }
    expr *list;
    if (written->arguments.count != 1) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42883", position,
                        "unnest in a select list takes one list, not %zu arguments",
                        written->arguments.count);
    }
    TRY(bind_expr(self, names, written->arguments.items[0], &list));
    if (list->type->id == TYPE_NULL) {
        const type *integers = type_list(self->memory, TYPE_OF(INTEGER));
        if (integers == NULL) {
            return binder_full(self);
        }
        TRY(bind_cast(self, list, integers, false, position, &list));
    }
    if (list->type->id != TYPE_LIST) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42804", position, "unnest takes lists, not %.*s",
                        TEXT_ARGS(type_text(list->type, self->memory)));
    }
    uint32_t id = UINT32_MAX;
    for (uint32_t i = 0; i < state->unnested.count && id == UINT32_MAX; i++) {
        id = expr_equal(state->unnested.items[i], list) ? state->unnested_ids.items[i] : id;
    }
    if (id == UINT32_MAX) {
        id = binder_new_id(self);
        TRY(expr_list_add(self, &state->unnested, list));
        TRY(u32_list_add(self, &state->unnested_ids, id));
    }
    *out = expr_column(self->memory, id, TEXT(""), list->type->children[0].type);
    if (*out == NULL) {
        return binder_full(self);
    }
    (*out)->position = position;
    return FIRN_OK;
}

// ---- Calls -----------------------------------------------------------------------------------

static firn_status say_unknown(binder *self, const sql_call *written) {
    const sql_name *name = &written->path.items[written->path.count - 1];
    if (written->over != NULL) {
        return refuse_window(self, written->node.position);
    }
    firn_status status = FAIL_SQL(self->err, FIRN_INVALID, "42883", name->position,
                                  "there is no function \"%.*s\"", TEXT_ARGS(name->value));
    nearest_name near = nearest_to(name->value);
    function_offer_names(&near);
    (void)nearest_hint(&near, self->err);
    return status;
}

static firn_status bind_arguments(binder *self, scope *names, const sql_call *written,
                                  const scalar_function *function, expr_list *args,
                                  uint32_t **lambdas) {
    const size_t count = written->arguments.count;
    *lambdas = NULL;
    uint32_t *found = ARENA_NEW(self->memory, uint32_t, count + 1);
    if (found == NULL) {
        return binder_full(self);
    }
    for (size_t i = 0; i < count; i++) {
        const sql_expr *argument = written->arguments.items[i];
        expr *value;
        found[i] = 0;
        if (sql_is_expr(argument, SQL_LAMBDA)) {
            found[i] = (uint32_t)sql_lambda_of(argument)->parameters.count;
            value = expr_null(self->memory, TYPE_OF(NULL));
            *lambdas = found;
            if (value == NULL) {
                return binder_full(self);
            }
        } else if (sql_is_expr(argument, SQL_NAMED_ARGUMENT)) {
            return FAIL_SQL(self->err, FIRN_INVALID, "42883", argument->position,
                            "%s takes no named arguments", function->name);
        } else {
            TRY(bind_expr(self, names, argument, &value));
        }
        TRY(expr_list_add(self, args, value));
    }
    return *lambdas == NULL ? FIRN_OK
                            : bind_lambdas(self, names, written, function, args, *lambdas);
}

// coalesce(a, b …)
static firn_status bind_coalesce(binder *self, const sql_call *written, const expr_list *args,
                                 expr **out) {
    const uint32_t position = written->node.position;
    const type *common;
    if (args->count == 0) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42883", position,
                        "coalesce takes at least one argument");
    }
    TRY(bind_common(self, args->items, args->count, "coalesce", position, &common));
    *out = expr_new(self->memory, EXPR_COALESCE, common);
    if (*out == NULL) {
        return binder_full(self);
    }
    (*out)->coalesce_.args = *args;
    (*out)->position = position;
    return FIRN_OK;
}

// if(condition, a, b)
static firn_status bind_if(binder *self, const sql_call *written, const expr_list *args,
                           expr **out) {
    const uint32_t position = written->node.position;
    const type *common;
    TRY(bind_coerce(self, args->items[0], TYPE_OF(BOOLEAN), position, &args->items[0]));
    TRY(bind_common(self, args->items + 1, 2, "if", position, &common));
    *out = expr_new(self->memory, EXPR_CASE, common);
    if (*out == NULL) {
        return binder_full(self);
    }
    TRY(expr_list_add(self, &(*out)->case_.conditions, args->items[0]));
    TRY(expr_list_add(self, &(*out)->case_.values, args->items[1]));
    (*out)->case_.otherwise = args->items[2];
    (*out)->position = position;
    return FIRN_OK;
}

static firn_status bind_try(binder *self, const sql_call *written, const expr_list *args,
                            expr **out) {
    TRY(bind_settle(self, &args->items[0]));
    *out = expr_new(self->memory, EXPR_TRY, args->items[0]->type);
    if (*out == NULL) {
        return binder_full(self);
    }
    (*out)->try_.arg = args->items[0];
    (*out)->position = written->node.position;
    return FIRN_OK;
}

// nvl2(a, b, c) is if(a IS NOT NULL, b, c).
static firn_status bind_nvl2(binder *self, const sql_call *written, const expr_list *args,
                             expr **out) {
    TRY(bind_settle(self, &args->items[0]));
    TRY(bind_function(self, "is_not_null", &args->items[0], 1, written->node.position,
                      &args->items[0]));
    return bind_if(self, written, args, out);
}

// struct_pack(a := 1, b := 2) is {'a': 1, 'b': 2}.
static firn_status bind_struct_pack(binder *self, scope *names, const sql_call *written,
                                    expr **out) {
    bool is_named = written->arguments.count > 0;
    for (size_t i = 0; i < written->arguments.count && is_named; i++) {
        is_named = sql_is_expr(written->arguments.items[i], SQL_NAMED_ARGUMENT);
    }
    if (!is_named) {
        const firn_status status =
            FAIL_SQL(self->err, FIRN_INVALID, "42883", written->node.position,
                     "struct_pack takes values with names");
        err_hint(self->err, "write struct_pack(a := 1, b := 2), or {'a': 1, 'b': 2}");
        return status;
    }
    const sql_struct pack = {.node = written->node, .fields = written->arguments};
    return bind_struct(self, names, &pack, out);
}

static firn_status must_be_plain(binder *self, const sql_call *written, const char *name) {
    return written->is_distinct || written->filter != NULL || written->order_by.count > 0 ||
                   written->over != NULL
               ? FAIL_SQL(self->err, FIRN_INVALID, "42809", written->node.position,
                          "%s is no aggregate function", name)
               : FIRN_OK;
}

static firn_status bind_form(binder *self, scope *names, const sql_call *written,
                             const call_form *form, expr **out) {
    const size_t found = written->arguments.count;
    const size_t wanted = form->id == FORM_TRY                           ? 1
                          : form->id == FORM_IF || form->id == FORM_NVL2 ? 3
                                                                         : found;
    TRY(must_be_plain(self, written, form->name));
    if (found != wanted) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42883", written->node.position,
                        "%s takes %zu argument%s, not %zu", form->name, wanted,
                        wanted == 1 ? "" : "s", found);
    }
    expr_list args = {0};
    switch (form->id) {
    case FORM_STRUCT_PACK:
        return bind_struct_pack(self, names, written, out);
    case FORM_GROUPING:
        return bind_grouping(self, names, written, out);
    case FORM_UNNEST:
        return bind_unnest_item(self, names, written, out);
    case FORM_COALESCE:
        TRY(bind_exprs(self, names, &written->arguments, &args));
        return bind_coalesce(self, written, &args, out);
    case FORM_IF:
        TRY(bind_exprs(self, names, &written->arguments, &args));
        return bind_if(self, written, &args, out);
    case FORM_NVL2:
        TRY(bind_exprs(self, names, &written->arguments, &args));
        return bind_nvl2(self, written, &args, out);
    case FORM_TRY:
        break;
    }
    TRY(bind_exprs(self, names, &written->arguments, &args));
    return bind_try(self, written, &args, out);
}

// SUBSTRING(s FROM 'a+') looks for a pattern, as in PostgreSQL; a parameter is a place.
static bool is_pattern_call(const sql_call *written, const expr_list *args) {
    const text name = written->path.items[written->path.count - 1].value;
    return text_equal_nocase(name, TEXT("substring")) && args->count >= 2 &&
           args->items[1]->type->id == TYPE_VARCHAR && args->items[1]->kind != EXPR_PARAMETER;
}

firn_status bind_call(binder *self, scope *names, const sql_call *written, expr **out) {
    const sql_name *name = &written->path.items[written->path.count - 1];
    const call_form *form = call_form_find(name->value);
    if (form != NULL) {
        return bind_form(self, names, written, form, out);
    }
    const aggregate_function *aggregate = aggregate_find(name->value);
    const scalar_function *function = function_find(name->value);
    if (aggregate != NULL &&
        (function == NULL || written->is_distinct || written->filter != NULL)) {
        return bind_aggregate(self, names, written, aggregate, out);
    }
    if (function == NULL) {
        return say_unknown(self, written);
    }
    TRY(must_be_plain(self, written, function->name));
    expr_list args = {0};
    uint32_t *lambdas;
    TRY(bind_arguments(self, names, written, function, &args, &lambdas));
    if (is_pattern_call(written, &args)) {
        return bind_function(self, "substring_match", args.items, args.count,
                             written->node.position, out);
    }
    return make_call(self, function, args.items, args.count, lambdas, written->node.position, out);
}
