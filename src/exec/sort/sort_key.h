// Sort keys of any type as bytes whose order under memcmp is the wanted one (NULLs, DESC included).
//
//     key   for each ORDER BY item: a byte for NULL or not, then the value
//     value integers big-endian with the sign bit flipped, floats likewise (NaN above all, -0.0 as
//           0.0), text with 00 as 00 FF and 00 00 at its end, lists as 01 element … 00; inverted
//           for DESC
//
// Where every key has values of one width, all keys of a sort are of one size: NULLs have zeros for
// their value, and zeros fill the last of its 8 bytes.
#ifndef FIRN_EXEC_SORT_KEY_H
#define FIRN_EXEC_SORT_KEY_H

#include "column/batch.h"

typedef struct sort_order {
    bool is_descending;
    bool nulls_first;
} sort_order;

/// Keys of the rows of a batch that count, as a flat BINARY column of `row_count` lanes in `memory`
/// (lanes that do not count are empty). `keys` are FLAT, CONSTANT or DICTIONARY.
firn_status sort_keys_encode(const column *keys, const sort_order *orders, uint32_t key_count,
                             const batch *rows, arena *memory, column *out, firn_error *err);

/// The size of keys of these types, a multiple of 8; 0 if their width is not fixed, or there is
/// more than a row should carry.
uint32_t sort_keys_fixed_size(const type *const *types, uint32_t count);

/// Such keys of the rows that count, `size` bytes each, one behind the other. `lanes` is room for
/// as many numbers.
void sort_keys_encode_fixed(const column *keys, const sort_order *orders, uint32_t key_count,
                            const batch *rows, uint32_t size, uint32_t *lanes, uint8_t *out);

/// Can values of a type be read back from keys of a fixed size? (Of -0.0 they know no sign.)
bool sort_key_is_exact(const type *of);
/// Where the i-th of such keys begins.
uint32_t sort_key_offset(const type *const *types, uint32_t i);
/// One of them: its values, and where it is.
typedef struct sort_key_place {
    const type *type;
    sort_order order;
    uint32_t offset;
} sort_key_place;
/// Reads it back: place->offset behind keys[k] is that of row k. A flat column.
firn_status sort_key_decode(const sort_key_place *place, const uint8_t *const *keys, uint32_t count,
                            arena *memory, column *out, firn_error *err);

/// A number that orders as doubles do: NaN above all, -0.0 as 0.0.
uint64_t sort_key_of_double(double value);

/// The first 64 bits of a key as a number that orders like them; shorter keys end in zeros. Of the
/// first byte, which is 0 or 1, one bit: so a 64-bit integer but for its lowest bit is in it.
uint64_t sort_key_prefix(text key);

/// Bytes 8 * level to 8 * level + 7 of a key as such a number. No key is the beginning of another:
/// where those of two keys are equal up to the end of one, the keys are.
uint64_t sort_key_part(text key, uint32_t level);

#endif
