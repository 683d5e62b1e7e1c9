// Rows as CSV text (RFC 4180), with the options of COPY. With the default ones it is the text of
// the command line's `--format csv`:
//
//     id,name,price,tags
//     1,"Ada ""the first"" L.",12.50,"[""a"",""b""]"
//     2,"",,
//
// A field is quoted where the delimiter, a quote or a line end is in it, where blanks are at an end
// of it, and where it would read as NULL: so the empty text is `""` and NULL is nothing. Values are
// as SQL prints them, nested ones are JSON.
#ifndef FIRN_FORMATS_CSV_CSV_ROWS_H
#define FIRN_FORMATS_CSV_CSV_ROWS_H

#include "base/zone.h"
#include "column/batch.h"

typedef struct csv_options {
    char delimiter;
    char quote;
    bool has_header;
    text null; ///< How NULL stands there; it holds none of the two, nor a line end.
} csv_options;
#define CSV_OPTIONS_DEFAULT                                                                        \
    ((csv_options){.delimiter = ',', .quote = '"', .has_header = true, .null = TEXT("")})

/// Appends the names of the columns, if there is a header.
void csv_put_header(const csv_options *self, const schema *columns, text_builder *out);
/// Appends the k-th row that counts. Moments with zone are those of `at`; NULL is UTC.
void csv_put_row(const csv_options *self, const batch *rows, uint32_t k, const zone *at,
                 text_builder *out);

#endif
