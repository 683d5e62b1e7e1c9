#include "engine/settings.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/duration_text.h"
#include "base/host.h"
#include "base/nearest.h"
#include "base/number_text.h"

typedef enum setting_kind {
    KIND_BYTES,
    KIND_THREADS,
    KIND_TIME,
    KIND_ZONE,
    KIND_BOOL,
    KIND_AUTO, // Or off.
    KIND_FOLDER,
    KIND_PATH,
    KIND_ISOLATION,
    KIND_ARROW, // The option of what is behind the prefix.
} setting_kind;

typedef struct setting_row {
    const char *name;
    setting_kind kind;
    const char *initial;
    const char *description;
} setting_row;

static const setting_row rows[SETTING_COUNT] = {
#define SETTING(member, name, kind, initial, description)                                          \
    [SETTING_##member] = {name, KIND_##kind, initial, description},
#include "engine/settings.def"
#undef SETTING
};

text setting_name(setting_id id) {
    return text_of(rows[id].name);
}
text setting_default(setting_id id) {
    return text_of(rows[id].initial);
}
text setting_description(setting_id id) {
    return text_of(rows[id].description);
}

// ---- Values ----------------------------------------------------------------------------------

typedef struct size_unit {
    const char *word;
    double bytes;
} size_unit;

#define KIB 1024.0
#define BYTES_MAX 1e18 // More fits into no uint64_t once it is added to another.
static const size_unit units[] = {
    {"", 1},
    {"b", 1},
    {"k", KIB},
    {"kb", KIB},
    {"kib", KIB},
    {"m", KIB * KIB},
    {"mb", KIB * KIB},
    {"mib", KIB * KIB},
    {"g", KIB * KIB * KIB},
    {"gb", KIB * KIB * KIB},
    {"gib", KIB * KIB * KIB},
    {"t", KIB * KIB * KIB * KIB},
    {"tb", KIB * KIB * KIB * KIB},
    {"tib", KIB * KIB * KIB * KIB},
};

// 512MB, 1.5 GiB, 80%. MB means 2^20 as memory is counted.
bool settings_parse_size(text value, uint64_t *out) {
    size_t digits = 0;
    while (digits < value.size && ((value.data[digits] >= '0' && value.data[digits] <= '9') ||
                                   value.data[digits] == '.')) {
        digits++;
    }
    double number;
    if (digits == 0 || number_parse_f64(text_slice(value, 0, digits), &number) != NUMBER_OK) {
        return false;
    }
    text unit = text_slice(value, digits, value.size);
    while (unit.size > 0 && unit.data[0] == ' ') {
        unit = text_slice(unit, 1, unit.size);
    }
    if (text_equal(unit, TEXT("%"))) {
        const bool is_share = number > 0 && number <= 100;
        *out = is_share ? (uint64_t)((double)host_memory_bytes() * number / 100) : 0;
        return is_share;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (text_equal_nocase(unit, text_of(units[i].word))) {
            const double bytes = number * units[i].bytes;
            const bool is_size = bytes >= 1 && bytes < BYTES_MAX;
            *out = is_size ? (uint64_t)bytes : 0;
            return is_size;
        }
    }
    return false;
}

// Both write nothing if it is no such value.
static bool parse_auto(text value, bool *out) {
    const bool is_auto = text_equal_nocase(value, TEXT("auto"));
    const bool is_good = is_auto || text_equal_nocase(value, TEXT("off"));
    *out = is_good ? is_auto : *out;
    return is_good;
}

static bool parse_isolation(text value, isolation *out) {
    static const char *const words[] = {[ISOLATION_TABLE] = "table",
                                        [ISOLATION_SNAPSHOT] = "snapshot",
                                        [ISOLATION_SERIALIZABLE] = "serializable"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (text_equal_nocase(value, text_of(words[i]))) {
            *out = (isolation)i;
            return true;
        }
    }
    return false;
}

bool settings_parse_bool(text value, bool *out) {
    static const char *const yes[] = {"true", "on", "yes", "1", "t"};
    static const char *const no[] = {"false", "off", "no", "0", "f"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (text_equal_nocase(value, text_of(yes[i])) || text_equal_nocase(value, text_of(no[i]))) {
            *out = text_equal_nocase(value, text_of(yes[i]));
            return true;
        }
    }
    return false;
}

#define MIB (UINT64_C(1) << 20)
#define MEMORY_LIMIT_MIN (UINT64_C(4) << 20)
#define THREADS_MAX 1024

#define ARROW_PREFIX "arrow."

static firn_status refuse(setting_id id, text value, const char *allowed, firn_error *err) {
    return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                    "\"%.*s\" is no value of the setting \"%s\": %s", TEXT_ARGS(value),
                    rows[id].name, allowed);
}

