// Which functions there are: look-up by name in the lists functions.def, aggregates.def
// and forms.def.
//
// A scalar function is found by its name or one of its aliases, whatever the case. Operators are
// functions whose name is their sign ("+", "<="), or words that SQL spells otherwise: "not",
// "is_null", "is_distinct_from", "like" …; functions.def lists them first.
#ifndef FIRN_FUNCTIONS_REGISTRY_H
#define FIRN_FUNCTIONS_REGISTRY_H

#include "base/nearest.h"
#include "expr/aggregate.h"

/// The function of that name or alias; NULL if there is none.
const scalar_function *function_find(text name);
const aggregate_function *aggregate_find(text name);

/// All functions, in the order of their list: index below the count.
uint32_t function_count(void);
const scalar_function *function_at(uint32_t index);
uint32_t aggregate_count(void);
const aggregate_function *aggregate_at(uint32_t index);

/// A call that is no function: forms.def.
typedef enum call_form_id {
#define FORM(id, name, aliases, category, signature, summary) FORM_##id,
#include "functions/forms.def"
#undef FORM
} call_form_id;

typedef struct call_form {
    call_form_id id;
    const char *name, *aliases, *category, *signature, *summary;
} call_form;

/// NULL if there is none of that name or alias.
const call_form *call_form_find(text name);
uint32_t call_form_count(void);
const call_form *call_form_at(uint32_t index);

/// The first of the names in a list that are separated by blanks (NULL: none), which is cut off;
/// false at its end.
bool function_next_alias(const char **list, text *out);

/// For "did you mean": offers the names of all functions, aggregates and forms. Static storage.
void function_offer_names(nearest_name *near);

#endif
