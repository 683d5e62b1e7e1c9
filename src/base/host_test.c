#include "base/host.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "base/text.h"

static firn_error err = FIRN_ERROR_INIT;

static bool says(const char *words) {
    return strstr(err.text, words) != NULL;
}

// A path in the folder for temporary files that is this process's own.
static const char *temporary(const char *name, char path[256]) {
    const char *folder = host_environment("TMPDIR");
    (void)snprintf(path, 256, "%s/firn-host-%u-%s", folder == NULL ? "/tmp" : folder,
                   host_process_id(), name);
    return path;
}

static bytes bytes_of(const char *words) {
    return (bytes){.data = (const uint8_t *)words, .size = strlen(words)};
}

TEST(host_map_gives_zeroed_aligned_pages) {
    const size_t sizes[] = {1, 4096, 4097, (size_t)3 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t alignment = 4096; alignment <= HOST_HUGE_PAGE; alignment *= 8) {
            uint8_t *block = host_map(sizes[i], alignment);
            REQUIRE(block != NULL);
            CHECK((uintptr_t)block % alignment == 0);
            CHECK(block[0] == 0 && block[sizes[i] - 1] == 0);
            block[0] = 1;
            block[sizes[i] - 1] = 1;
            host_unmap(block, sizes[i]);
        }
    }
    CHECK(host_map(SIZE_MAX - 5000, HOST_HUGE_PAGE) == NULL);
    CHECK(host_map(0, 4096) == NULL);
    host_unmap(NULL, 4096);
}

TEST(host_discard_empties_pages_that_stay) {
    uint8_t *block = host_map((size_t)64 << 10, 4096);
    REQUIRE(block != NULL);
    memset(block, 7, (size_t)64 << 10);
    host_discard(block + 4096, 4096);
    CHECK(block[4095] == 7 && block[4096] == 0 && block[8191] == 0 && block[8192] == 7);
    host_unmap(block, (size_t)64 << 10);
}

TEST(host_fault_fails_the_call_it_was_told) {
    host_fault_set(HOST_ALLOC, 2);
    void *first = host_alloc(1);
    CHECK(first != NULL);
    CHECK(host_alloc(1) == NULL);
    void *third = host_alloc(1);
    CHECK(third != NULL);
    CHECK(host_fault_count(HOST_ALLOC) == 3);
    host_fault_set(HOST_MAP, 1);
    CHECK(host_map(4096, 4096) == NULL);
    host_fault_set(HOST_ALLOC, 0);
    CHECK(host_fault_count(HOST_ALLOC) == 0 && host_fault_count(HOST_MAP) == 0);
    host_free(first);
    host_free(third);
}

TEST(host_files_are_written_and_read_at_any_place) {
    char path[256];
    host_file file;
    REQUIRE(host_open(temporary("file", path), HOST_MODE_CREATE, &file, &err) == FIRN_OK);
    CHECK(host_write(file, 5, bytes_of("world"), &err) == FIRN_OK);
    CHECK(host_write(file, 0, bytes_of("hello"), &err) == FIRN_OK);
    CHECK(host_sync(file, &err) == FIRN_OK);
    char words[11] = {0};
    CHECK(host_read(file, 0, 10, words, &err) == FIRN_OK);
    CHECK(strcmp(words, "helloworld") == 0);
    CHECK(host_read(file, 8, 3, words, &err) == FIRN_CORRUPT);
    CHECK(says("ends at byte 10, 1 more bytes wanted"));
    CHECK(host_read(file, UINT64_MAX - 1, 4, words, &err) == FIRN_INVALID);
    host_stat by_file;
    host_stat by_path;
    CHECK(host_file_stat(file, &by_file, &err) == FIRN_OK);
    CHECK(host_path_stat(path, &by_path, &err) == FIRN_OK);
    CHECK(by_file.size == 10 && !by_file.is_folder);
    CHECK(by_file.inode == by_path.inode && by_file.mtime_ns == by_path.mtime_ns);
    host_close(&file);
    host_close(&file); // Closed is closed.
    CHECK(host_open(path, HOST_MODE_CREATE_NEW, &file, &err) == FIRN_CONFLICT);
    CHECK(says(path));
    CHECK(host_remove(path, &err) == FIRN_OK);
    CHECK(host_open(path, HOST_MODE_READ, &file, &err) == FIRN_NOT_FOUND);
    CHECK(file.fd == -1);
    CHECK(host_path_stat(path, &by_path, &err) == FIRN_NOT_FOUND);
}

