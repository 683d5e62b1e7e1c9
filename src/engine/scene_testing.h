// For tests: an engine with a session, and the error of the newest call.
#ifndef FIRN_ENGINE_SCENE_TESTING_H
#define FIRN_ENGINE_SCENE_TESTING_H

#include <stdio.h>

#include "base/test.h"
#include "engine/objects.h"

typedef struct scene {
    firn_engine *engine;
    firn_session *session;
    firn_error err;
} scene;

/// Opens both. On failure prints the error and answers false; closing is right all the same.
static inline bool scene_open(scene *self, const firn_option *options, size_t count) {
    *self = (scene){.err = FIRN_ERROR_INIT};
    const bool is_open = firn_engine_open(options, count, &self->engine, &self->err) == FIRN_OK &&
                         firn_session_open(self->engine, &self->session, &self->err) == FIRN_OK;
    if (!is_open) {
        printf("%s\n", self->err.text);
    }
    return is_open;
}

static inline void scene_close(scene *self) {
    firn_session_close(self->session);
    firn_engine_close(self->engine);
}

/// Runs a script.
static inline firn_status scene_execute(scene *self, const char *sql) {
    return firn_execute(self->session, sql, FIRN_NUL_TERMINATED, NULL, &self->err);
}

#endif
