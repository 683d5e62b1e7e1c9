// COPY … TO: the rows of a query become files.
//
// It is an INSERT into a table that is made of the path and the options (copy_target.h) and can
// only be written: plan, count and commit are those of INSERT.
#include <string.h>

#include "base/nearest.h"
#include "base/number_text.h"
#include "engine/command_define.h"
#include "engine/transactions.h"
#include "io/io_path.h"
#include "tables/files/copy_target.h"

#define PATH_SHOWN_MAX 1024

// ---- What is copied ----------------------------------------------------------------------------

// An item for each column of the list, or *.
static firn_status make_items(run *self, const sql_copy *written, sql_list *out, firn_error *err) {
    const size_t count = written->columns.count == 0 ? 1 : written->columns.count;
    const sql_node **nodes = ARENA_NEW(&self->memory, const sql_node *, count);
    sql_select_item *items = ARENA_NEW(&self->memory, sql_select_item, count);
    sql_column *columns = ARENA_NEW(&self->memory, sql_column, count);
    sql_star *star = ARENA_NEW(&self->memory, sql_star, 1);
    if (nodes == NULL || items == NULL || columns == NULL || star == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    const uint32_t start = written->node.position;
    *star = (sql_star){.node = {SQL_FAMILY_EXPR, SQL_STAR, 1, start, 0}};
    for (size_t i = 0; i < count; i++) {
        const sql_name *name = written->columns.count == 0 ? NULL : &written->columns.items[i];
        const uint32_t at = name == NULL ? start : name->position;
        columns[i] = (sql_column){.node = {SQL_FAMILY_EXPR, SQL_COLUMN, 1, at, 0}};
        if (name != NULL) {
            columns[i].path = (sql_names){.count = 1, .items = name};
        }
        items[i] = (sql_select_item){.node = {SQL_FAMILY_PART, SQL_SELECT_ITEM, 2, at, 0},
                                     .value = name == NULL ? &star->node : &columns[i].node};
        nodes[i] = &items[i].node;
    }
    *out = (sql_list){.count = count, .items = nodes};
    return FIRN_OK;
}

firn_status command_copy_query(run *self, const sql_copy *written, const sql_query **out,
                               firn_error *err) {
    *out = written->query;
    if (written->query != NULL) {
        return FIRN_OK;
    }
    // COPY t (a, b) is COPY (SELECT a, b FROM t).
    sql_query *query = ARENA_NEW(&self->memory, sql_query, 1);
    sql_select *select = ARENA_NEW(&self->memory, sql_select, 1);
    sql_table *table = ARENA_NEW(&self->memory, sql_table, 1);
    const sql_node **from = ARENA_NEW(&self->memory, const sql_node *, 1);
    if (query == NULL || select == NULL || table == NULL || from == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    const uint32_t start = written->table.items[0].position;
    *table =
        (sql_table){.node = {SQL_FAMILY_RELATION, SQL_TABLE, 1, start, 0}, .path = written->table};
    from[0] = &table->node;
    *select = (sql_select){.node = {SQL_FAMILY_BODY, SQL_SELECT, 3, start, 0},
                           .from = {.count = 1, .items = from}};
    TRY(make_items(self, written, &select->items, err));
    *query = (sql_query){.node = {SQL_FAMILY_BODY, SQL_QUERY, 4, start, 0}, .body = &select->node};
    *out = query;
    return FIRN_OK;
}

// ---- Options -----------------------------------------------------------------------------------

enum {
#define COPY_OPTION(name, read, of, takes, meaning) COPY_OPTION_##name,
#include "engine/copy_options.def"
#undef COPY_OPTION
    COPY_OPTION_COUNT
};

typedef struct copy_options {
    run *run;
    const schema *columns;
    bool has_format;
    bool has_codec;
    const sql_option *given[COPY_OPTION_COUNT]; // By the order of the list; NULL: not given.
    copy_target_options target;
} copy_options;

static firn_status refuse(const sql_option *option, text value, const char *allowed,
                          firn_error *err) {
    return FAIL_SQL(err, FIRN_INVALID, "22023",
                    option->value == NULL ? option->key.position : option->value->position,
                    "\"%.*s\" is no value of %.*s, which is %s", TEXT_ARGS(value),
                    TEXT_ARGS(option->key.value), allowed);
}

static firn_status refuse_format(text format, uint32_t position, firn_error *err) {
    const firn_status status = FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", position,
                                        "the format \"%.*s\" cannot be written", TEXT_ARGS(format));
    static const char *const words[] = {"parquet", "csv", "json", "ndjson", "arrow", "feather"};
    nearest_name near = nearest_to(format);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        nearest_offer(&near, text_of(words[i]));
    }
    if (!nearest_hint(&near, err)) {
        err_hint(err, "the formats parquet, csv, json, ndjson, arrow and feather can");
    }
    return status;
}

