// Statements that are long, deep or wide beyond reason: each is answered or refused, in bounded
// time, memory and stack. What is repeated stands between what opens and what closes.
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "firn.h"
#include "scene.h"

typedef struct long_text {
    const char *before, *repeated, *middle, *closing, *after;
    uint32_t count;
    const char *error; ///< Words of it; NULL: the statement is answered.
} long_text;

static const long_text texts[] = {
    {"SELECT ", "(", "1", ")", "", 100000, "levels deep"},
    {"SELECT ", "NOT ", "true", "", "", 100000, "levels deep"},
    {"SELECT ", "- ", "1", "", "", 100000, "levels deep"},
    {"SELECT ", "(SELECT ", "1", ")", "", 10000, "levels deep"},
    {"SELECT 1 WHERE ", "EXISTS (SELECT 1 WHERE ", "true", ")", "", 10000, "levels deep"},
    {"SELECT ", "CASE WHEN true THEN ", "1", " END", "", 10000, "levels deep"},
    {"SELECT ", "[", "", "]", "", 50000, "levels deep"},
    {"SELECT NULL::", "STRUCT(a ", "INTEGER", ")", "", 10000, "levels deep"},
    {"SELECT NULL::INTEGER", "[]", "", "", "", 10000, "levels deep"},
    {"SELECT 1 ", "/*", "", "", "", 100000, "never closed"},
    {"SELECT a", ".a", "", "", "", 10000, "no table"},
    {"SELECT 1 WHERE true", " AND 1 > 0", "", "", "", 10000, NULL},
    {"SELECT count(*) FROM range(3) t(x) WHERE x = 0", " OR (x = 1 AND x < 5)", "", "", "", 10000,
     NULL},
    {"SELECT 1", " + 1", "", "", "", 10000, NULL},
    {"SELECT sum(x", " + x", "", "", ") FROM range(3) t(x)", 10000, "a chain of more than"},
    {"SELECT count(*) FROM (SELECT 1", " UNION ALL SELECT 1", "", "", ") q", 10000, NULL},
    {"SELECT count(*) FROM (SELECT 1", " UNION SELECT 1", "", "", ") q", 10000, NULL},
    {"SELECT count(*) FROM (SELECT 1", " EXCEPT SELECT 1", "", "", ") q", 10000, "in a chain"},
    {"SELECT count(*) FROM range(9) t(x) WHERE x IN (1", ", 2", "", "", ")", 100000, NULL},
    {"SELECT count(*) FROM range(9) t(x) WHERE x IN (1", ", x + 1", "", "", ")", 1000, NULL},
    {"SELECT count(*) FROM (VALUES (1)", ", (2)", "", "", ") v(a)", 50000, NULL},
    {"SELECT CASE 1", " WHEN 2 THEN 3", "", "", " END", 5000, NULL},
    {"SELECT 1", ", 1", "", "", "", 5000, NULL},
    {"SELECT count(*) FROM range(3) t(x) GROUP BY x", ", x + 1", "", "", "", 3000, NULL},
    {"SELECT 1 FROM range(1) a(x)", " JOIN range(1) USING (x)", "", "", "", 2000, "joins in one"},
    {"SELECT 1 FROM range(1)", ", range(1)", "", "", "", 2000, "items in one FROM"},
    {"SELECT ", "{'a': ", "1", "}", "", 200, NULL},
    {"SELECT 'a' LIKE '", "%a", "", "", "'", 50000, NULL},
};

// Repeats into a text that the caller frees.
static char *spell(const long_text *of) {
    const size_t size = strlen(of->before) + strlen(of->middle) + strlen(of->after) +
                        of->count * (strlen(of->repeated) + strlen(of->closing));
    char *out = malloc(size + 1);
    char *at = out;
    if (out == NULL) {
        return NULL;
    }
    at = stpcpy(at, of->before);
    for (uint32_t i = 0; i < of->count; i++) {
        at = stpcpy(at, of->repeated);
    }
    at = stpcpy(at, of->middle);
    for (uint32_t i = 0; i < of->count; i++) {
        at = stpcpy(at, of->closing);
    }
    (void)stpcpy(at, of->after);
    return out;
}

TEST(statements_beyond_reason_are_answered_or_refused) {
    scene here;
    REQUIRE(scene_open(&here, "2"));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        firn_error err = FIRN_ERROR_INIT;
        char *sql = spell(&texts[i]);
        REQUIRE(sql != NULL);
        const firn_status status = firn_execute(here.session, sql, FIRN_NUL_TERMINATED, NULL, &err);
        const bool is_expected =
            texts[i].error == NULL ? status == FIRN_OK
                                   : status != FIRN_OK && strstr(err.text, texts[i].error) != NULL;
        if (!is_expected) {
            printf("%s%s…: %.200s\n", texts[i].before, texts[i].repeated,
                   status == FIRN_OK ? "answered" : err.text);
        }
        CHECK(is_expected);
        free(sql);
    }
    scene_close(&here);
}

// A chain, a star and a mesh of 200 tables: whatever the order search does, it must come to an end.
TEST(joins_of_200_tables_are_ordered) {
    static const char *const shapes[] = {"t%u.x = t%u.x", "t%u.x = t0.x"};
    scene here;
    REQUIRE(scene_open(&here, "2"));
    char *sql = malloc(1 << 20);
    REQUIRE(sql != NULL);
    for (size_t shape = 0; shape < 2; shape++) {
        firn_error err = FIRN_ERROR_INIT;
        char *at = stpcpy(sql, "SELECT count(*) FROM range(2) t0(x)");
        for (uint32_t i = 1; i < 200; i++) {
            at += snprintf(at, 64, ", range(2) t%u(x)", i);
        }
        at = stpcpy(at, " WHERE true");
        for (uint32_t i = 1; i < 200; i++) {
            at = stpcpy(at, " AND ");
            at += shape == 0 ? snprintf(at, 64, "t%u.x = t%u.x", i, i - 1)
                             : snprintf(at, 64, "t%u.x = t0.x", i);
        }
        const firn_status status = firn_execute(here.session, sql, FIRN_NUL_TERMINATED, NULL, &err);
        if (status != FIRN_OK) {
            printf("%s: %s\n", shapes[shape], err.text);
        }
        CHECK(status == FIRN_OK);
    }
    free(sql);
    scene_close(&here);
}

// Comparing two types field by field for each field took minutes here.
TEST(structs_of_2000_fields_are_made_compared_and_read) {
    static const char *const ends[] = {"s.f1999 FROM (SELECT ", " AS s) q", "", " IN (NULL)"};
    scene here;
    REQUIRE(scene_open(&here, "1"));
    char *sql = malloc(1 << 20);
    REQUIRE(sql != NULL);
    for (size_t form = 0; form < 4; form += 2) {
        firn_error err = FIRN_ERROR_INIT;
        char *at = stpcpy(stpcpy(sql, "SELECT "), ends[form]);
        for (uint32_t i = 0; i < 2000; i++) {
            at += snprintf(at, 64, "%s'f%u': %u", i == 0 ? "{" : ", ", i, i);
        }
        (void)stpcpy(stpcpy(at, "}"), ends[form + 1]);
        CHECK(firn_execute(here.session, sql, FIRN_NUL_TERMINATED, NULL, &err) == FIRN_OK);
    }
    free(sql);
    scene_close(&here);
}
