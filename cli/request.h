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

/// Reads one line. False if it is no JSON object; other members are skipped.
bool cli_request_read(const char *line, size_t size, cli_request *out);
void cli_request_close(cli_request *self);

#endif
