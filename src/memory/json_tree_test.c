#include "memory/json_tree.h"

#include <string.h>

#include "base/test.h"

static firn_status read_tree(arena *memory, text input, const json_node **out, firn_error *err) {
    return json_tree_read(memory, bytes_of_text(input), out, err);
}

static const char sample[] =
    "{\"format-version\": 2, \"table-uuid\": \"a\\u00e4\", \"big\": 9007199254740993,"
    "\"schemas\": [{\"schema-id\": 0, \"fields\": []},"
    " {\"schema-id\": 1, \"fields\": [{\"id\": 1}, {\"id\": \"x\"}]}],"
    "\"ratio\": 0.5, \"on\": true, \"off\": false, \"none\": null,"
    "\"twice\": 1, \"twice\": 2, \"wide\": 4294967296}";

TEST(json_tree_finds_members_and_keeps_the_order) {
    arena memory = arena_open((size_t)1 << 20);
    firn_error err = ERR_INIT;
    const json_node *root;
    REQUIRE(read_tree(&memory, text_of(sample), &root, &err) == FIRN_OK);
    CHECK(root->kind == JSON_OBJECT && root->count == 11 && root->parent == NULL);
    int64_t whole = 0;
    int32_t narrow = 0;
    double number = 0;
    bool flag = false;
    text words = {0};
    const json_node *schemas;
    CHECK(json_get_i64(root, "big", &whole, &err) == FIRN_OK && whole == 9007199254740993);
    CHECK(json_get_i64(root, "twice", &whole, &err) == FIRN_OK && whole == 2);
    CHECK(json_get_i32(root, "format-version", &narrow, &err) == FIRN_OK && narrow == 2);
    CHECK(json_get_f64(root, "ratio", &number, &err) == FIRN_OK && number == 0.5);
    CHECK(json_get_bool(root, "on", &flag, &err) == FIRN_OK && flag);
    CHECK(json_get_bool(root, "off", &flag, &err) == FIRN_OK && !flag);
    CHECK(json_get_text(root, "table-uuid", &words, &err) == FIRN_OK);
    CHECK(text_equal(words, TEXT("a\xc3\xa4")));
    REQUIRE(json_get_array(root, "schemas", &schemas, &err) == FIRN_OK && schemas->count == 2);
    int32_t expected = 0;
    for (const json_node *schema = schemas->first; schema != NULL; schema = schema->next) {
        CHECK(json_as_object(schema, &err) == FIRN_OK && schema->parent == schemas);
        CHECK(json_get_i32(schema, "schema-id", &narrow, &err) == FIRN_OK && narrow == expected);
        expected += 1;
    }
    CHECK(json_find(schemas, "schema-id") == NULL && json_find(root, "nothing") == NULL);
    arena_close(&memory);
}

TEST(json_tree_finds_elements_by_their_numbers) {
    arena memory = arena_open(1 << 16);
    firn_error err = FIRN_ERROR_INIT;
    const json_node *root = NULL;
    const text list =
        TEXT("[{\"id\":1},7,{\"id\":\"3\"},{\"no\":3},{\"id\":3,\"first\":1},{\"id\":3}]");
    CHECK(json_tree_read(&memory, bytes_of_text(list), &root, &err) == FIRN_OK);
    const json_node *found = json_find_numbered(root, "id", 3);
    CHECK(found != NULL && json_find(found, "first") != NULL);
    CHECK(json_find_numbered(root, "id", 1) == root->first);
    CHECK(json_find_numbered(root, "id", 7) == NULL);
    CHECK(json_find_numbered(NULL, "id", 1) == NULL);
    arena_close(&memory);
}

