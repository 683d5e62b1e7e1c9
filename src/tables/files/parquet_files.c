#include "tables/files/parquet_files.h"

#include <assert.h>

#include "base/checked.h"
#include "base/date_text.h"
#include "base/number_text.h"
#include "expr/cast.h"
#include "io/hive_keys.h"
#include "tables/files/parquet_facts.h"
#include "tables/files/parquet_files_private.h"
#include "tables/files/parquet_int96.h"
#include "tables/files/table_refs.h"

#define MEMORY_MAX ((size_t)1 << 40)
#define FOOTERS_MAX 64 // Files whose footers are read when the table is opened.
#define OPENING_MAX 32 // Footers on their way at the same time.

static void free_table(table_snapshot *base) {
    parquet_files *self = parquet_files_of(base);
    for (uint32_t i = 0; i < self->file_count; i++) {
        pq_file_release(self->files[i].file);
    }
    mutex_lock(&self->lock);
    arena_close(&self->facts_memory);
    mutex_unlock(&self->lock);
    mutex_end(&self->lock);
    arena memory = base->memory; // It holds `self`.
    arena_close(&memory);
}

// ---- Opening -----------------------------------------------------------------------------------

static firn_status begin_file(parquet_files *self, uint32_t index, const file_env *env,
                              pq_opener **out, firn_error *err) {
    io_file *input;
    const io_open_options options = {.cancel = env->cancel};
    const io_request request = {.cancel = env->cancel};
    const pq_file_options parquet = {.types = self->options.types};
    const text path = self->files[index].path;
    firn_status status = io_file_open(env->io, path, &options, &input, err);
    if (status != FIRN_OK) {
        if (status == FIRN_INVALID && err->hint[0] == '\0') { // A folder, most likely.
            err_hint(err, "the files below a folder are '%.*s%s**/*.parquet'", TEXT_ARGS(path),
                     text_ends_with(path, TEXT("/")) ? "" : "/");
        }
        return status;
    }
    status = pq_opener_open(input, &parquet, self->pool, &request, out, err);
    io_file_release(input);
    return status;
}

static firn_status end_file(parquet_files *self, uint32_t index, pq_opener *opener,
                            firn_error *err) {
    pq_answer answer = PQ_WAIT;
    while (answer == PQ_WAIT) {
        TRY(pq_opener_wait(opener, err));
        TRY(pq_opener_next(opener, &self->files[index].file, &answer, err));
    }
    self->opened_count++;
    return FIRN_OK;
}

// Reads the footers of files [from, to), several at a time.
static firn_status open_files(parquet_files *self, uint32_t from, uint32_t to, const file_env *env,
                              firn_error *err) {
    pq_opener *openers[OPENING_MAX] = {NULL};
    uint32_t begun = from;
    firn_status status = FIRN_OK;
    for (uint32_t i = from; i < to && status == FIRN_OK; i++) {
        for (; begun < to && begun < i + OPENING_MAX && status == FIRN_OK; begun++) {
            status = begin_file(self, begun, env, &openers[begun % OPENING_MAX], err);
        }
        pq_opener **opener = &openers[i % OPENING_MAX];
        if (status == FIRN_OK) {
            status = end_file(self, i, *opener, err);
        }
        if (status == FIRN_OK) {
            pq_opener_close(*opener);
            *opener = NULL;
        }
    }
    for (uint32_t i = 0; i < OPENING_MAX; i++) {
        pq_opener_close(openers[i]);
    }
    return status;
}

// Opens the first file and decides by it what INT96 is in all of them.
static firn_status open_first(parquet_files *self, const file_env *env, firn_error *err) {
    bool *in_micros = &self->options.types.int96_in_micros;
    TRY(open_files(self, 0, 1, env, err));
    if (*in_micros) {
        return FIRN_OK;
    }
    TRY(parquet_int96_is_far(self->files[0].file, self->pool, env->cancel, in_micros, err));
    if (!*in_micros) {
        return FIRN_OK;
    }
    pq_file_release(self->files[0].file);
    self->files[0].file = NULL;
    self->opened_count = 0;
    return open_files(self, 0, 1, env, err);
}

