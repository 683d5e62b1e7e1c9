#include "base/duration_text.h"

bool duration_parse_ms(text value, uint32_t *out) {
    static const struct {
        text unit;
        int64_t ms;
    } units[] = {{{"", 0}, 1000}, {{"ms", 2}, 1}, {{"s", 1}, 1000}, {{"min", 3}, 60000}};
    int64_t number = 0;
    size_t i = 0;
    for (; i < value.size && value.data[i] >= '0' && value.data[i] <= '9'; i++) {
        number = number * 10 + (value.data[i] - '0');
        number = number <= DURATION_MS_MAX ? number : DURATION_MS_MAX + 1;
    }
    const text unit = text_slice(value, i, value.size);
    for (size_t j = 0; j < sizeof units / sizeof *units && i > 0 && number > 0; j++) {
        if (text_equal_nocase(unit, units[j].unit) && number <= DURATION_MS_MAX / units[j].ms) {
            *out = (uint32_t)(number * units[j].ms);
            return true;
        }
    }
    return false;
}
