// The least and the greatest value of a column, by looking at all of them: some nanoseconds each.
#include "tables/memory/memory_private.h"

// A value, and where it stands.
typedef struct bound {
    int64_t number;
    const column *of; // NULL: there is none yet.
    uint32_t row;
} bound;

// Rows that a selection leaves out count too: bounds are bounds.
static void look_at(const column *of, uint32_t count, bound *low, bound *high) {
    for (uint32_t row = 0; row < count; row++) {
        if (!column_row_is_valid(of, row)) {
            continue;
        }
        const int64_t number = column_lane_integer(of, row & column_mask(of));
        if (low->of == NULL || number < low->number) {
            *low = (bound){.number = number, .of = of, .row = row};
        }
        if (high->of == NULL || number > high->number) {
            *high = (bound){.number = number, .of = of, .row = row};
        }
    }
}

static const column *value_of(const bound *self, arena *memory) {
    firn_error ignored = ERR_INIT;
    column *out = self->of == NULL ? NULL : ARENA_NEW(memory, column, 1);
    return out != NULL && column_slice(memory, self->of, self->row, 1, out, &ignored) == FIRN_OK
               ? out
               : NULL;
}

void memory_table_bounds(const table_snapshot *base, uint32_t column, const cancel_flag *cancel,
                         arena *memory, column_facts *out) {
    const memory_snapshot *self = (const memory_snapshot *)(const void *)base; // Its first member.
    const physical kind = type_physical(base->columns.fields[column].type);
    const uint64_t count = self->chunk_count + (self->tail == NULL ? 0 : self->tail->count);
    bound low = {.of = NULL};
    bound high = {.of = NULL};
    *out = (column_facts){.may_have_null = true};
    if (!physical_is_integer(kind) || kind == PHYSICAL_U64) {
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (cancel_is_raised(cancel)) {
            return;
        }
        const batch *rows = memory_snapshot_rows(self, i);
        look_at(&rows->columns[column], rows->row_count, &low, &high);
    }
    out->minimum = value_of(&low, memory);
    out->maximum = value_of(&high, memory);
}
