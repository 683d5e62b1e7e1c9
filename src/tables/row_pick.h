// From rows that are in memory as a table has them to what a scan is asked for: the wanted columns
// and fields, with the filters as a selection. For kinds of tables whose readers hold whole rows.
#ifndef FIRN_TABLES_ROW_PICK_H
#define FIRN_TABLES_ROW_PICK_H

#include "expr/program.h"
#include "tables/table.h"

/// One filter of several, over columns that the query knows by `ids`. `*out` is NULL if there is
/// none.
///
/// Keeps: all but `ids`, until expr_close.
firn_status row_filter_open(expr_list filters, const uint32_t *ids, uint32_t count,
                            const scan_env *env, arena *memory, expr_state **out, firn_error *err);

/// A field of a struct, NULL where the struct is. Borrows from `parent` and `scratch`.
firn_status row_field(const column *parent, uint32_t child, arena *scratch, column *out,
                      firn_error *err);

/// One reader's. Plain data but for the filter's state: close it.
typedef struct row_pick {
    const scan_request *request;
    column *columns;
    expr_state *filter; ///< NULL: no filter.
} row_pick;

/// `request`, `env` and `memory` outlive it. On failure there is nothing to close.
firn_status row_pick_open(row_pick *self, const scan_request *request, const scan_env *env,
                          arena *memory, firn_error *err);
/// The answer for rows [from, from + count) of `rows`. `out` borrows from `rows`, from `scratch`
/// and from this until the next call.
firn_status row_pick_apply(row_pick *self, const batch *rows, uint32_t from, uint32_t count,
                           arena *scratch, batch *out, firn_error *err);
/// Adds row ids to the answer, of rows that follow each other: `first` is that of its row 0.
firn_status row_pick_number(row_pick *self, uint64_t first, arena *scratch, batch *out,
                            firn_error *err);
void row_pick_close(row_pick *self); ///< Of zeros: does nothing.

#endif
