#include "formats/avro/avro_file.h"

#include <string.h>

#include "formats/avro/avro_reader.h"

#define PROPERTIES_MAX 65536
#define CRC_SIZE 4
#define EMPTY_VALUES_MAX (UINT64_C(1) << 20) // In a block, if they take no bytes.

// A cursor over a window that knows how much it lacked.
typedef struct front {
    byte_reader in;
    const uint8_t *start;
    size_t wanted; // Not 0: the window ended; so many bytes of it are needed at least.
} front;

static front front_open(bytes window) {
    return (front){.in = reader_open(window), .start = window.data};
}

static size_t front_used(const front *self) {
    return (size_t)(self->in.at - self->start);
}

firn_status avro_cut_fail(size_t wanted, size_t left, firn_error *err) {
    return FAIL(err, FIRN_CORRUPT,
                "the file ends inside a block or the header: %zu bytes wanted, "
                "%zu left",
                wanted, left);
}

static firn_status front_take(front *self, size_t size, bytes *out, firn_error *err) {
    if (size > reader_left(&self->in)) {
        self->wanted = front_used(self) + size;
        return avro_cut_fail(size, reader_left(&self->in), err);
    }
    return reader_take(&self->in, size, out, err);
}

static firn_status front_long(front *self, int64_t *out, firn_error *err) {
    const size_t left = reader_left(&self->in);
    const firn_status status = avro_read_long(&self->in, out, err);
    if (status != FIRN_OK && left < AVRO_NUMBER_BYTES_MAX) {
        self->wanted = front_used(self) + left + 1;
    }
    return status;
}

// A size from 0 to `most`, and so many bytes.
static firn_status front_bytes(front *self, size_t most, bytes *out, firn_error *err) {
    int64_t size;
    TRY(front_long(self, &size, err));
    if (size < 0 || (uint64_t)size > most) {
        return FAIL(err, FIRN_CORRUPT, "size of %lld bytes, 0 to %zu are allowed", (long long)size,
                    most);
    }
    return front_take(self, (size_t)size, out, err);
}

// ---- Header ------------------------------------------------------------------------------------

// The entries of the metadata map, which point into the window. With `list` NULL they are counted.
static firn_status read_properties(front *self, avro_property *list, uint32_t *count,
                                   firn_error *err) {
    *count = 0;
    for (;;) {
        int64_t left;
        TRY(front_long(self, &left, err));
        if (left == 0) {
            return FIRN_OK;
        }
        if (left < 0) {
            int64_t block_size; // Of no use: the entries are read anyway.
            TRY(front_long(self, &block_size, err));
            left = left == INT64_MIN ? INT64_MAX : -left;
        }
        if (left > PROPERTIES_MAX - (int64_t)*count) {
            return FAIL(err, FIRN_CORRUPT, "more than %d entries of metadata", PROPERTIES_MAX);
        }
        for (; left > 0; left--) {
            bytes key;
            bytes value;
            TRY(front_bytes(self, AVRO_HEADER_BYTES_MAX, &key, err));
            TRY(front_bytes(self, AVRO_HEADER_BYTES_MAX, &value, err));
            if (list != NULL) {
                list[*count] = (avro_property){
                    .key = {.data = (const char *)key.data, .size = key.size},
                    .value = value,
                };
            }
            *count += 1;
        }
    }
}

// Counts the entries, then reads them from a copy of the header in `memory`.
static firn_status read_header(front *self, arena *memory, avro_header *out, firn_error *err) {
    static const uint8_t magic[] = {'O', 'b', 'j', 1};
    bytes start;
    TRY(front_take(self, sizeof magic, &start, err));
    if (memcmp(start.data, magic, sizeof magic) != 0) {
        return FAIL(err, FIRN_CORRUPT, "no Avro file: it does not begin with \"Obj\" and 1");
    }
    uint32_t count;
    TRY(read_properties(self, NULL, &count, err));
    bytes sync;
    TRY(front_take(self, AVRO_SYNC_SIZE, &sync, err));

    *out = (avro_header){.property_count = count, .size = front_used(self)};
    memcpy(out->sync, sync.data, AVRO_SYNC_SIZE);
    uint8_t *copy = ARENA_NEW(memory, uint8_t, out->size);
    avro_property *properties = ARENA_NEW(memory, avro_property, count);
    if (copy == NULL || properties == NULL) {
        return ARENA_FULL(memory, err);
    }
    memcpy(copy, self->start, out->size);
    front again = front_open((bytes){.data = copy, .size = out->size});
    TRY(front_take(&again, sizeof magic, &start, err));
    TRY(read_properties(&again, properties, &count, err));
    out->properties = properties;
    return FIRN_OK;
}

