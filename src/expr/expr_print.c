// SQL-like text of expressions, for EXPLAIN and messages: operators between their arguments, with
// parentheses only where they are needed; casts that the binder put in are hidden.
#include "expr/aggregate.h"
#include "expr/expr.h"

// How tight an expression binds, loosest first.
typedef enum tightness {
    TIGHT_OR,
    TIGHT_AND,
    TIGHT_NOT,
    TIGHT_COMPARISON,
    TIGHT_OTHER, // ||, |, &, << and whatever else is written between its arguments.
    TIGHT_SUM,
    TIGHT_PRODUCT,
    TIGHT_POWER,
    TIGHT_SIGN,
    TIGHT_PRIMARY,
} tightness;

typedef struct printer {
    text_builder *out;
    const expr_names *names; // NULL: none.
    uint32_t depth;
} printer;

#define PRINT_DEPTH_MAX 200 // Deeper parts are shown as "...".

static void print_inside(printer *self, const expr *what, tightness around);

// ---- Operators -------------------------------------------------------------------------------

typedef struct spelling {
    const char *name;   // Of the function.
    const char *before; // "NOT " or "-".
    const char *between;
    const char *after; // " IS NULL".
    tightness own;
} spelling;

static const spelling spellings[] = {
    {"=", NULL, " = ", NULL, TIGHT_COMPARISON},
    {"<>", NULL, " <> ", NULL, TIGHT_COMPARISON},
    {"<", NULL, " < ", NULL, TIGHT_COMPARISON},
    {"<=", NULL, " <= ", NULL, TIGHT_COMPARISON},
    {">", NULL, " > ", NULL, TIGHT_COMPARISON},
    {">=", NULL, " >= ", NULL, TIGHT_COMPARISON},
    {"is_distinct_from", NULL, " IS DISTINCT FROM ", NULL, TIGHT_COMPARISON},
    {"is_not_distinct_from", NULL, " IS NOT DISTINCT FROM ", NULL, TIGHT_COMPARISON},
    {"like", NULL, " LIKE ", NULL, TIGHT_COMPARISON},
    {"ilike", NULL, " ILIKE ", NULL, TIGHT_COMPARISON},
    {"is_null", "", NULL, " IS NULL", TIGHT_COMPARISON},
    {"is_not_null", "", NULL, " IS NOT NULL", TIGHT_COMPARISON},
    {"is_true", "", NULL, " IS TRUE", TIGHT_COMPARISON},
    {"is_false", "", NULL, " IS FALSE", TIGHT_COMPARISON},
    {"not", "NOT ", NULL, "", TIGHT_NOT},
    {"+", NULL, " + ", NULL, TIGHT_SUM},
    {"-", NULL, " - ", NULL, TIGHT_SUM},
    {"-", "-", NULL, "", TIGHT_SIGN},
    {"*", NULL, " * ", NULL, TIGHT_PRODUCT},
    {"/", NULL, " / ", NULL, TIGHT_PRODUCT},
    {"//", NULL, " // ", NULL, TIGHT_PRODUCT},
    {"%", NULL, " % ", NULL, TIGHT_PRODUCT},
    {"^", NULL, " ^ ", NULL, TIGHT_POWER},
};

static const spelling *spelling_of(const expr *call) {
    const bool is_binary = call->call_.args.count == 2;
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        const spelling *entry = &spellings[i];
        if (strcmp(entry->name, call->call_.function->name) == 0 &&
            (entry->between != NULL) == is_binary && (is_binary || call->call_.args.count == 1)) {
            return entry;
        }
    }
    return NULL;
}

// A function whose name is a sign: "||", "<<", "->>".
static bool is_sign(const char *name) {
    const char first = name[0];
    return !((first >= 'a' && first <= 'z') || first == '_');
}

static tightness tightness_of_call(const expr *call) {
    const spelling *known = spelling_of(call);
    if (known != NULL) {
        return known->own;
    }
    return is_sign(call->call_.function->name) && call->call_.args.count == 2 ? TIGHT_OTHER
                                                                              : TIGHT_PRIMARY;
}

// A cast that nobody wrote is not shown.
static const expr *without_hidden_casts(const expr *what) {
    while (what->kind == EXPR_CAST && what->cast_.is_implicit && !what->cast_.is_try) {
        what = what->cast_.arg;
    }
    return what;
}

