#include "formats/avro/avro_file.h"

#include <string.h>

#include "base/host.h"
#include "base/test.h"
#include "formats/avro/avro_plain_read.h"
#include "formats/avro/avro_plan.h"

#define SYNC "0123456789abcdef"
#define SCRATCH_LIMIT ((size_t)16 << 20)

// A file that is being made.
typedef struct file_maker {
    uint8_t data[4096];
    size_t size;
} file_maker;

static void put(file_maker *self, const void *data, size_t size) {
    if (size > 0 && size <= sizeof self->data - self->size) {
        memcpy(self->data + self->size, data, size);
        self->size += size;
    }
}

static void put_number(file_maker *self, size_t value) {
    uint64_t zigzag = (uint64_t)value << 1;
    for (; zigzag >= 0x80; zigzag >>= 7) {
        put(self, &(uint8_t){(uint8_t)((zigzag & 0x7f) | 0x80)}, 1);
    }
    put(self, &(uint8_t){(uint8_t)zigzag}, 1);
}

static void put_text(file_maker *self, const char *text) {
    put_number(self, strlen(text));
    put(self, text, strlen(text));
}

static void put_header(file_maker *self, const char *schema, const char *codec) {
    put(self, "Obj\1", 4);
    put_number(self, 3);
    put_text(self, "avro.schema");
    put_text(self, schema);
    put_text(self, "avro.codec");
    put_text(self, codec);
    put_text(self, "note");
    put_text(self, "hello");
    put_number(self, 0);
    put(self, SYNC, AVRO_SYNC_SIZE);
}

static void put_block(file_maker *self, size_t count, bytes stored) {
    put_number(self, count);
    put_number(self, stored.size);
    put(self, stored.data, stored.size);
    put(self, SYNC, AVRO_SYNC_SIZE);
}

static bytes made(const file_maker *self) {
    return (bytes){.data = self->data, .size = self->size};
}

// Strings "a", "bb", "ccc" in a block, as a codec stores it.
static const uint8_t strings[] = {2, 'a', 4, 'b', 'b', 6, 'c', 'c', 'c'};
static const struct {
    const char *name;
    codec codec;
} codecs[] = {
    {"null", CODEC_NONE},
    {"deflate", CODEC_DEFLATE},
    {"snappy", CODEC_SNAPPY},
    {"zstandard", CODEC_ZSTD},
};

static bytes store(codec which, bytes plain, uint8_t room[512], codec_scratch *scratch) {
    codec_output out = {.data = room, .capacity = 500};
    firn_error err = ERR_INIT;
    if (codec_encode(which, 0, plain, &out, scratch, &err) != FIRN_OK) {
        test_fail(__FILE__, __LINE__, err.text);
    }
    if (which == CODEC_SNAPPY) {
        const uint32_t crc = codec_crc32(plain);
        for (uint32_t i = 0; i < 4; i++) {
            room[out.size++] = (uint8_t)(crc >> (24 - 8 * i) & 0xff);
        }
    }
    return (bytes){.data = room, .size = out.size};
}

TEST(avro_file_walks_blocks_of_every_codec) {
    codec_scratch scratch = codec_scratch_open(SCRATCH_LIMIT);
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        arena memory = arena_open(1 << 20);
        arena block = arena_open(1 << 20);
        uint8_t room[512];
        file_maker file = {0};
        put_header(&file, "\"string\"", codecs[i].name);
        const bytes plain = {.data = strings, .size = sizeof strings};
        const bytes stored = store(codecs[i].codec, plain, room, &scratch);
        put_block(&file, 3, stored);
        uint8_t empty[512];
        put_block(&file, 0, store(codecs[i].codec, (bytes){0}, empty, &scratch));
        put_block(&file, 3, stored);
        firn_error err = ERR_INIT;
        avro_walk walk;
        REQUIRE(avro_walk_open(&walk, made(&file), &memory, &block, &scratch, &err) == FIRN_OK);
        CHECK(walk.schema->kind == AVRO_STRING);
        const bytes *note = avro_header_find(&walk.header, TEXT("note"));
        CHECK(note != NULL && note->size == 5 && memcmp(note->data, "hello", 5) == 0);
        CHECK(avro_header_find(&walk.header, TEXT("other")) == NULL);
        REQUIRE(avro_walk_next(&walk, &err) == FIRN_OK);
        for (size_t k = 0; k < 6; k++) {
            REQUIRE(walk.has_value);
            bytes value;
            REQUIRE(avro_read_bytes(&walk.in, &value, &err) == FIRN_OK);
            CHECK(value.size == k % 3 + 1 && value.data[0] == 'a' + k % 3);
            REQUIRE(avro_walk_next(&walk, &err) == FIRN_OK);
        }
        CHECK(!walk.has_value);
        arena_close(&block);
        arena_close(&memory);
    }
    codec_scratch_close(&scratch);
}

