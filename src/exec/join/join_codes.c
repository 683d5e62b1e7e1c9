#include "exec/join/join_codes.h"

#include <assert.h>

#define ENTRIES_MAX UINT32_C(32768) // 256 KiB.
#define CAPACITY_MIN UINT32_C(512)

static const uint8_t unasked; // Its address stands for the row of an entry that nobody asked for.

join_codes join_codes_open(join_state *state, const join_table *table, arena *memory) {
    const bool is_whole = table == &state->table; // Not block by block.
    return (join_codes){.state = state, .table = is_whole ? table : NULL, .memory = memory};
}

// Whether the join is of the kind that is taken.
static bool takes_join(const join_codes *self) {
    const join_table *table = self->table;
    const join_plan *plan = &self->state->plan;
    return table != NULL && table->lookup == JOIN_LOOKUP_HASH && !table->has_spilled &&
           !self->state->decides_by_group && plan->right.key_count == 1 && !plan->null_equal[0];
}

// Forgets what it knows, unless the dictionary is the same. False: it is none that is taken.
static bool begin(join_codes *self, const column *key) {
    const dictionary *entries = key->form == FORM_DICTIONARY ? key->dictionary : NULL;
    if (entries == NULL || entries->identity == 0 || entries->size > ENTRIES_MAX) {
        return false;
    }
    if (self->identity == entries->identity) {
        return true;
    }
    self->identity = 0;
    if (entries->size > self->capacity) {
        uint32_t capacity = self->capacity == 0 ? CAPACITY_MIN : self->capacity;
        while (capacity < entries->size) {
            capacity *= 4;
        }
        self->rows = ARENA_NEW(self->memory, const uint8_t *, capacity);
        self->capacity = self->rows == NULL ? 0 : capacity;
        if (self->rows == NULL) {
            return false;
        }
    }
    for (uint32_t i = 0; i < entries->size; i++) {
        self->rows[i] = &unasked;
    }
    self->identity = entries->identity;
    return true;
}

// Entries that look for their rows.
typedef struct asking {
    column key;            // One row an entry.
    uint32_t *codes;       // Of the k-th,
    uint64_t *hashes;      // its hash,
    const uint8_t **heads; // and where its chain goes on.
    uint32_t count;
    uint16_t *lanes; // Of candidates: k,
    const uint8_t **rows;
    uint16_t *numbers;
} asking;

static bool open_asking(asking *self, const column *key, uint32_t count, arena *scratch) {
    self->codes = ARENA_NEW(scratch, uint32_t, (size_t)count + 1);
    self->hashes = ARENA_NEW(scratch, uint64_t, (size_t)count + 1);
    self->heads = ARENA_NEW(scratch, const uint8_t *, (size_t)count + 1);
    self->lanes = ARENA_NEW(scratch, uint16_t, (size_t)count + 1);
    self->rows = ARENA_NEW(scratch, const uint8_t *, (size_t)count + 1);
    self->numbers = ARENA_NEW(scratch, uint16_t, (size_t)count + 1);
    self->key = (column){.type = key->type,
                         .form = FORM_DICTIONARY,
                         .values = self->codes,
                         .dictionary = key->dictionary};
    return self->codes != NULL && self->hashes != NULL && self->heads != NULL &&
           self->lanes != NULL && self->rows != NULL && self->numbers != NULL;
}

// The next row of each chain that has the entry's hash; how many there are.
static uint32_t next_candidates(const join_codes *self, asking *from) {
    const row_layout *layout = &self->state->plan.right.layout;
    uint32_t count = 0;
    for (uint32_t k = 0; k < from->count; k++) {
        const uint8_t *row = from->heads[k];
        while (row != NULL && row_hash(row) != from->hashes[k]) {
            row = join_next(layout, row);
        }
        from->heads[k] = row == NULL ? NULL : join_next(layout, row);
        from->lanes[count] = (uint16_t)k;
        from->rows[count] = row;
        from->numbers[count] = (uint16_t)count;
        count += row != NULL;
    }
    return count;
}

// Follows the chains to their ends. *is_shared: an entry has two rows.
static firn_status ask(join_codes *self, asking *from, bool *is_shared, arena *scratch,
                       firn_error *err) {
    for (uint32_t k = 0; k < from->count; k++) {
        from->lanes[k] = (uint16_t)k;
    }
    TRY(join_state_hash(self->state, &from->key, from->lanes, from->count, scratch, from->hashes,
                        err));
    join_table_heads(self->table, from->hashes, from->count, from->heads);
    for (uint32_t n; !*is_shared && (n = next_candidates(self, from)) > 0;) {
        const row_pairs pairs = {.store = &self->state->rows,
                                 .key_count = 1,
                                 .keys = &from->key,
                                 .null_equal = self->state->plan.null_equal,
                                 .rows = from->rows,
                                 .lanes = from->lanes};
        uint32_t equal;
        TRY(rows_match(&pairs, from->numbers, n, NULL, &equal, scratch, err));
        for (uint32_t i = 0; i < equal; i++) {
            const uint16_t at = from->numbers[i];
            const uint8_t **row = &self->rows[from->codes[from->lanes[at]]];
            *is_shared |= *row != NULL;
            *row = from->rows[at];
        }
    }
    return FIRN_OK;
}

// Asks for the entries that nobody asked for yet.
static firn_status ask_fresh(join_codes *self, const column *key, const uint16_t *lanes,
                             uint32_t count, bool *is_shared, arena *scratch, firn_error *err) {
    const uint32_t *codes = key->values;
    const arena_mark mark = arena_mark_take(scratch);
    asking fresh = {.count = 0};
    for (uint32_t k = 0; k < count; k++) {
        const uint32_t code = codes[lanes[k]];
        if (self->rows[code] != &unasked) {
            continue;
        }
        if (fresh.codes == NULL && !open_asking(&fresh, key, count - k, scratch)) {
            return ARENA_FULL(scratch, err);
        }
        self->rows[code] = NULL;
        fresh.codes[fresh.count++] = code;
    }
    fresh.key.length = fresh.count;
    if (fresh.count > 0) {
        TRY(ask(self, &fresh, is_shared, scratch, err));
    }
    arena_rewind(scratch, mark);
    return FIRN_OK;
}

firn_status join_codes_find(join_codes *self, const column *key, const join_lanes *of,
                            const uint8_t **heads, bool *is_done, arena *scratch, firn_error *err) {
    *is_done = false;
    if (!takes_join(self) || !begin(self, key)) {
        return FIRN_OK;
    }
    bool is_shared = false;
    const firn_status status = ask_fresh(self, key, of->lanes, of->count, &is_shared, scratch, err);
    if (status != FIRN_OK || is_shared) {
        self->table = NULL;
        return status;
    }
    const uint32_t *codes = key->values;
    for (uint32_t k = 0; k < of->count; k++) {
        heads[k] = self->rows[codes[of->lanes[k]]];
    }
    *is_done = true;
    return FIRN_OK;
}
