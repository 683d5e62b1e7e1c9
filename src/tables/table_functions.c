#include "tables/table_functions.h"

#include <stdio.h>
#include <string.h>

static const table_function functions[] = {
#define TABLE_FUNCTION(name, signature, summary) {#name, signature, summary},
#define TABLE_OPTION(function, name, takes, summary)
#include "tables/table_functions.def"
#undef TABLE_FUNCTION
#undef TABLE_OPTION
};

static const table_option options[] = {
#define TABLE_FUNCTION(name, signature, summary)
#define TABLE_OPTION(function, name, takes, summary) {#function, #name, takes, summary},
#include "tables/table_functions.def"
#undef TABLE_FUNCTION
#undef TABLE_OPTION
};

uint32_t table_function_count(void) {
    return sizeof functions / sizeof *functions;
}

const table_function *table_function_at(uint32_t index) {
    return &functions[index];
}

uint32_t table_option_count(void) {
    return sizeof options / sizeof *options;
}

const table_option *table_option_at(uint32_t index) {
    return &options[index];
}

// ---- Hints -------------------------------------------------------------------------------------

// "there are a, b, c".
typedef struct name_words {
    char words[FIRN_ERROR_HINT_MAX];
    size_t used;
} name_words;

static void add_word(name_words *self, const char *name) {
    const int size = snprintf(self->words + self->used, sizeof self->words - self->used, "%s%s",
                              self->used == 0 ? "" : ", ", name);
    self->used += size < 0 ? 0 : (size_t)size;
    self->used = self->used < sizeof self->words ? self->used : sizeof self->words - 1;
}

void table_function_hint(text name, firn_error *err) {
    nearest_name near = nearest_to(name);
    name_words all = {.used = 0};
    for (uint32_t i = 0; i < table_function_count(); i++) {
        nearest_offer(&near, text_of(functions[i].name));
        if (i == 0 || strcmp(functions[i].name, functions[i - 1].name) != 0) {
            add_word(&all, functions[i].name);
        }
    }
    if (!nearest_hint(&near, err)) {
        err_hint(err, "there are %s", all.words);
    }
}

void table_option_hint(const char *function, text name, firn_error *err) {
    nearest_name near = nearest_to(name);
    name_words all = {.used = 0};
    for (uint32_t i = 0; i < table_option_count(); i++) {
        if (strcmp(options[i].function, function) == 0) {
            nearest_offer(&near, text_of(options[i].name));
            add_word(&all, options[i].name);
        }
    }
    if (!nearest_hint(&near, err)) {
        err_hint(err, "there are %s", all.words);
    }
}
