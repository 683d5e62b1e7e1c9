// Writing to a warehouse in folders: the metadata file that a commit brings gets the next number,
// which nobody else can have.
//
//     metadata/00000-<uuid>.metadata.json   written by the change, named by nobody
//     metadata/v4.metadata.json             another name of it: link(), which fails if there is one
//     metadata/version-hint.text            "4", replaced at once; late is no harm
//
// Namespaces are folders and have no properties; tables cannot be renamed, nor lie elsewhere, as in
// Java's HadoopCatalog. A dropped table's folder goes with all that is in it, as Java's does, PURGE
// or not: at once under another name that nobody lists, then file by file.
//
// Local folders only. Java's HadoopCatalog overwrites where it should not on a local disk without a
// lock manager: its writers and firn's must take turns.
#ifndef FIRN_CATALOGS_HADOOP_WRITE_H
#define FIRN_CATALOGS_HADOOP_WRITE_H

#include "catalogs/hadoop_folder.h"
#include "tables/transaction.h"

/// Errors: FIRN_CONFLICT 42P06, FIRN_INVALID (a name that leads away; 42809: a table's folder would
/// hold it), those of making folders.
firn_status hadoop_create_namespace(const hadoop_folder *self, namespace_path space,
                                    firn_error *err);
/// Errors: FIRN_NOT_FOUND 3F000, FIRN_INVALID 2BP01: not empty.
firn_status hadoop_drop_namespace(const hadoop_folder *self, namespace_path space, firn_error *err);

/// Removes the folder of a table. FIRN_NOT_FOUND 42P01.
firn_status hadoop_drop_table(const hadoop_folder *self, object_name name, firn_error *err);

/// catalog_committer.stage. FIRN_UNSUPPORTED: a location of the user's own; FIRN_CONFLICT 42P07: a
/// schema with tables is called so.
firn_status hadoop_stage(const hadoop_folder *self, object_name name,
                         const table_definition *wanted, arena *memory, table_definition *out,
                         const cancel_flag *cancel, firn_error *err);

/// catalog_committer.commit, of the form COMMIT_POINTER, one table at once.
firn_status hadoop_commit(const hadoop_folder *self, const commit_parts *parts,
                          commit_answer *answer, firn_error *err);

/// The step of a commit that counts: the file `made` is called `numbered`, too, unless another is.
/// COMMIT_UNKNOWN: the name may be there. Errors: it is certainly not.
firn_status hadoop_give_name(const char *made, const char *numbered, commit_answer *answer,
                             firn_error *err);

#endif
