// Wide statements are planned in time that grows as they do: four times as wide, some four times
// the processor's time, where a loop inside a loop makes it sixteen; those of many joins and
// subqueries in memory that does. With one thread all is done
// on the caller's, whose time does not hang on what others do. In builds with assertions or
// sanitizers the clock is not looked at, and the statements are small.
#include "scene.h"
#include "wide_text.h"

#if defined(NDEBUG)
#define HAS_CLOCK true
#define SHRINK 1
#else
#define HAS_CLOCK false
#define SHRINK 20
#endif
#define RATIO_MAX 8 // Of four times as wide: 4 and what caches and noise add.
#define ROUNDS 4
#define TRIES 2

typedef struct wide_case {
    const char *name;
    wide_text text;
    uint32_t count; // The wider one has four times as many.
} wide_case;

// One over a table, which is made as wide before it runs.
typedef struct table_case {
    wide_case what;
    wide_text table;
} table_case;

#define T9 " FROM range(9) t(x)"
#define MEMORY_RATIO_MAX 6  // Of four times as wide.
#define CHUNK_BYTES 1048576 // Of an arena: less is not seen.
#define WIDE {"CREATE OR REPLACE TEMP TABLE wide(z INT", ", c# INT", ")"}

static const wide_case cases[] = {
    {"arms of UNION ALL", {"SELECT 1", " UNION ALL SELECT #", ""}, 30000},
    {"arms of UNION ALL below count",
     {"SELECT count(*) FROM (SELECT 1", " UNION ALL SELECT #", ") q"},
     6000},
    {"arms of UNION", {"SELECT 1", " UNION SELECT #", ""}, 30000},
    {"arms over a table",
     {"SELECT sum(x) FROM (SELECT x" T9, " UNION ALL SELECT x + #" T9, ") q"},
     3000},
    {"items of SELECT", {"SELECT 1", ", #", ""}, 15000},
    {"named items of SELECT", {"SELECT x", ", x + # AS c#", T9}, 2000},
    {"items that alias items", {"SELECT x AS c0", ", c0 + # AS c#", T9}, 2000},
    {"columns of a subquery by name",
     {"SELECT c1 FROM (SELECT x", ", x + # AS c#", T9 ") q WHERE c1 > 1 ORDER BY c2"},
     2000},
    {"keys of GROUP BY", {"SELECT count(*)" T9 " GROUP BY x", ", x + #", ""}, 1500},
    {"items of ORDER BY", {"SELECT x" T9 " ORDER BY x", ", x + #", ""}, 1500},
    {"aggregates", {"SELECT sum(x)", ", sum(x + #)", T9}, 500},
    {"literals of IN", {"SELECT count(*)" T9 " WHERE x IN (1", ", #", ")"}, 25000},
    {"expressions of IN", {"SELECT count(*)" T9 " WHERE x IN (1", ", x + #", ")"}, 1500},
    {"conjuncts", {"SELECT count(*)" T9 " WHERE x <> -1", " AND x <> # + 10", ""}, 3000},
    {"disjuncts", {"SELECT count(*)" T9 " WHERE x = -1", " OR x = # + 10", ""}, 3000},
    {"disjuncts of conjuncts",
     {"SELECT count(*)" T9 " WHERE x = -1", " OR (x = # + 10 AND x < 5)", ""},
     1500},
    {"conjuncts of disjuncts",
     {"SELECT count(*)" T9 " WHERE x > -1", " AND (x = # OR x < 50)", ""},
     1500},
    {"patterns",
     {"SELECT count(*)" T9 " WHERE false", " OR CAST(x AS VARCHAR) LIKE 'a#%'", ""},
     1500},
    {"arms of CASE", {"SELECT sum(CASE x WHEN -1 THEN 1", " WHEN # THEN # + x", " END)" T9}, 2500},
    {"arms of a constant CASE", {"SELECT CASE 1", " WHEN # + 1 THEN #", " END"}, 4000},
    {"rows of VALUES",
     {"SELECT count(*) FROM (VALUES (1, 'a')", ", (#, 'b#')", ") v(a, b)"},
     25000},
    {"rows of VALUES that are computed",
     {"SELECT count(*) FROM (VALUES (random())", ", (random())", ") v"},
     3000},
    {"WITH queries",
     {"WITH q0 AS (SELECT 1 AS a)", ", q# AS (SELECT # AS a)", " SELECT * FROM q0"},
     3000},
    {"terms of a constant", {"SELECT 1", " + #", ""}, 5000},
    {"arguments", {"SELECT length(concat('a'", ", 'b#'", "))"}, 6000},
    {"members", {"SELECT {'m0': x", ", 'm#': x", "}" T9}, 1500},
};
#define CASE_COUNT (sizeof cases / sizeof *cases)

