#include "optimize/optimize.h"

#include "optimize/estimate.h"
#include "optimize/rewrite.h"

typedef struct rule {
    const char *name;
    firn_status (*run)(optimizer *self, plan_node **root);
} rule;

static const rule rules[] = {
#define RULE(word, text) {#word, rule_##word},
#include "optimize/rules.def"
#undef RULE
};

static firn_status run_rules(optimizer *self) {
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        TRY(rewrite_check(self));
        TRY(rules[i].run(self, &self->plan->root));
        if (self->watch != NULL) {
            plan_number(self->plan->root);
            self->watch(self->user, rules[i].name, self->plan);
        }
    }
    return estimate_plan(self, self->plan->root);
}

firn_status optimize(optimizer *self) {
    const firn_status status = run_rules(self);
    TRY(rewrite_check(self)); // Which may have shown as something else: see memory/arena.h.
    TRY(status);
    plan_number(self->plan->root);
    return FIRN_OK;
}

firn_status optimize_show_rows(optimizer *self) {
    const firn_status status = estimate_shown(self, self->plan->root);
    TRY(rewrite_check(self));
    return status;
}
