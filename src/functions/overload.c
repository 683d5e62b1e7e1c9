#include "functions/overload.h"

#include "expr/cast.h"
#include "expr/program.h"
#include "functions/overload_private.h"
#include "functions/registry.h"

#define CANDIDATES_MAX 8 // That an error lists.

// Costs. Casts count CAST_SCALE each, so that how general a pattern is only settles ties.
#define CAST_SCALE 8
#define COST_LETTER 1
// A list and its element (two letters) are more particular than text and anything.
#define COST_ANY 3
#define COST_UNKNOWN_AS_OTHER (CAST_SCALE / 2) // As the type of another argument.
#define COST_UNKNOWN_AS_TEXT (1 * CAST_SCALE)
#define COST_UNKNOWN (2 * CAST_SCALE)
#define COST_TEXT_YIELDS (20 * CAST_SCALE)
#define COST_IMPOSSIBLE UINT32_MAX

// What scalar and aggregate functions have in common here.
typedef struct callee {
    const char *name;
    const char *category;
    const char *(*signature)(const void *function, uint32_t index); ///< NULL behind the last.
    const void *function;
} callee;

static const char *scalar_signature(const void *function, uint32_t index) {
    return ((const scalar_function *)function)->overloads[index].signature;
}

static const char *aggregate_signature(const void *function, uint32_t index) {
    return ((const aggregate_function *)function)->overloads[index].signature;
}

static callee callee_of_scalar(const scalar_function *self) {
    return (callee){self->name, self->category, scalar_signature, self};
}

static callee callee_of_aggregate(const aggregate_function *self) {
    return (callee){self->name, self->category, aggregate_signature, self};
}

static bool is_comparison(const callee *self) {
    return self->category != NULL && strcmp(self->category, "comparison") == 0;
}

// ---- Messages --------------------------------------------------------------------------------

static uint64_t position_of(const overload_request *call) {
    return call->position == UINT32_MAX ? NO_POSITION : call->position;
}

static void print_arg_types(const overload_request *call, text_builder *out) {
    text_append_char(out, '(');
    for (uint32_t i = 0; i < call->arg_count; i++) {
        if (i > 0) {
            text_append(out, TEXT(", "));
        }
        if (call->lambda_parameters != NULL && call->lambda_parameters[i] > 0) {
            text_append(out, TEXT("lambda"));
        } else if (call->is_unknown != NULL && call->is_unknown[i]) {
            text_append(out, TEXT("unknown"));
        } else {
            type_print(call->types[i], out);
        }
    }
    text_append_char(out, ')');
}

// "round(DOUBLE), round(DECIMAL(p,s), INTEGER)": those that `is_listed` says, or all; of many the
// first ones.
static void print_candidates(const callee *self, const bool *is_listed, text_builder *out) {
    uint32_t count = 0;
    for (uint32_t i = 0; self->signature(self->function, i) != NULL; i++) {
        if (is_listed != NULL && !is_listed[i]) {
            continue;
        }
        if (count++ >= CANDIDATES_MAX) {
            continue;
        }
        const char *args = strstr(self->signature(self->function, i), "<-");
        args = args == NULL ? "" : args + 2;
        text_append_format(out, "%s%s(%s)", count == 1 ? "" : ", ", self->name,
                           args + strspn(args, " "));
    }
    if (count > CANDIDATES_MAX) {
        text_append_format(out, " and %u more, which SHOW FUNCTIONS lists", count - CANDIDATES_MAX);
    }
}

// The hint for a text where a number is wanted, which other engines cast silently. None where it is
// the count of the arguments that no signature has.
static void hint_at_text(const callee *self, const overload_request *call, firn_error *err) {
    signature parsed;
    bool fits = false;
    for (uint32_t i = 0; self->signature(self->function, i) != NULL; i++) {
        fits = fits || (signature_parse(self->signature(self->function, i), &parsed) &&
                        signature_takes_count(&parsed, call->arg_count));
    }
    if (!fits) {
        return;
    }
    for (uint32_t i = 0; i < call->arg_count; i++) {
        const type *actual = call->types[i];
        if (actual != NULL && actual->id == TYPE_VARCHAR &&
            (call->is_unknown == NULL || !call->is_unknown[i])) {
            err_hint(err, "write CAST(... AS type) around the VARCHAR");
            return;
        }
    }
    if (call->arg_count > 0) {
        err_hint(err, "write CAST(... AS type) around an argument");
    }
}

