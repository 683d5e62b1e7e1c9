// Blocks of encoded rows, and the files that they go into.
#include "tables/files/copy_sink_private.h"

// ---- Blocks ------------------------------------------------------------------------------------

void copy_release(encoded *rows) {
    arena memory = rows->memory; // It holds `rows`.
    arena_close(&memory);
}

// A piece that nobody needs any more.
static void drop_piece(row_sink *self, piece *which) REQUIRES(&self->lock) {
    encoded *rows = which->of;
    rows->left--;
    if (rows->left == 0) {
        self->held_bytes -= rows->bytes;
        copy_release(rows);
    }
}

static void drop_pieces(row_sink *self, block *which) REQUIRES(&self->lock) {
    for (piece *each = which->first; each != NULL;) {
        piece *next = each->following;
        drop_piece(self, each);
        each = next;
    }
    which->first = NULL;
    which->last = NULL;
}

static void free_block(block *self) {
    arena memory = self->memory; // It holds `self`.
    arena_close(&memory);
}

void copy_end_block(row_sink *self) REQUIRES(&self->lock) {
    block *full = self->filling;
    if (full == NULL) {
        return;
    }
    full->state = self->codec == CODEC_NONE ? BLOCK_READY : BLOCK_FULL;
    *(self->last == NULL ? &self->first : &self->last->following) = full;
    self->last = full;
    self->filling = NULL;
}

