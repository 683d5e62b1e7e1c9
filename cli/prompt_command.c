#include "prompt_command.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "meant_word.h"

typedef struct command {
    const char *name;
    const char *argument; // NULL: takes none.
    const char *words;    // For .help.
    const char *sql;      // What it stands for, in front of its argument; NULL: `run` does it.
    void (*run)(prompt_state *self, const char *argument);
} command;

static void quit(prompt_state *self, const char *argument);
static void show_help(prompt_state *self, const char *argument);
static void set_format(prompt_state *self, const char *argument);
static void set_timer(prompt_state *self, const char *argument);
static void read_file(prompt_state *self, const char *argument);

static const command commands[] = {
    {".help", NULL, "this list", NULL, show_help},
    {".quit", NULL, "leave, as Ctrl-D does", NULL, quit},
    {".catalogs", NULL, "what is attached", "SHOW CATALOGS", NULL},
    {".schemas", NULL, "schemas of the current catalog", "SHOW SCHEMAS", NULL},
    {".tables", NULL, "tables of the current schema", "SHOW TABLES", NULL},
    {".describe", "TABLE", "columns of a table", "DESCRIBE ", NULL},
    {".functions", NULL, "functions", "SHOW FUNCTIONS", NULL},
    {".settings", NULL, "settings", "SHOW ALL SETTINGS", NULL},
    {".format", "FORMAT", "table, csv, json, ndjson, arrow or markdown", NULL, set_format},
    {".timer", "on|off", "say after each statement how long it took", NULL, set_timer},
    {".read", "FILE", "run a file of SQL", NULL, read_file},
};

// What other prompts take, and no statement begins with.
static const struct {
    const char *word;
    const char *says;
} of_others[] = {
    {"help", "type .help for help\n"},
    {"?", "type .help for help\n"},
    {"\\?", "type .help for help\n"},
    {"\\h", "type .help for help\n"},
    {"quit", "type .quit to leave\n"},
    {"exit", "type .quit to leave\n"},
    {"\\q", "type .quit to leave\n"},
    {"\\l", "type .catalogs\n"},
    {"\\d", "type .tables, or .describe TABLE\n"},
    {"\\dt", "type .tables\n"},
    {"\\dn", "type .schemas\n"},
    {"\\df", "type .functions\n"},
    {"\\timing", "type .timer on\n"},
};

void cli_prompt_say(const char *text) {
    (void)!write(STDERR_FILENO, text, strlen(text));
}

static void quit(prompt_state *self, const char *argument) {
    (void)argument;
    self->is_over = true;
}

static void show_help(prompt_state *self, const char *argument) {
    (void)self;
    (void)argument;
    cli_sink text = {.fd = STDERR_FILENO};
    cli_sink_text(&text, "A statement ends with ; and may take several lines.\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const command *each = &commands[i];
        const char *takes = each->argument == NULL ? "" : each->argument;
        cli_sink_format(&text, "  %-10s %-7s %s\n", each->name, takes, each->words);
    }
    cli_sink_text(&text, "  Ctrl-C             stop the running statement, or clear the line\n");
    (void)cli_sink_flush(&text);
    cli_sink_close(&text);
}

static void set_format(prompt_state *self, const char *argument) {
    const cli_format *format = cli_format_of(argument);
    if (format == NULL) {
        cli_prompt_say("there are table, csv, json, ndjson, arrow, markdown\n");
        return;
    }
    if (format->is_binary && isatty(self->script->results.out.fd) != 0) {
        cli_prompt_say("this format is binary: firn --format arrow --output FILE writes a file\n");
        return;
    }
    self->script->results.format = format;
}

static void set_timer(prompt_state *self, const char *argument) {
    const bool is_on = strcmp(argument, "on") == 0;
    if (!is_on && strcmp(argument, "off") != 0) {
        cli_prompt_say(".timer takes on or off\n");
        return;
    }
    self->shows_time = is_on;
}

static void read_file(prompt_state *self, const char *argument) {
    self->script->results.result_count = 0;
    (void)cli_script_run_file(self->script, argument);
}

static void run(prompt_state *self, const command *found, const char *argument) {
    if (found->sql == NULL) {
        found->run(self, argument);
        return;
    }
    cli_sink sql = CLI_SINK_MEMORY;
    cli_sink_text(&sql, found->sql);
    cli_sink_text(&sql, argument);
    self->script->results.result_count = 0;
    (void)cli_script_run(self->script, sql.data, sql.size);
    cli_sink_close(&sql);
}

/// Splits a line in place: blanks around the word and its argument go, and so does a final `;`.
static char *split(char *line) {
    size_t size = strlen(line);
    while (size > 0 && strchr(" \t\r\n;", line[size - 1]) != NULL) {
        size -= 1;
    }
    line[size] = '\0';
    char *argument = line + strcspn(line, " \t");
    if (*argument != '\0') {
        *argument = '\0';
        argument += 1;
        argument += strspn(argument, " \t");
    }
    return argument;
}

/// Says what to type instead of a word that another program would take. `line` is split.
static bool say_instead(const char *line, const char *argument) {
    for (size_t i = 0; i < sizeof of_others / sizeof *of_others && *argument == '\0'; i++) {
        if (strcasecmp(of_others[i].word, line) == 0) {
            cli_prompt_say(of_others[i].says);
            return true;
        }
    }
    return false;
}

static void say_unknown(const char *word) {
    char words[64];
    cli_meant meant = cli_meant_open(word);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        cli_meant_offer(&meant, commands[i].name);
    }
    (void)cli_meant_words(&meant, words, sizeof words);
    cli_prompt_say("unknown command");
    cli_prompt_say(words[0] == '\0' ? "; .help lists what there is" : words);
    cli_prompt_say("\n");
}

bool cli_prompt_command(prompt_state *self, const char *line, size_t size) {
    cli_sink text = CLI_SINK_MEMORY;
    cli_sink_write(&text, line, size);
    cli_sink_char(&text, '\0');
    const char *argument = split(text.data);
    if (text.data[0] != '.') {
        const bool is_said = say_instead(text.data, argument);
        cli_sink_close(&text);
        return is_said;
    }
    const command *found = NULL;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, text.data) == 0) {
            found = &commands[i];
        }
    }
    if (found == NULL) {
        say_unknown(text.data);
    } else if ((found->argument != NULL) != (*argument != '\0')) {
        cli_prompt_say(found->name);
        cli_prompt_say(found->argument == NULL ? " takes nothing behind it\n" : " takes ");
        cli_prompt_say(found->argument == NULL ? "" : found->argument);
        cli_prompt_say(found->argument == NULL ? "" : "\n");
    } else {
        run(self, found, argument);
    }
    cli_sink_close(&text);
    return true;
}