static firn_status refuse(const callee *self, const overload_request *call, arena *memory,
                          firn_error *err) {
    text_builder builder = text_builder_open(memory);
    text_append_format(&builder, "no \"%s\" takes ", self->name);
    print_arg_types(call, &builder);
    text_append(&builder, TEXT("; there is "));
    print_candidates(self, NULL, &builder);
    text message;
    TRY(text_builder_finish(&builder, &message, err));
    const firn_status status =
        FAIL_SQL(err, FIRN_INVALID, "42883", position_of(call), "%.*s", TEXT_ARGS(message));
    hint_at_text(self, call, err);
    return status;
}

static firn_status refuse_tie(const callee *self, const overload_request *call, const bool *is_tied,
                              arena *memory, firn_error *err) {
    text_builder builder = text_builder_open(memory);
    text_append_format(&builder, "\"%s\" is ambiguous for ", self->name);
    print_arg_types(call, &builder);
    text_append(&builder, TEXT(": "));
    print_candidates(self, is_tied, &builder);
    text message;
    TRY(text_builder_finish(&builder, &message, err));
    const firn_status status =
        FAIL_SQL(err, FIRN_INVALID, "42725", position_of(call), "%.*s", TEXT_ARGS(message));
    err_hint(err, "write CAST(... AS type) around an argument");
    return status;
}

// ---- Matching one signature ------------------------------------------------------------------

typedef struct match {
    signature parsed;
    bindings bound;
    const type **types; ///< What each argument becomes.
    uint32_t cost;      ///< COST_IMPOSSIBLE: does not match.
    const type *asked;  ///< What is_type_of_other was asked last, …
    bool is_others;     ///< … and its answer.
} match;

static bool is_unknown(const overload_request *call, uint32_t index) {
    return call->is_unknown != NULL && call->is_unknown[index];
}

static uint32_t lambda_parameters(const overload_request *call, uint32_t index) {
    return call->lambda_parameters == NULL ? 0 : call->lambda_parameters[index];
}

static uint32_t pattern_cost(const pattern *self) {
    switch (self->kind) {
    case PATTERN_LETTER:
    case PATTERN_LIST:
    case PATTERN_MAP:
    case PATTERN_STRUCT:
    case PATTERN_LAMBDA:
        return COST_LETTER;
    case PATTERN_ANY:
        return COST_ANY;
    case PATTERN_TYPE:
    case PATTERN_DECIMAL:
    case PATTERN_UNIT:
    case PATTERN_ASK:
        break;
    }
    return 0;
}

// Is `target` the type of an argument that has one?
static bool is_type_of_other(const overload_request *call, const type *target) {
    for (uint32_t i = 0; i < call->arg_count; i++) {
        if (!is_unknown(call, i) && call->types[i] != NULL &&
            type_same_values(call->types[i], target)) {
            return true;
        }
    }
    return false;
}

// A list whose elements have no type: [] or [NULL].
static bool is_untyped_list(const type *self) {
    return self != NULL && self->id == TYPE_LIST && self->children[0].type->id == TYPE_NULL;
}

static uint32_t list_depth(const type *self) {
    uint32_t depth = 0;
    while (self->id == TYPE_LIST) {
        self = self->children[0].type;
        depth++;
    }
    return depth;
}

// What it costs to make argument `index` a value of `target`.
static uint32_t arg_cost(match *self, const overload_request *call, uint32_t index,
                         const type *target) {
    const type *actual = call->types[index];
    if (is_unknown(call, index)) {
        // Of thousands of arguments all are to be the same.
        if (self->asked == NULL || !type_same_values(self->asked, target)) {
            self->asked = target;
            self->is_others = is_type_of_other(call, target);
        }
        return self->is_others              ? COST_UNKNOWN_AS_OTHER
               : target->id == TYPE_VARCHAR ? COST_UNKNOWN_AS_TEXT
                                            : COST_UNKNOWN;
    }
    if (actual->id == TYPE_NULL) {
        return 0;
    }
    const cast_rule rule = cast_find(actual, target);
    if (rule.kind == CAST_SAME) {
        return 0;
    }
    if (rule.kind == CAST_IMPLICIT) {
        // [] becomes a list of what is beside it rather than a list of such lists.
        return (rule.cost + (is_untyped_list(actual) ? list_depth(target) : 0)) * CAST_SCALE;
    }
    // What decimals of 38 digits have in common keeps every place, if not every digit before them.
    if (rule.kind == CAST_ASSIGNMENT && actual->id == TYPE_DECIMAL && target->id == TYPE_DECIMAL &&
        target->scale >= actual->scale) {
        return CAST_SCALE;
    }
    const bool yields = self->bound.is_comparison && actual->id == TYPE_VARCHAR;
    return yields && rule.kind != CAST_NONE ? COST_TEXT_YIELDS : COST_IMPOSSIBLE;
}

