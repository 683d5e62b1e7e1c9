// The SQL names of Arrow types, as INTERFACE has them.
#ifndef FIRN_CLI_TYPE_NAME_H
#define FIRN_CLI_TYPE_NAME_H

#include "byte_sink.h"
#include "cells.h"

/// Writes e.g. `DECIMAL(10,2)`, `TIMESTAMPTZ`, `VARCHAR[]`, `STRUCT(a INTEGER, "b c" UUID)`.
void cli_type_name(cli_sink *out, const cell_type *type);

#endif
