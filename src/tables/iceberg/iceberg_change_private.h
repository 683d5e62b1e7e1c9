// A change of a table under way: what its parts share (iceberg_change_*.c).
#ifndef FIRN_TABLES_ICEBERG_ICEBERG_CHANGE_PRIVATE_H
#define FIRN_TABLES_ICEBERG_ICEBERG_CHANGE_PRIVATE_H

#include "base/host.h"
#include "tables/iceberg/iceberg_change.h"
#include "tables/iceberg/iceberg_manifest_list_write.h"
#include "tables/iceberg/iceberg_metadata_write.h"
#include "tables/iceberg/iceberg_root_properties.h"
#include "tables/iceberg/iceberg_snapshot.h"
#include "tables/iceberg/iceberg_uuid.h"

#define ICE_MAIN TEXT("main")

#define ICE_CONTENT_COUNT 3

/// Files that came and went, by ice_content.
typedef struct ice_tally {
    uint64_t added_files[ICE_CONTENT_COUNT];
    uint64_t added_rows[ICE_CONTENT_COUNT];
    uint64_t removed_files[ICE_CONTENT_COUNT];
    uint64_t removed_rows[ICE_CONTENT_COUNT];
    uint64_t added_bytes;
    uint64_t removed_bytes;
} ice_tally;

// ---- Steps -------------------------------------------------------------------------------------

typedef enum ice_step_kind { ICE_STEP_CREATE, ICE_STEP_ALTER, ICE_STEP_ROWS } ice_step_kind;

/// What was wanted, in the change's memory.
typedef struct ice_step {
    ice_step_kind kind;
    uint64_t number;                    ///< Of the transaction.
    uint32_t written_count;             ///< Files that there were before it.
    const table_definition *definition; ///< Of ICE_STEP_CREATE.
    const alteration *alteration;       ///< Of ICE_STEP_ALTER.
    bool is_serializable;               ///< Of both: see ice_change_check_left.
    int64_t snapshot_id;                ///< That may come of it.
    // Of ICE_STEP_ROWS.
    ice_row_step rows;      ///< Without the added files: they are in the manifests.
    ice_tally tally;        ///< Of the added files.
    ice_schema schema;      ///< Of the table as the statement saw it.
    int32_t last_column_id; ///< Ids above are of columns that the change has defined.
    uint32_t spec_count;    ///< Specs of the added files, as they were.
    const ice_spec *specs;
    uint32_t partition_count; ///< That added files are in: keys of ice_partition_key, sorted.
    const text *partitions;
    int32_t format_version; ///< Of the table as the statement saw it, as is the next.
    int32_t default_spec_id;
    bool is_of_whole;        ///< Added files are of a spec without partitions: all rows share one.
    uint32_t manifest_count; ///< Of the added files, written.
    const ice_manifest *manifests;
} ice_step;

/// What a step made of the metadata before it.
typedef struct ice_played {
    text updates;        ///< A JSON array; size 0: none.
    text_list forgotten; ///< As in ice_changed.
    int64_t snapshot_id; ///< Of its own; ICE_NO_SNAPSHOT: none.
    text list_path;
    ice_manifest_list list; ///< Of that snapshot.
    // What there was before it.
    const json_node *root_before;
    text json_before;
    ice_metadata metadata_before;
} ice_played;

/// A head, and what all steps make of it.
typedef struct ice_play {
    arena memory;
    text location;         ///< Of the head's metadata file; size 0: the table is new.
    const json_node *head; ///< NULL: likewise.
    const json_node *root; ///< With all steps.
    text json;             ///< The same as text; size 0: the head's.
    ice_metadata metadata; ///< Of `root`. Nothing before the first step of a new table.
    uint32_t count;
    uint32_t capacity;
    ice_played *items; ///< By step.
} ice_play;

/// A file that the change wrote.
typedef enum ice_written_kind {
    ICE_WRITTEN_DATA,     ///< By a sink.
    ICE_WRITTEN_MANIFEST, ///< Also lists of them.
    ICE_WRITTEN_METADATA,
} ice_written_kind;

typedef struct ice_written {
    text path;
    ice_written_kind kind;
} ice_written;

typedef struct ice_table_change {
    table_change base;
    const transaction_env *env;
    const cancel_flag *cancel; ///< Of the call that runs; NULL: the statement's.
    arena memory;              ///< Of steps and paths. The change itself lies in it.
    codec_scratch codecs;
    char uuid[ICE_UUID_SIZE + 1]; ///< In the names of its files.
    uint64_t file_number;         ///< Likewise.
    text branch;                  ///< That alterations are of, and rows of which none is told.
    uint32_t step_count;
    uint32_t step_capacity;
    ice_step *steps;
    ice_play play;
    uint32_t written_count;
    uint32_t written_capacity;
    ice_written *written;
    uint32_t synced_count; ///< Of them, the first ones: they are durable.
    text new_folder;       ///< Of a table that the change makes: where it lies.
    // What was prepared for the head: said again as it is, until there is another head.
    bool is_prepared;
    commit_form form;
    text new_location;   ///< Of COMMIT_POINTER.
    text_list forgotten; ///< In the play's memory.
    bool is_settled;
} ice_table_change;

static inline ice_table_change *ice_table_change_of(table_change *base) {
    return (ice_table_change *)base; // Its first member.
}

