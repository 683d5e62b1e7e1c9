// The only door to the system: memory, files, clock, random numbers, environment, threads, shared
// objects.
//
// Nothing else in firn calls the operating system (network sockets live in the module firn_net.so
// and count through the same hook). That gives tests one place to count calls and to make the n-th
// one fail: every scenario is run again and again while the first, second, third ... call of a kind
// fails, and must end in the right answer or a clean error. In release builds the hook is one
// predictable branch on a global that is never set.
//
// Paths here are file-system paths, NUL-terminated, without scheme. File functions retry EINTR.
#ifndef FIRN_BASE_HOST_H
#define FIRN_BASE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

// Kind of call, word in FIRN_FAULT and in messages.
#define HOST_CALL_LIST(X)                                                                          \
    X(ALLOC, alloc)                                                                                \
    X(ARENA, arena)                                                                                \
    X(MAP, map)                                                                                    \
    X(OPEN, open)                                                                                  \
    X(READ, read)                                                                                  \
    X(WRITE, write)                                                                                \
    X(SYNC, sync)                                                                                  \
    X(RENAME, rename)                                                                              \
    X(REMOVE, remove)                                                                              \
    X(LIST, list)                                                                                  \
    X(REQUEST, request)                                                                            \
    X(THREAD, thread)

// ARENA is what arena.h hands out: no call to the system, but what refuses when one has refused, or
// a query is cancelled. Counted in builds with assertions only.
#define X(name, word) HOST_##name,
typedef enum host_call { HOST_CALL_LIST(X) HOST_CALL_COUNT } host_call;
#undef X

// ---- Faults (tests only) ------------------------------------------------------------------------

/// Makes the n-th call of a kind from now on fail (n counts from 1; 0 switches faults off), and
/// resets the counters. Call while nothing else runs.
void host_fault_set(host_call kind, uint64_t n);

/// Calls of a kind since the last host_fault_set.
uint64_t host_fault_count(host_call kind);

/// Counts a call; true if this one must fail. The functions below call it themselves; the network
/// module calls it once per request.
bool host_fault(host_call kind);

// ---- Memory ------------------------------------------------------------------------------------

/// malloc and free for memory/ only (and base itself); NULL when refused. Aligned for any type.
void *host_alloc(size_t size) __attribute__((alloc_size(1)));
/// The same, aligned to a power of two of at least the size of a pointer.
void *host_alloc_aligned(size_t alignment, size_t size) __attribute__((alloc_size(2)));
void host_free(void *block);

#define HOST_HUGE_PAGE ((size_t)2 << 20)

/// Anonymous pages, zeroed, aligned to `alignment` (a power of two, at least the page size; 2 MiB
/// asks for huge pages as well). NULL when refused. host_unmap takes the same size.
void *host_map(size_t size, size_t alignment);
void host_unmap(void *block, size_t size);
/// Bytes that are mapped and not unmapped: shown in tests.
uint64_t host_mapped_bytes(void);
/// Gives the content of whole pages back; the addresses stay and read as zero afterwards.
void host_discard(void *block, size_t size);
/// Takes the wish for huge pages back, so that what was discarded is not filled up again.
void host_forbid_huge(void *block, size_t size);

// ---- Files --------------------------------------------------------------------------------------

typedef struct host_file {
    int fd; // -1: not open.
} host_file;
#define HOST_FILE_NONE ((host_file){.fd = -1})

/// What identifies the content of a file: a cache key and a check that it did not change.
typedef struct host_stat {
    uint64_t size;
    uint64_t inode;
    int64_t mtime_ns;
    int64_t ctime_ns;
    bool is_folder;
    bool is_file; // Neither folder nor pipe, socket or device.
} host_stat;

typedef enum host_mode {
    HOST_MODE_READ,       // Must exist.
    HOST_MODE_CREATE,     // Written from empty; replaces what is there.
    HOST_MODE_CREATE_NEW, // Must not exist: FIRN_CONFLICT if it does.
    HOST_MODE_TEMPORARY,  // `path` is a folder; a nameless read-write file in it, gone when closed
                          // or killed.
} host_mode;

/// Errors: FIRN_NOT_FOUND, FIRN_CONFLICT, FIRN_IO (text names path and reason).
firn_status host_open(const char *path, host_mode mode, host_file *out, firn_error *err);
void host_close(host_file *file);
firn_status host_file_stat(host_file file, host_stat *out, firn_error *err);
firn_status host_path_stat(const char *path, host_stat *out, firn_error *err);

