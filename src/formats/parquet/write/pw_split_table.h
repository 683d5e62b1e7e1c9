// The kernels of each level: made by pw_split.isa.c, picked by pw_split.c.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_SPLIT_TABLE_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_SPLIT_TABLE_H

#include "formats/parquet/write/pw_split.h"

void split_part_base(const uint8_t *values, size_t stride, uint32_t width, size_t count,
                     uint8_t *out);
void split_part_v3(const uint8_t *values, size_t stride, uint32_t width, size_t count,
                   uint8_t *out);
void split_part_v4(const uint8_t *values, size_t stride, uint32_t width, size_t count,
                   uint8_t *out);

#endif
