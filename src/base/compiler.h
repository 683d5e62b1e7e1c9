// The compiler attributes firn uses, by the name of what they promise to the reader.
#ifndef FIRN_BASE_COMPILER_H
#define FIRN_BASE_COMPILER_H

// On a function: its unsigned arithmetic wraps on purpose (hashing, bit tricks). Everywhere else
// the sanitizer build treats a wrap as an error, because sizes and counts must not.
#if defined(__clang__)
#define WRAPS __attribute__((no_sanitize("unsigned-integer-overflow", "unsigned-shift-base")))
#else
#define WRAPS
#endif

// On a pointer member: it points to `count` elements, another member of the struct. A sanitizer
// build with clang 22 checks every index against it; other compilers do not know the promise.
#if defined(__clang__) && __clang_major__ >= 22
#define COUNTED_BY(count) __attribute__((counted_by(count)))
#else
#define COUNTED_BY(count)
#endif

// Memory of ours that nobody may touch. Does something only under AddressSanitizer.
#if defined(__SANITIZE_ADDRESS__)
#define ASAN_ENABLED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN_ENABLED 1
#endif
#endif
#if defined(ASAN_ENABLED)
#include <sanitizer/asan_interface.h>
#define ASAN_POISON(start, size) __asan_poison_memory_region((start), (size))
#define ASAN_UNPOISON(start, size) __asan_unpoison_memory_region((start), (size))
#else
#define ASAN_ENABLED 0
#define ASAN_POISON(start, size) ((void)(start), (void)(size))
#define ASAN_UNPOISON(start, size) ((void)(start), (void)(size))
#endif

// On a function: the compiler must specialise it for the constants its callers pass.
#define ALWAYS_INLINE __attribute__((always_inline)) inline

// On a function: its locals stay out of its callers' frames, for rare paths of recursive code.
#define NEVER_INLINE __attribute__((noinline))

// On a function: argument `f` is a printf format, the values start at argument `v`.
#define PRINTF_LIKE(f, v) __attribute__((format(printf, f, v)))

// Lock annotations, checked by clang's -Wthread-safety.
#if defined(__clang__)
#define CAPABILITY(word) __attribute__((capability(word)))
#define GUARDED_BY(lock) __attribute__((guarded_by(lock)))
#define ACQUIRE(lock) __attribute__((acquire_capability(lock)))
#define RELEASE(lock) __attribute__((release_capability(lock)))
#define REQUIRES(lock) __attribute__((requires_capability(lock)))
#define NO_LOCK_CHECK __attribute__((no_thread_safety_analysis))
#else
#define CAPABILITY(word)
#define GUARDED_BY(lock)
#define ACQUIRE(lock)
#define RELEASE(lock)
#define REQUIRES(lock)
#define NO_LOCK_CHECK
#endif

// On a local array that is written before it is read: release builds zero all others, which a loop
// over small steps would pay for at each.
#define UNINITIALISED __attribute__((uninitialized))

// On a condition that is rarely or nearly always true, in loops where a profile showed it.
#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

#endif
