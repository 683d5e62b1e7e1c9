// What a process holds and what lies in folders: the same before and after whatever failed.
#ifndef FIRN_TESTS_FAULTS_FAULT_HELD_H
#define FIRN_TESTS_FAULTS_FAULT_HELD_H

#include <stdbool.h>
#include <stdint.h>

typedef struct fault_held {
    uint32_t files;
    uint32_t threads;
    uint32_t names; ///< In the folder of temporary files.
    uint64_t mapped_bytes;
    uint64_t heap_bytes; ///< 0 without AddressSanitizer.
} fault_held;

fault_held fault_held_count(const char *temporary_folder);
/// Whether no more is held now than `before`; prints what is.
bool fault_held_as(const fault_held *before, const char *temporary_folder);
/// The C library keeps the stacks of threads that ended, with some heap each. Afterwards it has as
/// many as a scenario ever needs.
void fault_held_fill_stack_cache(void);

/// Files in a folder and those below it.
uint32_t fault_file_count(const char *folder);

#endif
