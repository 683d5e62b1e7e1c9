// The kernels of each level: made by pw_pack.isa.c, picked by pw_pack.c.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_PACK_TABLE_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_PACK_TABLE_H

#include "formats/parquet/write/pw_pack.h"

extern const pw_pack_kernels pw_pack_kernels_base;
extern const pw_pack_kernels pw_pack_kernels_v3;
extern const pw_pack_kernels pw_pack_kernels_v4;

#endif
