// The arguments of the program.
#ifndef FIRN_CLI_ARGUMENTS_H
#define FIRN_CLI_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "firn.h"
#include "results.h"

typedef enum cli_mode { CLI_RUN, CLI_SESSION, CLI_HELP, CLI_VERSION } cli_mode;

/// A -c or a -f, in the order they were given.
typedef struct cli_input {
    bool is_file;
    const char *text;
} cli_input;

typedef struct cli_arguments {
    cli_mode mode;
    cli_input *inputs;
    size_t input_count;
    firn_option *settings; // Of -s, --memory-limit and --threads.
    size_t setting_count;
    const cli_format *format;
    bool has_format;    // It was given.
    const char *output; // NULL: standard output.
    const char *init;   // NULL: none.
    bool no_color;
    bool is_quiet;
} cli_arguments;

/// Reads the arguments, which must outlive `out`. False after a message to stderr: wrong usage.
bool cli_arguments_read(int count, char **texts, cli_arguments *out);
void cli_arguments_close(cli_arguments *self);
void cli_arguments_help(void);

#endif
