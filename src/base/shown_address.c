#include "base/shown_address.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool is_scheme_byte(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '+' || byte == '-' || byte == '.';
}

static bool is_quote(char byte) {
    return byte == '\'' || byte == '"';
}

// Elsewhere '?' and '#' are parts of names.
static bool is_web(const char *scheme, size_t size) {
    return (size == 4 || size == 5) && strncasecmp(scheme, "https", size) == 0;
}

// The first byte from `at` on that is one of `some`; `end` if none is.
static size_t find_any(const char *data, size_t at, size_t end, const char *some) {
    while (at < end && strchr(some, data[at]) == NULL) {
        at += 1;
    }
    return at;
}

// Where the address whose scheme begins at `scheme` ends.
static size_t address_end(const char *data, size_t size, size_t scheme, size_t at) {
    if (scheme > 0 && is_quote(data[scheme - 1])) {
        const char *quote = memchr(data + at, data[scheme - 1], size - at);
        return quote == NULL ? size : (size_t)(quote - data);
    }
    return find_any(data, at, size, " \t\r\n'\"");
}

static size_t cut(char *data, size_t size, size_t from, size_t to) {
    memmove(data + from, data + to, size - to);
    return size - (to - from);
}

size_t hide_addresses(char *data, size_t size) {
    for (size_t at = 0; at + 3 <= size; at++) {
        if (memcmp(data + at, "://", 3) != 0) {
            continue;
        }
        size_t scheme = at;
        while (scheme > 0 && is_scheme_byte(data[scheme - 1])) {
            scheme -= 1;
        }
        const size_t host = at + 3;
        size_t end = address_end(data, size, scheme, host);
        size_t user = host; // It ends at the last '@' before the path begins.
        for (size_t i = host; i < find_any(data, host, end, "/?#"); i++) {
            user = data[i] == '@' ? i + 1 : user;
        }
        size = cut(data, size, host, user);
        end -= user - host;
        if (is_web(data + scheme, at - scheme)) {
            size = cut(data, size, find_any(data, host, end, "?#"), end);
        }
    }
    return size;
}
