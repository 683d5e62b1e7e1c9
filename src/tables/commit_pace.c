#include "tables/commit_pace.h"

#include "base/host.h"

#define ATTEMPTS_USUAL 5
#define PAUSE_MS_MIN_USUAL 100
#define PAUSE_MS_MAX_USUAL 60000
#define DEADLINE_MS_USUAL 1800000
#define CANCEL_LOOK_MS 10
#define DOUBLINGS_MAX 20

commit_options commit_options_usual(void) {
    return (commit_options){.attempts_max = ATTEMPTS_USUAL,
                            .pause_ms_min = PAUSE_MS_MIN_USUAL,
                            .pause_ms_max = PAUSE_MS_MAX_USUAL,
                            .deadline_ms = DEADLINE_MS_USUAL};
}

commit_pace commit_pace_begin(const cancel_flag *cancel) {
    return (commit_pace){
        .options = commit_options_usual(), .begun_ns = host_clock_ns(), .cancel = cancel};
}

static uint32_t most(uint32_t left, uint32_t right) {
    return left > right ? left : right;
}

void commit_pace_take(commit_pace *self, const commit_options *options) {
    self->options = *options;
    self->options.attempts_max = most(options->attempts_max, 1);
    self->options.pause_ms_min = most(options->pause_ms_min, 1);
    self->options.pause_ms_max = most(options->pause_ms_max, self->options.pause_ms_min);
}

uint32_t commit_pace_left_ms(const commit_pace *self) {
    const uint32_t deadline_ms = self->options.deadline_ms;
    if (deadline_ms == UINT32_MAX) {
        return UINT32_MAX;
    }
    const int64_t left_ns = self->begun_ns + (int64_t)deadline_ms * 1000000 - host_clock_ns();
    return left_ns <= 0 ? 0 : (uint32_t)((left_ns + 999999) / 1000000);
}

bool commit_pace_is_over(const commit_pace *self) {
    return self->attempts >= self->options.attempts_max || commit_pace_left_ms(self) == 0;
}

firn_status commit_pace_rest(const commit_pace *self, firn_error *err) {
    const uint32_t before = self->attempts > 0 ? self->attempts - 1 : 0;
    uint64_t pause = (uint64_t)self->options.pause_ms_min
                     << (before < DOUBLINGS_MAX ? before : DOUBLINGS_MAX);
    pause = pause < self->options.pause_ms_max ? pause : self->options.pause_ms_max;
    uint16_t chance = 0;
    firn_error ignored = ERR_INIT;
    (void)(host_random(&chance, sizeof chance, &ignored) == FIRN_OK);
    pause = pause / 2 + pause * chance / (UINT64_C(2) * UINT16_MAX);
    const int64_t end_ns = host_clock_ns() + (int64_t)pause * 1000000;
    while (host_clock_ns() < end_ns && commit_pace_left_ms(self) > 0) {
        TRY(cancel_check(self->cancel, err));
        const int64_t left = (end_ns - host_clock_ns()) / 1000000;
        host_sleep_ms(left < 1 ? 1 : left < CANCEL_LOOK_MS ? (uint32_t)left : CANCEL_LOOK_MS);
    }
    return cancel_check(self->cancel, err);
}
