// REST catalogs and a web server for fault tests, in processes of their own, so that nothing they
// do is counted or fails.
#ifndef FIRN_TESTS_FAULTS_FAULT_SERVER_H
#define FIRN_TESTS_FAULTS_FAULT_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct fault_server {
    pid_t process;
    char base[32]; ///< "http://127.0.0.1:4711"
} fault_server;

/// Starts it; call while there is one thread. Below base: the catalog with the table db.sales
/// (tests/data/iceberg/sales), and the files of tests/data under their paths.
bool fault_server_open(fault_server *self);
/// The small REST catalog of tests/tools/rest_catalog.py, which takes commits, over a SQLite
/// catalog and a folder for new tables.
bool fault_server_open_catalog(fault_server *self, const char *database, const char *warehouse);
void fault_server_close(fault_server *self);

#endif
