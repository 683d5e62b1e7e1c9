// Arbitrary bytes as the properties of an Iceberg table that say how its files are written: a line
// "name=value" each, and with a '!' before it an option of the statement.
//
// Oracle: what is refused is named; all else are options that the writer of Parquet takes, and a
// file that is written by them is read back value by value. A property that may not be set is said
// to be wrong with its value.
#include "tables/iceberg/iceberg_write_options.h"
#include "written_file.h"

#define LINES_MAX 64
#define ROWS 40
#define INPUT_BYTES_MAX ((size_t)16 << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const field parts[] = {
    {.name = {.data = "a", .size = 1}, .type = TYPE_OF(INTEGER), .is_nullable = true, .id = 5},
    {.name = {.data = "b", .size = 1}, .type = TYPE_OF(BINARY), .is_nullable = true, .id = 6}};
static const field element = {
    .name = {.data = "element", .size = 7}, .type = TYPE_OF(DOUBLE), .is_nullable = true, .id = 8};
static const type group = {.id = TYPE_STRUCT, .child_count = 2, .children = parts};
static const type list = {.id = TYPE_LIST, .child_count = 1, .children = &element};
static const field fields[] = {
    {.name = {.data = "word", .size = 4}, .type = TYPE_OF(VARCHAR), .is_nullable = true, .id = 2},
    {.name = {.data = "s", .size = 1}, .type = &group, .is_nullable = true, .id = 4},
    {.name = {.data = "l", .size = 1}, .type = &list, .is_nullable = true, .id = 7}};
static const schema columns = {.count = 3, .fields = fields};
#define LEAVES 4

typedef struct lines {
    uint32_t property_count;
    ice_property properties[LINES_MAX];
    size_t option_count;
    firn_option options[LINES_MAX];
} lines;

static const char *word_of(arena *memory, text value) {
    text copy = {.size = 0};
    firn_error err = ERR_INIT;
    pw_must(text_copy(memory, value, &copy, &err) == FIRN_OK);
    return copy.data;
}

static void take_lines(arena *memory, text all, lines *out) {
    while (all.size > 0 && out->property_count + out->option_count < LINES_MAX) {
        const size_t end = text_find(all, TEXT("\n"));
        text line = text_slice(all, 0, end);
        all = text_slice(all, end < all.size ? end + 1 : end, all.size);
        const bool is_option = text_starts_with(line, TEXT("!"));
        line = text_slice(line, is_option ? 1 : 0, line.size);
        const size_t equal = text_find(line, TEXT("="));
        const text key = text_slice(line, 0, equal);
        const text value = text_slice(line, equal < line.size ? equal + 1 : equal, line.size);
        if (is_option) {
            out->options[out->option_count++] =
                (firn_option){.key = word_of(memory, key), .value = word_of(memory, value)};
        } else {
            out->properties[out->property_count++] = (ice_property){.key = key, .value = value};
        }
    }
}

static void check_options(const ice_write_options *made) {
    firn_error err = ERR_INIT;
    pw_must(made->file_size > 0 && made->file_size <= INT64_MAX);
    pw_must(made->leaves.count == LEAVES);
    pw_must(pw_options_check(&made->writer, LEAVES, &err) == FIRN_OK);
    for (uint32_t i = 0; i < LEAVES; i++) {
        const ice_metrics_mode mode = made->leaves.items[i].mode;
        pw_must(mode.kind != ICE_METRICS_TRUNCATE || mode.length > 0);
    }
}

static void check_each(const ice_metadata *metadata, arena *memory) {
    for (uint32_t i = 0; i < metadata->property_count; i++) {
        const ice_property *each = &metadata->properties[i];
        firn_error err = ERR_INIT;
        const firn_status status =
            ice_write_property_check(metadata, &columns, each->key, each->value, memory, &err);
        pw_must(status == FIRN_OK || status == FIRN_INVALID || status == FIRN_UNSUPPORTED ||
                status == FIRN_NO_MEMORY);
        pw_must((status == FIRN_OK) == (err.text[0] == '\0'));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > INPUT_BYTES_MAX) {
        return 0;
    }
    scene s;
    scene_open(&s);
    lines given = {.property_count = 0};
    take_lines(&s.memory, (text){.data = (const char *)data, .size = size}, &given);
    ice_metadata metadata = {.property_count = given.property_count,
                             .properties = given.properties};
    ice_write_options made;
    check_each(&metadata, &s.memory);
    const firn_status status = ice_write_options_make(&metadata, given.options, given.option_count,
                                                      &columns, &s.memory, &made, &s.err);
    if (status == FIRN_OK) {
        pw_source from = {.seed = size};
        dictionary *shared[PW_SAMPLE_COLUMNS_MAX] = {NULL};
        pw_must(pw_schema_make(&columns, &s.memory, &s.schema, &s.err) == FIRN_OK);
        check_options(&made);
        s.options = made.writer;
        s.batch_count = 1;
        s.batches[0] = pw_sample_batch(&s.memory, &columns, ROWS, shared, &from);
        write_file(&s);
        read_file(&s);
    } else {
        pw_must((status == FIRN_INVALID || status == FIRN_UNSUPPORTED) &&
                strstr(s.err.text, "write.") != NULL);
    }
    scene_close(&s);
    return 0;
}
