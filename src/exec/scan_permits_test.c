#include "exec/scan_permits.h"

#include "base/test.h"
#include "threads/scheduler.h"

TEST(scan_permits_are_had_by_no_more_workers_than_there_are) {
    scan_permits self;
    task workers[3] = {0};
    scan_permit scans[3] = {0};
    scan_permits_begin(&self);
    scan_permits_add(&self, 2);
    CHECK(scan_permits_take(&self, &scans[0], &workers[0].wakeup));
    CHECK(scan_permits_take(&self, &scans[1], &workers[1].wakeup));
    CHECK(!scan_permits_take(&self, &scans[2], &workers[2].wakeup));
    CHECK(!scan_permits_take(&self, &scans[2], &workers[2].wakeup)); // It asks again and again.
    CHECK(scan_permits_take(&self, &scans[0], &workers[0].wakeup));  // It has one.
    scan_permits_give(&self, &scans[0]);
    scan_permits_give(&self, &scans[0]); // Nothing is left to give.
    CHECK(scan_permits_take(&self, &scans[2], &workers[2].wakeup));
    CHECK(!scan_permits_take(&self, &scans[0], &workers[0].wakeup));
    for (uint32_t i = 0; i < 3; i++) {
        scan_permits_give(&self, &scans[i]); // Also one that only waited.
    }
    scan_permits_end(&self);
}

TEST(scan_permits_go_with_a_worker_from_scan_to_scan) {
    scan_permits self;
    task workers[2] = {0};
    scan_permit first = {0};
    scan_permit second = {0};
    scan_permit other = {0};
    scan_permits_begin(&self);
    scan_permits_add(&self, 1);
    CHECK(scan_permits_take(&self, &first, &workers[0].wakeup));
    CHECK(scan_permits_take(&self, &second, &workers[0].wakeup)); // The first one was left early.
    scan_permits_give(&self, &first);
    CHECK(!scan_permits_take(&self, &other, &workers[1].wakeup));
    scan_permits_give(&self, &second);
    CHECK(scan_permits_take(&self, &other, &workers[1].wakeup));
    scan_permits_give(&self, &other);
    scan_permits_end(&self);
}
