// The program that runs test files, each on a fresh engine in a process of its own, so that one
// that crashes or hangs takes no other with it.
#ifndef FIRN_TESTS_SLT_PROGRAM_H
#define FIRN_TESTS_SLT_PROGRAM_H

#include "slt_run.h"

/// Reads the arguments (slt_main.c lists them), runs, prints, and returns the exit code.
int slt_program_run(int argc, char **argv, slt_before_fn *before);

#endif
