// One call of a kernel over flat and constant arguments: validity, which rows, failures.
//
//   - A result is NULL where an argument is (FUNCTION_NULL_STRICT), by words of bitmaps.
//   - What cannot fail runs over all lanes when many rows count, else over their list.
//   - What can fail must see only rows that SQL reaches and that are not NULL. Where lanes are
//     cheap it is tried over all of them first: mostly nothing fails, and a loop over all lanes is
//     several times faster than one over a list. If something fails, the exact rows are done again.
//   - A row that fails is an error made of that row's values, or NULL where a TRY says so.
#include "expr/cast.h"
#include "expr/program_state.h"

#define WRONG_GUESSES_MAX 8 // Then the exact rows are taken at once.
#define VALUE_TEXT_MAX 60
#define EXPR_TEXT_MAX 200

typedef struct kernel_state {
    const expr_run_call *run;
    const kernel_task *task;
    const call_info *info;
    call_state *call;
    column *out;
} kernel_state;

static firn_status no_memory(const kernel_state *self) {
    return ARENA_FULL(self->task->memory, self->run->err);
}

// A kernel that answered KERNEL_NO_MEMORY.
static firn_status gave_up(const kernel_state *self) {
    const statement_context *context = self->call->call.context;
    TRY(cancel_check(context == NULL ? NULL : context->cancel, self->run->err));
    return no_memory(self);
}

static bool has_flag(const kernel_state *self, function_flags flag) {
    return (self->info->flags & (uint32_t)flag) != 0;
}

// ---- Validity --------------------------------------------------------------------------------

// ANDs the validity of the flat arguments into the result's. Constants are not NULL here.
static firn_status join_validity(const kernel_state *self) {
    const uint32_t length = self->task->scope->length;
    for (uint32_t i = 0; i < self->info->arg_count; i++) {
        const column *arg = self->task->args[i];
        if (arg == NULL || arg->validity == NULL || arg->form == FORM_CONSTANT) {
            continue;
        }
        uint64_t *bits = column_validity_out(self->task->memory, self->out);
        if (bits == NULL) {
            return no_memory(self);
        }
        bits_and(bits, arg->validity, length, bits);
    }
    return FIRN_OK;
}

// ---- Errors ----------------------------------------------------------------------------------

// A text cut to `size_max` bytes, not inside of a character.
static text shortened(text value, size_t size_max) {
    if (value.size <= size_max) {
        return value;
    }
    size_t size = size_max;
    while (size > 0 && ((uint8_t)value.data[size] & 0xc0) == 0x80) {
        size--;
    }
    return text_slice(value, 0, size);
}

// Whether a column is called what reads as something else, such as the constant 1 that it was made
// of in the first branch of a UNION.
static bool has_odd_name(const expr *value) {
    const text name = value->kind == EXPR_COLUMN ? value->column_.name : TEXT("_");
    const char first = name.size == 0 ? '_' : name.data[0];
    return !(first == '_' || ((first | 0x20) >= 'a' && (first | 0x20) <= 'z') ||
             (first & 0x80) != 0);
}

static text name_of(const expr *value, arena *scratch) {
    text quoted;
    firn_error ignored = ERR_INIT;
    return has_odd_name(value) && text_format(scratch, &quoted, &ignored, "\"%.*s\"",
                                              TEXT_ARGS(value->column_.name)) == FIRN_OK
               ? quoted
               : expr_text(value, scratch);
}

static void print_values(const kernel_state *self, uint32_t row, text_builder *out) {
    bool is_first = true;
    for (uint32_t i = 0; i < self->info->arg_count; i++) {
        const column *arg = self->task->args[i];
        const expr *source = self->info->function == NULL
                                 ? self->task->node->source->cast_.arg
                                 : self->task->node->source->call_.args.items[i];
        if (arg == NULL || source->kind == EXPR_LITERAL) {
            continue;
        }
        text_builder value = text_builder_open(self->run->scratch);
        column_print_row(arg, row & column_mask(arg), &value);
        text printed;
        firn_error ignored = ERR_INIT;
        if (text_builder_finish(&value, &printed, &ignored) != FIRN_OK) {
            return;
        }
        const text name = name_of(source, self->run->scratch);
        const text shown = shortened(printed, VALUE_TEXT_MAX);
        text_append_format(out, "%s%.*s = %.*s%s", is_first ? " with " : ", ",
                           TEXT_ARGS(shortened(name, VALUE_TEXT_MAX)), TEXT_ARGS(shown),
                           shown.size < printed.size ? "..." : "");
        is_first = false;
    }
}

// The expression that fails; a cast also when the binder put it in.
static void print_source(const kernel_state *self, text_builder *out) {
    const expr *source = self->task->node->source;
    const bool is_hidden =
        source->kind == EXPR_CAST && (source->cast_.is_implicit || has_odd_name(source->cast_.arg));
    const text shown = name_of(is_hidden ? source->cast_.arg : source, self->run->scratch);
    text_append(out, is_hidden ? TEXT("CAST(") : TEXT(""));
    text_append(out, shortened(shown, EXPR_TEXT_MAX));
    text_append(out, shown.size > EXPR_TEXT_MAX ? TEXT("...") : TEXT(""));
    if (is_hidden) {
        text_append(out, TEXT(" AS "));
        type_print(source->type, out);
        text_append_char(out, ')');
    }
}

