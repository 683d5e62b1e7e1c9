// Structs and maps: named_struct, row, struct_extract, map, map_value, map_keys, map_values.
#include "functions/scalar/list_build.h"
#include "functions/scalar/row_values.h"
#include "memory/name_index.h"

// ---- Structs ---------------------------------------------------------------------------------

// The fields are columns of as many rows as the call has lanes.
static uint32_t make_struct(function_call *call, const column *const *args, uint32_t first,
                            uint32_t step, column *out) {
    const uint32_t count = call->result->child_count;
    column *children = ARENA_NEW(call->scratch, column, count + 1);
    if (children == NULL) {
        return KERNEL_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        column whole = *args[first + i * step];
        firn_error ignored = ERR_INIT;
        whole.length = call->length;
        if (column_flatten(call->scratch, &whole, &children[i], &ignored) != FIRN_OK) {
            return KERNEL_NO_MEMORY;
        }
    }
    out->children = children;
    return call->count;
}

static uint32_t named_struct(function_call *call, const column *const *args, column *out) {
    return make_struct(call, args, 1, 2, out);
}

static uint32_t row_kernel(function_call *call, const column *const *args, column *out) {
    return make_struct(call, args, 0, 1, out);
}

static firn_status bind_named_struct(function_bind_call *call, firn_error *err) {
    const uint32_t count = call->arg_count / 2;
    field *fields = ARENA_NEW(call->memory, field, count + 1);
    name_index names = {0};
    if (fields == NULL) {
        return ARENA_FULL(call->memory, err);
    }
    if (call->arg_count % 2 != 0 || call->args == NULL) {
        return FAIL_SQL(err, FIRN_INVALID, "42883", NO_POSITION,
                        "named_struct takes a name before each value, not %u arguments",
                        call->arg_count);
    }
    for (uint32_t i = 0; i < count; i++) {
        text name;
        if (!literal_text(call->args[2 * (size_t)i], &name)) {
            return FAIL_SQL(err, FIRN_INVALID, "42883", NO_POSITION,
                            "the name of field %u of named_struct is no text constant", i + 1);
        }
        fields[i] = (field){.type = call->types[2 * i + 1], .is_nullable = true, .id = -1};
        TRY(text_copy(call->memory, name, &fields[i].name, err));
        for (uint32_t k = name_index_first(&names, name); k != NO_NAME;
             k = name_index_next(&names, k)) {
            if (text_equal(fields[k].name, name)) {
                return FAIL_SQL(err, FIRN_INVALID, "42701", NO_POSITION,
                                "a struct with two fields \"%.*s\"", TEXT_ARGS(name));
            }
        }
        TRY(name_index_add(&names, fields[i].name, call->memory, err));
    }
    call->result = type_struct(call->memory, count, fields);
    return call->result == NULL ? ARENA_FULL(call->memory, err) : FIRN_OK;
}

static firn_status bind_row(function_bind_call *call, firn_error *err) {
    field *fields = ARENA_NEW(call->memory, field, call->arg_count + 1);
    if (fields == NULL) {
        return ARENA_FULL(call->memory, err);
    }
    for (uint32_t i = 0; i < call->arg_count; i++) {
        fields[i] = (field){.type = call->types[i], .is_nullable = true, .id = -1};
        TRY(text_format(call->memory, &fields[i].name, err, "f%u", i + 1));
    }
    call->result = type_struct(call->memory, call->arg_count, fields);
    return call->result == NULL ? ARENA_FULL(call->memory, err) : FIRN_OK;
}

const scalar_function function_named_struct = {
    .name = "named_struct",
    .category = "struct",
    .summary = "a struct of names and values: {'a': 1}",
    .examples =
        (const char *const[]){"named_struct('a', 1, 'b', NULL)", "{a: 1, b: NULL}", "{'x': 'y'}",
                              "{x: y}", "named_struct('a', [1, 2])", "{a: [1, 2]}",
                              "named_struct('a')", "error: a name before each value",
                              "named_struct(1, 2)", "error: no text constant", NULL},
    .flags = 0,
    .overloads =
        (const overload[]){
            {.signature = "? <- ANY...", .kernel = named_struct, .bind = bind_named_struct}, {0}},
};

const scalar_function function_row = {
    .name = "row",
    .aliases = "struct",
    .category = "struct",
    .summary = "a struct of the values, its fields named f1, f2 ...",
    .examples =
        (const char *const[]){"row(1, 'a')", "{f1: 1, f2: a}", "row(NULL)", "{f1: NULL}",
                              "(1, 2) IS NULL", "false", "row()", "error: no \"row\" takes", NULL},
    .flags = 0,
    .overloads =
        (const overload[]){{.signature = "? <- ANY...", .kernel = row_kernel, .bind = bind_row},
                           {0}},
};

