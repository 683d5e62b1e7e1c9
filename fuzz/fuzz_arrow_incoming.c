// Arbitrary bytes as what a foreign producer hands over: an Arrow schema and an array of it, honest
// where the input says nothing else, lying where it does: lengths, offsets, null counts, numbers of
// buffers and children, missing ones, released ones, indexes and offsets that lead anywhere.
//
// A buffer has just the bytes that its array claims, for the sanitizers to watch; one that claims
// more than is sane has none, since nobody could tell a short buffer from a long one.
//
// Oracle: what is taken can be handed out again and taken back: same types, same values.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "column/arrow.h"
#include "memory/pool.h"
#include "memory/text_builder.h"

#define MEMORY_MAX ((size_t)64 << 20)
#define BLOCKS_MAX 4096
#define NODES_MAX 64
#define DEPTH_MAX 6
#define ROWS_MAX 40
#define TEXT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct maker {
    const uint8_t *data;
    size_t size;
    size_t at;
    void *blocks[BLOCKS_MAX];
    size_t block_count;
    uint32_t node_count;
} maker;

static void expect(bool condition) {
    if (!condition) {
        abort();
    }
}

// ---- The input ---------------------------------------------------------------------------------

static uint8_t take(maker *self) {
    return self->at < self->size ? self->data[self->at++] : 0;
}

// One of `count` choices; the last bytes of an input choose the first.
static uint32_t choose(maker *self, uint32_t count) {
    return take(self) % count;
}

static void fill(maker *self, void *out, size_t size) {
    for (size_t i = 0; i < size; i++) {
        ((uint8_t *)out)[i] = take(self);
    }
}

// Memory of just that size, until the end of the run.
static void *block(maker *self, size_t size) {
    void *made = malloc(size == 0 ? 1 : size);
    expect(made != NULL && self->block_count < BLOCKS_MAX);
    memset(made, 0, size);
    self->blocks[self->block_count++] = made;
    return made;
}

// ---- Lies --------------------------------------------------------------------------------------

typedef enum lie {
    HONEST,
    LIE_LENGTH_NEGATIVE,
    LIE_LENGTH_SHORT,
    LIE_LENGTH_HUGE,
    LIE_OFFSET_NEGATIVE,
    LIE_OFFSET_HUGE,
    LIE_NULLS_HUGE,
    LIE_NULLS_NONE,
    LIE_BUFFERS_FEW,
    LIE_BUFFERS_NEGATIVE,
    LIE_NO_BUFFERS,
    LIE_NO_VALUES,
    LIE_NO_DATA,
    LIE_CHILDREN_FEW,
    LIE_CHILDREN_MORE,
    LIE_NO_CHILDREN,
    LIE_NO_CHILD,
    LIE_RELEASED,
    LIE_NO_DICTIONARY,
    LIE_OFFSETS_ANY,
    LIE_COUNT,
} lie;

static lie next_lie(maker *self) {
    const uint8_t byte = take(self);
    return byte < 256 - LIE_COUNT ? HONEST : (lie)(byte - (256 - LIE_COUNT));
}

// ---- Schemas -----------------------------------------------------------------------------------

static void release_schema(struct ArrowSchema *self) {
    self->release = NULL;
}

static const char *const formats[] = {
    "l",
    "u",
    "+s",
    "+l",
    "+m",
    "i",
    "b",
    "g",
    "U",
    "vu",
    "z",
    "Z",
    "vz",
    "+L",
    "+w:2",
    "c",
    "C",
    "s",
    "S",
    "I",
    "L",
    "e",
    "f",
    "n",
    "w:16",
    "w:3",
    "d:9,2",
    "d:18,0",
    "d:38,10",
    "d:76,5,256",
    "d:5,1,256",
    "tdD",
    "tdm",
    "tts",
    "ttm",
    "ttu",
    "ttn",
    "tss:",
    "tsm:",
    "tsu:UTC",
    "tsn:Europe/Berlin",
    "tDs",
    "tDm",
    "tDu",
    "tDn",
    "tiM",
    "tiD",
    "tin",
    "+w:0",
    "+w:9223372036854775807",
    "w:2147483647",
    "w:0",
    "d:0,0",
    "d:39,1",
    "d:5",
    "d:77,1,256",
    "tdX",
    "tiX",
    "tDx",
    "tsx:",
    "ttx",
    "+r",
    "+vl",
    "+ud:0",
    "",
    "x",
    "+",
    "t",
    "+x",
    "w:",
    "d:",
    "tt",
    "+w:",
    "+w:x",
    "+vL",
    "d:9,2,32",
    "d:12,2,64",
    "d:12,2,48",
};