// A reader that is shown the file byte by byte more learns how much it needs, and finds the same.
TEST(avro_file_says_how_much_it_needs) {
    arena memory = arena_open(1 << 22);
    file_maker file = {0};
    put_header(&file, "\"string\"", "null");
    const size_t header_size = file.size;
    put_block(&file, 3, (bytes){.data = strings, .size = sizeof strings});
    avro_header header = {0};
    for (size_t size = 0; size <= header_size; size++) {
        firn_error err = ERR_INIT;
        size_t wanted = 0;
        REQUIRE(avro_header_read((bytes){.data = file.data, .size = size}, &memory, &header,
                                 &wanted, &err) == FIRN_OK);
        CHECK(size < header_size ? wanted > size && wanted <= header_size : wanted == 0);
    }
    CHECK(header.size == header_size);
    for (size_t size = 0; size <= file.size - header_size; size++) {
        firn_error err = ERR_INIT;
        size_t wanted = 0;
        avro_block block = {0};
        const bytes window = {.data = file.data + header_size, .size = size};
        REQUIRE(avro_block_read(&header, window, &block, &wanted, &err) == FIRN_OK);
        if (size < file.size - header_size) {
            CHECK(wanted > size && wanted <= file.size - header_size);
        } else {
            CHECK(wanted == 0 && block.count == 3 && block.size == size);
            CHECK(block.stored.size == sizeof strings);
        }
    }
    arena_close(&memory);
}

TEST(avro_file_finds_where_blocks_begin) {
    arena memory = arena_open(1 << 20);
    file_maker file = {0};
    put_header(&file, "\"string\"", "null");
    const size_t header_size = file.size;
    const bytes plain = {.data = strings, .size = sizeof strings};
    put_block(&file, 3, plain);
    const size_t second = file.size;
    put_block(&file, 3, plain);
    firn_error err = ERR_INIT;
    avro_header header;
    size_t wanted = 0;
    REQUIRE(avro_header_read(made(&file), &memory, &header, &wanted, &err) == FIRN_OK);
    for (size_t from = header_size - AVRO_SYNC_SIZE + 1; from <= second - AVRO_SYNC_SIZE; from++) {
        const bytes window = {.data = file.data + from, .size = file.size - from};
        CHECK(from + avro_sync_find(&header, window) + AVRO_SYNC_SIZE == second);
    }
    CHECK(avro_sync_find(&header, (bytes){.data = file.data, .size = 20}) == SIZE_MAX);
    CHECK(avro_sync_find(&header, (bytes){0}) == SIZE_MAX);
    arena_close(&memory);
}

static firn_status walk_all(bytes file, firn_error *err) {
    arena memory = arena_open(1 << 20);
    arena block = arena_open(1 << 20);
    codec_scratch scratch = codec_scratch_open(SCRATCH_LIMIT);
    avro_walk walk;
    firn_status status = avro_walk_open(&walk, file, &memory, &block, &scratch, err);
    if (status == FIRN_OK) {
        status = avro_walk_next(&walk, err);
    }
    while (status == FIRN_OK && walk.has_value) {
        uint64_t count = 0;
        status = avro_plain_read(walk.schema, &walk.in, 0, &count, err);
        if (status == FIRN_OK) {
            status = avro_walk_next(&walk, err);
        }
    }
    codec_scratch_close(&scratch);
    arena_close(&block);
    arena_close(&memory);
    return status;
}

