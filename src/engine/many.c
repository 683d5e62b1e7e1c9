// A prepared statement over a stream of parameter rows: one run after the other, their rows one
// stream. Its columns are those of the first run, which so begins when they are asked for: their
// types may hang on what is bound. A run with others is an error.
#include <errno.h>

#include "base/host.h"
#include "engine/objects.h"

typedef struct many {
    firn_statement *statement;
    settings settings;            // The statement's when it was run.
    struct ArrowArrayStream rows; // Of parameters.
    struct ArrowSchema types;
    struct ArrowArray batch;
    uint64_t next;         // Row of the batch.
    bound_row bound;       // The newest row.
    uint64_t cancel_count; // Of the statement when it was run: one more, and no run begins.
    bool is_end;
    arena memory;   // Of the columns.
    schema columns; // Of the first run.
    bool has_columns;
    int failed;                      // What get_next answers from the first fault on.
    struct ArrowArrayStream current; // Of the run for the row before; release is NULL if none.
    firn_error error;
    stream_guard guard;
    mutex lock;
    run *running GUARDED_BY(&lock); // Whose stream `current` is, for who releases; NULL if none.
    bool is_released GUARDED_BY(&lock);
} many;

// The next row of parameters; *found is false when there is none.
static firn_status next_row(many *state, bool *found) {
    firn_error *err = &state->error;
    *found = false;
    while (state->batch.release == NULL || state->next >= (uint64_t)state->batch.length) {
        if (state->batch.release != NULL) {
            state->batch.release(&state->batch);
        }
        state->batch = (struct ArrowArray){0};
        state->next = 0;
        if (state->rows.get_next(&state->rows, &state->batch) != 0) {
            state->batch.release = NULL;
            const char *why = state->rows.get_last_error == NULL
                                  ? NULL
                                  : state->rows.get_last_error(&state->rows);
            return FAIL(err, FIRN_IO, "reading parameters: %.*s", 400,
                        why == NULL ? "no reason" : why);
        }
        if (state->batch.release == NULL) {
            return FIRN_OK;
        }
        if (state->batch.length < 0) {
            return FAIL(err, FIRN_CORRUPT, "reading parameters: an array of a negative length");
        }
    }
    *found = true;
    return bound_row_set(&state->bound, state->statement, &state->types, &state->batch,
                         state->next++, err);
}

// What runs from now on: it ends when the stream is released, and not later. Takes no reference
// over.
static void set_running(many *state, run *now) {
    mutex_lock(&state->lock);
    run *before = state->running;
    state->running = now == NULL ? NULL : run_retain(now);
    const bool is_released = state->is_released;
    mutex_unlock(&state->lock);
    if (is_released && now != NULL) {
        run_cancel(now);
    }
    run_release(before);
}

static firn_status keep_columns(many *state, const schema *columns) {
    firn_error *err = &state->error;
    if (!state->has_columns) {
        TRY(schema_copy(&state->memory, columns, &state->columns, err));
        state->has_columns = true;
        return FIRN_OK;
    }
    bool fits = columns->count == state->columns.count;
    for (uint32_t i = 0; fits && i < columns->count; i++) {
        fits = type_equal(columns->fields[i].type, state->columns.fields[i].type);
    }
    if (fits) {
        return FIRN_OK;
    }
    const firn_status status =
        FAIL_SQL(err, FIRN_INVALID, "42P08", NO_POSITION,
                 "a row of parameters gives columns of other types than the rows before it");
    err_hint(err, "write CAST($1 AS type) where a parameter says the type of a column");
    return status;
}

static firn_status begin_run(many *state) {
    bool found;
    firn_error *err = &state->error;
    TRY(engine_check(state->statement->session->engine, err));
    if (statement_cancel_count(state->statement) != state->cancel_count) {
        return FAIL(err, FIRN_CANCELLED, "the statement was cancelled");
    }
    TRY(next_row(state, &found));
    if (!found) {
        state->is_end = true;
        return FIRN_OK;
    }
    run *made;
    TRY(statement_run_once(state->statement, &state->settings, &state->bound, &made, err));
    const firn_status status = keep_columns(state, &made->columns);
    if (status != FIRN_OK) {
        run_release(made);
        return status;
    }
    set_running(state, made);
    return stream_open(made, &state->current, err);
}

// Nothing more is read: what runs and the parameters are given back.
static void let_go(many *state) {
    if (state->current.release != NULL) {
        state->current.release(&state->current);
    }
    if (state->batch.release != NULL) {
        state->batch.release(&state->batch);
    }
    set_running(state, NULL);
    bound_row_close(&state->bound);
}

