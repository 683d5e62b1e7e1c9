// A run as an ArrowArrayStream.
#include <errno.h>

#include "base/host.h"
#include "engine/transactions.h"

struct stream_state {
    run *run;
    firn_error error; // Of the last get_next.
    int failed;       // What get_next answers from the first fault on.
    bool is_done;     // All rows were handed out.
    bool has_rows;    // Something runs, or ran until it was cancelled: it is no empty stream.
    stream_guard guard;
};

bool stream_guard_enter(stream_guard *self) {
    (void)atomic_fetch_add_explicit(&self->holders, 1, memory_order_relaxed);
    return !atomic_exchange_explicit(&self->is_pulled, true, memory_order_acquire);
}

bool stream_guard_leave(stream_guard *self, bool was_entered) {
    if (was_entered) {
        atomic_store_explicit(&self->is_pulled, false, memory_order_release);
    }
    return atomic_fetch_sub_explicit(&self->holders, 1, memory_order_acq_rel) == 1;
}

int stream_errno(firn_status status) {
    switch (status) {
    case FIRN_OK:
        return 0;
    case FIRN_NO_MEMORY:
        return ENOMEM;
    case FIRN_IO:
    case FIRN_CORRUPT:
    case FIRN_NOT_FOUND:
        return EIO;
    case FIRN_CANCELLED:
        return ECANCELED;
    case FIRN_INVALID:
    case FIRN_UNSUPPORTED:
    case FIRN_CONFLICT:
    case FIRN_INTERNAL:
    case FIRN_COMMIT_UNKNOWN:
        break;
    }
    return EINVAL;
}

static int get_schema(struct ArrowArrayStream *self, struct ArrowSchema *out) {
    stream_state *state = self->private_data;
    firn_error err = ERR_INIT;
    const int code = stream_errno(
        arrow_schema_export(&state->run->columns, &state->run->settings.arrow, out, &err));
    if (code != 0) {
        state->error = err;
    }
    return code;
}

static firn_status next(stream_state *state, const cancel_flag *outer, struct ArrowArray *out) {
    firn_error *err = &state->error;
    TRY(engine_check(state->run->session->engine, err));
    if (state->run->counted.release != NULL) { // It has happened: too late to be stopped.
        *out = state->run->counted;
        state->run->counted.release = NULL;
        return FIRN_OK;
    }
    TRY(cancel_check(&state->run->cancel, err));
    return run_next(state->run, outer, out, err);
}

static int pull(stream_state *state, const cancel_flag *outer, struct ArrowArray *out) {
    if (state->failed != 0) {
        return state->failed; // An end would look as if all rows had come.
    }
    state->error = ERR_INIT;
    if (state->is_done || (!state->has_rows && state->run->counted.release == NULL)) {
        return 0;
    }
    firn_status status = next(state, outer, out);
    state->failed = stream_errno(status);
    state->is_done = status == FIRN_OK && out->release == NULL;
    if (status != FIRN_OK) {
        run_fail_transaction(state->run);
    }
    return state->failed;
}

// Whoever cancels the run gives back what it holds, but not while a caller works with it.
static int pull_busy(stream_state *state, const cancel_flag *outer, struct ArrowArray *out) {
    if (!engine_is_ours(state->run->session->engine)) {
        return pull(state, outer, out); // In a forked child, where its locks may be taken for ever.
    }
    if (state->failed != 0 || state->is_done) {
        return pull(state, outer, out);
    }
    run_set_idle(state->run, false);
    const int code = pull(state, outer, out);
    if (state->failed != 0 || state->is_done) {
        run_finish(state->run); // Others need the memory, and the stream may be kept for long.
    }
    run_set_idle(state->run, true);
    return code;
}

// The last one goes: a stream may be released while another thread is inside.
static void leave(stream_state *state, bool was_entered) {
    if (stream_guard_leave(&state->guard, was_entered)) {
        run_release(state->run);
        host_free(state);
    }
}

// A second thread inside must not touch the error that the first may be writing.
static int pull_alone(stream_state *state, const cancel_flag *outer, struct ArrowArray *out) {
    *out = (struct ArrowArray){0};
    const bool is_alone = stream_guard_enter(&state->guard);
    const int code = is_alone ? pull_busy(state, outer, out) : EBUSY;
    leave(state, is_alone);
    return code;
}

static int get_next(struct ArrowArrayStream *self, struct ArrowArray *out) {
    return pull_alone(self->private_data, NULL, out);
}

static const char *get_last_error(struct ArrowArrayStream *self) {
    const stream_state *state = self->private_data;
    return state->error.status == FIRN_OK ? NULL : state->error.text;
}

static void release(struct ArrowArrayStream *self) {
    stream_state *state = self->private_data;
    self->release = NULL;
    if (!engine_is_ours(state->run->session->engine)) {
        return; // In a forked child: what runs belongs to the parent.
    }
    // Readers gone: stop what runs, even while a statement still holds the run.
    run_cancel(state->run);
    leave(state, false);
}

firn_status stream_reserve(run *self, firn_error *err) {
    self->stream = self->stream == NULL ? host_alloc(sizeof *self->stream) : self->stream;
    return self->stream != NULL
               ? FIRN_OK
               : FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self->stream);
}

firn_status stream_open(run *taken, struct ArrowArrayStream *out, firn_error *err) {
    *out = (struct ArrowArrayStream){0};
    const firn_status status = stream_reserve(taken, err);
    if (status != FIRN_OK) {
        run_release(taken);
        return status;
    }
    stream_state *state = taken->stream;
    taken->stream = NULL;
    *state = (stream_state){.run = taken,
                            .error = FIRN_ERROR_INIT,
                            .has_rows = taken->execution != NULL,
                            .guard = {.holders = 1}};
    run_set_idle(taken, true);
    *out = (struct ArrowArrayStream){.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = release,
                                     .private_data = state};
    return FIRN_OK;
}

int stream_pull(struct ArrowArrayStream *source, const cancel_flag *outer, struct ArrowArray *out) {
    return source->release == release ? pull_alone(source->private_data, outer, out)
                                      : source->get_next(source, out);
}

firn_status firn_stream_error(struct ArrowArrayStream *stream, firn_error *out) {
    if (out == NULL) {
        return FIRN_INVALID;
    }
    *out = ERR_INIT;
    TRY(check_given(stream, "stream", out));
    const firn_error *found = stream->release == NULL ? NULL : many_error(stream);
    if (stream->release == release) {
        found = &((const stream_state *)stream->private_data)->error;
    }
    if (found == NULL) {
        return FAIL(out, FIRN_INVALID, "the stream was not made by firn, or is released");
    }
    *out = *found;
    return FIRN_OK;
}
