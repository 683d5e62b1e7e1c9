// Any bytes as a file of an Iceberg table: a data file, position deletes or equality deletes, in
// Parquet or Avro, as the first byte says. Asked of it are the columns that it has by itself, a
// field of each struct, a column that it lacks, and the position; by ids, or by a mapping of its
// names.
//
// Oracle: a row is the same in large batches and in small ones; of a file that has other rows than
// its manifest says the reading fails; of a filtered reading each row is one of the whole; what is
// read of a delete file is found in its loaded content, and its positions ascend.
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "column/column.h"
#include "expr/expr.h"
#include "formats/avro/avro_file.h"
#include "formats/avro/avro_types.h"
#include "functions/overload.h"
#include "input_folder.h"
#include "io/memory_input.h"
#include "tables/iceberg/iceberg_delete.h"

#define ROWS_MAX 1500
#define FIELDS_MAX 12
#define WANTED_MAX (2 * FIELDS_MAX + 2)
#define LACKED_ID 99999
#define ARENA_LIMIT ((size_t)64 << 20)
#define POOL_LIMIT (UINT64_C(256) << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
    if (!condition) {
        abort();
    }
}

// One for all inputs: what is opened once in a process.
typedef struct world {
    io *io;
    pool *engine;
    pool *query;
    codec_scratch codecs;
    statement_context context;
    uint64_t input_count;
} world;

typedef struct run {
    world *here;
    arena *memory;
    bytes content;
    bool is_avro;
    bool has_ids;
    text path;
    schema columns; // Of the file; with ids of ours if it has none.
    uint64_t row_count;
    uint32_t count;
    ice_wanted *wanted;
    ice_mapping mapping;
} run;

// ---- What is asked -----------------------------------------------------------------------------

static bool read_avro_columns(run *self, schema *out) {
    firn_error err = ERR_INIT;
    avro_header header;
    size_t missing = 0;
    const avro_schema *root;
    return avro_header_read(self->content, self->memory, &header, &missing, &err) == FIRN_OK &&
           missing == 0 &&
           avro_schema_read(self->memory, header.schema_json, &root, &err) == FIRN_OK &&
           avro_types_of(self->memory, root, out, &err) == FIRN_OK;
}

static bool read_parquet_columns(run *self, schema *out) {
    firn_error err = ERR_INIT;
    memory_input input = {.content = self->content};
    io_file *file = memory_input_open(&input, self->here->io, "fuzzed.parquet");
    const pq_file_options options = ice_parquet_options();
    pq_file *opened = NULL;
    bool is_read = pq_file_open(file, &options, self->here->query, NULL, &opened, &err) == FIRN_OK;
    if (is_read) {
        for (uint32_t i = 0; i < pq_file_row_group_count(opened); i++) {
            self->row_count += pq_file_rows_of(opened, i);
        }
        is_read = schema_copy(self->memory, &opened->types.columns, out, &err) == FIRN_OK;
        pq_file_release(opened);
    }
    io_file_release(file);
    return is_read;
}

// Fields with ids of ours, and the mapping that gives them. NULL: too many or no memory.
static const field *map_fields(run *self, const field *from, uint32_t count, int32_t *next_id,
                               ice_mapping *out) {
    field *fields = ARENA_NEW(self->memory, field, (size_t)count + 1);
    ice_mapped *items = ARENA_NEW(self->memory, ice_mapped, (size_t)count + 1);
    must(fields != NULL && items != NULL);
    for (uint32_t i = 0; i < count; i++) {
        ice_mapping *below = ARENA_NEW(self->memory, ice_mapping, 1);
        type *of = ARENA_NEW(self->memory, type, 1);
        text *name = ARENA_NEW(self->memory, text, 1);
        must(below != NULL && of != NULL && name != NULL);
        *name = from[i].name;
        *of = *from[i].type;
        fields[i] = from[i];
        fields[i].id = (*next_id)++;
        of->children = map_fields(self, of->children, of->child_count, next_id, below);
        fields[i].type = of->child_count == 0 ? from[i].type : of;
        items[i] =
            (ice_mapped){.field_id = fields[i].id, .name_count = 1, .names = name, .fields = below};
    }
    *out = (ice_mapping){.count = count, .items = items};
    return fields;
}

static void add_wanted(run *self, const field *top, const field *child) {
    int32_t *path = ARENA_NEW(self->memory, int32_t, 2);
    must(path != NULL);
    path[0] = top->id;
    path[1] = child == NULL ? 0 : child->id;
    self->wanted[self->count] = (ice_wanted){.id = 100 + self->count,
                                             .path_length = child == NULL ? 1 : 2,
                                             .path = path,
                                             .type = child == NULL ? top->type : child->type};
    self->count++;
}

