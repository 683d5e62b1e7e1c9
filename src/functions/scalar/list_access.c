// Making lists and reaching into them: list_value, list_element, list_slice, list_contains,
// array_position, array_length.
#include "functions/scalar/list_build.h"
#include "functions/scalar/row_values.h"
#include "kernels/compare.h"

// ---- list_value ------------------------------------------------------------------------------

static uint32_t list_value_kernel(function_call *call, const column *const *args, column *out) {
    list_build build = list_build_of(call);
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, list_value)
        [row] = (list_value){.offset = build.count, .size = call->arg_count};
        for (uint32_t i = 0; i < call->arg_count; i++) {
            if (!list_build_add(&build, args[i], list_source_row(args[i], row))) {
                return KERNEL_NO_MEMORY;
            }
        }
    }
    out->children = list_build_finish(&build, call->result->children[0].type);
    return out->children == NULL ? KERNEL_NO_MEMORY : call->count;
}

// The elements of [] have no type yet; any other one takes them in.
static firn_status bind_list_value(function_bind_call *call, firn_error *err) {
    if (call->arg_count == 0) {
        call->result = type_list(call->memory, TYPE_OF(NULL));
        return call->result == NULL ? ARENA_FULL(call->memory, err) : FIRN_OK;
    }
    return FIRN_OK;
}

const scalar_function function_list_value = {
    .name = "list_value",
    .aliases = "list_pack make_array array_value",
    .category = "list",
    .summary = "a list of the arguments: [a, b]",
    .examples =
        (const char *const[]){"[1, 2, NULL]", "[1, 2, NULL]", "list_value('a', 'b')", "[a, b]",
                              "[]", "[]", "[1, 2.5]", "[1.0, 2.5]", "[NULL]", "[NULL]", "[[1], []]",
                              "[[1], []]", "[1, 'x']", "error: ", NULL},
    .flags = 0,
    .overloads =
        (const overload[]){
            {.signature = "LIST<T> <- T...?", .kernel = list_value_kernel, .bind = bind_list_value},
            {0}},
};

// ---- list_element ----------------------------------------------------------------------------

// Element `index` of a list, from 1 or, if negative, from -1 at the end; false if there is none.
static bool element_place(list_value list, int64_t index, uint32_t *out) {
    const int64_t place = index > 0 ? index - 1 : index + list.size;
    if (index == 0 || place < 0 || place >= list.size) {
        return false;
    }
    *out = list.offset + (uint32_t)place;
    return true;
}

static uint32_t list_element(function_call *call, const column *const *args, column *out) {
    const list_rows lists = list_rows_of(args[0]);
    const i64_rows indexes = i64_rows_of(args[1]);
    const column **sources = ARENA_NEW(call->scratch, const column *, call->length + 1);
    uint32_t *rows = ARENA_NEW(call->scratch, uint32_t, call->length + 1);
    if (sources == NULL || rows == NULL) {
        return KERNEL_NO_MEMORY;
    }
    memset(sources, 0, call->length * sizeof(const column *));
    memset(rows, 0, call->length * sizeof *rows);
    FOR_ROWS(call, row) {
        if (column_row_is_valid(args[0], row) && column_row_is_valid(args[1], row) &&
            element_place(list_at(lists, row), i64_at(indexes, row), &rows[row])) {
            sources[row] = &args[0]->children[0];
        }
    }
    firn_error ignored = ERR_INIT;
    const gathered_rows from = {.sources = sources, .rows = rows, .count = call->length};
    return column_gather(call->scratch, call->result, &from, out, &ignored) == FIRN_OK
               ? call->count
               : KERNEL_NO_MEMORY;
}