// Lambdas last: what their bodies give must not decide what their parameters are.
static firn_status bind_letters(match *self, const overload_request *call, bool *fits,
                                firn_error *err) {
    for (int is_lambda_turn = 0; is_lambda_turn < 2; is_lambda_turn++) {
        for (uint32_t i = 0; i < call->arg_count && *fits; i++) {
            const pattern *with = signature_arg(&self->parsed, i);
            const bool is_lambda = with->kind == PATTERN_LAMBDA;
            const uint32_t parameters = lambda_parameters(call, i);
            if (parameters != (is_lambda ? with->child_count - 1U : 0)) {
                *fits = false;
                return FIRN_OK;
            }
            if ((int)is_lambda != is_lambda_turn || is_unknown(call, i) || call->types[i] == NULL) {
                continue;
            }
            if (is_lambda) {
                with = &self->parsed.nodes[with->children[parameters]];
                if (with->kind == PATTERN_LETTER &&
                    self->bound.letters[with->letter - 'A'] != NULL) {
                    continue; // The body is cast to what the letter is.
                }
            }
            TRY(bindings_unify(&self->bound, &self->parsed, with, call->types[i], fits, err));
        }
    }
    return FIRN_OK;
}

// A letter of which only untyped lists speak is untyped too, so that [] stays what it is. Beside an
// untyped literal or a lambda it is text, as if nobody had spoken.
static void bind_untyped(match *self, const overload_request *call) {
    for (uint32_t i = 0; i < call->arg_count; i++) {
        if (is_unknown(call, i) || call->types[i] == NULL || lambda_parameters(call, i) > 0) {
            return;
        }
    }
    for (uint32_t i = 0; i < call->arg_count; i++) {
        const pattern *with = signature_arg(&self->parsed, i);
        const pattern *element =
            with->kind == PATTERN_LIST ? &self->parsed.nodes[with->children[0]] : with;
        if (element != with && element->kind == PATTERN_LETTER && is_untyped_list(call->types[i]) &&
            self->bound.letters[element->letter - 'A'] == NULL) {
            self->bound.letters[element->letter - 'A'] = TYPE_OF(NULL);
        }
    }
}

static firn_status try_signature(match *self, const callee *function, uint32_t index,
                                 const overload_request *call, arena *memory, firn_error *err) {
    self->bound = (bindings){.memory = memory, .is_comparison = is_comparison(function)};
    self->cost = COST_IMPOSSIBLE;
    self->asked = NULL;
    const char *source = function->signature(function->function, index);
    if (!signature_parse(source, &self->parsed)) {
        return FAIL(err, FIRN_INTERNAL, "signature \"%s\" of \"%s\"", source, function->name);
    }
    if (!signature_takes_count(&self->parsed, call->arg_count)) {
        return FIRN_OK;
    }
    bool fits = true;
    TRY(bind_letters(self, call, &fits, err));
    bind_untyped(self, call);
    uint32_t total = 0;
    for (uint32_t i = 0; i < call->arg_count && fits; i++) {
        const pattern *with = signature_arg(&self->parsed, i);
        if (with->kind == PATTERN_LAMBDA && call->types[i] == NULL) {
            self->types[i] = NULL; // Only its parameters are asked for.
            continue;
        }
        const type *own = is_unknown(call, i) ? TYPE_OF(VARCHAR) : call->types[i];
        TRY(bindings_type(&self->bound, &self->parsed, with, own, &self->types[i], err));
        if (with->kind == PATTERN_STRUCT && own->id != TYPE_STRUCT && own->id != TYPE_NULL) {
            return FIRN_OK;
        }
        const uint32_t cost = arg_cost(self, call, i, self->types[i]);
        if (cost == COST_IMPOSSIBLE) {
            return FIRN_OK;
        }
        if (type_same_values(own, self->types[i]) &&
            cast_find(own, self->types[i]).kind == CAST_SAME) {
            self->types[i] = own; // Names of fields stay, but not fields in another order.
        }
        total += cost + pattern_cost(with);
    }
    self->cost = fits ? total : COST_IMPOSSIBLE;
    return FIRN_OK;
}

// ---- Choosing --------------------------------------------------------------------------------