static firn_status read_format(copy_options *self, const sql_option *option, text value,
                               firn_error *err) {
    self->has_format = true;
    if (text_equal_nocase(value, TEXT("parquet"))) {
        return FIRN_OK;
    }
    self->target.format = copy_format_of(value);
    return self->target.format == NULL ? refuse_format(value, option->key.position, err)
                                       : (firn_status)FIRN_OK;
}

static firn_status read_compression(copy_options *self, const sql_option *option, text value,
                                    firn_error *err) {
    static const struct {
        const char *word;
        codec codec;
    } words[] = {{"zstd", CODEC_ZSTD},        {"snappy", CODEC_SNAPPY}, {"gzip", CODEC_GZIP},
                 {"lz4", CODEC_LZ4},          {"lz4_raw", CODEC_LZ4},   {"none", CODEC_NONE},
                 {"uncompressed", CODEC_NONE}};
    nearest_name near = nearest_to(value);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (text_equal_nocase(value, text_of(words[i].word))) {
            self->has_codec = true;
            self->target.writer.codec = words[i].codec;
            self->target.writer.codec_choice = PW_CODEC_GIVEN;
            return FIRN_OK;
        }
        nearest_offer(&near, text_of(words[i].word));
    }
    const firn_status status = refuse(option, value, "zstd, snappy, gzip, lz4 or none", err);
    (void)nearest_hint(&near, err);
    return status;
}

static firn_status read_level(copy_options *self, const sql_option *option, text value,
                              firn_error *err) {
    int64_t level;
    if (number_parse_i64(value, &level) != NUMBER_OK || level < 1 || level > 22) {
        return refuse(option, value, "a number from 1 to 22", err);
    }
    self->target.writer.codec_level = (int)level;
    return FIRN_OK;
}

static firn_status read_group_rows(copy_options *self, const sql_option *option, text value,
                                   firn_error *err) {
    uint64_t rows;
    if (number_parse_u64(value, &rows) != NUMBER_OK || rows < 1 || rows > INT64_MAX) {
        return refuse(option, value, "a number of rows from 1 up", err);
    }
    self->target.writer.group_rows = rows;
    return FIRN_OK;
}

static firn_status read_file_size(copy_options *self, const sql_option *option, text value,
                                  firn_error *err) {
    uint64_t size;
    const bool is_share = value.size > 0 && value.data[value.size - 1] == '%';
    if (number_parse_u64(value, &size) != NUMBER_OK &&
        (is_share || !settings_parse_size(value, &size))) {
        return refuse(option, value, "a size such as '100MB'", err);
    }
    if (size < 1 || size > INT64_MAX) {
        return refuse(option, value, "a size from 1 byte up", err);
    }
    self->target.file_size = size;
    return FIRN_OK;
}

static firn_status read_overwrite(copy_options *self, const sql_option *option, text value,
                                  firn_error *err) {
    return settings_parse_bool(value, &self->target.overwrite)
               ? FIRN_OK
               : refuse(option, value, "true or false", err);
}

static firn_status read_header(copy_options *self, const sql_option *option, text value,
                               firn_error *err) {
    return settings_parse_bool(value, &self->target.csv.has_header)
               ? FIRN_OK
               : refuse(option, value, "true or false", err);
}

// One byte that no value needs and no line end is.
static firn_status read_sign(const sql_option *option, text value, char *out, firn_error *err) {
    const char byte = value.size == 1 ? value.data[0] : '\0';
    const bool is_sign = (byte >= ' ' && byte < 0x7f) || byte == '\t';
    if (!is_sign) {
        return refuse(option, value, "one character, such as ';', or a tab", err);
    }
    *out = byte;
    return FIRN_OK;
}

static firn_status read_delimiter(copy_options *self, const sql_option *option, text value,
                                  firn_error *err) {
    const bool is_tab = text_equal(value, TEXT("\\t"));
    return read_sign(option, is_tab ? TEXT("\t") : value, &self->target.csv.delimiter, err);
}

static firn_status read_quote(copy_options *self, const sql_option *option, text value,
                              firn_error *err) {
    return read_sign(option, value, &self->target.csv.quote, err);
}

static firn_status read_null(copy_options *self, const sql_option *option, text value,
                             firn_error *err) {
    (void)option;
    (void)err;
    self->target.csv.null = value;
    return FIRN_OK;
}

