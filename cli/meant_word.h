// "did you mean": the word of several that is written most like what was written.
//
// The engine has its own for names in SQL; this one is for the words of the program itself, which
// sees nothing of the engine but firn.h.
#ifndef FIRN_CLI_MEANT_WORD_H
#define FIRN_CLI_MEANT_WORD_H

#include <stddef.h>

/// Looks for the word that was meant: offer each that there is, then ask.
typedef struct cli_meant {
    const char *wanted;
    size_t distance; // Of the found one; at first the least that is too much.
    const char *found;
} cli_meant;

cli_meant cli_meant_open(const char *wanted);
/// Keeps: `candidate`.
void cli_meant_offer(cli_meant *self, const char *candidate);

/// "" if nothing is near enough, else `; did you mean "--format"?` in the buffer, which is given
/// back.
const char *cli_meant_words(const cli_meant *self, char *buffer, size_t capacity);

#endif
