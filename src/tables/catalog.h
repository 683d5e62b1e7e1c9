// The catalog interface: names to tables. Implementations live in catalogs/ and are named by one
// row of catalogs/catalogs.def.
#ifndef FIRN_TABLES_CATALOG_H
#define FIRN_TABLES_CATALOG_H

#include "tables/table.h"

typedef struct catalog catalog;
typedef struct catalog_kind catalog_kind;

typedef struct text_list {
    uint32_t count;
    text *items;
} text_list;

/// A namespace has one or more levels.
typedef struct namespace_path {
    uint32_t count;
    text *items;
    const bool *are_exact; ///< Which were written in quotes: the case of these counts where that of
                           ///< others does not. NULL: none.
} namespace_path;

static inline bool namespace_is_exact(namespace_path self, uint32_t level) {
    return self.are_exact != NULL && self.are_exact[level];
}

/// A table or view of a catalog.
typedef struct object_name {
    namespace_path space;
    text name;
    bool is_exact; ///< The name was written in quotes, as above.
} object_name;

/// Which state of a table is wanted.
typedef struct table_version {
    enum { VERSION_CURRENT, VERSION_SNAPSHOT, VERSION_REF, VERSION_TIMESTAMP } kind;
    int64_t number;                           ///< Snapshot id, or microseconds since 1970 UTC.
    text ref;                                 ///< Branch or tag.
    int64_t from_snapshot_id, to_snapshot_id; ///< Incremental append scan: rows appended after the
    bool is_incremental;                      ///< first (exclusive) up to the second (inclusive).
} table_version;

/// One entry of a listing.
typedef struct catalog_entry {
    text name;
    text comment; ///< Empty: none, or it is in the table's metadata, which a listing does not read.
    enum { ENTRY_TABLE, ENTRY_VIEW, ENTRY_TEMPORARY } kind;
} catalog_entry;
typedef struct catalog_entry_list {
    uint32_t count;
    catalog_entry *items;
} catalog_entry_list;

/// A view's definition.
typedef struct view_definition {
    text sql;
    text dialect;         ///< Whose SQL that is; empty: ours.
    text name;            ///< Dotted, for messages; empty if it need not be said.
    text catalog;         ///< What unqualified names in it mean.
    text owner;           ///< Where no `catalog` is attached: this one, which holds the view.
    namespace_path space; ///< Likewise of unqualified names.
    text search_path;     ///< Schemas of `catalog` where they are looked for; empty: `space` only.
    bool sees_temporary;  ///< They are looked for among temporary things first.
    text_list columns;    ///< Names of its columns, empty: the query's.
    text comment;         ///< Empty: none.
    size_t property_count;
    const firn_option *properties; ///< Without the comment.
} view_definition;

/// A view that is to be made.
typedef struct new_view {
    view_definition as;        ///< Its `name` is that of the object, without its schema.
    schema columns;            ///< Of its rows, all with their names.
    text version;              ///< Of firn, for those who ask later who made it.
    const uint32_t *positions; ///< Of its properties in the statement; NULL: unknown.
} new_view;

/// A table that is to be made.
typedef struct new_table {
    schema columns;
    const column_note *notes; ///< As of a table_snapshot.
    text comment;             ///< Empty: none.
} new_table;

/// What is to become of properties, in one step.
typedef struct property_change {
    size_t set_count;
    const firn_option *set;
    size_t removed_count;
    const char *const *removed; ///< Keys.
    const uint32_t *positions;  ///< In the statement: of those that are set, then of those that are
                                ///< removed; NULL: unknown.
    bool must_be_there; ///< Of views: one that is removed. Else those that are not do no harm.
} property_change;

/// What is to become of a view, in one step.
typedef struct view_change {
    enum {
        VIEW_CREATE,            ///< It must not be there.
        VIEW_CREATE_OR_REPLACE, ///< One that is there gets another query.
        VIEW_REPLACE,           ///< It must be there: only its query and columns are others.
        VIEW_PROPERTIES         ///< It must be there, and its query stays.
    } kind;
    const new_view *view;              ///< NULL of VIEW_PROPERTIES.
    const property_change *properties; ///< Of VIEW_PROPERTIES.
} view_change;

/// What is to become of a namespace and its properties, in one step.
typedef struct namespace_change {
    bool is_new; ///< It is made, and must not exist; else it must.
    property_change properties;
} namespace_change;

/// What a name turned out to be.
typedef struct catalog_object {
    table_snapshot *snapshot; ///< To be released, or NULL when it is a view.
    view_definition *view;    ///< In `memory`, or NULL.
} catalog_object;

/// The error for a table that is taken for a view (`is_view`), or a view for a table: FIRN_INVALID
/// 42809. `word`: what the statement begins with, for the hint; NULL: no statement is known.
firn_status catalog_say_other_kind(text name, bool is_view, const char *word, firn_error *err);