typedef firn_status (*option_reader)(copy_options *self, const sql_option *option, text value,
                                     firn_error *err);

// Of which formats an option is.
typedef enum option_of {
    OF_ALL,
    OF_PARQUET,
    OF_CSV,
    OF_COMPRESSED, // Parquet, and what is text.
} option_of;

static const struct {
    const char *name;
    option_reader read;
    option_of of;
} option_rows[COPY_OPTION_COUNT] = {
#define COPY_OPTION(name, read, of, takes, meaning) {#name, read, of},
#include "engine/copy_options.def"
#undef COPY_OPTION
};

static firn_status say_no_option(const sql_option *option, firn_error *err) {
    const firn_status status =
        FAIL_SQL(err, FIRN_INVALID, "22023", option->key.position, "COPY has no option \"%.*s\"",
                 TEXT_ARGS(option->key.value));
    nearest_name near = nearest_to(option->key.value);
    for (size_t i = 0; i < COPY_OPTION_COUNT; i++) {
        nearest_offer(&near, text_of(option_rows[i].name));
    }
    if (!nearest_hint(&near, err)) {
        err_hint(err, "there are format, compression, compression_level, row_group_rows, "
                      "file_size, partition_by and overwrite; of csv header, delimiter, quote and "
                      "null");
    }
    return status;
}

static firn_status read_option(copy_options *self, const sql_option *option, firn_error *err) {
    size_t found = 0;
    while (found < COPY_OPTION_COUNT &&
           !text_equal_nocase(option->key.value, text_of(option_rows[found].name))) {
        found++;
    }
    if (found == COPY_OPTION_COUNT) {
        return say_no_option(option, err);
    }
    const option_reader read = option_rows[found].read;
    if (self->given[found] != NULL) {
        return FAIL_SQL(err, FIRN_INVALID, "42601", option->key.position,
                        "the option \"%s\" is given twice", option_rows[found].name);
    }
    self->given[found] = option;
    if (option->value == NULL && read != read_overwrite && read != read_header) {
        return FAIL_SQL(err, FIRN_INVALID, "42601", option->key.position,
                        "the option \"%s\" has no value", option_rows[found].name);
    }
    if (read == NULL) { // When the columns are known.
        return FIRN_OK;
    }
    text value = TEXT("true");
    if (option->value != NULL) {
        TRY(command_constant_text(self->run, option->value, &value, err));
    }
    return read(self, option, value, err);
}

// ---- PARTITION_BY ------------------------------------------------------------------------------

static firn_status add_partition(copy_options *self, const sql_expr *written, uint32_t *columns,
                                 firn_error *err) {
    text name;
    bool is_quoted = false;
    if (sql_is_expr(written, SQL_COLUMN)) {
        const sql_names *path = &sql_column_of(written)->path;
        name = path->items[path->count - 1].value;
        is_quoted = path->items[path->count - 1].is_quoted;
    } else {
        TRY(command_constant_text(self->run, written, &name, err));
    }
    nearest_name near = nearest_to(name);
    uint32_t found = self->columns->count;
    for (uint32_t i = 0; i < self->columns->count; i++) {
        const text each = self->columns->fields[i].name;
        const bool is_it = is_quoted ? text_equal(each, name) : text_equal_nocase(each, name);
        found = is_it && found == self->columns->count ? i : found;
        nearest_offer(&near, each);
    }
    if (found == self->columns->count) {
        const firn_status status =
            FAIL_SQL(err, FIRN_INVALID, "42703", written->position,
                     "PARTITION_BY: the query has no column \"%.*s\"", TEXT_ARGS(name));
        (void)nearest_hint(&near, err);
        return status;
    }
    for (uint32_t i = 0; i < self->target.partition_count; i++) {
        if (columns[i] == found) {
            return FAIL_SQL(err, FIRN_INVALID, "42701", written->position,
                            "PARTITION_BY names \"%.*s\" twice", TEXT_ARGS(name));
        }
    }
    columns[self->target.partition_count++] = found;
    return FIRN_OK;
}

static firn_status read_partitions(copy_options *self, firn_error *err) {
    const sql_option *given = self->given[COPY_OPTION_partition_by];
    if (given == NULL) {
        return FIRN_OK;
    }
    const sql_expr *written = given->value;
    const bool is_list = sql_is_expr(written, SQL_ROW);
    const size_t count = is_list ? sql_row_of(written)->items.count : 1;
    uint32_t *columns = ARENA_NEW(&self->run->memory, uint32_t, count + 1);
    if (columns == NULL) {
        return ARENA_FULL(&self->run->memory, err);
    }
    self->target.partitions = columns;
    for (size_t i = 0; i < count; i++) {
        TRY(add_partition(self, is_list ? sql_row_of(written)->items.items[i] : written, columns,
                          err));
    }
    return FIRN_OK;
}