static firn_status begin_block(row_sink *self, text folder, firn_error *err) REQUIRES(&self->lock) {
    arena memory = arena_open_in(self->keeper, SIZE_MAX);
    block *made = ARENA_NEW(&memory, block, 1);
    if (made == NULL) {
        const firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    *made = (block){.folder = TEXT("")};
    const firn_status status = text_copy(&memory, folder, &made->folder, err);
    made->memory = memory;
    if (status != FIRN_OK) {
        free_block(made);
        return status;
    }
    self->filling = made;
    return FIRN_OK;
}

static firn_status admit_piece(row_sink *self, piece *which, firn_error *err)
    REQUIRES(&self->lock) {
    if (self->filling != NULL && !text_equal(self->filling->folder, which->folder)) {
        copy_end_block(self);
    }
    if (self->filling == NULL) {
        TRY(begin_block(self, which->folder, err));
    }
    block *into = self->filling;
    *(into->last == NULL ? &into->first : &into->last->following) = which;
    into->last = which;
    into->size += which->content.size;
    if (into->size >= self->block_bytes) {
        copy_end_block(self);
    }
    return FIRN_OK;
}

firn_status copy_admit(row_sink *self, firn_error *err) REQUIRES(&self->lock) {
    while (self->early != NULL && self->early->sequence.task <= self->complete) {
        encoded *rows = self->early;
        self->early = rows->following;
        const uint32_t count = rows->count; // It may be gone with its last piece.
        for (uint32_t i = 0; i < count; i++) {
            const firn_status status = admit_piece(self, &rows->pieces[i], err);
            if (status != FIRN_OK) { // The query ends: the rest is nobody's.
                rows->left -= count - i;
                if (rows->left == 0) {
                    copy_release(rows);
                }
                return status;
            }
        }
    }
    return FIRN_OK;
}

// ---- Packing -----------------------------------------------------------------------------------

static firn_status encode(codec with, int level, bytes content, arena *memory,
                          codec_scratch *codecs, text *out, firn_error *err) {
    codec_output into = {.capacity = codec_encoded_size_max(with, content.size)};
    if (into.capacity != SIZE_MAX) {
        into.data = ARENA_NEW(memory, uint8_t, into.capacity);
    }
    if (into.data == NULL) {
        return ARENA_FULL(memory, err);
    }
    TRY(codec_encode(with, level, content, &into, codecs, err));
    *out = (text){.data = (const char *)into.data, .size = into.size};
    return FIRN_OK;
}

// A block begins with its first row: what stands between rows is left out there.
static text block_piece(const row_sink *self, const block *of, const piece *which) {
    const size_t left_out = which == of->first ? self->encoder.format->between.size : 0;
    return text_slice(which->content, left_out, which->content.size);
}

static firn_status pack(const row_sink *self, block *which, codec_scratch *codecs,
                        firn_error *err) {
    arena scratch = arena_open_in(self->keeper, SIZE_MAX);
    scratch.cancel = self->env.cancel;
    uint8_t *content = ARENA_NEW(&scratch, uint8_t, which->size + 1);
    firn_status status = content == NULL ? ARENA_FULL(&scratch, err) : (firn_status)FIRN_OK;
    if (status == FIRN_OK) {
        size_t size = 0;
        for (const piece *each = which->first; each != NULL; each = each->following) {
            const text part = block_piece(self, which, each);
            memcpy(content + size, part.data, part.size);
            size += part.size;
        }
        const bytes whole = {.data = content, .size = size};
        status = encode(self->codec, self->target->options.writer.codec_level, whole,
                        &which->memory, codecs, &which->packed, err);
    }
    arena_close(&scratch);
    return status;
}

static firn_status pack_block(row_sink *self, block *which, codec_scratch *codecs, firn_error *err)
    REQUIRES(&self->lock) {
    which->state = BLOCK_PACKING;
    mutex_unlock(&self->lock);
    const firn_status status = pack(self, which, codecs, err);
    mutex_lock(&self->lock);
    if (status == FIRN_OK) { // Else the query ends.
        drop_pieces(self, which);
        self->held_bytes += which->packed.size;
        which->state = BLOCK_READY;
    }
    return status;
}

// ---- Files -------------------------------------------------------------------------------------

static firn_status put(row_sink *self, text content, firn_error *err) {
    if (content.size == 0) {
        return FIRN_OK;
    }
    TRY(io_writer_write(self->file, bytes_of_text(content), err));
    self->file_size += content.size;
    return FIRN_OK;
}

// What is no block: heads, feet, and what stands between blocks.
static firn_status put_small(row_sink *self, text content, codec_scratch *codecs, firn_error *err) {
    if (self->codec == CODEC_NONE || content.size == 0) {
        return put(self, content, err);
    }
    arena scratch = arena_open_in(self->keeper, SIZE_MAX);
    const bytes whole = {.data = (const uint8_t *)content.data, .size = content.size};
    text packed;
    firn_status status = encode(self->codec, self->target->options.writer.codec_level, whole,
                                &scratch, codecs, &packed, err);
    status = status == FIRN_OK ? put(self, packed, err) : status;
    arena_close(&scratch);
    return status;
}

firn_status copy_open_file(row_sink *self, text folder, firn_error *err) {
    text path;
    arena_reset(&self->of_file);
    self->file_size = 0;
    self->has_rows = false;
    self->blocks = (ipc_blocks){.count = 0};
    self->block_capacity = 0;
    TRY(text_copy(&self->of_file, folder, &self->folder, err));
    TRY(copy_outputs_next(self->outputs, folder, &path, err));
    return io_writer_open(self->env.io, path, false, &self->file, err);
}

static firn_status put_head(row_sink *self, codec_scratch *codecs, firn_error *err) {
    text head;
    text_builder out = text_builder_open(&self->of_file);
    TRY(self->encoder.format->put_head(&self->encoder, &out, err));
    TRY(text_builder_finish(&out, &head, err));
    TRY(put_small(self, head, codecs, err));
    return put_small(self, self->encoder.format->before_first, codecs, err);
}

firn_status copy_finish_file(row_sink *self, codec_scratch *codecs, firn_error *err) {
    text foot;
    text_builder out = text_builder_open(&self->of_file);
    if (!self->has_rows) {
        text head;
        text_builder of_head = text_builder_open(&self->of_file);
        TRY(self->encoder.format->put_head(&self->encoder, &of_head, err));
        TRY(text_builder_finish(&of_head, &head, err));
        TRY(put_small(self, head, codecs, err));
    }
    self->blocks.size = self->file_size;
    TRY(self->encoder.format->put_foot(&self->encoder, self->has_rows, &self->blocks, &out, err));
    TRY(text_builder_finish(&out, &foot, err));
    TRY(put_small(self, foot, codecs, err));
    TRY(io_writer_finish(self->file, err));
    io_writer_close(self->file);
    self->file = NULL;
    return FIRN_OK;
}

static firn_status note_block(row_sink *self, const piece *which, firn_error *err) {
    if (self->blocks.count == self->block_capacity) {
        const size_t capacity = self->block_capacity == 0 ? 64 : self->block_capacity * 2;
        ipc_block *items = ARENA_NEW(&self->of_file, ipc_block, capacity);
        if (items == NULL) {
            return ARENA_FULL(&self->of_file, err);
        }
        if (self->blocks.count > 0) {
            memcpy(items, self->blocks.items, self->blocks.count * sizeof *items);
        }
        self->blocks.items = items;
        self->block_capacity = capacity;
    }
    self->blocks.items[self->blocks.count++] =
        (ipc_block){.offset = (int64_t)self->file_size,
                    .prefix = (int32_t)which->prefix,
                    .body = (int64_t)(which->content.size - which->prefix)};
    return FIRN_OK;
}

static firn_status write_block(row_sink *self, const block *which, codec_scratch *codecs,
                               firn_error *err) {
    if (self->file != NULL && !text_equal(self->folder, which->folder)) {
        TRY(copy_finish_file(self, codecs, err));
    }
    if (self->file == NULL) {
        TRY(copy_open_file(self, which->folder, err));
    }
    if (self->has_rows) {
        TRY(put_small(self, self->encoder.format->between, codecs, err));
    } else {
        TRY(put_head(self, codecs, err));
        self->has_rows = true;
    }
    if (self->codec != CODEC_NONE) {
        TRY(put(self, which->packed, err));
    }
    for (const piece *each = which->first; each != NULL; each = each->following) {
        if (self->encoder.format->needs_blocks) {
            TRY(note_block(self, each, err));
        }
        TRY(put(self, block_piece(self, which, each), err));
        TRY(cancel_check(self->env.cancel, err));
    }
    const uint64_t most = self->target->options.file_size;
    return most > 0 && self->file_size >= most ? copy_finish_file(self, codecs, err) : FIRN_OK;
}

static firn_status write_first(row_sink *self, codec_scratch *codecs, firn_error *err)
    REQUIRES(&self->lock) {
    block *which = self->first;
    self->is_writing = true;
    mutex_unlock(&self->lock);
    const firn_status status = write_block(self, which, codecs, err);
    mutex_lock(&self->lock);
    if (status != FIRN_OK) {
        return status; // The query ends; until then nobody goes on here.
    }
    self->is_writing = false;
    self->first = which->following;
    self->last = self->first == NULL ? NULL : self->last;
    self->held_bytes -= which->packed.size;
    drop_pieces(self, which);
    free_block(which);
    return FIRN_OK;
}

// ---- Work --------------------------------------------------------------------------------------

static block *find_full(const row_sink *self) {
    block *each = self->first;
    while (each != NULL && each->state != BLOCK_FULL) {
        each = each->following;
    }
    return each;
}

firn_status copy_work(row_sink *self, codec_scratch *codecs, bool *did, firn_error *err)
    REQUIRES(&self->lock) {
    firn_status status = FIRN_OK;
    *did = true;
    block *full = find_full(self);
    if (self->first != NULL && self->first->state == BLOCK_READY && !self->is_writing) {
        status = write_first(self, codecs, err);
    } else if (full != NULL) {
        status = pack_block(self, full, codecs, err);
    } else {
        *did = false;
    }
    if (*did) {
        wakeup_list_fire(&self->waiting);
    }
    return status;
}

bool copy_is_idle(const row_sink *self) {
    return self->first == NULL && !self->is_writing;
}

static void abandon_block(block *which) {
    for (piece *each = which->first; each != NULL;) {
        piece *next = each->following;
        encoded *rows = each->of;
        rows->left--;
        if (rows->left == 0) {
            copy_release(rows);
        }
        each = next;
    }
    free_block(which);
}

void copy_close_blocks(row_sink *self) {
    if (self->filling != NULL) {
        abandon_block(self->filling);
    }
    for (block *each = self->first; each != NULL;) {
        block *next = each->following;
        abandon_block(each);
        each = next;
    }
    for (encoded *each = self->early; each != NULL;) {
        encoded *next = each->following;
        copy_release(each);
        each = next;
    }
}