// The field itself, without the rows whose struct is NULL.
static uint32_t struct_extract(function_call *call, const column *const *args, column *out) {
    uint32_t index;
    memcpy(&index, call->bound, sizeof index);
    column whole = args[0]->children[index];
    firn_error ignored = ERR_INIT;
    if (args[0]->form == FORM_CONSTANT) {
        whole.form = FORM_CONSTANT;
    }
    whole.length = call->length;
    column flat;
    if (column_flatten(call->scratch, &whole, &flat, &ignored) != FIRN_OK) {
        return KERNEL_NO_MEMORY;
    }
    const uint64_t *outer = out->validity;
    flat.type = out->type;
    *out = flat;
    if (outer != NULL && flat.validity != NULL) {
        uint64_t *both = ARENA_NEW(call->scratch, uint64_t, BITMAP_WORDS(call->length) + 1);
        if (both == NULL) {
            return KERNEL_NO_MEMORY;
        }
        for (size_t word = 0; word < BITMAP_WORDS(call->length); word++) {
            both[word] = outer[word] & flat.validity[word];
        }
        out->validity = both;
    } else if (outer != NULL) {
        out->validity = outer;
    }
    return call->count;
}

static firn_status bind_field(function_bind_call *call, uint32_t index, firn_error *err) {
    uint32_t *bound = ARENA_NEW(call->memory, uint32_t, 1);
    if (bound == NULL) {
        return ARENA_FULL(call->memory, err);
    }
    *bound = index;
    call->bound = bound;
    call->bound_size = sizeof *bound;
    call->result = call->types[0]->children[index].type;
    return FIRN_OK;
}

static firn_status bind_name(function_bind_call *call, firn_error *err) {
    const type *of = call->types[0];
    text name;
    if (of->id != TYPE_STRUCT || call->args == NULL || !literal_text(call->args[1], &name)) {
        return FAIL_SQL(err, FIRN_INVALID, "42883", NO_POSITION,
                        "struct_extract takes a struct and the name of a field as constant");
    }
    uint32_t found = UINT32_MAX;
    for (uint32_t i = 0; i < of->child_count; i++) {
        const text own = of->children[i].name;
        if (text_equal(own, name) || (found == UINT32_MAX && text_equal_nocase(own, name))) {
            found = i;
            if (text_equal(own, name)) {
                break;
            }
        }
    }
    if (found == UINT32_MAX) {
        return FAIL_SQL(err, FIRN_INVALID, "42703", NO_POSITION,
                        "there is no field \"%.*s\" in %.*s", TEXT_ARGS(name),
                        TEXT_ARGS(type_text(of, call->memory)));
    }
    return bind_field(call, found, err);
}

static firn_status bind_place(function_bind_call *call, firn_error *err) {
    const type *of = call->types[0];
    const column *place;
    if (of->id != TYPE_STRUCT || call->args == NULL || !literal_column(call->args[1], &place)) {
        return FAIL_SQL(err, FIRN_INVALID, "42883", NO_POSITION,
                        "struct_extract takes a struct and the number of a field as constant");
    }
    const int64_t number = *COLUMN_VALUES(place, int64_t);
    if (number < 1 || number > of->child_count) {
        return FAIL_SQL(err, FIRN_INVALID, "42703", NO_POSITION,
                        "there is no field %lld in %.*s, only 1 to %u", (long long)number,
                        TEXT_ARGS(type_text(of, call->memory)), of->child_count);
    }
    return bind_field(call, (uint32_t)number - 1, err);
}

const scalar_function function_struct_extract = {
    .name = "struct_extract",
    .aliases = "get_field",
    .category = "struct",
    .summary = "a field of a struct, by name or by number from 1",
    .examples =
        (const char *const[]){"struct_extract({'a': 1, 'b': 'x'}, 'b')", "x",
                              "({'a': {'b': 2}}).a.b", "2", "struct_extract({'a': NULL}, 'a')",
                              "NULL", "struct_extract(row('x', 'y'), 2)", "y",
                              "struct_extract({'a': 1}, 'z')", "error: there is no field \"z\"",
                              "struct_extract(row(1), 2)", "error: there is no field 2",
                              "struct_extract(1, 'a')", "error: no \"struct_extract\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){
            {.signature = "? <- STRUCT, VARCHAR", .kernel = struct_extract, .bind = bind_name},
            {.signature = "? <- STRUCT, BIGINT", .kernel = struct_extract, .bind = bind_place},
            {0},
        },
};

