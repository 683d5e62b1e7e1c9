// The kernels of each level: made by pq_delta_kernels.isa.c, picked by pq_delta_kernels.c.
#ifndef FIRN_FORMATS_PARQUET_PQ_DELTA_KERNELS_TABLE_H
#define FIRN_FORMATS_PARQUET_PQ_DELTA_KERNELS_TABLE_H

#include "formats/parquet/pq_delta_kernels.h"

extern const pq_delta_kernels pq_delta_kernels_base;
extern const pq_delta_kernels pq_delta_kernels_v3;
extern const pq_delta_kernels pq_delta_kernels_v4;

#endif
