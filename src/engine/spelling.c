#include "engine/spelling.h"

#include <stdlib.h>

#include "memory/text_builder.h"

#define SPELLINGS_MAX 8 // More are not listed by an error.

// Names of a list that are the wanted one but for case.
typedef struct spellings {
    text wanted;
    bool is_quoted; // Then they are not looked for.
    bool is_there;  // The wanted one itself, which wins.
    uint32_t count;
    text found[SPELLINGS_MAX];
} spellings;

static void offer(spellings *self, text name) {
    self->is_there = self->is_there || text_equal(name, self->wanted);
    if (self->is_quoted || !text_equal_nocase(name, self->wanted)) {
        return;
    }
    bool is_known = self->count == SPELLINGS_MAX;
    for (uint32_t i = 0; i < self->count && !is_known; i++) {
        is_known = text_equal(self->found[i], name); // Servers repeat some.
    }
    if (!is_known) {
        self->found[self->count++] = name;
    }
}

static int compare_names(const void *left, const void *right) {
    return text_compare(*(const text *)left, *(const text *)right);
}

static firn_status refuse_several(spellings *self, const char *what, arena *memory,
                                  firn_error *err) {
    qsort(self->found, self->count, sizeof *self->found, compare_names);
    text_builder builder = text_builder_open(memory);
    for (uint32_t i = 0; i < self->count; i++) {
        text_append(&builder, i == 0                 ? TEXT("")
                              : i + 1 == self->count ? TEXT(" and ")
                                                     : TEXT(", "));
        text_append_format(&builder, "\"%.*s\"", TEXT_ARGS(self->found[i]));
    }
    text names;
    TRY(text_builder_finish(&builder, &names, err));
    firn_status status =
        FAIL_SQL(err, FIRN_INVALID, "42P09", NO_POSITION, "\"%.*s\" is any of the %s %.*s",
                 TEXT_ARGS(self->wanted), what, TEXT_ARGS(names));
    err_hint(err, "in double quotes a name is only what is written so: \"%.*s\"",
             TEXT_ARGS(self->found[0]));
    return status;
}

// The one that is meant, if any is.
static firn_status choose(spellings *self, const char *what, arena *memory, text *name,
                          bool *is_found, firn_error *err) {
    *is_found = self->is_there || self->count > 0;
    if (!self->is_there && self->count > 1) {
        return refuse_several(self, what, memory, err);
    }
    if (!self->is_there && self->count == 1) {
        *name = self->found[0];
    }
    return FIRN_OK;
}

// Whether a list must do without what was asked for, or everything ends.
static firn_status forgive(firn_status status, const firn_error *said, firn_error *err) {
    if (status_is_refusal(status)) {
        *err = *said;
        return status;
    }
    return FIRN_OK;
}

// ---- Schemas -----------------------------------------------------------------------------------

// The last level of `space`, in the list of those before it.
static firn_status spell_last(catalog *target, namespace_path space, arena *memory,
                              const cancel_flag *cancel, bool *is_found, firn_error *err) {
    const uint32_t last = space.count - 1;
    const namespace_path parent = {.count = last, .items = space.items};
    namespace_path *children = NULL;
    uint32_t count = 0;
    firn_error said = ERR_INIT;
    const firn_status status =
        target->kind->list_namespaces(target, parent, memory, &children, &count, cancel, &said);
    TRY(forgive(status, &said, err));
    spellings all = {.wanted = space.items[last], .is_quoted = namespace_is_exact(space, last)};
    for (uint32_t i = 0; i < count && status == FIRN_OK; i++) {
        if (children[i].count == space.count) {
            offer(&all, children[i].items[last]);
        }
    }
    return choose(&all, "schemas", memory, &space.items[last], is_found, err);
}

static firn_status spell_levels(catalog *target, namespace_path *space, arena *memory,
                                const cancel_flag *cancel, bool *exists, firn_error *err) {
    text *levels = ARENA_NEW(memory, text, (size_t)space->count + 1);
    if (levels == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < space->count; i++) {
        levels[i] = space->items[i];
    }
    space->items = levels;
    *exists = space->count > 0;
    for (uint32_t i = 0; i < space->count && *exists; i++) {
        const namespace_path first = {
            .count = i + 1, .items = levels, .are_exact = space->are_exact};
        TRY(spell_last(target, first, memory, cancel, exists, err));
    }
    return FIRN_OK;
}

firn_status spell_space(catalog *target, namespace_path *space, arena *memory,
                        const cancel_flag *cancel, bool *exists, firn_error *err) {
    TRY(target->kind->has_namespace(target, *space, exists, cancel, err));
    return *exists || target->kind->finds_any_case
               ? FIRN_OK
               : spell_levels(target, space, memory, cancel, exists, err);
}

firn_status spell_list(catalog *target, namespace_path *space, arena *memory,
                       catalog_entry_list *out, const cancel_flag *cancel, firn_error *err) {
    bool exists = false;
    firn_error said = ERR_INIT;
    const firn_status status = target->kind->list(target, *space, memory, out, cancel, &said);
    if (status == FIRN_NOT_FOUND && !target->kind->finds_any_case) {
        TRY(spell_levels(target, space, memory, cancel, &exists, err));
    }
    if (exists) {
        return target->kind->list(target, *space, memory, out, cancel, err);
    }
    if (status != FIRN_OK) {
        *err = said;
    }
    return status;
}

// ---- Tables and views --------------------------------------------------------------------------

static bool is_same_space(namespace_path left, namespace_path right) {
    bool is_same = left.count == right.count;
    for (uint32_t i = 0; i < left.count && is_same; i++) {
        is_same = text_equal(left.items[i], right.items[i]);
    }
    return is_same;
}

static firn_status list_place(object_place *self, arena *memory, const cancel_flag *cancel,
                              firn_status *listed, firn_error *err) {
    firn_error said = ERR_INIT;
    self->listed = (catalog_entry_list){0};
    *listed = self->catalog->kind->list(self->catalog, self->object.space, memory, &self->listed,
                                        cancel, &said);
    if (*listed != FIRN_OK) {
        self->listed = (catalog_entry_list){0};
    }
    return forgive(*listed, &said, err);
}

firn_status spell_place(object_place *self, arena *memory, const cancel_flag *cancel,
                        firn_error *err) {
    if (self->catalog == NULL || self->catalog->kind->finds_any_case || self->is_listed) {
        return FIRN_OK;
    }
    const namespace_path written = self->object.space;
    firn_status listed;
    bool exists;
    self->is_listed = true;
    TRY(list_place(self, memory, cancel, &listed, err));
    // A schema with something in it is there as it is written. Some list nothing of one that is
    // not.
    if (listed == FIRN_NOT_FOUND || (listed == FIRN_OK && self->listed.count == 0)) {
        TRY(spell_levels(self->catalog, &self->object.space, memory, cancel, &exists, err));
        self->is_spelled = exists && !is_same_space(self->object.space, written);
    }
    if (self->is_spelled) {
        TRY(list_place(self, memory, cancel, &listed, err));
    }
    bool is_found;
    spellings all = {.wanted = self->object.name, .is_quoted = self->object.is_exact};
    for (uint32_t i = 0; i < self->listed.count; i++) {
        offer(&all, self->listed.items[i].name);
    }
    TRY(choose(&all, "tables and views", memory, &self->object.name, &is_found, err));
    self->is_spelled = self->is_spelled || !text_equal(self->object.name, all.wanted);
    return FIRN_OK;
}
