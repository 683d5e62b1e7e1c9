#include "prompt.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "interrupt.h"
#include "prompt_command.h"

enum { LINE_SIZE = 4096 };

// ---- Where a statement ends --------------------------------------------------------------------

/// Behind a quoted text or name that begins at `at`; a doubled quote is one inside.
static size_t skip_quoted(const char *sql, size_t size, size_t at) {
    const char quote = sql[at];
    at += 1;
    while (at < size) {
        if (sql[at] == quote && !(at + 1 < size && sql[at + 1] == quote)) {
            return at + 1;
        }
        at += sql[at] == quote ? 2 : 1;
    }
    return SIZE_MAX;
}

/// Behind a comment in slashes and stars, which nests.
static size_t skip_block_comment(const char *sql, size_t size, size_t at) {
    size_t depth = 0;
    while (at + 1 < size) {
        if (sql[at] == '/' && sql[at + 1] == '*') {
            depth += 1;
            at += 2;
        } else if (sql[at] == '*' && sql[at + 1] == '/') {
            depth -= 1;
            at += 2;
            if (depth == 0) {
                return at;
            }
        } else {
            at += 1;
        }
    }
    return SIZE_MAX;
}

static bool is_word(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_' || ((uint8_t)letter & 0x80) != 0;
}

/// Behind a text in dollar quotes that begins at `at`; `at + 1` if none does, as in $1.
static size_t skip_dollar_quoted(const char *sql, size_t size, size_t at) {
    size_t tag_end = at + 1;
    while (tag_end < size && is_word(sql[tag_end])) {
        tag_end += 1;
    }
    const bool is_number = at + 1 < size && sql[at + 1] >= '0' && sql[at + 1] <= '9';
    if (tag_end >= size || sql[tag_end] != '$' || is_number || (at > 0 && is_word(sql[at - 1]))) {
        return at + 1;
    }
    const size_t tag_size = tag_end + 1 - at;
    for (size_t i = tag_end + 1; i + tag_size <= size; i++) {
        if (memcmp(sql + i, sql + at, tag_size) == 0) {
            return i + tag_size;
        }
    }
    return SIZE_MAX;
}

/// Behind the quoted text, comment or single character at `at`; SIZE_MAX if it does not end.
static size_t skip_token(const char *sql, size_t size, size_t at, bool *is_blank) {
    const char letter = sql[at];
    const char after = at + 1 < size ? sql[at + 1] : '\0';
    *is_blank = letter == ' ' || letter == '\n' || letter == '\t' || letter == '\r';
    if (letter == '\'' || letter == '"') {
        return skip_quoted(sql, size, at);
    }
    if (letter == '-' && after == '-') {
        *is_blank = true;
        const char *end = memchr(sql + at, '\n', size - at);
        return end == NULL ? size : (size_t)(end - sql) + 1;
    }
    if (letter == '/' && after == '*') {
        *is_blank = true;
        return skip_block_comment(sql, size, at);
    }
    return letter == '$' ? skip_dollar_quoted(sql, size, at) : at + 1;
}

bool cli_sql_is_complete(const char *sql, size_t size) {
    bool is_complete = true;
    size_t at = 0;
    while (at < size) {
        bool is_blank = false;
        const size_t next = skip_token(sql, size, at, &is_blank);
        if (next == SIZE_MAX) {
            return false;
        }
        if (!is_blank) {
            is_complete = sql[at] == ';';
        }
        at = next;
    }
    return is_complete;
}

// ---- The prompt --------------------------------------------------------------------------------

/// Appends one line of input. False at the end of input; an interrupt leaves the line out.
static bool read_line(cli_sink *out) {
    if (!cli_interrupt_wait(STDIN_FILENO)) {
        return true;
    }
    char *to = cli_sink_reserve(out, LINE_SIZE);
    const ssize_t count = read(STDIN_FILENO, to, LINE_SIZE); // A terminal hands out whole lines.
    if (count <= 0) {
        return false;
    }
    out->size += (size_t)count;
    return true;
}

static double seconds_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void run_statements(prompt_state *self, const cli_sink *text) {
    const double began = seconds_now();
    self->script->results.result_count = 0;
    const cli_outcome outcome = cli_script_run(self->script, text->data, text->size);
    if (outcome != CLI_INTERRUPTED && self->shows_time) {
        cli_sink line = {.fd = STDERR_FILENO};
        cli_sink_format(&line, "%.3f s\n", seconds_now() - began);
        (void)cli_sink_flush(&line);
        cli_sink_close(&line);
    }
}

void cli_prompt_run(cli_script *script) {
    prompt_state state = {.script = script};
    cli_sink text = CLI_SINK_MEMORY;
    cli_prompt_say("firn ");
    cli_prompt_say(firn_version());
    cli_prompt_say(", .help for help\n");
    while (!state.is_over) {
        cli_prompt_say(text.size == 0 ? "firn> " : "  ... ");
        const bool is_first = text.size == 0;
        if (!read_line(&text)) {
            cli_prompt_say("\n");
            break;
        }
        const bool is_cleared = cli_interrupted();
        if (!is_cleared && !(is_first && cli_prompt_command(&state, text.data, text.size))) {
            if (!cli_sql_is_complete(text.data, text.size)) {
                continue;
            }
            run_statements(&state, &text);
        }
        cli_sink_reset(&text);
        if (cli_interrupted()) {
            cli_prompt_say(is_cleared ? "\n" : "cancelled\n");
            cli_interrupt_clear();
        }
    }
    cli_sink_close(&text);
}
