#include "memory/json_tree.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PATH_LEVELS_MAX 32
#define PATH_SIZE_MAX 400

// ---- Reading -----------------------------------------------------------------------------------

// Where the next node goes.
typedef struct tree_place {
    json_node *parent;
    const json_node **link; // The pointer that will point to it.
    text key;
} tree_place;

static firn_status take_text(arena *memory, const json_token *token, text *out, firn_error *err) {
    if (!token->has_escapes) {
        *out = token->raw;
        return FIRN_OK;
    }
    char *copy = ARENA_NEW(memory, char, token->raw.size);
    if (copy == NULL) {
        return ARENA_FULL(memory, err);
    }
    *out = (text){.data = copy, .size = json_unescape(token, copy)};
    return FIRN_OK;
}

static firn_status add_node(arena *memory, const json_token *token, const tree_place *place,
                            json_node **out, firn_error *err) {
    json_node *node = ARENA_NEW(memory, json_node, 1);
    if (node == NULL) {
        return ARENA_FULL(memory, err);
    }
    *node = (json_node){.kind = token->kind, .key = place->key, .parent = place->parent};
    if (token->kind == JSON_STRING) {
        TRY(take_text(memory, token, &node->value, err));
    } else if (token->kind == JSON_NUMBER) {
        node->value = token->raw;
    }
    if (place->parent != NULL) {
        if (place->parent->count == UINT32_MAX) {
            return FAIL(err, FIRN_CORRUPT, "JSON: more than %u values in one array or object",
                        UINT32_MAX);
        }
        place->parent->count += 1;
    }
    *place->link = node;
    *out = node;
    return FIRN_OK;
}

// Where to go on when a child ends.
typedef struct tree_level {
    json_node *node;
    const json_node **link;
    arena_mark before; // The child, where elements are handed out one by one.
} tree_level;

typedef struct tree_reader {
    arena *memory;
    const json_tree_parts *parts;
    json_reader in;
    const json_node *root;
    tree_place place;
    arena_mark before; // The node at hand.
    size_t depth;
    tree_level open[JSON_DEPTH_MAX]; // The reader bounds the depth.
} tree_reader;

static bool is_streamed(const tree_reader *self, const json_node *parent) {
    return self->parts->is_streamed != NULL && parent != NULL && parent->kind == JSON_ARRAY &&
           self->parts->is_streamed(self->parts->user, parent);
}

// Hands an element out that is complete, and forgets it.
static firn_status end_node_read(tree_reader *self, const json_node *node, arena_mark before,
                                 firn_error *err) {
    json_node *parent = self->place.parent;
    if (!is_streamed(self, parent)) {
        return FIRN_OK;
    }
    TRY(self->parts->element(self->parts->user, node, err));
    arena_rewind(self->memory, before);
    parent->first = NULL;
    self->place.link = &parent->first;
    return FIRN_OK;
}

static bool is_wanted(const tree_reader *self, json_kind kind) {
    const json_node *parent = self->place.parent;
    return self->parts->wants == NULL || parent == NULL || parent->kind != JSON_OBJECT ||
           self->parts->wants(self->parts->user, parent, self->place.key, kind);
}

static firn_status read_value(tree_reader *self, const json_token *token, firn_error *err) {
    if (!is_wanted(self, token->kind)) {
        self->place.key = (text){0};
        arena_rewind(self->memory, self->before);
        return json_skip(&self->in, token, err);
    }
    json_node *node;
    const bool has_key = self->place.parent != NULL && self->place.parent->kind == JSON_OBJECT;
    const arena_mark before = has_key ? self->before : arena_mark_take(self->memory);
    TRY(add_node(self->memory, token, &self->place, &node, err));
    self->place.link = &node->next;
    self->place.key = (text){0};
    if (token->kind != JSON_OBJECT && token->kind != JSON_ARRAY) {
        return end_node_read(self, node, before, err);
    }
    self->open[self->depth++] =
        (tree_level){.node = self->place.parent, .link = self->place.link, .before = before};
    self->place = (tree_place){.parent = node, .link = &node->first};
    return FIRN_OK;
}

