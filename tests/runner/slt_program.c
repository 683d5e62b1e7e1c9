#include "slt_program.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOBS_MAX = 64, SETTINGS_MAX = 16, LABELS_MAX = 16, FOLDERS_OPEN = 16 };

/// A file being run by a child: its output so far, which ends with its counts.
typedef struct file_job {
    pid_t process;
    int output;
    const char *path;
    char folder[64];
    cli_sink text;
} file_job;

typedef struct run {
    slt_options options;
    firn_option settings[SETTINGS_MAX];
    const char *labels[LABELS_MAX];
    char modes[256];
    regex_t leave_out;
    size_t job_count;
    size_t shard;
    size_t shard_count;
    const char *filter;
    unsigned timeout;
    slt_counts counts;
} run;

// nftw has no parameter for the caller, so the list of files is the program's.
static struct {
    char **paths;
    size_t count;
} files;

// ---- Files -------------------------------------------------------------------------------------

static void add_file(const char *path) {
    files.paths = cli_reallocate(files.paths, files.count + 1, sizeof *files.paths);
    files.paths[files.count] = strdup(path);
    files.count += 1;
}

static int visit(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status;
    (void)place;
    const size_t size = strlen(path);
    if (kind == FTW_F && size > 4 && strcmp(path + size - 4, ".slt") == 0) {
        add_file(path);
    }
    return 0;
}

static int compare_paths(const void *left, const void *right) {
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool gather(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    if (!S_ISDIR(status.st_mode)) {
        add_file(path);
        return true;
    }
    const size_t before = files.count;
    if (nftw(path, visit, FOLDERS_OPEN, FTW_PHYS) != 0) {
        return false;
    }
    if (files.count > before) {
        qsort(files.paths + before, files.count - before, sizeof *files.paths, compare_paths);
    }
    return true;
}

// ---- Children ----------------------------------------------------------------------------------

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static void run_child(const run *self, const file_job *job, int output) {
    (void)dup2(output, STDOUT_FILENO);
    (void)alarm(self->timeout);
    (void)setenv("TMP", job->folder, 1);
    const slt_counts counts = slt_run_file(job->path, &self->options);
    printf("counts %zu %zu\n", counts.passed, counts.failed);
    const bool is_written = fflush(stdout) == 0;
    exit(is_written ? 0 : 1); // Not _exit: leaks are looked for at the end.
}

static bool start(const run *self, const char *path, file_job *out) {
    int ends[2];
    *out = (file_job){.path = path, .text = CLI_SINK_MEMORY};
    (void)snprintf(out->folder, sizeof out->folder, "/tmp/firn_sql_tests.XXXXXX");
    if (mkdtemp(out->folder) == NULL || pipe2(ends, O_CLOEXEC) != 0) {
        return false;
    }
    (void)fflush(stdout);
    out->process = fork();
    if (out->process == 0) {
        run_child(self, out, ends[1]);
    }
    (void)close(ends[1]);
    out->output = ends[0];
    return out->process > 0;
}

/// Takes the counts off the end of a child's output; false if it did not get so far.
static bool take_counts(cli_sink *text, slt_counts *out) {
    static const char mark[] = "counts ";
    size_t at = text->size;
    while (at > 0 && (at == text->size || text->data[at - 1] != '\n')) {
        at -= 1;
    }
    cli_sink_char(text, '\0');
    const char *line = text->data + at;
    char *end = NULL;
    if (strncmp(line, mark, sizeof mark - 1) != 0) {
        text->size -= 1;
        return false;
    }
    out->passed = strtoul(line + sizeof mark - 1, &end, 10);
    out->failed = strtoul(end, NULL, 10);
    text->size = at;
    return true;
}

static void finish(run *self, file_job *job) {
    int status = 0;
    slt_counts counts = {0};
    (void)close(job->output);
    (void)waitpid(job->process, &status, 0);
    const bool is_whole = take_counts(&job->text, &counts);
    (void)fwrite(job->text.data == NULL ? "" : job->text.data, 1, job->text.size, stdout);
    self->counts.passed += counts.passed;
    self->counts.failed += counts.failed;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        printf("FAIL %s: not done after %u s\n", job->path, self->timeout);
        self->counts.failed += 1;
    } else if (WIFSIGNALED(status)) {
        printf("FAIL %s: died of signal %d\n", job->path, WTERMSIG(status));
        self->counts.failed += 1;
    } else if (!is_whole || WEXITSTATUS(status) != 0) {
        printf("FAIL %s: ended with exit code %d\n", job->path, WEXITSTATUS(status));
        self->counts.failed += 1;
    }
    (void)nftw(job->folder, remove_entry, FOLDERS_OPEN, FTW_DEPTH | FTW_PHYS);
    cli_sink_close(&job->text);
}

