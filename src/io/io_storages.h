// The memory of io_storage.h, which an io has one of.
#ifndef FIRN_IO_IO_STORAGES_H
#define FIRN_IO_IO_STORAGES_H

#include "io/io_storage.h"

typedef struct storage_entry {
    arena memory;    // Of what is said.
    io_storage said; // owner NULL: free.
    uint64_t version;
    uint64_t used; // When it was last asked for.
} storage_entry;

typedef struct io_storages {
    mutex lock;
    uint64_t clock GUARDED_BY(&lock);
    arena memory GUARDED_BY(&lock);
    storage_entry *entries GUARDED_BY(&lock); // IO_STORAGE_COUNT of them; NULL until one is needed.
} io_storages;

void io_storages_open(io_storages *self);
void io_storages_close(io_storages *self);
io_storages *io_storages_of(io *self);

#endif
