// Arbitrary bytes as a JSON document.
//
// Oracles: what is accepted is written, read again and written to the same text, compact and
// indented; and jansson accepts the same documents and finds the same values. It differs by design
// in three ways, which are left out: whole numbers beyond 64 bits, reals beyond doubles, NUL in
// keys.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory/json_tree.h"

#if defined(FIRN_ORACLE_JANSSON)
// Its enumerators have the names of ours.
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_TRUE JANSSON_TRUE
#define JSON_FALSE JANSSON_FALSE
#define JSON_NULL JANSSON_NULL
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL
#endif

#define MEMORY_MAX ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static text write_tree(arena *memory, const json_node *root, uint32_t indent_blanks) {
    text_builder builder = text_builder_open(memory);
    json_writer out = json_writer_into(&builder, indent_blanks);
    json_write_node(&out, root);
    json_writer_finish(&out);
    text written = {0};
    firn_error err = ERR_INIT;
    if (text_builder_finish(&builder, &written, &err) != FIRN_OK) {
        abort();
    }
    return written;
}

static void check_round_trip(arena *memory, const json_node *root) {
    const text compact = write_tree(memory, root, 0);
    for (uint32_t blanks = 0; blanks <= 2; blanks += 2) {
        const text written = write_tree(memory, root, blanks);
        const json_node *again;
        firn_error err = ERR_INIT;
        const bytes input = {.data = (const uint8_t *)written.data, .size = written.size};
        if (json_tree_read(memory, input, &again, &err) != FIRN_OK ||
            !text_equal(write_tree(memory, again, 0), compact)) {
            abort();
        }
    }
}

#if defined(FIRN_ORACLE_JANSSON)

// Whether the document holds what jansson refuses and the standard allows.
static bool is_beyond_jansson(const json_node *root) {
    const json_node *at = root;
    for (;;) {
        if (at->key.size > 0 && memchr(at->key.data, 0, at->key.size) != NULL) {
            return true;
        }
        int64_t whole;
        double real;
        if (at->kind == JSON_NUMBER && (number_parse_i64(at->value, &whole) == NUMBER_OVERFLOW ||
                                        number_parse_f64(at->value, &real) == NUMBER_OVERFLOW)) {
            return true;
        }
        if (at->first != NULL) {
            at = at->first;
            continue;
        }
        while (at != root && at->next == NULL) {
            at = at->parent;
        }
        if (at == root) {
            return false;
        }
        at = at->next;
    }
}

static bool same_value(const json_node *node, const json_t *value);

static bool same_number(const json_node *node, const json_t *value) {
    int64_t whole = 0;
    if (number_parse_i64(node->value, &whole) == NUMBER_OK) {
        return json_typeof(value) == JSON_INTEGER && json_integer_value(value) == whole;
    }
    double real = 0;
    return number_parse_f64(node->value, &real) == NUMBER_OK && json_typeof(value) == JSON_REAL &&
           json_real_value(value) == real;
}

static bool same_members(const json_node *node, const json_t *value) {
    for (const json_node *member = node->first; member != NULL; member = member->next) {
        char *key = calloc(1, member->key.size + 1);
        if (key == NULL) {
            abort();
        }
        for (size_t i = 0; i < member->key.size; i++) {
            key[i] = member->key.data[i];
        }
        const json_node *last = json_find(node, key);
        const json_t *found = json_object_get(value, key);
        free(key);
        if (last == NULL || found == NULL || (last == member && !same_value(member, found))) {
            return false;
        }
    }
    return json_object_size(value) <= node->count;
}

static bool same_elements(const json_node *node, const json_t *value) {
    size_t index = 0;
    for (const json_node *element = node->first; element != NULL; element = element->next) {
        if (!same_value(element, json_array_get(value, index))) {
            return false;
        }
        index += 1;
    }
    return json_array_size(value) == index;
}

// Recursive: the reader has bounded the depth.
static bool same_value(const json_node *node, const json_t *value) {
    if (value == NULL) {
        return false;
    }
    const json_type type = json_typeof(value);
    switch (type) {
    case JANSSON_OBJECT:
        return node->kind == JSON_OBJECT && same_members(node, value);
    case JANSSON_ARRAY:
        return node->kind == JSON_ARRAY && same_elements(node, value);
    case JSON_INTEGER:
    case JSON_REAL:
        return node->kind == JSON_NUMBER && same_number(node, value);
    case JANSSON_STRING:
        return node->kind == JSON_STRING && json_string_length(value) == node->value.size &&
               memcmp(json_string_value(value), node->value.data, node->value.size) == 0;
    case JANSSON_TRUE:
        return node->kind == JSON_TRUE;
    case JANSSON_FALSE:
        return node->kind == JSON_FALSE;
    case JANSSON_NULL:
        return node->kind == JSON_NULL;
    }
    return false;
}

static void check_oracle(bytes input, const json_node *root, const firn_error *err) {
    json_error_t unused;
    json_t *value =
        json_loadb((const char *)input.data, input.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &unused);
    if (root == NULL) {
        if (value != NULL && strstr(err->text, "levels are nested") == NULL &&
            strstr(err->text, "the byte 0x00 is here") == NULL) {
            abort();
        }
    } else if (value == NULL ? !is_beyond_jansson(root) : !same_value(root, value)) {
        abort();
    }
    json_decref(value);
}

#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const bytes input = {.data = data, .size = size};
    arena memory = arena_open(MEMORY_MAX);
    firn_error err = ERR_INIT;
    const json_node *root = NULL;
    const firn_status status = json_tree_read(&memory, input, &root, &err);
    if (status == FIRN_NO_MEMORY) {
        arena_close(&memory);
        return 0;
    }
    if (status == FIRN_OK) {
        check_round_trip(&memory, root);
    }
#if defined(FIRN_ORACLE_JANSSON)
    check_oracle(input, status == FIRN_OK ? root : NULL, &err);
#endif
    arena_close(&memory);
    return 0;
}
