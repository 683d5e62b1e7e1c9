// Properties of views that are there. They are no version of it.
#include "base/nearest.h"
#include "base/number_text.h"
#include "tables/iceberg/iceberg_view_private.h"

bool view_is_reserved(text key) {
    static const char *const keys[] = {"provider", "location", "format-version",
                                       "spark.query-column-names"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (text_equal(key, text_of(keys[i]))) {
            return true;
        }
    }
    return false;
}

// Of the property `index` of those that a statement names.
static uint64_t position_of(const uint32_t *positions, size_t index) {
    return positions == NULL ? NO_POSITION : positions[index];
}

static firn_status refuse_reserved(text key, uint64_t position, firn_error *err) {
    return view_is_reserved(key) ? FAIL_SQL(err, FIRN_INVALID, "22023", position,
                                            "the property \"%.*s\" is reserved", TEXT_ARGS(key))
                                 : FIRN_OK;
}

firn_status view_check_properties(const firn_option *properties, size_t count,
                                  const uint32_t *positions, firn_error *err) {
    for (size_t i = 0; i < count; i++) {
        const text value = text_of(properties[i].value);
        const uint64_t position = position_of(positions, i);
        int64_t number;
        TRY(refuse_reserved(text_of(properties[i].key), position, err));
        if (text_equal(text_of(properties[i].key), TEXT(VIEW_HISTORY)) &&
            (number_parse_i64(value, &number) != NUMBER_OK || number < 1 || number > INT32_MAX)) {
            return FAIL_SQL(err, FIRN_INVALID, "22023", position,
                            "\"" VIEW_HISTORY "\" is \"%.*s\", 1 to %d is allowed",
                            TEXT_ARGS(value), INT32_MAX);
        }
    }
    return FIRN_OK;
}

static firn_status say_not_there(text key, uint64_t position, const json_node *properties,
                                 firn_error *err) {
    nearest_name near = nearest_to(key);
    const firn_status status = FAIL_SQL(err, FIRN_INVALID, "22023", position,
                                        "the view has no property \"%.*s\"", TEXT_ARGS(key));
    for (const json_node *each = properties == NULL ? NULL : properties->first; each != NULL;
         each = each->next) {
        nearest_offer(&near, each->key);
    }
    if (!nearest_hint(&near, err)) {
        err_hint(err, "UNSET TBLPROPERTIES IF EXISTS passes over those that are not there");
    }
    return status;
}

typedef struct property_play {
    const property_change *wanted;
    view_play view;
    json_writer updates;
} property_play;

static void set_all(property_play *self, const json_node **properties) {
    json_editor *edit = &self->view.edit;
    view_begin_update(&self->updates, "set-properties");
    json_write_key(&self->updates, TEXT("updates"));
    json_begin_object(&self->updates);
    for (size_t i = 0; i < self->wanted->set_count; i++) {
        const text key = text_of(self->wanted->set[i].key);
        const text value = text_of(self->wanted->set[i].value);
        *properties = json_edit_member(edit, *properties, key, json_edit_text(edit, value));
        json_write_key(&self->updates, key);
        json_write_text(&self->updates, value);
    }
    json_end_object(&self->updates);
    json_end_object(&self->updates);
}

static firn_status remove_all(property_play *self, const json_node **properties, firn_error *err) {
    const json_node *old = *properties;
    uint32_t count = 0;
    for (size_t i = 0; i < self->wanted->removed_count; i++) {
        const char *key = self->wanted->removed[i];
        const uint64_t position = position_of(self->wanted->positions, self->wanted->set_count + i);
        TRY(refuse_reserved(text_of(key), position, err));
        if (old != NULL && json_find(old, key) != NULL) {
            if (count++ == 0) {
                view_begin_update(&self->updates, "remove-properties");
                json_write_key(&self->updates, TEXT("removals"));
                json_begin_array(&self->updates);
            }
            *properties = json_edit_member(&self->view.edit, *properties, text_of(key), NULL);
            json_write_text(&self->updates, text_of(key));
        } else if (self->wanted->must_be_there) {
            return say_not_there(text_of(key), position, old, err);
        }
    }
    if (count > 0) {
        json_end_array(&self->updates);
        json_end_object(&self->updates);
    }
    return FIRN_OK;
}

firn_status ice_view_change_properties(const property_change *wanted, bytes old, arena *memory,
                                       ice_view_change *out, firn_error *err) {
    text_builder json = text_builder_open(memory);
    property_play play = {.wanted = wanted,
                          .view = {.edit = {.memory = memory}},
                          .updates = json_writer_into(&json, 0)};
    const json_node *properties = NULL;
    TRY(view_check_properties(wanted->set, wanted->set_count, wanted->positions, err));
    TRY(view_play_read(&play.view, old, out, err));
    TRY(json_want_object(play.view.root, "properties", &properties, err));
    const json_node *before = properties;
    json_begin_array(&play.updates);
    if (wanted->set_count > 0) {
        set_all(&play, &properties);
    }
    TRY(remove_all(&play, &properties, err));
    json_end_array(&play.updates);
    json_writer_finish(&play.updates);
    TRY(text_builder_finish(&json, &out->updates, err));
    out->is_empty = properties == before;
    view_play_put(&play.view, "properties", properties);
    return view_play_print(&play.view, &out->metadata, err);
}

firn_status ice_view_next(const view_change *wanted, bytes old, arena *memory, ice_view_change *out,
                          firn_error *err) {
    return wanted->kind == VIEW_PROPERTIES
               ? ice_view_change_properties(wanted->properties, old, memory, out, err)
               : ice_view_replace(wanted->view, old, memory, out, err);
}
