#include "formats/parquet/pq_schema.h"

#include <string.h>

#include "base/test.h"

// Schema elements, short: name, repetition, then what it is.
#define NAMED(n) .name = {.data = (const uint8_t *)(n), .size = sizeof(n) - 1}
#define LEAF(n, r, t) {.present = 0x1a, NAMED(n), .repetition = (r), .type = (t)}
#define GROUP(n, r, c) {.present = 0x38, NAMED(n), .repetition = (r), .child_count = (c)}
#define LIST(n, r)                                                                                 \
    {.present = 0x78,                                                                              \
     NAMED(n),                                                                                     \
     .repetition = (r),                                                                            \
     .child_count = 1,                                                                             \
     .converted_type = PQ_CONVERTED_LIST}
#define MAP(n, r, converted)                                                                       \
    {.present = 0x78, NAMED(n), .repetition = (r), .child_count = 1, .converted_type = (converted)}
#define ROOT(c) {.present = 0x30, NAMED("schema"), .child_count = (c)}

// The tree as text: leaf `name`, list `name[...]`, map `name<...>`, struct `name{...}`; each with
// its levels `definition.repetition`, lists and maps with `/element_definition`, `?` for nullable.
static void print_node(const pq_node *node, char *out, size_t size) {
    const char *const brackets[] = {"", "{}", "[]", "<>"};
    const size_t at = strlen(out);
    (void)snprintf(out + at, size - at, "%.*s%s%u.%u", TEXT_ARGS(node->name),
                   node->is_nullable ? "?" : " ", node->definition, node->repetition);
    if (node->element_definition > 0) {
        (void)snprintf(out + strlen(out), size - strlen(out), "/%u", node->element_definition);
    }
    if (node->kind == PQ_NODE_LEAF) {
        return;
    }
    (void)snprintf(out + strlen(out), size - strlen(out), "%c", brackets[node->kind][0]);
    for (size_t i = 0; i < node->child_count; i++) {
        (void)snprintf(out + strlen(out), size - strlen(out), i == 0 ? "" : ",");
        print_node(&node->children[i], out, size);
    }
    (void)snprintf(out + strlen(out), size - strlen(out), "%c", brackets[node->kind][1]);
}

static void check_tree(pq_schema_element *elements, size_t count, const char *expected) {
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    const pq_schema_element_list list = {.count = count, .items = elements};
    const pq_schema *out;
    REQUIRE(pq_schema_build(&list, &memory, &out, &err) == FIRN_OK);
    char printed[1024] = "";
    print_node(&out->root, printed, sizeof printed);
    CHECK(strcmp(printed, expected) == 0);
    if (strcmp(printed, expected) != 0) {
        printf("is:   %s\nwant: %s\n", printed, expected);
    }
    uint32_t leaf = 0;
    for (; leaf < out->leaf_count; leaf++) {
        CHECK(out->leaves[leaf].node->first_leaf == leaf);
    }
    CHECK(out->root.leaf_count == leaf);
    arena_close(&memory);
}

#define CHECK_TREE(expected, ...)                                                                  \
    do {                                                                                           \
        pq_schema_element elements[] = {__VA_ARGS__};                                              \
        check_tree(elements, sizeof elements / sizeof *elements, expected);                        \
    } while (0)

TEST(pq_schema_counts_levels) {
    CHECK_TREE("schema 0.0{a 0.0,b?1.0,c?1.0{d?2.0,e 1.0}}", ROOT(3),
               LEAF("a", PQ_REQUIRED, PQ_INT32), LEAF("b", PQ_OPTIONAL, PQ_DOUBLE),
               GROUP("c", PQ_OPTIONAL, 2), LEAF("d", PQ_OPTIONAL, PQ_INT32),
               LEAF("e", PQ_REQUIRED, PQ_INT32));
    CHECK_TREE("schema 0.0{}", ROOT(0));
}

