#include "tables/row_check.h"

// Of many rows at once, where they lie one behind the other.
static bool has_no_null(const column *values, const batch *rows) {
    const bool is_by_row = values->form == FORM_FLAT || values->form == FORM_DICTIONARY;
    return values->type->id != TYPE_NULL && is_by_row &&
           bitmap_count(values->validity, rows->row_count) == rows->row_count;
}

firn_status row_check_nulls(const schema *columns, const uint32_t *positions, const batch *rows,
                            firn_error *err) {
    for (uint32_t i = 0; i < columns->count; i++) {
        const column *values = &rows->columns[i];
        if (columns->fields[i].is_nullable ||
            (values->validity == NULL && values->type->id != TYPE_NULL) ||
            has_no_null(values, rows)) {
            continue;
        }
        const uint32_t position = positions == NULL ? UINT32_MAX : positions[i];
        for (uint32_t k = 0; k < rows->selected_count; k++) {
            if (!column_is_valid(values, batch_row(rows, k))) {
                return FAIL_SQL(err, FIRN_INVALID, "23502",
                                position == UINT32_MAX ? NO_POSITION : position,
                                "NULL in column \"%.*s\", which is NOT NULL",
                                TEXT_ARGS(columns->fields[i].name));
            }
        }
    }
    return FIRN_OK;
}