static bool prepare(run *self) {
    firn_error err = ERR_INIT;
    int32_t next_id = 1;
    if (!(self->is_avro ? read_avro_columns(self, &self->columns)
                        : read_parquet_columns(self, &self->columns))) {
        return false;
    }
    self->has_ids = ice_schema_has_ids(&self->columns);
    if (!self->has_ids) {
        self->columns.fields =
            map_fields(self, self->columns.fields, self->columns.count, &next_id, &self->mapping);
    }
    self->wanted = ARENA_NEW(self->memory, ice_wanted, WANTED_MAX);
    column *given = ARENA_NEW(self->memory, column, 1);
    must(self->wanted != NULL && given != NULL);
    for (uint32_t i = 0; i < self->columns.count && i < FIELDS_MAX; i++) {
        const field *top = &self->columns.fields[i];
        add_wanted(self, top, NULL);
        if (top->type->id == TYPE_STRUCT && top->type->child_count > 0) {
            add_wanted(self, top, &top->type->children[top->type->child_count - 1]);
        }
    }
    const field lacked = {.id = LACKED_ID, .type = TYPE_OF(BIGINT)};
    must(column_new_null(self->memory, lacked.type, 1, given, &err) == FIRN_OK);
    add_wanted(self, &lacked, NULL);
    self->wanted[self->count - 1].missing = given;
    self->wanted[self->count] =
        (ice_wanted){.id = 100 + self->count, .is_position = true, .type = TYPE_OF(UBIGINT)};
    self->count++;
    return true;
}

static ice_read ask(const run *self, uint64_t row_count) {
    return (ice_read){.count = self->count,
                      .columns = self->wanted,
                      .output_count = self->count,
                      .mapping = self->has_ids ? NULL : &self->mapping,
                      .part = {.part = PARQUET_WHOLE},
                      .row_count = row_count};
}

// ---- Rows --------------------------------------------------------------------------------------

typedef struct reading {
    firn_status status;
    bool is_cut; // Not read to the end.
    uint32_t count;
    uint64_t numbers[ROWS_MAX];
    uint64_t hashes[ROWS_MAX];
} reading;

typedef void (*batch_user)(void *user, const batch *rows);

static scan_env environment(const run *self, uint32_t batch_rows) {
    return (scan_env){.io = self->here->io,
                      .pool = self->here->query,
                      .context = &self->here->context,
                      .codecs = &self->here->codecs,
                      .batch_rows = batch_rows,
                      .workers = 1};
}

// Shows each batch to `use` until the file ends or `*is_cut`.
static firn_status read_file(const run *self, const ice_read *what, uint32_t batch_rows,
                             batch_user use, void *user, const bool *is_cut) {
    const scan_env env = environment(self, batch_rows);
    arena scratch = arena_open(ARENA_LIMIT);
    ice_data_reader *reader = NULL;
    firn_error err = ERR_INIT;
    scan_answer answer = SCAN_READY;
    firn_status status = ice_data_open(self->path, self->is_avro ? TEXT("avro") : TEXT("PARQUET"),
                                       what, &env, &reader, &err);
    while (status == FIRN_OK && answer != SCAN_END && !*is_cut) {
        batch rows;
        arena_reset(&scratch);
        status = reader->kind->next(reader, &scratch, &rows, &answer, &err);
        if (status == FIRN_OK && answer == SCAN_READY) {
            must(rows.column_count == what->output_count);
            use(user, &rows);
        }
    }
    if (reader != NULL) {
        scan_counters counted = {0};
        reader->kind->counters(reader, &counted);
        ice_data_close(reader);
    }
    arena_close(&scratch);
    return status;
}

WRAPS static uint64_t hash_row(const batch *rows, uint32_t row) {
    arena memory = arena_open(ARENA_LIMIT);
    uint64_t hash = HASH_SECRET_A;
    for (uint32_t i = 0; i < rows->column_count; i++) {
        text_builder line = text_builder_open(&memory);
        firn_error err = ERR_INIT;
        text printed;
        column_print_row(&rows->columns[i], row, &line);
        if (text_builder_finish(&line, &printed, &err) == FIRN_OK) {
            hash = hash_combine(hash, hash_bytes(printed.data, printed.size));
        }
    }
    arena_close(&memory);
    return hash;
}

static void add_rows(void *user, const batch *rows) {
    reading *out = user;
    const column *numbers = &rows->columns[rows->column_count - 1];
    for (uint32_t k = 0; k < rows->selected_count; k++) {
        const uint32_t row = batch_row(rows, k);
        if (out->count == ROWS_MAX) {
            out->is_cut = true;
            return;
        }
        out->numbers[out->count] = COLUMN_VALUES(numbers, uint64_t)[column_lane(numbers, row)];
        out->hashes[out->count++] = hash_row(rows, row);
    }
}

