// Reads the JSON that a REST catalog server answers. Everything in it is outside data: each reader
// checks types and counts, ignores what it does not know, and leaves nothing half filled in that
// its caller would use.
//
// Specification: apache/iceberg, open-api/rest-catalog-open-api.yaml.
#ifndef FIRN_CATALOGS_REST_ANSWERS_H
#define FIRN_CATALOGS_REST_ANSWERS_H

#include "catalogs/catalog_loaded.h"
#include "memory/arena.h"
#include "tables/catalog.h"

// What a server may be able to do: name, method and path as in "endpoints" of its configuration,
// and whether it is taken for granted when the server does not say.
#define REST_ENDPOINT_LIST(X)                                                                      \
    X(LIST_NAMESPACES, "GET /v1/{prefix}/namespaces", true)                                        \
    X(CREATE_NAMESPACE, "POST /v1/{prefix}/namespaces", true)                                      \
    X(LOAD_NAMESPACE, "GET /v1/{prefix}/namespaces/{namespace}", true)                             \
    X(NAMESPACE_EXISTS, "HEAD /v1/{prefix}/namespaces/{namespace}", false)                         \
    X(DROP_NAMESPACE, "DELETE /v1/{prefix}/namespaces/{namespace}", true)                          \
    X(UPDATE_NAMESPACE, "POST /v1/{prefix}/namespaces/{namespace}/properties", true)               \
    X(LIST_TABLES, "GET /v1/{prefix}/namespaces/{namespace}/tables", true)                         \
    X(CREATE_TABLE, "POST /v1/{prefix}/namespaces/{namespace}/tables", true)                       \
    X(REGISTER_TABLE, "POST /v1/{prefix}/namespaces/{namespace}/register", true)                   \
    X(LOAD_TABLE, "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}", true)                  \
    X(TABLE_EXISTS, "HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}", false)              \
    X(UPDATE_TABLE, "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}", true)               \
    X(DROP_TABLE, "DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}", true)               \
    X(RENAME_TABLE, "POST /v1/{prefix}/tables/rename", true)                                       \
    X(COMMIT_TRANSACTION, "POST /v1/{prefix}/transactions/commit", true)                           \
    X(LIST_VIEWS, "GET /v1/{prefix}/namespaces/{namespace}/views", false)                          \
    X(CREATE_VIEW, "POST /v1/{prefix}/namespaces/{namespace}/views", false)                        \
    X(LOAD_VIEW, "GET /v1/{prefix}/namespaces/{namespace}/views/{view}", false)                    \
    X(UPDATE_VIEW, "POST /v1/{prefix}/namespaces/{namespace}/views/{view}", false)                 \
    X(DROP_VIEW, "DELETE /v1/{prefix}/namespaces/{namespace}/views/{view}", false)                 \
    X(RENAME_VIEW, "POST /v1/{prefix}/views/rename", false)

typedef enum rest_endpoint {
#define X(name, path, is_granted) REST_##name,
    REST_ENDPOINT_LIST(X)
#undef X
        REST_ENDPOINT_COUNT
} rest_endpoint;

#define REST_SEPARATOR_MAX 16

/// What GET /v1/config says, overrides over defaults.
typedef struct rest_config {
    catalog_properties defaults;
    catalog_properties overrides;
    uint64_t endpoints; // Bit REST_x: the server has it.
    text separator;     // Between the levels of a namespace in a path, encoded; "%1F".
    text separates;     // The same decoded: no level may hold it.
    text prefix;        // Of paths behind /v1/; may be empty.
    bool knows_keys;    // Idempotency-Key: a repeated request is done once.
} rest_config;

firn_status rest_read_config(bytes json, arena *memory, rest_config *out, firn_error *err);

/// A page of child namespaces. `next_page` is empty on the last one.
firn_status rest_read_namespaces(bytes json, arena *memory, namespace_path **out, uint32_t *count,
                                 text *next_page, firn_error *err);

/// A page of tables or views; only their names.
firn_status rest_read_identifiers(bytes json, arena *memory, text_list *out, text *next_page,
                                  firn_error *err);

/// A table or view: `out->metadata` is the slice of `json` that holds the metadata, not looked into
/// but for `out->roots`. Borrows: `json`, for as long as `out` is used.
firn_status rest_read_table(bytes json, arena *memory, loaded_table *out, firn_error *err);

/// Properties of a namespace.
firn_status rest_read_properties(bytes json, arena *memory, catalog_properties *out,
                                 firn_error *err);

/// What a token server answers.
typedef struct rest_token {
    text token;
    text type; // "bearer" as a rule.
    bool has_lifetime;
    uint64_t lifetime_s;
} rest_token;
firn_status rest_read_token(bytes json, arena *memory, rest_token *out, firn_error *err);

/// The body of a refusal, of either form:
///     {"error": {"message": …, "type": …, "code": …}}      a catalog's
///     {"error": "invalid_client", "error_description": …}  a token server's
/// Both texts are empty for anything else, such as HTML.
typedef struct rest_refusal {
    text type;
    text message;
} rest_refusal;
void rest_read_refusal(bytes body, arena *memory, rest_refusal *out);

#endif
