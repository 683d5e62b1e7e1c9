// The kernels of each level: made by pq_split.isa.c, picked by pq_split.c.
#ifndef FIRN_FORMATS_PARQUET_PQ_SPLIT_TABLE_H
#define FIRN_FORMATS_PARQUET_PQ_SPLIT_TABLE_H

#include "formats/parquet/pq_split.h"

void split_join_base(const uint8_t *data, size_t stride, uint32_t width, size_t count,
                     uint8_t *out);
void split_join_v3(const uint8_t *data, size_t stride, uint32_t width, size_t count, uint8_t *out);
void split_join_v4(const uint8_t *data, size_t stride, uint32_t width, size_t count, uint8_t *out);

#endif
