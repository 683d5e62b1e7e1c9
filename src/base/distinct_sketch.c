// Ertl's estimate ("New cardinality estimation algorithms for HyperLogLog sketches", 2017), which
// needs no correction by table where there are few values.
#include "base/distinct_sketch.h"

#include <math.h>

#define ALPHA 0.721347520444481703680 // 1 / (2 ln 2)

static double sigma(double x) {
    if (x == 1.0) {
        return (double)INFINITY;
    }
    double y = 1;
    double z = x;
    for (double last = -1; z != last;) {
        x *= x;
        last = z;
        z += x * y;
        y += y;
    }
    return z;
}

static double tau(double x) {
    if (x == 0.0 || x == 1.0) {
        return 0;
    }
    double y = 1;
    double z = 1 - x;
    for (double last = -1; z != last;) {
        x = sqrt(x);
        last = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    }
    return z / 3;
}

int64_t distinct_sketch_estimate(const uint8_t *registers) {
    uint32_t counts[DISTINCT_SKETCH_RANK_MAX + 1] = {0};
    for (uint32_t i = 0; i < DISTINCT_SKETCH_SIZE; i++) { // Registers may come from elsewhere.
        counts[registers[i] < DISTINCT_SKETCH_RANK_MAX ? registers[i] : DISTINCT_SKETCH_RANK_MAX]++;
    }
    const double all = DISTINCT_SKETCH_SIZE;
    double z = all * tau(1 - counts[DISTINCT_SKETCH_RANK_MAX] / all);
    for (uint32_t rank = DISTINCT_SKETCH_RANK_MAX - 1; rank > 0; rank--) {
        z = 0.5 * (z + counts[rank]);
    }
    z += all * sigma(counts[0] / all);
    const double value = rint(ALPHA * all * all / z);
    return value < 0x1p62 ? (int64_t)value : INT64_MAX;
}
