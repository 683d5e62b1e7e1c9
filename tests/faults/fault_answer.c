#include "fault_answer.h"

#include <string.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/test.h"
#include "column/arrow.h"

WRAPS void fault_mix(uint64_t *answer, uint64_t value) {
    *answer = (*answer ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    *answer ^= *answer >> 29;
}

static bool is_valid(const struct ArrowArray *values, int64_t row) {
    const uint8_t *bits = values->buffers[0];
    const int64_t at = values->offset + row;
    return bits == NULL || (bits[at / 8] >> (at % 8) & 1) != 0;
}

static void mix_value(uint64_t *answer, const char *format, const struct ArrowArray *values,
                      int64_t row) {
    const int64_t at = values->offset + row;
    if (!is_valid(values, row)) {
        fault_mix(answer, UINT64_C(0x6e756c6c));
    } else if (strcmp(format, "l") == 0) {
        fault_mix(answer, (uint64_t)((const int64_t *)values->buffers[1])[at]);
    } else if (strcmp(format, "u") != 0) {
        CHECK(false); // No type that a scenario may have.
    } else {
        const int32_t *offsets = values->buffers[1];
        const char *data = values->buffers[2];
        fault_mix(answer, (uint64_t)(offsets[at + 1] - offsets[at]));
        for (int32_t i = offsets[at]; i < offsets[at + 1]; i++) {
            fault_mix(answer, (unsigned char)data[i]);
        }
    }
}

static firn_status read_rows(struct ArrowArrayStream *rows, uint32_t batches_wanted,
                             uint64_t *answer, firn_error *err) {
    struct ArrowSchema columns = {0};
    if (rows->get_schema(rows, &columns) != 0) {
        return FAIL(err, FIRN_NO_MEMORY, "the schema: %s", rows->get_last_error(rows));
    }
    firn_status status = FIRN_OK;
    for (uint32_t i = 0; batches_wanted == 0 || i < batches_wanted; i++) {
        struct ArrowArray batch = {0};
        if (rows->get_next(rows, &batch) != 0) {
            CHECK(firn_stream_error(rows, err) == FIRN_OK);
            status = err->status;
            CHECK(status != FIRN_OK && batch.release == NULL);
            break;
        }
        if (batch.release == NULL) {
            break;
        }
        for (int64_t row = 0; row < batch.length; row++) {
            for (int64_t column = 0; column < batch.n_children; column++) {
                mix_value(answer, columns.children[column]->format, batch.children[column], row);
            }
        }
        batch.release(&batch);
    }
    columns.release(&columns);
    return status;
}

firn_status fault_read_answer(firn_session *session, const char *sql, uint32_t batches_wanted,
                              uint64_t *answer, firn_error *err) {
    struct ArrowArrayStream rows = {0};
    TRY(firn_query(session, sql, FIRN_NUL_TERMINATED, &rows, err));
    const firn_status status = read_rows(&rows, batches_wanted, answer, err);
    rows.release(&rows);
    return status;
}