static firn_status read_token(tree_reader *self, const json_token *token, firn_error *err) {
    if (token->kind == JSON_KEY) {
        self->before = arena_mark_take(self->memory);
        return take_text(self->memory, token, &self->place.key, err);
    }
    if (token->kind != JSON_OBJECT_END && token->kind != JSON_ARRAY_END) {
        return read_value(self, token, err);
    }
    const json_node *node = self->place.parent;
    const tree_level *level = &self->open[--self->depth];
    self->place = (tree_place){.parent = level->node, .link = level->link};
    return end_node_read(self, node, level->before, err);
}

firn_status json_tree_read_parts(arena *memory, bytes input, const json_tree_parts *parts,
                                 const json_node **out, firn_error *err) {
    tree_reader self;
    self.memory = memory;
    self.parts = parts;
    self.in = json_reader_open(input);
    self.root = NULL;
    self.place = (tree_place){.link = &self.root};
    self.before = arena_mark_take(memory);
    self.depth = 0;
    json_token token;
    TRY(json_next(&self.in, &token, err));
    while (token.kind != JSON_END) {
        TRY(read_token(&self, &token, err));
        TRY(json_next(&self.in, &token, err));
    }
    *out = self.root;
    return FIRN_OK;
}

firn_status json_tree_read(arena *memory, bytes input, const json_node **out, firn_error *err) {
    static const json_tree_parts all = {.user = NULL};
    return json_tree_read_parts(memory, input, &all, out, err);
}

const json_node *json_find(const json_node *self, const char *key) {
    if (self->kind != JSON_OBJECT) {
        return NULL;
    }
    const text wanted = text_of(key);
    const json_node *found = NULL;
    for (const json_node *member = self->first; member != NULL; member = member->next) {
        if (text_equal(member->key, wanted)) {
            found = member;
        }
    }
    return found;
}

const json_node *json_find_numbered(const json_node *list, const char *key, int64_t number) {
    for (const json_node *each = list == NULL ? NULL : list->first; each != NULL;
         each = each->next) {
        const json_node *member = json_find(each, key);
        int64_t is = 0;
        firn_error ignored = ERR_INIT;
        if (member != NULL && json_as_i64(member, &is, &ignored) == FIRN_OK && is == number) {
            return each;
        }
    }
    return NULL;
}

// ---- Messages ----------------------------------------------------------------------------------

static void append_path(char *path, size_t *used, const char *format, ...) PRINTF_LIKE(3, 4);

static void append_path(char *path, size_t *used, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const int wanted = vsnprintf(path + *used, PATH_SIZE_MAX - *used, format, args);
    va_end(args);
    *used += wanted > 0 ? (size_t)wanted : 0;
    *used = *used < PATH_SIZE_MAX ? *used : PATH_SIZE_MAX - 1;
}

// Behind those of a streamed array that were forgotten, only one is there. A node that is on its
// way into an edited tree (memory/json_edit.h) is not in its array yet.
static size_t index_of(const json_node *node) {
    size_t index = 0;
    for (const json_node *at = node->parent->first; at != NULL && at != node; at = at->next) {
        index += 1;
    }
    const bool is_first_left = index == 0 && node->next == NULL;
    return is_first_left ? node->parent->count - 1 : index;
}