TEST(host_temporary_files_have_no_name) {
    char folder[256];
    REQUIRE(host_make_folder(temporary("nameless", folder), &err) == FIRN_OK);
    host_file file;
    REQUIRE(host_open(folder, HOST_MODE_TEMPORARY, &file, &err) == FIRN_OK);
    CHECK(host_write(file, 0, bytes_of("x"), &err) == FIRN_OK);
    host_write_behind(file, 0, 1);
    host_drop_cached(file, 0, 1);
    char byte = 0;
    CHECK(host_read(file, 0, 1, &byte, &err) == FIRN_OK);
    CHECK(byte == 'x');
    CHECK(host_remove(folder, &err) == FIRN_OK); // It would not go if it were not empty.
    host_close(&file);
    CHECK(host_open("/no/such/folder", HOST_MODE_TEMPORARY, &file, &err) == FIRN_NOT_FOUND);
}

typedef struct entries {
    int files;
    int folders;
    int stop_at;
} entries;

static firn_status count_entry(void *user, const char *name, bool is_folder, firn_error *error) {
    entries *found = user;
    found->files += !is_folder;
    found->folders += is_folder;
    if (found->files + found->folders == found->stop_at) {
        return FAIL(error, FIRN_INVALID, "stopped at \"%s\"", name);
    }
    return FIRN_OK;
}

TEST(host_links_renames_and_lists_a_folder) {
    char folder[256];
    char inner[300];
    char one[300];
    char two[300];
    host_file file;
    temporary("folder", folder);
    (void)snprintf(inner, sizeof inner, "%s/in/ner", folder);
    (void)snprintf(one, sizeof one, "%s/one", folder);
    (void)snprintf(two, sizeof two, "%s/two", folder);
    REQUIRE(host_make_folder(inner, &err) == FIRN_OK);
    CHECK(host_make_folder(inner, &err) == FIRN_OK);
    REQUIRE(host_open(one, HOST_MODE_CREATE_NEW, &file, &err) == FIRN_OK);
    host_close(&file);
    CHECK(host_link(one, two, &err) == FIRN_OK);
    CHECK(host_link(one, two, &err) == FIRN_CONFLICT);
    CHECK(host_make_folder(two, &err) == FIRN_IO); // It is a file.
    entries found = {0};
    CHECK(host_list(folder, count_entry, &found, &err) == FIRN_OK);
    CHECK(found.files == 2 && found.folders == 1);
    found = (entries){.stop_at = 2};
    CHECK(host_list(folder, count_entry, &found, &err) == FIRN_INVALID);
    CHECK(found.files + found.folders == 2);
    CHECK(host_remove(one, &err) == FIRN_OK);
    CHECK(host_rename(two, one, &err) == FIRN_OK);
    CHECK(host_rename(two, one, &err) == FIRN_NOT_FOUND);
    CHECK(host_remove(folder, &err) == FIRN_IO && says("not empty"));
    CHECK(host_remove(one, &err) == FIRN_OK);
    CHECK(host_remove(inner, &err) == FIRN_OK);
    inner[strlen(inner) - 4] = '\0';
    CHECK(host_remove(inner, &err) == FIRN_OK);
    CHECK(host_remove(folder, &err) == FIRN_OK);
    CHECK(host_list(folder, count_entry, &found, &err) == FIRN_NOT_FOUND);
}

TEST(host_open_refuses_what_has_no_places) {
    char path[256];
    host_file file;
    CHECK(host_open("/dev/zero", HOST_MODE_READ, &file, &err) == FIRN_IO);
    REQUIRE(mkfifo(temporary("pipe", path), 0600) == 0);
    CHECK(host_open(path, HOST_MODE_READ, &file, &err) == FIRN_IO); // At once: nobody writes.
    CHECK(says("pipe"));
    (void)unlink(path);
}

