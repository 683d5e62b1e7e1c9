#include "memory/zone_load.h"

#include <string.h>

#include "base/host.h"
#include "base/test.h"

static int32_t offset_in_july_2020(const zone *self) {
    zone_cursor cursor = zone_cursor_open(self);
    return zone_offset_of_utc(&cursor, 1594000000);
}

TEST(zone_load_takes_offsets_and_names) {
    arena memory = arena_open((size_t)1 << 20);
    firn_error err = ERR_INIT;
    const zone *found;
    host_stat unused;
    CHECK(zone_load(&memory, TEXT("UTC"), &found, &err) == FIRN_OK);
    CHECK(offset_in_july_2020(found) == 0);
    CHECK(zone_load(&memory, TEXT("-03:30"), &found, &err) == FIRN_OK);
    CHECK(offset_in_july_2020(found) == -12600);
    CHECK(text_equal(found->name, TEXT("-03:30")));
    CHECK(zone_load(&memory, TEXT("+0530"), &found, &err) == FIRN_OK);
    CHECK(text_equal(found->name, TEXT("+05:30")));
    CHECK(zone_load(&memory, TEXT("-1:02:03"), &found, &err) == FIRN_OK);
    CHECK(text_equal(found->name, TEXT("-01:02:03")));
    CHECK(zone_load(&memory, TEXT("gmt"), &found, &err) == FIRN_OK);
    CHECK(text_equal(found->name, TEXT("GMT")));
    CHECK(zone_load(&memory, TEXT("EDT"), &found, &err) == FIRN_NOT_FOUND);
    CHECK(strstr(err.text, "there is no time zone \"EDT\"") != NULL);
    CHECK(zone_load_or_abbreviation(&memory, TEXT("EDT"), &found, &err) == FIRN_OK);
    CHECK(offset_in_july_2020(found) == -14400);
    if (host_path_stat("/usr/share/zoneinfo/CET", &unused, &err) == FIRN_OK) {
        CHECK(zone_load(&memory, TEXT("cet"), &found, &err) == FIRN_OK);
        CHECK(text_equal(found->name, TEXT("CET")));
        CHECK(offset_in_july_2020(found) == 7200);
        CHECK(zone_load_or_abbreviation(&memory, TEXT("CET"), &found, &err) == FIRN_OK);
        CHECK(offset_in_july_2020(found) == 3600);
        CHECK(zone_load_or_abbreviation(&memory, TEXT("Europe/Berlin"), &found, &err) == FIRN_OK);
        CHECK(offset_in_july_2020(found) == 7200);
    }
    arena_close(&memory);
    memory = arena_open(10);
    CHECK(zone_load(&memory, TEXT("UTC"), &found, &err) == FIRN_NO_MEMORY);
    arena_close(&memory);
}
