#include "exec/aggregate/aggregate_stage.h"

#include <assert.h>

#define SLOT_COUNT_MAX UINT64_C(32768) // 256 KiB of a table.
#define SLOT_COUNT_MIN UINT64_C(4096)
#define LIST_PAGES_MAX 16 // Of a list before it becomes partitions.
#define BYPASS_ROWS (UINT64_C(4) << 20)
// A table that is full grows: it would not help to move groups that come again. To a part of the
// share, and no further than makes sense where memory is slower than moving rows.
#define FREE_BYTES_MAX (UINT64_C(4) << 20)
#define GROW_BYTES_MAX (UINT64_C(64) << 20)
#define PASSING_BYTES_MAX (UINT64_C(256) << 20) // Of groups of which it is known that they are few.
#define POOR_FILLS_MAX 2
#define TABLE_SHARE 8 // Of a stage's share: kept free for a table that was emptied.
// Of groups that are found by key those that are there stay, up to an eighth of the share, or what
// all partitions' open pages take: with fewer of these each page would be written with a row or
// two.
#define SETTLED_SHARE 8
#define SETTLED_ROWS 2 // Of each group, on average: then it is seen whether rows find these groups.
#define SETTLED_FOUND 4 // A quarter of them has to.
// Where keys come in order none does: that is seen soon.
#define PASSED_ROWS UINT64_C(16384)
#define PASSED_FOUND 64
#define FEW_GROUPS 4 // Rows a group, from which on there are few.
#define COPY_ROWS 512
// Entries of groups that are found by key: so many at first, and more for each row.
#define DIRECT_SLOTS_MIN (UINT64_C(1) << 18)
#define DIRECT_SLOTS_MAX (UINT64_C(1) << 22)
#define DIRECT_SLOTS_A_ROW 8

// Slots and rows of a table that fits into `bytes` when 60 % of the slots are taken.
static uint64_t slot_count_for(uint64_t bytes, uint32_t row_size) {
    uint64_t count = SLOT_COUNT_MAX;
    while (count > SLOT_COUNT_MIN && count * sizeof(uint64_t) + count / 10 * 6 * row_size > bytes) {
        count /= 2;
    }
    return count;
}

static uint32_t pages_within(uint64_t bytes, uint64_t most, size_t page_size) {
    return (uint32_t)((bytes < most ? bytes : most) / page_size);
}

firn_status stage_open(const stage_options *options, arena *memory, aggregate_stage *out,
                       firn_error *err) {
    *out = (aggregate_stage){.has_table = options->table != NULL,
                             .kept = options->kept,
                             .passed_store = options->passed,
                             .count_parts = options->count_parts,
                             .user = options->user,
                             .part_max = options->part_max,
                             .memory = memory};
    if (!out->has_table) {
        TRY(row_writer_open(options->kept, 1, 0, memory, &out->list, err));
        out->list.may_spill = false; // It becomes partitions instead.
        return FIRN_OK;
    }
    const row_store *store = options->table;
    out->may_be_direct = options->may_be_direct;
    const uint64_t slots = options->group_estimate > DIRECT_SLOTS_MAX / DIRECT_SLOTS_A_ROW
                               ? DIRECT_SLOTS_MAX
                               : options->group_estimate * DIRECT_SLOTS_A_ROW;
    out->direct_slots = slots < DIRECT_SLOTS_MIN ? DIRECT_SLOTS_MIN : slots;
    out->group_max = slot_count_for(options->table_bytes, store->layout->size) / 10 * 6;
    const uint64_t pages = options->table_bytes / store->page_size;
    out->table_page_max = pages < 1 ? 1 : (uint32_t)pages;
    out->expects_few = options->row_estimate / FEW_GROUPS >= options->group_estimate &&
                       options->group_estimate > 0;
    out->free_page_max = pages_within(options->share_bytes / 8, FREE_BYTES_MAX, store->page_size);
    out->grow_page_max = pages_within(options->share_bytes / 4, GROW_BYTES_MAX, store->page_size);
    out->pages_to_grow =
        pages_within(options->share_bytes / 4, PASSING_BYTES_MAX, store->page_size);
    out->passing = group_counter_open(memory);
    return group_table_open(options->table, options->key_count, memory->owner, &out->table, err);
}