typedef struct columns_build {
    parquet_files *self;
    field *fields;
    parquet_column_kind *kinds;
    uint32_t count, capacity;
    firn_error *err;
} columns_build;

static firn_status add_column(columns_build *build, text name, const type *type,
                              parquet_column_kind kind) {
    arena *memory = &build->self->base.memory;
    if (build->count == build->capacity) {
        const uint32_t capacity = build->capacity == 0 ? 16 : build->capacity * 2;
        field *fields = ARENA_NEW(memory, field, capacity);
        parquet_column_kind *kinds = ARENA_NEW(memory, parquet_column_kind, capacity);
        if (fields == NULL || kinds == NULL) {
            return ARENA_FULL(memory, build->err);
        }
        if (build->count > 0) {
            memcpy(fields, build->fields, build->count * sizeof *fields);
            memcpy(kinds, build->kinds, build->count * sizeof *kinds);
        }
        build->fields = fields;
        build->kinds = kinds;
        build->capacity = capacity;
    }
    field *made = &build->fields[build->count];
    *made = (field){.is_nullable = true, .id = -1};
    TRY(text_copy(memory, name, &made->name, build->err));
    TRY(type_copy(memory, type, &made->type, build->err));
    build->kinds[build->count++] = kind;
    return FIRN_OK;
}

static uint32_t find_column(const columns_build *build, text name) {
    for (uint32_t i = 0; i < build->count; i++) {
        if (text_equal(build->fields[i].name, name)) {
            return i;
        }
    }
    return UINT32_MAX;
}

// The type in which a column of a file and the column of the table both fit.
static firn_status widen_column(columns_build *build, uint32_t found, const field *with,
                                const pq_file *file) {
    arena *memory = &build->self->base.memory;
    const type *common;
    TRY(type_common(build->fields[found].type, with->type, memory, &common, build->err));
    if (common == NULL) {
        arena scratch = arena_open((size_t)1 << 20);
        const text other = type_text(with->type, &scratch);
        const text own = type_text(build->fields[found].type, &scratch);
        const firn_status status = FAIL(
            build->err, FIRN_INVALID, "column \"%.*s\" is %.*s in \"%.*s\" and %.*s before",
            TEXT_ARGS(with->name), TEXT_ARGS(other), TEXT_ARGS(pq_file_path(file)), TEXT_ARGS(own));
        arena_close(&scratch);
        return status;
    }
    build->fields[found].type = common;
    build->fields[found].is_nullable = build->fields[found].is_nullable || with->is_nullable;
    return FIRN_OK;
}

static firn_status add_file_columns(columns_build *build, const pq_file *file, bool is_first) {
    const schema *columns = &file->types.columns;
    for (uint32_t i = 0; i < columns->count; i++) {
        const field *from = &columns->fields[i];
        const uint32_t found = is_first ? UINT32_MAX : find_column(build, from->name);
        if (found == UINT32_MAX) {
            TRY(add_column(build, from->name, from->type, COLUMN_FILE));
            // Files before this one do not have it.
            build->fields[build->count - 1].is_nullable = from->is_nullable || !is_first;
        } else {
            TRY(widen_column(build, found, from, file));
        }
    }
    return FIRN_OK;
}

// What a file of several lacks may be NULL.
static void allow_nulls(columns_build *build, const pq_file *file) {
    for (uint32_t i = 0; i < build->count; i++) {
        if (pq_file_find(file, PQ_MATCH_NAME, build->fields[i].name, -1).node == NULL) {
            build->fields[i].is_nullable = true;
        }
    }
}

// ---- Columns of folders ------------------------------------------------------------------------

// What all values of a key that were seen are.
typedef struct key_values {
    bool is_in_all;
    bool are_numbers;
    bool are_dates;
} key_values;

