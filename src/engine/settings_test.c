// Settings that belong to the engine, whoever sets them, and when they take effect.
#include "engine/scene_testing.h"
#include "io/test_folder.h"

static bool open_scene(scene *self) {
    const firn_option options[] = {{.key = "threads", .value = "1"},
                                   {.key = "memory_limit", .value = "24MB"}};
    return scene_open(self, options, 2);
}

#define SPILLING "SELECT count(*) FROM (SELECT DISTINCT x FROM generate_series(1, 900000) t(x))"

static void set_folder(scene *self, const char *folder) {
    char sql[512];
    (void)snprintf(sql, sizeof sql, "SET temp_directory = '%s'", folder);
    REQUIRE(scene_execute(self, sql) == FIRN_OK);
}

TEST(settings_temp_directory_takes_effect_for_later_statements) {
    scene here;
    REQUIRE(open_scene(&here));
    const test_folder first = test_folder_open("temp_first");
    const test_folder second = test_folder_open("temp_second");
    set_folder(&here, first.path);
    CHECK(scene_execute(&here, SPILLING) == FIRN_OK);
    set_folder(&here, second.path);
    CHECK(scene_execute(&here, SPILLING) == FIRN_OK);
    test_folder_close(&second);
    CHECK(scene_execute(&here, SPILLING) == FIRN_IO || here.err.status == FIRN_NOT_FOUND);
    CHECK(strstr(here.err.text, second.path) != NULL);
    set_folder(&here, first.path); // Its area is there still.
    CHECK(scene_execute(&here, SPILLING) == FIRN_OK);
    test_folder_close(&first);
    scene_close(&here);
}

TEST(settings_temp_directory_must_be_a_folder) {
    scene here;
    REQUIRE(open_scene(&here));
    CHECK(scene_execute(&here, "SET temp_directory = '/there/is/none'") == FIRN_INVALID);
    CHECK(strstr(here.err.text, "there is no such folder") != NULL);
    CHECK(firn_engine_set(here.engine, "temp_directory", "README.md", &here.err) == FIRN_INVALID);
    CHECK(strstr(here.err.text, "it is no folder") != NULL);
    char value[SETTING_TEXT_MAX];
    size_t size = sizeof value;
    CHECK(firn_session_get(here.session, "temp_directory", value, &size, &here.err) == FIRN_OK);
    CHECK(strcmp(value, "/tmp") == 0);
    firn_engine *none = NULL;
    const firn_option option = {.key = "temp_directory", .value = "/there/is/none"};
    CHECK(firn_engine_open(&option, 1, &none, &here.err) == FIRN_INVALID && none == NULL);
    scene_close(&here);
}

static void check_value(scene *self, const char *key, const char *expected) {
    char of_engine[SETTING_TEXT_MAX] = "";
    char of_session[SETTING_TEXT_MAX] = "";
    size_t size = sizeof of_engine;
    CHECK(firn_engine_get(self->engine, key, of_engine, &size, &self->err) == FIRN_OK);
    size = sizeof of_session;
    CHECK(firn_session_get(self->session, key, of_session, &size, &self->err) == FIRN_OK);
    CHECK(strcmp(of_engine, expected) == 0 && strcmp(of_session, expected) == 0);
}

TEST(settings_say_what_auto_and_shares_come_to) {
    scene here;
    REQUIRE(open_scene(&here));
    char threads[16];
    char memory[64];
    check_value(&here, "threads", "1");
    check_value(&here, "memory_limit", "24MB");
    CHECK(scene_execute(&here, "RESET ALL") == FIRN_OK);
    (void)snprintf(threads, sizeof threads, "%u", host_cpu_count());
    check_value(&here, "threads", threads);
    size_t size = sizeof memory;
    CHECK(firn_session_get(here.session, "memory_limit", memory, &size, &here.err) == FIRN_OK);
    CHECK(strstr(memory, "MB") != NULL && strchr(memory, '%') == NULL);
    CHECK(firn_engine_set(here.engine, "memory_limit", memory, &here.err) == FIRN_OK);
    check_value(&here, "search_path", "main");
    scene_close(&here);
}

TEST(settings_another_session_sees_what_belongs_to_the_engine) {
    scene here;
    REQUIRE(open_scene(&here));
    firn_session *other = NULL;
    REQUIRE(firn_session_open(here.engine, &other, &here.err) == FIRN_OK);
    CHECK(scene_execute(&here, "SET memory_limit = '32MB'") == FIRN_OK);
    char value[SETTING_TEXT_MAX];
    size_t size = sizeof value;
    CHECK(firn_session_get(other, "memory_limit", value, &size, &here.err) == FIRN_OK);
    CHECK(strcmp(value, "32MB") == 0);
    // What it runs from now on has as many workers as the engine, not as it had at first.
    CHECK(scene_execute(&here, "SET threads = 3") == FIRN_OK);
    run *made = NULL;
    REQUIRE(run_open(other, &other->settings, &made, &here.err) == FIRN_OK);
    CHECK(made->options.threads == 3);
    run_release(made);
    firn_session_close(other);
    scene_close(&here);
}

