// How faults are shown: as lines with a caret under the SQL, or as the fields of a JSON object.
#ifndef FIRN_CLI_FAULT_TEXT_H
#define FIRN_CLI_FAULT_TEXT_H

#include "byte_sink.h"
#include "firn.h"

/// Writes
///
///     error: invalid: column "regoin" does not exist
///       in sales.sql
///       1 | SELECT regoin FROM sales
///         |        ^
///     hint: did you mean "region"?
///
/// `err->position` is a byte of `sql`; `file` is NULL where that is of none.
void cli_fault_lines(cli_sink *out, const firn_error *err, const char *sql, size_t size,
                     const char *file);

/// Writes "error":…,"code":…,"position":…,"context":[…],"hint":… without braces, leaving out what
/// is not known.
void cli_fault_fields(cli_sink *out, const firn_error *err);

/// Prints why there is no engine to standard error; the exit code, 2 for a wrong setting and 1 for
/// a fault, such as no memory.
int cli_fault_of_engine(const firn_error *err);

#endif
