// Makes SQLite, which asks the system by itself, count its allocations, opened files and reads like
// ours, so that they fail in their turn.
#ifndef FIRN_TESTS_FAULTS_FAULT_SQLITE_H
#define FIRN_TESTS_FAULTS_FAULT_SQLITE_H

#include <stdbool.h>

/// Before anything uses SQLite; later calls do nothing. Whether it worked.
bool fault_sqlite_begin(void);

#endif