static const table_case table_cases[] = {
    {{"inserted rows", {"INSERT INTO wide VALUES (1, 'a')", ", (#, 'b#')", ""}, 25000},
     {"CREATE OR REPLACE TEMP TABLE wide(a INT, b VARCHAR)", "", ""}},
    {{"columns of a table", {"SELECT * FROM wide", "", ""}, 5000}, WIDE},
    {{"columns of a table by name", {"SELECT z", ", c#", " FROM wide"}, 4000}, WIDE},
    {{"columns of two tables",
      {"SELECT count(*) FROM wide a JOIN wide b USING (z", ", c#", ")"},
      3000},
     WIDE},
    {{"inserted columns", {"INSERT INTO wide(z", ", c#", ") SELECT * FROM wide"}, 4000}, WIDE},
    {{"conditions on columns",
      {"SELECT count(*) FROM wide WHERE z IS NULL", " AND c# IS NULL", ""},
      3000},
     WIDE},
    {{"columns that * leaves out", {"SELECT * EXCLUDE (c1", ", c#", ") FROM wide"}, 5000}, WIDE},
    {{"columns that * replaces", {"SELECT * REPLACE (1 AS z", ", # AS c#", ") FROM wide"}, 4000},
     WIDE},
};
#define TABLE_CASE_COUNT (sizeof table_cases / sizeof *table_cases)

// Nanoseconds of the fastest of some runs; 0 where it fails. `table`: NULL if it is over none.
static int64_t time_of(scene *here, const wide_case *of, const wide_text *table, uint32_t count) {
    int64_t best_ns = INT64_MAX;
    char *sql = wide_text_spell(&of->text, count);
    char *setup = table == NULL ? NULL : wide_text_spell(table, count);
    bool is_good = sql != NULL && (table == NULL || setup != NULL);
    for (int i = 0; i < (HAS_CLOCK ? TRIES : 1) && is_good; i++) {
        firn_error err = FIRN_ERROR_INIT;
        is_good = setup == NULL || scene_execute(here->session, setup);
        const int64_t began_ns = host_cpu_ns();
        is_good =
            is_good && firn_execute(here->session, sql, FIRN_NUL_TERMINATED, NULL, &err) == FIRN_OK;
        const int64_t took_ns = host_cpu_ns() - began_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
        if (!is_good) {
            printf("%s, %u: %.300s\n", of->name, count, err.text);
        }
    }
    free(sql);
    free(setup);
    return is_good ? best_ns : 0;
}

static void check_linear(scene *here, const wide_case *of, const wide_text *table) {
    const uint32_t count = of->count / SHRINK;
    bool is_linear = false;
    for (int round = 0; round < ROUNDS && !is_linear; round++) {
        const int64_t narrow_ns = time_of(here, of, table, count);
        const int64_t wide_ns = time_of(here, of, table, count * 4);
        REQUIRE(narrow_ns > 0 && wide_ns > 0);
        is_linear = !HAS_CLOCK || wide_ns <= narrow_ns * RATIO_MAX;
        printf("     %-34s %6u %6.1f ms, four times as many %7.1f ms, %4.1f times\n", of->name,
               count, (double)narrow_ns / 1e6, (double)wide_ns / 1e6,
               (double)wide_ns / (double)narrow_ns);
    }
    CHECK(is_linear);
}

TEST(wide_statements_take_time_in_proportion_to_their_width) {
    scene here;
    REQUIRE(scene_open(&here, "1"));
    for (size_t i = 0; i < CASE_COUNT; i++) {
        check_linear(&here, &cases[i], NULL);
    }
    for (size_t i = 0; i < TABLE_CASE_COUNT; i++) {
        check_linear(&here, &table_cases[i].what, &table_cases[i].table);
    }
    scene_close(&here);
}

// ---- Memory ------------------------------------------------------------------------------------

static const wide_case planned_cases[] = {
    {"planned subqueries", {"EXPLAIN SELECT 1", ", (SELECT max(x) + #" T9 ")", ""}, 100},
    {"planned correlated subqueries",
     {"EXPLAIN SELECT y", ", (SELECT max(x) + #" T9 " WHERE x < y)", " FROM range(3) u(y)"},
     75},
    {"planned subqueries behind EXISTS",
     {"EXPLAIN SELECT count(*) FROM range(3) u(y) WHERE true",
      " AND EXISTS (SELECT 1" T9 " WHERE x = y + #)", ""},
     150},
    {"planned joins",
     {"EXPLAIN SELECT count(*) FROM range(2) t(x)", " JOIN range(2) t#(x#) ON t.x = x#", ""},
     200},
};

// Bytes that an engine of its own needed at most; 0 where it fails.
static uint64_t bytes_of(const wide_case *of, uint32_t count) {
    scene here;
    char *sql = wide_text_spell(&of->text, count);
    const bool is_open = sql != NULL && scene_open(&here, "1");
    const bool is_good = is_open && scene_execute(here.session, sql);
    const uint64_t bytes = is_good ? pool_peak(here.engine->pool) : 0;
    if (is_open) {
        scene_close(&here);
    }
    free(sql);
    return bytes;
}

TEST(joins_and_subqueries_are_planned_in_memory_in_proportion_to_their_number) {
    for (size_t i = 0; i < sizeof planned_cases / sizeof *planned_cases; i++) {
        const wide_case *of = &planned_cases[i];
        const uint32_t count = of->count / (HAS_CLOCK ? 1 : 5);
        const uint64_t narrow = bytes_of(of, count);
        const uint64_t wide = bytes_of(of, count * 4);
        REQUIRE(narrow > 0 && wide > 0);
        CHECK(wide <= narrow * MEMORY_RATIO_MAX + CHUNK_BYTES);
        printf("     %-34s %6u %6.1f MB, four times as many %7.1f MB, %4.1f times\n", of->name,
               count, (double)narrow / 1e6, (double)wide / 1e6, (double)wide / (double)narrow);
    }
}
