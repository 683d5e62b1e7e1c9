// A REST catalog and a web server for fault tests, in a process of its own, so that nothing it does
// is counted or fails.
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
void fault_server_close(fault_server *self);

#endif