/// Reads what the children have to say; returns the index of one that is at its end.
static size_t wait_for_end(file_job *jobs, size_t count) {
    for (;;) {
        struct pollfd waited[JOBS_MAX];
        for (size_t i = 0; i < count; i++) {
            waited[i] = (struct pollfd){.fd = jobs[i].output, .events = POLLIN};
        }
        if (poll(waited, count, -1) < 0) {
            continue;
        }
        for (size_t i = 0; i < count; i++) {
            if (waited[i].revents == 0) {
                continue;
            }
            char *to = cli_sink_reserve(&jobs[i].text, 1 << 16);
            const ssize_t size = read(jobs[i].output, to, 1 << 16);
            if (size <= 0) {
                return i;
            }
            jobs[i].text.size += (size_t)size;
        }
    }
}

static void run_files(run *self) {
    file_job jobs[JOBS_MAX];
    size_t running = 0;
    for (size_t i = 0; i < files.count || running > 0; i++) {
        const bool is_wanted =
            i < files.count && i % self->shard_count + 1 == self->shard &&
            (self->filter == NULL || strstr(files.paths[i], self->filter) != NULL);
        if (is_wanted) {
            if (start(self, files.paths[i], &jobs[running])) {
                running += 1;
            } else {
                printf("FAIL %s: %s\n", files.paths[i], strerror(errno));
                self->counts.failed += 1;
            }
        }
        if (running == self->job_count || (i >= files.count && running > 0)) {
            const size_t ended = wait_for_end(jobs, running);
            finish(self, &jobs[ended]);
            running -= 1;
            jobs[ended] = jobs[running];
        }
    }
}

// ---- Arguments ---------------------------------------------------------------------------------

static bool add_setting(run *self, char *text) {
    char *mark = strchr(text, '=');
    if (mark == NULL || self->options.setting_count == SETTINGS_MAX) {
        return false;
    }
    *mark = '\0';
    self->settings[self->options.setting_count] = (firn_option){.key = text, .value = mark + 1};
    self->options.setting_count += 1;
    return true;
}

static bool read_shard(run *self, const char *text) {
    char *end = NULL;
    self->shard = strtoul(text, &end, 10);
    self->shard_count = *end == '/' ? strtoul(end + 1, NULL, 10) : 0;
    return self->shard >= 1 && self->shard <= self->shard_count;
}

static bool read_option(run *self, const char *name, char *value) {
    if (strcmp(name, "--jobs") == 0) {
        self->job_count = strtoul(value, NULL, 10);
        return self->job_count >= 1 && self->job_count <= JOBS_MAX;
    }
    if (strcmp(name, "--shard") == 0) {
        return read_shard(self, value);
    }
    if (strcmp(name, "--filter") == 0) {
        self->filter = value;
        return true;
    }
    if (strcmp(name, "--timeout") == 0) {
        self->timeout = (unsigned)strtoul(value, NULL, 10);
        return self->timeout > 0;
    }
    if (strcmp(name, "-s") == 0) {
        return add_setting(self, value);
    }
    if (strcmp(name, "--leave-out") == 0) {
        self->options.leave_out = &self->leave_out;
        return regcomp(&self->leave_out, value, REG_EXTENDED | REG_ICASE | REG_NOSUB) == 0;
    }
    return false;
}

static bool read_arguments(run *self, int count, char **texts) {
    for (int i = 1; i < count; i++) {
        if (strcmp(texts[i], "-v") == 0) {
            self->options.is_verbose = true;
        } else if (strcmp(texts[i], "--complete") == 0) {
            self->options.completes = true;
        } else if (texts[i][0] == '-') {
            if (i + 1 == count || !read_option(self, texts[i], texts[i + 1])) {
                (void)fprintf(stderr, "%s: unknown, or a wrong value\n", texts[i]);
                return false;
            }
            i += 1;
        } else if (!gather(texts[i])) {
            return false;
        }
    }
    return files.count > 0;
}

static void read_modes(run *self) {
    const char *modes = getenv("FIRN_TEST");
    (void)snprintf(self->modes, sizeof self->modes, "%s", modes == NULL ? "" : modes);
    char *rest = self->modes;
    char *word = NULL;
    while ((word = strsep(&rest, ", ")) != NULL && self->options.label_count < LABELS_MAX) {
        if (word[0] != '\0') {
            self->labels[self->options.label_count] = word;
            self->options.label_count += 1;
        }
    }
}

int slt_program_run(int argc, char **argv, slt_before_fn *before) {
    static run self = {.job_count = 2, .shard = 1, .shard_count = 1, .timeout = 300};
    self.options.before = before;
    self.options.settings = self.settings;
    self.options.labels = self.labels;
    read_modes(&self);
    if (!read_arguments(&self, argc, argv)) {
        (void)fprintf(stderr, "usage: firn_sql_tests [options] FILE|FOLDER...\n");
        return 2;
    }
    run_files(&self);
    printf("%zu passed, %zu failed, 0 skipped\n", self.counts.passed, self.counts.failed);
    for (size_t i = 0; i < files.count; i++) {
        free(files.paths[i]);
    }
    free(files.paths);
    return self.counts.failed == 0 && self.counts.passed > 0 ? 0 : 1;
}