// Do two matches of the same cost treat every argument but NULLs alike?
static bool differ_in_nulls_only(const overload_request *call, const match *left,
                                 const match *right) {
    bool has_null = false;
    for (uint32_t i = 0; i < call->arg_count; i++) {
        const bool is_null =
            call->types[i] != NULL && call->types[i]->id == TYPE_NULL && !is_unknown(call, i);
        has_null |= is_null;
        if (!is_null && left->types[i] != NULL && right->types[i] != NULL &&
            !type_same_values(left->types[i], right->types[i])) {
            return false;
        }
    }
    return has_null;
}

#define OVERLOADS_MAX 128

static bool is_number(const type *self) {
    const type_category category = type_category_of(self);
    return category == CATEGORY_INTEGER || category == CATEGORY_FLOAT ||
           category == CATEGORY_DECIMAL;
}

typedef struct tie {
    const callee *function;
    const overload_request *call;
    const bool *is_tied; // By overload.
    match *best, *next;
    arena *memory;
} tie;

// Of matches that differ only in which number an argument of unknown type becomes, the one that
// takes DOUBLE, as PostgreSQL prefers it, becomes the best; *found is false where none does, or
// several do.
static firn_status prefer_double(const tie *self, uint32_t *out, bool *found, firn_error *err) {
    const overload_request *call = self->call;
    uint32_t count = 0;
    *found = false;
    for (uint32_t i = 0; i < OVERLOADS_MAX; i++) {
        if (!self->is_tied[i]) {
            continue;
        }
        TRY(try_signature(self->next, self->function, i, call, self->memory, err));
        bool is_double = true;
        for (uint32_t k = 0; k < call->arg_count; k++) {
            const type *taken = self->next->types[k];
            const type *other = self->best->types[k];
            const bool fits =
                taken != NULL && other != NULL &&
                (is_unknown(call, k) ? is_number(taken) : type_same_values(taken, other));
            if (!fits) {
                return FIRN_OK;
            }
            is_double &= !is_unknown(call, k) || taken->id == TYPE_DOUBLE;
        }
        if (is_double) {
            *out = i;
            count++;
        }
    }
    *found = count == 1;
    return *found ? try_signature(self->best, self->function, *out, call, self->memory, err)
                  : FIRN_OK;
}

static firn_status choose(const callee *function, const overload_request *call, arena *memory,
                          match *best, uint32_t *out, firn_error *err) {
    match *next = ARENA_NEW(memory, match, 1);
    const type **types[2];
    for (int i = 0; i < 2; i++) {
        types[i] = ARENA_NEW(memory, const type *, call->arg_count + 1);
        if (types[i] == NULL || next == NULL) {
            return ARENA_FULL(memory, err);
        }
    }
    bool is_tied[OVERLOADS_MAX] = {false};
    bool is_ambiguous = false;
    best->types = types[0];
    next->types = types[1];
    best->cost = COST_IMPOSSIBLE;
    for (uint32_t i = 0; i < OVERLOADS_MAX && function->signature(function->function, i) != NULL;
         i++) {
        if (call->only != NULL && *call->only != i) {
            continue;
        }
        TRY(try_signature(next, function, i, call, memory, err));
        if (next->cost < best->cost) {
            const match keep = *next;
            next->types = best->types;
            *best = keep;
            *out = i;
            is_ambiguous = false;
            memset(is_tied, 0, sizeof is_tied);
            is_tied[i] = true;
        } else if (next->cost == best->cost && next->cost != COST_IMPOSSIBLE &&
                   !differ_in_nulls_only(call, best, next)) {
            is_ambiguous = true;
            is_tied[i] = true;
        }
    }
    if (best->cost == COST_IMPOSSIBLE) {
        return refuse(function, call, memory, err);
    }
    bool is_preferred = false;
    if (is_ambiguous) {
        const tie among = {function, call, is_tied, best, next, memory};
        TRY(prefer_double(&among, out, &is_preferred, err));
    }
    return is_ambiguous && !is_preferred ? refuse_tie(function, call, is_tied, memory, err)
                                         : FIRN_OK;
}

// ---- Binding ---------------------------------------------------------------------------------