static const char *const index_formats[] = {"i", "c", "C", "s", "S", "I", "l", "L", "u", "ii"};

static void make_schema(maker *self, uint32_t depth, struct ArrowSchema *out);

static uint32_t children_of(const char *format, maker *self) {
    if (format[0] != '+') {
        return 0;
    }
    if (format[1] == 'r') {
        return 2;
    }
    return format[1] == 's' ? choose(self, 4) : 1;
}

static void make_children(maker *self, uint32_t depth, struct ArrowSchema *out) {
    const uint32_t count = children_of(out->format, self);
    out->n_children = count;
    out->children = block(self, sizeof *out->children * (count + 1));
    for (uint32_t i = 0; i < count; i++) {
        out->children[i] = block(self, sizeof **out->children);
        make_schema(self, depth + 1, out->children[i]);
    }
    if (count == 2 && strcmp(out->format, "+r") == 0 &&
        choose(self, 8) != 7) { // Ends are integers mostly.
        static const char *const ends[] = {"i", "s", "l"};
        *out->children[0] = (struct ArrowSchema){
            .format = ends[choose(self, 3)], .name = "e", .release = release_schema};
    }
    if (count == 1 && strcmp(out->format, "+m") == 0 && choose(self, 8) != 7) {
        struct ArrowSchema *entries = out->children[0]; // Most maps are of pairs.
        entries->format = "+s";
        entries->dictionary = NULL;
        entries->n_children = 2;
        entries->children = block(self, sizeof *entries->children * 2);
        for (int i = 0; i < 2; i++) {
            entries->children[i] = block(self, sizeof **entries->children);
            make_schema(self, depth + 2, entries->children[i]);
        }
    }
}

static const char *make_metadata(maker *self) {
    static const char *const names[] = {"arrow.uuid", "arrow.json", "other"};
    static const char key[] = "ARROW:extension:name";
    const char *name = names[choose(self, 3)];
    const int32_t numbers[] = {1, sizeof key - 1, (int32_t)strlen(name)};
    char *out = block(self, sizeof numbers + sizeof key - 1 + strlen(name));
    memcpy(out, numbers, 8);
    memcpy(out + 8, key, sizeof key - 1);
    memcpy(out + 8 + sizeof key - 1, &numbers[2], 4);
    memcpy(out + 12 + sizeof key - 1, name, strlen(name));
    return out;
}

static void lie_in_schema(maker *self, struct ArrowSchema *out) {
    switch ((int)next_lie(self)) {
    case LIE_CHILDREN_FEW:
        out->n_children = -1;
        break;
    case LIE_LENGTH_HUGE:
        out->n_children = INT64_MAX;
        break;
    case LIE_NO_CHILDREN:
        out->children = NULL;
        break;
    case LIE_NO_CHILD:
        if (out->n_children > 0) {
            out->children[0] = NULL;
        }
        break;
    case LIE_RELEASED:
        out->release = NULL;
        break;
    case LIE_NO_VALUES:
        out->format = NULL;
        break;
    default:
        break;
    }
}

static void make_schema(maker *self, uint32_t depth, struct ArrowSchema *out) {
    const bool is_leaf = depth >= DEPTH_MAX || self->node_count >= NODES_MAX;
    const uint32_t kind = choose(self, sizeof formats / sizeof *formats);
    self->node_count++;
    *out = (struct ArrowSchema){.format = is_leaf ? "i" : formats[kind],
                                .name = choose(self, 8) == 7 ? NULL : "c",
                                .flags = ARROW_FLAG_NULLABLE,
                                .release = release_schema};
    make_children(self, depth, out);
    if (choose(self, 16) == 15) {
        out->metadata = make_metadata(self);
    }
    if (!is_leaf && choose(self, 8) == 7) { // What was made are the words of a dictionary.
        struct ArrowSchema *words = block(self, sizeof *words);
        *words = *out;
        *out = (struct ArrowSchema){
            .format = index_formats[choose(self, sizeof index_formats / sizeof *index_formats)],
            .name = "d",
            .dictionary = words,
            .release = release_schema};
    }
    lie_in_schema(self, out);
}

// ---- Arrays ------------------------------------------------------------------------------------

static void release_array(struct ArrowArray *self) {
    self->release = NULL;
}

static void make_array(maker *self, const struct ArrowSchema *types, uint32_t rows,
                       struct ArrowArray *out);

