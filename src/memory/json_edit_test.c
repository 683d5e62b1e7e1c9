// Edited trees print as they should, and what they came from prints as before.
#include "memory/json_edit.h"

#include <string.h>

#include "base/test.h"

static const json_node *tree_of(const char *json, arena *memory) {
    const json_node *out = NULL;
    firn_error err = ERR_INIT;
    const bytes input = {.data = (const uint8_t *)json, .size = strlen(json)};
    CHECK(json_tree_read(memory, input, &out, &err) == FIRN_OK);
    return out;
}

static bool prints(const json_node *node, const char *wanted, arena *memory) {
    text_builder out = text_builder_open(memory);
    json_writer json = json_writer_into(&out, 0);
    json_write_node(&json, node);
    json_writer_finish(&json);
    return text_equal((text){.data = out.data, .size = out.size}, text_of(wanted));
}

static bool is_even(void *user, const json_node *element) {
    int64_t value = 0;
    firn_error ignored = ERR_INIT;
    (void)user;
    return json_as_i64(element, &value, &ignored) == FIRN_OK && value % 2 == 0;
}

TEST(json_edit_shares_what_it_does_not_change) {
    arena memory = arena_open(1 << 20);
    json_editor edit = {.memory = &memory};
    firn_error err = ERR_INIT;
    const char *old = "{\"a\":[1,{\"x\":1.50}],\"b\":{\"c\":null},\"a\":2,\"d\":[]}";
    const json_node *root = tree_of(old, &memory);
    const json_node *b = json_edit_member(&edit, json_find(root, "b"), TEXT("n"),
                                          json_edit_text(&edit, TEXT("t\n")));
    const json_node *made = json_edit_member(&edit, root, TEXT("b"), b);
    CHECK(prints(made,
                 "{\"a\":[1,{\"x\":1.50}],\"b\":{\"c\":null,\"n\":\"t\\n\"},\"a\":2,\"d\":[]}",
                 &memory));
    made = json_edit_member(&edit, made, TEXT("a"), json_edit_i64(&edit, -7));
    made = json_edit_member(&edit, made, TEXT("e"), json_edit_object(&edit));
    made = json_edit_member(&edit, made, TEXT("d"), NULL);
    CHECK(prints(made, "{\"a\":-7,\"b\":{\"c\":null,\"n\":\"t\\n\"},\"e\":{}}", &memory));
    CHECK(prints(root, old, &memory));
    CHECK(json_edit_check(&edit, &err) == FIRN_OK);
    arena_close(&memory);
}

TEST(json_edit_changes_lists) {
    arena memory = arena_open(1 << 20);
    json_editor edit = {.memory = &memory};
    const json_node *list = tree_of("[1,2,3,4]", &memory);
    CHECK(prints(json_edit_append(&edit, list, json_edit_array(&edit)), "[1,2,3,4,[]]", &memory));
    CHECK(prints(json_edit_append(&edit, NULL, list), "[[1,2,3,4]]", &memory));
    CHECK(prints(json_edit_keep(&edit, list, is_even, NULL), "[2,4]", &memory));
    CHECK(prints(list, "[1,2,3,4]", &memory));
    arena_close(&memory);
}

TEST(json_nodes_are_equal_in_any_order_of_members) {
    static const struct {
        const char *left;
        const char *right;
        bool are_equal;
    } rows[] = {
        {"{\"a\":1,\"b\":[2]}", "{\"b\":[2],\"a\":1}", true},
        {"{\"a\":1,\"a\":2}", "{\"a\":3,\"a\":2}", true},
        {"{\"a\":1,\"a\":2}", "{\"a\":2,\"b\":1}", false},
        {"{\"a\":2}", "{\"a\":1,\"a\":2}", true},
        {"[1,2]", "[2,1]", false},
        {"{\"a\":1}", "{\"b\":1}", false},
        {"1", "1.0", false},
        {"\"1\"", "1", false},
    };
    arena memory = arena_open(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK(json_nodes_equal(tree_of(rows[i].left, &memory), tree_of(rows[i].right, &memory)) ==
              rows[i].are_equal);
    }
    arena_close(&memory);
}

TEST(json_nodes_with_keys_twice_are_compared_once_a_level) {
    enum { DEPTH = 60 };
    static const char level[] = "{\"a\":1,\"a\":";
    char content[DEPTH * sizeof level + DEPTH + 2];
    size_t size = 0;
    for (size_t i = 0; i < DEPTH; i++) {
        memcpy(content + size, level, sizeof level - 1);
        size += sizeof level - 1;
    }
    content[size++] = '2';
    memset(content + size, '}', DEPTH);
    content[size + DEPTH] = '\0';
    arena memory = arena_open(1 << 20);
    CHECK(json_nodes_equal(tree_of(content, &memory), tree_of(content, &memory)));
    arena_close(&memory);
}

TEST(json_edit_remembers_that_memory_is_full) {
    arena memory = arena_open(1 << 20);
    arena small = arena_open(1);
    json_editor edit = {.memory = &small};
    firn_error err = ERR_INIT;
    const json_node *root = tree_of("{\"a\":1}", &memory);
    (void)json_edit_member(&edit, root, TEXT("a"), json_edit_i64(&edit, 2));
    CHECK(json_edit_check(&edit, &err) == FIRN_NO_MEMORY);
    arena_close(&small);
    arena_close(&memory);
}
