// How long a request and its repeats may take, by one number T, the setting "http_timeout":
//
//     an attempt   is broken off when less than a byte a millisecond came for T: counted from its
//                  begin, from the head of an answer, and whenever so many bytes had come
//     patience     ends 2 T after the first attempt began, or after so many bytes had last come:
//                  then nothing is tried any more
//
// So what hangs ends after 2 T, whatever is repeated, and what drips takes at most as long as its
// bytes at 1 KB/s. Only bytes of an answer that somebody wants count: not those of a redirect or of
// "try again later", which may have no end. Pure arithmetic; the caller knows what time it is.
#ifndef FIRN_IO_EXCHANGE_TIME_H
#define FIRN_IO_EXCHANGE_TIME_H

#include <stddef.h>
#include <stdint.h>

typedef struct exchange_time {
    int64_t patient_ns; // Since when there is patience.
    int64_t window_ns;  // Since when bytes are counted.
    uint64_t bytes;     // That came since.
} exchange_time;

/// The first attempt begins.
void exchange_time_begin(exchange_time *self, int64_t now_ns);
/// Another attempt begins, or an answer does.
void exchange_time_attempt(exchange_time *self, int64_t now_ns);
/// Bytes came that somebody wants.
void exchange_time_body(exchange_time *self, int64_t now_ns, size_t size, uint32_t timeout_ms);

/// When the attempt is to be broken off, unless something comes.
int64_t exchange_time_end(const exchange_time *self, uint32_t timeout_ms);
/// When patience ends, unless something comes.
int64_t exchange_time_patience_end(const exchange_time *self, uint32_t timeout_ms);

#define EXCHANGE_TIME_REASON_BYTES 128
/// Says why the attempt is broken off at `now_ns`.
void exchange_time_reason(const exchange_time *self, int64_t now_ns, uint32_t timeout_ms,
                          char out[EXCHANGE_TIME_REASON_BYTES]);

#endif