// ---- Maps ------------------------------------------------------------------------------------

typedef enum map_fault { MAP_GOOD, MAP_SIZES, MAP_NULL_KEY, MAP_TWICE, MAP_NO_MEMORY } map_fault;

// Are the keys there and different? Keys meet in a table of their hashes.
static map_fault check_keys(const function_call *call, const column *keys, list_value list) {
    arena *scratch = call->scratch;
    cancel_watch watch = {.cancel = function_cancel(call)};
    uint64_t size = 16;
    while (size < (uint64_t)list.size * 2) {
        size *= 2;
    }
    const arena_mark mark = arena_mark_take(scratch);
    uint32_t *table = ARENA_NEW(scratch, uint32_t, size); // Element + 1, 0: empty.
    if (table == NULL) {
        return MAP_NO_MEMORY;
    }
    for (uint64_t at = 0; at < size && !cancel_watch_is_raised(&watch, 1); at++) {
        table[at] = 0;
    }
    map_fault fault = MAP_GOOD;
    for (uint32_t i = 0; i < list.size && fault == MAP_GOOD && !cancel_watch_is_raised(&watch, 16);
         i++) {
        const uint32_t key = list.offset + i;
        if (!column_row_is_valid(keys, key)) {
            fault = MAP_NULL_KEY;
            break;
        }
        uint64_t at = column_hash_row_watched(keys, key, &watch) & (size - 1);
        while (table[at] != 0 &&
               column_compare_rows_watched(keys, key, keys, table[at] - 1, &watch) != 0) {
            at = (at + 1) & (size - 1);
        }
        fault = table[at] != 0 ? MAP_TWICE : MAP_GOOD;
        table[at] = key + 1;
    }
    arena_rewind(scratch, mark);
    return fault;
}

static map_fault check_entries(const function_call *call, const column *const *args, uint32_t row) {
    const list_value keys = list_at(list_rows_of(args[0]), row);
    const list_value values = list_at(list_rows_of(args[1]), row);
    return keys.size != values.size ? MAP_SIZES : check_keys(call, &args[0]->children[0], keys);
}

static uint32_t map_kernel(function_call *call, const column *const *args, column *out) {
    list_build keys = list_build_of(call);
    list_build values = list_build_of(call);
    FOR_ROWS(call, row) {
        const list_value key_list = list_at(list_rows_of(args[0]), row);
        const list_value value_list = list_at(list_rows_of(args[1]), row);
        const map_fault fault = check_entries(call, args, row);
        if (fault != MAP_GOOD) {
            return fault == MAP_NO_MEMORY ? KERNEL_NO_MEMORY : ROW_VISIT(row);
        }
        COLUMN_OUT(out, list_value)
        [row] = (list_value){.offset = keys.count, .size = key_list.size};
        if (!list_build_add_range(&keys, &args[0]->children[0], key_list.offset, key_list.size) ||
            !list_build_add_range(&values, &args[1]->children[0], value_list.offset,
                                  value_list.size)) {
            return KERNEL_NO_MEMORY;
        }
    }
    column *children = ARENA_NEW(call->scratch, column, 2);
    const column *key_column = list_build_finish(&keys, call->result->children[0].type);
    const column *value_column = list_build_finish(&values, call->result->children[1].type);
    if (children == NULL || key_column == NULL || value_column == NULL) {
        return KERNEL_NO_MEMORY;
    }
    children[0] = *key_column;
    children[1] = *value_column;
    out->children = children;
    return call->count;
}

static void explain_map(const function_call *call, const column *const *args, uint32_t row,
                        firn_error *err) {
    switch (check_entries(call, args, row)) {
    case MAP_SIZES:
        err_set_sql(err, FIRN_INVALID, "22023", NO_POSITION,
                    "%u keys and %u values, a map takes as many of both",
                    list_at(list_rows_of(args[0]), row).size,
                    list_at(list_rows_of(args[1]), row).size);
        break;
    case MAP_NULL_KEY:
        err_set_sql(err, FIRN_INVALID, "22004", NO_POSITION, "a key of a map is NULL");
        break;
    case MAP_GOOD:
    case MAP_TWICE:
    case MAP_NO_MEMORY:
        err_set_sql(err, FIRN_INVALID, "22023", NO_POSITION, "a key of a map is there twice");
        break;
    }
}

