// Durations as people write them: "30", "30s", "500ms", "2min".
#ifndef FIRN_BASE_DURATION_TEXT_H
#define FIRN_BASE_DURATION_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define DURATION_MS_MAX 86400000

/// What is allowed, for messages.
#define DURATION_ALLOWED                                                                           \
    "time of 1ms to 1 day: a whole number of seconds, or with ms, s or min behind it"

/// A whole number and ms, s, min or nothing, which is seconds; false if `value` is anything else,
/// 0 or longer than a day.
bool duration_parse_ms(text value, uint32_t *out);

#endif