static bool is_negative_number(const expr *what) {
    if (what->kind != EXPR_LITERAL || what->literal_.value.is_null) {
        return false;
    }
    const column *value = what->literal_.value.value;
    const physical kind = type_physical(what->type);
    if (kind == PHYSICAL_F64) {
        return COLUMN_VALUES(value, double)[0] < 0;
    }
    return physical_is_integer(kind) && kind != PHYSICAL_U64 &&
           type_category_of(what->type) != CATEGORY_DATETIME && column_lane_integer(value, 0) < 0;
}

static tightness tightness_of(const expr *what) {
    switch (what->kind) {
    case EXPR_OR:
        return TIGHT_OR;
    case EXPR_AND:
        return TIGHT_AND;
    case EXPR_IN:
        return TIGHT_COMPARISON;
    case EXPR_CALL:
        return tightness_of_call(what);
    case EXPR_LITERAL:
        return is_negative_number(what) ? TIGHT_SIGN : TIGHT_PRIMARY;
    case EXPR_LAMBDA:
        return TIGHT_OR;
    case EXPR_COLUMN:
    case EXPR_PARAMETER:
    case EXPR_CAST:
    case EXPR_CASE:
    case EXPR_COALESCE:
    case EXPR_TRY:
    case EXPR_DYNAMIC:
    case EXPR_SUBQUERY:
    case EXPR_AGGREGATE:
    case EXPR_KIND_COUNT:
        break;
    }
    return TIGHT_PRIMARY;
}

// ---- Literals --------------------------------------------------------------------------------

static void print_quoted(text value, text_builder *out) {
    text_append_char(out, '\'');
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] == '\'') {
            text_append_char(out, '\'');
        }
        text_append_char(out, value.data[i]);
    }
    text_append_char(out, '\'');
}

// Text as SQL prints it, without quotes.
static text plain_text(const column *value, uint32_t row, arena *memory) {
    text_builder builder = text_builder_open(memory);
    column_print_row(value, row, &builder);
    text out;
    firn_error ignored = ERR_INIT;
    return text_builder_finish(&builder, &out, &ignored) == FIRN_OK ? out : TEXT("?");
}

static void print_value(const column *value, uint32_t row, text_builder *out) {
    if (!column_is_valid(value, row)) {
        text_append(out, TEXT("NULL"));
        return;
    }
    const text plain = plain_text(value, row, out->memory);
    switch (type_category_of(value->type)) {
    case CATEGORY_BINARY:
        text_append_char(out, 'X');
        print_quoted(text_slice(plain, plain.size < 2 ? plain.size : 2, plain.size), out);
        return;
    case CATEGORY_TEXT:
        print_quoted(plain, out);
        return;
    case CATEGORY_DATETIME:
    case CATEGORY_UUID:
        type_print(value->type, out);
        text_append_char(out, ' ');
        print_quoted(plain, out);
        return;
    case CATEGORY_NULL:
    case CATEGORY_BOOLEAN:
    case CATEGORY_INTEGER:
    case CATEGORY_FLOAT:
    case CATEGORY_DECIMAL:
    case CATEGORY_NESTED:
        break;
    }
    text_append(out, plain);
}

// ---- Nodes -----------------------------------------------------------------------------------

static void print_list(printer *self, expr_list list) {
    for (uint32_t i = 0; i < list.count; i++) {
        if (i > 0) {
            text_append(self->out, TEXT(", "));
        }
        print_inside(self, list.items[i], TIGHT_OR);
    }
}

static void print_call(printer *self, const expr *what) {
    const expr_list *args = &what->call_.args;
    const spelling *known = spelling_of(what);
    const char *name = what->call_.function->name;
    if (known != NULL && known->between == NULL) {
        text_append(self->out, text_of(known->before));
        // NOT NOT a is fine; - -a and a < b IS NULL are not.
        print_inside(self, args->items[0],
                     known->own == TIGHT_NOT ? TIGHT_NOT : (tightness)(known->own + 1));
        text_append(self->out, text_of(known->after));
        return;
    }
    if (known == NULL && tightness_of_call(what) == TIGHT_PRIMARY) {
        text_append_format(self->out, "%s(", name);
        print_list(self, *args);
        text_append_char(self->out, ')');
        return;
    }
    const tightness own = tightness_of_call(what);
    // Left-associative: the right side needs parentheses at the same tightness; comparisons on
    // both.
    print_inside(self, args->items[0], own == TIGHT_COMPARISON ? (tightness)(own + 1) : own);
    if (known != NULL) {
        text_append(self->out, text_of(known->between));
    } else {
        text_append_format(self->out, " %s ", name);
    }
    print_inside(self, args->items[1], (tightness)(own + 1));
}

