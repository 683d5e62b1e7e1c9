// The kernels of each level: made by pq_spread.isa.c, picked by pq_spread.c.
#ifndef FIRN_FORMATS_PARQUET_PQ_SPREAD_TABLE_H
#define FIRN_FORMATS_PARQUET_PQ_SPREAD_TABLE_H

#include "formats/parquet/pq_spread.h"

extern const pq_spread_kernels pq_spread_kernels_base;
extern const pq_spread_kernels pq_spread_kernels_v3;
extern const pq_spread_kernels pq_spread_kernels_v4;

#endif
