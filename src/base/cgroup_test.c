#include "base/cgroup.h"

#include <string.h>

#include "base/host.h"
#include "base/test.h"

static firn_error err = FIRN_ERROR_INIT;

typedef struct fake_file {
    const char *path;
    const char *content;
} fake_file;

static void make_file(const char *root, const fake_file *file) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s%s", root, file->path);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    host_file out;
    CHECK(host_make_folder(path, &err) == FIRN_OK);
    *slash = '/';
    REQUIRE(host_open(path, HOST_MODE_CREATE, &out, &err) == FIRN_OK);
    const bytes content = {.data = (const uint8_t *)file->content, .size = strlen(file->content)};
    CHECK(host_write(out, 0, content, &err) == FIRN_OK);
    host_close(&out);
}

static firn_status remove_tree(const char *path, firn_error *error);

static firn_status remove_entry(void *user, const char *name, bool is_folder, firn_error *error) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", (const char *)user, name);
    return is_folder ? remove_tree(path, error) : host_remove(path, error);
}

static firn_status remove_tree(const char *path, firn_error *error) { // At most 8 folders deep.
    char copy[512];
    (void)snprintf(copy, sizeof copy, "%s", path);
    TRY(host_list(copy, remove_entry, copy, error));
    return host_remove(copy, error);
}

// Lays `files` out, at most 8 up to the first without a path, and reads the limits there.
static cgroup_limits read_fake(const fake_file *files) {
    char root[256];
    const char *folder = host_environment("TMPDIR");
    (void)snprintf(root, sizeof root, "%s/firn-cgroup-%u", folder == NULL ? "/tmp" : folder,
                   host_process_id());
    CHECK(host_make_folder(root, &err) == FIRN_OK);
    for (size_t i = 0; i < 8 && files[i].path != NULL; i++) {
        make_file(root, &files[i]);
    }
    const cgroup_limits limits = cgroup_limits_read(root);
    CHECK(remove_tree(root, &err) == FIRN_OK);
    return limits;
}

static const char mounts_v2[] =
    "22 1 0:20 / / rw shared:1 - ext4 /dev/sda rw\n"
    "29 22 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";

static const char mounts_v1[] = "32 31 0:29 / /cg/cpu rw shared:2 - cgroup cgroup rw,cpu,cpuacct\n"
                                "35 31 0:32 /docker/7 /cg/memory rw - cgroup cgroup rw,memory\n";

TEST(cgroup_without_files_has_no_limits) {
    const cgroup_limits limits = read_fake((const fake_file[8]){{0}});
    CHECK(limits.memory_bytes == UINT64_MAX);
    CHECK(limits.cpu_count == UINT32_MAX);
}

TEST(cgroup_v2_takes_the_smallest_limit_on_the_way_up) {
    const cgroup_limits limits = read_fake((const fake_file[8]){
        {"/proc/self/cgroup", "0::/user.slice/app\n"},
        {"/proc/self/mountinfo", mounts_v2},
        {"/sys/fs/cgroup/user.slice/cpu.max", "150000 100000\n"},
        {"/sys/fs/cgroup/user.slice/memory.max", "max\n"},
        {"/sys/fs/cgroup/user.slice/app/cpu.max", "max 100000\n"},
        {"/sys/fs/cgroup/user.slice/app/memory.max", "268435456\n"},
        {"/sys/fs/cgroup/memory.max", "1000000000\n"},
    });
    CHECK(limits.cpu_count == 2);
    CHECK(limits.memory_bytes == 268435456);
}

TEST(cgroup_v2_is_read_at_the_mount_point_inside_a_container) {
    const cgroup_limits limits = read_fake((const fake_file[8]){
        {"/proc/self/cgroup", "0::/\n"},
        {"/proc/self/mountinfo", mounts_v2},
        {"/sys/fs/cgroup/cpu.max", "20000 100000\n"},
        {"/sys/fs/cgroup/memory.max", "max\n"},
    });
    CHECK(limits.cpu_count == 1);
    CHECK(limits.memory_bytes == UINT64_MAX);
}

TEST(cgroup_v1_finds_its_folder_below_the_root_of_the_mount) {
    const cgroup_limits limits = read_fake((const fake_file[8]){
        {"/proc/self/cgroup", "4:memory:/docker/7/job\n2:cpu,cpuacct:/batch\n0::/\n"},
        {"/proc/self/mountinfo", mounts_v1},
        {"/cg/cpu/batch/cpu.cfs_quota_us", "400000\n"},
        {"/cg/cpu/batch/cpu.cfs_period_us", "100000\n"},
        {"/cg/cpu/cpu.cfs_quota_us", "-1\n"},
        {"/cg/cpu/cpu.cfs_period_us", "100000\n"},
        {"/cg/memory/job/memory.limit_in_bytes", "9223372036854771712\n"},
        {"/cg/memory/memory.limit_in_bytes", "536870912\n"},
    });
    CHECK(limits.cpu_count == 4);
    CHECK(limits.memory_bytes == 536870912);
}

TEST(cgroup_files_that_make_no_sense_are_no_limit) {
    const cgroup_limits limits = read_fake((const fake_file[8]){
        {"/proc/self/cgroup", "what\n::\n0::/a\n3:memory:\n"},
        {"/proc/self/mountinfo", "1 2\n - \n29 22 0:26 / /sys rw - cgroup2 cgroup2 rw\n"},
        {"/sys/a/cpu.max", "100000\n"},
        {"/sys/a/memory.max", "\n"},
        {"/sys/cpu.max", "5 0\n"},
    });
    CHECK(limits.cpu_count == UINT32_MAX);
    CHECK(limits.memory_bytes == UINT64_MAX);
}
