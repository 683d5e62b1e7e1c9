// Arbitrary bytes as the options of COPY … TO, for all formats that are written.
//
// The first byte chooses the path, the second the rows. Then a text (a byte with its length, and so
// many bytes), which is a value in the rows; then options: a byte for the name (or that one follows
// as a text), one for the form of the value, and the value as a text. Everything is quoted: no
// input names another file.
//
// Oracle: what is refused is told with words and leaves nothing in the folder. What is written is
// all there: Parquet files have as many rows, CSV is taken apart by its options into the values
// that were written, and each line of JSON is a value, the same.
#include "base/utf8.h"
#include "firn.h"
#include "input_folder.h"
#include "memory/json_tree.h"
#include "memory/text_builder.h"
#include "tables/files/copy_format.h"

#define MEMORY_MAX ((size_t)64 << 20)
#define FILE_BYTES_MAX ((size_t)4 << 20)
#define INPUT_BYTES_MAX 2000
#define FIELD_BYTES_MAX 1024 // A text of the input has 255.

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition) {
    if (!condition) {
        abort();
    }
}

// ---- The folder --------------------------------------------------------------------------------

typedef struct visit {
    const char *folder;
    uint32_t file_count;
    bool removes;
} visit;

static firn_status visit_entry(void *user, const char *name, bool is_folder, firn_error *err) {
    visit *self = user;
    char path[2048];
    expect((size_t)snprintf(path, sizeof path, "%s/%s", self->folder, name) < sizeof path);
    if (is_folder) {
        visit below = {.folder = path, .removes = self->removes};
        TRY(host_list(path, visit_entry, &below, err));
        self->file_count += below.file_count;
    } else {
        self->file_count += 1;
    }
    return self->removes ? host_remove(path, err) : FIRN_OK;
}

static uint32_t files_in_folder(bool removes) {
    visit all = {.folder = input_folder(), .removes = removes};
    firn_error err = ERR_INIT;
    expect(host_list(all.folder, visit_entry, &all, &err) == FIRN_OK);
    return all.file_count;
}

// ---- The input ---------------------------------------------------------------------------------

typedef struct source {
    text left;
} source;

static uint8_t next_byte(source *self) {
    const uint8_t byte = self->left.size > 0 ? (uint8_t)self->left.data[0] : 0;
    self->left = text_slice(self->left, self->left.size > 0 ? 1 : 0, self->left.size);
    return byte;
}

static text next_text(source *self) {
    const size_t wanted = next_byte(self);
    const text out = text_slice(self->left, 0, wanted < self->left.size ? wanted : self->left.size);
    self->left = text_slice(self->left, out.size, self->left.size);
    return out;
}

// As SQL has it; a NUL ends a statement.
static void put_quoted(text_builder *out, text value, char quote) {
    text_append_char(out, quote);
    for (size_t i = 0; i < value.size && value.data[i] != '\0'; i++) {
        if (value.data[i] == quote) {
            text_append_char(out, quote);
        }
        text_append_char(out, value.data[i]);
    }
    text_append_char(out, quote);
}

// What the options come to, if the statement is taken.
typedef struct taken {
    const copy_format *format; // NULL: Parquet.
    char delimiter;
    char quote;
    bool has_header;
    bool has_partitions;
    text null;
} taken;

enum {
    NAME_FORMAT,
    NAME_HEADER = 3,
    NAME_DELIMITER,
    NAME_QUOTE,
    NAME_NULL,
    NAME_PARTITION_BY = 10,
    NAME_COUNT = 12
};

static bool is_off(text value) {
    static const char *const words[] = {"false", "off", "no", "0", "f"};
    bool is = false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        is = is || text_equal_nocase(value, text_of(words[i]));
    }
    return is;
}

static void note_option(taken *self, uint32_t name, text value) {
    if (name == NAME_FORMAT) {
        self->format = copy_format_of(value);
    } else if (name == NAME_HEADER) {
        self->has_header = !is_off(value);
    } else if (name == NAME_DELIMITER && value.size > 0) {
        self->delimiter = text_equal(value, TEXT("\\t")) ? '\t' : value.data[0];
    } else if (name == NAME_QUOTE && value.size > 0) {
        self->quote = value.data[0];
    } else if (name == NAME_PARTITION_BY) {
        self->has_partitions = true;
    } else if (name == NAME_NULL) {
        self->null = value;
    }
}

