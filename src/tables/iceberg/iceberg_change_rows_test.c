// Steps that take files away, delete rows of them, or replace partitions; and what becomes of them
// when others commit first.
#include "tables/iceberg/iceberg_change_testing.h"

#define MAIN_ROWS 10

// Two files: 1 to 10 in part 1, and 11 to 20 in part 2.
typedef struct two_files {
    ice_scene scene;
    text first;
    text second;
} two_files;

static void open_two(two_files *self, const char *by, size_t property_count,
                     const firn_option *properties) {
    ice_scene *s = &self->scene;
    table_change *change;
    ice_added_file files[2];
    ice_scene_open(s, "ice_rows", COMMIT_POINTER);
    REQUIRE(
        ice_scene_is_ok(s, ice_scene_create(s, by, property_count, properties, &change, &s->err)));
    for (int32_t i = 0; i < 2; i++) {
        REQUIRE(ice_scene_is_ok(
            s, ice_scene_file(s, change, 1 + i * 10, 10, i + 1, &files[i], &s->err)));
        files[i].file.partition = by == NULL ? NULL : files[i].file.partition;
    }
    const ice_row_step step = {.kind = CHANGE_APPEND, .added_count = 2, .added = files};
    REQUIRE(ice_scene_is_ok(s, ice_change_add_rows(change, &step, NULL, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, change, &s->err)));
    self->first = files[0].file.path;
    self->second = files[1].file.path;
}

static const json_node *last_summary(ice_scene *s) {
    const json_node *root;
    const json_node *snapshots;
    const json_node *last = NULL;
    CHECK(ice_scene_root(s, &root, &s->err) == FIRN_OK);
    CHECK(json_get_array(root, "snapshots", &snapshots, &s->err) == FIRN_OK);
    for (const json_node *each = snapshots->first; each != NULL; each = each->next) {
        last = each;
    }
    return json_find(last, "summary");
}

static bool says(ice_scene *s, const char *key, const char *value) {
    const json_node *found = json_find(last_summary(s), key);
    const bool is_so = found != NULL && text_equal(found->value, text_of(value));
    if (!is_so) {
        (void)fprintf(stderr, "%s is %.*s\n", key, found == NULL ? 4 : (int)found->value.size,
                      found == NULL ? "none" : found->value.data);
    }
    return is_so;
}

TEST(ice_rows_are_deleted_with_their_file_by_position_and_by_rewriting) {
    two_files t;
    ice_scene *s = &t.scene;
    table_change *change;
    ice_added_file files[2];
    open_two(&t, NULL, 0, NULL);
    CHECK(says(s, "operation", "append") && says(s, "total-records", "20"));
    CHECK(says(s, "engine-name", "firn") && says(s, "changed-partition-count", "1"));
    // By position: rows 3 and 5.
    REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &change, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_delete(s, change, t.first, 2, &files[0], &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_delete(s, change, t.first, 4, &files[1], &s->err)));
    const ice_row_step by_position = {.kind = CHANGE_DELETE,
                                      .added_count = 2,
                                      .added = files,
                                      .referenced_count = 1,
                                      .referenced = &t.first};
    REQUIRE(ice_scene_is_ok(s, ice_change_add_rows(change, &by_position, NULL, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, change, &s->err)));
    CHECK(ice_scene_head_holds(s, 3, (const int64_t[][2]){{1, 2}, {4, 4}, {6, 20}}));
    CHECK(says(s, "operation", "delete") && says(s, "total-delete-files", "2"));
    CHECK(says(s, "added-position-deletes", "2") && says(s, "total-data-files", "2"));
    // The file is rewritten: its delete files go with it.
    REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &change, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_file(s, change, 6, 5, -1, &files[0], &s->err)));
    const ice_row_step rewrite = {.kind = CHANGE_UPDATE,
                                  .added_count = 1,
                                  .added = files,
                                  .removed_count = 1,
                                  .removed = &t.first};
    REQUIRE(ice_scene_is_ok(s, ice_change_add_rows(change, &rewrite, NULL, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, change, &s->err)));
    CHECK(ice_scene_head_holds(s, 1, (const int64_t[][2]){{6, 20}}));
    CHECK(says(s, "operation", "overwrite") && says(s, "removed-position-delete-files", "2"));
    CHECK(says(s, "total-delete-files", "0") && says(s, "total-records", "15"));
    // All rows of a file.
    REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &change, &s->err)));
    const ice_row_step whole = {.kind = CHANGE_DELETE, .removed_count = 1, .removed = &t.second};
    REQUIRE(ice_scene_is_ok(s, ice_change_add_rows(change, &whole, NULL, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, change, &s->err)));
    CHECK(ice_scene_head_holds(s, 1, (const int64_t[][2]){{6, 10}}));
    CHECK(says(s, "operation", "delete") && says(s, "deleted-records", "10"));
    // What is not there cannot go.
    REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &change, &s->err)));
    CHECK(ice_change_add_rows(change, &whole, NULL, &s->err) == FIRN_CONFLICT);
    ice_table_changes.close(change);
    ice_scene_close(s);
}

