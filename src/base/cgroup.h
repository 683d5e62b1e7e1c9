// What the control group of this process lets it use: version 1 and 2, nested groups, containers.
//
// Only host_machine.c asks; it is apart so that tests can lay out any system in a folder.
#ifndef FIRN_BASE_CGROUP_H
#define FIRN_BASE_CGROUP_H

#include <stdint.h>

typedef struct cgroup_limits {
    uint64_t memory_bytes; // UINT64_MAX: no limit.
    uint32_t cpu_count;    // The quota rounded up, at least 1; UINT32_MAX: no limit.
} cgroup_limits;

/// Reads the limits: the smallest of the group and all groups above it. `root` stands before
/// /proc and all mount points: "" for the real system. Whatever cannot be read is no limit.
cgroup_limits cgroup_limits_read(const char *root);

#endif
