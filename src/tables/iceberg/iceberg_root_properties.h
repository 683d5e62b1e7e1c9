// Properties of a table or view, as its metadata has them.
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_ROOT_PROPERTIES_H
#define FIRN_TABLES_ICEBERG_ICEBERG_ROOT_PROPERTIES_H

#include "memory/json_tree.h"
#include "tables/commit_pace.h"

/// A property; "" if it has none such. `root`: of the metadata; NULL: there is none.
text ice_root_property(const json_node *root, const char *key);
/// The same as a number of at least `least`; `missing` if it is none.
uint64_t ice_root_number(const json_node *root, const char *key, uint64_t least, uint64_t missing);
bool ice_root_flag(const json_node *root, const char *key, bool missing);
/// How often and how long its commits are tried: commit.retry.…; what it does not say stays.
void ice_root_commit_options(const json_node *root, commit_options *in_out);

#endif
