// The order of the rows that an aggregate collects for a group: by ORDER BY, else as they came.
#include <assert.h>

#include "exec/aggregate/aggregate_unit.h"
#include "exec/sort/order_number.h"
#include "memory/arena_grow.h"

#define ROWS_A_PIECE 8   // From which on pieces are put in order, and not rows.
#define LOOK_EVERY 65536 // Rows between two looks at the cancel flag.
#define COMPARING 16     // Of a cancel_watch: a comparison, with its cache misses.
#define INSERTION_MAX 16 // Rows that are sorted by insertion.
#define NUMBERS_AT_ONCE 4096
#define NUMBER_TEXT_MAX 8 // Bytes of a text that its number is made of.

// ---- The order of a group's rows ----------------------------------------------------------------

typedef struct ordering {
    const aggregate_collector *collector;
    const row_layout *layout;
    uint8_t *const *rows;
    const column *keys; // Order keys, by row number.
    // Of the first key, if its values have such numbers: most comparisons end there.
    const uint64_t *numbers;
    const bool *is_null;
    bool is_exact; // Equal numbers are equal values.
    bool has_places;
    cancel_watch watch; // Once its flag is raised, any order will do.
} ordering;

static int compare_key(ordering *self, uint32_t key, uint32_t left, uint32_t right) {
    const sort_key *how = &self->collector->sort_keys[key];
    const column *values = &self->keys[key];
    const bool left_has = column_is_valid(values, left);
    const bool right_has = column_is_valid(values, right);
    if (!left_has || !right_has) {
        return left_has == right_has ? 0 : (left_has == how->nulls_first ? 1 : -1);
    }
    const int order = column_compare_rows_watched(values, left, values, right, &self->watch);
    return how->is_descending ? -order : order;
}

// The first key by its numbers.
static int compare_number(ordering *self, uint32_t left, uint32_t right) {
    const sort_key *how = &self->collector->sort_keys[0];
    if (self->is_null[left] || self->is_null[right]) {
        return self->is_null[left] == self->is_null[right] ? 0
               : self->is_null[left] == how->nulls_first   ? -1
                                                           : 1;
    }
    int order =
        (self->numbers[left] > self->numbers[right]) - (self->numbers[left] < self->numbers[right]);
    if (order == 0 && !self->is_exact) {
        const column *values = &self->keys[0];
        const uint32_t mask = column_mask(values);
        if (type_physical(values->type) != PHYSICAL_STRING) {
            return compare_key(self, 0, left, right);
        }
        const uint32_t l = COLUMN_VALUES(values, string_value)[left & mask].size;
        const uint32_t r = COLUMN_VALUES(values, string_value)[right & mask].size;
        if (l > NUMBER_TEXT_MAX && r > NUMBER_TEXT_MAX) {
            return compare_key(self, 0, left, right);
        }
        order = (l > r) - (l < r); // One is the beginning of the other, but for zeros.
    }
    return how->is_descending ? -order : order;
}

// Which of two rows of a group comes first: by the order keys, then as they came.
static bool is_before(ordering *self, uint32_t left, uint32_t right) {
    for (uint32_t i = 0; i < self->collector->order_count; i++) {
        const int order = i == 0 && self->numbers != NULL ? compare_number(self, left, right)
                                                          : compare_key(self, i, left, right);
        if (order != 0) {
            return order < 0;
        }
    }
    if (!self->has_places) {
        return left < right;
    }
    uint64_t places[2][2];
    const row_layout *layout = self->layout;
    memcpy(places[0], row_extra(layout, self->rows[left]) + COLLECTED_TASK, 16);
    memcpy(places[1], row_extra(layout, self->rows[right]) + COLLECTED_TASK, 16);
    return places[0][0] != places[1][0] ? places[0][0] < places[1][0] : places[0][1] < places[1][1];
}

