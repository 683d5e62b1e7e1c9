// Calls over the forms of their arguments. Only lift*.c look at forms.
//
//   all arguments constant        one row, and the result is a constant
//   one varying, a dictionary     once for each entry that occurs, kept while the dictionary stays
//   one varying, runs             once for each run, and the result is runs
//   else                          arguments made flat into scratch
//
// Entries that no row asked for are evaluated only where that cannot fail and pays: when as many
// rows were looked up as there are entries. Then text results, and those of functions that say so,
// go on as a dictionary of their distinct values. Until then calls that cost next to nothing are
// made for the rows themselves.
#include "expr/lift_private.h"

#define ENTRIES_MAX UINT32_C(65536) // Row numbers of a kernel call are 16 bits.

static bool is_strict(const lifted_call *self) {
    return (self->info->flags & FUNCTION_NULL_STRICT) != 0;
}

static bool is_null_constant(const column *self) {
    return self->type->id == TYPE_NULL ||
           (self->form == FORM_CONSTANT && !column_is_valid(self, 0));
}

uint64_t *lift_failures_of_try(const lifted_call *self) {
    uint64_t **slot = &self->run->state->try_failures[self->node->try_index];
    if (*slot == NULL) {
        const uint32_t length = self->scope->length;
        *slot = ARENA_NEW(self->run->scratch, uint64_t, BITMAP_WORDS(length) + 1);
        if (*slot != NULL) {
            bits_clear(*slot, length);
        }
    }
    return *slot;
}

// ---- All constant ----------------------------------------------------------------------------

static firn_status call_constant(const lifted_call *self, column *out) {
    const uint32_t count = self->info->arg_count;
    column *singles = ARENA_NEW(self->run->scratch, column, count + 1);
    const column **args = ARENA_NEW(self->run->scratch, const column *, count + 1);
    if (singles == NULL || args == NULL) {
        return lift_full(self);
    }
    for (uint32_t i = 0; i < count; i++) {
        args[i] = self->args[i] == NULL ? NULL : &singles[i];
        if (args[i] != NULL) {
            singles[i] = *self->args[i];
            singles[i].length = 1;
        }
    }
    row_scope one = {.serial = self->scope->serial, .length = 1, .count = 1};
    uint64_t failed = 0;
    bool has_failed = false;
    const kernel_task task = {.node = self->node,
                              .args = args,
                              .scope = &one,
                              .memory = self->run->scratch,
                              .failed = lift_tolerates(self) ? &failed : NULL,
                              .has_failed = &has_failed};
    bool is_everywhere;
    TRY(kernel_run(self->run, &task, out, &is_everywhere, NULL));
    if (has_failed && lift_is_under_try(self)) {
        uint64_t *failures = lift_failures_of_try(self);
        if (failures == NULL) {
            return lift_full(self);
        }
        bits_fill(failures, self->scope->length);
    }
    out->form = FORM_CONSTANT;
    out->length = self->scope->length;
    return FIRN_OK;
}

// ---- Flat ------------------------------------------------------------------------------------

static firn_status flatten_args(const lifted_call *self, const column ***out) {
    const column **args = ARENA_NEW(self->run->scratch, const column *, self->info->arg_count + 1);
    if (args == NULL) {
        return lift_full(self);
    }
    for (uint32_t i = 0; i < self->info->arg_count; i++) {
        args[i] = NULL;
        if (self->node->children[i] != NO_INDEX) {
            TRY(program_flat(self->run, self->node->children[i], self->scope, &args[i]));
        }
    }
    *out = args;
    return FIRN_OK;
}

