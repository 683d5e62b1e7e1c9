// EXPLAIN ANALYZE's text: the plan, and below each node what it did.
#ifndef FIRN_ENGINE_MEASURED_PLAN_H
#define FIRN_ENGINE_MEASURED_PLAN_H

#include "exec/execution.h"
#include "memory/text_builder.h"

/// Prints the plan of an execution that came to its end, in lines of at most MEASURED_PLAN_WIDTH
/// columns:
///
///     Scan demo.nyc.flights columns=[origin] filter=[month = 7]
///         rows=6760 (≈6463)  time=0.55ms  manifests=2  files=1  files pruned by partition=12
void measured_plan_print(const plan *of, execution *done, arena *scratch, text_builder *out);

/// The next of "rows=3 files pruned by bounds=1", which ends at the first blank behind its value.
/// Empty at the end.
text measured_plan_next_fact(text facts, size_t *at);

#define MEASURED_PLAN_WIDTH 110

#endif
