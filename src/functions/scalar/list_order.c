// Lists as a whole: list_sort, list_distinct, list_reverse, flatten; range, generate_series.
#include "base/interval.h"
#include "base/zone.h"
#include "expr/session_zone.h"
#include "functions/scalar/list_build.h"
#include "functions/scalar/row_values.h"

static uint32_t finish(function_call *call, const list_build *build, column *out) {
    out->children = list_build_finish(build, call->result->children[0].type);
    return out->children == NULL ? KERNEL_NO_MEMORY : call->count;
}

static list_value slice_from(const list_build *build, uint32_t from) {
    return (list_value){.offset = from, .size = build->count - from};
}

// ---- list_sort -------------------------------------------------------------------------------

typedef struct sort_order {
    cancel_watch *watch;
    const column *elements;
    bool is_descending;
    bool nulls_first;
} sort_order;

#define MERGED_WORK 4 // Of a cancel_watch: a comparison and its cache misses.

static int compare_places(const sort_order *order, uint32_t left, uint32_t right) {
    const bool left_is_there = column_row_is_valid(order->elements, left);
    const bool right_is_there = column_row_is_valid(order->elements, right);
    if (!left_is_there || !right_is_there) {
        const int null_order = (int)left_is_there - (int)right_is_there;
        return order->nulls_first ? null_order : -null_order;
    }
    const int result =
        column_compare_rows_watched(order->elements, left, order->elements, right, order->watch);
    return order->is_descending ? -result : result;
}

// Merges two sorted runs [from, middle) and [middle, to) of `in` into `out`. False: stopped.
static bool merge(const sort_order *order, const uint32_t *in, uint32_t from, uint32_t middle,
                  uint32_t to, uint32_t *out) {
    uint32_t left = from;
    uint32_t right = middle;
    for (uint32_t at = from; at < to; at++) {
        const bool takes_left =
            left < middle && (right >= to || compare_places(order, in[left], in[right]) <= 0);
        out[at] = takes_left ? in[left++] : in[right++];
        if (cancel_watch_is_raised(order->watch, MERGED_WORK)) {
            return false;
        }
    }
    return true;
}

// Sorts places, equal ones staying in order: runs of 1, 2, 4 ... are merged. NULL: stopped.
static uint32_t *sort_places(const sort_order *order, uint32_t *places, uint32_t *other,
                             uint32_t count) {
    for (uint32_t run = 1; run<count; run = run> UINT32_MAX / 2 ? count : run * 2) {
        for (uint32_t from = 0; from < count;) {
            const uint32_t middle = count - from > run ? from + run : count;
            const uint32_t to = count - middle > run ? middle + run : count;
            if (!merge(order, places, from, middle, to, other)) {
                return NULL;
            }
            from = to;
        }
        uint32_t *swapped = places;
        places = other;
        other = swapped;
    }
    return places;
}

static bool read_word(text word, const char *first, const char *second, bool *out) {
    if (text_equal_nocase(word, text_of(second))) {
        *out = true;
        return true;
    }
    *out = false;
    return text_equal_nocase(word, text_of(first));
}

// Ascending has NULL last, descending first, unless it is said.
static bool read_order(function_call *call, const column *const *args, uint32_t row,
                       bool is_descending, sort_order *out) {
    out->elements = &args[0]->children[0];
    out->is_descending = is_descending;
    uint32_t next = 1;
    if (call->arg_count > next && !is_descending) {
        const text word = text_at(text_rows_of(args[next]), row);
        next++;
        if (!read_word(word, "asc", "desc", &out->is_descending)) {
            return false;
        }
    }
    out->nulls_first = out->is_descending;
    return call->arg_count <= next || read_word(text_at(text_rows_of(args[next]), row),
                                                "nulls last", "nulls first", &out->nulls_first);
}

