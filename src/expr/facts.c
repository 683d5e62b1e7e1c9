// The one evaluator that prunes. For every part of a predicate it asks which truth values rows of
// the unit can have, as a set of three bits, and puts those sets together as three-valued logic
// does. A bit too many only costs time; a bit too few would lose rows.
#include "expr/facts.h"

#include "expr/cast.h"
#include "expr/dynamic.h"
#include "expr/facts_range.h"
#include "kernels/compare.h"

#define DEPTH_MAX 64
#define IN_VALUES_MAX 20000 // Longer lists are looked at as a range only.

typedef enum outcomes {
    MAY_TRUE = 1,
    MAY_FALSE = 2,
    MAY_NULL = 4,
    MAY_ANYTHING = 7,
} outcomes;

static uint32_t outcomes_of(const facts_call *call, const expr *what);

static facts_call inside(const facts_call *call) {
    return (facts_call){call->facts, call->scratch, call->depth == 0 ? 0 : call->depth - 1};
}

// ---- Comparisons -----------------------------------------------------------------------------

static int order(const column *left, const column *right) {
    return column_compare_rows(left, 0, right, 0);
}

// Can a value of one range stand in that relation to one of the other? Unknown bounds: yes.
static bool may_hold(compare_op op, const value_range *l, const value_range *r) {
    switch (op) {
    case COMPARE_LT:
        return l->minimum == NULL || r->maximum == NULL || order(l->minimum, r->maximum) < 0;
    case COMPARE_LE:
        return l->minimum == NULL || r->maximum == NULL || order(l->minimum, r->maximum) <= 0;
    case COMPARE_EQ:
        return may_hold(COMPARE_LE, l, r) && may_hold(COMPARE_GE, l, r);
    case COMPARE_GE:
        return may_hold(COMPARE_LE, r, l);
    case COMPARE_GT:
        return may_hold(COMPARE_LT, r, l);
    case COMPARE_NE: // Unless both are the same single value.
        return may_hold(COMPARE_LT, l, r) || may_hold(COMPARE_GT, l, r);
    case COMPARE_OP_COUNT:
        break;
    }
    return true;
}

// What the order of two values (below 0: left is less) makes of a comparison.
static uint32_t outcome_of_order(compare_op op, int sign) {
    const bool holds = op == COMPARE_LT   ? sign < 0
                       : op == COMPARE_LE ? sign <= 0
                       : op == COMPARE_EQ ? sign == 0
                       : op == COMPARE_GE ? sign >= 0
                       : op == COMPARE_GT ? sign > 0
                                          : sign != 0;
    return holds ? MAY_TRUE : MAY_FALSE;
}

// Could the one value that an equality asks for be in the unit? Bloom filters and dictionaries
// know.
static bool may_contain(const facts_call *call, const value_range *of, const value_range *value) {
    const bool is_constant = value->minimum != NULL && value->minimum == value->maximum &&
                             !value->may_be_null && !value->may_be_nan;
    if (of->column_id == UINT32_MAX || !is_constant || call->facts->may_contain == NULL) {
        return true;
    }
    return call->facts->may_contain(call->facts, of->column_id, value->minimum, 0);
}

static uint32_t compare_ranges(const facts_call *call, compare_op op, const value_range *l,
                               const value_range *r) {
    uint32_t out = l->may_be_null || r->may_be_null ? MAY_NULL : 0;
    if (!type_are_bytes(l->type, r->type) && !type_same_values(l->type, r->type)) {
        return MAY_ANYTHING;
    }
    if (l->may_be_value && r->may_be_value) {
        out |= may_hold(op, l, r) ? MAY_TRUE : 0;
        out |= may_hold(compare_negated(op), l, r) ? MAY_FALSE : 0;
    }
    // NaN is above all values and equal to itself.
    out |= l->may_be_nan && r->may_be_value ? outcome_of_order(op, 1) : 0;
    out |= l->may_be_value && r->may_be_nan ? outcome_of_order(op, -1) : 0;
    out |= l->may_be_nan && r->may_be_nan ? outcome_of_order(op, 0) : 0;
    if (op == COMPARE_EQ && (!may_contain(call, l, r) || !may_contain(call, r, l))) {
        out = (out & ~(uint32_t)MAY_TRUE) | (out & MAY_TRUE ? MAY_FALSE : 0);
    }
    return out;
}

