// The format `table`: columns side by side, as wide as their widest cell.
//
//      region | sum(revenue)
//     --------+--------------
//      north  |        10.50
//
// On a terminal: 40 rows at most, the first and the last twenty, and columns clipped to its width.
// Elsewhere all rows and whole cells; widths are those of the first TABLE_GATHER_SIZE bytes, and a
// wider cell after that moves the rest of its row to the right.
#include "results.h"

#include <stdlib.h>
#include <string.h>

#include "cell_text.h"

enum {
    TABLE_HEAD_ROWS = 20,
    TABLE_TAIL_ROWS = 20,
    TABLE_SHOWN_ROWS = TABLE_HEAD_ROWS + TABLE_TAIL_ROWS,
    TABLE_GATHER_SIZE = 8 << 20,
    TABLE_COLUMN_WIDTH_MIN = 8,
};

/// A row as printable text: cell i is text[ends[i - 1], ends[i]).
typedef struct table_row {
    cli_sink text;
    size_t *ends;
    uint8_t *is_null;
} table_row;

typedef struct table_state {
    size_t column_count;
    size_t *widths;
    bool *is_hidden; // Columns in the middle that a narrow terminal has no room for.
    bool has_hidden;
    table_row *rows; // All so far, or the first 40 and then a ring of the last 20.
    size_t row_capacity;
    size_t kept_count;
    size_t gathered_size;
    bool is_streaming; // The header is out; rows are written as they come.
} table_state;

static void row_open(table_row *row, size_t column_count) {
    if (row->ends == NULL) {
        row->text = CLI_SINK_MEMORY;
        row->ends = cli_allocate(column_count, sizeof *row->ends);
        row->is_null = cli_allocate(column_count, 1);
    }
    cli_sink_reset(&row->text);
}

static void row_close(table_row *row) {
    cli_sink_close(&row->text);
    free(row->ends);
    free(row->is_null);
    *row = (table_row){0};
}

static size_t cell_begin(const table_row *row, size_t column) {
    return column == 0 ? 0 : row->ends[column - 1];
}

static void fill_row(table_row *row, const cli_results *results, const struct ArrowArray *batch,
                     int64_t at, cli_sink *scratch) {
    const table_state *state = results->state;
    for (size_t i = 0; i < state->column_count; i++) {
        const cell value = cli_cell_of_column(results->type, batch, i, at);
        row->is_null[i] = cli_cell_is_null(value);
        cli_sink_reset(scratch);
        cli_cell_write_text(scratch, value);
        cli_text_printable(&row->text, scratch->data, scratch->size);
        row->ends[i] = row->text.size;
    }
}

static void widen(table_state *state, const table_row *row) {
    for (size_t i = 0; i < state->column_count; i++) {
        const size_t begin = cell_begin(row, i);
        const size_t width = cli_text_width(row->text.data + begin, row->ends[i] - begin);
        if (width > state->widths[i]) {
            state->widths[i] = width;
        }
    }
}

// ---- Fitting to a terminal ---------------------------------------------------------------------

static size_t line_width(const table_state *state) {
    size_t width = state->has_hidden ? 4 : 0;
    for (size_t i = 0; i < state->column_count; i++) {
        width += state->is_hidden[i] ? 0 : state->widths[i] + 3;
    }
    return width == 0 ? 0 : width - 1;
}

/// Takes columns from the widest until the line fits or none is wider than the minimum.
static void narrow_columns(table_state *state, size_t width) {
    for (;;) {
        const size_t wanted = line_width(state);
        size_t widest = 0;
        size_t second = TABLE_COLUMN_WIDTH_MIN;
        for (size_t i = 1; i < state->column_count; i++) {
            widest = state->widths[i] > state->widths[widest] ? i : widest;
        }
        for (size_t i = 0; i < state->column_count; i++) {
            if (i != widest && state->widths[i] > second) {
                second = state->widths[i];
            }
        }
        const size_t now = state->widths[widest];
        if (wanted <= width || now <= TABLE_COLUMN_WIDTH_MIN) {
            return;
        }
        const size_t over = wanted - width;
        const size_t least = second < now ? second : now - 1;
        state->widths[widest] = now - least < over ? least : now - over;
    }
}