const scalar_function function_list_element = {
    .name = "list_element",
    .aliases = "list_extract array_extract array_element",
    .category = "list",
    .summary = "an element of a list, counted from 1 or from -1 at the end; NULL if there is none",
    .examples = (const char *const[]){"[4, 5, 6][2]", "5", "list_element(['a', 'b'], -1)", "b",
                                      "[1][0]", "NULL", "[1][2]", "NULL", "[NULL, 1][1]", "NULL",
                                      "[[1, 2], [3]][1][2]", "2", "list_element(NULL, 1)", "NULL",
                                      "[1][NULL]", "NULL", "list_element(1, 1)",
                                      "error: no \"list_element\" takes", NULL},
    .flags = 0,
    .overloads =
        (const overload[]){{.signature = "T <- LIST<T>, BIGINT", .kernel = list_element}, {0}},
};

// ---- list_slice ------------------------------------------------------------------------------

typedef struct slice_bounds {
    int64_t from; // Places from 0, within the list; `from` > `to`: nothing.
    int64_t to;   // Included.
} slice_bounds;

static slice_bounds bounds_of(list_value list, int64_t from, int64_t to) {
    const int64_t size = list.size;
    if (from < 0) {
        from = from < -size ? 1 : from + size + 1;
    }
    if (to < 0) {
        to = to < -size ? 0 : to + size + 1;
    }
    return (slice_bounds){.from = from < 1 ? 0 : from - 1, .to = (to > size ? size : to) - 1};
}

// The elements stay where they are.
static uint32_t list_slice(function_call *call, const column *const *args, column *out) {
    const list_rows lists = list_rows_of(args[0]);
    const i64_rows froms = i64_rows_of(args[1]);
    const i64_rows tos = i64_rows_of(args[2]);
    FOR_ROWS(call, row) {
        const list_value list = list_at(lists, row);
        const slice_bounds bounds = bounds_of(list, i64_at(froms, row), i64_at(tos, row));
        COLUMN_OUT(out, list_value)
        [row] = bounds.from > bounds.to
                    ? (list_value){.offset = list.offset}
                    : (list_value){.offset = list.offset + (uint32_t)bounds.from,
                                   .size = (uint32_t)(bounds.to - bounds.from + 1)};
    }
    out->children = args[0]->children;
    return call->count;
}

static bool add_steps(list_build *build, const column *elements, list_value list,
                      slice_bounds bounds, int64_t step) {
    cancel_watch watch = {.cancel = function_cancel(build->call)};
    int64_t at = step > 0 ? bounds.from : bounds.to;
    while (at >= bounds.from && at <= bounds.to) {
        if (cancel_watch_is_raised(&watch, 1) ||
            !list_build_add(build, elements, list.offset + (uint32_t)at)) {
            return false;
        }
        if (__builtin_add_overflow(at, step, &at)) {
            break;
        }
    }
    return true;
}

static uint32_t list_slice_step(function_call *call, const column *const *args, column *out) {
    const list_rows lists = list_rows_of(args[0]);
    list_build build = list_build_of(call);
    FOR_ROWS(call, row) {
        const list_value list = list_at(lists, row);
        const int64_t step = i64_at(i64_rows_of(args[3]), row);
        const uint32_t from = build.count;
        if (step == 0) {
            return ROW_VISIT(row);
        }
        const int64_t first = i64_at(i64_rows_of(args[1]), row);
        const int64_t last = i64_at(i64_rows_of(args[2]), row);
        // Backwards it goes from the later to the earlier place: l[5:1:-2]. The ends that nobody
        // wrote are beyond those of any list (bind_slice), at either side.
        const slice_bounds bounds = step > 0 ? bounds_of(list, first, last)
                                             : bounds_of(list, last == INT64_MAX ? 1 : last,
                                                         first == INT64_MIN ? -1 : first);
        if (!add_steps(&build, &args[0]->children[0], list, bounds, step)) {
            return KERNEL_NO_MEMORY;
        }
        COLUMN_OUT(out, list_value)
        [row] = (list_value){.offset = from, .size = build.count - from};
    }
    out->children = list_build_finish(&build, call->result->children[0].type);
    return out->children == NULL ? KERNEL_NO_MEMORY : call->count;
}

