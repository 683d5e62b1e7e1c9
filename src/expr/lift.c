// Calls over the forms of their arguments: the only place that looks at forms.
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
#include "base/hash.h"
#include "expr/program_state.h"
#include "kernels/gather.h"
#include "kernels/hash_column.h"

#define ENTRIES_MAX UINT32_C(65536) // Row numbers of a kernel call are 16 bits.
#define PACKED_SHARE 4              // Fewer than one in so many entries are taken out first.

typedef struct lifted_call {
    const expr_run_call *run;
    const program_node *node;
    const call_info *info;
    call_state *state;
    row_scope *scope;
    const column **args; ///< By argument; NULL for a lambda.
    uint32_t varying;    ///< How many are not constant …
    uint32_t varying_at; ///< … and which one is, if one is.
} lifted_call;

static firn_status no_memory(const lifted_call *self) {
    return ARENA_FULL(self->run->scratch, self->run->err);
}

static bool is_strict(const lifted_call *self) {
    return (self->info->flags & FUNCTION_NULL_STRICT) != 0;
}

static bool can_fail(const lifted_call *self) {
    return (self->info->flags & FUNCTION_CAN_FAIL) != 0;
}

static bool is_null_constant(const column *self) {
    return self->type->id == TYPE_NULL ||
           (self->form == FORM_CONSTANT && !column_is_valid(self, 0));
}

