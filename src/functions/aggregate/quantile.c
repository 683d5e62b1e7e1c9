// Quantiles of all values of a group: continuous ones lie between two values in proportion,
// discrete ones are the first value that has the wanted share of values up to it.
#include <math.h>

#include "base/interval.h"
#include "functions/aggregate/fold.h"
#include "functions/aggregate/value_order.h"

#define FEW 256               // Values of a group that are copied to be selected from.
#define LOOK_EVERY (1u << 16) // Values between two looks at the cancel flag.

// ---- Continuous, over doubles ------------------------------------------------------------------

static bool is_below(double left, double right) { // NaN is above every number.
    return left < right || (right != right && left == left);
}

// Puts the value that belongs at `rank` there, lower ones before it, higher ones behind it
// (Hoare's selection; the median of three as pivot).
static void select_rank(double *values, uint32_t count, uint32_t rank) {
    int64_t low = 0;
    int64_t high = (int64_t)count - 1;
    while (low < high) {
        const double a = values[low];
        const double b = values[low + (high - low) / 2];
        const double c = values[high];
        const double pivot = is_below(a, b) ? (is_below(b, c)   ? b
                                               : is_below(a, c) ? c
                                                                : a)
                                            : (is_below(a, c)   ? a
                                               : is_below(b, c) ? c
                                                                : b);
        int64_t left = low;
        int64_t right = high;
        while (left <= right) {
            while (is_below(values[left], pivot)) {
                left++;
            }
            while (is_below(pivot, values[right])) {
                right--;
            }
            if (left <= right) {
                const double swapped = values[left];
                values[left++] = values[right];
                values[right--] = swapped;
            }
        }
        if ((int64_t)rank <= right) {
            high = right;
        } else if ((int64_t)rank >= left) {
            low = left;
        } else {
            return;
        }
    }
}

static aggregate_place place_at(double share, uint64_t count) {
    const double place = share * (double)(count - 1);
    return (aggregate_place){.rank = (uint64_t)floor(place), .rest = place - floor(place)};
}

// The lowest value behind the first rank + 1 of a group in order, of which `value` is the last.
static double value_behind(const value_order *order, uint32_t from, uint32_t count, uint32_t rank,
                           double value) {
    const double *values = COLUMN_VALUES(order->values, double);
    const uint32_t mask = column_mask(order->values);
    uint32_t passed = 0;
    double next = (double)NAN; // Above every number.
    for (uint32_t i = 0; i < count && !cancel_is_raised(order->watch.cancel);) {
        for (const uint32_t end = count - i < LOOK_EVERY ? count : i + LOOK_EVERY; i < end; i++) {
            const double each = values[(from + i) & mask];
            const bool is_above = is_below(value, each);
            passed += !is_above;
            next = is_above && is_below(each, next) ? each : next;
        }
    }
    return passed > rank + 1 ? value : next;
}

// As quantile_of, of few values, which change places.
static double quantile_of_few(double *values, uint32_t count, aggregate_place place) {
    const uint32_t rank = (uint32_t)place.rank;
    select_rank(values, count, rank);
    if (place.rest <= 0 || rank + 1 == count) {
        return values[rank];
    }
    double next = values[rank + 1]; // The lowest of those behind.
    for (uint32_t i = rank + 2; i < count; i++) {
        next = is_below(values[i], next) ? values[i] : next;
    }
    return values[rank] + (next - values[rank]) * place.rest;
}

// The value at `share` (0 to 1) of the way through a group's values. `few` has room for FEW. False:
// no memory.
static bool quantile_of(value_order *order, uint32_t from, uint32_t count, double share,
                        double *few, arena *scratch, double *out) {
    const double *values = COLUMN_VALUES(order->values, double);
    const uint32_t mask = column_mask(order->values);
    const aggregate_place place = place_at(share, count);
    if (count <= FEW) {
        for (uint32_t i = 0; i < count; i++) {
            few[i] = values[(from + i) & mask];
        }
        *out = quantile_of_few(few, count, place);
        return true;
    }
    uint32_t row;
    const uint32_t rank = (uint32_t)place.rank;
    if (!value_order_find(order, from, count, rank, scratch, &row)) {
        return false;
    }
    const double value = values[row & mask];
    *out = place.rest <= 0 || rank + 1 == count
               ? value
               : value + (value_behind(order, from, count, rank, value) - value) * place.rest;
    return true;
}

// The share that is wanted of a group: that of its first row. False if it is none.
static bool share_of(const column *shares, uint32_t row, double *out) {
    *out = COLUMN_VALUES(shares, double)[row & column_mask(shares)];
    return *out >= 0 && *out <= 1;
}

