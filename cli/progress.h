// A line on the terminal that says how far a long statement is.
//
// It appears after a second, on standard error, in a place of its own: it is wiped away before
// anything else is written. A thread draws it, which starts with the first statement and only where
// a line may be shown.
#ifndef FIRN_CLI_PROGRESS_H
#define FIRN_CLI_PROGRESS_H

#include "byte_sink.h"
#include "firn.h"

/// Whether lines may be shown at all: standard error is a terminal and nobody said --quiet.
void cli_progress_allow(bool is_allowed);
bool cli_progress_is_allowed(void);

/// Watches a statement, which must stay until the end is called.
void cli_progress_begin(firn_statement *statement);

/// Wipes the line away and forgets the statement. Does nothing where none is watched.
void cli_progress_end(void);

/// The words of a line: share, rows and bytes read, bytes spilled and time.
void cli_progress_words(cli_sink *out, const firn_progress *progress, double seconds);

#endif