void stage_close(aggregate_stage *self) {
    group_table_close(&self->table);
    row_writer_close(&self->list);
    row_writer_close(&self->parts);
    row_writer_close(&self->passed);
    while (self->spares != NULL) {
        row_page *page = self->spares;
        self->spares = page->next;
        page_put(self->kept->keeper, page);
    }
    self->is_partitioned = false;
}

// One of several spare pages is for them.
static firn_status open_passed(aggregate_stage *self, uint32_t part_count, firn_error *err) {
    TRY(row_writer_open(self->passed_store, part_count, 0, self->memory, &self->passed, err));
    row_page *spare = self->parts.spares;
    if (spare != NULL && spare->next != NULL) {
        self->parts.spares = spare->next;
        spare->next = NULL;
        self->passed.spares = spare;
    }
    return FIRN_OK;
}

static firn_status open_parts(aggregate_stage *self, firn_error *err) {
    if (self->is_partitioned) {
        return FIRN_OK;
    }
    const uint32_t all = self->count_parts(self->user);
    const uint32_t count = self->kept->layout->has_hash ? all : 1;
    TRY(row_writer_open(self->kept, count, 0, self->memory, &self->parts, err));
    self->parts.spares = self->spares;
    self->spares = NULL;
    self->is_partitioned = true;
    return self->passed_store == NULL ? FIRN_OK : open_passed(self, count, err);
}

// Hardly fewer groups than rows since the table was empty.
static bool is_poor(const aggregate_stage *self) {
    return self->rows_in_fill * 2 < self->table.group_count * 3;
}

// The table is full: its groups move into partitions. If it held hardly fewer groups than rows,
// twice in a row, rows go past it for a while.
static firn_status flush_table(aggregate_stage *self, const stage_owner *owner, firn_error *err) {
    TRY(open_parts(self, err));
    self->poor_fills = is_poor(self) ? self->poor_fills + 1 : 0;
    self->rows_in_fill = 0;
    self->is_settled = false;
    if (self->table.group_count > 0) {
        const uint64_t bytes =
            (uint64_t)self->table.rows.parts[0].page_count * self->table.store->page_size;
        self->group_bytes = bytes / self->table.group_count;
    }
    if (self->poor_fills >= POOR_FILLS_MAX) {
        self->rows_to_bypass = BYPASS_ROWS;
        self->poor_fills = POOR_FILLS_MAX - 1; // One more poor fill decides again.
    }
    if (owner->flush != NULL) {
        return owner->flush(owner->user, self, err);
    }
    return group_table_flush(&self->table, &self->parts, stage_kept_pages(self), err);
}

static firn_status flush_list(aggregate_stage *self, firn_error *err) {
    TRY(open_parts(self, err));
    row_pages *list = &self->list.parts[0];
    uint8_t *rows[COPY_ROWS];
    for (row_page *page; (page = row_pages_pop(list)) != NULL;) {
        uint32_t at = 0;
        firn_status status = FIRN_OK;
        for (uint32_t n; status == FIRN_OK &&
                         (n = row_page_rows(page, self->kept->layout, &at, rows, COPY_ROWS)) > 0;) {
            for (uint32_t next = 0; next < n && status == FIRN_OK;) {
                status = row_writer_copy(&self->parts, rows, NULL, n, &next, err);
            }
        }
        page_put(self->kept->keeper, page);
        TRY(status);
    }
    return FIRN_OK;
}

firn_status stage_partition(aggregate_stage *self, const stage_owner *owner, firn_error *err) {
    if (!self->has_table) {
        return self->is_partitioned ? FIRN_OK : flush_list(self, err);
    }
    TRY(open_parts(self, err));
    return self->table.group_count == 0 ? FIRN_OK : flush_table(self, owner, err);
}

// ---- Rows as they are ---------------------------------------------------------------------------

