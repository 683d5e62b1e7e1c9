// The commands of the prompt: lines that begin with a dot.
#ifndef FIRN_CLI_PROMPT_COMMAND_H
#define FIRN_CLI_PROMPT_COMMAND_H

#include "script.h"

typedef struct prompt_state {
    cli_script *script;
    bool shows_time; // After each statement.
    bool is_over;
} prompt_state;

/// Runs the command of a line, or says which one is meant by a word such as `quit`. False if the
/// line is neither.
bool cli_prompt_command(prompt_state *self, const char *line, size_t size);

/// Writes to the terminal beside the results.
void cli_prompt_say(const char *text);

#endif
