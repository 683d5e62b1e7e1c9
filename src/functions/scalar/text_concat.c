// || joins texts, lists and bytes; concat and concat_ws skip NULL.
#include "functions/scalar/list_build.h"
#include "functions/scalar/row_values.h"

static uint32_t join_two(function_call *call, const column *const *args, column *out) {
    const text_rows lefts = text_rows_of(args[0]);
    const text_rows rights = text_rows_of(args[1]);
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        const text left = text_at(lefts, row);
        const text right = text_at(rights, row);
        if (left.size > UINT32_MAX - right.size) {
            return KERNEL_NO_MEMORY;
        }
        char *room = text_sink_room(&sink, left.size + right.size);
        if (room == NULL || !text_put(call, room, left) ||
            !text_put(call, room + left.size, right)) {
            return KERNEL_NO_MEMORY;
        }
        COLUMN_OUT(out, string_value)[row] = text_sink_take(&sink, left.size + right.size);
    }
    return call->count;
}

// ---- Lists -----------------------------------------------------------------------------------

static bool add_list(list_build *build, const column *arg, uint32_t row) {
    if (!column_row_is_valid(arg, row)) {
        return true;
    }
    const list_value elements = list_at(list_rows_of(arg), row);
    return list_build_add_range(build, &arg->children[0], elements.offset, elements.size);
}

static uint32_t join_all_lists(function_call *call, const column *const *args, column *out) {
    list_build build = list_build_of(call);
    FOR_ROWS(call, row) {
        const uint32_t from = build.count;
        for (uint32_t i = 0; i < call->arg_count; i++) {
            if (!add_list(&build, args[i], row)) {
                return KERNEL_NO_MEMORY;
            }
        }
        COLUMN_OUT(out, list_value)
        [row] = (list_value){.offset = from, .size = build.count - from};
    }
    out->children = list_build_finish(&build, call->result->children[0].type);
    return out->children == NULL ? KERNEL_NO_MEMORY : call->count;
}

// A list that is NULL is empty; NULL if all are.
static uint32_t concat_lists(function_call *call, const column *const *args, column *out) {
    FOR_ROWS(call, row) {
        bool is_there = false;
        for (uint32_t i = 0; i < call->arg_count; i++) {
            is_there |= column_row_is_valid(args[i], row);
        }
        if (!is_there && !column_set_null(call->scratch, out, row)) {
            return KERNEL_NO_MEMORY;
        }
    }
    return join_all_lists(call, args, out);
}

// A list and an element, which may be NULL; a list that is NULL is empty.
static uint32_t join_element(function_call *call, const column *list, const column *element,
                             bool is_first, column *out) {
    list_build build = list_build_of(call);
    FOR_ROWS(call, row) {
        const uint32_t from = build.count;
        const uint32_t lane = list_source_row(element, row);
        if ((is_first && !list_build_add(&build, element, lane)) || !add_list(&build, list, row) ||
            (!is_first && !list_build_add(&build, element, lane))) {
            return KERNEL_NO_MEMORY;
        }
        COLUMN_OUT(out, list_value)
        [row] = (list_value){.offset = from, .size = build.count - from};
    }
    out->children = list_build_finish(&build, call->result->children[0].type);
    return out->children == NULL ? KERNEL_NO_MEMORY : call->count;
}

static uint32_t append(function_call *call, const column *const *args, column *out) {
    return join_element(call, args[0], args[1], false, out);
}

static uint32_t prepend(function_call *call, const column *const *args, column *out) {
    return join_element(call, args[1], args[0], true, out);
}

const scalar_function function_concat_operator = {
    .name = "||",
    .category = "string",
    .summary = "two texts, lists or binary values joined; NULL if one is, but a list takes NULL as "
               "an element",
    .examples = (const char *const[]){"'ab' || 'cd'",
                                      "abcd",
                                      "'a' || 1",
                                      "a1",
                                      "DATE '2020-01-02' || ' x'",
                                      "2020-01-02 x",
                                      "'a' || NULL",
                                      "NULL",
                                      "'' || ''",
                                      "",
                                      "[1] || [2, 3]",
                                      "[1, 2, 3]",
                                      "[1] || 2",
                                      "[1, 2]",
                                      "0 || [1]",
                                      "[0, 1]",
                                      "X'01' || X'02'",
                                      "\\x0102",
                                      "1 || 2",
                                      "error: no \"||\" takes",
                                      NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){
            {.signature = "VARCHAR <- VARCHAR, VARCHAR", .kernel = join_two},
            {.signature = "VARCHAR <- VARCHAR, ANY", .kernel = join_two, .bind = bind_as_text},
            {.signature = "VARCHAR <- ANY, VARCHAR", .kernel = join_two, .bind = bind_as_text},
            {.signature = "BINARY <- BINARY, BINARY", .kernel = join_two},
            {.signature = "LIST<T> <- LIST<T>, LIST<T>", .kernel = join_all_lists},
            {.signature = "LIST<T> <- LIST<T>, T",
             .kernel = append,
             .flags_cleared = FUNCTION_NULL_STRICT},
            {.signature = "LIST<T> <- T, LIST<T>",
             .kernel = prepend,
             .flags_cleared = FUNCTION_NULL_STRICT},
            {0},
        },
};

