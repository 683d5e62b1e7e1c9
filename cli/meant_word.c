#include "meant_word.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 32, DISTANCE_MAX = 2 };

static size_t least(size_t left, size_t right) {
    return left < right ? left : right;
}

/// How many letters must be put in, taken out, replaced or swapped with the next one (optimal
/// string alignment); SIZE_MAX for what is too long to be one of our words.
static size_t distance(const char *left, const char *right) {
    size_t rows[WORD_MAX + 1][WORD_MAX + 1];
    const size_t left_size = strlen(left);
    const size_t right_size = strlen(right);
    if (left_size > WORD_MAX || right_size > WORD_MAX) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i <= left_size; i++) {
        for (size_t j = 0; j <= right_size; j++) {
            if (i == 0 || j == 0) {
                rows[i][j] = i + j;
                continue;
            }
            rows[i][j] = least(rows[i - 1][j - 1] + (left[i - 1] != right[j - 1]),
                               least(rows[i - 1][j], rows[i][j - 1]) + 1);
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) {
                rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
            }
        }
    }
    return rows[left_size][right_size];
}

cli_meant cli_meant_open(const char *wanted) {
    return (cli_meant){.wanted = wanted,
                       .distance = least((strlen(wanted) + 1) / 3, DISTANCE_MAX) + 1};
}

void cli_meant_offer(cli_meant *self, const char *candidate) {
    const size_t between = distance(self->wanted, candidate);
    if (between < self->distance) {
        self->distance = between;
        self->found = candidate;
    }
}

const char *cli_meant_words(const cli_meant *self, char *buffer, size_t capacity) {
    buffer[0] = '\0';
    if (self->found != NULL) {
        (void)snprintf(buffer, capacity, "; did you mean \"%s\"?", self->found);
    }
    return buffer;
}
