#include "slt_file.h"

#include <string.h>

bool slt_next_line(slt_text text, size_t *at, slt_text *out) {
    if (*at >= text.size) {
        return false;
    }
    const char *begin = text.data + *at;
    const char *end = memchr(begin, '\n', text.size - *at);
    out->data = begin;
    out->size = end == NULL ? text.size - *at : (size_t)(end - begin);
    *at += out->size + 1;
    if (out->size > 0 && begin[out->size - 1] == '\r') {
        out->size -= 1;
    }
    return true;
}

static bool take_line(slt_reader *self, slt_text *out) {
    if (!slt_next_line(self->text, &self->at, out)) {
        return false;
    }
    self->line += 1;
    return true;
}

static bool peek_line(const slt_reader *self, slt_text *out) {
    size_t at = self->at;
    return slt_next_line(self->text, &at, out);
}

static bool is_blank(slt_text line) {
    return slt_trim(line).size == 0;
}

static bool is_rule(slt_text line) {
    return line.size == 4 && memcmp(line.data, "----", 4) == 0;
}

static bool is_word(slt_text word, const char *wanted) {
    return word.size == strlen(wanted) && memcmp(word.data, wanted, word.size) == 0;
}

static void split_words(slt_text line, slt_record *out) {
    size_t at = 0;
    while (out->word_count < SLT_WORDS_MAX) {
        while (at < line.size && (line.data[at] == ' ' || line.data[at] == '\t')) {
            at += 1;
        }
        const size_t begin = at;
        while (at < line.size && line.data[at] != ' ' && line.data[at] != '\t') {
            at += 1;
        }
        if (at == begin) {
            return;
        }
        out->words[out->word_count] = (slt_text){line.data + begin, at - begin};
        out->word_count += 1;
    }
}

/// Lines up to a blank one or the rule, as one text.
static slt_text take_sql(slt_reader *self) {
    slt_text line;
    slt_text sql = {.data = self->text.data + self->at};
    while (peek_line(self, &line) && !is_blank(line) && !is_rule(line)) {
        (void)take_line(self, &line);
        sql.size = (size_t)(line.data + line.size - sql.data);
    }
    return sql;
}

/// Lines behind the rule up to a blank one, or for the text of an error up to two.
static slt_text take_answer(slt_reader *self, bool ends_at_two) {
    slt_text line;
    slt_text answer = {.data = self->text.data + self->at};
    size_t blanks = 0;
    while (peek_line(self, &line)) {
        blanks = line.size == 0 ? blanks + 1 : 0;
        if (blanks == (ends_at_two ? 2 : 1)) {
            break;
        }
        (void)take_line(self, &line);
        answer.size = (size_t)(line.data + line.size - answer.data);
    }
    return ends_at_two ? slt_trim(answer) : answer;
}

static slt_text behind_words(slt_text line, const slt_record *record, size_t count) {
    if (record->word_count <= count) {
        return (slt_text){.data = line.data + line.size};
    }
    const char *begin = record->words[count].data;
    return slt_trim((slt_text){begin, (size_t)(line.data + line.size - begin)});
}

static void read_body(slt_reader *self, slt_text line, slt_record *out) {
    slt_text rule;
    const bool is_query = out->kind == SLT_QUERY;
    if (out->word_count > 1 && is_word(out->words[1], "error")) {
        out->expect = SLT_ERROR;
        out->error = behind_words(line, out, 2);
    } else if (is_query) {
        out->types = out->word_count > 1 ? out->words[1] : (slt_text){0};
        for (size_t i = 2; i < out->word_count; i++) {
            out->sort = is_word(out->words[i], "rowsort")     ? SLT_ROWSORT
                        : is_word(out->words[i], "valuesort") ? SLT_VALUESORT
                                                              : out->sort;
        }
    } else if (out->word_count > 2 && is_word(out->words[1], "count")) {
        out->expect = SLT_COUNT;
    } else if (out->word_count != 2 || !is_word(out->words[1], "ok")) {
        out->kind = SLT_UNKNOWN;
    }
    out->sql = take_sql(self);
    if (peek_line(self, &rule) && is_rule(rule)) {
        (void)take_line(self, &rule);
        out->has_answer = true;
        out->answer = take_answer(self, out->expect == SLT_ERROR);
        if (out->expect == SLT_ERROR) {
            out->error = out->answer;
        }
    }
}

void slt_record_next(slt_reader *self, slt_record *out) {
    static const struct {
        const char *word;
        slt_kind kind;
    } kinds[] = {
        {"statement", SLT_STATEMENT}, {"query", SLT_QUERY},     {"skipif", SLT_CONDITION},
        {"onlyif", SLT_CONDITION},    {"include", SLT_INCLUDE}, {"loop", SLT_LOOP},
        {"foreach", SLT_FOREACH},     {"endloop", SLT_ENDLOOP}, {"connection", SLT_CONNECTION},
        {"halt", SLT_HALT},
    };
    slt_text line;
    *out = (slt_record){.kind = SLT_END};
    while (take_line(self, &line)) {
        if (is_blank(line) || line.data[0] == '#') {
            continue;
        }
        out->line = self->line;
        out->kind = SLT_UNKNOWN;
        split_words(line, out);
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
            if (is_word(out->words[0], kinds[i].word)) {
                out->kind = kinds[i].kind;
            }
        }
        if (out->kind == SLT_STATEMENT || out->kind == SLT_QUERY) {
            read_body(self, line, out);
        }
        while (out->kind == SLT_UNKNOWN && peek_line(self, &line) && !is_blank(line)) {
            (void)take_line(self, &line);
        }
        return;
    }
}
