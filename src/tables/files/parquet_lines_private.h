// The state of rows on their way into Parquet files: what waits, lanes and groups, under one lock.
// Its parts: rows that come in (parquet_lines.c) or are gathered first (parquet_lines_gather.c),
// the line (parquet_lines_line.c), partitions (parquet_lines_places.c), lanes and files
// (parquet_lines_work.c).
#ifndef FIRN_TABLES_FILES_PARQUET_LINES_PRIVATE_H
#define FIRN_TABLES_FILES_PARQUET_LINES_PRIVATE_H

#include "memory/name_index.h"
#include "memory/pool.h"
#include "tables/files/parquet_lines.h"
#include "threads/wakeup_list.h"

#define SPARE_COUNT 32

typedef struct lane_measure {
    uint64_t size;   // Of the chunks of a lane in a group, as far as it has come, …
    uint64_t memory; // … and their memory.
} lane_measure;

typedef struct out_group {
    pw_group *group;
    struct place *of;
    text partition;
    uint32_t lanes_left; // That have not finished their columns.
    bool ends_file;
    bool is_ended; // No more rows come.
    lane_measure *measures;
    lane_measure whole;          // Of all lanes.
    struct out_group *following; // Among those that are to be written.
} out_group;

// Where rows of a partition go: a row group, a file. Without fan-out there is one place, for the
// partition whose turn it is.
typedef struct place {
    text partition;         // Of the last group that began.
    out_group *group;       // NULL: none is being filled.
    uint64_t group_rows;    // Of that one.
    uint64_t file_bytes;    // Of ended groups of the file, about.
    uint64_t touched;       // When rows came last.
    bool keeps_file;        // Its file goes on after the groups that ended.
    struct place *open;     // Among those with a group, …
    struct place *previous; // … in both directions.
    pw_file *file;          // Of who is writing, and of `end`; NULL: none is open.
    text file_partition;    // Likewise, …
    void *file_token;       // … what `next` has said.
} place;

// Rows that were pushed at once.
typedef struct staged {
    arena memory; // Holds this; or, of a single worker, nothing does.
    bool is_borrowed;
    batch rows; // Only the columns of the file.
    uint64_t arrival;
    uint64_t bytes;
    uint32_t use_count; // Items of the line that need it, and one until it is in the line whole.
    uint32_t admitted;  // Rows that are in the line, and of the runs …
    uint32_t run;       // … the one that comes next.
    parquet_runs runs;  // Without partitions one.
    place **places;     // With fan-out: of each run.
    struct staged *following;
} staged;

// A piece of the line: rows for a group, or its end.
typedef struct item {
    staged *rows; // NULL: the end of the group.
    uint32_t from;
    uint32_t count;
    uint64_t bytes; // Of those rows where they wait, about.
    out_group *group;
    uint32_t lanes_left;
    struct item *following;
} item;

typedef struct lane {
    item *next;    // NULL: through with the line.
    uint64_t done; // Items.
    bool is_claimed;
} lane;

struct parquet_lines {
    const parquet_lines_user *user;
    void *of_user;
    scan_env env;
    arena memory; // Of what is below; under the lock.
    pool *keeper; // NULL until the first worker comes.
    const pw_schema *schema;
    pw_options options;
    uint64_t file_size;
    bool syncs_later;
    bool has_file;
    uint64_t min_bytes;
    uint32_t width;          // Columns in the files, …
    const uint32_t *columns; // … and where they come from.
    mutex lock;
    uint64_t complete;
    uint64_t arrivals;
    staged *early; // In order.
    uint64_t held_bytes;
    item *first; // The line: those that some lane is not through with.
    item *last;
    item *spare_items;
    uint64_t line_bytes;
    lane *lanes;
    place only;       // Without fan-out.
    uint32_t fan_out; // 0: partitions come one after the other.
    name_index keys;  // With it: of all partitions that were met, …
    place **places;   // … by number.
    uint32_t place_capacity;
    place *open; // With a group.
    uint32_t open_count;
    uint32_t kept_count; // With a file that goes on.
    uint64_t touches;
    uint64_t open_memory; // Of open groups.
    uint32_t ended_count; // Groups that are in memory still.
    out_group *ready;     // To be written, in order.
    out_group *ready_last;
    bool is_writing;
    uint64_t spare_bytes;
    uint32_t spare_count;
    arena spares[SPARE_COUNT];
    wakeup_list waiting;
    uint32_t idle_count;
    pw_worker *idle; // Of pieces that wait; one a worker at most.
    uint64_t row_count;
    staged alone; // What a single worker is at.
};

// Columns of a batch, for a while.
typedef struct gathered_piece {
    uint32_t row_count;
    const column *columns; // Compact and flat.
    uint32_t *positions;   // Numbers of the rows' partitions, then where the rows go.
    struct gathered_piece *following;
} gathered_piece;