TEST(pq_schema_recognises_lists) {
    // The form of today.
    CHECK_TREE("schema 0.0{l?1.0/2[element?3.1]}", ROOT(1), LIST("l", PQ_OPTIONAL),
               GROUP("list", PQ_REPEATED, 1), LEAF("element", PQ_OPTIONAL, PQ_INT32));
    // The repeated field is the element: a leaf, a group of several, two names of old writers.
    CHECK_TREE("schema 0.0{l?1.0/2[element 2.1]}", ROOT(1), LIST("l", PQ_OPTIONAL),
               LEAF("element", PQ_REPEATED, PQ_INT32));
    CHECK_TREE("schema 0.0{l?1.0/2[element 2.1{a 2.1,b 2.1}]}", ROOT(1), LIST("l", PQ_OPTIONAL),
               GROUP("element", PQ_REPEATED, 2), LEAF("a", PQ_REQUIRED, PQ_INT32),
               LEAF("b", PQ_REQUIRED, PQ_INT32));
    CHECK_TREE("schema 0.0{l?1.0/2[array 2.1{a 2.1}]}", ROOT(1), LIST("l", PQ_OPTIONAL),
               GROUP("array", PQ_REPEATED, 1), LEAF("a", PQ_REQUIRED, PQ_INT32));
    CHECK_TREE("schema 0.0{l 0.0/1[l_tuple 1.1{a?2.1}]}", ROOT(1), LIST("l", PQ_REQUIRED),
               GROUP("l_tuple", PQ_REPEATED, 1), LEAF("a", PQ_OPTIONAL, PQ_INT32));
    // Lists of lists, new in new and old in old.
    CHECK_TREE("schema 0.0{l?1.0/2[element?3.1/4[element?5.2]]}", ROOT(1), LIST("l", PQ_OPTIONAL),
               GROUP("list", PQ_REPEATED, 1), LIST("element", PQ_OPTIONAL),
               GROUP("list", PQ_REPEATED, 1), LEAF("element", PQ_OPTIONAL, PQ_INT32));
    CHECK_TREE("schema 0.0{l?1.0/2[inner 2.1/3[element 3.2]]}", ROOT(1), LIST("l", PQ_OPTIONAL),
               LIST("inner", PQ_REPEATED), LEAF("element", PQ_REPEATED, PQ_INT32));
}

TEST(pq_schema_recognises_repeated_fields_outside_lists) {
    CHECK_TREE("schema 0.0{r 0.0/1[r 1.1],g 0.0/1[g 1.1{a?2.1,b 1.1/2[b 2.2]}]}", ROOT(2),
               LEAF("r", PQ_REPEATED, PQ_INT32), GROUP("g", PQ_REPEATED, 2),
               LEAF("a", PQ_OPTIONAL, PQ_INT32), LEAF("b", PQ_REPEATED, PQ_INT32));
}

TEST(pq_schema_recognises_maps) {
    CHECK_TREE("schema 0.0{m?1.0/2<key 2.1,value?3.1>}", ROOT(1),
               MAP("m", PQ_OPTIONAL, PQ_CONVERTED_MAP), GROUP("key_value", PQ_REPEATED, 2),
               LEAF("key", PQ_REQUIRED, PQ_BYTE_ARRAY), LEAF("value", PQ_OPTIONAL, PQ_INT32));
    CHECK_TREE("schema 0.0{m 0.0/1<k?2.1,v 1.1>}", ROOT(1),
               MAP("m", PQ_REQUIRED, PQ_CONVERTED_MAP_KEY_VALUE), GROUP("map", PQ_REPEATED, 2),
               LEAF("k", PQ_OPTIONAL, PQ_BYTE_ARRAY), LEAF("v", PQ_REQUIRED, PQ_INT32));
    CHECK_TREE("schema 0.0{m?1.0/2<key 2.1>}", ROOT(1), MAP("m", PQ_OPTIONAL, PQ_CONVERTED_MAP),
               GROUP("key_value", PQ_REPEATED, 1), LEAF("key", PQ_REQUIRED, PQ_BYTE_ARRAY));
    // Not the shape of a map: the annotation is ignored.
    CHECK_TREE("schema 0.0{m?1.0{key 1.0}}", ROOT(1), MAP("m", PQ_OPTIONAL, PQ_CONVERTED_MAP),
               LEAF("key", PQ_REQUIRED, PQ_BYTE_ARRAY));
}

