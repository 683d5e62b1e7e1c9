#include "tables/iceberg/iceberg_view_write.h"

#include "base/test.h"
#include "memory/json_tree.h"
#include "tables/iceberg/iceberg_view.h"

static firn_error err = FIRN_ERROR_INIT;

#define MEMORY ((size_t)4 << 20)
#define WORD(written) {.data = (written), .size = sizeof(written) - 1}

static text levels[] = {WORD("db"), WORD("in.ner")};
static const field one[] = {{.name = WORD("a"), .type = TYPE_OF(INTEGER), .id = -1}};
static const field two[] = {{.name = WORD("a"), .type = TYPE_OF(TINYINT), .id = -1},
                            {.name = WORD("b"), .type = TYPE_OF(VARCHAR), .id = -1}};

static new_view view_of(const char *sql, bool is_wide) {
    return (new_view){
        .as = {.sql = text_of(sql), .space = {.count = 2, .items = levels}},
        .columns = {.count = is_wide ? 2 : 1, .fields = is_wide ? two : one},
        .version = TEXT("1"),
    };
}

static int64_t number(const json_node *object, const char *key) {
    int64_t found = -99;
    (void)json_get_i64(object, key, &found, &err);
    return found;
}

static uint32_t count_of(const json_node *object, const char *key) {
    const json_node *list = json_find(object, key);
    return list == NULL ? UINT32_MAX : list->count;
}

// The metadata after a view has been replaced by those of these queries, one after the other.
static text replaced(text metadata, const char *const *queries, size_t count, arena *memory,
                     ice_view_change *last) {
    for (size_t i = 0; i < count; i++) {
        const new_view next = view_of(queries[i], false);
        CHECK(ice_view_replace(&next, bytes_of_text(metadata), memory, last, &err) == FIRN_OK);
        metadata = last->metadata;
    }
    return metadata;
}

static const json_node *tree(text json, arena *memory) {
    const json_node *root = NULL;
    CHECK(json_tree_read(memory, bytes_of_text(json), &root, &err) == FIRN_OK);
    return root;
}

TEST(iceberg_view_write_makes_what_is_read) {
    arena memory = arena_open(MEMORY);
    new_view wanted = view_of("SELECT 'ä' AS a, 1 AS b", true);
    const firn_option owner = {.key = "owner", .value = "me"};
    text metadata;
    view_definition *read;
    wanted.as.property_count = 1;
    wanted.as.properties = &owner;
    wanted.as.comment = TEXT("of tests");
    REQUIRE(ice_view_first(&wanted, TEXT("/w/v"), &memory, &metadata, &err) == FIRN_OK);
    REQUIRE(ice_view_read(bytes_of_text(metadata), TEXT("lake"), &memory, &read, &err) == FIRN_OK);
    CHECK(text_equal(read->sql, wanted.as.sql) && read->dialect.size == 0);
    CHECK(text_equal(read->catalog, TEXT("lake")));
    REQUIRE(read->columns.count == 2 && read->space.count == 2);
    CHECK(text_equal(read->columns.items[1], TEXT("b")));
    CHECK(text_equal(read->space.items[1], TEXT("in.ner")));
    const json_node *root = tree(metadata, &memory);
    const json_node *properties = json_find(root, "properties");
    CHECK(number(root, "format-version") == 1 && number(root, "current-version-id") == 1);
    CHECK(text_equal(json_find(properties, "owner")->value, TEXT("me")));
    CHECK(text_equal(json_find(properties, "comment")->value, TEXT("of tests")));
    CHECK(count_of(root, "version-log") == 1 && json_find(root, "view-uuid")->value.size == 36);
    arena_close(&memory);
}

TEST(iceberg_view_write_asks_a_server_for_the_same) {
    arena memory = arena_open(MEMORY);
    const new_view wanted = view_of("SELECT 1 AS a", false);
    text request;
    REQUIRE(ice_view_request(&wanted, TEXT("v"), &memory, &request, &err) == FIRN_OK);
    const json_node *root = tree(request, &memory);
    const json_node *version = json_find(root, "view-version");
    CHECK(text_equal(json_find(root, "name")->value, TEXT("v")));
    CHECK(number(version, "schema-id") == number(json_find(root, "schema"), "schema-id"));
    CHECK(count_of(version, "default-namespace") == 2);
    CHECK(json_find(version, "default-catalog") == NULL);
    arena_close(&memory);
}