typedef enum value_answer { VALUE_MADE, VALUE_NO_MEMORY, VALUE_UNFIT } value_answer;

// What is made of `count` > 0 ordered values, those of the rows from `from` on.
typedef struct sharing {
    value_order order;
    aggregate_call *call;
    column *out;
    double *few; // For quantile_of.
    value_answer (*make)(struct sharing *self, uint32_t from, uint32_t count, double share,
                         uint32_t group);
} sharing;

static uint32_t share_out(sharing *self, const column *shares, const uint32_t *ends) {
    aggregate_call *call = self->call;
    uint32_t from = 0;
    for (uint32_t group = 0; group < call->count; group++) {
        double share = 0.5;
        const uint32_t count = ends[group] - from;
        if (count > 0 && shares != NULL && !share_of(shares, from, &share)) {
            return group;
        }
        const value_answer answer = count > 0 ? self->make(self, from, count, share, group)
                                    : fold_set_null(call, self->out, group) ? VALUE_MADE
                                                                            : VALUE_NO_MEMORY;
        if (answer != VALUE_MADE) {
            return answer == VALUE_UNFIT ? group : KERNEL_NO_MEMORY;
        }
        from = ends[group];
    }
    return call->count;
}

static value_answer make_double(sharing *self, uint32_t from, uint32_t count, double share,
                                uint32_t group) {
    return quantile_of(&self->order, from, count, share, self->few, self->call->scratch,
                       &COLUMN_OUT(self->out, double)[group])
               ? VALUE_MADE
               : VALUE_NO_MEMORY;
}

static uint32_t continuous(aggregate_call *call, const column *arg, const column *shares,
                           const uint32_t *ends, column *out) {
    sharing self = {.order = value_order_of(arg, call->scratch->cancel),
                    .call = call,
                    .out = out,
                    .few = ARENA_NEW(call->scratch, double, FEW),
                    .make = make_double};
    return self.few == NULL ? KERNEL_NO_MEMORY : share_out(&self, shares, ends);
}

static bool median_place(const column *const *args, uint64_t count, aggregate_place *out) {
    (void)args;
    *out = place_at(0.5, count);
    return true;
}

static bool quantile_cont_place(const column *const *args, uint64_t count, aggregate_place *out) {
    double share;
    if (!share_of(args[1], 0, &share)) {
        return false;
    }
    *out = place_at(share, count);
    return true;
}

static uint32_t median(aggregate_call *call, const column *const *args, const uint32_t *ends,
                       column *out) {
    return continuous(call, args[0], NULL, ends, out);
}

static uint32_t quantile_cont(aggregate_call *call, const column *const *args, const uint32_t *ends,
                              column *out) {
    return continuous(call, args[0], args[1], ends, out);
}

// ---- Continuous, over times and intervals -------------------------------------------------------

// Where `span` is a double, as a product of doubles, so that 0.35 of 10 is a half and goes up; else
// with all bits of `span`.
static uint64_t part_of(uint64_t span, double rest) {
    if (span < UINT64_C(1) << 53) {
        return (uint64_t)floor((double)span * rest + 0.5);
    }
    const u128 parts = (u128)span * (uint64_t)(rest * 0x1p64);
    return (uint64_t)((parts + (UINT64_C(1) << 63)) >> 64);
}

// The row that a share leads to and the one behind it, the same where there is nothing between.
static bool find_ends(sharing *self, uint32_t from, uint32_t count, double share, uint32_t *low,
                      uint32_t *high, double *rest) {
    const aggregate_place place = place_at(share, count);
    const uint32_t rank = (uint32_t)place.rank;
    const uint32_t mask = column_mask(self->order.values);
    *rest = place.rest;
    if (!value_order_find(&self->order, from, count, rank, self->call->scratch, low)) {
        return false;
    }
    *high = *low;
    const bool is_between = place.rest > 0 && rank + 1 < count;
    const bool is_found = !is_between || value_order_find(&self->order, from, count, rank + 1,
                                                          self->call->scratch, high);
    *low &= mask;
    *high &= mask;
    return is_found;
}

static value_answer make_time(sharing *self, uint32_t from, uint32_t count, double share,
                              uint32_t group) {
    uint32_t at;
    uint32_t behind;
    double rest;
    if (!find_ends(self, from, count, share, &at, &behind, &rest)) {
        return VALUE_NO_MEMORY;
    }
    const int64_t *values = COLUMN_VALUES(self->order.values, int64_t);
    const i128 low = values[at];
    const i128 high = values[behind];
    const uint64_t span = high < low ? 0 : (uint64_t)(high - low); // Below: it was cancelled.
    COLUMN_OUT(self->out, int64_t)[group] = (int64_t)(low + part_of(span, rest));
    return VALUE_MADE;
}

