// Groups found by their key itself instead of its hash: the one key is an integer, or several keys
// have numbers (key_numbers.h).
//
//     key ─► chunk key >> shift ─► page of entries, or none yet ─► row of the group, or none yet
//
// An entry has 32 bits: the number of the row's page in a list, and where on it the row begins.
// Chunks are pages of the table's keeper and come when a first key falls into them, so what is
// counted is what is used, whatever the range. Nothing is believed about the range: the caller says
// how many entries it is willing to have, and learns when the keys would need more.
#include <assert.h>

#include "exec/aggregate/group_hash.h"

#define CHUNKS_MIN UINT64_C(64)
#define CHUNKS_MAX (UINT64_C(1) << 16)
#define CHUNK 512   // Rows at a time.
#define TURNS_MAX 4 // To number the rows of a batch.
// Entries. Rows are 8-aligned and begin behind the page's header, so none is 0.
#define PLACE_BITS 13 // Of PAGE_BYTES_MAX / 8.
#define PAGE_LIMIT ((UINT64_C(1) << (32 - PLACE_BITS)) - 1)
#define PENDING UINT32_MAX // A group that is being made.

static bool is_integer(const type *key) {
    return type_physical(key) != PHYSICAL_BIT && type_physical(key) != PHYSICAL_STRING &&
           key_numbers_take(key);
}

bool group_direct_takes(const type *const *keys, uint32_t count) {
    bool takes = count > 0;
    for (uint32_t i = 0; i < count; i++) {
        takes = takes && key_numbers_take(keys[i]);
    }
    return takes;
}

// ---- Entries -----------------------------------------------------------------------------------

static uint8_t *row_of(const group_direct *self, uint32_t entry) {
    const uint32_t place = entry & ((1u << PLACE_BITS) - 1);
    return self->pages[entry >> PLACE_BITS] + (size_t)place * 8;
}

// The entry of a row; most follow others of the same page. 0 if there are too many pages.
static uint32_t entry_of(group_table *self, uint8_t *row) {
    group_direct *direct = &self->direct;
    const size_t place = (uintptr_t)row & (self->store->page_size - 1);
    uint8_t *page = row - place;
    if (direct->page_count == 0 || direct->pages[direct->page_count - 1] != page) {
        if (direct->page_count == direct->page_capacity) {
            const uint64_t capacity = direct->page_capacity == 0 ? 64 : direct->page_capacity * 2;
            uint8_t **pages = ARENA_NEW(&self->memory, uint8_t *, capacity);
            if (pages == NULL || direct->page_count >= PAGE_LIMIT) {
                return 0;
            }
            if (direct->page_count > 0) {
                memcpy(pages, direct->pages, direct->page_count * sizeof *pages);
            }
            direct->pages = pages;
            direct->page_capacity = capacity;
        }
        direct->pages[direct->page_count++] = page;
    }
    return (uint32_t)((direct->page_count - 1) << PLACE_BITS | place / 8);
}

// ---- Chunks ------------------------------------------------------------------------------------

void group_direct_end(group_table *self) {
    group_direct *direct = &self->direct;
    for (uint64_t i = 0; i < direct->chunk_count; i++) {
        page_put(self->store->keeper, direct->chunks[i]);
        direct->chunks[i] = NULL;
    }
    direct->used_count = 0;
    direct->page_count = 0;
    direct->null_entry = 0;
    direct->is_on = false;
}

static int64_t chunk_number(const group_direct *self, int64_t key) {
    return key >> self->shift;
}

