// Zones that need no file, and the way to those that do.
#include <stdio.h>
#include <string.h>

#include "base/date_cursor.h"
#include "base/host.h"
#include "base/nearest.h"
#include "base/zone.h"

#define FOLDER "/usr/share/zoneinfo/"

const zone zone_utc = {.has_rule = true, .rule = {.word = {.data = "UTC", .size = 3}}};

zone zone_fixed(int32_t offset_seconds) {
    zone self = zone_utc;
    self.rule.offset_seconds = offset_seconds;
    self.rule.summer_offset_seconds = offset_seconds;
    if (offset_seconds != 0) {
        self.rule.word = (text){0};
    }
    return self;
}

// ---- Offsets and abbreviations -----------------------------------------------------------------

bool zone_of_offset(text name, zone *out) {
    static const char *const words[] = {"UTC", "GMT", "Z", "Zulu"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (text_equal_nocase(name, text_of(words[i]))) {
            *out = zone_utc;
            out->name = text_of(words[i]);
            return true;
        }
    }
    date_cursor at = {.at = name.data, .end = name.data == NULL ? NULL : name.data + name.size};
    int32_t seconds;
    bool is_known;
    if (!date_take_offset(&at, &seconds, &is_known) || !date_at_end(&at)) {
        return false;
    }
    *out = zone_fixed(seconds);
    return true;
}

// Minutes ahead of UTC.
static const struct abbreviation {
    const char *word;
    int32_t minutes;
} abbreviations[] = {
    {"ACDT", 630},  {"ACST", 570}, {"ADT", -180}, {"AEDT", 660}, {"AEST", 600}, {"AKDT", -480},
    {"AKST", -540}, {"AST", -240}, {"AWST", 480}, {"BRT", -180}, {"BST", 60},   {"CDT", -300},
    {"CEST", 120},  {"CET", 60},   {"CST", -360}, {"EAT", 180},  {"EDT", -240}, {"EEST", 180},
    {"EET", 120},   {"EST", -300}, {"HKT", 480},  {"HST", -600}, {"ICT", 420},  {"IDT", 180},
    {"IST", 120},   {"JST", 540},  {"KST", 540},  {"MDT", -360}, {"MEST", 120}, {"MESZ", 120},
    {"MET", 60},    {"MEZ", 60},   {"MST", -420}, {"NDT", -150}, {"NPT", 345},  {"NST", -210},
    {"NZDT", 780},  {"NZST", 720}, {"PDT", -420}, {"PHT", 480},  {"PKT", 300},  {"PST", -480},
    {"SAST", 120},  {"UCT", 0},    {"UT", 0},     {"WAT", 60},   {"WET", 0},
};

bool zone_of_abbreviation(text name, zone *out) {
    for (size_t i = 0; i < sizeof abbreviations / sizeof *abbreviations; i++) {
        if (text_equal_nocase(name, text_of(abbreviations[i].word))) {
            *out = zone_fixed(abbreviations[i].minutes * 60);
            out->rule.word = text_of(abbreviations[i].word);
            return true;
        }
    }
    return zone_of_offset(name, out) && date_is_letter(name.data[0]);
}

// ---- Files -------------------------------------------------------------------------------------

// Letters, digits, '_', '+', '-' in parts between single slashes: no dot, so no way up or out.
static bool is_safe(text name) {
    bool is_part = false;
    for (size_t i = 0; i < name.size; i++) {
        const char byte = name.data[i];
        const bool is_slash = byte == '/';
        if (is_slash ? !is_part
                     : !(date_is_letter(byte) || date_is_digit(byte) || byte == '_' ||
                         byte == '+' || byte == '-')) {
            return false;
        }
        is_part = !is_slash;
    }
    return is_part && name.size <= ZONE_NAME_SIZE_MAX;
}

// How letters are written when the given spelling is not found: each word capitalised or in
// capitals, in the first part of the name and in the others.
typedef enum name_spelling {
    SPELLING_GIVEN,
    SPELLING_WORDS,         // Europe/Berlin
    SPELLING_CAPITALS,      // CET
    SPELLING_WORD_CAPITALS, // Etc/GMT+5
    SPELLING_CAPITALS_WORD, // US/Pacific
    SPELLING_COUNT
} name_spelling;