// Writes such as `snapshots[3].summary`; the document itself is an empty path.
static size_t write_path(const json_node *node, char path[PATH_SIZE_MAX]) {
    const json_node *levels[PATH_LEVELS_MAX];
    size_t count = 0;
    for (; node->parent != NULL; node = node->parent) {
        if (count == PATH_LEVELS_MAX) {
            break;
        }
        levels[count++] = node;
    }
    size_t used = 0;
    path[0] = '\0';
    if (node->parent != NULL) {
        append_path(path, &used, "...");
    }
    for (; count > 0; count--) {
        const json_node *at = levels[count - 1];
        if (at->parent->kind == JSON_ARRAY) {
            append_path(path, &used, "[%zu]", index_of(at));
        } else {
            append_path(path, &used, "%s%.*s", used == 0 ? "" : ".", TEXT_ARGS(at->key));
        }
    }
    return used;
}

firn_status json_node_fail(const json_node *self, firn_error *err, const char *format, ...) {
    char path[PATH_SIZE_MAX];
    char what[PATH_SIZE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (write_path(self, path) == 0) {
        return FAIL(err, FIRN_CORRUPT, "the document %s", what);
    }
    return FAIL(err, FIRN_CORRUPT, "\"%s\" %s", path, what);
}

static firn_status fail_missing(const json_node *self, const char *key, firn_error *err) {
    char path[PATH_SIZE_MAX];
    if (self->kind != JSON_OBJECT) {
        return json_node_fail(self, err, "is %s, an object with \"%s\" is required",
                              json_kind_words(self->kind), key);
    }
    const size_t size = write_path(self, path);
    return FAIL(err, FIRN_CORRUPT, "missing \"%s%s%s\"", path, size == 0 ? "" : ".", key);
}

static firn_status fail_kind(const json_node *self, firn_error *err, const char *required) {
    if (self->kind == JSON_NUMBER) {
        return json_node_fail(self, err, "is %.*s, %s is required",
                              (int)(self->value.size < 40 ? self->value.size : 40),
                              self->value.data, required);
    }
    return json_node_fail(self, err, "is %s, %s is required", json_kind_words(self->kind),
                          required);
}

// ---- Nodes -------------------------------------------------------------------------------------

firn_status json_as_object(const json_node *self, firn_error *err) {
    return self->kind == JSON_OBJECT ? FIRN_OK : fail_kind(self, err, "an object");
}

firn_status json_as_array(const json_node *self, firn_error *err) {
    return self->kind == JSON_ARRAY ? FIRN_OK : fail_kind(self, err, "an array");
}

firn_status json_as_text(const json_node *self, text *out, firn_error *err) {
    if (self->kind != JSON_STRING) {
        return fail_kind(self, err, "a string");
    }
    *out = self->value;
    return FIRN_OK;
}

firn_status json_as_i64(const json_node *self, int64_t *out, firn_error *err) {
    if (self->kind != JSON_NUMBER) {
        return fail_kind(self, err, "a whole number");
    }
    const number_answer answer = number_parse_i64(self->value, out);
    if (answer == NUMBER_SYNTAX) {
        return fail_kind(self, err, "a whole number");
    }
    return answer == NUMBER_OK ? FIRN_OK : fail_kind(self, err, "a number of 64 bits");
}

firn_status json_as_i32(const json_node *self, int32_t *out, firn_error *err) {
    int64_t wide = 0;
    TRY(json_as_i64(self, &wide, err));
    if (wide < INT32_MIN || wide > INT32_MAX) {
        return fail_kind(self, err, "a number of 32 bits");
    }
    *out = (int32_t)wide;
    return FIRN_OK;
}

firn_status json_as_f64(const json_node *self, double *out, firn_error *err) {
    if (self->kind != JSON_NUMBER || number_parse_f64(self->value, out) != NUMBER_OK) {
        return fail_kind(self, err, "a number in the range of doubles");
    }
    return FIRN_OK;
}

firn_status json_as_bool(const json_node *self, bool *out, firn_error *err) {
    if (self->kind != JSON_TRUE && self->kind != JSON_FALSE) {
        return fail_kind(self, err, "true or false");
    }
    *out = self->kind == JSON_TRUE;
    return FIRN_OK;
}

// ---- Members -----------------------------------------------------------------------------------

static firn_status as_object(const json_node *self, const json_node **out, firn_error *err) {
    TRY(json_as_object(self, err));
    *out = self;
    return FIRN_OK;
}

static firn_status as_array(const json_node *self, const json_node **out, firn_error *err) {
    TRY(json_as_array(self, err));
    *out = self;
    return FIRN_OK;
}

// Name, type of the result, and the function that takes it from the member.
#define MEMBER_LIST(X)                                                                             \
    X(object, const json_node *, as_object)                                                        \
    X(array, const json_node *, as_array)                                                          \
    X(text, text, json_as_text)                                                                    \
    X(i64, int64_t, json_as_i64)                                                                   \
    X(i32, int32_t, json_as_i32)                                                                   \
    X(f64, double, json_as_f64)                                                                    \
    X(bool, bool, json_as_bool)

#define X(name, type, as)                                                                          \
    firn_status json_get_##name(const json_node *self, const char *key, type *out,                 \
                                firn_error *err) {                                                 \
        const json_node *member = json_find(self, key);                                            \
        return member == NULL ? fail_missing(self, key, err) : as(member, out, err);               \
    }                                                                                              \
    firn_status json_want_##name(const json_node *self, const char *key, type *out,                \
                                 firn_error *err) {                                                \
        const json_node *member = json_find(self, key);                                            \
        return member == NULL || member->kind == JSON_NULL ? FIRN_OK : as(member, out, err);       \
    }