static firn_status find_codec(avro_header *self, firn_error *err) {
    static const struct {
        const char *word;
        codec codec;
    } codecs[] = {
        {"null", CODEC_NONE},
        {"deflate", CODEC_DEFLATE},
        {"snappy", CODEC_SNAPPY},
        {"zstandard", CODEC_ZSTD},
    };
    const bytes *value = avro_header_find(self, TEXT("avro.codec"));
    const text word = value == NULL || value->size == 0
                          ? TEXT("null")
                          : (text){.data = (const char *)value->data, .size = value->size};
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        if (text_equal(word, text_of(codecs[i].word))) {
            self->codec = codecs[i].codec;
            return FIRN_OK;
        }
    }
    return FAIL(err, FIRN_UNSUPPORTED,
                "Avro codec \"%.*s\"; null, deflate, snappy and zstandard can be read",
                TEXT_ARGS(word));
}

firn_status avro_header_read(bytes window, arena *memory, avro_header *out, size_t *wanted,
                             firn_error *err) {
    *wanted = 0;
    front self = front_open(window);
    avro_header header = {0};
    firn_status status = read_header(&self, memory, &header, err);
    if (self.wanted > AVRO_HEADER_BYTES_MAX) {
        return FAIL(err, FIRN_CORRUPT, "header of more than %zu bytes", AVRO_HEADER_BYTES_MAX);
    }
    if (status != FIRN_OK && self.wanted > 0) {
        *wanted = self.wanted;
        return FIRN_OK;
    }
    if (status == FIRN_OK) {
        status = find_codec(&header, err);
    }
    if (status == FIRN_OK) {
        const bytes *json = avro_header_find(&header, TEXT("avro.schema"));
        if (json == NULL) {
            status = FAIL(err, FIRN_CORRUPT, "the metadata has no \"avro.schema\"");
        } else {
            header.schema_json = *json;
        }
    }
    if (status != FIRN_OK) {
        err_while(err, "reading the header of an Avro file");
        return status;
    }
    *out = header;
    return FIRN_OK;
}

const bytes *avro_header_find(const avro_header *self, text key) {
    for (uint32_t i = self->property_count; i > 0; i--) {
        if (text_equal(self->properties[i - 1].key, key)) {
            return &self->properties[i - 1].value;
        }
    }
    return NULL;
}

// ---- Blocks ------------------------------------------------------------------------------------

static firn_status read_block(const avro_header *header, front *self, avro_block *out,
                              firn_error *err) {
    int64_t count;
    TRY(front_long(self, &count, err));
    if (count < 0) {
        return FAIL(err, FIRN_CORRUPT, "block of %lld values", (long long)count);
    }
    bytes stored;
    TRY(front_bytes(self, AVRO_BLOCK_BYTES_MAX, &stored, err));
    bytes sync;
    TRY(front_take(self, AVRO_SYNC_SIZE, &sync, err));
    if (memcmp(sync.data, header->sync, AVRO_SYNC_SIZE) != 0) {
        return FAIL(err, FIRN_CORRUPT,
                    "the sync marker behind a block of %zu bytes is not that of "
                    "the header",
                    stored.size);
    }
    *out = (avro_block){.count = (uint64_t)count, .stored = stored, .size = front_used(self)};
    return FIRN_OK;
}

firn_status avro_block_read(const avro_header *self, bytes window, avro_block *out, size_t *wanted,
                            firn_error *err) {
    front input = front_open(window);
    const firn_status status = read_block(self, &input, out, err);
    *wanted = status == FIRN_OK ? 0 : input.wanted;
    return *wanted > 0 ? FIRN_OK : status;
}

