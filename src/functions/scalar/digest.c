#include "functions/scalar/digest.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

WRAPS static uint32_t rotate_left(uint32_t value, uint32_t by) {
    return value << by | value >> (32 - by);
}

WRAPS static uint32_t rotate_right(uint32_t value, uint32_t by) {
    return value >> by | value << (32 - by);
}

// ---- MD5 ---------------------------------------------------------------------------------------

// floor(2^32 * |sin(i + 1)|), as the RFC defines them.
static const uint32_t md5_constants[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static const uint8_t md5_shifts[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static uint32_t load_little(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

WRAPS static void md5_block(uint32_t *state, const uint8_t *block) {
    uint32_t a = state[0];
    uint32_t b = state[1];
    uint32_t c = state[2];
    uint32_t d = state[3];
    for (uint32_t i = 0; i < 64; i++) {
        const uint32_t round = i / 16;
        uint32_t mixed;
        uint32_t word;
        switch (round) {
        case 0:
            mixed = (b & c) | (~b & d);
            word = i;
            break;
        case 1:
            mixed = (d & b) | (~d & c);
            word = (5 * i + 1) % 16;
            break;
        case 2:
            mixed = b ^ c ^ d;
            word = (3 * i + 5) % 16;
            break;
        default:
            mixed = c ^ (b | ~d);
            word = (7 * i) % 16;
            break;
        }
        const uint32_t sum = a + mixed + md5_constants[i] + load_little(block + (size_t)word * 4);
        a = d;
        d = c;
        c = b;
        b += rotate_left(sum, md5_shifts[round][i % 4]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

// ---- SHA-256 -----------------------------------------------------------------------------------

// The first 32 bits of the fractions of the cube roots of the first 64 primes.
static const uint32_t sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t load_big(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

WRAPS static void sha256_block(uint32_t *state, const uint8_t *block) {
    uint32_t words[64];
    uint32_t s[8];
    memcpy(s, state, sizeof s);
    for (size_t i = 0; i < 16; i++) {
        words[i] = load_big(block + i * 4);
    }
    for (size_t i = 16; i < 64; i++) {
        const uint32_t early = words[i - 15];
        const uint32_t late = words[i - 2];
        words[i] = words[i - 16] + (rotate_right(early, 7) ^ rotate_right(early, 18) ^ early >> 3) +
                   words[i - 7] + (rotate_right(late, 17) ^ rotate_right(late, 19) ^ late >> 10);
    }
    for (size_t i = 0; i < 64; i++) {
        const uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
        const uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        const uint32_t first =
            s[7] + (rotate_right(s[4], 6) ^ rotate_right(s[4], 11) ^ rotate_right(s[4], 25)) +
            choice + sha256_constants[i] + words[i];
        const uint32_t second =
            (rotate_right(s[0], 2) ^ rotate_right(s[0], 13) ^ rotate_right(s[0], 22)) + majority;
        memmove(s + 1, s, 7 * sizeof s[0]);
        s[4] += first;
        s[0] = first + second;
    }
    for (size_t i = 0; i < 8; i++) {
        state[i] += s[i];
    }
}

// ---- Pieces ------------------------------------------------------------------------------------

digest digest_begin(digest_kind kind) {
    static const uint32_t begins[][8] = {
        [DIGEST_MD5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476},
        [DIGEST_SHA256] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
                           0x1f83d9ab, 0x5be0cd19},
    };
    digest self = {.kind = kind};
    memcpy(self.state, begins[kind], sizeof self.state);
    return self;
}

static void add_blocks(digest *self, bytes blocks) {
    assert(blocks.size % DIGEST_BLOCK_SIZE == 0);
    void (*const step)(uint32_t *state, const uint8_t *block) =
        self->kind == DIGEST_MD5 ? md5_block : sha256_block;
    for (size_t at = 0; at < blocks.size; at += DIGEST_BLOCK_SIZE) {
        step(self->state, blocks.data + at);
    }
}

void digest_add(digest *self, bytes blocks) {
    self->size += blocks.size;
    add_blocks(self, blocks);
}

// Behind the last byte come 0x80, zeros and the count of bits in the last eight bytes of a block.
size_t digest_end(digest *self, bytes rest, uint8_t out[DIGEST_SHA256_SIZE]) {
    const bool is_big_endian = self->kind == DIGEST_SHA256;
    const size_t whole = rest.size - rest.size % DIGEST_BLOCK_SIZE;
    const size_t left = rest.size - whole;
    if (whole > 0) {
        digest_add(self, (bytes){.data = rest.data, .size = whole});
    }
    uint8_t last[2 * DIGEST_BLOCK_SIZE] = {0};
    if (left > 0) {
        memcpy(last, rest.data + whole, left);
    }
    last[left] = 0x80;
    const size_t size = left + 9 > DIGEST_BLOCK_SIZE ? 2 * DIGEST_BLOCK_SIZE : DIGEST_BLOCK_SIZE;
    const uint64_t bits = (self->size + left) * 8;
    for (size_t i = 0; i < 8; i++) {
        last[is_big_endian ? size - 1 - i : size - 8 + i] = (uint8_t)(bits >> (8 * i) & 0xff);
    }
    add_blocks(self, (bytes){.data = last, .size = size});
    if (!is_big_endian) {
        memcpy(out, self->state, DIGEST_MD5_SIZE);
        return DIGEST_MD5_SIZE;
    }
    for (size_t i = 0; i < DIGEST_SHA256_SIZE; i++) {
        out[i] = (uint8_t)(self->state[i / 4] >> (24 - 8 * (i % 4)) & 0xff);
    }
    return DIGEST_SHA256_SIZE;
}
