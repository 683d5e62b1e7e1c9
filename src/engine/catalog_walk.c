#include "engine/catalog_walk.h"

#define NAMESPACE_DEPTH_MAX 16

typedef struct walk {
    run *owner;
    const attached *catalog;
    space_visit visit;
    void *user;
} walk;

static firn_status each_below(const walk *self, namespace_path parent, uint32_t depth,
                              firn_error *err) {
    namespace_path *children;
    uint32_t count;
    catalog *target = self->catalog->catalog;
    TRY(target->kind->list_namespaces(target, parent, &self->owner->memory, &children, &count,
                                      &self->owner->cancel, err));
    for (uint32_t i = 0; i < count; i++) {
        TRY(self->visit(self->owner, self->catalog, children[i], self->user, err));
        if (depth < NAMESPACE_DEPTH_MAX) {
            TRY(each_below(self, children[i], depth + 1, err));
        }
    }
    return FIRN_OK;
}

firn_status catalog_each_space(run *self, const attached *owner, space_visit visit, void *user,
                               firn_error *err) {
    const walk all = {.owner = self, .catalog = owner, .visit = visit, .user = user};
    return each_below(&all, (namespace_path){0}, 0, err);
}

firn_status catalog_dotted_space(run *self, namespace_path space, text *out, firn_error *err) {
    text_builder builder = text_builder_open(&self->memory);
    for (uint32_t i = 0; i < space.count; i++) {
        text_append(&builder, i == 0 ? TEXT("") : TEXT("."));
        text_append(&builder, space.items[i]);
    }
    return text_builder_finish(&builder, out, err);
}

text catalog_entry_kind(const run *self, const attached *owner, const catalog_entry *entry) {
    if (entry->kind == ENTRY_VIEW) {
        return TEXT("VIEW");
    }
    return owner->catalog == self->session->temporary ? TEXT("LOCAL TEMPORARY")
                                                      : TEXT("BASE TABLE");
}