TEST(json_tree_optional_members_leave_what_was_there) {
    arena memory = arena_open((size_t)1 << 20);
    firn_error err = ERR_INIT;
    const json_node *root;
    REQUIRE(read_tree(&memory, text_of(sample), &root, &err) == FIRN_OK);
    int64_t whole = 7;
    int32_t narrow = 8;
    double number = 9;
    bool flag = true;
    text words = TEXT("before");
    const json_node *node = NULL;
    CHECK(json_want_i64(root, "nothing", &whole, &err) == FIRN_OK && whole == 7);
    CHECK(json_want_i64(root, "none", &whole, &err) == FIRN_OK && whole == 7);
    CHECK(json_want_i64(root, "twice", &whole, &err) == FIRN_OK && whole == 2);
    CHECK(json_want_i32(root, "none", &narrow, &err) == FIRN_OK && narrow == 8);
    CHECK(json_want_f64(root, "nothing", &number, &err) == FIRN_OK && number == 9);
    CHECK(json_want_bool(root, "none", &flag, &err) == FIRN_OK && flag);
    CHECK(json_want_text(root, "none", &words, &err) == FIRN_OK);
    CHECK(text_equal(words, TEXT("before")));
    CHECK(json_want_object(root, "nothing", &node, &err) == FIRN_OK && node == NULL);
    CHECK(json_want_array(root, "none", &node, &err) == FIRN_OK && node == NULL);
    CHECK(json_want_array(root, "big", &node, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "\"big\" is 9007199254740993, an array is required") != NULL);
    arena_close(&memory);
}

TEST(json_tree_messages_name_the_path) {
    arena memory = arena_open((size_t)1 << 20);
    firn_error err = ERR_INIT;
    const json_node *root;
    REQUIRE(read_tree(&memory, text_of(sample), &root, &err) == FIRN_OK);
    int64_t whole = 0;
    int32_t narrow = 0;
    double number = 0;
    bool flag = false;
    text words = {0};
    const json_node *node;
    const json_node *fields;
    CHECK(json_get_i64(root, "current-schema-id", &whole, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "missing \"current-schema-id\"") != NULL);
    CHECK(json_get_object(root, "schemas", &node, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "\"schemas\" is an array, an object is required") != NULL);
    CHECK(json_get_i64(root, "ratio", &whole, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "\"ratio\" is 0.5, a whole number is required") != NULL);
    CHECK(json_get_i32(root, "wide", &narrow, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "\"wide\" is 4294967296, a number of 32 bits is required") != NULL);
    CHECK(json_get_text(root, "none", &words, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "\"none\" is null, a string is required") != NULL);
    CHECK(json_get_bool(root, "ratio", &flag, &err) == FIRN_CORRUPT);
    CHECK(json_get_f64(root, "on", &number, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "\"on\" is true, a number in the range of doubles") != NULL);
    REQUIRE(json_get_array(root, "schemas", &node, &err) == FIRN_OK);
    REQUIRE(json_get_array(node->first->next, "fields", &fields, &err) == FIRN_OK);
    CHECK(json_get_i64(fields->first->next, "id", &whole, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "\"schemas[1].fields[1].id\" is a string") != NULL);
    CHECK(json_get_i64(fields->first, "name", &whole, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "missing \"schemas[1].fields[0].name\"") != NULL);
    CHECK(json_get_i64(fields, "name", &whole, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "\"schemas[1].fields\" is an array, an object with \"name\"") != NULL);
    CHECK(json_node_fail(fields, &err, "has %d members, at most %d are allowed", 2, 1) ==
          FIRN_CORRUPT);
    CHECK(strstr(err.text, "\"schemas[1].fields\" has 2 members, at most 1") != NULL);
    CHECK(json_as_array(root, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "the document is an object, an array is required") != NULL);
    arena_close(&memory);
}

TEST(json_tree_is_written_again_as_it_was_read) {
    static const char *const documents[] = {
        "1.50",
        "\"a\\nb\"",
        "[]",
        "{}",
        "[[],{},[1,[2,[3]],4],null]",
        "{\"a\":{\"b\":[true,false]},\"c\":[{\"d\":\"\"},{}],\"e\":1e5}"};
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        arena memory = arena_open((size_t)1 << 20);
        firn_error err = ERR_INIT;
        const json_node *root;
        text written = {0};
        REQUIRE(read_tree(&memory, text_of(documents[i]), &root, &err) == FIRN_OK);
        text_builder builder = text_builder_open(&memory);
        json_writer out = json_writer_into(&builder, 0);
        json_write_node(&out, root);
        json_writer_finish(&out);
        REQUIRE(text_builder_finish(&builder, &written, &err) == FIRN_OK);
        CHECK(text_equal(written, text_of(documents[i])));
        arena_close(&memory);
    }
}

TEST(json_tree_reports_bad_documents_and_full_arenas) {
    arena memory = arena_open((size_t)1 << 20);
    firn_error err = ERR_INIT;
    const json_node *root;
    CHECK(read_tree(&memory, TEXT("{\"a\":[1,2}"), &root, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "line 1, column 10") != NULL);
    CHECK(read_tree(&memory, TEXT(""), &root, &err) == FIRN_CORRUPT);
    arena_close(&memory);
    memory = arena_open(10);
    CHECK(read_tree(&memory, TEXT("[1]"), &root, &err) == FIRN_NO_MEMORY);
    arena_close(&memory);
}

