// Compiled once per instruction-set level; see base/isa.h. Exports one symbol: the level's kernels.
#include "base/compiler.h"
#include "base/isa.h"
#include "formats/parquet/write/pw_delta_table.h"

#define WORD i32
#define C_TYPE int32_t
#define UNSIGNED uint32_t
#include "formats/parquet/write/pw_delta.template.h"
#undef WORD
#undef C_TYPE
#undef UNSIGNED

#define WORD i64
#define C_TYPE int64_t
#define UNSIGNED uint64_t
#include "formats/parquet/write/pw_delta.template.h"
#undef WORD
#undef C_TYPE
#undef UNSIGNED

const pw_delta_kernels ISA_NAME(pw_delta_kernels) = {
    .i32 = ISA_NAME(delta_block_i32),
    .i64 = ISA_NAME(delta_block_i64),
};