static firn_status call_flat(const lifted_call *self, const column *const *args, column *out,
                             bool *is_everywhere) {
    bool has_failed = false;
    uint64_t *failed = NULL;
    if (lift_tolerates(self)) {
        failed = lift_is_under_try(self) ? lift_failures_of_try(self)
                                         : ARENA_NEW(self->run->scratch, uint64_t,
                                                     BITMAP_WORDS(self->scope->length) + 1);
        if (failed == NULL) {
            return lift_full(self);
        }
    }
    const kernel_task task = {.node = self->node,
                              .args = args,
                              .scope = self->scope,
                              .memory = self->run->scratch,
                              .failed = failed,
                              .has_failed = &has_failed};
    return kernel_run(self->run, &task, out, is_everywhere, NULL);
}

// IS NULL and its like: the validity alone, as flat columns without values.
static firn_status call_on_validity(const lifted_call *self, column *out, bool *is_everywhere) {
    const uint32_t count = self->info->arg_count;
    column *views = ARENA_NEW(self->run->scratch, column, count + 1);
    const column **args = ARENA_NEW(self->run->scratch, const column *, count + 1);
    if (views == NULL || args == NULL) {
        return lift_full(self);
    }
    for (uint32_t i = 0; i < count; i++) {
        args[i] = self->args[i];
        if (self->args[i]->form == FORM_DICTIONARY) {
            views[i] = (column){.type = self->args[i]->type,
                                .form = FORM_FLAT,
                                .length = self->args[i]->length,
                                .validity = self->args[i]->validity};
            args[i] = &views[i];
        } else if (self->args[i]->form == FORM_RUNS) {
            TRY(program_flat(self->run, self->node->children[i], self->scope, &args[i]));
        }
    }
    return call_flat(self, args, out, is_everywhere);
}

// ---- Narrow decimals -------------------------------------------------------------------------

// A decimal as 64-bit values, if it is one: declared so, computed so, or a small constant.
static firn_status narrow_arg(const lifted_call *self, uint32_t index, const column **out,
                              bool *fits) {
    const column *arg = self->args[index];
    *out = arg;
    if (arg->type->id != TYPE_DECIMAL) {
        return program_flat(self->run, self->node->children[index], self->scope, out);
    }
    *fits = arg->type->precision <= DECIMAL64_DIGITS_MAX ||
            (arg->form == FORM_CONSTANT && arg->type->precision <= DECIMAL_PRECISION_I128);
    if (!*fits) {
        return FIRN_OK;
    }
    const column *flat = arg;
    if (arg->form > FORM_CONSTANT) {
        TRY(program_flat(self->run, self->node->children[index], self->scope, &flat));
    }
    if (type_physical(flat->type) == PHYSICAL_I64) {
        *out = flat;
        return FIRN_OK;
    }
    const uint32_t count = flat->form == FORM_CONSTANT ? 1 : flat->length;
    const type *narrow = type_decimal(
        self->run->scratch, DECIMAL64_DIGITS_MAX,
        flat->type->scale > DECIMAL64_DIGITS_MAX ? DECIMAL64_DIGITS_MAX : flat->type->scale);
    int64_t *values = ARENA_NEW(self->run->scratch, int64_t, count + 1);
    column *made = ARENA_NEW(self->run->scratch, column, 1);
    if (narrow == NULL || values == NULL || made == NULL) {
        return lift_full(self);
    }
    if (type_physical(flat->type) == PHYSICAL_I32) {
        for (uint32_t i = 0; i < count; i++) {
            values[i] = COLUMN_VALUES(flat, int32_t)[i];
        }
    } else {
        const i128 value = COLUMN_VALUES(flat, i128)[0]; // A constant.
        values[0] = (int64_t)value;
        *fits = values[0] == value && flat->type->scale <= DECIMAL64_DIGITS_MAX;
    }
    *made = *flat;
    made->type = narrow;
    made->values = values;
    *out = made;
    return FIRN_OK;
}

