// Floating point of 16 bits (IEEE 754 binary16): FLOAT16 is stored and converted, never computed
// with.
#ifndef FIRN_BASE_HALF_H
#define FIRN_BASE_HALF_H

#include <stdint.h>
#include <string.h>

static inline float half_to_float(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    const uint32_t exponent = half >> 10 & 0x1f;
    const uint32_t fraction = half & 0x3ff;
    uint32_t bits;
    if (exponent == 0x1f) {
        bits = sign | 0x7f800000 | fraction << 13;
    } else if (exponent > 0) {
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    } else { // Zero, or a number below the normal ones: fraction * 2^-24, which float holds.
        const float small = (float)fraction * 0x1p-24F;
        memcpy(&bits, &small, sizeof bits);
        bits |= sign;
    }
    float out;
    memcpy(&out, &bits, sizeof out);
    return out;
}

/// The nearest half, a tie to the even one; too large a number is infinity. NaN stays NaN.
static inline uint16_t half_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    const uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) {
        return (uint16_t)(sign | 0x7e00);
    }
    if (magnitude >= 0x47800000) { // 65536 and above.
        return (uint16_t)(sign | 0x7c00);
    }
    if (magnitude < 0x38800000) { // Below the normal halves: count units of 2^-24.
        float scaled;
        memcpy(&scaled, &magnitude, sizeof scaled);
        const float units = scaled * 0x1p24F;
        uint32_t whole = (uint32_t)units;
        const float rest = units - (float)whole;
        whole += rest > 0.5F || (rest == 0.5F && (whole & 1) != 0) ? 1 : 0;
        return (uint16_t)(sign | whole);
    }
    const uint32_t rest = magnitude & 0x1fff;
    uint32_t half = (magnitude - 0x38000000) >> 13;
    half += rest > 0x1000 || (rest == 0x1000 && (half & 1) != 0) ? 1 : 0; // May carry to infinity.
    return (uint16_t)(sign | half);
}

#endif
