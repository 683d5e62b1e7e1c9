// The kernels of each level: made by pq_nest.isa.c, picked by pq_nest.c.
#ifndef FIRN_FORMATS_PARQUET_PQ_NEST_TABLE_H
#define FIRN_FORMATS_PARQUET_PQ_NEST_TABLE_H

#include "formats/parquet/pq_nest.h"

extern const pq_nest_kernels pq_nest_kernels_base;
extern const pq_nest_kernels pq_nest_kernels_v3;
extern const pq_nest_kernels pq_nest_kernels_v4;

#endif
