#include "base/nearest.h"

#include <stdio.h>

#define DISTANCE_MAX 3

nearest_name nearest_to(text wanted) {
    const size_t allowed = (wanted.size + 1) / 3;
    return (nearest_name){.wanted = wanted,
                          .distance = (allowed < DISTANCE_MAX ? allowed : DISTANCE_MAX) + 1};
}

void nearest_offer(nearest_name *self, text candidate) {
    const size_t distance = text_distance(self->wanted, candidate);
    const bool is_nearer = distance < self->distance;
    if (candidate.size == 0 || text_equal(candidate, self->wanted) ||
        (!is_nearer && (distance != self->distance || self->count == 0))) {
        return;
    }
    if (is_nearer) {
        self->distance = distance;
        self->count = 0;
    }
    for (size_t i = 0; i < self->count; i++) {
        if (text_equal(self->found[i], candidate)) {
            return;
        }
    }
    if (self->count < NEAREST_MAX) {
        self->found[self->count++] = candidate;
    }
}

bool nearest_hint(const nearest_name *self, firn_error *err) {
    char words[FIRN_ERROR_HINT_MAX] = "";
    size_t used = 0;
    for (size_t i = 0; i < self->count && used < sizeof words; i++) {
        const char *before = i == 0 ? "" : i + 1 == self->count ? " or " : ", ";
        const int size = snprintf(words + used, sizeof words - used, "%s\"%.*s\"", before,
                                  TEXT_ARGS(self->found[i]));
        used += size < 0 ? sizeof words : (size_t)size;
    }
    if (self->count > 0) {
        err_hint(err, "did you mean %s?", words);
    }
    return self->count > 0;
}
