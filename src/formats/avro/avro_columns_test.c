#include "formats/avro/avro_columns.h"

#include <string.h>

#include "base/hex.h"
#include "base/test.h"
#include "formats/avro/avro_types.h"

#define LIST(...) {.data = (const uint8_t[]){__VA_ARGS__}, .size = sizeof((uint8_t[]){__VA_ARGS__})}
#define BYTES(...) ((bytes)LIST(__VA_ARGS__))
#define ROWS 8

static const avro_schema *schema_of(arena *memory, const char *json) {
    const avro_schema *out = NULL;
    firn_error err = ERR_INIT;
    const bytes input = {.data = (const uint8_t *)json, .size = strlen(json)};
    if (avro_schema_read(memory, input, &out, &err) != FIRN_OK) {
        test_fail(__FILE__, __LINE__, err.text);
    }
    return out;
}

// A record with the one field "a" of id 1.
static const avro_schema *record_of(arena *memory, const char *type_json) {
    text json = {0};
    firn_error err = ERR_INIT;
    if (text_format(memory, &json, &err,
                    "{\"type\":\"record\",\"name\":\"r\",\"fields\":["
                    "{\"name\":\"a\",\"field-id\":1,\"type\":%s}]}",
                    type_json) != FIRN_OK) {
        return NULL;
    }
    return schema_of(memory, json.data);
}

// What is read in a test.
typedef struct request {
    const avro_schema *file;
    schema wanted;
    avro_columns_options options;
    bytes input; // All of it.
    uint32_t count;
} request;

static firn_status read_rows(arena *memory, const request *from, const column **out,
                             firn_error *err) {
    const avro_columns *plan;
    avro_rows *rows;
    TRY(avro_columns_compile(memory, from->file, &from->wanted, &from->options, &plan, err));
    TRY(avro_rows_begin(plan, memory, ROWS, &rows, err));
    byte_reader in = reader_open(from->input);
    for (uint32_t i = 0; i < from->count; i++) {
        TRY(avro_rows_read(rows, &in, 1, err));
    }
    if (reader_left(&in) > 0) {
        return FAIL(err, FIRN_INTERNAL, "%zu bytes left", reader_left(&in));
    }
    if (avro_rows_count(rows) != from->count) {
        return FAIL(err, FIRN_INTERNAL, "%u rows", avro_rows_count(rows));
    }
    return avro_rows_finish(rows, out, err);
}

static void print_lane(const column *from, uint32_t row, text_builder *out);

static void print_list(const column *from, list_value list, text_builder *out) {
    text_append_char(out, '[');
    for (uint32_t i = 0; i < list.size; i++) {
        text_append(out, i > 0 ? TEXT(", ") : TEXT(""));
        for (uint32_t child = 0; child < from->type->child_count; child++) {
            text_append(out, child > 0 ? TEXT("=") : TEXT(""));
            print_lane(&from->children[child], list.offset + i, out);
        }
    }
    text_append_char(out, ']');
}

static void print_string(const column *from, uint32_t row, text_builder *out) {
    const text value = string_text(&COLUMN_VALUES(from, string_value)[row]);
    char digits[128];
    if (from->type->id == TYPE_VARCHAR || value.size > sizeof digits / 2) {
        text_append(out, value);
        return;
    }
    hex_print(bytes_of_text(value), digits);
    text_append(out, (text){.data = digits, .size = 2 * value.size});
}

