// One HTTP request and its whole answer, for catalogs and whole objects. Waits.
//
// Network failures, 408, 429, 502, 503 and 504 are repeated where that does no harm; redirects of
// GET and HEAD are followed, to other servers without any header that may hold a secret. Whatever
// status comes in the end is an answer, not an error.
#ifndef FIRN_IO_HTTP_H
#define FIRN_IO_HTTP_H

#include "io/io.h"
#include "io/net_module.h"

typedef struct http_request {
    const char *method; // "GET", "POST" …
    text url;           // http or https; encoded as it must be.
    text shown_url;     // In messages instead of `url`; size 0: `url` without query and user.
    const net_header *headers;
    uint32_t header_count;
    bool has_body;
    bytes body;
    bool is_repeatable; // Doing it twice does no harm: GET, HEAD, asking for a token.
    bool keeps_redirects;
    bool accepts_gzip;
    size_t answer_bytes_max;     // Of the decompressed body. Larger: FIRN_INVALID.
    uint32_t connect_timeout_ms; // 0: the io's.
    uint32_t total_timeout_ms;   // With all repeats; 0: as exchange_time.h says.
    const cancel_flag *cancel;
} http_request;

typedef struct http_answer {
    uint32_t status;
    uint32_t header_count;
    net_header *headers;
    bytes body;
    bool may_be_done; // After an error: the server may have seen the request and done it.
} http_answer;

/// Sends a request and waits for its answer, which lies in `memory`.
///
/// Errors: FIRN_IO (network; `may_be_done` says more), FIRN_INVALID (answer too large, URL or
///         header that is malformed), FIRN_CANCELLED (within 50 ms; the request may have been done
///         all the same), FIRN_NO_MEMORY, FIRN_UNSUPPORTED (no network module).
/// Threads: any; the caller holds no lock.
firn_status http_send(io *owner, const http_request *request, arena *memory, http_answer *out,
                      firn_error *err);

/// The value of the first header of that name; empty if there is none.
text http_header(const http_answer *answer, text name);

#endif