// The list of chunks reaches from the one of `low` to the one of `high`, and beyond towards the
// side to which it grows. False if that is too far apart or the arena is full.
static bool cover(group_table *table, int64_t low, int64_t high) {
    group_direct *self = &table->direct;
    const int64_t end = self->first + (int64_t)self->chunk_count;
    const bool is_new = self->chunk_count == 0;
    int64_t first = chunk_number(self, low);
    int64_t last = chunk_number(self, high);
    if (!is_new && first >= self->first && last < end) {
        return true;
    }
    first = is_new || first < self->first ? first : self->first;
    last = is_new || last >= end ? last : end - 1;
    const uint64_t wanted = (uint64_t)(last - first) + 1; // Chunk numbers have 52 bits.
    if (wanted > CHUNKS_MAX) {
        return false;
    }
    uint64_t count = CHUNKS_MIN;
    while (count < wanted + wanted / 2) {
        count *= 2;
    }
    uint32_t **chunks = ARENA_NEW(&table->memory, uint32_t *, count);
    if (chunks == NULL) {
        return false;
    }
    if (!is_new && first < self->first) { // Grows downwards.
        first -= (int64_t)(count - wanted);
    }
    memset(chunks, 0, count * sizeof *chunks);
    if (!is_new) {
        memcpy(chunks + (self->first - first), self->chunks, self->chunk_count * sizeof *chunks);
    }
    self->chunks = chunks;
    self->chunk_count = count;
    self->first = first;
    return true;
}

// Where the entry of a key is; NULL if its chunk is not there.
static ALWAYS_INLINE uint32_t *slot_of(const group_direct *self, int64_t key) {
    uint32_t *chunk = self->chunks[chunk_number(self, key) - self->first];
    return chunk == NULL ? NULL : chunk + ((uint64_t)key & self->mask);
}

// The same; its chunk is made if need be. NULL if memory is refused or it would be one too many.
static uint32_t *make_slot(group_table *self, int64_t key) {
    group_direct *direct = &self->direct;
    uint32_t **chunk = &direct->chunks[chunk_number(direct, key) - direct->first];
    if (*chunk == NULL) {
        if ((direct->used_count + 1) * (direct->mask + 1) > direct->slot_max) {
            return NULL;
        }
        *chunk = page_get(self->store->keeper);
        if (*chunk == NULL) {
            return NULL;
        }
        memset(*chunk, 0, (direct->mask + 1) * sizeof **chunk);
        direct->used_count++;
    }
    return *chunk + ((uint64_t)key & direct->mask);
}

// ---- Keys --------------------------------------------------------------------------------------

// The one key of the rows of a look-up as it is; a NULL's lane holds any value.
static firn_status integer_keys(const group_lookup *call, int64_t *out, arena *scratch,
                                firn_error *err) {
    const column *key = &call->columns[0];
    uint32_t *lanes = ARENA_NEW(scratch, uint32_t, (size_t)call->count + 1);
    if (lanes == NULL) {
        return ARENA_FULL(scratch, err);
    }
    const uint32_t *codes = key->form == FORM_DICTIONARY ? key->values : NULL;
    for (uint32_t k = 0; k < call->count; k++) {
        lanes[k] = call->rows == NULL ? k : call->rows[k];
    }
    for (uint32_t k = 0; k < call->count && codes != NULL; k++) {
        lanes[k] = codes[lanes[k]];
    }
    if (key->form == FORM_CONSTANT) {
        memset(lanes, 0, call->count * sizeof *lanes);
    }
    const column *values = codes != NULL ? key->dictionary->values : key;
    if (values->length == 0) { // All are NULL.
        memset(out, 0, call->count * sizeof *out);
        return FIRN_OK;
    }
    key_widen(type_physical(key->type), values->values, lanes, call->count, out);
    return FIRN_OK;
}

// The keys of the rows of a look-up as numbers.
static firn_status keys_of(const group_table *self, const group_lookup *call, int64_t **out,
                           key_answer *answer, arena *scratch, firn_error *err) {
    *out = ARENA_NEW(scratch, int64_t, (size_t)call->count + 1);
    *answer = KEYS_NUMBERED;
    if (*out == NULL) {
        return ARENA_FULL(scratch, err);
    }
    if (self->direct.numbers == NULL) {
        return integer_keys(call, *out, scratch, err);
    }
    const key_rows rows = {.columns = call->columns,
                           .rows = call->rows,
                           .count = call->count,
                           .allows_text = call->allows_text};
    return key_numbers_of(self->direct.numbers, &rows, *out, answer, scratch, err);
}

