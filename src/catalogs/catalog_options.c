#include "catalogs/catalog_options.h"

#include <assert.h>

#include "base/duration_text.h"
#include "base/nearest.h"
#include "memory/json_tree.h"
#include "memory/text_builder.h"

#define ALL_KINDS (CATALOG_REST | CATALOG_SQLITE | CATALOG_FOLDER)

typedef firn_status (*option_reader)(text value, arena *memory, catalog_options *out,
                                     firn_error *err);

#define READ_TEXT(member)                                                                          \
    static firn_status read_##member(text value, arena *memory, catalog_options *out,              \
                                     firn_error *err) {                                            \
        (void)memory;                                                                              \
        (void)err;                                                                                 \
        out->member = value;                                                                       \
        return FIRN_OK;                                                                            \
    }
READ_TEXT(warehouse)
READ_TEXT(catalog_name)
READ_TEXT(token)
READ_TEXT(credential)
READ_TEXT(scope)
READ_TEXT(oauth2_server_uri)
#undef READ_TEXT

static firn_status read_map(text value, const char *option, arena *memory, const json_node **out,
                            firn_error *err) {
    firn_error ignored = ERR_INIT; // Its text might show a part of the value.
    const bytes json = {.data = (const uint8_t *)value.data, .size = value.size};
    if (json_tree_read(memory, json, out, &ignored) != FIRN_OK || (*out)->kind != JSON_OBJECT) {
        return FAIL(err, FIRN_INVALID, "option %s is no map of names to texts", option);
    }
    return FIRN_OK;
}

