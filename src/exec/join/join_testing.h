// For tests of joins: random inputs, plans made by hand and run by the driver, and the answer that
// the plainest code there is gives: every left row beside every right row.
#ifndef FIRN_EXEC_JOIN_TESTING_H
#define FIRN_EXEC_JOIN_TESTING_H

#include <stdlib.h>

#include "base/test.h"
#include "exec/execution.h"
#include "exec/result.h"
#include "exec/test_modes.h"
#include "functions/overload.h"
#include "memory/spill.h"
#include "threads/scheduler.h"

typedef enum join_test_keys {
    TEST_KEYS_NONE,
    TEST_KEYS_DENSE,  ///< Small integers.
    TEST_KEYS_WIDE,   ///< Integers far apart.
    TEST_KEYS_TEXT,   ///< Strings, some of them long.
    TEST_KEYS_DOUBLE, ///< Floats with NaN and both zeros.
    TEST_KEYS_TWO,    ///< An integer and a string.
    TEST_KEYS_COUNT,
} join_test_keys;

typedef enum join_test_residual {
    TEST_RESIDUAL_NONE,
    TEST_RESIDUAL_LESS,    ///< left.id < right.id
    TEST_RESIDUAL_NULL,    ///< left.other < right.other, NULL for some.
    TEST_RESIDUAL_BAND,    ///< Two bounds of right.other, likewise.
    TEST_RESIDUAL_OVERLAP, ///< A bound of right.other + 4 and one of right.other - 3.
    TEST_RESIDUAL_SIDES,   ///< left.other < 50 AND right.other > 20: of one side each.
    TEST_RESIDUAL_COUNT,
} join_test_residual;

/// One join to be tried.
typedef struct join_test {
    join_kind kind;
    join_test_keys keys;
    join_test_residual residual;
    bool null_equal[2];
    bool null_aware;
    uint32_t left_count;
    uint32_t right_count;
    uint32_t domain;    ///< Different keys, about.
    uint32_t null_each; ///< One of so many values is NULL; 0: none.
    uint32_t parts;     ///< Inputs of the UNION on either side; 0: one VALUES.
    uint32_t threads;
    uint32_t batch_rows;
    uint32_t modes;
    uint64_t memory_limit;
    bool is_pruned;   ///< Hands out the ids only.
    bool has_slots;   ///< With dynamic filters; the left side is filtered by them.
    uint32_t padding; ///< Bytes of the string beside each row.
} join_test;

#define TEST_CELLS_MAX 9
#define TEST_CELL_NULL (INT64_MIN + 7)

typedef struct join_test_row {
    int64_t cells[TEST_CELLS_MAX];
} join_test_row;

/// One side's rows as numbers.
typedef struct join_test_side {
    uint32_t count;
    int64_t *ids;
    int64_t *keys[2]; ///< TEST_CELL_NULL: NULL.
    int64_t *others;
    uint32_t padding;
} join_test_side;

typedef struct join_test_rows {
    join_test_row *rows;
    size_t count;
    size_t capacity;
} join_test_rows;

/// What the join gives; `*fails`: SINGLE's error.
join_test_rows join_test_expect(const join_test *test, const join_test_side *left,
                                const join_test_side *right, bool *fails);
/// Runs it and compares; false, and a failed check, if they differ. `report` may be NULL.
bool join_test_run(const join_test *self, uint64_t seed, text_builder *report);
/// What it is, for messages.
void join_test_print(const join_test *test);

#endif
