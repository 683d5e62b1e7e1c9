#include "prompt.h"

#include <string.h>
#include <unistd.h>

#include "interrupt.h"

enum { LINE_SIZE = 4096 };

static const char help_text[] =
    "A statement ends with ; and may take several lines.\n"
    "  \\?       this help\n"
    "  \\q       leave (or Ctrl-D)\n"
    "  Ctrl-C   stop the running statement, or clear the line\n"
    "SHOW TABLES, SHOW FUNCTIONS and SHOW ALL SETTINGS say what there is.\n";

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

static void say(const char *text) {
    (void)!write(STDERR_FILENO, text, strlen(text));
}

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

static bool is_command(const cli_sink *text, const char *command) {
    const size_t size = strlen(command);
    size_t end = text->size;
    while (end > 0 && (text->data[end - 1] == '\n' || text->data[end - 1] == ' ')) {
        end -= 1;
    }
    return end == size && memcmp(text->data, command, size) == 0;
}

void cli_prompt_run(cli_script *script) {
    cli_sink text = CLI_SINK_MEMORY;
    say("firn ");
    say(firn_version());
    say(", \\? for help\n");
    for (;;) {
        say(text.size == 0 ? "firn> " : "  ... ");
        const bool goes_on = read_line(&text);
        if (cli_interrupted()) {
            cli_interrupt_clear();
            cli_sink_reset(&text);
            say("\n");
            continue;
        }
        if (!goes_on) {
            say("\n");
            break;
        }
        if (is_command(&text, "\\q")) {
            break;
        }
        if (is_command(&text, "\\?")) {
            say(help_text);
            cli_sink_reset(&text);
        } else if (cli_sql_is_complete(text.data, text.size)) {
            script->results.result_count = 0;
            if (cli_script_run(script, text.data, text.size) == CLI_INTERRUPTED) {
                say("cancelled\n");
                cli_interrupt_clear();
            }
            cli_sink_reset(&text);
        }
    }
    cli_sink_close(&text);
}
