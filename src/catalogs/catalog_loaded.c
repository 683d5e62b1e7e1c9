#include "catalogs/catalog_loaded.h"

#include "memory/text_builder.h"

firn_status catalog_properties_as_options(const catalog_properties *self, arena *memory,
                                          firn_option **out, firn_error *err) {
    *out = NULL;
    if (self->count == 0) {
        return FIRN_OK;
    }
    firn_option *items = ARENA_NEW(memory, firn_option, self->count);
    if (items == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < self->count; i++) {
        text key;
        text value;
        TRY(text_copy(memory, self->items[i].key, &key, err));
        TRY(text_copy(memory, self->items[i].value, &value, err));
        items[i] = (firn_option){.key = key.data, .value = value.data};
    }
    *out = items;
    return FIRN_OK;
}
