// The kernels of each level: made by pq_level_kernels.isa.c, picked by pq_level_kernels.c.
#ifndef FIRN_FORMATS_PARQUET_PQ_LEVEL_KERNELS_TABLE_H
#define FIRN_FORMATS_PARQUET_PQ_LEVEL_KERNELS_TABLE_H

#include "formats/parquet/pq_level_kernels.h"

extern const pq_level_kernels pq_level_kernels_base;
extern const pq_level_kernels pq_level_kernels_v3;
extern const pq_level_kernels pq_level_kernels_v4;

#endif
