// The page of a chunk that is being filled: levels, and values or codes of its dictionary.
#ifndef FIRN_FORMATS_PARQUET_WRITE_PW_PAGE_H
#define FIRN_FORMATS_PARQUET_WRITE_PW_PAGE_H

#include "formats/parquet/write/pw_shred.h"
#include "formats/parquet/write/pw_stored.h"
#include "memory/byte_output.h"

/// Owned by a chunk.
typedef struct pw_page {
    arena memory; ///< Of all that is here but the array of values; emptied with it.
    arena array;  ///< Of that one alone, which moves as it grows: what it was before is not kept.
    uint32_t row_count;
    uint32_t entry_count;
    uint32_t value_count;
    uint64_t plain_bytes;                 ///< That its values take as PLAIN.
    bool is_coded;                        ///< Its values are codes.
    bool has_definitions;                 ///< Else all entries are values.
    byte_output definitions, repetitions; ///< A byte an entry.
    byte_output values; ///< As pw_values has them, or uint32_t codes. Bytes of strings in `memory`.
} pw_page;

pw_page pw_page_open(pool *owner);
void pw_page_close(pw_page *self);
/// Forgets everything; keeps the memory.
void pw_page_reset(pw_page *self, bool is_coded);
/// Gives memory back that the last page has left, of an empty one.
void pw_page_shrink(pw_page *self);
static inline uint64_t pw_page_memory(const pw_page *self) {
    return self->memory.used + self->array.used;
}

/// Adds the levels of some entries of the leaf. Errors: FIRN_NO_MEMORY.
firn_status pw_page_add_levels(pw_page *self, const pq_leaf *leaf, const pw_entries *entries,
                               firn_error *err);
/// Adds the codes of their values.
firn_status pw_page_add_codes(pw_page *self, const uint32_t *codes, uint32_t count,
                              firn_error *err);
/// Adds their values; copies bytes of strings.
firn_status pw_page_add_values(pw_page *self, const pw_values *values, firn_error *err);

pw_values pw_page_values(const pw_page *self, const pq_leaf *leaf);
static inline const uint32_t *pw_page_codes(const pw_page *self) {
    return (const uint32_t *)(const void *)self->values.data;
}

/// Appends the levels as data pages of version 1 have them. Errors: FIRN_NO_MEMORY.
firn_status pw_page_put_levels(const pw_page *self, const pq_leaf *leaf, byte_output *out,
                               firn_error *err);

#endif
