// Finds the group's folder from two files and reads the limits there and above:
//
//     /proc/self/cgroup     4:memory:/jobs/7        version 1: number, controllers, path
//                           0::/user.slice/app      version 2: always 0 and no controllers
//     /proc/self/mountinfo  35 31 0:32 /jobs /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
//                                      root  mount point          ...  - type   source options
//
// The folder is the mount point + (path without the mount's root). In a container the path may be
// one of the host that is not below the root; then the mount point is the best there is.
#include "base/cgroup.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE_MAX 8192

typedef struct group_folder {
    char path[PATH_MAX]; // With the root of the system in front; empty: none.
    size_t top_size;     // As far as the mount point; the parents up to there count too.
} group_folder;

// Takes the next word of `line`, which ends at any of `stops`. NULL at the end.
static char *next_word(char **line, const char *stops) {
    char *word = strsep(line, stops);
    while (word != NULL && *word == '\0') {
        word = strsep(line, stops);
    }
    return word;
}

// Is `word` one of the comma-separated `list`?
static bool list_has(const char *list, const char *word) {
    const size_t size = strlen(word);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, word, size) == 0 && (at[size] == ',' || at[size] == '\0')) {
            return true;
        }
    }
    return false;
}

static FILE *open_file(const char *root, const char *name) {
    char path[PATH_MAX];
    const int wanted = snprintf(path, sizeof path, "%s%s", root, name);
    return wanted > 0 && (size_t)wanted < sizeof path ? fopen(path, "re") : NULL;
}

// The path of our group for a controller ("" for version 2) from /proc/self/cgroup.
static bool read_group(const char *root, const char *controller, char path[PATH_MAX]) {
    FILE *file = open_file(root, "/proc/self/cgroup");
    if (file == NULL) {
        return false;
    }
    char line[LINE_SIZE_MAX];
    bool found = false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = line;
        (void)strsep(&rest, ":"); // The number.
        const char *controllers = strsep(&rest, ":");
        if (controllers == NULL || rest == NULL || strlen(rest) >= PATH_MAX) {
            continue;
        }
        found = *controller == '\0' ? *controllers == '\0' : list_has(controllers, controller);
        if (found) {
            memcpy(path, rest, strlen(rest) + 1);
        }
    }
    (void)fclose(file);
    return found;
}

// One line of mountinfo: is it the hierarchy we look for, and where?
static bool read_mount(char *line, const char *controller, const char **root, const char **point) {
    char *dash = strstr(line, " - ");
    if (dash == NULL) {
        return false;
    }
    *dash = '\0';
    char *tail = dash + 3;
    const char *type = next_word(&tail, " ");
    (void)next_word(&tail, " "); // The source.
    const char *options = next_word(&tail, " \n");
    char *head = line;
    for (int i = 0; i < 3; i++) { // Two numbers and the device.
        (void)next_word(&head, " ");
    }
    *root = next_word(&head, " ");
    *point = next_word(&head, " ");
    if (type == NULL || *root == NULL || *point == NULL) {
        return false;
    }
    if (*controller == '\0') {
        return strcmp(type, "cgroup2") == 0;
    }
    return strcmp(type, "cgroup") == 0 && options != NULL && list_has(options, controller);
}

// Puts system root, mount point and the group's path below the mount together.
static bool join_folder(group_folder *out, const char *system, const char *point,
                        const char *below) {
    const int top = snprintf(out->path, sizeof out->path, "%s%s", system, point);
    if (top < 0 || (size_t)top >= sizeof out->path) {
        return false;
    }
    out->top_size = (size_t)top;
    const size_t room = sizeof out->path - out->top_size;
    const int more = snprintf(out->path + top, room, "%s%s", *below == '/' ? "" : "/", below);
    return more >= 0 && (size_t)more < room;
}

static bool find_folder(const char *system, const char *controller, group_folder *out) {
    char group[PATH_MAX];
    FILE *file =
        read_group(system, controller, group) ? open_file(system, "/proc/self/mountinfo") : NULL;
    if (file == NULL) {
        return false;
    }
    char line[LINE_SIZE_MAX];
    bool found = false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        const char *root = NULL;
        const char *point = NULL;
        if (read_mount(line, controller, &root, &point)) {
            const size_t size = strcmp(root, "/") == 0 ? 0 : strlen(root);
            const bool is_below =
                strncmp(group, root, size) == 0 && (group[size] == '/' || group[size] == '\0');
            found = join_folder(out, system, point, is_below ? group + size : "");
        }
    }
    (void)fclose(file);
    return found;
}

// Goes from the group's folder to the one above; false at the mount point.
static bool go_up(group_folder *self) {
    const char *slash = strrchr(self->path, '/');
    if (slash == NULL || (size_t)(slash - self->path) < self->top_size) {
        return false;
    }
    self->path[slash - self->path] = '\0';
    return true;
}

// Reads up to two numbers from a file of the folder; "max" and negative ones are UINT64_MAX. How
// many there were.
static int read_numbers(const group_folder *self, const char *name, uint64_t out[2]) {
    char text[128];
    FILE *file = open_file(self->path, name);
    if (file == NULL) {
        return 0;
    }
    const bool is_read = fgets(text, sizeof text, file) != NULL;
    (void)fclose(file);
    char *rest = text;
    int count = 0;
    for (char *word = is_read ? next_word(&rest, " \n") : NULL; word != NULL && count < 2;
         word = next_word(&rest, " \n")) {
        const bool is_number = *word >= '0' && *word <= '9';
        out[count] = is_number ? strtoull(word, NULL, 10) : UINT64_MAX;
        count += 1;
    }
    return count;
}

static void lower_cpu(cgroup_limits *limits, uint64_t quota, uint64_t period) {
    if (quota == UINT64_MAX || period == 0 || period == UINT64_MAX) {
        return;
    }
    const uint64_t cores = quota / period + (quota % period != 0);
    if (cores < limits->cpu_count) {
        limits->cpu_count = cores == 0 ? 1 : (uint32_t)cores;
    }
}

static void lower_memory(cgroup_limits *limits, uint64_t limit) {
    // Version 1 has no word for "none": it says the largest multiple of the page size.
    if (limit < UINT64_MAX / 4 && limit < limits->memory_bytes) {
        limits->memory_bytes = limit;
    }
}

cgroup_limits cgroup_limits_read(const char *root) {
    cgroup_limits limits = {.memory_bytes = UINT64_MAX, .cpu_count = UINT32_MAX};
    uint64_t numbers[2];
    uint64_t period[2];
    group_folder folder;
    if (find_folder(root, "", &folder)) {
        do {
            if (read_numbers(&folder, "/cpu.max", numbers) == 2) {
                lower_cpu(&limits, numbers[0], numbers[1]);
            }
            if (read_numbers(&folder, "/memory.max", numbers) >= 1) {
                lower_memory(&limits, numbers[0]);
            }
        } while (go_up(&folder));
    }
    if (find_folder(root, "cpu", &folder)) {
        do {
            if (read_numbers(&folder, "/cpu.cfs_quota_us", numbers) >= 1 &&
                read_numbers(&folder, "/cpu.cfs_period_us", period) >= 1) {
                lower_cpu(&limits, numbers[0], period[0]);
            }
        } while (go_up(&folder));
    }
    if (find_folder(root, "memory", &folder)) {
        do {
            if (read_numbers(&folder, "/memory.limit_in_bytes", numbers) >= 1) {
                lower_memory(&limits, numbers[0]);
            }
        } while (go_up(&folder));
    }
    return limits;
}
