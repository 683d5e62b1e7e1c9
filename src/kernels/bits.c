#include "kernels/bits.h"

#include "base/isa.h"
#include "kernels/bits_v4.h"

bool bits_any(const uint64_t *bits, uint32_t rows) {
    uint64_t any = 0;
    for (size_t word = 0; word < BITMAP_WORDS(rows); word++) {
        any |= bits[word];
    }
    return any != 0;
}

bool bits_all(const uint64_t *bits, uint32_t rows) {
    uint64_t all = UINT64_MAX;
    for (size_t word = 0; word < rows / 64; word++) {
        all &= bits[word];
    }
    if (rows % 64 != 0) {
        all &= bits[rows / 64] | ~((UINT64_C(1) << (rows % 64)) - 1);
    }
    return all == UINT64_MAX;
}

uint32_t bits_to_rows(const uint64_t *bits, uint32_t rows, uint16_t *out) {
#if defined(__x86_64__)
    if (isa_best() == ISA_V4) {
        return bits_to_rows_v4(bits, rows, out);
    }
#endif
    uint32_t count = 0;
    for (uint32_t first = 0; first < rows; first += 64) {
        uint64_t word = bits[first / 64];
        if (word == UINT64_MAX) {
            for (uint32_t i = 0; i < 64; i++) {
                out[count + i] = (uint16_t)(first + i);
            }
            count += 64;
            continue;
        }
        while (word != 0) {
            out[count++] = (uint16_t)(first + (uint32_t)__builtin_ctzll(word));
            word &= word - 1;
        }
    }
    return count;
}

void bits_of_rows(const uint16_t *list, uint32_t count, uint32_t rows, uint64_t *out) {
    bits_clear(out, rows);
    for (uint32_t k = 0; k < count; k++) {
        bitmap_set(out, list[k]);
    }
}

uint32_t bits_filter_rows(const uint64_t *bits, bool is_set, const uint16_t *list, uint32_t count,
                          uint16_t *out) {
    const uint64_t flip = is_set ? 0 : 1;
    uint32_t kept = 0;
    for (uint32_t k = 0; k < count; k++) {
        const uint16_t row = list[k];
        out[kept] = row; // Without a branch: overwritten by the next if its bit says no.
        kept += (uint32_t)((bits[row / 64] >> (row % 64) & 1) ^ flip);
    }
    return kept;
}

void bits_scatter(const uint64_t *dense, const uint16_t *list, uint32_t count, uint64_t *out) {
    for (uint32_t k = 0; k < count; k++) {
        const uint64_t bit = dense[k / 64] >> (k % 64) & 1;
        out[list[k] / 64] |= bit << (list[k] % 64);
    }
}

void bits_gather(const uint64_t *bits, const uint16_t *list, uint32_t count, uint64_t *out) {
    for (uint32_t first = 0; first < count; first += 64) {
        const uint32_t end = count - first < 64 ? count - first : 64;
        uint64_t word = 0;
        for (uint32_t i = 0; i < end; i++) {
            const uint16_t row = list[first + i];
            word |= (bits[row / 64] >> (row % 64) & 1) << i;
        }
        out[first / 64] = word;
    }
}

void bits_of_codes(const uint64_t *table, uint32_t entries, const uint32_t *codes, uint32_t rows,
                   uint64_t *out) {
#if defined(__x86_64__)
    if (isa_best() == ISA_V4 && entries <= BITS_IN_REGISTER_MAX) {
        bits_of_codes_v4(table, entries, codes, rows, out);
        return;
    }
    if (isa_best() == ISA_V4 && entries <= BITS_IN_REGISTERS_MAX) {
        bits_of_many_codes_v4(table, entries, codes, rows, out);
        return;
    }
#else
    (void)entries;
#endif
    for (uint32_t first = 0; first < rows; first += 64) {
        const uint32_t end = rows - first < 64 ? rows - first : 64;
        uint64_t word = 0;
        for (uint32_t i = 0; i < end; i++) {
            const uint32_t code = codes[first + i];
            word |= (table[code / 64] >> (code % 64) & 1) << i;
        }
        out[first / 64] = word;
    }
}