static inline const cancel_flag *ice_change_cancel(const ice_table_change *self) {
    return self->cancel != NULL         ? self->cancel
           : self->env->context == NULL ? NULL
                                        : self->env->context->cancel;
}

// ---- Files (iceberg_change_location.c) ---------------------------------------------------------

/// The folder of metadata files, without '/' at its end, in `memory`.
firn_status ice_metadata_folder(const json_node *root, arena *memory, text *out, firn_error *err);
#define ICE_HASHED_FOLDERS_SIZE 24
/// As Java's ObjectStoreLocationProvider: the last bits of a name's murmur3, as folders.
void ice_hashed_folders(text name, char out[ICE_HASHED_FOLDERS_SIZE]);
/// Notes that a file is the change's.
firn_status ice_change_note(ice_table_change *self, ice_written_kind kind, text path,
                            firn_error *err);
/// Notes and writes a file.
firn_status ice_change_write(ice_table_change *self, ice_written_kind kind, text path,
                             bytes content, firn_error *err);
/// Makes what was written durable: before a catalog names it.
firn_status ice_change_sync(ice_table_change *self, arena *scratch, firn_error *err);
/// Removes what was written since there were `count` files.
void ice_change_unwrite(ice_table_change *self, uint32_t count);

// ---- Playing (iceberg_change.c) ----------------------------------------------------------------

/// Reads a head. `location` of size 0: there is none.
firn_status ice_play_open(ice_table_change *self, text location, ice_play *out, firn_error *err);
void ice_play_close(ice_play *self);
/// Plays one more step. After an error the play is as before, and so are the files.
firn_status ice_play_step(ice_table_change *self, ice_play *play, const ice_step *step,
                          firn_error *err);
/// An id that no snapshot has.
firn_status ice_snapshot_id_make(const ice_play *play, int64_t *out, firn_error *err);
/// Plays one more step of the change itself, which it keeps; `written` files are older than it.
firn_status ice_change_add_step(ice_table_change *self, const ice_step *step, uint32_t written,
                                firn_error *err);
/// Where a branch or tag is; ICE_NO_SNAPSHOT if there is none.
int64_t ice_play_ref(const ice_metadata *metadata, text name, bool *is_tag);
/// The same of metadata as JSON.
int64_t ice_root_ref(const json_node *root, text name);
/// The manifests of a snapshot of a play.
firn_status ice_play_manifests(const ice_table_change *self, const ice_play *play,
                               int64_t snapshot_id, arena *memory, ice_manifest_list *out,
                               firn_error *err);
/// The node of a snapshot in the metadata, or NULL.
const json_node *ice_root_snapshot(const json_node *root, int64_t id);
/// What is said of a branch or tag besides where it is; stays as it is if there is none such.
void ice_play_ref_settings(const ice_play *play, text name, ice_new_ref *out);
/// Whether a snapshot is another one, or in its past.
bool ice_is_ancestor(const ice_metadata *metadata, int64_t old, int64_t of);
/// A snapshot that is added to a branch, whose settings stay.
void ice_play_set_branch(const ice_play *play, text branch, int64_t snapshot_id,
                         ice_updates *updates);

// ---- Copies of what was wanted (iceberg_change_copy.c), into `memory` --------------------------

firn_status ice_definition_copy(const table_definition *from, arena *memory,
                                const table_definition **out, firn_error *err);
firn_status ice_alteration_copy(const alteration *from, arena *memory, const alteration **out,
                                firn_error *err);
firn_status ice_row_step_copy(const ice_row_step *from, arena *memory, ice_row_step *out,
                              firn_error *err);

// ---- Kinds of steps: each writes the updates that it comes to ----------------------------------

firn_status ice_play_create(const ice_play *play, const table_definition *wanted, arena *memory,
                            ice_updates *updates, firn_error *err);
firn_status ice_play_alter(ice_table_change *self, ice_play *play, const ice_step *step,
                           ice_played *out, ice_updates *updates, firn_error *err);
firn_status ice_play_rows(ice_table_change *change, ice_play *play, const ice_step *step,
                          ice_played *out, ice_updates *updates, firn_error *err);

// ---- Committing (iceberg_change_commit.c) ------------------------------------------------------

firn_status ice_change_prepare(table_change *base, commit_form form, arena *memory,
                               commit_part *out, firn_error *err);
firn_status ice_change_rebase(table_change *base, table_snapshot *head, firn_error *err);
firn_status ice_change_is_in(table_change *base, table_snapshot *head, bool *out, firn_error *err);
void ice_change_options(const table_change *base, commit_options *in_out);
void ice_change_settle(table_change *base, commit_answer answer);
/// Whether a serializable step that leaves a state of a branch behind (CREATE OR REPLACE TABLE, a
/// rollback, a branch that is set) may be played on `play` (a new head), where `before` is what it
/// was played on: not if it would leave rows behind that others changed meanwhile, and that the
/// transaction has not seen. Errors: FIRN_CONFLICT.
firn_status ice_change_check_left(const ice_table_change *self, const ice_play *before,
                                  const ice_play *play, const ice_step *step, firn_error *err);
/// Whether a step of rows may be played on `play` (a new head), where `before` is what it was
/// played on. Errors: FIRN_CONFLICT.
firn_status ice_change_check_rows(ice_table_change *self, const ice_play *before,
                                  const ice_play *play, const ice_step *step, firn_error *err);

#endif
