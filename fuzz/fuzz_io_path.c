// Arbitrary text as a path or URL, as metadata files and catalogs name what they mean.
//
// Oracle: a path is its folder, slashes and its name; a local path is the end of the one it is of;
// what is shown is no longer than the room, has the same scheme, and holds no '@' in front of a
// slash where a password would be; what was encoded is decoded to the same, and what was repaired
// once needs no repair.
#include <stdlib.h>
#include <string.h>

#include "io/io_path.h"
#include "io/uri.h"

#define MEMORY_MAX ((size_t)16 << 20)
#define SHOWN_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
    if (!condition) {
        abort();
    }
}

static void check_parts(text path) {
    const text folder = io_path_folder(path);
    const text name = io_path_name(path);
    must(io_path_scheme(path).size <= path.size);
    must(text_find(name, TEXT("/")) == name.size || (path.size > 0 && name.size == 1));
    if (name.size > 0 && folder.data == path.data) {
        must(name.data >= folder.data + folder.size || folder.size == 1);
        for (const char *at = folder.data + folder.size; at < name.data; at++) {
            must(*at == '/');
        }
    } else {
        must(text_equal(folder, TEXT(".")) || path.size == 0 || folder.data == path.data);
    }
    const text object = io_path_object(path);
    must(text_starts_with(path, object));
    must(text_ends_with_nocase(path, name) || name.data + name.size != path.data + path.size);
    must(!io_path_is_web(path) || text_find(object, TEXT("?")) == object.size);
    must(!io_path_is_web(path) || text_find(object, TEXT("#")) == object.size);
}

static void check_local(text path) {
    static char local[IO_LOCAL_PATH_MAX];
    firn_error err = ERR_INIT;
    if (!io_path_is_local(path)) {
        return;
    }
    if (io_path_local(path, local, &err) != FIRN_OK) {
        must(err.status == FIRN_INVALID);
        return;
    }
    must(text_ends_with(path, text_of(local)) && local[0] != '\0');
    must(io_path_scheme(path).size == 0 || local[0] == '/');
}

static void check_shown(text path, size_t room) {
    static char buffer[SHOWN_MAX];
    const text scheme = io_path_scheme(path);
    const text shown = io_path_shown(path, buffer, room);
    must(text_starts_with(shown, scheme));
    if (io_path_is_local(path)) {
        must(text_equal(shown, path));
        return;
    }
    must(shown.size <= room || text_equal(shown, scheme));
    const size_t head = scheme.size + 3;
    const text rest = text_slice(shown, head < shown.size ? head : shown.size, shown.size);
    const text host = text_slice(rest, 0, text_find(rest, TEXT("/")));
    must(text_find(host, TEXT("@")) == host.size);
}

static void check_encoding(text value, arena *memory) {
    firn_error err = ERR_INIT;
    text decoded;
    text made;
    text again;
    text_builder builder = text_builder_open(memory);
    if (uri_decode(value, memory, &decoded, &err) == FIRN_OK) {
        must(decoded.size <= value.size);
        must(text_find(value, TEXT("%")) < value.size || text_equal(decoded, value));
    }
    uri_append_encoded(&builder, value);
    if (text_builder_finish(&builder, &made, &err) == FIRN_OK &&
        uri_decode(made, memory, &decoded, &err) == FIRN_OK) {
        must(text_equal(decoded, value));
    }
    builder = text_builder_open(memory);
    uri_append_repaired(&builder, value);
    if (text_builder_finish(&builder, &made, &err) != FIRN_OK) {
        return;
    }
    builder = text_builder_open(memory);
    uri_append_repaired(&builder, made);
    if (text_builder_finish(&builder, &again, &err) == FIRN_OK) {
        must(text_equal(again, made));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const text path = {.data = size == 0 ? "" : (const char *)data, .size = size};
    arena memory = arena_open(MEMORY_MAX);
    check_parts(path);
    check_local(path);
    check_shown(path, SHOWN_MAX);
    check_shown(path, size % 32);
    check_encoding(path, &memory);
    firn_error err = ERR_INIT;
    err.status = FIRN_IO;
    io_path_while(&err, "reading", path);
    must(err.status == FIRN_IO);
    arena_close(&memory);
    return 0;
}