// With fan-out: the rows of a worker's pushes until they are many.
typedef struct gathering_rows {
    arena plain; // Columns whose values are moved to where their partitions are.
    arena texts; // What values point to: becomes that of what is staged.
    gathered_piece *first;
    gathered_piece *last;
    uint32_t row_count;
    uint64_t bytes;
} gathering_rows;

struct parquet_lines_worker {
    parquet_lines *owner;
    const scan_env *env;
    pw_worker with;
    column *columns;
    gathering_rows gathered;
};

static inline uint64_t lines_at_most(uint64_t value, uint64_t most) {
    return value < most ? value : most;
}

static inline uint64_t lines_at_least(uint64_t value, uint64_t least) {
    return value > least ? value : least;
}

// ---- parquet_lines.c ---------------------------------------------------------------------------

/// The columns of the file; valid until the worker's next call.
batch lines_file_columns(parquet_lines_worker *self, const batch *rows);
/// Memory for rows that are staged.
arena lines_take_spare(parquet_lines *self);

// ---- parquet_lines_gather.c --------------------------------------------------------------------

/// Is there nothing to be staged before these rows are gathered?
bool lines_can_gather(const parquet_lines_worker *self, const batch *rows);
firn_status lines_gather(parquet_lines_worker *self, const batch *rows, firn_error *err);
/// What was gathered, by partition; there is at least a row.
firn_status lines_stage_gathered(parquet_lines_worker *self, staged **out, firn_error *err);
void lines_close_gathered(parquet_lines_worker *self);

// ---- parquet_lines_places.c --------------------------------------------------------------------

/// With fan-out: the number of the partition of that key, which is copied.
firn_status lines_find_place(parquet_lines *self, text key, uint32_t *number, firn_error *err)
    REQUIRES(&self->lock);
/// There is memory for another group. One has to end before if there are too many of them.
firn_status lines_begin_group(parquet_lines *self, place *at, text partition, firn_error *err)
    REQUIRES(&self->lock);
firn_status lines_end_group(parquet_lines *self, place *at, bool ends_file, firn_error *err)
    REQUIRES(&self->lock);
/// A group was written: its file may have ended before it was meant to.
void lines_note_written(parquet_lines *self, place *at) REQUIRES(&self->lock);
/// Of all groups: their files end, too.
firn_status lines_end_groups(parquet_lines *self, firn_error *err) REQUIRES(&self->lock);
/// Is there so little memory that a group should end?
bool lines_is_short(const parquet_lines *self) REQUIRES(&self->lock);
/// The one that has most; NULL: there is none.
place *lines_largest_place(const parquet_lines *self) REQUIRES(&self->lock);
/// A lane has come further in a group.
void lines_measure(parquet_lines *self, out_group *group, uint32_t lane, lane_measure now)
    REQUIRES(&self->lock);

// ---- parquet_lines_line.c ----------------------------------------------------------------------

#define LINES_GROUPS_MAX 2 // One that is being filled, one whose last columns are being encoded.

firn_status lines_add_item(parquet_lines *self, const item *content, firn_error *err)
    REQUIRES(&self->lock);
/// For rows that wait, and for the memory of those that did.
uint64_t lines_queue_bytes(const parquet_lines *self);
/// The next rows for one group go into the line; *did is false if there may be no more groups yet.
firn_status lines_admit(parquet_lines *self, staged *rows, bool *did, firn_error *err)
    REQUIRES(&self->lock);
/// Puts rows among those that wait for their turn.
void lines_add_early(parquet_lines *self, staged *made) REQUIRES(&self->lock);
/// Whose turn has come goes into the line, as far as there may be another group.
firn_status lines_admit_early(parquet_lines *self, firn_error *err) REQUIRES(&self->lock);
/// All lanes are through with the first item of the line.
void lines_retire_first(parquet_lines *self) REQUIRES(&self->lock);
/// No more rows come.
firn_status lines_end_line(parquet_lines *self, firn_error *err) REQUIRES(&self->lock);

// ---- parquet_lines_work.c ----------------------------------------------------------------------

/// Does one thing that is to be done; *did is false if there is nothing that nobody does.
firn_status lines_work(parquet_lines *self, pw_worker *with, bool *did, firn_error *err)
    REQUIRES(&self->lock);
bool lines_is_idle(const parquet_lines *self);
/// Of who is writing, or when nobody is.
firn_status lines_open_file(const parquet_lines *self, place *at, text partition, firn_error *err);
firn_status lines_finish_file(const parquet_lines *self, place *at, firn_error *err);
void lines_measure_lane(const parquet_lines *self, uint32_t column, const out_group *at,
                        lane_measure *out);

#endif
