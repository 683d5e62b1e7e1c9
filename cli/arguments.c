#include "arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byte_sink.h"
#include "meant_word.h"

static const char help_text[] =
    "usage: firn [options]            run SQL from -c, -f, standard input, or a prompt\n"
    "       firn session [-s K=V]...   machine mode: a JSON object a line each way\n"
    "\n"
    "  -c SQL                 run SQL; may be given again, and mixed with -f\n"
    "  -f FILE                run a file of SQL; - is standard input\n"
    "  --format FORMAT        table, csv, json, ndjson, arrow or markdown (table)\n"
    "  --output FILE          write results to a file, which appears whole or not at all\n"
    "  -s KEY=VALUE           a setting; SHOW ALL SETTINGS lists them\n"
    "  --memory-limit SIZE    such as 512MB: the same as -s memory_limit=SIZE\n"
    "  --threads N            the same as -s threads=N\n"
    "  --init FILE            a file of SQL to run first, without its results\n"
    "  --no-color             no colors on a terminal\n"
    "  --quiet                no counts of changed rows\n"
    "  --help, --version\n"
    "\n"
    "exit: 0 done, 1 a statement failed, 2 wrong usage, 130 Ctrl-C\n";

typedef enum option_kind {
    OPTION_COMMAND,
    OPTION_FILE,
    OPTION_FORMAT,
    OPTION_OUTPUT,
    OPTION_SETTING,
    OPTION_MEMORY_LIMIT,
    OPTION_THREADS,
    OPTION_INIT,
    OPTION_NO_COLOR,
    OPTION_QUIET,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_COUNT,
} option_kind;

typedef struct option_form {
    const char *name;
    const char *short_name;
    bool has_value;
} option_form;

static const option_form option_forms[OPTION_COUNT] = {
    [OPTION_COMMAND] = {"--command", "-c", true},
    [OPTION_FILE] = {"--file", "-f", true},
    [OPTION_FORMAT] = {"--format", NULL, true},
    [OPTION_OUTPUT] = {"--output", "-o", true},
    [OPTION_SETTING] = {"--set", "-s", true},
    [OPTION_MEMORY_LIMIT] = {"--memory-limit", NULL, true},
    [OPTION_THREADS] = {"--threads", NULL, true},
    [OPTION_INIT] = {"--init", NULL, true},
    [OPTION_NO_COLOR] = {"--no-color", NULL, false},
    [OPTION_QUIET] = {"--quiet", "-q", false},
    [OPTION_HELP] = {"--help", "-h", false},
    [OPTION_VERSION] = {"--version", "-V", false},
};

void cli_arguments_help(void) {
    (void)fputs(help_text, stdout);
}

/// `meant` is told too, unless it is NULL or found nothing.
static bool usage_meant(const char *format, const char *what, const cli_meant *meant) {
    char words[64] = "";
    (void)fputs("firn: ", stderr);
    // The formats are the literals of this file.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)fprintf(stderr, format, what);
#pragma GCC diagnostic pop
    (void)fputs(meant == NULL ? "" : cli_meant_words(meant, words, sizeof words), stderr);
    (void)fputs(words[0] == '\0' ? "; firn --help lists what there is\n" : "\n", stderr);
    return false;
}

static bool usage(const char *format, const char *what) {
    return usage_meant(format, what, NULL);
}

static bool refuse_format(const char *name) {
    cli_meant meant = cli_meant_open(name);
    for (size_t i = 0; cli_format_at(i) != NULL; i++) {
        cli_meant_offer(&meant, cli_format_at(i)->name);
    }
    return usage_meant("unknown format \"%s\"; there are table, csv, json, ndjson, arrow, markdown",
                       name, &meant);
}

/// `text` is the program's own memory: a value behind an equals sign is cut off.
static bool refuse_argument(char *text) {
    if (text[0] != '-') {
        cli_meant meant = cli_meant_open(text);
        cli_meant_offer(&meant, "session");
        return usage_meant("unknown argument \"%s\"", text, &meant);
    }
    text[strcspn(text, "=")] = '\0';
    cli_meant meant = cli_meant_open(text);
    for (int kind = 0; kind < OPTION_COUNT; kind++) {
        cli_meant_offer(&meant, option_forms[kind].name);
    }
    return usage_meant("unknown option \"%s\"", text, &meant);
}

