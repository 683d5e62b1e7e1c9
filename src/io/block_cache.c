#include "io/block_cache.h"

#include <string.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "base/hash.h"
#include "base/host.h"

#define LINE ((size_t)64)
#define BUCKETS_MIN 1024
#define TOUCHED 16384    // Parts of files that are remembered as touched; a power of two.
#define QUERY_BITS 0xffU // Of a mark: its last query. Another that shares them keeps nothing.
#define KEPT_BIT 0x100U  // Of a mark: two queries have read it.
#define FILE_BUCKETS 256
#define FILES_MAX 4096 // More of them are forgotten together, so that their names stay small.

// A content of a file that has a number.
typedef struct known_file {
    struct known_file *chain;
    uint64_t number;
    io_identity identity;
    size_t capacity;
    size_t path_size;
    char path[];
} known_file;

// Found in its bucket's chain and in the list of all, which begins with the last used.
typedef struct entry {
    cached_block face; // First: callers see it.
    uint64_t file;
    uint64_t offset;
    uint32_t holders;
    bool is_known; // In the table.
    size_t capacity;
    struct entry *chain;
    struct entry *newer;
    struct entry *older;
} entry;

struct block_cache {
    pool *pool;
    mutex lock;
    entry **buckets GUARDED_BY(&lock);
    size_t bucket_count GUARDED_BY(&lock);
    size_t bucket_capacity GUARDED_BY(&lock); // In bytes.
    entry *newest GUARDED_BY(&lock);
    entry *oldest GUARDED_BY(&lock);
    block_cache_report numbers GUARDED_BY(&lock);
    uint32_t *touched GUARDED_BY(&lock); // Marks of parts with the query; made with the first.
    size_t touched_capacity GUARDED_BY(&lock);
    atomic_uint last_query;
    known_file *files[FILE_BUCKETS] GUARDED_BY(&lock);
    uint32_t file_count GUARDED_BY(&lock);
    uint64_t last_number GUARDED_BY(&lock);
};

WRAPS static uint64_t place_hash(uint64_t file, uint64_t offset) {
    return hash_u64(hash_combine(file, hash_u64(offset)));
}

// ---- The table and the list --------------------------------------------------------------------

static entry **bucket_of(block_cache *self, uint64_t file, uint64_t offset) REQUIRES(&self->lock) {
    return &self->buckets[place_hash(file, offset) & (self->bucket_count - 1)];
}

static void unlist(block_cache *self, entry *each) REQUIRES(&self->lock) {
    *(each->newer == NULL ? &self->newest : &each->newer->older) = each->older;
    *(each->older == NULL ? &self->oldest : &each->older->newer) = each->newer;
    each->newer = NULL;
    each->older = NULL;
}

static void list_newest(block_cache *self, entry *each) REQUIRES(&self->lock) {
    each->older = self->newest;
    *(self->newest == NULL ? &self->oldest : &self->newest->newer) = each;
    self->newest = each;
}

static void forget(block_cache *self, entry *each) REQUIRES(&self->lock) {
    entry **at = bucket_of(self, each->file, each->offset);
    while (*at != each) {
        at = &(*at)->chain;
    }
    *at = each->chain;
    unlist(self, each);
    each->is_known = false;
    self->numbers.blocks--;
    self->numbers.used_bytes -= each->capacity;
}

// Doubles the table; without memory chains become longer.
static void grow(block_cache *self) REQUIRES(&self->lock) {
    const size_t count = self->bucket_count == 0 ? BUCKETS_MIN : self->bucket_count * 2;
    size_t capacity;
    entry **buckets = pool_block_take(self->pool, count * sizeof *buckets, &capacity);
    if (buckets == NULL) {
        return;
    }
    memset(buckets, 0, count * sizeof *buckets);
    pool_block_give(self->pool, self->buckets, self->bucket_capacity);
    self->buckets = buckets;
    self->bucket_count = count;
    self->bucket_capacity = capacity;
    for (entry *each = self->newest; each != NULL; each = each->older) {
        entry **bucket = bucket_of(self, each->file, each->offset);
        each->chain = *bucket;
        *bucket = each;
    }
}