static void print_junction(printer *self, expr_list args, const char *word, tightness own) {
    for (uint32_t i = 0; i < args.count; i++) {
        if (i > 0) {
            text_append(self->out, text_of(word));
        }
        print_inside(self, args.items[i], (tightness)(own + 1));
    }
}

static void print_cast(printer *self, const expr *what) {
    text_append(self->out, what->cast_.is_try ? TEXT("TRY_CAST(") : TEXT("CAST("));
    print_inside(self, what->cast_.arg, TIGHT_OR);
    text_append(self->out, TEXT(" AS "));
    type_print(what->type, self->out);
    text_append_char(self->out, ')');
}

static void print_case(printer *self, const expr *what) {
    text_append(self->out, TEXT("CASE"));
    for (uint32_t i = 0; i < what->case_.conditions.count; i++) {
        text_append(self->out, TEXT(" WHEN "));
        print_inside(self, what->case_.conditions.items[i], TIGHT_OR);
        text_append(self->out, TEXT(" THEN "));
        print_inside(self, what->case_.values.items[i], TIGHT_OR);
    }
    if (what->case_.otherwise != NULL) {
        text_append(self->out, TEXT(" ELSE "));
        print_inside(self, what->case_.otherwise, TIGHT_OR);
    }
    text_append(self->out, TEXT(" END"));
}

#define IN_VALUES_MAX 10 // Of long lists the first few are shown.

static void print_in(printer *self, const expr *what) {
    const column *values = what->in_.values;
    print_inside(self, what->in_.arg, (tightness)(TIGHT_COMPARISON + 1));
    text_append(self->out, what->in_.is_negated ? TEXT(" NOT IN (") : TEXT(" IN ("));
    for (uint32_t row = 0; row < values->length && row < IN_VALUES_MAX; row++) {
        text_append(self->out, row > 0 ? TEXT(", ") : TEXT(""));
        print_value(values, row, self->out);
    }
    if (values->length > IN_VALUES_MAX) {
        text_append_format(self->out, ", ... %u in all", values->length);
    }
    if (what->in_.has_null) {
        text_append(self->out, values->length > 0 ? TEXT(", NULL") : TEXT("NULL"));
    }
    text_append_char(self->out, ')');
}

static void print_subquery(printer *self, const expr *what) {
    switch ((subquery_kind)what->subquery_.subquery) {
    case SUBQUERY_SCALAR:
        if (what->subquery_.args.count > 0) {
            text_append_char(self->out, '(');
            print_list(self, what->subquery_.args);
            text_append_format(self->out, ") %.*s ", TEXT_ARGS(what->subquery_.comparison));
        }
        text_append(self->out, TEXT("(subquery)"));
        return;
    case SUBQUERY_EXISTS:
        text_append(self->out, TEXT("EXISTS(subquery)"));
        return;
    case SUBQUERY_ANY:
    case SUBQUERY_ALL:
        break;
    }
    text_append_char(self->out, '(');
    print_list(self, what->subquery_.args);
    text_append_format(self->out, ") %.*s %s(subquery)", TEXT_ARGS(what->subquery_.comparison),
                       what->subquery_.subquery == SUBQUERY_ANY ? "ANY" : "ALL");
}

static void print_aggregate(printer *self, const expr *what) {
    const sort_key_list *order = &what->aggregate_.order;
    text_append_format(self->out, "%s(%s", what->aggregate_.function->name,
                       what->aggregate_.is_distinct ? "DISTINCT " : "");
    if (what->aggregate_.args.count == 0) {
        text_append_char(self->out, '*');
    }
    print_list(self, what->aggregate_.args);
    for (uint32_t i = 0; i < order->count; i++) {
        text_append(self->out, i == 0 ? TEXT(" ORDER BY ") : TEXT(", "));
        print_inside(self, order->items[i].value, TIGHT_OR);
        text_append_format(self->out, "%s%s", order->items[i].is_descending ? " DESC" : "",
                           order->items[i].nulls_first ? " NULLS FIRST" : " NULLS LAST");
    }
    text_append_char(self->out, ')');
    if (what->aggregate_.filter != NULL) {
        text_append(self->out, TEXT(" FILTER (WHERE "));
        print_inside(self, what->aggregate_.filter, TIGHT_OR);
        text_append_char(self->out, ')');
    }
}