const scalar_function function_map = {
    .name = "map",
    .aliases = "map_from_arrays",
    .category = "map",
    .summary = "a map of a list of keys and a list of values",
    .examples = (const char *const[]){"map(['a', 'b'], [1, 2])", "{a: 1, b: 2}", "MAP {'k': NULL}",
                                      "{k: NULL}", "map([], [])", "{}", "map(NULL, [1])", "NULL",
                                      "map([1], [2, 3])", "error: 1 keys and 2 values",
                                      "map([1, 1], [2, 3])", "error: there twice",
                                      "map([NULL], [1])", "error: a key of a map is NULL",
                                      "map(1, 2)", "error: no \"map\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL,
    .overloads =
        (const overload[]){{.signature = "MAP<T, U> <- LIST<T>, LIST<U>", .kernel = map_kernel},
                           {0}},
    .explain_failure = explain_map,
};

static uint32_t map_value(function_call *call, const column *const *args, column *out) {
    const list_rows maps = list_rows_of(args[0]);
    const column **sources = ARENA_NEW(call->scratch, const column *, call->length + 1);
    uint32_t *rows = ARENA_NEW(call->scratch, uint32_t, call->length + 1);
    if (sources == NULL || rows == NULL) {
        return KERNEL_NO_MEMORY;
    }
    memset(sources, 0, call->length * sizeof(const column *));
    memset(rows, 0, call->length * sizeof *rows);
    cancel_watch watch = {.cancel = function_cancel(call)};
    FOR_ROWS(call, row) {
        if (!column_row_is_valid(args[0], row) || !column_row_is_valid(args[1], row)) {
            continue;
        }
        const list_value map = list_at(maps, row);
        for (uint32_t i = 0; i < map.size && !cancel_watch_is_raised(&watch, 4); i++) {
            if (column_compare_rows_watched(&args[0]->children[0], map.offset + i, args[1],
                                            list_source_row(args[1], row), &watch) == 0) {
                sources[row] = &args[0]->children[1];
                rows[row] = map.offset + i;
                break;
            }
        }
    }
    firn_error ignored = ERR_INIT;
    const gathered_rows from = {.sources = sources, .rows = rows, .count = call->length};
    return column_gather(call->scratch, call->result, &from, out, &ignored) == FIRN_OK
               ? call->count
               : KERNEL_NO_MEMORY;
}

const scalar_function function_map_value = {
    .name = "map_value",
    .aliases = "map_extract_value",
    .category = "map",
    .summary = "the value of a key of a map, NULL if there is none: m['key']",
    .examples =
        (const char *const[]){"(MAP {'a': 1, 'b': 2})['b']", "2", "map_value(map([1], ['x']), 1)",
                              "x", "(MAP {'a': 1})['z']", "NULL", "(MAP {'a': NULL})['a']", "NULL",
                              "map_value(NULL, 'a')", "NULL", "map_value(1, 'a')",
                              "error: no \"map_value\" takes", NULL},
    .flags = 0,
    .overloads = (const overload[]){{.signature = "U <- MAP<T, U>, T", .kernel = map_value}, {0}},
};

// Keys and values lie in lists of the same slices.
static uint32_t share_child(function_call *call, const column *map, uint32_t index, column *out) {
    const list_rows maps = list_rows_of(map);
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, list_value)[row] = list_at(maps, row);
    }
    out->children = &map->children[index];
    return call->count;
}

static uint32_t map_keys(function_call *call, const column *const *args, column *out) {
    return share_child(call, args[0], 0, out);
}

static uint32_t map_values(function_call *call, const column *const *args, column *out) {
    return share_child(call, args[0], 1, out);
}

const scalar_function function_map_keys = {
    .name = "map_keys",
    .category = "map",
    .summary = "the keys of a map as a list",
    .examples = (const char *const[]){"map_keys(MAP {'a': 1, 'b': 2})", "[a, b]",
                                      "map_keys(map([], []))", "[]", "map_keys(NULL)", "NULL",
                                      "map_keys(1)", "error: no \"map_keys\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads = (const overload[]){{.signature = "LIST<T> <- MAP<T, U>", .kernel = map_keys}, {0}},
};

const scalar_function function_map_values = {
    .name = "map_values",
    .category = "map",
    .summary = "the values of a map as a list",
    .examples = (const char *const[]){"map_values(MAP {'a': 1, 'b': NULL})", "[1, NULL]",
                                      "map_values(map([], []))", "[]", "map_values(NULL)", "NULL",
                                      "map_values(1)", "error: no \"map_values\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){{.signature = "LIST<U> <- MAP<T, U>", .kernel = map_values}, {0}},
};