TEST(pq_schema_names_leaves_by_path) {
    pq_schema_element elements[] = {ROOT(2), LEAF("a", PQ_REQUIRED, PQ_INT32),
                                    LIST("l", PQ_OPTIONAL), GROUP("list", PQ_REPEATED, 1),
                                    LEAF("element", PQ_OPTIONAL, PQ_INT32)};
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    const pq_schema_element_list list = {.count = 5, .items = elements};
    const pq_schema *out;
    text path;
    REQUIRE(pq_schema_build(&list, &memory, &out, &err) == FIRN_OK);
    REQUIRE(pq_schema_leaf_path(out, 0, &memory, &path, &err) == FIRN_OK);
    CHECK(text_equal(path, TEXT("a")));
    REQUIRE(pq_schema_leaf_path(out, 1, &memory, &path, &err) == FIRN_OK);
    CHECK(text_equal(path, TEXT("l.element")));
    arena_close(&memory);
}

static void check_refused(const pq_schema_element *elements, size_t count, const char *message) {
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    pq_schema_element copy[200];
    for (size_t i = 0; i < count; i++) {
        copy[i] = elements[i];
    }
    const pq_schema_element_list list = {.count = count, .items = copy};
    const pq_schema *out;
    CHECK(pq_schema_build(&list, &memory, &out, &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, message) != NULL);
    arena_close(&memory);
}

TEST(pq_schema_refuses_what_is_corrupt) {
    const pq_schema_element too_few[] = {ROOT(2), LEAF("a", PQ_REQUIRED, PQ_INT32)};
    const pq_schema_element too_many[] = {ROOT(1), LEAF("a", PQ_REQUIRED, PQ_INT32),
                                          LEAF("b", PQ_REQUIRED, PQ_INT32)};
    const pq_schema_element bad_type[] = {ROOT(1), LEAF("a", PQ_REQUIRED, (pq_type)8)};
    const pq_schema_element bad_repetition[] = {ROOT(1), LEAF("a", 3, PQ_INT32)};
    const pq_schema_element no_width[] = {ROOT(1), LEAF("a", PQ_REQUIRED, PQ_FIXED)};
    const pq_schema_element empty_group[] = {ROOT(1), GROUP("g", PQ_REQUIRED, 0)};
    const pq_schema_element negative[] = {ROOT(1), GROUP("g", PQ_REQUIRED, -1)};
    const pq_schema_element root_leaf[] = {LEAF("a", PQ_REQUIRED, PQ_INT32)};
    check_refused(NULL, 0, "ends within a group");
    check_refused(too_few, 2, "ends within a group");
    check_refused(too_many, 3, "schema of 3 elements ends after 2");
    check_refused(bad_type, 2, "column \"a\" has the unknown type 8");
    check_refused(bad_repetition, 2, "unknown repetition 3");
    check_refused(no_width, 2, "values of 0 bytes");
    check_refused(empty_group, 2, "group \"g\" of the schema has 0 children");
    check_refused(negative, 2, "-1 children");
    check_refused(root_leaf, 1, "group \"a\"");

    pq_schema_element deep[200];
    for (size_t i = 0; i < 199; i++) {
        deep[i] = (pq_schema_element)GROUP("g", PQ_OPTIONAL, 1);
    }
    deep[199] = (pq_schema_element)LEAF("a", PQ_REQUIRED, PQ_INT32);
    check_refused(deep, 200, "nested deeper than 100");
}
