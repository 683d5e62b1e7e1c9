#include "kernels/widen.h"

#include "kernels/widen_table.h"

static const widen_table *const tables[ISA_COUNT] = {
    [ISA_BASE] = &widen_table_base,
#if defined(__x86_64__)
    [ISA_V3] = &widen_table_v3,
    [ISA_V4] = &widen_table_v4,
#endif
};

widen_kernel widen_kernel_at(isa_level level, physical from, physical to) {
    if (from >= PHYSICAL_COUNT) {
        return NULL;
    }
    return to == PHYSICAL_I64   ? tables[level]->to_i64[from]
           : to == PHYSICAL_F64 ? tables[level]->to_f64[from]
                                : NULL;
}

widen_kernel widen_kernel_for(physical from, physical to) {
    return widen_kernel_at(isa_best(), from, to);
}

bool widen_decimals(const int64_t *in, size_t count, double power, double *out) {
    return tables[isa_best()]->decimals(in, count, power, out);
}