static ALWAYS_INLINE bool is_null(const group_lookup *call, uint32_t k) {
    const uint32_t row = call->rows == NULL ? k : call->rows[k];
    return !column_is_valid(&call->columns[0], row);
}

// Whether NULL has to be told from the keys: in numbers it is one.
static bool has_nulls(const group_table *self, const group_lookup *call) {
    return self->direct.numbers == NULL && call->columns[0].validity != NULL;
}

// ---- Groups that are there ---------------------------------------------------------------------

static firn_status gather_keys(const group_table *self, const group_absorbing *call,
                               group_lookup *out, arena *scratch, firn_error *err) {
    column *columns = ARENA_NEW(scratch, column, self->key_count);
    if (columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < self->key_count; i++) {
        TRY(rows_gather(self->store, i, (const uint8_t *const *)call->rows, call->count, scratch,
                        &columns[i], err));
    }
    *out = (group_lookup){.columns = columns, .count = call->count, .allows_text = true};
    return FIRN_OK;
}

// Puts rows into their places, or finds the groups that are there.
static void absorb_keys(group_table *self, group_absorbing *call, const group_lookup *rows,
                        const int64_t *keys) {
    const bool tells_null = has_nulls(self, rows);
    for (uint32_t k = 0; k < call->count; k++) {
        uint32_t *slot = &self->direct.null_entry;
        if (!tells_null || !is_null(rows, k)) {
            slot = cover(self, keys[k], keys[k]) ? make_slot(self, keys[k]) : NULL;
        }
        if (slot == NULL) {
            return;
        }
        call->is_fresh[k] = *slot == 0;
        if (*slot != 0) {
            row_hash_set(call->rows[k], 0);
        } else {
            *slot = entry_of(self, call->rows[k]);
            if (*slot == 0) {
                return;
            }
            self->group_count++;
        }
        call->groups[k] = row_of(&self->direct, *slot);
        call->done++;
    }
}

// Visits all groups: learns their numbers, or puts them into their places. *fits is false if there
// is no room for them.
static firn_status visit_all(group_table *self, bool places, bool *fits, arena *scratch,
                             firn_error *err) {
    uint8_t *rows[CHUNK];
    uint8_t *groups[CHUNK];
    bool is_fresh[CHUNK];
    group_cursor cursor = {0};
    *fits = true;
    for (uint32_t n; *fits && (n = group_table_next(self, &cursor, rows, CHUNK)) > 0;) {
        group_absorbing call = {.rows = rows, .count = n, .groups = groups, .is_fresh = is_fresh};
        const arena_mark mark = arena_mark_take(scratch);
        group_lookup keys;
        int64_t *numbers;
        key_answer answer;
        TRY(gather_keys(self, &call, &keys, scratch, err));
        TRY(keys_of(self, &keys, &numbers, &answer, scratch, err));
        if (places && answer == KEYS_NUMBERED) {
            absorb_keys(self, &call, &keys, numbers);
        }
        *fits = answer != KEYS_TOO_MANY && (!places || call.done == n);
        arena_rewind(scratch, mark);
    }
    return FIRN_OK;
}

// Puts all groups of the table into their places, where others may have been before.
static firn_status index_all(group_table *self, bool *fits, arena *scratch, firn_error *err) {
    const uint64_t group_count = self->group_count;
    group_direct_end(self);
    self->direct.is_on = true;
    *fits = true;
    if (self->direct.numbers != NULL) {
        TRY(visit_all(self, false, fits, scratch, err));
    }
    if (*fits) {
        TRY(visit_all(self, true, fits, scratch, err));
    }
    self->group_count = group_count;
    return FIRN_OK;
}

