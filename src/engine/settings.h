// Settings by name: what they are, how they are checked, and their values for an engine or session.
#ifndef FIRN_ENGINE_SETTINGS_H
#define FIRN_ENGINE_SETTINGS_H

#include "column/arrow.h"
#include "engine/zone_cache.h"
#include "tables/row_change.h"

#define SETTING(member, name, kind, initial, description) SETTING_##member,
typedef enum setting_id {
#include "engine/settings.def"
    SETTING_COUNT
} setting_id;
#undef SETTING

#define SETTING_TEXT_MAX 512

/// All values, as text and as what they mean. Plain data: a session's begin as a copy of its
/// engine's.
typedef struct settings {
    char texts[SETTING_COUNT][SETTING_TEXT_MAX];
    uint64_t memory_limit;
    uint32_t threads;
    uint32_t http_timeout_ms;
    bool is_on[SETTING_COUNT]; ///< Those of true and false, and of auto and off.
    isolation isolation;
    zone_cache *zones;     ///< The engine's.
    const zone *time_zone; ///< Of `zones`.
    arrow_options arrow;
} settings;

/// Every setting at its default.
firn_status settings_open(zone_cache *zones, settings *out, firn_error *err);
/// Sets one by its name (any case). Errors name the nearest setting, or what the value may be; then
/// nothing changed.
firn_status settings_set(settings *self, text name, text value, firn_error *err);
/// Sets one back to its default.
firn_status settings_reset(settings *self, text name, firn_error *err);
/// The setting of a name (any case); else FIRN_INVALID, with the nearest name.
firn_status settings_find(text name, setting_id *out, firn_error *err);
/// Limits, threads and folders are the engine's, whoever sets them.
bool setting_is_of_engine(setting_id id);
/// What search_path says after USE: no schema is allowed there.
firn_status settings_set_path(settings *self, text path, firn_error *err);
/// The value as text, where it says "auto" or a share what it comes to; `out` has SETTING_TEXT_MAX
/// bytes.
void settings_resolved(const settings *self, setting_id id, char *out);

#define SEARCH_PATH_MAX 16 ///< Schemas in search_path.
/// Takes the first schema off a search_path.
text search_path_next(text *rest);

/// The convention of firn_…_get: `*size` is the room in, what is needed with NUL out.
void settings_copy_out(text found, char *value, size_t *size);

text setting_name(setting_id id);
text setting_default(setting_id id);
text setting_description(setting_id id);

/// Values as settings and options write them: '512MB', true. They write nothing if it is no such
/// value; a size may also write 0 then.
bool settings_parse_size(text value, uint64_t *out);
bool settings_parse_bool(text value, bool *out);

#endif