// The stored value of a row, plainly: dates and times as numbers.
static void print_lane(const column *from, uint32_t row, text_builder *out) {
    if (!column_is_valid(from, row)) {
        text_append(out, TEXT("NULL"));
        return;
    }
    row &= column_mask(from);
    const interval_value *interval;
    switch ((int)type_physical(from->type)) {
    case PHYSICAL_BIT:
        text_append(out, bitmap_get(from->values, row) ? TEXT("true") : TEXT("false"));
        break;
    case PHYSICAL_I32:
        text_append_format(out, "%d", COLUMN_VALUES(from, int32_t)[row]);
        break;
    case PHYSICAL_I64:
        text_append_format(out, "%lld", (long long)COLUMN_VALUES(from, int64_t)[row]);
        break;
    case PHYSICAL_F32:
        text_append_format(out, "%g", (double)COLUMN_VALUES(from, float)[row]);
        break;
    case PHYSICAL_F64:
        text_append_format(out, "%g", COLUMN_VALUES(from, double)[row]);
        break;
    case PHYSICAL_I128:
        text_append_format(out, "%lld", (long long)COLUMN_VALUES(from, i128)[row]);
        break;
    case PHYSICAL_I256:
        text_append_format(out, "%g", i256_to_double(COLUMN_VALUES(from, i256)[row]));
        break;
    case PHYSICAL_INTERVAL:
        interval = &COLUMN_VALUES(from, interval_value)[row];
        text_append_format(out, "%d %d %lld", interval->months, interval->days,
                           (long long)interval->nanos);
        break;
    case PHYSICAL_STRING:
        print_string(from, row, out);
        break;
    case PHYSICAL_LIST:
        print_list(from, COLUMN_VALUES(from, list_value)[row], out);
        break;
    case PHYSICAL_STRUCT:
        text_append_char(out, '{');
        for (uint32_t i = 0; i < from->type->child_count; i++) {
            text_append(out, i > 0 ? TEXT(", ") : TEXT(""));
            print_lane(&from->children[i], row, out);
        }
        text_append_char(out, '}');
        break;
    default:
        break;
    }
}

// All rows of a column, with bars between.
static const char *print_column(arena *memory, const column *from) {
    text_builder out = text_builder_open(memory);
    for (uint32_t i = 0; i < from->length; i++) {
        text_append(&out, i > 0 ? TEXT("|") : TEXT(""));
        print_lane(from, i, &out);
    }
    text done = {0};
    firn_error err = ERR_INIT;
    return text_builder_finish(&out, &done, &err) == FIRN_OK ? done.data : "";
}

static uint32_t count_rows(const char *printed) {
    uint32_t count = 1;
    for (; *printed != '\0'; printed++) {
        count += *printed == '|' ? 1 : 0;
    }
    return count;
}

// Reads rows of a file of one field "a" with this type, as `wanted` (NULL: its natural type).
static firn_status read_printed(arena *memory, const char *json, const type *wanted, bytes input,
                                uint32_t count, const char **printed, firn_error *err) {
    const avro_schema *file = record_of(memory, json);
    if (file == NULL) {
        return FAIL(err, FIRN_INTERNAL, "no schema");
    }
    schema natural;
    TRY(avro_types_of(memory, file, &natural, err));
    field only = natural.fields[0];
    only.type = wanted == NULL ? only.type : wanted;
    const request from = {
        .file = file,
        .wanted = {.count = 1, .fields = &only},
        .input = input,
        .count = count,
    };
    const column *columns;
    TRY(read_rows(memory, &from, &columns, err));
    *printed = print_column(memory, &columns[0]);
    return FIRN_OK;
}

#define LOGICAL(base, name) "{\"type\":\"" base "\",\"logicalType\":\"" name "\"}"
#define DECIMAL_BYTES "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":9,\"scale\":2}"
#define FIXED(size) "{\"type\":\"fixed\",\"name\":\"f\",\"size\":" size "}"
#define UUID_TEXT                                                                                  \
    '0', '1', '2', '3', '4', '5', '6', '7', '-', '8', '9', 'a', 'b', '-', 'c', 'd', 'E', 'F', '-', \
        '0', '0', '1', '1', '-', '2', '2', '3', '3', '4', '4', '5', '5', '6', '6', '7', '7'

static const type decimal_9_2 = {.id = TYPE_DECIMAL, .precision = 9, .scale = 2};
static const type decimal_18_2 = {.id = TYPE_DECIMAL, .precision = 18, .scale = 2};
static const type decimal_38_2 = {.id = TYPE_DECIMAL, .precision = 38, .scale = 2};
static const type decimal_76_2 = {.id = TYPE_DECIMAL, .precision = 76, .scale = 2};
static const type binary_2 = {.id = TYPE_BINARY, .width = 2};
static const type micros = {.id = TYPE_TIMESTAMP, .unit = UNIT_MICRO};
static const type nanos = {.id = TYPE_TIMESTAMP, .unit = UNIT_NANO};

