// What statements answer, as one number: two answers are the same if it is.
#ifndef FIRN_TESTS_FAULTS_FAULT_ANSWER_H
#define FIRN_TESTS_FAULTS_FAULT_ANSWER_H

#include "firn.h"

void fault_mix(uint64_t *answer, uint64_t value);

/// Adds the rows of a query, all BIGINT or VARCHAR, to the answer; of 0 batches all.
firn_status fault_read_answer(firn_session *session, const char *sql, uint32_t batches_wanted,
                              uint64_t *answer, firn_error *err);

#endif