TEST(json_tree_paths_of_great_depth_are_cut) {
    arena memory = arena_open((size_t)1 << 20);
    firn_error err = ERR_INIT;
    const json_node *node;
    char input[201];
    memset(input, '[', 100);
    memset(input + 100, ']', 100);
    REQUIRE(read_tree(&memory, (text){.data = input, .size = 200}, &node, &err) == FIRN_OK);
    while (node->first != NULL) {
        node = node->first;
    }
    CHECK(json_as_object(node, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "\"...[0][0]") != NULL);
    arena_close(&memory);
}

// What a reader of `{"keep": …, "list": […]}` gathers.
typedef struct gathered {
    int64_t sum;
    uint32_t count;
} gathered;

static bool wants_keep_and_list(void *user, const json_node *object, text key, json_kind kind) {
    (void)user;
    return object->parent != NULL || text_equal(key, TEXT("keep")) ||
           (text_equal(key, TEXT("list")) && kind == JSON_ARRAY);
}

static bool is_the_list(void *user, const json_node *array) {
    (void)user;
    return array->parent != NULL && text_equal(array->key, TEXT("list"));
}

static firn_status add_element(void *user, const json_node *node, firn_error *err) {
    gathered *self = user;
    int64_t value = 0;
    TRY(json_get_i64(node, "n", &value, err));
    self->sum += value;
    self->count++;
    return FIRN_OK;
}

static firn_status read_parts(arena *memory, text input, gathered *all, const json_node **out,
                              firn_error *err) {
    const json_tree_parts parts = {.user = all,
                                   .wants = wants_keep_and_list,
                                   .is_streamed = is_the_list,
                                   .element = add_element};
    const bytes document = {.data = (const uint8_t *)input.data, .size = input.size};
    return json_tree_read_parts(memory, document, &parts, out, err);
}

TEST(json_tree_holds_the_parts_that_are_wanted_and_streams_arrays) {
    arena memory = arena_open((size_t)1 << 20);
    firn_error err = ERR_INIT;
    const json_node *root;
    gathered all = {.count = 0};
    REQUIRE(read_parts(&memory,
                       TEXT("{\"drop\\u0041\":{\"a\":[1,{}]},\"keep\":{\"x\":[1,[2]]},\"drop\":7,"
                            "\"list\":[{\"n\":1},{\"n\":20,\"m\":[[]]},{\"n\":300}]}"),
                       &all, &root, &err) == FIRN_OK);
    CHECK(all.count == 3 && all.sum == 321);
    CHECK(root->count == 2 && json_find(root, "keep")->first->count == 2);
    CHECK(json_find(root, "list")->count == 3 && json_find(root, "list")->first == NULL);
    CHECK(json_find(root, "drop") == NULL && json_find(root, "dropA") == NULL);

    // An element's place is known although those before it are gone.
    CHECK(read_parts(&memory, TEXT("{\"list\":[{\"n\":1},{\"n\":2},{\"n\":\"3\"}]}"), &all, &root,
                     &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "\"list[2].n\" is a string") != NULL);
    arena_close(&memory);
}

TEST(json_tree_of_a_streamed_array_takes_no_more_than_one_element) {
    enum { ELEMENTS = 20000 };
    arena input = arena_open((size_t)1 << 20);
    arena memory = arena_open((size_t)16 << 10);
    firn_error err = ERR_INIT;
    text_builder builder = text_builder_open(&input);
    text_append(&builder, TEXT("{\"list\":["));
    for (int i = 0; i < ELEMENTS; i++) {
        text_append(&builder, i == 0 ? TEXT("{\"n\":2}") : TEXT(",{\"n\":2}"));
    }
    text_append(&builder, TEXT("]}"));
    text document;
    REQUIRE(text_builder_finish(&builder, &document, &err) == FIRN_OK);
    const json_node *root;
    gathered all = {.count = 0};
    CHECK(read_parts(&memory, document, &all, &root, &err) == FIRN_OK);
    CHECK(all.count == ELEMENTS && all.sum == 2 * ELEMENTS);
    arena_close(&memory);
    arena_close(&input);
}
