// The queries that other engines' users write: TPC-H, TPC-DS and the statements of the fixed random
// queries, each parsed, printed and parsed again. They lie beside the repository, in ../shared or
// where FIRN_SHARED says; without them the test says so and passes.
#include <stdio.h>
#include <string.h>

#include "base/host.h"
#include "base/test.h"
#include "sql/round_trip.h"

#define MEMORY_MAX ((size_t)256 << 20)
#define PATH_MAX_BYTES 512

typedef struct corpus {
    char folder[PATH_MAX_BYTES];
    uint32_t file_count;
    uint32_t statement_count;
} corpus;

// Finds the folder `name` of the shared material. False when there is none.
static bool find_folder(const char *name, char *out) {
    const char *const places[] = {host_environment("FIRN_SHARED"), "../shared", "../../../shared"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        host_stat stat;
        firn_error err = ERR_INIT;
        if (places[i] == NULL) {
            continue;
        }
        (void)snprintf(out, PATH_MAX_BYTES, "%s/sql/%s", places[i], name);
        if (host_path_stat(out, &stat, &err) == FIRN_OK) {
            return true;
        }
    }
    printf("     no %s in ../shared/sql: not tested; FIRN_SHARED says where it is\n", name);
    return false;
}

static firn_status read_file(const char *path, arena *memory, text *out, firn_error *err) {
    host_file file;
    host_stat stat;
    TRY(host_open(path, HOST_MODE_READ, &file, err));
    firn_status status = host_file_stat(file, &stat, err);
    char *data = status == FIRN_OK ? ARENA_NEW(memory, char, (size_t)stat.size + 1) : NULL;
    if (data != NULL) {
        status = host_read(file, 0, (size_t)stat.size, data, err);
        *out = (text){.data = data, .size = (size_t)stat.size};
    }
    host_close(&file);
    if (data == NULL && status == FIRN_OK) {
        return ARENA_FULL(memory, err);
    }
    return status;
}

// All statements of a text.
static void check_script(corpus *self, const char *path, text sql, arena *memory) {
    size_t at = 0;
    while (at < sql.size) {
        firn_error err = ERR_INIT;
        text printed;
        const round_trip result = sql_round_trip(sql, at, memory, &printed, &at, &err);
        if (result == ROUND_TRIP_NONE) {
            continue;
        }
        self->statement_count += 1;
        if (result != ROUND_TRIP_SAME) {
            test_fail(__FILE__, __LINE__, path);
            (void)fprintf(stderr, "  %s\n  printed: %.*s\n", err.text, TEXT_ARGS(printed));
            return;
        }
    }
}

// Takes the next line off `rest`.
static text next_line(text *rest) {
    const char *end = memchr(rest->data, '\n', rest->size);
    const size_t size = end == NULL ? rest->size : (size_t)(end - rest->data);
    const text line = text_slice(*rest, 0, size);
    *rest = text_slice(*rest, end == NULL ? size : size + 1, rest->size);
    return line;
}

// The statements of a sqllogictest file: what stands between "statement" or "query" and a blank
// line or "----".
static void check_records(corpus *self, const char *path, text file, arena *memory) {
    text rest = file;
    while (rest.size > 0) {
        const text head = next_line(&rest);
        if (!text_starts_with(head, TEXT("statement")) && !text_starts_with(head, TEXT("query"))) {
            continue;
        }
        const char *from = rest.data;
        size_t size = 0;
        for (;;) {
            const text line = next_line(&rest);
            if (line.size == 0 || text_equal(line, TEXT("----"))) {
                break;
            }
            size = (size_t)(line.data - from) + line.size;
        }
        check_script(self, path, (text){.data = from, .size = size}, memory);
    }
}

static firn_status check_file(void *user, const char *name, bool is_folder, firn_error *err) {
    corpus *self = user;
    const text file_name = text_of(name);
    const bool is_records = text_ends_with(file_name, TEXT(".slt"));
    if (is_folder || (!is_records && !text_ends_with(file_name, TEXT(".sql")))) {
        return FIRN_OK;
    }
    char path[2 * PATH_MAX_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", self->folder, name);
    arena memory = arena_open(MEMORY_MAX);
    text file;
    const firn_status status = read_file(path, &memory, &file, err);
    if (status == FIRN_OK) {
        self->file_count += 1;
        if (is_records) {
            check_records(self, path, file, &memory);
        } else {
            check_script(self, path, file, &memory);
        }
    }
    arena_close(&memory);
    return status;
}

// Every statement of every file of a folder, at least `statement_count_min` of them.
static void check_folder(const char *name, uint32_t statement_count_min) {
    corpus self = {.file_count = 0};
    firn_error err = ERR_INIT;
    if (!find_folder(name, self.folder)) {
        return;
    }
    CHECK(host_list(self.folder, check_file, &self, &err) == FIRN_OK);
    CHECK(self.statement_count >= statement_count_min);
    CHECK(self.file_count > 0);
}

TEST(parser_takes_the_queries_of_tpch) {
    check_folder("tpch/queries", 22);
}

TEST(parser_takes_the_queries_of_tpcds) {
    check_folder("tpcds/queries", 99);
}

TEST(parser_takes_the_fixed_random_queries) {
    check_folder("fuzz/agree", 2600);
    check_folder("fuzz/structs", 400);
    check_folder("fuzz/refused", 398);
}
