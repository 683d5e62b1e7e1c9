// Arbitrary bytes as what a REST catalog server answers: the first byte chooses the reader, the
// rest is the body, or the lines of an answer's head.
//
// Oracle: the table reader, which walks tokens and slices the metadata out, agrees with a tree of
// the whole document: it takes nothing that the tree refuses, and the slice is the same metadata.
// Lists hold what they claim: every text can be read to its end.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalogs/rest_answers.h"
#include "io/exchange_head.h"
#include "memory/json_tree.h"

#define MEMORY_MAX ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition) {
    if (!condition) {
        abort();
    }
}

// Reads every byte of a text, for the sanitizers to look.
static void touch(text value) {
    volatile uint32_t sum = 0;
    for (size_t i = 0; i < value.size; i++) {
        sum = (sum + (unsigned char)value.data[i]) & 0xffff;
    }
}

static void touch_properties(const catalog_properties *properties) {
    for (uint32_t i = 0; i < properties->count; i++) {
        touch(properties->items[i].key);
        touch(properties->items[i].value);
    }
}

static text written(const json_node *node, arena *memory) {
    text_builder builder = text_builder_open(memory);
    json_writer writer = json_writer_into(&builder, 0);
    json_write_node(&writer, node);
    json_writer_finish(&writer);
    text out = {.size = 0};
    firn_error err = ERR_INIT;
    expect(text_builder_finish(&builder, &out, &err) == FIRN_OK);
    return out;
}

static void fuzz_table(bytes body, arena *memory) {
    firn_error err = ERR_INIT;
    loaded_table table;
    if (rest_read_table(body, memory, &table, &err) != FIRN_OK) {
        expect(err.status != FIRN_OK && err.length > 0);
        return;
    }
    const json_node *whole;
    const json_node *slice;
    expect(json_tree_read(memory, body, &whole, &err) == FIRN_OK);
    expect(json_tree_read(memory, table.metadata, &slice, &err) == FIRN_OK);
    const json_node *metadata = json_find(whole, "metadata");
    expect(metadata != NULL && metadata->kind == JSON_OBJECT);
    expect(text_equal(written(metadata, memory), written(slice, memory)));
    touch(table.metadata_location);
    touch_properties(&table.config);
    for (uint32_t i = 0; i < table.credential_count; i++) {
        touch(table.credentials[i].prefix);
        touch_properties(&table.credentials[i].properties);
    }
}

static void fuzz_config(bytes body, arena *memory) {
    firn_error err = ERR_INIT;
    rest_config config;
    if (rest_read_config(body, memory, &config, &err) == FIRN_OK) {
        expect(config.separator.size >= 1 && config.separator.size <= REST_SEPARATOR_MAX);
        expect(text_find(config.separator, TEXT("/")) == config.separator.size);
        expect(config.endpoints >> REST_ENDPOINT_COUNT == 0);
        touch(config.prefix);
        touch_properties(&config.defaults);
        touch_properties(&config.overrides);
    }
}

static void fuzz_lists(bytes body, arena *memory) {
    firn_error err = ERR_INIT;
    namespace_path *spaces;
    uint32_t count;
    text next;
    text_list names;
    if (rest_read_namespaces(body, memory, &spaces, &count, &next, &err) == FIRN_OK) {
        for (uint32_t i = 0; i < count; i++) {
            expect(spaces[i].count > 0);
            for (uint32_t j = 0; j < spaces[i].count; j++) {
                touch(spaces[i].items[j]);
            }
        }
        touch(next);
    }
    if (rest_read_identifiers(body, memory, &names, &next, &err) == FIRN_OK) {
        for (uint32_t i = 0; i < names.count; i++) {
            touch(names.items[i]);
        }
        touch(next);
    }
}

static void fuzz_small(bytes body, arena *memory) {
    firn_error err = ERR_INIT;
    catalog_properties properties;
    if (rest_read_properties(body, memory, &properties, &err) == FIRN_OK) {
        touch_properties(&properties);
    }
    rest_token token;
    if (rest_read_token(body, memory, &token, &err) == FIRN_OK) {
        expect(token.token.size > 0);
        touch(token.token);
        touch(token.type);
    }
    rest_refusal refusal;
    rest_read_refusal(body, memory, &refusal);
    touch(refusal.type);
    touch(refusal.message);
}

static void fuzz_head(bytes lines) {
    exchange_head head = {.status = 200};
    text rest = {.data = (const char *)lines.data, .size = lines.size};
    while (rest.size > 0) {
        const size_t end = text_find(rest, TEXT("\n"));
        const text line = text_slice(rest, 0, end);
        const size_t colon = text_find(line, TEXT(":"));
        if (colon < line.size) {
            exchange_head_add(&head, text_slice(line, 0, colon),
                              text_slice(line, colon + 1, line.size), 0);
        }
        rest = text_slice(rest, end < rest.size ? end + 1 : end, rest.size);
    }
    expect(strlen(head.version) <= EXCHANGE_VERSION_MAX);
    expect(!head.has_range || head.range_first <= head.range_last);
    expect(!head.has_range || !head.has_total || head.range_last < head.range_total);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    const bytes body = {.data = data + 1, .size = size - 1};
    arena memory = arena_open(MEMORY_MAX);
    switch ((data[0] + 2) % 5) { // '0' is the first.
    case 0:
        fuzz_table(body, &memory);
        break;
    case 1:
        fuzz_config(body, &memory);
        break;
    case 2:
        fuzz_lists(body, &memory);
        break;
    case 3:
        fuzz_small(body, &memory);
        break;
    default:
        fuzz_head(body);
        break;
    }
    arena_close(&memory);
    return 0;
}
