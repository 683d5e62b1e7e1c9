#include "base/shown_address.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool is_scheme_byte(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '+' || byte == '-' || byte == '.';
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

// The first places of some bytes from where was last looked for them: looked for again only behind
// them, so that a text is walked once however many addresses it has.
typedef struct places {
    size_t single;  // '
    size_t twofold; // "
    size_t space;   // Where an address without quotes ends.
    size_t path;    // Where one's host ends.
    size_t query;
} places;

static size_t first_of(size_t *known, const char *data, size_t at, size_t size, const char *some) {
    if (*known < at) {
        *known = find_any(data, at, size, some);
    }
    return *known;
}

// Where the address ends that goes on at `at`, behind its "://". `before`: the byte before it.
static size_t address_end(places *known, const char *data, size_t at, size_t size, char before) {
    return before == '\''  ? first_of(&known->single, data, at, size, "'")
           : before == '"' ? first_of(&known->twofold, data, at, size, "\"")
                           : first_of(&known->space, data, at, size, " \t\r\n'\"");
}

static size_t least(size_t left, size_t right) {
    return left < right ? left : right;
}

// What is shown is written over what was read.
static size_t hide(char *data, size_t size, bool is_cut) {
    places known = {.single = 0};
    size_t out = 0;
    size_t cut_from = size; // Of the query of an address that is being read.
    size_t cut_to = size;
    for (size_t at = 0; at < size;) {
        if (at == cut_from) {
            at = cut_to;
            cut_from = size;
            continue;
        }
        if (size - at < 3 || memcmp(data + at, "://", 3) != 0) {
            data[out++] = data[at++];
            continue;
        }
        size_t scheme = out;
        while (scheme > 0 && is_scheme_byte(data[scheme - 1])) {
            scheme -= 1;
        }
        const bool has_query = is_web(data + scheme, out - scheme);
        const char before = scheme > 0 ? data[scheme - 1] : ' ';
        memcpy(data + out, "://", 3);
        out += 3;
        at += 3;
        const size_t end = least(address_end(&known, data, at, size, before), cut_from);
        const size_t path = least(first_of(&known.path, data, at, size, "/?#"), end);
        if (is_cut && path == size) {
            return out; // Of what may be a password the '@' is missing.
        }
        size_t user = at; // It ends at the last '@' before the path begins.
        for (size_t i = at; i < path; i++) {
            user = data[i] == '@' ? i + 1 : user;
        }
        at = user;
        const size_t query = first_of(&known.query, data, at, size, "?#");
        if (has_query && query < end) {
            cut_from = query;
            cut_to = end;
        }
    }
    return out;
}

size_t hide_addresses(char *data, size_t size) {
    return hide(data, size, false);
}

size_t hide_cut_addresses(char *data, size_t size) {
    return hide(data, size, true);
}
