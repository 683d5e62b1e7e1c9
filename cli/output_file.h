// The file of --output: it appears whole, under its name, or not at all.
#ifndef FIRN_CLI_OUTPUT_FILE_H
#define FIRN_CLI_OUTPUT_FILE_H

#include <stdbool.h>

typedef struct output_file {
    char *path;      // Behind all symbolic links.
    char *temporary; // NULL while the file has no name, or when `path` is written directly.
    int descriptor;  // -1: not open.
    bool is_direct;  // A device, a pipe, an open descriptor: what cannot be replaced.
} output_file;

/// Opens for writing. False with errno.
bool cli_output_open(output_file *self, const char *path);

/// Gives the file its name, over what is there. False with errno.
bool cli_output_commit(output_file *self);

/// Closes; what was not committed is gone. Closing a zeroed one does nothing.
void cli_output_close(output_file *self);

#endif