/// Leaves out columns from the middle until the line fits; the first and the last one stay.
static void hide_columns(table_state *state, size_t width) {
    size_t left = (state->column_count - 1) / 2;
    size_t right = left + 1;
    while (line_width(state) > width && (left > 0 || right + 1 < state->column_count)) {
        state->has_hidden = true;
        if (left > 0 &&
            (left >= state->column_count - 1 - right || right + 1 >= state->column_count)) {
            state->is_hidden[left] = true;
            left -= 1;
        } else {
            state->is_hidden[right] = true;
            right += 1;
        }
    }
}

// ---- Writing -----------------------------------------------------------------------------------

/// Which way a column's cells are moved when they are narrower than it.
static bool is_right(const cli_results *self, size_t column) {
    const cell_type *type = &self->type->children[column];
    return cli_cell_is_number(type->kind == CELL_DICTIONARY ? type->children[0].kind : type->kind);
}

static void write_cell(cli_results *self, size_t column, const char *data, size_t size,
                       const char *color) {
    const table_state *state = self->state;
    cli_sink *out = &self->out;
    const size_t room = state->widths[column];
    size_t width = cli_text_width(data, size);
    const bool is_clipped = self->terminal_width > 0 && width > room;
    if (is_clipped) {
        size = cli_text_clip(data, size, room - 1);
        width = cli_text_width(data, size) + 1;
    }
    const size_t blanks = width < room ? room - width : 0;
    const bool to_right = is_right(self, column) && !is_clipped;
    bool is_last = column + 1 == state->column_count;
    cli_sink_fill(out, ' ', to_right ? blanks : 0);
    cli_sink_text(out, color);
    cli_sink_write(out, data, size);
    cli_sink_text(out, is_clipped ? "\xE2\x80\xA6" : "");
    cli_sink_text(out, color[0] != '\0' ? "\x1b[0m" : "");
    cli_sink_fill(out, ' ', to_right || is_last ? 0 : blanks);
}

static void write_row(cli_results *self, const table_row *row, const char *color) {
    const table_state *state = self->state;
    cli_sink *out = &self->out;
    bool after_hidden = false;
    for (size_t i = 0; i < state->column_count; i++) {
        if (state->is_hidden[i]) {
            cli_sink_text(out, after_hidden ? "" : " | \xE2\x80\xA6");
            after_hidden = true;
            continue;
        }
        const size_t begin = cell_begin(row, i);
        cli_sink_text(out, i == 0 ? " " : " | ");
        write_cell(self, i, row->text.data + begin, row->ends[i] - begin,
                   self->has_color && row->is_null[i] ? "\x1b[2m" : color);
    }
    cli_sink_char(out, '\n');
}

static void write_rule(cli_results *self) {
    const table_state *state = self->state;
    bool after_hidden = false;
    for (size_t i = 0; i < state->column_count; i++) {
        if (state->is_hidden[i]) {
            cli_sink_text(&self->out, after_hidden ? "" : "+---");
            after_hidden = true;
            continue;
        }
        cli_sink_text(&self->out, i == 0 ? "" : "+");
        cli_sink_fill(&self->out, '-', state->widths[i] + 2);
    }
    cli_sink_char(&self->out, '\n');
}

static void header_row(const cli_results *self, table_row *row) {
    const table_state *state = self->state;
    row_open(row, state->column_count);
    for (size_t i = 0; i < state->column_count; i++) {
        const char *name = self->type->children[i].name;
        cli_text_printable(&row->text, name, strlen(name));
        row->ends[i] = row->text.size;
    }
}

static void write_header(cli_results *self) {
    table_row header = {0};
    header_row(self, &header);
    if (self->result_count > 1) {
        cli_sink_char(&self->out, '\n');
    }
    write_row(self, &header, self->has_color ? "\x1b[1m" : "");
    write_rule(self);
    row_close(&header);
}

// ---- The format --------------------------------------------------------------------------------

static void table_begin(cli_results *self) {
    table_state *state = cli_allocate(1, sizeof *state);
    state->column_count = self->type->child_count;
    state->widths = cli_allocate(state->column_count, sizeof *state->widths);
    state->is_hidden = cli_allocate(state->column_count, sizeof *state->is_hidden);
    self->state = state;
    table_row header = {0};
    header_row(self, &header);
    widen(state, &header);
    row_close(&header);
}

