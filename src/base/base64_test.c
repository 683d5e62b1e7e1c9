#include "base/base64.h"

#include "base/test.h"

// The examples of RFC 4648, and all digits.
TEST(base64_prints_and_tells_digits) {
    static const struct {
        const char *plain, *printed;
    } cases[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xbf", "+/+/"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[16];
        const bytes plain = bytes_of_text(text_of(cases[i].plain));
        const size_t size = base64_print(plain, out);
        CHECK(size == base64_size(plain.size));
        CHECK(text_equal((text){.data = out, .size = size}, text_of(cases[i].printed)));
    }
    uint32_t count = 0;
    for (int byte = 0; byte < 256; byte++) {
        const int32_t value = base64_value((char)byte);
        if (value >= 0) {
            char out[4];
            const uint8_t data[] = {(uint8_t)(value << 2), 0, 0};
            (void)base64_print((bytes){.data = data, .size = sizeof data}, out);
            CHECK(out[0] == (char)byte);
            count++;
        }
    }
    CHECK(count == 64 && base64_value('=') == -1);
}