static int fail(many *state) {
    state->failed = stream_errno(state->error.status);
    if (engine_is_ours(state->statement->session->engine)) { // Not in a forked child.
        let_go(state);
    }
    return state->failed;
}

static int describe(many *state, struct ArrowSchema *out) {
    const bool is_begun = state->has_columns || state->is_end || state->failed != 0;
    if (!is_begun && begin_run(state) != FIRN_OK) {
        return fail(state);
    }
    firn_error err = ERR_INIT;
    const schema *columns = state->has_columns ? &state->columns : &state->statement->columns;
    const int code =
        state->failed != 0 && !state->has_columns
            ? state->failed
            : stream_errno(arrow_schema_export(columns, &state->settings.arrow, out, &err));
    if (err.status != FIRN_OK) {
        state->error = err;
    }
    return code;
}

static int pull(many *state, struct ArrowArray *out) {
    if (state->failed != 0) {
        return state->failed;
    }
    state->error = ERR_INIT;
    while (!state->is_end) {
        if (state->current.release == NULL && begin_run(state) != FIRN_OK) {
            return fail(state);
        }
        if (state->is_end) {
            break;
        }
        if (state->current.get_next(&state->current, out) != 0) {
            if (firn_stream_error(&state->current, &state->error) != FIRN_OK) {
                state->error.status = FIRN_INTERNAL;
            }
            return fail(state);
        }
        if (out->release != NULL) {
            return 0;
        }
        state->current.release(&state->current);
        set_running(state, NULL);
    }
    return 0;
}

static void end(many *state) {
    let_go(state);
    if (state->types.release != NULL) {
        state->types.release(&state->types);
    }
    state->rows.release(&state->rows);
    mutex_end(&state->lock);
    arena_close(&state->memory);
    statement_release(state->statement);
    host_free(state);
}

static int get_schema(struct ArrowArrayStream *self, struct ArrowSchema *out) {
    many *state = self->private_data;
    *out = (struct ArrowSchema){0};
    const bool is_alone = stream_guard_enter(&state->guard);
    const int code = is_alone ? describe(state, out) : EBUSY;
    if (stream_guard_leave(&state->guard, is_alone)) {
        end(state);
    }
    return code;
}

static int get_next(struct ArrowArrayStream *self, struct ArrowArray *out) {
    many *state = self->private_data;
    *out = (struct ArrowArray){0};
    const bool is_alone = stream_guard_enter(&state->guard);
    const int code = is_alone ? pull(state, out) : EBUSY;
    if (stream_guard_leave(&state->guard, is_alone)) {
        end(state);
    }
    return code;
}

static const char *get_last_error(struct ArrowArrayStream *self) {
    const many *state = self->private_data;
    return state->error.status == FIRN_OK ? NULL : state->error.text;
}

static void release(struct ArrowArrayStream *self) {
    many *state = self->private_data;
    self->release = NULL;
    if (!engine_is_ours(state->statement->session->engine)) {
        return;
    }
    // Readers gone: stop what runs, even while another thread is inside.
    mutex_lock(&state->lock);
    state->is_released = true;
    run *running = state->running == NULL ? NULL : run_retain(state->running);
    mutex_unlock(&state->lock);
    if (running != NULL) {
        run_cancel(running);
        run_release(running);
    }
    if (stream_guard_leave(&state->guard, false)) {
        end(state);
    }
}

const firn_error *many_error(const struct ArrowArrayStream *stream) {
    return stream->release == release ? &((const many *)stream->private_data)->error : NULL;
}

firn_status many_open(firn_statement *self, struct ArrowArrayStream *out, firn_error *err) {
    many *state = host_alloc(sizeof *state);
    if (state == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *state);
    }
    *state = (many){.settings = self->settings,
                    .cancel_count = statement_cancel_count(self),
                    .memory = arena_open_in(self->session->pool, SIZE_MAX),
                    .error = FIRN_ERROR_INIT,
                    .guard = {.holders = 1}};
    mutex_begin(&state->lock, MUTEX_LEAF);
    if (self->rows.get_schema(&self->rows, &state->types) != 0) {
        mutex_end(&state->lock);
        host_free(state);
        return FAIL(err, FIRN_INVALID, "the stream of parameters has no schema");
    }
    state->statement = statement_retain(self);
    state->rows = self->rows;
    self->rows.release = NULL;
    *out = (struct ArrowArrayStream){.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = release,
                                     .private_data = state};
    return FIRN_OK;
}
