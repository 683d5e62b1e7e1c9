#include "kernels/extremes.h"

#include "kernels/extremes_table.h"

extremes_kernel extremes_kernel_at(isa_level level, physical layout) {
    static const extremes_table *const tables[ISA_COUNT] = {
        [ISA_BASE] = &extremes_table_base,
#if defined(__x86_64__)
        [ISA_V3] = &extremes_table_v3,
        [ISA_V4] = &extremes_table_v4,
#endif
    };
    return layout < PHYSICAL_COUNT ? tables[level]->kernels[layout] : NULL;
}

extremes_kernel extremes_kernel_for(physical layout) {
    return extremes_kernel_at(isa_best(), layout);
}

// Text: the four letters in the value settle most comparisons.
static bool is_below(const column *self, uint32_t left, uint32_t right) {
    if (type_physical(self->type) == PHYSICAL_STRING && self->form == FORM_FLAT) {
        const string_value *values = self->values;
        uint32_t l;
        uint32_t r;
        memcpy(&l, values[left].prefix, sizeof l);
        memcpy(&r, values[right].prefix, sizeof r);
        l = __builtin_bswap32(l);
        r = __builtin_bswap32(r);
        return l != r ? l < r : string_compare(&values[left], &values[right]) < 0;
    }
    return column_compare_rows(self, left, self, right) < 0;
}

bool extremes_rows(const column *self, const uint16_t *rows, uint32_t count, uint32_t *smallest,
                   uint32_t *largest) {
    bool has_any = false;
    uint32_t low = 0;
    uint32_t high = 0;
    for (uint32_t k = 0; k < count; k++) {
        const uint32_t row = rows == NULL ? k : rows[k];
        if (!column_is_valid(self, row)) {
            continue;
        }
        if (!has_any) {
            low = row;
            high = row;
            has_any = true;
            continue;
        }
        low = is_below(self, row, low) ? row : low;
        high = is_below(self, high, row) ? row : high;
    }
    if (has_any) {
        *smallest = low;
        *largest = high;
    }
    return has_any;
}
