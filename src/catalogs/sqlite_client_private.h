// What the files of sqlite_client share: the connection and its statements.
#ifndef FIRN_CATALOGS_SQLITE_CLIENT_PRIVATE_H
#define FIRN_CATALOGS_SQLITE_CLIENT_PRIVATE_H

#include <sqlite3.h>

#include "catalogs/sqlite_client.h"

#define CALL_MEMORY_LIMIT ((size_t)16 << 20)

struct sqlite_client {
    arena memory; // Holds the client itself.
    sqlite3 *database;
    text path;
    text alias;
    text name;       // The catalog_name.
    bool has_kinds;  // Schema V1: there is a column iceberg_type.
    bool has_spaces; // There is a table iceberg_namespace_properties.
    bool is_stuck;   // A transaction of the file could not be ended, and what it wrote is visible.
    uint32_t busy_timeout_ms;
    // Of the call that runs:
    const cancel_flag *cancel;
    int64_t busy_since_ns; // 0: not waiting for a lock.
};

/// The error of a result code of SQLite, with what it says.
firn_status sqlite_client_fail(sqlite_client *self, int code, firn_error *err);

/// Undoes the transaction of the file that is open, if one is; false: it is open still, and no
/// statement is prepared before it is not.
bool sqlite_client_roll_back(sqlite_client *self);

/// Prepares a statement whose parameters are the texts in order, which it borrows until it is
/// finalized. NULL after an error.
firn_status sqlite_client_prepare(sqlite_client *self, const char *sql, const text *values,
                                  uint32_t value_count, sqlite3_stmt **out, firn_error *err);
/// The next row; *out is false behind the last one.
firn_status sqlite_client_step(sqlite_client *self, sqlite3_stmt *statement, bool *out,
                               firn_error *err);
/// A column of the row, copied; NULL is the empty text. FIRN_CORRUPT: it is not UTF-8.
firn_status sqlite_client_read_text(sqlite_client *self, sqlite3_stmt *statement, int place,
                                    arena *memory, text *out, firn_error *err);

/// The levels of a namespace, joined by dots. Errors: FIRN_INVALID, a level that is empty or has a
/// dot in it.
firn_status sqlite_client_join(namespace_path space, arena *memory, text *out, firn_error *err);
/// FIRN_NOT_FOUND if the namespace, also given as it is stored, does not exist.
firn_status sqlite_client_must_exist(sqlite_client *self, namespace_path space, text joined,
                                     const cancel_flag *cancel, firn_error *err);

/// Makes the tables of an empty catalog file, in schema V1.
firn_status sqlite_client_make_tables(sqlite_client *self, firn_error *err);

#endif
