// Calls to the system fail one after the other while tables are changed: there is the old table or
// the new one, and no file that nobody names.
#include "tables/iceberg/iceberg_change_testing.h"

#define CALLS_MAX 2000

typedef firn_status (*faulty)(ice_scene *self, table_change *change, const ice_added_file *file,
                              firn_error *err);

static firn_status append(ice_scene *self, table_change *change, const ice_added_file *file,
                          firn_error *err) {
    const ice_row_step step = {.kind = CHANGE_APPEND, .added_count = 1, .added = file};
    (void)self;
    return ice_change_add_rows(change, &step, NULL, err);
}

// The first file is written anew.
static firn_status rewrite(ice_scene *self, table_change *change, const ice_added_file *file,
                           firn_error *err) {
    const text path = self->first_file;
    const ice_row_step step = {.kind = CHANGE_UPDATE,
                               .isolation = ISOLATION_SNAPSHOT,
                               .added_count = 1,
                               .added = file,
                               .removed_count = 1,
                               .removed = &path};
    return ice_change_add_rows(change, &step, NULL, err);
}

static firn_status overwrite(ice_scene *self, table_change *change, const ice_added_file *file,
                             firn_error *err) {
    const ice_row_step step = {.kind = CHANGE_OVERWRITE,
                               .overwrite = OVERWRITE_ALL,
                               .isolation = ISOLATION_SNAPSHOT,
                               .added_count = 1,
                               .added = file};
    (void)self;
    return ice_change_add_rows(change, &step, NULL, err);
}

static firn_status alter(ice_scene *self, table_change *change, const ice_added_file *file,
                         firn_error *err) {
    text made = TEXT("made");
    const alteration steps[] = {
        {.kind = ALTER_ADD_COLUMN,
         .path = {.count = 1, .items = &made},
         .type = TYPE_OF(DATE),
         .is_nullable = true},
        {.kind = ALTER_SET_PROPERTY, .name = TEXT("a"), .comment = TEXT("b")},
    };
    TRY(append(self, change, file, err));
    return ice_table_changes.alter(change, steps, 2, err);
}

static const struct {
    faulty run;
    bool is_late; // Others commit first.
    uint32_t count;
    int64_t left[3][2]; // What the table holds then.
} scenarios[] = {{append, false, 3, {{1, 10}, {50, 54}, {100, 109}}},
                 {append, true, 3, {{1, 10}, {50, 54}, {100, 109}}},
                 {rewrite, true, 2, {{50, 54}, {100, 109}}},
                 {overwrite, false, 1, {{100, 109}}},
                 {alter, true, 3, {{1, 10}, {50, 54}, {100, 109}}}};

// Opens a change, lets the scenario run, commits; `n`-th call of a kind fails from `file` on.
static firn_status run(ice_scene *self, uint32_t scenario, text old, host_call kind, uint64_t n) {
    table_change *change;
    ice_added_file file;
    firn_error err = ERR_INIT;
    const text now = self->location;
    self->location = scenarios[scenario].is_late ? old : now;
    TRY(ice_scene_change(self, &change, &self->err));
    self->location = now;
    TRY(ice_scene_file(self, change, 100, 10, -1, &file, &self->err));
    host_fault_set(kind, n);
    firn_status status = scenarios[scenario].run(self, change, &file, &err);
    if (status == FIRN_OK) {
        status = ice_scene_commit(self, change, &err);
    } else {
        ice_table_changes.close(change);
    }
    host_fault_set(kind, 0);
    return status;
}

TEST(ice_change_is_committed_whole_or_leaves_nothing_whatever_fails) {
    static const host_call kinds[] = {HOST_ALLOC, HOST_MAP,  HOST_OPEN,  HOST_READ,
                                      HOST_WRITE, HOST_SYNC, HOST_RENAME};
    for (uint32_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        for (uint32_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            ice_scene s;
            table_change *change;
            if (i > 0 && (kinds[k] == HOST_SYNC || kinds[k] == HOST_OPEN)) {
                continue; // Slow, and of every file the same.
            }
            const bool has_server = k % 2 == 1 && !scenarios[i].is_late;
            ice_scene_open(&s, "ice_change_fault", has_server ? COMMIT_UPDATES : COMMIT_POINTER);
            REQUIRE(ice_scene_is_ok(&s, ice_scene_create(&s, NULL, 0, NULL, &change, &s.err)));
            REQUIRE(ice_scene_is_ok(&s, ice_scene_append(&s, change, 1, 10, &s.err)));
            REQUIRE(ice_scene_is_ok(&s, ice_scene_commit(&s, change, &s.err)));
            const text old = s.location;
            REQUIRE(ice_scene_is_ok(&s, ice_scene_change(&s, &change, &s.err)));
            REQUIRE(ice_scene_is_ok(&s, ice_scene_append(&s, change, 50, 5, &s.err)));
            REQUIRE(ice_scene_is_ok(&s, ice_scene_commit(&s, change, &s.err)));
            const uint32_t files = ice_scene_files(&s);
            firn_status status = FIRN_IO;
            for (uint64_t n = 1; status != FIRN_OK && n < CALLS_MAX; n++) {
                const text before = s.location;
                status = run(&s, i, old, kinds[k], n);
                CHECK(status == FIRN_OK || status == FIRN_IO || status == FIRN_NO_MEMORY);
                if (status != FIRN_OK) {
                    CHECK(text_equal(s.location, before));
                    CHECK(ice_scene_files(&s) == files);
                }
            }
            CHECK(status == FIRN_OK);
            CHECK(s.attempts == (scenarios[i].is_late ? 2U : 1U));
            CHECK(ice_scene_head_holds(&s, scenarios[i].count, scenarios[i].left));
            ice_scene_close(&s);
        }
    }
}

TEST(ice_change_that_makes_a_table_leaves_nothing_whatever_fails) {
    static const host_call kinds[] = {HOST_ALLOC, HOST_MAP,  HOST_OPEN,
                                      HOST_WRITE, HOST_SYNC, HOST_RENAME};
    for (uint32_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        ice_scene s;
        firn_status status = FIRN_IO;
        ice_scene_open(&s, "ice_change_fault", COMMIT_POINTER);
        for (uint64_t n = 1; status != FIRN_OK && n < CALLS_MAX; n++) {
            table_change *change;
            firn_error err = ERR_INIT;
            host_fault_set(kinds[k], n);
            status = ice_scene_create(&s, "bucket[4]", 0, NULL, &change, &err);
            status = status == FIRN_OK ? ice_scene_commit(&s, change, &err) : status;
            host_fault_set(kinds[k], 0);
            CHECK(status == FIRN_OK || status == FIRN_IO || status == FIRN_NO_MEMORY);
            CHECK(ice_scene_files(&s) == (status == FIRN_OK ? 1U : 0U));
        }
        CHECK(status == FIRN_OK);
        ice_scene_close(&s);
    }
}
