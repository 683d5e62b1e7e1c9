#include "exec/aggregate/group_hash.h"

#include <assert.h>

#include "kernels/hash_column.h"

#define SLOT_COUNT_MIN UINT64_C(1024)
#define TAG_SHIFT 24 // Bits 24 to 39: partitions take the top ones, slots the bottom ones.
#define CHUNK 512
#define PREFETCH_AHEAD 8

#define ROW_MASK ((UINT64_C(1) << 48) - 1)

static uint64_t tag_of(uint64_t hash) {
    return (hash >> TAG_SHIFT & UINT64_C(0xffff)) << 48;
}

static uint64_t entry_of(uint64_t hash, const uint8_t *row) {
    const uint64_t address = (uint64_t)(uintptr_t)row;
    assert((address & ~ROW_MASK) == 0);
    return tag_of(hash) | address;
}

static uint8_t *row_of(uint64_t entry) {
    return (uint8_t *)(uintptr_t)(entry & ROW_MASK);
}

bool group_hash_rows(const column *keys, uint32_t key_count, const uint16_t *rows, uint32_t count,
                     arena *scratch, uint64_t *out) {
    for (uint32_t k = 0; k < count && key_count == 0; k++) {
        out[k] = 1; // Without keys all rows are one group.
    }
    for (uint32_t i = 0; i < key_count; i++) {
        if (!hash_column(&keys[i], rows, count, i > 0, scratch, out)) {
            return false;
        }
    }
    for (uint32_t k = 0; k < count; k++) {
        out[k] = group_hash(out[k]);
    }
    return true;
}

firn_status group_table_open(row_store *store, uint32_t key_count, pool *query, group_table *out,
                             firn_error *err) {
    assert(store->layout->has_hash);
    *out = (group_table){.key_count = key_count, .memory = arena_open_in(query, SIZE_MAX)};
    const firn_status status = row_writer_open(store, 1, 0, &out->memory, &out->rows, err);
    if (status != FIRN_OK) {
        arena_close(&out->memory);
        return status;
    }
    out->store = store;
    out->rows.may_spill = false;
    out->rows.prefers_spares = true;
    return FIRN_OK;
}

static void close_directory(group_table *self) {
    group_direct_end(self);
    if (self->slots.data != NULL) {
        directory_close(&self->slots);
    }
    self->slot_count = 0;
}

void group_table_close_rows(group_table *self) {
    if (self->store == NULL) {
        return;
    }
    close_directory(self);
    row_pages_close(self->store, &self->rows.parts[0]);
    while (self->rows.spares != NULL) {
        row_page *page = self->rows.spares;
        self->rows.spares = page->next;
        page_put(self->store->keeper, page);
    }
    self->rows.page_count = 0;
    self->group_count = 0;
}

void group_table_close(group_table *self) {
    if (self->store == NULL) {
        return;
    }
    close_directory(self);
    row_writer_close(&self->rows);
    key_numbers_close(self->direct.numbers);
    arena_close(&self->memory);
    *self = (group_table){0};
}

// ---- The directory -----------------------------------------------------------------------------

static void insert_entry(group_table *self, uint64_t hash, const uint8_t *row) {
    uint64_t *slots = self->slots.data;
    const uint64_t mask = self->slot_count - 1;
    uint64_t slot = hash & mask;
    while (slots[slot] != 0) {
        slot = (slot + 1) & mask;
    }
    slots[slot] = entry_of(hash, row);
}

// Slots are all over the directory: those of rows to come are on their way while this one's is
// used.
static void fetch_ahead(const group_table *self, uint8_t *const *rows, uint32_t k, uint32_t count) {
    if (k + PREFETCH_AHEAD < count) {
        const uint64_t *slots = self->slots.data;
        __builtin_prefetch(&slots[row_hash(rows[k + PREFETCH_AHEAD]) & (self->slot_count - 1)]);
    }
}

static void refill(group_table *self) {
    uint8_t *rows[CHUNK];
    group_cursor cursor = {0};
    for (uint32_t n; (n = group_table_next(self, &cursor, rows, CHUNK)) > 0;) {
        for (uint32_t i = 0; i < n; i++) {
            fetch_ahead(self, rows, i, n);
            insert_entry(self, row_hash(rows[i]), rows[i]);
        }
    }
}

static bool open_slots(group_table *self, size_t size, bool is_urgent) {
    if (self->slots.data == NULL) {
        pool *keeper = self->store->keeper;
        return is_urgent ? directory_open_urgent(keeper, size, &self->slots)
                         : directory_open(keeper, size, &self->slots);
    }
    return is_urgent ? directory_regrow_urgent(&self->slots, size)
                     : directory_regrow(&self->slots, size);
}

