// Transactions: what a session did to tables of a catalog and nobody sees before COMMIT.
//
//     session ─ BEGIN
//        └─ transaction, one a catalog, begun at the first touch
//             ├─ pinned: name → snapshot that all its statements see (own changes included)
//             └─ changes: name → table_change, in order of first change
//                  created │ schema changed │ rows changed (tables/row_change.h) │ dropped
//        COMMIT ─ each change says its part as data, the catalog does all parts at once
//
// **Two interfaces meet here.** A table format makes *changes* (table_change_kind): it knows what
// it wrote, how to see it, how to say it and how to say it again on top of what others committed. A
// catalog makes *commits* (catalog_committer): it knows where the newest state of a table stands
// and how to replace it if it is still what was seen. Between them go commit_parts, plain data in
// one of three forms, so that catalogs know no format and formats no catalog:
//
//     COMMIT_UPDATES  requirements and updates as JSON             REST (Iceberg; Unity for Delta)
//     COMMIT_POINTER  old and new location of a metadata file      SQLite, Hadoop
//     COMMIT_LOG      the next entry of a log, put if absent       Delta folders
//     COMMIT_LOCAL    a table in memory                            memory
//
// **Atomic or refused.** A statement is all or nothing: a sink or an alteration adds to its change
// in one step at its end. A COMMIT is all or nothing: what a catalog cannot do at once is refused
// when the second table would be changed, before anything is written for it; so is a second
// catalog.
//
// **The three answers.** COMMIT_DONE; COMMIT_CONFLICT: somebody else was first, nothing of ours is
// visible; COMMIT_UNKNOWN: no answer came. transaction_commit deals with the last two:
//
//     parts = prepare(each change)                 writes manifests, metadata, log entries
//     answer = catalog.commit(parts)
//     CONFLICT  after a pause that grows load the new heads; rebase(each change, head): may what
//               landed meanwhile stay beside ours? then prepare and try again; else FIRN_CONFLICT
//     UNKNOWN   load the heads: is_in(each change, head)? All: done. None, and a head moved on so
//               that our requirements can never hold again: a conflict. None and nothing moved: the
//               same parts again, which is safe, since they hold what they were made for (a
//               snapshot id, a version, a file name of their own). Time over: FIRN_COMMIT_UNKNOWN,
//               and what was written stays, as it may be part of the table.
//
// A crash at any instruction leaves the old or the new table, at worst files that nobody names.
#ifndef FIRN_TABLES_TRANSACTION_H
#define FIRN_TABLES_TRANSACTION_H

#include "tables/catalog.h"
#include "tables/commit_pace.h"
#include "tables/row_change.h"

typedef struct transaction transaction;
typedef struct table_change table_change;
typedef struct table_change_kind table_change_kind;
typedef struct transaction_env transaction_env;

// ---- What can be changed -----------------------------------------------------------------------

/// A partition field: a column through a transform, as in row_wish_key.
typedef struct partition_field {
    text_list path; ///< Of the column.
    text transform;
    text name; ///< "" for the format's usual one.
} partition_field;

typedef struct order_key {
    text_list path;
    text transform;
    bool is_descending;
    bool nulls_first;
} order_key;

/// CREATE TABLE: everything but where it is.
typedef struct table_definition {
    text format;              ///< "iceberg", "delta", "memory"; "": the catalog's usual one.
    schema columns;           ///< With nullability.
    const column_note *notes; ///< One for each column: its default, as SQL, and its comment; NULL:
                              ///< nothing is said of any.
    text comment;
    text location; ///< "": the catalog chooses.
    uint32_t partition_count;
    const partition_field *partitions;
    uint32_t order_count;
    const order_key *order;
    size_t property_count;
    const firn_option *properties;
} table_definition;

