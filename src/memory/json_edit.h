// JSON trees that are changed: every change is a new node, which shares what it did not change with
// the old one. So a document keeps what its editor does not know, and its old form stays as it was.
//
//     json_editor edit = {.memory = arena};
//     root = json_edit_member(&edit, root, TEXT("location"), json_edit_text(&edit, location));
//     root = json_edit_member(&edit, root, TEXT("refs"), NULL);                 removed
//     TRY(json_edit_check(&edit, err));
#ifndef FIRN_MEMORY_JSON_EDIT_H
#define FIRN_MEMORY_JSON_EDIT_H

#include "memory/json_tree.h"

/// Running out of memory is remembered, as by text_builder; nodes made after that mean nothing.
typedef struct json_editor {
    arena *memory; // Of nodes; texts are borrowed.
    bool is_full;
} json_editor;

const json_node *json_edit_text(json_editor *self, text value);
const json_node *json_edit_i64(json_editor *self, int64_t value);
const json_node *json_edit_object(json_editor *self); ///< Without members.
const json_node *json_edit_array(json_editor *self);  ///< Without elements.

/// `object` with a member: in the place of the first of that key, without any others of it; else as
/// the last. `value` NULL: without it. `object` NULL is one without members.
const json_node *json_edit_member(json_editor *self, const json_node *object, text key,
                                  const json_node *value);
/// `array` with one more element; NULL is one without elements.
const json_node *json_edit_append(json_editor *self, const json_node *array,
                                  const json_node *value);
/// The elements of `array` (or members of an object) that `keeps` says.
const json_node *json_edit_keep(json_editor *self, const json_node *array,
                                bool (*keeps)(void *user, const json_node *element), void *user);

/// FIRN_NO_MEMORY if anything did not fit.
firn_status json_edit_check(const json_editor *self, firn_error *err);

/// Whether two nodes mean the same: members of objects in any order, numbers by their text.
bool json_nodes_equal(const json_node *left, const json_node *right);

#endif
