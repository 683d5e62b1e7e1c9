#include "functions/registry.h"

#define FUNCTION(symbol) extern const scalar_function symbol;
#include "functions/functions.def"
#undef FUNCTION
#define AGGREGATE(symbol) extern const aggregate_function symbol;
#include "functions/aggregates.def"
#undef AGGREGATE

// NULL ends them, so that an empty list is an array too.
#define FUNCTION(symbol) &symbol,
static const scalar_function *const functions[] = {
#include "functions/functions.def"
    NULL};
#undef FUNCTION
#define AGGREGATE(symbol) &symbol,
static const aggregate_function *const aggregates[] = {
#include "functions/aggregates.def"
    NULL};
#undef AGGREGATE

static const call_form forms[] = {
#define FORM(id, name, aliases, category, signature, summary)                                      \
    {FORM_##id, name, aliases, category, signature, summary},
#include "functions/forms.def"
#undef FORM
};

uint32_t function_count(void) {
    return (uint32_t)(sizeof functions / sizeof functions[0]) - 1;
}

const scalar_function *function_at(uint32_t index) {
    assert(index < function_count());
    return functions[index];
}

uint32_t aggregate_count(void) {
    return (uint32_t)(sizeof aggregates / sizeof aggregates[0]) - 1;
}

const aggregate_function *aggregate_at(uint32_t index) {
    assert(index < aggregate_count());
    return aggregates[index];
}

uint32_t call_form_count(void) {
    return sizeof forms / sizeof forms[0];
}

const call_form *call_form_at(uint32_t index) {
    assert(index < call_form_count());
    return &forms[index];
}

bool function_next_alias(const char **list, text *out) {
    if (*list == NULL) {
        return false;
    }
    while (**list == ' ') {
        (*list)++;
    }
    const size_t size = strcspn(*list, " ");
    *out = (text){.data = *list, .size = size};
    *list += size;
    return size > 0;
}

static bool is_named(text name, const char *own, const char *aliases) {
    text alias = text_of(own);
    do {
        if (text_equal_nocase(alias, name)) {
            return true;
        }
    } while (function_next_alias(&aliases, &alias));
    return false;
}

const scalar_function *function_find(text name) {
    for (uint32_t i = 0; i < function_count(); i++) {
        if (is_named(name, functions[i]->name, functions[i]->aliases)) {
            return functions[i];
        }
    }
    return NULL;
}

const aggregate_function *aggregate_find(text name) {
    for (uint32_t i = 0; i < aggregate_count(); i++) {
        if (is_named(name, aggregates[i]->name, aggregates[i]->aliases)) {
            return aggregates[i];
        }
    }
    return NULL;
}

const call_form *call_form_find(text name) {
    for (uint32_t i = 0; i < call_form_count(); i++) {
        if (is_named(name, forms[i].name, forms[i].aliases)) {
            return &forms[i];
        }
    }
    return NULL;
}

// ---- Near names ------------------------------------------------------------------------------

static void offer_all(nearest_name *near, const char *own, const char *aliases) {
    text name = text_of(own);
    do {
        nearest_offer(near, name);
    } while (function_next_alias(&aliases, &name));
}

void function_offer_names(nearest_name *near) {
    for (uint32_t i = 0; i < function_count(); i++) {
        if ((functions[i]->flags & FUNCTION_INTERNAL) == 0) {
            offer_all(near, functions[i]->name, functions[i]->aliases);
        }
    }
    for (uint32_t i = 0; i < aggregate_count(); i++) {
        offer_all(near, aggregates[i]->name, aggregates[i]->aliases);
    }
    for (uint32_t i = 0; i < call_form_count(); i++) {
        offer_all(near, forms[i].name, forms[i].aliases);
    }
}
