// Reading Arrow results cell by cell: what a column's type is, and where a row's value lies.
//
// The streams are firn's own, so their layout is taken as it is said; only a type that the command
// line cannot show is refused, by cli_cell_type_read.
#ifndef FIRN_CLI_CELLS_H
#define FIRN_CLI_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firn.h"

enum { CELL_DEPTH_MAX = 64 };

typedef enum cell_kind {
    CELL_NULL,
    CELL_BOOLEAN,
    CELL_INT8,
    CELL_INT16,
    CELL_INT32,
    CELL_INT64,
    CELL_UINT8,
    CELL_UINT16,
    CELL_UINT32,
    CELL_UINT64,
    CELL_FLOAT16,
    CELL_FLOAT32,
    CELL_FLOAT64,
    CELL_DECIMAL,    // `bits` wide.
    CELL_DATE_DAY,   // int32 days.
    CELL_DATE_MS,    // int64 milliseconds.
    CELL_TIME_32,    // int32 of `digits`.
    CELL_TIME_64,    // int64 of `digits`.
    CELL_TIMESTAMP,  // int64 of `digits`.
    CELL_DURATION,   // int64 of `digits`.
    CELL_MONTHS,     // int32.
    CELL_DAY_TIME,   // int32 days, int32 milliseconds.
    CELL_MONTH_NANO, // int32 months, int32 days, int64 nanoseconds.
    CELL_TEXT,
    CELL_TEXT_LARGE,
    CELL_TEXT_VIEW,
    CELL_BINARY,
    CELL_BINARY_LARGE,
    CELL_BINARY_VIEW,
    CELL_FIXED, // `width` bytes.
    CELL_LIST,
    CELL_LIST_LARGE,
    CELL_LIST_VIEW,
    CELL_LIST_VIEW_LARGE,
    CELL_LIST_FIXED, // `width` elements.
    CELL_STRUCT,
    CELL_MAP,
    CELL_DICTIONARY, // children[0] is the values; `index` the kind of the indexes.
    CELL_RUNS,       // children[0] is the values; `index` the kind of the run ends.
} cell_kind;

typedef enum cell_meaning { CELL_PLAIN, CELL_UUID, CELL_JSON } cell_meaning;

typedef struct cell_type {
    cell_kind kind;
    cell_kind index;
    cell_meaning meaning; // By the extension name of the field.
    const char *name;     // Lives as long as the schema. Never NULL.
    int32_t precision;
    int32_t scale;
    int32_t bits;
    int32_t width;
    int32_t digits; // Of a second's fraction: 0, 3, 6, 9.
    bool is_zoned;
    size_t child_count;
    struct cell_type *children;
} cell_type;

/// One value: row `row` of `array`, its offset included.
typedef struct cell {
    const cell_type *type;
    const struct ArrowArray *array;
    int64_t row;
} cell;

typedef struct cell_bytes {
    const char *data;
    size_t size;
} cell_bytes;

/// Reads what an Arrow format string alone says: not names, meanings or children.
bool cli_cell_format_read(const char *format, cell_type *out);

/// Reads a schema (of a result: a struct whose children are the columns) into `out`. False if it
/// holds a type that can't be shown; then `*refused` is its Arrow format. The caller closes it
/// either way.
bool cli_cell_type_read(const struct ArrowSchema *schema, cell_type *out, const char **refused);
void cli_cell_type_close(cell_type *type);

/// Column `column` of row `row` of a batch, with dictionaries and runs followed to a plain value.
cell cli_cell_of_column(const cell_type *result, const struct ArrowArray *batch, size_t column,
                        int64_t row);
/// Field `field` of a struct value.
cell cli_cell_field(cell value, size_t field);
/// Element `row` of a list's child, as cli_cell_list counts them; for a map a struct of key and
/// value.
cell cli_cell_element(cell list, int64_t row);

bool cli_cell_is_null(cell value);
bool cli_cell_boolean(cell value);
/// Any integer kind, and what is counted in integers (dates, times).
int64_t cli_cell_int(cell value);
uint64_t cli_cell_uint(cell value);
double cli_cell_float(cell value);
/// Text, binary and fixed kinds; the raw bytes of decimals and intervals too.
cell_bytes cli_cell_bytes(cell value);
/// Which rows of child 0 a list or map holds.
void cli_cell_list(cell value, int64_t *first, int64_t *count);

bool cli_cell_is_text(cell_kind kind);
bool cli_cell_is_binary(cell_kind kind);
bool cli_cell_is_list(cell_kind kind);
/// Whether a column of it stands to the right: integers, floats, decimals.
bool cli_cell_is_number(cell_kind kind);

#endif
