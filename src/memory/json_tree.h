// A JSON document in memory, read-only, for those that are looked at in any order: table metadata,
// answers of REST catalogs. Long or repetitive ones (logs, pages of results) are better read token
// by token: see base/json.h, whose parser this uses.
//
// Every getter says in its message what was found where, such as
//
//     missing "schemas[2].schema-id"
//     "snapshots[0].timestamp-ms" is a string, a whole number is required
//
// so that a reader of metadata is a list of TRY lines.
#ifndef FIRN_MEMORY_JSON_TREE_H
#define FIRN_MEMORY_JSON_TREE_H

#include "base/json.h"
#include "memory/arena.h"
#include "memory/text_builder.h"

typedef struct json_node json_node;

struct json_node {
    json_kind kind;          // JSON_OBJECT, ARRAY, STRING, NUMBER, TRUE, FALSE or NULL.
    uint32_t count;          // Members of an object, elements of an array.
    text key;                // In an object; without escapes.
    text value;              // String, without escapes: may hold NUL. Number: its text.
    const json_node *first;  // The first member or element, in the order of the document.
    const json_node *next;   // The next in the same object or array.
    const json_node *parent; // NULL: the document itself.
};

/// Reads a whole document into `memory`.
///
/// Borrows: `input`, as long as the tree is used: texts without escapes point into it.
/// Errors:  FIRN_CORRUPT with line and column, FIRN_NO_MEMORY.
firn_status json_tree_read(arena *memory, bytes input, const json_node **out, firn_error *err);

/// Which parts of a large document become a tree. Functions may be NULL.
typedef struct json_tree_parts {
    void *user;
    /// Whether the member `key` of `object`, of kind `kind`, is wanted; else it is passed over.
    bool (*wants)(void *user, const json_node *object, text key, json_kind kind);
    /// Whether elements of `array` are handed to `element` one by one, and forgotten after that.
    bool (*is_streamed)(void *user, const json_node *array);
    firn_status (*element)(void *user, const json_node *node, firn_error *err);
} json_tree_parts;

/// The same of parts of a document. A streamed array has its count and no elements in the tree.
/// `element` allocates nothing in `memory`.
firn_status json_tree_read_parts(arena *memory, bytes input, const json_tree_parts *parts,
                                 const json_node **out, firn_error *err);

/// The member of an object, or NULL; of several with this key the last, as other readers take it.
/// NULL too if `self` is no object.
const json_node *json_find(const json_node *self, const char *key);
/// The first element of a list of objects whose member `key` is this number, or NULL. NULL too if
/// `list` is NULL. Elements that are something else, or have no such number, are passed over.
const json_node *json_find_numbered(const json_node *list, const char *key, int64_t number);

// ---- Required members: FIRN_CORRUPT if missing or of another kind ------------------------------

firn_status json_get_object(const json_node *self, const char *key, const json_node **out,
                            firn_error *err);
firn_status json_get_array(const json_node *self, const char *key, const json_node **out,
                           firn_error *err);
firn_status json_get_text(const json_node *self, const char *key, text *out, firn_error *err);
/// A whole number: no point, no exponent.
firn_status json_get_i64(const json_node *self, const char *key, int64_t *out, firn_error *err);
firn_status json_get_i32(const json_node *self, const char *key, int32_t *out, firn_error *err);
firn_status json_get_f64(const json_node *self, const char *key, double *out, firn_error *err);
firn_status json_get_bool(const json_node *self, const char *key, bool *out, firn_error *err);

// ---- Optional members: `*out` stays as it is if the member is missing or null ------------------

firn_status json_want_object(const json_node *self, const char *key, const json_node **out,
                             firn_error *err);
firn_status json_want_array(const json_node *self, const char *key, const json_node **out,
                            firn_error *err);
firn_status json_want_text(const json_node *self, const char *key, text *out, firn_error *err);
firn_status json_want_i64(const json_node *self, const char *key, int64_t *out, firn_error *err);
firn_status json_want_i32(const json_node *self, const char *key, int32_t *out, firn_error *err);
firn_status json_want_f64(const json_node *self, const char *key, double *out, firn_error *err);
firn_status json_want_bool(const json_node *self, const char *key, bool *out, firn_error *err);

// ---- A node itself, such as the element of an array --------------------------------------------

firn_status json_as_object(const json_node *self, firn_error *err);
firn_status json_as_array(const json_node *self, firn_error *err);
firn_status json_as_text(const json_node *self, text *out, firn_error *err);
firn_status json_as_i64(const json_node *self, int64_t *out, firn_error *err);
firn_status json_as_i32(const json_node *self, int32_t *out, firn_error *err);
firn_status json_as_f64(const json_node *self, double *out, firn_error *err);
firn_status json_as_bool(const json_node *self, bool *out, firn_error *err);

/// Makes the error `"<path of self>" <text>`, for what the getters can't know:
/// json_node_fail(node, err, "is %d, at most 38 is allowed", precision).
firn_status json_node_fail(const json_node *self, firn_error *err, const char *format, ...)
    PRINTF_LIKE(3, 4);

// ---- Writing -----------------------------------------------------------------------------------

/// Writes a node and all below it, such as the unknown keys of metadata that is rewritten.
void json_write_node(json_writer *self, const json_node *node);

/// A writer whose text `builder` collects; see json_writer_open.
json_writer json_writer_into(text_builder *builder, uint32_t indent_blanks);

#endif