typedef enum alteration_kind {
    ALTER_ADD_COLUMN,        ///< path, type, is_nullable, value (default), comment, place
    ALTER_DROP_COLUMN,       ///< path
    ALTER_RENAME_COLUMN,     ///< path, name
    ALTER_COLUMN_TYPE,       ///< path, type
    ALTER_COLUMN_NULLABLE,   ///< path, is_nullable
    ALTER_COLUMN_DEFAULT,    ///< path, value; no value: dropped
    ALTER_COLUMN_COMMENT,    ///< path, comment
    ALTER_COLUMN_PLACE,      ///< path, place
    ALTER_ADD_PARTITION,     ///< partition
    ALTER_DROP_PARTITION,    ///< partition, or name
    ALTER_REPLACE_PARTITION, ///< partition by the field in `replacement`
    ALTER_WRITE_ORDER,       ///< order; none: unordered
    ALTER_SET_PROPERTY,      ///< name, comment (the value)
    ALTER_UNSET_PROPERTY,    ///< name
    ALTER_SET_LOCATION,      ///< name
    ALTER_SET_REF,           ///< name, is_tag, snapshot_id, only_if (must it be new, be there?),
                             ///< retention
    ALTER_DROP_REF,          ///< name, is_tag
    ALTER_ROLLBACK,          ///< snapshot_id becomes current, of the past of the branch
    ALTER_CHERRYPICK,        ///< the changes of snapshot_id on top of the branch
    ALTER_FAST_FORWARD,      ///< the branch `name` to where the ref in `comment` is
    ALTER_EXPIRE,            ///< snapshot_ids go
    ALTER_UPGRADE,           ///< name: the version of the format or the feature
} alteration_kind;

/// Where a column goes.
typedef struct column_place {
    enum { PLACE_LAST, PLACE_FIRST, PLACE_AFTER, PLACE_BEFORE } kind;
    text beside;
} column_place;

/// How long a branch or tag is kept; 0: not said.
typedef struct ref_retention {
    int64_t ref_age_ms_max;
    int64_t snapshot_age_ms_max; ///< Of a branch, as is the last.
    int64_t snapshots_min;
} ref_retention;

/// One step of ALTER TABLE or CALL; which members mean something stands at its kind.
typedef struct alteration {
    alteration_kind kind;
    text_list path; ///< Of a column, one part a level; "element", "key" and "value" inside.
    text name;
    text comment;
    const type *type;
    bool is_nullable;
    bool is_tag;
    const literal *value;
    column_place place;
    partition_field partition;
    partition_field replacement;
    uint32_t order_count;
    const order_key *order;
    enum { REF_ANY, REF_NEW, REF_EXISTING } only_if;
    ref_retention retention;
    int64_t snapshot_id; ///< -1: the current one.
    uint32_t snapshot_id_count;
    const int64_t *snapshot_ids;
    uint32_t position; ///< Of the SQL text, for errors.
} alteration;

// ---- What a commit is told ---------------------------------------------------------------------

typedef enum commit_form { COMMIT_UPDATES, COMMIT_POINTER, COMMIT_LOG, COMMIT_LOCAL } commit_form;

/// What a change wants to be true and done, in the form that the catalog asked for. Data in the
/// memory that prepare was given.
typedef struct commit_part {
    object_name name;
    commit_form form;
    /// PART_NOTHING: no step was taken, or none that changed anything; no catalog gets to see it.
    enum { PART_CREATE, PART_CHANGE, PART_REPLACE, PART_DROP, PART_NOTHING } kind;
    int64_t snapshot_id; ///< That will be current; 0 or less: the format has none.
    bool purges;         ///< PART_DROP … PURGE: a server that removes files itself is asked to.
    union {
        struct {
            text uuid;         ///< Of the table that was seen; "" when it is new.
            text requirements; ///< A JSON array, as the REST specification has them.
            text updates;      ///< Likewise. PART_CREATE: also what a staged create needs.
        } updates;
        struct {
            text old_location; ///< Of the metadata file that was seen; "" when it is new.
            text new_location; ///< Written, synced, and named by nobody yet.
        } pointer;
        struct {
            text location; ///< Where the entry must not exist: <table>/_delta_log/<version>.json.
            bytes entry;   ///< With an id of its own, to be found again by is_in.
            uint64_t version;
        } log;
        void *local; ///< Of the kind that the catalog and the table share.
    };
} commit_part;

typedef struct commit_parts {
    uint32_t count;
    commit_part *items;
} commit_parts;

