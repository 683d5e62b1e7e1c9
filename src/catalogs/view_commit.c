#include "catalogs/view_commit.h"

#include <string.h>

static bool is_conflict(const view_change *change, firn_status status, const firn_error *err) {
    return status == FIRN_CONFLICT &&
           (strcmp(err->sqlstate, "40001") == 0 ||
            (change->kind == VIEW_CREATE_OR_REPLACE && strcmp(err->sqlstate, "42P07") == 0));
}

static firn_status say_dropped(object_name name, firn_error *err) {
    const firn_status status = FAIL(
        err, FIRN_CONFLICT, "others dropped the view \"%.*s\" meanwhile", TEXT_ARGS(name.name));
    err_hint(err, "run the statement again");
    return status;
}

static firn_status say_conflict(const commit_pace *pace, object_name name, firn_error *err) {
    const firn_error why = *err;
    const firn_status status =
        FAIL(err, FIRN_CONFLICT,
             "others changed the view \"%.*s\" first, in each of %u attempts: %.400s",
             TEXT_ARGS(name.name), pace->attempts, why.text);
    err_hint(err, "run the statement again");
    return status;
}

firn_status view_commit(view_attempt *attempt, void *user, object_name name,
                        const view_change *change, size_t memory_max, const cancel_flag *cancel,
                        firn_error *err) {
    commit_pace pace = commit_pace_begin(cancel);
    for (;;) {
        commit_options retry = commit_options_usual();
        arena memory = arena_open(memory_max);
        const firn_status status = attempt(user, name, change, &memory, &retry, err);
        arena_close(&memory);
        pace.attempts += 1;
        if (status == FIRN_NOT_FOUND && pace.attempts > 1 && strcmp(err->sqlstate, "42P01") == 0) {
            return say_dropped(name, err);
        }
        if (!is_conflict(change, status, err)) {
            return status;
        }
        commit_pace_take(&pace, &retry);
        if (commit_pace_is_over(&pace)) {
            return say_conflict(&pace, name, err);
        }
        const firn_error last = *err;
        *err = ERR_INIT;
        TRY(commit_pace_rest(&pace, err));
        if (commit_pace_left_ms(&pace) == 0) {
            *err = last;
            return say_conflict(&pace, name, err);
        }
    }
}
