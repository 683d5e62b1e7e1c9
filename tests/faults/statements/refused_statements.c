// The test files of tests/sql, each of whose statements is tried before while one of the
// allocations of arenas that it makes is refused, as it is where memory is short or the query is
// cancelled: it gives an answer or says that memory is short, and then goes as the file says.
//
// Which allocations is chance that depends on the text and on FIRN_SEED. FIRN_FAULTS=few: 3 of each
// statement; all: 1000, or all that there are; else 20. What changes something is only prepared.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "base/host.h"
#include "engine/objects.h"
#include "slt_program.h"

enum { TRIES_FEW = 3, TRIES_MOST = 20, TRIES_ALL = 1000 };

static uint64_t tries_wanted(void) {
    const char *wish = host_environment("FIRN_FAULTS");
    if (wish != NULL && strcmp(wish, "few") == 0) {
        return TRIES_FEW;
    }
    return wish != NULL && strcmp(wish, "all") == 0 ? TRIES_ALL : TRIES_MOST;
}

WRAPS static uint64_t next_random(uint64_t *state) {
    *state += 0x9E3779B97F4A7C15U;
    return hash_u64(*state);
}

// Whether it is one statement that changes nothing, so that it can be run again.
static bool is_repeatable(slt_text sql) {
    static const char *const words[] = {"SELECT",   "WITH",    "VALUES", "FROM", "TABLE",
                                        "DESCRIBE", "EXPLAIN", "SHOW",   "("};
    while (sql.size > 0 && isspace((unsigned char)sql.data[0])) {
        sql = (slt_text){sql.data + 1, sql.size - 1};
    }
    if (memchr(sql.data, ';', sql.size) != NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t size = strlen(words[i]);
        if (sql.size > size && strncasecmp(sql.data, words[i], size) == 0) {
            return true;
        }
    }
    return false;
}

static firn_status attempt(slt_engine *engine, const char *connection, slt_text sql, bool runs,
                           firn_error *err) {
    if (runs) {
        return slt_engine_run(engine, connection, sql.data, sql.size, err) ? FIRN_OK : err->status;
    }
    firn_statement *statement = NULL;
    firn_session *session = NULL;
    if (!slt_engine_session(engine, connection, &session, err)) {
        return err->status;
    }
    const firn_status status = firn_prepare(session, sql.data, sql.size, &statement, NULL, err);
    firn_statement_close(statement);
    return status;
}

static bool try_refusals(slt_engine *engine, const char *connection, const slt_record *record,
                         slt_text sql, cli_sink *why) {
    const bool runs = record->kind == SLT_QUERY && is_repeatable(sql);
    firn_error expected = FIRN_ERROR_INIT;
    firn_session *session = NULL;
    if (!slt_engine_session(engine, connection, &session, &expected)) {
        cli_sink_text(why, expected.text);
        return false;
    }
    if (session->block != NULL) {
        return true; // One error would end the transaction.
    }
    uint64_t seed = 0;
    const char *written = host_environment("FIRN_SEED");
    if (written != NULL) {
        seed = strtoull(written, NULL, 10);
    }
    for (size_t i = 0; i < sql.size; i++) {
        seed = hash_u64(seed ^ (uint8_t)sql.data[i]);
    }
    host_fault_set(HOST_ARENA, UINT64_MAX);
    const firn_status wanted = attempt(engine, connection, sql, runs, &expected);
    const uint64_t count = host_fault_count(HOST_ARENA);
    uint64_t tries = tries_wanted();
    const bool is_every = tries >= count;
    tries = is_every ? count : tries;
    for (uint64_t i = 0; i < tries; i++) {
        const uint64_t n = is_every ? i + 1 : next_random(&seed) % count + 1;
        firn_error err = FIRN_ERROR_INIT;
        host_fault_set(HOST_ARENA, n);
        const firn_status status = attempt(engine, connection, sql, runs, &err);
        host_fault_set(HOST_ARENA, 0);
        if (status != FIRN_OK && status != wanted && status != FIRN_NO_MEMORY) {
            cli_sink_format(why, "allocation %llu of %llu refused: %s", (unsigned long long)n,
                            (unsigned long long)count, err.text);
            return false;
        }
    }
    if (count == 0 && wanted == FIRN_OK) {
        cli_sink_text(why, "no allocation is counted: is it a build with assertions?");
    }
    return count > 0 || wanted != FIRN_OK;
}

int main(int argc, char **argv) {
    return slt_program_run(argc, argv, try_refusals);
}
