// Arguments that are dictionary codes: a group's rows are counted by code, and the aggregate sees
// each entry once. Nothing is decoded. Without groups, those that do not care how often a value
// comes (min, max) see the entries of a dictionary that were not seen before.
#include "exec/aggregate/aggregation.h"

#define ENTRIES_MAX UINT32_C(4096)
#define ROWS_AN_ENTRY 2 // So many rows at least, or each is an entry of its own.

// Which entries the rows have, and how often.
struct aggregate_codes {
    const uint16_t *rows; // Of what rows: those of the last question.
    uint32_t row_count;
    uint16_t *entries;
    uint32_t *counts; // NULL: one each.
    uint32_t entry_count;
};

static bool is_same_if_repeated(const aggregate_slot *slot) {
    return (slot->call->aggregate_.function->flags & AGGREGATE_DISTINCT_IS_SAME) != 0;
}

// Whether the state needs each entry once only, of all rows.
static bool takes_entries_once(const aggregate_context *self, const aggregate_slot *slot) {
    return is_same_if_repeated(slot) && !self->shape->has_groups;
}

static bool may_count(const aggregate_context *self, const aggregate_slot *slot,
                      const aggregate_values *values, const aggregate_rows *rows) {
    if (rows->groups != NULL || slot->arg_count != 1 || !slot->skips_nulls ||
        slot->overload->update_one == NULL ||
        (slot->overload->update_counted == NULL && !is_same_if_repeated(slot))) {
        return false;
    }
    const column *arg = &values->columns[slot->args[0]];
    return arg->form == FORM_DICTIONARY && !values->is_flat[slot->args[0]] &&
           arg->dictionary->size <=
               (takes_entries_once(self, slot) ? SEEN_COMBINATIONS_MAX : ENTRIES_MAX);
}

static uint32_t row_at(const aggregate_rows *rows, uint32_t k) {
    return rows->rows == NULL ? k : rows->rows[k];
}

// Few rows: their codes one by one.
static void list_codes(const uint32_t *codes, const aggregate_rows *rows, aggregate_codes *out) {
    for (uint32_t k = 0; k < rows->count; k++) {
        out->entries[k] = (uint16_t)codes[row_at(rows, k)];
    }
    out->counts = NULL;
    out->entry_count = rows->count;
}

// Many: the entries that occur, in order. Counts of all entries become those of the listed ones.
static void count_entries(const uint32_t *codes, const aggregate_rows *rows, uint32_t size,
                          aggregate_codes *out) {
    memset(out->counts, 0, size * sizeof *out->counts);
    for (uint32_t k = 0; k < rows->count; k++) {
        out->counts[codes[row_at(rows, k)]]++;
    }
    out->entry_count = 0;
    for (uint32_t entry = 0; entry < size; entry++) {
        const uint32_t count = out->counts[entry];
        out->entries[out->entry_count] = (uint16_t)entry;
        out->counts[out->entry_count] = count;
        out->entry_count += count > 0;
    }
}

static firn_status count_codes(const aggregate_context *self, const column *arg,
                               const aggregate_rows *rows, aggregate_codes *out) {
    const uint32_t size = arg->dictionary->size;
    const bool counts_them = size <= rows->count / ROWS_AN_ENTRY;
    const size_t most = (counts_them ? size : rows->count) + (size_t)1;
    out->rows = rows->rows;
    out->row_count = rows->count;
    out->entries = ARENA_NEW(self->scratch, uint16_t, most);
    if (out->entries == NULL) {
        return ARENA_FULL(self->scratch, self->err);
    }
    if (!counts_them) {
        list_codes(arg->values, rows, out);
        return FIRN_OK;
    }
    out->counts = ARENA_NEW(self->scratch, uint32_t, most);
    if (out->counts == NULL) {
        return ARENA_FULL(self->scratch, self->err);
    }
    count_entries(arg->values, rows, size, out);
    return FIRN_OK;
}

// The codes of an argument; several aggregates of one column ask for them.
static firn_status codes_of(const aggregate_context *self, aggregate_values *values, uint32_t root,
                            const aggregate_rows *rows, const aggregate_codes **out) {
    aggregate_codes **held = &values->codes[root];
    if (*held == NULL) {
        *held = ARENA_NEW(self->scratch, aggregate_codes, 1);
        if (*held == NULL) {
            return ARENA_FULL(self->scratch, self->err);
        }
        **held = (aggregate_codes){.row_count = UINT32_MAX};
    }
    *out = *held;
    return (*held)->row_count == rows->count && (*held)->rows == rows->rows
               ? FIRN_OK
               : count_codes(self, &values->columns[root], rows, *held);
}

firn_status aggregate_update_codes(const aggregate_context *self, const aggregate_slot *slot,
                                   aggregate_values *values, const aggregate_rows *rows,
                                   bool *is_done) {
    *is_done = may_count(self, slot, values, rows);
    if (!*is_done) {
        return FIRN_OK;
    }
    aggregate_rows left = *rows;
    if (takes_entries_once(self, slot)) {
        seen_codes_drop(&values->taken_codes[slot - self->shape->slots],
                        &values->columns[slot->args[0]], 1, &left.rows, &left.count, self->scratch);
        if (left.count == 0) {
            return FIRN_OK;
        }
    }
    const aggregate_codes *codes;
    TRY(codes_of(self, values, slot->args[0], &left, &codes));
    const column *entries = values->columns[slot->args[0]].dictionary->values;
    aggregate_call call = aggregate_call_of(self, slot);
    call.rows = codes->entries;
    call.count = codes->entry_count;
    uint8_t *state = left.single + self->shape->table.extra_offset + slot->state_offset;
    const uint32_t done =
        slot->overload->update_counted != NULL && codes->counts != NULL
            ? slot->overload->update_counted(&call, &entries, codes->counts, state)
            : slot->overload->update_one(&call, &entries, state);
    return done == call.count ? FIRN_OK : aggregate_fail(self, slot, done);
}
