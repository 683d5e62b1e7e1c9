// Reads the tasks of a table of Parquet files: where its columns come from in each file.
#include "base/date_text.h"
#include "base/number_text.h"
#include "io/hive_keys.h"
#include "io/io_path.h"
#include "tables/files/parquet_files_private.h"
#include "tables/files/parquet_scan.h"

#define MEMORY_MAX ((size_t)1 << 40)

struct scan_reader {
    const parquet_files *table;
    const scan_request *request;
    const parquet_task *task;
    parquet_scan *scan;
    scan_counters counters; // Of files.
    arena memory;
};

// ---- Columns that are not in files -------------------------------------------------------------

static firn_status constant_text(text value, arena *memory, column *out, firn_error *err) {
    TRY(column_new(memory, TYPE_OF(VARCHAR), 1, out, err));
    *COLUMN_OUT(out, string_value) = string_of(value.data, (uint32_t)value.size);
    return FIRN_OK;
}

// The value of a folder's key, of the type that all of them have.
static firn_status constant_key(const hive_key *key, const type *wanted, arena *memory, column *out,
                                firn_error *err) {
    if (wanted->id == TYPE_VARCHAR) {
        return constant_text(key->value, memory, out, err);
    }
    TRY(column_new(memory, wanted, 1, out, err));
    const bool is_read = wanted->id == TYPE_DATE
                             ? date_parse_date(key->value, COLUMN_OUT(out, int32_t)) == DATE_OK
                             : number_parse_i64(key->value, COLUMN_OUT(out, int64_t)) == NUMBER_OK;
    return is_read ? FIRN_OK
                   : FAIL(err, FIRN_INVALID, "\"%.*s\" is neither number nor date",
                          TEXT_ARGS(key->value));
}

static firn_status pick_key(const parquet_files *self, uint32_t file, uint32_t number,
                            arena *memory, pq_pick *out, firn_error *err) {
    const field *wanted = &self->base.columns.fields[number];
    hive_keys keys;
    TRY(hive_keys_read(self->files[file].path, memory, &keys, err));
    for (uint32_t i = 0; i < keys.count; i++) {
        if (text_equal(keys.items[i].name, wanted->name) && !keys.items[i].is_null) {
            column *made = ARENA_NEW(memory, column, 1);
            if (made == NULL) {
                return ARENA_FULL(memory, err);
            }
            TRY(constant_key(&keys.items[i], wanted->type, memory, made, err));
            made->form = FORM_CONSTANT;
            *out = pq_pick_constant(made);
            return FIRN_OK;
        }
    }
    return pq_pick_null(wanted->type, memory, out, err);
}

