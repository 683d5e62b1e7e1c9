// Text on a terminal: widths, clipping, what may not be printed as it is.
#include "results.h"

#include <utf8proc.h>

#include "cell_text.h"

/// The code point at `data` and its size in bytes; a byte that is no UTF-8 counts as U+FFFD.
static utf8proc_int32_t next_code(const char *data, size_t size, size_t *length) {
    *length = cli_utf8_size(data, size);
    if (*length == 0) {
        *length = 1;
        return 0xFFFD;
    }
    utf8proc_int32_t code = 0;
    (void)utf8proc_iterate((const utf8proc_uint8_t *)data, (utf8proc_ssize_t)*length, &code);
    return code;
}

size_t cli_text_clip(const char *data, size_t size, size_t width) {
    size_t at = 0;
    size_t used = 0;
    while (at < size) {
        size_t length = 1;
        const uint8_t letter = (uint8_t)data[at];
        const size_t columns =
            letter < 0x80 ? 1
                          : (size_t)utf8proc_charwidth(next_code(data + at, size - at, &length));
        if (used + columns > width) {
            break;
        }
        used += columns;
        at += length;
    }
    return at;
}

size_t cli_text_width(const char *data, size_t size) {
    size_t used = 0;
    size_t at = 0;
    while (at < size) {
        size_t length = 1;
        const uint8_t letter = (uint8_t)data[at];
        used += letter < 0x80
                    ? 1
                    : (size_t)utf8proc_charwidth(next_code(data + at, size - at, &length));
        at += length;
    }
    return used;
}

void cli_text_printable(cli_sink *out, const char *data, size_t size) {
    size_t at = 0;
    while (at < size) {
        const uint8_t letter = (uint8_t)data[at];
        size_t length = 1;
        if (letter >= 0x20 && letter < 0x7F) {
            cli_sink_char(out, data[at]);
        } else if (letter == '\n' || letter == '\t' || letter == '\r') {
            cli_sink_char(out, '\\');
            cli_sink_text(out, letter == '\n' ? "n" : letter == '\t' ? "t" : "r");
        } else if (letter < 0x80) {
            cli_sink_format(out, "\\x%02x", letter);
        } else {
            const utf8proc_int32_t code = next_code(data + at, size - at, &length);
            if (code == 0xFFFD) {
                cli_sink_text(out, "\xEF\xBF\xBD");
            } else if (code < 0xA0) { // The control characters above ASCII.
                cli_sink_format(out, "\\x%02x", (unsigned)code);
            } else {
                cli_sink_write(out, data + at, length);
            }
        }
        at += length;
    }
}