// Where its block begins.
static size_t make_good(file_maker *file, const char *codec_name, codec which) {
    codec_scratch scratch = codec_scratch_open(SCRATCH_LIMIT);
    uint8_t room[512];
    *file = (file_maker){0};
    put_header(file, "\"string\"", codec_name);
    const size_t block = file->size;
    put_block(file, 3,
              store(which, (bytes){.data = strings, .size = sizeof strings}, room, &scratch));
    codec_scratch_close(&scratch);
    return block;
}

TEST(avro_file_refuses_what_is_corrupt) {
    enum { NONE = 4096 };
    const struct {
        const char *codec_name;
        codec codec;
        size_t changed; // Which byte of the block is changed.
        size_t cut;     // Bytes that are missing at the end.
        const char *message;
    } cases[] = {
        {"null", CODEC_NONE, 26, 0, "sync marker behind a block of 9 bytes"},
        {"null", CODEC_NONE, 0, 0, "block of -1 values"},
        {"null", CODEC_NONE, 1, 0, "size of -11 bytes"},
        {"null", CODEC_NONE, NONE, 1, "the file ends inside a block"},
        {"null", CODEC_NONE, NONE, 26, "the file ends inside a block"},
        {"snappy", CODEC_SNAPPY, 5, 0, "is stored"},
        {"deflate", CODEC_DEFLATE, 2, 0, "deflate block"},
        {"zstandard", CODEC_ZSTD, 2, 0, "zstd block"},
        {"xz", CODEC_NONE, NONE, 0, "Avro codec \"xz\"; null, deflate, snappy and zstandard can"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_maker file;
        const size_t block = make_good(&file, cases[i].codec_name, cases[i].codec);
        if (cases[i].changed != NONE) {
            file.data[block + cases[i].changed] ^= 0x07;
        }
        file.size -= cases[i].cut;
        firn_error err = ERR_INIT;
        CHECK(walk_all(made(&file), &err) != FIRN_OK);
        CHECK(strstr(err.text, cases[i].message) != NULL);
    }
}

TEST(avro_file_refuses_counts_and_bytes_that_do_not_match) {
    file_maker file = {0};
    put_header(&file, "\"string\"", "null");
    put_block(&file, 2, (bytes){.data = strings, .size = sizeof strings});
    firn_error err = ERR_INIT;
    CHECK(walk_all(made(&file), &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "4 bytes behind the last value of a block") != NULL);

    file = (file_maker){0};
    put_header(&file, "\"string\"", "null");
    put_block(&file, 10, (bytes){.data = strings, .size = sizeof strings});
    CHECK(walk_all(made(&file), &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "block of 10 values in 9 bytes, at most 9 are possible") != NULL);

    file = (file_maker){0};
    put(&file, "PAR1 and more", 13);
    CHECK(walk_all(made(&file), &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "does not begin with \"Obj\"") != NULL);

    file = (file_maker){0};
    put(&file, "Obj\1\0", 5);
    put(&file, SYNC, AVRO_SYNC_SIZE);
    CHECK(walk_all(made(&file), &err) == FIRN_CORRUPT);
    CHECK(strstr(err.text, "no \"avro.schema\"") != NULL);
}

// ---- Files that others wrote -------------------------------------------------------------------

// What the test has seen so far.
typedef struct tally {
    char folder[1024];
    uint32_t file_count;
    uint32_t quirk_count;
    uint64_t entry_count;
    uint64_t value_count;
    codec_scratch scratch;
    arena block;
} tally;

static firn_status read_file(const char *path, arena *memory, bytes *out, firn_error *err) {
    host_file file;
    TRY(host_open(path, HOST_MODE_READ, &file, err));
    host_stat stat;
    firn_status status = host_file_stat(file, &stat, err);
    uint8_t *data = status == FIRN_OK ? ARENA_NEW(memory, uint8_t, (size_t)stat.size) : NULL;
    if (data != NULL) {
        *out = (bytes){.data = data, .size = (size_t)stat.size};
        status = host_read(file, 0, out->size, data, err);
    }
    host_close(&file);
    if (status == FIRN_OK && data == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "no memory for %s", path);
    }
    return status;
}

