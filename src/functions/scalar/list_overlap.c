// @> <@ &&: which elements two lists have in common. As in PostgreSQL an element that is NULL is no
// element of the other list.
#include "functions/scalar/list_build.h"
#include "functions/scalar/row_values.h"

#define PAIRS_AT_MOST 64 // Of elements that are compared one by one, without a table.
#define LOOK_UP_WORK 16  // Of a cancel_watch: a hash and its cache misses.

// Elements of one list that are looked for.
typedef struct element_set {
    const column *elements;
    list_value list;
    cancel_watch *watch;
    uint32_t *table; // Place in the list + 1, 0: empty. NULL: the list is short.
    uint64_t mask;
} element_set;

static uint64_t place_of(const element_set *self, const column *elements, uint32_t place) {
    uint64_t at = column_hash_row_watched(elements, place, self->watch) & self->mask;
    while (self->table[at] != 0 &&
           column_compare_rows_watched(elements, place, self->elements,
                                       self->list.offset + self->table[at] - 1, self->watch) != 0) {
        at = (at + 1) & self->mask;
    }
    return at;
}

// False when memory is full, or the statement was stopped.
static bool fill_table(element_set *self, arena *memory) {
    uint64_t size = 16;
    while (size < (uint64_t)self->list.size * 2) {
        size *= 2;
    }
    self->table = ARENA_NEW(memory, uint32_t, size);
    self->mask = size - 1;
    if (self->table == NULL) {
        return false;
    }
    for (uint64_t at = 0; at < size && !cancel_watch_is_raised(self->watch, 1); at++) {
        self->table[at] = 0;
    }
    for (uint32_t i = 0; i < self->list.size; i++) {
        if (cancel_watch_is_raised(self->watch, LOOK_UP_WORK)) {
            return false;
        }
        if (column_row_is_valid(self->elements, self->list.offset + i)) {
            self->table[place_of(self, self->elements, self->list.offset + i)] = i + 1;
        }
    }
    return true;
}

static bool is_among(const element_set *self, const column *elements, uint32_t place) {
    if (!column_row_is_valid(elements, place)) {
        return false;
    }
    if (self->table != NULL) {
        return self->table[place_of(self, elements, place)] != 0;
    }
    for (uint32_t i = self->list.offset; i < self->list.offset + self->list.size; i++) {
        if (column_row_is_valid(self->elements, i) &&
            column_compare_rows_watched(elements, place, self->elements, i, self->watch) == 0) {
            return true;
        }
    }
    return false;
}

// Are all elements of `small` among those of `large`; or is one? False when memory is full.
static bool look_up(function_call *call, const column *small, const column *large, uint32_t row,
                    bool wants_all, bool *out) {
    cancel_watch watch = {.cancel = function_cancel(call)};
    const list_value list = list_at(list_rows_of(small), row);
    element_set set = {.elements = &large->children[0],
                       .list = list_at(list_rows_of(large), row),
                       .watch = &watch};
    if ((uint64_t)list.size * set.list.size > PAIRS_AT_MOST && list.size > 1 &&
        !fill_table(&set, call->scratch)) {
        return false;
    }
    *out = wants_all;
    for (uint32_t i = 0; i < list.size && *out == wants_all; i++) {
        *out = is_among(&set, &small->children[0], list.offset + i);
        if (cancel_watch_is_raised(&watch, LOOK_UP_WORK)) {
            return false;
        }
    }
    return true;
}

static uint32_t compare_lists(function_call *call, const column *small, const column *large,
                              bool wants_all, column *out) {
    FOR_ROWS(call, row) {
        bool answer;
        if (!look_up(call, small, large, row, wants_all, &answer)) {
            return KERNEL_NO_MEMORY;
        }
        put_bit(out, row, answer);
    }
    return call->count;
}

static uint32_t has_all(function_call *call, const column *const *args, column *out) {
    return compare_lists(call, args[1], args[0], true, out);
}

static uint32_t is_within(function_call *call, const column *const *args, column *out) {
    return compare_lists(call, args[0], args[1], true, out);
}

static uint32_t has_any(function_call *call, const column *const *args, column *out) {
    return compare_lists(call, args[0], args[1], false, out);
}

const scalar_function function_list_has_all = {
    .name = "@>",
    .aliases = "list_has_all array_has_all array_contains_all",
    .category = "list",
    .summary = "whether all elements of the second list are among those of the first; one that is "
               "NULL is not",
    .examples =
        (const char *const[]){"[1, 2, 3] @> [3, 1]", "true", "[1, 2] @> [1, 4]", "false",
                              "list_has_all(['a', 'b'], ['b', 'b'])", "true", "[1, NULL] @> [NULL]",
                              "false", "[1] @> []", "true", "[1] @> NULL", "NULL",
                              "[1, 2] @> [1.0]", "true", "[1] @> ['x']", "error: ", "1 @> 2",
                              "error: no \"@>\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){{.signature = "BOOLEAN <- LIST<T>, LIST<T>", .kernel = has_all}, {0}},
};

const scalar_function function_list_is_within = {
    .name = "<@",
    .aliases = "array_contained_by",
    .category = "list",
    .summary = "whether all elements of the first list are among those of the second; one that is "
               "NULL is not",
    .examples =
        (const char *const[]){"[1, 1] <@ [1, 2]", "true", "[1, 4] <@ [1, 2]", "false", "[] <@ [1]",
                              "true", "[NULL] <@ [NULL, 1]", "false", "NULL <@ [1]", "NULL",
                              "1 <@ 2", "error: no \"<@\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT,
    .overloads =
        (const overload[]){{.signature = "BOOLEAN <- LIST<T>, LIST<T>", .kernel = is_within}, {0}},
};

const scalar_function function_list_has_any = {
    .name = "&&",
    .aliases = "list_has_any array_has_any arrays_overlap",
    .category = "list",
    .summary = "whether two lists have an element in common; NULL is none",
    .examples = (const char *const[]){"[1, 2] && [2, 3]", "true", "[1, 2] && [3]", "false",
                                      "list_has_any(['a'], ['b', 'a'])", "true", "[NULL] && [NULL]",
                                      "false", "[] && [1]", "false", "[1] && NULL", "NULL",
                                      "1 && 2", "error: no \"&&\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_COMMUTES,
    .overloads =
        (const overload[]){{.signature = "BOOLEAN <- LIST<T>, LIST<T>", .kernel = has_any}, {0}},
};
