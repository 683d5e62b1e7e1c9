// Talks to a REST catalog server: addresses, headers, tokens and what refusals mean. Knows nothing
// of namespaces and tables; rest_client.h does.
//
// Tokens: a given one is sent as it is. With a credential one is fetched before the first request
// (OAuth2 client credentials), exchanged before it ends, and fetched anew, once a request, when the
// server answers 401 or 419.
//
// No token, credential or header value is ever in a message: texts of servers that hold one are
// shown without it.
#ifndef FIRN_CATALOGS_REST_SESSION_H
#define FIRN_CATALOGS_REST_SESSION_H

#include "base/mutex.h"
#include "io/http.h"
#include "io/io_storage.h"

typedef struct rest_options {
    text alias;                // Of the catalog, for messages.
    text uri;                  // What stands before /v1.
    text warehouse;            // Sent as written; size 0: not sent.
    text token;                // Bearer token; size 0: none.
    text credential;           // "id:secret", or a secret alone; size 0: none.
    text scope;                // Size 0: "catalog".
    text oauth2_server_uri;    // Size 0: uri + "/v1/oauth/tokens". Without scheme: below uri.
    const net_header *headers; // One without a value: none of that name is sent.
    uint32_t header_count;
    uint32_t connect_timeout_ms; // 0: 10 s.
    uint32_t request_timeout_ms; // Of one request with its repeats; 0: as io/exchange_time.h says,
                                 // by the setting "http_timeout".
    bool wants_credentials;      // Ask for storage keys with a table.
    io_properties properties;    // Of the storages of tables, as io_storage.h says.
} rest_options;

typedef struct rest_session {
    io *files;            // Keeps it.
    arena memory;         // Of everything below but the token.
    rest_options options; // Copies.
    uint32_t property_capacity;
    bool is_moved; // The server has named an address to send to.
    mutex lock;
    arena token_memory GUARDED_BY(&lock);
    text token GUARDED_BY(&lock);
    int64_t renew_ns GUARDED_BY(&lock);    // When it should be exchanged; INT64_MAX: never.
    uint64_t generation GUARDED_BY(&lock); // Counts tokens.
} rest_session;

/// What the requests about one table have beside those of the catalog: the server said so when the
/// table was loaded or staged. As secret as what the user gave.
typedef struct rest_own {
    text token; // Instead of the session's, as long as the server takes it; size 0: none.
    uint32_t header_count;
    net_header *headers; // Where neither the user nor firn has one of that name.
    uint32_t secret_count;
    text *secrets; // Values of its storage's keys, which are not to be shown.
} rest_own;

/// One request below the base.
typedef struct rest_call {
    const char *method;
    text path; // Behind uri + "/", such as "v1/config?warehouse=x"; encoded.
    bool has_body;
    bytes body;          // JSON.
    text etag;           // If-None-Match; size 0: none.
    text key;            // Idempotency-Key; size 0: none.
    uint32_t total_ms;   // At most so long, with tokens that are asked for; 0: as the options say.
    text subject;        // For messages, such as: table "ns.t"
    bool has_table_ask;  // Storage keys are asked for, if the options say so.
    const rest_own *own; // NULL: nothing.
} rest_call;

/// Copies the options. Sends nothing.
/// Errors: FIRN_INVALID (the URI is not http, a header that HTTP does not allow), FIRN_NO_MEMORY.
firn_status rest_session_open(rest_session *self, io *files, const rest_options *options,
                              firn_error *err);
void rest_session_close(rest_session *self);

/// Takes in a key of the server's configuration: "uri", "token", "oauth2-server-uri", "scope",
/// "header.*" and properties of storages matter here, all others do not. Defaults stand only for
/// what the options leave open. Before other threads use the session.
firn_status rest_session_configure(rest_session *self, text key, text value, bool is_override,
                                   firn_error *err);

/// Sends a request and waits for its answer. GET and HEAD are repeated when that may help.
///
/// Errors: 400, 422: FIRN_INVALID. 401, 403, 419: FIRN_INVALID with SQLSTATE 28000, 42501. 404:
///         FIRN_NOT_FOUND. 409: FIRN_CONFLICT. 405, 406, 501: FIRN_UNSUPPORTED. Others: FIRN_IO,
///         retryable for 429 and 5xx. `out->status` and `out->may_be_done` are set then too, so
///         that a commit can tell "refused" from "unknown".
/// Threads: any; the caller holds no lock.
firn_status rest_session_call(rest_session *self, const rest_call *call, arena *memory,
                              const cancel_flag *cancel, http_answer *out, firn_error *err);

#endif
