// The client of Iceberg's REST catalog protocol: namespaces, tables and views of one server.
//
// It hands out what the server says: names, and metadata as JSON. What metadata means is for
// tables/iceberg/. The server's configuration is asked for at the first call.
//
// Specification: apache/iceberg, open-api/rest-catalog-open-api.yaml.
#ifndef FIRN_CATALOGS_REST_CLIENT_H
#define FIRN_CATALOGS_REST_CLIENT_H

#include "catalogs/catalog_loaded.h"
#include "catalogs/rest_answers.h"
#include "catalogs/rest_session.h"

typedef struct rest_client rest_client;

/// Sends nothing. Errors: see rest_session_open.
firn_status rest_client_open(io *files, const rest_options *options, rest_client **out,
                             firn_error *err);
/// NULL: nothing.
void rest_client_close(rest_client *self);

/// Asks for the configuration, if that was not done yet. Every other call does it by itself; ATTACH
/// calls it so that a wrong address or credential is told at once.
firn_status rest_client_connect(rest_client *self, const cancel_flag *cancel, firn_error *err);

/// Whether the server has an endpoint. Only after rest_client_connect.
bool rest_client_can(const rest_client *self, rest_endpoint endpoint);

/// Child namespaces of `parent` (count 0: the top), all pages.
firn_status rest_client_namespaces(rest_client *self, namespace_path parent, arena *memory,
                                   namespace_path **out, uint32_t *count, const cancel_flag *cancel,
                                   firn_error *err);

firn_status rest_client_has_namespace(rest_client *self, namespace_path space, bool *out,
                                      const cancel_flag *cancel, firn_error *err);

firn_status rest_client_namespace_properties(rest_client *self, namespace_path space, arena *memory,
                                             catalog_properties *out, const cancel_flag *cancel,
                                             firn_error *err);

/// Tables, then views (if the server knows views), all pages. FIRN_NOT_FOUND: no such namespace.
firn_status rest_client_list(rest_client *self, namespace_path space, arena *memory,
                             catalog_entry_list *out, const cancel_flag *cancel, firn_error *err);

/// Which table is loaded, and how.
typedef struct rest_load {
    namespace_path space;
    text name;
    text etag;            // What an earlier load told: an unchanged table is not sent again.
    bool only_referenced; // Only snapshots that a branch or tag names.
} rest_load;

/// The table of that name, or the view. FIRN_NOT_FOUND if there is neither.
firn_status rest_client_load(rest_client *self, const rest_load *what, arena *memory,
                             loaded_table *out, const cancel_flag *cancel, firn_error *err);

#endif
