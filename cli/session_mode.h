// `firn session`: one JSON object per line each way over standard input and output.
//
// Requests: {"sql": …, "conn": …} runs statements, the last one answers; {"op": "reset"} forgets
// everything, {"op": "reconnect"} the temporary things of the default session. Answers hold the
// rows as text, or the fields of an error.
#ifndef FIRN_CLI_SESSION_MODE_H
#define FIRN_CLI_SESSION_MODE_H

#include "arguments.h"

/// Serves until the end of input; the exit code of the program.
int cli_session_mode(const cli_arguments *arguments);

#endif
