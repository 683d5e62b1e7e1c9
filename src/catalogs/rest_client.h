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
#include "tables/transaction.h"

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

// ---- Writing -----------------------------------------------------------------------------------
//
// Nothing is sent twice unless the server said that it did not do it (429, a token that has ended),
// or knows Idempotency-Key: then once more, under the same key. FIRN_COMMIT_UNKNOWN: no answer
// came, or one that does not say whether it was done (408, 5xx). They cannot be cancelled.

/// Makes a namespace or changes its properties.
/// Errors: FIRN_CONFLICT 42P06 (is_new), FIRN_NOT_FOUND 3F000; as rest_session_call.
firn_status rest_client_change_namespace(rest_client *self, namespace_path space,
                                         const namespace_change *change, firn_error *err);
/// Errors: FIRN_INVALID 2BP01 (not empty), FIRN_NOT_FOUND 3F000; as rest_session_call.
firn_status rest_client_drop_namespace(rest_client *self, namespace_path space, firn_error *err);

/// DROP. `purges`: the server is asked to remove the files too. Errors: FIRN_NOT_FOUND 42P01.
firn_status rest_client_drop(rest_client *self, object_name name, bool is_view, bool purges,
                             firn_error *err);
/// CREATE VIEW and ALTER VIEW: one attempt (view_attempt of catalogs/view_commit.h). Connected.
/// Errors: as view_attempt, catalog_kind.change_view, ice_view_next and rest_session_call.
firn_status rest_client_change_view(rest_client *self, object_name name, const view_change *wanted,
                                    arena *memory, commit_options *retry, firn_error *err);

/// Errors: FIRN_NOT_FOUND 42P01, FIRN_CONFLICT 42P07; as rest_session_call.
firn_status rest_client_rename(rest_client *self, object_name from, object_name to, bool is_view,
                               firn_error *err);

/// catalog_committer.stage: the server is asked, by a staged create, where the table would lie and
/// what properties it would have. A server that cannot, or that has a table of that name: where the
/// definition says, else where that table is, else below the "location" of the namespace.
firn_status rest_client_stage(rest_client *self, object_name name, const table_definition *wanted,
                              arena *memory, table_definition *out, const cancel_flag *cancel,
                              firn_error *err);

/// catalog_committer.commit, of the form COMMIT_UPDATES. Several parts need the endpoint
/// COMMIT_TRANSACTION, and none of them is a drop (FIRN_UNSUPPORTED).
firn_status rest_client_commit(rest_client *self, const commit_parts *parts, uint32_t deadline_ms,
                               commit_answer *out, firn_error *err);

#endif
