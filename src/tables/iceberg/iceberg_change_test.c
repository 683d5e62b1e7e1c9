// Changes of tables, committed through a catalog that is one variable, and read back.
#include "tables/iceberg/iceberg_change_private.h"
#include "tables/iceberg/iceberg_change_testing.h"

static const commit_form forms[] = {COMMIT_POINTER, COMMIT_UPDATES};

TEST(ice_change_makes_a_table_and_appends_to_it) {
    for (size_t i = 0; i < 4; i++) {
        const firn_option properties[] = {{"format-version", i < 2 ? "2" : "1"}, {"owner", "me"}};
        ice_scene s;
        table_change *change;
        table_snapshot *seen;
        ice_scene_open(&s, "ice_change", forms[i % 2]);
        REQUIRE(ice_scene_is_ok(&s, ice_scene_create(&s, NULL, 2, properties, &change, &s.err)));
        REQUIRE(ice_scene_is_ok(&s, ice_scene_append(&s, change, 1, 10, &s.err)));
        // The statement after it sees what nobody else does.
        REQUIRE(ice_scene_is_ok(&s, ice_table_changes.see(change, &seen, &s.err)));
        CHECK(ice_scene_holds(&s, seen, 1, (const int64_t[][2]){{1, 10}}));
        CHECK(seen->row_count.is_known && seen->row_count.value == 10);
        table_snapshot_release(seen);
        REQUIRE(ice_scene_is_ok(&s, ice_scene_append(&s, change, 11, 5, &s.err)));
        REQUIRE(ice_scene_is_ok(&s, ice_scene_commit(&s, change, &s.err)));
        CHECK(ice_scene_head_holds(&s, 1, (const int64_t[][2]){{1, 15}}));
        REQUIRE(ice_scene_is_ok(&s, ice_scene_change(&s, &change, &s.err)));
        REQUIRE(ice_scene_is_ok(&s, ice_scene_append(&s, change, 100, 3, &s.err)));
        REQUIRE(ice_scene_is_ok(&s, ice_scene_commit(&s, change, &s.err)));
        CHECK(ice_scene_head_holds(&s, 2, (const int64_t[][2]){{1, 15}, {100, 102}}));
        const json_node *root;
        const json_node *of;
        int64_t number = 0;
        REQUIRE(ice_scene_root(&s, &root, &s.err) == FIRN_OK);
        CHECK(json_get_i64(root, "format-version", &number, &s.err) == FIRN_OK &&
              number == (i < 2 ? 2 : 1));
        CHECK(json_get_object(root, "properties", &of, &s.err) == FIRN_OK && of->count == 1);
        CHECK(json_get_array(root, "snapshots", &of, &s.err) == FIRN_OK && of->count == 3);
        CHECK(json_get_array(root, "snapshot-log", &of, &s.err) == FIRN_OK && of->count == 2);
        ice_scene_close(&s);
    }
}

TEST(ice_change_that_comes_late_is_said_again_on_top) {
    for (size_t i = 0; i < 2; i++) {
        ice_scene s;
        table_change *change;
        table_change *others[3];
        ice_scene_open(&s, "ice_change", forms[i]);
        REQUIRE(ice_scene_is_ok(&s, ice_scene_create(&s, NULL, 0, NULL, &change, &s.err)));
        REQUIRE(ice_scene_is_ok(&s, ice_scene_commit(&s, change, &s.err)));
        for (int64_t j = 0; j < 3; j++) {
            REQUIRE(ice_scene_is_ok(&s, ice_scene_change(&s, &others[j], &s.err)));
            REQUIRE(ice_scene_is_ok(&s, ice_scene_append(&s, others[j], j * 10, 10, &s.err)));
        }
        for (uint32_t j = 0; j < 3; j++) {
            bool is_in = true;
            table_snapshot *head;
            REQUIRE(ice_scene_head(&s, &head, &s.err) == FIRN_OK);
            CHECK(ice_table_changes.is_in(others[j], head, &is_in, &s.err) == FIRN_OK && !is_in);
            table_snapshot_release(head);
            REQUIRE(ice_scene_is_ok(&s, ice_scene_commit(&s, others[j], &s.err)));
            CHECK(s.attempts == (j == 0 ? 1U : 2U));
        }
        CHECK(ice_scene_head_holds(&s, 1, (const int64_t[][2]){{0, 29}}));
        // Three data files, three manifests, three lists, and metadata: nothing of what was tried.
        CHECK(ice_scene_files(&s) == 9 + 4);
        ice_scene_close(&s);
    }
}