static void put_option(source *from, text_builder *out, arena *memory, taken *to) {
    static const char *const names[NAME_COUNT] = {
        "format", "compression",    "compression_level", "header",    "delimiter",    "quote",
        "null",   "row_group_rows", "row_group_size",    "file_size", "partition_by", "overwrite"};
    const uint8_t name = next_byte(from);
    const bool is_known = name % 16 < NAME_COUNT;
    put_quoted(out, is_known ? text_of(names[name % 16]) : next_text(from), '"');
    const uint32_t form = next_byte(from) % 4;
    text value = next_text(from);
    const size_t nul = text_find(value, TEXT("\0"));
    value = text_slice(value, 0, nul);
    text_append_char(out, ' ');
    if (form == 1) {
        text_append(out, value.size % 2 == 0 ? TEXT("(a)") : TEXT("(c, b)"));
        value = TEXT("a"); // A word is a text as well.
    } else if (form == 2) {
        firn_error err = ERR_INIT;
        const uint8_t number = value.size > 0 ? (uint8_t)value.data[0] : 0;
        expect(text_format(memory, &value, &err, "%u", number) == FIRN_OK);
        text_append(out, value);
    } else if (form == 3) {
        value = TEXT("true"); // It may be left out.
    } else {
        put_quoted(out, value, '\'');
    }
    if (is_known) {
        note_option(to, name % 16, value);
    }
}

// ---- What was written --------------------------------------------------------------------------

typedef struct expected {
    text word;
    uint32_t row_count;
} expected;

static text read_file(const char *path, arena *memory) {
    host_file file;
    host_stat found;
    firn_error err = ERR_INIT;
    expect(host_open(path, HOST_MODE_READ, &file, &err) == FIRN_OK);
    expect(host_file_stat(file, &found, &err) == FIRN_OK && found.size <= FILE_BYTES_MAX);
    char *data = ARENA_NEW(memory, char, found.size + 1);
    expect(data != NULL && host_read(file, 0, found.size, data, &err) == FIRN_OK);
    host_close(&file);
    return (text){.data = data, .size = found.size};
}

// The next field, behind it what ends it, which is the delimiter or a line's end.
static bool next_field(text *rest, const taken *by, text *out, char *end) {
    static char made[FIELD_BYTES_MAX];
    const bool is_quoted = rest->size > 0 && rest->data[0] == by->quote;
    size_t size = 0;
    size_t i = is_quoted ? 1 : 0;
    for (;; i++) {
        expect(i < rest->size && size < sizeof made);
        const char byte = rest->data[i];
        if (is_quoted && byte == by->quote) {
            i += 1;
            if (i < rest->size && rest->data[i] == by->quote) {
                made[size++] = by->quote;
                continue;
            }
            break;
        }
        if (!is_quoted && (byte == by->delimiter || byte == '\n')) {
            break;
        }
        made[size++] = byte;
    }
    expect(i < rest->size);
    *end = rest->data[i];
    *out = (text){.data = made, .size = size};
    *rest = text_slice(*rest, i + 1, rest->size);
    return is_quoted;
}

static void check_csv(text file, const taken *by, const expected *rows) {
    static const char *const names[] = {"a", "b", "c"};
    text rest = file;
    for (uint32_t row = 0; row < rows->row_count + (by->has_header ? 1 : 0); row++) {
        const bool is_header = by->has_header && row == 0;
        for (uint32_t i = 0; i < 3; i++) {
            text found;
            char end;
            const bool is_quoted = next_field(&rest, by, &found, &end);
            expect(end == (i == 2 ? '\n' : by->delimiter));
            if (is_header) {
                expect(text_equal(found, text_of(names[i])));
            } else if (i == 1) {
                expect(text_equal(found, rows->word));
                expect(is_quoted || !text_equal(found, by->null)); // That would be NULL.
            } else if (i == 2) {
                expect(!is_quoted && text_equal(found, by->null));
            }
        }
    }
    expect(rest.size == 0);
}

static void check_json(text file, bool is_array, const expected *rows, arena *memory) {
    uint32_t count = 0;
    firn_error err = ERR_INIT;
    const json_node *node;
    text rest = file;
    while (rest.size > 0) {
        const size_t end = is_array ? rest.size : text_find(rest, TEXT("\n"));
        const bytes json = {.data = (const uint8_t *)rest.data, .size = end};
        expect(json_tree_read(memory, json, &node, &err) == FIRN_OK);
        const json_node *object = is_array ? node->first : node;
        for (; object != NULL; object = is_array ? object->next : NULL) {
            expect(text_equal(json_find(object, "b")->value, rows->word));
            expect(json_find(object, "c")->kind == JSON_NULL);
            count += 1;
        }
        rest = text_slice(rest, end < rest.size ? end + 1 : end, rest.size);
    }
    expect(count == rows->row_count);
}