// Reads each entry three ways: plainly, passing over it, and as a slice.
static firn_status check_entries(tally *self, bytes file, arena *memory, firn_error *err) {
    avro_walk walk;
    TRY(avro_walk_open(&walk, file, memory, &self->block, &self->scratch, err));
    const avro_plan *skip;
    const avro_plan *slice;
    const avro_slot slot = {.want = AVRO_WANT_SLICE};
    TRY(avro_plan_compile(memory, walk.schema, NULL, 0, 0, &skip, err));
    TRY(avro_plan_compile(memory, walk.schema, &slot, 1, 0, &slice, err));
    TRY(avro_walk_next(&walk, err));
    while (walk.has_value) {
        byte_reader skipped = walk.in;
        byte_reader sliced = walk.in;
        avro_value value;
        TRY(avro_plain_read(walk.schema, &walk.in, 0, &self->value_count, err));
        TRY(avro_plan_read(skip, &skipped, NULL, err));
        TRY(avro_plan_read(slice, &sliced, &value, err));
        if (skipped.at != walk.in.at || sliced.at != walk.in.at) {
            return FAIL(err, FIRN_INTERNAL, "reading and passing disagree");
        }
        self->entry_count += 1;
        TRY(avro_walk_next(&walk, err));
    }
    return FIRN_OK;
}

// Whether the file is one of those in which Java wrote fixed partition values as bytes.
static bool is_quirk(tally *self, bytes file, arena *memory) {
    firn_error err = ERR_INIT;
    avro_walk walk;
    const avro_plan *skip;
    bool is_good =
        avro_walk_open(&walk, file, memory, &self->block, &self->scratch, &err) == FIRN_OK &&
        avro_plan_compile(memory, walk.schema, NULL, 0, AVRO_PLAN_FIXED_IS_BYTES, &skip, &err) ==
            FIRN_OK &&
        avro_walk_next(&walk, &err) == FIRN_OK;
    while (is_good && walk.has_value) {
        is_good = avro_plan_read(skip, &walk.in, NULL, &err) == FIRN_OK &&
                  avro_walk_next(&walk, &err) == FIRN_OK;
    }
    return is_good;
}

static firn_status check_path(void *user, const char *name, bool is_folder, firn_error *err) {
    tally *self = user;
    const size_t folder_size = strlen(self->folder);
    const size_t name_size = strlen(name);
    if (folder_size + name_size + 2 > sizeof self->folder) {
        return FAIL(err, FIRN_INVALID, "path is too long");
    }
    char *end = self->folder + folder_size;
    (void)snprintf(end, sizeof self->folder - folder_size, "/%s", name);
    firn_status status = FIRN_OK;
    if (is_folder) {
        status = host_list(self->folder, check_path, self, err);
    } else if (text_ends_with(text_of(name), TEXT(".avro"))) {
        arena memory = arena_open((size_t)64 << 20);
        bytes file = {0};
        status = read_file(self->folder, &memory, &file, err);
        if (status == FIRN_OK) {
            status = check_entries(self, file, &memory, err);
        }
        self->file_count += 1;
        if (status != FIRN_OK && is_quirk(self, file, &memory)) {
            self->quirk_count += 1;
            status = FIRN_OK;
        }
        arena_close(&memory);
    }
    *end = '\0';
    return status;
}

TEST(avro_file_reads_every_manifest_of_the_conformance_tables) {
    const char *shared = host_environment("FIRN_SHARED");
    tally self = {
        .scratch = codec_scratch_open(SCRATCH_LIMIT),
        .block = arena_open((size_t)64 << 20),
    };
    (void)snprintf(self.folder, sizeof self.folder, "%s/conformance/iceberg",
                   shared == NULL ? "../shared" : shared);
    host_stat stat;
    firn_error err = ERR_INIT;
    if (host_path_stat(self.folder, &stat, &err) != FIRN_OK) {
        printf("skip: %s is not there\n", self.folder);
    } else {
        CHECK(host_list(self.folder, check_path, &self, &err) == FIRN_OK);
        CHECK(self.file_count > 900);
        CHECK(self.quirk_count == 2);
        CHECK(self.entry_count > self.file_count);
        CHECK(self.value_count > 20 * self.entry_count);
        printf("%u files, %llu entries, %llu values\n", self.file_count,
               (unsigned long long)self.entry_count, (unsigned long long)self.value_count);
    }
    arena_close(&self.block);
    codec_scratch_close(&self.scratch);
}