struct catalog_kind {
    const char *name;    ///< What messages call it: "rest". (TYPE of ATTACH is the tables' format.)
    bool finds_any_case; ///< It finds names whatever their case unless they are exact. Others want
                         ///< them spelled as their lists do.
    /// Does this location look like one of the kind? ("sqlite:…", "https://…", a folder.)
    bool (*recognises)(text location);
    /// Opens it. Options are key/value texts; unknown ones are errors.
    firn_status (*open)(text alias, text location, const firn_option *options, size_t count,
                        struct io *io, catalog **out, firn_error *err);
    /// Asks whoever is behind it for the first time, so that a wrong address or credential is told
    /// at once. NULL: opening tells. Waits, and can be cancelled.
    firn_status (*connect)(catalog *self, const cancel_flag *cancel, firn_error *err);
    void (*close)(catalog *self);
    /// Child namespaces of `parent` (count 0: the top).
    firn_status (*list_namespaces)(catalog *self, namespace_path parent, arena *memory,
                                   namespace_path **out, uint32_t *count, const cancel_flag *cancel,
                                   firn_error *err);
    firn_status (*has_namespace)(catalog *self, namespace_path space, bool *out,
                                 const cancel_flag *cancel, firn_error *err);
    firn_status (*list)(catalog *self, namespace_path space, arena *memory, catalog_entry_list *out,
                        const cancel_flag *cancel, firn_error *err);
    /// Loads a table or view. FIRN_NOT_FOUND if there is none of that name.
    firn_status (*load)(catalog *self, object_name name, const table_version *version,
                        arena *memory, catalog_object *out, const cancel_flag *cancel,
                        firn_error *err);
    /// What else lies at or below a table's location, so that its files are not taken for the
    /// table's: how it is called, in `memory`; empty: nothing does. NULL: the kind cannot tell.
    firn_status (*neighbour)(catalog *self, object_name name, text location, arena *memory,
                             text *out, const cancel_flag *cancel, firn_error *err);
    // Writing: NULL for read-only kinds. Filled by memory now, by the others with commits.
    firn_status (*create_namespace)(catalog *self, namespace_path space, firn_error *err);
    /// The same with properties, or those of one that exists. NULL: namespaces have none.
    firn_status (*change_namespace)(catalog *self, namespace_path space,
                                    const namespace_change *change, firn_error *err);
    /// Properties of a namespace, in `memory`. NULL: namespaces have none.
    firn_status (*namespace_properties)(catalog *self, namespace_path space, arena *memory,
                                        size_t *count, firn_option **out, const cancel_flag *cancel,
                                        firn_error *err);
    firn_status (*drop_namespace)(catalog *self, namespace_path space, firn_error *err);
    firn_status (*create_table)(catalog *self, object_name name, const new_table *of, bool replace,
                                catalog_object *out, firn_error *err);
    /// CREATE TABLE AS: a table that nobody sees yet, to be filled through its sink. Then it is
    /// published, or its snapshot is released and it never was.
    /// Errors: as create_table, so that nothing is read for a name that cannot be had.
    firn_status (*stage_table)(catalog *self, object_name name, const new_table *of, bool replace,
                               table_snapshot **out, firn_error *err);
    firn_status (*publish_table)(catalog *self, object_name name, table_snapshot *staged,
                                 bool replace, firn_error *err);
    /// Makes a view or changes it, at once. Of a catalog that others read too, unqualified names of
    /// its query are of its own catalog and `as.space`.
    /// Errors: FIRN_CONFLICT (42P07 it exists; 40001 others changed it meanwhile), FIRN_NOT_FOUND
    ///         (42P01; the namespace 3F000), FIRN_INVALID (42809 a table; 22023 a property that is
    ///         reserved, is not there, or cannot have such a value).
    firn_status (*change_view)(catalog *self, object_name name, const view_change *change,
                               const cancel_flag *cancel, firn_error *err);
    bool has_view_properties; ///< Else nothing asks it for VIEW_PROPERTIES.
    firn_status (*drop)(catalog *self, object_name name, bool is_view, firn_error *err);
    /// Gives a table or view another name, perhaps in another namespace of the catalog, at once.
    /// Errors: FIRN_NOT_FOUND (42P01; the namespace 3F000), FIRN_CONFLICT 42P07.
    firn_status (*rename)(catalog *self, object_name from, object_name to, bool is_view,
                          firn_error *err);
    /// How changes of its tables are committed (tables/transaction.h). NULL: they cannot be.
    const struct catalog_committer *committer;
};

struct catalog {
    const catalog_kind *kind;
    text alias; ///< As attached.
    bool is_read_only;
    struct pool *pool; ///< What its tables are charged to while they are open; NULL: nothing. Set
                       ///< by whoever attaches it.
};

#endif