// *done: how many went in; all, if the writer may write pages out.
static firn_status append_to(row_writer *writer, const stage_input *in, const stage_owner *owner,
                             uint32_t *done, firn_error *err) {
    uint8_t **places = ARENA_NEW(owner->scratch, uint8_t *, in->count);
    uint16_t *numbers = ARENA_NEW(owner->scratch, uint16_t, in->count);
    if (places == NULL || numbers == NULL) {
        return ARENA_FULL(owner->scratch, err);
    }
    for (uint32_t k = 0; k < in->count; k++) {
        numbers[k] = (uint16_t)k;
    }
    row_input rows = {
        .columns = in->columns, .rows = in->rows, .count = in->count, .hashes = in->hashes};
    for (bool goes_on = true; goes_on && rows.next < rows.count;) {
        const uint32_t from = rows.next;
        TRY(row_writer_append(writer, &rows, places, owner->scratch, err));
        goes_on = rows.next > from;
        const stage_places placed = {.in = in,
                                     .ks = numbers + from,
                                     .count = rows.next - from,
                                     .places = places + from,
                                     .fresh = numbers,
                                     .fresh_count = rows.next - from};
        if (owner->placed != NULL && goes_on) {
            TRY(owner->placed(owner->user, &placed, err));
        }
    }
    *done = rows.next;
    return FIRN_OK;
}

static firn_status append_all(row_writer *writer, const stage_input *in, const stage_owner *owner,
                              firn_error *err) {
    uint32_t done;
    TRY(append_to(writer, in, owner, &done, err));
    assert(done == in->count);
    return FIRN_OK;
}

static firn_status order_by_part(const row_writer *to, const stage_input *in,
                                 const stage_owner *owner, stage_input *out, firn_error *err) {
    row_input rows = {.rows = in->rows, .count = in->count, .hashes = in->hashes};
    if (in->hashes == NULL) { // There is one.
        *out = *in;
        return FIRN_OK;
    }
    TRY(row_writer_order(to, &rows, owner->scratch, err));
    *out = *in;
    out->rows = rows.rows;
    out->hashes = rows.hashes;
    return FIRN_OK;
}

static firn_status append(aggregate_stage *self, const stage_input *in, const stage_owner *owner,
                          firn_error *err) {
    TRY(open_parts(self, err));
    stage_input ordered;
    TRY(order_by_part(owner->passes ? &self->passed : &self->parts, in, owner, &ordered, err));
    return owner->append != NULL ? owner->append(owner->user, self, &ordered, err)
                                 : append_all(&self->parts, &ordered, owner, err);
}

// The rows from number `from` on.
static firn_status input_from(const stage_input *in, uint32_t from, arena *scratch,
                              stage_input *out, firn_error *err) {
    *out = *in;
    out->count = in->count - from;
    out->hashes = in->hashes == NULL ? NULL : in->hashes + from;
    if (in->rows != NULL) {
        out->rows = in->rows + from;
        return FIRN_OK;
    }
    uint16_t *rows = ARENA_NEW(scratch, uint16_t, out->count);
    if (rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t k = 0; k < out->count; k++) {
        rows[k] = (uint16_t)(from + k);
    }
    out->rows = rows;
    return FIRN_OK;
}

static firn_status add_to_list(aggregate_stage *self, const stage_input *in,
                               const stage_owner *owner, firn_error *err) {
    if (self->is_partitioned) {
        stage_input ordered;
        TRY(order_by_part(&self->parts, in, owner, &ordered, err));
        return append_all(&self->parts, &ordered, owner, err);
    }
    if (self->list.spares == NULL && self->spares != NULL && self->spares->next != NULL) {
        self->list.spares = self->spares; // One, of several.
        self->spares = self->spares->next;
        self->list.spares->next = NULL;
    }
    uint32_t done;
    TRY(append_to(&self->list, in, owner, &done, err));
    if (done == in->count && self->list.parts[0].page_count <= LIST_PAGES_MAX) {
        return FIRN_OK;
    }
    TRY(flush_list(self, err));
    if (done == in->count) {
        return FIRN_OK;
    }
    stage_input left;
    TRY(input_from(in, done, owner->scratch, &left, err));
    return append_all(&self->parts, &left, owner, err);
}