TEST(ice_change_that_is_given_up_leaves_nothing) {
    ice_scene s;
    table_change *change;
    commit_answer answer;
    commit_part part;
    ice_scene_open(&s, "ice_change", COMMIT_POINTER);
    REQUIRE(ice_scene_is_ok(&s, ice_scene_create(&s, "", 0, NULL, &change, &s.err)));
    REQUIRE(ice_scene_is_ok(
        &s, ice_table_changes.prepare(change, COMMIT_POINTER, &s.memory, &part, &s.err)));
    CHECK(ice_scene_files(&s) == 1);
    ice_table_changes.close(change);
    CHECK(ice_scene_files(&s) == 0);
    // Nobody knows what became of it: all stays.
    REQUIRE(ice_scene_is_ok(&s, ice_scene_create(&s, NULL, 0, NULL, &change, &s.err)));
    REQUIRE(ice_scene_is_ok(&s, ice_scene_append(&s, change, 1, 1, &s.err)));
    REQUIRE(ice_scene_is_ok(&s, ice_scene_try(&s, change, &answer, &s.err)));
    ice_table_changes.settle(change, COMMIT_UNKNOWN);
    bool is_in = false;
    table_snapshot *head;
    REQUIRE(ice_scene_head(&s, &head, &s.err) == FIRN_OK);
    CHECK(ice_table_changes.is_in(change, head, &is_in, &s.err) == FIRN_OK && is_in);
    table_snapshot_release(head);
    ice_table_changes.close(change);
    CHECK(ice_scene_files(&s) == 4);
    CHECK(ice_scene_head_holds(&s, 1, (const int64_t[][2]){{1, 1}}));
    ice_scene_close(&s);
}

TEST(ice_change_takes_statements_back_and_drops_what_it_saw) {
    ice_scene s;
    table_change *change;
    table_snapshot *seen;
    commit_part part;
    ice_scene_open(&s, "ice_change", COMMIT_POINTER);
    REQUIRE(ice_scene_is_ok(&s, ice_scene_create(&s, NULL, 0, NULL, &change, &s.err)));
    REQUIRE(ice_scene_is_ok(&s, ice_scene_append(&s, change, 1, 10, &s.err)));
    const uint64_t second = transaction_mark_take(s.owner).step_count;
    const uint32_t files = ice_scene_files(&s);
    REQUIRE(ice_scene_is_ok(&s, ice_scene_append(&s, change, 20, 10, &s.err)));
    ice_table_changes.undo(change, second);
    CHECK(ice_scene_files(&s) == files);
    REQUIRE(ice_scene_is_ok(&s, ice_table_changes.see(change, &seen, &s.err)));
    CHECK(ice_scene_holds(&s, seen, 1, (const int64_t[][2]){{1, 10}}));
    table_snapshot_release(seen);
    REQUIRE(ice_scene_is_ok(&s, ice_scene_append(&s, change, 30, 10, &s.err)));
    REQUIRE(ice_scene_is_ok(&s, ice_scene_commit(&s, change, &s.err)));
    CHECK(ice_scene_head_holds(&s, 2, (const int64_t[][2]){{1, 10}, {30, 39}}));
    REQUIRE(ice_scene_is_ok(&s, ice_scene_change(&s, &change, &s.err)));
    commit_options options = {.attempts_max = 5, .pause_ms_min = 7};
    ice_table_changes.options(change, &options);
    CHECK(options.attempts_max == 5 && options.pause_ms_min == 7);
    REQUIRE(ice_table_changes.prepare(change, COMMIT_POINTER, &s.memory, &part, &s.err) == FIRN_OK);
    CHECK(part.kind == PART_NOTHING);
    change->is_dropped = true;
    REQUIRE(ice_table_changes.prepare(change, COMMIT_POINTER, &s.memory, &part, &s.err) == FIRN_OK);
    CHECK(part.kind == PART_DROP && text_equal(part.pointer.old_location, s.location));
    REQUIRE(ice_table_changes.prepare(change, COMMIT_UPDATES, &s.memory, &part, &s.err) == FIRN_OK);
    CHECK(part.kind == PART_DROP && part.updates.uuid.size == 36);
    ice_table_changes.close(change);
    ice_scene_close(&s);
}

