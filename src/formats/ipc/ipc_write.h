// Rows as Arrow IPC (https://arrow.apache.org/docs/format/Columnar.html): a stream of messages, or
// a file, which is the same with a footer that says where they are.
//
//     head                 batch  batch  …  foot
//     (magic,) schema      one for each call    end (, footer, its size, magic)
//
// Types are those of the C data interface with its default options (column/arrow.h): utf8 and
// binary with 32-bit offsets, no dictionaries; UUID and JSON as the extensions arrow.uuid and
// arrow.json.
#ifndef FIRN_FORMATS_IPC_IPC_WRITE_H
#define FIRN_FORMATS_IPC_IPC_WRITE_H

#include "column/batch.h"

typedef enum ipc_kind {
    IPC_STREAM,
    IPC_FILE,
} ipc_kind;

/// Where the message of a batch is in the file; as it stands in the footer.
typedef struct ipc_block {
    int64_t offset;
    int32_t prefix; ///< Bytes before its body.
    int32_t padding;
    int64_t body;
} ipc_block;

typedef struct ipc_blocks {
    size_t count;
    ipc_block *items;
    uint64_t size; ///< Of the file, before its foot.
} ipc_blocks;

firn_status ipc_put_head(const schema *columns, ipc_kind kind, text_builder *out, firn_error *err);
/// The rows that count, as one record batch. *prefix: bytes of the message before its body.
firn_status ipc_put_rows(const schema *columns, const batch *rows, struct pool *pool,
                         const cancel_flag *cancel, text_builder *out, uint32_t *prefix,
                         firn_error *err);
/// `blocks` of a file alone.
firn_status ipc_put_foot(const schema *columns, ipc_kind kind, const ipc_blocks *blocks,
                         text_builder *out, firn_error *err);

#endif