static reading *read_rows(const run *self, const ice_read *what, uint32_t batch_rows) {
    reading *out = ARENA_NEW(self->memory, reading, 1);
    must(out != NULL);
    *out = (reading){.count = 0};
    out->status = read_file(self, what, batch_rows, add_rows, out, &out->is_cut);
    return out;
}

// Every third row or so.
WRAPS static bool find_deleted(void *user, uint64_t first, uint32_t count, uint64_t *bits) {
    bool has_any = false;
    (void)user;
    for (uint32_t i = 0; i < count; i++) {
        if ((first + i) * UINT64_C(0x9e3779b97f4a7c15) >> 62 == 0) {
            bitmap_set(bits, i);
            has_any = true;
        }
    }
    return has_any;
}

static void check_filtered(const run *self, const reading *whole) {
    firn_error err = ERR_INIT;
    ice_read what = ask(self, whole->count);
    expr *column = expr_column(self->memory, self->wanted[0].id, TEXT("c"), self->wanted[0].type);
    expr *conjunct = NULL;
    what.is_deleted = find_deleted;
    if (function_call_named(TEXT("is_not_null"), &column, 1, self->memory, &conjunct, &err) ==
        FIRN_OK) {
        what.filters = (expr_list){.count = 1, .items = &conjunct};
    }
    const reading *part = read_rows(self, &what, 0);
    for (uint32_t i = 0; i < part->count; i++) {
        if (part->numbers[i] < whole->count) { // Rows of the whole ascend from 0.
            must(whole->hashes[part->numbers[i]] == part->hashes[i]);
        }
    }
}

static bool is_out_of_memory(const reading *self) {
    return self->status == FIRN_NO_MEMORY;
}

static void check_data(const run *self) {
    const ice_read what = ask(self, self->row_count);
    const reading *whole = read_rows(self, &what, 0);
    const reading *small = read_rows(self, &what, 3);
    if (is_out_of_memory(whole) || is_out_of_memory(small)) {
        return;
    }
    must(whole->status == small->status || whole->is_cut || small->is_cut);
    for (uint32_t i = 0; i < whole->count && i < small->count; i++) {
        must(whole->numbers[i] == i && small->numbers[i] == i);
        must(whole->hashes[i] == small->hashes[i]);
    }
    if (whole->status == FIRN_OK && !whole->is_cut) {
        must(whole->count == self->row_count);
        check_filtered(self, whole);
    }
}

// With a wrong count in its manifest a file is not read. Avro files do not tell theirs: their rows
// are read once for it.
static void count_rows(run *self) {
    const ice_read wrong = ask(self, self->is_avro ? UINT64_MAX : self->row_count + 1);
    const reading *read = read_rows(self, &wrong, 0);
    must(read->status != FIRN_OK || read->is_cut);
    self->row_count = self->is_avro ? read->count : self->row_count;
}

// ---- Deletes -----------------------------------------------------------------------------------

typedef struct checking {
    const ice_deleted *loaded;
    const ice_key *key;
    arena *memory;
    bool is_cut;
} checking;

static void check_positions(const checking *self, text path, int64_t position) {
    const ice_positions found = ice_deleted_positions(self->loaded, path);
    bool is_there = false;
    for (uint64_t i = 0; i < found.count; i++) {
        must(i == 0 || found.items[i - 1] <= found.items[i]);
        is_there = is_there || found.items[i] == (uint64_t)position;
    }
    must(is_there);
}

static void check_deleted(void *user, const batch *rows) {
    checking *self = user;
    firn_error err = ERR_INIT;
    column *flat = ARENA_NEW(self->memory, column, rows->column_count);
    const column **keys = ARENA_NEW(self->memory, const column *, rows->column_count);
    self->is_cut = flat == NULL || keys == NULL;
    for (uint32_t i = 0; i < rows->column_count && !self->is_cut; i++) {
        self->is_cut = column_flatten(self->memory, &rows->columns[i], &flat[i], &err) != FIRN_OK;
        keys[i] = &flat[i];
    }
    for (uint32_t k = 0; k < rows->selected_count && k < 64 && !self->is_cut; k++) {
        const uint32_t row = batch_row(rows, k);
        if (self->key == NULL) {
            check_positions(self, string_text(&COLUMN_VALUES(keys[0], string_value)[row]),
                            COLUMN_VALUES(keys[1], int64_t)[row]);
        } else {
            const uint64_t hash = ice_key_hash(keys, rows->column_count, row);
            must(ice_deleted_has_key(self->loaded, hash, keys, row));
        }
    }
}

