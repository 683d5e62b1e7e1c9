// Regular expressions: PCRE2 with its JIT, compiled once for a constant pattern, bounded in time.
//
// A worker keeps one compiled pattern; a pattern that changes from row to row is compiled anew when
// it differs from the last one. A match that takes more than REGULAR_MATCH_LIMIT steps is a failing
// row, so that no pattern runs for ever. `$` is the very end, classes such as \w know Unicode.
#ifndef FIRN_FUNCTIONS_SCALAR_REGULAR_H
#define FIRN_FUNCTIONS_SCALAR_REGULAR_H

#include "functions/scalar/row_values.h"

#define REGULAR_MATCH_LIMIT 2000000
#define REGULAR_KEY_SIZE_MAX 512

/// How a pattern is meant.
typedef enum regular_syntax {
    REGULAR_PLAIN,
    REGULAR_NOCASE,
    REGULAR_SIMILAR, ///< SQL's SIMILAR TO: % and _, and all of the text.
    REGULAR_PART,    ///< The same with a part between two escape characters each with a ": group 1.
} regular_syntax;

/// A worker's compiled pattern. Made by regular_open, ended by regular_close.
typedef struct regular regular;

firn_status regular_open(arena *memory, void **local, firn_error *err);
void regular_close(void *local);

typedef enum regular_answer {
    REGULAR_FOUND,
    REGULAR_NOT_FOUND,
    REGULAR_BAD_PATTERN,
    REGULAR_BAD_FLAG,
    REGULAR_TOO_LONG, ///< The match limit.
    REGULAR_NO_MEMORY
} regular_answer;

/// Makes a pattern the current one, for a value that is looked through next: REGULAR_FOUND if it is
/// good. `flags`: letters i c s m n x g q. `escape`: REGULAR_SIMILAR and REGULAR_PART only, one
/// code point or empty.
regular_answer regular_use(regular *self, text value, text pattern, regular_syntax syntax,
                           text flags, text escape);

/// Looks for the call's current pattern in a value from byte `from` on. REGULAR_NO_MEMORY also
/// where the statement was stopped.
regular_answer regular_find(const function_call *call, text value, size_t from);

/// How many groups the current pattern has, itself not counted.
uint32_t regular_group_count(const regular *self);
/// Group `index` (0: all) of what was found; false if it took no part.
bool regular_group(const regular *self, text value, uint32_t index, text *out);
/// From where to look for the next match behind what was found; above the size at the end.
size_t regular_next_start(const regular *self, text value);

/// Fills in why a pattern is none, or that it took too long.
void regular_explain(regular *self, text pattern, regular_syntax syntax, text flags, text escape,
                     firn_error *err);

#endif
