#include "exec/row_pace.h"

#include "memory/pool.h"

#define BYTES_MAX ((uint64_t)4 << 20)
#define LIMIT_SHARE 16 // Of the memory limit, for all workers.
#define GROWTH 16

row_pace row_pace_open(const execution *run) {
    const uint64_t share = pool_limit(pool_engine(run->pool)) / LIMIT_SHARE / run->worker_count;
    return (row_pace){.most = share < BYTES_MAX ? share : BYTES_MAX, .rows = 1};
}

uint32_t row_pace_rows(const row_pace *self, uint32_t left) {
    return left < self->rows ? left : self->rows;
}

static uint64_t within(uint64_t least, uint64_t number, uint64_t most) {
    return number < least ? least : number > most ? most : number;
}

void row_pace_learn(row_pace *self, uint32_t rows, uint64_t bytes) {
    if (self->fixed == 0 || bytes < self->fixed) {
        self->fixed = bytes + 1;
    }
    if (rows > 1) {
        const uint64_t own = (bytes + 1 - self->fixed) / (rows - 1);
        const uint64_t grown = (uint64_t)(rows > self->rows ? rows : self->rows) * GROWTH;
        const uint64_t fitting = self->most / (own + 1);
        self->rows = (uint32_t)within(1, fitting < grown ? fitting : grown, BATCH_ROWS);
    } else if (self->rows == 1) { // A second one shows how much of this was the row.
        self->rows = (uint32_t)within(2, self->most / (bytes + 1), GROWTH);
    }
}
