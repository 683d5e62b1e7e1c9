// What the files of rest_client share: the client and its paths.
#ifndef FIRN_CATALOGS_REST_CLIENT_PRIVATE_H
#define FIRN_CATALOGS_REST_CLIENT_PRIVATE_H

#include "catalogs/rest_client.h"
#include "catalogs/rest_owns.h"
#include "io/uri.h"
#include "memory/json_tree.h"
#include "memory/text_builder.h"

#define CLIENT_MEMORY_LIMIT ((size_t)16 << 20)
#define COMMIT_MEMORY_LIMIT ((size_t)1 << 30) // A commit, and what the server says of it.

typedef enum client_state { CLIENT_NEW, CLIENT_ASKING, CLIENT_CONNECTED } client_state;

struct rest_client {
    arena memory; // Holds the client itself.
    rest_session session;
    mutex lock;
    condition changed;
    client_state state GUARDED_BY(&lock);
    arena config_memory; // Of `config`, which never changes once it is connected.
    rest_config config;
    rest_owns owns; // Of single tables.
};

/// A path below /v1/{prefix}/, and below that .../namespaces/{namespace}.
text_builder rest_path_open(const rest_client *self, arena *memory);
text_builder rest_space_path_open(const rest_client *self, arena *memory, namespace_path space);
void rest_append_levels(const rest_client *self, text_builder *path, namespace_path space);

/// For messages: namespace "a.b"; table "a.b.t".
firn_status rest_name_space(arena *memory, namespace_path space, text *out, firn_error *err);
firn_status rest_name_table(arena *memory, const rest_load *what, const char *kind, text *out,
                            firn_error *err);

/// FIRN_INVALID for what would be another path, or none: a namespace without levels; a level or
/// name that is empty, "." or "..", or no UTF-8; a level that holds what stands between them.
/// Connected.
firn_status rest_check_space(const rest_client *self, namespace_path space, firn_error *err);
firn_status rest_check_name(const rest_client *self, object_name name, firn_error *err);

// ---- Requests that change something (rest_client_write.c)
// -----------------------------------------

/// Which SQLSTATEs the refusals of a request have: 404 and 409.
typedef struct refusal_states {
    const char *missing;
    const char *taken;
} refusal_states;

/// Sends a request that is not a commit of tables. FIRN_COMMIT_UNKNOWN if no answer says whether it
/// was done.
firn_status rest_send_command(rest_client *self, rest_call *call, const refusal_states *states,
                              arena *memory, firn_error *err);
/// FIRN_UNSUPPORTED if the server has no such endpoint, whose use is `what`: "drop tables".
/// Connects.
firn_status rest_must_have(rest_client *self, rest_endpoint endpoint, const char *what,
                           firn_error *err);
/// The path of a table or view, and what it is called in messages. `query` is what stands behind
/// it.
firn_status rest_place(rest_client *self, object_name name, bool is_view, const char *query,
                       arena *memory, rest_call *call, firn_error *err);
/// What a commit says of one table or view.
void rest_write_change(json_writer *out, object_name name, text requirements, text updates);
firn_status rest_take_body(text_builder *json, rest_call *call, firn_error *err);

/// Says of a failure that it came of an answer, which was read into `memory`.
firn_status rest_while_reading(firn_status status, const rest_client *self, text subject,
                               const arena *memory, firn_error *err);

#endif
