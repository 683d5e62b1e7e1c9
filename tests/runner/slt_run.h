// Running a test file: its records one after another on a fresh engine.
#ifndef FIRN_TESTS_SLT_RUN_H
#define FIRN_TESTS_SLT_RUN_H

#include <regex.h>

#include "slt_engine.h"
#include "slt_file.h"

/// Called before each record that is run, with its SQL; false, with what is wrong in `why`, fails
/// it.
typedef bool slt_before_fn(slt_engine *engine, const char *connection, const slt_record *record,
                           slt_text sql, cli_sink *why);

typedef struct slt_options {
    const firn_option *settings;
    size_t setting_count;
    const char *const *labels; // What skipif and onlyif know, besides "firn".
    size_t label_count;
    const regex_t *leave_out; // Records whose SQL matches are neither run nor counted; may be NULL.
    slt_before_fn *before;    // May be NULL.
    bool is_verbose;
    bool completes; // Answers are filled in.
} slt_options;

typedef struct slt_counts {
    size_t passed;
    size_t failed;
} slt_counts;

/// Runs one file; failures go to standard output as lines `FAIL path:line: …`.
slt_counts slt_run_file(const char *path, const slt_options *options);

#endif
