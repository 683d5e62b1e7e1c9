// The messages of an Arrow IPC stream: the schema, and the frame that every message has.
#ifndef FIRN_CLI_ARROW_SCHEMA_MESSAGE_H
#define FIRN_CLI_ARROW_SCHEMA_MESSAGE_H

#include "byte_sink.h"
#include "cells.h"
#include "flat_buffer.h"

typedef enum arrow_header {
    ARROW_SCHEMA = 1,
    ARROW_DICTIONARY_BATCH = 2,
    ARROW_RECORD_BATCH = 3,
} arrow_header;

/// Writes one message: `header` is the place of the table in `builder`, which is reset.
void cli_arrow_message(cli_sink *out, flat_buffer *builder, arrow_header kind, flat_place header,
                       const char *body, size_t body_size);

/// Writes the schema of a result. False if it holds a type that IPC readers do not take from us.
bool cli_arrow_schema(cli_sink *out, flat_buffer *builder, const struct ArrowSchema *schema);

#endif