// Delete files that name no data file, as others write them, stay until all data is younger.
TEST(ice_rows_that_go_take_the_delete_files_along_that_are_about_none_any_more) {
    static const int32_t ids[] = {1};
    two_files t;
    ice_scene *s = &t.scene;
    table_change *change;
    ice_added_file file;
    open_two(&t, NULL, 0, NULL);
    REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &change, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_file(s, change, 10, 2, -1, &file, &s->err)));
    file.file.content = ICE_EQUALITY_DELETES;
    file.file.equality_count = 1;
    file.file.equality_ids = ids;
    const ice_row_step by_value = {.kind = CHANGE_DELETE, .added_count = 1, .added = &file};
    REQUIRE(ice_scene_is_ok(s, ice_change_add_rows(change, &by_value, NULL, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, change, &s->err)));
    CHECK(ice_scene_head_holds(s, 2, (const int64_t[][2]){{1, 9}, {12, 20}}));
    for (int i = 0; i < 2; i++) {
        REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &change, &s->err)));
        REQUIRE(ice_scene_is_ok(s, ice_scene_file(s, change, 10 - i, 1, -1, &file, &s->err)));
        const ice_row_step rewrite = {.kind = CHANGE_UPDATE,
                                      .added_count = 1,
                                      .added = &file,
                                      .removed_count = 1,
                                      .removed = i == 0 ? &t.first : &t.second};
        REQUIRE(ice_scene_is_ok(s, ice_change_add_rows(change, &rewrite, NULL, &s->err)));
        REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, change, &s->err)));
        // The younger row 10 stays.
        CHECK(i == 1 ? ice_scene_head_holds(s, 1, (const int64_t[][2]){{9, 10}})
                     : ice_scene_head_holds(s, 2, (const int64_t[][2]){{10, 10}, {12, 20}}));
        CHECK(says(s, "total-delete-files", i == 0 ? "1" : "0"));
    }
    CHECK(says(s, "removed-equality-delete-files", "1"));
    ice_scene_close(s);
}

TEST(ice_rows_overwrite_partitions_and_the_table) {
    two_files t;
    ice_scene *s = &t.scene;
    table_change *change;
    ice_added_file file;
    open_two(&t, "", 0, NULL);
    REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &change, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_file(s, change, 100, 3, 2, &file, &s->err)));
    ice_row_step step = {.kind = CHANGE_OVERWRITE,
                         .overwrite = OVERWRITE_PARTITIONS,
                         .added_count = 1,
                         .added = &file};
    REQUIRE(ice_scene_is_ok(s, ice_change_add_rows(change, &step, NULL, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, change, &s->err)));
    CHECK(ice_scene_head_holds(s, 2, (const int64_t[][2]){{1, 10}, {100, 102}}));
    CHECK(says(s, "operation", "overwrite") && says(s, "replace-partitions", "true"));
    CHECK(says(s, "deleted-data-files", "1") && says(s, "changed-partition-count", "1"));
    REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &change, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_file(s, change, 200, 3, 5, &file, &s->err)));
    step.overwrite = OVERWRITE_ALL;
    REQUIRE(ice_scene_is_ok(s, ice_change_add_rows(change, &step, NULL, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, change, &s->err)));
    CHECK(ice_scene_head_holds(s, 1, (const int64_t[][2]){{200, 202}}));
    // By nothing.
    REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &change, &s->err)));
    step.added_count = 0;
    REQUIRE(ice_scene_is_ok(s, ice_change_add_rows(change, &step, NULL, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, change, &s->err)));
    CHECK(ice_scene_head_holds(s, 0, NULL));
    CHECK(says(s, "operation", "delete") && says(s, "total-data-files", "0"));
    ice_scene_close(s);
}

