// Digests of bytes: MD5 (RFC 1321) and SHA-256 (FIPS 180-4). MD5 is no protection against anybody;
// it is here because data carries it.
#ifndef FIRN_FUNCTIONS_SCALAR_DIGEST_H
#define FIRN_FUNCTIONS_SCALAR_DIGEST_H

#include "base/bytes.h"

#define DIGEST_MD5_SIZE 16
#define DIGEST_SHA256_SIZE 32

void digest_md5(bytes input, uint8_t out[DIGEST_MD5_SIZE]);
void digest_sha256(bytes input, uint8_t out[DIGEST_SHA256_SIZE]);

#endif
