#include "memory/json_edit.h"

static json_node *node_new(json_editor *self, json_kind kind) {
    static const json_node empty = {.kind = JSON_NULL};
    json_node *made = ARENA_NEW(self->memory, json_node, 1);
    if (made == NULL) {
        self->is_full = true;
        return NULL;
    }
    *made = empty;
    made->kind = kind;
    return made;
}

const json_node *json_edit_text(json_editor *self, text value) {
    json_node *made = node_new(self, JSON_STRING);
    if (made != NULL) {
        made->value = value;
    }
    return made;
}

const json_node *json_edit_i64(json_editor *self, int64_t value) {
    firn_error ignored = ERR_INIT;
    json_node *made = node_new(self, JSON_NUMBER);
    if (made != NULL &&
        text_format(self->memory, &made->value, &ignored, "%lld", (long long)value) != FIRN_OK) {
        self->is_full = true;
    }
    return made;
}

const json_node *json_edit_object(json_editor *self) {
    return node_new(self, JSON_OBJECT);
}

const json_node *json_edit_array(json_editor *self) {
    return node_new(self, JSON_ARRAY);
}

// A list of nodes that is being made.
typedef struct node_chain {
    json_editor *editor;
    json_node *parent;
    json_node *last;
} node_chain;

static node_chain chain_of(json_editor *self, const json_node *like, json_kind kind) {
    node_chain out = {.editor = self, .parent = node_new(self, kind)};
    if (out.parent != NULL && like != NULL) {
        out.parent->key = like->key;
        out.parent->parent = like->parent;
    }
    return out;
}

static void chain_add(node_chain *self, const json_node *value, text key) {
    json_node *made = self->parent == NULL ? NULL : node_new(self->editor, value->kind);
    if (made == NULL) {
        return;
    }
    *made = *value;
    made->key = key;
    made->next = NULL;
    made->parent = self->parent;
    if (self->last == NULL) {
        self->parent->first = made;
    } else {
        self->last->next = made;
    }
    self->last = made;
    self->parent->count++;
}

const json_node *json_edit_member(json_editor *self, const json_node *object, text key,
                                  const json_node *value) {
    node_chain out = chain_of(self, object, JSON_OBJECT);
    bool is_put = value == NULL;
    for (const json_node *each = object == NULL ? NULL : object->first; each != NULL;
         each = each->next) {
        if (!text_equal(each->key, key)) {
            chain_add(&out, each, each->key);
        } else if (!is_put) {
            chain_add(&out, value, key);
            is_put = true;
        }
    }
    if (!is_put) {
        chain_add(&out, value, key);
    }
    return out.parent;
}

const json_node *json_edit_append(json_editor *self, const json_node *array,
                                  const json_node *value) {
    node_chain out = chain_of(self, array, JSON_ARRAY);
    for (const json_node *each = array == NULL ? NULL : array->first; each != NULL;
         each = each->next) {
        chain_add(&out, each, each->key);
    }
    if (value != NULL) {
        chain_add(&out, value, (text){.size = 0});
    }
    return out.parent;
}

const json_node *json_edit_keep(json_editor *self, const json_node *array,
                                bool (*keeps)(void *user, const json_node *element), void *user) {
    node_chain out = chain_of(self, array, array->kind);
    for (const json_node *each = array->first; each != NULL; each = each->next) {
        if (keeps(user, each)) {
            chain_add(&out, each, each->key);
        }
    }
    return out.parent;
}

firn_status json_edit_check(const json_editor *self, firn_error *err) {
    return self->is_full ? ARENA_FULL(self->memory, err) : FIRN_OK;
}

static const json_node *member_of(const json_node *object, text key) {
    const json_node *found = NULL;
    for (const json_node *each = object->first; each != NULL; each = each->next) {
        found = text_equal(each->key, key) ? each : found;
    }
    return found;
}

// Whether `right` has all that `left` has. Recursion is bounded by JSON_DEPTH_MAX.
static bool is_within(const json_node *left, const json_node *right) {
    const bool has_members = left->kind == JSON_OBJECT; // Of several of a key the last counts.
    if (left->kind != right->kind || !text_equal(left->value, right->value) ||
        (!has_members && left->count != right->count)) {
        return false;
    }
    const json_node *beside = right->first;
    for (const json_node *each = left->first; each != NULL; each = each->next) {
        // One that does not count is passed over: going into the last once for each of a key would
        // take two to the power of the depth.
        if (!has_members || member_of(left, each->key) == each) {
            const json_node *other = has_members ? member_of(right, each->key) : beside;
            if (other == NULL || !is_within(each, other)) {
                return false;
            }
        }
        beside = beside == NULL ? NULL : beside->next;
    }
    return true;
}

bool json_nodes_equal(const json_node *left, const json_node *right) {
    return is_within(left, right) && is_within(right, left);
}
