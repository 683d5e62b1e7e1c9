// The kernels of each level: made by pw_delta.isa.c, picked by pw_delta.c.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_DELTA_TABLE_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_DELTA_TABLE_H

#include "formats/parquet/write/pw_delta.h"

extern const pw_delta_kernels pw_delta_kernels_base;
extern const pw_delta_kernels pw_delta_kernels_v3;
extern const pw_delta_kernels pw_delta_kernels_v4;

#endif