// ---- Groups ------------------------------------------------------------------------------------

// Leaves out the rows that have no group.
static firn_status leave_out_missing(const group_lookup *call, stage_places *out, arena *scratch,
                                     firn_error *err) {
    uint16_t *ks = ARENA_NEW(scratch, uint16_t, call->count);
    uint16_t *numbers = ARENA_NEW(scratch, uint16_t, call->count);
    if (ks == NULL || numbers == NULL) {
        return ARENA_FULL(scratch, err);
    }
    uint32_t count = 0;
    for (uint32_t k = 0; k < call->count; k++) {
        uint8_t *group = call->groups[k];
        numbers[k] = (uint16_t)count; // Where k goes, if it goes.
        ks[count] = (uint16_t)k;
        call->groups[count] = group;
        count += group != NULL;
    }
    for (uint32_t i = 0; i < call->fresh_count; i++) {
        call->fresh[i] = numbers[call->fresh[i]];
    }
    out->ks = ks;
    out->count = count;
    return FIRN_OK;
}

// Tells the owner of the rows that have a group.
static firn_status tell_placed(const group_lookup *call, const stage_input *in,
                               const stage_owner *owner, firn_error *err) {
    if (owner->placed == NULL || call->missing_count == call->count) {
        return FIRN_OK;
    }
    stage_places placed = {.in = in,
                           .count = call->count,
                           .places = call->groups,
                           .fresh = call->fresh,
                           .fresh_count = call->fresh_count};
    if (call->missing_count > 0) {
        TRY(leave_out_missing(call, &placed, owner->scratch, err));
    }
    return owner->placed(owner->user, &placed, err);
}

// The rows for which there was no room, as an input of their own.
static firn_status missing_rows(const group_lookup *call, arena *scratch, stage_input *out,
                                firn_error *err) {
    uint16_t *rows = ARENA_NEW(scratch, uint16_t, call->missing_count + 1);
    uint64_t *hashes = ARENA_NEW(scratch, uint64_t, call->missing_count + 1);
    if (rows == NULL || hashes == NULL) {
        return ARENA_FULL(scratch, err);
    }
    uint32_t count = 0;
    for (uint32_t k = 0; k < call->count && call->missing_count > 0; k++) {
        if (call->groups[k] == NULL) {
            rows[count] = call->rows == NULL ? (uint16_t)k : call->rows[k];
            hashes[count] = call->hashes == NULL ? 0 : call->hashes[k];
            count++;
        }
    }
    *out = (stage_input){.columns = call->columns,
                         .rows = rows,
                         .count = count,
                         .hashes = call->hashes == NULL ? NULL : hashes};
    return FIRN_OK;
}

static bool is_full(const aggregate_stage *self, uint32_t more) {
    return self->table.group_count > 0 &&
           (self->table.group_count + more > self->group_max ||
            self->table.rows.parts[0].page_count > self->table_page_max);
}

// What the table may hold, as far as can be seen from what it holds.
static uint32_t page_max(const aggregate_stage *self) {
    return is_poor(self) && !self->expects_few ? self->free_page_max : self->grow_page_max;
}

// Whether the table may become twice as large instead of being emptied.
static bool may_grow(const aggregate_stage *self) {
    return self->table_page_max * 2 <= page_max(self);
}