static bool is_number(text value) {
    int64_t number;
    return number_parse_i64(value, &number) == NUMBER_OK;
}

// A day and nothing else: 2024-01-31.
static bool is_date(text value) {
    int32_t day;
    return value.size == 10 && value.data[4] == '-' && date_parse_date(value, &day) == DATE_OK;
}

static firn_status look_at_key(const parquet_files *self, text name, arena *scratch,
                               key_values *out, firn_error *err) {
    *out = (key_values){.is_in_all = true, .are_numbers = true, .are_dates = true};
    for (uint32_t k = 0; k < self->file_count && out->is_in_all; k++) {
        hive_keys keys;
        arena_reset(scratch);
        TRY(hive_keys_read(self->files[k].path, scratch, &keys, err));
        out->is_in_all = false;
        for (uint32_t i = 0; i < keys.count && !out->is_in_all; i++) {
            const hive_key *key = &keys.items[i];
            if (text_equal(key->name, name)) {
                out->is_in_all = true;
                out->are_numbers = out->are_numbers && (key->is_null || is_number(key->value));
                out->are_dates = out->are_dates && (key->is_null || is_date(key->value));
            }
        }
    }
    return FIRN_OK;
}

// Keys that the paths of all files have become columns, BIGINT or DATE if all values are, else
// VARCHAR; unless the files have a column of that name.
static firn_status add_hive_columns(columns_build *build) {
    parquet_files *self = build->self;
    arena names = arena_open_in(self->pool, MEMORY_MAX);
    arena scratch = arena_open_in(self->pool, MEMORY_MAX);
    hive_keys first;
    firn_status status = hive_keys_read(self->files[0].path, &names, &first, build->err);
    for (uint32_t i = 0; status == FIRN_OK && i < first.count; i++) {
        const text name = first.items[i].name;
        key_values values;
        if (find_column(build, name) != UINT32_MAX) {
            continue;
        }
        status = look_at_key(self, name, &scratch, &values, build->err);
        if (status == FIRN_OK && values.is_in_all) {
            const type *kind = values.are_numbers ? TYPE_OF(BIGINT)
                               : values.are_dates ? TYPE_OF(DATE)
                                                  : TYPE_OF(VARCHAR);
            status = add_column(build, name, kind, COLUMN_HIVE);
        }
    }
    arena_close(&scratch);
    arena_close(&names);
    return status;
}

// A column that an option asks for.
static firn_status add_option_column(columns_build *build, text name, const type *kind,
                                     parquet_column_kind from) {
    if (find_column(build, name) != UINT32_MAX) {
        return FAIL_SQL(build->err, FIRN_INVALID, "42701", NO_POSITION,
                        "the option %.*s => true adds a column of that name, but there is one",
                        TEXT_ARGS(name));
    }
    return add_column(build, name, kind, from);
}

// ---- The table ---------------------------------------------------------------------------------

static firn_status find_columns(parquet_files *self, firn_error *err) {
    columns_build build = {.self = self, .err = err};
    const uint32_t count = self->options.union_by_name ? self->opened_count : 1;
    for (uint32_t i = 0; i < count; i++) {
        TRY(add_file_columns(&build, self->files[i].file, i == 0));
    }
    for (uint32_t i = 0; i < count && count > 1; i++) {
        allow_nulls(&build, self->files[i].file);
    }
    if (self->options.hive != HIVE_OFF) {
        TRY(add_hive_columns(&build));
    }
    if (self->options.with_filename) {
        TRY(add_option_column(&build, TEXT("filename"), TYPE_OF(VARCHAR), COLUMN_FILENAME));
    }
    if (self->options.with_row_number) {
        TRY(add_option_column(&build, TEXT("file_row_number"), TYPE_OF(BIGINT), COLUMN_ROW_NUMBER));
    }
    self->base.columns = (schema){.count = build.count, .fields = build.fields};
    self->kinds = build.kinds;
    return FIRN_OK;
}

