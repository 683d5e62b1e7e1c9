// Handing out groups: keys, values of states, and of collected rows, a batch of groups at a time.
#include <assert.h>

#include "exec/aggregate_unit.h"

#define CHUNK 1024
// Collected rows of a batch of groups, unless one group has more: scratch memory, so few of them
// where there is little.
#define COLLECTED_ROWS_MAX UINT64_C(32768)
#define COLLECTED_ROWS_MIN UINT64_C(1024)
#define BYTES_A_COLLECTED_ROW 1024

static aggregate_context context_of(aggregate_unit *self, arena *scratch, firn_error *err) {
    return (aggregate_context){.shape = &self->shared->shape,
                               .statement = self->shared->run->context,
                               .scratch = scratch,
                               .heap = &self->heap,
                               .err = err};
}

static aggregate_collected *collected_of(const aggregate_shape *shape, const aggregate_slot *slot,
                                         uint8_t *group) {
    return (aggregate_collected *)(void *)(row_extra(&shape->table, group) +
                                           slot->collected_offset);
}

// Rows of a collector.
typedef struct collected_rows {
    const aggregate_collector *collector;
    row_store *store;
    uint8_t **rows;
    uint32_t count;
    uint32_t *ends; // Group g owns rows [ends[g - 1], ends[g]); NULL where nobody asks.
} collected_rows;

// ---- Rows to their groups -----------------------------------------------------------------------

// The groups of collected rows, by the keys that they begin with.
static firn_status find_groups(aggregate_unit *self, const collected_rows *from, uint8_t **groups,
                               arena *scratch, firn_error *err) {
    const aggregate_shape *shape = &self->shared->shape;
    const uint32_t count = from->count;
    if (!shape->has_groups) {
        for (uint32_t k = 0; k < count; k++) {
            groups[k] = self->single;
        }
        return FIRN_OK;
    }
    column *keys = ARENA_NEW(scratch, column, shape->group_keys);
    uint64_t *hashes = ARENA_NEW(scratch, uint64_t, count);
    uint16_t *fresh = ARENA_NEW(scratch, uint16_t, count);
    if (keys == NULL || hashes == NULL || fresh == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < shape->group_keys; i++) {
        TRY(rows_gather(from->store, i, (const uint8_t *const *)from->rows, count, scratch,
                        &keys[i], err));
    }
    group_lookup call = {.columns = keys,
                         .count = count,
                         .hashes = hashes,
                         .allows_text = true,
                         .groups = groups,
                         .fresh = fresh};
    bool fits = true;
    if (self->table.direct.is_on) {
        TRY(group_direct_find(&self->table, &call, self->table.direct.slot_max, &fits, scratch,
                              err));
    } else if (group_hash_rows(keys, shape->group_keys, NULL, count, scratch, hashes)) {
        TRY(group_table_find(&self->table, &call, scratch, err));
    } else {
        return ARENA_FULL(scratch, err);
    }
    if (!fits || call.fresh_count + call.missing_count > 0) {
        return FAIL(err, FIRN_INTERNAL, "collected rows of %u groups that are not there",
                    call.fresh_count + call.missing_count);
    }
    return FIRN_OK;
}

// Columns of the collector's arguments.
static firn_status gather_args(const collected_rows *from, const aggregate_shape *shape,
                               column **out, arena *scratch, firn_error *err) {
    *out = ARENA_NEW(scratch, column, from->collector->arg_count + 1);
    if (*out == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < from->collector->arg_count; i++) {
        TRY(rows_gather(from->store, shape->group_keys + i, (const uint8_t *const *)from->rows,
                        from->count, scratch, &(*out)[i], err));
    }
    return FIRN_OK;
}

// Rows of a table of different ones go into their group's state.
static firn_status feed(aggregate_unit *self, const collected_rows *from, arena *scratch,
                        firn_error *err) {
    const aggregate_context context = context_of(self, scratch, err);
    uint8_t *groups[CHUNK];
    TRY(find_groups(self, from, groups, scratch, err));
    column *args;
    TRY(gather_args(from, context.shape, &args, scratch, err));
    return aggregate_update_one_slot(&context, &context.shape->slots[from->collector->slot], args,
                                     &(aggregate_rows){.count = from->count, .groups = groups});
}