static void print_lambda(printer *self, const expr *what) {
    const u32_list *parameters = &what->lambda_.parameters;
    text_append_char(self->out, '(');
    for (uint32_t i = 0; i < parameters->count; i++) {
        text_append_format(self->out, "%s#%u", i > 0 ? ", " : "", parameters->items[i]);
    }
    text_append(self->out, TEXT(") -> "));
    print_inside(self, what->lambda_.body, TIGHT_OR);
}

static void print_column(printer *self, const expr *what) {
    const uint32_t id = what->column_.id;
    text name = what->column_.name;
    if (name.size == 0 && self->names != NULL && id < self->names->count) {
        name = self->names->by_id[id];
    }
    if (name.size == 0) {
        text_append_format(self->out, "#%u", id);
    } else {
        text_append(self->out, name);
    }
}

static void print_wrapped(printer *self, const char *before, expr_list args) {
    text_append(self->out, text_of(before));
    print_list(self, args);
    text_append_char(self->out, ')');
}

static void print_node(printer *self, const expr *what) {
    switch (what->kind) {
    case EXPR_COLUMN:
        print_column(self, what);
        break;
    case EXPR_LITERAL:
        if (what->literal_.value.is_null) {
            text_append(self->out, TEXT("NULL"));
        } else {
            print_value(what->literal_.value.value, 0, self->out);
        }
        break;
    case EXPR_PARAMETER:
        text_append_format(self->out, "$%u", what->parameter_.index);
        break;
    case EXPR_CALL:
        print_call(self, what);
        break;
    case EXPR_CAST:
        print_cast(self, what);
        break;
    case EXPR_AND:
        print_junction(self, what->and_.args, " AND ", TIGHT_AND);
        break;
    case EXPR_OR:
        print_junction(self, what->or_.args, " OR ", TIGHT_OR);
        break;
    case EXPR_CASE:
        print_case(self, what);
        break;
    case EXPR_COALESCE:
        print_wrapped(self, "coalesce(", what->coalesce_.args);
        break;
    case EXPR_IN:
        print_in(self, what);
        break;
    case EXPR_TRY:
        print_wrapped(self, "try(",
                      (expr_list){.count = 1, .items = (expr **)(uintptr_t)&what->try_.arg});
        break;
    case EXPR_DYNAMIC:
        text_append_format(self->out, "dynamic_filter_%u", what->dynamic_.slot);
        print_wrapped(self, "(", what->dynamic_.args);
        break;
    case EXPR_LAMBDA:
        print_lambda(self, what);
        break;
    case EXPR_SUBQUERY:
        print_subquery(self, what);
        break;
    case EXPR_AGGREGATE:
        print_aggregate(self, what);
        break;
    case EXPR_KIND_COUNT:
        break;
    }
}

// Prints with parentheses if it binds looser than what is around it asks for.
static void print_inside(printer *self, const expr *what, tightness around) {
    what = without_hidden_casts(what);
    if (self->depth >= PRINT_DEPTH_MAX) {
        text_append(self->out, TEXT("..."));
        return;
    }
    self->depth++;
    const bool is_wrapped = tightness_of(what) < around;
    if (is_wrapped) {
        text_append_char(self->out, '(');
    }
    print_node(self, what);
    if (is_wrapped) {
        text_append_char(self->out, ')');
    }
    self->depth--;
}

void expr_print(const expr *self, text_builder *out) {
    expr_print_named(self, NULL, out);
}

void expr_print_named(const expr *self, const expr_names *names, text_builder *out) {
    printer state = {.out = out, .names = names};
    print_inside(&state, self, TIGHT_OR);
}

void expr_print_as_operand(const expr *self, const expr_names *names, text_builder *out) {
    printer state = {.out = out, .names = names};
    print_inside(&state, self, TIGHT_PRIMARY);
}

text expr_text(const expr *self, arena *memory) {
    text_builder builder = text_builder_open(memory);
    expr_print(self, &builder);
    text out;
    firn_error ignored = ERR_INIT;
    return text_builder_finish(&builder, &out, &ignored) == FIRN_OK ? out : TEXT("?");
}