const scalar_function function_list_concat = {
    .name = "list_concat",
    .aliases = "array_cat array_concat list_cat",
    .category = "list",
    .summary = "the elements of all lists, one behind another; a list that is NULL is empty, "
               "NULL if all are",
    .examples =
        (const char *const[]){"array_cat([1, 2], [3])", "[1, 2, 3]",
                              "list_concat(['a'], [NULL], [])", "[a, NULL]",
                              "list_concat([1], NULL)", "[1]", "array_cat(NULL, NULL)", "NULL",
                              "list_concat([], [])", "[]", "list_concat([1], [2.5])", "[1.0, 2.5]",
                              "list_concat(1, 2)", "error: no \"list_concat\" takes", NULL},
    .flags = 0,
    .overloads =
        (const overload[]){{.signature = "LIST<T> <- LIST<T>...", .kernel = concat_lists}, {0}},
};

const scalar_function function_list_append = {
    .name = "list_append",
    .aliases = "array_append array_push_back list_push_back",
    .category = "list",
    .summary = "the list with an element at its end; a list that is NULL is empty",
    .examples =
        (const char *const[]){"array_append([1, 2], 3)", "[1, 2, 3]", "list_append(['a'], NULL)",
                              "[a, NULL]", "array_append(NULL, 1)", "[1]", "array_append([], 'x')",
                              "[x]", "array_append([1], 'x')", "error: ", NULL},
    .flags = 0,
    .overloads = (const overload[]){{.signature = "LIST<T> <- LIST<T>, T", .kernel = append}, {0}},
};

const scalar_function function_list_prepend = {
    .name = "list_prepend",
    .aliases = "array_prepend",
    .category = "list",
    .summary = "the list with an element at its start; a list that is NULL is empty",
    .examples = (const char *const[]){"array_prepend(0, [1, 2])", "[0, 1, 2]",
                                      "array_prepend(NULL, ['a'])", "[NULL, a]",
                                      "array_prepend(1, NULL)", "[1]", "array_prepend('x', [])",
                                      "[x]", "array_prepend('x', [1])", "error: ", NULL},
    .flags = 0,
    .overloads = (const overload[]){{.signature = "LIST<T> <- T, LIST<T>", .kernel = prepend}, {0}},
};

// ---- concat, concat_ws -----------------------------------------------------------------------

// Joins the arguments that are there, with a separator between two.
static uint32_t join_row(function_call *call, const column *const *args, uint32_t first,
                         text separator, uint32_t row, text_sink *sink, string_value *out) {
    uint64_t size = 0;
    uint32_t used = 0;
    for (uint32_t i = first; i < call->arg_count; i++) {
        if (column_row_is_valid(args[i], row)) {
            size += text_at(text_rows_of(args[i]), row).size + (used++ > 0 ? separator.size : 0);
        }
    }
    char *room = size > UINT32_MAX ? NULL : text_sink_room(sink, (size_t)size);
    if (room == NULL) {
        return KERNEL_NO_MEMORY;
    }
    size_t at = 0;
    used = 0;
    for (uint32_t i = first; i < call->arg_count; i++) {
        if (!column_row_is_valid(args[i], row)) {
            continue;
        }
        if (used++ > 0) {
            if (!text_put(call, room + at, separator)) {
                return KERNEL_NO_MEMORY;
            }
            at += separator.size;
        }
        const text part = text_at(text_rows_of(args[i]), row);
        if (!text_put(call, room + at, part)) {
            return KERNEL_NO_MEMORY;
        }
        at += part.size;
    }
    *out = text_sink_take(sink, at);
    return 0;
}

static uint32_t concat(function_call *call, const column *const *args, column *out) {
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        if (join_row(call, args, 0, TEXT(""), row, &sink, &COLUMN_OUT(out, string_value)[row]) !=
            0) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

static uint32_t concat_ws(function_call *call, const column *const *args, column *out) {
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        if (!column_row_is_valid(args[0], row)) {
            if (!column_set_null(call->scratch, out, row)) {
                return KERNEL_NO_MEMORY;
            }
            continue;
        }
        if (join_row(call, args, 1, text_at(text_rows_of(args[0]), row), row, &sink,
                     &COLUMN_OUT(out, string_value)[row]) != 0) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

const scalar_function function_concat = {
    .name = "concat",
    .category = "string",
    .summary = "the texts of all arguments joined; NULL counts as empty",
    .examples =
        (const char *const[]){"concat('a', 1, NULL, 'b')", "a1b", "concat(NULL)", "",
                              "concat('one text, ', 'another text')", "one text, another text",
                              "concat(1.50, true)", "1.50true", "concat([1], [2])", "[1, 2]",
                              "concat()", "error: no \"concat\" takes", NULL},
    .flags = 0,
    .overloads =
        (const overload[]){
            {.signature = "VARCHAR <- VARCHAR...", .kernel = concat},
            {.signature = "LIST<T> <- LIST<T>...", .kernel = concat_lists},
            {.signature = "VARCHAR <- ANY...", .kernel = concat, .bind = bind_as_text},
            {0},
        },
};

const scalar_function function_concat_ws = {
    .name = "concat_ws",
    .category = "string",
    .summary = "the texts of all arguments but the first, joined with that one between; NULL ones "
               "are left out",
    .examples =
        (const char *const[]){"concat_ws(', ', 'a', NULL, 'b')", "a, b", "concat_ws('-', 1, 2, 3)",
                              "1-2-3", "concat_ws('-', NULL, NULL)", "", "concat_ws('-', '', '')",
                              "-", "concat_ws(NULL, 'a', 'b')", "NULL", "concat_ws()",
                              "error: no \"concat_ws\" takes", NULL},
    .flags = 0,
    .overloads =
        (const overload[]){
            {.signature = "VARCHAR <- VARCHAR, VARCHAR...?", .kernel = concat_ws},
            {.signature = "VARCHAR <- ANY, ANY...?", .kernel = concat_ws, .bind = bind_as_text},
            {0},
        },
};
