// Plans in files, and a second process that runs them.
//
//     plan_files write FOLDER FILE.slt…   plans every query of the test files and writes the plan,
//     the
//                                         rows that the query gives, and the statements before it
//     plan_files run FOLDER               runs every plan of the folder and compares the rows
//     plan_files read FILE                decodes one plan; prints its error
//
// What lies in the folder: N.sql with the statements of one test file up to its queries, one after
// the other with the names of plans between them; N.plan and N.rows. A table of files or of Iceberg
// is opened by its ref alone; a table in memory is one that the statements have made.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/host.h"
#include "engine/information_schema.h"
#include "engine/objects.h"
#include "functions/registry.h"
#include "optimize/optimize.h"
#include "slt_engine.h"
#include "slt_file.h"
#include "sql/parser.h"
#include "tables/files/table_refs.h"

#define PATH_BYTES 1024
#define FILE_BYTES_MAX ((size_t)64 << 20)
#define PLANS_MAX 4096

static const struct function_lookup functions = {.scalar = function_find,
                                                 .aggregate = aggregate_find};

typedef struct world {
    slt_engine engine;
    firn_session *session;
    const char *folder;
    uint64_t hashes[PLANS_MAX]; // Of plans that are written.
    uint32_t plan_count;
    uint32_t failed_count;
} world;

// ---- Files -------------------------------------------------------------------------------------

static bool read_whole(const char *path, arena *memory, bytes *out) {
    firn_error err = ERR_INIT;
    host_file file;
    host_stat found;
    if (host_open(path, HOST_MODE_READ, &file, &err) != FIRN_OK) {
        return false;
    }
    uint8_t *data = NULL;
    bool is_read = host_file_stat(file, &found, &err) == FIRN_OK && found.size < FILE_BYTES_MAX;
    if (is_read) {
        data = ARENA_NEW(memory, uint8_t, (size_t)found.size + 1);
        is_read = data != NULL && host_read(file, 0, (size_t)found.size, data, &err) == FIRN_OK;
    }
    host_close(&file);
    *out = (bytes){.data = data, .size = is_read ? (size_t)found.size : 0};
    return is_read;
}

static bool write_whole(const char *path, bytes content) {
    firn_error err = ERR_INIT;
    host_file file;
    if (host_open(path, HOST_MODE_CREATE, &file, &err) != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return false;
    }
    const bool is_written = host_write(file, 0, content, &err) == FIRN_OK;
    host_close(&file);
    return is_written;
}

static void path_of(const world *self, uint32_t number, const char *ending, char *out) {
    (void)snprintf(out, PATH_BYTES, "%s/%04u.%s", self->folder, number, ending);
}

// ---- Plans -------------------------------------------------------------------------------------

// Binds and optimizes a query; `*out` is NULL if the statement is none.
static firn_status plan_query(firn_session *session, slt_text sql, run **out, firn_error *err) {
    run *self;
    *out = NULL;
    TRY(run_open(session, &session->settings, &self, err));
    const sql_statement *statement = NULL;
    size_t used;
    firn_status status = sql_parse_statement((text){.data = sql.data, .size = sql.size}, 0,
                                             &self->memory, &statement, &used, err);
    if (status == FIRN_OK && statement != NULL &&
        sql_statement_kind_of(statement) == SQL_QUERY_STATEMENT) {
        const bind_env env = session_bind_env(self);
        status = bind_query(sql_query_statement_of(statement)->query, &env, NULL, &self->memory,
                            &self->bound, err);
        if (status == FIRN_OK) {
            status = run_optimize(self, NULL, 0, NULL, NULL, err);
        }
        if (status == FIRN_OK) {
            *out = self;
            return FIRN_OK;
        }
    }
    run_release(self);
    return status;
}

