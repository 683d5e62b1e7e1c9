// The checksum of a page: CRC-32 as gzip has it, over the page's body as it is stored.
#ifndef FIRN_FORMATS_PARQUET_PQ_CRC_H
#define FIRN_FORMATS_PARQUET_PQ_CRC_H

#include "base/bytes.h"

/// Cost: about 0.5 ns a byte.
uint32_t pq_crc32(bytes data);

#endif
