#include "io/exchange_head.h"

#include "base/test.h"

#define NOW INT64_C(784111777) // 1994-11-06 08:49:37

static exchange_head head_of(text name, text value) {
    exchange_head head = {.status = 200};
    exchange_head_add(&head, name, value, NOW);
    return head;
}

TEST(exchange_head_reads_content_ranges) {
    const struct {
        text value;
        bool has_range;
        bool has_total;
        uint64_t first;
        uint64_t total;
    } cases[] = {
        {TEXT("bytes 5-9/10"), true, true, 5, 10},
        {TEXT("Bytes 0-0/*"), true, false, 0, 0},
        {TEXT("bytes */10"), false, true, 0, 10},
        {TEXT("bytes 5-4/10"), false, false, 0, 0},
        {TEXT("bytes 5-10/10"), false, false, 0, 0},
        {TEXT("bytes 5-9/10x"), false, false, 0, 0},
        {TEXT("bytes 5-9"), false, false, 0, 0},
        {TEXT("bytes -9/10"), false, false, 0, 0},
        {TEXT("bytes 99999999999999999999-9/10"), false, false, 0, 0},
        {TEXT("items 5-9/10"), false, false, 0, 0},
        {TEXT(""), false, false, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const exchange_head head = head_of(TEXT("content-range"), cases[i].value);
        CHECK(head.has_range == cases[i].has_range && head.has_total == cases[i].has_total);
        CHECK(head.range_first == cases[i].first && head.range_total == cases[i].total);
    }
}

TEST(exchange_head_reads_retry_after_in_both_forms) {
    const struct {
        text value;
        bool is_read;
        uint64_t ms;
    } cases[] = {
        {TEXT("3"), true, 3000},
        {TEXT("0"), true, 0},
        {TEXT("18446744073709551615"), true, UINT64_MAX},
        {TEXT("99999999999999999999999"), false, 0},
        {TEXT("Sun, 06 Nov 1994 08:49:40 GMT"), true, 3000},
        {TEXT("Sun, 06 Nov 1994 08:49:30 GMT"), true, 0}, // Gone by.
        {TEXT("Sun, 06 Nop 1994 08:49:40 GMT"), false, 0},
        {TEXT("Sunday, 06-Nov-94 08:49:40 GMT"), false, 0},
        {TEXT("soon"), false, 0},
        {TEXT(""), false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const exchange_head head = head_of(TEXT("Retry-After"), cases[i].value);
        CHECK(head.has_retry_after == cases[i].is_read && head.retry_after_ms == cases[i].ms);
    }
}

TEST(exchange_head_knows_the_days_of_leap_years) {
    int64_t seconds;
    CHECK(exchange_date_read(TEXT("Thu, 01 Jan 1970 00:00:00 GMT"), &seconds) && seconds == 0);
    CHECK(exchange_date_read(TEXT("Thu, 29 Feb 2024 12:00:00 GMT"), &seconds) &&
          seconds == 1709208000);
    CHECK(exchange_date_read(TEXT("Fri, 01 Mar 2024 12:00:00 GMT"), &seconds) &&
          seconds == 1709294400);
}

TEST(exchange_head_prefers_a_strong_etag_as_version) {
    exchange_head head = {.status = 200};
    exchange_head_add(&head, TEXT("Last-Modified"), TEXT("monday"), NOW);
    CHECK(strcmp(head.version, "monday") == 0);
    exchange_head_add(&head, TEXT("ETag"), TEXT("W/\"weak\""), NOW);
    CHECK(strcmp(head.version, "monday") == 0);
    exchange_head_add(&head, TEXT("ETag"), TEXT("\"abc\""), NOW);
    CHECK(strcmp(head.version, "\"abc\"") == 0);
    exchange_head_add(&head, TEXT("Last-Modified"), TEXT("tuesday"), NOW);
    CHECK(strcmp(head.version, "\"abc\"") == 0);
    char large[200];
    memset(large, 'x', sizeof large);
    exchange_head_add(&head, TEXT("ETag"), (text){.data = large, .size = sizeof large}, NOW);
    CHECK(strcmp(head.version, "\"abc\"") == 0); // Too long to keep.
}
