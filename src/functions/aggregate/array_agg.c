// array_agg (list) and string_agg: all values of a group one behind another.
#include "functions/aggregate/fold.h"

static uint32_t array_agg(aggregate_call *call, const column *const *args, const uint32_t *ends,
                          column *out) {
    list_value *slices = COLUMN_OUT(out, list_value);
    uint32_t from = 0;
    for (uint32_t group = 0; group < call->count; group++) {
        slices[group] = (list_value){.offset = from, .size = ends[group] - from};
        if (ends[group] == from && !column_set_null(call->scratch, out, group)) {
            return KERNEL_NO_MEMORY;
        }
        from = ends[group];
    }
    column *element = ARENA_NEW(call->scratch, column, 1);
    firn_error err = ERR_INIT;
    if (element == NULL || column_flatten(call->scratch, args[0], element, &err) != FIRN_OK) {
        return KERNEL_NO_MEMORY;
    }
    out->children = element;
    return call->count;
}

const aggregate_function aggregate_array_agg = {
    .name = "array_agg",
    .aliases = "list",
    .category = "aggregate",
    .summary = "a list of all values, NULLs included, in the order of the rows",
    .examples = (const char *const[]){"array_agg(x) <- (1), (NULL), (2)", "[1, NULL, 2]",
                                      "array_agg(x ORDER BY x DESC) <- (1), (3), (2)", "[3, 2, 1]",
                                      "list(DISTINCT x) <- (2), (1), (2)", "[1, 2]",
                                      "array_agg(x) FILTER (WHERE false) <- (1)", "NULL",
                                      "array_agg(x) <- ([1]), ([2, 3])", "[[1], [2, 3]]", NULL},
    .flags = AGGREGATE_COLLECTS | AGGREGATE_ORDER_MATTERS,
    .overloads =
        (const aggregate_overload[]){
            {.signature = "LIST<T> <- T", .collect = array_agg},
            {0},
        },
};

// ---- string_agg ---------------------------------------------------------------------------------

static bool has_value(const column *arg, uint32_t row) {
    return arg->type->id != TYPE_NULL && column_row_is_valid(arg, row);
}

// What stands before the value of `row` if it is not the first one: a NULL separator is none.
static text separator_at(const column *separators, uint32_t row) {
    if (separators == NULL) {
        return TEXT(",");
    }
    return has_value(separators, row)
               ? string_text(
                     &COLUMN_VALUES(separators, string_value)[row & column_mask(separators)])
               : TEXT("");
}

static bool join(aggregate_call *call, const column *const *args, uint32_t from, uint32_t to,
                 string_value *out) {
    const column *separators = call->arg_count > 1 ? args[1] : NULL;
    const string_value *values = COLUMN_VALUES(args[0], string_value);
    const uint32_t mask = column_mask(args[0]);
    uint64_t size = 0;
    bool is_first = true;
    for (uint32_t row = from; row < to; row++) {
        if (has_value(args[0], row)) {
            size += values[row & mask].size + (is_first ? 0 : separator_at(separators, row).size);
            is_first = false;
        }
    }
    if (size > UINT32_MAX) {
        return false;
    }
    char *bytes = ARENA_NEW(call->scratch, char, (size_t)size + 1);
    if (bytes == NULL) {
        return false;
    }
    char *at = bytes;
    is_first = true;
    cancel_watch watch = {.cancel = call->scratch->cancel};
    for (uint32_t row = from; row < to && !cancel_watch_is_raised(&watch, 1); row++) {
        if (!has_value(args[0], row)) {
            continue;
        }
        const text before = is_first ? TEXT("") : separator_at(separators, row);
        const string_value *value = &values[row & mask];
        if (before.size > 0) {
            memcpy(at, before.data, before.size);
        }
        (void)cancel_copy(watch.cancel, at + before.size, string_data(value), value->size);
        at += before.size + value->size;
        is_first = false;
    }
    *out = string_of(bytes, (uint32_t)size);
    return true;
}

static uint32_t string_agg(aggregate_call *call, const column *const *args, const uint32_t *ends,
                           column *out) {
    uint32_t from = 0;
    for (uint32_t group = 0; group < call->count; group++) {
        uint32_t row = from;
        while (row < ends[group] && !has_value(args[0], row)) {
            row++;
        }
        if (row == ends[group]
                ? !fold_set_null(call, out, group)
                : !join(call, args, row, ends[group], &COLUMN_OUT(out, string_value)[group])) {
            return KERNEL_NO_MEMORY;
        }
        from = ends[group];
    }
    return call->count;
}

const aggregate_function aggregate_string_agg = {
    .name = "string_agg",
    .aliases = "group_concat listagg",
    .category = "aggregate",
    .summary = "all texts one behind another with a separator between them, a comma if none is "
               "given; NULLs are left out",
    .examples = (const char *const[]){"string_agg(x, '; ') <- ('a'), (NULL), ('b')", "a; b",
                                      "string_agg(x) <- ('a'), ('b')", "a,b",
                                      "string_agg(x, '-' ORDER BY x DESC) <- ('a'), ('c'), ('b')",
                                      "c-b-a", "string_agg(DISTINCT x, '') <- ('b'), ('a'), ('b')",
                                      "ab", "string_agg(x, ',') <- (NULL::VARCHAR)", "NULL",
                                      "string_agg(x, ',') <- ([1])", "error: string_agg", NULL},
    .flags = AGGREGATE_COLLECTS | AGGREGATE_ORDER_MATTERS,
    .overloads =
        (const aggregate_overload[]){
            {.signature = "VARCHAR <- VARCHAR, VARCHAR", .collect = string_agg},
            {.signature = "VARCHAR <- VARCHAR", .collect = string_agg},
            {0},
        },
};