static size_t width_of(const char *format) {
    switch (format[0]) {
    case 'c':
    case 'C':
        return 1;
    case 's':
    case 'S':
    case 'e':
        return 2;
    case 'i':
    case 'I':
    case 'f':
        return 4;
    case 'd':
        if (strstr(format, ",32") != NULL || strstr(format, ",64") != NULL) {
            return strstr(format, ",32") != NULL ? 4 : 8;
        }
        return strstr(format, ",256") != NULL ? 32 : 16;
    case 'w': {
        const unsigned long width = strtoul(format + 2, NULL, 10);
        return width > 64 ? 0 : width;
    }
    case 't':
        if (strcmp(format, "tdD") == 0 || strcmp(format, "tiM") == 0 ||
            strcmp(format, "tts") == 0 || strcmp(format, "ttm") == 0) {
            return 4;
        }
        return strcmp(format, "tin") == 0 ? 16 : 8;
    default:
        return 8;
    }
}

// Offsets of `rows` parts; the last one, or UINT32_MAX where it is none that anybody could have.
static uint32_t make_offsets(maker *self, uint32_t rows, size_t width, bool is_any, void **out) {
    uint8_t *bytes = block(self, (rows + 1) * width);
    int64_t at = 0;
    for (uint32_t i = 0; i <= rows; i++) {
        if (is_any) {
            fill(self, bytes + i * width, width);
        } else {
            memcpy(bytes + i * width, &at, width); // Little-endian, as firn is.
            at += choose(self, 5);
        }
    }
    *out = bytes;
    int64_t last = 0;
    memcpy(&last, bytes + rows * width, width);
    if (width == 4) {
        last = (int32_t)last;
    }
    return last < 0 || last > TEXT_MAX ? UINT32_MAX : (uint32_t)last;
}

static void *make_text(maker *self, uint32_t size) {
    if (size == UINT32_MAX) {
        return NULL;
    }
    uint8_t *out = block(self, size);
    const bool is_any = choose(self, 8) == 7;
    for (uint32_t i = 0; i < size; i++) {
        out[i] = is_any ? take(self) : (uint8_t)('a' + i % 26);
    }
    return out;
}

static void make_views(maker *self, uint32_t rows, bool is_any, struct ArrowArray *out) {
    uint8_t *views = block(self, (size_t)rows * 16);
    int64_t *sizes = block(self, 2 * sizeof *sizes);
    for (uint32_t i = 0; i < rows; i++) {
        int32_t parts[4] = {(int32_t)choose(self, 30), 0x61616161, (int32_t)choose(self, 2),
                            (int32_t)choose(self, 8)};
        if (parts[0] <= 12) {
            parts[2] = parts[3] = parts[1];
        }
        if (is_any) {
            fill(self, parts, sizeof parts);
        }
        memcpy(views + (size_t)i * 16, parts, 16);
    }
    out->n_buffers = 5;
    out->buffers[1] = views;
    for (int i = 0; i < 2; i++) {
        sizes[i] = 64;
        out->buffers[2 + i] = make_text(self, 64);
    }
    out->buffers[4] = sizes;
}

// Buffers behind the validity; how many rows a child has to have.
static uint32_t make_buffers(maker *self, const char *format, uint32_t rows, bool is_any,
                             struct ArrowArray *out) {
    const bool is_large = format[0] == 'U' || format[0] == 'Z' || format[1] == 'L';
    const size_t width = is_large ? 8 : 4;
    void *made = NULL;
    uint32_t last = rows;
    out->n_buffers = 2;
    if (format[0] == 'n' || strcmp(format, "+r") == 0) {
        out->n_buffers = 0;
    } else if (format[0] == 'v') {
        make_views(self, rows, is_any, out);
    } else if (format[0] == 'u' || format[0] == 'z' || format[0] == 'U' || format[0] == 'Z') {
        last = make_offsets(self, rows, width, is_any, &made);
        out->n_buffers = 3;
        out->buffers[1] = made;
        out->buffers[2] = make_text(self, last);
    } else if (format[0] == '+' && (format[1] == 'l' || format[1] == 'L' || format[1] == 'm')) {
        last = make_offsets(self, rows, width, is_any, &made);
        out->buffers[1] = made;
    } else if (format[0] == '+' && format[1] == 'v') {
        const size_t place = format[2] == 'L' ? 8 : 4;
        void *sizes = NULL;
        last = make_offsets(self, rows, place, is_any, &made);
        (void)make_offsets(self, rows, place, is_any, &sizes);
        last = last == UINT32_MAX ? last : last + 4 * rows; // As far as honest sizes lead.
        out->n_buffers = 3;
        out->buffers[1] = made;
        out->buffers[2] = sizes;
    } else if (format[0] == '+') {
        out->n_buffers = 1;
        last = strcmp(format, "+w:2") == 0 ? rows * 2 : rows;
    } else {
        const size_t size = format[0] == 'b' ? (rows + 7) / 8 : (size_t)rows * width_of(format);
        made = size == 0 && rows > 0 ? NULL : block(self, size);
        if (made != NULL && choose(self, 4) != 0) {
            fill(self, made, size);
        }
        out->buffers[1] = made;
    }
    return last > TEXT_MAX ? 4 : last;
}

