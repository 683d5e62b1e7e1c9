// The border between firn and its network module, firn_net.so (libcurl and OpenSSL).
//
// The module is loaded at the first remote path (net_loader.h). Neither side links to the other:
// firn hands in a table of functions and gets one back; both carry NET_MODULE_VERSION, which must
// match to the letter. Tests put a table of their own in its place (io_options.net).
//
// The module moves bytes and knows nothing else: what is tried again, redirected, limited in time
// or counted against a limit is decided in exchange.c. All its functions but `wake` are called by
// one thread at a time, and it calls back only from within `drive`.
#ifndef FIRN_IO_NET_MODULE_H
#define FIRN_IO_NET_MODULE_H

#include "base/bytes.h"
#include "base/text.h"

#define NET_MODULE_VERSION "firn 0.1.0 net 2"
#define NET_MODULE_FILE "firn_net.so"
#define NET_MODULE_SYMBOL "firn_net_module"
#define NET_USER_AGENT "firn/0.1.0"

/// What firn hands to the module.
typedef struct net_host {
    void *(*alloc)(size_t size);
    void (*release)(void *block);
    const char *(*environment)(const char *name);
} net_host;

/// How a call ended.
typedef enum net_end {
    NET_DONE,      // A whole answer was received, whatever its status.
    NET_STOPPED,   // A callback said stop.
    NET_UNREACHED, // No connection: the server has certainly not seen the request.
    NET_BROKEN,    // The connection broke; the server may have seen and done it.
    NET_REFUSED,   // Not sent, and trying again is of no use: TLS verification, malformed URL.
    NET_GARBAGE,   // The answer is no HTTP, or broken within.
    NET_NO_MEMORY,
} net_end;

typedef struct net_header {
    text name;
    text value;
} net_header;

typedef struct net_call net_call;

/// Called from within net_module.drive.
typedef struct net_callbacks {
    /// An answer begins; call->status is set. May come again: after 100, for one.
    void (*status)(net_call *call);
    /// One header of the answer; call->status is set. False breaks the call off.
    bool (*header)(net_call *call, text name, text value);
    /// The next bytes of the body, decompressed. False breaks the call off.
    bool (*body)(net_call *call, bytes part);
    /// The call is over and the module has forgotten it. `reason` explains all but NET_DONE and
    /// NET_STOPPED; it never holds a header or the URL.
    void (*done)(net_call *call, net_end end, const char *reason);
} net_callbacks;

/// One request. The caller's memory, unchanged until `done` was called or the call was stopped.
struct net_call {
    const char *method;
    const char *url; // Only characters that a URL may have.
    const net_header *headers;
    uint32_t header_count;
    bool has_body;
    bytes body;
    bool accepts_gzip;
    bool is_sent_once; // Over a connection of its own: libcurl sends a request again, whatever it
                       // is, when one that was kept open turns out to be closed.
    uint32_t connect_timeout_ms;
    const net_callbacks *callbacks;
    // Out:
    uint32_t status;          // Of HTTP; 0 before the answer began.
    const char *redirect_url; // During `done`: where the answer sends to, absolute, or NULL.
    // The module's:
    void *handle;
};

typedef struct net_client net_client;

/// What the module hands to firn.
typedef struct net_module {
    const char *version; // NET_MODULE_VERSION.
    /// Such as "libcurl/7.88.1 OpenSSL/3.0.15", for people.
    const char *(*library)(void);
    /// NULL when out of memory. Keeps `host`; `connection_count` bounds the connections kept open.
    net_client *(*open)(const net_host *host, uint32_t connection_count);
    /// No call may be on its way.
    void (*close)(net_client *self);
    /// Sends a call off, without calling back yet. False: out of memory; nothing was sent.
    bool (*start)(net_client *self, net_call *call);
    /// Forgets a call that was started; no callback any more.
    void (*stop)(net_client *self, net_call *call);
    /// Waits until something can be done or `timeout_ms` passed or `wake` was called; does it.
    void (*drive)(net_client *self, uint32_t timeout_ms);
    /// Any thread: ends a `drive` that waits, or the next one.
    void (*wake)(net_client *self);
} net_module;

/// The one symbol of the module. NULL if the version is not the module's own.
typedef const net_module *net_module_open(const char *version);

#endif