// Takes in what there is room for; the rest is left in *in.
static firn_status add_to_table(aggregate_stage *self, stage_input *in, const stage_owner *owner,
                                firn_error *err) {
    while (is_full(self, in->count) && may_grow(self)) {
        self->group_max *= 2;
        self->table_page_max *= 2;
    }
    if (is_full(self, in->count)) {
        TRY(flush_table(self, owner, err));
    }
    if (!group_table_reserve(&self->table, in->count)) {
        if (self->table.group_count > 0) {
            TRY(flush_table(self, owner, err));
        }
        self->rows_to_bypass = self->rows_to_bypass < in->count ? in->count : self->rows_to_bypass;
        return FIRN_OK;
    }
    group_lookup call = {
        .columns = in->columns, .rows = in->rows, .count = in->count, .hashes = in->hashes};
    call.groups = ARENA_NEW(owner->scratch, uint8_t *, in->count);
    call.fresh = ARENA_NEW(owner->scratch, uint16_t, in->count);
    if (call.groups == NULL || call.fresh == NULL) {
        return ARENA_FULL(owner->scratch, err);
    }
    TRY(group_table_find(&self->table, &call, owner->scratch, err));
    self->rows_in_fill += call.count - call.missing_count;
    stage_input left;
    TRY(missing_rows(&call, owner->scratch, &left, err));
    TRY(tell_placed(&call, in, owner, err));
    *in = left;
    if (left.count > 0) { // Refused in the middle.
        if (self->table.group_count == 0) {
            self->rows_to_bypass = left.count;
        } else {
            TRY(flush_table(self, owner, err));
        }
    }
    return FIRN_OK;
}

// Groups are found by hash again.
static firn_status leave_direct(aggregate_stage *self, const stage_owner *owner, firn_error *err) {
    self->may_be_direct = false;
    group_direct_end(&self->table);
    if (self->table.group_count == 0) {
        return FIRN_OK;
    }
    const bool fits = !is_full(self, 0) && group_table_reserve(&self->table, 0);
    return fits ? FIRN_OK : flush_table(self, owner, err);
}

static uint64_t direct_pages(const aggregate_stage *self) {
    return self->table.rows.parts[0].page_count + self->table.direct.used_count;
}

static bool is_over(const aggregate_stage *self, uint64_t share_bytes) {
    return direct_pages(self) > share_bytes / self->table.store->page_size ||
           (self->table.rows.parts[0].page_count > self->free_page_max && is_poor(self) &&
            !self->expects_few);
}

// Before there are too many groups those that came first stay: most rows are theirs, and only the
// others go into partitions. What is left of the share is for these.
static void settle(aggregate_stage *self, uint64_t share_bytes) {
    const uint64_t pages = share_bytes / self->table.store->page_size;
    const uint64_t open = self->part_max + self->part_max / 4;
    const uint64_t room = open > pages / SETTLED_SHARE ? open : pages / SETTLED_SHARE;
    if (!self->is_settled && room < pages / 2 && direct_pages(self) + room > pages) {
        self->is_settled = true;
        self->settled_rows = 0;
        self->missed_rows = 0;
    }
}

// Whether keys have passed the settled groups, as where they come in order.
static bool are_passed(const aggregate_stage *self) {
    return self->settled_rows >= PASSED_ROWS &&
           self->settled_rows - self->missed_rows < self->settled_rows / PASSED_FOUND;
}

// Whether settled groups had better go: there is less room than there was, or most rows are of
// others.
static bool is_unsettled(aggregate_stage *self, uint64_t share_bytes) {
    if (!self->is_settled) {
        return false;
    }
    bool is_useless = are_passed(self);
    if (self->settled_rows >= self->table.group_count * SETTLED_ROWS) {
        is_useless = self->missed_rows > self->settled_rows - self->settled_rows / SETTLED_FOUND;
        self->settled_rows = 0;
        self->missed_rows = 0;
    }
    return is_useless ||
           direct_pages(self) + self->part_max > share_bytes / self->table.store->page_size;
}

static firn_status find_direct(aggregate_stage *self, stage_input *in, const stage_owner *owner,
                               firn_error *err) {
    const uint64_t slot_max = self->direct_slots + self->rows_seen * DIRECT_SLOTS_A_ROW;
    group_lookup call = {.columns = in->columns,
                         .rows = in->rows,
                         .count = in->count,
                         .hash_rows = owner->hash_rows,
                         .user = owner->user,
                         .finds_only = self->is_settled};
    call.groups = ARENA_NEW(owner->scratch, uint8_t *, in->count);
    call.fresh = ARENA_NEW(owner->scratch, uint16_t, in->count);
    if (call.groups == NULL || call.fresh == NULL) {
        return ARENA_FULL(owner->scratch, err);
    }
    bool fits;
    TRY(group_direct_find(&self->table, &call, slot_max, &fits, owner->scratch, err));
    if (!fits) {
        return leave_direct(self, owner, err);
    }
    self->rows_in_fill += call.count - call.missing_count;
    stage_input left;
    TRY(missing_rows(&call, owner->scratch, &left, err));
    TRY(tell_placed(&call, in, owner, err));
    *in = left;
    if (self->is_settled) {
        self->settled_rows += call.count;
        self->missed_rows += left.count;
        self->rows_to_bypass = left.count;
        return FIRN_OK;
    }
    return left.count > 0 ? leave_direct(self, owner, err) : FIRN_OK;
}