static void lie_in_array(lie told, struct ArrowArray *out) {
    const bool has_values = told != LIE_LENGTH_HUGE && told != LIE_OFFSET_HUGE;
    for (int64_t i = 0; !has_values && i < out->n_buffers; i++) {
        out->buffers[i] = NULL;
    }
    switch ((int)told) {
    case LIE_LENGTH_NEGATIVE:
        out->length = -out->length - 1;
        break;
    case LIE_LENGTH_SHORT:
        out->length /= 2;
        break;
    case LIE_LENGTH_HUGE:
        out->length = INT64_MAX;
        break;
    case LIE_OFFSET_NEGATIVE:
        out->offset = INT64_MIN;
        break;
    case LIE_OFFSET_HUGE:
        out->offset = INT64_MAX - out->length;
        break;
    case LIE_NULLS_HUGE:
        out->null_count = INT64_MAX;
        break;
    case LIE_NULLS_NONE:
        out->null_count = 0;
        break;
    case LIE_BUFFERS_FEW:
        out->n_buffers = out->n_buffers > 0 ? out->n_buffers - 1 : 0;
        break;
    case LIE_BUFFERS_NEGATIVE:
        out->n_buffers = -1;
        break;
    case LIE_NO_BUFFERS:
        out->buffers = NULL;
        break;
    case LIE_NO_VALUES:
        out->buffers[1] = NULL;
        break;
    case LIE_NO_DATA:
        out->buffers[out->n_buffers > 2 ? out->n_buffers - 1 : 0] = NULL;
        break;
    case LIE_CHILDREN_FEW:
        out->n_children -= 1;
        break;
    case LIE_CHILDREN_MORE:
        out->n_children += 1;
        break;
    case LIE_NO_CHILDREN:
        out->children = NULL;
        break;
    case LIE_NO_CHILD:
        out->children[0] = NULL;
        break;
    case LIE_RELEASED:
        out->release = NULL;
        break;
    case LIE_NO_DICTIONARY:
        out->dictionary = NULL;
        break;
    default:
        break;
    }
}

// Ends of runs that rise by two, for as many rows as there are runs and more.
static void make_ends(const struct ArrowSchema *types, const struct ArrowArray *out) {
    const size_t width = width_of(types->format);
    if (out->buffers == NULL || out->buffers[1] == NULL || out->length < 0 || out->offset < 0 ||
        types->dictionary != NULL || strchr("sil", types->format[0]) == NULL) {
        return;
    }
    for (int64_t i = 0; i < out->length + out->offset; i++) {
        const int64_t end = 2 * i + 1;
        memcpy((uint8_t *)(uintptr_t)out->buffers[1] + (size_t)i * width, &end, width);
    }
}

static void make_array(maker *self, const struct ArrowSchema *types, uint32_t rows,
                       struct ArrowArray *out) {
    const lie told = next_lie(self);
    const uint32_t offset = choose(self, 4) == 3 ? choose(self, 9) : 0;
    const uint32_t whole = rows + offset;
    *out = (struct ArrowArray){.length = rows,
                               .null_count = -1,
                               .offset = offset,
                               .n_children = types->n_children,
                               .release = release_array};
    out->buffers = block(self, 8 * sizeof *out->buffers);
    // The schema of a dictionary's indexes may lie about children: nobody looks at them.
    const bool has_children = types->children != NULL && types->n_children > 0 &&
                              types->n_children < NODES_MAX && types->children[0] != NULL;
    const int64_t count = has_children ? types->n_children : 0;
    out->children = block(self, sizeof *out->children * ((size_t)count + 1));
    if (choose(self, 2) == 1) {
        uint8_t *bits = block(self, (whole + 7) / 8);
        fill(self, bits, (whole + 7) / 8);
        out->buffers[0] = bits;
    }
    uint32_t below = make_buffers(self, types->format, whole, told == LIE_OFFSETS_ANY, out);
    for (int64_t i = 0; i < count; i++) {
        out->children[i] = block(self, sizeof **out->children);
        make_array(self, types->children[i], below, out->children[i]);
    }
    if (count == 2 && strcmp(types->format, "+r") == 0 && choose(self, 4) != 3) {
        make_ends(types->children[0], out->children[0]);
    }
    if (types->dictionary != NULL) {
        out->dictionary = block(self, sizeof *out->dictionary);
        make_array(self, types->dictionary, choose(self, 8), out->dictionary);
        uint8_t *indexes = block(self, (size_t)whole * width_of(types->format));
        for (uint32_t i = 0; i < whole; i++) {
            indexes[i * width_of(types->format)] = take(self);
        }
        out->buffers[1] = indexes;
    }
    lie_in_array(told, out);
}

