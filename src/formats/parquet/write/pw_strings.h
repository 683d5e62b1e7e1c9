// Encodes values of any length: PLAIN, DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY; and PLAIN of all
// other types.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_STRINGS_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_STRINGS_H

#include "formats/parquet/write/pw_stored.h"
#include "memory/byte_output.h"

/// Appends values as PLAIN stores them: any type.
/// Errors: FIRN_INVALID for a byte array of 2 GiB or more, whose size Parquet has no form for;
///         FIRN_NO_MEMORY; FIRN_CANCELLED.
firn_status pw_put_plain(byte_output *out, const pw_values *values, firn_error *err);
/// Lengths, then bytes. PQ_BYTE_ARRAY. Takes 4 bytes a value of `scratch`.
/// Errors: as pw_put_plain.
firn_status pw_put_delta_lengths(byte_output *out, const pw_values *values, arena *scratch,
                                 firn_error *err);
/// What a value has in common with the one before it is left out. PQ_BYTE_ARRAY, PQ_FIXED. Takes 8
/// bytes a value of `scratch`.
/// Errors: as pw_put_plain.
firn_status pw_put_delta_bytes(byte_output *out, const pw_values *values, arena *scratch,
                               firn_error *err);
/// Bytes that PLAIN takes.
uint64_t pw_plain_size(const pw_values *values);

#endif