TEST(ice_rows_of_version_1_have_no_delete_files_and_keep_all_else) {
    static const firn_option properties[] = {{"format-version", "1"}};
    two_files t;
    ice_scene *s = &t.scene;
    table_change *change;
    ice_added_file file;
    open_two(&t, "", 1, properties);
    const uint32_t files = ice_scene_files(s);
    REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &change, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_delete(s, change, t.first, 2, &file, &s->err)));
    const ice_row_step by_position = {.kind = CHANGE_DELETE, .added_count = 1, .added = &file};
    CHECK(ice_change_add_rows(change, &by_position, NULL, &s->err) == FIRN_UNSUPPORTED);
    CHECK(ice_scene_files(s) == files);
    const ice_row_step whole = {.kind = CHANGE_DELETE, .removed_count = 1, .removed = &t.second};
    REQUIRE(ice_scene_is_ok(s, ice_change_add_rows(change, &whole, NULL, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, change, &s->err)));
    CHECK(ice_scene_head_holds(s, 1, (const int64_t[][2]){{1, 10}}));
    ice_scene_close(s);
}

TEST(ice_rows_of_before_the_upgrade_are_deleted_by_position) {
    static const firn_option properties[] = {{"format-version", "1"}};
    const alteration upgrade = {.kind = ALTER_UPGRADE, .name = TEXT("2")};
    two_files t;
    ice_scene *s = &t.scene;
    table_change *change;
    ice_added_file file;
    open_two(&t, NULL, 1, properties);
    REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &change, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_table_changes.alter(change, &upgrade, 1, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_delete(s, change, t.first, 2, &file, &s->err)));
    const ice_row_step by_position = {.kind = CHANGE_DELETE,
                                      .added_count = 1,
                                      .added = &file,
                                      .referenced_count = 1,
                                      .referenced = &t.first};
    REQUIRE(ice_scene_is_ok(s, ice_change_add_rows(change, &by_position, NULL, &s->err)));
    const ice_row_step whole = {.kind = CHANGE_DELETE, .removed_count = 1, .removed = &t.second};
    REQUIRE(ice_scene_is_ok(s, ice_change_add_rows(change, &whole, NULL, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, change, &s->err)));
    CHECK(ice_scene_head_holds(s, 2, (const int64_t[][2]){{1, 2}, {4, 10}}));
    ice_scene_close(s);
}

TEST(ice_rows_that_a_filter_covers_are_whole_files) {
    two_files t;
    ice_scene *s = &t.scene;
    table_change *change;
    table_snapshot *head;
    text_list covered;
    const struct {
        uint32_t column;
        const type *type;
        int64_t value;
        int32_t file; // -1: none; 2: the third.
    } rows[] = {{1, TYPE_OF(INTEGER), 1, 0},
                {1, TYPE_OF(INTEGER), 2, 1},
                {1, TYPE_OF(INTEGER), 4, -1},
                {0, TYPE_OF(BIGINT), 5, -1},
                {0, TYPE_OF(BIGINT), 100, 2}};
    ice_added_file third;
    open_two(&t, "", 0, NULL);
    REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &change, &s->err)));
    REQUIRE(ice_scene_file(s, change, 100, 1, 3, &third, &s->err) == FIRN_OK);
    const ice_row_step step = {.kind = CHANGE_APPEND, .added_count = 1, .added = &third};
    REQUIRE(ice_scene_is_ok(s, ice_change_add_rows(change, &step, NULL, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, change, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_head(s, &head, &s->err)));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const text paths[] = {t.first, t.second, third.file.path};
        const ice_scalar value = {.kind = ICE_SCALAR_NUMBER, .number = rows[i].value};
        column values;
        expr *filter = expr_new(&s->memory, EXPR_IN, TYPE_OF(BOOLEAN));
        REQUIRE(column_flatten(&s->memory, ice_scalar_try_column(rows[i].type, &value, &s->memory),
                               &values, &s->err) == FIRN_OK);
        filter->in_.arg = expr_column(&s->memory, rows[i].column, TEXT("c"), rows[i].type);
        filter->in_.values = &values;
        const expr_list filters = {.count = 1, .items = &filter};
        REQUIRE(ice_scene_is_ok(
            s, ice_table_covered(head, &filters, NULL, &s->memory, &covered, &s->err)));
        CHECK(covered.count == (rows[i].file >= 0 ? 1U : 0U));
        CHECK(rows[i].file < 0 || covered.count != 1 ||
              text_equal(covered.items[0], paths[rows[i].file]));
    }
    table_snapshot_release(head);
    ice_scene_close(s);
}

