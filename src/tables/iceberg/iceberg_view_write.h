// Iceberg views that are made, get another query or other properties: requests of REST catalogs,
// and metadata files for catalogs that point to one.
//
// A view's SQL is stored in the dialect "firn". As in Java a view is not given a version that lacks
// a dialect of the one before, unless its property "replace.drop-dialect.allowed" says so: whoever
// reads the other dialect would lose the view.
//
// Specification: apache/iceberg, format/view-spec.md; open-api/rest-catalog-open-api.yaml,
// CreateViewRequest, CommitViewRequest, ViewUpdate, ViewRequirement.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_VIEW_WRITE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_VIEW_WRITE_H

#include "base/bytes.h"
#include "tables/catalog.h"
#include "tables/commit_pace.h"

/// The request that makes a view.
/// Errors: FIRN_UNSUPPORTED for a type of a column that Iceberg lacks; FIRN_INVALID 22023 for a
///         property that is reserved or has no such value; FIRN_NO_MEMORY.
firn_status ice_view_request(const new_view *self, text name, arena *memory, text *out,
                             firn_error *err);

/// The metadata file of a new view.
firn_status ice_view_first(const new_view *self, text location, arena *memory, text *out,
                           firn_error *err);

/// What gives a view another query, or other properties.
typedef struct ice_view_change {
    bool is_empty;              ///< Nothing is to be done.
    text requirements, updates; ///< For REST catalogs.
    text metadata;              ///< The next metadata file.
    text location;              ///< Of the view.
    commit_options retry;       ///< The usual ones, but for what its properties say.
} ice_view_change;

/// `old`: its metadata file. All of *out lies in `memory` or borrows `old`.
/// Errors: FIRN_INVALID (a dialect would be lost), FIRN_CORRUPT; as ice_view_request.
firn_status ice_view_replace(const new_view *self, bytes old, arena *memory, ice_view_change *out,
                             firn_error *err);

/// The same of properties. As in Spark, those that are facts about a view are reserved.
/// Errors: FIRN_INVALID 22023 (reserved; no such value; not there, of one that must be),
///         FIRN_CORRUPT, FIRN_NO_MEMORY.
firn_status ice_view_change_properties(const property_change *wanted, bytes old, arena *memory,
                                       ice_view_change *out, firn_error *err);

/// Either of them: what is wanted of a view that is there.
firn_status ice_view_next(const view_change *wanted, bytes old, arena *memory, ice_view_change *out,
                          firn_error *err);

#endif