// Merge sort of row numbers, bottom up; stable.
static void sort_numbers(ordering *self, uint32_t *numbers, uint32_t *spare, uint32_t count) {
    uint32_t *from = numbers;
    uint32_t *to = spare;
    for (uint64_t width = 1; width < count; width *= 2) {
        for (uint64_t start = 0; start < count; start += 2 * width) {
            const uint64_t middle = start + width < count ? start + width : count;
            const uint64_t end = start + 2 * width < count ? start + 2 * width : count;
            if (cancel_watch_is_raised(&self->watch, (size_t)(end - start) * COMPARING)) {
                return;
            }
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

static placed_row place_of(const row_layout *layout, uint8_t *row) {
    placed_row out = {.row = row};
    const uint8_t *extra = row_extra(layout, row);
    memcpy(&out.task, extra + COLLECTED_TASK, sizeof out.task);
    memcpy(&out.part, extra + COLLECTED_PART, sizeof out.part);
    return out;
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

static uint32_t end_of_run(const placed_row *items, uint32_t from, uint32_t count) {
    uint32_t end = from + 1;
    while (end < count && !came_before(&items[end], &items[end - 1])) {
        end++;
    }
    return end < count ? end : count;
}

// Merge sort of what is in order already: a worker's rows mostly are, so that there are few runs.
// Where the rows are then: in `items` or `spare`; anything once the flag is raised.
static placed_row *merge_placed(placed_row *items, placed_row *spare, uint32_t count,
                                const cancel_flag *cancel) {
    for (uint64_t start = 0; start < count; start += INSERTION_MAX) {
        const uint64_t left = count - start;
        insert_placed(items + start, left < INSERTION_MAX ? (uint32_t)left : INSERTION_MAX);
        if (start % LOOK_EVERY == 0 && cancel_is_raised(cancel)) {
            return items;
        }
    }
    while (end_of_run(items, 0, count) < count) {
        for (uint32_t start = 0; start < count;) {
            const uint32_t middle = end_of_run(items, start, count);
            const uint32_t end = middle < count ? end_of_run(items, middle, count) : count;
            uint32_t left = start;
            uint32_t right = middle;
            for (uint32_t at = start; at < end; at++) {
                const bool takes_left =
                    left < middle && (right == end || !came_before(&items[right], &items[left]));
                spare[at] = takes_left ? items[left++] : items[right++];
                if (at % LOOK_EVERY == 0 && cancel_is_raised(cancel)) {
                    return items;
                }
            }
            start = end;
        }
        placed_row *swapped = items;
        items = spare;
        spare = swapped;
    }
    return items;
}

// Rows of one batch that lie in order are a piece: pages of a list are in no order, but all rows of
// a batch come before those of another. So pieces are put in order, as long as they are long.
typedef struct piece_list {
    placed_row *items; // The first row's place; `row` is where it is among the rows.
    uint32_t count;
    uint32_t capacity;
    bool in_order; // All rows are: there is nothing to do.
} piece_list;

static firn_status add_piece(piece_list *self, placed_row first, arena *scratch, firn_error *err) {
    placed_row *items =
        ARENA_GROW(scratch, placed_row, self->items, self->count, 1, &self->capacity);
    if (items == NULL) {
        return ARENA_FULL(scratch, err);
    }
    self->items = items;
    self->items[self->count++] = first;
    return FIRN_OK;
}

// Looks at each row once. Leaves off where there are more than `max` and some are out of order.
static firn_status list_pieces(const row_layout *layout, uint8_t **rows, uint32_t count,
                               uint32_t max, piece_list *out, arena *scratch, firn_error *err) {
    *out = (piece_list){.in_order = true};
    placed_row before = {0};
    for (uint32_t i = 0; i < count && (out->in_order || out->count <= max); i++) {
        placed_row here = place_of(layout, rows[i]);
        TRY(i % LOOK_EVERY == 0 ? cancel_check(scratch->cancel, err) : FIRN_OK);
        const bool is_earlier = i > 0 && came_before(&here, &before);
        const bool begins = i == 0 || is_earlier || here.task != before.task ||
                            here.part >> 32 != before.part >> 32;
        before = here;
        out->in_order &= !is_earlier;
        if (begins && out->count <= max) {
            here.row = (uint8_t *)&rows[i];
            TRY(add_piece(out, here, scratch, err));
        }
    }
    return FIRN_OK;
}

// Where a piece begins; the number behind the last: where it ends.
static uint32_t begin_of(const piece_list *self, uint32_t number, uint8_t *const *rows,
                         uint32_t count) {
    return number == self->count ? count
                                 : (uint32_t)((uint8_t **)(void *)self->items[number].row - rows);
}

// False if pieces overlap: they are of a source that numbers its batches in another way.
static firn_status order_pieces(uint8_t **rows, uint32_t count, const piece_list *pieces,
                                const row_layout *layout, bool *is_done, arena *scratch,
                                firn_error *err) {
    placed_row *numbered = ARENA_NEW(scratch, placed_row, pieces->count);
    placed_row *spare = ARENA_NEW(scratch, placed_row, pieces->count);
    uint8_t **sorted = ARENA_NEW(scratch, uint8_t *, count);
    if (numbered == NULL || spare == NULL || sorted == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < pieces->count; i++) {
        numbered[i] = pieces->items[i];
        numbered[i].row = (uint8_t *)&pieces->items[i];
    }
    const placed_row *in_order = merge_placed(numbered, spare, pieces->count, scratch->cancel);
    TRY(cancel_check(scratch->cancel, err));
    uint32_t at = 0;
    *is_done = true;
    for (uint32_t i = 0; i < pieces->count && *is_done; i++) {
        const uint32_t number =
            (uint32_t)((const placed_row *)(const void *)in_order[i].row - pieces->items);
        const uint32_t from = begin_of(pieces, number, rows, count);
        const uint32_t taken = begin_of(pieces, number + 1, rows, count) - from;
        if (at > 0) {
            const placed_row last = place_of(layout, sorted[at - 1]);
            *is_done = !came_before(&in_order[i], &last);
        }
        for (uint32_t k = 0; k < taken; k++) {
            sorted[at + k] = rows[from + k];
            TRY(k % LOOK_EVERY == 0 ? cancel_check(scratch->cancel, err) : FIRN_OK);
        }
        at += taken;
    }
    if (*is_done) {
        memcpy(rows, sorted, count * sizeof *rows);
    }
    return FIRN_OK;
}

static firn_status order_one_by_one(uint8_t **rows, uint32_t count, const row_layout *layout,
                                    arena *scratch, firn_error *err) {
    placed_row *items = ARENA_NEW(scratch, placed_row, count);
    placed_row *spare = ARENA_NEW(scratch, placed_row, count);
    if (items == NULL || spare == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        items[i] = place_of(layout, rows[i]);
        TRY(i % LOOK_EVERY == 0 ? cancel_check(scratch->cancel, err) : FIRN_OK);
    }
    const placed_row *sorted = merge_placed(items, spare, count, scratch->cancel);
    TRY(cancel_check(scratch->cancel, err));
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = sorted[i].row;
    }
    return FIRN_OK;
}

// Puts the rows of each group into the order in which they came. A worker's mostly are.
static firn_status order_by_places(collected_rows *self, uint32_t group_count, arena *scratch,
                                   firn_error *err) {
    const row_layout *layout = self->store->layout;
    for (uint32_t group = 0, from = 0; group < group_count; from = self->ends[group++]) {
        uint8_t **rows = self->rows + from;
        const uint32_t count = self->ends[group] - from;
        const uint32_t piece_max = count / ROWS_A_PIECE;
        const arena_mark mark = arena_mark_take(scratch);
        piece_list pieces;
        TRY(list_pieces(layout, rows, count, piece_max, &pieces, scratch, err));
        bool is_done = pieces.in_order;
        if (!is_done && pieces.count <= piece_max) {
            TRY(order_pieces(rows, count, &pieces, layout, &is_done, scratch, err));
        }
        TRY(is_done ? FIRN_OK : order_one_by_one(rows, count, layout, scratch, err));
        arena_rewind(scratch, mark);
    }
    return FIRN_OK;
}

// Numbers of the first key, if its values have some and there is room for them.
static firn_status number_rows(ordering *self, uint32_t total, arena *scratch, firn_error *err) {
    const column *values = &self->keys[0];
    if (self->collector->order_count == 0 || !type_has_order_number(values->type) ||
        (values->form != FORM_FLAT && values->form != FORM_CONSTANT)) {
        return FIRN_OK;
    }
    uint64_t *numbers = ARENA_NEW(scratch, uint64_t, total);
    bool *is_null = ARENA_NEW(scratch, bool, total);
    if (numbers == NULL || is_null == NULL) {
        return FIRN_OK;
    }
    memset(is_null, 0, total * sizeof *is_null);
    uint16_t rows[NUMBERS_AT_ONCE];
    uint32_t lanes[NUMBERS_AT_ONCE];
    for (uint32_t k = 0; k < NUMBERS_AT_ONCE; k++) {
        rows[k] = (uint16_t)k;
    }
    for (uint32_t from = 0; from < total; from += NUMBERS_AT_ONCE) {
        const uint32_t left = total - from;
        const uint32_t count = left < NUMBERS_AT_ONCE ? left : NUMBERS_AT_ONCE;
        const arena_mark mark = arena_mark_take(scratch);
        column some;
        TRY(cancel_check(scratch->cancel, err));
        TRY(column_slice(scratch, values, from, count, &some, err));
        order_numbers_of(&some, rows, count, lanes, numbers + from, is_null + from);
        arena_rewind(scratch, mark);
    }
    self->numbers = numbers;
    self->is_null = is_null;
    self->is_exact = order_number_is_exact(values->type);
    return FIRN_OK;
}

firn_status unit_order_rows(collected_rows *self, uint32_t group_count, arena *scratch,
                            firn_error *err) {
    const aggregate_collector *collector = self->collector;
    const uint32_t total = self->count;
    const bool has_places = self->store->layout->extra_size == COLLECTED_PLACE_SIZE;
    if (total == 0) {
        return FIRN_OK;
    }
    if (has_places && collector->order_count == 0) {
        return order_by_places(self, group_count, scratch, err);
    }
    ordering state = {.collector = collector,
                      .layout = self->store->layout,
                      .rows = self->rows,
                      .has_places = has_places,
                      .watch = {.cancel = scratch->cancel}};
    column *keys = ARENA_NEW(scratch, column, collector->order_count + 1);
    uint32_t *numbers = ARENA_NEW(scratch, uint32_t, (size_t)total + 1);
    uint32_t *spare = ARENA_NEW(scratch, uint32_t, (size_t)total + 1);
    uint8_t **sorted = ARENA_NEW(scratch, uint8_t *, (size_t)total + 1);
    if (keys == NULL || numbers == NULL || spare == NULL || sorted == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < collector->order_count; i++) {
        TRY(rows_gather(self->store, self->first_arg + collector->arg_count + i,
                        (const uint8_t *const *)self->rows, total, scratch, &keys[i], err));
    }
    state.keys = keys;
    TRY(number_rows(&state, total, scratch, err));
    uint32_t from = 0;
    for (uint32_t group = 0; group < group_count; group++) {
        for (uint32_t i = from; i < self->ends[group]; i++) {
            numbers[i] = i;
            TRY(i % LOOK_EVERY == 0 ? cancel_check(scratch->cancel, err) : FIRN_OK);
        }
        sort_numbers(&state, numbers + from, spare, self->ends[group] - from);
        from = self->ends[group];
    }
    TRY(cancel_check(scratch->cancel, err));
    for (uint32_t i = 0; i < total; i++) {
        sorted[i] = self->rows[numbers[i]];
        TRY(i % LOOK_EVERY == 0 ? cancel_check(scratch->cancel, err) : FIRN_OK);
    }
    memcpy(self->rows, sorted, total * sizeof *sorted);
    return FIRN_OK;
}
