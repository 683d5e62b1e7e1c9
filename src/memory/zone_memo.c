#include "memory/zone_memo.h"

#include <string.h>

#include "memory/text_builder.h"

typedef struct zone_memo_entry {
    struct zone_memo_entry *next;
    text name;
    zone_cursor cursor;
} zone_memo_entry;

zone_memo zone_memo_make(arena *memory) {
    return (zone_memo){.memory = memory};
}

// Makes an entry for a name that is not there yet; NULL if there is no such zone.
static zone_memo_entry *add(zone_memo *self, text name) {
    firn_error ignored = ERR_INIT;
    const zone *found;
    text own;
    const firn_status status = zone_load_or_abbreviation(self->memory, name, &found, &ignored);
    self->is_refused = status_is_refusal(status);
    if (status != FIRN_OK) {
        return NULL; // Names that are none take no memory.
    }
    zone_memo_entry *entry = ARENA_NEW(self->memory, zone_memo_entry, 1);
    if (entry == NULL || text_copy(self->memory, name, &own, &ignored) != FIRN_OK) {
        self->is_refused = true;
        return NULL;
    }
    *entry = (zone_memo_entry){.name = own, .cursor = zone_cursor_open(found)};
    return entry;
}

zone_cursor *zone_memo_find(zone_memo *self, text name) {
    if (name.size == 0 || name.size > sizeof self->missing_bytes ||
        (self->missing.size > 0 && text_equal(self->missing, name))) {
        return NULL;
    }
    zone_memo_entry **link = &self->entries;
    while (*link != NULL && !text_equal_nocase((*link)->name, name)) {
        link = &(*link)->next;
    }
    zone_memo_entry *entry = *link;
    if (entry != NULL) {
        *link = entry->next;
    } else {
        entry = add(self, name);
        if (entry == NULL) {
            memcpy(self->missing_bytes, name.data, name.size);
            self->missing = (text){.data = self->missing_bytes, .size = name.size};
            return NULL;
        }
    }
    entry->next = self->entries;
    self->entries = entry;
    return &entry->cursor;
}

void zone_memo_say_missing(text name, arena *scratch, firn_error *err) {
    firn_error said = ERR_INIT;
    const zone *unused;
    err_set_sql(err, FIRN_INVALID, "22023", NO_POSITION, "there is no time zone \"%.*s\"",
                TEXT_ARGS(name));
    if (zone_load_or_abbreviation(scratch, name, &unused, &said) != FIRN_OK &&
        said.hint[0] != '\0') {
        err_hint(err, "%s", said.hint);
    }
}