TEST(iceberg_view_write_adds_versions_and_finds_equal_ones) {
    arena memory = arena_open(MEMORY);
    new_view wanted = view_of("SELECT 1 AS a", false);
    ice_view_change change;
    text metadata;
    REQUIRE(ice_view_first(&wanted, TEXT("/w/v"), &memory, &metadata, &err) == FIRN_OK);
    // The same again: nothing is to be done.
    metadata = replaced(metadata, (const char *[]){"SELECT 1 AS a"}, 1, &memory, &change);
    CHECK(text_equal(change.updates, TEXT("[]")));
    CHECK(count_of(tree(metadata, &memory), "version-log") == 1);
    // Another query of the same columns.
    metadata = replaced(metadata, (const char *[]){"SELECT 2 AS a"}, 1, &memory, &change);
    const json_node *updates = tree(change.updates, &memory);
    REQUIRE(updates->count == 2);
    CHECK(text_equal(json_find(updates->first, "action")->value, TEXT("add-view-version")));
    CHECK(number(updates->first->next, "view-version-id") == -1);
    const json_node *root = tree(metadata, &memory);
    CHECK(count_of(root, "schemas") == 1 && number(root, "current-version-id") == 2);
    // The first one again.
    metadata = replaced(metadata, (const char *[]){"SELECT 1 AS a"}, 1, &memory, &change);
    updates = tree(change.updates, &memory);
    CHECK(updates->count == 1 && number(updates->first, "view-version-id") == 1);
    root = tree(metadata, &memory);
    CHECK(count_of(root, "versions") == 2 && count_of(root, "version-log") == 3);
    // Other columns.
    wanted = view_of("SELECT 1 AS a, 'x' AS b", true);
    REQUIRE(ice_view_replace(&wanted, bytes_of_text(metadata), &memory, &change, &err) == FIRN_OK);
    updates = tree(change.updates, &memory);
    REQUIRE(updates->count == 3);
    CHECK(number(json_find(updates->first, "schema"), "schema-id") == 1);
    CHECK(number(json_find(updates->first->next, "view-version"), "schema-id") == -1);
    root = tree(change.metadata, &memory);
    CHECK(count_of(root, "schemas") == 2 && number(root, "current-version-id") == 3);
    const json_node *requirement = tree(change.requirements, &memory)->first;
    CHECK(text_equal(json_find(requirement, "type")->value, TEXT("assert-view-uuid")));
    CHECK(text_equal(change.location, TEXT("/w/v")));
    arena_close(&memory);
}

TEST(iceberg_view_write_forgets_old_versions) {
    arena memory = arena_open(MEMORY);
    const firn_option two_of_them = {.key = "version.history.num-entries", .value = "2"};
    new_view wanted = view_of("SELECT 0 AS a", false);
    ice_view_change change;
    text metadata;
    wanted.as.property_count = 1;
    wanted.as.properties = &two_of_them;
    REQUIRE(ice_view_first(&wanted, TEXT("/w/v"), &memory, &metadata, &err) == FIRN_OK);
    const char *const queries[] = {"SELECT 1 AS a", "SELECT 2 AS a", "SELECT 1 AS a",
                                   "SELECT 3 AS a"};
    metadata = replaced(metadata, queries, 4, &memory, &change);
    const json_node *root = tree(metadata, &memory);
    // Version 2 went, and with it all that the log says before its last entry.
    CHECK(count_of(root, "versions") == 2 && count_of(root, "version-log") == 1);
    CHECK(number(root, "current-version-id") == 4);
    // Back to the older one, where only one is to be kept: it stays.
    const firn_option one_of_them = {.key = "version.history.num-entries", .value = "1"};
    view_definition *read;
    wanted = view_of("SELECT 1 AS a", false);
    wanted.as.property_count = 1;
    wanted.as.properties = &one_of_them;
    REQUIRE(ice_view_replace(&wanted, bytes_of_text(metadata), &memory, &change, &err) == FIRN_OK);
    REQUIRE(ice_view_read(bytes_of_text(change.metadata), TEXT("lake"), &memory, &read, &err) ==
            FIRN_OK);
    CHECK(text_equal(read->sql, wanted.as.sql));
    arena_close(&memory);
}

#define OTHERS(properties)                                                                         \
    "{\"view-uuid\":\"u\",\"format-version\":1,\"location\":\"/v\",\"current-version-id\":1,"      \
    "\"schemas\":[],\"versions\":[{\"version-id\":1,\"schema-id\":0,\"representations\":["         \
    "{\"type\":\"sql\",\"sql\":\"SELECT 1\",\"dialect\":\"spark\"}]}],\"properties\":{" properties \
    "}}"

