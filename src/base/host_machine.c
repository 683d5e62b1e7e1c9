// What the machine and its container offer this process.
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/host.h"

#define CPU_COUNT_MAX ((size_t)1 << 16)

// Cores in the affinity mask. The kernel refuses a mask shorter than its own, so ask with larger
// ones until it is content.
static uint32_t affinity_count(void) {
    for (size_t cpus = 1024; cpus <= CPU_COUNT_MAX; cpus *= 4) {
        cpu_set_t *set = CPU_ALLOC(cpus);
        if (set == NULL) {
            break;
        }
        const size_t size = CPU_ALLOC_SIZE(cpus);
        const int count = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
        CPU_FREE(set);
        if (count > 0) {
            return (uint32_t)count;
        }
    }
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (uint32_t)online : 1;
}

uint32_t host_cpu_count(void) {
    const uint32_t affinity = affinity_count();
    const uint32_t quota = cgroup_limits_read("").cpu_count;
    return quota < affinity ? quota : affinity;
}

uint64_t host_cgroup_memory_bytes(void) {
    return cgroup_limits_read("").memory_bytes;
}

uint64_t host_memory_bytes(void) {
    const long pages = sysconf(_SC_PHYS_PAGES);
    const long page = sysconf(_SC_PAGESIZE);
    const uint64_t machine = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : UINT64_MAX;
    const uint64_t cgroup = host_cgroup_memory_bytes();
    return cgroup < machine ? cgroup : machine;
}
