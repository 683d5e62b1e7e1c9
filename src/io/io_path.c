#include "io/io_path.h"

#include <stdio.h>

#include "base/host.h"

#define SHOWN_MAX 1024

static bool is_letter(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_scheme_byte(char byte) {
    return is_letter(byte) || (byte >= '0' && byte <= '9') || byte == '+' || byte == '-' ||
           byte == '.';
}

text io_path_scheme(text path) {
    const text none = {.data = path.data, .size = 0};
    size_t size = 0;
    while (size < path.size && is_scheme_byte(path.data[size])) {
        size += 1;
    }
    if (size == 0 || size == path.size || path.data[size] != ':' || !is_letter(path.data[0])) {
        return none;
    }
    const text scheme = text_slice(path, 0, size);
    const text rest = text_slice(path, size + 1, path.size);
    if (text_starts_with(rest, TEXT("//")) || text_equal_nocase(scheme, TEXT("file"))) {
        return scheme;
    }
    return none;
}

bool io_path_is_local(text path) {
    const text scheme = io_path_scheme(path);
    return scheme.size == 0 || text_equal_nocase(scheme, TEXT("file"));
}

bool io_path_is_web(text path) {
    const text scheme = io_path_scheme(path);
    return text_equal_nocase(scheme, TEXT("http")) || text_equal_nocase(scheme, TEXT("https"));
}

firn_status io_path_local(text path, char out[IO_LOCAL_PATH_MAX], firn_error *err) {
    text rest = path;
    if (io_path_scheme(path).size > 0) {
        rest = text_slice(path, sizeof "file:" - 1, path.size);
        if (text_starts_with(rest, TEXT("//"))) {
            const text host_and_path = text_slice(rest, 2, rest.size);
            const size_t slash = text_find(host_and_path, TEXT("/"));
            const text host = text_slice(host_and_path, 0, slash);
            if (host.size > 0 && !text_equal_nocase(host, TEXT("localhost"))) {
                return FAIL(err, FIRN_INVALID,
                            "\"%.*s\" names the host \"%.*s\", only local files can be opened",
                            TEXT_ARGS(path), TEXT_ARGS(host));
            }
            rest = text_slice(host_and_path, slash, host_and_path.size);
        }
        if (!text_starts_with(rest, TEXT("/"))) {
            const firn_status status =
                FAIL(err, FIRN_INVALID, "\"%.*s\" is no absolute path, file:/folder/name is",
                     TEXT_ARGS(path));
            err_hint(err, "'%.*s' is found from the current folder", TEXT_ARGS(rest));
            return status;
        }
    }
    if (rest.size == 0) {
        return FAIL(err, FIRN_INVALID, "the path is empty");
    }
    if (memchr(rest.data, '\0', rest.size) != NULL) {
        return FAIL(err, FIRN_INVALID, "the path \"%.*s\" holds a NUL byte", TEXT_ARGS(path));
    }
    if (rest.size >= IO_LOCAL_PATH_MAX) {
        return FAIL(err, FIRN_INVALID, "a path of %zu bytes, at most %d are allowed", rest.size,
                    IO_LOCAL_PATH_MAX - 1);
    }
    memcpy(out, rest.data, rest.size);
    out[rest.size] = '\0';
    return FIRN_OK;
}

firn_status io_path_whole(text path, char out[IO_LOCAL_PATH_MAX], firn_error *err) {
    char local[IO_LOCAL_PATH_MAX];
    TRY(io_path_local(path, local, err));
    const char *start = local;
    while (strncmp(start, "./", 2) == 0) {
        start += 2;
        while (*start == '/') { // What is left is no path from the root.
            start += 1;
        }
    }
    TRY(host_path_absolute(start, out, IO_LOCAL_PATH_MAX, err));
    size_t size = 0;
    for (size_t i = 0; out[i] != '\0'; i++) {
        if (out[i] != '/' || size == 0 || out[size - 1] != '/') {
            out[size++] = out[i];
        }
    }
    out[size] = '\0';
    return FIRN_OK;
}

text io_path_unslashed(text path) {
    size_t size = path.size;
    while (size > 1 && path.data[size - 1] == '/') {
        size -= 1;
    }
    return text_slice(path, 0, size);
}

text io_path_folder(text path) {
    size_t size = io_path_unslashed(path).size;
    while (size > 0 && path.data[size - 1] != '/') {
        size -= 1;
    }
    if (size == 0) {
        return TEXT(".");
    }
    return io_path_unslashed(text_slice(path, 0, size));
}

text io_path_name(text path) {
    const size_t end = io_path_unslashed(path).size;
    size_t start = end;
    while (start > 0 && path.data[start - 1] != '/') {
        start -= 1;
    }
    return text_slice(path, start, end);
}

text io_path_object(text path) {
    if (!io_path_is_web(path)) { // Elsewhere these are parts of names.
        return path;
    }
    const size_t query = text_find(path, TEXT("?"));
    const size_t fragment = text_find(path, TEXT("#"));
    return text_slice(path, 0, query < fragment ? query : fragment);
}

text io_path_shown(text path, char *buffer, size_t capacity) {
    if (io_path_is_local(path)) {
        return path;
    }
    const text scheme = io_path_scheme(path);
    const text object = io_path_object(path);
    const text rest = text_slice(object, scheme.size + 3, object.size);
    const size_t end = rest.size;
    // The user part ends at the last '@' before the path begins.
    const size_t slash = text_find(text_slice(rest, 0, end), TEXT("/"));
    size_t start = 0;
    for (size_t i = 0; i < slash; i++) {
        if (rest.data[i] == '@') {
            start = i + 1;
        }
    }
    const size_t head = scheme.size + 3;
    size_t size = end - start;
    if (head + size > capacity) {
        size = head < capacity ? capacity - head : 0;
    }
    if (head > capacity) {
        return scheme;
    }
    memcpy(buffer, path.data, head);
    memcpy(buffer + head, rest.data + start, size);
    return (text){.data = buffer, .size = head + size};
}

const char *io_size_shown(uint64_t size, char buffer[IO_SIZE_TEXT]) {
    const bool is_whole = size > 0 && size % ((uint64_t)1 << 20) == 0;
    (void)snprintf(buffer, IO_SIZE_TEXT, "%llu %s",
                   (unsigned long long)(is_whole ? size >> 20 : size), is_whole ? "MB" : "bytes");
    return buffer;
}

void io_path_while(firn_error *err, const char *doing, text path) {
    char buffer[SHOWN_MAX];
    const text shown = io_path_shown(path, buffer, sizeof buffer);
    err_while(err, "%s %.*s", doing, TEXT_ARGS(shown));
}