static bool comparison_of(const expr *call, compare_op *out) {
    static const struct {
        const char *name;
        compare_op op;
    } names[] = {{"=", COMPARE_EQ},  {"<>", COMPARE_NE}, {"<", COMPARE_LT},
                 {"<=", COMPARE_LE}, {">", COMPARE_GT},  {">=", COMPARE_GE}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (expr_is_call(call, names[i].name) && call->call_.args.count == 2) {
            *out = names[i].op;
            return true;
        }
    }
    return false;
}

static uint32_t outcomes_of_comparison(const facts_call *call, compare_op op, const expr *what) {
    const facts_call inner = inside(call);
    const value_range left = facts_range_of(&inner, what->call_.args.items[0]);
    const value_range right = facts_range_of(&inner, what->call_.args.items[1]);
    return compare_ranges(call, op, &left, &right);
}

// ---- Text that begins so ---------------------------------------------------------------------

// The literal text of an argument; false if it is none.
static bool literal_text(const expr *what, text *out) {
    if (what->kind != EXPR_LITERAL || what->literal_.value.is_null ||
        type_physical(what->type) != PHYSICAL_STRING) {
        return false;
    }
    *out = string_text(&COLUMN_VALUES(what->literal_.value.value, string_value)[0]);
    return true;
}

// The beginning that every match of a pattern has; is it all that the pattern asks (`abc%`)?
static text prefix_of_pattern(text pattern, bool *is_all) {
    size_t size = 0;
    while (size < pattern.size && pattern.data[size] != '%' && pattern.data[size] != '_' &&
           pattern.data[size] != '\\') {
        size++;
    }
    *is_all = size + 1 == pattern.size && pattern.data[size] == '%';
    return text_slice(pattern, 0, size);
}

// Compares the first bytes of a bound with a prefix.
static int order_of_prefix(const column *bound, text prefix) {
    const text value = string_text(&COLUMN_VALUES(bound, string_value)[0]);
    const size_t size = value.size < prefix.size ? value.size : prefix.size;
    return text_compare(text_slice(value, 0, size), prefix);
}

static uint32_t outcomes_of_prefix(const value_range *of, text prefix, bool is_all) {
    uint32_t out = of->may_be_null ? MAY_NULL : 0;
    if (!of->may_be_value || type_physical(of->type) != PHYSICAL_STRING) {
        return of->may_be_value ? MAY_ANYTHING : out;
    }
    // A bound that begins with the prefix compares as 0; one that is shorter is below it.
    const bool is_below = of->maximum != NULL && order_of_prefix(of->maximum, prefix) < 0;
    const bool is_above = of->minimum != NULL && order_of_prefix(of->minimum, prefix) > 0;
    if (is_below || is_above) {
        return out | MAY_FALSE;
    }
    const bool all_begin_so = is_all && of->minimum != NULL && of->maximum != NULL &&
                              order_of_prefix(of->minimum, prefix) == 0 &&
                              order_of_prefix(of->maximum, prefix) == 0;
    return out | MAY_TRUE | (all_begin_so ? 0 : MAY_FALSE);
}

static uint32_t outcomes_of_like(const facts_call *call, const expr *what, bool is_pattern) {
    text pattern;
    const facts_call inner = inside(call);
    if (what->call_.args.count != 2 || !literal_text(what->call_.args.items[1], &pattern)) {
        return MAY_ANYTHING;
    }
    bool is_all = true;
    const text prefix = is_pattern ? prefix_of_pattern(pattern, &is_all) : pattern;
    const value_range of = facts_range_of(&inner, what->call_.args.items[0]);
    return outcomes_of_prefix(&of, prefix, is_all);
}

// ---- The other parts -------------------------------------------------------------------------

static uint32_t negated(uint32_t of) {
    return (of & MAY_NULL) | ((of & MAY_TRUE) != 0 ? MAY_FALSE : 0) |
           ((of & MAY_FALSE) != 0 ? MAY_TRUE : 0);
}

static uint32_t both(uint32_t left, uint32_t right) {
    uint32_t out = (left & right) & MAY_TRUE;
    out |= (left | right) & MAY_FALSE;
    const bool left_open = (left & (MAY_TRUE | MAY_NULL)) != 0;
    const bool right_open = (right & (MAY_TRUE | MAY_NULL)) != 0;
    if (((left & MAY_NULL) != 0 && right_open) || ((right & MAY_NULL) != 0 && left_open)) {
        out |= MAY_NULL;
    }
    return out;
}