static const struct {
    const char *json;
    const type *wanted; // NULL: the natural type.
    bytes input;
    const char *printed;
} good_cases[] = {
    {"\"boolean\"", NULL, LIST(1, 0), "true|false"},
    {"\"int\"", NULL, LIST(2, 5), "1|-3"},
    {"\"int\"", TYPE_OF(BIGINT), LIST(2, 5), "1|-3"},
    {"\"long\"", NULL, LIST(2, 5), "1|-3"},
    {"\"float\"", NULL, LIST(0, 0, 0xc0, 0x3f, 0, 0, 0, 0xbf), "1.5|-0.5"},
    {"\"float\"", TYPE_OF(DOUBLE), LIST(0, 0, 0xc0, 0x3f, 0, 0, 0, 0xbf), "1.5|-0.5"},
    {"\"double\"", NULL, LIST(0, 0, 0, 0, 0, 0, 0xf8, 0x3f), "1.5"},
    {"\"string\"", NULL, LIST(2, 'x', 4, 'y', 'z'), "x|yz"},
    {"\"string\"", TYPE_OF(BINARY), LIST(2, 'x', 4, 'y', 'z'), "78|797a"},
    {"\"bytes\"", NULL, LIST(2, 0xff, 0), "ff|"},
    {"\"bytes\"", TYPE_OF(VARCHAR), LIST(2, 'x', 2, 'y'), "x|y"},
    {"\"bytes\"", &binary_2, LIST(4, 1, 2, 4, 3, 4), "0102|0304"},
    {FIXED("2"), NULL, LIST(1, 2, 3, 4), "0102|0304"},
    {FIXED("2"), TYPE_OF(BINARY), LIST(1, 2, 3, 4), "0102|0304"},
    {FIXED("16"), TYPE_OF(UUID), LIST(1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6),
     "01020304050607080900010203040506"},
    {"{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"RED\",\"a long name of a color\"]}", NULL,
     LIST(2, 0), "a long name of a color|RED"},
    {DECIMAL_BYTES, NULL, LIST(4, 0x01, 0x00, 2, 0xff), "256|-1"},
    {DECIMAL_BYTES, &decimal_9_2, LIST(4, 0x01, 0x00, 2, 0xff), "256|-1"},
    {DECIMAL_BYTES, &decimal_18_2, LIST(4, 0x01, 0x00, 2, 0xff), "256|-1"},
    {DECIMAL_BYTES, &decimal_38_2, LIST(4, 0x01, 0x00, 2, 0xff), "256|-1"},
    {DECIMAL_BYTES, &decimal_76_2, LIST(4, 0x01, 0x00, 2, 0xff), "256|-1"},
    {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":3,\"logicalType\":\"decimal\","
     "\"precision\":5,\"scale\":1}",
     NULL, LIST(0, 1, 0, 0xff, 0xff, 0xff), "256|-1"},
    {LOGICAL("int", "date"), NULL, LIST(2, 1), "1|-1"},
    {"\"int\"", TYPE_OF(DATE), LIST(2, 1), "1|-1"},
    {LOGICAL("int", "date"), &micros, LIST(2, 1), "86400000000|-86400000000"},
    {LOGICAL("int", "time-millis"), TYPE_OF(TIME), LIST(2, 0), "1000|0"},
    {LOGICAL("long", "time-micros"), NULL, LIST(2, 0), "1|0"},
    {LOGICAL("long", "timestamp-millis"), &micros, LIST(2, 0), "1000|0"},
    {LOGICAL("long", "timestamp-micros"), &nanos, LIST(2, 0), "1000|0"},
    {LOGICAL("long", "local-timestamp-micros"), NULL, LIST(2, 0), "1|0"},
    {LOGICAL("long", "timestamp-nanos"), NULL, LIST(2, 0), "1|0"},
    {LOGICAL("string", "uuid"), NULL, LIST(72, UUID_TEXT), "0123456789abcdef0011223344556677"},
    {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":12,\"logicalType\":\"duration\"}", NULL,
     LIST(1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0), "1 2 3000000"},
    {"\"null\"", NULL, {0}, "NULL|NULL"},
    {"\"null\"", TYPE_OF(BIGINT), {0}, "NULL|NULL"},
    {"[\"null\",\"int\"]", NULL, LIST(0, 2, 4), "NULL|2"},
    {"[\"int\",\"null\"]", NULL, LIST(2, 0, 4), "NULL|2"},
    {"[\"string\"]", NULL, LIST(0, 2, 'x', 0, 0), "x|"},
    {"[\"int\",\"null\",\"long\"]", NULL, LIST(0, 2, 2, 4, 6), "1|NULL|3"},
    {"[\"float\",\"double\"]", NULL, LIST(0, 0, 0, 0xc0, 0x3f, 2, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f),
     "1.5|1.5"},
    {"[\"null\",\"string\",\"long\"]", NULL, LIST(2, 2, 'x', 4, 6, 0), "{x, NULL}|{NULL, 3}|NULL"},
    {"{\"type\":\"array\",\"items\":\"int\"}", NULL, LIST(4, 2, 4, 0, 0, 2, 6, 2, 8, 0),
     "[1, 2]|[]|[3, 4]"},
    {"[\"null\",{\"type\":\"array\",\"items\":[\"null\",\"string\"]}]", NULL,
     LIST(2, 4, 2, 2, 'x', 0, 0, 0, 2, 0), "[x, NULL]|NULL|[]"},
    {"{\"type\":\"map\",\"values\":\"long\"}", NULL, LIST(2, 2, 'k', 4, 2, 2, 'l', 6, 0),
     "[k=2, l=3]"},
    {"{\"type\":\"array\",\"logicalType\":\"map\",\"items\":{\"type\":\"record\",\"name\":"
     "\"p\","
     "\"fields\":[{\"name\":\"key\",\"type\":\"int\"},{\"name\":\"value\",\"type\":"
     "[\"null\",\"string\"]}]}}",
     NULL, LIST(4, 2, 2, 2, 'x', 4, 0, 0, 0), "[1=x, 2=NULL]|[]"},
    {"[\"null\",{\"type\":\"record\",\"name\":\"s\",\"fields\":["
     "{\"name\":\"x\",\"type\":\"int\",\"field-id\":2},"
     "{\"name\":\"y\",\"type\":[\"null\",\"string\"],\"field-id\":3}]}]",
     NULL, LIST(2, 2, 0, 0, 2, 4, 2, 2, 'y'), "{1, NULL}|NULL|{2, y}"},
};

