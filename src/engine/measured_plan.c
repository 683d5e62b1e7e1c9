#include "engine/measured_plan.h"

#include <inttypes.h>

#define FACT_INDENT 4
#define BROKEN_INDENT 6

typedef struct measuring {
    execution *done;
    arena *scratch;
} measuring;

// Columns that a text takes: bytes but those that go on with a character.
static size_t width_of(text words) {
    size_t width = 0;
    for (size_t i = 0; i < words.size; i++) {
        width += (words.data[i] & 0xC0) != 0x80;
    }
    return width;
}

static void indent(text_builder *out, size_t count) {
    for (size_t i = 0; i < count; i++) {
        text_append_char(out, ' ');
    }
}

static size_t indentation_of(text line) {
    size_t count = 0;
    while (count < line.size && line.data[count] == ' ') {
        count += 1;
    }
    return count;
}

static text last_line(const text_builder *out) {
    size_t from = out->size;
    while (from > 0 && out->data[from - 1] != '\n') {
        from -= 1;
    }
    return (text){.data = out->data + from, .size = out->size - from};
}

text measured_plan_next_fact(text facts, size_t *at) {
    while (*at < facts.size && facts.data[*at] == ' ') {
        *at += 1;
    }
    const size_t from = *at;
    bool has_value = false;
    while (*at < facts.size && !(has_value && facts.data[*at] == ' ')) {
        has_value = has_value || facts.data[*at] == '=';
        *at += 1;
    }
    return text_slice(facts, from, *at);
}

static void note_measures(const node_statistics *seen, text_builder *out) {
    if (seen->memory_peak > 0) {
        text_append_format(out, " memory=%.1fMB", (double)seen->memory_peak / (1 << 20));
    }
    if (seen->spilled_bytes > 0) {
        text_append_format(out, " spilled_bytes=%" PRIu64, seen->spilled_bytes);
    }
    if (seen->values_decoded > 0) {
        text_append_format(out, " values_decoded=%" PRIu64, seen->values_decoded);
    }
    text_append_char(out, ' ');
}

static void note(void *user, const plan_node *node, text_builder *out) {
    const measuring *self = user;
    node_statistics seen;
    if (node->kind == PLAN_OUTPUT) {
        return;
    }
    execution_statistics(self->done, node->number, &seen);
    const size_t margin = indentation_of(last_line(out)) + FACT_INDENT;
    text_append_char(out, '\n');
    indent(out, margin);
    text_append_format(out, "rows=%" PRIu64, seen.rows_out);
    if (node->row_estimate >= 0) {
        text_append_format(out, " (≈%.0f)", node->row_estimate);
    }
    text_append_format(out, "  time=%.2fms", (double)seen.cpu_ns / 1e6);
    text_builder report = text_builder_open(self->scratch);
    note_measures(&seen, &report);
    execution_report(self->done, node->number, &report);
    const text facts = {.data = report.data, .size = report.size};
    for (size_t at = 0; at < facts.size;) {
        const text fact = measured_plan_next_fact(facts, &at);
        if (fact.size == 0) {
            return;
        }
        if (width_of(last_line(out)) + 2 + width_of(fact) > MEASURED_PLAN_WIDTH) {
            text_append_char(out, '\n');
            indent(out, margin);
        } else {
            text_append(out, TEXT("  "));
        }
        text_append(out, fact);
    }
}

// Where a line is broken: the last blank that fits, or the first one behind.
static size_t break_of(text line, size_t margin) {
    size_t width = 0;
    size_t found = line.size;
    for (size_t i = 0; i < line.size; i++) {
        width += (line.data[i] & 0xC0) != 0x80;
        if (width > MEASURED_PLAN_WIDTH && found < line.size) {
            return found;
        }
        if (line.data[i] == ' ' && i > margin) {
            found = i;
        }
    }
    return width > MEASURED_PLAN_WIDTH ? found : line.size;
}

static void print_line(text line, text_builder *out) {
    const size_t margin = indentation_of(line) + BROKEN_INDENT;
    size_t end = break_of(line, indentation_of(line));
    text_append(out, text_slice(line, 0, end));
    text left = text_slice(line, end, line.size);
    while (left.size > 0) {
        text_builder padded = text_builder_open(out->memory);
        indent(&padded, margin);
        text_append(&padded, text_slice(left, 1, left.size)); // Without its blank.
        const text next = {.data = padded.data, .size = padded.size};
        end = break_of(next, margin);
        text_append_char(out, '\n');
        text_append(out, text_slice(next, 0, end));
        left = text_slice(next, end, next.size);
    }
    text_append_char(out, '\n');
}

void measured_plan_print(const plan *of, execution *done, arena *scratch, text_builder *out) {
    measuring self = {.done = done, .scratch = scratch};
    text_builder whole = text_builder_open(scratch);
    plan_print(of, note, &self, &whole);
    size_t from = 0;
    for (size_t i = 0; i < whole.size; i++) {
        if (whole.data[i] == '\n') {
            print_line((text){.data = whole.data + from, .size = i - from}, out);
            from = i + 1;
        }
    }
}