TEST(iceberg_view_write_keeps_the_dialects_of_others) {
    static const struct {
        const char *metadata;
        firn_status status;
    } cases[] = {
        {OTHERS(""), FIRN_INVALID},
        {OTHERS("\"replace.drop-dialect.allowed\":\"false\""), FIRN_INVALID},
        {OTHERS("\"replace.drop-dialect.allowed\":\"true\""), FIRN_OK},
        {"{}", FIRN_CORRUPT},
        {"[]", FIRN_CORRUPT},
        {"{\"view-uuid\":\"u\",\"location\":\"/v\",\"current-version-id\":3,\"versions\":[]}",
         FIRN_CORRUPT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arena memory = arena_open(MEMORY);
        const new_view wanted = view_of("SELECT 1 AS a", false);
        ice_view_change change;
        const firn_status status = ice_view_replace(
            &wanted, bytes_of_text(text_of(cases[i].metadata)), &memory, &change, &err);
        CHECK(status == cases[i].status);
        arena_close(&memory);
    }
}

// ---- Properties --------------------------------------------------------------------------------

static const firn_option set_two[] = {{"owner", "you"}, {"new", "\"1\""}};
static const char *const removed_two[] = {"comment", "none"};

TEST(iceberg_view_write_changes_properties_and_no_version) {
    arena memory = arena_open(MEMORY);
    new_view wanted = view_of("SELECT 1 AS a", false);
    const firn_option owner = {.key = "owner", .value = "me"};
    ice_view_change change;
    view_definition *read;
    text metadata;
    wanted.as.property_count = 1;
    wanted.as.properties = &owner;
    wanted.as.comment = TEXT("of tests");
    REQUIRE(ice_view_first(&wanted, TEXT("/w/v"), &memory, &metadata, &err) == FIRN_OK);
    property_change asked = {
        .set_count = 2, .set = set_two, .removed_count = 2, .removed = removed_two};
    REQUIRE(ice_view_change_properties(&asked, bytes_of_text(metadata), &memory, &change, &err) ==
            FIRN_OK);
    CHECK(!change.is_empty && text_equal(change.location, TEXT("/w/v")));
    CHECK(text_equal(change.updates,
                     TEXT("[{\"action\":\"set-properties\",\"updates\":{\"owner\":\"you\",\"new\":"
                          "\"\\\"1\\\"\"}},{\"action\":\"remove-properties\",\"removals\":["
                          "\"comment\"]}]")));
    const json_node *requirement = tree(change.requirements, &memory)->first;
    CHECK(text_equal(json_find(requirement, "uuid")->value,
                     json_find(tree(metadata, &memory), "view-uuid")->value));
    const json_node *root = tree(change.metadata, &memory);
    CHECK(count_of(root, "versions") == 1 && count_of(root, "version-log") == 1);
    CHECK(count_of(root, "properties") == 2);
    REQUIRE(ice_view_read(bytes_of_text(change.metadata), TEXT("lake"), &memory, &read, &err) ==
            FIRN_OK);
    CHECK(text_equal(read->sql, wanted.as.sql) && read->comment.size == 0);
    REQUIRE(read->property_count == 2);
    CHECK(strcmp(read->properties[1].key, "new") == 0);
    CHECK(strcmp(read->properties[1].value, "\"1\"") == 0);
    // Of what is not there nothing is to be done.
    asked = (property_change){.removed_count = 2, .removed = removed_two};
    REQUIRE(ice_view_change_properties(&asked, bytes_of_text(change.metadata), &memory, &change,
                                       &err) == FIRN_OK);
    CHECK(change.is_empty && text_equal(change.updates, TEXT("[]")));
    arena_close(&memory);
}

TEST(iceberg_view_write_refuses_properties_as_spark_does) {
    static const char *const near[] = {"ownr"};
    static const char *const far[] = {"none"};
    static const char *const reserved[] = {"spark.query-column-names"};
    static const firn_option place = {"location", "/x"};
    static const firn_option none_kept = {"version.history.num-entries", "0"};
    static const firn_option no_number = {"version.history.num-entries", "ten"};
    static const struct {
        property_change asked;
        const char *said;
        const char *hint;
    } cases[] = {
        {{.removed_count = 1, .removed = near, .must_be_there = true},
         "the view has no property \"ownr\"",
         "did you mean \"owner\"?"},
        {{.removed_count = 1, .removed = far, .must_be_there = true},
         "the view has no property \"none\"",
         "UNSET TBLPROPERTIES IF EXISTS passes over those that are not there"},
        {{.removed_count = 1, .removed = reserved}, "\"spark.query-column-names\" is reserved", ""},
        {{.set_count = 1, .set = &place}, "the property \"location\" is reserved", ""},
        {{.set_count = 1, .set = &none_kept}, "is \"0\", 1 to 2147483647 is allowed", ""},
        {{.set_count = 1, .set = &no_number}, "is \"ten\", 1 to 2147483647 is allowed", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arena memory = arena_open(MEMORY);
        firn_error told = FIRN_ERROR_INIT;
        ice_view_change change;
        const bytes old = bytes_of_text(TEXT(OTHERS("\"owner\":\"me\"")));
        CHECK(ice_view_change_properties(&cases[i].asked, old, &memory, &change, &told) ==
              FIRN_INVALID);
        CHECK(strcmp(told.sqlstate, "22023") == 0);
        CHECK(strstr(told.text, cases[i].said) != NULL && strcmp(told.hint, cases[i].hint) == 0);
        // Nor does a new view have them.
        new_view wanted = view_of("SELECT 1 AS a", false);
        text out;
        wanted.as.property_count = cases[i].asked.set_count;
        wanted.as.properties = cases[i].asked.set;
        CHECK((ice_view_first(&wanted, TEXT("/w/v"), &memory, &out, &told) == FIRN_OK) ==
              (cases[i].asked.set_count == 0));
        arena_close(&memory);
    }
}
