// What statements say of tables, as the data that catalogs and table formats take: CREATE TABLE as
// a table_definition, keys of partitions and orders, properties, paths of columns. Names are those
// that the columns have, whatever their case was in the statement.
#ifndef FIRN_ENGINE_COMMAND_DEFINE_H
#define FIRN_ENGINE_COMMAND_DEFINE_H

#include "engine/objects.h"
#include "memory/name_index.h"
#include "tables/transaction.h"

// ---- Columns -----------------------------------------------------------------------------------

/// Looks for a column or what is inside of one: a field of a struct, `element` of a list, `key` and
/// `value` of a map. *found is NULL if there is none; `out` is the path as the table spells it, in
/// `memory`.
///
/// Errors: 42702 if it may be several, which are the same but for case.
firn_status define_path(const schema *columns, const sql_names *written, arena *memory,
                        text_list *out, const field **found, firn_error *err);

/// The error for a column that is not there, with the one that was meant.
firn_status define_say_no_column(const schema *columns, const sql_names *written, firn_error *err);

/// What is asked of a column or table and would not be kept: GENERATED, PRIMARY KEY …
firn_status define_refuse_column(const sql_column_definition *written, firn_error *err);
firn_status define_refuse_constraints(const sql_list *constraints, firn_error *err);

/// A constant as a value of type `to`. In the memory of `self`.
firn_status define_value(run *self, const sql_expr *written, const type *to, const literal **out,
                         firn_error *err);

// ---- Tables ------------------------------------------------------------------------------------

/// Adds a name that none before it may be.
firn_status define_add_name(run *self, name_index *names, text name, uint32_t position,
                            firn_error *err);

/// A table with the columns of the query (NULL: there is none), or of the list behind the table's
/// name, which says more of them: names, types that the rows are cast to as INSERT does, NOT NULL,
/// and so on. In the memory of `self`.
firn_status define_table(run *self, const sql_create_table *written, const schema *query,
                         table_definition *out, firn_error *err);

/// Refuses DEFAULT in tables whose format version has none.
firn_status define_refuse_defaults(const sql_create_table *written, const table_definition *made,
                                   firn_error *err);

/// A key of partitions or of an order: a column, or a transform of one such as bucket(16, id).
/// Without a name of its own.
firn_status define_key(run *self, const sql_expr *written, const schema *columns,
                       partition_field *out, firn_error *err);

/// Options as properties. In the memory of `self`.
firn_status define_properties(run *self, const sql_list *options, const firn_option **out,
                              size_t *count, firn_error *err);

/// Where each of these options is in the statement. In the memory of `self`.
firn_status define_positions(run *self, const sql_list *options, const uint32_t **out,
                             firn_error *err);

/// An action that sets or unsets properties. In the memory of `self`.
firn_status define_property_change(run *self, const sql_alter_action *action, property_change *out,
                                   firn_error *err);

#endif