static entry *look_up(block_cache *self, uint64_t file, uint64_t offset) REQUIRES(&self->lock) {
    if (self->bucket_count == 0) {
        return NULL;
    }
    entry *each = *bucket_of(self, file, offset);
    while (each != NULL && (each->file != file || each->offset != offset)) {
        each = each->chain;
    }
    return each;
}

// ---- Room --------------------------------------------------------------------------------------

// Drops blocks that nobody holds, the longest unused first, until `size` bytes are free.
static uint64_t drop(block_cache *self, uint64_t size) {
    uint64_t freed = 0;
    while (freed < size) {
        mutex_lock(&self->lock);
        entry *each = self->oldest;
        while (each != NULL && each->holders > 0) {
            each = each->newer;
        }
        if (each != NULL) {
            forget(self, each);
        }
        mutex_unlock(&self->lock);
        if (each == NULL) {
            break;
        }
        freed += each->capacity;
        pool_block_give(self->pool, each, each->capacity);
    }
    return freed;
}

// ---- Files -------------------------------------------------------------------------------------

static void forget_files(block_cache *self) REQUIRES(&self->lock) {
    for (size_t i = 0; i < FILE_BUCKETS; i++) {
        while (self->files[i] != NULL) {
            known_file *each = self->files[i];
            self->files[i] = each->chain;
            pool_block_give(self->pool, each, each->capacity);
        }
    }
    self->file_count = 0; // Numbers are never given twice: what is kept under them just ages.
}

static uint64_t number_of(block_cache *self, text path, const io_identity *identity)
    REQUIRES(&self->lock) {
    if (self->file_count >= FILES_MAX) {
        forget_files(self);
    }
    known_file **bucket = &self->files[hash_bytes(path.data, path.size) % FILE_BUCKETS];
    for (const known_file *each = *bucket; each != NULL; each = each->chain) {
        if (each->path_size == path.size && memcmp(each->path, path.data, path.size) == 0 &&
            io_identity_equal(&each->identity, identity)) {
            return each->number;
        }
    }
    size_t size;
    size_t capacity;
    known_file *made = add_fits(sizeof *made, path.size, &size) && path.size > 0
                           ? pool_block_take(self->pool, size, &capacity)
                           : NULL;
    if (made == NULL) {
        return 0;
    }
    *made = (known_file){.chain = *bucket,
                         .number = ++self->last_number,
                         .identity = *identity,
                         .capacity = capacity,
                         .path_size = path.size};
    memcpy(made->path, path.data, path.size);
    *bucket = made;
    self->file_count++;
    return made->number;
}

uint64_t block_cache_file(block_cache *self, io_file *file) {
    if (self == NULL) {
        return 0;
    }
    const io_identity identity = io_file_identity(file);
    if (!io_identity_is_exact(&identity)) {
        return 0;
    }
    mutex_lock(&self->lock);
    const uint64_t number = number_of(self, io_file_path(file), &identity);
    mutex_unlock(&self->lock);
    return number;
}

// ---- Opening -----------------------------------------------------------------------------------

// Gives back what is known of files and their parts, and the table when it is empty.
static void forget_all(block_cache *self) REQUIRES(&self->lock) {
    forget_files(self);
    pool_block_give(self->pool, self->touched, self->touched_capacity);
    self->touched = NULL;
    if (self->numbers.blocks == 0) {
        pool_block_give(self->pool, self->buckets, self->bucket_capacity);
        self->buckets = NULL;
        self->bucket_count = 0;
        self->bucket_capacity = 0;
    }
}

static void shrink(void *user, uint64_t size) {
    block_cache *self = user;
    if (drop(self, size) < size) {
        mutex_lock(&self->lock);
        forget_all(self);
        mutex_unlock(&self->lock);
    }
}

