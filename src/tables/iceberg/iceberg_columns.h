// Columns by name, for CREATE and ALTER TABLE: partition fields and sort keys made of them, with
// the names that Java gives, and what a schema may not be.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_COLUMNS_H
#define FIRN_TABLES_ICEBERG_ICEBERG_COLUMNS_H

#include "tables/iceberg/iceberg_schema_write.h"
#include "tables/transaction.h"

#define ICE_FORMAT_VERSION "format-version"
#define ICE_PARTITION_ID_FIRST 1000

/// Whether a property may be set. Errors: 22023, FIRN_UNSUPPORTED for version 3.
firn_status ice_property_check(text key, text value, firn_error *err);

/// The field of a path, one part a level: by its name, else by its name in any case. NULL: none.
const field *ice_column_find(const schema *columns, text_list path);
/// The same; 42703 if there is none, with the nearest one's name.
firn_status ice_column_get(const schema *columns, text_list path, const field **out,
                           firn_error *err);
/// "a.b", in `memory`.
firn_status ice_path_print(text_list path, arena *memory, text *out, firn_error *err);

/// No two columns of a struct have the same name. Errors: 42701.
firn_status ice_columns_check(const schema *columns, firn_error *err);

/// A partition field without an id. `is_added`: its name is that of ALTER TABLE ("x_bucket_16"),
/// else of CREATE TABLE ("x_bucket").
/// Errors: 42703; FIRN_INVALID for a transform that is none, or not of the column's type, and for
///         columns inside of lists and maps.
firn_status ice_partition_make(const schema *columns, const partition_field *wanted, bool is_added,
                               arena *memory, ice_partition_field *out, firn_error *err);
/// Whether a field may stand beside those of a spec. Errors: FIRN_INVALID: its name is a column's
/// or another field's, or it says what another one says.
firn_status ice_partition_check(const schema *columns, const ice_spec *beside,
                                const ice_partition_field *added, firn_error *err);

/// The greatest id that a partition field of the table has or had. `root` may be NULL: it is new.
firn_status ice_partition_last_id(const ice_metadata *metadata, const json_node *root, int32_t *out,
                                  firn_error *err);
/// Gives a partition field its id: that of an equal field of any spec, so that both have the same
/// values (not in version 1, whose values go by position), else the one after *last.
firn_status ice_partition_number(const ice_metadata *metadata, ice_partition_field *added,
                                 int32_t *last, firn_error *err);
/// Whether both are the same transform of the same column.
bool ice_partition_equal(const ice_partition_field *left, const ice_partition_field *right);
/// A void field that would have `name` gets another one, in `memory`: "<name>_<id>".
firn_status ice_partition_give_name(uint32_t count, ice_partition_field *fields, text name,
                                    arena *memory, firn_error *err);

/// A sort order; its id is 1, or 0 without keys.
firn_status ice_order_make(const schema *columns, uint32_t count, const order_key *keys,
                           arena *memory, ice_order *out, firn_error *err);

/// A transform as SQL writes it: "" is identity; "years", "days" as Spark has them.
firn_status ice_transform_want(text written, ice_transform *out, firn_error *err);

#endif
