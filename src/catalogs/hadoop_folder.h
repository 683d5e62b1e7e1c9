// A warehouse in folders, without any server: a namespace is a folder, a table a folder that has
// metadata in it.
//
//     warehouse/db/sales/metadata/v3.metadata.json      table "sales" of namespace "db"
//
// Java's HadoopCatalog writes such trees; any store that can list serves (io_list).
#ifndef FIRN_CATALOGS_HADOOP_FOLDER_H
#define FIRN_CATALOGS_HADOOP_FOLDER_H

#include "catalogs/catalog_loaded.h"
#include "io/io.h"
#include "tables/catalog.h"

/// Plain data, owns nothing. Any number of threads.
typedef struct hadoop_folder {
    io *files;
    text root;  // A path of the warehouse; borrowed.
    text alias; // Of the catalog, for messages; borrowed.
} hadoop_folder;

/// The folder of a namespace, or of a table in it if `name` is not empty; without '/' at its end.
/// FIRN_INVALID if a name could lead out of the warehouse.
firn_status hadoop_folder_path(const hadoop_folder *self, namespace_path space, text name,
                               arena *memory, text *out, firn_error *err);

/// FIRN_NOT_FOUND if the warehouse does not exist or is no folder.
firn_status hadoop_folder_check(const hadoop_folder *self, const cancel_flag *cancel,
                                firn_error *err);

/// Child namespaces of `parent` (count 0: the top), in bytewise order, each with all its levels.
/// Folders whose name begins with '.' or '_' are none.
firn_status hadoop_folder_namespaces(const hadoop_folder *self, namespace_path parent,
                                     arena *memory, namespace_path **out, uint32_t *count,
                                     const cancel_flag *cancel, firn_error *err);

firn_status hadoop_folder_has_namespace(const hadoop_folder *self, namespace_path space, bool *out,
                                        const cancel_flag *cancel, firn_error *err);

/// Whether a namespace, or one above it, is the folder of a table.
firn_status hadoop_folder_is_in_table(const hadoop_folder *self, namespace_path space,
                                      arena *memory, bool *out, const cancel_flag *cancel,
                                      firn_error *err);

/// Whether tables lie in a folder, at any depth, that is not one itself: then it is a namespace.
firn_status hadoop_folder_holds_tables(const hadoop_folder *self, text folder, bool *out,
                                       const cancel_flag *cancel, firn_error *err);

/// Tables, in bytewise order. FIRN_NOT_FOUND: no such namespace.
firn_status hadoop_folder_list(const hadoop_folder *self, namespace_path space, arena *memory,
                               catalog_entry_list *out, const cancel_flag *cancel, firn_error *err);

/// The current metadata file of a table. FIRN_NOT_FOUND if there is none of that name;
/// FIRN_INVALID if a name could lead out of the warehouse.
firn_status hadoop_folder_load(const hadoop_folder *self, namespace_path space, text name,
                               arena *memory, loaded_table *out, const cancel_flag *cancel,
                               firn_error *err);

#endif