static uint32_t outcomes_of_junction(const facts_call *call, expr_list args, bool is_and) {
    const facts_call inner = inside(call);
    uint32_t out = is_and ? MAY_TRUE : MAY_FALSE;
    for (uint32_t i = 0; i < args.count; i++) {
        const uint32_t next = outcomes_of(&inner, args.items[i]);
        // a OR b is NOT (NOT a AND NOT b).
        out = is_and ? both(out, next) : negated(both(negated(out), negated(next)));
    }
    return out;
}

static value_range range_of_value(const column *values, column *single) {
    *single = *values;
    single->length = 1;
    return (value_range){.type = values->type,
                         .minimum = single,
                         .maximum = single,
                         .may_be_value = true,
                         .column_id = UINT32_MAX};
}

static uint32_t outcomes_of_in(const facts_call *call, const expr *what) {
    const facts_call inner = inside(call);
    const value_range of = facts_range_of(&inner, what->in_.arg);
    const column *values = what->in_.values;
    uint32_t found = 0; // What any of the equalities can be.
    bool is_always = false;
    for (uint32_t row = 0; row < values->length && (found & MAY_TRUE) == 0; row++) {
        column single;
        firn_error ignored = ERR_INIT;
        if (row == IN_VALUES_MAX ||
            column_take(call->scratch, values, &row, 1, &single, &ignored) != FIRN_OK) {
            return MAY_ANYTHING;
        }
        column one;
        const value_range value = range_of_value(&single, &one);
        const uint32_t equal = compare_ranges(call, COMPARE_EQ, &of, &value);
        found |= equal;
        is_always |= (equal & MAY_FALSE) == 0;
    }
    uint32_t out = (found & MAY_TRUE) | (of.may_be_null ? MAY_NULL : 0);
    if (of.may_be_nan) {
        out |= MAY_TRUE; // NaN may stand in the list.
    }
    if (!is_always && (of.may_be_value || of.may_be_nan)) {
        out |= what->in_.has_null ? MAY_NULL : MAY_FALSE;
    }
    return what->in_.is_negated ? negated(out) : out;
}

static uint32_t outcomes_of_null_test(const facts_call *call, const expr *what) {
    const facts_call inner = inside(call);
    const value_range of = facts_range_of(&inner, what->call_.args.items[0]);
    return (of.may_be_null ? MAY_TRUE : 0) | (of.may_be_value || of.may_be_nan ? MAY_FALSE : 0);
}

// IS TRUE, IS FALSE: never NULL.
static uint32_t outcomes_of_truth_test(const facts_call *call, const expr *what, uint32_t wanted) {
    const facts_call inner = inside(call);
    const uint32_t of = outcomes_of(&inner, what->call_.args.items[0]);
    return ((of & wanted) != 0 ? MAY_TRUE : 0) | ((of & ~wanted) != 0 ? MAY_FALSE : 0);
}

// IS NOT DISTINCT FROM: equality where NULL equals NULL.
static uint32_t outcomes_of_sameness(const facts_call *call, const expr *what) {
    const facts_call inner = inside(call);
    const value_range left = facts_range_of(&inner, what->call_.args.items[0]);
    const value_range right = facts_range_of(&inner, what->call_.args.items[1]);
    uint32_t out = compare_ranges(call, COMPARE_EQ, &left, &right) & ~(uint32_t)MAY_NULL;
    out |= left.may_be_null && right.may_be_null ? MAY_TRUE : 0;
    const bool left_there = left.may_be_value || left.may_be_nan;
    const bool right_there = right.may_be_value || right.may_be_nan;
    const bool differ = (left.may_be_null && right_there) || (right.may_be_null && left_there);
    return out | (differ ? MAY_FALSE : 0);
}