// A table in memory: by its name, in the catalog that made it.
static firn_status find_in_session(const bind_env *env, const table_ref *ref, arena *memory,
                                   table_snapshot **out, firn_error *err) {
    sql_name names[8];
    size_t count = 0;
    names[count++] = (sql_name){.value = ref->catalog, .is_quoted = true};
    text rest = ref->name;
    while (rest.size > 0 && count < sizeof names / sizeof *names) {
        const size_t dot = text_find(rest, TEXT("."));
        names[count++] = (sql_name){.value = text_slice(rest, 0, dot), .is_quoted = true};
        rest = dot >= rest.size ? TEXT("") : text_slice(rest, dot + 1, rest.size);
    }
    const bool is_temporary = text_equal(ref->catalog, TEXT("temp"));
    const sql_names path = {.items = is_temporary ? &names[count - 1] : names,
                            .count = is_temporary ? 1 : count};
    bound_object found;
    TRY(env->find(env->session, &path, NULL, NULL, memory, &found, err));
    *out = found.snapshot;
    return FIRN_OK;
}

static firn_status open_tables(run *self, firn_error *err) {
    firn_engine *engine = self->session->engine;
    const bind_env env = session_bind_env(self);
    const file_env files = {.io = engine->io, .pool = engine->tables, .cancel = &self->cancel};
    const plan *read = &self->bound.plan;
    self->bound.snapshots = ARENA_NEW(&self->memory, table_snapshot *, read->table_count + 1);
    if (self->bound.snapshots == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < read->table_count; i++) {
        const table_ref *ref = &read->tables[i];
        table_snapshot **slot = &self->bound.snapshots[i];
        if (text_equal(ref->kind, TEXT("information_schema"))) {
            TRY(information_schema_open(ref->name, slot, err));
        } else {
            TRY(ref->local != 0 ? find_in_session(&env, ref, &self->memory, slot, err)
                                : table_ref_open(ref, &files, &self->memory, slot, err));
        }
        self->bound.snapshot_count++;
    }
    return FIRN_OK;
}

static firn_status run_plan(firn_session *session, bytes encoded, struct ArrowArrayStream *out,
                            firn_error *err) {
    run *self;
    TRY(run_open(session, &session->settings, &self, err));
    firn_status status = plan_decode(encoded, &functions, &self->memory, &self->bound.plan, err);
    if (status == FIRN_OK) {
        plan_number(self->bound.plan.root);
        status = open_tables(self, err);
    }
    if (status == FIRN_OK) {
        status = run_execute(self, false, err);
    }
    if (status != FIRN_OK) {
        run_release(self);
        return status;
    }
    return stream_open(self, out, err);
}

// ---- Rows --------------------------------------------------------------------------------------

