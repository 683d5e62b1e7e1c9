// What the session and the types know: typeof, version, current_schema and its like, hash.
#include "base/hash.h"
#include "functions/scalar/row_values.h"

static uint32_t fill_text(function_call *call, text value, column *out) {
    text_sink sink = text_sink_of(call);
    char *room = text_sink_room(&sink, value.size);
    if (room == NULL) {
        return KERNEL_NO_MEMORY;
    }
    if (value.size > 0) {
        memcpy(room, value.data, value.size);
    }
    const string_value made = text_sink_take(&sink, value.size);
    FOR_ROWS(call, row) {
        COLUMN_OUT(out, string_value)[row] = made;
    }
    return call->count;
}

static uint32_t typeof_kernel(function_call *call, const column *const *args, column *out) {
    (void)args;
    return fill_text(call, type_text(call->types[0], call->scratch), out);
}

const scalar_function function_typeof = {
    .name = "typeof",
    .aliases = "pg_typeof arrow_typeof",
    .category = "other",
    .summary = "the name of the type of the argument",
    .examples = (const char *const[]){"typeof(1)", "INTEGER", "typeof(1.50)", "DECIMAL(3,2)",
                                      "typeof('a')", "VARCHAR", "typeof(NULL)", "NULL",
                                      "typeof([1])", "INTEGER[]", "typeof(1::BIGINT)", "BIGINT",
                                      "typeof()", "error: no \"typeof\" takes", NULL},
    .flags = FUNCTION_PURE,
    .overloads = (const overload[]){{.signature = "VARCHAR <- ANY", .kernel = typeof_kernel}, {0}},
};

#define SESSION_TEXT(word, member, otherwise, aliases_, summary_, ...)                             \
    static uint32_t word##_kernel(function_call *call, const column *const *args, column *out) {   \
        (void)args;                                                                                \
        const text value = call->context == NULL ? TEXT("") : call->context->member;               \
        return fill_text(call, value.size == 0 ? TEXT(otherwise) : value, out);                    \
    }                                                                                              \
    const scalar_function function_##word = {                                                      \
        .name = #word,                                                                             \
        .aliases = aliases_,                                                                       \
        .category = "other",                                                                       \
        .summary = summary_,                                                                       \
        .examples = (const char *const[]){__VA_ARGS__, NULL},                                      \
        .flags = FUNCTION_STABLE,                                                                  \
        .overloads =                                                                               \
            (const overload[]){{.signature = "VARCHAR <-", .kernel = word##_kernel}, {0}},         \
    };
SESSION_TEXT(version, version, "firn", NULL, "the version of firn", "length(version()) > 0", "true",
             "version(1)", "error: no \"version\" takes")
SESSION_TEXT(current_schema, schema, "main", NULL, "the schema that names are looked for in first",
             "current_schema()", "main", "current_schema(1)", "error: no \"current_schema\" takes")
SESSION_TEXT(current_catalog, catalog, "memory", "current_database",
             "the catalog that names are looked for in first", "current_catalog", "memory",
             "current_database()", "memory")
SESSION_TEXT(current_user, user, "firn", "session_user current_role user",
             "the name under which the session runs", "length(current_user) > 0", "true",
             "current_user = session_user", "true")

// ---- hash --------------------------------------------------------------------------------------

static uint32_t hash_kernel(function_call *call, const column *const *args, column *out) {
    cancel_watch watch = {.cancel = function_cancel(call)};
    FOR_ROWS(call, row) {
        uint64_t hash = 0;
        for (uint32_t i = 0; i < call->arg_count; i++) {
            const uint64_t next =
                column_hash_row_watched(args[i], row & column_mask(args[i]), &watch);
            hash = i == 0 ? next : hash_combine(hash, next);
        }
        COLUMN_OUT(out, uint64_t)[row] = hash;
    }
    return call->count;
}

const scalar_function function_hash = {
    .name = "hash",
    .category = "other",
    .summary = "a number of 64 bits for the values, the same for equal ones of one type",
    .examples =
        (const char *const[]){"hash(1) = hash(1)", "true", "hash('a') = hash('b')", "false",
                              "hash(NULL) = hash(NULL)", "true", "hash(1, 'a') = hash(1, 'a')",
                              "true", "hash(0.0::DOUBLE) = hash(-0.0::DOUBLE)", "true", "hash()",
                              "error: no \"hash\" takes", NULL},
    .flags = FUNCTION_PURE,
    .overloads = (const overload[]){{.signature = "UBIGINT <- ANY...", .kernel = hash_kernel}, {0}},
};
