// Parquet files of a table: columns by field id.
#include "tables/files/parquet_scan.h"
#include "tables/iceberg/iceberg_data.h"

#define READER_BYTES_MAX ((size_t)1 << 30)

typedef struct parquet_data {
    ice_data_reader base;
    const ice_read *what;
    text path;
    arena memory;
    parquet_scan *scan;
    // While picks are made.
    const pq_file *file;
    arena *picks;
} parquet_data;

pq_file_options ice_parquet_options(void) {
    return (pq_file_options){.types = {.ignore_arrow_hint = true, .int96_in_micros = true}};
}

// ---- Columns -----------------------------------------------------------------------------------

static firn_status constant_of(parquet_data *self, const type *of, const column *value,
                               pq_pick *out, firn_error *err) {
    if (value == NULL) {
        return pq_pick_null(of, self->picks, out, err);
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

static pq_file_field find_by_id(const pq_file *file, const int32_t *path, uint32_t path_length) {
    const text unnamed = {0};
    pq_file_field at = pq_file_find(file, PQ_MATCH_ID, unnamed, path[0]);
    for (uint32_t i = 1; i < path_length && at.node != NULL; i++) {
        at = at.type->id == TYPE_STRUCT ? pq_file_find_child(&at, PQ_MATCH_ID, unnamed, path[i])
                                        : (pq_file_field){.node = NULL};
    }
    return at;
}

static pq_file_field find_by_name(const pq_file *file, const ice_mapping *mapping,
                                  const int32_t *path, uint32_t path_length,
                                  const ice_mapping **below) {
    const field *found = ice_mapping_find(mapping, &file->types.columns, path[0], below);
    if (found == NULL) {
        return (pq_file_field){.node = NULL};
    }
    pq_file_field at = pq_file_column(file, (uint32_t)(found - file->types.columns.fields));
    for (uint32_t i = 1; i < path_length; i++) {
        const schema fields = {.count = at.type->child_count, .fields = at.type->children};
        found =
            at.type->id == TYPE_STRUCT ? ice_mapping_find(*below, &fields, path[i], below) : NULL;
        if (found == NULL) {
            return (pq_file_field){.node = NULL};
        }
        at =
            (pq_file_field){.node = &at.node->children[found - fields.fields], .type = found->type};
    }
    return at;
}

pq_file_field ice_parquet_find(const pq_file *file, const ice_mapping *mapping, const int32_t *path,
                               uint32_t path_length, const ice_mapping **below) {
    *below = NULL;
    return ice_schema_has_ids(&file->types.columns)
               ? find_by_id(file, path, path_length)
               : find_by_name(file, mapping, path, path_length, below);
}

static firn_status make_pick(parquet_data *self, const ice_wanted *wanted, bool has_ids,
                             pq_pick *out, firn_error *err) {
    if (wanted->is_position) {
        *out = pq_pick_position();
        return FIRN_OK;
    }
    const ice_mapping *below;
    const pq_file_field found = ice_parquet_find(self->file, self->what->mapping, wanted->path,
                                                 wanted->path_length, &below);
    if (found.node == NULL || wanted->type->id == TYPE_NULL) {
        return constant_of(self, wanted->type, wanted->missing, out, err);
    }
    const type *as = wanted->type;
    if (!has_ids) {
        as = ice_mapping_rename(below, found.type, wanted->type, self->picks);
        if (as == NULL) {
            return ARENA_FULL(&self->memory, err);
        }
    }
    TRY(pq_pick_make(self->file, &found, as, has_ids ? PQ_MATCH_ID : PQ_MATCH_NAME, self->picks,
                     out, err));
    return finish_pick(self, out, wanted->type, err);
}

static firn_status make_picks(void *user, const pq_file *file, arena *memory, pq_pick *picks,
                              firn_error *err) {
    parquet_data *self = user;
    uint64_t rows = 0;
    for (uint32_t i = 0; i < pq_file_row_group_count(file); i++) {
        rows += pq_file_rows_of(file, i);
    }
    TRY(ice_data_check_rows(self->what, rows, err));
    const bool has_ids = ice_schema_has_ids(&file->types.columns);
    self->file = file;
    self->picks = memory;
    for (uint32_t i = 0; i < self->what->count; i++) {
        TRY(make_pick(self, &self->what->columns[i], has_ids, &picks[i], err));
    }
    return FIRN_OK;
}

// ---- Rows --------------------------------------------------------------------------------------

static firn_status begin_part(ice_data_reader *base, firn_error *err) {
    parquet_data *self = (parquet_data *)base; // Its first member.
    const ice_part *part = &self->what->part;
    const parquet_scan_target target = {
        .path = self->path,
        .file = part->file,
        .is_immutable = true,
        .options = ice_parquet_options(),
        .part = part->part,
        .begins_from = part->begins_from,
        .begins_to = part->begins_to,
        .deletes = {.find = self->what->is_deleted, .user = self->what->user},
        .pick = make_picks,
        .user = self,
    };
    return parquet_scan_begin(self->scan, &target, err);
}

static void close_reader(ice_data_reader *base) {
    parquet_data *self = (parquet_data *)base;
    parquet_scan_close(self->scan);
    arena memory = self->memory;
    arena_close(&memory);
}

static firn_status open_scan(parquet_data *self, const scan_env *env, firn_error *err) {
    const ice_read *what = self->what;
    uint32_t *ids = ARENA_NEW(&self->memory, uint32_t, (size_t)what->count + 1);
    if (ids == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < what->count; i++) {
        ids[i] = what->columns[i].id;
    }
    const parquet_scan_columns columns = {.count = what->count,
                                          .filter_only_count = what->count - what->output_count,
                                          .ids = ids,
                                          .filters = what->filters};
    return parquet_scan_open(&columns, env, &self->scan, err);
}

static firn_status open_reader(text path, const ice_read *what, const scan_env *env,
                               ice_data_reader **out, firn_error *err) {
    arena memory = arena_open_in(env->pool, READER_BYTES_MAX);
    parquet_data *self = ARENA_NEW(&memory, parquet_data, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (parquet_data){
        .base = {.kind = &ice_parquet_data}, .what = what, .path = path, .memory = memory};
    firn_status status = open_scan(self, env, err);
    status = status == FIRN_OK ? begin_part(&self->base, err) : status;
    if (status != FIRN_OK) {
        close_reader(&self->base);
        return status;
    }
    *out = &self->base;
    return FIRN_OK;
}

static firn_status next(ice_data_reader *base, arena *scratch, batch *out, scan_answer *answer,
                        firn_error *err) {
    (void)scratch;
    return parquet_scan_next(((parquet_data *)base)->scan, out, answer, err);
}

static void counters(const ice_data_reader *base, scan_counters *add_to) {
    parquet_scan_counters(((const parquet_data *)base)->scan, add_to);
}

const ice_data_kind ice_parquet_data = {
    .format = "parquet",
    .open = open_reader,
    .reopen = begin_part,
    .next = next,
    .counters = counters,
    .close = close_reader,
};