static firn_status set_threads(settings *self, text value, firn_error *err) {
    int64_t threads;
    if (text_equal_nocase(value, TEXT("auto"))) {
        self->threads = host_cpu_count();
        return FIRN_OK;
    }
    if (number_parse_i64(value, &threads) != NUMBER_OK || threads < 1 || threads > THREADS_MAX) {
        return refuse(SETTING_threads, value, "auto, or a number from 1 to 1024", err);
    }
    self->threads = (uint32_t)threads;
    return FIRN_OK;
}

text search_path_next(text *rest) {
    const size_t comma = text_find(*rest, TEXT(","));
    text first = text_slice(*rest, 0, comma);
    *rest = comma == rest->size ? TEXT("") : text_slice(*rest, comma + 1, rest->size);
    while (first.size > 0 && first.data[0] == ' ') {
        first = text_slice(first, 1, first.size);
    }
    while (first.size > 0 && first.data[first.size - 1] == ' ') {
        first = text_slice(first, 0, first.size - 1);
    }
    return first;
}

// The default is not looked for: who never spills needs no folder.
static firn_status check_folder(setting_id id, text value, firn_error *err) {
    char path[SETTING_TEXT_MAX];
    host_stat found;
    if (text_equal(value, setting_default(id))) {
        return FIRN_OK;
    }
    (void)snprintf(path, sizeof path, "%.*s", TEXT_ARGS(value));
    firn_error ignored = ERR_INIT;
    if (host_path_stat(path, &found, &ignored) != FIRN_OK) {
        return refuse(id, value, "there is no such folder", err);
    }
    return found.is_folder ? FIRN_OK : refuse(id, value, "it is no folder", err);
}

static firn_status check_path(setting_id id, text value, firn_error *err) {
    text rest = value;
    uint32_t count = 0;
    do {
        if (search_path_next(&rest).size == 0) {
            return refuse(id, value, "names of schemas are needed, separated by commas", err);
        }
        count++;
    } while (rest.size > 0);
    return count <= SEARCH_PATH_MAX ? FIRN_OK : refuse(id, value, "16 schemas are the most", err);
}

// Checks a value and stores what it means.
static firn_status apply(settings *self, setting_id id, text value, firn_error *err) {
    switch (rows[id].kind) {
    case KIND_BYTES: {
        uint64_t bytes;
        if (!settings_parse_size(value, &bytes)) {
            return refuse(id, value, "a size such as 512MB or 80% is needed", err);
        }
        if (bytes < MEMORY_LIMIT_MIN) {
            return refuse(id, value, "at least 4MB are needed", err);
        }
        self->memory_limit = bytes;
        return FIRN_OK;
    }
    case KIND_THREADS:
        return set_threads(self, value, err);
    case KIND_TIME:
        return duration_parse_ms(value, &self->http_timeout_ms)
                   ? FIRN_OK
                   : refuse(id, value, DURATION_ALLOWED " is needed", err);
    case KIND_ZONE:
        return zone_cache_find(self->zones, value, &self->time_zone, err);
    case KIND_BOOL:
        return settings_parse_bool(value, &self->is_on[id])
                   ? FIRN_OK
                   : refuse(id, value, "true or false is needed", err);
    case KIND_AUTO:
        return parse_auto(value, &self->is_on[id])
                   ? FIRN_OK
                   : refuse(id, value, "auto or off is needed", err);
    case KIND_FOLDER:
        return check_folder(id, value, err);
    case KIND_PATH:
        return check_path(id, value, err);
    case KIND_ISOLATION:
        return parse_isolation(value, &self->isolation)
                   ? FIRN_OK
                   : refuse(id, value, "table, snapshot or serializable is needed", err);
    case KIND_ARROW: {
        const text name = setting_name(id);
        const text key = text_slice(name, sizeof ARROW_PREFIX - 1, name.size);
        return arrow_options_set(&self->arrow, key, value, err);
    }
    }
    return FIRN_OK;
}