static void explain_step(const function_call *call, const column *const *args, uint32_t row,
                         firn_error *err) {
    (void)call;
    (void)args;
    (void)row;
    err_set_sql(err, FIRN_INVALID, "22023", NO_POSITION, "a step of 0, any other one is allowed");
}

const scalar_function function_list_slice = {
    .name = "list_slice",
    .aliases = "array_slice",
    .category = "list",
    .summary = "the elements from one place to another, both included: l[2:3], l[1:9:2], "
               "backwards l[9:1:-2]",
    .examples = (const char *const[]){"[1, 2, 3, 4][2:3]",
                                      "[2, 3]",
                                      "[1, 2, 3][-2:]",
                                      "[2, 3]",
                                      "[1, 2, 3][:-2]",
                                      "[1, 2]",
                                      "[1, 2, 3][0:9]",
                                      "[1, 2, 3]",
                                      "[1, 2, 3][3:2]",
                                      "[]",
                                      "[1, 2, 3, 4, 5][1:5:2]",
                                      "[1, 3, 5]",
                                      "list_slice([1, 2, 3], 3, 1, -1)",
                                      "[3, 2, 1]",
                                      "list_slice([1, 2, 3], 1, 3, -1)",
                                      "[]",
                                      "list_slice([1], NULL, 1)",
                                      "NULL",
                                      "list_slice([1], 1, 1, 0)",
                                      "error: a step of 0",
                                      "list_slice(1, 1, 1)",
                                      "error: no \"list_slice\" takes",
                                      NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){
            {.signature = "LIST<T> <- LIST<T>, BIGINT, BIGINT", .kernel = list_slice},
            {.signature = "LIST<T> <- LIST<T>, BIGINT, BIGINT, BIGINT",
             .kernel = list_slice_step,
             .flags_set = FUNCTION_CAN_FAIL},
            {0},
        },
    .explain_failure = explain_step,
};

// ---- Looking for elements ----------------------------------------------------------------------

// How many are compared at once: few at first, for what is wanted may be among them.
#define ELEMENTS_AT_FIRST UINT32_C(64)
#define ELEMENTS_AT_ONCE UINT32_C(2048)

// The same for numbers, which are compared side by side. The value is not NULL.
static uint32_t find_number(const function_call *call, const column *elements, list_value list,
                            const uint8_t *wanted, bool *has_null) {
    uint64_t equal[BITMAP_WORDS(ELEMENTS_AT_ONCE)];
    const physical layout = type_physical(elements->type);
    const uint32_t width = physical_size(layout);
    const compare_kernel kernel = compare_kernel_at(isa_best(), layout, COMPARE_EQ, true);
    *has_null = false;
    uint32_t count = 0;
    uint32_t most = ELEMENTS_AT_FIRST;
    for (uint32_t from = 0; from < list.size && !function_is_stopped(call); from += count) {
        const uint32_t left = list.size - from;
        count = left < most ? left : most;
        most = ELEMENTS_AT_ONCE;
        const size_t first = (size_t)list.offset + from;
        kernel((const uint8_t *)elements->values + first * width, wanted, count, equal);
        for (uint32_t word = 0; word < BITMAP_WORDS(count); word++) {
            for (uint64_t bits = equal[word]; bits != 0; bits &= bits - 1) {
                const uint32_t place = from + word * 64 + (uint32_t)__builtin_ctzll(bits);
                if (column_row_is_valid(elements, list.offset + place)) {
                    return place + 1;
                }
            }
        }
    }
    for (uint32_t i = 0; elements->validity != NULL && i < list.size && !*has_null; i++) {
        *has_null = !column_row_is_valid(elements, list.offset + i);
    }
    return 0;
}

// Types with a loop that compares many values.
static bool has_kernel(const type *self) {
    switch ((int)type_physical(self)) {
#define X(name, word, c_type) case PHYSICAL_##name:
        COMPARE_TYPE_LIST(X)
#undef X
        return true;
    default:
        return false;
    }
}

