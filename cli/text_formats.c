// csv, markdown, json and ndjson: formats that are written as the rows come.
#include "results.h"

#include <string.h>

#include "cell_text.h"

static const cli_format *const formats[] = {
    &cli_format_table,  &cli_format_csv,   &cli_format_json,
    &cli_format_ndjson, &cli_format_arrow, &cli_format_markdown,
};

const cli_format *cli_format_of(const char *name) {
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i]->name, name) == 0) {
            return formats[i];
        }
    }
    return NULL;
}

const cli_format *cli_format_at(size_t index) {
    return index < sizeof formats / sizeof formats[0] ? formats[index] : NULL;
}

// ---- CSV ---------------------------------------------------------------------------------------

/// RFC 4180: quotes where a comma, quote or line end is inside, or blanks at an end, or nothing at
/// all, which is how the empty text differs from NULL.
static void write_csv_field(cli_sink *out, const char *data, size_t size) {
    bool is_plain = size > 0 && data[0] != ' ' && data[size - 1] != ' ';
    for (size_t i = 0; is_plain && i < size; i++) {
        is_plain = data[i] != ',' && data[i] != '"' && data[i] != '\n' && data[i] != '\r';
    }
    if (is_plain) {
        cli_sink_write(out, data, size);
        return;
    }
    cli_sink_char(out, '"');
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '"') {
            cli_sink_char(out, '"');
        }
        cli_sink_char(out, data[i]);
    }
    cli_sink_char(out, '"');
}

static bool is_nested(cell_kind kind) {
    return cli_cell_is_list(kind) || kind == CELL_STRUCT || kind == CELL_MAP;
}

static void write_csv_cell(cli_sink *out, cell value, cli_sink *scratch) {
    if (cli_cell_is_null(value)) {
        return;
    }
    if (cli_cell_is_text(value.type->kind)) {
        const cell_bytes text = cli_cell_bytes(value);
        write_csv_field(out, text.data, text.size);
    } else if (is_nested(value.type->kind)) {
        cli_sink_reset(scratch);
        cli_cell_write_json(scratch, value);
        write_csv_field(out, scratch->data, scratch->size);
    } else {
        cli_cell_write_text(out, value); // Never holds a comma, a quote or a line end.
    }
}

static void csv_begin(cli_results *self) {
    if (self->result_count > 1) {
        cli_sink_char(&self->out, '\n');
    }
    for (size_t i = 0; i < self->type->child_count; i++) {
        const char *name = self->type->children[i].name;
        cli_sink_text(&self->out, i > 0 ? "," : "");
        write_csv_field(&self->out, name, strlen(name));
    }
    cli_sink_char(&self->out, '\n');
}

static void csv_batch(cli_results *self, const struct ArrowArray *batch) {
    cli_sink scratch = CLI_SINK_MEMORY;
    for (int64_t row = 0; row < batch->length; row++) {
        for (size_t i = 0; i < self->type->child_count; i++) {
            if (i > 0) {
                cli_sink_char(&self->out, ',');
            }
            write_csv_cell(&self->out, cli_cell_of_column(self->type, batch, i, row), &scratch);
        }
        cli_sink_char(&self->out, '\n');
    }
    cli_sink_close(&scratch);
}

static void nothing_at_end(cli_results *self, bool is_whole) {
    (void)self;
    (void)is_whole;
}

const cli_format cli_format_csv = {
    .name = "csv", .begin = csv_begin, .batch = csv_batch, .end = nothing_at_end};

// ---- Markdown ----------------------------------------------------------------------------------

static void write_markdown_text(cli_sink *out, const char *data, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n') {
            cli_sink_text(out, "<br>");
        } else if (data[i] != '\r') {
            cli_sink_text(out, data[i] == '|' || data[i] == '\\' ? "\\" : "");
            cli_sink_char(out, data[i]);
        }
    }
}