static uint32_t outcomes_of_call(const facts_call *call, const expr *what) {
    compare_op op;
    if (comparison_of(what, &op)) {
        return outcomes_of_comparison(call, op, what);
    }
    if (expr_is_call(what, "not")) {
        const facts_call inner = inside(call);
        return negated(outcomes_of(&inner, what->call_.args.items[0]));
    }
    if (expr_is_call(what, "is_null")) {
        return outcomes_of_null_test(call, what);
    }
    if (expr_is_call(what, "is_not_null")) {
        return negated(outcomes_of_null_test(call, what));
    }
    if (expr_is_call(what, "is_true")) {
        return outcomes_of_truth_test(call, what, MAY_TRUE);
    }
    if (expr_is_call(what, "is_false")) {
        return outcomes_of_truth_test(call, what, MAY_FALSE);
    }
    if (expr_is_call(what, "is_not_distinct_from")) {
        return outcomes_of_sameness(call, what);
    }
    if (expr_is_call(what, "is_distinct_from")) {
        return negated(outcomes_of_sameness(call, what));
    }
    if (expr_is_call(what, "like")) {
        return outcomes_of_like(call, what, true);
    }
    return expr_is_call(what, "starts_with") ? outcomes_of_like(call, what, false) : MAY_ANYTHING;
}

// A BOOLEAN column or constant by itself.
static uint32_t outcomes_of_value(const facts_call *call, const expr *what) {
    const facts_call inner = inside(call);
    const value_range of = facts_range_of(&inner, what);
    uint32_t out = of.may_be_null ? MAY_NULL : 0;
    if (of.may_be_value) {
        const bool has_false = of.minimum == NULL || !bitmap_get(of.minimum->values, 0);
        const bool has_true = of.maximum == NULL || bitmap_get(of.maximum->values, 0);
        out |= (has_false ? MAY_FALSE : 0) | (has_true ? MAY_TRUE : 0);
    }
    return out;
}

static uint32_t outcomes_of_dynamic(const facts_call *call, const expr *what) {
    const dynamic_content *content = dynamic_content_of(call->facts->filters, what->dynamic_.slot);
    const uint32_t count = what->dynamic_.args.count;
    column_facts *facts = ARENA_NEW(call->scratch, column_facts, count + 1);
    const column_facts **keys = ARENA_NEW(call->scratch, const column_facts *, count + 1);
    if (content == NULL) {
        return MAY_TRUE;
    }
    if (facts == NULL || keys == NULL || content->key_count > count) {
        return MAY_ANYTHING;
    }
    const facts_call inner = inside(call);
    for (uint32_t i = 0; i < count; i++) {
        const value_range of = facts_range_of(&inner, what->dynamic_.args.items[i]);
        facts[i] = (column_facts){.minimum = of.minimum,
                                  .maximum = of.maximum,
                                  .may_have_null = of.may_be_null,
                                  .nan_count = {.is_known = !of.may_be_nan}};
        keys[i] = &facts[i];
    }
    return dynamic_evaluate(content, keys) == VERDICT_NEVER ? MAY_FALSE : MAY_TRUE | MAY_FALSE;
}

static uint32_t outcomes_of(const facts_call *call, const expr *what) {
    if (call->depth == 0 || what->type->id != TYPE_BOOLEAN) {
        return what->type->id == TYPE_NULL ? MAY_NULL : MAY_ANYTHING;
    }
    switch (what->kind) {
    case EXPR_AND:
        return outcomes_of_junction(call, what->and_.args, true);
    case EXPR_OR:
        return outcomes_of_junction(call, what->or_.args, false);
    case EXPR_CALL:
        return outcomes_of_call(call, what);
    case EXPR_IN:
        return outcomes_of_in(call, what);
    case EXPR_DYNAMIC:
        return outcomes_of_dynamic(call, what);
    case EXPR_COLUMN:
    case EXPR_LITERAL:
        return outcomes_of_value(call, what);
    case EXPR_PARAMETER:
    case EXPR_CAST:
    case EXPR_CASE:
    case EXPR_COALESCE:
    case EXPR_TRY:
    case EXPR_LAMBDA:
    case EXPR_SUBQUERY:
    case EXPR_AGGREGATE:
    case EXPR_KIND_COUNT:
        break;
    }
    return MAY_ANYTHING;
}

verdict facts_evaluate(const expr *predicate, const unit_facts *facts, arena *scratch) {
    const facts_call call = {.facts = facts, .scratch = scratch, .depth = DEPTH_MAX};
    const uint32_t out = outcomes_of(&call, predicate);
    if ((out & MAY_TRUE) == 0) {
        return VERDICT_NEVER;
    }
    return out == MAY_TRUE ? VERDICT_ALWAYS : VERDICT_MAYBE;
}