static uint32_t sort(function_call *call, const column *const *args, bool is_descending,
                     column *out) {
    const list_rows lists = list_rows_of(args[0]);
    list_build build = list_build_of(call);
    cancel_watch watch = {.cancel = function_cancel(call)};
    FOR_ROWS(call, row) {
        const list_value list = list_at(lists, row);
        sort_order order = {.watch = &watch};
        if (!read_order(call, args, row, is_descending, &order)) {
            return ROW_VISIT(row);
        }
        uint32_t *places = ARENA_NEW(call->scratch, uint32_t, (size_t)list.size * 2 + 1);
        if (places == NULL) {
            return KERNEL_NO_MEMORY;
        }
        for (uint32_t i = 0; i < list.size && !cancel_watch_is_raised(&watch, 1); i++) {
            places[i] = list.offset + i;
        }
        const uint32_t *sorted = sort_places(&order, places, places + list.size, list.size);
        if (sorted == NULL) {
            return KERNEL_NO_MEMORY;
        }
        const uint32_t from = build.count;
        for (uint32_t i = 0; i < list.size; i++) {
            if (cancel_watch_is_raised(&watch, 1) ||
                !list_build_add(&build, order.elements, sorted[i])) {
                return KERNEL_NO_MEMORY;
            }
        }
        COLUMN_OUT(out, list_value)[row] = slice_from(&build, from);
    }
    return finish(call, &build, out);
}

static uint32_t sort_up(function_call *call, const column *const *args, column *out) {
    return sort(call, args, false, out);
}

static uint32_t sort_down(function_call *call, const column *const *args, column *out) {
    return sort(call, args, true, out);
}

static void explain_order(const function_call *call, const column *const *args, uint32_t row,
                          firn_error *err) {
    (void)call;
    (void)args;
    (void)row;
    err_set_sql(err, FIRN_INVALID, "22023", NO_POSITION,
                "the order of a list is 'ASC' or 'DESC', then 'NULLS FIRST' or 'NULLS LAST'");
}

