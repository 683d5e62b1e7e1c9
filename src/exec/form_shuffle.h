// The test mode `forms`: the same rows in other forms, at random.
#ifndef FIRN_EXEC_FORM_SHUFFLE_H
#define FIRN_EXEC_FORM_SHUFFLE_H

#include "column/batch.h"

/// The same rows in the same order with every column in a form that it may legally have, and with
/// or without a selection: values flat, behind codes (with entries that no row uses and entries
/// that are there twice), in runs (some end before the value changes) or constant.
///
/// Borrows: what `input` points to; the rest is in `memory`.
/// Cost:    a copy of the batch. `random` is any number but 0, and goes on.
firn_status form_shuffle(arena *memory, uint64_t *random, const batch *input, batch *out,
                         firn_error *err);

#endif
