#include <assert.h>
#include <stdio.h>

#include "base/host.h"
#include "catalogs/memory_catalog.h"
#include "engine/objects.h"
#include "exec/test_modes.h"
#include "io/block_cache.h"
#include "io/io.h"

firn_error *err_or(firn_error *given, firn_error *own) {
    firn_error *err = given == NULL ? own : given;
    *err = ERR_INIT;
    return err;
}

firn_status err_done(firn_status status, firn_error *err) {
    if (status == FIRN_OK && err->status != FIRN_OK) {
        *err = ERR_INIT;
    }
    return status;
}

firn_status check_given(const void *given, const char *name, firn_error *err) {
    return given != NULL ? FIRN_OK : FAIL(err, FIRN_INVALID, "\"%s\" is NULL", name);
}

firn_status caller_enter(caller_check *self, const char *what, firn_error *err) {
    const uint64_t here = host_thread_id();
    uint64_t inside = 0;
    if (!atomic_compare_exchange_strong(&self->thread, &inside, here) && inside != here) {
        firn_status status = FAIL(err, FIRN_INVALID, "the %s is in a call on another thread", what);
        err_hint(err, "a %s is for one thread at a time; give each thread one of its own", what);
        return status;
    }
    self->depth++;
    return FIRN_OK;
}

void caller_leave(caller_check *self) {
    if (--self->depth == 0) {
        atomic_store(&self->thread, 0);
    }
}

bool engine_is_ours(const firn_engine *self) {
    return self->process == host_process_id();
}

firn_status engine_check(firn_engine *self, firn_error *err) {
    TRY(check_given(self, "engine", err));
    if (!engine_is_ours(self)) {
        firn_status status =
            FAIL(err, FIRN_INVALID, "this engine was opened before the process forked");
        err_hint(err, "open an engine of its own in the child");
        return status;
    }
    if (atomic_load_explicit(&self->is_closed, memory_order_relaxed)) {
        return FAIL(err, FIRN_CANCELLED, "the engine is closed");
    }
    return FIRN_OK;
}

// A caller's thread without work moves transfers on, when no I/O thread does.
static void drive_io(void *user, uint32_t timeout_ms) {
    firn_error ignored = ERR_INIT;
    if (io_drive(user, timeout_ms, &ignored) != FIRN_OK) {
        return; // The ticket that failed says so to whoever collects it.
    }
}

// Queries that run go on in the folder where they began, so its area stays.
static firn_status open_spill(firn_engine *self, const char *folder, firn_error *err) {
    for (spill_place *each = self->spills; each != NULL; each = each->older) {
        if (strcmp(each->folder, folder) == 0) {
            self->spill = each->area;
            return FIRN_OK;
        }
    }
    spill_place *made = host_alloc(sizeof *made);
    if (made == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *made);
    }
    *made = (spill_place){.older = self->spills};
    (void)snprintf(made->folder, sizeof made->folder, "%s", folder);
    const spill_options options = {.folder = folder};
    firn_status status = spill_area_open(self->pool, &options, &made->area, err);
    if (status != FIRN_OK) {
        host_free(made);
        return status;
    }
    self->spills = made;
    self->spill = made->area;
    return FIRN_OK;
}

static void close_spills(firn_engine *self) {
    while (self->spills != NULL) {
        spill_place *each = self->spills;
        self->spills = each->older;
        spill_area_close(each->area);
        host_free(each);
    }
}

spill_area *engine_spill(firn_engine *self) {
    mutex_lock(&self->lock);
    spill_area *now = self->spill;
    mutex_unlock(&self->lock);
    return now;
}

static firn_status open_parts(firn_engine *self, firn_error *err) {
    const settings *chosen = &self->settings;
    TRY(pool_open_engine(chosen->memory_limit, &self->pool, err));
    const pool_options tables = {.kind = POOL_SESSION, .name = "tables in memory"};
    TRY(pool_open(self->pool, &tables, &self->tables, err));
    TRY(open_spill(self, chosen->texts[SETTING_temp_directory], err));
    const io_options io_options = {.has_thread = chosen->threads > 1,
                                   .timeout_ms = chosen->http_timeout_ms};
    TRY(io_open(&io_options, &self->io, err));
    TRY(block_cache_open(self->pool, &self->cache, err));
    const bool in_order = (self->test_modes & TEST_MODE_ORDER) != 0;
    const scheduler_options scheduling = {.threads = in_order ? 1 : chosen->threads,
                                          .order_seed = in_order ? 42 : 0,
                                          .idle = chosen->threads == 1 ? drive_io : NULL,
                                          .user = self->io};
    TRY(scheduler_open(&scheduling, &self->scheduler, err));
    return memory_catalog_open(TEXT("memory"), self->tables, &self->memory, err);
}

