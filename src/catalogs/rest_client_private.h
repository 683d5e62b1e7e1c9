// What the files of rest_client share: the client and its paths.
#ifndef FIRN_CATALOGS_REST_CLIENT_PRIVATE_H
#define FIRN_CATALOGS_REST_CLIENT_PRIVATE_H

#include "catalogs/rest_client.h"
#include "catalogs/rest_owns.h"
#include "io/uri.h"
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

/// Says of a failure that it came of an answer, which was read into `memory`.
firn_status rest_while_reading(firn_status status, const rest_client *self, text subject,
                               const arena *memory, firn_error *err);

#endif