// The arguments as `bind` sees them: cast, and folded where they are constant.
static firn_status bound_args(const overload_request *call, const type *const *types, arena *memory,
                              expr ***out, firn_error *err) {
    expr **args = ARENA_NEW(memory, expr *, call->arg_count + 1);
    if (args == NULL) {
        return ARENA_FULL(memory, err);
    }
    *out = args;
    for (uint32_t i = 0; i < call->arg_count; i++) {
        args[i] = call->args[i];
        if (args[i]->kind == EXPR_LAMBDA) {
            continue;
        }
        args[i] = expr_cast(memory, args[i], types[i], false, true);
        if (args[i] == NULL) {
            return ARENA_FULL(memory, err);
        }
        if (args[i]->kind != EXPR_LITERAL && call->context != NULL && expr_is_constant(args[i])) {
            expr *folded;
            TRY(expr_try_fold(args[i], call->context, memory, &folded, err));
            args[i] = folded == NULL ? args[i] : folded;
        }
    }
    return FIRN_OK;
}

typedef firn_status (*bind_function)(function_bind_call *call, firn_error *err);

static firn_status run_bind(bind_function bind, const overload_request *call, arena *memory,
                            overload_choice *out, firn_error *err) {
    expr **args = NULL;
    if (call->args != NULL) {
        TRY(bound_args(call, out->types, memory, &args, err));
    }
    function_bind_call binding = {.types = out->types,
                                  .args = (const expr *const *)args,
                                  .arg_count = call->arg_count,
                                  .memory = memory,
                                  .result = out->result};
    const firn_status status = bind(&binding, err);
    if (status != FIRN_OK) {
        if (err->position == NO_POSITION) {
            err->position = position_of(call);
        }
        return status;
    }
    out->result = binding.result;
    out->bound = (bytes){.data = binding.bound, .size = binding.bound_size};
    if (binding.wanted != NULL) {
        out->types = binding.wanted;
    }
    return FIRN_OK;
}

static firn_status resolve(const callee *function, const overload_request *call, arena *memory,
                           overload_choice *out, firn_error *err) {
    match *best = ARENA_NEW(memory, match, 1);
    if (best == NULL) {
        return ARENA_FULL(memory, err);
    }
    TRY(choose(function, call, memory, best, &out->overload, err));
    out->types = best->types;
    const pattern *result = &best->parsed.nodes[best->parsed.result];
    return bindings_type(&best->bound, &best->parsed, result, NULL, &out->result, err);
}

static firn_status check_result(const callee *function, const overload_choice *choice,
                                firn_error *err) {
    if (choice->result == NULL) {
        return FAIL(err, FIRN_INTERNAL, "\"%s\" was bound without a result type", function->name);
    }
    return FIRN_OK;
}

firn_status function_resolve(const scalar_function *self, const overload_request *call,
                             arena *memory, overload_choice *out, firn_error *err) {
    const callee function = callee_of_scalar(self);
    *out = (overload_choice){.overload = 0};
    TRY(resolve(&function, call, memory, out, err));
    const overload *chosen = &self->overloads[out->overload];
    out->flags = (self->flags | chosen->flags_set) & ~chosen->flags_cleared;
    if (chosen->bind != NULL) {
        TRY(run_bind(chosen->bind, call, memory, out, err));
    }
    return check_result(&function, out, err);
}

firn_status aggregate_resolve(const aggregate_function *self, const overload_request *call,
                              arena *memory, overload_choice *out, firn_error *err) {
    const callee function = callee_of_aggregate(self);
    *out = (overload_choice){.flags = self->flags};
    TRY(resolve(&function, call, memory, out, err));
    const aggregate_overload *chosen = &self->overloads[out->overload];
    if (chosen->bind != NULL) {
        TRY(run_bind(chosen->bind, call, memory, out, err));
    }
    return check_result(&function, out, err);
}

firn_status function_lambda_types(const scalar_function *self, const overload_request *call,
                                  uint32_t index, arena *memory, const type *const **out,
                                  firn_error *err) {
    const callee function = callee_of_scalar(self);
    match *best = ARENA_NEW(memory, match, 1);
    if (best == NULL) {
        return ARENA_FULL(memory, err);
    }
    uint32_t chosen;
    TRY(choose(&function, call, memory, best, &chosen, err));
    const pattern *lambda = signature_arg(&best->parsed, index);
    const uint32_t count = lambda->child_count - 1U;
    const type **types = ARENA_NEW(memory, const type *, count + 1);
    if (types == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        TRY(bindings_type(&best->bound, &best->parsed, &best->parsed.nodes[lambda->children[i]],
                          NULL, &types[i], err));
    }
    *out = types;
    return FIRN_OK;
}

// ---- Calls -----------------------------------------------------------------------------------

