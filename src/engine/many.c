// A prepared statement over a stream of parameter rows: one run after the other, their rows one
// stream.
#include <errno.h>

#include "base/host.h"
#include "engine/objects.h"

typedef struct many {
    firn_statement *statement;
    struct ArrowArrayStream rows; // Of parameters.
    struct ArrowSchema types;
    struct ArrowArray batch;
    uint64_t next; // Row of the batch.
    bool is_end;
    struct ArrowArrayStream current; // Of the run for the row before; release is NULL if none.
    firn_error error;
} many;

static int get_schema(struct ArrowArrayStream *self, struct ArrowSchema *out) {
    many *state = self->private_data;
    state->error = ERR_INIT;
    return firn_statement_schema(state->statement, out, &state->error) == FIRN_OK ? 0 : EINVAL;
}

// The next row of parameters; *found is false when there is none.
static firn_status next_row(many *state, bool *found) {
    firn_error *err = &state->error;
    *found = false;
    while (state->batch.release == NULL || state->next == (uint64_t)state->batch.length) {
        if (state->batch.release != NULL) {
            state->batch.release(&state->batch);
        }
        state->next = 0;
        if (state->rows.get_next(&state->rows, &state->batch) != 0) {
            const char *why = state->rows.get_last_error(&state->rows);
            return FAIL(err, FIRN_IO, "reading parameters: %s", why == NULL ? "no reason" : why);
        }
        if (state->batch.release == NULL) {
            return FIRN_OK;
        }
    }
    *found = true;
    return statement_bind_next(state->statement, &state->types, &state->batch, state->next++, err);
}

static firn_status begin_run(many *state) {
    bool found;
    TRY(next_row(state, &found));
    if (!found) {
        state->is_end = true;
        return FIRN_OK;
    }
    run *made;
    TRY(statement_run_once(state->statement, &made, &state->error));
    return stream_open(made, &state->current, &state->error);
}

static int fail(many *state) {
    state->is_end = true;
    return state->error.status == FIRN_CANCELLED   ? ECANCELED
           : state->error.status == FIRN_NO_MEMORY ? ENOMEM
           : state->error.status == FIRN_IO        ? EIO
                                                   : EINVAL;
}

static int get_next(struct ArrowArrayStream *self, struct ArrowArray *out) {
    many *state = self->private_data;
    *out = (struct ArrowArray){0};
    state->error = ERR_INIT;
    while (!state->is_end) {
        if (state->current.release == NULL && begin_run(state) != FIRN_OK) {
            return fail(state);
        }
        if (state->is_end) {
            break;
        }
        const int code = state->current.get_next(&state->current, out);
        if (code != 0) {
            if (firn_stream_error(&state->current, &state->error) != FIRN_OK) {
                return fail(state);
            }
            state->is_end = true;
            return code;
        }
        if (out->release != NULL) {
            return 0;
        }
        state->current.release(&state->current);
    }
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *self) {
    const many *state = self->private_data;
    return state->error.status == FIRN_OK ? NULL : state->error.text;
}

static void release(struct ArrowArrayStream *self) {
    many *state = self->private_data;
    if (state->current.release != NULL) {
        state->current.release(&state->current);
    }
    if (state->batch.release != NULL) {
        state->batch.release(&state->batch);
    }
    if (state->types.release != NULL) {
        state->types.release(&state->types);
    }
    state->rows.release(&state->rows);
    firn_statement_close(state->statement);
    host_free(state);
    self->release = NULL;
}

firn_status many_open(firn_statement *self, struct ArrowArrayStream *out, firn_error *err) {
    many *state = host_alloc(sizeof *state);
    if (state == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *state);
    }
    *state = (many){.statement = self, .error = FIRN_ERROR_INIT};
    if (self->rows.get_schema(&self->rows, &state->types) != 0) {
        host_free(state);
        return FAIL(err, FIRN_INVALID, "the stream of parameters has no schema");
    }
    state->rows = self->rows;
    self->rows.release = NULL;
    statement_retain(self);
    *out = (struct ArrowArrayStream){.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = release,
                                     .private_data = state};
    return FIRN_OK;
}