TEST(ice_change_merges_manifests_so_that_commits_stay_small) {
    static const firn_option properties[] = {{"commit.manifest.min-count-to-merge", "4"},
                                             {"write.metadata.previous-versions-max", "3"},
                                             {"write.metadata.delete-after-commit.enabled", "true"},
                                             {"write.metadata.compression-codec", "gzip"}};
    ice_scene s;
    table_change *change;
    table_snapshot *head;
    ice_scene_open(&s, "ice_change", COMMIT_POINTER);
    REQUIRE(ice_scene_is_ok(&s, ice_scene_create(&s, "", 4, properties, &change, &s.err)));
    REQUIRE(ice_scene_is_ok(&s, ice_scene_commit(&s, change, &s.err)));
    for (int64_t i = 0; i < 20; i++) {
        ice_added_file file;
        REQUIRE(ice_scene_is_ok(&s, ice_scene_change(&s, &change, &s.err)));
        REQUIRE(ice_scene_file(&s, change, i * 10, 10, (int32_t)i % 3, &file, &s.err) == FIRN_OK);
        const ice_row_step step = {.kind = CHANGE_APPEND, .added_count = 1, .added = &file};
        REQUIRE(ice_scene_is_ok(&s, ice_change_add_rows(change, &step, NULL, &s.err)));
        REQUIRE(ice_scene_is_ok(&s, ice_scene_commit(&s, change, &s.err)));
        REQUIRE(ice_scene_is_ok(&s, ice_scene_head(&s, &head, &s.err)));
        CHECK(ice_table_manifest_count(head) <= 4);
        CHECK(head->row_count.is_known && head->row_count.value == (uint64_t)(i + 1) * 10);
        table_snapshot_release(head);
        CHECK(ice_scene_head_holds(&s, 1, (const int64_t[][2]){{0, i * 10 + 9}}));
    }
    CHECK(text_ends_with(s.location, TEXT(".gz.metadata.json")));
    // 20 data files and lists, 20 manifests of which each fourth was merged at once, 4 metadata
    // files.
    CHECK(ice_scene_files(&s) == 20 + 20 + 20 + 4);
    ice_scene_close(&s);
}

