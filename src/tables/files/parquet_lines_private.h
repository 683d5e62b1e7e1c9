// The state of rows on their way into Parquet files: what waits, lanes and groups, under one lock.
// Its parts: rows that come in (parquet_lines.c), the line (parquet_lines_line.c), lanes and files
// (parquet_lines_work.c).
#ifndef FIRN_TABLES_FILES_PARQUET_LINES_PRIVATE_H
#define FIRN_TABLES_FILES_PARQUET_LINES_PRIVATE_H

#include "memory/pool.h"
#include "tables/files/parquet_lines.h"
#include "threads/wakeup_list.h"

#define SPARE_COUNT 32

typedef struct out_group {
    pw_group *group;
    uint32_t lanes_left; // That have not finished their columns.
    bool ends_file;
    text partition;
    struct out_group *following; // Among those that are to be written.
} out_group;

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
    const out_group *measured; // The group that it was last at, …
    uint64_t size;             // … of its chunks there …
    uint64_t memory;           // … and their memory.
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
    bool has_file;
    uint64_t min_bytes;
    uint32_t width;         // Columns in the files, …
    const uint32_t *places; // … and where they come from.
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
    out_group *group; // NULL: none is being filled.
    text partition;   // Of the last one that began.
    uint64_t group_rows;
    uint64_t file_bytes;  // Of ended groups of the file, about.
    uint32_t group_count; // In memory.
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
    staged alone;        // What a single worker is at.
    pw_file *file;       // Of who is writing, and of `end`.
    text file_partition; // Likewise.
};

struct parquet_lines_worker {
    parquet_lines *owner;
    const scan_env *env;
    pw_worker with;
    column *columns;
};

static inline uint64_t lines_at_most(uint64_t value, uint64_t most) {
    return value < most ? value : most;
}

static inline uint64_t lines_at_least(uint64_t value, uint64_t least) {
    return value > least ? value : least;
}

// ---- parquet_lines_line.c ----------------------------------------------------------------------

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
firn_status lines_open_file(parquet_lines *self, text partition, firn_error *err);
firn_status lines_finish_file(parquet_lines *self, firn_error *err);

#endif
