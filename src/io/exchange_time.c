#include "io/exchange_time.h"

#include <stdio.h>

#define NS_OF_MS INT64_C(1000000)
#define BYTES_PER_MS_MIN 1
#define PATIENCE 2

void exchange_time_begin(exchange_time *self, int64_t now_ns) {
    self->patient_ns = now_ns;
    exchange_time_attempt(self, now_ns);
}

void exchange_time_attempt(exchange_time *self, int64_t now_ns) {
    self->window_ns = now_ns;
    self->bytes = 0;
}

void exchange_time_body(exchange_time *self, int64_t now_ns, size_t size, uint32_t timeout_ms) {
    self->bytes += size;
    if (self->bytes >= (uint64_t)timeout_ms * BYTES_PER_MS_MIN) {
        exchange_time_begin(self, now_ns);
    }
}

int64_t exchange_time_end(const exchange_time *self, uint32_t timeout_ms) {
    const int64_t end_ns = self->window_ns + timeout_ms * NS_OF_MS;
    const int64_t patience_ns = exchange_time_patience_end(self, timeout_ms);
    return end_ns < patience_ns ? end_ns : patience_ns;
}

int64_t exchange_time_patience_end(const exchange_time *self, uint32_t timeout_ms) {
    return self->patient_ns + PATIENCE * (timeout_ms * NS_OF_MS);
}

void exchange_time_reason(const exchange_time *self, int64_t now_ns, uint32_t timeout_ms,
                          char out[EXCHANGE_TIME_REASON_BYTES]) {
    const double seconds = timeout_ms / 1e3;
    if (now_ns >= exchange_time_patience_end(self, timeout_ms)) {
        (void)snprintf(out, EXCHANGE_TIME_REASON_BYTES,
                       "no whole answer came in %g s, twice the setting \"http_timeout\"",
                       PATIENCE * seconds);
    } else if (self->bytes == 0) {
        (void)snprintf(out, EXCHANGE_TIME_REASON_BYTES,
                       "no byte of the answer came for %g s, the setting \"http_timeout\"",
                       seconds);
    } else {
        (void)snprintf(out, EXCHANGE_TIME_REASON_BYTES,
                       "less than 1 KB/s came for %g s, the setting \"http_timeout\"", seconds);
    }
}
