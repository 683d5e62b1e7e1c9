#include "formats/parquet/pq_pick.h"

#include "base/test.h"

// A file whose only column "s" is a struct of one BIGINT, "a" with the id 1.
static pq_leaf leaves[] = {{.type = PQ_INT64, .width = 8}};
static pq_node children[] = {{.kind = PQ_NODE_LEAF,
                              .has_field_id = true,
                              .field_id = 1,
                              .leaf_count = 1,
                              .name = {.data = "a", .size = 1}}};
static const pq_node parent = {.kind = PQ_NODE_STRUCT,
                               .leaf_count = 1,
                               .name = {.data = "s", .size = 1},
                               .child_count = 1,
                               .children = children};
static const pq_schema tree = {.leaf_count = 1, .leaves = leaves};

TEST(pq_pick_gives_null_for_the_struct_fields_that_a_file_has_not) {
    const pq_metadata metadata = {.schema = &tree};
    const pq_file file = {.metadata = &metadata};
    const field own[] = {{.name = {.data = "a", .size = 1}, .type = TYPE_OF(BIGINT), .id = 1}};
    const type own_type = {.id = TYPE_STRUCT, .child_count = 1, .children = own};
    const pq_file_field from = {.node = &parent, .type = &own_type};
    const field more[] = {{.name = {.data = "x", .size = 1}, .type = TYPE_OF(DATE), .id = 7},
                          {.name = {.data = "y", .size = 1}, .type = TYPE_OF(DOUBLE), .id = 8},
                          {.name = {.data = "z", .size = 1}, .type = TYPE_OF(DATE), .id = 9},
                          {.name = {.data = "a", .size = 1}, .type = TYPE_OF(BIGINT), .id = 1}};
    const type wanted = {.id = TYPE_STRUCT, .child_count = 4, .children = more};
    for (int match = PQ_MATCH_NAME; match <= PQ_MATCH_ID; match++) {
        arena memory = arena_open(1 << 20);
        firn_error err = ERR_INIT;
        pq_pick out;
        REQUIRE(pq_pick_make(&file, &from, &wanted, (pq_match)match, &memory, &out, &err) ==
                FIRN_OK);
        REQUIRE(out.kind == PQ_PICK_STRUCT && out.child_count == 4);
        for (uint32_t i = 0; i < 3; i++) {
            CHECK(out.children[i].kind == PQ_PICK_CONSTANT);
            CHECK(out.children[i].type == more[i].type);
        }
        CHECK(out.children[3].kind == PQ_PICK_LEAF && out.children[3].target.leaf == &leaves[0]);
        arena_close(&memory);
    }
}
