#include "catalogs/view_file.h"

#include "io/io_path.h"
#include "memory/text_builder.h"
#include "tables/iceberg/iceberg_uuid.h"
#include "tables/iceberg/iceberg_view_write.h"

#define VIEW_BYTES_MAX ((uint64_t)64 << 20)
#define NUMBER_DIGITS_MAX 9

static firn_status put_file(io *files, text location, uint64_t number, text metadata, arena *memory,
                            text *out, firn_error *err) {
    char uuid[ICE_UUID_SIZE + 1];
    TRY(ice_uuid_make(uuid, err));
    TRY(text_format(memory, out, err, "%.*s/metadata/%05llu-%s.metadata.json",
                    TEXT_ARGS(io_path_unslashed(location)), (unsigned long long)number, uuid));
    const firn_status status = io_put(files, *out, bytes_of_text(metadata), err);
    if (status != FIRN_OK) {
        io_path_while(err, "writing", *out);
    }
    return status;
}

firn_status view_file_read(io *files, const loaded_table *loaded, arena *memory, bytes *out,
                           const cancel_flag *cancel, firn_error *err) {
    *out = loaded->metadata;
    return out->size > 0
               ? FIRN_OK
               : io_get(files, loaded->metadata_location, VIEW_BYTES_MAX, cancel, memory, out, err);
}

firn_status view_file_write(io *files, const new_view *view, text location, arena *memory,
                            text *out, firn_error *err) {
    text metadata;
    TRY(ice_view_first(view, location, memory, &metadata, err));
    return put_file(files, location, 0, metadata, memory, out, err);
}

// 7 of ".../metadata/00007-….metadata.json"; 0 of other names.
static uint64_t number_of(text path) {
    const text name = io_path_name(path);
    size_t digits = 0;
    uint64_t number = 0;
    while (digits < name.size && digits < NUMBER_DIGITS_MAX && name.data[digits] >= '0' &&
           name.data[digits] <= '9') {
        number = number * 10 + (uint64_t)(name.data[digits++] - '0');
    }
    return digits < name.size && name.data[digits] == '-' ? number : 0;
}

firn_status view_file_next(io *files, const view_change *change, const loaded_table *old,
                           arena *memory, written_view *out, firn_error *err) {
    ice_view_change next;
    bytes file;
    TRY(view_file_read(files, old, memory, &file, NULL, err));
    TRY(ice_view_next(change, file, memory, &next, err));
    *out = (written_view){.retry = next.retry};
    return next.is_empty ? FIRN_OK
                         : put_file(files, next.location, number_of(old->metadata_location) + 1,
                                    next.metadata, memory, &out->path, err);
}

void view_file_remove(io *files, text path, bool is_first) {
    firn_error ignored = ERR_INIT;
    (void)io_remove(files, path, &ignored);
    text folder = path;
    for (int i = 0; i < 2 && is_first; i++) { // metadata, and what that lies in.
        folder = io_path_folder(folder);
        // With the '/' behind it, so that no file of that name is removed.
        (void)io_remove(files, text_slice(path, 0, folder.size + 1), &ignored);
    }
}
