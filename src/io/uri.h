// Percent encoding (RFC 3986), for paths of web servers, REST calls and folder names of partitions.
#ifndef FIRN_IO_URI_H
#define FIRN_IO_URI_H

#include "memory/text_builder.h"

/// Appends `value` with all but letters, digits and "-._~" as %XX: one segment of a path, a key or
/// value of a query.
void uri_append_encoded(text_builder *self, text value);

/// Appends a URL with what no URL may have (blanks, controls, non-ASCII, quotes …) as %XX and all
/// else as it is: what is encoded already stays so.
void uri_append_repaired(text_builder *self, text url);

/// Decodes %XX; a '%' without two hex digits stays as it is, '+' stays '+'. The answer is `value`
/// itself when nothing was encoded. Errors: FIRN_NO_MEMORY.
firn_status uri_decode(text value, arena *memory, text *out, firn_error *err);

#endif
