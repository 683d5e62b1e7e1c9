// The shared subplans of a plan and who reads them.
#ifndef FIRN_OPTIMIZE_SHARED_READERS_H
#define FIRN_OPTIMIZE_SHARED_READERS_H

#include "optimize/rewrite.h"

typedef struct shared_reader {
    plan_node *scan; ///< SHARED_SCAN.
    expr *filter;    ///< Of the filter right above it; NULL: it reads all rows.
    uint32_t slot;
} shared_reader;

/// As of the last look; what is found lies in the optimizer's memory and is used again.
typedef struct shared_readers {
    optimizer *self;
    plan_node ***places; ///< Where each SHARED stands: those that read others before these.
    uint32_t count;
    uint32_t place_capacity;
    shared_reader *items;
    uint32_t reader_count;
    uint32_t reader_capacity;
    uint32_t *counts; ///< Of readers, by slot.
    uint32_t slot_count;
} shared_readers;

/// Looks at the whole plan. Places hold until something above them is rewritten.
firn_status shared_readers_find(shared_readers *self, plan_node **root);
uint32_t shared_readers_count(const shared_readers *self, uint32_t slot);

#endif