static bool reserve(group_table *self, uint64_t more, bool is_urgent) {
    const uint64_t wanted = self->group_count + more;
    uint64_t slot_count = self->slot_count == 0 ? SLOT_COUNT_MIN : self->slot_count;
    while (wanted > slot_count / 10 * 6) {
        slot_count *= 2;
    }
    if (slot_count == self->slot_count) {
        return true;
    }
    if (open_slots(self, (size_t)slot_count * sizeof(uint64_t), is_urgent)) {
        self->slot_count = slot_count;
        refill(self);
        return true;
    }
    if (self->slots.data == NULL) { // The system has nothing: not even the old one is there.
        self->slot_count = 0;
        return false;
    }
    return wanted <= self->slot_count / 100 * 85;
}

bool group_table_reserve(group_table *self, uint64_t more) {
    return reserve(self, more, false);
}

bool group_table_reserve_urgent(group_table *self, uint64_t more) {
    return reserve(self, more, true);
}

// ---- Rows of batches ----------------------------------------------------------------------------

// What lies in a slot between the passes of a look-up: the number of a new group. Rows are
// 8-aligned, so the lowest bit tells.
static uint64_t pending_entry(uint64_t hash, uint32_t number) {
    return tag_of(hash) | (uint64_t)number << 3 | 1;
}

typedef struct finding {
    group_table *table;
    group_lookup *call;
    arena *scratch;
    uint64_t *at;         // The slot of the k-th row.
    uint16_t *candidates; // Rows whose slot has their tag.
    uint32_t candidate_count;
    uint16_t *made; // Rows that need a new group, in the order of their numbers.
    uint32_t made_count;
    uint8_t **rows; // Of candidates, by k.
    uint16_t *numbers;
    uint64_t *hashes;
    uint8_t **places;
    bool has_long_keys; // Lists.
} finding;

// Walks each row's chain to a slot with its tag, or an empty one, which it claims.
static void walk(finding *self, const uint16_t *left, uint32_t count) {
    uint64_t *slots = self->table->slots.data;
    const uint64_t mask = self->table->slot_count - 1;
    self->candidate_count = 0;
    self->made_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint16_t k = left[i];
        const uint64_t hash = self->call->hashes[k];
        const uint64_t tag = tag_of(hash);
        uint64_t slot = self->at[k];
        while (slots[slot] != 0 && (slots[slot] & ~ROW_MASK) != tag) {
            slot = (slot + 1) & mask;
        }
        self->at[k] = slot;
        if (slots[slot] == 0) {
            slots[slot] = pending_entry(hash, self->made_count);
            self->made[self->made_count++] = k;
        } else {
            self->candidates[self->candidate_count++] = k;
        }
    }
}

static uint16_t number_of(const group_lookup *call, uint16_t k) {
    return call->rows == NULL ? k : call->rows[k];
}

// Writes the new groups' rows, as many as there is room for, and puts them into their slots.
static firn_status make_groups(finding *self, firn_error *err) {
    group_lookup *call = self->call;
    uint64_t *slots = self->table->slots.data;
    for (uint32_t i = 0; i < self->made_count; i++) {
        self->numbers[i] = number_of(call, self->made[i]);
        self->hashes[i] = call->hashes[self->made[i]];
    }
    row_input in = {.columns = call->columns,
                    .rows = self->numbers,
                    .count = self->made_count,
                    .hashes = self->hashes};
    TRY(row_writer_append(&self->table->rows, &in, self->places, self->scratch, err));
    for (uint32_t i = 0; i < self->made_count; i++) {
        const uint16_t k = self->made[i];
        if (i < in.next) {
            call->groups[k] = self->places[i];
            call->fresh[call->fresh_count++] = k;
            slots[self->at[k]] = entry_of(self->hashes[i], self->places[i]);
        } else { // No chain of a group that was made goes through this slot: all those came before.
            call->groups[k] = NULL;
            call->missing_count++;
            slots[self->at[k]] = 0;
        }
    }
    self->table->group_count += in.next;
    return FIRN_OK;
}

static bool has_same_keys(const finding *self, uint16_t left, uint16_t right) {
    const group_lookup *call = self->call;
    bool is_same = self->rows[left] == self->rows[right];
    for (uint32_t i = 0; i < self->table->key_count && is_same; i++) {
        is_same =
            column_rows_alike(&call->columns[i], number_of(call, left), number_of(call, right));
    }
    return is_same;
}

