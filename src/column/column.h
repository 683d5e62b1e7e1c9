// A column of a batch: type, length, form, validity, values. Immutable once built.
//
// Who owns what. A column owns nothing: it is a view that a producer fills in, and **what it points
// to stays until the producer is called again** (or the arena it was built in is rewound). Batches
// in flight point into decompressed pages, dictionaries and scratch arenas and copy nothing;
// whoever keeps rows for longer (build, sort, aggregate, exchange, cache, queue, result) copies
// them.
//
// Lanes. Every lane of a column in [0, length) holds an initialised value, also where the row is
// NULL or not selected: a string there may be compared, a list is a valid slice. So an infallible
// kernel may run over all lanes.
//
// Forms. Operators and kernels see FLAT and CONSTANT only, unless they declare more; expr/lift
// turns the others into what a kernel takes. The values of DICTIONARY and RUNS are flat: there is
// no form of a form. Children of nested columns are flat. Entries of a DICTIONARY may be nested
// (then it has the children of its entries), values of RUNS are not.
#ifndef FIRN_COLUMN_COLUMN_H
#define FIRN_COLUMN_COLUMN_H

#include <assert.h>

#include "base/mutex.h"
#include "column/type.h"
#include "column/value.h"

typedef enum column_form {
    FORM_FLAT,       ///< `length` values.
    FORM_CONSTANT,   ///< One value for all rows.
    FORM_DICTIONARY, ///< `length` codes (uint32_t) into a dictionary.
    FORM_RUNS,       ///< `run_count` values, each up to (excluding) its run end.
} column_form;

typedef struct column column;

/// The distinct values behind codes. Lives as long as the columns that name it, usually as long as
/// its row group is read.
typedef struct dictionary {
    uint64_t identity;    ///< Unique in the process; caches of per-entry results hang on it.
    uint32_t size;        ///< Entries.
    const column *values; ///< Flat, `size` rows, without NULLs.
} dictionary;

/// A number for a dictionary that no other one of this process has, never 0. Any thread.
uint64_t dictionary_identity_new(void);

struct column {
    const type *type;
    column_form form;
    uint32_t length; ///< Rows.
    /// Bit set: not NULL. NULL pointer: no NULLs. FLAT and DICTIONARY: a bit a row; CONSTANT: bit
    /// 0; RUNS: a bit a run. Bits at and behind the end are unspecified. Of type NULL: all clear,
    /// or the pointer is `validity_none`.
    const uint64_t *validity;
    const void *values;           ///< By form: values, one value, uint32_t codes, run values.
    const column *children;       ///< type->child_count of them: LIST 1, MAP 2, STRUCT n.
    const dictionary *dictionary; ///< DICTIONARY only.
    const uint32_t *run_ends;     ///< RUNS only: ascending, the last one is `length`.
    uint32_t run_count;           ///< RUNS only.
};

#define BITMAP_WORDS(bits) (((size_t)(bits) + 63) / 64)

static inline bool bitmap_get(const uint64_t *bitmap, size_t bit) {
    return (bitmap[bit / 64] >> (bit % 64) & 1) != 0;
}
static inline void bitmap_set(uint64_t *bitmap, size_t bit) {
    bitmap[bit / 64] |= UINT64_C(1) << (bit % 64);
}
static inline void bitmap_clear(uint64_t *bitmap, size_t bit) {
    bitmap[bit / 64] &= ~(UINT64_C(1) << (bit % 64));
}
static inline void bitmap_put(uint64_t *bitmap, size_t bit, bool value) {
    const uint64_t mask = UINT64_C(1) << (bit % 64);
    bitmap[bit / 64] = (bitmap[bit / 64] & ~mask) | (value ? mask : 0);
}
size_t bitmap_count(const uint64_t *bitmap, size_t bits); ///< Set bits among the first `bits`.
/// Copies `bits` bits starting at bit `from` of `source` to bit 0 of `out` (Arrow offsets).
void bitmap_copy(const uint64_t *source, size_t from, size_t bits, uint64_t *out);

/// Is row `row` not NULL? Any form. Slow: for tests, printing and single rows.
bool column_is_valid(const column *self, uint32_t row);
/// The lane of column_lanes(self) that row `row` uses. Any form.
uint32_t column_lane(const column *self, uint32_t row);
/// The column whose `values` these lanes are: of a DICTIONARY its entries, else the column.
static inline const column *column_lanes(const column *self) {
    return self->form == FORM_DICTIONARY ? self->dictionary->values : self;
}
/// The integer in a lane of values whose type is one (physical_is_integer); one of 64 bits without
/// sign comes as its bits. Slow likewise.
int64_t column_lane_integer(const column *self, uint32_t lane);

/// Typed values of a FLAT or CONSTANT column: `const int64_t *v = COLUMN_VALUES(arg, int64_t);`
#define COLUMN_VALUES(column, c_type) ((const c_type *)(column)->values)
/// ANDed to a row number: ~0 for FLAT, 0 for CONSTANT, so that `v[i & mask]` serves both.
static inline uint32_t column_mask(const column *self) {
    assert(self->form == FORM_FLAT || self->form == FORM_CONSTANT);
    return self->form == FORM_CONSTANT ? 0 : UINT32_MAX;
}
static inline bool column_row_is_valid(const column *self, uint32_t row) { // FLAT or CONSTANT.
    return self->validity == NULL || bitmap_get(self->validity, row & column_mask(self));
}