static value_answer make_interval(sharing *self, uint32_t from, uint32_t count, double share,
                                  uint32_t group) {
    uint32_t at;
    uint32_t behind;
    double rest;
    if (!find_ends(self, from, count, share, &at, &behind, &rest)) {
        return VALUE_NO_MEMORY;
    }
    const interval_value *values = COLUMN_VALUES(self->order.values, interval_value);
    interval_value *value = &COLUMN_OUT(self->out, interval_value)[group];
    interval_value span;
    interval_value part;
    *value = values[at];
    return at == behind || (interval_sub_fits(values[behind], values[at], &span) &&
                            interval_multiply_fits(span, rest, &part) &&
                            interval_add_fits(values[at], part, value))
               ? VALUE_MADE
               : VALUE_UNFIT;
}

static uint32_t times(aggregate_call *call, const column *arg, const column *shares,
                      const uint32_t *ends, column *out) {
    const bool is_interval = arg->type->id == TYPE_INTERVAL;
    sharing self = {.order = value_order_of(arg, call->scratch->cancel),
                    .call = call,
                    .out = out,
                    .make = is_interval ? make_interval : make_time};
    return share_out(&self, shares, ends);
}

static uint32_t median_of_times(aggregate_call *call, const column *const *args,
                                const uint32_t *ends, column *out) {
    return times(call, args[0], NULL, ends, out);
}

static uint32_t quantile_of_times(aggregate_call *call, const column *const *args,
                                  const uint32_t *ends, column *out) {
    return times(call, args[0], args[1], ends, out);
}

// ---- Discrete, over anything --------------------------------------------------------------------

static uint32_t take_rows(const aggregate_call *call, const column *arg, const uint32_t *rows,
                          column *out) {
    firn_error err = ERR_INIT;
    return column_take(call->scratch, arg, rows, call->count, out, &err) == FIRN_OK
               ? call->count
               : KERNEL_NO_MEMORY;
}

// Of so many values, which has that share of them up to it.
static uint64_t rank_at(double share, uint64_t count) {
    const double place = ceil(share * (double)count);
    return place < 1 ? 0 : (uint64_t)place - 1;
}

static bool quantile_disc_place(const column *const *args, uint64_t count, aggregate_place *out) {
    double share;
    if (!share_of(args[1], 0, &share)) {
        return false;
    }
    *out = (aggregate_place){.rank = rank_at(share, count)};
    return true;
}

static uint32_t quantile_disc(aggregate_call *call, const column *const *args, const uint32_t *ends,
                              column *out) {
    uint32_t *chosen = ARENA_NEW(call->scratch, uint32_t, (size_t)call->count + 1);
    value_order order = value_order_of(args[0], call->scratch->cancel);
    if (chosen == NULL) {
        return KERNEL_NO_MEMORY;
    }
    uint32_t from = 0;
    for (uint32_t group = 0; group < call->count; group++) {
        const uint32_t count = ends[group] - from;
        double share;
        chosen[group] = UINT32_MAX; // NULL.
        if (count > 0) {
            if (!share_of(args[1], from, &share)) {
                return group;
            }
            if (!value_order_find(&order, from, count, (uint32_t)rank_at(share, count),
                                  call->scratch, &chosen[group])) {
                return KERNEL_NO_MEMORY;
            }
        }
        from = ends[group];
    }
    return take_rows(call, args[0], chosen, out);
}

#define MEDIAN_OF_TIMES(type)                                                                      \
    {.signature = type " <- " type, .collect = median_of_times, .place = median_place}
#define QUANTILE_OF_TIMES(type)                                                                    \
    {.signature = type " <- " type ", DOUBLE",                                                     \
     .collect = quantile_of_times,                                                                 \
     .place = quantile_cont_place}