TEST(host_file_calls_fail_when_told) {
    char path[256];
    host_file file;
    temporary("faults", path);
    host_fault_set(HOST_OPEN, 1);
    CHECK(host_open(path, HOST_MODE_CREATE, &file, &err) == FIRN_IO && says(path));
    REQUIRE(host_open(path, HOST_MODE_CREATE, &file, &err) == FIRN_OK);
    host_fault_set(HOST_WRITE, 1);
    CHECK(host_write(file, 0, bytes_of("x"), &err) == FIRN_IO);
    CHECK(strcmp(err.sqlstate, "53100") == 0);
    host_fault_set(HOST_READ, 1);
    CHECK(host_read(file, 0, 0, NULL, &err) == FIRN_IO);
    host_fault_set(HOST_SYNC, 1);
    CHECK(host_sync(file, &err) == FIRN_IO);
    host_fault_set(HOST_RENAME, 1);
    CHECK(host_rename(path, path, &err) == FIRN_IO);
    host_fault_set(HOST_SYNC, 1);
    CHECK(host_sync_folder_of(path, &err) == FIRN_IO);
    host_fault_set(HOST_LIST, 1);
    CHECK(host_list("/", count_entry, NULL, &err) == FIRN_IO);
    host_fault_set(HOST_REMOVE, 1);
    CHECK(host_remove(path, &err) == FIRN_IO);
    host_fault_set(HOST_REMOVE, 0);
    host_close(&file);
    CHECK(host_remove(path, &err) == FIRN_OK);
}

TEST(host_clocks_go_forward) {
    const int64_t before = host_clock_ns();
    const int64_t cpu_before = host_cpu_ns();
    const uint64_t waits_before = host_wait_count();
    host_sleep_ms(3);
    CHECK(host_clock_ns() - before >= 3000000);
    CHECK(host_cpu_ns() >= cpu_before);
    CHECK(host_time_us() > INT64_C(1700000000000000));
    CHECK(host_wait_count() > waits_before); // It has slept.
}

TEST(host_random_bytes_differ) {
    uint8_t one[32] = {0};
    uint8_t two[32] = {0};
    CHECK(host_random(one, sizeof one, &err) == FIRN_OK);
    CHECK(host_random(two, sizeof two, &err) == FIRN_OK);
    CHECK(memcmp(one, two, sizeof one) != 0);
}

TEST(host_knows_the_machine) {
    CHECK(host_cpu_count() >= 1);
    CHECK(host_memory_bytes() > (uint64_t)16 << 20);
    CHECK(host_memory_bytes() <= host_cgroup_memory_bytes());
    CHECK(host_environment("FIRN_NO_SUCH_VARIABLE") == NULL);
}

typedef struct thread_report {
    atomic_bool ran;
    bool blocks_interrupt;
} thread_report;

static void report(void *user) {
    thread_report *self = user;
    sigset_t blocked;
    sigemptyset(&blocked);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    self->blocks_interrupt = sigismember(&blocked, SIGINT) == 1;
    atomic_store(&self->ran, true);
}

TEST(host_threads_run_with_signals_blocked) {
    const uint32_t before = host_thread_count();
    host_thread_most_reset();
    CHECK(host_thread_most() == before);
    thread_report self = {0};
    host_thread *thread;
    REQUIRE(host_thread_start(report, &self, &thread, &err) == FIRN_OK);
    CHECK(host_thread_count() == before + 1);
    host_thread_join(thread);
    CHECK(host_thread_count() == before && host_thread_most() == before + 1);
    CHECK(atomic_load(&self.ran) && self.blocks_interrupt);
    sigset_t blocked;
    sigemptyset(&blocked);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    CHECK(sigismember(&blocked, SIGINT) == 0); // Ours is as it was.
    host_fault_set(HOST_THREAD, 1);
    CHECK(host_thread_start(report, &self, &thread, &err) == FIRN_NO_MEMORY);
    CHECK(thread == NULL);
    host_fault_set(HOST_THREAD, 0);
    host_thread_join(NULL);
}
