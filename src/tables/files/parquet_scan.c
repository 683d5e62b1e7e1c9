#include "tables/files/parquet_scan.h"

#include "io/io_path.h"
#include "io/io_wakeup.h"
#include "memory/pool.h"

#define MEMORY_MAX ((size_t)1 << 40)

struct parquet_scan {
    parquet_scan_columns columns;
    const scan_env *env;
    parquet_scan_target target;
    arena memory;      // Of this struct.
    arena file_memory; // Of the file that is read: picks.
    pq_opener *opener;
    pq_file *file;
    pq_pick *picks;
    pq_reader *reader;
    scan_counters counters;
};

firn_status parquet_scan_open(const parquet_scan_columns *columns, const scan_env *env,
                              parquet_scan **out, firn_error *err) {
    arena memory = arena_open_in(env->pool, MEMORY_MAX);
    parquet_scan *self = ARENA_NEW(&memory, parquet_scan, 1);
    if (self == NULL) {
        firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    *self = (parquet_scan){.columns = *columns,
                           .env = env,
                           .memory = memory,
                           .file_memory = arena_open_in(env->pool, MEMORY_MAX)};
    *out = self;
    return FIRN_OK;
}

static void add_reader(parquet_scan *self) {
    if (self->reader == NULL) {
        return;
    }
    const pq_reader_counters read = pq_reader_count(self->reader);
    self->counters.row_groups += read.row_groups_seen;
    self->counters.row_groups_pruned_statistics += read.pruned_statistics;
    self->counters.row_groups_pruned_dynamic += read.pruned_dynamic;
    self->counters.row_groups_pruned_bloom += read.pruned_bloom;
    self->counters.row_groups_pruned_dictionary += read.pruned_dictionary;
    self->counters.pages += read.pages;
    self->counters.pages_cached += read.pages_cached;
    self->counters.pages_pruned += read.pages_skipped;
    self->counters.pages_pruned_index += read.pages_pruned;
    self->counters.rows_read += read.rows;
    self->counters.rows_deleted += read.rows_deleted;
    self->counters.rows_filtered += read.rows_filtered;
    self->counters.values_decoded += read.values_decoded;
    self->counters.bytes_read += read.bytes;
}

static void end_file(parquet_scan *self) {
    add_reader(self);
    pq_reader_close(self->reader);
    pq_opener_close(self->opener);
    pq_file_release(self->file);
    self->reader = NULL;
    self->opener = NULL;
    self->file = NULL;
    arena_reset(&self->file_memory);
}

void parquet_scan_close(parquet_scan *self) {
    if (self != NULL) {
        end_file(self);
        arena_close(&self->file_memory);
        arena memory = self->memory;
        arena_close(&memory);
    }
}

static io_request request_of(const parquet_scan *self) {
    return (io_request){.cancel = self->env->cancel, .waker = io_waker_of(self->env->wakeup)};
}

// Which row groups begin in a range of bytes. One that is said to begin before those in front of it
// belongs to them: every row group is in one range, and those of a range are neighbours.
static parquet_part part_of_bytes(const pq_file *file, uint64_t from, uint64_t to) {
    const uint32_t count = pq_file_row_group_count(file);
    parquet_part out = {.first_row_group = count, .to = UINT64_MAX};
    uint64_t start = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t own = file->metadata->schema->leaf_count == 0
                                 ? 0
                                 : pq_chunk_place(file->metadata, i, 0).offset;
        start = own > start ? own : start;
        if (start >= from && start < to) {
            out.first_row_group = out.row_group_count == 0 ? i : out.first_row_group;
            out.row_group_count++;
        }
    }
    return out;
}