// The place of a value among the elements, from 1; 0 if it is not there. `has_null`: an element is
// NULL. A value that is NULL equals NULL.
static uint32_t find_element(const function_call *call, const column *const *args, uint32_t row,
                             bool *has_null) {
    const column *elements = &args[0]->children[0];
    const list_value list = list_at(list_rows_of(args[0]), row);
    const column *value = args[1];
    const uint32_t lane = list_source_row(value, row);
    if (has_kernel(elements->type) && column_row_is_valid(value, row)) {
        const size_t width = physical_size(type_physical(value->type));
        return find_number(call, elements, list, (const uint8_t *)value->values + lane * width,
                           has_null);
    }
    cancel_watch watch = {.cancel = function_cancel(call)};
    *has_null = false;
    for (uint32_t i = 0; i < list.size && !cancel_watch_is_raised(&watch, 4); i++) {
        *has_null |= !column_row_is_valid(elements, list.offset + i);
        if (column_compare_rows_watched(elements, list.offset + i, value, lane, &watch) == 0) {
            return i + 1;
        }
    }
    return 0;
}

static uint32_t list_contains(function_call *call, const column *const *args, column *out) {
    FOR_ROWS(call, row) {
        bool has_null;
        put_bit(out, row, find_element(call, args, row, &has_null) != 0);
    }
    return call->count;
}