// The rows of the TRY around the call that have failed, for setting more; allocated when needed.
static uint64_t *failures_of_try(const lifted_call *self) {
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

static bool is_under_try(const lifted_call *self) {
    return self->node->try_index != NO_INDEX && !self->info->fails_to_null;
}

// Do failing rows become NULL, rather than the call fail?
static bool tolerates(const lifted_call *self) {
    return can_fail(self) && (self->info->fails_to_null || self->node->try_index != NO_INDEX);
}

// ---- All constant ----------------------------------------------------------------------------

static firn_status call_constant(const lifted_call *self, column *out) {
    const uint32_t count = self->info->arg_count;
    column *singles = ARENA_NEW(self->run->scratch, column, count + 1);
    const column **args = ARENA_NEW(self->run->scratch, const column *, count + 1);
    if (singles == NULL || args == NULL) {
        return no_memory(self);
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
                              .failed = tolerates(self) ? &failed : NULL,
                              .has_failed = &has_failed};
    bool is_everywhere;
    TRY(kernel_run(self->run, &task, out, &is_everywhere, NULL));
    if (has_failed && is_under_try(self)) {
        uint64_t *failures = failures_of_try(self);
        if (failures == NULL) {
            return no_memory(self);
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
        return no_memory(self);
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
    if (tolerates(self)) {
        failed = is_under_try(self) ? failures_of_try(self)
                                    : ARENA_NEW(self->run->scratch, uint64_t,
                                                BITMAP_WORDS(self->scope->length) + 1);
        if (failed == NULL) {
            return no_memory(self);
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
        return no_memory(self);
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
        return no_memory(self);
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
        return no_memory(self);
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
            return no_memory(self);
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
        return no_memory(self);
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

// ---- Dictionaries ----------------------------------------------------------------------------

static firn_status cache_full(const lifted_call *self) {
    return ARENA_FULL(&self->state->cache.memory, self->run->err);
}

// Empties the cache for another dictionary.
static firn_status open_cache(const lifted_call *self, const dictionary *entries) {
    entry_cache *cache = &self->state->cache;
    const arena memory = cache->memory;
    *cache = (entry_cache){.memory = memory,
                           .size = entries->size,
                           .asked_of = cache->asked_of,
                           .asked_rows = cache->asked_rows};
    arena_reset(&cache->memory);
    const size_t words = BITMAP_WORDS(entries->size);
    cache->is_known = ARENA_NEW(&cache->memory, uint64_t, words + 1);
    if (cache->is_known == NULL) {
        return cache_full(self);
    }
    memset(cache->is_known, 0, words * sizeof(uint64_t));
    TRY(column_new(&cache->memory, self->node->type, entries->size, &cache->results,
                   self->run->err));
    const uint32_t width = physical_size(type_physical(self->node->type));
    if (width > 0) {
        memset(COLUMN_OUT(&cache->results, uint8_t), 0, (size_t)width * entries->size);
    }
    cache->identity = entries->identity;
    return FIRN_OK;
}

// The entries that rows of the scope ask for and that are not known yet, as a clean bitmap.
static firn_status find_missing(const lifted_call *self, uint64_t **out, uint32_t *count) {
    const column *source = self->args[self->varying_at];
    const entry_cache *cache = &self->state->cache;
    const size_t words = BITMAP_WORDS(cache->size);
    uint64_t *missing = ARENA_NEW(self->run->scratch, uint64_t, words + 1);
    const uint16_t *rows =
        scope_is_all(self->scope) ? NULL : scope_rows(self->scope, self->run->scratch);
    if (missing == NULL || (rows == NULL && !scope_is_all(self->scope))) {
        return no_memory(self);
    }
    memset(missing, 0, words * sizeof *missing);
    const uint32_t *codes = source->values;
    for (uint32_t k = 0; k < self->scope->count; k++) {
        const uint32_t row = rows == NULL ? k : rows[k];
        if (source->validity == NULL || bitmap_get(source->validity, row)) {
            bitmap_set(missing, codes[row]);
        }
    }
    for (size_t word = 0; word < words; word++) {
        missing[word] &= ~cache->is_known[word];
    }
    *out = missing;
    *count = (uint32_t)bitmap_count(missing, cache->size);
    return FIRN_OK;
}

// Entries that are evaluated: their numbers, and where their results lie.
typedef struct chosen_entries {
    uint32_t *numbers;
    uint32_t count;
    bool is_packed; ///< Side by side rather than where the dictionary has them.
} chosen_entries;

static firn_status list_entries(const lifted_call *self, const uint64_t *which, uint32_t count,
                                chosen_entries *out) {
    const uint32_t size = self->state->cache.size;
    *out = (chosen_entries){.numbers = ARENA_NEW(self->run->scratch, uint32_t, count + 1),
                            .is_packed = count < size / PACKED_SHARE};
    if (out->numbers == NULL) {
        return no_memory(self);
    }
    for (uint32_t word = 0; word < BITMAP_WORDS(size); word++) {
        for (uint64_t left = which[word]; left != 0; left &= left - 1) {
            out->numbers[out->count++] = word * 64 + (uint32_t)__builtin_ctzll(left);
        }
    }
    return FIRN_OK;
}

// Adds their results to those that are kept.
static firn_status keep_results(const lifted_call *self, const column *computed,
                                const uint64_t *failed, const chosen_entries *entries) {
    entry_cache *cache = &self->state->cache;
    uint64_t *validity = NULL;
    if (computed->validity != NULL || cache->results.validity != NULL) {
        validity = column_validity_out(&cache->memory, &cache->results);
        if (validity == NULL) {
            return cache_full(self);
        }
    }
    if (failed != NULL && cache->has_failed == NULL) {
        cache->has_failed = ARENA_NEW(&cache->memory, uint64_t, BITMAP_WORDS(cache->size) + 1);
        if (cache->has_failed == NULL) {
            return cache_full(self);
        }
        bits_clear(cache->has_failed, cache->size);
    }
    const uint32_t width = physical_size(type_physical(computed->type));
    uint8_t *to = COLUMN_OUT(&cache->results, uint8_t);
    for (uint32_t k = 0; k < entries->count; k++) {
        const uint32_t entry = entries->numbers[k];
        const uint32_t at = entries->is_packed ? k : entry;
        if (width == 0) {
            bitmap_put(COLUMN_OUT(&cache->results, uint64_t), entry,
                       bitmap_get(computed->values, at));
        } else {
            memcpy(to + (size_t)entry * width,
                   (const uint8_t *)computed->values + (size_t)at * width, width);
        }
        if (computed->validity != NULL && !bitmap_get(computed->validity, at)) {
            bitmap_clear(validity, entry);
        }
        if (failed != NULL && bitmap_get(failed, at)) {
            bitmap_set(cache->has_failed, entry);
        }
        bitmap_set(cache->is_known, entry);
    }
    return FIRN_OK;
}

// Evaluates the entries in `which` (`count` of them); a few of many are taken out first.
static firn_status call_entries(const lifted_call *self, const uint64_t *which, uint32_t count) {
    entry_cache *cache = &self->state->cache;
    arena *scratch = self->run->scratch;
    const column **args = ARENA_NEW(scratch, const column *, self->info->arg_count + 1);
    column *values = ARENA_NEW(scratch, column, 1);
    chosen_entries entries;
    TRY(list_entries(self, which, count, &entries));
    const uint32_t length = entries.is_packed ? count : cache->size;
    uint64_t *failed =
        tolerates(self) ? ARENA_NEW(scratch, uint64_t, BITMAP_WORDS(length) + 1) : NULL;
    if (args == NULL || values == NULL || (tolerates(self) && failed == NULL)) {
        return no_memory(self);
    }
    if (failed != NULL) {
        bits_clear(failed, length);
    }
    *values = *self->args[self->varying_at]->dictionary->values;
    if (entries.is_packed) {
        TRY(column_take(scratch, self->args[self->varying_at]->dictionary->values, entries.numbers,
                        count, values, self->run->err));
    }
    for (uint32_t i = 0; i < self->info->arg_count; i++) {
        args[i] = i == self->varying_at ? values : self->args[i];
    }
    bool has_failed = false;
    row_scope scope = {.serial = self->scope->serial,
                       .length = length,
                       .count = count,
                       .bits = entries.is_packed ? NULL : which};
    const bool points = type_physical(self->node->type) == PHYSICAL_STRING;
    const kernel_task task = {.node = self->node,
                              .args = args,
                              .scope = &scope,
                              .memory = points ? &cache->memory : scratch,
                              .failed = failed,
                              .has_failed = &has_failed};
    bool is_everywhere;
    column computed;
    TRY(kernel_run(self->run, &task, &computed, &is_everywhere, NULL));
    return keep_results(self, &computed, has_failed ? failed : NULL, &entries);
}

// The same value in every digit: 0.0 and -0.0 are equal and remain two entries.
static bool is_same_entry(const column *values, uint32_t left, uint32_t right) {
    if (type_equal_is_bytes(values->type)) {
        return column_rows_equal(values, left, values, right);
    }
    const size_t width = physical_size(type_physical(values->type));
    const uint8_t *bytes = values->values;
    return memcmp(bytes + left * width, bytes + right * width, width) == 0;
}

// Once all entries are known: their distinct results as a dictionary of its own.
static firn_status make_dictionary(const lifted_call *self) {
    entry_cache *cache = &self->state->cache;
    arena *memory = &cache->memory;
    const column *results = &cache->results;
    uint32_t size = 8;
    while (size < cache->size * 2) {
        size *= 2;
    }
    uint32_t *slots = ARENA_NEW(self->run->scratch, uint32_t, size);
    uint64_t *hashes = ARENA_NEW(self->run->scratch, uint64_t, cache->size + 1);
    uint32_t *remap = ARENA_NEW(memory, uint32_t, cache->size + 1);
    uint32_t *firsts = ARENA_NEW(memory, uint32_t, cache->size + 1);
    column *distinct = ARENA_NEW(memory, column, 1);
    if (slots == NULL || hashes == NULL || remap == NULL || firsts == NULL || distinct == NULL ||
        !hash_entries(results, self->run->scratch, hashes)) {
        return no_memory(self);
    }
    memset(slots, 0xff, size * sizeof *slots);
    uint32_t count = 0;
    bool is_renumbered = false;
    for (uint32_t entry = 0; entry < cache->size; entry++) {
        remap[entry] = 0; // Of NULL: any.
        if (!column_row_is_valid(results, entry)) {
            is_renumbered = true;
            continue;
        }
        uint32_t slot = (uint32_t)hashes[entry] & (size - 1);
        while (slots[slot] != NO_INDEX && !is_same_entry(results, firsts[slots[slot]], entry)) {
            slot = (slot + 1) & (size - 1);
        }
        if (slots[slot] == NO_INDEX) {
            slots[slot] = count;
            firsts[count++] = entry;
        }
        remap[entry] = slots[slot];
        is_renumbered |= remap[entry] != entry;
    }
    TRY(column_take(memory, results, firsts, count, distinct, self->run->err));
    distinct->validity = NULL;
    cache->as_dictionary =
        (dictionary){.identity = dictionary_identity_new(), .size = count, .values = distinct};
    cache->remap = is_renumbered ? remap : NULL;
    cache->has_dictionary = count > 0;
    return FIRN_OK;
}

// ---- Rows from entries -----------------------------------------------------------------------

// The validity of the rows: the source's, and that of their entry's result.
static firn_status set_validity(const lifted_call *self, const column *source, column *out) {
    const entry_cache *cache = &self->state->cache;
    out->validity = source->validity;
    if (cache->results.validity == NULL) {
        return FIRN_OK;
    }
    uint64_t *bits = ARENA_NEW(self->run->scratch, uint64_t, BITMAP_WORDS(source->length) + 1);
    if (bits == NULL) {
        return no_memory(self);
    }
    bits_of_codes(cache->results.validity, cache->size, source->values, source->length, bits);
    if (source->validity != NULL) {
        bits_and(bits, source->validity, source->length, bits);
    }
    out->validity = bits;
    return FIRN_OK;
}

static firn_status rows_as_dictionary(const lifted_call *self, const column *source, column *out) {
    entry_cache *cache = &self->state->cache;
    *out = (column){.type = self->node->type,
                    .form = FORM_DICTIONARY,
                    .length = source->length,
                    .values = source->values,
                    .dictionary = &cache->as_dictionary};
    if (cache->remap != NULL) {
        uint32_t *codes = ARENA_NEW(self->run->scratch, uint32_t, source->length + 1);
        if (codes == NULL) {
            return no_memory(self);
        }
        gather_codes(sizeof(uint32_t), cache->remap, source->values, source->length, codes);
        out->values = codes;
    }
    return set_validity(self, source, out);
}

static firn_status rows_as_values(const lifted_call *self, const column *source, column *out) {
    entry_cache *cache = &self->state->cache;
    TRY(column_new(self->run->scratch, self->node->type, source->length, out, self->run->err));
    if (type_physical(out->type) == PHYSICAL_BIT) {
        bits_of_codes(cache->results.values, cache->size, source->values, source->length,
                      COLUMN_OUT(out, uint64_t));
    } else {
        gather_codes(physical_size(type_physical(out->type)), cache->results.values, source->values,
                     source->length, COLUMN_OUT(out, uint8_t));
    }
    return set_validity(self, source, out);
}

// Rows of entries that failed, to the TRY around.
static firn_status report_failures(const lifted_call *self, const column *source) {
    const entry_cache *cache = &self->state->cache;
    if (cache->has_failed == NULL || !is_under_try(self)) {
        return FIRN_OK;
    }
    uint64_t *failures = failures_of_try(self);
    if (failures == NULL) {
        return no_memory(self);
    }
    const uint32_t *codes = source->values;
    for (uint32_t row = 0; row < source->length; row++) {
        const bool is_valid = source->validity == NULL || bitmap_get(source->validity, row);
        if (is_valid && bitmap_get(cache->has_failed, codes[row])) {
            bitmap_set(failures, row);
        }
    }
    return FIRN_OK;
}

static bool goes_on_as_dictionary(const lifted_call *self) {
    return type_physical(self->node->type) == PHYSICAL_STRING ||
           ((self->info->flags & FUNCTION_DICTIONARY) != 0 &&
            type_physical(self->node->type) != PHYSICAL_BIT);
}

static firn_status call_dictionary(const lifted_call *self, column *out, bool *is_everywhere) {
    const column *source = self->args[self->varying_at];
    const dictionary *entries = source->dictionary;
    entry_cache *cache = &self->state->cache;
    if (cache->identity != entries->identity || cache->size != entries->size) {
        TRY(open_cache(self, entries));
    }
    if (!cache->is_complete) {
        uint64_t *missing;
        uint32_t count;
        TRY(find_missing(self, &missing, &count));
        const bool wants_all = !can_fail(self) && cache->asked_rows >= cache->size;
        if (wants_all) {
            bits_not(cache->is_known, cache->size, missing);
            count = (uint32_t)bitmap_count(missing, cache->size);
        }
        if (count > 0) {
            TRY(call_entries(self, missing, count));
        }
        cache->is_complete = bits_all(cache->is_known, cache->size);
        if (cache->is_complete && goes_on_as_dictionary(self)) {
            TRY(make_dictionary(self));
        }
    }
    TRY(report_failures(self, source));
    *is_everywhere = cache->is_complete;
    return cache->has_dictionary ? rows_as_dictionary(self, source, out)
                                 : rows_as_values(self, source, out);
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
           (!can_fail(self) || (scope_is_all(self->scope) && !tolerates(self)));
}

static firn_status gather_args(lifted_call *self, bool *is_null) {
    self->args = ARENA_NEW(self->run->scratch, const column *, self->info->arg_count + 1);
    if (self->args == NULL) {
        return no_memory(self);
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
        return no_memory(self);
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
                   : call_dictionary(&self, out, is_everywhere);
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

// ---- Making flat -----------------------------------------------------------------------------

firn_status lift_relabel(const expr_run_call *run, const column *value, const type *to,
                         column *out) {
    *out = *value;
    out->type = to;
    if (to->child_count > 0) {
        column *children = ARENA_NEW(run->scratch, column, to->child_count);
        if (children == NULL) {
            return ARENA_FULL(run->scratch, run->err);
        }
        for (uint32_t i = 0; i < to->child_count; i++) {
            TRY(lift_relabel(run, &value->children[i], to->children[i].type, &children[i]));
        }
        out->children = children;
    }
    if (value->form == FORM_DICTIONARY) {
        dictionary *entries = ARENA_NEW(run->scratch, dictionary, 1);
        column *values = ARENA_NEW(run->scratch, column, 1);
        if (entries == NULL || values == NULL) {
            return ARENA_FULL(run->scratch, run->err);
        }
        *entries = *value->dictionary;
        TRY(lift_relabel(run, entries->values, to, values));
        entries->values = values;
        out->dictionary = entries;
    }
    return FIRN_OK;
}

// A narrow decimal in its declared width.
static firn_status widen_decimal(const expr_run_call *run, const column *value,
                                 const type *declared, column *out) {
    *out = *value;
    out->type = declared;
    const uint32_t count = value->form == FORM_CONSTANT ? 1 : value->length;
    const int64_t *narrow = value->values;
    if (type_physical(declared) == PHYSICAL_I128) {
        i128 *wide = ARENA_NEW(run->scratch, i128, count + 1);
        for (uint32_t i = 0; wide != NULL && i < count; i++) {
            wide[i] = narrow[i];
        }
        out->values = wide;
    } else {
        i256 *wide = ARENA_NEW(run->scratch, i256, count + 1);
        for (uint32_t i = 0; wide != NULL && i < count; i++) {
            wide[i] = i256_from_i64(narrow[i]);
        }
        out->values = wide;
    }
    return out->values == NULL ? ARENA_FULL(run->scratch, run->err) : FIRN_OK;
}

// The rows of a sparse scope from a dictionary; other lanes are zero.
static firn_status decode_rows(const expr_run_call *run, const column *value, row_scope *scope,
                               column *out) {
    const uint32_t width = physical_size(type_physical(value->type));
    const uint16_t *rows = scope_rows(scope, run->scratch);
    if (rows == NULL) {
        return ARENA_FULL(run->scratch, run->err);
    }
    TRY(column_new(run->scratch, value->type, value->length, out, run->err));
    memset(COLUMN_OUT(out, uint8_t), 0, (size_t)width * value->length);
    if (value->validity != NULL) { // Codes of NULLs may name no entry.
        uint16_t *valid = ARENA_NEW(run->scratch, uint16_t, scope->count + 1);
        if (valid == NULL) {
            return ARENA_FULL(run->scratch, run->err);
        }
        const uint32_t count = bits_filter_rows(value->validity, true, rows, scope->count, valid);
        gather_codes_rows(width, value->dictionary->values->values, value->values, valid, count,
                          COLUMN_OUT(out, uint8_t));
        out->validity = value->validity;
        return FIRN_OK;
    }
    gather_codes_rows(width, value->dictionary->values->values, value->values, rows, scope->count,
                      COLUMN_OUT(out, uint8_t));
    return FIRN_OK;
}

static firn_status decode(const expr_run_call *run, const column *value, row_scope *scope,
                          column *out, bool *is_everywhere) {
    const uint32_t width = physical_size(type_physical(value->type));
    const bool is_plain = value->form == FORM_DICTIONARY && width > 0 && value->children == NULL &&
                          value->dictionary->values->children == NULL;
    if (is_plain && !scope_is_dense(scope)) {
        *is_everywhere = false;
        run->state->values_decoded += scope->count;
        return decode_rows(run, value, scope, out);
    }
    *is_everywhere = true;
    run->state->values_decoded += value->length;
    if (is_plain && value->dictionary->size > 0) {
        TRY(column_new(run->scratch, value->type, value->length, out, run->err));
        gather_codes(width, value->dictionary->values->values, value->values, value->length,
                     COLUMN_OUT(out, uint8_t));
        out->validity = value->validity;
        return FIRN_OK;
    }
    return column_flatten(run->scratch, value, out, run->err);
}

firn_status lift_flatten(const expr_run_call *run, const program_node *node, const column *value,
                         row_scope *scope, column *out, bool *is_everywhere) {
    *is_everywhere = true;
    column flat = *value;
    if (value->form > FORM_CONSTANT) {
        TRY(decode(run, value, scope, &flat, is_everywhere));
    }
    if (flat.type->precision != node->type->precision) {
        return widen_decimal(run, &flat, node->type, out);
    }
    *out = flat;
    return FIRN_OK;
}