// As Java's TestLocationProvider has them.
TEST(ice_change_hashes_names_as_java_does) {
    static const struct {
        const char *name;
        const char *folders;
    } rows[] = {{"a", "0101/0110/1001/10110010"},
                {"b", "1110/0111/1110/00000011"},
                {"c", "0010/1101/0110/01011111"},
                {"d", "1001/0001/0100/01110011"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char folders[ICE_HASHED_FOLDERS_SIZE];
        ice_hashed_folders(text_of(rows[i].name), folders);
        CHECK(strcmp(folders, rows[i].folders) == 0);
    }
}

TEST(ice_change_puts_files_where_properties_say) {
    static const firn_option plain[] = {{"owner", "me"}};
    static const firn_option elsewhere[] = {{"write.data.path", "/d/"},
                                            {"write.metadata.path", "/m"}};
    static const firn_option hashed[] = {{"write.object-storage.enabled", "true"}};
    static const firn_option flat[] = {{"write.object-storage.enabled", "true"},
                                       {"write.object-storage.partitioned-paths", "false"},
                                       {"write.data.path", "/d"}};
    static const struct {
        const firn_option *properties;
        size_t count;
        const char *before; // Of the path, behind the table's location if it begins with data.
        const char *between;
    } rows[] = {{plain, 1, "/data/p=1/00000-7-", NULL},
                {elsewhere, 2, "/d/p=1/00000-7-", NULL},
                {hashed, 1, "/data/", "/p=1/00000-7-"},
                {flat, 3, "/d/", "/ice_change/00000-7-"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ice_scene s;
        table_change *change;
        text path;
        text again;
        text before = text_of(rows[i].before);
        ice_scene_open(&s, "ice_change", COMMIT_UPDATES);
        REQUIRE(ice_scene_is_ok(
            &s, ice_scene_create(&s, NULL, rows[i].count, rows[i].properties, &change, &s.err)));
        CHECK(ice_change_data_path(change, TEXT("p=1"), 7, "parquet", &s.memory, &path, &s.err) ==
              FIRN_OK);
        CHECK(ice_change_data_path(change, TEXT("p=1"), 7, "parquet", &s.memory, &again, &s.err) ==
              FIRN_OK);
        CHECK(!text_equal(path, again) && text_ends_with(path, TEXT(".parquet")));
        if (text_starts_with(before, TEXT("/data/"))) {
            REQUIRE(text_format(&s.memory, &before, &s.err, "%s%s", s.folder.path,
                                rows[i].before) == FIRN_OK);
        }
        CHECK(text_starts_with(path, before));
        const size_t folders = before.size + ICE_HASHED_FOLDERS_SIZE - 1;
        if (i == 2) {
            CHECK(text_starts_with(text_slice(path, folders, path.size), text_of(rows[i].between)));
        } else if (i == 3) { // Beside the table's folder its name stands in the path.
            const text rest = text_slice(path, folders, path.size);
            CHECK(text_find(rest, TEXT("/00000-7-")) < rest.size &&
                  text_find(rest, TEXT("p=1")) == rest.size &&
                  text_find(rest, TEXT("ice_change")) < rest.size);
        }
        ice_table_changes.close(change);
        ice_scene_close(&s);
    }
}

TEST(ice_change_puts_a_table_in_the_place_of_another_and_keeps_its_history) {
    static const field fields[] = {
        {.name = {.data = "more", .size = 4}, .type = TYPE_OF(BIGINT), .is_nullable = true},
        {.name = {.data = "id", .size = 2}, .type = TYPE_OF(BIGINT), .is_nullable = true}};
    const table_definition definition = {.columns = {.count = 2, .fields = fields}};
    ice_scene s;
    table_change *change;
    table_snapshot *head;
    ice_values values;
    ice_scene_open(&s, "ice_change", COMMIT_UPDATES);
    REQUIRE(ice_scene_is_ok(&s, ice_scene_create(&s, "", 0, NULL, &change, &s.err)));
    REQUIRE(ice_scene_is_ok(&s, ice_scene_commit(&s, change, &s.err)));
    REQUIRE(ice_scene_is_ok(&s, ice_scene_change(&s, &change, &s.err)));
    ice_added_file file;
    REQUIRE(ice_scene_file(&s, change, 1, 10, 1, &file, &s.err) == FIRN_OK);
    const ice_row_step step = {.kind = CHANGE_APPEND, .added_count = 1, .added = &file};
    REQUIRE(ice_scene_is_ok(&s, ice_change_add_rows(change, &step, NULL, &s.err)));
    REQUIRE(ice_scene_is_ok(&s, ice_scene_commit(&s, change, &s.err)));
    REQUIRE(ice_scene_is_ok(&s, ice_scene_head(&s, &head, &s.err)));
    const table_version before = {.kind = VERSION_SNAPSHOT, .number = head->ref.snapshot_id};
    REQUIRE(ice_scene_is_ok(
        &s, ice_table_changes.open(s.owner, &s.env, head, &definition, &change, &s.err)));
    table_snapshot_release(head);
    REQUIRE(ice_scene_is_ok(&s, ice_scene_commit(&s, change, &s.err)));
    REQUIRE(ice_scene_is_ok(&s, ice_scene_head(&s, &head, &s.err)));
    REQUIRE(head->columns.count == 2);
    CHECK(head->columns.fields[0].id == 3); // A column that is called alike is the same one.
    CHECK(head->columns.fields[1].id == 1);
    CHECK(ice_scene_holds(&s, head, 0, NULL));
    table_snapshot_release(head);
    const ice_open what = {.pool = s.query, .location = s.location, .version = &before};
    REQUIRE(ice_scene_is_ok(&s, ice_table_open(s.io, &what, NULL, &head, &s.err)));
    CHECK(ice_scene_read(&s, head, &values, &s.err) == FIRN_OK && values.count == 10);
    table_snapshot_release(head);
    ice_scene_close(&s);
}

// The table is gone, or another one has its name: nothing can be said on top of that.
TEST(ice_change_of_a_table_that_went_is_a_conflict) {
    ice_scene s;
    table_change *change;
    table_change *other;
    table_snapshot *head;
    ice_scene_open(&s, "ice_change", COMMIT_POINTER);
    REQUIRE(ice_scene_is_ok(&s, ice_scene_create(&s, NULL, 0, NULL, &change, &s.err)));
    REQUIRE(ice_scene_is_ok(&s, ice_scene_create(&s, NULL, 0, NULL, &other, &s.err)));
    REQUIRE(ice_scene_is_ok(&s, ice_scene_commit(&s, change, &s.err)));
    CHECK(ice_scene_commit(&s, other, &s.err) == FIRN_CONFLICT); // It is there already.
    CHECK(strcmp(s.err.sqlstate, "42P07") == 0);
    REQUIRE(ice_scene_is_ok(&s, ice_scene_change(&s, &change, &s.err)));
    REQUIRE(ice_scene_is_ok(&s, ice_scene_append(&s, change, 1, 5, &s.err)));
    CHECK(ice_table_changes.rebase(change, NULL, &s.err) == FIRN_CONFLICT);
    const text now = s.location;
    s.location.size = 0;
    REQUIRE(ice_scene_is_ok(&s, ice_scene_create(&s, NULL, 0, NULL, &other, &s.err)));
    REQUIRE(ice_scene_is_ok(&s, ice_scene_commit(&s, other, &s.err)));
    REQUIRE(ice_scene_is_ok(&s, ice_scene_head(&s, &head, &s.err)));
    CHECK(ice_table_changes.rebase(change, head, &s.err) == FIRN_CONFLICT);
    bool is_in = true;
    CHECK(ice_table_changes.is_in(change, head, &is_in, &s.err) == FIRN_OK && !is_in);
    table_snapshot_release(head);
    ice_table_changes.settle(change, COMMIT_CONFLICT);
    ice_table_changes.close(change);
    s.location = now;
    CHECK(ice_scene_head_holds(&s, 0, NULL));
    ice_scene_close(&s);
}

// Alterations have no snapshot by which they would be found again.
TEST(ice_change_finds_its_alterations_in_what_is_there) {
    for (size_t i = 0; i < 2; i++) {
        const alteration wanted = {
            .kind = ALTER_SET_PROPERTY, .name = TEXT("a"), .comment = TEXT("b")};
        ice_scene s;
        table_change *change;
        table_snapshot *head;
        commit_answer answer;
        bool is_in = true;
        ice_scene_open(&s, "ice_change", forms[i]);
        REQUIRE(ice_scene_is_ok(&s, ice_scene_create(&s, NULL, 0, NULL, &change, &s.err)));
        REQUIRE(ice_scene_is_ok(&s, ice_scene_commit(&s, change, &s.err)));
        REQUIRE(ice_scene_is_ok(&s, ice_scene_change(&s, &change, &s.err)));
        REQUIRE(ice_scene_is_ok(&s, ice_table_changes.alter(change, &wanted, 1, &s.err)));
        REQUIRE(ice_scene_is_ok(&s, ice_scene_head(&s, &head, &s.err)));
        CHECK(ice_table_changes.is_in(change, head, &is_in, &s.err) == FIRN_OK && !is_in);
        table_snapshot_release(head);
        REQUIRE(ice_scene_is_ok(&s, ice_scene_try(&s, change, &answer, &s.err)));
        for (int j = 0; j < 2; j++) {
            text numbered; // As catalogs of folders name what is committed.
            REQUIRE(ice_scene_is_ok(&s, ice_scene_head(&s, &head, &s.err)));
            CHECK(ice_table_changes.is_in(change, head, &is_in, &s.err) == FIRN_OK && is_in);
            table_snapshot_release(head);
            REQUIRE(text_format(&s.memory, &numbered, &s.err, "%s/metadata/v%d.metadata.json",
                                s.folder.path, j + 2) == FIRN_OK);
            REQUIRE(ice_scene_is_ok(&s, io_rename(s.io, s.location, numbered, &s.err)));
            s.location = numbered;
        }
        ice_table_changes.settle(change, COMMIT_DONE);
        ice_table_changes.close(change);
        ice_scene_close(&s);
    }
}