const scalar_function function_list_sort = {
    .name = "list_sort",
    .aliases = "array_sort",
    .category = "list",
    .summary = "the elements in order, NULL last (first when descending): list_sort(l, 'DESC', "
               "'NULLS LAST')",
    .examples =
        (const char *const[]){
            "list_sort([3, 1, NULL, 2])", "[1, 2, 3, NULL]", "list_sort([1, 3, NULL, 2], 'DESC')",
            "[NULL, 3, 2, 1]", "array_sort(['b', NULL, 'a'], 'ASC', 'NULLS FIRST')", "[NULL, a, b]",
            "list_sort([])", "[]", "list_sort(NULL)", "NULL", "list_sort([1], 'up')",
            "error: the order of a list is", "list_sort(1)", "error: no \"list_sort\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL,
    .overloads =
        (const overload[]){
            {.signature = "LIST<T> <- LIST<T>",
             .kernel = sort_up,
             .flags_cleared = FUNCTION_CAN_FAIL},
            {.signature = "LIST<T> <- LIST<T>, VARCHAR", .kernel = sort_up},
            {.signature = "LIST<T> <- LIST<T>, VARCHAR, VARCHAR", .kernel = sort_up},
            {0},
        },
    .explain_failure = explain_order,
};

const scalar_function function_list_reverse_sort = {
    .name = "list_reverse_sort",
    .aliases = "array_reverse_sort",
    .category = "list",
    .summary = "the elements in descending order, NULL first",
    .examples =
        (const char *const[]){"list_reverse_sort([1, 3, NULL, 2])", "[NULL, 3, 2, 1]",
                              "list_reverse_sort([1, NULL], 'NULLS LAST')", "[1, NULL]",
                              "list_reverse_sort([])", "[]", "list_reverse_sort(NULL)", "NULL",
                              "list_reverse_sort([1], 'x')", "error: the order of a list is", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL,
    .overloads =
        (const overload[]){
            {.signature = "LIST<T> <- LIST<T>",
             .kernel = sort_down,
             .flags_cleared = FUNCTION_CAN_FAIL},
            {.signature = "LIST<T> <- LIST<T>, VARCHAR", .kernel = sort_down},
            {0},
        },
    .explain_failure = explain_order,
};

// ---- list_distinct, list_reverse, flatten ------------------------------------------------------

#define LOOK_UP_WORK 16 // Of a cancel_watch: a hash and its cache misses.

// Adds each value once, in the order of its first place; values meet in a table of their hashes.
static bool add_distinct(list_build *build, const column *elements, list_value list) {
    uint64_t size = 16;
    while (size < (uint64_t)list.size * 2) {
        size *= 2;
    }
    uint32_t *table = ARENA_NEW(build->memory, uint32_t, size); // Place + 1, 0: empty.
    if (table == NULL) {
        return false;
    }
    cancel_watch watch = {.cancel = function_cancel(build->call)};
    for (uint64_t at = 0; at < size && !cancel_watch_is_raised(&watch, 1); at++) {
        table[at] = 0;
    }
    for (uint32_t place = list.offset; place < list.offset + list.size; place++) {
        if (cancel_watch_is_raised(&watch, LOOK_UP_WORK)) {
            return false;
        }
        if (!column_row_is_valid(elements, place)) {
            continue;
        }
        uint64_t at = column_hash_row_watched(elements, place, &watch) & (size - 1);
        while (table[at] != 0 &&
               column_compare_rows_watched(elements, place, elements, table[at] - 1, &watch) != 0) {
            at = (at + 1) & (size - 1);
        }
        if (table[at] == 0) {
            table[at] = place + 1;
            if (!list_build_add(build, elements, place)) {
                return false;
            }
        }
    }
    return true;
}

// The different values of each list: as a list, or how many they are.
static uint32_t distinct(function_call *call, const column *const *args, bool counts, column *out) {
    const list_rows lists = list_rows_of(args[0]);
    list_build build = list_build_of(call);
    FOR_ROWS(call, row) {
        const uint32_t from = build.count;
        if (!add_distinct(&build, &args[0]->children[0], list_at(lists, row))) {
            return KERNEL_NO_MEMORY;
        }
        if (counts) {
            COLUMN_OUT(out, int64_t)[row] = build.count - from;
        } else {
            COLUMN_OUT(out, list_value)[row] = slice_from(&build, from);
        }
    }
    return counts ? call->count : finish(call, &build, out);
}

static uint32_t list_distinct(function_call *call, const column *const *args, column *out) {
    return distinct(call, args, false, out);
}

static uint32_t list_unique(function_call *call, const column *const *args, column *out) {
    return distinct(call, args, true, out);
}

static uint32_t list_reverse(function_call *call, const column *const *args, column *out) {
    const list_rows lists = list_rows_of(args[0]);
    list_build build = list_build_of(call);
    cancel_watch watch = {.cancel = function_cancel(call)};
    FOR_ROWS(call, row) {
        const list_value list = list_at(lists, row);
        const uint32_t from = build.count;
        for (uint32_t i = list.size; i > 0; i--) {
            if (cancel_watch_is_raised(&watch, 1) ||
                !list_build_add(&build, &args[0]->children[0], list.offset + i - 1)) {
                return KERNEL_NO_MEMORY;
            }
        }
        COLUMN_OUT(out, list_value)[row] = slice_from(&build, from);
    }
    return finish(call, &build, out);
}

static uint32_t flatten_kernel(function_call *call, const column *const *args, column *out) {
    const list_rows lists = list_rows_of(args[0]);
    const column *inner = &args[0]->children[0];
    list_build build = list_build_of(call);
    FOR_ROWS(call, row) {
        const list_value list = list_at(lists, row);
        const uint32_t from = build.count;
        for (uint32_t place = list.offset; place < list.offset + list.size; place++) {
            const list_value part = COLUMN_VALUES(inner, list_value)[place];
            if (column_row_is_valid(inner, place) &&
                !list_build_add_range(&build, &inner->children[0], part.offset, part.size)) {
                return KERNEL_NO_MEMORY;
            }
        }
        COLUMN_OUT(out, list_value)[row] = slice_from(&build, from);
    }
    return finish(call, &build, out);
}

const scalar_function function_list_distinct = {
    .name = "list_distinct",
    .aliases = "array_distinct",
    .category = "list",
    .summary = "each value among the elements once, without NULL, in the order of their first "
               "places",
    .examples = (const char *const[]){"list_distinct([2, 1, 2, NULL, 1])", "[2, 1]",
                                      "array_distinct(['a', 'A', 'a'])", "[a, A]",
                                      "list_distinct([])", "[]", "list_distinct([NULL, NULL])",
                                      "[]", "list_distinct(NULL)", "NULL", "list_distinct(1)",
                                      "error: no \"list_distinct\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){{.signature = "LIST<T> <- LIST<T>", .kernel = list_distinct}, {0}},
};

const scalar_function function_list_unique = {
    .name = "list_unique",
    .aliases = "array_unique",
    .category = "list",
    .summary = "how many different values are among the elements, without NULL",
    .examples = (const char *const[]){"list_unique([2, 1, 2, NULL, 1])", "2", "list_unique([])",
                                      "0", "array_unique(NULL)", "NULL", "list_unique(1)",
                                      "error: no \"list_unique\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads = (const overload[]){{.signature = "BIGINT <- LIST<T>", .kernel = list_unique}, {0}},
};

const scalar_function function_list_reverse = {
    .name = "list_reverse",
    .aliases = "array_reverse",
    .category = "list",
    .summary = "the elements in the opposite order",
    .examples = (const char *const[]){"list_reverse([1, NULL, 3])", "[3, NULL, 1]",
                                      "list_reverse([])", "[]", "list_reverse(NULL)", "NULL",
                                      "list_reverse(1)", "error: no \"list_reverse\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){{.signature = "LIST<T> <- LIST<T>", .kernel = list_reverse}, {0}},
};

const scalar_function function_flatten = {
    .name = "flatten",
    .category = "list",
    .summary = "the elements of the lists in a list, one behind another",
    .examples = (const char *const[]){"flatten([[1, 2], [3], NULL, []])", "[1, 2, 3]",
                                      "flatten([[[1]], [[2]]])", "[[1], [2]]", "flatten([[]])",
                                      "[]", "flatten(NULL)", "NULL", "flatten(1)",
                                      "error: no \"flatten\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){{.signature = "LIST<T> <- LIST<LIST<T>>", .kernel = flatten_kernel},
                           {0}},
};

// ---- range, generate_series --------------------------------------------------------------------

#define SERIES_SIZE_MAX (UINT32_C(1) << 26)

typedef struct series {
    int64_t *values;
    uint32_t count;
    uint32_t capacity;
} series;

static bool series_add(series *self, const function_call *call, int64_t value) {
    if (self->count == self->capacity) {
        const uint32_t capacity = self->capacity == 0 ? 64 : self->capacity * 2;
        const text held = {.data = (const char *)self->values,
                           .size = self->count * sizeof *self->values};
        int64_t *values = ARENA_NEW(call->scratch, int64_t, capacity);
        if (values == NULL || !text_put(call, (char *)values, held)) {
            return false;
        }
        self->values = values;
        self->capacity = capacity;
    }
    self->values[self->count++] = value;
    return true;
}

// How many numbers a series has, at most SERIES_SIZE_MAX + 1: known before any is made.
WRAPS static uint64_t series_length(int64_t start, int64_t end, int64_t step, bool has_end) {
    const bool is_empty = step > 0 ? start > end : start < end;
    if (is_empty) {
        return 0;
    }
    const uint64_t distance =
        step > 0 ? (uint64_t)end - (uint64_t)start : (uint64_t)start - (uint64_t)end;
    const uint64_t width = step > 0 ? (uint64_t)step : UINT64_C(0) - (uint64_t)step;
    const uint64_t steps = distance / width;
    if (steps > SERIES_SIZE_MAX) {
        return SERIES_SIZE_MAX + UINT64_C(1);
    }
    return has_end || distance % width != 0 ? steps + 1 : steps;
}

static uint32_t finish_series(function_call *call, const series *made, column *out) {
    static const int64_t nothing = 0;
    column *elements = ARENA_NEW(call->scratch, column, 1);
    if (elements == NULL) {
        return KERNEL_NO_MEMORY;
    }
    *elements = (column){.type = call->result->children[0].type,
                         .form = FORM_FLAT,
                         .length = made->count,
                         .values = made->values == NULL ? &nothing : made->values};
    out->children = elements;
    return call->count;
}

WRAPS static uint32_t make_series(function_call *call, const column *const *args, bool has_end,
                                  column *out) {
    series made = {.count = 0};
    cancel_watch watch = {.cancel = function_cancel(call)};
    FOR_ROWS(call, row) {
        const bool has_start = call->arg_count > 1;
        int64_t at = has_start ? i64_at(i64_rows_of(args[0]), row) : 0;
        const int64_t end = i64_at(i64_rows_of(args[has_start ? 1 : 0]), row);
        const int64_t step = call->arg_count > 2 ? i64_at(i64_rows_of(args[2]), row) : 1;
        const uint32_t from = made.count;
        if (step == 0) {
            return ROW_VISIT(row);
        }
        const uint64_t length = series_length(at, end, step, has_end);
        if (length > SERIES_SIZE_MAX - made.count) {
            return ROW_VISIT(row);
        }
        for (uint64_t i = 0; i < length; i++) {
            if (cancel_watch_is_raised(&watch, 1) || !series_add(&made, call, at)) {
                return KERNEL_NO_MEMORY;
            }
            at = (int64_t)((uint64_t)at + (uint64_t)step); // The one behind the last may wrap.
        }
        COLUMN_OUT(out, list_value)
        [row] = (list_value){.offset = from, .size = made.count - from};
    }
    return finish_series(call, &made, out);
}

// A step in units of its type where it is as long from whatever time on; else 0.
static int64_t even_step(interval_value step, time_unit unit, bool is_instant) {
    const int64_t unit_nanos =
        CALENDAR_DAY_NANOS / CALENDAR_DAY_SECONDS / calendar_units_per_second(unit);
    const i128 nanos = interval_length(step);
    const i128 width = nanos / unit_nanos;
    const bool is_even = step.months == 0 && (step.days == 0 || !is_instant) &&
                         nanos % unit_nanos == 0 && width == (i128)(int64_t)width;
    return is_even ? (int64_t)width : 0;
}

// The series ends where the next time would leave the type. Instants step on the session's clocks.
static uint32_t make_times(function_call *call, const column *const *args, bool has_end,
                           column *out) {
    series made = {.count = 0};
    cancel_watch watch = {.cancel = function_cancel(call)};
    zone_cursor cursor = session_zone_cursor(call->context);
    const bool is_instant = args[0]->type->id == TYPE_TIMESTAMPTZ;
    const time_unit unit = args[0]->type->unit;
    FOR_ROWS(call, row) {
        const interval_value step = interval_at(interval_rows_of(args[2]), row);
        const int direction = interval_compare(step, (interval_value){0});
        const int64_t end = i64_at(i64_rows_of(args[1]), row);
        int64_t at = i64_at(i64_rows_of(args[0]), row);
        const uint32_t from = made.count;
        const int64_t width = even_step(step, unit, is_instant);
        if (direction == 0 ||
            (width != 0 && series_length(at, end, width, has_end) > SERIES_SIZE_MAX - made.count)) {
            return ROW_VISIT(row);
        }
        bool is_inside = true;
        while (is_inside && ((has_end && at == end) || (direction > 0 ? at < end : at > end))) {
            if (made.count == SERIES_SIZE_MAX) {
                return ROW_VISIT(row);
            }
            if (cancel_watch_is_raised(&watch, 1) || !series_add(&made, call, at)) {
                return KERNEL_NO_MEMORY;
            }
            is_inside = is_instant ? zone_add_interval_fits(&cursor, step, at, unit, &at)
                                   : interval_add_to_timestamp_fits(step, at, unit, &at);
        }
        COLUMN_OUT(out, list_value)
        [row] = (list_value){.offset = from, .size = made.count - from};
    }
    return finish_series(call, &made, out);
}

static uint32_t range(function_call *call, const column *const *args, column *out) {
    return make_series(call, args, false, out);
}

static uint32_t generate_series(function_call *call, const column *const *args, column *out) {
    return make_series(call, args, true, out);
}

static uint32_t range_times(function_call *call, const column *const *args, column *out) {
    return make_times(call, args, false, out);
}

static uint32_t generate_times(function_call *call, const column *const *args, column *out) {
    return make_times(call, args, true, out);
}

static bool has_no_step(const function_call *call, const column *const *args, uint32_t row) {
    if (call->arg_count < 3) {
        return false;
    }
    return args[2]->type->id == TYPE_INTERVAL
               ? interval_compare(interval_at(interval_rows_of(args[2]), row),
                                  (interval_value){0}) == 0
               : i64_at(i64_rows_of(args[2]), row) == 0;
}

static void explain_series(const function_call *call, const column *const *args, uint32_t row,
                           firn_error *err) {
    if (has_no_step(call, args, row)) {
        err_set_sql(err, FIRN_INVALID, "22023", NO_POSITION,
                    "a step of 0, any other one is allowed");
        return;
    }
    err_set_sql(err, FIRN_INVALID, "54000", NO_POSITION,
                "a list of more than %u values, the most that is allowed", SERIES_SIZE_MAX);
}

#define SERIES_OVERLOADS(numbers, times)                                                           \
    (const overload[]) {                                                                           \
        {.signature = "LIST<BIGINT> <- BIGINT", .kernel = numbers},                                \
            {.signature = "LIST<BIGINT> <- BIGINT, BIGINT", .kernel = numbers},                    \
            {.signature = "LIST<BIGINT> <- BIGINT, BIGINT, BIGINT", .kernel = numbers},            \
            {.signature = "LIST<TIMESTAMP(m)> <- TIMESTAMP(m), TIMESTAMP(m), INTERVAL",            \
             .kernel = times},                                                                     \
            {.signature = "LIST<TIMESTAMPTZ(m)> <- TIMESTAMPTZ(m), TIMESTAMPTZ(m), INTERVAL",      \
             .kernel = times,                                                                      \
             .flags_set = FUNCTION_STABLE},                                                        \
            {0},                                                                                   \
    }

const scalar_function function_range = {
    .name = "range",
    .category = "list",
    .summary = "the numbers from a start (0) to an end that is left out, in steps (1); or times",
    .examples = (const char *const[]){"range(3)", "[0, 1, 2]", "range(2, 8, 3)", "[2, 5]",
                                      "range(3, 0, -1)", "[3, 2, 1]", "range(0)", "[]",
                                      "range(NULL)", "NULL", "range(1, 2, 0)", "error: a step of 0",
                                      "range(1000000000)", "error: a list of more than",
                                      "range('a'::VARCHAR)", "error: no \"range\" takes",
                                      "range(DATE '2020-01-01', '2020-01-02', INTERVAL '1 day')",
                                      "[2020-01-01 00:00:00]", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL,
    .overloads = SERIES_OVERLOADS(range, range_times),
    .explain_failure = explain_series,
};

const scalar_function function_generate_series = {
    .name = "generate_series",
    .category = "list",
    .summary = "the numbers from a start (0) to an end, that one included, in steps (1); or times",
    .examples =
        (const char *const[]){
            "generate_series(1, 3)", "[1, 2, 3]", "generate_series(5, 1, -2)", "[5, 3, 1]",
            "generate_series(9223372036854775806, 9223372036854775807)",
            "[9223372036854775806, 9223372036854775807]", "generate_series(2, 1)", "[]",
            "generate_series(1, NULL)", "NULL", "generate_series(1, 2, 0)", "error: a step of 0",
            "generate_series(DATE '2020-03-31', '2020-02-29', INTERVAL '-1 mon')",
            "[2020-03-31 00:00:00, 2020-02-29 00:00:00]",
            "generate_series(DATE '2020-01-01', '2020-01-03', INTERVAL '0 days')",
            "error: a step of 0", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL,
    .overloads = SERIES_OVERLOADS(generate_series, generate_times),
    .explain_failure = explain_series,
};
