#include "formats/parquet/pq_crc.h"

#include <string.h>

#define POLYNOMIAL UINT32_C(0xedb88320) // Of CRC-32, lowest bit first.

// table(k, i): what byte i does to the checksum when k more bytes follow it in the group.
typedef struct crc_tables {
    uint32_t of[8][256];
} crc_tables;

static void make_tables(crc_tables *out) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++) {
            value = value >> 1 ^ ((value & 1) != 0 ? POLYNOMIAL : 0);
        }
        out->of[0][i] = value;
    }
    for (uint32_t k = 1; k < 8; k++) {
        for (uint32_t i = 0; i < 256; i++) {
            const uint32_t before = out->of[k - 1][i];
            out->of[k][i] = before >> 8 ^ out->of[0][before & 0xff];
        }
    }
}

// Eight bytes a step. The tables are made anew per page (8 KiB, some microseconds): checking is an
// option, and nothing global has to be kept for it.
uint32_t pq_crc32(bytes data) {
    crc_tables tables;
    make_tables(&tables);
    uint32_t crc = UINT32_MAX;
    size_t at = 0;
    for (; at + 8 <= data.size; at += 8) {
        uint64_t word;
        memcpy(&word, data.data + at, sizeof word);
        word ^= crc;
        crc = 0;
        for (uint32_t k = 0; k < 8; k++) {
            crc ^= tables.of[7 - k][word >> (8 * k) & 0xff];
        }
    }
    for (; at < data.size; at++) {
        crc = crc >> 8 ^ tables.of[0][(crc ^ data.data[at]) & 0xff];
    }
    return ~crc;
}
