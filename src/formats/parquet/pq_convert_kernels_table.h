// The kernels of each level: made by pq_convert_kernels.isa.c, picked by pq_convert_kernels.c.
#ifndef FIRN_FORMATS_PARQUET_PQ_CONVERT_KERNELS_TABLE_H
#define FIRN_FORMATS_PARQUET_PQ_CONVERT_KERNELS_TABLE_H

#include "formats/parquet/pq_convert_kernels.h"

extern const pq_convert_kernels pq_convert_kernels_base;
extern const pq_convert_kernels pq_convert_kernels_v3;
extern const pq_convert_kernels pq_convert_kernels_v4;

#endif
