#include "exec/join/nested_state.h"

#define MEMORY_MAX (UINT64_C(1) << 40) // The pool is what limits it.

static bool keeps_marks(join_kind kind) {
    return kind == JOIN_RIGHT || kind == JOIN_FULL || kind == JOIN_RIGHT_ANTI ||
           kind == JOIN_RIGHT_SEMI;
}

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
    self->keeps_marks = keeps_marks((join_kind)node->join_.join);
    firn_status status = join_plan_open(node, run, self->keeps_marks ? sizeof(uint64_t) : 0,
                                        &self->memory, &self->plan, err);
    if (status != FIRN_OK) {
        nested_state_close(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

void nested_state_close(nested_state *self) {
    if (self == NULL) {
        return;
    }
    row_pages_close(&self->rows, &self->pages);
    range_index_close(&self->index);
    if (self->chosen_memory.data != NULL) {
        directory_close(&self->chosen_memory);
    }
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
    TRY(row_keeper_open(self->run->pool, "nested loop join",
                        nested_state_min_bytes(self, self->run->worker_count),
                        row_page_bytes(&self->plan.right.layout), &self->keeper, err));
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

#define ROWS_AT_ONCE 256

// Rows of a page keep their numbers.
static void number_page(nested_state *self, row_page *page, uint64_t number) {
    uint8_t *rows[ROWS_AT_ONCE];
    uint32_t at = 0;
    uint32_t count;
    while ((count = row_page_rows(page, self->rows.layout, &at, rows, ROWS_AT_ONCE)) > 0) {
        for (uint32_t k = 0; k < count; k++) {
            memcpy(row_extra(self->rows.layout, rows[k]), &number, sizeof number);
            number++;
        }
    }
}

// The rows of a page that pass the guard.
static firn_status choose_rows(nested_state *self, row_page *page, expr_state *guard,
                               arena *scratch, firn_error *err) {
    const join_row_guarding guarding = {
        .split = &self->plan.split, .state = guard, .store = &self->rows};
    uint8_t *rows[ROWS_AT_ONCE];
    uint32_t at = 0;
    uint32_t count;
    TRY(cancel_check(&self->run->cancel, err));
    while ((count = row_page_rows(page, self->rows.layout, &at, rows, ROWS_AT_ONCE)) > 0) {
        const arena_mark mark = arena_mark_take(scratch);
        TRY(join_row_guard(&guarding, rows, NULL, &count, scratch, err));
        memcpy(self->chosen + self->chosen_count, rows, count * sizeof *rows);
        self->chosen_count += count;
        arena_rewind(scratch, mark);
    }
    return FIRN_OK;
}

static firn_status choose_all(nested_state *self, expr_state *guard, arena *scratch,
                              firn_error *err) {
    if (!directory_open(self->keeper, self->row_count * sizeof(uint8_t *), &self->chosen_memory)) {
        return FIRN_OK;
    }
    self->chosen = self->chosen_memory.data;
    for (row_page *page = self->pages.first; page != NULL; page = page->next) {
        TRY(choose_rows(self, page, guard, scratch, err));
    }
    return FIRN_OK;
}

static firn_status number_pages(nested_state *self, firn_error *err) {
    for (size_t i = 0; self->keeps_marks && i < self->list_count; i++) {
        TRY(cancel_check(&self->run->cancel, err));
        number_page(self, self->list[i].page, self->list[i].first_row);
    }
    return FIRN_OK;
}

static firn_status open_rows(const nested_state *self, const expr_program *program, arena *memory,
                             expr_state **out, firn_error *err) {
    return program == NULL
               ? FIRN_OK
               : expr_open(program, self->run->context, &self->run->dynamic, memory, out, err);
}

// What finds right rows sooner, if all of them are in memory.
static firn_status build_index(nested_state *self, arena *scratch, firn_error *err) {
    const join_split *split = &self->plan.split;
    range_source source = {.split = split,
                           .store = &self->rows,
                           .pages = self->pages.first,
                           .row_count = self->row_count,
                           .cancel = &self->run->cancel};
    const bool has_guard = split->right_guard.program != NULL;
    if (self->row_count == 0 || (split->key_count == 0 && !has_guard)) {
        return FIRN_OK;
    }
    TRY(number_pages(self, err));
    firn_status status = open_rows(self, split->keys.program, scratch, &source.keys, err);
    if (status == FIRN_OK) {
        status = open_rows(self, split->right_guard.program, scratch, &source.guard, err);
    }
    if (status == FIRN_OK && has_guard) {
        status = choose_all(self, source.guard, scratch, err);
    }
    if (status == FIRN_OK && split->key_count > 0) {
        status = range_index_build(&self->index, &source, scratch, &self->has_index, err);
    }
    expr_close(source.guard);
    expr_close(source.keys);
    return status;
}

firn_status nested_state_finish(nested_state *self, arena *scratch, firn_error *err) {
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
    const bool is_spilled = self->pages.spilled.count > 0;
    if (!self->keeps_marks || self->row_count == 0) {
        return is_spilled ? FIRN_OK : build_index(self, scratch, err);
    }
    const size_t bytes = BITMAP_WORDS(self->row_count) * sizeof(uint64_t);
    if (!directory_open(self->keeper, bytes, &self->marks) &&
        !directory_open_urgent(self->keeper, bytes, &self->marks)) {
        return POOL_FULL(self->keeper, bytes, err);
    }
    return is_spilled ? number_spilled(self, row, err) : build_index(self, scratch, err);
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