static uint32_t equals_any(function_call *call, const column *const *args, column *out) {
    FOR_ROWS(call, row) {
        bool has_null;
        const bool is_found = find_element(call, args, row, &has_null) != 0;
        put_bit(out, row, is_found);
        if (!is_found && has_null && !column_set_null(call->scratch, out, row)) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

static uint32_t array_position(function_call *call, const column *const *args, column *out) {
    FOR_ROWS(call, row) {
        bool has_null;
        const uint32_t place =
            column_row_is_valid(args[0], row) ? find_element(call, args, row, &has_null) : 0;
        COLUMN_OUT(out, int64_t)[row] = place;
        if (place == 0 && !column_set_null(call->scratch, out, row)) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

const scalar_function function_list_contains = {
    .name = "list_contains",
    .aliases = "array_contains array_has list_has",
    .category = "list",
    .summary = "whether a value is among the elements of a list",
    .examples =
        (const char *const[]){"list_contains([1, 2], 2)", "true", "list_contains([1, NULL], 2)",
                              "false", "array_contains(['a'], 'b')", "false",
                              "list_contains([], 1)", "false", "list_contains([1], NULL)", "NULL",
                              "list_contains([1.5, 2], 2)", "true", "list_contains(NULL, 1)",
                              "NULL", "list_contains(1, 1)", "error: no \"list_contains\" takes",
                              NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){{.signature = "BOOLEAN <- LIST<T>, T", .kernel = list_contains}, {0}},
};

const scalar_function function_equals_any = {
    .name = "equals_any",
    .category = "list",
    .summary = "x = ANY (list): whether a value is among the elements; NULL if it is not and one "
               "of them is NULL",
    .examples = (const char *const[]){"equals_any([1, 2], 2)", "true", "equals_any([1, NULL], 2)",
                                      "NULL", "equals_any([1, NULL], 1)", "true",
                                      "equals_any([], 1)", "false", "equals_any(NULL, 1)", "NULL",
                                      "equals_any(1, 1)", "error: no \"equals_any\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){{.signature = "BOOLEAN <- LIST<T>, T", .kernel = equals_any}, {0}},
};

const scalar_function function_list_position = {
    .name = "list_position",
    .aliases = "array_position list_indexof array_indexof",
    .category = "list",
    .summary = "where a value first is among the elements, from 1; NULL if it is not",
    .examples =
        (const char *const[]){"array_position(['a', 'b'], 'b')", "2", "list_position([1, 2], 3)",
                              "NULL", "array_position([1, NULL], NULL)", "2",
                              "array_position([], 1)", "NULL", "array_position(NULL, 1)", "NULL",
                              "array_position([2, 1, 2], 2)", "1", "array_position(1, 1)",
                              "error: no \"list_position\" takes", NULL},
    .flags = 0,
    .overloads =
        (const overload[]){{.signature = "BIGINT <- LIST<T>, T", .kernel = array_position}, {0}},
};

// ---- Sizes -----------------------------------------------------------------------------------

static uint32_t list_size(function_call *call, const column *const *args, column *out) {
    const list_rows lists = list_rows_of(args[0]);
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, int64_t)[row] = list_at(lists, row).size;
    }
    return call->count;
}

// The size in a dimension: the first list of each level stands for all of them.
static bool dimension_size(const column *lists, uint32_t lane, int64_t dimension, int64_t *out) {
    for (int64_t level = 1; lists->type->id == TYPE_LIST; level++) {
        const list_value list = COLUMN_VALUES(lists, list_value)[lane];
        if (level == dimension) {
            *out = list.size;
            return true;
        }
        lists = &lists->children[0];
        lane = list.offset;
        if (list.size == 0 || !column_row_is_valid(lists, lane)) {
            return false;
        }
    }
    return false;
}

static uint32_t array_length(function_call *call, const column *const *args, column *out) {
    const i64_rows dimensions = i64_rows_of(args[1]);
    FOR_ROWS(call, row) {
        if (!dimension_size(args[0], list_source_row(args[0], row), i64_at(dimensions, row),
                            &COLUMN_OUT(out, int64_t)[row])) {
            COLUMN_OUT(out, int64_t)[row] = 0;
            if (!column_set_null(call->scratch, out, row)) {
                return KERNEL_NO_MEMORY;
            }
        }
    }
    return call->count;
}

const scalar_function function_array_length = {
    .name = "array_length",
    .aliases = "list_length",
    .category = "list",
    .summary = "the count of elements of a list, or of those in a dimension of nested lists",
    .examples =
        (const char *const[]){"array_length([1, 2, NULL])", "3", "array_length([])", "0",
                              "array_length([[1, 2], [3]], 2)", "2", "array_length([1], 2)", "NULL",
                              "array_length([1], 0)", "NULL", "array_length(NULL)", "NULL",
                              "array_length(1)", "error: no \"array_length\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){
            {.signature = "BIGINT <- LIST<T>", .kernel = list_size},
            {.signature = "BIGINT <- LIST<T>, BIGINT", .kernel = array_length},
            {0},
        },
};

// Elements of nested lists are counted one by one.
static int64_t count_all(const column *lists, uint32_t lane) {
    const list_value list = COLUMN_VALUES(lists, list_value)[lane];
    const column *elements = &lists->children[0];
    if (elements->type->id != TYPE_LIST) {
        return list.size;
    }
    int64_t count = 0;
    for (uint32_t i = 0; i < list.size; i++) {
        if (column_row_is_valid(elements, list.offset + i)) {
            count += count_all(elements, list.offset + i); // Types are TYPE_DEPTH_MAX deep at most.
        }
    }
    return count;
}

static uint32_t cardinality(function_call *call, const column *const *args, column *out) {
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, int64_t)[row] = count_all(args[0], list_source_row(args[0], row));
    }
    return call->count;
}

const scalar_function function_cardinality = {
    .name = "cardinality",
    .category = "list",
    .summary = "the count of elements of a list, through all dimensions, or of entries of a map",
    .examples =
        (const char *const[]){"cardinality([1, 2])", "2", "cardinality([[1, 2], [3]])", "3",
                              "cardinality([])", "0", "cardinality(map([1, 2], ['a', 'b']))", "2",
                              "cardinality(NULL)", "NULL", "cardinality(1)",
                              "error: no \"cardinality\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){
            {.signature = "BIGINT <- LIST<T>", .kernel = cardinality},
            {.signature = "BIGINT <- MAP<T, U>", .kernel = list_size},
            {0},
        },
};
