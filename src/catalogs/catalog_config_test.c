#include "catalogs/catalog_config.h"

#include "io/test_folder.h"

static firn_error err = FIRN_ERROR_INIT;

static char config_path[300];

static const char *variable(const char *name) {
    if (strcmp(name, "FIRN_CONFIG") == 0) {
        return config_path[0] == '\0' ? NULL : config_path;
    }
    if (strcmp(name, "FIRN_CATALOG__WRONG__READ_ONLY") == 0) {
        return "perhaps";
    }
    if (strcmp(name, "FIRN_CATALOG__REST__CATALOG_NAME") == 0) {
        return "hunter22";
    }
    if (strcmp(name, "FIRN_CATALOG__MY_LAKE__TOKEN") == 0) {
        return "of the environment";
    }
    return strcmp(name, "FIRN_CATALOG__MY_LAKE__SCOPE") == 0 ? "everything" : NULL;
}

static const char *const variables[] = {"PATH=/bin", "FIRN_CATALOG__LAKE__TOKN=hunter22",
                                        "FIRN_CATALOG__NOBODY__ELSE__TOKN=hunter22",
                                        "FIRN_CATALOG__MY_LAKE__TOKEN=of the environment"};

static const char *variable_at(size_t index) {
    return index < sizeof variables / sizeof *variables ? variables[index] : NULL;
}

static const char *no_variable_at(size_t index) {
    (void)index;
    return NULL;
}

static const char *(*environment_at)(size_t index) = no_variable_at;

typedef struct setting {
    test_folder folder;
    io *files;
    arena memory;
} setting;

static setting set_up(const char *file) {
    setting s = {.folder = test_folder_open("config"), .memory = arena_open((size_t)1 << 20)};
    CHECK(io_open(&(io_options){.has_thread = false}, &s.files, &err) == FIRN_OK);
    config_path[0] = '\0';
    if (file != NULL) {
        (void)snprintf(config_path, sizeof config_path, "%s/firn.ini", s.folder.path);
        const bytes content = {.data = (const uint8_t *)file, .size = strlen(file)};
        CHECK(io_put_if_absent(s.files, text_of(config_path), content, &err) == FIRN_OK);
    }
    return s;
}

static void tear_down(setting *s) {
    io_close(s->files);
    arena_close(&s->memory);
    test_folder_close(&s->folder);
}

static firn_status add(setting *s, const char *alias, option_list given, option_list *out) {
    const catalog_config config = {.files = s->files,
                                   .environment = variable,
                                   .environment_at = environment_at,
                                   .kind = CATALOG_REST};
    return catalog_config_add(&config, text_of(alias), given, &s->memory, out, &err);
}

static const char *value_of(const option_list *list, const char *key) {
    for (size_t i = 0; i < list->count; i++) {
        if (text_equal_nocase(text_of(list->items[i].key), text_of(key))) {
            return list->items[i].value;
        }
    }
    return "none";
}

TEST(catalog_config_takes_sql_before_the_environment_before_the_file) {
    setting s = set_up("# all catalogs\r\n"
                       "[other]\n token = no\n"
                       "; ours\n"
                       "[ My-Lake ]\r\n"
                       "token = of the file\n  credential=id:se=cret \r\n\n"
                       "warehouse = w\n"
                       "[]\nscope=no");
    option_list out;
    firn_option given = {"WAREHOUSE", "written"};
    REQUIRE(add(&s, "my-lake", (option_list){1, &given}, &out) == FIRN_OK);
    CHECK(out.count == 4);
    CHECK(strcmp(value_of(&out, "warehouse"), "written") == 0);
    CHECK(strcmp(value_of(&out, "token"), "of the environment") == 0);
    CHECK(strcmp(value_of(&out, "credential"), "id:se=cret") == 0);
    CHECK(strcmp(value_of(&out, "scope"), "everything") == 0);
    REQUIRE(add(&s, "nobody", (option_list){0, NULL}, &out) == FIRN_OK);
    CHECK(out.count == 0);
    tear_down(&s);
}

TEST(catalog_config_needs_neither_file_nor_environment) {
    setting s = set_up(NULL);
    option_list out;
    REQUIRE(add(&s, "lake", (option_list){0, NULL}, &out) == FIRN_OK);
    CHECK(out.count == 0);
    tear_down(&s);
}

TEST(catalog_config_names_the_variable_that_is_wrong) {
    setting s = set_up(NULL);
    option_list out;
    CHECK(add(&s, "wrong", (option_list){0, NULL}, &out) == FIRN_INVALID);
    CHECK(strstr(err.text, "FIRN_CATALOG__WRONG__READ_ONLY") != NULL);
    CHECK(add(&s, "rest", (option_list){0, NULL}, &out) == FIRN_INVALID);
    CHECK(strstr(err.text, "CATALOG_NAME is for SQLite catalogs only") != NULL);
    CHECK(strstr(err.text, "FIRN_CATALOG__REST__CATALOG_NAME") != NULL);
    CHECK(strstr(err.text, "hunter22") == NULL);
    tear_down(&s);
}

TEST(catalog_config_refuses_a_variable_that_names_no_option) {
    setting s = set_up(NULL);
    option_list out;
    environment_at = variable_at;
    CHECK(add(&s, "lake", (option_list){0, NULL}, &out) == FIRN_INVALID);
    CHECK(strstr(err.text, "FIRN_CATALOG__LAKE__TOKN names no option") != NULL);
    CHECK(strstr(err.hint, "did you mean \"TOKEN\"?") != NULL);
    CHECK(strstr(err.text, "hunter22") == NULL && strstr(err.hint, "hunter22") == NULL);
    CHECK(add(&s, "nobody", (option_list){0, NULL}, &out) == FIRN_OK);
    CHECK(add(&s, "my-lake", (option_list){0, NULL}, &out) == FIRN_OK);
    environment_at = no_variable_at;
    tear_down(&s);
}

TEST(catalog_config_names_the_line_and_not_what_it_says) {
    static const char *const files[] = {"\n\nhunter22\n",
                                        "[lake]\n\n=hunter22",
                                        "\n\n[hunter22\n",
                                        "[lake]\n\nuri = hunter22\n",
                                        "[lake]\n\ncatalog_name = hunter22\n",
                                        "[lake]\n\nread_only = hunter\n"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        setting s = set_up(files[i]);
        option_list out;
        CHECK(add(&s, "lake", (option_list){0, NULL}, &out) == FIRN_INVALID);
        CHECK(strstr(err.text, "line 3") != NULL && strstr(err.text, "firn.ini") != NULL);
        CHECK(strstr(err.text, "FIRN_CONFIG") != NULL);
        CHECK(strstr(err.text, "hunter22") == NULL);
        tear_down(&s);
    }
    setting s = set_up(NULL);
    option_list out;
    (void)snprintf(config_path, sizeof config_path, "%s/none.ini", s.folder.path);
    CHECK(add(&s, "lake", (option_list){0, NULL}, &out) == FIRN_NOT_FOUND);
    CHECK(strstr(err.text, "FIRN_CONFIG") != NULL);
    tear_down(&s);
}