// ---- The whole ---------------------------------------------------------------------------------

// What stands behind the last dot of a path's last part; all before it is left. False: no dot.
static bool cut_ending(text *path, text *ending) {
    size_t dot = path->size;
    while (dot > 0 && path->data[dot - 1] != '.' && path->data[dot - 1] != '/') {
        dot--;
    }
    if (dot == 0 || path->data[dot - 1] != '.') {
        return false;
    }
    *ending = text_slice(*path, dot, path->size);
    *path = text_slice(*path, 0, dot - 1);
    return true;
}

// Without FORMAT the ending of the path says it; a folder of files has none. A text that is called
// .gz or .zst is compressed.
static firn_status find_format(copy_options *self, const sql_copy *written, text path,
                               firn_error *err) {
    text left = path;
    text ending = TEXT("");
    codec packed = CODEC_NONE;
    bool has_ending = cut_ending(&left, &ending);
    if (has_ending &&
        (text_equal_nocase(ending, TEXT("gz")) || text_equal_nocase(ending, TEXT("zst")))) {
        text below = TEXT("");
        packed = text_equal_nocase(ending, TEXT("gz")) ? CODEC_GZIP : CODEC_ZSTD;
        if (cut_ending(&left, &below)) {
            ending = below;
        }
    }
    const copy_format *by_ending = copy_format_of_ending(ending);
    const bool is_folder =
        self->given[COPY_OPTION_partition_by] != NULL || self->target.file_size > 0;
    if (!self->has_format && by_ending == NULL && !text_equal_nocase(ending, TEXT("parquet"))) {
        if (has_ending) {
            return refuse_format(ending, written->place->position, err);
        }
        if (!is_folder) {
            const firn_status status =
                FAIL_SQL(err, FIRN_INVALID, "22023", written->place->position,
                         "the path \"%.*s\" does not say in which format", TEXT_ARGS(path));
            err_hint(err, "end it in .parquet, .csv or .json, or add (FORMAT parquet)");
            return status;
        }
    }
    if (!self->has_format) {
        self->target.format = by_ending;
    }
    if (self->target.format != NULL && !self->has_codec) {
        self->target.writer.codec = self->target.format->is_text ? packed : CODEC_NONE;
    }
    if (packed != CODEC_NONE && (self->target.format == NULL || !self->target.format->is_text)) {
        return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", written->place->position,
                        "the format %s is not compressed as a whole, as \"%.*s\" says",
                        self->target.format == NULL ? "parquet" : self->target.format->name,
                        TEXT_ARGS(path));
    }
    return FIRN_OK;
}

// Options that the format does not have.
static firn_status check_options(const copy_options *self, firn_error *err) {
    const copy_format *format = self->target.format;
    const bool is_csv = format != NULL && strcmp(format->name, "csv") == 0;
    const bool has[] = {
        [OF_ALL] = true,
        [OF_PARQUET] = format == NULL,
        [OF_CSV] = is_csv,
        [OF_COMPRESSED] = format == NULL || format->is_text,
    };
    for (size_t i = 0; i < COPY_OPTION_COUNT; i++) {
        if (self->given[i] != NULL && !has[option_rows[i].of]) {
            return FAIL_SQL(err, FIRN_INVALID, "22023", self->given[i]->key.position,
                            "the format %s has no option \"%s\"",
                            format == NULL ? "parquet" : format->name, option_rows[i].name);
        }
    }
    const codec with = self->target.writer.codec;
    if (format != NULL && with != CODEC_NONE && with != CODEC_GZIP && with != CODEC_ZSTD) {
        return FAIL_SQL(err, FIRN_INVALID, "22023",
                        self->given[COPY_OPTION_compression]->key.position,
                        "\"%s\" is no compression of the format %s, which is gzip, zstd or none",
                        codec_word(with), format->name);
    }
    return FIRN_OK;
}

// NULL and fields are told apart by what they hold.
static firn_status check_csv(const copy_options *self, firn_error *err) {
    const csv_options *csv = &self->target.csv;
    const sql_option *null = self->given[COPY_OPTION_null];
    if (csv->delimiter == csv->quote) {
        const sql_option *quote = self->given[COPY_OPTION_quote];
        const sql_option *at = quote == NULL ? self->given[COPY_OPTION_delimiter] : quote;
        return FAIL_SQL(err, FIRN_INVALID, "22023", at->key.position,
                        "the delimiter and the quote are the same");
    }
    for (size_t i = 0; i < csv->null.size; i++) {
        const char byte = csv->null.data[i];
        if (byte == csv->delimiter || byte == csv->quote || byte == '\n' || byte == '\r') {
            return refuse(null, csv->null, "a text without delimiter, quote and line end", err);
        }
    }
    return FIRN_OK;
}

