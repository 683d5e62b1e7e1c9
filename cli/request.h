// Reading a request of `firn session`: a flat JSON object of strings.
#ifndef FIRN_CLI_REQUEST_H
#define FIRN_CLI_REQUEST_H

#include <stdbool.h>

#include "byte_sink.h"

/// The members that are known; a member that is missing is an empty text with `data == NULL`.
typedef struct cli_request {
    cli_sink sql;
    cli_sink connection;
    cli_sink operation;
} cli_request;

typedef enum cli_request_answer {
    CLI_REQUEST_READ,
    CLI_REQUEST_NO_OBJECT, ///< Not one JSON object.
    CLI_REQUEST_NO_TEXT,   ///< A known member is no text.
} cli_request_answer;

/// Reads one line; other members are skipped. `wrong`: the member that is no text.
cli_request_answer cli_request_read(const char *line, size_t size, cli_request *out,
                                    const char **wrong);
void cli_request_close(cli_request *self);

#endif