static int compare_lines(const void *left, const void *right) {
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static void write_row(const slt_result *result, size_t row, cli_sink *out) {
    slt_value values[256];
    if (result->column_count > sizeof values / sizeof *values) {
        return;
    }
    slt_result_row(result, row, values);
    for (size_t i = 0; i < result->column_count; i++) {
        cli_sink_char(out, '|');
        if (values[i].text.data == NULL) {
            cli_sink_text(out, "\\N");
        } else {
            cli_sink_write(out, values[i].text.data, values[i].text.size);
        }
    }
    cli_sink_char(out, '\0');
}

// The last result as text: a line a row; sorted if the query does not say how.
static void write_rows(const slt_result *result, bool is_sorted, cli_sink *out) {
    cli_sink all = CLI_SINK_MEMORY;
    char **lines = cli_allocate(result->row_count + 1, sizeof *lines);
    size_t *starts = cli_allocate(result->row_count + 1, sizeof *starts);
    for (size_t i = 0; i < result->row_count; i++) {
        starts[i] = all.size;
        write_row(result, i, &all);
    }
    for (size_t i = 0; i < result->row_count; i++) {
        lines[i] = all.data + starts[i];
    }
    if (is_sorted && result->row_count > 0) {
        qsort(lines, result->row_count, sizeof *lines, compare_lines);
    }
    cli_sink_reset(out);
    cli_sink_format(out, "%s %zu columns\n", is_sorted ? "any" : "in", result->column_count);
    for (size_t i = 0; i < result->row_count; i++) {
        cli_sink_text(out, lines[i]);
        cli_sink_char(out, '\n');
    }
    free(lines);
    free(starts);
    cli_sink_close(&all);
}

static bool is_same(const cli_sink *left, bytes right) {
    return left->size == right.size && memcmp(left->data, right.data, right.size) == 0;
}

// ---- Writing -----------------------------------------------------------------------------------

static bool world_open(world *self, const char *folder) {
    // One thread: rows without an order come in the order of their files.
    const firn_option settings[] = {{"threads", "1"}, {"memory_limit", "512MB"}};
    firn_error err = FIRN_ERROR_INIT;
    self->folder = folder;
    const bool is_open = slt_engine_open(&self->engine, settings, 2, &err) &&
                         slt_engine_run(&self->engine, "", "SELECT 1", 8, &err);
    if (!is_open) {
        (void)fprintf(stderr, "%s\n", err.text);
        return false;
    }
    self->session = self->engine.connections[0].session;
    return true;
}

// Whether it is another than those before. Volatile queries have a plan of their own each time.
static bool is_new(world *self, bytes encoded) {
    const uint64_t hash = hash_bytes((const char *)encoded.data, encoded.size);
    for (uint32_t i = 0; i < self->plan_count; i++) {
        if (self->hashes[i] == hash) {
            return false;
        }
    }
    if (self->plan_count < PLANS_MAX) {
        self->hashes[self->plan_count] = hash;
    }
    return self->plan_count < PLANS_MAX;
}

// Two runs of the query give the same rows, which are then left in `rows`.
static bool is_steady(world *self, const slt_record *record, cli_sink *rows) {
    firn_error err = FIRN_ERROR_INIT;
    const bool is_sorted = record->sort != SLT_NOSORT;
    cli_sink again = CLI_SINK_MEMORY;
    bool is = slt_engine_run(&self->engine, "", record->sql.data, record->sql.size, &err);
    if (is) {
        write_rows(&self->engine.result, is_sorted, &again);
        is = slt_engine_run(&self->engine, "", record->sql.data, record->sql.size, &err);
    }
    if (is) {
        write_rows(&self->engine.result, is_sorted, rows);
        is = is_same(rows, (bytes){.data = (const uint8_t *)again.data, .size = again.size});
    }
    cli_sink_close(&again);
    return is;
}

static void write_query(world *self, const slt_record *record, cli_sink *script) {
    firn_error err = FIRN_ERROR_INIT;
    run *planned;
    cli_sink rows = CLI_SINK_MEMORY;
    char path[PATH_BYTES];
    bytes encoded;
    if (plan_query(self->session, record->sql, &planned, &err) != FIRN_OK || planned == NULL) {
        return; // Another test's business.
    }
    if (plan_encode(&planned->bound.plan, &planned->memory, &encoded, &err) == FIRN_OK &&
        is_new(self, encoded) && is_steady(self, record, &rows)) {
        path_of(self, self->plan_count, "plan", path);
        bool is_written = write_whole(path, encoded);
        path_of(self, self->plan_count, "rows", path);
        is_written = is_written && write_whole(path, (bytes){.data = (const uint8_t *)rows.data,
                                                             .size = rows.size});
        self->failed_count += !is_written;
        cli_sink_format(script, "plan %u", self->plan_count);
        cli_sink_char(script, '\0');
        self->plan_count++;
    }
    run_release(planned);
    cli_sink_close(&rows);
}

// Statements go into the script as they are, plans as "plan N"; each ends in NUL.
static void write_file(world *self, const char *path, uint32_t number) {
    arena memory = arena_open(FILE_BYTES_MAX);
    cli_sink script = CLI_SINK_MEMORY;
    bytes content;
    if (!read_whole(path, &memory, &content) || !world_open(self, self->folder)) {
        self->failed_count++;
    } else {
        slt_reader reader = {.text = {(const char *)content.data, content.size}, .line = 1};
        slt_record record;
        for (slt_record_next(&reader, &record); record.kind != SLT_END;
             slt_record_next(&reader, &record)) {
            firn_error err = FIRN_ERROR_INIT;
            const bool has_variable = memchr(record.sql.data == NULL ? "" : record.sql.data, '$',
                                             record.sql.size) != NULL;
            if (record.expect == SLT_ERROR || has_variable) {
                continue;
            }
            if (record.kind == SLT_STATEMENT &&
                slt_engine_run(&self->engine, "", record.sql.data, record.sql.size, &err)) {
                cli_sink_write(&script, record.sql.data, record.sql.size);
                cli_sink_char(&script, '\0');
            } else if (record.kind == SLT_QUERY) {
                write_query(self, &record, &script);
            }
        }
        char to[PATH_BYTES];
        path_of(self, number, "sql", to);
        self->failed_count +=
            !write_whole(to, (bytes){.data = (const uint8_t *)script.data, .size = script.size});
        slt_engine_close(&self->engine);
    }
    cli_sink_close(&script);
    arena_close(&memory);
}

static int write_all(const char *folder, char **paths, int count) {
    static world self;
    self.folder = folder;
    for (int i = 0; i < count; i++) {
        write_file(&self, paths[i], (uint32_t)i);
    }
    printf("%u plans of %d files written\n", self.plan_count, count);
    return self.failed_count == 0 ? 0 : 1;
}

// ---- Running -----------------------------------------------------------------------------------

static bool run_one(world *self, const char *name, arena *memory, firn_error *err) {
    char path[PATH_BYTES];
    bytes encoded;
    bytes wanted;
    struct ArrowArrayStream stream = {0};
    const uint32_t number = (uint32_t)strtoul(name, NULL, 10);
    path_of(self, number, "plan", path);
    bool is_good = read_whole(path, memory, &encoded);
    path_of(self, number, "rows", path);
    is_good = is_good && read_whole(path, memory, &wanted) &&
              run_plan(self->session, encoded, &stream, err) == FIRN_OK;
    if (!is_good) {
        return false;
    }
    is_good = slt_engine_read(&self->engine, &stream, err);
    stream.release(&stream);
    if (is_good) {
        cli_sink rows = CLI_SINK_MEMORY;
        write_rows(&self->engine.result, wanted.size > 0 && wanted.data[0] == 'a', &rows);
        is_good = is_same(&rows, wanted);
        if (!is_good) {
            (void)snprintf(err->text, sizeof err->text, "other rows:\n%.*s", (int)rows.size,
                           rows.data);
        }
        cli_sink_close(&rows);
    }
    return is_good;
}

static void run_script(world *self, bytes script) {
    const char *at = (const char *)script.data;
    const char *end = at + script.size;
    for (; at < end; at += strlen(at) + 1) {
        arena memory = arena_open(FILE_BYTES_MAX);
        firn_error err = FIRN_ERROR_INIT;
        const bool is_plan = strncmp(at, "plan ", 5) == 0;
        const bool is_good = is_plan ? run_one(self, at + 5, &memory, &err)
                                     : slt_engine_run(&self->engine, "", at, strlen(at), &err);
        self->plan_count += is_plan && is_good;
        if (!is_good) {
            printf("FAIL %s: %s\n", at, err.text);
            self->failed_count++;
        }
        arena_close(&memory);
    }
}

static int run_all(const char *folder) {
    static world self;
    for (uint32_t number = 0; number < PLANS_MAX; number++) {
        arena memory = arena_open(FILE_BYTES_MAX);
        char path[PATH_BYTES];
        bytes script;
        self.folder = folder;
        path_of(&self, number, "sql", path);
        if (read_whole(path, &memory, &script)) {
            if (world_open(&self, folder)) {
                run_script(&self, script);
            } else {
                self.failed_count++;
            }
            slt_engine_close(&self.engine);
        }
        arena_close(&memory);
    }
    printf("%u passed, %u failed\n", self.plan_count, self.failed_count);
    return self.failed_count == 0 ? 0 : 1;
}

static int read_one(const char *path) {
    arena memory = arena_open(FILE_BYTES_MAX);
    firn_error err = FIRN_ERROR_INIT;
    bytes encoded;
    plan decoded;
    const bool is_read = read_whole(path, &memory, &encoded) &&
                         plan_decode(encoded, &functions, &memory, &decoded, &err) == FIRN_OK;
    printf("%s\n", is_read ? "a plan" : err.text);
    arena_close(&memory);
    return is_read ? 0 : 1;
}

int main(int count, char **words) {
    if (count >= 4 && strcmp(words[1], "write") == 0) {
        return write_all(words[2], words + 3, count - 3);
    }
    if (count == 3 && strcmp(words[1], "run") == 0) {
        return run_all(words[2]);
    }
    if (count == 3 && strcmp(words[1], "read") == 0) {
        return read_one(words[2]);
    }
    (void)fprintf(stderr, "usage: plan_files write FOLDER FILE… | run FOLDER | read FILE\n");
    return 2;
}