static void add_input(cli_arguments *out, bool is_file, const char *text) {
    out->inputs = cli_reallocate(out->inputs, out->input_count + 1, sizeof *out->inputs);
    out->inputs[out->input_count] = (cli_input){.is_file = is_file, .text = text};
    out->input_count += 1;
}

static void add_setting(cli_arguments *out, const char *key, const char *value) {
    out->settings = cli_reallocate(out->settings, out->setting_count + 1, sizeof *out->settings);
    out->settings[out->setting_count] = (firn_option){.key = key, .value = value};
    out->setting_count += 1;
}

/// Splits KEY=VALUE in place: the argument is the program's own memory.
static bool add_assignment(cli_arguments *out, char *text) {
    char *mark = strchr(text, '=');
    if (mark == NULL || mark == text) {
        return usage("-s takes KEY=VALUE, not \"%s\"", text);
    }
    *mark = '\0';
    add_setting(out, text, mark + 1);
    return true;
}

static bool apply(cli_arguments *out, option_kind kind, char *value) {
    switch (kind) {
    case OPTION_COMMAND:
    case OPTION_FILE:
        add_input(out, kind == OPTION_FILE, value);
        return true;
    case OPTION_FORMAT:
        out->format = cli_format_of(value);
        out->has_format = true;
        return out->format != NULL || refuse_format(value);
    case OPTION_OUTPUT:
        out->output = value;
        return true;
    case OPTION_SETTING:
        return add_assignment(out, value);
    case OPTION_MEMORY_LIMIT:
        add_setting(out, "memory_limit", value);
        return true;
    case OPTION_THREADS:
        add_setting(out, "threads", value);
        return true;
    case OPTION_INIT:
        out->init = value;
        return true;
    case OPTION_NO_COLOR:
        out->no_color = true;
        return true;
    case OPTION_QUIET:
        out->is_quiet = true;
        return true;
    case OPTION_HELP:
    case OPTION_VERSION:
        out->mode = kind == OPTION_HELP ? CLI_HELP : CLI_VERSION;
        return true;
    case OPTION_COUNT:
        break;
    }
    return false;
}

/// Finds the option of an argument; `*value` becomes the part behind an equals sign, or NULL.
static option_kind find_option(char *text, char **value) {
    *value = NULL;
    char *mark = strncmp(text, "--", 2) == 0 ? strchr(text, '=') : NULL;
    const size_t size = mark == NULL ? strlen(text) : (size_t)(mark - text);
    for (int kind = 0; kind < OPTION_COUNT; kind++) {
        const option_form *form = &option_forms[kind];
        const bool is_long = strlen(form->name) == size && strncmp(form->name, text, size) == 0;
        if (is_long || (form->short_name != NULL && strcmp(form->short_name, text) == 0)) {
            *value = mark == NULL ? NULL : mark + 1;
            return (option_kind)kind;
        }
    }
    return OPTION_COUNT;
}

static bool read_all(int count, char **texts, cli_arguments *out) {
    for (int i = 1; i < count; i++) {
        char *value = NULL;
        if (i == 1 && strcmp(texts[i], "session") == 0) {
            out->mode = CLI_SESSION;
            continue;
        }
        const option_kind kind = find_option(texts[i], &value);
        if (kind == OPTION_COUNT) {
            return refuse_argument(texts[i]);
        }
        if (!option_forms[kind].has_value && value != NULL) {
            return usage("%s takes no value", option_forms[kind].name);
        }
        if (option_forms[kind].has_value && value == NULL) {
            i += 1;
            if (i == count) {
                return usage("%s needs a value", texts[i - 1]);
            }
            value = texts[i];
        }
        if (!apply(out, kind, value)) {
            return false;
        }
        if (out->mode == CLI_HELP || out->mode == CLI_VERSION) {
            return true;
        }
    }
    const bool has_script =
        out->input_count > 0 || out->init != NULL || out->output != NULL || out->has_format;
    if (out->mode == CLI_SESSION && has_script) {
        return usage("%s", "session takes no -c, -f, --init, --format or --output");
    }
    return true;
}

bool cli_arguments_read(int count, char **texts, cli_arguments *out) {
    *out = (cli_arguments){.mode = CLI_RUN, .format = &cli_format_table};
    return read_all(count, texts, out);
}

void cli_arguments_close(cli_arguments *self) {
    free(self->inputs);
    free(self->settings);
    *self = (cli_arguments){0};
}