// Rows become the end of their group's chain.
static firn_status chain(aggregate_unit *self, const collected_rows *from, arena *scratch,
                         firn_error *err) {
    const aggregate_shape *shape = &self->shared->shape;
    const aggregate_slot *slot = &shape->slots[from->collector->slot];
    const row_layout *layout = from->store->layout;
    uint8_t *groups[CHUNK];
    TRY(find_groups(self, from, groups, scratch, err));
    const uint8_t *end = NULL;
    for (uint32_t k = 0; k < from->count; k++) {
        uint8_t *row = from->rows[k];
        aggregate_collected *group = collected_of(shape, slot, groups[k]);
        memcpy(row_extra(layout, row) + COLLECTED_NEXT, &end, sizeof end);
        if (group->last == NULL) {
            group->first = row;
        } else {
            memcpy(row_extra(layout, group->last) + COLLECTED_NEXT, &row, sizeof row);
        }
        group->last = row;
        group->count++;
    }
    return FIRN_OK;
}

static firn_status link_rows(aggregate_unit *self, const collected_rows *from, arena *scratch,
                             firn_error *err) {
    const arena_mark mark = arena_mark_take(scratch);
    const firn_status status = from->collector->feeds_at_once ? feed(self, from, scratch, err)
                                                              : chain(self, from, scratch, err);
    arena_rewind(scratch, mark);
    return status;
}

static firn_status link_collector(aggregate_unit *self, uint32_t number, arena *scratch,
                                  firn_error *err) {
    const aggregate_collector *collector = &self->shared->shape.collectors[number];
    unit_collected *collected = &self->collected[number];
    uint8_t *rows[CHUNK];
    collected_rows found = {
        .collector = collector, .store = self->shared->collected[number].store, .rows = rows};
    if (collector->is_distinct) {
        group_cursor cursor = {0};
        while ((found.count = group_table_next(&collected->distinct, &cursor, rows, CHUNK)) > 0) {
            TRY(link_rows(self, &found, scratch, err));
        }
        if (collector->feeds_at_once) {
            group_table_close_rows(&collected->distinct);
        }
        return FIRN_OK;
    }
    for (row_page *page = collected->rows.first; page != NULL; page = page->next) {
        uint32_t at = 0;
        while ((found.count = row_page_rows(page, found.store->layout, &at, rows, CHUNK)) > 0) {
            TRY(link_rows(self, &found, scratch, err));
        }
    }
    return FIRN_OK;
}

firn_status unit_link(aggregate_unit *self, arena *scratch, firn_error *err) {
    for (uint32_t i = 0; i < self->shared->shape.collector_count; i++) {
        TRY(link_collector(self, i, scratch, err));
    }
    return FIRN_OK;
}

// ---- The order of a group's rows ----------------------------------------------------------------

typedef struct ordering {
    const aggregate_collector *collector;
    uint8_t *const *rows;
    const column *keys; // Order keys, by row number.
    bool has_places;
} ordering;

static int compare_key(const ordering *self, uint32_t key, uint32_t left, uint32_t right) {
    const sort_key *how = &self->collector->sort_keys[key];
    const column *values = &self->keys[key];
    const bool left_has = column_is_valid(values, left);
    const bool right_has = column_is_valid(values, right);
    if (!left_has || !right_has) {
        return left_has == right_has ? 0 : (left_has == how->nulls_first ? 1 : -1);
    }
    const int order = column_compare_rows(values, left, values, right);
    return how->is_descending ? -order : order;
}

// Which of two rows of a group comes first: by the order keys, then as they came.
static bool is_before(const ordering *self, uint32_t left, uint32_t right) {
    for (uint32_t i = 0; i < self->collector->order_count; i++) {
        const int order = compare_key(self, i, left, right);
        if (order != 0) {
            return order < 0;
        }
    }
    if (!self->has_places) {
        return left < right;
    }
    uint64_t places[2][2];
    const row_layout *layout = &self->collector->layout;
    memcpy(places[0], row_extra(layout, self->rows[left]) + COLLECTED_TASK, 16);
    memcpy(places[1], row_extra(layout, self->rows[right]) + COLLECTED_TASK, 16);
    return places[0][0] != places[1][0] ? places[0][0] < places[1][0] : places[0][1] < places[1][1];
}

