// Digests of bytes: MD5 (RFC 1321) and SHA-256 (FIPS 180-4). MD5 is no protection against anybody;
// it is here because data carries it.
#ifndef FIRN_FUNCTIONS_SCALAR_DIGEST_H
#define FIRN_FUNCTIONS_SCALAR_DIGEST_H

#include "base/bytes.h"

#define DIGEST_MD5_SIZE 16
#define DIGEST_SHA256_SIZE 32
#define DIGEST_BLOCK_SIZE 64

typedef enum digest_kind { DIGEST_MD5, DIGEST_SHA256 } digest_kind;

/// Bytes that are digested piece by piece.
typedef struct digest {
    digest_kind kind;
    uint32_t state[8];
    uint64_t size; ///< So far.
} digest;

digest digest_begin(digest_kind kind);
/// Adds whole blocks: a multiple of DIGEST_BLOCK_SIZE bytes.
void digest_add(digest *self, bytes blocks);
/// Adds what is left and writes the digest; its size.
size_t digest_end(digest *self, bytes rest, uint8_t out[DIGEST_SHA256_SIZE]);

#endif