// Begins with the row groups, or the rows of one, that the target names.
static void start(parquet_scan *self) {
    const parquet_scan_target *target = &self->target;
    const parquet_part part =
        target->begins_to == 0 ? target->part
                               : part_of_bytes(self->file, target->begins_from, target->begins_to);
    const uint32_t groups = pq_file_row_group_count(self->file);
    const uint32_t first = part.first_row_group < groups ? part.first_row_group : groups;
    const uint32_t left = groups - first;
    const uint32_t count = part.row_group_count < left ? part.row_group_count : left;
    if (count == 1) {
        pq_reader_start_rows(self->reader, first, part.from, part.to);
    } else {
        pq_reader_start(self->reader, first, count);
    }
}

static bool is_open(const parquet_scan *self, const parquet_scan_target *target) {
    return self->file != NULL &&
           (target->file == NULL
                ? target->is_immutable && text_equal(target->path, pq_file_path(self->file))
                : target->file == self->file);
}

firn_status parquet_scan_begin(parquet_scan *self, const parquet_scan_target *target,
                               firn_error *err) {
    const bool keeps_reader = self->reader != NULL && is_open(self, target);
    if (!keeps_reader) {
        end_file(self);
    }
    self->target = *target;
    if (keeps_reader) { // And its buffers: another part of the file.
        start(self);
        return FIRN_OK;
    }
    if (target->file != NULL) {
        self->file = pq_file_retain(target->file);
        return FIRN_OK;
    }
    io_file *input;
    const io_open_options options = {.cancel = self->env->cancel,
                                     .is_immutable = target->is_immutable};
    const io_request request = request_of(self);
    TRY(io_file_open(self->env->io, target->path, &options, &input, err));
    firn_status status =
        pq_opener_open(input, &self->target.options, self->env->pool, &request, &self->opener, err);
    io_file_release(input);
    return status;
}

static firn_status open_reader(parquet_scan *self, firn_error *err) {
    const parquet_scan_columns *columns = &self->columns;
    self->picks = ARENA_NEW(&self->file_memory, pq_pick, (size_t)columns->count + 1);
    if (self->picks == NULL) {
        return ARENA_FULL(&self->file_memory, err);
    }
    const firn_status status =
        self->target.pick(self->target.user, self->file, &self->file_memory, self->picks, err);
    if (status != FIRN_OK) {
        io_path_while(err, "reading", pq_file_path(self->file));
        return status;
    }
    const pq_reader_options options = {
        .owner = self->env->pool,
        .codecs = self->env->codecs,
        .cache = self->env->cache,
        .cache_query = self->env->cache_query,
        .request = request_of(self),
        .batch_rows = self->env->batch_rows,
        .memory_bytes = self->env->reader_bytes,
        .verify_checksums = self->target.verify_checksums,
        .filter = {.conjuncts = columns->filters,
                   .ids = columns->ids,
                   .context = self->env->context,
                   .dynamic = self->env->dynamic},
        .deletes = self->target.deletes,
        .filter_only_count = columns->filter_only_count,
    };
    return pq_reader_open(self->file, self->picks, columns->count, &options, &self->reader, err);
}

firn_status parquet_scan_next(parquet_scan *self, batch *out, scan_answer *answer,
                              firn_error *err) {
    pq_answer read;
    *answer = SCAN_WAIT;
    if (self->file == NULL) {
        TRY(pq_opener_next(self->opener, &self->file, &read, err));
        if (read == PQ_WAIT) {
            return FIRN_OK;
        }
        pq_opener_close(self->opener);
        self->opener = NULL;
    }
    if (self->reader == NULL) {
        TRY(open_reader(self, err));
        start(self);
    }
    TRY(pq_reader_next(self->reader, out, &read, err));
    *answer = read == PQ_END ? SCAN_END : read == PQ_WAIT ? SCAN_WAIT : SCAN_READY;
    return FIRN_OK;
}

void parquet_scan_counters(const parquet_scan *self, scan_counters *add_to) {
    parquet_scan copy = *self;
    add_reader(&copy);
#define X(member, words) add_to->member += copy.counters.member;
    SCAN_COUNTER_LIST(X)
#undef X
}
