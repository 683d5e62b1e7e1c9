// An answer of a test file against the rows of the engine.
#ifndef FIRN_TESTS_SLT_ANSWER_H
#define FIRN_TESTS_SLT_ANSWER_H

#include "slt_engine.h"
#include "slt_file.h"

/// Whether the result is the answer of the record (`answer` is it with its variables filled in).
/// If not, `why` says what differs.
bool slt_answer_agrees(const slt_record *record, slt_text answer, const slt_result *result,
                       cli_sink *why);

/// Writes the result as an answer, sorted as the record says, each line with its end.
void slt_answer_write(const slt_record *record, const slt_result *result, cli_sink *out);

#endif
