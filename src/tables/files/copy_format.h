// The formats that COPY … TO writes besides Parquet: rows become bytes, batch by batch and by any
// worker, and a file is its head, those bytes in order, and its foot.
#ifndef FIRN_TABLES_FILES_COPY_FORMAT_H
#define FIRN_TABLES_FILES_COPY_FORMAT_H

#include "formats/csv/csv_rows.h"
#include "formats/ipc/ipc_write.h"
#include "formats/json/json_rows.h"

typedef struct copy_encoder copy_encoder;

typedef struct copy_format {
    const char *name;   ///< Of FORMAT.
    const char *ending; ///< Of files in folders.
    bool is_text;       ///< Files may be compressed as a whole.
    text before_first;  ///< Stands before the first rows of a file, …
    text between;       ///< … and before all others, where a piece of them begins with it.
    firn_status (*open)(copy_encoder *self, arena *memory, firn_error *err);
    firn_status (*put_head)(const copy_encoder *self, text_builder *out, firn_error *err);
    /// Rows `from` to `from + count - 1` of those that count. *prefix: of a message of IPC, the
    /// bytes before its body.
    firn_status (*put_rows)(const copy_encoder *self, const batch *rows, uint32_t from,
                            uint32_t count, text_builder *out, uint32_t *prefix, firn_error *err);
    /// `blocks`: of the messages with rows, if they were asked for.
    firn_status (*put_foot)(const copy_encoder *self, bool has_rows, const ipc_blocks *blocks,
                            text_builder *out, firn_error *err);
    bool needs_blocks;
} copy_format;

/// What is opened for one statement; any worker may use it then.
struct copy_encoder {
    const copy_format *format;
    const schema *columns; ///< Of the files.
    const csv_options *csv;
    const zone *at; ///< The zone of the session.
    struct pool *pool;
    const cancel_flag *cancel;
    json_rows json;
};

/// The format of a name such as "ndjson" or "feather", or of what a path ends in, such as "jsonl";
/// NULL: there is none.
const copy_format *copy_format_of(text name);
const copy_format *copy_format_of_ending(text ending);

#endif
