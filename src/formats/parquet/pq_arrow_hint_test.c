#include "formats/parquet/pq_arrow_hint.h"

#include <string.h>

#include "base/test.h"

// pyarrow 21: uint32, timestamp[us], timestamp[ms, Europe/Paris], duration[ns],
// list<struct<x: uint16, y: int64>>, map<string, uint64>, uuid, large_string.
static const char written_by_arrow[] =
    "/////4ADAAAQAAAAAAAKAAwABgAFAAgACgAAAAABBAAMAAAACAAIAAAABAAIAAAABAAAAAgAAAAkAwAA5AIAAJgCAA"
    "BsAgAAsAEAAPQAAABEAAAABAAAAAz9//8AAAEUEAAAABgAAAAEAAAAAAAAAAEAAABzAAAABAAGAAQAAAAAABIAGAAI"
    "AAYABwAMAAAAEAAUABIAAAAAAAEPFAAAAJgAAAAIAAAAEAAAAAAAAAABAAAAdQAAAAIAAABIAAAABAAAAMj///8YAA"
    "AABAAAAAoAAABhcnJvdy51dWlkAAAUAAAAQVJST1c6ZXh0ZW5zaW9uOm5hbWUAAAAACAAMAAQACAAIAAAAEAAAAAQA"
    "AAAAAAAAAAAAABgAAABBUlJPVzpleHRlbnNpb246bWV0YWRhdGEAAAAAvv3//xAAAAD0/f//AAABERQAAAAYAAAABA"
    "AAAAEAAAAQAAAAAQAAAGYAAAAY////pP///wAAAA0YAAAAIAAAAAQAAAACAAAAVAAAABQAAAAHAAAAZW50cmllcwBI"
    "////TP7//wAAAQIQAAAAGAAAAAQAAAAAAAAABQAAAHZhbHVlAAAAQv7//0AAAAAQABQACAAAAAcADAAAABAAEAAAAA"
    "AAAAUQAAAAFAAAAAQAAAAAAAAAAwAAAGtleQCo////rP7//wAAAQwUAAAAGAAAAAQAAAABAAAAEAAAAAEAAABlAAAA"
    "0P///9T+//8AAAENGAAAACQAAAAEAAAAAgAAAFAAAAAYAAAABAAAAGl0ZW0AAAAABAAEAAQAAAAI////AAABAhAAAA"
    "AcAAAABAAAAAAAAAABAAAAeQAAAAgADAAIAAcACAAAAAAAAAFAAAAAPP///wAAAQIQAAAAFAAAAAQAAAAAAAAAAQAA"
    "AHgAAAAu////EAAAAGT///8AAAESEAAAABQAAAAEAAAAAAAAAAEAAABkAAAAkv///wAAAwCM////AAABChAAAAAcAA"
    "AABAAAAAAAAAABAAAAYwAAAAgADAAGAAgACAAAAAAAAQAEAAAADAAAAEV1cm9wZS9QYXJpcwAAAADU////AAABChAA"
    "AAAYAAAABAAAAAAAAAABAAAAYgAGAAgABgAGAAAAAAACABAAFAAIAAYABwAMAAAAEAAQAAAAAAABAhAAAAAYAAAABA"
    "AAAAAAAAABAAAAYQAGAAgABAAGAAAAIAAAAA==";

TEST(pq_arrow_hint_reads_what_arrow_writes) {
    arena memory = arena_open(1 << 20);
    const pq_arrow_hint *root = pq_arrow_hint_read(text_of(written_by_arrow), &memory);
    REQUIRE(root != NULL && root->child_count == 8);
    const pq_arrow_hint *columns = root->children;
    CHECK(columns[0].kind == PQ_HINT_INTEGER && columns[0].bits == 32 && !columns[0].is_signed);
    CHECK(columns[1].kind == PQ_HINT_TIMESTAMP && !columns[1].has_zone);
    CHECK(columns[2].kind == PQ_HINT_TIMESTAMP && columns[2].has_zone);
    CHECK(columns[3].kind == PQ_HINT_DURATION);
    REQUIRE(columns[4].child_count == 1 && columns[4].children[0].child_count == 2);
    const pq_arrow_hint *pair = columns[4].children[0].children;
    CHECK(pair[0].bits == 16 && !pair[0].is_signed && pair[1].bits == 64 && pair[1].is_signed);
    REQUIRE(columns[5].child_count == 1 && columns[5].children[0].child_count == 2);
    CHECK(columns[5].children[0].children[1].bits == 64);
    CHECK(text_equal(columns[6].extension, TEXT("arrow.uuid")));
    CHECK(columns[7].kind == PQ_HINT_OTHER && columns[7].child_count == 0);
    arena_close(&memory);
}

// Whatever is broken gives no hint or another one, never a crash: AddressSanitizer looks.
TEST(pq_arrow_hint_survives_damage) {
    uint64_t seed = 17;
    char damaged[sizeof written_by_arrow];
    for (int round = 0; round < 3000; round++) {
        memcpy(damaged, written_by_arrow, sizeof damaged);
        const size_t changes = 1 + test_random(&seed) % 4;
        for (size_t i = 0; i < changes; i++) {
            static const char letters[] = "ABCDghijstuv0189+/";
            damaged[test_random(&seed) % (sizeof damaged - 1)] =
                letters[test_random(&seed) % (sizeof letters - 1)];
        }
        arena memory = arena_open(1 << 20);
        const size_t size =
            round % 2 == 0 ? sizeof damaged - 1 : test_random(&seed) % (sizeof damaged - 1);
        (void)pq_arrow_hint_read((text){.data = damaged, .size = size}, &memory);
        arena_close(&memory);
    }
    arena memory = arena_open(1 << 16);
    CHECK(pq_arrow_hint_read(TEXT(""), &memory) == NULL);
    CHECK(pq_arrow_hint_read(TEXT("////////"), &memory) == NULL);
    CHECK(pq_arrow_hint_read(TEXT("*"), &memory) == NULL);
    arena_close(&memory);
}