// The numbers of rows, whatever groups have to move for them. *fits is false if that cannot be.
static firn_status settle_keys(group_table *self, const group_lookup *call, int64_t **out,
                               bool *fits, arena *scratch, firn_error *err) {
    key_answer answer = KEYS_MOVED;
    *fits = true;
    for (uint32_t turn = 0; answer == KEYS_MOVED && *fits && turn < TURNS_MAX; turn++) {
        TRY(keys_of(self, call, out, &answer, scratch, err));
        if (answer == KEYS_MOVED) {
            TRY(index_all(self, fits, scratch, err));
        }
    }
    *fits = *fits && answer == KEYS_NUMBERED;
    return FIRN_OK;
}

firn_status group_direct_learn(group_table *self, const group_absorbing *call, bool *fits,
                               arena *scratch, firn_error *err) {
    group_lookup rows;
    int64_t *keys;
    TRY(gather_keys(self, call, &rows, scratch, err));
    return settle_keys(self, &rows, &keys, fits, scratch, err);
}

firn_status group_direct_absorb(group_table *self, group_absorbing *call, arena *scratch,
                                firn_error *err) {
    group_lookup rows;
    int64_t *keys;
    key_answer answer;
    call->done = 0;
    TRY(gather_keys(self, call, &rows, scratch, err));
    TRY(keys_of(self, &rows, &keys, &answer, scratch, err));
    if (answer == KEYS_NUMBERED) {
        absorb_keys(self, call, &rows, keys);
    }
    return FIRN_OK;
}

firn_status group_direct_begin(group_table *self, uint64_t slot_max, bool *is_on, arena *scratch,
                               firn_error *err) {
    const type *const *types = self->store->layout->types;
    group_direct *direct = &self->direct;
    assert(group_direct_takes(types, self->key_count));
    *is_on = self->store->page_size <= PAGE_BYTES_MAX; // Entries say no place on larger ones.
    if (!*is_on) {
        return FIRN_OK;
    }
    if (direct->numbers == NULL && (self->key_count > 1 || !is_integer(types[0]))) {
        TRY(key_numbers_open(types, self->key_count, self->memory.owner, &direct->numbers, err));
    }
    const uint64_t slots = self->store->page_size / sizeof(uint32_t);
    direct->shift = (uint32_t)__builtin_ctzll(slots);
    direct->mask = slots - 1;
    direct->slot_max = slot_max;
    TRY(index_all(self, is_on, scratch, err));
    if (!*is_on) {
        group_direct_end(self);
    } else if (self->slots.data != NULL) {
        directory_close(&self->slots);
        self->slot_count = 0;
    }
    return FIRN_OK;
}

// ---- Rows of batches ---------------------------------------------------------------------------

typedef struct finding {
    group_table *table;
    group_lookup *call;
    const int64_t *keys;
    uint16_t *missing; // Rows without a group so far.
    uint32_t **slots;  // Where their entries are.
    uint32_t missing_count;
    uint16_t *made; // Which of them make a group, by number in `missing`.
    uint16_t *numbers;
    uint32_t made_count;
} finding;

// Makes the list of chunks reach over all keys. False if they are too far apart.
static bool cover_all(finding *self, bool tells_null) {
    int64_t low = INT64_MAX;
    int64_t high = INT64_MIN;
    for (uint32_t k = 0; k < self->call->count; k++) {
        const bool counts = !tells_null || !is_null(self->call, k);
        low = counts && self->keys[k] < low ? self->keys[k] : low;
        high = counts && self->keys[k] > high ? self->keys[k] : high;
    }
    return low > high || cover(self->table, low, high);
}

// Groups of rows whose groups are there; the others are listed.
static ALWAYS_INLINE void look_up(finding *self, bool tells_null) {
    const group_direct *direct = &self->table->direct;
    uint8_t **groups = self->call->groups;
    uint32_t missing_count = 0;
    for (uint32_t k = 0; k < self->call->count; k++) {
        uint32_t entry = direct->null_entry;
        if (!tells_null || !is_null(self->call, k)) {
            const uint32_t *slot = slot_of(direct, self->keys[k]);
            entry = slot == NULL ? 0 : *slot;
        }
        self->missing[missing_count] = (uint16_t)k;
        missing_count += entry == 0;
        groups[k] = entry == 0 ? NULL : row_of(direct, entry);
    }
    self->missing_count = missing_count;
}

