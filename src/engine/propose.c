#include "engine/propose.h"

#include "engine/information_schema.h"

#define TOLD_SPACES_MAX 3
#define SEARCHED_SPACES_MAX 8 // Each is a question to the catalog.

void propose_catalogs(proposal *self, const catalog_set *among) {
    for (uint32_t i = 0; i < among->count; i++) {
        nearest_offer(&self->near, among->items[i]->alias);
    }
}

void propose_spaces(proposal *self, catalog *target, namespace_path space) {
    firn_error ignored = ERR_INIT;
    namespace_path *children = NULL;
    uint32_t count = 0;
    const namespace_path parent = {.count = space.count == 0 ? 0 : space.count - 1,
                                   .items = space.items};
    if (target == NULL ||
        target->kind->list_namespaces(target, parent, self->memory, &children, &count, self->cancel,
                                      &ignored) != FIRN_OK) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (children[i].count > 0) {
            nearest_offer(&self->near, children[i].items[children[i].count - 1]);
        }
    }
    if (parent.count == 0) {
        nearest_offer(&self->near, TEXT("information_schema"));
    }
}

void propose_tables(proposal *self, const object_place *beside) {
    firn_error ignored = ERR_INIT;
    catalog_entry_list entries = beside->listed;
    catalog *target = beside->catalog;
    if (target == NULL ||
        (!beside->is_listed && target->kind->list(target, beside->object.space, self->memory,
                                                  &entries, self->cancel, &ignored) != FIRN_OK)) {
        return;
    }
    for (uint32_t i = 0; i < entries.count; i++) {
        nearest_offer(&self->near, entries.items[i].name);
    }
}

void propose_information_schema(proposal *self) {
    for (uint32_t i = 0; i < INFORMATION_SCHEMA_COUNT; i++) {
        nearest_offer(&self->near, information_schema_name(i));
    }
}

// The schema among these that holds a thing of that name; `count` if none of the first does.
static uint32_t space_with(catalog *target, const namespace_path *spaces, uint32_t count, text name,
                           arena *memory, const cancel_flag *cancel, text *spelled) {
    for (uint32_t i = 0; i < count && i < SEARCHED_SPACES_MAX && name.size > 0; i++) {
        firn_error ignored = ERR_INIT;
        catalog_entry_list entries = {0};
        if (target->kind->list(target, spaces[i], memory, &entries, cancel, &ignored) != FIRN_OK) {
            continue;
        }
        for (uint32_t k = 0; k < entries.count; k++) {
            if (text_equal_nocase(entries.items[k].name, name)) {
                *spelled = entries.items[k].name;
                return i;
            }
        }
    }
    return count;
}

void propose_schemas_of(catalog *target, text name, arena *memory, const cancel_flag *cancel,
                        firn_error *err) {
    const namespace_path root = {0};
    namespace_path *spaces = NULL;
    uint32_t count = 0;
    firn_error ignored = ERR_INIT;
    if (target->kind->list_namespaces(target, root, memory, &spaces, &count, cancel, &ignored) !=
        FIRN_OK) {
        return;
    }
    text spelled = name;
    const uint32_t found = space_with(target, spaces, count, name, memory, cancel, &spelled);
    text_builder told = text_builder_open(memory);
    text words;
    if (found < count) {
        text_append_format(&told, "%.*s", TEXT_ARGS(target->alias));
        for (uint32_t i = 0; i < spaces[found].count; i++) {
            text_append_format(&told, ".%.*s", TEXT_ARGS(spaces[found].items[i]));
        }
        text_append_format(&told, ".%.*s", TEXT_ARGS(spelled));
    }
    for (uint32_t i = 0; found == count && i < count && i < TOLD_SPACES_MAX; i++) {
        const text last = spaces[i].count > 0 ? spaces[i].items[spaces[i].count - 1] : TEXT("");
        text_append_format(&told, "%s\"%.*s\"", i == 0 ? "" : ", ", TEXT_ARGS(last));
    }
    if (text_builder_finish(&told, &words, &ignored) != FIRN_OK) {
        return;
    }
    if (found < count) {
        err_hint(err, "did you mean \"%.*s\"?", TEXT_ARGS(words));
    } else if (count > 0) {
        err_hint(err, "its schema%s %.*s%s", count == 1 ? " is" : "s are", TEXT_ARGS(words),
                 count > TOLD_SPACES_MAX ? ", …" : "");
    } else if (!target->is_read_only) {
        err_hint(err, "it has no schema yet; CREATE SCHEMA %.*s.x makes one",
                 TEXT_ARGS(target->alias));
    }
}
