// What the Arrow schema inside a Parquet file says and the Parquet schema does not.
//
// Writers that use Arrow store the schema of the table under the key ARROW:schema: base64 of an IPC
// message, a flatbuffer. Of it only this matters here: an integer's width and sign (UINT32 may lie
// in an INT64 column without annotation), whether a timestamp has a zone, and the names of
// extension types. Large, view, dictionary and fixed-size layouts are the same values in other
// arrangements.
//
// A hint is never an error: what cannot be read or does not fit the Parquet schema gives no hint.
//
// Specification: apache/arrow, format/Schema.fbs, format/Message.fbs; flatbuffers' internals.
#ifndef FIRN_FORMATS_PARQUET_PQ_ARROW_HINT_H
#define FIRN_FORMATS_PARQUET_PQ_ARROW_HINT_H

#include "base/text.h"
#include "memory/arena.h"

typedef enum pq_hint_kind {
    PQ_HINT_OTHER,
    PQ_HINT_INTEGER,
    PQ_HINT_TIMESTAMP,
    PQ_HINT_DURATION
} pq_hint_kind;

typedef struct pq_arrow_hint {
    pq_hint_kind kind;
    bool is_signed; // INTEGER
    uint8_t bits;   // INTEGER
    bool has_zone;  // TIMESTAMP
    text extension; // Name of the extension type, or empty.
    uint32_t child_count;
    struct pq_arrow_hint *children; // As Arrow nests them: a map has one child, a struct of two.
} pq_arrow_hint;

/// Reads the value of the key ARROW:schema. The hint's children are the file's columns. NULL if
/// there is none to be had, for whatever reason.
const pq_arrow_hint *pq_arrow_hint_read(text base64, arena *memory);

/// The child for the i-th child of a Parquet node, or NULL.
static inline const pq_arrow_hint *pq_arrow_hint_child(const pq_arrow_hint *self, uint32_t i) {
    return self != NULL && i < self->child_count ? &self->children[i] : NULL;
}

#endif