// ---- Building --------------------------------------------------------------------------------

/// A flat column of `length` rows with room for values (uninitialised but for strings, lists and
/// bits, which are zero; nested: children are left for the caller) and no validity.
firn_status column_new(arena *memory, const type *type, uint32_t length, column *out,
                       firn_error *err);
/// The same with nothing set: column_clear does, for all of it or for slices whenever their turn
/// comes.
firn_status column_new_unset(arena *memory, const type *type, uint32_t length, column *out,
                             firn_error *err);
/// Bytes of the values of a flat column; 0 where children carry them.
size_t column_values_size(const column *self);
/// Zeros strings, lists and bits of a column that is being built.
void column_clear(column *self);
/// The values of a column that is being built, for writing.
#define COLUMN_OUT(column, c_type) ((c_type *)(uintptr_t)(column)->values)
/// Makes row `row` NULL; allocates a bitmap of ones at the first call. False when memory is full.
bool column_set_null(arena *memory, column *self, uint32_t row);
/// A bitmap of ones for the column's rows, if it has none yet. NULL when memory is full.
uint64_t *column_validity_out(arena *memory, column *self);
/// A value over a copy of the bytes, which is in `memory` unless they lie inside the value. False
/// when it is full or there are more than 4 GiB.
bool string_new(arena *memory, const char *data, size_t size, string_value *out);
/// All rows NULL: a constant.
firn_status column_new_null(arena *memory, const type *type, uint32_t length, column *out,
                            firn_error *err);

/// Any form to FLAT; shares what it can. Rows [0, length).
firn_status column_flatten(arena *memory, const column *self, column *out, firn_error *err);
/// Rows `rows[0..count)` of a column as a new one: flat stays flat, dictionary and constant keep
/// their form, runs become flat. `rows` need not ascend. UINT32_MAX as a row is NULL.
firn_status column_take(arena *memory, const column *self, const uint32_t *rows, uint32_t count,
                        column *out, firn_error *err);
/// The same for a selection.
firn_status column_take_selection(arena *memory, const column *self, const uint16_t *rows,
                                  uint32_t count, column *out, firn_error *err);
/// Rows [from, from + count) of a column, without copying values where the form allows it (bits:
/// where `from` is a multiple of 64).
firn_status column_slice(arena *memory, const column *self, uint32_t from, uint32_t count,
                         column *out, firn_error *err);
/// Row k of the result is row codes[k] of a flat column, whose rows become the entries of a new
/// dictionary. It keeps `codes`. Not of type NULL.
firn_status column_of_entries(arena *memory, const column *values, const uint32_t *codes,
                              uint32_t count, column *out, firn_error *err);
/// Rows of many columns.
typedef struct gathered_rows {
    const column *const *sources; ///< Of one type, in any form; NULL: the row is NULL.
    const uint32_t *rows;
    uint32_t count;
} gathered_rows;

// Elements of lists may be many, and texts long: these look at the flag of `memory` meanwhile.
// Rows that have one list or long text in common have it in common afterwards too: it is not
// copied for each of them.

/// Row i of the result is row rows[i] of sources[i]. Flat; strings point where they pointed, and
/// lists of one column alone lie where they lay.
firn_status column_gather(arena *memory, const type *type, const gathered_rows *from, column *out,
                          firn_error *err);
/// A deep copy into `memory`: string bytes, children, validity. The result depends on nothing else
/// but `memory` and the type. Flat.
firn_status column_copy(arena *memory, const column *self, column *out, firn_error *err);

/// Total order of two rows of columns of the same type, NULL first (inside nested values: last),
/// NaN above all; for tests, generic code and nested values. Kernels exist for what is hot.
int column_compare_rows(const column *left, uint32_t left_row, const column *right,
                        uint32_t right_row);
bool column_rows_equal(const column *left, uint32_t left_row, const column *right,
                       uint32_t right_row); ///< NULL equals NULL, NaN equals NaN, -0 equals 0.
/// Are two rows of a column the same lane or dictionary entry, or two lanes with the same bits?
/// Then they are equal, however long the list that they share; false says nothing. Any form.
bool column_rows_alike(const column *self, uint32_t left_row, uint32_t right_row);
uint64_t column_hash_row(const column *self, uint32_t row); ///< Agrees with kernels/hash.
/// The same of values of any size: they count their work, and answer anything once the flag of
/// `watch` is raised. It may be NULL.
int column_compare_rows_watched(const column *left, uint32_t left_row, const column *right,
                                uint32_t right_row, cancel_watch *watch);
uint64_t column_hash_row_watched(const column *self, uint32_t row, cancel_watch *watch);
/// Text form of one value as SQL prints it; `NULL` for NULL. For nested values, casts to VARCHAR
/// and debugging. Times with zone are printed in UTC.
void column_print_row(const column *self, uint32_t row, text_builder *out);
/// The same with times in a zone; NULL is UTC.
struct zone;
void column_print_row_at(const column *self, uint32_t row, const struct zone *at,
                         text_builder *out);

#endif