static void write_path(text name, name_spelling spelling, char *out) {
    memcpy(out, FOLDER, sizeof FOLDER - 1);
    char *at = out + sizeof FOLDER - 1;
    bool is_first_letter = true;
    bool has_capitals = spelling == SPELLING_CAPITALS || spelling == SPELLING_CAPITALS_WORD;
    for (size_t i = 0; i < name.size; i++) {
        char byte = name.data[i];
        if (date_is_letter(byte) && spelling != SPELLING_GIVEN) {
            byte = (char)(is_first_letter || has_capitals ? byte & ~0x20 : byte | 0x20);
        }
        if (byte == '/') {
            has_capitals = spelling == SPELLING_CAPITALS || spelling == SPELLING_WORD_CAPITALS;
        }
        is_first_letter = !date_is_letter(byte);
        at[i] = byte;
    }
    at[name.size] = '\0';
}

static firn_status read_file(const char *path, uint8_t *out, size_t *size, firn_error *err) {
    host_file file = HOST_FILE_NONE;
    host_stat stat;
    firn_status status = host_open(path, HOST_MODE_READ, &file, err);
    if (status != FIRN_OK) {
        return status;
    }
    status = host_file_stat(file, &stat, err);
    if (status == FIRN_OK && (stat.is_folder || stat.size > ZONE_FILE_SIZE_MAX)) {
        status = FAIL(err, FIRN_NOT_FOUND, "\"%s\" is no file of a time zone", path);
    }
    if (status == FIRN_OK) {
        *size = (size_t)stat.size;
        status = host_read(file, 0, *size, out, err);
    }
    host_close(&file);
    return status;
}

typedef struct zone_proposal {
    text wanted; // Behind the last '/'.
    size_t distance;
    char best[ZONE_NAME_SIZE_MAX + 1];
} zone_proposal;

static firn_status see_zone(void *user, const char *name, bool is_folder, firn_error *err) {
    (void)err;
    zone_proposal *self = user;
    if (is_folder || !is_safe(text_of(name))) { // Such as tables of zones.
        return FIRN_OK;
    }
    const size_t distance = text_distance(self->wanted, text_of(name));
    if (distance < self->distance) {
        self->distance = distance;
        (void)snprintf(self->best, sizeof self->best, "%s", name);
    }
    return FIRN_OK;
}

// The name in the same folder that is written most like this one.
static void propose_zone(text name, firn_error *err) {
    size_t from = name.size;
    while (from > 0 && name.data[from - 1] != '/') {
        from--;
    }
    char folder[sizeof FOLDER + ZONE_NAME_SIZE_MAX];
    write_path(text_slice(name, 0, from), SPELLING_GIVEN, folder);
    zone_proposal found = {.wanted = text_slice(name, from, name.size), .distance = SIZE_MAX};
    firn_error ignored = ERR_INIT;
    if (host_list(folder, see_zone, &found, &ignored) == FIRN_OK && found.distance < SIZE_MAX) {
        char whole[ZONE_NAME_SIZE_MAX + sizeof found.best];
        const int size = snprintf(whole, sizeof whole, "%.*s%s", (int)from, name.data, found.best);
        nearest_name near = nearest_to(found.wanted);
        nearest_offer(&near, text_of(found.best));
        if (near.count > 0 && size > 0) { // As SET and AT TIME ZONE take it: with the folder.
            near.found[0] = text_slice(text_of(whole), 0, (size_t)size);
            (void)nearest_hint(&near, err);
        }
    }
}

firn_status zone_file_read(text name, char *spelling, uint8_t *out, size_t *size, firn_error *err) {
    if (is_safe(name)) {
        for (int i = SPELLING_GIVEN; i < (int)SPELLING_COUNT; i++) {
            char path[sizeof FOLDER + ZONE_NAME_SIZE_MAX];
            write_path(name, (name_spelling)i, path);
            const firn_status status = read_file(path, out, size, err);
            if (status == FIRN_OK) {
                memcpy(spelling, path + sizeof FOLDER - 1, name.size + 1);
                return status;
            }
            TRY(err_forgive(err, status, FIRN_NOT_FOUND));
        }
    }
    const firn_status status =
        FAIL(err, FIRN_NOT_FOUND, "there is no time zone \"%.*s\"",
             (int)(name.size < ZONE_NAME_SIZE_MAX ? name.size : ZONE_NAME_SIZE_MAX),
             name.data == NULL ? "" : name.data);
    if (is_safe(name)) {
        propose_zone(name, err);
    }
    return status;
}