// Tries the call in 64 bits; `*fits` is false if that cannot be done for this batch.
static firn_status call_narrow(const lifted_call *self, column *out, bool *is_everywhere,
                               bool *fits) {
    const column **args = ARENA_NEW(self->run->scratch, const column *, self->info->arg_count + 1);
    if (args == NULL) {
        return lift_full(self);
    }
    *fits = true;
    for (uint32_t i = 0; i < self->info->arg_count && *fits; i++) {
        TRY(narrow_arg(self, i, &args[i], fits));
    }
    if (!*fits) {
        return FIRN_OK;
    }
    const kernel_task task = {.node = self->node,
                              .args = args,
                              .scope = self->scope,
                              .memory = self->run->scratch,
                              .is_narrow = true};
    return kernel_run(self->run, &task, out, is_everywhere, fits);
}

// ---- Runs ------------------------------------------------------------------------------------

// A BOOLEAN of each run as one bit a row.
static firn_status spread_booleans(const lifted_call *self, const column *source,
                                   const column *by_run, column *out) {
    TRY(column_new(self->run->scratch, by_run->type, source->length, out, self->run->err));
    uint64_t *bits = COLUMN_OUT(out, uint64_t);
    uint64_t *validity = NULL;
    if (by_run->validity != NULL) {
        validity = column_validity_out(self->run->scratch, out);
        if (validity == NULL) {
            return lift_full(self);
        }
    }
    uint32_t row = 0;
    for (uint32_t run = 0; run < source->run_count; run++) {
        const bool value = bitmap_get(by_run->values, run);
        const bool is_valid = by_run->validity == NULL || bitmap_get(by_run->validity, run);
        for (; row < source->run_ends[run]; row++) {
            bitmap_put(bits, row, value);
            if (!is_valid) {
                bitmap_clear(validity, row);
            }
        }
    }
    return FIRN_OK;
}

static firn_status call_runs(const lifted_call *self, column *out) {
    const column *source = self->args[self->varying_at];
    column values = *source;
    values.form = FORM_FLAT;
    values.length = source->run_count;
    values.run_ends = NULL;
    values.run_count = 0;
    const column **args = ARENA_NEW(self->run->scratch, const column *, self->info->arg_count + 1);
    if (args == NULL) {
        return lift_full(self);
    }
    for (uint32_t i = 0; i < self->info->arg_count; i++) {
        args[i] = i == self->varying_at ? &values : self->args[i];
    }
    row_scope all = {
        .serial = self->scope->serial, .length = source->run_count, .count = source->run_count};
    const kernel_task task = {
        .node = self->node, .args = args, .scope = &all, .memory = self->run->scratch};
    bool is_everywhere;
    column by_run;
    TRY(kernel_run(self->run, &task, &by_run, &is_everywhere, NULL));
    if (type_physical(by_run.type) == PHYSICAL_BIT) {
        return spread_booleans(self, source, &by_run, out);
    }
    *out = by_run;
    out->form = FORM_RUNS;
    out->length = source->length;
    out->run_ends = source->run_ends;
    out->run_count = source->run_count;
    return FIRN_OK;
}

// ---- Choosing --------------------------------------------------------------------------------

static bool is_nested(const type *self) {
    return type_is_nested(self);
}

// Counts the rows that ask for entries of a dictionary. Is a call for each entry cheaper by now?
static bool count_rows(const lifted_call *self, const dictionary *entries) {
    entry_cache *cache = &self->state->cache;
    if (cache->asked_of != entries->identity) {
        cache->asked_of = entries->identity;
        cache->asked_rows = 0;
    }
    cache->asked_rows += self->scope->count;
    return !self->info->is_cheap || cache->asked_rows >= entries->size;
}