/// Reads exactly `size` bytes at `offset`; a shorter file is FIRN_CORRUPT ("ends at byte n").
firn_status host_read(host_file file, uint64_t offset, size_t size, void *out, firn_error *err);
/// Writes all bytes at `offset`. A full disk is FIRN_IO with SQLSTATE 53100.
firn_status host_write(host_file file, uint64_t offset, bytes data, firn_error *err);
firn_status host_sync(host_file file, firn_error *err);
/// Asks the system to begin writing a range to disk, of 0 bytes all behind `offset`; does not wait.
void host_write_behind(host_file file, uint64_t offset, uint64_t size);
/// Waits until a range is on disk and drops it from the page cache: the counterpart, one step
/// later.
void host_drop_cached(host_file file, uint64_t offset, uint64_t size);
/// Renames over `to`, which lasts once its folder is synced.
firn_status host_rename(const char *from, const char *to, firn_error *err);
/// Makes `to` a name of `from` unless `to` exists (FIRN_CONFLICT): put-if-absent, once the folder
/// is synced.
firn_status host_link(const char *from, const char *to, firn_error *err);
/// Syncs the folder that holds `path`: its new names are safe from a crash then.
firn_status host_sync_folder_of(const char *path, firn_error *err);
firn_status host_remove(const char *path, firn_error *err);
/// Makes a folder and the missing ones above it; that it exists is no error, FIRN_IO if it is a
/// file.
firn_status host_make_folder(const char *path, firn_error *err);

/// The same path from the root on; links in it stay. Errors: FIRN_IO (the working folder is gone),
/// FIRN_INVALID (longer than `capacity`).
firn_status host_path_absolute(const char *path, char *out, size_t capacity, firn_error *err);

/// Whether the path itself is a symbolic link, wherever that leads.
bool host_path_is_link(const char *path);

/// Calls `visit` for each entry of a folder but "." and "..", in no order, until it fails.
typedef firn_status (*host_visit)(void *user, const char *name, bool is_folder, firn_error *err);
firn_status host_list(const char *path, host_visit visit, void *user, firn_error *err);

// ---- Clock, chance, environment ----------------------------------------------------------------

int64_t host_clock_ns(void); // Monotonic.
int64_t host_time_us(void);  // Since 1970-01-01 UTC.
int64_t host_cpu_ns(void);   // CPU time of the calling thread.
/// How often the calling thread gave its core up because it waited for something, a disk or a lock;
/// that others were given it is not counted.
uint64_t host_wait_count(void);
void host_sleep_ms(uint32_t ms); // Only io/ and tests may sleep.
void host_yield(void);           // Lets others have the processor, to wait for a few instructions.
firn_status host_random(void *out, size_t size, firn_error *err);
/// NULL if unset. Lives until the environment changes.
const char *host_environment(const char *name);
/// The variable of that number as "NAME=value"; NULL behind the last. Lives as long.
const char *host_environment_at(size_t index);
/// Cores this process may use: affinity and cgroup quota, at least 1.
uint32_t host_cpu_count(void);
/// Memory this process may use: the cgroup's limit or the machine's.
uint64_t host_memory_bytes(void);
/// The cgroup's limit alone, page cache included; UINT64_MAX if there is none.
uint64_t host_cgroup_memory_bytes(void);
uint32_t host_process_id(void);

// ---- Threads ------------------------------------------------------------------------------------

typedef struct host_thread host_thread; // Opaque: a pthread.
/// Starts a thread with all signals blocked. Errors: FIRN_NO_MEMORY.
firn_status host_thread_start(void (*run)(void *user), void *user, host_thread **out,
                              firn_error *err);
/// The calling thread: not 0, and of no other thread that lives.
uint64_t host_thread_id(void);
/// Waits for its end and frees it.
void host_thread_join(host_thread *thread);
/// How many threads this process has started through here and not joined: shown in tests.
uint32_t host_thread_count(void);
/// The most of them at one time since host_thread_most_reset, which begins with those there are.
uint32_t host_thread_most(void);
void host_thread_most_reset(void);

// ---- Shared objects -----------------------------------------------------------------------------

/// The absolute path of the file that this code lies in: libfirn.so, or the program it is linked
/// into. False if nobody knows it.
bool host_own_path(char *out, size_t capacity);

typedef void host_function(void);
/// Loads the shared object at `path` for the life of the process and finds a function in it.
/// Errors: FIRN_NOT_FOUND (no such file), FIRN_UNSUPPORTED (it cannot be loaded, lacks the symbol).
firn_status host_load(const char *path, const char *symbol, host_function **out, firn_error *err);

#endif
