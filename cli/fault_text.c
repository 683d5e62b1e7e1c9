#include "fault_text.h"

#include <string.h>
#include <unistd.h>

#include "cell_text.h"
#include "masked_sql.h"
#include "printed_number.h"
#include "results.h"

enum { SHOWN_WIDTH_MAX = 100 };

static size_t line_begin(const char *sql, size_t at) {
    while (at > 0 && sql[at - 1] != '\n') {
        at -= 1;
    }
    return at;
}

static size_t line_end(const char *sql, size_t size, size_t at) {
    const size_t begin = at;
    while (at < size && sql[at] != '\n') {
        at += 1;
    }
    return at > begin && at < size && sql[at - 1] == '\r' ? at - 1 : at; // Lines may end in both.
}

/// The line of SQL that is at fault and a caret below the place; a long line is cut around it.
static void write_caret(cli_sink *out, const char *sql, size_t size, size_t position) {
    size_t begin = line_begin(sql, position);
    size_t end = line_end(sql, size, position);
    size_t number = 1;
    for (size_t i = 0; i < begin; i++) {
        number += sql[i] == '\n';
    }
    const size_t half = SHOWN_WIDTH_MAX / 2;
    const bool is_cut_left = position - begin > half && end - begin > SHOWN_WIDTH_MAX;
    if (is_cut_left) {
        begin = position - half;
        while (begin < position && ((uint8_t)sql[begin] & 0xC0) == 0x80) {
            begin += 1; // Not into the middle of a letter.
        }
    }
    const size_t shown = cli_text_clip(sql + begin, end - begin, SHOWN_WIDTH_MAX);
    const bool is_cut_right = begin + shown < end;
    end = begin + shown;
    const size_t before = out->size;
    cli_sink_format(out, "  %zu | ", number);
    const size_t margin = out->size - before;
    cli_sink_text(out, is_cut_left ? "..." : "");
    cli_text_printable(out, sql + begin, position - begin);
    const size_t column = cli_text_width(out->data + before + margin, out->size - before - margin);
    cli_text_printable(out, sql + position, end - position);
    cli_sink_text(out, is_cut_right ? "...\n" : "\n");
    cli_sink_fill(out, ' ', margin - 2);
    cli_sink_text(out, "| ");
    cli_sink_fill(out, ' ', column);
    cli_sink_text(out, "^\n");
}

/// Dot commands are no SQL: whoever writes one where there is no prompt is told.
static bool is_dot_command(const firn_error *err, const char *sql, size_t size) {
    return err->position < size && sql[err->position] == '.' &&
           line_begin(sql, (size_t)err->position) == err->position;
}

void cli_fault_lines(cli_sink *out, const firn_error *err, const char *sql, size_t size,
                     const char *file) {
    cli_sink_text(out, "error: ");
    const size_t length = strnlen(err->text, sizeof err->text);
    cli_sink_write(out, err->text, length);
    if (length == 0 || err->text[length - 1] != '\n') {
        cli_sink_char(out, '\n');
    }
    if (file != NULL) {
        cli_sink_text(out, "  in ");
        cli_text_printable(out, file, strlen(file));
        cli_sink_char(out, '\n');
    }
    if (err->position <= size && size > 0) {
        cli_sink shown = CLI_SINK_MEMORY;
        cli_sink_write(&shown, sql, size);
        cli_mask_secrets(shown.data, shown.size);
        write_caret(out, shown.data, shown.size, (size_t)err->position);
        cli_sink_close(&shown);
    }
    if (err->hint[0] != '\0') {
        cli_sink_text(out, "hint: ");
        cli_sink_text(out, err->hint);
        cli_sink_char(out, '\n');
    } else if (is_dot_command(err, sql, size)) {
        cli_sink_text(out, "hint: dot commands are for the prompt; in SQL SHOW lists things\n");
    }
}

void cli_fault_fields(cli_sink *out, const firn_error *err) {
    const char *text = err->text;
    const size_t first = strcspn(text, "\n");
    cli_sink_text(out, "\"error\":");
    cli_json_string(out, text, first);
    if (err->sqlstate[0] != '\0') {
        cli_sink_text(out, ",\"code\":");
        cli_json_string(out, err->sqlstate, strnlen(err->sqlstate, sizeof err->sqlstate));
    }
    if (err->position != UINT64_MAX) {
        cli_sink_text(out, ",\"position\":");
        cli_number_uint(out, err->position);
    }
    if (text[first] == '\n') {
        cli_sink_text(out, ",\"context\":[");
        const char *line = text + first + 1;
        for (size_t i = 0; *line != '\0'; i++) {
            line += strspn(line, " ");
            const size_t length = strcspn(line, "\n");
            cli_sink_text(out, i > 0 ? "," : "");
            cli_json_string(out, line, length);
            line += length + (line[length] == '\n' ? 1 : 0);
        }
        cli_sink_char(out, ']');
    }
    if (err->hint[0] != '\0') {
        cli_sink_text(out, ",\"hint\":");
        cli_json_string(out, err->hint, strlen(err->hint));
    }
}

int cli_fault_of_engine(const firn_error *err) {
    cli_sink text = {.fd = STDERR_FILENO};
    cli_fault_lines(&text, err, "", 0, NULL);
    (void)cli_sink_flush(&text);
    cli_sink_close(&text);
    return err->status == FIRN_INVALID || err->status == FIRN_NOT_FOUND ? 2 : 1;
}
