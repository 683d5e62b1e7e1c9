// Running SQL text: statement by statement, results to a format, faults to stderr.
#ifndef FIRN_CLI_SCRIPT_H
#define FIRN_CLI_SCRIPT_H

#include "arguments.h"
#include "firn.h"
#include "results.h"

typedef struct cli_script {
    const cli_arguments *arguments;
    firn_engine *engine;
    firn_session *session;
    cli_results results;
    bool is_silent;   // Results are read and thrown away: --init.
    const char *file; // That is being run; NULL: the text is of none.
} cli_script;

typedef enum cli_outcome { CLI_DONE, CLI_FAILED, CLI_INTERRUPTED } cli_outcome;

/// Runs all statements of a text; the first fault ends it and has been reported.
cli_outcome cli_script_run(cli_script *self, const char *sql, size_t size);

/// The same for a file; "-" is standard input.
cli_outcome cli_script_run_file(cli_script *self, const char *path);

/// Reads a whole descriptor into `out`. False with errno.
bool cli_read_all(int descriptor, cli_sink *out);

/// Takes what a failed stream says into `err`.
void cli_stream_fault(struct ArrowArrayStream *stream, int code, firn_error *err);

#endif
