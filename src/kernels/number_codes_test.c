#include "kernels/number_codes.h"

#include "base/test.h"

#define ROWS 77

TEST(number_codes_gives_each_combination_its_place_at_every_level) {
    uint32_t codes[2][ROWS];
    uint64_t seed = 1;
    for (uint32_t row = 0; row < ROWS; row++) {
        codes[0][row] = (uint32_t)(test_random(&seed) % 11);
        codes[1][row] = (uint32_t)(test_random(&seed) & UINT32_MAX); // As where nobody looks.
    }
    for (int level = 0; level <= (int)isa_best(); level++) {
        const number_codes_kernels *kernels = number_codes_kernels_at((isa_level)level);
        for (uint32_t count = 0; count <= ROWS; count++) {
            uint32_t numbers[ROWS + 1];
            numbers[count] = 4711;
            kernels->copies(4, 1000, count, numbers);
            kernels->codes(codes[0], 90, count, numbers);
            kernels->codes(codes[1], 10, count, numbers);
            CHECK(numbers[count] == 4711);
            for (uint32_t row = 0; row < count; row++) {
                const uint64_t number =
                    row % 4 * 1000 + UINT64_C(90) * codes[0][row] + UINT64_C(10) * codes[1][row];
                CHECK(numbers[row] == (number & UINT32_MAX));
            }
        }
    }
    uint32_t number = 5;
    number_copies(1, 7, 1, &number);
    number_codes(codes[0], 3, 1, &number);
    CHECK(number == codes[0][0] * 3);
}