firn_status parquet_constant_column(const parquet_files *self, uint32_t file, uint32_t number,
                                    arena *memory, pq_pick *out, firn_error *err) {
    if (self->kinds[number] == COLUMN_HIVE) {
        return pick_key(self, file, number, memory, out, err);
    }
    if (self->kinds[number] == COLUMN_ROW_NUMBER) {
        *out = pq_pick_position();
        // BIGINT and UBIGINT lie alike; positions fit both.
        out->type = self->base.columns.fields[number].type;
        return FIRN_OK;
    }
    column *made = ARENA_NEW(memory, column, 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    // Results are kept and shown: of a web address without what may be secret.
    const text path = self->files[file].path;
    char *buffer = arena_alloc(memory, 1, path.size + 1);
    if (buffer == NULL) {
        return ARENA_FULL(memory, err);
    }
    const text shown = io_path_shown(path, buffer, path.size);
    TRY(constant_text(shown, memory, made, err));
    made->form = FORM_CONSTANT;
    *out = pq_pick_constant(made);
    return FIRN_OK;
}

// ---- Columns of files --------------------------------------------------------------------------

// The same place first, since a file may have several columns of one name.
pq_file_field parquet_file_column(const parquet_files *self, const pq_file *file, uint32_t number) {
    const text name = self->base.columns.fields[number].name;
    const schema *columns = &file->types.columns;
    return number < columns->count && text_equal(columns->fields[number].name, name)
               ? pq_file_column(file, number)
               : pq_file_find(file, PQ_MATCH_NAME, name, -1);
}

// The place of a scan column in a file: by name from the top, since files may differ.
static firn_status pick_file(const scan_reader *self, const pq_file *file,
                             const scan_column *wanted, arena *memory, pq_pick *out,
                             firn_error *err) {
    const schema *columns = &self->table->base.columns;
    const field *at = &columns->fields[wanted->path[0]];
    pq_file_field found = parquet_file_column(self->table, file, wanted->path[0]);
    for (uint32_t i = 1; i < wanted->path_length && found.node != NULL; i++) {
        at = &at->type->children[wanted->path[i]];
        found = pq_file_find_child(&found, PQ_MATCH_NAME, at->name, -1);
    }
    if (found.node == NULL) {
        if (!self->table->options.union_by_name) {
            return FAIL(err, FIRN_INVALID,
                        "the file \"%.*s\" has no column \"%.*s\", which the first one has",
                        TEXT_ARGS(pq_file_path(file)), TEXT_ARGS(at->name));
        }
        return pq_pick_null(wanted->type, memory, out, err);
    }
    const firn_status status =
        pq_pick_make(file, &found, wanted->type, PQ_MATCH_NAME, memory, out, err);
    if (status == FIRN_UNSUPPORTED && !self->table->options.union_by_name) {
        err_hint(
            err,
            "with union_by_name => true columns have a type that fits all files, if there is one");
    }
    return status;
}

static firn_status pick(void *user, const pq_file *file, arena *memory, pq_pick *picks,
                        firn_error *err) {
    const scan_reader *self = user;
    for (uint32_t i = 0; i < self->request->column_count; i++) {
        const scan_column *wanted = &self->request->columns[i];
        const uint32_t number = wanted->path[0];
        TRY(self->table->kinds[number] == COLUMN_FILE
                ? pick_file(self, file, wanted, memory, &picks[i], err)
                : parquet_constant_column(self->table, self->task->file, number, memory, &picks[i],
                                          err));
    }
    return FIRN_OK;
}

// ---- Reading -----------------------------------------------------------------------------------

firn_status parquet_rows_reopen(scan_reader *self, const scan_task *task, firn_error *err) {
    self->task = (const parquet_task *)task;
    const parquet_file *file = &self->table->files[self->task->file];
    const parquet_scan_target target = {
        .path = file->path,
        .file = file->file,
        .options = {.types = self->table->options.types},
        .verify_checksums = self->table->options.verify_checksums,
        .part = self->task->part,
        .pick = pick,
        .user = self,
    };
    self->counters.files += target.part.first_row_group == 0 && target.part.from == 0;
    return parquet_scan_begin(self->scan, &target, err);
}

void parquet_rows_close(scan_reader *self) {
    if (self != NULL) {
        parquet_scan_close(self->scan);
        arena memory = self->memory;
        arena_close(&memory);
    }
}

static firn_status open_scan(scan_reader *self, const scan_env *env, firn_error *err) {
    const scan_request *request = self->request;
    uint32_t *ids = ARENA_NEW(&self->memory, uint32_t, (size_t)request->column_count + 1);
    if (ids == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < request->column_count; i++) {
        ids[i] = request->columns[i].id;
    }
    const parquet_scan_columns columns = {.count = request->column_count,
                                          .filter_only_count =
                                              request->column_count - request->output_count,
                                          .ids = ids,
                                          .filters = request->filters};
    return parquet_scan_open(&columns, env, &self->scan, err);
}

firn_status parquet_rows_open(table_snapshot *base, const scan_request *request,
                              const scan_task *task, const scan_env *env, scan_reader **out,
                              firn_error *err) {
    arena memory = arena_open_in(env->pool, MEMORY_MAX);
    scan_reader *self = ARENA_NEW(&memory, scan_reader, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (scan_reader){.table = parquet_files_of(base), .request = request, .memory = memory};
    firn_status status = open_scan(self, env, err);
    status = status == FIRN_OK ? parquet_rows_reopen(self, task, err) : status;
    if (status != FIRN_OK) {
        parquet_rows_close(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

firn_status parquet_rows_next(scan_reader *self, arena *scratch, batch *out, scan_answer *answer,
                              firn_error *err) {
    (void)scratch;
    return parquet_scan_next(self->scan, out, answer, err);
}

void parquet_rows_counters(const scan_reader *self, scan_counters *add_to) {
    add_to->files += self->counters.files;
    parquet_scan_counters(self->scan, add_to);
}