static firn_status put(settings *self, setting_id id, text value, firn_error *err) {
    if (value.size >= SETTING_TEXT_MAX) {
        return refuse(id, text_slice(value, 0, 32), "it is too long", err);
    }
    TRY(apply(self, id, value, err));
    if (id == SETTING_time_zone) { // As others spell it, who look without regard to case.
        value = self->time_zone->name;
    }
    if (value.size > 0) {
        memcpy(self->texts[id], value.data, value.size);
    }
    self->texts[id][value.size] = '\0';
    return FIRN_OK;
}

firn_status settings_open(zone_cache *zones, settings *out, firn_error *err) {
    *out = (settings){.zones = zones};
    for (int id = 0; id < SETTING_COUNT; id++) {
        TRY(put(out, (setting_id)id, setting_default((setting_id)id), err));
    }
    return FIRN_OK;
}

// ---- Names -----------------------------------------------------------------------------------

firn_status settings_find(text name, setting_id *out, firn_error *err) {
    nearest_name near = nearest_to(name);
    for (int id = 0; id < SETTING_COUNT; id++) {
        if (text_equal_nocase(name, text_of(rows[id].name))) {
            *out = (setting_id)id;
            return FIRN_OK;
        }
        nearest_offer(&near, text_of(rows[id].name));
    }
    firn_status status = FAIL_SQL(err, FIRN_INVALID, "42704", NO_POSITION,
                                  "there is no setting \"%.*s\"", TEXT_ARGS(name));
    if (!nearest_hint(&near, err)) {
        err_hint(err, "SHOW ALL SETTINGS lists them");
    }
    return status;
}

bool setting_is_of_engine(setting_id id) {
    return id == SETTING_memory_limit || id == SETTING_threads || id == SETTING_temp_directory ||
           id == SETTING_http_timeout;
}

firn_status settings_set(settings *self, text name, text value, firn_error *err) {
    setting_id id;
    TRY(settings_find(name, &id, err));
    return put(self, id, value, err);
}

firn_status settings_reset(settings *self, text name, firn_error *err) {
    setting_id id;
    TRY(settings_find(name, &id, err));
    return put(self, id, setting_default(id), err);
}

firn_status settings_set_path(settings *self, text path, firn_error *err) {
    if (path.size >= SETTING_TEXT_MAX) {
        return refuse(SETTING_search_path, text_slice(path, 0, 32), "it is too long", err);
    }
    memcpy(self->texts[SETTING_search_path], path.data, path.size);
    self->texts[SETTING_search_path][path.size] = '\0';
    return FIRN_OK;
}

void settings_resolved(const settings *self, setting_id id, char *out) {
    if (id == SETTING_threads) {
        (void)snprintf(out, SETTING_TEXT_MAX, "%" PRIu32, self->threads);
    } else if (id == SETTING_memory_limit && self->memory_limit % MIB == 0) {
        (void)snprintf(out, SETTING_TEXT_MAX, "%" PRIu64 "MB", self->memory_limit / MIB);
    } else if (id == SETTING_memory_limit) {
        (void)snprintf(out, SETTING_TEXT_MAX, "%.1fMB", (double)self->memory_limit / MIB);
    } else {
        memcpy(out, self->texts[id], SETTING_TEXT_MAX);
    }
}

void settings_copy_out(text found, char *value, size_t *size) {
    const size_t needed = found.size + 1;
    if (value != NULL && *size >= needed) {
        memcpy(value, found.data, found.size);
        value[found.size] = '\0';
    }
    *size = needed;
}
