// Private to kernels/number_codes*: the tables of the instruction-set levels.
#ifndef FIRN_KERNELS_NUMBER_CODES_TABLE_H
#define FIRN_KERNELS_NUMBER_CODES_TABLE_H

#include "kernels/number_codes.h"

extern const number_codes_kernels number_codes_table_base;
#if defined(__x86_64__)
extern const number_codes_kernels number_codes_table_v3;
extern const number_codes_kernels number_codes_table_v4;
#endif

#endif