firn_status block_cache_open(pool *engine, block_cache **out, firn_error *err) {
    *out = NULL;
    block_cache *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    *self = (block_cache){0};
    mutex_begin(&self->lock, MUTEX_CACHE);
    const pool_options options = {
        .kind = POOL_CACHE, .name = "block cache", .shrink = shrink, .user = self};
    const firn_status status = pool_open(engine, &options, &self->pool, err);
    if (status != FIRN_OK) {
        mutex_end(&self->lock);
        host_free(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

void block_cache_close(block_cache *self) {
    if (self == NULL) {
        return;
    }
    (void)drop(self, UINT64_MAX);
    mutex_lock(&self->lock);
    forget_all(self);
    mutex_unlock(&self->lock);
    pool_close(self->pool);
    mutex_end(&self->lock);
    host_free(self);
}

// ---- Use ---------------------------------------------------------------------------------------

uint32_t block_cache_query(block_cache *self) {
    return self == NULL ? 0 : atomic_fetch_add(&self->last_query, 1);
}

bool block_cache_touch(block_cache *self, uint64_t file, uint64_t offset, uint32_t query) {
    const uint64_t hash = place_hash(file, offset);
    const uint32_t place = (uint32_t)(hash >> 32) & ~(QUERY_BITS | KEPT_BIT);
    bool is_kept = false;
    mutex_lock(&self->lock);
    if (self->touched == NULL) {
        self->touched =
            pool_block_take(self->pool, TOUCHED * sizeof *self->touched, &self->touched_capacity);
        if (self->touched != NULL) {
            memset(self->touched, 0, TOUCHED * sizeof *self->touched);
        }
    }
    if (self->touched != NULL) {
        uint32_t *slot = &self->touched[hash & (TOUCHED - 1)];
        const bool is_same = (*slot & ~(QUERY_BITS | KEPT_BIT)) == place && *slot != 0;
        const bool is_other = ((*slot ^ query) & QUERY_BITS) != 0;
        is_kept = is_same && (is_other || (*slot & KEPT_BIT) != 0);
        *slot = place | (is_kept ? KEPT_BIT : 0) | (query & QUERY_BITS);
        *slot = *slot == 0 ? KEPT_BIT : *slot; // 0 is a slot that nobody has used.
    }
    mutex_unlock(&self->lock);
    return is_kept;
}

cached_block *block_cache_find(block_cache *self, uint64_t file, uint64_t offset) {
    mutex_lock(&self->lock);
    entry *found = look_up(self, file, offset);
    if (found != NULL) {
        found->holders++;
        unlist(self, found);
        list_newest(self, found);
    }
    self->numbers.found += found != NULL;
    self->numbers.missed += found == NULL;
    mutex_unlock(&self->lock);
    return found == NULL ? NULL : &found->face;
}

cached_block *block_cache_new(block_cache *self, size_t size, size_t skew, size_t pad) {
    const size_t header = (sizeof(entry) + LINE - 1) / LINE * LINE + skew;
    size_t whole;
    size_t capacity;
    if (!add_fits(size, header + pad, &whole)) {
        return NULL;
    }
    entry *made = pool_block_take(self->pool, whole, &capacity);
    if (made == NULL && drop(self, whole) >= whole) {
        made = pool_block_take(self->pool, whole, &capacity);
    }
    if (made == NULL) {
        return NULL;
    }
    uint8_t *body = (uint8_t *)made + header;
    memset(body + size, 0, pad);
    *made = (entry){.capacity = capacity, .face.body = {.data = body, .size = size}};
    return &made->face;
}

void block_cache_put(block_cache *self, cached_block *block, uint64_t file, uint64_t offset) {
    entry *made = (entry *)(void *)block; // `face` is its first member.
    mutex_lock(&self->lock);
    if (self->numbers.blocks >= self->bucket_count) {
        grow(self);
    }
    const bool is_first = self->bucket_count > 0 && look_up(self, file, offset) == NULL;
    if (is_first) {
        made->file = file;
        made->offset = offset;
        made->is_known = true;
        entry **bucket = bucket_of(self, file, offset);
        made->chain = *bucket;
        *bucket = made;
        list_newest(self, made);
        self->numbers.blocks++;
        self->numbers.used_bytes += made->capacity;
    }
    mutex_unlock(&self->lock);
    if (!is_first) {
        pool_block_give(self->pool, made, made->capacity);
    }
}

void block_cache_release(block_cache *self, cached_block *block) {
    if (block == NULL) {
        return;
    }
    entry *held = (entry *)(void *)block;
    mutex_lock(&self->lock);
    held->holders--;
    mutex_unlock(&self->lock);
}

block_cache_report block_cache_describe(block_cache *self) {
    mutex_lock(&self->lock);
    const block_cache_report out = self->numbers;
    mutex_unlock(&self->lock);
    return out;
}
