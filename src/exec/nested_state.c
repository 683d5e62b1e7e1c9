#include "exec/nested_state.h"

#define MEMORY_MAX (UINT64_C(1) << 40) // The pool is what limits it.

firn_status nested_state_open(const plan_node *node, execution *run, nested_state **out,
                              firn_error *err) {
    *out = NULL;
    arena memory = arena_open_in(run->pool, MEMORY_MAX);
    nested_state *self = ARENA_NEW(&memory, nested_state, 1);
    if (self == NULL) {
        firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    *self = (nested_state){.run = run, .memory = memory};
    mutex_begin(&self->lock, MUTEX_OPERATOR);
    firn_status status = join_plan_open(node, run, 0, &self->memory, &self->plan, err);
    if (status != FIRN_OK) {
        nested_state_close(self);
        return status;
    }
    self->keeps_marks = self->plan.right_survives || self->plan.kind == JOIN_RIGHT_SEMI;
    *out = self;
    return FIRN_OK;
}

void nested_state_close(nested_state *self) {
    if (self == NULL) {
        return;
    }
    row_pages_close(&self->rows, &self->pages);
    if (self->marks.data != NULL) {
        directory_close(&self->marks);
    }
    if (self->rows.layout != NULL) {
        row_store_close(&self->rows);
    }
    pool_close(self->keeper);
    mutex_end(&self->lock);
    arena memory = self->memory; // It holds `self`.
    arena_close(&memory);
}

static firn_status begin(nested_state *self, firn_error *err) {
    const pool_options options = {.kind = POOL_STATE,
                                  .name = "nested loop join",
                                  .min_bytes = keeper_min_bytes(self->run->worker_count)};
    TRY(pool_open(self->run->pool, &options, &self->keeper, err));
    self->pages.spilled.owner = self->keeper;
    return row_store_open(&self->plan.right.layout, self->keeper, self->run->spill, &self->rows,
                          err);
}

firn_status nested_state_begin(nested_state *self, firn_error *err) {
    firn_status status = FIRN_OK;
    mutex_lock(&self->lock);
    if (!self->is_begun && self->keeper == NULL) {
        status = begin(self, err);
        self->is_begun = status == FIRN_OK;
    } else if (!self->is_begun) { // Another worker's beginning failed.
        status = FAIL(err, FIRN_NO_MEMORY, "a nested loop join could not begin");
    }
    mutex_unlock(&self->lock);
    return status;
}

// Numbers the rows of pages in the file, which do not say how many they hold before they are read.
static firn_status number_spilled(nested_state *self, uint64_t row, firn_error *err) {
    spill_desk desk = spill_desk_open(self->keeper);
    void *into = ARENA_NEW(&self->memory, uint8_t, self->rows.page_size);
    firn_status status = into == NULL ? ARENA_FULL(&self->memory, err) : FIRN_OK;
    for (size_t i = 0; status == FIRN_OK && i < self->list_count; i++) {
        nested_page *each = &self->list[i];
        if (each->page == NULL) {
            each->first_row = row;
            status = row_pages_peek(&self->rows, &self->pages, each->spilled, &desk, into, err);
            row += status == FIRN_OK ? ((row_page *)into)->row_count : 0;
        }
    }
    spill_desk_close(&desk);
    return status;
}

firn_status nested_state_finish(nested_state *self, firn_error *err) {
    self->row_count = self->pages.row_count + self->pages.spilled_rows;
    self->list = ARENA_NEW(&self->memory, nested_page,
                           self->pages.page_count + self->pages.spilled.count + 1);
    if (self->list == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    uint64_t row = 0;
    for (row_page *page = self->pages.first; page != NULL; page = page->next) {
        self->list[self->list_count++] = (nested_page){.page = page, .first_row = row};
        row += page->row_count;
    }
    for (size_t i = 0; i < self->pages.spilled.count; i++) {
        self->list[self->list_count++] = (nested_page){.spilled = i};
    }
    if (!self->keeps_marks || self->row_count == 0) {
        return FIRN_OK;
    }
    const size_t bytes = BITMAP_WORDS(self->row_count) * sizeof(uint64_t);
    if (!directory_open(self->keeper, bytes, &self->marks)) {
        return POOL_FULL(self->keeper, bytes, err);
    }
    return self->pages.spilled.count == 0 ? FIRN_OK : number_spilled(self, row, err);
}

// ---- Cursors -----------------------------------------------------------------------------------

firn_status nested_cursor_open(nested_cursor *self, nested_state *state, arena *memory,
                               firn_error *err) {
    *self = (nested_cursor){.state = state, .desk = spill_desk_open(state->keeper)};
    if (state->pages.spilled.count > 0) {
        self->read = ARENA_NEW(memory, uint8_t, state->rows.page_size);
        if (self->read == NULL) {
            return ARENA_FULL(memory, err);
        }
    }
    return FIRN_OK;
}

void nested_cursor_close(nested_cursor *self) {
    spill_desk_close(&self->desk);
}

void nested_cursor_seek(nested_cursor *self, size_t page, size_t end) {
    self->page = page;
    self->end = end;
    self->current = NULL;
}

firn_status nested_cursor_next(nested_cursor *self, uint8_t **rows, uint32_t max, uint32_t *count,
                               uint64_t *first_row, firn_error *err) {
    nested_state *state = self->state;
    *count = 0;
    for (;;) {
        if (self->current != NULL) {
            *count = row_page_rows(self->current, state->rows.layout, &self->at, rows, max);
            if (*count > 0) {
                *first_row = self->next_row;
                self->next_row += *count;
                return FIRN_OK;
            }
            self->page++;
            self->current = NULL;
        }
        if (self->page >= self->end) {
            return FIRN_OK;
        }
        const nested_page *each = &state->list[self->page];
        self->current = each->page;
        self->next_row = each->first_row;
        self->at = 0;
        if (each->page == NULL) {
            TRY(row_pages_peek(&state->rows, &state->pages, each->spilled, &self->desk, self->read,
                               err));
            self->current = self->read;
        }
    }
}
