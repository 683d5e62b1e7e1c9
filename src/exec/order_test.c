#include "exec/order.h"

#include "base/test.h"

static arena memory;

static order_gate *gate_open(uint32_t chain_count, uint32_t worker_count) {
    firn_error err = ERR_INIT;
    order_gate *self = NULL;
    memory = arena_open(SIZE_MAX);
    CHECK(order_gate_open(&memory, chain_count, worker_count, &self, &err) == FIRN_OK);
    return self;
}

static void gate_close(order_gate *self) {
    order_gate_close(self);
    arena_close(&memory);
}

TEST(order_tasks_that_begin_early_do_not_pass_those_before_them) {
    order_gate *self = gate_open(1, 3);
    CHECK(order_gate_begin(self, 2, NULL));
    CHECK(order_gate_begin(self, 1, NULL));
    CHECK(order_gate_watermark(self) == 0); // 0 was taken by a worker that is slow to begin it.
    order_gate_end(self, 2);
    order_gate_end(self, 1);
    CHECK(order_gate_watermark(self) == 0);
    CHECK(order_gate_begin(self, 0, NULL));
    CHECK(order_gate_watermark(self) == 0);
    order_gate_end(self, 0);
    CHECK(order_gate_watermark(self) == 3);
    gate_close(self);
}

// A late begin once put the mark back, and both workers waited for each other.
TEST(order_a_late_begin_leaves_no_worker_waiting) {
    order_gate *self = gate_open(1, 2);
    for (uint64_t task = 0; task < 200; task += 2) {
        CHECK(order_gate_begin(self, task + 1, NULL));
        order_gate_end(self, task + 1);
        CHECK(order_gate_begin(self, task, NULL));
        order_gate_end(self, task);
        CHECK(order_gate_watermark(self) == task + 2);
    }
    gate_close(self);
}

TEST(order_tasks_far_ahead_wait_and_chains_follow_each_other) {
    order_gate *self = gate_open(2, 2);
    const uint64_t second = (uint64_t)1 << ORDER_CHAIN_SHIFT;
    CHECK(order_gate_begin(self, 0, NULL));
    CHECK(!order_gate_begin(self, 100, NULL));
    CHECK(!order_gate_begin(self, second, NULL));
    order_gate_end(self, 0);
    CHECK(order_gate_watermark(self) == 1);
    order_gate_end_chain(self, 0, 1);
    CHECK(order_gate_watermark(self) == second);
    CHECK(order_gate_begin(self, second, NULL));
    order_gate_end(self, second);
    order_gate_end_chain(self, 1, 1);
    CHECK(order_gate_watermark(self) == UINT64_MAX);
    gate_close(self);
}

// A worker that found no task left once closed the chain while another was about to begin one.
TEST(order_a_chain_is_done_when_all_workers_are_through_with_it) {
    order_gate *self = gate_open(2, 3);
    const uint64_t second = (uint64_t)1 << ORDER_CHAIN_SHIFT;
    order_gate_end_chain(self, 0, 2); // Its task 0 is taken by the other worker.
    CHECK(order_gate_watermark(self) == 0);
    CHECK(!order_gate_begin(self, second, NULL)); // Too far ahead of it.
    CHECK(order_gate_begin(self, 0, NULL));
    order_gate_end(self, 0);
    order_gate_end_chain(self, 0, 3); // Somebody has joined meanwhile,
    CHECK(order_gate_watermark(self) == 1);
    order_gate_end_chain(self, 0, 3); // and is through as well.
    CHECK(order_gate_watermark(self) == second);
    gate_close(self);
}
