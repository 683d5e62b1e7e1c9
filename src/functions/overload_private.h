// Private to functions/overload*: signatures, parsed, and what their letters stand for.
#ifndef FIRN_FUNCTIONS_OVERLOAD_PRIVATE_H
#define FIRN_FUNCTIONS_OVERLOAD_PRIVATE_H

#include "functions/overload.h"

typedef enum pattern_kind {
    PATTERN_TYPE,    ///< One type.
    PATTERN_LETTER,  ///< T
    PATTERN_ANY,     ///< ANY
    PATTERN_ASK,     ///< ? as result
    PATTERN_LIST,    ///< LIST<child>
    PATTERN_MAP,     ///< MAP<child, child>
    PATTERN_STRUCT,  ///< Any struct.
    PATTERN_DECIMAL, ///< DECIMAL(precision, scale)
    PATTERN_UNIT,    ///< TIMESTAMP(u) and its like.
    PATTERN_LAMBDA,  ///< LAMBDA(children)->last child
} pattern_kind;

#define PATTERN_CHILDREN_MAX 4
#define PATTERN_NODES_MAX 32
#define SIGNATURE_ARGS_MAX 12

/// A sum of letters and numbers: "38", "s", "p+1", "p-s".
typedef struct pattern_sum {
    char plus[2];  ///< Letters that are added, 0 for none; '*' alone: any value.
    char minus[2]; ///< Letters that are taken off.
    int16_t number;
} pattern_sum;

typedef struct pattern {
    pattern_kind kind;
    type_id id;  ///< TYPE, UNIT.
    char letter; ///< LETTER, UNIT.
    uint8_t child_count;
    uint8_t children[PATTERN_CHILDREN_MAX]; ///< Indexes of nodes.
    pattern_sum precision, scale;           ///< DECIMAL.
} pattern;

typedef struct signature {
    uint32_t node_count;
    pattern nodes[PATTERN_NODES_MAX];
    uint8_t result;
    uint32_t arg_count;
    uint8_t args[SIGNATURE_ARGS_MAX]; ///< Indexes of nodes.
    bool is_variadic;                 ///< The last argument may stand again and again …
    bool may_lack_last;               ///< … or not at all.
} signature;

/// Reads a signature; false if it is not one, which is a mistake of who wrote the function.
bool signature_parse(const char *source, signature *out);
/// Reads patterns separated by commas as the arguments of a signature without result.
bool signature_parse_list(const char *source, signature *out);
/// The pattern of argument `index` of a call.
const pattern *signature_arg(const signature *self, uint32_t index);
bool signature_takes_count(const signature *self, uint32_t arg_count);

#define DECIMAL_GROUPS_MAX 4
#define UNITS_MAX 4

/// What the letters of a signature stand for.
typedef struct bindings {
    arena *memory;
    bool is_comparison;      ///< Text yields to numbers and dates.
    const type *letters[26]; ///< NULL: not known.
    struct {
        pattern_sum precision, scale; ///< Which DECIMAL(p,s).
        const type *type;
    } decimals[DECIMAL_GROUPS_MAX];
    uint32_t decimal_count;
    struct {
        char letter;
        time_unit unit;
    } units[UNITS_MAX];
    uint32_t unit_count;
} bindings;

/// Lets the letters of a pattern stand for what an argument's type asks, together with what they
/// stand for already. `*fits` becomes false if the pattern can't hold.
firn_status bindings_unify(bindings *self, const signature *in, const pattern *with,
                           const type *actual, bool *fits, firn_error *err);
/// The type that a pattern is now; `own` is the argument's own type for ANY and STRUCT. Letters
/// that stand for nothing are VARCHAR. NULL for ASK.
firn_status bindings_type(bindings *self, const signature *in, const pattern *of, const type *own,
                          const type **out, firn_error *err);

#endif