// A step of one file, whose partition is of one field; -1: of a spec without.
static firn_status overwrite_by(two_files *t, table_change *change, int32_t spec_id, int64_t first,
                                int32_t part, firn_error *err) {
    ice_added_file file;
    TRY(ice_scene_file(&t->scene, change, first, 3, part, &file, err));
    file.spec_id = spec_id;
    const ice_row_step step = {.kind = CHANGE_OVERWRITE,
                               .overwrite = OVERWRITE_PARTITIONS,
                               .added_count = 1,
                               .added = &file};
    return ice_change_add_rows(change, &step, NULL, err);
}

static alteration drop_part(text *path) {
    return (alteration){
        .kind = ALTER_DROP_PARTITION,
        .partition = {.path = {.count = 1, .items = path}, .transform = TEXT("identity")}};
}

TEST(ice_rows_that_overwrite_partitions_do_not_overwrite_a_table_that_lost_them) {
    for (int i = 0; i < 2; i++) {
        const firn_option property = {"format-version", i == 0 ? "1" : "2"};
        text part = TEXT("part");
        const alteration drop = drop_part(&part);
        two_files t;
        ice_scene *s = &t.scene;
        table_change *change;
        table_change *other;
        open_two(&t, "", 1, &property);
        REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &change, &s->err)));
        REQUIRE(ice_scene_is_ok(s, overwrite_by(&t, change, 0, 100, 2, &s->err)));
        REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &other, &s->err)));
        REQUIRE(ice_scene_is_ok(s, ice_table_changes.alter(other, &drop, 1, &s->err)));
        REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, other, &s->err)));
        CHECK(ice_scene_commit(s, change, &s->err) == FIRN_CONFLICT);
        CHECK(ice_scene_head_holds(s, 1, (const int64_t[][2]){{1, 20}}));
        ice_scene_close(s);
    }
}

TEST(ice_rows_that_overwrite_partitions_overwrite_all_where_there_are_none) {
    // Version 1 keeps a dropped field as `void`, version 2 does not.
    for (int i = 0; i < 2; i++) {
        const firn_option property = {"format-version", i == 0 ? "1" : "2"};
        text part = TEXT("part");
        const alteration drop = drop_part(&part);
        two_files t;
        ice_scene *s = &t.scene;
        table_change *change;
        table_change *other;
        ice_added_file file;
        open_two(&t, "", 1, &property);
        REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &change, &s->err)));
        REQUIRE(ice_scene_is_ok(s, ice_table_changes.alter(change, &drop, 1, &s->err)));
        REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, change, &s->err)));
        // What others add meanwhile goes by the snapshot, and is a conflict if it may not.
        for (int j = 0; j < 2; j++) {
            const text start = s->location;
            REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &change, &s->err)));
            REQUIRE(ice_scene_is_ok(s, ice_scene_file(s, change, 100, 3, -1, &file, &s->err)));
            const ice_scalar none = {.kind = ICE_SCALAR_NULL};
            file.spec_id = 1;
            file.file.partition = &none;
            ice_row_step step = {.kind = CHANGE_OVERWRITE,
                                 .overwrite = OVERWRITE_PARTITIONS,
                                 .isolation = j == 0 ? ISOLATION_SNAPSHOT : ISOLATION_SERIALIZABLE,
                                 .added_count = 1,
                                 .added = &file};
            REQUIRE(ice_scene_is_ok(s, ice_change_add_rows(change, &step, NULL, &s->err)));
            REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &other, &s->err)));
            ice_added_file more;
            const ice_scalar one = {.kind = ICE_SCALAR_NUMBER, .number = 1};
            REQUIRE(ice_scene_is_ok(s, ice_scene_file(s, other, 300, 3, 1, &more, &s->err)));
            more.file.partition = &one;
            const ice_row_step add = {.kind = CHANGE_APPEND, .added_count = 1, .added = &more};
            REQUIRE(ice_scene_is_ok(s, ice_change_add_rows(other, &add, NULL, &s->err)));
            REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, other, &s->err)));
            CHECK(ice_scene_commit(s, change, &s->err) == (j == 0 ? FIRN_OK : FIRN_CONFLICT));
            CHECK(j == 1 || ice_scene_head_holds(s, 1, (const int64_t[][2]){{100, 102}}));
            s->location = start;
        }
        ice_scene_close(s);
    }
}