/// What a commit came to.
typedef enum commit_answer {
    COMMIT_DONE,
    COMMIT_CONFLICT, ///< Somebody else was first; nothing of ours is visible, nor will be.
    COMMIT_UNKNOWN,  ///< No answer: read back and decide.
} commit_answer;

/// The half of a catalog that commits (catalog_kind.committer; NULL: read-only).
typedef struct catalog_committer {
    /// The form it takes of a format; false if tables of that format cannot be changed here. May
    /// ask the server once for what it can do.
    firn_status (*form)(catalog *self, text format, commit_form *out, bool *is_known,
                        const cancel_flag *cancel, firn_error *err);
    /// How many tables one commit may change at once: 1, or UINT32_MAX.
    uint32_t (*table_count_max)(catalog *self);
    /// Where a new table would lie, and what its properties begin with. PART_CREATE follows, or
    /// nothing ever does: a staged create leaves nothing behind.
    firn_status (*stage)(catalog *self, object_name name, const table_definition *wanted,
                         arena *memory, table_definition *out, const cancel_flag *cancel,
                         firn_error *err);
    /// Does all parts or none. FIRN_OK with an answer; a status of its own only when nothing was
    /// done and nothing will be (no such namespace, no rights: 401, 403, a full disk). Is not
    /// cancelled once it has sent something: `deadline_ms` is what bounds it.
    firn_status (*commit)(catalog *self, const commit_parts *parts, uint32_t deadline_ms,
                          commit_answer *answer, firn_error *err);
    /// DROP TABLE … PURGE: after the drop was committed, also its files. `location` is that of the
    /// metadata the table had at last (commit_part.pointer.old_location); that of the table is
    /// taken too, and the newest metadata is looked for there. Does nothing where the commit did it
    /// (commit_part.purges).
    firn_status (*purge)(catalog *self, object_name name, text location, const cancel_flag *cancel,
                         firn_error *err);
} catalog_committer;

// ---- A change of one table ---------------------------------------------------------------------

/// Of one table in one transaction. A format's own struct begins with it. Steps add to it one after
/// the other; it is used by one thread at a time, but for its sinks' workers.
struct table_change {
    const table_change_kind *kind;
    transaction *owner;
    object_name name;     ///< In the transaction's memory; set when `open` has returned.
    table_snapshot *base; ///< What was pinned; NULL: the table is new.
    bool is_replaced;     ///< CREATE OR REPLACE: the old one goes with the commit.
    bool is_dropped;      ///< DROP TABLE: `prepare` says PART_DROP of what was seen, and writes
                          ///< nothing.
};

/// How tables of a format change: one a format, in its table_kind.changes.
struct table_change_kind {
    const char *name;
    /// Begins a change of `base`, or of a new table as `definition` says (staged by the catalog).
    /// Both: the table in the place of `base`, whose history it goes on. `env` is the transaction's
    /// and lives as long as the change; its context is that of the statement that runs.
    firn_status (*open)(transaction *owner, const transaction_env *env, table_snapshot *base,
                        const table_definition *definition, table_change **out, firn_error *err);
    /// The table as statements of this transaction see it now. The caller releases it.
    firn_status (*see)(table_change *self, table_snapshot **out, firn_error *err);
    /// Does all steps or none. Errors: SQLSTATE and position of the step that is wrong; what
    /// readers of the format could not follow (a narrowed type, NOT NULL over NULLs) is refused
    /// here.
    firn_status (*alter)(table_change *self, const alteration *steps, uint32_t count,
                         firn_error *err);
    /// Takes back the steps from the number `step` on, that transaction_next_step gave. NULL: the
    /// transaction is good for nothing but closing after such an undo.
    void (*undo)(table_change *self, uint64_t step);
    /// How commits of the table are repeated, as its properties say; sets what they say and leaves
    /// the rest. NULL: they say nothing.
    void (*options)(const table_change *self, commit_options *in_out);
    /// The rest is for transaction_commit. Writes what the commit will name and says the part in
    /// `form`; in `memory`. Called again after rebase, and before each repetition.
    firn_status (*prepare)(table_change *self, commit_form form, arena *memory, commit_part *out,
                           firn_error *err);
    /// Puts the change on top of `head`, which others committed, by the format's rules and each
    /// sink's isolation: files that were changed must still be there and unchanged, what was read
    /// must not have grown where that matters, the schema must still fit. NULL: the table is gone.
    /// Errors: FIRN_CONFLICT, which says what others did.
    firn_status (*rebase)(table_change *self, table_snapshot *head, firn_error *err);
    /// Is this change part of `head` or of its past? By the id that prepare gave it.
    firn_status (*is_in)(table_change *self, table_snapshot *head, bool *out, firn_error *err);
    /// After the answer. DONE: what earlier attempts wrote goes, caches learn. CONFLICT: everything
    /// written goes. UNKNOWN: nothing goes. Faults are not reported: files that stay are orphans.
    void (*settle)(table_change *self, commit_answer answer);
    /// Ends it; without settle everything that was written is removed.
    void (*close)(table_change *self);
};

