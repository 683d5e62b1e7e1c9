// Alterations by what they are about (iceberg_change_alter*.c). Each writes the updates that it
// comes to on the metadata that it is played on.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_CHANGE_ALTER_H
#define FIRN_TABLES_ICEBERG_ICEBERG_CHANGE_ALTER_H

#include <stdio.h>

#include "base/nearest.h"
#include "tables/iceberg/iceberg_change_private.h"

firn_status ice_alter_schema(const ice_table_change *change, ice_play *play,
                             const alteration *wanted, ice_updates *updates, firn_error *err);
/// Whether the files of all branches are known to hold no NULL of a field of the schema.
///
/// Errors:  FIRN_INVALID (23502), which names the first file that may.
firn_status ice_check_no_nulls(const ice_table_change *change, const ice_play *play,
                               const field *of, firn_error *err);
firn_status ice_alter_spec(ice_play *play, const alteration *wanted, ice_updates *updates,
                           firn_error *err);
/// Says which snapshot is meant where the table says it: the current one, or that of the branch or
/// tag that another is forwarded to. It is looked up once, when the statement runs: on top of what
/// others commit it is still the one that the transaction has seen. What has none stays without.
void ice_alter_pin(const ice_play *play, alteration *in_out);
firn_status ice_alter_ref(const ice_table_change *self, const ice_play *play,
                          const alteration *wanted, ice_updates *updates, firn_error *err);
/// Maps names of columns that `schema` has and had not before `last_id` was the last one, and the
/// new name of the one with `renamed_id` (-1: none), if the table has such a mapping.
firn_status ice_alter_mapping(ice_play *play, const json_node *schema, int32_t last_id,
                              int64_t renamed_id, ice_updates *updates, firn_error *err);
/// A branch of a table without rows, which gets a snapshot without any, as Java makes it.
firn_status ice_alter_first_branch(ice_table_change *change, ice_play *play, const ice_step *step,
                                   ice_played *out, ice_updates *updates, firn_error *err);
/// `step` has the id of the snapshot that may come of it.
firn_status ice_alter_pick(ice_table_change *change, ice_play *play, const ice_step *step,
                           ice_played *out, ice_updates *updates, firn_error *err);

#endif
