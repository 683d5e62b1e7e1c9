#include "fault_held.h"

#include <stdatomic.h>
#if defined(__SANITIZE_ADDRESS__)
#define HAS_HEAP_COUNT 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_HEAP_COUNT 1
#endif
#endif
#if defined(HAS_HEAP_COUNT)
#include <sanitizer/allocator_interface.h>
#endif

#include "base/host.h"
#include "base/test.h"

static firn_status count_entry(void *user, const char *name, bool is_folder, firn_error *err) {
    (void)name;
    (void)is_folder;
    (void)err;
    *(uint32_t *)user += 1;
    return FIRN_OK;
}

static uint32_t entry_count(const char *folder) {
    firn_error err = ERR_INIT;
    uint32_t count = 0;
    CHECK(host_list(folder, count_entry, &count, &err) == FIRN_OK);
    return count;
}

typedef struct file_count {
    const char *folder;
    uint32_t files;
} file_count;

static firn_status count_file(void *user, const char *name, bool is_folder, firn_error *err) {
    file_count *self = user;
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", self->folder, name);
    if (!is_folder) {
        self->files += 1;
        return FIRN_OK;
    }
    file_count below = {.folder = path};
    const firn_status status = host_list(path, count_file, &below, err);
    self->files += below.files;
    return status;
}

uint32_t fault_file_count(const char *folder) {
    firn_error err = ERR_INIT;
    file_count self = {.folder = folder};
    CHECK(host_list(folder, count_file, &self, &err) == FIRN_OK);
    return self.files;
}

fault_held fault_held_count(const char *folder) {
    fault_held self = {.files = entry_count("/proc/self/fd"),
                       .threads = entry_count("/proc/self/task"),
                       .names = entry_count(folder),
                       .mapped_bytes = host_mapped_bytes()};
#if defined(HAS_HEAP_COUNT)
    self.heap_bytes = __sanitizer_get_current_allocated_bytes();
#endif
    return self;
}

static bool is_same(const fault_held *before, const fault_held *after) {
    const bool is = before->files == after->files && before->threads >= after->threads &&
                    before->names == after->names && before->mapped_bytes == after->mapped_bytes &&
                    before->heap_bytes >= after->heap_bytes;
    if (!is) {
        printf("held before and after: files %u %u, threads %u %u, names %u %u, mapped %llu %llu, "
               "heap %llu %llu\n",
               before->files, after->files, before->threads, after->threads, before->names,
               after->names, (unsigned long long)before->mapped_bytes,
               (unsigned long long)after->mapped_bytes, (unsigned long long)before->heap_bytes,
               (unsigned long long)after->heap_bytes);
    }
    return is;
}

bool fault_held_as(const fault_held *before, const char *temporary_folder) {
    fault_held after = fault_held_count(temporary_folder);
    // The system lists a thread that was joined a moment longer.
    for (int tries = 0; tries < 1000 && after.threads > before->threads; tries++) {
        host_sleep_ms(1);
        after = fault_held_count(temporary_folder);
    }
    return is_same(before, &after);
}

static void wait_until(void *user) {
    const atomic_bool *is_over = user;
    while (!atomic_load(is_over)) {
        host_sleep_ms(1);
    }
}

void fault_held_fill_stack_cache(void) {
    host_thread *threads[8] = {NULL};
    atomic_bool is_over = false;
    firn_error err = ERR_INIT;
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        CHECK(host_thread_start(wait_until, &is_over, &threads[i], &err) == FIRN_OK);
    }
    atomic_store(&is_over, true);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        host_thread_join(threads[i]);
    }
}