// Arguments with the casts that the choice asks for. A lambda's body is cast inside it.
static firn_status cast_args(const overload_request *call, const overload_choice *choice,
                             arena *memory, expr_list *out, firn_error *err) {
    out->count = call->arg_count;
    out->items = ARENA_NEW(memory, expr *, call->arg_count + 1);
    if (out->items == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < call->arg_count; i++) {
        expr *arg = call->args[i];
        if (arg == NULL) { // It did not fit where it was made.
            return ARENA_FULL(memory, err);
        }
        if (arg->kind == EXPR_LAMBDA && !type_equal(arg->type, choice->types[i])) {
            expr *lambda = expr_new(memory, EXPR_LAMBDA, choice->types[i]);
            expr *body = expr_cast(memory, arg->lambda_.body, choice->types[i], false, true);
            if (lambda == NULL || body == NULL) {
                return ARENA_FULL(memory, err);
            }
            lambda->lambda_.parameters = arg->lambda_.parameters;
            lambda->lambda_.body = body;
            lambda->position = arg->position;
            arg = lambda;
        } else if (arg->kind != EXPR_LAMBDA) {
            arg = expr_cast(memory, arg, choice->types[i], false, true);
        }
        if (arg == NULL) {
            return ARENA_FULL(memory, err);
        }
        out->items[i] = arg;
    }
    return FIRN_OK;
}

firn_status function_call_new(const scalar_function *self, const overload_request *call,
                              arena *memory, expr **out, firn_error *err) {
    overload_choice choice;
    TRY(function_resolve(self, call, memory, &choice, err));
    expr_list args;
    TRY(cast_args(call, &choice, memory, &args, err));
    expr *made = expr_new(memory, EXPR_CALL, choice.result);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    made->position = call->position;
    made->call_.function = self;
    made->call_.overload = choice.overload;
    made->call_.args = args;
    made->call_.bound = choice.bound;
    *out = made;
    return FIRN_OK;
}

firn_status function_call_named(text name, expr *const *args, uint32_t arg_count, arena *memory,
                                expr **out, firn_error *err) {
    const scalar_function *function = function_find(name);
    const type **types = ARENA_NEW(memory, const type *, arg_count + 1);
    if (function == NULL) {
        return FAIL(err, FIRN_INTERNAL, "there is no function \"%.*s\"", TEXT_ARGS(name));
    }
    if (types == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < arg_count; i++) {
        types[i] = args[i]->type;
    }
    const overload_request call = {
        .types = types, .args = args, .arg_count = arg_count, .position = UINT32_MAX};
    return function_call_new(function, &call, memory, out, err);
}

firn_status aggregate_call_new(const aggregate_function *self, const overload_request *call,
                               arena *memory, expr **out, firn_error *err) {
    overload_choice choice;
    TRY(aggregate_resolve(self, call, memory, &choice, err));
    expr_list args;
    TRY(cast_args(call, &choice, memory, &args, err));
    expr *made = expr_new(memory, EXPR_AGGREGATE, choice.result);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    made->position = call->position;
    made->aggregate_.function = self;
    made->aggregate_.overload = choice.overload;
    made->aggregate_.args = args;
    made->aggregate_.bound = choice.bound;
    *out = made;
    return FIRN_OK;
}

firn_status overload_state_types(const char *signature_text, const char *pattern_text,
                                 const type *const *types, uint32_t arg_count, arena *memory,
                                 schema *out, firn_error *err) {
    match *chosen = ARENA_NEW(memory, match, 1);
    signature *states = ARENA_NEW(memory, signature, 1);
    if (chosen == NULL || states == NULL) {
        return ARENA_FULL(memory, err);
    }
    *chosen = (match){.bound = {.memory = memory}};
    if (!signature_parse(signature_text, &chosen->parsed) ||
        !signature_parse_list(pattern_text, states)) {
        return FAIL(err, FIRN_INTERNAL, "state \"%s\" of \"%s\"", pattern_text, signature_text);
    }
    const overload_request call = {.types = types, .arg_count = arg_count};
    bool fits = true;
    TRY(bind_letters(chosen, &call, &fits, err));
    field *fields = ARENA_NEW(memory, field, states->arg_count + 1);
    if (fields == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < states->arg_count; i++) {
        fields[i] = (field){.name = TEXT("state"), .is_nullable = true, .id = -1};
        TRY(bindings_type(&chosen->bound, states, &states->nodes[states->args[i]], NULL,
                          &fields[i].type, err));
    }
    *out = (schema){.count = states->arg_count, .fields = fields};
    return FIRN_OK;
}
