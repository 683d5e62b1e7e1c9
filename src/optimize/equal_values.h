// Values that SQL takes for equal although they are not the same: 0.0 and -0.0, '1 mon' and
// '30 days', and what holds such. Of a group only one of them is shown, so that what looks at more
// than their equality must look at that one.
#ifndef FIRN_OPTIMIZE_EQUAL_VALUES_H
#define FIRN_OPTIMIZE_EQUAL_VALUES_H

#include "expr/expr.h"
#include "expr/id_set.h"

/// Has the expression the same value for all values of these columns that are equal? Comparisons
/// do, and tests for NULL; of others only those over types of which equal values are the same.
/// `ids`: of such other types alone; NULL: all columns.
bool expr_is_of_equals(const expr *self, const id_set *ids);

#endif