// rows_match for keys with lists, which may be long: of candidates that were made from one row, and
// share its list, only the first is compared. Keeps the order in `left`.
static firn_status match_long(finding *self, const row_pairs *pairs, uint32_t count, uint16_t *left,
                              uint32_t *equal_count, firn_error *err) {
    uint16_t *leaders = ARENA_NEW(self->scratch, uint16_t, count + 1);
    uint16_t *compared = ARENA_NEW(self->scratch, uint16_t, count + 1);
    if (leaders == NULL || compared == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    uint32_t leader_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint16_t k = self->candidates[i];
        if (leader_count == 0 || !has_same_keys(self, leaders[leader_count - 1], k)) {
            leaders[leader_count++] = k;
        }
    }
    memcpy(compared, leaders, leader_count * sizeof *compared);
    uint32_t matched;
    TRY(rows_match(pairs, compared, leader_count, left, &matched, self->scratch, err));
    // Both lists ascend, as the candidates do.
    uint32_t left_count = 0;
    uint32_t leader = 0;
    uint32_t next_match = 0;
    bool is_equal = false;
    *equal_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint16_t k = self->candidates[i];
        if (leader < leader_count && leaders[leader] == k) {
            leader++;
            is_equal = next_match < matched && compared[next_match] == k;
            next_match += is_equal;
        }
        if (is_equal) {
            self->candidates[(*equal_count)++] = k;
        } else {
            left[left_count++] = k;
        }
    }
    return FIRN_OK;
}

// Candidates whose keys are equal have found their group; the others are left for the next pass.
static firn_status compare(finding *self, uint16_t *left, uint32_t *left_count, firn_error *err) {
    group_lookup *call = self->call;
    const uint64_t *slots = self->table->slots.data;
    const row_layout *layout = self->table->store->layout;
    const uint32_t near = layout->offsets[0];
    const uint32_t far = layout->size;
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->candidate_count; i++) {
        const uint16_t k = self->candidates[i];
        const uint64_t entry = slots[self->at[k]];
        if (entry == 0) {
            call->groups[k] = NULL;
            call->missing_count++;
        } else {
            self->rows[k] = row_of(entry);
            __builtin_prefetch(self->rows[k] + near);
            __builtin_prefetch(self->rows[k] + far);
            self->candidates[count++] = k;
        }
    }
    const row_pairs pairs = {.store = self->table->store,
                             .key_count = self->table->key_count,
                             .keys = call->columns,
                             .rows = (const uint8_t *const *)self->rows,
                             .lanes = call->rows};
    uint32_t equal_count = 0;
    TRY(self->has_long_keys
            ? match_long(self, &pairs, count, left, &equal_count, err)
            : rows_match(&pairs, self->candidates, count, left, &equal_count, self->scratch, err));
    for (uint32_t i = 0; i < equal_count; i++) {
        const uint16_t k = self->candidates[i];
        call->groups[k] = self->rows[k];
    }
    *left_count = count - equal_count;
    const uint64_t mask = self->table->slot_count - 1;
    for (uint32_t i = 0; i < *left_count; i++) {
        self->at[left[i]] = (self->at[left[i]] + 1) & mask;
    }
    return FIRN_OK;
}

