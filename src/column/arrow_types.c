// Types as Arrow's format strings and extension names, both ways, and the options `arrow.*`.
#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"
#include "base/host.h"
#include "column/arrow_private.h"

// ---- Options ---------------------------------------------------------------------------------

static bool parse_strings(text value, arrow_strings *out) {
    static const char *const words[] = {"utf8", "large", "view"};
    for (int i = 0; i < 3; i++) {
        if (text_equal_nocase(value, text_of(words[i]))) {
            *out = (arrow_strings)i;
            return true;
        }
    }
    return false;
}

static bool parse_rows(text value, uint32_t *out) {
    uint64_t rows = 0;
    for (size_t i = 0; i < value.size && rows <= UINT32_MAX; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            return false;
        }
        rows = rows * 10 + (uint64_t)(value.data[i] - '0');
    }
    *out = (uint32_t)rows;
    return rows > 0 && rows <= (UINT32_C(1) << 24);
}

// Each option with the words that it takes; the second one sets its flag.
typedef struct arrow_word {
    const char *key;
    const char *words[2];
    size_t flag; // Of arrow_options.
} arrow_word;

static const arrow_word flag_options[] = {
    {"intervals", {"native", "text"}, offsetof(arrow_options, intervals_as_text)},
    {"float16", {"native", "float32"}, offsetof(arrow_options, float16_as_float32)},
    {"decimals", {"native", "text"}, offsetof(arrow_options, wide_decimals_as_text)},
    {"lists", {"list", "large"}, offsetof(arrow_options, large_lists)},
    {"dictionaries", {"plain", "keep"}, offsetof(arrow_options, dictionaries)},
};
#define FLAG_OPTION_COUNT (sizeof flag_options / sizeof flag_options[0])

static firn_status refuse_value(text key, text value, const char *allowed, firn_error *err) {
    firn_status status =
        FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION, "\"%.*s\" is no value of \"arrow.%.*s\"",
                 TEXT_ARGS(value), TEXT_ARGS(key));
    err_hint(err, "%s", allowed);
    return status;
}

static firn_status set_flag(arrow_options *self, const arrow_word *option, text value,
                            firn_error *err) {
    for (int i = 0; i < 2; i++) {
        if (text_equal_nocase(value, text_of(option->words[i]))) {
            *(bool *)(void *)((char *)self + option->flag) = i == 1;
            return FIRN_OK;
        }
    }
    char allowed[64];
    (void)snprintf(allowed, sizeof allowed, "%s or %s", option->words[0], option->words[1]);
    return refuse_value(text_of(option->key), value, allowed, err);
}

firn_status arrow_options_set(arrow_options *self, text key, text value, firn_error *err) {
    if (text_equal_nocase(key, TEXT("strings"))) {
        return parse_strings(value, &self->strings)
                   ? FIRN_OK
                   : refuse_value(key, value, "utf8, large or view", err);
    }
    if (text_equal_nocase(key, TEXT("batch_rows"))) {
        return parse_rows(value, &self->batch_rows)
                   ? FIRN_OK
                   : refuse_value(key, value, "a number from 1 to 16777216", err);
    }
    for (size_t i = 0; i < FLAG_OPTION_COUNT; i++) {
        if (text_equal_nocase(key, text_of(flag_options[i].key))) {
            return set_flag(self, &flag_options[i], value, err);
        }
    }
    return FAIL_SQL(err, FIRN_INVALID, "42704", NO_POSITION, "there is no option \"arrow.%.*s\"",
                    TEXT_ARGS(key));
}

// ---- Out -------------------------------------------------------------------------------------

arrow_layout arrow_layout_of(const type *self, const arrow_options *options) {
    const physical kind = type_physical(self);
    const bool as_text = (kind == PHYSICAL_INTERVAL && options->intervals_as_text) ||
                         (kind == PHYSICAL_I256 && options->wide_decimals_as_text);
    if (as_text) {
        return options->strings == ARROW_STRINGS_LARGE  ? ARROW_LAYOUT_LARGE_STRING
               : options->strings == ARROW_STRINGS_VIEW ? ARROW_LAYOUT_VIEW
                                                        : ARROW_LAYOUT_STRING;
    }
    switch (kind) {
    case PHYSICAL_NONE:
        return ARROW_LAYOUT_NULL;
    case PHYSICAL_BIT:
        return ARROW_LAYOUT_BITS;
    case PHYSICAL_STRING:
        if (self->width > 0 || self->id == TYPE_UUID) {
            return ARROW_LAYOUT_FIXED_BYTES;
        }
        if (self->id == TYPE_VARCHAR && options->dictionaries) {
            return ARROW_LAYOUT_CODES;
        }
        return options->strings == ARROW_STRINGS_LARGE  ? ARROW_LAYOUT_LARGE_STRING
               : options->strings == ARROW_STRINGS_VIEW ? ARROW_LAYOUT_VIEW
                                                        : ARROW_LAYOUT_STRING;
    case PHYSICAL_LIST:
        return self->id == TYPE_LIST && options->large_lists ? ARROW_LAYOUT_LARGE_LIST
                                                             : ARROW_LAYOUT_LIST;
    case PHYSICAL_STRUCT:
        return ARROW_LAYOUT_STRUCT;
    case PHYSICAL_I8:
    case PHYSICAL_I16:
    case PHYSICAL_I32:
    case PHYSICAL_I64:
    case PHYSICAL_U8:
    case PHYSICAL_U16:
    case PHYSICAL_U32:
    case PHYSICAL_U64:
    case PHYSICAL_F16:
    case PHYSICAL_F32:
    case PHYSICAL_F64:
    case PHYSICAL_I128:
    case PHYSICAL_I256:
    case PHYSICAL_INTERVAL:
    case PHYSICAL_COUNT:
        break;
    }
    return ARROW_LAYOUT_FIXED;
}