// Merge sort of row numbers, bottom up; stable.
static void sort_numbers(const ordering *self, uint32_t *numbers, uint32_t *spare, uint32_t count) {
    uint32_t *from = numbers;
    uint32_t *to = spare;
    for (uint64_t width = 1; width < count; width *= 2) {
        for (uint64_t start = 0; start < count; start += 2 * width) {
            const uint64_t middle = start + width < count ? start + width : count;
            const uint64_t end = start + 2 * width < count ? start + 2 * width : count;
            uint64_t left = start;
            uint64_t right = middle;
            for (uint64_t at = start; at < end; at++) {
                const bool takes_left =
                    left < middle && (right == end || !is_before(self, from[right], from[left]));
                to[at] = takes_left ? from[left++] : from[right++];
            }
        }
        uint32_t *swapped = from;
        from = to;
        to = swapped;
    }
    if (from != numbers) {
        memcpy(numbers, from, count * sizeof *numbers);
    }
}

// Puts the rows of each group into order.
static firn_status order_rows(collected_rows *self, const aggregate_shape *shape,
                              uint32_t group_count, arena *scratch, firn_error *err) {
    const aggregate_collector *collector = self->collector;
    const uint32_t total = self->count;
    ordering state = {.collector = collector,
                      .rows = self->rows,
                      .has_places = self->store->layout->extra_size > 8};
    column *keys = ARENA_NEW(scratch, column, collector->order_count + 1);
    uint32_t *numbers = ARENA_NEW(scratch, uint32_t, (size_t)total + 1);
    uint32_t *spare = ARENA_NEW(scratch, uint32_t, (size_t)total + 1);
    uint8_t **sorted = ARENA_NEW(scratch, uint8_t *, (size_t)total + 1);
    if (keys == NULL || numbers == NULL || spare == NULL || sorted == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < collector->order_count; i++) {
        TRY(rows_gather(self->store, shape->group_keys + collector->arg_count + i,
                        (const uint8_t *const *)self->rows, total, scratch, &keys[i], err));
    }
    state.keys = keys;
    uint32_t from = 0;
    for (uint32_t group = 0; group < group_count; group++) {
        for (uint32_t i = from; i < self->ends[group]; i++) {
            numbers[i] = i;
        }
        sort_numbers(&state, numbers + from, spare, self->ends[group] - from);
        from = self->ends[group];
    }
    for (uint32_t i = 0; i < total; i++) {
        sorted[i] = self->rows[numbers[i]];
    }
    memcpy(self->rows, sorted, total * sizeof *sorted);
    return FIRN_OK;
}

// ---- Values ------------------------------------------------------------------------------------

// The rows of some groups, group after group.
static firn_status list_rows(collected_rows *self, const aggregate_shape *shape,
                             uint8_t *const *groups, uint32_t count, arena *scratch,
                             firn_error *err) {
    const aggregate_slot *slot = &shape->slots[self->collector->slot];
    uint64_t total = 0;
    self->ends = ARENA_NEW(scratch, uint32_t, (size_t)count + 1);
    for (uint32_t g = 0; g < count && self->ends != NULL; g++) {
        total += collected_of(shape, slot, groups[g])->count;
        if (total > UINT32_MAX) {
            return FAIL(err, FIRN_NO_MEMORY, "one group has %llu values of %s",
                        (unsigned long long)total, slot->call->aggregate_.function->name);
        }
        self->ends[g] = (uint32_t)total;
    }
    self->rows = ARENA_NEW(scratch, uint8_t *, (size_t)total + 1);
    if (self->rows == NULL || self->ends == NULL) {
        return ARENA_FULL(scratch, err);
    }
    self->count = 0;
    for (uint32_t g = 0; g < count; g++) {
        for (uint8_t *row = collected_of(shape, slot, groups[g])->first; row != NULL;) {
            self->rows[self->count++] = row;
            memcpy(&row, row_extra(self->store->layout, row) + COLLECTED_NEXT, sizeof row);
        }
    }
    return FIRN_OK;
}

static firn_status collected_value(aggregate_unit *self, const aggregate_slot *slot,
                                   uint8_t *const *groups, uint32_t count, column *out,
                                   arena *scratch, firn_error *err) {
    const aggregate_context context = context_of(self, scratch, err);
    const aggregate_shape *shape = context.shape;
    collected_rows found = {.collector = &shape->collectors[slot->collector],
                            .store = self->shared->collected[slot->collector].store};
    TRY(list_rows(&found, shape, groups, count, scratch, err));
    if (found.collector->is_ordered) {
        TRY(order_rows(&found, shape, count, scratch, err));
    }
    column *args;
    TRY(gather_args(&found, shape, &args, scratch, err));
    if (!slot->is_fold) {
        return aggregate_collect(&context, slot, args, found.ends, count, out);
    }
    uint32_t at = 0;
    for (uint32_t g = 0; g < count; g++) {
        for (; at < found.ends[g]; at++) {
            found.rows[at] = groups[g];
        }
    }
    TRY(aggregate_update_one_slot(&context, slot, args,
                                  &(aggregate_rows){.count = found.count, .groups = found.rows}));
    return aggregate_value_of(&context, slot, groups, count, out);
}

