// Handing out groups: keys, values of states, and of collected rows, a batch of groups at a time.
#include <assert.h>

#include "exec/aggregate_unit.h"

// Collected rows of a batch of groups, unless one group has more: scratch memory, so few of them
// where there is little.
#define COLLECTED_ROWS_MAX UINT64_C(32768)
#define COLLECTED_ROWS_MIN UINT64_C(1024)
#define BYTES_A_COLLECTED_ROW 1024
#define INSERTION_MAX 16 // Rows that are sorted by insertion.

// Rows of a collector.
typedef struct collected_rows {
    const aggregate_collector *collector;
    row_store *store;
    uint8_t **rows;
    uint32_t count;
    uint32_t *ends; // Group g owns rows [ends[g - 1], ends[g]); NULL where nobody asks.
} collected_rows;

firn_status unit_gather_args(const aggregate_unit *self, const aggregate_collector *collector,
                             uint8_t *const *rows, uint32_t count, column **out, arena *scratch,
                             firn_error *err) {
    const aggregate_shape *shape = &self->shared->shape;
    const row_store *store = self->shared->collected[shape->slots[collector->slot].collector].store;
    *out = ARENA_NEW(scratch, column, collector->arg_count + 1);
    if (*out == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < collector->arg_count; i++) {
        TRY(rows_gather(store, shape->group_keys + i, (const uint8_t *const *)rows, count, scratch,
                        &(*out)[i], err));
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

// ---- The order in which they came ---------------------------------------------------------------

typedef struct placed_row {
    uint64_t task;
    uint64_t part; // And row.
    uint8_t *row;
} placed_row;

static bool came_before(const placed_row *left, const placed_row *right) {
    return left->task != right->task ? left->task < right->task : left->part < right->part;
}

static bool came_in_order(const placed_row *items, uint32_t count) {
    uint32_t i = 1;
    while (i < count && !came_before(&items[i], &items[i - 1])) {
        i++;
    }
    return i >= count;
}

static void insert_placed(placed_row *items, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        const placed_row item = items[i];
        uint32_t at = i;
        for (; at > 0 && came_before(&item, &items[at - 1]); at--) {
            items[at] = items[at - 1];
        }
        items[at] = item;
    }
}

// Merge sort, bottom up. Where the rows are then: in `items` or `spare`.
static placed_row *merge_placed(placed_row *items, placed_row *spare, uint32_t count) {
    for (uint64_t start = 0; start < count; start += INSERTION_MAX) {
        const uint64_t left = count - start;
        insert_placed(items + start, left < INSERTION_MAX ? (uint32_t)left : INSERTION_MAX);
    }
    for (uint64_t width = INSERTION_MAX; width < count; width *= 2) {
        for (uint64_t start = 0; start < count; start += 2 * width) {
            const uint64_t middle = start + width < count ? start + width : count;
            const uint64_t end = start + 2 * width < count ? start + 2 * width : count;
            uint64_t left = start;
            uint64_t right = middle;
            for (uint64_t at = start; at < end; at++) {
                const bool takes_left =
                    left < middle && (right == end || !came_before(&items[right], &items[left]));
                spare[at] = takes_left ? items[left++] : items[right++];
            }
        }
        placed_row *swapped = items;
        items = spare;
        spare = swapped;
    }
    return items;
}

// Puts the rows of each group into the order in which they came. A worker's mostly are.
static firn_status order_by_places(collected_rows *self, uint32_t group_count, arena *scratch,
                                   firn_error *err) {
    uint32_t most = 0;
    for (uint32_t group = 0; group < group_count; group++) {
        const uint32_t count = self->ends[group] - (group == 0 ? 0 : self->ends[group - 1]);
        most = count > most ? count : most;
    }
    placed_row *items = ARENA_NEW(scratch, placed_row, (size_t)most + 1);
    placed_row *spare = ARENA_NEW(scratch, placed_row, (size_t)most + 1);
    if (items == NULL || spare == NULL) {
        return ARENA_FULL(scratch, err);
    }
    const row_layout *layout = self->store->layout;
    for (uint32_t group = 0, from = 0; group < group_count; from = self->ends[group++]) {
        uint8_t **rows = self->rows + from;
        const uint32_t count = self->ends[group] - from;
        for (uint32_t i = 0; i < count; i++) {
            const uint8_t *extra = row_extra(layout, rows[i]);
            memcpy(&items[i].task, extra + COLLECTED_TASK, sizeof items[i].task);
            memcpy(&items[i].part, extra + COLLECTED_PART, sizeof items[i].part);
            items[i].row = rows[i];
        }
        if (came_in_order(items, count)) {
            continue;
        }
        const placed_row *sorted = merge_placed(items, spare, count);
        for (uint32_t i = 0; i < count; i++) {
            rows[i] = sorted[i].row;
        }
    }
    return FIRN_OK;
}

// Puts the rows of each group into order.
static firn_status order_rows(collected_rows *self, const aggregate_shape *shape,
                              uint32_t group_count, arena *scratch, firn_error *err) {
    const aggregate_collector *collector = self->collector;
    const uint32_t total = self->count;
    const bool has_places = self->store->layout->extra_size == COLLECTED_PLACE_SIZE;
    if (total == 0) {
        return FIRN_OK;
    }
    if (has_places && collector->order_count == 0) {
        return order_by_places(self, group_count, scratch, err);
    }
    ordering state = {.collector = collector, .rows = self->rows, .has_places = has_places};
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

// The rows of some groups, group after group: groups follow each other as in the order of rows.
static firn_status list_rows(const aggregate_unit *self, collected_rows *out,
                             uint8_t *const *groups, uint32_t count, arena *scratch,
                             firn_error *err) {
    const aggregate_shape *shape = &self->shared->shape;
    const aggregate_slot *slot = &shape->slots[out->collector->slot];
    uint64_t total = 0;
    out->ends = ARENA_NEW(scratch, uint32_t, (size_t)count + 1);
    if (out->ends == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t g = 0; g < count; g++) {
        total += unit_collected_of(shape, slot, groups[g])->count;
        if (total > UINT32_MAX) {
            return FAIL(err, FIRN_NO_MEMORY, "one group has %llu values of %s",
                        (unsigned long long)total, slot->call->aggregate_.function->name);
        }
        out->ends[g] = (uint32_t)total;
    }
    const aggregate_collected *last = unit_collected_of(shape, slot, groups[count - 1]);
    assert(last->end >= total);
    out->count = (uint32_t)total;
    if (total > 0) {
        uint8_t **order = self->collected[slot->collector].order.data;
        out->rows = order + (last->end - total);
    }
    return FIRN_OK;
}

static firn_status collected_value(aggregate_unit *self, const aggregate_slot *slot,
                                   uint8_t *const *groups, uint32_t count, column *out,
                                   arena *scratch, firn_error *err) {
    const aggregate_context context = aggregate_context_of(self->shared, &self->heap, scratch, err);
    const aggregate_shape *shape = context.shape;
    collected_rows found = {.collector = &shape->collectors[slot->collector],
                            .store = self->shared->collected[slot->collector].store};
    TRY(list_rows(self, &found, groups, count, scratch, err));
    if (found.collector->is_ordered) {
        TRY(order_rows(&found, shape, count, scratch, err));
    }
    column *args;
    TRY(unit_gather_args(self, found.collector, found.rows, found.count, &args, scratch, err));
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
    const aggregate_context context = aggregate_context_of(self->shared, &self->heap, scratch, err);
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
            rows += unit_collected_of(shape, slot, groups[g])->count;
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