static int64_t count_rows(firn_session *session, const char *path) {
    char sql[1024];
    struct ArrowArrayStream rows;
    struct ArrowArray first;
    firn_error err = ERR_INIT;
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM read_parquet('%s')", path);
    expect(firn_query(session, sql, FIRN_NUL_TERMINATED, &rows, &err) == FIRN_OK);
    expect(rows.get_next(&rows, &first) == 0 && first.release != NULL);
    const int64_t out = ((const int64_t *)first.children[0]->buffers[1])[0];
    first.release(&first);
    rows.release(&rows);
    return out;
}

static void check_written(firn_session *session, const char *path, const taken *by,
                          const expected *rows, arena *memory) {
    host_stat found;
    firn_error err = ERR_INIT;
    if (host_path_stat(path, &found, &err) != FIRN_OK) {
        expect(by->has_partitions && rows->row_count == 0); // No value, no folder.
        return;
    }
    if (found.is_folder) { // Files of any format: those of Parquet are the usual ones.
        expect(rows->row_count == 0 || files_in_folder(false) > 0);
        return;
    }
    const text file = read_file(path, memory);
    const bool is_packed = text_starts_with(file, TEXT("\x1f\x8b")) ||
                           text_starts_with(file, TEXT("\x28\xb5\x2f\xfd"));
    if (by->format == NULL) {
        expect(count_rows(session, path) == rows->row_count);
    } else if (by->format->is_text && !is_packed) { // Others read those (interop/copy_formats).
        const bool is_csv = strcmp(by->format->name, "csv") == 0;
        const bool is_array = strcmp(by->format->name, "json") == 0;
        if (is_csv) {
            check_csv(file, by, rows);
        } else {
            check_json(file, is_array, rows, memory);
        }
    }
}

// ---- The statement -----------------------------------------------------------------------------

static firn_session *session_of_all(void) {
    static firn_session *session; // Until the process ends.
    if (session == NULL) {
        static firn_engine *engine;
        firn_error err = ERR_INIT;
        const firn_option options[] = {{"threads", "1"}, {"memory_limit", "400MB"}};
        expect(firn_engine_open(options, 2, &engine, &err) == FIRN_OK);
        expect(firn_session_open(engine, &session, &err) == FIRN_OK);
    }
    return session;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {"x",          "x.csv",       "x.json", "x.ndjson",
                                        "x.parquet",  "x.arrow",     "x.tsv",  "x.csv.gz",
                                        "x.json.zst", "x.parquet.gz"};
    static const uint32_t counts[] = {0, 1, 3, 700};
    if (size < 3 || size > INPUT_BYTES_MAX ||
        !utf8_is_valid((bytes){.data = data + 2, .size = size - 2})) {
        return 0;
    }
    arena memory = arena_open(MEMORY_MAX);
    source from = {.left = {.data = (const char *)data + 2, .size = size - 2}};
    const expected rows = {.row_count = counts[data[1] % 4], .word = next_text(&from)};
    const char *name = names[data[0] % (sizeof names / sizeof *names)];
    const char *dot = strchr(name, '.');
    const text endings = text_of(dot == NULL ? "" : dot + 1);
    const text ending = text_slice(endings, 0, text_find(endings, TEXT(".")));
    taken by = {.format = dot == NULL ? NULL : copy_format_of_ending(ending),
                .delimiter = ',',
                .quote = '"',
                .has_header = true};
    char path[INPUT_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", input_folder(), name);
    const bool has_nul = text_find(rows.word, TEXT("\0")) < rows.word.size;
    text_builder out = text_builder_open(&memory);
    text_append(&out, TEXT("COPY (SELECT range AS a, "));
    put_quoted(&out, rows.word, '\'');
    text_append_format(&out, " AS b, NULL::INTEGER AS c FROM range(%u)) TO '%s' (", rows.row_count,
                       path);
    for (uint32_t i = 0; i < 6 && (i == 0 || from.left.size > 0); i++) {
        text_append(&out, i == 0 ? TEXT("") : TEXT(", "));
        put_option(&from, &out, &memory, &by);
    }
    text_append_char(&out, ')');
    text sql;
    firn_error err = ERR_INIT;
    expect(text_builder_finish(&out, &sql, &err) == FIRN_OK);
    firn_session *session = session_of_all();
    const firn_status status = firn_execute(session, sql.data, sql.size, NULL, &err);
    if (status == FIRN_OK) {
        if (!has_nul) {
            check_written(session, path, &by, &rows, &memory);
        }
    } else {
        expect(err.length > 0 && status != FIRN_INTERNAL && files_in_folder(false) == 0);
    }
    (void)files_in_folder(true);
    arena_close(&memory);
    return 0;
}