// Makes the error of a row: what the function says of it, the expression and its values.
static firn_status fail_at(const kernel_state *self, uint32_t row) {
    firn_error *err = self->run->err;
    const expr *source = self->task->node->source;
    self->run->state->failed_row = row;
    for (uint32_t i = 0; self->call->lambdas != NULL && i < self->info->arg_count; i++) {
        if (self->call->lambdas[i] != NULL && self->call->lambdas[i]->has_failed) {
            return err->status; // The body has told.
        }
    }
    const uint64_t position =
        source->position == UINT32_MAX ? NO_POSITION : (uint64_t)source->position;
    err_set_sql(err, FIRN_INVALID, "22003", position, "value out of range");
    self->call->call.scratch = self->run->scratch;
    if (self->info->function == NULL) {
        cast_explain(&self->call->call, self->task->args, row, err);
    } else if (self->info->function->explain_failure != NULL) {
        self->info->function->explain_failure(&self->call->call, self->task->args, row, err);
    }
    if (err->position == NO_POSITION) {
        err->position = position;
    }
    if (has_flag(self, FUNCTION_INTERNAL)) {
        return err->status; // Nobody has written it.
    }
    text_builder context = text_builder_open(self->run->scratch);
    print_source(self, &context);
    print_values(self, row, &context);
    text finished;
    firn_error ignored = ERR_INIT;
    if (text_builder_finish(&context, &finished, &ignored) == FIRN_OK) {
        err_while(err, "evaluating %.*s", TEXT_ARGS(finished));
    }
    return err->status;
}

// ---- Calls -----------------------------------------------------------------------------------

// Lanes that no row is computed for are initialised all the same.
static void zero_lanes(const kernel_state *self) {
    const uint32_t width = physical_size(type_physical(self->out->type));
    if (width > 0 && self->out->form == FORM_FLAT) {
        memset(COLUMN_OUT(self->out, uint8_t), 0, (size_t)width * self->out->length);
    }
}

// Calls the kernel for some rows of the lanes; how many it did. One whose statement was stopped
// meanwhile may have left off anywhere; a row for which there was no memory has not failed.
static uint32_t call_rows(const kernel_state *self, const uint16_t *rows, uint32_t count) {
    function_call *call = &self->call->call;
    call->scratch = self->task->memory;
    call->rows = rows;
    call->count = count;
    call->length = self->task->scope->length;
    const scalar_kernel kernel =
        self->task->is_narrow ? self->info->narrow_kernel : self->info->kernel;
    call->scratch->refused = 0;
    const uint32_t done = kernel(call, self->task->args, self->out);
    const bool is_refused = done != count && call->scratch->refused > 0;
    return is_refused || function_is_stopped(call) ? KERNEL_NO_MEMORY : done;
}

static bool is_nested(const kernel_state *self) {
    return type_is_nested(self->out->type);
}

// What a nested result is when the kernel is called for no row, which makes no children then.
static firn_status make_nulls(const kernel_state *self) {
    column nulls;
    TRY(column_new_null(self->task->memory, self->out->type, self->task->scope->length, &nulls,
                        self->run->err));
    return column_flatten(self->task->memory, &nulls, self->out, self->run->err);
}

// Under TRY: goes on behind each row that fails; those become NULL. A nested result is built as a
// whole, so it is made again without the rows that failed.
static firn_status run_tolerant(const kernel_state *self, const row_scope *exact,
                                const uint16_t *list) {
    const uint32_t length = self->task->scope->length;
    uint32_t count = exact->count;
    uint16_t *rows = ARENA_NEW(self->run->scratch, uint16_t, count + 1);
    uint64_t *bad = ARENA_NEW(self->run->scratch, uint64_t, BITMAP_WORDS(length) + 1);
    if (rows == NULL || bad == NULL) {
        return no_memory(self);
    }
    bits_clear(bad, length);
    for (uint32_t k = 0; k < count; k++) {
        rows[k] = list == NULL ? (uint16_t)k : list[k];
    }
    uint32_t done = 0;
    while (done < count) {
        const uint32_t ok = call_rows(self, rows + done, count - done);
        if (ok == KERNEL_NO_MEMORY) {
            return gave_up(self);
        }
        if (ok == count - done) {
            break;
        }
        const uint32_t row = rows[done + ok];
        bitmap_set(self->task->failed, row);
        bitmap_set(bad, row);
        *self->task->has_failed = true;
        if (is_nested(self)) {
            memmove(rows + ok, rows + ok + 1, (count - ok - 1) * sizeof *rows);
            count--;
        } else {
            done += ok + 1;
        }
    }
    if (!bits_any(bad, length)) {
        return FIRN_OK;
    }
    if (is_nested(self) && count == 0) {
        return make_nulls(self);
    }
    uint64_t *validity = column_validity_out(self->task->memory, self->out);
    if (validity == NULL) {
        return no_memory(self);
    }
    bits_and_not(validity, bad, length, validity);
    return FIRN_OK;
}

