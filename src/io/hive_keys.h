// The keys that Hive-style folder names hold: /lake/sales/region=EU/day=2024-01-01/part-0.parquet
#ifndef FIRN_IO_HIVE_KEYS_H
#define FIRN_IO_HIVE_KEYS_H

#include "base/error.h"
#include "base/text.h"
#include "memory/arena.h"

typedef struct hive_key {
    text name;
    text value;   // Decoded; empty when is_null.
    bool is_null; // The folder says __HIVE_DEFAULT_PARTITION__.
} hive_key;

typedef struct hive_keys {
    uint32_t count;
    hive_key *items;
} hive_keys;

/// Reads the keys of all folders of a path, outermost first; the file's own name is none. A folder
/// is a key if it holds '=' behind at least one byte; names and values are percent-decoded. A key
/// that comes twice stands twice.
///
/// Borrows: `path` for as long as the keys. Errors: FIRN_NO_MEMORY.
firn_status hive_keys_read(text path, arena *memory, hive_keys *out, firn_error *err);

#endif
