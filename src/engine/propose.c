#include "engine/propose.h"

#include "engine/information_schema.h"

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