TEST(ice_rows_of_version_1_do_not_come_to_a_table_that_was_upgraded) {
    static const firn_option properties[] = {{"format-version", "1"}};
    const alteration upgrade = {.kind = ALTER_UPGRADE, .name = TEXT("2")};
    // Who upgrades: others, or the transaction itself, after its rows.
    for (int i = 0; i < 2; i++) {
        two_files t;
        ice_scene *s = &t.scene;
        table_change *ours;
        table_change *theirs;
        ice_added_file file;
        open_two(&t, NULL, 1, properties);
        REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &ours, &s->err)));
        REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &theirs, &s->err)));
        REQUIRE(ice_scene_is_ok(s, ice_scene_file(s, ours, 100, 3, -1, &file, &s->err)));
        const ice_row_step add = {.kind = CHANGE_APPEND, .added_count = 1, .added = &file};
        REQUIRE(ice_scene_is_ok(s, ice_change_add_rows(ours, &add, NULL, &s->err)));
        REQUIRE(ice_scene_is_ok(
            s, ice_table_changes.alter(i == 0 ? theirs : ours, &upgrade, 1, &s->err)));
        if (i == 1) {
            const alteration set = {
                .kind = ALTER_SET_PROPERTY, .name = TEXT("a"), .comment = TEXT("b")};
            REQUIRE(ice_scene_is_ok(s, ice_table_changes.alter(theirs, &set, 1, &s->err)));
        }
        REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, theirs, &s->err)));
        CHECK(ice_scene_commit(s, ours, &s->err) == (i == 0 ? FIRN_CONFLICT : FIRN_OK));
        CHECK(ice_scene_head_holds(s, i == 0 ? 1 : 2, (const int64_t[][2]){{1, 20}, {100, 102}}));
        ice_scene_close(s);
    }
}

// ---- Two at once -------------------------------------------------------------------------------

// What a transaction does to the two files; the filter of ours is `id = 5`, in the first.
typedef enum deed {
    APPEND_NEAR,  // A row between 1 and 10, in part 1.
    APPEND_FAR,   // Rows of other values, in part 3.
    DELETE_WHOLE, // The first file.
    DELETE_ROW,   // Row 5 by position.
    UPDATE_ROW,   // Row 5 by position, and another row.
    UPDATE_FILE,  // The first file is written anew.
    REWRITE,      // The same, but no reader sees a difference.
    OVERWRITE,    // Part 1.
    DEED_COUNT,
} deed;

