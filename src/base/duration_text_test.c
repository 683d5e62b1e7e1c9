#include "base/duration_text.h"

#include "base/test.h"

TEST(duration_text_is_a_number_and_a_unit) {
    static const struct {
        const char *value;
        uint32_t ms; // 0: refused.
    } cases[] = {
        {"1", 1000},
        {"30s", 30000},
        {"500ms", 500},
        {"2MIN", 120000},
        {"86400", 86400000},
        {"86400000ms", 86400000},
        {"1440min", 86400000},
        {"", 0},
        {"s", 0},
        {"0", 0},
        {"0ms", 0},
        {"86401", 0},
        {"86400001ms", 0},
        {"1441min", 0},
        {"1h", 0},
        {"-1", 0},
        {"1.5s", 0},
        {"1 s", 0},
        {" 1", 0},
        {"99999999999999999999999", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t ms = 0;
        CHECK(duration_parse_ms(text_of(cases[i].value), &ms) == (cases[i].ms > 0));
        CHECK(ms == cases[i].ms);
    }
}