// Only the rows that SQL reaches: those of the scope that are not NULL.
static firn_status run_exact(const kernel_state *self, bool *fits) {
    arena *scratch = self->run->scratch;
    row_scope *scope = self->task->scope;
    row_scope valid;
    if (has_flag(self, FUNCTION_NULL_STRICT) && self->out->validity != NULL) {
        TRY(program_narrow(self->run, scope, self->out->validity, true, &valid));
        scope = &valid;
    }
    if (!scope_is_all(scope)) {
        zero_lanes(self);
    }
    if (scope->count == 0) {
        return is_nested(self) ? make_nulls(self) : FIRN_OK;
    }
    const uint16_t *rows = scope_is_all(scope) ? NULL : scope_rows(scope, scratch);
    if (rows == NULL && !scope_is_all(scope)) {
        return ARENA_FULL(scratch, self->run->err);
    }
    if (self->task->failed != NULL) {
        return run_tolerant(self, scope, rows);
    }
    const uint32_t done = call_rows(self, rows, scope->count);
    if (done == scope->count) {
        return FIRN_OK;
    }
    if (done == KERNEL_NO_MEMORY) {
        return gave_up(self);
    }
    if (self->task->is_narrow) {
        *fits = false;
        return FIRN_OK;
    }
    return fail_at(self, rows == NULL ? done : rows[done]);
}

static firn_status run_fallible(const kernel_state *self, bool *is_everywhere, bool *fits) {
    const uint32_t length = self->task->scope->length;
    const bool guesses = self->info->is_cheap && scope_is_dense(self->task->scope) &&
                         self->call->wrong_guesses < WRONG_GUESSES_MAX;
    if (guesses) {
        const uint32_t done = call_rows(self, NULL, length);
        if (done == length) {
            *is_everywhere = true;
            return FIRN_OK;
        }
        if (done == KERNEL_NO_MEMORY) {
            return gave_up(self);
        }
        self->call->wrong_guesses++;
    }
    return run_exact(self, fits);
}

// Without the lanes of other rows and of NULL, which may hold anything: also what no value of the
// type is, and a kernel stumbles over.
static firn_status run_infallible(const kernel_state *self, bool *is_everywhere, bool *fits) {
    row_scope *scope = self->task->scope;
    const bool takes_all = scope_is_all(scope) || (self->info->is_cheap && scope_is_dense(scope) &&
                                                   !has_flag(self, FUNCTION_VOLATILE));
    const uint16_t *rows = takes_all ? NULL : scope_rows(scope, self->run->scratch);
    if (rows == NULL && !takes_all) {
        return ARENA_FULL(self->run->scratch, self->run->err);
    }
    if (!takes_all) {
        zero_lanes(self);
    }
    const uint32_t count = takes_all ? scope->length : scope->count;
    const uint32_t done = call_rows(self, rows, count);
    if (done == KERNEL_NO_MEMORY) {
        return gave_up(self);
    }
    if (done < count && !has_flag(self, FUNCTION_VOLATILE)) {
        return run_exact(self, fits);
    }
    *is_everywhere = takes_all;
    return done == count ? FIRN_OK
                         : FAIL(self->run->err, FIRN_INTERNAL,
                                "a function that cannot fail did, in row %u", done);
}

static firn_status new_result(const kernel_state *self) {
    const uint32_t length = self->task->scope->length;
    const type *result = self->task->node->type;
    if (self->task->is_narrow && result->id == TYPE_DECIMAL &&
        result->precision > DECIMAL64_DIGITS_MAX) {
        result = type_decimal(self->task->memory, DECIMAL64_DIGITS_MAX, result->scale);
        if (result == NULL) {
            return no_memory(self);
        }
    }
    TRY(column_new(self->task->memory, result, length, self->out, self->run->err));
    if (!has_flag(self, FUNCTION_NULL_STRICT)) {
        zero_lanes(self); // Such a kernel makes rows NULL without writing a value.
    }
    return FIRN_OK;
}

firn_status kernel_run(const expr_run_call *run, const kernel_task *task, column *out,
                       bool *is_everywhere, bool *fits) {
    const call_info *info = task->node->call;
    const kernel_state self = {
        .run = run, .task = task, .info = info, .call = &run->state->calls[info->slot], .out = out};
    bool ignored = true;
    *is_everywhere = scope_is_all(task->scope);
    TRY(new_result(&self));
    if (has_flag(&self, FUNCTION_NULL_STRICT)) {
        TRY(join_validity(&self));
    }
    const bool is_fallible = has_flag(&self, FUNCTION_CAN_FAIL) || task->is_narrow;
    return is_fallible ? run_fallible(&self, is_everywhere, fits == NULL ? &ignored : fits)
                       : run_infallible(&self, is_everywhere, fits);
}
