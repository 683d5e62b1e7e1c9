// Settings that belong to the engine, whoever sets them, and when they take effect.
#include "base/test.h"
#include "engine/objects.h"
#include "io/test_folder.h"

typedef struct scene {
    firn_engine *engine;
    firn_session *session;
    firn_error err;
} scene;

static void open_scene(scene *self) {
    *self = (scene){.err = FIRN_ERROR_INIT};
    const firn_option options[] = {{.key = "threads", .value = "1"},
                                   {.key = "memory_limit", .value = "24MB"}};
    REQUIRE(firn_engine_open(options, 2, &self->engine, &self->err) == FIRN_OK);
    REQUIRE(firn_session_open(self->engine, &self->session, &self->err) == FIRN_OK);
}

static void close_scene(scene *self) {
    firn_session_close(self->session);
    firn_engine_close(self->engine);
}

static firn_status execute(scene *self, const char *sql) {
    return firn_execute(self->session, sql, FIRN_NUL_TERMINATED, NULL, &self->err);
}

#define SPILLING "SELECT count(*) FROM (SELECT DISTINCT x FROM generate_series(1, 900000) t(x))"

static void set_folder(scene *self, const char *folder) {
    char sql[512];
    (void)snprintf(sql, sizeof sql, "SET temp_directory = '%s'", folder);
    REQUIRE(execute(self, sql) == FIRN_OK);
}

TEST(settings_temp_directory_takes_effect_for_later_statements) {
    scene here;
    open_scene(&here);
    const test_folder first = test_folder_open("temp_first");
    const test_folder second = test_folder_open("temp_second");
    set_folder(&here, first.path);
    CHECK(execute(&here, SPILLING) == FIRN_OK);
    set_folder(&here, second.path);
    CHECK(execute(&here, SPILLING) == FIRN_OK);
    test_folder_close(&second);
    CHECK(execute(&here, SPILLING) == FIRN_IO || here.err.status == FIRN_NOT_FOUND);
    CHECK(strstr(here.err.text, second.path) != NULL);
    set_folder(&here, first.path); // Its area is there still.
    CHECK(execute(&here, SPILLING) == FIRN_OK);
    test_folder_close(&first);
    close_scene(&here);
}

TEST(settings_temp_directory_must_be_a_folder) {
    scene here;
    open_scene(&here);
    CHECK(execute(&here, "SET temp_directory = '/there/is/none'") == FIRN_INVALID);
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
    close_scene(&here);
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
    open_scene(&here);
    char threads[16];
    char memory[64];
    check_value(&here, "threads", "1");
    check_value(&here, "memory_limit", "24MB");
    CHECK(execute(&here, "RESET ALL") == FIRN_OK);
    (void)snprintf(threads, sizeof threads, "%u", host_cpu_count());
    check_value(&here, "threads", threads);
    size_t size = sizeof memory;
    CHECK(firn_session_get(here.session, "memory_limit", memory, &size, &here.err) == FIRN_OK);
    CHECK(strstr(memory, "MB") != NULL && strchr(memory, '%') == NULL);
    CHECK(firn_engine_set(here.engine, "memory_limit", memory, &here.err) == FIRN_OK);
    check_value(&here, "search_path", "main");
    close_scene(&here);
}

TEST(settings_another_session_sees_what_belongs_to_the_engine) {
    scene here;
    open_scene(&here);
    firn_session *other = NULL;
    REQUIRE(firn_session_open(here.engine, &other, &here.err) == FIRN_OK);
    CHECK(execute(&here, "SET memory_limit = '32MB'") == FIRN_OK);
    char value[SETTING_TEXT_MAX];
    size_t size = sizeof value;
    CHECK(firn_session_get(other, "memory_limit", value, &size, &here.err) == FIRN_OK);
    CHECK(strcmp(value, "32MB") == 0);
    firn_session_close(other);
    close_scene(&here);
}