static void markdown_begin(cli_results *self) {
    cli_sink *out = &self->out;
    if (self->result_count > 1) {
        cli_sink_char(out, '\n');
    }
    for (size_t i = 0; i < self->type->child_count; i++) {
        const char *name = self->type->children[i].name;
        cli_sink_text(out, i == 0 ? "| " : " | ");
        write_markdown_text(out, name, strlen(name));
    }
    cli_sink_text(out, " |\n");
    for (size_t i = 0; i < self->type->child_count; i++) {
        cli_sink_text(out, i == 0 ? "|" : "");
        cli_sink_text(out, cli_cell_is_number(self->type->children[i].kind) ? " ---: |" : " --- |");
    }
    cli_sink_char(out, '\n');
}

static void markdown_batch(cli_results *self, const struct ArrowArray *batch) {
    cli_sink scratch = CLI_SINK_MEMORY;
    for (int64_t row = 0; row < batch->length; row++) {
        for (size_t i = 0; i < self->type->child_count; i++) {
            cli_sink_text(&self->out, i == 0 ? "| " : " | ");
            cli_sink_reset(&scratch);
            cli_cell_write_text(&scratch, cli_cell_of_column(self->type, batch, i, row));
            write_markdown_text(&self->out, scratch.data, scratch.size);
        }
        cli_sink_text(&self->out, " |\n");
    }
    cli_sink_close(&scratch);
}

const cli_format cli_format_markdown = {
    .name = "markdown", .begin = markdown_begin, .batch = markdown_batch, .end = nothing_at_end};

// ---- JSON --------------------------------------------------------------------------------------

/// An object, or an array of [name, value] where an object would lose columns of the same name.
static void write_json_row(cli_results *self, const struct ArrowArray *batch, int64_t row) {
    const bool is_pairs = self->state != NULL;
    cli_sink *out = &self->out;
    cli_sink_char(out, is_pairs ? '[' : '{');
    for (size_t i = 0; i < self->type->child_count; i++) {
        const char *name = self->type->children[i].name;
        cli_sink_text(out, i > 0 ? "," : "");
        cli_sink_text(out, is_pairs ? "[" : "");
        cli_json_string(out, name, strlen(name));
        cli_sink_char(out, is_pairs ? ',' : ':');
        cli_cell_write_json(out, cli_cell_of_column(self->type, batch, i, row));
        cli_sink_text(out, is_pairs ? "]" : "");
    }
    cli_sink_char(out, is_pairs ? ']' : '}');
}

static bool has_repeated_name(const cell_type *type) {
    for (size_t i = 0; i < type->child_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(type->children[i].name, type->children[j].name) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void ndjson_begin(cli_results *self) {
    static char is_pairs;
    self->state = has_repeated_name(self->type) ? &is_pairs : NULL;
}

static void ndjson_batch(cli_results *self, const struct ArrowArray *batch) {
    for (int64_t row = 0; row < batch->length; row++) {
        write_json_row(self, batch, row);
        cli_sink_char(&self->out, '\n');
    }
}

const cli_format cli_format_ndjson = {.name = "ndjson",
                                      .is_json = true,
                                      .begin = ndjson_begin,
                                      .batch = ndjson_batch,
                                      .end = nothing_at_end};

static void json_batch(cli_results *self, const struct ArrowArray *batch) {
    for (int64_t row = 0; row < batch->length; row++) {
        cli_sink_text(&self->out, self->row_count == 0 && row == 0 ? "[\n" : ",\n");
        write_json_row(self, batch, row);
    }
}

static void json_end(cli_results *self, bool is_whole) {
    if (is_whole) { // A cut array stays open, so that no reader takes it for whole.
        cli_sink_text(&self->out, self->row_count == 0 ? "[]\n" : "\n]\n");
    }
}

const cli_format cli_format_json = {.name = "json",
                                    .takes_one = true,
                                    .is_json = true,
                                    .begin = ndjson_begin,
                                    .batch = json_batch,
                                    .end = json_end};
