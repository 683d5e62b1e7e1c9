// Lists that are made of elements of arguments: which rows of which columns, gathered at the end.
#ifndef FIRN_FUNCTIONS_SCALAR_LIST_BUILD_H
#define FIRN_FUNCTIONS_SCALAR_LIST_BUILD_H

#include "expr/function.h"

/// Elements collected one behind another.
typedef struct list_build {
    const function_call *call;
    arena *memory;
    const column **sources; ///< NULL: the element is NULL.
    uint32_t *rows;
    uint32_t count;
    uint32_t capacity;
} list_build;

static inline list_build list_build_of(const function_call *call) {
    return (list_build){.call = call, .memory = call->scratch};
}

/// Adds row `row` of a column; NULL for NULL. False when memory is full, or the statement was
/// stopped.
bool list_build_add(list_build *self, const column *source, uint32_t row);
/// Adds `count` rows from `from` on.
bool list_build_add_range(list_build *self, const column *source, uint32_t from, uint32_t count);
/// The elements as a column of `type` in memory; NULL when it is full. All sources have that type,
/// names of fields aside.
const column *list_build_finish(const list_build *self, const type *type);

/// The lane of a CONSTANT column that list_build_add may be given for any row.
static inline uint32_t list_source_row(const column *source, uint32_t row) {
    return row & column_mask(source);
}

/// Elements that are texts, collected one behind another; their bytes are not copied.
typedef struct text_list {
    const function_call *call;
    arena *memory;
    string_value *values;
    uint64_t *validity;
    uint32_t count;
    uint32_t capacity;
} text_list;

static inline text_list text_list_of(const function_call *call) {
    return (text_list){.call = call, .memory = call->scratch};
}

/// Adds a text; NULL for NULL. False when memory is full, or the statement was stopped.
bool text_list_add(text_list *self, const text *value);
/// The elements as a column of VARCHAR; NULL when memory is full.
const column *text_list_finish(const text_list *self);

#endif
