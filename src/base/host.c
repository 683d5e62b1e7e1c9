// The door to the system: faults, memory, clock, chance, environment. Files are in host_file.c,
// threads in host_thread.c, what the machine offers in host_machine.c.
#include "base/host.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/compiler.h"

// ---- Faults ------------------------------------------------------------------------------------

// In a release build nothing is counted until a test asks for it; other builds always count, and
// look at FIRN_FAULT=kind:n once, so that whole programs can be tried.
#if defined(NDEBUG)
#define COUNTS_AT_START false
#else
#define COUNTS_AT_START true
#endif

static atomic_bool is_counting = COUNTS_AT_START;
static atomic_uint_fast64_t counts[HOST_CALL_COUNT];
static atomic_uint_fast64_t fail_at[HOST_CALL_COUNT]; // 0: never.

void host_fault_set(host_call kind, uint64_t n) {
    assert(kind < HOST_CALL_COUNT);
    for (size_t i = 0; i < HOST_CALL_COUNT; i++) {
        atomic_store(&counts[i], 0);
        atomic_store(&fail_at[i], 0);
    }
    atomic_store(&fail_at[kind], n);
    atomic_store(&is_counting, true);
}

uint64_t host_fault_count(host_call kind) {
    assert(kind < HOST_CALL_COUNT);
    return atomic_load(&counts[kind]);
}

#if !defined(NDEBUG)
// FIRN_FAULT=write:3 makes the third write of the process fail.
static void read_environment(void) {
    static const char *const words[] = {
#define X(name, word) #word,
        HOST_CALL_LIST(X)
#undef X
    };
    const char *value = getenv("FIRN_FAULT");
    const char *colon = value == NULL ? NULL : strchr(value, ':');
    if (colon == NULL) {
        return;
    }
    const size_t size = (size_t)(colon - value);
    for (size_t i = 0; i < HOST_CALL_COUNT; i++) {
        if (strlen(words[i]) == size && memcmp(words[i], value, size) == 0) {
            atomic_store(&fail_at[i], strtoull(colon + 1, NULL, 10));
        }
    }
}
#endif

// Apart, so that the branch in front of it is all a release build has in its hot code.
__attribute__((noinline)) static bool count_call(host_call kind) {
#if !defined(NDEBUG)
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, read_environment);
#endif
    const uint64_t n = atomic_fetch_add_explicit(&counts[kind], 1, memory_order_relaxed) + 1;
    return n == atomic_load_explicit(&fail_at[kind], memory_order_relaxed);
}

bool host_fault(host_call kind) {
    assert(kind < HOST_CALL_COUNT);
    return UNLIKELY(atomic_load_explicit(&is_counting, memory_order_relaxed)) && count_call(kind);
}

// ---- Memory ------------------------------------------------------------------------------------

void *host_alloc(size_t size) {
    if (host_fault(HOST_ALLOC)) {
        return NULL;
    }
    return malloc(size == 0 ? 1 : size);
}

void *host_alloc_aligned(size_t alignment, size_t size) {
    assert((alignment & (alignment - 1)) == 0 && alignment >= sizeof(void *));
    size_t padded;
    if (!add_fits(size, alignment - 1, &padded) || host_fault(HOST_ALLOC)) {
        return NULL;
    }
    padded -= padded % alignment;
    return aligned_alloc(alignment, padded == 0 ? alignment : padded);
}

void host_free(void *block) {
    free(block);
}

static size_t page_size(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

static atomic_uint_fast64_t mapped_bytes; // Only tests look.

static void unmap(uint8_t *block, size_t size) {
    if (size > 0) {
        const int result = munmap(block, size);
        assert(result == 0);
        (void)result;
    }
}

void *host_map(size_t size, size_t alignment) {
    const size_t page = page_size();
    assert(alignment >= page && (alignment & (alignment - 1)) == 0);
    size_t padded;
    if (size == 0 || !add_fits(size, alignment - page, &padded) ||
        !add_fits(padded, page - 1, &padded) || host_fault(HOST_MAP)) {
        return NULL;
    }
    padded -= padded % page;
    uint8_t *block = mmap(NULL, padded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) {
        return NULL;
    }
    // What lies before the first aligned address and behind the last page goes back.
    const size_t mapped = size + (page - size % page) % page;
    const size_t before = (alignment - (uintptr_t)block % alignment) % alignment;
    uint8_t *result = block + before;
    unmap(block, before);
    unmap(result + mapped, padded - before - mapped);
    if (alignment >= HOST_HUGE_PAGE) {
        (void)madvise(result, mapped, MADV_HUGEPAGE); // A wish; a kernel without them says no.
    }
    (void)atomic_fetch_add_explicit(&mapped_bytes, mapped, memory_order_relaxed);
    return result;
}

void host_unmap(void *block, size_t size) {
    if (block != NULL) {
        const size_t page = page_size();
        const size_t mapped = size + (page - size % page) % page;
        (void)atomic_fetch_sub_explicit(&mapped_bytes, mapped, memory_order_relaxed);
        unmap(block, mapped);
    }
}

uint64_t host_mapped_bytes(void) {
    return atomic_load_explicit(&mapped_bytes, memory_order_relaxed);
}

void host_discard(void *block, size_t size) {
    assert((uintptr_t)block % page_size() == 0);
    // Never MADV_FREE: with it resident memory stays as it was until somebody else needs it.
    (void)madvise(block, size, MADV_DONTNEED);
}

void host_forbid_huge(void *block, size_t size) {
    (void)madvise(block, size, MADV_NOHUGEPAGE);
}

// ---- Clock, chance, environment ----------------------------------------------------------------

static int64_t clock_read_ns(clockid_t clock) {
    struct timespec now;
    if (clock_gettime(clock, &now) != 0) {
        return 0; // Cannot happen for the three clocks below.
    }
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t host_clock_ns(void) {
    return clock_read_ns(CLOCK_MONOTONIC);
}

int64_t host_time_us(void) {
    return clock_read_ns(CLOCK_REALTIME) / 1000;
}

int64_t host_cpu_ns(void) {
    return clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t host_wait_count(void) {
    struct rusage used;
    return getrusage(RUSAGE_THREAD, &used) == 0 ? (uint64_t)used.ru_nvcsw : 0;
}

void host_yield(void) {
    (void)sched_yield();
}

void host_sleep_ms(uint32_t ms) {
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

firn_status host_random(void *out, size_t size, firn_error *err) {
    uint8_t *at = out;
    while (size > 0) {
        const ssize_t got = getrandom(at, size, 0);
        if (got >= 0) {
            at += got;
            size -= (size_t)got;
        } else if (errno != EINTR) {
            return FAIL(err, FIRN_IO, "no random bytes from the system: %s", strerror(errno));
        }
    }
    return FIRN_OK;
}

const char *host_environment(const char *name) {
    return getenv(name);
}

const char *host_environment_at(size_t index) {
    for (size_t i = 0; environ != NULL && environ[i] != NULL; i++) {
        if (i == index) {
            return environ[i];
        }
    }
    return NULL;
}

uint32_t host_process_id(void) {
    return (uint32_t)getpid();
}