static firn_status values_of(aggregate_unit *self, uint8_t *const *groups, uint32_t count,
                             column *out, arena *scratch, firn_error *err) {
    const aggregate_context context = context_of(self, scratch, err);
    const aggregate_shape *shape = context.shape;
    row_store *store = &self->shared->table_store;
    for (uint32_t i = 0; i < shape->key_count; i++) {
        TRY(rows_gather(store, i, (const uint8_t *const *)groups, count, scratch, out++, err));
    }
    for (uint32_t i = 0; i < shape->slot_count; i++) {
        const aggregate_slot *slot = &shape->slots[i];
        const bool is_chained =
            slot->collector != ROW_NONE && !shape->collectors[slot->collector].feeds_at_once;
        TRY(is_chained ? collected_value(self, slot, groups, count, out, scratch, err)
                       : aggregate_value_of(&context, slot, groups, count, out));
        out++;
    }
    if (shape->node->aggregate_.set_id == NO_SLOT) {
        return FIRN_OK;
    }
    if (shape->set_count > 0) {
        return rows_gather(store, shape->key_count, (const uint8_t *const *)groups, count, scratch,
                           out, err);
    }
    TRY(column_new(scratch, TYPE_OF(INTEGER), count, out, err));
    memset(COLUMN_OUT(out, int32_t), 0, count * sizeof(int32_t));
    return FIRN_OK;
}

// How many of the groups go into one batch, by what was collected for them.
static uint32_t limit_groups(const aggregate_state *shared, uint8_t *const *groups,
                             uint32_t count) {
    const aggregate_shape *shape = &shared->shape;
    const uint64_t share = aggregate_share(shared) / BYTES_A_COLLECTED_ROW;
    const uint64_t row_max = share < COLLECTED_ROWS_MIN   ? COLLECTED_ROWS_MIN
                             : share > COLLECTED_ROWS_MAX ? COLLECTED_ROWS_MAX
                                                          : share;
    uint32_t taken = count;
    for (uint32_t i = 0; i < shape->slot_count; i++) {
        const aggregate_slot *slot = &shape->slots[i];
        uint64_t rows = 0;
        for (uint32_t g = 0; slot->collector != ROW_NONE && g < taken; g++) {
            rows += collected_of(shape, slot, groups[g])->count;
            if (rows > row_max) {
                taken = g == 0 ? 1 : g;
            }
        }
    }
    return taken;
}

firn_status unit_emit(aggregate_unit *self, uint32_t max, arena *scratch, batch *out,
                      firn_error *err) {
    const aggregate_shape *shape = &self->shared->shape;
    uint8_t **groups = ARENA_NEW(scratch, uint8_t *, max);
    column *columns = ARENA_NEW(scratch, column, shape->output_count + 1);
    if (groups == NULL || columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    uint32_t count = self->left_count;
    if (count > 0) {
        memcpy(groups, self->left, count * sizeof *groups);
    } else if (shape->has_groups) {
        count = group_table_next(&self->table, &self->cursor, groups, max);
    }
    self->left_count = 0;
    if (count == 0) {
        return FIRN_OK;
    }
    const uint32_t taken = limit_groups(self->shared, groups, count);
    memcpy(self->left, groups + taken, (count - taken) * sizeof *groups);
    self->left_count = count - taken;
    TRY(values_of(self, groups, taken, columns, scratch, err));
    *out = batch_of(columns, shape->output_count, taken);
    atomic_fetch_add_explicit(&self->shared->group_count, taken, memory_order_relaxed);
    return FIRN_OK;
}

firn_status unit_emit_single(aggregate_unit *self, arena *scratch, batch *out, firn_error *err) {
    const aggregate_shape *shape = &self->shared->shape;
    column *columns = ARENA_NEW(scratch, column, shape->output_count + 1);
    if (columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    TRY(values_of(self, &self->single, 1, columns, scratch, err));
    *out = batch_of(columns, shape->output_count, 1);
    return FIRN_OK;
}