/// Where the next row goes: behind the others, or on a terminal into the ring of the last twenty.
static table_row *next_row(cli_results *self) {
    table_state *state = self->state;
    size_t at = state->kept_count;
    if (self->terminal_width > 0 && at >= TABLE_SHOWN_ROWS) {
        at = TABLE_SHOWN_ROWS + (at - TABLE_SHOWN_ROWS) % TABLE_TAIL_ROWS;
    }
    if (at >= state->row_capacity) {
        const size_t capacity = state->row_capacity == 0 ? 64 : state->row_capacity * 2;
        state->rows = cli_reallocate(state->rows, capacity, sizeof *state->rows);
        memset(state->rows + state->row_capacity, 0,
               (capacity - state->row_capacity) * sizeof *state->rows);
        state->row_capacity = capacity;
    }
    state->kept_count += 1;
    row_open(&state->rows[at], state->column_count);
    return &state->rows[at];
}

static void begin_streaming(cli_results *self) {
    table_state *state = self->state;
    write_header(self);
    for (size_t i = 0; i < state->kept_count; i++) {
        write_row(self, &state->rows[i], "");
        row_close(&state->rows[i]);
    }
    state->kept_count = 0;
    state->is_streaming = true;
}

static void table_batch(cli_results *self, const struct ArrowArray *batch) {
    table_state *state = self->state;
    cli_sink scratch = CLI_SINK_MEMORY;
    for (int64_t at = 0; at < batch->length; at++) {
        if (state->is_streaming) {
            state->kept_count = 0;
        }
        table_row *row = next_row(self);
        fill_row(row, self, batch, at, &scratch);
        if (state->is_streaming) {
            write_row(self, row, "");
            continue;
        }
        state->gathered_size += row->text.size;
        if (self->terminal_width == 0) {
            widen(state, row);
            if (state->gathered_size > TABLE_GATHER_SIZE) {
                begin_streaming(self);
            }
        }
    }
    cli_sink_close(&scratch);
}

/// The i-th row that is shown, of the first 40 and the ring behind them.
static const table_row *shown_row(const table_state *state, size_t i) {
    if (state->kept_count <= TABLE_SHOWN_ROWS || i < TABLE_HEAD_ROWS) {
        return &state->rows[i];
    }
    const size_t at = state->kept_count - TABLE_SHOWN_ROWS + i; // Among all rows.
    return at < TABLE_SHOWN_ROWS
               ? &state->rows[at]
               : &state->rows[TABLE_SHOWN_ROWS + (at - TABLE_SHOWN_ROWS) % TABLE_TAIL_ROWS];
}

static void write_fitted(cli_results *self) {
    table_state *state = self->state;
    const size_t shown =
        state->kept_count < TABLE_SHOWN_ROWS ? state->kept_count : TABLE_SHOWN_ROWS;
    for (size_t i = 0; i < shown; i++) {
        widen(state, shown_row(state, i));
    }
    narrow_columns(state, self->terminal_width);
    hide_columns(state, self->terminal_width);
    write_header(self);
    for (size_t i = 0; i < shown; i++) {
        if (i == TABLE_HEAD_ROWS && state->kept_count > shown) {
            cli_sink_format(&self->out, " \xE2\x80\xA6 %zu rows are not shown\n",
                            state->kept_count - shown);
        }
        write_row(self, shown_row(state, i), "");
    }
}

static void table_end(cli_results *self, bool is_whole) {
    table_state *state = self->state;
    if (is_whole && self->terminal_width > 0) {
        write_fitted(self);
    } else if (is_whole && !state->is_streaming) {
        begin_streaming(self);
    }
    for (size_t i = 0; i < state->row_capacity; i++) {
        row_close(&state->rows[i]);
    }
    free(state->rows);
    free(state->widths);
    free(state->is_hidden);
    free(state);
    self->state = NULL;
}

const cli_format cli_format_table = {
    .name = "table", .begin = table_begin, .batch = table_batch, .end = table_end};
