// Changes of tables, committed through a catalog that is one variable, and read back.
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