firn_status stage_add_direct(aggregate_stage *self, stage_input *in, uint64_t share_bytes,
                             const stage_owner *owner, firn_error *err) {
    if (!self->may_be_direct || in->count == 0) {
        return FIRN_OK;
    }
    self->rows_seen += in->count;
    if (!self->table.direct.is_on) {
        TRY(group_direct_begin(&self->table, self->direct_slots, &self->may_be_direct,
                               owner->scratch, err));
    }
    if (self->may_be_direct && (is_over(self, share_bytes) || is_unsettled(self, share_bytes))) {
        TRY(leave_direct(self, owner, err));
    }
    if (self->may_be_direct) {
        settle(self, share_bytes);
    }
    return self->may_be_direct ? find_direct(self, in, owner, err) : FIRN_OK;
}

// Rows went past the table. Where their groups come again, but only after more others than the
// table has room for, each fill of it looks poor; their number tells that a larger one would help.
static void count_passing(aggregate_stage *self, const stage_input *in) {
    group_counter *passing = &self->passing;
    if (in->hashes == NULL || !group_counter_add(passing, in->hashes, in->count)) {
        return;
    }
    const uint64_t page_size = self->table.store->page_size;
    const uint64_t pages = passing->groups / (page_size / (self->group_bytes + 1) + 1) + 1;
    if (passing->rows / FEW_GROUPS >= passing->groups && pages <= self->pages_to_grow) {
        self->expects_few = true;
        self->grow_page_max = (uint32_t)self->pages_to_grow;
        self->rows_to_bypass = 0;
        self->poor_fills = 0;
    }
}

firn_status stage_add(aggregate_stage *self, const stage_input *in, const stage_owner *owner,
                      firn_error *err) {
    if (!self->has_table) {
        return in->count == 0 ? FIRN_OK : add_to_list(self, in, owner, err);
    }
    stage_input left = *in;
    while (left.count > 0) {
        if (self->rows_to_bypass > 0) {
            self->rows_to_bypass -=
                self->rows_to_bypass < left.count ? self->rows_to_bypass : left.count;
            TRY(append(self, &left, owner, err));
            count_passing(self, &left);
            return FIRN_OK;
        }
        TRY(add_to_table(self, &left, owner, err));
    }
    return FIRN_OK;
}

// What is over the pages that a writer may have goes out; it always may have one a partition.
static firn_status look_at(row_writer *self, uint64_t pages, uint32_t others, firn_error *err) {
    const uint64_t least = self->part_count;
    const uint64_t most = pages > others + least ? pages - others : least;
    self->page_max = most > UINT32_MAX ? UINT32_MAX : (uint32_t)most;
    return row_writer_look(self, err);
}

firn_status stage_look(aggregate_stage *self, uint64_t share_bytes, firn_error *err) {
    if (!self->is_partitioned) {
        return FIRN_OK;
    }
    const uint64_t pages = share_bytes / self->kept->page_size;
    uint64_t held = self->has_table ? self->table.rows.parts[0].page_count : 0;
    const uint64_t wanted = self->table_page_max + pages / TABLE_SHARE;
    if (self->has_table && self->rows_to_bypass == 0 && held < wanted) {
        held = wanted; // It was emptied, and will need pages again, and its directory.
    }
    const uint64_t least = self->parts.part_count;
    const uint64_t left = pages > held + least ? pages - held : least;
    TRY(look_at(&self->parts, left, self->passed.page_count, err));
    return self->passed_store == NULL ? FIRN_OK
                                      : look_at(&self->passed, left, self->parts.page_count, err);
}
