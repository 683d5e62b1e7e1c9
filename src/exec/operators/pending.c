// Operators whose files are being written: opening one says so.
#include "exec/operator.h"

static firn_status open_pending(const plan_node *node, const input_layout *input, execution *run,
                                void **shared, firn_error *err) {
    (void)input;
    (void)run;
    (void)shared;
    return FAIL(err, FIRN_INTERNAL, "the operator for node kind %u is not there",
                (unsigned)node->kind);
}
#define PENDING(word) const operator_kind operator_##word = {.name = #word, .open = open_pending};
PENDING(aggregate_sink)
PENDING(aggregate_source)
