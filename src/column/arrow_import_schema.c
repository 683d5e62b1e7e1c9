// Foreign Arrow schemas as types and fields. Formats are texts of the C data interface; extension
// types are told by their metadata, which is read as its own sizes say and not checked: the
// interface gives no size of the whole.
#include "base/number_text.h"
#include "base/utf8.h"
#include "column/arrow_private.h"

// The value of a key of the C data interface's metadata block; "" if it is not there.
static text metadata_value(const char *metadata, text key) {
    int32_t pairs;
    if (metadata == NULL) {
        return TEXT("");
    }
    memcpy(&pairs, metadata, sizeof pairs);
    metadata += sizeof pairs;
    for (int32_t i = 0; i < pairs; i++) {
        text parts[2];
        for (int part = 0; part < 2; part++) {
            int32_t size;
            memcpy(&size, metadata, sizeof size);
            metadata += sizeof size;
            parts[part] = (text){.data = metadata, .size = size < 0 ? 0 : (size_t)size};
            metadata += parts[part].size;
        }
        if (text_equal(parts[0], key)) {
            return parts[1];
        }
    }
    return TEXT("");
}

static firn_status unknown_format(const struct ArrowSchema *self, firn_error *err) {
    return FAIL(err, FIRN_UNSUPPORTED,
                "column \"%s\" has the Arrow format \"%s\", which firn has no type for",
                self->name == NULL ? "" : self->name, self->format);
}

bool arrow_unit_of(char letter, time_unit *out) {
    static const char letters[] = "smun";
    for (int i = 0; i < 4; i++) {
        if (letters[i] == letter) {
            *out = (time_unit)i;
            return true;
        }
    }
    return false;
}

uint32_t arrow_decimal_width(const char *format) {
    static const struct {
        const char *bits;
        uint32_t width;
    } widths[] = {{"32", 4}, {"64", 8}, {"128", 16}, {"256", 32}};
    const text numbers = text_of(format);
    text rest = text_slice(numbers, text_find(numbers, TEXT(",")), numbers.size);
    rest = rest.size == 0 ? rest : text_slice(rest, 1, rest.size); // Scale, then bits.
    const size_t comma = text_find(rest, TEXT(","));
    if (comma == rest.size) {
        return 16;
    }
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        if (text_equal(text_slice(rest, comma + 1, rest.size), text_of(widths[i].bits))) {
            return widths[i].width;
        }
    }
    return 0;
}

static firn_status decimal_type(const struct ArrowSchema *self, arena *memory, const type **out,
                                firn_error *err) {
    const text numbers = text_of(self->format + 2);
    const size_t comma = text_find(numbers, TEXT(","));
    int64_t precision;
    int64_t scale;
    if (comma == numbers.size) {
        return unknown_format(self, err);
    }
    text rest = text_slice(numbers, comma + 1, numbers.size);
    rest = text_slice(rest, 0, text_find(rest, TEXT(",")));
    if (number_parse_i64(text_slice(numbers, 0, comma), &precision) != NUMBER_OK ||
        number_parse_i64(rest, &scale) != NUMBER_OK || precision < 1 ||
        precision > DECIMAL_PRECISION_MAX || scale < 0 || scale > precision ||
        arrow_decimal_width(self->format) == 0) {
        return unknown_format(self, err);
    }
    *out = type_decimal(memory, (uint8_t)precision, (uint8_t)scale);
    return *out == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
}

static firn_status temporal_type(const struct ArrowSchema *self, const type **out,
                                 firn_error *err) {
    const char *format = self->format;
    time_unit unit;
    if (strcmp(format, "tdD") == 0 || strcmp(format, "tdm") == 0) {
        *out = TYPE_OF(DATE);
        return FIRN_OK;
    }
    if (strcmp(format, "tiM") == 0 || strcmp(format, "tiD") == 0 || strcmp(format, "tin") == 0 ||
        (format[1] == 'D' && arrow_unit_of(format[2], &unit) && format[3] == '\0')) { // Durations.
        *out = TYPE_OF(INTERVAL);
        return FIRN_OK;
    }
    if ((format[1] != 't' && format[1] != 's') || !arrow_unit_of(format[2], &unit)) {
        return unknown_format(self, err);
    }
    if (format[1] == 't') {
        *out = type_temporal(TYPE_TIME, unit == UNIT_SECOND ? UNIT_MILLI : unit);
        return FIRN_OK;
    }
    const bool has_zone = format[3] == ':' && format[4] != '\0';
    *out = type_temporal(has_zone ? TYPE_TIMESTAMPTZ : TYPE_TIMESTAMP, unit);
    return FIRN_OK;
}

static firn_status import_type(const struct ArrowSchema *self, arena *memory, uint32_t depth,
                               const type **out, firn_error *err);

