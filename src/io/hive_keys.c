#include "io/hive_keys.h"

#include "io/io_path.h"
#include "io/uri.h"

// The value behind '=' of a folder name; false if it is no key.
static bool split(text folder, text *name, text *value) {
    const size_t equals = text_find(folder, TEXT("="));
    if (equals == 0 || equals == folder.size) {
        return false;
    }
    *name = text_slice(folder, 0, equals);
    *value = text_slice(folder, equals + 1, folder.size);
    return true;
}

// The first folder of `rest`, which is moved behind it; false when only the file's name is left.
static bool take_folder(text *rest, text *folder) {
    const size_t slash = text_find(*rest, TEXT("/"));
    if (slash == rest->size) {
        return false;
    }
    *folder = text_slice(*rest, 0, slash);
    *rest = text_slice(*rest, slash + 1, rest->size);
    return true;
}

firn_status hive_keys_read(text path, arena *memory, hive_keys *out, firn_error *err) {
    *out = (hive_keys){.count = 0};
    const text scheme = io_path_scheme(path);
    const text below = text_slice(path, scheme.size, path.size);
    text folder;
    text name;
    text value;
    uint32_t count = 0;
    for (text rest = below; take_folder(&rest, &folder);) {
        count += split(folder, &name, &value) ? 1 : 0;
    }
    if (count == 0) {
        return FIRN_OK;
    }
    out->items = ARENA_NEW(memory, hive_key, count);
    if (out->items == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (text rest = below; take_folder(&rest, &folder);) {
        if (!split(folder, &name, &value)) {
            continue;
        }
        hive_key *key = &out->items[out->count];
        *key = (hive_key){.is_null = text_equal(value, TEXT("__HIVE_DEFAULT_PARTITION__"))};
        TRY(uri_decode(name, memory, &key->name, err));
        if (!key->is_null) {
            TRY(uri_decode(value, memory, &key->value, err));
        }
        out->count += 1;
    }
    return FIRN_OK;
}