static void load(const run *self, ice_delete_file *file) {
    const scan_env env = environment(self, 0);
    arena scratch = arena_open(ARENA_LIMIT);
    ice_delete_loader *loader = NULL;
    firn_error err = ERR_INIT;
    scan_answer answer = SCAN_WAIT;
    firn_status status = ice_delete_loader_open(file, &env, &loader, &err);
    while (status == FIRN_OK && answer != SCAN_END) {
        status = ice_delete_loader_next(loader, &scratch, &answer, &err);
    }
    must(status != FIRN_OK || atomic_load(&file->loaded) != NULL);
    ice_delete_loader_close(loader);
    arena_close(&scratch);
}

static void check_deletes(const run *self, bool is_equality) {
    // As the loader asks for them.
    static const int32_t path_id[] = {ICE_DELETE_PATH_ID};
    static const int32_t position_id[] = {ICE_DELETE_POSITION_ID};
    static const ice_wanted position_columns[] = {
        {.path_length = 1, .path = path_id, .type = TYPE_OF(VARCHAR)},
        {.path_length = 1, .path = position_id, .type = TYPE_OF(BIGINT)}};
    static const text names[2] = {{"file_path", 9}, {"pos", 3}};
    static const ice_mapped items[] = {
        {.field_id = ICE_DELETE_PATH_ID, .name_count = 1, .names = &names[0]},
        {.field_id = ICE_DELETE_POSITION_ID, .name_count = 1, .names = &names[1]}};
    static const ice_mapping mapping = {.count = 2, .items = items};
    uint32_t key_count = 0; // Keys are columns at the top that hold no others.
    while (key_count < 2 && key_count < self->columns.count &&
           !type_is_nested(self->columns.fields[key_count].type)) {
        key_count++;
    }
    const ice_key key = {.count = key_count, .columns = self->wanted};
    if (is_equality && (key_count == 0 || !self->has_ids)) {
        return;
    }
    ice_delete_file file = {.path = self->path,
                            .format = self->is_avro ? TEXT("AVRO") : TEXT("parquet"),
                            .content = is_equality ? ICE_EQUALITY_DELETES : ICE_POSITION_DELETES,
                            .row_count = self->row_count,
                            .key = is_equality ? &key : NULL};
    load(self, &file);
    ice_deleted *loaded = atomic_load(&file.loaded);
    if (loaded != NULL) {
        checking check = {.loaded = loaded, .key = file.key, .memory = self->memory};
        const ice_read what = {.count = is_equality ? key_count : 2,
                               .columns = is_equality ? self->wanted : position_columns,
                               .output_count = is_equality ? key_count : 2,
                               .mapping = is_equality ? NULL : &mapping,
                               .part = {.part = PARQUET_WHOLE},
                               .row_count = self->row_count};
        (void)(read_file(self, &what, 7, check_deleted, &check, &check.is_cut) == FIRN_OK);
        must(ice_deleted_positions(loaded, TEXT("no file")).count == 0 || !is_equality);
    }
    ice_deleted_close(loaded);
}

// ---- Files -------------------------------------------------------------------------------------

static void open_world(world *here) {
    firn_error err = ERR_INIT;
    must(io_open(&(io_options){.has_thread = false}, &here->io, &err) == FIRN_OK);
    must(pool_open_engine(POOL_LIMIT, &here->engine, &err) == FIRN_OK);
    const pool_options options = {.kind = POOL_QUERY, .name = "fuzz"};
    must(pool_open(here->engine, &options, &here->query, &err) == FIRN_OK);
    here->codecs = codec_scratch_open((size_t)64 << 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static world here;
    char name[32];
    char path[INPUT_PATH_MAX];
    firn_error err = ERR_INIT;
    if (size < 2) {
        return 0;
    }
    if (here.io == NULL) {
        open_world(&here);
    }
    arena memory = arena_open(ARENA_LIMIT);
    run self = {.here = &here,
                .memory = &memory,
                .content = {.data = data + 1, .size = size - 1},
                .is_avro = data[0] % 2 == 1};
    if (prepare(&self)) {
        // Another name each time: files of tables never change under theirs.
        (void)snprintf(name, sizeof name, "%llu", (unsigned long long)++here.input_count);
        input_folder_write(name, self.content, path);
        self.path = text_of(path);
        count_rows(&self);
        switch (data[0] / 2 % 3) {
        case 0:
            check_data(&self);
            break;
        case 1:
            check_deletes(&self, false);
            break;
        default:
            check_deletes(&self, true);
            break;
        }
        must(host_remove(path, &err) == FIRN_OK);
    }
    arena_close(&memory);
    return 0;
}
