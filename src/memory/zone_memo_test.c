#include "memory/zone_memo.h"

#include "base/host.h"
#include "base/test.h"

TEST(zone_memo_finds_each_zone_once) {
    arena memory = arena_open((size_t)1 << 20);
    zone_memo memo = zone_memo_make(&memory);
    const zone_cursor *est = zone_memo_find(&memo, TEXT("EST"));
    REQUIRE(est != NULL);
    CHECK(est->zone->rule.offset_seconds == -18000);
    const zone_cursor *other = zone_memo_find(&memo, TEXT("+05:30"));
    REQUIRE(other != NULL);
    CHECK(other->zone->rule.offset_seconds == 19800);
    CHECK(zone_memo_find(&memo, TEXT("est")) == est);
    CHECK(zone_memo_find(&memo, TEXT("EST")) == est);
    CHECK(zone_memo_find(&memo, TEXT("+05:30")) == other);
    host_stat unused;
    firn_error err = ERR_INIT;
    if (host_path_stat("/usr/share/zoneinfo/Europe/Berlin", &unused, &err) == FIRN_OK) {
        const zone_cursor *berlin = zone_memo_find(&memo, TEXT("europe/berlin"));
        REQUIRE(berlin != NULL);
        CHECK(zone_memo_find(&memo, TEXT("Europe/Berlin")) == berlin);
    }
    arena_close(&memory);
}

TEST(zone_memo_knows_what_no_zone_is_called) {
    arena memory = arena_open((size_t)1 << 20);
    zone_memo memo = zone_memo_make(&memory);
    char longer[ZONE_NAME_SIZE_MAX + 1];
    memset(longer, 'a', sizeof longer);
    CHECK(zone_memo_find(&memo, (text){.data = longer, .size = sizeof longer}) == NULL);
    CHECK(zone_memo_find(&memo, (text){0}) == NULL);
    CHECK(zone_memo_find(&memo, TEXT("Nowhere/Land")) == NULL);
    CHECK(zone_memo_find(&memo, TEXT("Nowhere/Land")) == NULL);
    CHECK(zone_memo_find(&memo, TEXT("Nowhere/Else")) == NULL);
    CHECK(zone_memo_find(&memo, TEXT("UTC")) != NULL);
    arena_close(&memory);
}
