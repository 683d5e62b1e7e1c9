// Characters and what each becomes, or only whether they are there: for translate, trim and its
// kin. A hash table, made anew for another pair of texts, which mostly are the same in every row.
#ifndef FIRN_FUNCTIONS_SCALAR_CODE_MAP_H
#define FIRN_FUNCTIONS_SCALAR_CODE_MAP_H

#include "expr/function.h"

typedef struct code_entry {
    uint32_t code;
    uint32_t other; ///< What it becomes …
    bool has_other; ///< … or nothing.
    bool is_taken;
} code_entry;

/// Zeroed memory is an empty map.
typedef struct code_map {
    text from; ///< What it was made of.
    text to;
    uint32_t size; ///< A power of two, or 0.
    uint32_t room; ///< Entries that there is memory for.
    code_entry *entries;
} code_map;

/// The n-th character of `from` becomes the n-th of `to`; of equal ones the first one counts. Both
/// texts stay while the map is used. False when memory is full, or the statement was stopped.
/// Cost: nothing for the texts that it was made of.
bool code_map_fill(code_map *self, const function_call *call, text from, text to);
/// NULL: not there.
const code_entry *code_map_find(const code_map *self, uint32_t code);

#endif
