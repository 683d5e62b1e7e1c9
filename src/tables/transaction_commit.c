// COMMIT: the parts of all changes, one commit of the catalog, and what to do about each answer.
//
//     begun ─► ask ─► DONE ─────────────────────────────────────────────► done
//               │ ▲── rebased ◄── pause ◄── CONFLICT ◄──────┐ refused ──► FIRN_CONFLICT
//               ▼ │                                         │
//            UNKNOWN ─► read back ─► ours is there: done; others moved; nothing moved: ask again
//                                    cannot be read: pause, read back again
//
// As long as one request had no answer, nothing that was written may go, and a conflict is believed
// only when reading back shows that it is not our own first request that stands in the way.
#include "tables/transaction_private.h"

#define HINT_AGAIN "run the statements again"

typedef struct committing {
    transaction *of;
    arena *memory;
    commit_pace pace;
    uint32_t count;
    changed_table **changes; // In the order of their first change.
    commit_part *parts;
    uint32_t part_count;
    commit_report *report;
    firn_error why;   // What the catalog said to its last answer, if it was not COMMIT_DONE.
    bool was_unknown; // A request had no answer, and may be under way still.
    bool is_open;     // The last one: it was not found out what became of it.
} committing;

// ---- What there is to do -----------------------------------------------------------------------

static uint32_t most(uint32_t left, uint32_t right) {
    return left > right ? left : right;
}

static uint32_t given_or(uint32_t given, uint32_t otherwise) {
    return given != 0 ? given : otherwise;
}

// The most patient of the tables decides where the caller does not.
static commit_options find_options(const committing *self, const commit_options *given) {
    const commit_options usual = commit_options_usual();
    commit_options all = self->count == 0 ? usual : (commit_options){0};
    for (uint32_t i = 0; i < self->count; i++) {
        const table_change *each = self->changes[i]->change;
        commit_options own = usual;
        if (each->kind->options != NULL) {
            each->kind->options(each, &own);
        }
        all.attempts_max = most(all.attempts_max, own.attempts_max);
        all.pause_ms_min = most(all.pause_ms_min, own.pause_ms_min);
        all.pause_ms_max = most(all.pause_ms_max, own.pause_ms_max);
        all.deadline_ms = most(all.deadline_ms, own.deadline_ms);
    }
    if (given != NULL) {
        all.attempts_max = given_or(given->attempts_max, all.attempts_max);
        all.pause_ms_min = given_or(given->pause_ms_min, all.pause_ms_min);
        all.pause_ms_max = given_or(given->pause_ms_max, all.pause_ms_max);
        all.deadline_ms = given_or(given->deadline_ms, all.deadline_ms);
    }
    return all;
}