// The numbers are too large for 64 bits, and some for a double.
TEST(settings_sizes_that_are_too_large_are_refused) {
    static const char *const wrong[] = {"99999999999999999999GB",
                                        "1000000000000000000",
                                        "100000000000000000000000000000000%",
                                        "101%",
                                        "0%",
                                        "0",
                                        "0.9",
                                        "1e30"};
    scene here;
    REQUIRE(open_scene(&here));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (firn_engine_set(here.engine, "memory_limit", wrong[i], &here.err) != FIRN_INVALID ||
            strstr(here.err.text, wrong[i]) == NULL) {
            printf("%s: %s\n", wrong[i], here.err.text);
            CHECK(false);
        }
    }
    check_value(&here, "memory_limit", "24MB");
    scene_close(&here);
}

// Each of the settings that are on or off has a flag of its own, which wrong values leave alone.
TEST(settings_flags_are_apart) {
    scene here;
    REQUIRE(open_scene(&here));
    const bool *is_on = here.session->settings.is_on;
    CHECK(is_on[SETTING_preserve_order] && is_on[SETTING_block_cache] && is_on[SETTING_progress]);
    CHECK(scene_execute(&here, "SET preserve_order = 'false'") == FIRN_OK);
    CHECK(!is_on[SETTING_preserve_order] && is_on[SETTING_block_cache]);
    CHECK(scene_execute(&here, "SET block_cache = 'off'") == FIRN_OK);
    CHECK(scene_execute(&here, "SET preserve_order = 'on'") == FIRN_OK);
    CHECK(scene_execute(&here, "SET block_cache = 'never'") == FIRN_INVALID);
    CHECK(scene_execute(&here, "SET progress = 'never'") == FIRN_INVALID);
    CHECK(scene_execute(&here, "SET preserve_order = 'never'") == FIRN_INVALID);
    CHECK(is_on[SETTING_preserve_order] && !is_on[SETTING_block_cache] && is_on[SETTING_progress]);
    scene_close(&here);
}

TEST(settings_a_statement_has_none_of_its_engine_or_session) {
    static const firn_option wrong[] = {{"memory_limit", "32MB"},
                                        {"threads", "2"},
                                        {"temp_directory", "/tmp"},
                                        {"search_path", "main"}};
    scene here;
    firn_statement *statement = NULL;
    REQUIRE(open_scene(&here));
    REQUIRE(firn_prepare(here.session, "SELECT 1", FIRN_NUL_TERMINATED, &statement, NULL,
                         &here.err) == FIRN_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK(firn_statement_set(statement, wrong[i].key, wrong[i].value, &here.err) ==
              FIRN_INVALID);
        CHECK(strstr(here.err.text, wrong[i].key) != NULL && strstr(here.err.hint, "_set") != NULL);
    }
    CHECK(firn_statement_set(statement, "TimeZone", "Europe/Berlin", &here.err) == FIRN_OK);
    firn_statement_close(statement);
    scene_close(&here);
}

TEST(settings_of_arrow_are_settings_like_any_other) {
    static const char *const rows[][3] = {
        // Name, default, another value.
        {"arrow.strings", "utf8", "view"},         {"arrow.intervals", "native", "text"},
        {"arrow.float16", "native", "float32"},    {"arrow.decimals", "native", "text"},
        {"arrow.lists", "list", "large"},          {"arrow.dictionaries", "plain", "keep"},
        {"arrow.batch_rows", "65536", "16777216"},
    };
    scene here;
    REQUIRE(open_scene(&here));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char sql[128];
        char value[SETTING_TEXT_MAX] = "";
        size_t size = sizeof value;
        check_value(&here, rows[i][0], rows[i][1]);
        (void)snprintf(sql, sizeof sql, "SET %s = '%s'", rows[i][0], rows[i][2]);
        CHECK(scene_execute(&here, sql) == FIRN_OK);
        CHECK(firn_session_get(here.session, rows[i][0], value, &size, &here.err) == FIRN_OK);
        CHECK(strcmp(value, rows[i][2]) == 0);
    }
    const arrow_options *options = &here.session->settings.arrow;
    CHECK(options->strings == ARROW_STRINGS_VIEW && options->dictionaries);
    CHECK(scene_execute(&here, "RESET arrow.strings") == FIRN_OK);
    CHECK(options->strings == ARROW_STRINGS_UTF8 && options->dictionaries);
    CHECK(scene_execute(&here, "RESET ALL") == FIRN_OK);
    CHECK(!options->dictionaries && options->batch_rows == ARROW_BATCH_ROWS_DEFAULT);
    CHECK(firn_engine_set(here.engine, "arrow.strings", "large", &here.err) == FIRN_OK);
    firn_session *other = NULL;
    REQUIRE(firn_session_open(here.engine, &other, &here.err) == FIRN_OK);
    CHECK(other->settings.arrow.strings == ARROW_STRINGS_LARGE);
    firn_session_close(other);
    scene_close(&here);
}