// Rows of all files, if all footers were read, else about how many.
static void count_rows(parquet_files *self) {
    uint64_t rows = 0;
    const uint32_t opened = self->opened_count;
    for (uint32_t i = 0; i < opened; i++) {
        for (uint32_t group = 0; group < pq_file_row_group_count(self->files[i].file); group++) {
            rows = sum_capped(rows, pq_file_rows_of(self->files[i].file, group));
        }
    }
    self->base.rows =
        (estimate){.is_known = true, .value = (double)rows * self->file_count / opened};
    self->base.row_count =
        (exact_u64){.is_known = opened == self->file_count && rows < UINT64_MAX, .value = rows};
}

// Room for what is asked of columns later.
static firn_status prepare_facts(parquet_files *self, firn_error *err) {
    const uint32_t count = self->base.columns.count;
    parquet_known *known = ARENA_NEW(&self->base.memory, parquet_known, (size_t)count + 1);
    if (known == NULL) {
        return ARENA_FULL(&self->base.memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        known[i] = (parquet_known){.is_asked = false};
    }
    mutex_lock(&self->lock);
    self->known = known;
    mutex_unlock(&self->lock);
    return FIRN_OK;
}

static firn_status keep_patterns(parquet_files *self, const io_paths *patterns, firn_error *err) {
    arena *memory = &self->base.memory;
    text *items = ARENA_NEW(memory, text, (size_t)patterns->count + 1);
    if (items == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < patterns->count; i++) {
        TRY(text_copy(memory, patterns->items[i], &items[i], err));
    }
    self->patterns = (io_paths){.count = patterns->count, .items = items};
    return FIRN_OK;
}

static firn_status fill(parquet_files *self, const parquet_files_paths *paths, text name,
                        const file_env *env, firn_error *err) {
    arena *memory = &self->base.memory;
    const io_paths *files = &paths->files;
    TRY(keep_patterns(self, &paths->patterns, err));
    self->files = ARENA_NEW(memory, parquet_file, files->count);
    if (self->files == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < files->count; i++) {
        self->files[i] = (parquet_file){0};
        TRY(text_copy(memory, files->items[i], &self->files[i].path, err));
        self->file_count++;
    }
    TRY(text_copy(memory, name, &self->base.ref.name, err));
    self->base.ref.kind = TEXT("parquet");
    self->base.ref.snapshot_id = -1;
    self->base.ref.schema_id = -1;
    TRY(parquet_ref_options(&paths->patterns, &self->options, memory, &self->base.ref.options,
                            err));
    TRY(open_first(self, env, err));
    if (self->options.union_by_name || files->count <= FOOTERS_MAX) {
        TRY(open_files(self, 1, files->count, env, err));
    }
    TRY(find_columns(self, err));
    count_rows(self);
    return prepare_facts(self, err);
}

firn_status parquet_files_open(const parquet_files_paths *paths, text name,
                               const parquet_files_options *options, const file_env *env,
                               table_snapshot **out, firn_error *err) {
    assert(paths->files.count > 0);
    arena memory = arena_open_in(env->pool, MEMORY_MAX);
    parquet_files *self = ARENA_NEW(&memory, parquet_files, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (parquet_files){.base = {.kind = &parquet_files_kind, .memory = memory},
                            .options = *options,
                            .pool = env->pool};
    mutex_begin(&self->lock, MUTEX_TABLE);
    mutex_lock(&self->lock);
    self->facts_memory = arena_open_in(env->pool, MEMORY_MAX);
    mutex_unlock(&self->lock);
    atomic_init(&self->base.references, 1);
    self->base.memory.cancel = env->cancel; // Waits while others give back.
    firn_status status = fill(self, paths, name, env, err);
    self->base.memory.cancel = NULL;
    if (status != FIRN_OK) {
        free_table(&self->base);
        return status;
    }
    *out = &self->base;
    return FIRN_OK;
}

// ---- Is it still there? ------------------------------------------------------------------------

// Do the patterns still match these files and no others?
static bool matches_still(const parquet_files *self, struct io *io, const cancel_flag *cancel,
                          arena *scratch) {
    uint32_t seen = 0;
    firn_error ignored = ERR_INIT;
    for (uint32_t i = 0; i < self->patterns.count; i++) {
        io_paths found;
        if (io_glob(io, self->patterns.items[i], cancel, scratch, &found, &ignored) != FIRN_OK ||
            found.count > self->file_count - seen) {
            return false;
        }
        for (uint32_t k = 0; k < found.count; k++) {
            if (!text_equal(found.items[k], self->files[seen++].path)) {
                return false;
            }
        }
    }
    return seen == self->file_count;
}

// Files whose footers were not read yet are whatever they will be then. Opening measures a local
// file again and asks nobody about a remote one.
static bool is_current(const table_snapshot *base, struct io *io, const cancel_flag *cancel) {
    const parquet_files *self = parquet_files_of(base);
    arena scratch = arena_open_in(self->pool, MEMORY_MAX);
    bool is_same = matches_still(self, io, cancel, &scratch);
    arena_close(&scratch);
    firn_error ignored = ERR_INIT;
    for (uint32_t i = 0; i < self->opened_count && is_same; i++) {
        const io_identity seen = io_file_identity(self->files[i].file->input);
        const io_open_options options = {.cancel = cancel, .expected = &seen};
        io_file *again = NULL;
        is_same = io_file_open(io, self->files[i].path, &options, &again, &ignored) == FIRN_OK;
        io_file_release(again);
    }
    return is_same;
}

// ---- Facts -------------------------------------------------------------------------------------

// Finds out about a column over all files, each converted to the column's type. False too if it
// cannot be read: who does it says why.
static bool find_facts(const parquet_files *self, uint32_t number, arena *memory,
                       column_facts *out) {
    parquet_column_sum sum = {.has_any = false};
    const field *wanted = &self->base.columns.fields[number];
    for (uint32_t i = 0; i < self->file_count; i++) {
        const pq_file *file = self->files[i].file;
        const pq_file_field from = parquet_file_column(self, file, number);
        pq_pick pick;
        firn_error ignored = ERR_INIT;
        if (from.node == NULL && !self->options.union_by_name) {
            return false;
        }
        const firn_status status =
            from.node == NULL
                ? pq_pick_null(wanted->type, memory, &pick, &ignored)
                : pq_pick_make(file, &from, wanted->type, PQ_MATCH_NAME, memory, &pick, &ignored);
        if (status != FIRN_OK) {
            return false;
        }
        parquet_column_facts(file, &pick, memory, &sum);
    }
    *out = sum.facts;
    return sum.has_any;
}

static const column_facts *facts(const table_snapshot *base, uint32_t column,
                                 const cancel_flag *cancel) {
    (void)cancel; // Nothing is read: footers are there.
    parquet_files *self = parquet_files_of(base);
    if (self->opened_count < self->file_count || self->kinds[column] != COLUMN_FILE ||
        type_is_nested(base->columns.fields[column].type)) {
        return NULL;
    }
    mutex_lock(&self->lock);
    parquet_known *known = &self->known[column];
    if (!known->is_asked) {
        known->is_there = find_facts(self, column, &self->facts_memory, &known->facts);
        known->is_asked = true;
    }
    const column_facts *out = known->is_there ? &known->facts : NULL;
    mutex_unlock(&self->lock);
    return out;
}

const table_kind parquet_files_kind = {
    .name = "parquet",
    .keeps_pages = true,
    .facts = facts,
    .is_current = is_current,
    .plan = parquet_tasks_plan,
    .planner_next = parquet_tasks_next,
    .planner_counters = parquet_tasks_counters,
    .planner_close = parquet_tasks_close,
    .open = parquet_rows_open,
    .reopen = parquet_rows_reopen,
    .next = parquet_rows_next,
    .counters = parquet_rows_counters,
    .close = parquet_rows_close,
    .free = free_table,
};