static firn_status add_deed(two_files *t, table_change *change, deed what, isolation how,
                            int64_t value, firn_error *err) {
    ice_scene *s = &t->scene;
    expr *filter = expr_new(&s->memory, EXPR_IN, TYPE_OF(BOOLEAN));
    const ice_scalar five = {.kind = ICE_SCALAR_NUMBER, .number = 5};
    column *values = ARENA_NEW(&s->memory, column, 1);
    TRY(column_flatten(&s->memory, ice_scalar_try_column(TYPE_OF(BIGINT), &five, &s->memory),
                       values, err));
    filter->in_.arg = expr_column(&s->memory, 0, TEXT("id"), TYPE_OF(BIGINT));
    filter->in_.values = values;
    const expr_list filters = {.count = 1, .items = &filter};
    ice_added_file files[2];
    ice_row_step step = {.isolation = how, .filters = &filters, .added = files};
    TRY(ice_scene_file(s, change, value, 1, what == APPEND_FAR ? 3 : 1, &files[0], err));
    step.added_count = 1;
    switch (what) {
    case APPEND_NEAR:
    case APPEND_FAR:
        step.kind = CHANGE_APPEND;
        break;
    case DELETE_WHOLE:
    case UPDATE_FILE:
    case REWRITE:
        step.kind = what == DELETE_WHOLE  ? CHANGE_DELETE
                    : what == UPDATE_FILE ? CHANGE_UPDATE
                                          : CHANGE_REWRITE;
        step.removed_count = 1;
        step.removed = &t->first;
        break;
    case DELETE_ROW:
    case UPDATE_ROW:
        step.kind = what == DELETE_ROW ? CHANGE_DELETE : CHANGE_UPDATE;
        TRY(ice_scene_delete(s, change, t->first, 4, &files[1], err));
        files[1].file.partition = files[0].file.partition;
        step.referenced_count = 1;
        step.referenced = &t->first;
        step.added_count = 2;
        break;
    case OVERWRITE:
    case DEED_COUNT:
        step.kind = CHANGE_OVERWRITE;
        step.overwrite = OVERWRITE_PARTITIONS;
        break;
    }
    if (step.kind == CHANGE_DELETE) { // Without a row that comes.
        TRY(io_remove(s->io, files[0].file.path, err));
        step.added = &files[1];
        step.added_count--;
    }
    return ice_change_add_rows(change, &step, NULL, err);
}

// Of ours (lines) and theirs, which came first (columns): y: both stay, n: a conflict,
// s: one under serializable isolation alone. Specification: "Commit Conflict Resolution and Retry";
// as Spark has its operations checked.
static const char *const outcomes[DEED_COUNT] = {
    //               near far whole row update file rewrite overwrite
    [APPEND_NEAR] = "yyyyyyyy", [APPEND_FAR] = "yyyyyyyy", [DELETE_WHOLE] = "synnnnnn",
    [DELETE_ROW] = "syyysnnn",  [UPDATE_ROW] = "synnnnnn", [UPDATE_FILE] = "synnnnnn",
    [REWRITE] = "yynnnnnn",     [OVERWRITE] = "syynnsys",
};

static firn_status try_both(two_files *t, deed ours, deed theirs, isolation how) {
    ice_scene *s = &t->scene;
    table_change *change;
    table_change *other;
    firn_error err = ERR_INIT;
    CHECK(ice_scene_change(s, &change, &s->err) == FIRN_OK);
    CHECK(ice_scene_change(s, &other, &s->err) == FIRN_OK);
    CHECK(ice_scene_is_ok(s, add_deed(t, change, ours, how, 1000, &s->err)));
    CHECK(ice_scene_is_ok(s,
                          add_deed(t, other, theirs, how, theirs == APPEND_FAR ? 50 : 5, &s->err)));
    CHECK(ice_scene_is_ok(s, ice_scene_commit(s, other, &s->err)));
    return ice_scene_commit(s, change, &err);
}

TEST(ice_rows_of_two_at_once_end_as_the_specification_has_it) {
    two_files t;
    open_two(&t, "", 0, NULL);
    const text start = t.scene.location;
    for (uint32_t i = 0; i < DEED_COUNT * DEED_COUNT * 2; i++) {
        const deed ours = (deed)(i / 2 / DEED_COUNT);
        const deed theirs = (deed)(i / 2 % DEED_COUNT);
        const isolation how = i % 2 == 0 ? ISOLATION_SNAPSHOT : ISOLATION_SERIALIZABLE;
        const char wanted = outcomes[ours][theirs];
        const bool is_conflict = wanted == 'n' || (wanted == 's' && i % 2 == 1);
        t.scene.location = start;
        const firn_status status = try_both(&t, ours, theirs, how);
        if (status != (is_conflict ? FIRN_CONFLICT : FIRN_OK)) {
            (void)fprintf(stderr, "deed %d after %d, isolation %d: %d\n", (int)ours, (int)theirs,
                          (int)how, (int)status);
        }
        CHECK(status == (is_conflict ? FIRN_CONFLICT : FIRN_OK));
    }
    ice_scene_close(&t.scene);
}
