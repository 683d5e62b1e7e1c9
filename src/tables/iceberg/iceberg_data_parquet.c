// Parquet files of a table: columns by field id, row groups that begin in the task's bytes.
#include "formats/parquet/pq_reader.h"
#include "io/io_wakeup.h"
#include "tables/iceberg/iceberg_data.h"

#define READER_BYTES_MAX ((size_t)1 << 30)

typedef struct parquet_data {
    ice_data_reader base;
    const ice_read *what;
    const scan_env *env;
    arena memory;
    io_request request;
    pq_opener *opener;
    pq_file *file;
    pq_reader *reader;
    uint32_t group; // The next row group to look at.
    bool is_started;
} parquet_data;

static void close_reader(ice_data_reader *base) {
    parquet_data *self = (parquet_data *)base; // Its first member.
    pq_reader_close(self->reader);
    pq_opener_close(self->opener);
    pq_file_release(self->file);
    arena memory = self->memory;
    arena_close(&memory);
}

static firn_status open_reader(io_file *file, const ice_read *what, const scan_env *env,
                               ice_data_reader **out, firn_error *err) {
    arena memory = arena_open(READER_BYTES_MAX);
    parquet_data *self = ARENA_NEW(&memory, parquet_data, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (parquet_data){.base = {.kind = &ice_parquet_data}, .what = what, .env = env};
    self->request.cancel = env->cancel;
    if (env->wakeup != NULL) {
        self->request.waker = io_waker_of(env->wakeup);
    }
    const pq_file_options options = {.types = {.ignore_arrow_hint = true, .int96_in_micros = true}};
    self->memory = memory;
    const firn_status status =
        pq_opener_open(file, &options, env->pool, &self->request, &self->opener, err);
    if (status != FIRN_OK) {
        close_reader(&self->base);
        return status;
    }
    *out = &self->base;
    return FIRN_OK;
}

// ---- Columns -----------------------------------------------------------------------------------

static firn_status constant_of(parquet_data *self, const type *of, const column *value,
                               pq_pick *out, firn_error *err) {
    if (value == NULL) {
        return pq_pick_null(of, &self->memory, out, err);
    }
    *out = pq_pick_constant(value);
    return FIRN_OK;
}

// Gives fields that the file lacks their defaults, and what was renamed its own type back.
static firn_status finish_pick(parquet_data *self, pq_pick *pick, const type *wanted,
                               firn_error *err) {
    pick->type = wanted;
    for (uint32_t i = 0; i < pick->child_count; i++) {
        const field *child = &wanted->children[i];
        if (pick->children[i].kind != PQ_PICK_CONSTANT) {
            TRY(finish_pick(self, &pick->children[i], child->type, err));
            continue;
        }
        const column *value =
            self->what->schema == NULL ? NULL : ice_schema_default(self->what->schema, child->id);
        TRY(constant_of(self, child->type, value, &pick->children[i], err));
    }
    return FIRN_OK;
}

// The field behind a path of ids, by the ids of the file.
static pq_file_field find_by_id(const pq_file *file, const ice_wanted *wanted) {
    const text unnamed = {0};
    pq_file_field at = pq_file_find(file, PQ_MATCH_ID, unnamed, wanted->path[0]);
    for (uint32_t i = 1; i < wanted->path_length && at.node != NULL; i++) {
        at = at.type->id == TYPE_STRUCT
                 ? pq_file_find_child(&at, PQ_MATCH_ID, unnamed, wanted->path[i])
                 : (pq_file_field){.node = NULL};
    }
    return at;
}

// The same by the name mapping; *below is the mapping of its children.
static pq_file_field find_by_name(const pq_file *file, const ice_mapping *mapping,
                                  const ice_wanted *wanted, const ice_mapping **below) {
    const field *found = ice_mapping_find(mapping, &file->types.columns, wanted->path[0], below);
    if (found == NULL) {
        return (pq_file_field){.node = NULL};
    }
    pq_file_field at = pq_file_column(file, (uint32_t)(found - file->types.columns.fields));
    for (uint32_t i = 1; i < wanted->path_length; i++) {
        const schema fields = {.count = at.type->child_count, .fields = at.type->children};
        found = at.type->id == TYPE_STRUCT
                    ? ice_mapping_find(*below, &fields, wanted->path[i], below)
                    : NULL;
        if (found == NULL) {
            return (pq_file_field){.node = NULL};
        }
        at =
            (pq_file_field){.node = &at.node->children[found - fields.fields], .type = found->type};
    }
    return at;
}

static firn_status make_pick(parquet_data *self, const ice_wanted *wanted, bool has_ids,
                             pq_pick *out, firn_error *err) {
    if (wanted->is_position) {
        *out = pq_pick_position();
        return FIRN_OK;
    }
    const ice_mapping *below = NULL;
    const pq_file_field found = has_ids
                                    ? find_by_id(self->file, wanted)
                                    : find_by_name(self->file, self->what->mapping, wanted, &below);
    if (found.node == NULL || wanted->type->id == TYPE_NULL) {
        return constant_of(self, wanted->type, wanted->missing, out, err);
    }
    const type *as = wanted->type;
    if (!has_ids) {
        as = ice_mapping_rename(below, found.type, wanted->type, &self->memory);
        if (as == NULL) {
            return ARENA_FULL(&self->memory, err);
        }
    }
    TRY(pq_pick_make(self->file, &found, as, has_ids ? PQ_MATCH_ID : PQ_MATCH_NAME, &self->memory,
                     out, err));
    return finish_pick(self, out, wanted->type, err);
}

static firn_status begin(parquet_data *self, firn_error *err) {
    const ice_read *what = self->what;
    pq_pick *picks = ARENA_NEW(&self->memory, pq_pick, (size_t)what->count + 1);
    uint32_t *ids = ARENA_NEW(&self->memory, uint32_t, (size_t)what->count + 1);
    if (picks == NULL || ids == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    const bool has_ids = ice_schema_has_ids(&self->file->types.columns);
    for (uint32_t i = 0; i < what->count; i++) {
        ids[i] = what->columns[i].id;
        const firn_status status = make_pick(self, &what->columns[i], has_ids, &picks[i], err);
        if (status != FIRN_OK) {
            err_while(err, "reading %.*s", TEXT_ARGS(pq_file_path(self->file)));
            return status;
        }
    }
    const pq_reader_options options = {
        .owner = self->env->pool,
        .codecs = self->env->codecs,
        .cache = self->env->cache,
        .cache_query = self->env->cache_query,
        .request = self->request,
        .batch_rows = self->env->batch_rows,
        .memory_bytes = self->env->reader_bytes,
        .filter = {.conjuncts = what->filters,
                   .ids = ids,
                   .context = self->env->context,
                   .dynamic = self->env->dynamic},
        .deletes = {.find = what->is_deleted, .user = what->user},
        .filter_only_count = what->count - what->output_count,
    };
    return pq_reader_open(self->file, picks, what->count, &options, &self->reader, err);
}

// ---- Rows --------------------------------------------------------------------------------------

// A row group belongs to the part of the file in which its first column chunk begins.
static bool is_mine(const parquet_data *self, uint32_t group) {
    const pq_metadata *metadata = self->file->metadata;
    if (metadata->schema->leaf_count == 0) {
        return self->what->from == 0;
    }
    const uint64_t start = pq_chunk_place(metadata, group, 0).offset;
    return start >= self->what->from && start < self->what->to;
}

// Begins the next row groups in a row that are this task's; the reader prunes them.
static void start_groups(parquet_data *self) {
    const uint32_t count = pq_file_row_group_count(self->file);
    while (self->group < count && !is_mine(self, self->group)) {
        self->group++;
    }
    const uint32_t first = self->group;
    while (self->group < count && is_mine(self, self->group)) {
        self->group++;
    }
    self->is_started = self->group > first;
    if (self->is_started) {
        pq_reader_start(self->reader, first, self->group - first);
    }
}

static firn_status next(ice_data_reader *base, arena *scratch, batch *out, scan_answer *answer,
                        firn_error *err) {
    (void)scratch;
    parquet_data *self = (parquet_data *)base;
    pq_answer got = PQ_READY;
    if (self->file == NULL) {
        TRY(pq_opener_next(self->opener, &self->file, &got, err));
        if (got == PQ_WAIT) {
            *answer = SCAN_WAIT;
            return FIRN_OK;
        }
    }
    if (self->reader == NULL) {
        TRY(begin(self, err));
    }
    while (self->is_started || self->group < pq_file_row_group_count(self->file)) {
        if (!self->is_started) {
            start_groups(self);
        }
        if (self->is_started) {
            TRY(pq_reader_next(self->reader, out, &got, err));
        }
        if (self->is_started && got != PQ_END) {
            *answer = got == PQ_WAIT ? SCAN_WAIT : SCAN_READY;
            return FIRN_OK;
        }
        self->is_started = false;
    }
    *answer = SCAN_END;
    return FIRN_OK;
}

static void counters(const ice_data_reader *base, scan_counters *add_to) {
    const parquet_data *self = (const parquet_data *)base;
    if (self->reader != NULL) {
        const pq_reader_counters got = pq_reader_count(self->reader);
        add_to->row_groups += got.row_groups_seen;
        add_to->row_groups_pruned_statistics += got.pruned_statistics;
        add_to->row_groups_pruned_dynamic += got.pruned_dynamic;
        add_to->row_groups_pruned_bloom += got.pruned_bloom;
        add_to->row_groups_pruned_dictionary += got.pruned_dictionary;
        add_to->pages += got.pages;
        add_to->pages_pruned += got.pages_skipped;
        add_to->pages_pruned_index += got.pages_pruned;
        add_to->rows_read += got.rows;
        add_to->rows_deleted += got.rows_deleted;
        add_to->rows_filtered += got.rows_filtered;
        add_to->values_decoded += got.values_decoded;
        add_to->bytes_read += got.bytes;
    }
}

const ice_data_kind ice_parquet_data = {
    .format = "parquet",
    .open = open_reader,
    .next = next,
    .counters = counters,
    .close = close_reader,
};