MEMBER_LIST(X)
#undef X

// ---- Writing -----------------------------------------------------------------------------------

static void write_scalar(json_writer *self, const json_node *node) {
    switch (node->kind) {
    case JSON_STRING:
        json_write_text(self, node->value);
        return;
    case JSON_NUMBER:
        json_write_raw(self, node->value);
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        json_write_bool(self, node->kind == JSON_TRUE);
        return;
    case JSON_NULL:
    case JSON_OBJECT:
    case JSON_ARRAY:
    case JSON_END:
    case JSON_OBJECT_END:
    case JSON_ARRAY_END:
    case JSON_KEY:
    case JSON_KIND_COUNT:
        break;
    }
    assert(node->kind == JSON_NULL);
    json_write_null(self);
}

static bool has_inside(const json_node *self) {
    return self->kind == JSON_OBJECT || self->kind == JSON_ARRAY;
}

static void begin_node(json_writer *self, const json_node *node) {
    if (node->kind == JSON_OBJECT) {
        json_begin_object(self);
    } else {
        json_begin_array(self);
    }
}

static void end_node(json_writer *self, const json_node *node) {
    if (node->kind == JSON_OBJECT) {
        json_end_object(self);
    } else {
        json_end_array(self);
    }
}

// Down to first members, along to the next ones, up at the end: without recursion, and without
// `parent`, since edited trees share nodes.
void json_write_node(json_writer *self, const json_node *node) {
    const json_node *open[JSON_DEPTH_MAX]; // Objects and arrays that `at` is in.
    uint32_t depth = 0;
    const json_node *at = node;
    do {
        if (depth > 0 && open[depth - 1]->kind == JSON_OBJECT) {
            json_write_key(self, at->key);
        }
        if (!has_inside(at)) {
            write_scalar(self, at);
        } else {
            begin_node(self, at);
            if (at->first != NULL) {
                assert(depth < JSON_DEPTH_MAX);
                open[depth++] = at;
                at = at->first;
                continue;
            }
            end_node(self, at);
        }
        while (depth > 0 && at->next == NULL) {
            at = open[--depth];
            end_node(self, at);
        }
        at = at->next;
    } while (depth > 0);
}

static void append_to_builder(void *user, const char *data, size_t size) {
    text_append(user, (text){.data = data, .size = size});
}

json_writer json_writer_into(text_builder *builder, uint32_t indent_blanks) {
    return json_writer_open((json_sink){.user = builder, .append = append_to_builder},
                            indent_blanks);
}
