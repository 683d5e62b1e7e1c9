#include "base/checked.h"

#include "base/test.h"

TEST(checked_sums_that_do_not_fit_are_the_most_there_is) {
    CHECK(sum_capped(1, 2) == 3);
    CHECK(sum_capped(UINT64_MAX - 1, 1) == UINT64_MAX);
    CHECK(sum_capped(UINT64_MAX, 0) == UINT64_MAX);
    CHECK(sum_capped(UINT64_MAX - 1, 2) == UINT64_MAX);
    CHECK(sum_capped(UINT64_MAX, UINT64_MAX) == UINT64_MAX);
}