// Chooses a row for each group that is to be made.
static void choose_made(finding *self, bool tells_null) {
    group_direct *direct = &self->table->direct;
    for (uint32_t i = 0; i < self->missing_count; i++) {
        const uint16_t k = self->missing[i];
        uint32_t *slot = &direct->null_entry;
        if (!tells_null || !is_null(self->call, k)) {
            slot = make_slot(self->table, self->keys[k]);
        }
        self->slots[i] = slot;
        if (slot != NULL && *slot == 0) {
            *slot = PENDING;
            self->made[self->made_count] = (uint16_t)i;
            self->numbers[self->made_count++] = self->call->rows == NULL ? k : self->call->rows[k];
        }
    }
}

static firn_status make_groups(finding *self, arena *scratch, firn_error *err) {
    group_lookup *call = self->call;
    const uint32_t count = self->made_count;
    uint64_t *hashes = ARENA_NEW(scratch, uint64_t, (size_t)count + 1);
    uint8_t **places = ARENA_NEW(scratch, uint8_t *, (size_t)count + 1);
    const bool is_hashed =
        hashes != NULL && (call->hash_rows != NULL
                               ? call->hash_rows(call->user, self->numbers, count, scratch, hashes)
                               : group_hash_rows(call->columns, self->table->key_count,
                                                 self->numbers, count, scratch, hashes));
    if (!is_hashed || places == NULL) {
        return ARENA_FULL(scratch, err);
    }
    row_input in = {
        .columns = call->columns, .rows = self->numbers, .count = count, .hashes = hashes};
    TRY(row_writer_append(&self->table->rows, &in, places, scratch, err));
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t entry = i < in.next ? entry_of(self->table, places[i]) : 0;
        *self->slots[self->made[i]] = entry;
        call->fresh[call->fresh_count] = self->missing[self->made[i]];
        call->fresh_count += entry != 0;
        if (i < in.next && entry == 0) { // No room in the list of pages: no group after all.
            row_hash_set(places[i], 0);
        }
    }
    self->table->group_count += call->fresh_count;
    for (uint32_t i = 0; i < self->missing_count; i++) {
        const uint32_t entry = self->slots[i] == NULL ? 0 : *self->slots[i];
        uint8_t **group = &call->groups[self->missing[i]];
        *group = entry == 0 ? NULL : row_of(&self->table->direct, entry);
        call->missing_count += entry == 0;
    }
    return FIRN_OK;
}

firn_status group_direct_find(group_table *self, group_lookup *call, uint64_t slot_max, bool *fits,
                              arena *scratch, firn_error *err) {
    assert(self->direct.is_on && call->count <= UINT16_MAX);
    const bool tells_null = has_nulls(self, call);
    const size_t count = (size_t)call->count + 1;
    int64_t *keys;
    self->direct.slot_max = slot_max;
    call->fresh_count = 0;
    call->missing_count = 0;
    TRY(settle_keys(self, call, &keys, fits, scratch, err));
    finding state = {.table = self, .call = call, .keys = keys};
    state.missing = ARENA_NEW(scratch, uint16_t, count);
    if (state.missing == NULL) {
        return ARENA_FULL(scratch, err);
    }
    *fits = *fits && cover_all(&state, tells_null);
    if (!*fits) {
        return FIRN_OK;
    }
    if (tells_null) {
        look_up(&state, true);
    } else {
        look_up(&state, false);
    }
    if (state.missing_count == 0 || call->finds_only) {
        call->missing_count = state.missing_count;
        return FIRN_OK;
    }
    state.slots = ARENA_NEW(scratch, uint32_t *, count);
    state.made = ARENA_NEW(scratch, uint16_t, count);
    state.numbers = ARENA_NEW(scratch, uint16_t, count);
    if (state.slots == NULL || state.made == NULL || state.numbers == NULL) {
        return ARENA_FULL(scratch, err);
    }
    choose_made(&state, tells_null);
    return make_groups(&state, scratch, err);
}
