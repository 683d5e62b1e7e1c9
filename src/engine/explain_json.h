// EXPLAIN (FORMAT JSON): the plan as one JSON object, with what was measured where it ran.
//
//     {"plan": {"operator": "Scan", "detail": "t columns=[a]", "row_estimate": 3,
//               "rows": 3, "time_ms": 0.1, "facts": {"files": 1}, "inputs": []},
//      "planning_ms": 0.2, "planning_cpu_ms": 0.1, "running_ms": 0.4, "memory_peak_bytes": 1048576}
#ifndef FIRN_ENGINE_EXPLAIN_JSON_H
#define FIRN_ENGINE_EXPLAIN_JSON_H

#include "exec/execution.h"
#include "memory/text_builder.h"

/// What was measured of a whole run.
typedef struct explain_measures {
    execution *done; ///< That came to its end; NULL: it was not run.
    double planning_ms, planning_cpu_ms, running_ms;
    uint64_t memory_peak_bytes;
} explain_measures;

void explain_json_print(const plan *of, const explain_measures *measures, arena *scratch,
                        text_builder *out);

#endif
