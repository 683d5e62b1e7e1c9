// The border to the Arrow C data and stream interface, whose structs firn.h declares.
//
// https://arrow.apache.org/docs/format/CDataInterface.html and CStreamInterface.html. Out: batches
// of ours become Arrow arrays that own copies of everything, a few tens of thousands of rows each.
// In: foreign arrays are validated once (lengths, offsets, UTF-8, buffers present) and become
// columns that borrow from them.
#ifndef FIRN_COLUMN_ARROW_H
#define FIRN_COLUMN_ARROW_H

#include "column/batch.h"

typedef enum arrow_strings {
    ARROW_STRINGS_UTF8,
    ARROW_STRINGS_LARGE,
    ARROW_STRINGS_VIEW
} arrow_strings;

/// The options `arrow.*` of a statement. All zero but batch_rows: the defaults.
typedef struct arrow_options {
    arrow_strings strings;
    bool intervals_as_text;
    bool float16_as_float32;
    bool wide_decimals_as_text; ///< DECIMAL with p > 38 as utf8.
    bool large_lists;
    bool dictionaries;    ///< VARCHAR as codes into a dictionary of the batch's texts.
    uint32_t batch_rows;  ///< A batch is full when it has so many.
    uint64_t batch_bytes; ///< A batch ends when its buffers hold about so many; 0: by rows alone.
    const cancel_flag *cancel; ///< Looked at inside of values that are large; NULL: none.
} arrow_options;
#define ARROW_BATCH_ROWS_DEFAULT 65536

/// Sets one option; FIRN_INVALID for an unknown key (without the prefix `arrow.`) or value.
firn_status arrow_options_set(arrow_options *self, text key, text value, firn_error *err);

/// A struct schema of the fields. The caller releases `out`. Owns copies of all names.
firn_status arrow_schema_export(const schema *self, const arrow_options *options,
                                struct ArrowSchema *out, firn_error *err);

/// Gathers batches into one Arrow struct array. Open, push until it is full, finish; repeat.
typedef struct arrow_builder arrow_builder;
struct pool; // memory/pool.h: what the rows are charged to until they are handed out.
firn_status arrow_builder_open(const schema *self, const arrow_options *options, struct pool *pool,
                               arrow_builder **out, firn_error *err);
/// Copies the rows of `rows` that count. Errors: FIRN_NO_MEMORY; FIRN_INVALID when a value does not
/// fit the wished layout (offsets over 2 GiB end the batch early instead).
firn_status arrow_builder_push(arrow_builder *self, const batch *rows, firn_error *err);
uint64_t arrow_builder_rows(const arrow_builder *self);
bool arrow_builder_is_full(const arrow_builder *self);
/// Hands out what was pushed as a struct array that owns its memory, and empties the builder.
firn_status arrow_builder_finish(arrow_builder *self, struct ArrowArray *out, firn_error *err);
void arrow_builder_close(arrow_builder *self);
/// Leaves rows [from, from + count) of what arrow_builder_finish handed out. It stays an array
/// without an offset of its own whose columns are as long as it is, which is what consumers of
/// record batches ask for.
void arrow_rows_cut(struct ArrowArray *rows, uint64_t from, uint64_t count);

/// The fields of a foreign struct schema, in `memory` (extension types by their metadata; layouts
/// without a type of their own as the type they hold). Refuses what firn has no type for, by name.
firn_status arrow_schema_import(const struct ArrowSchema *self, arena *memory, schema *out,
                                firn_error *err);
/// Rows of a foreign struct array.
typedef struct arrow_rows {
    const struct ArrowArray *array;
    uint64_t from;
    uint32_t count; ///< At most BATCH_ROWS.
} arrow_rows;
/// They as a batch in `memory`, validated. The array must stay until the batch is no longer used.
/// `fields` are those that arrow_schema_import made of `types`.
firn_status arrow_array_import(const struct ArrowSchema *types, const schema *fields,
                               arrow_rows rows, arena *memory, batch *out, firn_error *err);

#endif
