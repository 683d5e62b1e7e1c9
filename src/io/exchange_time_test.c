#include "io/exchange_time.h"

#include <string.h>

#include "base/test.h"

#define T 1000
#define MS(count) ((int64_t)(count) * 1000000)

static bool reason_has(const exchange_time *self, int64_t now_ns, const char *words) {
    char reason[EXCHANGE_TIME_REASON_BYTES];
    exchange_time_reason(self, now_ns, T, reason);
    return strstr(reason, words) != NULL;
}

TEST(exchange_time_ends_silence_once_and_then_for_good) {
    exchange_time self;
    exchange_time_begin(&self, MS(5));
    CHECK(exchange_time_end(&self, T) == MS(1005));
    CHECK(reason_has(&self, MS(1005), "no byte of the answer came for 1 s"));
    exchange_time_attempt(&self, MS(1105));
    CHECK(exchange_time_end(&self, T) == MS(2005)); // Not 2105: that is all the patience.
    CHECK(reason_has(&self, MS(2005), "no whole answer came in 2 s, twice"));
    exchange_time_attempt(&self, MS(9000));
    CHECK(exchange_time_end(&self, T) == exchange_time_patience_end(&self, T));
}

TEST(exchange_time_ends_what_drips) {
    exchange_time self;
    exchange_time_begin(&self, 0);
    for (int64_t i = 1; i < 10; i++) { // 900 bytes in 900 ms.
        exchange_time_body(&self, MS(100 * i), 100, T);
    }
    CHECK(exchange_time_end(&self, T) == MS(1000));
    CHECK(reason_has(&self, MS(1000), "less than 1 KB/s came for 1 s"));
}

TEST(exchange_time_has_no_end_for_what_is_fast_enough) {
    exchange_time self;
    exchange_time_begin(&self, 0);
    for (int64_t i = 1; i < 1000; i++) {
        CHECK(exchange_time_end(&self, T) > MS(100 * i));
        exchange_time_body(&self, MS(100 * i), 120, T);
    }
    // And ends as soon as anything else when it no longer is.
    CHECK(exchange_time_end(&self, T) <= MS(99900 + T));
    CHECK(exchange_time_patience_end(&self, T) <= MS(99900 + 2 * T));
}

TEST(exchange_time_does_not_wait_longer_for_many_heads) {
    exchange_time self;
    exchange_time_begin(&self, 0);
    for (int64_t i = 1; i < 100; i++) { // 103 Early Hints, for one.
        exchange_time_attempt(&self, MS(100 * i));
    }
    CHECK(exchange_time_end(&self, T) == MS(2000));
}