// The last 4 bytes are the big-endian CRC of what the others decode to.
static firn_status check_crc(bytes stored, bytes decoded, firn_error *err) {
    const uint8_t *raw = stored.data + stored.size - CRC_SIZE;
    const uint32_t wanted =
        (uint32_t)raw[0] << 24 | (uint32_t)raw[1] << 16 | (uint32_t)raw[2] << 8 | (uint32_t)raw[3];
    const uint32_t found = codec_crc32(decoded);
    if (found != wanted) {
        return FAIL(err, FIRN_CORRUPT, "CRC %08x of a block, %08x is stored", found, wanted);
    }
    return FIRN_OK;
}

firn_status avro_block_decode(const avro_header *self, const avro_block *block,
                              const codec_growth *growth, codec_scratch *scratch, bytes *out,
                              firn_error *err) {
    bytes stored = block->stored;
    if (self->codec == CODEC_SNAPPY) {
        if (stored.size < CRC_SIZE) {
            return FAIL(err, FIRN_CORRUPT, "snappy block of %zu bytes, %d are the CRC", stored.size,
                        CRC_SIZE);
        }
        stored.size -= CRC_SIZE;
    }
    TRY(codec_decode_growing(self->codec, stored, growth, out, scratch, err));
    return self->codec == CODEC_SNAPPY ? check_crc(block->stored, *out, err) : FIRN_OK;
}

size_t avro_sync_find(const avro_header *self, bytes window) {
    if (window.size < AVRO_SYNC_SIZE) {
        return SIZE_MAX;
    }
    const uint8_t *found = memmem(window.data, window.size, self->sync, AVRO_SYNC_SIZE);
    return found == NULL ? SIZE_MAX : (size_t)(found - window.data);
}

firn_status avro_check_count(const avro_schema *schema, uint64_t count, size_t size,
                             firn_error *err) {
    const uint64_t most =
        schema->size_min == 0 ? EMPTY_VALUES_MAX : (uint64_t)size / schema->size_min;
    if (count > most) {
        return FAIL(err, FIRN_CORRUPT,
                    "block of %llu values in %zu bytes, at most %llu are possible",
                    (unsigned long long)count, size, (unsigned long long)most);
    }
    return FIRN_OK;
}

// ---- A whole file ------------------------------------------------------------------------------

firn_status avro_walk_open(avro_walk *self, bytes file, arena *memory, arena *block,
                           codec_scratch *scratch, firn_error *err) {
    *self = (avro_walk){.scratch = scratch, .block = block};
    size_t wanted;
    TRY(avro_header_read(file, memory, &self->header, &wanted, err));
    if (wanted > 0) {
        return avro_cut_fail(wanted, file.size, err);
    }
    TRY(avro_schema_read(memory, self->header.schema_json, &self->schema, err));
    self->rest =
        (bytes){.data = file.data + self->header.size, .size = file.size - self->header.size};
    return FIRN_OK;
}

static firn_status enter_block(avro_walk *self, firn_error *err) {
    avro_block block;
    size_t wanted;
    TRY(avro_block_read(&self->header, self->rest, &block, &wanted, err));
    if (wanted > 0) {
        return avro_cut_fail(wanted, self->rest.size, err);
    }
    arena_reset(self->block);
    const codec_growth growth = {
        .memory = self->block,
        .size_max = AVRO_BLOCK_BYTES_MAX,
        .size_hint = self->block_bytes,
    };
    bytes values;
    TRY(avro_block_decode(&self->header, &block, &growth, self->scratch, &values, err));
    TRY(avro_check_count(self->schema, block.count, values.size, err));
    self->block_bytes = values.size;
    self->in = reader_open(values);
    self->left = block.count;
    self->rest.data += block.size;
    self->rest.size -= block.size;
    return FIRN_OK;
}

firn_status avro_walk_next(avro_walk *self, firn_error *err) {
    while (self->left == 0) {
        if (self->in.at != self->in.end) {
            return FAIL(err, FIRN_CORRUPT, "%zu bytes behind the last value of a block",
                        reader_left(&self->in));
        }
        if (self->rest.size == 0) {
            self->has_value = false;
            return FIRN_OK;
        }
        TRY(enter_block(self, err));
    }
    self->left -= 1;
    self->has_value = true;
    return FIRN_OK;
}