const aggregate_function aggregate_median = {
    .name = "median",
    .category = "aggregate",
    .summary = "the middle value, or the mean of the two there: of numbers, times, intervals",
    .examples =
        (const char *const[]){
            "median(x) <- (1), (3), (2), (NULL)", "2.0", "median(x) <- (1), (2), (3), (4)", "2.5",
            "median(x) <- (NULL::INTEGER)", "NULL", "median(DISTINCT x) <- (1), (1), (1), (5)",
            "3.0", "median(x) <- (DATE '2020-01-01'), ('2020-01-02')", "2020-01-01 12:00:00",
            "median(x) <- ('a')", "error: median", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_COLLECTS,
    .overloads =
        (const aggregate_overload[]){
            {.signature = "DOUBLE <- DOUBLE", .collect = median, .place = median_place},
            MEDIAN_OF_TIMES("TIME(m)"),
            MEDIAN_OF_TIMES("TIMESTAMP(u)"),
            MEDIAN_OF_TIMES("TIMESTAMPTZ(u)"),
            MEDIAN_OF_TIMES("INTERVAL"),
            {0},
        },
};

const aggregate_function aggregate_quantile_cont = {
    .name = "quantile_cont",
    .aliases = "percentile_cont",
    .category = "aggregate",
    .summary = "the value at a share (0 to 1) of the ordered values, between two if need be",
    .examples = (const char *const[]){"quantile_cont(x, 0.25) <- (1), (2), (3), (4)", "1.75",
                                      "percentile_cont(x, 1) <- (1), (5), (NULL)", "5.0",
                                      "quantile_cont(x, 2) <- (1)", "error: quantile_cont", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_COLLECTS,
    .overloads =
        (const aggregate_overload[]){
            {.signature = "DOUBLE <- DOUBLE, DOUBLE",
             .collect = quantile_cont,
             .place = quantile_cont_place},
            QUANTILE_OF_TIMES("TIME(m)"),
            QUANTILE_OF_TIMES("TIMESTAMP(u)"),
            QUANTILE_OF_TIMES("TIMESTAMPTZ(u)"),
            QUANTILE_OF_TIMES("INTERVAL"),
            {0},
        },
};

const aggregate_function aggregate_quantile_disc = {
    .name = "quantile_disc",
    .aliases = "percentile_disc quantile",
    .category = "aggregate",
    .summary = "the first of the ordered values with that share (0 to 1) of them up to it",
    .examples = (const char *const[]){"quantile_disc(x, 0.5) <- (1), (2), (3), (4)", "2",
                                      "quantile_disc(x, 0) <- ('b'), ('a')", "a",
                                      "quantile_disc(x, 0.5) <- (NULL::DATE)", "NULL",
                                      "quantile_disc(x, -1) <- (1)", "error: quantile_disc", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_COLLECTS,
    .overloads =
        (const aggregate_overload[]){
            {.signature = "T <- T, DOUBLE", .collect = quantile_disc, .place = quantile_disc_place},
            {0},
        },
};

// ---- mode ---------------------------------------------------------------------------------------

// The first row of the most frequent of `count` sorted values, of several the lowest.
static uint32_t most_frequent(value_order *order, const ordered_value *sorted, uint32_t count) {
    uint32_t chosen = UINT32_MAX; // NULL.
    uint32_t most = 0;
    uint32_t begin = 0;
    for (uint32_t i = 1; i <= count; i++) {
        if (i == count || value_order_compare(order, &sorted[begin], &sorted[i]) != 0) {
            chosen = i - begin > most ? sorted[begin].row : chosen;
            most = i - begin > most ? i - begin : most;
            begin = i;
        }
    }
    return chosen;
}

static uint32_t largest(const uint32_t *ends, uint32_t group_count) {
    uint32_t most = 0;
    for (uint32_t group = 0; group < group_count; group++) {
        const uint32_t count = ends[group] - (group == 0 ? 0 : ends[group - 1]);
        most = count > most ? count : most;
    }
    return most;
}

static uint32_t mode(aggregate_call *call, const column *const *args, const uint32_t *ends,
                     column *out) {
    const size_t most = (size_t)largest(ends, call->count) + 1;
    ordered_value *items = ARENA_NEW(call->scratch, ordered_value, most);
    ordered_value *spare = ARENA_NEW(call->scratch, ordered_value, most);
    uint32_t *chosen = ARENA_NEW(call->scratch, uint32_t, (size_t)call->count + 1);
    value_order order = value_order_of(args[0], call->scratch->cancel);
    if (items == NULL || spare == NULL || chosen == NULL) {
        return KERNEL_NO_MEMORY;
    }
    uint32_t from = 0;
    for (uint32_t group = 0; group < call->count; group++) {
        const uint32_t count = ends[group] - from;
        value_order_list(&order, from, count, items);
        chosen[group] = most_frequent(&order, value_order_sort(&order, items, spare, count), count);
        from = ends[group];
    }
    return take_rows(call, args[0], chosen, out);
}

const aggregate_function aggregate_mode = {
    .name = "mode",
    .category = "aggregate",
    .summary = "the most frequent value, of several the lowest",
    .examples = (const char *const[]){"mode(x) <- (1), (2), (2), (NULL), (NULL), (NULL)", "2",
                                      "mode(x) <- ('b'), ('a')", "a", "mode(x) <- (NULL::INTEGER)",
                                      "NULL", NULL},
    .flags = AGGREGATE_SKIPS_NULLS | AGGREGATE_COLLECTS,
    .overloads =
        (const aggregate_overload[]){
            {.signature = "T <- T", .collect = mode},
            {0},
        },
};
