// Hundreds of names in memory: each is found whatever its case, also after others went and came
// again, in one schema or another.
#include "scene.h"

#define NAMES 300
#define SQL_SIZE 128

// A statement with the number of a name in it.
static const char *with_number(char *sql, const char *before, int number, const char *behind) {
    (void)snprintf(sql, SQL_SIZE, "%s%d%s", before, number, behind);
    return sql;
}

static bool change(const scene *self, const char *before, int number, const char *behind) {
    char sql[SQL_SIZE];
    return scene_execute(self->session, with_number(sql, before, number, behind));
}

static int64_t ask(const scene *self, const char *before, int number) {
    char sql[SQL_SIZE];
    firn_error err = FIRN_ERROR_INIT;
    return scene_number(self->session, with_number(sql, before, number, ""), &err);
}

TEST(names_in_memory_are_found_whatever_came_and_went) {
    scene self;
    REQUIRE(scene_open(&self, "1"));
    REQUIRE(scene_execute(self.session, "CREATE SCHEMA other"));
    for (int i = 0; i < NAMES; i++) {
        REQUIRE(change(&self, "CREATE VIEW Name_", i, " AS SELECT 1::BIGINT AS a"));
        REQUIRE(change(&self, "CREATE VIEW other.name_", i, " AS SELECT 10::BIGINT AS a"));
    }
    for (int i = 0; i < NAMES; i += 3) {
        REQUIRE(change(&self, "DROP VIEW name_", i, ""));
        CHECK(ask(&self, "SELECT a FROM main.name_", i) == -1);
    }
    for (int i = 0; i < NAMES; i += 6) {
        REQUIRE(change(&self, "CREATE VIEW NAME_", i, " AS SELECT 2::BIGINT AS a"));
    }
    for (int i = 1; i < NAMES; i += 3) {
        REQUIRE(change(&self, "CREATE OR REPLACE VIEW naMe_", i, " AS SELECT 3::BIGINT AS a"));
    }
    for (int i = 0; i < NAMES; i++) {
        const int64_t wanted = i % 6 == 0 ? 2 : i % 3 == 0 ? -1 : i % 3 == 1 ? 3 : 1;
        CHECK(ask(&self, "SELECT a FROM nAme_", i) == wanted);
        CHECK(ask(&self, "SELECT a FROM other.NAME_", i) == 10);
    }
    scene_close(&self);
}