TEST(avro_columns_read_every_type) {
    for (size_t i = 0; i < sizeof good_cases / sizeof *good_cases; i++) {
        arena memory = arena_open(1 << 20);
        firn_error err = ERR_INIT;
        const char *printed = err.text;
        const uint32_t count = count_rows(good_cases[i].printed);
        CHECK(read_printed(&memory, good_cases[i].json, good_cases[i].wanted, good_cases[i].input,
                           count, &printed, &err) == FIRN_OK);
        CHECK(strcmp(printed, good_cases[i].printed) == 0);
        if (strcmp(printed, good_cases[i].printed) != 0) {
            (void)fprintf(stderr, "%s: %s\n", good_cases[i].json, printed);
        }
        arena_close(&memory);
    }
}

TEST(avro_columns_refuse_what_cannot_be_had) {
    const struct {
        const char *json;
        const type *wanted;
        bytes input;
        const char *message;
    } cases[] = {
        {"\"long\"",
         TYPE_OF(INTEGER),
         {0},
         "\"long\" (BIGINT) cannot become INTEGER\n  while reading Avro field \"a\""},
        {"\"double\"", TYPE_OF(REAL), {0}, "\"double\" (DOUBLE) cannot become REAL"},
        {"\"string\"", TYPE_OF(BIGINT), {0}, "cannot become BIGINT"},
        {"\"long\"", &micros, {0}, "cannot become TIMESTAMP"},
        {LOGICAL("long", "timestamp-nanos"), &micros, {0}, "cannot become TIMESTAMP"},
        {LOGICAL("long", "time-micros"), &micros, {0}, "cannot become TIMESTAMP"},
        {FIXED("3"), &binary_2, {0}, "cannot become BINARY(2)"},
        {"\"bytes\"", &decimal_9_2, {0}, "cannot become DECIMAL(9,2)"},
        {"{\"type\":\"array\",\"items\":\"int\"}", TYPE_OF(BIGINT), {0}, "cannot become BIGINT"},
        {"{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[]}",
         TYPE_OF(BIGINT),
         {0},
         "\"e\" (VARCHAR) cannot become BIGINT"},
        {"[\"null\",\"r\"]", NULL, {0}, "record \"r\" contains itself"},
        {"\"string\"", NULL, BYTES(4, 'x', 0xff),
         "not UTF-8 at byte 1\n  while reading Avro field \"a\""},
        {"\"bytes\"", &binary_2, BYTES(2, 1), "1 bytes where 2 are wanted"},
        {DECIMAL_BYTES, NULL, BYTES(10, 2, 0, 0, 0, 0),
         "decimal of 5 bytes with more than 9 digits"},
        {DECIMAL_BYTES, NULL, BYTES(0), "decimal of 0 bytes"},
        {LOGICAL("string", "uuid"), NULL, BYTES(2, 'x'), "text of 1 bytes that is no UUID"},
        {LOGICAL("long", "timestamp-micros"), &nanos,
         BYTES(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
         "does not fit 64 bits in its new unit"},
        {"\"int\"", NULL, BYTES(0x80), "number is cut off"},
        {"[\"null\",\"int\"]", NULL, BYTES(4), "number 2 of a union or enum of 2"},
        {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":12,\"logicalType\":\"duration\"}", NULL,
         BYTES(0, 0, 0, 0x80, 2, 0, 0, 0, 3, 0, 0, 0), "duration of 2147483648 months"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arena memory = arena_open(1 << 20);
        firn_error err = ERR_INIT;
        const char *printed = "";
        CHECK(read_printed(&memory, cases[i].json, cases[i].wanted, cases[i].input, 1, &printed,
                           &err) != FIRN_OK);
        CHECK(strstr(err.text, cases[i].message) != NULL);
        arena_close(&memory);
    }
}

// ---- Projection ---------------------------------------------------------------------------------

static const char nested_json[] =
    "{\"type\":\"record\",\"name\":\"t\",\"fields\":["
    "{\"name\":\"a\",\"type\":\"long\",\"field-id\":1},"
    "{\"name\":\"b\",\"type\":\"string\",\"field-id\":2},"
    "{\"name\":\"c\",\"type\":\"double\",\"field-id\":3},"
    "{\"name\":\"_x2Fs\",\"iceberg-field-name\":\"/s\",\"field-id\":4,"
    " \"type\":[\"null\",{\"type\":\"record\",\"name\":\"s\",\"fields\":["
    "  {\"name\":\"x\",\"type\":\"int\",\"field-id\":5},"
    "  {\"name\":\"y\",\"type\":\"int\",\"field-id\":6}]}]}]}";
#define NESTED_ROWS                                                                                \
    2, 2, 'x', 0, 0, 0, 0, 0, 0, 0, 0, 2, 20, 22, 4, 2, 'y', 0, 0, 0, 0, 0, 0, 0, 0, 0

static const column *missing_is_seven(void *user, const field *wanted) {
    (void)wanted;
    return user;
}

TEST(avro_columns_project_by_id_at_every_depth) {
    arena memory = arena_open(1 << 20);
    const avro_schema *file = schema_of(&memory, nested_json);
    REQUIRE(file != NULL);
    const field inner[] = {
        {.name = TEXT("new"), .type = TYPE_OF(BIGINT), .id = 9, .is_nullable = true},
        {.name = TEXT("renamed"), .type = TYPE_OF(BIGINT), .id = 6},
    };
    const type *inner_type = type_struct(&memory, 2, inner);
    const field fields[] = {
        {.name = TEXT("s"), .type = inner_type, .id = 4, .is_nullable = true},
        {.name = TEXT("other"), .type = TYPE_OF(BIGINT), .id = 8, .is_nullable = true},
        {.name = TEXT("z"), .type = TYPE_OF(BIGINT), .id = 1},
    };
    request from = {
        .file = file,
        .wanted = {.count = 3, .fields = fields},
        .input = BYTES(NESTED_ROWS),
        .count = 2,
    };
    firn_error err = ERR_INIT;
    const column *columns = NULL;
    REQUIRE(read_rows(&memory, &from, &columns, &err) == FIRN_OK);
    CHECK(strcmp(print_column(&memory, &columns[0]), "{NULL, 11}|NULL") == 0);
    CHECK(strcmp(print_column(&memory, &columns[1]), "NULL|NULL") == 0);
    CHECK(strcmp(print_column(&memory, &columns[2]), "1|2") == 0);
    CHECK(columns[1].form == FORM_CONSTANT && columns[2].validity == NULL);
    // A child that is never null has no nulls, also under a null.
    CHECK(columns[0].children[1].validity == NULL && columns[0].children[1].length == 2);

    column seven;
    REQUIRE(column_new(&memory, TYPE_OF(BIGINT), 1, &seven, &err) == FIRN_OK);
    COLUMN_OUT(&seven, int64_t)[0] = 7;
    from.options = (avro_columns_options){.missing = missing_is_seven, .user = &seven};
    REQUIRE(read_rows(&memory, &from, &columns, &err) == FIRN_OK);
    CHECK(strcmp(print_column(&memory, &columns[0]), "{7, 11}|NULL") == 0);
    CHECK(strcmp(print_column(&memory, &columns[1]), "7|7") == 0);
    arena_close(&memory);
}

TEST(avro_columns_project_by_name) {
    arena memory = arena_open(1 << 20);
    const avro_schema *file = schema_of(&memory, nested_json);
    REQUIRE(file != NULL);
    const field inner[] = {{.name = TEXT("y"), .type = TYPE_OF(INTEGER), .id = 77}};
    const field fields[] = {
        {.name = TEXT("c"), .type = TYPE_OF(DOUBLE), .id = 1},
        {.name = TEXT("/s"), .type = type_struct(&memory, 1, inner), .is_nullable = true},
        {.name = TEXT("A"), .type = TYPE_OF(BIGINT), .is_nullable = true},
    };
    const request from = {
        .file = file,
        .wanted = {.count = 3, .fields = fields},
        .options = {.by_name = true},
        .input = BYTES(NESTED_ROWS),
        .count = 2,
    };
    firn_error err = ERR_INIT;
    const column *columns = NULL;
    REQUIRE(read_rows(&memory, &from, &columns, &err) == FIRN_OK);
    CHECK(strcmp(print_column(&memory, &columns[0]), "0|0") == 0);
    CHECK(strcmp(print_column(&memory, &columns[1]), "{11}|NULL") == 0);
    CHECK(strcmp(print_column(&memory, &columns[2]), "NULL|NULL") == 0);
    const avro_columns *plan = NULL;
    REQUIRE(avro_columns_compile(&memory, file, &from.wanted, &from.options, &plan, &err) ==
            FIRN_OK);
    CHECK(avro_columns_has(plan, 0) && avro_columns_has(plan, 1) && !avro_columns_has(plan, 2));
    arena_close(&memory);
}

TEST(avro_columns_pass_over_rows) {
    arena memory = arena_open(1 << 20);
    const avro_schema *file = schema_of(&memory, nested_json);
    REQUIRE(file != NULL);
    const field fields[] = {{.name = TEXT("a"), .type = TYPE_OF(BIGINT), .id = 1}};
    const schema wanted = {.count = 1, .fields = fields};
    firn_error err = ERR_INIT;
    const avro_columns *plan = NULL;
    avro_rows *rows = NULL;
    REQUIRE(avro_columns_compile(&memory, file, &wanted, &(avro_columns_options){0}, &plan, &err) ==
            FIRN_OK);
    REQUIRE(avro_rows_begin(plan, &memory, 3, &rows, &err) == FIRN_OK);
    byte_reader in = reader_open(BYTES(NESTED_ROWS, NESTED_ROWS));
    REQUIRE(avro_rows_read(rows, &in, 1, &err) == FIRN_OK);
    REQUIRE(avro_rows_skip(rows, &in, 2, &err) == FIRN_OK);
    REQUIRE(avro_rows_read(rows, &in, 1, &err) == FIRN_OK);
    CHECK(reader_left(&in) == 0);
    const column *columns = NULL;
    REQUIRE(avro_rows_finish(rows, &columns, &err) == FIRN_OK);
    CHECK(strcmp(print_column(&memory, &columns[0]), "1|2") == 0);
    arena_close(&memory);
}

TEST(avro_columns_grow_lists_past_any_capacity) {
    arena memory = arena_open((size_t)16 << 20);
    const avro_schema *file =
        record_of(&memory, "{\"type\":\"array\",\"items\":[\"null\",\"boolean\"]}");
    REQUIRE(file != NULL);
    enum { ITEMS = 5000 };
    static uint8_t input[ROWS * (2 * ITEMS + 3)];
    size_t size = 0;
    for (uint32_t row = 0; row < ROWS; row++) {
        input[size++] = (2 * ITEMS & 0x7f) | 0x80;
        input[size++] = 2 * ITEMS >> 7;
        for (uint32_t i = 0; i < ITEMS; i++) {
            if (i % 7 == 3) {
                input[size++] = 0;
            } else {
                input[size++] = 2;
                input[size++] = i % 3 == 0;
            }
        }
        input[size++] = 0;
    }
    request from = {
        .file = file,
        .input = {.data = input, .size = size},
        .count = ROWS,
    };
    firn_error err = ERR_INIT;
    const column *columns = NULL;
    REQUIRE(avro_types_of(&memory, file, &from.wanted, &err) == FIRN_OK);
    REQUIRE(read_rows(&memory, &from, &columns, &err) == FIRN_OK);
    const column *items = &columns[0].children[0];
    REQUIRE(items->length == ROWS * ITEMS);
    for (uint32_t row = 0; row < items->length; row++) {
        const uint32_t i = row % ITEMS;
        REQUIRE(column_is_valid(items, row) == (i % 7 != 3));
        REQUIRE(i % 7 == 3 || bitmap_get(items->values, row) == (i % 3 == 0));
    }
    CHECK(COLUMN_VALUES(&columns[0], list_value)[ROWS - 1].offset == (ROWS - 1) * ITEMS);
    arena_close(&memory);
}

TEST(avro_types_name_the_columns_of_a_file) {
    arena memory = arena_open(1 << 20);
    const avro_schema *file = schema_of(
        &memory,
        "{\"type\":\"record\",\"name\":\"t\",\"fields\":["
        "{\"name\":\"a\",\"type\":[\"null\",{\"type\":\"long\",\"logicalType\":"
        " \"timestamp-micros\",\"adjust-to-utc\":false}]},"
        "{\"name\":\"b\",\"type\":" LOGICAL(
            "long",
            "timestamp-millis") "},"
                                "{\"name\":\"c\",\"type\":{\"type\":\"map\",\"values\":{\"type\":"
                                "\"array\","
                                " \"items\":" FIXED(
                                    "5") ",\"element-id\":12},\"key-id\":10,\"value-id\":11}},"
                                         "{\"name\":\"d\",\"type\":" DECIMAL_BYTES "}]}");
    REQUIRE(file != NULL);
    schema out = {0};
    firn_error err = ERR_INIT;
    REQUIRE(avro_types_of(&memory, file, &out, &err) == FIRN_OK);
    REQUIRE(out.count == 4);
    CHECK(out.fields[0].type->id == TYPE_TIMESTAMP && out.fields[0].is_nullable);
    CHECK(out.fields[1].type->id == TYPE_TIMESTAMPTZ && out.fields[1].type->unit == UNIT_MILLI);
    CHECK(out.fields[2].type->id == TYPE_MAP && !out.fields[2].is_nullable);
    CHECK(out.fields[2].type->children[0].id == 10 && out.fields[2].type->children[1].id == 11);
    CHECK(out.fields[2].type->children[1].type->children[0].id == 12);
    CHECK(out.fields[2].type->children[1].type->children[0].type->width == 5);
    CHECK(out.fields[3].type->id == TYPE_DECIMAL && out.fields[3].type->precision == 9);

    const avro_schema *single = schema_of(&memory, "\"string\"");
    REQUIRE(single != NULL && avro_types_of(&memory, single, &out, &err) == FIRN_OK);
    REQUIRE(out.count == 1 && text_equal(out.fields[0].name, TEXT("value")));
    const column *columns = NULL;
    const request from = {
        .file = single,
        .wanted = out,
        .options = {.by_name = true},
        .input = BYTES(2, 'x', 2, 'y'),
        .count = 2,
    };
    REQUIRE(read_rows(&memory, &from, &columns, &err) == FIRN_OK);
    CHECK(strcmp(print_column(&memory, &columns[0]), "x|y") == 0);
    arena_close(&memory);
}
