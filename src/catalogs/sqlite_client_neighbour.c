// What else lies where a table lies. A renamed table keeps its folder, so that the default location
// of a new one may be taken, and its files must not be taken for the new one's.
#include "catalogs/sqlite_client_private.h"
#include "io/io_path.h"
#include "memory/text_builder.h"

#define LOCATION_FORMS 3

// The ways in which a folder is written, with a slash: "/x/", "file:/x/" (Java), "file:///x/".
static firn_status forms_of(text location, arena *memory, text out[LOCATION_FORMS],
                            firn_error *err) {
    char whole[IO_LOCAL_PATH_MAX];
    const text folder = io_path_unslashed(location);
    if (!io_path_is_local(folder)) {
        for (int i = 0; i < LOCATION_FORMS; i++) {
            TRY(text_format(memory, &out[i], err, "%.*s/", TEXT_ARGS(folder)));
        }
        return FIRN_OK;
    }
    TRY(io_path_whole(folder, whole, err));
    TRY(text_format(memory, &out[0], err, "%s/", whole));
    TRY(text_format(memory, &out[1], err, "file:%s/", whole));
    return text_format(memory, &out[2], err, "file://%s/", whole);
}

static firn_status find(sqlite_client *self, const text *values, uint32_t count, arena *memory,
                        text *out, firn_error *err) {
    // substr and not LIKE, which would read signs of the path as a pattern.
    const char *sql = "SELECT table_namespace || '.' || table_name FROM iceberg_tables WHERE "
                      "(substr(metadata_location, 1, length(?1)) = ?1 OR "
                      "substr(metadata_location, 1, length(?2)) = ?2 OR "
                      "substr(metadata_location, 1, length(?3)) = ?3) AND NOT "
                      "(catalog_name = ?4 AND table_namespace = ?5 AND table_name = ?6) "
                      "ORDER BY 1 LIMIT 1";
    sqlite3_stmt *statement;
    bool has_row;
    TRY(sqlite_client_prepare(self, sql, values, count, &statement, err));
    firn_status status = sqlite_client_step(self, statement, &has_row, err);
    if (status == FIRN_OK && has_row) {
        status = sqlite_client_read_text(self, statement, 0, memory, out, err);
    }
    (void)sqlite3_finalize(statement);
    return status;
}

firn_status sqlite_client_neighbour(sqlite_client *self, object_name of, text location,
                                    arena *memory, text *out, const cancel_flag *cancel,
                                    firn_error *err) {
    text values[LOCATION_FORMS + 3];
    *out = (text){.size = 0};
    TRY(forms_of(location, memory, values, err));
    values[LOCATION_FORMS] = self->name;
    TRY(sqlite_client_join(of.space, memory, &values[LOCATION_FORMS + 1], err));
    values[LOCATION_FORMS + 2] = of.name;
    self->cancel = cancel;
    const firn_status status = find(self, values, LOCATION_FORMS + 3, memory, out, err);
    self->cancel = NULL;
    return status;
}
