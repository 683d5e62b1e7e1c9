// The kernels of each level: made by pq_unpack.isa.c, picked by pq_unpack.c.
#ifndef FIRN_FORMATS_PARQUET_PQ_UNPACK_TABLE_H
#define FIRN_FORMATS_PARQUET_PQ_UNPACK_TABLE_H

#include "formats/parquet/pq_unpack.h"

extern const pq_unpack_kernels pq_unpack_kernels_base;
extern const pq_unpack_kernels pq_unpack_kernels_v3;
extern const pq_unpack_kernels pq_unpack_kernels_v4;

#endif