// May the call be made once for each entry or run of its one varying argument?
static bool may_lift(const lifted_call *self) {
    if (self->varying != 1 || self->info->lambdas != NULL) {
        return false;
    }
    const column *source = self->args[self->varying_at];
    if (!is_strict(self) && source->validity != NULL) {
        return false; // What NULL gives would have to be known as well.
    }
    if (source->form == FORM_DICTIONARY) {
        for (uint32_t i = 0; i < self->info->arg_count; i++) {
            const uint32_t child = self->node->children[i];
            if (i != self->varying_at && !self->run->state->program->nodes[child].is_constant) {
                return false; // Results are kept across batches.
            }
        }
        return source->dictionary->identity != 0 && source->dictionary->size > 0 &&
               source->dictionary->size <= ENTRIES_MAX && !is_nested(self->node->type) &&
               count_rows(self, source->dictionary);
    }
    return source->form == FORM_RUNS && source->run_count <= ENTRIES_MAX &&
           (!lift_can_fail(self) || (scope_is_all(self->scope) && !lift_tolerates(self)));
}

static firn_status gather_args(lifted_call *self, bool *is_null) {
    self->args = ARENA_NEW(self->run->scratch, const column *, self->info->arg_count + 1);
    if (self->args == NULL) {
        return lift_full(self);
    }
    for (uint32_t i = 0; i < self->info->arg_count; i++) {
        self->args[i] = NULL;
        if (self->node->children[i] == NO_INDEX) {
            continue;
        }
        TRY(program_value(self->run, self->node->children[i], self->scope, &self->args[i]));
        if (self->args[i]->form != FORM_CONSTANT) {
            self->varying++;
            self->varying_at = i;
        } else if (is_strict(self) && is_null_constant(self->args[i])) {
            *is_null = true;
        }
    }
    return FIRN_OK;
}

// Columns that lambdas take from around them vary as arguments do.
static firn_status gather_captured(lifted_call *self) {
    const uint32_t first = self->info->arg_count;
    const uint32_t count = self->node->child_count - first;
    if (self->info->lambdas == NULL) {
        return FIRN_OK;
    }
    column *captured = ARENA_NEW(self->run->scratch, column, count + 1);
    if (captured == NULL) {
        return lift_full(self);
    }
    for (uint32_t i = 0; i < count; i++) {
        const column *value;
        TRY(program_flat(self->run, self->node->children[first + i], self->scope, &value));
        captured[i] = *value;
        self->varying += value->form == FORM_CONSTANT ? 0 : 1;
    }
    for (uint32_t i = 0; i < self->info->arg_count; i++) {
        lambda_state *lambda = self->state->lambdas[i];
        if (lambda != NULL) {
            lambda->run = self->run;
            lambda->captured = captured + (lambda->info->captured_first - first);
            lambda->has_failed = false;
        }
    }
    return FIRN_OK;
}

firn_status lift_call(const expr_run_call *run, const program_node *node, row_scope *scope,
                      column *out, bool *is_everywhere) {
    lifted_call self = {.run = run,
                        .node = node,
                        .info = node->call,
                        .state = &run->state->calls[node->call->slot],
                        .scope = scope};
    bool is_null = false;
    TRY(gather_args(&self, &is_null));
    if (is_null) {
        *is_everywhere = true;
        return column_new_null(run->scratch, node->type, scope->length, out, run->err);
    }
    TRY(gather_captured(&self));
    const bool is_volatile = (self.info->flags & FUNCTION_VOLATILE) != 0;
    if (self.varying == 0 && !is_volatile) {
        *is_everywhere = true;
        return call_constant(&self, out);
    }
    if ((self.info->flags & FUNCTION_VALIDITY_ONLY) != 0) {
        return call_on_validity(&self, out, is_everywhere);
    }
    if (!is_volatile && may_lift(&self)) {
        return self.args[self.varying_at]->form == FORM_RUNS
                   ? call_runs(&self, out)
                   : lift_dictionary(&self, out, is_everywhere);
    }
    if (self.info->narrow_kernel != NULL) {
        bool fits;
        TRY(call_narrow(&self, out, is_everywhere, &fits));
        if (fits) {
            return FIRN_OK;
        }
    }
    const column **args;
    TRY(flatten_args(&self, &args));
    return call_flat(&self, args, out, is_everywhere);
}
