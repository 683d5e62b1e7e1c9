// A call of one dictionary: once for each of its entries that occurs, kept while the dictionary
// stays; then a row is its entry's result.
#include "expr/lift_private.h"
#include "kernels/gather.h"
#include "kernels/hash_column.h"

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
        return lift_full(self);
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
                            .is_packed = count < size / LIFT_PACKED_SHARE};
    if (out->numbers == NULL) {
        return lift_full(self);
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
        lift_tolerates(self) ? ARENA_NEW(scratch, uint64_t, BITMAP_WORDS(length) + 1) : NULL;
    if (args == NULL || values == NULL || (lift_tolerates(self) && failed == NULL)) {
        return lift_full(self);
    }
    if (failed != NULL) {
        bits_clear(failed, length);
    }
    *values = *self->args[self->varying_at]->dictionary->values;
    if (entries.is_packed) {
        TRY(column_take(scratch, self->args[self->varying_at]->dictionary->values, entries.numbers,
                        count, values, self->run->err));
    }
    column *constants = ARENA_NEW(scratch, column, self->info->arg_count + 1);
    if (constants == NULL) {
        return lift_full(self);
    }
    for (uint32_t i = 0; i < self->info->arg_count; i++) {
        constants[i] = *self->args[i];
        constants[i].length = length;
        args[i] = i == self->varying_at ? values : &constants[i];
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
        return lift_full(self);
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
        return lift_full(self);
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
            return lift_full(self);
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
    if (cache->has_failed == NULL || !lift_is_under_try(self)) {
        return FIRN_OK;
    }
    uint64_t *failures = lift_failures_of_try(self);
    if (failures == NULL) {
        return lift_full(self);
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

firn_status lift_dictionary(const lifted_call *self, column *out, bool *is_everywhere) {
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
        const bool wants_all = !lift_can_fail(self) && cache->asked_rows >= cache->size;
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
