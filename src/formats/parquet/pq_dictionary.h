// The dictionary of a column chunk, as values of the column's type.
//
// It is decoded and converted once, when the chunk begins; what points into it lives until the next
// chunk begins.
#ifndef FIRN_FORMATS_PARQUET_PQ_DICTIONARY_H
#define FIRN_FORMATS_PARQUET_PQ_DICTIONARY_H

#include "column/column.h"
#include "formats/parquet/pq_convert.h"
#include "formats/parquet/pq_pages.h"

typedef struct pq_dictionary {
    bool is_there;
    dictionary view;  // What columns name.
    column values;    // view.values
    pq_block entries; // The values.
    pool *owner;
} pq_dictionary;

/// Sets up; must not move afterwards.
void pq_dictionary_open(pq_dictionary *self, pool *owner);
void pq_dictionary_close(pq_dictionary *self);

/// Forgets the dictionary of the chunk before; its block is kept.
static inline void pq_dictionary_clear(pq_dictionary *self) {
    self->is_there = false;
    self->view.size = 0;
}

/// True if the entries lie in the page: they were at most checked, not converted or copied.
static inline bool pq_dictionary_is_in_place(const pq_dictionary *self) {
    return self->values.values != (const void *)self->entries.data;
}

/// What values of a leaf become.
typedef struct pq_target {
    const pq_leaf *leaf;
    const type *type;
    pq_conversion conversion;
} pq_target;

/// Decodes the dictionary page `body`, which lives as long as the dictionary. `identity` is its
/// number in the process.
///
/// Errors: FIRN_CORRUPT if the page holds fewer values than its header says, a value does not fit
///         the type or text is not UTF-8; FIRN_NO_MEMORY.
firn_status pq_dictionary_load(pq_dictionary *self, const pq_page *page, bytes body,
                               const pq_target *target, uint64_t identity, firn_error *err);

/// Converts `count` stored values of fixed width at `raw` to `out`.
/// Errors: FIRN_CORRUPT with the number of the first value that does not fit.
firn_status pq_target_convert(const pq_target *self, const uint8_t *raw, uint32_t count, void *out,
                              firn_error *err);

/// True if the stored values at `raw` can be the converted ones, once pq_target_check agreed.
static inline bool pq_target_is_in_place(const pq_target *self, const uint8_t *raw) {
    const pq_conversion *conversion = &self->conversion;
    return (conversion->fixed == NULL || conversion->keeps_bytes) &&
           (uintptr_t)raw % conversion->width == 0;
}

/// Checks values that stay where they are. Errors: as pq_target_convert.
firn_status pq_target_check(const pq_target *self, const uint8_t *raw, uint32_t count,
                            firn_error *err);

/// The same for byte arrays; without a conversion text is checked and the values stay as they are.
/// `out` may be `raw` then.
firn_status pq_target_convert_strings(const pq_target *self, string_value *raw, uint32_t count,
                                      void *out, firn_error *err);

/// Errors: FIRN_CORRUPT if the type is text and a value is not UTF-8.
firn_status pq_target_check_text(const pq_target *self, const string_value *values, uint32_t count,
                                 firn_error *err);

#endif
