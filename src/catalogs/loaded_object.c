#include "catalogs/loaded_object.h"

#include "catalogs/view_file.h"
#include "memory/text_builder.h"
#include "tables/iceberg/iceberg_snapshot.h"
#include "tables/iceberg/iceberg_view.h"

static firn_status dotted_name(const loaded_name *name, arena *memory, text *out, firn_error *err) {
    text_builder builder = text_builder_open(memory);
    for (uint32_t i = 0; i < name->object.space.count; i++) {
        text_append(&builder, name->object.space.items[i]);
        text_append_char(&builder, '.');
    }
    text_append(&builder, name->object.name);
    return text_builder_finish(&builder, out, err);
}

static firn_status open_view(io *files, const loaded_name *name, const loaded_table *loaded,
                             arena *memory, view_definition **out, const cancel_flag *cancel,
                             firn_error *err) {
    bytes file;
    TRY(view_file_read(files, loaded, memory, &file, cancel, err));
    return ice_view_read(file, name->alias, memory, out, err);
}

firn_status loaded_object_open(io *files, const loaded_name *name, const loaded_table *loaded,
                               arena *memory, catalog_object *out, const cancel_flag *cancel,
                               firn_error *err) {
    const table_version *version = name->version;
    text dotted;
    firn_status status;
    *out = (catalog_object){.view = NULL};
    TRY(dotted_name(name, memory, &dotted, err));
    if (!loaded->is_view) {
        const ice_open what = {.pool = name->pool,
                               .location = loaded->metadata_location,
                               .metadata = loaded->metadata,
                               .catalog = name->alias,
                               .name = dotted,
                               .version = version};
        status = ice_table_open(files, &what, cancel, &out->snapshot, err);
    } else if (version != NULL && version->kind != VERSION_CURRENT) {
        return FAIL_SQL(err, FIRN_INVALID, "42809", NO_POSITION,
                        "\"%.*s\" is a view and has no earlier versions", TEXT_ARGS(dotted));
    } else {
        status = open_view(files, name, loaded, memory, &out->view, cancel, err);
        if (status == FIRN_OK) {
            out->view->name = dotted;
        }
    }
    if (status != FIRN_OK) {
        err_while(err, "loading %s \"%.*s\" of catalog \"%.*s\"",
                  loaded->is_view ? "view" : "table", TEXT_ARGS(dotted), TEXT_ARGS(name->alias));
    }
    return status;
}
