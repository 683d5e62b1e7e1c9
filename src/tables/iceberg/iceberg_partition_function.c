// partition_value: what plans sort rows by for a table whose partitions are not columns. Not told
// to users.
#include "expr/expr.h"
#include "expr/function.h"
#include "tables/iceberg/iceberg_transform_column.h"

static ice_transform bound_transform(const function_call *call) {
    ice_transform out;
    memcpy(&out, call->bound, sizeof out);
    return out;
}

static uint32_t run_partition_value(function_call *call, const column *const *args, column *out) {
    const ice_transform transform = bound_transform(call);
    const uint32_t size = physical_size(type_physical(out->type));
    firn_error ignored = ERR_INIT;
    column source = *args[1];
    column values;
    uint32_t done;
    if (call->rows != NULL && source.form == FORM_FLAT &&
        column_take_selection(call->scratch, args[1], call->rows, call->count, &source, &ignored) !=
            FIRN_OK) {
        return KERNEL_NO_MEMORY;
    }
    if (ice_transform_column_until(&transform, &source, call->scratch, &values, &done, &ignored) !=
        FIRN_OK) {
        return KERNEL_NO_MEMORY;
    }
    const bool is_constant = values.form == FORM_CONSTANT;
    if (is_constant && done < source.length) {
        return 0;
    }
    const uint32_t count = done < call->count && !is_constant ? done : call->count;
    for (uint32_t k = 0; k < count; k++) {
        const uint32_t row = call->rows == NULL ? k : call->rows[k];
        memcpy((uint8_t *)COLUMN_OUT(out, uint8_t) + (size_t)row * size,
               COLUMN_VALUES(&values, uint8_t) + (size_t)(is_constant ? 0 : k) * size, size);
    }
    return count;
}

static firn_status bind_partition_value(function_bind_call *call, firn_error *err) {
    const expr *written = call->args == NULL ? NULL : call->args[0];
    if (written == NULL || written->kind != EXPR_LITERAL || written->literal_.value.is_null) {
        return FAIL_SQL(err, FIRN_INVALID, "42883", NO_POSITION,
                        "partition_value takes a transform as constant");
    }
    const ice_scalar word = ice_scalar_of_column(written->literal_.value.value, 0);
    ice_transform *bound = ARENA_NEW(call->memory, ice_transform, 1);
    if (bound == NULL) {
        return ARENA_FULL(call->memory, err);
    }
    *bound = ice_transform_read(text_of_bytes(word.data));
    const bool is_value = bound->kind == ICE_BUCKET || bound->kind == ICE_TRUNCATE ||
                          bound->kind == ICE_YEAR || bound->kind == ICE_MONTH ||
                          bound->kind == ICE_DAY || bound->kind == ICE_HOUR;
    call->result = is_value ? ice_transform_result(bound, call->types[1]) : NULL;
    if (call->result == NULL) {
        return FAIL_SQL(err, FIRN_INVALID, "42883", NO_POSITION,
                        "type %.*s has no partition transform \"%.*s\"",
                        TEXT_ARGS(type_text(call->types[1], call->memory)),
                        TEXT_ARGS(text_of_bytes(word.data)));
    }
    call->bound = bound;
    call->bound_size = sizeof *bound;
    return FIRN_OK;
}

static void explain(const function_call *call, const column *const *args, uint32_t row,
                    firn_error *err) {
    const ice_transform transform = bound_transform(call);
    const ice_scalar name = ice_scalar_of_column(args[2], row & column_mask(args[2]));
    (void)ice_transform_beyond(&transform, args[1], row, text_of_bytes(name.data), call->scratch,
                               err);
}

const scalar_function function_partition_value = {
    .name = "partition_value",
    .category = "other",
    .summary = "the partition that a transform of Iceberg puts a value into",
    .examples =
        (const char *const[]){"partition_value('bucket[16]', 34, 'x')", "3",
                              "partition_value('truncate[10]', -1, 'x')", "-10",
                              "partition_value('truncate[3]', 'iceberg', 'x')", "ice",
                              "partition_value('month', DATE '1970-03-01', 'x')", "2",
                              "partition_value('hour', TIMESTAMP '1969-12-31 23:00:00', 'x')", "-1",
                              "partition_value('day', NULL::DATE, 'x')", "NULL",
                              "partition_value('truncate[7]', -2147483648, 'x')",
                              "error: -2147483648 in column \"x\" has no partition",
                              "partition_value('day', 1, 'x')", "error: has no partition transform",
                              NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL | FUNCTION_INTERNAL,
    .overloads = (const overload[]){{.signature = "? <- VARCHAR, ANY, VARCHAR",
                                     .kernel = run_partition_value,
                                     .bind = bind_partition_value},
                                    {0}},
    .explain_failure = explain,
};
