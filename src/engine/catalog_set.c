// The catalogs of a session as an immutable list: attaching and detaching make another one, so a
// run goes on with what was there when it began, on whatever thread it binds.
#include "base/host.h"
#include "engine/objects.h"

firn_status attached_open(catalog *taken, bool is_owned, text alias, attached **out,
                          firn_error *err) {
    arena memory = arena_open(SIZE_MAX);
    attached *self = ARENA_NEW(&memory, attached, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (attached){.catalog = taken, .is_owned = is_owned};
    firn_status status = text_copy(&memory, alias, &self->alias, err);
    if (status != FIRN_OK) {
        arena_close(&memory);
        return status;
    }
    atomic_init(&self->references, 1);
    self->memory = memory;
    *out = self;
    return FIRN_OK;
}

void attached_release(attached *self) {
    if (self == NULL ||
        atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (self->is_owned) {
        self->catalog->kind->close(self->catalog);
    }
    arena memory = self->memory; // It holds `self`.
    arena_close(&memory);
}

catalog_set *catalog_set_retain(catalog_set *self) {
    if (self != NULL) {
        (void)atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    }
    return self;
}

void catalog_set_release(catalog_set *self) {
    if (self == NULL ||
        atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (uint32_t i = 0; i < self->count; i++) {
        attached_release(self->items[i]);
    }
    host_free(self);
}

static firn_status new_set(uint32_t count, catalog_set **out, firn_error *err) {
    const size_t size = sizeof(catalog_set) + count * sizeof(attached *);
    catalog_set *self = host_alloc(size);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", size);
    }
    *self = (catalog_set){.count = count};
    atomic_init(&self->references, 1);
    *out = self;
    return FIRN_OK;
}

static attached *retain(attached *self) {
    (void)atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    return self;
}

firn_status catalog_set_with(const catalog_set *self, attached *added, catalog_set **out,
                             firn_error *err) {
    const uint32_t count = self == NULL ? 0 : self->count;
    TRY(new_set(count + 1, out, err));
    (*out)->items[0] = retain(added);
    for (uint32_t i = 0; i < count; i++) {
        (*out)->items[i + 1] = retain(self->items[i]);
    }
    return FIRN_OK;
}

firn_status catalog_set_without(const catalog_set *self, const attached *removed, catalog_set **out,
                                firn_error *err) {
    TRY(new_set(self->count - 1, out, err));
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->count; i++) {
        if (self->items[i] != removed) {
            (*out)->items[count++] = retain(self->items[i]);
        }
    }
    return FIRN_OK;
}

const attached *catalog_set_find(const catalog_set *self, const sql_name *name) {
    for (uint32_t i = 0; i < self->count; i++) {
        const text alias = self->items[i]->alias;
        if (name->is_quoted ? text_equal(name->value, alias)
                            : text_equal_nocase(name->value, alias)) {
            return self->items[i];
        }
    }
    return NULL;
}

catalog *catalog_set_catalog(const catalog_set *self, const sql_name *name) {
    const attached *found = catalog_set_find(self, name);
    return found == NULL ? NULL : found->catalog;
}