arrow_options arrow_options_of_entries(const arrow_options *self) {
    arrow_options out = *self;
    out.dictionaries = false;
    return out;
}

uint32_t arrow_fixed_width(const type *self, const arrow_options *options) {
    if (self->id == TYPE_DECIMAL) {
        return self->precision <= DECIMAL_PRECISION_I128 ? 16 : 32;
    }
    if (self->id == TYPE_FLOAT16 && options->float16_as_float32) {
        return 4;
    }
    if (self->id == TYPE_UUID) {
        return 16;
    }
    return self->width > 0 ? self->width : physical_size(type_physical(self));
}

static const char unit_letters[] = {'s', 'm', 'u', 'n'};

static void format_of(const type *self, const arrow_options *options, char out[ARROW_FORMAT_MAX]) {
    static const char plain[TYPE_COUNT] = {
        [TYPE_NULL] = 'n',     [TYPE_BOOLEAN] = 'b', [TYPE_TINYINT] = 'c',  [TYPE_SMALLINT] = 's',
        [TYPE_INTEGER] = 'i',  [TYPE_BIGINT] = 'l',  [TYPE_UTINYINT] = 'C', [TYPE_USMALLINT] = 'S',
        [TYPE_UINTEGER] = 'I', [TYPE_UBIGINT] = 'L', [TYPE_FLOAT16] = 'e',  [TYPE_REAL] = 'f',
        [TYPE_DOUBLE] = 'g',
    };
    const arrow_layout layout = arrow_layout_of(self, options);
    const bool is_binary = self->id == TYPE_BINARY;
    const size_t room = ARROW_FORMAT_MAX;
    switch (layout) {
    case ARROW_LAYOUT_STRING:
        (void)snprintf(out, room, "%s", is_binary ? "z" : "u");
        return;
    case ARROW_LAYOUT_LARGE_STRING:
        (void)snprintf(out, room, "%s", is_binary ? "Z" : "U");
        return;
    case ARROW_LAYOUT_VIEW:
        (void)snprintf(out, room, "%s", is_binary ? "vz" : "vu");
        return;
    case ARROW_LAYOUT_FIXED_BYTES:
        (void)snprintf(out, room, "w:%u", arrow_fixed_width(self, options));
        return;
    case ARROW_LAYOUT_LIST:
        (void)snprintf(out, room, "%s", self->id == TYPE_MAP ? "+m" : "+l");
        return;
    case ARROW_LAYOUT_LARGE_LIST:
        (void)snprintf(out, room, "+L");
        return;
    case ARROW_LAYOUT_STRUCT:
        (void)snprintf(out, room, "+s");
        return;
    case ARROW_LAYOUT_CODES:
        (void)snprintf(out, room, "i");
        return;
    case ARROW_LAYOUT_NULL:
    case ARROW_LAYOUT_BITS:
    case ARROW_LAYOUT_FIXED:
        break;
    }
    const char unit = unit_letters[self->unit];
    switch ((int)self->id) {
    case TYPE_DECIMAL:
        (void)snprintf(out, room, self->precision <= 38 ? "d:%u,%u" : "d:%u,%u,256",
                       self->precision, self->scale);
        break;
    case TYPE_DATE:
        (void)snprintf(out, room, "tdD");
        break;
    case TYPE_TIME:
        (void)snprintf(out, room, "tt%c", unit);
        break;
    case TYPE_TIMESTAMP:
        (void)snprintf(out, room, "ts%c:", unit);
        break;
    case TYPE_TIMESTAMPTZ:
        (void)snprintf(out, room, "ts%c:UTC", unit);
        break;
    case TYPE_INTERVAL:
        (void)snprintf(out, room, "tin");
        break;
    case TYPE_FLOAT16:
        (void)snprintf(out, room, "%s", options->float16_as_float32 ? "f" : "e");
        break;
    default:
        (void)snprintf(out, room, "%c", plain[self->id]);
    }
}

static const char *extension_of(const type *self) {
    return self->id == TYPE_UUID ? "arrow.uuid" : self->id == TYPE_JSON ? "arrow.json" : NULL;
}

// An exported schema: everything of one node in one block behind its ArrowSchema's private_data.
typedef struct schema_block {
    char format[ARROW_FORMAT_MAX];
    char *name;
    char *metadata;
    struct ArrowSchema *children;
    struct ArrowSchema **child_pointers;
    int64_t child_count;
    struct ArrowSchema dictionary; // Of codes, else without release.
} schema_block;

