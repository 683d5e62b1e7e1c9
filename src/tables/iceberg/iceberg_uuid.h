// Names that nobody else chooses: of tables and views, and in the paths of files.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_UUID_H
#define FIRN_TABLES_ICEBERG_ICEBERG_UUID_H

#include "base/error.h"

#define ICE_UUID_SIZE 36

/// A random UUID (version 4) with a NUL behind it. Errors: FIRN_IO.
firn_status ice_uuid_make(char out[ICE_UUID_SIZE + 1], firn_error *err);

#endif