static void close_parts(firn_engine *self) {
    if (self->memory != NULL) {
        self->memory->kind->close(self->memory);
    }
    scheduler_close(self->scheduler);
    block_cache_close(self->cache);
    if (self->io != NULL) {
        io_close(self->io);
    }
    close_spills(self);
    pool_close(self->tables);
    pool_close(self->pool);
    zone_cache_end(&self->zones);
    mutex_end(&self->lock);
    host_free(self);
}

void engine_release(firn_engine *self) {
    if (atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) == 1) {
        close_parts(self);
    }
}

static firn_status set_option(firn_engine *self, const firn_option *option, firn_error *err) {
    TRY(check_given(option->key, "key", err));
    TRY(check_given(option->value, "value", err));
    return settings_set(&self->settings, text_of(option->key), text_of(option->value), err);
}

firn_status firn_engine_open(const firn_option *options, size_t count, firn_engine **out,
                             firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    TRY(check_given(out, "out", err));
    *out = NULL;
    if (count > 0) {
        TRY(check_given(options, "options", err));
    }
    firn_engine *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "the system has no %zu bytes", sizeof *self);
    }
    *self = (firn_engine){.process = host_process_id()};
    atomic_init(&self->references, 1);
    mutex_begin(&self->lock, MUTEX_ENGINE);
    zone_cache_begin(&self->zones);
    const char *modes = host_environment("FIRN_TEST");
    firn_status status =
        modes == NULL ? FIRN_OK : test_modes_parse(text_of(modes), &self->test_modes, err);
    status = status == FIRN_OK ? settings_open(&self->zones, &self->settings, err) : status;
    for (size_t i = 0; i < count && status == FIRN_OK; i++) {
        status = set_option(self, &options[i], err);
    }
    if (status == FIRN_OK) {
        status = open_parts(self, err);
    }
    if (status != FIRN_OK) {
        engine_release(self);
        return status;
    }
    if ((self->test_modes & TEST_MODE_SPILL) != 0) {
        pool_refuse_for_test(self->pool, true);
    }
    *out = self;
    return FIRN_OK;
}

void firn_engine_close(firn_engine *engine) {
    if (engine == NULL || !engine_is_ours(engine)) {
        return; // Of a parent process its threads and locks are not ours to end.
    }
    atomic_store(&engine->is_closed, true);
    mutex_lock(&engine->lock);
    for (firn_session *each = engine->sessions; each != NULL; each = each->next) {
        session_stop_runs(each);
    }
    mutex_unlock(&engine->lock);
    scheduler_stop(engine->scheduler);
    engine_release(engine);
}

firn_status firn_engine_set(firn_engine *engine, const char *key, const char *value,
                            firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    TRY(engine_check(engine, err));
    TRY(check_given(key, "key", err));
    TRY(check_given(value, "value", err));
    return engine_set(engine, text_of(key), text_of(value), err);
}

firn_status engine_set(firn_engine *self, text key, text value, firn_error *err) {
    mutex_lock(&self->lock);
    const settings before = self->settings;
    firn_status status = settings_set(&self->settings, key, value, err);
    if (status == FIRN_OK) {
        status = open_spill(self, self->settings.texts[SETTING_temp_directory], err);
    }
    if (status != FIRN_OK) {
        self->settings = before;
    } else {
        pool_limit_set(self->pool, self->settings.memory_limit);
        scheduler_set_threads(self->scheduler, self->settings.threads);
        io_allow_thread(self->io, self->settings.threads > 1);
        io_set_timeout(self->io, self->settings.http_timeout_ms);
    }
    engine_note_change(self);
    mutex_unlock(&self->lock);
    return status;
}

firn_status firn_engine_get(firn_engine *engine, const char *key, char *value, size_t *size,
                            firn_error *err) {
    firn_error own;
    err = err_or(err, &own);
    TRY(engine_check(engine, err));
    TRY(check_given(key, "key", err));
    TRY(check_given(size, "size", err));
    setting_id id;
    TRY(settings_find(text_of(key), &id, err));
    char found[SETTING_TEXT_MAX];
    mutex_lock(&engine->lock);
    settings_resolved(&engine->settings, id, found);
    mutex_unlock(&engine->lock);
    settings_copy_out(text_of(found), value, size);
    return FIRN_OK;
}

void firn_engine_trim(firn_engine *engine, uint64_t keep_bytes) {
    if (engine == NULL || !engine_is_ours(engine)) {
        return;
    }
    pool_trim(engine->pool, keep_bytes);
}