static firn_status import_fields(const struct ArrowSchema *self, arena *memory, uint32_t depth,
                                 schema *out, firn_error *err) {
    if (self->n_children < 0 || self->n_children > UINT16_MAX * 16 ||
        (self->n_children > 0 && self->children == NULL)) {
        return FAIL(err, FIRN_INVALID, "an Arrow schema of %lld children, or without any of them",
                    (long long)self->n_children);
    }
    field *fields = ARENA_NEW(memory, field, (size_t)self->n_children + 1);
    if (fields == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (int64_t i = 0; i < self->n_children; i++) {
        const struct ArrowSchema *child = self->children[i];
        if (child == NULL) {
            return FAIL(err, FIRN_INVALID, "an Arrow schema without its child %lld", (long long)i);
        }
        const text name = child->name == NULL ? TEXT("") : text_of(child->name);
        if (!utf8_is_valid(bytes_of_text(name))) {
            return FAIL(err, FIRN_INVALID, "the name of column \"%.*s\" is not UTF-8",
                        TEXT_ARGS(name));
        }
        fields[i] = (field){.is_nullable = (child->flags & ARROW_FLAG_NULLABLE) != 0, .id = -1};
        TRY(text_copy(memory, name, &fields[i].name, err));
        TRY(import_type(child, memory, depth + 1, &fields[i].type, err));
    }
    *out = (schema){.count = (uint32_t)self->n_children, .fields = fields};
    return FIRN_OK;
}

static firn_status nested_type(const struct ArrowSchema *self, arena *memory, uint32_t depth,
                               const type **out, firn_error *err) {
    const char kind = self->format[1];
    schema children;
    if (strlen(self->format) > 2 && kind != 'w' && strcmp(self->format, "+vl") != 0 &&
        strcmp(self->format, "+vL") != 0) {
        return unknown_format(self, err);
    }
    TRY(import_fields(self, memory, depth, &children, err));
    if (kind == 's') {
        *out = type_struct(memory, children.count, children.fields);
        return *out == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
    }
    if (kind == 'r') {
        if (children.count != 2 || self->children[0]->format[1] != '\0' ||
            strchr("sil", self->children[0]->format[0]) == NULL) {
            return FAIL(err, FIRN_INVALID, "Arrow runs without ends, or without values");
        }
        *out = children.fields[1].type;
        return FIRN_OK;
    }
    if (children.count != 1) {
        return FAIL(err, FIRN_INVALID, "a list with %u children", children.count);
    }
    const type *element = children.fields[0].type;
    if (kind == 'm') {
        if (element->id != TYPE_STRUCT || element->child_count != 2) {
            return FAIL(err, FIRN_INVALID, "a map whose entries are no pairs");
        }
        *out = type_map(memory, element->children[0].type, element->children[1].type);
    } else if (kind == 'l' || kind == 'L' || kind == 'w' || kind == 'v') {
        *out = type_list(memory, element);
    } else {
        return unknown_format(self, err);
    }
    return *out == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
}

static firn_status import_type(const struct ArrowSchema *self, arena *memory, uint32_t depth,
                               const type **out, firn_error *err) {
    static const char letters[] = "nbcsilCSILefg";
    static const type_id ids[] = {TYPE_NULL,     TYPE_BOOLEAN, TYPE_TINYINT,  TYPE_SMALLINT,
                                  TYPE_INTEGER,  TYPE_BIGINT,  TYPE_UTINYINT, TYPE_USMALLINT,
                                  TYPE_UINTEGER, TYPE_UBIGINT, TYPE_FLOAT16,  TYPE_REAL,
                                  TYPE_DOUBLE};
    if (self == NULL || self->release == NULL || self->format == NULL || depth > TYPE_DEPTH_MAX) {
        return FAIL(err, FIRN_INVALID,
                    "an Arrow schema that is released, empty or nested too deep");
    }
    if (self->dictionary != NULL) {
        if (strlen(self->format) != 1 || strchr("cCsSiIlL", self->format[0]) == NULL) {
            return FAIL(err, FIRN_INVALID, "an Arrow dictionary whose indexes are \"%s\"",
                        self->format);
        }
        return import_type(self->dictionary, memory, depth + 1, out, err);
    }
    const text format = text_of(self->format);
    const text extension = metadata_value(self->metadata, TEXT("ARROW:extension:name"));
    for (size_t i = 0; format.size == 1 && i < sizeof ids / sizeof ids[0]; i++) {
        if (format.data[0] == letters[i]) {
            *out = &type_constants[ids[i]];
            return FIRN_OK;
        }
    }
    if (text_equal(format, TEXT("u")) || text_equal(format, TEXT("U")) ||
        text_equal(format, TEXT("vu"))) {
        *out = text_equal(extension, TEXT("arrow.json")) ? TYPE_OF(JSON) : TYPE_OF(VARCHAR);
        return FIRN_OK;
    }
    if (text_equal(format, TEXT("z")) || text_equal(format, TEXT("Z")) ||
        text_equal(format, TEXT("vz"))) {
        *out = TYPE_OF(BINARY);
        return FIRN_OK;
    }
    if (text_starts_with(format, TEXT("w:"))) {
        int64_t width;
        if (number_parse_i64(text_slice(format, 2, format.size), &width) != NUMBER_OK ||
            width < 1 || width > INT32_MAX) {
            return unknown_format(self, err);
        }
        *out = text_equal(extension, TEXT("arrow.uuid")) && width == 16
                   ? TYPE_OF(UUID)
                   : type_binary(memory, (uint32_t)width);
        return *out == NULL ? ARENA_FULL(memory, err) : FIRN_OK;
    }
    if (text_starts_with(format, TEXT("d:"))) {
        return decimal_type(self, memory, out, err);
    }
    if (format.size >= 3 && format.data[0] == 't') {
        return temporal_type(self, out, err);
    }
    return format.size >= 2 && format.data[0] == '+' ? nested_type(self, memory, depth, out, err)
                                                     : unknown_format(self, err);
}

firn_status arrow_schema_import(const struct ArrowSchema *self, arena *memory, schema *out,
                                firn_error *err) {
    if (self == NULL || self->release == NULL || self->format == NULL ||
        strcmp(self->format, "+s") != 0) {
        return FAIL(err, FIRN_INVALID, "the Arrow schema is no struct of columns");
    }
    return import_fields(self, memory, 0, out, err);
}