static firn_status read_headers(text value, arena *memory, catalog_options *out, firn_error *err) {
    const json_node *object;
    TRY(read_map(value, "HEADERS", memory, &object, err));
    out->headers = ARENA_NEW(memory, net_header, (size_t)object->count + 1);
    if (out->headers == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (const json_node *member = object->first; member != NULL; member = member->next) {
        net_header *header = &out->headers[out->header_count];
        header->name = member->key;
        if (member->kind != JSON_STRING) {
            return FAIL(err, FIRN_INVALID, "header \"%.*s\" of option HEADERS is no text",
                        TEXT_ARGS(member->key));
        }
        header->value = member->value;
        out->header_count += 1;
    }
    return FIRN_OK;
}

static firn_status read_properties(text value, arena *memory, catalog_options *out,
                                   firn_error *err) {
    const json_node *object;
    TRY(read_map(value, "PROPERTIES", memory, &object, err));
    out->properties.items = ARENA_NEW(memory, io_property, (size_t)object->count + 1);
    if (out->properties.items == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (const json_node *member = object->first; member != NULL; member = member->next) {
        if (!io_property_is_storage(member->key)) {
            const firn_status status =
                FAIL(err, FIRN_INVALID, "\"%.*s\" of option PROPERTIES is of no storage",
                     TEXT_ARGS(member->key));
            err_hint(err, "s3.…, gcs.…, adls.…, client.…, signer.… and io-impl are");
            return status;
        }
        if (member->kind != JSON_STRING) {
            return FAIL(err, FIRN_INVALID, "\"%.*s\" of option PROPERTIES is no text",
                        TEXT_ARGS(member->key));
        }
        out->properties.items[out->properties.count++] =
            (io_property){.key = member->key, .value = member->value};
    }
    return FIRN_OK;
}

static firn_status read_timeout(text value, uint32_t *out, firn_error *err) {
    return duration_parse_ms(value, out)
               ? FIRN_OK
               : FAIL(err, FIRN_INVALID, "\"%.*s\" is no " DURATION_ALLOWED, TEXT_ARGS(value));
}

static firn_status read_connect_timeout(text value, arena *memory, catalog_options *out,
                                        firn_error *err) {
    (void)memory;
    return read_timeout(value, &out->connect_timeout_ms, err);
}

static firn_status read_request_timeout(text value, arena *memory, catalog_options *out,
                                        firn_error *err) {
    (void)memory;
    return read_timeout(value, &out->request_timeout_ms, err);
}

static firn_status read_is_read_only(text value, arena *memory, catalog_options *out,
                                     firn_error *err) {
    (void)memory;
    out->is_read_only = value.size == 0 || text_equal_nocase(value, TEXT("true"));
    if (!out->is_read_only && !text_equal_nocase(value, TEXT("false"))) {
        return FAIL(err, FIRN_INVALID, "option READ_ONLY is \"%.*s\", true and false are allowed",
                    TEXT_ARGS(value));
    }
    return FIRN_OK;
}

typedef struct option_kind {
    const char *name;
    int kinds; // Bits of catalog_kind_bit.
    option_reader read;
} option_kind;

static const option_kind option_kinds[] = {
#define CATALOG_OPTION(name, kinds, read, takes, summary) {#name, kinds, read},
#include "catalogs/catalog_options.def"
#undef CATALOG_OPTION
};
static_assert(sizeof option_kinds / sizeof *option_kinds == CATALOG_OPTION_COUNT, "all");

const char *catalog_option_name(size_t index) {
    return option_kinds[index].name;
}

const char *catalog_kind_words(catalog_kind_bit kind) {
    return kind == CATALOG_REST     ? "REST catalog"
           : kind == CATALOG_SQLITE ? "SQLite catalog"
           : kind == CATALOG_FOLDER ? "folder"
                                    : "catalog";
}

static bool is_option_of(size_t index, catalog_kind_bit kind) {
    return (option_kinds[index].kinds & (int)kind) != 0;
}

static void hint_at_all(catalog_kind_bit kind, arena *memory, firn_error *err) {
    text_builder list = text_builder_open(memory);
    text all;
    firn_error ignored = ERR_INIT;
    for (size_t i = 0; i < CATALOG_OPTION_COUNT; i++) {
        if (is_option_of(i, kind)) {
            text_append(&list, text_of(option_kinds[i].name));
            text_append(&list, TEXT(", "));
        }
    }
    text_append(&list, TEXT("TYPE")); // Of ATTACH itself.
    if (text_builder_finish(&list, &all, &ignored) == FIRN_OK) {
        err_hint(err, "a %s has %.*s", catalog_kind_words(kind), TEXT_ARGS(all));
    }
}

static firn_status fail_unknown(text name, catalog_kind_bit kind, arena *memory, firn_error *err) {
    nearest_name near = nearest_to(name);
    for (size_t i = 0; i < CATALOG_OPTION_COUNT; i++) {
        nearest_offer(&near, text_of(option_kinds[i].name));
    }
    nearest_offer(&near, TEXT("TYPE")); // Of ATTACH itself.
    const firn_status status = FAIL(err, FIRN_INVALID, "a %s has no option \"%.*s\"",
                                    catalog_kind_words(kind), TEXT_ARGS(name));
    if (!nearest_hint(&near, err)) {
        hint_at_all(kind, memory, err);
    }
    return status;
}

firn_status catalog_options_read(const firn_option *options, size_t count, catalog_kind_bit kind,
                                 arena *memory, catalog_options *out, firn_error *err) {
    *out = (catalog_options){.is_read_only = false};
    bool is_given[CATALOG_OPTION_COUNT] = {false};
    for (size_t i = 0; i < count; i++) {
        const text name = text_of(options[i].key);
        size_t found = 0;
        while (found < CATALOG_OPTION_COUNT &&
               !text_equal_nocase(name, text_of(option_kinds[found].name))) {
            found += 1;
        }
        if (found == CATALOG_OPTION_COUNT) {
            return fail_unknown(name, kind, memory, err);
        }
        if (!is_option_of(found, kind)) {
            return FAIL(err, FIRN_INVALID, "option %s is for %ss only", option_kinds[found].name,
                        catalog_kind_words((catalog_kind_bit)option_kinds[found].kinds));
        }
        if (is_given[found]) {
            return FAIL(err, FIRN_INVALID, "option %s is given twice", option_kinds[found].name);
        }
        is_given[found] = true;
        TRY(option_kinds[found].read(text_of(options[i].value), memory, out, err));
    }
    return FIRN_OK;
}