// ---- The transaction of a catalog --------------------------------------------------------------

struct transaction_env {
    struct io *io;
    struct pool *pool;                ///< The session's.
    const statement_context *context; ///< Of the statement that runs: time, user, cancel flag.
                                      ///< Set anew between statements by whoever has the `env`.
    isolation isolation; ///< Of what that statement changes besides rows, whose sinks are told:
                         ///< likewise.
    /// The formats that new tables can have; ends with NULL. NULL: none.
    const table_change_kind *const *formats;
};

/// Begins a transaction of one catalog. Asks nobody anything. `of` and `env` outlive it.
firn_status transaction_begin(catalog *of, const transaction_env *env, transaction **out,
                              firn_error *err);
/// The table or view as this transaction sees it: pinned at the first call, so that all statements
/// see one snapshot, and the same branches and past of it, with own changes (table_kind.at); views,
/// and versions of tables that have no such function, are loaded each time.
/// `memory` as in catalog_kind.load.
firn_status transaction_load(transaction *self, object_name name, const table_version *version,
                             arena *memory, catalog_object *out, firn_error *err);
/// The change of a table, begun by the first call. The transaction owns it.
/// Errors: FIRN_UNSUPPORTED if the catalog cannot change it, or cannot commit another table
///         together with those that are changed already (with a hint to COMMIT first).
firn_status transaction_change(transaction *self, object_name name, table_change **out,
                               firn_error *err);
/// A new table. `replace`: what has that name now goes with the commit. Errors: 42P07; 55000 of a
/// name whose table the transaction dropped.
firn_status transaction_create(transaction *self, object_name name,
                               const table_definition *definition, bool replace, table_change **out,
                               firn_error *err);
/// DROP TABLE: with the commit. `purge`: then its files as well.
firn_status transaction_drop(transaction *self, object_name name, bool purge, firn_error *err);
/// The number of a step that is added to a change; they ascend. For formats.
uint64_t transaction_next_step(transaction *self);
bool transaction_has_changes(const transaction *self);

/// A place to come back to when a statement fails half-way through several changes.
typedef struct transaction_mark {
    uint32_t change_count;
    uint64_t step_count;
} transaction_mark;
transaction_mark transaction_mark_take(const transaction *self);
void transaction_undo_to(transaction *self, transaction_mark mark);

typedef struct commit_report {
    commit_answer answer;
    uint32_t attempts;
    uint32_t table_count;
    int64_t *snapshot_ids; ///< By table, -1 where the format has none; in `memory`.
} commit_report;

/// Commits all changes, as told at the top. The transaction is over afterwards, whatever the
/// answer; only closing is left. Raising the cancel flag ends it between attempts, never within
/// one. `options` may be NULL: all as the tables say, whose own are the usual ones.
///
/// Errors: FIRN_CONFLICT, FIRN_COMMIT_UNKNOWN, and those of writing. With COMMIT_DONE only if files
///         of a dropped table could not be purged.
firn_status transaction_commit(transaction *self, const commit_options *options, arena *memory,
                               commit_report *out, firn_error *err);
/// Forgets everything that is not committed and frees the transaction. NULL does nothing.
void transaction_close(transaction *self);

#endif
