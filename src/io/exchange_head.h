// What firn keeps of the head of an HTTP answer. Every text in it comes from a server that nobody
// vouches for; what does not parse is as if it had not been sent.
#ifndef FIRN_IO_EXCHANGE_HEAD_H
#define FIRN_IO_EXCHANGE_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define EXCHANGE_VERSION_MAX 127

typedef struct exchange_head {
    uint32_t status;
    bool has_length;
    bool has_range;      // "Content-Range: bytes first-last/…"
    bool has_total;      // "Content-Range: bytes …/total", also of "bytes */total".
    bool refuses_ranges; // "Accept-Ranges: none"
    bool is_encoded;     // "Content-Encoding: gzip" and its like, which nobody asked for.
    uint64_t length;     // Content-Length.
    uint64_t range_first;
    uint64_t range_last;
    uint64_t range_total;
    bool has_retry_after;
    uint64_t retry_after_ms;
    // The strong ETag, else the Last-Modified, else "".
    char version[EXCHANGE_VERSION_MAX + 1];
    bool version_is_etag;
} exchange_head;

/// Takes in one header line. `now_s` is the time since 1970, for a Retry-After that is a date.
void exchange_head_add(exchange_head *self, text name, text value, int64_t now_s);

/// Seconds since 1970 of a date like "Sun, 06 Nov 1994 08:49:37 GMT", the only form still sent.
bool exchange_date_read(text value, int64_t *out);

#endif