static firn_status gather(committing *self, firn_error *err) {
    const transaction *of = self->of;
    const size_t room = (size_t)of->change_count + 1;
    self->changes = ARENA_NEW(self->memory, changed_table *, room);
    self->parts = ARENA_NEW(self->memory, commit_part, room);
    int64_t *ids = ARENA_NEW(self->memory, int64_t, room);
    if (self->changes == NULL || self->parts == NULL || ids == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (changed_table *each = of->last; each != NULL; each = each->before) {
        self->count += transaction_counts(of, each) ? 1 : 0;
    }
    uint32_t at = self->count;
    for (changed_table *each = of->last; each != NULL; each = each->before) {
        if (transaction_counts(of, each)) {
            self->changes[--at] = each;
        }
    }
    self->report->table_count = self->count;
    self->report->snapshot_ids = ids;
    return FIRN_OK;
}

// ---- One attempt -------------------------------------------------------------------------------

static firn_status prepare(committing *self, firn_error *err) {
    self->part_count = 0;
    for (uint32_t i = 0; i < self->count; i++) {
        const changed_table *each = self->changes[i];
        table_change *change = each->change;
        commit_part part = {.snapshot_id = -1};
        TRY(change->kind->prepare(change, each->form, self->memory, &part, err));
        part.name = each->name;
        part.form = each->form;
        if (changed_is_dropped(each)) {
            part.kind = PART_DROP;
            part.purges = each->is_purged;
            self->changes[i]->location = part.form == COMMIT_POINTER ? part.pointer.old_location
                                                                     : self->changes[i]->location;
        }
        const bool has_id = part.snapshot_id > 0 && part.kind != PART_DROP;
        self->report->snapshot_ids[i] = has_id ? part.snapshot_id : -1;
        self->changes[i]->is_idle = part.kind == PART_NOTHING;
        if (part.kind != PART_NOTHING) {
            self->parts[self->part_count++] = part;
        }
    }
    return FIRN_OK;
}

// Asks the catalog. Errors: nobody was asked.
static firn_status ask(committing *self, firn_error *err) {
    transaction *of = self->of;
    commit_answer answer = COMMIT_CONFLICT;
    TRY(prepare(self, err));
    self->report->attempts = ++self->pace.attempts;
    if (self->part_count == 0) {
        self->report->answer = COMMIT_DONE;
        return FIRN_OK;
    }
    TRY(cancel_check(transaction_cancel(of), err));
    const commit_parts parts = {.count = self->part_count, .items = self->parts};
    firn_status status = of->of->kind->committer->commit(
        of->of, &parts, commit_pace_left_ms(&self->pace), &answer, err);
    if (status == FIRN_COMMIT_UNKNOWN) {
        answer = COMMIT_UNKNOWN;
        status = err_forgive(err, status, FIRN_COMMIT_UNKNOWN);
    }
    TRY(status);
    self->why = *err; // Of an answer other than COMMIT_DONE.
    *err = ERR_INIT;
    self->report->answer = answer;
    self->is_open = answer == COMMIT_UNKNOWN;
    self->was_unknown = self->was_unknown || self->is_open;
    return FIRN_OK;
}

// What has the name now; NULL: no table.
static firn_status load_head(committing *self, const changed_table *of, const cancel_flag *cancel,
                             table_snapshot **out, firn_error *err) {
    catalog *from = self->of->of;
    const table_version current = {.kind = VERSION_CURRENT};
    catalog_object found = {.snapshot = NULL};
    const firn_status status =
        from->kind->load(from, of->name, &current, self->memory, &found, cancel, err);
    *out = status == FIRN_OK ? found.snapshot : NULL;
    return err_forgive(err, status, FIRN_NOT_FOUND);
}

// Is it another state of the table? Formats name theirs in the ref.
static bool has_moved(const table_snapshot *base, const table_snapshot *head) {
    if (base == NULL || head == NULL) {
        return base != head;
    }
    return base->ref.snapshot_id != head->ref.snapshot_id ||
           base->ref.schema_id != head->ref.schema_id ||
           !text_equal(base->ref.options, head->ref.options);
}

typedef struct evidence {
    bool has_ours;    // Something of ours that nobody else can have done.
    bool has_moved;   // Something of others.
    bool is_all_gone; // Nothing but tables that were dropped, and all of them are gone.
} evidence;

static firn_status look_at(committing *self, const changed_table *each, evidence *found,
                           firn_error *err) {
    table_snapshot *head;
    bool is_in = false;
    TRY(load_head(self, each, NULL, &head, err)); // Of the same attempt: it is not cancelled.
    firn_status status = FIRN_OK;
    if (changed_is_dropped(each)) {
        found->is_all_gone = found->is_all_gone && head == NULL;
    } else {
        found->is_all_gone = false;
        status =
            head == NULL ? FIRN_OK : each->change->kind->is_in(each->change, head, &is_in, err);
    }
    found->has_ours = found->has_ours || is_in;
    found->has_moved = found->has_moved || (!is_in && has_moved(each->change->base, head));
    table_snapshot_release(head);
    return status;
}

// After a request without an answer: it was done, others were first, or it is as if nobody had
// asked. A commit is whole, so one table tells for all: the others may have moved on or gone since.
static firn_status read_back(committing *self, firn_error *err) {
    evidence found = {.is_all_gone = true};
    for (uint32_t i = 0; i < self->count && !found.has_ours; i++) {
        if (!self->changes[i]->is_idle) {
            TRY(look_at(self, self->changes[i], &found, err));
        }
    }
    if (found.has_ours || found.is_all_gone) {
        self->report->answer = COMMIT_DONE;
    } else {
        self->report->answer = found.has_moved ? COMMIT_CONFLICT : COMMIT_UNKNOWN;
    }
    self->is_open = false;
    return FIRN_OK;
}

// Puts every change on top of what others did.
static firn_status rebase(committing *self, firn_error *err) {
    for (uint32_t i = 0; i < self->count; i++) {
        const changed_table *each = self->changes[i];
        table_snapshot *head;
        TRY(load_head(self, each, transaction_cancel(self->of), &head, err));
        firn_status status;
        if (head == NULL && changed_is_dropped(each)) {
            status = FAIL(err, FIRN_CONFLICT, "others dropped the table");
        } else {
            status = each->change->kind->rebase(each->change, head, err);
        }
        table_snapshot_release(head);
        if (status != FIRN_OK) {
            err_while(err, "committing changes of the table \"%.*s\"", TEXT_ARGS(each->name.name));
            if (status == FIRN_CONFLICT && err->hint[0] == '\0') {
                err_hint(err, HINT_AGAIN);
            }
            return status;
        }
    }
    return FIRN_OK;
}

// Until it is certain what became of it, or the time is over.
static firn_status attempt(committing *self, firn_error *err) {
    if (!self->is_open) {
        TRY(ask(self, err));
    } else {
        self->report->attempts = ++self->pace.attempts;
    }
    if (self->report->answer == COMMIT_DONE ||
        (self->report->answer == COMMIT_CONFLICT && !self->was_unknown)) {
        return FIRN_OK;
    }
    self->is_open = true;
    self->report->answer = COMMIT_UNKNOWN;
    return read_back(self, err);
}

// ---- All attempts ------------------------------------------------------------------------------

static firn_status say_conflict(const committing *self, firn_error *err) {
    const firn_status status = FAIL(
        err, FIRN_CONFLICT, "others changed the same tables first, in each of %u attempts%s%.400s",
        self->report->attempts, self->why.status == FIRN_OK ? "" : ": ",
        self->why.status == FIRN_OK ? "" : self->why.text);
    err_hint(err, HINT_AGAIN);
    return status;
}

// `why`: what came in the way of finding out; FIRN_OK: nothing did.
static firn_status say_unknown(const committing *self, firn_status why, firn_error *err) {
    const firn_error said = why != FIRN_OK ? *err : self->why;
    const firn_status status = FAIL_SQL(
        err, FIRN_COMMIT_UNKNOWN, "40003", NO_POSITION,
        "the catalog \"%.*s\" gave no answer to the commit, and in %u attempts it was not found "
        "out whether it was done%s%.400s",
        TEXT_ARGS(self->of->of->alias), self->report->attempts, said.status == FIRN_OK ? "" : ": ",
        said.status == FIRN_OK ? "" : said.text);
    err_hint(err, "read the table to know; running the statement again may do it twice");
    return status;
}

static firn_status run(committing *self, firn_error *err) {
    for (;;) {
        firn_status status = attempt(self, err);
        if (status == FIRN_OK && self->report->answer == COMMIT_DONE) {
            return FIRN_OK;
        }
        // An answer that did not come may be worth waiting for; no other fault is.
        if (status != FIRN_OK && !self->is_open) {
            return status;
        }
        if (commit_pace_is_over(&self->pace)) {
            return self->report->answer == COMMIT_UNKNOWN ? say_unknown(self, status, err)
                                                          : say_conflict(self, err);
        }
        if (status != FIRN_OK) {
            *err = ERR_INIT;
        }
        TRY(commit_pace_rest(&self->pace, err));
        if (commit_pace_left_ms(&self->pace) == 0) {
            return self->report->answer == COMMIT_UNKNOWN ? say_unknown(self, FIRN_OK, err)
                                                          : say_conflict(self, err);
        }
        // Not before the pause: what others do in it would be the next conflict.
        if (self->report->answer == COMMIT_CONFLICT) {
            TRY(rebase(self, err));
        }
    }
}

// What was dropped for good. The commit has happened, whatever comes of it.
static firn_status purge(committing *self, firn_error *err) {
    catalog *from = self->of->of;
    for (uint32_t i = 0; i < self->count; i++) {
        const changed_table *each = self->changes[i];
        if (!changed_is_dropped(each) || !each->is_purged) {
            continue;
        }
        const firn_status status = from->kind->committer->purge(from, each->name, each->location,
                                                                transaction_cancel(self->of), err);
        if (status != FIRN_OK) {
            err_while(err, "removing files of the table \"%.*s\", which was dropped",
                      TEXT_ARGS(each->name.name));
            return status;
        }
    }
    return FIRN_OK;
}

// Nothing that was written may go while a request may still be done.
static void settle(committing *self, firn_status status) {
    commit_answer answer = self->report->answer;
    if (status != FIRN_OK) {
        answer = self->was_unknown && answer != COMMIT_CONFLICT ? COMMIT_UNKNOWN : COMMIT_CONFLICT;
        self->report->answer = answer;
        // It may be under way still, if what others did does not stand in its way.
        answer = self->was_unknown ? COMMIT_UNKNOWN : answer;
    }
    for (changed_table *each = self->of->last; each != NULL; each = each->before) {
        // Of what came to nothing files go, also when the rest was done.
        const bool counts = transaction_counts(self->of, each);
        each->change->kind->settle(each->change, counts ? answer : COMMIT_CONFLICT);
    }
}

firn_status transaction_commit(transaction *self, const commit_options *options, arena *memory,
                               commit_report *out, firn_error *err) {
    committing all = {.of = self,
                      .why = ERR_INIT,
                      .memory = memory,
                      .report = out,
                      .pace = commit_pace_begin(transaction_cancel(self))};
    *out = (commit_report){.answer = COMMIT_CONFLICT};
    if (self->is_broken || self->is_over) {
        return FAIL_SQL(err, FIRN_INVALID, "25P02", NO_POSITION,
                        "the transaction can only be rolled back");
    }
    self->is_over = true;
    TRY(gather(&all, err));
    const commit_options found = find_options(&all, options);
    commit_pace_take(&all.pace, &found);
    firn_status status = run(&all, err);
    if (status != FIRN_OK && status != FIRN_COMMIT_UNKNOWN && all.was_unknown &&
        out->answer != COMMIT_CONFLICT) {
        status = say_unknown(&all, status, err); // Also when it was stopped: it may be done.
    }
    settle(&all, status);
    return status == FIRN_OK ? purge(&all, err) : status;
}
