// Patterns of paths, and the files behind them.
//
//     *       any run of bytes within a folder name, also none       [abc] [a-z]   one of these
//     ?       one character                                          [!a] [^a]     one that is not
//     **      as a whole folder: any number of folders, also none    {a,b*,c}      one of these
//
// As in a shell, a name that begins with '.' is only matched by a pattern that begins with '.', and
// "**" does not go through symbolic links to folders.
// There is no escape but brackets: `[*]`, `[[]`.
#ifndef FIRN_IO_GLOB_H
#define FIRN_IO_GLOB_H

#include "io/io.h"

typedef struct io_paths {
    uint32_t count;
    text *items;
} io_paths;

/// Whether it holds any of `*?[{`.
bool glob_is_pattern(text path);

/// Whether a whole path is matched; "**", '/' and braces as above. Cost: O(pattern * path) but for
/// braces, of which at most 1024 variants are tried.
firn_status glob_match(text pattern, text path, arena *memory, bool *out, firn_error *err);

/// The files that a pattern matches, in bytewise order, each once. A path that is no pattern, or
/// that exists as it is written, is its own only match, and is not asked about if it is no pattern.
/// No match is an empty list. Folders that do not exist match nothing.
///
/// Errors: FIRN_INVALID (a bracket or brace is not closed, too many variants), FIRN_UNSUPPORTED (a
///         store that cannot list), and those of io_list.
firn_status io_glob(io *owner, text pattern, const cancel_flag *cancel, arena *memory,
                    io_paths *out, firn_error *err);

#endif
