// Encryption keys of metadata that is changed.
#include "base/base64.h"
#include "tables/iceberg/iceberg_metadata_private.h"

#define KEYS_VERSION 3 // Tables have encryption keys from here on.

static firn_status need_keys(const metadata_change *self, firn_error *err) {
    return self->version >= KEYS_VERSION
               ? FIRN_OK
               : FAIL(err, FIRN_INVALID,
                      "a table of version %d has no encryption keys, one of %d has", self->version,
                      KEYS_VERSION);
}

// The keys without that of an id.
static firn_status drop_key(metadata_change *self, text id, firn_error *err) {
    const json_node *keys = NULL;
    const json_node *left = json_edit_array(&self->edit);
    TRY(json_want_array(self->root, "encryption-keys", &keys, err));
    for (const json_node *each = keys == NULL ? NULL : keys->first; each != NULL;
         each = each->next) {
        text other = {.size = 0};
        TRY(json_as_object(each, err));
        TRY(json_want_text(each, "key-id", &other, err));
        if (!text_equal(other, id)) {
            left = json_edit_append(&self->edit, left, each);
            TRY(json_edit_check(&self->edit, err));
        }
    }
    change_put(self, "encryption-keys", left);
    return json_edit_check(&self->edit, err);
}

static bool is_base64(text encoded) {
    size_t size = encoded.size;
    while (size > 0 && encoded.size - size < 2 && encoded.data[size - 1] == '=') {
        size -= 1;
    }
    bool is = size > 0 && encoded.size % 4 == 0;
    for (size_t i = 0; i < size; i++) {
        is = is && base64_value(encoded.data[i]) >= 0;
    }
    return is;
}

firn_status change_add_key(metadata_change *self, const json_node *update, firn_error *err) {
    const json_node *key;
    text id;
    text encrypted;
    text by = {.size = 0};
    TRY(need_keys(self, err));
    TRY(json_get_object(update, "encryption-key", &key, err));
    TRY(json_get_text(key, "key-id", &id, err));
    TRY(json_get_text(key, "encrypted-key-metadata", &encrypted, err));
    TRY(json_want_text(key, "encrypted-by-id", &by, err));
    TRY(change_check_texts(key, "properties", err));
    if (id.size == 0 || !is_base64(encrypted)) {
        return FAIL(err, FIRN_INVALID,
                    "an encryption key has no id, or \"encrypted-key-metadata\" is not Base64");
    }
    TRY(drop_key(self, id, err)); // Added twice it is there once.
    return change_append(self, "encryption-keys", key, err);
}

firn_status change_remove_key(metadata_change *self, const json_node *update, firn_error *err) {
    text id;
    TRY(need_keys(self, err));
    TRY(json_get_text(update, "key-id", &id, err));
    return drop_key(self, id, err);
}
