// Positions by path, in whatever order and form they come.
#include "tables/iceberg/iceberg_position_list.h"

#include "base/test.h"

#define LIMIT ((size_t)16 << 20)

typedef struct scene {
    arena memory;
    arena scratch;
    ice_position_list list;
    firn_error err;
} scene;

static void open_scene(scene *self) {
    *self = (scene){.memory = arena_open(LIMIT), .scratch = arena_open(LIMIT), .err = ERR_INIT};
    REQUIRE(ice_position_list_open(&self->memory, UINT64_MAX, &self->list, &self->err) == FIRN_OK);
}

static void close_scene(scene *self) {
    arena_close(&self->memory);
    arena_close(&self->scratch);
}

static column paths_of(arena *memory, const char *const *paths, uint32_t count) {
    column out;
    firn_error err = ERR_INIT;
    CHECK(column_new(memory, TYPE_OF(VARCHAR), count, &out, &err) == FIRN_OK);
    for (uint32_t i = 0; i < count; i++) {
        CHECK(string_new(memory, paths[i], strlen(paths[i]), &COLUMN_OUT(&out, string_value)[i]));
    }
    return out;
}

static firn_status add(scene *self, column path, const int64_t *positions, uint32_t count) {
    const column columns[] = {
        path, {.type = TYPE_OF(BIGINT), .form = FORM_FLAT, .length = count, .values = positions}};
    const batch rows = {
        .columns = columns, .column_count = 2, .row_count = count, .selected_count = count};
    return ice_position_list_add(&self->list, &rows, &self->scratch, &self->err);
}

static bool has(const scene *self, text path, const uint64_t *expected, uint64_t count) {
    const ice_positions found = ice_position_list_find(&self->list, path);
    return found.count == count &&
           (count == 0 || memcmp(found.items, expected, count * sizeof *expected) == 0);
}

TEST(ice_position_lists_keep_what_comes_in_order) {
    scene s;
    open_scene(&s);
    const char *paths[] = {"file:///a/long/path/to/one.parquet", "b"};
    const uint32_t codes[] = {0, 0, 0, 1};
    const column entries = paths_of(&s.memory, paths, 2);
    const dictionary known = {.identity = 1, .size = 2, .values = &entries};
    const column path = {.type = TYPE_OF(VARCHAR),
                         .form = FORM_DICTIONARY,
                         .length = 4,
                         .values = codes,
                         .dictionary = &known};
    REQUIRE(add(&s, path, (const int64_t[]){1, 5, 5, 0}, 4) == FIRN_OK);
    const uint64_t *kept = s.list.positions;
    REQUIRE(ice_position_list_finish(&s.list, &s.err) == FIRN_OK);
    CHECK(s.list.positions == kept && s.list.piece_count == 2);
    CHECK(has(&s, text_of(paths[0]), (const uint64_t[]){1, 5, 5}, 3));
    CHECK(has(&s, TEXT("b"), (const uint64_t[]){0}, 1));
    CHECK(has(&s, TEXT("c"), NULL, 0));
    close_scene(&s);
}

TEST(ice_position_lists_order_what_comes_in_pieces) {
    scene s;
    open_scene(&s);
    const char *paths[] = {"a", "b", "a", "a", "b"};
    REQUIRE(add(&s, paths_of(&s.memory, paths, 5), (const int64_t[]){7, 9, 9, 8, 10}, 5) ==
            FIRN_OK);
    const string_value one = string_of("b", 1);
    const column constant = {
        .type = TYPE_OF(VARCHAR), .form = FORM_CONSTANT, .length = 2, .values = &one};
    REQUIRE(add(&s, constant, (const int64_t[]){11, 12}, 2) == FIRN_OK);
    REQUIRE(ice_position_list_finish(&s.list, &s.err) == FIRN_OK);
    CHECK(has(&s, TEXT("a"), (const uint64_t[]){7, 8, 9}, 3));
    CHECK(has(&s, TEXT("b"), (const uint64_t[]){9, 10, 11, 12}, 4));
    close_scene(&s);
}

TEST(ice_position_lists_grow_with_paths_and_positions) {
    scene s;
    open_scene(&s);
    char names[100][8];
    const char *paths[100];
    int64_t positions[100];
    for (uint32_t i = 0; i < 100; i++) {
        (void)snprintf(names[i], sizeof names[i], "%u", i);
        paths[i] = names[i];
        positions[i] = i;
    }
    const column path = paths_of(&s.memory, paths, 100);
    for (uint32_t times = 0; times < 30; times++) {
        REQUIRE(add(&s, path, positions, 100) == FIRN_OK);
        arena_reset(&s.scratch);
    }
    REQUIRE(ice_position_list_finish(&s.list, &s.err) == FIRN_OK);
    for (uint32_t i = 0; i < 100; i++) {
        const ice_positions found = ice_position_list_find(&s.list, text_of(names[i]));
        CHECK(found.count == 30 && found.items[0] == i && found.items[29] == i);
    }
    close_scene(&s);
}

TEST(ice_position_lists_refuse_what_is_no_position) {
    scene s;
    open_scene(&s);
    const char *paths[] = {"a"};
    column path = paths_of(&s.memory, paths, 1);
    CHECK(add(&s, path, (const int64_t[]){-1}, 1) == FIRN_CORRUPT);
    path.validity = (const uint64_t[]){0};
    CHECK(add(&s, path, (const int64_t[]){1}, 1) == FIRN_CORRUPT);
    close_scene(&s);
}
