// The program firn: a user of firn.h like any other.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arguments.h"
#include "fault_text.h"
#include "interrupt.h"
#include "output_file.h"
#include "progress.h"
#include "prompt.h"
#include "script.h"
#include "session_mode.h"

// So few rows at a time are written as text that Ctrl-C is seen soon.
#define BATCH_ROWS "8192"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, TERMINAL_WIDTH = 80 };

static void look_at_terminal(const cli_arguments *arguments, cli_results *results) {
    struct winsize size = {0};
    const char *no_color = getenv("NO_COLOR");
    cli_progress_allow(!arguments->is_quiet && isatty(STDERR_FILENO) != 0);
    if (arguments->output != NULL || isatty(STDOUT_FILENO) == 0) {
        return;
    }
    const bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    results->terminal_width = is_known ? size.ws_col : TERMINAL_WIDTH;
    results->out.before_write = cli_progress_end;
    results->has_color = !arguments->no_color && (no_color == NULL || no_color[0] == '\0');
}

static cli_outcome run_inputs(cli_script *script) {
    const cli_arguments *arguments = script->arguments;
    cli_outcome outcome = CLI_DONE;
    if (arguments->init != NULL) {
        script->is_silent = true;
        outcome = cli_script_run_file(script, arguments->init);
        script->is_silent = false;
    }
    for (size_t i = 0; outcome == CLI_DONE && i < arguments->input_count; i++) {
        const cli_input *input = &arguments->inputs[i];
        outcome = input->is_file ? cli_script_run_file(script, input->text)
                                 : cli_script_run(script, input->text, strlen(input->text));
    }
    if (outcome == CLI_DONE && arguments->input_count == 0) {
        if (isatty(STDIN_FILENO) != 0) {
            cli_prompt_run(script);
        } else {
            outcome = cli_script_run_file(script, "-");
        }
    }
    return outcome;
}

/// Whether the file of --output would hold nothing in a format that says at least how the result
/// looks: no statement had one.
static bool lacks_result(const cli_script *script, const output_file *output) {
    struct stat found;
    return script->results.format->takes_one && !output->is_direct &&
           fstat(output->descriptor, &found) == 0 && found.st_size == 0;
}

static int no_result(const char *path) {
    (void)fprintf(stderr, "error: no statement gave a result for \"%s\", which is not written\n",
                  path);
    return EXIT_FAILED;
}

static int output_fault(const char *path) {
    (void)fprintf(stderr, "error: file \"%s\" can't be written: %s\n", path, strerror(errno));
    return EXIT_FAILED;
}

/// Runs everything with the results going to standard output or the file of --output.
static int run_script(cli_script *script) {
    output_file output = {.descriptor = -1};
    const cli_arguments *arguments = script->arguments;
    script->results = (cli_results){.format = arguments->format, .out = {.fd = STDOUT_FILENO}};
    look_at_terminal(arguments, &script->results);
    if (arguments->format->is_binary && script->results.terminal_width > 0) {
        (void)fputs(
            "firn: this format is binary and no text for a terminal; --output FILE writes a "
            "file\n",
            stderr);
        return EXIT_USAGE;
    }
    if (arguments->output != NULL) {
        if (!cli_output_open(&output, arguments->output)) {
            return output_fault(arguments->output);
        }
        script->results.out.fd = output.descriptor;
    }
    const cli_outcome outcome = run_inputs(script);
    (void)cli_sink_flush(&script->results.out);
    const int fault = script->results.out.fault;
    cli_sink_close(&script->results.out);
    int code = outcome == CLI_DONE          ? EXIT_DONE
               : outcome == CLI_INTERRUPTED ? CLI_EXIT_INTERRUPTED
                                            : EXIT_FAILED;
    if (code == EXIT_DONE && arguments->output != NULL) {
        if (lacks_result(script, &output)) {
            code = no_result(arguments->output);
        } else if (!cli_output_commit(&output)) {
            code = output_fault(arguments->output);
        }
    }
    cli_output_close(&output);
    if (fault == EPIPE && arguments->output == NULL) {
        // As any filter whose reader has gone.
        (void)signal(SIGPIPE, SIG_DFL);
        (void)raise(SIGPIPE);
    }
    return code;
}

static bool has_setting(const cli_arguments *arguments, const char *name) {
    for (size_t i = 0; i < arguments->setting_count; i++) {
        if (strcasecmp(arguments->settings[i].key, name) == 0) {
            return true;
        }
    }
    return false;
}

static int run_with_engine(const cli_arguments *arguments) {
    cli_script script = {.arguments = arguments};
    firn_error err = FIRN_ERROR_INIT;
    int code = EXIT_FAILED;
    firn_status status =
        firn_engine_open(arguments->settings, arguments->setting_count, &script.engine, &err);
    if (status == FIRN_OK) {
        status = firn_session_open(script.engine, &script.session, &err);
    }
    if (status == FIRN_OK && arguments->format != &cli_format_arrow &&
        !has_setting(arguments, "arrow.batch_rows")) {
        status = firn_session_set(script.session, "arrow.batch_rows", BATCH_ROWS, &err);
    }
    if (status == FIRN_OK) {
        cli_interrupt_watch(script.session);
        code = run_script(&script);
        cli_interrupt_watch(NULL);
    } else {
        code = cli_fault_of_engine(&err);
    }
    firn_session_close(script.session);
    firn_engine_close(script.engine);
    return code;
}

/// What was closed for us would become the number of a file of the engine, which then would get our
/// results. Writing to what stands there instead fails.
static void fill_standard_descriptors(void) {
    for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++) {
        if (fcntl(number, F_GETFD) < 0 && errno == EBADF) {
            (void)open("/dev/null", number == STDERR_FILENO ? O_WRONLY : O_RDONLY); // The least.
        }
    }
}

/// The exit code after what was printed is out.
static int printed(void) {
    if (fflush(stdout) == 0 && ferror(stdout) == 0) {
        return EXIT_DONE;
    }
    (void)fprintf(stderr, "error: writing to standard output: %s\n", strerror(errno));
    return EXIT_FAILED;
}

int main(int argc, char **argv) {
    cli_arguments arguments;
    int code = EXIT_DONE;
    fill_standard_descriptors();
    if (!cli_arguments_read(argc, argv, &arguments)) {
        code = EXIT_USAGE;
    } else if (arguments.mode == CLI_HELP) {
        cli_arguments_help();
        code = printed();
    } else if (arguments.mode == CLI_VERSION) {
        (void)printf("firn %s\n", firn_version());
        code = printed();
    } else if (arguments.mode == CLI_SESSION) {
        code = cli_session_mode(&arguments);
    } else {
        (void)signal(SIGPIPE, SIG_IGN); // A reader that goes away is seen as EPIPE.
        (void)cli_interrupt_start();
        code = run_with_engine(&arguments);
    }
    cli_arguments_close(&arguments);
    return code;
}