static void free_block(schema_block *block) {
    for (int64_t i = 0; i < block->child_count; i++) {
        if (block->children[i].release != NULL) {
            block->children[i].release(&block->children[i]);
        }
    }
    if (block->dictionary.release != NULL) {
        block->dictionary.release(&block->dictionary);
    }
    host_free(block->name);
    host_free(block->metadata);
    host_free(block->children);
    host_free(block->child_pointers);
    host_free(block);
}

static void release_schema(struct ArrowSchema *self) {
    free_block(self->private_data);
    self->release = NULL;
}

// One key and value as the C data interface encodes metadata: counts as native int32.
static char *new_metadata(const char *extension) {
    static const char key[] = "ARROW:extension:name";
    static const char second[] = "ARROW:extension:metadata";
    const int32_t count = 2;
    const int32_t sizes[4] = {sizeof key - 1, (int32_t)strlen(extension), sizeof second - 1, 0};
    const char *const parts[4] = {key, extension, second, ""};
    char *out = host_alloc(5 * sizeof(int32_t) + sizeof key + sizeof second + strlen(extension));
    if (out == NULL) {
        return NULL;
    }
    char *at = out;
    memcpy(at, &count, sizeof count);
    at += sizeof count;
    for (int i = 0; i < 4; i++) {
        memcpy(at, &sizes[i], sizeof sizes[i]);
        at += sizeof sizes[i];
        memcpy(at, parts[i], (size_t)sizes[i]);
        at += sizes[i];
    }
    return out;
}

static firn_status no_memory(firn_error *err) {
    return FAIL(err, FIRN_NO_MEMORY, "the system has no memory for a schema");
}

static firn_status export_node(const field *self, const arrow_options *options,
                               struct ArrowSchema *out, firn_error *err);

static firn_status export_children(const type *self, const arrow_options *options,
                                   schema_block *block, firn_error *err) {
    // A map's key and value lie in a struct "entries".
    field entries;
    type pair;
    const field *fields = self->children;
    uint32_t count = self->child_count;
    if (self->id == TYPE_MAP) {
        pair = (type){.id = TYPE_STRUCT, .child_count = 2, .children = self->children};
        entries = (field){.name = TEXT("entries"), .type = &pair, .id = -1};
        fields = &entries;
        count = 1;
    }
    block->children = host_alloc((count + 1) * sizeof *block->children);
    block->child_pointers = host_alloc((count + 1) * sizeof *block->child_pointers);
    if (block->children == NULL || block->child_pointers == NULL) {
        return no_memory(err);
    }
    memset(block->children, 0, (count + 1) * sizeof *block->children);
    for (uint32_t i = 0; i < count; i++) {
        block->child_pointers[i] = &block->children[i];
        TRY(export_node(&fields[i], options, &block->children[i], err));
        block->child_count++;
    }
    return FIRN_OK;
}

static firn_status fill_block(const field *self, const arrow_options *options, schema_block *block,
                              firn_error *err) {
    format_of(self->type, options, block->format);
    block->name = host_alloc(self->name.size + 1);
    if (block->name == NULL) {
        return no_memory(err);
    }
    if (self->name.size > 0) {
        memcpy(block->name, self->name.data, self->name.size);
    }
    block->name[self->name.size] = '\0';
    const char *extension = extension_of(self->type);
    if (extension != NULL) {
        block->metadata = new_metadata(extension);
        if (block->metadata == NULL) {
            return no_memory(err);
        }
    }
    if (arrow_layout_of(self->type, options) == ARROW_LAYOUT_CODES) {
        const field entries = {.name = TEXT(""), .type = self->type, .id = -1};
        const arrow_options plain = arrow_options_of_entries(options);
        return export_node(&entries, &plain, &block->dictionary, err);
    }
    return type_is_nested(self->type) ? export_children(self->type, options, block, err) : FIRN_OK;
}

static firn_status export_node(const field *self, const arrow_options *options,
                               struct ArrowSchema *out, firn_error *err) {
    *out = (struct ArrowSchema){0};
    schema_block *block = host_alloc(sizeof *block);
    if (block == NULL) {
        return no_memory(err);
    }
    *block = (schema_block){0};
    firn_status status = fill_block(self, options, block, err);
    if (status != FIRN_OK) {
        free_block(block);
        return status;
    }
    *out = (struct ArrowSchema){.format = block->format,
                                .name = block->name,
                                .metadata = block->metadata,
                                .flags = self->is_nullable ? ARROW_FLAG_NULLABLE : 0,
                                .n_children = block->child_count,
                                .children = block->child_pointers,
                                .dictionary =
                                    block->dictionary.release == NULL ? NULL : &block->dictionary,
                                .release = release_schema,
                                .private_data = block};
    return FIRN_OK;
}

firn_status arrow_schema_export(const schema *self, const arrow_options *options,
                                struct ArrowSchema *out, firn_error *err) {
    const type row = {.id = TYPE_STRUCT, .child_count = self->count, .children = self->fields};
    const field root = {.name = TEXT(""), .type = &row, .id = -1};
    return export_node(&root, options, out, err);
}
