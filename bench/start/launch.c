// launch COUNT PROGRAM [ARGUMENT...]: starts a program COUNT times, one after the other, and prints
// for each "wall-ms cpu-ms peak-kB". Small itself: what a process had before exec counts into its
// peak.
#define _GNU_SOURCE // wait4
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void) {
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

static double ms_of(struct timeval time) {
    return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

static int start(char **command) {
    struct rusage used;
    int state = 0;
    const double begin = now_ms();
    const pid_t child = vfork();
    if (child == 0) {
        const int nothing = open("/dev/null", O_RDWR);
        (void)dup2(nothing, STDIN_FILENO);
        (void)dup2(nothing, STDOUT_FILENO);
        (void)execv(command[0], command);
        _exit(127);
    }
    if (child < 0 || wait4(child, &state, 0, &used) != child || state != 0) {
        return 1;
    }
    const double end = now_ms();
    (void)printf("%.3f %.3f %ld\n", end - begin, ms_of(used.ru_utime) + ms_of(used.ru_stime),
                 used.ru_maxrss);
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        (void)fprintf(stderr, "usage: launch COUNT PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    int failed = 0;
    for (long count = strtol(argv[1], NULL, 10); count > 0 && !failed; count--) {
        failed = start(argv + 2);
    }
    return failed;
}
