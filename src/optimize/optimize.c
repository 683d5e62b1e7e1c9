#include "optimize/optimize.h"

#include "optimize/estimate.h"

typedef struct rule {
    const char *name;
    firn_status (*run)(optimizer *self, plan_node **root);
} rule;

static const rule rules[] = {
#define RULE(word, text) {#word, rule_##word},
#include "optimize/rules.def"
#undef RULE
};

firn_status optimize(optimizer *self) {
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        TRY(rules[i].run(self, &self->plan->root));
        if (self->watch != NULL) {
            plan_number(self->plan->root);
            self->watch(self->user, rules[i].name, self->plan);
        }
    }
    TRY(estimate_plan(self, self->plan->root));
    plan_number(self->plan->root);
    return FIRN_OK;
}
