// Takes paths apart: scheme, folder, name. Paths are never URL-decoded: Iceberg's strings are plain
// paths whatever they look like, and what a writer named `a%20b` is called so.
#ifndef FIRN_IO_IO_PATH_H
#define FIRN_IO_IO_PATH_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"

// With the final NUL. What Linux takes; longer ones are refused before they reach it.
#define IO_LOCAL_PATH_MAX 4096

/// The scheme in front of "://" or of "file:", such as "https"; empty for a plain local path.
/// `lake:x.parquet` has none: a colon alone is a letter of a file name.
text io_path_scheme(text path);

bool io_path_is_local(text path);
bool io_path_is_web(text path);

/// The file-system path behind a local path, with a NUL, such as "/x" for "file:///x".
/// Errors: FIRN_INVALID (empty, holds a NUL, too long, `file:` of another host or not absolute).
firn_status io_path_local(text path, char out[IO_LOCAL_PATH_MAX], firn_error *err);

/// A local path from the root on, whatever form it is in: "file:/x//y", "/x/y" and "./x/y" in "/"
/// are one. Links in it stay. Errors: those of io_path_local, FIRN_IO (the working folder is gone).
firn_status io_path_whole(text path, char out[IO_LOCAL_PATH_MAX], firn_error *err);

/// A path without the slashes at its end; the root stays "/".
text io_path_unslashed(text path);

/// What stands before the last '/', without it; the root stays "/". "." if there is no '/'. Slashes
/// at the end do not count.
text io_path_folder(text path);

/// A path without the query and fragment that one of a web server may have.
text io_path_object(text path);

/// What stands behind the last '/'.
text io_path_name(text path);

/// A path as it may be shown: without user, password, query and fragment, where secrets hide.
text io_path_shown(text path, char *buffer, size_t capacity);

#define IO_SIZE_TEXT 32
/// How a limit is told: whole MB (of 2^20 bytes) as "512 MB", others as "999 bytes".
const char *io_size_shown(uint64_t size, char buffer[IO_SIZE_TEXT]);

/// Adds "while DOING PATH" to an error, the path as it may be shown.
void io_path_while(firn_error *err, const char *doing, text path);

#endif