static firn_status check_level(const copy_options *self, firn_error *err) {
    const pw_options *writer = &self->target.writer;
    const sql_option *level = self->given[COPY_OPTION_compression_level];
    const codec with = writer->codec;
    const int most = with == CODEC_ZSTD ? 22 : with == CODEC_GZIP || with == CODEC_LZ4 ? 12 : 0;
    if (level == NULL || writer->codec_level <= most) {
        return FIRN_OK;
    }
    return most == 0 ? FAIL_SQL(err, FIRN_INVALID, "22023", level->key.position,
                                "compression %s has no levels", codec_word(with))
                     : FAIL_SQL(err, FIRN_INVALID, "22023", level->key.position,
                                "compression level %d, with %s there are 1 to %d",
                                writer->codec_level, codec_word(with), most);
}

static firn_status read_options(copy_options *self, const sql_copy *written, text path,
                                firn_error *err) {
    self->target.writer = pw_options_default();
    self->target.csv = CSV_OPTIONS_DEFAULT;
    for (size_t i = 0; i < written->options.count; i++) {
        TRY(read_option(self, sql_option_of(written->options.items[i]), err));
    }
    TRY(find_format(self, written, path, err));
    TRY(check_options(self, err));
    TRY(check_csv(self, err));
    TRY(check_level(self, err));
    return read_partitions(self, err);
}

static firn_status check_names(run *self, const schema *columns, uint32_t position,
                               firn_error *err) {
    name_index names = {0};
    for (uint32_t i = 0; i < columns->count; i++) {
        TRY(define_add_name(self, &names, columns->fields[i].name, position, err));
    }
    return FIRN_OK;
}

static firn_status make_target(run *self, const sql_copy *written, const schema *columns,
                               table_snapshot **out, firn_error *err) {
    text path;
    copy_options options = {.run = self, .columns = columns};
    TRY(command_constant_text(self, written->place, &path, err));
    if (path.size == 0) {
        return FAIL_SQL(err, FIRN_INVALID, "22023", written->place->position, "the path is empty");
    }
    if (!io_path_is_local(path)) {
        char shown[PATH_SHOWN_MAX]; // Without what may be secret.
        return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", written->place->position,
                        "files can be written to local folders, not to \"%.*s\"",
                        TEXT_ARGS(io_path_shown(path, shown, sizeof shown)));
    }
    TRY(read_options(&options, written, path, err));
    TRY(check_names(self, columns, written->node.position, err));
    const firn_status status =
        copy_target_open(path, columns, &options.target, self->session->pool, out, err);
    if (status != FIRN_OK && err->position == NO_POSITION) {
        err->position = written->node.position;
    }
    return status;
}

firn_status command_bind_copy(run *self, const sql_copy *written, const bind_parameters *known,
                              firn_error *err) {
    if (written->is_from) {
        const firn_status status = FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", written->node.position,
                                            "COPY … FROM is not supported");
        err_hint(err, "INSERT INTO the table SELECT * FROM 'x.parquet' reads files");
        return status;
    }
    const bind_env env = session_bind_env(self);
    const sql_query *query;
    bind_result probe = {0};
    schema columns;
    TRY(command_copy_query(self, written, &query, err));
    TRY(run_begin_transaction(self, err)); // Bound twice, it reads the same.
    TRY(bind_query(query, &env, known, &self->memory, &probe, err));
    // Copied, as the types of the query belong to the tables that it reads.
    firn_status status =
        schema_copy(&self->memory, &probe.plan.root->output_.columns, &columns, err);
    bind_result_release(&probe);
    TRY(status);
    table_snapshot *target;
    const sql_names none = {0};
    TRY(make_target(self, written, &columns, &target, err));
    const insert_target into = {.table = target, .columns = &none};
    status = bind_insert(query, &into, &env, known, &self->memory, &self->bound, err);
    table_snapshot_release(target);
    return status;
}

firn_status command_copy(run *self, const sql_copy *written, const bind_parameters *known,
                         const literal *values, firn_error *err) {
    TRY(command_bind_copy(self, written, known, err));
    return run_change(self, values, known == NULL ? 0 : known->count, true, err);
}
