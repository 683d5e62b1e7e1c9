#include "memory/name_index.h"

#include <stdio.h>

#include "base/test.h"

#define COUNT 3000

TEST(name_index_finds_all_of_a_name_in_order_and_in_any_case) {
    static const char *const names[] = {"a", "B", "A", "ab", "", "a", "b", "\xc3\x84", "\xc3\xa4"};
    static const struct {
        const char *name;
        uint32_t found[4];
    } expected[] = {
        {"a", {0, 2, 5, NO_NAME}}, {"A", {0, 2, 5, NO_NAME}},  {"b", {1, 6, NO_NAME}},
        {"AB", {3, NO_NAME}},      {"", {4, NO_NAME}},         {"\xc3\x84", {7, NO_NAME}},
        {"c", {NO_NAME}},          {"\xc3\xa4", {8, NO_NAME}}, {"abc", {NO_NAME}},
    };
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    name_index self = {0};
    CHECK(name_index_first(&self, TEXT("a")) == NO_NAME);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        REQUIRE(name_index_add(&self, text_of(names[i]), &memory, &err) == FIRN_OK);
        CHECK(self.count == i + 1);
    }
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        uint32_t number = name_index_first(&self, text_of(expected[i].name));
        const uint32_t *found = expected[i].found;
        while (number == *found && number != NO_NAME) {
            number = name_index_next(&self, number);
            found++;
        }
        CHECK(number == *found);
    }
    arena_close(&memory);
}

TEST(name_index_holds_thousands) {
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    static char texts[COUNT][8];
    name_index self = {0};
    for (uint32_t i = 0; i < COUNT; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "c%u", i % 2000);
        REQUIRE(name_index_add(&self, text_of(texts[i]), &memory, &err) == FIRN_OK);
    }
    for (uint32_t i = 0; i < 2000; i++) {
        const uint32_t first = name_index_first(&self, text_of(texts[i]));
        REQUIRE(first == i);
        CHECK(name_index_next(&self, first) == (i < COUNT - 2000 ? i + 2000 : NO_NAME));
    }
    arena_close(&memory);
}

TEST(name_index_says_when_its_arena_is_full) {
    arena memory = arena_open(64);
    firn_error err = ERR_INIT;
    name_index self = {0};
    CHECK(name_index_add(&self, TEXT("a"), &memory, &err) == FIRN_NO_MEMORY);
    CHECK(name_index_first(&self, TEXT("a")) == NO_NAME);
    arena_close(&memory);
}
