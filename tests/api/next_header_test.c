// include/firn_next.h compiles alone, and its structs are as its rules say: those that cross begin
// with their size and end with room that is zero, so that they can grow; an INIT macro sets the
// size and what is not 0 when nothing is told. It leaves what firn.h declares as it is. As C++ it
// is compiled by tools/check_headers.py.
#include "firn_next.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/test.h"

#define STRUCT_SIZE_MAX 512

// A struct of the header: where its room lies and, if the program makes it, what INIT makes.
typedef struct crossing {
    const char *name;
    size_t size;
    size_t size_at; // Of the member `size`.
    size_t reserved_at;
    size_t reserved_size;
    const void *made; // NULL: firn fills it, it has no INIT.
} crossing;

// Static, so that padding is zero too.
static const firn_objects_filter objects_filter = FIRN_OBJECTS_FILTER_INIT;
static const firn_window window = FIRN_WINDOW_INIT;
static const firn_aggregate_call aggregate_call = FIRN_AGGREGATE_CALL_INIT;
static const firn_column_facts column_facts = FIRN_COLUMN_FACTS_INIT;
static const firn_table_provider table_provider = FIRN_TABLE_PROVIDER_INIT;
static const firn_scalar_function scalar_function = FIRN_SCALAR_FUNCTION_INIT;
static const firn_aggregate_function aggregate_function = FIRN_AGGREGATE_FUNCTION_INIT;
static const firn_verb verb = FIRN_VERB_INIT;

#define CROSSING(type, made)                                                                       \
    {#type,                                                                                        \
     sizeof(type),                                                                                 \
     offsetof(type, size),                                                                         \
     offsetof(type, reserved),                                                                     \
     sizeof(((type *)NULL)->reserved),                                                             \
     made}

static const crossing crossings[] = {
    CROSSING(firn_objects_filter, &objects_filter),
    CROSSING(firn_window, &window),
    CROSSING(firn_aggregate_call, &aggregate_call),
    CROSSING(firn_column_facts, &column_facts),
    CROSSING(firn_scan_request, NULL),
    CROSSING(firn_table_scan, NULL),
    CROSSING(firn_table_provider, &table_provider),
    CROSSING(firn_function_bind, NULL),
    CROSSING(firn_function_call, NULL),
    CROSSING(firn_scalar_function, &scalar_function),
    CROSSING(firn_aggregate_function, &aggregate_function),
    CROSSING(firn_verb, &verb),
    CROSSING(firn_fragment, NULL),
};
#define CROSSING_COUNT (sizeof crossings / sizeof crossings[0])

TEST(next_header_structs_begin_with_their_size_and_end_with_room) {
    for (size_t i = 0; i < CROSSING_COUNT; i++) {
        const crossing *each = &crossings[i];
        CHECK(each->size_at == 0);
        CHECK(each->reserved_at + each->reserved_size == each->size); // Nothing behind it.
        CHECK(each->reserved_size >= 4 * sizeof(uint64_t));
        CHECK(each->reserved_at % sizeof(uint64_t) == 0);
    }
}

// The whole struct is zero but for its size and the members in `told`, which INIT is to set.
static void check_zero_but(const crossing *self, const void *told) {
    uint8_t wanted[STRUCT_SIZE_MAX] = {0};
    const uint32_t size = (uint32_t)self->size;
    REQUIRE(self->size <= sizeof wanted);
    if (told != NULL) {
        memcpy(wanted, told, self->size);
    }
    memcpy(wanted, &size, sizeof size);
    if (memcmp(self->made, wanted, self->size) != 0) {
        printf("%s\n", self->name);
        CHECK(false);
    }
}

TEST(next_header_init_is_zero_but_for_the_size_and_what_is_unknown) {
    // What they are not told about begins as "unknown", not as 0.
    static const firn_objects_filter filter = {.depth = FIRN_OBJECTS_TABLES};
    static const firn_column_facts facts = {.null_count = -1, .distinct_count = -1};
    static const firn_verb all_rows = {.limit = -1};
    for (size_t i = 0; i < CROSSING_COUNT; i++) {
        const void *made = crossings[i].made;
        if (made != NULL) {
            check_zero_but(&crossings[i], made == &objects_filter ? &filter
                                          : made == &column_facts ? (const void *)&facts
                                          : made == &verb         ? &all_rows
                                                                  : NULL);
        }
    }
}

// How many lines of the header begin with `begin` and hold `word`.
static size_t count_lines(const char *begin, const char *word) {
    FILE *header = fopen("include/firn_next.h", "re");
    char line[256];
    size_t count = 0;
    CHECK(header != NULL);
    while (header != NULL && fgets(line, sizeof line, header) != NULL) {
        count += strncmp(line, begin, strlen(begin)) == 0 && strstr(line, word) != NULL;
    }
    if (header != NULL) {
        (void)fclose(header);
    }
    return count;
}

TEST(next_header_has_no_struct_that_is_not_looked_at_here) {
    size_t made_count = 0;
    for (size_t i = 0; i < CROSSING_COUNT; i++) {
        made_count += crossings[i].made != NULL;
    }
    CHECK(count_lines("typedef struct firn_", "{") == CROSSING_COUNT);
    CHECK(count_lines("#define FIRN_", "_INIT") == made_count);
}
