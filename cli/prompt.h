// The prompt: statements typed on a terminal.
#ifndef FIRN_CLI_PROMPT_H
#define FIRN_CLI_PROMPT_H

#include "script.h"

/// Reads statements until \q or the end of input. A statement ends with ';' and may take several
/// lines; a fault ends a statement, not the prompt. Ctrl-C stops what runs, else clears the line.
void cli_prompt_run(cli_script *script);

/// Whether a text ends with a whole statement: a ';' outside of quotes and comments with only
/// blanks and comments behind it. Also true of nothing but blanks and comments.
bool cli_sql_is_complete(const char *sql, size_t size);

#endif