static firn_status begin_finding(finding *self, uint16_t **left, firn_error *err) {
    const size_t count = self->call->count;
    *left = ARENA_NEW(self->scratch, uint16_t, count);
    self->at = ARENA_NEW(self->scratch, uint64_t, count);
    self->candidates = ARENA_NEW(self->scratch, uint16_t, count);
    self->made = ARENA_NEW(self->scratch, uint16_t, count);
    self->rows = ARENA_NEW(self->scratch, uint8_t *, count);
    self->numbers = ARENA_NEW(self->scratch, uint16_t, count);
    self->hashes = ARENA_NEW(self->scratch, uint64_t, count);
    self->places = ARENA_NEW(self->scratch, uint8_t *, count);
    if (*left == NULL || self->at == NULL || self->candidates == NULL || self->made == NULL ||
        self->rows == NULL || self->numbers == NULL || self->hashes == NULL ||
        self->places == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    return FIRN_OK;
}

static bool has_long_keys(const column *keys, uint32_t count) {
    bool has_list = false;
    for (uint32_t i = 0; i < count; i++) {
        has_list |= type_physical(keys[i].type) == PHYSICAL_LIST;
    }
    return has_list;
}

firn_status group_table_find(group_table *self, group_lookup *call, arena *scratch,
                             firn_error *err) {
    assert(self->slots.data != NULL && call->count <= UINT16_MAX);
    call->fresh_count = 0;
    call->missing_count = 0;
    if (call->count == 0) {
        return FIRN_OK;
    }
    finding state = {.table = self,
                     .call = call,
                     .scratch = scratch,
                     .has_long_keys = has_long_keys(call->columns, self->key_count)};
    uint16_t *left;
    TRY(begin_finding(&state, &left, err));
    const uint64_t *slots = self->slots.data;
    uint32_t left_count = call->count;
    for (uint32_t k = 0; k < left_count; k++) {
        left[k] = (uint16_t)k;
        state.at[k] = call->hashes[k] & (self->slot_count - 1);
        __builtin_prefetch(&slots[state.at[k]]);
    }
    while (left_count > 0) {
        walk(&state, left, left_count);
        if (state.made_count > 0) {
            TRY(make_groups(&state, err));
        }
        TRY(compare(&state, left, &left_count, err));
    }
    return FIRN_OK;
}

// ---- Rows of other pages ------------------------------------------------------------------------

// The slot of the row's group, or the empty one where it belongs.
static firn_status seek(group_table *self, const uint8_t *row, uint64_t *out, arena *scratch,
                        firn_error *err) {
    const uint64_t *slots = self->slots.data;
    const uint64_t mask = self->slot_count - 1;
    const uint64_t hash = row_hash(row);
    const uint64_t tag = tag_of(hash);
    uint64_t slot = hash & mask;
    bool is_equal = false;
    while (slots[slot] != 0) {
        if ((slots[slot] & ~ROW_MASK) == tag) {
            TRY(rows_equal(self->store, row, row_of(slots[slot]), scratch, &is_equal, err));
            if (is_equal) {
                break;
            }
        }
        slot = (slot + 1) & mask;
    }
    *out = slot;
    return FIRN_OK;
}

firn_status group_table_absorb(group_table *self, group_absorbing *call, arena *scratch,
                               firn_error *err) {
    assert(self->key_count == self->store->layout->column_count);
    uint64_t *slots = self->slots.data;
    for (call->done = 0; call->done < call->count; call->done++) {
        fetch_ahead(self, call->rows, call->done, call->count);
        uint8_t *row = call->rows[call->done];
        uint8_t **group = &call->groups[call->done];
        uint64_t slot;
        TRY(seek(self, row, &slot, scratch, err));
        const bool is_fresh = slots[slot] == 0;
        call->is_fresh[call->done] = is_fresh;
        *group = is_fresh ? row : row_of(slots[slot]);
        if (is_fresh && !call->in_place) {
            TRY(row_writer_copy_row(&self->rows, row, group, err));
            if (*group == NULL) {
                return FIRN_OK;
            }
        }
        if (is_fresh) {
            slots[slot] = entry_of(row_hash(row), *group);
            self->group_count++;
        } else if (call->in_place) {
            row_hash_set(row, 0);
        }
    }
    return FIRN_OK;
}

// ---- All groups ---------------------------------------------------------------------------------

uint32_t group_table_next(const group_table *self, group_cursor *cursor, uint8_t **out,
                          uint32_t max) {
    uint32_t count = 0;
    if (!cursor->has_begun) {
        *cursor = (group_cursor){.page = self->rows.parts[0].first, .has_begun = true};
    }
    while (count < max && cursor->page != NULL) {
        const uint32_t n =
            row_page_rows(cursor->page, self->store->layout, &cursor->at, out + count, max - count);
        if (n == 0) {
            cursor->page = cursor->page->next;
            cursor->at = 0;
        }
        uint32_t kept = count;
        for (uint32_t i = count; i < count + n; i++) {
            out[kept] = out[i];
            kept += row_hash(out[i]) != 0;
        }
        count = kept;
    }
    return count;
}

static void add_spare(row_writer *self, row_page *page) {
    page->next = self->spares;
    self->spares = page;
}

void group_table_clear(group_table *self) {
    for (row_page *page; (page = row_pages_pop(&self->rows.parts[0])) != NULL;) {
        add_spare(&self->rows, page);
    }
    if (self->slots.data != NULL && self->group_count > 0) {
        directory_clear(&self->slots);
    }
    group_direct_end(self);
    self->group_count = 0;
}

static firn_status move_page(const row_layout *layout, row_page *page, row_writer *to,
                             firn_error *err) {
    uint8_t *rows[CHUNK];
    uint32_t at = 0;
    for (uint32_t n; (n = row_page_rows(page, layout, &at, rows, CHUNK)) > 0;) {
        uint32_t live = 0;
        for (uint32_t i = 0; i < n; i++) {
            rows[live] = rows[i];
            live += row_hash(rows[i]) != 0;
        }
        uint32_t next = 0;
        while (next < live) {
            TRY(row_writer_copy(to, rows, NULL, live, &next, err));
        }
    }
    return FIRN_OK;
}

firn_status group_table_flush(group_table *self, row_writer *to, uint32_t kept_count,
                              firn_error *err) {
    firn_status status = FIRN_OK;
    uint32_t kept = 0;
    for (row_page *page; status == FIRN_OK;) {
        page = row_pages_pop(&self->rows.parts[0]);
        if (page == NULL) {
            break;
        }
        status = move_page(self->store->layout, page, to, err);
        if (kept < kept_count) {
            add_spare(&self->rows, page);
            kept++;
        } else {
            page_put(self->store->keeper, page);
        }
    }
    if (kept_count > 0) {
        group_table_clear(self);
    } else {
        close_directory(self);
        self->group_count = 0;
    }
    return status;
}