// ---- The oracle --------------------------------------------------------------------------------

static void expect_same(const schema *fields, const schema *again, const batch *rows,
                        const batch *copied) {
    expect(fields->count == again->count && rows->row_count == copied->row_count);
    for (uint32_t i = 0; i < fields->count; i++) {
        expect(type_same_values(fields->fields[i].type, again->fields[i].type));
        for (uint32_t row = 0; row < rows->row_count; row++) {
            expect(column_rows_equal(&rows->columns[i], row, &copied->columns[i], row));
        }
    }
}

// Hands the rows out and takes them back.
static void round_trip(const schema *fields, const batch *rows, arena *memory) {
    const arrow_options options = {.batch_rows = ARROW_BATCH_ROWS_DEFAULT};
    firn_error err = ERR_INIT;
    pool *engine;
    arrow_builder *builder;
    struct ArrowSchema types;
    struct ArrowArray array;
    schema again;
    batch copied;
    expect(pool_open_engine(MEMORY_MAX, &engine, &err) == FIRN_OK);
    expect(arrow_builder_open(fields, &options, engine, &builder, &err) == FIRN_OK);
    expect(arrow_builder_push(builder, rows, &err) == FIRN_OK);
    expect(arrow_builder_finish(builder, &array, &err) == FIRN_OK);
    arrow_builder_close(builder);
    expect(arrow_schema_export(fields, &options, &types, &err) == FIRN_OK);
    expect(arrow_schema_import(&types, memory, &again, &err) == FIRN_OK);
    const arrow_rows all = {.array = &array, .count = rows->row_count};
    expect(arrow_array_import(&types, &again, all, memory, &copied, &err) == FIRN_OK);
    expect_same(fields, &again, rows, &copied);
    array.release(&array);
    types.release(&types);
    pool_close(engine);
}

static void print_all(const batch *rows, arena *memory) {
    text_builder out = text_builder_open(memory);
    text shown;
    firn_error err = ERR_INIT;
    for (uint32_t i = 0; i < rows->column_count; i++) {
        for (uint32_t row = 0; row < rows->row_count; row++) {
            column_print_row(&rows->columns[i], row, &out);
        }
    }
    expect(text_builder_finish(&out, &shown, &err) == FIRN_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    maker self = {.data = data, .size = size};
    arena memory = arena_open(MEMORY_MAX);
    firn_error err = ERR_INIT;
    struct ArrowSchema types = {.format = "+s", .name = "", .release = release_schema};
    struct ArrowArray array;
    schema fields;
    types.n_children = 1 + choose(&self, 3);
    types.children = block(&self, sizeof *types.children * 4);
    for (int64_t i = 0; i < types.n_children; i++) {
        types.children[i] = block(&self, sizeof **types.children);
        make_schema(&self, 0, types.children[i]);
    }
    lie_in_schema(&self, &types);
    if (arrow_schema_import(&types, &memory, &fields, &err) == FIRN_OK) {
        const uint32_t rows = choose(&self, ROWS_MAX);
        const uint32_t from = choose(&self, 3);
        make_array(&self, &types, rows, &array);
        const arrow_rows asked = {
            .array = &array, .from = from, .count = rows > from ? rows - from : 0};
        batch taken;
        if (arrow_array_import(&types, &fields, asked, &memory, &taken, &err) == FIRN_OK) {
            print_all(&taken, &memory);
            round_trip(&fields, &taken, &memory);
        }
    }
    arena_close(&memory);
    for (size_t i = 0; i < self.block_count; i++) {
        free(self.blocks[i]);
    }
    return 0;
}
