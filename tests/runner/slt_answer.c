#include "slt_answer.h"

#include <stdlib.h>
#include <string.h>

enum { SET_SIZE_MAX = 3000 };

/// A row of the engine and how it looks as a line.
typedef struct answer_row {
    slt_value *values;
    slt_text line;
} answer_row;

static int compare_texts(slt_text left, slt_text right) {
    const size_t size = left.size < right.size ? left.size : right.size;
    const int order = size == 0 ? 0 : memcmp(left.data, right.data, size);
    return order != 0 ? order : (left.size > right.size) - (left.size < right.size);
}

static int compare_rows(const void *left, const void *right) {
    return compare_texts(((const answer_row *)left)->line, ((const answer_row *)right)->line);
}

static int compare_lines(const void *left, const void *right) {
    return compare_texts(*(const slt_text *)left, *(const slt_text *)right);
}

static void write_value(cli_sink *out, slt_value value) {
    if (value.text.data == NULL) {
        cli_sink_text(out, "NULL");
    } else if (value.text.size == 0) {
        cli_sink_text(out, "(empty)");
    }
    for (size_t i = 0; value.text.data != NULL && i < value.text.size; i++) {
        const char letter = value.text.data[i];
        if (letter == '\n' || letter == '\r' || letter == '\t') {
            cli_sink_text(out, letter == '\n' ? "\\n" : letter == '\r' ? "\\r" : "\\t");
        } else {
            cli_sink_char(out, letter);
        }
    }
}

/// The rows of a result; for a valuesort every value is a row of its own. The texts of the lines
/// lie in `text`.
static answer_row *rows_of(const slt_record *record, const slt_result *result, cli_sink *text,
                           slt_value *values, size_t *count) {
    const size_t columns = result->column_count;
    const bool is_flat = record->sort == SLT_VALUESORT;
    const size_t row_count = is_flat ? result->row_count * columns : result->row_count;
    const size_t row_width = is_flat ? 1 : columns;
    answer_row *rows = cli_allocate(row_count, sizeof *rows);
    size_t *ends = cli_allocate(row_count, sizeof *ends);
    for (size_t row = 0; row < result->row_count; row++) {
        slt_result_row(result, row, values + row * columns);
    }
    for (size_t i = 0; i < row_count; i++) {
        rows[i].values = values + i * row_width;
        for (size_t j = 0; j < row_width; j++) {
            cli_sink_text(text, j > 0 ? " " : "");
            write_value(text, rows[i].values[j]);
        }
        ends[i] = text->size;
    }
    for (size_t i = 0; i < row_count; i++) {
        const size_t begin = i == 0 ? 0 : ends[i - 1];
        rows[i].line = (slt_text){.data = text->data + begin, .size = ends[i] - begin};
    }
    free(ends);
    if (record->sort != SLT_NOSORT && row_count > 0) {
        qsort(rows, row_count, sizeof *rows, compare_rows);
    }
    *count = row_count;
    return rows;
}

static slt_text *lines_of(const slt_record *record, slt_text answer, size_t *count) {
    size_t capacity = 1;
    for (size_t i = 0; i < answer.size; i++) {
        capacity += answer.data[i] == '\n';
    }
    slt_text *lines = cli_allocate(capacity, sizeof *lines);
    size_t at = 0;
    *count = 0;
    while (slt_next_line(answer, &at, &lines[*count])) {
        *count += 1;
    }
    if (record->sort != SLT_NOSORT && *count > 0) {
        qsort(lines, *count, sizeof *lines, compare_lines);
    }
    return lines;
}

/// Each line finds a row of its own, in any order.
static bool sets_agree(const slt_text *lines, const answer_row *rows, size_t count, size_t width) {
    if (count > SET_SIZE_MAX) {
        return false;
    }
    bool *is_used = cli_allocate(count, sizeof *is_used);
    bool agrees = true;
    for (size_t i = 0; agrees && i < count; i++) {
        agrees = false;
        for (size_t j = 0; !agrees && j < count; j++) {
            if (!is_used[j] && slt_line_agrees(lines[i], rows[j].values, width)) {
                is_used[j] = true;
                agrees = true;
            }
        }
    }
    free(is_used);
    return agrees;
}

static bool rows_agree(const slt_record *record, const slt_text *lines, const answer_row *rows,
                       size_t count, size_t width, cli_sink *why) {
    for (size_t i = 0; i < count; i++) {
        if (slt_line_agrees(lines[i], rows[i].values, width)) {
            continue;
        }
        if (record->sort != SLT_NOSORT && sets_agree(lines, rows, count, width)) {
            return true;
        }
        cli_sink_format(why, "row %zu%s\n  expected %.*s\n  got      %.*s", i + 1,
                        record->sort == SLT_NOSORT ? "" : " of the sorted rows", (int)lines[i].size,
                        lines[i].data, (int)rows[i].line.size, rows[i].line.data);
        return false;
    }
    return true;
}

bool slt_answer_agrees(const slt_record *record, slt_text answer, const slt_result *result,
                       cli_sink *why) {
    if (record->types.size != result->column_count) {
        cli_sink_format(why, "%zu columns, expected %zu", result->column_count, record->types.size);
        return false;
    }
    cli_sink text = CLI_SINK_MEMORY;
    slt_value *values = cli_allocate(result->row_count * result->column_count, sizeof *values);
    size_t row_count = 0;
    size_t line_count = 0;
    answer_row *rows = rows_of(record, result, &text, values, &row_count);
    slt_text *lines = lines_of(record, answer, &line_count);
    const size_t width = record->sort == SLT_VALUESORT ? 1 : result->column_count;
    bool agrees = row_count == line_count;
    if (agrees) {
        agrees = rows_agree(record, lines, rows, row_count, width, why);
    } else {
        cli_sink_format(why, "%zu rows, expected %zu", row_count, line_count);
        for (size_t i = 0; i < row_count && i < 5; i++) {
            cli_sink_format(why, "\n  got      %.*s", (int)rows[i].line.size, rows[i].line.data);
        }
    }
    free(rows);
    free(lines);
    free(values);
    cli_sink_close(&text);
    return agrees;
}

void slt_answer_write(const slt_record *record, const slt_result *result, cli_sink *out) {
    cli_sink text = CLI_SINK_MEMORY;
    slt_value *values = cli_allocate(result->row_count * result->column_count, sizeof *values);
    size_t count = 0;
    answer_row *rows = rows_of(record, result, &text, values, &count);
    for (size_t i = 0; i < count; i++) {
        cli_sink_write(out, rows[i].line.data, rows[i].line.size);
        cli_sink_char(out, '\n');
    }
    free(rows);
    free(values);
    cli_sink_close(&text);
}
