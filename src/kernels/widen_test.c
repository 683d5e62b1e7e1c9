#include "kernels/widen.h"

#include "base/test.h"

#define ROWS 41

TEST(widen_kernels_keep_values_at_every_level) {
    int8_t i8[ROWS];
    uint16_t u16[ROWS];
    int32_t i32[ROWS];
    uint32_t u32[ROWS];
    int64_t i64[ROWS];
    float f32[ROWS];
    uint64_t seed = 1;
    for (int row = 0; row < ROWS; row++) {
        const uint64_t bits = test_random(&seed);
        i8[row] = (int8_t)(bits & 0xff);
        u16[row] = (uint16_t)(bits & 0xffff);
        i32[row] = (int32_t)(bits & 0xffffffff);
        u32[row] = (uint32_t)(bits & 0xffffffff);
        i64[row] = (int64_t)bits;
        f32[row] = (float)i32[row] / 7;
    }
    for (int level = 0; level <= (int)isa_best(); level++) {
        const isa_level at = (isa_level)level;
        int64_t wide[ROWS];
        double real[ROWS];
        for (int row = 0; row < ROWS; row++) {
            widen_kernel_at(at, PHYSICAL_I8, PHYSICAL_I64)(i8, ROWS, wide);
            CHECK(wide[row] == i8[row]);
            widen_kernel_at(at, PHYSICAL_U16, PHYSICAL_I64)(u16, ROWS, wide);
            CHECK(wide[row] == u16[row]);
            widen_kernel_at(at, PHYSICAL_I32, PHYSICAL_I64)(i32, ROWS, wide);
            CHECK(wide[row] == i32[row]);
            widen_kernel_at(at, PHYSICAL_U32, PHYSICAL_F64)(u32, ROWS, real);
            CHECK(real[row] == (double)u32[row]);
            widen_kernel_at(at, PHYSICAL_I64, PHYSICAL_F64)(i64, ROWS, real);
            CHECK(real[row] == (double)i64[row]);
            widen_kernel_at(at, PHYSICAL_F32, PHYSICAL_F64)(f32, ROWS, real);
            CHECK(real[row] == (double)f32[row]);
        }
    }
    CHECK(widen_kernel_for(PHYSICAL_U64, PHYSICAL_I64) == NULL);
    CHECK(widen_kernel_for(PHYSICAL_I64, PHYSICAL_I32) == NULL);
}

TEST(widen_decimals_divides_once_or_not_at_all) {
    int64_t in[3] = {12345, -7, (INT64_C(1) << 53) - 1};
    double out[3];
    CHECK(widen_decimals(in, 3, 100.0, out));
    CHECK(out[0] == 123.45 && out[1] == -0.07);
    in[1] = INT64_C(1) << 53;
    CHECK(!widen_decimals(in, 3, 100.0, out));
}
